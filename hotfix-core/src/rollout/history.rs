//! A log read line by line, each with the rollout after it.

use crate::deadline::Replan;
use crate::unit::Timestamp;

use super::action::Action;
use super::input::{Input, InputKind};
use super::stage::Stage;

/// What a line of the log records.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Recorded<'a> {
    /// The opening: policy and plan are the rollout's.
    Opened,
    /// An input that was refused.
    Refused {
        /// What came.
        got: Option<InputKind>,
        /// The code of the refusal.
        code: &'a str,
    },
    /// An input that was accepted, as it came; a redacted name is its digest.
    Taken(&'a Input),
}

/// One line of a log: what it records, and its outcome.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry<'a> {
    /// Its number, from 0.
    pub seq: u64,
    /// When it happened.
    pub at: Timestamp,
    /// The sender's time, where it was not accepted.
    pub claimed_at: Option<Timestamp>,
    /// What it records.
    pub recorded: Recorded<'a>,
    /// What was to be done.
    pub actions: &'a [Action],
    /// Changes of the duties, where known data changed.
    pub replans: &'a [Replan],
    /// The stage that it led to, where it led to one.
    pub to: Option<&'a Stage>,
    /// Whether a verdict was made: the rollout's.
    pub judged: bool,
}
