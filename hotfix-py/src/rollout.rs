//! `Rollout`: inputs in, log lines and actions out.

use std::sync::{Mutex, MutexGuard};

use hotfix_core::canonical::Digest;
use hotfix_core::interop::{icalendar, openmetrics};
use hotfix_core::rollout::{Input, InputKind, Rollout as Core};
use hotfix_core::unit::{MetricName, Timestamp};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::sync::MutexExt;
use pyo3::types::PyBytes;

use crate::action::{Action, Outcome};
use crate::convert::{At, datetime, document, object, to_python};
use crate::error::{Result, poisoned};
use crate::explain::{Comparison, Harm, Outlook, Why};
use crate::input::read_input;
use crate::log::{Log, recording};
use crate::message;
use crate::observation::Reader;
use crate::plan::Plan;
use crate::verdict::{MetricEvidence, Verdict};

/// One hot-fix from plan to closed case.
///
/// Reads no clock and does no input or output: time and observations come in with `handle` and `observe`; log lines
/// and actions come out. Append ``outcome.events`` durably, then act. May be used from several threads; calls wait
/// for each other.
///
/// Parameters
/// ----------
/// plan : Plan
///     What is to be done.
/// keep_log : bool, default True
///     Keep every line for `log`. Without, lines are handed out with each outcome only and memory stays flat.
/// salt : str, optional
///     Goes into the digests that stand for personal values in the log.
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
    /// Memory for observations; taken out while Python objects are read.
    reader: Mutex<Option<Box<Reader>>>,
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

    /// Take one input: check it, record it and say what to do.
    ///
    /// Parameters
    /// ----------
    /// at : datetime or str
    ///     Now: an aware `datetime`, or RFC 3339 text.
    /// input : Mapping
    ///     ``{"kind", "by", …}`` with the fields of its kind, and optionally ``key`` and ``expected_head``.
    ///
    /// Raises
    /// ------
    /// InputError
    ///     Where time or input are none. Nothing has changed.
    /// Refused
    ///     Where the input is legal and not taken now. Its ``events`` are to be appended like any other.
    fn handle(&self, py: Python<'_>, at: At, input: &Bound<'_, PyAny>) -> Result<Outcome> {
        self.take(py, at.0, &read_input(input)?)
    }

    /// Take what the metrics read: ``handle`` with ``{"kind": "observe", "metrics": metrics}``, and faster.
    ///
    /// Parameters
    /// ----------
    /// at : datetime or str
    ///     Now.
    /// metrics : Mapping
    ///     By metric id ``{"canary": reading, "baseline": reading, "totals": bool}``. A reading is ``[events, trials]``,
    ///     a number, a histogram ``{"le", "counts", "count"}``, ``{"samples": [...]}``, or
    ///     ``{instance: [events, trials]}``. NaN and infinities are legal and make the band ``not_finite``. In place of the
    ///     two arms a list of such objects, one a stratum: each is compared by itself, and windows take the sums.
    ///
    /// Raises
    /// ------
    /// InputError, Refused
    ///     As `handle`.
    fn observe(&self, py: Python<'_>, at: At, metrics: &Bound<'_, PyAny>) -> Result<Outcome> {
        // Reading may run code of the caller's objects, so no lock is held meanwhile.
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
    fn state(&self, py: Python<'_>) -> PyResult<&'static str> {
        Ok(self.lock(py)?.state().as_str())
    }

    /// The phase that is deployed, watched or decided on; None outside of phases.
    #[getter]
    fn phase(&self, py: Python<'_>) -> PyResult<Option<String>> {
        Ok(self.lock(py)?.phase().map(|phase| phase.to_string()))
    }

    /// The canary's confirmed share of the traffic, from 0 to 1.
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

    /// The last time known, in UTC; None before the first input.
    #[getter]
    fn now<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let now = self.lock(py)?.now();
        now.map(|now| datetime(py, now)).transpose()
    }

    /// The kinds of input that would be taken now.
    #[getter]
    fn accepted(&self, py: Python<'_>) -> PyResult<Vec<&'static str>> {
        Ok(self.lock(py)?.accepted().into_iter().map(InputKind::as_str).collect())
    }

    /// The next moment at which time alone can change something: arm one timer with it and send a ``tick``.
    ///
    /// Returns
    /// -------
    /// datetime or None
    ///     In UTC; the beginning of 1970 before the first input: send a ``tick`` at once. None where nothing waits for time.
    fn poll_at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let next = self.lock(py)?.poll_at();
        next.map(|next| datetime(py, next)).transpose()
    }

    /// The plan.
    #[getter]
    fn plan(&self, py: Python<'_>) -> PyResult<Plan> {
        Ok(Plan(self.lock(py)?.plan().clone()))
    }

    /// After `recover`: how many bytes of the incomplete last line were dropped; else 0.
    ///
    /// The input of a dropped line was not taken: deliver it again.
    #[getter]
    fn dropped(&self) -> usize {
        self.recovered.map_or(0, |recovered| recovered.dropped)
    }

    /// After `recover`: how many bytes of the log (as UTF-8) stand; cut the file here before appending. Else None.
    #[getter]
    fn recovered_length(&self) -> Option<usize> {
        self.recovered.map(|recovered| recovered.length)
    }

    /// Actions that await ``confirm`` or ``failed``, oldest first. After a crash these are to be done, or found done.
    ///
    /// Returns
    /// -------
    /// list of Action
    fn pending_actions(&self, py: Python<'_>) -> PyResult<Vec<Action>> {
        Ok(self.lock(py)?.pending_actions().iter().cloned().map(Action::from).collect())
    }

    /// The actions of the last input that was taken, after `replay`, `recover` and `restore` as well.
    ///
    /// Where the process died between append and act some of those that await nothing (``awaits`` is False) may not have
    /// been done: do again what is not known to be done. A refusal and a repeated delivery leave them as they are.
    fn last_actions(&self, py: Python<'_>) -> PyResult<Vec<Action>> {
        Ok(self.lock(py)?.last_actions().iter().cloned().map(Action::from).collect())
    }

    /// Everything that keeps the rollout from starting, each with who can clear it, and how.
    ///
    /// Returns
    /// -------
    /// list of dict
    ///     ``{"kind", "sentence", "who", "clears"}``, where it fits with ``item``, ``list`` and ``roles``. Empty where a
    ///     start would be taken, and from the start on. ``who`` is empty where anybody may, ``clears`` where the plan has
    ///     to be made anew.
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
    fn blockers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let blockers = self.lock(py)?.blockers();
        to_python(py, &blockers)
    }

    /// Each demand for approval and how it stands.
    ///
    /// Returns
    /// -------
    /// dict
    ///     ``demands``: each with ``any_of``, ``state`` (open, approved, denied, withdrawn, author_alone, afterwards, late)
    ///     and ``words``: who said what, when, in which role, where, why and of which plan. ``unasked``: words of roles that
    ///     no demand asks.
    fn approvals<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let approvals = self.lock(py)?.approvals();
        to_python(py, &approvals)
    }

    /// What is due, overdue, next and done at a time, of what is known now.
    ///
    /// Parameters
    /// ----------
    /// at : datetime or str
    ///     Any time from the last input on; an earlier one is read as that.
    ///
    /// Returns
    /// -------
    /// dict
    ///     ``due``, ``overdue``, ``next``, ``later``, ``undated`` and ``done``: each item in one of them, with ``id``,
    ///     ``kind``, ``title``, ``who``, ``due``, ``left`` or ``late_by`` in seconds, and why it is asked for. Empty before
    ///     the first input, which opens the case.
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
    fn duties<'py>(&self, py: Python<'py>, at: At) -> PyResult<Bound<'py, PyAny>> {
        let duties = document(&self.lock(py)?.duties(at.0))?;
        object(py, &duties)
    }

    /// The message for an occasion, an audience and a format, from the present state.
    ///
    /// Parameters
    /// ----------
    /// kind, audience, format : str
    ///     About what, for whom and where: `docs/messages.md` lists all three.
    /// at, utc_offset : optional
    ///     Of which time; the readers' clocks: ``"+01:00"``, a timedelta, or a tzinfo, of which the offset at that time counts.
    /// values : mapping, optional
    ///     Texts by field, for what the rollout does not know. Documents for services come as dict.
    ///
    /// Examples
    /// --------
    /// >>> import hotfix
    /// >>> incident = {"id": "INC-2041", "service": "Payments", "severity": "P1"}
    /// >>> rollout = hotfix.Rollout(hotfix.Policy.preset("standard").plan(incident, {"version": "2.3.1", "previous": "2.3.0"}))
    /// >>> _ = rollout.handle("2026-03-03T14:08:00Z", {"kind": "note", "by": "lena", "text": "payments fail"})
    /// >>> print(rollout.message("alert", "public", values={"status_page": "https://status.example.org"}))
    /// We are looking into a problem with Payments
    /// News: https://status.example.org
    #[pyo3(signature = (kind, audience = "responders", format = "text", *, at = None, utc_offset = None, values = None))]
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
    ) -> Result<Bound<'py, PyAny>> {
        let at = at.map(|at| at.0).or(self.lock(py)?.now());
        let request = message::request(kind, audience, format, at, utc_offset, values)?;
        let rendered = self.lock(py)?.message_for(&request)?;
        Ok(message::python(py, rendered)?)
    }

    /// The state as OpenMetrics 1.0 text, for whoever scrapes it.
    ///
    /// `at` is any time from the last input on; an earlier one is read as that.
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

    /// What is due as iCalendar text (RFC 5545): a to-do for each duty, who does it as a role.
    ///
    /// Lines end with a carriage return and a line feed. `at` is any time from the last input on; an earlier one is read as that.
    fn icalendar(&self, py: Python<'_>, at: At) -> PyResult<String> {
        Ok(icalendar::text(&*self.lock(py)?, at.0))
    }

    /// How often the hot-fix was begun: 1, and one more with each ``supersede`` and each ``retry``.
    #[getter]
    fn attempt(&self, py: Python<'_>) -> PyResult<u32> {
        Ok(self.lock(py)?.attempt())
    }

    /// Each checklist, whether the incident has it, and how its items stand.
    ///
    /// Returns
    /// -------
    /// list of dict
    ///     ``applies`` is yes, no or unknown, by severity and facts. An item's ``state`` is open, done, waived or
    ///     not_applicable, its ``mark`` says who said so, when and why.
    fn checklists<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let checklists = self.lock(py)?.checklists();
        to_python(py, &checklists)
    }

    /// Each step of the procedure and how it stands, as a list of dict; ``check_item`` keeps the progress.
    fn procedure<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let procedure = self.lock(py)?.procedure();
        to_python(py, &procedure)
    }

    /// The plan's record with how far it is now.
    ///
    /// Returns
    /// -------
    /// dict
    ///     As ``plan.record``; ``status`` is drafted, awaiting_approval, ready, in_progress, complete, rolled_back or
    ///     stopped. A way back under way is still in_progress.
    ///
    /// Examples
    /// --------
    /// >>> import hotfix
    /// >>> plan = hotfix.Policy.preset("phased-canary").plan({"id": "INC-2041"}, {"version": "2", "previous": "1"})
    /// >>> rollout = hotfix.Rollout(plan)
    /// >>> _ = rollout.handle("2026-03-03T14:40:00Z", {"kind": "abort", "by": "lena", "why": "no longer needed"})
    /// >>> rollout.record()["status"], plan.record["status"]
    /// ('stopped', 'drafted')
    fn record<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let record = document(&self.lock(py)?.record())?;
        object(py, &record)
    }

    /// The last intent of each kind: who wanted what, when and why, apart from what came of it.
    ///
    /// Returns
    /// -------
    /// list of dict
    ///     ``{"kind", "at"}`` and, where there is one, ``by``, ``role``, ``about`` and ``why``, in the order of time.
    fn intents<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let intents = self.lock(py)?.intents();
        to_python(py, &intents)
    }

    /// Why the last verdict is as it is: numbers, rules, and the least change that would have turned it.
    ///
    /// From the way back on it is the verdict before it. Searches, so it may take some milliseconds.
    ///
    /// Returns
    /// -------
    /// Why or None
    ///     None before the first verdict, and between a change of traffic and the next look.
    fn why(&self, py: Python<'_>) -> PyResult<Option<Why>> {
        Ok(self.lock(py)?.why().map(Why))
    }

    /// Whom each version hurts a minute, over the phase so far.
    ///
    /// Returns
    /// -------
    /// Harm or None
    ///     None where `why` is None.
    fn harm(&self, py: Python<'_>) -> PyResult<Option<Harm>> {
        Ok(self.lock(py)?.harm().map(Harm))
    }

    /// What the rest of the phase can still show, and how many more requests that takes.
    ///
    /// Returns
    /// -------
    /// Outlook or None
    ///     None where no phase is watched.
    fn outlook(&self, py: Python<'_>) -> PyResult<Option<Outlook>> {
        Ok(self.lock(py)?.outlook().map(Outlook))
    }

    /// Each metric, its baseline and what each phase read; the phase under way as far as it is.
    fn comparison(&self, py: Python<'_>) -> PyResult<Comparison> {
        Ok(Comparison(self.lock(py)?.comparison()))
    }

    /// A metric's evidence with everything that it rests on. Computed for this call: seldom, not at every tick.
    ///
    /// Parameters
    /// ----------
    /// metric : str
    ///     Its id.
    ///
    /// Returns
    /// -------
    /// MetricEvidence or None
    ///     None for a metric without a test, or a latency that was never read.
    fn evidence(&self, py: Python<'_>, metric: &str) -> PyResult<Option<MetricEvidence>> {
        // A text that is no legal id is no metric's.
        let Ok(metric) = MetricName::try_new(metric) else { return Ok(None) };
        Ok(self.lock(py)?.evidence(metric).map(MetricEvidence))
    }

    /// Every log line so far; empty unless `keep_log`.
    fn log(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.lock(py)?.log().to_owned()) // made Python's without the lock: that may collect garbage
    }

    /// Write the incident report: ``hotfix.report(rollout.log(), format)``.
    fn report(&self, py: Python<'_>, format: &str) -> Result<String> {
        crate::report::of(py, &self.lock(py)?.clone(), format)
    }

    /// Take up a whole log, strictly.
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

    /// Take up a log whose last line may be incomplete, as a crash in mid-write leaves it.
    ///
    /// ``rollout.dropped`` says how many bytes were dropped, ``rollout.recovered_length`` how many stand: cut the file
    /// there before appending to it.
    ///
    /// Parameters
    /// ----------
    /// log : str or bytes
    ///     What the file holds; bytes where the crash may have cut a character in half.
    /// keep_log : bool, default True
    ///     As for `Rollout`.
    ///
    /// Raises
    /// ------
    /// LogError
    ///     As `replay` for what comes before; ``HF-LOG-001`` where no line is complete.
    #[staticmethod]
    #[pyo3(signature = (log, keep_log=true))]
    fn recover(py: Python<'_>, log: Log, keep_log: bool) -> Result<Self> {
        let found = py.detach(|| Core::recover(log.bytes(), recording(keep_log)))?;
        let recovered =
            Recovered { length: found.length, dropped: log.bytes().len() - found.length };
        Ok(Self { recovered: Some(recovered), ..found.rollout.into() })
    }

    /// The present state in bytes, for `restore`. The same state gives the same bytes.
    ///
    /// The log stays the truth: keep it whole, as another release may refuse a snapshot. It holds names in the clear,
    /// and the salt: once personal values are taken out of the log, throw older snapshots away and make new ones.
    fn snapshot<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyBytes>> {
        let bytes = self.lock(py)?.snapshot()?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Take up a snapshot and the log's lines after it: the same as `replay` of the whole log, byte for byte.
    ///
    /// Parameters
    /// ----------
    /// snapshot : bytes
    ///     What `snapshot` gave.
    /// tail : str or bytes, default ""
    ///     The log's lines from the one on whose ``seq`` `snapshot_seq` gives, each with its line feed.
    /// keep_log : bool, default True
    ///     As for `Rollout`; `log` begins with the tail.
    ///
    /// Raises
    /// ------
    /// LogError
    ///     ``HF-SNAP-001`` to ``-006`` for the snapshot, or with the first line of the tail that is wrong. Replay the
    ///     whole log then.
    #[staticmethod]
    #[pyo3(signature = (snapshot, tail=None, keep_log=true), text_signature = "(snapshot, tail='', keep_log=True)")]
    fn restore(
        py: Python<'_>,
        snapshot: PyBackedBytes,
        tail: Option<Log>,
        keep_log: bool,
    ) -> Result<Self> {
        let tail = tail.as_ref().map_or(&[][..], Log::bytes);
        Ok(py.detach(|| Core::restore(&snapshot, tail, recording(keep_log)))?.into())
    }

    /// How many lines the log had when a snapshot was made: the tail begins with the line of this ``seq``.
    ///
    /// Parameters
    /// ----------
    /// snapshot : bytes
    ///     What `snapshot` gave.
    ///
    /// Raises
    /// ------
    /// LogError
    ///     ``HF-SNAP-001`` to ``-004``.
    #[staticmethod]
    fn snapshot_seq(snapshot: &[u8]) -> Result<u64> {
        Ok(Core::snapshot_head(snapshot)?.seq)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let rollout = self.lock(py)?;
        let (id, state) = (&rollout.plan().subject().incident.id, rollout.state());
        Ok(format!("<Rollout {id:?}, {state}, share {}>", rollout.share()))
    }

    #[expect(clippy::unused_self, reason = "Python calls it on an object")]
    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a rollout is not copied or pickled: replay its log"))
    }
}

impl Rollout {
    /// No Python code runs while the lock is held.
    pub(crate) fn lock(&self, py: Python<'_>) -> PyResult<MutexGuard<'_, Core>> {
        self.inner.lock_py_attached(py).map_err(poisoned)
    }

    fn take(&self, py: Python<'_>, at: Timestamp, input: &Input) -> Result<Outcome> {
        Ok(self.lock(py)?.handle(at, input)?.into())
    }
}

impl From<Core> for Rollout {
    fn from(rollout: Core) -> Self {
        Self { inner: Mutex::new(rollout), reader: Mutex::new(None), recovered: None }
    }
}
