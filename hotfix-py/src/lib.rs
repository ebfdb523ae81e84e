//! The extension module `hotfix._core` of the Python package `hotfix`.
#![forbid(unsafe_code)]
#![allow(
    clippy::doc_markdown,
    clippy::doc_link_with_quotes,
    reason = "doc comments of classes and methods are Python's docstrings"
)]
#![allow(clippy::needless_pass_by_value, reason = "pyo3 hands arguments over by value")]

mod action;
mod advise;
mod audit;
mod backtest;
mod calibration;
mod ceiling;
mod code;
mod commit;
mod convert;
mod document;
mod error;
mod evidence;
mod explain;
mod fact;
mod fixed;
mod input;
mod instances;
mod interop;
mod kayenta;
mod latency;
mod log;
mod measure;
mod message;
mod observation;
mod phase;
mod plan;
mod plan_documents;
mod planning;
mod policy;
mod redact;
mod report;
mod rollout;
mod severity;
mod simulate;
mod stats;
mod train;
mod typed;
mod vcs;
mod verdict;

/// What `import hotfix` and `hotfix.stats` show.
#[pyo3::pymodule(gil_used = false, name = "_core")]
mod module {
    #[pymodule_export]
    use crate::action::{Action, Outcome};
    #[pymodule_export]
    use crate::advise::{_advise, Advice, Candidate};
    #[pymodule_export]
    use crate::audit::{Audit, AuditFinding, audit};
    #[pymodule_export]
    use crate::backtest::{_backtest, _history, _mapping, Backtest, Backtests, RecordedHistory};
    #[pymodule_export]
    use crate::calibration::{Calibration, calibrate};
    #[pymodule_export]
    use crate::ceiling::Ceiling;
    #[pymodule_export]
    use crate::code::explain;
    #[pymodule_export]
    use crate::evidence::Evidence;
    #[pymodule_export]
    use crate::explain::{
        Comparison, ComparisonRow, Forecast, Harm, MetricForecast, MetricHarm, MetricWhy,
        TestForecast, VersionImpact, Why,
    };
    #[pymodule_export]
    use crate::fixed::{
        Equivalence, FisherExact, KolmogorovSmirnov, MannWhitney, NonInferiority, PoissonRatio,
        Shift, clopper_pearson, equivalence, fisher_exact, hodges_lehmann, ks_2samp,
        ks_from_counts, mann_whitney_from_counts, mann_whitney_u, newcombe, non_inferiority,
        poisson_ratio,
    };
    #[pymodule_export]
    use crate::instances::{BadInstance, Randomisation};
    #[pymodule_export]
    use crate::interop::{ImportFault, ImportFinding, Imported, convert};
    #[pymodule_export]
    use crate::kayenta::{GroupScore, Judgement, KayentaFinding, MetricResult, classify, judge};
    #[pymodule_export]
    use crate::latency::{Latency, latency_boundaries};
    #[pymodule_export]
    use crate::measure::{
        cdevents, dora, dora_chart, dora_markdown, grafana_annotations, measures,
        measures_markdown, similar,
    };
    #[pymodule_export]
    use crate::phase::{Method, Phase};
    #[pymodule_export]
    use crate::plan::Plan;
    #[pymodule_export]
    use crate::planning::{
        Chance, TimeToDetect, chance_to_decide, chance_to_promote, detectable_ratio,
        fixed_horizon_ratio, fixed_horizon_trials, gate_pass_chance, time_to_detect,
        time_to_promote,
    };
    #[pymodule_export]
    use crate::policy::{Policy, Problem};
    #[pymodule_export]
    use crate::redact::redact;
    #[pymodule_export]
    use crate::report::report;
    #[pymodule_export]
    use crate::rollout::Rollout;
    #[pymodule_export]
    use crate::severity::{
        Classification, Decision, DecisionStep, FactChange, Finding, Leaf, NextQuestion,
        RuleVerdict,
    };
    #[pymodule_export]
    use crate::simulate::{_compare, _drill, _simulate};
    #[pymodule_export]
    use crate::stats::{RateRatio, wilson};
    #[pymodule_export]
    use crate::train::{Train, TrainFinding, TrainMove, TrainOutcome};
    #[pymodule_export]
    use crate::vcs::{branch_name, next_version, tag_name};
    #[pymodule_export]
    use crate::verdict::{Cause, Efficacy, MetricEvidence, MetricVerdict, Verdict};

    /// The version of the package.
    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "Python's name")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
