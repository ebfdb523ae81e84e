//! The policy format: every table with its keys, their types, defaults and rules, a file per concern.

mod checklist;
mod classification;
mod condition;
mod duty;
mod entries;
mod metric;
mod phase;
mod role;
mod root;
mod rule;
mod scope;
mod severity;
mod tree;

pub(super) use root::{from_node, to_node};
