//! Switches of traffic: weights at the lab's own splitter or at HAProxy, batches of instances, or a
//! flag.

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

const PATIENCE: Duration = Duration::from_secs(6);

/// Maximum duration of a batch of instances: open requests are awaited, then the instances are
/// restarted.
const BATCH_PATIENCE: Duration = Duration::from_secs(30);

/// HAProxy's weights end at 256; 200 parts allow steps of half a percent.
const HAPROXY_PARTS: f64 = 200.0;

/// Names of the two arms at the switch: the old version's, then the fix's.
pub(crate) type Names = [&'static str; 2];

/// Names by role.
pub(crate) const ARMS: Names = ["baseline", "canary"];

/// Names by side; a colour does not say which side is live.
pub(crate) const SIDES: Names = ["blue", "green"];

/// The switch of a scene: its kind, and the names of the arms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Switch {
    /// Kind and address.
    pub(crate) by: Mover,
    /// The arms' names; for instances a dot and the number follow.
    pub(crate) names: Names,
}

/// What moves traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mover {
    /// Weights, set at the control address of the lab's splitter.
    Splitter(SocketAddr),
    /// Weights, set over the runtime socket of HAProxy, backend `app`.
    Haproxy(PathBuf),
    /// The platform, which replaces instances behind the lab's splitter in batches.
    Fleet {
        /// The platform's address for orders.
        platform: SocketAddr,
        /// The splitter's control address.
        splitter: SocketAddr,
    },
    /// A flag of the only process, at its address.
    Flag(SocketAddr),
}

impl FromStr for Switch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (names, mover) = match text.strip_prefix("sides:") {
            Some(mover) => (SIDES, mover),
            None => (ARMS, text),
        };
        let address = |text: &str| text.parse().ok();
        let by = if let Some(path) = mover.strip_prefix("haproxy:") {
            Some(Mover::Haproxy(path.into()))
        } else if let Some(at) = mover.strip_prefix("flag:") {
            address(at).map(Mover::Flag)
        } else if let Some(both) = mover.strip_prefix("fleet:") {
            both.split_once(',').and_then(|(platform, splitter)| {
                Some(Mover::Fleet { platform: address(platform)?, splitter: address(splitter)? })
            })
        } else {
            address(mover).map(Mover::Splitter)
        };
        by.map(|by| Self { by, names }).ok_or_else(|| {
            format!(
                "`{text}` is neither `<address>`, `haproxy:<socket>`, `fleet:<platform>,<splitter>` \
                 nor `flag:<address>`; `sides:` before the first two calls the arms blue and green"
            )
        })
    }
}

impl std::fmt::Display for Switch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.names == SIDES {
            f.write_str("sides:")?;
        }
        match &self.by {
            Mover::Splitter(address) => write!(f, "{address}"),
            Mover::Haproxy(path) => write!(f, "haproxy:{}", path.display()),
            Mover::Fleet { platform, splitter } => write!(f, "fleet:{platform},{splitter}"),
            Mover::Flag(address) => write!(f, "flag:{address}"),
        }
    }
}

/// A version behind the switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Behind {
    /// Its name at the switch.
    pub(crate) name: String,
    /// Its address.
    pub(crate) at: SocketAddr,
    /// Whether it gets traffic at once, the same as each other live one.
    pub(crate) live: bool,
}

impl Switch {
    /// Gives the fix `share` of the traffic and the old version the rest.
    pub(crate) async fn set_share(&self, share: f64) -> anyhow::Result<()> {
        anyhow::ensure!((0.0..=1.0).contains(&share), "{share} is not a share in 0..=1");
        let [old, fix] = self.names;
        let (to, path, body, patience) = match &self.by {
            Mover::Splitter(control) => {
                let canary = parts(share, 10_000.0);
                let weights = json!({ fix: canary, old: 10_000 - canary });
                (control, "/weights", weights, PATIENCE)
            }
            Mover::Haproxy(socket) => {
                let canary = parts(share, HAPROXY_PARTS);
                let baseline = parts(1.0, HAPROXY_PARTS) - canary;
                let commands = format!(
                    "set server app/{old} weight {baseline}; set server app/{fix} weight {canary}"
                );
                return haproxy(socket, &commands).await;
            }
            Mover::Fleet { platform, .. } => {
                (platform, "/fleet", json!({ "share": share }), BATCH_PATIENCE)
            }
            Mover::Flag(service) => (service, "/flag", json!({ "share": share }), PATIENCE),
        };
        http::expect_ok(*to, Method::PUT, path, body.to_string(), patience).await?;
        Ok(())
    }

    /// The fix's share at the switch.
    pub(crate) async fn canary_share(&self) -> anyhow::Result<f64> {
        let mut weights = [0.0; 2];
        match &self.by {
            Mover::Splitter(control) | Mover::Fleet { splitter: control, .. } => {
                let reply = http::expect_ok(*control, Method::GET, "/backends", "", PATIENCE);
                let backends: BTreeMap<String, Value> = serde_json::from_slice(&reply.await?.body)?;
                for (name, backend) in &backends {
                    if let Some(arm) = self.arm(name) {
                        weights[arm] += backend["weight"].as_f64().unwrap_or(0.0);
                    }
                }
            }
            Mover::Haproxy(socket) => {
                for (weight, name) in weights.iter_mut().zip(self.names) {
                    let answer = haproxy_says(socket, &format!("get weight app/{name}")).await?;
                    let number = answer.split_whitespace().next().unwrap_or_default();
                    *weight = number.parse().with_context(|| {
                        format!("HAProxy returned no weight: {}", answer.trim())
                    })?;
                }
            }
            Mover::Flag(service) => {
                let reply = http::expect_ok(*service, Method::GET, "/flag", "", PATIENCE).await?;
                let flag: Value = serde_json::from_slice(&reply.body)?;
                return flag["share"].as_f64().context("the flag has no share");
            }
        }
        let [baseline, canary] = weights;
        anyhow::ensure!(baseline + canary > 0.0, "the switch sends no traffic anywhere");
        Ok(canary / (baseline + canary))
    }

    /// The arm of a name at the switch: 0 for the old version, 1 for the fix; else None.
    pub(crate) fn arm(&self, name: &str) -> Option<usize> {
        let own =
            |of: &&str| name.strip_prefix(*of).is_some_and(|n| n.is_empty() || n.starts_with('.'));
        self.names.iter().position(own)
    }

    /// The side that has all the traffic when the fix has `share`; None without such a side.
    pub(crate) fn live_side(&self, share: f64) -> Option<&'static str> {
        let [old, fix] = self.names;
        match share {
            _ if self.names != SIDES => None,
            0.0 => Some(old),
            1.0 => Some(fix),
            _ => None,
        }
    }

    /// Sends the addresses of the versions to the switch, replacing the earlier ones.
    pub(crate) async fn register(&self, behind: &[Behind]) -> anyhow::Result<()> {
        match &self.by {
            Mover::Splitter(control) | Mover::Fleet { splitter: control, .. } => {
                let backends: BTreeMap<&str, Value> = behind
                    .iter()
                    .map(|b| {
                        let weight = if b.live { 10_000 } else { 0 };
                        (b.name.as_str(), json!({ "address": b.at, "weight": weight }))
                    })
                    .collect();
                let body = serde_json::to_string(&backends)?;
                http::expect_ok(*control, Method::PUT, "/backends", body, PATIENCE).await?;
            }
            Mover::Haproxy(socket) => {
                for Behind { name, at, live } in behind {
                    let (ip, port) = (at.ip(), at.port());
                    let place = format!("set server app/{name} addr {ip} port {port}");
                    let weight = if *live { HAPROXY_PARTS } else { 0.0 };
                    let rest = format!(
                        "set server app/{name} weight {weight}; set server app/{name} state ready"
                    );
                    haproxy_says(socket, &place).await?;
                    haproxy(socket, &rest).await?;
                }
            }
            Mover::Flag(_) => {}
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
        for text in [
            "127.0.0.1:4000",
            "sides:127.0.0.1:4000",
            "haproxy:/run/lab.sock",
            "sides:haproxy:/run/lab.sock",
            "fleet:127.0.0.1:4000,127.0.0.1:4001",
            "flag:127.0.0.1:4000",
        ] {
            assert_eq!(text.parse::<Switch>().expect("legal").to_string(), text);
        }
        for text in ["nowhere", "fleet:127.0.0.1:4000", "sides:", "flag:here"] {
            assert!(text.parse::<Switch>().is_err(), "{text}");
        }
    }

    #[test]
    fn names_with_and_without_a_number_belong_to_an_arm_and_one_side_is_live() {
        let by_role: Switch = "fleet:127.0.0.1:1,127.0.0.1:2".parse().expect("legal");
        assert_eq!(by_role.arm("baseline.2"), Some(0));
        assert_eq!(by_role.arm("canary"), Some(1));
        assert_eq!((by_role.arm("canaries"), by_role.arm("green")), (None, None));
        assert_eq!(by_role.live_side(1.0), None);
        let by_side: Switch = "sides:127.0.0.1:1".parse().expect("legal");
        assert_eq!((by_side.arm("blue"), by_side.arm("green")), (Some(0), Some(1)));
        let live = [0.0, 0.5, 1.0].map(|share| by_side.live_side(share));
        assert_eq!(live, [Some("blue"), None, Some("green")]);
    }

    #[test]
    fn shares_become_whole_parts() {
        assert_eq!(parts(0.1, 10_000.0), 1_000);
        assert_eq!(parts(0.1, HAPROXY_PARTS), 20);
        assert_eq!(parts(1.0, HAPROXY_PARTS), 200);
    }
}
