//! Chapter on a plan's power analysis: each entry of its table against rollouts through
//! `Rollout::handle`.

use hotfix_core::stats::StatError;

use crate::foreseen::{Entry, Random, entries};
use crate::report::{Limit, Report, Sheet};
use crate::runner;
use crate::tally::Estimate;

const RUNS: u32 = 20_000;
const SEED: u64 = 26_060_300;
/// The most standard errors that an exact entry may be off; by chance one of 250 is off by more
/// once in a hundred runs.
const MOST_ERRORS: f64 = 4.1;
/// Share of the exact entries that may be off by more than two standard errors; one in twenty is
/// chance.
const BEYOND_TWO: f64 = 0.1;
/// Tolerance of an approximate entry, as a share of the planned figure where that is above one.
const ABOUT: f64 = 0.05;

/// Chapter on a plan's power analysis.
#[expect(clippy::unnecessary_wraps, reason = "chapters are listed as functions of one type")]
pub(crate) fn power(report: &mut Report) -> Result<(), StatError> {
    report.chapter("Power analysis of a plan");
    let runs = report.runs(RUNS);
    report.say(&format!(
        "Every entry of `Plan::power` for the error rate of two presets, at 1,300 and 1,000 requests a \
         minute on average, against {runs} rollouts each through `Rollout::handle`: 1 to 20 times the \
         reference's errors, each phase for its least time, the bounds alone and the test alone. The chances of a whole way follow \
         from those of its phases. \
         There are many entries, so the criteria were fixed before the first run: no exact entry \
         is off by more than {MOST_ERRORS} standard errors, and at most one in ten by more than \
         two, where one in twenty is chance. An entry marked `approximate` is within {ABOUT}. \
         Seeds {SEED} on."
    ));
    let mut all = Vec::new();
    // At 1,000 requests a minute half of the windows of `phased-canary` have less than the least trials.
    let presets = [("phased-canary", 1_300.0), ("standard", 1_000.0)];
    for (seed, (preset, requests)) in (SEED..).step_by(100).zip(presets) {
        all.extend(entries(preset, requests, runs, seed, |world, seed| {
            runner::all(runs, |run| world.run(&mut Random::new(seed, run)))
        }));
    }
    let mut sheet = Sheet::new(&["", "planned", "seen", "standard errors off"]);
    for entry in &all {
        let about = if entry.approximate { "about " } else { "" };
        sheet.row(&[
            entry.of.clone(),
            format!("{about}{:.4}", entry.planned),
            format!("{:.4}", entry.seen),
            format!("{:.1}", entry.errors_off()),
        ]);
    }
    let (about, exact): (Vec<&Entry>, Vec<&Entry>) =
        all.iter().partition(|entry| entry.approximate);
    let certain = |value: f64| Estimate { value, error: 0.0 };
    let most = exact.iter().map(|entry| entry.errors_off()).fold(0.0, f64::max);
    let beyond = exact.iter().filter(|entry| entry.errors_off() > 2.0).count();
    let share = beyond as f64 / exact.len().max(1) as f64;
    let off = |entry: &&&Entry| (entry.seen - entry.planned).abs() / entry.planned.max(1.0);
    let rough = about.iter().max_by(|a, b| off(a).total_cmp(&off(b))).map_or(0.0, |e| off(&e));
    let limit = ABOUT + if report.is_quick() { 0.05 } else { 0.0 };
    let shown = [
        report.claim("most standard errors off", certain(most), Limit::AtMost(MOST_ERRORS), 2),
        report.claim("share off by more than two", certain(share), Limit::AtMost(BEYOND_TWO), 3),
        report.claim("approximate entries off by", certain(rough), Limit::AtMost(limit), 3),
    ];
    report.say(&format!(
        "{} exact entries: at most {} standard errors off, {} of them by more than two. {} \
         approximate entries: at most {} off.",
        exact.len(),
        shown[0],
        shown[1],
        about.len(),
        shown[2]
    ));
    report.put(&sheet);
    Ok(())
}
