//! Messages and the report: what they say and what they promise (COMM-1, COMM-2, POST-1).

use crate::fact::Condition;
use crate::grade::{Audience, MessageKind, Promised, Severity};
use crate::unit::{Name, Span};

use super::Due;

/// A message's template (COMM-1).
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its id, unique among the messages.
    pub id: Name,
    /// What it is about.
    pub kind: MessageKind,
    /// Who reads it.
    pub audience: Audience,
    /// Its text, with fields in braces: `{{ title }}`; every field is one that its audience may read.
    pub text: String,
    /// The severities that it is for, each once; empty: all.
    pub severities: Vec<Severity>,
    /// It is only sent where this holds; none: always.
    pub when: Option<Condition>,
    /// The times that the text promises.
    pub promises: Vec<Promise>,
}

impl Message {
    /// The fields that its text names, in the order of the text, each as often as it stands there; those of conditions and
    /// loops among them.
    ///
    /// ```
    /// use hotfix_core::grade::{Audience, MessageKind};
    /// use hotfix_core::policy::section::Message;
    /// let message = Message {
    ///     id: "start".parse()?,
    ///     kind: MessageKind::DeploymentStarted,
    ///     audience: Audience::Responders,
    ///     text: "{{ title }}: {{version}} goes out".to_owned(),
    ///     severities: Vec::new(),
    ///     when: None,
    ///     promises: Vec::new(),
    /// };
    /// assert_eq!(message.fields(), ["title", "version"]);
    /// # Ok::<(), hotfix_core::unit::UnitError>(())
    /// ```
    pub fn fields(&self) -> Vec<&str> {
        crate::policy::template::read(&self.text, self.audience).fields
    }
}

/// A time that a message promises, to be held against what the policy plans (DEC-5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// What it is about.
    pub of: Promised,
    /// The least time that is named; none: only the most.
    pub least: Option<Span>,
    /// The most time that is named, at least `least`.
    pub most: Span,
}

/// The incident report (POST-1, POST-2, POST-3).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// When it is due, counted from the end of the incident.
    pub within: Option<Due>,
    /// Its sections, in order.
    pub sections: Vec<String>,
    /// The questions that it answers.
    pub questions: Vec<String>,
    /// The figures that it has.
    pub measures: Vec<String>,
    /// What an action item names.
    pub action_item: Vec<String>,
}
