//! Approvals: the demands, the statements of roles, and whether they meet the demands.
//!
//! Each demand is compared with the recorded statements. The demands follow from the policy and the
//! severity, so a higher severity has higher demands.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::canonical::Digest;
use crate::grade::{Severity, closed_set};
use crate::policy::Policy;
use crate::policy::section::Approval;
use crate::unit::{RoleName, Span, Timestamp};

use super::person::is_same_person;

closed_set! {
    /// A role's answer about a plan.
    Answer {
        Approved = "approved",
        Denied = "denied",
        Withdrawn = "withdrawn",
    }
    /// The state of a demand for approval.
    DemandState {
        /// No role has answered.
        Open = "open",
        /// It is met.
        Approved = "approved",
        /// A denial is in force.
        Denied = "denied",
        /// The approval was withdrawn: the demand is open again.
        Withdrawn = "withdrawn",
        /// Only the author of the fix has approved, which is not enough.
        AuthorAlone = "author_alone",
        /// Not met, and it may still be given after the start.
        Afterwards = "afterwards",
        /// Not met, and the time to give it afterwards is over.
        Late = "late",
    }
}

/// A role's statement about the plan.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// What the role answered.
    pub answer: Answer,
    /// The role.
    pub role: RoleName,
    /// Who gave it; the digest of the name where that is redacted in the log.
    pub by: String,
    /// When it was given.
    pub at: Timestamp,
    /// Where it was given.
    pub channel: Option<String>,
    /// Who heard it, where it was verbal.
    pub heard_by: Option<String>,
    /// The reason that was given.
    pub why: Option<String>,
    /// The plan that it is about: a changed plan needs a new statement.
    pub plan_digest: Digest,
    /// Whether it comes from the author of the fix.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub author: bool,
}

impl Statement {
    /// Whether it was verbal.
    pub fn is_spoken(&self) -> bool {
        is_spoken(self.channel.as_deref(), self.heard_by.as_deref())
    }
}

/// Whether an approval was verbal: somebody heard it, or its channel is `verbal` or `phone`.
pub(crate) fn is_spoken(channel: Option<&str>, heard_by: Option<&str>) -> bool {
    let verbal = |channel: &str| {
        ["verbal", "phone"].iter().any(|word| channel.trim().eq_ignore_ascii_case(word))
    };
    heard_by.is_some() || channel.is_some_and(verbal)
}

/// Which demand: of the whole policy, or of a severity; by its place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DemandId {
    /// The severity; none: whatever the severity.
    pub(crate) severity: Option<Severity>,
    /// Its place, from 0.
    index: usize,
}

impl DemandId {
    /// Its place among the demands of all severities, as an agenda counts them.
    pub(crate) fn place(self, policy: &Policy) -> usize {
        all_demands(policy).position(|(id, _)| id == self).unwrap_or(self.index)
    }
}

/// The demands of the whole policy, then those of each severity, the most severe first.
pub(crate) fn all_demands(policy: &Policy) -> impl Iterator<Item = (DemandId, &Approval)> {
    let number = |severity| move |(index, approval)| (DemandId { severity, index }, approval);
    let of_policy = policy.approvals().iter().enumerate().map(number(None));
    of_policy.chain(policy.severities().iter().flat_map(move |level| {
        level.approvals.iter().enumerate().map(number(Some(level.severity)))
    }))
}

/// The demands at a severity: those of the whole policy first.
pub(crate) fn demands(
    policy: &Policy,
    severity: Option<Severity>,
) -> impl Iterator<Item = (DemandId, &Approval)> {
    all_demands(policy).filter(move |(id, _)| id.severity.is_none() || id.severity == severity)
}

/// The stand-ins of a role: those that may approve in its place.
fn stand_ins(policy: &Policy, role: RoleName) -> &[RoleName] {
    policy.role(role).map(|role| role.stand_ins.as_slice()).unwrap_or_default()
}

/// Whether `role` can act for `other`: it is the same, or a stand-in of it.
fn acts_for(policy: &Policy, role: RoleName, other: RoleName) -> bool {
    role == other || stand_ins(policy, other).contains(&role)
}

/// The role of a demand that `role` serves: itself, or the first that it may replace.
pub(crate) fn served_by(policy: &Policy, approval: &Approval, role: RoleName) -> Option<RoleName> {
    let own = approval.any_of.contains(&role).then_some(role);
    own.or_else(|| approval.any_of.iter().copied().find(|of| acts_for(policy, role, *of)))
}

/// The stand-ins of these roles, each once, without the roles themselves.
pub(crate) fn stand_ins_of(policy: &Policy, any_of: &[RoleName]) -> Vec<RoleName> {
    let mut seen: BTreeSet<RoleName> = any_of.iter().copied().collect();
    let all = any_of.iter().flat_map(|role| stand_ins(policy, *role));
    all.copied().filter(|role| seen.insert(*role)).collect()
}

/// The demands that nobody can meet: the author of the fix alone holds their roles, and may not meet them
/// alone. Of several demands the author may meet one. A role without holders can be anybody's.
pub(crate) fn only_for_author<'p>(
    policy: &'p Policy,
    severity: Option<Severity>,
    author: &str,
) -> Vec<(DemandId, &'p Approval)> {
    let is_author = |role: &RoleName| {
        let holders = policy.role(*role).map(|role| role.holders.as_slice()).unwrap_or_default();
        !holders.is_empty() && holders.iter().all(|of| is_same_person(&of.name, author))
    };
    let is_stuck = |asked: &Approval| {
        let all = asked.any_of.iter().chain(&stand_ins_of(policy, &asked.any_of)).all(is_author);
        all && asked.holds_start() && !asked.author_alone
    };
    let all = demands(policy, severity).count();
    let stuck: Vec<_> = demands(policy, severity).filter(|(_, asked)| is_stuck(asked)).collect();
    if stuck.len() == 1 && all > 1 { Vec::new() } else { stuck }
}

/// The recorded statements: those in force, and those withdrawn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Statements {
    /// In the order of time.
    given: Vec<Statement>,
    /// Those about a former plan: of each person the last one in each role.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    former: Vec<Statement>,
}

impl Statements {
    /// Records a statement.
    ///
    /// An approval lifts a denial of its own role and of roles that it may replace; the author's
    /// does not lift another person's. A denial or a withdrawal ends what its role approved.
    pub(crate) fn take(&mut self, policy: &Policy, statement: Statement) {
        let (role, author, spoken) = (statement.role, statement.author, statement.is_spoken());
        self.given.retain(|of| match (statement.answer, of.answer) {
            // The author's replaces no other person's, and a verbal one no written one.
            (Answer::Approved, Answer::Approved) => {
                (of.role, of.author, of.is_spoken()) != (role, author, spoken)
            }
            (Answer::Approved, Answer::Denied) => {
                !acts_for(policy, role, of.role) || author && !of.author
            }
            (Answer::Withdrawn, Answer::Denied) => true,
            _ => of.role != role,
        });
        self.given.push(statement);
    }

    pub(crate) fn has_approved(&self, role: RoleName) -> bool {
        self.approvals().any(|statement| statement.role == role)
    }

    /// The approvals in force, in the order of time.
    pub(crate) fn approvals(&self) -> impl Iterator<Item = &Statement> {
        self.given.iter().filter(|statement| statement.answer == Answer::Approved)
    }

    /// The denials in force, in the order of time.
    pub(crate) fn denials(&self) -> impl Iterator<Item = &Statement> {
        self.given.iter().filter(|statement| statement.answer == Answer::Denied)
    }

    /// Voids all statements, because they are about another plan.
    pub(crate) fn void(&mut self) {
        for statement in std::mem::take(&mut self.given) {
            self.former.retain(|of| (&of.by, of.role) != (&statement.by, statement.role));
            self.former.push(statement);
        }
    }

    /// When one of these roles last approved a former plan.
    pub(crate) fn voided(&self, roles: &[RoleName]) -> Option<Timestamp> {
        let approvals = self.former.iter().filter(|of| of.answer == Answer::Approved);
        approvals.filter(|of| roles.contains(&of.role)).map(|of| of.at).max()
    }

    /// The roles in which a person has made a statement, also about a former plan.
    pub(crate) fn roles_of<'a>(&'a self, by: &'a str) -> impl Iterator<Item = RoleName> + 'a {
        let all = self.given.iter().chain(&self.former);
        all.filter(move |of| is_same_person(&of.by, by)).map(|of| of.role)
    }

    /// The statements of roles that no demand names.
    pub(crate) fn unasked(&self, policy: &Policy, severity: Option<Severity>) -> Vec<Statement> {
        let asked =
            |role| demands(policy, severity).any(|(_, d)| served_by(policy, d, role).is_some());
        self.given.iter().filter(|statement| !asked(statement.role)).cloned().collect()
    }
}

/// A demand for approval, with its state.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Demand {
    #[serde(skip)]
    pub(crate) id: DemandId,
    /// The severity that demands it; absent: every severity does.
    pub severity: Option<Severity>,
    /// The roles, any one of which is enough.
    pub any_of: Vec<RoleName>,
    /// The roles that may stand in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stand_ins: Vec<RoleName>,
    /// Its state.
    pub state: DemandState,
    /// Whether the start waits for it.
    pub holds_start: bool,
    /// Whether verbal approval is accepted.
    pub verbal: bool,
    /// Whether the author of the fix may give it alone.
    pub author_alone: bool,
    /// How long after the start it may be given; absent: not after the start.
    pub after_the_fact: Option<Span>,
    /// Until when it may be given after the start, once that is known.
    pub until: Option<Timestamp>,
    /// The roles that are notified of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notified: Vec<RoleName>,
    /// The statements, in the order of time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<Heard>,
}

impl Demand {
    /// Whether it is met.
    pub fn is_met(&self) -> bool {
        self.state == DemandState::Approved
    }

    /// Whether it is required: it holds the start, or may follow it.
    pub(crate) const fn is_required(&self) -> bool {
        self.holds_start || self.after_the_fact.is_some()
    }

    /// The role in which the author of the fix approved, where that is the only approval.
    pub(crate) fn approved_by_author_alone(&self) -> Option<RoleName> {
        let is_alone = self.state == DemandState::AuthorAlone;
        self.approvers().last().filter(|_| is_alone)
    }

    /// The last approval, where there are only verbal ones and the demand needs one in writing.
    pub(crate) fn lacks_writing(&self) -> Option<&Statement> {
        let is_open = matches!(self.state, DemandState::Open | DemandState::Afterwards);
        self.given().last().map(|heard| &heard.statement).filter(|_| is_open)
    }

    /// The roles whose approvals count for it, the latest at the end.
    pub(crate) fn approvers(&self) -> impl Iterator<Item = RoleName> {
        self.approvals().map(|heard| heard.statement.role)
    }

    /// All roles that may meet it: its own, then their stand-ins.
    pub fn roles(&self) -> Vec<RoleName> {
        self.any_of.iter().chain(&self.stand_ins).copied().collect()
    }
}

/// A statement, and the role that it counts for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Heard {
    /// The statement.
    #[serde(flatten)]
    pub statement: Statement,
    /// The role that it stands in for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stands_in_for: Option<RoleName>,
    /// Whether it came after the time that follows the start.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
}

/// When the rollout started, and the present time; each None before it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clock {
    pub(crate) started: Option<Timestamp>,
    /// The time of the last input.
    pub(crate) now: Option<Timestamp>,
}

/// The state of each demand.
///
/// The author of the fix meets no demand alone, except where the policy allows it (`author_alone`).
/// Of several demands the author may meet one if another person met another, also once its time is over.
pub(crate) fn demand_states(
    policy: &Policy,
    severity: Option<Severity>,
    statements: &Statements,
    clock: Clock,
) -> Vec<Demand> {
    let all = &statements.given;
    let mut found: Vec<Demand> = demands(policy, severity)
        .map(|(id, approval)| Demand::of(policy, id, approval, all, clock))
        .collect();
    // Of several demands, the author meets the first that nobody else has met.
    let another = found.iter().any(|demand| demand.is_met() && demand.met_by(false));
    let by_author = |demand: &&mut Demand| match demand.state {
        DemandState::AuthorAlone => true,
        DemandState::Late => demand.met_by(true),
        _ => false,
    };
    if let Some(first) = found.iter_mut().find(by_author).filter(|_| another) {
        first.state = DemandState::Approved;
    }
    found
}

impl Demand {
    fn of(
        policy: &Policy,
        id: DemandId,
        approval: &Approval,
        all: &[Statement],
        clock: Clock,
    ) -> Self {
        let until = approval.after_the_fact.zip(clock.started).map(|(span, start)| start + span);
        let statements = all.iter().filter_map(|statement| {
            let role = served_by(policy, approval, statement.role)?;
            Some(Heard {
                statement: statement.clone(),
                stands_in_for: (role != statement.role).then_some(role),
                late: until.is_some_and(|until| statement.at > until),
            })
        });
        let mut demand = Self {
            id,
            severity: id.severity,
            any_of: approval.any_of.clone(),
            stand_ins: stand_ins_of(policy, &approval.any_of),
            state: DemandState::Open,
            holds_start: approval.holds_start(),
            verbal: approval.verbal,
            author_alone: approval.author_alone,
            after_the_fact: approval.after_the_fact,
            until,
            notified: approval.notified.clone(),
            statements: statements.collect(),
        };
        demand.state = demand.judge(clock.now);
        demand
    }

    /// The approvals that count: verbal ones only where they are accepted.
    pub(crate) fn approvals(&self) -> impl Iterator<Item = &Heard> {
        self.given().filter(|heard| self.verbal || !heard.statement.is_spoken())
    }

    fn given(&self) -> impl Iterator<Item = &Heard> {
        self.statements.iter().filter(|heard| heard.statement.answer == Answer::Approved)
    }

    fn met_by(&self, author: bool) -> bool {
        self.approvals().any(|heard| heard.statement.author == author)
    }

    fn has(&self, said: Answer) -> bool {
        self.statements.iter().any(|heard| heard.statement.answer == said)
    }

    fn judge(&self, now: Option<Timestamp>) -> DemandState {
        if self.has(Answer::Denied) {
            DemandState::Denied
        } else if self.met_by(false) || (self.author_alone && self.met_by(true)) {
            DemandState::Approved
        } else if self.until.zip(now).is_some_and(|(until, now)| now > until) {
            DemandState::Late
        } else if self.met_by(true) {
            DemandState::AuthorAlone
        } else if self.has(Answer::Withdrawn) {
            DemandState::Withdrawn
        } else if self.after_the_fact.is_some() {
            DemandState::Afterwards
        } else {
            DemandState::Open
        }
    }
}
