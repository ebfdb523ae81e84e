//! What a test refuses, with a stable code each.

use super::{MAX_COUNT, grid};

/// A value that a test does not take.
///
/// ```
/// use hotfix_core::stats::Counts;
/// let error = Counts::new(5.0, 3.0).check_proportion().expect_err("five of three");
/// assert_eq!(error.code(), "HF-STAT-004");
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StatError {
    /// An error probability outside `0 < alpha < 1`.
    #[error("alpha `{alpha}` is no error probability: take one above 0 and below 1, such as 0.01")]
    BadAlpha {
        /// As given.
        alpha: f64,
    },
    /// NaN or infinity where a number is needed.
    #[error("{what} `{value}` is not finite: leave the tick out where a figure is missing")]
    NotFinite {
        /// Which figure.
        what: &'static str,
        /// As given.
        value: f64,
    },
    /// A count or an exposure below zero.
    #[error("{what} `{value}` is negative: take differences of counters after handling resets")]
    Negative {
        /// Which figure.
        what: &'static str,
        /// As given.
        value: f64,
    },
    /// More events than trials in a proportion.
    #[error("`{events}` events in `{trials}` trials: give a count with exposure as a count")]
    EventsExceedTrials {
        /// As given.
        events: f64,
        /// As given.
        trials: f64,
    },
    /// A figure beyond which whole numbers are not exact.
    #[error("{what} `{value}` is over `{MAX_COUNT}`: use a coarser unit of exposure")]
    TooLarge {
        /// Which figure.
        what: &'static str,
        /// As given.
        value: f64,
    },
    /// No grid point, or more than a state has room for.
    #[error("a grid of `{len}` ratios: give 1 to {}", grid::MAX_GRID)]
    GridLength {
        /// As given.
        len: usize,
    },
    /// A grid ratio that is not above 1, or beyond [`MAX_RATIO`](super::MAX_RATIO).
    #[error(
        "grid ratio `{ratio}`: give ratios above 1 and at most {}, `better` inverts them",
        grid::MAX_RATIO
    )]
    GridRatio {
        /// As given.
        ratio: f64,
    },
    /// As many weights as things that are weighted are needed.
    #[error("`{weights}` weights for `{items}` items: give one each")]
    WeightCount {
        /// As given.
        weights: usize,
        /// Grid points or metrics.
        items: usize,
    },
    /// A weight that is not above zero and at most one.
    #[error("weight `{weight}`: give weights above 0 that sum to 1")]
    BadWeight {
        /// As given.
        weight: f64,
    },
    /// Weights that do not sum to one.
    #[error("weights sum to `{sum}`: they must sum to 1, or the error probability is not kept")]
    WeightSum {
        /// Of the weights as given.
        sum: f64,
    },
    /// A tolerated ratio below 1, or beyond [`MAX_RATIO`](super::MAX_RATIO).
    #[error("tolerated ratio `{tolerated}`: give 1 (no worse at all) or a little more")]
    BadTolerated {
        /// As given.
        tolerated: f64,
    },
    /// A margin that is not a positive ratio within the range.
    #[error(
        "margin `{margin}`: give a ratio above 0, over 1 for 'not worse', up to 1 for efficacy"
    )]
    BadMargin {
        /// As given.
        margin: f64,
    },
    /// Prior trials of a plug-in outside `1..=1e9`.
    #[error("prior trials `{prior_trials}`: give 1 to 1e9; 50 for proportions, 5 for latency")]
    BadPriorTrials {
        /// As given.
        prior_trials: f64,
    },
    /// No latency boundary, or more than a state has room for.
    #[error("`{boundaries}` latency boundaries: give 1 to {}", super::latency::MAX_BOUNDARIES)]
    BoundaryCount {
        /// As given.
        boundaries: usize,
    },
    /// Slow counts for another number of boundaries than the design has.
    #[error("slow counts above `{got}` boundaries, the test has `{expected}`: keep them fixed")]
    BoundaryMismatch {
        /// As given.
        got: usize,
        /// Of the design.
        expected: usize,
    },
    /// A cap that is not a positive number.
    #[error("cap `{cap}`: give a log-evidence gain above 0, such as 0.6, or none")]
    BadCap {
        /// As given.
        cap: f64,
    },
    /// A state used with a design that is not the one it was made for.
    #[error("this state belongs to another design: start a new state when settings change")]
    DesignMismatch,
    /// A state written by a version that this one does not know.
    #[error("state version `{version}` is unknown: this library reads version 1")]
    StateVersion {
        /// As read.
        version: u32,
    },
    /// A state document that no test can have written.
    #[error("the state's {what} are out of range: restore it from the log")]
    BadState {
        /// Which part.
        what: &'static str,
    },
    /// A planned share that is not strictly between 0 and 1.
    #[error("planned share `{share}`: give a fraction above 0 and below 1")]
    BadShare {
        /// As given.
        share: f64,
    },
    /// A confidence that is not strictly between 0 and 1.
    #[error("confidence `{confidence}`: give one above 0 and below 1, such as 0.95")]
    BadConfidence {
        /// As given.
        confidence: f64,
    },
    /// Evidence for another number of metrics than the combination weighs.
    #[error(
        "evidence of `{got}` metrics, the combination weighs `{expected}`: `E = 1` without data"
    )]
    MetricCount {
        /// As given.
        got: usize,
        /// Of the combination.
        expected: usize,
    },
}

impl StatError {
    /// The stable code; codes are never reused.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadAlpha { .. } => "HF-STAT-001",
            Self::NotFinite { .. } => "HF-STAT-002",
            Self::Negative { .. } => "HF-STAT-003",
            Self::EventsExceedTrials { .. } => "HF-STAT-004",
            Self::TooLarge { .. } => "HF-STAT-005",
            Self::GridLength { .. } => "HF-STAT-006",
            Self::GridRatio { .. } => "HF-STAT-007",
            Self::WeightCount { .. } => "HF-STAT-008",
            Self::BadWeight { .. } => "HF-STAT-009",
            Self::WeightSum { .. } => "HF-STAT-010",
            Self::BadTolerated { .. } => "HF-STAT-011",
            Self::BadMargin { .. } => "HF-STAT-012",
            Self::BadPriorTrials { .. } => "HF-STAT-013",
            Self::BoundaryCount { .. } => "HF-STAT-014",
            Self::BoundaryMismatch { .. } => "HF-STAT-015",
            Self::BadCap { .. } => "HF-STAT-016",
            Self::DesignMismatch => "HF-STAT-017",
            Self::StateVersion { .. } => "HF-STAT-018",
            Self::BadState { .. } => "HF-STAT-019",
            Self::BadShare { .. } => "HF-STAT-020",
            Self::BadConfidence { .. } => "HF-STAT-021",
            Self::MetricCount { .. } => "HF-STAT-022",
        }
    }

    /// What is wrong with a count or an exposure; `None` where nothing is.
    #[cold]
    pub(super) fn of_count(what: &'static str, value: f64) -> Option<Self> {
        if !value.is_finite() {
            Some(Self::NotFinite { what, value })
        } else if value < 0.0 {
            Some(Self::Negative { what, value })
        } else if value > MAX_COUNT {
            Some(Self::TooLarge { what, value })
        } else {
            None
        }
    }
}
