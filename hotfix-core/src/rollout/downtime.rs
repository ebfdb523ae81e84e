//! The reported downtime of the service: one definition for messages, reports and measures.

use crate::grade::Moment;
use crate::policy::Policy;
use crate::unit::{Span, Timestamp};

use super::state::RolloutState;

/// The downtime of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Downtime {
    /// All periods together; a period that has not ended counts up to now.
    pub whole: Span,
    /// When the first one began; absent where the service was reported not down.
    pub from: Option<Timestamp>,
    /// When the last one ended; absent while it lasts, and without a downtime.
    pub until: Option<Timestamp>,
    /// It may have been down for longer: it was from the beginning, and nobody stated when the incident
    /// began or was detected.
    pub at_least: bool,
}

impl Downtime {
    /// Whether it still lasts.
    pub const fn goes_on(&self) -> bool {
        self.from.is_some() && self.until.is_none()
    }

    /// The downtime up to a moment: see [`Rollout::downtime`](super::Rollout::downtime).
    pub(super) fn of(case: &RolloutState, policy: &Policy, at: Timestamp) -> Option<Self> {
        let beginning = case.agenda.origin(Moment::Began);
        let resolved = case.agenda.came(Moment::Resolved);
        let mut downtime = Self { whole: Span::ZERO, from: None, until: None, at_least: false };
        for outage in case.happened.outages() {
            // A report after the incident was resolved is not part of it, unless it is reopened.
            if !outage.from_the_beginning
                && resolved.is_some_and(|resolved| outage.from >= resolved)
            {
                continue;
            }
            let beginning = beginning.filter(|_| outage.from_the_beginning);
            downtime.at_least |= beginning.is_some_and(|(moment, _)| moment == Moment::Declared);
            let from = beginning.map_or(outage.from, |(_, at)| at);
            let over = resolved.map(|resolved| resolved.max(from));
            let until = outage.until.into_iter().chain(over).min();
            downtime.whole = downtime.whole + until.unwrap_or(at).since(from);
            downtime.from = downtime.from.or(Some(from));
            downtime.until = until;
        }
        // That it is up once the fix goes out, or once the incident ends without one, says nothing about
        // the time before.
        let opened = case.agenda.opened();
        let was_up = |(at, before_the_fix): (Timestamp, bool)| before_the_fix || Some(at) <= opened;
        let is_stated = case.readiness.is_down(policy).is_some();
        let is_known =
            downtime.from.is_some() || is_stated && case.happened.up().is_some_and(was_up);
        is_known.then_some(downtime)
    }
}
