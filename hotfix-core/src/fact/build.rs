//! Building decision diagrams from conditions.

use super::condition::Condition;
use super::diagram::Diagram;
use super::nodes::{Cut, Leaf, Nodes, Ref, Run};
use super::space::Space;

/// Builder of diagrams over one [`Space`], with a budget: a malicious policy costs bounded time and
/// memory. An operation beyond the budget gives [`Cut`].
///
/// A truth value is a function with the terminals 0 and 1.
///
/// ```
/// use hotfix_core::fact::{Builder, Condition, Fact, FactId, Facts, Space};
/// let down = Condition::flag(FactId::BuiltIn(Fact::ServiceDown));
/// let sure = Condition::Any(vec![down.clone(), Condition::Not(Box::new(down))]);
/// let space = Space::new([&sure]);
/// let mut builder = Builder::new(&space, 1_000);
/// let root = builder.condition(&sure)?;
/// // Kleene's logic calls it unknown.
/// assert_eq!(builder.finish(root).decided(&space.place(&Facts::default())), Some(1));
/// # Ok::<(), hotfix_core::fact::Cut>(())
/// ```
///
/// Source: Bryant (1986), IEEE Transactions on Computers C-35(8).
#[derive(Debug)]
pub struct Builder<'s> {
    space: &'s Space,
    nodes: Nodes,
}

impl<'s> Builder<'s> {
    /// Creates a builder with at most `budget` nodes, and at most 16 steps for each of them.
    ///
    /// A node counts once for every two runs of classes, so that a fact with thousands of cuts
    /// counts with its true cost.
    pub fn new(space: &'s Space, budget: usize) -> Self {
        Self { space, nodes: Nodes::new(budget) }
    }

    /// A constant function.
    pub fn constant(&mut self, terminal: u32) -> Ref {
        self.nodes.terminal(terminal)
    }

    /// 1 where a condition holds, else 0. The space must contain all comparisons of the condition;
    /// a comparison with a fact outside the space never holds.
    ///
    /// The recursion is as deep as the condition is nested, which a policy limits.
    pub fn condition(&mut self, condition: &Condition) -> Result<Ref, Cut> {
        match condition {
            Condition::Compare(comparison) => {
                let (no, yes) = (self.constant(0), self.constant(1));
                let Some((variable, accepted)) = self.space.accepted(comparison) else {
                    return Ok(no);
                };
                let last = self.space.classes(variable) - 1;
                let ends = [(accepted.start, no), (accepted.end, yes), (last + 1, no)];
                let mut runs: Vec<Run<Ref>> = Vec::with_capacity(3);
                for (end, to) in ends {
                    if runs.last().map_or(0, |run| run.last + 1) < end {
                        runs.push(Run { last: end - 1, to });
                    }
                }
                self.nodes.make(number(variable), runs)
            }
            Condition::All(conditions) => self.folded(conditions, 1, Self::and),
            Condition::Any(conditions) => self.folded(conditions, 0, Self::or),
            Condition::Not(condition) => {
                let condition = self.condition(condition)?;
                self.not(condition)
            }
        }
    }

    /// Combines pairs first, then pairs of pairs, so that intermediate diagrams stay small.
    fn folded(
        &mut self,
        conditions: &[Condition],
        empty: u32,
        join: fn(&mut Self, Ref, Ref) -> Result<Ref, Cut>,
    ) -> Result<Ref, Cut> {
        match conditions {
            [] => Ok(self.constant(empty)),
            [only] => self.condition(only),
            _ => {
                let (left, right) = conditions.split_at(conditions.len() / 2);
                let left = self.folded(left, empty, join)?;
                let right = self.folded(right, empty, join)?;
                join(self, left, right)
            }
        }
    }

    /// 1 where a truth value is 0, else 0.
    pub fn not(&mut self, truth: Ref) -> Result<Ref, Cut> {
        self.map(truth, |value| u32::from(value == 0))
    }

    /// 1 where both truth values are 1.
    pub fn and(&mut self, a: Ref, b: Ref) -> Result<Ref, Cut> {
        let no = self.constant(0);
        self.choose(a, b, no)
    }

    /// 1 where at least one of two truth values is 1.
    pub fn or(&mut self, a: Ref, b: Ref) -> Result<Ref, Cut> {
        let yes = self.constant(1);
        self.choose(a, yes, b)
    }

    /// `yes` where a truth value is not 0, else `no`.
    pub fn choose(&mut self, truth: Ref, yes: Ref, no: Ref) -> Result<Ref, Cut> {
        self.nodes.combine([truth, yes, no], |nodes, [truth, yes, no]| match nodes.value(truth) {
            Some(0) => Some(Leaf::Known(no)),
            Some(_) => Some(Leaf::Known(yes)),
            None if yes == no => Some(Leaf::Known(yes)),
            None => None,
        })
    }

    /// `f` of the values of two functions.
    pub fn apply(&mut self, a: Ref, b: Ref, f: impl Fn(u32, u32) -> u32) -> Result<Ref, Cut> {
        self.nodes
            .combine([a, b], |nodes, [a, b]| Some(Leaf::Value(f(nodes.value(a)?, nodes.value(b)?))))
    }

    /// A function where a truth value is 1; elsewhere [`Diagram::IMPOSSIBLE`].
    pub(crate) fn where_holds(&mut self, of: Ref, truth: Ref) -> Result<Ref, Cut> {
        self.apply(of, truth, |value, holds| if holds == 1 { value } else { Diagram::IMPOSSIBLE })
    }

    /// `f` of the value of a function.
    pub fn map(&mut self, a: Ref, f: impl Fn(u32) -> u32) -> Result<Ref, Cut> {
        self.nodes.combine([a], |nodes, [a]| Some(Leaf::Value(f(nodes.value(a)?))))
    }

    /// Charges steps for work outside the diagrams, so that it is bounded, too.
    pub(crate) fn pay(&mut self, steps: usize) -> Result<(), Cut> {
        self.nodes.pay(steps)
    }

    /// The function at `root` as a separate diagram.
    pub fn finish(&self, root: Ref) -> Diagram {
        self.nodes.freeze(root)
    }
}

fn number(variable: usize) -> u32 {
    u32::try_from(variable).unwrap_or(u32::MAX)
}
