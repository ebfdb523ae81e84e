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
    /// A plan that is not possible. A `field` is a JSON Pointer.
    #[derive(Clone, Debug, PartialEq, thiserror::Error)]
    pub enum PlanError;

    #[error("the {document} cannot be read: {fault}")]
    Syntax { document: &'static str, fault: String } => UNREADABLE,

    /// Incident, release or traffic have values that cannot be read: all of them, with their places.
    #[error("{}", ValueFault::list(faults))]
    Values {
        /// The faults, with a JSON Pointer as [`path`](Self::path) has it; at least one.
        faults: Vec<ValueFault>,
    } => UNREADABLE,

    #[error("`{field}` is empty: give it a value")]
    Empty { field: &'static str } => code! {HF-PLAN-002},

    #[error("`{field}` is `{got}`, which has a control character: remove it")]
    ControlCharacter { field: &'static str, got: String } => code! {HF-PLAN-018},

    #[error("`{field}` has {bytes} bytes, and at most {most} are kept in the log: shorten it")]
    TooLong { field: String, bytes: usize, most: usize } => code! {HF-PLAN-020},

    #[error(
        "`{version}` is both the release and its previous version: set `previous` to the version for the rollback"
    )]
    SameVersion { version: String } => code! {HF-PLAN-003},

    #[error(
        "the policy has no metric `{metric}` with a test that the fix works: name one of {known}"
    )]
    BugMetric { metric: MetricName, known: String } => code! {HF-PLAN-004},

    #[error("the facts of the incident cannot be read: {0}")]
    Facts(errors: #[from] FactErrors) => code! {HF-PLAN-009},

    #[error("the diff's figures cannot be read: {0}")]
    Numstat(error: #[from] NumstatError) => code! {HF-PLAN-015},

    #[error("the plan cannot be recorded: {0}")]
    NotRecordable(error: #[from] CanonicalError) => error.code(),

    /// A figure of the traffic is not possible.
    #[error("`{field}` is `{got}`: give {expected}")]
    Traffic { field: &'static str, got: String, expected: &'static str } => code! {HF-PLAN-005},

    /// A time of the incident that cannot be right.
    #[error("`{field}` is {got}, {fault}")]
    Time { field: &'static str, got: Timestamp, fault: String } => code! {HF-PLAN-019},

    #[error("`{field}` of the change record is not valid: give {expected}")]
    Record { field: String, expected: &'static str } => code! {HF-PLAN-017},

    #[error(
        "a history cannot calibrate the test of `{metric}`: name a latency, a proportion or a count with a `model`, here {known}"
    )]
    HistoryMetric { metric: MetricName, known: String } => NO_SUCH_TEST,

    #[error(
        "a history of pairs cannot calibrate the test of `{metric}`: give rows of {width} counts, of requests up to each of its boundaries and of all; pairs are for {known}"
    )]
    HistoryPairs { metric: MetricName, width: usize, known: String } => NO_SUCH_TEST,

    #[error("the history of `{metric}` cannot be used: {fault}")]
    History { metric: MetricName, fault: StatError } => code! {HF-PLAN-007},

    #[error(
        "the evidence mode of `{metric}` is `{mode}`, which uses no history: omit it, or write `replay` as `mode`"
    )]
    HistoryUnused { metric: MetricName, mode: EvidenceMode } => code! {HF-PLAN-008},

    #[error("`{strategy}` cannot be planned: {obstacle}; {}", remedy(*strategy, obstacle, *instead))]
    Strategy {
        strategy: Strategy,
        obstacle: Obstacle,
        /// The recommended strategy. None if no other can be planned.
        instead: Option<Strategy>,
    } => obstacle.code(),

    #[error("a batch of {batch} is not a part of {}: give a number of at least 1 and below `instances`, or choose `immediate`", of_all(*instances))]
    Batch { batch: u32, instances: Option<u32> } => code! {HF-PLAN-013},

    #[error("`batch` has no meaning for the strategy `{strategy}`: omit it, or choose `rolling`")]
    NoBatches { strategy: Strategy } => code! {HF-PLAN-014},

    #[error("`{field}` is {is} in this rollout, not {other}: keep it, or begin a separate rollout")]
    Otherwise { field: &'static str, is: String, other: String } => code! {HF-PLAN-016},

    #[error("the policy's test cannot be set up: {0}")]
    Test(error: #[from] StatError) => error.code(),
}

fn remedy(strategy: Strategy, obstacle: &Obstacle, instead: Option<Strategy>) -> String {
    match (obstacle, instead) {
        (Obstacle::InstancesUnknown, _) => "give `instances` of the traffic".to_owned(),
        (Obstacle::WholeBatch { .. }, Some(instead)) => {
            format!("set `batch` in the release, or write `{instead}` as `strategy` there")
        }
        (Obstacle::NoPhases, None) => {
            format!("write them under `strategies.{strategy}` of the policy")
        }
        (_, Some(instead)) => format!("write `{instead}` as `strategy` of the release"),
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
            Self::Record { field, .. } | Self::TooLong { field, .. } => field,
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
