//! Writing of the log: the chain's head, the lines of the last call and, where kept, all lines.

use std::borrow::Cow;

use crate::canonical::{CanonicalError, Digest, Encoder};
use crate::unit::Timestamp;

use super::event::{Event, EventKind, LOG_FORMAT, Personal};
use super::input::Input;
use super::personal::Salt;
use crate::plan::Plan;

/// How log lines are recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recording {
    /// Lines are returned with each outcome and kept for [`Rollout::log`](super::Rollout::log).
    #[default]
    Keep,
    /// Lines are only returned with each outcome: memory does not grow.
    HandOut,
    /// No lines are written, so there is no head: for simulation.
    Off,
}

/// The chain and its lines.
#[derive(Clone, Debug)]
pub(super) struct Journal {
    recording: Recording,
    encoder: Encoder,
    pub(super) head: Digest,
    pub(super) salt: Salt,
    last: Vec<u8>,
    kept: Vec<u8>,
}

impl Journal {
    /// Bytes of memory that are kept for the lines of the next call: most have a few thousand.
    const MOST_KEPT: usize = 16 * 1024;

    pub(super) fn new(recording: Recording, salt: &str) -> Self {
        Self {
            recording,
            encoder: Encoder::new(),
            head: Digest::ZERO,
            salt: Salt::new(Some(salt)),
            last: Vec::new(),
            kept: Vec::new(),
        }
    }

    pub(super) fn is_on(&self) -> bool {
        self.recording != Recording::Off
    }

    /// Begins a call and drops the lines of the last one.
    pub(super) fn begin(&mut self) {
        self.last.clear();
        // The first line is many times as long as all others.
        self.last.shrink_to(Self::MOST_KEPT);
    }

    /// The lines of the present call.
    pub(super) fn lines(&self) -> &str {
        // The encoder writes JSON, which is UTF-8.
        std::str::from_utf8(&self.last).unwrap_or_default()
    }

    /// Every line so far; empty unless kept.
    pub(super) fn log(&self) -> &str {
        std::str::from_utf8(&self.kept).unwrap_or_default()
    }

    /// Continues a log that was read: its head, and its text where lines are kept.
    pub(super) fn resume(&mut self, head: Digest, log: &[u8]) {
        self.head = head;
        if self.recording == Recording::Keep {
            self.kept = log.to_vec();
        }
    }

    /// Writes one event at the end of the chain.
    ///
    /// # Errors
    /// What canonical JSON cannot hold. Facts, readings and verdicts are checked where they are
    /// made, so none is expected; a line that was lost in silence would be worse than an error
    /// nobody sees.
    pub(super) fn write(&mut self, event: &Event<'_>) -> Result<(), CanonicalError> {
        if !self.is_on() {
            return Ok(());
        }
        let from = self.last.len();
        self.head = self.encoder.seal(event, &mut self.last)?;
        if self.recording == Recording::Keep {
            self.kept.extend_from_slice(&self.last[from..]);
        }
        Ok(())
    }

    /// Writes the first line: policy, plan, calibrations and salt.
    pub(super) fn open(&mut self, at: Timestamp, plan: &Plan) -> Result<(), CanonicalError> {
        if !self.is_on() {
            return Ok(());
        }
        let salt = std::mem::take(&mut self.salt);
        let mut event = Event::new(EventKind::Opened, 0, at, self.head);
        event.format = Some(LOG_FORMAT);
        let calibrations = plan.calibrations();
        event.calibration = (!calibrations.is_empty()).then_some(Cow::Borrowed(calibrations));
        let mut personal = Personal { salt: salt.text().map(Cow::Borrowed), ..Personal::default() };
        event.policy = Some(Box::new(salt.hide_in(plan.policy(), "/policy", &mut personal)));
        event.plan = Some(Box::new(salt.hide_in(plan.subject(), "/plan", &mut personal)));
        event.plan_digest = Some(plan.digest());
        event.personal = Some(personal);
        let written = self.write(&event);
        drop(event);
        self.encoder = Encoder::new();
        self.salt = salt;
        written
    }

    /// Starts a line for this input: its fields, with digests in place of names.
    pub(super) fn line<'a>(
        &mut self,
        input: &'a Input,
        kind: EventKind,
        seq: u64,
        at: Timestamp,
        claimed_at: Option<Timestamp>,
    ) -> Event<'a> {
        let mut event = Event::new(kind, seq, at, self.head);
        event.claimed_at = claimed_at;
        event.key = input.key.as_deref().map(Cow::Borrowed);
        let heard_by = input.command.heard_by();
        event.heard_by = heard_by.map(|name| self.salt.digest(name));
        event.by = input.by.as_deref().map(|name| self.salt.digest(name));
        if input.by.is_some() || heard_by.is_some() {
            event.personal = Some(Personal {
                by: input.by.as_deref().map(Cow::Borrowed),
                heard_by: heard_by.map(Cow::Borrowed),
                ..Personal::default()
            });
        }
        event
    }
}
