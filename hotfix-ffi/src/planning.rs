//! Planning: what a comparison can detect, before anything is deployed.

use hotfix_core::stats::StatError;
use hotfix_core::stats::planning::{Chance, Comparison, gate};

use crate::answer;
use crate::error::{Fallible, hotfix_error};
use crate::status::hotfix_status;
use crate::versioned::{self, Versioned};

/// Traffic of both arms and the test that compares them. Set `struct_size` (HOTFIX_COMPARISON_INIT
/// does). The first three figures are required; any other member that is 0 has its default.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct hotfix_comparison {
    /// sizeof(hotfix_comparison), set by the caller.
    pub struct_size: usize,
    /// Requests per minute of both arms together, above 0.
    pub requests_per_minute: f64,
    /// The canary's share of the requests, above 0 and below 1.
    pub share: f64,
    /// The baseline's events per request, above 0 and at most 1.
    pub base_rate: f64,
    /// The tolerated ratio, at least 1; 0 for 1.
    pub tolerated: f64,
    /// Probability of a false rollback; 0 for 0.01.
    pub alpha: f64,
    /// Length of a tick in seconds; 0 for 10.
    pub tick_seconds: f64,
    /// Log evidence that decides; 0 for ln(1/alpha).
    pub threshold: f64,
}

// SAFETY: repr(C), the size first, members of 8 bytes; all zero bytes are a value.
unsafe impl Versioned for hotfix_comparison {}

/// The expected time to detect a regression, by the planning formula. Set `struct_size` before the
/// call (HOTFIX_DETECTION_TIME_INIT does).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct hotfix_detection_time {
    /// sizeof(hotfix_detection_time), set by the caller.
    pub struct_size: usize,
    /// Lower bound in minutes: no test with this alpha is faster on average.
    pub bound: f64,
    /// Expected minutes of this library's test; infinite for a ratio that is tolerated, or so near that
    /// none of the test's bets gains from it.
    pub expected: f64,
    /// `bound` in ticks.
    pub bound_ticks: f64,
    /// `expected` in ticks.
    pub expected_ticks: f64,
    /// Failed requests of the canary until the detection.
    pub failed_requests: f64,
    /// The number of those that would have succeeded on the baseline.
    pub requests_affected: f64,
}

// SAFETY: repr(C), the size first; written only.
unsafe impl Versioned for hotfix_detection_time {}

/// The probability that a test has decided by some time. Set `struct_size` before the call
/// (HOTFIX_CHANCE_INIT does).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct hotfix_chance {
    /// sizeof(hotfix_chance), set by the caller.
    pub struct_size: usize,
    /// The probability, 0 to 1.
    pub chance: f64,
    /// 1 if more than one event a tick is expected, so that it is too high, if more than 5% of an
    /// arm's requests fail, or if it is from the Brownian approximation, which is too low for small
    /// probabilities; 0 if it is exact for independent errors.
    pub approximate: u64,
}

// SAFETY: repr(C), the size first; written only.
unsafe impl Versioned for hotfix_chance {}

unsafe fn comparison(at: *const hotfix_comparison) -> Fallible<Comparison> {
    // SAFETY: the caller keeps the header's contract.
    let read = unsafe { versioned::read(at, "comparison")? };
    let usual = Comparison::new(read.requests_per_minute, read.share, read.base_rate);
    let or = |value: f64, usual: f64| if value == 0.0 { usual } else { value };
    Ok(Comparison {
        tolerated: or(read.tolerated, usual.tolerated),
        alpha: or(read.alpha, usual.alpha),
        tick_seconds: or(read.tick_seconds, usual.tick_seconds),
        threshold: (read.threshold != 0.0).then_some(read.threshold),
        ..usual
    })
}

/// The expected time to detect a regression of a given ratio.
///
/// @param comparison  Traffic and test; set its `struct_size` before the call. Borrowed.
/// @param ratio       The canary's rate divided by the baseline's.
/// @param out         Times and requests; set its `struct_size` before the call. Written on success
///                    only.
/// @param err         Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for invalid figures.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_time_to_detect(
    comparison: *const hotfix_comparison,
    ratio: f64,
    out: *mut hotfix_detection_time,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::structure(out, err, |struct_size| {
            let time = self::comparison(comparison)?.time_to_detect(ratio)?;
            Ok(hotfix_detection_time {
                struct_size,
                bound: time.bound,
                expected: time.expected,
                bound_ticks: time.bound_ticks,
                expected_ticks: time.expected_ticks,
                failed_requests: time.failed_requests,
                requests_affected: time.requests_affected,
            })
        })
    }
}

/// The smallest ratio that is detected within some minutes with a given probability.
///
/// @param comparison  Traffic and test; set its `struct_size` before the call. Borrowed.
/// @param minutes     Duration of the comparison.
/// @param power       Probability of detection, such as 0.8.
/// @param out         The ratio; infinite if no ratio is detected so often. Written on success
///                    only.
/// @param err         Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for invalid figures.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_detectable_ratio(
    comparison: *const hotfix_comparison,
    minutes: f64,
    power: f64,
    out: *mut f64,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::number(out, err, || {
            let smallest = self::comparison(comparison)?.detectable_ratio(minutes, power)?;
            Ok(smallest.unwrap_or(f64::INFINITY))
        })
    }
}

fn chance(struct_size: usize, found: Result<Chance, StatError>) -> Fallible<hotfix_chance> {
    let Chance { chance, approximate, .. } = found?;
    Ok(hotfix_chance { struct_size, chance, approximate: u64::from(approximate) })
}

/// The probability that a regression is detected within some minutes; for ratio 1 the probability
/// of a false rollback.
///
/// @param comparison  Traffic and test; set its `struct_size` before the call. Borrowed.
/// @param ratio       The canary's rate divided by the baseline's.
/// @param minutes     Duration of the comparison; only complete ticks count.
/// @param out         The probability; set its `struct_size` before the call. Written on success
///                    only.
/// @param err         Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for invalid figures.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_chance_to_decide(
    comparison: *const hotfix_comparison,
    ratio: f64,
    minutes: f64,
    out: *mut hotfix_chance,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::structure(out, err, |size| {
            chance(size, self::comparison(comparison)?.chance_to_decide(ratio, minutes))
        })
    }
}

/// The probability that, within some minutes, the test shows that the canary is not worse than a
/// margin.
///
/// @param comparison  Traffic; its test is not used. Set its `struct_size` before the call.
///                    Borrowed.
/// @param ratio       The true ratio of the canary's rate to the baseline's.
/// @param minutes     Duration of the comparison.
/// @param margin      The ratio below which the canary has to be shown to be; a margin of at most 1
///                    is a claim of efficacy.
/// @param alpha       Probability of a wrong claim for a canary at the margin, such as 0.05.
/// @param out         The probability; set its `struct_size` before the call. Written on success
///                    only.
/// @param err         Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for invalid figures.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_chance_to_promote(
    comparison: *const hotfix_comparison,
    ratio: f64,
    minutes: f64,
    margin: f64,
    alpha: f64,
    out: *mut hotfix_chance,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::structure(out, err, |size| {
            let comparison = self::comparison(comparison)?;
            chance(size, comparison.chance_to_promote(ratio, minutes, margin, alpha))
        })
    }
}

/// The minutes after which half of all rollouts have shown that the canary is not worse than a
/// margin.
///
/// @param comparison  Traffic; its test is not used. Set its `struct_size` before the call.
///                    Borrowed.
/// @param ratio       The true ratio of the canary's rate to the baseline's.
/// @param margin      The ratio below which the canary has to be shown to be.
/// @param alpha       Probability of a wrong claim for a canary at the margin, such as 0.05.
/// @param out         The minutes; infinite if it takes more than 20,000 events or is not shown so
///                    often. Written on success only.
/// @param err         Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for invalid figures.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_time_to_promote(
    comparison: *const hotfix_comparison,
    ratio: f64,
    margin: f64,
    alpha: f64,
    out: *mut f64,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::number(out, err, || {
            let minutes = self::comparison(comparison)?.time_to_promote(ratio, margin, alpha)?;
            Ok(minutes.unwrap_or(f64::INFINITY))
        })
    }
}

/// The probability that the share of failures is at or below a bound on some requests; exact for
/// independent errors.
///
/// @param requests  Number of requests.
/// @param rate      Probability that a request fails.
/// @param at_most   The bound on the share of failures.
/// @param out       The probability. Written on success only.
/// @param err       Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for invalid figures.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_gate_pass_chance(
    requests: f64,
    rate: f64,
    at_most: f64,
    out: *mut f64,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { answer::number(out, err, || Ok(gate::pass_chance(requests, rate, at_most)?)) }
}

/// The ratio that one test at the end detects with a given probability, by the square-root
/// approximation.
///
/// @param base_rate        The baseline's events per request.
/// @param canary_trials    The canary's requests at the end.
/// @param baseline_trials  The baseline's.
/// @param alpha            One-sided, such as 0.01.
/// @param power            Probability of detection, such as 0.8.
/// @param out              The ratio. Written on success only.
/// @param err              Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for invalid figures.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_fixed_horizon_ratio(
    base_rate: f64,
    canary_trials: f64,
    baseline_trials: f64,
    alpha: f64,
    power: f64,
    out: *mut f64,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::number(out, err, || {
            Ok(gate::fixed_horizon_ratio(base_rate, canary_trials, baseline_trials, alpha, power)?)
        })
    }
}

/// The number of requests of both arms that one test at the end needs to detect a ratio with a
/// given probability.
///
/// @param base_rate  The baseline's events per request.
/// @param share      The canary's share of the requests.
/// @param ratio      Above 1.
/// @param alpha      One-sided, such as 0.01.
/// @param power      Probability of detection, such as 0.8.
/// @param out        The requests. Written on success only.
/// @param err        Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for invalid figures.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_fixed_horizon_trials(
    base_rate: f64,
    share: f64,
    ratio: f64,
    alpha: f64,
    power: f64,
    out: *mut f64,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::number(out, err, || {
            Ok(gate::fixed_horizon_trials(base_rate, share, ratio, alpha, power)?)
        })
    }
}
