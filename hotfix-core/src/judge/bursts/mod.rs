//! Bursts of failures, such as those of a customer who retries, and the evidence without as many of the
//! canary. Errors that come in bursts are not independent, and a canary that serves the same clients has
//! them, too. See `docs/decisions/one-clients-failures.md`.

mod canary;
mod known;
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

use canary::{Burst, Canary, Compared, LeftOut, REMEMBERED, feed};

pub(super) use canary::LASTS;
pub(super) use known::KnownBursts;

/// Bursts of one metric, in counts of bad events.
#[derive(Debug, Default, Deserialize, Educe, PartialEq, Serialize)]
#[educe(Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct Bursts {
    live: Live,
    /// None until the versions were compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    canary: Option<Canary>,
    /// Bursts of the canary that are not in its evidence; None while all is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    left_out: Option<Box<LeftOut>>,
}

impl Aligned<Bursts> {
    /// Copies another's states, with little to do for almost every tick: nothing is left out.
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
    /// None was read yet; what a history has.
    pub(super) fn after(history: Option<HistoryBursts>) -> Self {
        Self { live: history.map_or_else(Live::default, Live::after), ..Self::default() }
    }

    /// Takes in the live version's counts from before the start.
    pub(super) fn learn_live(&mut self, at: Timestamp, live: Counts) {
        self.live.learn(at, live);
    }

    /// Takes in counts of both arms, with which the test `of` the whole was fed.
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
            self.look(at, is_over, design, of);
        }
    }

    /// Looks at a minute of the canary that is over, that may be of a burst, or that comes after one that
    /// was left out. `of`: the evidence with all minutes.
    #[inline(never)]
    fn look(&mut self, at: Timestamp, is_over: bool, design: &RateRatioDesign, of: &RateRatio) {
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
        self.left_out.is_some() || self.live.bursts > 0
    }

    /// Another phase begins: what is not in the evidence yet is of another split.
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
