//! The decision tree: questions about facts, answers, leaves.

use super::Due;
use super::condition::{comparisons, fact, written};
use super::list::{none, texts};
use super::severity::KnownSeverity;
use crate::document::Node;
use crate::fact::{Comparison, Condition, FactId};
use crate::grade::Severity;
use crate::policy::error::{Problem, shown};
use crate::policy::field::{List, NAME_PATTERN};
use crate::policy::reader::{Draft as _, Field, PolicyReader, Style, section};
use crate::policy::schema::{Definitions, Schema};
use crate::unit::Name;
use serde_json::json;
use std::collections::BTreeMap;

/// A decision tree, whose targets exist. The linter reports unreachable ones, and cycles.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    /// Where the tree starts.
    pub root: Target,
    /// The questions, in the order of the policy.
    pub questions: Vec<Question>,
    /// The leaves, in the order of the policy.
    pub leaves: Vec<Leaf>,
}

/// Where an answer leads: an index of [`Tree::questions`] or [`Tree::leaves`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// To a question.
    Question(usize),
    /// To a leaf.
    Leaf(usize),
}

/// One question. While it is read, its targets are names.
#[derive(Clone, Debug, PartialEq)]
pub struct Question<T = Target> {
    /// The id, unique among questions and leaves.
    pub id: Name,
    /// The question for a person.
    pub ask: String,
    /// Where the answers lead.
    pub branches: Branches<T>,
}

impl Question {
    /// The targets of its answers, in the order of the answers, with repetitions.
    pub fn targets(&self) -> Vec<Target> {
        match &self.branches {
            Branches::Condition { yes, no, .. } => yes.iter().chain(no).copied().collect(),
            Branches::Values { answers, .. } => answers.iter().map(|answer| answer.to).collect(),
        }
    }
}

/// The answers to a question.
#[derive(Clone, Debug, PartialEq)]
pub enum Branches<T = Target> {
    /// Yes or no.
    Condition {
        /// The condition that is asked about.
        when: Condition,
        /// Where yes leads, if anywhere.
        yes: Option<T>,
        /// Where no leads, if anywhere.
        no: Option<T>,
    },
    /// A value of one fact; the first answer that accepts it is used.
    Values {
        /// The fact.
        fact: FactId,
        /// The answers, at least one.
        answers: Vec<Answer<T>>,
    },
}

/// One answer to a question about a fact.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer<T = Target> {
    /// The comparisons that a value has to satisfy; at least one.
    pub accepts: Vec<Comparison>,
    /// Where it leads.
    pub to: T,
}

impl Answer {
    /// The values that it accepts, as a condition.
    pub fn condition(&self) -> Condition {
        Condition::every(&self.accepts)
    }
}

impl Tree {
    /// The id of a question or leaf.
    pub fn id(&self, target: Target) -> Name {
        match target {
            Target::Question(index) => self.questions[index].id,
            Target::Leaf(index) => self.leaves[index].id,
        }
    }

    /// Its place in the policy, as a JSON Pointer.
    pub fn path(target: Target) -> String {
        match target {
            Target::Question(index) => format!("/tree/questions/{index}"),
            Target::Leaf(index) => format!("/tree/leaves/{index}"),
        }
    }
}

section! {
    draft
    /// The decision tree: questions about facts, whose answers lead to further questions or to
    /// leaves.
    Tree as TreeDraft {
        /// The id of the question or leaf where the tree starts.
        root: Name, [required];
        /// The questions.
        questions: List<Asked>, [default none()];
        /// The leaves, at least one.
        leaves: List<Leaf>, [required];
    }
}

section! {
    draft
    /// A question: `when` with `yes` and `no`, or `fact` with `answers`. A missing answer leads
    /// nowhere.
    Question as QuestionDraft {
        /// The id, unique among questions and leaves.
        id: Name, [required];
        /// The question for a person.
        ask: String, [required];
        /// The condition that is asked about.
        when: Condition, [optional];
        /// The id of the question or leaf to which `yes` leads.
        yes: Name, [optional];
        /// The id of the question or leaf to which `no` leads.
        no: Name, [optional];
        /// The fact whose value is asked.
        fact: String, [optional];
        /// The answers, in order; the first one that accepts the value is used.
        answers: List<Answered>, [default none()];
    }
}

section! {
    plain
    /// A leaf: the decision.
    pub Leaf from LeafDraft {
        /// The id, unique among questions and leaves.
        id: Name, [required];
        /// The decision, for people.
        title: String, [required];
        /// The severity. Without this key the tree gives none.
        severity: Severity as KnownSeverity, [optional];
        /// Whether a hot-fix is needed; otherwise the normal process.
        hotfix: bool, [required];
        /// By when the fix has to be live, for people who decide by the tree. Plan and duties count
        /// by the duties of the severity, which also give the deadline without this key.
        deadline: Due, [optional];
    }
}

impl<T> Question<T> {
    /// The question with other targets, each made of one and its place in the question.
    fn with<U>(self, mut made: impl FnMut(T, &str) -> U) -> Question<U> {
        let branches = match self.branches {
            Branches::Condition { when, yes, no } => {
                let yes = yes.map(|to| made(to, "yes"));
                Branches::Condition { when, yes, no: no.map(|to| made(to, "no")) }
            }
            Branches::Values { fact, answers } => {
                let answers =
                    answers.into_iter().enumerate().map(|(at, Answer { accepts, to })| Answer {
                        accepts,
                        to: made(to, &format!("answers/{at}/to")),
                    });
                Branches::Values { fact, answers: answers.collect() }
            }
        };
        Question { id: self.id, ask: self.ask, branches }
    }
}

/// A question as it is read, before its targets are known.
pub(super) struct Asked;

impl Field for Asked {
    type Out = Question<Name>;

    fn read(node: &Node, reader: &mut PolicyReader) -> Option<Self::Out> {
        let entries = reader.table(node)?;
        // The answers refer to the fact, so it has to be known when they are read.
        let named = node.key("fact").and_then(Node::as_text);
        let about = named.and_then(|name| reader.known.vocabulary.find(name));
        let before = std::mem::replace(&mut reader.known.asked_of, about);
        let draft = QuestionDraft::read(entries, reader);
        reader.known.asked_of = before;
        // First: without its fact no answer can be read, and none reports it.
        let about = draft.fact?;
        let about = match &about {
            Some(name) => Some(reader.within("fact", |reader| fact(name, reader))?),
            None => None,
        };
        let Some(answers) = draft.answers else {
            // Answers without a fact: none can be read, and none reports it.
            return about.map_or_else(|| reader.fail(Problem::QuestionForm {}), |_| None);
        };
        let branches = match (draft.when?, about) {
            (Some(when), None) if answers.is_empty() => {
                Branches::Condition { when, yes: draft.yes?, no: draft.no? }
            }
            (None, Some(fact)) if draft.yes?.is_none() && draft.no?.is_none() => {
                if answers.is_empty() {
                    return reader.fail(Problem::Empty { what: "answer" });
                }
                Branches::Values { fact, answers }
            }
            _ => return reader.fail(Problem::QuestionForm {}),
        };
        Some(Question { id: draft.id?, ask: draft.ask?, branches })
    }
    fn write(value: &Self::Out, style: Style) -> Node {
        let (when, yes, no, fact, answers) = match &value.branches {
            Branches::Condition { when, yes, no } => {
                (Some(Some(when.clone())), Some(*yes), Some(*no), None, None)
            }
            Branches::Values { fact, answers } => {
                (None, None, None, Some(Some(fact.to_string())), Some(answers.clone()))
            }
        };
        let (id, ask) = (Some(value.id), Some(value.ask.clone()));
        QuestionDraft { id, ask, when, yes, no, fact, answers }.write(style)
    }
    fn schema(definitions: &mut Definitions) -> Schema {
        Question::refer(definitions)
    }
}

/// One answer about a fact: its comparisons and where it leads.
pub(super) struct Answered;

impl Field for Answered {
    type Out = Answer<Name>;

    fn read(node: &Node, reader: &mut PolicyReader) -> Option<Self::Out> {
        const KEYS: [&str; 6] = ["is", "above", "at_least", "below", "at_most", "to"];
        let entries = reader.table(node)?;
        let slots = reader.slots(&KEYS, entries);
        let to = reader.required::<Name>("to", slots.last().copied().flatten());
        // Without a fact there is nothing to compare; the question has the error.
        let accepts = comparisons(reader.known.asked_of?, entries, reader)?;
        if accepts.is_empty() {
            return reader.fail(Problem::AnswerForm {});
        }
        Some(Answer { accepts, to: to? })
    }
    fn write(Answer { accepts, to }: &Self::Out, style: Style) -> Node {
        let accepted = accepts
            .iter()
            .map(|comparison| (comparison.operator.as_str(), written(&comparison.value, style)));
        let to = ("to", Node::from(to.as_str()));
        Node::table(accepted.chain(std::iter::once(to)))
    }
    fn schema(_: &mut Definitions) -> Schema {
        let value =
            |about: &str| json!({ "type": ["boolean", "number", "string"], "description": about });
        json!({
            "description": "an answer: the values it accepts, by one comparison or more, and the id of the question or leaf to which it leads",
            "type": "object",
            "required": ["to"],
            "minProperties": 2,
            "additionalProperties": false,
            "properties": {
                "is": value("Accepts this value."),
                "above": value("Accepts greater values."),
                "at_least": value("Accepts this value and greater ones."),
                "below": value("Accepts smaller values."),
                "at_most": value("Accepts this value and smaller ones."),
                "to": { "type": "string", "pattern": NAME_PATTERN, "description": "The id of the question or leaf to which it leads." },
            },
        })
    }
}

impl Field for Tree {
    type Out = Self;

    fn read(node: &Node, reader: &mut PolicyReader) -> Option<Self> {
        let draft = TreeDraft::read(reader.table(node)?, reader);
        let mut ids = Vec::new();
        for key in ["questions", "leaves"] {
            if let Some(list) = node.key(key) {
                ids.extend(texts(list, &format!("{}/{key}", reader.path()), "id"));
            }
        }
        reader.unique("question or leaf", &ids);
        let (root, questions, leaves) = (draft.root, draft.questions?, draft.leaves?);
        if leaves.is_empty() {
            reader.fail_at::<()>("leaves", Problem::Empty { what: "leaf" });
        }
        let mut targets = BTreeMap::new();
        for (index, question) in questions.iter().enumerate() {
            targets.insert(question.id, Target::Question(index));
        }
        for (index, leaf) in leaves.iter().enumerate() {
            targets.insert(leaf.id, Target::Leaf(index));
        }
        let root = root.and_then(|root| resolved(root, "root", &targets, reader));
        let questions = reader.within("questions", |reader| {
            reader.all(questions, |reader, question| {
                let mut all_known = true;
                let question = question.with(|name, place| {
                    let target = resolved(name, place, &targets, reader);
                    all_known &= target.is_some();
                    target.unwrap_or(Target::Leaf(0))
                });
                all_known.then_some(question)
            })
        });
        Some(Self { root: root?, questions: questions?, leaves })
    }
    fn write(value: &Self, style: Style) -> Node {
        let named = |question: &Question| question.clone().with(|target, _| value.id(target));
        TreeDraft {
            root: Some(value.id(value.root)),
            questions: Some(value.questions.iter().map(named).collect()),
            leaves: Some(value.leaves.clone()),
        }
        .write(style)
    }
    fn schema(definitions: &mut Definitions) -> Schema {
        Self::refer(definitions)
    }
}

fn resolved(
    name: Name,
    place: &str,
    targets: &BTreeMap<Name, Target>,
    reader: &mut PolicyReader,
) -> Option<Target> {
    if let Some(target) = targets.get(&name) {
        return Some(*target);
    }
    let nearest = reader.nearest(name.as_str(), targets.keys().map(Name::as_str));
    let nearest = nearest.map(str::to_owned);
    let place = format!("{}/{place}", reader.path());
    reader.fail_at_path(&place, Problem::UnknownTarget { name: shown(name.as_str()), nearest })
}
