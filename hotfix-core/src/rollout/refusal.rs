//! What the machine declines, and what it would take instead.

use crate::canonical::{CanonicalError, Digest};
use crate::deadline::DutyRefusal;
use crate::fact::FactError;
use crate::metric::ReadingError;
use crate::plan::PlanError;
use crate::text::quoted;
use crate::unit::{Name, RoleName, Span, Timestamp};

use super::action::ActionId;
use super::input::{InputError, InputKind, KnownTime};
use super::state::State;

/// A legal input that is not taken now. Nothing has changed but the log, where the refusal is logged.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// Why.
    pub reason: RefusalReason,
    /// What came.
    pub got: InputKind,
    /// In which state.
    pub state: State,
    /// What would be taken in this state.
    pub accepted: Vec<InputKind>,
    /// The log lines that this refusal adds; empty where it is not logged. To be appended like any other.
    pub events: String,
}

impl Refusal {
    /// The stable code of the reason.
    pub const fn code(&self) -> &'static str {
        self.reason.code()
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` is refused in state `{}`: {}", self.got, self.state, self.reason)
    }
}

impl std::error::Error for Refusal {}

/// Why an input is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RefusalReason {
    /// The state does not take it.
    #[error("taken here are {}", list(.accepted))]
    State {
        /// What is taken.
        accepted: Vec<InputKind>,
    },
    /// The time is before the last one known.
    #[error("its time {at} is before the last one known, {last}: send the present time")]
    Past {
        /// What came.
        at: Timestamp,
        /// The last time known.
        last: Timestamp,
    },
    /// The time is too far ahead.
    #[error(
        "its time {at} is more than {most} after the last one known, {last}: send a `tick` first if the clock is right"
    )]
    Future {
        /// What came.
        at: Timestamp,
        /// The last time known.
        last: Timestamp,
        /// The most.
        most: Span,
    },
    /// A tick that is too far ahead.
    #[error(
        "its time {at} is more than {most} after the last one known, {last}, and after what was waited for: is the clock \
         right? Then send a `tick` for each {most}"
    )]
    FarTick {
        /// What came.
        at: Timestamp,
        /// The last time known.
        last: Timestamp,
        /// The most.
        most: Span,
    },
    /// A time that seconds would be, where milliseconds are expected.
    #[error(
        "its time {at} is before 2001-09-09: were seconds given, where milliseconds are expected?"
    )]
    Seconds {
        /// What came.
        at: Timestamp,
    },
    /// The sender has not seen the whole log.
    #[error("the log's head is {head}, not {expected}: another driver was faster; replay the log")]
    StaleHead {
        /// The head.
        head: Digest,
        /// What the sender expected.
        expected: Digest,
    },
    /// No head can be checked where no log is made.
    #[error("this rollout makes no log, so it has no head to expect")]
    NoLog,
    /// No such action is pending.
    #[error("no action `{action}` is pending; pending are: {pending}")]
    NoSuchAction {
        /// What came.
        action: ActionId,
        /// What is pending.
        pending: String,
    },
    /// Something is missing before the start.
    #[error("{missing}{}", more_missing(*.more))]
    NotReady {
        /// What, in a sentence: the gravest first.
        missing: String,
        /// How many more things are missing.
        more: usize,
    },
    /// The policy cannot do what it says.
    #[error("the policy has a fault that keeps it from starting: {finding}{}", and_more(*.more))]
    PolicyDenied {
        /// The linter's first finding of level `deny`.
        finding: String,
        /// How many more there are.
        more: usize,
    },
    /// The policy has no such item or step.
    #[error("the policy has no checklist item or step `{item}`; the nearest is `{nearest}`")]
    NoSuchItem {
        /// What came.
        item: String,
        /// The nearest known one, or a dash.
        nearest: String,
    },
    /// Nobody of that role has approved.
    #[error("no approval of `{role}` is there to be taken back")]
    NoSuchApproval {
        /// The role.
        role: String,
    },
    /// The approval is of another plan.
    #[error(
        "the plan is {plan}, not {approved}: it was changed, so look at it again and approve it anew"
    )]
    PlanChanged {
        /// The plan that was approved.
        approved: Digest,
        /// This rollout's.
        plan: Digest,
    },
    /// The policy names who holds the role, and this is somebody else.
    #[error("`{role}` is held by {holders}, who has to say it")]
    NotTheHolder {
        /// The role.
        role: RoleName,
        /// Who holds it.
        holders: String,
    },
    /// The policy names no such role.
    #[error("the policy has no role `{role}`; the nearest is `{nearest}`")]
    NoSuchRole {
        /// What came.
        role: RoleName,
        /// The nearest known one, or a dash.
        nearest: String,
    },
    /// Who approves has approved in another role.
    #[error(
        "the same person approved as `{first}`, and two approvals are two people's: {who} is to say it, or take the other \
         one back with `withdraw`"
    )]
    SamePerson {
        /// The role of the approval that stands.
        first: RoleName,
        /// Who can give this one.
        who: String,
    },
    /// Nobody is named who heard it, or nobody else.
    #[error("a spoken approval names in `heard_by` who else heard it")]
    Unheard,
    /// No demand that the role serves takes the spoken word.
    #[error("the spoken word of `{role}` will not do: {remedy}")]
    NotSpoken {
        /// The role.
        role: RoleName,
        /// What would do.
        remedy: String,
    },
    /// After the start, with nothing left to approve.
    #[error("{}: {}", if *.met { "all approvals that may follow the start have been given" } else { "the policy lets no approval follow the start" }, "`report` a doubt, `pause` or `roll_back` instead")]
    NothingToApprove {
        /// There was something, and it is approved.
        met: bool,
    },
    /// An item is set aside without a reason.
    #[error("`{item}` is set aside without a reason: say in `{field}` why")]
    NoReason {
        /// The item.
        item: Name,
        /// Where the reason goes.
        field: &'static str,
    },
    /// What only a role may waive is checked, or waived by somebody else.
    #[error("`{item}` is waived or it holds: by {}, named in `role`, with the reason in `why`", waivers(.roles))]
    OnlyWaived {
        /// What.
        item: Name,
        /// The roles that may; empty: any.
        roles: Vec<RoleName>,
    },
    /// What goes on record names nobody.
    #[error("nobody is named: say in `by` whose word it is")]
    Nameless,
    /// Facts that the policy does not know, or that cannot be.
    #[error("at `/facts{}`: {fact}{}", .fact.path(), and_more_facts(*.more))]
    Fact {
        /// The first.
        fact: FactError,
        /// How many more there are.
        more: usize,
    },
    /// The policy does not let a person pass this phase before its gate.
    #[error(
        "the policy lets a person promote at the gate, not before: wait for it, or set `early_promotion`"
    )]
    TooEarly,
    /// The policy does not let a person revert, or not to this version.
    #[error("{}", barred(.only.as_deref()))]
    RevertBarred {
        /// The one version that may be reverted to. None: there is none.
        only: Option<String>,
    },
    /// A release that takes the place of itself, or is to be reverted to itself.
    #[error("`{version}` is the release under way: name another version")]
    SameRelease {
        /// The version.
        version: String,
    },
    /// A day without a time.
    #[error("at `/times/{day}`: a day cannot be taken back: give the time that it means now")]
    NoDay {
        /// Which.
        day: KnownTime,
    },
    /// The end of the final validation waits for items.
    #[error("the final validation waits for {open}: check or waive them first")]
    Unvalidated {
        /// Which.
        open: String,
    },
    /// The end of the final validation, with a fix that is not shown to work, and no reason.
    #[error(
        "the fix is not shown to work: say in `why` how it is known that it does, or `roll_back`"
    )]
    Unproven,
    /// Nothing is read, and the plan waits until that is mended.
    #[error("{when}, and the plan waits until that is mended: mend it, or `roll_back`")]
    Blind {
        /// What has happened, as the policy's contingency has it.
        when: String,
    },
    /// The release cannot be planned.
    #[error("{0}")]
    Plan(PlanError),
    /// The duty takes no such answer.
    #[error("{0}")]
    Duty(#[from] DutyRefusal),
    /// A key came with an input of another kind before.
    #[error("its key came with a `{first}` before: give each input a key of its own")]
    KeyReused {
        /// The kind it came with.
        first: InputKind,
    },
    /// Facts that canonical JSON cannot hold: a whole number beyond 2^53.
    #[error("the facts cannot be recorded: {0}")]
    Facts(CanonicalError),
    /// What followed could not be written. The state is ahead of the log: drop this rollout and replay the log.
    #[error("what followed cannot be recorded ({0}): drop this rollout and replay the log")]
    NotRecorded(CanonicalError),
    /// A reading that cannot be true or does not fit.
    #[error("{0}")]
    Reading(#[from] ReadingError),
    /// An input that was made of values, and that no document could be: a log that had it could not be read again.
    #[error("{0}")]
    Input(#[from] InputError),
}

fn barred(only: Option<&str>) -> String {
    match only {
        Some(version) => format!(
            "the policy lets a person revert to `{version}` alone: name that, or `roll_back`"
        ),
        None => "the policy lets nobody revert at once: `roll_back` instead".to_owned(),
    }
}

fn waivers(roles: &[RoleName]) -> String {
    if roles.is_empty() { "any role".to_owned() } else { quoted(roles, " or ") }
}

fn and_more_facts(more: usize) -> String {
    if more == 0 { String::new() } else { format!(" (and {more} more)") }
}

fn more_missing(more: usize) -> String {
    if more == 0 { String::new() } else { format!("; and {more} more: ask for the blockers") }
}

fn and_more(more: usize) -> String {
    if more == 0 { String::new() } else { format!(" (and {more} more: lint the policy)") }
}

impl RefusalReason {
    /// The stable code of this reason.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::State { .. } => "HF-ROLL-001",
            Self::Past { .. } => "HF-ROLL-002",
            Self::Future { .. } | Self::FarTick { .. } => "HF-ROLL-003",
            Self::StaleHead { .. } => "HF-ROLL-004",
            Self::NoLog => "HF-ROLL-005",
            Self::NoSuchAction { .. } => "HF-ROLL-006",
            Self::NotReady { .. } => "HF-ROLL-007",
            Self::PolicyDenied { .. } => "HF-ROLL-013",
            Self::NoSuchItem { .. } => "HF-ROLL-008",
            Self::NoSuchApproval { .. } => "HF-ROLL-009",
            Self::TooEarly => "HF-ROLL-010",
            Self::KeyReused { .. } => "HF-ROLL-011",
            Self::NotRecorded(_) => "HF-ROLL-012",
            Self::PlanChanged { .. } => "HF-ROLL-014",
            Self::NotTheHolder { .. } => "HF-ROLL-015",
            Self::Unheard => "HF-ROLL-016",
            Self::NotSpoken { .. } => "HF-ROLL-017",
            Self::NoSuchRole { .. } => "HF-ROLL-026",
            Self::SamePerson { .. } => "HF-ROLL-027",
            Self::NothingToApprove { .. } => "HF-ROLL-018",
            Self::NoReason { .. } => "HF-ROLL-019",
            Self::Nameless => "HF-ROLL-020",
            Self::RevertBarred { .. } => "HF-ROLL-021",
            Self::SameRelease { .. } => "HF-ROLL-022",
            Self::NoDay { .. } => "HF-ROLL-023",
            Self::Unvalidated { .. } => "HF-ROLL-024",
            Self::Seconds { .. } => "HF-ROLL-025",
            Self::OnlyWaived { .. } => "HF-ROLL-030",
            Self::Unproven => "HF-ROLL-031",
            Self::Blind { .. } => "HF-ROLL-032",
            Self::Plan(error) => error.code(),
            Self::Duty(refusal) => refusal.code(),
            Self::Fact { fact, .. } => fact.code(),
            Self::Facts(error) => error.code(),
            Self::Reading(error) => error.code(),
            Self::Input(error) => error.code(),
        }
    }

    /// A stale head says nothing about this rollout, nor does what is no input: neither is logged.
    pub(super) const fn is_logged(&self) -> bool {
        !matches!(
            self,
            Self::StaleHead { .. } | Self::NoLog | Self::NotRecorded(_) | Self::Input(_)
        )
    }
}

fn list(kinds: &[InputKind]) -> String {
    kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ")
}
