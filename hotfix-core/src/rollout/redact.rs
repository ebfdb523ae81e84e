//! Redaction of names in a log: the chain holds without them.

use serde_json::{Map, Value};

use crate::canonical::{Digest, with_personal};
use crate::gate::is_same_person;

use super::log::{LogError, LogFault};

/// What is redacted in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Redaction {
    /// All personal values and the salt: then the name of a digest cannot be found by trying names.
    Everything,
    /// These people: their names, however their case, and how they are reached. `Name <address>`
    /// goes by either part. The salt stays, as other names need it; so whoever has the log can
    /// still try a name on a digest.
    Names(Vec<String>),
}

/// The log without personal values: what is hashed, and members of newer releases, stay as they
/// are. Lines are written in canonical form. A second time changes nothing.
///
/// Only values in `personal` are redacted. Texts that people wrote (`why`, `note`, a title) are
/// hashed and stay.
///
/// # Errors
/// [`LogError`] with the first line at which the chain is broken, for a log without a line, and for
/// an incomplete last line.
///
/// ```
/// use std::sync::Arc;
/// use hotfix_core::{plan::Plan, policy::Policy};
/// use hotfix_core::rollout::{Input, Recording, Redaction, Rollout, redact};
///
/// let plan = Plan::from_json(
///     Arc::new(Policy::preset("phased-canary")?),
///     r#"{"id": "INC-2041"}"#,
///     r#"{"version": "2.3.1", "previous": "2.3.0", "author": "Lena Ode <lena@example.org>"}"#,
///     "",
/// )?;
/// let mut rollout = Rollout::try_new(plan, Recording::Keep, "b7c1f09a")?;
/// let note = r#"{"kind": "note", "by": "omar", "text": "on it"}"#;
/// rollout.handle("2026-03-03T14:40:00Z".parse()?, &Input::from_json(note)?)?;
///
/// let lena = Redaction::Names(vec!["lena ode".to_owned()]);
/// let without_lena = redact(rollout.log().as_bytes(), &lena)?;
/// assert!(!without_lena.contains("Lena") && without_lena.contains("omar"));
/// let without_anybody = redact(without_lena.as_bytes(), &Redaction::Everything)?;
/// assert!(!without_anybody.contains("omar") && !without_anybody.contains("b7c1f09a"));
/// let again = Rollout::replay(without_anybody.as_bytes(), Recording::Off)?;
/// assert_eq!(again.state(), rollout.state());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn redact(log: &[u8], redaction: &Redaction) -> Result<String, LogError> {
    let mut out = String::with_capacity(log.len());
    let mut head = Digest::ZERO;
    let mut number = 0;
    for line in log.split_inclusive(|byte| *byte == b'\n') {
        number += 1;
        let at = |fault| LogError { line: number, fault };
        if line.last() != Some(&b'\n') {
            return Err(at(LogFault::Torn));
        }
        let (prev, hash, text) = with_personal(line, |personal| redaction.left(personal))
            .map_err(|error| at(error.into()))?;
        if prev != head {
            return Err(at(LogFault::unchained(head, prev)));
        }
        head = hash;
        out.push_str(&text);
    }
    if number == 0 {
        return Err(LogError::EMPTY);
    }
    Ok(out)
}

impl Redaction {
    /// What is left of the member `personal`.
    fn left(&self, personal: Value) -> Option<Value> {
        let (Self::Names(names), Value::Object(mut personal)) = (self, personal) else {
            return None;
        };
        personal.retain(|member, value| match (member.as_str(), value) {
            ("salt", _) => true,
            ("values", Value::Object(values)) => {
                retain_others(values, names);
                !values.is_empty()
            }
            (_, value) => !is_about(value, names),
        });
        (!personal.is_empty()).then_some(Value::Object(personal))
    }
}

/// Removes names by place: a `name` is removed with its neighbours, such as the contact.
fn retain_others(values: &mut Map<String, Value>, names: &[String]) {
    let of_person = |(place, value): (&String, &Value)| {
        let person = place.strip_suffix("name").filter(|person| person.ends_with('/'))?;
        is_about(value, names).then(|| person.to_owned())
    };
    let people: Vec<String> = values.iter().filter_map(of_person).collect();
    values.retain(|place, value| {
        !people.iter().any(|person| place.starts_with(person)) && !is_about(value, names)
    });
}

/// Whether one of these names is in it, however deep: of members that a newer release has, nothing
/// is known but that they are personal.
fn is_about(value: &Value, names: &[String]) -> bool {
    match value {
        Value::String(text) => names.iter().any(|name| is_same_person(text, name)),
        Value::Array(items) => items.iter().any(|item| is_about(item, names)),
        Value::Object(members) => members.values().any(|value| is_about(value, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
