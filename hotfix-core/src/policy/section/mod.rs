//! The sections of a policy: plain data, in range by their types.

mod due;
mod metric;
mod phase;
mod rule;

pub use due::Due;
pub use metric::{
    Bound, BoundValue, Bounds, Efficacy, MOST_BOUNDARIES, MOST_TESTED, Metric, Model,
};
pub use phase::{Approval, Checklist, ChecklistItem, FinalValidation, Phase};
pub use rule::{Clock, Evidence, NoData, Rollback, Triggers, Watch};
