//! The unknown facts that still matter.

use std::collections::{BTreeMap, BTreeSet};

use super::diagram::Diagram;
use super::nodes::{Cut, Leaf, Nodes, Ref, Run};
use super::space::Placed;
use crate::sorting::set_of;

/// Most nodes of the exact answer where there are constraints.
const BUDGET: usize = 20_000;

impl Diagram {
    /// The unknown facts that still matter, as variables, ascending. A fact matters if, for some knowledge of the other
    /// facts, one of its classes leaves fewer terminals reachable, but at least one.
    ///
    /// Without constraints, these are the variables that the function depends on once the known
    /// facts are inserted. With constraints ([`Diagram::IMPOSSIBLE`]) there may be fewer, because a
    /// fact that only restricts what is possible does not matter. A fact that a constraint ties to
    /// one that matters counts: of two facts that are always equal, both matter.
    ///
    /// Where the exact answer is too costly, some of the variables do not matter; none that does is missing.
    pub fn support(&self, placed: &Placed) -> Vec<usize> {
        let left = self.restrict(placed);
        if left.terminals().count() < 2 {
            return Vec::new();
        }
        let asked = || set_of(left.nodes.iter().map(|node| node.variable as usize));
        let matter = if left.terminals.last() == Some(&Self::IMPOSSIBLE) {
            Extended::try_new(&left)
                .and_then(Extended::distinguishing)
                .unwrap_or_else(|Cut { .. }| asked())
        } else {
            asked()
        };
        matter.into_iter().collect()
    }
}

/// A diagram in which 'unknown' is a further class of each variable, and a terminal is the set of
/// reachable terminals.
struct Extended {
    nodes: Nodes,
    root: Ref,
}

/// The number of the empty set.
const NOTHING: u32 = 0;

/// Sets of terminals, numbered in the order of creation; the empty set is the first.
#[derive(Default)]
struct Sets {
    all: Vec<BTreeSet<u32>>,
    numbers: BTreeMap<BTreeSet<u32>, u32>,
    /// Number of terminals examined.
    work: usize,
}

impl Sets {
    fn number(&mut self, set: BTreeSet<u32>) -> u32 {
        if let Some(known) = self.numbers.get(&set) {
            return *known;
        }
        let number = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        self.all.push(set.clone());
        self.numbers.insert(set, number);
        number
    }

    fn union(&mut self, a: u32, b: u32) -> u32 {
        if self.exhausted() {
            return NOTHING;
        }
        let [a, b] = [a, b].map(|number| &self.all[number as usize]);
        self.work += a.len() + b.len();
        let both = a | b;
        self.number(both)
    }

    /// Whether unions have exceeded the limit; later unions are wrong.
    const fn exhausted(&self) -> bool {
        self.work > 16 * BUDGET
    }
}

impl Extended {
    fn try_new(of: &Diagram) -> Result<Self, Cut> {
        let mut nodes = Nodes::new(BUDGET);
        let mut sets = Sets::default();
        let nothing = nodes.terminal(sets.number(BTreeSet::new()));
        let mut made = vec![nothing; of.nodes.len()];
        for terminal in &of.terminals {
            let reached = Some(*terminal).filter(|terminal| *terminal != Diagram::IMPOSSIBLE);
            let set = sets.number(set_of(reached));
            made.push(nodes.terminal(set));
        }
        let mut united = BTreeMap::new();
        for (at, node) in of.nodes.iter().enumerate().rev() {
            let mut unknown = nothing;
            let mut runs = Vec::new();
            for run in of.runs(node) {
                let to = made[run.to as usize];
                runs.push(Run { last: run.last, to });
                unknown = nodes.combine_more(&mut united, [unknown, to], |nodes, [a, b]| {
                    if a == b {
                        return Some(Leaf::Known(a));
                    }
                    let (a, b) = (nodes.value(a)?, nodes.value(b)?);
                    Some(Leaf::Value(sets.union(a, b)))
                })?;
                if sets.exhausted() {
                    return Err(Cut { budget: BUDGET });
                }
            }
            runs.extend(runs.last().copied().map(|run| Run { last: run.last + 1, to: unknown }));
            made[at] = nodes.make(node.variable, runs)?;
        }
        let root = made.first().copied().unwrap_or(nothing);
        Ok(Self { nodes, root })
    }

    /// The variables of which some class, with some of the other facts known, excludes terminals.
    fn distinguishing(mut self) -> Result<BTreeSet<usize>, Cut> {
        let mut found = BTreeSet::new();
        let mut alike = BTreeSet::new();
        for of in self.nodes.below(self.root) {
            let Some((variable, runs)) = self.nodes.parts(of) else { continue };
            let variable = variable as usize;
            if found.contains(&variable) {
                continue;
            }
            let Some(unknown) = runs.last().map(|run| run.to) else { continue };
            for run in runs.iter() {
                if self.leaves_less(run.to, unknown, &mut alike)? {
                    found.insert(variable);
                    break;
                }
            }
        }
        Ok(found)
    }

    /// Whether, with some of the other facts known, `some` reaches something, but less than `all`.
    /// `alike`: pairs for which that is known to be false.
    fn leaves_less(
        &mut self,
        some: Ref,
        all: Ref,
        alike: &mut BTreeSet<[Ref; 2]>,
    ) -> Result<bool, Cut> {
        let (mut met, mut pieces) = (BTreeSet::new(), Vec::new());
        let mut open = vec![[some, all]];
        while let Some(these) = open.pop() {
            let [some, all] = these;
            let is_known = some == all || self.nodes.value(some) == Some(NOTHING);
            if is_known || alike.contains(&these) || !met.insert(these) {
                continue;
            }
            if self.nodes.pieces(these, &mut pieces).is_none() {
                return Ok(true);
            }
            self.nodes.pay(pieces.len())?;
            open.extend(pieces.iter().map(|piece| piece.to));
        }
        alike.append(&mut met);
        Ok(false)
    }
}
