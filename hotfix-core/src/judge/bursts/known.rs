//! What the judge asks of bursts.

use crate::judge::aligned::{Aligned, Side};
use crate::judge::watched::Watched;
use crate::stats::Counts;
use crate::stats::rate_ratio::RateRatioDesign;
use crate::unit::Timestamp;

use super::Bursts;
use super::canary::{MOST_FAILING, fails_at_most};

/// Bursts of a metric, where either version has had one, with the design of its test.
#[derive(Clone, Copy)]
pub(in crate::judge) struct KnownBursts<'a> {
    pub(in crate::judge) of: &'a Aligned<Bursts>,
    pub(in crate::judge) design: &'a RateRatioDesign,
}

impl Watched {
    /// The smaller one of this log e-value and that without bursts.
    #[cold]
    pub(in crate::judge) fn log_e_without_bursts(&self, log_e: f64) -> f64 {
        let without = self.bursts().and_then(KnownBursts::log_e);
        without.map_or(log_e, |[least, _]| log_e.min(least))
    }

    /// Bursts of either version; None where there was none, or where the noise is known otherwise.
    pub(in crate::judge) fn bursts(&self) -> Option<KnownBursts<'_>> {
        self.tests().bursts().filter(|_| self.basis().knows_no_noise())
    }
}

impl KnownBursts<'_> {
    /// The smaller and the larger log evidence without bursts of the canary; None while none is left out.
    pub(in crate::judge) fn log_e(self) -> Option<[f64; 2]> {
        if !self.of.any(|bursts| bursts.left_out.is_some()) {
            return None;
        }
        self.of.range(|Bursts { live, canary, .. }| Some(canary.as_ref()?.log_e(self.design, live)))
    }

    /// Whether that has risen by so much from its lowest point in this phase, after it had fallen by as
    /// much.
    pub(in crate::judge) fn has_risen(self, by: f64) -> bool {
        self.of.all(|Bursts { live, canary, .. }| {
            canary.as_ref().is_some_and(|canary| {
                canary.lowest <= -by && canary.log_e(self.design, live) - canary.lowest >= by
            })
        })
    }

    /// Whether the live version has had one.
    pub(in crate::judge) fn of_live(self) -> bool {
        self.of.any(|bursts| bursts.live.bursts > 0)
    }

    /// How many bursts of the canary were left out, and how many the live version has had.
    pub(in crate::judge) fn numbers(self) -> [u32; 2] {
        let Bursts { live, left_out, .. } = self.of.on(Side::Lag);
        [left_out.as_ref().map_or(0, |out| out.bursts), live.bursts]
    }

    /// The canary's counts in bursts that were over since then; none where it has had several and the
    /// live version none.
    pub(in crate::judge) fn left_out_since(self, since: Option<Timestamp>) -> Counts {
        let Bursts { live, left_out, .. } = self.of.on(Side::Lag);
        let out = left_out.iter().filter(|out| out.bursts <= 1 || live.bursts > 0);
        let late =
            out.flat_map(|out| &out.last).filter(|(at, _)| since.is_none_or(|since| *at > since));
        late.map(|(_, counts)| counts).sum()
    }

    /// Whether the canary's counts of so many minutes may be of a burst like those of the live version.
    pub(in crate::judge) fn may_be_one(self, canary: Counts, minutes: f64) -> bool {
        let live = &self.of.on(Side::Lag).live;
        fails_at_most(canary, MOST_FAILING) && live.has_had(canary, minutes)
    }

    /// Whether the canary may be in a burst that the live version is not in as well, of which it is not
    /// known whether it ends.
    pub(in crate::judge) fn may_be_under_way(self) -> bool {
        let Bursts { live, canary: Some(canary), left_out } = self.of.on(Side::Lag) else {
            return false;
        };
        let minute = canary.minute;
        match left_out.as_ref().and_then(|out| out.burst) {
            Some(burst) => burst.with(minute).of.is_worse(),
            None => live.is_burst(minute.canary) && minute.is_worse(),
        }
    }
}
