//! When the latency evidence of new instances may roll back.
//!
//! New instances are slow at first: caches, pools and compiled code are not there yet. While that
//! passes, the evidence of the first minutes says nothing of what the canary will be like. So for
//! some time after the start it does not roll back. An excess that has visibly decayed to what is
//! tolerated was a cold start: the evidence begins again. While it is above that, the evidence is
//! kept and waits, until what is left of the decay cannot bring it there any more. A rollback bound
//! waits for a minute of readings: a quantile over a few seconds says whether an instance paused in
//! them.

use crate::grade::{Response, Role};
use crate::metric::Window;
use crate::policy::section::Watch;
use crate::stats::latency::Slowdown;
use crate::stats::numeric::{exp, larger};
use crate::unit::{Span, Timestamp};

use super::Reason;
use super::aligned::{Aligned, Side};
use super::assess::Call;
use super::fed::{Fed, slow_arms};
use super::snapshot::{Misfit, is_default};
use super::test::Test;
use super::watched::Watched;
use super::why::Rule;
use educe::Educe;
use serde::{Deserialize, Serialize};

/// Evidence does not roll back for so long after instances were new.
const NEW: Span = Span::from_seconds(120);
/// Nor for so long after it began again.
const AGAIN: Span = Span::from_seconds(60);
/// Nor for so long after instances were new, where an excess decays.
const DECAYS: Span = Span::from_seconds(180);
/// An excess is looked for within this time after instances were new: later it is no warm-up.
const WARMS_UP: Span = Span::from_seconds(600);
/// The time over which both arms are compared.
const RECENT: Span = Span::from_seconds(60);
/// A person is asked after so long.
const ASKS: Span = Span::from_seconds(300);
/// ln 1.1: a lower peak is no warm-up.
const LEAST_PEAK: f64 = 0.095_310_179_804_324_87;
/// A peak is seen where it is as many standard errors above nothing.
const PEAK_ERRORS: f64 = 3.0;
/// Logarithm of the largest factor, with its error, that follows from counts at a few boundaries: 100.
const MEASURABLE: f64 = 4.605_170_185_988_092;
/// The part of its peak that an excess has to lose, at first and once the evidence has begun again, and
/// by how many standard errors.
const LOST: ([f64; 2], f64) = ([0.2, 0.5], 2.5);
/// The excess of new instances is taken to fall to 37% in so many seconds, or sooner.
const DECAY: f64 = 75.0;
/// By how many standard errors what stays has to be above what is tolerated, unless at most so many
/// times as slow may still go.
const STAYS: (f64, f64) = (2.0, 0.05);

/// Warm-up of a latency metric with a tolerance.
#[derive(Debug, Deserialize, Educe, PartialEq, Serialize)]
#[educe(Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct Settling {
    #[serde(skip)]
    cadence: Span,
    /// Rows of both arms.
    recent: Window,
    /// The share of the live version's requests that the rollback test left out of the last tick.
    #[serde(default, skip_serializing_if = "is_default")]
    cured: f64,
    /// When instances were new.
    new_at: Option<Timestamp>,
    /// The first row since then.
    first: Option<Timestamp>,
    /// The highest excess since then, or since the evidence began again.
    peak: Option<Slowdown>,
    /// When that was seen.
    #[serde(default)]
    peak_at: Option<Timestamp>,
    /// An excess decays, is above what is tolerated, and may still fall to that.
    #[serde(default)]
    may_fall: bool,
    /// When the evidence last began again, and the peak before.
    began_again: Option<(Timestamp, Slowdown)>,
    /// Since when the canary has been slightly slower.
    slower_since: Option<Timestamp>,
    /// When evidence that had lost its stake last got a new one, or the first tick.
    renewed: Option<Timestamp>,
}

impl Settling {
    /// Nothing was read yet; `columns` are those of one arm.
    pub(super) fn new(cadence: Span, columns: usize, new_at: Option<Timestamp>) -> Self {
        Self {
            cadence,
            recent: Window::new(RECENT, cadence, 2 * columns),
            cured: 0.0,
            new_at,
            first: None,
            peak: None,
            peak_at: None,
            may_fall: false,
            began_again: None,
            slower_since: None,
            renewed: None,
        }
    }

    /// A phase begins, with new instances.
    pub(super) fn start(&mut self, at: Timestamp, test: Option<&mut Aligned<Test>>) {
        if let Some(test) = test {
            self.renew(at, test);
        }
        self.recent.clear();
        self.new_at = Some(at);
        (self.first, self.began_again, self.slower_since) = (None, None, None);
        (self.peak, self.peak_at, self.may_fall) = (None, None, false);
    }

    /// Gives evidence that has lost its stake a new one.
    fn renew(&mut self, at: Timestamp, test: &mut Aligned<Test>) {
        test.each(Test::renew);
        self.renewed = Some(at);
    }

    /// Learns from a tick, after the test has, and lets the evidence begin again where an excess
    /// has decayed.
    pub(super) fn learn(&mut self, at: Timestamp, fed: &Fed<'_>, test: &mut Aligned<Test>) {
        let boundaries = fed.boundaries;
        self.cured = fed.cured;
        self.recent.add(at, &fed.tick.row);
        let first = *self.first.get_or_insert(at);
        let warms_up = self.new_at.is_some_and(|new_at| at.since(new_at) < WARMS_UP);
        self.may_fall &= warms_up;
        if warms_up && at.since(first) + self.cadence >= RECENT {
            self.compare(at, boundaries, test);
        }
        if at.since(*self.renewed.get_or_insert(at)) >= Watch::RENEWED {
            self.renew(at, test);
        }
        let slightly = test.is_slightly_slower();
        self.slower_since = slightly.then(|| self.slower_since.unwrap_or(at));
    }

    /// Compares the excess of the last minute with its peak.
    fn compare(&mut self, at: Timestamp, boundaries: &[usize], test: &mut Aligned<Test>) {
        let now = slow_arms(self.recent.sums(), boundaries, self.cured, |canary, baseline| {
            // In most ticks there is nothing to compute: no excess was seen, and there is none now.
            let compares = self.peak.is_some_and(Slowdown::is_excess) || canary.exceeds(baseline);
            if compares { test.on(Side::Lag).slowdown(canary, baseline) } else { None }
        });
        let Some(now) = now else { return };
        self.may_fall = false;
        let known = self.peak.zip(self.peak_at);
        let Some((peak, peak_at)) = known.filter(|(peak, _)| now.ln_ratio <= peak.ln_ratio) else {
            (self.peak, self.peak_at) = (Some(now), Some(at));
            return;
        };
        if !peak.decays_to(now, LOST.0[usize::from(self.began_again.is_some())]) {
            return;
        }
        let tolerated = test.null_ratio();
        if exp(now.ln_ratio) <= tolerated {
            test.each(Test::restart);
            self.began_again = Some((at, peak));
            (self.peak, self.peak_at) = (Some(now), Some(at));
        } else {
            let is_new = self.new_at.is_some_and(|new_at| at.since(new_at) < DECAYS);
            self.may_fall = is_new || peak.may_fall_to(tolerated, now, at.since(peak_at));
        }
    }

    /// The peak of an excess that decays, or after which the evidence has just begun again.
    fn decays(&self, at: Timestamp) -> Option<Slowdown> {
        let again = self.began_again.filter(|(again, _)| at.since(*again) < AGAIN);
        again.map(|(_, peak)| peak).or(self.peak.filter(|_| self.may_fall))
    }

    /// Whether evidence that crosses does not roll back now.
    pub(super) fn forbids(&self, at: Timestamp) -> bool {
        self.new_at.is_some_and(|new_at| at.since(new_at) < NEW) || self.decays(at).is_some()
    }

    /// Whether a breach of the rollback bound does not roll back now.
    pub(super) fn is_first_minute(&self, at: Timestamp) -> bool {
        self.minute_over().is_some_and(|over| at < over)
    }

    /// When readings cover a minute.
    fn minute_over(&self) -> Option<Timestamp> {
        let first_reading = self.cadence.min(RECENT);
        let later = Span::from_millis(RECENT.as_millis() - first_reading.as_millis());
        Some(self.first? + later)
    }

    /// When what it forbids and asks changes without a reading.
    pub(super) fn changes(&self) -> [Option<Timestamp>; 4] {
        let again = self.began_again.map(|(again, _)| again + AGAIN);
        [
            self.minute_over(),
            self.new_at.map(|at| at + NEW),
            again,
            self.slower_since.map(|since| since + ASKS),
        ]
    }

    pub(super) fn resume(&mut self, read: Self) -> Result<(), Misfit> {
        let (cadence, mut recent) = (self.cadence, self.recent.clone());
        if !recent.resume(read.recent) {
            return Err("a metric's last minute");
        }
        *self = Self { cadence, recent, ..read };
        Ok(())
    }
}

/// An excess of the canary over some time.
impl Slowdown {
    /// Whether it is more than chance.
    fn is_excess(self) -> bool {
        self.ln_ratio > larger(LEAST_PEAK, PEAK_ERRORS * self.error)
    }

    /// Whether an excess was seen, and has become visibly smaller.
    fn decays_to(self, now: Self, part: f64) -> bool {
        let lost = self.ln_ratio - now.ln_ratio;
        let errors = (self.error * self.error + now.error * now.error).sqrt();
        self.is_excess() && lost > larger(part * self.ln_ratio, LOST.1 * errors)
    }

    /// Whether an excess that was this, and is `now` so long after, may still fall to what is
    /// tolerated.
    ///
    /// Where it falls as `e^(-t/DECAY)` or sooner, `1/(e^(apart/DECAY) - 1)` of what it lost is the
    /// most that it still has to lose. Minutes that overlap say too little.
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

impl Watched {
    /// How many times as slow the canary was in the last minute, and the standard error of that;
    /// None where that was not looked into, and where it does not follow from the boundaries, because
    /// nearly all requests of an arm are on one side of them.
    pub(super) fn slowdown(&self) -> Option<(f64, f64)> {
        let (settling, test) = (self.tests().settling()?, self.tests().worse()?.on(Side::Lag));
        let recent = settling.recent.sums();
        let now = slow_arms(recent, self.boundaries(), settling.cured, |canary, live| {
            test.slowdown(canary, live)
        })?;
        if now.ln_ratio.abs() + now.error > MEASURABLE {
            return None;
        }
        let ratio = exp(now.ln_ratio);
        Some((ratio, ratio * now.error))
    }

    /// The same as a rule that was applied; None where no boundary is between the arms, so that there
    /// is no number.
    pub(super) fn slowdown_rule(&self, at: Timestamp) -> Option<Rule> {
        let (settling, test) = (self.tests().settling()?, self.tests().worse()?);
        let (ratio, error) =
            self.slowdown().filter(|(ratio, error)| (ratio + error).is_finite())?;
        let peak = settling.decays(at);
        Some(Rule::Slowdown {
            error,
            peak: peak.map(|peak| exp(peak.ln_ratio)),
            ratio,
            tolerated: test.null_ratio(),
        })
    }
}

impl Call<'_> {
    /// Raises what a latency metric's warm-up and small excess call for.
    pub(super) fn settling(&mut self, at: Timestamp, watched: &Watched) {
        let Some(settling) = watched.tests().settling() else { return };
        if watched.metric().role != Role::Decide {
            return;
        }
        let id = Some(watched.metric().id);
        if settling.decays(at).is_some() {
            self.raise(Response::Hold, Reason::WarmingUp, id);
        }
        if let Some(since) = settling.slower_since {
            let lasts = at.since(since) >= ASKS;
            let response = if lasts { Response::Ask } else { Response::Hold };
            self.raise(response, Reason::SlightlySlower, id);
        }
    }
}
