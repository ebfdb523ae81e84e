//! Check whether text is canonical, with the ranges of the members that the chain needs.
//!
//! One pass, no allocation. The answer is exact: text is canonical here if and only if
//! [`Encoder::canonicalise`](super::Encoder::canonicalise) would give the same bytes, so the fast
//! path of reading a line cannot accept a line that the slow path refuses.

use super::MAX_DEPTH;
use super::number::{Number, count, number};
use super::order::Name;
use super::writer::INFINITE;
use std::ops::Range;

/// Ranges of the members of a top-level object, including their names.
#[derive(Default)]
pub(super) struct Chain {
    pub(super) prev: Option<Range<usize>>,
    pub(super) hash: Option<Range<usize>>,
    pub(super) personal: Option<Range<usize>>,
}

impl Chain {
    /// Keeps the place of a member of the line.
    #[inline]
    pub(super) fn note(&mut self, name: &[u8], member: Range<usize>) {
        match name {
            b"prev" => self.prev = Some(member),
            b"hash" => self.hash = Some(member),
            b"personal" => self.personal = Some(member),
            _ => {}
        }
    }
}

/// The chain's members, if `text` is an object in canonical form.
pub(super) fn canonical_object(text: &str) -> Option<Chain> {
    let mut scan = Scan::new(text);
    let mut chain = Chain::default();
    scan.object(MAX_DEPTH, |name, member| chain.note(name, member))?;
    (scan.at == text.len()).then_some(chain)
}

/// Bytes in a string that are not plain text.
const STOP: [bool; 256] = {
    let mut stop = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        stop[byte] = byte < 0x20 || byte >= 0x80 || byte == b'"' as usize || byte == b'\\' as usize;
        byte += 1;
    }
    stop
};

/// Number of bytes before the first in [`STOP`]; None if there is no such byte.
///
/// Eight at a time: a difference borrows from the byte above only where its own byte is one that
/// stops, so the lowest mark is right, and only that is used. (Mycroft's test for a zero byte,
/// 1987.)
#[inline]
fn plain_run(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    let (mut run, mut rest) = (0, bytes);
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*word);
        let quote = word ^ (ONES * u64::from(b'"'));
        let slash = word ^ (ONES * u64::from(b'\\'));
        let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
        let stops = (below(word, 0x20) | below(quote, 1) | below(slash, 1) | word) & HIGH;
        if stops != 0 {
            return Some(run + (stops.trailing_zeros() / 8) as usize);
        }
        (run, rest) = (run + 8, after);
    }
    let last = rest.iter().position(|byte| STOP[usize::from(*byte)])?;
    Some(run + last)
}

/// A position in text that is canonical up to there.
pub(super) struct Scan<'a> {
    text: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Scan<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text: text.as_bytes(), at: 0 }
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    #[inline]
    pub(super) fn word(&mut self, word: &[u8]) -> Option<()> {
        self.text[self.at..].starts_with(word).then(|| self.at += word.len())
    }

    pub(super) fn value(&mut self, depth: usize) -> Option<()> {
        match self.peek()? {
            b'"' => self.string().map(|_| ()),
            b'{' => self.object(depth, |_, _| {}),
            b'[' => self.array(depth),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => self.number().map(|_| ()),
        }
    }

    fn object(&mut self, depth: usize, mut found: impl FnMut(&[u8], Range<usize>)) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        self.word(b"{")?;
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(());
        }
        let mut before: Option<Name<'a>> = None;
        loop {
            let start = self.at;
            let name = self.string()?;
            if before.is_some_and(|before| !before.is_before(name)) {
                return None;
            }
            before = Some(name);
            self.word(b":")?;
            self.value(depth)?;
            found(name.raw, start..self.at);
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => break,
                _ => return None,
            }
        }
        self.at += 1;
        Some(())
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        self.word(b"[")?;
        if self.peek()? == b']' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.value(depth)?;
            match self.peek()? {
                b',' => self.at += 1,
                b']' => break,
                _ => return None,
            }
        }
        self.at += 1;
        Some(())
    }

    #[inline]
    pub(super) fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Text between quotes; most is plain to its end.
    #[inline]
    pub(super) fn string(&mut self) -> Option<Name<'a>> {
        let [b'"', inside @ ..] = self.rest() else { return None };
        let run = plain_run(inside)?;
        let (raw, rest) = inside.split_at(run);
        self.at += 1 + run;
        if rest.first() == Some(&b'"') {
            self.at += 1;
            return Some(Name { raw, plain: true });
        }
        self.not_plain(self.at - run)
    }

    /// A string that began at `start`, from its first byte on that is not plain.
    #[cold]
    fn not_plain(&mut self, start: usize) -> Option<Name<'a>> {
        loop {
            match self.text[self.at] {
                b'"' => break,
                b'\\' => self.escape()?,
                0..0x20 => return None,
                _ => self.at += 1,
            }
            self.at += plain_run(&self.text[self.at..])?;
        }
        let raw = &self.text[start..self.at];
        self.at += 1;
        Some(Name { raw, plain: false })
    }

    /// An escape, where it is the shortest for its character.
    fn escape(&mut self) -> Option<()> {
        let rest = &self.text[self.at + 1..];
        self.at += match rest.first()? {
            b'"' | b'\\' | b'b' | b't' | b'n' | b'f' | b'r' => 2,
            b'u' => {
                let digits = rest.get(1..5)?;
                let low = match digits[3] {
                    digit @ b'0'..=b'9' => digit - b'0',
                    digit @ b'a'..=b'f' => digit - b'a' + 10,
                    _ => return None,
                };
                let code = match &digits[..3] {
                    b"000" => low,
                    b"001" => low + 16,
                    _ => return None,
                };
                if matches!(code, 0x08 | 0x09 | 0x0a | 0x0c | 0x0d) {
                    return None;
                }
                6
            }
            _ => return None,
        };
        Some(())
    }

    /// A number of a state: canonical, or one that only the text of a state has.
    pub(super) fn state_number(&mut self) -> Option<Number> {
        if let Some(number) = self.number() {
            return Some(number);
        }
        let rest = self.rest();
        let end = rest.iter().position(|byte| matches!(byte, b',' | b']' | b'}'))?;
        let text = std::str::from_utf8(&rest[..end]).ok()?;
        let (sign, size) = text.strip_prefix('-').map_or((1.0, text), |size| (-1.0, size));
        let number = match size {
            "0" => Number::Other(sign * 0.0),
            INFINITE => Number::Other(sign * f64::INFINITY),
            // An integer with more digits than a double has.
            _ if size.starts_with(|first: char| ('1'..='9').contains(&first)) => {
                let whole = text.parse().map(Number::Whole);
                whole.or_else(|_| text.parse().map(Number::Negative)).ok()?
            }
            _ => return None,
        };
        self.at += text.len();
        Some(number)
    }

    /// A number as `serde_json` writes it; most are canonical.
    pub(super) fn any_number(&mut self) -> Option<Number> {
        if let Some(number) = self.number() {
            return Some(number);
        }
        let rest = self.rest();
        let end = rest.iter().position(|byte| matches!(byte, b',' | b']' | b'}'));
        let text = std::str::from_utf8(&rest[..end.unwrap_or(rest.len())]).ok()?;
        let number: serde_json::Number = text.parse().ok()?;
        self.at += text.len();
        let whole = number.as_u64().map(Number::Whole);
        whole.or(number.as_i64().map(Number::Negative)).or(number.as_f64().map(Number::Other))
    }

    #[inline]
    pub(super) fn number(&mut self) -> Option<Number> {
        let rest = self.rest();
        if let Some((number, length)) = count(rest) {
            self.at += length;
            return Some(Number::Whole(number));
        }
        let mut length = 0;
        let number = number(rest, &mut length)?;
        self.at += length;
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::Encoder;

    #[test]
    fn roll_7_canonical_means_that_encoding_leaves_it_alone() {
        let words = r#"
            0 -0 00 -01 7 -7 1.5 1.50 1e2 100 1e21 1e+21 1E+21 1e-7 1e-07 0.1 .1 1. - +1 --1 1-1
            999999999999999 9007199254740992 9007199254740993 9007199254740994 9223372036854775807
            9223372036854776000 100000000000000000000 100000000000000000001 18446744073709551616
            18446744073709551617 18446744073709552000 -9223372036854775809 -9223372036854776000
            999999999999999900000 1000000000000000000000 1e400 true tru nulll null [] [1,2] [1,]
            [,1] {} {"a":1,"b":2} {"b":1,"a":2} {"a":1,"a":2} {"a":1,} "\n" "\u000a" "\u000b"
            "\u000B" "\u001f" "\u0020" "\/" "/" "\x" "\u00" "é" "\u00e9" "\ud83d\ude00" "\"
        "#;
        let spaced = ["[ ]", "[1 2]", r#"{"a" :1}"#, "\"\n\"", "\"\u{7f}\"", "", " 1"];
        for value in words.split_whitespace().chain(spaced) {
            for text in [format!(r#"{{"x":{value}}}"#), format!(r#"{{"":0,"{value}":[{value}]}}"#)]
            {
                let mut same = Vec::new();
                let read = Encoder::new().canonicalise(&text, &mut same);
                let expected = read.is_ok() && same == text.as_bytes();
                assert_eq!(canonical_object(&text).is_some(), expected, "{text}");
            }
        }
        assert!(canonical_object("{} ").is_none() && canonical_object("[]").is_none());
    }
}
