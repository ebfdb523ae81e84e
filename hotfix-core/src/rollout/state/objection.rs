//! What people report, deny or withdraw.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactValue, Facts, Impact};
use crate::grade::Signal;
use crate::policy::Policy;
use crate::rollout::describe::{given, reported};
use crate::rollout::input::Command;
use crate::rollout::stage::Stage;
use crate::text::joined;
use crate::unit::RoleName;

use super::RolloutState;
use super::people::People;
use super::unanswered::{About, Unanswered};

/// What a person reported, denied or withdrew, with the note or reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Objection {
    pub(crate) of: Objected,
    why: Option<String>,
}

/// What an objection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Objected {
    Reported(Signal),
    Denied(RoleName),
    Withdrew(RoleName),
}

impl Objection {
    /// The objection that an input states; None for any other input.
    pub(crate) fn of(command: &Command) -> Option<Self> {
        let (of, why) = match command {
            Command::Report { signal, note } => (Objected::Reported(*signal), note),
            Command::Deny { role, why, .. } => (Objected::Denied(*role), why),
            Command::Withdraw { role, why, .. } => (Objected::Withdrew(*role), why),
            _ => return None,
        };
        Some(Self { of, why: why.clone() })
    }

    /// Adds it to the unanswered ones, of which each kind is there once, with its last reason.
    pub(crate) fn add_to(self, all: &mut Vec<Self>) {
        match all.iter_mut().find(|known| known.of == self.of) {
            Some(known) => known.why = self.why.or_else(|| known.why.take()),
            None => all.push(self),
        }
    }
}

impl People {
    /// Whether an objection, or a relapse, is open while the fix is being deployed or live.
    pub(crate) fn objects_to(&self, stage: &Stage) -> bool {
        let open = self.unanswered.as_ref();
        stage.is_out() && open.is_some_and(|open| open.about.is_kept())
    }

    /// Whether a person objected, or nobody has answered yet whether the incident is open again.
    pub(crate) fn objected(&self) -> bool {
        self.objected || self.unanswered.iter().chain(&self.set_aside).any(Unanswered::is_relapse)
    }

    /// Whether the open question is whether the incident is open again.
    pub(crate) fn asks_about_relapse(&self) -> bool {
        self.unanswered.as_ref().is_some_and(Unanswered::is_relapse)
    }

    /// The open objection, also during a pause.
    pub(crate) fn objection(&self, stage: &Stage) -> Option<&Unanswered> {
        let open = self.unanswered.as_ref().filter(|_| self.objects_to(stage));
        self.set_aside.as_ref().or(open)
    }

    /// Whether only a person may promote: after an objection, or a verdict that demands a rollback.
    pub(crate) fn bars_promotion(&self) -> bool {
        self.objected() || self.failed
    }

    /// Adds what a person stated to the open question about objections that names it.
    pub(super) fn note_objection(&mut self, command: &Command) {
        let open = self.unanswered.as_mut().filter(|open| open.about == About::Objection);
        if let (Some(open), Some(objection)) = (open, Objection::of(command))
            && open.text.contains(&objection.to_string())
        {
            objection.add_to(&mut open.stated);
        }
    }
}

/// The impact on users or the business that an input states, if any.
pub(crate) fn stated_impact(policy: &Policy, command: &Command) -> Option<String> {
    stated_by(policy, command, |_| true)
}

/// The impact that an input states by the facts that `of` selects.
fn stated_by(policy: &Policy, command: &Command, of: impl Fn(FactId) -> bool) -> Option<String> {
    let Command::SetFacts { facts, .. } = command else { return None };
    let mut stated = Facts::read(facts, policy.vocabulary()).ok()?;
    let others: Vec<FactId> = stated.iter().map(|(id, _)| id).filter(|id| !of(*id)).collect();
    for id in others {
        stated.forget(id);
    }
    let impact = joined(Impact::new(&stated, false).states(), "; ");
    (!impact.is_empty()).then_some(impact)
}

impl Display for Objection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (why, role, did) = match (self.why.as_deref(), self.of) {
            (why, Objected::Reported(signal)) => {
                return f.write_str(&reported(signal.as_str(), why));
            }
            (why, Objected::Denied(role)) => (why, role, "denied the plan"),
            (why, Objected::Withdrew(role)) => (why, role, "withdrew an approval"),
        };
        write!(f, "`{role}` {did} after the start{}", given(why))
    }
}

impl RolloutState {
    /// Impact that an input states before the end and that was known to be absent, while the fix has traffic.
    pub(super) fn relapse(&self, policy: &Policy, command: &Command) -> Option<String> {
        let corrects = matches!(command, Command::SetFacts { correction: Some(true), .. });
        let is_live = self.place.stage().is_out() && self.reach().is_any();
        if corrects || !is_live || self.is_resolved() {
            return None;
        }
        let was_not = |id| matches!(self.readiness.facts().get(id), Some(FactValue::Flag(false)));
        stated_by(policy, command, was_not)
    }

    /// What people stated, and whether an approval has answered that; None where they stated nothing.
    pub(in crate::rollout) fn stated(&self, all: &[Objection]) -> Option<String> {
        let words = self.readiness.statements();
        let is_denied = |role| words.denials().any(|denial| denial.role == role);
        let now = |objection: &Objection| {
            let answered = match objection.of {
                Objected::Denied(role) if !is_denied(role) => {
                    ", and an approval has lifted that since"
                }
                Objected::Withdrew(role) if words.has_approved(role) => {
                    ", and has approved it again since"
                }
                _ => "",
            };
            format!("{objection}{answered}")
        };
        let text = joined(all.iter().map(now), "; ");
        (!text.is_empty()).then_some(text)
    }
}
