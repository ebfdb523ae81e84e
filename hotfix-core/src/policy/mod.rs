//! A checked policy: what a house, or one of the documents, wants.
//!
//! A `Policy` that exists is in range and consistent enough to run; engines take `&Policy`, so none can see an
//! unchecked one. Figures live in `policies/*.toml`, not in code.

pub mod section;

use section::{
    Approval, Checklist, Clock, Efficacy, Evidence, FinalValidation, Metric, Phase, Rollback,
    Triggers, Watch,
};

use crate::grade::Strategy;
use crate::unit::{Name, Span};

/// A checked policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub(crate) name: Name,
    pub(crate) title: String,
    pub(crate) strategy: Strategy,
    pub(crate) clock: Clock,
    pub(crate) evidence: Evidence,
    pub(crate) watch: Watch,
    pub(crate) approvals: Vec<Approval>,
    pub(crate) checklists: Vec<Checklist>,
    pub(crate) phases: Vec<Phase>,
    pub(crate) final_validation: FinalValidation,
    pub(crate) after: Vec<Span>,
    pub(crate) metrics: Vec<Metric>,
    pub(crate) efficacy: Option<Efficacy>,
    pub(crate) triggers: Triggers,
    pub(crate) rollback: Rollback,
}
