//! Chapters on planning and on the exact test at a phase's end.

use hotfix_core::stats::StatError;
use hotfix_core::stats::fixed::{Alternative, fisher_exact};
use hotfix_core::stats::planning::Comparison;
use hotfix_core::stats::rate_ratio::{RateRatio, RateRatioDesign, RateRatioSettings};

use crate::methods::{ALPHA, EVEN_GRID, Method, race};
use crate::random::Random;
use crate::report::{Limit, Report, Sheet};
use crate::runner;
use crate::scenarios::{
    PHASE_ENDS, PLANNED_CHANCES, RATIOS, RUNS_OF_DELAYS, RUNS_OF_RATES, SEED_OF_PHASE_ENDS,
    SEED_OF_PLANNING, SPLITS,
};
use crate::tally::{Delays, Estimate};
use crate::traffic::{Arms, PLANNED, TICKS_A_MINUTE, Tick, Traffic};

/// Tolerances of the formulas: of a delay as a share of it, of a chance as a difference.
const DELAY_TOLERANCE: f64 = 0.1;
const CHANCE_TOLERANCE: f64 = 0.03;

/// Chapter on planning: the planning formulas against simulation.
pub(crate) fn planning(report: &mut Report) -> Result<(), StatError> {
    /// Longer than any run takes.
    const FOREVER: u32 = 100_000;
    report.chapter("Planning");
    let runs = report.runs(RUNS_OF_DELAYS);
    report.section("Expected delay");
    report.say(&format!(
        "`time_to_detect` against the mean delay of runs until decided; 1,000 requests a minute, \
         base 0.3%. Wanted: within a tenth, plus one tick, because evaluations are at the end of \
         ticks. {runs} runs per row, seeds {SEED_OF_PLANNING} on."
    ));
    let mut sheet = Sheet::new(&["", "bound, ticks", "expected, ticks", "measured mean"]);
    let mut seed = SEED_OF_PLANNING;
    for share in SPLITS {
        for ratio in RATIOS {
            let arms = Arms::new(&Traffic::usual(share).ratio(ratio));
            let results = race(&arms, &[Method::Counts], seed, runs, FOREVER)?;
            seed += 1;
            let time = Comparison::new(1_000.0, share, 0.003).time_to_detect(ratio)?;
            let never = Estimate { value: f64::INFINITY, error: 0.0 };
            let mean = results.first().and_then(Delays::mean).unwrap_or(never);
            let of = format!("w {share}, r = {ratio}");
            let limit =
                Limit::Near(time.expected_ticks, 1.0 + DELAY_TOLERANCE * time.expected_ticks);
            let shown = report.claim(&format!("{of}, mean ticks"), mean, limit, 1);
            sheet.row(&[
                of,
                format!("{:.1}", time.bound_ticks),
                format!("{:.1}", time.expected_ticks),
                shown,
            ]);
        }
    }
    report.put(&sheet);

    report.section("Chance to decide in 50 minutes");
    report.say(&format!(
        "`chance_to_decide` against the share found. Wanted: within {CHANCE_TOLERANCE}. {runs} \
         runs per row, seeds {seed} on."
    ));
    let mut sheet = Sheet::new(&["", "planned", "measured"]);
    for (share, base, ratio) in PLANNED_CHANCES {
        let arms = Arms::new(&Traffic::usual(share).base(base).ratio(ratio));
        let results = race(&arms, &[Method::Counts], seed, runs, PLANNED)?;
        seed += 1;
        let minutes = f64::from(PLANNED) / TICKS_A_MINUTE;
        let planned = Comparison::new(1_000.0, share, base).chance_to_decide(ratio, minutes)?;
        let of = format!("w {share}, base {}%, r = {ratio}", 100.0 * base);
        let limit = Limit::Near(planned.chance, CHANCE_TOLERANCE);
        let Some(found) = results.first().map(Delays::found) else { continue };
        let shown = report.claim(&format!("{of}, found"), found, limit, 3);
        sheet.row(&[of, format!("{:.3}", planned.chance), shown]);
    }
    report.put(&sheet);

    report.section("Smallest ratio that is found");
    report.say(&format!(
        "`detectable_ratio` at power 0.8: by the planning formula, which is approximate, the share \
         found at the returned ratio is 0.8. Wanted: within 0.05. {runs} runs per row, seeds \
         {seed} on."
    ));
    let mut sheet = Sheet::new(&["", "ratio", "found at it"]);
    for share in SPLITS {
        for minutes in [10.0, 50.0] {
            let comparison = Comparison::new(1_000.0, share, 0.003);
            let Some(ratio) = comparison.detectable_ratio(minutes, 0.8)? else { continue };
            let arms = Arms::new(&Traffic::usual(share).ratio(ratio));
            let ticks = if minutes < 50.0 { PLANNED / 5 } else { PLANNED };
            let results = race(&arms, &[Method::Counts], seed, runs, ticks)?;
            seed += 1;
            let of = format!("w {share}, {minutes} minutes");
            let Some(found) = results.first().map(Delays::found) else { continue };
            let limit = Limit::Near(0.8, 0.05);
            let shown = report.claim(&format!("{of}, found at the ratio"), found, limit, 3);
            sheet.row(&[of, format!("{ratio:.2}"), shown]);
        }
    }
    report.put(&sheet);
    Ok(())
}

/// Whether the test with all of α rolls back, and the one with half of it and the exact test at the
/// end.
fn phase_end(designs: [&RateRatioDesign; 2], arms: &Arms, random: &mut Random) -> [bool; 2] {
    let mut tests = designs.map(RateRatio::new);
    let mut sums = Tick::default();
    for at in 1..=PLANNED {
        let tick = arms.tick(at, random);
        for (sum, counts) in [(&mut sums.canary, tick.canary), (&mut sums.baseline, tick.baseline)]
        {
            sum.events += counts.events;
            sum.trials += counts.trials;
        }
        for (test, design) in tests.iter_mut().zip(designs) {
            test.update(design, tick.canary, tick.baseline).expect("drawn counts are valid");
        }
    }
    let exact = fisher_exact(sums.canary, sums.baseline, Alternative::Greater)
        .is_ok_and(|test| test.p_value <= ALPHA / 2.0);
    [tests[0].decided(), tests[1].decided() || exact]
}

/// Chapter on the exact test at a phase's end: half of α for every tick, half for that test.
pub(crate) fn phase_ends(report: &mut Report) -> Result<(), StatError> {
    report.chapter("An exact test at the phase's end");
    report.say(&format!(
        "The e-process at α/2 on every tick, and Fisher's exact test at α/2 once, after 50 \
         minutes, against the e-process with all of α. Small ratios are found more often; the sum \
         stays below α. {} runs where nothing is wrong, {} otherwise, seeds {SEED_OF_PHASE_ENDS} \
         on. In brackets the figures of the tests' design, for the even grid of eight.",
        report.runs(RUNS_OF_RATES),
        report.runs(RUNS_OF_DELAYS)
    ));
    let mut sheet = Sheet::new(&[
        "",
        "all of α each tick",
        "with the exact test",
        "even grid: all of α",
        "even grid: with the exact test",
    ]);
    let settings = |alpha, grid| RateRatioSettings { alpha, grid, ..RateRatioSettings::default() };
    let even = || Some(EVEN_GRID.to_vec());
    let designs = [(ALPHA, None), (ALPHA / 2.0, None), (ALPHA, even()), (ALPHA / 2.0, even())];
    let designs: Vec<RateRatioDesign> = designs
        .into_iter()
        .map(|(alpha, grid)| RateRatioDesign::try_new(&settings(alpha, grid)))
        .collect::<Result<_, _>>()?;
    for (seed, (row, stated)) in (SEED_OF_PHASE_ENDS..).zip(&PHASE_ENDS) {
        let arms = Arms::new(&row.traffic);
        let healthy = row.traffic.effect_at(1) <= 1.0;
        let runs = report.runs(if healthy { RUNS_OF_RATES } else { RUNS_OF_DELAYS });
        let mut shares = Vec::new();
        for pair in designs.chunks(2) {
            let [whole, half] = pair else { continue };
            let results = runner::all(runs, |run| {
                phase_end([whole, half], &arms, &mut Random::new(seed, run))
            });
            for which in 0..2 {
                let hits = results.iter().filter(|run| run[which]).count();
                shares.push(Estimate::share(hits, results.len()));
            }
        }
        let stated = stated.map_or_else(Default::default, |of| of.map(|of| format!(" ({of})")));
        let mut cells = vec![row.name.to_owned()];
        for (at, share) in shares.iter().enumerate() {
            let shown = if healthy {
                let of = format!("{}, form {}", row.name, at + 1);
                report.alpha(&of, *share, Limit::Guaranteed(ALPHA))
            } else {
                format!("{share:.3}")
            };
            let stated: &str = if at < 2 { "" } else { &stated[at - 2] };
            cells.push(format!("{shown}{stated}"));
        }
        sheet.row(&cells);
    }
    report.put(&sheet);
    Ok(())
}
