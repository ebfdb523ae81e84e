//! Which messages are true in a stage of the rollout.

use crate::fact::Fact;
use crate::grade::{MessageKind, Moment};

use super::stage::{Resume, Stage};
use super::state::RolloutState;

/// Whether a message of this kind is true in a stage of a rollout with so many phases.
pub(super) fn is_timely(
    kind: MessageKind,
    stage: &Stage,
    phases: usize,
    case: &RolloutState,
) -> bool {
    let came = |moment| case.agenda.came(moment).is_some();
    match kind {
        MessageKind::Update => true,
        MessageKind::Alert => !came(Moment::Resolved),
        // A fix may be deployed although the fault is over; once all of it is out, its start is no news.
        MessageKind::DeploymentStarted if case.goes_back(stage) => false,
        MessageKind::DeploymentStarted => {
            matches!(stage, Stage::Deploying(_))
                || !came(Moment::Resolved) && stage.is_going_out() && !stage.is_deployed(phases)
        }
        MessageKind::PhasePassed => stage.has_passed_a_phase(),
        MessageKind::Deployed => stage.is_deployed(phases),
        MessageKind::RollingBack => matches!(stage, Stage::RollingBack(_)),
        // Not while another attempt is prepared.
        MessageKind::RolledBack => {
            matches!(stage, Stage::RolledBack)
                || matches!(stage, Stage::RollingBack(progress) if progress.watching.is_some())
                || matches!(stage, Stage::Aborted) && came(Moment::RolledBack)
        }
        // A resolution that is stated while the failed fix has traffic is not announced.
        MessageKind::Resolved => came(Moment::Resolved) && !case.does_not_last(stage),
    }
}

impl RolloutState {
    /// Whether its train is being rolled back while the fix is being deployed or live in this stage.
    pub(super) fn goes_back(&self, stage: &Stage) -> bool {
        stage.is_out() && self.people.train_rolls_back()
    }

    /// Whether the fix that has the traffic in this stage has failed, or is rolled back with its train.
    pub(super) fn does_not_last(&self, stage: &Stage) -> bool {
        self.keeps_a_failed(stage) || self.goes_back(stage)
    }

    /// Whether the fix that has the traffic in this stage has failed.
    pub(super) fn keeps_a_failed(&self, stage: &Stage) -> bool {
        stage.keeps_the_failed() && !self.withdraws_unneeded(stage)
    }

    /// Whether a person withdraws a fix of what was no incident: nothing is open again with that.
    pub(super) fn withdraws_unneeded(&self, stage: &Stage) -> bool {
        let is_ordered = matches!(stage, Stage::RollingBack(way) if way.why.is_an_order());
        is_ordered && self.readiness.facts().flag(Fact::Confirmed) == Some(false)
    }
}

impl Stage {
    /// Whether the fix was started, and is neither complete nor rolled back.
    pub(crate) const fn is_going_out(&self) -> bool {
        matches!(
            self,
            Self::Deploying(_)
                | Self::Monitoring(_)
                | Self::Gate { .. }
                | Self::FinalValidation { .. }
                | Self::Paused { .. }
        )
    }

    /// Whether the fix is being deployed, or is live.
    pub(crate) const fn is_out(&self) -> bool {
        self.is_going_out() || matches!(self, Self::Complete { .. })
    }

    /// Whether the fix has failed, and its traffic is not rolled back yet.
    pub(super) const fn keeps_the_failed(&self) -> bool {
        match self {
            Self::Frozen { .. } => true,
            Self::RollingBack(way) => way.watching.is_none(),
            _ => false,
        }
    }

    /// Whether a phase of this attempt has passed.
    const fn has_passed_a_phase(&self) -> bool {
        matches!(
            self,
            Self::Gate { .. }
                | Self::Paused { from: Resume::Gate(_) | Resume::FinalValidation { .. }, .. }
                | Self::FinalValidation { .. }
                | Self::Complete { .. }
                | Self::Closed
        ) || matches!(self.step(), Some(step) if step.index > 0)
    }

    /// Whether the last of so many phases has its traffic, or is over.
    pub(super) fn is_deployed(&self, phases: usize) -> bool {
        matches!(
            self,
            Self::FinalValidation { .. }
                | Self::Paused { from: Resume::FinalValidation { .. }, .. }
                | Self::Complete { .. }
                | Self::Closed
        ) || matches!(self.watched_step(), Some(step) if step.index + 1 == phases)
    }
}
