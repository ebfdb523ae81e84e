//! The lists of duties: due, overdue, next, later, undated and done.

use std::borrow::Cow;

use serde::Serialize;

use super::Agenda;
use super::item_state::{DutyState, Settled, Settlement};
use super::obligations::{Obligation, Source};
use super::status::{Awaits, DutyStatus, Held, Phase};
use crate::fact::Truth;
use crate::gate::Who;
use crate::gate::approval::all_demands;
use crate::grade::{Audience, DutyKind, Flow, Moment, Severity};
use crate::policy::Policy;
use crate::policy::section::{Duty, REPORT_TITLE};
use crate::sorting::sort_by_key;
use crate::text::{self, enumerated, quoted};
use crate::unit::{Name, Span, Timestamp, is_default};

/// All duties of an incident, each in one of these lists; see the [module](super).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Duties<'p> {
    /// The time that the lists are for.
    pub at: Timestamp,
    /// To be done now, the most urgent first.
    pub due: Vec<Item<'p>>,
    /// Late, the latest first.
    pub overdue: Vec<Item<'p>>,
    /// Not yet their turn, the next one first.
    pub next: Vec<Item<'p>>,
    /// The moment that the time counts from has not happened, or the escalation was stopped.
    pub later: Vec<Item<'p>>,
    /// Due by a day that the caller has to give.
    pub undated: Vec<Item<'p>>,
    /// Settled, in the order of time.
    pub done: Vec<Item<'p>>,
}

/// One duty in its list.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Item<'p> {
    /// Its id; `acknowledge` and `done` name it.
    pub id: Name,
    /// Where it comes from.
    pub source: Source,
    /// What people call it.
    pub title: Cow<'p, str>,
    /// What is to be done.
    pub kind: DutyKind,
    /// Who does it, or is paged.
    pub who: Option<Who<'p>>,
    /// Who is notified.
    pub audience: Option<Audience>,
    /// Its escalation level.
    pub level: Option<u32>,
    /// What its time counts from.
    pub from: Moment,
    /// When that was. Where the incident was reopened, or the severity has risen since the fix went
    /// live, calls and responses count from then. Absent where it came again after the duty was
    /// settled.
    pub from_at: Option<Timestamp>,
    /// From when on it applies.
    pub opens: Option<Timestamp>,
    /// By when; at this time itself it is in time.
    pub due: Option<Timestamp>,
    /// The time that is left, while it is due or next.
    pub left: Option<Span>,
    /// How late it is, while it is overdue.
    pub late_by: Option<Span>,
    /// How long it takes at least, as a meeting.
    pub lasts_least: Option<Span>,
    /// How long it takes at most.
    pub lasts_most: Option<Span>,
    /// How often it is repeated.
    pub every: Option<Span>,
    /// What ends the repeating.
    pub until: Option<Moment>,
    /// Where it is repeated: which occurrence this is, from 1.
    pub occurrence: Option<u64>,
    /// How many occurrences were missed, including this one; they are due once.
    #[serde(skip_serializing_if = "is_default")]
    pub missed: u64,
    /// Why it applies.
    pub applies: Applies,
    /// What it waits for.
    pub awaits: Option<Awaits>,
    /// How it was settled; of something repeated the last time, unless it is over.
    pub settled: Option<Settled>,
    /// Where it is repeated: how often somebody did it.
    #[serde(skip_serializing_if = "is_default")]
    pub times: u64,
    /// Notes for people, in sentences.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Why a duty applies.
#[serde_with::skip_serializing_none]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Applies {
    /// The severity for which it applies, where the duty is only for some.
    pub severity: Option<Severity>,
    /// Whether its condition holds, where it has one; unknown counts as holding.
    pub condition: Option<Truth>,
    /// Whether the fix is a stop-gap, where the duty is only for those; unknown counts as one.
    pub stop_gap: Option<Truth>,
    /// The branching model for which it applies, where the duty is only for one; one that is not known
    /// counts as this one.
    pub flow: Option<Flow>,
}

impl Item<'_> {
    /// Before this time it cannot be done: something is to be watched until then.
    pub fn watched_until(&self) -> Option<Timestamp> {
        let least = self.lasts_least.filter(|_| self.kind == DutyKind::Watch)?;
        self.from_at.map(|from| from + least)
    }
}

impl Agenda {
    /// The duties at a time, by list, of what is known now.
    ///
    /// `policy` is the one that the agenda was made from.
    pub fn duties<'p>(&self, policy: &'p Policy, at: Timestamp) -> Duties<'p> {
        let mut duties = Duties { at, ..Duties::default() };
        for (index, (obligation, course)) in
            self.obligations.iter().zip(&self.state.courses).enumerate()
        {
            let Some(status) = self.status(index, at) else { continue };
            let list = match status.phase {
                Phase::Done(_) => &mut duties.done,
                Phase::Later(_) => &mut duties.later,
                Phase::Undated(_) => &mut duties.undated,
                Phase::Next => &mut duties.next,
                Phase::Due => &mut duties.due,
                Phase::Overdue => &mut duties.overdue,
            };
            list.push(self.item(policy, obligation, course, &status, at));
        }
        // Stable: what has one time stays in the order of the policy.
        sort_by_key(&mut duties.due, |item| item.due);
        sort_by_key(&mut duties.overdue, |item| item.due);
        sort_by_key(&mut duties.next, |item| (item.opens, item.due));
        sort_by_key(&mut duties.done, |item| item.settled.map(|settled| settled.at));
        duties
    }

    /// The duties that applied once, do not any more, and are in no list: as they ended.
    pub(crate) fn dropped<'p>(&self, policy: &'p Policy, at: Timestamp) -> Vec<Item<'p>> {
        let all = self.obligations.iter().zip(&self.state.courses).enumerate();
        let dropped = all.filter(|(index, _)| self.status(*index, at).is_none());
        let item = |(_, (obligation, course)): (usize, (&Obligation, &DutyState))| {
            let ended = Settled { at: course.dropped?, how: Settlement::Ended };
            Some(self.item(policy, obligation, course, &DutyStatus::done(ended), at))
        };
        dropped.filter_map(item).collect()
    }

    fn item<'p>(
        &self,
        policy: &'p Policy,
        obligation: &Obligation,
        course: &DutyState,
        status: &DutyStatus,
        at: Timestamp,
    ) -> Item<'p> {
        let duty = policy.duties().get(obligation.index);
        let duty = duty.filter(|_| obligation.source == Source::Duty);
        let who = obligation.role.map(|role| Who::of(policy, role));
        let lasts = duty.and_then(|duty| duty.lasts).unwrap_or_default();
        let list = policy.checklists().get(obligation.index);
        let list = list.filter(|_| obligation.source == Source::Checklist);
        let severities = duty.map(|duty| &duty.severities).or(list.map(|list| &list.severities));
        let is_for_some = severities.is_some_and(|some| !some.is_empty());
        let applies = Applies {
            severity: self.severity_of(obligation).filter(|_| is_for_some),
            condition: obligation.conditional.then_some(course.holds),
            stop_gap: obligation.stop_gap.then_some(self.state.stop_gap),
            flow: obligation.flow,
        };
        let open = matches!(status.phase, Phase::Next | Phase::Due);
        let late = matches!(status.phase, Phase::Overdue);
        let awaits = match status.phase {
            Phase::Later(awaits) | Phase::Undated(awaits) => Some(awaits),
            Phase::Done(_) | Phase::Next | Phase::Due | Phase::Overdue => None,
        };
        let first = self.first_update(obligation, course);
        let settled = match status.phase {
            Phase::Done(settled) => Some(settled),
            _ => course.settled.or(first),
        };
        // The moment may have come again after the duty was settled.
        let counts = |from: Timestamp| match status.phase {
            Phase::Done(settled) => obligation.from.is_early() || from <= settled.at,
            _ => true,
        };
        let repeated = obligation.every.is_some();
        let mut item = Item {
            id: obligation.id,
            source: obligation.source,
            title: title(policy, obligation, duty),
            kind: obligation.kind,
            who,
            audience: obligation.audience,
            level: duty.and_then(|duty| duty.level),
            from: obligation.from,
            from_at: self.from(obligation).filter(|from| counts(*from)),
            opens: status.opens,
            due: status.due,
            left: status.due.filter(|_| open).map(|due| due.since(at)),
            late_by: status.due.filter(|_| late).map(|due| at.since(due)),
            lasts_least: lasts.least,
            lasts_most: lasts.most,
            every: obligation.every,
            until: obligation.until,
            occurrence: Some(status.occurrence).filter(|_| repeated),
            missed: status.missed,
            applies,
            awaits,
            settled,
            times: if repeated { course.times + u64::from(first.is_some()) } else { 0 },
            notes: Vec::new(),
        };
        if !matches!(status.phase, Phase::Done(_)) {
            self.note(&mut item, status);
            let other = course.owed_for.iter().any(|version| *version != self.state.canary);
            item.notes
                .extend(other.then(|| format!("it is about {}", enumerated(&course.owed_for))));
        }
        item
    }

    /// The severity for which it applies: the present one or, where another severity left it to be done,
    /// the nearest of its own.
    fn severity_of(&self, obligation: &Obligation) -> Option<Severity> {
        let now = self.state.severity?;
        let listed = Severity::ALL.iter().filter(|of| obligation.severities.contain(Some(**of)));
        listed.min_by_key(|of| (**of as u8).abs_diff(now as u8)).copied()
    }

    /// Adds the notes for people about an open duty.
    fn note(&self, item: &mut Item<'_>, status: &DutyStatus) {
        let notes = &mut item.notes;
        if let Some((counted, _)) = self.origin(item.from)
            && counted != item.from
        {
            notes
                .push(format!("the time `{}` is not known: it counts from `{counted}`", item.from));
        }
        let Applies { condition, stop_gap, .. } = item.applies;
        let assumed = [
            (condition, "whether its condition holds, so it is assumed to hold"),
            (stop_gap, "whether the fix is a stop-gap, so it is assumed to be one"),
        ];
        let assumed = assumed.into_iter().filter(|(known, _)| *known == Some(Truth::Unknown));
        notes.extend(assumed.map(|(_, what)| format!("it is not known {what}")));
        if let Some(Awaits::Day(day)) = item.awaits {
            notes.push(match self.state.days.get(day as usize).copied().flatten() {
                Some(given) => format!(
                    "the `{day}` that was given, {}, is not after `{}`, or had passed: give a \
                     later one",
                    text::moment(given),
                    item.from
                ),
                None => format!("it is due by `{day}`: send its time with `set_times`"),
            });
        }
        match status.held {
            Some(Held::Acknowledged) => {
                notes.push("the escalation waits: somebody has acknowledged it".to_owned());
            }
            Some(Held::Until(Moment::Deployed)) => {
                let live = "the fix is live: no further level is called unless it is rolled back \
                            or the severity rises";
                notes.push(live.to_owned());
            }
            Some(Held::Until(moment)) => {
                notes.push(format!("no further level is called after `{moment}`"));
            }
            None => {}
        }
        if status.called_before {
            notes.push("already paged before the plan changed".to_owned());
        }
        notes.extend(item.who.as_ref().and_then(Who::note));
    }
}

fn title<'p>(policy: &'p Policy, obligation: &Obligation, duty: Option<&'p Duty>) -> Cow<'p, str> {
    match obligation.source {
        Source::Duty => Cow::Borrowed(duty.map_or("", |duty| &duty.title)),
        Source::Report => Cow::Borrowed(REPORT_TITLE),
        Source::Objective => {
            let slo = policy.change_record().and_then(|record| record.slo.as_ref());
            Cow::Borrowed(slo.map_or("", |slo| &slo.name))
        }
        Source::Approval => {
            let roles = all_demands(policy).nth(obligation.index).map(|(_, demand)| &demand.any_of);
            let roles = roles.map(|roles| quoted(roles, " or ")).unwrap_or_default();
            Cow::Owned(format!("approval by {roles} after the start"))
        }
        Source::Checklist => {
            Cow::Borrowed(policy.checklists().get(obligation.index).map_or("", |list| &list.title))
        }
    }
}
