//! The policy format: every table with its keys, their types, defaults and rules, a file per concern.

mod metric;
mod phase;
mod root;
mod rule;

pub(super) use root::{from_node, to_node};
