//! Fixed-sample tests and intervals of counts, for one evaluation.

use hotfix_core::stats::fixed;
use hotfix_core::stats::interval::wilson;

use crate::answer;
use crate::error::hotfix_error;
use crate::fixed::{
    alternative_of, bits, hotfix_apart, hotfix_counts, hotfix_fisher, hotfix_interval,
    hotfix_margin, hotfix_rates, of_interval, scale_of,
};
use crate::status::hotfix_status;

/// Fisher's exact test of two proportions, for one evaluation.
///
/// @param canary       Events and trials of the version under test.
/// @param baseline     Events and trials of the version that it is compared with.
/// @param alternative  A hotfix_alternative; GREATER: the canary's rate is higher.
/// @param out          The result; set its `struct_size` before the call. Written on success only.
/// @param err          Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for counts that are not whole or not in range, an arm without trials,
///         or a distribution that is too large.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_fisher_exact(
    canary: hotfix_counts,
    baseline: hotfix_counts,
    alternative: i32,
    out: *mut hotfix_fisher,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::structure(out, err, |struct_size| {
            let alternative = alternative_of(alternative)?;
            let test = fixed::fisher_exact(canary.into(), baseline.into(), alternative)?;
            Ok(hotfix_fisher {
                struct_size,
                p_value: test.p_value,
                odds_ratio: test.odds_ratio.unwrap_or(f64::NAN),
                difference: test.difference,
                has_odds_ratio: u32::from(test.odds_ratio.is_some()),
                assumptions: bits(test.assumptions),
            })
        })
    }
}

/// The exact conditional test of the ratio of two rates, for one evaluation.
///
/// @param canary       Events and exposure of the version under test.
/// @param baseline     Events and exposure of the version that it is compared with, in the same
///                     unit.
/// @param ratio        The canary's rate divided by the baseline's under the null hypothesis, such
///                     as 1.
/// @param alternative  A hotfix_alternative; GREATER: the true ratio is greater than `ratio`.
/// @param confidence   Confidence of the two-sided interval, such as 0.95.
/// @param out          The result; set its `struct_size` before the call. Written on success only.
/// @param err          Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for events that are not whole or not in range, an arm without
///         exposure, or an invalid ratio or confidence.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_poisson_ratio(
    canary: hotfix_counts,
    baseline: hotfix_counts,
    ratio: f64,
    alternative: i32,
    confidence: f64,
    out: *mut hotfix_rates,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::structure(out, err, |struct_size| {
            let (canary, baseline) = (canary.into(), baseline.into());
            let alternative = alternative_of(alternative)?;
            let test = fixed::poisson_ratio(canary, baseline, ratio, alternative, confidence)?;
            Ok(hotfix_rates {
                struct_size,
                p_value: test.p_value,
                ratio: test.ratio.unwrap_or(f64::NAN),
                low: test.interval.low,
                high: test.interval.high,
                has_ratio: u32::from(test.ratio.is_some()),
                assumptions: bits(test.assumptions),
            })
        })
    }
}

/// Farrington and Manning's test that the canary is not worse than the baseline by a margin, for
/// one evaluation.
///
/// @param canary    Events and trials of the version under test.
/// @param baseline  Events and trials of the version that it is compared with.
/// @param margin    The null hypothesis: the canary's rate is at least this many times the
///                  baseline's, or at least this much above it.
/// @param scale     A hotfix_scale: whether `margin` is a ratio or a difference.
/// @param out       The result; set its `struct_size` before the call. Written on success only.
/// @param err       Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for counts that are not in range, an arm without trials, or an
///         invalid margin.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_non_inferiority(
    canary: hotfix_counts,
    baseline: hotfix_counts,
    margin: f64,
    scale: i32,
    out: *mut hotfix_margin,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::structure(out, err, |struct_size| {
            let (canary, baseline) = (canary.into(), baseline.into());
            let test = fixed::non_inferiority(canary, baseline, margin, scale_of(scale)?)?;
            Ok(hotfix_margin {
                struct_size,
                z: test.z,
                p_value: test.p_value,
                difference: test.difference,
                restricted_canary: test.restricted.0,
                restricted_baseline: test.restricted.1,
                assumptions: bits(test.assumptions),
                reserved: 0,
            })
        })
    }
}

/// Two one-sided tests that two rates are within a margin of each other, for one evaluation.
///
/// @param canary    Events and trials of the version under test.
/// @param baseline  Events and trials of the version that it is compared with.
/// @param margin    A ratio above 1, or a difference above 0: the rates differ by less than this in
///                  either direction.
/// @param scale     A hotfix_scale: whether `margin` is a ratio or a difference.
/// @param out       The result; set its `struct_size` before the call. Written on success only.
/// @param err       Where an error object goes; may be null. Owned by the caller.
/// @return As hotfix_non_inferiority; HOTFIX_STATUS_STAT also for a margin that leaves no range
///         between its two bounds.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_equivalence(
    canary: hotfix_counts,
    baseline: hotfix_counts,
    margin: f64,
    scale: i32,
    out: *mut hotfix_apart,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::structure(out, err, |struct_size| {
            let (canary, baseline) = (canary.into(), baseline.into());
            let test = fixed::equivalence(canary, baseline, margin, scale_of(scale)?)?;
            Ok(hotfix_apart {
                struct_size,
                p_value: test.p_value,
                p_not_worse: test.not_worse.p_value,
                p_not_better: test.not_better.p_value,
                assumptions: bits(test.not_worse.assumptions),
                reserved: 0,
            })
        })
    }
}

/// Wilson's interval for one proportion; valid for one evaluation only.
///
/// @param counts      Events and trials; without trials the interval is 0 to 1.
/// @param confidence  Two-sided, such as 0.95.
/// @param out         The result; set its `struct_size` before the call. Written on success only.
/// @param err         Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for counts that are not in range, or an invalid confidence.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_wilson(
    counts: hotfix_counts,
    confidence: f64,
    out: *mut hotfix_interval,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::structure(out, err, |struct_size| {
            of_interval(struct_size, wilson(counts.into(), confidence))
        })
    }
}

/// Clopper and Pearson's interval for one proportion; valid for one evaluation only.
///
/// @param counts      Events and trials; without trials the interval is 0 to 1.
/// @param confidence  Two-sided, such as 0.95.
/// @param out         The result; set its `struct_size` before the call. Written on success only.
/// @param err         Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for counts that are not whole or not in range, a distribution that is
///         too large, or an invalid confidence.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_clopper_pearson(
    counts: hotfix_counts,
    confidence: f64,
    out: *mut hotfix_interval,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::structure(out, err, |struct_size| {
            of_interval(struct_size, fixed::clopper_pearson(counts.into(), confidence))
        })
    }
}

/// Newcombe's interval for the canary's proportion minus the baseline's; valid for one evaluation
/// only.
///
/// @param canary      Events and trials of the version under test.
/// @param baseline    Events and trials of the version that it is compared with.
/// @param confidence  Two-sided, such as 0.95.
/// @param out         The result; set its `struct_size` before the call. Written on success only.
/// @param err         Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for counts that are not in range, or an invalid confidence.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_newcombe(
    canary: hotfix_counts,
    baseline: hotfix_counts,
    confidence: f64,
    out: *mut hotfix_interval,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::structure(out, err, |struct_size| {
            of_interval(struct_size, fixed::newcombe(canary.into(), baseline.into(), confidence))
        })
    }
}
