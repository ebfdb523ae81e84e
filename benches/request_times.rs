//! Distribution of the simulated request times: log-normal with a p95 of 250 ms and a standard
//! deviation of the logarithm of 0.8.

use hotfix_core::stats::numeric::{exp, ln, normal_cdf, normal_quantile};

/// Number of boundaries in [`boundaries`].
pub const BOUNDARIES: usize = 6;
/// The p95, in seconds.
const P95: f64 = 0.25;
/// Standard deviation of the logarithm of a request's time.
const SPREAD: f64 = 0.8;

fn median_time() -> f64 {
    P95 * exp(-SPREAD * normal_quantile(0.95))
}

/// Probability that a request takes longer than `seconds`.
pub fn slower(seconds: f64) -> f64 {
    if seconds > 0.0 { normal_cdf(-ln(seconds / median_time()) / SPREAD) } else { 1.0 }
}

/// The p50, p75, p90, p95 and p99, and twice the p99, in seconds; the fourth is 250 ms.
pub fn boundaries() -> [f64; BOUNDARIES] {
    let at = |p: f64| median_time() * exp(SPREAD * normal_quantile(p));
    [at(0.5), at(0.75), at(0.9), at(0.95), at(0.99), 2.0 * at(0.99)]
}
