//! What happened in a rollout: phases that ended, outages of the service, logged refusals, and the
//! root cause and the resolution that were stated.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::code::{Family, family};
use crate::getters::getters;
use crate::grade::RollbackMethod;
use crate::judge::PhaseRecord;
use crate::policy::Policy;
use crate::sorting::remove;
use crate::unit::Timestamp;

use super::super::action::{Act, ActionId};
use super::super::describe::{failed, stated_reason};
use super::super::input::Command;

/// What happened. No later decision depends on it.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize, educe::Educe)]
#[educe(Clone)]
pub(crate) struct Happened {
    /// The readings of each phase that has ended.
    pub(super) phases: Vec<PhaseRecord>,
    /// When the service was reported down.
    pub(super) outages: Vec<Outage>,
    /// When the service was first reported up, without an outage before; and whether that was
    /// before the first start, or holds from the beginning.
    pub(super) up: Option<(Timestamp, bool)>,
    /// When each fix was rolled back, or withdrawn for another.
    pub(super) rollbacks: Vec<Timestamp>,
    /// The last logged refusal of each code, by minute.
    pub(super) refusals: Vec<(String, i64)>,
    /// The root cause that a person stated last, and when.
    pub(super) cause: Option<(Timestamp, String)>,
    /// How the incident was resolved, as a person stated it last.
    pub(super) resolution: Option<String>,
    /// The last step of a deployment that failed, and why.
    failed_step: Option<String>,
    /// Why each rollback method failed last, where that was given.
    failed_methods: BTreeMap<RollbackMethod, String>,
}

/// A period in which the service was reported down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outage {
    /// When it was reported down.
    pub(crate) from: Timestamp,
    /// Reported with the first input: it counts from the beginning of the incident.
    pub(crate) from_the_beginning: bool,
    /// When it was reported up again.
    pub(crate) until: Option<Timestamp>,
}

impl Happened {
    /// Notes a rollback that has ended.
    pub(in crate::rollout) fn note_rollback(&mut self, at: Timestamp) {
        self.rollbacks.push(at);
    }

    /// Why a rollback method failed last; None where nobody gave a reason.
    pub(crate) fn why_failed(&self, method: RollbackMethod) -> Option<&str> {
        self.failed_methods.get(&method).map(String::as_str)
    }

    /// Notes that an action failed, and why.
    pub(super) fn note_failure(&mut self, id: ActionId, act: &Act, why: Option<&str>) {
        if let Act::RollBack { method, .. } = act {
            match stated_reason(why) {
                Some(why) => self.failed_methods.insert(*method, why),
                None => remove(&mut self.failed_methods, method),
            };
        } else {
            self.failed_step = Some(failed(id, act, why));
        }
    }

    /// Notes the cause or the resolution that this input states.
    pub(super) fn note_statement(&mut self, at: Timestamp, command: &Command, policy: &Policy) {
        if let Some(cause) = command.root_cause(policy) {
            self.cause = Some((at, cause.to_owned()));
        }
        if let Some(resolution) = command.labelled(&["resolution"]) {
            self.resolution = Some(resolution.to_owned());
        }
    }

    /// Whether a refusal of this code has not been logged in this minute.
    pub(crate) fn is_news(&self, code: &str, at: Timestamp) -> bool {
        !self.refusals.iter().any(|(known, last)| known == code && *last == minute(at))
    }

    /// The code of the last refused reading that was logged since this time.
    pub(crate) fn refused_reading(&self, since: Timestamp) -> Option<&str> {
        let refused = self
            .refusals
            .iter()
            .filter(|(code, last)| family(code) == Some(Family::Metric) && *last >= minute(since));
        refused.max_by_key(|(_, last)| *last).map(|(code, _)| code.as_str())
    }

    pub(super) fn note_refusal(&mut self, code: &str, at: Timestamp) {
        match self.refusals.iter_mut().find(|(known, _)| known == code) {
            Some((_, last)) => *last = minute(at),
            None => self.refusals.push((code.to_owned(), minute(at))),
        }
    }

    /// Notes whether the service is down by new facts; `corrected`: they hold from the beginning, and what was
    /// reported until now was wrong.
    pub(super) fn note_facts(&mut self, at: Timestamp, is_down: Option<bool>, corrected: bool) {
        if corrected {
            self.outages.clear();
            self.up = None;
        }
        self.note_service(at, is_down, corrected);
    }

    /// The first start: a report until now was made before a fix went out.
    pub(super) const fn note_first_start(&mut self) {
        if let Some((_, before_the_fix)) = &mut self.up {
            *before_the_fix = true;
        }
    }

    /// Notes whether the service is reported down; `opening`: it was so from the beginning, as reported
    /// with the first input.
    pub(super) fn note_service(&mut self, at: Timestamp, is_down: Option<bool>, opening: bool) {
        let is_first = self.outages.is_empty();
        match (is_down, self.outages.last_mut().filter(|outage| outage.until.is_none())) {
            (Some(false), Some(open)) => open.until = Some(at),
            (Some(true), None) => {
                self.outages.push(Outage { from: at, from_the_beginning: opening, until: None });
            }
            (Some(false), None) if is_first => {
                self.up.get_or_insert((at, opening));
            }
            (None | Some(_), _) => {}
        }
    }
}

const fn minute(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(60_000)
}

getters! {
    pub(crate) fn Happened: self;

    phases: &[PhaseRecord] = &self.phases;
    outages: &[Outage] = &self.outages;
    /// When the service was first reported to be up, and whether it was so before a fix went out.
    up: Option<(Timestamp, bool)> = self.up;
    /// When each fix was rolled back, or withdrawn for another.
    rollbacks: &[Timestamp] = &self.rollbacks;
    cause: Option<(Timestamp, &str)> = self.cause.as_ref().map(|(at, cause)| (*at, cause.as_str()));
    resolution: Option<&str> = self.resolution.as_deref();
    failed_step: Option<&str> = self.failed_step.as_deref();
}
