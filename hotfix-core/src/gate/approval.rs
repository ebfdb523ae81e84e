//! Approvals: what is demanded, who said what, and whether that will do (GATE-1).
//!
//! Pure: a demand is held against the words on record. Who is asked follows from the policy and the severity, so a severity
//! that rises raises the demands with it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::canonical::Digest;
use crate::grade::{Severity, closed_set};
use crate::policy::Policy;
use crate::policy::section::Approval;
use crate::unit::{RoleName, Span, Timestamp};

closed_set! {
    /// What somebody said of a plan.
    Said {
        /// Yes.
        Approved = "approved",
        /// No.
        Denied = "denied",
        /// No longer yes.
        Withdrawn = "withdrawn",
    }
    /// How a demand for approval stands.
    DemandState {
        /// Nobody has said anything.
        Open = "open",
        /// It is met.
        Approved = "approved",
        /// A denial stands.
        Denied = "denied",
        /// What met it was taken back: it is open again.
        Withdrawn = "withdrawn",
        /// Only whoever wrote the fix has approved, which does not do.
        AuthorAlone = "author_alone",
        /// Not met, and it may still be given after the start.
        Afterwards = "afterwards",
        /// Not met, and the time to give it afterwards is over.
        Late = "late",
    }
}

/// What a role said of the plan, as it was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    /// What.
    pub said: Said,
    /// In which role.
    pub role: RoleName,
    /// Who; the digest of the name where that was taken out of the log.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Where it was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Who heard it, where it was spoken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heard_by: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The plan that it is about: a plan that is changed needs a new one.
    pub plan_digest: Digest,
    /// Whether this is who wrote the fix.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub author: bool,
}

impl Word {
    /// Whether it was spoken.
    pub fn is_spoken(&self) -> bool {
        is_spoken(self.channel.as_deref(), self.heard_by.as_deref())
    }
}

/// Whether an approval was spoken: somebody heard it, or its channel says so.
pub(crate) fn is_spoken(channel: Option<&str>, heard_by: Option<&str>) -> bool {
    heard_by.is_some()
        || channel.is_some_and(|channel| channel.trim().eq_ignore_ascii_case("verbal"))
}

/// Whether two names are the same person's, as far as names tell: white space around them and case do not count.
pub(crate) fn is_same_person(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// Whether `by` is who wrote the fix. `author` may be written as git does it, `Name <address>`: either will do.
///
/// ```
/// use hotfix_core::gate::is_author;
/// assert!(is_author(Some("Lena Ode <lena@example.org>"), " lena ode"));
/// assert!(is_author(Some("lena"), "Lena"));
/// assert!(!is_author(None, "lena"));
/// ```
pub fn is_author(author: Option<&str>, by: &str) -> bool {
    let Some(author) = author.filter(|author| !author.trim().is_empty()) else { return false };
    let parts = author.split_once('<');
    is_same_person(author, by)
        || parts.is_some_and(|(name, address)| {
            let address = address.trim().trim_end_matches('>');
            [name, address].iter().any(|part| !part.trim().is_empty() && is_same_person(part, by))
        })
}

/// Which demand: of the whole policy, or of a severity; by its place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DemandId {
    /// The severity; none: whatever the severity.
    severity: Option<Severity>,
    /// Its place, from 0.
    index: usize,
}

impl DemandId {
    /// Its place among the demands of all severities, as an agenda counts them: those of the whole policy first, then those of
    /// each severity in turn.
    pub(crate) fn place(self, policy: &Policy) -> usize {
        let Some(severity) = self.severity else { return self.index };
        let before = policy.severities().iter().take_while(|level| level.severity != severity);
        let graver: usize = before.map(|level| level.approvals.len()).sum();
        policy.approvals().len() + graver + self.index
    }
}

/// The demands at a severity: those of the whole policy first.
pub(crate) fn demands(
    policy: &Policy,
    severity: Option<Severity>,
) -> impl Iterator<Item = (DemandId, &Approval)> {
    let level = severity.and_then(|severity| policy.severity(severity));
    let of_level = level.map(|level| level.approvals.as_slice()).unwrap_or_default();
    let number = |severity| move |(index, approval)| (DemandId { severity, index }, approval);
    let of_policy = policy.approvals().iter().enumerate().map(number(None));
    of_policy.chain(of_level.iter().enumerate().map(number(severity)))
}

/// The roles that may stand in for a role.
fn stand_ins(policy: &Policy, role: RoleName) -> &[RoleName] {
    policy.role(role).map(|role| role.stand_ins.as_slice()).unwrap_or_default()
}

/// Whether `role` speaks for `other`: it is the same, or stands in for it.
fn speaks_for(policy: &Policy, role: RoleName, other: RoleName) -> bool {
    role == other || stand_ins(policy, other).contains(&role)
}

/// The role of a demand that `role` serves: itself, or the first that it stands in for.
pub(crate) fn served_by(policy: &Policy, approval: &Approval, role: RoleName) -> Option<RoleName> {
    let own = approval.any_of.contains(&role).then_some(role);
    own.or_else(|| approval.any_of.iter().copied().find(|of| speaks_for(policy, role, *of)))
}

/// Those who may stand in where a demand names these roles, each once, without the roles themselves.
pub(crate) fn stand_ins_of(policy: &Policy, any_of: &[RoleName]) -> Vec<RoleName> {
    let mut all = Vec::new();
    for role in any_of.iter().flat_map(|role| stand_ins(policy, *role)) {
        if !any_of.contains(role) && !all.contains(role) {
            all.push(*role);
        }
    }
    all
}

/// The words on record: what stands, and what was taken back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Words {
    // An approval of a role takes away none of the same role: the author's not another person's, the spoken not the
    // written one.
    approvals: BTreeMap<(RoleName, bool, bool), Word>,
    denials: BTreeMap<RoleName, Word>,
    withdrawn: BTreeMap<RoleName, Word>,
}

impl Words {
    /// Puts a word on record.
    ///
    /// An approval lifts a denial of its own role and of roles that it stands in for; the author's does not lift another
    /// person's. A denial or a withdrawal ends what its role approved.
    pub(crate) fn take(&mut self, policy: &Policy, word: Word) {
        let role = word.role;
        match word.said {
            Said::Approved => {
                self.denials.retain(|of, denial| {
                    !speaks_for(policy, role, *of) || (word.author && !denial.author)
                });
                self.withdrawn.remove(&role);
                self.approvals.insert((role, word.author, word.is_spoken()), word);
            }
            Said::Denied => {
                self.approvals.retain(|(of, ..), _| *of != role);
                self.withdrawn.remove(&role);
                self.denials.insert(role, word);
            }
            Said::Withdrawn => {
                self.approvals.retain(|(of, ..), _| *of != role);
                self.withdrawn.insert(role, word);
            }
        }
    }

    /// Whether an approval of this role stands.
    pub(crate) fn has_approved(&self, role: RoleName) -> bool {
        self.approvals.keys().any(|(of, ..)| *of == role)
    }

    /// The approvals that stand, in the order of their roles.
    pub(crate) fn approvals(&self) -> impl Iterator<Item = &Word> {
        self.approvals.values()
    }

    /// The denials that stand, in the order of their roles.
    pub(crate) fn denials(&self) -> impl Iterator<Item = &Word> {
        self.denials.values()
    }

    /// Everything that stands or was taken back, in the order of time.
    fn all(&self) -> Vec<&Word> {
        let (approvals, denials) = (self.approvals.values(), self.denials.values());
        let mut all: Vec<&Word> = approvals.chain(denials).chain(self.withdrawn.values()).collect();
        all.sort_by_key(|word| word.at);
        all
    }

    /// The words of roles that no demand asks.
    pub(crate) fn unasked(&self, policy: &Policy, severity: Option<Severity>) -> Vec<Word> {
        let asked =
            |role| demands(policy, severity).any(|(_, d)| served_by(policy, d, role).is_some());
        self.all().into_iter().filter(|word| !asked(word.role)).cloned().collect()
    }
}

/// A demand for approval, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Demand {
    #[serde(skip)]
    pub(crate) id: DemandId,
    /// The severity that asks for it; absent: it is asked for whatever the severity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The roles, any of which will do.
    pub any_of: Vec<RoleName>,
    /// The roles that may stand in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stand_ins: Vec<RoleName>,
    /// How it stands.
    pub state: DemandState,
    /// Whether the start waits for it.
    pub holds_start: bool,
    /// Whether the spoken word will do.
    pub verbal: bool,
    /// Whether whoever wrote the fix may give it alone.
    pub author_alone: bool,
    /// How long after the start it may be given; absent: not after the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_the_fact: Option<Span>,
    /// Until when it may be given after the start, once that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The roles that are told of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<RoleName>,
    /// What was said, in the order of time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<Heard>,
}

impl Demand {
    /// Whether it is met.
    pub fn is_met(&self) -> bool {
        self.state == DemandState::Approved
    }

    /// The roles whose approvals count for it, the last one that spoke at the end.
    pub(crate) fn approvers(&self) -> impl Iterator<Item = RoleName> {
        self.approvals().map(|heard| heard.word.role)
    }

    /// Everybody who may meet it: its roles, then those who may stand in.
    pub fn roles(&self) -> Vec<RoleName> {
        self.any_of.iter().chain(&self.stand_ins).copied().collect()
    }
}

/// A word, and for which role it counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Heard {
    /// The word.
    #[serde(flatten)]
    pub word: Word,
    /// The role that it stands in for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stands_in_for: Option<RoleName>,
    /// Whether it came after the time to give it afterwards.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
}

/// When the rollout started, if it did, and what the time is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clock {
    /// When it started.
    pub(crate) started: Option<Timestamp>,
    /// The last time known.
    pub(crate) now: Option<Timestamp>,
}

/// How each demand stands.
///
/// Whoever wrote the fix meets none by themselves, but where the policy says so (`author_alone`); of several they may meet
/// one if another person met another, and what they met so stays met when the time to give it is over.
pub(crate) fn stand(
    policy: &Policy,
    severity: Option<Severity>,
    words: &Words,
    clock: Clock,
) -> Vec<Demand> {
    let all = words.all();
    let mut stand: Vec<Demand> = demands(policy, severity)
        .map(|(id, approval)| Demand::of(policy, id, approval, &all, clock))
        .collect();
    // One of several: the first that nobody else has met.
    let another = stand.iter().any(|demand| demand.is_met() && demand.met_by(false));
    let by_author = |demand: &&mut Demand| match demand.state {
        DemandState::AuthorAlone => true,
        DemandState::Late => demand.met_by(true),
        _ => false,
    };
    if let Some(first) = stand.iter_mut().find(by_author).filter(|_| another) {
        first.state = DemandState::Approved;
    }
    stand
}

impl Demand {
    fn of(policy: &Policy, id: DemandId, approval: &Approval, all: &[&Word], clock: Clock) -> Self {
        let until = approval.after_the_fact.zip(clock.started).map(|(span, start)| start + span);
        let words = all.iter().filter_map(|word| {
            let role = served_by(policy, approval, word.role)?;
            Some(Heard {
                word: (*word).clone(),
                stands_in_for: (role != word.role).then_some(role),
                late: until.is_some_and(|until| word.at > until),
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
            told: approval.told.clone(),
            words: words.collect(),
        };
        demand.state = demand.judge(clock.now);
        demand
    }

    /// The approvals that count: the spoken word only where it will do.
    fn approvals(&self) -> impl Iterator<Item = &Heard> {
        let said = self.words.iter().filter(|heard| heard.word.said == Said::Approved);
        said.filter(|heard| self.verbal || !heard.word.is_spoken())
    }

    fn met_by(&self, author: bool) -> bool {
        self.approvals().any(|heard| heard.word.author == author)
    }

    fn has(&self, said: Said) -> bool {
        self.words.iter().any(|heard| heard.word.said == said)
    }

    fn judge(&self, now: Option<Timestamp>) -> DemandState {
        if self.has(Said::Denied) {
            DemandState::Denied
        } else if self.met_by(false) || (self.author_alone && self.met_by(true)) {
            DemandState::Approved
        } else if self.until.zip(now).is_some_and(|(until, now)| now > until) {
            DemandState::Late
        } else if self.met_by(true) {
            DemandState::AuthorAlone
        } else if self.has(Said::Withdrawn) {
            DemandState::Withdrawn
        } else if self.after_the_fact.is_some() {
            DemandState::Afterwards
        } else {
            DemandState::Open
        }
    }
}
