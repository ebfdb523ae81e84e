//! `Plan`: what is to be done, agreed before anything is deployed.

use std::sync::Arc;
use std::time::Duration;

use hotfix_core::canonical::Digest;
use hotfix_core::plan::{
    Histories, Method as CoreMethod, Plan as Core, PlanError, Subject, Traffic,
};
use hotfix_core::policy::Policy as CorePolicy;
use hotfix_core::unit::{MetricName, Span};
use pyo3::prelude::*;
use pyo3::types::PyIterator;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::calibration::{dict_of, series};
use crate::convert::{At, duration, json as to_json, object, to_python};
use crate::document::{self, document, value};
use crate::error::Result;
use crate::observation::text as text_of;
use crate::policy::Policy;

/// A plan for one hot-fix: a policy, an incident, a release and its traffic. Immutable.
///
/// Made by `Policy.plan`.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> plan = hotfix.Policy.preset("phased-canary").plan(
/// ...     {"id": "INC-2041", "severity": "P1"},
/// ...     {"version": "2.3.1", "previous": "2.3.0",
/// ...      "methods": [{"kind": "redeploy", "seconds": 150}, {"kind": "feature_flag", "seconds": 5}]},
/// ... )
/// >>> [method.kind for method in plan.methods]
/// ['feature_flag', 'redeploy']
#[pyclass(frozen, eq, mapping, module = "hotfix")]
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan(pub(crate) Core);

#[pymethods]
impl Plan {
    /// The policy it follows.
    #[getter]
    fn policy(&self) -> Policy {
        self.0.policy().clone().into()
    }

    /// The phases, in order.
    #[getter]
    fn phases(&self) -> Vec<Phase> {
        match value(self.0.policy()).get_mut("phases").map(Value::take) {
            Some(Value::Array(phases)) => phases.into_iter().map(Phase).collect(),
            _ => Vec::new(),
        }
    }

    /// The ways back, fastest first; at least one.
    #[getter]
    fn methods(&self) -> Vec<Method> {
        self.0.methods().iter().copied().map(Method).collect()
    }

    /// The incident, as a dict.
    #[getter]
    fn incident<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.0.subject().incident)
    }

    /// The release, as a dict.
    #[getter]
    fn release<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.0.subject().release)
    }

    /// The traffic, as a dict.
    #[getter]
    fn traffic<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.0.subject().traffic)
    }

    /// What the house's own history asks of the tests, as a dict by metric; empty without a history.
    ///
    /// ``{metric: {"history", "phases": [{"phase", "calibration": {"threshold", "cap", "hold", …}}, …]}}``; a phase that
    /// the history gives no limits for has ``without``, which says why.
    #[getter]
    fn calibration<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, self.0.calibrations())
    }

    /// What each phase can see, before anything is deployed, as a dict.
    ///
    /// ``phases`` has one entry a phase for the leading metric, the error rate: ``expected_events`` of a healthy fix,
    /// ``healthy_passes`` (the chance that it passes the gate in the least time), ``false_rollback`` by the sequential test,
    /// ``faults`` of 1.5 to 20 times the record (``passes``, rolled back by ``plain`` bounds, found by the ``sequential``
    /// test, each with ``chance`` and whether it is ``approximate``; ``minutes`` until then and ``requests_hurt``), and
    /// ``smallest_ratio``, which the test finds with chance 0.8. ``all_gates`` is the chance that a healthy fix passes all
    /// gates, ``advice`` what would have to be otherwise. Computed at each access, in milliseconds: keep it.
    ///
    /// Examples
    /// --------
    /// >>> import hotfix
    /// >>> policy = hotfix.Policy.preset("phased-canary")
    /// >>> plan = policy.plan({"id": "INC-2041"}, {"version": "2.3.1", "previous": "2.3.0"})
    /// >>> sight = plan.sight
    /// >>> [round(phase["expected_events"], 9) for phase in sight["phases"]]
    /// [3.0, 15.0, 90.0]
    /// >>> [round(100 * (1 - phase["healthy_passes"])) for phase in sight["phases"]], round(100 * sight["all_gates"])
    /// ([35, 43, 47], 19)
    #[getter]
    fn sight<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &py.detach(|| self.0.sight()))
    }

    /// What each phase can see, as Markdown: a table that a person can act on.
    ///
    /// Examples
    /// --------
    /// >>> import hotfix
    /// >>> policy = hotfix.Policy.preset("phased-canary")
    /// >>> plan = policy.plan({"id": "INC-2041"}, {"version": "2.3.1", "previous": "2.3.0"})
    /// >>> "3, 15 and 90 errors are to be expected of a healthy fix" in plan.sight_markdown()
    /// True
    fn sight_markdown(&self, py: Python<'_>) -> String {
        py.detach(|| self.0.sight().to_markdown())
    }

    /// SHA-256 of policy, incident, release, traffic and calibration in canonical JSON.
    #[getter]
    fn digest(&self) -> String {
        self.0.digest().to_string()
    }

    /// When what happens, if all goes well.
    ///
    /// Parameters
    /// ----------
    /// start : datetime or str
    ///     When the first deployment starts: an aware `datetime`, or RFC 3339 text.
    ///
    /// Returns
    /// -------
    /// list of dict
    ///     ``{"offset", "at", "step", "phase"}``: seconds after the start, the time, one of ``deploy``, ``monitor``,
    ///     ``gate``, ``final_validation``, ``complete``, and the phase where there is one.
    ///
    /// Examples
    /// --------
    /// >>> import hotfix
    /// >>> policy = hotfix.Policy.preset("phased-canary")
    /// >>> plan = policy.plan({"id": "INC-2041"}, {"version": "2.3.1", "previous": "2.3.0"})
    /// >>> plan.timeline("2026-03-03T14:40:00Z")[-1]
    /// {'at': '2026-03-03T15:40:00.000Z', 'offset': 3600.0, 'step': 'complete'}
    fn timeline<'py>(&self, py: Python<'py>, start: At) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.0.timeline(start.0))
    }

    /// As a dict: ``{"digest", "incident", "methods", "phases", "policy", "release", "traffic"}``, and ``"calibration"``
    /// where there is one.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        object(py, &self.document())
    }

    fn __getitem__<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.to_dict(py)?.get_item(key)
    }

    fn __contains__(&self, key: &str) -> bool {
        self.document().get(key).is_some()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        document::iter(py, &self.document())
    }

    /// The members that are there.
    fn keys(&self) -> Vec<String> {
        document::keys(&self.document())
    }

    fn __hash__(&self) -> u64 {
        hash_of(self.0.digest())
    }

    fn __repr__(&self) -> String {
        let Subject { incident, release, .. } = self.0.subject();
        let (id, from, to) = (&incident.id, &release.previous, &release.version);
        format!("<Plan {id:?}, {from} to {to}, policy {:?}>", self.0.policy().name())
    }

    #[staticmethod]
    fn _restored(policy: &Policy, subject: &str, calibration: &str) -> Result<Self> {
        let fault =
            |e: serde_json::Error| PlanError::Syntax { document: "plan", fault: e.to_string() };
        let subject = serde_json::from_str(subject).map_err(fault)?;
        let calibrations = serde_json::from_str(calibration).map_err(fault)?;
        Ok(Self(Core::restored(Arc::clone(&policy.0), subject, calibrations)?))
    }

    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyAny>, (Policy, String, String))> {
        let make = py.get_type::<Self>().getattr("_restored")?;
        let (subject, calibrations) = (value(self.0.subject()), value(self.0.calibrations()));
        Ok((make, (self.policy(), subject.to_string(), calibrations.to_string())))
    }
}

impl Plan {
    fn document(&self) -> Value {
        let policy = value(self.0.policy());
        let phases = policy.get("phases").cloned();
        let Subject { incident, release, traffic } = self.0.subject();
        let mut document = json!({
            "digest": self.0.digest(),
            "incident": incident,
            "methods": self.0.methods(),
            "phases": phases,
            "policy": policy,
            "release": release,
            "traffic": traffic,
        });
        if let (Value::Object(document), false) = (&mut document, self.0.calibrations().is_empty())
        {
            document.insert("calibration".to_owned(), value(self.0.calibrations()));
        }
        document
    }
}

/// Half of a digest is hash enough.
pub(crate) fn hash_of(digest: Digest) -> u64 {
    digest.as_bytes().iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

/// Makes a plan of documents.
pub(crate) fn make(
    policy: &Arc<CorePolicy>,
    incident: &Bound<'_, PyAny>,
    release: &Bound<'_, PyAny>,
    traffic: Option<&Bound<'_, PyAny>>,
    calibration: Option<&Bound<'_, PyAny>>,
) -> Result<Plan> {
    let subject = Subject {
        incident: part(incident, "incident")?,
        release: part(release, "release")?,
        traffic: traffic.map_or(Ok(Traffic::default()), |traffic| part(traffic, "traffic"))?,
    };
    let policy = Arc::clone(policy);
    let Some(histories) = calibration else { return Ok(Plan(Core::try_new(policy, subject)?)) };
    let mut read = Histories::new();
    for (metric, history) in &dict_of(histories, "a calibration")? {
        let metric = MetricName::try_new(text_of(&metric)?)
            .map_err(|e| PlanError::Syntax { document: "calibration", fault: e.to_string() })?;
        read.insert(metric, series(&history)?);
    }
    let histories = read;
    Ok(Plan(incident.py().detach(|| Core::calibrated(policy, subject, histories))?))
}

fn part<T: DeserializeOwned>(from: &Bound<'_, PyAny>, document: &'static str) -> Result<T> {
    let value = to_json(from).map_err(|fault| match fault.into_sentence() {
        Ok(fault) => PlanError::Syntax { document, fault }.into(),
        Err(other) => other,
    })?;
    serde_json::from_value(value)
        .map_err(|e| PlanError::Syntax { document, fault: e.to_string() }.into())
}

document! {
    /// A way back and how long it takes.
    Method(CoreMethod) {
        /// Which.
        fn kind(this) -> &'static str { this.kind.as_str() }
        /// How long it takes; None where that is not known.
        fn seconds(this) -> Option<f64> { this.seconds.map(Span::as_seconds) }
    }
}

document! {
    /// One phase of a plan. Durations are `timedelta` as attributes and seconds in `to_dict`.
    Phase(Value) {
        /// Its name, unique in the plan.
        fn name(this) -> String { text(this, "name") }
        /// What it is to show.
        fn objective(this) -> String { text(this, "objective") }
        /// The canary's share of the traffic, from 0 to 1.
        fn share(this) -> f64 { this["share"].as_f64().unwrap_or_default() }
        /// How long the deployment is expected to take.
        fn deploy(this) -> Option<Duration> { span(this, "deploy") }
        /// The least time to watch before its gate.
        fn watch(this) -> Option<Duration> { span(this, "watch") }
        /// The most time to watch; None without a limit.
        fn watch_most(this) -> Option<Duration> { span(this, "watch_most") }
        /// Who lets it pass: ``automatic``, ``manual`` or ``veto``.
        fn gate(this) -> String { text(this, "gate") }
        /// What passing it claims.
        fn promotion(this) -> String { text(this, "promotion") }
        /// What follows when the least time is over and a success bound is missed.
        fn missed(this) -> String { text(this, "missed") }
        /// What follows when the most time is over without a decision.
        fn undecided(this) -> String { text(this, "undecided") }
    }
}

fn text(of: &Value, key: &str) -> String {
    of[key].as_str().unwrap_or_default().to_owned()
}

fn span(of: &Value, key: &str) -> Option<Duration> {
    of[key].as_f64().and_then(|seconds| Span::try_from_seconds(seconds).ok()).map(duration)
}
