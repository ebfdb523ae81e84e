//! Combined evidence of several metrics: `E = Σ v_k E_k` with weights fixed in advance.
//!
//! The weighted mean of e-values is an e-value for any dependence, so `E` reaches `1/α` with chance
//! `α` at most when all metrics are fine (`docs/statistics.md`, A6). A product would not be valid,
//! because metrics depend on each other. A metric without data keeps its weight with `E = 1`.

use super::StatError;
use super::grid::{check_weights, threshold};
use super::numeric::{exp, larger, ln};

/// Fixed weights of the metrics of one rollout and the threshold of their combined evidence.
///
/// ```
/// use hotfix_core::stats::combine::Combination;
/// let errors_and_latency = Combination::try_new(0.01, &[0.6, 0.4])?;
/// assert!(errors_and_latency.log_e(&[6.4, 0.0])? > 100_f64.ln());
/// let causes: Vec<usize> = errors_and_latency.causes(&[6.4, 0.0]).collect();
/// assert_eq!(causes, [0]);
/// # Ok::<(), hotfix_core::stats::StatError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Combination {
    weights: Vec<f64>,
    ln_weights: Vec<f64>,
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
            threshold,
        })
    }

    /// Log of the combined e-value; `log_e` holds 0 for a metric without data.
    ///
    /// # Errors
    /// [`StatError`] ([`MetricCount`](crate::stats::StatError::MetricCount)) unless there is one
    /// number for each metric.
    pub fn log_e(&self, log_e: &[f64]) -> Result<f64, StatError> {
        let (got, expected) = (log_e.len(), self.weights.len());
        if got != expected {
            return Err(StatError::MetricCount { got, expected });
        }
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

    /// Whether metric `k` with this log evidence is by itself a cause: `v_k E_k ≥ 1/α`.
    pub fn is_cause(&self, k: usize, log_e: f64) -> bool {
        self.ln_weights.get(k).is_some_and(|ln_weight| ln_weight + log_e >= self.threshold)
    }

    /// The metrics that are causes by themselves; none where only the sum decides.
    pub fn causes<'a>(&'a self, log_e: &'a [f64]) -> impl Iterator<Item = usize> + 'a {
        log_e.iter().enumerate().filter(|(k, log_e)| self.is_cause(*k, **log_e)).map(|(k, _)| k)
    }
}
