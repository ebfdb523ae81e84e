//! Errors and findings of the Kayenta judge.

use serde::{Serialize, Serializer, ser::SerializeStruct};

/// A value that the Kayenta judge does not accept.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KayentaError {
    /// Text that is not JSON.
    #[error("invalid JSON in the {document}, line {line}, column {column}: {fault}")]
    Syntax {
        /// `configuration`, `settings` or `samples`.
        document: &'static str,
        /// From 1.
        line: usize,
        /// From 1; 0 at an empty line's end.
        column: usize,
        /// Description of the fault.
        fault: String,
    },
    /// A value of another type than its key has.
    #[error("`{path}` of the {document} is {got}: give {expected}")]
    Type {
        /// `configuration`, `settings` or `samples`.
        document: &'static str,
        /// JSON Pointer.
        path: String,
        /// The type that was given.
        got: String,
        /// What is accepted.
        expected: &'static str,
    },
    /// A point that is infinite.
    #[error(
        "point {index} of `{path}` is infinite: leave it out, or give null for a missing point"
    )]
    Infinite {
        /// JSON Pointer of its arm.
        path: String,
        /// Index of the point, from 0.
        index: usize,
    },
    /// Samples of a metric that is not in the configuration.
    #[error("the configuration has no metric `{metric}`, for which there are samples{}", nearest.as_ref().map_or_else(
        || ": add it, or leave them out".to_owned(), |near| format!(": did you mean `{near}`?")))]
    NoSuchMetric {
        /// As given.
        metric: String,
        /// The metric with the name nearest to it, if one is near.
        nearest: Option<String>,
    },
    /// A score threshold that is missing or not finite.
    #[error(
        "the `{threshold}` score is missing or not finite: give it as an argument or as \
         `classifier.scoreThresholds.{threshold}`, such as 75"
    )]
    Threshold {
        /// `pass` or `marginal`.
        threshold: &'static str,
    },
    /// A number that is out of range.
    #[error("{what} `{value}` is out of range: give {expected}")]
    Figure {
        /// Name of the number.
        what: &'static str,
        /// As given.
        value: f64,
        /// What is accepted.
        expected: &'static str,
    },
}

impl KayentaError {
    /// The stable code; codes are never reused.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "HF-KAY-001",
            Self::Type { .. } => "HF-KAY-002",
            Self::Infinite { .. } => "HF-KAY-003",
            Self::NoSuchMetric { .. } => "HF-KAY-004",
            Self::Threshold { .. } => "HF-KAY-005",
            Self::Figure { .. } => "HF-KAY-006",
        }
    }

    /// JSON Pointer to the place in its document; empty for the whole document or an argument.
    pub fn path(&self) -> String {
        match self {
            Self::Type { path, .. } | Self::Infinite { path, .. } => path.clone(),
            Self::NoSuchMetric { metric, .. } => step("", metric),
            _ => String::new(),
        }
    }
}

/// A JSON Pointer extended by a key.
pub(super) fn step(path: &str, key: &str) -> String {
    format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// The known name that an unknown one most likely means, if one is similar enough.
pub(super) fn nearest<'a>(got: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    known
        .map(|name| (strsim::damerau_levenshtein(got, name), name))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4)
        .map(|(_, name)| name.to_owned())
}

/// Something in the input that Kayenta accepts silently, and that this judge accepts and reports.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// A key that is not part of a Kayenta configuration.
    #[error("`{path}` is not a key of a Kayenta configuration and has no effect{}", nearest.as_ref().map_or_else(
        || ": remove it".to_owned(), |near| format!(": did you mean `{near}`?")))]
    UnknownKey {
        /// JSON Pointer.
        path: String,
        /// The known key nearest to it, if one is near.
        nearest: Option<String>,
    },
    /// A value that the key does not know, replaced by the default.
    #[error("`{word}` at `{path}` is not one of {known}: the default `{taken}` is used")]
    UnknownWord {
        /// JSON Pointer.
        path: String,
        /// As given.
        word: String,
        /// The default that is used.
        taken: &'static str,
        /// The values that the key knows.
        known: &'static str,
    },
    /// Group weights that do not sum to 100.
    #[error(
        "the group weights sum to {sum}: make them sum to 100 so that the score is out of 100; \
         groups without a weight share what is left"
    )]
    WeightSum {
        /// Of the weights as given.
        sum: f64,
    },
    /// A weight of a group without metrics.
    #[error("group `{group}` has a weight but no metric with samples: its weight is not used")]
    EmptyGroup {
        /// The group.
        group: String,
    },
    /// A metric that occurs twice; the first is used.
    #[error("metric `{metric}` occurs twice and the first is used: rename the other")]
    Twice {
        /// Its name.
        metric: String,
    },
    /// A metric without samples, which is not judged.
    #[error(
        "metric `{metric}` is missing from the samples and is not judged: \
         add it, with empty lists if there is no data"
    )]
    NotSampled {
        /// Its name.
        metric: String,
    },
}

impl Finding {
    /// The stable code; codes are never reused.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownKey { .. } => "HF-KAY-010",
            Self::UnknownWord { .. } => "HF-KAY-011",
            Self::WeightSum { .. } => "HF-KAY-012",
            Self::EmptyGroup { .. } => "HF-KAY-013",
            Self::Twice { .. } => "HF-KAY-014",
            Self::NotSampled { .. } => "HF-KAY-015",
        }
    }

    /// JSON Pointer to the place in the configuration.
    pub fn path(&self) -> String {
        match self {
            Self::UnknownKey { path, .. } | Self::UnknownWord { path, .. } => path.clone(),
            Self::WeightSum { .. } => "/classifier/groupWeights".to_owned(),
            Self::EmptyGroup { group } => step("/classifier/groupWeights", group),
            Self::Twice { .. } | Self::NotSampled { .. } => "/metrics".to_owned(),
        }
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut members = to.serialize_struct("Finding", 3)?;
        members.serialize_field("code", self.code())?;
        members.serialize_field("path", &self.path())?;
        members.serialize_field("message", &self.to_string())?;
        members.end()
    }
}
