//! The tree made of the rules, for a policy without a tree: rule after rule, the most severe first.

use super::Policy;
use super::section::{Branches, Due, Duty, Effect, Leaf, Question, Rule, Target, Tree};
use crate::fact::Condition;
use crate::grade::{Exclusions, Hotfix, Severity};
use crate::unit::Name;

/// The tree of the rules of a policy; none without rules.
///
/// It gives the same answers as the rules. If they contradict each other or decide nothing, it has
/// no answer.
pub(super) fn of_rules(policy: &Policy) -> Option<Tree> {
    if policy.rules.is_empty() {
        return None;
    }
    let mut chain = Chain {
        policy,
        tree: Tree { root: Target::Leaf(0), questions: Vec::new(), leaves: Vec::new() },
    };
    let nothing = "nothing calls for a hot-fix: the normal process";
    let is_scheduled = policy.classification.otherwise == Hotfix::No;
    let mut next = is_scheduled.then(|| chain.leaf("scheduled", nothing, None, false));
    // An admission overrides a severity without a hot-fix, so it is asked before the first of
    // these.
    let is_normal = |at: &Severity| policy.severity(*at).is_some_and(|level| !level.hotfix);
    let admitted_before = Severity::ALL.iter().position(is_normal).unwrap_or(Severity::ALL.len());
    let mut effects: Vec<Effect> = Severity::ALL.iter().copied().map(Effect::Severity).collect();
    effects.insert(admitted_before, Effect::Admit);
    let wins = policy.classification.exclusions == Exclusions::Win;
    effects.insert(if wins { 0 } else { effects.len() }, Effect::Exclude);
    // Built from the end, so that each question knows where its `no` leads.
    for effect in effects.into_iter().rev() {
        next = chain.rules(effect, next);
    }
    let mut tree = chain.tree;
    tree.root = next?;
    Some(turned(tree))
}

/// The same tree, with the question that is asked first at the front.
fn turned(mut tree: Tree) -> Tree {
    let (questions, leaves) = (tree.questions.len(), tree.leaves.len());
    let turn = |target: &mut Target| match target {
        Target::Question(index) => *index = questions - 1 - *index,
        Target::Leaf(index) => *index = leaves - 1 - *index,
    };
    tree.questions.reverse();
    tree.leaves.reverse();
    turn(&mut tree.root);
    for question in &mut tree.questions {
        match &mut question.branches {
            Branches::Condition { yes, no, .. } => yes.iter_mut().chain(no).for_each(turn),
            Branches::Values { answers, .. } => answers.iter_mut().for_each(|a| turn(&mut a.to)),
        }
    }
    tree
}

struct Chain<'p> {
    policy: &'p Policy,
    tree: Tree,
}

impl Chain<'_> {
    fn leaf(&mut self, id: &str, title: &str, severity: Option<Severity>, hotfix: bool) -> Target {
        let known = self.tree.leaves.iter().position(|leaf| leaf.id.as_str() == id);
        let index = known.unwrap_or(self.tree.leaves.len());
        if known.is_none() {
            let deadline = severity.and_then(|severity| self.policy.fix_due(severity));
            let (id, title) = (Name::try_new(id).unwrap_or(self.policy.name), title.to_owned());
            self.tree.leaves.push(Leaf { id, title, severity, hotfix, deadline });
        }
        Target::Leaf(index)
    }

    fn question(
        &mut self,
        (id, ask, when): (Name, String, Condition),
        yes: Option<Target>,
        no: Option<Target>,
    ) -> Target {
        let branches = Branches::Condition { when, yes, no };
        self.tree.questions.push(Question { id, ask, branches });
        Target::Question(self.tree.questions.len() - 1)
    }

    /// Asks the rules of one effect one after the other; `no` leads to the next.
    fn rules(&mut self, effect: Effect, next: Option<Target>) -> Option<Target> {
        let rules: Vec<&Rule> =
            self.policy.rules.iter().filter(|rule| rule.effect() == effect).collect();
        if rules.is_empty() {
            return next;
        }
        let yes = match effect {
            Effect::Severity(severity) => {
                let rules = self.policy.severity(severity);
                let hotfix = rules.is_some_and(|rules| rules.hotfix);
                let label = rules
                    .map_or_else(|| severity.to_string(), |r| format!("{severity}, {}", r.label));
                let id = severity.as_str().to_lowercase();
                let leaf = self.leaf(&id, &label, Some(severity), hotfix);
                if hotfix { self.unless_excluded(&id, leaf) } else { leaf }
            }
            Effect::Admit => {
                let leaf = self.leaf("hotfix", "a hot-fix", None, true);
                self.unless_excluded("hotfix", leaf)
            }
            Effect::Exclude => self.leaf("scheduled", "the normal process", None, false),
        };
        let mut next = next;
        for rule in rules.into_iter().rev() {
            let asked = (rule.id, format!("{}?", rule.title), rule.when.clone());
            next = Some(self.question(asked, Some(yes), next));
        }
        next
    }

    /// `to`, or if a person has to decide about exclusions, a question before it that has no answer
    /// for facts that a rule excludes.
    fn unless_excluded(&mut self, leaf: &str, to: Target) -> Target {
        let excluding = self.policy.rules.iter().filter(|rule| rule.effect() == Effect::Exclude);
        let whens: Vec<Condition> = excluding.map(|rule| rule.when.clone()).collect();
        if whens.is_empty() || self.policy.classification.exclusions != Exclusions::Ask {
            return to;
        }
        let id = Name::try_new(&format!("{leaf}_excluded")).unwrap_or(self.policy.name);
        let ask = "does a rule exclude it?".to_owned();
        self.question((id, ask, Condition::Any(whens)), None, Some(to))
    }
}

impl Policy {
    /// By when a fix of this severity is due unconditionally: the shortest duration, or else a calendar day.
    pub(crate) fn fix_due(&self, severity: Severity) -> Option<Due> {
        let sure =
            |duty: &&Duty| duty.sets_deadline() && duty.is_for(severity) && !duty.has_condition();
        let dues = self.duties.iter().filter(sure).map(|duty| duty.within);
        dues.min_by_key(|due| (due.within().is_none(), due.within()))
    }
}
