//! Conversion of values to trailers, and back.

use crate::unit::is_invisible;

/// A normalised value: line ends are `\n`, other control characters except tabs and separators of lines
/// are spaces, and blanks at the start, at the end and at line ends are removed, as git does. Invisible
/// characters are removed. The rest is kept exactly.
pub(super) fn normalised(value: &str) -> String {
    let value = value.replace("\r\n", "\n").replace('\r', "\n");
    let mut out = String::with_capacity(value.len());
    for line in value.split('\n') {
        let start = out.len();
        let parts = |c: char| c != '\t' && (c.is_control() || is_invisible(c) && c.is_whitespace());
        let seen = line.chars().map(|c| if parts(c) { ' ' } else { c });
        out.extend(seen.filter(|c| *c == '\t' || !is_invisible(*c)));
        let length = out[start..].trim_end().len();
        out.truncate(start + length);
        out.push('\n');
    }
    out.trim().to_owned()
}

/// A trailer with a normalised value, ended by a line break. A list begins below its label.
pub(super) fn push_trailer(text: &mut String, label: &str, value: &str) {
    text.push_str(label);
    text.push(':');
    if value.contains('\n') && unbulleted(value).is_some() {
        text.push('\n');
    }
    for (index, line) in value.split('\n').enumerate() {
        if index > 0 {
            text.push('\n');
        }
        text.push(' ');
        text.push_str(line);
        if index > 0 && is_dots(line) {
            text.push('.');
        }
    }
    text.push('\n');
}

/// The text after a bullet.
pub(super) fn unbulleted(line: &str) -> Option<&str> {
    ["- ", "* ", "• "].into_iter().find_map(|bullet| line.strip_prefix(bullet)).map(str::trim_start)
}

/// A further line of a folded value, without the space that it starts with.
pub(super) fn unfolded(line: &str) -> &str {
    match line.strip_suffix('.') {
        Some(shorter) if is_dots(line) => shorter,
        _ => line,
    }
}

/// Whether a line has only dots, or is empty.
fn is_dots(line: &str) -> bool {
    line.bytes().all(|byte| byte == b'.')
}
