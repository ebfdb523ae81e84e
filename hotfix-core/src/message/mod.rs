//! Messages rendered from the state of a rollout, for every occasion, audience and format.
//!
//! [`Rollout::message`](crate::rollout::Rollout::message) writes one.
//!
//! The template is the policy's first one that fits kind, audience, severity and facts, else the
//! one of the preset `standard`, which has one for each kind and audience. `context.rs` computes
//! the values that the audience may read, `render.rs` turns template and values into lines, and
//! each format escapes them, so that no value is read as markup.

mod before;
mod chat;
mod context;
mod describe;
mod error;
pub(crate) mod escape;
mod known;
mod reason;
mod render;
mod request;
mod seen;
mod zone;

pub use error::{MessageError, MessageErrors};
pub use request::Request;
pub use zone::Offset;

use std::fmt;
use std::sync::LazyLock;

use serde_json::Value;

use crate::grade::closed_set;
pub use crate::grade::{Audience, MessageKind};
use crate::policy::Policy;
use crate::policy::section::Message;
use crate::rollout::Rollout;
use crate::text::{brief, escaped_markdown, quoted};
use crate::unit::Timestamp;

use render::{Line, TemplatePart};

closed_set! {
    /// Format of a message.
    Format {
        Text = "text",
        Markdown = "markdown",
        /// Slack: the body of an incoming webhook, with Block Kit blocks.
        Slack = "slack",
        /// Microsoft Teams: the body of a webhook, with an Adaptive Card.
        Teams = "teams",
        /// `PagerDuty`: an event of its Events API v2, without the routing key.
        PagerDuty = "pagerduty",
    }
}

/// A rendered message, ready to be sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Rendered {
    /// Text or Markdown, without a line feed at its end.
    Text(String),
    /// The JSON document that the service accepts.
    Json(Value),
}

impl fmt::Display for Rendered {
    /// The text, or the document as JSON in one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Json(document) => write!(f, "{document}"),
        }
    }
}

/// The preset whose templates are used where a policy has none: one for each kind and audience.
static STANDARD: LazyLock<Option<Policy>> = LazyLock::new(|| Policy::preset("standard").ok());

/// Template used where each line of a message would print a field without a value.
const FALLBACK: &str = "{% if title %}{{ title }}{% elif service %}{{ service }}{% else %}Incident{% endif %}\
    {% if status %}: {{ status }}{% endif %}";

impl Rollout {
    /// Renders the message for an occasion and an audience, as of the last input, in UTC.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::message::{Audience, Format, MessageKind};
    /// use hotfix_core::{plan::Plan, policy::Policy, rollout::{Input, Recording, Rollout}};
    ///
    /// let plan = Plan::from_json(
    ///     Arc::new(Policy::preset("standard")?),
    ///     r#"{"id": "INC-2041", "service": "Payments", "severity": "P1", "detected_at": "2026-03-03T14:06:00Z"}"#,
    ///     r#"{"version": "2.3.1", "previous": "2.3.0"}"#,
    ///     "",
    /// )?;
    /// let mut rollout = Rollout::try_new(plan, Recording::Keep, "")?;
    /// let note = Input::from_json(r#"{"kind": "note", "by": "lena", "text": "payments fail"}"#)?;
    /// rollout.handle("2026-03-03T14:08:00Z".parse()?, &note)?;
    /// let message = rollout.message(MessageKind::Alert, Audience::Public, Format::Text)?;
    /// assert_eq!(message.to_string(), "We are investigating a problem with Payments");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`message_for`](Self::message_for).
    pub fn message(
        &self,
        kind: MessageKind,
        audience: Audience,
        format: Format,
    ) -> Result<Rendered, MessageError> {
        self.message_for(&Request { audience, format, ..Request::new(kind) })
    }

    /// Renders the requested message: at another time, with another offset from UTC, with further
    /// values.
    ///
    /// The title begins with service and incident, but for the public. A line that would print a
    /// field without a value is left out. If no line is left, the message is the title and the
    /// status, because no service accepts an empty message. The state is always the rollout's
    /// current state, whatever time is requested.
    ///
    /// # Errors
    /// [`MessageError::Untimely`] for a message that is not true in the current state, such as
    /// `resolved` before the incident is resolved; a [`draft`](Request::draft) may be.
    /// [`MessageError::Field`] for a value of an unknown field, [`MessageError::NoTime`] before the
    /// first input if the request has no time, [`MessageError::Template`] for a template that
    /// exceeds its limits.
    pub fn message_for(&self, request: &Request) -> Result<Rendered, MessageError> {
        request.check()?;
        if !request.draft && !self.is_timely(request.kind) {
            return Err(self.untimely(request.kind));
        }
        let at = request.at.or(self.now()).ok_or(MessageError::NoTime)?;
        let fields = context::fields(self, request, at);
        let render = |template: &str, message: String| {
            render::render(template, &fields)
                .map_err(|fault| MessageError::Template { message, fault })
        };
        let message = self.template(request);
        let mut lines = match message {
            Some(message) => render(&message.text, format!("`{}`", message.id))?,
            None => Vec::new(),
        };
        let names_incident = message.is_some_and(names_incident) && !lines.is_empty();
        if lines.is_empty() {
            lines = render(FALLBACK, "the fallback message".to_owned())?;
        }
        if let Some(first) = lines.first_mut() {
            let draft = if request.draft { "Draft: " } else { "" };
            let names = if names_incident { String::new() } else { render::addressed(&fields) };
            first.begin_with(&format!("{draft}{names}"));
        }
        Ok(shown(self, request, at, &lines))
    }

    fn untimely(&self, kind: MessageKind) -> MessageError {
        let timely = MessageKind::ALL.iter().filter(|kind| self.is_timely(**kind));
        let timely: Vec<_> = timely.map(|kind| kind.as_str()).collect();
        // A fix that was superseded may still have traffic.
        let on = self.former_version().map_or("the fix".to_owned(), brief);
        let traffic = format!("{} of the traffic on {on}", self.reach());
        let timely = quoted(&timely, ", ");
        MessageError::Untimely { kind, state: self.state(), traffic, timely }
    }

    /// The template that fits the worst that was known, else what is known now: from the policy, else
    /// from `standard`.
    fn template<'r>(&'r self, request: &Request) -> Option<&'r Message> {
        let severity = self.severity();
        let own = self.plan().policy().messages();
        let standard = STANDARD.as_ref().map_or(&[][..], Policy::messages);
        let of = |texts: &'r [Message], facts| {
            let Request { kind, audience, .. } = *request;
            let informed = self.plan().policy().classify(facts).informed();
            texts.iter().find(|text| text.is_for(kind, audience, severity, &informed))
        };
        let by_facts = |texts| of(texts, self.worst_facts()).or_else(|| of(texts, self.facts()));
        by_facts(own).or_else(|| by_facts(standard))
    }
}

/// Whether the text of a message names the incident itself, so that nothing is put before it.
fn names_incident(message: &Message) -> bool {
    message.fields().contains(&"incident_id")
}

/// Writes the lines in the requested format.
fn shown(rollout: &Rollout, request: &Request, at: Timestamp, lines: &[Line]) -> Rendered {
    match request.format {
        Format::Text => Rendered::Text(plain_text(lines)),
        Format::Markdown => Rendered::Text(in_markdown(lines)),
        Format::Slack => Rendered::Json(chat::slack(lines)),
        Format::Teams => Rendered::Json(chat::teams(lines)),
        Format::PagerDuty => Rendered::Json(chat::pagerduty(rollout, request, at, lines)),
    }
}

fn plain_text(lines: &[Line]) -> String {
    let line = |line: &Line| {
        if line.is_item { format!("- {}", line.text()) } else { line.text() }
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Markdown: the first line is bold, each other line a paragraph or a list item.
fn in_markdown(lines: &[Line]) -> String {
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        let follows = index > 0 && line.is_item && lines.get(index - 1).is_some_and(|l| l.is_item);
        text.push_str(match index {
            0 => "",
            _ if follows => "\n",
            _ => "\n\n",
        });
        let inside: String = line.parts.iter().map(markdown_part).collect();
        if index == 0 {
            text.extend(["**", inside.trim(), "**"]);
        } else {
            text.push_str(if line.is_item { "- " } else { "" });
            text.push_str(&inside);
        }
    }
    text
}

fn markdown_part(part: &TemplatePart) -> String {
    match part {
        TemplatePart::Address(address) => format!("<{address}>"),
        TemplatePart::Text(text) if text.trim().is_empty() => text.clone(),
        TemplatePart::Text(text) => {
            let blank = |is: bool| if is { " " } else { "" };
            let (before, after) = (text.starts_with(' '), text.ends_with(' '));
            format!("{}{}{}", blank(before), escaped_markdown(text.trim()), blank(after))
        }
    }
}
