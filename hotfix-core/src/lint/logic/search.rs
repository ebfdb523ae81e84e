//! The search for facts that show a fault, over all combinations that are possible.

use super::super::finding::{Example, Finding};
use crate::fact::{Builder, Cut, Diagram, Ref, Space};
use crate::grade::Severity;
use crate::policy::Policy;
use crate::policy::reasoning::{End, RuleOutcome, consistent, list, walk};
use crate::policy::section::Effect;

/// The most nodes of the search: a preset needs a few thousand.
pub(super) const MOST_NODES: usize = 200_000;

/// The most visits of a node for examples.
const MOST_VISITS: usize = 50_000_000;

/// The cost of one answer or one rule, in visits of a node: many of them must not make it slow.
pub(super) const STEP: usize = 100;

/// The least cost of an example, in visits of a node.
const LEAST_VISITS: usize = 20_000;

/// The conditions of a policy, ready for the search.
pub(super) struct Search<'p> {
    pub(super) policy: &'p Policy,
    pub(super) space: &'p Space,
    pub(super) builder: Builder<'p>,
    /// 1 where the implications hold.
    pub(super) consistent: Ref,
    pub(super) never: Ref,
    /// [`RuleOutcome::code`] of the rules.
    pub(super) list: Ref,
    /// [`End::code`] of the policy's own tree; 0 everywhere without one.
    pub(super) ends: Ref,
    /// The visits of nodes that are left.
    visits: usize,
    pub(super) found: Vec<Finding>,
}

impl<'p> Search<'p> {
    /// `None` if the implications make every combination impossible.
    pub(super) fn try_new(policy: &'p Policy) -> Result<Option<Self>, Cut> {
        let reasoning = policy.reasoning();
        // What was too large for the engines is not tried again, and gives the same finding.
        reasoning.exact.as_ref().ok_or(Cut { budget: MOST_NODES })?;
        let space = &reasoning.space;
        let mut builder = Builder::new(space, MOST_NODES);
        let never = builder.constant(0);
        let consistent = consistent(&policy.implications, &mut builder)?;
        if consistent == never {
            return Ok(None);
        }
        let list = list(policy, &mut builder)?;
        let ends = match policy.tree() {
            Some(tree) => walk(tree, &mut builder)?,
            None => never,
        };
        let (visits, found) = (MOST_VISITS, Vec::new());
        Ok(Some(Self { policy, space, builder, consistent, never, list, ends, visits, found }))
    }

    /// Whether both hold together for some facts. One of them has to be limited to possible facts.
    pub(super) fn meet(&mut self, a: Ref, b: Ref) -> Result<bool, Cut> {
        self.pay(STEP)?;
        Ok(self.builder.and(a, b)? != self.never)
    }

    /// The simplest facts in a region, if any are possible. All possible completions of them are
    /// also in the region.
    pub(super) fn example(&mut self, region: Ref) -> Result<Option<Example>, Cut> {
        let region = self.builder.where_holds(region, self.consistent)?;
        let diagram = self.finish(region)?;
        let shown = diagram.example(&self.space.unknown(), |inside| inside == 1);
        Ok(shown.map(|placed| Example::Facts(self.space.facts(&placed))))
    }

    /// The values of a function in a region, for possible facts; ascending.
    pub(super) fn values(&mut self, of: Ref, region: Ref) -> Result<Vec<u32>, Cut> {
        let inside = self.builder.and(region, self.consistent)?;
        let cut_out = self.builder.where_holds(of, inside)?;
        Ok(self.finish(cut_out)?.terminals().collect())
    }

    /// The classes of a variable that facts in a region may have; ascending.
    pub(super) fn classes(&mut self, region: Ref, variable: usize) -> Result<Vec<u32>, Cut> {
        let region = self.builder.and(region, self.consistent)?;
        let diagram = self.finish(region)?;
        let all = 0..self.space.classes(variable);
        self.pay(diagram.count() * all.len())?;
        let mut placed = self.space.unknown();
        let inside = |class: &u32| {
            placed.set(variable, Some(*class));
            let mut inside = false;
            diagram.reachable(&placed, |terminal| inside |= terminal == 1);
            inside
        };
        Ok(all.filter(inside).collect())
    }

    /// The region in which the rules give such an outcome.
    pub(super) fn listed(&mut self, wanted: impl Fn(RuleOutcome) -> bool) -> Result<Ref, Cut> {
        self.builder.map(self.list, |code| u32::from(wanted(RuleOutcome::of(code))))
    }

    /// The region in which the tree ends like this.
    pub(super) fn ended(&mut self, wanted: impl Fn(End) -> bool) -> Result<Ref, Cut> {
        let Some(tree) = self.policy.tree() else { return Ok(self.never) };
        self.builder.map(self.ends, |code| u32::from(wanted(End::of(code, tree))))
    }

    /// The region in which a rule admits a hot-fix. `fired`: where each rule fires.
    pub(super) fn admitted(&mut self, fired: &[Ref]) -> Result<Ref, Cut> {
        let mut rules = self.policy.rules.iter().zip(fired);
        rules.try_fold(self.never, |admitted, (rule, fires)| match rule.effect() {
            Effect::Admit => self.builder.or(admitted, *fires),
            Effect::Severity(_) | Effect::Exclude => Ok(admitted),
        })
    }

    /// The most severe severity that the rules give in a region.
    pub(super) fn worst(&mut self, region: Ref) -> Result<Option<Severity>, Cut> {
        let codes = self.values(self.list, region)?;
        Ok(codes.into_iter().filter_map(|code| RuleOutcome::of(code).severity).min())
    }

    /// A diagram, with its cost: the search for an example visits its nodes once for each fact.
    fn finish(&mut self, root: Ref) -> Result<Diagram, Cut> {
        let diagram = self.builder.finish(root);
        self.pay(LEAST_VISITS + diagram.count() * (self.space.len() + 2))?;
        Ok(diagram)
    }

    /// Counts the visits; [`Cut`] beyond the budget.
    pub(super) fn pay(&mut self, visits: usize) -> Result<(), Cut> {
        self.visits = self.visits.checked_sub(visits).ok_or(Cut { budget: MOST_NODES })?;
        Ok(())
    }
}
