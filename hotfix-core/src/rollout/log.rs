//! Reads a log: each line is checked and folded; decisions are taken as recorded.

use std::borrow::Cow;
use std::sync::Arc;

use crate::canonical::{Digest, LineError, read_line};
use crate::code::{code, coded};
use crate::deadline::Replan;
use crate::judge::Comparison;
use crate::metric::ReadingError;
use crate::plan::{Plan, PlanError};
use crate::stats::StatError;
use crate::unit::{RoleName, Timestamp};

use super::Rollout;
use super::action::Action;
use super::event::{Event, EventKind};
use super::input::{Input, InputError, InputKind};
use super::journal::Recording;
use super::moments::update_agenda;
use super::personal::Salt;
use super::stage::Stage;
use super::state::Resolved;
use super::version;

/// A log that cannot be read: which line, and what was expected.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct LogError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub fault: LogFault,
}

impl LogError {
    pub(crate) const EMPTY: Self = Self { line: 1, fault: LogFault::Empty };

    /// The stable code of the fault.
    pub const fn code(&self) -> &'static str {
        self.fault.code()
    }
}

const OPENING: &str = code! {HF-LOG-006};

coded! {
    /// What is wrong with a line.
    #[derive(Clone, Debug, PartialEq, thiserror::Error)]
    pub enum LogFault;

    /// The log has no complete line.
    #[error("the log has no complete line: pass the log from its first line, which has the plan")]
    Empty => "HF-LOG-001",
    /// The last line has no line feed.
    #[error("the last line is incomplete: use `recover`, or cut off what follows the last line feed")]
    Torn => "HF-LOG-002",
    /// Its hash does not match its content, or it is not a line of a log.
    #[error("{0}")]
    Line(error: #[from] LineError) => error.code(),
    /// It does not follow the line before.
    #[error(
        "it does not follow the line before ({found}, expected {expected}): a line was removed, \
         moved, inserted or replaced"
    )]
    Chain { expected: Digest, found: Digest } => "HF-LOG-003",
    /// Its number is not the next one.
    #[error("line sequence is {found}, expected {expected}: a line is missing or duplicated")]
    Sequence { expected: u64, found: u64 } => "HF-LOG-004",
    /// Its event cannot be read.
    #[error("its event cannot be read: {fault}")]
    Event { fault: String } => "HF-LOG-005",
    /// The first line is not the opening, or a later one is.
    #[error(
        "the opening line, with the plan, has to be the first line and no other: the beginning of \
         the log is missing, or two logs were joined"
    )]
    Opening => OPENING,
    /// Lines after a snapshot begin with the opening.
    #[error("it is the opening of a log: pass only the lines after the snapshot")]
    Whole => OPENING,
    /// The recomputed outcome differs from the recorded one.
    #[error(
        "audit mismatch: the recorded {what} and the recomputed {what} differ: the log was \
         edited, or was written by a version that decides differently (see the changelog)"
    )]
    Outcome {
        /// What differs: plan, verdict, stage, plan of duties, or actions.
        what: &'static str,
    } => "HF-LOG-007",
    /// The log does not end with the expected line.
    #[error(
        "the log's head is {found}, expected {expected}: lines are missing or added at its end, \
         or it is another log"
    )]
    Head { expected: Digest, found: Digest } => "HF-LOG-008",
    /// A newer release wrote it, and this one cannot read it.
    #[error("{what} needs {needs}, and this is release {here}: read the log with a newer one")]
    Newer { what: String, needs: String, here: &'static str } => "HF-LOG-009",
    /// A name in `personal` does not match its salted digest in the hashed part.
    #[error(
        "the name at `{place}` of `personal` does not match its salted digest in the line: \
         restore the name, or remove it"
    )]
    Name {
        /// Its place, as a JSON Pointer into the line.
        place: String,
    } => "HF-LOG-010",
    /// The plan of the opening line is not valid.
    #[error("its plan is not valid: {0}")]
    Plan(error: #[from] PlanError) => error.code(),
    /// A test cannot be built from the policy's figures.
    #[error("a test cannot be built from its policy: {0}")]
    Test(error: #[from] StatError) => error.code(),
    /// The input that it records is not valid.
    #[error("its input cannot be read: {0}")]
    Input(error: #[from] InputError) => error.code(),
    /// The reading that it records is impossible.
    #[error("its reading is impossible: {0}")]
    Reading(error: #[from] ReadingError) => error.code(),
}

/// A rollout that was restored after a crash.
#[derive(Clone, Debug)]
pub struct Recovered {
    /// The rollout after the last complete line.
    pub rollout: Rollout,
    /// Length of the valid prefix in bytes: truncate the file to it before appending.
    pub length: usize,
    /// Whether an incomplete last line was dropped. Its input was not accepted: deliver it again.
    pub dropped: bool,
}

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
        /// Who sent it, unless the name was redacted.
        by: Option<&'a str>,
        /// In which role, where it was an objection.
        role: Option<RoleName>,
        /// Its reason.
        why: Option<&'a str>,
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
    /// Whether a verdict was made; the rollout has it.
    pub judged: bool,
    /// The comparison table of the attempt that it ended, where it superseded a release.
    pub superseded: Option<&'a Comparison>,
}

impl Rollout {
    /// Restores a rollout from a whole log. Every line has to be valid.
    ///
    /// # Errors
    /// [`LogError`] with the first line that is wrong, and a [`LogFault`] other than `Outcome` and
    /// `Head`.
    pub fn replay(log: &[u8], recording: Recording) -> Result<Self, LogError> {
        Self::read_lines(log, recording, |_, _, _| ())
    }

    /// Reads a whole log and passes each line to `each`: with the rollout after it, and what was
    /// folded where an input was accepted.
    pub(super) fn read_lines(
        log: &[u8],
        recording: Recording,
        mut each: impl FnMut(&Self, &LogLine, Option<&Folded>),
    ) -> Result<Self, LogError> {
        let mut lines = Lines::whole(log)?;
        let first = lines.next().ok_or(LogError::EMPTY)??.trusted()?;
        let mut rollout = Self::reopen(&first, recording)?;
        each(&rollout, &first, None);
        for line in &mut lines {
            let mut line = line?.trusted()?;
            let folded = rollout.replay_line(&mut line)?;
            each(&rollout, &line, folded.as_ref());
        }
        rollout.journal.resume(lines.head, log);
        Ok(rollout)
    }

    /// Reads and verifies a whole log; the returned function folds its lines. For benches, which
    /// measure the one without the other.
    #[doc(hidden)]
    pub fn reading(
        log: &[u8],
    ) -> Result<impl FnOnce() -> Result<Self, LogError> + Clone + use<>, LogError> {
        let mut lines = Lines::whole(log)?;
        let read = lines.by_ref().map(|line| line?.trusted()).collect::<Result<Vec<_>, _>>()?;
        let head = lines.head;
        Ok(move || {
            let mut read = read.into_iter();
            let first = read.next().ok_or(LogError::EMPTY)?;
            let mut rollout = Self::reopen(&first, Recording::HandOut)?;
            for mut line in read {
                rollout.replay_line(&mut line)?;
            }
            rollout.journal.resume(head, &[]);
            Ok(rollout)
        })
    }

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
                    by: event.personal.as_ref().and_then(|of| of.by.as_deref()),
                    role: event.role,
                    why: event.why.as_deref(),
                },
            };
            let entry = Entry {
                seq: event.seq,
                at: event.at,
                claimed_at: event.claimed_at,
                recorded,
                actions: &event.actions,
                replans: &event.replans,
                to: folded.filter(|folded| folded.moved).map(|_| rollout.stage()),
                judged: folded.is_some_and(|folded| folded.judged),
                superseded: folded.and_then(|folded| folded.superseded.as_ref()),
            };
            each(rollout, &entry);
        })
    }

    /// Restores a rollout from a log whose last line may be incomplete after a crash in mid-write.
    ///
    /// # Errors
    /// As [`replay`](Self::replay) for the complete lines; [`LogFault::Empty`] where no line is
    /// complete.
    pub fn recover(log: &[u8], recording: Recording) -> Result<Recovered, LogError> {
        let length = log.iter().rposition(|b| *b == b'\n').map_or(0, |last| last + 1);
        let rollout = Self::replay(&log[..length], recording)?;
        Ok(Recovered { rollout, length, dropped: length < log.len() })
    }

    /// The rollout that an opening line begins.
    pub(super) fn reopen(line: &LogLine, recording: Recording) -> Result<Self, LogError> {
        let Event { kind: EventKind::Opened, policy: Some(policy), plan: Some(plan), .. } =
            &*line.event
        else {
            return Err(line.error(LogFault::Opening));
        };
        let calibrations = line.event.calibration.clone().map(Cow::into_owned);
        let plan = Plan::restored(
            Arc::new(policy.as_ref().clone().into_owned()),
            plan.as_ref().clone().into_owned(),
            calibrations.unwrap_or_default(),
        )
        .map_err(|e| line.error(e.into()))?;
        let personal = line.event.personal.as_ref();
        let mut rollout = Self::try_new(plan, recording, "").map_err(|e| line.error(e.into()))?;
        rollout.journal.salt = Salt::new(personal.and_then(|p| p.salt.as_deref()));
        rollout.case.open(&rollout.plan, line.event.at);
        Ok(rollout)
    }

    /// Folds one line: the input, then its recorded outcome. Returns the input, where one was
    /// accepted.
    pub(super) fn replay_line(&mut self, line: &mut LogLine) -> Result<Option<Folded>, LogError> {
        let at = line.event.at;
        let kind = match line.event.kind {
            EventKind::Opened => return Err(line.error(LogFault::Opening)),
            EventKind::Refused => {
                let code = line.event.code.as_deref().unwrap_or_default();
                self.case.note_refusal(code, line.event.claimed_at.unwrap_or(at));
                return Ok(None);
            }
            EventKind::Taken(kind) => kind,
        };
        let superseded = (kind == InputKind::Supersede).then(|| self.comparison());
        let (input, resolved) = self.fold_line(line, kind)?;
        let event = &mut line.event;
        let Self { case, plan, changes, .. } = &mut *self;
        let verdict = event.verdict.take().map(Cow::into_owned);
        let judged = verdict.and_then(|verdict| case.take_verdict(plan, at, verdict));
        let mut to = event.to.take().map(Cow::into_owned);
        changes.replans.clear();
        update_agenda(case, plan, at, &input, to.as_ref(), &mut changes.replans);
        case.agenda.advance(at);
        let (moved, is_judged) = (to.is_some(), judged.is_some());
        case.settle(plan, at, (&input, &resolved.relapse), &mut to, &event.actions, judged);
        Ok(Some(Folded { input, moved, judged: is_judged, superseded }))
    }

    /// Folds the input of a line; returns it with the result of the fold.
    pub(super) fn fold_line(
        &mut self,
        line: &mut LogLine,
        kind: InputKind,
    ) -> Result<(Input, Resolved), LogError> {
        let at = line.event.at;
        let input: Input = line
            .event
            .take_document(kind)
            .into_input(kind)
            .map_err(|e: InputError| line.error(e.into()))?;
        let made = self.make(at, &input.command).map_err(|fault| line.error(fault))?;
        let resolved = self.fold(at, &input, line.event.author, made);
        Ok((input, resolved))
    }
}

/// What a line was, once it is folded.
pub(super) struct Folded {
    pub(super) input: Input,
    /// It led to another stage, or to the same one again.
    pub(super) moved: bool,
    /// It has a verdict.
    pub(super) judged: bool,
    pub(super) superseded: Option<Comparison>,
}

/// The log, where its last line is complete.
pub(super) fn complete(log: &[u8]) -> Result<&[u8], LogError> {
    if log.last().is_none_or(|last| *last == b'\n') {
        return Ok(log);
    }
    let line = 1 + log.iter().filter(|b| **b == b'\n').count();
    Err(LogError { line, fault: LogFault::Torn })
}

/// A line that was checked against its hash and the line before.
#[derive(Clone, Debug)]
pub(super) struct LogLine {
    pub(super) number: usize,
    /// Boxed because it is large and is passed on.
    pub(super) event: Box<Event<'static>>,
    /// The place of a name that does not match its hashed digest. The name is not in `event`.
    pub(super) forged: Option<String>,
}

impl LogLine {
    /// The line, where its names match the hashed digests.
    pub(super) fn trusted(mut self) -> Result<Self, LogError> {
        match self.forged.take() {
            Some(place) => Err(self.error(LogFault::Name { place })),
            None => Ok(self),
        }
    }

    pub(super) const fn error(&self, fault: LogFault) -> LogError {
        LogError { line: self.number, fault }
    }
}

/// The lines of a log in order, with the chain checked.
pub(super) struct Lines<'a> {
    /// The lines follow a snapshot.
    is_tail: bool,
    rest: &'a [u8],
    number: usize,
    next: u64,
    pub(super) head: Digest,
    salt: Salt,
}

impl<'a> Lines<'a> {
    pub(super) fn new(log: &'a [u8]) -> Self {
        let (head, salt) = (Digest::ZERO, Salt::default());
        Self { is_tail: false, rest: log, number: 0, next: 0, head, salt }
    }

    /// The lines after the first `next` ones, the last of which has this hash; numbered from 1
    /// again.
    pub(super) const fn after(log: &'a [u8], next: u64, head: Digest, salt: Salt) -> Self {
        Self { is_tail: true, rest: log, number: 0, next, head, salt }
    }

    /// The lines of a log whose last one is complete.
    pub(super) fn whole(log: &'a [u8]) -> Result<Self, LogError> {
        Ok(Self::new(complete(log)?))
    }

    fn read(&mut self, line: &[u8]) -> Result<(Box<Event<'static>>, Option<String>), LogFault> {
        // A line that cannot be read counts as well.
        let number = self.next;
        self.next += 1;
        let (line, event) = read_line(line).inspect_err(|error| {
            // The lines after it may be as they were written.
            if let LineError::Mismatch { written, .. } = error {
                self.head = *written;
            }
        })?;
        let expected = std::mem::replace(&mut self.head, line.hash());
        if line.prev() != expected {
            let is_whole = self.is_tail && line.prev() == Digest::ZERO;
            let fault = LogFault::unchained(expected, line.prev());
            return Err(if is_whole { LogFault::Whole } else { fault });
        }
        let mut event = version::checked(event, line.text())?;
        if event.seq != number {
            let expected = number;
            self.next = event.seq.saturating_add(1);
            return Err(LogFault::Sequence { expected, found: event.seq });
        }
        let forged = self.salt.reveal(&mut event, line.text());
        Ok((event, forged))
    }
}

impl LogFault {
    /// The fault of a line that does not follow the one before. Only an opening follows no line.
    pub(super) fn unchained(expected: Digest, found: Digest) -> Self {
        if [expected, found].contains(&Digest::ZERO) {
            Self::Opening
        } else {
            Self::Chain { expected, found }
        }
    }
}

impl Iterator for Lines<'_> {
    type Item = Result<LogLine, LogError>;

    /// After a line with another content than its hash, the next one is checked against that hash.
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', self.rest).map_or(self.rest.len(), |end| end + 1);
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.number += 1;
        let number = self.number;
        Some(
            self.read(line)
                .map(|(event, forged)| LogLine { number, event, forged })
                .map_err(|fault| LogError { line: number, fault }),
        )
    }
}
