//! The sections of a policy: plain data, in range by their types.

mod change_record;
mod checklist;
mod classification;
mod command;
mod due;
mod duty;
mod fact;
mod message;
mod message_field;
mod metric;
mod phase;
mod procedure;
mod risk;
mod role;
mod rollback;
mod rule;
mod strategy;
mod tree;
mod vcs;

pub use classification::{Classifier, Effect, Rule};
pub use command::CommandField;
pub use due::Due;
pub use fact::Implication;
pub(in crate::policy) use fact::OPERATORS;
mod scope;
mod severity;

pub use change_record::{Record, ReviewCycle, Slo, TimeRange};
pub use checklist::{Checklist, ChecklistItem};
pub use duty::Duty;
pub use message::{Message, Promise, Report};
pub use message_field::{MESSAGE_FIELDS, MessageField, Reach};
pub use metric::{
    Bound, BoundValue, Bounds, Efficacy, MOST_BOUNDARIES, MOST_TESTED, Metric, Model,
};
pub use phase::{FinalValidation, LaterWatch, Phase};
pub use procedure::{Advice, Deploying, ProcedureStep, Remedy};
pub use risk::{Alternative, Contingency, Risk, SuccessCriterion};
pub use role::{CustomRole, Holder, Vendor};
pub use rollback::{Rollback, RollbackStep, RollbackWay};
pub use rule::{Clock, Evidence, NoData, Triggers, Watch};
pub use scope::Scope;
pub use severity::{Approval, Review, SeverityLevel, Testing};
pub use strategy::{InsteadOf, PhaseChanges, StrategySettings};
pub use tree::{Answer, Branches, Leaf, Question, Target, Tree};
pub use vcs::{CommitForm, CommitLabels, PullRequest, Vcs, VcsWay};
