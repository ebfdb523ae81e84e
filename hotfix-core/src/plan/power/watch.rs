//! One metric in one phase as the judge watches it: what each tick brings to both arms at the record's rate,
//! and the limits of the bad events in its window and in the phase. A ratio multiplies the canary's rate;
//! [`Bands`] follows the counts from tick to tick.

use crate::grade::Response;
use crate::metric::{Judged, bound_figure};
use crate::metric_kind::Data;
use crate::plan::Plan;
use crate::plan::healthy::{self, MOST_TRAFFIC, draw, figure, most_within, trials};
use crate::policy::Policy;
use crate::policy::section::{Bound, Bounds, Metric, Phase};
use crate::stats::numeric::{larger, smaller, whole};
use crate::stats::planning::bands::{Bands, Beside, CLOSE, Crossing, Evaluation};
use crate::stats::planning::chances::{Draw, Limit};
use crate::unit::{Share, Span};

use super::test::Test;

/// Most ticks of one phase that are followed.
pub(super) const MOST_TICKS: u64 = 20_000;
/// Limits that are kept: windows that are full have about as many trials, in a few roundings.
const MOST_LIMITS: usize = 16;
/// Gates that wait for trials with less chance than this are taken not to.
const WAITS: f64 = 1e-2;

/// What one tick brings at the record's rate, and what is asked of it.
#[derive(Clone, Debug)]
struct Tick {
    look: Evaluation,
    /// Its limit while no evidence confirms the rollback bound.
    unconfirmed: Option<Limit>,
}

/// One metric in one phase.
#[derive(Clone, Debug)]
pub(super) struct Watching<'a> {
    pub(super) metric: &'a Metric,
    pub(super) phase: &'a Phase,
    /// Bad events a trial, or a minute of exposure, of a release that is as good as the record.
    pub(super) rate: f64,
    policy: &'a Policy,
    /// Requests per minute over all arms. None if unknown.
    traffic: Option<f64>,
    ticks: Vec<Tick>,
    /// Until the gate is judged.
    pub(super) lasts: Span,
    /// The same in ticks, of which the first ones are of the warm-up.
    pub(super) least: usize,
    pub(super) warm: usize,
    /// Trials of both arms until the gate, without the warm-up; for a count, seconds of exposure.
    counted: [f64; 2],
    window: usize,
    /// Ticks between two readings.
    apart: usize,
    gate: Option<Limit>,
    /// Most in the last window with which nothing holds at the gate; none where it has too few trials.
    calm: Option<Limit>,
    /// Seconds between ticks.
    pub(super) cadence: f64,
    /// Limits of figures in windows with so many trials, and with fewer than so many none.
    limits: Vec<([f64; 3], Option<Limit>)>,
}

impl<'a> Watching<'a> {
    /// None where there is too much to follow, or nothing counts trials.
    pub(super) fn try_new(plan: &'a Plan, metric: &'a Metric, phase: &'a Phase) -> Option<Self> {
        Self::of(plan.policy(), plan.requests_per_minute(), metric, phase)
    }

    fn of(
        policy: &'a Policy,
        traffic: Option<f64>,
        metric: &'a Metric,
        phase: &'a Phase,
    ) -> Option<Self> {
        let (watch, warm_up) = (policy.watch(), policy.settings(metric).warm_up);
        let cadence = watch.cadence.as_millis().max(1);
        let ticks_of = |time: Span| time.as_millis().div_ceil(cadence).max(1);
        let lasts = policy.gate_after(phase);
        let least = ticks_of(lasts);
        if least > MOST_TICKS {
            return None;
        }
        let ticks = |number: u64| usize::try_from(number).ok();
        let mut watching = Self {
            metric,
            phase,
            rate: bad_rate(metric)?,
            policy,
            traffic,
            ticks: Vec::with_capacity(ticks(least)?),
            lasts,
            least: ticks(least)?,
            warm: ticks(ticks_of(warm_up) - 1)?,
            counted: [0.0; 2],
            window: ticks(ticks_of(watch.window))?,
            apart: ticks(ticks_of(watch.reads_every()))?,
            gate: None,
            calm: None,
            cadence: watch.cadence.as_seconds(),
            limits: Vec::new(),
        };
        // Of both arms, after each tick.
        let (mut sums, mut before) = (vec![[0.0; 2]], [0.0; 2]);
        for tick in 1..=watching.least {
            let now = watching.totals(Span::from_millis(cadence.saturating_mul(tick as u64)))?;
            let is_counted = tick > watching.warm;
            let came = if is_counted { less(now, before) } else { [0.0; 2] };
            before = now;
            let sum = sums[tick - 1];
            sums.push([sum[0] + came[0], sum[1] + came[1]]);
            let tick = watching.tick(came, &sums);
            watching.ticks.push(tick);
        }
        watching.end(&sums);
        Some(watching)
    }

    /// Whether chances are approximate, because something is left out or averaged that is not about windows
    /// which overlap ([`Crossing::about`]) or evidence (`unless_unconfirmed`, and all of a test).
    fn leaves_out(&self) -> bool {
        // What the live arm happens to do can move a limit.
        let on_live = self.phase.share < Share::ALL && self.metric.compares_live();
        // Readings around a change of traffic.
        let on_change = self.metric.kind.has_exposure() && self.metric.scaled;
        // Of a phase that only holds, what comes after `watch` makes it forget the first of it.
        let forgets = self.lasts > self.phase.watch && self.phase.criteria_missed == Response::Hold;
        // A gate is judged with exactly the planned requests, and as if it never waited for trials.
        let steps = self.gate.is_some_and(Limit::varies);
        let waits = self.calm.is_some_and(|calm| calm.unasked > WAITS);
        on_live || on_change || forgets || steps || waits
    }

    /// What both arms have had a time after the phase began, were everything counted.
    fn totals(&self, at: Span) -> Option<[f64; 2]> {
        let share = self.phase.share;
        match self.metric.kind.data() {
            Data::Trials => {
                let traffic = self.traffic?;
                let canary = trials(traffic, share, at);
                Some([canary, trials(traffic, Share::ALL, at) - canary])
            }
            Data::Exposure => {
                let seconds = at.as_seconds();
                let scale = if self.metric.scaled { share.as_fraction() } else { 1.0 };
                let rest = if self.metric.scaled { 1.0 - scale } else { 1.0 };
                Some([seconds * scale, if share == Share::ALL { 0.0 } else { seconds * rest }])
            }
            Data::Buckets | Data::Level => None,
        }
    }

    /// What a tick brings, and what is asked at its end. `sums`: what has come by the end of each so far.
    fn tick(&mut self, [canary, live]: [f64; 2], sums: &[[f64; 2]]) -> Tick {
        let (metric, rate, watch) = (self.metric, self.rate, self.policy.watch());
        let drawn = |trials| draw(metric, trials, rate);
        let (draw, live) = (drawn(canary), drawn(live));
        let look = Evaluation { draw, live, stays: None, beside: None, hopeful: None };
        let mut tick = Tick { look, unconfirmed: None };
        if sums.len() - 1 <= self.warm {
            return tick;
        }
        tick.look.hopeful = self.hopeful(sums);
        if !self.is_asked(sums) {
            return tick;
        }
        let window = last(sums, self.window);
        let alert = metric.bounds.alert.filter(|_| watch.alert == Response::RollBack);
        let acts = [metric.bounds.rollback, alert];
        let is_beside = |bound: &Bound| window[1] > 0.0 && bound.is_on_live();
        let own = acts.map(|bound| bound.filter(|of| !is_beside(of)));
        tick.look.stays = self.strictest(&own, window, watch.least_trials);
        tick.unconfirmed = self.strictest(&[alert], window, watch.least_trials);
        let besides = acts.into_iter().flatten().filter(is_beside);
        let besides = besides.filter_map(|bound| self.beside(bound, window));
        // The one that is reached first.
        let expected = drawn(window[1]).mean();
        let most = |of: &Beside| of.fixed + of.each * expected;
        tick.look.beside = besides.min_by(|one, two| most(one).total_cmp(&most(two)));
        tick
    }

    /// Whether the windows at the end of this tick are asked, if the canary has the least trials: chance
    /// decides that.
    fn is_asked(&self, sums: &[[f64; 2]]) -> bool {
        if self.metric.kind.has_exposure() {
            return sums.len() > self.window;
        }
        let live = last(sums, self.window)[1];
        !(self.metric.compares_live() && live > 0.0) || live >= self.policy.watch().least_trials
    }

    /// Sets what is asked at the gate.
    fn end(&mut self, sums: &[[f64; 2]]) {
        let least = self.policy.watch().least_trials;
        let window = last(sums, self.window);
        self.counted = sums[self.least];
        self.gate = self.met();
        if self.is_asked(sums) && (self.metric.kind.has_exposure() || window[0] >= least) {
            let Bounds { alert, rollback, .. } = self.metric.bounds;
            let calm = self.strictest(&[alert, rollback], window, least);
            self.calm = Some(calm.unwrap_or(Limit::certain(usize::MAX)));
        }
    }

    /// Most bad events in the phase with which its success bound can still be met, if the release
    /// is rolled back immediately beyond it.
    fn hopeful(&self, sums: &[[f64; 2]]) -> Option<usize> {
        let (phase, tick) = (self.phase, sums.len() - 1);
        let until = match phase.criteria_missed {
            Response::Hold if phase.inconclusive == Response::RollBack => phase.watch_most?,
            Response::RollBack => phase.watch,
            _ => return None,
        };
        let left = until.as_seconds() - tick as f64 * self.cadence;
        let bound = self.metric.bounds.success?;
        if left <= 0.0 {
            return None;
        }
        let (seen, learned) = (sums[tick][0], (tick - self.warm) as f64 * self.cadence);
        let traffic = self.traffic.filter(|_| self.metric.kind.is_fraction());
        let planned = traffic.map_or(0.0, |t| t / 60.0 * phase.share.as_fraction() * left);
        let rest = MOST_TRAFFIC * (seen / learned * left).max(planned);
        most_within(self.metric, figure(self.metric, bound)?, seen + rest)
    }

    /// The strictest limit of these bounds in a window. They are listed first: of absent ones the compiler
    /// compares what is not there, which valgrind reports.
    fn strictest(
        &mut self,
        bounds: &[Option<Bound>],
        [canary, live]: [f64; 2],
        least: f64,
    ) -> Option<Limit> {
        let bounds = bounds.iter().flatten();
        let figures: Vec<f64> = bounds.filter_map(|bound| self.figure(*bound, live)).collect();
        let limits = figures.into_iter().filter_map(|figure| {
            let key = [figure, canary, least];
            if let Some((_, limit)) = self.limits.iter().find(|(known, _)| *known == key) {
                return *limit;
            }
            let limit = healthy::limit(self.metric, figure, canary, least);
            if self.limits.len() >= MOST_LIMITS {
                self.limits.remove(0);
            }
            self.limits.push((key, limit));
            limit
        });
        limits.min_by_key(|limit| limit.most)
    }

    /// Most bad events in the phase with which the gate is met; none with too few trials.
    fn met(&mut self) -> Option<Limit> {
        let least = self.policy.watch().least_trials;
        if !self.metric.kind.has_exposure() && self.counted[0] < least {
            return None;
        }
        let Bounds { success, alert, rollback, .. } = self.metric.bounds;
        let is_judged = self.phase.criteria_missed != Response::Continue;
        let bounds = [success, alert, rollback].map(|bound| bound.filter(|_| is_judged));
        let met = self.strictest(&bounds, self.counted, 0.0);
        Some(met.unwrap_or(Limit::certain(usize::MAX)))
    }

    /// The figure of a bound beside so many trials of the live arm; none where that keeps it from
    /// acting.
    fn figure(&self, bound: Bound, live: f64) -> Option<f64> {
        let figure = bound_figure(self.metric, bound, None)?;
        // A live arm beyond the bound keeps it from acting; at the record it is or is not.
        if bound.unless_both_arms
            && live > 0.0
            && self.metric.worse.is_beyond(self.metric.reference?, figure)
        {
            return None;
        }
        Some(figure)
    }

    /// A bound that is a ratio of the live version, among so many trials of both arms.
    fn beside(&self, bound: Bound, [canary, live]: [f64; 2]) -> Option<Beside> {
        let (worse, counted) = (self.metric.worse, self.metric.kind.has_exposure());
        // Bad events of the canary within the bound where this part of the live version's trials is bad; of events, so
        // many a second.
        let within = |part: f64| {
            let level = if counted { part * 60.0 } else { worse.bad(part, 1.0) };
            let figure = bound_figure(self.metric, bound, Some(Judged::exactly(level)))?;
            Some(canary * if counted { figure / 60.0 } else { worse.bad(figure, 1.0) })
        };
        let fixed = within(0.0)?;
        let each = (within(1.0)? - fixed) / live;
        let least = self.policy.watch().least_trials;
        let enough = |trials: f64| if counted { 1.0 } else { 1.0 - Draw::fewer(trials, least) };
        let unasked = 1.0 - enough(canary) * enough(live);
        (canary > 0.0).then_some(Beside { fixed, each, unasked, drawn: !counted })
    }

    /// Trials of the canary until the gate; for a count, seconds of exposure.
    pub(super) const fn trials(&self) -> f64 {
        self.counted[0]
    }

    /// Bad events that are to be expected of a healthy canary until the gate.
    pub(super) fn expected(&self) -> f64 {
        draw(self.metric, self.trials(), self.rate).mean()
    }

    /// Most bad events with which the gate is met; none where none are too many, or it is not
    /// asked.
    pub(super) fn allowed(&self) -> Option<usize> {
        self.gate.map(|gate| gate.most).filter(|most| *most < usize::MAX)
    }

    /// Whether the gate waits for trials, whatever they bring.
    pub(super) const fn waits(&self) -> bool {
        self.gate.is_none() || self.calm.is_none()
    }

    /// What becomes of a canary with so many times the record's rate of bad events.
    pub(super) fn course(&self, ratio: f64) -> Crossing {
        let looks = self.looks(ratio);
        let mut course = self.bands(&looks).course();
        course.about |= self.unless_unconfirmed(&mut course, &looks, ratio) || self.leaves_out();
        course
    }

    /// A rollback bound of both arms waits for evidence that the canary is worse, where a test gives it.
    /// No more are rolled back than come to such evidence; who breaches the bound without it is held.
    /// Whether that changes anything.
    fn unless_unconfirmed(&self, course: &mut Crossing, looks: &[Evaluation], ratio: f64) -> bool {
        let waits = self.metric.bounds.rollback.is_some_and(|bound| bound.unless_both_arms);
        let breached = course.kept.last().is_some_and(|kept| *kept < 1.0 - CLOSE);
        if !(waits && breached && self.metric.is_tested()) {
            return false;
        }
        let Some(test) = Test::confirming(self.policy, self) else { return false };
        let Some(confirmed) = test.decided(ratio) else { return false };
        let calm = |(look, tick): (&Evaluation, &Tick)| Evaluation {
            stays: tick.unconfirmed,
            beside: None,
            ..*look
        };
        let looks: Vec<Evaluation> = looks.iter().zip(&self.ticks).map(calm).collect();
        let without = self.bands(&looks).course();
        for ((kept, confirmed), without) in
            course.kept.iter_mut().zip(&confirmed).zip(&without.kept)
        {
            *kept = larger(*kept, without * (1.0 - confirmed));
        }
        let lacks = 1.0 - confirmed.last().copied().unwrap_or(0.0);
        course.gone = smaller(course.gone, 1.0 - (1.0 - without.gone) * lacks);
        let passes = 0.5 * (without.passes * lacks + smaller(without.passes, lacks));
        course.passes = larger(course.passes, passes);
        true
    }

    fn bands<'b>(&self, looks: &'b [Evaluation]) -> Bands<'b> {
        Bands {
            looks,
            window: self.window,
            apart: self.apart,
            in_a_row: whole(self.policy.watch().consecutive_breaches),
            gate: self.gate.map(|gate| gate.most),
            calm: self.calm.map(|calm| calm.most),
            miss_goes_back: self.phase.criteria_missed == Response::RollBack,
        }
    }

    fn looks(&self, ratio: f64) -> Vec<Evaluation> {
        let looks = self.ticks.iter().map(|tick| &tick.look);
        looks.map(|look| Evaluation { draw: look.draw.times(ratio), ..*look }).collect()
    }

    /// The canary's share of what both arms are exposed to, and of both together so much a minute:
    /// trials, or events.
    pub(super) fn exposure(&self) -> (f64, f64) {
        let ([canary, live], minutes) = (self.counted, self.minutes_counted());
        let both = canary + live;
        if both > 0.0 && minutes > 0.0 { (canary / both, both / minutes) } else { (0.0, 0.0) }
    }

    pub(super) fn minutes_counted(&self) -> f64 {
        self.least.saturating_sub(self.warm) as f64 * self.cadence / 60.0
    }
}

/// What came in the last so many ticks.
fn last(sums: &[[f64; 2]], ticks: usize) -> [f64; 2] {
    let now = sums.len() - 1;
    less(sums[now], sums[now.saturating_sub(ticks)])
}

fn less(all: [f64; 2], part: [f64; 2]) -> [f64; 2] {
    [all[0] - part[0], all[1] - part[1]]
}

/// Chance that a release as good as the record is not rolled back by this bound in the least time of a
/// phase: at no tick has the trailing window been beyond it as often in a row as the policy asks for.
/// None where that cannot be followed.
pub(crate) fn kept_by_rollback(
    policy: &Policy,
    traffic: Option<f64>,
    metric: &Metric,
    bound: Bound,
    phase: &Phase,
) -> Option<f64> {
    let bounds = Bounds { rollback: Some(bound), ..Bounds::default() };
    let alone = Metric { bounds, ..metric.clone() };
    Watching::of(policy, traffic, &alone, phase)?.course(1.0).kept.last().copied()
}

/// Chance that a release as good as the record passes the gate in the least time. With exactly the planned
/// requests it may do so more often: a gate whose last window has fewer than the least trials waits, and a
/// bound may be at the step of one bad event.
pub(crate) fn passes_in_time(plan: &Plan, metric: &Metric, phase: &Phase) -> Option<f64> {
    let watching = Watching::try_new(plan, metric, phase)?;
    let (gate, calm) = (watching.gate?, watching.calm?);
    let all = draw(metric, watching.trials(), watching.rate);
    let steps = gate.mean(|most| all.at_most(most)) / all.at_most(gate.most);
    Some(watching.course(1.0).passes * steps * (1.0 - calm.unasked))
}

/// The record's rate of bad events; none where it is not above 0.
pub(super) fn bad_rate(metric: &Metric) -> Option<f64> {
    healthy::bad_rate(metric).filter(|rate| *rate > 0.0 && rate.is_finite())
}

pub(super) fn minutes_of(span: Span) -> f64 {
    span.as_seconds() / 60.0
}
