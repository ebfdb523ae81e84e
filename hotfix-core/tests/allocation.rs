//! What must not allocate does not: a counting allocator around the whole program.

use hotfix_core::canonical::{Digest, Encoder, verify_line};
use hotfix_core::metric::Observation;
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Input, Recording, Rollout, State};
use hotfix_core::unit::{Span, Timestamp};
use serde::Serialize;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    // A thread that is being torn down has no counter any more, and nobody reads it.
    let _ = COUNT.try_with(|counter| counter.set(counter.get() + 1));
}

// SAFETY: every call goes to the system's allocator unchanged; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the promise of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the promise of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
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

/// Allocations of this thread while `body` runs.
fn allocations(body: impl FnOnce()) -> usize {
    let before = COUNT.get();
    body();
    COUNT.get() - before
}

#[test]
fn roll_7_the_counter_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), 1);
}

/// Members out of order at every level, escapes, names beyond ASCII, text through `Display`.
#[derive(Serialize)]
struct Event<'a> {
    seq: u64,
    prev: Digest,
    personal: &'a str,
    metrics: [(&'a str, Metric); 5],
    host: std::net::Ipv4Addr,
    at: &'a str,
}

#[derive(Serialize)]
struct Metric {
    log_e: f64,
    band: &'static str,
    #[serde(rename = "é")]
    canary: [u64; 2],
}

#[test]
fn roll_7_a_warm_encoder_allocates_nothing() {
    let metric = || Metric { log_e: -0.273_019_3, band: "success", canary: [3, 1000] };
    let event = |seq| Event {
        seq,
        prev: Digest::ZERO,
        personal: "R. \"Oak\" Okafor\n",
        metrics: ["e", "p", "s", "v", "b"].map(|name| (name, metric())),
        host: [10, 0, 0, 7].into(),
        at: "2025-01-01T00:00:00.000Z",
    };
    let mut encoder = Encoder::new();
    let mut out = Vec::new();
    encoder.seal(&event(10), &mut out).unwrap();
    for seq in 11..20 {
        let count = allocations(|| {
            out.clear();
            encoder.seal(&event(seq), &mut out).unwrap();
            verify_line(&out).unwrap();
        });
        assert_eq!(count, 0, "event {seq}");
    }
}

#[test]
fn roll_2_a_quiet_observation_and_its_log_line_allocate_nothing() {
    let plan = Plan::from_json(
        Arc::new(Policy::preset("phased-canary").unwrap()),
        r#"{"id":"INC-2041","service":"payments","severity":"P1"}"#,
        r#"{"version":"2.3.1","previous":"2.3.0","methods":[{"kind":"feature_flag","seconds":5}]}"#,
        r#"{"requests_per_minute":1000}"#,
    )
    .unwrap();
    let quiet: Observation = serde_json::from_str(
        r#"{
            "error_rate": {"canary": [0, 200], "baseline": [5, 1800]},
            "payment_success": {"canary": [200, 200], "baseline": [810, 1800]},
            "latency_p95": {
                "canary": {"le": [0.1, 0.25, 0.3, 0.5], "counts": [140, 194, 196, 198], "count": 200},
                "baseline": {"le": [0.1, 0.25, 0.3, 0.5], "counts": [1260, 1746, 1764, 1782], "count": 1800}
            },
            "bug": {"canary": [0, 10], "baseline": [12, 10]},
            "request_volume": {"canary": 100, "baseline": 900}
        }"#,
    )
    .unwrap();
    let quiet = Input::observe(quiet);
    for recording in [Recording::Off, Recording::HandOut] {
        let mut rollout = Rollout::try_new(plan.clone(), recording, "pepper").unwrap();
        let mut at: Timestamp = "2026-03-03T14:40:00Z".parse().unwrap();
        let take = |rollout: &mut Rollout, at, text: &str| {
            rollout.handle(at, &Input::from_json(text).unwrap()).unwrap();
        };
        take(&mut rollout, at, r#"{"kind":"start","by":"lena"}"#);
        let pending =
            |rollout: &Rollout| rollout.pending_actions().next().map(|act| act.id.to_string());
        while let Some(id) = pending(&rollout) {
            take(&mut rollout, at, &format!(r#"{{"kind":"confirm","by":"tool","action":"{id}"}}"#));
        }
        for tick in 0..40 {
            at = at + Span::from_seconds(10);
            let count = allocations(|| {
                rollout.handle(at, &quiet).unwrap();
            });
            assert_eq!(rollout.state(), State::Monitoring);
            assert!(count == 0 || tick < 12, "{count} allocations in tick {tick}, {recording:?}");
        }
    }
}
