//! The slow way to find what is doubtful about tree and rules: going through every value that the conditions tell apart.

use std::collections::BTreeSet;

use hotfix_core::fact::{Condition, Facts, Placed, Space, Truth};
use hotfix_core::grade::{Exclusions, Hotfix, Severity};
use hotfix_core::lint::{Fault, Finding};
use hotfix_core::policy::Policy;
use hotfix_core::policy::section::{Answer, Branches, Effect, Target, Tree};
use hotfix_core::unit::Name;
use serde_json::Value;

use crate::crate_files::in_crate;

/// A policy without rules and tree, with these keys put in.
pub(crate) fn policy(keys: &Value) -> Policy {
    let base = std::fs::read_to_string(in_crate("../examples/policies/lab.toml")).unwrap();
    let base = serde_json::to_value(Policy::from_toml(&base).unwrap()).unwrap();
    let document = crate::shared::lint_cases::with(base, keys);
    Policy::from_json(&document.to_string()).unwrap_or_else(|errors| panic!("{errors}"))
}

/// How facts end in a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    Leaf(usize),
    /// At this question, by this answer: 0 is yes, 1 is no, and 2 any other value.
    Gap(usize, usize),
    Loop,
}

/// Rules and tree over complete facts.
pub(crate) struct Model<'p> {
    pub(crate) policy: &'p Policy,
    pub(crate) space: Space,
    /// Every combination that keeps the implications.
    pub(crate) possible: Vec<Facts>,
}

pub(crate) fn holds(condition: &Condition, facts: &Facts) -> bool {
    match condition.holds(facts) {
        Truth::Yes => true,
        Truth::No => false,
        Truth::Unknown => panic!("{facts:?} leave {condition:?} unknown"),
    }
}

impl<'p> Model<'p> {
    pub(crate) fn new(policy: &'p Policy) -> Self {
        let mut model = Self::large(policy);
        model.possible = model.all(&model.space.unknown());
        model
    }

    /// Of a policy with more combinations than can be gone through.
    pub(crate) fn large(policy: &'p Policy) -> Self {
        Self { policy, space: Space::new(&conditions(policy)), possible: Vec::new() }
    }

    /// Some of the combinations beside what is known that keep the implications, the same ones each time.
    pub(crate) fn some(&self, known: &Placed) -> Vec<Facts> {
        let mut state = 1_u64;
        let mut drawn = |below: u32| {
            // Knuth's multiplier; the high bits are the good ones.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            u32::try_from((state >> 33) % u64::from(below)).unwrap_or_default()
        };
        let mut some = Vec::new();
        for _ in 0..2_000 {
            let mut placed = known.clone();
            for variable in known.unknown() {
                // Most facts are false in most incidents, so implications are more often kept.
                let class = if drawn(4) == 0 { drawn(self.space.classes(variable)) } else { 0 };
                placed.set(variable, Some(class));
            }
            some.extend(Some(self.space.facts(&placed)).filter(|facts| self.possible(facts)));
        }
        some
    }

    /// Whether facts keep the implications.
    fn possible(&self, facts: &Facts) -> bool {
        self.policy.implications().iter().all(|implication| {
            let (when, then) = (holds(&implication.when, facts), holds(&implication.then, facts));
            then >= when && (!implication.iff || then == when)
        })
    }

    /// Every combination beside what is known that keeps the implications.
    pub(crate) fn all(&self, known: &Placed) -> Vec<Facts> {
        let mut all = vec![known.clone()];
        for variable in known.unknown() {
            let mut longer = Vec::new();
            for before in all {
                for class in 0..self.space.classes(variable) {
                    let mut after = before.clone();
                    after.set(variable, Some(class));
                    longer.push(after);
                }
            }
            all = longer;
        }
        all.iter().map(|placed| self.space.facts(placed)).filter(|f| self.possible(f)).collect()
    }

    pub(crate) fn tree(&self) -> &'p Tree {
        self.policy.tree().expect("a tree")
    }

    /// The questions that are asked, and where that ends.
    pub(crate) fn walk(&self, facts: &Facts) -> (Vec<usize>, Ending) {
        let (tree, mut asked, mut at) = (self.tree(), Vec::new(), self.tree().root);
        loop {
            let question = match at {
                Target::Leaf(leaf) => return (asked, Ending::Leaf(leaf)),
                Target::Question(question) => question,
            };
            if asked.contains(&question) {
                return (asked, Ending::Loop);
            }
            asked.push(question);
            let (answer, to) = match &tree.questions[question].branches {
                Branches::Condition { when, yes, no } => {
                    if holds(when, facts) {
                        (0, *yes)
                    } else {
                        (1, *no)
                    }
                }
                Branches::Values { answers, .. } => {
                    (2, answers.iter().find(|a| holds(&a.condition(), facts)).map(|a| a.to))
                }
            };
            match to {
                Some(next) => at = next,
                None => return (asked, Ending::Gap(question, answer)),
            }
        }
    }

    /// The leaves whose ways facts meet, when `no` that leads on to a question is asked of nobody. For trees without circles.
    pub(crate) fn claims(&self, from: Target, facts: &Facts) -> BTreeSet<usize> {
        let question = match from {
            Target::Leaf(leaf) => return BTreeSet::from([leaf]),
            Target::Question(question) => question,
        };
        let mut claims = BTreeSet::new();
        match &self.tree().questions[question].branches {
            Branches::Condition { when, yes, no } => {
                if let Some(yes) = yes.filter(|_| holds(when, facts)) {
                    claims.extend(self.claims(yes, facts));
                }
                let spoken = |no: &Target| matches!(no, Target::Question(_)) || !holds(when, facts);
                if let Some(no) = no.filter(spoken) {
                    claims.extend(self.claims(no, facts));
                }
            }
            Branches::Values { answers, .. } => {
                for answer in answers.iter().filter(|answer| holds(&answer.condition(), facts)) {
                    claims.extend(self.claims(answer.to, facts));
                }
            }
        }
        claims
    }

    /// Whether a rule of this effect fires.
    pub(crate) fn fires(&self, effect: Effect, facts: &Facts) -> bool {
        self.policy.rules().iter().any(|rule| rule.effect() == effect && holds(&rule.when, facts))
    }

    /// The severity by the rules.
    pub(crate) fn severity(&self, facts: &Facts) -> Option<Severity> {
        Severity::ALL.iter().copied().find(|s| self.fires(Effect::Severity(*s), facts))
    }

    /// Whether something calls for a hot-fix, whatever excludes it.
    pub(crate) fn called(&self, facts: &Facts) -> bool {
        self.by_severity(facts) == Some(true) || self.fires(Effect::Admit, facts)
    }

    fn by_severity(&self, facts: &Facts) -> Option<bool> {
        Some(self.policy.severity(self.severity(facts)?)?.hotfix)
    }

    /// Whether a hot-fix is called for by the rules.
    pub(crate) fn hotfix(&self, facts: &Facts) -> Hotfix {
        let classifier = self.policy.classifier();
        match (self.called(facts), self.fires(Effect::Exclude, facts)) {
            (true, false) => Hotfix::Yes,
            (true, true) => match classifier.exclusions {
                Exclusions::Yield => Hotfix::Yes,
                Exclusions::Win => Hotfix::No,
                Exclusions::Ask => Hotfix::Unknown,
            },
            (false, true) => Hotfix::No,
            (false, false) if self.by_severity(facts) == Some(false) => Hotfix::No,
            (false, false) => classifier.otherwise,
        }
    }

    /// Whether no rule fires.
    pub(crate) fn silent(&self, facts: &Facts) -> bool {
        self.policy.rules().iter().all(|rule| !holds(&rule.when, facts))
    }

    /// Whether the rules give a severity and the leaf has another, or they give none and it has one.
    pub(crate) fn differs(&self, leaf: usize, facts: &Facts) -> bool {
        let grading =
            self.policy.rules().iter().any(|rule| matches!(rule.effect(), Effect::Severity(_)));
        let said = self.tree().leaves[leaf].severity;
        grading && said.is_some() && said != self.severity(facts)
    }

    /// Whether the leaf denies the hot-fix that the rules call for, or grants one that they do not.
    pub(crate) fn denies(&self, leaf: usize, facts: &Facts) -> bool {
        match (self.hotfix(facts), self.tree().leaves[leaf].hotfix) {
            (Hotfix::Yes, granted) => !granted,
            (Hotfix::No, granted) => granted,
            (Hotfix::Unknown, granted) => !granted && self.called(facts),
        }
    }
}

fn conditions(policy: &Policy) -> Vec<Condition> {
    let mut all: Vec<Condition> = policy.rules().iter().map(|rule| rule.when.clone()).collect();
    for implication in policy.implications() {
        all.extend([implication.when.clone(), implication.then.clone()]);
    }
    for question in policy.tree().into_iter().flat_map(|tree| &tree.questions) {
        match &question.branches {
            Branches::Condition { when, .. } => all.push(when.clone()),
            Branches::Values { answers, .. } => all.extend(answers.iter().map(Answer::condition)),
        }
    }
    all
}

fn question(tree: &Tree, id: Name) -> usize {
    tree.questions.iter().position(|question| question.id == id).expect("a question")
}

fn leaf(tree: &Tree, id: Name) -> usize {
    tree.leaves.iter().position(|leaf| leaf.id == id).expect("a leaf")
}

fn rule(policy: &Policy, id: Name) -> usize {
    policy.rules().iter().position(|rule| rule.id == id).expect("a rule")
}

/// What is left out at a question: 0 for yes, 1 for no, 2 for values.
pub(crate) fn left_out(answer: &str) -> usize {
    if answer.starts_with("`yes`") {
        0
    } else if answer.starts_with("`no`") {
        1
    } else {
        2
    }
}

/// Whether complete facts show the fault, to the slow model and to the engine.
pub(crate) fn shows(model: &Model<'_>, finding: &Finding, facts: &Facts) -> bool {
    let policy = model.policy;
    let answer = policy.classify(facts);
    let ends = |leaf: usize| model.walk(facts).1 == Ending::Leaf(leaf);
    match &finding.fault {
        Fault::Cycle { .. } => model.walk(facts).1 == Ending::Loop,
        Fault::Unanswered { question: id, answer, .. } => {
            let gap = Ending::Gap(question(model.tree(), *id), left_out(answer));
            model.walk(facts).1 == gap
        }
        Fault::Gap { question: id, .. } => {
            model.walk(facts).1 == Ending::Gap(question(model.tree(), *id), 2)
        }
        Fault::Shadowed { leaf: id, by, .. } => {
            let tree = model.tree();
            ends(leaf(tree, *by)) && model.claims(tree.root, facts).contains(&leaf(tree, *id))
        }
        Fault::SeverityDiffers { leaf: id, severity, .. } => {
            ends(leaf(model.tree(), *id)) && answer.severity() != Some(*severity)
        }
        Fault::HotfixDiffers { leaf: id, .. } => {
            let leaf = leaf(model.tree(), *id);
            let agrees = if model.tree().leaves[leaf].hotfix { Hotfix::Yes } else { Hotfix::No };
            ends(leaf) && answer.hotfix() != agrees && model.denies(leaf, facts)
        }
        Fault::Silent { .. } => answer.hotfix() == Hotfix::Unknown && model.silent(facts),
        Fault::Excluded { exclusion, .. } => {
            let excluding = &policy.rules()[rule(policy, *exclusion)].when;
            answer.hotfix() == Hotfix::Unknown && holds(excluding, facts) && model.called(facts)
        }
        _ => false,
    }
}
