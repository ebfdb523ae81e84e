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
use crate::policy::section::{Due, Message, Promise, Report};
use crate::policy::template::{self, FaultKind};
use crate::text::shown;
use crate::unit::Name;

section! {
    plain
    /// A message's template (COMM-1).
    Message from MessageDraft, message_rules {
        /// Its id, unique.
        id: Name, [required];
        /// What it is about.
        kind: MessageKind, [required];
        /// Who reads it.
        audience: Audience, [required];
        /// Its text; a field stands in double braces, as in `{{ title }}`, and a line whose field has no value is left out.
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

/// A text names only fields that its audience may read, and has no other parts than templates have (COMM-2).
fn message_rules(message: &MessageDraft, reader: &mut Reader) {
    let Some(text) = &message.text else { return };
    // Where it is not known who reads it, that is told by itself.
    let audience = message.audience.unwrap_or(Audience::Responders);
    for fault in template::read(text, audience).faults {
        let line = fault.line;
        let problem = match fault.kind {
            FaultKind::Braces { detail, at } => {
                let at = text.get(..at).map_or(0, |before| before.chars().count()) + 1;
                Problem::Placeholder { detail, at }
            }
            FaultKind::Unknown { name, nearest } => {
                let fault = format!("`{}` is no field of messages", shown(name));
                Problem::MessageField { fault, line, nearest }
            }
            FaultKind::NotFor { name } => {
                let fault = format!("`{name}` is not for {audience}");
                Problem::MessageField { fault, line, nearest: None }
            }
            FaultKind::Form { detail } => Problem::Template { detail, line },
        };
        reader.fail_at::<()>("text", problem);
    }
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

/// A template; what it may say goes by who reads it.
pub(super) struct MessageText;

impl Field for MessageText {
    type Out = String;

    fn read(node: &Node, reader: &mut Reader) -> Option<String> {
        String::read(node, reader)
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
