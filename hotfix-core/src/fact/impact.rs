//! What the known facts mean to people: the impact of an incident.

use crate::text::{joined, percentage, time};

use super::{Fact, FactId, FactValue, Facts};

/// What is known of the impact: now, or at worst once the incident is over.
#[derive(Clone, Copy)]
pub(crate) struct Impact<'f> {
    pub(crate) facts: &'f Facts,
    /// The incident is over: texts are in the past tense.
    is_past: bool,
    /// The titles of what the policy's own facts show.
    own: &'f [&'f str],
    /// Facts that are left out: normal figures, and what its readers do not notice.
    normal: &'f [Fact],
}

impl<'f> Impact<'f> {
    pub(crate) const fn new(facts: &'f Facts, is_past: bool) -> Self {
        Self { facts, is_past, own: &[], normal: &[] }
    }

    /// With these [effects](crate::policy::Policy::own_effects) before those of the built-in facts. They are
    /// in the present tense: of what is over they are left out.
    pub(crate) const fn and(self, own: &'f [&'f str]) -> Self {
        Self { own, ..self }
    }

    /// Without these facts: [figures](crate::policy::Policy::normal_figures) that would read as a
    /// reason beside what is broken, and what is not for the readers.
    pub(crate) const fn without(self, normal: &'f [Fact]) -> Self {
        Self { normal, ..self }
    }

    /// All known effects and the share of users affected, in one line; empty without any.
    pub(crate) fn line(self) -> String {
        joined(self.effects().chain(self.of_users()), "; ")
    }

    /// The share of users affected, as a sentence.
    pub(crate) fn of_users(self) -> Option<String> {
        let are = self.tense(["are", "were"]);
        self.users_affected().map(|share| format!("{share} of users {are} affected"))
    }

    /// The known facts that users or the business notice.
    pub(crate) fn effects(self) -> impl Iterator<Item = String> {
        let own = self.own.iter().filter(move |_| !self.is_past);
        let known = self.facts.iter().filter_map(move |(id, value)| self.effect(id, value));
        own.map(|title| (*title).to_owned()).chain(known)
    }

    /// The effects of flags alone: figures are also recorded afterwards, for the report.
    pub(crate) fn states(self) -> impl Iterator<Item = String> {
        let are_so = self.facts.iter().filter(|(_, value)| matches!(value, FactValue::Flag(true)));
        are_so.filter_map(move |(id, value)| self.effect(id, value))
    }

    const fn tense(self, [now, past]: [&'static str; 2]) -> &'static str {
        if self.is_past { past } else { now }
    }

    fn effect(self, id: FactId, value: &FactValue) -> Option<String> {
        let FactId::BuiltIn(fact) = id else { return None };
        if self.normal.contains(&fact) {
            return None;
        }
        let percent = || some(value);
        let fail = self.tense(["fail", "failed"]);
        Some(match (fact, value) {
            // A share that was recorded as payments recovered, or before all failed.
            (Fact::PaymentFailureShare, _) if self.facts.flag(Fact::PaymentsDown) == Some(true) => {
                return None;
            }
            (Fact::PaymentFailureShare, _) => format!("{} of payments {fail}", percent()?),
            (Fact::ErrorRate, _) => format!("{} of requests {fail}", percent()?),
            (Fact::LatencyP95, FactValue::Duration(span)) => {
                let take = self.tense(["take", "took"]);
                format!("5% of requests {take} {} or longer", time(*span))
            }
            (fact, FactValue::Flag(true)) => self.tense(fact.impact()?).to_owned(),
            _ => return None,
        })
    }

    /// Share of the users that are affected: `55%`.
    pub(crate) fn users_affected(self) -> Option<String> {
        some(self.facts.get(FactId::BuiltIn(Fact::UsersAffected))?)
    }
}

/// A share in percent; None for zero, which is no impact.
fn some(share: &FactValue) -> Option<String> {
    share.as_number().filter(|share| *share > 0.0).map(|share| percentage(share, 3))
}
