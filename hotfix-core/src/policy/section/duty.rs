//! Duties: what somebody has to do, and by when.

use super::list::none;
use super::severity::NamedSeverities;
use super::{Due, TimeRange};
use crate::fact::Condition;
use crate::grade::{Audience, BranchDuty, DutyKind, Flow, Moment, Severity};
use crate::policy::Policy;
use crate::policy::error::Problem;
use crate::policy::field::{HowMany, Lasting};
use crate::policy::reader::{PolicyReader, section};
use crate::unit::{Name, RoleName, Span};

/// The id of the duty of the policy's objective.
pub(crate) const OBJECTIVE: &str = "slo";
/// The id of the duty of the policy's report.
pub(crate) const REPORT: &str = "incident_report";
/// The title of that duty.
pub(crate) const REPORT_TITLE: &str = "the incident report is written";

/// The id of the duty of an approval after the fact, by its place among all demands.
pub(crate) fn approval_duty(index: usize) -> String {
    format!("approval_{}", index + 1)
}

impl Duty {
    /// Whether it is to write of the incident after its end, without a condition and `within` the time of
    /// the report. The duty with the report's own id may have any time.
    pub(crate) fn covers_report(&self, within: Due) -> bool {
        (self.kind, self.from) == (DutyKind::Write, Moment::Resolved)
            && !self.has_condition()
            && (self.id.as_str() == REPORT || self.within.is_by(within))
    }

    /// Whether it is a review or a meeting after the fix, from this moment on, that needs no rollback.
    pub(crate) fn is_review_since(&self, moment: Moment) -> bool {
        let is_review = matches!(self.kind, DutyKind::Review | DutyKind::Meet);
        is_review && self.from >= moment && self.from != Moment::RolledBack
    }

    /// Who is notified: the responders, where a notice or an update names no audience.
    pub(crate) fn readers(&self) -> Option<Audience> {
        let notifies = matches!(self.kind, DutyKind::Notify | DutyKind::Update);
        self.audience.or(notifies.then_some(Audience::Responders))
    }

    /// Whether it sets the deadline of the fix: what counts from its deployment is another fix.
    pub(crate) fn sets_deadline(&self) -> bool {
        self.kind == DutyKind::Fix && self.from < Moment::Deployed
    }

    /// Whether facts or the release decide that it is due.
    pub(crate) fn has_condition(&self) -> bool {
        self.when.is_some()
            || self.stop_gap
            || self.flow.is_some()
            || self.settled_by == Some(BranchDuty::Merge)
    }

    /// Whether an answer to it stops an escalation: a level, or a page at the beginning, which is
    /// acknowledged like the first level.
    pub(crate) fn is_of_escalation(&self) -> bool {
        match self.kind {
            DutyKind::Escalate => true,
            DutyKind::Page => self.from.is_early(),
            _ => false,
        }
    }

    /// Whether both are calls at the same place of an escalation: levels with one number, or pages, which
    /// are made at once like a first level without a delay.
    fn is_called_with(&self, other: &Self) -> bool {
        match (self.level, other.level) {
            (Some(level), Some(other)) => level == other,
            (None, Some(_)) => other.within == Due::Within(Span::ZERO),
            (None, None) => true,
            (Some(_), None) => false,
        }
    }

    /// Whether it is due for incidents of this severity.
    pub fn is_for(&self, severity: Severity) -> bool {
        self.severities.is_empty() || self.severities.contains(&severity)
    }
}

impl Policy {
    /// When the report is due at this severity, where no duty to write it is due by then.
    pub(crate) fn report_due(&self, severity: Option<Severity>) -> Option<Due> {
        let within = self.report()?.within?;
        let is_for =
            |of: &Duty| severity.map_or(of.severities.is_empty(), |severity| of.is_for(severity));
        let is_covered = self.duties().iter().any(|of| of.covers_report(within) && is_for(of));
        (!is_covered).then_some(within)
    }
}

/// The conditions whose calls continue the escalation of every incident: that one has no call of its
/// own at their places. A level that it has, too, begins an escalation beside it, such as that of a
/// security team.
pub(crate) fn continuing(duties: &[Duty]) -> Vec<&Condition> {
    let (mut main, mut parts) = (Vec::new(), Vec::<(&Condition, Vec<&Duty>)>::new());
    for duty in duties.iter().filter(|duty| duty.is_of_escalation()) {
        let Some(when) = &duty.when else {
            main.push(duty);
            continue;
        };
        match parts.iter_mut().find(|(known, _)| *known == when) {
            Some((_, calls)) => calls.push(duty),
            None => parts.push((when, vec![duty])),
        }
    }
    parts.retain(|(_, calls)| continues(calls, &main));
    parts.into_iter().map(|(when, _)| when).collect()
}

fn continues(calls: &[&Duty], main: &[&Duty]) -> bool {
    let mut meets = false;
    for severity in Severity::ALL {
        let mut own = calls.iter().filter(|duty| duty.is_for(*severity)).peekable();
        let mut main = main.iter().filter(|duty| duty.is_for(*severity)).peekable();
        meets |= own.peek().is_some() && main.peek().is_some();
        if own.any(|own| main.clone().any(|other| own.is_called_with(other))) {
            return false;
        }
    }
    meets
}

impl DutyKind {
    pub(crate) const fn is_call(self) -> bool {
        matches!(self, Self::Page | Self::Escalate)
    }
}

section! {
    plain
    /// A duty: what somebody has to do by a time, once or repeatedly.
    pub Duty from DutyDraft, duty_rules {
        /// The id of the duty, unique.
        id: Name, [required];
        /// What has to be done: `escalate` is a level of the escalation policy, `update` a
        /// recurring status update.
        kind: DutyKind, [required];
        /// The name of the duty for people.
        title: String, [required];
        /// The severities for which it is due; empty: all.
        severities: Vec<Severity> as NamedSeverities, [default none()];
        /// The moment from which `within` counts.
        from: Moment, [required];
        /// When it is due, for a repeated duty the first time: a duration after `from`, or a day
        /// such as `next_day`; 0 is at once.
        within: Due, [required];
        /// The interval at which it is repeated from then on, above 0. Without this key it is due
        /// once.
        every: Span as Lasting, [optional];
        /// With `every`: the moment that ends the repetition; without this key it is repeated until the
        /// rollout is closed. The end of the incident, `resolved`, ends updates and pages as well,
        /// unless this is `closed` or they count from `verified` or later; so it ends a page without
        /// `every`, which is repeated until somebody answers. With the kind `escalate`:
        /// the moment after which the level is not paged; without this key `deployed`, when the fix is
        /// live, unless it counts from later.
        until: Moment, [optional];
        /// The role that does it; with the kinds `page` and `escalate` the role that is paged. Without
        /// this key anybody does it, and a page goes to the role that is called first: of the
        /// earliest page or level, else of the first approval, else `incident_commander`.
        role: RoleName, [optional];
        /// The audience that is notified. Without this key a notice or an update is for the responders.
        audience: Audience, [optional];
        /// With the kind `escalate`, required there and not allowed elsewhere: the escalation
        /// level, from 1.
        level: u32 as HowMany, [optional];
        /// With the kind `escalate`: whether the level is paged at its time even if somebody has
        /// acknowledged an earlier one. Otherwise an acknowledgement stops the escalation until the
        /// fix is late.
        even_if_acknowledged: bool, [default false];
        /// The id of the checklist that shows that it is done: the duty is settled once no required
        /// item of the list is open. A list that the policy does not have settles nothing.
        checklist: Name, [optional];
        /// How long it takes, such as the length of a meeting. With the kind `watch` it can be done
        /// once the least of it has passed.
        lasts: TimeRange, [optional];
        /// The condition under which it is due. Without this key always. Of a notice, an update, a call, a
        /// response, and of what counts from before the deployment is live, it is about what is known now;
        /// anything else stays due once the condition held.
        when: Condition, [optional];
        /// Whether it is due only if the fix is a stop-gap.
        stop_gap: bool, [default false];
        /// The branching model of the release for which it is due. Without this key for each; a release
        /// that names branches in its `merge_back` is treated as if it used every branching model.
        flow: Flow, [optional];
        /// For duties about a release that was rolled back. A new deployment of that release settles it.
        /// With `true` a `retry` or `supersede` with another release settles it, too.
        another_release: bool, [optional];
        /// What settles it of a release whose steps merge it, before the deployment, into the only branch
        /// that needs it: the `merge` itself, so that it is not due, or a `revert`, a rollback with
        /// `git_revert`.
        settled_by: BranchDuty, [optional];
    }
}

fn duty_rules(duty: &DutyDraft, reader: &mut PolicyReader) {
    let can_end = duty.every != Some(None) || duty.kind == Some(DutyKind::Escalate);
    if !can_end && duty.until.flatten().is_some() {
        let (key, needs) = ("until", "`every`");
        reader.fail_at::<()>(key, Problem::KeyNeeds { key, needs });
    }
    let (key, kind) = ("even_if_acknowledged", duty.kind);
    if let (Some(true), Some(kind)) = (duty.even_if_acknowledged, kind)
        && kind != DutyKind::Escalate
    {
        reader.fail_at::<()>(key, Problem::NoMeaning { key, what: "kind", of: kind.as_str() });
    }
    // Only if both could be read: a key that could not be read has its error already.
    let (Some(kind), Some(level)) = (duty.kind, duty.level) else { return };
    match (kind, level) {
        (DutyKind::Escalate, None) => {
            let (key, kind, example) = ("level", kind.as_str(), "it, with a value such as `1`");
            reader.fail::<()>(Problem::KindNeeds { key, kind, example });
        }
        (DutyKind::Escalate, Some(_)) | (_, None) => {}
        (_, Some(_)) => {
            let (key, kind) = ("level", kind.as_str());
            reader.fail_at::<()>(key, Problem::NoMeaning { key, what: "kind", of: kind });
        }
    }
}
