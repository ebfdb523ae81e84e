//! The score: metrics are combined into groups, groups into one number, and the number into a
//! verdict.

use super::classify::{Classification, MetricResult, classify};
use super::config::Config;
use super::error::{Finding, KayentaErrors, KayentaFault, pointer};
use super::sample::Arms;
use crate::document::{DocumentFault, DocumentReader, Node, Value};
use crate::grade::closed_set;
use crate::sorting::{map_of, set_of};
use crate::text::nearest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The samples of each metric, by its name.
pub type Samples = BTreeMap<String, Arms>;

/// Percentage of metrics without data from which the whole comparison fails.
const MOST_WITHOUT_DATA: f64 = 50.0;

closed_set! {
    /// Classification of the score, in Kayenta's terms.
    ScoreClassification {
        /// At least the pass score.
        Pass = "Pass",
        /// At least the marginal score.
        Marginal = "Marginal",
        /// Less.
        Fail = "Fail",
    }
}

/// Score thresholds; an absent one is taken from the configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Thresholds {
    /// From this on it is a pass.
    pub pass: Option<f64>,
    /// From this on it is marginal.
    pub marginal: Option<f64>,
}

/// Result of a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupScore {
    /// Its name.
    pub name: String,
    /// Percentage of the judged metrics that passed; 0 if no metric was judged.
    pub score: f64,
    /// Its weight in the score, in per cent.
    pub weight: f64,
    /// Whether none of its metrics could be judged: the score then takes it for 100.
    pub no_data: bool,
    /// Number of its metrics by classification.
    pub labels: BTreeMap<Classification, usize>,
}

/// Result of the comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judgement {
    /// Out of 100, to two decimals. With weights that are negative or do not sum to 100, of which
    /// there is a finding, it may be below 0 or above 100.
    pub score: f64,
    /// By the thresholds.
    pub classification: ScoreClassification,
    /// Why the score is 0 regardless of the groups; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The score with the exact classifications.
    pub exact_score: f64,
    /// Classification of the exact score.
    pub exact_classification: ScoreClassification,
    /// In the order in which the metrics name them.
    pub groups: Vec<GroupScore>,
    /// In the order of the configuration.
    pub metrics: Vec<MetricResult>,
    /// Findings, which Kayenta accepts silently.
    pub findings: Vec<Finding>,
}

/// Judges samples by a configuration, as Kayenta does.
///
/// # Errors
/// An infinite point, samples of a metric that is not in the configuration, or a
/// threshold that neither the call nor the configuration has.
///
/// ```
/// use hotfix_core::kayenta::{Config, ScoreClassification, Thresholds, judge, read_samples};
///
/// let config = Config::from_json(r#"{"metrics": [{"name": "latency", "groups": ["all"]}],
///     "classifier": {"groupWeights": {"all": 100}}}"#).expect("a configuration");
/// let samples = read_samples(r#"{"latency": {"control": [12, 14, null, 13, 12, 15, 11],
///     "experiment": [19, 22, 24, 20, 19, 23, 25]}}"#).expect("samples");
/// let thresholds = Thresholds { pass: Some(75.0), marginal: Some(50.0) };
/// let verdict = judge(&config, &samples, thresholds).expect("samples fit");
/// assert_eq!((verdict.score, verdict.classification), (0.0, ScoreClassification::Fail));
/// ```
pub fn judge(
    config: &Config,
    samples: &Samples,
    thresholds: Thresholds,
) -> Result<Judgement, KayentaErrors> {
    let threshold = |given: Option<f64>, configured: Option<f64>, threshold| {
        let score = given.or(configured).filter(|score| score.is_finite());
        score.ok_or_else(|| {
            let path = format!("/classifier/scoreThresholds/{threshold}");
            KayentaErrors::of(&path, KayentaFault::Threshold { threshold })
        })
    };
    let pass = threshold(thresholds.pass, config.pass, "pass")?;
    let marginal = threshold(thresholds.marginal, config.marginal, "marginal")?;
    let names = || config.metrics.iter().map(|known| known.name.as_str());
    let known = set_of(names());
    for metric in samples.keys() {
        if !known.contains(metric.as_str()) {
            let nearest = nearest(metric, names()).map(str::to_owned);
            let fault = KayentaFault::NoSuchMetric { metric: metric.clone(), nearest };
            return Err(KayentaErrors::of(&pointer(metric), fault));
        }
    }
    let mut findings = config.findings.clone();
    let mut metrics = Vec::with_capacity(config.metrics.len());
    for metric in &config.metrics {
        if let Some(arms) = samples.get(&metric.name) {
            let mut result = classify(&metric.name, arms, &metric.settings)?;
            result.groups.clone_from(&metric.groups);
            if metric.groups.is_empty() && !result.muted && !metric.settings.critical {
                findings.push(Finding::NoGroup { metric: metric.name.clone() });
            }
            metrics.push(result);
        } else {
            findings.push(Finding::NotSampled { metric: metric.name.clone() });
        }
    }
    if metrics.iter().all(|metric| metric.muted) {
        findings.push(Finding::NothingJudged);
    }
    if marginal > pass {
        findings.push(Finding::ThresholdOrder { pass, marginal });
    }
    for (threshold, score) in [("pass", pass), ("marginal", marginal)] {
        if !(0.0..=100.0).contains(&score) {
            findings.push(Finding::ThresholdRange { threshold, score });
        }
    }
    let groups = groups(&metrics, &config.group_weights, |m| m.classification);
    let known = set_of(groups.iter().map(|group| group.name.as_str()));
    for group in config.group_weights.keys() {
        if !known.contains(group.as_str()) {
            findings.push(Finding::EmptyGroup { group: group.clone() });
        }
    }
    for GroupScore { name, weight, .. } in &groups {
        let (group, weight) = (name.clone(), *weight);
        if weight == 0.0 {
            findings.push(Finding::NoWeight { group });
        } else if weight < 0.0 && !config.group_weights.contains_key(name) {
            findings.push(Finding::NegativeWeight { group, weight });
        }
    }
    let (score, reason) = score(&metrics, &groups, |m| (m.classification, m.critical));
    // The same groups and weights unless a metric differs.
    let exact_score = if metrics.iter().any(|m| m.differs) {
        let groups = self::groups(&metrics, &config.group_weights, |m| m.exact);
        self::score(&metrics, &groups, |m| (m.exact, m.exact_critical)).0
    } else {
        score
    };
    let outcome = |score: f64| match score {
        score if score >= pass => ScoreClassification::Pass,
        score if score >= marginal => ScoreClassification::Marginal,
        _ => ScoreClassification::Fail,
    };
    Ok(Judgement {
        score,
        classification: outcome(score),
        reason,
        exact_score,
        exact_classification: outcome(exact_score),
        groups,
        metrics,
        findings,
    })
}

fn groups(
    metrics: &[MetricResult],
    weights: &BTreeMap<String, f64>,
    label: impl Fn(&MetricResult) -> Classification,
) -> Vec<GroupScore> {
    let mut groups: Vec<GroupScore> = Vec::new();
    let mut places = BTreeMap::new();
    for metric in metrics.iter().filter(|metric| !metric.muted) {
        for name in &metric.groups {
            let index = *places.entry(name.as_str()).or_insert_with(|| {
                groups.push(GroupScore {
                    name: name.clone(),
                    score: 0.0,
                    weight: 0.0,
                    no_data: true,
                    labels: BTreeMap::new(),
                });
                groups.len() - 1
            });
            *groups[index].labels.entry(label(metric)).or_default() += 1;
        }
    }
    let unweighted = groups.iter().filter(|group| !weights.contains_key(&group.name)).count();
    let share = (100.0 - weights.values().sum::<f64>()) / unweighted as f64;
    for group in &mut groups {
        let count = |label| group.labels.get(&label).copied().unwrap_or_default();
        let passed = count(Classification::Pass);
        let failed = [Classification::High, Classification::Low, Classification::NodataFailMetric]
            .map(count);
        let judged = passed + failed.iter().sum::<usize>();
        group.no_data = judged == 0;
        if judged > 0 {
            group.score = passed as f64 / judged as f64 * 100.0;
        }
        group.weight = weights.get(&group.name).copied().unwrap_or(share);
    }
    groups
}

fn score(
    metrics: &[MetricResult],
    groups: &[GroupScore],
    label: impl Fn(&MetricResult) -> (Classification, bool),
) -> (f64, Option<String>) {
    let counted = || metrics.iter().filter(|metric| !metric.muted);
    let failed = counted().find(|metric| {
        let (classification, critical) = label(metric);
        critical && classification != Classification::Pass
    });
    if let Some(metric) = failed {
        let why = metric.reason.as_deref().unwrap_or("a critical metric failed");
        return (0.0, Some(format!("Canary Failed: {}: {why}", metric.name)));
    }
    let without = counted().filter(|metric| label(metric).0 == Classification::Nodata).count();
    let share = without as f64 / counted().count() as f64 * 100.0;
    if share >= MOST_WITHOUT_DATA {
        let why = format!("{MOST_WITHOUT_DATA}% or more metrics returned NODATA");
        return (0.0, Some(format!("Canary Failed: {why}")));
    }
    let parts = groups.iter().map(|group| {
        let score = if group.no_data { 100.0 } else { group.score };
        score * (group.weight / 100.0)
    });
    // Not `sum`, which gives -0 for no group.
    (to_two_decimals(parts.fold(0.0, |sum, part| sum + part)), None)
}

/// Rounds half up in the decimal digits that a number is printed with, as Kayenta does: 33.335 is
/// 33.34, although the double is slightly less.
fn to_two_decimals(number: f64) -> f64 {
    // Without an exponent, whatever the size.
    let text = number.abs().to_string();
    let Some((whole, decimals)) = text.split_once('.') else { return number };
    let kept = decimals.get(..2).and_then(|kept| format!("{whole}{kept}").parse::<u64>().ok());
    match (kept, decimals.as_bytes().get(2)) {
        (Some(kept), Some(digit)) => {
            let hundredths = kept + u64::from(*digit >= b'5');
            (hundredths as f64 / 100.0).copysign(number)
        }
        // Two decimals or fewer.
        _ => number,
    }
}

/// Reads samples: for each metric `{"control": […], "experiment": […]}`; null and `"NaN"` are
/// missing points.
///
/// # Errors
/// All faults: `HF-KAY-001` for text that is not JSON, `HF-KAY-002` for a value that is not a
/// sample.
///
/// ```
/// use hotfix_core::kayenta::read_samples;
///
/// let samples = read_samples(r#"{"errors": {"control": [0, null], "experiment": ["NaN", 2.5]}}"#);
/// assert_eq!(samples.expect("samples")["errors"].experiment[1], 2.5);
/// ```
pub fn read_samples(text: &str) -> Result<Samples, KayentaErrors> {
    read(text, |reader, document| {
        let metric = |reader: &mut SamplesReader, name: &str, node: &Node| {
            Some((name.to_owned(), Arms::from_node(reader, node)?))
        };
        Some(map_of(reader.each_named(document, metric)?))
    })
}

impl Arms {
    /// Reads the samples of one metric: `{"control": […], "experiment": […]}`.
    ///
    /// # Errors
    /// As [`read_samples`].
    pub fn from_json(text: &str) -> Result<Self, KayentaErrors> {
        read(text, Self::from_node)
    }
}

pub(super) type SamplesReader = DocumentReader<DocumentFault>;

fn read<T>(
    text: &str,
    read: impl FnOnce(&mut SamplesReader, &Node) -> Option<T>,
) -> Result<T, KayentaErrors> {
    let parsed = Node::from_json_data(text, 0)
        .and_then(|document| SamplesReader::knowing(()).read(&document, read));
    parsed.map_err(|errors| errors.map(KayentaFault::Samples))
}

impl SamplesReader {
    pub(super) fn points(&mut self, node: &Node) -> Option<Vec<f64>> {
        let Value::List(points) = &node.value else {
            return self.wrong("a list of numbers", node);
        };
        self.all(points, |reader, point| match &point.value {
            Value::Number(number) => Some(*number),
            Value::Null => Some(f64::NAN),
            Value::Text(text) if text == "NaN" => Some(f64::NAN),
            _ => reader.wrong("a number, or null", point),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_1_scores_are_rounded_half_up_in_decimal_digits() {
        let cases = [
            (33.335, 33.34),
            (66.666_666_666_666_66, 66.67),
            (99.994_999_999_9, 99.99),
            (100.0, 100.0),
            (0.005, 0.01),
            (0.004_9, 0.0),
            (1e-9, 0.0),
            (-12.345, -12.35),
            (99.995, 100.0),
            (12.5, 12.5),
        ];
        for (number, expected) in cases {
            assert_eq!(to_two_decimals(number), expected, "{number}");
        }
    }
}
