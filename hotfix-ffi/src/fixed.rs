//! Fixed-sample tests and intervals, for one evaluation: plain structs, no handle.

use hotfix_core::stats::fixed::{self, Alternative, Assumptions, Method, Scale};
use hotfix_core::stats::interval::Interval;
use hotfix_core::stats::{Counts, StatError};

use crate::answer;
use crate::error::{Fallible, hotfix_error};
use crate::names::by_number;
use crate::pointer;
use crate::status::hotfix_status;
use crate::versioned::Versioned;

/// Events of one arm, and the trials or the exposure in which they occurred.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct hotfix_counts {
    /// The events that the metric counts; 0 to 2^53.
    pub events: f64,
    /// Trials, or exposure in any unit; 0 to 2^53.
    pub trials: f64,
}

impl From<hotfix_counts> for Counts {
    fn from(counts: hotfix_counts) -> Self {
        Self::new(counts.events, counts.trials)
    }
}

/// The alternative hypothesis: which deviation from the null hypothesis the test looks for.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum hotfix_alternative {
    /// A deviation in either direction.
    TwoSided = 1,
    /// The values or the rate of the first argument are lower.
    Less = 2,
    /// The values or the rate of the first argument are higher. In hotfix_ks_2samp it is the
    /// distribution function that is greater, as in SciPy.
    Greater = 3,
}

pub(crate) fn alternative_of(number: i32) -> Fallible<Alternative> {
    by_number!(number, "alternative", hotfix_alternative is Alternative { TwoSided, Less, Greater })
}

/// How a p-value is computed.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum hotfix_test_method {
    /// Exact if that is cheap, otherwise asymptotic.
    Auto = 1,
    /// An approximation for large samples.
    Asymptotic = 2,
    /// From the exact distribution.
    Exact = 3,
}

fn method_of(number: i32) -> Fallible<Method> {
    by_number!(number, "method", hotfix_test_method is Method { Auto, Asymptotic, Exact })
}

/// The scale on which two proportions are compared.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum hotfix_scale {
    /// The canary's proportion divided by the baseline's.
    Ratio = 1,
    /// The canary's proportion minus the baseline's.
    Difference = 2,
}

pub(crate) fn scale_of(number: i32) -> Fallible<Scale> {
    by_number!(number, "scale", hotfix_scale is Scale { Ratio, Difference })
}

/// Findings about a test's assumptions: bits of a result's `assumptions`.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum hotfix_assumption {
    /// Some values are equal; the variance is corrected for it.
    Ties = 1,
    /// All values are equal: the test shows nothing, p = 1.
    AllEqual = 2,
    /// The normal approximation was used although an arm has at most 8 values.
    FewSamples = 4,
    /// Values are known up to their bucket only.
    Binned = 8,
    /// An expected count is below 5: only exact tests are valid.
    SmallExpected = 16,
    /// An arm has no events, or every trial is an event.
    Sparse = 32,
}

/// The result of hotfix_mann_whitney_u. Set `struct_size` before the call (HOTFIX_MANN_WHITNEY_INIT
/// does).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct hotfix_mann_whitney {
    /// sizeof(hotfix_mann_whitney), set by the caller.
    pub struct_size: usize,
    /// Number of pairs in which `x` is the larger value; equal values count one half.
    pub u: f64,
    /// The p-value, 0 to 1.
    pub p_value: f64,
    /// Probability that a value of `x` is larger than one of `y`; equal values count one half.
    pub common_language: f64,
    /// From -1 (all of `x` is smaller) to 1.
    pub rank_biserial: f64,
    /// 1 if the p-value is exact, 0 if it is from the normal approximation.
    pub exact: u32,
    /// Bits of hotfix_assumption.
    pub assumptions: u32,
}

/// The result of hotfix_hodges_lehmann. Set `struct_size` before the call (HOTFIX_SHIFT_INIT does).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct hotfix_shift {
    /// sizeof(hotfix_shift), set by the caller.
    pub struct_size: usize,
    /// Median of all differences `x - y`.
    pub shift: f64,
    /// Lower end of its interval; -infinity if the samples are too small for the confidence.
    pub low: f64,
    /// Upper end; infinity if the samples are too small for the confidence.
    pub high: f64,
    /// 1 if the interval is from the exact distribution, 0 if it is from the normal approximation.
    pub exact: u32,
    /// Bits of hotfix_assumption.
    pub assumptions: u32,
}

/// The result of hotfix_ks_2samp. Set `struct_size` before the call (HOTFIX_KOLMOGOROV_SMIRNOV_INIT
/// does).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct hotfix_kolmogorov_smirnov {
    /// sizeof(hotfix_kolmogorov_smirnov), set by the caller.
    pub struct_size: usize,
    /// The largest difference between the distribution functions, in the direction of the
    /// alternative.
    pub statistic: f64,
    /// The p-value, 0 to 1.
    pub p_value: f64,
    /// 1 if the p-value is exact, 0 if it is an approximation for large samples.
    pub exact: u32,
    /// Bits of hotfix_assumption.
    pub assumptions: u32,
}

/// The result of hotfix_fisher_exact. Set `struct_size` before the call (HOTFIX_FISHER_INIT does).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct hotfix_fisher {
    /// sizeof(hotfix_fisher), set by the caller.
    pub struct_size: usize,
    /// The p-value, 0 to 1.
    pub p_value: f64,
    /// The canary's odds divided by the baseline's; may be infinite; NaN if `has_odds_ratio` is 0.
    pub odds_ratio: f64,
    /// The canary's rate minus the baseline's.
    pub difference: f64,
    /// 1 if the odds ratio is defined.
    pub has_odds_ratio: u32,
    /// Bits of hotfix_assumption.
    pub assumptions: u32,
}

/// The result of hotfix_poisson_ratio. Set `struct_size` before the call (HOTFIX_RATES_INIT does).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct hotfix_rates {
    /// sizeof(hotfix_rates), set by the caller.
    pub struct_size: usize,
    /// The p-value, 0 to 1.
    pub p_value: f64,
    /// The canary's rate divided by the baseline's; may be infinite; NaN if `has_ratio` is 0.
    pub ratio: f64,
    /// Lower end of its interval.
    pub low: f64,
    /// Upper end; may be infinite.
    pub high: f64,
    /// 1 if there are events.
    pub has_ratio: u32,
    /// Bits of hotfix_assumption.
    pub assumptions: u32,
}

/// The result of hotfix_non_inferiority. Set `struct_size` before the call (HOTFIX_MARGIN_INIT
/// does).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct hotfix_margin {
    /// sizeof(hotfix_margin), set by the caller.
    pub struct_size: usize,
    /// Distance of the canary from the margin in standard errors; negative is evidence that it is
    /// not worse.
    pub z: f64,
    /// The p-value, 0 to 1.
    pub p_value: f64,
    /// The canary's rate minus the baseline's.
    pub difference: f64,
    /// The most likely rate of the canary under the null hypothesis that it is worse by the margin.
    pub restricted_canary: f64,
    /// The most likely rate of the baseline under the same hypothesis.
    pub restricted_baseline: f64,
    /// Bits of hotfix_assumption.
    pub assumptions: u32,
    /// 0.
    pub reserved: u32,
}

/// The result of hotfix_equivalence. Set `struct_size` before the call (HOTFIX_APART_INIT does).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct hotfix_apart {
    /// sizeof(hotfix_apart), set by the caller.
    pub struct_size: usize,
    /// The larger of the two p-values.
    pub p_value: f64,
    /// p-value for "the canary is not worse by the margin".
    pub p_not_worse: f64,
    /// p-value for "the canary is not better by the margin".
    pub p_not_better: f64,
    /// Bits of hotfix_assumption.
    pub assumptions: u32,
    /// 0.
    pub reserved: u32,
}

/// An interval, ends included. Set `struct_size` before the call (HOTFIX_INTERVAL_INIT does).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct hotfix_interval {
    /// sizeof(hotfix_interval), set by the caller.
    pub struct_size: usize,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

macro_rules! versioned {
    ($($name:ty),+) => {$(
        // SAFETY: repr(C), the size first; written only.
        unsafe impl Versioned for $name {}
    )+};
}

versioned!(
    hotfix_mann_whitney,
    hotfix_shift,
    hotfix_kolmogorov_smirnov,
    hotfix_fisher,
    hotfix_rates,
    hotfix_margin,
    hotfix_apart,
    hotfix_interval
);

pub(crate) fn bits(found: Assumptions) -> u32 {
    u32::from(found.bits())
}

fn of_ranks(struct_size: usize, test: &fixed::MannWhitney) -> hotfix_mann_whitney {
    hotfix_mann_whitney {
        struct_size,
        u: test.u,
        p_value: test.p_value,
        common_language: test.common_language,
        rank_biserial: test.rank_biserial,
        exact: u32::from(test.exact),
        assumptions: bits(test.assumptions),
    }
}

fn of_functions(struct_size: usize, test: &fixed::KolmogorovSmirnov) -> hotfix_kolmogorov_smirnov {
    hotfix_kolmogorov_smirnov {
        struct_size,
        statistic: test.statistic,
        p_value: test.p_value,
        exact: u32::from(test.exact),
        assumptions: bits(test.assumptions),
    }
}

pub(crate) fn of_interval(
    struct_size: usize,
    interval: Result<Interval, StatError>,
) -> Fallible<hotfix_interval> {
    let Interval { low, high } = interval?;
    Ok(hotfix_interval { struct_size, low, high })
}

/// The Mann-Whitney U test of two samples, for one evaluation.
///
/// @param x            Finite values in any order; borrowed.
/// @param x_len        Number of elements.
/// @param y            Finite values in any order; borrowed.
/// @param y_len        Number of elements.
/// @param alternative  A hotfix_alternative; GREATER: values of `x` tend to be larger.
/// @param method       A hotfix_test_method; AUTO is exact if one sample has at most 8 values and
///                     no values are tied.
/// @param continuity   Whether the normal approximation has a continuity correction of one half.
/// @param out          The result; set its `struct_size` before the call. Written on success only.
/// @param err          Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for an empty sample, a value that is not finite, or an exact
///         distribution that does not exist for ties or is too large.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_mann_whitney_u(
    x: *const f64,
    x_len: usize,
    y: *const f64,
    y_len: usize,
    alternative: i32,
    method: i32,
    continuity: bool,
    out: *mut hotfix_mann_whitney,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::structure(out, err, |size| {
            let (x, y) = (pointer::numbers(x, x_len, "x")?, pointer::numbers(y, y_len, "y")?);
            let (alternative, method) = (alternative_of(alternative)?, method_of(method)?);
            Ok(of_ranks(size, &fixed::mann_whitney_u(x, y, alternative, method, continuity)?))
        })
    }
}

/// The Mann-Whitney U test of two histograms with the same buckets, for one evaluation.
///
/// @param x            Whole counts of each bucket, in order, not cumulative; borrowed.
/// @param y            Whole counts of each bucket, in order, not cumulative; borrowed.
/// @param len          Number of buckets.
/// @param alternative  A hotfix_alternative; GREATER: values of `x` tend to be larger.
/// @param continuity   Whether the normal approximation has a continuity correction of one half.
/// @param out          The result; set its `struct_size` before the call. Written on success only.
/// @param err          Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for an empty histogram or invalid counts.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_mann_whitney_from_counts(
    x: *const f64,
    y: *const f64,
    len: usize,
    alternative: i32,
    continuity: bool,
    out: *mut hotfix_mann_whitney,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::structure(out, err, |size| {
            let (x, y) = (pointer::numbers(x, len, "x")?, pointer::numbers(y, len, "y")?);
            let alternative = alternative_of(alternative)?;
            Ok(of_ranks(size, &fixed::mann_whitney_from_counts(x, y, alternative, continuity)?))
        })
    }
}

/// The Hodges-Lehmann estimate of the shift of `x` relative to `y`.
///
/// @param x           Finite values in any order; borrowed.
/// @param x_len       Number of elements.
/// @param y           Finite values in any order; borrowed.
/// @param y_len       Number of elements.
/// @param confidence  Confidence of the two-sided interval, such as 0.95.
/// @param out         The result; set its `struct_size` before the call. Written on success only.
/// @param err         Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for an empty sample, a value that is not finite, or an invalid
///         confidence.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_hodges_lehmann(
    x: *const f64,
    x_len: usize,
    y: *const f64,
    y_len: usize,
    confidence: f64,
    out: *mut hotfix_shift,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::structure(out, err, |struct_size| {
            let (x, y) = (pointer::numbers(x, x_len, "x")?, pointer::numbers(y, y_len, "y")?);
            let found = fixed::hodges_lehmann(x, y, confidence)?;
            Ok(hotfix_shift {
                struct_size,
                shift: found.shift,
                low: found.interval.low,
                high: found.interval.high,
                exact: u32::from(found.exact),
                assumptions: bits(found.assumptions),
            })
        })
    }
}

/// The Kolmogorov-Smirnov test of two samples, for one evaluation.
///
/// @param x            Finite values in any order; borrowed.
/// @param x_len        Number of elements.
/// @param y            Finite values in any order; borrowed.
/// @param y_len        Number of elements.
/// @param alternative  A hotfix_alternative; GREATER finds an `x` whose values tend to be smaller,
///                     as in SciPy.
/// @param method       A hotfix_test_method; AUTO is exact up to 10^8 pairs. ASYMPTOTIC gives
///                     SciPy's numbers, which are 0 if the samples do not overlap.
/// @param out          The result; set its `struct_size` before the call. Written on success only.
/// @param err          Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for an empty sample, a value that is not finite, or an exact
///         distribution that is too large.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_ks_2samp(
    x: *const f64,
    x_len: usize,
    y: *const f64,
    y_len: usize,
    alternative: i32,
    method: i32,
    out: *mut hotfix_kolmogorov_smirnov,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::structure(out, err, |size| {
            let (x, y) = (pointer::numbers(x, x_len, "x")?, pointer::numbers(y, y_len, "y")?);
            let (alternative, method) = (alternative_of(alternative)?, method_of(method)?);
            Ok(of_functions(size, &fixed::ks_2samp(x, y, alternative, method)?))
        })
    }
}

/// The Kolmogorov-Smirnov test of two histograms with the same buckets, for one evaluation.
///
/// @param x            Whole counts of each bucket, in order, not cumulative; borrowed.
/// @param y            Whole counts of each bucket, in order, not cumulative; borrowed.
/// @param len          Number of buckets.
/// @param alternative  A hotfix_alternative, as in hotfix_ks_2samp.
/// @param method       A hotfix_test_method.
/// @param out          The result; set its `struct_size` before the call. Written on success only.
/// @param err          Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for an empty histogram, invalid counts, or an exact distribution that
///         is too large.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_ks_from_counts(
    x: *const f64,
    y: *const f64,
    len: usize,
    alternative: i32,
    method: i32,
    out: *mut hotfix_kolmogorov_smirnov,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::structure(out, err, |size| {
            let (x, y) = (pointer::numbers(x, len, "x")?, pointer::numbers(y, len, "y")?);
            let (alternative, method) = (alternative_of(alternative)?, method_of(method)?);
            Ok(of_functions(size, &fixed::ks_from_counts(x, y, alternative, method)?))
        })
    }
}
