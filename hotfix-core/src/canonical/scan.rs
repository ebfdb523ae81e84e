//! Is this text canonical already, and where are the members that the chain needs?
//!
//! One pass, no allocation. The answer is exact: text is canonical here if and only if
//! [`Encoder::canonicalise`](super::Encoder::canonicalise) would give the same bytes, so the fast
//! way of reading a line cannot accept what the slow way refuses.

use super::MAX_DEPTH;
use super::order::Name;
use std::ops::Range;

/// Where the members of a top-level object stand, names included.
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

/// The chain's members, where `text` is an object in canonical form.
pub(super) fn canonical_object(text: &str) -> Option<Chain> {
    let mut scan = Scan::new(text);
    let mut chain = Chain::default();
    scan.object(MAX_DEPTH, |name, member| chain.note(name, member))?;
    (scan.at == text.len()).then_some(chain)
}

/// Bytes at which the inside of a string is not plain.
const STOP: [bool; 256] = {
    let mut stop = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        stop[byte] = byte < 0x20 || byte >= 0x80 || byte == b'"' as usize || byte == b'\\' as usize;
        byte += 1;
    }
    stop
};

/// How many bytes come before the first that [`STOP`]s; none where no byte does.
///
/// Eight at a time: a difference borrows from the byte above only where its own byte is one that stops, so the lowest
/// mark is right, and no other is looked at. (Mycroft's test for a zero byte, 1987.)
fn plain_run(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let quote = word ^ (ONES * u64::from(b'"'));
        let slash = word ^ (ONES * u64::from(b'\\'));
        let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
        let stops = (below(word, 0x20) | below(quote, 1) | below(slash, 1) | word) & HIGH;
        if stops != 0 {
            return Some(8 * index + (stops.trailing_zeros() / 8) as usize);
        }
    }
    let last = rest.iter().position(|byte| STOP[usize::from(*byte)])?;
    Some(8 * words.len() + last)
}

/// A number in canonical form, as serde tells them apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    /// Without a sign or a point, below 2^64.
    Whole(u64),
    /// Without a point, below zero.
    Negative(i64),
    /// Any other: the nearest double.
    Other(f64),
}

/// Powers of ten that are exact as doubles, as far as [`SHORT`] decimals need them.
const POWERS: [f64; SHORT + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// Decimals of so many digits have a double each.
const SHORT: usize = 15;

/// A place in text that is canonical up to it.
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
            if before.is_some_and(|before| before.cmp(name).is_ge()) {
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

    /// Text between quotes; most is plain to its end.
    pub(super) fn string(&mut self) -> Option<Name<'a>> {
        let Some([b'"', inside @ ..]) = self.text.get(self.at..) else { return None };
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

    pub(super) fn number(&mut self) -> Option<Number> {
        let rest = &self.text[self.at..];
        let negative = rest.first()? == &b'-';
        let start = usize::from(negative);
        // Wraps beyond 19 digits, where it is not used.
        let mut digits = 0_u64;
        let mut take = |from: usize| {
            let mut left = &rest[from..];
            while let [digit @ b'0'..=b'9', more @ ..] = left {
                digits = digits.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
                left = more;
            }
            rest.len() - left.len()
        };
        let mut end = take(start);
        let whole = end - start;
        let zero = rest.get(start)? == &b'0';
        if whole == 0 || (zero && whole > 1) {
            return None;
        }
        let mut fraction = 0;
        let point = rest.get(end) == Some(&b'.');
        if point {
            let from = end + 1;
            end = take(from);
            fraction = end - from;
        }
        let exponent = matches!(rest.get(end), Some(b'e' | b'E'));
        // A decimal that is short enough is the shortest that reads back, unless it ends in a zero or is so small that it
        // needs an exponent. Its digits and the power of ten are exact, so their quotient is the nearest double (Clinger 1990).
        let short = whole + fraction <= SHORT && !exponent;
        if short && !point && !(negative && zero) {
            self.at += end;
            let signed = || digits.cast_signed().wrapping_neg();
            return Some(if negative { Number::Negative(signed()) } else { Number::Whole(digits) });
        }
        if short
            && fraction > 0
            && rest[end - 1] != b'0'
            && (!zero || !rest[start + 2..end].starts_with(b"000000"))
        {
            self.at += end;
            let size = digits as f64 / POWERS[fraction];
            return Some(Number::Other(if negative { -size } else { size }));
        }
        let part = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
        end += rest[end..].iter().take_while(part).count();
        let text = std::str::from_utf8(&rest[..end]).ok()?;
        let value: f64 = text.parse().ok()?;
        if !value.is_finite() || ryu_js::Buffer::new().format_finite(value) != text {
            return None;
        }
        self.at += end;
        if point || exponent {
            return Some(Number::Other(value));
        }
        let (whole, below) = (text.parse().map(Number::Whole), text.parse().map(Number::Negative));
        Some(whole.or(below).unwrap_or(Number::Other(value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::Encoder;

    #[test]
    fn roll_7_canonical_means_that_encoding_leaves_it_alone() {
        let values = [
            "0",
            "-0",
            "00",
            "-01",
            "7",
            "-7",
            "1.5",
            "1.50",
            "1e2",
            "100",
            "1e21",
            "1e+21",
            "1E+21",
            "1e-7",
            "1e-07",
            "0.1",
            ".1",
            "1.",
            "-",
            "+1",
            "--1",
            "1-1",
            "999999999999999",
            "9007199254740992",
            "9007199254740993",
            "9007199254740994",
            "9223372036854775807",
            "9223372036854776000",
            "100000000000000000000",
            "100000000000000000001",
            "1e400",
            "true",
            "tru",
            "nulll",
            "null",
            "[]",
            "[ ]",
            "[1,2]",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{}",
            r#"{"a":1,"b":2}"#,
            r#"{"b":1,"a":2}"#,
            r#"{"a":1,"a":2}"#,
            r#"{"a":1,}"#,
            r#"{"a" :1}"#,
            r#""\n""#,
            r#""\u000a""#,
            r#""\u000b""#,
            r#""\u000B""#,
            r#""\u001f""#,
            r#""\u0020""#,
            r#""\/""#,
            r#""/""#,
            r#""\x""#,
            r#""\u00""#,
            "\"\n\"",
            "\"\u{7f}\"",
            r#""é""#,
            r#""\u00e9""#,
            r#""\ud83d\ude00""#,
            r#""\""#,
            "",
            " 1",
        ];
        for value in values {
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
