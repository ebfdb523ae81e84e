//! The stages of a rollout and what each takes in: the one table of ROLL-1.

use serde::{Deserialize, Serialize};

use crate::grade::{Signal, closed_set};
use crate::judge::Cause;
use crate::unit::{PhaseName, Timestamp};

use super::input::InputKind;

/// Where a rollout is, with the data of that stage and no other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
pub enum Stage {
    /// Before the start, of the first attempt or of another. Its name tells what is missing: `drafted`, `awaiting_approval`
    /// or `ready`.
    Preparing,
    /// The new version, or more traffic for it, is under way.
    Deploying(Step),
    /// A phase is watched.
    Monitoring(Step),
    /// A phase has shown what it must; a person decides, or may object.
    Gate {
        /// The phase.
        #[serde(flatten)]
        step: Step,
        /// With a veto window: when it ends.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// The last look.
    FinalValidation {
        /// Since when.
        since: Timestamp,
    },
    /// All traffic is on the fix; it is still watched.
    Complete {
        /// Since when.
        since: Timestamp,
        /// Where the last phase held some traffic back to compare with: since when that is to get the fix as well (ROLL-6).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ending: Option<Timestamp>,
    },
    /// The watch is over. Final.
    Closed,
    /// On the way back.
    RollingBack(WayBack),
    /// Back, and looked at. Final.
    RolledBack,
    /// A person stopped the clock of a phase; traffic stays as it is and is still watched.
    Paused {
        /// Since when.
        since: Timestamp,
        /// Where it goes on.
        from: Resume,
    },
    /// Traffic stays where it is and a person has to act: every way back failed, or something cannot go back (FIELD-6).
    Frozen {
        /// Since when.
        since: Timestamp,
        /// Why it was to go back.
        why: RollbackCause,
        /// Every way back was tried and failed.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        tried: bool,
    },
    /// Stopped for good by a person. Final.
    Aborted,
    /// The deployment failed before any traffic moved. Final.
    Failed,
}

/// A phase and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The phase's place in the plan, from 0.
    pub index: usize,
    /// The phase's name.
    pub phase: PhaseName,
    /// Since when.
    pub since: Timestamp,
}

/// The stages that a pause can interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Resume {
    /// See [`Stage::Deploying`].
    Deploying(Step),
    /// See [`Stage::Monitoring`].
    Monitoring(Step),
    /// See [`Stage::Gate`]; a veto window starts again.
    Gate(Step),
    /// See [`Stage::FinalValidation`].
    FinalValidation {
        /// Since when.
        since: Timestamp,
    },
}

/// A rollback under way (ROLL-5).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WayBack {
    /// Ends in `aborted` instead of `rolled_back`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub abort: bool,
    /// Which of the plan's methods is tried, from 0.
    pub method: usize,
    /// Since when.
    pub since: Timestamp,
    /// While traffic goes back in steps, before the method (FIELD-6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returning: Option<Returning>,
    /// Once the method is confirmed: since when metrics are watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watching: Option<Timestamp>,
    /// Why.
    pub why: RollbackCause,
}

/// A step of traffic on its way back (FIELD-6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Returning {
    /// Which of the policy's steps, from 0.
    pub step: usize,
    /// Since when the old version has that share; none: it is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached: Option<Timestamp>,
}

/// Why a rollout goes back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum RollbackCause {
    /// The judge.
    Verdict {
        /// Its causes.
        causes: Vec<Cause>,
    },
    /// A report (ROLL-4).
    Signal {
        /// What was reported.
        signal: Signal,
    },
    /// A person asked.
    Person,
    /// A person asked for a known version (FIELD-7).
    Revert {
        /// The version to go to.
        version: String,
    },
    /// Moving traffic failed.
    ActionFailed,
    /// A person aborted.
    Abort,
}

closed_set! {
    /// The name of a state.
    State {
        /// The severity is not known, a checklist item is open, or an attempt before still has traffic.
        Drafted = "drafted",
        /// An approval or a waiver is missing.
        AwaitingApproval = "awaiting_approval",
        /// Nothing is missing.
        Ready = "ready",
        /// A version or traffic is under way.
        Deploying = "deploying",
        /// A phase is watched.
        Monitoring = "monitoring",
        /// A person decides or may object.
        Gate = "gate",
        /// The last look.
        FinalValidation = "final_validation",
        /// Complete and still watched.
        Complete = "complete",
        /// Over.
        Closed = "closed",
        /// On the way back.
        RollingBack = "rolling_back",
        /// Back.
        RolledBack = "rolled_back",
        /// Stopped by a person for a while.
        Paused = "paused",
        /// A person has to act: every way back failed, or something cannot go back.
        Frozen = "frozen",
        /// Stopped for good.
        Aborted = "aborted",
        /// The deployment failed before any traffic moved.
        Failed = "failed",
    }
}

impl State {
    /// True where nothing more happens to the traffic.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Closed | Self::RolledBack | Self::Aborted | Self::Failed)
    }

    /// Whether `approve`, `deny` and `withdraw` are taken here, after the start where the policy has a demand that may be
    /// met then (GATE-1). What was stopped for good needs none.
    pub const fn takes_approvals(self) -> bool {
        !matches!(self, Self::Aborted | Self::Failed)
    }

    /// What this state takes in: the table of ROLL-1. `confirm` and `failed` are taken in any state while their action
    /// is pending; `promote` in `monitoring` and `final_validation` only where the policy allows; `approve`, `deny` and
    /// `withdraw` also after the start where the policy lets an approval follow. Items and steps are checked wherever the
    /// rollout was not stopped for good: there are lists for after the deployment, for a way back and for the time after.
    #[rustfmt::skip]
    pub const fn accepts(self) -> &'static [InputKind] {
        use InputKind::{
            Abort, Acknowledge, Approve, CheckItem, Confirm, Deny, Done, Failed, Hold, Note, Observe, Pause, Promote, Report,
            Resume, Retry, Revert, RollBack, SetFacts, SetSeverity, SetTimes, Start, Supersede, Tick, WaiveItem, Withdraw,
        };
        match self {
            Self::Drafted | Self::AwaitingApproval => &[
                Approve, Deny, Withdraw, CheckItem, WaiveItem, Tick, Supersede,
                Abort, Report, Acknowledge, Done, SetSeverity, SetFacts, SetTimes, Note,
            ],
            Self::Ready => &[
                Start, Approve, Deny, Withdraw, CheckItem, WaiveItem, Tick, Supersede,
                Abort, Report, Acknowledge, Done, SetSeverity, SetFacts, SetTimes, Note,
            ],
            Self::Deploying => &[
                Confirm, Failed, Observe, Tick, CheckItem, WaiveItem, Supersede,
                Pause, Abort, RollBack, Revert, Report, Acknowledge, Done, SetSeverity, SetFacts, SetTimes, Note,
            ],
            Self::Gate => &[
                Observe, Tick, Promote, Hold, CheckItem, WaiveItem, Supersede,
                Pause, Abort, RollBack, Revert, Report, Acknowledge, Done, SetSeverity, SetFacts, SetTimes, Note,
            ],
            Self::Monitoring | Self::FinalValidation => &[
                Observe, Tick, Promote, CheckItem, WaiveItem, Supersede,
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
                Confirm, Failed, Observe, Tick, Promote, CheckItem, WaiveItem,
                Abort, RollBack, Revert, Report, Acknowledge, Done, SetSeverity, SetFacts, SetTimes, Note,
            ],
            Self::Frozen => &[
                Observe, Tick, CheckItem, WaiveItem, Supersede,
                Abort, RollBack, Revert, Report, Acknowledge, Done, SetSeverity, SetFacts, SetTimes, Note,
            ],
            Self::Closed => &[
                Observe, Tick, CheckItem, WaiveItem, Acknowledge, Done, SetSeverity, SetFacts, SetTimes, Note,
            ],
            Self::RolledBack => &[
                Observe, Tick, CheckItem, WaiveItem, Retry, Acknowledge, Done, SetSeverity, SetFacts, SetTimes, Note,
            ],
            Self::Aborted | Self::Failed => &[
                Observe, Tick, Retry, Acknowledge, Done, SetSeverity, SetFacts, SetTimes, Note,
            ],
        }
    }
}

impl Stage {
    /// Whether what was asked in this stage is still asked in the next: a pause answers nothing, nor does a word that keeps
    /// a gate closed, nor the end of a hold-back.
    pub(super) const fn goes_on_as(&self, next: &Self) -> bool {
        match (self, next) {
            // In a pause, too, the next phase begins to be watched.
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

    /// Whether the rollout is on a way back, or back, or should be: no more traffic is to reach the new version.
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

    /// The phase that this stage is in.
    pub const fn step(&self) -> Option<Step> {
        match self {
            Self::Deploying(step)
            | Self::Monitoring(step)
            | Self::Gate { step, .. }
            | Self::Paused {
                from: Resume::Deploying(step) | Resume::Monitoring(step) | Resume::Gate(step),
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
