//! `hotfix.stats`: fixed-sample tests and intervals, for one evaluation.

use hotfix_core::stats::fixed::{
    self as core, Alternative, Assumption, Assumptions, Method, Scale,
};
use hotfix_core::stats::{Counts, interval::Interval};
use pyo3::prelude::*;

use crate::convert::one_of;
use crate::document::document;
use crate::error::Result;
use crate::observation::numbers;
use crate::stats::counts;
use crate::typed::Name;

/// Number of values in both samples from which a test releases the interpreter.
const MANY: usize = 10_000;

fn alternative_of(name: &str) -> Result<Alternative> {
    one_of("alternative", name, Alternative::ALL, Alternative::as_str)
}

fn method_of(name: &str) -> Result<Method> {
    one_of("method", name, Method::ALL, Method::as_str)
}

fn scale_of(name: &str) -> Result<Scale> {
    one_of("scale", name, Scale::ALL, Scale::as_str)
}

fn names(found: Assumptions) -> Vec<Name<Assumption>> {
    found.iter().map(Name::from).collect()
}

const fn pair(Interval { low, high }: Interval) -> (f64, f64) {
    (low, high)
}

/// Runs a long computation without holding the interpreter.
fn apart<T: Send>(py: Python<'_>, long: bool, run: impl FnOnce() -> T + Send) -> T {
    if long { py.detach(run) } else { run() }
}

document! {
    /// The result of `mann_whitney_u`.
    MannWhitney(core::MannWhitney) in "hotfix.stats" {
        /// Number of pairs in which `x` is the larger value; equal values count one half.
        fn u(it) -> f64 { it.u }
        /// Probability of such a `u`, or a more extreme one, if neither sample tends to be larger.
        fn p_value(it) -> f64 { it.p_value }
        /// Effect size: probability that a value of `x` is larger than one of `y`; equal values
        /// count one half.
        fn common_language(it) -> f64 { it.common_language }
        /// Effect size from -1 (all of `x` is smaller) to 1.
        fn rank_biserial(it) -> f64 { it.rank_biserial }
        /// Whether the p-value is exact; otherwise it is from the normal approximation.
        fn exact(it) -> bool { it.exact }
        /// Findings about the assumptions: some of "ties", "all_equal", "few_samples", "binned".
        fn assumptions(it) -> Vec<Name<Assumption>> { names(it.assumptions) }
    }
}

document! {
    /// The result of `hodges_lehmann`.
    Shift(core::Shift) in "hotfix.stats" {
        /// Median of all differences ``x - y``.
        fn shift(it) -> f64 { it.shift }
        /// ``(low, high)``; infinite if the samples are too small for the confidence.
        fn interval(it) -> (f64, f64) { pair(it.interval) }
        /// Whether the interval is from the exact distribution; otherwise it is from the normal
        /// approximation.
        fn exact(it) -> bool { it.exact }
        /// Findings about the assumptions: some of "ties", "all_equal", "few_samples".
        fn assumptions(it) -> Vec<Name<Assumption>> { names(it.assumptions) }
    }
}

document! {
    /// The result of `ks_2samp`.
    KolmogorovSmirnov(core::KolmogorovSmirnov) in "hotfix.stats" {
        /// Effect size: the largest difference between the distribution functions, in the direction
        /// of the alternative.
        fn statistic(it) -> f64 { it.statistic }
        /// Probability of such a difference, or a larger one, if both samples have the same
        /// continuous distribution.
        fn p_value(it) -> f64 { it.p_value }
        /// Whether the p-value is exact; otherwise it is an approximation for large samples.
        fn exact(it) -> bool { it.exact }
        /// Findings about the assumptions: some of "ties", "all_equal", "binned".
        fn assumptions(it) -> Vec<Name<Assumption>> { names(it.assumptions) }
    }
}

document! {
    /// The result of `fisher_exact`.
    FisherExact(core::Fisher) in "hotfix.stats" {
        /// Probability of such a table, or a more extreme one with the same margins, if both rates
        /// are equal.
        fn p_value(it) -> f64 { it.p_value }
        /// Effect size: the canary's odds divided by the baseline's; may be infinite; None if
        /// undefined.
        fn odds_ratio(it) -> Option<f64> { it.odds_ratio }
        /// Effect size: the canary's rate minus the baseline's.
        fn difference(it) -> f64 { it.difference }
        /// Findings about the assumptions: some of "small_expected", "sparse". The test is exact in
        /// any case.
        fn assumptions(it) -> Vec<Name<Assumption>> { names(it.assumptions) }
    }
}

document! {
    /// The result of `poisson_ratio`.
    PoissonRatio(core::PoissonRatio) in "hotfix.stats" {
        /// Probability of such a division of the events, or a more extreme one, under the null
        /// ratio.
        fn p_value(it) -> f64 { it.p_value }
        /// Effect size: the canary's rate divided by the baseline's; may be infinite; None without
        /// events.
        fn ratio(it) -> Option<f64> { it.ratio }
        /// ``(low, high)`` for the ratio.
        fn interval(it) -> (f64, f64) { pair(it.interval) }
        /// Findings about the assumptions: some of "small_expected", "sparse". The test is exact in
        /// any case.
        fn assumptions(it) -> Vec<Name<Assumption>> { names(it.assumptions) }
    }
}

document! {
    /// The result of `non_inferiority`.
    NonInferiority(core::NonInferiority) in "hotfix.stats" {
        /// Distance of the canary from the margin in standard errors; negative is evidence that it
        /// is not worse.
        fn z(it) -> f64 { it.z }
        /// Probability of such a `z`, or a smaller one, if the canary is worse by the margin.
        fn p_value(it) -> f64 { it.p_value }
        /// Effect size: the canary's rate minus the baseline's.
        fn difference(it) -> f64 { it.difference }
        /// The most likely rates of canary and baseline if the canary is worse by the margin.
        fn restricted(it) -> (f64, f64) { it.restricted }
        /// Findings about the assumptions: some of "small_expected", "sparse".
        fn assumptions(it) -> Vec<Name<Assumption>> { names(it.assumptions) }
    }
}

document! {
    /// The result of `equivalence`.
    Equivalence(core::Equivalence) in "hotfix.stats" {
        /// The larger p-value of the two tests.
        fn p_value(it) -> f64 { it.p_value }
        /// p-value for "the canary is not worse by the margin".
        fn not_worse(it) -> NonInferiority { NonInferiority(it.not_worse) }
        /// p-value for "the canary is not better by the margin".
        fn not_better(it) -> NonInferiority { NonInferiority(it.not_better) }
    }
}

/// The Mann-Whitney U test of two samples, for one evaluation.
///
/// Parameters
/// ----------
/// x, y : sequence of float
///     Finite values, in any order: a list, a tuple, an array of doubles.
/// alternative : {"two-sided", "less", "greater"}
///     "greater": values of `x` tend to be larger.
/// method : {"auto", "asymptotic", "exact"}
///     "auto" is exact if one sample has at most 8 values and no values are tied.
/// continuity : bool
///     Whether the normal approximation has a continuity correction; it is always corrected for
///     ties.
///
/// Returns
/// -------
/// MannWhitney
///
/// Raises
/// ------
/// StatsError
///     For an empty sample or a value that is not finite, and with "exact" for samples that are too
///     large or have ties.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> test = hotfix.stats.mann_whitney_u([9.0, 8.0, 7.5], [1.0, 2.0, 3.0, 7.0], alternative="greater")
/// >>> test.u, round(test.p_value, 6), test.common_language
/// (12.0, 0.028571, 1.0)
#[pyfunction]
#[pyo3(signature = (x: "_Samples", y: "_Samples", alternative: "_Alternative" = "two-sided", method: "_TestMethod" = "auto", continuity=true))]
pub(crate) fn mann_whitney_u(
    py: Python<'_>,
    x: &Bound<'_, PyAny>,
    y: &Bound<'_, PyAny>,
    alternative: &str,
    method: &str,
    continuity: bool,
) -> Result<MannWhitney> {
    let (alternative, method) = (alternative_of(alternative)?, method_of(method)?);
    let (x, y) = (numbers(x)?, numbers(y)?);
    // The exact distribution for forty against forty values takes as long as sorting ten thousand.
    let long = x.len() + y.len() >= MANY || method == Method::Exact;
    let test = || core::mann_whitney_u(&x, &y, alternative, method, continuity);
    Ok(MannWhitney(apart(py, long, test)?))
}

/// The Mann-Whitney U test of two histograms with the same buckets, for one evaluation.
///
/// Parameters
/// ----------
/// x, y : sequence of float
///     Whole counts of each bucket, in order, not cumulative.
/// alternative : {"two-sided", "less", "greater"}
///     "greater": values of `x` tend to be larger.
/// continuity : bool
///     Whether the normal approximation has a continuity correction.
///
/// Returns
/// -------
/// MannWhitney
///
/// Raises
/// ------
/// StatsError
///     If the lengths differ, a histogram is empty, or counts are not whole numbers in range.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> hotfix.stats.mann_whitney_from_counts([5, 40, 55], [50, 35, 15]).common_language
/// 0.79125
#[pyfunction]
#[pyo3(signature = (x: "_Samples", y: "_Samples", alternative: "_Alternative" = "two-sided", continuity=true))]
pub(crate) fn mann_whitney_from_counts(
    x: &Bound<'_, PyAny>,
    y: &Bound<'_, PyAny>,
    alternative: &str,
    continuity: bool,
) -> Result<MannWhitney> {
    let alternative = alternative_of(alternative)?;
    let (x, y) = (numbers(x)?, numbers(y)?);
    Ok(MannWhitney(core::mann_whitney_from_counts(&x, &y, alternative, continuity)?))
}

/// The Hodges-Lehmann estimate of the shift of `x` relative to `y`.
///
/// Parameters
/// ----------
/// x, y : sequence of float
///     Finite values, in any order.
/// confidence : float, default 0.95
///     Confidence of the two-sided interval.
///
/// Returns
/// -------
/// Shift
///
/// Raises
/// ------
/// StatsError
///     For an empty sample, a value that is not finite, or an invalid confidence.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> slower = hotfix.stats.hodges_lehmann([14, 15, 16, 18], [10, 11, 12, 13], confidence=0.9)
/// >>> slower.shift, slower.interval
/// (4.0, (2.0, 7.0))
#[pyfunction]
#[pyo3(signature = (x: "_Samples", y: "_Samples", confidence=0.95))]
pub(crate) fn hodges_lehmann(
    py: Python<'_>,
    x: &Bound<'_, PyAny>,
    y: &Bound<'_, PyAny>,
    confidence: f64,
) -> Result<Shift> {
    let (x, y) = (numbers(x)?, numbers(y)?);
    let long = x.len() + y.len() >= 1_000;
    Ok(Shift(apart(py, long, || core::hodges_lehmann(&x, &y, confidence))?))
}

/// The Kolmogorov-Smirnov test of two samples, for one evaluation.
///
/// Parameters
/// ----------
/// x, y : sequence of float
///     Finite values, in any order.
/// alternative : {"two-sided", "less", "greater"}
///     As in SciPy, it refers to the distribution functions: "greater" finds an `x` whose values
///     tend to be smaller.
/// method : {"auto", "asymptotic", "exact"}
///     "auto" is exact up to 10,000 against 10,000 values, or the same number of pairs.
///     "asymptotic" gives SciPy's numbers: two-sided, the one-sample distribution with the
///     effective sample size. They are 0 if the samples do not overlap.
///
/// Returns
/// -------
/// KolmogorovSmirnov
///
/// Raises
/// ------
/// StatsError
///     For an empty sample or a value that is not finite, and with "exact" for samples that are too
///     large.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> test = hotfix.stats.ks_2samp([1, 2, 3], [4, 5, 6])
/// >>> test.statistic, round(test.p_value, 6)
/// (1.0, 0.1)
#[pyfunction]
#[pyo3(signature = (x: "_Samples", y: "_Samples", alternative: "_Alternative" = "two-sided", method: "_TestMethod" = "auto"))]
pub(crate) fn ks_2samp(
    py: Python<'_>,
    x: &Bound<'_, PyAny>,
    y: &Bound<'_, PyAny>,
    alternative: &str,
    method: &str,
) -> Result<KolmogorovSmirnov> {
    let (alternative, method) = (alternative_of(alternative)?, method_of(method)?);
    let (x, y) = (numbers(x)?, numbers(y)?);
    let long = x.len() + y.len() >= 1_000;
    let test = || core::ks_2samp(&x, &y, alternative, method);
    Ok(KolmogorovSmirnov(apart(py, long, test)?))
}

/// The Kolmogorov-Smirnov test of two histograms with the same buckets, for one evaluation.
///
/// Parameters
/// ----------
/// x, y : sequence of float
///     Whole counts of each bucket, in order, not cumulative.
/// alternative, method
///     As in `ks_2samp`.
///
/// Returns
/// -------
/// KolmogorovSmirnov
///
/// Raises
/// ------
/// StatsError
///     As `mann_whitney_from_counts` and `ks_2samp`.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> hotfix.stats.ks_from_counts([5, 40, 55], [50, 35, 15]).assumptions
/// ['ties', 'binned']
#[pyfunction]
#[pyo3(signature = (x: "_Samples", y: "_Samples", alternative: "_Alternative" = "two-sided", method: "_TestMethod" = "auto"))]
pub(crate) fn ks_from_counts(
    py: Python<'_>,
    x: &Bound<'_, PyAny>,
    y: &Bound<'_, PyAny>,
    alternative: &str,
    method: &str,
) -> Result<KolmogorovSmirnov> {
    let (alternative, method) = (alternative_of(alternative)?, method_of(method)?);
    let (x, y) = (numbers(x)?, numbers(y)?);
    let test = || core::ks_from_counts(&x, &y, alternative, method);
    Ok(KolmogorovSmirnov(apart(py, true, test)?))
}

/// Fisher's exact test of two proportions, for one evaluation.
///
/// Parameters
/// ----------
/// canary, baseline : (float, float)
///     Events and trials, whole numbers.
/// alternative : {"two-sided", "less", "greater"}
///     "greater": the canary's rate is higher. "two-sided" sums the tables that are not more likely
///     than the observed one.
///
/// Returns
/// -------
/// FisherExact
///
/// Raises
/// ------
/// StatsError
///     For counts that are not whole numbers in range, an arm without trials, or more than about
///     10^13 trials.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> test = hotfix.stats.fisher_exact((8, 20), (2, 25), alternative="greater")
/// >>> round(test.p_value, 6), round(test.odds_ratio, 3)
/// (0.01322, 7.667)
#[pyfunction]
#[pyo3(signature = (canary: "_Counts", baseline: "_Counts", alternative: "_Alternative" = "two-sided"))]
pub(crate) fn fisher_exact(
    canary: &Bound<'_, PyAny>,
    baseline: &Bound<'_, PyAny>,
    alternative: &str,
) -> Result<FisherExact> {
    let (canary, baseline) = (counts(canary)?, counts(baseline)?);
    Ok(FisherExact(core::fisher_exact(canary, baseline, alternative_of(alternative)?)?))
}

/// The exact conditional test of the ratio of two rates, for one evaluation.
///
/// Parameters
/// ----------
/// canary, baseline : (float, float)
///     Events and exposure, in any unit that is the same for both.
/// ratio : float, default 1.0
///     The canary's rate divided by the baseline's under the null hypothesis.
/// alternative : {"two-sided", "less", "greater"}
///     "greater": the true ratio is greater than `ratio`.
/// confidence : float, default 0.95
///     Confidence of the two-sided interval.
///
/// Returns
/// -------
/// PoissonRatio
///
/// Raises
/// ------
/// StatsError
///     For events that are not whole numbers in range, an arm without exposure, or an invalid ratio
///     or confidence.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> test = hotfix.stats.poisson_ratio((12, 60.0), (27, 540.0), alternative="greater")
/// >>> test.ratio, test.p_value < 0.001
/// (4.0, True)
#[pyfunction]
#[pyo3(signature = (canary: "_Counts", baseline: "_Counts", ratio=1.0, alternative: "_Alternative" = "two-sided", confidence=0.95))]
pub(crate) fn poisson_ratio(
    canary: &Bound<'_, PyAny>,
    baseline: &Bound<'_, PyAny>,
    ratio: f64,
    alternative: &str,
    confidence: f64,
) -> Result<PoissonRatio> {
    let (canary, baseline) = (counts(canary)?, counts(baseline)?);
    let alternative = alternative_of(alternative)?;
    Ok(PoissonRatio(core::poisson_ratio(canary, baseline, ratio, alternative, confidence)?))
}

/// Farrington and Manning's test that the canary is not worse than the baseline by a margin, for
/// one evaluation.
///
/// Parameters
/// ----------
/// canary, baseline : (float, float)
///     Bad events, and trials.
/// margin : float
///     The null hypothesis: the canary's rate is at least `margin` times the baseline's, or at
///     least `margin` above it.
/// scale : {"ratio", "difference"}
///     Whether `margin` is a ratio or a difference.
///
/// Returns
/// -------
/// NonInferiority
///
/// Raises
/// ------
/// StatsError
///     For invalid counts, an arm without trials, or an invalid margin.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> test = hotfix.stats.non_inferiority((30, 10_000), (270, 90_000), margin=2.0)
/// >>> test.z < -3, test.p_value < 0.001
/// (True, True)
#[pyfunction]
#[pyo3(signature = (canary: "_Counts", baseline: "_Counts", margin, scale: "_Scale" = "ratio"))]
pub(crate) fn non_inferiority(
    canary: &Bound<'_, PyAny>,
    baseline: &Bound<'_, PyAny>,
    margin: f64,
    scale: &str,
) -> Result<NonInferiority> {
    let (canary, baseline) = (counts(canary)?, counts(baseline)?);
    Ok(NonInferiority(core::non_inferiority(canary, baseline, margin, scale_of(scale)?)?))
}

/// Two one-sided tests that two rates are within a margin of each other, for one evaluation.
///
/// Parameters
/// ----------
/// canary, baseline : (float, float)
///     Events and trials.
/// margin : float
///     A ratio above 1, or a difference above 0: the rates differ by less than this in either
///     direction.
/// scale : {"ratio", "difference"}
///     Whether `margin` is a ratio or a difference.
///
/// Returns
/// -------
/// Equivalence
///
/// Raises
/// ------
/// StatsError
///     As `non_inferiority`, and for a margin that leaves no range between its two bounds.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> hotfix.stats.equivalence((500, 10_000), (4_490, 90_000), 0.01, scale="difference").p_value < 0.001
/// True
#[pyfunction]
#[pyo3(signature = (canary: "_Counts", baseline: "_Counts", margin, scale: "_Scale" = "ratio"))]
pub(crate) fn equivalence(
    canary: &Bound<'_, PyAny>,
    baseline: &Bound<'_, PyAny>,
    margin: f64,
    scale: &str,
) -> Result<Equivalence> {
    let (canary, baseline) = (counts(canary)?, counts(baseline)?);
    Ok(Equivalence(core::equivalence(canary, baseline, margin, scale_of(scale)?)?))
}

/// Clopper and Pearson's interval for one proportion; valid for one evaluation only.
///
/// Parameters
/// ----------
/// events, trials : float
///     Whole numbers. Without trials the interval is 0 to 1.
/// confidence : float, default 0.95
///     Two-sided; guaranteed for every proportion.
///
/// Returns
/// -------
/// (float, float)
///
/// Raises
/// ------
/// StatsError
///     For counts that are not whole numbers in range, or an invalid confidence.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> low, high = hotfix.stats.clopper_pearson(0, 1000)
/// >>> low, round(high, 6)
/// (0.0, 0.003682)
#[pyfunction]
#[pyo3(signature = (events, trials, confidence=0.95))]
pub(crate) fn clopper_pearson(events: f64, trials: f64, confidence: f64) -> Result<(f64, f64)> {
    Ok(pair(core::clopper_pearson(Counts::new(events, trials), confidence)?))
}

/// Newcombe's interval for the canary's proportion minus the baseline's; valid for one evaluation
/// only.
///
/// Parameters
/// ----------
/// canary, baseline : (float, float)
///     Events and trials.
/// confidence : float, default 0.95
///     Two-sided.
///
/// Returns
/// -------
/// (float, float)
///
/// Raises
/// ------
/// StatsError
///     For invalid counts or an invalid confidence.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> low, high = hotfix.stats.newcombe((56, 70), (48, 80))
/// >>> round(low, 4), round(high, 4)
/// (0.0524, 0.3339)
#[pyfunction]
#[pyo3(signature = (canary: "_Counts", baseline: "_Counts", confidence=0.95))]
pub(crate) fn newcombe(
    canary: &Bound<'_, PyAny>,
    baseline: &Bound<'_, PyAny>,
    confidence: f64,
) -> Result<(f64, f64)> {
    Ok(pair(core::newcombe(counts(canary)?, counts(baseline)?, confidence)?))
}
