//! The evidence of a sequential test, with its interval on demand, and tests as bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use hotfix_core::stats::interval::{Interval, ratio_interval};
use hotfix_core::stats::{Counts, Evidence as Figures, StatError, Totals, numeric};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::document::document;
use crate::error::Result;

/// Totals by split, as ticks of different splits must not be summed: the key is `ln(n_c/n_b)` in
/// thousandths.
///
/// Splits that differ by less than a thousandth are treated as one; that moves an end of an
/// interval by as little.
pub(crate) type Strata = BTreeMap<i64, Totals>;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    figures: Figures,
    /// For a test with a valid interval: the compared totals, and the level.
    #[serde(default)]
    compared: Option<(Arc<Strata>, f64)>,
}

impl Evidence {
    pub(crate) const fn of(figures: Figures) -> Self {
        Self(Report { figures, compared: None })
    }

    /// Evidence with the compared totals and the level of the interval, if a valid one is known.
    pub(crate) const fn compared(figures: Figures, compared: Option<(Arc<Strata>, f64)>) -> Self {
        Self(Report { figures, compared })
    }
}

document! {
    /// The evidence of a sequential test.
    ///
    /// Attributes and ``[]`` give the same values, except `interval`, which is computed when it is
    /// read.
    Evidence(Report).figures in "hotfix.stats" {
        /// Log of the e-value; 0 without data. The test decides at its threshold, by default
        /// ``log(1/alpha)``.
        fn log_e(this) -> f64 { this.figures.log_e }
        /// The p-value; valid at every evaluation.
        fn p_value(this) -> f64 { this.figures.p_value }
        /// The canary's rate divided by the baseline's, with 0.5 for a count of zero; None without
        /// an event in either. It is of the sums over ticks and strata: where the split changes, or
        /// strata differ, it may lie outside `interval`, which is within them.
        fn ratio(this) -> Option<f64> { this.figures.ratio }
        /// Whether the evidence has reached the threshold at any time; it stays True.
        fn decided(this) -> bool { this.figures.decided }
        /// Interval ``(low, high)`` for the ratio at confidence ``1 - alpha``; valid at every
        /// evaluation.
        ///
        /// It conditions on the number of events of each traffic split, so a changing split does not
        /// bias it. It uses its own mixture and the plain likelihood: the temper, cap, threshold or
        /// horizon of the test does not affect it, so it may exclude 1 before the test decides. With
        /// ``model="bernoulli"`` it is wider than necessary at high rates. None for a `Ceiling`, a
        /// `Latency` and sets of instances, and for the evidence of a rollout, which has its own
        /// interval.
        fn interval(this) -> Result<Option<(f64, f64)>> { this.interval() }
    }
}

impl Report {
    fn interval(&self) -> Result<Option<(f64, f64)>> {
        let Some((strata, confidence)) = &self.compared else { return Ok(None) };
        let totals: Vec<Totals> = strata.values().copied().collect();
        let Interval { low, high } = ratio_interval(&totals, *confidence)?;
        Ok(Some((low, high)))
    }
}

/// The stratum of a tick.
#[expect(clippy::cast_possible_truncation, reason = "a logarithm is small, and the cast saturates")]
pub(crate) fn key_of(canary: Counts, baseline: Counts) -> i64 {
    (1_000.0 * numeric::ln(canary.trials / baseline.trials)).round() as i64
}

pub(crate) fn add(strata: &mut Strata, key: i64, more: &Totals) {
    let sum = strata.entry(key).or_default();
    for (sum, more) in [(&mut sum.canary, more.canary), (&mut sum.baseline, more.baseline)] {
        sum.events += more.events;
        sum.trials += more.trials;
    }
}

/// What pickling keeps of a test: `from_bytes`, and its bytes.
pub(crate) type Reduced<'py> = (Bound<'py, PyAny>, (Bound<'py, PyBytes>,));

/// Settings and evidence of a test as bytes.
pub(crate) fn to_bytes<'py>(
    py: Python<'py>,
    saved: &impl Serialize,
) -> PyResult<Bound<'py, PyBytes>> {
    let bytes = serde_json::to_vec(saved).map_err(|e| PyValueError::new_err(e.to_string()))?;
    Ok(PyBytes::new(py, &bytes))
}

/// Reads the bytes that [`to_bytes`] wrote.
pub(crate) fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    Ok(serde_json::from_slice(bytes).map_err(|_| StatError::BadState { what: "bytes" })?)
}
