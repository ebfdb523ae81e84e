//! What a person is asked about the severity, by what is known.

use crate::decision::{Decision, DecisionOutcome};
use crate::fact::{Comparison, Fact, FactId, Facts, Impact};
use crate::gate::approval::demands;
use crate::grade::{Hotfix, Severity};
use crate::plan::PlanFinding;
use crate::policy::Policy;
use crate::policy::section::{Exception, choices};
use crate::rollout::blocker::waiver;
use crate::severity::Classification;
use crate::text::{brief, joined, quoted};

/// What a person is asked about the severity: one that is not known, or only assumed, one that is too
/// low, facts that contradict each other, and whether the policy calls for a hot-fix at all.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SeverityQuestion {
    /// None: there is nothing to ask.
    text: Option<String>,
    /// It asks for a severity, or for facts that settle it, until one is known or the incident is over.
    is_open: bool,
}

/// Who decides whether it is a hot-fix.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Nobody has been asked for an approval yet.
    BeforeRelease,
    /// Whoever approves, where the start waits for that.
    BeforeStart,
    /// Whoever started has decided it.
    AfterStart,
    /// Nothing is deployed any more.
    AfterFailure,
}

/// Where the issue is not confirmed, no further fact is asked for.
fn no_incident(when: Asked) -> String {
    let send = match when {
        Asked::BeforeRelease | Asked::BeforeStart => "`set_times` with `resolved`, then `abort`",
        Asked::AfterStart => "`abort`, which rolls back, then `set_times` with `resolved`",
        Asked::AfterFailure => "`set_times` with `resolved`",
    };
    format!(
        "By what was stated there is no incident, because the issue is not confirmed. Send {send}; if \
         it is confirmed, `set_facts` with `confirmed`."
    )
}

impl SeverityQuestion {
    /// The question for what is known `now` and for the `worst` that was known. `given`: a person
    /// gave the severity, so no facts are asked for. `against`: why the policy answers with the normal
    /// process after the start.
    pub(super) fn of(
        policy: &Policy,
        (severity, given): (Option<Severity>, bool),
        [now, worst]: [&Facts; 2],
        (when, against): (Asked, Option<&[PlanFinding]>),
    ) -> Self {
        let (answer, at_worst) = (policy.classify(now), policy.classify(worst));
        let levels = policy.severities();
        let is_known = severity.is_some_and(|of| levels.iter().any(|level| level.severity == of));
        let lacks = !is_known && !levels.is_empty();
        let open = if now.flag(Fact::Confirmed) == Some(false) {
            Some(no_incident(when))
        } else if lacks {
            Some(lacking(policy, severity, worst, &at_worst))
        } else if !given && derived(&answer, &at_worst).1 {
            let decision = policy.decide(worst);
            severity.zip(wanted(&decision, &at_worst)).map(|(severity, fact)| {
                format!(
                    "Severity {severity} is assumed, because facts are missing.{} {} or `set_severity`.",
                    by_tree(policy, &decision),
                    asks_for(policy, fact)
                )
            })
        } else {
            let asks = match when {
                Asked::BeforeRelease => open_hotfix(policy, severity, now),
                Asked::BeforeStart => {
                    asks_whether_hotfix(policy, now, &unsettled(policy, severity, now))
                }
                Asked::AfterStart | Asked::AfterFailure => None,
            };
            asks.map(|asks| format!("Whether the policy calls for a hot-fix is not known. {asks}"))
        };
        let against = against.map(|reasons| {
            let keep = if let Some(severity) = severity.filter(|_| is_known) {
                format!("`set_severity` with {severity} to keep it")
            } else {
                let waiver = waiver(Exception::NormalProcess, policy);
                format!("`waive_item` to keep it: {waiver}")
            };
            format!(
                "By what is known now, this is no hot-fix: {}. Send `roll_back`, or {keep}.",
                joined(reasons.iter().map(|reason| &reason.text), "; ")
            )
        });
        let raises = answer.severity().zip(severity.filter(|_| given && !lacks));
        let raises = raises.filter(|(by_rules, given)| by_rules < given);
        let raises = raises.map(|(by_rules, given)| {
            format!(
                "By what is known now, the rules give {by_rules}, not {given}. Send `set_severity` \
                 with {by_rules}, or with {given} to keep it."
            )
        });
        let is_open = open.is_some();
        let texts = raises.into_iter().chain(against);
        let texts = texts.chain(contradiction(&answer, now)).chain(open);
        let text = joined(texts, " ");
        Self { text: (!text.is_empty()).then_some(text), is_open }
    }

    /// The question.
    pub(crate) fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// Whether the severity is not known, or only assumed, or it is not known whether this is a hot-fix.
    pub(crate) const fn is_open(&self) -> bool {
        self.is_open
    }
}

/// The more severe of the severities by the worst known and by the present facts, so that a
/// recovery does not lower it; and whether it is only assumed: the worst of several possible ones.
pub(super) fn derived(
    now: &Classification<'_>,
    worst: &Classification<'_>,
) -> (Option<Severity>, bool) {
    let (acts_on, now) = (worst.act_on(), now.severity());
    let severity = acts_on.into_iter().chain(now).min();
    let assumed = acts_on == worst.at_worst() && worst.severity() != worst.at_worst();
    (severity, assumed && severity != now)
}

/// The unknown facts that decide whether the policy calls for a hot-fix, where it asks for
/// approvals and none holds the start; else none, because whoever approves decides that.
pub(crate) fn unsettled(policy: &Policy, severity: Option<Severity>, now: &Facts) -> Vec<FactId> {
    let mut waits =
        demands(policy, severity).map(|(_, approval)| approval.holds_start()).peekable();
    let is_open = waits.peek().is_some() && !waits.any(|waits| waits);
    if is_open { undecided(policy, now) } else { Vec::new() }
}

/// The unknown facts that decide whether the policy calls for a hot-fix; empty where that is known.
fn undecided(policy: &Policy, now: &Facts) -> Vec<FactId> {
    let answer = policy.classify(now);
    let is_unknown = !policy.rules().is_empty() && answer.hotfix() == Hotfix::Unknown;
    if is_unknown { answer.decisive() } else { Vec::new() }
}

/// Asks whether the policy calls for a hot-fix, where that is not known and no severity answers it.
pub(super) fn open_hotfix(
    policy: &Policy,
    severity: Option<Severity>,
    now: &Facts,
) -> Option<String> {
    let is_alone = policy.severities().is_empty();
    let facts = if is_alone { undecided(policy, now) } else { unsettled(policy, severity, now) };
    asks_whether_hotfix(policy, now, &facts)
}

/// Asks for the fact that decides next whether it is a hot-fix: by the tree, else the first of `facts`.
fn asks_whether_hotfix(policy: &Policy, now: &Facts, facts: &[FactId]) -> Option<String> {
    let first = *facts.first()?;
    let next = policy.decide(now).next_question().map_or(first, |next| next.fact);
    Some(format!("{} so that it is settled.", asks_for(policy, next)))
}

/// The unknown fact to ask for next; None where no fact can give a severity.
fn wanted(decision: &Decision<'_>, at_worst: &Classification<'_>) -> Option<FactId> {
    let gives = decision.reachable().iter().any(|leaf| leaf.severity.is_some());
    let next = decision.next_question().filter(|_| gives).map(|next| next.fact);
    next.or_else(|| at_worst.at_worst().and_then(|_| at_worst.decisive().first().copied()))
}

/// The beginning of a sentence that asks for a fact.
fn asks_for(policy: &Policy, fact: FactId) -> String {
    let question = policy.vocabulary().question(fact);
    format!("{question} Send `set_facts` with `{fact}` and whatever else is known,")
}

/// Asks for a severity that the policy has: says what is known, and what the policy's tree makes of
/// it.
fn lacking(
    policy: &Policy,
    given: Option<Severity>,
    worst: &Facts,
    at_worst: &Classification<'_>,
) -> String {
    let set = format!("`set_severity` with one of {}", choices(policy.severities()));
    if let Some(given) = given {
        return format!("The policy has no severity {given}. Send {set}.");
    }
    let by_rules = match at_worst.at_worst() {
        _ if policy.rules().is_empty() => "",
        Some(_) => ", because facts are missing",
        None => ", because no rule gives one",
    };
    let known = Impact::new(worst, false).and(&policy.own_effects(worst)).line();
    let known = if known.is_empty() { known } else { format!(" Known: {known}.") };
    let decision = policy.decide(worst);
    let send = match wanted(&decision, at_worst) {
        Some(fact) => format!("{} or {set}.", asks_for(policy, fact)),
        None => format!("Send {set}."),
    };
    format!("The severity is not known{by_rules}.{known}{} {send}", by_tree(policy, &decision))
}

/// What the policy's own tree answers, and why; empty where that is open.
fn by_tree(policy: &Policy, decision: &Decision<'_>) -> String {
    let outcome = decision.outcome().filter(|_| policy.tree().is_some());
    let text = |DecisionOutcome { title, severity, .. }: DecisionOutcome<'_>| {
        let path = decision.path();
        let why = path.iter().map(|step| format!("{} {}", brief(&step.question.ask), step.answer));
        let severity = severity.map_or_else(String::new, |severity| format!(" ({severity})"));
        format!(" The decision tree answers '{}'{severity}: {}.", brief(title), joined(why, "; "))
    };
    outcome.map(text).unwrap_or_default()
}

/// Names the facts that contradict each other; None without any.
fn contradiction(answer: &Classification<'_>, now: &Facts) -> Option<String> {
    let broken = answer.contradictions();
    let mut facts: Vec<FactId> = Vec::new();
    for condition in broken.iter().flat_map(|broken| [&broken.when, &broken.then]) {
        condition.comparisons(&mut |Comparison { fact, .. }| {
            if now.get(*fact).is_some() && !facts.contains(fact) {
                facts.push(*fact);
            }
        });
    }
    let broken: Vec<_> = broken.iter().map(|broken| broken.id).collect();
    (!broken.is_empty()).then(|| {
        format!(
            "The facts {} contradict each other: they violate {}. Correct them with `set_facts`.",
            quoted(&facts, ", "),
            quoted(&broken, ", ")
        )
    })
}
