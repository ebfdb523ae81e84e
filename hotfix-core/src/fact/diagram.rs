//! Decision diagrams: exact conclusions from facts of which some are unknown.
//!
//! Kleene's logic evaluates each part of a condition separately, so it cannot see that `a or not a`
//! is always true. A diagram holds the whole function: one node for each function that is left once
//! some facts are known, shared wherever two are equal. A question about all values of the unknown
//! facts, of which there may be 2⁴⁰, is then one pass over the nodes. With a fixed order of
//! variables a function has only one diagram, so equal functions compare equal.
//!
//! Source: Bryant (1986), IEEE Transactions on Computers C-35(8), for two values; Kam, Villa,
//! Brayton and Sangiovanni-Vincentelli (1998), Multiple-Valued Logic 4(1–2), for more.

use std::fmt;

use super::nodes::{Nodes, Ref, Run};
use super::space::{Placed, UNKNOWN};
use crate::sorting::sort_by_key;

/// A function from the classes of a [`super::Space`] to terminals, built by a [`super::Builder`]
/// and immutable.
///
/// Two diagrams over one space are equal if and only if the functions are. Queries accept the known
/// facts as a [`Placed`] of that space.
///
/// ```
/// use hotfix_core::fact::{Builder, Condition, Diagram, Fact, FactId, Facts, Space};
/// let down = Condition::flag(FactId::BuiltIn(Fact::ServiceDown));
/// let lost = Condition::flag(FactId::BuiltIn(Fact::DataCorruption));
/// let space = Space::new([&down, &lost]);
/// let mut builder = Builder::new(&space, 1_000);
/// let [down, lost] = [builder.condition(&down)?, builder.condition(&lost)?];
/// let [p1, p2, p4] = [1, 2, 4].map(|grade| builder.constant(grade));
/// let rest = builder.choose(lost, p2, p4)?;
/// let grade = builder.choose(down, p1, rest)?;
/// let grade = builder.finish(grade);
///
/// let mut known = space.unknown();
/// let mut reached = Vec::new();
/// grade.reachable(&known, |terminal| reached.push(terminal));
/// assert_eq!(reached, [1, 2, 4]);
/// known.set(0, Some(1));
/// assert_eq!(grade.decided(&known), Some(1));
/// # Ok::<(), hotfix_core::fact::Cut>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Diagram {
    /// By variable, the root first, so that parents come before children.
    pub(super) nodes: Box<[DiagramNode]>,
    /// Targets: a node, or, beyond the nodes, a terminal.
    pub(super) runs: Box<[Run<u32>]>,
    /// Ascending.
    pub(super) terminals: Box<[u32]>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct DiagramNode {
    pub(super) variable: u32,
    start: u32,
    end: u32,
}

impl Diagram {
    /// The terminal of values that break a constraint. No answer contains it.
    pub const IMPOSSIBLE: u32 = u32::MAX;

    pub(super) fn new<R: Iterator<Item = Run<u32>>>(
        nodes: impl Iterator<Item = (u32, R)>,
        terminals: Box<[u32]>,
    ) -> Self {
        let mut all = Vec::new();
        let position = |runs: &Vec<Run<u32>>| u32::try_from(runs.len()).unwrap_or(u32::MAX);
        let nodes = nodes.map(|(variable, runs)| {
            let start = position(&all);
            all.extend(runs);
            DiagramNode { variable, start, end: position(&all) }
        });
        let nodes = nodes.collect();
        Self { nodes, runs: all.into_boxed_slice(), terminals }
    }

    /// Number of nodes, without terminals.
    pub const fn count(&self) -> usize {
        self.nodes.len()
    }

    /// The terminals, ascending, without [`Diagram::IMPOSSIBLE`].
    pub fn terminals(&self) -> impl Iterator<Item = u32> {
        self.terminals.iter().copied().filter(|terminal| *terminal != Self::IMPOSSIBLE)
    }

    /// Visits each terminal that some values of the unknown facts lead to, once and in ascending
    /// order; none if the known facts are contradictory. It takes one pass over the nodes.
    pub fn reachable(&self, placed: &Placed, mut visit: impl FnMut(u32)) {
        let classes = &placed.0;
        // There is only one path to the first unknown fact.
        let mut from = 0;
        while let Some(node) = self.nodes.get(from)
            && let Some(class) = known(classes, node)
        {
            from = run_of(self.runs(node), class).to as usize;
        }
        if let Some(end) = from.checked_sub(self.nodes.len()) {
            let terminal = self.terminals.get(end).filter(|end| **end != Self::IMPOSSIBLE);
            return terminal.copied().into_iter().for_each(visit);
        }
        // Parents before children. Each mark is a byte: with bits, each step would have to wait for
        // the previous one.
        let mut marks = vec![false; self.nodes.len() + self.terminals.len()];
        marks[from] = true;
        for (at, node) in self.nodes.iter().enumerate().skip(from) {
            if !marks[at] {
                continue;
            }
            let runs = self.runs(node);
            if let Some(class) = known(classes, node) {
                marks[run_of(runs, class).to as usize] = true;
            } else {
                for run in runs {
                    marks[run.to as usize] = true;
                }
            }
        }
        for (terminal, reached) in self.terminals.iter().zip(&marks[self.nodes.len()..]) {
            if *reached && *terminal != Self::IMPOSSIBLE {
                visit(*terminal);
            }
        }
    }

    /// The terminal that all values of the unknown facts lead to, if there is only one.
    pub fn decided(&self, placed: &Placed) -> Option<u32> {
        let mut found = None;
        let mut several = false;
        self.reachable(placed, |terminal| several |= found.replace(terminal).is_some());
        found.filter(|_| !several)
    }

    /// The function that is left once the known facts are inserted.
    #[must_use]
    pub fn restrict(&self, placed: &Placed) -> Self {
        // A restriction never grows.
        let mut nodes = Nodes::new(usize::MAX);
        self.refill(placed, &mut nodes).map_or_else(|| self.clone(), |root| nodes.freeze(root))
    }

    /// Builds the restricted function among other nodes.
    pub(super) fn refill(&self, placed: &Placed, nodes: &mut Nodes) -> Option<Ref> {
        let mut made: Vec<Option<Ref>> = vec![None; self.nodes.len()];
        let terminals = self.terminals.iter().map(|terminal| Some(nodes.terminal(*terminal)));
        made.extend(terminals);
        for (at, node) in self.nodes.iter().enumerate().rev() {
            let runs = self.runs(node);
            made[at] = if let Some(class) = placed.get(node.variable as usize) {
                made[run_of(runs, class).to as usize]
            } else {
                let moved =
                    |run: &Run<u32>| Some(Run { last: run.last, to: made[run.to as usize]? });
                let moved: Option<_> = runs.iter().map(moved).collect();
                nodes.make(node.variable, moved?).ok()
            };
        }
        made.first().copied().flatten()
    }

    /// The known facts with further facts that together lead to a wanted terminal, whatever the
    /// other facts are; `None` if no values lead to one.
    ///
    /// Of the paths to a wanted terminal it chooses one with the fewest facts, then with the fewest
    /// facts that are not of class 0 (flags that are true), then with the lowest classes. Then it
    /// removes facts that are not needed. So none of the added facts can be left out, but there may
    /// be a smaller set.
    #[must_use]
    pub fn example(&self, placed: &Placed, wanted: impl Fn(u32) -> bool) -> Option<Placed> {
        let left = self.restrict(placed);
        // Number of facts, and of facts not of class 0, from here to a wanted terminal.
        let mut costs: Vec<Option<(u32, u32)>> = vec![None; left.nodes.len()];
        let terminals = left.terminals.iter();
        costs.extend(terminals.map(|terminal| {
            (*terminal != Self::IMPOSSIBLE && wanted(*terminal)).then_some((0, 0))
        }));
        let best = |costs: &[Option<(u32, u32)>], node: &DiagramNode| {
            let mut first = 0;
            let ways = left.runs(node).iter().filter_map(|run| {
                let class = std::mem::replace(&mut first, run.last + 1);
                let (facts, raised) = costs[run.to as usize]?;
                Some(((facts + 1, raised + u32::from(class != 0)), class, run.to))
            });
            ways.min()
        };
        for (at, node) in left.nodes.iter().enumerate().rev() {
            costs[at] = best(&costs, node).map(|(cost, _, _)| cost);
        }
        let mut example = placed.clone();
        let mut added = Vec::new();
        let mut at = 0;
        while let Some(node) = left.nodes.get(at) {
            let (_, class, to) = best(&costs, node)?;
            example.set(node.variable as usize, Some(class));
            added.push((node.variable as usize, class));
            at = to as usize;
        }
        costs.get(at).copied().flatten()?;
        let terminal = left.terminals[at - left.nodes.len()];
        // Facts not of class 0 are removed first: a true flag is the stronger assumption.
        sort_by_key(&mut added, |(variable, class)| (*class == 0, std::cmp::Reverse(*variable)));
        for (variable, class) in added {
            example.set(variable, None);
            if left.decided(&example) != Some(terminal) {
                example.set(variable, Some(class));
            }
        }
        Some(example)
    }

    pub(super) fn runs(&self, node: &DiagramNode) -> &[Run<u32>] {
        &self.runs[node.start as usize..node.end as usize]
    }
}

fn known(classes: &[u32], node: &DiagramNode) -> Option<u32> {
    classes.get(node.variable as usize).copied().filter(|class| *class != UNKNOWN)
}

/// The run of a class; the last run for a class of another space.
fn run_of(runs: &[Run<u32>], class: u32) -> &Run<u32> {
    let at = runs.partition_point(|run| run.last < class);
    &runs[at.min(runs.len() - 1)]
}

impl fmt::Debug for Diagram {
    /// Shows only the size.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Diagram");
        shown
            .field("nodes", &self.count())
            .field("terminals", &self.terminals)
            .finish_non_exhaustive()
    }
}
