//! The policy format: every table with its keys, their types, defaults and rules, a file per
//! concern.

mod change_record;
mod checklist;
mod classification;
mod command;
mod condition;
mod duty;
mod entries;
mod list;
mod message;
mod metric;
mod phase;
mod procedure;
mod risk;
mod role;
mod rollback;
mod root;
mod rule;
mod scope;
mod severity;
mod strategy;
mod tree;
mod vcs;

pub(super) use root::{check_form, from_node, inheritable, to_node};
