//! Why a verdict is as it is: numbers, rules, and what would have turned it (FIELD-11).

use serde::{Deserialize, Serialize};

use crate::grade::{EvidenceMode, MetricKind, PromotionRule, Reference, Role, closed_set};
use crate::metric::{Band, Judged, bound_figure};
use crate::policy::section::{Bound, BoundValue};
use crate::unit::{MetricName, Timestamp};

use super::test::Test;
use super::watched::Watched;
use super::{Cause, Decision, Judge, Moment, Reason, Verdict};

/// Why the last verdict is as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Why {
    /// When it was made.
    pub at: Timestamp,
    /// Its causes, the gravest first.
    pub causes: Vec<Cause>,
    /// What it asks for.
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
    /// Every rule that was looked at, with what it said.
    pub rules: Vec<AppliedRule>,
    /// The same in one sentence.
    pub sentence: String,
    /// What the last reading brought, where it was taken into windows and tests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tick: Option<Arms>,
    /// The least change of this tick that would have turned the verdict.
    pub turn: Turn,
    /// The trailing window that bands look at.
    pub window: Arms,
}

/// Both arms' numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arms {
    /// The live version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Arm>,
    /// The version under test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<Arm>,
}

/// One arm's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arm {
    /// What the metric counts; absent for latencies, gauges and volumes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<f64>,
    /// Trials; seconds of exposure for a count, scaled by the arm's share; readings of a level.
    pub trials: f64,
    /// The value that bounds are held against, in the metric's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
}

closed_set! {
    /// Over what a bound was held against a metric.
    Stretch {
        /// The trailing window.
        Window = "window",
        /// The whole phase.
        Phase = "phase",
    }
    /// Which of a metric's bounds.
    BoundKind {
        /// At or on the good side of it: success.
        Success = "success",
        /// Beyond it: alert.
        Alert = "alert",
        /// Beyond it: rollback.
        Rollback = "rollback",
    }
    /// Why no change of a tick is given.
    NoTurn {
        /// This verdict came without a reading of the metric.
        NoReading = "no_reading",
        /// The reading was left out: warm-up, traffic under way, or arms that are not believed.
        NotTaken = "not_taken",
        /// The reading came by instance or by stratum: which of them would change is open.
        InParts = "in_parts",
        /// Whatever this metric's canary had read in this tick, the verdict would be the same.
        NothingTurns = "nothing_turns",
    }
}

/// A rule, and the reason it gave; none where it was kept.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AppliedRule {
    /// What it gave as a reason, where it called for anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The rule with its figures.
    #[serde(flatten)]
    pub rule: Rule,
}

/// A rule with its figures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum Rule {
    /// There must be a fresh reading.
    Fresh {
        /// What there is instead.
        band: Band,
    },
    /// Something must judge it: a bound that has its reference, or a test with a live arm.
    NotJudged,
    /// The window must hold enough.
    LeastTrials {
        /// How many more it needs: trials, or seconds of watching where the metric has no trials.
        needs: f64,
    },
    /// A bound.
    Bound {
        /// Which.
        bound: BoundKind,
        /// Beyond it; absent where the histogram's bucket does not say, or there is nothing to compare.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        crossed: Option<bool>,
        /// The figure that the canary's value was held against; absent where the bound's reference is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        figure: Option<f64>,
        /// Over what.
        over: Stretch,
        /// The ratio of the reference, where it is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ratio: Option<f64>,
        /// What the figure comes from.
        reference: Reference,
        /// The canary's value.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<f64>,
    },
    /// The rollback test.
    Evidence {
        /// Its log e-value.
        log_e: f64,
        /// What it needs to roll back by itself: `ln(1/α)`, and more by its weight; absent where it does not decide.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        threshold: Option<f64>,
    },
    /// The promotion test.
    Safe {
        /// Whether it has ever crossed.
        decided: bool,
        /// Its log e-value.
        log_e: f64,
        /// What it needs.
        threshold: f64,
    },
    /// The claim that the fix works.
    Efficacy {
        /// Its log e-value.
        log_e: f64,
        /// Whether it has ever crossed.
        shown: bool,
        /// What it needs.
        threshold: f64,
    },
    /// Readings must cover the phase's least time.
    Covered {
        /// Seconds that readings cover.
        seconds: f64,
        /// Seconds that they must.
        least: f64,
    },
    /// Both arms had the same counts in every tick of this phase, which chance does not explain.
    Arms,
}

/// The least change of the canary's last reading that would have turned the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Turn {
    /// Another number of events in as many trials.
    Events {
        /// What it was.
        from: f64,
        /// What it would have had to be.
        to: f64,
        /// What would have been decided.
        then: Decision,
    },
    /// Another number of requests slower than an edge of the histogram; they come from, or go to, the buckets next to it.
    Slow {
        /// The edge, in seconds.
        above: f64,
        /// What it was.
        from: f64,
        /// What it would have had to be.
        to: f64,
        /// What would have been decided.
        then: Decision,
    },
    /// Another level, as the host sends it.
    Level {
        /// What it was.
        from: f64,
        /// What it would have had to be, to nine digits.
        to: f64,
        /// What would have been decided.
        then: Decision,
    },
    /// There is none.
    None {
        /// Why.
        reason: NoTurn,
    },
}

impl Test {
    /// Takes over another's state without its design; false where they are of different kinds.
    pub(super) fn keep(&mut self, of: &Self) -> bool {
        match (self, of) {
            (Self::Rate(_, kept), Self::Rate(_, state)) => kept.take_over(state),
            (Self::Bernoulli(_, kept), Self::Bernoulli(_, state)) => **kept = **state,
            (Self::Latency(_, kept), Self::Latency(_, state)) => kept.take_over(state),
            (Self::Rate(..) | Self::Bernoulli(..) | Self::Latency(..), _) => return false,
        }
        true
    }

    /// `ln(1/α)`: what decides where the test stands alone.
    pub(super) fn threshold(&self) -> f64 {
        match self {
            Self::Rate(design, _) => design.threshold(),
            Self::Bernoulli(design, _) => design.threshold(),
            Self::Latency(design, _) => design.threshold(),
        }
    }
}

impl Watched {
    /// The edges that a band or a test can tell apart: test boundaries, and the edges around the figures of bounds.
    pub(super) fn telling_edges(&self) -> Vec<usize> {
        let live = self.value(&self.window.sums()[self.columns()..], 1.0);
        let figures =
            self.metric.bounds.all().filter_map(|bound| bound_figure(&self.metric, bound, live));
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

    /// One arm's columns as numbers; None where it has none.
    fn arm(&self, columns: &[f64], share: f64) -> Option<Arm> {
        let value = self.value(columns, share).map(Judged::shown).filter(|v| v.is_finite());
        let (events, trials) = match self.metric.kind {
            MetricKind::Proportion | MetricKind::Count => (Some(columns[0]), columns[1]),
            MetricKind::Latency => (None, columns[0]),
            MetricKind::Gauge | MetricKind::Volume => (None, columns[1]),
        };
        (trials > 0.0).then_some(Arm { events, trials, value })
    }

    fn arms(&self, row: &[f64], moment: &Moment<'_>) -> Arms {
        let (canary, baseline) = row.split_at(row.len() / 2);
        Arms {
            baseline: self.arm(baseline, moment.share.rest().as_fraction()),
            canary: self.arm(canary, moment.share.as_fraction()),
        }
    }

    /// The bounds as they were held against these columns.
    fn bound_rules(&self, row: &[f64], moment: &Moment<'_>, over: Stretch) -> Vec<Rule> {
        let (canary, baseline) = row.split_at(row.len() / 2);
        let Some(value) = self.value(canary, moment.share.as_fraction()) else { return Vec::new() };
        let live = self.value(baseline, moment.share.rest().as_fraction());
        let bounds = self.metric.bounds;
        let all = [
            (BoundKind::Rollback, bounds.rollback),
            (BoundKind::Alert, bounds.alert),
            (BoundKind::Success, bounds.success.map(|b| Bound { unless_both_arms: false, ..b })),
        ];
        let rule = |(kind, bound): (BoundKind, Option<Bound>)| {
            let bound = bound?;
            let figure = bound_figure(&self.metric, bound, live);
            let (ratio, reference) = match bound.value {
                BoundValue::Absolute(_) => (None, Reference::Absolute),
                BoundValue::Relative(ratio, reference) => (Some(ratio.value()), reference),
            };
            Some(Rule::Bound {
                bound: kind,
                crossed: self.metric.crossed(bound, value, live),
                figure,
                over,
                ratio,
                reference,
                value: Some(value.shown()).filter(|v| v.is_finite()),
            })
        };
        all.into_iter().filter_map(rule).collect()
    }
}

impl Judge {
    /// Why this verdict, made of this judge at this moment, is as it is. Searches, so it takes up to milliseconds.
    pub fn why(&self, moment: &Moment<'_>, verdict: &Verdict) -> Why {
        let metrics =
            (0..self.watched.len()).map(|index| self.metric_why(index, moment, verdict)).collect();
        Why {
            at: moment.at,
            causes: verdict.causes.clone(),
            decision: verdict.decision,
            hold: self.hold,
            log_e: verdict.log_e,
            metrics,
            threshold: self.threshold,
        }
    }

    /// The log e-value with which a metric's rollback test decides by itself; None where it does not.
    pub(super) fn own_threshold(&self, index: usize) -> Option<f64> {
        let place = self.tested.iter().position(|&tested| tested == index)?;
        let weight = *self.combination.as_ref()?.weights().get(place)?;
        let watched = &self.watched[index];
        let (assurance, limits) = (watched.assurance(), watched.footing.limits());
        if !matches!(assurance.mode, EvidenceMode::Plain | EvidenceMode::Replay) || !assurance.acts
        {
            return None;
        }
        let alone = limits.map_or(self.threshold, |limits| limits.threshold);
        Some(alone - crate::stats::numeric::ln(weight))
    }

    fn metric_why(&self, index: usize, moment: &Moment<'_>, verdict: &Verdict) -> MetricWhy {
        let watched = &self.watched[index];
        let mut window = watched.window.clone();
        window.expire(moment.at);
        let taken = watched.before.at == Some(moment.at);
        let mut why = MetricWhy {
            metric: watched.metric.id,
            rules: self.rules(index, &window, moment, verdict),
            sentence: String::new(),
            tick: taken.then(|| watched.arms(&watched.before.tick.row, moment)),
            turn: self.turn(index, moment, verdict),
            window: watched.arms(window.sums(), moment),
        };
        why.sentence = why.tell(watched, verdict.decision);
        why
    }

    /// Every rule that this metric was held against.
    fn rules(
        &self,
        index: usize,
        window: &crate::metric::Window,
        moment: &Moment<'_>,
        verdict: &Verdict,
    ) -> Vec<AppliedRule> {
        let watched = &self.watched[index];
        let id = watched.metric.id;
        let Some((_, seen)) = verdict.metrics.get(index) else { return Vec::new() };
        let named = |reason: Reason| {
            let named = |cause: &Cause| cause.metric == Some(id) && cause.reason == reason;
            verdict.causes.iter().any(named).then_some(reason)
        };
        let mut rules = Vec::new();
        let mut apply =
            |rule: Rule, reason: Option<Reason>| rules.push(AppliedRule { reason, rule });
        if watched.same.is_striking() {
            let reason = Reason::IdenticalArms;
            apply(Rule::Arms, verdict.has(reason).then_some(reason));
        }
        match seen.band {
            Band::NoData => apply(Rule::Fresh { band: seen.band }, named(Reason::NoData)),
            Band::Stale => apply(Rule::Fresh { band: seen.band }, named(Reason::Stale)),
            Band::NotFinite => apply(Rule::Fresh { band: seen.band }, named(Reason::NotFinite)),
            Band::NotJudged => apply(Rule::NotJudged, named(Reason::NotJudged)),
            Band::Success | Band::Hold | Band::Between | Band::Alert | Band::Rollback => {
                if let Some(needs) = seen.needs {
                    apply(Rule::LeastTrials { needs }, named(Reason::TooFewTrials));
                } else {
                    for rule in watched.bound_rules(window.sums(), moment, Stretch::Window) {
                        let Rule::Bound { bound, crossed, .. } = rule else { continue };
                        let reason = match (bound, crossed) {
                            (BoundKind::Rollback, Some(true)) => named(Reason::RollbackBand),
                            (BoundKind::Alert, Some(true)) => named(Reason::AlertBand),
                            _ => None,
                        };
                        apply(rule, reason);
                    }
                }
            }
        }
        if let Some(log_e) = seen.log_e {
            let threshold = self.own_threshold(index);
            let reason = [
                Reason::Evidence,
                Reason::OnlyWholePasses,
                Reason::NotBoth,
                Reason::EvidenceAssumed,
                Reason::PhaseEndTest,
                Reason::BadInstance,
                Reason::HoldLevel,
            ]
            .into_iter()
            .find_map(named);
            apply(Rule::Evidence { log_e, threshold }, reason);
        }
        if let Some((bug, test, shown)) = &self.efficacy
            && *bug == index
        {
            let (log_e, threshold) = (test.log_e(), test.threshold());
            let rule = Rule::Efficacy { log_e, shown: *shown, threshold };
            apply(rule, named(Reason::EfficacyNotShown));
        }
        let Some(phase) = moment.due.filter(|_| watched.metric.role == Role::Decide) else {
            return rules;
        };
        let (seconds, least) = (watched.covered.as_seconds(), phase.watch.as_seconds());
        apply(Rule::Covered { seconds, least }, named(Reason::Gaps));
        for rule in watched.bound_rules(watched.window.phase(), moment, Stretch::Phase) {
            let reason = match rule {
                Rule::Bound { bound: BoundKind::Success, .. } => named(Reason::CriterionMissed)
                    .or_else(|| named(Reason::Between))
                    .or_else(|| named(Reason::TooFewTrials)),
                _ => None,
            };
            apply(rule, reason);
        }
        if phase.promotion == PromotionRule::EvidenceOfNoHarm
            && let Some(safe) = &watched.safe
        {
            let (log_e, threshold) = (safe.log_e(), safe.threshold());
            let rule = Rule::Safe { decided: safe.decided(), log_e, threshold };
            apply(rule, named(Reason::NotShownSafe));
        }
        rules
    }
}
