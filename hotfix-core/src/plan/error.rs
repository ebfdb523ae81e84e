//! Errors of a plan.

use crate::canonical::CanonicalError;
use crate::code::code;
use crate::document::ValueFault;
use crate::fact::FactErrors;
use crate::gate::NumstatError;
use crate::grade::{EvidenceMode, Strategy};
use crate::stats::StatError;
use crate::unit::MetricName;

use super::strategy::Obstacle;

/// A plan that is not possible.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// Incident, release or traffic cannot be read.
    #[error("the {document} cannot be read: {fault}")]
    Syntax {
        /// The document.
        document: &'static str,
        /// The fault.
        fault: String,
    },
    /// Incident, release or traffic have values that cannot be read: all of them, with their places.
    #[error("{}", each(faults))]
    Values {
        /// The faults, with a JSON Pointer as [`path`](Self::path) has it; at least one.
        faults: Vec<ValueFault>,
    },
    /// A required text is empty.
    #[error("`{field}` is empty: give it a value")]
    Empty {
        /// The field, as a JSON Pointer.
        field: &'static str,
    },
    /// The release and its previous version are the same.
    #[error(
        "`{version}` is both the release and its previous version: set `previous` to the version for the rollback"
    )]
    SameVersion {
        /// The version.
        version: String,
    },
    /// The bug's metric is not in the policy or has no test.
    #[error(
        "the policy has no metric `{metric}` with a test that the fix works: name one of {known}"
    )]
    BugMetric {
        /// What came.
        metric: MetricName,
        /// Tested metrics.
        known: String,
    },
    /// Facts of the incident that are unknown to the policy or not valid.
    #[error("the facts of the incident cannot be read: {0}")]
    Facts(#[from] FactErrors),
    /// Figures of the diff that are not in git's format.
    #[error("the diff's figures cannot be read: {0}")]
    Numstat(#[from] NumstatError),
    /// Facts that canonical JSON cannot represent: a whole number beyond 2^53.
    #[error("the plan cannot be recorded: {0}")]
    NotRecordable(#[from] CanonicalError),
    /// A figure of the traffic is not possible.
    #[error("`{field}` is `{got}`: give {expected}")]
    Traffic {
        /// The field, as a JSON Pointer.
        field: &'static str,
        /// What came.
        got: String,
        /// What is accepted.
        expected: &'static str,
    },
    /// An invalid change record: a time before an earlier one, an empty text.
    #[error("`{field}` of the change record is not valid: give {expected}")]
    Record {
        /// The field, as a JSON Pointer.
        field: String,
        /// What is accepted.
        expected: &'static str,
    },
    /// A history of a metric whose test cannot be calibrated.
    #[error(
        "a history cannot calibrate the test of `{metric}`: name a latency, a proportion or a count with a `model`, here {known}"
    )]
    HistoryMetric {
        /// What came.
        metric: MetricName,
        /// Metrics that are accepted.
        known: String,
    },
    /// Pairs of events and trials for a latency.
    #[error(
        "a history of pairs cannot calibrate the test of `{metric}`: give rows of {width} counts, of requests up to each of its boundaries and of all; pairs are for {known}"
    )]
    HistoryPairs {
        /// The latency.
        metric: MetricName,
        /// The numbers of a row.
        width: usize,
        /// Metrics whose history is of pairs.
        known: String,
    },
    /// A history that cannot be used.
    #[error("the history of `{metric}` cannot be used: {fault}")]
    History {
        /// The metric.
        metric: MetricName,
        /// The fault.
        fault: StatError,
    },
    /// A history in an evidence mode that uses none.
    #[error(
        "the evidence mode of `{metric}` is `{mode}`, which uses no history: omit it, or write `mode = \"replay\"`"
    )]
    HistoryUnused {
        /// The metric.
        metric: MetricName,
        /// The mode.
        mode: EvidenceMode,
    },
    /// A strategy that is not possible for this release.
    #[error("`{strategy}` cannot be planned: {obstacle}; {}", remedy(*strategy, obstacle, *instead))]
    Strategy {
        /// The strategy.
        strategy: Strategy,
        /// The reason.
        obstacle: Obstacle,
        /// The recommended strategy. None if no other can be planned.
        instead: Option<Strategy>,
    },
    /// A batch of no instance, or of all instances.
    #[error("a batch of {batch} is not a part of {}: give a number of at least 1 and below `instances`, or choose `immediate`", of_all(*instances))]
    Batch {
        /// What came.
        batch: u32,
        /// The number of instances. None if unknown.
        instances: Option<u32>,
    },
    /// A batch for a strategy without batches.
    #[error("`batch` has no meaning for the strategy `{strategy}`: omit it, or choose `rolling`")]
    NoBatches {
        /// The strategy.
        strategy: Strategy,
    },
    /// A release for another attempt that differs in previous version, strategy or batch.
    #[error("`{field}` is {is} in this rollout, not {other}: keep it, or begin a separate rollout")]
    Otherwise {
        /// The field, as a JSON Pointer.
        field: &'static str,
        /// The value in this rollout.
        is: String,
        /// What came.
        other: String,
    },
    /// The policy's figures are not valid for a test.
    #[error("the policy's test cannot be set up: {0}")]
    Test(#[from] StatError),
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

/// Faults with their places, in one sentence.
fn each(faults: &[ValueFault]) -> String {
    let one = |fault: &ValueFault| format!("`{}`: {}", fault.path, fault.sentence);
    faults.iter().map(one).collect::<Vec<_>>().join("; ")
}

impl PlanError {
    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } | Self::Values { .. } => code! {HF-PLAN-001},
            Self::Empty { .. } => code! {HF-PLAN-002},
            Self::SameVersion { .. } => code! {HF-PLAN-003},
            Self::BugMetric { .. } => code! {HF-PLAN-004},
            Self::Traffic { .. } => code! {HF-PLAN-005},
            Self::HistoryMetric { .. } | Self::HistoryPairs { .. } => code! {HF-PLAN-006},
            Self::History { .. } => code! {HF-PLAN-007},
            Self::HistoryUnused { .. } => code! {HF-PLAN-008},
            Self::Facts(_) => code! {HF-PLAN-009},
            Self::Strategy { obstacle, .. } => match obstacle {
                Obstacle::Barred | Obstacle::NoPhases => code! {HF-PLAN-011},
                Obstacle::InstancesUnknown => code! {HF-PLAN-012},
                Obstacle::NoFlags
                | Obstacle::NoCanary
                | Obstacle::FewInstances { .. }
                | Obstacle::WholeBatch { .. } => code! {HF-PLAN-010},
            },
            Self::Batch { .. } => code! {HF-PLAN-013},
            Self::NoBatches { .. } => code! {HF-PLAN-014},
            Self::Numstat(_) => code! {HF-PLAN-015},
            Self::Otherwise { .. } => code! {HF-PLAN-016},
            Self::Test(error) => error.code(),
            Self::Record { .. } => code! {HF-PLAN-017},
            Self::NotRecordable(error) => error.code(),
        }
    }

    /// The place of the error: a JSON Pointer into `{"incident", "release", "traffic",
    /// "calibration"}`. The first one for several facts. Empty for the whole.
    pub fn path(&self) -> String {
        match self {
            Self::Syntax { document, .. } => format!("/{document}"),
            Self::Values { faults } => {
                faults.first().map_or_else(String::new, |fault| fault.path.clone())
            }
            Self::Empty { field } | Self::Traffic { field, .. } | Self::Otherwise { field, .. } => {
                (*field).to_owned()
            }
            Self::Record { field, .. } => field.clone(),
            Self::SameVersion { .. } => "/release/version".to_owned(),
            Self::Numstat(_) => "/release/numstat".to_owned(),
            Self::BugMetric { .. } => "/release/bug_metric".to_owned(),
            Self::HistoryMetric { metric, .. }
            | Self::HistoryPairs { metric, .. }
            | Self::History { metric, .. } => {
                format!("/calibration/{metric}")
            }
            Self::HistoryUnused { .. } => "/calibration".to_owned(),
            Self::Strategy { obstacle: Obstacle::InstancesUnknown, .. } => {
                "/traffic/instances".to_owned()
            }
            Self::Strategy { .. } => "/release/strategy".to_owned(),
            Self::Batch { .. } | Self::NoBatches { .. } => "/release/batch".to_owned(),
            Self::Facts(errors) => errors
                .iter()
                .next()
                .map_or_else(String::new, |error| format!("/incident/facts{}", error.path())),
            Self::NotRecordable(_) | Self::Test(_) => String::new(),
        }
    }
}
