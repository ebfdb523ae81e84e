//! False-rollback rates and detection times of judges: the table in the README.
//!
//! Simulates rollouts through `Rollout::handle`: 1,000 requests a minute, 10% canary, an
//! observation every 10 s for 50 minutes, 0.3% errors in the baseline. `error_rates` prints the
//! table; `error_rates --check FILE` also fails unless FILE contains it and the figures are within
//! their limits.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use hotfix_benches::story::make_ready;
use hotfix_core::judge::Reason;
use hotfix_core::metric::{Arms, Histogram, Observation, Sample};
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Command, Input, Recording, Rollout, State};
use hotfix_core::stats::{Counts, fixed::clopper_pearson};
use hotfix_core::unit::{MetricName, Span, Timestamp};
use rand_distr::{Binomial, Distribution, Poisson};
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::SeedableRng;

type Failure = Box<dyn std::error::Error>;

const RUNS: u32 = 2_000;
const TICKS: u32 = 300;
const TICK_SECONDS: f64 = 10.0;
const REQUESTS_PER_TICK: f64 = 1_000.0 / 60.0 * TICK_SECONDS;
const SHARE: f64 = 0.1;
const BASE: f64 = 0.003;
const RATIOS: [f64; 4] = [1.0, 5.0, 10.0, 20.0];
/// Expected median ticks of one test alone for ratios of 5, 10 and 20, from the tests' design.
const EXPECTED: [f64; 3] = [30.0, 10.0, 5.0];
const EDGES: [f64; 6] = [0.1, 0.25, 0.3, 0.5, 1.0, 2.5];
/// Share of requests at or below each edge: a p95 of 250 ms.
const AT_OR_BELOW: [f64; 6] = [0.6, 0.95, 0.97, 0.99, 0.998, 1.0];

/// A policy under test.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// One metric, one test, no bounds, nothing allowed to new instances.
    TestAlone,
    /// The five metrics of `phased-canary`: tests and bands.
    WholeJudge,
    /// The five metrics of `phased-canary`: bands only.
    Thresholds,
    /// The preset `standard`: tests, and bands that chance does not reach.
    Standard,
}

impl Kind {
    const ALL: [Self; 4] = [Self::TestAlone, Self::WholeJudge, Self::Thresholds, Self::Standard];

    const fn title(self) -> &'static str {
        match self {
            Self::TestAlone => "one test alone",
            Self::WholeJudge => "whole judge, `phased-canary`",
            Self::Thresholds => "thresholds alone, `phased-canary`",
            Self::Standard => "whole judge, `standard`",
        }
    }

    /// The preset, with a first phase that lasts longer than the simulation.
    fn policy(self) -> Result<Policy, Failure> {
        let preset = if self == Self::Standard { "standard" } else { "phased-canary" };
        let mut policy: toml::Table = Policy::preset(preset)?.to_toml().parse()?;
        let first = policy["phases"].as_array_mut().and_then(|p| p.first_mut());
        if let Some(first) = first.and_then(toml::Value::as_table_mut) {
            first.insert("watch".to_owned(), "3h".into());
            first.remove("watch_most");
        }
        let metrics = policy["metrics"].as_table_mut().ok_or("the preset has metrics")?;
        match self {
            Self::TestAlone => {
                metrics.retain(|id, _| id == "error_rate");
                if let Some(errors) = metrics["error_rate"].as_table_mut() {
                    for bound in ["success", "alert", "rollback"] {
                        errors.remove(bound);
                    }
                    errors.insert("weight".to_owned(), 1.0.into());
                }
                policy.remove("efficacy");
                // These name metrics that were removed.
                policy.remove("success");
                // What the policy allows new instances costs ticks that are not the test's.
                if let Some(watch) = policy["watch"].as_table_mut() {
                    watch.remove("new_instances");
                }
            }
            Self::WholeJudge | Self::Standard => {}
            Self::Thresholds => {
                for (_, metric) in metrics.iter_mut() {
                    if let Some(metric) = metric.as_table_mut() {
                        metric.insert("model".to_owned(), "none".into());
                        metric.insert("weight".to_owned(), 0.0.into());
                        metric.remove("tolerated");
                    }
                }
                policy.remove("efficacy");
            }
        }
        Ok(Policy::from_toml(&toml::to_string(&policy)?)?)
    }
}

/// One service's traffic, both arms.
struct Traffic {
    random: Pcg64Mcg,
    canary_errors: f64,
    whole: bool,
}

impl Traffic {
    fn arm(&mut self, share: f64, errors: f64) -> Result<(f64, f64, f64, Histogram), Failure> {
        let trials: f64 = Poisson::new(REQUESTS_PER_TICK * share)?.sample(&mut self.random);
        let mut among = |p: f64, n: f64| -> Result<f64, Failure> {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
            let n = n as u64;
            Ok(Binomial::new(n, p)?.sample(&mut self.random) as f64)
        };
        let failed = among(errors, trials)?;
        if !self.whole {
            return Ok((trials, failed, 0.0, Histogram::default()));
        }
        let unpaid = among(0.005, trials)?;
        let (mut left, mut mass, mut so_far) = (trials, 1.0, 0.0);
        let mut counts = Vec::with_capacity(EDGES.len());
        for (index, at_or_below) in AT_OR_BELOW.iter().enumerate() {
            let here = at_or_below - if index == 0 { 0.0 } else { AT_OR_BELOW[index - 1] };
            let drawn = among((here / mass).min(1.0), left)?;
            left -= drawn;
            mass -= here;
            so_far += drawn;
            counts.push(so_far);
        }
        Ok((trials, failed, unpaid, Histogram { count: trials, counts, le: EDGES.to_vec() }))
    }

    fn observe(&mut self, names: &Names, seen: &mut Observation) -> Result<(), Failure> {
        let (trials, failed, unpaid, latency) = self.arm(SHARE, self.canary_errors)?;
        let (others, other_failed, other_unpaid, other_latency) = self.arm(1.0 - SHARE, BASE)?;
        let mut set = |name, canary, baseline| {
            seen.set(name, Arms { canary: Some(canary), baseline: Some(baseline), totals: false });
        };
        set(names.errors, Sample::Pair(failed, trials), Sample::Pair(other_failed, others));
        if self.whole {
            set(
                names.payments,
                Sample::Pair(trials - unpaid, trials),
                Sample::Pair(others - other_unpaid, others),
            );
            set(names.latency, Sample::Histogram(latency), Sample::Histogram(other_latency));
            set(names.volume, Sample::Level(trials * 6.0), Sample::Level(others * 6.0));
            set(names.bug, Sample::Pair(0.0, TICK_SECONDS), Sample::Pair(12.0, TICK_SECONDS));
        }
        Ok(())
    }
}

struct Names {
    errors: MetricName,
    payments: MetricName,
    latency: MetricName,
    volume: MetricName,
    bug: MetricName,
}

/// Results of the runs of one policy at one ratio.
#[derive(Default)]
struct Runs {
    found: Vec<u32>,
    by_evidence: u32,
    alerted: u32,
}

impl Runs {
    fn share(&self) -> f64 {
        self.found.len() as f64 / f64::from(RUNS)
    }

    /// The limits of the share at 95%, exact (Clopper and Pearson), in percent.
    fn limits(&self) -> Result<(f64, f64), Failure> {
        let counts = Counts::new(self.found.len() as f64, f64::from(RUNS));
        let interval = clopper_pearson(counts, 0.95)?;
        Ok((100.0 * interval.low, 100.0 * interval.high))
    }

    /// Median tick of the rollback over all runs; `None` where most were never rolled back.
    fn median(&self) -> Option<u32> {
        let mut ticks = self.found.clone();
        ticks.sort_unstable();
        ticks.into_iter().nth(RUNS.div_euclid(2) as usize)
    }
}

/// A rollout whose 10% phase is being watched.
fn watched(policy: &Arc<Policy>, start: Timestamp) -> Result<Rollout, Failure> {
    let plan = Plan::from_json(
        Arc::clone(policy),
        r#"{"id": "INC-2041", "severity": "P1"}"#,
        r#"{"version": "2.3.1", "previous": "2.3.0"}"#,
        "",
    )?;
    let mut rollout = Rollout::try_new(plan, Recording::Off, "")?;
    make_ready(&mut rollout, start)?;
    rollout.handle(start, &Input::new(Command::Start).by("lena"))?;
    while let Some(action) = rollout.pending_actions().first().map(|a| a.id) {
        rollout.handle(start, &Input::new(Command::Confirm { action, why: None }).by("tool"))?;
    }
    Ok(rollout)
}

fn simulate(kind: Kind, ratio: f64) -> Result<Runs, Failure> {
    let names = Names {
        errors: "error_rate".parse()?,
        payments: "payment_success".parse()?,
        latency: "latency_p95".parse()?,
        volume: "request_volume".parse()?,
        bug: "bug".parse()?,
    };
    let policy = Arc::new(kind.policy()?);
    let start: Timestamp = "2026-03-03T14:40:00Z".parse()?;
    let fresh = watched(&policy, start)?;
    let mut result = Runs::default();
    for run in 0..RUNS {
        let mut traffic = Traffic {
            // The same stream for every policy.
            random: Pcg64Mcg::seed_from_u64(ratio.to_bits() ^ u64::from(run)),
            canary_errors: BASE * ratio,
            whole: kind != Kind::TestAlone,
        };
        let mut rollout = fresh.clone();
        let mut input = Input::observe(Observation::new());
        let mut at = start;
        let mut alerted = false;
        for tick in 1..=TICKS {
            at = at + Span::try_from_seconds(TICK_SECONDS)?;
            if let Command::Observe { metrics } = &mut input.command {
                traffic.observe(&names, metrics)?;
            }
            rollout.handle(at, &input)?;
            alerted |= rollout.verdict().has(Reason::AlertBand);
            if rollout.state() == State::RollingBack {
                result.found.push(tick);
                result.by_evidence += u32::from(rollout.verdict().has(Reason::Evidence));
                break;
            }
        }
        result.alerted += u32::from(alerted);
    }
    Ok(result)
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("error_rates: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool, Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (table, faults) = table()?;
    println!("{table}");
    for fault in &faults {
        eprintln!("error_rates: {fault}");
    }
    let current = match arguments.as_slice() {
        [] => true,
        [flag, file] if flag == "--check" => std::fs::read_to_string(file)?.contains(&table),
        _ => return Err("usage: error_rates [--check FILE]".into()),
    };
    if !current {
        eprintln!("error_rates: the table in {} is out of date: put in this one", arguments[1]);
    }
    Ok(current && faults.is_empty())
}

/// The table, and the figures outside their limits.
fn table() -> Result<(String, Vec<String>), Failure> {
    let mut text = String::from(
        "| judged by | rolled back when nothing is wrong (95% limits) | alerted then | 5 × errors: found, median ticks | 10 × | 20 × |\n|---|---|---|---|---|---|\n",
    );
    let mut faults = Vec::new();
    for kind in Kind::ALL {
        let mut row = format!("| {} ", kind.title());
        for (index, ratio) in RATIOS.into_iter().enumerate() {
            let result = simulate(kind, ratio)?;
            let share = 100.0 * result.share();
            if index == 0 {
                let by_evidence = 100.0 * f64::from(result.by_evidence) / f64::from(RUNS);
                let alerted = 100.0 * f64::from(result.alerted) / f64::from(RUNS);
                let of = if kind == Kind::WholeJudge || kind == Kind::Standard {
                    format!("; {by_evidence:.2}% by evidence")
                } else {
                    String::new()
                };
                let (low, high) = result.limits()?;
                write!(row, "| {share:.2}% ({low:.2}–{high:.2}%){of} | {alerted:.1}% ")?;
                if kind != Kind::Thresholds && by_evidence > 1.0 {
                    faults.push(format!("{}: {by_evidence}% false rollbacks", kind.title()));
                }
            } else {
                let median = result.median();
                let shown = median.map_or_else(|| "never".to_owned(), |m| m.to_string());
                write!(row, "| {share:.1}%, {shown} ")?;
                let expected = EXPECTED[index - 1];
                let off = median.map_or(f64::INFINITY, |m| (f64::from(m) - expected).abs());
                if kind == Kind::TestAlone && off > (0.1 * expected).max(1.0) {
                    faults.push(format!(
                        "{} at {ratio}: median {shown}, expected {expected}",
                        kind.title()
                    ));
                }
            }
        }
        writeln!(text, "{row}|")?;
    }
    Ok((text, faults))
}
