//! The reported downtime of the service: one definition for messages, reports and measures.

use serde::{Deserialize, Serialize};

use crate::fact::{Fact, FactId, FactValue};
use crate::grade::Moment;
use crate::unit::{Span, Timestamp};

use super::Rollout;
use super::state::RolloutState;

/// A period in which the service was reported down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Outage {
    /// When it was reported down.
    pub(super) from: Timestamp,
    /// Reported with the first input: it counts from the beginning of the incident.
    pub(super) from_the_beginning: bool,
    /// When it was reported up again.
    pub(super) until: Option<Timestamp>,
}

/// The downtime of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Downtime {
    /// All periods together; a period that has not ended counts up to now.
    pub whole: Span,
    /// When the first one began; absent where the service was reported not down.
    pub from: Option<Timestamp>,
    /// When the last one ended; absent while it lasts, and where there was none.
    pub until: Option<Timestamp>,
}

impl Downtime {
    /// Whether it still lasts.
    pub const fn goes_on(&self) -> bool {
        self.from.is_some() && self.until.is_none()
    }
}

impl Rollout {
    /// The downtime of the service up to a moment not before the last line.
    ///
    /// It counts from when the fact `service_down` becomes yes until it becomes no, else until the
    /// incident is resolved. A value known with the first input counts from the beginning of the
    /// incident (`began`, else `detected`, else `declared`). Periods add up. One that begins after
    /// the incident was resolved counts only if the incident is reopened. None where it was never
    /// stated whether the service was down.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::Plan, policy::Policy, rollout::{Input, Recording, Rollout},
    /// unit::Span};
    ///
    /// let plan = Plan::from_json(
    ///     Arc::new(Policy::preset("enterprise")?),
    ///     r#"{"id": "INC-2041", "began_at": "2026-03-03T14:02:00Z",
    ///         "facts": {"service_down": true}}"#,
    ///     r#"{"version": "2.3.1", "previous": "2.3.0"}"#,
    ///     "",
    /// )?;
    /// let mut rollout = Rollout::try_new(plan, Recording::Off, "")?;
    /// let up = r#"{"kind": "set_facts", "by": "omar", "facts": {"service_down": false}}"#;
    /// let up = Input::from_json(up)?;
    /// rollout.handle("2026-03-03T14:32:00Z".parse()?, &up)?;
    /// let downtime = rollout.downtime("2026-03-03T15:00:00Z".parse()?).ok_or("not known")?;
    /// assert_eq!((downtime.whole, downtime.goes_on()), (Span::from_seconds(1_800), false));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn downtime(&self, at: Timestamp) -> Option<Downtime> {
        let case = &self.case;
        if case.is_down().is_none() && case.outages.is_empty() {
            return None;
        }
        let beginning = self.beginning().map(|(_, at)| at);
        let resolved = self.moment(Moment::Resolved);
        let mut downtime = Downtime { whole: Span::ZERO, from: None, until: None };
        for outage in &case.outages {
            // A report after the incident was resolved is not part of it, unless it is reopened.
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

impl RolloutState {
    /// Whether the service is reported down now.
    fn is_down(&self) -> Option<bool> {
        match self.readiness.facts.get(FactId::BuiltIn(Fact::ServiceDown)) {
            Some(FactValue::Flag(down)) => Some(*down),
            _ => None,
        }
    }

    /// Notes a change of the reported state of the service.
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
