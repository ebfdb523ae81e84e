//! Has the service returned to its level before the deploy (ROLL-5)?

use crate::grade::{MetricKind, Role};
use crate::stats::Counts;
use crate::stats::interval::wilson;
use crate::unit::Timestamp;

use super::Judge;
use super::watched::Watched;

/// Confidence of the interval that must reach the level before.
const CONFIDENCE: f64 = 0.95;

impl Judge {
    /// The way back is done: from now on only the live arm counts, against its level before.
    pub fn start_return(&mut self, at: Timestamp) {
        self.start_phase(at);
    }

    /// Whether every deciding metric with a level has data and is not clearly above that level.
    ///
    /// The original fault is expected back: 'returned' is the level before the deploy, not a healthy one.
    pub fn returned(&self) -> bool {
        let mut seen = false;
        for watched in self.watched.iter().filter(|w| w.metric.role == Role::Decide) {
            match watched.returned() {
                Some(true) => seen = true,
                Some(false) => return false,
                None => {}
            }
        }
        seen
    }
}

impl Watched {
    /// None where there is nothing to compare.
    fn returned(&self) -> Option<bool> {
        let columns = self.columns();
        let (now, before) = (&self.window.phase()[columns..], self.level.as_slice());
        match self.metric.kind {
            MetricKind::Proportion => {
                let level = rate(self.bad(before[0], before[1]), before[1])?;
                not_above(self.bad(now[0], now[1]), now[1], level)
            }
            MetricKind::Count => {
                let expected = rate(before[0], before[1])? * now[1];
                // Square roots of counts have a standard deviation of a half: two of them, and one event's grace.
                (now[1] > 0.0).then(|| (now[0] - 1.0).max(0.0).sqrt() <= expected.sqrt() + 1.0)
            }
            MetricKind::Latency => {
                let level = self.value(before, 1.0)?;
                let edge = self.edges().iter().position(|&edge| edge >= level.high)?;
                not_above(now[0] - now[1 + edge], now[0], 1.0 - self.metric.quantile.as_fraction())
            }
            MetricKind::Gauge | MetricKind::Volume => None,
        }
    }
}

fn not_above(events: f64, trials: f64, level: f64) -> Option<bool> {
    let interval = wilson(Counts::new(events, trials), CONFIDENCE).ok()?;
    (trials > 0.0).then_some(interval.low <= level)
}

fn rate(events: f64, trials: f64) -> Option<f64> {
    (trials > 0.0).then(|| events / trials)
}
