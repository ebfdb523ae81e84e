//! `hotfix.kayenta`: a judge that is compatible with Kayenta's judge.

use hotfix_core::document::DocumentFault;
use hotfix_core::kayenta::{
    self as core, Arms, Config, KayentaErrors, KayentaFault, MetricSettings, Samples, Thresholds,
};
use hotfix_core::stats::interval::Interval;
use pyo3::prelude::*;
use pyo3::types::{PyMapping, PyString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::convert;
use crate::document::{document, text, value};
use crate::error::{Fault, Result};
use crate::observation::{is_no_list, number, of_buffer};
use crate::typed::{Json, Labels, Name};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct MetricDocument {
    #[serde(flatten)]
    result: core::MetricResult,
    findings: Vec<Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct JudgementDocument {
    score: f64,
    classification: core::ScoreClassification,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    exact_score: f64,
    exact_classification: core::ScoreClassification,
    groups: Vec<core::GroupScore>,
    metrics: Vec<core::MetricResult>,
    findings: Vec<Value>,
}

impl MetricResult {
    /// A metric of a judgement; the judgement has the findings of all metrics.
    const fn of(result: core::MetricResult) -> Self {
        Self(MetricDocument { result, findings: Vec::new() })
    }
}

fn ends(interval: Interval) -> (f64, f64) {
    (interval.low, interval.high)
}

document! {
    /// The result of a metric, with the numbers that it is based on.
    MetricResult(MetricDocument) in "hotfix.kayenta" {
        /// The metric's name.
        fn name(this) -> String { this.result.name.clone() }
        /// The groups that it belongs to.
        fn groups(this) -> Vec<String> { this.result.groups.clone() }
        /// Whether it is judged but not counted in the score.
        fn muted(this) -> bool { this.result.muted }
        /// Kayenta's classification: "Pass", "High", "Low", "Nodata", "NodataFailMetric" or
        /// "Error".
        fn classification(this) -> Name<core::Classification> { this.result.classification.into() }
        /// Whether it fails the whole judgement, as in Kayenta.
        fn critical(this) -> bool { this.result.critical }
        /// The reason, in a sentence; None for an ordinary pass.
        fn reason(this) -> Option<String> { this.result.reason.clone() }
        /// Mean of the experiment divided by mean of the control; 1 if nothing was compared, None
        /// if a compared mean is 0.
        fn ratio(this) -> Option<f64> { this.result.ratio }
        /// The effect size by the configured measure; None if the ratio is None or nothing was
        /// compared.
        fn effect(this) -> Option<f64> { this.result.effect }
        /// The control after preparation: n, missing, outliers, mean, median.
        fn control(this) -> Json { Json::of(&this.result.control) }
        /// The experiment after preparation.
        fn experiment(this) -> Json { Json::of(&this.result.experiment) }
        /// Interval for the shift from control to experiment, as Kayenta's root finder finds it;
        /// its ends may be swapped.
        fn interval(this) -> Option<(f64, f64)> { this.result.interval.map(ends) }
        /// Estimate of the shift, as Kayenta's root finder finds it.
        fn estimate(this) -> Option<f64> { this.result.estimate }
        /// The classification by the exact interval and estimate.
        fn exact(this) -> Name<core::Classification> { this.result.exact.into() }
        /// Whether `exact` would fail the whole judgement.
        fn exact_critical(this) -> bool { this.result.exact_critical }
        /// The exact interval for the shift.
        fn exact_interval(this) -> Option<(f64, f64)> { this.result.exact_interval.map(ends) }
        /// The exact estimate: the median of all differences between a point of the experiment and
        /// one of the control.
        fn exact_estimate(this) -> Option<f64> { this.result.exact_estimate }
        /// Whether the classification differs from the exact one because of Kayenta's root finder.
        fn differs(this) -> bool { this.result.differs }
        /// A note for the reader of this result.
        fn note(this) -> Option<String> { this.result.note.clone() }
        /// Faults that Kayenta ignores silently; a judgement has those of all metrics.
        fn findings(this) -> Vec<KayentaFinding> { findings(&this.findings) }
    }
}

document! {
    /// The result of a group.
    GroupScore(core::GroupScore) in "hotfix.kayenta" {
        /// Its name.
        fn name(this) -> String { this.name.clone() }
        /// Passed metrics per 100 that could be judged; 0 if none could be judged.
        fn score(this) -> f64 { this.score }
        /// Its weight in the score, in per cent.
        fn weight(this) -> f64 { this.weight }
        /// Whether none of its metrics could be judged: the score then counts it as 100.
        fn no_data(this) -> bool { this.no_data }
        /// The number of its metrics by classification.
        fn labels(this) -> Json<Labels> { Json::of(&this.labels) }
    }
}

document! {
    /// The judgement of a configuration.
    Judgement(JudgementDocument) in "hotfix.kayenta" {
        /// The score, 0 to 100, to two decimals.
        fn score(this) -> f64 { this.score }
        /// By the thresholds: "Pass", "Marginal" or "Fail".
        fn classification(this) -> Name<core::ScoreClassification> { this.classification.into() }
        /// The reason why the score is 0 regardless of the groups; otherwise None.
        fn reason(this) -> Option<String> { this.reason.clone() }
        /// The score with the exact classifications.
        fn exact_score(this) -> f64 { this.exact_score }
        /// The classification by `exact_score`.
        fn exact_classification(this) -> Name<core::ScoreClassification> { this.exact_classification.into() }
        /// The groups, in the order in which the metrics name them.
        fn groups(this) -> Vec<GroupScore> { this.groups.iter().cloned().map(GroupScore).collect() }
        /// The metrics, in the order of the configuration.
        fn metrics(this) -> Vec<MetricResult> { this.metrics.iter().cloned().map(MetricResult::of).collect() }
        /// Faults that Kayenta ignores silently.
        fn findings(this) -> Vec<KayentaFinding> { findings(&this.findings) }
    }
}

document! {
    /// A fault that Kayenta ignores silently: an unknown key or word, or weights that do not sum to 100.
    KayentaFinding(Value) in "hotfix.kayenta" {
        /// A stable code such as ``"HF-KAY-010"``.
        fn code(this) -> String { text(this, "code") }
        /// The fault and the remedy, in a sentence.
        fn message(this) -> String { text(this, "message") }
        /// The place in the configuration, a JSON Pointer.
        fn path(this) -> String { text(this, "path") }
    }
}

fn findings(documents: &[Value]) -> Vec<KayentaFinding> {
    documents.iter().cloned().map(KayentaFinding).collect()
}

/// Classify one metric and give the result of Kayenta's judge.
///
/// Parameters
/// ----------
/// control, experiment : sequence of float or None
///     The samples; None and NaN are missing points.
/// direction : str, default "either"
///     The direction in which the metric must not move: "increase", "decrease" or "either"; any
///     other word means "either".
/// nan_strategy : str, default "remove"
///     How missing points are handled: "remove", or "replace" by 0; any other word means "remove".
/// critical, must_have_data : bool, default False
///     Whether its failure fails the whole judgement; whether a sample without points fails the
///     metric.
/// effect_size : dict, optional
///     Kayenta's: ``measure`` ("meanRatio" or "cles"), ``allowedIncrease``, ``allowedDecrease``,
///     ``criticalIncrease``, ``criticalDecrease``.
/// outliers : dict or str, optional
///     Kayenta's: ``strategy`` ("keep" or "remove") and ``outlierFactor``; or the strategy alone.
/// tolerance : float, default 0.25
///     The distance of the interval from 0 that is required, as a fraction of the estimate.
/// confidence : float, default 0.98
///     Of the two-sided interval.
///
/// Returns
/// -------
/// MetricResult
///
/// Raises
/// ------
/// KayentaError
///     For invalid points or settings.
///
/// Examples
/// --------
/// >>> from hotfix import kayenta
/// >>> result = kayenta.classify([12, 14, None, 13, 12, 15, 11], [19, 22, 24, 20, 19, 23, 25], direction="increase")
/// >>> result.classification, result.exact, result.control["missing"]
/// ('High', 'High', 1)
/// >>> rare = kayenta.classify([0, 0, 0, 0, 0, 0], [0, 1, 2, 1, 0, 0])  # Kayenta's issue 426
/// >>> rare.classification, rare.exact_interval
/// ('Pass', (0.0, 2.0))
#[pyfunction]
#[pyo3(signature = (
    control: "_KayentaSample", experiment: "_KayentaSample", direction="either", nan_strategy="remove", critical=false, must_have_data=false,
    effect_size: "Mapping[str, Any] | None" = None, outliers: "Mapping[str, Any] | str | None" = None, tolerance=0.25, confidence=0.98,
))]
#[expect(clippy::too_many_arguments, reason = "the names are the design's")]
pub(crate) fn classify(
    control: &Bound<'_, PyAny>,
    experiment: &Bound<'_, PyAny>,
    direction: &str,
    nan_strategy: &str,
    critical: bool,
    must_have_data: bool,
    effect_size: Option<&Bound<'_, PyAny>>,
    outliers: Option<&Bound<'_, PyAny>>,
    tolerance: f64,
    confidence: f64,
) -> Result<MetricResult> {
    let mut asked = json!({
        "direction": direction,
        "nanStrategy": nan_strategy,
        "critical": critical,
        "mustHaveData": must_have_data,
    });
    if let Some(effect_size) = effect_size {
        asked["effectSize"] = document_of(effect_size, "effectSize")?;
    }
    if let Some(outliers) = outliers {
        asked["outliers"] = match document_of(outliers, "outliers")? {
            strategy @ Value::String(_) => json!({ "strategy": strategy }),
            other => other,
        };
    }
    let (mut settings, findings) = MetricSettings::from_value(&asked)?;
    (settings.tolerance, settings.confidence) = (tolerance, confidence);
    let arms = Arms {
        control: points(control, "/control")?,
        experiment: points(experiment, "/experiment")?,
    };
    let result = core::classify("metric", &arms, &settings)?;
    let findings = findings.iter().map(value).collect();
    Ok(MetricResult(MetricDocument { result, findings }))
}

/// Judge samples with a Kayenta configuration, and give Kayenta's result.
///
/// Parameters
/// ----------
/// config : dict or str
///     Kayenta's canary configuration; as text it is JSON.
/// samples : dict or str
///     For each metric ``{"control": [...], "experiment": [...]}``; None and NaN are missing
///     points.
/// pass_score, marginal_score : float, optional
///     The lowest score that passes, and the lowest that is marginal; by default the
///     configuration's ``scoreThresholds``.
///
/// Returns
/// -------
/// Judgement
///
/// Raises
/// ------
/// KayentaError
///     With code and place, for a configuration or samples that cannot be judged; for text that is
///     not JSON with line and column.
///
/// Examples
/// --------
/// >>> from hotfix import kayenta
/// >>> config = {
/// ...     "metrics": [
/// ...         {"name": "errors", "groups": ["errors"]},
/// ...         {"name": "latency", "groups": ["speed"], "analysisConfigurations": {"canary": {"direction": "increase"}}},
/// ...     ],
/// ...     "classifier": {"groupWeights": {"errors": 60, "speed": 40}},
/// ... }
/// >>> samples = {
/// ...     "errors": {"control": [3, 1, 2, 4], "experiment": [2, 3, 1, 2]},
/// ...     "latency": {"control": [10, 11, 12], "experiment": [20, 21, 22]},
/// ... }
/// >>> verdict = kayenta.judge(config, samples, 75, 50)
/// >>> verdict.score, verdict.classification
/// (60.0, 'Marginal')
/// >>> [(metric.name, metric.classification) for metric in verdict.metrics]
/// [('errors', 'Pass'), ('latency', 'High')]
#[pyfunction]
#[pyo3(signature = (config: "Mapping[str, Any] | str", samples: "Mapping[str, Mapping[str, _KayentaSample]] | str", pass_score=None, marginal_score=None))]
pub(crate) fn judge(
    py: Python<'_>,
    config: &Bound<'_, PyAny>,
    samples: &Bound<'_, PyAny>,
    pass_score: Option<f64>,
    marginal_score: Option<f64>,
) -> Result<Judgement> {
    let config = match config.cast::<PyString>() {
        Ok(text) => Config::from_json(text_of(text)?)?,
        Err(_) => Config::from_value(&convert::json(config).map_err(Fault::of::<KayentaFault>)?)?,
    };
    let samples = match samples.cast::<PyString>() {
        Ok(text) => core::read_samples(text_of(text)?)?,
        Err(_) => read_samples(samples)?,
    };
    let thresholds = Thresholds { pass: pass_score, marginal: marginal_score };
    let judged = py.detach(|| core::judge(&config, &samples, thresholds))?;
    Ok(Judgement(JudgementDocument {
        score: judged.score,
        classification: judged.classification,
        reason: judged.reason,
        exact_score: judged.exact_score,
        exact_classification: judged.exact_classification,
        groups: judged.groups,
        metrics: judged.metrics,
        findings: judged.findings.iter().map(value).collect(),
    }))
}

fn document_of(value: &Bound<'_, PyAny>, key: &str) -> Result<Value> {
    convert::json(value).map_err(|fault| fault.within(key).of::<KayentaFault>())
}

fn text_of<'a>(text: &'a Bound<'_, PyString>) -> Result<&'a str> {
    convert::utf8(text).map_err(Fault::of::<KayentaFault>)
}

fn wrong(path: &str, value: &Bound<'_, PyAny>, expected: &'static str) -> KayentaErrors {
    let shown = value.repr().map_or_else(|_| value.get_type().to_string(), |repr| repr.to_string());
    let got = format!("`{}`", shown.chars().take(40).collect::<String>());
    KayentaErrors::of(path, KayentaFault::Samples(DocumentFault::WrongType { expected, got }))
}

fn read_samples(samples: &Bound<'_, PyAny>) -> Result<Samples> {
    const EXPECTED: &str = "a dict with `control` and `experiment` alone";
    let mut read = Samples::new();
    let metrics =
        samples.cast::<PyMapping>().map_err(|_| wrong("", samples, "a dict of metrics"))?;
    for item in metrics.items()? {
        let (name, arms): (String, Bound<'_, PyAny>) = item.extract()?;
        let path = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        let both = arms.cast::<PyMapping>().map_err(|_| wrong(&path, &arms, EXPECTED))?;
        let (Ok(control), Ok(experiment), 2) =
            (both.get_item("control"), both.get_item("experiment"), both.len()?)
        else {
            return Err(wrong(&path, &arms, EXPECTED).into());
        };
        let control = points(&control, &format!("{path}/control"))?;
        let experiment = points(&experiment, &format!("{path}/experiment"))?;
        read.insert(name, Arms { control, experiment });
    }
    Ok(read)
}

/// A list, tuple, buffer (`array`, NumPy) or other sequence of numbers; None is a missing point.
fn points(sample: &Bound<'_, PyAny>, path: &str) -> Result<Vec<f64>> {
    const EXPECTED: &str = "a sequence of numbers";
    if let Some(read) = of_buffer(sample).map_err(|what| wrong(path, sample, what))? {
        return Ok(read);
    }
    if is_no_list(sample) {
        return Err(wrong(path, sample, EXPECTED).into());
    }
    let mut read = Vec::new();
    for (index, point) in sample.try_iter().map_err(|_| wrong(path, sample, EXPECTED))?.enumerate()
    {
        let point = point?;
        read.push(if point.is_none() {
            f64::NAN
        } else {
            number(&point)
                .map_err(|_| wrong(&format!("{path}/{index}"), &point, "a number, or None"))?
        });
    }
    Ok(read)
}
