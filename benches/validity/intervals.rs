//! Chapter on the interval for the ratio, which is valid at all checks together.

use hotfix_core::stats::interval::ratio_interval;
use hotfix_core::stats::{Counts, StatError, Totals};

use crate::methods::ALPHA;
use crate::random::Random;
use crate::report::{Limit, Report, Sheet};
use crate::runner;
use crate::scenarios::{COVERAGE, RUNS_OF_COVERAGE, Row, SEED_OF_COVERAGE};
use crate::tally::Estimate;
use crate::traffic::{Arms, PLANNED};

/// One less the chance α that it ever misses.
pub(crate) const CONFIDENCE: f64 = 0.99;
/// Ticks between checks.
pub(crate) const EVERY: u32 = 12;

/// Whether the interval contained the true ratio at every check: by strata of one planned split
/// each, and from totals over all ticks, which is wrong where the split changes.
fn covered(row: &Row, arms: &Arms, random: &mut Random) -> Result<[bool; 2], StatError> {
    let truth = row.traffic.effect_at(1);
    let mut strata: Vec<(f64, Totals)> = Vec::new();
    let mut covered = [true; 2];
    for at in 1..=PLANNED {
        let tick = arms.tick(at, random);
        let share = row.traffic.share(at);
        if strata.last().is_none_or(|last| last.0 != share) {
            strata.push((share, Totals::default()));
        }
        if let Some((_, totals)) = strata.last_mut() {
            add(&mut totals.canary, tick.canary);
            add(&mut totals.baseline, tick.baseline);
        }
        if at.is_multiple_of(EVERY) {
            let of_splits: Vec<Totals> = strata.iter().map(|stratum| stratum.1).collect();
            let now = ratio_interval(&of_splits, CONFIDENCE)?.contains(truth);
            covered[0] &= now;
            covered[1] &= if of_splits.len() == 1 {
                now
            } else {
                let mut whole = Totals::default();
                for totals in &of_splits {
                    add(&mut whole.canary, totals.canary);
                    add(&mut whole.baseline, totals.baseline);
                }
                ratio_interval(&[whole], CONFIDENCE)?.contains(truth)
            };
        }
    }
    Ok(covered)
}

/// Adds a tick's counts.
pub(crate) fn add(sum: &mut Counts, counts: Counts) {
    sum.events += counts.events;
    sum.trials += counts.trials;
}

/// Chapter on the interval for the ratio.
pub(crate) fn intervals(report: &mut Report) -> Result<(), StatError> {
    report.chapter("The interval for the ratio");
    let runs = report.runs(RUNS_OF_COVERAGE);
    report.say(&format!(
        "The {}% interval is checked 25 times, two minutes apart. The table shows the share of \
         runs in which it ever misses the true ratio, which is at most 0.01. 'One sum' adds ticks \
         of different planned splits. This is not allowed, because a changing base rate is then \
         confounded with the split. {runs} runs per row, seeds {SEED_OF_COVERAGE} on.",
        100.0 * CONFIDENCE
    ));
    let mut sheet = Sheet::new(&["", "ever missed", "ever missed by one sum"]);
    for (seed, row) in (SEED_OF_COVERAGE..).zip(&COVERAGE) {
        let arms = Arms::new(&row.traffic);
        let results: Vec<[bool; 2]> =
            runner::all(runs, |run| covered(row, &arms, &mut Random::new(seed, run)))
                .into_iter()
                .collect::<Result<_, _>>()?;
        let missed = |which: usize| {
            Estimate::share(results.iter().filter(|run| !run[which]).count(), results.len())
        };
        let shown = report.alpha(row.name, missed(0), Limit::Reached(ALPHA));
        sheet.row(&[row.name.to_owned(), shown, missed(1).to_string()]);
    }
    report.put(&sheet);
    Ok(())
}
