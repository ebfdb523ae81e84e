//! Where a rollout is: stage, clock, the canary's share of the traffic, attempt.

use serde::{Deserialize, Serialize};

use crate::getters::getters;
use crate::judge::{Recovery, Use};
use crate::policy::Policy;
use crate::rollout::input::InputKind;
use crate::rollout::stage::{Resume, RollbackCause, RollbackProgress, Stage};
use crate::unit::{Share, Timestamp};

/// Lines that a log can have: their numbers are exact in JSON.
const MOST_LINES: u64 = 1 << 53;

/// How much of the traffic the canary has: its confirmed share, or, where the results of changes
/// are not known, at most the largest share that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    pub(super) most: Share,
    pub(super) is_known: bool,
}

impl Reach {
    /// Whether the canary has traffic, or may have some.
    pub(crate) fn is_any(self) -> bool {
        self.most > Share::NONE
    }

    pub(crate) const fn is_known(self) -> bool {
        self.is_known
    }

    /// Whether the canary has traffic, and it is known how much.
    fn is_steady(self) -> bool {
        self.is_any() && self.is_known
    }
}

impl std::fmt::Display for Reach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.is_known, self.most) {
            (true, Share::NONE) => f.write_str("none"),
            (true, most) => write!(f, "{most}"),
            (false, most) => write!(f, "up to {most}"),
        }
    }
}

/// Stage, clock, share and attempt.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(super) stage: Stage,
    /// Since when the rollout has turned back: see [`Stage::has_turned_back`].
    pub(super) turned_back_at: Option<Timestamp>,
    /// Since when a rollback is under way or done; None where none was begun.
    pub(super) rolled_back_since: Option<Timestamp>,
    /// When the restored version got the traffic back; None where none was begun, or not yet.
    pub(super) live_again_at: Option<Timestamp>,
    /// How the metrics were at the end of the rollback's watch; later readings do not change it.
    pub(super) recovery: Option<Recovery>,
    /// Why it turned back; None where the deployment failed before any traffic moved.
    pub(super) turned_back_for: Option<RollbackCause>,
    /// The version that was restored instead of the release's `previous`, by a `revert`.
    pub(super) restored: Option<String>,
    /// The rollback has reverted the fix on its branch.
    pub(super) reverted: bool,
    /// The number of the next event; a snapshot has it in its envelope.
    #[serde(skip)]
    pub(super) seq: u64,
    /// The time of the last input.
    pub(super) at: Option<Timestamp>,
    /// The time of the last `observe` or `tick`.
    pub(super) looked_at: Option<Timestamp>,
    /// No `observe` or `tick` since a `resume`, which repeats the questions from before the pause.
    pub(super) resumed: bool,
    /// The canary's confirmed share of the traffic.
    pub(super) share: Share,
    /// The number of the attempt: 1, and one more with each `supersede` and each `retry`.
    pub(super) attempt: u32,
}

impl Place {
    pub(super) fn new() -> Self {
        Self { attempt: 1, ..Self::default() }
    }

    /// The version that was restored instead of the release's `previous`.
    pub(crate) fn restored(&self) -> Option<&str> {
        self.restored.as_deref()
    }

    /// The version that a rollback restores, or restored, for a release with this `previous`.
    pub(crate) fn back_to<'a>(&'a self, previous: &'a str) -> &'a str {
        match &self.stage {
            Stage::RollingBack(way) => way.why.target(previous),
            _ => self.restored().unwrap_or(previous),
        }
    }

    /// Moves the clock with an input of this kind.
    pub(super) fn advance(&mut self, at: Timestamp, kind: InputKind) {
        self.seq += 1;
        self.at = Some(at);
        if kind.is_by_time() {
            (self.looked_at, self.resumed) = (Some(at), false);
        }
        self.resumed |= kind == InputKind::Resume;
    }

    /// Whether a moment has come since the last `observe` or `tick`.
    pub(crate) fn comes_now(&self, at: Timestamp, moment: Timestamp) -> bool {
        at >= moment && self.looked_at.is_none_or(|last| last < moment)
    }

    /// Whether the least time of the final validation ends with this evaluation: then a person is
    /// asked again about what was promoted before.
    pub(crate) fn validation_ends(&self, policy: &Policy, at: Timestamp) -> bool {
        self.validated_at(policy).is_some_and(|ends| self.comes_now(at, ends))
    }

    /// Whether the least time of the final validation is over: then a person may be asked about the
    /// end.
    pub(crate) fn is_validated(&self, policy: &Policy, at: Timestamp) -> bool {
        self.validated_at(policy).is_some_and(|ends| at >= ends)
    }

    /// When the least time of the final validation ends; None outside of it.
    fn validated_at(&self, policy: &Policy) -> Option<Timestamp> {
        match self.stage {
            Stage::FinalValidation { since } => Some(since + policy.final_validation().watch),
            _ => None,
        }
    }

    /// What an observation is for at this stage. `reach`: how much of the traffic the canary has.
    pub(super) fn purpose(&self, reach: impl FnOnce() -> Reach) -> Use {
        match &self.stage {
            Stage::Monitoring(_)
            | Stage::Gate { .. }
            | Stage::FinalValidation { .. }
            | Stage::Complete { .. }
            | Stage::Paused {
                from: Resume::Monitoring(_) | Resume::Gate(_) | Resume::FinalValidation { .. },
                ..
            } => Use::Watch,
            // The traffic stays as it is.
            Stage::Frozen { .. } if reach().is_steady() => Use::Watch,
            // Where all traffic moves at once, only these readings show the level before.
            Stage::Preparing if matches!(self.share, Share::NONE) => Use::Level,
            // Before any traffic moves, the deployment's own checks decide.
            Stage::Deploying(_)
            | Stage::Paused { from: Resume::Deploying(_) | Resume::Deployed(_), .. }
                if matches!(self.share, Share::NONE) =>
            {
                Use::Deploy
            }
            Stage::Deploying(_)
            | Stage::Paused { from: Resume::Deploying(_) | Resume::Deployed(_), .. }
            | Stage::Frozen { .. } => Use::Move,
            Stage::RollingBack(_) | Stage::RolledBack | Stage::Aborted
                if self.live_again_at.is_some() =>
            {
                Use::Return
            }
            Stage::RollingBack(_) => Use::Show,
            Stage::Preparing
            | Stage::Closed
            | Stage::RolledBack
            | Stage::Aborted
            | Stage::Failed => Use::Ignore,
        }
    }

    /// Whether the live version should be read beside the canary: a phase is watched or can be
    /// promoted, and both have traffic. While traffic moves, the live version may be gone already.
    pub(crate) fn expects_live(&self) -> bool {
        let stage = &self.stage;
        self.share < Share::ALL
            && matches!(
                stage,
                Stage::Monitoring(_) | Stage::Gate { .. } | Stage::FinalValidation { .. }
            )
    }

    /// Enters a stage; `recovery`: what the metrics show of a rollback that ends with it.
    pub(super) fn enter(&mut self, at: Timestamp, to: Stage, recovery: Option<Recovery>) {
        self.recovery = recovery;
        self.turned_back_at = to.has_turned_back().then(|| self.turned_back_at.unwrap_or(at));
        let begins = matches!(to, Stage::RollingBack(_)).then_some(at);
        let is_begun = self.rolled_back_since.is_some();
        self.rolled_back_since = self.rolled_back_since.or(begins).filter(|_| to.has_turned_back());
        self.live_again_at = match &to {
            Stage::RollingBack(way) => way.watching,
            Stage::RolledBack | Stage::Aborted if self.rolled_back_since.is_some() => {
                self.live_again_at.or(Some(at))
            }
            _ => None,
        };
        let returns = matches!(self.turned_back_for, Some(RollbackCause::Revert { .. }));
        self.turned_back_for = match &to {
            // A person repeats a failed rollback: the reason stays that of the first try.
            Stage::RollingBack(RollbackProgress { why: RollbackCause::Person, .. })
                if is_begun && !returns =>
            {
                self.turned_back_for.take().or(Some(RollbackCause::Person))
            }
            Stage::RollingBack(RollbackProgress { why, .. }) | Stage::Frozen { why, .. } => {
                Some(why.clone())
            }
            Stage::Aborted => self.turned_back_for.take().or(Some(RollbackCause::Abort)),
            Stage::RolledBack | Stage::Failed => self.turned_back_for.take(),
            _ => None,
        };
        self.stage = to;
    }

    /// Sets the number of lines after a snapshot was read; `Err` names what does not fit policy or log.
    pub(crate) fn resume(&mut self, policy: &Policy, seq: u64) -> Result<(), &'static str> {
        let turned_back = self.stage.has_turned_back();
        if self.at.is_none() || seq > MOST_LINES || u64::from(self.attempt) > seq {
            Err("the clock")
        } else if self.turned_back_at.is_some() != turned_back
            || (self.turned_back_for.is_some() && !turned_back)
            || (self.rolled_back_since.is_some() && !turned_back)
            || (self.live_again_at.is_some() && self.rolled_back_since.is_none())
        {
            Err("the rollback")
        } else if !self.stage.step().is_none_or(|step| step.is_of(policy)) {
            Err("the phase")
        } else {
            self.seq = seq;
            Ok(())
        }
    }
}

getters! {
    pub(crate) Place: self;

    stage: &Stage = &self.stage;
    turned_back_at: Option<Timestamp> = self.turned_back_at;
    rolled_back_since: Option<Timestamp> = self.rolled_back_since;
    live_again_at: Option<Timestamp> = self.live_again_at;
    recovery: Option<Recovery> = self.recovery;
    turned_back_for: Option<&RollbackCause> = self.turned_back_for.as_ref();
    seq: u64 = self.seq;
    at: Option<Timestamp> = self.at;
    looked_at: Option<Timestamp> = self.looked_at;
    resumed: bool = self.resumed;
    share: Share = self.share;
    attempt: u32 = self.attempt;
    /// Whether the rollback has reverted the fix on its branch.
    is_reverted: bool = self.reverted;
}
