//! `Rollout`: handles inputs, and returns log lines and actions.

use std::sync::{Mutex, MutexGuard};

use hotfix_core::canonical::Digest;
use hotfix_core::interop::{icalendar, openmetrics};
use hotfix_core::rollout::{Input, InputKind, Rollout as Core, State};
use hotfix_core::unit::{MetricName, Timestamp};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::action::{Action, Outcome};
use crate::convert::At;
use crate::error::{Result, locked};
use crate::explain::{Comparison, Forecast, Harm, Why};
use crate::input::read_input;
use crate::log::{Log, recording};
use crate::message;
use crate::observation::ObservationReader;
use crate::plan::Plan;
use crate::typed::{Approvals, Blockers, Dicts, Duties, Interventions, Json, Name, Questions};
use crate::verdict::{MetricEvidence, Verdict};

/// The rollout of one hot-fix, from plan to closed incident.
///
/// It uses no clock, file or network: you send time and observations with `handle` and `observe`,
/// and receive log lines and actions. Append ``outcome.events`` to your log durably, then act.
/// Several threads may use one rollout; calls wait for each other.
///
/// Parameters
/// ----------
/// plan : Plan
///     The plan to carry out.
/// keep_log : bool, default True
///     Keep every line for `log`. Otherwise lines are only returned with each outcome, and memory
///     use stays constant.
/// salt : str, optional
///     A secret for each incident, which salts the digests of personal values in the log.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> policy = hotfix.Policy.preset("phased-canary")
/// >>> plan = policy.plan({"id": "INC-2041", "severity": "P1"}, {"version": "2.3.1", "previous": "2.3.0"})
/// >>> rollout = hotfix.Rollout(plan)
/// >>> approval, *items = rollout.blockers()
/// >>> _ = rollout.handle("2026-03-03T14:31:00Z", {"kind": "approve", "by": "iris", "role": approval["roles"][0]})
/// >>> for item in items:
/// ...     _ = rollout.handle("2026-03-03T14:38:00Z", {"kind": "check_item", "by": "omar", "item": item["item"]})
/// >>> outcome = rollout.handle("2026-03-03T14:40:00Z", {"kind": "start", "by": "lena"})
/// >>> [action.kind for action in outcome.actions if action.awaits]
/// ['deploy']
/// >>> rollout.state
/// 'deploying'
/// >>> while rollout.pending_actions():  # deployed, then traffic moved
/// ...     done = rollout.pending_actions()[0].id
/// ...     _ = rollout.handle("2026-03-03T14:42:00Z", {"kind": "confirm", "by": "tool", "action": done})
/// >>> rollout.state, rollout.phase, rollout.share
/// ('monitoring', 'canary', 0.1)
/// >>> outcome = rollout.observe("2026-03-03T14:43:00Z", {"error_rate": {"canary": [0, 100], "baseline": [3, 900]}})
/// >>> rollout.verdict.metrics["error_rate"].band
/// 'success'
#[pyclass(frozen, module = "hotfix")]
#[derive(Debug)]
pub(crate) struct Rollout {
    inner: Mutex<Core>,
    /// Memory for observations; moved out while Python objects are read.
    reader: Mutex<Option<Box<ObservationReader>>>,
    recovered: Option<Recovered>,
}

#[derive(Clone, Copy, Debug)]
struct Recovered {
    length: usize,
    dropped: usize,
}

#[pymethods]
impl Rollout {
    #[new]
    #[pyo3(signature = (plan, keep_log=true, salt=None))]
    fn new(plan: &Bound<'_, Plan>, keep_log: bool, salt: Option<&str>) -> Result<Self> {
        Ok(Core::try_new(plan.get().0.clone(), recording(keep_log), salt.unwrap_or_default())?
            .into())
    }

    /// Handle one input: check it, record it and return what to do.
    ///
    /// Parameters
    /// ----------
    /// at : datetime or str
    ///     Now: an aware `datetime`, or RFC 3339 text.
    /// input : Mapping
    ///     ``{"kind", "by", …}`` with the fields of its kind, and optionally ``key`` and
    ///     ``expected_head`` (`docs/inputs.md`).
    ///
    /// Raises
    /// ------
    /// InputError
    ///     For an invalid time or input. Nothing has changed.
    /// Refused
    ///     For a valid input that is not accepted in the present state. Append its ``events`` like
    ///     any others.
    #[pyo3(signature = (at, input: "Mapping[str, object]"))]
    fn handle(&self, py: Python<'_>, at: At, input: &Bound<'_, PyAny>) -> Result<Outcome> {
        self.take(py, at.0, &read_input(input)?)
    }

    /// Handle the readings of the metrics: the same as ``handle`` with ``{"kind": "observe",
    /// "metrics": metrics}``, but faster.
    ///
    /// Parameters
    /// ----------
    /// at : datetime or str
    ///     Now.
    /// metrics : Mapping
    ///     By metric id ``{"canary": reading, "baseline": reading, "totals": bool}``. A reading is
    ///     ``[events, trials]``, a number, a histogram ``{"le", "counts", "count"}``, ``{"samples":
    ///     [...]}``, or ``{instance: [events, trials]}``. NaN and infinities are allowed: the canary's
    ///     give the band ``not_finite``, others are no reading. Instead of the two arms, ``{stratum:
    ///     {"canary", "baseline", "totals"}}`` gives them for each stratum: each is compared
    ///     separately, and windows use the sums. With totals, each reading has every stratum.
    ///
    /// Raises
    /// ------
    /// InputError, Refused
    ///     As `handle`.
    #[pyo3(signature = (at, metrics: "_Metrics"))]
    fn observe(&self, py: Python<'_>, at: At, metrics: &Bound<'_, PyAny>) -> Result<Outcome> {
        // Reading may run code of the caller's objects, so no lock is held during it.
        let kept = self.reader.lock().ok().and_then(|mut kept| kept.take());
        let mut reader = kept.unwrap_or_default();
        let outcome = reader.read(metrics).and_then(|input| self.take(py, at.0, input));
        if let Ok(mut kept) = self.reader.lock() {
            *kept = Some(reader);
        }
        outcome
    }

    /// The name of the present state.
    #[getter]
    fn state(&self, py: Python<'_>) -> PyResult<Name<State>> {
        Ok(self.lock(py)?.state().into())
    }

    /// The phase that is being deployed, watched or decided on; None outside of phases.
    #[getter]
    fn phase(&self, py: Python<'_>) -> PyResult<Option<String>> {
        Ok(self.lock(py)?.phase().map(|phase| phase.to_string()))
    }

    /// The canary's confirmed share of the traffic in this attempt, from 0 to 1.
    #[getter]
    fn share(&self, py: Python<'_>) -> PyResult<f64> {
        Ok(self.lock(py)?.share().as_fraction())
    }

    /// The last verdict.
    #[getter]
    fn verdict(&self, py: Python<'_>) -> PyResult<Verdict> {
        Ok(Verdict(self.lock(py)?.verdict().clone()))
    }

    /// The hash of the last log line; 64 zeros before the first.
    #[getter]
    fn head(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.lock(py)?.head().unwrap_or(Digest::ZERO).to_string())
    }

    /// The time of the last input, in UTC; None before the first input.
    #[getter]
    fn now(&self, py: Python<'_>) -> PyResult<Option<At>> {
        Ok(self.lock(py)?.now().map(At))
    }

    /// The kinds of input that would be accepted now.
    #[getter]
    fn accepted(&self, py: Python<'_>) -> PyResult<Vec<Name<InputKind>>> {
        Ok(self.lock(py)?.accepted().into_iter().map(Name::from).collect())
    }

    /// The next time at which a ``tick`` can change something: set one timer to it and send a
    /// ``tick``.
    ///
    /// Returns
    /// -------
    /// datetime or None
    ///     In UTC. Before the first input it is the beginning of 1970: send a ``tick`` at once.
    ///     None if nothing waits for time.
    fn poll_at(&self, py: Python<'_>) -> PyResult<Option<At>> {
        Ok(self.lock(py)?.poll_at().map(At))
    }

    /// The plan.
    #[getter]
    fn plan(&self, py: Python<'_>) -> PyResult<Plan> {
        Ok(Plan(self.lock(py)?.plan().clone()))
    }

    /// After `recover`: the number of bytes of the incomplete last line that were dropped;
    /// otherwise 0.
    ///
    /// The input of a dropped line was not accepted: send it again.
    #[getter]
    fn dropped(&self) -> usize {
        self.recovered.map_or(0, |recovered| recovered.dropped)
    }

    /// After `recover`: the length in bytes (UTF-8) of the valid part of the log: truncate the file
    /// to it before appending. Otherwise None.
    #[getter]
    fn recovered_length(&self) -> Option<usize> {
        self.recovered.map(|recovered| recovered.length)
    }

    /// The actions that await ``confirm`` or ``failed``, the oldest first. After a crash check
    /// whether each was carried out; if not, carry it out.
    fn pending_actions(&self, py: Python<'_>) -> PyResult<Vec<Action>> {
        Ok(Action::list(&*self.lock(py)?, Core::pending_actions))
    }

    /// The actions of the last accepted input, also after `replay`, `recover` and `restore`.
    ///
    /// If the process crashed between append and act, some of those that await nothing (``awaits``
    /// is False) may not have been carried out: repeat those of which you are not certain, before
    /// the next input replaces the list. A refusal and a repeated delivery do not change them.
    fn last_actions(&self, py: Python<'_>) -> PyResult<Vec<Action>> {
        Ok(Action::list(&*self.lock(py)?, Core::last_actions))
    }

    /// The blockers: what prevents the rollout from starting, each with who can clear it, and how.
    ///
    /// Returns
    /// -------
    /// list of dict
    ///     ``{"kind", "sentence", "who", "clears"}``, and if applicable ``item``, ``list`` and
    ///     ``roles``. The list is empty when a start would be accepted, and after the start.
    ///     ``who`` is empty if anybody can clear it (of a severity: whom to ask first), ``clears`` if
    ///     a new plan is needed.
    ///
    /// Examples
    /// --------
    /// >>> import hotfix
    /// >>> plan = hotfix.Policy.preset("emergency-command").plan({"id": "INC-2041"}, {"version": "2", "previous": "1"})
    /// >>> approval, first, *_ = hotfix.Rollout(plan).blockers()
    /// >>> approval["sentence"], approval["who"]
    /// ('the approval of `senior_engineer` is missing: ask for it', ['senior_engineer'])
    /// >>> first["item"], first["clears"]
    /// ('focused_tests', ['check_item', 'waive_item'])
    fn blockers(&self, py: Python<'_>) -> PyResult<Json<Blockers>> {
        Ok(Json::of(&self.lock(py)?.blockers()))
    }

    /// Each required approval and its state, as a dict.
    ///
    /// Its ``demands``: each with ``any_of``, ``state`` (open, approved, denied, withdrawn,
    /// author_alone, afterwards, late) and ``statements``: who answered what, when, in which
    /// role, through which channel, why and for which plan. ``unasked``: statements of roles
    /// that no demand asks.
    fn approvals(&self, py: Python<'_>) -> PyResult<Json<Approvals>> {
        Ok(Json::of(&self.lock(py)?.approvals()))
    }

    /// The duties at a time, from what is known now: due, overdue, next and done.
    ///
    /// Parameters
    /// ----------
    /// at : datetime or str
    ///     Any time from the last input on. An earlier time is treated as the time of the last
    ///     input.
    ///
    /// Returns
    /// -------
    /// dict
    ///     ``due``, ``overdue``, ``next``, ``later``, ``undated`` and ``done``: each item in one of
    ///     them, with ``id``, ``kind``, ``title``, ``who``, ``due``, ``left`` or ``late_by`` in
    ///     seconds, and why it applies. Before the first input there are only those of `later`.
    ///
    /// Examples
    /// --------
    /// >>> import hotfix
    /// >>> plan = hotfix.Policy.preset("enterprise").plan(
    /// ...     {"id": "INC-2041", "severity": "P0", "detected_at": "2026-03-03T14:06:00Z"},
    /// ...     {"version": "2.3.1", "previous": "2.3.0"},
    /// ... )
    /// >>> rollout = hotfix.Rollout(plan)
    /// >>> outcome = rollout.handle("2026-03-03T14:06:00Z", {"kind": "note", "by": "lena", "text": "payments fail"})
    /// >>> [action.duty for action in outcome.actions if action.kind == "page"]
    /// ['p0_on_call']
    /// >>> done = rollout.handle("2026-03-03T14:07:00Z", {"kind": "acknowledge", "by": "omar", "duty": "p0_on_call"})
    /// >>> duties = rollout.duties("2026-03-03T14:20:00Z")
    /// >>> duties["due"][0]["id"], duties["due"][0]["left"]
    /// ('p0_update', 60.0)
    fn duties(&self, py: Python<'_>, at: At) -> PyResult<Json<Duties>> {
        Ok(Json::of(&self.lock(py)?.duties(at.0)))
    }

    /// Write the message of a kind for an audience, in a format, from the present state.
    ///
    /// Parameters
    /// ----------
    /// kind, audience, format : str
    ///     The kind of message, its readers and its format: `docs/messages.md` lists all three.
    /// at, utc_offset : optional
    ///     The time of the message; the readers' UTC offset: ``"+01:00"``, timedelta or tzinfo.
    /// values, draft : optional
    ///     Texts by field that the rollout does not know; True for a text that is not true yet.
    ///
    /// Examples
    /// --------
    /// >>> import hotfix
    /// >>> incident = {"id": "INC-2041", "service": "Payments", "severity": "P1"}
    /// >>> rollout = hotfix.Rollout(hotfix.Policy.preset("standard").plan(incident, {"version": "2.3.1", "previous": "2.3.0"}))
    /// >>> _ = rollout.handle("2026-03-03T14:08:00Z", {"kind": "note", "by": "lena", "text": "payments fail"})
    /// >>> print(rollout.message("alert", "public", values={"status_page": "https://status.example.org"}))
    /// We are investigating a problem with Payments
    /// More information: https://status.example.org
    #[pyo3(signature = (kind, audience = "responders", format = "text", *, at = None, utc_offset = None, values = None, draft = false))]
    #[expect(clippy::too_many_arguments, reason = "all but the kind have a default and are named")]
    fn message<'py>(
        &self,
        py: Python<'py>,
        kind: &str,
        audience: &str,
        format: &str,
        at: Option<At>,
        utc_offset: Option<&Bound<'py, PyAny>>,
        values: Option<&Bound<'py, PyAny>>,
        draft: bool,
    ) -> Result<Bound<'py, PyAny>> {
        let at = at.map(|at| at.0).or(self.lock(py)?.now());
        let request = message::request(kind, audience, format, at, utc_offset, values, draft)?;
        let rendered = self.lock(py)?.message_for(&request)?;
        Ok(message::python(py, rendered)?)
    }

    /// Export the state as OpenMetrics 1.0 text, for a scraper.
    ///
    /// `at` is any time from the last input on. An earlier time is treated as the time of the last
    /// input.
    ///
    /// Examples
    /// --------
    /// >>> import hotfix
    /// >>> plan = hotfix.Policy.preset("phased-canary").plan({"id": "INC-1"}, {"version": "2", "previous": "1"})
    /// >>> text = hotfix.Rollout(plan).openmetrics("2026-03-03T14:40:00Z")
    /// >>> [line for line in text.splitlines() if line.startswith("hotfix_attempts")]
    /// ['hotfix_attempts_total{incident="INC-1"} 1']
    fn openmetrics(&self, py: Python<'_>, at: At) -> PyResult<String> {
        Ok(openmetrics::text(&*self.lock(py)?, at.0))
    }

    /// Export the duties as iCalendar text (RFC 5545): one to-do for each duty, with the role that
    /// does it.
    ///
    /// Lines end with a carriage return and a line feed. `at` is any time from the last input on.
    /// An earlier time is treated as the time of the last input.
    fn icalendar(&self, py: Python<'_>, at: At) -> PyResult<String> {
        Ok(icalendar::text(&*self.lock(py)?, at.0))
    }

    /// The number of attempts: 1, and one more for each ``supersede`` and each ``retry``.
    #[getter]
    fn attempt(&self, py: Python<'_>) -> PyResult<u32> {
        Ok(self.lock(py)?.attempt())
    }

    /// Each checklist, whether it applies, and the state of its items.
    ///
    /// Returns
    /// -------
    /// list of dict
    ///     ``applies`` is yes, no or unknown, and follows from severity and facts. An item's
    ///     ``state`` is open, done, waived or not_applicable; its ``mark`` has who set it, when and
    ///     why.
    fn checklists(&self, py: Python<'_>) -> PyResult<Json<Dicts>> {
        Ok(Json::of(&self.lock(py)?.checklists()))
    }

    /// Each step of the procedure and its state, as a list of dict; ``check_item`` marks a step as
    /// done.
    fn procedure(&self, py: Python<'_>) -> PyResult<Json<Dicts>> {
        Ok(Json::of(&self.lock(py)?.procedure()))
    }

    /// The plan's change record with its present status.
    ///
    /// Returns
    /// -------
    /// dict
    ///     As ``plan.change_record``; ``status`` is drafted, awaiting_approval, ready, in_progress,
    ///     complete, rolled_back or stopped. During a rollback it is still in_progress.
    ///
    /// Examples
    /// --------
    /// >>> import hotfix
    /// >>> plan = hotfix.Policy.preset("phased-canary").plan({"id": "INC-2041"}, {"version": "2", "previous": "1"})
    /// >>> rollout = hotfix.Rollout(plan)
    /// >>> _ = rollout.handle("2026-03-03T14:40:00Z", {"kind": "abort", "by": "lena", "why": "no longer needed"})
    /// >>> rollout.change_record()["status"], plan.change_record["status"]
    /// ('stopped', 'drafted')
    fn change_record(&self, py: Python<'_>) -> PyResult<Json> {
        Ok(Json::of(&self.lock(py)?.change_record()))
    }

    /// The last intervention of each kind: who asked for what, when, why, whatever the result was.
    ///
    /// Returns
    /// -------
    /// list of dict
    ///     ``{"kind", "at"}`` and, if present, ``by``, ``role``, ``about``, ``why``; ordered by time.
    fn interventions(&self, py: Python<'_>) -> PyResult<Json<Interventions>> {
        Ok(Json::of(&self.lock(py)?.interventions()))
    }

    /// The questions and pages that wait for an answer, at most one about the rollout and one about
    /// the severity: ``{"action", "since", "asked_at", "text", "answers"}``; ``action`` asked first.
    fn questions(&self, py: Python<'_>) -> PyResult<Json<Questions>> {
        Ok(Json::of(&self.lock(py)?.questions()))
    }

    /// Explain the last verdict: numbers, rules, and the smallest change that would have changed it.
    ///
    /// During and after a rollback this explains the verdict before the rollback. The search may
    /// take some milliseconds: call it on demand, not at every tick. None before the first verdict,
    /// and between a change of traffic and the next evaluation.
    fn why(&self, py: Python<'_>) -> PyResult<Option<Why>> {
        Ok(self.lock(py)?.why().map(Why))
    }

    /// The estimated impact of each version in bad events per minute, over the trailing window;
    /// None if `why` is None.
    fn harm(&self, py: Python<'_>) -> PyResult<Option<Harm>> {
        Ok(self.lock(py)?.harm().map(Harm))
    }

    /// The forecast for the rest of the phase: how long the tests still need, and whether promotion and
    /// efficacy can still be decided. None if no phase is watched.
    fn forecast(&self, py: Python<'_>) -> PyResult<Option<Forecast>> {
        Ok(self.lock(py)?.forecast().map(Forecast))
    }

    /// The comparison table: each metric, its baseline and its readings in each phase, including
    /// the present one.
    fn comparison(&self, py: Python<'_>) -> PyResult<Comparison> {
        Ok(Comparison(self.lock(py)?.comparison()))
    }

    /// The evidence of a metric, by its id, and its basis. The call computes it: call it on demand,
    /// not at every tick. None for a metric without a test, or a latency that was never read;
    /// `InputError` for an id that the policy does not have.
    fn evidence(&self, py: Python<'_>, metric: &str) -> Result<Option<MetricEvidence>> {
        let metric = MetricName::try_new(metric)?;
        let rollout = self.lock(py)?;
        rollout.check_metric(metric)?;
        Ok(rollout.evidence(metric).map(MetricEvidence))
    }

    /// Every log line so far; empty if the rollout does not keep its log (`keep_log`).
    fn log(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.lock(py)?.log().to_owned()) // made Python's without the lock: that may collect garbage
    }

    /// Write the incident report: ``hotfix.report(rollout.log(), format)``.
    #[pyo3(signature = (format: "_ReportFormat"))]
    fn report(&self, py: Python<'_>, format: &str) -> Result<String> {
        crate::report::of(py, self, format)
    }

    /// Replay a whole log, strictly.
    ///
    /// Parameters
    /// ----------
    /// log : str or bytes
    ///     All lines, each with its line feed.
    /// keep_log : bool, default True
    ///     As for `Rollout`.
    ///
    /// Raises
    /// ------
    /// LogError
    ///     With the first line that is wrong.
    #[staticmethod]
    #[pyo3(signature = (log, keep_log=true))]
    fn replay(py: Python<'_>, log: Log, keep_log: bool) -> Result<Self> {
        Ok(py.detach(|| Core::replay(log.bytes(), recording(keep_log)))?.into())
    }

    /// Replay a log whose last line may be incomplete after a crash during a write.
    ///
    /// ``rollout.dropped`` is the number of bytes that were dropped, ``rollout.recovered_length``
    /// the length of the valid part: truncate the file to it before appending.
    ///
    /// Parameters
    /// ----------
    /// log : str or bytes
    ///     The content of the file; pass bytes, because the crash may have cut a character in half.
    /// keep_log : bool, default True
    ///     As for `Rollout`.
    ///
    /// Raises
    /// ------
    /// LogError
    ///     As `replay` for the complete lines, and if no line is complete.
    #[staticmethod]
    #[pyo3(signature = (log, keep_log=true))]
    fn recover(py: Python<'_>, log: Log, keep_log: bool) -> Result<Self> {
        let found = py.detach(|| Core::recover(log.bytes(), recording(keep_log)))?;
        let recovered =
            Recovered { length: found.length, dropped: log.bytes().len() - found.length };
        Ok(Self { recovered: Some(recovered), ..found.rollout.into() })
    }

    /// Write the present state as bytes, for `restore`. The same state gives the same bytes.
    ///
    /// Keep the whole log as well: another release may refuse a snapshot. A snapshot contains names
    /// and the salt in clear text: after a redaction of the log, delete older snapshots and make
    /// new ones.
    fn snapshot<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyBytes>> {
        let bytes = self.lock(py)?.snapshot()?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Restore a rollout from a snapshot and the log lines after it: the same, byte for byte, as
    /// `replay` of the whole log.
    ///
    /// Parameters
    /// ----------
    /// snapshot : bytes
    ///     The bytes from `snapshot`.
    /// tail : str or bytes, default ""
    ///     The log lines from the one whose ``seq`` is the result of `snapshot_seq`, each with its
    ///     line feed.
    /// keep_log : bool, default True
    ///     As for `Rollout`; `log` begins with the tail.
    ///
    /// Raises
    /// ------
    /// LogError
    ///     For a snapshot that cannot be restored, or a wrong tail, with its first wrong line. Then
    ///     replay the whole log.
    #[staticmethod]
    #[pyo3(signature = (snapshot, tail: "str | bytes" = None, keep_log=true), text_signature = "(snapshot, tail='', keep_log=True)")]
    fn restore(
        py: Python<'_>,
        snapshot: PyBackedBytes,
        tail: Option<Log>,
        keep_log: bool,
    ) -> Result<Self> {
        let tail = tail.as_ref().map_or(&[][..], Log::bytes);
        Ok(py.detach(|| Core::restore(&snapshot, tail, recording(keep_log)))?.into())
    }

    /// The number of log lines when the snapshot was made: the tail begins with the line that has
    /// this ``seq``.
    ///
    /// Parameters
    /// ----------
    /// snapshot : bytes
    ///     The bytes from `snapshot`.
    ///
    /// Raises
    /// ------
    /// LogError
    ///     For bytes that are not a complete snapshot of this format.
    #[staticmethod]
    fn snapshot_seq(snapshot: PyBackedBytes) -> Result<u64> {
        Ok(Core::snapshot_head(&snapshot)?.seq)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let rollout = self.lock(py)?;
        let (id, state) = (&rollout.plan().subject().incident.id, rollout.state());
        Ok(format!("<Rollout {id:?}, {state}, share {}>", rollout.share()))
    }

    #[expect(clippy::unused_self, reason = "Python calls it on an object")]
    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a rollout cannot be copied or pickled: replay its log"))
    }
}

impl Rollout {
    /// No Python code runs while the lock is held.
    pub(crate) fn lock(&self, py: Python<'_>) -> PyResult<MutexGuard<'_, Core>> {
        locked(py, &self.inner)
    }

    fn take(&self, py: Python<'_>, at: Timestamp, input: &Input) -> Result<Outcome> {
        Ok(Outcome::handled(&mut *self.lock(py)?, at, input)?)
    }
}

impl From<Core> for Rollout {
    fn from(rollout: Core) -> Self {
        Self { inner: Mutex::new(rollout), reader: Mutex::new(None), recovered: None }
    }
}
