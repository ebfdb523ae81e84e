//! Errors of the statistical tests, each with a stable code.

use super::{MAX_COUNT, grid};
use crate::code::code;

/// A value that a statistical test does not accept.
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
    #[error(
        "alpha `{alpha}` is not an error probability: give one above 0 and below 1, such as 0.01"
    )]
    BadAlpha {
        /// As given.
        alpha: f64,
    },
    /// NaN or infinity instead of a number.
    #[error("{what} `{value}` is not finite: leave out the tick where a number is missing")]
    NotFinite {
        /// Name of the number.
        what: &'static str,
        /// As given.
        value: f64,
    },
    /// A count or an exposure below zero.
    #[error("{what} `{value}` is negative: handle counter resets before taking differences")]
    Negative {
        /// Name of the number.
        what: &'static str,
        /// As given.
        value: f64,
    },
    /// More events than trials in a proportion.
    #[error("`{events}` events exceed `{trials}` trials: give a count with exposure as a count")]
    EventsExceedTrials {
        /// As given.
        events: f64,
        /// As given.
        trials: f64,
    },
    /// A number above 2^53, beyond which whole numbers are not exact.
    #[error("{what} `{value}` is above `{MAX_COUNT}`: use a coarser unit of exposure")]
    TooLarge {
        /// Name of the number.
        what: &'static str,
        /// As given.
        value: f64,
    },
    /// A grid without points, or with more than a state can hold.
    #[error("the grid has `{len}` ratios: give 1 to {}", grid::MAX_GRID)]
    GridLength {
        /// As given.
        len: usize,
    },
    /// A grid ratio that is not above 1, or beyond [`MAX_RATIO`](super::MAX_RATIO).
    #[error(
        "grid ratio `{ratio}` is out of range: give ratios above 1 and at most {}; \
         `better` inverts them",
        grid::MAX_RATIO
    )]
    GridRatio {
        /// As given.
        ratio: f64,
    },
    /// Another number of weights than of weighted items.
    #[error("`{weights}` weights for `{items}` items: give one weight for each item")]
    WeightCount {
        /// As given.
        weights: usize,
        /// Grid points or metrics.
        items: usize,
    },
    /// A weight that is not above zero and at most one.
    #[error("weight `{weight}` is out of range: give weights above 0 that sum to 1")]
    BadWeight {
        /// As given.
        weight: f64,
    },
    /// Weights that do not sum to one.
    #[error(
        "the weights sum to `{sum}`: make them sum to 1, or the error probability does not hold"
    )]
    WeightSum {
        /// Of the weights as given.
        sum: f64,
    },
    /// A tolerated ratio below 1, or beyond [`MAX_RATIO`](super::MAX_RATIO).
    #[error(
        "tolerated ratio `{tolerated}` is out of range: give 1 (no worse at all) or a little more"
    )]
    BadTolerated {
        /// As given.
        tolerated: f64,
    },
    /// A margin that is not a positive ratio within the range.
    #[error(
        "margin `{margin}` is out of range: give a ratio above 1 for non-inferiority, \
         or above 0 and at most 1 for efficacy"
    )]
    BadMargin {
        /// As given.
        margin: f64,
    },
    /// Prior trials of a plug-in estimate outside `1..=1e9`.
    #[error(
        "prior trials `{prior_trials}` are out of range: give 1 to 1e9, \
         such as 50 for proportions or 5 for latency"
    )]
    BadPriorTrials {
        /// As given.
        prior_trials: f64,
    },
    /// No latency boundary, or more than a state can hold.
    #[error(
        "there are `{boundaries}` latency boundaries: give 1 to {}",
        super::latency::MAX_BOUNDARIES
    )]
    BoundaryCount {
        /// As given.
        boundaries: usize,
    },
    /// Slow counts for another number of boundaries than the design has.
    #[error(
        "counts for `{got}` latency boundaries, but the test has `{expected}`: give one for each"
    )]
    BoundaryMismatch {
        /// As given.
        got: usize,
        /// Of the design.
        expected: usize,
    },
    /// A cap that is not a positive number.
    #[error("cap `{cap}` is out of range: give a gain of log e above 0, such as 0.6, or no cap")]
    BadCap {
        /// As given.
        cap: f64,
    },
    /// A state used with another design than the one it was made for.
    #[error("this state belongs to another design: start a new state when settings change")]
    DesignMismatch,
    /// A state document of an unknown version.
    #[error(
        "state version `{version}` is unknown to this release: \
         read it with the version that wrote it"
    )]
    StateVersion {
        /// As read.
        version: u32,
    },
    /// A state document that no test can have written.
    #[error("the `{what}` of the state cannot occur: replay the log to restore the state")]
    BadState {
        /// Name of the part.
        what: &'static str,
    },
    /// A planned share that is not strictly between 0 and 1.
    #[error("planned share `{share}` is out of range: give a fraction above 0 and below 1")]
    BadShare {
        /// As given.
        share: f64,
    },
    /// A confidence level or a power that is not strictly between 0 and 1.
    #[error(
        "confidence or power `{confidence}` is out of range: \
         give one above 0 and below 1, such as 0.95"
    )]
    BadConfidence {
        /// As given.
        confidence: f64,
    },
    /// Evidence of another number of metrics than the combination has weights for.
    #[error(
        "evidence of `{got}` metrics, but the combination has `{expected}` weights: \
         give log e = 0 for a metric without data"
    )]
    MetricCount {
        /// As given.
        got: usize,
        /// Of the combination.
        expected: usize,
    },
    /// A merge of change-point mixtures, whose evidence depends on the order of the ticks.
    #[error(
        "states of a test with a horizon (here `{horizon}` ticks) cannot be merged: \
         feed all ticks to one state"
    )]
    NotMergeable {
        /// Of the design.
        horizon: u32,
    },
    /// A factor on increments (temper) outside `0 < temper <= 1`.
    #[error(
        "temper `{temper}` is out of range: give a factor above 0 and at most 1; 1 has no effect"
    )]
    BadTemper {
        /// As given.
        temper: f64,
    },
    /// A threshold that is not a positive number.
    #[error(
        "threshold `{threshold}` is out of range: give a log e above 0, such as 4.605 for 1 in 100"
    )]
    BadThreshold {
        /// As given.
        threshold: f64,
    },
    /// A ceiling that is not a rate between 0 and 1.
    #[error("ceiling `{ceiling}` is out of range: give a rate above 0 and below 1, such as 0.001")]
    BadCeiling {
        /// As given.
        ceiling: f64,
    },
    /// An alternative that is not below the ceiling.
    #[error(
        "an alternative at `{share}` of the ceiling is not below it: give shares from 0 and below 1"
    )]
    CeilingShare {
        /// As given.
        share: f64,
    },
    /// A horizon of no ticks.
    #[error("a horizon of `{horizon}` ticks: give the planned ticks, 1 or more, or no horizon")]
    BadHorizon {
        /// As given.
        horizon: u32,
    },
    /// A number of a plan or a design that is out of range.
    #[error("{what} `{value}` is out of range: give {expected}")]
    OutOfRange {
        /// Name of the number.
        what: &'static str,
        /// As given.
        value: f64,
        /// What is accepted.
        expected: &'static str,
    },
    /// Instances whose histories differ in length.
    #[error(
        "instance `{instance}` has `{ticks}` ticks, but the first has `{expected}`: \
         give zeros for a tick without data"
    )]
    UnevenHistory {
        /// Name of the instance.
        instance: String,
        /// Of its history.
        ticks: usize,
        /// Of the first instance's.
        expected: usize,
    },
    /// A row in a history of request times that is no histogram.
    #[error(
        "instance `{instance}`, tick `{tick}`: give `{expected}` counts, of requests up to each \
         boundary and of all, none below the one before; zeros for a tick without data"
    )]
    HistoryRow {
        /// Name of the instance.
        instance: String,
        /// Index of the tick, from 0.
        tick: usize,
        /// How many counts a row has.
        expected: usize,
    },
    /// A count in a history that is negative, not finite or too large.
    #[error(
        "instance `{instance}`, tick `{tick}`: {what} `{value}` is not a number from 0 to \
         `{MAX_COUNT}`: give `[0, 0]` for a tick without data"
    )]
    HistoryCount {
        /// Name of the instance.
        instance: String,
        /// Index of the tick, from 0.
        tick: usize,
        /// Name of the number.
        what: &'static str,
        /// As given.
        value: f64,
    },
    /// More events than trials in the history of a proportion.
    #[error(
        "instance `{instance}`, tick `{tick}`: `{events}` events exceed `{trials}` trials, which a \
         proportion cannot have: check whether the two are swapped"
    )]
    HistoryProportion {
        /// Name of the instance.
        instance: String,
        /// Index of the tick, from 0.
        tick: usize,
        /// As given.
        events: f64,
        /// As given.
        trials: f64,
    },
    /// A history shorter than the phase, from which no threshold can be calibrated.
    #[error(
        "the history has `{ticks}` ticks, and the phase needs `{needed}`: record a longer history, \
         or use a mode that needs none"
    )]
    ShortHistory {
        /// Of the history.
        ticks: usize,
        /// Of the phase.
        needed: usize,
    },
    /// Fewer instances than a comparison needs.
    #[error(
        "there are `{instances}` instances, and at least `{needed}` are needed: \
         spread the load over more instances, or lower `share`"
    )]
    FewInstances {
        /// As given.
        instances: usize,
        /// The least number.
        needed: usize,
    },
    /// An instance that was not named when the test was created, or that has no history.
    #[error("instance `{instance}` is unknown: name every instance when the test is created")]
    UnknownInstance {
        /// As given.
        instance: String,
    },
    /// An instance that is named more than once.
    #[error("instance `{instance}` is named twice: name it once")]
    RepeatedInstance {
        /// As given.
        instance: String,
    },
    /// A group of instances that is empty, or that contains all of them.
    #[error("{what} is empty or leaves no instance outside: give some instances, not all")]
    NoComparison {
        /// Name of the group.
        what: &'static str,
    },
    /// Too few subsets for this error probability: `alpha * subsets` is below 1.
    #[error(
        "`{subsets}` subsets are too few to decide at alpha `{alpha}`: draw at least `1/alpha`, \
         better 20 times as many"
    )]
    FewSubsets {
        /// As given.
        subsets: usize,
        /// As given.
        alpha: f64,
    },
    /// Counts of another number of instances than the test has.
    #[error(
        "counts of `{got}` instances, but the test has `{expected}`: \
         give `0, 0` for an instance without data"
    )]
    InstanceCount {
        /// As given.
        got: usize,
        /// Of the test.
        expected: usize,
    },
    /// A sample or a histogram without values.
    #[error("`{what}` has no values, so there is no result: hold until there are some")]
    EmptySample {
        /// Name of the sample or histogram.
        what: &'static str,
    },
    /// An arm without trials or exposure, given to a test.
    #[error("`{what}` has no trials, so there is no result: hold until there are some")]
    NoTrials {
        /// Name of the arm.
        what: &'static str,
    },
    /// A count that is not whole, given to an exact test.
    #[error(
        "`{what}` has a count of `{value}`: exact tests need whole numbers, so round estimates"
    )]
    NotWhole {
        /// Name of the arm or histogram.
        what: &'static str,
        /// As given.
        value: f64,
    },
    /// A margin on the difference scale outside `0..1`.
    #[error(
        "margin `{margin}` of a difference is out of range: \
         give 0 or more and below 1, such as 0.01"
    )]
    BadDifference {
        /// As given.
        margin: f64,
    },
    /// An exact distribution that is too large to be summed.
    #[error(
        "the exact {what} distribution is too large for these counts: use `method=\"asymptotic\"` \
         for samples, `non_inferiority` or `wilson` for proportions, `RateRatio` for rates"
    )]
    ExactTooLarge {
        /// Name of the distribution.
        what: &'static str,
    },
    /// Tied values in an exact test for samples without ties.
    #[error("values are tied: use method `auto` or `asymptotic`, which correct for ties")]
    ExactTies,
    /// Two histograms with different numbers of buckets.
    #[error("the histograms have `{x}` and `{y}` buckets: give both the same boundaries")]
    BucketMismatch {
        /// Of the first.
        x: usize,
        /// Of the second.
        y: usize,
    },
    /// A null ratio of rates that is not positive, or beyond [`MAX_RATIO`](super::MAX_RATIO).
    #[error(
        "null ratio `{ratio}`, scaled by the exposures, is out of range: \
         give one above 0, such as 1"
    )]
    BadNullRatio {
        /// As given, or times the ratio of the exposures where that is out of range.
        ratio: f64,
    },
    /// NaN or infinity in a sample.
    #[error("`{what}[{index}]` is `{value}`: leave out values that are missing")]
    SampleNotFinite {
        /// Name of the sample.
        what: &'static str,
        /// Index, from 0.
        index: usize,
        /// As given.
        value: f64,
    },
    /// A margin of equivalence whose range is empty.
    #[error(
        "margin `{margin}` leaves no range of equivalence: \
         give a ratio above 1 or a difference above 0"
    )]
    NothingBetween {
        /// As given.
        margin: f64,
    },
    /// More requests above a latency boundary than above the one before it.
    #[error(
        "`{more}` requests are slower than boundary {boundary}, but `{fewer}` than the one before: \
         sort the boundaries in ascending order"
    )]
    SlowRises {
        /// Index of the boundary, from 0.
        boundary: usize,
        /// Slower than it.
        more: f64,
        /// Slower than the one before.
        fewer: f64,
    },
    /// No time or bucket above zero to choose boundaries from.
    #[error(
        "no latency above zero to choose boundaries from: \
         give the latencies of the baseline from before the phase"
    )]
    NoTimes,
    /// Buckets that are not a cumulative histogram.
    #[error(
        "the histogram cannot be read, {fault}: \
         give cumulative counts for ascending, finite edges, without `+Inf` in `le`"
    )]
    BadHistogram {
        /// What is wrong.
        fault: &'static str,
    },
    /// A boundary that is not an edge of the histogram.
    #[error(
        "boundary `{boundary}` is not an edge of the histogram: choose boundaries from its edges"
    )]
    NoSuchEdge {
        /// As given.
        boundary: f64,
    },
    /// Boundaries that are not ascending, positive and finite.
    #[error("the boundaries are not ascending, positive and finite: sort them and give each once")]
    BoundaryOrder,
}

impl StatError {
    /// The stable code; codes are never reused.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadAlpha { .. } => code! {HF-STAT-001},
            Self::NotFinite { .. } => code! {HF-STAT-002},
            Self::Negative { .. } => code! {HF-STAT-003},
            Self::EventsExceedTrials { .. } => code! {HF-STAT-004},
            Self::TooLarge { .. } => code! {HF-STAT-005},
            Self::GridLength { .. } => code! {HF-STAT-006},
            Self::GridRatio { .. } => code! {HF-STAT-007},
            Self::WeightCount { .. } => code! {HF-STAT-008},
            Self::BadWeight { .. } => code! {HF-STAT-009},
            Self::WeightSum { .. } => code! {HF-STAT-010},
            Self::BadTolerated { .. } => code! {HF-STAT-011},
            Self::BadMargin { .. } => code! {HF-STAT-012},
            Self::BadPriorTrials { .. } => code! {HF-STAT-013},
            Self::BoundaryCount { .. } => code! {HF-STAT-014},
            Self::BoundaryMismatch { .. } => code! {HF-STAT-015},
            Self::BadCap { .. } => code! {HF-STAT-016},
            Self::DesignMismatch => code! {HF-STAT-017},
            Self::StateVersion { .. } => code! {HF-STAT-018},
            Self::BadState { .. } => code! {HF-STAT-019},
            Self::BadShare { .. } => code! {HF-STAT-020},
            Self::BadConfidence { .. } => code! {HF-STAT-021},
            Self::MetricCount { .. } => code! {HF-STAT-022},
            Self::NotMergeable { .. } => code! {HF-STAT-023},
            Self::BadTemper { .. } => code! {HF-STAT-024},
            Self::BadThreshold { .. } => code! {HF-STAT-025},
            Self::BadHorizon { .. } => code! {HF-STAT-026},
            Self::BadCeiling { .. } => code! {HF-STAT-027},
            Self::CeilingShare { .. } => code! {HF-STAT-028},
            Self::OutOfRange { .. } => code! {HF-STAT-030},
            Self::UnevenHistory { .. } => code! {HF-STAT-031},
            Self::HistoryCount { .. } => code! {HF-STAT-032},
            Self::ShortHistory { .. } => code! {HF-STAT-033},
            Self::FewInstances { .. } => code! {HF-STAT-034},
            Self::UnknownInstance { .. } => code! {HF-STAT-035},
            Self::RepeatedInstance { .. } => code! {HF-STAT-036},
            Self::NoComparison { .. } => code! {HF-STAT-037},
            Self::FewSubsets { .. } => code! {HF-STAT-038},
            Self::InstanceCount { .. } => code! {HF-STAT-039},
            Self::EmptySample { .. } => code! {HF-STAT-040},
            Self::NoTrials { .. } => code! {HF-STAT-041},
            Self::NotWhole { .. } => code! {HF-STAT-042},
            Self::BadDifference { .. } => code! {HF-STAT-043},
            Self::ExactTooLarge { .. } => code! {HF-STAT-044},
            Self::ExactTies => code! {HF-STAT-045},
            Self::BucketMismatch { .. } => code! {HF-STAT-046},
            Self::BadNullRatio { .. } => code! {HF-STAT-047},
            Self::SampleNotFinite { .. } => code! {HF-STAT-048},
            Self::NothingBetween { .. } => code! {HF-STAT-049},
            Self::SlowRises { .. } => code! {HF-STAT-050},
            Self::NoTimes => code! {HF-STAT-051},
            Self::BadHistogram { .. } => code! {HF-STAT-052},
            Self::NoSuchEdge { .. } => code! {HF-STAT-053},
            Self::BoundaryOrder => code! {HF-STAT-054},
            Self::HistoryRow { .. } => code! {HF-STAT-055},
            Self::HistoryProportion { .. } => code! {HF-STAT-056},
        }
    }

    /// The error of a count or an exposure; `None` where it is valid.
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
