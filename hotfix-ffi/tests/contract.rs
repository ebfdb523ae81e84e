//! What every function promises: nulls, UTF-8, enums, struct sizes, poison. One line a function.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at what it did not expect")]
#![allow(clippy::result_large_err, reason = "a test reads the whole error")]

mod common;

use std::ffi::c_char;
use std::ptr::{dangling_mut, null, null_mut};

use common::{Failed, NOTHING, Plan, Policy, Rollout, action, call, in_crate, outcome, raw, text};
use hotfix::audit::*;
use hotfix::buffer::*;
use hotfix::error::*;
use hotfix::hook::*;
use hotfix::outcome::*;
use hotfix::plan::*;
use hotfix::policy::*;
use hotfix::rate_ratio::*;
use hotfix::reading::*;
use hotfix::rollout::*;
use hotfix::status::*;
use hotfix::time::*;
use hotfix::version::*;
use hotfix::view::*;

fn empty_buf() -> hotfix_buf {
    hotfix_buf { data: null_mut(), len: 0 }
}

fn evidence() -> hotfix_evidence {
    // SAFETY: all zero bytes are a value of this struct.
    let zero: hotfix_evidence = unsafe { std::mem::zeroed() };
    hotfix_evidence { struct_size: size_of::<hotfix_evidence>(), ..zero }
}

fn rate_ratio() -> *mut hotfix_rate_ratio {
    let mut out = null_mut();
    // SAFETY: a live slot.
    call(|e| unsafe { hotfix_rate_ratio_new(NOTHING.0, 0, &raw mut out, e) }).unwrap();
    out
}

/// Calls that must fail in one way, collected so that all faults are seen at once.
struct Wanted(hotfix_status, Vec<String>);

impl Wanted {
    fn check(&mut self, name: &str, result: Result<(), Failed>) {
        match result {
            Err(failed) if failed.status == self.0 => {
                if failed.code.is_empty() || failed.message.is_empty() {
                    self.1.push(format!("{name}: {failed:?}"));
                }
            }
            other => self.1.push(format!("{name}: {other:?}, expected {:?}", self.0)),
        }
    }

    fn end(self) {
        assert!(self.1.is_empty(), "{}", self.1.join("\n"));
    }
}

macro_rules! fails {
    ($status:ident: $($function:ident($($argument:expr),* $(,)?);)*) => {{
        let mut wanted = Wanted(hotfix_status::$status, Vec::new());
        $(
            // SAFETY: each argument is live, or null where that is what is tested.
            let result = call(|e| unsafe { $function($($argument,)* e) });
            wanted.check(stringify!($function($($argument),*)), result);
        )*
        wanted.end();
    }};
}

#[test]
fn a_null_pointer_is_an_error_everywhere() {
    let (policy, plan, rollout, test) =
        (Policy::preset("phased-canary").unwrap(), Plan::any(), Rollout::any(), rate_ratio());
    let (mut buf, mut out, mut act, mut seen) = (empty_buf(), outcome(), action(), evidence());
    let buf = &raw mut buf;
    let (json, len) = raw("{}");
    let keep = hotfix_recording::Keep as i32;
    let (mut ms, mut new) = (0, null_mut());
    let mut new_rollout = null_mut();
    fails! { Null:
        hotfix_time_parse(null(), 1, &raw mut ms);
        hotfix_time_parse(raw("2026-03-03T14:40:00Z").0, 20, null_mut());
        hotfix_time_format(0, null_mut());
        hotfix_policy_presets(null_mut());
        hotfix_policy_preset(null(), 1, &raw mut new);
        hotfix_policy_preset(json, len, null_mut());
        hotfix_policy_from_toml(null(), 1, &raw mut new);
        hotfix_policy_from_toml(json, len, null_mut());
        hotfix_policy_from_json(null(), 1, &raw mut new);
        hotfix_policy_from_json(json, len, null_mut());
        hotfix_policy_to_json(null(), buf);
        hotfix_policy_to_json(policy.0, null_mut());
        hotfix_policy_to_toml(null(), buf);
        hotfix_policy_to_toml(policy.0, null_mut());
        hotfix_policy_digest(null(), dangling_mut());
        hotfix_policy_digest(policy.0, null_mut());
        hotfix_policy_clone(null(), &raw mut new);
        hotfix_policy_clone(policy.0, null_mut());
        hotfix_plan_new(null(), json, len, json, len, json, len, &mut null_mut());
        hotfix_plan_new(policy.0, null(), 1, json, len, json, len, &mut null_mut());
        hotfix_plan_new(policy.0, json, len, null(), 1, json, len, &mut null_mut());
        hotfix_plan_new(policy.0, json, len, json, len, null(), 1, &mut null_mut());
        hotfix_plan_new(policy.0, json, len, json, len, json, len, null_mut());
        hotfix_plan_timeline(null(), 0, buf);
        hotfix_plan_timeline(plan.0, 0, null_mut());
        hotfix_plan_digest(null(), dangling_mut());
        hotfix_plan_digest(plan.0, null_mut());
        hotfix_rollout_new(null(), keep, null(), 0, &raw mut new_rollout);
        hotfix_rollout_new(plan.0, keep, null(), 1, &raw mut new_rollout);
        hotfix_rollout_new(plan.0, keep, null(), 0, null_mut());
        hotfix_rollout_handle(null_mut(), 0, raw(r#"{"kind": "tick"}"#).0, 16, &raw mut out);
        hotfix_rollout_handle(rollout.0, 0, null(), 1, &raw mut out);
        hotfix_rollout_handle(rollout.0, 0, json, len, null_mut());
        hotfix_rollout_observe(null_mut(), 0, null(), 0, null(), &raw mut out);
        hotfix_rollout_observe(rollout.0, 0, null(), 1, null(), &raw mut out);
        hotfix_rollout_observe(rollout.0, 0, null(), 0, null(), null_mut());
        hotfix_rollout_replay(null(), 1, keep, &raw mut new_rollout);
        hotfix_rollout_replay(json, len, keep, null_mut());
        hotfix_rollout_recover(null(), 1, keep, &raw mut new_rollout, null_mut());
        hotfix_rollout_recover(json, len, keep, null_mut(), null_mut());
        hotfix_rollout_state(null(), dangling_mut());
        hotfix_rollout_state(rollout.0, null_mut());
        hotfix_rollout_phase(null(), dangling_mut());
        hotfix_rollout_phase(rollout.0, null_mut());
        hotfix_rollout_share(null(), dangling_mut());
        hotfix_rollout_share(rollout.0, null_mut());
        hotfix_rollout_poll_at(null(), dangling_mut());
        hotfix_rollout_poll_at(rollout.0, null_mut());
        hotfix_rollout_verdict(null(), buf);
        hotfix_rollout_verdict(rollout.0, null_mut());
        hotfix_rollout_head(null(), dangling_mut());
        hotfix_rollout_head(rollout.0, null_mut());
        hotfix_rollout_log(null(), dangling_mut());
        hotfix_rollout_log(rollout.0, null_mut());
        hotfix_rollout_action(null(), 0, &raw mut act);
        hotfix_rollout_action(rollout.0, 0, null_mut());
        hotfix_rollout_actions(null(), buf);
        hotfix_rollout_actions(rollout.0, null_mut());
        hotfix_rollout_pending_count(null(), dangling_mut());
        hotfix_rollout_pending_count(rollout.0, null_mut());
        hotfix_rollout_pending_action(null(), 0, &raw mut act);
        hotfix_rollout_pending_action(rollout.0, 0, null_mut());
        hotfix_rollout_pending_actions(null(), buf);
        hotfix_rollout_pending_actions(rollout.0, null_mut());
        hotfix_audit(null(), 1, null(), 0, buf);
        hotfix_audit(json, len, null(), 1, buf);
        hotfix_audit(json, len, null(), 0, null_mut());
        hotfix_rate_ratio_new(null(), 1, &mut null_mut());
        hotfix_rate_ratio_new(json, len, null_mut());
        hotfix_rate_ratio_update(null_mut(), 0.0, 1.0, 0.0, 1.0, null_mut());
        hotfix_rate_ratio_evidence(null(), &raw mut seen);
        hotfix_rate_ratio_evidence(test, null_mut());
        hotfix_rate_ratio_merge(null_mut(), test, null_mut());
        hotfix_rate_ratio_merge(test, null(), null_mut());
        hotfix_rate_ratio_to_bytes(null(), buf);
        hotfix_rate_ratio_to_bytes(test, null_mut());
        hotfix_rate_ratio_from_bytes(null(), 1, &mut null_mut());
        hotfix_rate_ratio_from_bytes(json, len, null_mut());
    }
    assert!(new.is_null() && new_rollout.is_null());
    // SAFETY: made once, freed once.
    unsafe { hotfix_rate_ratio_free(test) };
}

#[test]
fn text_that_is_not_utf_8_is_an_error_everywhere() {
    let (policy, plan, rollout) =
        (Policy::preset("phased-canary").unwrap(), Plan::any(), Rollout::any());
    let (mut buf, mut out) = (empty_buf(), outcome());
    let (bad, n): (*const c_char, usize) = (c"ab\xff".as_ptr(), 3);
    let (json, len) = raw("{}");
    let keep = hotfix_recording::Keep as i32;
    let mut ms = 0;
    fails! { Utf8:
        hotfix_time_parse(bad, n, &raw mut ms);
        hotfix_policy_preset(bad, n, &mut null_mut());
        hotfix_policy_from_toml(bad, n, &mut null_mut());
        hotfix_policy_from_json(bad, n, &mut null_mut());
        hotfix_plan_new(policy.0, bad, n, json, len, json, len, &mut null_mut());
        hotfix_plan_new(policy.0, json, len, bad, n, json, len, &mut null_mut());
        hotfix_plan_new(policy.0, json, len, json, len, bad, n, &mut null_mut());
        hotfix_rollout_new(plan.0, keep, bad, n, &mut null_mut());
        hotfix_rollout_handle(rollout.0, 0, bad, n, &raw mut out);
        hotfix_audit(json, len, bad, n, &raw mut buf);
        hotfix_rate_ratio_new(bad, n, &mut null_mut());
        hotfix_rate_ratio_from_bytes(bad, n, &mut null_mut());
    }
    fails! { Log:
        hotfix_rollout_replay(bad, n, keep, &mut null_mut());
        hotfix_rollout_recover(bad, n, keep, &mut null_mut(), null_mut());
        hotfix_rollout_recover(null(), 0, keep, &mut null_mut(), null_mut());
    }
    // SAFETY: a buffer of the library, empty after each failure.
    assert!(buf.data.is_null());
}

#[test]
fn numbers_and_sizes_are_checked() {
    let (plan, rollout) = (Plan::any(), Rollout::any());
    let (mut out, mut act, mut seen) = (outcome(), action(), evidence());
    let (json, len) = raw("{}");
    fails! { Enum:
        hotfix_rollout_new(plan.0, 0, null(), 0, &mut null_mut());
        hotfix_rollout_replay(json, len, 4, &mut null_mut());
        hotfix_rollout_recover(json, len, -1, &mut null_mut(), null_mut());
    }
    fails! { Range:
        hotfix_rollout_action(rollout.0, 0, &raw mut act);
        hotfix_rollout_pending_action(rollout.0, 0, &raw mut act);
        hotfix_rollout_observe(rollout.0, 0, null(), 5000, null(), &raw mut out);
        hotfix_policy_preset(json, usize::MAX, &mut null_mut());
    }
    fails! { Unit:
        hotfix_time_format(i64::MAX, &mut empty_buf());
        hotfix_plan_timeline(plan.0, i64::MIN, &mut empty_buf());
        hotfix_rollout_observe(rollout.0, i64::MAX, null(), 0, null(), &raw mut out);
        hotfix_audit(json, len, json, len, &mut empty_buf());
    }
    for size in [0, 7, 8, size_of::<hotfix_outcome>() + 4, 1 << 20] {
        (out.struct_size, act.struct_size, seen.struct_size) = (size, size, size);
        fails! { Struct:
            hotfix_rollout_observe(rollout.0, 0, null(), 0, null(), &raw mut out);
            hotfix_rollout_handle(rollout.0, 0, json, len, &raw mut out);
            hotfix_rollout_action(rollout.0, 0, &raw mut act);
            hotfix_rollout_pending_action(rollout.0, 0, &raw mut act);
            hotfix_rate_ratio_evidence(null(), &raw mut seen);
        }
    }
}

#[test]
fn a_longer_out_struct_keeps_its_size_and_gets_a_zero_tail() {
    #[repr(C)]
    struct Later(hotfix_outcome, [u64; 2]);
    let rollout = Rollout::any();
    let mut later = Later(outcome(), [7; 2]);
    later.0.struct_size = size_of::<Later>();
    let (input, len) = raw(r#"{"kind": "note", "by": "lena", "text": "hm"}"#);
    // SAFETY: the struct is as long as it says.
    call(|e| unsafe { hotfix_rollout_handle(rollout.0, 0, input, len, &raw mut later.0, e) })
        .unwrap();
    assert_eq!((later.0.struct_size, later.1), (size_of::<Later>(), [0; 2]));
    assert_eq!(text(later.0.events).lines().count(), 2);
}

fn reading(metric: &str) -> hotfix_reading {
    // SAFETY: all zero bytes are a value of this struct.
    let zero: hotfix_reading = unsafe { std::mem::zeroed() };
    hotfix_reading {
        struct_size: size_of::<hotfix_reading>(),
        metric: metric.as_ptr().cast(),
        metric_len: metric.len(),
        form: hotfix_form::Pair as i32,
        flags: HOTFIX_READING_CANARY | HOTFIX_READING_BASELINE,
        canary: [0.0, 100.0],
        baseline: [3.0, 900.0],
        ..zero
    }
}

fn observe(
    rollout: &Rollout,
    readings: &[hotfix_reading],
    sender: *const hotfix_sender,
) -> Result<hotfix_outcome, Failed> {
    let mut out = outcome();
    // SAFETY: live structs.
    call(|e| unsafe {
        hotfix_rollout_observe(
            rollout.0,
            0,
            readings.as_ptr(),
            readings.len(),
            sender,
            &raw mut out,
            e,
        )
    })?;
    Ok(out)
}

#[test]
fn met_6_readings_that_are_none_change_nothing() {
    let rollout = Rollout::any();
    let mut start = outcome();
    let (input, len) = raw(r#"{"kind": "start", "by": "lena"}"#);
    // SAFETY: live handle and text.
    call(|e| unsafe { hotfix_rollout_handle(rollout.0, 0, input, len, &raw mut start, e) })
        .unwrap();
    let good = reading("error_rate");
    let histogram =
        hotfix_reading { form: hotfix_form::Histogram as i32, le_len: 3, ..reading("latency_p95") };
    let samples = hotfix_reading {
        form: hotfix_form::Samples as i32,
        canary_samples_len: 3,
        ..reading("latency_p95")
    };
    let cases = [
        (hotfix_reading { form: 0, ..good }, hotfix_status::Enum, "/metrics/error_rate"),
        (hotfix_reading { form: 5, ..good }, hotfix_status::Enum, "/metrics/error_rate"),
        (hotfix_reading { flags: 8, ..good }, hotfix_status::Enum, "/metrics/error_rate"),
        (hotfix_reading { struct_size: 40, ..good }, hotfix_status::Struct, "readings"),
        (hotfix_reading { metric: null(), ..good }, hotfix_status::Null, "metric"),
        (reading("Error Rate"), hotfix_status::Unit, "/readings/0/metric"),
        (reading(""), hotfix_status::Unit, "/readings/0/metric"),
        (histogram, hotfix_status::Null, "/metrics/latency_p95"),
        (samples, hotfix_status::Null, "/metrics/latency_p95"),
        (reading("error_rat"), hotfix_status::Refused, "/metrics/error_rat"),
    ];
    for (number, (reading, status, path)) in cases.into_iter().enumerate() {
        let failed = observe(&rollout, &[reading], null()).unwrap_err();
        assert_eq!(
            (failed.status, failed.path.as_str()),
            (status, path),
            "case {number}: {failed:?}"
        );
    }
    let twice = observe(&rollout, &[good, good], null()).unwrap_err();
    assert_eq!((twice.status, twice.path.as_str()), (hotfix_status::Input, "/readings/1/metric"));
    assert_eq!(text(observe(&rollout, &[good], null()).unwrap().events).lines().count(), 1);
}

#[test]
fn field_10_an_observation_may_carry_key_actor_and_head() {
    let rollout = Rollout::any();
    let (by, key, head) = ("scraper", "k-1", "0".repeat(64));
    let mut sender = hotfix_sender {
        struct_size: size_of::<hotfix_sender>(),
        by: raw(by).0,
        by_len: by.len(),
        key: raw(key).0,
        key_len: key.len(),
        expected_head: raw(&head).0,
        expected_head_len: head.len(),
    };
    // Not started: refused, with the actor on record.
    let failed = observe(&rollout, &[], &raw const sender).unwrap_err();
    assert_eq!((failed.status, failed.code.as_str()), (hotfix_status::Refused, "HF-ROLL-001"));
    let failed = observe(&rollout, &[], &raw const sender).unwrap_err();
    assert_eq!(failed.code, "HF-ROLL-004", "the head moved on");
    sender.expected_head_len = 3;
    assert_eq!(observe(&rollout, &[], &raw const sender).unwrap_err().status, hotfix_status::Unit);
    sender.expected_head_len = 0;
    let (input, len) = raw(r#"{"kind": "start", "by": "lena"}"#);
    let mut out = outcome();
    // SAFETY: live handle and text.
    call(|e| unsafe { hotfix_rollout_handle(rollout.0, 0, input, len, &raw mut out, e) }).unwrap();
    assert_eq!(observe(&rollout, &[], &raw const sender).unwrap().repeated, 0);
    let again = observe(&rollout, &[], &raw const sender).unwrap();
    assert_eq!((again.repeated, again.events.len), (1, 0));
    let long = "k".repeat(257);
    (sender.key, sender.key_len) = raw(&long);
    let failed = observe(&rollout, &[], &raw const sender).unwrap_err();
    assert_eq!((failed.status, failed.code.as_str()), (hotfix_status::Input, "HF-IN-005"));
}

#[test]
fn a_panic_poisons_one_handle_and_crosses_nothing() {
    let (policy, rollout, other) =
        (Policy::preset("phased-canary").unwrap(), Rollout::any(), Rollout::any());
    let (mut out, mut act, mut buf) = (outcome(), action(), empty_buf());
    let (input, len) = raw(r#"{"kind": "tick"}"#);
    fails! { Panic:
        hotfix_test_panic_rollout(rollout.0);
        hotfix_test_panic_policy(policy.0);
    }
    fails! { Poisoned:
        hotfix_test_panic_rollout(rollout.0);
        hotfix_rollout_handle(rollout.0, 0, input, len, &raw mut out);
        hotfix_rollout_observe(rollout.0, 0, null(), 0, null(), &raw mut out);
        hotfix_rollout_state(rollout.0, dangling_mut());
        hotfix_rollout_phase(rollout.0, dangling_mut());
        hotfix_rollout_share(rollout.0, dangling_mut());
        hotfix_rollout_poll_at(rollout.0, dangling_mut());
        hotfix_rollout_head(rollout.0, dangling_mut());
        hotfix_rollout_log(rollout.0, dangling_mut());
        hotfix_rollout_verdict(rollout.0, &raw mut buf);
        hotfix_rollout_action(rollout.0, 0, &raw mut act);
        hotfix_rollout_actions(rollout.0, &raw mut buf);
        hotfix_rollout_pending_count(rollout.0, dangling_mut());
        hotfix_rollout_pending_action(rollout.0, 0, &raw mut act);
        hotfix_rollout_pending_actions(rollout.0, &raw mut buf);
        hotfix_policy_to_json(policy.0, &raw mut buf);
        hotfix_policy_to_toml(policy.0, &raw mut buf);
        hotfix_policy_digest(policy.0, dangling_mut());
        hotfix_policy_clone(policy.0, &mut null_mut());
        hotfix_plan_new(policy.0, input, len, input, len, null(), 0, &mut null_mut());
    }
    let mut state = hotfix_state::Drafted;
    // SAFETY: live handles.
    call(|e| unsafe { hotfix_rollout_state(other.0, &raw mut state, e) }).unwrap();
    assert_eq!(state, hotfix_state::Ready);
}

#[test]
fn frees_and_error_accessors_take_null() {
    // SAFETY: null is allowed everywhere here.
    unsafe {
        hotfix_buf_free(null_mut());
        hotfix_error_free(null_mut());
        hotfix_policy_free(null_mut());
        hotfix_plan_free(null_mut());
        hotfix_rollout_free(null_mut());
        hotfix_rate_ratio_free(null_mut());
        assert_eq!(hotfix_error_status(null()), hotfix_status::Ok);
        assert_eq!(hotfix_error_accepted_count(null()), 0);
        for view in [
            hotfix_error_code(null()),
            hotfix_error_path(null()),
            hotfix_error_message(null()),
            hotfix_error_json(null()),
            hotfix_error_events(null()),
            hotfix_error_accepted(null(), 0),
        ] {
            assert_eq!(text(view), "");
        }
        for name in [
            hotfix_version(),
            hotfix_status_name(0),
            hotfix_state_name(1),
            hotfix_decision_name(1),
            hotfix_action_kind_name(1),
        ] {
            assert!(!name.is_null() && *name != 0);
        }
    }
    assert_eq!(hotfix_abi_version(), HOTFIX_ABI_VERSION);
}

#[test]
fn every_function_of_the_header_is_here() {
    let header = std::fs::read_to_string(in_crate("../include/hotfix.h")).unwrap();
    let here = std::fs::read_to_string(in_crate("tests/contract.rs")).unwrap();
    let missing: Vec<&str> = header
        .lines()
        .filter(|line| {
            line.starts_with(char::is_alphabetic)
                && !line.starts_with("template")
                && line.contains('(')
        })
        .filter_map(|line| line.split('(').next()?.rsplit([' ', '*']).next())
        .filter(|name| name.starts_with("hotfix_") && !here.contains(&format!("{name}(")))
        .collect();
    assert!(missing.is_empty(), "no contract is tested for {missing:?}");
}
