//! What a finding is.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::fault::Fault;
use crate::fact::Facts;
use crate::grade::closed_set;
use crate::plan::{StepTime, Times};
use crate::unit::{MetricName, PhaseName, Span};

closed_set! {
    /// How grave a finding is, gravest first.
    Level {
        /// The policy cannot do what it says: a plan under it does not start.
        Deny = "deny",
        /// It will do what nobody wants.
        Warn = "warn",
        /// It is worth a look.
        Note = "note",
    }
}

/// Something doubtful in a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Where: a JSON Pointer into the policy.
    pub path: String,
    /// What.
    pub fault: Fault,
    /// What shows it.
    pub example: Option<Example>,
}

/// What shows a fault when it is fed back to the engine; on the wire `{"facts": …}`, `{"counts": …}` or `{"times": …}`.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "a policy has few findings, and they live shortly")]
pub enum Example {
    /// Facts of an incident: classify them, or let the tree decide.
    Facts(Facts),
    /// Counts that a healthy release may give in one window or phase, and how likely it is to give such or worse ones.
    Counts {
        /// The metric.
        metric: MetricName,
        /// The phase.
        phase: PhaseName,
        /// Events.
        events: f64,
        /// Trials; of a metric that counts events a minute, the seconds of exposure.
        trials: f64,
        /// The chance, 0 to 1.
        chance: f64,
    },
    /// Times that do not fit their limit.
    Times {
        /// What the time is made of; least and most of them add up to those of the whole.
        steps: Vec<StepTime>,
        /// The least time of the whole.
        least: Span,
        /// The most time of the whole.
        most: Span,
        /// What the policy allows or promises.
        limit: Span,
    },
}

impl Example {
    /// What shows that a time does not fit a limit.
    pub(super) fn times(sum: Times, limit: Span) -> Self {
        let Times { parts, least, most, .. } = sum;
        Self::Times { steps: parts, least, most, limit }
    }
}

/// Adds a finding that no example shows.
pub(super) fn put(findings: &mut Vec<Finding>, path: impl Into<String>, fault: impl Into<Fault>) {
    findings.push(Finding::new(path, fault, None));
}

impl Finding {
    pub(super) fn new(
        path: impl Into<String>,
        fault: impl Into<Fault>,
        example: Option<Example>,
    ) -> Self {
        Self { path: path.into(), fault: fault.into(), example }
    }

    /// The stable code: `HF-LINT-…`.
    pub const fn code(&self) -> &'static str {
        self.fault.code()
    }

    /// How grave it is.
    pub const fn level(&self) -> Level {
        self.fault.level()
    }

    /// What is wrong.
    pub fn message(&self) -> String {
        self.fault.to_string()
    }

    /// What to do about it.
    pub const fn remedy(&self) -> &'static str {
        self.fault.remedy()
    }
}

impl Serialize for Finding {
    /// `{"code", "level", "path", "message", "remedy", "example"}`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut finding = serializer.serialize_struct("Finding", 6)?;
        finding.serialize_field("code", self.code())?;
        finding.serialize_field("level", &self.level())?;
        finding.serialize_field("path", &self.path)?;
        finding.serialize_field("message", &self.message())?;
        finding.serialize_field("remedy", self.remedy())?;
        finding.serialize_field("example", &self.example)?;
        finding.end()
    }
}
