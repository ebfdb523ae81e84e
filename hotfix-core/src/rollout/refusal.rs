//! Refusals: why an input is not accepted, and what would be.

use crate::canonical::{CanonicalError, Digest};
use crate::code::{code, coded};
use crate::deadline::DutyRefusal;
use crate::fact::FactError;
use crate::getters::members;
use crate::grade::Severity;
use crate::metric::ReadingError;
use crate::plan::PlanError;
use crate::text::{did_you_mean, quoted};
use crate::unit::{Name, RoleName, Span, Timestamp};

use super::action::ActionId;
use super::input::{InputError, InputKind, KnownTime};
use super::stage::State;

/// A valid input that is not accepted now. The state is unchanged; the log gets a line where the
/// refusal is logged.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("`{got}` is refused in state `{state}`: {reason}")]
pub struct Refusal {
    /// Why it is refused.
    pub reason: RefusalReason,
    /// The kind of the input.
    pub got: InputKind,
    /// The state that refused it.
    pub state: State,
    /// The kinds that this state accepts.
    pub accepted: Vec<InputKind>,
    /// The log lines that this refusal adds; empty where it is not logged. Append them like
    /// any other.
    pub events: String,
}

impl Refusal {
    /// The stable code of the reason.
    pub const fn code(&self) -> &'static str {
        self.reason.code()
    }

    /// The place in the input as a JSON Pointer: `/metrics/error_rate/canary/pod-7`. Empty where no
    /// one field is why.
    pub fn path(&self) -> String {
        self.reason.path()
    }
}

// Its lines are no part of its document.
members! {
    Refusal: self;
    accepted = self.accepted, code = self.code(), got = self.got, message = self.to_string(),
    path = self.path(), state = self.state,
}

impl RefusalReason {
    /// See [`Refusal::path`].
    pub fn path(&self) -> String {
        let field = match self {
            Self::Reading(error) => return error.path(),
            Self::Input(error) => return error.path(),
            Self::Plan(error) => return error.path(),
            Self::Fact { fact, .. } => return format!("/facts{}", fact.path()),
            Self::ImpossibleTime { path, .. } | Self::NoSuchItem { path, .. } => {
                return path.clone();
            }
            Self::NoDay { day: time } | Self::Over { time } => return format!("/times/{time}"),
            Self::NoReason { field, .. } => return format!("/{field}"),
            Self::NoSuchSeverity { .. } => "/severity",
            Self::StaleHead { .. } | Self::NoLog => "/expected_head",
            Self::KeyReused { .. } => "/key",
            Self::NoSuchAction { .. } => "/action",
            Self::PlanChanged { .. } => "/plan_digest",
            Self::NoSuchRole { .. } | Self::NotTheHolder { .. } | Self::NoSuchApproval { .. } => {
                "/role"
            }
            Self::NotSpoken { .. } => "/channel",
            Self::Unheard => "/heard_by",
            Self::Nameless | Self::OwnReview { .. } | Self::SamePerson { .. } => "/by",
            Self::NoRollbackPoint { .. } => "/evidence",
            Self::Unproven { .. } => "/why",
            Self::Duty(_) => "/duty",
            Self::NotLive { .. } => "/release/previous",
            Self::Facts(_) => "/facts",
            _ => "",
        };
        field.to_owned()
    }
}

/// What leads on where nothing is deployed any more.
const FAILED: &str = "; to deploy another version, send `retry` with `release`; once the incident is \
     over, send `set_times` with `resolved`";

/// The code of a time that is too far ahead, whatever the input.
const TOO_FAR: &str = code! {HF-ROLL-003};

coded! {
    /// Why an input is refused.
    #[derive(Clone, Debug, PartialEq, thiserror::Error)]
    pub enum RefusalReason;

    /// The state does not accept it.
    #[error("accepted in this state: {}{}", list(.accepted), if *.failed { FAILED } else { "" })]
    State {
        accepted: Vec<InputKind>,
        /// It is about a fix that is not deployed any more, and another attempt may follow.
        failed: bool,
    } => code! {HF-ROLL-001},
    /// The time is before the last recorded input.
    #[error(
        "timestamp {at} is earlier than the last recorded input ({last}): send the current time; if \
         it is that, an earlier input had a wrong one: send this from {last} on, or `roll_back` now"
    )]
    Past { at: Timestamp, last: Timestamp } => code! {HF-ROLL-002},
    /// The time is too far ahead.
    #[error(
        "timestamp {at} is more than {most} after the last recorded input ({last}): check the \
         clock; if it is right, send a `tick` first"
    )]
    Future { at: Timestamp, last: Timestamp, most: Span } => TOO_FAR,
    /// A tick that is too far ahead.
    #[error(
        "timestamp {at} is more than {most} after the last recorded input ({last}) and after the \
         time of the next tick: \
         check the clock; if it is right, send one `tick` for each {most}"
    )]
    FarTick { at: Timestamp, last: Timestamp, most: Span } => TOO_FAR,
    /// A time apparently in seconds, where milliseconds are expected.
    #[error("timestamp {at} is before 2001-09-09: send milliseconds, not seconds")]
    Seconds { at: Timestamp } => code! {HF-ROLL-025},
    /// The sender has not seen the whole log.
    #[error(
        "the log's head is {head}, expected {expected}: another process appended to this log \
         since you read it; replay the log and try again"
    )]
    StaleHead { head: Digest, expected: Digest } => code! {HF-ROLL-004},
    /// A rollout without a log has no head to compare with.
    #[error("this rollout writes no log, so it has no head: omit `expected_head`")]
    NoLog => code! {HF-ROLL-005},
    /// No such action awaits its result.
    #[error("action `{action}` is not awaiting a result (awaiting: {pending})")]
    NoSuchAction { action: ActionId, pending: String } => code! {HF-ROLL-006},
    /// Something is missing before the start.
    #[error("{missing}{}", and_more("; ", *.more, ": see the blockers"))]
    NotReady { missing: String, more: usize } => code! {HF-ROLL-007},
    /// The policy has an error that prevents a start.
    #[error("the policy has an error that prevents a start: {finding}{}", and_more(" (", *.more, ": lint the policy)"))]
    PolicyDenied { finding: String, more: usize } => code! {HF-ROLL-013},
    /// The policy has no such item or step.
    #[error("the policy has no checklist item or step `{item}`: {}name one that it has", did_you_mean(.nearest.as_deref()))]
    NoSuchItem { item: String, nearest: Option<String>, path: String } => code! {HF-ROLL-008},
    /// The role has not approved.
    #[error("role `{role}` has no approval that could be withdrawn{}", if *.denied { ": send `approve` to lift its denial" } else { "" })]
    NoSuchApproval {
        role: RoleName,
        /// It has denied the plan.
        denied: bool,
    } => code! {HF-ROLL-009},
    /// The approval is for another plan.
    #[error(
        "the plan is {plan}, not {approved}: it was changed, so read it again and approve the new \
         one"
    )]
    PlanChanged { approved: Digest, plan: Digest } => code! {HF-ROLL-014},
    /// The policy names who holds the role, and this is somebody else.
    #[error("`{role}` is held by {holders}: nobody else can act in this role")]
    NotTheHolder { role: RoleName, holders: String } => code! {HF-ROLL-015},
    /// The policy names no such role.
    #[error("the policy has no role `{role}`; {instead}")]
    NoSuchRole { role: RoleName, instead: String } => code! {HF-ROLL-026},
    /// The same person has approved in another role.
    #[error("the same person approved as `{first}`, {remedy}")]
    SamePerson { first: RoleName, remedy: String } => code! {HF-ROLL-027},
    /// A verbal approval without a second person who heard it.
    #[error("a verbal approval needs `heard_by`: name another person who heard it")]
    Unheard => code! {HF-ROLL-016},
    /// No demand that the role serves accepts a verbal approval.
    #[error("verbal approval by `{role}` is not accepted: {remedy}")]
    NotSpoken { role: RoleName, remedy: String } => code! {HF-ROLL-017},
    /// An approval after the start, with nothing left to approve.
    #[error("{}: to object, send {}", if *.met { "all approvals that may follow the start have been given" } else { "the policy lets no approval follow the start" }, quoted(.instead, " or "))]
    NothingToApprove {
        /// There were demands that may follow the start, and all are approved.
        met: bool,
        /// How to object in this state.
        instead: Vec<InputKind>,
    } => code! {HF-ROLL-018},
    /// An item is waived, or marked as not applicable, without a reason.
    #[error("`{item}` cannot be set aside without a reason: give it in `{field}`")]
    NoReason { item: Name, field: &'static str } => code! {HF-ROLL-019},
    /// An item that only a role may waive was checked, or waived without that role.
    #[error("`{item}` can only be waived, by {}: send `waive_item` with `role` and the reason in `why`", waivers(.roles))]
    OnlyWaived {
        item: Name,
        /// The roles that may; empty: any.
        roles: Vec<RoleName>,
    } => code! {HF-ROLL-030},
    /// The author of the fix checked a review of it, or set a required one as not applicable.
    #[error(
        "`{item}` is a review, and the author of the fix cannot {}: let somebody else check it, or send \
         `waive_item` with the reason in `why`",
        if *.aside { "set it as not applicable" } else { "make it" }
    )]
    OwnReview {
        item: Name,
        /// It was sent as not applicable.
        aside: bool,
    } => code! {HF-ROLL-041},
    /// A success criterion was confirmed against the log.
    #[error("`{item}` is not so: {fact}. Leave it open, or send `not_applicable` with a reason")]
    Contrary {
        item: Name,
        /// What the log has.
        fact: String,
    } => code! {HF-ROLL-042},
    /// An item that records the rollback point was checked without naming it.
    #[error(
        "`{item}` has to name the rollback point: give the commit, artifact or deployment to roll back to in `evidence`"
    )]
    NoRollbackPoint { item: Name } => code! {HF-ROLL-043},
    /// The input names nobody.
    #[error("`by` is blank: name the person or tool")]
    Nameless => code! {HF-ROLL-020},
    /// Facts that the policy does not know, or whose values are not valid.
    #[error("at `/facts{}`: {fact}{}", .fact.path(), and_more(" (", *.more, ")"))]
    Fact { fact: FactError, more: usize } => fact.code(),
    /// The policy has severities, and not this one.
    #[error("at `/severity`: the policy has no severity `{severity}`: set one of {known}")]
    NoSuchSeverity { severity: Severity, known: String } => code! {HF-ROLL-037},
    /// Nobody was asked to decide, and the policy does not let a person promote earlier.
    #[error("there is nothing to decide yet: wait for the end of the watch, or for a question")]
    TooEarly => code! {HF-ROLL-010},
    /// The policy does not allow a revert, or not to this version.
    #[error("{}", barred(.only.as_deref()))]
    RevertBarred {
        /// The only version that a revert may name; None: a revert is not allowed.
        only: Option<String>,
    } => code! {HF-ROLL-021},
    /// A release is superseded by itself, or reverted to itself.
    #[error("`{version}` is the release under way: name another version")]
    SameRelease { version: String } => code! {HF-ROLL-022},
    /// A date without a time.
    #[error("at `/times/{day}`: a date cannot be removed with `null`: send the new date")]
    NoDay { day: KnownTime } => code! {HF-ROLL-023},
    /// A time at which it cannot have happened; `fault` says what is wrong, and what is expected.
    #[error("at `{path}`: {got} is {fault}")]
    ImpossibleTime { path: String, got: Timestamp, fault: String } => code! {HF-ROLL-036},
    /// The incident of a closed rollout is to be open again.
    #[error(
        "at `/times/{time}`: the rollout is closed, and nobody would be asked about the fix: open \
         another incident, or send the right time"
    )]
    Over { time: KnownTime } => code! {HF-ROLL-044},
    /// The final validation waits for items.
    #[error("the final validation waits for {open}: check or waive them first")]
    Unvalidated { open: String } => code! {HF-ROLL-024},
    /// `promote` without a reason at the end of the final validation, though the fix is not shown
    /// to work, or readings are missing for which the policy makes the severity wait.
    #[error("{lacks}: say in `why` how it is known to work, or `roll_back`")]
    Unproven { lacks: &'static str } => code! {HF-ROLL-031},
    /// No deciding metric has data, and the policy makes the rollout wait.
    #[error("{when}, and the policy makes the rollout wait: restore the readings, or `roll_back`")]
    Blind { when: String } => code! {HF-ROLL-032},
    /// A first release, where there is one that could be replaced.
    #[error("the release is `{version}`: send `supersede` to replace it")]
    HasRelease { version: String } => code! {HF-ROLL-033},
    /// A release is replaced before there is one.
    #[error("there is no release yet that could be replaced: send `release`")]
    NoRelease => code! {HF-ROLL-034},
    /// Another attempt whose `previous` is not the version that a `revert` restored.
    #[error(
        "`{live}` was restored and is live, not `{previous}`: give a release whose `previous` is `{live}`"
    )]
    NotLive { live: String, previous: String } => code! {HF-ROLL-035},
    /// The release cannot be planned.
    #[error("{0}")]
    Plan(error: #[from] PlanError) => error.code(),
    /// The duty does not accept this answer.
    #[error("{0}")]
    Duty(refusal: #[from] DutyRefusal) => refusal.code(),
    /// The key was used by another input.
    #[error("its key was already used by another input, a `{first}`: give each input its own key")]
    KeyReused { first: InputKind } => code! {HF-ROLL-011},
    /// Facts that canonical JSON cannot hold: a whole number beyond 2^53.
    #[error("the facts cannot be recorded: {0}")]
    Facts(error: CanonicalError) => error.code(),
    /// The outcome could not be written. The state is ahead of the log: discard this rollout and
    /// replay it.
    #[error(
        "the outcome of this input cannot be recorded ({0}): the state is ahead of the log, so \
         discard this rollout and replay the log"
    )]
    NotRecorded(_: CanonicalError) => code! {HF-ROLL-012},
    /// A reading that is impossible or does not fit the metric.
    #[error("{0}")]
    Reading(error: #[from] ReadingError) => error.code(),
    /// An input built from values that no document can express: its log could not be read again.
    #[error("{0}")]
    Input(error: #[from] InputError) => error.code(),
}

fn barred(only: Option<&str>) -> String {
    match only {
        Some(version) => format!(
            "the policy allows a revert to `{version}` only: name that version, or send `roll_back`"
        ),
        None => "the policy allows no revert: send `roll_back` instead".to_owned(),
    }
}

/// The roles that can waive, quoted; `any role` without a list.
pub(super) fn waivers(roles: &[RoleName]) -> String {
    if roles.is_empty() { "any role".to_owned() } else { quoted(roles, " or ") }
}

/// How many more there are: `(and 2 more: lint the policy)`; empty for none.
fn and_more(before: &str, more: usize, after: &str) -> String {
    if more == 0 { String::new() } else { format!("{before}and {more} more{after}") }
}

impl RefusalReason {
    /// Whether the input would be accepted with another time.
    pub const fn is_of_the_clock(&self) -> bool {
        matches!(
            self,
            Self::Past { .. } | Self::Future { .. } | Self::FarTick { .. } | Self::Seconds { .. }
        )
    }

    /// Whether the refusal is logged: a stale head and an invalid input are not about this rollout.
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
