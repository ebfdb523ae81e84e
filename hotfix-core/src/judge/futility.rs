//! Futility: a run that is going to fail, or a phase that cannot decide in the time left.
//! Both are judged by the best case: the rest of the phase at 1.5 times the planned or observed
//! traffic, without a bad event of the canary. If even that is not enough, waiting is futile. See
//! `docs/decisions/forecast.md`.

use crate::grade::{PromotionRule, Response};
use crate::metric::{Judged, bound_figure};
use crate::metric_kind::Data;
use crate::policy::section::Bound;
use crate::stats::interval::wilson;
use crate::stats::latency::{MAX_BOUNDARIES, SlowCounts};
use crate::stats::{Counts, Direction};
use crate::unit::{Share, Span};

use super::aligned::{Aligned, Side};
use super::call::Call;
use super::fed::slow_of;
use super::test::{Test, of_rates};
use super::watched::Watched;
use super::{Efficacy, Judge, Moment, Reason, Running};
use crate::plan::healthy::MOST_TRAFFIC;

/// How far the live arm has to be beyond a bound so that the canary is not blamed: the confidence for a
/// share, and what the square root of a count, whose standard deviation is a half, has to be above it.
type Clearly = (f64, f64);
/// So that nothing is predicted.
const CLEARLY: Clearly = (0.95, 1.0);
/// So that a person decides about a miss: rarely by chance.
const SURELY: Clearly = (0.9999, 2.0);

/// Standard deviations, and further events, by which the live arm's count may be above what it was
/// so far.
const SPREAD: (f64, f64) = (3.0, 5.0);

impl Judge {
    /// Raises the goals that this phase can no longer reach.
    pub(super) fn futility(
        &self,
        moment: &Moment<'_>,
        running: &Running<'_>,
        efficacy: Option<Efficacy>,
        call: &mut Call<'_>,
    ) {
        // If a response as severe was raised already, there is nothing to stop early. Where a miss
        // only holds, the phase goes on, and what missed the bound passes.
        let response = running.phase.criteria_missed;
        if response > call.worst().max(Response::Hold) {
            for watched in self.deciding() {
                if watched.meets_so_far() {
                    continue;
                }
                let left = watched.until_gate(moment, running);
                if left > Span::ZERO && watched.can_meet(moment, left) == Some(false) {
                    call.raise(response, Reason::WillFail, Some(watched.metric().id));
                }
            }
        }
        let Some(left) = running.until_overdue.filter(|left| *left > Span::ZERO) else { return };
        // An early report is a question, not an early decision.
        let response = running.phase.inconclusive.min(Response::Ask);
        // As in the gate: not at 100% of the traffic.
        if running.phase.promotion == PromotionRule::EvidenceOfNoHarm && moment.share < Share::ALL {
            for watched in self.deciding() {
                if let Some(safe) = watched.tests().safe()
                    && watched.is_in_vain(safe, moment, left)
                {
                    call.raise(response, Reason::CannotDecide, Some(watched.metric().id));
                }
            }
        }
        if moment.lacks_efficacy(efficacy)
            && let Some(fix) = &self.fix_test
            && self.watched[fix.metric].is_in_vain(&fix.now.test, moment, left)
        {
            call.raise(response, Reason::CannotDecide, Some(self.watched[fix.metric].metric().id));
        }
    }
}

impl Moment<'_> {
    /// Whether a promotion still needs evidence that the fix works. A small canary may see too few
    /// events for that: where a later phase can show it, it is enough that nothing speaks against it.
    pub(super) fn lacks_efficacy(&self, efficacy: Option<Efficacy>) -> bool {
        let is_enough = |of: Efficacy| of.shown || self.can_show_later && of.log_e >= 0.0;
        self.needs_efficacy && !efficacy.is_none_or(is_enough)
    }
}

impl Watched {
    /// Bad events, and trials or exposure, of both arms in this phase; of latency only requests.
    pub(super) fn phase_counts(&self) -> [Counts; 2] {
        self.counts(self.window().phase())
    }

    /// As [`phase_counts`](Self::phase_counts), in the trailing window.
    pub(super) fn window_counts(&self) -> [Counts; 2] {
        self.counts(self.window().sums())
    }

    fn counts(&self, row: &[f64]) -> [Counts; 2] {
        let (canary, baseline) = row.split_at(self.columns());
        [canary, baseline].map(|arm| match self.metric().kind.data() {
            Data::Trials | Data::Exposure => self.bad_counts(arm),
            Data::Buckets => Counts::new(0.0, arm[0]),
            Data::Level => Counts::default(),
        })
    }

    /// How much time readings after the last one will cover until the gate opens, which the first
    /// one does after the least time that completes the phase. Zero if the bounds are compared now.
    pub(super) fn until_gate(&self, moment: &Moment<'_>, running: &Running<'_>) -> Span {
        let readings = self.readings();
        let lacks = running.phase.watch - readings.covered;
        if moment.time_decides() || lacks.max(running.until_due).is_zero() {
            return Span::ZERO;
        }
        let silent = self.silent_since().map_or(Span::ZERO, |at| moment.at.since(at));
        let every = moment.watch.cadence.max(readings.step).as_millis().max(1);
        let least = lacks.max(running.until_due + silent).as_millis();
        Span::from_millis(least.div_ceil(every) * every)
    }

    /// The most trials or exposure that may still come, of the canary and of the live arm; None before a
    /// rate is known.
    fn rest(&self, moment: &Moment<'_>, left: Span) -> Option<[f64; 2]> {
        let learned = self.readings().learned.as_seconds();
        if learned <= 0.0 {
            return None;
        }
        let left = left.as_seconds();
        let traffic = moment.traffic.filter(|_| self.metric().kind.counts_requests());
        let planned = |share: f64| traffic.map_or(0.0, |traffic| traffic / 60.0 * share * left);
        let [canary, baseline] = self.phase_counts().map(|arm| arm.trials / learned * left);
        let arms = [(canary, moment.share), (baseline, moment.share.rest())];
        Some(arms.map(|(arm, share)| MOST_TRAFFIC * arm.max(planned(share.as_fraction()))))
    }

    /// Whether what counts of the phase meets the success bound; more good events cannot change that.
    fn meets_so_far(&self) -> bool {
        let bound = self.metric().bounds.success;
        bound.and_then(|bound| self.may_meet(bound, self.counted(), 0.0)) == Some(true)
    }

    /// Whether a success bound is met in the best case by these columns of both arms and so many more
    /// trials, or so much more exposure. A bucket that cannot decide is not a miss.
    fn may_meet(&self, bound: Bound, row: &[f64], rest: f64) -> Option<bool> {
        let best = self.best(&row[..self.columns()], rest)?;
        Some(self.metric().crossed(bound, best, None) != Some(true))
    }

    /// Whether the success bound of the phase can still be met. None if that is unknown.
    pub(super) fn can_meet(&self, moment: &Moment<'_>, left: Span) -> Option<bool> {
        let bound = self.metric().bounds.success?;
        // A bound on the live arm moves with it.
        if bound.is_on_live() {
            return None;
        }
        let [rest, _] = self.rest(moment, left)?;
        let without_one = |row: Vec<f64>| self.may_meet(bound, &row, rest) == Some(true);
        if self.may_meet(bound, self.counted(), rest)?
            || self.counted_without_one().any(without_one)
        {
            return Some(true);
        }
        (!self.live_misses(bound, moment, CLEARLY, self.window().phase())).then_some(false)
    }

    /// Whether the live arm surely misses the success bound too, in the phase or now: a rollback does not
    /// help.
    pub(super) fn both_miss(&self, moment: &Moment<'_>) -> bool {
        let bound = self.metric().bounds.success.filter(|bound| !bound.is_on_live());
        let misses = |bound, row| self.live_misses(bound, moment, SURELY, row);
        // The quantile of a window has no interval.
        let now = Some(self.window().sums()).filter(|_| !self.metric().kind.has_buckets());
        bound.is_some_and(|bound| {
            misses(bound, self.window().phase()) || now.is_some_and(|row| misses(bound, row))
        })
    }

    /// Whether the live arm is beyond the bound too in these columns: a shock in both arms, which a rollback
    /// does not end.
    fn live_misses(
        &self,
        bound: Bound,
        moment: &Moment<'_>,
        (sure, above): Clearly,
        row: &[f64],
    ) -> bool {
        let [_, live] = self.counts(row);
        let least = match self.metric().kind.data() {
            Data::Trials => wilson(live, sure).ok().map(|of| self.bad(of.low, 1.0)),
            Data::Exposure => {
                Some((live.events.sqrt() - above).max(0.0).powi(2) / live.trials * 60.0)
            }
            Data::Buckets | Data::Level => None,
        };
        let value = if self.metric().kind.has_buckets() {
            self.value(&row[self.columns()..], moment.share.rest().as_fraction())
        } else {
            least.filter(|_| live.trials > 0.0).map(Judged::exactly)
        };
        value.is_some_and(|value| self.metric().crossed(bound, value, None) == Some(true))
    }

    /// The value at the end of the phase if the canary, with these columns so far, has no further bad
    /// event in so many trials or so much exposure.
    fn best(&self, canary: &[f64], rest: f64) -> Option<Judged> {
        let (events, trials) = (canary[0], canary[1] + rest);
        match self.metric().kind.data() {
            Data::Trials if trials > 0.0 => {
                let good = trials - self.bad(events, canary[1]);
                let events = if self.bad(0.0, 1.0) > 0.0 { good } else { trials - good };
                Some(Judged::exactly(events / trials))
            }
            Data::Exposure if trials > 0.0 && self.metric().counts_bad_events() => {
                Some(Judged::exactly(events / trials * 60.0))
            }
            // In the best case everything to come is in the first bucket.
            Data::Buckets if events > 0.0 => {
                let rank = self.metric().quantile.as_fraction() * (events + rest) - rest;
                Judged::quantile(1.0, rank.max(f64::MIN_POSITIVE), &canary[1..], self.edges())
            }
            Data::Trials | Data::Exposure | Data::Buckets | Data::Level => None,
        }
    }

    /// How many more bad events the success bound allows in the rest that is planned; None if unknown.
    pub(super) fn allowance(&self, moment: &Moment<'_>, left: Span) -> Option<f64> {
        let bound = self.metric().bounds.success?;
        if !self.metric().kind.is_fraction() || bound.is_on_live() {
            return None;
        }
        let figure = bound_figure(self.metric(), bound, None)?;
        let row = self.judged(moment.share);
        let events = self.bad(row[0], row[1]);
        let trials = row[1] + self.rest(moment, left)?[0] / MOST_TRAFFIC;
        Some((self.bad(figure * trials, trials) - events).floor())
    }

    /// Whether waiting for this test is futile. Once reported, it stays reported, so that the
    /// question does not come and go.
    fn is_in_vain(&self, test: &Aligned<Test>, moment: &Moment<'_>, left: Span) -> bool {
        let reported = self.degradation().in_vain.is_some_and(|reported| reported < moment.at);
        !test.decided() && (reported || self.can_show(test, moment, left) == Some(false))
    }

    /// Whether a promotion or efficacy test that has not crossed still can; None if it has, or if unknown.
    pub(super) fn can_show(
        &self,
        test: &Aligned<Test>,
        moment: &Moment<'_>,
        left: Span,
    ) -> Option<bool> {
        if test.decided() || test.on(Side::Lead).direction() == Direction::Worse {
            return None;
        }
        let [rest, of_live] = self.rest(moment, left)?;
        let [_, baseline] = self.phase_counts();
        if baseline.trials <= 0.0 || rest <= 0.0 {
            // Without a live arm nothing is compared, so nothing is known.
            return None;
        }
        // A rate that is as far above the one so far as chance allows.
        let most = |events: f64| {
            let upper = events + SPREAD.0 * events.sqrt() + SPREAD.1;
            let most = upper / baseline.trials * of_live;
            if self.metric().kind.has_exposure() { most } else { most.min(of_live) }
        };
        let best = if self.metric().kind.has_buckets() {
            let phase = &self.window().phase()[self.columns()..];
            let slow = slow_of(phase, self.boundaries()).map(most);
            let none = [0.0; MAX_BOUNDARIES];
            let used = self.boundaries().len();
            let canary = SlowCounts::new(&none[..used], rest);
            let live = SlowCounts::new(&slow[..used], of_live);
            test.least(|test| test.best_slow(canary, live))
        } else {
            let live = Counts::new(most(baseline.events), of_live);
            test.least(|test| test.best(Counts::new(0.0, rest), live))
        };
        Some(best? >= test.threshold())
    }
}

impl Test {
    /// The claim of the test.
    pub(super) fn direction(&self) -> Direction {
        match self {
            Self::Rate(design, _) => design.direction(),
            Self::Bernoulli(design, _) => design.direction(),
            Self::Latency(design, _) => design.direction(),
            Self::Tolerance(..) => Direction::Worse,
        }
    }

    /// Log e after one more tick; None if the test does not accept the tick.
    fn best(&self, canary: Counts, baseline: Counts) -> Option<f64> {
        of_rates!(self, design, state => {
            let mut state = *state;
            state.update(design, canary, baseline).ok()?;
            state.log_e(design)
        })
    }

    fn best_slow(&self, canary: SlowCounts<'_>, baseline: SlowCounts<'_>) -> Option<f64> {
        let Self::Latency(design, state) = self else { return None };
        let mut state = **state;
        state.update(design, canary, baseline).ok()?;
        Some(state.log_e(design))
    }
}
