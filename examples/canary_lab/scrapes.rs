//! When the deploy tool scrapes an arm: at every tick or, if the policy has a scrape interval, at
//! an offset that differs between the arms, as a Prometheus server does.

use hotfix_core::policy::Policy;
use hotfix_core::unit::Span;

use crate::scrape::Totals;

/// Offsets of the scrapes as parts of the interval: of the live version and of the fix.
const OFFSETS: [f64; 2] = [0.1, 0.6];

/// The last reading of one arm.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    /// The running totals; None if the arm did not answer.
    pub(crate) totals: Option<Totals>,
    /// Requests to which the switch got no answer from the arm.
    pub(crate) lost: f64,
}

/// The scrapes of both arms: the live version, and the fix.
#[derive(Debug)]
pub(crate) struct Scrapes {
    /// Seconds between two scrapes of an arm; None if each tick scrapes both.
    every: Option<f64>,
    last: [Option<(i64, Reading)>; 2],
}

impl Scrapes {
    /// The schedule before the first scrape.
    pub(crate) fn new(policy: &Policy) -> Self {
        let every = policy.watch().scrape.map(Span::as_seconds).filter(|every| *every > 0.0);
        Self { every, last: [None, None] }
    }

    /// Which arms have to be scraped at `now` seconds of Unix time.
    pub(crate) fn due(&self, now: f64) -> [bool; 2] {
        std::array::from_fn(|arm| match (self.number(arm, now), &self.last[arm]) {
            (Some(number), Some((last, _))) => number != *last,
            _ => true,
        })
    }

    /// Keeps the new reading of an arm that was due, and returns the last one.
    pub(crate) fn read(&mut self, arm: usize, now: f64, new: Option<Reading>) -> Reading {
        if let Some(new) = new {
            self.last[arm] = Some((self.number(arm, now).unwrap_or(0), new));
        }
        self.last[arm].as_ref().map(|(_, reading)| reading.clone()).unwrap_or_default()
    }

    /// The number of the arm's scrape interval at `now`.
    #[expect(clippy::cast_possible_truncation, reason = "seconds of Unix time")]
    fn number(&self, arm: usize, now: f64) -> Option<i64> {
        self.every.map(|every| (now / every - OFFSETS[arm]).floor() as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_arm_is_read_once_an_interval_at_seconds_of_its_own() {
        let mut scrapes = Scrapes { every: Some(2.0), last: [None, None] };
        let mut reads = [Vec::new(), Vec::new()];
        for tick in 0..16 {
            let now = 1_000.0 + 0.5 * f64::from(tick);
            for (arm, due) in scrapes.due(now).into_iter().enumerate() {
                scrapes.read(arm, now, due.then(Reading::default));
                if due {
                    reads[arm].push(tick);
                }
            }
        }
        assert_eq!(reads, [vec![0, 1, 5, 9, 13], vec![0, 3, 7, 11, 15]]);
        let every_tick = Scrapes { every: None, last: [None, None] };
        assert_eq!(every_tick.due(1_000.0), [true; 2]);
    }
}
