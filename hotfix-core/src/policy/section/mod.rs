//! The sections of a policy: plain data, in range by their types.

mod classification;
mod due;
mod fact;
mod metric;
mod phase;
mod rule;
mod tree;

pub use classification::{Classification, Effect, Rule};
pub use due::Due;
pub use fact::Implication;
pub(in crate::policy) use fact::OPERATORS;
pub use metric::{
    Bound, BoundValue, Bounds, Efficacy, MOST_BOUNDARIES, MOST_TESTED, Metric, Model,
};
pub use phase::{Approval, Checklist, ChecklistItem, FinalValidation, Phase};
pub use rule::{Clock, Evidence, NoData, Rollback, Triggers, Watch};
pub use tree::{Answer, Branches, Leaf, Question, Target, Tree};
