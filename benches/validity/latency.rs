//! Chapter on latency: requests slower than each of six boundaries.
//!
//! The tests' design does not name its law of request times. With that of `request_times.rs` its
//! rows for scale changes are reproduced, so the rows for delays of a few requests are the check.

use hotfix_benches::request_times::{BOUNDARIES, boundaries, slower};
use hotfix_core::stats::StatError;
use hotfix_core::stats::latency::{
    DEFAULT_GRID, Latency, LatencyDesign, LatencySettings, SlowCounts,
};
use hotfix_core::stats::numeric::exp;

use crate::methods::ALPHA;
use crate::random::{Random, Table};
use crate::report::{Limit, Report, Sheet};
use crate::runner;
use crate::scenarios::{
    LATENCY_FAULTS, LATENCY_HEALTHY, RUNS_OF_DELAYS, RUNS_OF_RATES, SEED_OF_LATENCY,
};
use crate::tally::Delays;
use crate::traffic::{PLANNED, TICKS_A_MINUTE};

const REQUESTS: f64 = 1_000.0 / TICKS_A_MINUTE;

/// Change of the request times.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Slowdown {
    /// All requests take so many times as long.
    Scale(f64),
    /// This share of the requests takes so many seconds more.
    Delay { share: f64, seconds: f64 },
}

/// Conditions that both arms share.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Day {
    Steady,
    /// All requests of both arms take three times as long for three minutes.
    Shock,
    /// Times of both arms swing by half over the plan.
    Drift,
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SlowRow {
    pub(crate) name: &'static str,
    pub(crate) share: f64,
    pub(crate) slowdown: Slowdown,
    pub(crate) day: Day,
    /// Figure of the tests' design: median ticks, or the share of false rollbacks.
    pub(crate) stated: Option<f64>,
}

impl Day {
    fn factor(self, at: u32) -> f64 {
        match self {
            Self::Shock if (100..118).contains(&at) => 3.0,
            Self::Drift => {
                let turn = f64::from(at) / f64::from(PLANNED) * std::f64::consts::TAU;
                exp(0.5 * turn.sin())
            }
            Self::Steady | Self::Shock => 1.0,
        }
    }

    /// Number of ticks after which the last one repeats.
    fn ticks(self) -> u32 {
        match self {
            Self::Steady => 1,
            Self::Shock | Self::Drift => PLANNED,
        }
    }
}

/// Chances of a request's bucket, faster ones first, in an arm where all takes `factor` times as
/// long.
pub(crate) fn in_buckets(slowdown: Slowdown, factor: f64) -> [f64; BOUNDARIES + 1] {
    let beyond = boundaries().map(|boundary| {
        let boundary = boundary / factor;
        match slowdown {
            Slowdown::Scale(scale) => slower(boundary / scale),
            Slowdown::Delay { share, seconds } => {
                (1.0 - share) * slower(boundary) + share * slower(boundary - seconds)
            }
        }
    });
    std::array::from_fn(|bucket| {
        let above = if bucket == 0 { 1.0 } else { beyond[bucket - 1] };
        above - beyond.get(bucket).copied().unwrap_or(0.0)
    })
}

/// A Poisson number of requests in each bucket of an arm: independent of each other.
struct Buckets([Table; BOUNDARIES + 1]);

impl Buckets {
    fn new(requests: f64, slowdown: Slowdown, factor: f64) -> Self {
        Self(in_buckets(slowdown, factor).map(|chance| Table::poisson(requests * chance)))
    }

    /// Requests slower than each boundary, and all.
    fn draw(&self, random: &mut Random) -> ([f64; BOUNDARIES], f64) {
        let mut slow = [0.0; BOUNDARIES];
        let mut sum = 0.0;
        for (bucket, table) in self.0.iter().enumerate().rev() {
            sum += table.sample(random);
            if bucket > 0 {
                slow[bucket - 1] = sum;
            }
        }
        (slow, sum)
    }
}

/// A form of the test, with its boundaries.
struct Form {
    name: &'static str,
    design: LatencyDesign,
    from: usize,
}

impl Form {
    fn all() -> Result<[Self; 3], StatError> {
        let usual = LatencySettings::default();
        let grid = Some(DEFAULT_GRID.to_vec());
        let each = LatencySettings { grid: grid.clone(), ..usual.clone() };
        let single = LatencySettings { boundaries: 1, grid, ..usual.clone() };
        Ok([
            Self { name: "shipped", design: LatencyDesign::try_new(&usual)?, from: 0 },
            Self {
                name: "a test at each boundary, averaged",
                design: LatencyDesign::try_new(&each)?,
                from: 0,
            },
            Self { name: "250 ms alone", design: LatencyDesign::try_new(&single)?, from: 3 },
        ])
    }
}

/// When each form decides, on the same streams.
fn race(row: &SlowRow, forms: &[Form], seed: u64, runs: u32) -> Result<Vec<Delays>, StatError> {
    let arms: Vec<[Buckets; 2]> = (1..=row.day.ticks())
        .map(|at| {
            let factor = row.day.factor(at);
            [
                Buckets::new(REQUESTS * row.share, row.slowdown, factor),
                Buckets::new(REQUESTS * (1.0 - row.share), Slowdown::Scale(1.0), factor),
            ]
        })
        .collect();
    let one = |run| -> Result<Vec<Option<u32>>, StatError> {
        let mut random = Random::new(seed, run);
        let mut tests: Vec<Latency> = forms.iter().map(|form| Latency::new(&form.design)).collect();
        let mut decided = vec![None; forms.len()];
        for at in 1..=PLANNED {
            let [canary, baseline] = &arms[(at as usize - 1).min(arms.len() - 1)];
            let (slow_c, n_c) = canary.draw(&mut random);
            let (slow_b, n_b) = baseline.draw(&mut random);
            for ((form, test), decided) in forms.iter().zip(&mut tests).zip(&mut decided) {
                let of = form.from..form.from + form.design.boundaries();
                if decided.is_none()
                    && test.update(
                        &form.design,
                        SlowCounts::new(&slow_c[of.clone()], n_c),
                        SlowCounts::new(&slow_b[of], n_b),
                    )?
                {
                    *decided = Some(at);
                }
            }
            if decided.iter().all(Option::is_some) {
                break;
            }
        }
        Ok(decided)
    };
    let results: Vec<Vec<Option<u32>>> =
        runner::all(runs, one).into_iter().collect::<Result<_, _>>()?;
    let of = |form| Delays::new(results.iter().map(|run| run[form]).collect());
    Ok((0..forms.len()).map(of).collect())
}

/// Chapter on latency.
pub(crate) fn latency(report: &mut Report) -> Result<(), StatError> {
    report.chapter("Latency");
    let forms = Form::all()?;
    let names = forms.iter().map(|form| form.name);
    report.say(
        "Request times are log-normal with a p95 of 250 ms and a standard deviation of the \
         logarithm of 0.8; 1,000 requests a minute; boundaries at the baseline's p50, p75, p90, \
         p95 and p99 and at twice its p99. 'Shipped' is the test with its default settings. The \
         other columns are a test at each boundary, as first designed, and a test at a single \
         boundary.",
    );
    report.section("False rollbacks, latency");
    let runs = report.runs(RUNS_OF_RATES);
    report.say(&format!(
        "At most 0.01 is guaranteed. {runs} runs per row, seeds {SEED_OF_LATENCY} on."
    ));
    let heads: Vec<&str> = std::iter::once("").chain(names.clone()).collect();
    let mut sheet = Sheet::new(&heads);
    for (seed, row) in (SEED_OF_LATENCY..).zip(&LATENCY_HEALTHY) {
        let results = race(row, &forms, seed, runs)?;
        let mut cells = vec![row.name.to_owned()];
        for (form, delays) in forms.iter().zip(&results) {
            let of = format!("{}, {}", row.name, form.name);
            cells.push(report.alpha(&of, delays.found(), Limit::Guaranteed(ALPHA)));
        }
        if let (Some(stated), Some(shipped)) = (row.stated, results.first()) {
            let of = format!("{}, at most the design figure", row.name);
            report.claim(&of, shipped.found(), Limit::Calibrated(stated), 4);
        }
        sheet.row(&cells);
    }
    report.put(&sheet);

    report.section("Slow canaries");
    let runs = report.runs(RUNS_OF_DELAYS);
    report.say(&format!(
        "Median ticks to find it, with the share found within 50 minutes in brackets. Wanted of \
         the shipped form: at least as soon as in the design ('stated') in every row of w 0.1. \
         {runs} runs per row, seeds {} on.",
        SEED_OF_LATENCY + 50
    ));
    let heads: Vec<&str> = ["", "stated"].into_iter().chain(names).collect();
    let mut sheet = Sheet::new(&heads);
    let mut sooner = 0;
    for (seed, row) in (SEED_OF_LATENCY + 50..).zip(&LATENCY_FAULTS) {
        let results = race(row, &forms, seed, runs)?;
        let mut cells = vec![
            row.name.to_owned(),
            row.stated.map_or_else(|| "–".into(), |stated| stated.to_string()),
        ];
        for (at, delays) in results.iter().enumerate() {
            let found = delays.found().value;
            let shown = match (delays.median(), row.stated) {
                (Some(median), Some(stated)) if at == 0 => {
                    sooner += usize::from(median.value < stated);
                    report.claim(
                        &format!("{}, median ticks", row.name),
                        median,
                        Limit::AtMost(stated),
                        1,
                    )
                }
                (Some(median), _) => format!("{median:.1}"),
                (None, _) => "–".into(),
            };
            cells.push(format!("{shown} ({found:.2})"));
        }
        sheet.row(&cells);
    }
    report.put(&sheet);
    let stated = LATENCY_FAULTS.iter().filter(|row| row.stated.is_some()).count();
    report.say(&format!("Sooner than stated in {sooner} of {stated} rows."));
    Ok(())
}
