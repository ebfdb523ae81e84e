//! One line of the log: an input and its outcome, or the opening, or a refusal.
//!
//! One input is one line, so a crash loses an input whole or not at all. Members are flat and in
//! alphabetical order, as canonical JSON wants them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::canonical::{self, Digest};
use crate::deadline::Replan;
use crate::grade::{Severity, Signal};
use crate::judge::Verdict;
use crate::metric::Observation;
use crate::plan::{MetricCalibration, Release, Subject};
use crate::policy::Policy;
use crate::unit::{FromText, MetricName, Name, RoleName, Timestamp};

use super::action::{Action, ActionId};
use super::document::InputDocument;
use super::input::{Command, Input, InputKind, ItemStatus, KnownTime};
use super::stage::Stage;

/// The version of the log's format.
pub const LOG_FORMAT: u32 = 1;

/// What a line records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum EventKind {
    /// Policy, plan and salt: the first line.
    #[default]
    Opened,
    /// An input that was refused.
    Refused,
    /// An input that was accepted, and its outcome.
    Taken(InputKind),
}

impl EventKind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Refused => "refused",
            Self::Taken(kind) => kind.as_str(),
        }
    }

    /// The kind with this name; None for a name that this release does not know.
    pub(super) fn find(text: &str) -> Option<Self> {
        match text {
            "opened" => Some(Self::Opened),
            "refused" => Some(Self::Refused),
            _ => text.parse().ok().map(Self::Taken),
        }
    }

    /// The first release that reads events of this kind; None for those that the format began with.
    pub(super) const fn needs(self) -> Option<&'static str> {
        // A kind that is added has the release that adds it.
        const { assert!(InputKind::ALL.len() == 27) };
        match self {
            Self::Opened | Self::Refused | Self::Taken(_) => None,
        }
    }
}

impl Serialize for EventKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for EventKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let unknown = |text: &str| format!("the event kind `{text}` is unknown");
        let find = |text: &str| Self::find(text).ok_or_else(|| unknown(text));
        deserializer.deserialize_str(FromText("the kind of an event", find))
    }
}

/// Personal values. They are outside of the hashed part, so that they can be redacted and the chain
/// still holds.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Personal<'a> {
    /// The name of who sent the input.
    pub(super) by: Option<Cow<'a, str>>,
    /// The name of who heard a verbal statement.
    pub(super) heard_by: Option<Cow<'a, str>>,
    /// What digests of personal values are salted with, on the first line.
    pub(super) salt: Option<Cow<'a, str>>,
    /// Names in the line's documents, by place: `/plan/release/author`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) values: BTreeMap<String, String>,
}

/// A line of the log.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Event<'a> {
    /// The action that a `confirm` or `failed` is about.
    pub(super) action: Option<ActionId>,
    /// What the caller was asked to do.
    #[serde(default, skip_serializing_if = "<[Action]>::is_empty")]
    pub(super) actions: Cow<'a, [Action]>,
    /// The time of the input, or the last recorded time where the sender's was not accepted.
    pub(super) at: Timestamp,
    /// Whether the actor is the author of the fix: recorded, because names can be redacted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) author: bool,
    /// Who sent it, as a salted digest; the name is in `personal`.
    pub(super) by: Option<Digest>,
    /// The calibration of the tests by the organisation's history.
    pub(super) calibration: Option<Cow<'a, BTreeMap<MetricName, MetricCalibration>>>,
    /// Where an approval was given, or an objection.
    pub(super) channel: Option<Cow<'a, str>>,
    /// The sender's time, where it was not accepted.
    pub(super) claimed_at: Option<Timestamp>,
    /// The code of the refusal.
    pub(super) code: Option<Cow<'a, str>>,
    /// Whether the earlier values of the facts were wrong.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) correction: bool,
    /// The duty that an `acknowledge` or `done` is about.
    pub(super) duty: Option<Name>,
    /// The evidence of a checked item or a duty.
    pub(super) evidence: Option<Cow<'a, str>>,
    /// The facts that became known.
    pub(super) facts: Option<Cow<'a, Map<String, Value>>>,
    /// The version of the format, on the first line.
    pub(super) format: Option<u32>,
    /// The kind of the refused input.
    pub(super) got: Option<InputKind>,
    /// Who heard a verbal statement, as a salted digest.
    pub(super) heard_by: Option<Digest>,
    /// The item that was checked or waived.
    pub(super) item: Option<Name>,
    /// Instead of `item`, where several items are checked.
    #[serde(default, skip_serializing_if = "<[Name]>::is_empty")]
    pub(super) items: Cow<'a, [Name]>,
    /// The sender's key.
    pub(super) key: Option<Cow<'a, str>>,
    /// What happened.
    pub(super) kind: EventKind,
    /// The readings.
    pub(super) metrics: Option<Cow<'a, Observation>>,
    /// The first release that reads this line, where that is not the first of all.
    pub(super) needs: Option<Cow<'a, str>>,
    /// The note of a report.
    pub(super) note: Option<Cow<'a, str>>,
    /// Personal values, outside of the hashed part.
    pub(super) personal: Option<Personal<'a>>,
    /// Incident, release and traffic, on the first line.
    pub(super) plan: Option<Box<Cow<'a, Subject>>>,
    /// The digest of the plan: on the first line, of an approval, and where an input changes the plan.
    pub(super) plan_digest: Option<Digest>,
    /// The policy in force, on the first line.
    pub(super) policy: Option<Box<Cow<'a, Policy>>>,
    /// The hash of the line before; 64 zeros on the first.
    pub(super) prev: Digest,
    /// The release of a `release`, `supersede` or `retry`.
    pub(super) release: Option<Box<Cow<'a, Release>>>,
    /// What the input changed in the duties, where it changed known data.
    #[serde(default, skip_serializing_if = "<[Replan]>::is_empty")]
    pub(super) replans: Cow<'a, [Replan]>,
    /// The role in which somebody approved, denied, withdrew or waived.
    pub(super) role: Option<RoleName>,
    /// The number of the line, from 0.
    pub(super) seq: u64,
    /// The severity that was set.
    pub(super) severity: Option<Severity>,
    /// The problem that was reported.
    pub(super) signal: Option<Signal>,
    /// The state that an item was given.
    pub(super) status: Option<ItemStatus>,
    /// The text of a `note`.
    pub(super) text: Option<Cow<'a, str>>,
    /// The times that became known; null for one that did not occur.
    pub(super) times: Option<Cow<'a, BTreeMap<KnownTime, Option<Timestamp>>>>,
    /// The stage that the input led to, where it changed it.
    pub(super) to: Option<Cow<'a, Stage>>,
    /// The verdict, where the input led to one.
    pub(super) verdict: Option<Cow<'a, Verdict>>,
    /// The version of a `revert`.
    pub(super) version: Option<Cow<'a, str>>,
    /// The reason.
    pub(super) why: Option<Cow<'a, str>>,
}

impl<'a> Event<'a> {
    /// A line with only its place in the chain.
    pub(super) fn new(kind: EventKind, seq: u64, at: Timestamp, prev: Digest) -> Self {
        Self { kind, seq, at, prev, needs: kind.needs().map(Cow::Borrowed), ..Self::default() }
    }

    /// Sets the command's fields. `heard_by` is personal and is left to the caller.
    pub(super) fn put(&mut self, command: &'a Command) {
        let texts = command.texts().map(|text| text.map(Cow::Borrowed));
        [self.channel, _, self.version, self.evidence, self.note, self.text, self.why] = texts;
        match command {
            Command::Approve { role, plan_digest, .. } => {
                (self.role, self.plan_digest) = (Some(*role), *plan_digest);
            }
            Command::Deny { role, .. } | Command::Withdraw { role, .. } => self.role = Some(*role),
            Command::CheckItem { item, more, status, .. } => {
                if more.is_empty() {
                    self.item = Some(*item);
                } else {
                    self.items = std::iter::once(*item).chain(more.iter().copied()).collect();
                }
                self.status = Some(*status);
            }
            Command::WaiveItem { item, role, .. } => (self.item, self.role) = (Some(*item), *role),
            Command::Release { release, .. }
            | Command::Supersede { release, .. }
            | Command::Retry { release: Some(release), .. } => {
                self.release = Some(Box::new(Cow::Borrowed(release.as_ref())));
            }
            Command::Confirm { action, .. } | Command::Failed { action, .. } => {
                self.action = Some(*action);
            }
            Command::Observe { metrics } => self.metrics = Some(Cow::Borrowed(metrics)),
            Command::Acknowledge { duty, .. } | Command::Done { duty, .. } => {
                self.duty = Some(*duty);
            }
            Command::Report { signal, .. } => self.signal = Some(*signal),
            Command::SetSeverity { severity, .. } => self.severity = Some(*severity),
            Command::SetFacts { facts, correction, .. } => {
                self.facts = Some(Cow::Borrowed(facts));
                self.correction = *correction == Some(true);
            }
            Command::SetTimes { times, .. } => self.times = Some(Cow::Borrowed(times)),
            Command::Start
            | Command::Tick
            | Command::Promote { .. }
            | Command::Hold { .. }
            | Command::Pause { .. }
            | Command::Resume { .. }
            | Command::Abort { .. }
            | Command::RollBack { .. }
            | Command::Revert { .. }
            | Command::Retry { release: None, .. }
            | Command::Note { .. } => {}
        }
    }

    /// 48 bits of a digest of an input's content, to distinguish another input with its key from a
    /// repetition; 0 for readings, which a source answers differently a moment later.
    pub(super) fn content(input: &Input) -> u64 {
        if let Command::Observe { .. } | Command::Tick = &input.command {
            return 0;
        }
        let heard_by = input.command.heard_by();
        let mut event = Event::default();
        event.put(&input.command);
        // A line names the plan of an approval, also where the input did not.
        event.plan_digest = None;
        // What cannot be recorded is refused, whatever its key is.
        let digest = canonical::digest(&(input.by.as_deref(), heard_by, event)).unwrap_or_default();
        digest.as_bytes().iter().take(6).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    }

    /// The input document that this line records, without its kind. A redacted name is replaced by its digest.
    pub(super) fn take_document(&mut self, kind: InputKind) -> InputDocument {
        let owned = |text: &mut Option<Cow<'a, str>>| text.take().map(Cow::into_owned);
        let mut personal = self.personal.take().unwrap_or_default();
        let named = |name: Option<Cow<'a, str>>, digest: Option<Digest>| {
            name.map(Cow::into_owned).or_else(|| digest.map(|d| d.to_string()))
        };
        InputDocument {
            kind: String::new(),
            by: named(personal.by.take(), self.by),
            key: owned(&mut self.key),
            expected_head: None,
            action: self.action.take(),
            channel: owned(&mut self.channel),
            correction: self.correction.then_some(true),
            duty: self.duty.take(),
            evidence: owned(&mut self.evidence),
            facts: self.facts.take().map(Cow::into_owned),
            heard_by: named(personal.heard_by.take(), self.heard_by),
            item: self.item.take(),
            items: std::mem::take(&mut self.items).into_owned(),
            metrics: self.metrics.take().map(Cow::into_owned),
            note: owned(&mut self.note),
            // Other lines record it as an outcome, which an audit compares: no input but an
            // approval names a plan.
            plan_digest: self.plan_digest.filter(|_| kind == InputKind::Approve),
            release: self.release.take().map(|release| Box::new(release.into_owned())),
            role: self.role.take(),
            severity: self.severity.take(),
            signal: self.signal.take(),
            status: self.status.take().map(|status| status.as_str().to_owned()),
            text: owned(&mut self.text),
            times: self.times.take().map(Cow::into_owned),
            version: owned(&mut self.version),
            why: owned(&mut self.why),
        }
    }
}
