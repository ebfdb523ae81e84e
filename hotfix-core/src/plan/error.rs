//! A plan that cannot be made.

use crate::canonical::CanonicalError;
use crate::fact::FactErrors;
use crate::gate::NumstatError;
use crate::grade::{EvidenceMode, Strategy};
use crate::stats::StatError;
use crate::unit::MetricName;

use super::strategy::Obstacle;

/// A plan that cannot be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// Incident, release or traffic cannot be read.
    #[error("the {document} cannot be read: {fault}")]
    Syntax {
        /// Which document.
        document: &'static str,
        /// What is wrong.
        fault: String,
    },
    /// A text that must be there is empty.
    #[error("`{field}` is empty: give it a value")]
    Empty {
        /// The field, as a JSON Pointer.
        field: &'static str,
    },
    /// The release is the version it would go back to.
    #[error(
        "`{version}` is both the release and the version to go back to: name the version before it"
    )]
    SameVersion {
        /// The version.
        version: String,
    },
    /// The bug's metric is not in the policy, or has no test.
    #[error(
        "the policy has no tested metric `{metric}` to show that the fix works: name one of {known}"
    )]
    BugMetric {
        /// What came.
        metric: MetricName,
        /// Tested metrics.
        known: String,
    },
    /// Facts of the incident that the policy does not know, or that cannot be.
    #[error("the facts of the incident cannot be read: {0}")]
    Facts(#[from] FactErrors),
    /// Figures of the diff that git does not print so.
    #[error("the diff's figures cannot be read: {0}")]
    Numstat(#[from] NumstatError),
    /// Facts that canonical JSON cannot hold: a whole number beyond 2^53.
    #[error("the plan cannot be recorded: {0}")]
    NotRecordable(#[from] CanonicalError),
    /// Traffic that cannot be.
    #[error("`{field}` is `{got}`: give {expected}")]
    Traffic {
        /// The field, as a JSON Pointer.
        field: &'static str,
        /// What came.
        got: String,
        /// What would do.
        expected: &'static str,
    },
    /// A record that cannot be: a time before an earlier one, an empty text.
    #[error("`{field}` of the record cannot be: give {expected}")]
    Record {
        /// The field, as a JSON Pointer.
        field: String,
        /// What would do.
        expected: &'static str,
    },
    /// A history of a metric whose test cannot be calibrated.
    #[error(
        "`{metric}` has no test that a history calibrates: name a proportion or count with the model `poisson`, here {known}"
    )]
    HistoryMetric {
        /// What came.
        metric: MetricName,
        /// Metrics that would do.
        known: String,
    },
    /// What is no history.
    #[error("the history of `{metric}` is none: {fault}")]
    History {
        /// The metric.
        metric: MetricName,
        /// What is wrong.
        fault: StatError,
    },
    /// A history where the policy's mode uses none.
    #[error(
        "the policy's evidence mode is `{mode}`, which uses no history: leave it out, or write `mode = \"replay\"`"
    )]
    HistoryUnused {
        /// The mode.
        mode: EvidenceMode,
    },
    /// A strategy that this release cannot have.
    #[error("`{strategy}` cannot be planned: {obstacle}; {}", remedy(*strategy, obstacle, *instead))]
    Strategy {
        /// The strategy.
        strategy: Strategy,
        /// Why not.
        obstacle: Obstacle,
        /// The strategy that is advised; none where no other can be planned either.
        instead: Option<Strategy>,
    },
    /// A batch of none, or of all instances.
    #[error("a batch of {batch} is no part of {}: give a number of at least 1 and below `instances`, or choose `immediate`", of_all(*instances))]
    Batch {
        /// What came.
        batch: u32,
        /// How many instances there are; none: not known.
        instances: Option<u32>,
    },
    /// A batch without batches.
    #[error("`batch` says nothing of the strategy `{strategy}`: leave it out, or choose `rolling`")]
    NoBatches {
        /// The strategy.
        strategy: Strategy,
    },
    /// A release that takes the place of another, or is tried next, and goes by something else.
    #[error(
        "`{field}` is {is} in this rollout, not {other}: leave it as it is, or begin a rollout of its own"
    )]
    Otherwise {
        /// The field, as a JSON Pointer.
        field: &'static str,
        /// What it is.
        is: String,
        /// What came.
        other: String,
    },
    /// The policy's figures are no test's.
    #[error("the policy has no test: {0}")]
    Test(#[from] StatError),
}

fn remedy(strategy: Strategy, obstacle: &Obstacle, instead: Option<Strategy>) -> String {
    match (obstacle, instead) {
        (Obstacle::InstancesUnknown, _) => "give `instances` of the traffic".to_owned(),
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
    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "HF-PLAN-001",
            Self::Empty { .. } => "HF-PLAN-002",
            Self::SameVersion { .. } => "HF-PLAN-003",
            Self::BugMetric { .. } => "HF-PLAN-004",
            Self::Traffic { .. } => "HF-PLAN-005",
            Self::HistoryMetric { .. } => "HF-PLAN-006",
            Self::History { .. } => "HF-PLAN-007",
            Self::HistoryUnused { .. } => "HF-PLAN-008",
            Self::Facts(_) => "HF-PLAN-009",
            Self::Strategy { obstacle, .. } => match obstacle {
                Obstacle::Barred | Obstacle::NoPhases => "HF-PLAN-011",
                Obstacle::InstancesUnknown => "HF-PLAN-012",
                Obstacle::NoFlags
                | Obstacle::NoCanary
                | Obstacle::FewInstances { .. }
                | Obstacle::WholeBatch { .. } => "HF-PLAN-010",
            },
            Self::Batch { .. } => "HF-PLAN-013",
            Self::NoBatches { .. } => "HF-PLAN-014",
            Self::Numstat(_) => "HF-PLAN-015",
            Self::Otherwise { .. } => "HF-PLAN-016",
            Self::Test(error) => error.code(),
            Self::Record { .. } => "HF-PLAN-017",
            Self::NotRecordable(error) => error.code(),
        }
    }

    /// Where it is wrong: a JSON Pointer into `{"incident", "release", "traffic", "calibration"}`; of several facts the
    /// first; empty for the whole.
    pub fn path(&self) -> String {
        match self {
            Self::Syntax { document, .. } => format!("/{document}"),
            Self::Empty { field } | Self::Traffic { field, .. } | Self::Otherwise { field, .. } => {
                (*field).to_owned()
            }
            Self::Record { field, .. } => field.clone(),
            Self::SameVersion { .. } => "/release/version".to_owned(),
            Self::Numstat(_) => "/release/numstat".to_owned(),
            Self::BugMetric { .. } => "/release/bug_metric".to_owned(),
            Self::HistoryMetric { metric, .. } | Self::History { metric, .. } => {
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
