//! Chapter on several metrics of the same requests, which depend on each other.
//!
//! A failed request is slow (nine times out of ten it runs into a time-out), and a payment in it
//! fails; other payments fail independently. So errors, latency and payments move together within
//! an arm.

use hotfix_benches::request_times::BOUNDARIES;
use hotfix_core::stats::combine::Combination;
use hotfix_core::stats::latency::{Latency, LatencyDesign, LatencySettings, SlowCounts};
use hotfix_core::stats::rate_ratio::{RateRatio, RateRatioDesign, RateRatioSettings};
use hotfix_core::stats::{Counts, StatError};

use crate::latency::{Slowdown, in_buckets};
use crate::methods::ALPHA;
use crate::random::{Random, Table};
use crate::report::{Limit, Report, Sheet};
use crate::runner;
use crate::scenarios::{METRICS, MetricsRow, RUNS_OF_DELAYS, RUNS_OF_RATES, SEED_OF_METRICS};
use crate::tally::{Delays, Estimate};
use crate::traffic::{PLANNED, TICKS_A_MINUTE};

/// Errors, latency, payments.
const WEIGHTS: [f64; 3] = [0.5, 0.3, 0.2];
const NAMES: [&str; 3] = ["errors", "latency", "payments"];
const REQUESTS: f64 = 1_000.0 / TICKS_A_MINUTE;
const ERRORS: f64 = 0.003;
/// Share of requests that are payments.
const PAYMENTS: f64 = 0.3;
/// Share of payments that fail although the request succeeds.
const UNPAID: f64 = 0.005;
/// Share of failed requests that run into a time-out.
const TIMED_OUT: f64 = 0.9;

/// What one kind of request adds to each metric.
struct Kind {
    failed: bool,
    payment: bool,
    unpaid: bool,
    /// The number of such requests in each bucket of latency.
    tables: Vec<Table>,
}

/// One arm's requests.
struct Arm(Vec<Kind>);

/// Counts of an arm in a tick.
#[derive(Default)]
struct Seen {
    errors: Counts,
    payments: Counts,
    slow: [f64; BOUNDARIES],
}

impl Arm {
    /// An arm whose errors, times and failed payments are multiplied by these factors.
    fn new(requests: f64, errors: f64, scale: f64, unpaid: f64) -> Self {
        let usual = in_buckets(Slowdown::Scale(scale), 1.0);
        let mut timed_out = usual.map(|chance| chance * (1.0 - TIMED_OUT));
        timed_out[BOUNDARIES] += TIMED_OUT;
        let (failed, unpaid) = (ERRORS * errors, UNPAID * unpaid);
        let well = 1.0 - failed;
        let kinds = [
            (failed * PAYMENTS, true, true, true),
            (failed * (1.0 - PAYMENTS), true, false, false),
            (well * PAYMENTS * unpaid, false, true, true),
            (well * PAYMENTS * (1.0 - unpaid), false, true, false),
            (well * (1.0 - PAYMENTS), false, false, false),
        ];
        let kinds = kinds.map(|(chance, failed, payment, unpaid)| {
            let buckets = if failed { timed_out } else { usual };
            let tables = buckets.map(|bucket| Table::poisson(requests * chance * bucket)).to_vec();
            Kind { failed, payment, unpaid, tables }
        });
        Self(kinds.into())
    }

    fn draw(&self, random: &mut Random) -> Seen {
        let mut seen = Seen::default();
        let mut buckets = [0.0; BOUNDARIES + 1];
        for kind in &self.0 {
            let mut all = 0.0;
            for (sum, table) in buckets.iter_mut().zip(&kind.tables) {
                let drawn = table.sample(random);
                *sum += drawn;
                all += drawn;
            }
            seen.errors.trials += all;
            if kind.failed {
                seen.errors.events += all;
            }
            if kind.payment {
                seen.payments.trials += all;
            }
            if kind.unpaid {
                seen.payments.events += all;
            }
        }
        let mut sum = 0.0;
        for (slow, bucket) in seen.slow.iter_mut().zip(&buckets[1..]).rev() {
            sum += bucket;
            *slow = sum;
        }
        seen
    }
}

/// The number of rules that may decide a rollout, and their names.
const WAYS: usize = 6;
const WAY_NAMES: [&str; WAYS] =
    ["combined", "errors alone", "latency alone", "payments alone", "any of the three", "product"];

struct Outcome {
    /// The tick at which each rule of [`WAY_NAMES`] decided.
    decided: [Option<u32>; WAYS],
    /// Which metrics were causes when the combination decided.
    causes: [bool; 3],
}

struct Designs {
    counts: RateRatioDesign,
    latency: LatencyDesign,
    combination: Combination,
}

impl Designs {
    fn run(&self, arms: &[Arm; 2], random: &mut Random) -> Result<Outcome, StatError> {
        let mut errors = RateRatio::new(&self.counts);
        let mut latency = Latency::new(&self.latency);
        let mut payments = RateRatio::new(&self.counts);
        let mut outcome = Outcome { decided: [None; WAYS], causes: [false; 3] };
        for at in 1..=PLANNED {
            let (canary, baseline) = (arms[0].draw(random), arms[1].draw(random));
            errors.update(&self.counts, canary.errors, baseline.errors)?;
            payments.update(&self.counts, canary.payments, baseline.payments)?;
            latency.update(
                &self.latency,
                SlowCounts::new(&canary.slow, canary.errors.trials),
                SlowCounts::new(&baseline.slow, baseline.errors.trials),
            )?;
            let log_e = [
                errors.log_e(&self.counts),
                latency.log_e(&self.latency),
                payments.log_e(&self.counts),
            ];
            let threshold = self.counts.threshold();
            let together = self.combination.log_e(&log_e)? >= threshold;
            let alone = [errors.decided(), latency.decided(), payments.decided()];
            let product = log_e.iter().sum::<f64>() >= threshold;
            let any = alone.contains(&true);
            let now = [together, alone[0], alone[1], alone[2], any, product];
            if together && outcome.decided[0].is_none() {
                for metric in self.combination.causes(&log_e) {
                    outcome.causes[metric] = true;
                }
            }
            for (decided, now) in outcome.decided.iter_mut().zip(now) {
                if now && decided.is_none() {
                    *decided = Some(at);
                }
            }
            if outcome.decided.iter().all(Option::is_some) {
                break;
            }
        }
        Ok(outcome)
    }
}

fn run(
    row: &MetricsRow,
    designs: &Designs,
    seed: u64,
    runs: u32,
) -> Result<Vec<Outcome>, StatError> {
    let arms = [
        Arm::new(REQUESTS * row.share, row.errors, row.scale, row.unpaid),
        Arm::new(REQUESTS * (1.0 - row.share), 1.0, 1.0, 1.0),
    ];
    runner::all(runs, |run| designs.run(&arms, &mut Random::new(seed, run))).into_iter().collect()
}

/// Chapter on several metrics.
pub(crate) fn metrics(report: &mut Report) -> Result<(), StatError> {
    report.chapter("Several metrics");
    let designs = Designs {
        counts: RateRatioDesign::try_new(&RateRatioSettings::default())?,
        latency: LatencyDesign::try_new(&LatencySettings::default())?,
        combination: Combination::try_new(ALPHA, &WEIGHTS)?,
    };
    report.say(&format!(
        "Errors (weight 0.5), latency (0.3) and payments (0.2) of the same requests: a failed \
         request runs into a time-out nine times out of ten, and a failed payment request is a \
         failed payment. The combination is guaranteed under any dependence. 'Any of the three' is \
         three tests at α each. The product of the e-values is valid for independent metrics only. \
         {} runs where nothing is wrong, {} otherwise, seeds {SEED_OF_METRICS} on. The figures are \
         false rollbacks where nothing is wrong, otherwise median ticks, with the share found in \
         brackets.",
        report.runs(RUNS_OF_RATES),
        report.runs(RUNS_OF_DELAYS)
    ));
    let heads: Vec<&str> = std::iter::once("").chain(WAY_NAMES).chain(["causes named"]).collect();
    let mut sheet = Sheet::new(&heads);
    for (seed, row) in (SEED_OF_METRICS..).zip(&METRICS) {
        let runs = report.runs(if row.is_healthy() { RUNS_OF_RATES } else { RUNS_OF_DELAYS });
        let outcomes = run(row, &designs, seed, runs)?;
        let mut cells = vec![row.name.to_owned()];
        for (way, of_way) in WAY_NAMES.iter().enumerate() {
            let delays = Delays::new(outcomes.iter().map(|of| of.decided[way]).collect());
            cells.push(if !row.is_healthy() {
                let median = delays.median().map_or_else(|| "–".into(), |m| format!("{m:.1}"));
                format!("{median} ({:.2})", delays.found().value)
            } else if way < 4 {
                let of = format!("{}, {of_way}", row.name);
                report.alpha(&of, delays.found(), Limit::Guaranteed(ALPHA))
            } else {
                delays.found().to_string()
            });
        }
        let decided: Vec<&Outcome> = outcomes.iter().filter(|of| of.decided[0].is_some()).collect();
        let causes = NAMES.iter().enumerate().map(|(metric, name)| {
            let named = decided.iter().filter(|of| of.causes[metric]).count();
            format!("{name} {:.2}", Estimate::share(named, decided.len().max(1)).value)
        });
        let causes = causes.collect::<Vec<_>>().join(", ");
        cells.push(if row.is_healthy() { String::new() } else { causes });
        sheet.row(&cells);
    }
    report.put(&sheet);
    Ok(())
}
