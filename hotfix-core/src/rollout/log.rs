//! Reading a log: every line checked, folded, nothing concluded anew (ROLL-7).

use std::sync::Arc;

use crate::canonical::{Digest, LineError, read_line};
use crate::metric::ReadingError;
use crate::plan::{Plan, PlanError};
use crate::stats::StatError;

use super::Rollout;
use super::event::{Event, EventKind, read};
use super::explain::Question;
use super::input::{Input, InputError, InputKind};
use super::journal::Recording;
use super::personal::Salt;
use super::version;

/// A log that cannot be taken up: which line, and what was expected.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct LogError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub fault: LogFault,
}

impl LogError {
    /// The stable code of the fault.
    pub const fn code(&self) -> &'static str {
        self.fault.code()
    }
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LogFault {
    /// There is no line.
    #[error("the log has no complete line: begin with the plan")]
    Empty,
    /// The last line has no line feed.
    #[error("the last line is incomplete: `recover` drops it")]
    Torn,
    /// Its hash is not that of its content, or it is no line of a log.
    #[error("{0}")]
    Line(#[from] LineError),
    /// It does not follow the line before.
    #[error(
        "it follows {found}, expected {expected}: a line was changed, moved or taken out before it"
    )]
    Chain {
        /// The hash of the line before.
        expected: Digest,
        /// What the line says.
        found: Digest,
    },
    /// Its number is not the next one.
    #[error("its number is {found}, expected {expected}")]
    Sequence {
        /// The next number.
        expected: u64,
        /// What the line says.
        found: u64,
    },
    /// Its event cannot be read.
    #[error("its event cannot be read: {fault}")]
    Event {
        /// What is wrong.
        fault: String,
    },
    /// The first line is not the opening, or a later one is.
    #[error("the opening line is the first, and only the first")]
    Opening,
    /// Its outcome comes out differently when it is computed anew.
    #[error("its {what} comes out differently when computed anew from the inputs before it")]
    Outcome {
        /// Verdict, stage or actions.
        what: &'static str,
    },
    /// The log ends elsewhere.
    #[error(
        "the log's head is {found}, expected {expected}: lines are missing at its end, or it is another log"
    )]
    Head {
        /// What the caller expects.
        expected: Digest,
        /// The hash of the last line.
        found: Digest,
    },
    /// A newer release wrote it, and says or shows that this one cannot read it.
    #[error("{what} needs {needs}, and this is release {here}: read the log with a newer one")]
    Newer {
        /// The event, and what of it is unknown.
        what: String,
        /// The first release that reads it.
        needs: String,
        /// This release.
        here: &'static str,
    },
    /// A name beside the hashed part is not the one whose digest was hashed.
    #[error(
        "the name at `{place}` of `personal` is not the one whose salted digest the line has: restore it, or take it out"
    )]
    Name {
        /// Where it stands, as a JSON Pointer into the line.
        place: String,
    },
    /// The plan it opens with cannot be made.
    #[error("its plan cannot be made: {0}")]
    Plan(#[from] PlanError),
    /// The policy's figures are no test's.
    #[error("its policy has no test: {0}")]
    Test(#[from] StatError),
    /// The input it records is none.
    #[error("its input cannot be read: {0}")]
    Input(#[from] InputError),
    /// The reading it records cannot be true.
    #[error("its reading cannot be true: {0}")]
    Reading(#[from] ReadingError),
}

impl LogFault {
    /// The stable code of this fault.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "HF-LOG-001",
            Self::Torn => "HF-LOG-002",
            Self::Line(error) => error.code(),
            Self::Chain { .. } => "HF-LOG-003",
            Self::Sequence { .. } => "HF-LOG-004",
            Self::Event { .. } => "HF-LOG-005",
            Self::Opening => "HF-LOG-006",
            Self::Outcome { .. } => "HF-LOG-007",
            Self::Head { .. } => "HF-LOG-008",
            Self::Newer { .. } => "HF-LOG-009",
            Self::Name { .. } => "HF-LOG-010",
            Self::Plan(error) => error.code(),
            Self::Test(error) => error.code(),
            Self::Input(error) => error.code(),
            Self::Reading(error) => error.code(),
        }
    }
}

/// A rollout that was taken up again after a crash.
#[derive(Clone, Debug)]
pub struct Recovered {
    /// The rollout as after the last complete line.
    pub rollout: Rollout,
    /// How many bytes of the log stand: cut the file here before appending to it.
    pub length: usize,
    /// Whether an incomplete last line was dropped. Its input was not taken: deliver it again.
    pub dropped: bool,
}

impl Rollout {
    /// Takes up a whole log, strictly.
    ///
    /// # Errors
    /// [`LogError`] with the first line that is wrong: `HF-LOG-001` to `-006`, `-009`, `-010`, `HF-JSON-…` for its hash.
    pub fn replay(log: &[u8], recording: Recording) -> Result<Self, LogError> {
        Self::read_lines(log, recording, |_, _, _| ())
    }

    /// Takes up a whole log and shows each line: with the rollout as it is after it, and what was folded where an input was
    /// taken.
    pub(super) fn read_lines(
        log: &[u8],
        recording: Recording,
        mut each: impl FnMut(&Self, &LogLine, Option<&Folded>),
    ) -> Result<Self, LogError> {
        let mut lines = Lines::whole(log)?;
        let Some(first) = lines.next() else {
            return Err(LogError { line: 1, fault: LogFault::Empty });
        };
        let first = first?.trusted()?;
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

    /// Takes up a log whose last line may be incomplete, as a crash in mid-write leaves it.
    ///
    /// # Errors
    /// As [`replay`](Self::replay) for what comes before; `HF-LOG-001` where no line is complete.
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
        let calibrations = line.event.calibration.clone().map(std::borrow::Cow::into_owned);
        let plan = Plan::restored(
            Arc::new(policy.as_ref().clone().into_owned()),
            plan.as_ref().clone().into_owned(),
            calibrations.unwrap_or_default(),
        )
        .map_err(|e| line.error(e.into()))?;
        let personal = line.event.personal.as_ref();
        let mut rollout = Self::try_new(plan, recording, "").map_err(|e| line.error(e.into()))?;
        rollout.journal.salt = Salt::new(personal.and_then(|p| p.salt.as_deref()));
        let Self { case, plan, .. } = &mut rollout;
        case.open(plan, line.event.at);
        Ok(rollout)
    }

    /// Folds one line: the input's facts, then what followed as recorded. Gives back the input, where one was taken.
    pub(super) fn replay_line(&mut self, line: &mut LogLine) -> Result<Option<Folded>, LogError> {
        let at = line.event.at;
        let kind = match line.event.kind {
            EventKind::Opened => return Err(line.error(LogFault::Opening)),
            EventKind::Refused => {
                let code = line.event.code.as_deref().unwrap_or_default().to_owned();
                self.case.note_refusal(&code, line.event.claimed_at.unwrap_or(at));
                return Ok(None);
            }
            EventKind::Taken(kind) => kind,
        };
        let input = self.fold_line(line, kind)?.0;
        let event = &mut line.event;
        let judged = event.verdict.as_ref().and_then(|_| Question::of(&self.case, &self.plan, at));
        if let Some(verdict) = event.verdict.take() {
            self.case.verdict = verdict.into_owned();
        }
        let mut to = event.to.take().map(std::borrow::Cow::into_owned);
        self.changes.replans.clear();
        let Self { case, plan, changes, .. } = &mut *self;
        case.tell_agenda(plan, at, &input.command, to.as_ref(), &mut changes.replans);
        case.agenda.advance(at);
        let (moved, is_judged) = (to.is_some(), judged.is_some());
        self.case.settle(&self.plan, at, &input, &mut to, &event.actions, judged);
        Ok(Some(Folded { input, moved, judged: is_judged }))
    }

    /// Folds the input of a line; gives it back with the action that it resolved.
    pub(super) fn fold_line(
        &mut self,
        line: &mut LogLine,
        kind: InputKind,
    ) -> Result<(Input, super::case::Resolved), LogError> {
        let at = line.event.at;
        let input: Input = line
            .event
            .take_document(kind)
            .into_input(kind)
            .map_err(|e: InputError| line.error(e.into()))?;
        if let super::Command::Observe { metrics } = &input.command {
            self.case
                .judge
                .prepare(at, self.case.share, metrics)
                .map_err(|e| line.error(e.into()))?;
        }
        self.prepare_revision(&input.command).map_err(|fault| line.error(fault.into()))?;
        let resolved = self.fold(at, &input, line.event.author);
        Ok((input, resolved))
    }
}

/// What a line was, once it is folded.
pub(super) struct Folded {
    pub(super) input: Input,
    /// It led to another stage, or to the same one anew.
    pub(super) moved: bool,
    /// It has a verdict.
    pub(super) judged: bool,
}

/// Lines of which the last one is complete, where there are any.
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
    /// In a place of its own: it is large, and is handed on.
    pub(super) event: Box<Event<'static>>,
    /// The place of a name that is not the one whose digest was hashed. It is not in `event`.
    pub(super) forged: Option<String>,
}

impl LogLine {
    /// The line, where its names are those that were hashed.
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

/// The lines of a log in order; the chain is checked on the way.
pub(super) struct Lines<'a> {
    rest: &'a [u8],
    number: usize,
    next: u64,
    pub(super) head: Digest,
    salt: Salt,
}

impl<'a> Lines<'a> {
    pub(super) fn new(log: &'a [u8]) -> Self {
        Self { rest: log, number: 0, next: 0, head: Digest::ZERO, salt: Salt::default() }
    }

    /// The lines that come after the first `next`, the last of which has this hash; numbered from 1 again.
    pub(super) const fn after(log: &'a [u8], next: u64, head: Digest, salt: Salt) -> Self {
        Self { rest: log, number: 0, next, head, salt }
    }

    /// The lines of a log whose last one is complete.
    pub(super) fn whole(log: &'a [u8]) -> Result<Self, LogError> {
        match complete(log)? {
            [] => Err(LogError { line: 1, fault: LogFault::Empty }),
            log => Ok(Self::new(log)),
        }
    }

    fn read(&mut self, line: &[u8]) -> Result<(Box<Event<'static>>, Option<String>), LogFault> {
        // A line that cannot be read counts, too.
        let number = self.next;
        self.next += 1;
        let (line, event) = read_line(line)?;
        let expected = std::mem::replace(&mut self.head, line.hash());
        if line.prev() != expected {
            return Err(LogFault::Chain { expected, found: line.prev() });
        }
        let mut event = version::checked(read(event), line.text())?;
        if event.seq != number {
            let expected = number;
            self.next = event.seq.saturating_add(1);
            return Err(LogFault::Sequence { expected, found: event.seq });
        }
        let forged = self.salt.reveal(&mut event, line.text());
        Ok((event, forged))
    }
}

impl Iterator for Lines<'_> {
    type Item = Result<LogLine, LogError>;

    /// After an error the next line is tried against what the broken one claims to be.
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
