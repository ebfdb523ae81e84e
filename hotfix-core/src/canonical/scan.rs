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

/// The chain's members, where `text` is an object in canonical form.
pub(super) fn canonical_object(text: &str) -> Option<Chain> {
    let mut scan = Scan { text: text.as_bytes(), at: 0 };
    let mut chain = Chain::default();
    scan.object(MAX_DEPTH, |name, member| match name {
        b"prev" => chain.prev = Some(member),
        b"hash" => chain.hash = Some(member),
        b"personal" => chain.personal = Some(member),
        _ => {}
    })?;
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

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.text[self.at..].starts_with(word).then(|| self.at += word.len())
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        match self.peek()? {
            b'"' => self.string().map(|_| ()),
            b'{' => self.object(depth, |_, _| {}),
            b'[' => self.array(depth),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => self.number(),
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

    fn string(&mut self) -> Option<Name<'a>> {
        self.word(b"\"")?;
        let start = self.at;
        let mut plain = true;
        loop {
            let rest = &self.text[self.at..];
            self.at += rest.iter().position(|byte| STOP[usize::from(*byte)])?;
            match self.text[self.at] {
                b'"' => break,
                b'\\' => {
                    plain = false;
                    self.escape()?;
                }
                0..0x20 => return None,
                _ => {
                    plain = false;
                    self.at += 1;
                }
            }
        }
        let raw = &self.text[start..self.at];
        self.at += 1;
        Some(Name { raw, plain })
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

    fn number(&mut self) -> Option<()> {
        let rest = &self.text[self.at..];
        let sign = usize::from(rest.first()? == &b'-');
        let digits = |from: usize| rest[from..].iter().take_while(|b| b.is_ascii_digit()).count();
        let whole = digits(sign);
        let zero = rest.get(sign)? == &b'0';
        if whole == 0 || (zero && whole > 1) {
            return None;
        }
        let mut end = sign + whole;
        let mut fraction = 0;
        if rest.get(end) == Some(&b'.') {
            fraction = digits(end + 1);
            end += 1 + fraction;
        }
        let exponent = matches!(rest.get(end), Some(b'e' | b'E'));
        // Decimals of at most 15 digits have a double each, so the one in hand is the shortest
        // that reads back, unless it ends in a zero or is so small that it needs an exponent.
        let short = whole + fraction <= 15 && !exponent;
        let plain = if fraction > 0 {
            short && rest[end - 1] != b'0' && (!zero || !rest[sign + 2..end].starts_with(b"000000"))
        } else {
            short && rest[end - 1] != b'.' && !(sign == 1 && zero)
        };
        if !plain {
            let part = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
            end += rest[end..].iter().take_while(part).count();
            let text = std::str::from_utf8(&rest[..end]).ok()?;
            let value: f64 = text.parse().ok()?;
            if !value.is_finite() || ryu_js::Buffer::new().format_finite(value) != text {
                return None;
            }
        }
        self.at += end;
        Some(())
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
