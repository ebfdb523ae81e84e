//! Messages and the report: what they say and what they promise (COMM-1, COMM-2, POST-1).

use crate::fact::Condition;
use crate::grade::{Audience, MessageKind, Promised, Severity};
use crate::unit::{Name, Span};

use super::Due;

/// The fields that the text of a message may name, in braces: `{{ title }}` (COMM-1).
///
/// Another name is no error when a policy is read: the linter reports it.
pub const MESSAGE_FIELDS: &[&str] = &[
    "incident_id",
    "title",
    "severity",
    "severity_label",
    "service",
    "impact",
    "affected",
    "users_affected",
    "began_at",
    "detected_at",
    "started_at",
    "deployed_at",
    "resolved_at",
    "now",
    "commander",
    "engineer",
    "approvers",
    "action",
    "version",
    "previous",
    "strategy",
    "shares",
    "phase",
    "share",
    "duration",
    "downtime",
    "cause",
    "fix",
    "reason",
    "status",
    "next_step",
    "next_update",
    "eta",
    "channel",
    "status_page",
    "dashboard",
    "metrics",
    "timeline",
    "review_at",
    "rollback_eta",
    "watch_for",
    "url",
];

/// A message's template (COMM-1).
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its id, unique among the messages.
    pub id: Name,
    /// What it is about.
    pub kind: MessageKind,
    /// Who reads it.
    pub audience: Audience,
    /// Its text, with fields in braces: `{{ title }}`.
    pub text: String,
    /// The severities that it is for, each once; empty: all.
    pub severities: Vec<Severity>,
    /// It is only sent where this holds; none: always.
    pub when: Option<Condition>,
    /// The times that the text promises.
    pub promises: Vec<Promise>,
}

impl Message {
    /// The fields that its text names, in the order of the text, each as often as it stands there.
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
        // A text that was read has been checked; of one that was not, what comes before the fault is listed.
        placeholders(&self.text).map_while(Result::ok).collect()
    }
}

/// A placeholder that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BrokenPlaceholder {
    /// What is wrong.
    pub(crate) detail: &'static str,
    /// The byte at which its braces open.
    pub(crate) at: usize,
}

/// The names in double braces, without the white space around them.
pub(crate) fn placeholders(text: &str) -> impl Iterator<Item = Result<&str, BrokenPlaceholder>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = from + text.get(from..)?.find("{{")?;
        let inside = text.get(at + 2..)?;
        let end = inside.find("}}");
        // Braces that open again before these close belong to the next placeholder.
        let again = inside.find("{{").unwrap_or(inside.len());
        let Some(end) = end.filter(|end| *end < again) else {
            from = text.len();
            return Some(Err(BrokenPlaceholder { detail: "a placeholder is not closed", at }));
        };
        from = at + 2 + end + 2;
        match inside.get(..end)?.trim() {
            "" => Some(Err(BrokenPlaceholder { detail: "a placeholder names no field", at })),
            name => Some(Ok(name)),
        }
    })
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
