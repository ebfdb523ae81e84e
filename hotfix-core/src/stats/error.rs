//! Errors of the statistical tests, each with a stable code.

use super::{MAX_COUNT, grid};
use crate::code::{code, coded};

coded! {
    /// A value that a statistical test does not accept.
    ///
    /// ```
    /// use hotfix_core::stats::Counts;
    /// let error = Counts::new(5.0, 3.0).check_proportion().expect_err("five of three");
    /// assert_eq!(error.code(), "HF-STAT-004");
    /// ```
    #[derive(Clone, Debug, PartialEq, thiserror::Error)]
    pub enum StatError;

    /// An error probability outside `0 < alpha < 1`.
    #[error(
        "alpha `{alpha}` is not an error probability: give one above 0 and below 1, such as 0.01"
    )]
    BadAlpha { alpha: f64 } => code! {HF-STAT-001},
    /// NaN or infinity instead of a number.
    #[error("{what} `{value}` is not finite: leave out the tick where a number is missing")]
    NotFinite { what: &'static str, value: f64 } => code! {HF-STAT-002},
    /// A count or an exposure below zero.
    #[error("{what} `{value}` is negative: handle counter resets before taking differences")]
    Negative { what: &'static str, value: f64 } => code! {HF-STAT-003},
    /// More events than trials in a proportion.
    #[error("`{events}` events exceed `{trials}` trials: give a count with exposure as a count")]
    EventsExceedTrials { events: f64, trials: f64 } => code! {HF-STAT-004},
    /// A number above 2^53, beyond which whole numbers are not exact.
    #[error("{what} `{value}` is above `{MAX_COUNT}`: use a coarser unit of exposure")]
    TooLarge { what: &'static str, value: f64 } => code! {HF-STAT-005},
    /// A grid without points, or with more than a state can hold.
    #[error("the grid has `{len}` ratios: give 1 to {}", grid::MAX_GRID)]
    GridLength { len: usize } => code! {HF-STAT-006},
    /// A grid ratio that is not above 1, or beyond [`MAX_RATIO`](super::MAX_RATIO).
    #[error(
        "grid ratio `{ratio}` is out of range: give ratios above 1 and at most {}; \
         `better` inverts them",
        grid::MAX_RATIO
    )]
    GridRatio { ratio: f64 } => code! {HF-STAT-007},
    /// Another number of weights than of weighted items.
    #[error("`{weights}` weights for `{items}` items: give one weight for each item")]
    WeightCount { weights: usize, items: usize } => code! {HF-STAT-008},
    /// A weight that is not above zero and at most one.
    #[error("weight `{weight}` is out of range: give weights above 0 that sum to 1")]
    BadWeight { weight: f64 } => code! {HF-STAT-009},
    /// Weights that do not sum to one.
    #[error(
        "the weights sum to `{sum}`: make them sum to 1, or the error probability does not hold"
    )]
    WeightSum { sum: f64 } => code! {HF-STAT-010},
    /// A tolerated ratio below 1, or beyond [`MAX_RATIO`](super::MAX_RATIO).
    #[error(
        "tolerated ratio `{tolerated}` is out of range: give 1 (no worse at all) or a little more"
    )]
    BadTolerated { tolerated: f64 } => code! {HF-STAT-011},
    /// A margin that is not a positive ratio within the range.
    #[error(
        "margin `{margin}` is out of range: give a ratio above 1 for non-inferiority, \
         or above 0 and at most 1 for efficacy"
    )]
    BadMargin { margin: f64 } => code! {HF-STAT-012},
    /// Prior trials of a plug-in estimate outside `1..=1e9`.
    #[error(
        "prior trials `{prior_trials}` are out of range: give 1 to 1e9, \
         such as 50 for proportions or 5 for latency"
    )]
    BadPriorTrials { prior_trials: f64 } => code! {HF-STAT-013},
    /// No latency boundary, or more than a state can hold.
    #[error(
        "there are `{boundaries}` latency boundaries: give 1 to {}",
        super::latency::MAX_BOUNDARIES
    )]
    BoundaryCount { boundaries: usize } => code! {HF-STAT-014},
    /// Slow counts for another number of boundaries than the design has.
    #[error(
        "counts for `{got}` latency boundaries, but the test has `{expected}`: give one for each"
    )]
    BoundaryMismatch { got: usize, expected: usize } => code! {HF-STAT-015},
    /// A cap that is not a positive number.
    #[error("cap `{cap}` is out of range: give a gain of log e above 0, such as 0.6, or no cap")]
    BadCap { cap: f64 } => code! {HF-STAT-016},
    /// A state used with another design than the one it was made for.
    #[error("this state belongs to another design: start a new state when settings change")]
    DesignMismatch => code! {HF-STAT-017},
    /// A state document of an unknown version.
    #[error(
        "state version `{version}` is unknown to this release: \
         read it with the version that wrote it"
    )]
    StateVersion { version: u32 } => code! {HF-STAT-018},
    /// A state document that no test can have written.
    #[error("the `{what}` of the state cannot occur: replay the log to restore the state")]
    BadState { what: &'static str } => code! {HF-STAT-019},
    /// A planned share that is not strictly between 0 and 1.
    #[error("planned share `{share}` is out of range: give a fraction above 0 and below 1")]
    BadShare { share: f64 } => code! {HF-STAT-020},
    /// A confidence level or a power that is not strictly between 0 and 1.
    #[error(
        "confidence or power `{confidence}` is out of range: \
         give one above 0 and below 1, such as 0.95"
    )]
    BadConfidence { confidence: f64 } => code! {HF-STAT-021},
    /// Evidence of another number of metrics than the combination has weights for.
    #[error(
        "evidence of `{got}` metrics, but the combination has `{expected}` weights: \
         give log e = 0 for a metric without data"
    )]
    MetricCount { got: usize, expected: usize } => code! {HF-STAT-022},
    /// A merge of tests whose evidence depends on the order of the ticks: with a horizon, or of the Bernoulli test.
    #[error(
        "states of {of} cannot be merged, because its evidence depends on the order of the ticks: \
         feed all ticks to one state"
    )]
    NotMergeable { of: &'static str } => code! {HF-STAT-023},
    /// A factor on increments (temper) outside `0 < temper <= 1`.
    #[error(
        "temper `{temper}` is out of range: give a factor above 0 and at most 1; 1 has no effect"
    )]
    BadTemper { temper: f64 } => code! {HF-STAT-024},
    /// A threshold that is not a positive number.
    #[error(
        "threshold `{threshold}` is out of range: give a log e above 0, such as 4.605 for 1 in 100"
    )]
    BadThreshold { threshold: f64 } => code! {HF-STAT-025},
    /// A ceiling that is not a rate between 0 and 1.
    #[error("ceiling `{ceiling}` is out of range: give a rate above 0 and below 1, such as 0.001")]
    BadCeiling { ceiling: f64 } => code! {HF-STAT-027},
    /// An alternative that is not below the ceiling.
    #[error(
        "an alternative at `{share}` of the ceiling is not below it: give shares from 0 and below 1"
    )]
    CeilingShare { share: f64 } => code! {HF-STAT-028},
    /// A horizon of no ticks.
    #[error("a horizon of `{horizon}` ticks: give the planned ticks, 1 or more, or no horizon")]
    BadHorizon { horizon: u32 } => code! {HF-STAT-026},
    /// A number of a plan or a design that is out of range.
    #[error("{what} `{value}` is out of range: give {expected}")]
    OutOfRange { what: &'static str, value: f64, expected: &'static str } => code! {HF-STAT-030},
    /// Instances whose histories differ in length.
    #[error(
        "instance `{instance}` has `{ticks}` ticks, but the first has `{expected}`: \
         give zeros for a tick without data"
    )]
    UnevenHistory { instance: String, ticks: usize, expected: usize } => code! {HF-STAT-031},
    /// A row in a history of request times that is no histogram.
    #[error(
        "instance `{instance}`, tick `{tick}`: give `{expected}` counts, of requests up to each \
         boundary and of all, none below the one before; zeros for a tick without data"
    )]
    HistoryRow { instance: String, tick: usize, expected: usize } => code! {HF-STAT-055},
    /// A count in a history that is negative, not finite or too large.
    #[error(
        "instance `{instance}`, tick `{tick}`: {what} `{value}` is not a number from 0 to \
         `{MAX_COUNT}`: give `[0, 0]` for a tick without data"
    )]
    HistoryCount {
        instance: String,
        tick: usize,
        what: &'static str,
        value: f64,
    } => code! {HF-STAT-032},
    /// More events than trials in the history of a proportion.
    #[error(
        "instance `{instance}`, tick `{tick}`: `{events}` events exceed `{trials}` trials, which a \
         proportion cannot have: check whether the two are swapped"
    )]
    HistoryProportion {
        instance: String,
        tick: usize,
        events: f64,
        trials: f64,
    } => code! {HF-STAT-056},
    /// A history shorter than the phase, from which no threshold can be calibrated.
    #[error(
        "the history has `{ticks}` ticks, and the phase needs `{needed}`: record a longer history, \
         or use a mode that needs none"
    )]
    ShortHistory { ticks: usize, needed: usize } => code! {HF-STAT-033},
    /// A history in which nothing was counted.
    #[error(
        "the history has no {what}, so it calibrates nothing: check its query and mapping, or \
         record a longer one"
    )]
    EmptyHistory { what: &'static str } => code! {HF-STAT-057},
    /// Instances that took turns: groups of them are smaller than the canary, or not there.
    #[error(
        "the history has `{instances}` instances, of which `{at_a_time:.1}` are there at a time: give those \
         that replaced each other one name, or take a time in which their number hardly changes"
    )]
    InstancesInTurn { instances: usize, at_a_time: f64 } => code! {HF-STAT-058},
    /// Fewer instances than a comparison needs.
    #[error(
        "there are `{instances}` instances, and at least `{needed}` are needed: give more instances"
    )]
    FewInstances { instances: usize, needed: usize } => code! {HF-STAT-034},
    /// An instance that was not named when the test was created, or that has no history.
    #[error("instance `{instance}` is unknown: name every instance when the test is created")]
    UnknownInstance { instance: String } => code! {HF-STAT-035},
    /// An instance that is named more than once.
    #[error("instance `{instance}` is named twice: name it once")]
    RepeatedInstance { instance: String } => code! {HF-STAT-036},
    /// A group of instances that is empty, or that contains all of them.
    #[error("{what} is empty or leaves no instance outside: give some instances, not all")]
    NoComparison { what: &'static str } => code! {HF-STAT-037},
    /// Too few subsets for this error probability: `alpha * subsets` is below 1.
    #[error(
        "`{subsets}` subsets are too few to decide at alpha `{alpha}`: draw at least `1/alpha`, \
         better 20 times as many"
    )]
    FewSubsets { subsets: usize, alpha: f64 } => code! {HF-STAT-038},
    /// Counts of another number of instances than the test has.
    #[error(
        "counts of `{got}` instances, but the test has `{expected}`: \
         give `0, 0` for an instance without data"
    )]
    InstanceCount { got: usize, expected: usize } => code! {HF-STAT-039},
    /// A sample or a histogram without values.
    #[error("`{what}` has no values, so there is no result: hold until there are some")]
    EmptySample { what: &'static str } => code! {HF-STAT-040},
    /// An arm without trials or exposure, given to a test.
    #[error("`{what}` has no trials, so there is no result: hold until there are some")]
    NoTrials { what: &'static str } => code! {HF-STAT-041},
    /// A count that is not whole, given to an exact test.
    #[error(
        "`{what}` has a count of `{value}`: exact tests need whole numbers, so round estimates"
    )]
    NotWhole { what: &'static str, value: f64 } => code! {HF-STAT-042},
    /// A margin on the difference scale outside `0..1`.
    #[error(
        "margin `{margin}` of a difference is out of range: \
         give 0 or more and below 1, such as 0.01"
    )]
    BadDifference { margin: f64 } => code! {HF-STAT-043},
    /// An exact distribution that is too large to be summed.
    #[error(
        "the exact {what} distribution is too large for these counts: use the method `asymptotic` \
         for samples, `non_inferiority` or `wilson` for proportions, `RateRatio` for rates"
    )]
    ExactTooLarge { what: &'static str } => code! {HF-STAT-044},
    /// Tied values in an exact test for samples without ties.
    #[error("values are tied: use method `auto` or `asymptotic`, which correct for ties")]
    ExactTies => code! {HF-STAT-045},
    /// Two histograms with different numbers of buckets.
    #[error("the histograms have `{x}` and `{y}` buckets: give both the same boundaries")]
    BucketMismatch { x: usize, y: usize } => code! {HF-STAT-046},
    /// A null ratio of rates that is not positive, or beyond [`MAX_RATIO`](super::MAX_RATIO).
    #[error(
        "null ratio `{ratio}`, scaled by the exposures, is out of range: \
         give one above 0, such as 1"
    )]
    BadNullRatio {
        /// As given, or times the ratio of the exposures where that is out of range.
        ratio: f64,
    } => code! {HF-STAT-047},
    /// NaN or infinity in a sample.
    #[error("`{what}[{index}]` is `{value}`: leave out values that are missing")]
    SampleNotFinite {
        what: &'static str,
        /// Index, from 0.
        index: usize,
        value: f64,
    } => code! {HF-STAT-048},
    /// A margin of equivalence whose range is empty.
    #[error(
        "margin `{margin}` leaves no range of equivalence: \
         give a ratio above 1 or a difference above 0"
    )]
    NothingBetween { margin: f64 } => code! {HF-STAT-049},
    /// More requests above a latency boundary than above the one before it.
    #[error(
        "`{more}` requests are slower than boundary {boundary}, but `{fewer}` than the one before: \
         sort the boundaries in ascending order"
    )]
    SlowRises {
        /// Index of the boundary, from 0.
        boundary: usize,
        more: f64,
        fewer: f64,
    } => code! {HF-STAT-050},
    /// No time or bucket above zero to choose boundaries from.
    #[error(
        "no latency above zero to choose boundaries from: \
         give the latencies of the baseline from before the phase"
    )]
    NoTimes => code! {HF-STAT-051},
    /// Buckets that are not a cumulative histogram.
    #[error(
        "the histogram cannot be read, {fault}: \
         give cumulative counts for ascending, finite edges, without `+Inf` in `le`"
    )]
    BadHistogram { fault: &'static str } => code! {HF-STAT-052},
    /// A boundary that is not an edge of the histogram.
    #[error(
        "boundary `{boundary}` is not an edge of the histogram: choose boundaries from its edges"
    )]
    NoSuchEdge { boundary: f64 } => code! {HF-STAT-053},
    /// Boundaries that are not ascending, positive and finite.
    #[error("the boundaries are not ascending, positive and finite: sort them and give each once")]
    BoundaryOrder => code! {HF-STAT-054},
}

impl StatError {
    /// [`StatError::OutOfRange`], unless the value fits.
    pub(super) fn unless(
        fits: bool,
        what: &'static str,
        value: f64,
        expected: &'static str,
    ) -> Result<(), Self> {
        if fits { Ok(()) } else { Err(Self::OutOfRange { what, value, expected }) }
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
