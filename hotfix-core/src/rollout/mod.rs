//! The rollout: inputs in, events and actions out.
//!
//! A [`Rollout`] is the state machine of one hot-fix. [`Rollout::handle`] receives an [`Input`]
//! with its time, and returns an [`Outcome`]: log lines to append, then [`Action`]s to do.
//! [`Rollout::poll_at`] says when to call again. After a crash [`Rollout::recover`] restores it
//! from its log; [`audit`](audit()) recomputes the decisions of a log. `docs/rollout.md` has the
//! states.
//!
//! It reads no clock and does no input or output. An input is checked (`check.rs`), then folded
//! (`state.rs`); its outcome is decided (`conclude.rs`) and recorded; the same fold replays a log.

mod action;
mod audit;
mod blocker;
mod change_record;
mod check;
mod conclude;
mod decoded_log;
mod describe;
mod document;
mod downtime;
mod duty;
mod event;
mod explain;
mod fingerprint;
mod history;
mod input;
mod intervention;
mod journal;
mod keys;
mod log;
mod personal;
mod poll;
mod raise;
mod readiness;
mod redact;
mod refusal;
mod revision;
mod rollback;
mod snapshot;
mod stage;
mod state;
mod statement;
mod timely;
mod unanswered;
mod version;

pub use action::{Act, Action, ActionDocument, ActionId, Audience, MessageKind};
pub use audit::{Audit, AuditFinding, audit};
pub use blocker::{Approvals, Blocker, BlockerKind};
pub use decoded_log::DecodedLog;
pub use downtime::Downtime;
pub use event::LOG_FORMAT;
pub use history::{Entry, Recorded};
pub use input::{Command, Input, InputError, InputKind, ItemStatus, KnownTime};
pub use intervention::Intervention;
pub use journal::Recording;
pub use log::{LogError, LogFault, Recovered};
pub use redact::{Redaction, redact};
pub use refusal::{Refusal, RefusalReason};
pub use snapshot::{SNAPSHOT_FORMAT, SnapshotError, SnapshotHead};
pub use stage::{Resume, Returning, RollbackCause, RollbackProgress, Stage, State, Step};

use std::borrow::Cow;
use std::sync::Arc;

use crate::canonical::{CanonicalError, Digest};
use crate::judge::{MetricEvidence, Verdict};
use crate::metric::Observation;
use crate::plan::Plan;
use crate::stats::StatError;
use crate::unit::{MetricName, PhaseName, Share, Timestamp};

use check::Passed;
use event::EventKind;
use journal::Journal;
pub(crate) use personal::is_taken_out;
use readiness::Afterwards;
use revision::Revision;
use state::{Changes, RolloutState};

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
/// (Some(item), _) => format!(r#"{{"kind": "check_item", "by": "omar", "item": "{item}"}}"#),
/// (None, Some(role)) => format!(r#"{{"kind": "approve", "by": "iris", "role": "{role}"}}"#),
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
    /// Behind a pointer: a copy of the rollout has the same one.
    plan: Arc<Plan>,
    case: RolloutState,
    journal: Journal,
    changes: Changes,
    /// Actions of the last call.
    actions: Vec<Action>,
    /// The plan that an input puts in force, while that input is processed.
    revision: Option<Box<Revision>>,
}

/// What an input led to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome<'r> {
    /// The log lines to append durably, before anything is done; each ends with a line feed.
    pub events: &'r str,
    /// What to do, in this order.
    pub actions: &'r [Action],
    /// Whether the input's key was known: then nothing changed, there is nothing to append, and the
    /// actions are those of the first delivery.
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
            revision: None,
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
                if let Some((_, actions)) =
                    input.key.as_deref().and_then(|key| self.case.keys.find(key))
                {
                    self.actions.extend_from_slice(actions);
                }
                Ok(Outcome { events: "", actions: &self.actions, repeated: true })
            }
            Ok(Passed::At { at, claimed_at }) => match self.take(at, claimed_at, input) {
                Ok(()) => Ok(Outcome {
                    events: self.journal.lines(),
                    actions: &self.actions,
                    repeated: false,
                }),
                Err(error) => Err(self.refuse(at, input, RefusalReason::NotRecorded(error))),
            },
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

    /// Folds an input that passed the checks, decides its outcome and records both.
    fn take(
        &mut self,
        at: Timestamp,
        claimed_at: Option<Timestamp>,
        input: &Input,
    ) -> Result<(), CanonicalError> {
        self.open(at)?;
        let author = self.is_author(input);
        let resolved = self.fold(at, input, author);
        self.changes.clear();
        self.conclude(at, &input.command, resolved.as_ref());
        self.follow_duties(at, &input.command);
        self.number_actions();
        if self.journal.is_on() {
            let kind = EventKind::Taken(input.command.kind());
            let mut event = self.journal.line(input, kind, self.case.seq, at, claimed_at);
            event.put(&input.command);
            self.journal.salt.hide_release(&mut event);
            event.author = author;
            if input.command.is_of_the_plan() {
                event.plan_digest = Some(self.plan.digest());
            }
            event.actions = Cow::Borrowed(&self.actions);
            event.replans = Cow::Borrowed(&self.changes.replans);
            event.to = self.changes.to.as_ref().map(Cow::Borrowed);
            event.verdict = self.changes.judged.map(|_| Cow::Borrowed(&self.case.verdict));
            self.journal.write(&event)?;
        }
        let Changes { to, judged, .. } = &mut self.changes;
        self.case.settle(&self.plan, at, input, to, &self.actions, *judged);
        Ok(())
    }

    /// Whether a statement about the plan comes from the author of the fix.
    fn is_author(&self, input: &Input) -> bool {
        let is_statement = matches!(
            input.command,
            Command::Approve { .. } | Command::Deny { .. } | Command::Withdraw { .. }
        );
        let (true, Some(by), Some(author)) = (
            is_statement,
            input.by.as_deref(),
            self.plan.release().and_then(|r| r.author.as_deref()),
        ) else {
            return false;
        };
        if is_taken_out(author) {
            // Without the salt the author cannot be ruled out.
            self.journal.salt.stands_for(author, by).unwrap_or(true)
        } else {
            crate::gate::is_author(Some(author), by)
        }
    }

    /// Gives the actions their ids: this event and their place.
    fn number_actions(&mut self) {
        let event = self.case.seq;
        self.actions.clear();
        if self.changes.acts.is_empty() {
            return;
        }
        self.actions.extend(
            (0..)
                .zip(self.changes.acts.drain(..))
                .map(|(index, act)| Action { id: ActionId { event, index }, act }),
        );
    }

    /// Writes the opening line before the first event.
    fn open(&mut self, at: Timestamp) -> Result<(), CanonicalError> {
        if self.case.seq == 0 {
            self.journal.open(at, &self.plan)?;
            self.case.open(&self.plan, at);
        }
        Ok(())
    }

    /// Records a refusal, at most one of each code in a minute. Before the first accepted input
    /// there is no log.
    fn refuse(&mut self, at: Timestamp, input: &Input, reason: RefusalReason) -> Refusal {
        let state = self.state();
        let code = reason.code();
        let is_logged = reason.is_logged() && self.journal.is_on() && self.case.is_news(code, at);
        // The refused time does not move the clock.
        if let Some(now) = self.case.at.filter(|_| is_logged) {
            // A refusal that cannot be written is not logged: it changes no folded state.
            if self.log_refusal(at, now, input, code).is_ok() {
                self.case.note_refusal(code, at);
            }
        }
        Refusal {
            reason,
            got: input.command.kind(),
            state,
            accepted: self.accepted(),
            events: self.journal.lines().to_owned(),
        }
    }

    fn log_refusal(
        &mut self,
        at: Timestamp,
        now: Timestamp,
        input: &Input,
        code: &'static str,
    ) -> Result<(), CanonicalError> {
        let claimed_at = (at != now).then_some(at);
        let mut event =
            self.journal.line(input, EventKind::Refused, self.case.seq, now, claimed_at);
        event.code = Some(Cow::Borrowed(code));
        event.got = Some(input.command.kind());
        event.needs = EventKind::Taken(input.command.kind()).needs().map(Cow::Borrowed);
        event.key = None;
        self.journal.write(&event)
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The name of the present state.
    pub fn state(&self) -> State {
        self.case.state(&self.plan)
    }

    /// The present stage with its data.
    pub const fn stage(&self) -> &Stage {
        &self.case.stage
    }

    /// The phase that is deployed, watched or decided on.
    pub fn phase(&self) -> Option<PhaseName> {
        self.case.stage.step().map(|step| step.phase)
    }

    /// The canary's confirmed share of the traffic.
    pub const fn share(&self) -> Share {
        self.case.share
    }

    /// The number of the attempt: 1, and one more with each `supersede` and each `retry`.
    pub const fn attempt(&self) -> u32 {
        self.case.attempt
    }

    /// The last verdict.
    pub const fn verdict(&self) -> &Verdict {
        &self.case.verdict
    }

    /// A metric's evidence and its basis; None for a metric without a test, or a latency that was
    /// never read. It is computed for each call: do not call it at every tick.
    pub fn evidence(&self, metric: MetricName) -> Option<MetricEvidence> {
        self.case.judge.evidence(metric, &self.plan)
    }

    /// The time of the last input.
    pub const fn now(&self) -> Option<Timestamp> {
        self.case.at
    }

    /// When it was last started.
    pub fn started_at(&self) -> Option<Timestamp> {
        self.case.interventions.last(InputKind::Start)
    }

    /// Since when it is being rolled back, or is rolled back; None otherwise.
    pub const fn turned_back_at(&self) -> Option<Timestamp> {
        self.case.turned_back_at
    }

    /// Why it is rolled back; None where it is not, or where the deployment failed before any
    /// traffic moved.
    pub const fn turned_back_for(&self) -> Option<&RollbackCause> {
        self.case.turned_back_for.as_ref()
    }

    /// Actions that await `confirm` or `failed`, oldest first. After a crash do them, or find out
    /// that they were done.
    pub fn pending_actions(&self) -> &[Action] {
        &self.case.pending
    }

    /// The hash of the last line, 64 zeros before the first; None where no log is written.
    pub fn head(&self) -> Option<Digest> {
        self.journal.is_on().then_some(self.journal.head)
    }

    /// The actions of the last accepted input, also after a replay; a refusal or a repeated
    /// delivery does not change them.
    ///
    /// After a crash between append and act none, some or all of them may have been done. Those
    /// that await their result are among [`pending_actions`](Self::pending_actions); of the others
    /// only the caller can know. Repeat what is not known to be done: the ids are the same, so a
    /// receiver can recognise a repetition.
    pub fn last_actions(&self) -> &[Action] {
        &self.case.last
    }

    /// Every line so far; empty unless [`Recording::Keep`].
    pub fn log(&self) -> &str {
        self.journal.log()
    }

    /// The kinds of input that would be accepted now.
    pub fn accepted(&self) -> Vec<InputKind> {
        let state = self.state();
        let mut accepted = state.accepts().to_vec();
        let of_no_use = match self.plan.release() {
            Some(_) => InputKind::Release,
            None => InputKind::Supersede,
        };
        accepted.retain(|kind| *kind != of_no_use);
        if !self.case.pending.is_empty() && !accepted.contains(&InputKind::Confirm) {
            accepted.splice(0..0, [InputKind::Confirm, InputKind::Failed]);
        }
        if !accepted.contains(&InputKind::Approve) && state.takes_approvals() {
            match self.case.readiness.afterwards(self.plan.policy()) {
                Afterwards::Never => {}
                Afterwards::Met => accepted.extend([InputKind::Deny, InputKind::Withdraw]),
                Afterwards::Wanted => {
                    accepted.extend([InputKind::Approve, InputKind::Deny, InputKind::Withdraw]);
                }
            }
        }
        accepted
    }
}
