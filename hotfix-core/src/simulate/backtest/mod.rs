//! Backtests: when a policy would have acted on recorded metrics.
//!
//! Nothing is deployed. A rollout is assumed to have run while the metrics were recorded. The same
//! [`Driver`](super::Driver) runs it as in drills, so it decides like a real rollout.

mod environment;
mod note;
mod table;
mod without;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::grade::{Role, closed_set};
use crate::metric::Band;
use crate::policy::Policy;
use crate::rollout::State;
use crate::unit::{MetricName, Name, PhaseName, Span, Timestamp};

use super::recorded::{
    Assumptions, RecordedErrors, RecordedFault, RecordedFinding, RecordedMetrics,
};

closed_set! {
    /// The decisions of a policy.
    What {
        /// Continue: the problem is over.
        Continue = "continue",
        /// Hold and notify: a metric is beyond its alert bound.
        Alert = "alert",
        /// Hold.
        Hold = "hold",
        /// Ask a person.
        Ask = "ask",
        /// Promote the phase.
        Promote = "promote",
        /// Freeze the rollout: the traffic stays, and a person decides.
        Freeze = "freeze",
        /// Roll back.
        RollBack = "roll_back",
    }
}

/// One decision of the policy: a verdict that differs from the previous one, or a question to a
/// person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Would {
    /// The time.
    pub at: Timestamp,
    /// The decision.
    pub what: What,
    /// The phase. Absent after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<PhaseName>,
    /// The reason: the causes of the verdict, most serious first, of a rollback those that led to it;
    /// or the question.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The metrics that the causes name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<MetricName>,
    /// The evidence.
    pub evidence: Rests,
}

/// The evidence of a verdict.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rests {
    /// Log e-value of all rollback tests together.
    pub log_e: f64,
    /// The metrics that the causes name, with the values of their windows.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<MetricName, Stood>,
}

/// The state of one metric.
#[serde_with::skip_serializing_none]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stood {
    /// Its band.
    pub band: Band,
    /// The canary's value in the window, in the metric's unit.
    pub canary: Option<f64>,
    /// The live arm's.
    pub baseline: Option<f64>,
    /// Log e-value of its rollback test.
    pub log_e: Option<f64>,
}

/// A band and its start.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BandChange {
    /// When it began.
    pub at: Timestamp,
    /// The band.
    pub band: Band,
}

/// The result of one metric.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MetricTrace {
    /// Its role in the policy.
    pub role: Role,
    /// It decides in the policy but was not recorded: in the backtest it is only watched.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left_out: bool,
    /// When its window was first beyond its alert bound, or its rollback bound.
    pub alert_at: Option<Timestamp>,
    /// When its window was first beyond its rollback bound.
    pub rollback_at: Option<Timestamp>,
    /// When its own test first had the evidence for which the policy holds.
    pub held_at: Option<Timestamp>,
    /// When its own test first had the evidence that the policy needs for a rollback.
    pub crossed_at: Option<Timestamp>,
    /// Its bands, each with its start; at most [`Backtest::MOST_LISTED`].
    pub bands: Vec<BandChange>,
}

/// The end of the rollout.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// When it would have rolled back or been complete, or else the end of the recording.
    pub at: Timestamp,
    /// The rollout's state at the end. The run stops after `roll_back` and `freeze`, because the
    /// recording does not show what follows.
    pub state: State,
    /// The phase at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<PhaseName>,
    /// The time since the fix got its first traffic.
    pub after: Span,
}

/// The backtest of one policy.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Backtest {
    /// The policy's name.
    pub policy: Name,
    /// All its decisions, in order; at most [`Backtest::MOST_LISTED`].
    pub would: Vec<Would>,
    /// When a deciding metric was first beyond its alert bound.
    pub first_alert: Option<Timestamp>,
    /// When it would first have asked a person.
    pub first_ask: Option<Timestamp>,
    /// When it would have rolled back.
    pub first_rollback: Option<Timestamp>,
    /// When all tests together first had the evidence for a rollback.
    pub crossed_at: Option<Timestamp>,
    /// The end of the rollout.
    pub ended: Ended,
    /// Each metric of the policy.
    pub metrics: BTreeMap<MetricName, MetricTrace>,
    /// The findings.
    pub findings: Vec<RecordedFinding>,
}

impl Backtest {
    /// Most entries of a list. A finding counts the others.
    pub const MOST_LISTED: usize = 1_000;
}

/// Backtests of several policies on one recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Backtests {
    /// When the fix is assumed to have got its first traffic.
    pub from: Timestamp,
    /// The latest end of the watch.
    pub until: Timestamp,
    /// The number of readings in between.
    pub readings: usize,
    /// The findings of the recording itself.
    pub findings: Vec<RecordedFinding>,
    /// Each policy, in the order given.
    pub policies: Vec<Backtest>,
}

impl Backtests {
    /// Most evaluations of one policy: three weeks at one every ten seconds, four months at one per
    /// minute.
    pub const MOST_EVALUATIONS: u64 = 200_000;
    /// Most policies that are compared at once.
    pub const MOST_POLICIES: usize = 64;
}

/// Runs policies over recorded metrics.
///
/// Each gets the same readings, merged at its own cadence. [`Assumptions`] has the assumptions
/// about the deployment.
///
/// ```
/// use std::sync::Arc;
/// use hotfix_core::policy::Policy;
/// use hotfix_core::simulate::backtest::backtest;
/// use hotfix_core::simulate::recorded::{Format, Mapping, RecordedMetrics};
///
/// // A minute a line; after ten minutes every tenth request fails.
/// let lines: String = (0..30)
///     .map(|minute| format!("{},{},1000\n", minute * 60, if minute < 10 { 3 } else { 100 }))
///     .collect();
/// let mapping = Mapping::from_json(
///     r#"{"time": {"from": "time", "unit": "seconds"},
///         "metrics": {"error_rate": {"canary": {"events": "errors", "trials": "requests"}}}}"#,
/// )?;
/// let recorded = RecordedMetrics::read(Format::Csv, &format!("time,errors,requests\n{lines}"), &mapping)?;
/// let policies = [Arc::new(Policy::preset("phased-canary")?), Arc::new(Policy::preset("standard")?)];
/// let found = backtest(&policies, &recorded, &mapping.assume)?;
/// assert!(found.policies.iter().all(|policy| policy.first_rollback.is_some()));
/// println!("{}", found.to_markdown());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// An error if the requested time has no reading, if no deciding metric of a policy was recorded,
/// if a policy cannot be run on the recording, unless there are 1 to 64 policies, and if one would
/// make more than [`Backtests::MOST_EVALUATIONS`] evaluations.
pub fn backtest(
    policies: &[Arc<Policy>],
    recorded: &RecordedMetrics,
    assume: &Assumptions,
) -> Result<Backtests, RecordedErrors> {
    if policies.is_empty() || policies.len() > Backtests::MOST_POLICIES {
        let (got, most) = (policies.len(), Backtests::MOST_POLICIES);
        return Err(RecordedFault::Policies { got, most }.anywhere());
    }
    let (first, last) = recorded.span();
    let counts_requests = |id: MetricName| {
        let mut known = policies.iter().filter_map(|policy| policy.metric(id.as_str()));
        known.any(|metric| metric.kind.counts_requests())
    };
    let with_fix = recorded.first_of_canary(counts_requests).unwrap_or(first);
    let moved = recorded.moves().first().map(|(at, _)| *at);
    let from = assume.from.or(moved).unwrap_or(with_fix - recorded.step());
    let until = assume.until.unwrap_or(last);
    let readings = recorded.between(from, until).len();
    if readings == 0 {
        return Err(RecordedFault::NoReadingAfter { from, until, first, last }.anywhere());
    }
    let mut findings = recorded.findings().to_vec();
    findings.extend(recorded.gaps(policies.iter().map(Arc::as_ref)));
    findings.extend(recorded.misnamed());
    let played =
        policies.iter().map(|policy| environment::play(policy, recorded, assume, from, until));
    Ok(Backtests { from, until, readings, findings, policies: played.collect::<Result<_, _>>()? })
}
