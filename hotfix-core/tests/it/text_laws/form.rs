//! How texts are written: marks, counts and durations.

use hotfix_core::grade::{MessageKind, Moment};
use hotfix_core::unit::Span;

use super::{Moments, after, clock};

/// Marks that no text has.
const NEVER: &[&str] = &[
    "..",
    "  ",
    " .",
    " ,",
    ",,",
    ";.",
    ":.",
    ",.",
    "; ;",
    "()",
    "{{",
    "}}",
    "{%",
    "None",
    "Some(",
    "NaN",
    "``",
    "by .",
    "``",
    ": .",
    "(, ",
    "( ",
    " )",
    "by,",
    "Expected to finish by ,",
    " - ",
];

/// Nouns that are counted in texts.
const COUNTED: &[&str] = &[
    "times",
    "readings",
    "duties",
    "phases",
    "points",
    "items",
    "checks",
    "lines",
    "attempts",
    "requests",
    "verdicts",
    "entries",
    "inputs",
    "minutes",
    "instances",
];

pub(super) fn form(m: &Moments) -> Option<String> {
    m.texts.iter().find_map(|(place, text)| {
        let plain = text.replace("...", "…").replace("None of the traffic", "none");
        let table = plain.starts_with('|') || plain.starts_with("- ") || plain.starts_with("```");
        let marks = NEVER.iter().filter(|mark| !table || mark.trim() == **mark);
        let mut marks = marks.filter(|mark| plain.contains(**mark));
        let words: Vec<&str> = plain.split(|c: char| !c.is_alphanumeric() && c != '.').collect();
        let plural = words
            .windows(2)
            .find(|two| two[0] == "1" && COUNTED.contains(&two[1].trim_end_matches('.')));
        let plural = plural.filter(|_| !plain.contains(" of 1 "));
        let odd = marks.next().map(|mark| (*mark).to_owned());
        let odd = odd.or_else(|| plural.map(|two| two.join(" ")));
        let ticks = !table && plain.matches('`').count() % 2 == 1;
        let odd = odd.or_else(|| ticks.then(|| "one back-tick".to_owned()));
        odd.map(|odd| format!("{place:?} has “{odd}”: {text}"))
    })
}

/// A time span as messages have it: to the minute, below one to the second.
fn rounded(span: Span) -> String {
    let unit = if span.as_millis() >= 60_000 { 60_000 } else { 1_000 };
    let mut left = (span.as_millis() + unit / 2) / unit * unit;
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")];
    let parts = units.into_iter().filter_map(|(millis, name)| {
        let count = left / millis;
        left %= millis;
        (count > 0).then(|| format!("{count}{name}"))
    });
    parts.collect::<Vec<_>>().join(" ")
}

pub(super) fn durations(m: &Moments) -> Option<String> {
    let begun = m.rollout.beginning().filter(|(moment, _)| *moment != Moment::Declared);
    let lasted = m.came(Moment::Resolved).unwrap_or(m.at).since(begun.map_or(m.at, |of| of.1));
    let downtime = m.rollout.downtime(m.at).map(|of| of.whole);
    let since = m.came(Moment::Deployed).map(|at| clock(at, m.at));
    m.messages().find_map(|(kind, to, text)| {
        let first = text.lines().next()?;
        let resolved = kind == MessageKind::Resolved;
        let named = after(first, "Resolved after ").filter(|_| resolved);
        let named = named.or_else(|| after(text, "It lasted ").filter(|_| resolved));
        let odd = named.filter(|named| named.split(':').next() != Some(&rounded(lasted)));
        let down = after(text, "Downtime: ").filter(|down| {
            *down
                != downtime.map_or(String::new(), |of| {
                    if of.is_zero() { "none".to_owned() } else { rounded(of) }
                })
        });
        let live = after(text, "Since: ").filter(|_| kind == MessageKind::Deployed);
        let live = live.filter(|live| Some(*live) != since.as_deref());
        let odd = odd.or(down).or(live)?;
        Some(format!("{kind} to {to}, “{odd}”, not {} or {downtime:?}: {text}", rounded(lasted)))
    })
}
