//! Shared code of the benches: synthetic values of realistic size, the story, the recordings, and
//! the distribution of request times.

pub mod recordings;
pub mod request_times;
pub mod simulated;
pub mod story;

use hotfix_core::canonical::Digest;
use serde::Serialize;

/// An observation of five metrics with its verdict, about a kilobyte as a log line.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    at: &'static str,
    by: &'static str,
    decision: &'static str,
    kind: &'static str,
    metrics: [Metric; 5],
    phase: u8,
    prev: Digest,
    seq: u64,
}

#[derive(Clone, Debug, Serialize)]
struct Metric {
    band: &'static str,
    baseline: [u64; 2],
    canary: [u64; 2],
    id: &'static str,
    log_e: f64,
    ratio: f64,
    value: f64,
}

/// [`Event`] with its members declared in an order that has to be sorted.
#[derive(Clone, Debug, Serialize)]
pub struct Unsorted {
    seq: u64,
    at: &'static str,
    prev: Digest,
    by: &'static str,
    kind: &'static str,
    phase: u8,
    metrics: [Metric; 5],
    decision: &'static str,
}

/// The event number `seq` of a log.
pub fn event(seq: u64) -> Event {
    let ids = ["bug", "error_rate", "latency_p95", "payment_success", "request_volume"];
    let mut step = 0;
    let metrics = ids.map(|id| {
        step += 1;
        let events = 3 * step + seq % 7;
        Metric {
            band: "success",
            baseline: [events * 9, 9_000],
            canary: [events, 1_000],
            id,
            log_e: -0.273_019_341_7 * step as f64,
            ratio: 1.0 + 0.041_372_9 / step as f64,
            value: events as f64 / 1_000.0,
        }
    });
    Event {
        at: "2025-03-14T09:26:53.589Z",
        by: "deploy-bot",
        decision: "continue",
        kind: "observed",
        metrics,
        phase: 1,
        prev: Digest::of(&seq.to_le_bytes()),
        seq,
    }
}

/// [`event`] as [`Unsorted`].
pub fn unsorted(seq: u64) -> Unsorted {
    let Event { at, by, decision, kind, metrics, phase, prev, seq } = event(seq);
    Unsorted { seq, at, prev, by, kind, phase, metrics, decision }
}
