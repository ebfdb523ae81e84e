//! What each phase can see, before anything is deployed (PLAN-6).
//!
//! For the plan's traffic, shares, times and the records of its metrics: how likely a healthy fix passes the gates by luck,
//! which faults are caught in time, by the policy's plain bounds and by its sequential tests, how long that takes and whom
//! it hurts until then, and what would have to be otherwise. `docs/statistics.md`, 'What each phase can see', says what is
//! taken for granted.

mod advice;
mod page;
mod phase;
mod test;
mod watch;
mod words;

use serde::{Deserialize, Serialize};

use crate::grade::{MetricKind, Response, Role, Worse, closed_set};
use crate::plan::Plan;
use crate::plan::healthy::traffic;
use crate::policy::section::{Metric, Phase};
use crate::unit::{MetricName, PhaseName, Share};

pub use crate::stats::planning::Chance;
pub use advice::{Advice, Need, Which};

use watch::Setting;

/// Faults that are asked about: so many times as many bad events as the record has.
pub const RATIOS: [f64; 5] = crate::stats::planning::table::RATIOS;
/// Chance from which on a fault counts as found.
pub const POWER: f64 = 0.8;
/// Most requests a minute that anything is foreseen for.
const MOST_TRAFFIC: f64 = 1e9;

/// What the phases of a plan can see.
///
/// `phases` and `all_gates` speak of the leading metric, the first proportion with a record of which more is worse; in the
/// presets `error_rate`. Further counted metrics are in `metrics`. Chances are from 0 to 1 and *exact* for independent
/// errors and traffic that comes as planned, unless they say `approximate`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sight {
    /// Requests a minute over all arms; absent where nobody says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<f64>,
    /// Who says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic_from: Option<TrafficSource>,
    /// Why nothing, or not everything, can be foreseen; absent where nothing is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
    /// Chance from which on a fault counts as found: 0.8.
    pub power: f64,
    /// The leading metric, in place; absent where there is none.
    #[serde(flatten)]
    pub leading: Option<MetricSight>,
    /// Further counted metrics with a record, in the order of their ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<MetricSight>,
    /// Deciding metrics that cannot be foreseen, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unforeseen: Vec<Unforeseen>,
    /// What would have to be otherwise.
    pub advice: Vec<Advice>,
}

closed_set! {
    /// Who says how much traffic there is.
    TrafficSource {
        /// The plan's own traffic.
        Traffic = "traffic",
        /// The record of the policy's volume metric.
        Record = "record",
    }
    /// Why a metric cannot be foreseen.
    Blind {
        /// Nobody says how it was before the incident.
        NoRecord = "no_record",
        /// There was nothing, so nothing is so many times as much.
        RecordOfZero = "record_of_zero",
        /// Its law is not known beforehand: quantiles and levels are no counts.
        NoCount = "no_count",
        /// A count of which fewer is worse.
        FewerIsWorse = "fewer_is_worse",
        /// Nobody says how much traffic there is.
        NoTraffic = "no_traffic",
        /// More than 20,000 ticks in a phase, or 10^9 requests a minute.
        TooMuch = "too_much",
    }
}

/// A metric that cannot be foreseen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Unforeseen {
    /// The metric.
    pub metric: MetricName,
    /// Why.
    pub why: Blind,
}

/// What the phases see of one metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricSight {
    /// The metric.
    pub metric: MetricName,
    /// Bad events a trial, or a minute, of a release as good as the record.
    pub base_rate: f64,
    /// What a crossing of its sequential test calls for: `roll_back`, or `ask` where its evidence may not act; absent
    /// where it has no test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_calls_for: Option<Response>,
    /// Its own share of the chance of a false rollback; absent where it has no test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f64>,
    /// One for each phase of the plan.
    pub phases: Vec<PhaseSight>,
    /// Chance that a fix as good as the record passes every gate when its least time is over, by plain bounds.
    pub all_gates: f64,
    /// Whether that is approximate.
    pub all_gates_approximate: bool,
    /// The same of faults, and whether any phase rolls them back in its least time.
    pub faults: Vec<WholeWay>,
}

/// What one phase sees of one metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PhaseSight {
    /// The phase.
    pub phase: PhaseName,
    /// The canary's share.
    pub share: Share,
    /// The least time, in minutes.
    pub minutes: f64,
    /// Trials of the canary in it that count, warm-up left out; for a count, seconds of exposure.
    pub trials: f64,
    /// Bad events that are to be expected of a healthy canary in these.
    pub expected_events: f64,
    /// Most bad events with which the gate's bounds are met; absent where any number does, or the gate waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_events: Option<f64>,
    /// Chance that a fix as good as the record passes the gate when the least time is over and is not rolled back before,
    /// by plain bounds.
    pub healthy_passes: f64,
    /// Whether that is approximate.
    pub healthy_passes_approximate: bool,
    /// Where a miss only holds: the chance to pass by the longest time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthy_passes_by_most: Option<Chance>,
    /// Chance that such a fix is rolled back by plain bounds.
    pub healthy_rolled_back: Chance,
    /// Chance that it is by the sequential test, in this phase by itself; absent without a live arm to compare with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub false_rollback: Option<Chance>,
    /// The gate waits for trials, whatever they bring.
    pub waits_for_trials: bool,
    /// What becomes of faults.
    pub faults: Vec<FaultSight>,
    /// The smallest ratio that the sequential test finds in this phase with the power asked for; absent where none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smallest_ratio: Option<f64>,
}

/// What one phase sees of one fault, that phase by itself.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FaultSight {
    /// So many times as many bad events as the record has.
    pub ratio: f64,
    /// Chance that the fault passes the gate when the least time is over, by plain bounds; this and all else absent where
    /// the canary's rate would be over 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passes: Option<Chance>,
    /// Rolled back by plain bounds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plain: Option<Detection>,
    /// Found by the sequential test; absent without a live arm to compare with, too. Evidence is carried over phases, so
    /// later ones find more than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequential: Option<Detection>,
    /// Minutes that the sequential test takes on average where nothing ends it, by the formula; absent where it never finds
    /// it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_to_detect: Option<f64>,
}

/// Whether a fault is found in time, and what it does until then.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detection {
    /// By the end of the phase's least time.
    pub chance: f64,
    /// Whether that is approximate.
    pub approximate: bool,
    /// Minutes until it is found, or the least time is over, on average.
    pub minutes: f64,
    /// Requests of this phase that fail until then and would not at the record's rate, on average.
    pub requests_hurt: f64,
    /// Whether these two are approximate.
    pub minutes_approximate: bool,
}

/// What becomes of a fault over all phases, each for its least time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct WholeWay {
    /// So many times as many bad events as the record has.
    pub ratio: f64,
    /// Chance that it passes every gate in its least time, by plain bounds.
    pub passes: Chance,
    /// Chance that plain bounds roll it back in the least time of some phase that it comes to.
    pub plain: Chance,
    /// Chance that the sequential test finds it in some phase, as if its evidence began anew with each; it is carried over,
    /// which finds more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequential: Option<Chance>,
}

impl Plan {
    /// What each phase can see (PLAN-6).
    ///
    /// Traffic is the plan's, else the record of the policy's volume metric; the rate of bad events is the record's, in the
    /// live arm as well. Takes milliseconds: keep the answer.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use hotfix_core::{plan::{Plan, Subject}, policy::Policy};
    /// # let mut subject = Subject::default();
    /// # subject.incident.id = "INC-2041".to_owned();
    /// # (subject.release.version, subject.release.previous) = ("2.3.1".to_owned(), "2.3.0".to_owned());
    /// let plan = Plan::try_new(Arc::new(Policy::preset("phased-canary")?), subject)?;
    /// let sight = plan.sight();
    /// let errors = sight.leading.as_ref().ok_or("it has an error rate")?;
    /// let expected: Vec<f64> = errors.phases.iter().map(|phase| phase.expected_events).collect();
    /// assert_eq!(expected, [3.0, 15.0, 90.0]);
    /// // At or below the record is a coin toss: a healthy fix gets through all three gates in 19 of 100 cases.
    /// assert!((errors.all_gates - 0.19).abs() < 0.005);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sight(&self) -> Sight {
        let own = self.subject().traffic.requests_per_minute;
        let recorded = traffic(self.policy());
        let (requests, source) = match (own, recorded) {
            (Some(requests), _) => (Some(requests), Some(TrafficSource::Traffic)),
            (None, Some(requests)) => (Some(requests), Some(TrafficSource::Record)),
            (None, None) => (None, None),
        };
        let mut sight = Sight {
            requests_per_minute: requests,
            traffic_from: source,
            missing: None,
            power: POWER,
            leading: None,
            metrics: Vec::new(),
            unforeseen: Vec::new(),
            advice: Vec::new(),
        };
        let deciding = || self.policy().metrics().iter().filter(|m| m.role == Role::Decide);
        let leads = |metric: &&Metric| {
            metric.kind == MetricKind::Proportion
                && metric.worse == Worse::Higher
                && watch::bad_rate(metric).is_some()
        };
        let leading = deciding().find(leads).map(|metric| metric.id);
        for metric in deciding() {
            match self.metric_sight(metric, requests) {
                Ok(seen) if leading == Some(metric.id) => {
                    sight.advice.extend(advice::faults(self, metric, &seen, requests));
                    sight.advice.splice(0..0, advice::bounds(self, metric, &seen, requests));
                    sight.leading = Some(seen);
                }
                Ok(seen) => {
                    sight.advice.extend(advice::bounds(self, metric, &seen, requests));
                    sight.metrics.push(seen);
                }
                Err(why) => sight.unforeseen.push(Unforeseen { metric: metric.id, why }),
            }
        }
        sight.missing = missing(leading, requests, &sight);
        sight
    }

    /// The phases that the plan goes through.
    fn seen_phases(&self) -> &[Phase] {
        self.policy().phases()
    }

    /// A phase in its setting.
    fn setting<'a>(&'a self, phase: &'a Phase, requests: Option<f64>) -> Setting<'a> {
        Setting { watch: self.policy().watch(), phase, traffic: requests }
    }
}

/// Why nothing, or not everything, can be foreseen.
fn missing(leading: Option<MetricName>, requests: Option<f64>, sight: &Sight) -> Option<String> {
    let sentence = match (leading, requests) {
        (None, _) => {
            "no deciding proportion has a record of bad events above 0: give `error_rate` one"
        }
        (_, None) => {
            "nobody says how much traffic there is: give `requests_per_minute` in the traffic, or a volume metric a record"
        }
        (Some(_), Some(_)) if sight.leading.is_none() => {
            "there is more to follow than 20,000 ticks a phase or 10^9 requests a minute: look less often"
        }
        _ => return None,
    };
    Some(sentence.to_owned())
}
