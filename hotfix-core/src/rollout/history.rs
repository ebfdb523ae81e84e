//! A log read line by line, each with the rollout after it.

use crate::deadline::Replan;
use crate::unit::Timestamp;

use super::action::Action;
use super::event::EventKind;
use super::input::{Input, InputKind};
use super::journal::Recording;
use super::log::LogError;
use super::{Rollout, Stage};

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

impl Rollout {
    /// Replays a whole log, strictly, and passes each line with the rollout after it. It keeps no
    /// lines.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use hotfix_core::{plan::Plan, policy::Policy, rollout::{Input, Recording}};
    /// use hotfix_core::rollout::{Recorded, Rollout};
    /// # let policy = Arc::new(Policy::preset("phased-canary")?);
    /// # let release = r#"{"version": "2", "previous": "1"}"#;
    /// # let plan = Plan::from_json(policy, r#"{"id": "INC-1"}"#, release, "")?;
    /// # let mut rollout = Rollout::try_new(plan, Recording::Keep, "")?;
    /// # let note = Input::from_json(r#"{"kind": "note", "by": "lena", "text": "found it"}"#)?;
    /// # rollout.handle("2026-03-03T14:40:00Z".parse()?, &note).map_err(|refusal| refusal.reason)?;
    /// let mut inputs = Vec::new();
    /// Rollout::replay_each(rollout.log().as_bytes(), |_, entry| {
    ///     if let Recorded::Taken(input) = entry.recorded {
    ///         inputs.push((entry.at.to_string(), input.command.kind().as_str()));
    ///     }
    /// })?;
    /// assert_eq!(inputs, [("2026-03-03T14:40:00.000Z".to_owned(), "note")]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`replay`](Self::replay).
    pub fn replay_each(
        log: &[u8],
        mut each: impl FnMut(&Self, &Entry<'_>),
    ) -> Result<Self, LogError> {
        Self::read_lines(log, Recording::HandOut, |rollout, line, folded| {
            let event = &line.event;
            let recorded = match (event.kind, folded) {
                (EventKind::Opened, _) => Recorded::Opened,
                (_, Some(folded)) => Recorded::Taken(&folded.input),
                (_, None) => Recorded::Refused {
                    got: event.got,
                    code: event.code.as_deref().unwrap_or_default(),
                },
            };
            let entry = Entry {
                seq: event.seq,
                at: event.at,
                claimed_at: event.claimed_at,
                recorded,
                actions: &event.actions,
                replans: &event.replans,
                to: folded.filter(|folded| folded.moved).map(|_| &rollout.case.stage),
                judged: folded.is_some_and(|folded| folded.judged),
            };
            each(rollout, &entry);
        })
    }
}
