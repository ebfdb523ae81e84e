//! Cold starts: new instances are slow at first, until caches, pools and compiled code are there.
//!
//! An excess that has visibly decayed to what is tolerated was a cold start: the evidence begins
//! again. While it decays above that, the evidence waits, as long as the rest of the decay may
//! bring it there.

use super::stretch::{Past, Slowdown};
use super::tolerance::Tolerance;
use crate::stats::numeric::{exp, larger};
use crate::unit::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Time over which the request times of both arms are compared.
pub(crate) const RECENT: Span = Span::from_seconds(60);
/// An excess is looked for within this time after instances were new: later it is no warm-up.
pub(crate) const WARMS_UP: Span = Span::from_seconds(600);
/// Evidence does not roll back for so long after it began again.
const AGAIN: Span = Span::from_seconds(60);
/// Nor does that of a decaying excess for this long after instances were new.
const DECAYS: Span = Span::from_seconds(180);
/// ln 1.1: a lower peak is no warm-up.
const LEAST_PEAK: f64 = 0.095_310_179_804_324_87;
/// Standard errors above 0 from which on a peak is more than chance.
const PEAK_ERRORS: f64 = 3.0;
/// What an excess has to lose to count as decaying: a part of its peak, first and after a restart
/// of the evidence, and this many standard errors.
const LOST: ([f64; 2], f64) = ([0.2, 0.5], 2.5);
/// The excess of new instances is taken to fall to 37% in so many seconds, or sooner.
const DECAY: f64 = 75.0;
/// Evidence waits while the lasting part of an excess is not this many standard errors above the
/// tolerance, and more than this much of the ratio has still to decay.
const STAYS: (f64, f64) = (2.0, 0.05);

/// The excess of new instances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ColdStart {
    /// Highest excess since instances were new, or since the evidence began again.
    peak: Option<Slowdown>,
    /// When the peak was seen.
    peak_at: Option<Timestamp>,
    /// The excess decays, is above what is tolerated, and may still fall to that.
    may_fall: bool,
    /// When the evidence last began again, and the peak before.
    began_again: Option<(Timestamp, Slowdown)>,
}

impl ColdStart {
    /// Whether an excess was seen. Most ticks have none, and nothing has to be computed.
    pub(crate) fn has_excess(&self) -> bool {
        self.peak.is_some_and(Slowdown::is_excess)
    }

    /// Learns the excess of the last minute, with instances that have been new for `new_for`.
    /// Returns whether the evidence begins again.
    pub(crate) fn learn(
        &mut self,
        at: Timestamp,
        now: Slowdown,
        tolerated: f64,
        new_for: Span,
    ) -> bool {
        self.may_fall = false;
        let known = self.peak.zip(self.peak_at);
        let Some((peak, peak_at)) = known.filter(|(peak, _)| now.ln_ratio <= peak.ln_ratio) else {
            (self.peak, self.peak_at) = (Some(now), Some(at));
            return false;
        };
        if !peak.decays_to(now, LOST.0[usize::from(self.began_again.is_some())]) {
            return false;
        }
        let is_cold_start = exp(now.ln_ratio) <= tolerated;
        if is_cold_start {
            self.began_again = Some((at, peak));
            (self.peak, self.peak_at) = (Some(now), Some(at));
        } else {
            self.may_fall = new_for < DECAYS || peak.may_fall_to(tolerated, now, at.since(peak_at));
        }
        is_cold_start
    }

    /// Instances are no longer new: nothing decays.
    pub(crate) fn end(&mut self) {
        self.may_fall = false;
    }

    /// The peak of an excess that decays or has just decayed; None if evidence may roll back.
    pub(crate) fn decays(&self, at: Timestamp) -> Option<Slowdown> {
        let again = self.began_again.filter(|(again, _)| at.since(*again) < AGAIN);
        again.map(|(_, peak)| peak).or(self.peak.filter(|_| self.may_fall))
    }

    /// From when on evidence that began again decides.
    pub(crate) fn decided_again(&self) -> Option<Timestamp> {
        self.began_again.map(|(again, _)| again + AGAIN)
    }
}

/// Cold starts of a simulated canary, whose instances are new in each phase.
pub(super) struct FirstMinutes {
    boundaries: usize,
    tick_seconds: f64,
    /// Requests of both arms in the last minute, by tick.
    recent: VecDeque<[Past; 2]>,
    cold: ColdStart,
}

impl FirstMinutes {
    pub(super) fn new(boundaries: usize, tick_seconds: f64) -> Self {
        let (recent, cold) = (VecDeque::new(), ColdStart::default());
        Self { boundaries, tick_seconds, recent, cold }
    }

    /// Learns from the tick at `place` in its phase, after the test, as a rollout does. Returns
    /// whether evidence must not roll back now.
    pub(super) fn learn(
        &mut self,
        arms: [Past; 2],
        place: u32,
        tolerated: f64,
        test: &mut Tolerance,
    ) -> bool {
        if place == 0 {
            *self = Self::new(self.boundaries, self.tick_seconds);
        }
        let seconds = f64::from(place + 1) * self.tick_seconds;
        let new_for = Span::try_from_seconds(seconds).unwrap_or(WARMS_UP);
        let at = Timestamp::default() + new_for;
        if self.recent.len() as f64 * self.tick_seconds >= RECENT.as_seconds() {
            self.recent.pop_front();
        }
        self.recent.push_back(arms);
        if new_for >= WARMS_UP {
            self.cold.end();
        } else if new_for >= RECENT {
            let mut sums = [Past::NONE; 2];
            for arms in &self.recent {
                for (sum, arm) in sums.iter_mut().zip(arms) {
                    sum.add(arm.of(self.boundaries));
                }
            }
            let [canary, rest] = sums.each_ref().map(|sum| sum.of(self.boundaries));
            let compares = self.cold.has_excess() || canary.exceeds(rest);
            let now = compares.then(|| test.slowdown(canary, rest)).flatten();
            if now.is_some_and(|now| self.cold.learn(at, now, tolerated, new_for)) {
                test.restart();
            }
        }
        self.cold.decays(at).is_some()
    }
}

/// How an excess decays.
impl Slowdown {
    /// Whether it is more than chance.
    fn is_excess(self) -> bool {
        self.ln_ratio > larger(LEAST_PEAK, PEAK_ERRORS * self.error)
    }

    /// Whether this was an excess, and `now` is less by `part` of it and by more than chance.
    fn decays_to(self, now: Self, part: f64) -> bool {
        let lost = self.ln_ratio - now.ln_ratio;
        let errors = (self.error * self.error + now.error * now.error).sqrt();
        self.is_excess() && lost > larger(part * self.ln_ratio, LOST.1 * errors)
    }

    /// Whether an excess that was `self`, and is `now` a time `apart` later, may still fall to what
    /// is tolerated.
    ///
    /// With a decay of `e^(-t/DECAY)` or faster, at most `1/(e^(apart/DECAY) - 1)` of what was lost
    /// is still to go. Minutes that overlap say too little, so then it may.
    fn may_fall_to(self, tolerated: f64, now: Self, apart: Span) -> bool {
        if apart < RECENT {
            return true;
        }
        let part = 1.0 / (exp(apart.as_seconds() / DECAY) - 1.0);
        let (before, ratio) = (exp(self.ln_ratio), exp(now.ln_ratio));
        let goes = part * (before - ratio);
        let (of_now, of_peak) = ((1.0 + part) * ratio * now.error, part * before * self.error);
        let error = (of_now * of_now + of_peak * of_peak).sqrt();
        goes > STAYS.1 && ratio - goes - STAYS.0 * error <= tolerated
    }
}
