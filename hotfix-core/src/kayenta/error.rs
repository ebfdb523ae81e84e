//! Errors and findings of the Kayenta judge.

use crate::code::coded;
use crate::document::{DocumentCodes, DocumentErrors, DocumentFault, FaultFamily};
use crate::getters::members;
use crate::text::{did_you_mean, pointer_step};

/// All errors of a configuration, of the settings of a metric, or of samples. Never empty.
///
/// ```
/// use hotfix_core::kayenta::Config;
///
/// let errors = Config::from_json("{\n  \"metrics\": [{\"groups\": 1}]}").unwrap_err();
/// let places: Vec<_> = errors.iter().map(|e| (e.path(), e.line(), e.column())).collect();
/// let name = ("/metrics/0", Some(2), Some(15));
/// assert_eq!(places, [name, ("/metrics/0/groups", Some(2), Some(26))]);
/// ```
pub type KayentaErrors = DocumentErrors<KayentaFault>;

coded! {
    /// A value that the Kayenta judge does not accept.
    #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum KayentaFault;

    /// A fault of a configuration or of settings.
    #[error(transparent)]
    Document(fault: #[from] DocumentFault) => fault.code(&DOCUMENT),
    /// A fault of samples.
    #[error("in the samples: {0}")]
    Samples(fault: DocumentFault) => fault.code(&DOCUMENT),
    /// A point that is infinite.
    #[error("point {index} is infinite: leave it out, or give null for a missing point")]
    Infinite {
        /// Index of the point, from 0.
        index: usize,
    } => "HF-KAY-003",
    /// Samples of a metric that is not in the configuration.
    #[error("the configuration has no metric `{metric}`, for which there are samples: {}add it, or leave them out", did_you_mean(nearest.as_deref()))]
    NoSuchMetric {
        metric: String,
        /// The metric with the name nearest to it, if one is near.
        nearest: Option<String>,
    } => "HF-KAY-004",
    /// A score threshold that is missing or not finite.
    #[error(
        "the `{threshold}` score is missing or not finite: give it as an argument or as \
         `classifier.scoreThresholds.{threshold}`, such as 75"
    )]
    Threshold {
        /// `pass` or `marginal`.
        threshold: &'static str,
    } => "HF-KAY-005",
}

const DOCUMENT: DocumentCodes = DocumentCodes {
    syntax: "HF-KAY-001",
    too_large: "HF-KAY-001",
    too_deep: "HF-KAY-001",
    duplicate_key: "HF-KAY-001",
    out_of_range: "HF-KAY-006",
    ..DocumentCodes::all("HF-KAY-002")
};

impl FaultFamily for KayentaFault {}

/// The JSON Pointer of the samples of a metric.
pub(super) fn pointer(metric: &str) -> String {
    format!("/{}", pointer_step(metric))
}

coded! {
    /// Something in the input that Kayenta accepts silently, and that this judge accepts and reports.
    #[derive(Clone, Debug, PartialEq, thiserror::Error)]
    pub enum Finding;

    /// A key that is not part of a Kayenta configuration.
    #[error("`{path}` is not a key of a Kayenta configuration and has no effect: {}remove it", did_you_mean(*nearest))]
    UnknownKey {
        path: String,
        /// The known key nearest to it, if one is near.
        nearest: Option<&'static str>,
    } => "HF-KAY-010",
    /// A value that the key does not know, replaced by the default.
    #[error("`{word}` at `{path}` is not one of {known}: the default `{taken}` is used")]
    UnknownWord {
        path: String,
        word: String,
        taken: &'static str,
        known: &'static str,
    } => "HF-KAY-011",
    /// Group weights that do not sum to 100.
    #[error(
        "the group weights sum to {sum}: make them sum to 100 so that the score is out of 100; \
         groups without a weight share what is left"
    )]
    WeightSum { sum: f64 } => "HF-KAY-012",
    /// A weight of a group without metrics.
    #[error("group `{group}` has a weight but no metric with samples: its weight is not used")]
    EmptyGroup { group: String } => "HF-KAY-013",
    /// A metric that occurs twice; the first is used.
    #[error("metric `{metric}` occurs twice and the first is used: rename the other")]
    Twice { metric: String } => "HF-KAY-014",
    /// A metric without samples, which is not judged.
    #[error(
        "metric `{metric}` is missing from the samples and is not judged: \
         add it, with empty lists if there is no data"
    )]
    NotSampled { metric: String } => "HF-KAY-015",
    /// A weight below 0.
    #[error(
        "group `{group}` has the weight {weight}: the better its metrics are, the lower is the \
         score; give a weight of 0 or more"
    )]
    NegativeWeight { group: String, weight: f64 } => "HF-KAY-016",
    /// A marginal score above the pass score.
    #[error(
        "the marginal score {marginal} is above the pass score {pass}: no score is marginal, and \
         {pass} passes; swap them if they are mixed up"
    )]
    ThresholdOrder { pass: f64, marginal: f64 } => "HF-KAY-017",
    /// A threshold that no score or every score reaches.
    #[error(
        "the {threshold} score is {score}, and scores are from 0 to 100: {} reaches it",
        if *score > 100.0 { "none" } else { "every one" }
    )]
    ThresholdRange {
        /// `pass` or `marginal`.
        threshold: &'static str,
        score: f64,
    } => "HF-KAY-018",
    /// No metric counts.
    #[error("no metric with samples counts, so the score is 0: give metrics that are not muted")]
    NothingJudged => "HF-KAY-019",
    /// A group whose weight is 0.
    #[error(
        "group `{group}` has the weight 0: its metrics do not count for the score; give it a weight, \
         and the other groups less"
    )]
    NoWeight { group: String } => "HF-KAY-020",
    /// A metric without a group.
    #[error("metric `{metric}` is in no group and does not count for the score: add it to a group")]
    NoGroup { metric: String } => "HF-KAY-021",
    /// A configuration for another judge.
    #[error("the judge `{judge}` is not reproduced: the verdict is that of {}", super::JUDGE)]
    OtherJudge { path: String, judge: String } => "HF-KAY-022",
}

impl Finding {
    /// JSON Pointer to the place in the configuration.
    pub fn path(&self) -> String {
        match self {
            Self::UnknownKey { path, .. }
            | Self::UnknownWord { path, .. }
            | Self::OtherJudge { path, .. } => path.clone(),
            Self::WeightSum { .. } => "/classifier/groupWeights".to_owned(),
            Self::EmptyGroup { group }
            | Self::NegativeWeight { group, .. }
            | Self::NoWeight { group } => {
                format!("/classifier/groupWeights{}", pointer(group))
            }
            Self::ThresholdOrder { .. } => "/classifier/scoreThresholds".to_owned(),
            Self::ThresholdRange { threshold, .. } => {
                format!("/classifier/scoreThresholds/{threshold}")
            }
            Self::Twice { .. }
            | Self::NotSampled { .. }
            | Self::NothingJudged
            | Self::NoGroup { .. } => "/metrics".to_owned(),
        }
    }
}

members! { Finding: self; code = self.code(), path = self.path(), message = self.to_string() }
