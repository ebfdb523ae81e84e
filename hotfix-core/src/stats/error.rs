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
    #[error("state version `{version}` is unknown: this library reads versions 1 and 2")]
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
    /// A change-point mixture that should be merged: its evidence depends on when its ticks were.
    #[error(
        "a test with a horizon of `{horizon}` ticks does not merge: feed one state with all ticks"
    )]
    NotMergeable {
        /// Of the design.
        horizon: u32,
    },
    /// A factor on increments outside `0 < temper <= 1`.
    #[error("temper `{temper}`: give a factor above 0 and at most 1, 1 for none")]
    BadTemper {
        /// As given.
        temper: f64,
    },
    /// A threshold that is not a positive number.
    #[error("threshold `{threshold}`: give a log evidence above 0, such as 4.605 for 1 in 100")]
    BadThreshold {
        /// As given.
        threshold: f64,
    },
    /// A ceiling that is no rate.
    #[error("ceiling `{ceiling}`: give a rate above 0 and below 1, such as 0.001")]
    BadCeiling {
        /// As given.
        ceiling: f64,
    },
    /// An alternative that is not below the ceiling.
    #[error("`{share}` of the ceiling as an alternative: give shares from 0 and below 1")]
    CeilingShare {
        /// As given.
        share: f64,
    },
    /// A plan of no ticks.
    #[error("a horizon of `{horizon}` ticks: give the planned ticks, 1 or more, or none")]
    BadHorizon {
        /// As given.
        horizon: u32,
    },
    /// A figure of a plan or of a design that is out of its range.
    #[error("{what} `{value}`: give {expected}")]
    OutOfRange {
        /// Which figure.
        what: &'static str,
        /// As given.
        value: f64,
        /// What would be taken.
        expected: &'static str,
    },
    /// Instances whose histories differ in length.
    #[error(
        "instance `{instance}` has `{ticks}` ticks, the first has `{expected}`: give `[0, 0]` for a \
         tick without data"
    )]
    UnevenHistory {
        /// Its name.
        instance: String,
        /// Of its history.
        ticks: usize,
        /// Of the first instance's.
        expected: usize,
    },
    /// A count in a history that cannot be.
    #[error(
        "instance `{instance}`, tick `{tick}`: {what} `{value}`, expected a number from 0 to \
         `{MAX_COUNT}`: give `[0, 0]` for a tick without data"
    )]
    HistoryCount {
        /// Its name.
        instance: String,
        /// Which tick, from 0.
        tick: usize,
        /// Which figure.
        what: &'static str,
        /// As given.
        value: f64,
    },
    /// A history that does not hold one window of the phase's length: no threshold comes of it.
    #[error(
        "the history has `{ticks}` ticks, the phase `{needed}`: record more, or use a mode that \
         needs no history"
    )]
    ShortHistory {
        /// Of the history.
        ticks: usize,
        /// Of the phase.
        needed: usize,
    },
    /// Fewer instances than a comparison needs.
    #[error("`{instances}` instances, at least `{needed}` are needed: spread the load over more")]
    FewInstances {
        /// As given.
        instances: usize,
        /// At least.
        needed: usize,
    },
    /// An instance that was not named when the test was made, or that has no history.
    #[error("instance `{instance}` is unknown: name every instance at the start")]
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
    /// A group of instances that is empty, or that is all of them.
    #[error("{what} is empty or leaves no instance outside: give some instances, not all")]
    NoComparison {
        /// Which group.
        what: &'static str,
    },
    /// Too few subsets for this error probability: `alpha * subsets` is below 1.
    #[error(
        "`{subsets}` subsets cannot decide at alpha `{alpha}`: draw at least one over alpha, \
         better 20 times that"
    )]
    FewSubsets {
        /// As given.
        subsets: usize,
        /// As given.
        alpha: f64,
    },
    /// Counts of another number of instances than the test has.
    #[error("counts of `{got}` instances, the test has `{expected}`: give `0, 0` without data")]
    InstanceCount {
        /// As given.
        got: usize,
        /// Of the test.
        expected: usize,
    },
    /// A sample or a histogram without values.
    #[error("`{what}` has no values: no data is no result, hold instead")]
    EmptySample {
        /// Which one.
        what: &'static str,
    },
    /// An arm without trials or exposure, given to a test.
    #[error("`{what}` has no trials: no data is no result, hold instead")]
    NoTrials {
        /// Which arm.
        what: &'static str,
    },
    /// A count that is not whole, given to an exact test.
    #[error("`{what}` has a count of `{value}`: exact tests take whole numbers, round estimates")]
    NotWhole {
        /// Which arm or histogram.
        what: &'static str,
        /// As given.
        value: f64,
    },
    /// A margin of the difference scale outside `0..1`.
    #[error("margin `{margin}` of a difference: give 0 or more and below 1, such as 0.01")]
    BadDifference {
        /// As given.
        margin: f64,
    },
    /// An exact law that is too large to be summed.
    #[error("the exact {what} law is too large for these counts: take the asymptotic test")]
    ExactTooLarge {
        /// Which law.
        what: &'static str,
    },
    /// Ties where an exact law without ties was asked for.
    #[error("values are tied: take method `auto` or `asymptotic`, which correct for ties")]
    ExactTies,
    /// Two histograms with different numbers of buckets.
    #[error("histograms of `{x}` and `{y}` buckets: give both the same boundaries")]
    BucketMismatch {
        /// Of the first.
        x: usize,
        /// Of the second.
        y: usize,
    },
    /// A null ratio of rates that is not positive, or beyond [`MAX_RATIO`](super::MAX_RATIO).
    #[error("null ratio `{ratio}`, with the exposures: give one above 0, such as 1")]
    BadNullRatio {
        /// As given, or times the ratio of the exposures where that is out of range.
        ratio: f64,
    },
    /// NaN or infinity in a sample.
    #[error("`{what}[{index}]` is `{value}`: leave out values that are missing")]
    SampleNotFinite {
        /// Which sample.
        what: &'static str,
        /// Where, from 0.
        index: usize,
        /// As given.
        value: f64,
    },
    /// A margin of equivalence that leaves nothing between its two sides.
    #[error(
        "margin `{margin}` leaves nothing between: give a ratio above 1 or a difference above 0"
    )]
    NothingBetween {
        /// As given.
        margin: f64,
    },
    /// More requests slower than a boundary than the one before it.
    #[error(
        "`{more}` requests are slower than boundary {boundary}, `{fewer}` than the one before: boundaries ascend"
    )]
    SlowRises {
        /// Which boundary, counted from 0.
        boundary: usize,
        /// Slower than it.
        more: f64,
        /// Slower than the one before.
        fewer: f64,
    },
    /// No time, bucket or boundary above zero to choose boundaries from.
    #[error(
        "no request above zero to choose boundaries from: give the baseline's before the phase"
    )]
    NoTimes,
    /// Buckets that are none.
    #[error("the histogram cannot be read, {fault}: give cumulative counts over ascending edges")]
    BadHistogram {
        /// What is wrong.
        fault: &'static str,
    },
    /// A boundary that the buckets do not have as an edge.
    #[error("boundary `{boundary}` is no edge of the histogram: choose boundaries among its edges")]
    NoSuchEdge {
        /// As given.
        boundary: f64,
    },
    /// Boundaries that do not ascend from above zero.
    #[error("boundaries must ascend from above zero and be finite: sort them and name each once")]
    BoundaryOrder,
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
            Self::NotMergeable { .. } => "HF-STAT-023",
            Self::BadTemper { .. } => "HF-STAT-024",
            Self::BadThreshold { .. } => "HF-STAT-025",
            Self::BadHorizon { .. } => "HF-STAT-026",
            Self::BadCeiling { .. } => "HF-STAT-027",
            Self::CeilingShare { .. } => "HF-STAT-028",
            Self::OutOfRange { .. } => "HF-STAT-030",
            Self::UnevenHistory { .. } => "HF-STAT-031",
            Self::HistoryCount { .. } => "HF-STAT-032",
            Self::ShortHistory { .. } => "HF-STAT-033",
            Self::FewInstances { .. } => "HF-STAT-034",
            Self::UnknownInstance { .. } => "HF-STAT-035",
            Self::RepeatedInstance { .. } => "HF-STAT-036",
            Self::NoComparison { .. } => "HF-STAT-037",
            Self::FewSubsets { .. } => "HF-STAT-038",
            Self::InstanceCount { .. } => "HF-STAT-039",
            Self::EmptySample { .. } => "HF-STAT-040",
            Self::NoTrials { .. } => "HF-STAT-041",
            Self::NotWhole { .. } => "HF-STAT-042",
            Self::BadDifference { .. } => "HF-STAT-043",
            Self::ExactTooLarge { .. } => "HF-STAT-044",
            Self::ExactTies => "HF-STAT-045",
            Self::BucketMismatch { .. } => "HF-STAT-046",
            Self::BadNullRatio { .. } => "HF-STAT-047",
            Self::SampleNotFinite { .. } => "HF-STAT-048",
            Self::NothingBetween { .. } => "HF-STAT-049",
            Self::SlowRises { .. } => "HF-STAT-050",
            Self::NoTimes => "HF-STAT-051",
            Self::BadHistogram { .. } => "HF-STAT-052",
            Self::NoSuchEdge { .. } => "HF-STAT-053",
            Self::BoundaryOrder => "HF-STAT-054",
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
