//! A release train: several services in one hot-fix. They start in order, and if one is rolled
//! back, all are.
//!
//! Make a [`Train`] of the rollouts and send their inputs through it.
//!
//! A train is a thin layer over rollouts. It has no log: its state follows from the rollouts, so
//! replaying their logs restores it. The order of starts is in `order.rs`, that of rollbacks in
//! `rollback.rs`.

mod error;
mod order;
mod outcome;
mod rollback;
mod view;

pub use error::{TrainError, TrainFinding, TrainRefusal, TrainRefusalReason};
pub use order::Order;
pub use outcome::{Move, TrainOutcome};
pub use view::{MemberStatus, Place, TrainState};

use std::ops::{Deref, DerefMut};

use crate::rollout::{Command, Input, InputKind, Refusal, Rollout, Stage};
use crate::text::{instead, shown};
use crate::unit::Timestamp;

use rollback::MemberState;

/// A release train: several services in one hot-fix, each with its own rollout.
///
/// `R` is what holds a rollout: a `Box` where the train owns it, `&mut Rollout` where somebody else
/// does.
///
/// - A service's `start` is accepted once the services that it waits for are complete.
/// - If one is rolled back, by its verdict or by a person, the train rolls back all others: incomplete
///   ones at once, complete ones after the services that wait for them, the last one first. Services
///   that have not started may not start.
/// - So that all can be rolled back, they close together: the watch of a complete service stays open
///   until the watch of each is over.
///
/// ```
/// use std::sync::Arc;
/// use hotfix_core::{plan::Plan, policy::Policy, rollout::{Input, Recording, Rollout},
///     train::{Order, Train, TrainState}};
///
/// let policy = Arc::new(Policy::from_toml(r#"
///     extends = "phased-canary"
///     name = "open"
///     checklists = []
///     contingencies = []
///     severities = { remove = true }
/// "#)?);
/// let rollout = |service: &str| {
///     let incident = format!(r#"{{"id": "INC-2041", "service": "{service}"}}"#);
///     let release = r#"{"version": "2.3.1", "previous": "2.3.0"}"#;
///     let plan = Plan::from_json(policy.clone(), &incident, release, "")?;
///     Ok::<_, Box<dyn std::error::Error>>(Box::new(Rollout::try_new(plan, Recording::Keep, "")?))
/// };
/// let order = Order::sequence(["ledger", "payments"])?;
/// let mut train = Train::try_new(order, vec![rollout("ledger")?, rollout("payments")?])?;
/// let start = Input::from_json(r#"{"kind": "start", "by": "lena"}"#)?;
/// let at = "2026-03-03T14:40:00Z".parse()?;
/// let refusal = train.handle(at, "payments", &start).unwrap_err();
/// assert_eq!(
///     refusal.to_string(),
///     "`start` of `payments` is refused in state `ready`: it starts after `ledger` (ready)"
/// );
/// for made in train.handle(at, "ledger", &start)?.moves {
///     // Append `made.events` durably to the log of `made.service`, then act.
///     assert_eq!(made.service, "ledger");
/// }
/// assert_eq!(train.state(), TrainState::Running);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Train<R = Box<Rollout>> {
    order: Order,
    rollouts: Vec<R>,
}

impl<R> Train<R> {
    /// A train of these services, each with the rollout at the same place. After a crash: the same
    /// again, with the rollouts replayed from their logs, and then [`settle`](Self::settle).
    ///
    /// # Errors
    /// [`TrainError::Count`] unless there is one rollout for each service.
    pub fn try_new(order: Order, rollouts: Vec<R>) -> Result<Self, TrainError> {
        let services = order.services().len();
        if services == rollouts.len() {
            Ok(Self { order, rollouts })
        } else {
            Err(TrainError::Count { services, rollouts: rollouts.len() })
        }
    }

    /// Which service starts after which.
    pub const fn order(&self) -> &Order {
        &self.order
    }
}

impl<R: Deref<Target = Rollout>> Train<R> {
    /// A service's rollout.
    pub fn rollout(&self, service: &str) -> Option<&Rollout> {
        self.order.place(service).map(|place| self.at(place))
    }

    fn at(&self, place: usize) -> &Rollout {
        &self.rollouts[place]
    }

    /// Refuses an input of this kind that advances a service before its turn, or while the train is
    /// being rolled back.
    fn admit(&self, place: usize, kind: InputKind) -> Result<(), TrainRefusalReason> {
        let named = |place: usize| (self.order.name(place).to_owned(), self.at(place).state());
        let waits = self.member_state(place) == MemberState::Waiting;
        let (is_start, advances) = match kind {
            InputKind::Start => (true, waits),
            // A service that is rolled back is not advanced by these; its own rollout refuses them.
            InputKind::Promote | InputKind::Resume => (false, !self.has_turned(place)),
            // Another release would leave the rollback that the others make; before the start it
            // changes nothing.
            InputKind::Supersede => (false, !waits),
            _ => (false, false),
        };
        if !advances {
            return Ok(());
        }
        let others = self.turned().filter(|turned| *turned != place);
        let because: Vec<_> = others.map(named).collect();
        if !because.is_empty() {
            return Err(TrainRefusalReason::GoesBack { because });
        }
        let services: Vec<_> =
            if is_start { self.waits_for(place).map(named).collect() } else { Vec::new() };
        if services.is_empty() { Ok(()) } else { Err(TrainRefusalReason::Waits { services }) }
    }

    /// The incomplete services that a service waits for.
    fn waits_for(&self, place: usize) -> impl Iterator<Item = usize> {
        let is_open = |place: &usize| {
            !matches!(self.member_state(*place), MemberState::Complete | MemberState::Closed)
        };
        self.order.services[place].after.iter().copied().filter(is_open)
    }
}

impl<R: DerefMut<Target = Rollout>> Train<R> {
    /// Handles one input for one service, and returns the actions of every rollout that moved.
    ///
    /// Append each move's lines to its service's log durably, in the order of the moves, then act.
    /// A crash in between loses nothing: replay the logs, make the train again and call
    /// [`settle`](Self::settle).
    ///
    /// # Errors
    /// A [`TrainRefusal`] with what would be accepted. Append and act on its moves and lines like
    /// any other, and report its findings.
    pub fn handle(
        &mut self,
        at: Timestamp,
        service: &str,
        input: &Input,
    ) -> Result<TrainOutcome, TrainRefusal> {
        let kind = input.command.kind();
        let Some(place) = self.order.place(service) else {
            let got = shown(service);
            let instead = instead(service, self.order.services());
            let reason = TrainRefusalReason::NoSuchService { got, instead };
            return Err(self.refusal(None, service, reason, kind));
        };
        let known = self.findings();
        let mut outcome = TrainOutcome::default();
        // After a crash between two services the unfinished rollback comes first.
        self.do_due(at, &mut outcome);
        self.keep_open(place, at, kind, &mut outcome);
        // A repeated delivery advances nothing: its rollout answers that it was accepted before.
        let is_known = self.at(place).knows_key(input.key.as_deref());
        let taken = match self.admit(place, kind) {
            Err(reason) if !is_known => Err(self.refusal(Some(place), service, reason, kind)),
            _ => self.give(place, at, input, false).map_err(|refusal| {
                let Refusal { reason, state, mut accepted, events, .. } = refusal;
                accepted.retain(|kind| self.admit(place, *kind).is_ok());
                let reason = TrainRefusalReason::Rollout(reason);
                let own = self.refusal(None, service, reason, kind);
                TrainRefusal { state: Some(state), accepted, events, ..own }
            }),
        };
        let taken = taken.map(|made| {
            outcome.moves.push(made);
            self.do_due(at, &mut outcome);
        });
        self.add_new_findings(&known, &mut outcome);
        // What was done before a refusal remains, and is not reported later.
        let TrainOutcome { moves, findings } = outcome;
        match taken {
            Ok(()) => Ok(TrainOutcome { moves, findings }),
            Err(refusal) => Err(TrainRefusal { moves, findings, ..refusal }),
        }
    }

    fn add_new_findings(&self, known: &[TrainFinding], outcome: &mut TrainOutcome) {
        let news = self.findings().into_iter().filter(|finding| !known.contains(finding));
        outcome.findings.extend(news);
    }

    /// Continues a rollback as far as possible at this time, and returns all present findings. Call
    /// it after a crash, once the messages, pages and questions in [`Rollout::last_actions`] of
    /// each service are sent: it is an input of those that it rolls back, and replaces their lists.
    ///
    /// Repeating it changes nothing.
    pub fn settle(&mut self, at: Timestamp) -> TrainOutcome {
        let mut outcome = TrainOutcome::default();
        self.do_due(at, &mut outcome);
        outcome.findings.extend(self.findings());
        outcome
    }

    /// Sends a `tick` to each rollout whose [`poll_at`](Rollout::poll_at) has come or that is being
    /// rolled back, and continues the train's rollback. Call it from the one timer that
    /// [`poll_at`](Self::poll_at) sets.
    pub fn tick(&mut self, at: Timestamp) -> TrainOutcome {
        let known = self.findings();
        let mut outcome = TrainOutcome::default();
        self.do_due(at, &mut outcome);
        for place in self.places() {
            // Time ends a rollback, also where another input came after `poll_at`.
            let is_due = |rollout: &Rollout| {
                matches!(rollout.stage(), Stage::RollingBack(_)) && rollout.now() < Some(at)
                    || rollout.poll_at().is_some_and(|moment| moment <= at)
            };
            if !is_due(self.at(place)) {
                continue;
            }
            self.keep_open(place, at, InputKind::Tick, &mut outcome);
            match self.give(place, at, &Input::new(Command::Tick), false) {
                Ok(made) => outcome.moves.push(made),
                Err(refusal) => self.decline(place, refusal, false, &mut outcome),
            }
            self.do_due(at, &mut outcome);
        }
        self.add_new_findings(&known, &mut outcome);
        outcome
    }

    fn refusal(
        &self,
        place: Option<usize>,
        service: &str,
        reason: TrainRefusalReason,
        got: InputKind,
    ) -> TrainRefusal {
        let rollout = place.map(|place| self.at(place));
        let mut accepted = rollout.map(Rollout::accepted).unwrap_or_default();
        let is_admitted = |kind| place.is_none_or(|place| self.admit(place, kind).is_ok());
        accepted.retain(|kind| *kind != got && is_admitted(*kind));
        TrainRefusal {
            service: service.to_owned(),
            reason,
            got,
            state: rollout.map(Rollout::state),
            accepted,
            moves: Vec::new(),
            findings: Vec::new(),
            events: String::new(),
        }
    }
}
