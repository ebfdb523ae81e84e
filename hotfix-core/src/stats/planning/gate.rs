//! Bounds on a share in a single analysis: exact chances to pass, and sample sizes.

use super::chances::Draw;
use super::most_ratio;
use crate::stats::grid::check_share;
use crate::stats::interval::check_level;
use crate::stats::numeric::{larger, normal_quantile};
use crate::stats::{MAX_COUNT, Range, StatError};

/// Chance that at most a share of `at_most` of `requests` fail where each fails with chance `rate`:
/// that a fix passes the gate 'error rate at or below `at_most`'.
///
/// Exact for independent errors. `requests` is rounded down to a whole number; 1 without requests.
///
/// # Errors
/// [`StatError`] ([`OutOfRange`](crate::stats::StatError::OutOfRange)) if
/// the requests, a rate or a bound is not valid.
///
/// ```
/// use hotfix_core::stats::planning::gate::pass_chance;
/// # fn main() -> Result<(), hotfix_core::stats::StatError> {
/// // At or below 0.3% of 1,000: a healthy fix at 0.3% fails that gate more than one time in three.
/// assert!((pass_chance(1000.0, 0.003, 0.003)? - 0.647).abs() < 5e-4);
/// # Ok(())
/// # }
/// ```
pub fn pass_chance(requests: f64, rate: f64, at_most: f64) -> Result<f64, StatError> {
    for (what, share) in [("rate", rate), ("bound", at_most)] {
        StatError::unless((0.0..=1.0).contains(&share), what, share, "a share from 0 to 1")?;
    }
    check_number("requests", requests)?;
    let trials = requests.floor();
    // A bound such as 0.3% of 1,000 means three, whatever the last bit of the product says.
    Ok(Draw::Trials { trials, rate }.tail((at_most * trials * (1.0 + 1e-12)).floor()))
}

/// The ratio that one test at the end finds with chance `power`, by the square-root approximation
/// `√r = 1 + (z_a + z_b)/(2 √(p n_1 n_2/(n_1 + n_2)))` (fixed horizon, two-sample proportions).
///
/// It is for rare errors, up to a few per cent, and overstates the ratio at common rates.
///
/// # Errors
/// [`StatError`] for alpha or a power that is not between 0 and 1, a base rate or trials that are
/// not above 0, or trials that find no ratio which leaves the canary's rate at 1 or below.
pub fn fixed_horizon_ratio(
    base_rate: f64,
    canary_trials: f64,
    baseline_trials: f64,
    alpha: f64,
    power: f64,
) -> Result<f64, StatError> {
    let z = distance(alpha, power)?;
    positive("base rate", base_rate, 1.0)?;
    positive("canary trials", canary_trials, MAX_COUNT)?;
    positive("baseline trials", baseline_trials, MAX_COUNT)?;
    let pairs = canary_trials / (canary_trials + baseline_trials) * baseline_trials;
    let root = 1.0 + z / (2.0 * (base_rate * pairs).sqrt());
    let ratio = root * root;
    let what = "the ratio that so many trials find";
    let expected = "more trials: no canary fails more often than always";
    StatError::unless(ratio * base_rate <= 1.0 + 1e-12, what, ratio, expected)?;
    Ok(ratio)
}

/// Trials of both arms together that one test at the end needs to find `ratio` with chance `power`, by
/// the approximation of [`fixed_horizon_ratio`].
///
/// It overstates the trials at common rates: 1.5 times a rate of 30%, with half of the traffic for each
/// arm, needs 662 by it and 414 by the arcsine formula.
///
/// # Errors
/// As for [`fixed_horizon_ratio`], and for a share that is out of range or a ratio that is not
/// above 1 or puts the canary's rate over 1.
///
/// ```
/// use hotfix_core::stats::planning::gate::{fixed_horizon_ratio, fixed_horizon_trials};
/// # fn main() -> Result<(), hotfix_core::stats::StatError> {
/// let trials = fixed_horizon_trials(0.003, 0.1, 2.0, 0.01, 0.8)?;
/// let ratio = fixed_horizon_ratio(0.003, 0.1 * trials, 0.9 * trials, 0.01, 0.8)?;
/// assert!((ratio - 2.0).abs() < 1e-9);
/// # Ok(())
/// # }
/// ```
pub fn fixed_horizon_trials(
    base_rate: f64,
    share: f64,
    ratio: f64,
    alpha: f64,
    power: f64,
) -> Result<f64, StatError> {
    let z = distance(alpha, power)?;
    positive("base rate", base_rate, 1.0)?;
    check_share(share)?;
    let fits = ratio > 1.0 && ratio <= most_ratio(base_rate);
    let expected = "a ratio above 1 that leaves the canary's rate at 1 or below";
    StatError::unless(fits, "ratio", ratio, expected)?;
    let root = z / (2.0 * (ratio.sqrt() - 1.0));
    Ok(root * root / (base_rate * share * (1.0 - share)))
}

/// `z_a + z_b`.
fn distance(alpha: f64, power: f64) -> Result<f64, StatError> {
    Range::ALPHA.check(alpha > 0.0 && alpha < 1.0, alpha)?;
    check_level(Range::POWER, power)?;
    // Below zero no data would be needed: the test finds by chance alone what is asked.
    Ok(larger(0.0, normal_quantile(power) - normal_quantile(alpha)))
}

fn positive(what: &'static str, value: f64, most: f64) -> Result<(), StatError> {
    let fits = value.is_normal() && value > 0.0 && value <= most;
    StatError::unless(fits, what, value, "a number above 0 within its range")
}

fn check_number(what: &'static str, value: f64) -> Result<(), StatError> {
    StatError::unless((0.0..=MAX_COUNT).contains(&value), what, value, "a number from 0 to 2^53")
}
