//! Message templates and the incident report.

use crate::fact::{Condition, Facts, Truth};
use crate::grade::{Audience, MessageKind, Promised, Severity};
use crate::unit::{Name, Span};

use super::Due;

/// The template of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The id of the message, unique.
    pub id: Name,
    /// The occasion of the message.
    pub kind: MessageKind,
    /// Who reads the message.
    pub audience: Audience,
    /// The text, with fields in braces, as in `{{ title }}`. Its audience may read every field.
    pub text: String,
    /// The severities for which it is used, each once; empty: all.
    pub severities: Vec<Severity>,
    /// The condition under which it is used; none: always.
    pub when: Option<Condition>,
    /// Whether the text is a fallback: it is used where a message is asked for, and the rollout
    /// does not ask for a message because of it.
    pub fallback: bool,
    /// The times that the text promises.
    pub promises: Vec<Promise>,
}

impl Message {
    /// The fields in the text, in order and with repetitions, including those of conditions and
    /// loops.
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
    ///     fallback: false,
    ///     promises: Vec::new(),
    /// };
    /// assert_eq!(message.fields(), ["title", "version"]);
    /// # Ok::<(), hotfix_core::unit::UnitError>(())
    /// ```
    pub fn fields(&self) -> Vec<&str> {
        crate::policy::template::read(&self.text, self.audience).fields
    }

    /// Whether it is the text for this kind, audience, severity and these facts. A condition on
    /// unknown facts does not rule it out.
    pub fn is_for(
        &self,
        kind: MessageKind,
        audience: Audience,
        severity: Option<Severity>,
        facts: &Facts,
    ) -> bool {
        let severities = &self.severities;
        self.kind == kind
            && self.audience == audience
            && (severities.is_empty()
                || severity.is_some_and(|severity| severities.contains(&severity)))
            && self.when.as_ref().is_none_or(|when| when.holds(facts) != Truth::No)
    }
}

/// A time that a message promises, which the linter compares with the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// What the promise is about.
    pub of: Promised,
    /// The shortest time that is promised; none: only the longest.
    pub least: Option<Span>,
    /// The longest time that is promised, at least `least`.
    pub most: Span,
}

/// The incident report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// When the report is due, counted from the end of the incident.
    pub within: Option<Due>,
    /// The sections of the report, in order.
    pub sections: Vec<String>,
    /// The questions that the report answers.
    pub questions: Vec<String>,
    /// The measures in the report.
    pub measures: Vec<String>,
    /// The fields of an action item.
    pub action_item: Vec<String>,
}
