//! The state of a rollout as figures and text for people.

use std::collections::BTreeMap;

use hotfix_core::grade::{MetricKind, Moment};
use hotfix_core::judge::{Cause, Decision, MetricVerdict, Reason, Verdict};
use hotfix_core::plan::Plan;
use hotfix_core::rollout::{RollbackCause, Rollout, Stage, State};
use hotfix_core::unit::Timestamp;

use crate::lines::{self, Judged, TOGETHER, Unit};

/// State, stage and decision of a rollout at one moment, to detect later changes.
pub(crate) struct LastSeen {
    state: State,
    stage: Stage,
    decision: Decision,
    shown: bool,
    silent: bool,
}

impl LastSeen {
    /// The present values.
    pub(crate) fn of(rollout: &Rollout) -> Self {
        Self {
            state: rollout.state(),
            stage: rollout.stage().clone(),
            decision: rollout.verdict().decision,
            shown: shown(rollout),
            silent: silent(rollout),
        }
    }

    /// The decisions that changed the rollout since this moment, with reasons.
    pub(crate) fn decisions(&self, rollout: &Rollout) -> Vec<(String, String)> {
        let mut decisions = Vec::new();
        let (plan, verdict) = (rollout.plan(), rollout.verdict());
        let mut say = |what: &str, why: String| decisions.push((what.to_owned(), why));
        if shown(rollout)
            && !self.shown
            && let (Some(efficacy), Some(claim)) = (verdict.efficacy, plan.efficacy())
        {
            let name = lines::name(claim.metric.as_str());
            let seen = verdict.metric(claim.metric).and_then(|m| figures(claim.metric.as_str(), m));
            say(
                "efficacy_shown",
                format!(
                    "{name}: log e {:.1}, shown at {:.1}{}",
                    efficacy.log_e,
                    threshold(claim.alpha.as_fraction()),
                    seen.map_or_else(String::new, |seen| format!("; {seen}"))
                ),
            );
        }
        let passed = |name: &str| {
            format!("{name}: every metric in its success band, {}", together(plan, verdict))
        };
        match (&self.stage, rollout.stage()) {
            (Stage::Monitoring(from) | Stage::Gate { step: from, .. }, Stage::Deploying(_)) => {
                say("promote", passed(from.phase.as_str()));
            }
            (
                Stage::Monitoring(from) | Stage::Gate { step: from, .. },
                Stage::FinalValidation { .. },
            ) => say("final_validation", passed(from.phase.as_str())),
            (Stage::Monitoring(_), Stage::Gate { step, until }) => {
                let whose = match until {
                    Some(_) => "it is promoted unless a person holds it",
                    None => "a person decides about the promotion",
                };
                say("gate", format!("{}; {whose}", passed(step.phase.as_str())));
            }
            (Stage::Gate { until: Some(_), .. }, Stage::Gate { step, until: None }) => {
                say("held", format!("{}: a person has to promote it", step.phase));
            }
            (Stage::FinalValidation { .. }, Stage::Complete { .. }) => {
                say("complete", passed("final validation"));
            }
            (Stage::RollingBack(before), Stage::RollingBack(now))
                if before.method != now.method =>
            {
                say("next_method", "the previous rollback method failed".to_owned());
            }
            (Stage::RollingBack(_), Stage::RollingBack(_)) => {}
            (_, Stage::RollingBack(way)) => say("roll_back", words(&way.why, plan, verdict)),
            _ if rollout.state() != self.state
                && (rollout.state().is_final() || rollout.state() == State::Frozen) =>
            {
                let why = match rollout.state() {
                    State::Closed => "the watch has ended",
                    State::RolledBack => "the old version has all the traffic and was checked",
                    State::Frozen => "every rollback method has failed",
                    State::Failed => "the deployment failed before any traffic moved",
                    _ => "",
                };
                say(rollout.state().as_str(), why.to_owned());
            }
            _ => {}
        }
        match (self.silent, silent(rollout)) {
            (false, true) => say("metrics_lost", reasons(plan, verdict)),
            (true, false) if !matches!(rollout.stage(), Stage::RollingBack(_)) => {
                say("metrics_back", "it continues automatically".to_owned());
            }
            _ => {}
        }
        if verdict.decision == Decision::Ask && self.decision != Decision::Ask {
            say("ask", reasons(plan, verdict));
        }
        decisions
    }
}

fn shown(rollout: &Rollout) -> bool {
    rollout.verdict().efficacy.is_some_and(|efficacy| efficacy.shown)
}

/// Whether a deciding metric has had no data for longer than allowed.
fn silent(rollout: &Rollout) -> bool {
    rollout.verdict().causes.iter().any(|cause| cause.reason == Reason::Stale)
}

/// When the present stage may end, by the plan.
pub(crate) fn until(rollout: &Rollout) -> Option<Timestamp> {
    let policy = rollout.plan().policy();
    match rollout.stage() {
        Stage::Monitoring(step) => {
            policy.phases().get(step.index).map(|phase| step.since + phase.watch)
        }
        Stage::Gate { until, .. } => *until,
        Stage::FinalValidation { since } => Some(*since + policy.final_validation().watch),
        Stage::Complete { since, .. } => {
            let deployed = rollout.moment(Moment::Deployed).unwrap_or(*since);
            policy.watched_until(deployed, *since)
        }
        Stage::RollingBack(way) => way.watching.map(|since| since + policy.rollback().watch),
        _ => None,
    }
}

/// Name of the phase; `final`, `after` and `back` for stages without one.
pub(crate) fn phase(rollout: &Rollout) -> String {
    match rollout.stage() {
        Stage::FinalValidation { .. } => "final".to_owned(),
        Stage::Complete { .. } => "after".to_owned(),
        Stage::RollingBack(_) => "back".to_owned(),
        _ => rollout.phase().map(|phase| phase.to_string()).unwrap_or_default(),
    }
}

/// The verdict on each metric, and under [`TOGETHER`] the verdict on all of them.
///
/// A single metric is named as the cause of a rollback at its own part of `α`; all metrics together
/// decide at the sum of the parts.
pub(crate) fn judged(rollout: &Rollout) -> BTreeMap<String, Judged> {
    let (plan, verdict) = (rollout.plan(), rollout.verdict());
    let policy = plan.policy();
    let budget = plan.error_budget();
    let mut all = BTreeMap::new();
    for (id, seen) in &verdict.metrics {
        let mut judged = Judged { band: seen.band.to_string(), ..Judged::default() };
        let mut put = |question: &str, log_e: f64, threshold: f64| {
            judged.evidence.insert(question.to_owned(), log_e);
            judged.thresholds.insert(question.to_owned(), threshold);
        };
        let own = policy.metric(id.as_str()).map_or(0.0, |metric| budget.sequential_of(metric));
        if let Some(log_e) = seen.log_e.filter(|_| own > 0.0) {
            put("harm", log_e, threshold(own));
        }
        if let Some(log_e) = seen.log_e_safe {
            put("promotion", log_e, threshold(budget.promotion()));
        }
        if let (Some(efficacy), Some(claim)) = (verdict.efficacy, plan.efficacy())
            && claim.metric == *id
        {
            put("efficacy", efficacy.log_e, threshold(claim.alpha.as_fraction()));
        }
        all.insert(id.to_string(), judged);
    }
    if !verdict.metrics.is_empty() {
        let harm = |value: f64| BTreeMap::from([("harm".to_owned(), value)]);
        let (evidence, thresholds) = (harm(verdict.log_e), harm(budget.threshold()));
        let judged = Judged { band: String::new(), evidence, thresholds };
        all.insert(TOGETHER.to_owned(), judged);
    }
    all
}

/// Log e at which a test with this chance of a false alarm decides.
fn threshold(alpha: f64) -> f64 {
    -alpha.ln()
}

/// The causes of a verdict, the most severe first; empty if no fault is found.
pub(crate) fn reasons(plan: &Plan, verdict: &Verdict) -> String {
    let all: Vec<String> = verdict.causes.iter().map(|c| cause(c, plan, verdict)).collect();
    all.join("; ")
}

fn words(why: &RollbackCause, plan: &Plan, verdict: &Verdict) -> String {
    match why {
        RollbackCause::Verdict { .. } => reasons(plan, verdict),
        RollbackCause::Signal { signal } => format!("`{signal}` was reported"),
        RollbackCause::Person => "a person asked for it".to_owned(),
        RollbackCause::Revert { version } => format!("a person asked for version {version}"),
        RollbackCause::ActionFailed => "a step of the deployment failed".to_owned(),
        RollbackCause::Abort => "a person stopped it".to_owned(),
    }
}

fn cause(cause: &Cause, plan: &Plan, verdict: &Verdict) -> String {
    let Some(id) = cause.metric else {
        return match cause.reason {
            Reason::Evidence | Reason::HoldLevel => together(plan, verdict),
            other => other.to_string().replace('_', " "),
        };
    };
    let name = lines::name(id.as_str());
    let seen = verdict.metric(id);
    let values = seen
        .and_then(|seen| figures(id.as_str(), seen))
        .map_or_else(String::new, |figures| format!("; {figures}"));
    match (cause.reason, seen.and_then(|seen| seen.log_e), plan.policy().metric(id.as_str())) {
        (Reason::Evidence, Some(log_e), Some(metric)) => {
            let at = threshold(plan.error_budget().sequential_of(metric));
            // A quantile can stay the same while requests beyond it become many times as frequent.
            let slow =
                seen.and_then(|seen| seen.ratio).filter(|_| metric.kind == MetricKind::Latency);
            let slow = slow.map_or_else(String::new, |ratio| {
                format!(", {ratio:.0} times as many slow requests")
            });
            format!("{name}: log e {log_e:.1}, decided at {at:.1}{values}{slow}")
        }
        (other, ..) => format!("{name}: {}{values}", other.to_string().replace('_', " ")),
    }
}

fn together(plan: &Plan, verdict: &Verdict) -> String {
    let at = plan.error_budget().threshold();
    format!("all metrics together: log e {:.1}, decided at {at:.1}", verdict.log_e)
}

/// The values of both arms in the judge's window.
fn figures(id: &str, seen: &MetricVerdict) -> Option<String> {
    let unit = lines::metric(id).map_or(Unit::PerMinute, |metric| metric.unit);
    let canary = unit.show(seen.canary?);
    Some(match seen.baseline {
        Some(baseline) => format!("{canary} against {}", unit.show(baseline)),
        None => canary,
    })
}
