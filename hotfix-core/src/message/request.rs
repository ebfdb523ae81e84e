//! Request for a message.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::{Map, Value};

use crate::grade::{Audience, MessageKind};
use crate::policy::section::{MESSAGE_FIELDS, MessageField};
use crate::text::{nearest, quoted, shown};
use crate::unit::Timestamp;

use super::{Format, MessageError, Offset};

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
    /// assert_eq!(Request::from_json(r#"{"kind": "resolvd"}"#).unwrap_err().code(), "HF-MSG-002");
    /// # Ok::<(), hotfix_core::message::MessageError>(())
    /// ```
    ///
    /// # Errors
    /// A [`MessageError`] other than `NoTime`, `Template` and `Untimely`.
    pub fn from_json(text: &str) -> Result<Self, MessageError> {
        let fault =
            |error: serde_json::Error| MessageError::Request { fault: shown(&error.to_string()) };
        Self::from_value(serde_json::from_str(text).map_err(fault)?)
    }

    /// Reads a request from a JSON value, like [`from_json`](Self::from_json).
    ///
    /// # Errors
    /// Those of [`from_json`](Self::from_json).
    pub fn from_value(value: Value) -> Result<Self, MessageError> {
        let Value::Object(mut object) = value else {
            return Err(MessageError::Request {
                fault: "the request is not a JSON object".to_owned(),
            });
        };
        let Some(kind) = known("kind", &mut object, MessageKind::ALL)? else {
            return Err(MessageError::Request { fault: "`kind` is missing".to_owned() });
        };
        let mut request = Self::new(kind);
        if let Some(audience) = known("audience", &mut object, Audience::ALL)? {
            request.audience = audience;
        }
        if let Some(format) = known("format", &mut object, Format::ALL)? {
            request.format = format;
        }
        if let Some(at) = text("at", &mut object)? {
            let fault =
                |error: crate::unit::UnitError| MessageError::Request { fault: error.to_string() };
            request.at = Some(at.parse().map_err(fault)?);
        }
        if let Some(offset) = text("utc_offset", &mut object)? {
            request.utc_offset = offset.parse()?;
        }
        match object.remove("draft") {
            None | Some(Value::Null) => {}
            Some(Value::Bool(draft)) => request.draft = draft,
            Some(_) => {
                return Err(MessageError::Request {
                    fault: "`draft` is neither true nor false".to_owned(),
                });
            }
        }
        match object.remove("values") {
            None | Some(Value::Null) => {}
            Some(Value::Object(values)) => {
                for (name, value) in values {
                    let Value::String(value) = value else {
                        let fault = format!("the value of `{}` is not a string", shown(&name));
                        return Err(MessageError::Request { fault });
                    };
                    request.values.insert(name, value);
                }
            }
            Some(_) => {
                return Err(MessageError::Request {
                    fault: "`values` is not an object".to_owned(),
                });
            }
        }
        if let Some(key) = object.keys().next() {
            let fault = format!("`{}` is not a key of a message request", shown(key));
            return Err(MessageError::Request { fault });
        }
        request.check()?;
        Ok(request)
    }

    /// Refuses values for unknown fields.
    pub(super) fn check(&self) -> Result<(), MessageError> {
        match self.values.keys().find(|name| MessageField::find(name).is_none()) {
            None => Ok(()),
            Some(name) => Err(MessageError::Field {
                nearest: nearest(name, MESSAGE_FIELDS.iter().map(|field| field.name)),
                name: shown(name),
            }),
        }
    }
}

/// The string under a key, where the key is set.
fn text(
    key: &'static str,
    object: &mut Map<String, Value>,
) -> Result<Option<String>, MessageError> {
    match object.remove(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(MessageError::Request { fault: format!("`{key}` is not a string") }),
    }
}

/// The member of a closed set under a key, where the key is set.
fn known<T: FromStr + ToString>(
    key: &'static str,
    object: &mut Map<String, Value>,
    all: &[T],
) -> Result<Option<T>, MessageError> {
    let Some(got) = text(key, object)? else { return Ok(None) };
    let names: Vec<String> = all.iter().map(ToString::to_string).collect();
    let unknown =
        MessageError::Unknown { what: key, got: shown(&got), known: quoted(&names, ", ") };
    got.parse().map(Some).map_err(|_| unknown)
}
