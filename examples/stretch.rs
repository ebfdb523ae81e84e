//! A policy for another rate of requests than the one that it was written for.

use std::sync::Arc;

use anyhow::Context as _;
use hotfix_core::policy::Policy;
use serde_json::Value;

/// The parts of a policy that say what the rollout does when.
const PARTS: [&str; 6] = ["after", "final_validation", "phases", "rollback", "strategies", "watch"];

/// The keys of their times.
const TIMES: [&str; 13] = [
    "after",
    "cadence",
    "decay",
    "returned_within",
    "scrape",
    "stale",
    "until",
    "veto",
    "wait",
    "warm_up",
    "watch",
    "watch_most",
    "window",
];

/// How long a deployment is expected to take. That is the machine's time, too: it can be stretched,
/// and is never shortened.
const DEPLOYMENT: &str = "deploy";

/// The figures of a metric, which for a count or a volume are so many a minute.
const FIGURES: [&str; 4] = ["reference", "success", "alert", "rollback"];

/// The policy with every time of the rollout taking `stretch` times as long, for a service with so
/// many times fewer requests a second: each tick and each window has as many requests as before, and
/// what chance does to the bounds and tests is the same. Latencies, and the times that people have for
/// their work, stay.
///
/// # Errors
/// Where no policy comes out, as when a time gets shorter than a millisecond.
pub fn stretched(policy: &Arc<Policy>, stretch: f64) -> anyhow::Result<Arc<Policy>> {
    let mut document: Value = serde_json::from_str(&policy.to_json())?;
    for part in PARTS {
        if let Some(value) = document.get_mut(part) {
            stretch_times(part, value, stretch);
        }
    }
    for metric in document["metrics"].as_object_mut().into_iter().flat_map(|m| m.values_mut()) {
        if matches!(metric["kind"].as_str(), Some("count" | "volume")) {
            let fields = metric.as_object_mut().into_iter().flatten();
            for (_, figure) in fields.filter(|(key, _)| FIGURES.contains(&key.as_str())) {
                thin_out(figure, stretch);
            }
        }
        if let Some(warm_up) = metric.get_mut("warm_up") {
            stretch_times("warm_up", warm_up, stretch);
        }
    }
    let policy = Policy::from_json(&document.to_string())
        .with_context(|| format!("it cannot be stretched by {stretch}"))?;
    Ok(Arc::new(policy))
}

/// Multiplies the times in a value under `key`.
fn stretch_times(key: &str, value: &mut Value, stretch: f64) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|i| stretch_times(key, i, stretch)),
        Value::Object(fields) => fields.iter_mut().for_each(|(k, v)| stretch_times(k, v, stretch)),
        Value::Number(seconds) => {
            let by = match key {
                DEPLOYMENT => stretch.max(1.0),
                _ if TIMES.contains(&key) => stretch,
                _ => return,
            };
            // Whole milliseconds, as the library counts.
            let millis = seconds.as_f64().map(|seconds| (seconds * by * 1e3).round());
            *value = millis.map_or(Value::Null, |millis| Value::from(millis / 1e3));
        }
        _ => {}
    }
}

/// Divides a figure, or that of a bound that has one.
fn thin_out(figure: &mut Value, stretch: f64) {
    if let Some(bound) = figure.get_mut("value") {
        thin_out(bound, stretch);
    } else if let Some(a_minute) = figure.as_f64() {
        *figure = Value::from(a_minute / stretch);
    }
}
