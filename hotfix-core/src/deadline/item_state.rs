//! The folded state of one duty.

use serde::{Deserialize, Serialize};

use super::Asked;
use crate::fact::Truth;
use crate::grade::closed_set;
use crate::unit::Timestamp;

closed_set! {
    /// How a duty was settled.
    Settlement {
        /// Somebody reported it as done.
        Done = "done",
        /// Somebody acknowledged this level of the escalation or another.
        Acknowledged = "acknowledged",
        /// Somebody in the role that was paged acted, as by an approval.
        Acted = "acted",
        /// An event settled it, as the deployment settles a fix.
        Moment = "moment",
        /// An approval was given.
        Given = "given",
        /// Its checklist is complete.
        Checklist = "checklist",
        /// It ended before anybody did it.
        Ended = "ended",
    }
}

impl Settlement {
    /// Whether somebody answered a page.
    pub(super) const fn is_answer(self) -> bool {
        matches!(self, Self::Acknowledged | Self::Acted)
    }
}

/// How and when a duty was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// When it was settled.
    pub at: Timestamp,
    /// How it was settled.
    pub how: Settlement,
}

/// The last announcement of a duty, so that none is given twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Notified {
    pub(super) interval: u64,
    pub(super) asked: Option<Asked>,
    /// Since when it waits for an answer, if it is asked for again without one: the last time that
    /// it was asked for.
    pub(super) waits_since: Option<Timestamp>,
}

/// The planned time of a duty, to be compared with the next plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Planned {
    #[default]
    Not,
    Settled,
    /// Due then, where that is known.
    Due(Option<Timestamp>),
}

/// The folded state of one duty.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct DutyState {
    /// Whether its condition holds.
    pub(super) holds: Truth,
    /// It applies.
    pub(super) on: bool,
    /// Since when it applies; None: from the beginning.
    pub(super) since: Option<Timestamp>,
    /// Since when it does not apply any more.
    pub(super) dropped: Option<Timestamp>,
    /// The day by which it is due, where that is a calendar's.
    pub(super) day: Option<Timestamp>,
    /// When `day` was determined.
    pub(super) day_bound: Option<Timestamp>,
    /// The last time that somebody settled it.
    pub(super) settled: Option<Settled>,
    /// Of a repeated duty: when the last occurrence was due that is settled.
    pub(super) through: Option<Timestamp>,
    /// How often it was settled.
    pub(super) times: u64,
    /// A checklist or an approval settled it while it did not apply, and it has not applied since.
    pub(super) apart: bool,
    pub(super) told: Notified,
    /// It was announced before its moment was revoked: a late answer is accepted.
    pub(super) announced_before: bool,
    pub(super) planned: Planned,
    /// Of a duty about a release that was rolled back: the versions for which it is owed, or was when it
    /// was settled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) owed_for: Vec<String>,
}

impl DutyState {
    pub(super) fn new(conditional: bool) -> Self {
        Self { holds: if conditional { Truth::Unknown } else { Truth::Yes }, ..Self::default() }
    }

    /// Settles it where `is_so`, keeping an earlier settlement; otherwise opens it.
    pub(super) fn settle_if(&mut self, is_so: bool, settled: Settled) {
        self.apart = is_so && !self.on && (self.apart || self.settled.is_none());
        self.settled = is_so.then(|| self.settled.unwrap_or(settled));
        self.times = u64::from(is_so);
    }

    /// A release is rolled back: it is owed for this version, too.
    pub(super) fn owe(&mut self, version: &str) {
        if self.settled.is_some() {
            self.owed_for.clear();
        }
        if !self.owed_for.iter().any(|owed| owed == version) {
            self.owed_for.push(version.to_owned());
        }
    }

    /// Settles it for this version, and as a whole where it is owed for no other.
    pub(super) fn settle_for(&mut self, version: &str, at: Timestamp) {
        let others = self.owed_for.iter().filter(|owed| *owed != version).count();
        if others == self.owed_for.len() {
            return;
        }
        if others > 0 {
            self.owed_for.retain(|owed| owed != version);
        } else {
            self.settle_if(true, Settled { at, how: Settlement::Moment });
        }
    }

    /// Resets the state because the moment that it counts from was revoked.
    pub(super) fn start_again(&mut self) {
        self.settled = None;
        self.through = None;
        self.times = 0;
        self.announced_before |= self.told.asked.is_some();
        self.told = Notified::default();
    }
}
