//! What the text of a message may name, and who may read it.

use crate::grade::{Audience, closed_set};
use Reach::{Business, Internal, Public};

closed_set! {
    /// The reach of a field: which audiences may read it.
    Reach {
        /// Everybody.
        Public = "public",
        /// The audiences business, stakeholders and responders.
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

/// A field of messages: a name in double braces, as in `{{ title }}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageField {
    /// Its name.
    pub name: &'static str,
    /// Who may read it.
    pub reach: Reach,
    /// Whether it has several lines, for a `for` loop; otherwise it is one text.
    pub lines: bool,
    /// Its description.
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

    /// Whether a text for this audience may use the field.
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

/// Every field that the text of a message may name; what the public may read comes first.
#[rustfmt::skip]
pub const MESSAGE_FIELDS: &[MessageField] = &[
    text("service", Public, "the service"),
    text("status", Public, "the status, in words for the audience"),
    text("now", Public, "the time of the message"),
    text("began_at", Public, "when the incident began"),
    text("started_at", Public, "when the deployment started, else when work on the fix started"),
    text("deployed_at", Public, "when the last phase got its traffic, usually all of it"),
    text("verified_at", Public, "when the final validation of the fix ended; no value before, after a rollback, and where its checks were waived or made before the deployment, or none was made; without such checks, where a person had to pass the last phase"),
    text("held_back", Public, "once the last phase has its traffic: the share that stays on the old version until the last watch is over; for the public `some users`; no value if no share does"),
    text("no_problem", Public, "`yes` after a false alarm: the incident is not confirmed, no fix is live, and none was rolled back for what readings or a report showed; else no value"),
    text("resolved_at", Public, "when the incident was over for users"),
    text("duration", Public, "a duration: for a phase that passed, the time it was watched; for a start, the planned time; for a deployment, the time it took; else from the beginning of the incident until it was over or until now; no value while nobody has stated when it began or was detected"),
    text("downtime", Public, "how long the service was down, once the incident is over; `none` if it was never down"),
    text("eta", Public, "when the deployment is expected to be complete, unless a person has to promote or to decide; before the release is ready only for responders and stakeholders: after the longest planned time since the detection or since its change window opens, while that is known and leaves enough time for the rollout, and while the start waits for no waiver of the normal process"),
    text("next_update", Public, "when the next update for this audience is asked for; after an update within its interval that is the beginning of the next, at whose end the duty would be late"),
    text("status_page", Public, "the address of the status page; given by the caller, or noted with an item of a checklist"),
    text("incident_id", Business, "the incident's id"),
    text("title", Business, "the incident's title"),
    text("severity", Business, "the severity, as `P1`; `P1 (assumed)` where it is not given and known facts do not settle it"),
    text("severity_label", Business, "the policy's name for the severity, or `P1` where it has none; `possibly critical` where it is assumed"),
    text("severity_change", Business, "in the first alert or update after a change of the severity: what it is, and what this audience read of it before"),
    text("impact", Business, "what is broken, from the known facts: first the titles of the severity rules that fire only with facts of the policy's own, not in `resolved`; of error rate and latency what is bad by a rule or the metric of that name, or is not judged; else the share of users affected; in `resolved` what it was at worst"),
    text("affected", Business, "who is affected, from the known facts; in `resolved` at worst"),
    text("users_affected", Business, "the share of users affected; in `resolved` at worst"),
    text("detected_at", Business, "when the incident was detected"),
    text("action", Business, "what is being done now"),
    text("next_step", Business, "what comes next"),
    text("proven", Business, "`yes` where readings have shown that the fix works, as `efficacy` of the policy claims; else no value"),
    text("unproven", Business, "that the fix is not yet shown to work, where `efficacy` of the policy claims it and readings could show it; else no value"),
    text("unseen", Business, "for a phase that passed: why a person had to pass it: there were no readings, nothing judged them, they were missing at the end, one instance was worse, it was early, or its criteria were not met"),
    text("reason", Business, "the reason for the rollback; while another method is tried, also that one has failed, and for responders and stakeholders which"),
    text("share", Business, "the share of the traffic that has the fix"),
    text("shares", Business, "the shares of the phases"),
    text("review_at", Business, "by when the review is due, as `by 15:30 UTC`; an appointment is given by the caller"),
    text("rollback_eta", Business, "during a rollback: when it is expected to finish; once it is confirmed, after the longest verification"),
    text("rollback_takes", Business, "how long a rollback takes; its watch comes after it where the policy has no time to verify"),
    text("commander", Internal, "who holds the role with the id `incident_commander` by the policy; after a handover given by the caller"),
    text("engineer", Internal, "who wrote the fix"),
    text("version", Internal, "the version of the fix"),
    text("previous", Internal, "the version to roll back to"),
    text("strategy", Internal, "the strategy"),
    text("phase", Internal, "the phase; for `phase_passed` the phase that passed"),
    text("success_signs", Internal, "the signs by which the deployment is seen to have succeeded, as `deploying.success` has them"),
    text("failure_signs", Internal, "the signs by which it is seen to have failed, as `deploying.failure` has them"),
    text("cause", Internal, "the root cause; given by the caller, noted with an item of a checklist, stated for the report, or by the commit message of the fix"),
    text("fix", Internal, "what the fix does; in `resolved`, where the incident ended without it, the `resolution` that was stated for the report"),
    text("harm", Internal, "how many requests a minute would fail with all of the traffic on each version; events where no metric counts requests"),
    text("channel", Internal, "the incident's channel; given by the caller, or noted with an item of a checklist"),
    text("dashboard", Internal, "the address of the dashboard; given by the caller, or noted with an item of a checklist"),
    text("url", Internal, "the address of the incident; given by the caller, or noted with an item of a checklist"),
    lines("approvers", "who approved, and in which role"),
    lines("metrics", "observed values: each metric with the fix, without it and before the incident; after a rollback those of the live version"),
    lines("timeline", "the events with their times"),
    lines("watch_for", "what is still watched, and until when"),
];
