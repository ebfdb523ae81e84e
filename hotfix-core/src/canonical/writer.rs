//! Output buffer of canonical text: strings, numbers, members in order.

use super::error::Unwritten;
use super::order::Name;
use super::{CanonicalError, MAX_DEPTH, MAX_INTEGER};
use std::fmt;
use std::ops::Range;

/// A member of an object being written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    /// The name's opening quote.
    start: usize,
    /// The name's closing quote.
    name_end: usize,
    /// After the value; set when the object ends.
    end: usize,
    /// The name is ASCII without escapes.
    plain: bool,
}

impl Member {
    /// Its range, name and value, once the object has ended.
    pub(super) fn place(self) -> Range<usize> {
        self.start..self.end
    }

    pub(super) fn name(self, out: &[u8]) -> Name<'_> {
        Name { raw: &out[self.start + 1..self.name_end], plain: self.plain }
    }
}

pub(super) struct Object {
    first: usize,
    sorted: bool,
    /// The first letter of the last member's name; None without a member, and of a name that is empty or
    /// not plain.
    letter: Option<u8>,
}

pub(super) struct Writer<'a> {
    pub(super) out: &'a mut Vec<u8>,
    members: &'a mut Vec<Member>,
    scratch: &'a mut Vec<u8>,
    depth: usize,
    pub(super) numbers: Numbers,
    /// Whether the last text that was a value is ASCII without escapes.
    pub(super) plain: bool,
}

/// How numbers are written and read, and whether members are in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Numbers {
    /// Those of RFC 8785: finite doubles without a negative zero, and integers up to 2^53.
    Canonical,
    /// Those of a state, bit for bit: also a negative zero, infinities and integers of 64 bits.
    State,
    /// As `serde_json` writes them: `1.0`, null for what is not finite. Members stay as declared.
    Declared,
    /// As [`Self::Declared`], with members in order.
    Ordered,
}

/// Infinity in the text of a state: a number beyond every double.
pub(super) const INFINITE: &str = "1e999";

impl<'a> Writer<'a> {
    pub(super) fn new(
        out: &'a mut Vec<u8>,
        members: &'a mut Vec<Member>,
        scratch: &'a mut Vec<u8>,
        numbers: Numbers,
    ) -> Self {
        Self { out, members, scratch, depth: 0, numbers, plain: false }
    }

    pub(super) fn begin(&mut self, open: u8) -> Result<(), Unwritten> {
        if self.depth == MAX_DEPTH {
            return Err(CanonicalError::TooDeep { limit: MAX_DEPTH }.into());
        }
        self.depth += 1;
        self.out.push(open);
        Ok(())
    }

    pub(super) fn end(&mut self, close: u8) {
        self.depth -= 1;
        self.out.push(close);
    }

    pub(super) fn begin_object(&mut self) -> Result<Object, Unwritten> {
        self.begin(b'{')?;
        Ok(Object { first: self.members.len(), sorted: true, letter: None })
    }

    /// Writes a member's name; its value follows.
    pub(super) fn name(&mut self, object: &mut Object, name: &str) {
        let start = self.begin_name(object);
        let plain = self.string(name);
        self.end_name(object, start, plain);
    }

    /// Begins a member; returns the place of its name, which the caller writes next.
    #[inline]
    pub(super) fn begin_name(&mut self, object: &Object) -> usize {
        if self.members.len() > object.first {
            self.out.push(b',');
        }
        self.out.len()
    }

    /// Ends a member's name that began at `start`; its value follows.
    pub(super) fn end_name(&mut self, object: &mut Object, start: usize, plain: bool) {
        let member = Member { start, name_end: self.out.len() - 1, end: 0, plain };
        self.out.push(b':');
        let has_letter = plain && start + 1 < member.name_end;
        let letter = has_letter.then(|| self.out[start + 1]);
        match (object.letter, letter) {
            // Most names differ in their first letter.
            (Some(before), Some(letter)) if before != letter => object.sorted &= before < letter,
            _ => {
                let before = self.members[object.first..].last();
                object.sorted &= before
                    .is_none_or(|before| before.name(self.out).is_before(member.name(self.out)));
            }
        }
        object.letter = letter;
        self.members.push(member);
    }

    /// Makes the value at `start`, the last one, a name, and says whether it is plain: a number or
    /// truth value gets quotes.
    #[inline]
    pub(super) fn as_name(&mut self, start: usize) -> Result<bool, Unwritten> {
        match self.out.get(start) {
            Some(b'"') => return Ok(self.plain),
            Some(b'-' | b'0'..=b'9' | b't' | b'f') => {}
            _ => return Err(CanonicalError::KeyNotText.into()),
        }
        self.out.insert(start, b'"');
        self.out.push(b'"');
        Ok(true)
    }

    pub(super) fn end_object(&mut self, object: &Object) -> Result<(), Unwritten> {
        let mut end = self.out.len();
        for member in self.members[object.first..].iter_mut().rev() {
            member.end = end;
            end = member.start.wrapping_sub(1); // the comma; unused after the first member
        }
        if !object.sorted && self.numbers != Numbers::Declared {
            self.sort(object.first)?;
        }
        self.end(b'}');
        if self.depth > 0 {
            self.members.truncate(object.first); // the top level's are kept for sealing
        }
        Ok(())
    }

    /// Puts the members from `first` on in order, moving only those out of place.
    fn sort(&mut self, first: usize) -> Result<(), Unwritten> {
        let members = &mut self.members[first..];
        let Some(body) = members.first().map(|member| member.start) else { return Ok(()) };
        let out = &mut *self.out;
        members.sort_unstable_by(|a, b| a.name(out).cmp(b.name(out)));
        for pair in members.windows(2) {
            if pair[0].name(out).cmp(pair[1].name(out)).is_eq() {
                let key = String::from_utf8_lossy(pair[0].name(out).raw).into_owned();
                return Err(CanonicalError::DuplicateKey { key }.into());
            }
        }
        let mut at = body;
        let mut in_place = 0;
        for member in members.iter() {
            if member.start != at {
                break;
            }
            at = member.end + 1;
            in_place += 1;
        }
        self.scratch.clear();
        self.scratch.extend_from_slice(out.get(at..).unwrap_or_default());
        let base = at;
        for (index, member) in members.iter_mut().enumerate().skip(in_place) {
            let (from, length) = (member.start - base, member.end - member.start);
            if index > 0 {
                out[at - 1] = b',';
            }
            out[at..at + length].copy_from_slice(&self.scratch[from..from + length]);
            member.name_end = at + (member.name_end - member.start);
            member.start = at;
            member.end = at + length;
            at += length + 1;
        }
        Ok(())
    }

    /// Writes a quoted string; true when it is ASCII without escapes.
    #[inline]
    pub(super) fn string(&mut self, text: &str) -> bool {
        self.out.push(b'"');
        let plain = self.escaped(text);
        self.out.push(b'"');
        plain
    }

    /// Writes what a value displays, without making a `String` of it.
    pub(super) fn display<T: fmt::Display + ?Sized>(
        &mut self,
        value: &T,
    ) -> Result<bool, Unwritten> {
        struct Adapter<'w, 'a> {
            writer: &'w mut Writer<'a>,
            plain: bool,
        }
        impl fmt::Write for Adapter<'_, '_> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.plain &= self.writer.escaped(text);
                Ok(())
            }
        }
        self.out.push(b'"');
        let mut adapter = Adapter { writer: self, plain: true };
        fmt::write(&mut adapter, format_args!("{value}"))
            .map_err(|_| CanonicalError::Custom { reason: "its `Display` failed".into() })?;
        let plain = adapter.plain;
        self.out.push(b'"');
        Ok(plain)
    }

    fn escaped(&mut self, text: &str) -> bool {
        let bytes = text.as_bytes();
        let (words, _) = bytes.as_chunks::<8>();
        let end = last_eight(bytes);
        let (mut special, mut high) = (is_special(end), end);
        for word in words {
            let word = u64::from_le_bytes(*word);
            special |= is_special(word);
            high |= word;
        }
        if !special {
            self.out.extend_from_slice(bytes);
            return high & HIGH_BITS == 0;
        }
        for &byte in bytes {
            let short = match byte {
                b'"' | b'\\' => byte,
                0x08 => b'b',
                b'\t' => b't',
                b'\n' => b'n',
                0x0c => b'f',
                b'\r' => b'r',
                0..0x20 => {
                    let low = b"0123456789abcdef"[usize::from(byte & 15)];
                    self.out.extend_from_slice(&[b'\\', b'u', b'0', b'0', b'0' + (byte >> 4), low]);
                    continue;
                }
                _ => {
                    self.out.push(byte);
                    continue;
                }
            };
            self.out.extend_from_slice(&[b'\\', short]);
        }
        false
    }

    pub(super) fn integer(&mut self, negative: bool, size: u64) -> Result<(), Unwritten> {
        if size > MAX_INTEGER && self.numbers == Numbers::Canonical {
            return Err(CanonicalError::integer_range(negative, size).into());
        }
        let mut digits = [0; 20];
        let mut at = digits.len();
        let mut rest = size;
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if negative {
            at -= 1;
            digits[at] = b'-';
        }
        self.out.extend_from_slice(&digits[at..]);
        Ok(())
    }

    pub(super) fn float(&mut self, value: f64) -> Result<(), Unwritten> {
        if matches!(self.numbers, Numbers::Declared | Numbers::Ordered) {
            return serde_json::to_writer(&mut *self.out, &value)
                .map_err(|error| CanonicalError::syntax(&error).into());
        }
        if !value.is_finite() {
            if self.numbers == Numbers::State && !value.is_nan() {
                if value < 0.0 {
                    self.out.push(b'-');
                }
                self.out.extend_from_slice(INFINITE.as_bytes());
                return Ok(());
            }
            let value = if value.is_nan() {
                "NaN"
            } else if value > 0.0 {
                "inf"
            } else {
                "-inf"
            };
            return Err(CanonicalError::NotFinite { value }.into());
        }
        // Counts are common, and whole numbers print as integers do.
        #[expect(clippy::cast_possible_truncation, reason = "compared with the value it came from")]
        let whole = value as i64;
        if whole as f64 == value && whole.unsigned_abs() < MAX_INTEGER {
            if whole == 0 && self.numbers == Numbers::State && value.is_sign_negative() {
                self.out.push(b'-');
            }
            return self.integer(whole < 0, whole.unsigned_abs());
        }
        self.out.extend_from_slice(ryu_js::Buffer::new().format_finite(value).as_bytes());
        Ok(())
    }
}

/// 1 in each of eight bytes, and the high bit of each.
const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x80 * ONES;

/// Whether one of eight bytes has to be escaped: a control character, a quote or a backslash.
const fn is_special(word: u64) -> bool {
    // The first byte below the limit borrows into its own high bit; without one none is set but those
    // of bytes that had it.
    const fn below(word: u64, limit: u64) -> u64 {
        word.wrapping_sub(limit * ONES) & !word
    }
    let quote = below(word ^ (0x22 * ONES), 1);
    let backslash = below(word ^ (0x5c * ONES), 1);
    (below(word, 0x20) | quote | backslash) & HIGH_BITS != 0
}

/// The last eight bytes in any order; of a shorter text all, some twice or with spaces.
fn last_eight(bytes: &[u8]) -> u64 {
    if let Some(last) = bytes.last_chunk::<8>() {
        return u64::from_le_bytes(*last);
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let [first, last] = [first, last].map(|four| u64::from(u32::from_le_bytes(*four)));
        return (first << 32) | last;
    }
    bytes.iter().fold(0x20 * ONES, |word, byte| (word << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use crate::canonical::{Encoder, read_canonical, read_state};
    use serde::{Deserialize, Serialize};
    use serde_json::Value;

    #[test]
    fn roll_7_the_text_of_a_state_keeps_every_bit_of_a_number() {
        #[derive(Debug, Serialize, Deserialize)]
        struct Numbers {
            doubles: Vec<f64>,
            signed: Vec<i64>,
            unsigned: Vec<u64>,
        }

        let doubles = [0.0, 0.1, 1.0, 1e15, 1e16, 9_007_199_254_740_993.0, 1e20, 1e21, 5e-324];
        let doubles = doubles.into_iter().chain([f64::MAX, f64::INFINITY, f64::MIN_POSITIVE]);
        let state = Numbers {
            doubles: doubles.flat_map(|size| [size, -size]).collect(),
            signed: vec![i64::MIN, -1 << 53, -1, 0, (1 << 53) + 1, i64::MAX],
            unsigned: vec![0, 1, (1 << 53) - 1, (1 << 53) + 1, 1_000_000_000_000_000, u64::MAX],
        };
        let mut text = Vec::new();
        Encoder::new().encode_state(&state, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let read: Numbers = read_state(&text).unwrap();
        let bits = |of: &Numbers| of.doubles.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&read), bits(&state), "{text}");
        assert_eq!((read.signed, read.unsigned), (state.signed, state.unsigned), "{text}");
        // Only the text of a state has them.
        assert!(read_canonical::<Value>(r#"{"x":1e999}"#).is_err());
        assert!(read_state::<Value>(r#"{"x":1e998}"#).is_err());
        assert!(read_state::<Value>(r#"{"x":01}"#).is_err());
        assert!(Encoder::new().encode_state(&f64::NAN, &mut Vec::new()).is_err());
    }

    #[test]
    fn roll_7_every_character_is_escaped_wherever_it_is() {
        for code in (0..0x100).chain([0x7ff, 0x2028, 0xffff, 0x1_f600]) {
            let character = char::from_u32(code).unwrap();
            for (before, after) in
                (0..20).flat_map(|before| [(before, 0), (before, 3), (before, 9)])
            {
                let text = format!("{}{character}{}", "a".repeat(before), "~".repeat(after));
                let mut written = Vec::new();
                Encoder::new().encode(&text, &mut written).unwrap();
                assert_eq!(written, serde_json::to_vec(&text).unwrap(), "{text:?}");
            }
        }
    }
}
