//! The sections of a policy: plain data, in range by their types.

mod checklist;
mod classification;
mod due;
mod duty;
mod fact;
mod metric;
mod phase;
mod role;
mod rule;
mod tree;

pub use classification::{Classifier, Effect, Rule};
pub use due::Due;
pub use fact::Implication;
pub(in crate::policy) use fact::OPERATORS;
mod scope;
mod severity;

pub use checklist::{Checklist, ChecklistItem};
pub use duty::{Duty, Lasts};
pub use metric::{
    Bound, BoundValue, Bounds, Efficacy, MOST_BOUNDARIES, MOST_TESTED, Metric, Model,
};
pub use phase::{FinalValidation, Phase};
pub use role::{Holder, HouseRole, Vendor};
pub use rule::{Clock, Evidence, NoData, Rollback, Triggers, Watch};
pub use scope::Scope;
pub use severity::{Approval, Review, SeverityLevel, Testing};
pub use tree::{Answer, Branches, Leaf, Question, Target, Tree};
