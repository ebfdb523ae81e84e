//! The exact evaluation of the conditions of a policy, computed once: the outcomes of the rules and
//! the leaves of the tree for every combination of facts that satisfies the implications.
//!
//! If the conditions are too complex for a bounded diagram, the engines use Kleene's logic instead:
//! never wrong, but sometimes unknown without need.

use std::sync::{Arc, OnceLock};

use petgraph::algo::toposort;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::DfsPostOrder;

use super::Policy;
use super::reader::{Apart, PolicyReader};
use super::section::{Answer, Branches, Effect, Implication, Question, Target, Tree};
use crate::canonical::Begun;
use crate::fact::{Builder, Condition, Cut, Diagram, Placed, Ref, Space};
use crate::grade::{Exclusions, Hotfix, Severity};

/// The most nodes of all diagrams of a policy together. The largest preset needs a few hundred.
pub(crate) const MOST_NODES: usize = 50_000;

/// Cached values that are computed from the rest of a policy, and so are not part of its value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reasoned {
    reasoning: OnceLock<Arc<Reasoning>>,
    /// The findings of the linter that prevent the start of a plan, in words.
    denials: OnceLock<Arc<[String]>>,
    /// The start of the text from which the digest of every plan is computed.
    plans: OnceLock<Option<Begun>>,
}

impl Reasoned {
    pub(super) fn of(&self, policy: &Policy) -> &Reasoning {
        self.reasoning.get_or_init(|| Arc::new(Reasoning::new(policy)))
    }

    /// What stays valid if the policy gets other phases: its conditions do, its findings may not.
    pub(super) fn with_other_phases(&self) -> Self {
        Self { reasoning: self.reasoning.clone(), denials: OnceLock::new(), plans: OnceLock::new() }
    }

    /// The start of the text from which the digest of a plan is computed, the same for every plan;
    /// none if it cannot be written.
    pub(crate) fn plans(&self, begin: impl FnOnce() -> Option<Begun>) -> Option<&Begun> {
        self.plans.get_or_init(begin).as_ref()
    }

    pub(crate) fn denials(&self, find: impl FnOnce() -> Vec<String>) -> &[String] {
        self.denials.get_or_init(|| find().into())
    }
}

impl Apart for Reasoned {
    fn read_apart(_: &mut PolicyReader) -> Option<Self> {
        Some(Self::default())
    }
}

impl PartialEq for Reasoned {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// The evaluation of the conditions of a policy.
#[derive(Clone, Debug)]
pub(crate) struct Reasoning {
    /// The facts that the conditions use.
    pub(crate) space: Space,
    /// The tree that decides: that of the policy, or the one made of its rules. A leaf without a
    /// deadline has that of its severity.
    pub(crate) tree: Option<Tree>,
    /// The diagrams, unless they grew too large.
    pub(crate) exact: Option<Exact>,
}

/// Outcomes and leaves for every combination of facts.
#[derive(Clone, Debug)]
pub(crate) struct Exact {
    /// 1 if the implications hold.
    pub(crate) consistent: Diagram,
    /// [`RuleOutcome::code`] of the rules.
    pub(crate) list: Answers,
    /// [`End::code`] of the tree.
    pub(crate) tree: Answers,
}

/// The answer for every combination of facts.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    /// For facts that satisfy the implications.
    consistent: Diagram,
    /// For any facts.
    unrestricted: Diagram,
}

impl Answers {
    fn new(of: Ref, consistent: Ref, builder: &mut Builder<'_>) -> Result<Self, Cut> {
        let where_consistent = builder.where_holds(of, consistent)?;
        Ok(Self { consistent: builder.finish(where_consistent), unrestricted: builder.finish(of) })
    }

    /// The answers for facts that contradict each other, or for those that do not.
    pub(crate) const fn of(&self, contradictory: bool) -> &Diagram {
        if contradictory { &self.unrestricted } else { &self.consistent }
    }

    /// Visits the answers that the known facts leave possible. Returns whether the facts contradict each other.
    pub(crate) fn visit(&self, placed: &Placed, mut visit: impl FnMut(u32)) -> bool {
        let mut contradictory = true;
        self.consistent.reachable(placed, |code| {
            contradictory = false;
            visit(code);
        });
        if contradictory {
            self.unrestricted.reachable(placed, visit);
        }
        contradictory
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RuleOutcome {
    pub(crate) severity: Option<Severity>,
    pub(crate) hotfix: Hotfix,
}

/// The number of "no severity" in a code: one more than that of the least severe.
const NO_SEVERITY: u32 = 4;

impl RuleOutcome {
    /// The number of outcomes: codes are below it.
    pub(crate) const COUNT: u32 = 15;

    pub(crate) const fn code(self) -> u32 {
        let severity = match self.severity {
            Some(severity) => severity as u32,
            None => NO_SEVERITY,
        };
        severity * 3 + self.hotfix as u32
    }

    pub(crate) fn of(code: u32) -> Self {
        let hotfix = Hotfix::ALL[code as usize % 3];
        Self { severity: Severity::ALL.get(code as usize / 3).copied(), hotfix }
    }
}

/// Where the tree ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    /// At a leaf.
    Leaf(usize),
    /// At a question that has no answer for these facts.
    Gap(usize),
    /// Nowhere: in a cycle.
    Loop,
}

impl End {
    #[expect(clippy::cast_possible_truncation, reason = "a policy of 1 MiB has fewer questions")]
    pub(crate) const fn code(self, tree: &Tree) -> u32 {
        match self {
            Self::Leaf(leaf) => leaf as u32,
            Self::Gap(question) => (tree.leaves.len() + question) as u32,
            Self::Loop => (tree.leaves.len() + tree.questions.len()) as u32,
        }
    }

    pub(crate) const fn of(code: u32, tree: &Tree) -> Self {
        let code = code as usize;
        if code < tree.leaves.len() {
            Self::Leaf(code)
        } else if code < tree.leaves.len() + tree.questions.len() {
            Self::Gap(code - tree.leaves.len())
        } else {
            Self::Loop
        }
    }
}

impl Reasoning {
    pub(super) fn new(policy: &Policy) -> Self {
        let own = policy.tree.clone().map(|mut tree| {
            for leaf in &mut tree.leaves {
                let by_severity = || policy.fix_due(leaf.severity?);
                leaf.deadline = leaf.deadline.or_else(by_severity);
            }
            tree
        });
        let tree = own.or_else(|| super::chain::of_rules(policy));
        let space = Space::new(conditions(policy, tree.as_ref()).iter());
        let exact = Exact::try_new(policy, tree.as_ref(), &space).ok();
        Self { space, tree, exact }
    }

    /// The unknown facts for which the known facts and the implications leave only one class of
    /// values: variable and class. Empty if the known facts contradict each other.
    pub(crate) fn deduced(&self, placed: &Placed) -> Vec<(usize, u32)> {
        let mut trial = placed.clone();
        let only = |variable: usize| {
            let mut classes = self.possible(&mut trial, variable);
            let first = classes.next()?;
            classes.next().is_none().then_some((variable, first))
        };
        placed.unknown().filter_map(only).collect()
    }

    /// The least class of an unknown fact that the known facts and the implications leave; None if the
    /// known facts contradict each other.
    pub(crate) fn least(&self, placed: &Placed, variable: usize) -> Option<u32> {
        self.possible(&mut placed.clone(), variable).next()
    }

    /// The classes of an unknown fact that the known facts and the implications leave.
    fn possible(&self, known: &mut Placed, variable: usize) -> impl Iterator<Item = u32> {
        let consistent = self.exact.iter().map(|exact| &exact.consistent);
        let is_possible = move |class: &u32| {
            known.set(variable, Some(*class));
            let mut possible = false;
            for diagram in consistent.clone() {
                diagram.reachable(known, |holds| possible |= holds == 1);
            }
            known.set(variable, None);
            possible
        };
        (0..self.space.classes(variable)).filter(is_possible)
    }
}

/// Every condition that classifies, those of the tree first: their order is the order of the facts.
pub(crate) fn conditions(policy: &Policy, tree: Option<&Tree>) -> Vec<Condition> {
    let mut all = Vec::new();
    for question in tree.map_or(&[][..], |tree| &tree.questions) {
        match &question.branches {
            Branches::Condition { when, .. } => all.push(when.clone()),
            Branches::Values { answers, .. } => all.extend(answers.iter().map(Answer::condition)),
        }
    }
    all.extend(policy.rules.iter().map(|rule| rule.when.clone()));
    for implication in &policy.implications {
        all.extend([implication.when.clone(), implication.then.clone()]);
    }
    all
}

impl Exact {
    fn try_new(policy: &Policy, tree: Option<&Tree>, space: &Space) -> Result<Self, Cut> {
        let mut builder = Builder::new(space, MOST_NODES);
        let consistent = consistent(&policy.implications, &mut builder)?;
        let list = list(policy, &mut builder)?;
        let whole = match tree {
            Some(tree) => walk(tree, &mut builder)?,
            None => builder.constant(0),
        };
        Ok(Self {
            consistent: builder.finish(consistent),
            list: Answers::new(list, consistent, &mut builder)?,
            tree: Answers::new(whole, consistent, &mut builder)?,
        })
    }
}

/// 1 where every implication holds.
pub(crate) fn consistent(
    implications: &[Implication],
    builder: &mut Builder<'_>,
) -> Result<Ref, Cut> {
    let mut all = builder.constant(1);
    for implication in implications {
        let (when, then) =
            (builder.condition(&implication.when)?, builder.condition(&implication.then)?);
        let iff = implication.iff;
        let holds = builder
            .apply(when, then, |when, then| u32::from(then >= when && (!iff || then == when)))?;
        all = builder.and(all, holds)?;
    }
    Ok(all)
}

/// [`RuleOutcome::code`] of the rules.
pub(crate) fn list(policy: &Policy, builder: &mut Builder<'_>) -> Result<Ref, Cut> {
    let mut fired = |effect: Effect| {
        let rules = policy.rules.iter().filter(|rule| rule.effect() == effect);
        let any = Condition::Any(rules.map(|rule| rule.when.clone()).collect());
        builder.condition(&any)
    };
    let severities: Result<Vec<Ref>, Cut> =
        Severity::ALL.iter().map(|severity| fired(Effect::Severity(*severity))).collect();
    let (severities, admitted, excluded) =
        (severities?, fired(Effect::Admit)?, fired(Effect::Exclude)?);
    // Bit 0: excluded; bit 1: admitted; above: the severity. The most severe one is put on last.
    let mut code = builder.constant(NO_SEVERITY * 4);
    for (severity, fired) in Severity::ALL.iter().zip(severities).rev() {
        let this = builder.constant(*severity as u32 * 4);
        code = builder.choose(fired, this, code)?;
    }
    code = builder.apply(code, admitted, |code, admitted| code | admitted << 1)?;
    code = builder.apply(code, excluded, |code, excluded| code | excluded)?;
    builder.map(code, |code| {
        let severity = Severity::ALL.get(code as usize / 4).copied();
        RuleOutcome { severity, hotfix: hotfix(policy, severity, code & 2 != 0, code & 1 != 0) }
            .code()
    })
}

/// Whether a hot-fix is needed, given the most severe severity that fired and whether rules admit
/// or exclude one.
pub(crate) fn hotfix(
    policy: &Policy,
    severity: Option<Severity>,
    admitted: bool,
    excluded: bool,
) -> Hotfix {
    let by_severity = severity.and_then(|severity| policy.severity(severity)).map(|s| s.hotfix);
    match (admitted || by_severity == Some(true), excluded) {
        (true, false) => Hotfix::Yes,
        (true, true) => match policy.classification.exclusions {
            Exclusions::Yield => Hotfix::Yes,
            Exclusions::Win => Hotfix::No,
            Exclusions::Ask => Hotfix::Unknown,
        },
        (false, true) => Hotfix::No,
        (false, false) if by_severity == Some(false) => Hotfix::No,
        (false, false) => policy.classification.otherwise,
    }
}

/// The tree as a graph: a node per question and leaf, in that order, an edge per answer that leads
/// somewhere.
pub(crate) fn graph(tree: &Tree) -> DiGraph<Target, ()> {
    let mut graph = DiGraph::new();
    let questions = (0..tree.questions.len()).map(Target::Question);
    for target in questions.chain((0..tree.leaves.len()).map(Target::Leaf)) {
        graph.add_node(target);
    }
    for (from, question) in tree.questions.iter().enumerate() {
        for target in question.targets() {
            graph.add_edge(NodeIndex::new(from), NodeIndex::new(place(tree, target)), ());
        }
    }
    graph
}

/// [`End::code`] of the tree.
pub(crate) fn walk(tree: &Tree, builder: &mut Builder<'_>) -> Result<Ref, Cut> {
    let Target::Question(root) = tree.root else {
        return Ok(end_at(tree, tree.root, &[], builder));
    };
    let nowhere = builder.constant(End::Loop.code(tree));
    let mut ends = vec![nowhere; tree.questions.len()];
    let order = Order::of(tree, &graph(tree));
    let mut questions = Vec::with_capacity(tree.questions.len());
    for question in order.questions.into_iter().rev() {
        questions.push((question, answers(&tree.questions[question], builder)?));
    }
    // With cycles: until nothing changes; what has no end by then never ends. If many rounds are
    // needed, the budget ends them.
    loop {
        let mut is_news = false;
        for (question, answers) in &questions {
            if order.circular {
                // An answer that changes nothing costs no step of the diagrams, but still takes
                // time.
                builder.pay(1 + answers.len())?;
            }
            let end = end_of(tree, *question, answers, &ends, builder)?;
            is_news |= std::mem::replace(&mut ends[*question], end) != end;
        }
        if !is_news || !order.circular {
            return Ok(ends[root]);
        }
    }
}

/// The order in which the questions of a tree come first.
pub(crate) struct Order {
    /// With cycles, ordered as far as possible, and only those that answers lead to from the root.
    pub(crate) questions: Vec<usize>,
    pub(crate) circular: bool,
}

impl Order {
    pub(crate) fn of(tree: &Tree, graph: &DiGraph<Target, ()>) -> Self {
        let question = |node| match graph[node] {
            Target::Question(question) => Some(question),
            Target::Leaf(_) => None,
        };
        if let Ok(order) = toposort(graph, None) {
            let questions = order.into_iter().filter_map(question).collect();
            return Self { questions, circular: false };
        }
        let mut questions = Vec::new();
        let mut visit = DfsPostOrder::new(graph, NodeIndex::new(place(tree, tree.root)));
        while let Some(node) = visit.next(graph) {
            questions.extend(question(node));
        }
        questions.reverse();
        Self { questions, circular: true }
    }
}

/// The index of a question or leaf among all of them; also its place in [`graph`].
pub(crate) const fn place(tree: &Tree, target: Target) -> usize {
    match target {
        Target::Question(question) => question,
        Target::Leaf(leaf) => tree.questions.len() + leaf,
    }
}

/// The facts that give each answer of a question, and where it leads, if anywhere. Earlier answers
/// come first; the last one is for facts that no other accepts.
pub(crate) fn answers(
    question: &Question,
    builder: &mut Builder<'_>,
) -> Result<Vec<(Ref, Option<Target>)>, Cut> {
    let otherwise = builder.constant(1);
    match &question.branches {
        Branches::Condition { when, yes, no } => {
            Ok(vec![(builder.condition(when)?, *yes), (otherwise, *no)])
        }
        Branches::Values { answers, .. } => {
            let mut all = Vec::with_capacity(answers.len() + 1);
            for answer in answers {
                all.push((builder.condition(&answer.condition())?, Some(answer.to)));
            }
            all.push((otherwise, None));
            Ok(all)
        }
    }
}

/// Where a question leads, given where the questions after it lead.
fn end_of(
    tree: &Tree,
    question: usize,
    answers: &[(Ref, Option<Target>)],
    ends: &[Ref],
    builder: &mut Builder<'_>,
) -> Result<Ref, Cut> {
    let gap = builder.constant(End::Gap(question).code(tree));
    let mut rest = gap;
    for (given, target) in answers.iter().rev() {
        let to = target.map_or(gap, |target| end_at(tree, target, ends, builder));
        rest = builder.choose(*given, to, rest)?;
    }
    Ok(rest)
}

fn end_at(tree: &Tree, target: Target, ends: &[Ref], builder: &mut Builder<'_>) -> Ref {
    match target {
        Target::Question(question) => ends[question],
        Target::Leaf(leaf) => builder.constant(End::Leaf(leaf).code(tree)),
    }
}
