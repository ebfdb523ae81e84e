//! Converts a policy to another rate of requests.

use std::sync::Arc;

use anyhow::Context as _;
use hotfix_core::policy::Policy;
use serde_json::Value;

/// The sections of a policy that contain times of the rollout.
const PARTS: [&str; 6] = ["after", "final_validation", "phases", "rollback", "strategies", "watch"];

/// The keys of these times.
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

/// Key of the expected duration of a deployment. It depends on the machine as well: it is
/// stretched, but never shortened.
const DEPLOYMENT: &str = "deploy";

/// Keys of a metric's figures; those of a count or a volume are per minute.
const FIGURES: [&str; 4] = ["reference", "success", "alert", "rollback"];

/// The policy with every time of the rollout multiplied by `stretch`, for a service with `stretch`
/// times fewer requests per second: each tick and each window has as many requests as before, and
/// the same random variation. Latencies and the times that people have for their work stay.
///
/// # Errors
/// The result is no valid policy, for example because a time gets shorter than a millisecond.
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

/// Multiplies the times in the value of `key`, also in nested ones.
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
            // The library counts in whole milliseconds.
            let millis = seconds.as_f64().map(|seconds| (seconds * by * 1e3).round());
            *value = millis.map_or(Value::Null, |millis| Value::from(millis / 1e3));
        }
        _ => {}
    }
}

/// Divides a figure per minute, which is a number or the `value` of a bound.
fn thin_out(figure: &mut Value, stretch: f64) {
    if let Some(bound) = figure.get_mut("value") {
        thin_out(bound, stretch);
    } else if let Some(a_minute) = figure.as_f64() {
        *figure = Value::from(a_minute / stretch);
    }
}
