//! How much traffic there is: time of day, bursts, and ticks that remember each other.

use serde_json::Value;

use crate::unit::{Span, Timestamp};

use super::document::Reader;
use super::random::{Draws, Drift, Purpose, RunKey};

/// The traffic of a scenario.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Traffic {
    /// Requests a minute over all arms, on average; none: as planned, or as the policy has it on record.
    pub(super) requests: Option<f64>,
    /// Instances that serve them, which a rolling deployment goes by.
    pub(super) instances: Option<u32>,
    pub(super) day: Option<Day>,
    pub(super) bursts: Option<Bursts>,
    pub(super) noise: Noise,
}

/// The time of day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Day {
    /// How far the busiest and the quietest hour are from the mean, as a share of it.
    swing: f64,
    /// When it is busiest, after midnight UTC.
    peak: Span,
}

/// Times of more traffic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bursts {
    /// The mean time from the end of one to the next.
    every: Span,
    lasts: Span,
    times: f64,
}

/// What varies from tick to tick.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Noise {
    /// The standard deviation of the logarithm.
    pub(super) deviation: f64,
    /// The correlation of neighbouring ticks.
    pub(super) memory: f64,
    /// Each arm by itself, not both together.
    pub(super) apart: bool,
}

impl Noise {
    pub(super) fn read(reader: &mut Reader, value: &Value) -> Option<Self> {
        let table = reader.table(value, &["deviation", "memory", "apart"])?;
        Some(Self {
            deviation: reader.needed(table, "deviation", Reader::deviation)?,
            memory: reader.key(table, "memory", Reader::chance).unwrap_or_default(),
            apart: reader.key(table, "apart", Reader::flag).unwrap_or_default(),
        })
    }
}

impl Traffic {
    pub(super) const PLAIN: Self = Self {
        requests: None,
        instances: None,
        day: None,
        bursts: None,
        noise: Noise { deviation: 0.0, memory: 0.0, apart: false },
    };

    pub(super) fn read(reader: &mut Reader, value: &Value) -> Option<Self> {
        let table = reader.table(value, &["requests", "instances", "day", "bursts", "noise"])?;
        let noise = reader.key(table, "noise", Noise::read).unwrap_or_default();
        if noise.apart {
            reader.meaningless("noise", "the traffic of both arms is one: leave `apart` out");
        }
        Some(Self {
            requests: reader.key(table, "requests", Reader::per_minute),
            instances: reader.key(table, "instances", Reader::count),
            day: reader.key(table, "day", |reader, value| {
                let table = reader.table(value, &["swing", "peak"])?;
                Some(Day {
                    swing: reader.needed(table, "swing", Reader::chance)?,
                    peak: reader.needed(table, "peak", Reader::span)?,
                })
            }),
            bursts: reader.key(table, "bursts", |reader, value| {
                let table = reader.table(value, &["every", "lasts", "times"])?;
                Some(Bursts {
                    every: reader.needed(table, "every", Reader::lasting)?,
                    lasts: reader.needed(table, "lasts", Reader::lasting)?,
                    times: reader.needed(table, "times", Reader::ratio)?,
                })
            }),
            noise,
        })
    }
}

/// The traffic of one run.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    drift: Drift,
    bursts: Draws,
    /// When the present or next burst begins, and when it ends.
    burst: Option<(Timestamp, Timestamp)>,
}

impl Flow {
    pub(super) fn new(key: RunKey) -> Self {
        Self { drift: Drift::default(), bursts: key.draws(Purpose::Bursts, 0), burst: None }
    }

    /// How many times the mean there is in a tick that ends now; `from`: when the scenario begins.
    pub(super) fn times(
        &mut self,
        traffic: &Traffic,
        from: Timestamp,
        now: Timestamp,
        draws: &mut Draws,
    ) -> f64 {
        let mut times = self.drift.next(draws, traffic.noise.deviation, traffic.noise.memory);
        if let Some(day) = traffic.day {
            let millis = now.as_millis().rem_euclid(DAY);
            let peak = i64::try_from(day.peak.as_millis()).unwrap_or_default();
            let turn = (millis - peak) as f64 / DAY as f64;
            times *= 1.0 + day.swing * libm::cos(std::f64::consts::TAU * turn);
        }
        if let Some(bursts) = traffic.bursts {
            let mut burst = self.burst.unwrap_or_else(|| self.next_burst(bursts, from));
            while burst.1 < now {
                burst = self.next_burst(bursts, burst.1);
            }
            self.burst = Some(burst);
            if burst.0 < now {
                times *= bursts.times;
            }
        }
        times
    }

    fn next_burst(&mut self, bursts: Bursts, after: Timestamp) -> (Timestamp, Timestamp) {
        let seconds = self.bursts.waiting(bursts.every.as_seconds());
        let begins = after + Span::try_from_seconds(seconds).unwrap_or(bursts.every);
        (begins, begins + bursts.lasts)
    }
}

const DAY: i64 = 86_400_000;
