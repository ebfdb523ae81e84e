//! What comes in: typed commands, read from flat documents (design section 5).

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::canonical::Digest;
use crate::grade::{Severity, Signal, closed_set};
use crate::metric::Observation;
use crate::unit::{Name, RoleName};

use super::action::ActionId;

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
        /// Somebody or a check reports trouble.
        Report = "report",
        /// The severity is set anew.
        SetSeverity = "set_severity",
        /// Facts become known.
        SetFacts = "set_facts",
        /// A remark for the record.
        Note = "note",
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

impl InputKind {
    /// Taken at the last known time where the clock stepped back: nothing may keep them out.
    pub const fn is_urgent(self) -> bool {
        matches!(self, Self::RollBack | Self::Abort | Self::Revert | Self::Report)
    }

    /// May come from a machine: no actor is asked for.
    const fn needs_actor(self) -> bool {
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
        /// The id of an item, or of a step of the procedure.
        item: Name,
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

    /// Reads a document of design section 5.
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

/// Every field that an input of some kind has, flat as on the wire.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct InputDocument {
    pub(super) kind: String,
    pub(super) by: Option<String>,
    pub(super) key: Option<String>,
    pub(super) expected_head: Option<Digest>,
    pub(super) action: Option<ActionId>,
    pub(super) channel: Option<String>,
    pub(super) evidence: Option<String>,
    pub(super) facts: Option<Map<String, Value>>,
    pub(super) heard_by: Option<String>,
    pub(super) item: Option<Name>,
    pub(super) metrics: Option<Observation>,
    pub(super) note: Option<String>,
    pub(super) plan_digest: Option<Digest>,
    pub(super) role: Option<RoleName>,
    pub(super) severity: Option<Severity>,
    pub(super) signal: Option<Signal>,
    pub(super) status: Option<ItemStatus>,
    pub(super) text: Option<String>,
    pub(super) version: Option<String>,
    pub(super) why: Option<String>,
}

impl InputDocument {
    /// Longest free text.
    const LONGEST: usize = 4096;
    /// Longest name or key.
    const LONGEST_NAME: usize = 256;

    fn command(&mut self, kind: InputKind) -> Result<Command, InputError> {
        let missing = |field| InputError::Missing { kind, field };
        let why = self.why.take();
        Ok(match kind {
            InputKind::Approve => Command::Approve {
                role: self.role.take().ok_or(missing("role"))?,
                channel: self.channel.take(),
                heard_by: self.heard_by.take(),
                plan_digest: self.plan_digest.take(),
                why,
            },
            InputKind::Deny => {
                Command::Deny { role: self.role.take().ok_or(missing("role"))?, why }
            }
            InputKind::Withdraw => {
                Command::Withdraw { role: self.role.take().ok_or(missing("role"))?, why }
            }
            InputKind::CheckItem => {
                // Of `why` and `evidence` either says what shows it.
                let evidence = self.evidence.take().or(why);
                Command::CheckItem {
                    item: self.item.take().ok_or(missing("item"))?,
                    status: self.status.take().unwrap_or(ItemStatus::Done),
                    evidence,
                }
            }
            InputKind::WaiveItem => Command::WaiveItem {
                item: self.item.take().ok_or(missing("item"))?,
                why: why.ok_or(missing("why"))?,
            },
            InputKind::Start => {
                self.why = why;
                Command::Start
            }
            InputKind::Confirm => {
                self.why = why;
                Command::Confirm { action: self.action.take().ok_or(missing("action"))? }
            }
            InputKind::Failed => {
                Command::Failed { action: self.action.take().ok_or(missing("action"))?, why }
            }
            InputKind::Observe => {
                self.why = why;
                Command::Observe { metrics: self.metrics.take().ok_or(missing("metrics"))? }
            }
            InputKind::Tick => {
                self.why = why;
                // An empty observation is a tick that says so.
                if self.metrics.as_ref().is_some_and(Observation::is_empty) {
                    self.metrics = None;
                }
                Command::Tick
            }
            InputKind::Promote => Command::Promote { why },
            InputKind::Hold => Command::Hold { why },
            InputKind::Pause => Command::Pause { why },
            InputKind::Resume => Command::Resume { why },
            InputKind::Abort => Command::Abort { why },
            InputKind::RollBack => Command::RollBack { why },
            InputKind::Revert => Command::Revert {
                version: self.version.take().ok_or(missing("version"))?,
                why: why.ok_or(missing("why"))?,
            },
            InputKind::Report => {
                self.why = why;
                Command::Report {
                    signal: self.signal.take().ok_or(missing("signal"))?,
                    note: self.note.take(),
                }
            }
            InputKind::SetSeverity => Command::SetSeverity {
                severity: self.severity.take().ok_or(missing("severity"))?,
                why,
            },
            InputKind::SetFacts => {
                Command::SetFacts { facts: self.facts.take().ok_or(missing("facts"))?, why }
            }
            InputKind::Note => {
                self.why = why;
                Command::Note { text: self.text.take().ok_or(missing("text"))? }
            }
        })
    }

    /// A field that the command did not take.
    fn left_over(&self) -> Option<&'static str> {
        let left = [
            ("action", self.action.is_some()),
            ("channel", self.channel.is_some()),
            ("evidence", self.evidence.is_some()),
            ("facts", self.facts.is_some()),
            ("heard_by", self.heard_by.is_some()),
            ("item", self.item.is_some()),
            ("metrics", self.metrics.is_some()),
            ("note", self.note.is_some()),
            ("plan_digest", self.plan_digest.is_some()),
            ("role", self.role.is_some()),
            ("severity", self.severity.is_some()),
            ("signal", self.signal.is_some()),
            ("status", self.status.is_some()),
            ("text", self.text.is_some()),
            ("version", self.version.is_some()),
            ("why", self.why.is_some()),
        ];
        left.into_iter().find_map(|(field, there)| there.then_some(field))
    }

    fn too_long(&self) -> Option<InputError> {
        let limits = [
            ("by", &self.by, Self::LONGEST_NAME),
            ("key", &self.key, Self::LONGEST_NAME),
            ("channel", &self.channel, Self::LONGEST_NAME),
            ("heard_by", &self.heard_by, Self::LONGEST_NAME),
            ("version", &self.version, Self::LONGEST_NAME),
            ("evidence", &self.evidence, Self::LONGEST),
            ("note", &self.note, Self::LONGEST),
            ("text", &self.text, Self::LONGEST),
            ("why", &self.why, Self::LONGEST),
        ];
        limits.into_iter().find_map(|(field, text, most)| {
            let bytes = text.as_ref().map_or(0, String::len);
            (bytes > most).then_some(InputError::TooLong { field, bytes, most })
        })
    }
}

impl TryFrom<InputDocument> for Input {
    type Error = InputError;

    fn try_from(mut document: InputDocument) -> Result<Self, InputError> {
        if let Some(error) = document.too_long() {
            return Err(error);
        }
        let kind: InputKind = document.kind.parse().map_err(|_| InputError::Kind {
            got: document.kind.chars().take(64).collect(),
            nearest: nearest(&document.kind),
        })?;
        if kind.needs_actor() && document.by.as_ref().is_none_or(String::is_empty) {
            return Err(InputError::Missing { kind, field: "by" });
        }
        if document.key.as_ref().is_some_and(String::is_empty) {
            return Err(InputError::Empty { field: "key" });
        }
        let command = document.command(kind)?;
        if let Some(field) = document.left_over() {
            return Err(InputError::Unexpected { kind, field });
        }
        let InputDocument { by, key, expected_head, .. } = document;
        Ok(Self { by, key, expected_head, command })
    }
}

fn nearest(got: &str) -> InputKind {
    let near = |kind: &&InputKind| strsim::damerau_levenshtein(got, kind.as_str());
    InputKind::ALL.iter().min_by_key(near).copied().unwrap_or(InputKind::Note)
}

impl Command {
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
            Self::Report { .. } => InputKind::Report,
            Self::SetSeverity { .. } => InputKind::SetSeverity,
            Self::SetFacts { .. } => InputKind::SetFacts,
            Self::Note { .. } => InputKind::Note,
        }
    }
}
