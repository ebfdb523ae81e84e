//! Where the traffic is switched: the lab's own splitter, or HAProxy over its runtime API.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context as _;
use hyper::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::http;

const PATIENCE: Duration = Duration::from_secs(3);

/// HAProxy's weights end at 256; 200 parts give half percents.
const HAPROXY_PARTS: f64 = 200.0;

/// The arms' names at the switch.
pub(crate) const ARMS: [&str; 2] = ["baseline", "canary"];

/// A traffic switch with two backends, `baseline` and `canary`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Switch {
    /// The control address of the lab's splitter.
    Splitter(SocketAddr),
    /// The runtime socket of HAProxy, backend `app`.
    Haproxy(PathBuf),
}

impl FromStr for Switch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("haproxy:") {
            Some(path) => Ok(Self::Haproxy(path.into())),
            None => text
                .parse()
                .map(Self::Splitter)
                .map_err(|_| format!("`{text}` is neither an address nor `haproxy:<socket>`")),
        }
    }
}

impl std::fmt::Display for Switch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Splitter(address) => write!(f, "{address}"),
            Self::Haproxy(path) => write!(f, "haproxy:{}", path.display()),
        }
    }
}

impl Switch {
    /// Gives the canary `share` of the traffic and the baseline the rest.
    pub(crate) async fn set_share(&self, share: f64) -> anyhow::Result<()> {
        anyhow::ensure!((0.0..=1.0).contains(&share), "{share} is not a share in 0..=1");
        match self {
            Self::Splitter(control) => {
                let canary = parts(share, 10_000.0);
                let weights = json!({ "canary": canary, "baseline": 10_000 - canary });
                let body = weights.to_string();
                http::expect_ok(*control, Method::PUT, "/weights", body, PATIENCE).await?;
                Ok(())
            }
            Self::Haproxy(socket) => {
                let canary = parts(share, HAPROXY_PARTS);
                let baseline = parts(1.0, HAPROXY_PARTS) - canary;
                let commands = format!(
                    "set server app/baseline weight {baseline}; set server app/canary weight {canary}"
                );
                haproxy(socket, &commands).await
            }
        }
    }

    /// The canary's share as the switch has it.
    pub(crate) async fn canary_share(&self) -> anyhow::Result<f64> {
        let mut weights = [0.0; 2];
        match self {
            Self::Splitter(control) => {
                let reply = http::expect_ok(*control, Method::GET, "/backends", "", PATIENCE);
                let backends: Value = serde_json::from_slice(&reply.await?.body)?;
                for (weight, name) in weights.iter_mut().zip(ARMS) {
                    *weight = backends[name]["weight"].as_f64().unwrap_or(0.0);
                }
            }
            Self::Haproxy(socket) => {
                for (weight, name) in weights.iter_mut().zip(ARMS) {
                    let answer = haproxy_says(socket, &format!("get weight app/{name}")).await?;
                    let number = answer.split_whitespace().next().unwrap_or_default();
                    *weight = number
                        .parse()
                        .with_context(|| format!("HAProxy gave no weight: {}", answer.trim()))?;
                }
            }
        }
        let [baseline, canary] = weights;
        anyhow::ensure!(baseline + canary > 0.0, "the switch sends no traffic anywhere");
        Ok(canary / (baseline + canary))
    }

    /// Tells the switch where the versions are. The canary starts without traffic.
    pub(crate) async fn register(
        &self,
        baseline: SocketAddr,
        canary: Option<SocketAddr>,
    ) -> anyhow::Result<()> {
        match self {
            Self::Splitter(control) => {
                let mut backends = BTreeMap::new();
                backends.insert("baseline", json!({ "address": baseline, "weight": 10_000 }));
                if let Some(address) = canary {
                    backends.insert("canary", json!({ "address": address, "weight": 0 }));
                }
                let body = serde_json::to_string(&backends)?;
                http::expect_ok(*control, Method::PUT, "/backends", body, PATIENCE).await?;
            }
            Self::Haproxy(socket) => {
                for (name, address) in ARMS.iter().zip([Some(baseline), canary]) {
                    let Some(address) = address else { continue };
                    let (ip, port) = (address.ip(), address.port());
                    let at = format!("set server app/{name} addr {ip} port {port}");
                    let weight = if *name == "baseline" { HAPROXY_PARTS } else { 0.0 };
                    let rest = format!(
                        "set server app/{name} weight {weight}; set server app/{name} state ready"
                    );
                    haproxy_says(socket, &at).await?;
                    haproxy(socket, &rest).await?;
                }
            }
        }
        Ok(())
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 10,000")]
fn parts(share: f64, whole: f64) -> u32 {
    (share * whole).round() as u32
}

/// Runs commands that answer nothing when they succeed.
async fn haproxy(socket: &Path, commands: &str) -> anyhow::Result<()> {
    let answer = haproxy_says(socket, commands).await?;
    anyhow::ensure!(answer.trim().is_empty(), "HAProxy on `{commands}`: {}", answer.trim());
    Ok(())
}

/// Runs commands over the runtime API and gives the answer.
pub(crate) async fn haproxy_says(socket: &Path, commands: &str) -> anyhow::Result<String> {
    let talk = async {
        let mut stream = UnixStream::connect(socket).await?;
        stream.write_all(format!("{commands}\n").as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    tokio::time::timeout(PATIENCE, talk)
        .await
        .context("HAProxy's runtime socket does not answer")?
        .with_context(|| format!("HAProxy's runtime socket {}", socket.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for text in ["127.0.0.1:4000", "haproxy:/run/lab.sock"] {
            assert_eq!(text.parse::<Switch>().expect("legal").to_string(), text);
        }
        assert!("nowhere".parse::<Switch>().is_err());
    }

    #[test]
    fn shares_become_whole_parts() {
        assert_eq!(parts(0.1, 10_000.0), 1_000);
        assert_eq!(parts(0.1, HAPROXY_PARTS), 20);
        assert_eq!(parts(1.0, HAPROXY_PARTS), 200);
    }
}
