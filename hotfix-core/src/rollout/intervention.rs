//! Interventions: what people ordered, whatever came of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::sorting::sort_by_key;
use crate::text::joined;
use crate::unit::{Name, RoleName, Timestamp};

use super::input::{Command, Input, InputKind};

/// The sender of a train's inputs in the logs.
pub(crate) const TRAIN: &str = "train";

/// What a train lets one of its services know, with a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TrainNotice {
    /// The service may start, as far as the train goes.
    Next,
    /// The rollback of the train is over: the service may start, or is watched if it is complete.
    Continues,
    /// Others are being deployed, and it starts after them.
    Waits,
    RollsBack,
}

impl TrainNotice {
    /// The text of the note.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Next => "the services that it waited for are complete",
            Self::Continues => "the train is not being rolled back any more",
            Self::Waits => "it waits for other services of the train",
            Self::RollsBack => "the train is being rolled back",
        }
    }

    /// The notice that a note of this text gives.
    pub(super) fn of(text: &str) -> Option<Self> {
        let all = [Self::Next, Self::Continues, Self::Waits, Self::RollsBack];
        all.into_iter().find(|notice| notice.text() == text)
    }

    /// What a fix that is ready waits for.
    pub(crate) const fn ready(self) -> &'static str {
        match self {
            Self::Next | Self::Continues => "a fix is ready to be deployed",
            Self::Waits => "a fix is ready, and waits for the services that are deployed before it",
            Self::RollsBack => {
                "a fix is ready, and waits because a service that belongs with it had to be rolled back"
            }
        }
    }

    /// Whether the train refuses the start of this service.
    pub(crate) const fn holds_start(self) -> bool {
        matches!(self, Self::Waits | Self::RollsBack)
    }
}

/// Whether a train sent this input, also where names were redacted in the log.
pub(crate) fn is_of_a_train(input: &Input) -> bool {
    let has_key = |key: &String| key.strip_prefix(TRAIN).is_some_and(|head| head.starts_with(':'));
    input.by.as_deref() == Some(TRAIN) || input.key.as_ref().is_some_and(has_key)
}

/// The last accepted input of its kind by which somebody wanted something. All of them are in the log.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intervention {
    /// The kind of the input.
    pub kind: InputKind,
    /// Who sent it; the digest of the name where that is redacted in the log.
    pub by: Option<String>,
    /// When it was sent.
    pub at: Timestamp,
    /// The role in which it was sent.
    pub role: Option<RoleName>,
    /// What it is about: items, a version, a severity, a signal, a duty, or names of times.
    pub about: Option<String>,
    /// The reason, note or evidence that was given.
    pub why: Option<String>,
}

/// The last intent of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Interventions(BTreeMap<InputKind, Intervention>);

impl Interventions {
    pub(super) fn note(&mut self, at: Timestamp, input: &Input) {
        let Some((role, about)) = parts(&input.command) else { return };
        let [_, _, _, evidence, note, _, why] = input.command.texts();
        let why = why.or(note).or(evidence).map(str::to_owned);
        let (kind, by) = (input.command.kind(), input.by.clone());
        self.0.insert(kind, Intervention { kind, by, at, role, about, why });
    }

    /// The last of this kind.
    pub(super) fn last(&self, kind: InputKind) -> Option<&Intervention> {
        self.0.get(&kind)
    }

    /// In the order of time.
    pub(super) fn all(&self) -> Vec<Intervention> {
        let mut all: Vec<Intervention> = self.0.values().cloned().collect();
        sort_by_key(&mut all, |intent| intent.at);
        all
    }
}

/// Role and subject of an input by which somebody wants something; None for readings, ticks,
/// results of actions, and notes.
fn parts(command: &Command) -> Option<(Option<RoleName>, Option<String>)> {
    Some(match command {
        Command::Approve { role, .. }
        | Command::Deny { role, .. }
        | Command::Withdraw { role, .. } => (Some(*role), None),
        Command::CheckItem { .. } => {
            let items: Vec<Name> = command.items().collect();
            (None, Some(joined(items.iter().map(Name::as_str), ", ")))
        }
        Command::WaiveItem { item, role, .. } => (*role, Some(item.to_string())),
        Command::Release { release, .. }
        | Command::Supersede { release, .. }
        | Command::Retry { release: Some(release), .. } => (None, Some(release.version.clone())),
        Command::Revert { version, .. } => (None, Some(version.clone())),
        Command::Report { signal, .. } => (None, Some(signal.to_string())),
        Command::SetSeverity { severity, .. } => (None, Some(severity.to_string())),
        Command::Acknowledge { duty, .. } | Command::Done { duty, .. } => {
            (None, Some(duty.to_string()))
        }
        Command::SetTimes { times, .. } => {
            let names: Vec<&str> = times.keys().map(|time| time.as_str()).collect();
            (None, Some(names.join(", ")))
        }
        Command::Start
        | Command::Promote { .. }
        | Command::Hold { .. }
        | Command::Pause { .. }
        | Command::Resume { .. }
        | Command::Abort { .. }
        | Command::RollBack { .. }
        | Command::Retry { release: None, .. }
        | Command::SetFacts { .. } => (None, None),
        Command::Confirm { .. }
        | Command::Failed { .. }
        | Command::Observe { .. }
        | Command::Tick
        | Command::Note { .. } => return None,
    })
}
