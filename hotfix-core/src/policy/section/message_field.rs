//! What the text of a message may name, and who may read it (COMM-1, COMM-2).

use Reach::{Business, Internal, Public};

use crate::grade::{Audience, closed_set};

closed_set! {
    /// How far a field goes: who reads texts that may name it.
    Reach {
        /// Everybody.
        Public = "public",
        /// The house's business side, and who has more to do with it.
        Business = "business",
        /// Responders and stakeholders.
        Internal = "internal",
    }
}

impl Reach {
    /// The widest reach whose fields an audience may read.
    pub const fn of(audience: Audience) -> Self {
        match audience {
            Audience::Public => Self::Public,
            Audience::Business => Self::Business,
            Audience::Responders | Audience::Stakeholders => Self::Internal,
        }
    }
}

/// A field of messages: a name that stands in double braces, `{{ title }}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageField {
    /// Its name.
    pub name: &'static str,
    /// Who may read it.
    pub reach: Reach,
    /// Whether it has lines, which `for` goes through; else one text.
    pub lines: bool,
    /// What it is.
    pub what: &'static str,
}

impl MessageField {
    /// The field with this name.
    ///
    /// ```
    /// use hotfix_core::policy::section::{MessageField, Reach};
    /// assert_eq!(MessageField::find("commander").map(|field| field.reach), Some(Reach::Internal));
    /// assert_eq!(MessageField::find("comander"), None);
    /// ```
    pub fn find(name: &str) -> Option<&'static Self> {
        MESSAGE_FIELDS.iter().find(|field| field.name == name)
    }

    /// Whether a text for this audience may name it.
    pub fn is_for(&self, audience: Audience) -> bool {
        self.reach <= Reach::of(audience)
    }
}

const fn text(name: &'static str, reach: Reach, what: &'static str) -> MessageField {
    MessageField { name, reach, lines: false, what }
}

const fn lines(name: &'static str, what: &'static str) -> MessageField {
    MessageField { name, reach: Internal, lines: true, what }
}

/// Every field that the text of a message may name; what the public may read comes first (COMM-1, COMM-2).
#[rustfmt::skip]
pub const MESSAGE_FIELDS: &[MessageField] = &[
    text("service", Public, "the service"),
    text("status", Public, "how it stands, in words for the audience"),
    text("now", Public, "the time of the message"),
    text("began_at", Public, "when it began"),
    text("started_at", Public, "when the deployment started, else when work on the fix did"),
    text("deployed_at", Public, "since when all traffic has the fix"),
    text("resolved_at", Public, "when it was over for users"),
    text("duration", Public, "how long: of a phase that passed its watch, of a start what is planned, of a deployment what it took, else from the beginning until it was over or until now"),
    text("downtime", Public, "how long nobody could use the service, once it is over; `none` where it was never down"),
    text("eta", Public, "when the deployment is expected to be complete"),
    text("next_update", Public, "when the next update for this audience is due"),
    text("status_page", Public, "the address of the status page; the host gives it"),
    text("incident_id", Business, "the incident's id"),
    text("title", Business, "the incident's title"),
    text("severity", Business, "the severity, as `P1`"),
    text("severity_label", Business, "what the house calls the severity"),
    text("impact", Business, "what is broken, of the facts that are known"),
    text("affected", Business, "who is affected, of the facts that are known"),
    text("users_affected", Business, "the share of users affected"),
    text("detected_at", Business, "when it was noticed"),
    text("action", Business, "what is being done now"),
    text("next_step", Business, "what comes next"),
    text("unseen", Business, "of a phase that passed: why its watch says nothing of the fix, where nothing was read or nothing judged it"),
    text("reason", Business, "why it goes back, or went"),
    text("share", Business, "the share of the traffic that has the fix"),
    text("shares", Business, "the shares of the phases"),
    text("review_at", Business, "when the review is due"),
    text("rollback_eta", Business, "while it goes back: when it is expected to be back"),
    text("rollback_takes", Business, "how long going back takes"),
    text("commander", Internal, "who holds the role `incident_commander`"),
    text("engineer", Internal, "who wrote the fix"),
    text("version", Internal, "the version of the fix"),
    text("previous", Internal, "the version to go back to"),
    text("strategy", Internal, "the strategy"),
    text("phase", Internal, "the phase; of `phase_passed` the one that passed"),
    text("cause", Internal, "the root cause; the host gives it"),
    text("fix", Internal, "what the fix does"),
    text("harm", Internal, "how many requests a minute each version would hurt with all of the traffic"),
    text("channel", Internal, "the incident's channel; the host gives it"),
    text("dashboard", Internal, "the address of the dashboard; the host gives it"),
    text("url", Internal, "the address of the incident; the host gives it"),
    lines("approvers", "who approved, and in which role"),
    lines("metrics", "what was seen: each metric with the fix, without it and before the incident"),
    lines("timeline", "what happened when"),
    lines("watch_for", "what is still looked at, and until when"),
];
