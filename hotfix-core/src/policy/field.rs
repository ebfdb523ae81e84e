//! The types of single values: how each is written, read and described.

use std::str::FromStr;

use crate::policy::schema::{Definitions, Schema};
use serde_json::json;

use super::error::{Problem, nearest, shown};
use super::reader::{Field, Narrowed, PolicyReader, Style};
use super::section::{Due, Model};
use crate::document::{DocumentFault, Node, Value};
use crate::fact::FactKind;
use crate::grade::{
    ActOn, Audience, BoundBase, Calendar, ChecklistMoment, DutyKind, EvidenceMode, Exclusions,
    GateMode, Hotfix, MetricKind, Moment, OnFailure, Otherwise, PromotionRule, Refactoring,
    Response, RevertTo, ReviewTime, Role, Severity, Strategy, WatchedFrom, Worse,
};
use crate::grade::{
    AdviceCheck, AdviceKind, BranchDuty, CommitField, CriterionAnswer, Flow, Grade, MergeKind,
    MessageKind, Promised, RollbackMethod, Sign, StepClock, SuccessGroup, TagForm, VcsStep,
    Versioning,
};
use crate::text::{MOST, any_number};
use crate::unit::{
    Date, MetricName, Name, PerMinute, PhaseName, Proportion, Ratio, RoleName, Share, Span,
    UnitError,
};

/// A duration, zero included.
pub(crate) struct Duration;
/// A duration above zero.
pub(crate) struct Lasting;
/// A finite number.
pub(crate) struct Number;
/// A text; an empty one is as if it were not there.
pub(crate) struct TextOrNone;
/// A whole number from 1 to a million.
pub(crate) struct HowMany;

impl HowMany {
    const MOST: f64 = 1_000_000.0;
}

/// A response that does not continue: hold, ask or roll back.
pub(crate) struct FailSafe;
/// Who ends the final validation: the engine or a person. It has no veto window.
pub(crate) struct LastGate;
/// The types of custom facts: all except times.
pub(crate) struct CustomFactKind;
/// Whether a hot-fix is needed if no rule fires: no or unknown.
pub(crate) struct NoRule;
pub(crate) struct List<F>(F);

/// Reads a text as a unit.
pub(super) fn as_unit<T: FromStr<Err = UnitError>>(
    text: &str,
    reader: &mut PolicyReader,
) -> Option<T> {
    text.parse().map_or_else(|error: UnitError| reader.fail(error), Some)
}

fn from_number<T>(read: Result<T, UnitError>, reader: &mut PolicyReader) -> Option<T> {
    read.map_or_else(|error| reader.fail(error), Some)
}

/// The human form if it reads back as the same value, otherwise the bare number.
fn written<T>(value: &T, number: f64, style: Style) -> Node
where
    T: ToString + FromStr + PartialEq,
{
    let text = value.to_string();
    match style {
        Style::Human if text.len() <= MOST && text.parse().is_ok_and(|read: T| read == *value) => {
            Node::from(text)
        }
        _ => Node::from(number),
    }
}

/// Types of single values: the forms in which each may be written and how these are read, what is
/// expected instead of another form, how a value is written, its schema, and an example.
macro_rules! values {
    ($($field:ty => $type:ty:
        |$node:ident, $reader:ident| { $($form:pat $(if $fits:expr)? => $read:expr,)+ } or $expected:expr,
        |$value:ident, $style:tt| $written:expr, $schema:expr, $example:literal;)*) => {$(
        impl Field for $field {
            type Out = $type;

            fn read($node: &Node, $reader: &mut PolicyReader) -> Option<$type> {
                match &$node.value {
                    $($form $(if $fits)? => $read,)+
                    _ => $reader.wrong_type($expected, $node),
                }
            }
            fn write($value: &$type, $style: Style) -> Node {
                $written
            }
            fn schema(_: &mut Definitions) -> Schema {
                $schema
            }
            fn example() -> String {
                $example.to_owned()
            }
        }
    )*};
}
pub(super) use values;

/// Values that are written as a number, or as a text with a unit.
macro_rules! units {
    ($($field:ty => $type:ty: $from:path, $to:path, $expected:literal, $schema:expr, $example:literal;)*) => {
        values! {$(
            $field => $type: |node, reader| {
                Value::Number(number) => from_number($from(*number), reader),
                Value::Text(text) => as_unit(text, reader),
            } or $expected, |value, style| written(value, $to(*value), style), $schema, $example;
        )*}
    };
}

/// Values that are written as a text.
macro_rules! texts {
    ($($type:ty: $expected:literal, $schema:expr, $example:literal;)*) => {
        values! {$(
            $type => Self: |node, reader| { Value::Text(text) => as_unit(text, reader), } or $expected,
                |value, _| Node::from(value.to_string()), $schema, $example;
        )*}
    };
}

units! {
    Duration => Span: Span::try_from_seconds, Span::as_seconds,
        "a duration, as in \"10min\" or seconds", duration(), "\"10min\"";
    Share => Self: Self::try_from_fraction, Self::as_fraction,
        "a share, as in 0.1 or \"10%\"", fraction(), "\"10%\"";
    Proportion => Self: Self::try_from_fraction, Self::as_fraction,
        "a share, as in 0.1 or \"10%\"", fraction(), "\"1%\"";
    PerMinute => Self: Self::try_new, Self::value,
        "a frequency, as in \"5/min\" or a number per minute", per_minute(), "\"5/min\"";
}

/// The two forms of a duration; `least` is the keyword for its smallest number.
fn durations(least: &str, pattern: &str) -> [Schema; 2] {
    [
        json!({ "type": "number", least: 0, "maximum": 864_000_000 }),
        json!({ "type": "string", "pattern": pattern }),
    ]
}

/// The pattern of a duration as a text.
const DURATION_PATTERN: &str = r"^\s*[0-9.]+\s*(ms|s|min|h|d)\s*$";

fn duration() -> Schema {
    json!({
        "description": "seconds, or a number with one of ms, s, min, h, d; at most 10000 d",
        "anyOf": durations("minimum", DURATION_PATTERN),
    })
}

fn fraction() -> Schema {
    json!({
        "description": "a fraction, or a percentage",
        "anyOf": [
            { "type": "number", "minimum": 0, "maximum": 1 },
            { "type": "string", "pattern": r"^\s*[0-9.eE+-]+\s*%?\s*$" },
        ],
    })
}

fn per_minute() -> Schema {
    json!({ "description": "a number per minute, or a number with /s, /min or /h",
        "anyOf": [{ "type": "number", "minimum": 0 }, { "type": "string" }] })
}

impl Narrowed for Lasting {
    type Of = Duration;

    fn check(span: Span, node: &Node, reader: &mut PolicyReader) -> Option<Span> {
        if span.is_zero() {
            let got = match &node.value {
                Value::Text(text) => text.clone(),
                Value::Number(seconds) => any_number(*seconds),
                _ => span.to_string(),
            };
            return reader.fail(UnitError::SpanRange { got });
        }
        Some(span)
    }

    fn schema_of(_: &mut Definitions) -> Schema {
        json!({
            "description": "seconds, or a number with one of ms, s, min, h, d; above 0 and at most 10000 d",
            "anyOf": durations(
                "exclusiveMinimum",
                r"^\s*[0-9.]*[1-9][0-9.]*\s*(ms|s|min|h|d)\s*$",
            ),
        })
    }
}

fn due(text: &str, reader: &mut PolicyReader) -> Option<Due> {
    if let Ok(day) = text.parse() {
        return Some(Due::Next(day));
    }
    match text.parse() {
        Ok(span) => Some(Due::Within(span)),
        Err(error @ UnitError::SpanRange { .. }) => reader.fail(error),
        Err(_) => {
            let nearest = nearest(text, Calendar::NAMES.iter().copied());
            reader.fail(Problem::Due { got: shown(text), nearest, known: Calendar::NAMES })
        }
    }
}

fn due_schema() -> Schema {
    let [seconds, text] = durations("minimum", DURATION_PATTERN);
    json!({
        "description": "seconds, a number with one of ms, s, min, h, d, or one of the days listed; at most 10000 d",
        "anyOf": [seconds, text, { "type": "string", "enum": Calendar::NAMES }],
    })
}

fn due_written(due: &Due, style: Style) -> Node {
    match due {
        Due::Within(span) => Duration::write(span, style),
        Due::Next(day) => Node::from(day.as_str()),
    }
}

pub(super) fn out_of_range<T>(
    got: &impl ToString,
    range: &'static str,
    reader: &mut PolicyReader,
) -> Option<T> {
    let got = got.to_string();
    let got = got.parse().map_or(got, any_number);
    reader.fail(DocumentFault::OutOfRange { got, range })
}

values! {
    Due => Self: |node, reader| {
        Value::Number(_) => Duration::read(node, reader).map(Self::Within),
        Value::Text(text) => due(text, reader),
    } or "a duration, or a day as in \"next_sprint\"",
        |value, style| due_written(value, style), due_schema(), "\"2h\"";
    Ratio => Self: |node, reader| {
        Value::Number(ratio) => from_number(Self::try_new(*ratio), reader),
    } or "a number above 0", |value, _| Node::from(value.value()),
        json!({ "description": "a ratio", "type": "number", "exclusiveMinimum": 0 }), "2.0";
    Number => f64: |node, reader| {
        Value::Number(number) if number.is_finite() => Some(*number),
        Value::Number(number) => out_of_range(number, "a finite number", reader),
    } or "a number", |value, _| Node::from(*value), json!({ "type": "number" }), "0.5";
    bool => Self: |node, reader| { Value::Flag(flag) => Some(*flag), } or "true or false",
        |value, _| Node::from(*value), json!({ "type": "boolean" }), "true";
    String => Self: |node, reader| {
        Value::Text(text) if text.chars().all(|c| c.is_whitespace() || c == '\u{feff}') => {
            let expected = "a text with at least one visible character";
            reader.fail(DocumentFault::WrongType { expected, got: "a blank text".to_owned() })
        },
        Value::Text(text) => Some(text.clone()),
    } or "a text", |value, _| Node::from(value.clone()), json!({ "type": "string", "pattern": "\\S" }),
        "\"…\"";
    TextOrNone => String: |node, reader| { Value::Text(text) => Some(text.clone()), } or "a text",
        |value, _| Node::from(value.clone()), json!({ "type": "string" }), "\"…\"";
}

impl Field for HowMany {
    type Out = u32;

    fn read(node: &Node, reader: &mut PolicyReader) -> Option<u32> {
        let number = Number::read(node, reader)?;
        if number.fract() == 0.0 && (1.0..=Self::MOST).contains(&number) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "in range"
            )]
            return Some(number as u32);
        }
        out_of_range(&number, "a whole number from 1 to 1000000", reader)
    }
    fn write(value: &u32, _: Style) -> Node {
        Node::from(f64::from(*value))
    }
    fn schema(_: &mut Definitions) -> Schema {
        json!({ "type": "integer", "minimum": 1, "maximum": Self::MOST })
    }
}

/// The pattern of `unit::Name`.
pub(super) const NAME_PATTERN: &str = "^[a-z][a-z0-9_-]{0,30}$";

fn name() -> Schema {
    json!({ "type": "string", "pattern": NAME_PATTERN })
}

fn date() -> Schema {
    json!({ "description": "year, month and day, as in \"2025-10-14\"",
        "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" })
}

texts! {
    Name: "a name", name(), "\"payments\"";
    PhaseName: "a name", name(), "\"canary\"";
    MetricName: "a name", name(), "\"error_rate\"";
    RoleName: "a name", name(), "\"incident_commander\"";
    Date: "a date, as in \"2025-10-14\"", date(), "\"2025-10-14\"";
}

/// Closed sets, and after the semicolon parts of one with some of its values.
macro_rules! closed_sets {
    (@ $field:ty => $type:ty, $names:expr) => {
        impl Field for $field {
            type Out = $type;

            fn read(node: &Node, reader: &mut PolicyReader) -> Option<$type> {
                let index = reader.name_of(node, $names)?;
                $names.get(index)?.parse().ok()
            }
            fn write(value: &$type, _: Style) -> Node {
                Node::from(value.as_str())
            }
            fn schema(_: &mut Definitions) -> Schema {
                json!({ "type": "string", "enum": $names })
            }
            fn example() -> String {
                format!("\"{}\"", $names[0])
            }
        }
    };
    ($($whole:ident)+; $($part:ident => $type:ident: $($value:ident)+;)+) => {
        $(closed_sets! { @ $whole => $whole, $whole::NAMES })+
        $(closed_sets! { @ $part => $type, &[$($type::$value.as_str()),+] })+
    };
}

closed_sets! {
    Strategy GateMode WatchedFrom PromotionRule EvidenceMode Otherwise Response MetricKind Worse
    Role Model Severity DutyKind ChecklistMoment ReviewTime OnFailure RevertTo Refactoring Moment
    Audience ActOn Exclusions MessageKind Promised Grade StepClock AdviceKind AdviceCheck Sign
    SuccessGroup BranchDuty CriterionAnswer RollbackMethod Flow VcsStep Versioning TagForm
    MergeKind CommitField;
    FailSafe => Response: Hold Ask RollBack;
    LastGate => GateMode: Automatic Manual;
    CustomFactKind => FactKind: Flag Share Duration Number Text;
    NoRule => Hotfix: No Unknown;
    // A ratio cannot refer to an absolute figure.
    BoundBase => BoundBase: Reference Live;
}

impl<F: Field> Field for List<F> {
    type Out = Vec<F::Out>;

    fn read(node: &Node, reader: &mut PolicyReader) -> Option<Self::Out> {
        let Value::List(items) = &node.value else {
            return reader.wrong_type("a list", node);
        };
        reader.all(items, |reader, item| F::read(item, reader))
    }
    fn write(value: &Self::Out, style: Style) -> Node {
        Node::from(value.iter().map(|item| F::write(item, style)).collect::<Vec<_>>())
    }
    fn schema(definitions: &mut Definitions) -> Schema {
        let items = F::schema(definitions);
        json!({ "type": "array", "items": items })
    }
    fn example() -> String {
        "[…]".to_owned()
    }
}
