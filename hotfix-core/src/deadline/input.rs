//! What an agenda is told, and what it declines.

use crate::fact::{Facts, Truth};
use crate::grade::{Calendar, DutyKind, Moment, Severity};
use crate::text::did_you_mean;
use crate::unit::{Name, Timestamp};

/// What an agenda is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Input<'a> {
    /// The severity that is acted on; none where none is known.
    Severity(Option<Severity>),
    /// What is known of the incident, all of it.
    Facts(&'a Facts),
    /// Whether the fix is a stop-gap. Unknown until it is said.
    StopGap(Truth),
    /// A moment came. The same moment again corrects its time; a time ahead of the input's counts as the input's. The way
    /// back (`rolled_back`) takes back that the fix was deployed, verified and the fault resolved.
    Moment {
        /// Which.
        moment: Moment,
        /// When.
        at: Timestamp,
    },
    /// A moment came too soon: what counts from it is no longer asked for, and anew when it comes again. `resolved` taken
    /// back opens the incident again, and its ladder counts from now.
    TakenBack(Moment),
    /// By when something is due that is due by this day, where that is after the moment that it counts from. Of days the
    /// earliest one that was given stays; releases and sprints may be put off as long as they lie ahead.
    Day {
        /// Which day.
        day: Calendar,
        /// By when.
        at: Timestamp,
    },
    /// An approval that may be given after the start was given, or taken back.
    Approval {
        /// Its place among all demands: those of the whole policy first, then those of each severity, the most severe
        /// first; from 0.
        demand: usize,
        /// Whether it is there.
        given: bool,
    },
    /// Somebody who was called takes it on.
    Acknowledge {
        /// The duty's id.
        duty: Name,
    },
    /// It is done.
    Done {
        /// The duty's id.
        duty: Name,
    },
}

/// Why an answer about a duty is declined (TIME-3). Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DutyRefusal {
    /// There is no such duty.
    #[error("the policy has no duty `{duty}`: {}name one of its duties", did_you_mean(.nearest.as_deref()))]
    Unknown {
        /// What came.
        duty: Name,
        /// The duty whose id is like it.
        nearest: Option<String>,
    },
    /// The policy does not ask for it in this incident.
    #[error(
        "`{duty}` is not asked for here, by severity, facts or kind of fix: set those first if they have changed"
    )]
    NotAsked {
        /// The duty.
        duty: Name,
    },
    /// Its time has not begun.
    #[error("the time of `{duty}` begins with `{moment}`, which has not come: wait for it")]
    NotBegun {
        /// The duty.
        duty: Name,
        /// The moment.
        moment: Moment,
    },
    /// It is done already.
    #[error("`{duty}` is done since {at}{}", again(*.next))]
    AlreadyDone {
        /// The duty.
        duty: Name,
        /// Since when.
        at: Timestamp,
        /// When it is asked for again.
        next: Option<Timestamp>,
    },
    /// It is over.
    #[error("`{duty}` is over since {at}: nobody has to do it any more")]
    Over {
        /// The duty.
        duty: Name,
        /// Since when.
        at: Timestamp,
    },
    /// Nobody is called by it.
    #[error("`{duty}` is of kind `{kind}`, which nobody is called by: send `done` when it is")]
    NotACall {
        /// The duty.
        duty: Name,
        /// Its kind.
        kind: DutyKind,
    },
    /// What happens settles it, and no word does.
    #[error("`{duty}` is settled by {by} alone: record that")]
    SettledByItself {
        /// Its id.
        duty: Name,
        /// By what, in a few words.
        by: String,
    },
}

fn again(next: Option<Timestamp>) -> String {
    next.map_or_else(String::new, |next| format!(", and asked for again from {next}"))
}

impl DutyRefusal {
    /// The stable code of this refusal.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "HF-TIME-001",
            Self::NotAsked { .. } => "HF-TIME-002",
            Self::NotBegun { .. } => "HF-TIME-003",
            Self::AlreadyDone { .. } => "HF-TIME-004",
            Self::Over { .. } => "HF-TIME-005",
            Self::NotACall { .. } => "HF-TIME-006",
            Self::SettledByItself { .. } => "HF-TIME-007",
        }
    }
}
