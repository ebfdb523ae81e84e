//! `convert`: imports documents of other tools as policies.

use std::sync::Arc;

use hotfix_core::interop::{self, Kind};
use hotfix_core::lint::Level;
use hotfix_core::policy::Policy as Core;
use pyo3::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::convert::one_of;
use crate::document::{document, name, text, value, whole};
use crate::error::Result;
use crate::policy::Policy;
use crate::typed::{ImportKind, Name};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ImportedDocument {
    kind: Kind,
    policy: Core,
    text: String,
    findings: Vec<Value>,
}

document! {
    /// The result of an import.
    Imported(ImportedDocument) {
        /// The tool of the documents: "argo_rollouts", "flagger", "kayenta" or "openslo".
        fn kind(this) -> Name<ImportKind> { Name::new(this.kind.as_str().into()) }
        /// The policy, checked like any other.
        fn policy(this) -> Policy { Policy(Arc::new(this.policy.clone())) }
        /// The policy as TOML, with every default written out.
        fn text(this) -> String { this.text.clone() }
        /// The findings, in the order of the source: what has no counterpart, what behaves
        /// differently, and what was filled in.
        fn findings(this) -> Vec<ImportFinding> { this.findings.iter().cloned().map(ImportFinding).collect() }
    }
}

document! {
    /// A finding of an import.
    ImportFinding(Value) {
        /// A stable code.
        fn code(this) -> String { text(this, "code") }
        /// Its level: "deny", "warn" or "note".
        fn level(this) -> Name<Level> { name(this, "level") }
        /// The place: a JSON Pointer into the document.
        fn path(this) -> String { text(this, "path") }
        /// The number of the document in the text, from 0.
        fn document(this) -> u64 { whole(this, "document") }
        /// The line, from 1.
        fn line(this) -> u64 { whole(this, "line") }
        /// The column, from 1, in characters.
        fn column(this) -> u64 { whole(this, "column") }
        /// The setting that was lost or changed.
        fn message(this) -> String { text(this, "message") }
        /// What to do about it.
        fn remedy(this) -> String { text(this, "remedy") }
    }
}

document! {
    /// A fault that prevents an import.
    ImportFault(Value) {
        /// A stable code.
        fn code(this) -> String { text(this, "code") }
        /// The place: a JSON Pointer into the document.
        fn path(this) -> String { text(this, "path") }
        /// The number of the document in the text, from 0.
        fn document(this) -> u64 { whole(this, "document") }
        /// The line, from 1.
        fn line(this) -> u64 { whole(this, "line") }
        /// The column, from 1, in characters.
        fn column(this) -> u64 { whole(this, "column") }
        /// What is wrong, and what to do.
        fn message(this) -> String { text(this, "message") }
    }
}

/// Import documents of another tool as one policy.
///
/// Argo Rollouts' ``Rollout``, ``AnalysisTemplate`` and ``ClusterAnalysisTemplate``, Flagger's
/// ``Canary`` and ``MetricTemplate``, Kayenta's configurations, and OpenSLO's ``SLO`` with what it
/// refers to. Every key is mapped, or named by a finding, or has no meaning for a policy;
/// `docs/import.md` lists them.
///
/// Parameters
/// ----------
/// text : str
///     YAML or JSON, at most 1 MiB; several documents are joined by their references.
/// kind : {"argo_rollouts", "flagger", "kayenta", "openslo"}, optional
///     The tool of the documents; by default it is recognised from them.
///
/// Returns
/// -------
/// Imported
///
/// Raises
/// ------
/// ConvertError
///     With every fault, each with line and column.
/// InputError
///     If `kind` is not one of these.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> imported = hotfix.convert('''
/// ... apiVersion: argoproj.io/v1alpha1
/// ... kind: Rollout
/// ... metadata: {name: checkout}
/// ... spec:
/// ...   strategy:
/// ...     canary:
/// ...       trafficRouting: {nginx: {stableIngress: checkout}}
/// ...       steps: [{setWeight: 20}, {pause: {duration: 10m}}, {setWeigth: 50}]
/// ... ''')
/// >>> [str(phase["share"]) for phase in imported.policy.to_dict()["phases"]]
/// ['0.2', '1']
/// >>> [(f.path, f.line) for f in imported.findings if f.code == "HF-CONV-020"]
/// [('/spec/strategy/canary/steps/2/setWeigth', 9)]
#[pyfunction]
#[pyo3(signature = (text, kind: "_ImportKind | None" = None))]
pub(crate) fn convert(py: Python<'_>, text: &str, kind: Option<&str>) -> Result<Imported> {
    let kind = kind.map(|kind| one_of("kind", kind, Kind::ALL, Kind::as_str)).transpose()?;
    let imported = py.detach(|| interop::convert(text, kind))?;
    Ok(Imported(ImportedDocument {
        kind: imported.kind,
        findings: imported.findings.iter().map(value).collect(),
        policy: imported.policy,
        text: imported.text,
    }))
}
