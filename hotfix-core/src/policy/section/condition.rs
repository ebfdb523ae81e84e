//! Conditions on facts, custom facts, and implications.

use super::list::by_own_name;
use crate::document::{Member, Node, Value};
use crate::fact::{
    Comparison, Condition, CustomFact, FactId, FactKind, FactValue, Operator, Vocabulary,
};
use crate::policy::error::{Problem, shown};
use crate::policy::field::{
    CustomFactKind, Duration, List, NAME_PATTERN, Number, TextOrNone, as_unit,
};
use crate::policy::reader::{Draft as _, Field, PolicyReader, Style, section};
use crate::policy::schema::{Definitions, Schema};
use crate::unit::{FactName, Name, Proportion};
use serde_json::json;

const KEYS: [&str; 9] =
    ["fact", "is", "above", "at_least", "below", "at_most", "all", "any", "not"];
const FORMS: &str = "a condition: the name of a flag as in \"service_down\", or a table with `fact` and comparisons such as `above`, or with one of `all`, `any`, `not`";

impl Field for Condition {
    type Out = Self;

    fn read(node: &Node, reader: &mut PolicyReader) -> Option<Self> {
        match &node.value {
            Value::Text(name) => {
                let fact = fact(name, reader)?;
                match reader.known.vocabulary.kind(fact) {
                    FactKind::Flag => Some(Self::flag(fact)),
                    kind => reader.fail(Problem::Comparison {
                        fact: fact.to_string(),
                        kind: kind.as_str(),
                        expected: operators(kind),
                    }),
                }
            }
            Value::Table(entries) => {
                let slots = reader.slots(&KEYS, entries);
                let [named, _, _, _, _, _, all, any, not] = slots[..] else { return None };
                let forms = [named, all, any, not].iter().flatten().count();
                let [all, any] = [("all", all), ("any", any)].map(|(key, node)| {
                    node.map(|node| reader.within(key, |reader| List::<Self>::read(node, reader)))
                });
                let not = not.map(|node| reader.within("not", |reader| Self::read(node, reader)));
                if forms != 1 || (named.is_none() && entries.len() > 1) {
                    return reader.fail(Problem::ConditionForm {});
                }
                match (named, all, any, not) {
                    (Some(named), ..) => {
                        let fact = reader.within("fact", |reader| match &named.value {
                            Value::Text(name) => fact(name, reader),
                            _ => reader.wrong_type("the name of a fact", named),
                        })?;
                        let comparisons = comparisons(fact, entries, reader)?;
                        if comparisons.is_empty() {
                            return reader.fail(Problem::ConditionForm {});
                        }
                        Some(Self::every(&comparisons))
                    }
                    (_, Some(all), ..) => all.map(Self::All),
                    (_, _, Some(any), _) => any.map(Self::Any),
                    (.., Some(not)) => not.map(|condition| Self::Not(Box::new(condition))),
                    (None, None, None, None) => None,
                }
            }
            _ => reader.wrong_type(FORMS, node),
        }
    }
    fn write(value: &Self, style: Style) -> Node {
        match value {
            Self::Compare(comparison) if comparison.value == FactValue::Flag(true) => {
                Node::from(comparison.fact.as_str())
            }
            Self::Compare(comparison) => Node::table([
                ("fact", Node::from(comparison.fact.as_str())),
                (comparison.operator.as_str(), written(&comparison.value, style)),
            ]),
            Self::All(conditions) => range(conditions, style)
                .unwrap_or_else(|| Node::table([("all", List::<Self>::write(conditions, style))])),
            Self::Any(conditions) => Node::table([("any", List::<Self>::write(conditions, style))]),
            Self::Not(condition) => Node::table([("not", Self::write(condition, style))]),
        }
    }
    fn schema(definitions: &mut Definitions) -> Schema {
        definitions.refer("Condition", schema)
    }
    fn example() -> String {
        "\"service_down\"".to_owned()
    }
}

/// Several comparisons of one fact as the one table that is read as them: so what is written is never
/// nested deeper than what was read.
fn range(conditions: &[Condition], style: Style) -> Option<Node> {
    let compared = conditions.iter().map(|condition| match condition {
        Condition::Compare(comparison) => Some(comparison),
        _ => None,
    });
    let all: Vec<&Comparison> = compared.collect::<Option<_>>()?;
    let is_one =
        |pair: &[&Comparison]| pair[0].fact == pair[1].fact && pair[0].operator < pair[1].operator;
    let fact = all.get(1)?.fact.as_str();
    let values = all.iter().map(|of| (of.operator.as_str(), written(&of.value, style)));
    let entries = std::iter::once(("fact", Node::from(fact))).chain(values);
    all.windows(2).all(is_one).then(|| Node::table(entries))
}

fn schema(definitions: &mut Definitions) -> Schema {
    let condition = Condition::schema(definitions);
    let value = json!({ "type": ["boolean", "number", "string"] });
    let list = json!({ "type": "array", "items": condition.clone() });
    json!({
        "description": FORMS,
        "anyOf": [
            { "type": "string", "pattern": NAME_PATTERN },
            { "type": "object", "required": ["fact"], "additionalProperties": false, "minProperties": 2,
              "properties": { "fact": { "type": "string", "pattern": NAME_PATTERN }, "is": value.clone(),
                "above": value.clone(), "at_least": value.clone(), "below": value.clone(), "at_most": value } },
            { "type": "object", "required": ["all"], "additionalProperties": false, "properties": { "all": list.clone() } },
            { "type": "object", "required": ["any"], "additionalProperties": false, "properties": { "any": list } },
            { "type": "object", "required": ["not"], "additionalProperties": false, "properties": { "not": condition } },
        ],
    })
}

pub(super) fn fact(name: &str, reader: &mut PolicyReader) -> Option<FactId> {
    if let Some(fact) = reader.known.vocabulary.find(name) {
        return Some(fact);
    }
    // Its declaration has an error of its own.
    if reader.known.faulty_facts.contains(name) {
        return None;
    }
    let nearest = reader.nearest(name, reader.known.vocabulary.names()).map(str::to_owned);
    reader.fail(Problem::UnknownFact { name: shown(name), nearest })
}

/// The comparisons of a table that names a fact; several must hold together.
pub(super) fn comparisons(
    fact: FactId,
    entries: &[Member],
    reader: &mut PolicyReader,
) -> Option<Vec<Comparison>> {
    let given = Operator::ALL.iter().zip(Operator::NAMES).filter_map(|(operator, key)| {
        let Member { node, .. } = entries.iter().find(|entry| entry.key == *key)?;
        Some(reader.within(key, |reader| comparison(fact, *operator, node, reader)))
    });
    // Each, also after an error: the rest may have more.
    let read: Vec<Option<Comparison>> = given.collect();
    read.into_iter().collect()
}

fn comparison(
    fact: FactId,
    operator: Operator,
    node: &Node,
    reader: &mut PolicyReader,
) -> Option<Comparison> {
    let kind = reader.known.vocabulary.kind(fact);
    let by_size = matches!(kind, FactKind::Share | FactKind::Duration | FactKind::Number);
    if kind == FactKind::Time || (operator != Operator::Is && !by_size) {
        let expected = operators(kind);
        return reader.fail(Problem::Comparison {
            fact: fact.to_string(),
            kind: kind.as_str(),
            expected,
        });
    }
    let value = match kind {
        FactKind::Flag => FactValue::Flag(bool::read(node, reader)?),
        FactKind::Share => FactValue::Share(Proportion::read(node, reader)?),
        FactKind::Duration => FactValue::Duration(Duration::read(node, reader)?),
        FactKind::Number => FactValue::Number(Number::read(node, reader)?),
        FactKind::Text | FactKind::Time => FactValue::Text(TextOrNone::read(node, reader)?),
    };
    Some(Comparison { fact, operator, value })
}

const fn operators(kind: FactKind) -> &'static str {
    match kind {
        FactKind::Flag => "`is`, with `true` or `false`",
        FactKind::Text => "`is`",
        FactKind::Share | FactKind::Duration | FactKind::Number => {
            "one of `is`, `above`, `at_least`, `below`, `at_most`"
        }
        FactKind::Time => "nothing: a condition cannot use a time",
    }
}

pub(super) fn written(value: &FactValue, style: Style) -> Node {
    match value {
        FactValue::Flag(flag) => Node::from(*flag),
        FactValue::Share(share) => Proportion::write(share, style),
        FactValue::Duration(span) => Duration::write(span, style),
        FactValue::Number(number) => Node::from(*number),
        FactValue::Text(text) => Node::from(text.clone()),
        FactValue::Time(time) => Node::from(time.to_string()),
    }
}

section! {
    draft
    /// A custom fact, in addition to the built-in ones.
    CustomFact as CustomFactDraft {
        /// The type of its values.
        kind: CustomFactKind, [required];
        /// The question for a person who knows the fact.
        ask: String, [required];
    }
}

/// The custom facts by name. They are read before everything that has conditions.
pub(super) struct CustomFacts;

impl Field for CustomFacts {
    type Out = Vocabulary;

    fn read(node: &Node, reader: &mut PolicyReader) -> Option<Vocabulary> {
        let read = reader.each_named(node, |reader, name, node| {
            let Some((name, fact)) = custom_fact(name, node, reader) else {
                reader.known.faulty_facts.insert(name.to_owned());
                return None;
            };
            reader.known.vocabulary.custom.insert(name, fact);
            Some(())
        })?;
        (read.len() == node.members().len()).then(|| reader.known.vocabulary.clone())
    }
    fn write(value: &Vocabulary, style: Style) -> Node {
        let entry = |(name, fact): (FactName, &CustomFact)| {
            let draft = CustomFactDraft { kind: Some(fact.kind), ask: Some(fact.ask.clone()) };
            (name.to_string(), draft.write(style))
        };
        Node::table(value.custom().map(entry))
    }
    fn schema(definitions: &mut Definitions) -> Schema {
        by_own_name(&CustomFact::refer(definitions))
    }
}

fn custom_fact(
    name: &str,
    node: &Node,
    reader: &mut PolicyReader,
) -> Option<(FactName, CustomFact)> {
    let fact = reader.table(node).and_then(|entries| {
        let draft = CustomFactDraft::read(entries, reader);
        Some(CustomFact { kind: draft.kind?, ask: draft.ask? })
    });
    let known = as_unit(name, reader)?;
    if Vocabulary::default().find(name).is_some() {
        return reader.fail(Problem::BuiltInFact { name: name.to_owned() });
    }
    Some((known, fact?))
}

section! {
    plain
    /// A statement that follows from another one. Facts that violate it contradict each other;
    /// unknown facts are assumed to satisfy it.
    pub Implication from ImplicationDraft {
        /// The id of the implication, unique.
        id: Name, [required];
        /// The premise.
        when: Condition, [required];
        /// The conclusion: it holds whenever the premise holds.
        then: Condition, [required];
        /// Whether the premise also follows from the conclusion.
        iff: bool, [default false];
    }
}
