//! Gates of a hot-fix: approvals, checklists, reviews, tests, and the scope guard.
//!
//! Pure functions on values: a [`Demand`] for approval with its [`Statement`]s, the [`ListStatus`]
//! of a checklist, the [`ScopeReport`] of a [`Change`]. A plan and a rollout return them.

pub(crate) mod approval;
mod change;
pub(crate) mod checklist;
mod contact;
mod demands;
mod numstat;
pub(crate) mod person;
mod scope;

pub use crate::policy::section::Exception;
pub use approval::{Answer, Demand, DemandState, Heard, Statement};
pub use change::{Change, Tidying};
pub use checklist::{ItemState, ItemStatus, ListStatus, Mark, StepStatus};
pub use contact::{Holder, Who};
pub use demands::{
    ApprovalDemand, Demands, ReviewDemand, RoleDemand, SeverityBasis, StagingDemand, StagingFact,
    StagingVerdict, TestingDemand,
};
pub use numstat::{ChangedFile, ChangedLines, Numstat, NumstatError};
pub use person::is_same_person;
pub use scope::{ScopeBreach, ScopeFigures, ScopeInput, ScopeReport, ScopeRule, ScopeUnknown};
