//! What keeps a rollout from starting, and what is on record of approvals, items and intents: one call each (GATE-1, GATE-2,
//! FIELD-14, PLAN-8).

use serde::Serialize;

use crate::fact::{Facts, Truth};
use crate::gate::approval::{self, Demand, DemandState, Word};
use crate::gate::checklist::{self, Exception, ListStanding, StepStanding};
use crate::grade::{Severity, closed_set};
use crate::plan::{Remark, Window};
use crate::policy::Policy;
use crate::policy::section::{Checklist, ChecklistItem};
use crate::text::quoted;
use crate::unit::{Name, RoleName, Timestamp};

use super::input::InputKind;
use super::intent::Intent;
use super::readiness::Missing;
use super::{Rollout, Stage};

closed_set! {
    /// What kind of thing keeps a rollout from starting.
    BlockerKind {
        /// What is asked for goes by severity, and that is not known.
        Severity = "severity",
        /// Somebody denied the plan.
        Denial = "denial",
        /// The policy answers with the normal process and no hot-fix.
        NormalProcess = "normal_process",
        /// It is outside of the release's change window.
        ChangeWindow = "change_window",
        /// An approval is missing.
        Approval = "approval",
        /// An item of a checklist is open.
        Item = "item",
        /// Traffic of the attempt before is still being moved.
        Traffic = "traffic",
        /// The policy cannot do what it says.
        Policy = "policy",
    }
}

/// One thing that keeps a rollout from starting, and how it is cleared (GATE-1, GATE-2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Blocker {
    /// What kind of thing.
    pub kind: BlockerKind,
    /// The item that is open, or what a role has to waive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<Name>,
    /// The list that it is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<Name>,
    /// The roles that are asked, or that denied it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<RoleName>,
    /// What is wrong, with the remedy.
    pub sentence: String,
    /// The roles that can clear it, those that stand in last; empty: anybody.
    pub who: Vec<RoleName>,
    /// The kinds of input that clear it; empty: none does, the plan has to be made anew.
    pub clears: Vec<InputKind>,
}

/// The demands for approval, and what was said that nobody asked for (GATE-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Approvals {
    /// Each demand, those of the whole policy first.
    pub demands: Vec<Demand>,
    /// Words of roles that no demand asks. A denial among them holds the start all the same.
    pub unasked: Vec<Word>,
}

impl Blocker {
    fn of(missing: &Missing<'_>, policy: &Policy) -> Self {
        match missing {
            Missing::Severity(severity) => Self::of_severity(*severity, policy),
            Missing::Denial(word) => Self::of_denial(word, policy),
            Missing::NormalProcess(reasons) => Self::of_normal_process(reasons, policy),
            Missing::Approval(demand) => Self::of_demand(demand),
            Missing::Item(list, item, applies) => Self::of_item(list, item, *applies),
        }
    }

    fn new(kind: BlockerKind, sentence: String, clears: &[InputKind]) -> Self {
        Self {
            kind,
            item: None,
            list: None,
            roles: Vec::new(),
            sentence,
            who: Vec::new(),
            clears: clears.to_vec(),
        }
    }

    fn of_severity(severity: Option<Severity>, policy: &Policy) -> Self {
        let known: Vec<Severity> = policy.severities().iter().map(|level| level.severity).collect();
        let known = quoted(&known, ", ");
        let by_facts = severity.is_none() && !policy.rules().is_empty();
        let sentence = match severity {
            Some(severity) => {
                format!("the policy has no severity `{severity}`: set one of {known}")
            }
            None if by_facts => format!(
                "severity not known: find out more facts, or set one of {known}, which say what is asked for"
            ),
            None => {
                format!("severity not known: set one of {known}, which say what is asked for")
            }
        };
        let clears = [InputKind::SetSeverity, InputKind::SetFacts];
        Self::new(BlockerKind::Severity, sentence, &clears[..=usize::from(by_facts)])
    }

    fn of_denial(word: &Word, policy: &Policy) -> Self {
        let role = word.role;
        let why = word.why.as_deref().map(|why| format!(" ({})", crate::text::shown(why)));
        let sentence = format!("`{role}` denied it{}: ask again or abort", why.unwrap_or_default());
        let mut who = vec![role];
        who.extend(approval::stand_ins_of(policy, &[role]));
        Self {
            roles: vec![role],
            who,
            ..Self::new(BlockerKind::Denial, sentence, &[InputKind::Approve])
        }
    }

    fn of_normal_process(reasons: &[Remark], policy: &Policy) -> Self {
        let reasons: Vec<&str> = reasons.iter().map(|reason| reason.text.as_str()).collect();
        let exception = Exception::NormalProcess;
        let sentence = format!(
            "{}: take the normal process, or {}",
            reasons.join("; "),
            waiver(exception, policy)
        );
        let clears = [InputKind::WaiveItem, InputKind::SetSeverity, InputKind::SetFacts];
        Self::of_exception(BlockerKind::NormalProcess, exception, sentence, &clears, policy)
    }

    fn of_window(window: Window, policy: &Policy) -> Self {
        let exception = Exception::ChangeWindow;
        let sentence = format!(
            "the change window is {} to {}: start in it, or {}",
            window.from,
            window.until,
            waiver(exception, policy)
        );
        let clears = [InputKind::WaiveItem];
        Self::of_exception(BlockerKind::ChangeWindow, exception, sentence, &clears, policy)
    }

    fn of_exception(
        kind: BlockerKind,
        exception: Exception,
        sentence: String,
        clears: &[InputKind],
        policy: &Policy,
    ) -> Self {
        let roles = policy.waived_by().to_vec();
        let mut who = roles.clone();
        who.extend(approval::stand_ins_of(policy, &roles));
        Self { item: exception.id(), roles, who, ..Self::new(kind, sentence, clears) }
    }

    fn of_demand(demand: &Demand) -> Self {
        let roles = quoted(&demand.any_of, " or ");
        let sentence = match demand.state {
            DemandState::Withdrawn => {
                format!("the approval of {roles} was taken back: ask for it again")
            }
            DemandState::AuthorAlone => format!(
                "only who wrote the fix approved where {roles} is asked: somebody else has to, too"
            ),
            _ => format!("the approval of {roles} is missing: ask for it"),
        };
        let sentence = match demand.stand_ins.as_slice() {
            [] => sentence,
            stand_ins => format!("{sentence}; {} may stand in", quoted(stand_ins, " or ")),
        };
        Self {
            roles: demand.any_of.clone(),
            who: demand.roles(),
            ..Self::new(BlockerKind::Approval, sentence, &[InputKind::Approve])
        }
    }

    fn of_item(list: &Checklist, item: &ChecklistItem, applies: Truth) -> Self {
        let mut sentence = format!("`{}` is open ({}): check or waive it", item.id, item.text);
        let mut clears = vec![InputKind::CheckItem, InputKind::WaiveItem];
        if applies == Truth::Unknown {
            sentence = format!("{sentence}, or find out whether the list `{}` applies", list.id);
            if list.when.is_some() {
                clears.push(InputKind::SetFacts);
            }
            if !list.severities.is_empty() {
                clears.push(InputKind::SetSeverity);
            }
        }
        Self {
            item: Some(item.id),
            list: Some(list.id),
            ..Self::new(BlockerKind::Item, sentence, &clears)
        }
    }
}

/// Who may waive it, and how.
fn waiver(exception: Exception, policy: &Policy) -> String {
    let who = match policy.waived_by() {
        [] => "a role".to_owned(),
        roles => quoted(roles, " or "),
    };
    format!("let {who} waive `{exception}` with a reason")
}

impl Rollout {
    /// The change window of the release, where a start at this time is outside of it and nobody has waived that.
    fn missed_window(&self, at: Timestamp) -> Option<Window> {
        let record = self.plan.subject().release.record.as_ref();
        let window = record.and_then(|record| record.window)?;
        let is_waived = self.case.readiness.marks.is_waived(Exception::ChangeWindow);
        let is_outside = at < window.from || at > window.until;
        (is_outside && !is_waived).then_some(window)
    }

    /// What keeps it from starting at this time, besides what keeps it at any.
    pub(super) fn blocked_at(&self, at: Timestamp) -> Option<Blocker> {
        self.missed_window(at).map(|window| Blocker::of_window(window, self.plan.policy()))
    }

    /// Everything that keeps this rollout from starting, each with who can clear it, and how: empty where `start` would be
    /// taken at the last time known. Before the start; from then on it is empty.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::Plan, policy::Policy, rollout::{BlockerKind, Input, Recording, Rollout}};
    ///
    /// let plan = Plan::from_json(
    ///     Arc::new(Policy::preset("emergency-command")?),
    ///     r#"{"id": "INC-2041"}"#,
    ///     r#"{"version": "2.3.1", "previous": "2.3.0"}"#,
    ///     "",
    /// )?;
    /// let rollout = Rollout::try_new(plan, Recording::Keep, "")?;
    /// let blockers = rollout.blockers();
    /// let approval = blockers.iter().find(|b| b.kind == BlockerKind::Approval).ok_or("asked for")?;
    /// assert_eq!(approval.sentence, "the approval of `senior_engineer` is missing: ask for it");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Shows GATE-1 and GATE-2.
    pub fn blockers(&self) -> Vec<Blocker> {
        if self.case.stage != Stage::Preparing {
            return Vec::new();
        }
        let policy = self.plan.policy();
        let missing = self.case.readiness.missing(policy);
        let mut blockers: Vec<Blocker> = missing.iter().map(|m| Blocker::of(m, policy)).collect();
        blockers.extend(self.case.pending.iter().map(|action| {
            let sentence = format!(
                "the traffic of the attempt before is still being moved: confirm action `{}`",
                action.id
            );
            let clears = [InputKind::Confirm, InputKind::Failed];
            Blocker::new(BlockerKind::Traffic, sentence, &clears)
        }));
        blockers.extend(self.case.at.and_then(|at| self.blocked_at(at)));
        blockers.extend(policy.denials().iter().map(|finding| {
            let sentence = format!("{finding}; mend the policy and make the plan anew");
            Blocker::new(BlockerKind::Policy, sentence, &[])
        }));
        blockers
    }

    /// Each demand for approval and how it stands: who said what, when, where, and of which plan (GATE-1).
    pub fn approvals(&self) -> Approvals {
        let policy = self.plan.policy();
        Approvals {
            demands: self.case.readiness.demands(policy, self.case.at),
            unasked: self.case.readiness.unasked(policy),
        }
    }

    /// Each checklist, whether the incident has it, and how its items stand (GATE-2, GATE-5).
    pub fn checklists(&self) -> Vec<ListStanding> {
        let readiness = &self.case.readiness;
        let policy = self.plan.policy();
        checklist::lists(policy, readiness.severity, &readiness.facts, &readiness.marks)
    }

    /// Each step of the procedure and how it stands (PLAN-8). Steps hold nothing up: `check_item` keeps their progress.
    pub fn procedure(&self) -> Vec<StepStanding> {
        checklist::steps(self.plan.policy(), &self.case.readiness.marks)
    }

    /// The last intent of each kind on record: who wanted what, when and why, apart from what came of it (FIELD-14).
    pub fn intents(&self) -> Vec<Intent> {
        self.case.intents.all()
    }

    /// The severity that is acted on now: given, set anew, or as the policy has it for what is known.
    pub const fn severity(&self) -> Option<Severity> {
        self.case.readiness.severity
    }

    /// What is known of the incident by now.
    pub const fn facts(&self) -> &Facts {
        &self.case.readiness.facts
    }
}
