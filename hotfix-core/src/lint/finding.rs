//! The findings of the linter.

use super::fault::Fault;
use crate::fact::Facts;
use crate::getters::members;
use crate::grade::closed_set;
use crate::plan::{StepTime, Times};
use crate::unit::{MetricName, PhaseName, Span};

closed_set! {
    /// How serious a finding is, the most serious first.
    Level {
        /// The policy cannot work: a plan with it does not start.
        Deny = "deny",
        /// The policy will probably do something unwanted.
        Warn = "warn",
        /// Worth checking.
        Note = "note",
    }
}

/// One finding: a doubtful setting of a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The place: a JSON Pointer into the policy.
    pub path: String,
    /// The fault.
    pub fault: Fault,
    /// An example that shows the fault.
    pub example: Option<Example>,
    /// The id of the item at the place, since people do not know the index of an item in a merged list.
    pub(super) item: Option<String>,
}

/// An example that shows a fault when it is given to the engine; in JSON `{"facts": …}`,
/// `{"counts": …}` or `{"times": …}`.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Example {
    /// Facts of an incident: classify them, or use the decision tree.
    Facts(Facts),
    /// Counts that a healthy release may have in one window or phase, with the probability of these
    /// or worse ones.
    Counts {
        /// The metric.
        metric: MetricName,
        /// The phase.
        phase: PhaseName,
        /// Events.
        events: f64,
        /// Trials; for a metric that counts events per minute, the seconds of exposure.
        trials: f64,
        /// The probability, 0 to 1.
        chance: f64,
    },
    /// Times that exceed their limit.
    Times {
        /// The parts of the time; their shortest and longest times add up to those of the whole.
        steps: Vec<StepTime>,
        /// The shortest time of the whole.
        least: Span,
        /// The longest time of the whole.
        most: Span,
        /// What the policy allows or promises.
        limit: Span,
    },
}

impl Example {
    /// The example for a time that exceeds a limit.
    pub(super) fn times(sum: Times, limit: Span) -> Self {
        let Times { parts, least, most, .. } = sum;
        Self::Times { steps: parts, least, most, limit }
    }
}

/// A fault of a kind with its sentence, written as for `format!`.
macro_rules! found {
    ($kind:expr, $($sentence:tt)+) => { $kind.found(format!($($sentence)+)) };
}
pub(super) use found;

/// Adds a finding without an example: its place, its kind, and its sentence, written as for `format!`.
macro_rules! report {
    ($findings:ident, $path:expr, $($fault:tt)+) => {
        $crate::lint::finding::put($findings, $path, $crate::lint::finding::found!($($fault)+))
    };
}
pub(super) use report;

/// Adds a finding without an example.
pub(super) fn put(findings: &mut Vec<Finding>, path: impl Into<String>, fault: impl Into<Fault>) {
    findings.push(Finding::new(path, fault, None));
}

/// Adds a finding unless its place has one with the same code already, for another severity.
pub(super) fn put_once(findings: &mut Vec<Finding>, path: String, fault: impl Into<Fault>) {
    let fault = fault.into();
    if !findings.iter().any(|known| known.path == path && known.code() == fault.code()) {
        put(findings, path, fault);
    }
}

impl Finding {
    pub(super) fn new(
        path: impl Into<String>,
        fault: impl Into<Fault>,
        example: Option<Example>,
    ) -> Self {
        Self { path: path.into(), fault: fault.into(), example, item: None }
    }

    /// The stable code: `HF-LINT-…`.
    pub const fn code(&self) -> &'static str {
        self.fault.code()
    }

    /// How serious it is.
    pub const fn level(&self) -> Level {
        self.fault.level()
    }

    /// What is wrong, in a sentence. It names the item of a list.
    pub fn message(&self) -> String {
        let text = self.fault.to_string();
        let item = self.item.as_ref().map(|item| format!("`{item}`"));
        match item.filter(|item| !text.contains(item)) {
            Some(item) => format!("in {item}: {text}"),
            None => text,
        }
    }

    /// What to do about it.
    pub const fn remedy(&self) -> &'static str {
        self.fault.remedy()
    }
}

members! {
    Finding: self;
    code = self.code(), level = self.level(), path = self.path, message = self.message(),
    remedy = self.remedy(), example = self.example,
}
