//! What is asked for.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::{Map, Value};

use crate::grade::{Audience, MessageKind};
use crate::policy::section::{MESSAGE_FIELDS, MessageField};
use crate::text::{nearest, quoted, shown};
use crate::unit::Timestamp;

use super::{Format, MessageError, Offset};

/// What message is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// About what.
    pub kind: MessageKind,
    /// For whom. Default responders.
    pub audience: Audience,
    /// In which format. Default text.
    pub format: Format,
    /// Of which time: what is due and expected is read then. Default: the last time that the rollout knows.
    pub at: Option<Timestamp>,
    /// How far its readers' clocks are from UTC. Default: times are in UTC.
    pub utc_offset: Offset,
    /// Values by field, in place of what the rollout knows; of fields that the audience may not read nothing is used.
    pub values: BTreeMap<String, String>,
}

impl Request {
    /// A message of this kind for responders, as text, of the last time known, in UTC.
    pub const fn new(kind: MessageKind) -> Self {
        Self {
            kind,
            audience: Audience::Responders,
            format: Format::Text,
            at: None,
            utc_offset: Offset::UTC,
            values: BTreeMap::new(),
        }
    }

    /// Reads a request: `{"kind", "audience", "format", "at", "utc_offset", "values"}`, all but the kind optional.
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
    /// `HF-MSG-001` to `HF-MSG-004`.
    pub fn from_json(text: &str) -> Result<Self, MessageError> {
        let fault =
            |error: serde_json::Error| MessageError::Request { fault: shown(&error.to_string()) };
        Self::from_value(serde_json::from_str(text).map_err(fault)?)
    }

    /// [`from_json`](Self::from_json) of a value.
    ///
    /// # Errors
    /// As there.
    pub fn from_value(value: Value) -> Result<Self, MessageError> {
        let Value::Object(mut object) = value else {
            return Err(MessageError::Request { fault: "it is no JSON object".to_owned() });
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
        match object.remove("values") {
            None | Some(Value::Null) => {}
            Some(Value::Object(values)) => {
                for (name, value) in values {
                    let Value::String(value) = value else {
                        let fault = format!("the value of `{}` is no text", shown(&name));
                        return Err(MessageError::Request { fault });
                    };
                    request.values.insert(name, value);
                }
            }
            Some(_) => {
                return Err(MessageError::Request { fault: "`values` is no object".to_owned() });
            }
        }
        if let Some(key) = object.keys().next() {
            let fault = format!("`{}` is no part of it", shown(key));
            return Err(MessageError::Request { fault });
        }
        request.check()?;
        Ok(request)
    }

    /// Refuses values of fields that do not exist.
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

/// Text under a key, where there is one.
fn text(
    key: &'static str,
    object: &mut Map<String, Value>,
) -> Result<Option<String>, MessageError> {
    match object.remove(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(MessageError::Request { fault: format!("`{key}` is no text") }),
    }
}

/// A member of a closed set under a key, where there is one.
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
