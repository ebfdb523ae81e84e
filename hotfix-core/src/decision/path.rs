//! The known part of the path through the tree, and answers as text.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::{Serialize, Serializer};

use super::Decision;
use crate::fact::{
    Builder, Comparison, Cut, Deduced, Diagram, FactId, FactValue, Operator, Ref, Space, Truth,
};
use crate::getters::object;
use crate::policy::reasoning::{End, MOST_NODES, answers, consistent};
use crate::policy::section::{Answer, Branches, Question, Target, Tree};
use crate::sorting::{map_of, sort_by_key};
use crate::unit::Name;

/// An answered question, with the facts that the answer is based on.
#[derive(Clone, Debug, PartialEq)]
pub struct Step<'a> {
    /// The question.
    pub question: &'a Question,
    /// The answer as text: `yes`, `no`, `below 5%`; `none of these` where no answer fits.
    pub answer: String,
    /// The known facts that the question depends on.
    pub facts: Vec<(FactId, &'a FactValue)>,
    /// The facts that it depends on and that follow from the known ones, with their possible
    /// values.
    pub deduced: Vec<(FactId, Deduced)>,
    /// The question or leaf to which the answer leads; `None` where it leads nowhere.
    pub to: Option<Name>,
}

impl Question {
    /// The target of an answer: no is 0 and yes is 1; else they are numbered in the policy's order.
    pub(super) fn leads(&self, answer: usize) -> Option<Target> {
        match &self.branches {
            Branches::Condition { yes, no, .. } => *if answer == 1 { yes } else { no },
            Branches::Values { answers, .. } => answers.get(answer).map(|answer| answer.to),
        }
    }

    /// Whether some values of the facts have no answer, as far as the question alone shows.
    pub(super) fn may_lack_answer(&self, space: &Space) -> bool {
        let (fact, answers) = match &self.branches {
            Branches::Condition { yes, no, .. } => return yes.is_none() || no.is_none(),
            Branches::Values { fact, answers } => (fact, answers),
        };
        let classes = space.variable(*fact).map_or(1, |variable| space.classes(variable));
        let accepted = |answer: &Answer| {
            let ranges = answer.accepts.iter().filter_map(|c| Some(space.accepted(c)?.1));
            ranges.fold(0..classes, |all, one| all.start.max(one.start)..all.end.min(one.end))
        };
        let mut accepted: Vec<Range<u32>> = answers.iter().map(accepted).collect();
        sort_by_key(&mut accepted, |range| range.start);
        // A range that begins after what the earlier ones cover leaves a class without an answer.
        let covered = accepted.iter().fold(0, |covered, range| {
            if range.start > covered { covered } else { covered.max(range.end) }
        });
        covered < classes
    }

    /// An answer as text; `none of these` where there is no number.
    pub(super) fn answer_text(&self, answer: Option<usize>) -> String {
        match (&self.branches, answer) {
            (_, None) => "none of these".to_owned(),
            (Branches::Condition { .. }, Some(answer)) => flag(answer == 1).to_owned(),
            (Branches::Values { answers, .. }, Some(answer)) => {
                answers.get(answer).map(values_text).unwrap_or_default()
            }
        }
    }

    /// The facts that it depends on, each once, in its order.
    pub(super) fn facts(&self) -> Vec<FactId> {
        match &self.branches {
            Branches::Values { fact, .. } => vec![*fact],
            Branches::Condition { when, .. } => when.facts(),
        }
    }
}

const fn flag(flag: bool) -> &'static str {
    if flag { "yes" } else { "no" }
}

/// The values of an answer as text: `yes`, `web`, `at least 5%, below 50%`.
fn values_text(answer: &Answer) -> String {
    let one = |comparison: &Comparison| {
        let value = match &comparison.value {
            FactValue::Flag(value) => flag(*value).to_owned(),
            FactValue::Share(share) => share.to_string(),
            FactValue::Duration(span) => span.to_string(),
            FactValue::Number(number) => number.to_string(),
            FactValue::Text(text) => text.clone(),
            FactValue::Time(time) => time.to_string(),
        };
        match comparison.operator {
            Operator::Is => value,
            Operator::Above => format!("above {value}"),
            Operator::AtLeast => format!("at least {value}"),
            Operator::Below => format!("below {value}"),
            Operator::AtMost => format!("at most {value}"),
        }
    };
    answer.accepts.iter().map(one).collect::<Vec<_>>().join(", ")
}

impl<'a> Decision<'a> {
    /// The answered questions, from the root to a leaf, or to the first question that neither the
    /// known facts nor those that follow from them answer.
    ///
    /// The outcome may be certain before the path ends, for example where all answers lead to the
    /// same one.
    pub fn path(&self) -> Vec<Step<'a>> {
        self.tree().map_or_else(Vec::new, |tree| self.walked(tree).0)
    }

    /// The path, and its end or the question that is open.
    pub(super) fn walked(&self, tree: &'a Tree) -> (Vec<Step<'a>>, Result<End, usize>) {
        let mut path = Vec::new();
        let space = &self.reasoning.space;
        let deduced = map_of(self.reasoning.deduced(&self.placed));
        let mut met = BTreeSet::new();
        let mut at = tree.root;
        let end = loop {
            let index = match at {
                Target::Leaf(leaf) => break Ok(End::Leaf(leaf)),
                Target::Question(index) => index,
            };
            if !met.insert(index) {
                break Ok(End::Loop);
            }
            let question = &tree.questions[index];
            let Some(answer) = self.answer(question) else { break Err(index) };
            let to = answer.and_then(|answer| question.leads(answer));
            let facts = question.facts();
            let known = |fact: &FactId| Some((*fact, self.facts.get(*fact)?));
            let follows = |fact: &FactId| {
                let variable = space.variable(*fact)?;
                Some((*fact, space.deduced(variable, *deduced.get(&variable)?)))
            };
            path.push(Step {
                question,
                answer: question.answer_text(answer),
                facts: facts.iter().filter_map(known).collect(),
                deduced: facts.iter().filter_map(follows).collect(),
                to: to.map(|to| tree.id(to)),
            });
            match to {
                Some(to) => at = to,
                None => break Ok(End::Gap(index)),
            }
        };
        (path, end)
    }

    /// The number of the only possible answer, `Some(None)` if none fits; `None` while several do.
    #[expect(
        clippy::option_option,
        reason = "a question without a known answer differs from one that no answer fits"
    )]
    fn answer(&self, question: &Question) -> Option<Option<usize>> {
        let by_facts = match &question.branches {
            Branches::Condition { when, .. } => match when.holds(self.facts) {
                Truth::Yes => Some(Some(1)),
                Truth::No => Some(Some(0)),
                Truth::Unknown => None,
            },
            Branches::Values { fact, answers } => self.facts.get(*fact).map(|value| {
                let accepts = |answer: &Answer| answer.accepts.iter().all(|c| c.accepts(value));
                answers.iter().position(accepts)
            }),
        };
        by_facts.or_else(|| {
            // Kleene's logic ignores that facts depend on each other; a diagram does not.
            self.reasoning.exact.as_ref()?;
            let code = self.function(question).ok()?.decided(&self.placed)?;
            Some(code.checked_sub(1).map(|answer| answer as usize))
        })
    }

    /// A diagram of the answer's number from 1, or 0 for none of them, where the implications hold.
    fn function(&self, question: &Question) -> Result<Diagram, Cut> {
        let mut builder = Builder::new(&self.reasoning.space, MOST_NODES);
        let numbers: Vec<u32> = match &question.branches {
            Branches::Condition { .. } => vec![2, 1],
            Branches::Values { answers, .. } => (1..).take(answers.len()).collect(),
        };
        let mut code = builder.constant(0);
        let given = answers(question, &mut builder)?.into_iter().zip(numbers);
        for ((holds, _), number) in given.rev() {
            let this = builder.constant(number);
            code = builder.choose(holds, this, code)?;
        }
        if !self.contradictory {
            let possible: Ref = consistent(&self.policy.implications, &mut builder)?;
            code = builder.where_holds(code, possible)?;
        }
        Ok(builder.finish(code))
    }
}

impl Serialize for Step<'_> {
    /// `facts` has the known facts and those that follow from them; `deduced` names the latter.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let known = self.facts.iter().map(|(fact, value)| (fact, Deduced::Value((*value).clone())));
        let follows = self.deduced.iter().map(|(fact, deduced)| (fact, deduced.clone()));
        let facts = known.chain(follows).map(|(fact, value)| (fact.as_str(), value));
        let facts: BTreeMap<&str, Deduced> = map_of(facts);
        let deduced: Vec<FactId> = self.deduced.iter().map(|(fact, _)| *fact).collect();
        object!(serializer, Step:
            id = self.question.id, ask = self.question.ask, answer = self.answer, facts = facts,
            deduced = deduced, to = self.to
        )
    }
}
