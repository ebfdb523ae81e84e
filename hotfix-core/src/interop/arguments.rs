//! Arguments of Argo Rollouts: named values in the texts of a template.

use std::collections::BTreeMap;

use super::finding::ImportFinding;
use super::reader::At;
use crate::document::Node;
use crate::sorting::map_of;
use crate::text::shown;

const MOST_COUNT: f64 = 1e6;
const FROM_MINUS_ONE: &str = "a whole number from -1 to a million";

/// Values by name; None for one that is not in the text.
pub(super) type Arguments = BTreeMap<String, Option<String>>;

/// The arguments that an analysis gives, or those of a template.
pub(super) fn arguments(at: &At<'_>) -> Arguments {
    let mut arguments = Arguments::new();
    for item in at.list("args") {
        let name = item.name("`name: service`");
        let value = item.get("value").and_then(|value| value.text());
        if let Some(from) = item.get("valueFrom") {
            from.ignore();
        }
        if let Some(name) = name {
            arguments.entry(name.to_owned()).or_insert_with(|| value.map(str::to_owned));
        }
    }
    arguments
}

/// The arguments of a template with what is given, which overrides its values, also where it is not in the text.
/// A template may leave a value to the templates that it references.
pub(super) fn with_given(own: &Arguments, given: &Arguments) -> Arguments {
    let own = own.iter().filter(|(_, value)| value.is_some());
    map_of(own.chain(given).map(|(name, value)| (name.clone(), value.clone())))
}

/// The arguments that texts of these values contain, with a template's own values.
pub(super) fn used(values: &[At<'_>], own: &Arguments) -> Arguments {
    fn find(node: &Node, own: &Arguments, used: &mut Arguments) {
        let text = node.scalar().map_or("", |(text, _)| text);
        for part in text.split("{{").skip(1) {
            let name = part.split("}}").next().unwrap_or_default().trim();
            if let Some(name) = name.strip_prefix("args.") {
                used.insert(name.to_owned(), own.get(name).cloned().flatten());
            }
        }
        node.items().iter().for_each(|item| find(item, own, used));
        node.members().iter().for_each(|member| find(&member.node, own, used));
    }
    let mut used = Arguments::new();
    for at in values {
        find(at.node, own, &mut used);
    }
    used
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
