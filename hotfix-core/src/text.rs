//! Text from outside in our own sentences: what a name may have meant, and what is shown of it.

use std::fmt::Display;

/// The beginning of a remedy: `did you mean …? `, or nothing.
pub(crate) fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("did you mean `{name}`? "))
}

/// The name nearest to `got`, where one is near enough to be a slip of the pen.
pub(crate) fn nearest<'a>(got: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Longer ones are no slip of a short name, and would cost time.
    if got.len() > 64 {
        return None;
    }
    let mut best = None;
    for name in names {
        let likeness = strsim::normalized_damerau_levenshtein(got, name)
            .max(strsim::jaro_winkler(got, name) - 0.3);
        if likeness >= 0.5 && best.is_none_or(|(most, _)| likeness > most) {
            best = Some((likeness, name));
        }
    }
    best.map(|(_, name)| name)
}

/// Text from outside as a sentence shows it: one line, not long.
pub(crate) fn shown(text: &str) -> String {
    const MOST: usize = 64;
    let mut shown = String::new();
    for c in text.chars().take(MOST) {
        if matches!(c, '"' | '\'') {
            shown.push(c);
        } else {
            shown.extend(c.escape_debug());
        }
    }
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}

/// Names in backticks, with something between them: `a`, `b`.
pub(crate) fn quoted<T: Display>(names: &[T], between: &str) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(between)
}

/// A step of a JSON Pointer.
pub(crate) fn pointer_step(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
