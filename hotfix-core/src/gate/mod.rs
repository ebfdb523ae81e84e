//! What has to be there before a hot-fix goes out: approvals, checklists, reviews, tests, and a change that stays small
//! (GATE-1 to GATE-6).

pub(crate) mod approval;
mod change;
pub(crate) mod checklist;
mod demands;
mod numstat;
mod scope;

pub use approval::{Demand, DemandState, Heard, Said, Word, is_author};
pub use change::{Change, Tidying};
pub use checklist::{Exception, ItemStanding, ItemState, ListStanding, Mark, StepStanding};
pub use demands::{
    ApprovalDemand, Demands, ReviewDemand, RoleDemand, SeverityBasis, StagingDemand, StagingFact,
    StagingVerdict, TestingDemand,
};
pub use numstat::{ChangedFile, ChangedLines, Numstat, NumstatError};
pub use scope::{ScopeBreach, ScopeFigures, ScopeInput, ScopeReport, ScopeRule, ScopeUnknown};
