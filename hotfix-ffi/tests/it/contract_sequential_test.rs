//! What a test of any kind promises: its bytes say its kind, and the functions of another kind refuse it.

use std::ptr::{null, null_mut};

use hotfix::buffer::hotfix_buf;
use hotfix::ceiling::{hotfix_ceiling_clean_trials, hotfix_ceiling_new, hotfix_ceiling_update};
use hotfix::error::hotfix_error;
use hotfix::instances::*;
use hotfix::latency::{hotfix_latency_boundaries, hotfix_latency_new, hotfix_latency_update};
use hotfix::rate_ratio::*;
use hotfix::sequential_test::*;
use hotfix::status::hotfix_status;
use serde_json::Value;

use crate::common::{Failed, buffer, call, fails, raw};

type New = unsafe extern "C" fn(
    *const std::ffi::c_char,
    usize,
    *mut *mut hotfix_test,
    *mut *mut hotfix_error,
) -> hotfix_status;

/// The kinds, each with its constructor and settings.
const KINDS: [(&str, New, &str); 6] = [
    ("rate_ratio", hotfix_rate_ratio_new, "{}"),
    ("rate_ratio", hotfix_rate_ratio_new, r#"{"model": "bernoulli"}"#),
    ("latency", hotfix_latency_new, r#"{"boundaries": 2}"#),
    ("ceiling", hotfix_ceiling_new, r#"{"ceiling": 0.005}"#),
    (
        "randomisation",
        hotfix_randomisation_new,
        r#"{"instances": ["a", "b", "c", "d"], "canary": ["a", "b"], "seed": 1, "evaluations": [2]}"#,
    ),
    ("instances", hotfix_instances_new, r#"{"canary": ["a", "b", "c", "d"]}"#),
];

/// A test that frees itself.
struct Test(*mut hotfix_test);

impl Test {
    fn new(new: New, settings: &str) -> Self {
        let ((at, len), mut out) = (raw(settings), null_mut());
        // SAFETY: live text and slot.
        call(|e| unsafe { new(at, len, &raw mut out, e) }).unwrap();
        Self(out)
    }

    fn from_bytes(bytes: &str) -> Result<Self, Failed> {
        let ((at, len), mut out) = (raw(bytes), null_mut());
        // SAFETY: live text and slot.
        let read = call(|e| unsafe { hotfix_test_from_bytes(at, len, &raw mut out, e) });
        assert_eq!(read.is_err(), out.is_null());
        read.map(|()| Self(out))
    }

    fn bytes(&self) -> String {
        // SAFETY: a live test and slot.
        buffer(|out, e| unsafe { hotfix_test_to_bytes(self.0, out, e) }).unwrap()
    }
}

impl Drop for Test {
    fn drop(&mut self) {
        // SAFETY: made once, freed once.
        unsafe { hotfix_test_free(self.0) }
    }
}

fn evidence() -> hotfix_evidence {
    // SAFETY: all zero bytes are a value of this struct.
    let zero: hotfix_evidence = unsafe { std::mem::zeroed() };
    hotfix_evidence { struct_size: size_of::<hotfix_evidence>(), ..zero }
}

const UPDATES: [&str; 5] = ["rate_ratio", "latency", "ceiling", "randomisation", "instances"];

/// Calls the update of a kind.
fn update(kind: &str, test: *mut hotfix_test) -> Result<(), Failed> {
    let (zeros, nines, decided) = ([0.0; 4], [9.0; 4], null_mut());
    let (few, all) = (zeros.as_ptr(), nines.as_ptr());
    // SAFETY: live arrays and slots.
    call(|e| unsafe {
        match kind {
            "rate_ratio" => hotfix_rate_ratio_update(test, 0.0, 9.0, 0.0, 9.0, decided, e),
            "latency" => hotfix_latency_update(test, few, 9.0, few, 9.0, 2, decided, e),
            "ceiling" => hotfix_ceiling_update(test, 0.0, 9.0, decided, e),
            "randomisation" => hotfix_randomisation_update(test, few, all, 4, decided, e),
            "instances" => hotfix_instances_update(test, few, all, 4, decided, e),
            other => panic!("{other}"),
        }
    })
}

#[test]
fn stat_2_every_kind_goes_on_from_its_bytes_which_say_the_kind() {
    for (kind, new, settings) in KINDS {
        let test = Test::new(new, settings);
        update(kind, test.0).unwrap();
        let bytes = test.bytes();
        let document: Value = serde_json::from_str(&bytes).unwrap();
        assert_eq!(document["kind"], kind);
        let again = Test::from_bytes(&bytes).unwrap();
        assert_eq!(again.bytes(), bytes, "{kind}");
        for test in [&test, &again] {
            update(kind, test.0).unwrap();
        }
        assert_eq!(again.bytes(), test.bytes(), "{kind}");
    }
}

#[test]
fn a_call_for_another_kind_is_refused_and_changes_nothing() {
    let wrong = |kind: &str, result: Result<(), Failed>| {
        let failed = result.unwrap_err();
        assert_eq!((failed.status, failed.code.as_str()), (hotfix_status::Handle, "HF-FFI-009"));
        assert!(failed.message.contains(&format!("`{kind}`")), "{}", failed.message);
        failed.message
    };
    for (kind, new, settings) in KINDS {
        let (test, other) = (Test::new(new, settings), Test::new(KINDS[0].1, "{}"));
        let before = test.bytes();
        for other in UPDATES.into_iter().filter(|other| *other != kind) {
            let message = wrong(kind, update(other, test.0));
            assert!(message.contains(&format!("hotfix_{other}_new")), "{message}");
        }
        assert_eq!(test.bytes(), before, "{kind}");
        // SAFETY: live tests and slots.
        unsafe {
            if kind != "rate_ratio" {
                wrong(kind, call(|e| hotfix_rate_ratio_merge(test.0, other.0, null_mut(), e)));
                wrong(kind, call(|e| hotfix_rate_ratio_merge(other.0, test.0, null_mut(), e)));
            }
            if kind != "ceiling" {
                let mut trials = 7.0;
                wrong(kind, call(|e| hotfix_ceiling_clean_trials(test.0, &raw mut trials, e)));
                assert_eq!(trials.to_bits(), 7_f64.to_bits());
            }
            let mut out = evidence();
            let result = call(|e| hotfix_test_evidence(test.0, &raw mut out, e));
            if kind == "instances" {
                assert!(wrong(kind, result).contains("hotfix_instances_found"));
            } else {
                result.unwrap();
                assert_eq!((out.log_e.to_bits(), out.decided), (0, 0), "{kind}");
            }
        }
    }
}

#[test]
fn null_text_and_sizes_are_checked_for_every_kind() {
    let mut buf = hotfix_buf { data: null_mut(), len: 0 };
    let (bad, n) = (c"ab\xff".as_ptr(), 3);
    let mut out = evidence();
    fails! { Null:
        hotfix_test_evidence(null(), &raw mut out);
        hotfix_test_to_bytes(null(), &raw mut buf);
        hotfix_test_from_bytes(null(), 1, &mut null_mut());
        hotfix_test_from_bytes(raw("{}").0, 2, null_mut());
    }
    fails! { Utf8:
        hotfix_test_from_bytes(bad, n, &mut null_mut());
    }
    for (_, new, settings) in KINDS {
        let test = Test::new(new, settings);
        fails! { Null:
            hotfix_test_evidence(test.0, null_mut());
            hotfix_test_to_bytes(test.0, null_mut());
        }
        for size in [0, 7, 8, 1 << 20] {
            let mut out = hotfix_evidence { struct_size: size, ..evidence() };
            fails! { Struct:
                hotfix_test_evidence(test.0, &raw mut out);
            }
        }
    }
    // SAFETY: null is no test.
    unsafe { hotfix_test_free(null_mut()) };
}

#[test]
fn bytes_that_are_not_a_test_are_refused() {
    let refused = |bytes: &str, status, code: &str| {
        let failed = Test::from_bytes(bytes).err().unwrap_or_else(|| panic!("{bytes} is read"));
        let got = (failed.status, failed.code.as_str());
        assert_eq!(got, (status, code), "{bytes}: {}", failed.message);
    };
    for (kind, new, settings) in KINDS {
        let bytes = Test::new(new, settings).bytes();
        let document: Value = serde_json::from_str(&bytes).unwrap();
        let with = |key: &str, value: Value| {
            let mut changed = document.clone();
            changed[key] = value;
            changed.to_string()
        };
        refused(&with("what", 1.into()), hotfix_status::Input, "HF-IN-001");
        refused(&with("kind", "cauchy".into()), hotfix_status::Input, "HF-IN-001");
        refused(&with("model", "cauchy".into()), hotfix_status::Input, "HF-IN-001");
        refused(&with("settings", Value::Null), hotfix_status::Input, "HF-IN-001");
        refused(&with("state", Value::Null), hotfix_status::Input, "HF-IN-001");
        refused(&format!(r#"{{"kind": "{kind}"}}"#), hotfix_status::Input, "HF-IN-001");
        let mut without = document.clone();
        without.as_object_mut().unwrap().remove("kind");
        refused(&without.to_string(), hotfix_status::Input, "HF-IN-001");
        if kind != "rate_ratio" {
            refused(&with("model", "poisson".into()), hotfix_status::Input, "HF-IN-001");
        }
    }
}

#[test]
fn stat_1_settings_are_read_as_strictly_as_every_document() {
    let new = |new: New, settings: &str| {
        let ((at, len), mut out) = (raw(settings), null_mut());
        // SAFETY: live text and slot.
        call(|e| unsafe { new(at, len, &raw mut out, e) }).unwrap_err()
    };
    for (of, settings, path) in [
        (hotfix_rate_ratio_new as New, r#"["better", 0.5]"#, "/settings"),
        (hotfix_rate_ratio_new, r#"{"alpha": "0.5"}"#, "/settings/alpha"),
        (hotfix_rate_ratio_new, r#"{"alpha": null}"#, "/settings/alpha"),
        (hotfix_rate_ratio_new, r#"{"model": 5}"#, "/settings/model"),
        (hotfix_rate_ratio_new, r#"{"alpha": 0.01, "alpha": 0.5}"#, "/settings"),
        (hotfix_rate_ratio_new, r#"{"margin": 3.0}"#, "/settings/margin"),
        (
            hotfix_rate_ratio_new,
            r#"{"direction": "better", "tolerated": 1.5}"#,
            "/settings/tolerated",
        ),
        (hotfix_rate_ratio_new, r#"{"prior_trials": 5}"#, "/settings/prior_trials"),
        (hotfix_rate_ratio_new, r#"{"modle": "bernoulli"}"#, "/settings/modle"),
        (hotfix_latency_new, r#"{"margin": 3.0}"#, "/settings/margin"),
        (hotfix_latency_new, r#"{"boundaries": 2.5}"#, "/settings/boundaries"),
        (hotfix_ceiling_new, "[0.5]", "/settings"),
        (hotfix_instances_new, r#"[["a", "b"]]"#, "/settings"),
    ] {
        let failed = new(of, settings);
        assert_eq!((failed.code.as_str(), failed.path.as_str()), ("HF-IN-001", path), "{settings}");
        let rust = ["f64", "usize", "struct", "enum", "expected"];
        assert!(!rust.iter().any(|word| failed.message.contains(word)), "{}", failed.message);
    }
    for (of, settings, code, path) in [
        (hotfix_rate_ratio_new as New, r#"{"alpha": 2}"#, "HF-STAT-001", "/settings/alpha"),
        (hotfix_rate_ratio_new, r#"{"weights": [1]}"#, "HF-STAT-008", "/settings/weights"),
        (hotfix_ceiling_new, r#"{"ceiling": 2}"#, "HF-STAT-027", "/settings/ceiling"),
        (
            hotfix_instances_new,
            r#"{"canary": ["a", "b"], "test": {"alpha": 2}}"#,
            "HF-STAT-001",
            "/settings/test/alpha",
        ),
    ] {
        let failed = new(of, settings);
        assert_eq!((failed.code.as_str(), failed.path.as_str()), (code, path), "{settings}");
    }
    for (settings, says) in [
        (r#"{"modle": "bernoulli"}"#, "did you mean `model`?"),
        (r#"{"margin": 3.0}"#, "`margin` belongs to direction \"better\""),
        (r#"{"model": "poisson", "prior_trials": 5}"#, "belongs to model \"bernoulli\""),
    ] {
        let failed = new(hotfix_rate_ratio_new, settings);
        assert!(failed.message.contains(says), "{}", failed.message);
    }
    let history = r#"{"a": [[0, 10], [1, 10]], "b": [[0, 10], [0, 10]]}"#;
    let pod_twice = r#"{"a": [[0, 10]], "b": [[0, 10]], "a": [[5, 10]]}"#;
    for (history, settings, path) in [
        (history, "{}", "/settings/share"),
        (history, r#"{"share": 0.5}"#, "/settings/ticks"),
        (history, "", "/settings"),
        (pod_twice, r#"{"share": 0.5, "ticks": 1}"#, "/history"),
    ] {
        let ((a, b), (c, d)) = (raw(history), raw(settings));
        // SAFETY: live texts and slot.
        let failed = buffer(|out, e| unsafe { hotfix_calibrate(a, b, c, d, out, e) }).unwrap_err();
        assert_eq!((failed.code.as_str(), failed.path.as_str()), ("HF-IN-001", path), "{settings}");
    }
    for (baseline, path) in [
        (r#"{"sample": [1]}"#, "/baseline/sample"),
        (r#"{"le": [0.1], "counts": [5]}"#, "/baseline/count"),
        (r#"{"le": [0.1, "+Inf"], "counts": [5, 7], "count": 7}"#, "/baseline/le/1"),
        ("[1, 2]", "/baseline"),
    ] {
        let (at, len) = raw(baseline);
        // SAFETY: live text and slot.
        let failed =
            buffer(|out, e| unsafe { hotfix_latency_boundaries(at, len, out, e) }).unwrap_err();
        assert_eq!((failed.code.as_str(), failed.path.as_str()), ("HF-IN-001", path), "{baseline}");
    }
}
