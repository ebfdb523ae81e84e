//! When the latency evidence of new instances may roll back.
//!
//! While a [cold start](ColdStart) passes, the evidence of the first minutes says nothing of what the
//! canary will be like. So for some time after the start it does not roll back, and while an excess
//! decays it waits or begins again. A rollback bound waits for a minute of readings: a quantile over a
//! few seconds says whether an instance paused in them.

use crate::grade::Response;
use crate::metric::{Window, in_unit};
use crate::policy::section::Watch;
use crate::stats::latency::{ColdStart, RECENT, SLIGHT, SlowCounts, Slowdown, Tolerance, WARMS_UP};
use crate::stats::numeric::exp;
use crate::text;
use crate::unit::{Span, Timestamp};

use super::Reason;
use super::aligned::{Aligned, Side};
use super::bursts::LASTS;
use super::call::Call;
use super::fed::{Fed, slow_arms};
use super::snapshot::Misfit;
use super::test::Test;
use super::watched::Watched;
use super::why::Rule;
use educe::Educe;
use serde::{Deserialize, Serialize};

/// Evidence does not roll back for so long after instances were new.
const NEW: Span = Span::from_seconds(120);
/// A canary was good that had no slow requests for so long.
const GOOD: Span = Span::from_seconds(180);
/// A person is asked after so long about what is held back.
pub(super) const ASKS: Span = Span::from_seconds(300);
/// Logarithm of the largest factor, with its error, that follows from counts at a few boundaries: 100.
const MEASURABLE: f64 = 4.605_170_185_988_092;

/// Warm-up of a latency metric with a tolerance.
#[derive(Debug, Deserialize, Educe, PartialEq, Serialize)]
#[educe(Clone)]
pub(super) struct Settling {
    #[serde(skip)]
    cadence: Span,
    /// Rows of both arms.
    recent: Window,
    /// The share of the live version's requests that the rollback test left out of the last tick.
    cured: f64,
    /// When instances were new.
    new_at: Option<Timestamp>,
    /// When the first row since then was read.
    first: Option<Timestamp>,
    /// The excess of the canary's times since then.
    cold: ColdStart,
    /// Since when the canary has been slightly slower.
    slower_since: Option<Timestamp>,
    /// Since when requests of the canary have been slow while the evidence was raised, without a gap, and when
    /// they last were.
    excess: Option<[Timestamp; 2]>,
    /// When evidence that had lost its stake last got a new one, or the first tick.
    renewed: Option<Timestamp>,
}

impl Settling {
    /// A warm-up before the first reading; `columns`: of one arm.
    pub(super) fn new(cadence: Span, columns: usize, new_at: Option<Timestamp>) -> Self {
        Self {
            cadence,
            recent: Window::new(RECENT, cadence, 2 * columns),
            cured: 0.0,
            new_at,
            first: None,
            cold: ColdStart::default(),
            slower_since: None,
            excess: None,
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
        (self.first, self.slower_since, self.excess) = (None, None, None);
        self.cold = ColdStart::default();
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
        match self.new_at.map(|new_at| at.since(new_at)).filter(|new_for| *new_for < WARMS_UP) {
            Some(new_for) if at.since(first) + self.cadence >= RECENT => {
                self.compare((at, new_for), boundaries, test);
            }
            Some(_) => {}
            None => self.cold.end(),
        }
        if at.since(*self.renewed.get_or_insert(at)) >= Watch::RENEWED {
            self.renew(at, test);
        }
        let slightly = test.is_slightly_slower();
        self.slower_since = slightly.then(|| self.slower_since.unwrap_or(at));
        if self.excess.is_some() || test.is_raised() {
            self.learn_excess(at, boundaries, test);
        }
    }

    /// Learns since when requests of the canary have been slow. Where it was good before, and they are over,
    /// evidence that they brought to what decides begins again.
    #[cold]
    fn learn_excess(&mut self, at: Timestamp, boundaries: &[usize], test: &mut Aligned<Test>) {
        let goes_on = slow_arms(self.recent.sums(), boundaries, self.cured, |canary, live| {
            test.on(Side::Lag).tolerance().and_then(|of| of.slow_part(canary, live)).is_some()
        });
        if goes_on {
            self.excess.get_or_insert([at, at])[1] = at;
        } else if self.excess.is_some_and(|[_, last]| at.since(last) > RECENT) {
            if self.was_good() && test.log_e() >= test.threshold() {
                test.each(Test::restart);
            }
            // Of a fault that was there from the start, requests may be slow from time to time.
            if self.was_good() || !test.is_raised() {
                self.excess = None;
            }
        }
    }

    /// Whether the canary was good in this phase before its requests were slow.
    fn was_good(&self) -> bool {
        let since_new = |[began, _]: [Timestamp; 2]| self.new_at.map(|new_at| began.since(new_at));
        self.excess.and_then(since_new).is_some_and(|since_new| since_new >= GOOD)
    }

    /// Whether slow requests have not stayed for long enough to be no burst.
    fn may_be_a_burst(&self) -> bool {
        let has_stayed = |[began, last]: [Timestamp; 2]| last.since(began) >= LASTS;
        self.was_good() && self.cadence < LASTS && !self.excess.is_some_and(has_stayed)
    }

    /// Compares the excess of the last minute with its peak.
    fn compare(
        &mut self,
        (at, new_for): (Timestamp, Span),
        boundaries: &[usize],
        test: &mut Aligned<Test>,
    ) {
        let now = slow_arms(self.recent.sums(), boundaries, self.cured, |canary, baseline| {
            let compares = self.cold.has_excess() || canary.exceeds(baseline);
            let tolerance = test.on(Side::Lag).tolerance().filter(|_| compares);
            tolerance.and_then(|of| of.slowdown(canary, baseline))
        });
        let Some(now) = now else { return };
        if self.cold.learn(at, now, test.null_ratio(), new_for) {
            test.each(Test::restart);
        }
    }

    /// Whether evidence that crosses does not roll back now, because instances are new.
    fn forbids(&self, at: Timestamp) -> bool {
        self.new_at.is_some_and(|new_at| at.since(new_at) < NEW) || self.cold.decays(at).is_some()
    }

    /// Whether a breach of the rollback bound does not roll back yet: readings cover less than a minute.
    pub(super) fn is_first_minute(&self, at: Timestamp) -> bool {
        self.minute_over().is_some_and(|over| at < over)
    }

    /// When readings will cover a minute; None before the first.
    fn minute_over(&self) -> Option<Timestamp> {
        let first_reading = self.cadence.min(RECENT);
        let later = Span::from_millis(RECENT.as_millis() - first_reading.as_millis());
        Some(self.first? + later)
    }

    /// The moments at which what it forbids or asks changes without a reading.
    pub(super) fn changes(&self) -> [Option<Timestamp>; 4] {
        [
            self.minute_over(),
            self.new_at.map(|at| at + NEW),
            self.cold.decided_again(),
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

impl Watched {
    /// How many times as slow the canary was in the last minute, and the standard error of that;
    /// None where that was not looked into, and where it does not follow from the boundaries, because
    /// nearly all requests of an arm are on one side of them.
    pub(crate) fn slowdown(&self) -> Option<(f64, f64)> {
        let tolerated = self.tests().worse()?.null_ratio();
        let now = self.of_last_minute(|test, canary, live| {
            let is_tolerated = |now: &Slowdown| exp(now.ln_ratio) <= tolerated;
            let now = test.slowdown(canary, live);
            now.filter(|now| is_tolerated(now) || !test.hangs_on_a_boundary(canary, live))
        })??;
        if now.ln_ratio.abs() + now.error > MEASURABLE {
            return None;
        }
        let ratio = exp(now.ln_ratio);
        Some((ratio, ratio * now.error))
    }

    /// Why evidence that crosses does not roll back now; of a latency with a tolerance.
    #[cold]
    pub(super) fn kept_back(&self, at: Timestamp) -> Option<Reason> {
        if self.tests().settling()?.forbids(at) {
            return Some(Reason::WarmingUp);
        }
        self.not_certain()
    }

    /// The same of evidence that does not show by how much the canary is slower, or for how long.
    #[cold]
    pub(super) fn not_certain(&self) -> Option<Reason> {
        let is_part = || self.of_last_minute(Tolerance::is_slow_in_part).unwrap_or(false);
        if self.tests().settling()?.may_be_a_burst() && is_part() {
            return Some(Reason::Burst);
        }
        self.hangs_on_a_boundary().then_some(Reason::SlightlySlower)
    }

    /// Which of the canary's requests were slow in the last minute, for a reason of a latency with a tolerance
    /// where on the whole it is hardly slower, or by no more than is tolerated; None elsewhere.
    pub(crate) fn slow_part(&self, reason: Reason) -> Option<String> {
        let most = match reason {
            Reason::SlightlySlower => SLIGHT,
            Reason::Evidence | Reason::Burst => self.tests().worse()?.null_ratio(),
            _ => return None,
        };
        if self.slowdown()?.0 > most {
            return None;
        }
        let Some(part) = self.of_last_minute(Tolerance::slow_part)? else {
            return Some("slower before, but not in the last minute".to_owned());
        };
        let above = in_unit(self.metric().kind, part.above);
        let [canary, live] = part.shares.map(|share| text::rounded(100.0 * share, 1));
        Some(format!(
            "{canary}% of its requests took longer than {above} in the last minute, {live}% of the live \
             version's"
        ))
    }

    /// Whether the evidence does not roll back because one boundary alone shows it; of a latency
    /// with a tolerance.
    #[cold]
    pub(super) fn hangs_on_a_boundary(&self) -> bool {
        self.of_last_minute(Tolerance::hangs_on_a_boundary).unwrap_or(false)
    }

    /// What a test with a tolerance finds in the slow requests of the last minute; None for another test.
    fn of_last_minute<R>(
        &self,
        then: impl FnOnce(&Tolerance, SlowCounts<'_>, SlowCounts<'_>) -> R,
    ) -> Option<R> {
        let settling = self.tests().settling()?;
        let test = self.tests().worse()?.on(Side::Lag).tolerance()?;
        let (recent, cured) = (settling.recent.sums(), settling.cured);
        Some(slow_arms(recent, self.boundaries(), cured, |canary, live| then(test, canary, live)))
    }

    /// The [`slowdown`](Self::slowdown) as a rule that was applied; None where no boundary is
    /// between the arms, so that there is no number.
    pub(super) fn slowdown_rule(&self, at: Timestamp) -> Option<Rule> {
        let (settling, test) = (self.tests().settling()?, self.tests().worse()?);
        let (ratio, error) =
            self.slowdown().filter(|(ratio, error)| (ratio + error).is_finite())?;
        let peak = settling.cold.decays(at);
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
        let id = Some(watched.metric().id);
        if settling.cold.decays(at).is_some() {
            self.raise(Response::Hold, Reason::WarmingUp, id);
        }
        if let Some(since) = settling.slower_since {
            let lasts = at.since(since) >= ASKS;
            let response = if lasts { Response::Ask } else { Response::Hold };
            self.raise(response, Reason::SlightlySlower, id);
        }
    }
}
