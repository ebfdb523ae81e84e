//! The extension module `hotfix._core` of the Python package `hotfix`.
#![forbid(unsafe_code)]
#![allow(
    clippy::doc_markdown,
    clippy::doc_link_with_quotes,
    reason = "doc comments of classes and methods are Python's docstrings"
)]
#![allow(clippy::needless_pass_by_value, reason = "pyo3 hands arguments over by value")]

mod action;
mod audit;
mod convert;
mod document;
mod error;
mod evidence;
mod observation;
mod plan;
mod policy;
mod rollout;
mod stats;
mod verdict;

/// What `import hotfix` and `hotfix.stats` show.
#[pyo3::pymodule(gil_used = false, name = "_core")]
mod module {
    #[pymodule_export]
    use crate::action::{Action, Outcome};
    #[pymodule_export]
    use crate::audit::{Audit, AuditFinding, audit};
    #[pymodule_export]
    use crate::evidence::Evidence;
    #[pymodule_export]
    use crate::plan::{Method, Phase, Plan};
    #[pymodule_export]
    use crate::policy::{Policy, Problem};
    #[pymodule_export]
    use crate::rollout::Rollout;
    #[pymodule_export]
    use crate::stats::{RateRatio, wilson};
    #[pymodule_export]
    use crate::verdict::{Cause, Efficacy, MetricVerdict, Verdict};

    /// The version of the package.
    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "Python's name")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
