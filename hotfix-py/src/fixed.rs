//! `hotfix.stats`: tests and intervals for one look.

use hotfix_core::stats::fixed::{
    self as core, Alternative, Assumption, Assumptions, Method, Scale,
};
use hotfix_core::stats::{Counts, interval::Interval};
use pyo3::prelude::*;

use crate::document::document;
use crate::error::Result;
use crate::observation::numbers;
use crate::stats::{counts, one_of};

/// Values in both samples from which a test leaves the interpreter to others meanwhile.
const MANY: usize = 10_000;

fn alternative_of(name: &str) -> Result<Alternative> {
    match name {
        "two-sided" => Ok(Alternative::TwoSided),
        "less" => Ok(Alternative::Less),
        "greater" => Ok(Alternative::Greater),
        other => Err(one_of("alternative", other, "two-sided, less, greater")),
    }
}

fn method_of(name: &str) -> Result<Method> {
    match name {
        "auto" => Ok(Method::Auto),
        "asymptotic" => Ok(Method::Asymptotic),
        "exact" => Ok(Method::Exact),
        other => Err(one_of("method", other, "auto, asymptotic, exact")),
    }
}

fn scale_of(name: &str) -> Result<Scale> {
    match name {
        "ratio" => Ok(Scale::Ratio),
        "difference" => Ok(Scale::Difference),
        other => Err(one_of("scale", other, "ratio, difference")),
    }
}

fn names(found: Assumptions) -> Vec<&'static str> {
    found.iter().map(Assumption::as_str).collect()
}

const fn pair(Interval { low, high }: Interval) -> (f64, f64) {
    (low, high)
}

/// Runs what may take long without holding the interpreter.
fn apart<T: Send>(py: Python<'_>, long: bool, run: impl FnOnce() -> T + Send) -> T {
    if long { py.detach(run) } else { run() }
}

document! {
    /// What `mann_whitney_u` says.
    MannWhitney(core::MannWhitney) in "hotfix.stats" {
        /// Pairs in which `x` is the larger value, equal ones counted half.
        fn u(it) -> f64 { it.u }
        /// Chance of such a `u`, or one further out, if neither arm tended to be larger.
        fn p_value(it) -> f64 { it.p_value }
        /// Effect size: chance that a value of `x` is larger than one of `y`, equal ones counted half.
        fn common_language(it) -> f64 { it.common_language }
        /// Effect size from -1 (all of `x` is smaller) to 1.
        fn rank_biserial(it) -> f64 { it.rank_biserial }
        /// Whether the p-value is exact rather than from the normal approximation.
        fn exact(it) -> bool { it.exact }
        /// What was found: of "ties", "all_equal", "few_samples", "binned".
        fn assumptions(it) -> Vec<&'static str> { names(it.assumptions) }
    }
}

document! {
    /// What `hodges_lehmann` says.
    Shift(core::Shift) in "hotfix.stats" {
        /// Median of all differences ``x - y``.
        fn shift(it) -> f64 { it.shift }
        /// ``(low, high)``; infinite where the samples are too small for the confidence.
        fn interval(it) -> (f64, f64) { pair(it.interval) }
        /// Whether the interval is from the exact law rather than from the normal approximation.
        fn exact(it) -> bool { it.exact }
        /// What was found: of "ties", "all_equal", "few_samples".
        fn assumptions(it) -> Vec<&'static str> { names(it.assumptions) }
    }
}

document! {
    /// What `ks_2samp` says.
    KolmogorovSmirnov(core::KolmogorovSmirnov) in "hotfix.stats" {
        /// Effect size: the largest difference of the distribution functions in the direction asked.
        fn statistic(it) -> f64 { it.statistic }
        /// Chance of such a difference, or a larger one, under one continuous distribution.
        fn p_value(it) -> f64 { it.p_value }
        /// Whether the p-value is exact rather than an approximation for large samples.
        fn exact(it) -> bool { it.exact }
        /// What was found: of "ties", "all_equal", "binned".
        fn assumptions(it) -> Vec<&'static str> { names(it.assumptions) }
    }
}

document! {
    /// What `fisher_exact` says.
    FisherExact(core::Fisher) in "hotfix.stats" {
        /// Chance of such a table, or one further out, given its margins, if both rates were one.
        fn p_value(it) -> f64 { it.p_value }
        /// Effect size: the canary's odds over the baseline's; may be infinite, None where undefined.
        fn odds_ratio(it) -> Option<f64> { it.odds_ratio }
        /// Effect size: the canary's rate less the baseline's.
        fn difference(it) -> f64 { it.difference }
        /// What was found: of "small_expected", "sparse". The test is exact all the same.
        fn assumptions(it) -> Vec<&'static str> { names(it.assumptions) }
    }
}

document! {
    /// What `poisson_ratio` says.
    PoissonRatio(core::PoissonRatio) in "hotfix.stats" {
        /// Chance of such a division of the events, or one further out, if the null ratio held.
        fn p_value(it) -> f64 { it.p_value }
        /// Effect size: the canary's rate over the baseline's; may be infinite, None without events.
        fn ratio(it) -> Option<f64> { it.ratio }
        /// ``(low, high)`` for the ratio.
        fn interval(it) -> (f64, f64) { pair(it.interval) }
        /// What was found: of "small_expected", "sparse". The test is exact all the same.
        fn assumptions(it) -> Vec<&'static str> { names(it.assumptions) }
    }
}

document! {
    /// What `non_inferiority` says.
    NonInferiority(core::NonInferiority) in "hotfix.stats" {
        /// How many standard errors the canary is above the margin; negative speaks for it.
        fn z(it) -> f64 { it.z }
        /// Chance of such a `z`, or a smaller one, were the canary worse by the margin.
        fn p_value(it) -> f64 { it.p_value }
        /// Effect size: the canary's rate less the baseline's.
        fn difference(it) -> f64 { it.difference }
        /// The canary's and the baseline's rate that are likeliest if the canary is worse by the margin.
        fn restricted(it) -> (f64, f64) { it.restricted }
        /// What was found: of "small_expected", "sparse".
        fn assumptions(it) -> Vec<&'static str> { names(it.assumptions) }
    }
}

document! {
    /// What `equivalence` says.
    Equivalence(core::Equivalence) in "hotfix.stats" {
        /// The larger of both tests' p-values.
        fn p_value(it) -> f64 { it.p_value }
        /// That the canary is not worse by the margin.
        fn not_worse(it) -> NonInferiority { NonInferiority(it.not_worse) }
        /// That it is not better by the margin.
        fn not_better(it) -> NonInferiority { NonInferiority(it.not_better) }
    }
}

/// The Mann-Whitney U test of two samples, for one look.
///
/// Parameters
/// ----------
/// x, y : sequence of float
///     Finite values, in any order: a list, a tuple, an array of doubles.
/// alternative : {"two-sided", "less", "greater"}
///     "greater": values of `x` tend to be larger.
/// method : {"auto", "asymptotic", "exact"}
///     "auto" is exact where either has at most 8 values and none are tied.
/// continuity : bool
///     Of the normal approximation, which is corrected for ties in any case.
///
/// Returns
/// -------
/// MannWhitney
///
/// Raises
/// ------
/// StatsError
///     ``HF-STAT-040`` for an empty sample, ``-048`` for a value that is not finite, ``-044`` and ``-045`` where
///     "exact" is too large or there are ties.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> test = hotfix.stats.mann_whitney_u([9.0, 8.0, 7.5], [1.0, 2.0, 3.0, 7.0], alternative="greater")
/// >>> test.u, round(test.p_value, 6), test.common_language
/// (12.0, 0.028571, 1.0)
#[pyfunction]
#[pyo3(signature = (x, y, alternative="two-sided", method="auto", continuity=true))]
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
    // An exact law of forty against forty takes as long as sorting ten thousand.
    let long = x.len() + y.len() >= MANY || method == Method::Exact;
    let test = || core::mann_whitney_u(&x, &y, alternative, method, continuity);
    Ok(MannWhitney(apart(py, long, test)?))
}

/// The Mann-Whitney U test of two histograms with the same buckets, for one look.
///
/// Parameters
/// ----------
/// x, y : sequence of float
///     Whole counts of each bucket, in order, not cumulated.
/// alternative : {"two-sided", "less", "greater"}
///     "greater": values of `x` tend to be larger.
/// continuity : bool
///     Of the normal approximation.
///
/// Returns
/// -------
/// MannWhitney
///
/// Raises
/// ------
/// StatsError
///     ``HF-STAT-046`` where they differ in length, ``-040`` for an empty one, ``-042`` for counts that are not whole,
///     ``-002``, ``-003``, ``-005`` for counts out of range.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> hotfix.stats.mann_whitney_from_counts([5, 40, 55], [50, 35, 15]).common_language
/// 0.79125
#[pyfunction]
#[pyo3(signature = (x, y, alternative="two-sided", continuity=true))]
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

/// The Hodges-Lehmann estimate of the shift of `x` against `y`.
///
/// Parameters
/// ----------
/// x, y : sequence of float
///     Finite values, in any order.
/// confidence : float, default 0.95
///     Of the interval, two-sided.
///
/// Returns
/// -------
/// Shift
///
/// Raises
/// ------
/// StatsError
///     ``HF-STAT-040`` for an empty sample, ``-048`` for a value that is not finite, ``-021`` for the confidence.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> slower = hotfix.stats.hodges_lehmann([14, 15, 16, 18], [10, 11, 12, 13], confidence=0.9)
/// >>> slower.shift, slower.interval
/// (4.0, (2.0, 7.0))
#[pyfunction]
#[pyo3(signature = (x, y, confidence=0.95))]
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

/// The Kolmogorov-Smirnov test of two samples, for one look.
///
/// Parameters
/// ----------
/// x, y : sequence of float
///     Finite values, in any order.
/// alternative : {"two-sided", "less", "greater"}
///     As in SciPy, of the distribution functions: "greater" finds an `x` whose values tend to be smaller.
/// method : {"auto", "asymptotic", "exact"}
///     "auto" is exact up to 10,000 against 10,000 values, and for as many pairs.
///     "asymptotic" gives SciPy's numbers; two-sided that is one sample of the effective size against its law. They
///     are 0 where the samples do not overlap.
///
/// Returns
/// -------
/// KolmogorovSmirnov
///
/// Raises
/// ------
/// StatsError
///     ``HF-STAT-040`` for an empty sample, ``-048`` for a value that is not finite, ``-044`` where "exact" is too
///     large.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> test = hotfix.stats.ks_2samp([1, 2, 3], [4, 5, 6])
/// >>> test.statistic, round(test.p_value, 6)
/// (1.0, 0.1)
#[pyfunction]
#[pyo3(signature = (x, y, alternative="two-sided", method="auto"))]
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

/// The Kolmogorov-Smirnov test of two histograms with the same buckets, for one look.
///
/// Parameters
/// ----------
/// x, y : sequence of float
///     Whole counts of each bucket, in order, not cumulated.
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
#[pyo3(signature = (x, y, alternative="two-sided", method="auto"))]
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

/// Fisher's exact test of two proportions, for one look.
///
/// Parameters
/// ----------
/// canary, baseline : (float, float)
///     Events and trials, whole numbers.
/// alternative : {"two-sided", "less", "greater"}
///     "greater": the canary's rate is higher. Two-sided sums the tables that are no likelier than the observed one.
///
/// Returns
/// -------
/// FisherExact
///
/// Raises
/// ------
/// StatsError
///     ``HF-STAT-002`` to ``-005`` for the counts, ``-041`` for an arm without trials, ``-042`` for counts that are
///     not whole, ``-044`` from about 10^13 trials on.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> test = hotfix.stats.fisher_exact((8, 20), (2, 25), alternative="greater")
/// >>> round(test.p_value, 6), round(test.odds_ratio, 3)
/// (0.01322, 7.667)
#[pyfunction]
#[pyo3(signature = (canary, baseline, alternative="two-sided"))]
pub(crate) fn fisher_exact(
    canary: &Bound<'_, PyAny>,
    baseline: &Bound<'_, PyAny>,
    alternative: &str,
) -> Result<FisherExact> {
    let (canary, baseline) = (counts(canary)?, counts(baseline)?);
    Ok(FisherExact(core::fisher_exact(canary, baseline, alternative_of(alternative)?)?))
}

/// The exact conditional test of a ratio of two rates, for one look.
///
/// Parameters
/// ----------
/// canary, baseline : (float, float)
///     Events, and the exposure that they come from, in any unit, the same in both.
/// ratio : float, default 1.0
///     The canary's rate over the baseline's under the null.
/// alternative : {"two-sided", "less", "greater"}
///     "greater": the ratio is more than that.
/// confidence : float, default 0.95
///     Of the interval, two-sided.
///
/// Returns
/// -------
/// PoissonRatio
///
/// Raises
/// ------
/// StatsError
///     ``HF-STAT-002``, ``-003``, ``-005`` for the counts, ``-041`` for an arm without exposure, ``-042`` for events
///     that are not whole, ``-047`` for the null ratio, ``-021`` for the confidence.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> test = hotfix.stats.poisson_ratio((12, 60.0), (27, 540.0), alternative="greater")
/// >>> test.ratio, test.p_value < 0.001
/// (4.0, True)
#[pyfunction]
#[pyo3(signature = (canary, baseline, ratio=1.0, alternative="two-sided", confidence=0.95))]
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

/// Farrington and Manning's test that the canary is not worse than the baseline by a margin, for one look.
///
/// Parameters
/// ----------
/// canary, baseline : (float, float)
///     Events, which are bad, and trials.
/// margin : float
///     The null: the canary's rate is at least `margin` times the baseline's, or at least `margin` above it.
/// scale : {"ratio", "difference"}
///     Which of both.
///
/// Returns
/// -------
/// NonInferiority
///
/// Raises
/// ------
/// StatsError
///     ``HF-STAT-002`` to ``-005`` for the counts, ``-041`` for an arm without trials, ``-012`` and ``-043`` for the
///     margin.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> test = hotfix.stats.non_inferiority((30, 10_000), (270, 90_000), margin=2.0)
/// >>> test.z < -3, test.p_value < 0.001
/// (True, True)
#[pyfunction]
#[pyo3(signature = (canary, baseline, margin, scale="ratio"))]
pub(crate) fn non_inferiority(
    canary: &Bound<'_, PyAny>,
    baseline: &Bound<'_, PyAny>,
    margin: f64,
    scale: &str,
) -> Result<NonInferiority> {
    let (canary, baseline) = (counts(canary)?, counts(baseline)?);
    Ok(NonInferiority(core::non_inferiority(canary, baseline, margin, scale_of(scale)?)?))
}

/// Two one-sided tests that two rates are within a margin of each other, for one look.
///
/// Parameters
/// ----------
/// canary, baseline : (float, float)
///     Events and trials.
/// margin : float
///     A ratio above 1, or a difference above 0, that they are not apart, either way.
/// scale : {"ratio", "difference"}
///     Which of both.
///
/// Returns
/// -------
/// Equivalence
///
/// Raises
/// ------
/// StatsError
///     As `non_inferiority`, and ``HF-STAT-049`` for a margin that leaves nothing between.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> hotfix.stats.equivalence((500, 10_000), (4_490, 90_000), 0.01, scale="difference").p_value < 0.001
/// True
#[pyfunction]
#[pyo3(signature = (canary, baseline, margin, scale="ratio"))]
pub(crate) fn equivalence(
    canary: &Bound<'_, PyAny>,
    baseline: &Bound<'_, PyAny>,
    margin: f64,
    scale: &str,
) -> Result<Equivalence> {
    let (canary, baseline) = (counts(canary)?, counts(baseline)?);
    Ok(Equivalence(core::equivalence(canary, baseline, margin, scale_of(scale)?)?))
}

/// Clopper and Pearson's interval for one proportion; not sequential.
///
/// Parameters
/// ----------
/// events, trials : float
///     How many of how many, whole numbers; everything, 0 to 1, without trials.
/// confidence : float, default 0.95
///     Two-sided, kept whatever the proportion.
///
/// Returns
/// -------
/// (float, float)
///
/// Raises
/// ------
/// StatsError
///     ``HF-STAT-002`` to ``-005`` and ``-042`` for the counts, ``-021`` for the confidence.
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

/// Newcombe's interval for the canary's proportion less the baseline's; not sequential.
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
///     ``HF-STAT-002`` to ``-005`` for the counts, ``-021`` for the confidence.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> low, high = hotfix.stats.newcombe((56, 70), (48, 80))
/// >>> round(low, 4), round(high, 4)
/// (0.0524, 0.3339)
#[pyfunction]
#[pyo3(signature = (canary, baseline, confidence=0.95))]
pub(crate) fn newcombe(
    canary: &Bound<'_, PyAny>,
    baseline: &Bound<'_, PyAny>,
    confidence: f64,
) -> Result<(f64, f64)> {
    Ok(pair(core::newcombe(counts(canary)?, counts(baseline)?, confidence)?))
}
