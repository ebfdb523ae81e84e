//! What every function promises: nulls, UTF-8, enums, struct sizes, poison. One line a function.

use std::ffi::c_char;
use std::ptr::{dangling_mut, null, null_mut};

use hotfix::audit::*;
use hotfix::buffer::*;
use hotfix::ceiling::*;
use hotfix::duty::hotfix_rollout_duties;
use hotfix::error::*;
use hotfix::hook::*;
use hotfix::kayenta::*;
use hotfix::message::hotfix_rollout_message;
use hotfix::outcome::*;
use hotfix::plan::*;
use hotfix::policy::*;
use hotfix::rate_ratio::*;
use hotfix::redact::*;
use hotfix::rollout::*;
use hotfix::sequential_test::*;
use hotfix::status::*;
use hotfix::time::*;
use hotfix::version::*;
use hotfix::view::*;
use hotfix::views::hotfix_rollout_view;

use crate::common::{
    NOTHING, NOW, Plan, Policy, Rollout, action, call, fails, in_crate, outcome, raw, text,
};

fn empty_buf() -> hotfix_buf {
    hotfix_buf { data: null_mut(), len: 0 }
}

fn evidence() -> hotfix_evidence {
    // SAFETY: all zero bytes are a value of this struct.
    let zero: hotfix_evidence = unsafe { std::mem::zeroed() };
    hotfix_evidence { struct_size: size_of::<hotfix_evidence>(), ..zero }
}

fn ceiling() -> *mut hotfix_test {
    let ((at, len), mut out) = (raw(r#"{"ceiling": 0.005}"#), null_mut());
    // SAFETY: a live text and slot.
    call(|e| unsafe { hotfix_ceiling_new(at, len, &raw mut out, e) }).unwrap();
    out
}

fn rate_ratio() -> *mut hotfix_test {
    let mut out = null_mut();
    // SAFETY: a live slot.
    call(|e| unsafe { hotfix_rate_ratio_new(NOTHING.0, 0, &raw mut out, e) }).unwrap();
    out
}

#[test]
#[allow(clippy::too_many_lines, reason = "one call after the other")]
fn a_null_pointer_is_an_error_everywhere() {
    let (policy, plan, rollout) =
        (Policy::preset("phased-canary").unwrap(), Plan::any(), Rollout::any());
    let (mut buf, mut out, mut act) = (empty_buf(), outcome(), action());
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
        hotfix_plan_timeline(null(), NOW, buf);
        hotfix_plan_timeline(plan.0, NOW, null_mut());
        hotfix_plan_digest(null(), dangling_mut());
        hotfix_plan_digest(plan.0, null_mut());
        hotfix_rollout_new(null(), keep, null(), 0, &raw mut new_rollout);
        hotfix_rollout_new(plan.0, keep, null(), 1, &raw mut new_rollout);
        hotfix_rollout_new(plan.0, keep, null(), 0, null_mut());
        hotfix_rollout_handle(null_mut(), NOW, raw(r#"{"kind": "tick"}"#).0, 16, &raw mut out);
        hotfix_rollout_handle(rollout.0, NOW, null(), 1, &raw mut out);
        hotfix_rollout_handle(rollout.0, NOW, json, len, null_mut());
        hotfix_rollout_observe(null_mut(), NOW, null(), 0, null(), &raw mut out);
        hotfix_rollout_observe(rollout.0, NOW, null(), 1, null(), &raw mut out);
        hotfix_rollout_observe(rollout.0, NOW, null(), 0, null(), null_mut());
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
        hotfix_rollout_attempt(null(), dangling_mut());
        hotfix_rollout_attempt(rollout.0, null_mut());
        hotfix_rollout_now(null(), dangling_mut());
        hotfix_rollout_now(rollout.0, null_mut());
        hotfix_rollout_poll_at(null(), dangling_mut());
        hotfix_rollout_poll_at(rollout.0, null_mut());
        hotfix_rollout_verdict(null(), buf);
        hotfix_rollout_verdict(rollout.0, null_mut());
        hotfix_rollout_duties(null(), NOW, buf);
        hotfix_rollout_duties(rollout.0, NOW, null_mut());
        hotfix_rollout_head(null(), dangling_mut());
        hotfix_rollout_head(rollout.0, null_mut());
        hotfix_rollout_log(null(), buf);
        hotfix_rollout_log(rollout.0, null_mut());
        hotfix_rollout_action(null(), 0, &raw mut act);
        hotfix_rollout_action(rollout.0, 0, null_mut());
        hotfix_rollout_action_count(null(), dangling_mut());
        hotfix_rollout_action_count(rollout.0, null_mut());
        hotfix_rollout_find_action(null(), json, len, &raw mut act);
        hotfix_rollout_find_action(rollout.0, null(), 1, &raw mut act);
        hotfix_rollout_find_action(rollout.0, json, len, null_mut());
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
    }
    assert!(new.is_null() && new_rollout.is_null());
}

#[test]
fn a_null_pointer_is_an_error_to_a_test_and_to_the_kayenta_compatible_judge() {
    let (test, mut buf, mut seen) = (rate_ratio(), empty_buf(), evidence());
    let (buf, (json, len)) = (&raw mut buf, raw("{}"));
    let config = raw(r#"{"metrics": []}"#);
    fails! { Null:
        hotfix_rate_ratio_new(null(), 1, &mut null_mut());
        hotfix_rate_ratio_new(json, len, null_mut());
        hotfix_rate_ratio_update(null_mut(), 0.0, 1.0, 0.0, 1.0, null_mut());
        hotfix_test_evidence(null(), &raw mut seen);
        hotfix_test_evidence(test, null_mut());
        hotfix_rate_ratio_merge(null_mut(), test, null_mut());
        hotfix_rate_ratio_merge(test, null(), null_mut());
        hotfix_test_to_bytes(null(), buf);
        hotfix_test_to_bytes(test, null_mut());
        hotfix_test_from_bytes(null(), 1, &mut null_mut());
        hotfix_test_from_bytes(json, len, null_mut());
        hotfix_kayenta_judge(null(), 1, json, len, 75.0, 50.0, buf);
        hotfix_kayenta_judge(config.0, config.1, null(), 1, 75.0, 50.0, buf);
        hotfix_kayenta_judge(json, len, json, len, 75.0, 50.0, null_mut());
        hotfix_kayenta_classify(null(), 1, json, len, buf);
        hotfix_kayenta_classify(json, len, null(), 1, buf);
        hotfix_kayenta_classify(json, len, json, len, null_mut());
    }
    // SAFETY: made once, freed once.
    unsafe { hotfix_test_free(test) };
}

#[test]
fn a_null_pointer_is_an_error_to_a_redaction_a_ceiling_and_an_interval() {
    let (below, mut buf) = (ceiling(), empty_buf());
    let (buf, (json, len)) = (&raw mut buf, raw("{}"));
    fails! { Null:
        hotfix_redact(null(), 1, null(), 0, buf);
        hotfix_redact(json, len, null(), 1, buf);
        hotfix_redact(json, len, null(), 0, null_mut());
        hotfix_ceiling_new(null(), 1, &mut null_mut());
        hotfix_ceiling_new(json, len, null_mut());
        hotfix_ceiling_update(null_mut(), 0.0, 1.0, null_mut());
        hotfix_ceiling_clean_trials(null(), &mut 0.0);
        hotfix_ceiling_clean_trials(below, null_mut());
        hotfix_ratio_interval(null(), 1, 0.99, &mut 0.0, &mut 0.0);
        hotfix_ratio_interval(null(), 0, 0.99, null_mut(), &mut 0.0);
        hotfix_ratio_interval(null(), 0, 0.99, &mut 0.0, null_mut());
    }
    // SAFETY: made once, freed once.
    unsafe { hotfix_test_free(below) };
}

#[test]
fn text_that_is_not_utf_8_is_an_error_everywhere() {
    let (policy, plan, rollout) =
        (Policy::preset("phased-canary").unwrap(), Plan::any(), Rollout::any());
    let (mut buf, mut out) = (empty_buf(), outcome());
    let (bad, n): (*const c_char, usize) = (c"ab\xff".as_ptr(), 3);
    let (json, len) = raw("{}");
    let config = raw(r#"{"metrics": []}"#);
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
        hotfix_rollout_handle(rollout.0, NOW, bad, n, &raw mut out);
        hotfix_audit(json, len, bad, n, &raw mut buf);
        hotfix_redact(json, len, bad, n, &raw mut buf);
        hotfix_rate_ratio_new(bad, n, &mut null_mut());
        hotfix_test_from_bytes(bad, n, &mut null_mut());
        hotfix_kayenta_judge(bad, n, bad, n, 75.0, 50.0, &raw mut buf);
        hotfix_kayenta_judge(config.0, config.1, bad, n, 75.0, 50.0, &raw mut buf);
        hotfix_kayenta_classify(bad, n, bad, n, &raw mut buf);
        hotfix_kayenta_classify(null(), 0, bad, n, &raw mut buf);
        hotfix_ceiling_new(bad, n, &mut null_mut());
    }
    fails! { Log:
        hotfix_rollout_replay(bad, n, keep, &mut null_mut());
        hotfix_redact(bad, n, null(), 0, &raw mut buf);
        hotfix_redact(null(), 0, null(), 0, &raw mut buf);
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
        hotfix_rollout_observe(rollout.0, NOW, null(), 5000, null(), &raw mut out);
        hotfix_policy_preset(json, usize::MAX, &mut null_mut());
        hotfix_ratio_interval(null(), usize::MAX, 0.99, &mut 0.0, &mut 0.0);
    }
    fails! { Unit:
        hotfix_time_format(i64::MAX, &mut empty_buf());
        hotfix_rollout_duties(rollout.0, HOTFIX_NEVER, &mut empty_buf());
        hotfix_rollout_duties(rollout.0, NOW / 1000, &mut empty_buf());
        hotfix_plan_timeline(plan.0, i64::MIN, &mut empty_buf());
        hotfix_rollout_observe(rollout.0, i64::MAX, null(), 0, null(), &raw mut out);
        hotfix_audit(json, len, json, len, &mut empty_buf());
    }
    for size in [0, 7, 8, size_of::<hotfix_outcome>() + 4, 520, 1 << 20] {
        (out.struct_size, act.struct_size, seen.struct_size) = (size, size, size);
        fails! { Struct:
            hotfix_rollout_observe(rollout.0, NOW, null(), 0, null(), &raw mut out);
            hotfix_rollout_handle(rollout.0, NOW, json, len, &raw mut out);
            hotfix_rollout_action(rollout.0, 0, &raw mut act);
            hotfix_rollout_pending_action(rollout.0, 0, &raw mut act);
            hotfix_test_evidence(null(), &raw mut seen);
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
    call(|e| unsafe { hotfix_rollout_handle(rollout.0, NOW, input, len, &raw mut later.0, e) })
        .unwrap();
    assert_eq!((later.0.struct_size, later.1), (size_of::<Later>(), [0; 2]));
    assert_eq!(text(later.0.events).lines().count(), 2);
}

#[test]
fn a_call_that_fails_leaves_nothing_of_the_call_before() {
    let (rollout, mut out) = (Rollout::any(), outcome());
    let mut handle = |at, input| {
        let ((input, len), mut actions) = (raw(input), 0);
        // SAFETY: a live handle, text and struct.
        let result =
            call(|e| unsafe { hotfix_rollout_handle(rollout.0, at, input, len, &raw mut out, e) });
        // SAFETY: a live handle and slot.
        call(|e| unsafe { hotfix_rollout_action_count(rollout.0, &raw mut actions, e) }).unwrap();
        (result.is_ok(), out.events.len > 0, actions > 0)
    };
    let start = r#"{"kind": "start", "by": "lena", "key": "first"}"#;
    assert_eq!(handle(NOW, start), (true, true, true));
    for (at, wrong) in [(NOW, "{"), (i64::MAX, start)] {
        assert_eq!(handle(at, wrong), (false, false, false));
        assert_eq!(handle(NOW, start), (true, false, true), "repeated");
    }
}

#[test]
fn roll_2_a_rollout_has_its_plan_and_a_plan_its_policy_also_after_a_recovery() {
    let plan = Plan::any();
    let digest = |plan| {
        let mut out = hotfix_digest { hex: [0; 65] };
        // SAFETY: a live handle and slot.
        call(|e| unsafe { hotfix_plan_digest(plan, &raw mut out, e) }).unwrap();
        out.hex
    };
    let (rollout, mut out, mut log) = (Rollout::any(), outcome(), empty_buf());
    let (input, len) = raw(r#"{"kind": "tick"}"#);
    let keep = hotfix_recording::Keep as i32;
    let (mut again, mut its_plan, mut policy) = (null_mut(), null_mut(), null_mut());
    let mut buf = empty_buf();
    // SAFETY: live handles, texts and slots; each handle is freed once.
    unsafe {
        call(|e| hotfix_rollout_handle(rollout.0, NOW, input, len, &raw mut out, e)).unwrap();
        call(|e| hotfix_rollout_log(rollout.0, &raw mut log, e)).unwrap();
        let (at, none) = (&raw mut again, null_mut());
        call(|e| hotfix_rollout_recover(log.data, log.len, keep, at, none, e)).unwrap();
        hotfix_buf_free(&raw mut log);
        call(|e| hotfix_rollout_plan(again, &raw mut its_plan, e)).unwrap();
        hotfix_rollout_free(again);
        assert_eq!(digest(its_plan), digest(plan.0));
        call(|e| hotfix_plan_policy(its_plan, &raw mut policy, e)).unwrap();
        hotfix_plan_free(its_plan);
        call(|e| hotfix_policy_to_json(policy, &raw mut buf, e)).unwrap();
        hotfix_buf_free(&raw mut buf);
        hotfix_policy_free(policy);
    }
    fails! { Null:
        hotfix_rollout_plan(null(), &raw mut its_plan);
        hotfix_rollout_plan(rollout.0, null_mut());
        hotfix_plan_policy(null(), &raw mut policy);
        hotfix_plan_policy(plan.0, null_mut());
    }
    fails! { Handle: hotfix_plan_policy(rollout.0.cast(), &raw mut policy); }
    assert!(policy.is_null());
}

#[test]
fn roll_7_an_error_that_was_freed_is_read_as_none_and_freed_once() {
    let policy = Policy::preset("phased-canary").unwrap();
    let (mut error, mut other) = (null_mut(), null_mut());
    // SAFETY: live slots and texts; what was freed is a handle that is refused.
    unsafe {
        let (name, len) = raw("phased-canery");
        hotfix_policy_preset(name, len, &mut null_mut(), &raw mut error);
        assert_eq!(text(hotfix_error_code(error)), "HF-POL-025");
        hotfix_error_free(error);
        hotfix_error_free(error);
        assert_eq!(hotfix_error_status(error), hotfix_status::Ok);
        assert_eq!(text(hotfix_error_message(error)), "");
        hotfix_error_free(policy.0.cast());
        hotfix_policy_preset(name, len, &mut null_mut(), &raw mut other);
        hotfix_policy_free(other.cast());
        assert_eq!(text(hotfix_error_code(other)), "HF-POL-025");
        hotfix_error_free(other);
    }
    // The policy that was freed as an error is still there.
    let mut clone = null_mut();
    // SAFETY: a live handle and slot.
    call(|e| unsafe { hotfix_policy_clone(policy.0, &raw mut clone, e) }).unwrap();
    drop(Policy(clone));
}

#[test]
fn a_panic_poisons_one_handle_and_crosses_nothing() {
    let (policy, rollout, other) =
        (Policy::preset("phased-canary").unwrap(), Rollout::any(), Rollout::any());
    let (mut out, mut act, mut buf) = (outcome(), action(), empty_buf());
    let ((input, len), (broken, broken_len)) = (raw(r#"{"kind": "tick"}"#), raw("{"));
    fails! { Panic:
        hotfix_hook_panic_rollout(rollout.0);
        hotfix_hook_panic_policy(policy.0);
    }
    fails! { Poisoned:
        hotfix_hook_panic_rollout(rollout.0);
        hotfix_rollout_handle(rollout.0, NOW, input, len, &raw mut out);
        hotfix_rollout_handle(rollout.0, NOW, broken, broken_len, &raw mut out);
        hotfix_rollout_handle(rollout.0, i64::MAX, input, len, &raw mut out);
        hotfix_rollout_observe(rollout.0, NOW, null(), 0, null(), &raw mut out);
        hotfix_rollout_observe(rollout.0, i64::MAX, null(), 0, null(), &raw mut out);
        hotfix_rollout_message(rollout.0, broken, broken_len, &raw mut buf);
        hotfix_rollout_view(rollout.0, 99, broken, broken_len, &raw mut buf);
        hotfix_rollout_duties(rollout.0, i64::MAX, &raw mut buf);
        hotfix_rollout_state(rollout.0, dangling_mut());
        hotfix_rollout_phase(rollout.0, dangling_mut());
        hotfix_rollout_share(rollout.0, dangling_mut());
        hotfix_rollout_now(rollout.0, dangling_mut());
        hotfix_rollout_poll_at(rollout.0, dangling_mut());
        hotfix_rollout_head(rollout.0, dangling_mut());
        hotfix_rollout_log(rollout.0, &raw mut buf);
        hotfix_rollout_evidence(rollout.0, input, len, &raw mut buf);
        hotfix_rollout_verdict(rollout.0, &raw mut buf);
        hotfix_rollout_duties(rollout.0, NOW, &raw mut buf);
        hotfix_rollout_action(rollout.0, 0, &raw mut act);
        hotfix_rollout_action_count(rollout.0, dangling_mut());
        hotfix_rollout_find_action(rollout.0, input, len, &raw mut act);
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
        hotfix_test_free(null_mut());
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
    // This file and those beside it: `contract_….rs`.
    let files = std::fs::read_dir(in_crate("tests/it")).unwrap().map(|entry| entry.unwrap().path());
    let contracts = files.filter(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("contract"))
    });
    let here: String = contracts
        .filter(|path| path.extension().is_some_and(|kind| kind == "rs"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
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

#[test]
fn stat_2_settings_states_and_sums_that_cannot_be_are_refused() {
    let below = ceiling();
    let (wrong, unknown) = (raw(r#"{"ceiling": 2}"#), raw(r#"{"ceilling": 0.1}"#));
    let (temper, model) = (raw(r#"{"temper": 0}"#), raw(r#"{"model": "cauchy"}"#));
    let bad = hotfix_stratum {
        canary_events: -1.0,
        canary_trials: 1.0,
        baseline_events: 0.0,
        baseline_trials: 1.0,
    };
    let (planned, mut one) = (raw(r#"{"horizon": 60}"#), null_mut());
    // SAFETY: live text and slots.
    call(|e| unsafe { hotfix_rate_ratio_new(planned.0, planned.1, &raw mut one, e) }).unwrap();
    let other = rate_ratio();
    fails! { Stat:
        hotfix_ceiling_new(wrong.0, wrong.1, &mut null_mut());
        hotfix_ceiling_update(below, 2.0, 1.0, null_mut());
        hotfix_rate_ratio_new(temper.0, temper.1, &mut null_mut());
        hotfix_rate_ratio_merge(one, one, null_mut());
        hotfix_rate_ratio_merge(one, other, null_mut());
        hotfix_ratio_interval(&raw const bad, 1, 0.99, &mut 0.0, &mut 0.0);
        hotfix_ratio_interval(null(), 0, 1.0, &mut 0.0, &mut 0.0);
    }
    fails! { Input:
        hotfix_ceiling_new(unknown.0, unknown.1, &mut null_mut());
        hotfix_ceiling_new(null(), 0, &mut null_mut());
        hotfix_rate_ratio_new(model.0, model.1, &mut null_mut());
    }
    // SAFETY: made once, freed once.
    unsafe {
        hotfix_test_free(one);
        hotfix_test_free(other);
        hotfix_test_free(below);
    }
}

#[test]
fn stat_4_the_ratio_interval_takes_sums_by_split() {
    let strata =
        [[5.0, 210.0, 17.0, 1790.0], [4.0, 500.0, 5.0, 500.0]].map(|[a, b, c, d]| hotfix_stratum {
            canary_events: a,
            canary_trials: b,
            baseline_events: c,
            baseline_trials: d,
        });
    let (mut low, mut high) = (f64::NAN, f64::NAN);
    let mut ask = |count| {
        let at = strata.as_ptr();
        // SAFETY: live strata and slots.
        call(|e| unsafe { hotfix_ratio_interval(at, count, 0.99, &raw mut low, &raw mut high, e) })
            .unwrap();
        (low, high)
    };
    let (low, high) = ask(2);
    assert!(low > 0.2 && low < 1.5 && high > 1.5 && high < 15.0, "{low} {high}");
    assert_eq!(ask(0), (0.0, f64::INFINITY));
}
