//! Choice of latency boundaries from the baseline before the phase.

use super::MAX_BOUNDARIES;
use crate::stats::{Range, StatError};

/// Quantiles of the baseline's times at which boundaries are chosen in the bulk.
const QUANTILES: [f64; 5] = [0.5, 0.75, 0.9, 0.95, 0.99];
/// The last boundary is this many times the highest of those.
const FAR: f64 = 2.0;

/// Boundaries near the p50, p75, p90, p95 and p99 of these times, and at twice the p99.
///
/// Ascending, in the unit of the samples, 1 to 6 of them: equal ones are named once. Take the
/// baseline's times of the window *before* the phase and keep the boundaries for the whole rollout;
/// picking them from what is tested is invalid.
///
/// # Errors
/// [`StatError`] for a time that is negative or not finite, or if no time is above zero.
///
/// ```
/// use hotfix_core::stats::latency::boundaries_from_samples;
/// let times: Vec<f64> = (1..=100).map(f64::from).collect();
/// let boundaries = boundaries_from_samples(&times)?;
/// assert_eq!(boundaries, [50.0, 75.0, 90.0, 95.0, 99.0, 198.0]);
/// # Ok::<(), hotfix_core::stats::StatError>(())
/// ```
pub fn boundaries_from_samples(samples: &[f64]) -> Result<Vec<f64>, StatError> {
    check_samples(samples)?;
    let mut sorted = samples.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let at = |quantile: f64| {
        // The least time that has this share at or below it; half an ulp must not push it to the
        // next.
        let rank = quantile * sorted.len() as f64 * (1.0 - 1e-12);
        sorted.iter().enumerate().find(|&(i, _)| (i + 1) as f64 >= rank).map(|(_, &time)| time)
    };
    let mut boundaries: Vec<f64> = QUANTILES.iter().filter_map(|&q| at(q)).collect();
    boundaries.extend(boundaries.last().map(|highest| FAR * highest));
    boundaries.retain(|&boundary| boundary > 0.0 && boundary.is_finite());
    boundaries.dedup();
    if boundaries.is_empty() { Err(StatError::NoTimes) } else { Ok(boundaries) }
}

/// Boundaries for times that are known by buckets: the edges nearest to those of
/// [`boundaries_from_samples`].
///
/// `counts[i]` of `count` requests took at most `edges[i]`. An edge is near a quantile where the
/// share slower than it is, as a ratio; far in the tail it is the first at or beyond twice the p99,
/// else the last. 1 to 6 of the edges, ascending.
///
/// # Errors
/// [`StatError`] without requests or edges, or if edges do not ascend from
/// above zero, or counts fall, are not finite, or are not one for each edge.
///
/// ```
/// use hotfix_core::stats::latency::boundaries_from_histogram;
/// let (edges, counts) = ([0.05, 0.1, 0.25, 0.5, 1.0, 2.5], [400.0, 700.0, 950.0, 990.0, 999.0,
///     1000.0]);
/// assert_eq!(boundaries_from_histogram(&edges, &counts, 1000.0)?, [0.05, 0.1, 0.25, 0.5, 1.0]);
/// # Ok::<(), hotfix_core::stats::StatError>(())
/// ```
pub fn boundaries_from_histogram(
    edges: &[f64],
    counts: &[f64],
    count: f64,
) -> Result<Vec<f64>, StatError> {
    check_histogram(edges, counts, count)?;
    let (Some(&last), true) = (edges.last(), count > 0.0) else {
        return Err(StatError::NoTimes);
    };
    // An empty tail counts as half a request, so that every ratio of shares is finite.
    let slower = |bucket: usize| (count - counts[bucket]).max(0.5) / count;
    let nearest = |quantile: f64| {
        let wanted = 1.0 - quantile;
        let miss = |bucket: usize| (slower(bucket) / wanted).max(wanted / slower(bucket));
        (1..edges.len())
            .fold(0, |best, bucket| if miss(bucket) < miss(best) { bucket } else { best })
    };
    let mut boundaries: Vec<f64> = QUANTILES.iter().map(|&q| edges[nearest(q)]).collect();
    let highest = boundaries.last().copied().unwrap_or(last);
    boundaries.push(edges.iter().copied().find(|&edge| edge >= FAR * highest).unwrap_or(last));
    boundaries.dedup();
    Ok(boundaries)
}

/// Requests slower than each boundary, from cumulative buckets that have every boundary as an edge.
///
/// Writes one count a boundary into `slow`.
///
/// # Errors
/// [`StatError`] if `slow` has another length, the buckets are not a
/// histogram, or a boundary is not an edge.
pub fn slow_from_histogram(
    boundaries: &[f64],
    edges: &[f64],
    counts: &[f64],
    count: f64,
    slow: &mut [f64],
) -> Result<(), StatError> {
    check_histogram(edges, counts, count)?;
    check_room(boundaries, slow)?;
    for (slow, &boundary) in slow.iter_mut().zip(boundaries) {
        let bucket = edges.iter().position(|&edge| edge == boundary);
        let bucket = bucket.ok_or(StatError::NoSuchEdge { boundary })?;
        *slow = count - counts[bucket];
    }
    Ok(())
}

/// Requests slower than each boundary, from their times.
///
/// Writes one count a boundary into `slow`.
///
/// # Errors
/// [`StatError`] for a time that is negative or not finite, or if `slow` has another length.
pub fn slow_from_samples(
    boundaries: &[f64],
    samples: &[f64],
    slow: &mut [f64],
) -> Result<(), StatError> {
    check_room(boundaries, slow)?;
    check_samples(samples)?;
    for (slow, &boundary) in slow.iter_mut().zip(boundaries) {
        *slow = samples.iter().filter(|&&sample| sample > boundary).count() as f64;
    }
    Ok(())
}

/// Checks a number of boundaries: 1 to [`MAX_BOUNDARIES`].
pub(super) fn check_number(boundaries: usize) -> Result<(), StatError> {
    Range::BOUNDARIES.check((1..=MAX_BOUNDARIES).contains(&boundaries), boundaries as f64)
}

/// Checks boundaries that somebody chose: 1 to [`MAX_BOUNDARIES`], ascending from above zero.
///
/// # Errors
/// [`StatError`] if there are too few or too many boundaries, or they do not ascend.
pub fn check_boundaries(boundaries: &[f64]) -> Result<(), StatError> {
    check_number(boundaries.len())?;
    if ascends(boundaries) { Ok(()) } else { Err(StatError::BoundaryOrder) }
}

fn check_room(boundaries: &[f64], slow: &[f64]) -> Result<(), StatError> {
    let (got, expected) = (slow.len(), boundaries.len());
    if got == expected { Ok(()) } else { Err(StatError::BoundaryMismatch { got, expected }) }
}

fn check_samples(samples: &[f64]) -> Result<(), StatError> {
    match samples.iter().find(|sample| !(0.0..=f64::MAX).contains(*sample)) {
        Some(&value) if value < 0.0 => Err(StatError::Negative { what: "time", value }),
        Some(&value) => Err(StatError::NotFinite { what: "time", value }),
        None => Ok(()),
    }
}

fn check_histogram(edges: &[f64], counts: &[f64], count: f64) -> Result<(), StatError> {
    let fault = if edges.len() != counts.len() {
        "as many counts as edges are needed"
    } else if !ascends(edges) {
        "edges must ascend from above zero"
    } else if !(count.is_finite() && counts.iter().chain([&count]).all(|&c| c >= 0.0)) {
        "counts must be finite and not negative"
    } else if !counts.iter().chain([&count]).is_sorted() {
        "counts at or below an edge must not fall, nor exceed all requests"
    } else {
        return Ok(());
    };
    Err(StatError::BadHistogram { fault })
}

fn ascends(edges: &[f64]) -> bool {
    edges.first().is_none_or(|&first| first > 0.0)
        && edges.windows(2).all(|pair| pair[0] < pair[1])
        && edges.iter().all(|edge| edge.is_finite())
}
