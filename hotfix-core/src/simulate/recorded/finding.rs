//! Findings: anomalies of a recording, or of a policy's run on it, that were accepted.

use serde::{Deserialize, Serialize};

use crate::metric::ReadingError;
use crate::text;
use crate::unit::{MetricName, Span, Timestamp};

/// A finding. Every assumption has one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedFinding {
    /// Its first time, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The stable code.
    pub code: String,
    /// The number of occurrences.
    pub count: usize,
    /// The anomaly and how it was handled.
    pub message: String,
    /// The metric concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<MetricName>,
}

/// The kinds of findings. Each has its own code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulate) enum Odd {
    OutOfOrder(Span),
    Duplicate,
    Gap(Span),
    Incomplete,
    NotFinite,
    NoSeries(&'static str),
    Unmerged,
    NotInPolicy,
    LeftOut,
    NoBaseline,
    Scaled,
    Coarse(Span),
    Over,
    Passed,
    Cut(usize),
    NotByInstance,
    NotInBoundaries,
    NotCalibrated,
    NoCount,
    MoreThanTrials,
    Pause(Span),
}

impl Odd {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::OutOfOrder(_) => "HF-REC-020",
            Self::Duplicate => "HF-REC-021",
            Self::Gap(_) => "HF-REC-022",
            Self::Incomplete => "HF-REC-023",
            Self::NotFinite => "HF-REC-024",
            Self::NoSeries(_) => "HF-REC-025",
            Self::Unmerged => "HF-REC-026",
            Self::NotInPolicy => "HF-REC-027",
            Self::LeftOut => "HF-REC-028",
            Self::NoBaseline => "HF-REC-029",
            Self::Scaled => "HF-REC-030",
            Self::Coarse(_) => "HF-REC-031",
            Self::Over => "HF-REC-032",
            Self::Passed => "HF-REC-033",
            Self::Cut(_) => "HF-REC-034",
            Self::NotByInstance => "HF-REC-035",
            Self::NotCalibrated => "HF-REC-036",
            Self::NoCount => "HF-REC-037",
            Self::Pause(_) => "HF-REC-038",
            Self::NotInBoundaries => "HF-REC-039",
            Self::MoreThanTrials => "HF-REC-040",
        }
    }

    fn message(self) -> String {
        match self {
            Self::OutOfOrder(late) => format!(
                "readings are out of order by up to {}: each is used at its own time, but a live rollout would have received it late",
                text::time(late)
            ),
            Self::Duplicate => {
                "several readings have the same time: the last one is used".to_owned()
            }
            Self::Gap(longest) => format!(
                "there are gaps of more than three times the usual step, the longest {}: they are not filled",
                text::time(longest)
            ),
            Self::Incomplete => {
                "readings lack a part, for example the trials of their events: they are left out".to_owned()
            }
            Self::NotFinite => {
                "numbers are NaN or infinite: they are passed on, and the arm's reading does not count".to_owned()
            }
            Self::NoSeries(arm) => format!("no series matches its {arm}: that arm has no readings"),
            Self::Unmerged => "readings of one tick cannot be added because their buckets or strata differ: the last one is used".to_owned(),
            Self::NotInPolicy => "the policy does not have this metric: it is left out".to_owned(),
            Self::LeftOut => "this deciding metric was not recorded: in this backtest it does not decide, and the weights of the others are scaled up".to_owned(),
            Self::NoBaseline => "it has no live arm: it is compared with its reference, and its test does not run".to_owned(),
            Self::Scaled => "in the policy this metric scales with the share of traffic: the recorded arm is assumed to have the phase's share".to_owned(),
            Self::Coarse(cadence) => format!(
                "ticks have no reading: the policy evaluates every {}, and these evaluations have no data",
                text::time(cadence)
            ),
            Self::Over => "the recording ends before the rollout".to_owned(),
            Self::Passed => "the policy asked a person at a gate: this backtest assumes an immediate go".to_owned(),
            Self::Cut(most) => format!("further entries are not listed: at most {most} are"),
            Self::NotByInstance => "it is not by instance, which a history is: it is left out".to_owned(),
            Self::NotInBoundaries => "readings are no histogram of both arms with the metric's boundaries: they are left out of the history".to_owned(),
            Self::NotCalibrated => "no history calibrates its test under this policy: it is left out".to_owned(),
            Self::NoCount => "numbers are negative, NaN or infinite: they are left out of the history".to_owned(),
            Self::MoreThanTrials => "readings have more events than trials, which a proportion cannot have, often because the two are swapped: they are left out of the history".to_owned(),
            Self::Pause(longest) => format!(
                "there are pauses, the longest {}: the history goes on after them as if they were not there",
                text::time(longest)
            ),
        }
    }

    /// The finding.
    pub(in crate::simulate) fn finding(
        self,
        count: usize,
        metric: Option<MetricName>,
        at: Option<Timestamp>,
    ) -> RecordedFinding {
        let message = self.message();
        RecordedFinding { at, code: self.code().to_owned(), count, message, metric }
    }
}

impl RecordedFinding {
    /// As the next part of a sentence; None for a finding of the whole.
    pub(super) fn of_metric(&self) -> Option<String> {
        let Self { code, message, .. } = self;
        self.metric.map(|metric| format!("; {code} of `{metric}`: {message}"))
    }

    /// Readings that the rollout refused, with the first error.
    pub(in crate::simulate) fn refused(error: &ReadingError, count: usize, at: Timestamp) -> Self {
        let message = format!("observations were refused and are left out: {error}");
        Self { at: Some(at), code: error.code().to_owned(), count, message, metric: None }
    }
}
