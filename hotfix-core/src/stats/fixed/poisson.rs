//! The exact test of a ratio of two rates.

use serde::{Deserialize, Serialize};

use super::{Alternative, Assumption, Assumptions, StatError};
use super::{check_trials, null_is_infinite, p_value};
use crate::stats::distribution::Binomial;
use crate::stats::interval::{Interval, check_level};
use crate::stats::numeric::smaller;
use crate::stats::{Counts, MAX_COUNT, MAX_RATIO, Range};

/// Result of [`poisson_ratio`].
#[serde_with::skip_serializing_none]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoissonRatio {
    /// Chance of such a division of the events, or one further out, if the null ratio held; 0 to 1.
    pub p_value: f64,
    /// Effect size: the canary's rate over the baseline's. Infinite without events in the baseline,
    /// absent without any.
    #[serde(default, deserialize_with = "null_is_infinite")]
    pub ratio: Option<f64>,
    /// Covers the ratio of the rates at least with the confidence asked for; two-sided.
    pub interval: Interval,
    /// Properties of the data; the test is exact with any of them.
    pub assumptions: Assumptions,
}

/// The exact conditional test that two rates have a given ratio, with the interval for it.
///
/// Events are counted over an exposure in any unit, the same in both arms. Given their sum, those
/// of the canary are binomial with chance `r0 t_c/(r0 t_c + t_b)`. `Greater`: the canary's rate is
/// more than `null_ratio` times the baseline's. Two-sided is the sum over the divisions that are no
/// likelier than the observed one, with a relative slack of 1e-7; the interval is Clopper and
/// Pearson's, so at its edge the two may differ. Without events `p = 1` and the interval is
/// everything.
///
/// # Errors
/// [`StatError`] for invalid counts, an arm without exposure, events that
/// are not whole, a distribution with a variance above 10¹², a null ratio that is not positive and
/// within the range, or a confidence that is not above 0 and below 1.
///
/// Source: Przyborowski and Wilenski (1940), Biometrika 31(3/4).
///
/// ```
/// use hotfix_core::stats::Counts;
/// use hotfix_core::stats::fixed::{Alternative, poisson_ratio};
/// let (canary, baseline) = (Counts::new(12.0, 60.0), Counts::new(27.0, 540.0));
/// let test = poisson_ratio(canary, baseline, 1.0, Alternative::Greater, 0.95)?;
/// assert_eq!(test.ratio, Some(4.0));
/// assert!(test.p_value < 0.001 && test.interval.low > 1.8 && test.interval.high < 8.3);
/// # Ok::<(), hotfix_core::stats::StatError>(())
/// ```
pub fn poisson_ratio(
    canary: Counts,
    baseline: Counts,
    null_ratio: f64,
    alternative: Alternative,
    confidence: f64,
) -> Result<PoissonRatio, StatError> {
    let level = check_level(Range::CONFIDENCE, confidence)?;
    for (what, arm) in [("canary", canary), ("baseline", baseline)] {
        arm.check()?;
        check_trials(what, arm)?;
        if arm.events.fract() != 0.0 {
            return Err(StatError::NotWhole { what, value: arm.events });
        }
    }
    if !(null_ratio > 0.0 && null_ratio <= MAX_RATIO) {
        return Err(StatError::BadNullRatio { ratio: null_ratio });
    }
    let (x, rest) = (canary.events, baseline.events);
    let events = x + rest;
    if events > MAX_COUNT {
        return Err(StatError::TooLarge { what: "events", value: events });
    }
    // Odds of the canary at a ratio of 1. Exposures of 1e-300 may take them out of range.
    let odds = canary.trials / baseline.trials;
    if !(odds.is_normal() && (odds * null_ratio).is_normal() && (1.0 / odds).is_normal()) {
        return Err(StatError::BadNullRatio { ratio: odds * null_ratio });
    }
    let law = Binomial::of_odds(events, null_ratio * odds);
    law.check()?;
    let at_one = Binomial::of_odds(events, if rest > 0.0 { x / rest } else { 1.0 });
    at_one.check()?;
    let low = Binomial::lower_odds(events, x, 0.5 * level) / odds;
    let mirrored = Binomial::lower_odds(events, rest, 0.5 * level);
    let high = if mirrored > 0.0 { 1.0 / mirrored / odds } else { f64::INFINITY };
    // What is expected of either arm under the null.
    let expected = events / (1.0 + null_ratio * odds);
    let assumptions = Assumptions::NONE
        .with(Assumption::SmallExpected, smaller(expected, events - expected) < 5.0)
        .with(Assumption::Sparse, x == 0.0 || rest == 0.0);
    Ok(PoissonRatio {
        p_value: p_value(&law, x, alternative),
        ratio: (events > 0.0).then(|| x / rest / odds),
        interval: Interval { low, high },
        assumptions,
    })
}
