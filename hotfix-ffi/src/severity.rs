//! What a policy says of an incident, and what is doubtful in it: deep values, so JSON.

use std::ffi::c_char;
use std::fmt;

use hotfix_core::canonical::CanonicalError;
use hotfix_core::fact::Facts;
use hotfix_core::policy::Policy;
use hotfix_core::unit::Timestamp;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::buffer::{hotfix_buf, put_text};
use crate::error::{Fallible, hotfix_error};
use crate::guard::guard;
use crate::pointer;
use crate::policy::{canonical, hotfix_policy};
use crate::status::hotfix_status;

/// The members of an object, and the first name that stands there twice: which of the two holds is not for us to choose.
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

/// Reads an incident's facts and writes what the policy makes of them.
unsafe fn answer(
    policy: *const hotfix_policy,
    (facts, facts_len): (*const c_char, usize),
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
    make: impl FnOnce(&Policy, &Facts) -> Fallible<String>,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_text(out, || {
                pointer::read(policy, "policy", |policy| {
                    let text = pointer::text(facts, facts_len, "facts")?;
                    make(policy, &read(text, policy)?)
                })
            })
        })
    }
}

/// How severe an incident is and whether it calls for a hot-fix, as JSON: {"severity", "at_worst", "hotfix", "settled",
/// "act_on", "rules", "undecided", "unknown", "decisive", "if_known", "would", "deduced", "contradictions", "exact"}.
///
/// The answer is certain of what follows for all values of the unknown facts that the policy's implications allow, and only
/// of that. What is unknown is never taken for no.
///
/// @param policy     A policy.
/// @param facts      What is known, by name: {"payment_failure_share": "55%", "service_down": false}; `null` is unknown,
///                   as is what is absent. UTF-8, borrowed; may be null with length 0 where nothing is known.
/// @param facts_len  Its length in bytes.
/// @param out        A buffer that the caller frees with hotfix_buf_free.
/// @param err        Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_FACT; the error has every fault with its code and place, not the first alone.
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

/// What is to be done about an incident by the policy's decision tree, or by the tree that its rules make, as JSON:
/// {"outcome", "settled", "path", "reachable", "gaps", "circular", "next_question", "contradictions", "exact"}.
///
/// `outcome` is {"id", "title", "severity", "hotfix", "deadline"}, or null while it is open; a deadline is in seconds, or
/// the name of a day. As certain as hotfix_policy_classify.
///
/// @param policy     A policy.
/// @param facts      As for hotfix_policy_classify.
/// @param facts_len  Its length in bytes.
/// @param out        A buffer that the caller frees with hotfix_buf_free.
/// @param err        Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_FACT; the error has every fault with its code and place, not the first alone.
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

/// Everything doubtful in a policy, as a JSON array of {"code", "level", "path", "message", "remedy", "example"}.
///
/// @param policy  A policy.
/// @param at      The present time as RFC 3339; UTF-8, borrowed. May be null with length 0: then nothing is said of what
///                is overdue.
/// @param at_len  Its length in bytes.
/// @param out     A buffer that the caller frees with hotfix_buf_free.
/// @param err     Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_UNIT for text that is no time.
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
        guard(err, || {
            put_text(out, || {
                pointer::read(policy, "policy", |policy| {
                    let at = match pointer::text(at, at_len, "at")? {
                        "" => None,
                        text => Some(text.parse::<Timestamp>().map_err(|error| {
                            Box::<hotfix_error>::from(error).at("at".to_owned())
                        })?),
                    };
                    canonical(&policy.lint(at))
                })
            })
        })
    }
}

/// The decision tree as a Mermaid flowchart: the policy's own, or the one that its rules make.
///
/// @param policy  A policy.
/// @param out     A buffer that the caller frees with hotfix_buf_free; empty text where there is neither.
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
        guard(err, || {
            put_text(out, || {
                pointer::read(policy, "policy", |p| Ok(p.tree_mermaid().unwrap_or_default()))
            })
        })
    }
}

/// The same in Graphviz's language.
///
/// @param policy  A policy.
/// @param out     A buffer that the caller frees with hotfix_buf_free; empty text where there is no tree.
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
    unsafe {
        guard(err, || {
            put_text(out, || {
                pointer::read(policy, "policy", |p| Ok(p.tree_dot().unwrap_or_default()))
            })
        })
    }
}
