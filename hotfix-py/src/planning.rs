//! `hotfix.stats`: planning: what a comparison can detect, before anything is deployed.

use hotfix_core::stats::planning::{self as core, Comparison, gate};
use pyo3::prelude::*;

use crate::document::document;
use crate::error::Result;

document! {
    /// The expected time to detect a regression, by the planning formula.
    TimeToDetect(core::TimeToDetect) in "hotfix.stats" {
        /// Lower bound in minutes: no test with this alpha is faster on average.
        fn bound(this) -> f64 { this.bound }
        /// Expected minutes of this library's test; infinite for a ratio that is tolerated, or so near that
        /// none of the test's bets gains from it.
        fn expected(this) -> f64 { this.expected }
        /// `bound` in ticks.
        fn bound_ticks(this) -> f64 { this.bound_ticks }
        /// `expected` in ticks.
        fn expected_ticks(this) -> f64 { this.expected_ticks }
        /// Failed requests of the canary until the detection.
        fn failed_requests(this) -> f64 { this.failed_requests }
        /// The number of those that would have succeeded on the baseline.
        fn requests_affected(this) -> f64 { this.requests_affected }
    }
}

document! {
    /// The probability that a test has decided by some time.
    Chance(core::Chance) in "hotfix.stats" {
        /// From 0 to 1.
        fn chance(this) -> f64 { this.chance }
        /// Whether more than one event a tick is expected, so that it is too high, or more than 5% of an
        /// arm's requests fail, or it is from the Brownian approximation, which is too low for small
        /// probabilities; otherwise it is exact for independent errors.
        fn approximate(this) -> bool { this.approximate }
    }
}

/// Compute the expected time to detect a regression.
///
/// Parameters
/// ----------
/// requests_per_minute : float
///     Requests per minute of both arms together.
/// share : float
///     The canary's share of the requests.
/// base_rate : float
///     The baseline's events per request.
/// ratio : float
///     The canary's rate divided by the baseline's.
/// tolerated : float, default 1.0
///     The tolerated ratio.
/// alpha : float, default 0.01
///     Probability of a false rollback.
/// tick_seconds : float, default 10.0
///     Length of a tick; only the figures in ticks depend on it.
/// threshold : float, optional
///     Log evidence at which the test decides, if it is not ``log(1/alpha)``.
///
/// Returns
/// -------
/// TimeToDetect
///     With ``.bound`` and ``.expected`` in minutes.
///
/// Raises
/// ------
/// StatsError
///     For invalid figures.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> time = hotfix.stats.time_to_detect(1000, 0.1, 0.003, 5)
/// >>> round(time.bound, 1), round(time.expected, 1)
/// (4.6, 5.8)
#[pyfunction]
#[pyo3(signature = (
    requests_per_minute, share, base_rate, ratio, tolerated=1.0, alpha=0.01, tick_seconds=10.0, *, threshold=None,
))]
#[expect(clippy::too_many_arguments, reason = "each is a keyword")]
pub(crate) fn time_to_detect(
    requests_per_minute: f64,
    share: f64,
    base_rate: f64,
    ratio: f64,
    tolerated: f64,
    alpha: f64,
    tick_seconds: f64,
    threshold: Option<f64>,
) -> Result<TimeToDetect> {
    let comparison = Comparison {
        requests_per_minute,
        share,
        base_rate,
        tolerated,
        alpha,
        tick_seconds,
        threshold,
    };
    Ok(TimeToDetect(comparison.time_to_detect(ratio)?))
}

/// Compute the smallest ratio that is detected within some minutes with a given probability.
///
/// It is found by bisection on the probability that a Brownian motion with drift has crossed the
/// threshold, which is off for few events: at the ratio that it gives for 0.8, `chance_to_decide` is
/// between 0.55 and 0.95.
///
/// Parameters
/// ----------
/// requests_per_minute, share, base_rate, tolerated, alpha, threshold
///     As in `time_to_detect`.
/// minutes : float
///     Duration of the comparison.
/// power : float, default 0.8
///     Probability of detection.
///
/// Returns
/// -------
/// float or None
///     None if no ratio with a canary rate of at most 1 is detected so often.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> round(hotfix.stats.detectable_ratio(1000, 0.1, 0.003, 10), 1)
/// 4.5
#[pyfunction]
#[pyo3(signature = (
    requests_per_minute, share, base_rate, minutes, tolerated=1.0, alpha=0.01, power=0.8, *, threshold=None,
))]
#[expect(clippy::too_many_arguments, reason = "each is a keyword")]
pub(crate) fn detectable_ratio(
    requests_per_minute: f64,
    share: f64,
    base_rate: f64,
    minutes: f64,
    tolerated: f64,
    alpha: f64,
    power: f64,
    threshold: Option<f64>,
) -> Result<Option<f64>> {
    let usual = Comparison::new(requests_per_minute, share, base_rate);
    let comparison = Comparison { tolerated, alpha, threshold, ..usual };
    Ok(comparison.detectable_ratio(minutes, power)?)
}

/// Compute the probability that a regression is detected within some minutes; with ``ratio=1`` the
/// probability of a false rollback.
///
/// Exact for independent rare errors and an evaluation after every event, up to 20,000 expected events.
/// Evaluations at the end of ticks detect less where a tick has many events; the length of a tick does
/// not change the probability. This is the rate-ratio test: where more than 5% of an arm's requests fail,
/// it detects less, and the Bernoulli test detects more.
///
/// Parameters
/// ----------
/// requests_per_minute, share, base_rate, ratio, tolerated, alpha, tick_seconds, threshold
///     As in `time_to_detect`.
/// minutes : float
///     Duration of the comparison; only complete ticks count.
///
/// Returns
/// -------
/// Chance
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> round(hotfix.stats.chance_to_decide(1000, 0.1, 0.003, 2, 50).chance, 2)
/// 0.55
#[pyfunction]
#[pyo3(signature = (
    requests_per_minute, share, base_rate, ratio, minutes, tolerated=1.0, alpha=0.01, tick_seconds=10.0, *,
    threshold=None,
))]
#[expect(clippy::too_many_arguments, reason = "each is a keyword")]
pub(crate) fn chance_to_decide(
    py: Python<'_>,
    requests_per_minute: f64,
    share: f64,
    base_rate: f64,
    ratio: f64,
    minutes: f64,
    tolerated: f64,
    alpha: f64,
    tick_seconds: f64,
    threshold: Option<f64>,
) -> Result<Chance> {
    let comparison = Comparison {
        requests_per_minute,
        share,
        base_rate,
        tolerated,
        alpha,
        tick_seconds,
        threshold,
    };
    Ok(Chance(py.detach(|| comparison.chance_to_decide(ratio, minutes))?))
}

/// Compute the probability that, within some minutes, the test shows that the canary is not worse
/// than a margin.
///
/// Parameters
/// ----------
/// requests_per_minute, share, base_rate
///     As in `time_to_detect`.
/// minutes : float
///     Duration of the comparison.
/// ratio : float, default 1.0
///     The true ratio of the canary's rate to the baseline's.
/// margin : float, default 2.0
///     The ratio below which the canary has to be shown to be; a margin of at most 1 is a claim of
///     efficacy.
/// alpha : float, default 0.05
///     Probability of a wrong claim for a canary at the margin.
///
/// Returns
/// -------
/// Chance
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> round(hotfix.stats.chance_to_promote(1000, 0.1, 0.003, 10).chance, 2)
/// 0.15
#[pyfunction]
#[pyo3(signature = (requests_per_minute, share, base_rate, minutes, ratio=1.0, margin=2.0, alpha=0.05))]
#[expect(clippy::too_many_arguments, reason = "each is a keyword")]
pub(crate) fn chance_to_promote(
    py: Python<'_>,
    requests_per_minute: f64,
    share: f64,
    base_rate: f64,
    minutes: f64,
    ratio: f64,
    margin: f64,
    alpha: f64,
) -> Result<Chance> {
    let comparison = Comparison::new(requests_per_minute, share, base_rate);
    Ok(Chance(py.detach(|| comparison.chance_to_promote(ratio, minutes, margin, alpha))?))
}

/// Compute the minutes after which half of all rollouts have shown that the canary is not worse
/// than a margin.
///
/// Parameters
/// ----------
/// requests_per_minute, share, base_rate, ratio, margin, alpha
///     As in `chance_to_promote`.
///
/// Returns
/// -------
/// float or None
///     None if it takes more than 20,000 events or is not shown so often.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> round(hotfix.stats.time_to_promote(1000, 0.1, 0.003))
/// 34
#[pyfunction]
#[pyo3(signature = (requests_per_minute, share, base_rate, ratio=1.0, margin=2.0, alpha=0.05))]
pub(crate) fn time_to_promote(
    py: Python<'_>,
    requests_per_minute: f64,
    share: f64,
    base_rate: f64,
    ratio: f64,
    margin: f64,
    alpha: f64,
) -> Result<Option<f64>> {
    let comparison = Comparison::new(requests_per_minute, share, base_rate);
    Ok(py.detach(|| comparison.time_to_promote(ratio, margin, alpha))?)
}

/// Compute the probability that the share of failures is at or below a bound on some requests;
/// exact for independent errors.
///
/// Parameters
/// ----------
/// requests : float
///     Number of requests.
/// rate : float
///     Probability that a request fails.
/// at_most : float
///     The bound on the share of failures.
///
/// Returns
/// -------
/// float
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> round(hotfix.stats.gate_pass_chance(1000, 0.003, 0.003), 3)
/// 0.647
#[pyfunction]
pub(crate) fn gate_pass_chance(requests: f64, rate: f64, at_most: f64) -> Result<f64> {
    Ok(gate::pass_chance(requests, rate, at_most)?)
}

/// Compute the ratio that one test at the end detects with a given probability, by the square-root
/// approximation.
///
/// It is for rare errors, up to a few per cent, and overstates the ratio at common rates.
///
/// Parameters
/// ----------
/// base_rate : float
///     The baseline's events per request.
/// canary_trials, baseline_trials : float
///     Number of requests of each arm at the end.
/// alpha : float, default 0.01
///     One-sided.
/// power : float, default 0.8
///     Probability of detection.
///
/// Returns
/// -------
/// float
///
/// Raises
/// ------
/// StatsError
///     For invalid figures, and if no ratio that leaves the canary's rate at 1 or below is detected.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> round(hotfix.stats.fixed_horizon_ratio(0.003, 5000, 45000), 2)
/// 2.05
#[pyfunction]
#[pyo3(signature = (base_rate, canary_trials, baseline_trials, alpha=0.01, power=0.8))]
pub(crate) fn fixed_horizon_ratio(
    base_rate: f64,
    canary_trials: f64,
    baseline_trials: f64,
    alpha: f64,
    power: f64,
) -> Result<f64> {
    Ok(gate::fixed_horizon_ratio(base_rate, canary_trials, baseline_trials, alpha, power)?)
}

/// Compute the number of requests of both arms that one test at the end needs to detect a ratio
/// with a given probability.
///
/// It overstates the number at common rates: 1.5 times a rate of 30%, with half of the traffic for
/// each arm, needs 662 by it and 414 by the arcsine formula.
///
/// Parameters
/// ----------
/// base_rate, alpha, power
///     As in `fixed_horizon_ratio`.
/// share : float
///     The canary's share of the requests.
/// ratio : float
///     Above 1; the canary's rate must not exceed 1.
///
/// Returns
/// -------
/// float
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> round(hotfix.stats.fixed_horizon_trials(0.003, 0.1, 2.0))
/// 54161
#[pyfunction]
#[pyo3(signature = (base_rate, share, ratio, alpha=0.01, power=0.8))]
pub(crate) fn fixed_horizon_trials(
    base_rate: f64,
    share: f64,
    ratio: f64,
    alpha: f64,
    power: f64,
) -> Result<f64> {
    Ok(gate::fixed_horizon_trials(base_rate, share, ratio, alpha, power)?)
}
