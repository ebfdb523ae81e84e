//! What `hotfix_rollout_observe` costs over the same call in Rust: no allocation of its own, and little time.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at what it did not expect")]
#![allow(clippy::result_large_err, reason = "a test reads the whole error")]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use common::{Plan, Policy, Rollout, call, outcome, raw};
use hotfix::reading::{
    HOTFIX_READING_BASELINE, HOTFIX_READING_CANARY, hotfix_form, hotfix_reading,
};
use hotfix::rollout::{hotfix_recording, hotfix_rollout_handle, hotfix_rollout_observe};
use hotfix_core::rollout::{Input, Recording};
use hotfix_core::unit::Timestamp;

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the promise of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the promise of `realloc`.
        unsafe { System.realloc(at, layout, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the promise of `dealloc`.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const START: &[(i64, &str)] = &[
    (0, r#"{"kind": "start", "by": "lena"}"#),
    (1_000, r#"{"kind": "confirm", "by": "tool", "action": "1.3"}"#),
    (2_000, r#"{"kind": "confirm", "by": "tool", "action": "2.0"}"#),
];

const INCIDENT: &str = r#"{"id": "INC-1"}"#;
const RELEASE: &str = r#"{"version": "2.3.1", "previous": "2.3.0"}"#;

/// The observation of the figures: 2 proportions, a histogram with 6 boundaries, a count, a volume.
const METRICS: &str = r#"{"kind": "observe", "metrics": {
    "error_rate": {"canary": [0, 100], "baseline": [3, 900]},
    "payment_success": {"canary": [100, 100], "baseline": [405, 900]},
    "latency_p95": {
        "canary": {"le": [0.1, 0.25, 0.3, 0.5, 1.0, 2.5], "counts": [72, 97, 98, 99, 100, 100], "count": 100},
        "baseline": {"le": [0.1, 0.25, 0.3, 0.5, 1.0, 2.5], "counts": [648, 873, 882, 891, 900, 900], "count": 900}
    },
    "bug": {"canary": [0, 10], "baseline": [12, 10]},
    "request_volume": {"canary": 100, "baseline": 900}
}}"#;

const LE: [f64; 6] = [0.1, 0.25, 0.3, 0.5, 1.0, 2.5];
const CANARY: [f64; 6] = [72.0, 97.0, 98.0, 99.0, 100.0, 100.0];
const BASELINE: [f64; 6] = [648.0, 873.0, 882.0, 891.0, 900.0, 900.0];

fn readings() -> [hotfix_reading; 5] {
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

fn at(ms: i64) -> Timestamp {
    Timestamp::try_from_millis(ms).unwrap()
}

/// The policy with a phase so long that nothing happens.
fn quiet_policy() -> hotfix_core::policy::Policy {
    let toml = hotfix_core::policy::Policy::preset("phased-canary").unwrap().to_toml();
    hotfix_core::policy::Policy::from_toml(&toml.replace("\"10min\"", "\"9000d\"")).unwrap()
}

fn in_rust(recording: Recording) -> hotfix_core::rollout::Rollout {
    let plan = hotfix_core::plan::Plan::from_json(Arc::new(quiet_policy()), INCIDENT, RELEASE, "")
        .unwrap();
    let mut rollout = hotfix_core::rollout::Rollout::try_new(plan, recording, "pepper").unwrap();
    for (ms, input) in START {
        rollout.handle(at(*ms), &Input::from_json(input).unwrap()).unwrap();
    }
    rollout
}

fn in_c(recording: hotfix_recording) -> Rollout {
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

fn observe(rollout: &Rollout, ms: i64, readings: &[hotfix_reading]) {
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

#[test]
fn roll_2_a_quiet_observation_through_c_allocates_what_it_does_in_rust() {
    let (mut rust, c) = (in_rust(Recording::HandOut), in_c(hotfix_recording::HandOut));
    let (input, readings) = (Input::from_json(METRICS).unwrap(), readings());
    let mut counts = Vec::new();
    for tick in 1..50 {
        let ms = 2_000 + tick * 10_000;
        let before = COUNT.get();
        rust.handle(at(ms), &input).unwrap();
        let between = COUNT.get();
        observe(&c, ms, &readings);
        counts.push((between - before, COUNT.get() - between));
    }
    // The first ones make room.
    assert!(counts[10..].iter().all(|count| *count == (0, 0)), "(Rust, C): {counts:?}");
}

/// Not a bench, but enough to see: `cargo test --release -p hotfix-ffi --test observe_cost -- --ignored --nocapture`.
#[test]
#[ignore = "measures time"]
fn observe_through_c_against_rust() {
    const CALLS: i64 = 500;
    let (input, readings) = (Input::from_json(METRICS).unwrap(), readings());
    for (rust, c) in
        [(Recording::Off, hotfix_recording::Off), (Recording::HandOut, hotfix_recording::HandOut)]
    {
        let (mut in_rust, in_c) = (in_rust(rust), in_c(c));
        let (mut best_rust, mut best_c) = (f64::INFINITY, f64::INFINITY);
        for round in 0..500 {
            let ms = |call: i64| 2_000 + (round * CALLS + call) * 1_000;
            let start = Instant::now();
            for call in 1..=CALLS {
                black_box(in_rust.handle(at(ms(call)), &input).unwrap());
            }
            best_rust = best_rust.min(start.elapsed().as_secs_f64() * 1e9 / CALLS as f64);
            let start = Instant::now();
            for call in 1..=CALLS {
                observe(&in_c, ms(call), &readings);
            }
            best_c = best_c.min(start.elapsed().as_secs_f64() * 1e9 / CALLS as f64);
        }
        println!(
            "{rust:?}: {best_rust:.0} ns in Rust, {best_c:.0} ns through C, {:+.0} ns",
            best_c - best_rust
        );
    }
}
