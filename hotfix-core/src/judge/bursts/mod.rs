//! Bursts of failures, such as those of a customer who retries, and the evidence without those of
//! the canary. Errors that come in bursts are not independent, and a canary that serves the same
//! clients has bursts, too. See `docs/decisions/one-clients-failures.md`.

mod canary;
#[cfg(test)]
mod tests;

use educe::Educe;
use serde::{Deserialize, Serialize};

use crate::plan::HistoryBursts;
use crate::stats::Counts;
use crate::stats::bursts::{ABOVE, Live, MINUTE};
use crate::stats::rate_ratio::{RateRatio, RateRatioDesign};
use crate::unit::Timestamp;

use super::aligned::{Aligned, Side};
use super::watched::Watched;

use canary::{Burst, Canary, Compared, LeftOut, MOST_FAILING, REMEMBERED, fails_at_most, feed};

pub(super) use canary::LASTS;

/// Bursts of one metric, in counts of bad events.
#[derive(Debug, Default, Deserialize, Educe, PartialEq, Serialize)]
#[educe(Clone)]
pub(super) struct Bursts {
    live: Live,
    /// None until the versions were compared.
    canary: Option<Canary>,
    /// Bursts of the canary that are not in its evidence; None while all bursts are.
    left_out: Option<Box<LeftOut>>,
}

impl Aligned<Bursts> {
    /// Copies another's states; cheap while no burst is left out, as in almost every tick.
    #[inline]
    pub(super) fn keep_bursts(&mut self, of: &Self) {
        let lead = of.on(Side::Lead);
        if self.is_one() && of.is_one() && lead.left_out.is_none() {
            self.each(|kept| {
                kept.live = lead.live;
                match (&mut kept.canary, &lead.canary) {
                    (Some(kept), Some(of)) if kept.since == of.since => kept.keep_minute(of),
                    (kept, of) => *kept = *of,
                }
                kept.left_out = None;
            });
        } else {
            self.clone_from(of);
        }
    }
}

impl Bursts {
    /// Bursts before the first reading: those of the history, if there is one.
    pub(super) fn after(history: Option<HistoryBursts>) -> Self {
        Self { live: history.map_or_else(Live::default, Live::after), ..Self::default() }
    }

    /// Takes in counts of the live version alone.
    pub(super) fn learn_live(&mut self, at: Timestamp, live: Counts) {
        self.live.learn(at, live);
    }

    /// Takes in counts of both arms. `of`: the state of the test of all counts, after it was fed with them.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "almost every tick adds counts and does no more")]
    pub(super) fn learn(
        &mut self,
        at: Timestamp,
        (canary, live): (Counts, Counts),
        allowed: f64,
        (design, of): (&RateRatioDesign, &RateRatio),
    ) {
        self.live.learn(at, live);
        let Some(known) = &mut self.canary else {
            self.canary = Some(Canary::new(at, design, *of, &self.live));
            return;
        };
        known.minute.add(Compared { canary, live, allowed });
        let is_over = at.since(known.since) >= MINUTE;
        if is_over || known.minute.canary.events > ABOVE.1 || self.left_out.is_some() {
            self.decide_minute(at, is_over, design, of);
        }
    }

    /// Decides about a minute of the canary that is over, that may be of a burst, or that comes
    /// after one that was left out. `of`: the evidence with all minutes.
    #[inline(never)]
    fn decide_minute(
        &mut self,
        at: Timestamp,
        is_over: bool,
        design: &RateRatioDesign,
        of: &RateRatio,
    ) {
        let is_known = self.are_known();
        let Self { live, canary: Some(canary), left_out } = self else { return };
        if is_known {
            canary.lowest = canary.lowest.min(canary.state.log_e_bound(design));
        }
        canary.compare_bursts(live);
        let is_burst = live.is_burst(canary.minute.canary);
        let burst = left_out.as_ref().and_then(|out| out.burst);
        let burst = burst.unwrap_or(Burst { began: canary.since, minutes: 0, of: Compared::NONE });
        let concerns = is_burst || left_out.is_some();
        let most = concerns.then(|| canary.most(&burst, at, live)).flatten();
        if most.is_some() && is_burst {
            left_out.get_or_insert_default();
        }
        let Some(out) = left_out else {
            if is_over {
                canary.end_minute(at, of, design, is_burst);
            }
            return;
        };
        if most.is_some() && !is_over {
            return;
        }
        let minute = canary.minute;
        let lasts = at.since(burst.began);
        if is_burst && most.is_some_and(|most| lasts <= most || burst.fades(live, minute.canary)) {
            out.burst = Some(burst.with(minute));
            canary.begin_minute(at);
            return;
        }
        let mut state = canary.state;
        match out.burst.take() {
            Some(burst) if is_burst => feed(&mut state, design, burst.of),
            Some(burst) => {
                out.leave_out(at, burst.of.canary);
                canary.more += burst.of.more_bursts(true);
            }
            None => {}
        }
        if out.bursts > 0 {
            feed(&mut state, design, minute);
        } else {
            (*left_out, state) = (None, *of);
        }
        canary.end_minute(at, &state, design, is_burst);
    }

    /// Whether bursts of either version make a difference.
    #[inline]
    pub(super) const fn are_known(&self) -> bool {
        self.left_out.is_some() || self.live.bursts() > 0
    }

    /// Starts another phase: what is not in the evidence yet is of another split, and is dropped.
    pub(super) fn start(&mut self, at: Timestamp, design: &RateRatioDesign, of: &RateRatio) {
        self.live.minute.end(at);
        let Some(canary) = &mut self.canary else { return };
        self.left_out = self.left_out.take().filter(|out| out.bursts > 0);
        let state = if let Some(out) = &mut self.left_out {
            out.burst = None;
            out.last.clear();
            canary.state
        } else {
            *of
        };
        canary.start(at, design, state, &self.live);
    }

    pub(super) fn fits(&self, design: &RateRatioDesign) -> bool {
        self.canary.is_none_or(|canary| canary.state.check(design).is_ok())
            && self
                .left_out
                .as_ref()
                .is_none_or(|out| self.canary.is_some() && out.last.len() <= REMEMBERED)
    }
}

/// Bursts of a metric of which either version has had one, with the design of its test.
#[derive(Clone, Copy)]
pub(super) struct KnownBursts<'a> {
    pub(super) of: &'a Aligned<Bursts>,
    pub(super) design: &'a RateRatioDesign,
}

impl Watched {
    /// The smaller one of this log e-value and that without bursts.
    #[cold]
    pub(super) fn log_e_without_bursts(&self, log_e: f64) -> f64 {
        let without = self.bursts().and_then(KnownBursts::log_e);
        without.map_or(log_e, |[least, _]| log_e.min(least))
    }

    /// Bursts of either version; None without any, or where the noise is known otherwise.
    pub(super) fn bursts(&self) -> Option<KnownBursts<'_>> {
        self.tests().bursts().filter(|_| self.basis().knows_no_noise())
    }
}

impl KnownBursts<'_> {
    /// The smaller and the larger log evidence without bursts of the canary; None while none is left out.
    pub(super) fn log_e(self) -> Option<[f64; 2]> {
        if !self.of.any(|bursts| bursts.left_out.is_some()) {
            return None;
        }
        self.of.range(|Bursts { live, canary, .. }| Some(canary.as_ref()?.log_e(self.design, live)))
    }

    /// Whether the log evidence without bursts has risen by this much from its lowest point in this
    /// phase, after it had fallen by as much.
    pub(super) fn has_risen(self, by: f64) -> bool {
        self.of.all(|Bursts { live, canary, .. }| {
            canary.as_ref().is_some_and(|canary| {
                canary.lowest <= -by && canary.log_e(self.design, live) - canary.lowest >= by
            })
        })
    }

    /// Whether the live version has had a burst.
    pub(super) fn of_live(self) -> bool {
        self.of.any(|bursts| bursts.live.bursts() > 0)
    }

    /// How many bursts of the canary were left out, and how many the live version has had.
    pub(super) fn numbers(self) -> [u32; 2] {
        let Bursts { live, left_out, .. } = self.of.on(Side::Lag);
        [left_out.as_ref().map_or(0, |out| out.bursts), live.bursts()]
    }

    /// The canary's counts in bursts that ended since then; none where it has had several and the
    /// live version none.
    pub(super) fn left_out_since(self, since: Option<Timestamp>) -> Counts {
        let Bursts { live, left_out, .. } = self.of.on(Side::Lag);
        let out = left_out.iter().filter(|out| out.bursts <= 1 || live.bursts() > 0);
        let late =
            out.flat_map(|out| &out.last).filter(|(at, _)| since.is_none_or(|since| *at > since));
        late.map(|(_, counts)| counts).sum()
    }

    /// Whether the canary's counts of so many minutes may be of a burst like those of the live version.
    pub(super) fn may_be_one(self, canary: Counts, minutes: f64) -> bool {
        let live = &self.of.on(Side::Lag).live;
        fails_at_most(canary, MOST_FAILING) && live.has_had(canary, minutes)
    }

    /// Whether the canary may be in a burst that the live version does not have as well, and of
    /// which it is not known whether it ends.
    pub(super) fn may_be_under_way(self) -> bool {
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
