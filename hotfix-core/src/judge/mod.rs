//! The judge, which combines bands and sequential tests into one [`Verdict`].
//!
//! A rollout has a [`Judge`] and passes observations to it; callers read its verdict with
//! [`Rollout::verdict`](crate::rollout::Rollout::verdict), and what explains it: [`Why`], [`Harm`],
//! [`Forecast`], [`Comparison`].
//!
//! An observation is processed in two steps, so that a refused one changes nothing:
//! [`Judge::prepare`] checks it and computes what it adds, [`Judge::take`] updates the state.
//! [`Judge::assess`] then gives the verdict.

mod aligned;
mod arm_checks;
mod arm_totals;
mod assess;
mod bracket;
mod bursts;
mod call;
mod combine;
mod counterfactual;
mod covered;
mod criterion;
mod cured;
mod degradation;
mod drawing;
mod evidence;
mod evidence_basis;
mod explanation;
mod fed;
mod fix_test;
mod forecast;
mod format;
mod futility;
mod gate;
mod harm;
mod instance_set;
mod instances;
mod left_out;
mod metric_tests;
mod phase_end;
mod pre_deployment;
mod prepared;
mod readings;
mod recovery;
mod settling;
mod snapshot;
mod strata;
mod table;
mod test;
mod trailing;
mod unconfirmed;
mod value;
mod verdict;
mod watched;
mod why;

pub use assess::{Moment, Running};
pub use evidence::{ArmIntervals, MetricEvidence};
pub use evidence_basis::Guarantee;
pub use forecast::{BoundForecast, Forecast, MetricForecast, TestForecast};
pub use harm::{Harm, MetricHarm, Version, VersionImpact};
pub use prepared::Prepared;
pub use table::{Cell, Comparison, ComparisonRow, PhaseColumn};
pub use verdict::{Against, Cause, Decision, Efficacy, MetricVerdict, Reason, Verdict};
pub use why::{
    AppliedRule, ArmReading, Arms, BoundKind, Counterfactual, MetricWhy, NoCounterfactual, Rule,
    Stretch, Why,
};

use educe::Educe;

use crate::grade::Role;
use crate::metric::Unused;
use crate::plan::Plan;
use crate::policy::section::Watch;
use crate::stats::StatError;
use crate::stats::combine::Combination;
use crate::stats::numeric::ln;
use crate::stats::split::{SplitDesign, SplitSettings};
use crate::unit::{Share, Span, Timestamp};

pub(crate) use bracket::{BASELINE, CANARY};
pub(crate) use recovery::{Recovery, go_on, is_worse_than_seen, note_seen};
pub(crate) use snapshot::{JudgeRead, JudgeState};
pub(crate) use table::{EndedBy, PhaseRecord, is_unproven, values, waits_for_split, wrong_split};
pub(crate) use watched::{Watched, out_of_reach};

use arm_checks::{ArmChecks, Observed};
use criterion::Criterion;
use cured::traffic;
use drawing::Drawing;
use evidence_basis::EvidenceBasis;
use fix_test::FixTest;
use instances::Instances;
use phase_end::PhaseEnd;
use pre_deployment::PreDeployment;
use prepared::{Increment, Spare};
use test::Claim;
use unconfirmed::Unconfirmed;
use watched::MetricDesign;

/// All tests and windows of one rollout.
#[derive(Educe)]
#[educe(Clone, Debug, PartialEq)]
pub struct Judge {
    watched: Vec<Watched>,
    /// The tested, deciding metrics, by index; parallel to the combination's weights.
    tested: Vec<usize>,
    combination: Option<Combination>,
    threshold: f64,
    hold: f64,
    phase_end: Option<PhaseEnd>,
    fix_test: Option<FixTest>,
    /// By phase, length of its last part that success bounds are compared with; None for all of it.
    criteria: Vec<Option<Span>>,
    /// Index of a deciding volume, by which swapped arms are found where no metric has trials.
    volume: Option<usize>,
    split_design: SplitDesign,
    arms: ArmChecks,
    /// When the present watch, of a phase or of the rollback, began.
    since: Option<Timestamp>,
    /// When the canary's share changed last.
    moved: Option<Timestamp>,
    /// Requests of the canary before its traffic was confirmed.
    unconfirmed: Unconfirmed,
    /// A person has promoted a phase although the live version was never read.
    goes_without_live: bool,
    #[educe(Debug(ignore), PartialEq(ignore))]
    spare: Spare,
}

/// Use of an observation, depending on the state of the rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Traffic is as planned: check the arms, then bands and tests.
    Watch,
    /// Traffic is moving to another share: bands and tests are updated, but not the check of the
    /// split, nor metrics that are scaled by the share.
    Move,
    /// A rollback is due and the fix still has its traffic: readings are shown, and change neither
    /// bands nor tests.
    Show,
    /// The fix is being rolled back: only the live arm is read, and compared with its level before.
    Return,
    /// No user has the fix yet: only the live arm is read. Its level is the one that a rollback
    /// returns to, and the baseline of a strategy that moves all traffic at once.
    Level,
    /// The fix is being deployed, and no traffic on it is confirmed: as `Level`, and requests of
    /// the canary are traffic on the fix.
    Deploy,
    /// Recorded only.
    Ignore,
}

impl Judge {
    /// A judge for this plan, before the first observation.
    ///
    /// # Errors
    /// [`StatError`] if the policy's numbers are not valid for a test, which does not occur with a
    /// checked policy.
    pub fn try_new(plan: &Plan) -> Result<Self, StatError> {
        let policy = plan.policy();
        let (evidence, watch) = (policy.evidence(), policy.watch());
        let promotes = policy.promotes_by_evidence();
        let budget = plan.error_budget();
        let alpha = budget.sequential();
        let mut watched = Vec::with_capacity(policy.metrics().len());
        for metric in policy.metrics() {
            let basis = EvidenceBasis::new(metric, plan);
            let settings = policy.settings(metric);
            let tolerated = plan.tolerated(metric);
            let horizon = evidence.change_point.then(|| policy.planned_ticks());
            let worse = Claim::Worse { alpha, tolerated, horizon };
            let share = budget.drawing(metric);
            let ticks = |phase| budget.spends(phase).then(|| policy.ticks_of(phase));
            let drawing = (share > 0.0).then(|| Drawing {
                alpha: share,
                seed: plan.seed(),
                ticks: policy.phases().iter().map(ticks).collect(),
            });
            let instances = Instances::new(alpha, tolerated, drawing);
            let safe = promotes.then_some(Claim::Better {
                alpha: budget.promotion(),
                margin: plan.margin(metric),
                quantile: metric.kind.has_buckets().then(|| metric.quantile.as_fraction()),
                temper: basis.temper,
            });
            let before = PreDeployment::new(plan);
            let own = Watch { warm_up: settings.warm_up, ..*watch };
            let of = (plan.margin(metric), before.applies());
            let design = MetricDesign::new(metric, own, (worse, safe), basis, of);
            watched.push(Watched::try_new(design, instances, before)?);
        }
        let tested: Vec<usize> = policy
            .metrics()
            .iter()
            .enumerate()
            .filter(|(_, metric)| metric.is_tested())
            .map(|(index, _)| index)
            .collect();
        let weights: Vec<f64> =
            tested.iter().map(|&i| budget.weight(&policy.metrics()[i])).collect();
        let split_design = SplitDesign::try_new(&SplitSettings::default())?;
        let mut judge = Self {
            volume: policy
                .metrics()
                .iter()
                .position(|m| m.role == Role::Decide && m.has_own_level()),
            combination: if weights.is_empty() {
                None
            } else {
                Some(Combination::try_new(alpha, &weights)?)
            },
            threshold: budget.threshold(),
            hold: ln(evidence.hold.value()),
            criteria: policy.phases().iter().map(Criterion::span).collect(),
            phase_end: PhaseEnd::new(plan),
            fix_test: FixTest::try_new(plan, &watched)?,
            arms: ArmChecks::new(&split_design, watched.len()),
            split_design,
            since: None,
            moved: None,
            unconfirmed: Unconfirmed::default(),
            goes_without_live: false,
            spare: Spare::default(),
            tested,
            watched,
        };
        judge.enter_phase(0);
        Ok(judge)
    }

    /// Updates the state with an observation that was [prepared](Self::prepare).
    pub fn take(&mut self, prepared: Prepared<'_>, purpose: Use) {
        let Prepared { at, share, seen, mut increments } = prepared;
        let settled = purpose == Use::Watch;
        let watches = settled || purpose == Use::Move;
        let before = matches!(purpose, Use::Level | Use::Deploy);
        if before {
            self.unconfirmed.read(at, purpose, read(&mut self.watched, &increments));
        }
        if settled && share == Share::ALL {
            let increments = self.watched.iter().zip(&mut increments);
            increments
                .filter(|(_, increment)| increment.reading.is_some())
                .for_each(|(watched, increment)| watched.leave_out_rest(&mut increment.tick));
        }
        self.align(at, share, watches, &increments);
        let traffic = traffic(&self.watched, &increments);
        let split = traffic.or(self.volume);
        if settled {
            self.check_arms(at, share, &increments, split);
        } else {
            self.arms.forget_swapped();
        }
        if watches {
            for (watched, increment) in read(&mut self.watched, &increments) {
                if !watched.is_cold(&increment.tick, at) {
                    watched.compare_arms(&increment.tick);
                }
            }
            self.arms.compare(&self.watched, share);
        }
        let is_split = !self.arms.split_is_wrong();
        let of_both = traffic.filter(|_| watches);
        let cured = of_both.map_or(0.0, |of| self.watched[of].cured_failures(increments.get(of)));
        for (index, increment) in increments.iter_mut().enumerate() {
            let Some((_, reading)) = increment.reading.map(|place| &seen.as_slice()[place]) else {
                if increment.lost {
                    self.watched[index].lose(at);
                }
                continue;
            };
            increment.cured = cured;
            let as_planned = !self.confuses(index, split);
            let (earlier, rest) = self.watched.split_at_mut(index);
            let watched = &mut rest[0];
            // Asked before the metric is read: whether its reading covers another share than the planned one.
            let is_scaled = watched.metric().scaled;
            let is_blamed = !is_split && !self.arms.favours(watched.metric());
            let mixed = is_scaled && (is_blamed || watched.spans(self.moved));
            let moves = is_scaled && !settled;
            let mixed_or_moves = mixed || moves;
            let cold = watched.is_cold(&increment.tick, at);
            if watches && moves && increment.tick.canary {
                increment.tick.unused[CANARY] = Some(Unused::Share);
            }
            watched.read(increment, reading, at);
            watched.miss_requests(at, share);
            if !matches!(purpose, Use::Show | Use::Ignore) {
                watched.trail(&increment.tick, at, share, settled && is_split || before);
            }
            if watches && as_planned && !mixed_or_moves && !cold {
                if let Some(earlier) = earlier.last() {
                    watched.split_as(earlier, &increment.tick);
                }
                watched.learn(increment, at, reading, share, settled);
                let shows_the_fix = is_split || !is_scaled;
                if let Some(fix_test) = self.fix_test.as_mut()
                    && fix_test.metric == index
                    && shows_the_fix
                {
                    fix_test.learn(watched, increment);
                }
            } else {
                watched.skip(increment, at, as_planned && (is_split || !is_scaled));
            }
            match purpose {
                Use::Return => watched.learn_baseline(&mut increment.tick, at, self.since),
                Use::Level => watched.learn_before(&increment.tick, at),
                Use::Deploy => {
                    watched.learn_before(&increment.tick, at);
                    self.unconfirmed.learn(watched, &increment.tick, at, reading);
                }
                Use::Show if share == Share::NONE => {
                    self.unconfirmed.learn(watched, &increment.tick, at, reading);
                }
                Use::Show if !mixed => watched.show(&mut increment.tick, at, reading, share),
                Use::Watch | Use::Move | Use::Show | Use::Ignore => {}
            }
        }
        if purpose == Use::Show {
            self.watched.iter_mut().for_each(|watched| watched.expire(at));
        }
        self.spare.0 = increments;
    }

    /// Whether the readings of a metric, by index, may not be those of its two arms: they are
    /// swapped or one series; or some metric's arms are swapped, and this one cannot show that of
    /// its own, or those of the metric that shows the `split` are.
    fn confuses(&self, metric: usize, split: Option<usize>) -> bool {
        self.arms.confuses(metric)
            || self.arms.any_is_swapped()
                && (!self.watched[metric].shows_swapped_arms()
                    || split.is_some_and(|of| self.arms.is_swapped(of, false)))
    }

    /// When the present watch or share began, whichever was later.
    fn changed(&self) -> Option<Timestamp> {
        self.since.max(self.moved)
    }

    /// Whether the traffic is not split as planned, and neither draining connections nor confused
    /// arms explain it. At the gate nothing drains any more.
    fn split_stays_wrong(&self, at_gate: bool) -> bool {
        let drains = || !at_gate && self.arms.drains(self.changed());
        let is_confused = || {
            let split = traffic(&self.watched, &[]);
            split.is_some_and(|of| self.confuses(of, split))
        };
        self.arms.split_is_wrong() && !drains() && !is_confused()
    }

    /// Checks for each deciding metric of requests or traffic whether its arms may be swapped, and by
    /// the metric of the `split` whether traffic is split as planned.
    fn check_arms(
        &mut self,
        at: Timestamp,
        share: Share,
        increments: &[Increment],
        split: Option<usize>,
    ) {
        let (design, before) = (&self.split_design, self.arms.wrong_side());
        let observed = Observed { at, share, since: self.changed() };
        self.arms.begin(observed);
        for (index, (watched, of)) in self.watched.iter().zip(increments).enumerate() {
            if watched.shows_swapped_arms() {
                let shows_split = split == Some(index);
                self.arms.check(design, observed, (index, watched), of, shows_split);
            }
        }
        if self.arms.wrong_side() != before {
            self.start_over_scaled(at);
        }
    }

    /// Starts metrics that are scaled by the planned share over, when a wrong split is found or is
    /// over: they were read at another share. While it is wrong, the evidence of harm is kept of
    /// those that seem better than they are.
    #[cold]
    fn start_over_scaled(&mut self, at: Timestamp) {
        for (index, watched) in self.watched.iter_mut().enumerate() {
            if !watched.metric().scaled {
                continue;
            }
            if !self.arms.favours(watched.metric()) {
                let criterion = self.criteria.get(watched.basis().phase).copied().flatten();
                watched.start_over(at, criterion);
            }
            if let Some(fix_test) = self.fix_test.as_mut().filter(|test| test.metric == index) {
                fix_test.start_over();
            }
        }
    }

    /// Records which arm has new counts of which metric.
    fn align(&mut self, at: Timestamp, share: Share, watches: bool, increments: &[Increment]) {
        for (watched, Increment { tick, .. }) in read(&mut self.watched, increments) {
            if !watched.may_be_apart(tick, share) {
                continue;
            }
            // A canary's reading that spans the end of the warm-up has counts of the warm-up.
            let warm_up = watched.watch().warm_up;
            let warm = self.since.map(|since| since + warm_up);
            let steady = watches && warm <= Some(at) && !watched.spans(self.moved);
            let warm = warm.max(self.moved).filter(|_| warm_up > Span::ZERO);
            // Counts of a metric that is scaled by the share must not be of two shares.
            let moved = self.moved.filter(|_| watched.metric().scaled);
            watched.align(tick, at, steady, [warm.max(moved), moved]);
        }
    }

    /// Sets the canary's new share.
    pub fn move_traffic(&mut self, at: Timestamp) {
        self.moved = Some(at);
        self.arms.move_traffic();
        self.watched.iter_mut().for_each(Watched::discard_pools);
    }

    /// Enters a phase: from here its limits are in force.
    pub fn enter_phase(&mut self, phase: usize) {
        for watched in &mut self.watched {
            watched.enter(phase);
        }
    }

    /// Starts to watch a phase or the rollback: windows start empty, tests continue.
    pub fn start_phase(&mut self, at: Timestamp) {
        self.since = Some(at);
        let was_wrong = self.arms.split_is_wrong();
        self.arms = ArmChecks::new(&self.split_design, self.watched.len());
        if was_wrong {
            self.start_over_scaled(at);
        }
        if let Some(end) = &mut self.phase_end {
            end.start();
        }
        for watched in &mut self.watched {
            let criterion = self.criteria.get(watched.basis().phase).copied().flatten();
            watched.start(at, criterion);
        }
    }

    /// Analyses a phase at its end, where the policy wants that; a call before its least time is
    /// over changes nothing.
    pub fn end_phase(&mut self, at: Timestamp, phase: usize, since: Timestamp) {
        if let Some(end) = &mut self.phase_end {
            end.analyse(at, phase, since, &self.tested, &self.watched);
        }
    }

    /// Records a verdict that was made, or read from a log.
    pub fn note(&mut self, at: Timestamp, verdict: &Verdict) {
        let says_in_vain = verdict.has(Reason::CannotDecide);
        // Verdicts name every metric in order; a log of another policy's would not replay.
        let mut seen = verdict.metrics.iter();
        for watched in &mut self.watched {
            // The evaluation that made it dropped expired rows; a replay does not evaluate.
            watched.expire(at);
            let Some((id, seen)) = seen.next().filter(|(id, _)| watched.metric().id == *id) else {
                continue;
            };
            let in_vain =
                |cause: &Cause| cause.reason == Reason::CannotDecide && cause.metric == Some(*id);
            watched.note(at, seen, says_in_vain && verdict.causes.iter().any(in_vain));
        }
    }

    /// Takes over from the attempt before (`of`) what its live version, which is still live, had
    /// before the deployment. `is_deployed`: the release of that attempt still has traffic.
    pub(crate) fn keep_live(&mut self, of: &Self, is_deployed: bool) {
        let pairs = self.watched.iter_mut().zip(&of.watched);
        pairs.for_each(|(watched, of)| watched.keep_live(of, is_deployed));
    }

    /// When any metric was read last, of any version.
    pub(crate) fn seen_at(&self) -> Option<Timestamp> {
        self.watched.iter().filter_map(|watched| watched.readings().seen_at).max()
    }

    /// When a metric that decides was read last, of any version.
    pub(crate) fn read_at(&self) -> Option<Timestamp> {
        self.deciding().filter_map(|watched| watched.readings().seen_at).max()
    }

    /// The metrics that decide.
    fn deciding(&self) -> impl Iterator<Item = &Watched> {
        self.watched.iter().filter(|watched| watched.metric().role == Role::Decide)
    }

    /// Whether readings show traffic on the fix although none is confirmed.
    pub(crate) const fn sees_traffic(&self) -> bool {
        matches!(self.unconfirmed, Unconfirmed::Since(_))
    }

    /// Whether any metric has had readings of the live version.
    fn live_is_read(&self) -> bool {
        self.watched.iter().any(|watched| watched.readings().live_read_at.is_some())
    }

    /// Since when the canary has had no request that a deciding metric counts, although it is read; None
    /// where each has some.
    pub(crate) fn without_requests_since(&self) -> Option<Timestamp> {
        self.deciding().filter_map(Watched::without_requests_since).min()
    }

    /// Calls `visit` with the moments at which a verdict may change without a reading: a silent
    /// metric becomes stale or missing for too long, an alert has lasted at this share, latency
    /// evidence has settled. `live`: the live version is read beside the canary.
    pub(crate) fn silences(
        &self,
        watch: &Watch,
        (live, share): (bool, Share),
        mut visit: impl FnMut(Timestamp),
    ) {
        let mut last = None;
        let live_is_read = live && self.live_is_read();
        for watched in self.deciding() {
            if let Some(settling) = watched.tests().settling() {
                settling.changes().into_iter().flatten().for_each(&mut visit);
            }
            let stopped =
                [CANARY, BASELINE].into_iter().filter_map(|arm| watched.stopped_since(arm));
            for since in stopped {
                visit(since + watch.no_data.after);
            }
            if let Some(since) = watched.held_in_vain_since(share) {
                visit(since + watch.alert_lasts());
            }
            let asks = [watched.asks_about_miss(share), watched.asks_about_instance()];
            asks.into_iter().flatten().for_each(&mut visit);
            // Most metrics, and both arms, are read at one time and have the same moments.
            let of_live = watched.live_silent_since(live_is_read);
            let read_at = [watched.readings().finite_at(), of_live];
            if last.replace(read_at) == Some(read_at) {
                continue;
            }
            let canary = read_at[0].max(self.since);
            let other = of_live.and_then(|read| self.since.max(Some(read)));
            for at in [canary, other.filter(|at| canary != Some(*at))] {
                let Some(at) = at else { continue };
                // Stale is older than the limit, missing is at least as long.
                visit(at + watch.stale + Span::from_millis(1));
                visit(at + watch.no_data.after);
            }
        }
    }
}

/// The metrics with a reading, each with what the reading adds to it.
fn read<'a>(
    watched: &'a mut [Watched],
    increments: &'a [Increment],
) -> impl Iterator<Item = (&'a mut Watched, &'a Increment)> {
    watched.iter_mut().zip(increments).filter(|(_, increment)| increment.reading.is_some())
}
