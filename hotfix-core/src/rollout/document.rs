//! Inputs as flat documents, as they are sent and as they are in the log (`docs/inputs.md`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::canonical::{Digest, if_any, tree_of};
use crate::document::ValueFault;
use crate::grade::{Severity, Signal};
use crate::metric::Observation;
use crate::plan::Release;
use crate::text::{LONGEST, instead, shown};
use crate::unit::{Name, RoleName, Timestamp};

use super::action::ActionId;
use super::command::Field;
use super::event::Event;
use super::input::{Command, Input, InputError, InputKind, ItemStatus, KnownTime};

/// Every field that an input of some kind has, flat as on the wire.
#[serde_with::skip_serializing_none]
#[derive(Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct InputDocument {
    pub(super) kind: String,
    pub(super) by: Option<String>,
    pub(super) key: Option<String>,
    pub(super) expected_head: Option<Digest>,
    pub(super) action: Option<ActionId>,
    pub(super) channel: Option<String>,
    pub(super) correction: Option<bool>,
    pub(super) duty: Option<Name>,
    pub(super) evidence: Option<String>,
    pub(super) facts: Option<Map<String, Value>>,
    pub(super) heard_by: Option<String>,
    pub(super) item: Option<Name>,
    #[serde(deserialize_with = "if_any", skip_serializing_if = "Vec::is_empty")]
    pub(super) items: Vec<Name>,
    pub(super) metrics: Option<Observation>,
    pub(super) note: Option<String>,
    pub(super) plan_digest: Option<Digest>,
    pub(super) release: Option<Box<Release>>,
    pub(super) role: Option<RoleName>,
    pub(super) severity: Option<Severity>,
    pub(super) signal: Option<Signal>,
    pub(super) status: Option<String>,
    pub(super) text: Option<String>,
    pub(super) times: Option<BTreeMap<KnownTime, Option<Timestamp>>>,
    pub(super) version: Option<String>,
    pub(super) why: Option<String>,
}

impl InputDocument {
    /// The document that reads as this input.
    pub(super) fn of(input: &Input) -> Self {
        let Input { by, key, expected_head, command } = input;
        let mut line = Event::default();
        line.put(command);
        let correction = match command {
            Command::SetFacts { correction, .. } => *correction,
            _ => None,
        };
        Self {
            kind: command.kind().to_string(),
            by: by.clone(),
            key: key.clone(),
            expected_head: *expected_head,
            heard_by: command.heard_by().map(str::to_owned),
            correction,
            ..line.take_document(command.kind())
        }
    }

    /// `item`, or else the first of `items`, and the others.
    pub(super) fn check_item(&mut self) -> Result<Command, InputError> {
        let first = self.item.take();
        let first = first.or_else(|| (!self.items.is_empty()).then(|| self.items.remove(0)));
        Ok(Command::CheckItem {
            item: Field::of(InputKind::CheckItem, "item", first)?,
            more: std::mem::take(&mut self.items),
            status: self.status.take().map_or(Ok(ItemStatus::Done), |status| {
                let remedy = "write `done`, `not_applicable` or `open`, or send `waive_item`";
                status.parse().map_err(|_| not_this_status(&status, remedy))
            })?,
            evidence: self.evidence.take(),
        })
    }

    /// The reason may be given as evidence instead. The only status that a waiver gives is `waived`.
    pub(super) fn waive_item(&mut self) -> Result<Command, InputError> {
        let kind = InputKind::WaiveItem;
        let item = Field::of(kind, "item", self.item.take())?;
        if let Some(other) = self.status.take().filter(|status| status != "waived") {
            return Err(not_this_status(&other, "write `waived`, or send `check_item`"));
        }
        let why = self.why.take().or_else(|| self.evidence.take());
        Ok(Command::WaiveItem { item, role: self.role.take(), why: Field::of(kind, "why", why)? })
    }

    /// The input of this kind.
    pub(super) fn into_input(mut self, kind: InputKind) -> Result<Input, InputError> {
        let Self { by, key, channel, heard_by, version, evidence, note, text, why, .. } = &self;
        let texts = [channel, heard_by, version, evidence, note, text, why].map(Option::as_deref);
        if let Some(error) = fault(kind, by.as_deref(), key.as_deref(), texts) {
            return Err(error);
        }
        let has_evidence =
            matches!(kind, InputKind::CheckItem | InputKind::Acknowledge | InputKind::Done);
        // `why` is another name of `evidence`; where both are given, `why` is left over and refused.
        if has_evidence && self.evidence.is_none() {
            self.evidence = self.why.take();
        }
        // An empty observation means the same as a tick.
        if kind == InputKind::Tick && self.metrics.as_ref().is_some_and(Observation::is_empty) {
            self.metrics = None;
        }
        let command = Command::take(kind, &mut self)?;
        let (by, key) = (self.by.take(), self.key.take());
        let expected_head = self.expected_head.take();
        self.kind.clear();
        if self != Self::default() {
            // The first field that the command did not use.
            let left = tree_of(&self);
            let mut fields = left.as_object().into_iter().flat_map(Map::keys);
            let field = fields.find(|field| *field != "kind").cloned().unwrap_or_default();
            return Err(InputError::Unexpected { kind, field });
        }
        Ok(Input { by, key, expected_head, command })
    }
}

/// The error for a status that this kind of input cannot give.
fn not_this_status(got: &str, remedy: &str) -> InputError {
    let sentence = format!("`{}` is not allowed here: {remedy}", shown(got));
    InputError::Values { faults: vec![ValueFault { path: "/status".to_owned(), sentence }] }
}

/// The first text that is too long for the log, else a missing `by` or an empty `key`. The texts
/// are those of [`Command::texts`].
fn fault(
    kind: InputKind,
    by: Option<&str>,
    key: Option<&str>,
    [channel, heard_by, version, evidence, note, text, why]: [Option<&str>; 7],
) -> Option<InputError> {
    let limits = [
        ("by", by, Input::LONGEST_NAME),
        ("key", key, Input::LONGEST_NAME),
        ("channel", channel, Input::LONGEST_NAME),
        ("heard_by", heard_by, Input::LONGEST_NAME),
        ("version", version, Input::LONGEST_NAME),
        ("evidence", evidence, LONGEST),
        ("note", note, LONGEST),
        ("text", text, LONGEST),
        ("why", why, LONGEST),
    ];
    let mut too_long = limits.into_iter().filter_map(|(field, text, most)| {
        let bytes = text.map_or(0, str::len);
        (bytes > most).then_some(InputError::TooLong { field, bytes, most })
    });
    too_long.next().or_else(|| {
        if kind.needs_actor() && by.is_none_or(str::is_empty) {
            Some(InputError::Missing { kind, field: "by" })
        } else {
            key.is_some_and(str::is_empty).then_some(InputError::Empty { field: "key" })
        }
    })
}

impl Input {
    /// The most bytes of a name, a key or a version.
    pub(crate) const LONGEST_NAME: usize = 256;

    /// The fault for which a document would be refused. An input built from values is checked in
    /// the same way, because otherwise its line in the log could not be read.
    #[inline]
    pub(super) fn fault(&self) -> Option<InputError> {
        let is_plain = self.by.is_none() && self.key.is_none();
        if is_plain && matches!(self.command, Command::Observe { .. } | Command::Tick) {
            return None;
        }
        let (by, key) = (self.by.as_deref(), self.key.as_deref());
        fault(self.command.kind(), by, key, self.command.texts())
    }
}

impl Command {
    /// Its texts: `channel`, `heard_by`, `version`, `evidence`, `note`, `text` and `why`.
    pub(crate) fn texts(&self) -> [Option<&str>; 7] {
        let mut texts = [None; 7];
        let [channel, heard_by, version, evidence, note, text, why] = &mut texts;
        match self {
            Self::Approve { channel: place, heard_by: witness, why: reason, .. }
            | Self::Deny { channel: place, heard_by: witness, why: reason, .. }
            | Self::Withdraw { channel: place, heard_by: witness, why: reason, .. } => {
                (*channel, *heard_by) = (place.as_deref(), witness.as_deref());
                *why = reason.as_deref();
            }
            Self::Confirm { why: reason, .. }
            | Self::Failed { why: reason, .. }
            | Self::Release { why: reason, .. }
            | Self::Promote { why: reason }
            | Self::Hold { why: reason }
            | Self::Pause { why: reason }
            | Self::Resume { why: reason }
            | Self::Abort { why: reason }
            | Self::RollBack { why: reason }
            | Self::SetSeverity { why: reason, .. }
            | Self::SetFacts { why: reason, .. }
            | Self::SetTimes { why: reason, .. } => *why = reason.as_deref(),
            Self::WaiveItem { why: reason, .. }
            | Self::Supersede { why: reason, .. }
            | Self::Retry { why: reason, .. } => *why = Some(reason),
            Self::Revert { version: to, why: reason } => {
                (*version, *why) = (Some(to.as_str()), Some(reason.as_str()));
            }
            Self::CheckItem { evidence: shown, .. }
            | Self::Acknowledge { evidence: shown, .. }
            | Self::Done { evidence: shown, .. } => *evidence = shown.as_deref(),
            Self::Report { note: words, .. } => *note = words.as_deref(),
            Self::Note { text: words, why: reason } => {
                (*text, *why) = (Some(words.as_str()), reason.as_deref());
            }
            Self::Start | Self::Observe { .. } | Self::Tick => {}
        }
        texts
    }

    /// Who heard a verbal statement.
    pub(super) fn heard_by(&self) -> Option<&str> {
        match self {
            Self::Approve { heard_by, .. }
            | Self::Deny { heard_by, .. }
            | Self::Withdraw { heard_by, .. } => heard_by.as_deref(),
            _ => None,
        }
    }
}

impl TryFrom<InputDocument> for Input {
    type Error = InputError;

    fn try_from(document: InputDocument) -> Result<Self, InputError> {
        let kind: InputKind = document.kind.parse().map_err(|_| {
            let got = shown(&document.kind);
            let instead = instead(&got, InputKind::ALL.iter().map(|kind| kind.as_str()));
            InputError::Kind { got, instead }
        })?;
        document.into_input(kind)
    }
}
