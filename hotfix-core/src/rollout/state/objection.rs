//! What people report, deny or withdraw.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use crate::fact::{Fact, FactId, FactValue, Facts, Impact};
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
    /// It started although the incident was over.
    Ended,
    /// Harm that is stated while the fix has traffic.
    Harm(Fact),
}

/// Harm that ends with no rollback: what is lost meanwhile stays lost. It asks also where nothing was known of
/// it before.
const LASTING: [Fact; 2] = [Fact::DataCorruption, Fact::SecurityExploited];

impl Objection {
    /// The objection that an input states; None for any other input.
    pub(crate) fn of(command: &Command) -> Option<Self> {
        let (of, why) = match command {
            Command::Report { signal, note } => (Objected::Reported(*signal), note),
            Command::Deny { role, why, .. } => (Objected::Denied(*role), why),
            Command::Withdraw { role, why, .. } => (Objected::Withdrew(*role), why),
            Command::Start => return Some(Objected::Ended.into()),
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

    /// What was stated, for a reader who knows no names of inputs.
    fn in_words(&self, policy: &Policy) -> String {
        let signal = |signal: Signal| format!("reported: {}", signal.described());
        self.sentence(&signal, &|role| policy.role_title(role))
    }

    fn sentence(
        &self,
        signal: &dyn Fn(Signal) -> String,
        role: &dyn Fn(RoleName) -> String,
    ) -> String {
        let what = match self.of {
            Objected::Reported(of) => signal(of),
            Objected::Denied(by) => format!("{} denied the plan after the start", role(by)),
            Objected::Withdrew(by) => format!("{} withdrew an approval after the start", role(by)),
            Objected::Ended => "the incident was resolved before the start".to_owned(),
            Objected::Harm(fact) => fact.impact().unwrap_or_default()[0].to_owned(),
        };
        what + &given(self.why.as_deref())
    }
}

impl From<Objected> for Objection {
    fn from(of: Objected) -> Self {
        Self { of, why: None }
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

    /// Adds harm that is stated while the fix has traffic to the open question about it.
    pub(super) fn note_harm(&mut self, harm: &[Fact]) {
        if let Some(open) = self.unanswered.as_mut().filter(|open| open.about == About::Harm) {
            add_harm(harm, &mut open.stated);
        }
    }

    /// Drops harm of which an input says that it was so, or was not so, before the fix. Whether that is all that
    /// the open question is about.
    pub(super) fn correct_harm(&mut self, command: &Command) -> bool {
        let Command::SetFacts { facts, correction: Some(true), .. } = command else { return false };
        let is_left = |objection: &Objection| match objection.of {
            Objected::Harm(fact) => !facts.contains_key(fact.as_str()),
            _ => true,
        };
        let drop_from = |open: &mut Unanswered| {
            let had_any = !open.stated.is_empty();
            open.stated.retain(is_left);
            had_any && open.stated.is_empty() && open.about == About::Harm
        };
        self.set_aside.take_if(drop_from);
        self.unanswered.as_mut().is_some_and(drop_from)
    }
}

fn add_harm(harm: &[Fact], all: &mut Vec<Objection>) {
    for fact in harm {
        Objection::from(Objected::Harm(*fact)).add_to(all);
    }
}

/// The impact on users or the business that an input states, if any.
pub(crate) fn stated_impact(policy: &Policy, command: &Command) -> Option<String> {
    let impact = joined(Impact::new(&stated_facts(policy, command)?, false).states(), "; ");
    (!impact.is_empty()).then_some(impact)
}

fn stated_facts(policy: &Policy, command: &Command) -> Option<Facts> {
    let Command::SetFacts { facts, .. } = command else { return None };
    Facts::read(facts, policy.vocabulary()).ok()
}

impl Display for Objection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let signal = |signal: Signal| reported(signal.as_str(), None);
        f.write_str(&self.sentence(&signal, &|role| format!("`{role}`")))
    }
}

impl RolloutState {
    /// Harm that an input states before the end, while the fix has traffic: what was known to be absent, and
    /// what is [lasting](LASTING) and was not known.
    pub(super) fn relapse(&self, policy: &Policy, command: &Command) -> Vec<Fact> {
        let corrects = matches!(command, Command::SetFacts { correction: Some(true), .. });
        let is_live = self.place.stage().is_out() && self.reach().is_any();
        if corrects || !is_live || self.is_resolved() {
            return Vec::new();
        }
        let Some(facts) = stated_facts(policy, command) else { return Vec::new() };
        let is_new = |fact: &Fact| match self.readiness.facts().get(FactId::BuiltIn(*fact)) {
            Some(FactValue::Flag(was_so)) => !was_so,
            Some(_) => false,
            None => LASTING.contains(fact),
        };
        let harm = facts.iter().filter_map(|(id, value)| match (id, value) {
            (FactId::BuiltIn(fact), FactValue::Flag(true)) => fact.impact().map(|_| fact),
            _ => None,
        });
        harm.filter(is_new).collect()
    }

    /// All harm that the open question is about, with what is stated now.
    pub(in crate::rollout) fn harm(&self, now: &[Fact]) -> Vec<Objection> {
        let open = self.people.unanswered().filter(|open| open.about == About::Harm);
        let mut all = open.map_or_else(Vec::new, |open| open.stated.clone());
        add_harm(now, &mut all);
        all
    }

    /// What people stated, and whether an approval has answered that; None where they stated nothing.
    pub(in crate::rollout) fn stated(&self, all: &[Objection]) -> Option<String> {
        self.stated_as(all, &Objection::to_string)
    }

    /// The open reports, denials and withdrawals while the fix is being deployed or live, for readers of
    /// messages; None without any.
    pub(in crate::rollout) fn unanswered_objections(&self, policy: &Policy) -> Option<String> {
        let open = self.people.objection(self.place.stage())?;
        self.stated_as(&open.stated, &|objection| objection.in_words(policy))
    }

    fn stated_as(&self, all: &[Objection], text: &dyn Fn(&Objection) -> String) -> Option<String> {
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
            text(objection) + answered
        };
        let text = joined(all.iter().map(now), "; ");
        (!text.is_empty()).then_some(text)
    }
}
