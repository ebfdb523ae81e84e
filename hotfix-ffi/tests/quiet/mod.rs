//! A rollout in which nothing happens, in Rust and through C: what an observation costs is measured and counted on it.

use std::hint::black_box;
use std::sync::Arc;

use hotfix::reading::{
    HOTFIX_READING_BASELINE, HOTFIX_READING_CANARY, hotfix_form, hotfix_reading,
};
use hotfix::rollout::{hotfix_recording, hotfix_rollout_handle, hotfix_rollout_observe};
use hotfix_core::rollout::{Input, Recording};
use hotfix_core::unit::Timestamp;

use crate::common::{Plan, Policy, Rollout, call, outcome, raw};

pub(crate) const START: &[(i64, &str)] = &[
    (1_772_548_800_000, r#"{"kind": "start", "by": "lena"}"#),
    (1_772_548_801_000, r#"{"kind": "confirm", "by": "tool", "action": "1.3"}"#),
    (1_772_548_802_000, r#"{"kind": "confirm", "by": "tool", "action": "2.0"}"#),
];

pub(crate) const INCIDENT: &str = r#"{"id": "INC-1"}"#;
pub(crate) const RELEASE: &str = r#"{"version": "2.3.1", "previous": "2.3.0"}"#;

/// The observation of the figures: 2 proportions, a histogram with 6 boundaries, a count, a volume.
pub(crate) const METRICS: &str = r#"{"kind": "observe", "metrics": {
    "error_rate": {"canary": [0, 100], "baseline": [3, 900]},
    "payment_success": {"canary": [100, 100], "baseline": [405, 900]},
    "latency_p95": {
        "canary": {"le": [0.1, 0.25, 0.3, 0.5, 1.0, 2.5], "counts": [72, 97, 98, 99, 100, 100], "count": 100},
        "baseline": {"le": [0.1, 0.25, 0.3, 0.5, 1.0, 2.5], "counts": [648, 873, 882, 891, 900, 900], "count": 900}
    },
    "bug": {"canary": [0, 10], "baseline": [12, 10]},
    "request_volume": {"canary": 100, "baseline": 900}
}}"#;

pub(crate) const LE: [f64; 6] = [0.1, 0.25, 0.3, 0.5, 1.0, 2.5];
pub(crate) const CANARY: [f64; 6] = [72.0, 97.0, 98.0, 99.0, 100.0, 100.0];
pub(crate) const BASELINE: [f64; 6] = [648.0, 873.0, 882.0, 891.0, 900.0, 900.0];

pub(crate) fn readings() -> [hotfix_reading; 5] {
    // SAFETY: all zero bytes are a value of this struct.
    let zero: hotfix_reading = unsafe { std::mem::zeroed() };
    let reading = |metric: &'static str, form: hotfix_form, canary, baseline| hotfix_reading {
        struct_size: size_of::<hotfix_reading>(),
        metric: metric.as_ptr().cast(),
        metric_len: metric.len(),
        form: form as i32,
        flags: HOTFIX_READING_CANARY | HOTFIX_READING_BASELINE,
        canary,
        baseline,
        ..zero
    };
    [
        reading("error_rate", hotfix_form::Pair, [0.0, 100.0], [3.0, 900.0]),
        reading("payment_success", hotfix_form::Pair, [100.0, 100.0], [405.0, 900.0]),
        hotfix_reading {
            le: LE.as_ptr(),
            le_len: LE.len(),
            canary_counts: CANARY.as_ptr(),
            baseline_counts: BASELINE.as_ptr(),
            ..reading("latency_p95", hotfix_form::Histogram, [100.0, 0.0], [900.0, 0.0])
        },
        reading("bug", hotfix_form::Pair, [0.0, 10.0], [12.0, 10.0]),
        reading("request_volume", hotfix_form::Level, [100.0, 0.0], [900.0, 0.0]),
    ]
}

pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::try_from_millis(ms).unwrap()
}

/// The policy without gates and with a phase so long that nothing happens.
pub(crate) fn quiet_policy() -> hotfix_core::policy::Policy {
    let open = include_str!("../../../hotfix-core/tests/policies/open.toml");
    let toml = hotfix_core::policy::Policy::from_toml(open).unwrap().to_toml();
    hotfix_core::policy::Policy::from_toml(&toml.replace("\"10min\"", "\"9000d\"")).unwrap()
}

pub(crate) fn in_rust(recording: Recording) -> hotfix_core::rollout::Rollout {
    let plan = hotfix_core::plan::Plan::from_json(Arc::new(quiet_policy()), INCIDENT, RELEASE, "")
        .unwrap();
    let mut rollout = hotfix_core::rollout::Rollout::try_new(plan, recording, "pepper").unwrap();
    for (ms, input) in START {
        rollout.handle(at(*ms), &Input::from_json(input).unwrap()).unwrap();
    }
    rollout
}

pub(crate) fn in_c(recording: hotfix_recording) -> Rollout {
    let policy = Policy::from_json(&quiet_policy().to_json()).unwrap();
    let rollout = Rollout::new(&Plan::new(&policy, [INCIDENT, RELEASE, ""]).unwrap(), recording);
    for (ms, input) in START {
        let ((input, len), mut out) = (raw(input), outcome());
        // SAFETY: live handle and text.
        call(|e| unsafe { hotfix_rollout_handle(rollout.0, *ms, input, len, &raw mut out, e) })
            .unwrap();
    }
    rollout
}

pub(crate) fn observe(rollout: &Rollout, ms: i64, readings: &[hotfix_reading]) {
    let mut out = outcome();
    // SAFETY: live handle and structs.
    let status = unsafe {
        hotfix_rollout_observe(
            rollout.0,
            ms,
            readings.as_ptr(),
            readings.len(),
            std::ptr::null(),
            &raw mut out,
            std::ptr::null_mut(),
        )
    };
    assert_eq!(status, hotfix::status::hotfix_status::Ok);
    black_box(out);
}
