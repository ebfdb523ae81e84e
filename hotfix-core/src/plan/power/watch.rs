//! One metric in one phase as the judge watches it: ticks, windows, limits.

use crate::grade::{BoundBase, Response, Worse};
use crate::metric::{Judged, bound_figure};
use crate::metric_kind::Data;
use crate::plan::Plan;
use crate::plan::healthy::{figure, trials};
use crate::policy::Policy;
use crate::policy::section::{Bound, BoundValue, Bounds, Metric, Phase};
use crate::stats::numeric::{larger, smaller, sum, whole};
use crate::stats::planning::bands::{Bands, Beside, CLOSE, Crossing, Evaluation};
use crate::stats::planning::chances::{Draw, Limit};
use crate::unit::{Share, Span};

use super::test::Test;

/// Half again as much traffic as planned is reckoned with before a bound is given up
/// (`docs/decisions/forecast.md`).
const MOST_TRAFFIC: f64 = 1.5;
/// Most ticks of one phase that are followed.
pub(super) const MOST_TICKS: u64 = 20_000;
/// Limits that are kept: windows that are full have about as many trials, in a few roundings.
const MOST_LIMITS: usize = 16;

/// What one tick brings at most, and what is asked of it.
#[derive(Clone, Copy, Debug, Default)]
struct Tick {
    /// Trials, or seconds of exposure, of the canary and of the live arm.
    canary: f64,
    live: f64,
    counted: bool,
    stays: Option<Limit>,
    /// The same while no evidence confirms the rollback bound.
    unconfirmed: Option<Limit>,
    /// Bounds that roll back and are compared with the live version: the one that is reached first.
    beside: Option<Beside>,
    hopeful: Option<usize>,
    /// Most in what counts of the phase with which the gate would be met here: its last `watch`.
    met: Option<Limit>,
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
    /// The same in ticks; further ones are for `watch_most`.
    pub(super) least: usize,
    window: usize,
    /// Ticks between two readings.
    apart: usize,
    in_a_row: usize,
    gate: Option<Limit>,
    calm: Option<Limit>,
    /// Limits hang on the live arm, or readings around a change of traffic are left out.
    pub(super) about: bool,
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
        let most = phase.watch_most.map_or(least, ticks_of).max(least);
        if most > MOST_TICKS {
            return None;
        }
        let (least, most) = (usize::try_from(least).ok()?, usize::try_from(most).ok()?);
        let (slots, apart) = (ticks_of(watch.window), ticks_of(watch.reads_every()));
        let mut watching = Self {
            metric,
            phase,
            rate: bad_rate(metric)?,
            policy,
            traffic,
            ticks: Vec::with_capacity(most),
            lasts,
            least,
            window: usize::try_from(slots).ok()?,
            apart: usize::try_from(apart).ok()?,
            in_a_row: whole(watch.consecutive_breaches),
            gate: None,
            calm: None,
            // Of a phase that only holds, what comes after `watch` makes it forget the first of it.
            about: (metric.kind.has_exposure() && metric.scaled)
                || (lasts > phase.watch && phase.criteria_missed == Response::Hold),
            cadence: watch.cadence.as_seconds(),
            limits: Vec::new(),
        };
        // Totals of both arms after each tick, warm-up included and left out.
        let mut sums = vec![(0.0, 0.0)];
        let (mut before, mut learned) = ((0.0, 0.0), 0.0);
        for tick in 1..=most {
            let at = Span::from_millis(cadence.saturating_mul(tick as u64));
            let now = watching.totals(at)?;
            let counted = at >= warm_up;
            let (canary, live) = (now.0 - before.0, now.1 - before.1);
            before = now;
            let sum = sums.last().copied().unwrap_or_default();
            sums.push(if counted { (sum.0 + canary, sum.1 + live) } else { sum });
            if counted {
                learned += watching.cadence;
            }
            watching.ticks.push(Tick { canary, live, counted, ..Tick::default() });
            watching.limit(at, &sums, learned);
        }
        // What the live arm happens to do can move a limit.
        let Bounds { success, alert, rollback, .. } = metric.bounds;
        let mut bounds = [success, alert, rollback].into_iter().flatten();
        watching.about |= phase.share < Share::ALL
            && bounds.any(|bound| bound.unless_both_arms || is_on_live(bound));
        Some(watching)
    }

    /// What both arms have had a time after the phase began, were everything counted.
    fn totals(&self, at: Span) -> Option<(f64, f64)> {
        let share = self.phase.share;
        match self.metric.kind.data() {
            Data::Trials => {
                let traffic = self.traffic?;
                let canary = trials(traffic, share, at);
                Some((canary, trials(traffic, Share::ALL, at) - canary))
            }
            Data::Exposure => {
                let seconds = at.as_seconds();
                let scale = if self.metric.scaled { share.as_fraction() } else { 1.0 };
                let rest = if self.metric.scaled { 1.0 - scale } else { 1.0 };
                Some((seconds * scale, if share == Share::ALL { 0.0 } else { seconds * rest }))
            }
            Data::Buckets | Data::Level => None,
        }
    }

    /// Sets the limits of the last tick, and at the gate those of the phase.
    fn limit(&mut self, at: Span, sums: &[(f64, f64)], learned: f64) {
        let watch = self.policy.watch();
        let tick = self.ticks.len();
        let (now, from) = (sums[tick], sums[tick.saturating_sub(self.window)]);
        let before = sums[tick.saturating_sub(self.least)];
        let (canary, live) = (now.0 - from.0, now.1 - from.1);
        let bounds = self.metric.bounds;
        let counted = self.metric.kind.has_exposure();
        let least = watch.least_trials;
        let compared = self.metric.compares_live() && live > 0.0;
        // Whether the canary has the least trials, chance decides.
        let asked = if counted { at >= watch.window } else { !compared || live >= least };
        let has_trials = asked && (counted || canary >= least);
        let acts = [bounds.rollback, bounds.alert.filter(|_| watch.alert == Response::RollBack)];
        let mut worst = |bounds: [Option<Bound>; 2]| self.strictest(&bounds, (canary, live), least);
        let well = worst([bounds.alert, bounds.rollback]);
        let stays =
            worst(acts.map(|bound| bound.filter(|bound| live <= 0.0 || !is_on_live(*bound))));
        let unconfirmed = worst([acts[1], None]);
        let besides = acts.into_iter().flatten().filter(|bound| live > 0.0 && is_on_live(*bound));
        let besides = besides.filter_map(|bound| self.beside(bound, canary, live));
        let besides: Vec<Beside> = besides.collect();
        let expected = draw(self.metric, live, self.rate).mean();
        let figure = |of: &Beside| of.fixed + of.each * expected;
        let beside = besides.into_iter().min_by(|one, two| figure(one).total_cmp(&figure(two)));
        let met = ((counted || now.0 >= least) && tick >= self.least)
            .then(|| self.met_limit(now.0 - before.0, now.1 - before.1));
        let hopeful = self.hopeful(at, now.0, learned);
        let Some(last) = self.ticks.last_mut() else { return };
        last.met = met;
        if last.counted && asked {
            *last = Tick { stays, unconfirmed, beside, ..*last };
        }
        last.hopeful = if last.counted { hopeful } else { None };
        if tick == self.least {
            self.gate = last.met;
            let well = well.filter(|_| last.counted);
            self.calm = has_trials.then(|| well.unwrap_or(Limit::certain(usize::MAX)));
        }
    }

    /// Most bad events in the phase with which its success bound can still be met, if the release
    /// is rolled back immediately beyond it.
    fn hopeful(&self, at: Span, seen: f64, learned: f64) -> Option<usize> {
        let phase = self.phase;
        let until = match phase.criteria_missed {
            Response::Hold if phase.inconclusive == Response::RollBack => phase.watch_most?,
            Response::RollBack => phase.watch,
            _ => return None,
        };
        let left = until.as_seconds() - at.as_seconds();
        let bound = self.metric.bounds.success?;
        if left <= 0.0 || learned <= 0.0 || is_on_live(bound) {
            return None;
        }
        let traffic = self.traffic.filter(|_| self.metric.kind.is_fraction());
        let planned = traffic.map_or(0.0, |t| t / 60.0 * phase.share.as_fraction() * left);
        let rest = MOST_TRAFFIC * (seen / learned * left).max(planned);
        most_within(self.metric, figure(self.metric, bound)?, seen + rest)
    }

    /// Most bad events that are not beyond a bound, as chance decides how many trials the canary has; with fewer than the
    /// least it is not asked. None where no number is.
    fn within(&mut self, bound: Bound, (canary, live): (f64, f64), least: f64) -> Option<Limit> {
        let figure = self.figure(bound, live)?;
        let key = [figure, canary, least];
        if let Some((_, limit)) = self.limits.iter().find(|(known, _)| *known == key) {
            return *limit;
        }
        let Metric { worse, kind, .. } = self.metric;
        let limit = most_within(self.metric, figure, canary).map(|most| {
            let drawn = || Limit::drawn(most, worse.bad(figure, 1.0), canary, least);
            if kind.is_fraction() { drawn() } else { Limit::certain(most) }
        });
        if self.limits.len() >= MOST_LIMITS {
            self.limits.remove(0);
        }
        self.limits.push((key, limit));
        limit
    }

    /// The strictest limit of these bounds. They are listed first: of absent ones the compiler compares
    /// what is not there, which valgrind reports.
    fn strictest(
        &mut self,
        bounds: &[Option<Bound>],
        trials: (f64, f64),
        least: f64,
    ) -> Option<Limit> {
        let bounds = bounds.iter().flatten();
        let limits: Vec<Limit> =
            bounds.filter_map(|bound| self.within(*bound, trials, least)).collect();
        limits.into_iter().min_by_key(|limit| limit.most)
    }

    /// Most bad events in the last `watch` of a phase with which the gate is met.
    fn met_limit(&mut self, canary: f64, live: f64) -> Limit {
        if self.phase.criteria_missed == Response::Continue {
            return Limit::certain(usize::MAX);
        }
        let Bounds { success, alert, rollback, .. } = self.metric.bounds;
        let Some(met) = self.strictest(&[success, alert, rollback], (canary, live), 0.0) else {
            return Limit::certain(usize::MAX);
        };
        // With exactly as many trials as planned: the documents state their bounds in such figures.
        self.about |= met.varies();
        Limit::certain(met.most)
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
    fn beside(&self, bound: Bound, canary: f64, live: f64) -> Option<Beside> {
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
    pub(super) fn trials(&self) -> f64 {
        sum(self.counted().map(|tick| tick.canary))
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

    fn counted(&self) -> impl Iterator<Item = &Tick> {
        self.ticks[..self.least].iter().filter(|tick| tick.counted)
    }

    /// What becomes of a canary with so many times the record's rate of bad events.
    pub(super) fn course(&self, ratio: f64) -> Crossing {
        let looks = self.looks(self.rate * ratio, self.least);
        let mut course = self.bands(&looks).course();
        course.about |= self.unless_unconfirmed(&mut course, &looks, ratio) || self.about;
        // A live arm that happens to be clearly beyond the bound, too, puts off the rollback of
        // what cannot meet it.
        let live = self.phase.share < Share::ALL;
        course.kept_about |=
            course.about || (live && looks.iter().any(|look| look.hopeful.is_some()));
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

    /// Chance of a healthy canary to pass by the longest time, where a miss only holds: at the gate or at any later
    /// look; none where there is no such time or it cannot be computed. `gone` is the chance of a
    /// rollback by the gate; alerts after it are left out.
    pub(super) fn passes_by_most(&self, gone: f64) -> Option<f64> {
        if self.ticks.len() <= self.least
            || self.waits()
            || self.phase.criteria_missed != Response::Hold
        {
            return None;
        }
        let looks = self.looks(self.rate, self.ticks.len());
        let limits = self.ticks[self.least - 1..].iter();
        let limits = limits.map(|tick| tick.met.map_or(usize::MAX, |met| met.most));
        let limits: Vec<usize> = limits.collect();
        Some(self.bands(&looks).passes_by_most(&limits) * (1.0 - gone))
    }

    fn bands<'b>(&self, looks: &'b [Evaluation]) -> Bands<'b> {
        Bands {
            looks,
            window: self.window,
            apart: self.apart,
            in_a_row: self.in_a_row,
            gate: self.gate,
            calm: self.calm,
            miss_goes_back: self.phase.criteria_missed == Response::RollBack,
        }
    }

    fn looks(&self, rate: f64, ticks: usize) -> Vec<Evaluation> {
        let look = |tick: &Tick| Evaluation {
            draw: self.drawn(tick, tick.canary, rate),
            live: self.drawn(tick, tick.live, self.rate),
            stays: tick.stays,
            beside: tick.beside,
            hopeful: tick.hopeful,
        };
        self.ticks[..ticks].iter().map(look).collect()
    }

    /// Nothing while warming up.
    fn drawn(&self, tick: &Tick, trials: f64, rate: f64) -> Draw {
        if tick.counted { draw(self.metric, trials, rate) } else { Draw::NOTHING }
    }

    /// The canary's share of what both arms are exposed to, and of both together so much a minute:
    /// trials, or events.
    pub(super) fn exposure(&self) -> (f64, f64) {
        let (canary, live) =
            self.counted().fold((0.0, 0.0), |(c, l), tick| (c + tick.canary, l + tick.live));
        let minutes = self.minutes_counted();
        let both = canary + live;
        if both > 0.0 && minutes > 0.0 { (canary / both, both / minutes) } else { (0.0, 0.0) }
    }

    pub(super) fn ticks_counted(&self) -> usize {
        self.counted().count()
    }

    pub(super) fn minutes_counted(&self) -> f64 {
        self.ticks_counted() as f64 * self.cadence / 60.0
    }
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

const fn is_on_live(bound: Bound) -> bool {
    matches!(bound.value, BoundValue::Relative(_, BoundBase::Live))
}

/// Bad events a trial, or a minute of exposure, of a release that is as good as the record; none
/// without a record above 0.
pub(super) fn bad_rate(metric: &Metric) -> Option<f64> {
    let record = metric.reference?;
    let rate = match metric.kind.data() {
        Data::Trials => metric.worse.bad(record, 1.0),
        Data::Exposure if metric.counts_bad_events() => record,
        Data::Exposure | Data::Buckets | Data::Level => return None,
    };
    (rate > 0.0 && rate.is_finite()).then_some(rate)
}

pub(super) fn minutes_of(span: Span) -> f64 {
    span.as_seconds() / 60.0
}

fn draw(metric: &Metric, trials: f64, rate: f64) -> Draw {
    if metric.kind.has_exposure() {
        Draw::Events { expected: rate * trials / 60.0 }
    } else {
        Draw::Trials { trials, rate: rate.min(1.0) }
    }
}

/// Most bad events among so many trials whose value is not beyond the figure, computed as the judge
/// computes it; none where no number is.
fn most_within(metric: &Metric, figure: f64, trials: f64) -> Option<usize> {
    let count = metric.kind.has_exposure();
    // Where values begin to be beyond it: of many trials, far more bad events than the figure has.
    let by = if metric.worse == Worse::Higher { Worse::LAST_BITS } else { -Worse::LAST_BITS };
    let edge = figure * (1.0 + by);
    let bad = if count { edge * trials / 60.0 } else { metric.worse.bad(edge, 1.0) * trials };
    let crosses = |bad: f64| {
        let value = metric.worse.bad(bad, trials) / trials;
        let value = if count { bad / trials * 60.0 } else { value };
        trials > 0.0 && metric.worse.is_beyond(value, figure)
    };
    if trials <= 0.0 || (!count && !crosses(trials)) {
        return None;
    }
    // Beyond 2^53 a number and the next are one, and the steps below would never end.
    if bad >= 9e15 {
        return None;
    }
    let mut most = bad.floor().max(0.0);
    while most > 0.0 && crosses(most) {
        most -= 1.0;
    }
    while (count || most < trials) && !crosses(most + 1.0) {
        most += 1.0;
    }
    Some(whole(most))
}
