//! Fisher's exact test: do two arms have the same rate?

use serde::{Deserialize, Serialize};

use super::{Alternative, Assumptions, StatError, check_whole, null_is_infinite, of_arms, p_value};
use crate::stats::distribution::Hypergeometric;
use crate::stats::{Counts, MAX_COUNT};

/// Result of [`fisher_exact`].
#[serde_with::skip_serializing_none]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fisher {
    /// Chance of such a table, or one further out, given its margins and equal rates; 0 to 1.
    pub p_value: f64,
    /// Effect size: the canary's odds over the baseline's, of the sample. Infinite where only the
    /// lower product is zero, absent where both are.
    #[serde(default, deserialize_with = "null_is_infinite")]
    pub odds_ratio: Option<f64>,
    /// Effect size: the canary's rate less the baseline's.
    pub difference: f64,
    /// Properties of the data; the test is exact with any of them.
    pub assumptions: Assumptions,
}

/// Fisher's exact test of two proportions.
///
/// `Greater`: the canary's rate is higher. Two-sided is the sum over the tables that are no
/// likelier than the observed one, with a relative slack of 1e-7.
///
/// # Errors
/// [`StatError`] for invalid counts, an arm without trials, counts that are not whole, or a
/// distribution with a variance above 10¹² (from about 10¹³ trials with as many events).
///
/// Source: Fisher (1935), Journal of the Royal Statistical Society 98(1).
///
/// ```
/// use hotfix_core::stats::Counts;
/// use hotfix_core::stats::fixed::{Alternative, fisher_exact};
/// let (canary, baseline) = (Counts::new(30.0, 10_000.0), Counts::new(180.0, 90_000.0));
/// let test = fisher_exact(canary, baseline, Alternative::Greater)?;
/// assert!((test.p_value - 0.029_69).abs() < 1e-5 && (test.difference - 0.001).abs() < 1e-15);
/// # Ok::<(), hotfix_core::stats::StatError>(())
/// ```
pub fn fisher_exact(
    canary: Counts,
    baseline: Counts,
    alternative: Alternative,
) -> Result<Fisher, StatError> {
    for (what, arm) in [("canary", canary), ("baseline", baseline)] {
        arm.check_proportion()?;
        check_whole(what, arm)?;
    }
    if canary.trials + baseline.trials > MAX_COUNT {
        return Err(StatError::TooLarge { what: "trials", value: canary.trials + baseline.trials });
    }
    let (x, rest) = (canary.events, baseline.events);
    let law = Hypergeometric::try_new(canary.trials, baseline.trials, x + rest)?;
    let (quiet_c, quiet_b) = (canary.trials - x, baseline.trials - rest);
    Ok(Fisher {
        p_value: p_value(&law, x, alternative),
        odds_ratio: odds_ratio(x, quiet_c, rest, quiet_b),
        difference: difference(canary, baseline),
        assumptions: of_arms(canary, baseline),
    })
}

/// `x/quiet_c` over `rest/quiet_b`, by quotients, which do not overflow.
fn odds_ratio(x: f64, quiet_c: f64, rest: f64, quiet_b: f64) -> Option<f64> {
    if quiet_c * rest == 0.0 {
        (x * quiet_b > 0.0).then_some(f64::INFINITY)
    } else {
        Some(x / rest * (quiet_b / quiet_c))
    }
}

/// The canary's rate less the baseline's, from whole products, which are exact, so that nothing
/// cancels near 1 either.
pub(super) fn difference(canary: Counts, baseline: Counts) -> f64 {
    let whole = |arm: Counts| arm.events.fract() == 0.0 && arm.trials.fract() == 0.0;
    if !(whole(canary) && whole(baseline)) {
        return canary.events / canary.trials - baseline.events / baseline.trials;
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole and at most 2^53")]
    let product = |events: f64, trials: f64| i128::from(events as i64) * i128::from(trials as i64);
    let over = product(canary.events, baseline.trials) - product(baseline.events, canary.trials);
    over as f64 / canary.trials / baseline.trials
}
