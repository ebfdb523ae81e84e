//! The members of an object in JSON text, with their positions: to edit one and keep every other
//! byte.

use std::borrow::Cow;
use std::ops::Range;

pub(crate) struct Member<'a> {
    /// Its name, without escapes.
    pub(crate) name: Cow<'a, str>,
    pub(crate) value: &'a str,
    /// Its range, including the name.
    place: Range<usize>,
}

/// The members of an object in JSON of any layout, in order; empty for another value.
/// The text has to be JSON. Other text gives an unspecified list, and no panic.
pub(crate) fn members(object: &str) -> Vec<Member<'_>> {
    let mut scan = Scan::new(object);
    let mut members = Vec::new();
    scan.blank();
    if scan.next() != Some(b'{') {
        return members;
    }
    loop {
        scan.blank();
        let start = scan.at;
        if scan.peek() != Some(b'"') {
            return members;
        }
        let raw = scan.value();
        scan.blank();
        if scan.next() != Some(b':') {
            return members;
        }
        scan.blank();
        let value = scan.value();
        let name = match raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')) {
            Some(plain) if !plain.contains('\\') => Cow::Borrowed(plain),
            _ => Cow::Owned(serde_json::from_str(raw).unwrap_or_default()),
        };
        members.push(Member { name, value, place: start..scan.at });
        scan.blank();
        if scan.next() != Some(b',') {
            return members;
        }
    }
}

/// The object's text with members changed: `change` keeps a member, replaces its value, or removes
/// it. The text between the others stays.
pub(crate) fn edited<'a>(object: &'a str, mut change: impl FnMut(&Member<'a>) -> Change) -> String {
    let members = members(object);
    let mut out = String::with_capacity(object.len());
    let mut last = members.first().map_or(0, |first| first.place.start);
    out.push_str(&object[..last]);
    let mut any = false;
    for member in &members {
        let change = change(member);
        if change != Change::TakeOut {
            if any {
                out.push_str(&object[last..member.place.start]);
            }
            any = true;
            match change {
                Change::Replace(value) => {
                    let name = member.place.end - member.value.len();
                    out.push_str(&object[member.place.start..name]);
                    out.push_str(&value);
                }
                Change::Keep | Change::TakeOut => out.push_str(&object[member.place.clone()]),
            }
        }
        last = member.place.end;
    }
    out.push_str(&object[last..]);
    out
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The member stays.
    Keep,
    /// The member gets this value, as JSON.
    Replace(String),
    /// Removes the member with its comma.
    TakeOut,
}

/// Skips JSON by its structure, without checking it.
pub(crate) struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// How many bytes it has passed.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn blank(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// Passes over a value: strings, brackets and what is in them, or all up to the next structural
    /// character.
    pub(crate) fn value(&mut self) -> &'a str {
        let start = self.at;
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => self.string(),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' | b',' | b':' if depth == 0 => break,
                b'}' | b']' => {
                    depth -= 1;
                    self.at += 1;
                }
                _ if depth == 0 && byte.is_ascii_whitespace() => break,
                _ => self.at += 1,
            }
            if depth == 0 && matches!(byte, b'"' | b'}' | b']') {
                break;
            }
        }
        // A value ends at ASCII or at the end of the text, so both ends are character boundaries.
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Passes over a string as a whole, or one other byte.
    pub(crate) fn pass(&mut self) {
        if self.peek() == Some(b'"') {
            self.string();
        } else {
            self.at += 1;
        }
    }

    fn string(&mut self) {
        self.at += 1;
        while let Some(byte) = self.next() {
            match byte {
                b'"' => break,
                b'\\' => {
                    self.next();
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(object: &str, names: &[&str]) -> String {
        edited(object, |member| match &*member.name {
            name if names.contains(&name) => Change::TakeOut,
            "new" => Change::Replace("[]".to_owned()),
            _ => Change::Keep,
        })
    }

    #[test]
    fn roll_7_members_go_and_every_other_byte_stays() {
        for (names, object, expected) in [
            (&["a"][..], r#"{"a":1,"b":2}"#, r#"{"b":2}"#),
            (&["b"], r#"{"a":1,"b":2}"#, r#"{"a":1}"#),
            (&["a", "b"], r#"{"a":1,"b":2}"#, "{}"),
            (&[], "{}", "{}"),
            (&["x"], " { } ", " { } "),
            (
                &["b"],
                "{ \"a\" : 1 ,\t\"b\" : {\"c\":[\"}\",\"\\\"\"]} , \"d\" : -1e5 }",
                "{ \"a\" : 1 , \"d\" : -1e5 }",
            ),
            (&["a"], r#"{"\u0061":"a","b":"\\","c":{"a":1}}"#, r#"{"b":"\\","c":{"a":1}}"#),
            (&["a"], r#"{"a":null,"new":"old","ü":"ü"}"#, r#"{"new":[],"ü":"ü"}"#),
        ] {
            assert_eq!(without(object, names), expected);
        }
    }

    #[test]
    fn roll_7_what_is_no_json_is_left_as_it_is() {
        let text = r#"{"a":[1,{"ü\"":"b"}],"c":tru"#;
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            assert_eq!(without(&text[..end], &[]), text[..end]);
        }
    }
}
