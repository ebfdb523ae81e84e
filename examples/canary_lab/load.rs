//! Open-loop load: requests are sent at fixed times, however slow the answers are. Latency counts
//! from the intended start, so that a stall is not hidden by requests that could not be sent.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;
use hyper::Method;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand_distr::{Distribution as _, Exp};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::drive::now;
use crate::http;
use crate::process::told_to_end;
use crate::service::positive;

/// The distribution of the gaps between requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Arrivals {
    /// Equal gaps.
    Constant,
    /// Exponential gaps, as from many independent customers.
    Poisson,
}

/// Flags of `canary_lab load`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Flags {
    /// The address to send to.
    #[arg(long)]
    target: SocketAddr,
    /// The path to request.
    #[arg(long, default_value = "/pay")]
    path: String,
    /// Requests per second.
    #[arg(long, default_value_t = 100.0, value_parser = positive)]
    rate: f64,
    /// The distribution of the gaps between requests.
    #[arg(long, value_enum, default_value = "poisson")]
    arrivals: Arrivals,
    /// Seed of the gaps.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Stop after this many seconds.
    #[arg(long, default_value_t = 60.0, value_parser = positive)]
    seconds: f64,
    /// Stop after this many requests.
    #[arg(long, default_value_t = 1_000_000)]
    count: u64,
    /// Seconds until an answer counts as lost.
    #[arg(long, default_value_t = 10.0, value_parser = positive)]
    timeout: f64,
    /// Maximum number of concurrent requests. Requests above it are not sent, and are counted.
    #[arg(long, default_value_t = 4_000)]
    in_flight: u64,
    /// Write the summary to this file instead of the output.
    #[arg(long)]
    summary: Option<PathBuf>,
}

/// The results of the customers' requests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// Start in seconds of Unix time.
    pub(crate) began: f64,
    /// Requests that were due.
    pub(crate) planned: u64,
    /// Requests sent.
    pub(crate) sent: u64,
    /// Requests not sent because too many were in progress.
    pub(crate) not_sent: u64,
    /// Answers with status 200.
    pub(crate) ok: u64,
    /// Answers with another status.
    pub(crate) failed: u64,
    /// No answer in time, or none at all.
    pub(crate) lost: u64,
    /// Seconds from the first intended start to the last.
    pub(crate) seconds: f64,
    /// Requested rate in requests per second.
    pub(crate) rate_asked: f64,
    /// Requests per second sent.
    pub(crate) rate_sent: f64,
    /// Latency from the intended start in seconds: median.
    pub(crate) p50: f64,
    /// 95 of 100 answers were at least as fast.
    pub(crate) p95: f64,
    /// 99 of 100 answers were at least as fast.
    pub(crate) p99: f64,
    /// The slowest answer.
    pub(crate) slowest: f64,
    /// Delay between intended and actual sending: the 99th percentile.
    pub(crate) late_p99: f64,
    /// By the second of the intended start.
    pub(crate) by_second: Vec<Second>,
}

/// Results of the customers' requests by the second of the intended start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Second {
    /// Requests that were due.
    pub(crate) due: u32,
    /// Requests that were answered with another status than 200, or not at all.
    pub(crate) hurt: u32,
    /// Delay between intended and actual sending in seconds: the 99th percentile; `None` if none
    /// was sent.
    pub(crate) late_p99: Option<f64>,
}

#[derive(Default)]
struct Tally {
    summary: Summary,
    latencies: Vec<f64>,
    /// By the second of the intended start.
    delays: Vec<Vec<f64>>,
    under_way: u64,
}

impl Tally {
    fn affected(&mut self, second: usize) {
        if let Some(s) = self.summary.by_second.get_mut(second) {
            s.hurt += 1;
        }
    }

    fn due(&mut self, second: usize) {
        self.summary.planned += 1;
        let seconds = &mut self.summary.by_second;
        if seconds.len() <= second {
            seconds.resize(second + 1, Second::default());
        }
        seconds[second].due += 1;
    }

    fn sent(&mut self, second: usize, delay: f64) {
        self.summary.sent += 1;
        if self.delays.len() <= second {
            self.delays.resize_with(second + 1, Vec::new);
        }
        self.delays[second].push(delay);
    }

    fn finish(mut self, seconds: f64, rate: f64) -> Summary {
        let mut summary = std::mem::take(&mut self.summary);
        summary.seconds = seconds;
        summary.rate_asked = rate;
        summary.rate_sent = if seconds > 0.0 { summary.sent as f64 / seconds } else { 0.0 };
        self.latencies.sort_by(f64::total_cmp);
        for (second, delays) in summary.by_second.iter_mut().zip(&mut self.delays) {
            delays.sort_by(f64::total_cmp);
            second.late_p99 = (!delays.is_empty()).then(|| quantile(delays, 0.99));
        }
        let mut delays = self.delays.concat();
        delays.sort_by(f64::total_cmp);
        summary.p50 = quantile(&self.latencies, 0.5);
        summary.p95 = quantile(&self.latencies, 0.95);
        summary.p99 = quantile(&self.latencies, 0.99);
        summary.slowest = quantile(&self.latencies, 1.0);
        summary.late_p99 = quantile(&delays, 0.99);
        summary
    }
}

/// The smallest value that is at least as large as the share `q` of `sorted`; 0 without values.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank, not negative")]
pub(crate) fn quantile(sorted: &[f64], q: f64) -> f64 {
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or(0.0)
}

/// Sends until the limit of time or count, or until it is stopped; waits for the open answers.
async fn drive(flags: &Flags) -> anyhow::Result<Summary> {
    let mut random = StdRng::seed_from_u64(flags.seed);
    let gaps = Exp::new(flags.rate).context("no such rate")?;
    let tally = Rc::new(RefCell::new(Tally::default()));
    tally.borrow_mut().summary.began = now();
    let start = Instant::now();
    let end = told_to_end();
    tokio::pin!(end);
    let mut offset = 0.0;
    let mut last = 0.0;
    for _ in 0..flags.count {
        offset += match flags.arrivals {
            Arrivals::Constant => 1.0 / flags.rate,
            Arrivals::Poisson => gaps.sample(&mut random),
        };
        if offset > flags.seconds {
            break;
        }
        let intended = start + Duration::from_secs_f64(offset);
        tokio::select! {
            biased;
            why = &mut end => {
                why?;
                break;
            }
            () = tokio::time::sleep_until(intended) => {}
        }
        last = offset;
        dispatch(flags, intended, offset, &tally);
    }
    let patience = Duration::from_secs_f64(flags.timeout);
    let _ = tokio::time::timeout(patience, async {
        while tally.borrow().under_way > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await; // requests without an answer then count as lost
    let mut tally = tally.take();
    tally.summary.lost += tally.under_way;
    Ok(tally.finish(last, flags.rate))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds since start")]
fn dispatch(flags: &Flags, intended: Instant, offset: f64, tally: &Rc<RefCell<Tally>>) {
    let second = offset as usize;
    let mut now = tally.borrow_mut();
    now.due(second);
    if now.under_way >= flags.in_flight {
        now.summary.not_sent += 1;
        now.affected(second);
        return;
    }
    now.under_way += 1;
    now.sent(second, intended.elapsed().as_secs_f64());
    drop(now);
    let (target, path) = (flags.target, flags.path.clone());
    let limit = Duration::from_secs_f64(flags.timeout);
    let tally = Rc::clone(tally);
    tokio::task::spawn_local(async move {
        let answer = http::call(target, Method::GET, &path, "", limit).await;
        let latency = intended.elapsed().as_secs_f64();
        let mut now = tally.borrow_mut();
        now.under_way -= 1;
        if let Ok(reply) = &answer {
            now.latencies.push(latency);
            if reply.status == 200 {
                now.summary.ok += 1;
                return;
            }
            now.summary.failed += 1;
        } else {
            now.summary.lost += 1;
        }
        now.affected(second);
    });
}

/// Runs the load and writes its summary as JSON.
pub(crate) async fn run(flags: Flags) -> anyhow::Result<()> {
    let summary = tokio::task::LocalSet::new().run_until(drive(&flags)).await?;
    let text = serde_json::to_string(&summary)?;
    match &flags.summary {
        Some(path) => std::fs::write(path, text)
            .with_context(|| format!("cannot write {}", path.display()))?,
        None => println!("{text}"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Reply;

    fn flags(target: SocketAddr) -> Flags {
        Flags {
            target,
            path: "/pay".into(),
            rate: 100.0,
            arrivals: Arrivals::Constant,
            seed: 7,
            seconds: 1.0,
            count: 1_000_000,
            timeout: 5.0,
            in_flight: 4_000,
            summary: None,
        }
    }

    /// Loads a server that answers after `delay`.
    fn load(delay: Duration, change: impl Fn(&mut Flags)) -> Summary {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let listener = http::bind(0).await.expect("a port");
            let mut flags = flags(listener.local_addr().expect("an address"));
            change(&mut flags);
            tokio::spawn(http::serve(listener, move |_| async move {
                tokio::time::sleep(delay).await;
                Reply::text(200, "paid")
            }));
            drive(&flags).await.expect("a summary")
        })
    }

    #[test]
    fn a_slow_service_does_not_lower_the_rate() {
        let fast = load(Duration::ZERO, |_| {});
        let slow = load(Duration::from_millis(900), |_| {});
        for summary in [&fast, &slow] {
            assert!((99..=100).contains(&summary.planned), "{}", summary.planned);
            assert_eq!(summary.sent, summary.planned);
            assert_eq!(summary.ok, summary.planned);
        }
        assert!(slow.p50 >= 0.9, "{}", slow.p50);
    }

    #[test]
    fn latency_counts_from_the_intended_start() {
        // The service stalls for its first 0.5 s, and only one concurrent request is allowed: with
        // closed-loop timing nine of ten would appear fast.
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let summary = tokio::task::LocalSet::new().block_on(&runtime, async {
            let listener = http::bind(0).await.expect("a port");
            let flags = flags(listener.local_addr().expect("an address"));
            let tally = Rc::new(RefCell::new(Tally::default()));
            tokio::spawn(http::serve(listener, |_| async { Reply::text(200, "paid") }));
            let intended = Instant::now();
            std::thread::sleep(Duration::from_millis(500)); // the sender itself was delayed
            dispatch(&flags, intended, 0.0, &tally);
            tokio::time::sleep(Duration::from_millis(300)).await;
            tally.take().finish(1.0, 100.0)
        });
        assert_eq!(summary.ok, 1);
        assert!(summary.p50 >= 0.5, "{}", summary.p50);
        assert!(summary.late_p99 >= 0.5, "{}", summary.late_p99);
    }

    #[test]
    fn lateness_is_kept_by_the_second_in_which_requests_were_due() {
        let mut tally = Tally::default();
        for second in [0, 0, 2, 3] {
            tally.due(second);
        }
        tally.sent(0, 0.001);
        tally.sent(0, 0.2);
        tally.sent(2, 0.003); // in second 3 nothing could be sent
        let summary = tally.finish(4.0, 1.0);
        let late: Vec<Option<f64>> = summary.by_second.iter().map(|s| s.late_p99).collect();
        assert_eq!(late, [Some(0.2), None, Some(0.003), None]);
        assert_eq!(summary.late_p99, 0.2);
    }

    #[test]
    fn bounds_hold_and_what_is_not_sent_is_counted() {
        let few = load(Duration::ZERO, |f| f.count = 12);
        assert_eq!((few.planned, few.ok), (12, 12));
        let tight = load(Duration::from_millis(400), |f| f.in_flight = 10);
        assert!(tight.not_sent > 0);
        assert_eq!(tight.sent + tight.not_sent, tight.planned);
        let hurt: u32 = tight.by_second.iter().map(|s| s.hurt).sum();
        assert_eq!(u64::from(hurt), tight.not_sent);
    }

    #[test]
    fn nobody_there_is_lost_not_fast() {
        let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
        let gone = load(Duration::ZERO, |f| {
            f.target = nobody;
            f.count = 5;
        });
        assert_eq!((gone.lost, gone.ok), (5, 0));
        assert_eq!(gone.p99, 0.0);
    }

    #[test]
    fn quantiles_are_ranks() {
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0], 0.5), 2.0);
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0], 0.95), 4.0);
        assert_eq!(quantile(&[], 0.5), 0.0);
    }
}
