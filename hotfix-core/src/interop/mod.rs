//! Other tools: their documents imported as policies, and what they take of a log or a rollout.
//!
//! [`convert`] reads Argo Rollouts, Flagger, Kayenta and `OpenSLO`, as `docs/import.md` tells. It asks nothing of the
//! network and runs nothing: a query stays with the host, which gives its value as a reading.
//!
//! [`cdevents`] and [`grafana`] write a log, [`openmetrics`] and [`icalendar`] a rollout, as `docs/export.md` tells. Nothing there
//! names people: who does something is a role, and free texts of people stay in the log.

mod analysis;
mod argo;
pub mod cdevents;
mod document;
mod draft;
mod dry_run;
mod error;
mod expression;
mod fault;
mod flagger;
pub mod grafana;
pub mod icalendar;
mod kayenta;
pub mod openmetrics;
mod openslo;
mod reader;
mod remark;
mod watched;

use std::cell::Cell;

use serde::ser::{Serialize, SerializeStruct, Serializer};

pub use error::ExportError;
pub use fault::{ConvertError, ConvertErrors, Fault};
pub use remark::{Finding, Remark};

use document::{Node, Place, Value};
use reader::{At, Notes, unread};

use crate::grade::closed_set;
use crate::policy::Policy;
use crate::text::{nearest, shown};

closed_set! {
    /// Whose documents are imported.
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

/// What an import gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// Whose documents they were.
    pub kind: Kind,
    /// The policy, checked as any other.
    pub policy: Policy,
    /// The same as TOML, with every default written out.
    pub text: String,
    /// What does not map, what goes another way, and what was put in, in the order of the source.
    pub findings: Vec<Finding>,
}

impl Serialize for Imported {
    /// `{"kind", "policy", "text", "findings"}`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut imported = serializer.serialize_struct("Imported", 4)?;
        imported.serialize_field("kind", &self.kind)?;
        imported.serialize_field("policy", &self.policy)?;
        imported.serialize_field("text", &self.text)?;
        imported.serialize_field("findings", &self.findings)?;
        imported.end()
    }
}

/// Imports documents of another tool as one policy.
///
/// `text` is YAML or JSON, at most 1 MiB; several documents are joined by their references. Whose they are is told from
/// `apiVersion` and `kind`, or from the shape of Kayenta's JSON, where `kind` does not say it. The policy stands by itself:
/// no source says who approves, so it has no severities; lay it over one that has (`extends`).
///
/// Every key of the source is mapped, or is named by a finding, or says nothing of a policy, as `metadata` does.
///
/// # Errors
/// All of them at once, each with line and column: `HF-CONV-001` to `HF-CONV-011`.
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
///
/// Shows FIELD-5.
pub fn convert(text: &str, kind: Option<Kind>) -> Result<Imported, ConvertErrors> {
    let documents = document::read(text).map_err(ConvertErrors::new)?;
    let notes = Notes::default();
    let roots: Vec<At<'_>> =
        documents.iter().enumerate().map(|(index, node)| At::root(node, index, &notes)).collect();
    let read = sources(&roots, kind);
    let (kind, sources) = match read {
        Ok(found) => found,
        Err(error) => return Err(ConvertErrors::new(vec![error])),
    };
    let draft = match kind {
        Kind::ArgoRollouts => argo::import(&sources),
        Kind::Flagger => flagger::import(&sources),
        Kind::Kayenta => kayenta::import(&sources),
        Kind::OpenSlo => openslo::import(&sources),
    };
    for source in sources.iter().filter(|source| !source.used.get()) {
        let (kind, name) = (shown(source.kind), shown(source.name));
        source.at.lost(Remark::UnusedDocument { kind, name });
    }
    roots.iter().for_each(unread);
    let errors = notes.errors.take();
    let place = roots.first().map_or(Place { line: 1, column: 1 }, |root| root.node.place);
    let Some(draft) = draft.filter(|_| errors.is_empty()) else {
        return Err(ConvertErrors::new(told_once(errors)));
    };
    let refused = |error: &crate::policy::PolicyError| {
        let fault = Fault::Policy { sentence: error.to_string() };
        ConvertError::new(fault, "", 0, place)
    };
    let policy = draft
        .policy()
        .map_err(|errors| ConvertErrors::new(errors.iter().map(refused).collect()))?;
    let mut findings = notes.findings.take();
    findings.sort_by_key(|finding| (finding.line, finding.column));
    Ok(Imported { kind, text: policy.to_toml(), policy, findings: told_once(findings) })
}

/// A part that two others refer to is read twice, and told of once.
fn told_once<T: PartialEq>(list: Vec<T>) -> Vec<T> {
    let mut once: Vec<T> = Vec::new();
    for item in list {
        // Sorted by their place, the same ones are neighbours, but for others at the same place.
        if !once.iter().rev().take(8).any(|other| *other == item) {
            once.push(item);
        }
    }
    once
}

/// A document of a tool.
struct Source<'d> {
    at: At<'d>,
    kind: &'d str,
    name: &'d str,
    namespace: &'d str,
    used: Cell<bool>,
}

impl Source<'_> {
    /// There is no document that a policy can be made of.
    fn unknown<T>(&self, what: &str) -> Option<T> {
        self.at.ignore();
        let fault = Fault::UnknownKind { what: format!("{what}{}", meant(self.kind)) };
        self.used.set(true);
        self.at.fail(fault)
    }
}

/// What a kind may have been meant to be.
fn meant(kind: &str) -> String {
    let known = [
        "Rollout",
        "AnalysisTemplate",
        "ClusterAnalysisTemplate",
        "Canary",
        "MetricTemplate",
        "SLO",
        "SLI",
        "AlertPolicy",
        "AlertCondition",
    ];
    match nearest(kind, known) {
        Some(near) if near != kind => {
            format!(", and `{}` may be meant to be `{near}`", shown(kind))
        }
        _ => String::new(),
    }
}

/// The document of one of these kinds and this name; marks it as used.
fn named<'s, 'd>(sources: &'s [Source<'d>], kinds: &[&str], name: &str) -> Option<&'s Source<'d>> {
    let found = sources.iter().find(|source| kinds.contains(&source.kind) && source.name == name);
    if let Some(source) = found {
        source.used.set(true);
    }
    found
}

/// The one document that a policy is made of.
fn main_of<'s, 'd>(sources: &'s [Source<'d>], what: &'static str) -> Option<&'s Source<'d>> {
    let mut all = sources.iter().filter(|source| source.kind == what);
    let first = all.next()?;
    first.used.set(true);
    for other in all {
        other.used.set(true);
        other.at.ignore();
        other.at.fail::<()>(Fault::Several { what });
    }
    Some(first)
}

/// Whose document it is, by what it says of itself.
fn kind_of(node: &Node) -> Option<Kind> {
    let version = node.peek_text("apiVersion").unwrap_or_default();
    let group = version.split('/').next().unwrap_or_default();
    match group {
        "argoproj.io" => Some(Kind::ArgoRollouts),
        "flagger.app" => Some(Kind::Flagger),
        "openslo" | "openslo.com" => Some(Kind::OpenSlo),
        _ if version.is_empty() && node.peek("kind").is_none() => {
            let config = node.peek("canaryConfig").unwrap_or(node);
            let metrics = matches!(config.peek("metrics").map(|n| &n.value), Some(Value::List(_)));
            metrics.then_some(Kind::Kayenta)
        }
        _ => None,
    }
}

/// The documents of one tool; what belongs to none is remarked.
fn sources<'d>(
    roots: &[At<'d>],
    wanted: Option<Kind>,
) -> Result<(Kind, Vec<Source<'d>>), ConvertError> {
    const LISTS: [&str; 2] = ["List", "RolloutList"];
    let mut parts: Vec<At<'d>> = Vec::new();
    for root in roots {
        // What `kubectl get` prints of several.
        if root.node.peek_text("kind").is_some_and(|kind| LISTS.contains(&kind)) {
            for key in ["apiVersion", "kind", "metadata"] {
                if let Some(at) = root.get(key) {
                    at.ignore();
                }
            }
            parts.extend(root.list("items"));
        } else {
            parts.push(root.clone());
        }
    }
    let told = |part: &At<'d>| match wanted {
        Some(Kind::Kayenta) if part.node.peek("apiVersion").is_none() => wanted,
        _ => kind_of(part.node),
    };
    let found = wanted.filter(|kind| parts.iter().any(|part| told(part) == Some(*kind)));
    let found = found.or_else(|| match wanted {
        None => parts.iter().find_map(told),
        Some(_) => None,
    });
    let Some(kind) = found else {
        let first = parts.first();
        let what = match first.and_then(|part| part.node.peek_text("kind")) {
            _ if first.is_none() => "there is no document".to_owned(),
            Some(kind) => {
                let of = wanted.map_or_else(String::new, |wanted| format!(" as `{wanted}`"));
                format!(
                    "a document of the kind `{}` is not imported{of}{}",
                    shown(kind),
                    meant(kind)
                )
            }
            None => "the text does not say what it is".to_owned(),
        };
        let place = first.map_or(Place { line: 1, column: 1 }, |part| part.node.place);
        return Err(ConvertError::new(Fault::UnknownKind { what }, "", 0, place));
    };
    let mut sources = Vec::new();
    for part in parts {
        if told(&part) != Some(kind) {
            let kind =
                part.node.peek_text("kind").map_or("document without a kind".to_owned(), shown);
            part.lost(Remark::OtherDocument { kind });
            continue;
        }
        let metadata = part.node.peek("metadata");
        let of = |key| metadata.and_then(|metadata| metadata.peek_text(key)).unwrap_or_default();
        // None of it says anything of a policy.
        for key in ["apiVersion", "kind", "metadata", "status"] {
            if kind != Kind::Kayenta
                && let Some(at) = part.get(key)
            {
                at.ignore();
            }
        }
        sources.push(Source {
            kind: part.node.peek_text("kind").unwrap_or_default(),
            name: of("name"),
            namespace: of("namespace"),
            used: Cell::new(false),
            at: part,
        });
    }
    Ok((kind, sources))
}

/// Keys that say nothing of a policy.
fn nothing(at: &At<'_>, keys: &[&'static str]) {
    for key in keys {
        if let Some(found) = at.get(key) {
            found.ignore();
        }
    }
}

/// Keys that the platform answers for.
fn platform(at: &At<'_>, keys: &[(&'static str, &'static str)]) {
    for (key, what) in keys {
        if let Some(found) = at.get(key) {
            found.lost(Remark::Platform { what });
        }
    }
}

/// Keys that no policy has anything for.
fn no_counterpart(at: &At<'_>, keys: &[(&'static str, &'static str)]) {
    for (key, what) in keys {
        if let Some(found) = at.get(key) {
            found.lost(Remark::NoCounterpart { what: (*what).to_owned() });
        }
    }
}
