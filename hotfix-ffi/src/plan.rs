//! Plans: a policy, an incident, a release and its traffic.

use std::ffi::c_char;
use std::sync::Arc;

use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;

use crate::answer;
use crate::buffer::{hotfix_buf, hotfix_digest};
use crate::error::{Fallible, hotfix_error};
use crate::guard::Guarded;
use crate::pointer::{self, handle};
use crate::policy::{canonical, hex, hotfix_policy};
use crate::status::hotfix_status;
use crate::time::moment;

/// The plan of one hot-fix. Immutable.
pub struct hotfix_plan(Guarded<Plan>);

handle!(hotfix_plan, Plan);

/// Makes a plan from JSON documents.
///
/// @param policy        A policy; the plan keeps what it needs and does not refer to it.
/// @param incident      {"id", "service", "title", "facts", "began_at", "detected_at", "severity"};
///                      UTF-8, borrowed.
/// @param incident_len  Its length in bytes.
/// @param release       {"version", "previous", "methods": [{"kind", "seconds"}], …}; UTF-8,
///                      borrowed; may be null with length 0 while there is no fix yet.
/// @param release_len   Its length in bytes.
/// @param traffic       {"requests_per_minute", …}; UTF-8, borrowed; may be null with length 0.
/// @param traffic_len   Its length in bytes.
/// @param out           The plan; the caller frees it with hotfix_plan_free. Null on failure.
/// @param err           Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_PLAN with the place as a JSON Pointer.
///
/// Thread rule: any number of threads may use one policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_plan_new(
    policy: *const hotfix_policy,
    incident: *const c_char,
    incident_len: usize,
    release: *const c_char,
    release_len: usize,
    traffic: *const c_char,
    traffic_len: usize,
    out: *mut *mut hotfix_plan,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        let texts = [(incident, incident_len), (release, release_len), (traffic, traffic_len)];
        answer::handle(out, err, || {
            let (policy, [incident, release, traffic]) = parts(policy, texts)?;
            Ok(Plan::from_json(policy, incident, release, traffic)?)
        })
    }
}

/// The policy and the documents of a plan: incident, release and traffic.
unsafe fn parts<'a>(
    policy: *const hotfix_policy,
    texts: [(*const c_char, usize); 3],
) -> Fallible<(Arc<Policy>, [&'a str; 3])> {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        let policy = pointer::read(policy, "policy", |policy| Ok(Arc::clone(policy)))?;
        let text = |part: usize, name| pointer::text(texts[part].0, texts[part].1, name);
        Ok((policy, [text(0, "incident")?, text(1, "release")?, text(2, "traffic")?]))
    }
}

/// Makes a plan whose tests are calibrated on the service's own history.
///
/// The plan keeps the result of the calibration (threshold, cap and hold level by metric and phase)
/// and the digest of the history. Both are in the first line of the log, so a log can be replayed
/// without the history.
///
/// @param policy           A policy with the evidence mode `replay` or `both`; the plan keeps what
///                         it needs.
/// @param incident         As for hotfix_plan_new.
/// @param incident_len     Its length in bytes.
/// @param release          As for hotfix_plan_new.
/// @param release_len      Its length in bytes.
/// @param traffic          As for hotfix_plan_new; may be null with length 0.
/// @param traffic_len      Its length in bytes.
/// @param calibration      {metric: {instance: [[events, trials], …]}}, one pair for each tick of
///                         the policy's cadence; of a latency rows of requests up to each of its
///                         boundaries and of all. May be empty. UTF-8, borrowed.
/// @param calibration_len  Its length in bytes.
/// @param out              The plan; the caller frees it with hotfix_plan_free. Null on failure.
/// @param err              Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_PLAN with the place as a JSON Pointer.
///
/// Thread rule: any number of threads may use one policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_plan_new_calibrated(
    policy: *const hotfix_policy,
    incident: *const c_char,
    incident_len: usize,
    release: *const c_char,
    release_len: usize,
    traffic: *const c_char,
    traffic_len: usize,
    calibration: *const c_char,
    calibration_len: usize,
    out: *mut *mut hotfix_plan,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        let texts = [(incident, incident_len), (release, release_len), (traffic, traffic_len)];
        answer::handle(out, err, || {
            let (policy, [incident, release, traffic]) = parts(policy, texts)?;
            let calibration = pointer::text(calibration, calibration_len, "calibration")?;
            Ok(Plan::calibrated_from_json(policy, incident, release, traffic, calibration)?)
        })
    }
}

/// The power analysis of a plan: which faults each phase can detect, before anything is deployed.
///
/// {"requests_per_minute", "metric", "phases": [{"phase", "expected_events", "healthy_passes",
/// "false_rollback": {"chance", "approximate"}, "faults": [{"ratio", "passes", "plain",
/// "sequential", …}], "smallest_ratio", …}], "all_gates", "metrics", "unforeseen",
/// "advice": [{"metric", "phases", "kind", "sentence", …}], …}. Probabilities are from 0 to 1; they
/// are exact for independent errors unless `approximate` is set. Without a reference "phases" and
/// "all_gates" are absent, and "missing" says what the analysis lacks. The call takes tens of
/// milliseconds: keep the answer.
///
/// @param plan  A plan.
/// @param out   A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err   Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may use one plan.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_plan_power(
    plan: *const hotfix_plan,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { answer::text_of(plan, "plan", out, err, |plan| canonical(&plan.power())) }
}

/// The timeline of a rollout without interruptions: [{"offset", "at", "step", "phase"}, …], offsets
/// in seconds.
///
/// @param plan      A plan.
/// @param start_ms  The start, in milliseconds since 1970-01-01T00:00:00Z.
/// @param out       A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err       Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may use one plan.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_plan_timeline(
    plan: *const hotfix_plan,
    start_ms: i64,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            let start = moment(start_ms, "start_ms")?;
            pointer::read(plan, "plan", |plan| canonical(&plan.timeline(start)))
        })
    }
}

/// The policy that a plan follows, with the strategy that the release chose and its phases.
///
/// @param plan  A plan; the policy does not refer to it.
/// @param out   The policy; the caller frees it with hotfix_policy_free. Null on failure.
/// @param err   Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may use one plan.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_plan_policy(
    plan: *const hotfix_plan,
    out: *mut *mut hotfix_policy,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::handle(out, err, || pointer::read(plan, "plan", |plan| Ok(plan.shared_policy())))
    }
}

/// SHA-256 of policy, incident, release, traffic and calibrations in canonical JSON; the same on
/// every platform.
///
/// @param plan  A plan.
/// @param out   The digest. Written on success only.
/// @param err   Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may use one plan.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_plan_digest(
    plan: *const hotfix_plan,
    out: *mut hotfix_digest,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { answer::value_of(plan, "plan", (out, "out"), err, |plan| hex(Some(plan.digest()))) }
}

/// Frees a plan; rollouts made from it stay valid.
///
/// @param plan  A plan, or null.
///
/// Thread rule: one thread, after every other use of this handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_plan_free(plan: *mut hotfix_plan) {
    pointer::free(plan);
}
