//! Redaction of names in a log: the chain holds without them.

use serde_json::Value;

use crate::canonical::{Change, Digest, Member, edited, members, verify_line};
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

/// The log without personal values: what is hashed, members of newer releases and the layout of
/// lines stay as they are. A second time changes nothing.
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
        let checked = verify_line(line).map_err(|error| at(error.into()))?;
        if checked.prev() != head {
            return Err(at(LogFault::unchained(head, checked.prev())));
        }
        head = checked.hash();
        out.push_str(&edited(checked.text(), |member| match &*member.name {
            "personal" => redaction.personal(member.value),
            _ => Change::Keep,
        }));
        // The line end as it was; it is not part of what was checked.
        let end = line.get(checked.text().len()..).unwrap_or_default();
        out.extend(end.iter().map(|byte| char::from(*byte)));
    }
    if number == 0 {
        return Err(LogError::EMPTY);
    }
    Ok(out)
}

impl Redaction {
    /// The change of the member `personal`.
    fn personal(&self, personal: &str) -> Change {
        let names = match self {
            Self::Everything => return Change::TakeOut,
            Self::Names(names) => names,
        };
        let left = edited(personal, |member| match &*member.name {
            "salt" => Change::Keep,
            "values" => values(member.value, names),
            _ if is_about(member, names) => Change::TakeOut,
            _ => Change::Keep,
        });
        replaced(personal, left)
    }
}

/// Names by place: a `name` is removed with its neighbours, such as the contact.
fn values(values: &str, names: &[String]) -> Change {
    let mut people: Vec<String> = Vec::new();
    for member in members(values) {
        if let Some(person) = member.name.strip_suffix("/name")
            && is_about(&member, names)
        {
            people.push(format!("{person}/"));
        }
    }
    let left = edited(values, |member| {
        let beside = people.iter().any(|person| member.name.starts_with(person.as_str()));
        if beside || is_about(member, names) { Change::TakeOut } else { Change::Keep }
    });
    replaced(values, left)
}

/// An object that becomes empty is removed as well.
fn replaced(before: &str, left: String) -> Change {
    if left == before {
        Change::Keep
    } else if members(&left).is_empty() {
        Change::TakeOut
    } else {
        Change::Replace(left)
    }
}

/// Whether one of these names is in it, however deep: of members that a newer release has, nothing
/// is known but that they are personal.
fn is_about(member: &Member<'_>, names: &[String]) -> bool {
    fn any(value: &Value, names: &[String]) -> bool {
        match value {
            Value::String(text) => names.iter().any(|name| is_same_person(text, name)),
            Value::Array(items) => items.iter().any(|item| any(item, names)),
            Value::Object(members) => members.values().any(|value| any(value, names)),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }
    serde_json::from_str(member.value).is_ok_and(|value| any(&value, names))
}
