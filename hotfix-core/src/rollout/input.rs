//! What comes in: typed commands. `document.rs` reads them, `docs/inputs.md` has them as documents.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::canonical::Digest;
use crate::grade::{Calendar, Moment, Severity, Signal, closed_set};
use crate::metric::Observation;
use crate::plan::Release;
use crate::unit::{Name, RoleName, Timestamp};

use super::action::ActionId;
use super::document::InputDocument;

closed_set! {
    /// The kind of an input.
    InputKind {
        /// A role approves the plan.
        Approve = "approve",
        /// A role denies it.
        Deny = "deny",
        /// An approval is taken back.
        Withdraw = "withdraw",
        /// A checklist item or a step is done, does not apply, or is open again.
        CheckItem = "check_item",
        /// A checklist item or a step is waived.
        WaiveItem = "waive_item",
        /// Go.
        Start = "start",
        /// An action was done.
        Confirm = "confirm",
        /// An action failed.
        Failed = "failed",
        /// Metrics were read.
        Observe = "observe",
        /// Time has passed.
        Tick = "tick",
        /// A person lets a phase pass.
        Promote = "promote",
        /// A person objects to a promotion.
        Hold = "hold",
        /// A person stops the clock.
        Pause = "pause",
        /// A person lets it run again.
        Resume = "resume",
        /// A person ends it.
        Abort = "abort",
        /// A person wants to go back.
        RollBack = "roll_back",
        /// A person wants a known version at once.
        Revert = "revert",
        /// Another release takes the place of the one under way (FIELD-9).
        Supersede = "supersede",
        /// What went back or was stopped is tried again (FIELD-13).
        Retry = "retry",
        /// Somebody or a check reports trouble.
        Report = "report",
        /// Somebody who was called takes a duty on (TIME-1).
        Acknowledge = "acknowledge",
        /// A duty is done (TIME-3).
        Done = "done",
        /// The severity is set anew.
        SetSeverity = "set_severity",
        /// Facts become known.
        SetFacts = "set_facts",
        /// Times become known that only people or calendars know.
        SetTimes = "set_times",
        /// A remark for the record.
        Note = "note",
    }
    /// A time that only people or calendars know, by name.
    KnownTime {
        /// The fault began.
        Began = "began",
        /// Somebody or something noticed it.
        Detected = "detected",
        /// It was called an incident; without it, the time of the first input.
        Declared = "declared",
        /// Work on the fix began.
        FixStarted = "fix_started",
        /// The fix was seen to work; without it, when the final validation passed.
        Verified = "verified",
        /// The fault is over for users; without it, when the final validation passed.
        Resolved = "resolved",
        /// The incident was closed; without it, when the rollout was.
        Closed = "closed",
        /// By when something is due by the next day on which the house works.
        NextBusinessDay = "next_business_day",
        /// By when something is due the day after.
        NextDay = "next_day",
        /// The next regular release.
        NextRelease = "next_release",
        /// The next sprint.
        NextSprint = "next_sprint",
    }
    /// What became of a checklist item.
    ItemStatus {
        /// It is done.
        Done = "done",
        /// It does not apply.
        NotApplicable = "not_applicable",
        /// It is not: what was said before was a slip.
        Open = "open",
    }
}

impl KnownTime {
    /// As what an agenda takes it.
    pub(super) const fn meaning(self) -> TimeMeaning {
        match self {
            Self::Began => TimeMeaning::Moment(Moment::Began),
            Self::Detected => TimeMeaning::Moment(Moment::Detected),
            Self::Declared => TimeMeaning::Moment(Moment::Declared),
            Self::FixStarted => TimeMeaning::Moment(Moment::FixStarted),
            Self::Verified => TimeMeaning::Moment(Moment::Verified),
            Self::Resolved => TimeMeaning::Moment(Moment::Resolved),
            Self::Closed => TimeMeaning::Moment(Moment::Closed),
            Self::NextBusinessDay => TimeMeaning::Day(Calendar::NextBusinessDay),
            Self::NextDay => TimeMeaning::Day(Calendar::NextDay),
            Self::NextRelease => TimeMeaning::Day(Calendar::NextRelease),
            Self::NextSprint => TimeMeaning::Day(Calendar::NextSprint),
        }
    }
}

/// A moment of the incident, or a day.
pub(super) enum TimeMeaning {
    Moment(Moment),
    Day(Calendar),
}

impl InputKind {
    /// Taken at the last known time where the clock stepped back: nothing may keep them out.
    pub const fn is_urgent(self) -> bool {
        matches!(self, Self::RollBack | Self::Abort | Self::Revert | Self::Report)
    }

    /// May come from a machine: no actor is asked for.
    pub(super) const fn needs_actor(self) -> bool {
        !matches!(self, Self::Observe | Self::Tick)
    }
}

/// One input with its actor.
///
/// ```
/// use hotfix_core::rollout::{Command, Input};
/// let input = Input::from_json(r#"{"kind": "pause", "by": "lena", "why": "lunch is not a reason"}"#)?;
/// assert!(matches!(input.command, Command::Pause { .. }));
/// let error = Input::from_json(r#"{"kind": "pause"}"#).unwrap_err();
/// assert_eq!(error.code(), "HF-IN-003");
/// # Ok::<(), hotfix_core::rollout::InputError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Who. Personal: logged as a salted digest, the name beside the hashed part.
    pub by: Option<String>,
    /// The same key again changes nothing and gets the same answer; 1 to 256 bytes.
    pub key: Option<String>,
    /// The log head that the sender has seen; refused where it is no longer the head (FIELD-10).
    pub expected_head: Option<Digest>,
    /// What.
    pub command: Command,
}

/// What an input asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// See [`InputKind::Approve`].
    Approve {
        /// In which role.
        role: RoleName,
        /// Where it was said.
        channel: Option<String>,
        /// Who heard it, where it was said aloud. Personal.
        heard_by: Option<String>,
        /// The plan that is approved; refused where it is not this rollout's.
        plan_digest: Option<Digest>,
        /// Why.
        why: Option<String>,
    },
    /// See [`InputKind::Deny`].
    Deny {
        /// In which role.
        role: RoleName,
        /// Why.
        why: Option<String>,
    },
    /// See [`InputKind::Withdraw`].
    Withdraw {
        /// In which role.
        role: RoleName,
        /// Why.
        why: Option<String>,
    },
    /// See [`InputKind::CheckItem`].
    CheckItem {
        /// The id of an item, or of a step of the procedure (PLAN-8).
        item: Name,
        /// Done, not applicable, or open again.
        status: ItemStatus,
        /// What shows it.
        evidence: Option<String>,
    },
    /// See [`InputKind::WaiveItem`].
    WaiveItem {
        /// The id of an item, of a step of the procedure, or of an [`Exception`](crate::gate::Exception).
        item: Name,
        /// In which role; an exception asks for one.
        role: Option<RoleName>,
        /// Why.
        why: String,
    },
    /// See [`InputKind::Start`].
    Start,
    /// See [`InputKind::Confirm`].
    Confirm {
        /// The action's id.
        action: ActionId,
    },
    /// See [`InputKind::Failed`].
    Failed {
        /// The action's id.
        action: ActionId,
        /// Why.
        why: Option<String>,
    },
    /// See [`InputKind::Observe`].
    Observe {
        /// What each metric read.
        metrics: Observation,
    },
    /// See [`InputKind::Tick`].
    Tick,
    /// See [`InputKind::Promote`].
    Promote {
        /// Why.
        why: Option<String>,
    },
    /// See [`InputKind::Hold`].
    Hold {
        /// Why.
        why: Option<String>,
    },
    /// See [`InputKind::Pause`].
    Pause {
        /// Why.
        why: Option<String>,
    },
    /// See [`InputKind::Resume`].
    Resume {
        /// Why.
        why: Option<String>,
    },
    /// See [`InputKind::Abort`].
    Abort {
        /// Why.
        why: Option<String>,
    },
    /// See [`InputKind::RollBack`].
    RollBack {
        /// Why.
        why: Option<String>,
    },
    /// See [`InputKind::Revert`].
    Revert {
        /// To which version.
        version: String,
        /// Why.
        why: String,
    },
    /// See [`InputKind::Supersede`].
    Supersede {
        /// The release that takes the place.
        release: Box<Release>,
        /// Why.
        why: String,
    },
    /// See [`InputKind::Retry`].
    Retry {
        /// Another release than the one that was tried. None: the same.
        release: Option<Box<Release>>,
        /// Why.
        why: String,
    },
    /// See [`InputKind::Acknowledge`].
    Acknowledge {
        /// The duty's id.
        duty: Name,
        /// In words.
        evidence: Option<String>,
    },
    /// See [`InputKind::Done`].
    Done {
        /// The duty's id.
        duty: Name,
        /// What shows it.
        evidence: Option<String>,
    },
    /// See [`InputKind::Report`].
    Report {
        /// What is reported.
        signal: Signal,
        /// In words.
        note: Option<String>,
    },
    /// See [`InputKind::SetSeverity`].
    SetSeverity {
        /// The new severity.
        severity: Severity,
        /// Why.
        why: Option<String>,
    },
    /// See [`InputKind::SetFacts`].
    SetFacts {
        /// Facts by name.
        facts: Map<String, Value>,
        /// Why.
        why: Option<String>,
    },
    /// See [`InputKind::SetTimes`].
    SetTimes {
        /// Times by name. None: what was a moment did not come, or came too soon.
        times: BTreeMap<KnownTime, Option<Timestamp>>,
        /// Why.
        why: Option<String>,
    },
    /// See [`InputKind::Note`].
    Note {
        /// The remark.
        text: String,
    },
}

/// An input document that is none. The caller's value is wrong; nothing was logged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// It is no JSON object of the known fields.
    #[error("the input cannot be read: {fault}")]
    Syntax {
        /// What is wrong, and where.
        fault: String,
    },
    /// The kind is unknown.
    #[error("`{got}` is no kind of input; the nearest is `{nearest}`")]
    Kind {
        /// What came.
        got: String,
        /// The nearest known one.
        nearest: InputKind,
    },
    /// A field is missing.
    #[error("`{kind}` needs `{field}`")]
    Missing {
        /// The kind.
        kind: InputKind,
        /// The field.
        field: &'static str,
    },
    /// A field does not belong to the kind.
    #[error("`{kind}` takes no `{field}`")]
    Unexpected {
        /// The kind.
        kind: InputKind,
        /// The field.
        field: &'static str,
    },
    /// A key that is empty would be the same for every input.
    #[error("`{field}` is empty: leave it out, or give it a value")]
    Empty {
        /// The field.
        field: &'static str,
    },
    /// A text is longer than anything a log should hold.
    #[error("`{field}` has {bytes} bytes: at most {most}")]
    TooLong {
        /// The field.
        field: &'static str,
        /// Its length.
        bytes: usize,
        /// The most.
        most: usize,
    },
}

impl InputError {
    /// A list would be read as fields in order.
    fn no_object() -> Self {
        Self::Syntax { fault: "it is no JSON object".to_owned() }
    }

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "HF-IN-001",
            Self::Kind { .. } => "HF-IN-002",
            Self::Missing { .. } => "HF-IN-003",
            Self::Unexpected { .. } => "HF-IN-004",
            Self::TooLong { .. } => "HF-IN-005",
            Self::Empty { .. } => "HF-IN-006",
        }
    }

    /// Where: a JSON Pointer into the document; empty where it cannot be read as a whole.
    pub fn path(&self) -> String {
        match self {
            Self::Syntax { .. } => String::new(),
            Self::Kind { .. } => "/kind".to_owned(),
            Self::Missing { field, .. }
            | Self::Unexpected { field, .. }
            | Self::Empty { field }
            | Self::TooLong { field, .. } => format!("/{field}"),
        }
    }
}

impl Input {
    /// A command without an actor, key or expected head.
    pub const fn new(command: Command) -> Self {
        Self { by: None, key: None, expected_head: None, command }
    }

    /// Who asks for it.
    #[must_use]
    pub fn by(self, actor: &str) -> Self {
        Self { by: Some(actor.to_owned()), ..self }
    }

    /// An observation without an actor.
    pub const fn observe(metrics: Observation) -> Self {
        Self::new(Command::Observe { metrics })
    }

    /// Reads a document of `docs/inputs.md`.
    ///
    /// # Errors
    /// `HF-IN-001` to `HF-IN-006`.
    pub fn from_json(text: &str) -> Result<Self, InputError> {
        if !text.trim_start().starts_with('{') {
            return Err(InputError::no_object());
        }
        let document: InputDocument =
            serde_json::from_str(text).map_err(|e| InputError::Syntax { fault: e.to_string() })?;
        document.try_into()
    }

    /// Reads a document that is already parsed.
    ///
    /// # Errors
    /// `HF-IN-001` to `HF-IN-006`.
    pub fn from_value(value: Value) -> Result<Self, InputError> {
        if !value.is_object() {
            return Err(InputError::no_object());
        }
        let document: InputDocument = serde_json::from_value(value)
            .map_err(|e| InputError::Syntax { fault: e.to_string() })?;
        document.try_into()
    }
}

impl Command {
    /// Whether its line names the plan that it is about: the one approved, or the one it begins anew with.
    pub(super) const fn is_of_the_plan(&self) -> bool {
        matches!(self, Self::Approve { .. } | Self::Supersede { .. } | Self::Retry { .. })
    }

    /// The kind of this command.
    pub const fn kind(&self) -> InputKind {
        match self {
            Self::Approve { .. } => InputKind::Approve,
            Self::Deny { .. } => InputKind::Deny,
            Self::Withdraw { .. } => InputKind::Withdraw,
            Self::CheckItem { .. } => InputKind::CheckItem,
            Self::WaiveItem { .. } => InputKind::WaiveItem,
            Self::Start => InputKind::Start,
            Self::Confirm { .. } => InputKind::Confirm,
            Self::Failed { .. } => InputKind::Failed,
            Self::Observe { .. } => InputKind::Observe,
            Self::Tick => InputKind::Tick,
            Self::Promote { .. } => InputKind::Promote,
            Self::Hold { .. } => InputKind::Hold,
            Self::Pause { .. } => InputKind::Pause,
            Self::Resume { .. } => InputKind::Resume,
            Self::Abort { .. } => InputKind::Abort,
            Self::RollBack { .. } => InputKind::RollBack,
            Self::Revert { .. } => InputKind::Revert,
            Self::Supersede { .. } => InputKind::Supersede,
            Self::Retry { .. } => InputKind::Retry,
            Self::Acknowledge { .. } => InputKind::Acknowledge,
            Self::Done { .. } => InputKind::Done,
            Self::Report { .. } => InputKind::Report,
            Self::SetSeverity { .. } => InputKind::SetSeverity,
            Self::SetFacts { .. } => InputKind::SetFacts,
            Self::SetTimes { .. } => InputKind::SetTimes,
            Self::Note { .. } => InputKind::Note,
        }
    }
}
