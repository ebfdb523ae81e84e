//! Intervals of a verdict: for the rate of an arm, and an anytime-valid one for the ratio.

use super::distribution::{Poisson, upper_tail};
use super::numeric::{
    between, exp, larger, ln, ln1p, log_add_exp, log_sum_exp, normal_quantile, smaller,
};
use super::{Counts, Range, StatError, Totals};
use serde::{Deserialize, Serialize};

/// Ratios that the interval for the ratio is built on: from 1/64 to 64, evenly spaced in the
/// logarithm.
const POINTS: i32 = 33;
/// Logarithm of the largest of these ratios.
const OUTERMOST: f64 = 6.0 * core::f64::consts::LN_2;
/// Largest sum of a stratum that is accepted; no number of ticks adds up to more.
const MOST: f64 = 1e200;
/// How far from the estimate, in the logarithm, an end is sought before it is called infinite.
const FARTHEST: f64 = 700.0;

/// An interval, ends included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// Lower end; may be minus infinity, which a document writes as null.
    #[serde(deserialize_with = "null_is_minus_infinite", serialize_with = "null_or_finite")]
    pub low: f64,
    /// Upper end; may be infinite, which a document writes as null.
    #[serde(deserialize_with = "null_is_infinite", serialize_with = "null_or_finite")]
    pub high: f64,
}

/// Writes an infinite end as null: canonical JSON has no infinity.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(crate) fn null_or_finite<S: serde::Serializer>(end: &f64, to: S) -> Result<S::Ok, S::Error> {
    Some(end).filter(|end| end.is_finite()).serialize(to)
}

pub(crate) fn null_is_infinite<'de, D: serde::Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or(f64::INFINITY))
}

pub(crate) fn null_is_minus_infinite<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<f64, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or(f64::NEG_INFINITY))
}

impl Interval {
    /// Whether a value lies in the interval.
    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

/// Wilson's interval for the proportion of one arm; not sequential, and to be labelled so.
///
/// 0 to 1 without trials. The ends are exact where they are 0 or 1 and keep their digits for
/// proportions down to 1e-12. `confidence` is two-sided, such as 0.95.
///
/// # Errors
/// [`StatError`] for invalid counts, or a confidence that is not above 0 and below 1.
///
/// Source: Wilson (1927), Journal of the American Statistical Association 22(158).
///
/// ```
/// use hotfix_core::stats::{Counts, interval::wilson};
/// let interval = wilson(Counts::new(3.0, 1000.0), 0.95).expect("valid counts");
/// assert!((interval.low - 0.00102).abs() < 1e-5 && (interval.high - 0.00878).abs() < 1e-5);
/// ```
pub fn wilson(counts: Counts, confidence: f64) -> Result<Interval, StatError> {
    counts.check_proportion()?;
    let level = check_level(Range::CONFIDENCE, confidence)?;
    if counts.trials == 0.0 {
        return Ok(Interval { low: 0.0, high: 1.0 });
    }
    let (x, n) = (counts.events, counts.trials);
    let z = normal_quantile(0.5 * level);
    let z2 = z * z;
    // The upper root, and the lower as the product of both over the upper: no digits cancel.
    let spread = (z2 * (z2 + 4.0 * x * ((n - x) / n))).sqrt();
    let upper = (2.0 * x + z2 + spread) / (2.0 * (n + z2));
    let low = x * (x / n) / ((n + z2) * upper);
    let high = if x == n { 1.0 } else { smaller(upper, 1.0) };
    Ok(Interval { low: smaller(low, high), high })
}

/// Events of which no more are needed: they show their rate to a ten-thousandth.
const MOST_EVENTS: f64 = 1e8;

/// Whether the exact intervals of two numbers of events do not overlap: that of `more` is above `times`
/// that of `fewer`. Not sequential.
///
/// Source: Garwood (1936), Biometrika 28(3/4).
pub(crate) fn is_clearly_more(more: f64, fewer: f64, times: f64, confidence: f64) -> bool {
    let level = 0.5 * (1.0 - confidence);
    let scale = larger(larger(more, fewer) / MOST_EVENTS, 1.0);
    let mean = times * Poisson::upper_mean((fewer / scale).ceil(), level);
    upper_tail(&Poisson { mean }, (more / scale).floor()) < level
}

/// Anytime-valid interval for the ratio of the canary's rate to the baseline's.
///
/// `{r: logsumexp_j(ln v_j + l(r_j)) - l(r) < ln(1/(1 - confidence))}` with 33 even `r_j` from 1/64
/// to 64 and `l` the log likelihood of the events' arms given their number, summed over strata
/// (`docs/statistics.md`, A7). A stratum is the totals of all ticks of *one* planned split (and of
/// one kind of user): ticks of different planned splits must not be summed. Strata in which an arm
/// has no trials say nothing. Without events it is 0 to infinity; without events in the canary its
/// lower end is 0, without any in the baseline its upper end infinite.
///
/// It has a mixture of its own and the likelihood as it is, so what limits a test's evidence (a
/// temper, a cap, a threshold, a horizon) neither widens nor spoils it: it may leave 1 out before
/// the test decides. Like the plain test it is for independent events: bursts within an arm make it
/// too narrow.
///
/// # Errors
/// [`StatError`] for counts that are not finite, negative or over 1e200 (sums of ticks may be over
/// [`MAX_COUNT`](super::MAX_COUNT)), or a confidence that is not above 0 and below 1.
///
/// ```
/// use hotfix_core::stats::{Counts, Totals, interval::ratio_interval};
/// let one = Totals { canary: Counts::new(30.0, 1e4), baseline: Counts::new(60.0, 9e4) };
/// let interval = ratio_interval(&[one], 0.99).expect("valid counts");
/// assert!(interval.low > 1.5 && interval.contains(4.5) && interval.high < 14.0);
/// ```
pub fn ratio_interval(strata: &[Totals], confidence: f64) -> Result<Interval, StatError> {
    let threshold = -ln(check_level(Range::CONFIDENCE, confidence)?);
    for Totals { canary, baseline } in strata {
        let of = |arm: &Counts| [("events", arm.events), ("trials", arm.trials)];
        for (what, sum) in of(canary).into_iter().chain(of(baseline)) {
            if !(0.0..=MOST).contains(&sum) {
                return Err(StatError::of_count(what, sum)
                    .unwrap_or(StatError::TooLarge { what, value: sum }));
            }
        }
    }
    let mut sums = Totals::default();
    for stratum in strata.iter().filter(|stratum| stratum.is_compared()) {
        sums.add(stratum.canary, stratum.baseline);
    }
    let (canary, baseline) = (sums.canary.events, sums.baseline.events);
    let everything = Interval { low: 0.0, high: f64::INFINITY };
    if canary == 0.0 && baseline == 0.0 {
        return Ok(everything);
    }
    if baseline == 0.0 {
        // The mirror image: the baseline's rate over the canary's.
        let turned: Vec<Totals> = strata
            .iter()
            .map(|stratum| Totals { canary: stratum.baseline, baseline: stratum.canary })
            .collect();
        let likelihood = Likelihood::new(&turned, None);
        let high = likelihood.end(threshold, 1.0);
        return Ok(Interval { low: 1.0 / high, ..everything });
    }
    if canary == 0.0 {
        let high = Likelihood::new(strata, None).end(threshold, 1.0);
        return Ok(Interval { high, ..everything });
    }
    let likelihood = Likelihood::new(strata, Some(most_likely(strata)));
    Ok(Interval { low: likelihood.end(threshold, -1.0), high: likelihood.end(threshold, 1.0) })
}

/// 1 minus a confidence or a power, [`Range::CONFIDENCE`] or [`Range::POWER`].
pub(super) fn check_level(range: Range, value: f64) -> Result<f64, StatError> {
    let level = 1.0 - value;
    range.check(value > 0.0 && level > 0.0, value)?;
    Ok(level)
}

/// Events of both arms, and the log odds that an event is the canary's at a ratio of 1.
struct Stratum {
    events: f64,
    odds: f64,
}

/// The log likelihood of `ln r`, less its largest value, so that large counts keep their digits.
struct Likelihood {
    strata: Vec<Stratum>,
    canary: f64,
    /// `ln r` where the likelihood is largest; None where that is a ratio of 0.
    peak: Option<f64>,
}

impl Likelihood {
    fn new(strata: &[Totals], peak: Option<f64>) -> Self {
        let with_both = strata.iter().filter(|stratum| stratum.is_compared());
        let canary = with_both.clone().map(|stratum| stratum.canary.events).sum();
        let strata = with_both
            .map(|stratum| Stratum {
                events: stratum.canary.events + stratum.baseline.events,
                odds: ln(stratum.canary.trials) - ln(stratum.baseline.trials),
            })
            .collect();
        Self { strata, canary, peak }
    }

    /// The log likelihood at `ln r`, less that at the peak.
    fn at(&self, ln_ratio: f64) -> f64 {
        let Some(peak) = self.peak else {
            // Less that at a ratio of 0; the canary has no events.
            let terms = self.strata.iter();
            return -terms.map(|s| s.events * ln1p(exp(s.odds + ln_ratio))).sum::<f64>();
        };
        let step = ln_ratio - peak;
        let terms = self.strata.iter();
        let loss: f64 = terms.map(|s| s.events * ln1p_of_step(s.odds + peak, step)).sum();
        self.canary * step - loss
    }

    /// The end of the interval below (`side` -1) or above (1) the peak.
    fn end(&self, threshold: f64, side: f64) -> f64 {
        let points = (0..POINTS)
            .map(|j| self.at(OUTERMOST * (f64::from(2 * j) / f64::from(POINTS - 1) - 1.0)));
        let mixture = log_sum_exp(&points.collect::<Vec<f64>>()) - ln(f64::from(POINTS));
        let outside = |ln_ratio: f64| mixture - self.at(ln_ratio) >= threshold;
        // From the peak, or from a ratio that is as good as 0, outwards in growing steps.
        let mut inside = self.peak.unwrap_or(-FARTHEST);
        let mut step = if self.peak.is_some() { 1e-6 } else { 1.0 };
        let mut beyond = inside + side * step;
        while !outside(beyond) {
            if step > 4.0 * FARTHEST {
                return if side > 0.0 { f64::INFINITY } else { 0.0 };
            }
            inside = beyond;
            step *= 2.0;
            beyond += side * step;
        }
        while let Some(middle) = between(inside, beyond) {
            if outside(middle) { beyond = middle } else { inside = middle }
        }
        exp(inside)
    }
}

/// `ln(1 + π (e^step - 1))` with `π = e^log_odds/(1 + e^log_odds)`.
fn ln1p_of_step(log_odds: f64, step: f64) -> f64 {
    let share = 1.0 / (1.0 + exp(-log_odds));
    if step.abs() < 1.0 {
        ln1p(share * libm::expm1(step))
    } else {
        // The same without overflow: ln(1 + e^(log_odds + step)) - ln(1 + e^log_odds).
        log_add_exp(0.0, log_odds + step) - log_add_exp(0.0, log_odds)
    }
}

/// `ln r` at the largest likelihood, with events in both arms: by bisection of the slope, which
/// falls.
fn most_likely(strata: &[Totals]) -> f64 {
    let likelihood = Likelihood::new(strata, Some(0.0));
    let slope = |ln_ratio: f64| {
        let expected: f64 =
            likelihood.strata.iter().map(|s| s.events / (1.0 + exp(-(s.odds + ln_ratio)))).sum();
        likelihood.canary - expected
    };
    if let [only] = likelihood.strata.as_slice() {
        return ln(likelihood.canary) - ln(only.events - likelihood.canary) - only.odds;
    }
    let (mut low, mut high) = (-FARTHEST, FARTHEST);
    while let Some(middle) = between(low, high) {
        if slope(middle) > 0.0 { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}
