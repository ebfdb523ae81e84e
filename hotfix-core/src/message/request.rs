//! Request for a message.

use std::collections::BTreeMap;

use crate::document::{DocumentErrors, DocumentReader, Node};
use crate::grade::{Audience, MessageKind};
use crate::policy::section::{MESSAGE_FIELDS, MessageField};
use crate::sorting::map_of;
use crate::text::{nearest, shown};
use crate::unit::Timestamp;

use super::{Format, MessageError, MessageErrors, Offset};

/// A request for one message: what it is about, for whom, in which format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Occasion of the message.
    pub kind: MessageKind,
    /// Audience. Default: responders.
    pub audience: Audience,
    /// Format. Default: text.
    pub format: Format,
    /// Time of the message: deadlines and expected times are relative to it. Default: the time of
    /// the rollout's last input.
    pub at: Option<Timestamp>,
    /// Offset of the readers' clocks from UTC. Default: times are in UTC.
    pub utc_offset: Offset,
    /// Values by field, in place of the rollout's values. A value of a field that the audience may
    /// not read is ignored.
    pub values: BTreeMap<String, String>,
    /// Whether the text is read in advance: it may be untrue in the current state, and its first
    /// line begins with `Draft:`. Default: false.
    pub draft: bool,
}

impl Request {
    /// Requests a message of this kind for responders, as text, in UTC.
    pub const fn new(kind: MessageKind) -> Self {
        Self {
            kind,
            audience: Audience::Responders,
            format: Format::Text,
            at: None,
            utc_offset: Offset::UTC,
            values: BTreeMap::new(),
            draft: false,
        }
    }

    /// Reads a request: `{"kind", "audience", "format", "at", "utc_offset", "values", "draft"}`. Only
    /// `kind` is required.
    ///
    /// ```
    /// use hotfix_core::message::{Audience, Request};
    /// let request = Request::from_json(
    ///     r#"{"kind": "resolved", "audience": "public", "utc_offset": "+01:00", "values": {"status_page": "https://status.example.org"}}"#,
    /// )?;
    /// assert_eq!(request.audience, Audience::Public);
    /// let errors = Request::from_json("{\"kind\": \"resolvd\",\n \"draft\": 1}").unwrap_err();
    /// let places: Vec<_> = errors.iter().map(|e| (e.code(), e.path(), e.line())).collect();
    /// assert_eq!(places, [("HF-MSG-002", "/kind", Some(1)), ("HF-MSG-001", "/draft", Some(2))]);
    /// # Ok::<(), hotfix_core::message::MessageErrors>(())
    /// ```
    ///
    /// # Errors
    /// All faults, each with line and column.
    pub fn from_json(text: &str) -> Result<Self, MessageErrors> {
        Self::from_node(&Node::from_json(text, 0).map_err(DocumentErrors::of_family)?)
    }

    /// Reads a request from a JSON value, like [`from_json`](Self::from_json).
    ///
    /// # Errors
    /// Those of [`from_json`](Self::from_json), without line and column.
    pub fn from_value(value: &serde_json::Value) -> Result<Self, MessageErrors> {
        Self::from_node(&Node::from_value(value))
    }

    fn from_node(document: &Node) -> Result<Self, MessageErrors> {
        RequestReader::knowing(()).read(document, RequestReader::request)
    }

    /// Refuses values for unknown fields.
    pub(super) fn check(&self) -> Result<(), MessageError> {
        self.values.keys().try_for_each(|name| check_field(name))
    }
}

fn check_field(name: &str) -> Result<(), MessageError> {
    if MessageField::find(name).is_some() {
        return Ok(());
    }
    let nearest = nearest(name, MESSAGE_FIELDS.iter().map(|field| field.name));
    Err(MessageError::Field { nearest, name: shown(name) })
}

const KEYS: &[&str] = &["kind", "audience", "format", "at", "utc_offset", "values", "draft"];

type RequestReader = DocumentReader<MessageError>;

impl RequestReader {
    fn request(&mut self, root: &Node) -> Option<Request> {
        let table = self.table_of(root, KEYS)?;
        let kind = self.needed(table, "kind", Self::one_of);
        let audience = self.unless_null(table, "audience", Self::one_of);
        let format = self.unless_null(table, "format", Self::one_of);
        let at = self.unless_null(table, "at", Self::time);
        let utc_offset = self.unless_null(table, "utc_offset", |reader, node| {
            let offset = reader.text(node)?.parse();
            offset.map_or_else(|error: MessageError| reader.fail(error), Some)
        });
        let values = self.unless_null(table, "values", |reader, values| {
            reader.each_named(values, |reader, name, value| {
                if let Err(error) = check_field(name) {
                    return reader.fail(error);
                }
                Some((name.to_owned(), reader.text(value)?))
            })
        });
        let draft = self.unless_null(table, "draft", Self::flag);
        let usual = Request::new(kind?);
        Some(Request {
            audience: audience.unwrap_or(usual.audience),
            format: format.unwrap_or(usual.format),
            at,
            utc_offset: utc_offset.unwrap_or(usual.utc_offset),
            values: map_of(values.into_iter().flatten()),
            draft: draft.unwrap_or_default(),
            ..usual
        })
    }
}
