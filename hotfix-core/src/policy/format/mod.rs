//! The policy format: every table with its keys, their types, defaults and rules, a file per concern.

mod classification;
mod condition;
mod metric;
mod phase;
mod root;
mod rule;
mod tree;

pub(super) use root::{from_node, to_node};
