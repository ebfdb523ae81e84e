//! Advice: which values of a policy keep false rollbacks under a bound, at the least harm (POST-5).

use std::ffi::c_char;

use hotfix_core::simulate::Search;
use serde_json::json;

use crate::buffer::{hotfix_buf, put_text};
use crate::error::hotfix_error;
use crate::guard::guard;
use crate::pointer;
use crate::policy::hotfix_policy;
use crate::status::hotfix_status;

/// Tries a policy with other values, every combination against the same luck, on the calling thread: {"most_false_rollbacks",
/// "runs", "candidates": [{"changes": {place: value}, "not_tried", "false_rollbacks", "at_most", "keeps", "missed_faults",
/// "completed", "hurt"}], "best"}. The first candidate is the policy as it is; "best" is the number of the one to take, and absent
/// where none keeps the bound. "not_tried" says why a candidate could not be, else it is absent.
///
/// @param policy        A policy.
/// @param question      TOML or JSON (docs/simulation.md) with "scenarios", "axes" (of "path" and "values"), "bound", "runs" and
///                      "seed"; UTF-8, borrowed. Without axes the usual ones are tried, without a bound 0.05 is allowed, without
///                      a seed it is the first scenario's.
/// @param question_len  Its length in bytes.
/// @param out           A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err           Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_SIMULATE for a question that cannot be read or does not fit the policy; the error has all faults, each
///         with its place in the question, as "/axes/0/path".
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
        guard(err, || {
            put_text(out, || {
                let question = pointer::text(question, question_len, "question")?;
                pointer::read(policy, "policy", |policy| {
                    let search = Search::read(policy, question)?;
                    Ok(json!(search.advice(&search.play(0..search.work()))).to_string())
                })
            })
        })
    }
}
