//! Both arms of a service as a scraper reads them: running totals, each arm's read at its own
//! seconds. The judge decides on them tick by tick.

use std::sync::Arc;

use hotfix_core::judge::{Decision, Judge, Moment, Reason, Use, Verdict};
use hotfix_core::metric::{Arms, Observation, Sample};
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::unit::{MetricName, Share, Span, Timestamp};
use rand_distr::{Distribution, Poisson, Uniform};
use rand_pcg::Pcg64;
use rand_pcg::rand_core::SeedableRng;

/// Failures of requests without a fault or shock.
const BASE: f64 = 0.003;

/// Seconds of readings before the watch.
const LEAD_IN: u32 = 120;

/// A time in which both arms have this many times the failures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shock {
    pub(crate) from: f64,
    pub(crate) lasts: f64,
    pub(crate) times: f64,
}

/// Readings and traffic of one rollout.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    /// Seconds between two scrapes of an arm, and between two ticks.
    pub(crate) scrape: u32,
    pub(crate) tick: u32,
    /// How many seconds after the baseline the canary is scraped; None: another number in each run,
    /// uniform within the interval.
    pub(crate) offset: Option<f64>,
    /// The part of the scrapes that fail.
    pub(crate) missed: f64,
    /// Requests per minute over both arms, and the canary's share of them.
    pub(crate) requests: f64,
    pub(crate) share: &'static str,
    /// Failures of the canary as a multiple of the baseline's.
    pub(crate) ratio: f64,
    /// The policy's `scrape`.
    pub(crate) named: Option<&'static str>,
    /// A bound on the error rate that applies unless both arms exceed it.
    pub(crate) bound: bool,
}

impl Cell {
    pub(crate) const fn new(scrape: u32, tick: u32, offset: f64) -> Self {
        Self {
            scrape,
            tick,
            offset: Some(offset),
            missed: 0.0,
            requests: 1_000.0,
            share: "10%",
            ratio: 1.0,
            named: None,
            bound: false,
        }
    }

    pub(crate) fn policy(&self) -> Policy {
        let Self { tick, share, .. } = self;
        let named = self.named.map_or_else(String::new, |named| format!("scrape = \"{named}\""));
        let bound =
            if self.bound { "rollback = { value = \"5%\", unless_both_arms = true }" } else { "" };
        let text = format!(
            r#"
format = 1
name = "feeds"
title = "One metric, two arms"
strategy = "canary"

[watch]
cadence = "{tick}s"
window = "5min"
stale = "5min"
no_data = {{ after = "10min", then = "ask" }}
{named}

[[phases]]
name = "canary"
share = "{share}"
deploy = "1min"
watch = "60min"
promotion = "no_evidence_of_harm"
criteria_missed = "hold"
gate = "automatic"

[[phases]]
name = "all"
share = "100%"
deploy = "1min"
watch = "10min"
promotion = "no_evidence_of_harm"
criteria_missed = "hold"
gate = "automatic"

[final_validation]
watch = "3min"
gate = "manual"

[metrics.error_rate]
kind = "proportion"
worse = "higher"
weight = 1
{bound}

[rollback]
methods = [{{ kind = "redeploy", most = "15min" }}]
watch = "2min"
returned_within = "5min"
"#
        );
        Policy::from_toml(&text).expect("a valid policy")
    }

    pub(crate) fn plan(&self) -> Plan {
        Plan::from_json(
            Arc::new(self.policy()),
            r#"{"id":"INC-2041"}"#,
            r#"{"version":"2.3.1","previous":"2.3.0"}"#,
            &format!(r#"{{"requests_per_minute":{}}}"#, self.requests),
        )
        .expect("a plan")
    }
}

/// Judges what was taken in the first phase, which is not over.
pub(crate) fn assess(judge: &mut Judge, plan: &Plan, at: Timestamp, verdict: &mut Verdict) {
    let moment = Moment {
        at,
        share: plan.policy().phases()[0].share,
        watch: plan.policy().watch(),
        due: None,
        overdue: false,
        needs_efficacy: false,
        can_show_later: false,
        after_the_phases: false,
        waits_for_readings: false,
        traffic: None,
        running: None,
    };
    judge.assess(&moment, verdict);
    judge.note(at, verdict);
}

/// What the judge made of one rollout.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    /// Seconds until it was rolled back.
    pub(crate) rolled_back: Option<u32>,
    /// It was asked whether the arms are swapped or the split is as planned.
    pub(crate) doubted_arms: bool,
}

/// One arm: its totals, and those that were scraped last.
struct Arm {
    next: f64,
    last: f64,
    requests: f64,
    ratio: f64,
    totals: [f64; 2],
    scraped: [f64; 2],
}

/// Rollouts of one cell.
pub(crate) struct Feed {
    cell: Cell,
    judge: Judge,
    plan: Plan,
    metric: MetricName,
}

impl Feed {
    pub(crate) fn new(cell: &Cell) -> Self {
        let plan = cell.plan();
        let judge = Judge::try_new(&plan).expect("a judge");
        let metric = plan.policy().metrics()[0].id;
        Self { cell: cell.clone(), judge, plan, metric }
    }

    /// One rollout, watched for so many seconds.
    pub(crate) fn run(&self, seed: u64, seconds: u32, shocks: &[Shock]) -> Outcome {
        let Cell { scrape, tick, offset, missed, requests, ratio, .. } = self.cell;
        let mut random = Pcg64::seed_from_u64(seed);
        let share = self.plan.policy().phases()[0].share;
        let period = f64::from(scrape);
        let first = uniform(&mut random) * period - 2.0 * f64::from(LEAD_IN);
        let offset = offset.unwrap_or_else(|| uniform(&mut random) * period);
        let mut arms = [(share, offset, ratio), (share.rest(), 0.0, 1.0)].map(
            |(share, offset, ratio): (Share, f64, f64)| Arm {
                next: first + offset,
                last: first + offset - period,
                requests: requests / 60.0 * share.as_fraction(),
                ratio,
                totals: [0.0; 2],
                scraped: [0.0; 2],
            },
        );
        let mut judge = self.judge.clone();
        let mut verdict = Verdict::default();
        let mut outcome = Outcome::default();
        let start = Timestamp::try_from_millis(1_772_546_400_000).expect("a time");
        let mut observation = Observation::new();
        // Both arms are read for some time before the watch begins.
        for clock in (0..=LEAD_IN + seconds).step_by(tick as usize) {
            let at = start + Span::from_seconds(clock);
            let now = f64::from(clock) - f64::from(LEAD_IN);
            for arm in &mut arms {
                while arm.next <= now {
                    arm.count(shocks, &mut random);
                    if uniform(&mut random) >= missed {
                        arm.scraped = arm.totals;
                    }
                    arm.next += period;
                }
            }
            let sample = |arm: &Arm| Some(Sample::Pair(arm.scraped[0], arm.scraped[1]));
            let reading =
                Arms { canary: sample(&arms[0]), baseline: sample(&arms[1]), totals: true };
            observation.set(self.metric, reading);
            let readings = judge.prepare(at, share, &observation).expect("a reading");
            let watched = clock > LEAD_IN;
            judge.take(readings, if watched { Use::Watch } else { Use::Level });
            if clock == LEAD_IN {
                judge.start_phase(at);
            }
            if !watched {
                continue;
            }
            assess(&mut judge, &self.plan, at, &mut verdict);
            outcome.doubted_arms |= verdict.causes.iter().any(|cause| {
                matches!(cause.reason, Reason::ArmsSwapped | Reason::SplitNotAsPlanned)
            });
            if verdict.decision == Decision::RollBack {
                outcome.rolled_back = Some(clock - LEAD_IN);
                return outcome;
            }
        }
        outcome
    }
}

impl Arm {
    /// Counts up to the next scrape.
    fn count(&mut self, shocks: &[Shock], random: &mut Pcg64) {
        let (from, to) = (self.last, self.next);
        let mut seconds = to - from;
        for shock in shocks {
            let within = to.min(shock.from + shock.lasts) - from.max(shock.from);
            seconds += within.max(0.0) * (shock.times - 1.0);
        }
        let trials = draw((to - from) * self.requests, random);
        let failures = draw(seconds * self.requests * BASE * self.ratio, random).min(trials);
        self.totals = [self.totals[0] + failures, self.totals[1] + trials];
        self.last = to;
    }
}

fn uniform(random: &mut Pcg64) -> f64 {
    Uniform::new(0.0, 1.0).expect("a range").sample(random)
}

fn draw(mean: f64, random: &mut Pcg64) -> f64 {
    if mean > 0.0 { Poisson::new(mean).expect("a mean").sample(random) } else { 0.0 }
}
