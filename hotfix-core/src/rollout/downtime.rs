//! How long the service was down, as people said: one definition for messages, reports and measures (POST-3).

use serde::{Deserialize, Serialize};

use crate::fact::{Fact, FactId, FactValue};
use crate::grade::Moment;
use crate::unit::{Span, Timestamp};

use super::Rollout;
use super::case::Case;

/// A stretch in which the service was said to be down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Outage {
    /// When it was said.
    pub(super) from: Timestamp,
    /// It was said at the opening: it goes back to the beginning of the incident, whenever that turns out to have been.
    pub(super) from_the_beginning: bool,
    /// When it was said to be up again.
    pub(super) until: Option<Timestamp>,
}

/// How long the service was down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Downtime {
    /// All stretches together; of one that goes on, as far as it went.
    pub whole: Span,
    /// When the first one began; absent where the service was said not to be down.
    pub from: Option<Timestamp>,
    /// When the last one ended; absent while it goes on, and where there was none.
    pub until: Option<Timestamp>,
}

impl Downtime {
    /// Whether it goes on.
    pub const fn goes_on(&self) -> bool {
        self.from.is_some() && self.until.is_none()
    }
}

impl Rollout {
    /// How long the service was down, as of a moment not before the last line.
    ///
    /// From when the fact `service_down` becomes yes until it becomes no, else until the incident is resolved; what is said
    /// at the opening counts from the beginning of the incident (`began`, else `detected`, else `declared`). Stretches add up.
    /// One that was said to begin after the incident was resolved counts where that opens again, and only then.
    /// None where nobody ever said whether the service was down.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::Plan, policy::Policy, rollout::{Input, Recording, Rollout}, unit::Span};
    ///
    /// let plan = Plan::from_json(
    ///     Arc::new(Policy::preset("enterprise")?),
    ///     r#"{"id": "INC-2041", "began_at": "2026-03-03T14:02:00Z", "facts": {"service_down": true}}"#,
    ///     r#"{"version": "2.3.1", "previous": "2.3.0"}"#,
    ///     "",
    /// )?;
    /// let mut rollout = Rollout::try_new(plan, Recording::Off, "")?;
    /// let up = Input::from_json(r#"{"kind": "set_facts", "by": "omar", "facts": {"service_down": false}}"#)?;
    /// rollout.handle("2026-03-03T14:32:00Z".parse()?, &up)?;
    /// let downtime = rollout.downtime("2026-03-03T15:00:00Z".parse()?).ok_or("not said")?;
    /// assert_eq!((downtime.whole, downtime.goes_on()), (Span::from_seconds(1_800), false));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Shows POST-3.
    pub fn downtime(&self, at: Timestamp) -> Option<Downtime> {
        let case = &self.case;
        if case.is_down().is_none() && case.outages.is_empty() {
            return None;
        }
        let beginning = self.beginning().map(|(_, at)| at);
        let resolved = self.moment(Moment::Resolved);
        let mut downtime = Downtime { whole: Span::ZERO, from: None, until: None };
        for outage in &case.outages {
            // What is said of it after it was resolved is no part of the incident, unless that opens it again.
            if !outage.from_the_beginning
                && resolved.is_some_and(|resolved| outage.from >= resolved)
            {
                continue;
            }
            let from = beginning.filter(|_| outage.from_the_beginning).unwrap_or(outage.from);
            let until = outage.until.or(resolved.map(|resolved| resolved.max(from)));
            downtime.whole = downtime.whole + until.unwrap_or(at).since(from);
            downtime.from = downtime.from.or(Some(from));
            downtime.until = until;
        }
        Some(downtime)
    }
}

impl Case {
    /// Whether the service is said to be down now.
    fn is_down(&self) -> Option<bool> {
        match self.readiness.facts.get(FactId::BuiltIn(Fact::ServiceDown)) {
            Some(FactValue::Flag(down)) => Some(*down),
            _ => None,
        }
    }

    /// Something may have been said of the service.
    pub(super) fn note_outage(&mut self, at: Timestamp, opening: bool) {
        let is_down = self.is_down();
        match (is_down, self.outages.last_mut().filter(|outage| outage.until.is_none())) {
            (Some(false), Some(open)) => open.until = Some(at),
            (Some(true), None) => {
                self.outages.push(Outage { from: at, from_the_beginning: opening, until: None });
            }
            (None | Some(_), _) => {}
        }
    }
}
