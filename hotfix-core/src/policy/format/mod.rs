//! The policy format: every table with its keys, their types, defaults and rules, a file per concern.

mod metric;
mod phase;
mod root;
mod rule;

pub(super) use root::{check_form, from_node, inheritable, to_node};
