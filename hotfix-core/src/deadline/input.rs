//! Inputs of an agenda, and its refusals.

use crate::code::{code, coded};
use crate::fact::{Facts, Truth};
use crate::grade::{Calendar, DutyKind, Flow, Moment, Severity};
use crate::text::did_you_mean;
use crate::unit::{Name, RoleName, Timestamp};

/// An input of an agenda.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Input<'a> {
    /// The severity in force; None where it is not known.
    Severity(Option<Severity>),
    /// Whether the severity is only assumed: a notice to the public that depends on it waits.
    Assumed(bool),
    /// All known facts of the incident.
    Facts(&'a Facts),
    /// The fix is to be rolled back: that it is live holds back no escalation any more.
    TurnedBack,
    /// Whether the fix is a stop-gap. Unknown until stated.
    StopGap(Truth),
    /// How the release gets to its branches.
    Flow {
        /// Its branching model; None where that is not known.
        flow: Option<Flow>,
        /// Whether it is merged, before the deployment, into the only branch that needs it.
        merged: bool,
    },
    /// The rollback has reverted the fix on the branch that it was merged into.
    Reverted,
    /// Another attempt begins, of this release or another: it needs its own approvals.
    AnotherAttempt,
    /// Another release is tried: a former one was rolled back, or is replaced.
    AnotherRelease,
    /// A moment happened. The same moment again corrects its time; a time after the input's counts
    /// as the input's. `rolled_back` revokes that the fix was deployed and verified and the fault
    /// resolved.
    Moment { moment: Moment, at: Timestamp },
    /// The moment `rolled_back`, of a fix that was not needed: no fault is live again.
    NotNeeded,
    /// When a moment of the incident happened, as its documents have it: it may be after this input,
    /// which may be a reading of the time before. What counts from it has not begun before it.
    Stated { moment: Moment, at: Timestamp },
    /// What a fact says of a moment; None where the fact is not known any more. It counts unless the
    /// time was given otherwise.
    ByFact { moment: Moment, at: Option<Timestamp> },
    /// A moment is revoked: duties that count from it no longer apply, and apply again when it
    /// happens again. Revoking `resolved` reopens the incident, and its escalation counts from now.
    TakenBack(Moment),
    /// The time of a calendar day by which duties are due. It has to be after the moment that they
    /// count from. Of days the earliest one given stays; releases and sprints may be put off while
    /// they are ahead.
    Day { day: Calendar, at: Timestamp },
    /// Somebody in this role acts on the incident, which answers the pages to the role.
    Acted { role: RoleName },
    /// An approval that may follow the start was given or withdrawn.
    Approval {
        /// Its place among all demands: those of the whole policy first, then those of each
        /// severity, the most severe first; from 0.
        demand: usize,
        given: bool,
    },
    /// A checklist was completed, or an item of it was reopened.
    Checklist {
        /// Its place in the policy, from 0.
        list: usize,
        /// Whether no required item of it is open.
        complete: bool,
    },
    /// Somebody acknowledges a page.
    Acknowledge { duty: Name },
    /// A duty is done.
    Done { duty: Name },
}

/// The code of an answer to what is done already.
pub(crate) const ALREADY_DONE: &str = code! {HF-TIME-004};

coded! {
    /// Why an answer about a duty is refused. Nothing has changed.
    #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum DutyRefusal;

    /// There is no such duty.
    #[error("the policy has no duty `{duty}`: {}name one of its duties", did_you_mean(.nearest.as_deref()))]
    Unknown { duty: Name, nearest: Option<String> } => code! {HF-TIME-001},
    /// The duty does not apply to this incident.
    #[error(
        "`{duty}` does not apply to this incident by severity, facts or kind of fix: send \
         `set_severity` or `set_facts` first if they have changed"
    )]
    NotAsked { duty: Name } => code! {HF-TIME-002},
    /// Its time has not begun.
    #[error(
        "the time of `{duty}` begins with `{moment}`, which has not happened or was taken back: \
         wait for it"
    )]
    NotBegun { duty: Name, moment: Moment } => code! {HF-TIME-003},
    /// What is to be watched for a time has not been watched for so long.
    #[error("`{duty}` is to be watched until {until}: send `done` then")]
    TooEarly { duty: Name, until: Timestamp } => code! {HF-TIME-008},
    /// It is done already.
    #[error("`{duty}` was already done at {at}{}", again(*.next))]
    AlreadyDone { duty: Name, at: Timestamp, next: Option<Timestamp> } => ALREADY_DONE,
    /// It is over.
    #[error("`{duty}` ended at {at}: nobody has to do it any more")]
    Over { duty: Name, at: Timestamp } => code! {HF-TIME-005},
    /// The duty pages nobody.
    #[error(
        "`{duty}` is of kind `{kind}`, which cannot be acknowledged: send `done` when it is done"
    )]
    NotACall { duty: Name, kind: DutyKind } => code! {HF-TIME-006},
    /// Only an event settles the duty; an answer does not.
    #[error("`{duty}` cannot be answered: {by} settles it by itself")]
    SettledByItself { duty: Name, by: String } => code! {HF-TIME-007},
}

fn again(next: Option<Timestamp>) -> String {
    next.map_or_else(String::new, |next| format!(", and is due again from {next}"))
}
