//! What the functions of calibration, instances and planning promise: nulls, UTF-8, sizes, and nothing half done.

use std::ptr::{null, null_mut};

use hotfix::buffer::hotfix_buf;
use hotfix::instances::*;
use hotfix::planning::*;
use hotfix::sequential_test::*;
use hotfix::status::hotfix_status;
use serde_json::Value;

use crate::common::{Failed, NOTHING, buffer, call, fails, raw};

const HISTORY: &str = r#"{"a": [[0, 9], [1, 9]], "b": [[0, 9], [0, 9]]}"#;
const SETTINGS: &str = r#"{"share": 0.5, "ticks": 2}"#;
const DRAWN: &str =
    r#"{"instances": ["a", "b", "c", "d"], "canary": ["a", "b"], "seed": 1, "evaluations": [2]}"#;
const CANARY: &str = r#"{"canary": ["a", "b", "c", "d"]}"#;

fn evidence() -> hotfix_evidence {
    // SAFETY: all zero bytes are a value of this struct.
    let zero: hotfix_evidence = unsafe { std::mem::zeroed() };
    hotfix_evidence { struct_size: size_of::<hotfix_evidence>(), ..zero }
}

fn usual() -> hotfix_comparison {
    hotfix_comparison {
        struct_size: size_of::<hotfix_comparison>(),
        requests_per_minute: 1000.0,
        share: 0.1,
        base_rate: 0.003,
        tolerated: 0.0,
        alpha: 0.0,
        tick_seconds: 0.0,
        threshold: 0.0,
    }
}

fn time() -> hotfix_detection_time {
    // SAFETY: as above.
    let zero: hotfix_detection_time = unsafe { std::mem::zeroed() };
    hotfix_detection_time { struct_size: size_of::<hotfix_detection_time>(), ..zero }
}

fn chance() -> hotfix_chance {
    hotfix_chance { struct_size: size_of::<hotfix_chance>(), chance: 0.0, approximate: 0 }
}

fn drawn(settings: &str) -> Result<*mut hotfix_test, Failed> {
    let ((at, len), mut out) = (raw(settings), null_mut());
    // SAFETY: live text and slot.
    call(|e| unsafe { hotfix_randomisation_new(at, len, &raw mut out, e) }).map(|()| out)
}

fn instances(settings: &str) -> Result<*mut hotfix_test, Failed> {
    let ((at, len), mut out) = (raw(settings), null_mut());
    // SAFETY: live text and slot.
    call(|e| unsafe { hotfix_instances_new(at, len, &raw mut out, e) }).map(|()| out)
}

#[test]
fn a_null_pointer_is_an_error() {
    let (test, tests) = (drawn(DRAWN).unwrap(), instances(CANARY).unwrap());
    let (json, len) = raw("{}");
    let ((history, history_len), (settings, settings_len)) = (raw(HISTORY), raw(SETTINGS));
    let mut buf = hotfix_buf { data: null_mut(), len: 0 };
    let (buf, four) = (&raw mut buf, [1.0; 4]);
    let (mut ratio, asked) = (0.0, usual());
    let (mut time, mut chance) = (time(), chance());
    fails! { Null:
        hotfix_calibrate(null(), 1, settings, settings_len, buf);
        hotfix_calibrate(history, history_len, null(), 1, buf);
        hotfix_calibrate(history, history_len, settings, settings_len, null_mut());
        hotfix_randomisation_new(null(), 1, &mut null_mut());
        hotfix_randomisation_new(json, len, null_mut());
        hotfix_randomisation_update(null_mut(), four.as_ptr(), four.as_ptr(), 4, null_mut());
        hotfix_randomisation_update(test, null(), four.as_ptr(), 4, null_mut());
        hotfix_randomisation_update(test, four.as_ptr(), null(), 4, null_mut());
        hotfix_instances_new(null(), 1, &mut null_mut());
        hotfix_instances_new(json, len, null_mut());
        hotfix_instances_update(null_mut(), four.as_ptr(), four.as_ptr(), 4, null_mut());
        hotfix_instances_update(tests, null(), four.as_ptr(), 4, null_mut());
        hotfix_instances_update(tests, four.as_ptr(), null(), 4, null_mut());
        hotfix_instances_found(null(), buf);
        hotfix_instances_found(tests, null_mut());
        hotfix_time_to_detect(null(), 2.0, &raw mut time);
        hotfix_time_to_detect(&raw const asked, 2.0, null_mut());
        hotfix_detectable_ratio(null(), 10.0, 0.8, &raw mut ratio);
        hotfix_detectable_ratio(&raw const asked, 10.0, 0.8, null_mut());
        hotfix_chance_to_decide(null(), 2.0, 10.0, &raw mut chance);
        hotfix_chance_to_decide(&raw const asked, 2.0, 10.0, null_mut());
        hotfix_chance_to_promote(null(), 1.0, 10.0, 2.0, 0.05, &raw mut chance);
        hotfix_chance_to_promote(&raw const asked, 1.0, 10.0, 2.0, 0.05, null_mut());
        hotfix_time_to_promote(null(), 1.0, 2.0, 0.05, &raw mut ratio);
        hotfix_time_to_promote(&raw const asked, 1.0, 2.0, 0.05, null_mut());
        hotfix_gate_pass_chance(10.0, 0.1, 0.1, null_mut());
        hotfix_fixed_horizon_ratio(0.003, 10.0, 90.0, 0.01, 0.8, null_mut());
        hotfix_fixed_horizon_trials(0.003, 0.1, 2.0, 0.01, 0.8, null_mut());
    }
    // SAFETY: made once, freed once.
    unsafe {
        hotfix_test_free(test);
        hotfix_test_free(tests);
    }
}

#[test]
fn text_that_cannot_be_read_is_an_error() {
    let mut buf = hotfix_buf { data: null_mut(), len: 0 };
    let buf = &raw mut buf;
    let (bad, n) = (c"ab\xff".as_ptr(), 3);
    let ((json, len), (settings, settings_len)) = (raw(r#"{"what": 1}"#), raw(SETTINGS));
    fails! { Utf8:
        hotfix_calibrate(bad, n, settings, settings_len, buf);
        hotfix_calibrate(settings, settings_len, bad, n, buf);
        hotfix_randomisation_new(bad, n, &mut null_mut());
        hotfix_instances_new(bad, n, &mut null_mut());
    }
    let (history, history_len) = raw(HISTORY);
    fails! { Input:
        hotfix_calibrate(json, len, settings, settings_len, buf);
        hotfix_calibrate(history, history_len, json, len, buf);
        hotfix_calibrate(history, history_len, NOTHING.0, 0, buf);
        hotfix_randomisation_new(json, len, &mut null_mut());
        hotfix_instances_new(json, len, &mut null_mut());
    }
}

#[test]
fn figures_that_cannot_be_change_nothing() {
    let refused = |settings: &str| drawn(settings).unwrap_err();
    assert_eq!(refused(&DRAWN.replace("[2]", "[2, 2]")).code, "HF-STAT-030");
    assert_eq!(
        refused(&DRAWN.replace(r#""seed""#, r#""subsets": 50, "seed""#)).code,
        "HF-STAT-038"
    );
    assert_eq!(instances(r#"{"canary": ["a"]}"#).unwrap_err().code, "HF-STAT-034");
    let (test, tests) = (drawn(DRAWN).unwrap(), instances(CANARY).unwrap());
    let (bad, good, nan) = ([1.0, 0.0, 0.0, -1.0], [9.0; 4], [f64::NAN; 4]);
    let (mut ratio, mut time, mut chance) = (7.0, time(), chance());
    let before = |test| buffer(|out, e| unsafe { hotfix_test_to_bytes(test, out, e) }).unwrap();
    let earlier = before(test);
    let asked = hotfix_comparison { alpha: 2.0, ..usual() };
    let mut buf = hotfix_buf { data: null_mut(), len: 0 };
    let ((history, n), (settings, len)) = (raw(HISTORY), raw(r#"{"share": 0.5, "ticks": 3}"#));
    let (uneven, uneven_len) = raw(r#"{"a": [[0, 9]], "b": []}"#);
    fails! { Stat:
        hotfix_calibrate(history, n, settings, len, &raw mut buf);
        hotfix_calibrate(uneven, uneven_len, settings, len, &raw mut buf);
        hotfix_randomisation_update(test, bad.as_ptr(), good.as_ptr(), 4, null_mut());
        hotfix_randomisation_update(test, good.as_ptr(), nan.as_ptr(), 4, null_mut());
        hotfix_randomisation_update(test, good.as_ptr(), good.as_ptr(), 3, null_mut());
        hotfix_instances_update(tests, bad.as_ptr(), good.as_ptr(), 4, null_mut());
        hotfix_instances_update(tests, good.as_ptr(), good.as_ptr(), 2, null_mut());
        hotfix_time_to_detect(&raw const asked, 2.0, &raw mut time);
        hotfix_detectable_ratio(&raw const asked, 10.0, 0.8, &raw mut ratio);
        hotfix_chance_to_decide(&raw const asked, 2.0, 10.0, &raw mut chance);
        hotfix_chance_to_promote(&raw const asked, 1.0, 10.0, 2.0, 0.05, &raw mut chance);
        hotfix_time_to_promote(&raw const asked, 1.0, 2.0, 0.05, &raw mut ratio);
        hotfix_gate_pass_chance(-1.0, 0.1, 0.1, &raw mut ratio);
        hotfix_fixed_horizon_ratio(0.0, 10.0, 90.0, 0.01, 0.8, &raw mut ratio);
        hotfix_fixed_horizon_trials(0.003, 0.1, 1.0, 0.01, 0.8, &raw mut ratio);
    }
    assert_eq!((ratio, time.bound, chance.chance), (7.0, 0.0, 0.0), "written on success only");
    assert_eq!(before(test), earlier);
    for size in [0, 8, size_of::<hotfix_comparison>() - 8, 1 << 20] {
        let asked = hotfix_comparison { struct_size: size, ..usual() };
        (time.struct_size, chance.struct_size) = (size / 8, size / 8);
        fails! { Struct:
            hotfix_time_to_detect(&raw const asked, 2.0, &raw mut time);
            hotfix_detectable_ratio(&raw const asked, 10.0, 0.8, &raw mut ratio);
            hotfix_chance_to_decide(&raw const asked, 2.0, 10.0, &raw mut chance);
        }
    }
    // SAFETY: made once, freed once.
    unsafe {
        hotfix_test_free(test);
        hotfix_test_free(tests);
    }
}

#[test]
fn stat_2_tests_of_instances_go_on_from_their_bytes() {
    let (test, tests) = (drawn(DRAWN).unwrap(), instances(CANARY).unwrap());
    let (events, trials) = ([9.0, 0.0, 1.0, 0.0], [100.0; 4]);
    let mut seen = false;
    // SAFETY: live handles, arrays, text and slots; made once, freed once.
    unsafe {
        let update = |tests, seen: *mut bool| {
            let (at, of) = (events.as_ptr(), trials.as_ptr());
            call(|e| hotfix_instances_update(tests, at, of, 4, seen, e)).unwrap();
        };
        update(tests, &raw mut seen);
        assert!(seen);
        let found = |test| buffer(|out, e| hotfix_instances_found(test, out, e));
        assert_eq!(found(tests).unwrap(), r#"["a"]"#);
        assert_eq!(found(test).unwrap_err().code, "HF-FFI-009");
        let bytes = buffer(|out, e| hotfix_test_to_bytes(tests, out, e)).unwrap();
        let ((at, len), mut again) = (raw(&bytes), null_mut());
        call(|e| hotfix_test_from_bytes(at, len, &raw mut again, e)).unwrap();
        let bytes_of = |test| buffer(|out, e| hotfix_test_to_bytes(test, out, e)).unwrap();
        update(tests, null_mut());
        update(again, null_mut());
        assert_eq!(bytes_of(tests), bytes_of(again));
        let renamed = bytes.replacen(r#""a""#, r#""b""#, 1);
        let ((at, len), mut none) = (raw(&renamed), null_mut());
        let failed = call(|e| hotfix_test_from_bytes(at, len, &raw mut none, e)).unwrap_err();
        assert_eq!((failed.status, none), (hotfix_status::Input, null_mut()));
        // Each instance was tested against the others with other settings than the whole.
        let bold = CANARY.replace('}', r#", "test": {"alpha": 0.02}}"#);
        let other_tests = instances(&bold).unwrap();
        let whole = buffer(|out, e| hotfix_test_to_bytes(other_tests, out, e)).unwrap();
        hotfix_test_free(other_tests);
        let mut mixed: Value = serde_json::from_str(&whole).unwrap();
        mixed["state"] = serde_json::from_str::<Value>(&bytes).unwrap()["state"].clone();
        let mixed = mixed.to_string();
        let (at, len) = raw(&mixed);
        let failed = call(|e| hotfix_test_from_bytes(at, len, &raw mut none, e)).unwrap_err();
        assert_eq!((failed.status, failed.code.as_str()), (hotfix_status::Stat, "HF-STAT-017"));
        assert!(none.is_null());

        let mut decided = true;
        let (at, of) = (events.as_ptr(), trials.as_ptr());
        call(|e| hotfix_randomisation_update(test, at, of, 4, &raw mut decided, e)).unwrap();
        assert!(!decided, "the only look is at tick 2");
        let bytes = buffer(|out, e| hotfix_test_to_bytes(test, out, e)).unwrap();
        let ((at, len), mut back) = (raw(&bytes), null_mut());
        call(|e| hotfix_test_from_bytes(at, len, &raw mut back, e)).unwrap();
        let mut figures = [evidence(), evidence()];
        for (test, figures) in [test, back].into_iter().zip(&mut figures) {
            let (at, of) = (events.as_ptr(), trials.as_ptr());
            call(|e| hotfix_randomisation_update(test, at, of, 4, null_mut(), e)).unwrap();
            call(|e| hotfix_test_evidence(test, figures, e)).unwrap();
        }
        assert_eq!(figures[0].log_e.to_bits(), figures[1].log_e.to_bits());
        assert_eq!((figures[0].p_value, figures[0].decided), (1.0, 0), "six pairs: copies tie");
        let other = bytes.replacen(r#""seed":1"#, r#""seed":2"#, 1);
        let ((at, len), mut none) = (raw(&other), null_mut());
        let failed = call(|e| hotfix_test_from_bytes(at, len, &raw mut none, e)).unwrap_err();
        assert_eq!((failed.status, failed.code.as_str()), (hotfix_status::Stat, "HF-STAT-017"));
        hotfix_test_free(test);
        hotfix_test_free(back);
        hotfix_test_free(tests);
        hotfix_test_free(again);
    }
}

#[test]
fn plan_6_trials_and_minutes() {
    let mut trials = 0.0;
    // SAFETY: a live slot.
    call(|e| unsafe {
        hotfix_fixed_horizon_trials(0.003, 0.1, 2.0, 0.01, 0.8, &raw mut trials, e)
    })
    .unwrap();
    assert!((trials - 54_150.0).abs() < 500.0, "{trials}");
    let (mut minutes, asked) = (0.0, usual());
    // SAFETY: live pointers.
    call(|e| unsafe {
        hotfix_time_to_promote(&raw const asked, 1.0, 2.0, 0.05, &raw mut minutes, e)
    })
    .unwrap();
    assert!((minutes - 33.8).abs() < 0.1, "{minutes}");
}
