//! What is odd about a recording, or about running a policy on it, and was taken nevertheless.

use serde::{Deserialize, Serialize};

use crate::metric::ReadingError;
use crate::text;
use crate::unit::{MetricName, Span, Timestamp};

/// A remark; nothing is guessed without one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedFinding {
    /// Its first time, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The stable code.
    pub code: String,
    /// How often.
    pub count: usize,
    /// What it says, and what was done.
    pub message: String,
    /// The metric that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<MetricName>,
}

/// The kinds of a remark; each has a code of its own.
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
}

impl Odd {
    const fn code(self) -> &'static str {
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
        }
    }

    fn message(self) -> String {
        match self {
            Self::OutOfOrder(late) => format!(
                "readings stand after later ones, by up to {}: each is taken at its own time, where a live rollout would have had it late",
                text::time(late)
            ),
            Self::Duplicate => {
                "readings come again at the same time: the last one counts".to_owned()
            }
            Self::Gap(longest) => format!(
                "gaps of more than three times the usual step, the longest {}: nothing is filled in",
                text::time(longest)
            ),
            Self::Incomplete => {
                "readings lack a part, as trials to their events: they are left out".to_owned()
            }
            Self::NotFinite => {
                "numbers are NaN or infinite: they are passed on, and their arm does not count then".to_owned()
            }
            Self::NoSeries(arm) => format!("no series is its {arm}: it has no reading there"),
            Self::Unmerged => "readings of one tick cannot be added up, as their buckets or strata differ: the last one counts".to_owned(),
            Self::NotInPolicy => "the policy has no such metric: it is left out".to_owned(),
            Self::LeftOut => "the policy decides by it, and it was not recorded: here it does not decide, and the weights of the others are scaled up".to_owned(),
            Self::NoBaseline => "it has no live arm: it is held against its record, and its test has nothing to compare with".to_owned(),
            Self::Scaled => "it is of the whole traffic in the policy and scales with the share: the recorded arm is taken as one with the phase's share".to_owned(),
            Self::Coarse(cadence) => format!(
                "ticks brought no reading: the policy looks every {}, and time passes without data",
                text::time(cadence)
            ),
            Self::Over => "the recording is over before the rollout is".to_owned(),
            Self::Passed => "the policy asked a person at a gate: here somebody said go at once".to_owned(),
            Self::Cut(most) => format!("more are not listed: at most {most} are"),
        }
    }

    /// The remark.
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
    /// Readings that the rollout refused, with what it said of the first.
    pub(in crate::simulate) fn refused(error: &ReadingError, count: usize, at: Timestamp) -> Self {
        let message = format!("observations were refused and are not taken: {error}");
        Self { at: Some(at), code: error.code().to_owned(), count, message, metric: None }
    }
}
