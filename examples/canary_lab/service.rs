//! The payment service: one process per version, with a fault on request.
//!
//! `GET /pay` takes a payment, `GET /health` says whether it may have traffic, `GET /metrics` gives
//! the Prometheus text format. `payments_total{result}` separates failures by the old null-pointer
//! bug from other failures.
//!
//! With `--flag` the process has both behaviours: `PUT /flag` sets the share of payments that meet
//! the new one, and each counts under its own `flag` label.

use std::f64::consts::TAU;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use hyper::Method;
use prometheus::{
    Encoder as _, Gauge, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts,
    Registry, TextEncoder,
};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rand_distr::{Distribution as _, LogNormal};
use serde::Deserialize;

use crate::http::{self, Asked, Reply};
use crate::process::announce;

/// Upper bounds of the latency histogram, in seconds. Every bound of the lab's policy is one of
/// them, so that no verdict has to guess inside a bucket.
pub(crate) const BUCKETS: [f64; 12] =
    [0.05, 0.1, 0.15, 0.2, 0.25, 0.275, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5];

/// How long a payment waits for a connection of an exhausted pool.
const POOL_PATIENCE: Duration = Duration::from_secs(2);

/// What can be wrong with a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum FaultKind {
    /// A share of requests fails; the level is that share.
    Errors,
    /// Every request takes longer; the level is the factor.
    Latency,
    /// A share of requests takes 0.7 s longer; the level is that share.
    Tail,
    /// Failures grow from nothing by the level per second, and each request takes longer likewise.
    Leak,
    /// The process exits.
    Crash,
    /// Only so many payments can be under way at once as the level says; more wait for 2 s and
    /// fail.
    Pool,
    /// `/metrics` answers 503.
    Mute,
    /// The first requests fail, as many of them as the level says, and take 1.6 times as long. Both
    /// fall to 37% in the time that the fault lasts, and again and again.
    Cold,
    /// The response times of the process wander up and down in the time that the fault lasts, by the
    /// level on a log scale; those of processes with an even seed down and up.
    Wander,
}

impl FaultKind {
    /// Whether `fault_for` is the time of a decay or of a wave, so that the fault does not end.
    const fn decays(self) -> bool {
        matches!(self, Self::Cold | Self::Wander)
    }
}

/// How much longer the first request of a cold process takes.
const COLD: f64 = 0.6;

/// Flags of `canary_lab service`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Flags {
    /// Version that the service reports.
    #[arg(long)]
    version: String,
    /// Port on loopback; 0 lets the system choose.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Write the address to this file as well as to the first line of the output.
    #[arg(long)]
    address_file: Option<PathBuf>,
    /// Share of payments without a stored payment method, which fail by the null-pointer bug.
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    bug_share: f64,
    /// Share of payments that fail for other reasons.
    #[arg(long, default_value_t = 0.003, value_parser = share)]
    error_share: f64,
    /// Median time to take a payment, in seconds.
    #[arg(long, default_value_t = 0.12, value_parser = positive)]
    median: f64,
    /// Spread of that time: standard deviation of its logarithm.
    #[arg(long, default_value_t = 0.38, value_parser = positive)]
    spread: f64,
    /// Seconds from the start to the first healthy answer.
    #[arg(long, default_value_t = 0.0, value_parser = not_negative)]
    warmup: f64,
    /// Seed of the random choices.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The fault.
    #[arg(long, value_enum)]
    fault: Option<FaultKind>,
    /// Has both behaviours: the bug is in the old one, the fault in the new one.
    #[arg(long)]
    flag: bool,
    /// How bad the fault is; see its kind.
    #[arg(long, default_value_t = 0.06, value_parser = positive)]
    fault_level: f64,
    /// Seconds from the start of the process to that of the fault.
    #[arg(long, default_value_t = 0.0, value_parser = not_negative, conflicts_with = "fault_at")]
    fault_after: f64,
    /// Start of the fault in seconds of Unix time, for a fault that two processes share.
    #[arg(long)]
    fault_at: Option<f64>,
    /// Seconds that the fault lasts, or in which it decays; without it, for good.
    #[arg(long, value_parser = positive)]
    fault_for: Option<f64>,
}

/// Reads a share in `0..=1`.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    number(text, |v| (0.0..=1.0).contains(&v), "between 0 and 1")
}

/// Reads a number over 0.
pub(crate) fn positive(text: &str) -> Result<f64, String> {
    number(text, |v| v > 0.0 && v < 1e9, "more than 0")
}

/// Reads a number of 0 or more.
pub(crate) fn not_negative(text: &str) -> Result<f64, String> {
    number(text, |v| (0.0..1e9).contains(&v), "0 or more")
}

fn number(text: &str, legal: impl Fn(f64) -> bool, what: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(v) if legal(v) => Ok(v),
        _ => Err(format!("`{text}` is not a number that is {what}")),
    }
}

/// How one payment ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Payment {
    Ok,
    Error,
    NullPointer,
}

/// Probabilities and latency of a payment at one moment.
struct Chances {
    bug: f64,
    error: f64,
    slow_share: f64,
    slow_seconds: f64,
    factor: f64,
}

impl Flags {
    /// Seconds since the fault began; None if it is not active `since_start` seconds after startup.
    fn fault_age(&self, since_start: f64, unix: f64) -> Option<f64> {
        let age = match self.fault_at {
            Some(at) => unix - at,
            None => since_start - self.fault_after,
        };
        let ends = !self.fault.is_some_and(FaultKind::decays);
        let over = ends && self.fault_for.is_some_and(|lasts| age >= lasts);
        (self.fault.is_some() && age >= 0.0 && !over).then_some(age)
    }

    /// The chances of a payment. `age` is the fault's; `new` says which behaviour a flag chose,
    /// None without a flag.
    fn chances(&self, age: Option<f64>, new: Option<bool>) -> Chances {
        let age = age.filter(|_| new != Some(false));
        let mut now = Chances {
            bug: if new == Some(true) { 0.0 } else { self.bug_share },
            error: self.error_share,
            slow_share: 0.0,
            slow_seconds: 0.7,
            factor: 1.0,
        };
        let (Some(kind), Some(age)) = (self.fault, age) else { return now };
        match kind {
            FaultKind::Errors => now.error += self.fault_level,
            FaultKind::Latency => now.factor = self.fault_level.max(1.0),
            FaultKind::Tail => now.slow_share = self.fault_level,
            FaultKind::Leak => {
                now.error += self.fault_level * age;
                now.factor += self.fault_level * age;
            }
            FaultKind::Cold => {
                let left = (-age / self.fault_for.unwrap_or(1.0)).exp();
                now.error += self.fault_level * left;
                now.factor += COLD * left;
            }
            FaultKind::Wander => {
                let wave = (TAU * age / self.fault_for.unwrap_or(1.0)).sin();
                let side = if self.seed.is_multiple_of(2) { -1.0 } else { 1.0 };
                now.factor = (self.fault_level * side * wave).exp();
            }
            FaultKind::Crash | FaultKind::Pool | FaultKind::Mute => {}
        }
        now
    }
}

/// The counters of one behaviour.
struct Counters {
    payments: IntCounterVec,
    null_pointers: IntCounter,
    seconds: Histogram,
}

impl Counters {
    /// Registers the counters; with a flag they carry its state as a label.
    fn try_new(registry: &Registry, flag: Option<&str>) -> prometheus::Result<Self> {
        let labelled = |name: &str, help: &str| match flag {
            Some(state) => Opts::new(name, help).const_label("flag", state),
            None => Opts::new(name, help),
        };
        let payments = IntCounterVec::new(
            labelled("payments_total", "Payments by result: ok, error or null_pointer."),
            &["result"],
        )?;
        let exceptions = IntCounterVec::new(
            labelled("exceptions_total", "Exceptions thrown, by kind."),
            &["kind"],
        )?;
        let seconds = Histogram::with_opts(HistogramOpts {
            common_opts: labelled("payment_seconds", "Time to take a payment."),
            buckets: BUCKETS.to_vec(),
        })?;
        registry.register(Box::new(payments.clone()))?;
        registry.register(Box::new(exceptions.clone()))?;
        registry.register(Box::new(seconds.clone()))?;
        for result in ["ok", "error", "null_pointer"] {
            payments.with_label_values(&[result]); // exported at 0 as well
        }
        let null_pointers = exceptions.with_label_values(&["null_pointer"]);
        Ok(Self { payments, null_pointers, seconds })
    }
}

struct Metrics {
    registry: Registry,
    under_way: IntGauge,
    /// Counters of the old behaviour, or of the only one.
    usual: Counters,
    /// Counters of the new behaviour, with a flag.
    new: Option<Counters>,
}

impl Metrics {
    fn try_new(flag: bool) -> prometheus::Result<Self> {
        let registry = Registry::new();
        let started =
            Gauge::new("process_start_time_seconds", "Start of the process, in Unix time.")?;
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        started.set(unix.as_secs_f64());
        let under_way = IntGauge::new("payments_under_way", "Payments that are being taken.")?;
        registry.register(Box::new(started))?;
        registry.register(Box::new(under_way.clone()))?;
        let usual = Counters::try_new(&registry, flag.then_some("off"))?;
        let new = flag.then(|| Counters::try_new(&registry, Some("on"))).transpose()?;
        Ok(Self { registry, under_way, usual, new })
    }
}

/// The body of `PUT /flag`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Setting {
    share: f64,
}

struct Service {
    flags: Flags,
    started: Instant,
    latency: LogNormal<f64>,
    random: Mutex<StdRng>,
    /// The share of payments that meet the new behaviour, with `--flag`.
    share: Mutex<f64>,
    metrics: Metrics,
}

impl Service {
    fn fault_age(&self) -> Option<f64> {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.flags.fault_age(self.started.elapsed().as_secs_f64(), unix.as_secs_f64())
    }

    fn has_fault(&self, kind: FaultKind) -> bool {
        self.flags.fault == Some(kind) && self.fault_age().is_some()
    }

    /// Draws which behaviour a payment meets, how it ends and how long it takes. The bug strikes at
    /// the end of the work, so that a sick version is not faster than a healthy one.
    fn draw(&self) -> (Option<bool>, Payment, Duration) {
        let share = *self.share.lock().unwrap_or_else(PoisonError::into_inner);
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        let new = self.flags.flag.then(|| random.random::<f64>() < share);
        let now = self.flags.chances(self.fault_age(), new);
        let payment = if random.random::<f64>() < now.error {
            Payment::Error
        } else if random.random::<f64>() < now.bug {
            Payment::NullPointer
        } else {
            Payment::Ok
        };
        let mut seconds = self.latency.sample(&mut *random) * now.factor;
        if random.random::<f64>() < now.slow_share {
            seconds += now.slow_seconds;
        }
        (new, payment, Duration::from_secs_f64(seconds.clamp(0.001, 30.0)))
    }

    async fn pay(&self) -> Reply {
        let begun = Instant::now();
        let (new, mut payment, mut takes) = self.draw();
        let under_way = &self.metrics.under_way;
        under_way.inc();
        // Whoever gets no connection waits for one in vain, and holds none meanwhile.
        let is_left_out =
            self.has_fault(FaultKind::Pool) && under_way.get() as f64 > self.flags.fault_level;
        if is_left_out {
            (payment, takes) = (Payment::Error, POOL_PATIENCE);
            under_way.dec();
        }
        tokio::time::sleep(takes).await;
        if !is_left_out {
            under_way.dec();
        }
        let counters = match &self.metrics.new {
            Some(counters) if new == Some(true) => counters,
            _ => &self.metrics.usual,
        };
        counters.seconds.observe(begun.elapsed().as_secs_f64());
        let (label, status, body) = match payment {
            Payment::Ok => ("ok", 200, "paid"),
            Payment::Error => ("error", 500, "payment failed"),
            Payment::NullPointer => ("null_pointer", 500, "payment method is null"),
        };
        counters.payments.with_label_values(&[label]).inc();
        if payment == Payment::NullPointer {
            counters.null_pointers.inc();
        }
        Reply::text(status, body)
    }

    fn metrics_text(&self) -> Reply {
        let mut text = Vec::new();
        match TextEncoder::new().encode(&self.metrics.registry.gather(), &mut text) {
            Ok(()) => Reply { status: 200, kind: "text/plain; version=0.0.4", body: text.into() },
            Err(e) => Reply::text(500, e.to_string()),
        }
    }

    /// Reads the flag, or sets it.
    fn flag(&self, asked: &Asked) -> Reply {
        let mut share = self.share.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.method == Method::PUT {
            match serde_json::from_slice(&asked.body) {
                Ok(Setting { share: new }) if (0.0..=1.0).contains(&new) => *share = new,
                Ok(Setting { share: new }) => {
                    return Reply::text(400, format!("{new} is not a share in 0..=1"));
                }
                Err(e) => return Reply::text(400, format!("not a share: {e}")),
            }
        }
        Reply::json(200, &serde_json::json!({ "share": *share }))
    }

    async fn answer(&self, asked: Asked) -> Reply {
        match asked.path.as_str() {
            "/pay" => self.pay().await,
            "/metrics" if self.has_fault(FaultKind::Mute) => Reply::text(503, "no metrics"),
            "/metrics" => self.metrics_text(),
            "/flag" if self.flags.flag => self.flag(&asked),
            "/health" if self.started.elapsed().as_secs_f64() < self.flags.warmup => {
                Reply::text(503, "warming up")
            }
            "/health" => Reply::text(200, format!("{} is healthy", self.flags.version)),
            other => Reply::text(404, format!("no such path: {other}")),
        }
    }
}

/// Runs the service until the process ends.
pub(crate) async fn run(flags: Flags) -> anyhow::Result<()> {
    let latency = LogNormal::new(flags.median.ln(), flags.spread)
        .with_context(|| format!("no such distribution: spread {}", flags.spread))?;
    let listener = http::bind(flags.port).await?;
    let address: SocketAddr = listener.local_addr()?;
    announce(address, flags.address_file.as_deref())?;
    let service = Arc::new(Service {
        started: Instant::now(),
        latency,
        random: Mutex::new(StdRng::seed_from_u64(flags.seed)),
        share: Mutex::new(0.0),
        metrics: Metrics::try_new(flags.flag)?,
        flags,
    });
    if service.flags.fault == Some(FaultKind::Crash) {
        tokio::spawn(crash_in_time(Arc::clone(&service)));
    }
    http::serve(listener, move |asked| {
        let service = Arc::clone(&service);
        async move { service.answer(asked).await }
    })
    .await;
    Ok(())
}

async fn crash_in_time(service: Arc<Service>) {
    while service.fault_age().is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    eprintln!("segmentation fault (as the flag asks)");
    std::process::exit(139);
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        flags: Flags,
    }

    fn flags(more: &[&str]) -> Flags {
        let mut line = vec!["service", "--version", "2.3.1"];
        line.extend(more);
        Line::try_parse_from(line).map(|l| l.flags).expect("legal flags")
    }

    #[test]
    fn a_fault_keeps_to_its_time() {
        let f = flags(&["--fault", "errors", "--fault-after", "4", "--fault-for", "3"]);
        assert_eq!(f.fault_age(3.9, 0.0), None);
        assert!(f.fault_age(4.5, 0.0).is_some());
        assert_eq!(f.fault_age(7.5, 0.0), None);
        let f = flags(&["--fault", "tail", "--fault-at", "100"]);
        assert_eq!(f.fault_age(50.0, 99.0), None);
        assert_eq!(f.fault_age(50.0, 101.0), Some(1.0));
        assert_eq!(flags(&["--fault-level", "0.5"]).fault_age(1e6, 1e6), None);
    }

    #[test]
    fn each_fault_does_what_it_says() {
        let at = |kind: &str, level: &str, age| {
            flags(&["--fault", kind, "--fault-level", level]).chances(Some(age), None)
        };
        assert!((at("errors", "0.06", 1.0).error - 0.063).abs() < 1e-12);
        assert_eq!(at("latency", "2.5", 1.0).factor, 2.5);
        assert_eq!(at("tail", "0.1", 1.0).slow_share, 0.1);
        let leak = at("leak", "0.01", 5.0);
        assert!((leak.error - 0.053).abs() < 1e-12 && (leak.factor - 1.05).abs() < 1e-12);
    }

    #[test]
    fn a_cold_start_decays_and_processes_wander_apart_and_back() {
        let f = flags(&["--fault", "cold", "--fault-level", "0.2", "--fault-for", "2"]);
        let at = |seconds: f64| f.chances(f.fault_age(seconds, 0.0), None);
        assert!((at(0.0).error - 0.203).abs() < 1e-12 && (at(0.0).factor - 1.6).abs() < 1e-12);
        let left = (-2.0_f64).exp();
        assert!((at(4.0).factor - (1.0 + COLD * left)).abs() < 1e-12);
        let line = ["--fault", "wander", "--fault-level", "0.1", "--fault-for", "40", "--seed"];
        let factor = |seed: &str, seconds: f64| {
            let f = flags(&[&line[..], &[seed]].concat());
            f.chances(f.fault_age(seconds, 0.0), None).factor
        };
        for (seconds, of_odd) in [(0.0, 0.0_f64), (10.0, 0.1), (30.0, -0.1), (50.0, 0.1)] {
            assert!((factor("7", seconds) - of_odd.exp()).abs() < 1e-12, "{seconds}");
            assert!((factor("8", seconds) - (-of_odd).exp()).abs() < 1e-12, "{seconds}");
        }
    }

    #[test]
    fn behind_a_flag_the_old_behaviour_has_the_bug_and_the_new_one_the_fault() {
        let f =
            flags(&["--flag", "--bug-share", "0.5", "--fault", "errors", "--fault-level", "0.06"]);
        let (old, new) = (f.chances(Some(1.0), Some(false)), f.chances(Some(1.0), Some(true)));
        assert_eq!((old.bug, old.error), (0.5, 0.003));
        assert_eq!((new.bug, new.error), (0.0, 0.063));
        let page = |flag| {
            let metrics = Metrics::try_new(flag).expect("counters");
            TextEncoder::new().encode_to_string(&metrics.registry.gather()).expect("text")
        };
        assert!(page(true).contains("payments_total{flag=\"on\",result=\"ok\"} 0"));
        assert!(!page(false).contains("flag="));
    }

    #[test]
    fn flags_refuse_what_cannot_be() {
        for bad in [["--bug-share", "1.5"], ["--median", "0"], ["--fault-for", "-1"]] {
            let line = ["service", "--version", "1", bad[0], bad[1]];
            assert!(Line::try_parse_from(line).is_err(), "{bad:?}");
        }
    }
}
