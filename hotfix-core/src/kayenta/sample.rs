//! Preparation of a sample as in Kayenta: missing points and outliers.

use super::judge::SamplesReader;
use super::settings::{MetricSettings, NanStrategy, Outliers};
use crate::document::document_table;
use crate::stats::numeric::percentile;
use serde::{Deserialize, Serialize};

document_table! {
    SamplesReader;
    /// The two samples of a metric; NaN is a missing point.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct Arms {
        /// Points of the version that is compared with.
        pub control: Vec<f64> = SamplesReader::points, needed;
        /// Points of the version under test.
        pub experiment: Vec<f64> = SamplesReader::points, needed;
    }
}

/// Summary of a prepared sample; absent if no points are left.
#[serde_with::skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Points compared.
    pub n: usize,
    /// Points that were missing, left out or taken for 0.
    pub missing: usize,
    /// Points left out as outliers.
    pub outliers: usize,
    /// Mean of the points compared.
    pub mean: Option<f64>,
    /// Median of the points compared.
    pub median: Option<f64>,
}

#[derive(Debug)]
pub(super) struct Prepared {
    /// Ascending.
    pub(super) points: Vec<f64>,
    pub(super) arm: Series,
}

impl Prepared {
    pub(super) fn new(points: &[f64], settings: &MetricSettings) -> Self {
        let missing = points.iter().filter(|point| point.is_nan()).count();
        let mut points: Vec<f64> = match settings.nan_strategy {
            NanStrategy::Remove => points.iter().copied().filter(|p| !p.is_nan()).collect(),
            NanStrategy::Replace => {
                points.iter().map(|&p| if p.is_nan() { 0.0 } else { p }).collect()
            }
        };
        points.sort_unstable_by(f64::total_cmp);
        let before = points.len();
        if let Outliers::Remove { factor } = settings.outliers {
            let (low, high) = fences(&points, factor);
            points.retain(|point| (low..=high).contains(point));
        }
        let (mean, median) = (mean(&points), percentile(&points, 0.5));
        let arm =
            Series { n: points.len(), missing, outliers: before - points.len(), mean, median };
        Self { points, arm }
    }

    pub(super) fn constant(&self) -> Option<f64> {
        match (self.points.first(), self.points.last()) {
            (Some(first), Some(last)) if first == last => Some(*first),
            _ => None,
        }
    }
}

/// Tukey's fences of ascending points, widened to their first and last percent.
fn fences(points: &[f64], factor: f64) -> (f64, f64) {
    let at = |p| percentile(points, p).unwrap_or_default();
    let (lower, upper) = (at(0.25), at(0.75));
    let reach = factor * (upper - lower);
    (at(0.01).min(lower - reach), at(0.99).max(upper + reach))
}

/// In ascending order, so that the order of the points does not matter, with one compensation of
/// the rounding error. None without points, and where their sum is beyond every double.
fn mean(points: &[f64]) -> Option<f64> {
    let n = points.len() as f64;
    let first = points.iter().sum::<f64>() / n;
    let mean = first + points.iter().map(|point| point - first).sum::<f64>() / n;
    Some(mean).filter(|mean| mean.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_1_percentiles_are_those_of_r_7() {
        // R: quantile(c(1, 2, 4, 8, 16), c(0.01, 0.25, 0.6, 0.99), type = 7), also by hand.
        let points = [1.0, 2.0, 4.0, 8.0, 16.0];
        for (p, expected) in [(0.0, 1.0), (0.01, 1.04), (0.25, 2.0), (0.6, 5.6), (0.99, 15.68)] {
            let got = percentile(&points, p).expect("points");
            assert!((got - expected).abs() < 1e-12, "{p}: {got}");
        }
        assert_eq!(percentile(&[], 0.5), None);
    }
}
