//! Nodes of diagrams under construction: shared, memoised, bounded in number and time.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::diagram::Diagram;
use crate::sorting::sort_by_key;

/// Steps that a builder may take for each node of its budget.
const STEPS_PER_NODE: usize = 16;

/// Error of a diagram that exceeds its builder's budget of nodes or steps.
///
/// The caller has to report it; it does not replace an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the conditions need a diagram beyond the budget of {budget} nodes")]
pub struct Cut {
    /// The budget.
    pub budget: usize,
}

/// Reference to a function of the facts inside a [`Builder`](super::Builder), valid for that
/// builder only. Two references are equal if and only if the functions are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ref(u32);

/// Classes up to `last` lead to `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Run<T> {
    pub(super) last: u32,
    pub(super) to: T,
}

/// Runs of a node's variable, up to its last class.
type Runs = Rc<[Run<Ref>]>;

/// Target of a reference.
#[derive(Clone, Debug)]
enum Entry {
    Terminal(u32),
    Node { variable: u32, runs: Runs },
}

/// Nodes by content, so that equal functions share a node.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    entries: Vec<Entry>,
    unique: BTreeMap<(u32, Runs), Ref>,
    terminals: BTreeMap<u32, Ref>,
    runs: usize,
    steps: usize,
    budget: usize,
}

impl Nodes {
    pub(super) fn new(budget: usize) -> Self {
        Self { budget, ..Self::default() }
    }

    fn entry(&self, of: Ref) -> &Entry {
        &self.entries[of.0 as usize]
    }

    pub(super) fn value(&self, of: Ref) -> Option<u32> {
        match self.entry(of) {
            Entry::Terminal(value) => Some(*value),
            Entry::Node { .. } => None,
        }
    }

    fn add(&mut self, entry: Entry) -> Ref {
        self.entries.push(entry);
        Ref(u32::try_from(self.entries.len() - 1).unwrap_or(u32::MAX))
    }

    pub(super) fn terminal(&mut self, value: u32) -> Ref {
        if let Some(known) = self.terminals.get(&value) {
            return *known;
        }
        let added = self.add(Entry::Terminal(value));
        self.terminals.insert(value, added);
        added
    }

    /// The node with these runs, neighbours with the same child joined; the child, if it is the only one.
    fn node(&mut self, variable: u32, mut runs: Vec<Run<Ref>>) -> Ref {
        runs.reverse();
        runs.dedup_by_key(|run| run.to);
        runs.reverse();
        if let [only] = runs[..] {
            return only.to;
        }
        let key = (variable, Rc::from(runs));
        if let Some(known) = self.unique.get(&key) {
            return *known;
        }
        let runs = Rc::clone(&key.1);
        self.runs += runs.len();
        let added = self.add(Entry::Node { variable, runs });
        self.unique.insert(key, added);
        added
    }

    /// Combines several functions, from the top variable down, each combination once. It uses its
    /// own stack, because there may be more variables than the thread's stack has room for.
    pub(super) fn combine<const N: usize>(
        &mut self,
        roots: [Ref; N],
        leaf: impl FnMut(&Self, [Ref; N]) -> Option<Leaf>,
    ) -> Result<Ref, Cut> {
        self.combine_more(&mut BTreeMap::new(), roots, leaf)
    }

    /// As [`combine`](Self::combine); `done` has the results of earlier calls for the same operation.
    pub(super) fn combine_more<const N: usize>(
        &mut self,
        done: &mut BTreeMap<[Ref; N], Ref>,
        roots: [Ref; N],
        mut leaf: impl FnMut(&Self, [Ref; N]) -> Option<Leaf>,
    ) -> Result<Ref, Cut> {
        let mut open = vec![roots];
        let mut pieces = Vec::new();
        while let Some(these) = open.last().copied() {
            if done.contains_key(&these) {
                open.pop();
                continue;
            }
            match leaf(self, these) {
                Some(Leaf::Known(known)) => {
                    done.insert(these, known);
                    continue;
                }
                Some(Leaf::Value(value)) => {
                    let terminal = self.terminal(value);
                    done.insert(these, terminal);
                    continue;
                }
                None => {}
            }
            let Some(variable) = self.pieces(these, &mut pieces) else { break };
            self.pay(pieces.len())?;
            let before = open.len();
            open.extend(pieces.iter().map(|piece| piece.to).filter(|to| !done.contains_key(to)));
            if open.len() == before {
                let runs = pieces.iter();
                let runs = runs
                    .filter_map(|piece| Some(Run { last: piece.last, to: *done.get(&piece.to)? }));
                let made = self.make(variable, runs.collect())?;
                done.insert(these, made);
            }
        }
        done.get(&roots).copied().ok_or_else(|| self.cut())
    }

    /// The top variable of several functions, and their remainders by its runs; None for terminals.
    pub(super) fn pieces<const N: usize>(
        &self,
        these: [Ref; N],
        pieces: &mut Vec<Run<[Ref; N]>>,
    ) -> Option<u32> {
        let parts = these.map(|of| match self.entry(of) {
            Entry::Node { variable, runs } => Some((*variable, runs)),
            Entry::Terminal(_) => None,
        });
        let top = parts.iter().flatten().map(|(variable, _)| *variable).min()?;
        let parts = parts.map(|part| part.filter(|(variable, _)| *variable == top));
        pieces.clear();
        let mut at = [0; N];
        loop {
            let run = |part: usize| parts[part].and_then(|(_, runs)| runs.get(at[part]));
            let last = (0..N).filter_map(|part| Some(run(part)?.last)).min();
            let Some(last) = last else { return Some(top) };
            let to = std::array::from_fn(|part| run(part).map_or(these[part], |run| run.to));
            pieces.push(Run { last, to });
            let ended: [bool; N] =
                std::array::from_fn(|part| run(part).is_some_and(|run| run.last == last));
            for (at, ended) in at.iter_mut().zip(ended) {
                *at += usize::from(ended);
            }
        }
    }

    /// Charges steps; [`Cut`] beyond the budget.
    pub(super) fn pay(&mut self, steps: usize) -> Result<(), Cut> {
        self.steps = self.steps.saturating_add(steps);
        let most = self.budget.saturating_mul(STEPS_PER_NODE);
        if self.steps > most { Err(self.cut()) } else { Ok(()) }
    }

    pub(super) fn make(&mut self, variable: u32, runs: Vec<Run<Ref>>) -> Result<Ref, Cut> {
        let made = self.node(variable, runs);
        if self.runs > self.budget.saturating_mul(2) { Err(self.cut()) } else { Ok(made) }
    }

    const fn cut(&self) -> Cut {
        Cut { budget: self.budget }
    }

    /// The variable and the runs of a node; `None` for a terminal.
    pub(super) fn parts(&self, of: Ref) -> Option<(u32, Runs)> {
        match self.entry(of) {
            Entry::Node { variable, runs } => Some((*variable, Rc::clone(runs))),
            Entry::Terminal(_) => None,
        }
    }

    /// The nodes below a reference, itself first, breadth first.
    pub(super) fn below(&self, root: Ref) -> Vec<Ref> {
        let mut met = vec![false; self.entries.len()];
        let mut order = vec![root];
        met[root.0 as usize] = true;
        let mut next = 0;
        while let Some(of) = order.get(next).copied() {
            next += 1;
            if let Entry::Node { runs, .. } = self.entry(of) {
                for run in runs.iter() {
                    if !std::mem::replace(&mut met[run.to.0 as usize], true) {
                        order.push(run.to);
                    }
                }
            }
        }
        order
    }

    /// The nodes below a reference as a separate diagram: by variable, then breadth first;
    /// terminals at the end, ascending.
    pub(super) fn freeze(&self, root: Ref) -> Diagram {
        let mut order = self.below(root);
        sort_by_key(&mut order, |of| match self.entry(*of) {
            Entry::Node { variable, .. } => (*variable, 0),
            Entry::Terminal(value) => (u32::MAX, *value),
        });
        let mut places = vec![0; self.entries.len()];
        for (place, of) in (0..).zip(&order) {
            places[of.0 as usize] = place;
        }
        let nodes = order.iter().filter_map(|of| match self.entry(*of) {
            Entry::Node { variable, runs } => Some((*variable, runs)),
            Entry::Terminal(_) => None,
        });
        let moved = |run: &Run<Ref>| Run { last: run.last, to: places[run.to.0 as usize] };
        Diagram::new(
            nodes.map(|(variable, runs)| (variable, runs.iter().map(moved))),
            order.iter().filter_map(|of| self.value(*of)).collect(),
        )
    }
}

/// Result of an operation that needs no recursion.
pub(super) enum Leaf {
    Value(u32),
    Known(Ref),
}
