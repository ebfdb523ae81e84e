//! Intervals for the proportion of an arm and for the difference of two.

use super::{StatError, check_whole};
use crate::stats::distribution::Binomial;
use crate::stats::interval::{Interval, check_level, wilson};
use crate::stats::numeric::{larger, smaller};
use crate::stats::{Counts, Range};

/// Clopper and Pearson's interval for the proportion of one arm; not sequential.
///
/// Covers at least with the two-sided `confidence`, whatever the proportion. 0 to 1 without trials;
/// the lower end is exactly 0 without events, the upper exactly 1 if every trial has one.
///
/// # Errors
/// [`StatError`] for invalid counts, counts that are not whole, a
/// distribution with a variance above 10¹², or a confidence that is not above 0 and below 1.
///
/// Source: Clopper and Pearson (1934), Biometrika 26(4).
///
/// ```
/// use hotfix_core::stats::{Counts, fixed::clopper_pearson};
/// let interval = clopper_pearson(Counts::new(0.0, 1000.0), 0.95)?;
/// assert!(interval.low == 0.0 && (interval.high - 0.003_682).abs() < 1e-6);
/// # Ok::<(), hotfix_core::stats::StatError>(())
/// ```
pub fn clopper_pearson(counts: Counts, confidence: f64) -> Result<Interval, StatError> {
    let level = check_level(Range::CONFIDENCE, confidence)?;
    counts.check_proportion()?;
    if counts.trials == 0.0 {
        return Ok(Interval { low: 0.0, high: 1.0 });
    }
    check_whole("counts", counts)?;
    let (x, n) = (counts.events, counts.trials);
    let quiet = n - x;
    Binomial::of_odds(n, if quiet > 0.0 { x / quiet } else { f64::INFINITY }).check()?;
    let chance = |odds: f64| odds / (1.0 + odds);
    let low = chance(Binomial::lower_odds(n, x, 0.5 * level));
    // The upper end is the lower one of what is not an event, turned around.
    let high = 1.0 / (1.0 + Binomial::lower_odds(n, quiet, 0.5 * level));
    Ok(Interval { low, high })
}

/// Newcombe's interval for the canary's proportion less the baseline's; not sequential.
///
/// From both arms' Wilson intervals without continuity correction; stays within -1 and 1.
///
/// # Errors
/// [`StatError`] for invalid counts, or a confidence that is not above 0 and below 1.
///
/// Source: Newcombe (1998), Statistics in Medicine 17(8), method 10.
///
/// ```
/// use hotfix_core::stats::{Counts, fixed::newcombe};
/// let interval = newcombe(Counts::new(56.0, 70.0), Counts::new(48.0, 80.0), 0.95)?;
/// assert!((interval.low - 0.0524).abs() < 5e-5 && (interval.high - 0.3339).abs() < 5e-5);
/// # Ok::<(), hotfix_core::stats::StatError>(())
/// ```
pub fn newcombe(canary: Counts, baseline: Counts, confidence: f64) -> Result<Interval, StatError> {
    let (below_c, above_c) = reach(canary, confidence)?;
    let (below_b, above_b) = reach(baseline, confidence)?;
    let difference = match (canary.trials > 0.0, baseline.trials > 0.0) {
        (true, true) => super::fisher::difference(canary, baseline),
        // Without trials nothing is known: the middle, and everything around it.
        (true, false) => canary.events / canary.trials - 0.5,
        (false, true) => 0.5 - baseline.events / baseline.trials,
        (false, false) => 0.0,
    };
    let low = difference - libm::hypot(below_c, above_b);
    let high = difference + libm::hypot(above_c, below_b);
    Ok(Interval { low: larger(low, -1.0), high: smaller(high, 1.0) })
}

/// How far an arm's Wilson interval reaches below and above its proportion.
fn reach(counts: Counts, confidence: f64) -> Result<(f64, f64), StatError> {
    let Counts { events, trials } = counts;
    // The rarer of events and others is what keeps its digits.
    let turned = events > 0.5 * trials;
    let rarer = Counts::new(if turned { trials - events } else { events }, trials);
    counts.check_proportion()?;
    let interval = wilson(rarer, confidence)?;
    let p = if trials > 0.0 { rarer.events / trials } else { 0.5 };
    let (below, above) = (larger(p - interval.low, 0.0), larger(interval.high - p, 0.0));
    Ok(if turned { (above, below) } else { (below, above) })
}
