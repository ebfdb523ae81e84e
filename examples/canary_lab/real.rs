//! The parts that people run: HAProxy as the splitter, a Prometheus server as the source.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use hyper::Method;
use serde_json::Value;

use crate::http;
use crate::scrape::{Arms, Sample, Totals};

/// Asks a Prometheus server for the running totals of both arms.
pub(crate) async fn query(server: SocketAddr, baseline: &str, canary: &str) -> Arms {
    let Ok(samples) = instant(server, "{job=~\"payments|haproxy\"}").await else {
        return Arms::default();
    };
    Arms { canary: arm(&samples, canary, "canary"), baseline: arm(&samples, baseline, "baseline") }
}

/// The totals of one version, with what HAProxy could not deliver.
fn arm(samples: &[Sample], version: &str, server: &str) -> Option<Totals> {
    let label =
        |s: &Sample, name: &str, value: &str| s.labels.get(name).is_some_and(|l| l == value);
    let own: Vec<Sample> =
        samples.iter().filter(|s| label(s, "version", version)).cloned().collect();
    let mut totals = Totals::from_samples(&own).ok()?;
    totals.no_answer = samples
        .iter()
        .filter(|s| label(s, "proxy", "app") && label(s, "server", server))
        .filter(|s| {
            s.name == "haproxy_server_connection_errors_total"
                || s.name == "haproxy_server_response_errors_total"
        })
        .map(|s| s.value)
        .sum();
    Some(totals)
}

/// Runs an instant query and gives its vector.
pub(crate) async fn instant(server: SocketAddr, query: &str) -> anyhow::Result<Vec<Sample>> {
    let path = format!("/api/v1/query?query={}", escape(query));
    let reply = http::expect_ok(server, Method::GET, &path, "", Duration::from_millis(800)).await?;
    let answer: Value = serde_json::from_slice(&reply.body)?;
    let rows = answer["data"]["result"].as_array().context("Prometheus gave no vector")?;
    Ok(rows.iter().filter_map(sample).collect())
}

fn sample(row: &Value) -> Option<Sample> {
    let mut labels: std::collections::BTreeMap<String, String> =
        serde_json::from_value(row["metric"].clone()).ok()?;
    let name = labels.remove("__name__")?;
    let value = row["value"][1].as_str()?;
    let value = match value {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        number => number.parse().ok()?,
    };
    Some(Sample { name, labels, value })
}

/// Percent-encodes all but letters and digits.
fn escape(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(b).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
