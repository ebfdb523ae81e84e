//! Conversion of values to trailers, and back.

/// A normalised value: line ends are `\n`, other control characters except tabs are spaces, and
/// blanks at the start, at the end and at line ends are removed, as git does. The rest is kept
/// exactly.
pub(super) fn normalised(value: &str) -> String {
    let value = value.replace("\r\n", "\n").replace('\r', "\n");
    let mut out = String::with_capacity(value.len());
    for line in value.split('\n') {
        let start = out.len();
        out.extend(line.chars().map(|c| if c.is_control() && c != '\t' { ' ' } else { c }));
        let length = out[start..].trim_end().len();
        out.truncate(start + length);
        out.push('\n');
    }
    out.trim().to_owned()
}

/// A text on one line: every run of white space becomes one space. A byte order mark counts as
/// white space, because at the start of a subject it would be read as the text's own.
pub(super) fn on_one_line(text: &str) -> String {
    let blank = |c: char| c.is_control() || c == '\u{feff}';
    let text: String = text.chars().map(|c| if blank(c) { ' ' } else { c }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
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
