//! Request for a message.

use std::collections::BTreeMap;

use crate::document::{DocumentErrors, DocumentReader, Node, document_table};
use crate::grade::{Audience, MessageKind};
use crate::policy::section::{MESSAGE_FIELDS, MessageField};
use crate::sorting::map_of;
use crate::text::{nearest, shown};
use crate::unit::Timestamp;

use super::{Format, MessageError, MessageErrors, Offset};

document_table! {
    RequestReader;
    /// A request for one message: what it is about, for whom, in which format.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Request {
        /// Occasion of the message.
        pub kind: MessageKind = RequestReader::one_of, needed;
        /// Audience. Default: responders.
        pub audience: Audience = RequestReader::one_of, nullable Audience::Responders;
        /// Format. Default: text.
        pub format: Format = RequestReader::one_of, nullable Format::Text;
        /// Time of the message: deadlines and expected times are relative to it. Default: the time
        /// of the rollout's last input.
        pub at: Option<Timestamp> = RequestReader::time, nullable;
        /// Offset of the readers' clocks from UTC. Default: times are in UTC.
        pub utc_offset: Offset = RequestReader::offset, nullable Offset::UTC;
        /// Values by field, in place of the rollout's values. A value of a field that the audience
        /// may not read is ignored.
        pub values: BTreeMap<String, String> = RequestReader::values, nullable BTreeMap::new();
        /// Whether the text is read in advance: it may be untrue in the current state, and its first
        /// line begins with `Draft:`. Default: false.
        pub draft: bool = RequestReader::flag, nullable false;
    }
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
        Self::from_document(&Node::from_json(text, 0).map_err(DocumentErrors::of_family)?)
    }

    /// Reads a request from a JSON value, like [`from_json`](Self::from_json).
    ///
    /// # Errors
    /// Those of [`from_json`](Self::from_json), without line and column.
    pub fn from_value(value: &serde_json::Value) -> Result<Self, MessageErrors> {
        Self::from_document(&Node::from_value(value))
    }

    fn from_document(document: &Node) -> Result<Self, MessageErrors> {
        RequestReader::knowing(()).read(document, Self::from_node)
    }

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

type RequestReader = DocumentReader<MessageError>;

impl RequestReader {
    fn offset(&mut self, node: &Node) -> Option<Offset> {
        let offset = self.text(node)?.parse();
        offset.map_or_else(|error: MessageError| self.fail(error), Some)
    }

    fn values(&mut self, node: &Node) -> Option<BTreeMap<String, String>> {
        let values = self.each_named(node, |reader, name, value| match check_field(name) {
            Ok(()) => Some((name.to_owned(), reader.text(value)?)),
            Err(error) => reader.fail(error),
        });
        values.map(map_of)
    }
}
