//! Arguments of Argo Rollouts: named values in the texts of a template.

use std::collections::BTreeMap;

use super::finding::ImportFinding;
use super::reader::At;
use crate::text::shown;

const MOST_COUNT: f64 = 1e6;
const FROM_MINUS_ONE: &str = "a whole number from -1 to a million";

/// Values by name; None for one that is not in the text.
pub(super) type Arguments = BTreeMap<String, Option<String>>;

/// Arguments by name: of an analysis, or of a template where some are given. What an analysis gives
/// overrides the defaults of templates, also where its value is not in the text.
pub(super) fn arguments(at: &At<'_>, given: Option<&Arguments>) -> Arguments {
    let mut arguments = given.cloned().unwrap_or_default();
    for item in at.list("args") {
        let name = item.name("`name: service`");
        let value = item.get("value").and_then(|value| value.text());
        if let Some(from) = item.get("valueFrom") {
            from.ignore();
        }
        // A template may leave a value to the templates that it references.
        if let Some(name) = name.filter(|_| given.is_none() || value.is_some()) {
            arguments.entry(name.to_owned()).or_insert_with(|| value.map(str::to_owned));
        }
    }
    arguments
}

/// A text with the values of its arguments. Adds a finding for an argument without a value.
pub(super) fn resolved(at: &At<'_>, arguments: &Arguments) -> Option<String> {
    let text = at.text()?;
    let mut whole = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        whole.push_str(before);
        let Some((name, after)) = after.split_once("}}") else {
            whole.push_str("{{");
            rest = after;
            continue;
        };
        let name = name.trim();
        let value = name.strip_prefix("args.").and_then(|name| arguments.get(name)?.as_deref());
        let Some(value) = value else {
            at.remark(ImportFinding::Argument { name: shown(name) });
            return None;
        };
        whole.push_str(value);
        rest = after;
    }
    whole.push_str(rest);
    Some(whole)
}

pub(super) fn duration(at: &At<'_>, arguments: &Arguments) -> Option<f64> {
    at.duration_in(&resolved(at, arguments)?)
}

pub(super) fn delay(at: &At<'_>, arguments: &Arguments) -> Option<f64> {
    at.delay_in(&resolved(at, arguments)?)
}

pub(super) fn whole(at: &At<'_>, arguments: &Arguments, least: f64) -> Option<f64> {
    let text = resolved(at, arguments)?;
    let number = at.number_in(text.trim())?;
    let number = Some(number).filter(|number| number.fract() == 0.0).unwrap_or(f64::NAN);
    let range = if least < 0.0 { FROM_MINUS_ONE } else { "a whole number from 0 to a million" };
    at.within(number, least, MOST_COUNT, range)
}
