//! The traffic of a scenario: time of day, bursts, and correlated noise.

use crate::document::{Node, document_table};
use crate::unit::{Span, Timestamp};

use super::document::ScenarioReader;
use super::random::{Draws, Drift, Purpose, RunKey};

document_table! {
    ScenarioReader;
    /// The traffic of a scenario.
    #[derive(Clone, Copy, Debug, Default, PartialEq)]
    pub(super) struct Traffic {
        /// Average requests per minute over all arms. None: those of the plan, or of the policy's
        /// reference.
        pub(super) requests: Option<f64> = ScenarioReader::per_minute;
        /// Instances that serve them, which a rolling deployment uses.
        pub(super) instances: Option<u32> = ScenarioReader::count;
        pub(super) day: Option<Day> = Day::from_node;
        pub(super) bursts: Option<Bursts> = Bursts::from_node;
        pub(super) noise: Noise = Noise::from_node, or Noise::default();
    }
    /// The time of day.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub(super) struct Day {
        /// The difference of the busiest and quietest hour from the mean, as a share of it.
        swing: f64 = ScenarioReader::chance, needed;
        /// The busiest time, after midnight UTC.
        peak: Span = ScenarioReader::span, needed;
    }
    /// Times of more traffic.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub(super) struct Bursts {
        /// The mean time from the end of a burst to the next.
        every: Span = ScenarioReader::lasting, needed;
        pub(super) lasts: Span = ScenarioReader::lasting, needed;
        times: f64 = ScenarioReader::ratio, needed;
    }
    /// What varies from tick to tick.
    #[derive(Clone, Copy, Debug, Default, PartialEq)]
    pub(super) struct Noise {
        /// The standard deviation of the logarithm.
        pub(super) deviation: f64 = ScenarioReader::deviation, needed;
        /// The correlation of neighbouring ticks.
        pub(super) memory: f64 = ScenarioReader::chance, or 0.0;
        /// Whether each arm has its own noise.
        pub(super) apart: bool = ScenarioReader::flag, or false;
    }
}

impl Traffic {
    pub(super) fn read(reader: &mut ScenarioReader, value: &Node) -> Option<Self> {
        let traffic = Self::from_node(reader, value)?;
        if traffic.noise.apart {
            reader.meaningless("noise", "the traffic of both arms has common noise: omit `apart`");
        }
        Some(traffic)
    }
}

/// The traffic of one run.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    drift: Drift,
    bursts: Draws,
    /// The begin and end of the present or next burst.
    burst: Option<(Timestamp, Timestamp)>,
}

impl Flow {
    pub(super) fn new(key: RunKey) -> Self {
        Self { drift: Drift::default(), bursts: key.draws(Purpose::Bursts, 0), burst: None }
    }

    /// The traffic in a tick that ends now, as a multiple of the mean. `from`: the begin of the
    /// scenario.
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
