//! `Train`: several services in one hot-fix, over rollouts that the caller owns.

use std::sync::MutexGuard;

use hotfix_core::document::ValueFault;
use hotfix_core::rollout::{Input, Rollout as Core, State};
use hotfix_core::train::{
    Move, Order, Train as CoreTrain, TrainError, TrainFinding as CoreFinding,
    TrainOutcome as CoreOutcome, TrainRefusal, TrainState,
};
use hotfix_core::unit::Timestamp;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::action::{Action, document_of, join, split};
use crate::convert::{At, json, to_python};
use crate::document::document;
use crate::error::{Fault, Result, lines};
use crate::input::read_input;
use crate::observation::observation;
use crate::rollout::Rollout;
use crate::typed::{Name, Rollouts, Typed};

/// The serialised form of `TrainMove`. The lines stay in one piece until they are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct MoveDocument {
    service: String,
    #[serde(serialize_with = "split", deserialize_with = "join")]
    events: String,
    actions: Vec<Value>,
    state: State,
    repeated: bool,
    by_train: bool,
}

document! {
    /// One input that one rollout of a train handled.
    TrainMove(MoveDocument) {
        /// The service of the rollout.
        fn service(this) -> &str { &this.service }
        /// The lines to append durably to that service's log before you act; each ends with a line
        /// feed.
        fn events(this) -> Vec<&str> { lines(&this.events) }
        /// The actions, in the order in which to carry them out.
        fn actions(this) -> Vec<Action> { this.actions.iter().cloned().map(Action).collect() }
        /// The rollout's state after the input.
        fn state(this) -> Name<State> { this.state.into() }
        /// Whether an input with this key was delivered before: nothing changed. The actions are
        /// those of the first delivery: do not carry them out, others may have followed since.
        fn repeated(this) -> bool { this.repeated }
        /// Whether the train sent the input itself: it rolls the service back or pauses it because
        /// another one was rolled back, keeps a complete service open or closes it, or notes that the
        /// service waits. `state` distinguishes them.
        fn by_train(this) -> bool { this.by_train }
    }
}

impl MoveDocument {
    fn of(train: &CoreTrain<MutexGuard<'_, Core>>, made: Move) -> Self {
        let Move { service, events, actions, state, repeated, by_train } = made;
        // A move is one of this train's rollouts.
        let rollout = train.rollout(&service);
        let of = |action| rollout.map(|rollout| document_of(action, rollout));
        let actions = actions.iter().filter_map(of).collect();
        Self { service, events, actions, state, repeated, by_train }
    }
}

/// An input that a train refuses, with the moves that were made nevertheless.
#[derive(Debug)]
pub(crate) struct RefusedByTrain {
    pub(crate) refusal: TrainRefusal,
    pub(crate) moves: Vec<TrainMove>,
}

document! {
    /// A finding about which people have to be notified: a service of a train that is not rolled
    /// back like the others.
    TrainFinding(CoreFinding) {
        /// The stable code; `docs/codes.md` lists all.
        fn code(this) -> &str { &this.code }
        /// The service.
        fn service(this) -> &str { &this.service }
        /// The problem, and what a person can do.
        fn message(this) -> &str { &this.message }
    }
}

impl TrainFinding {
    pub(crate) fn list(findings: Vec<CoreFinding>) -> Vec<Self> {
        findings.into_iter().map(Self).collect()
    }
}

/// The serialised form of `TrainOutcome`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TrainOutcomeDocument {
    moves: Vec<MoveDocument>,
    findings: Vec<CoreFinding>,
}

document! {
    /// The outcome of a call on a train.
    TrainOutcome(TrainOutcomeDocument) {
        /// The rollouts that changed: append the lines of each to its service's log, in this order,
        /// then act.
        fn moves(this) -> Vec<TrainMove> { this.moves.iter().cloned().map(TrainMove).collect() }
        /// Findings about which people have to be notified at once.
        fn findings(this) -> Vec<TrainFinding> {
            TrainFinding::list(this.findings.clone())
        }
    }
}

impl TrainOutcome {
    fn of(train: &CoreTrain<MutexGuard<'_, Core>>, outcome: CoreOutcome) -> Self {
        let moves = outcome.moves.into_iter();
        let moves = moves.map(|made| MoveDocument::of(train, made)).collect();
        Self(TrainOutcomeDocument { moves, findings: outcome.findings })
    }
}

/// A release train: several services in one hot-fix, each with its own rollout.
///
/// A service's ``start`` is accepted when the services that it waits for are complete. If one
/// service is rolled back, by its verdict or by a person, the train rolls back all others:
/// incomplete ones at once, complete ones after the services that wait for them have been rolled
/// back. A train has no log: after a crash make it again from the replayed rollouts and call
/// `settle`.
///
/// Parameters
/// ----------
/// rollouts : Mapping or sequence of pairs
///     The rollouts by the names of their services. You may still read them, but send inputs
///     through the train only.
/// after : Mapping, optional
///     The services that each service waits for. Without it, each waits for the one before it.
///
/// Raises
/// ------
/// PlanError
///     For services that cannot form a train: no service, a name that occurs twice, or a cycle.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> text = '''
/// ... extends = "phased-canary"
/// ... name = "open"
/// ... checklists = []
/// ... contingencies = []
/// ... severities = { remove = true }
/// ... '''
/// >>> policy = hotfix.Policy.from_toml(text)
/// >>> def rollout(service):
/// ...     incident = {"id": "INC-2041", "service": service}
/// ...     return hotfix.Rollout(policy.plan(incident, {"version": "2.3.1", "previous": "2.3.0"}))
/// >>> train = hotfix.Train({"ledger": rollout("ledger"), "payments": rollout("payments")})
/// >>> train.next()
/// ['ledger']
/// >>> try:
/// ...     train.handle("2026-03-03T14:40:00Z", "payments", {"kind": "start", "by": "lena"})
/// ... except hotfix.Refused as refused:
/// ...     print(refused)
/// `start` of `payments` is refused in state `ready`: it starts after `ledger` (ready)
/// >>> outcome = train.handle("2026-03-03T14:40:00Z", "ledger", {"kind": "start", "by": "lena"})
/// >>> [(move.service, move.state) for move in outcome.moves]
/// [('ledger', 'deploying')]
/// >>> train.state
/// 'running'
#[pyclass(frozen, module = "hotfix")]
#[derive(Debug)]
pub(crate) struct Train {
    order: Order,
    rollouts: Vec<Py<Rollout>>,
}

#[pymethods]
impl Train {
    #[new]
    #[pyo3(signature = (rollouts: "Mapping[str, Rollout] | Sequence[tuple[str, Rollout]]", after: "Mapping[str, Sequence[str]] | None" = None))]
    fn new(rollouts: &Bound<'_, PyAny>, after: Option<&Bound<'_, PyAny>>) -> Result<Self> {
        let (mut names, mut made) = (Vec::<String>::new(), Vec::<Py<Rollout>>::new());
        let pairs = match rollouts.cast::<PyMapping>() {
            Ok(mapping) => mapping.items()?.into_any(),
            Err(_) => rollouts.clone(),
        };
        for pair in pairs.try_iter()? {
            let (name, rollout): (String, Py<Rollout>) = pair?.extract().map_err(|_| {
                PyTypeError::new_err("a train is made of pairs of a name and a Rollout")
            })?;
            if made.iter().any(|other| other.is(&rollout)) {
                return Err(TrainError::Shared { service: name }.into());
            }
            names.push(name);
            made.push(rollout);
        }
        let read = |after| match json(after).map_err(Fault::into_faults) {
            Ok(after) => Ok(after.to_string()),
            Err(Ok(faults)) => Err(TrainError::Syntax { fault: ValueFault::list(&faults) }.into()),
            Err(Err(other)) => Err(other),
        };
        let after = after.map_or(Ok(String::new()), read)?;
        Ok(Self { order: Order::from_json(&names, &after)?, rollouts: made })
    }

    /// Handle one input for one service, and return the actions of every rollout that changed.
    ///
    /// Parameters
    /// ----------
    /// at : datetime or str
    ///     Now.
    /// service : str
    ///     Its name.
    /// input : Mapping
    ///     As for `Rollout.handle`.
    ///
    /// Returns
    /// -------
    /// TrainOutcome
    ///
    /// Raises
    /// ------
    /// InputError
    ///     For an invalid time or input, or if the train has no such service. Nothing has changed.
    /// Refused
    ///     For a valid input that the train or the rollout does not accept now. Append and act on
    ///     its ``moves``, then append its ``events`` to the log of ``service``; notify people of
    ///     its ``findings``.
    #[pyo3(signature = (at, service, input: "Mapping[str, object]"))]
    fn handle(
        &self,
        py: Python<'_>,
        at: At,
        service: &str,
        input: &Bound<'_, PyAny>,
    ) -> Result<TrainOutcome> {
        self.take(py, at.0, service, &read_input(input)?)
    }

    /// Handle the readings of one service, as ``handle`` with ``{"kind": "observe", "metrics":
    /// metrics}``.
    ///
    /// Parameters
    /// ----------
    /// at : datetime or str
    ///     Now.
    /// service : str
    ///     Its name.
    /// metrics : Mapping
    ///     As for `Rollout.observe`.
    ///
    /// Returns
    /// -------
    /// TrainOutcome
    ///
    /// Raises
    /// ------
    /// InputError, Refused
    ///     As `handle`.
    #[pyo3(signature = (at, service, metrics: "_Metrics"))]
    fn observe(
        &self,
        py: Python<'_>,
        at: At,
        service: &str,
        metrics: &Bound<'_, PyMapping>,
    ) -> Result<TrainOutcome> {
        let dict = PyDict::new(py);
        dict.update(metrics)?;
        let metrics = observation(&dict).map_err(|fault| fault.within("metrics"))?;
        self.take(py, at.0, service, &Input::observe(metrics))
    }

    /// Send a ``tick`` to each rollout that is due, and continue a rollback. Call it at the time
    /// that `poll_at` gives.
    ///
    /// Parameters
    /// ----------
    /// at : datetime or str
    ///     Now.
    ///
    /// Returns
    /// -------
    /// TrainOutcome
    fn tick(&self, py: Python<'_>, at: At) -> Result<TrainOutcome> {
        self.with(py, |train| {
            let outcome = train.tick(at.0);
            Ok(TrainOutcome::of(train, outcome))
        })
    }

    /// Continue a rollback as far as possible, and report every finding that still applies. Call it
    /// after a crash, once the messages, pages and questions in `Rollout.last_actions` of each
    /// service are sent: it is an input of those that it rolls back, and replaces their lists.
    ///
    /// A second call changes nothing.
    ///
    /// Parameters
    /// ----------
    /// at : datetime or str
    ///     Now.
    ///
    /// Returns
    /// -------
    /// TrainOutcome
    fn settle(&self, py: Python<'_>, at: At) -> Result<TrainOutcome> {
        self.with(py, |train| {
            let outcome = train.settle(at.0);
            Ok(TrainOutcome::of(train, outcome))
        })
    }

    /// The state of the train: ``waiting``, ``running``, ``complete``, ``closed``,
    /// ``rolling_back``, ``frozen`` (one was rolled back, and nothing proceeds until a person acts
    /// on those that still have the fix) or ``rolled_back``.
    #[getter]
    fn state(&self, py: Python<'_>) -> Result<Name<TrainState>> {
        self.with(py, |train| Ok(train.state().into()))
    }

    /// The rollouts of the train, by service.
    #[getter]
    fn rollouts<'py>(&self, py: Python<'py>) -> PyResult<Typed<Rollouts, Bound<'py, PyDict>>> {
        let dict = PyDict::new(py);
        for (name, rollout) in self.order.services().zip(&self.rollouts) {
            dict.set_item(name, rollout)?;
        }
        Ok(Typed::new(dict))
    }

    /// The services that the train allows to start now; `Rollout.blockers` has what their rollouts
    /// still need.
    ///
    /// Returns
    /// -------
    /// list of str
    fn next(&self, py: Python<'_>) -> Result<Vec<String>> {
        self.with(py, |train| Ok(train.next().into_iter().map(ToOwned::to_owned).collect()))
    }

    /// Each service with its status in the train and the services that it waits for.
    ///
    /// Returns
    /// -------
    /// list of dict
    ///     ``{"service", "place", "state", "waits_for"}`` and during a rollback ``until``.
    ///     ``place`` is waiting, next, held, running, complete, closed, in_turn (it is rolled back
    ///     after those in ``waits_for``), kept, rolling_back, frozen or restored.
    #[pyo3(signature = () -> "list[_Standing]")]
    fn services<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyAny>> {
        let services =
            self.with(py, |train| Ok(serde_json::to_value(train.services()).unwrap_or_default()))?;
        Ok(to_python(py, &services)?)
    }

    /// The present findings: services that are not rolled back like the others.
    ///
    /// Returns
    /// -------
    /// list of TrainFinding
    fn findings(&self, py: Python<'_>) -> Result<Vec<TrainFinding>> {
        self.with(py, |train| Ok(TrainFinding::list(train.findings())))
    }

    /// The actions that await ``confirm`` or ``failed``, by service. After a crash check whether
    /// each was carried out; if not, carry it out.
    ///
    /// Returns
    /// -------
    /// dict of str to list of Action
    #[pyo3(signature = () -> "dict[str, list[Action]]")]
    fn pending_actions<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyDict>> {
        let pending: Vec<(String, Vec<Action>)> = self.with(py, |train| {
            let all = train.pending_actions().into_iter();
            let of = |(name, _): (&str, &[_])| {
                let actions = Action::list(train.rollout(name)?, Core::pending_actions);
                Some((name.to_owned(), actions))
            };
            Ok(all.filter_map(of).collect())
        })?;
        let dict = PyDict::new(py);
        for (name, actions) in pending {
            dict.set_item(name, actions)?;
        }
        Ok(dict)
    }

    /// The next time at which `tick` can change something in any service: set one timer to it and
    /// call `tick`.
    ///
    /// Returns
    /// -------
    /// datetime or None
    ///     In UTC; None if nothing waits for time.
    fn poll_at(&self, py: Python<'_>) -> Result<Option<At>> {
        self.with(py, |train| Ok(train.poll_at().map(At)))
    }

    fn __repr__(&self, py: Python<'_>) -> Result<String> {
        let names: Vec<&str> = self.order.services().collect();
        let state = self.with(py, |train| Ok(train.state()))?;
        Ok(format!("<Train {}, {state}>", names.join(", ")))
    }

    #[expect(clippy::unused_self, reason = "Python calls it on an object")]
    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err(
            "a train cannot be copied or pickled: make it again from replayed rollouts",
        ))
    }
}

impl Train {
    /// Works on all rollouts at once. They are locked in the order of their addresses, so that two
    /// trains over the same rollouts cannot deadlock; no Python code runs during it.
    fn with<R>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut CoreTrain<MutexGuard<'_, Core>>) -> Result<R>,
    ) -> Result<R> {
        let mut places: Vec<usize> = (0..self.rollouts.len()).collect();
        places.sort_by_key(|place| self.rollouts.get(*place).map(Py::as_ptr));
        let mut locked = Vec::with_capacity(places.len());
        for place in places {
            if let Some(rollout) = self.rollouts.get(place) {
                locked.push((place, rollout.get().lock(py)?));
            }
        }
        locked.sort_by_key(|(place, _)| *place);
        let rollouts = locked.into_iter().map(|(_, rollout)| rollout).collect();
        work(&mut CoreTrain::try_new(self.order.clone(), rollouts)?)
    }

    fn take(
        &self,
        py: Python<'_>,
        at: Timestamp,
        service: &str,
        input: &Input,
    ) -> Result<TrainOutcome> {
        self.with(py, |train| match train.handle(at, service, input) {
            Ok(outcome) => Ok(TrainOutcome::of(train, outcome)),
            Err(mut refusal) => {
                let moves = std::mem::take(&mut refusal.moves).into_iter();
                let moves = moves.map(|made| TrainMove(MoveDocument::of(train, made))).collect();
                Err(RefusedByTrain { refusal, moves }.into())
            }
        })
    }
}
