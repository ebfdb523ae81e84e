//! Other tools: import of their documents as policies, and export of logs and rollouts.
//!
//! [`convert`] reads Argo Rollouts, Flagger, Kayenta and `OpenSLO`: see `docs/import.md`. It uses
//! no network and runs nothing: your deploy tool runs the queries and sends their values.
//!
//! [`cdevents`] and [`grafana`] export a log, [`openmetrics`] and [`icalendar`] a rollout: see
//! `docs/export.md`. Exports name roles, not people, and free texts of people stay in the log.

mod analysis;
mod argo;
mod arguments;
pub mod cdevents;
mod condition;
mod document;
mod draft;
mod dry_run;
mod error;
mod expression;
mod fault;
mod finding;
mod flagger;
pub mod grafana;
pub mod icalendar;
mod kayenta;
pub mod openmetrics;
mod openslo;
mod provider;
mod reader;
mod source;
mod watched;

use serde::Serialize;

pub use error::ExportError;
pub use fault::{ConvertError, ConvertErrors, Fault};
pub use finding::{Finding, ImportFinding};

use reader::{At, Notes, unread};
use source::sources;

use crate::document::{Place, each_once};
use crate::grade::closed_set;
use crate::policy::Policy;
use crate::sorting::sort_by_key;
use crate::text::shown;

closed_set! {
    /// The tool or format of the imported documents.
    Kind {
        /// Argo Rollouts: `Rollout`, `AnalysisTemplate`, `ClusterAnalysisTemplate`.
        ArgoRollouts = "argo_rollouts",
        /// Flagger: `Canary`, `MetricTemplate`.
        Flagger = "flagger",
        /// Kayenta: a canary configuration, or a request with one.
        Kayenta = "kayenta",
        /// `OpenSLO`: `SLO`, `SLI`, `AlertPolicy`, `AlertCondition`.
        OpenSlo = "openslo",
    }
}

/// The result of an import.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Imported {
    /// The tool or format of the documents.
    pub kind: Kind,
    /// The policy, checked like any other.
    pub policy: Policy,
    /// The policy as TOML, with every default written out.
    pub text: String,
    /// What was lost, what works differently and what was completed, in the order of the source.
    pub findings: Vec<Finding>,
}

/// Imports documents of another tool as one policy.
///
/// `text` is YAML or JSON, at most 1 MiB; several documents are joined by their references. Without
/// the argument `kind`, the tool is detected from `apiVersion` and `kind`, or from the shape of
/// Kayenta's JSON. The policy is complete, but has no severities, because no source defines
/// approvals; combine it with a policy that has them (`extends`).
///
/// Every key of the source is mapped, is named in a finding, or has no effect on a policy, such as
/// `metadata`.
///
/// # Errors
/// All [`ConvertErrors`] at once, each with line and column.
///
/// ```
/// use hotfix_core::interop::{Kind, convert};
///
/// let canary = "
/// apiVersion: flagger.app/v1beta1
/// kind: Canary
/// metadata: {name: checkout}
/// spec:
///   analysis:
///     interval: 1m
///     threshold: 5
///     maxWeight: 50
///     stepWeight: 25
///     metrics:
///       - name: request-success-rate
///         thresholdRange: {min: 99}
///         intervall: 1m
/// ";
/// let imported = convert(canary, None)?;
/// assert_eq!(imported.kind, Kind::Flagger);
/// let shares: Vec<String> = imported.policy.phases().iter().map(|p| p.share.to_string()).collect();
/// assert_eq!(shares, ["25%", "50%", "100%"]);
/// let slip = imported.findings.iter().find(|finding| finding.code() == "HF-CONV-020").unwrap();
/// assert_eq!((slip.path.as_str(), slip.line), ("/spec/analysis/metrics/0/intervall", 14));
/// assert!(slip.message().contains("did you mean `interval`?"));
///
/// let errors = convert("kind: [", None).unwrap_err();
/// assert_eq!(errors.first().map(|error| error.code()), Some("HF-CONV-002"));
/// # Ok::<(), hotfix_core::interop::ConvertErrors>(())
/// ```
pub fn convert(text: &str, kind: Option<Kind>) -> Result<Imported, ConvertErrors> {
    let documents = document::read(text).map_err(ConvertErrors::in_order_of_text)?;
    let notes = Notes::default();
    let roots: Vec<At<'_>> = documents.iter().map(|node| At::root(node, &notes)).collect();
    let (kind, sources) = sources(&roots, kind).map_err(|fault| {
        let mut errors = notes.errors.take();
        if let Some(fault) = fault {
            errors.push_at(Place::START, "", fault);
        }
        errors.in_order_of_text()
    })?;
    let draft = match kind {
        Kind::ArgoRollouts => argo::import(&sources),
        Kind::Flagger => flagger::import(&sources),
        Kind::Kayenta => kayenta::import(&sources),
        Kind::OpenSlo => openslo::import(&sources),
    };
    for source in sources.iter().filter(|source| !source.used.get()) {
        let (kind, name) = (shown(source.kind), shown(source.name));
        source.at.lost(ImportFinding::UnusedDocument { kind, name });
    }
    roots.iter().for_each(unread);
    let draft = notes.errors.take().in_order_of_text().or(draft)?;
    let place = roots.first().map_or(Place::START, |root| root.node.place);
    let policy = draft.policy().map_err(|refused| {
        let mut errors = ConvertErrors::new();
        for error in &refused {
            errors.push_at(place, "", Fault::Policy { sentence: error.to_string() });
        }
        errors
    })?;
    let mut findings = notes.findings.take();
    sort_by_key(&mut findings, |finding| (finding.line, finding.column));
    Ok(Imported { kind, text: policy.to_toml(), policy, findings: each_once(findings) })
}

/// Marks keys without effect on a policy.
fn nothing(at: &At<'_>, keys: &[&'static str]) {
    for key in keys {
        if let Some(found) = at.get(key) {
            found.ignore();
        }
    }
}

/// Reports keys that belong to the platform.
fn platform(at: &At<'_>, keys: &[(&'static str, &'static str)]) {
    for (key, what) in keys {
        if let Some(found) = at.get(key) {
            found.lost(ImportFinding::Platform { what });
        }
    }
}

/// Most time of a deployment in seconds: Argo Rollouts and Flagger have the same default.
fn progress_deadline(spec: &At<'_>) -> f64 {
    let deadline = spec.get("progressDeadlineSeconds");
    let seconds = deadline.and_then(|at| at.whole_within(1.0, 1e8, SECONDS));
    seconds.unwrap_or(600.0)
}

const SECONDS: &str = "a whole number of seconds above 0";

/// Reports keys without a counterpart in a policy.
fn no_counterpart(at: &At<'_>, keys: &[(&'static str, &'static str)]) {
    for (key, what) in keys {
        if let Some(found) = at.get(key) {
            found.lost(ImportFinding::NoCounterpart { what: (*what).to_owned() });
        }
    }
}
