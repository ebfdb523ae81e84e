//! How a service behaves: a world is a struct of plain parameters.
//!
//! Times are in seconds. A part that is not wanted has a spread, an excess or a share of 0.

use hotfix_core::stats::numeric::{exp, ln, normal_cdf};

/// Boundaries of the presets' histograms.
pub(super) const BOUNDARIES: [f64; 6] = [0.1, 0.25, 0.3, 0.5, 1.0, 2.5];

/// A factor whose logarithm is AR(1) with mean 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wander {
    /// Standard deviation of the logarithm.
    pub(super) spread: f64,
    pub(super) memory: f64,
}

/// Spells in which a factor applies; between them it is 1. The lengths of both are exponential.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spells {
    pub(super) times: f64,
    pub(super) lasts: f64,
    /// Mean time between two spells.
    pub(super) every: f64,
}

/// An effect that an instance has while it is new, and that decays exponentially.
#[derive(Clone, Copy, Debug)]
pub(super) struct New {
    pub(super) at_first: f64,
    pub(super) decays: f64,
}

/// A client all of whose requests fail, or take 5 s, beside the traffic of the others; one instance
/// serves it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    pub(super) every: f64,
    pub(super) lasts: f64,
    /// Its requests in that time, as a share of the service's mean traffic.
    pub(super) share: f64,
}

/// Pauses of each instance: requests that arrive meanwhile wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pauses {
    pub(super) every: f64,
    pub(super) lasts: f64,
}

/// The law of response times, but for their scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shape {
    /// Log-normal: standard deviation of the logarithm 0.6.
    LogNormal,
    /// Log-logistic with tail index 3.
    HeavyTails,
    /// Log-normal, of which 8 in 100 requests take four times as long.
    TwoPopulations,
}

/// When the counters of the instances are read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scrape {
    /// Counts of each tick, both arms up to its end.
    Together,
    /// Running totals, read at this interval; the canary so long after the baseline.
    Arms { every: u32, apart: u32 },
    /// Running totals, read at this interval; how long the arms are read apart is drawn for each rollout.
    AnyApart { every: u32 },
    /// Running totals, those of each instance read at seconds of its own.
    Instances { every: u32 },
}

impl Scrape {
    /// Seconds between two readings of the counters; zero where counts of each tick are sent.
    pub(super) const fn interval(self) -> u32 {
        match self {
            Self::Together => 0,
            Self::Arms { every, .. } | Self::AnyApart { every } | Self::Instances { every } => {
                every
            }
        }
    }
}

/// A service.
#[derive(Clone, Copy, Debug)]
pub(super) struct World {
    /// Requests a minute, in the mean.
    pub(super) requests: f64,
    /// Traffic is a sine about the mean: amplitude as a part of it, and period. It starts anywhere.
    pub(super) swing: (f64, f64),
    pub(super) instances: usize,
    /// Instances are in these zones in turn.
    pub(super) zones: usize,
    pub(super) shape: Shape,
    /// 95% quantile of the response times.
    pub(super) p95: f64,
    /// Noise of the response times of an arm, a zone, an instance.
    pub(super) arms: Wander,
    pub(super) in_zones: Wander,
    pub(super) pods: Wander,
    /// Spells in which an instance is slow.
    pub(super) neighbours: Spells,
    /// Spells in which the whole service is slow.
    pub(super) slow: Spells,
    /// Response times grow with traffic over its mean to this power.
    pub(super) load: f64,
    /// The first instance of the canary is on a machine with so many times the response times.
    pub(super) slow_node: f64,
    /// The part by which new instances are slower.
    pub(super) cold: New,
    pub(super) pauses: Pauses,
    /// Share of the requests, and of the payments, that fail.
    pub(super) errors: f64,
    pub(super) unpaid: f64,
    /// Noise of an instance's error rate.
    pub(super) error_rate: Wander,
    pub(super) bursts: Spells,
    /// Spells of errors in one zone, drawn for each spell, and in the whole service.
    pub(super) outages: Spells,
    pub(super) shocks: Spells,
    /// A customer who tries again and again, each time served by an instance of its own choice.
    pub(super) customer: Caller,
    /// A client that comes at regular times and stays with its instance while that exists.
    pub(super) cron: Caller,
    /// A client as the customer, whose requests are slow.
    pub(super) slow_client: Caller,
    /// Share of the requests of new instances that fails because connections are reset.
    pub(super) resets: New,
    /// Events of the bug a minute, while the old version has all traffic.
    pub(super) bug: f64,
    pub(super) scrape: Scrape,
    /// Seconds between two evaluations.
    pub(super) tick: u32,
}

const NO_WANDER: Wander = Wander { spread: 0.0, memory: 60.0 };
const NO_SPELLS: Spells = Spells { times: 1.0, lasts: 60.0, every: f64::INFINITY };
const NOTHING_NEW: New = New { at_first: 0.0, decays: 60.0 };
const NO_CALLER: Caller = Caller { every: f64::INFINITY, lasts: 0.0, share: 0.0 };

/// No noise but that of independent requests, and every metric exactly at its reference.
pub(super) const QUIET: World = World {
    requests: 1_000.0,
    swing: (0.0, 7_200.0),
    instances: 20,
    zones: 3,
    shape: Shape::LogNormal,
    p95: 0.25,
    arms: NO_WANDER,
    in_zones: NO_WANDER,
    pods: NO_WANDER,
    neighbours: NO_SPELLS,
    slow: NO_SPELLS,
    load: 0.0,
    slow_node: 1.0,
    cold: NOTHING_NEW,
    pauses: Pauses { every: f64::INFINITY, lasts: 0.0 },
    errors: 0.003,
    unpaid: 0.005,
    error_rate: NO_WANDER,
    bursts: NO_SPELLS,
    outages: NO_SPELLS,
    shocks: NO_SPELLS,
    customer: NO_CALLER,
    cron: NO_CALLER,
    slow_client: NO_CALLER,
    resets: NOTHING_NEW,
    bug: 60.0,
    scrape: Scrape::Together,
    tick: 10,
};

impl Wander {
    /// The part of the logarithm that is left after so many seconds, and the standard deviation of
    /// the part that is new.
    pub(super) fn step(self, seconds: f64) -> (f64, f64) {
        let kept = exp(-seconds / self.memory);
        (kept, self.spread * (1.0 - kept * kept).sqrt())
    }
}

impl Spells {
    pub(super) fn share(self) -> f64 {
        if self.every.is_finite() { self.lasts / (self.lasts + self.every) } else { 0.0 }
    }
}

impl New {
    pub(super) fn at(self, age: f64) -> f64 {
        if self.at_first > 0.0 { self.at_first * exp(-age / self.decays) } else { 0.0 }
    }
}

impl Shape {
    /// Share of the requests that take longer than `x` units.
    pub(super) fn beyond(self, x: f64) -> f64 {
        match self {
            Self::LogNormal => normal_cdf(-ln(x) / 0.6),
            Self::HeavyTails => 1.0 / (1.0 + x * x * x),
            Self::TwoPopulations => {
                0.92 * normal_cdf(-ln(x) / 0.3) + 0.08 * normal_cdf(-ln(x / 4.0) / 0.4)
            }
        }
    }

    /// The unit that gives this 95% quantile.
    pub(super) fn unit(self, p95: f64) -> f64 {
        let (mut low, mut high) = (1.0, 100.0);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if self.beyond(middle) > 0.05 { low = middle } else { high = middle }
        }
        p95 / high
    }
}

impl World {
    /// Whether one arm may have noise in its errors that the other has not: the delay of a fault in
    /// errors is then stated, and has no limit.
    pub(super) fn errors_are_noisy(&self) -> bool {
        let callers = [self.customer, self.cron].iter().any(|caller| caller.share > 0.0);
        let spells = [self.bursts, self.outages].iter().any(|spells| spells.share() > 0.0);
        callers || spells || self.error_rate.spread > 0.0
    }

    /// Longest step in which the state of the world is taken to be constant: scrapes are at whole
    /// steps.
    pub(super) fn step(&self) -> u32 {
        match self.scrape {
            Scrape::Together => self.tick,
            Scrape::Arms { .. } | Scrape::AnyApart { .. } | Scrape::Instances { .. } => 5,
        }
    }
}
