//! Combined evidence of several metrics: `E = Σ v_k E_k` with weights fixed in advance.
//!
//! The weighted mean of e-values is an e-value for any dependence, so `E` reaches `1/α` with chance
//! `α` at most when all metrics are fine (`docs/statistics.md`, A6). A product would not be valid,
//! because metrics depend on each other. A metric without data keeps its weight with `E = 1`.

use super::grid::{check_weights, threshold};
use super::numeric::{exp, larger, ln, log_add_exp};
use super::{Bounds, StatError, Watch, check_version};
use serde::{Deserialize, Serialize};

/// Fixed weights of the metrics of one rollout and the threshold of their combined evidence.
///
/// ```
/// use hotfix_core::stats::{Bounds, combine::{Combination, Combined}};
/// # fn main() -> Result<(), hotfix_core::stats::StatError> {
/// let errors_and_latency = Combination::try_new(0.01, &[0.6, 0.4])?;
/// let mut combined = Combined::new();
/// // A quiet tick is settled by the bounds; nothing exact is asked for.
/// let quiet = [Bounds { lower: 0.1, upper: 1.2 }, Bounds::NO_DATA];
/// assert!(!combined.update(&errors_and_latency, &quiet, |_| unreachable!())?);
/// let loud = [Bounds { lower: 6.0, upper: 7.0 }, Bounds::NO_DATA];
/// assert!(combined.update(&errors_and_latency, &loud, |k| [6.4, 0.0][k])?);
/// let causes: Vec<usize> = errors_and_latency.causes(&[6.4, 0.0]).collect();
/// assert_eq!(causes, [0]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Combination {
    weights: Vec<f64>,
    ln_weights: Vec<f64>,
    /// `ln K`.
    slack: f64,
    threshold: f64,
}

impl Combination {
    /// Checks weights, one a metric, and `alpha`.
    ///
    /// # Errors
    /// [`StatError`] if alpha or the weights are out of range.
    pub fn try_new(alpha: f64, weights: &[f64]) -> Result<Self, StatError> {
        let threshold = threshold(alpha)?;
        check_weights(weights, weights.len().max(1))?;
        Ok(Self {
            weights: weights.to_vec(),
            ln_weights: weights.iter().map(|&weight| ln(weight)).collect(),
            slack: ln(weights.len() as f64),
            threshold,
        })
    }

    /// How many metrics are weighed.
    pub fn metrics(&self) -> usize {
        self.weights.len()
    }

    /// Log of the combined e-value; `log_e` holds 0 for a metric without data.
    ///
    /// # Errors
    /// [`StatError`] ([`MetricCount`](crate::stats::StatError::MetricCount)) unless there is one
    /// number for each metric.
    pub fn log_e(&self, log_e: &[f64]) -> Result<f64, StatError> {
        self.check(log_e.len())?;
        if log_e.iter().all(|log_e| *log_e == 0.0) {
            return Ok(0.0);
        }
        let top = log_e.iter().copied().fold(f64::NEG_INFINITY, larger);
        let parts = self.weights.iter().zip(log_e);
        // `e^0` is 1, to the bit.
        let part = |(weight, log_e): (&f64, &f64)| {
            if *log_e == top && top.is_finite() { *weight } else { weight * exp(log_e - top) }
        };
        let sum: f64 = parts.map(part).sum();
        Ok(top + ln(sum))
    }

    /// Bounds of the combined log e-value: a quiet tick needs no more.
    ///
    /// # Errors
    /// [`StatError`] ([`MetricCount`](crate::stats::StatError::MetricCount)) unless there is one
    /// pair of bounds for each metric.
    pub fn bounds(&self, bounds: &[Bounds]) -> Result<Bounds, StatError> {
        self.check(bounds.len())?;
        let mut both = Bounds { lower: f64::NEG_INFINITY, upper: f64::NEG_INFINITY };
        for (ln_weight, of_metric) in self.ln_weights.iter().zip(bounds) {
            both.lower = larger(both.lower, ln_weight + of_metric.lower);
            both.upper = larger(both.upper, ln_weight + of_metric.upper);
        }
        both.upper += self.slack;
        Ok(both)
    }

    /// Whether metric `k` with this log evidence is by itself a cause: `v_k E_k ≥ 1/α`.
    pub fn is_cause(&self, k: usize, log_e: f64) -> bool {
        self.ln_weights.get(k).is_some_and(|ln_weight| ln_weight + log_e >= self.threshold)
    }

    /// The metrics that are causes by themselves; none where only the sum decides.
    pub fn causes<'a>(&'a self, log_e: &'a [f64]) -> impl Iterator<Item = usize> + 'a {
        log_e.iter().enumerate().filter(|(k, log_e)| self.is_cause(*k, **log_e)).map(|(k, _)| k)
    }

    fn check(&self, got: usize) -> Result<(), StatError> {
        let expected = self.metrics();
        if got == expected { Ok(()) } else { Err(StatError::MetricCount { got, expected }) }
    }
}

/// The running maximum and the decision of a combined evidence. See [`Combination`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "SavedState", into = "SavedState")]
pub struct Combined {
    watch: Watch,
}

impl Default for Combined {
    fn default() -> Self {
        Self::new()
    }
}

impl Combined {
    /// No data yet: `E = 1`.
    pub const fn new() -> Self {
        Self { watch: Watch::START }
    }

    /// Updates it with an evaluation, and returns whether the sum has decided, now or before.
    ///
    /// `exact` gives the log e-value of a metric; it is asked only where the bounds do not settle
    /// whether the sum crosses.
    ///
    /// # Errors
    /// [`StatError`] ([`MetricCount`](crate::stats::StatError::MetricCount)) unless there is one
    /// pair of bounds for each metric.
    pub fn update(
        &mut self,
        combination: &Combination,
        bounds: &[Bounds],
        exact: impl Fn(usize) -> f64,
    ) -> Result<bool, StatError> {
        let both = combination.bounds(bounds)?;
        let slack = both.upper - both.lower;
        self.watch = self.watch.looked(both.lower, slack, combination.threshold, || {
            let terms = combination.ln_weights.iter().enumerate();
            terms.fold(f64::NEG_INFINITY, |sum, (k, ln_weight)| {
                log_add_exp(sum, ln_weight + exact(k))
            })
        });
        Ok(self.watch.decided)
    }

    /// Whether the sum has ever reached `ln(1/α)`.
    pub fn decided(&self) -> bool {
        self.watch.decided
    }

    /// `min(1, 1/max E)` from the running maximum of the lower bound: valid at every evaluation.
    pub fn p_value(&self) -> f64 {
        self.watch.p_value()
    }
}

/// The state as a document.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedState {
    version: u32,
    highest: f64,
    decided: bool,
}

impl From<Combined> for SavedState {
    fn from(state: Combined) -> Self {
        Self { version: 1, highest: state.watch.highest, decided: state.watch.decided }
    }
}

impl TryFrom<SavedState> for Combined {
    type Error = StatError;

    fn try_from(read: SavedState) -> Result<Self, StatError> {
        check_version(read.version, 1)?;
        Ok(Self { watch: Watch::restored(read.highest, read.decided)? })
    }
}
