//! Samples and histograms as the rank tests take them.

use super::StatError;
use crate::stats::MAX_COUNT;

/// A sorted copy; negative zero becomes zero, as both are one value.
///
/// # Errors
/// [`StatError`] for an empty sample, or a value that is NaN or infinite.
pub(super) fn sorted(what: &'static str, values: &[f64]) -> Result<Vec<f64>, StatError> {
    if values.is_empty() {
        return Err(StatError::EmptySample { what });
    }
    if let Some(index) = values.iter().position(|value| !value.is_finite()) {
        let value = values.get(index).copied().unwrap_or_default();
        return Err(StatError::SampleNotFinite { what, index, value });
    }
    let mut copy: Vec<f64> = values.iter().map(|value| value + 0.0).collect();
    copy.sort_unstable_by(f64::total_cmp);
    Ok(copy)
}

/// One distinct value, or one bucket: how many of each group are there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// The distinct values of two sorted samples, in order.
pub(super) struct Groups<'a> {
    x: &'a [f64],
    y: &'a [f64],
}

impl<'a> Groups<'a> {
    pub(super) const fn new(x: &'a [f64], y: &'a [f64]) -> Self {
        Self { x, y }
    }
}

/// Removes the leading values that equal `value`, and returns their number.
fn take(values: &mut &[f64], value: f64) -> f64 {
    let mut count = 0;
    while values.get(count).is_some_and(|other| *other == value) {
        count += 1;
    }
    *values = values.get(count..).unwrap_or_default();
    count as f64
}

impl Iterator for Groups<'_> {
    type Item = Group;

    fn next(&mut self) -> Option<Group> {
        let value = match (self.x.first(), self.y.first()) {
            (Some(x), Some(y)) => crate::stats::numeric::smaller(*x, *y),
            (Some(one), None) | (None, Some(one)) => *one,
            (None, None) => return None,
        };
        Some(Group { x: take(&mut self.x, value), y: take(&mut self.y, value) })
    }
}

/// The buckets of two histograms with the same boundaries, in order.
///
/// # Errors
/// [`StatError`] for histograms of different length, one without values,
/// or counts that are not valid or not whole.
pub(super) fn buckets(x: &[f64], y: &[f64]) -> Result<(Vec<Group>, f64, f64), StatError> {
    if x.len() != y.len() {
        return Err(StatError::BucketMismatch { x: x.len(), y: y.len() });
    }
    let totals = (total("x", x)?, total("y", y)?);
    let groups = x.iter().zip(y).map(|(x, y)| Group { x: *x, y: *y });
    Ok((groups.filter(|group| group.x + group.y > 0.0).collect(), totals.0, totals.1))
}

fn total(what: &'static str, counts: &[f64]) -> Result<f64, StatError> {
    let mut sum = 0.0;
    for &value in counts {
        if let Some(error) = StatError::of_count("bucket count", value) {
            return Err(error);
        }
        if value.fract() != 0.0 {
            return Err(StatError::NotWhole { what, value });
        }
        sum += value;
    }
    if sum > MAX_COUNT {
        Err(StatError::TooLarge { what: "bucket counts", value: sum })
    } else if sum == 0.0 {
        Err(StatError::EmptySample { what })
    } else {
        Ok(sum)
    }
}
