//! The stages of a rollout, and the table of the inputs that each state accepts.

use serde::{Deserialize, Serialize};

use crate::getters::getters;
use crate::grade::{Response, Signal, closed_set};
use crate::judge::Cause;
use crate::plan::PlanStatus;
use crate::policy::Policy;
use crate::unit::{PhaseName, Timestamp};

use super::input::InputKind;

/// The stage of a rollout, with the data of that stage only.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
pub enum Stage {
    /// Before the start of the first or another attempt. The state's name says what is missing:
    /// `drafted`, `awaiting_approval` or `ready`.
    #[default]
    Preparing,
    /// The new version is being deployed, or gets more traffic.
    Deploying(Step),
    /// A phase is watched.
    Monitoring(Step),
    /// A phase met its criteria; a person decides, or may object.
    Gate {
        /// The phase.
        #[serde(flatten)]
        step: Step,
        /// With a veto window: when it ends.
        until: Option<Timestamp>,
    },
    /// The final validation, with all phases promoted.
    FinalValidation {
        /// Since when.
        since: Timestamp,
    },
    /// All traffic is on the fix; it is still watched.
    Complete {
        /// Since when.
        since: Timestamp,
        /// Where the last phase held traffic back for comparison: since when that traffic is to get
        /// the fix.
        ending: Option<Timestamp>,
    },
    /// The watch after completion has ended. Final.
    Closed,
    /// A rollback is under way.
    RollingBack(RollbackProgress),
    /// Rolled back, and the metrics were checked. Final.
    RolledBack,
    /// A person paused the rollout; no more traffic is asked for, and what the fix has is still watched.
    Paused {
        /// Since when.
        since: Timestamp,
        /// The stage in which it continues.
        from: Resume,
    },
    /// Traffic stays as it is until a person acts: all rollback methods failed, or no automatic
    /// rollback is allowed.
    Frozen {
        /// Since when.
        since: Timestamp,
        /// The cause of the rollback that was due.
        why: RollbackCause,
        /// All rollback methods were tried and failed.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        tried: bool,
    },
    /// Stopped for good by a person. Final.
    Aborted,
    /// The deployment failed before any traffic moved. Final.
    Failed,
}

/// A phase, and since when it is in its stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The phase's place in the plan, from 0.
    pub index: usize,
    /// The phase's name.
    pub phase: PhaseName,
    /// Since when.
    pub since: Timestamp,
}

impl Step {
    /// Whether the policy has this phase at this place.
    pub(super) fn is_of(self, policy: &Policy) -> bool {
        policy.phases().get(self.index).is_some_and(|phase| phase.name == self.phase)
    }
}

/// The stages that a pause can interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Resume {
    /// As the stage `deploying`.
    Deploying(Step),
    /// As the stage `deploying`, once the version is deployed: `resume` asks for the phase's traffic.
    Deployed(Step),
    /// As the stage `monitoring`.
    Monitoring(Step),
    /// As the stage `gate`; a veto window starts again.
    Gate(Step),
    /// As the stage `final_validation`.
    FinalValidation {
        /// Since when.
        since: Timestamp,
    },
}

/// A rollback under way.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollbackProgress {
    /// Ends in `aborted` instead of `rolled_back`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub abort: bool,
    /// Which of the plan's methods is tried, from 0.
    pub method: usize,
    /// Since when.
    pub since: Timestamp,
    /// While traffic is rolled back in steps, before the method.
    pub returning: Option<Returning>,
    /// Since when metrics are watched, once the method is confirmed.
    pub watching: Option<Timestamp>,
    /// The cause of the rollback.
    pub why: RollbackCause,
}

/// A step of traffic in a rollback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Returning {
    /// Which of the policy's steps, from 0.
    pub step: usize,
    /// Since when the old version has that share; absent while the change is pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached: Option<Timestamp>,
}

/// Why a rollout is rolled back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum RollbackCause {
    /// A verdict of the judge.
    Verdict {
        /// Its causes.
        causes: Vec<Cause>,
    },
    /// A reported signal.
    Signal {
        /// What was reported.
        signal: Signal,
    },
    /// A person ordered it with `roll_back`.
    Person,
    /// A person ordered a known version with `revert`.
    Revert {
        /// The version to restore.
        version: String,
    },
    /// Deploying the fix, or moving its traffic, failed.
    ActionFailed,
    /// A person aborted.
    Abort,
}

impl RollbackCause {
    /// Whether the metrics found something bad: not where readings were missing or nothing was judged.
    pub(crate) fn is_found(&self) -> bool {
        matches!(self, Self::Verdict { causes } if Cause::find_harm(Cause::of_rollback(causes)))
    }

    /// The version that a rollback for this cause restores; `previous` is the release's.
    pub(crate) fn target<'a>(&'a self, previous: &'a str) -> &'a str {
        match self {
            Self::Revert { version } => version,
            _ => previous,
        }
    }
}

closed_set! {
    /// The name of a state.
    #[derive(Default)]
    State {
        /// There is no release, the severity is not known, a checklist item is open, or an earlier
        /// attempt still has traffic.
        #[default]
        Drafted = "drafted",
        /// An approval or a waiver is missing.
        AwaitingApproval = "awaiting_approval",
        /// Nothing is missing.
        Ready = "ready",
        /// The version is being deployed, or gets more traffic.
        Deploying = "deploying",
        /// A phase is watched.
        Monitoring = "monitoring",
        /// A phase met its criteria; a person decides, or may object.
        Gate = "gate",
        /// All phases are promoted; the last checks run.
        FinalValidation = "final_validation",
        /// All traffic is on the fix; it is still watched.
        Complete = "complete",
        /// The watch after completion has ended.
        Closed = "closed",
        /// A rollback is under way.
        RollingBack = "rolling_back",
        /// The previous version is live again.
        RolledBack = "rolled_back",
        /// A person paused it: no more traffic is asked for until somebody resumes it.
        Paused = "paused",
        /// A person has to act: all rollback methods failed, or no automatic rollback is allowed.
        Frozen = "frozen",
        /// A person stopped it for good.
        Aborted = "aborted",
        /// The deployment failed before any traffic moved.
        Failed = "failed",
    }
}

impl State {
    /// Whether no more traffic is moved in this state.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Closed | Self::RolledBack | Self::Aborted | Self::Failed)
    }

    /// The status of the plan in this state. A rollback under way is still in progress.
    pub(super) const fn plan_status(self) -> PlanStatus {
        match self {
            Self::Drafted => PlanStatus::Drafted,
            Self::AwaitingApproval => PlanStatus::AwaitingApproval,
            Self::Ready => PlanStatus::Ready,
            Self::Deploying
            | Self::Monitoring
            | Self::Gate
            | Self::FinalValidation
            | Self::RollingBack
            | Self::Paused
            | Self::Frozen => PlanStatus::InProgress,
            Self::Complete | Self::Closed => PlanStatus::Complete,
            Self::RolledBack => PlanStatus::RolledBack,
            Self::Aborted | Self::Failed => PlanStatus::Stopped,
        }
    }

    /// The inputs that this state accepts. `release` is accepted only while it is missing,
    /// `supersede` only where there is one, `roll_back` and `revert` before the start only while an
    /// earlier attempt has traffic. `confirm` and `failed` are accepted in any state while
    /// their action is pending; `promote` in `monitoring` and `final_validation` only where the
    /// policy allows it, `hold` in `complete` not once the held-back traffic moves; `approve`, `deny`
    /// and `withdraw` also after the start where the policy lets an approval follow. Items and steps can be
    /// checked in every state: there are lists for the deployment, the rollback and the time after.
    #[rustfmt::skip]
    pub const fn accepts(self) -> &'static [InputKind] {
        use InputKind::{
            Abort, Acknowledge, Approve, CheckItem, Confirm, Deny, Done, Failed, Hold, Note, Observe, Pause, Promote, Release,
            Report, Resume, Retry, Revert, RollBack, SetFacts, SetSeverity, SetTimes, Start, Supersede, Tick, WaiveItem, Withdraw,
        };
        match self {
            Self::Drafted => &[
                Release, Approve, Deny, Withdraw, CheckItem, WaiveItem, Observe, Tick, Supersede,
                Abort, RollBack, Revert, Report, Acknowledge, Done, SetSeverity, SetFacts, SetTimes, Note,
            ],
            Self::AwaitingApproval => &[
                Approve, Deny, Withdraw, CheckItem, WaiveItem, Observe, Tick, Supersede,
                Abort, RollBack, Revert, Report, Acknowledge, Done, SetSeverity, SetFacts, SetTimes, Note,
            ],
            Self::Ready => &[
                Start, Approve, Deny, Withdraw, CheckItem, WaiveItem, Observe, Tick, Supersede,
                Abort, RollBack, Revert, Report, Acknowledge, Done, SetSeverity, SetFacts, SetTimes, Note,
            ],
            Self::Deploying => &[
                Confirm, Failed, Observe, Tick, CheckItem, WaiveItem, Supersede,
                Pause, Abort, RollBack, Revert, Report, Acknowledge, Done, SetSeverity, SetFacts, SetTimes, Note,
            ],
            Self::Monitoring | Self::Gate | Self::FinalValidation => &[
                Observe, Tick, Promote, Hold, CheckItem, WaiveItem, Supersede,
                Pause, Abort, RollBack, Revert, Report, Acknowledge, Done, SetSeverity, SetFacts, SetTimes, Note,
            ],
            Self::RollingBack => &[
                Confirm, Failed, Observe, Tick, CheckItem, WaiveItem,
                Abort, RollBack, Revert, Report, Acknowledge, Done, SetSeverity, SetFacts, SetTimes, Note,
            ],
            Self::Paused => &[
                Confirm, Failed, Observe, Tick, Resume, CheckItem, WaiveItem, Supersede,
                Abort, RollBack, Revert, Report, Acknowledge, Done, SetSeverity, SetFacts, SetTimes, Note,
            ],
            Self::Complete => &[
                Confirm, Failed, Observe, Tick, Promote, Hold, CheckItem, WaiveItem,
                Abort, RollBack, Revert, Report, Acknowledge, Done, SetSeverity, SetFacts, SetTimes, Note,
            ],
            Self::Frozen => &[
                Observe, Tick, CheckItem, WaiveItem, Supersede,
                Abort, RollBack, Revert, Report, Acknowledge, Done, SetSeverity, SetFacts, SetTimes, Note,
            ],
            Self::Closed => &[
                Observe, Tick, CheckItem, WaiveItem, Acknowledge, Done, SetSeverity, SetFacts, SetTimes, Note,
            ],
            Self::RolledBack | Self::Aborted | Self::Failed => &[
                Observe, Tick, CheckItem, WaiveItem, Retry, Acknowledge, Done, SetSeverity, SetFacts, SetTimes, Note,
            ],
        }
    }
}

impl Stage {
    /// The policy's response to a signal: in a pause and after the completion nothing is left to hold, so
    /// a person is asked.
    pub(super) fn response_to(&self, policy: &Policy, signal: Signal) -> Response {
        match (self, policy.triggers().response(signal)) {
            (Self::Paused { .. } | Self::Complete { .. }, Response::Hold) => Response::Ask,
            (_, response) => response,
        }
    }

    /// Whether a question of this stage is still open in the next: a pause does not answer it, nor
    /// does an objection at a gate, nor the end of a hold-back.
    pub(super) const fn goes_on_as(&self, next: &Self) -> bool {
        match (self, next) {
            // The watch of the next phase begins, although the rollout is paused.
            (
                Self::Paused { from: Resume::Deploying(_), .. },
                Self::Paused { from: Resume::Monitoring(_), .. },
            ) => false,
            (_, Self::Paused { .. })
            | (
                Self::Paused { .. },
                Self::Deploying(_)
                | Self::Monitoring(_)
                | Self::Gate { .. }
                | Self::FinalValidation { .. },
            )
            | (Self::Gate { .. }, Self::Gate { .. })
            | (Self::Complete { .. }, Self::Complete { .. }) => true,
            _ => false,
        }
    }

    /// The name of this stage; None before the start, where it depends on what is missing.
    pub(super) const fn state(&self) -> Option<State> {
        Some(match self {
            Self::Preparing => return None,
            Self::Deploying(_) => State::Deploying,
            Self::Monitoring(_) => State::Monitoring,
            Self::Gate { .. } => State::Gate,
            Self::FinalValidation { .. } => State::FinalValidation,
            Self::Complete { .. } => State::Complete,
            Self::Closed => State::Closed,
            Self::RollingBack(_) => State::RollingBack,
            Self::RolledBack => State::RolledBack,
            Self::Paused { .. } => State::Paused,
            Self::Frozen { .. } => State::Frozen,
            Self::Aborted => State::Aborted,
            Self::Failed => State::Failed,
        })
    }

    /// Whether the rollout is being rolled back, was rolled back or should be: the new version gets
    /// no more traffic.
    pub const fn has_turned_back(&self) -> bool {
        match self {
            Self::RollingBack(_)
            | Self::RolledBack
            | Self::Frozen { .. }
            | Self::Aborted
            | Self::Failed => true,
            Self::Preparing
            | Self::Deploying(_)
            | Self::Monitoring(_)
            | Self::Gate { .. }
            | Self::FinalValidation { .. }
            | Self::Complete { .. }
            | Self::Closed
            | Self::Paused { .. } => false,
        }
    }

    /// Whether a phase has not got its traffic yet, also in a pause.
    pub(super) const fn is_deploying(&self) -> bool {
        matches!(
            self,
            Self::Deploying(_)
                | Self::Paused { from: Resume::Deploying(_) | Resume::Deployed(_), .. }
        )
    }

    /// The phase of this stage.
    pub const fn step(&self) -> Option<Step> {
        match self {
            Self::Deploying(step)
            | Self::Monitoring(step)
            | Self::Gate { step, .. }
            | Self::Paused {
                from:
                    Resume::Deploying(step)
                    | Resume::Deployed(step)
                    | Resume::Monitoring(step)
                    | Resume::Gate(step),
                ..
            } => Some(*step),
            Self::Preparing
            | Self::FinalValidation { .. }
            | Self::Complete { .. }
            | Self::Closed
            | Self::RollingBack(_)
            | Self::RolledBack
            | Self::Paused { from: Resume::FinalValidation { .. }, .. }
            | Self::Frozen { .. }
            | Self::Aborted
            | Self::Failed => None,
        }
    }
}

getters! {
    pub(super) fn Stage: self;

    /// Whether it is promoted by itself at a known time, unless a person objects.
    is_in_veto_window: bool = matches!(self, Self::Gate { until: Some(_), .. });
    /// Whether no more traffic is moved.
    is_final: bool = self.state().is_some_and(State::is_final);
    /// Whether it is over for good: no other attempt follows.
    is_left: bool = matches!(self, Self::Aborted | Self::Closed);
    /// Whether missing approvals are requested: not where the fix is to be rolled back, nor after
    /// the end.
    wants_approvals: bool = !self.has_turned_back() && !matches!(self, Self::Closed);
    /// The phase that is watched; None outside of a phase's watch.
    watched_step: Option<Step> = if self.is_deploying() { None } else { self.step() };
}
