//! Advice: the values of a policy that keep false rollbacks below a bound, at the least harm.

use std::ffi::c_char;

use hotfix_core::simulate::Search;

use crate::answer;
use crate::buffer::hotfix_buf;
use crate::error::hotfix_error;
use crate::pointer;
use crate::policy::{hotfix_policy, sorted};
use crate::status::hotfix_status;

/// Simulates a policy with other values: every combination, all with the same random seed, on the
/// calling thread. The result is {"most_false_rollbacks", "runs", "candidates": [{"changes":
/// {place: value}, "not_tried", "false_rollbacks", "at_most", "keeps", "missed_faults",
/// "completed", "affected"}], "best"}. The first candidate is the policy as it is. "best" is the
/// index of the recommended candidate; it is absent if no candidate keeps the bound. "not_tried"
/// gives the reason why a candidate could not be simulated; otherwise it is absent.
///
/// @param policy        A policy.
/// @param question      TOML or JSON (docs/simulation.md) with "scenarios", "axes" (of "path" and
///                      "values"), "bound", "runs" and "seed"; UTF-8, borrowed. Defaults: the usual
///                      axes, a bound of 0.05, and the seed of the first scenario.
/// @param question_len  Its length in bytes.
/// @param out           A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err           Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_SIMULATE if the question cannot be read or does not fit the policy. The
///         error has every fault, each with its place in the question, such as "/axes/0/path".
///
/// Thread rule: any number of threads may use one policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_simulate_advise(
    policy: *const hotfix_policy,
    question: *const c_char,
    question_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            let question = pointer::text(question, question_len, "question")?;
            pointer::read(policy, "policy", |policy| {
                let search = Search::read(policy, question)?;
                sorted(&search.advice(&search.play(0..search.work())))
            })
        })
    }
}
