//! The policy's record (DEC-7).

use schemars::{Schema, SchemaGenerator, json_schema};

use super::phase::no_rules;
use crate::grade::Moment;
use crate::policy::field::{Lasting, as_unit};
use crate::policy::node::Node;
use crate::policy::reader::{Field, Reader, Style, section};
use crate::policy::section::{Record, ReviewCycle, Slo, TimeRange};
use crate::unit::Date;

section! {
    plain
    /// What the policy says of itself (DEC-7).
    Record from RecordDraft, no_rules {
        /// The document that it is made from, in short.
        document: String, [default ""];
        /// Who keeps it.
        owner: String, [default ""];
        /// The day of its last change. Without it: not known.
        changed: Date, [optional];
        /// What sets it in motion, for people.
        trigger: String, [default ""];
        /// What the whole hot-fix is to be done within.
        slo: Slo, [optional];
        /// How long the whole is expected to take.
        estimate: TimeRange, [optional];
        /// When the policy is looked at again.
        review: ReviewCycle, [optional];
    }
}

section! {
    plain
    /// A service-level objective with its clock (POST-3).
    Slo from SloDraft, no_rules {
        /// What is measured, for people.
        name: String, [required];
        /// The time allowed.
        within: Lasting, [required];
        /// The moment at which the clock starts.
        from: Moment, [required];
        /// The moment at which it stops.
        to: Moment, [required];
    }
}

section! {
    plain
    /// When a policy is looked at again (DEC-7).
    ReviewCycle from ReviewCycleDraft, no_rules {
        /// At the latest this long after its last change. Without it: no rhythm.
        every: Lasting, [optional];
        /// After each hot-fix, too.
        after_each: bool, [default false];
    }
}

impl Field for Date {
    type Out = Self;

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match node {
            Node::Text(text) => as_unit(text, reader),
            _ => reader.wrong_type("a date, as in \"2025-10-14\"", node),
        }
    }
    fn write(value: &Self, _: Style) -> Node {
        Node::Text(value.to_string())
    }
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "year, month and day, as in \"2025-10-14\"",
            "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" })
    }
    fn example() -> &'static str {
        "\"2025-10-14\""
    }
}
