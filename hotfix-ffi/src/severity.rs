//! Severity, decision tree and lints of a policy. Returned as JSON, because the values are nested.

use std::ffi::c_char;
use std::fmt;

use hotfix_core::canonical::CanonicalError;
use hotfix_core::fact::Facts;
use hotfix_core::policy::Policy;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::answer;
use crate::buffer::hotfix_buf;
use crate::error::{Fallible, hotfix_error};
use crate::pointer;
use crate::policy::{canonical, hotfix_policy};
use crate::status::hotfix_status;
use crate::time::written;

/// The members of an object, and the first name that occurs twice: such an object is refused,
/// because either value could be meant.
#[derive(Default)]
struct Members {
    map: Map<String, Value>,
    twice: Option<String>,
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of facts by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Members, A::Error> {
                let mut members = Members::default();
                while let Some((name, value)) = access.next_entry::<String, Value>()? {
                    if members.map.contains_key(&name) {
                        members.twice.get_or_insert_with(|| name.clone());
                    }
                    members.map.insert(name, value);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

fn read(text: &str, policy: &Policy) -> Fallible<Facts> {
    if text.is_empty() {
        return Ok(Facts::default());
    }
    let members: Members = serde_json::from_str(text)
        .map_err(|error| CanonicalError::Syntax { reason: error.to_string() })?;
    match members.twice {
        Some(key) => Err(CanonicalError::DuplicateKey { key }.into()),
        None => Ok(Facts::read(&members.map, policy.vocabulary())?),
    }
}

/// Reads an incident's facts and writes the policy's answer.
unsafe fn answer(
    policy: *const hotfix_policy,
    (facts, facts_len): (*const c_char, usize),
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
    make: impl FnOnce(&Policy, &Facts) -> Fallible<String>,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text_of(policy, "policy", out, err, |policy| {
            let text = pointer::text(facts, facts_len, "facts")?;
            make(policy, &read(text, policy)?)
        })
    }
}

/// Classifies an incident: its severity and whether it calls for a hot-fix, as JSON: {"severity",
/// "at_worst", "definition", "hotfix", "settled", "act_on", "rules", "undecided", "unknown",
/// "decisive", "if_known", "would", "deduced", "contradictions", "exact"}.
///
/// The answer is certain only if it is the same for all values of the unknown facts that the
/// policy's implications allow. An unknown fact is never treated as "no".
///
/// @param policy     A policy.
/// @param facts      The known facts by name: {"payment_failure_share": "55%", "service_down":
///                   false}. A fact that is `null` or absent is unknown. UTF-8, borrowed; may be
///                   null with length 0 if nothing is known.
/// @param facts_len  Its length in bytes.
/// @param out        A buffer that the caller frees with hotfix_buf_free.
/// @param err        Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_FACT for facts that cannot be read; the error has every fault with its
///         code and place, not only the first.
///
/// Thread rule: any number of threads may use one policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_policy_classify(
    policy: *const hotfix_policy,
    facts: *const c_char,
    facts_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer(policy, (facts, facts_len), out, err, |policy, facts| {
            canonical(&policy.classify(facts))
        })
    }
}

/// Decides what to do about an incident, by the policy's decision tree or by the tree built from
/// its rules, as JSON: {"outcome", "settled", "path", "reachable", "gaps", "circular",
/// "next_question", "contradictions", "exact"}.
///
/// `outcome` is {"id", "title", "severity", "hotfix", "deadline"}, or null while it is open; a
/// deadline is in seconds, or the name of a day. It is as certain as the answer of
/// hotfix_policy_classify.
///
/// @param policy     A policy.
/// @param facts      As for hotfix_policy_classify.
/// @param facts_len  Its length in bytes.
/// @param out        A buffer that the caller frees with hotfix_buf_free.
/// @param err        Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_FACT for facts that cannot be read; the error has every fault with its
///         code and place, not only the first.
///
/// Thread rule: any number of threads may use one policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_policy_decide(
    policy: *const hotfix_policy,
    facts: *const c_char,
    facts_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer(policy, (facts, facts_len), out, err, |policy, facts| {
            canonical(&policy.decide(facts))
        })
    }
}

/// Lints a policy: its findings as a JSON array of {"code", "level", "path", "message", "remedy",
/// "example"}.
///
/// @param policy  A policy.
/// @param at      The present time as RFC 3339; UTF-8, borrowed. May be null with length 0: then
///                overdue dates are not checked.
/// @param at_len  Its length in bytes.
/// @param out     A buffer that the caller frees with hotfix_buf_free.
/// @param err     Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_UNIT if `at` is not a valid time.
///
/// Thread rule: any number of threads may use one policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_policy_lint(
    policy: *const hotfix_policy,
    at: *const c_char,
    at_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text_of(policy, "policy", out, err, |policy| {
            canonical(&policy.lint(written(at, at_len, "at")?))
        })
    }
}

/// The decision tree as a Mermaid flowchart: the policy's own, or the one built from its rules.
///
/// @param policy  A policy.
/// @param out     A buffer that the caller frees with hotfix_buf_free; empty text if the policy has
///                no tree and no rules.
/// @param err     Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may use one policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_policy_tree_mermaid(
    policy: *const hotfix_policy,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text_of(policy, "policy", out, err, |p| Ok(p.tree_mermaid().unwrap_or_default()))
    }
}

/// The decision tree in Graphviz's DOT language.
///
/// @param policy  A policy.
/// @param out     A buffer that the caller frees with hotfix_buf_free; empty text if there is no
///                tree.
/// @param err     Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may use one policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_policy_tree_dot(
    policy: *const hotfix_policy,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { answer::text_of(policy, "policy", out, err, |p| Ok(p.tree_dot().unwrap_or_default())) }
}
