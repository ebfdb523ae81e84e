//! Not worse than a margin, and equivalent within one.

use serde::{Deserialize, Serialize};

use super::fisher::difference;
use super::{Assumptions, StatError, check_trials, of_arms};
use crate::grade::closed_set;
use crate::stats::numeric::{larger, normal_cdf, smaller};
use crate::stats::{Counts, MAX_RATIO, Range};

closed_set! {
    /// On which scale two proportions are compared.
    #[derive(Default)]
    Scale {
        /// The canary's over the baseline's.
        #[default]
        Ratio = "ratio",
        /// The canary's less the baseline's.
        Difference = "difference",
    }
}

/// Result of [`non_inferiority`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NonInferiority {
    /// How many standard errors the canary is above the margin; negative is in its favour.
    pub z: f64,
    /// Chance of such a `z`, or a smaller one, were the canary worse by the margin; 0 to 1.
    pub p_value: f64,
    /// Effect size: the canary's rate less the baseline's.
    pub difference: f64,
    /// The canary's and the baseline's rate that are likeliest if the canary is worse by the
    /// margin.
    pub restricted: (f64, f64),
    /// Properties of the data; with `small_expected` or `sparse` the normal approximation is poor.
    pub assumptions: Assumptions,
}

/// Result of [`equivalence`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Equivalence {
    /// The larger of both tests' p-values.
    pub p_value: f64,
    /// That the canary is not worse by the margin.
    pub not_worse: NonInferiority,
    /// That it is not better by the margin: the same test with the arms exchanged.
    pub not_better: NonInferiority,
}

/// Farrington and Manning's score test that the canary is not worse than the baseline by a margin.
///
/// Events are bad. The null is `p_c ≥ margin p_b` on [`Scale::Ratio`] (margin 1 claims that the
/// canary is better, below 1 that it cuts the rate to that share), `p_c - p_b ≥ margin` on
/// [`Scale::Difference`]. The standard error is taken at the rates that are likeliest under the
/// null, in closed form for the ratio and to the last bit by bisection for the difference, whose
/// closed form (a cosine) loses the digits of rare events. Where the data say nothing (no events at
/// all on the ratio scale): `z = 0`, `p = 1`.
///
/// # Errors
/// [`StatError`] for invalid counts, an arm without trials, a ratio that
/// is not positive and within the range, or a difference that is not from 0 to below 1.
///
/// Source: Farrington and Manning (1990), Statistics in Medicine 9(12).
///
/// ```
/// use hotfix_core::stats::Counts;
/// use hotfix_core::stats::fixed::{Scale, non_inferiority};
/// let (canary, baseline) = (Counts::new(30.0, 10_000.0), Counts::new(270.0, 90_000.0));
/// let test = non_inferiority(canary, baseline, 2.0, Scale::Ratio)?;
/// assert!(test.z < -3.0 && test.p_value < 0.001);
/// # Ok::<(), hotfix_core::stats::StatError>(())
/// ```
pub fn non_inferiority(
    canary: Counts,
    baseline: Counts,
    margin: f64,
    scale: Scale,
) -> Result<NonInferiority, StatError> {
    for (what, arm) in [("canary", canary), ("baseline", baseline)] {
        arm.check_proportion()?;
        check_trials(what, arm)?;
    }
    match scale {
        Scale::Ratio => {
            Range::MARGIN.check((1.0 / MAX_RATIO..=MAX_RATIO).contains(&margin), margin)?;
            Ok(against_ratio(canary, baseline, margin))
        }
        Scale::Difference => {
            Range::DIFFERENCE.check((0.0..1.0).contains(&margin), margin)?;
            Ok(against_difference(canary, baseline, margin))
        }
    }
}

/// Two one-sided tests that the two arms' rates are within a margin of each other.
///
/// On [`Scale::Ratio`] the null is 'apart by a factor of the margin or more, either way', on
/// [`Scale::Difference`] 'by the margin or more'. Each side is a [`non_inferiority`] test at full
/// level.
///
/// # Errors
/// As for [`non_inferiority`]; also for a ratio that is not above 1 or a difference of 0, which
/// leave no range of equivalence.
///
/// Source: Schuirmann (1987), Journal of Pharmacokinetics and Biopharmaceutics 15(6).
///
/// ```
/// use hotfix_core::stats::Counts;
/// use hotfix_core::stats::fixed::{Scale, equivalence};
/// let (canary, baseline) = (Counts::new(500.0, 10_000.0), Counts::new(4_490.0, 90_000.0));
/// assert!(equivalence(canary, baseline, 0.01, Scale::Difference)?.p_value < 0.001);
/// # Ok::<(), hotfix_core::stats::StatError>(())
/// ```
pub fn equivalence(
    canary: Counts,
    baseline: Counts,
    margin: f64,
    scale: Scale,
) -> Result<Equivalence, StatError> {
    let between = match scale {
        Scale::Ratio => margin > 1.0,
        Scale::Difference => margin > 0.0,
    };
    let not_worse = non_inferiority(canary, baseline, margin, scale)?;
    Range::EQUIVALENCE.check(between, margin)?;
    let not_better = non_inferiority(baseline, canary, margin, scale)?;
    Ok(Equivalence {
        p_value: larger(not_worse.p_value, not_better.p_value),
        not_worse,
        not_better,
    })
}

/// A probability and its complement, each with its own digits.
#[derive(Clone, Copy, Debug)]
struct Chance {
    p: f64,
    q: f64,
}

impl Chance {
    fn variance(self, trials: f64) -> f64 {
        self.p * self.q / trials
    }
}

fn report(
    [canary, baseline]: [Counts; 2],
    above: f64,
    variance: f64,
    [restricted_c, restricted_b]: [Chance; 2],
) -> NonInferiority {
    // No variance: everything or nothing are events, and the null fits perfectly.
    let (z, p_value) = if variance > 0.0 {
        let z = above / variance.sqrt();
        (z, normal_cdf(z))
    } else {
        (0.0, 1.0)
    };
    NonInferiority {
        z,
        p_value,
        difference: difference(canary, baseline),
        restricted: (restricted_c.p, restricted_b.p),
        assumptions: of_arms(canary, baseline),
    }
}

/// With `p_c = r p_b` the likelihood's slope is a quadratic in `p_b`:
/// `N r p² - (r n_c + x_c + n_b + r x_b) p + (x_c + x_b) = 0`.
///
/// Its discriminant, and the complements of both rates, are written as sums of positive terms.
fn against_ratio(canary: Counts, baseline: Counts, r: f64) -> NonInferiority {
    let Counts { events: x_c, trials: n_c } = canary;
    let Counts { events: x_b, trials: n_b } = baseline;
    let (y_c, y_b, n) = (n_c - x_c, n_b - x_b, n_c + n_b);
    let b = (r * n_c + x_c) + (n_b + r * x_b);
    let half = r * (n_c + x_b) - (n_b + x_c);
    let root = (half * half + 4.0 * r * (y_c * y_b)).sqrt();
    let p_b = 2.0 * (x_c + x_b) / (b + root);
    // Complements, each in the form that adds and does not subtract.
    let over_b = b - 2.0 * n * r;
    let q_b = if over_b > 0.0 {
        2.0 * (1.0 - r) * y_b / (root + over_b)
    } else {
        (root - over_b) / (2.0 * n * r)
    };
    let over_c = b - 2.0 * n;
    let q_c = if over_c > 0.0 {
        2.0 * (r - 1.0) * y_c / (root + over_c)
    } else {
        (root - over_c) / (2.0 * n)
    };
    let of_b = Chance { p: smaller(p_b, 1.0), q: q_b.clamp(0.0, 1.0) };
    let of_c = Chance { p: smaller(r * p_b, 1.0), q: q_c.clamp(0.0, 1.0) };
    let variance = of_c.variance(n_c) + r * r * of_b.variance(n_b);
    let above = (x_c * n_b - r * (x_b * n_c)) / n_c / n_b;
    report([canary, baseline], above, variance, [of_c, of_b])
}

/// With `p_c = p_b + d` the slope falls as `p_b` grows: bisection finds its zero.
fn against_difference(canary: Counts, baseline: Counts, d: f64) -> NonInferiority {
    let quiet = |arm: Counts| Counts::new(arm.trials - arm.events, arm.trials);
    let room = 1.0 - d;
    let slope = |low: Counts, high: Counts, t: f64| {
        let part = |events: f64, p: f64| if events > 0.0 { events / p } else { 0.0 };
        part(low.events, t) + part(high.events, t + d)
            - part(low.trials - low.events, 1.0 - t)
            - part(high.trials - high.events, room - t)
    };
    // From whichever end is nearer, so that rates near 0 and near 1 keep their digits.
    let (of_c, of_b) = if slope(baseline, canary, 0.5 * room) <= 0.0 {
        let t = zero_below(0.5 * room, |t| slope(baseline, canary, t));
        (Chance { p: t + d, q: room - t }, Chance { p: t, q: 1.0 - t })
    } else {
        let t = zero_below(0.5 * room, |t| slope(quiet(canary), quiet(baseline), t));
        (Chance { p: 1.0 - t, q: t }, Chance { p: room - t, q: t + d })
    };
    let variance = of_c.variance(canary.trials) + of_b.variance(baseline.trials);
    let above = difference(canary, baseline) - d;
    report([canary, baseline], above, variance, [of_c, of_b])
}

/// Where a falling function crosses zero between 0 and `end`, by halving what numbers there are
/// between; 0 where it is negative from the start.
fn zero_below(end: f64, function: impl Fn(f64) -> f64) -> f64 {
    // Positive numbers have the order of their bits.
    let (mut low, mut high) = (0_u64, end.to_bits());
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if function(f64::from_bits(middle)) > 0.0 { low = middle } else { high = middle }
    }
    f64::from_bits(low)
}
