//! Message templates and the incident report.

use super::Due;
use super::list::{Once, none};
use super::severity::NamedSeverities;
use crate::fact::{Condition, FactId, Informed, Truth};
use crate::grade::{Audience, MessageKind, Promised, Severity};
use crate::policy::field::{Duration, List};
use crate::policy::reader::{PolicyReader, section};
use crate::policy::template;
use crate::unit::{Name, Span};

impl Message {
    /// The fields in the text in order, with repetitions and those of conditions and loops.
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
        template::read(&self.text, self.audience).fields
    }

    /// Whether it is the text for this kind, audience, severity and these facts. A condition on
    /// unknown facts does not rule it out.
    pub(crate) fn is_for(
        &self,
        kind: MessageKind,
        audience: Audience,
        severity: Option<Severity>,
        facts: &Informed<'_>,
    ) -> bool {
        self.kind == kind
            && self.audience == audience
            && severity.map_or(self.severities.is_empty(), |of| self.is_for_severity(of))
            && self.when.as_ref().is_none_or(|when| facts.holds(when) != Truth::No)
    }

    /// Whether it is a text for incidents of this severity.
    pub(crate) fn is_for_severity(&self, severity: Severity) -> bool {
        self.severities.is_empty() || self.severities.contains(&severity)
    }

    /// Whether it fits wherever this later text does, which is then never used.
    pub(crate) fn hides(&self, later: &Self) -> bool {
        let is_for_its_severities = self.severities.is_empty()
            || !later.severities.is_empty()
                && later.severities.iter().all(|severity| self.is_for_severity(*severity));
        (self.kind, self.audience) == (later.kind, later.audience)
            && self.when.is_none()
            && is_for_its_severities
    }

    /// The facts without which it is not known whether its condition holds.
    pub(crate) fn missing(&self, facts: &Informed<'_>) -> Vec<FactId> {
        self.when.as_ref().map(|when| facts.missing(when)).unwrap_or_default()
    }
}

section! {
    plain
    /// The template of a message.
    pub Message from MessageDraft, message_rules {
        /// The id of the message, unique.
        id: Name, [required];
        /// The occasion of the message.
        kind: MessageKind, [required];
        /// Who reads the message.
        audience: Audience, [required];
        /// The text. Fields are in double braces, as in `{{ title }}`; a line with a field that has
        /// no value is left out.
        text: String, [required];
        /// The severities for which it is used, each once; empty: all.
        severities: Vec<Severity> as NamedSeverities, [default none()];
        /// The condition under which it is used. Without this key always.
        when: Condition, [optional];
        /// Whether the text is a fallback: it is used where somebody asks for such a message, and
        /// the rollout does not ask for one because of it. The status page is asked for where a text
        /// for the public fits that is no fallback.
        fallback: bool, [default false];
        /// The times that the text promises, which the linter compares with the plan.
        promises: Vec<Promise> as List<Promise>, [default none()];
    }
}

/// Checks that a text is in the template language, with fields that its audience may read.
fn message_rules(message: &MessageDraft, reader: &mut PolicyReader) {
    let Some(text) = &message.text else { return };
    // A missing audience has an error of its own.
    let audience = message.audience.unwrap_or(Audience::Responders);
    for problem in template::read(text, audience).faults {
        reader.fail_at::<()>("text", problem);
    }
}

section! {
    plain
    /// A time that a message promises.
    pub Promise: Copy + Eq from PromiseDraft {
        /// What the promise is about.
        of: Promised, [required];
        /// The shortest time that is promised; 0 or more. Without this key only the longest is
        /// promised.
        least: Span as Duration, [optional];
        /// The longest time that is promised, at least `least`.
        most: Span as Duration, [required] at least least;
    }
}

section! {
    plain
    /// The incident report.
    pub Report: Default from ReportDraft {
        /// When the report is due, counted from the end of the incident. A duty to `write` from
        /// `resolved`, without a condition and due by then, takes its place. Without this key it has no
        /// due time.
        within: Due, [optional];
        /// The sections that you expect of the report, each once. One that it does not have by itself is
        /// added, with what people note under its name. The report has an order of its own.
        sections: Vec<String> as Once<String>, [default none()];
        /// The questions that the report answers, each once.
        questions: Vec<String> as Once<String>, [default none()];
        /// The figures that you expect of the report, each once: it lists them below its measures, of
        /// which it always has all.
        measures: Vec<String> as Once<String>, [default none()];
        /// What an action item needs, each once: the report lists the items that lack `owner`, `deadline`,
        /// `success criterion`, or another text that a note has with a colon, as in `ticket: 4711`.
        /// Empty: the first three.
        action_item: Vec<String> as Once<String>, [default none()];
    }
}
