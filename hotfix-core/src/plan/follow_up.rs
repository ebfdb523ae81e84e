//! What happens after the fix is live: final validation and watching; and the tasks of people from the
//! approval on.

use serde::Serialize;

use crate::fact::Truth;
use crate::gate::Who;
use crate::grade::{Audience, ChecklistMoment, DutyKind, GateMode, Moment};
use crate::policy::section::{Due, Duty, REPORT, REPORT_TITLE};
use crate::unit::{Name, Span};

use super::Plan;

/// What happens after the fix is live.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FollowUp<'a> {
    /// How long the final validation takes.
    pub validation: Span,
    /// Who ends it.
    pub gate: GateMode,
    /// The checklists from the last phase on, in the order of the policy.
    pub lists: Vec<LaterList<'a>>,
    /// The duties of people from the approval on, in the order of the policy, then the report where no duty is due by the time that it has.
    pub duties: Vec<LaterDuty<'a>>,
}

/// A checklist that is due from the last phase on.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LaterList<'a> {
    /// Its id.
    pub id: Name,
    /// Its title for people.
    pub title: &'a str,
    /// When it is due.
    pub at: ChecklistMoment,
    /// By when it has to be complete after that. Absent: there is no limit.
    pub within: Option<Span>,
    /// Who goes through it. Absent: anybody.
    pub who: Option<Who<'a>>,
    /// Whether the rollout waits for its required items.
    pub holds: bool,
    /// Whether it applies to the incident.
    pub applies: Truth,
    /// Its items.
    pub items: Vec<LaterItem<'a>>,
}

/// An item of a checklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LaterItem<'a> {
    /// Its id.
    pub id: Name,
    /// What has to be done or true.
    pub text: &'a str,
    /// Whether it is required.
    pub required: bool,
    /// Whether it is only for some cases.
    pub if_applicable: bool,
}

/// A duty that counts from the approval or later.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LaterDuty<'a> {
    /// Its id.
    pub id: Name,
    /// Its title for people.
    pub title: &'a str,
    /// What is to be done.
    pub kind: DutyKind,
    /// The moment from which its time counts.
    pub from: Moment,
    /// When it is due: seconds, or the day that a calendar gives.
    pub within: Due,
    /// How often it is repeated. Absent: it is due once.
    pub every: Option<Span>,
    /// Who does it. Absent: anybody.
    pub who: Option<Who<'a>>,
    /// Who is notified.
    pub audience: Option<Audience>,
    /// Whether it is due only if the fix is a stop-gap.
    pub stop_gap: bool,
}

impl Plan {
    /// What happens after the fix is live: the final validation and the checklists; and the duties of
    /// people from the approval on, also those of a rollback.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::Plan, policy::Policy};
    ///
    /// let policy = Arc::new(Policy::preset("phased-canary")?);
    /// let plan = Plan::from_json(policy, r#"{"id": "INC-1"}"#, r#"{"version": "2", "previous": "1"}"#, "")?;
    /// let follow_up = plan.follow_up();
    /// let validation = follow_up.lists.first().ok_or("it has a list")?;
    /// assert_eq!((validation.title, validation.items.len()), ("Final validation", 4));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn follow_up(&self) -> FollowUp<'_> {
        let policy = self.policy();
        let lists = policy.checklists().iter().filter_map(|list| {
            let applies = self.situation().asks_for(policy, list);
            let is_later = !matches!(list.at, ChecklistMoment::Start | ChecklistMoment::Before);
            let items = list.items.iter();
            (is_later && applies != Truth::No).then(|| LaterList {
                id: list.id,
                title: &list.title,
                at: list.at,
                within: list.within,
                who: list.role.map(|role| Who::of(policy, role)),
                holds: list.holds_completion(),
                applies,
                items: items
                    .map(|item| LaterItem {
                        id: item.id,
                        text: &item.text,
                        required: item.required,
                        if_applicable: item.if_applicable,
                    })
                    .collect(),
            })
        });
        // The deadline of the fix is an objective of the plan.
        let is_later = |duty: &&Duty| duty.from >= Moment::Approved && !duty.sets_deadline();
        let duties = policy.duties().iter().filter(is_later).filter(|duty| self.may_be_due(duty));
        let duties = duties.map(|duty| LaterDuty {
            id: duty.id,
            title: &duty.title,
            kind: duty.kind,
            from: duty.from,
            within: duty.within,
            every: duty.every,
            who: duty.role.map(|role| Who::of(policy, role)),
            audience: duty.readers(),
            stop_gap: duty.stop_gap,
        });
        let report = policy.report_due(self.severity()).zip(Name::try_new(REPORT).ok());
        let report = report.map(|(within, id)| LaterDuty {
            id,
            title: REPORT_TITLE,
            kind: DutyKind::Write,
            from: Moment::Resolved,
            within,
            every: None,
            who: None,
            audience: None,
            stop_gap: false,
        });
        let validation = policy.final_validation();
        FollowUp {
            validation: validation.watch,
            gate: validation.gate,
            lists: lists.collect(),
            duties: duties.chain(report).collect(),
        }
    }
}
