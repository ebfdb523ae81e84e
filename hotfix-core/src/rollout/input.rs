//! Inputs: a command with its actor. `docs/inputs.md` describes the documents.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use crate::canonical::{Digest, read_any};
use crate::code::{code, coded};
use crate::document::{ValueFault, read_value, value_of};
use crate::fact::Fact;
use crate::gate::ItemState;
use crate::grade::{Calendar, Moment, closed_set};
use crate::metric::Observation;
use crate::policy::Policy;
use crate::text::plain;
use crate::unit::Name;

pub use super::command::{Command, InputKind};
use super::document::InputDocument;

closed_set! {
    /// A time that only people or calendars know, by name.
    KnownTime {
        /// The fault began.
        Began = "began",
        /// Somebody or something noticed it.
        Detected = "detected",
        /// It was declared an incident; without it, the time of the first input.
        Declared = "declared",
        /// Work on the fix began.
        FixStarted = "fix_started",
        /// The fix was seen to work; without it, when the final validation passed.
        Verified = "verified",
        /// The fault is over for users; without it, when the final validation passed.
        Resolved = "resolved",
        /// The incident was closed; without it, when the rollout was.
        Closed = "closed",
        /// The time by which duties of the next business day are due.
        NextBusinessDay = "next_business_day",
        /// The time by which duties of the next day are due.
        NextDay = "next_day",
        /// The next regular release.
        NextRelease = "next_release",
        /// The next sprint.
        NextSprint = "next_sprint",
    }
    /// The state that `check_item` gives an item.
    ItemStatus {
        /// It is done.
        Done = "done",
        /// It does not apply.
        NotApplicable = "not_applicable",
        /// It is open again: the earlier mark was a mistake.
        Open = "open",
    }
}

impl From<ItemStatus> for ItemState {
    fn from(status: ItemStatus) -> Self {
        match status {
            ItemStatus::Done => Self::Done,
            ItemStatus::NotApplicable => Self::NotApplicable,
            ItemStatus::Open => Self::Open,
        }
    }
}

impl KnownTime {
    /// The fact that also gives this time; None where no fact does.
    pub(super) const fn fact(self) -> Option<Fact> {
        match self {
            Self::Began => Some(Fact::BeganAt),
            Self::Detected => Some(Fact::DetectedAt),
            _ => None,
        }
    }

    /// The moment with the same name; None for a day of the calendar.
    pub(super) fn moment(self) -> Option<Moment> {
        self.as_str().parse().ok()
    }

    /// The day of the calendar with the same name; None for a moment.
    pub(super) fn day(self) -> Option<Calendar> {
        self.as_str().parse().ok()
    }
}

impl InputKind {
    /// Whether it is accepted with a wrong clock, at the time of the last input.
    pub const fn is_urgent(self) -> bool {
        matches!(self, Self::RollBack | Self::Abort | Self::Revert | Self::Report)
    }

    /// Whether it needs an actor (`by`); readings and ticks may come without one.
    pub(super) const fn needs_actor(self) -> bool {
        !self.is_by_time()
    }

    /// Whether it only reports that time has passed, with or without readings.
    pub(super) const fn is_by_time(self) -> bool {
        matches!(self, Self::Observe | Self::Tick)
    }
}

/// One input with its actor.
///
/// ```
/// use hotfix_core::rollout::{Command, Input};
/// let input = Input::from_json(r#"{"kind": "pause", "by": "lena", "why": "a release is on"}"#)?;
/// assert!(matches!(input.command, Command::Pause { .. }));
/// let error = Input::from_json(r#"{"kind": "pause"}"#).unwrap_err();
/// assert_eq!(error.code(), "HF-IN-003");
/// # Ok::<(), hotfix_core::rollout::InputError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Who. Personal: logged as a salted digest, with the name outside of the hashed part.
    pub by: Option<String>,
    /// The same key again changes nothing, and the outcome is `repeated`; 1 to 256 bytes.
    pub key: Option<String>,
    /// The log head that the sender has seen; refused where it is no longer the head.
    pub expected_head: Option<Digest>,
    /// What to do.
    pub command: Command,
}

/// It is not a JSON object with the known fields.
const UNREADABLE: &str = code! {HF-IN-001};

coded! {
    /// An input document that is not valid. The caller's value is wrong; nothing was logged.
    #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum InputError;

    /// It is not a JSON object with the known fields.
    #[error("the input cannot be read: {fault}")]
    Syntax { fault: String } => UNREADABLE,
    /// Fields are unknown, missing or have values that cannot be read: all of them.
    #[error("the input cannot be read: {}", ValueFault::list(faults))]
    Values {
        /// The faults, with a JSON Pointer as [`path`](Self::path) has it; at least one.
        faults: Vec<ValueFault>,
    } => UNREADABLE,
    /// The kind is unknown.
    #[error("{}", unknown_kind(.got, .instead))]
    Kind { got: String, instead: String } => "HF-IN-002",
    /// A field is missing.
    #[error("`{kind}` needs `{field}`")]
    Missing { kind: InputKind, field: &'static str } => "HF-IN-003",
    /// A field does not belong to the kind.
    #[error("`{kind}` does not accept `{field}`: remove it")]
    Unexpected { kind: InputKind, field: String } => "HF-IN-004",
    /// A field is empty; an empty key would be the same for every input.
    #[error("`{field}` is empty: omit it, or give it a value")]
    Empty { field: &'static str } => "HF-IN-006",
    /// A text is too long for the log.
    #[error("`{field}` has {bytes} bytes: shorten it to at most {most}")]
    TooLong { field: &'static str, bytes: usize, most: usize } => "HF-IN-005",
}

fn unknown_kind(got: &str, instead: &str) -> String {
    if got.is_empty() {
        "the input has no `kind`: name one, as in `tick`".to_owned()
    } else {
        format!("`{got}` is not a kind of input; {instead}")
    }
}

impl InputError {
    fn no_object() -> Self {
        Self::Syntax { fault: "it is not a JSON object".to_owned() }
    }

    /// Where: a JSON Pointer into the document; empty where it cannot be read as a whole.
    pub fn path(&self) -> String {
        match self {
            Self::Syntax { .. } => String::new(),
            Self::Values { faults } => {
                faults.first().map_or_else(String::new, |fault| fault.path.clone())
            }
            Self::Kind { .. } => "/kind".to_owned(),
            Self::Unexpected { field, .. } => format!("/{field}"),
            Self::Missing { field, .. } | Self::Empty { field } | Self::TooLong { field, .. } => {
                format!("/{field}")
            }
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
    /// [`InputError`] for a document that is not valid.
    pub fn from_json(text: &str) -> Result<Self, InputError> {
        if let Ok(document) = read_any::<InputDocument>(text) {
            return document.try_into();
        }
        if !text.trim_start().starts_with('{') {
            return Err(InputError::no_object());
        }
        // Only a text that cannot be read is read once more, for the places of its faults.
        Self::from_value(value_of(text).map_err(|fault| InputError::Syntax { fault })?)
    }

    /// Reads a document that is already parsed.
    ///
    /// # Errors
    /// [`InputError`] for a document that is not valid.
    #[expect(clippy::needless_pass_by_value, reason = "it is of no use once it was read")]
    pub fn from_value(value: Value) -> Result<Self, InputError> {
        if !value.is_object() {
            return Err(InputError::no_object());
        }
        let document: InputDocument =
            read_value(&value).map_err(|faults| InputError::Values { faults })?;
        document.try_into()
    }
}

/// The document that [`Input::from_json`] reads as this input.
impl Serialize for Input {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        InputDocument::of(self).serialize(serializer)
    }
}

/// As [`Input::from_value`]; the error has only the sentence.
impl<'de> Deserialize<'de> for Input {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(Value::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// The labels of a note that states the root cause, as [`plain`] writes them.
pub(crate) const ROOT_CAUSE: [&str; 2] = ["root cause", "cause"];

impl Command {
    /// Whether its log line has the digest of a plan: the approved one, or the one that it puts in force.
    pub(super) const fn is_of_the_plan(&self) -> bool {
        matches!(self, Self::Approve { .. }) || self.changes_the_plan()
    }

    /// Whether it puts another plan in force, whose start is prepared from the beginning.
    pub(crate) const fn changes_the_plan(&self) -> bool {
        matches!(self, Self::Release { .. }) || self.is_new_attempt()
    }

    /// Whether it begins another attempt.
    pub(crate) const fn is_new_attempt(&self) -> bool {
        matches!(self, Self::Supersede { .. } | Self::Retry { .. })
    }

    /// The root cause of the incident, where it states one: a note with that label, or the evidence
    /// of a duty to write it down, or of an item that records it.
    pub(crate) fn root_cause(&self, policy: &Policy) -> Option<&str> {
        let stated = match self {
            Self::Note { .. } => self.labelled(&ROOT_CAUSE)?,
            Self::Done { duty, evidence } => {
                let duty = policy.duties().iter().find(|of| of.id == *duty)?;
                let names = [duty.id.as_str(), &duty.title].map(plain);
                let is_it = names.iter().any(|name| name.contains("root cause"));
                evidence.as_deref().filter(|_| is_it)?
            }
            Self::CheckItem { status: ItemStatus::Done, evidence: Some(evidence), .. } => {
                let items = policy.checklists().iter().flat_map(|list| &list.items);
                let mut of_cause = items.filter(|item| item.records.as_deref() == Some("cause"));
                let is_it = of_cause.any(|of| self.items().any(|item| item == of.id));
                Some(evidence).filter(|_| is_it)?
            }
            _ => return None,
        };
        Some(stated.trim()).filter(|cause| !cause.is_empty())
    }

    /// The text of a note with one of these labels, which are as [`plain`] writes them.
    pub(crate) fn labelled(&self, labels: &[&str]) -> Option<&str> {
        let Self::Note { text, .. } = self else { return None };
        let (label, text) = text.split_once(':')?;
        let text = Some(text.trim()).filter(|text| !text.is_empty());
        text.filter(|_| labels.contains(&&*plain(label)))
    }

    /// The items that it checks or waives.
    pub(crate) fn items(&self) -> impl Iterator<Item = Name> + '_ {
        let (item, more) = match self {
            Self::CheckItem { item, more, .. } => (Some(item), more.as_slice()),
            Self::WaiveItem { item, .. } => (Some(item), [].as_slice()),
            _ => (None, [].as_slice()),
        };
        item.into_iter().chain(more).copied()
    }

    /// Whether it says when the incident was over.
    pub(super) fn resolves(&self) -> bool {
        let Self::SetTimes { times, .. } = self else { return false };
        matches!(times.get(&KnownTime::Resolved), Some(Some(_)))
    }
}
