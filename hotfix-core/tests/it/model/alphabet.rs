//! What may happen next: each input that makes a difference to a small policy, at the times that do.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use hotfix_core::rollout::{ActionId, Command, Input, InputKind, KnownTime};
use hotfix_core::unit::{Span, Timestamp};

use super::machine::Machine;
use super::past::Past;

/// One thing that may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// An input of [`WORDS`].
    Say(usize),
    /// The action at this place of the pending ones was done, or failed.
    Pending { place: usize, failed: bool },
    /// The action at this place of those that a rollback overtook was done, or failed.
    Overtaken { place: usize, failed: bool },
    /// A tick when the machine asked for one.
    AtPoll,
    /// The fault is over since the last time known; or, taken back, it is not.
    Resolved { taken_back: bool },
}

/// An input that is the same in every state, and how long after the last one it comes, in seconds.
pub(crate) struct Word {
    after: i64,
    input: Input,
}

/// New ones go to the end: the corpus of the fuzz target names them by their place.
const TEXTS: &[(&str, i64, &str)] = &[
    ("approve", 0, r#"{"kind":"approve","by":"iris","role":"lead"}"#),
    ("deny", 0, r#"{"kind":"deny","by":"iris","role":"lead"}"#),
    ("withdraw", 0, r#"{"kind":"withdraw","by":"iris","role":"lead"}"#),
    ("approve as the owner", 0, r#"{"kind":"approve","by":"noor","role":"owner"}"#),
    ("deny as the owner", 0, r#"{"kind":"deny","by":"noor","role":"owner"}"#),
    ("check the item", 0, r#"{"kind":"check_item","by":"omar","item":"tests"}"#),
    ("open the item", 0, r#"{"kind":"check_item","by":"omar","item":"tests","status":"open"}"#),
    ("waive the item", 0, r#"{"kind":"waive_item","by":"omar","item":"tests","why":"no time"}"#),
    ("start", 0, r#"{"kind":"start","by":"lena"}"#),
    ("observe good", 10, r#"{"kind":"observe","metrics":{"errors":{"canary":[0,20]}}}"#),
    ("observe doubtful", 10, r#"{"kind":"observe","metrics":{"errors":{"canary":[8,20]}}}"#),
    ("observe bad", 10, r#"{"kind":"observe","metrics":{"errors":{"canary":[20,20]}}}"#),
    ("observe the live arm", 10, r#"{"kind":"observe","metrics":{"errors":{"baseline":[1,20]}}}"#),
    ("observe nothing", 10, r#"{"kind":"observe","metrics":{}}"#),
    ("tick at once", 0, r#"{"kind":"tick"}"#),
    ("tick soon", 10, r#"{"kind":"tick"}"#),
    ("tick late", 60, r#"{"kind":"tick"}"#),
    ("promote", 0, r#"{"kind":"promote","by":"lena"}"#),
    ("hold", 0, r#"{"kind":"hold","by":"lena"}"#),
    ("pause", 0, r#"{"kind":"pause","by":"lena"}"#),
    ("pause in the past", -10, r#"{"kind":"pause","by":"lena"}"#),
    ("resume", 0, r#"{"kind":"resume","by":"lena"}"#),
    ("abort", 0, r#"{"kind":"abort","by":"lena"}"#),
    ("roll back", 0, r#"{"kind":"roll_back","by":"lena"}"#),
    ("revert", 0, r#"{"kind":"revert","by":"lena","version":"2.2.9","why":"known good"}"#),
    (
        "revert to the previous",
        0,
        r#"{"kind":"revert","by":"lena","version":"2.3.0","why":"known good"}"#,
    ),
    ("report: roll_back", 0, r#"{"kind":"report","by":"lena","signal":"doubt"}"#),
    ("report in the past: roll_back", -10, r#"{"kind":"report","by":"lena","signal":"doubt"}"#),
    ("report: ask", 0, r#"{"kind":"report","by":"lena","signal":"user_reports_worse"}"#),
    ("report: hold", 0, r#"{"kind":"report","by":"lena","signal":"health_check_failed"}"#),
    ("report: continue", 0, r#"{"kind":"report","by":"lena","signal":"worse_performance"}"#),
    ("set P0", 0, r#"{"kind":"set_severity","by":"omar","severity":"P0"}"#),
    ("set P1", 0, r#"{"kind":"set_severity","by":"omar","severity":"P1"}"#),
    ("set facts", 0, r#"{"kind":"set_facts","by":"omar","facts":{"service_down":true}}"#),
    ("confirm what nobody asked for", 0, r#"{"kind":"confirm","by":"tool","action":"0.9"}"#),
    ("failed what nobody asked for", 0, r#"{"kind":"failed","by":"tool","action":"0.9"}"#),
    ("note", 0, r#"{"kind":"note","by":"omar","text":"hm"}"#),
    (
        "supersede",
        0,
        r#"{"kind":"supersede","by":"lena","why":"a better fix","release":{"version":"2.3.2","previous":"2.3.0","methods":[{"kind":"redeploy","seconds":60}]}}"#,
    ),
    ("retry", 0, r#"{"kind":"retry","by":"lena","why":"it was the network"}"#),
    ("acknowledge", 0, r#"{"kind":"acknowledge","by":"iris","duty":"wake"}"#),
    ("done", 0, r#"{"kind":"done","by":"iris","duty":"report"}"#),
    ("news sent", 0, r#"{"kind":"done","by":"iris","duty":"news"}"#),
    (
        "release",
        0,
        r#"{"kind":"release","by":"lena","release":{"version":"2.3.1","previous":"2.3.0","methods":[{"kind":"redeploy","seconds":60}]}}"#,
    ),
];

pub(crate) static WORDS: LazyLock<Vec<Word>> = LazyLock::new(|| {
    let word = |(_, after, text): &(&'static str, i64, &str)| Word {
        after: *after,
        input: Input::from_json(text).unwrap_or_else(|error| panic!("{text}: {error}")),
    };
    TEXTS.iter().map(word).collect()
});

/// When the first input comes.
pub(crate) fn start() -> Timestamp {
    "2026-03-03T14:40:00Z".parse().expect("a time")
}

impl Move {
    /// The word of this name.
    pub(crate) fn say(name: &str) -> Self {
        Self::Say(TEXTS.iter().position(|(known, ..)| *known == name).expect("a known word"))
    }

    /// Everything that may happen to this machine.
    pub(crate) fn all(machine: &impl Machine, past: &Past) -> Vec<Self> {
        let mut moves: Vec<Self> = (0..TEXTS.len()).map(Self::Say).collect();
        for failed in [false, true] {
            let pending = 0..machine.pending().len();
            moves.extend(pending.map(|place| Self::Pending { place, failed }));
            let overtaken = 0..past.overtaken.len();
            moves.extend(overtaken.map(|place| Self::Overtaken { place, failed }));
        }
        if machine.poll_at().is_some() {
            moves.push(Self::AtPoll);
        }
        moves.extend([false, true].map(|taken_back| Self::Resolved { taken_back }));
        moves
    }

    /// The input and its time; none where there is no such action, or no time asked for.
    pub(crate) fn input(self, machine: &impl Machine, past: &Past) -> Option<(Timestamp, Input)> {
        let now = machine.now().unwrap_or_else(start);
        let ended = |action: ActionId, failed: bool| {
            let command = if failed {
                Command::Failed { action, why: None }
            } else {
                Command::Confirm { action, why: None }
            };
            Input::new(command).by("tool")
        };
        Some(match self {
            Self::Say(index) => {
                let word = &WORDS[index];
                let step = Span::from_seconds(u32::try_from(word.after.unsigned_abs()).ok()?);
                (if word.after < 0 { now - step } else { now + step }, word.input.clone())
            }
            Self::Pending { place, failed } => {
                (now, ended(machine.pending().get(place)?.id, failed))
            }
            Self::Overtaken { place, failed } => (now, ended(*past.overtaken.get(place)?, failed)),
            Self::AtPoll => (machine.poll_at()?.max(now), Input::new(Command::Tick)),
            Self::Resolved { taken_back } => {
                let times = BTreeMap::from([(KnownTime::Resolved, (!taken_back).then_some(now))]);
                (now, Input::new(Command::SetTimes { times, why: None }).by("omar"))
            }
        })
    }

    /// The kind of input.
    pub(crate) fn kind(self) -> InputKind {
        match self {
            Self::Say(index) => WORDS[index].input.command.kind(),
            Self::Pending { failed, .. } | Self::Overtaken { failed, .. } => {
                if failed {
                    InputKind::Failed
                } else {
                    InputKind::Confirm
                }
            }
            Self::AtPoll => InputKind::Tick,
            Self::Resolved { .. } => InputKind::SetTimes,
        }
    }
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = |failed| if failed { "failed" } else { "confirm" };
        match *self {
            Self::Say(index) => f.write_str(TEXTS[index].0),
            Self::Pending { place, failed } => write!(f, "{} {}", end(failed), place + 1),
            Self::Overtaken { place, failed } => {
                write!(f, "{} overtaken {}", end(failed), place + 1)
            }
            Self::AtPoll => f.write_str("tick at the time asked for"),
            Self::Resolved { taken_back: false } => f.write_str("resolved"),
            Self::Resolved { taken_back: true } => f.write_str("not resolved"),
        }
    }
}

/// A sequence in one line.
pub(crate) fn told(moves: &[Move]) -> String {
    moves.iter().map(Move::to_string).collect::<Vec<_>>().join(", ")
}
