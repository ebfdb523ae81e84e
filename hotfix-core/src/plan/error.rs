//! Errors of a plan.

use crate::canonical::CanonicalError;
use crate::code::{code, coded};
use crate::document::ValueFault;
use crate::fact::FactErrors;
use crate::gate::NumstatError;
use crate::grade::{EvidenceMode, Strategy};
use crate::stats::StatError;
use crate::unit::{MetricName, Timestamp};

use super::strategy::Obstacle;

/// A document has values that cannot be read.
const UNREADABLE: &str = code! {HF-PLAN-001};

/// A history is of another form than the metric's test.
const NO_SUCH_TEST: &str = code! {HF-PLAN-006};

coded! {
    /// A plan that is not possible.
    #[derive(Clone, Debug, PartialEq, thiserror::Error)]
    pub enum PlanError;

    /// Incident, release or traffic cannot be read.
    #[error("the {document} cannot be read: {fault}")]
    Syntax { document: &'static str, fault: String } => UNREADABLE,

    /// Incident, release or traffic have values that cannot be read: all of them, with their places.
    #[error("{}", ValueFault::list(faults))]
    Values {
        /// The faults, with a JSON Pointer as [`path`](Self::path) has it; at least one.
        faults: Vec<ValueFault>,
    } => UNREADABLE,

    /// A required text is empty.
    #[error("`{field}` is empty: give it a value")]
    Empty {
        /// A JSON Pointer.
        field: &'static str,
    } => code! {HF-PLAN-002},

    /// A name that has a control character.
    #[error("`{field}` is `{got}`, which has a control character: remove it")]
    ControlCharacter {
        /// A JSON Pointer.
        field: &'static str,
        got: String,
    } => code! {HF-PLAN-018},

    /// The release and its previous version are the same.
    #[error(
        "`{version}` is both the release and its previous version: set `previous` to the version for the rollback"
    )]
    SameVersion { version: String } => code! {HF-PLAN-003},

    /// The bug's metric is not in the policy or has no test.
    #[error(
        "the policy has no metric `{metric}` with a test that the fix works: name one of {known}"
    )]
    BugMetric { metric: MetricName, known: String } => code! {HF-PLAN-004},

    /// Facts of the incident that are unknown to the policy or not valid.
    #[error("the facts of the incident cannot be read: {0}")]
    Facts(errors: #[from] FactErrors) => code! {HF-PLAN-009},

    /// Figures of the diff that are not in git's format.
    #[error("the diff's figures cannot be read: {0}")]
    Numstat(error: #[from] NumstatError) => code! {HF-PLAN-015},

    /// Facts that canonical JSON cannot represent: a whole number beyond 2^53.
    #[error("the plan cannot be recorded: {0}")]
    NotRecordable(error: #[from] CanonicalError) => error.code(),

    /// A figure of the traffic is not possible.
    #[error("`{field}` is `{got}`: give {expected}")]
    Traffic {
        /// A JSON Pointer.
        field: &'static str,
        got: String,
        expected: &'static str,
    } => code! {HF-PLAN-005},

    /// A time of the incident that cannot be right.
    #[error("`{field}` is {got}, {fault}")]
    Time {
        /// A JSON Pointer.
        field: &'static str,
        got: Timestamp,
        fault: String,
    } => code! {HF-PLAN-019},

    /// An invalid change record: a time before an earlier one, an empty text.
    #[error("`{field}` of the change record is not valid: give {expected}")]
    Record {
        /// A JSON Pointer.
        field: String,
        expected: &'static str,
    } => code! {HF-PLAN-017},

    /// A history of a metric whose test cannot be calibrated.
    #[error(
        "a history cannot calibrate the test of `{metric}`: name a latency, a proportion or a count with a `model`, here {known}"
    )]
    HistoryMetric { metric: MetricName, known: String } => NO_SUCH_TEST,

    /// Pairs of events and trials for a latency.
    #[error(
        "a history of pairs cannot calibrate the test of `{metric}`: give rows of {width} counts, of requests up to each of its boundaries and of all; pairs are for {known}"
    )]
    HistoryPairs {
        metric: MetricName,
        /// The numbers of a row.
        width: usize,
        /// Metrics whose history is of pairs.
        known: String,
    } => NO_SUCH_TEST,

    /// A history that cannot be used.
    #[error("the history of `{metric}` cannot be used: {fault}")]
    History { metric: MetricName, fault: StatError } => code! {HF-PLAN-007},

    /// A history in an evidence mode that uses none.
    #[error(
        "the evidence mode of `{metric}` is `{mode}`, which uses no history: omit it, or write `mode = \"replay\"`"
    )]
    HistoryUnused { metric: MetricName, mode: EvidenceMode } => code! {HF-PLAN-008},

    /// A strategy that is not possible for this release.
    #[error("`{strategy}` cannot be planned: {obstacle}; {}", remedy(*strategy, obstacle, *instead))]
    Strategy {
        strategy: Strategy,
        obstacle: Obstacle,
        /// The recommended strategy. None if no other can be planned.
        instead: Option<Strategy>,
    } => obstacle.code(),

    /// A batch of no instance, or of all instances.
    #[error("a batch of {batch} is not a part of {}: give a number of at least 1 and below `instances`, or choose `immediate`", of_all(*instances))]
    Batch { batch: u32, instances: Option<u32> } => code! {HF-PLAN-013},

    /// A batch for a strategy without batches.
    #[error("`batch` has no meaning for the strategy `{strategy}`: omit it, or choose `rolling`")]
    NoBatches { strategy: Strategy } => code! {HF-PLAN-014},

    /// A release for another attempt that differs in previous version, strategy or batch.
    #[error("`{field}` is {is} in this rollout, not {other}: keep it, or begin a separate rollout")]
    Otherwise {
        /// A JSON Pointer.
        field: &'static str,
        is: String,
        other: String,
    } => code! {HF-PLAN-016},

    /// The policy's figures are not valid for a test.
    #[error("the policy's test cannot be set up: {0}")]
    Test(error: #[from] StatError) => error.code(),
}

fn remedy(strategy: Strategy, obstacle: &Obstacle, instead: Option<Strategy>) -> String {
    match (obstacle, instead) {
        (Obstacle::InstancesUnknown, _) => "give `instances` of the traffic".to_owned(),
        (Obstacle::WholeBatch { .. }, Some(instead)) => {
            format!("set `batch` in the release, or write `strategy: {instead}` there")
        }
        (Obstacle::NoPhases, None) => {
            format!("write them under `strategies.{strategy}` of the policy")
        }
        (_, Some(instead)) => format!("write `strategy: {instead}` in the release"),
        (_, None) => "give the policy another strategy".to_owned(),
    }
}

fn of_all(instances: Option<u32>) -> String {
    match instances {
        Some(instances) => format!("{instances} instances"),
        None => "the instances".to_owned(),
    }
}

impl PlanError {
    /// The place of the error: a JSON Pointer into `{"incident", "release", "traffic",
    /// "calibration"}`. The first one for several facts. Empty for the whole.
    pub fn path(&self) -> String {
        let place = match self {
            Self::Syntax { document, .. } => return format!("/{document}"),
            Self::HistoryMetric { metric, .. }
            | Self::HistoryPairs { metric, .. }
            | Self::History { metric, .. } => return format!("/calibration/{metric}"),
            Self::Facts(errors) => {
                let first =
                    errors.iter().next().map(|error| format!("/incident/facts{}", error.path()));
                return first.unwrap_or_default();
            }
            Self::Values { faults } => faults.first().map_or("", |fault| &fault.path),
            Self::Empty { field }
            | Self::ControlCharacter { field, .. }
            | Self::Traffic { field, .. }
            | Self::Time { field, .. }
            | Self::Otherwise { field, .. } => field,
            Self::Record { field, .. } => field,
            Self::SameVersion { .. } => "/release/version",
            Self::Numstat(_) => "/release/numstat",
            Self::BugMetric { .. } => "/release/bug_metric",
            Self::HistoryUnused { .. } => "/calibration",
            Self::Strategy { obstacle: Obstacle::InstancesUnknown, .. } => "/traffic/instances",
            Self::Strategy { .. } => "/release/strategy",
            Self::Batch { .. } | Self::NoBatches { .. } => "/release/batch",
            Self::NotRecordable(_) | Self::Test(_) => "",
        };
        place.to_owned()
    }
}
