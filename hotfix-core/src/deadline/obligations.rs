//! The obligations of a policy, in a form that is evaluated without the policy.

use crate::fact::{Condition, Truth};
use crate::gate::approval::all_demands;
use crate::getters::getters;
use crate::grade::{
    Audience, BranchDuty, DutyKind, Flow, MessageKind, Moment, Severity, closed_set,
};
use crate::policy::Policy;
use crate::policy::section::{Due, Duty, Message, OBJECTIVE, REPORT, approval_duty, continuing};
use crate::unit::{Name, RoleName, Span, Timestamp};

closed_set! {
    /// Where an item of the agenda comes from.
    Source {
        /// The policy's duties.
        Duty = "duty",
        /// The objective of the policy's change record: only its end settles it.
        Objective = "objective",
        /// An approval that may follow the start.
        Approval = "approval",
        /// The time of the policy's report, where no duty to write is due by then.
        Report = "report",
        /// The time of a checklist: its last required item settles it.
        Checklist = "checklist",
    }
}

/// The severities that an obligation is for, and whether it applies where none is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Severities(u8);

impl Severities {
    const ALL: Self = Self(0b1_1111);
    const NONE: Self = Self(0);

    const fn bit(severity: Option<Severity>) -> u8 {
        match severity {
            None => 1 << Severity::ALL.len(),
            Some(severity) => 1 << severity as u8,
        }
    }

    fn of(listed: &[Severity]) -> Self {
        if listed.is_empty() {
            return Self::ALL;
        }
        Self(listed.iter().fold(0, |bits, severity| bits | Self::bit(Some(*severity))))
    }

    pub(super) const fn contain(self, severity: Option<Severity>) -> bool {
        self.0 & Self::bit(severity) != 0
    }

    /// Whether one of them is more severe; every one where it is not known.
    pub(super) const fn exceed(self, severity: Option<Severity>) -> bool {
        // The most severe has the lowest bit.
        self.0 & (Self::bit(severity) - 1) != 0
    }
}

/// Since when calls and responses have begun again.
#[derive(Clone, Copy)]
pub(super) struct BegunAgain {
    /// Those of every severity: since the incident was reopened.
    pub(super) reopened: Option<Timestamp>,
    /// Those of this severity: since it rose to it with the fix live. Whoever deployed the fix
    /// responded to what was known then.
    pub(super) risen: (Option<Severity>, Option<Timestamp>),
    /// The fix is live still. Once it is rolled back, calls count from the detection.
    pub(super) live: bool,
}

impl BegunAgain {
    /// The later of both.
    pub(super) fn at(self) -> Option<Timestamp> {
        self.reopened.max(self.risen.1)
    }

    /// Since when this one has begun again.
    pub(super) fn of(self, obligation: &Obligation) -> Option<Timestamp> {
        let (severity, risen) = self.risen;
        let counts = self.live || !obligation.kind.is_call();
        let risen = risen.filter(|_| counts && obligation.severities.contain(severity));
        self.reopened.max(risen).filter(|_| obligation.begins_again())
    }
}

/// One obligation of the policy.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Obligation {
    pub(super) source: Source,
    /// Its place among those of its source.
    pub(super) index: usize,
    pub(super) id: Name,
    pub(super) kind: DutyKind,
    pub(super) from: Moment,
    pub(super) within: Due,
    /// How long its moment has to be past before it can be done: the least time of a watch.
    pub(super) lasts: Span,
    pub(super) every: Option<Span>,
    /// Of an update: the notices, by their place in the policy, that count as its first occurrence.
    pub(super) begun_by: Vec<usize>,
    /// The moment that ends the repetition, or the pages to its role.
    pub(super) until: Option<Moment>,
    /// After which time it is asked for again, if nobody has answered: a page until somebody does,
    /// a notice that is due at once one time.
    pub(super) ask_again: Option<Span>,
    /// The moments, any one of which settles it without an answer. The first one of a fix shows that it
    /// was made; by another one it ends undone.
    pub(super) settled_by: Vec<Moment>,
    /// The checklist that settles it, by its place in the policy.
    pub(super) list: Option<usize>,
    pub(super) severities: Severities,
    pub(super) conditional: bool,
    /// The end of the incident ends it: nobody has to be paged, to act or to prepare any more.
    pub(super) while_open: bool,
    pub(super) stop_gap: bool,
    /// It is due for releases of this branching model alone.
    pub(super) flow: Option<Flow>,
    /// What in source control settles it.
    pub(super) settled_in_branch: Option<BranchDuty>,
    /// Of a duty about the release that was rolled back: whether another release settles it.
    pub(super) another_release: Option<bool>,
    pub(super) role: Option<RoleName>,
    pub(super) audience: Option<Audience>,
    /// The escalation that it is a level of, or that an answer to it stops.
    pub(super) ladder: Option<usize>,
    /// The other escalations whose answers count for it, while their conditions may hold: each with the
    /// index of its first obligation.
    pub(super) hears: Vec<(usize, usize)>,
    /// An acknowledgement does not stop this level of the escalation.
    pub(super) even_if_acknowledged: bool,
}

impl Obligation {
    /// All obligations of a policy, with the number of its escalations.
    pub(super) fn of(policy: &Policy) -> (Vec<Self>, usize) {
        let mut ladders = Vec::new();
        let mut all: Vec<Self> = policy
            .duties()
            .iter()
            .enumerate()
            .map(|(index, duty)| Self::of_duty(policy, index, duty, &mut ladders))
            .collect();
        all.extend(Self::of_objective(policy));
        all.extend(Self::of_report(policy));
        all.extend(Self::of_approvals(policy));
        all.extend(Self::of_checklists(policy));
        Self::connect(policy, &mut all, &ladders);
        (all, ladders.len())
    }

    /// Connects the escalation of every incident with those that continue it where their conditions
    /// hold: an answer in the one counts in the other.
    fn connect(policy: &Policy, all: &mut [Self], ladders: &[Option<&Condition>]) {
        let main = ladders.iter().position(Option::is_none);
        let continuing = continuing(policy.duties());
        let parts = ladders
            .iter()
            .enumerate()
            .filter(|(_, when)| when.is_some_and(|when| continuing.contains(&when)));
        let first = |ladder| all.iter().position(|of: &Self| of.ladder == Some(ladder));
        let named = |ladder| Some((ladder, first(ladder)?));
        let parts: Vec<(usize, usize)> = parts.filter_map(|(ladder, _)| named(ladder)).collect();
        let main_call = main.and_then(named);
        for obligation in all.iter_mut() {
            let Some(ladder) = obligation.ladder else { continue };
            if Some(ladder) == main {
                obligation.hears.clone_from(&parts);
            } else if parts.iter().any(|(part, _)| *part == ladder) {
                obligation.hears.extend(main_call);
            }
        }
    }

    fn of_duty<'p>(
        policy: &Policy,
        index: usize,
        duty: &'p Duty,
        ladders: &mut Vec<Option<&'p Condition>>,
    ) -> Self {
        let every = duty.every.filter(|every| !every.is_zero());
        Self {
            from: duty.from,
            within: duty.within,
            lasts: duty
                .lasts
                .and_then(|lasts| lasts.least)
                .filter(|_| duty.kind == DutyKind::Watch)
                .unwrap_or(Span::ZERO),
            every,
            begun_by: (0..)
                .zip(policy.duties())
                .filter(|(_, notice)| is_first_news(notice, duty))
                .map(|(place, _)| place)
                .collect(),
            until: duty.until.or(match duty.kind {
                DutyKind::Update if !is_of_the_end(duty.from) => Some(Moment::Resolved),
                kind if kind.is_call() && duty.from < Moment::Deployed => Some(Moment::Deployed),
                _ => None,
            }),
            ask_again: match duty.kind {
                // What is repeated is asked for in each interval.
                _ if every.is_some() => None,
                DutyKind::Page | DutyKind::Escalate => Some(policy.ask_again()),
                // With a time it is asked for again once that has passed.
                DutyKind::Notify if duty.within == Due::Within(Span::ZERO) => {
                    Some(policy.ask_again())
                }
                _ => None,
            },
            settled_by: settles(policy, duty),
            list: duty
                .checklist
                .and_then(|id| policy.checklists().iter().position(|list| list.id == id)),
            severities: Severities::of(&duty.severities),
            conditional: duty.when.is_some(),
            while_open: match duty.kind {
                DutyKind::Escalate => true,
                DutyKind::Page | DutyKind::Act | DutyKind::FollowUp => duty.from.is_early(),
                _ => false,
            },
            stop_gap: duty.stop_gap,
            flow: duty.flow,
            settled_in_branch: duty.settled_by,
            another_release: duty.another_release,
            role: duty.role,
            audience: duty.readers(),
            ladder: duty.is_of_escalation().then(|| ladder_of(duty, ladders)),
            even_if_acknowledged: duty.even_if_acknowledged,
            ..Self::plain(Source::Duty, index, duty.id, duty.kind)
        }
    }

    /// The time that it counts from, where its moment `came` and calls and responses began `again` at
    /// these times.
    pub(super) fn counts_from(
        &self,
        came: Option<Timestamp>,
        again: BegunAgain,
    ) -> Option<Timestamp> {
        came.map(|came| came.max(again.of(self).unwrap_or(came)))
    }

    /// Whether a lower severity does not drop it once its moment has come: a deployment or a rollback
    /// under the higher severity left it to be done.
    pub(super) const fn outlasts(&self, severity: Option<Severity>) -> bool {
        let of_deployment = matches!(
            self.from,
            Moment::DeployStarted | Moment::Deployed | Moment::Verified | Moment::RolledBack
        );
        of_deployment
            && !self.kind.is_call()
            && self.every.is_none()
            && self.severities.exceed(severity)
    }

    /// An obligation without role, audience, repetition or condition.
    fn plain(source: Source, index: usize, id: Name, kind: DutyKind) -> Self {
        Self {
            source,
            index,
            id,
            kind,
            from: Moment::Resolved,
            within: Due::Within(Span::ZERO),
            lasts: Span::ZERO,
            every: None,
            begun_by: Vec::new(),
            until: None,
            ask_again: None,
            settled_by: Vec::new(),
            list: None,
            severities: Severities::ALL,
            conditional: false,
            while_open: false,
            stop_gap: false,
            flow: None,
            settled_in_branch: None,
            another_release: None,
            role: None,
            audience: None,
            ladder: None,
            hears: Vec::new(),
            even_if_acknowledged: false,
        }
    }

    fn of_objective(policy: &Policy) -> Option<Self> {
        let slo = policy.change_record()?.slo.as_ref()?;
        let id = Name::try_new(OBJECTIVE).ok()?;
        // The incident may end without a fix.
        let mut settled_by = vec![slo.to, Moment::Resolved];
        settled_by.dedup();
        Some(Self {
            from: slo.from,
            within: Due::Within(slo.within),
            settled_by,
            severities: Severities::of(&slo.severities),
            ..Self::plain(Source::Objective, 0, id, DutyKind::Fix)
        })
    }

    fn of_report(policy: &Policy) -> Option<Self> {
        let within = policy.report()?.within?;
        let severities = Severity::ALL.iter().map(|severity| Some(*severity)).chain([None]);
        let bare = severities.filter(|severity| policy.report_due(*severity).is_some());
        let severities =
            Severities(bare.fold(0, |bits, severity| bits | Severities::bit(severity)));
        if severities == Severities::NONE {
            return None;
        }
        let id = Name::try_new(REPORT).ok()?;
        Some(Self { within, severities, ..Self::plain(Source::Report, 0, id, DutyKind::Write) })
    }

    fn of_approvals(policy: &Policy) -> impl Iterator<Item = Self> + '_ {
        all_demands(policy).enumerate().filter_map(|(index, (demand_id, demand))| {
            let within = Due::Within(demand.after_the_fact?);
            let id = Name::try_new(&approval_duty(index)).ok()?;
            let plain = Self::plain(Source::Approval, index, id, DutyKind::Approve);
            let severities = demand_id.severity.map_or(Severities::ALL, |of| Severities::of(&[of]));
            Some(Self { from: Moment::DeployStarted, within, severities, ..plain })
        })
    }

    fn of_checklists(policy: &Policy) -> impl Iterator<Item = Self> + '_ {
        (0..).zip(policy.checklists()).filter_map(|(index, list)| {
            let (from, within) = (list.due_from(), Due::Within(list.within?));
            Some(Self {
                from,
                within,
                list: Some(index),
                severities: Severities::of(&list.severities),
                conditional: list.when.is_some(),
                // What prepares a fix is not to be done once the incident is over.
                while_open: from.is_early(),
                role: list.role,
                ..Self::plain(Source::Checklist, index, list.id, DutyKind::FollowUp)
            })
        })
    }

    /// The condition under which it is due.
    pub(super) fn when<'p>(&self, policy: &'p Policy) -> Option<&'p Condition> {
        match self.source {
            Source::Duty => policy.duties().get(self.index)?.when.as_ref(),
            Source::Checklist => policy.checklists().get(self.index)?.when.as_ref(),
            Source::Objective | Source::Approval | Source::Report => None,
        }
    }

    /// Whether it follows what happened, such as that users who were affected are notified: a recovery
    /// does not undo that. News and calls are about what is so now.
    pub(super) fn follows(&self) -> bool {
        let is_about_now = matches!(self.kind, DutyKind::Notify | DutyKind::Update)
            || self.is_answered()
            || self.from < Moment::Deployed;
        !is_about_now
    }

    /// Whether it is due for a release of this branching model; true where that is not known.
    pub(super) fn is_for_flow(&self, flow: Option<Flow>) -> bool {
        match (self.flow, flow) {
            (Some(needed), Some(flow)) => needed == flow,
            (None, _) | (_, None) => true,
        }
    }

    /// Whether it applies where its condition has this value: what is published cannot be unsaid, so the public
    /// is notified only where the condition is known to hold.
    pub(super) fn may_apply(&self, condition: Truth) -> bool {
        match condition {
            Truth::Yes => true,
            Truth::Unknown => self.audience != Some(Audience::Public),
            Truth::No => false,
        }
    }

    /// Whether it is a fix that nobody made: its incident ended without one.
    pub(super) fn ends_undone(&self, has_come: impl Fn(Moment) -> bool) -> bool {
        let is_fix = self.kind == DutyKind::Fix;
        is_fix && !self.settled_by.first().is_some_and(|moment| has_come(*moment))
    }

    /// The moments of which the first ends it, with one of its `own`.
    pub(super) fn ends(&self, own: Option<Moment>) -> impl Iterator<Item = Moment> + use<> {
        let over = self.ends_with_incident().then_some(Moment::Resolved);
        own.into_iter().chain(over).chain([Moment::Closed])
    }

    /// Whether an answer in this escalation counts for it.
    pub(super) fn counts_answers_of(&self, ladder: usize) -> bool {
        self.ladder == Some(ladder) || self.hears.iter().any(|(other, _)| *other == ladder)
    }
}

/// The moments that show that a duty is done.
fn settles(policy: &Policy, duty: &Duty) -> Vec<Moment> {
    let moments: &[Moment] = match duty.kind {
        // The incident may end without a fix; the permanent fix is due all the same.
        DutyKind::Fix if duty.from.is_early() => &[Moment::Deployed, Moment::Resolved],
        DutyKind::Fix => &[Moment::Deployed],
        DutyKind::Approve => &[Moment::Approved],
        // Who fixes, approves or starts has responded.
        DutyKind::Act if duty.from.is_early() => {
            &[Moment::FixStarted, Moment::Approved, Moment::DeployStarted]
        }
        // Its audience is notified of these, and needs no news of what came before.
        DutyKind::Notify => {
            &[Moment::DeployStarted, Moment::Deployed, Moment::RolledBack, Moment::Resolved]
        }
        _ => &[],
    };
    let is_later = |by: &Moment| match duty.from {
        Moment::RolledBack => *by != Moment::RolledBack,
        // A completion is both, so neither of them overtakes the other.
        from => from < *by && !is_of_the_end(from),
    };
    let is_shown = |by: &Moment| duty.kind != DutyKind::Notify || is_announced(policy, duty, *by);
    // A fix that is due after the deployment is another one: the permanent fix.
    moments.iter().copied().filter(is_later).filter(is_shown).collect()
}

/// Whether what counts from this moment begins with the end of the incident, or after it: a completion
/// is both at once.
const fn is_of_the_end(from: Moment) -> bool {
    matches!(from, Moment::Verified | Moment::Resolved | Moment::Closed)
}

/// Whether a notice counts as the first occurrence of an update.
fn is_first_news(notice: &Duty, update: &Duty) -> bool {
    (notice.kind, update.kind) == (DutyKind::Notify, DutyKind::Update)
        && (notice.readers(), notice.from) == (update.readers(), update.from)
}

/// Whether the rollout itself notifies the audience of a notice when a moment comes.
fn is_announced(policy: &Policy, notice: &Duty, moment: Moment) -> bool {
    let is_public = |text: &Message| {
        let has_severity = text.severities.is_empty()
            || !notice.severities.is_empty()
                && notice.severities.iter().all(|of| text.severities.contains(of));
        let kind = moment.message();
        (text.kind, text.audience, text.fallback) == (kind, Audience::Public, false)
            && has_severity
            && (text.when.is_none() || text.when == notice.when)
    };
    match notice.readers() {
        Some(Audience::Responders | Audience::Stakeholders) => true,
        // Who read of the incident reads of its end.
        Some(Audience::Business | Audience::Public) if moment == Moment::Resolved => true,
        Some(Audience::Public) => policy.messages().iter().any(is_public),
        Some(Audience::Business) | None => false,
    }
}

/// The escalation of a call: those with one condition have their own.
fn ladder_of<'p>(duty: &'p Duty, ladders: &mut Vec<Option<&'p Condition>>) -> usize {
    let when = duty.when.as_ref();
    ladders.iter().position(|known| *known == when).unwrap_or_else(|| {
        ladders.push(when);
        ladders.len() - 1
    })
}

getters! {
    pub(super) fn Obligation: self;

    /// Whether it begins again when the incident is reopened or its severity rises: calls and responses
    /// do; what prepares a fix, such as a checklist, stays done.
    begins_again: bool = self.while_open && !matches!(self.kind, DutyKind::FollowUp);
    /// Whether it notifies the public of what may turn out to be another severity.
    waits_for_severity: bool =
        self.audience == Some(Audience::Public) && self.severities != Severities::ALL;
    /// Whether it remains settled where the moment that settled it is revoked, or comes again with
    /// another attempt.
    stays_settled: bool = matches!(self.kind, DutyKind::Act | DutyKind::Notify);
    /// Whether the end of the incident ends its repetition as well: who reads the news then reads of it,
    /// and who was paged has nothing to do any more. A page is repeated until somebody answers it.
    ends_with_incident: bool = (self.kind == DutyKind::Update && self.every.is_some()
        || self.kind.is_call())
        && self.until != Some(Moment::Closed)
        && !is_of_the_end(self.from);
    /// Whether it is the fix of the incident, and not a permanent one that follows.
    is_urgent_fix: bool = self.kind == DutyKind::Fix && self.settled_by.contains(&Moment::Resolved);
    /// Whether it watches the version to which a fix was rolled back.
    watches_previous: bool =
        matches!((self.kind, self.from), (DutyKind::Watch, Moment::RolledBack));
    /// Whether it is about the release that was rolled back, and owed for each.
    is_about_failed: bool = self.from == Moment::RolledBack
        && (self.another_release.is_some() || self.settled_in_branch == Some(BranchDuty::Revert));
    /// Whether it announces the incident itself, which is news once.
    is_alert: bool = self.kind == DutyKind::Notify && self.from.message() == MessageKind::Alert;
    /// Whether an answer settles it.
    is_answered: bool = self.kind.is_call() || matches!(self.kind, DutyKind::Act);
    /// Whether it sets the deadline of the fix.
    sets_deadline: bool =
        self.source == Source::Duty && self.kind == DutyKind::Fix && !self.settled_by.is_empty();
    /// Whether it is a level of an escalation, which does not apply before its time.
    is_level: bool = matches!(self.kind, DutyKind::Escalate);
}
