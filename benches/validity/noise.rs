//! Chapter on noise: replay, randomised, both, single instances, promotion.

use hotfix_core::stats::StatError;

use crate::fleets::{Effort, Fault, Judge, Outcome, run};
use crate::laws::{self, Cell, Change, Noise, Shared};
use crate::methods::{ALPHA, ALPHA_PROMOTION};
use crate::plots;
use crate::report::{Limit, Report, Sheet};
use crate::scenarios::ONSET;
use crate::tally::Estimate;
use crate::traffic::PLANNED;

const SEED: u64 = 10_000;
/// Enough for 2 SE < α/4 at α, also where streams of a history have something in common.
const RATES: Effort = Effort { histories: 480, streams: 15 };
/// The factor on the number of histories in cells whose histories differ too much for [`RATES`].
const MORE: u32 = 3;
const DELAYS: Effort = Effort { histories: 300, streams: 4 };
/// No history is read: lasting traits are drawn again for each stream.
const WITHOUT_HISTORY: Effort = Effort { histories: 9_600, streams: 1 };
/// Few streams: evidence of 2,000 subsets at every tick is costly.
const SUBSETS: Effort = Effort { histories: 200, streams: 1 };

fn effort(report: &Report, full: Effort) -> Effort {
    let histories =
        if report.is_quick() { full.histories.div_ceil(60).max(8) } else { full.histories };
    Effort { histories, ..full }
}

fn place(cell: &Cell) -> String {
    let fleet = cell.fleet;
    let place = format!("{} a minute, {} of {}", cell.per_minute, fleet.canary, fleet.instances);
    match cell.change {
        Change::Traffic(factor) => format!("{place}, each with {factor} × the traffic"),
        Change::None | Change::Law(_) | Change::Hardware(_) => place,
    }
}

fn name(cell: &Cell) -> String {
    format!("{}, {}", cell.law.name, place(cell))
}

/// Whether the errors are independent given what both arms share; then `replay` guarantees α. With
/// unequal traffic a shock in both arms is clipped by different shares, which is only simulated.
fn is_harmless(cell: &Cell) -> bool {
    let common = cell.law.shared == Shared::Everybody && !matches!(cell.change, Change::Traffic(_));
    cell.law.noise == Noise::Independent || common
}

/// Chapter on noise.
pub(crate) fn noise(report: &mut Report) -> Result<(), StatError> {
    report.chapter("Noise");
    covered(report)?;
    not_covered(report)?;
    faults(report)?;
    late(report)?;
    Ok(())
}

fn covered(report: &mut Report) -> Result<(), StatError> {
    let cells = laws::covered();
    report.section("False rollbacks under noise");
    report.say(&format!(
        "{} cells of noise laws and traffics, fixed in `benches/validity/laws.rs` before the first \
         run; that file says how histories and test streams are generated. Base 0.3%, six hours of \
         history, 300 ticks. The plain test guarantees nothing under noise that the arms do not \
         share, and neither does tempering. `replay` is calibrated: not above 0.01 by more than \
         two standard errors. It is guaranteed where errors are independent or the noise is common \
         to both arms. 'By sums': the readings have sums over each arm only. {}",
        cells.len(),
        efforts(report, SEED),
    ));
    rates(report, &cells, SEED, "noise-cells.svg")?;
    let cells = laws::by_instance();
    report.section("False rollbacks with clients of one instance");
    report.say(&format!(
        "{} more cells, written down later: more instances; clients of one instance at a time; \
         shocks that both arms share; canary instances with other traffic than those of the \
         history. {}",
        cells.len(),
        efforts(report, SEED + 800),
    ));
    rates(report, &cells, SEED + 800, "noise-cells-by-instance.svg")
}

fn efforts(report: &Report, seed: u64) -> String {
    let Effort { histories, streams } = effort(report, RATES);
    format!(
        "{histories} histories with {streams} streams each, {MORE} times as many where two standard errors \
         would be above α/4; seeds {seed} on."
    )
}

/// A table of false rollbacks, and its plot.
fn rates(report: &mut Report, cells: &[Cell], first: u64, plot: &str) -> Result<(), StatError> {
    let judges = [Judge::Plain, Judge::Tempered, Judge::Summed, Judge::Replay, Judge::Hold];
    let effort = effort(report, RATES);
    let mut sheet = Sheet::new(&[
        "law",
        "traffic, canary",
        "plain",
        "tempered, k = 2",
        "replay by sums",
        "replay",
        "held",
    ]);
    let mut above = [0; 4];
    let mut rates = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    for (seed, cell) in (first..).zip(cells) {
        let shares_of = |effort| {
            let outcome = run(cell, Fault::None, &judges, effort, seed)?;
            let shares = (0..judges.len()).map(|judge| outcome.share(judge));
            Ok(shares.collect::<Vec<Estimate>>())
        };
        let mut shares = shares_of(effort)?;
        if !shares[2..4].iter().all(|share| report.is_enough(share, ALPHA)) {
            shares = shares_of(Effort { histories: MORE * effort.histories, ..effort })?;
        }
        for (judge, share) in shares.iter().take(4).enumerate() {
            above[judge] += usize::from(share.value - 2.0 * share.error > ALPHA);
            rates[judge].push(share.value);
        }
        let limit =
            if is_harmless(cell) { Limit::Guaranteed(ALPHA) } else { Limit::Calibrated(ALPHA) };
        let summed = report.alpha(&format!("replay by sums, {}", name(cell)), shares[2], limit);
        let replay = report.alpha(&format!("replay, {}", name(cell)), shares[3], limit);
        sheet.row(&[
            cell.law.name.into(),
            place(cell),
            shares[0].to_string(),
            shares[1].to_string(),
            summed,
            replay,
            format!("{:.3}", shares[4]),
        ]);
    }
    report.put(&sheet);
    let worst = |rates: &[f64]| rates.iter().copied().fold(0.0, f64::max);
    report.say(&format!(
        "Above 0.01 by more than two standard errors: plain in {} of {} cells (worst {:.3}), \
         tempered in {} (worst {:.3}), `replay` by sums in {} (worst {:.4}), `replay` in {} \
         (worst {:.4}).",
        above[0],
        cells.len(),
        worst(&rates[0]),
        above[1],
        worst(&rates[1]),
        above[2],
        worst(&rates[2]),
        above[3],
        worst(&rates[3]),
    ));
    plots::dots(
        report,
        plot,
        "False rollbacks by cell, sorted: plain, tempered and replay, with the line of α",
        (
            "cells, each method's sorted by itself",
            "false rollbacks (logarithmic; 0 shown at 0.0001)",
        ),
        &[("plain", &rates[0]), ("tempered, k = 2", &rates[1]), ("replay", &rates[3])],
        ALPHA,
    );
    Ok(())
}

fn not_covered(report: &mut Report) -> Result<(), StatError> {
    let judges = [Judge::Plain, Judge::Replay, Judge::Hold];
    let effort = effort(report, Effort { histories: 600, ..RATES });
    report.section("What replay does not cover");
    report.say(&format!(
        "`docs/statistics.md` names these cases as not covered: the table shows what happens, and \
         nothing is promised. {} histories with {} streams each, seeds {} on.",
        effort.histories,
        effort.streams,
        SEED + 200
    ));
    let mut sheet =
        Sheet::new(&["history", "what changes", "traffic, canary", "plain", "replay", "held"]);
    for (seed, cell) in (SEED + 200..).zip(&laws::NOT_COVERED) {
        let outcome = run(cell, Fault::None, &judges, effort, seed)?;
        let change = match cell.change {
            Change::Law(law) => format!("noise grows: {}", law.name),
            Change::Hardware(factor) => {
                format!("the canary's hardware fails {factor} times as often")
            }
            Change::Traffic(factor) => format!("the canary has {factor} times the traffic"),
            Change::None if cell.history < laws::HISTORY => "history of 1.5 hours only".into(),
            Change::None => "bursts rarer than the history is long".into(),
        };
        sheet.row(&[
            cell.law.name.into(),
            change,
            place(cell),
            outcome.share(0).to_string(),
            outcome.share(1).to_string(),
            format!("{:.3}", outcome.share(2)),
        ]);
    }
    report.put(&sheet);
    Ok(())
}

fn faults(report: &mut Report) -> Result<(), StatError> {
    let judges = [
        Judge::Plain,
        Judge::Tempered,
        Judge::Summed,
        Judge::Replay,
        Judge::Hold,
        Judge::PlainOfFour,
        Judge::ReplayOfFour,
    ];
    let effort = effort(report, DELAYS);
    report.section("Delay under noise");
    report.say(&format!(
        "Median ticks to the rollback from a fault at the first tick. 'By sums': the readings have \
         sums over each arm only; in brackets the figures of the tests' design for it; those for w \
         0.5 and for noise are for the even grid of eight. 'Of four': the metric has the weight \
         0.25, as the error rate in `standard`. {} histories with {} streams each, seeds {} on.",
        effort.histories,
        effort.streams,
        SEED + 300
    ));
    let mut sheet = Sheet::new(&[
        "law, traffic, canary",
        "r",
        "plain",
        "tempered, k = 2",
        "replay by sums",
        "replay",
        "held",
        "found by replay",
        "of four: plain",
        "of four: replay",
    ]);
    for (seed, (cell, ratio, stated)) in (SEED + 300..).zip(&laws::FAULTS) {
        let outcome = run(cell, Fault::Canary(*ratio), &judges, effort, seed)?;
        let stated = stated.map_or_else(String::new, |stated| format!(" ({stated})"));
        sheet.row(&[
            name(cell),
            ratio.to_string(),
            median(&outcome, 0),
            median(&outcome, 1),
            format!("{}{stated}", median(&outcome, 2)),
            median(&outcome, 3),
            median(&outcome, 4),
            format!("{:.3}", outcome.share(3)),
            median(&outcome, 5),
            median(&outcome, 6),
        ]);
    }
    report.put(&sheet);
    Ok(())
}

fn late(report: &mut Report) -> Result<(), StatError> {
    let judges = [Judge::Replay, Judge::ReplayChangePoint];
    let (rates, delays) = (effort(report, RATES), effort(report, DELAYS));
    report.section("Late faults under noise");
    report.say(&format!(
        "`replay` in the plain and in the change-point form, each with its own calibration. False \
         rollbacks: {} histories with {} streams each. r = 5 from tick {ONSET} on, median ticks \
         from there in {} histories with {} streams each. Seeds {} on.",
        rates.histories,
        rates.streams,
        delays.histories,
        delays.streams,
        SEED + 350
    ));
    let mut sheet = Sheet::new(&[
        "law, traffic, canary",
        "false: plain form",
        "false: change-point",
        "r = 5: plain form",
        "r = 5: change-point",
    ]);
    for (seed, cell) in (SEED + 350..).step_by(2).zip(&laws::LATE) {
        let healthy = run(cell, Fault::None, &judges, rates, seed)?;
        let limit =
            if is_harmless(cell) { Limit::Guaranteed(ALPHA) } else { Limit::Calibrated(ALPHA) };
        let of = format!("replay, change-point form, {}", name(cell));
        let shown = report.alpha(&of, healthy.share(1), limit);
        let faulty = run(cell, Fault::CanaryAfter(ONSET, 5.0), &judges, delays, seed + 1)?;
        let [plain, change] = [0, 1].map(|judge| {
            let median = faulty.delays(judge).after(ONSET).median();
            median.map_or_else(|| "–".into(), |median| format!("{median:.1}"))
        });
        sheet.row(&[name(cell), healthy.share(0).to_string(), shown, plain, change]);
    }
    report.put(&sheet);
    Ok(())
}

fn median(outcome: &Outcome, judge: usize) -> String {
    let median = outcome.delays(judge).median();
    median.map_or_else(|| format!("> {PLANNED}"), |median| format!("{median:.1}"))
}

/// Chapter on `randomised`: no history, exact by the random choice of the canary; and both modes
/// together.
pub(crate) fn randomised(report: &mut Report) -> Result<(), StatError> {
    let judges = [Judge::Plain, Judge::RandomisedByLook];
    report.chapter("Randomised");
    let many = effort(report, WITHOUT_HISTORY);
    report.section("False rollbacks, randomised");
    report.say(&format!(
        "The canary's instances are drawn at random; 2,000 subsets; no history. The chance is at \
         most 20 of 2,000 by construction, and strong noise reaches that, so the figure must not \
         be above it by more than two standard errors. This holds for any noise that the instances \
         of a subset do not share as a zone; the last row is that exception. The test is fed only \
         at its comparisons, with the counts since the last one; it stays exact. {} runs per row, \
         seeds {} on.",
        many.histories,
        SEED + 400
    ));
    let mut sheet = Sheet::new(&["law, traffic, canary", "plain", "randomised"]);
    let cells = laws::RANDOMISED.iter().map(|cell| (cell, true));
    let cells = cells.chain(std::iter::once((&laws::ONE_ZONE, false)));
    for (seed, (cell, promised)) in (SEED + 400..).zip(cells) {
        let outcome = run(cell, Fault::None, &judges, many, seed)?;
        let share = outcome.share(1);
        let shown = if promised {
            report.alpha(&name(cell), share, Limit::Reached(ALPHA))
        } else {
            share.to_string()
        };
        sheet.row(&[name(cell), outcome.share(0).to_string(), shown]);
    }
    report.put(&sheet);

    report.section("Randomised and replay together");
    let (rates, some) = (effort(report, RATES), effort(report, SUBSETS));
    report.say(&format!(
        "Rolled back only when both decide, so a false rollback needs both modes' assumptions to \
         fail. r = 1: false rollbacks in {} histories with {} streams each, `randomised` fed only \
         at its comparisons. r = 5: median ticks of {} runs, fed each tick. Seeds {} on.",
        rates.histories,
        rates.streams,
        some.histories,
        2 * (SEED + 420)
    ));
    let mut sheet =
        Sheet::new(&["law, traffic, canary", "r", "replay", "randomised", "both", "both found"]);
    for (seed, cell) in (SEED + 420..).zip(&laws::RANDOMISED[..5]) {
        let judges = [Judge::Replay, Judge::RandomisedByLook, Judge::BothByLook];
        let outcome = run(cell, Fault::None, &judges, rates, 2 * seed)?;
        let of = format!("both, {}", name(cell));
        let both = report.alpha(&of, outcome.share(2), Limit::Calibrated(ALPHA));
        let [replay, randomised] = [0, 1].map(|judge| outcome.share(judge).to_string());
        sheet.row(&[name(cell), "1".into(), replay, randomised, both, String::new()]);
        let judges = [Judge::Replay, Judge::Randomised, Judge::Both];
        let outcome = run(cell, Fault::Canary(5.0), &judges, some, 2 * seed + 1)?;
        let [replay, randomised, both] = [0, 1, 2].map(|judge| median(&outcome, judge));
        let found = format!("{:.3}", outcome.share(2));
        sheet.row(&[name(cell), "5".into(), replay, randomised, both, found]);
    }
    report.put(&sheet);
    Ok(())
}

/// Chapter on one bad instance, promotion and the interval under noise.
pub(crate) fn instances(report: &mut Report) -> Result<(), StatError> {
    report.chapter("Instances and promotion under noise");
    one_bad(report)?;
    promoted(report)?;
    interval(report)
}

fn one_bad(report: &mut Report) -> Result<(), StatError> {
    report.section("One bad canary instance");
    let many = effort(report, WITHOUT_HISTORY);
    let few = effort(report, Effort { histories: 1_000, ..WITHOUT_HISTORY });
    report.say(&format!(
        "5 canary instances of 50. 'Wrongly': any instance is named in {} runs where all are \
         healthy; guaranteed at most 0.01 for independent errors, only shown under bursts. \
         'Found': one canary instance has ten times the errors, {} runs. 'All bad': every canary \
         instance is five times as bad; the figure is how often one is named before the plain test \
         of the whole canary decides. Seeds {} on.",
        many.histories,
        few.histories,
        SEED + 500
    ));
    let judges = [Judge::BadInstance, Judge::Plain];
    let mut sheet = Sheet::new(&[
        "law, traffic, canary",
        "wrongly",
        "found",
        "median tick",
        "whole canary, median tick",
        "all bad: named first",
    ]);
    for (seed, cell) in (SEED + 500..).step_by(3).zip(&laws::INSTANCES) {
        let wrongly = run(cell, Fault::None, &judges[..1], many, seed)?.share(0);
        let shown = if is_harmless(cell) {
            report.alpha(
                &format!("named wrongly, {}", name(cell)),
                wrongly,
                Limit::Guaranteed(ALPHA),
            )
        } else {
            wrongly.to_string()
        };
        let one = run(cell, Fault::FirstInstance(10.0), &judges, few, seed + 1)?;
        let all = run(cell, Fault::Canary(5.0), &judges, few, seed + 2)?;
        let first = all.delays(0).before(all.delays(1));
        sheet.row(&[
            name(cell),
            shown,
            format!("{:.3}", one.share(0)),
            median(&one, 0),
            median(&one, 1),
            format!("{first:.3}"),
        ]);
    }
    report.put(&sheet);
    Ok(())
}

fn promoted(report: &mut Report) -> Result<(), StatError> {
    report.section("Promotion under noise");
    let some = effort(report, Effort { histories: 500, streams: 8 });
    report.say(&format!(
        "The canary is twice as bad and the margin is 2. The figures are the share called 'not \
         worse' within 50 minutes. 'Tempered' divides by the calibrated threshold over ln(1/α); it \
         is calibrated only, and the design figure is at most 0.063. {} histories with {} streams \
         each, seeds {} on. In the last columns the canary is truly equal.",
        some.histories,
        some.streams,
        SEED + 600
    ));
    let judges = [Judge::NotWorse, Judge::NotWorseTempered];
    let mut sheet = Sheet::new(&[
        "law, traffic, canary",
        "plain",
        "tempered",
        "equal: plain",
        "equal: tempered",
    ]);
    for (seed, cell) in (SEED + 600..).step_by(2).zip(&laws::PROMOTED) {
        let worse = run(cell, Fault::Canary(2.0), &judges, some, seed)?;
        let equal = run(cell, Fault::None, &judges, some, seed + 1)?;
        let plain = if is_harmless(cell) {
            report.alpha(
                &format!("promoted twice as bad, plain, {}", name(cell)),
                worse.share(0),
                Limit::Guaranteed(ALPHA_PROMOTION),
            )
        } else {
            worse.share(0).to_string()
        };
        let of = format!("promoted twice as bad, tempered, {}", name(cell));
        let tempered = report.claim(&of, worse.share(1), Limit::Calibrated(0.063), 4);
        sheet.row(&[
            name(cell),
            plain,
            tempered,
            format!("{:.3}", equal.share(0)),
            format!("{:.3}", equal.share(1)),
        ]);
    }
    report.put(&sheet);
    Ok(())
}

fn interval(report: &mut Report) -> Result<(), StatError> {
    report.section("The interval under noise");
    let many = effort(report, WITHOUT_HISTORY);
    report.say(&format!(
        "How often the 99% interval for the ratio, checked every two minutes, ever misses a true \
         ratio of 1 under noise. Its guarantee is for independent errors, so do not rely on it \
         under noise. {} runs per row, seeds {} on.",
        many.histories,
        SEED + 700
    ));
    let mut sheet = Sheet::new(&["law, traffic, canary", "ever missed"]);
    for (seed, cell) in (SEED + 700..).zip(&laws::LATE) {
        let missed = run(cell, Fault::None, &[Judge::Interval], many, seed)?.share(0);
        let shown = if is_harmless(cell) {
            report.alpha(&format!("interval, {}", name(cell)), missed, Limit::Reached(ALPHA))
        } else {
            missed.to_string()
        };
        sheet.row(&[name(cell), shown]);
    }
    report.put(&sheet);
    Ok(())
}
