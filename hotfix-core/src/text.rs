//! Text helpers: suggestions for unknown names, and safe display of text from outside.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};

use unicode_normalization::char::{canonical_combining_class, decompose_canonical};

use crate::sorting::sort_by_key;
pub(crate) use crate::unit::{MOST, any_number, shown};
use crate::unit::{Span, Timestamp, is_invisible};

/// The beginning of a remedy: `did you mean …? `, or nothing.
pub(crate) fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("did you mean `{name}`? "))
}

/// So many names an unknown one is compared with: a text may have thousands of both.
const MOST_COMPARED: usize = 256;

/// The name nearest to `got`, if it is near enough to be a typing error.
pub(crate) fn nearest<'a>(got: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A longer text cannot be a typing error of a short name, and would cost time.
    if got.len() > 64 {
        return None;
    }
    let got = got.to_lowercase();
    let mut best = None;
    for name in names.into_iter().take(MOST_COMPARED) {
        let known = name.to_lowercase();
        let likeness = strsim::normalized_damerau_levenshtein(&got, &known)
            .max(strsim::jaro_winkler(&got, &known) - 0.3);
        if likeness >= 0.6 && best.is_none_or(|(most, _)| likeness > most) {
            best = Some((likeness, name));
        }
    }
    best.map(|(_, name)| name)
}

/// What to write instead of an unknown name: the nearest one or, where none is near, any that there is.
pub(crate) fn instead<'a>(got: &str, names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    match nearest(got, names.iter().copied()) {
        Some(name) => format!("the nearest is `{name}`"),
        None if names.is_empty() => "it has none".to_owned(),
        None => format!("name one of {}", quoted(&names, ", ")),
    }
}

/// A name as words: `feature_flag` is `feature flag`.
pub(crate) fn words(name: &str) -> String {
    name.replace('_', " ")
}

/// The text with a capital first letter.
pub(crate) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The text with a full stop, unless it has an end of its own, as people's texts may.
pub(crate) fn ended(text: &str) -> String {
    let text = text.trim_end();
    let stop = if text.ends_with(['.', '!', '?', '…']) { "" } else { "." };
    format!("{text}{stop}")
}

/// Date and time in UTC, with seconds where there are some: `2026-03-03 14:52 UTC`.
pub(crate) fn moment(at: Timestamp) -> String {
    const MINUTES: usize = "2026-03-03T14:52".len();
    let time = at.to_string();
    let shown = if at.as_millis() % 60_000 < 1_000 { MINUTES } else { MINUTES + ":00".len() };
    let shown = time.chars().take(shown).map(|c| if c == 'T' { ' ' } else { c });
    shown.chain(" UTC".chars()).collect()
}

/// One time, or the time between two: `at 14:52 UTC`, `between 14:38 UTC and 14:52 UTC`.
pub(crate) fn between([from, to]: [String; 2]) -> String {
    if from == to { format!("at {from}") } else { format!("between {from} and {to}") }
}

/// The most bytes of a free text in a log, such as a reason, a note or a title.
pub(crate) const LONGEST: usize = 4096;

/// A character of a text from outside, as people read it: control characters and line breaks become
/// spaces. None for one that is invisible or turns the reading direction, because it can disguise a
/// text; the joiners of scripts and emoji, and the selectors of their form, are spelling.
pub(crate) fn readable(c: char) -> Option<char> {
    match c {
        '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' => Some(c),
        '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}' => Some(' '),
        c if c.is_control() => Some(' '),
        c => (!is_invisible(c)).then_some(c),
    }
}

/// A text with each letter apart from its marks, and these in canonical order: keyboards give the marks of a
/// letter one after the other, in different orders.
pub(crate) fn apart(text: &str) -> String {
    let mut apart = Vec::with_capacity(text.len());
    for letter in text.chars() {
        // Not `nfd()`: it links the table of compatibility forms as well, 85 kB.
        decompose_canonical(letter, |part| apart.push(part));
    }
    for marks in apart.split_mut(|part| canonical_combining_class(*part) == 0) {
        sort_by_key(marks, |mark| canonical_combining_class(*mark));
    }
    apart.into_iter().collect()
}

/// Whether a text has no visible character.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_invisible(c))
}

/// Text from outside as people read it, in one line.
pub(crate) fn line(text: &str) -> String {
    let plain: String = text.chars().filter_map(readable).collect();
    joined(plain.split_whitespace(), " ")
}

/// Text from outside for a sentence that people read: one short line.
pub(crate) fn brief(text: &str) -> String {
    drawn(&line(text), MOST)
}

/// A number with so many decimal places. A result of 0 has no sign.
pub(crate) fn rounded(value: f64, places: usize) -> String {
    let text = format!("{value:.places$}");
    match text.strip_prefix('-') {
        Some(zero) if zero.bytes().all(|b| matches!(b, b'0' | b'.')) => zero.to_owned(),
        _ => text,
    }
}

/// A number with so many significant digits, without trailing zeros.
pub(crate) fn figure(value: f64, digits: usize) -> String {
    figure_of(value, value.abs(), digits)
}

/// A share in percent to so many significant digits of what is nearer, it or the rest to 100%: 99.96%
/// is not all.
pub(crate) fn percentage(fraction: f64, digits: usize) -> String {
    let percent = fraction * 100.0;
    format!("{}%", figure_of(percent, percent.min(100.0 - percent).abs(), digits))
}

/// A number with as many places as one of this scale has for so many significant digits.
fn figure_of(value: f64, mut scale: f64, digits: usize) -> String {
    let mut places = digits.saturating_sub(1);
    while scale >= 10.0 && places > 0 {
        (scale, places) = (scale / 10.0, places - 1);
    }
    while scale < 1.0 && scale > 0.0 && places < 15 {
        (scale, places) = (scale * 10.0, places + 1);
    }
    let text = rounded(value, places);
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// Names in backticks with a separator: `a`, `b`.
pub(crate) fn quoted<T: Display>(names: &[T], between: &str) -> String {
    joined(names.iter().map(|name| format!("`{name}`")), between)
}

/// Texts with a separator, without a list in between.
pub(crate) fn joined(texts: impl IntoIterator<Item = impl AsRef<str>>, between: &str) -> String {
    let mut joined = String::new();
    for (index, text) in texts.into_iter().enumerate() {
        if index > 0 {
            joined.push_str(between);
        }
        joined.push_str(text.as_ref());
    }
    joined
}

/// Letters and digits of any script in lower case, with one space between words.
pub(crate) fn plain(text: &str) -> String {
    let lower: String = text
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .flat_map(char::to_lowercase)
        .collect();
    joined(lower.split_whitespace(), " ")
}

/// A number with its noun: `1 item`, `2 items`.
pub(crate) fn counted<N: Copy + Display + PartialEq + From<u8>>(
    number: N,
    one: &str,
    many: &str,
) -> String {
    let noun = if number == N::from(1) { one } else { many };
    format!("{number} {noun}")
}

/// `a, b and c`.
pub(crate) fn enumerated(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// A step of a JSON Pointer.
pub(crate) fn pointer_step(key: &str) -> Cow<'_, str> {
    if key.contains(['~', '/']) {
        Cow::Owned(key.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(key)
    }
}

/// A time in whole units, largest first: `1h 5min`.
pub(crate) fn time(span: Span) -> String {
    const UNITS: [(u64, &str); 5] =
        [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"), (1, "ms")];
    let mut left = span.as_millis();
    let mut words = Vec::new();
    for (millis, unit) in UNITS {
        if left >= millis {
            words.push(format!("{}{unit}", left / millis));
            left %= millis;
        }
    }
    if words.is_empty() { "0s".to_owned() } else { words.join(" ") }
}

/// A time span in whole seconds; below one second, in milliseconds.
pub(crate) fn lasting(span: Span) -> String {
    let millis = span.as_millis();
    if millis < 1_000 { time(span) } else { time(Span::from_millis(millis - millis % 1_000)) }
}

/// A range of times: `30min to 1h 5min`, or one time if both are equal.
pub(crate) fn times(least: Span, most: Span) -> String {
    if least == most { time(most) } else { format!("{} to {}", time(least), time(most)) }
}

/// A range of times of which one end may be open: `up to 5min`. None if both are.
pub(crate) fn time_range(least: Option<Span>, most: Option<Span>) -> Option<String> {
    match (least, most) {
        (Some(least), Some(most)) => Some(times(least, most)),
        (Some(least), None) => Some(format!("at least {}", time(least))),
        (None, Some(most)) => Some(format!("up to {}", time(most))),
        (None, None) => None,
    }
}

/// The beginning of a text from outside, of at most `most` characters, with its line breaks.
pub(crate) fn drawn(text: &str, most: usize) -> String {
    let read = |c| match c {
        '\n' | '\u{2028}' | '\u{2029}' => Some('\n'),
        c => readable(c),
    };
    let mut shown: String = text.chars().take(most).filter_map(read).collect();
    if text.chars().nth(most).is_some() {
        shown.push('…');
    }
    shown
}

/// One line of text, escaped for Mermaid.
///
/// Everything except letters, digits and plain punctuation is written as an entity, because much of
/// it has a meaning even inside quotes: `#` begins an entity, a backtick Markdown, `:` before `#` a
/// style.
///
/// Two cases need more. A line with `direction LR` anywhere is read as that statement. And Mermaid
/// keeps entities internally as `ﬂ°°35¶ß`, so a text must not have these characters in sequence:
/// the ligature becomes two letters, and an invisible joiner follows `¶`.
pub(crate) fn mermaid(line: &str) -> String {
    let mut text = String::new();
    for c in line.chars() {
        match c {
            'ﬂ' => text.push_str("fl"),
            '¶' => text.push_str("#182;#8288;"),
            ' ' if text.ends_with("direction") => text.push_str("#32;"),
            ' ' | ',' | '.' | '?' | '\'' | '%' | '-' | '/' => text.push(c),
            c if c.is_alphanumeric() => text.push(c),
            c => {
                let _ = write!(text, "#{};", u32::from(c));
            }
        }
    }
    text
}

/// Text from outside, escaped for a line of Markdown: one line without markup, HTML, links or the
/// end of a table cell. Empty text becomes a dash.
pub(crate) fn markdown(text: &str) -> String {
    match line(text).as_str() {
        "" => "–".to_owned(),
        line => escaped_markdown(line),
    }
}

/// Escapes a line as [`markdown`] does, but keeps invisible characters, which may be our own.
pub(crate) fn escaped_markdown(line: &str) -> String {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let mut escaped = String::with_capacity(line.len() + 8);
    for (at, c) in line.char_indices() {
        let (before, after) = line.split_at(at);
        let means_something = match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '$' | '@' => true,
            // The beginning of a list, a heading or a line under one.
            '-' | '+' | '#' | '=' => at == 0,
            '.' | ')' if digits > 0 && at == digits => {
                after.len() == 1 || after[1..].starts_with(' ')
            }
            // Some Markdown dialects make links of these without any markup.
            ':' => after.starts_with("://"),
            '.' => {
                before.len() >= 3
                    && before.is_char_boundary(at - 3)
                    && before[at - 3..].eq_ignore_ascii_case("www")
            }
            _ => false,
        };
        if means_something {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn met_4_what_is_rounded_to_0_has_no_sign() {
        for (value, places, shown) in [
            (-0.004, 2, "0.00"),
            (-0.006, 2, "-0.01"),
            (-0.4, 0, "0"),
            (-0.0, 1, "0.0"),
            (-10.04, 1, "-10.0"),
            (f64::NEG_INFINITY, 1, "-inf"),
        ] {
            assert_eq!(rounded(value, places), shown);
        }
        assert_eq!([-0.0, -1e-30, -1e-7].map(|value| figure(value, 4)), ["0", "0", "-0.0000001"]);
    }

    #[test]
    fn plan_7_markdown_shows_text_as_it_is() {
        for (text, shown) in [
            ("plain, 2.3.1 (beta)", "plain, 2.3.1 (beta)"),
            ("a|b", "a\\|b"),
            ("<b>", "\\<b\\>"),
            ("a\n\nb\t c ", "a b c"),
            ("1. x", "1\\. x"),
            ("12)", "12\\)"),
            ("- x", "\\- x"),
            ("x - y", "x - y"),
            ("http://a.b", "http\\://a.b"),
            ("WWW.a.b", "WWW\\.a.b"),
            ("", "–"),
            ("\u{202e}evil", "evil"),
        ] {
            assert_eq!(markdown(text), shown);
        }
    }

    #[test]
    fn comm_2_a_text_is_spelled_as_its_author_did_and_hides_nothing() {
        for (text, plain, in_an_error) in [
            ("پرداخت\u{200c}ها", "پرداخت\u{200c}ها", "پرداخت\\u{200c}ها"),
            ("👩\u{200d}💻 ❤\u{fe0f}", "👩\u{200d}💻 ❤\u{fe0f}", "👩\\u{200d}💻 ❤\\u{fe0f}"),
            ("हिन्दी, e\u{301}", "हिन्दी, e\u{301}", "हिन्दी, e\u{301}"),
            ("tab\there\r\nand\u{7}", "tab here and", "tab\\there\\r\\nand\\u{7}"),
            ("\u{202e}b\u{ad}\u{200b}\u{61c}c", "bc", "\\u{202e}b\\u{ad}\\u{200b}\\u{61c}c"),
            ("a\\b", "a\\b", "a\\\\b"),
            ("\u{feff}ß é 日本", "ß é 日本", "\\u{feff}ß é 日本"),
            ("", "", ""),
        ] {
            assert_eq!(line(text), plain);
            assert_eq!(brief(text), plain);
            assert_eq!(shown(text), in_an_error);
        }
        assert_eq!(brief(&"a".repeat(65)), "a".repeat(64) + "…");
    }

    #[test]
    fn plan_3_what_mermaid_reads_is_written_by_its_number() {
        assert_eq!(mermaid("a: #1; b"), "a#58; #35;1#59; b");
        assert_eq!(mermaid("direction LR"), "direction#32;LR");
        assert_eq!(mermaid("10%, one-half/two"), "10%, one-half/two");
    }
}
