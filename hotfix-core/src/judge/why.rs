//! Explanation of a verdict: readings, rules, and the smallest change that would have changed the
//! decision.

use serde::{Deserialize, Serialize};

use crate::grade::{BoundBase, PromotionRule, Role, closed_set};
use crate::metric::{Band, Judged, bound_figure};
use crate::metric_kind::Data;
use crate::policy::section::{Bound, BoundValue};
use crate::unit::{MetricName, Share, Timestamp};

use super::watched::Watched;
use super::{Cause, Decision, Judge, Moment, Reason, Verdict};

/// Explanation of the last verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Why {
    /// When the verdict was made.
    pub at: Timestamp,
    /// Its causes, most severe first.
    pub causes: Vec<Cause>,
    /// The decision.
    pub decision: Decision,
    /// Log e-value from which promotion is held.
    pub hold: f64,
    /// Log e-value of all rollback tests together.
    pub log_e: f64,
    /// Each metric's part, in the order of their ids.
    pub metrics: Vec<MetricWhy>,
    /// Log e-value that rolls back.
    pub threshold: f64,
}

/// One metric's part in a verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricWhy {
    /// The metric.
    pub metric: MetricName,
    /// Every rule that was applied, with its result.
    pub rules: Vec<AppliedRule>,
    /// The same in a few sentences: readings, rule, decision, counterfactual.
    pub sentence: String,
    /// What the last reading added; absent where windows and tests did not use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tick: Option<Arms>,
    /// The smallest change of this tick that would have changed the decision.
    pub counterfactual: Counterfactual,
    /// The trailing window that the bounds are applied to.
    pub window: Arms,
}

/// Both arms' numbers.
#[serde_with::skip_serializing_none]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arms {
    /// The live version.
    pub baseline: Option<ArmReading>,
    /// The version under test.
    pub canary: Option<ArmReading>,
}

/// One arm's numbers.
#[serde_with::skip_serializing_none]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArmReading {
    /// What the metric counts; absent for latencies, gauges and volumes.
    pub events: Option<f64>,
    /// Trials. For a count: seconds of exposure times the arm's share of the traffic. For a gauge
    /// or a volume: number of readings; for running totals of a volume the minutes that they cover.
    pub trials: f64,
    /// The value that bounds are compared with, in the metric's unit.
    pub value: Option<f64>,
}

closed_set! {
    /// The stretch of time that a bound was applied to.
    Stretch {
        /// The trailing window.
        Window = "window",
        /// The phase: where a missed success bound holds, the last `watch` of it.
        Phase = "phase",
    }
    /// One of a metric's bounds.
    BoundKind {
        /// At or on the good side of it: success.
        Success = "success",
        /// Beyond it: alert.
        Alert = "alert",
        /// Beyond it: rollback.
        Rollback = "rollback",
    }
    /// Why there is no counterfactual.
    NoCounterfactual {
        /// This verdict came without a reading of the metric.
        NoReading = "no_reading",
        /// The reading was not used: warm-up, traffic on the move, or arms that are not trusted.
        NotAccepted = "not_accepted",
        /// The reading came by instance or by stratum, so it is not clear which part would change.
        InParts = "in_parts",
        /// No other reading of this metric's canary in this tick would have changed the decision.
        /// Whether one would show swapped arms or a wrong split is not checked.
        NothingChanges = "nothing_changes",
    }
}

/// A rule that was applied, and the reason it gave.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AppliedRule {
    /// The reason it gave; absent where the rule was met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The rule with its figures.
    #[serde(flatten)]
    pub rule: Rule,
}

/// A rule with its figures.
#[serde_with::skip_serializing_none]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum Rule {
    /// There has to be a fresh reading, of the live version too where it was read before.
    Fresh {
        /// The band that reports its absence.
        band: Band,
    },
    /// The metric has to be judged by a bound that has its reference, or by a test with a live arm.
    NotJudged,
    /// The window has to hold the least number of trials.
    LeastTrials {
        /// How many more it needs: trials, or seconds of observation for a metric without trials.
        needs: f64,
    },
    /// A bound.
    Bound {
        /// The kind of bound.
        bound: BoundKind,
        /// Whether the value is beyond the bound; absent where the histogram bucket cannot decide
        /// it, or the bound has no reference.
        crossed: Option<bool>,
        /// The figure that the canary's value was compared with; absent where the reference is
        /// missing.
        figure: Option<f64>,
        /// The stretch of time.
        over: Stretch,
        /// The ratio to the reference, for a relative bound.
        ratio: Option<f64>,
        /// What the bound is relative to, or absolute.
        of: BoundBase,
        /// The canary's value.
        value: Option<f64>,
        /// Edges of the histogram bucket, in seconds, in which the value was interpolated because
        /// they cannot decide; absent where they can.
        bucket: Option<[f64; 2]>,
    },
    /// The rollback test of the null hypothesis that the canary is no worse.
    Evidence {
        /// Log e-value of the test.
        log_e: f64,
        /// Log e-value from which it rolls back by itself: `ln(1/α)` minus the logarithm of its
        /// weight; absent where this test does not decide.
        threshold: Option<f64>,
    },
    /// The promotion test: shows that the canary is no worse than the margin.
    Safe {
        /// Whether it has ever crossed its threshold.
        decided: bool,
        /// Log e-value of the test.
        log_e: f64,
        /// Log e-value that it needs.
        threshold: f64,
    },
    /// The efficacy test: shows that the fix works.
    Efficacy {
        /// Log e-value of the test.
        log_e: f64,
        /// Whether it has ever crossed its threshold.
        shown: bool,
        /// Log e-value that it needs.
        threshold: f64,
    },
    /// Readings have to cover the phase's least time.
    Covered {
        /// Seconds that readings cover.
        seconds: f64,
        /// Seconds that they have to cover.
        least: f64,
    },
    /// How slow the canary is over the last minute, where new instances or a small excess count.
    Slowdown {
        /// Standard error of the ratio for independent requests.
        error: f64,
        /// The ratio of new instances from which it has fallen; absent where it does not fall.
        peak: Option<f64>,
        /// How many times as slow as the baseline the canary is.
        ratio: f64,
        /// How many times as slow is tolerated.
        tolerated: f64,
    },
    /// The arms have to differ: both had the same counts in every tick of this phase, which chance
    /// does not explain.
    Arms,
    /// Each time is read once: other counts of this one, which came when it was read already, do not
    /// count. The first such time in this phase.
    AlreadyRead {
        /// The time.
        time: Timestamp,
    },
}

/// Counterfactual: the smallest change of the canary's last reading that would have changed the
/// decision.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Counterfactual {
    /// Another number of events in as many trials.
    Events {
        /// The value that was read.
        from: f64,
        /// The value that would have changed the decision.
        to: f64,
        /// The decision it would have led to.
        then: Decision,
    },
    /// Another number of requests slower than an edge of the histogram; they move between the
    /// buckets next to the edge.
    Slow {
        /// The edge, in seconds.
        above: f64,
        /// The value that was read.
        from: f64,
        /// The value that would have changed the decision.
        to: f64,
        /// The decision it would have led to.
        then: Decision,
    },
    /// Another value of a gauge or a volume, as it was sent.
    Level {
        /// The value that was read.
        from: f64,
        /// The value that would have changed the decision, to nine digits.
        to: f64,
        /// The decision it would have led to.
        then: Decision,
    },
    /// There is no such change.
    None {
        /// Why not.
        reason: NoCounterfactual,
    },
}

impl Watched {
    /// The edges that can change a band or a test: test boundaries, and the edges around bounds.
    pub(super) fn deciding_edges(&self) -> Vec<usize> {
        let live = self.value(&self.window().sums()[self.columns()..], 1.0);
        let figures =
            self.metric().bounds.all().filter_map(|bound| bound_figure(self.metric(), bound, live));
        let mut edges = self.boundaries().to_vec();
        for figure in figures {
            let above = self.edges().partition_point(|&edge| edge < figure);
            edges.extend([above.wrapping_sub(1), above]);
        }
        edges.retain(|&edge| edge < self.edges().len());
        edges.sort_unstable();
        edges.dedup();
        edges
    }

    /// One arm's columns as numbers; None where it has no trials.
    fn arm(&self, columns: &[f64], share: f64) -> Option<ArmReading> {
        let value = self.value(columns, share).and_then(Judged::finite);
        let (events, trials) = match self.metric().kind.data() {
            Data::Trials | Data::Exposure => (Some(columns[0]), columns[1]),
            Data::Buckets => (None, columns[0]),
            Data::Level => (None, columns[1]),
        };
        (trials > 0.0).then_some(ArmReading { events, trials, value })
    }

    fn arms(&self, row: &[f64], moment: &Moment<'_>) -> Arms {
        let (canary, baseline) = row.split_at(row.len() / 2);
        // Before the deployment the live version had all the traffic.
        let before = self.pre_deployment().applies();
        let live = if before { Share::ALL } else { moment.share.rest() };
        Arms {
            baseline: self.arm(baseline, live.as_fraction()),
            canary: self.arm(canary, moment.share.as_fraction()),
        }
    }

    /// The bounds as they were applied to these columns.
    fn bound_rules(&self, row: &[f64], moment: &Moment<'_>, over: Stretch) -> Vec<Rule> {
        let (canary, baseline) = row.split_at(row.len() / 2);
        let Some(value) = self.value(canary, moment.share.as_fraction()) else { return Vec::new() };
        // Without a live arm, the phase as a whole has no standard: its gate compares the window.
        if self.trails(moment.share) && over == Stretch::Phase {
            return Vec::new();
        }
        let live = self.live_value(baseline, moment.share);
        let bounds = self.metric().bounds;
        let all = [
            (BoundKind::Rollback, bounds.rollback),
            (BoundKind::Alert, bounds.alert),
            (BoundKind::Success, bounds.success),
        ];
        let rule = |(kind, bound): (BoundKind, Option<Bound>)| {
            let bound = bound?;
            let figure = self.metric().figure_shown(bound, value, live);
            let (ratio, of) = match bound.value {
                BoundValue::Absolute(_) => (None, BoundBase::Absolute),
                BoundValue::Relative(ratio, of) => (Some(ratio.value()), of),
            };
            let surely = self.metric().crossed(bound, value, live);
            // As the band is decided: an interpolated value breaches no rollback bound.
            let clearly = || self.metric().clearly_crossed(bound, value, live);
            let clearly = if surely.is_none() { clearly() } else { None };
            let crossed = match kind {
                BoundKind::Success | BoundKind::Alert => surely.or(clearly),
                BoundKind::Rollback => surely.or(clearly.filter(|crossed| !crossed)),
            };
            Some(Rule::Bound {
                bound: kind,
                crossed,
                figure,
                over,
                ratio,
                of,
                value: value.finite(),
                bucket: clearly.map(|_| [value.low, value.high]),
            })
        };
        all.into_iter().filter_map(rule).collect()
    }
}

impl Why {
    /// Explains this verdict, which this judge made at this moment. It searches for
    /// counterfactuals, which takes up to milliseconds.
    pub fn of(judge: &Judge, moment: &Moment<'_>, verdict: &Verdict) -> Self {
        let metrics = (0..judge.watched.len())
            .map(|index| MetricWhy::of(judge, index, moment, verdict))
            .collect();
        Self {
            at: moment.at,
            causes: verdict.causes.clone(),
            decision: verdict.decision,
            hold: judge.hold,
            log_e: verdict.log_e,
            metrics,
            threshold: judge.threshold,
        }
    }
}

impl MetricWhy {
    fn of(judge: &Judge, index: usize, moment: &Moment<'_>, verdict: &Verdict) -> Self {
        let watched = &judge.watched[index];
        let mut window = watched.window().clone();
        let (metric, watch) = (watched.metric(), watched.watch());
        window.expire(moment.at, || watched.readings().lasts(metric, watch, moment.at));
        let used = watched.last_tick().at == Some(moment.at);
        let mut why = Self {
            metric: watched.metric().id,
            rules: rules(judge, index, &window, moment, verdict),
            sentence: String::new(),
            tick: used.then(|| watched.arms(&watched.last_tick().row, moment)),
            counterfactual: Counterfactual::of(judge, index, moment, verdict),
            window: watched.arms(window.sums(), moment),
        };
        why.sentence = why.describe(judge, watched, moment, verdict);
        why
    }
}

/// The reasons that a bound over the window may have. `trails`: the window is what the gate compares.
const fn reasons_in_window(
    bound: BoundKind,
    crossed: Option<bool>,
    figure: Option<f64>,
    trails: bool,
) -> &'static [Reason] {
    match (bound, crossed) {
        (BoundKind::Rollback, Some(true)) => {
            &[Reason::RollbackBand, Reason::OneInstance, Reason::NotConfirmed, Reason::WarmingUp]
        }
        (BoundKind::Alert, Some(true)) => &[Reason::AlertBand],
        // A bound on its own earlier level, which is not known yet.
        (_, None) if trails && figure.is_none() => &[Reason::Between],
        (BoundKind::Success, _) if trails => &[Reason::CriterionMissed],
        _ => &[],
    }
}

/// Every rule that was applied to this metric.
fn rules(
    judge: &Judge,
    index: usize,
    window: &crate::metric::Window,
    moment: &Moment<'_>,
    verdict: &Verdict,
) -> Vec<AppliedRule> {
    let watched = &judge.watched[index];
    let id = watched.metric().id;
    let Some((_, seen)) = verdict.metrics.get(index) else { return Vec::new() };
    // The first of these reasons that is a cause of this metric.
    let named = |reasons: &[Reason]| {
        let is_cause = |reason: &&Reason| {
            verdict.causes.iter().any(|of| of.metric == Some(id) && of.reason == **reason)
        };
        reasons.iter().find(is_cause).copied()
    };
    let mut rules = Vec::new();
    let mut apply = |rule: Rule, reason: Option<Reason>| rules.push(AppliedRule { reason, rule });
    if watched.same().is_striking() {
        apply(Rule::Arms, named(&[Reason::IdenticalArms]));
    }
    match seen.band {
        Band::NoData => apply(Rule::Fresh { band: seen.band }, named(&[Reason::NoData])),
        Band::Stale => apply(Rule::Fresh { band: seen.band }, named(&[Reason::Stale])),
        Band::NoLiveData => apply(Rule::Fresh { band: seen.band }, named(&[Reason::NoLiveData])),
        Band::NotFinite => apply(Rule::Fresh { band: seen.band }, named(&[Reason::NotFinite])),
        Band::NotJudged => {
            apply(Rule::NotJudged, named(&[Reason::LiveNeverRead, Reason::NotJudged]));
        }
        Band::Success | Band::Hold | Band::Between | Band::Alert | Band::Rollback => {
            if let Some(needs) = seen.needs {
                apply(Rule::LeastTrials { needs }, named(&[Reason::TooFewTrials]));
            } else {
                for rule in watched.bound_rules(window.sums(), moment, Stretch::Window) {
                    let Rule::Bound { bound, crossed, figure, .. } = rule else { continue };
                    let of_window =
                        reasons_in_window(bound, crossed, figure, watched.trails(moment.share));
                    apply(rule, named(of_window));
                }
            }
        }
    }
    if let Some(log_e) = seen.log_e {
        let threshold = judge.own_threshold(index);
        let reason = named(&[
            Reason::Evidence,
            Reason::OnlyWholePasses,
            Reason::NotBoth,
            Reason::EvidenceAssumed,
            Reason::FewerFailures,
            Reason::PhaseEndTest,
            Reason::BadInstance,
            Reason::HoldLevel,
            Reason::Burst,
        ]);
        // Where one boundary alone shows it.
        let decides = threshold.is_some_and(|threshold| log_e >= threshold);
        let hangs = || named(&[Reason::SlightlySlower]).filter(|_| watched.hangs_on_a_boundary());
        let reason = reason.or_else(|| hangs().filter(|_| decides));
        apply(Rule::Evidence { log_e, threshold }, reason);
        if let Some(rule) = watched.slowdown_rule(moment.at) {
            apply(rule, named(&[Reason::SlightlySlower, Reason::WarmingUp]));
        }
    }
    if let Some(fix) = judge.fix_test.as_ref().filter(|fix| fix.metric == index) {
        let (log_e, threshold) = (fix.now.test.log_e(), fix.now.test.threshold());
        let rule = Rule::Efficacy { log_e, shown: fix.now.shown, threshold };
        let in_vain = || named(&[Reason::CannotDecide]).filter(|_| !fix.now.shown);
        apply(rule, named(&[Reason::EfficacyNotShown]).or_else(in_vain));
    }
    if let Some(time) = watched.readings().lost {
        apply(Rule::AlreadyRead { time }, None);
    }
    let Some(phase) = moment.due.filter(|_| watched.metric().role == Role::Decide) else {
        return rules;
    };
    let (seconds, least) = (watched.readings().covered.as_seconds(), phase.watch.as_seconds());
    apply(Rule::Covered { seconds, least }, named(&[Reason::Gaps]));
    for rule in watched.bound_rules(&watched.judged(moment.share), moment, Stretch::Phase) {
        let reason = match rule {
            Rule::Bound { bound: BoundKind::Success, .. } => {
                let by_split = watched.metric().scaled && judge.arms.split_is_wrong();
                named(&[Reason::CriterionMissed, Reason::Between])
                    .or_else(|| named(&[Reason::TooFewTrials]).filter(|_| by_split))
            }
            _ => None,
        };
        apply(rule, reason);
    }
    if phase.promotion == PromotionRule::EvidenceOfNoHarm
        && let Some(safe) = watched.tests().safe()
    {
        let (log_e, threshold) = (safe.log_e(), safe.threshold());
        let rule = Rule::Safe { decided: safe.decided(), log_e, threshold };
        apply(rule, named(&[Reason::NotShownSafe]));
    }
    rules
}
