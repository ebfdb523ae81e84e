//! The answer to 'what is due?' (TIME-3, TIME-4).

use std::borrow::Cow;

use serde::Serialize;

use super::Agenda;
use super::course::{Course, Settled};
use super::standing::{Awaits, Phase, Standing};
use super::terms::{Source, Terms, demands};
use crate::fact::Truth;
use crate::grade::{Audience, DutyKind, Moment, Severity};
use crate::policy::Policy;
use crate::policy::section::{Duty, HouseRole};
use crate::text::quoted;
use crate::unit::{Name, RoleName, Span, Timestamp};

/// Everything that is asked for, each in one of these lists; see the [module](super).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Duties<'p> {
    /// As of when.
    pub at: Timestamp,
    /// To be done now, the most urgent first.
    pub due: Vec<Item<'p>>,
    /// Late, the latest first.
    pub overdue: Vec<Item<'p>>,
    /// Its turn has not come, the next one first.
    pub next: Vec<Item<'p>>,
    /// What its time counts from has not happened, or its ladder was stopped.
    pub later: Vec<Item<'p>>,
    /// Due by a day that the host has to give.
    pub undated: Vec<Item<'p>>,
    /// Settled, in the order in which it was.
    pub done: Vec<Item<'p>>,
}

/// One thing that is asked for.
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
    /// Who does it, or is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<Who<'p>>,
    /// Who is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<Audience>,
    /// Its rung of the ladder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    /// What its time counts from.
    pub from: Moment,
    /// When that was; where the incident was opened again, when what is to be done until its end counts anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_at: Option<Timestamp>,
    /// From when on it is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opens: Option<Timestamp>,
    /// By when; at this time it is in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// The time that is left, while it is due or next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<Span>,
    /// How late it is, while it is overdue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late_by: Option<Span>,
    /// How long it takes at least, as a meeting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lasts_least: Option<Span>,
    /// How long it takes at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lasts_most: Option<Span>,
    /// How often it is repeated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<Span>,
    /// What ends the repeating.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
    /// Where it is repeated: which occurrence this is, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurrence: Option<u64>,
    /// How many occurrences went by, this one among them; they are asked for once.
    #[serde(skip_serializing_if = "is_none_missed")]
    pub missed: u64,
    /// Why it is asked for.
    pub applies: Applies,
    /// What it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub awaits: Option<Awaits>,
    /// How it was settled; of something repeated the last time, unless it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled: Option<Settled>,
    /// Where it is repeated: how often somebody did it.
    #[serde(skip_serializing_if = "is_none_missed")]
    pub times: u64,
    /// What a person should know of it, in sentences.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_none_missed(count: &u64) -> bool {
    *count == 0
}

/// Why something is asked for (SEV-5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Applies {
    /// The severity, where it is asked for some alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Whether its condition holds, where it has one; unknown counts as holding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<Truth>,
    /// Whether the fix is a stop-gap, where it is asked for such alone; unknown counts as one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_gap: Option<Truth>,
}

/// Who does something (TIME-4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Who<'p> {
    /// The role that the policy names.
    pub role: RoleName,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<&'p str>,
    /// Where nobody holds it: the stand-in that somebody holds. Holders and reach are then the stand-in's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stand_in: Option<RoleName>,
    /// The people.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holders: Vec<Holder<'p>>,
    /// How the role itself is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reach: Option<&'p str>,
    /// Who stands in, the first choice first.
    #[serde(skip_serializing_if = "<[RoleName]>::is_empty")]
    pub stand_ins: &'p [RoleName],
}

/// Somebody who holds a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Holder<'p> {
    /// The person's name.
    pub name: &'p str,
    /// How they are reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reach: Option<&'p str>,
}

impl<'p> Who<'p> {
    /// Who is to be turned to for a role: its holders, or those of the first stand-in that somebody holds, or of a stand-in's
    /// stand-in. A role that can be reached by itself, as by a pager, is held.
    pub fn of(policy: &'p Policy, role: RoleName) -> Self {
        let named = policy.role(role);
        let held = |role: &&HouseRole| !role.holders.is_empty() || role.reach.is_some();
        let stand_in = named.filter(|named| !held(named)).and_then(|named| {
            // Each role is looked at once, however they stand in for each other.
            let mut seen = vec![named.id];
            let mut next = 0;
            while let Some(role) = seen.get(next).and_then(|role| policy.role(*role)) {
                next += 1;
                if held(&role) {
                    return Some(role);
                }
                let new = role.stand_ins.iter().filter(|id| policy.role(**id).is_some());
                let new: Vec<RoleName> = new.filter(|id| !seen.contains(id)).copied().collect();
                seen.extend(new);
            }
            None
        });
        let reached = stand_in.or(named);
        let holders = reached.map_or(&[][..], |role| &role.holders);
        Self {
            role,
            title: named.map(|role| role.title.as_str()),
            stand_in: stand_in.map(|role| role.id),
            holders: holders
                .iter()
                .map(|holder| Holder { name: &holder.name, reach: holder.reach.as_deref() })
                .collect(),
            reach: reached.and_then(|role| role.reach.as_deref()),
            stand_ins: named.map_or(&[], |role| &role.stand_ins),
        }
    }

    /// Whether somebody can be turned to at all.
    pub fn is_reached(&self) -> bool {
        !self.holders.is_empty() || self.reach.is_some()
    }

    fn remark(&self) -> Option<String> {
        let role = self.role;
        if let Some(stand_in) = self.stand_in {
            return Some(format!("nobody holds `{role}`: turn to `{stand_in}`"));
        }
        (!self.is_reached())
            .then(|| format!("nobody holds `{role}` or stands in for it: name somebody"))
    }
}

impl Agenda {
    /// What is due, overdue, next and done at a time: of what is known now, read at that time.
    ///
    /// `policy` is the one that the agenda was made from. Shows TIME-3.
    pub fn duties<'p>(&self, policy: &'p Policy, at: Timestamp) -> Duties<'p> {
        let mut duties = Duties {
            at,
            due: Vec::new(),
            overdue: Vec::new(),
            next: Vec::new(),
            later: Vec::new(),
            undated: Vec::new(),
            done: Vec::new(),
        };
        for (index, (terms, course)) in self.terms.iter().zip(&self.courses).enumerate() {
            let Some(standing) = self.standing(index, at) else { continue };
            let list = match standing.phase {
                Phase::Done(_) => &mut duties.done,
                Phase::Later(_) => &mut duties.later,
                Phase::Undated(_) => &mut duties.undated,
                Phase::Next => &mut duties.next,
                Phase::Due => &mut duties.due,
                Phase::Overdue => &mut duties.overdue,
            };
            list.push(self.item(policy, terms, course, &standing, at));
        }
        // Stable: what has one time stays in the order of the policy.
        duties.due.sort_by_key(|item| item.due);
        duties.overdue.sort_by_key(|item| item.due);
        duties.next.sort_by_key(|item| (item.opens, item.due));
        duties.done.sort_by_key(|item| item.settled.map(|settled| settled.at));
        duties
    }

    fn item<'p>(
        &self,
        policy: &'p Policy,
        terms: &Terms,
        course: &Course,
        standing: &Standing,
        at: Timestamp,
    ) -> Item<'p> {
        let duty = policy.duties().get(terms.index).filter(|_| terms.source == Source::Duty);
        let who = terms.role.map(|role| Who::of(policy, role));
        let lasts = duty.and_then(|duty| duty.lasts).unwrap_or_default();
        let applies = self.applies(terms, course, duty);
        let open = matches!(standing.phase, Phase::Next | Phase::Due);
        let late = matches!(standing.phase, Phase::Overdue);
        let awaits = match standing.phase {
            Phase::Later(awaits) | Phase::Undated(awaits) => Some(awaits),
            Phase::Done(_) | Phase::Next | Phase::Due | Phase::Overdue => None,
        };
        let settled = match standing.phase {
            Phase::Done(settled) => Some(settled),
            _ => course.settled,
        };
        let repeated = terms.every.is_some();
        let mut item = Item {
            id: terms.id,
            source: terms.source,
            title: title(policy, terms, duty),
            kind: terms.kind,
            who,
            audience: terms.audience,
            step: duty.and_then(|duty| duty.step),
            from: terms.from,
            from_at: self.from(terms),
            opens: standing.opens,
            due: standing.due,
            left: standing.due.filter(|_| open).map(|due| due.since(at)),
            late_by: standing.due.filter(|_| late).map(|due| at.since(due)),
            lasts_least: lasts.least,
            lasts_most: lasts.most,
            every: terms.every,
            until: terms.until,
            occurrence: Some(standing.occurrence).filter(|_| repeated),
            missed: standing.missed,
            applies,
            awaits,
            settled,
            times: if repeated { course.times } else { 0 },
            remarks: Vec::new(),
        };
        if !matches!(standing.phase, Phase::Done(_)) {
            self.remark(&mut item, standing);
        }
        item
    }

    fn applies(&self, terms: &Terms, course: &Course, duty: Option<&Duty>) -> Applies {
        let some = duty.is_some_and(|duty| !duty.severities.is_empty());
        Applies {
            severity: self.severity.filter(|_| some),
            condition: terms.conditional.then_some(course.holds),
            stop_gap: terms.stop_gap.then_some(self.stop_gap),
        }
    }

    /// What a person should know of something that is open.
    fn remark(&self, item: &mut Item<'_>, standing: &Standing) {
        let remarks = &mut item.remarks;
        if item.applies.condition == Some(Truth::Unknown) {
            let unknown = "it is not known whether its condition holds: it counts as if it did";
            remarks.push(unknown.to_owned());
        }
        if item.applies.stop_gap == Some(Truth::Unknown) {
            let unknown = "nobody has said whether the fix is a stop-gap: it counts as one";
            remarks.push(unknown.to_owned());
        }
        if let Some(Awaits::Day(day)) = item.awaits {
            remarks.push(match self.days.get(day as usize).copied().flatten() {
                Some(given) => format!(
                    "the `{day}` that was given, {given}, is not after `{}`, or had passed: give the one that is",
                    item.from
                ),
                None => format!("it is due by `{day}`, which only a calendar knows: give its time"),
            });
        }
        if standing.held {
            remarks.push("its ladder waits: somebody has taken it on".to_owned());
        }
        if standing.called_before {
            remarks.push("called already, before the plan changed".to_owned());
        }
        remarks.extend(item.who.as_ref().and_then(Who::remark));
    }
}

fn title<'p>(policy: &'p Policy, terms: &Terms, duty: Option<&'p Duty>) -> Cow<'p, str> {
    match terms.source {
        Source::Duty => Cow::Borrowed(duty.map_or("", |duty| &duty.title)),
        Source::Report => Cow::Borrowed("the incident report is written"),
        Source::Objective => {
            let slo = policy.record().and_then(|record| record.slo.as_ref());
            Cow::Borrowed(slo.map_or("", |slo| &slo.name))
        }
        Source::Approval => {
            let roles = demands(policy).nth(terms.index).map(|(_, demand)| &demand.any_of);
            let roles = roles.map(|roles| quoted(roles, " or ")).unwrap_or_default();
            Cow::Owned(format!("approval by {roles}, given afterwards"))
        }
    }
}
