//! Power analysis of the phases, before anything is deployed.
//!
//! From the plan's traffic, shares, times and the references of its metrics: how likely a healthy
//! fix passes the gates, which faults are found in time by the policy's plain bounds and by its
//! sequential tests, how long that takes, how many requests are affected until then, and what
//! would improve it. `docs/statistics.md`, 'What each phase can see', lists the assumptions.

mod advice;
mod format;
mod history;
mod page;
mod phase;
mod test;
mod watch;

use serde::{Deserialize, Serialize};

use crate::grade::{Worse, closed_set};
use crate::plan::Plan;
use crate::plan::healthy::traffic_metric;
use crate::policy::section::Metric;
use crate::text::quoted;
use crate::unit::{MetricName, PhaseName, Share};

pub use crate::stats::planning::Chance;
pub use advice::{Advice, Need};
pub use history::{CalibratedDelay, HistoryWorth};
pub(crate) use watch::{kept_by_rollback, passes_in_time};

/// Faults that are analysed, as multiples of the reference's rate of bad events.
pub const RATIOS: [f64; 5] = [1.5, 2.0, 5.0, 10.0, 20.0];
/// The wanted power: from this chance on, a fault counts as found.
pub const POWER: f64 = 0.8;
/// Most requests per minute for which the power is computed.
const MOST_TRAFFIC: f64 = 1e9;

/// The power analysis of a plan's phases.
///
/// `phases` and `all_gates` are of the leading metric: the first proportion with a reference and
/// `worse = "higher"`, in the presets `error_rate`; without one, the first with `worse = "lower"`.
/// Further counted metrics are in `metrics`.
/// Chances are from 0 to 1. They are *exact* for independent errors and requests that come as planned on
/// average, unless `approximate` is set.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Power {
    /// Requests per minute over all arms. Absent if unknown.
    pub requests_per_minute: Option<f64>,
    /// The metric whose reference it is.
    #[serde(skip)]
    pub(super) volume: Option<MetricName>,
    /// What is missing for a complete analysis. Absent if nothing is missing.
    pub missing: Option<String>,
    /// Chance from which on a fault counts as found: 0.8.
    pub power: f64,
    /// The leading metric, inline. Absent if there is none.
    #[serde(flatten)]
    pub leading: Option<MetricPower>,
    /// Further counted metrics with a reference, in the order of their ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<MetricPower>,
    /// Deciding metrics without a power analysis, with the reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unforeseen: Vec<Unforeseen>,
    /// Advice that improves the power.
    pub advice: Vec<Advice>,
}

closed_set! {
    /// Why a metric has no power analysis.
    Blind {
        /// It has no reference from before the incident.
        NoReference = "no_reference",
        /// Its reference is 0, which has no multiples.
        ReferenceOfZero = "reference_of_zero",
        /// Its distribution is not known in advance: quantiles, gauges and volumes are not counts
        /// of bad events.
        NoCount = "no_count",
        /// A count with `worse = "lower"`.
        FewerIsWorse = "fewer_is_worse",
        /// The traffic is unknown.
        NoTraffic = "no_traffic",
        /// More than 20,000 ticks in a phase, or more than 10^9 requests per minute.
        TooMuch = "too_much",
    }
}

/// A metric without a power analysis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unforeseen {
    /// The metric.
    pub metric: MetricName,
    /// Why it has none.
    pub why: Blind,
    /// Of a latency: what a history of request times is worth to its test. Absent if none calibrates
    /// it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<String>,
}

/// The power analysis of one metric.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricPower {
    /// The metric.
    pub metric: MetricName,
    /// Bad events per trial, or per minute, of a release at the reference rate.
    pub base_rate: f64,
    /// Its part of the chance of a false rollback. Absent if it has no test.
    pub alpha: Option<f64>,
    /// What a history is worth to its test. Absent if none calibrates it.
    pub history: Option<HistoryWorth>,
    /// One for each phase of the plan.
    pub phases: Vec<PhasePower>,
    /// Chance that a fix at the reference rate passes every gate: the product of `healthy_passes`.
    pub all_gates: f64,
    /// Whether that is approximate.
    pub all_gates_approximate: bool,
}

/// The power analysis of one metric in one phase.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PhasePower {
    /// The phase.
    pub phase: PhaseName,
    /// The canary's share.
    pub share: Share,
    /// The time until the gate is judged, in minutes: the least time, or until all that decides can be judged.
    pub minutes: f64,
    /// Trials of the canary in that time, without warm-up; for a count, seconds of exposure.
    pub trials: f64,
    /// Expected bad events of a healthy canary in these.
    pub expected_events: f64,
    /// Most bad events that meet the gate's bounds. Absent if any number does or the gate waits.
    pub allowed_events: Option<f64>,
    /// Chance that a fix at the reference rate meets the gate of the least time and is not rolled back before,
    /// by plain bounds, with exactly the planned requests. That a gate waits where fewer than
    /// `watch.least_trials` of them come is no miss; the finding `low_traffic` has the chance to pass in time.
    pub healthy_passes: f64,
    /// Whether that is approximate.
    pub healthy_passes_approximate: bool,
    /// Chance that such a fix is rolled back by plain bounds.
    pub healthy_rolled_back: Chance,
    /// Chance that the sequential test rolls such a fix back, in this phase alone. Absent without a
    /// live arm.
    pub false_rollback: Option<Chance>,
    /// The gate waits for trials, whatever their result.
    pub waits_for_trials: bool,
    /// The analysed faults.
    pub faults: Vec<FaultPower>,
    /// The smallest ratio that the sequential test finds in this phase with the wanted power.
    /// Absent if it finds none.
    pub smallest_ratio: Option<f64>,
}

/// The power analysis of one fault in one phase alone.
#[serde_with::skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct FaultPower {
    /// The fault's rate as a multiple of the reference's.
    pub ratio: f64,
    /// Chance that the fault passes the gate, as `healthy_passes`. This and all other fields are absent if the
    /// canary's rate would be above 1.
    pub passes: Option<Chance>,
    /// Rolled back by plain bounds.
    pub plain: Option<Detection>,
    /// Found by the sequential test, in this phase alone. Absent without a live arm. Evidence is kept
    /// across phases: a fault from the start on is found sooner for it, and one that begins after a
    /// good phase later.
    pub sequential: Option<Detection>,
    /// Average minutes until the sequential test finds it, without an end of the phase, by the
    /// formula. Absent if it never does.
    pub time_to_detect: Option<f64>,
}

/// Whether a fault is found in time, and its impact until then.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detection {
    /// By the end of the phase's least time.
    pub chance: f64,
    /// Whether that is approximate.
    pub approximate: bool,
    /// Average minutes until it is found or the least time is over; approximate.
    pub minutes: f64,
    /// Average number of requests of this phase that fail until then, beyond the reference rate;
    /// approximate.
    pub requests_affected: f64,
}

impl Plan {
    /// The power analysis of each phase.
    ///
    /// The traffic is the plan's, or else the reference of the policy's volume metric. The rate of
    /// bad events is the reference's, also in the live arm. Takes tens of milliseconds: keep
    /// the result.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use hotfix_core::{plan::{Plan, Subject}, policy::Policy};
    /// # let mut subject = Subject::default();
    /// # subject.incident.id = "INC-2041".to_owned();
    /// # subject.release = Some(serde_json::from_str(r#"{"version": "2.3.1", "previous": "2.3.0"}"#)?);
    /// let plan = Plan::try_new(Arc::new(Policy::preset("phased-canary")?), subject)?;
    /// let power = plan.power();
    /// let errors = power.leading.as_ref().ok_or("it has an error rate")?;
    /// let expected: Vec<f64> = errors.phases.iter().map(|phase| phase.expected_events).collect();
    /// assert_eq!(expected, [3.0, 15.0, 90.0]);
    /// // A bound at the reference is a coin toss: a healthy fix passes in 19 of 100 cases.
    /// assert!((errors.all_gates - 0.19).abs() < 0.005);
    /// assert!(power.to_markdown().contains("misses the gates in 35, 43 and 47 of 100 cases"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn power(&self) -> Power {
        let requests = self.requests_per_minute();
        let is_given = self.subject().traffic.requests_per_minute.is_some();
        let volume = traffic_metric(self.policy()).filter(|_| !is_given);
        let mut power = Power {
            requests_per_minute: requests,
            volume: volume.map(|(metric, _)| metric.id),
            power: POWER,
            ..Power::default()
        };
        let deciding = self.policy().deciding();
        let proportions = || deciding.clone().filter(|metric| metric.kind.is_fraction());
        let leads = |worse| {
            move |metric: &&Metric| metric.worse == worse && watch::bad_rate(metric).is_some()
        };
        let leading = proportions().find(leads(Worse::Higher));
        let leading = leading.or_else(|| proportions().find(leads(Worse::Lower)));
        let leading = leading.map(|metric| metric.id);
        for metric in deciding.clone() {
            match self.metric_power(metric) {
                Ok(seen) if leading == Some(metric.id) => {
                    power.advice.extend(advice::faults(self, metric, &seen));
                    power.advice.splice(0..0, advice::for_gates(self, metric, &seen));
                    power.leading = Some(seen);
                }
                Ok(seen) => {
                    power.advice.extend(advice::for_gates(self, metric, &seen));
                    power.metrics.push(seen);
                }
                Err(why) => {
                    let history = self.history_of_times(metric);
                    power.unforeseen.push(Unforeseen { metric: metric.id, why, history });
                }
            }
        }
        power.missing = match (leading, requests) {
            (None, _) => Some(no_reference(proportions())),
            (_, None) => Some("the traffic is unknown: give `requests_per_minute` in the traffic, or add `reference` to a volume metric".to_owned()),
            (Some(_), Some(requests)) if power.leading.is_none() => Some(if requests > MOST_TRAFFIC {
                "the traffic is above 10^9 requests per minute, for which no power is computed: check `requests_per_minute`".to_owned()
            } else {
                "a phase has more than 20,000 ticks: use a longer cadence".to_owned()
            }),
            (Some(_), Some(_)) => None,
        };
        power
    }
}

/// That no deciding proportion has a rate of failures from before the incident.
fn no_reference<'a>(proportions: impl Iterator<Item = &'a Metric>) -> String {
    let names: Vec<MetricName> = proportions.map(|metric| metric.id).collect();
    if names.is_empty() {
        return "no deciding metric is a proportion: add one with its `reference`".to_owned();
    }
    let names = quoted(&names, " or ");
    format!("no deciding proportion has a reference with failures: add `reference` to {names}")
}
