//! The question to the judge, which follows from the stage.

use serde::{Deserialize, Serialize};

use crate::judge::{Moment, Running};
use crate::plan::Plan;
use crate::policy::Policy;
use crate::unit::{Share, Span, Timestamp};

use super::stage::{Stage, Step};
use super::state::Place;

/// The question to the judge for a verdict: enough to ask it again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    at: Timestamp,
    share: Share,
    /// The phase that is due, by index, and whether its longest time is over.
    due: Option<(usize, bool)>,
    /// The phase under way and since when.
    running: Option<Step>,
    needs_efficacy: bool,
}

impl Question {
    /// The question for a verdict at this time; None where nothing is judged.
    pub(super) fn of(place: &Place, plan: &Plan, at: Timestamp) -> Option<Self> {
        let policy = plan.policy();
        let of_phase = |step: &Step| {
            let phase = policy.phases().get(step.index)?;
            let watched = at.since(step.since);
            let over = phase.watch_most.is_some_and(|most| watched >= most);
            (watched >= phase.watch).then_some((step.index, over))
        };
        let last = policy.phases().len().saturating_sub(1);
        let due = match place.stage() {
            Stage::Monitoring(step) => of_phase(step),
            Stage::Gate { step, .. } => Some((step.index, false)),
            Stage::FinalValidation { since } => policy.phases().last().and_then(|phase| {
                let (lasted, least) = (at.since(*since), policy.final_validation().watch);
                // It has no longest time: after the longest time of the last phase a person
                // decides.
                let most = least + phase.watch_most.unwrap_or(phase.watch);
                (lasted >= least).then_some((last, lasted >= most))
            }),
            Stage::Deploying(_)
            | Stage::Paused { .. }
            | Stage::Complete { .. }
            | Stage::Frozen { .. } => None,
            Stage::Preparing
            | Stage::Closed
            | Stage::RollingBack(_)
            | Stage::RolledBack
            | Stage::Aborted
            | Stage::Failed => return None,
        };
        let running = match place.stage() {
            Stage::Monitoring(step) => Some(*step),
            _ => None,
        };
        let share = place.share();
        let needs_efficacy = share < Share::ALL && plan.efficacy().is_some_and(|e| e.required);
        Some(Self { at, share, due, running, needs_efficacy })
    }

    /// Whether the policy has its phases.
    pub(super) fn is_of(&self, policy: &Policy) -> bool {
        self.due.is_none_or(|(index, _)| index < policy.phases().len())
            && self.running.is_none_or(|step| step.is_of(policy))
    }

    /// The question in the judge's form.
    pub(super) fn moment<'a>(&self, plan: &'a Plan) -> Moment<'a> {
        let policy = plan.policy();
        let phase = |index: usize| policy.phases().get(index);
        let left = |step: &Step, whole: Span| {
            let watched = self.at.since(step.since);
            Span::from_millis(whole.as_millis().saturating_sub(watched.as_millis()))
        };
        Moment {
            at: self.at,
            share: self.share,
            watch: policy.watch(),
            due: self.due.and_then(|(index, _)| phase(index)),
            overdue: self.due.is_some_and(|(_, over)| over),
            needs_efficacy: self.needs_efficacy,
            running: self.running.as_ref().and_then(|step| {
                let phase = phase(step.index)?;
                Some(Running {
                    phase,
                    until_due: left(step, phase.watch),
                    until_overdue: phase.watch_most.map(|most| left(step, most)),
                    traffic: plan.subject().traffic.requests_per_minute,
                })
            }),
        }
    }
}
