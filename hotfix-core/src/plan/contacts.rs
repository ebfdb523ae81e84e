//! Whom to call: the roles, the escalation, and the vendors.

use serde::Serialize;

use crate::fact::Truth;
use crate::gate::Who;
use crate::gate::approval::demands;
use crate::grade::{BranchDuty, DutyKind, Moment, Severity};
use crate::policy::Policy;
use crate::policy::section::{Due, Duty, Vendor};
use crate::sorting::sort_by_key;
use crate::unit::{Name, RoleName, Span};

use super::Plan;

/// Whom to call during the incident.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contacts<'a> {
    /// Who is paged, and when, in the order of the times.
    pub escalation: Vec<PlannedPage<'a>>,
    /// The policy's roles, with the people who hold them.
    pub roles: Vec<Who<'a>>,
    /// The vendors whose services you depend on.
    pub vendors: &'a [Vendor],
}

/// One page of the escalation policy.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlannedPage<'a> {
    /// The duty that pages.
    pub duty: Name,
    /// Its title for people.
    pub title: &'a str,
    /// Its escalation level. Absent for a page that is not part of an escalation.
    pub level: Option<u32>,
    /// The moment from which its time counts.
    pub from: Moment,
    /// When the page is sent: seconds, or the day that a calendar gives. A `page` is sent at once.
    pub within: Due,
    /// By when a `page` has to be answered. Absent for an escalation, and where it is at once.
    pub answer: Option<Due>,
    /// The severities for which it is sent. Empty: all.
    #[serde(skip_serializing_if = "<[Severity]>::is_empty")]
    pub severities: &'a [Severity],
    /// Who is paged: of a duty without a role, whoever is called first. Absent where the policy has
    /// nobody.
    pub who: Option<Who<'a>>,
}

/// The role that is called first: that of the earliest duty to call at this severity, or at any; or
/// else the first that may approve; or else the incident commander, or the policy's first role.
pub(crate) fn called_first(policy: &Policy, severity: Option<Severity>) -> Option<RoleName> {
    // A page is made at once; its time is the limit for an answer.
    let called_at = |duty: &&Duty| {
        let within = duty.within.within().filter(|_| duty.kind != DutyKind::Page);
        (duty.from, within.unwrap_or_default())
    };
    let calls = || policy.duties().iter().filter(|duty| duty.kind.is_call());
    let first = demands(policy, severity).next();
    let approver = || first.and_then(|(_, demand)| demand.any_of.first()).copied();
    let is_now = |duty: &&Duty| severity.is_some_and(|at| duty.is_for(at));
    let now = calls().filter(is_now).min_by_key(called_at);
    let called = now.or_else(|| calls().min_by_key(called_at)).and_then(|duty| duty.role);
    called.or_else(approver).or_else(|| {
        let commander = RoleName::try_new("incident_commander").ok();
        let known = || policy.roles().iter().map(|role| role.id);
        known().find(|role| Some(*role) == commander).or_else(|| known().next()).or(commander)
    })
}

impl Plan {
    /// Whom to call: who is paged when, the roles with their holders, and the vendors.
    ///
    /// Without a severity the pages of every severity are listed.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::Plan, policy::Policy};
    ///
    /// let policy = Arc::new(Policy::preset("severity-matrix")?);
    /// let incident = r#"{"id": "INC-1", "severity": "P0"}"#;
    /// let plan = Plan::from_json(policy, incident, r#"{"version": "2", "previous": "1"}"#, "")?;
    /// let contacts = plan.contacts();
    /// assert_eq!((contacts.escalation.len(), contacts.vendors.len()), (4, 3));
    /// let last = contacts.escalation.last().and_then(|page| page.who.as_ref()).ok_or("it has one")?;
    /// assert_eq!(last.role.as_str(), "cto");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn contacts(&self) -> Contacts<'_> {
        let policy = self.policy();
        let pages = |duty: &&Duty| matches!(duty.kind, DutyKind::Page | DutyKind::Escalate);
        let escalation = policy.duties().iter().filter(pages).filter(|duty| self.may_be_due(duty));
        let at_once = Due::Within(Span::ZERO);
        let role = |duty: &Duty| duty.role.or_else(|| called_first(policy, self.severity()));
        let escalation = escalation.map(|duty| {
            let is_page = duty.kind == DutyKind::Page;
            PlannedPage {
                duty: duty.id,
                title: &duty.title,
                level: duty.level,
                from: duty.from,
                within: if is_page { at_once } else { duty.within },
                answer: Some(duty.within).filter(|within| is_page && *within != at_once),
                severities: &duty.severities,
                who: role(duty).map(|role| Who::of(policy, role)),
            }
        });
        let mut escalation: Vec<PlannedPage<'_>> = escalation.collect();
        // A day of the calendar comes after every duration.
        sort_by_key(&mut escalation, |page| (page.within.within().is_none(), page.within.within()));
        Contacts {
            escalation,
            roles: policy.roles().iter().map(|role| Who::of(policy, role.id)).collect(),
            vendors: policy.vendors(),
        }
    }

    /// Whether a duty may be due in this plan, by its severity if that is known, the known facts and the release.
    pub(super) fn may_be_due(&self, duty: &Duty) -> bool {
        let is_for = self.severity().is_none_or(|severity| duty.is_for(severity));
        let informed = self.policy().classify(self.facts()).informed();
        let holds = duty.when.as_ref().map_or(Truth::Yes, |when| informed.holds(when));
        let is_stop_gap = !duty.stop_gap || self.subject().stop_gap() != Some(false);
        let has_flow = match (duty.flow, self.flow_of_duties()) {
            (Some(needed), Some(flow)) => needed == flow,
            (None, _) | (_, None) => true,
        };
        let is_merged = duty.settled_by == Some(BranchDuty::Merge) && self.is_merged_alone();
        is_for && holds != Truth::No && is_stop_gap && has_flow && !is_merged
    }
}
