//! The splitter: forwards each request to one backend by weight, over a socket of its own.
//!
//! Data and control have a port each. `PUT /backends` names the backends, `PUT /weights` sets their
//! weights, `GET /backends` reads both back, `GET /metrics` counts answers by backend. A backend
//! that does not answer costs its caller a 502 and is counted; nothing is retried, so that a sick
//! version cannot hide behind a healthy one.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::Method;
use prometheus::{Encoder as _, IntCounterVec, Opts, Registry, TextEncoder};
use serde::{Deserialize, Serialize};

use crate::http::{self, Asked, CallError, Reply};
use crate::process::announce;

/// How long a backend may take.
const PATIENCE: Duration = Duration::from_secs(8);

/// Flags of `canary_lab splitter`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Flags {
    /// Port for the traffic; 0 lets the system choose.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Port for control and metrics; 0 lets the system choose.
    #[arg(long, default_value_t = 0)]
    control_port: u16,
    /// Write the control address to this file as well as to the second line of the output.
    #[arg(long)]
    address_file: Option<PathBuf>,
}

/// The address of a backend and its weight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Backend {
    /// Loopback address.
    pub(crate) address: SocketAddr,
    /// Its share of the traffic is the weight over the sum of weights.
    pub(crate) weight: u32,
}

/// Smooth weighted round robin, as in nginx: over each full turn the split is exact, and the
/// requests of the backend with the smaller weight are spread evenly.
#[derive(Debug, Default)]
pub(crate) struct Wheel {
    backends: BTreeMap<String, Backend>,
    credit: BTreeMap<String, i64>,
}

impl Wheel {
    /// Replaces the backends and resets their credit.
    pub(crate) fn set_backends(&mut self, backends: BTreeMap<String, Backend>) {
        self.backends = backends;
        self.credit.clear();
    }

    /// Sets weights by name.
    ///
    /// # Errors
    /// A name that is no backend: nothing is changed.
    pub(crate) fn set_weights(&mut self, weights: &BTreeMap<String, u32>) -> Result<(), String> {
        if let Some(name) = weights.keys().find(|n| !self.backends.contains_key(*n)) {
            let known: Vec<&str> = self.backends.keys().map(String::as_str).collect();
            return Err(format!("no backend `{name}`: the backends are {}", known.join(", ")));
        }
        for (name, weight) in weights {
            if let Some(backend) = self.backends.get_mut(name) {
                backend.weight = *weight;
            }
        }
        self.credit.clear();
        Ok(())
    }

    /// The backend of the next request; nothing when no weight is over 0.
    pub(crate) fn next(&mut self) -> Option<(String, SocketAddr)> {
        let total: i64 = self.backends.values().map(|b| i64::from(b.weight)).sum();
        let mut best: Option<(i64, &String, SocketAddr)> = None;
        for (name, backend) in self.backends.iter().filter(|(_, b)| b.weight > 0) {
            let credit = self.credit.entry(name.clone()).or_default();
            *credit += i64::from(backend.weight);
            if best.is_none_or(|(most, ..)| *credit > most) {
                best = Some((*credit, name, backend.address));
            }
        }
        let (_, name, address) = best?;
        *self.credit.entry(name.clone()).or_default() -= total;
        Some((name.clone(), address))
    }
}

struct Splitter {
    wheel: Mutex<Wheel>,
    registry: Registry,
    answers: IntCounterVec,
    failures: IntCounterVec,
}

impl Splitter {
    fn try_new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let answers = IntCounterVec::new(
            Opts::new("splitter_answers_total", "Answers by backend and status class."),
            &["backend", "code"],
        )?;
        let failures = IntCounterVec::new(
            Opts::new(
                "splitter_no_answer_total",
                "Requests that got 502 because the backend gave no answer.",
            ),
            &["backend"],
        )?;
        registry.register(Box::new(answers.clone()))?;
        registry.register(Box::new(failures.clone()))?;
        Ok(Self { wheel: Mutex::default(), registry, answers, failures })
    }

    fn wheel(&self) -> std::sync::MutexGuard<'_, Wheel> {
        self.wheel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn forward(&self, asked: Asked) -> Reply {
        let Some((name, to)) = self.wheel().next() else {
            return Reply::text(503, "no backend has any weight");
        };
        let path = match asked.query.as_str() {
            "" => asked.path,
            query => format!("{}?{query}", asked.path),
        };
        let reply = match http::call(to, asked.method, &path, asked.body, PATIENCE).await {
            Ok(reply) => Reply::text(reply.status, reply.body),
            Err(e) => {
                self.failures.with_label_values(&[&name]).inc();
                let status = if matches!(e, CallError::TimedOut(..)) { 504 } else { 502 };
                Reply::text(status, e.to_string())
            }
        };
        let class = format!("{}xx", reply.status / 100);
        self.answers.with_label_values(&[name.as_str(), &class]).inc();
        reply
    }

    fn control(&self, asked: &Asked) -> Reply {
        match (&asked.method, asked.path.as_str()) {
            (&Method::GET, "/metrics") => self.metrics_text(),
            (&Method::GET, "/backends") => match serde_json::to_value(&self.wheel().backends) {
                Ok(backends) => Reply::json(200, &backends),
                Err(e) => Reply::text(500, e.to_string()),
            },
            (&Method::PUT, "/backends") => match serde_json::from_slice(&asked.body) {
                Ok(backends) => {
                    self.start_counters(&backends);
                    self.wheel().set_backends(backends);
                    Reply::text(200, "set")
                }
                Err(e) => Reply::text(400, format!("not a map of backends: {e}")),
            },
            (&Method::PUT, "/weights") => match serde_json::from_slice(&asked.body) {
                Ok(weights) => match self.wheel().set_weights(&weights) {
                    Ok(()) => Reply::text(200, "set"),
                    Err(e) => Reply::text(404, e),
                },
                Err(e) => Reply::text(400, format!("not a map of weights: {e}")),
            },
            (method, path) => Reply::text(404, format!("no such control: {method} {path}")),
        }
    }

    /// Creates the counters, so that those at 0 are exported as well.
    fn start_counters(&self, backends: &BTreeMap<String, Backend>) {
        for name in backends.keys() {
            self.failures.with_label_values(&[name]);
            for class in ["2xx", "5xx"] {
                self.answers.with_label_values(&[name.as_str(), class]);
            }
        }
    }

    fn metrics_text(&self) -> Reply {
        let mut text = Vec::new();
        match TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            Ok(()) => Reply { status: 200, kind: "text/plain; version=0.0.4", body: text.into() },
            Err(e) => Reply::text(500, e.to_string()),
        }
    }
}

/// Runs the splitter until the process ends. The first line of the output names the address for
/// traffic, the second that for control.
pub(crate) async fn run(flags: Flags) -> anyhow::Result<()> {
    let traffic = http::bind(flags.port).await?;
    let control = http::bind(flags.control_port).await?;
    announce(traffic.local_addr()?, None)?;
    announce(control.local_addr()?, flags.address_file.as_deref())?;
    let splitter = Arc::new(Splitter::try_new()?);
    let controlled = Arc::clone(&splitter);
    let control = http::serve(control, move |asked| {
        let splitter = Arc::clone(&controlled);
        async move { splitter.control(&asked) }
    });
    let traffic = http::serve(traffic, move |asked| {
        let splitter = Arc::clone(&splitter);
        async move { splitter.forward(asked).await }
    });
    tokio::join!(control, traffic);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wheel(weights: &[(&str, u32)]) -> Wheel {
        let address = SocketAddr::from(([127, 0, 0, 1], 9));
        let mut wheel = Wheel::default();
        wheel.set_backends(
            weights.iter().map(|(n, w)| ((*n).into(), Backend { address, weight: *w })).collect(),
        );
        wheel
    }

    fn count(wheel: &mut Wheel, turns: usize) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for (name, _) in (0..turns).filter_map(|_| wheel.next()) {
            *counts.entry(name).or_default() += 1;
        }
        counts
    }

    #[test]
    fn the_split_is_exact_over_a_turn() {
        for (v1, v2) in [(90, 10), (50, 50), (99, 1), (9_970, 30)] {
            let mut wheel = wheel(&[("v1", v1), ("v2", v2)]);
            let counts = count(&mut wheel, (v1 + v2) as usize);
            assert_eq!(counts["v1"], v1 as usize);
            assert_eq!(counts["v2"], v2 as usize);
        }
    }

    #[test]
    fn the_rarer_backend_is_spread_evenly() {
        let mut wheel = wheel(&[("v1", 90), ("v2", 10)]);
        for _ in 0..50 {
            assert_eq!(count(&mut wheel, 10)["v2"], 1);
        }
    }

    #[test]
    fn weight_0_gets_nothing_and_all_0_gives_nothing() {
        let mut one = wheel(&[("v1", 100), ("v2", 0)]);
        assert_eq!(count(&mut one, 500).get("v2"), None);
        assert_eq!(wheel(&[("v1", 0)]).next(), None);
        assert_eq!(Wheel::default().next(), None);
    }

    #[test]
    fn weights_of_a_stranger_change_nothing() {
        let mut wheel = wheel(&[("v1", 90), ("v2", 10)]);
        let wrong = BTreeMap::from([("v1".to_owned(), 0), ("v3".to_owned(), 1)]);
        let error = wheel.set_weights(&wrong).unwrap_err();
        assert_eq!(error, "no backend `v3`: the backends are v1, v2");
        assert_eq!(wheel.backends["v1"].weight, 90);
    }
}
