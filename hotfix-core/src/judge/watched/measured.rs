//! What the bounds of a metric compare: sums over the trailing window, the phase and the rollout,
//! levels from before, and since when a bound is breached.

use educe::Educe;
use serde::{Deserialize, Serialize};

use crate::grade::{Role, Worse};
use crate::judge::aligned::Side;
use crate::judge::arm_checks::STRIKING;
use crate::judge::arm_totals::ArmTotals;
use crate::judge::bracket::{BASELINE, Bracket, CANARY};
use crate::judge::criterion::Criterion;
use crate::judge::degradation::Degradation;
use crate::judge::left_out::LeftOut;
use crate::judge::pre_deployment::PreDeployment;
use crate::judge::prepared::Increment;
use crate::judge::readings::Served;
use crate::judge::snapshot::{Misfit, both_or_neither};
use crate::judge::trailing::Trailing;
use crate::metric::{Judged, Reading, Tick, Window};
use crate::metric_kind::Data;
use crate::stats::numeric::ln;
use crate::unit::{Share, Span, Timestamp};

use super::{MetricDesign, Watched};

/// What the bounds compare; serialized as it is into a snapshot.
#[derive(Debug, Deserialize, Educe, PartialEq, Serialize)]
#[educe(Clone)]
pub(super) struct Measured {
    pub(super) window: Window,
    /// The part of the phase that counts at its end, where that is not all of it.
    pub(super) criterion: Option<Box<Criterion>>,
    pub(super) totals: ArmTotals,
    pub(super) degradation: Degradation,
    /// The live version before the deployment, where no live arm is left after it.
    pub(super) pre_deployment: PreDeployment,
    /// The live version's value in the last window with enough data; of a metric with a bound relative to it.
    pub(super) last_live: Option<f64>,
    /// The canary's columns when a person was last asked about this metric because nothing judges it.
    pub(super) seen: Option<Box<[f64]>>,
    /// The canary's columns when a person was asked because they are worse than `seen`, until the answer.
    pub(super) seen_worse: Option<Box<[f64]>>,
    /// The earlier level with which a volume without a live arm is compared.
    pub(super) trailing: Option<Box<Trailing>>,
    /// Counts of the canary's instances, for bounds without each one of them.
    pub(super) left_out: Option<Box<LeftOut>>,
}

impl Measured {
    pub(super) fn new(design: &MetricDesign, pre_deployment: PreDeployment) -> Self {
        let MetricDesign { metric, watch, layout, .. } = design;
        let window = Window::new(watch.window, watch.cadence, 2 * layout.columns());
        Self {
            window: if metric.kind.is_fraction() { window.timed() } else { window },
            criterion: None,
            totals: ArmTotals::new(layout.columns()),
            degradation: Degradation::default(),
            pre_deployment,
            last_live: None,
            seen: None,
            seen_worse: None,
            trailing: Trailing::of(metric, watch),
            left_out: LeftOut::of(metric),
        }
    }

    /// Empties all sums, which have other columns since a latency reading has set the buckets.
    pub(super) fn settle_columns(&mut self, MetricDesign { watch, layout, .. }: &MetricDesign) {
        let columns = layout.columns();
        self.window = Window::new(watch.window, watch.cadence, 2 * columns);
        if let Some(criterion) = &mut self.criterion {
            criterion.set_width(2 * columns);
        }
        self.totals = ArmTotals::new(columns);
        self.pre_deployment.clear();
    }

    /// Begins the phase's watch. `criterion`: as in [`Watched::start`].
    pub(super) fn start(&mut self, design: &MetricDesign, criterion: Option<Span>) {
        let MetricDesign { metric, layout, .. } = design;
        self.window.clear();
        let judged = metric.role == Role::Decide && metric.bounds.all().next().is_some();
        let new = |span| Box::new(Criterion::new(span, 2 * layout.columns()));
        self.criterion = criterion.filter(|_| judged).map(new);
        if let Some(left_out) = &mut self.left_out {
            left_out.clear();
        }
        self.degradation = Degradation::default();
        self.totals.start();
    }

    /// Without a live arm, fills the tick's baseline with a row from before the deployment. Counters that
    /// are still sent after the live version has lost its traffic, and do not change, are not a live arm.
    pub(super) fn compare_with_before(&mut self, design: &MetricDesign, tick: &mut Tick) {
        if !self.pre_deployment.applies() {
            return;
        }
        let live = &tick.row[design.layout.columns()..];
        let is_live = tick.baseline && live.iter().any(|value| *value > 0.0);
        if tick.canary && !is_live && design.is_reading(tick, 0) {
            let live = &mut tick.row[design.layout.columns()..];
            tick.baseline = self.pre_deployment.take(live);
        }
    }

    /// Takes over from the attempt before (`of`) what its live version had before the deployment.
    /// `is_deployed`: its release still has traffic, so that a rollback is to that level.
    pub(super) fn keep_live(&mut self, of: &Self, is_deployed: bool) {
        self.pre_deployment.keep(&of.pre_deployment);
        self.trailing.clone_from(&of.trailing);
        if is_deployed {
            self.totals.level.clone_from(&of.totals.level);
        }
    }

    /// Adds a tick to the sums over window and phase.
    pub(super) fn learn(
        &mut self,
        design: &MetricDesign,
        tick: &Tick,
        at: Timestamp,
        reading: &Reading,
    ) {
        if let Some(criterion) = &mut self.criterion {
            criterion.learn(at, self.window.phase());
        }
        self.add(tick, at);
        if let Some(left_out) = &mut self.left_out {
            left_out.learn(tick, at, reading, &design.watch, self.criterion.as_deref());
        }
    }

    /// Adds a tick to the window.
    pub(super) fn add(&mut self, tick: &Tick, at: Timestamp) {
        self.window.add_timed(at, &tick.row, tick.seconds);
    }

    /// Drops what is too old at this time, but for the newest reading where it `stays`.
    #[inline]
    pub(super) fn expire(&mut self, at: Timestamp, stays: impl FnOnce() -> bool) {
        self.window.expire(at, stays);
        if let Some(criterion) = &mut self.criterion {
            criterion.expire(at, self.window.phase());
        }
        if let Some(left_out) = &mut self.left_out {
            left_out.expire(at);
        }
    }

    /// Adds counts of both arms to what they had in the phase.
    pub(super) fn add_to_phase(
        &mut self,
        increment: &Increment,
        bracket: Option<&Bracket>,
        compares: [bool; 2],
    ) {
        let in_strata = !increment.tick.strata.is_empty();
        for side in Side::BOTH {
            if compares[side as usize] {
                let pooled = bracket.map(|bracket| bracket.batch(side).counts.as_slice());
                self.totals.add_to_phase(side, pooled.unwrap_or(&increment.counts), in_strata);
            }
        }
    }

    pub(super) fn resume(&mut self, read: Self, design: &MetricDesign) -> Result<(), Misfit> {
        let fits = |fits: bool, misfit: Misfit| if fits { Ok(()) } else { Err(misfit) };
        let columns = design.layout.columns();
        let Self { mut window, mut pre_deployment, mut trailing, mut left_out, .. } = self.clone();
        fits(window.resume(read.window), "a metric's window")?;
        let misfit = "what a person saw of a metric";
        let is_seen =
            |seen: &Option<Box<[f64]>>| seen.as_ref().is_none_or(|seen| seen.len() == columns);
        fits(is_seen(&read.seen) && is_seen(&read.seen_worse), misfit)?;
        let criterion = read.criterion.map(|read| {
            read.of_width(2 * columns).ok_or("what counts of a metric at the end of the phase")
        });
        let criterion = criterion.transpose()?.map(Box::new);
        fits(read.totals.fits(columns), "a metric's totals")?;
        let misfit = "a metric's readings before the deployment";
        fits(pre_deployment.resume(read.pre_deployment, columns), misfit)?;
        let misfit = "a metric's trailing level";
        both_or_neither(&mut trailing, read.trailing, misfit, |fresh, read| {
            fits(fresh.resume(*read), misfit)
        })?;
        let misfit = "the windows of a metric's instances";
        both_or_neither(&mut left_out, read.left_out, misfit, |fresh, read| {
            fits(fresh.resume(*read, &design.watch, criterion.as_deref()), misfit)
        })?;
        *self = Self { window, criterion, pre_deployment, trailing, left_out, ..read };
        Ok(())
    }
}

// Requests, and their absence.
impl Watched {
    /// Requests of the whole service in the present watch.
    pub(super) fn served(&self) -> Served {
        let (canary, live) = self.window().phase().split_at(self.columns());
        let seconds = self.readings().learned.as_seconds();
        let of = |arm: &[f64]| {
            let level = || if arm[1] > 0.0 { arm[0] / arm[1] / 60.0 * seconds } else { 0.0 };
            self.trials(arm).unwrap_or_else(level)
        };
        // Readings from before the start are of another time.
        let live = if self.pre_deployment().applies() { 0.0 } else { of(live) };
        Served { requests: of(canary) + live, seconds }
    }

    /// Records which arms have no request in the reading of this time, at this share of the canary.
    #[inline]
    pub(in crate::judge) fn miss_requests(&mut self, at: Timestamp, share: Share) {
        let idle = self.readings().idle(at);
        if idle != [false; 2] {
            self.lack_requests(idle, at, share);
        }
    }

    #[cold]
    fn lack_requests(&mut self, idle: [bool; 2], at: Timestamp, share: Share) {
        if !self.metric().kind.shows_requests() {
            return;
        }
        let served = self.served().and(self.readings().served);
        let Self { design, pairing, .. } = self;
        let requests = &mut pairing.readings.requests;
        // Both arms are scraped at the same interval, which a new canary does not show yet.
        let from = (pairing.began, requests[CANARY].apart().max(requests[BASELINE].apart()));
        let arms = requests.iter_mut().zip([share, share.rest()]);
        for ((requests, share), _) in arms.zip(idle).filter(|(_, idle)| *idle) {
            let expected = |silent| share.as_fraction() * served.expected(silent);
            requests.stay_away(at, from, &design.watch, expected);
        }
        if idle[CANARY] && self.stopped_since(CANARY).is_some() {
            // No request has come for too long: the last reading covers nothing.
            let readings = &mut self.pairing.readings;
            (readings.covered, readings.step) = (readings.covered - readings.step, Span::ZERO);
        }
    }

    /// Since when the canary has had no request, if its last reading has none.
    pub(in crate::judge) fn without_requests_since(&self) -> Option<Timestamp> {
        let (readings, shows) = (self.readings(), self.metric().kind.shows_requests());
        readings.seen_at.filter(|at| shows && readings.idle(*at)[CANARY])?;
        readings.requests[CANARY].last(self.began())
    }

    /// Whether the traffic of the metric's arms can show that they are swapped.
    #[inline]
    pub(in crate::judge) fn shows_swapped_arms(&self) -> bool {
        let metric = self.metric();
        metric.role == Role::Decide && metric.kind.shows_requests()
    }

    /// Whether the fix has at least twice its share of a volume over a whole window, by more than chance: no
    /// bound on a lack of traffic sees that.
    pub(in crate::judge) fn exceeds_share(&self, share: Share) -> bool {
        let metric = self.metric();
        if !self.shows_swapped_arms()
            || !metric.kind.is_traffic()
            || !metric.scaled
            || metric.worse != Worse::Lower
            || self.readings().covered < self.watch().window
        {
            return false;
        }
        let (canary, live) = self.window().sums().split_at(self.columns());
        let minutes = self.watch().window.as_seconds() / 60.0;
        let [seen, planned] = [(canary, share), (live, share.rest())].map(|(arm, of)| {
            let full = self.value(arm, of.as_fraction()).and_then(Judged::finite).unwrap_or(0.0);
            full * share.as_fraction() * minutes
        });
        planned > 0.0
            && seen >= 2.0 * planned
            && seen * ln(seen / planned) - (seen - planned) >= STRIKING
    }

    /// Trials of both arms in a tick.
    #[inline]
    pub(in crate::judge) fn trials_of(&self, tick: &Tick) -> [f64; 2] {
        self.design.trials_of(tick)
    }

    /// Since when an arm has had no request, although its share of the traffic would have brought some.
    #[inline]
    pub(crate) fn stopped_since(&self, arm: usize) -> Option<Timestamp> {
        self.readings().requests[arm].stopped_since(self.began())
    }
}

// The live version without traffic on the fix, and after it.
impl Watched {
    /// Takes over from the attempt before (`of`) what its live version had before the deployment.
    /// `is_deployed`: its release still has traffic.
    pub(in crate::judge) fn keep_live(&mut self, of: &Self, is_deployed: bool) {
        let keeps_rows = of.pre_deployment().applies() || is_deployed;
        if keeps_rows && self.design.lacks_layout() && !of.design.lacks_layout() {
            self.settle_layout(of.design.layout.clone());
        }
        self.measured.keep_live(&of.measured, is_deployed);
    }

    /// Adds only the live arm to the window, and keeps it for another attempt. `since`: when it got the
    /// traffic back; a count or total that began earlier is left out, because it covers time without traffic.
    pub(in crate::judge) fn learn_baseline(
        &mut self,
        tick: &mut Tick,
        at: Timestamp,
        since: Option<Timestamp>,
    ) {
        let seconds = match self.design.metric.kind.data() {
            Data::Exposure => tick.row[self.design.layout.columns() + 1],
            Data::Level | Data::Trials if tick.totals => tick.seconds[BASELINE],
            Data::Level | Data::Trials | Data::Buckets => 0.0,
        };
        if since.is_some_and(|since| seconds > at.since(since).as_seconds()) {
            return;
        }
        if tick.baseline && self.design.is_reading(tick, 1) {
            self.measured.pre_deployment.add(&tick.row[self.design.layout.columns()..]);
        }
        tick.row[..self.design.layout.columns()].fill(0.0);
        self.measured.add(tick, at);
    }

    /// Keeps the canary's columns when a person is asked, if nothing judges the metric and it was
    /// read. `is_worse`: the question is that it is worse than `seen`, which stays until the answer.
    pub(in crate::judge) fn note_seen(&mut self, is_not_judged: bool, is_worse: bool) {
        let now = &self.measured.window.sums()[..self.design.layout.columns()];
        let is_read = is_not_judged && self.value(now, 1.0).is_some();
        let now = is_read.then(|| now.into());
        if is_worse {
            self.measured.seen_worse = now;
        } else {
            (self.measured.seen, self.measured.seen_worse) = (now, None);
        }
    }

    /// Records a person's answer: what the open question showed is what they saw last (`seen`).
    pub(in crate::judge) fn note_answer(&mut self) {
        let Measured { seen, seen_worse, .. } = &mut self.measured;
        *seen = seen_worse.take().or(seen.take());
    }

    /// The canary's columns when a person was last asked about the metric; None if that never was.
    pub(in crate::judge) fn seen(&self) -> Option<&[f64]> {
        self.measured.seen.as_deref()
    }

    /// The live version's value in the last window with enough data; None without a bound relative to it.
    pub(in crate::judge) fn last_live(&self) -> Option<Judged> {
        self.measured.last_live.map(Judged::exactly)
    }
}
