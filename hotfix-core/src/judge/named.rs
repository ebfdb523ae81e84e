//! Instances of the canary that are named as bad, as long as they are. See
//! `docs/decisions/bad-instances.md`.

use serde::{Deserialize, Serialize};

use crate::stats::Counts;
use crate::stats::instances::BadInstance;
use crate::unit::{Span, Timestamp};

use super::aligned::{Aligned, Side};

/// An instance that is as bad as it was has none of so many expected bad events in 1 of 20 cases.
const MISSED: f64 = 3.0;

/// An instance of the canary that was found worse than the others, as long as it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    /// Its place among the canary's instances.
    pub(super) place: usize,
    /// Its highest log e-value, when that was reached, and what the instance had had by then.
    highest: f64,
    at: Timestamp,
    had: Counts,
    /// When it last had requests, and how many in all.
    read: (Timestamp, f64),
}

impl Named {
    const fn new(place: usize, at: Timestamp, highest: f64, had: Counts) -> Self {
        Self { place, highest, at, had, read: (at, had.trials) }
    }

    /// Whether the instance is there and still bad: its evidence has risen again within a window,
    /// or before it would have had a few more bad events at the rate that it had.
    fn goes_on(&mut self, at: Timestamp, log_e: f64, has: Counts, window: Span) -> bool {
        if log_e > self.highest {
            *self = Self::new(self.place, at, log_e, has);
        }
        if has.trials > self.read.1 {
            self.read = (at, has.trials);
        }
        let expected = self.had.events / self.had.trials * (has.trials - self.had.trials);
        let may_rise = at.since(self.at) < window || expected < MISSED;
        may_rise && at.since(self.read.0) < window
    }
}

/// Names the instances that stand out, and no longer those for which that is over; the comparison
/// of the latter starts over. `noise`: the factor on the evidence, because of bursts.
pub(super) fn update(
    named: &mut Vec<Named>,
    bad: &mut Aligned<BadInstance>,
    noise: f64,
    at: Timestamp,
    window: Span,
) {
    let enough = bad.on(Side::Lead).threshold() * noise;
    let seen = |bad: &Aligned<BadInstance>, place| {
        let log_e = bad.least(|bad| bad.log_e().nth(place))?;
        Some((log_e, bad.on(Side::Lead).own(place)?))
    };
    named.retain_mut(|named| {
        let goes_on = seen(bad, named.place)
            .is_some_and(|(log_e, has)| named.goes_on(at, log_e, has, window));
        if !goes_on {
            bad.each(|bad| bad.restart(named.place));
        }
        goes_on
    });
    for place in bad.on(Side::Lead).found() {
        if let Some((log_e, had)) = seen(bad, place).filter(|(log_e, _)| *log_e >= enough)
            && !named.iter().any(|named| named.place == place)
        {
            named.push(Named::new(place, at, log_e, had));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::try_from_millis(seconds * 1_000).unwrap()
    }

    /// Named after 30 of 100 requests failed.
    fn named() -> Named {
        Named::new(0, at(0), 9.0, Counts::new(30.0, 100.0))
    }

    /// Whether it is still bad at a time, with this evidence and so many requests in all.
    fn goes_on(named: &mut Named, seconds: i64, log_e: f64, trials: f64) -> bool {
        named.goes_on(at(seconds), log_e, Counts::new(30.0, trials), Span::from_seconds(60))
    }

    #[test]
    fn stat_2_an_instance_is_bad_until_its_evidence_has_not_risen_for_a_window() {
        let mut it = named();
        assert!(goes_on(&mut it, 50, 8.0, 200.0), "the window is not over");
        assert!(goes_on(&mut it, 59, 9.5, 220.0), "a new height");
        assert!(goes_on(&mut it, 110, 9.0, 300.0), "the window begins again");
        assert!(!goes_on(&mut it, 119, 9.0, 400.0));
    }

    #[test]
    fn stat_2_an_instance_with_few_requests_is_bad_until_more_failures_were_to_come() {
        let mut it = named();
        for second in [60, 120, 180] {
            let trials = 100.0 + f64::from(u32::try_from(second / 60).unwrap()) * 3.0;
            assert!(goes_on(&mut it, second - 1, 8.0, trials), "{second}: less than 3 expected");
        }
        assert!(!goes_on(&mut it, 190, 8.0, 111.0));
    }

    #[test]
    fn stat_2_an_instance_that_was_replaced_is_not_bad() {
        let mut it = named();
        assert!(goes_on(&mut it, 59, 9.0, 100.0));
        assert!(!goes_on(&mut it, 60, 9.0, 100.0));
    }
}
