//! A policy over recorded metrics: when it would have acted (FIELD-12).
//!
//! Nothing is deployed. A rollout is assumed to have been under way while the metrics were recorded, and is played against
//! them by the same [`Player`](super::Player) that plays drills, so it decides as the real thing does.

mod note;
mod table;
mod without;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::grade::{Role, closed_set};
use crate::metric::Band;
use crate::policy::Policy;
use crate::rollout::State;
use crate::unit::{MetricName, Name, PhaseName, Span, Timestamp};

use super::recorded::{
    Assumptions, RecordedError, RecordedFault, RecordedFinding, RecordedMetrics,
};

closed_set! {
    /// What a policy would have done.
    What {
        /// Go on: what was amiss is over.
        Continue = "continue",
        /// Stay, and tell somebody: a metric is beyond its alert bound.
        Alert = "alert",
        /// Stay.
        Hold = "hold",
        /// Ask a person.
        Ask = "ask",
        /// Pass the phase.
        Promote = "promote",
        /// Go back.
        RollBack = "roll_back",
    }
}

/// One thing that the policy would have done: a verdict that differs from the one before, or a question to a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Would {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: What,
    /// In which phase; absent after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<PhaseName>,
    /// Why: the verdict's causes, the gravest first, or the question.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The metrics that the causes name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<MetricName>,
    /// What it rests on.
    pub evidence: Rests,
}

/// The numbers that a verdict rests on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rests {
    /// Log e-value of all rollback tests together.
    pub log_e: f64,
    /// The metrics that the causes name, as their windows stood.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<MetricName, Stood>,
}

/// How one metric stood.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stood {
    /// Its band.
    pub band: Band,
    /// The canary's value in the window, in the metric's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<f64>,
    /// The live arm's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<f64>,
    /// Log e-value of its rollback test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_e: Option<f64>,
}

/// A band, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BandTurn {
    /// When it was seen first.
    pub at: Timestamp,
    /// The band.
    pub band: Band,
}

/// What became of one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricCourse {
    /// Whether it decides, as the policy has it.
    pub role: Role,
    /// It decides in the policy, and was not recorded: here it is only watched.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left_out: bool,
    /// When its window was first beyond its alert bound, or its rollback bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_at: Option<Timestamp>,
    /// When its window was first beyond its rollback bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_at: Option<Timestamp>,
    /// When its own test first had the evidence at which the policy holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_at: Option<Timestamp>,
    /// When its own test first had the evidence that the whole policy asks for before it goes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crossed_at: Option<Timestamp>,
    /// Its bands, each with the time from which it stood; at most [`Backtest::MOST_LISTED`].
    pub bands: Vec<BandTurn>,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// When it would have gone back, or been complete; else when the recording is over.
    pub at: Timestamp,
    /// The rollout's state at the end. After `roll_back` nothing more is played: what was recorded does not show the way back.
    pub state: State,
    /// The phase that it was in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<PhaseName>,
    /// How long after the fix got its first traffic.
    pub after: Span,
}

/// What one policy would have done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Backtest {
    /// The policy's name.
    pub policy: Name,
    /// Everything that it would have done, in order; at most [`Backtest::MOST_LISTED`].
    pub would: Vec<Would>,
    /// When a deciding metric was first beyond its alert bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_alert: Option<Timestamp>,
    /// When it would first have asked a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_ask: Option<Timestamp>,
    /// When it would have gone back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_rollback: Option<Timestamp>,
    /// When all tests together first had the evidence to go back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crossed_at: Option<Timestamp>,
    /// How it ended.
    pub ended: Ended,
    /// Each metric of the policy.
    pub metrics: BTreeMap<MetricName, MetricCourse>,
    /// What was odd.
    pub findings: Vec<RecordedFinding>,
}

impl Backtest {
    /// Most entries of a list: more are counted in a finding.
    pub const MOST_LISTED: usize = 1_000;
}

/// Several policies over one recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Backtests {
    /// When the fix is assumed to have got its first traffic.
    pub from: Timestamp,
    /// When watching ended at the latest.
    pub until: Timestamp,
    /// Times in between at which something was read.
    pub readings: usize,
    /// What was odd about the recording itself.
    pub findings: Vec<RecordedFinding>,
    /// Each policy, in the order given.
    pub policies: Vec<Backtest>,
}

impl Backtests {
    /// Most looks of one policy: three weeks of one every ten seconds, four months of one a minute.
    pub const MOST_LOOKS: u64 = 200_000;
    /// Most policies that are compared at once.
    pub const MOST_POLICIES: usize = 64;
}

/// Runs policies over recorded metrics.
///
/// Each sees the same readings, put together at its own cadence. What is assumed of the deployment that was not one stands
/// at [`Assumptions`].
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
/// `HF-REC-013` where nothing was recorded in the time that is asked for, `HF-REC-014` where a policy decides by nothing that
/// was recorded, `HF-REC-015` where it cannot be run on it, `HF-REC-016` unless there are 1 to 64 policies, `HF-REC-017` where
/// one would look more than [`Backtests::MOST_LOOKS`] times.
pub fn backtest(
    policies: &[Arc<Policy>],
    recorded: &RecordedMetrics,
    assume: &Assumptions,
) -> Result<Backtests, RecordedError> {
    if policies.is_empty() || policies.len() > Backtests::MOST_POLICIES {
        let (got, most) = (policies.len(), Backtests::MOST_POLICIES);
        return Err(RecordedFault::Policies { got, most }.anywhere());
    }
    let (first, last) = recorded.span();
    let from = assume.from.unwrap_or(first - recorded.step());
    let until = assume.until.unwrap_or(last);
    let readings = recorded.between(from, until).len();
    if readings == 0 {
        return Err(RecordedFault::NoReadingAfter { from, until, first, last }.anywhere());
    }
    let played = policies.iter().map(|policy| world::play(policy, recorded, assume, from, until));
    Ok(Backtests {
        from,
        until,
        readings,
        findings: recorded.findings().to_vec(),
        policies: played.collect::<Result<_, _>>()?,
    })
}
