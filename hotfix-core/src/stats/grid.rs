//! Common part of all grid tests: the checked hypothesis, grid of ratios and weights.

use super::{Direction, Range, StatError, numeric};

/// Most ratios that a grid may have; a state has room for so many.
pub const MAX_GRID: usize = 8;
/// Largest ratio that a grid, a tolerance or a margin may have; the smallest is its inverse.
pub const MAX_RATIO: f64 = 1e6;

/// How far the sum of weights may be off 1.
const SUM_SLACK: f64 = 1e-9;

/// Defaults of settings, as functions for serde.
pub(super) mod usual {
    pub(in crate::stats) const fn alpha() -> f64 {
        0.01
    }
    pub(in crate::stats) const fn one() -> f64 {
        1.0
    }
    pub(in crate::stats) const fn tick_seconds() -> f64 {
        10.0
    }
    pub(in crate::stats) const fn subsets() -> usize {
        2_000
    }
}

/// Checks a planned share: above 0, and not so near 1 that no baseline is left.
pub(super) fn check_share(share: f64) -> Result<(), StatError> {
    let leaves_both = share.is_normal() && share > 0.0 && 1.0 - share > 0.0;
    Range::SHARE.check(leaves_both, share)
}

/// Declares the settings of a test over a grid: those that all such tests have, and its own.
macro_rules! settings {
    (
        $(#[$about:meta])*
        $name:ident { $($(#[$doc:meta])* $own:ident: $type:ty = $usual:expr,)* }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            /// What is to be shown.
            pub direction: $crate::stats::Direction,
            /// Chance of ever deciding while the null holds, above 0 and below 1.
            pub alpha: f64,
            /// `r0`, at least 1: the tolerated ratio; the null of worse is `r ≤ r0`. For latency it
            /// is the ratio of slow requests at every boundary.
            pub tolerated: f64,
            /// `d`: the null of better is `r ≥ d`; over 1 'not worse', up to 1 'cut at least to d'.
            pub margin: f64,
            /// Ratios over the null's, above 1, at most [`MAX_GRID`](crate::stats::MAX_GRID);
            /// inverted for better. None: the default grid, or for latency the joint bet where it
            /// applies.
            pub grid: Option<Vec<f64>>,
            /// One weight a ratio, summing to 1. None: the default's, or equal ones for a grid that
            /// is given.
            pub weights: Option<Vec<f64>>,
            /// Factor on every gain, above 0 and at most 1: evidence under noise is worth less.
            pub temper: f64,
            /// Most log evidence that a tick may add to a term, after `temper`; above 0. Absent: no cap.
            pub cap: Option<f64>,
            /// Log evidence that decides, above 0; None: `ln(1/α)`. By Ville's inequality the
            /// chance of ever deciding under the null is at most `e^-threshold`, which below
            /// `ln(1/α)` is more than `α`.
            pub threshold: Option<f64>,
            $($(#[$doc])* pub $own: $type,)*
        }

        impl Default for $name {
            /// Rollback at α 0.01, nothing tolerated, default grid, no limits.
            fn default() -> Self {
                Self {
                    direction: $crate::stats::Direction::Worse,
                    alpha: 0.01,
                    tolerated: 1.0,
                    margin: 2.0,
                    grid: None,
                    weights: None,
                    temper: 1.0,
                    cap: None,
                    threshold: None,
                    $($own: $usual,)*
                }
            }
        }

        impl $name {
            /// The promotion test at α 0.05 against a margin; a margin up to 1 is an efficacy claim.
            pub fn better(margin: f64) -> Self {
                let direction = $crate::stats::Direction::Better;
                Self { direction, alpha: 0.05, margin, ..Self::default() }
            }
        }
    };
}
pub(super) use settings;

/// The hypotheses of a test: direction, error probability and ratio at the edge of the null.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Hypothesis {
    pub(super) direction: Direction,
    /// `ln(1/α)`.
    pub(super) threshold: f64,
    /// `r0` for worse, `d` for better.
    pub(super) null_ratio: f64,
}

impl Hypothesis {
    pub(super) fn try_new(
        direction: Direction,
        alpha: f64,
        tolerated: f64,
        margin: f64,
    ) -> Result<Self, StatError> {
        let threshold = threshold(alpha)?;
        Range::TOLERATED.check((1.0..=MAX_RATIO).contains(&tolerated), tolerated)?;
        Range::MARGIN.check((1.0 / MAX_RATIO..=MAX_RATIO).contains(&margin), margin)?;
        let null_ratio = match direction {
            Direction::Worse => tolerated,
            Direction::Better => margin,
        };
        Ok(Self { direction, threshold, null_ratio })
    }
}

/// `ln(1/α)`, for an `α` that is an error probability.
pub(super) fn threshold(alpha: f64) -> Result<f64, StatError> {
    // A subnormal alpha is still one; its logarithm is finite.
    Range::ALPHA.check(alpha > 0.0 && alpha < 1.0, alpha)?;
    Ok(-numeric::ln(alpha))
}

/// Checks that weights are as many as `items`, positive, and sum to 1.
pub(super) fn check_weights(weights: &[f64], items: usize) -> Result<(), StatError> {
    if weights.len() != items {
        return Err(StatError::WeightCount { weights: weights.len(), items });
    }
    for &weight in weights {
        Range::WEIGHT.check(weight.is_normal() && weight > 0.0 && weight <= 1.0, weight)?;
    }
    let sum: f64 = weights.iter().sum();
    if (sum - 1.0).abs() > SUM_SLACK { Err(StatError::WeightSum { sum }) } else { Ok(()) }
}

/// Ratios of the alternatives to the null, with weights; unused places weigh nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Grid {
    pub(super) len: usize,
    /// `g_j`, or `1/g_j` for better; 1 in unused places.
    pub(super) ratio: [f64; MAX_GRID],
    pub(super) ln_ratio: [f64; MAX_GRID],
    /// Zero in unused places.
    pub(super) weight: [f64; MAX_GRID],
    /// Negative infinity in unused places.
    pub(super) ln_weight: [f64; MAX_GRID],
    /// `ln J`: `ln E` is never above its lower bound by more.
    pub(super) slack: f64,
}

impl Grid {
    /// Checks a grid; `default`: ratios and weights for None. Ratios without weights weigh equally.
    pub(super) fn try_new(
        direction: Direction,
        grid: Option<&[f64]>,
        weights: Option<&[f64]>,
        default: (&[f64], &[f64]),
    ) -> Result<Self, StatError> {
        let ratios = grid.unwrap_or(default.0);
        let usual = grid.is_none().then_some(default.1);
        let mut this = Self::weighted(ratios.len(), weights.or(usual))?;
        for (j, &ratio) in ratios.iter().enumerate() {
            Range::GRID_RATIO.check(ratio > 1.0 && ratio <= MAX_RATIO, ratio)?;
            let ln_ratio = numeric::ln(ratio);
            (this.ratio[j], this.ln_ratio[j]) = match direction {
                Direction::Worse => (ratio, ln_ratio),
                Direction::Better => (1.0 / ratio, -ln_ratio),
            };
        }
        Ok(this)
    }

    /// A grid of `len` bets without ratios; equal weights for None.
    pub(super) fn weighted(len: usize, weights: Option<&[f64]>) -> Result<Self, StatError> {
        Range::GRID.check((1..=MAX_GRID).contains(&len), len as f64)?;
        let even = [1.0 / len as f64; MAX_GRID];
        let weights = weights.unwrap_or(&even[..len]);
        check_weights(weights, len)?;
        Ok(Self::of_weights(weights))
    }

    /// A grid with these weights only, for bets whose alternatives are not ratios.
    pub(super) fn of_weights(weights: &[f64]) -> Self {
        let mut this = Self {
            len: weights.len(),
            ratio: [1.0; MAX_GRID],
            ln_ratio: [0.0; MAX_GRID],
            weight: [0.0; MAX_GRID],
            ln_weight: [f64::NEG_INFINITY; MAX_GRID],
            slack: numeric::ln(weights.len() as f64),
        };
        for (j, &weight) in weights.iter().enumerate().take(MAX_GRID) {
            (this.weight[j], this.ln_weight[j]) = (weight, numeric::ln(weight));
        }
        this
    }

    /// Log evidence at the start: zero, and negative infinity in unused places, where it stays.
    pub(super) fn start(&self) -> [f64; MAX_GRID] {
        let mut terms = [f64::NEG_INFINITY; MAX_GRID];
        terms[..self.len].fill(0.0);
        terms
    }

    /// `g_j - 1`, for [`losses`].
    pub(super) fn excess(&self) -> [f64; MAX_GRID] {
        self.ratio.map(|ratio| ratio - 1.0)
    }

    /// `max_j (ln w_j + l_j)` over the first `N` points, which are all that are used.
    #[inline]
    pub(super) fn bound<const N: usize>(&self, terms: &[f64; N]) -> f64 {
        let mut weighted = [0.0; N];
        for ((weighted, term), ln_weight) in weighted.iter_mut().zip(terms).zip(&self.ln_weight) {
            *weighted = term + ln_weight;
        }
        numeric::largest(&weighted)
    }

    /// A fingerprint of everything that a state depends on, so that it is not fed to another
    /// design.
    pub(super) fn fingerprint(&self, kind: u32, rest: &[f64]) -> u32 {
        let numbers = self.ratio.iter().chain(&self.weight).chain(rest);
        hashed(kind.to_le_bytes(), numbers)
    }

    /// Terms as read from a document, for as many points as the document has.
    pub(super) fn terms_from(read: &[f64]) -> Result<[f64; MAX_GRID], StatError> {
        if read.is_empty() || read.len() > MAX_GRID || !read.iter().all(|term| term.is_finite()) {
            return Err(StatError::BadState { what: "terms" });
        }
        let mut terms = [f64::NEG_INFINITY; MAX_GRID];
        terms[..read.len()].copy_from_slice(read);
        Ok(terms)
    }
}

/// `π = r n_c/(r n_c + n_b)`: the canary's share of the events where its rate is `r` times the
/// baseline's.
#[inline]
pub(super) fn share_of_events(ratio: f64, canary: f64, baseline: f64) -> f64 {
    let weighted = ratio * canary;
    weighted / (weighted + baseline)
}

/// `ln1p((g_j - 1) π)` for a share `π` at the edge of the null: what each event costs the first `N`
/// points.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would cost a tenth of a tick with another split")]
pub(super) fn losses<const N: usize>(excess: &[f64; MAX_GRID], share: f64) -> [f64; N] {
    let mut arguments = [0.0; N];
    for (argument, excess) in arguments.iter_mut().zip(excess) {
        *argument = excess * share;
    }
    numeric::ln1p_each(&arguments)
}

/// FNV-1a in 32 bits, so that it fits a number of any JSON reader.
pub(super) fn hashed<'a>(
    first: impl IntoIterator<Item = u8>,
    numbers: impl Iterator<Item = &'a f64>,
) -> u32 {
    let bytes = numbers.flat_map(|number| number.to_bits().to_le_bytes());
    first
        .into_iter()
        .chain(bytes)
        .fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// The terms that are in use.
pub(super) fn used(terms: &[f64; MAX_GRID]) -> &[f64] {
    terms.split(|term| !term.is_finite()).next().unwrap_or_default()
}
