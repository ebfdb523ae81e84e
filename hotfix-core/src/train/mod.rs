//! A train: several services in one hot-fix. Order on the way there, and one that goes back takes all with it.
//!
//! A thin layer over rollouts. It has no log: whatever it knows follows from the rollouts, so that replaying their logs
//! brings it back as well. Who starts when is in `order.rs`, who goes back when in `back.rs`.

mod back;
mod error;
mod order;
mod outcome;
mod view;

pub use error::{TrainError, TrainFinding, TrainRefusal, TrainRefusalReason};
pub use order::Order;
pub use outcome::{Move, TrainOutcome};
pub use view::{Place, Standing, TrainState};

use std::ops::{Deref, DerefMut};

use crate::rollout::{Command, Input, InputKind, Rollout, Stage};
use crate::unit::Timestamp;

use back::Course;

/// Several services in one hot-fix, each with a rollout of its own.
///
/// `R` is what holds a rollout: a `Box` where the train owns it, `&mut Rollout` where somebody else does.
///
/// - A service's `start` is taken once those that it waits for are complete.
/// - Where one goes back, by its verdict or by a person, the train asks all others back: those that are not complete at
///   once, those that are once all that wait for them are back, the last first. What has not started does not start.
///
/// ```
/// use std::sync::Arc;
/// use hotfix_core::{plan::Plan, policy::Policy, rollout::{Input, Recording, Rollout}, train::{Order, Train, TrainState}};
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
///     let plan = Plan::from_json(policy.clone(), &incident, r#"{"version": "2.3.1", "previous": "2.3.0"}"#, "")?;
///     Ok::<_, Box<dyn std::error::Error>>(Box::new(Rollout::try_new(plan, Recording::Keep, "")?))
/// };
/// let order = Order::sequence(["ledger", "payments"])?;
/// let mut train = Train::try_new(order, vec![rollout("ledger")?, rollout("payments")?])?;
/// let start = Input::from_json(r#"{"kind": "start", "by": "lena"}"#)?;
/// let at = "2026-03-03T14:40:00Z".parse()?;
/// let refusal = train.handle(at, "payments", &start).unwrap_err();
/// assert_eq!(refusal.to_string(), "`start` of `payments` is refused in state `ready`: it starts after `ledger` (ready)");
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
    /// A train of these services, each with the rollout at the same place. After a crash: the same again, with the
    /// rollouts replayed from their logs, and then [`settle`](Self::settle).
    ///
    /// # Errors
    /// `HF-TRAIN-007` unless there is a rollout for each service.
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

    /// The rollouts, in the order in which the services were named: for a train without one of them, or with another.
    pub fn into_rollouts(self) -> Vec<R> {
        self.rollouts
    }
}

impl<R: Deref<Target = Rollout>> Train<R> {
    /// A service's rollout, to be looked at.
    pub fn rollout(&self, service: &str) -> Option<&Rollout> {
        self.at(self.order.place(service)?)
    }

    fn at(&self, place: usize) -> Option<&Rollout> {
        self.rollouts.get(place).map(|rollout| &**rollout)
    }

    /// Whether the train lets this input through.
    fn admit(&self, place: usize, command: &Command) -> Result<(), TrainRefusalReason> {
        let told =
            |place: usize| Some((self.order.name(place).to_owned(), self.at(place)?.state()));
        let waits = self.course(place) == Course::Waiting;
        let (is_start, advances) = match command {
            Command::Start => (true, waits),
            // What has turned back is not advanced by these, and its rollout says so.
            Command::Promote { .. } | Command::Resume { .. } => (false, !self.has_turned(place)),
            // A revision starts again, and would leave the way back of the others; before the start it changes nothing.
            Command::Supersede { .. } => (false, !waits),
            _ => (false, false),
        };
        if !advances {
            return Ok(());
        }
        let others = self.turned().filter(|turned| *turned != place);
        let because: Vec<_> = others.filter_map(told).collect();
        if !because.is_empty() {
            return Err(TrainRefusalReason::GoesBack { because });
        }
        let services: Vec<_> =
            if is_start { self.waits_for(place).filter_map(told).collect() } else { Vec::new() };
        if services.is_empty() { Ok(()) } else { Err(TrainRefusalReason::Waits { services }) }
    }

    /// Those that a service waits for and that are not complete.
    fn waits_for(&self, place: usize) -> impl Iterator<Item = usize> {
        let is_open =
            |place: &usize| !matches!(self.course(*place), Course::Complete | Course::Closed);
        self.order.after_of(place).iter().copied().filter(is_open)
    }
}

impl<R: DerefMut<Target = Rollout>> Train<R> {
    /// Takes one input for one service, and says what every rollout that moved has to do.
    ///
    /// Append each move's lines to its service's log durably, in the order of the moves, then act. A crash in between
    /// loses nothing: replay the logs, make the train again and call [`settle`](Self::settle).
    ///
    /// # Errors
    /// A [`TrainRefusal`] with what would be taken: `HF-TRAIN-009` to `-011`, and the codes of the rollout's own. Its
    /// moves and lines are to be appended and acted on like any other, and its findings told.
    pub fn handle(
        &mut self,
        at: Timestamp,
        service: &str,
        input: &Input,
    ) -> Result<TrainOutcome, TrainRefusal> {
        let kind = input.command.kind();
        let Some(place) = self.order.place(service) else {
            let (got, nearest) = (order::shown(service), self.order.nearest(service));
            let reason = TrainRefusalReason::NoSuchService { got, nearest };
            return Err(self.refusal(None, service, reason, kind));
        };
        let known = self.findings();
        let mut outcome = TrainOutcome::default();
        // A crash may have come between two services: what was left to do comes first.
        self.go_back(at, &mut outcome);
        if self.would_close(place, at, kind) {
            self.take_back(place, at, &mut outcome);
        }
        let taken = match self.admit(place, &input.command) {
            Err(reason) => Err(self.refusal(Some(place), service, reason, kind)),
            Ok(()) => match self.give(place, at, input, false) {
                Some(Ok(made)) => {
                    outcome.moves.push(made);
                    Ok(())
                }
                Some(Err(refusal)) => Err(TrainRefusal {
                    service: service.to_owned(),
                    reason: TrainRefusalReason::Rollout(refusal.reason),
                    got: refusal.got,
                    state: Some(refusal.state),
                    accepted: refusal.accepted,
                    moves: Vec::new(),
                    findings: Vec::new(),
                    events: refusal.events,
                }),
                None => Ok(()),
            },
        };
        if taken.is_ok() {
            self.go_back(at, &mut outcome);
        }
        self.tell_news(&known, &mut outcome);
        // What was done before a refusal stands, and nothing tells of it later.
        let TrainOutcome { moves, findings } = outcome;
        match taken {
            Ok(()) => Ok(TrainOutcome { moves, findings }),
            Err(refusal) => Err(TrainRefusal { moves, findings, ..refusal }),
        }
    }

    /// Tells the findings that were not known before.
    fn tell_news(&self, known: &[TrainFinding], outcome: &mut TrainOutcome) {
        let news = self.findings().into_iter().filter(|finding| !known.contains(finding));
        outcome.findings.extend(news);
    }

    /// Goes on with a way back as far as it can at this time, and tells every finding that stands: for after a crash.
    ///
    /// Again it changes nothing more: whoever was asked is on the way.
    pub fn settle(&mut self, at: Timestamp) -> TrainOutcome {
        let mut outcome = TrainOutcome::default();
        self.go_back(at, &mut outcome);
        outcome.findings.extend(self.findings());
        outcome
    }

    /// Sends a `tick` to each rollout whose [`poll_at`](Rollout::poll_at) has come or that is on its way back, and goes on
    /// with the train's: for the one timer that [`poll_at`](Self::poll_at) arms.
    pub fn tick(&mut self, at: Timestamp) -> TrainOutcome {
        let known = self.findings();
        let mut outcome = TrainOutcome::default();
        self.go_back(at, &mut outcome);
        for place in self.places() {
            // A way back ends by time, also where another input came after its moment.
            let is_due = |rollout: &Rollout| {
                matches!(rollout.stage(), Stage::RollingBack(_)) && rollout.now() < Some(at)
                    || rollout.poll_at().is_some_and(|moment| moment <= at)
            };
            if !self.at(place).is_some_and(is_due) {
                continue;
            }
            if self.would_close(place, at, InputKind::Tick) {
                self.take_back(place, at, &mut outcome);
                continue;
            }
            match self.give(place, at, &Input::new(Command::Tick), false) {
                Some(Ok(made)) => outcome.moves.push(made),
                Some(Err(refusal)) => self.decline(place, refusal, false, &mut outcome),
                None => {}
            }
            self.go_back(at, &mut outcome);
        }
        self.tell_news(&known, &mut outcome);
        outcome
    }

    fn refusal(
        &self,
        place: Option<usize>,
        service: &str,
        reason: TrainRefusalReason,
        got: InputKind,
    ) -> TrainRefusal {
        let rollout = place.and_then(|place| self.at(place));
        let mut accepted = rollout.map(Rollout::accepted).unwrap_or_default();
        accepted.retain(|kind| *kind != got);
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
