//! Interventions: what people ordered, whatever came of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::sorting::sort_by_key;
use crate::unit::{Name, RoleName, Timestamp};

use super::input::{Command, Input, InputKind};

/// What somebody wanted: the last of its kind that was taken. All of them are in the log, a line
/// each.
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
        let Some((role, about, why)) = parts(&input.command) else { return };
        let (kind, by, why) = (input.command.kind(), input.by.clone(), why.map(str::to_owned));
        self.0.insert(kind, Intervention { kind, by, at, role, about, why });
    }

    /// When the last of this kind was.
    pub(super) fn last(&self, kind: InputKind) -> Option<Timestamp> {
        self.0.get(&kind).map(|intent| intent.at)
    }

    /// In the order of time.
    pub(super) fn all(&self) -> Vec<Intervention> {
        let mut all: Vec<Intervention> = self.0.values().cloned().collect();
        sort_by_key(&mut all, |intent| intent.at);
        all
    }
}

type Parts<'a> = (Option<RoleName>, Option<String>, Option<&'a str>);

/// Role, subject and reason of what a person wants. None for readings, for time, for what came of
/// an action, and for remarks.
fn parts(command: &Command) -> Option<Parts<'_>> {
    Some(match command {
        Command::Approve { role, why, .. }
        | Command::Deny { role, why }
        | Command::Withdraw { role, why } => (Some(*role), None, why.as_deref()),
        Command::CheckItem { item, more, evidence, .. } => {
            let items: Vec<&str> = std::iter::once(item).chain(more).map(Name::as_str).collect();
            (None, Some(items.join(", ")), evidence.as_deref())
        }
        Command::WaiveItem { item, role, why } => (*role, Some(item.to_string()), Some(why)),
        Command::Release { release, why } => (None, Some(release.version.clone()), why.as_deref()),
        Command::Start => (None, None, None),
        Command::Promote { why }
        | Command::Hold { why }
        | Command::Pause { why }
        | Command::Resume { why }
        | Command::Abort { why }
        | Command::RollBack { why }
        | Command::SetFacts { why, .. } => (None, None, why.as_deref()),
        Command::Revert { version, why } => (None, Some(version.clone()), Some(why)),
        Command::Report { signal, note } => (None, Some(signal.to_string()), note.as_deref()),
        Command::SetSeverity { severity, why } => {
            (None, Some(severity.to_string()), why.as_deref())
        }
        Command::Supersede { release, why } => (None, Some(release.version.clone()), Some(why)),
        Command::Retry { release, why } => {
            (None, release.as_ref().map(|release| release.version.clone()), Some(why))
        }
        Command::Acknowledge { duty, evidence } | Command::Done { duty, evidence } => {
            (None, Some(duty.to_string()), evidence.as_deref())
        }
        Command::SetTimes { times, why } => {
            let names: Vec<&str> = times.keys().map(|time| time.as_str()).collect();
            (None, Some(names.join(", ")), why.as_deref())
        }
        Command::Confirm { .. }
        | Command::Failed { .. }
        | Command::Observe { .. }
        | Command::Tick
        | Command::Note { .. } => return None,
    })
}
