//! What became of one thing so far.

use serde::{Deserialize, Serialize};

use super::Asked;
use crate::fact::Truth;
use crate::grade::closed_set;
use crate::unit::Timestamp;

closed_set! {
    /// How something came off the agenda.
    Settlement {
        /// Somebody said that it is done.
        Done = "done",
        /// Somebody who was called took it on, this one or another rung of the ladder.
        Acknowledged = "acknowledged",
        /// The moment came that settles it, as the deployment does a fix.
        Moment = "moment",
        /// An approval was given.
        Given = "given",
        /// It is over: what ends it came first.
        Ended = "ended",
    }
}

/// How and when something came off the agenda.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// When.
    pub at: Timestamp,
    /// How.
    pub how: Settlement,
}

/// What the agenda last said about something, so that nothing is said twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Told {
    pub(super) occurrence: u64,
    pub(super) asked: Option<Asked>,
}

/// What was planned for something, to be compared with what is planned next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Planned {
    Not,
    Settled,
    /// Due then, where that is known.
    Due(Option<Timestamp>),
}

/// What became of one thing so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Course {
    /// Whether its condition holds.
    pub(super) holds: Truth,
    /// It is asked for.
    pub(super) on: bool,
    /// Since when; none: from the beginning.
    pub(super) since: Option<Timestamp>,
    /// The day by which it is due, where that is a calendar's.
    pub(super) day: Option<Timestamp>,
    /// When that was found.
    pub(super) day_bound: Option<Timestamp>,
    /// The last time that somebody settled it.
    pub(super) settled: Option<Settled>,
    /// Of something repeated: it is settled up to this occurrence.
    pub(super) through: Option<Timestamp>,
    /// How often it was settled.
    pub(super) times: u64,
    pub(super) told: Told,
    pub(super) planned: Planned,
}

impl Course {
    pub(super) fn new(conditional: bool) -> Self {
        Self {
            holds: if conditional { Truth::Unknown } else { Truth::Yes },
            on: false,
            since: None,
            day: None,
            day_bound: None,
            settled: None,
            through: None,
            times: 0,
            told: Told::default(),
            planned: Planned::Not,
        }
    }

    /// What it counted from was taken back: it has to be done again.
    pub(super) fn start_anew(&mut self) {
        self.settled = None;
        self.through = None;
        self.times = 0;
        self.told = Told::default();
    }
}
