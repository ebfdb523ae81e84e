//! Errors of a scenario or of a simulation.

use std::fmt;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::text::{did_you_mean, quoted};

/// All errors, in the order of the document. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulationErrors {
    list: Vec<SimulationError>,
}

/// One error with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} at {}: {fault}", fault.code(), if path.is_empty() { "the document" } else { path })]
pub struct SimulationError {
    path: String,
    fault: SimulationFault,
}

/// The kinds of errors.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SimulationFault {
    /// The text is not valid TOML or JSON.
    #[error("the text is not valid {language}: {detail}; correct it there")]
    Syntax {
        /// `TOML` or `JSON`.
        language: &'static str,
        /// The parser's message, with line and column.
        detail: String,
    },
    /// An unknown key.
    #[error("`{key}` is not a known key: {}known here are {}", did_you_mean(*nearest), quoted(known, ", "))]
    UnknownKey {
        /// The key.
        key: String,
        /// The known key that is nearest, if one is near.
        nearest: Option<&'static str>,
        /// The keys of this table.
        known: &'static [&'static str],
    },
    /// A required key is missing.
    #[error("`{key}` is missing: add it")]
    MissingKey {
        /// The key.
        key: &'static str,
    },
    /// A value of another type, or with another unit.
    #[error("{got} is not allowed here: write {expected}")]
    WrongType {
        /// The expected type.
        expected: &'static str,
        /// What came.
        got: String,
    },
    /// A text that is not one of a closed set.
    #[error("`{got}` is not allowed here: {}write one of {}", did_you_mean(*nearest), quoted(known, ", "))]
    UnknownValue {
        /// What came.
        got: String,
        /// The nearest allowed text, if one is near.
        nearest: Option<&'static str>,
        /// The allowed texts.
        known: Vec<&'static str>,
    },
    /// A value of the right type outside its range.
    #[error("the value is {got}: write {range}")]
    OutOfRange {
        /// What came.
        got: String,
        /// The range in words.
        range: &'static str,
    },
    /// A metric that the policy does not have.
    #[error("the policy has no metric `{metric}`: {}correct it, or omit it", did_you_mean(nearest.as_deref()))]
    UnknownMetric {
        /// The metric.
        metric: String,
        /// The nearest known one, if one is near.
        nearest: Option<String>,
    },
    /// Keys that have no meaning together, or not for this kind.
    #[error("{detail}")]
    Meaningless {
        /// The error and its remedy.
        detail: String,
    },
    /// An input, a plan or a phase of the scenario is invalid or missing.
    #[error("{detail}")]
    NotTaken {
        /// The reader's message.
        detail: String,
    },
    /// The rollout never starts in this scenario.
    #[error(
        "the rollout never starts: {waits}; set shorter delays in `people`, or a later `until`"
    )]
    NeverStarts {
        /// The blocker that it waits for.
        waits: String,
    },
    /// The input is not enough for advice.
    #[error("{detail}")]
    NoAdvice {
        /// What is missing.
        detail: &'static str,
    },
    /// Tallies of different campaigns, or of the same runs twice.
    #[error("these tallies are not parts of one campaign: {detail}")]
    OtherCampaign {
        /// What differs.
        detail: &'static str,
    },
}

impl SimulationFault {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "HF-SIM-001",
            Self::UnknownKey { .. } => "HF-SIM-002",
            Self::MissingKey { .. } => "HF-SIM-003",
            Self::WrongType { .. } => "HF-SIM-004",
            Self::UnknownValue { .. } => "HF-SIM-005",
            Self::OutOfRange { .. } => "HF-SIM-006",
            Self::UnknownMetric { .. } => "HF-SIM-007",
            Self::Meaningless { .. } => "HF-SIM-008",
            Self::NotTaken { .. } => "HF-SIM-009",
            Self::NeverStarts { .. } => "HF-SIM-010",
            Self::OtherCampaign { .. } => "HF-SIM-011",
            Self::NoAdvice { .. } => "HF-SIM-012",
        }
    }
}

impl SimulationError {
    /// The stable code: `HF-SIM-…`.
    pub const fn code(&self) -> &'static str {
        self.fault.code()
    }

    /// The place as a JSON Pointer, `/faults/0/times`; empty for the whole.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The error and its remedy.
    pub fn sentence(&self) -> String {
        self.fault.to_string()
    }

    /// The error as data.
    pub const fn fault(&self) -> &SimulationFault {
        &self.fault
    }
}

impl Serialize for SimulationError {
    /// `{"code": …, "path": …, "sentence": …}`, for bindings.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut error = serializer.serialize_struct("SimulationError", 3)?;
        error.serialize_field("code", self.code())?;
        error.serialize_field("path", self.path())?;
        error.serialize_field("sentence", &self.sentence())?;
        error.end()
    }
}

impl SimulationErrors {
    pub(super) const fn new() -> Self {
        Self { list: Vec::new() }
    }

    pub(super) fn of(path: &str, fault: SimulationFault) -> Self {
        let mut errors = Self::new();
        errors.push(path, fault);
        errors
    }

    pub(super) fn push(&mut self, path: &str, fault: SimulationFault) {
        self.list.push(SimulationError { path: path.to_owned(), fault });
    }

    /// The same errors for a larger document that contains this one at `path`.
    pub(super) fn under(mut self, path: &str) -> Self {
        for error in &mut self.list {
            error.path.insert_str(0, path);
        }
        self
    }

    /// The value, if there is no error.
    pub(super) fn or<T>(self, read: Option<T>) -> Result<T, Self> {
        match read {
            Some(read) if self.list.is_empty() => Ok(read),
            _ => Err(self),
        }
    }

    /// The first error. Bindings show its code and place for the whole list.
    pub fn first(&self) -> Option<&SimulationError> {
        self.list.first()
    }

    /// The errors.
    pub fn iter(&self) -> std::slice::Iter<'_, SimulationError> {
        self.list.iter()
    }
}

impl<'a> IntoIterator for &'a SimulationErrors {
    type Item = &'a SimulationError;
    type IntoIter = std::slice::Iter<'a, SimulationError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for SimulationErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.iter().enumerate() {
            write!(f, "{}{error}", if index == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for SimulationErrors {}
