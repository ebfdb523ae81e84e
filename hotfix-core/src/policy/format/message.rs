//! Messages and the report (COMM-1, COMM-2, POST-1).

use schemars::{Schema, SchemaGenerator};

use super::entries::Entry;
use super::list::{Once, none};
use super::phase::no_rules;
use super::rule::at_least;
use super::severity::NamedSeverities;
use crate::fact::Condition;
use crate::grade::{Audience, MessageKind, Promised};
use crate::policy::error::Problem;
use crate::policy::field::{Duration, List};
use crate::policy::node::Node;
use crate::policy::reader::{Field, Reader, Style, section};
use crate::policy::section::{Due, Message, Promise, Report, placeholders};
use crate::unit::Name;

section! {
    plain
    /// A message's template (COMM-1).
    Message from MessageDraft, no_rules {
        /// Its id, unique.
        id: Name, [required];
        /// What it is about.
        kind: MessageKind, [required];
        /// Who reads it.
        audience: Audience, [required];
        /// Its text; a field stands in double braces, as in `{{ title }}`.
        text: MessageText, [required];
        /// The severities that it is for, each once. Where it is empty: all.
        severities: NamedSeverities, [default none()];
        /// It is only sent where this holds. Without it: always.
        when: Condition, [optional];
        /// The times that the text promises.
        promises: List<Promise>, [default none()];
    }
}

impl Entry for Message {
    const WHAT: &'static str = "message";
}

section! {
    plain
    /// A time that a message promises (DEC-5).
    Promise from PromiseDraft, promise_rules {
        /// What it is about.
        of: Promised, [required];
        /// The least time that is named; 0 or more. Without it: only the most.
        least: Duration, [optional];
        /// The most time that is named, at least `least`.
        most: Duration, [required];
    }
}

fn promise_rules(promise: &PromiseDraft, reader: &mut Reader) {
    at_least(reader, "most", promise.most, "least", promise.least.flatten());
}

/// A text whose placeholders can be read.
pub(super) struct MessageText;

impl Field for MessageText {
    type Out = String;

    fn read(node: &Node, reader: &mut Reader) -> Option<String> {
        let text = String::read(node, reader)?;
        let mut good = true;
        for broken in placeholders(&text).filter_map(Result::err) {
            let at = text.get(..broken.at).map_or(0, |before| before.chars().count()) + 1;
            reader.fail::<()>(Problem::Placeholder { detail: broken.detail, at });
            good = false;
        }
        good.then_some(text)
    }
    fn write(value: &String, style: Style) -> Node {
        String::write(value, style)
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        String::schema(generator)
    }
    fn example() -> &'static str {
        "\"{{ title }}: …\""
    }
}

section! {
    plain
    /// The incident report (POST-1, POST-2, POST-3).
    Report from ReportDraft, no_rules {
        /// When it is due, counted from the end of the incident. Without it: not said.
        within: Due, [optional];
        /// Its sections, in order, each once.
        sections: Once<String>, [default none()];
        /// The questions that it answers, each once.
        questions: Once<String>, [default none()];
        /// The figures that it has, each once.
        measures: Once<String>, [default none()];
        /// What an action item names, each once.
        action_item: Once<String>, [default none()];
    }
}
