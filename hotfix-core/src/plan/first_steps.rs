//! What has to be done first: what people do at once, and what the start waits for.

use serde::Serialize;

use crate::fact::Truth;
use crate::gate::Who;
use crate::gate::approval::stand_ins_of;
use crate::gate::checklist::{Marks, holding};
use crate::grade::{Audience, DutyKind, ReviewTime, closed_set};
use crate::policy::section::{Checklist, Duty};
use crate::sorting::sort_by_key;
use crate::text::{counted, joined, moment, quoted, words};
use crate::unit::{RoleName, Span};

use super::{Plan, PlanFindingKind};

closed_set! {
    /// The kind of a first step.
    FirstStepKind {
        /// Do what a duty asks for: page, notify, begin to respond.
        Duty = "duty",
        /// Correct an error of the policy, which prevents every start, and make another plan.
        Policy = "policy",
        Release = "release",
        /// Find out the severity, on which the demands depend; without severities whether it is a hot-fix.
        Severity = "severity",
        /// Use the normal process, or let a role waive it.
        NormalProcess = "normal_process",
        /// Set a bound that rolls every fix back to the traffic, in another plan, or let a role waive it.
        VolumeBound = "volume_bound",
        Approval = "approval",
        Review = "review",
        Checklist = "checklist",
        /// Start in the release's change window, or let a role waive it.
        ChangeWindow = "change_window",
    }
}

/// One thing to do before the start.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FirstStep<'a> {
    /// Its kind.
    pub kind: FirstStepKind,
    /// What to do, in a sentence without a full stop.
    pub text: String,
    /// Whether the start waits for it.
    pub holds_start: bool,
    /// The time allowed since the incident began, was detected or was declared. Absent: no limit.
    pub within: Option<Span>,
    /// The interval at which it is repeated after that. Absent: it is done once.
    pub every: Option<Span>,
    /// Who does it. Empty: anybody.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub who: Vec<Who<'a>>,
}

impl<'a> FirstStep<'a> {
    const fn before_start(kind: FirstStepKind, text: String, who: Vec<Who<'a>>) -> Self {
        Self { kind, text, holds_start: true, within: None, every: None, who }
    }
}

impl Plan {
    /// What has to be done first, as far as it is known when the plan is made: what people do as
    /// soon as the incident is known, in the order of the time that they have, and then what the
    /// start waits for.
    ///
    /// A rollout knows what has been done since: its `blockers` are what is still missing.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::Plan, policy::Policy};
    ///
    /// let policy = Arc::new(Policy::preset("enterprise")?);
    /// let incident = r#"{"id": "INC-1", "severity": "P0"}"#;
    /// let plan = Plan::from_json(policy, incident, r#"{"version": "2", "previous": "1"}"#, "")?;
    /// let steps = plan.first_steps();
    /// let first = steps.first().and_then(|step| step.who.first()).ok_or("somebody is paged")?;
    /// assert_eq!(first.role.as_str(), "on_call_engineer");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn first_steps(&self) -> Vec<FirstStep<'_>> {
        let duties = self.first_duties().into_iter();
        let (mut steps, by_day): (Vec<_>, Vec<_>) = duties.partition(|step| step.within.is_some());
        steps.extend(self.policy().denials().iter().map(|finding| {
            let text = format!(
                "correct the policy, then make another plan: this one never starts ({finding})"
            );
            FirstStep::before_start(FirstStepKind::Policy, text, Vec::new())
        }));
        if self.release().is_none() {
            let text = "send `release` when there is a fix".to_owned();
            steps.push(FirstStep::before_start(FirstStepKind::Release, text, Vec::new()));
        }
        steps.extend(self.unknown_severity());
        steps.extend(self.first_waiver());
        steps.extend(self.first_volumes());
        let policy = self.policy();
        let who = |role| Who::of(policy, role);
        let demands = self.demands();
        for demand in demands.approvals.iter().filter(|demand| demand.holds_start) {
            let mut roles: Vec<RoleName> = demand.any_of.iter().map(|one| one.role).collect();
            roles.extend(stand_ins_of(policy, &roles));
            let titles = demand.any_of.iter().map(|one| policy.role_title(one.role));
            steps.push(FirstStep::before_start(
                FirstStepKind::Approval,
                format!("get the approval of the {}", joined(titles, " or ")),
                roles.into_iter().map(who).collect(),
            ));
        }
        let review = demands.review.filter(|review| review.time == ReviewTime::Before);
        steps.extend(review.map(|review| {
            let text = match review.approvers {
                1 => "have the change reviewed".to_owned(),
                people => format!("have the change reviewed by {people} people"),
            };
            let who = review.role.map(|role| who(role.role)).into_iter().collect();
            let step = FirstStep::before_start(FirstStepKind::Review, text, who);
            FirstStep { holds_start: false, ..step }
        }));
        steps.extend(self.first_lists());
        steps.extend(self.first_point());
        steps.extend(self.change_window().map(|window| {
            let (from, until) = (moment(window.from), moment(window.until));
            let text = format!(
                "start in the change window, {from} to {until}, or waive `change_window` with a \
                 reason"
            );
            FirstStep::before_start(FirstStepKind::ChangeWindow, text, self.waivers())
        }));
        steps.extend(by_day);
        steps
    }

    /// The duties of people that count from before the start, the most urgent first. Those that are
    /// due by a calendar day have no `within`.
    fn first_duties(&self) -> Vec<FirstStep<'_>> {
        let policy = self.policy();
        let is_first = |duty: &&Duty| {
            let kind = match duty.kind {
                // Later levels are paged only if nobody answers.
                DutyKind::Escalate => duty.level == Some(1),
                // A deadline of the plan, and the approvals, which are steps of their own.
                DutyKind::Fix | DutyKind::Approve => false,
                _ => true,
            };
            kind && duty.from.is_early()
        };
        let first = policy.duties().iter().filter(is_first).filter(|duty| self.may_be_due(duty));
        let mut first: Vec<(Option<Span>, &Duty)> =
            first.map(|duty| (duty.within.within(), duty)).collect();
        // A page comes before a message that has as much time.
        sort_by_key(&mut first, |(within, duty)| (*within, duty.role.is_none()));
        let by_day = |duty: &Duty| format!(", by the {}", words(&duty.within.to_string()));
        let known = policy.classify(self.facts()).informed();
        // The public is notified only where the condition is known to hold.
        let unsure = |duty: &Duty| {
            let when = duty.when.as_ref().filter(|_| duty.audience == Some(Audience::Public));
            let missing = quoted(&when.map(|when| known.missing(when)).unwrap_or_default(), ", ");
            if missing.is_empty() {
                missing
            } else {
                format!(", if it applies (not known: {missing})")
            }
        };
        let steps = first.into_iter().map(|(within, duty)| FirstStep {
            kind: FirstStepKind::Duty,
            text: match within {
                Some(_) => format!("{}{}", duty.title, unsure(duty)),
                None => format!("{}{}{}", duty.title, by_day(duty), unsure(duty)),
            },
            holds_start: false,
            within,
            every: duty.every,
            who: duty.role.map(|role| Who::of(policy, role)).into_iter().collect(),
        });
        steps.collect()
    }

    fn unknown_severity(&self) -> Option<FirstStep<'_>> {
        let is_alone = self.policy().severities().is_empty();
        let finding = self.findings().into_iter().find(|finding| match finding.kind {
            PlanFindingKind::NoSeverity | PlanFindingKind::UnknownSeverity => true,
            PlanFindingKind::NotSettled => is_alone,
            _ => false,
        })?;
        let asked = self.assessment().ask;
        let facts: Vec<&str> = asked.iter().map(|ask| ask.fact.as_str()).collect();
        let text = if facts.is_empty() || finding.kind != PlanFindingKind::NoSeverity {
            finding.text
        } else {
            format!("{}: {}", finding.text, quoted(&facts, ", "))
        };
        let step = FirstStep::before_start(FirstStepKind::Severity, text, Vec::new());
        // Without severities, whoever approves decides whether it is a hot-fix.
        Some(FirstStep { holds_start: !is_alone, ..step })
    }

    fn first_waiver(&self) -> Option<FirstStep<'_>> {
        let reasons = self.normal_at_first();
        let reasons = joined(reasons.into_iter().map(|reason| reason.text), "; ");
        (!reasons.is_empty()).then(|| {
            FirstStep::before_start(
                FirstStepKind::NormalProcess,
                format!(
                    "use the normal process, or waive `normal_process` with a reason: {reasons}"
                ),
                self.waivers(),
            )
        })
    }

    fn first_volumes(&self) -> impl Iterator<Item = FirstStep<'_>> {
        self.volumes_that_roll_back().into_iter().map(|beyond| {
            let text = format!("{beyond}, or waive `volume_bound` with a reason");
            FirstStep::before_start(FirstStepKind::VolumeBound, text, self.waivers())
        })
    }

    /// Who may waive what keeps the rollout from starting.
    fn waivers(&self) -> Vec<Who<'_>> {
        self.policy().waived_by().iter().map(|role| Who::of(self.policy(), *role)).collect()
    }

    /// A step for the rollback point, unless its item is in a checklist that the start waits for anyway.
    fn first_point(&self) -> Option<FirstStep<'_>> {
        let item = self.rollback_point_item()?;
        let (policy, nothing) = (self.policy(), Marks::default());
        let mut listed = holding(policy, self.situation(), &nothing, Checklist::holds_start);
        (!listed.any(|(_, of, _)| of.id == item)).then(|| {
            let text = format!(
                "check the item {item} with the commit, artifact or deployment to roll back to as \
                 evidence"
            );
            FirstStep::before_start(FirstStepKind::Checklist, text, Vec::new())
        })
    }

    fn first_lists(&self) -> impl Iterator<Item = FirstStep<'_>> {
        let lists = self.policy().checklists().iter().filter(|list| list.holds_start());
        lists.filter_map(|list| {
            let sure = match self.situation().asks_for(self.policy(), list) {
                Truth::Yes => "",
                Truth::Unknown => ", if the list applies",
                Truth::No => return None,
            };
            let required = list.items.iter().filter(|item| item.required).count();
            (required > 0).then(|| {
                let items = counted(required, "item", "items");
                let text = format!("check the {items} of \"{}\"{sure}", list.title);
                FirstStep::before_start(FirstStepKind::Checklist, text, Vec::new())
            })
        })
    }
}
