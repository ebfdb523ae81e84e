//! What the judge refuses, and what it takes but remarks.

use serde::{Serialize, Serializer, ser::SerializeStruct};

/// A value that the judge does not take.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KayentaError {
    /// Text that is not JSON.
    #[error("no JSON in the {document}, line {line}, column {column}: {fault}")]
    Syntax {
        /// `configuration`, `settings` or `samples`.
        document: &'static str,
        /// From 1.
        line: usize,
        /// From 1; 0 at an empty line's end.
        column: usize,
        /// What is wrong there.
        fault: String,
    },
    /// A value of another type than its key has.
    #[error("`{path}` of the {document} is {got}: give {expected}")]
    Type {
        /// `configuration`, `settings` or `samples`.
        document: &'static str,
        /// JSON Pointer.
        path: String,
        /// What is there.
        got: String,
        /// What would be taken.
        expected: &'static str,
    },
    /// A point that is infinite.
    #[error(
        "point {index} of `{path}` is infinite: leave it out, or give null where it is missing"
    )]
    Infinite {
        /// JSON Pointer of its arm.
        path: String,
        /// Its place, from 0.
        index: usize,
    },
    /// Samples of a metric that the configuration lacks.
    #[error("there are samples of `{metric}`, which the configuration lacks{}", nearest.as_ref().map_or_else(
        || ": add it, or leave them out".to_owned(), |near| format!(": did you mean `{near}`?")))]
    NoSuchMetric {
        /// As given.
        metric: String,
        /// The metric with the name nearest to it, if one is near.
        nearest: Option<String>,
    },
    /// A score threshold that is given nowhere, or is not finite.
    #[error(
        "there is no {threshold} score: give it, or `classifier.scoreThresholds.{threshold}`, such as 75"
    )]
    Threshold {
        /// `pass` or `marginal`.
        threshold: &'static str,
    },
    /// A figure that is out of range.
    #[error("{what} `{value}`: give {expected}")]
    Figure {
        /// Which figure.
        what: &'static str,
        /// As given.
        value: f64,
        /// What would be taken.
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

    /// The place in its document, a JSON Pointer; empty where it is the whole, or an argument.
    pub fn path(&self) -> String {
        match self {
            Self::Type { path, .. } | Self::Infinite { path, .. } => path.clone(),
            Self::NoSuchMetric { metric, .. } => step("", metric),
            _ => String::new(),
        }
    }
}

/// A JSON Pointer that is a key longer.
pub(super) fn step(path: &str, key: &str) -> String {
    format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// The name nearest to one that is not known, if it is near enough to be meant.
pub(super) fn nearest<'a>(got: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    known
        .map(|name| (strsim::damerau_levenshtein(got, name), name))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4)
        .map(|(_, name)| name.to_owned())
}

/// What the original takes in silence, and we take with a remark.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// A key that no Kayenta configuration has.
    #[error("`{path}` is no key of a Kayenta configuration and has no effect{}", nearest.as_ref().map_or_else(
        || ": remove it".to_owned(), |near| format!(": did you mean `{near}`?")))]
    UnknownKey {
        /// JSON Pointer.
        path: String,
        /// The known key nearest to it, if one is near.
        nearest: Option<String>,
    },
    /// A word that is none of the key's, for which the default stands in.
    #[error("`{word}` at `{path}` is none of {known}: `{taken}` is taken")]
    UnknownWord {
        /// JSON Pointer.
        path: String,
        /// As given.
        word: String,
        /// What stands in.
        taken: &'static str,
        /// The words that it could be.
        known: &'static str,
    },
    /// Group weights that do not sum to 100.
    #[error(
        "group weights sum to {sum}: give weights that sum to 100, or the score is not out of 100"
    )]
    WeightSum {
        /// Of the weights as given.
        sum: f64,
    },
    /// A weight of a group that no metric is in.
    #[error(
        "group `{group}` has a weight, and no metric with samples is in it: that weight is lost"
    )]
    EmptyGroup {
        /// The group.
        group: String,
    },
    /// A metric that is there twice; the first counts.
    #[error("metric `{metric}` is there twice: the first counts, name the other differently")]
    Twice {
        /// Its name.
        metric: String,
    },
    /// A metric without samples; it is left out.
    #[error(
        "metric `{metric}` has no samples and is not judged: give them, empty where there are none"
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

    /// The place in the configuration, a JSON Pointer.
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
