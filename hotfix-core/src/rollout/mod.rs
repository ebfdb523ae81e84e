//! The rollout: inputs in, events and actions out.
//!
//! A [`Rollout`] is the state machine of one hot-fix. [`Rollout::handle`] receives an [`Input`]
//! with its time, and returns an [`Outcome`]: log lines to append, then [`Action`]s to do.
//! [`Rollout::poll_at`] says when to call again. After a crash [`Rollout::recover`] restores it
//! from its log; [`audit`](audit()) recomputes the decisions of a log. `docs/rollout.md` has the
//! states.
//!
//! It reads no clock and does no input or output. [`Rollout::handle`] passes an input through five
//! steps, which follow each other below: check, fold, conclude, record, settle. A replay folds the
//! inputs of a log and settles the outcomes that it records.

mod action;
mod audit;
mod blocker;
mod check;
mod command;
mod conclude;
mod crate_views;
mod describe;
mod document;
mod downtime;
mod duty;
mod event;
mod input;
mod intervention;
mod journal;
mod log;
mod moments;
mod personal;
mod poll;
mod question;
mod raise;
mod redact;
mod refusal;
mod revision;
mod rollback;
mod snapshot;
mod stage;
mod state;
mod statement;
mod timely;
mod version;
mod views;

pub use action::{Act, Action, ActionDocument, ActionId, Audience, MessageKind};
pub use audit::{Audit, AuditFinding, audit};
pub use blocker::{Approvals, Blocker, BlockerKind};
pub(crate) use crate_views::Stalled;
pub use downtime::Downtime;
pub use event::LOG_FORMAT;
pub(crate) use input::ROOT_CAUSE;
pub use input::{Command, Input, InputError, InputKind, ItemStatus, KnownTime};
pub use intervention::Intervention;
pub use journal::Recording;
pub use log::{Entry, LogError, LogFault, Recorded, Recovered};
pub use question::OpenQuestion;
pub use redact::{Redaction, redact};
pub use refusal::{Refusal, RefusalReason};
pub use snapshot::{SNAPSHOT_FORMAT, SnapshotError, SnapshotHead};
pub use stage::{Resume, Returning, RollbackCause, RollbackProgress, Stage, State, Step};

use std::borrow::Cow;
use std::sync::Arc;

use serde::Serialize;

use crate::canonical::CanonicalError;
use crate::metric::Observation;
use crate::plan::Plan;
use crate::stats::StatError;
use crate::unit::Timestamp;

use check::{Made, Passed};
use conclude::{Changes, Conclusion};
use event::EventKind;
pub(crate) use intervention::{TRAIN, TrainNotice, is_of_a_train};
use journal::Journal;
pub(crate) use personal::is_taken_out;
use revision::Revision;
pub(crate) use state::{Reach, Silent, repetition};
use state::{Resolved, RolloutState};

/// One hot-fix from its plan to the end of its watch.
///
/// ```
/// use std::sync::Arc;
/// use hotfix_core::{plan::Plan, policy::Policy, rollout::{Act, Input, Recording, Rollout}};
///
/// let policy = Arc::new(Policy::preset("standard")?);
/// let plan = Plan::from_json(
///     policy,
///     r#"{"id": "INC-2041", "severity": "P1"}"#,
///     r#"{"version": "2.3.1", "previous": "2.3.0",
///         "methods": [{"kind": "feature_flag", "seconds": 5}]}"#,
///     "",
/// )?;
/// let mut rollout = Rollout::try_new(plan, Recording::Keep, "")?;
/// // What blocks the start: here one approval and four checklist items.
/// while let Some(blocker) = rollout.blockers().first() {
///     let input = match (&blocker.item, blocker.roles.first()) {
///         (Some(item), _) => format!(r#"{{"kind": "check_item", "by": "omar", "item": "{item}"}}"#),
///         (None, Some(role)) => format!(r#"{{"kind": "approve", "by": "iris", "role": "{role}"}}"#),
///         (None, None) => return Err(blocker.sentence.clone().into()),
///     };
///     rollout.handle("2026-03-03T14:34:00Z".parse()?, &Input::from_json(&input)?)?;
/// }
/// let start = Input::from_json(r#"{"kind": "start", "by": "lena"}"#)?;
/// let outcome = rollout.handle("2026-03-03T14:40:00Z".parse()?, &start)?;
/// // Append `outcome.events` durably, then act.
/// assert!(outcome.actions.iter().any(|a| matches!(a.act, Act::Deploy { .. })));
/// assert_eq!(rollout.state().as_str(), "deploying");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, educe::Educe)]
#[educe(Clone)]
pub struct Rollout {
    /// Shared, so that a clone of the rollout does not copy it.
    plan: Arc<Plan>,
    case: RolloutState,
    journal: Journal,
    changes: Changes,
    /// Actions of the last call.
    actions: Vec<Action>,
}

/// What an input led to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Outcome<'r> {
    /// The log lines to append durably, before anything is done; each ends with a line feed.
    pub events: &'r str,
    /// What to do, in this order.
    pub actions: &'r [Action],
    /// Whether the input's key was known: then nothing changed, and there is nothing to append. The
    /// actions are those of the first delivery: others may have followed since, so they are not to be
    /// carried out.
    pub repeated: bool,
}

impl Rollout {
    /// A rollout of this plan without inputs.
    ///
    /// `salt` goes into the digests that replace personal values in the log. It is kept outside of
    /// the hashed part of the first line, so that redaction removes it together with the personal
    /// values.
    ///
    /// # Errors
    /// [`StatError`] where a test cannot be built from the policy's figures; those of a checked
    /// policy are valid.
    pub fn try_new(plan: Plan, recording: Recording, salt: &str) -> Result<Self, StatError> {
        Ok(Self {
            case: RolloutState::try_new(&plan)?,
            plan: Arc::new(plan),
            journal: Journal::new(recording, salt),
            changes: Changes::default(),
            actions: Vec::new(),
        })
    }

    /// Handles one input: checks it, records it and returns the actions.
    ///
    /// # Errors
    /// A [`Refusal`] with what would be accepted; the state is unchanged. Where the refusal is
    /// logged, append its lines like any other.
    pub fn handle(&mut self, at: Timestamp, input: &Input) -> Result<Outcome<'_>, Refusal> {
        self.journal.begin();
        self.actions.clear();
        match self.check(at, input) {
            Ok(Passed::Repeated) => {
                let first = self.case.actions.of_key(input.key.as_deref());
                self.actions.extend_from_slice(first.map_or(&[], |first| first.actions()));
                Ok(Outcome { events: "", actions: &self.actions, repeated: true })
            }
            Ok(Passed::At { at, claimed_at, made }) => {
                match self.accept(at, claimed_at, input, made) {
                    Ok(()) => Ok(Outcome {
                        events: self.journal.lines(),
                        actions: &self.actions,
                        repeated: false,
                    }),
                    Err(error) => Err(self.refuse(at, input, RefusalReason::NotRecorded(error))),
                }
            }
            Err(reason) => Err(self.refuse(at, input, reason)),
        }
    }

    /// `handle` with an observation that has neither actor nor key.
    ///
    /// # Errors
    /// As [`handle`](Self::handle).
    pub fn observe(&mut self, at: Timestamp, metrics: Observation) -> Result<Outcome<'_>, Refusal> {
        self.handle(at, &Input::observe(metrics))
    }

    /// The steps of an accepted input after the check.
    fn accept(
        &mut self,
        at: Timestamp,
        claimed_at: Option<Timestamp>,
        input: &Input,
        made: Made<'_>,
    ) -> Result<(), CanonicalError> {
        self.open(at)?;
        let author = self.is_author(input);
        let resolved = self.fold(at, input, author, made);
        self.conclude(at, input, &resolved);
        self.record(at, claimed_at, input, author)?;
        self.settle(at, input, &resolved);
        Ok(())
    }

    /// Folds a checked input, with the readings or the plan that [`make`](Self::make) prepared.
    fn fold(&mut self, at: Timestamp, input: &Input, author: bool, made: Made<'_>) -> Resolved {
        let (readings, revision) = match made {
            Made::Readings(readings) => (Some(readings), None),
            Made::Plan(revision) => (None, Some(revision)),
            Made::Nothing => (None, None),
        };
        let resolved = self.case.fold(&self.plan, at, input, author, readings);
        if let Some(revision) = revision {
            let Revision { plan, judge, kept } = *revision;
            let former = std::mem::replace(&mut self.plan, Arc::new(plan));
            let is_new_attempt = input.command.is_new_attempt();
            let replaces = is_new_attempt.then_some(former);
            self.case.begin_plan(&self.plan, judge, kept, replaces);
        }
        resolved
    }

    /// Decides what follows from a folded input: the verdict, then stage and actions, then what the
    /// duties add. `resolved`: the result of the fold.
    fn conclude(&mut self, at: Timestamp, input: &Input, resolved: &Resolved) {
        let command = &input.command;
        let Self { plan, case, changes, .. } = self;
        changes.clear();
        if matches!(command, Command::Observe { .. } | Command::Tick) {
            let before = case.judged.verdict().decision;
            if let Some((question, leading)) = case.assess(plan, at) {
                changes.judge((question, leading), before, case.judged.verdict().decision);
            }
        }
        Conclusion { plan, case, changes }.decide(at, input, resolved);
        duty::follow(plan, case, changes, at, input);
        // An action's id is the number of this event and the action's index in it.
        let event = case.place.seq();
        let acts = (0..).zip(changes.acts.drain(..));
        self.actions.clear();
        self.actions.extend(acts.map(|(index, act)| Action { id: ActionId { event, index }, act }));
    }

    /// Writes the line of an input and its outcome.
    fn record(
        &mut self,
        at: Timestamp,
        claimed_at: Option<Timestamp>,
        input: &Input,
        author: bool,
    ) -> Result<(), CanonicalError> {
        if !self.journal.is_on() {
            return Ok(());
        }
        let kind = EventKind::Taken(input.command.kind());
        let mut event = self.journal.line(input, kind, self.case.place.seq(), at, claimed_at);
        event.put(&input.command);
        self.journal.salt.hide_release(&mut event);
        event.author = author;
        if input.command.is_of_the_plan() {
            event.plan_digest = Some(self.plan.digest());
        }
        event.actions = Cow::Borrowed(&self.actions);
        event.replans = Cow::Borrowed(&self.changes.replans);
        event.to = self.changes.to.as_ref().map(Cow::Borrowed);
        event.verdict = self.changes.judged.map(|_| Cow::Borrowed(self.case.judged.verdict()));
        self.journal.write(&event)
    }

    /// Makes the recorded outcome the state.
    fn settle(&mut self, at: Timestamp, input: &Input, resolved: &Resolved) {
        let Changes { to, judged, .. } = &mut self.changes;
        let input = (input, resolved.relapse.as_slice());
        self.case.settle(&self.plan, at, input, to, &self.actions, *judged);
    }

    /// Whether a statement about the plan comes from the author of the fix.
    fn is_author(&self, input: &Input) -> bool {
        let is_statement = matches!(
            input.command,
            Command::Approve { .. } | Command::Deny { .. } | Command::Withdraw { .. }
        );
        let by = input.by.as_deref().filter(|_| is_statement);
        let author = self.plan.release().and_then(|release| release.author.as_deref());
        author.zip(by).is_some_and(|(author, by)| self.journal.salt.is_author(author, by))
    }

    /// Writes the opening line before the first event.
    fn open(&mut self, at: Timestamp) -> Result<(), CanonicalError> {
        if self.case.place.seq() == 0 {
            self.journal.open(at, &self.plan)?;
            self.case.open(&self.plan, at);
        }
        Ok(())
    }

    /// Records a refusal: each objection, and of other inputs at most one of each code in a minute. Before the
    /// first accepted input there is no log.
    fn refuse(&mut self, at: Timestamp, input: &Input, reason: RefusalReason) -> Refusal {
        let state = self.state();
        let code = reason.code();
        let objects = matches!(input.command, Command::Deny { .. } | Command::Withdraw { .. });
        let is_news = || objects || self.case.happened.is_news(code, at);
        let is_logged = reason.is_logged() && self.journal.is_on() && is_news();
        let got = input.command.kind();
        // The refused time does not move the clock.
        if let Some(now) = self.case.place.at().filter(|_| is_logged) {
            let claimed_at = (at != now).then_some(at);
            let seq = self.case.place.seq();
            let mut event = self.journal.line(input, EventKind::Refused, seq, now, claimed_at);
            // Tools repeat what is refused; a doubt is a person's, and is kept with its reason.
            if objects {
                event.put(&input.command);
            }
            event.code = Some(Cow::Borrowed(code));
            event.got = Some(got);
            event.needs = EventKind::Taken(got).needs().map(Cow::Borrowed);
            event.key = None;
            // A refusal that cannot be written is not logged: it changes no folded state.
            if self.journal.write(&event).is_ok() {
                self.case.note_refusal(code, at);
            }
        }
        Refusal {
            reason,
            got,
            state,
            accepted: self.accepted(),
            events: self.journal.lines().to_owned(),
        }
    }
}
