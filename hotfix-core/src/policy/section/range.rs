//! Numbers of which only a range is accepted, and lists with at least one entry: the reader, the
//! schema and the reference page have the range from here.

use super::phase::PhasesOrNone;
use crate::document::{Node, Value};
use crate::policy::error::Problem;
use crate::policy::extend::TopLevelKey;
use crate::policy::field::{List, Number, out_of_range};
use crate::policy::reader::{Field, Narrowed, PolicyReader};
use crate::policy::schema::{Definitions, Schema};
use crate::sorting::remove;
use crate::unit::{Proportion, Ratio, RoleName, Share};
use serde_json::json;

/// Types of which only some values are accepted: which, what is expected instead of another one, and
/// the keywords of the schema.
macro_rules! ranges {
    ($($field:ident of $of:ty: |$value:ident| $fits:expr, $range:literal, $keywords:tt;)*) => {$(
        pub(super) struct $field;

        impl Narrowed for $field {
            type Of = $of;

            fn check(
                $value: <$of as Field>::Out,
                _: &Node,
                reader: &mut PolicyReader,
            ) -> Option<<$of as Field>::Out> {
                if $fits { Some($value) } else { out_of_range(&$value, $range, reader) }
            }

            fn schema_of(definitions: &mut Definitions) -> Schema {
                bounded(<$of>::schema(definitions), &json!($keywords))
            }
        }
    )*};
}

ranges! {
    AtLeastOne of Ratio: |ratio| ratio.value() >= 1.0, "a number of at least 1", { "minimum": 1 };
    AboveOne of Ratio: |ratio| ratio.value() > 1.0, "a number above 1", { "exclusiveMinimum": 1 };
    AtMostOne of Ratio: |ratio| ratio.value() <= 1.0, "a number above 0 and at most 1",
        { "maximum": 1 };
    OneToThousand of Ratio: |ratio| (1.0..=1_000.0).contains(&ratio.value()),
        "a number from 1 to 1000", { "minimum": 1, "maximum": 1_000 };
    Chance of Proportion: |chance| chance.as_fraction() > 0.0 && chance.as_fraction() < 1.0,
        "a share above 0 and below 1, as in \"1%\"",
        { "exclusiveMinimum": 0, "exclusiveMaximum": 1 };
    SomeTraffic of Share: |share| share > Share::NONE, "a share above 0, at least \"0.01%\"",
        { "exclusiveMinimum": 0 };
    PartOfTraffic of Share: |share| share > Share::NONE && share < Share::ALL,
        "a share above 0 and below 100%: after the steps the old version has all traffic",
        { "exclusiveMinimum": 0, "exclusiveMaximum": 1 };
    NotNegative of Number: |number| number >= 0.0, "a number of at least 0", { "minimum": 0 };
    UpToThousand of Number: |number| number.fract() == 0.0 && (1.0..=1_000.0).contains(&number),
        "a whole number from 1 to 1000", { "type": "integer", "minimum": 1, "maximum": 1_000 };
}

/// The schema of a number, or of a number or a text, with these keywords for the number.
fn bounded(mut schema: Schema, keywords: &Schema) -> Schema {
    let forms = schema.get_mut("anyOf").and_then(Schema::as_array_mut);
    let number = match forms.and_then(|forms| forms.first_mut()) {
        Some(number) => number,
        None => &mut schema,
    };
    for (key, value) in keywords.as_object().into_iter().flatten() {
        // The two limits of one side exclude each other.
        let other = match key.as_str() {
            "exclusiveMinimum" => "minimum",
            "exclusiveMaximum" => "maximum",
            "minimum" => "exclusiveMinimum",
            _ => "",
        };
        if let Some(number) = number.as_object_mut() {
            remove(number, other);
            number.insert(key.clone(), value.clone());
        }
    }
    schema
}

/// Lists that have at least one entry, and what an entry is.
macro_rules! not_empty {
    ($($seen:vis $field:ident of $of:ty: $what:literal;)*) => {$(
        $seen struct $field;

        impl Narrowed for $field {
            type Of = $of;

            fn look(node: &Node, reader: &mut PolicyReader) {
                if matches!(&node.value, Value::List(items) if items.is_empty()) {
                    reader.fail::<()>(Problem::Empty { what: $what });
                }
            }

            fn schema_of(definitions: &mut Definitions) -> Schema {
                let mut schema = <$of>::schema(definitions);
                schema["minItems"] = 1.into();
                schema
            }
        }
    )*};
}

not_empty! {
    pub(super) Phases of PhasesOrNone: "phase";
    pub(super) Approvers of List<RoleName>: "role";
    pub(in crate::policy) TakenKeys of List<TopLevelKey>: "key to take";
}
