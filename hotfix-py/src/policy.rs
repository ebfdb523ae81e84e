//! `Policy`: the rules of an organisation for hot-fixes, or a preset.

use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hotfix_core::policy::{self as core, Policy as Core};
use pyo3::exceptions::{PyOSError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyAnyMethods, PyString};
use serde_json::Value;

use crate::commit;
use crate::convert::{At, to_python, utf8};
use crate::document::{document, text, value, word};
use crate::error::{Fault, Result};
use crate::fact;
use crate::plan::{self, Plan};
use crate::plan_documents;
use crate::severity::{Asked, Classification, Decision, Finding};
use crate::typed::Json;

/// A checked, immutable policy. Threads may share it.
///
/// Made by `preset`, `from_toml`, `from_json` or `load`. Each of them raises `PolicyError` with
/// every fault at once.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> policy = hotfix.Policy.preset("phased-canary")
/// >>> policy.name
/// 'phased-canary'
/// >>> policy.to_dict()["phases"][0]["share"]
/// 0.1
/// >>> hotfix.Policy.from_toml(policy.to_toml()) == policy
/// True
#[pyclass(frozen, eq, module = "hotfix")]
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Policy(pub(crate) Arc<Core>);

#[pymethods]
impl Policy {
    /// The names of the presets of this release.
    ///
    /// Returns
    /// -------
    /// list of str
    ///
    /// Examples
    /// --------
    /// >>> import hotfix
    /// >>> "phased-canary" in hotfix.Policy.presets()
    /// True
    #[staticmethod]
    fn presets() -> Vec<&'static str> {
        Core::presets().to_vec()
    }

    /// Make the policy of a preset.
    ///
    /// Raises
    /// ------
    /// PolicyError
    ///     If no preset has this name; the error names the nearest.
    #[staticmethod]
    fn preset(name: &str) -> Result<Self> {
        Ok(Core::preset(name)?.into())
    }

    /// Read TOML.
    ///
    /// Parameters
    /// ----------
    /// text : str
    ///     The document, at most 1 MiB.
    /// resolve : callable, optional
    ///     Called with each name in ``extends``, once. It returns the text of that policy, or None
    ///     if it does not know the name, which is then the name of a preset. The text is JSON if it
    ///     starts with ``{``, otherwise TOML. Its exceptions are passed on.
    ///
    /// Raises
    /// ------
    /// PolicyError
    ///     With every error, each with a code, a place (JSON Pointer) and a sentence.
    ///
    /// Examples
    /// --------
    /// >>> import hotfix
    /// >>> enterprise = """
    /// ... extends = "phased-canary"
    /// ... efficacy = { remove = true }
    /// ... """
    /// >>> payments = """
    /// ... extends = "enterprise"
    /// ... name = "payments"
    /// ... [[phases]]
    /// ... name = "canary"
    /// ... watch = "20min"
    /// ... """
    /// >>> policy = hotfix.Policy.from_toml(payments, {"enterprise": enterprise}.get)
    /// >>> policy.to_dict()["phases"][0]["watch"]
    /// 1200
    /// >>> hotfix.Policy.from_toml(policy.to_toml()).digest == policy.digest
    /// True
    #[staticmethod]
    #[pyo3(signature = (text, resolve: "Callable[[str], str | None] | None" = None))]
    fn from_toml(text: &Bound<'_, PyString>, resolve: Option<&Bound<'_, PyAny>>) -> Result<Self> {
        read(text_of(text)?, false, |name| resolve.map_or(Ok(None), |resolve| ask(resolve, name)))
    }

    /// Read JSON.
    ///
    /// Parameters
    /// ----------
    /// text : str
    ///     The document, at most 1 MiB.
    /// resolve : callable, optional
    ///     As for `from_toml`.
    ///
    /// Raises
    /// ------
    /// PolicyError
    ///     As `from_toml`.
    #[staticmethod]
    #[pyo3(signature = (text, resolve: "Callable[[str], str | None] | None" = None))]
    fn from_json(text: &Bound<'_, PyString>, resolve: Option<&Bound<'_, PyAny>>) -> Result<Self> {
        read(text_of(text)?, true, |name| resolve.map_or(Ok(None), |resolve| ask(resolve, name)))
    }

    /// Read a file: JSON if its name ends in ``.json``, otherwise TOML.
    ///
    /// A name in ``extends`` is the file ``<name>.toml`` or ``<name>.json`` in the same folder,
    /// otherwise a preset.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     If the file, or one that it extends, cannot be read, with its `filename`; if it is not UTF-8,
    ///     its message has the name.
    /// PolicyError
    ///     As `from_toml`; a note names the file.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let text = py.detach(|| std::fs::read_to_string(&path));
        let text = text.map_err(|error| unreadable(py, &path, &error))?;
        let is_json = path.extension().is_some_and(|suffix| suffix.eq_ignore_ascii_case("json"));
        let read = read(&text, is_json, |name| {
            let read = py.detach(|| beside(&path, name));
            read.map_err(|(path, error)| unreadable(py, &path, &error).into())
        });
        read.map_err(|fault| {
            let error = PyErr::from(fault);
            // The note is optional: without it the error still states the fault.
            let note = format!("in {}", path.display());
            drop(error.value(py).call_method1("add_note", (note,)));
            error
        })
    }

    /// Its name.
    #[getter]
    fn name(&self) -> String {
        self.0.name().to_string()
    }

    /// Its title.
    #[getter]
    fn title(&self) -> &str {
        self.0.title()
    }

    /// SHA-256 of its canonical JSON: the same on every platform and in every language.
    #[getter]
    fn digest(&self) -> String {
        self.0.digest().to_string()
    }

    /// Write the policy as TOML, in the notation of policy files: ``"10min"``, ``"0.3%"``; every
    /// default filled in.
    fn to_toml(&self) -> String {
        self.0.to_toml()
    }

    /// Write the policy as JSON: durations in seconds, shares as fractions; every default filled
    /// in.
    fn to_json(&self) -> String {
        self.0.to_json()
    }

    /// As a dict: the same JSON as `to_json`.
    fn to_dict(&self) -> Json {
        Json::of(&*self.0)
    }

    /// Make a plan for one hot-fix under this policy.
    ///
    /// Parameters
    /// ----------
    /// incident : Mapping
    ///     ``{"id", "service", "title", "facts", "began_at", "detected_at", "severity"}``; all but
    ///     ``id`` optional. Times are RFC 3339 text or aware `datetime` objects.
    /// release : Mapping, optional
    ///     ``{"version", "previous", "branch", "commit", "author", "methods", "numstat",
    ///     "bug_metric", "strategy", …}``; all but the first two optional, and all of them in
    ///     ``docs/inputs.md``. None while there is no fix yet. ``methods`` is a list such as
    ///     ``[{"kind": "feature_flag", "seconds": 5}]``.
    /// traffic : Mapping, optional
    ///     ``{"requests_per_minute", "instances", "canary_instances", "flags", "schema_change"}``,
    ///     all optional.
    /// calibration : Mapping, optional
    ///     The counts of each instance in normal operation, by metric: ``{metric: {instance:
    ///     [[events, trials], …]}}``, one pair for each tick of the policy's cadence. Of a latency
    ///     one row of requests up to each of its boundaries and of all. The plan keeps the result of
    ///     the calibration, not the history.
    ///
    /// Returns
    /// -------
    /// Plan
    ///
    /// Raises
    /// ------
    /// PlanError
    ///     If no plan can be made from these documents; with the place.
    ///
    /// Examples
    /// --------
    /// >>> import hotfix
    /// >>> policy = hotfix.Policy.preset("phased-canary")
    /// >>> plan = policy.plan({"id": "INC-2041"}, {"version": "2.3.1", "previous": "2.3.0"})
    /// >>> [phase.share for phase in plan.phases]
    /// [0.1, 0.5, 1.0]
    #[pyo3(signature = (incident: "Mapping[str, object]", release: "Mapping[str, object] | None" = None, traffic: "Mapping[str, object] | None" = None, calibration: "Mapping[str, Mapping[str, Iterable[Sequence[SupportsFloat]]]] | None" = None))]
    fn plan(
        &self,
        incident: &Bound<'_, PyAny>,
        release: Option<&Bound<'_, PyAny>>,
        traffic: Option<&Bound<'_, PyAny>>,
        calibration: Option<&Bound<'_, PyAny>>,
    ) -> Result<Plan> {
        plan_documents::make(&self.0, incident, release, traffic, calibration)
    }

    /// Classify an incident: its severity, and whether it calls for a hot-fix.
    ///
    /// Parameters
    /// ----------
    /// facts : Mapping
    ///     The known facts by name: bool, a number, text such as ``"55%"``, `timedelta`, aware
    ///     `datetime`. A fact that is None or left out is unknown; an unknown fact is never treated
    ///     as "no".
    ///
    /// Raises
    /// ------
    /// FactError
    ///     With every error, each with a code, a place (JSON Pointer) and a sentence.
    ///
    /// Examples
    /// --------
    /// >>> import hotfix
    /// >>> policy = hotfix.Policy.from_toml("""
    /// ... extends = "phased-canary"
    /// ... severities.P0 = { label = "critical", hotfix = true }
    /// ... severities.P1 = { label = "high", hotfix = true }
    /// ... [[rules]]
    /// ... id = "down"
    /// ... title = "no user is served"
    /// ... severity = "P0"
    /// ... when = "service_down"
    /// ... [[rules]]
    /// ... id = "many"
    /// ... title = "many users are affected"
    /// ... severity = "P1"
    /// ... when = { fact = "users_affected", above = "25%" }
    /// ... """)
    /// >>> answer = policy.classify({"users_affected": 0.3})
    /// >>> answer.severity, answer.at_worst, answer.hotfix, answer.settled
    /// ('P1', 'P0', 'yes', False)
    /// >>> answer.if_known["service_down"][True]
    /// 'P0'
    #[pyo3(signature = (facts: "_Facts"))]
    fn classify(&self, facts: &Bound<'_, PyAny>) -> Result<Classification> {
        let facts = fact::read(facts, self.0.vocabulary())?;
        Ok(Classification(Asked::new(&self.0, facts)))
    }

    /// Decide what to do about an incident, by the policy's decision tree, or by the tree built
    /// from its rules.
    ///
    /// Parameters
    /// ----------
    /// facts : Mapping
    ///     As for `classify`.
    ///
    /// Raises
    /// ------
    /// FactError
    ///     As `classify`.
    #[pyo3(signature = (facts: "_Facts"))]
    fn decide(&self, facts: &Bound<'_, PyAny>) -> Result<Decision> {
        let facts = fact::read(facts, self.0.vocabulary())?;
        Ok(Decision(Asked::new(&self.0, facts)))
    }

    /// Lint this policy: return its findings, in the order of the codes.
    ///
    /// Parameters
    /// ----------
    /// at : datetime or str, optional
    ///     The present time: an aware `datetime`, or RFC 3339 text. Without it overdue dates are
    ///     not checked.
    ///
    /// Returns
    /// -------
    /// list of Finding
    #[pyo3(signature = (at=None))]
    fn lint(&self, py: Python<'_>, at: Option<At>) -> Vec<Finding> {
        let findings = py.detach(|| self.0.lint(at.map(|at| at.0)));
        findings.iter().map(|finding| Finding(value(finding))).collect()
    }

    /// Compose a commit message in the form of this policy.
    ///
    /// Parameters
    /// ----------
    /// summary : str
    ///     What the fix does. The subject has at most 72 characters of it; the rest is below the
    ///     subject.
    /// scope : str, optional
    ///     The scope, for forms that are conventional commits.
    /// version : str, optional
    ///     The new version, for forms that raise it in a separate commit.
    /// fields : Mapping, optional
    ///     The facts, by name: ``issue``, ``severity``, ``impact``, ``cause``, ``change``,
    ///     ``solution``, ``tested``, ``approved_by``, ``deployed_by``; None is unknown. They are at
    ///     the end, as trailers that git reads.
    ///
    /// Returns
    /// -------
    /// dict
    ///     ``{"text", "subject", "missing", "later", "note", "version_commit",
    ///     "version_missing"}``: ``missing`` has the facts that the form asks for and that were not
    ///     given, ``later`` those that are known only after the commit, ``note`` the command that
    ///     records those of them that were given.
    ///
    /// Raises
    /// ------
    /// PlanError
    ///     For parts that do not fit the form; with the place in the arguments.
    ///
    /// Examples
    /// --------
    /// >>> import hotfix
    /// >>> policy = hotfix.Policy.preset("severity-matrix")
    /// >>> message = policy.commit_message("Read the secret as UTF-8", fields={"issue": "#1234", "deployed_by": "Ann"})
    /// >>> message["text"]
    /// 'HOTFIX: Read the secret as UTF-8\n\nFixes: #1234\n'
    /// >>> message["missing"]
    /// ['severity', 'impact', 'cause', 'solution']
    /// >>> message["note"]["text"]
    /// 'Deployed-By: Ann\n'
    #[pyo3(signature = (summary, *, scope=None, version=None, fields: "Mapping[_CommitField, str | None] | None" = None) -> "dict[str, Any]")]
    fn commit_message<'py>(
        &self,
        py: Python<'py>,
        summary: &str,
        scope: Option<&str>,
        version: Option<&str>,
        fields: Option<&Bound<'py, PyAny>>,
    ) -> Result<Bound<'py, PyAny>> {
        let parts = commit::parts(summary, scope, version, fields)?;
        Ok(to_python(py, &self.0.commit_form().compose(&parts)?)?)
    }

    /// Read a commit message: exactly if this library composed it, otherwise as far as possible.
    ///
    /// Returns
    /// -------
    /// dict
    ///     ``{"subject", "summary", "kind", "scope", "fields", "others", "body", "missing",
    ///     "later", "faults"}``.
    ///
    /// Examples
    /// --------
    /// >>> import hotfix
    /// >>> read = hotfix.Policy.preset("fast-track").parse_commit_message("hotfix: guard added\n\nissue: INC-7\nimpact:\n")
    /// >>> read["fields"], read["missing"]
    /// ({'issue': 'INC-7'}, ['impact', 'change'])
    /// >>> read["faults"][0]["message"]
    /// '`impact` has a label but no value: add the value, or remove the line'
    #[pyo3(signature = (text) -> "dict[str, Any]")]
    fn parse_commit_message<'py>(
        &self,
        py: Python<'py>,
        text: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.0.commit_form().parse(text))
    }

    /// The decision tree as a Mermaid flowchart: the policy's own, or the one built from its rules;
    /// None if it has neither.
    fn tree_mermaid(&self) -> Option<String> {
        self.0.tree_mermaid()
    }

    /// The decision tree in Graphviz's DOT language.
    fn tree_dot(&self) -> Option<String> {
        self.0.tree_dot()
    }

    fn __hash__(&self) -> u64 {
        plan::hash_of(self.0.digest())
    }

    fn __repr__(&self) -> String {
        format!(
            "<Policy {:?}, {} phases, {} metrics>",
            self.0.name(),
            self.0.phases().len(),
            self.0.metrics().len()
        )
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        Ok((py.get_type::<Self>().getattr("from_json")?, (self.0.to_json(),)))
    }
}

/// Reads a document; `find` returns the texts that it extends, and its first error ends the search.
fn read(
    text: &str,
    is_json: bool,
    mut find: impl FnMut(&str) -> Result<Option<String>>,
) -> Result<Policy> {
    let mut failed = None;
    let resolve = |name: &str| match failed {
        Some(_) => None,
        None => find(name).unwrap_or_else(|fault| {
            failed = Some(fault);
            None
        }),
    };
    let read = if is_json {
        Core::from_json_with(text, resolve)
    } else {
        Core::from_toml_with(text, resolve)
    };
    match failed {
        Some(fault) => Err(fault),
        None => Ok(read?.into()),
    }
}

fn ask(resolve: &Bound<'_, PyAny>, name: &str) -> Result<Option<String>> {
    let answer = resolve.call1((name,))?;
    if answer.is_none() {
        return Ok(None);
    }
    let text = answer.cast::<PyString>().map_err(|_| {
        let kind = answer.get_type();
        PyTypeError::new_err(format!(
            "resolve has to return the text of a policy or None, not {kind}"
        ))
    })?;
    Ok(Some(text_of(text)?.to_owned()))
}

fn text_of<'a>(text: &'a Bound<'_, PyString>) -> Result<&'a str> {
    utf8(text).map_err(Fault::of::<core::Problem>)
}

/// Reads the policy of this name in the folder of a file. The core passes plain names, without dots
/// or separators.
fn beside(file: &Path, name: &str) -> std::result::Result<Option<String>, (PathBuf, Error)> {
    for suffix in ["toml", "json"] {
        let path = file.with_file_name(format!("{name}.{suffix}"));
        match std::fs::read_to_string(&path) {
            Ok(text) => return Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err((path, error)),
        }
    }
    Ok(None)
}

/// The error of a file that cannot be read, as `open` raises it: with number and name.
fn unreadable(py: Python<'_>, path: &Path, error: &Error) -> PyErr {
    let name = path.display().to_string();
    let Some(number) = error.raw_os_error() else {
        return PyOSError::new_err(match error.kind() {
            ErrorKind::InvalidData => format!("{name} is not UTF-8: save it as UTF-8"),
            _ => format!("{name:?} is not a path: {error}"),
        });
    };
    let meaning = || py.import("os")?.call_method1("strerror", (number,))?.extract::<String>();
    let meaning = meaning().unwrap_or_else(|_| error.to_string());
    PyOSError::new_err((number, meaning, name))
}

impl From<Core> for Policy {
    fn from(policy: Core) -> Self {
        Self(Arc::new(policy))
    }
}

document! {
    /// One fault of a policy, of a scenario or of the facts of an incident.
    Problem(Value) {
        /// A stable code such as ``"HF-POL-006"``.
        fn code(this) -> String { text(this, "code") }
        /// What is wrong and what to do, in a sentence.
        fn message(this) -> String { text(this, "message") }
        /// The place, as a JSON Pointer.
        fn path(this) -> String { text(this, "path") }
        /// The line, from 1; None without a text, as for facts.
        fn line(this) -> Option<u64> { this["line"].as_u64() }
        /// The column, from 1, in characters.
        fn column(this) -> Option<u64> { this["column"].as_u64() }
        /// The base that has the place, if it is not the policy itself.
        fn base(this) -> Option<String> { word(this, "base") }
    }
}
