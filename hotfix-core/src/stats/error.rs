//! Errors of the statistical tests, each with a stable code.

use super::MAX_COUNT;
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

    #[error("{what} `{value}` is not finite: leave out the tick where a number is missing")]
    NotFinite { what: &'static str, value: f64 } => code! {HF-STAT-002},
    #[error("{what} `{value}` is negative: handle counter resets before taking differences")]
    Negative { what: &'static str, value: f64 } => code! {HF-STAT-003},
    #[error("`{events}` events exceed `{trials}` trials: give a count with exposure as a count")]
    EventsExceedTrials { events: f64, trials: f64 } => code! {HF-STAT-004},
    /// A number above 2^53, beyond which whole numbers are not exact.
    #[error("{what} `{value}` is above `{MAX_COUNT}`: use a coarser unit of exposure")]
    TooLarge { what: &'static str, value: f64 } => code! {HF-STAT-005},
    #[error("`{weights}` weights for `{items}` items: give one weight for each item")]
    WeightCount { weights: usize, items: usize } => code! {HF-STAT-008},
    #[error(
        "the weights sum to `{sum}`: make them sum to 1, or the error probability does not hold"
    )]
    WeightSum { sum: f64 } => code! {HF-STAT-010},
    #[error(
        "counts for `{got}` latency boundaries, but the test has `{expected}`: give one for each"
    )]
    BoundaryMismatch { got: usize, expected: usize } => code! {HF-STAT-015},
    #[error("this state belongs to another design: start a new state when settings change")]
    DesignMismatch => code! {HF-STAT-017},
    #[error(
        "state version `{version}` is unknown to this release: \
         read it with the version that wrote it"
    )]
    StateVersion { version: u32 } => code! {HF-STAT-018},
    #[error("the state has invalid `{what}`: replay the log; a test without a log has to start again")]
    BadState { what: &'static str } => code! {HF-STAT-019},
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
    /// A setting or parameter outside of its range; the code is that of the range.
    #[error("{what} `{value}` is out of range: give {expected}")]
    OutOfRange {
        code: &'static str,
        what: &'static str,
        value: f64,
        expected: &'static str,
    } => code,
    #[error(
        "instance `{instance}` has `{ticks}` ticks, but the first has `{expected}`: \
         give zeros for a tick without data"
    )]
    UnevenHistory { instance: String, ticks: usize, expected: usize } => code! {HF-STAT-031},
    #[error(
        "instance `{instance}`, tick `{tick}`: give `{expected}` counts, of requests up to each \
         boundary and of all, none below the one before; zeros for a tick without data"
    )]
    HistoryRow { instance: String, tick: usize, expected: usize } => code! {HF-STAT-055},
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
    #[error(
        "the history has `{ticks}` ticks, and the phase needs `{needed}`: record a longer history, \
         or use a mode that needs none"
    )]
    ShortHistory { ticks: usize, needed: usize } => code! {HF-STAT-033},
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
    #[error(
        "there are `{instances}` instances, and at least `{needed}` are needed: give more instances"
    )]
    FewInstances { instances: usize, needed: usize } => code! {HF-STAT-034},
    #[error("instance `{instance}` is unknown: name every instance when the test is created")]
    UnknownInstance { instance: String } => code! {HF-STAT-035},
    #[error("instance `{instance}` is named twice: name it once")]
    RepeatedInstance { instance: String } => code! {HF-STAT-036},
    #[error("{what} is empty or leaves no instance outside: give some instances, not all")]
    NoComparison { what: &'static str } => code! {HF-STAT-037},
    /// Too few subsets for this error probability: `alpha * subsets` is below 1.
    #[error(
        "`{subsets}` subsets are too few to decide at alpha `{alpha}`: draw at least `1/alpha`, \
         better 20 times as many"
    )]
    FewSubsets { subsets: usize, alpha: f64 } => code! {HF-STAT-038},
    #[error(
        "counts of `{got}` instances, but the test has `{expected}`: \
         give `0, 0` for an instance without data"
    )]
    InstanceCount { got: usize, expected: usize } => code! {HF-STAT-039},
    #[error("`{what}` has no values, so there is no result: hold until there are some")]
    EmptySample { what: &'static str } => code! {HF-STAT-040},
    #[error("`{what}` has no trials, so there is no result: hold until there are some")]
    NoTrials { what: &'static str } => code! {HF-STAT-041},
    #[error(
        "`{what}` has a count of `{value}`: exact tests need whole numbers, so round estimates"
    )]
    NotWhole { what: &'static str, value: f64 } => code! {HF-STAT-042},
    #[error(
        "the exact {what} distribution is too large for these counts: use the method `asymptotic` \
         for samples, `non_inferiority` or `wilson` for proportions, `RateRatio` for rates"
    )]
    ExactTooLarge { what: &'static str } => code! {HF-STAT-044},
    #[error("values are tied: use method `auto` or `asymptotic`, which correct for ties")]
    ExactTies => code! {HF-STAT-045},
    #[error("the histograms have `{x}` and `{y}` buckets: give both the same boundaries")]
    BucketMismatch { x: usize, y: usize } => code! {HF-STAT-046},
    #[error(
        "null ratio `{ratio}`, scaled by the exposures, is out of range: \
         give one above 0, such as 1"
    )]
    BadNullRatio {
        /// As given, or times the ratio of the exposures where that is out of range.
        ratio: f64,
    } => code! {HF-STAT-047},
    #[error("`{what}[{index}]` is `{value}`: leave out values that are missing")]
    SampleNotFinite {
        what: &'static str,
        /// Index, from 0.
        index: usize,
        value: f64,
    } => code! {HF-STAT-048},
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
    #[error(
        "no latency above zero to choose boundaries from: \
         give the latencies of the baseline from before the phase"
    )]
    NoTimes => code! {HF-STAT-051},
    #[error(
        "the histogram cannot be read, {fault}: \
         give cumulative counts for ascending, finite edges, without `+Inf` in `le`"
    )]
    BadHistogram { fault: &'static str } => code! {HF-STAT-052},
    #[error(
        "boundary `{boundary}` is not an edge of the histogram: choose boundaries from its edges"
    )]
    NoSuchEdge { boundary: f64 } => code! {HF-STAT-053},
    #[error("the boundaries are not ascending, positive and finite: sort them and give each once")]
    BoundaryOrder => code! {HF-STAT-054},
}

/// A setting with the range of its values, and the code of the error where a value is outside.
#[derive(Clone, Copy)]
pub(super) struct Range {
    code: &'static str,
    what: &'static str,
    expected: &'static str,
}

macro_rules! ranges {
    ($($name:ident: $code:expr, $what:literal, $expected:literal;)*) => {
        impl Range {
            $(pub(super) const $name: Self =
                Self { code: $code, what: $what, expected: $expected };)*
        }
    };
}

ranges! {
    ALPHA: code! {HF-STAT-001}, "alpha", "an error probability above 0 and below 1, such as 0.01";
    // The numbers are those of `MAX_GRID`, `MAX_RATIO` and `MAX_BOUNDARIES`.
    GRID: code! {HF-STAT-006}, "grid", "a list of 1 to 8 ratios";
    GRID_RATIO: code! {HF-STAT-007}, "grid", "ratios above 1 and at most 1000000; `better` inverts them";
    WEIGHT: code! {HF-STAT-009}, "weights", "weights above 0 that sum to 1";
    TOLERATED: code! {HF-STAT-011}, "tolerated", "1 (no worse at all) or a little more";
    MARGIN: code! {HF-STAT-012}, "margin",
        "a ratio above 1 for non-inferiority, or above 0 and at most 1 for efficacy";
    PRIOR_TRIALS: code! {HF-STAT-013}, "prior trials",
        "1 to 1e9, such as 50 for proportions or 5 for latency";
    BOUNDARIES: code! {HF-STAT-014}, "boundaries", "1 to 12 boundaries";
    CAP: code! {HF-STAT-016}, "cap", "a gain of log e above 0, such as 0.6, or no cap";
    CONFIDENCE: code! {HF-STAT-021}, "confidence", "one above 0 and below 1, such as 0.95";
    POWER: code! {HF-STAT-021}, "power", "one above 0 and below 1, such as 0.95";
    SHARE: code! {HF-STAT-020}, "share", "a fraction above 0 and below 1";
    TEMPER: code! {HF-STAT-024}, "temper", "a factor above 0 and at most 1; 1 has no effect";
    THRESHOLD: code! {HF-STAT-025}, "threshold", "a log e above 0, such as 4.605 for 1 in 100";
    HORIZON: code! {HF-STAT-026}, "horizon", "the planned ticks, 1 or more, or no horizon";
    CEILING: code! {HF-STAT-027}, "ceiling", "a rate above 0 and below 1, such as 0.001";
    CEILING_SHARE: code! {HF-STAT-028}, "grid", "shares of the ceiling from 0 and below 1";
    DIFFERENCE: code! {HF-STAT-043}, "margin", "a difference of 0 or more and below 1, such as 0.01";
    EQUIVALENCE: code! {HF-STAT-049}, "margin",
        "a ratio above 1 or a difference above 0, which leaves a range of equivalence";
}

impl Range {
    /// [`StatError::OutOfRange`], unless the value fits.
    pub(super) const fn check(self, fits: bool, value: f64) -> Result<(), StatError> {
        let Self { code, what, expected } = self;
        if fits { Ok(()) } else { Err(StatError::OutOfRange { code, what, value, expected }) }
    }
}

impl StatError {
    /// [`StatError::OutOfRange`] of what has no code of its own, unless the value fits.
    pub(super) const fn unless(
        fits: bool,
        what: &'static str,
        value: f64,
        expected: &'static str,
    ) -> Result<(), Self> {
        Range { code: code! {HF-STAT-030}, what, expected }.check(fits, value)
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
