//! The decision tree: questions about facts, answers, leaves.

use super::Due;
use super::condition::{comparisons, fact, written};
use super::entries::texts;
use super::list::none;
use super::severity::KnownSeverity;
use crate::document::Node;
use crate::fact::{Comparison, Condition, FactId};
use crate::grade::Severity;
use crate::policy::error::{Problem, nearest, shown};
use crate::policy::field::{List, NAME_PATTERN};
use crate::policy::reader::{Draft as _, Field, PolicyReader, Style, section};
use crate::policy::schema::{Definitions, Schema};
use crate::unit::Name;
use serde_json::json;
use std::collections::BTreeMap;

/// A decision tree. Its targets exist. The linter reports targets that cannot be reached, and
/// cycles.
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

/// One question.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The id, unique among questions and leaves.
    pub id: Name,
    /// The question for a person.
    pub ask: String,
    /// Where the answers lead.
    pub branches: Branches,
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
pub enum Branches {
    /// Yes or no.
    Condition {
        /// The condition that is asked about.
        when: Condition,
        /// Where yes leads, if anywhere.
        yes: Option<Target>,
        /// Where no leads, if anywhere.
        no: Option<Target>,
    },
    /// A value of one fact; the first answer that accepts it is used.
    Values {
        /// The fact.
        fact: FactId,
        /// The answers, at least one.
        answers: Vec<Answer>,
    },
}

/// One answer to a question about a fact.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The comparisons that a value has to satisfy; at least one.
    pub accepts: Vec<Comparison>,
    /// Where it leads.
    pub to: Target,
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
        /// Whether a hot-fix is needed; otherwise a scheduled release.
        hotfix: bool, [required];
        /// By when the fix has to be live, for people who decide by the tree. Plan and duties count
        /// by the duties of the severity, which also give the deadline without this key.
        deadline: Due, [optional];
    }
}

/// A question whose targets are still names.
#[derive(Clone)]
pub(super) struct Raw {
    id: Name,
    ask: String,
    branches: RawBranches,
}

#[derive(Clone)]
pub(super) enum RawBranches {
    Condition { when: Condition, yes: Option<Name>, no: Option<Name> },
    Values { fact: FactId, answers: Vec<(Vec<Comparison>, Name)> },
}

/// A question as it is read, before its targets are known.
pub(super) struct Asked;

impl Field for Asked {
    type Out = Raw;

    fn read(node: &Node, reader: &mut PolicyReader) -> Option<Raw> {
        let entries = reader.table(node)?;
        // The answers refer to the fact, so it has to be known when they are read.
        let named = node.key("fact").cloned();
        let about = named.as_ref().and_then(Node::as_text).map(str::to_owned);
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
                RawBranches::Condition { when, yes: draft.yes?, no: draft.no? }
            }
            (None, Some(fact)) if draft.yes?.is_none() && draft.no?.is_none() => {
                if answers.is_empty() {
                    return reader.fail(Problem::Empty { what: "answer" });
                }
                RawBranches::Values { fact, answers }
            }
            _ => return reader.fail(Problem::QuestionForm {}),
        };
        Some(Raw { id: draft.id?, ask: draft.ask?, branches })
    }
    fn write(value: &Raw, style: Style) -> Node {
        let mut draft = QuestionDraft {
            id: Some(value.id),
            ask: Some(value.ask.clone()),
            when: None,
            yes: None,
            no: None,
            fact: None,
            answers: None,
        };
        match &value.branches {
            RawBranches::Condition { when, yes, no } => {
                draft.when = Some(Some(when.clone()));
                (draft.yes, draft.no) = (Some(*yes), Some(*no));
            }
            RawBranches::Values { fact, answers } => {
                draft.fact = Some(Some(fact.to_string()));
                draft.answers = Some(answers.clone());
            }
        }
        draft.write(style)
    }
    fn schema(definitions: &mut Definitions) -> Schema {
        Question::refer(definitions)
    }
}

/// One answer about a fact: its comparisons and where it leads.
pub(super) struct Answered;

impl Field for Answered {
    type Out = (Vec<Comparison>, Name);

    fn read(node: &Node, reader: &mut PolicyReader) -> Option<Self::Out> {
        const KEYS: [&str; 6] = ["is", "above", "at_least", "below", "at_most", "to"];
        let entries = reader.table(node)?;
        let slots = reader.slots(&KEYS, entries);
        let to = reader.required::<Name>("to", slots.last().copied().flatten());
        // Without a fact there is nothing to compare; the question has the error.
        let named = Node::from(reader.known.asked_of.clone()?);
        let known = reader.known.vocabulary.find(named.as_text().unwrap_or_default());
        known?;
        let comparisons = comparisons(&named, entries, reader)?;
        if comparisons.is_empty() {
            return reader.fail(Problem::AnswerForm {});
        }
        Some((comparisons, to?))
    }
    fn write((accepts, to): &Self::Out, style: Style) -> Node {
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
        let root =
            root.and_then(|root| reader.within("root", |reader| resolved(root, &targets, reader)));
        let questions = reader.within("questions", |reader| {
            reader.all(questions, |reader, Raw { id, ask, branches }| {
                let branches = resolved_branches(branches, &targets, reader)?;
                Some(Question { id, ask, branches })
            })
        });
        Some(Self { root: root?, questions: questions?, leaves })
    }
    fn write(value: &Self, style: Style) -> Node {
        let name = |target: &Target| value.id(*target);
        let raw = |question: &Question| Raw {
            id: question.id,
            ask: question.ask.clone(),
            branches: match &question.branches {
                Branches::Condition { when, yes, no } => RawBranches::Condition {
                    when: when.clone(),
                    yes: yes.as_ref().map(name),
                    no: no.as_ref().map(name),
                },
                Branches::Values { fact, answers } => RawBranches::Values {
                    fact: *fact,
                    answers: answers.iter().map(|a| (a.accepts.clone(), name(&a.to))).collect(),
                },
            },
        };
        TreeDraft {
            root: Some(name(&value.root)),
            questions: Some(value.questions.iter().map(raw).collect()),
            leaves: Some(value.leaves.clone()),
        }
        .write(style)
    }
    fn schema(definitions: &mut Definitions) -> Schema {
        Self::refer(definitions)
    }
}

fn resolved_branches(
    raw: RawBranches,
    targets: &BTreeMap<Name, Target>,
    reader: &mut PolicyReader,
) -> Option<Branches> {
    match raw {
        RawBranches::Condition { when, yes, no } => {
            let mut target = |key, name: Option<Name>| match name {
                Some(name) => {
                    reader.within(key, |reader| resolved(name, targets, reader)).map(Some)
                }
                None => Some(None),
            };
            let (yes, no) = (target("yes", yes), target("no", no));
            Some(Branches::Condition { when, yes: yes?, no: no? })
        }
        RawBranches::Values { fact, answers } => {
            let answers = reader.within("answers", |reader| {
                reader.all(answers, |reader, (accepts, to)| {
                    let to = reader.within("to", |reader| resolved(to, targets, reader))?;
                    Some(Answer { accepts, to })
                })
            });
            Some(Branches::Values { fact, answers: answers? })
        }
    }
}

fn resolved(
    name: Name,
    targets: &BTreeMap<Name, Target>,
    reader: &mut PolicyReader,
) -> Option<Target> {
    if let Some(target) = targets.get(&name) {
        return Some(*target);
    }
    let nearest = nearest(name.as_str(), targets.keys().map(Name::as_str)).map(str::to_owned);
    reader.fail(Problem::UnknownTarget { name: shown(name.as_str()), nearest })
}
