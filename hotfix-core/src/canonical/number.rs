//! Numbers of canonical text: parsing, with a check that they are written as ECMAScript writes
//! them. Parsing a number and printing it again would show that, but takes longer than everything
//! else that is done with a line. So exact arithmetic decides the usual numbers, and printing the
//! rest.

/// A number in canonical form, in the types that serde distinguishes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    /// Without a sign or a point, below 2^64.
    Whole(u64),
    /// Without a point, below zero.
    Negative(i64),
    /// Any other: the nearest double.
    Other(f64),
}

/// Digits up to which every decimal is restored from its double.
const SHORT: usize = 15;

/// Digits that fit into the arithmetic; no double needs more.
const LONG: usize = 17;

/// Decimal places up to which the power of ten is exact as a double.
const PLACES: usize = 22;

const TENS: [f64; PLACES + 1] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

const FIVES: [u64; PLACES + 1] = {
    let mut fives = [1; PLACES + 1];
    let mut power = 1;
    while power <= PLACES {
        fives[power] = fives[power - 1] * 5;
        power += 1;
    }
    fives
};

/// The whole number at the start of `text` and its length in bytes, if it has few digits and the
/// number ends there. Most numbers of a log are counts.
#[inline]
pub(super) fn count(text: &[u8]) -> Option<(u64, usize)> {
    let (mut value, mut length) = (0, 0);
    for byte in text.iter().take(8) {
        match byte {
            b'0'..=b'9' => value = value * 10 + u64::from(byte - b'0'),
            b',' | b']' | b'}' if length > 0 && (length == 1 || text.first() != Some(&b'0')) => {
                return Some((value, length));
            }
            _ => return None,
        }
        length += 1;
    }
    None
}

/// The number at the start of `text`, if it is in canonical form; `length` is set to its bytes.
pub(super) fn number(text: &[u8], length: &mut usize) -> Option<Number> {
    let (number, end) = read(text)?;
    *length = end;
    Some(number)
}

#[inline]
fn read(text: &[u8]) -> Option<(Number, usize)> {
    let negative = text.first()? == &b'-';
    let start = usize::from(negative);
    // Wraps around if there are more digits than are used.
    let (mut digits, mut end) = (0_u64, start);
    while let Some(digit @ b'0'..=b'9') = text.get(end) {
        digits = digits.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
        end += 1;
    }
    let whole = end - start;
    let zero = text.get(start)? == &b'0';
    if whole == 0 || (zero && whole > 1) {
        return None;
    }
    match text.get(end) {
        Some(b'.') => {
            let point = end;
            end += 1;
            while let Some(eight) = text.get(end..).and_then(<[u8]>::first_chunk)
                && let Some(value) = eight_digits(*eight)
            {
                digits = digits.wrapping_mul(100_000_000).wrapping_add(value);
                end += 8;
            }
            while let Some(digit @ b'0'..=b'9') = text.get(end) {
                digits = digits.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
                end += 1;
            }
            let fraction = &text[point + 1..end];
            if let Some(b'e' | b'E') = text.get(end) {
                return printed(text, end, true);
            }
            let zeros = |digits: &[u8]| digits.iter().take_while(|digit| **digit == b'0').count();
            let leading = if zero { zeros(fraction) } else { 0 };
            // A number this small needs an exponent; one that ends in a zero is not the shortest
            // form.
            let is_plain = leading < 6 && fraction.last().is_some_and(|last| *last != b'0');
            let significant = fraction.len() + if zero { 0 } else { whole } - leading;
            let size = match significant {
                _ if !is_plain || fraction.len() > PLACES => None,
                // It is the shortest that reads back; digits and power are exact, so their quotient
                // is the nearest double (Clinger 1990).
                0..=SHORT => Some(digits as f64 / TENS[fraction.len()]),
                _ if significant <= LONG => shortest(digits, fraction.len()),
                _ => None,
            };
            match size {
                Some(size) => Some((Number::Other(if negative { -size } else { size }), end)),
                None => printed(text, end, true),
            }
        }
        Some(b'e' | b'E') => printed(text, end, true),
        _ if whole > SHORT || (negative && zero) => printed(text, end, false),
        _ if negative => Some((Number::Negative(digits.cast_signed().wrapping_neg()), end)),
        _ => Some((Number::Whole(digits), end)),
    }
}

/// The value of eight bytes if all are digits: pairs, then fours, then all are combined in one word
/// (Lemire 2018).
fn eight_digits(text: [u8; 8]) -> Option<u64> {
    const ONES: u64 = u64::MAX / 255;
    // A byte below `0` borrows from the one above and has its own high bit set; one above `9` gets
    // it by the sum.
    let word = u64::from_le_bytes(text).wrapping_sub(ONES * u64::from(b'0'));
    if (word | word.wrapping_add(ONES * (0x80 - 10))) & (ONES << 7) != 0 {
        return None;
    }
    let pairs = (word.wrapping_mul(10 * 0x100 + 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100 * 0x1_0000 + 1) >> 16) & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(10_000 * 0x1_0000_0000 + 1) >> 32)
}

/// The double nearest to `digits / 10^places`, if ECMAScript prints it so; None if it does not, or
/// if that is not certain.
///
/// `digits` has at most [`LONG`] digits and no zero at its end, `places` is 1 to [`PLACES`]. A
/// double is `m · 2^e`. In units of `2^-shift / 10^places` it is `2 · m · 5^places`, and decimals
/// that read as it are at most `5^places` away: these are whole numbers below 2^128, and so is
/// `digits · 2^shift`. It is printed so if no decimal with a digit less reads as it, and none with
/// as many digits is nearer. A tie counts as not certain.
fn shortest(digits: u64, places: usize) -> Option<f64> {
    let power = FIVES[places];
    // Both are rounded, so it is the nearest double or one beside it.
    let mut bits = (digits as f64 / TENS[places]).to_bits();
    let exponent = (bits >> 52 & 0x7ff).cast_signed() - 1075;
    let shift = u32::try_from(1 - exponent - places.cast_signed() as i64)
        .ok()
        .filter(|shift| *shift < 64)?;
    let place = |digits: u64| u128::from(digits) << shift;
    let middle = |bits: u64| {
        let mantissa = bits & ((1 << 52) - 1);
        // Below a power of two the doubles are closer to each other.
        (mantissa != 0).then(|| 2 * u128::from(mantissa | 1 << 52) * u128::from(power))
    };
    let (half, read) = (u128::from(power), place(digits));
    let mut centre = middle(bits)?;
    if read > centre + half {
        bits += 1;
        centre = middle(bits)?;
    } else if read + half < centre {
        bits -= 1;
        centre = middle(bits)?;
    }
    let tens = digits / 10 * 10;
    let reads_back = read.abs_diff(centre) < half;
    let is_nearest = 2 * read.abs_diff(centre) < place(1);
    let is_shortest = place(tens) + half < centre && place(tens + 10) > centre + half;
    (reads_back && is_nearest && is_shortest).then(|| f64::from_bits(bits))
}

/// A number that extends at least to `end`: parsed, and printed to check that the text is the same.
#[cold]
fn printed(text: &[u8], end: usize, is_other: bool) -> Option<(Number, usize)> {
    let part = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
    let end = end + text[end..].iter().take_while(part).count();
    let text = std::str::from_utf8(&text[..end]).ok()?;
    let value: f64 = text.parse().ok()?;
    if !value.is_finite() || ryu_js::Buffer::new().format_finite(value) != text {
        return None;
    }
    if is_other {
        return Some((Number::Other(value), end));
    }
    let (whole, below) = (text.parse().map(Number::Whole), text.parse().map(Number::Negative));
    Some((whole.or(below).unwrap_or(Number::Other(value)), end))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What reading and printing says.
    fn expected(text: &str) -> Option<(Number, usize)> {
        let is_other = text.contains(['.', 'e', 'E']);
        printed(text.as_bytes(), 0, is_other).filter(|(_, end)| *end == text.len())
    }

    fn agrees(text: &str) {
        let read = read(text.as_bytes()).filter(|(_, end)| *end == text.len());
        assert_eq!(read, expected(text), "{text}");
        for next in [",", "]", "}", ".5", "e", "E", "-", "x", "0"] {
            let count = count(format!("{text}{next}").as_bytes());
            let known = match read {
                Some((Number::Whole(value), length)) if length < 8 && ",]}".contains(next) => {
                    Some((value, length))
                }
                _ => None,
            };
            if next != "0" {
                assert_eq!(count, known, "{text}{next}");
            }
        }
        if let (Some((Number::Other(read), _)), Some((Number::Other(known), _))) =
            (read, expected(text))
        {
            assert_eq!(read.to_bits(), known.to_bits(), "{text}");
        }
    }

    /// Doubles of all sizes that numbers of a log have; the same in each run.
    fn doubles() -> impl Iterator<Item = f64> {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        (0..60_000).map(move |round| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let exponent = 1023 - 24 + round % 90;
            let mantissa = match round % 7 {
                0 => 0,
                1 => state >> 60,
                2 => (1 << 52) - 1 - (state >> 60),
                _ => state >> 12,
            };
            f64::from_bits(exponent << 52 | mantissa)
        })
    }

    #[test]
    fn roll_7_a_number_is_canonical_where_printing_it_gives_the_same_text() {
        for whole in 0..20_000_u32 {
            agrees(&whole.to_string());
            agrees(&format!("-{whole}"));
            agrees(&format!("0{whole}"));
        }
        for text in ["", "-", "1.", ".5", "1.5.", "1e5", "1e-7", "1e+21", "12345678", "1234567"] {
            agrees(text);
        }
        let mut swift = 0;
        for value in doubles() {
            let mut buffer = ryu_js::Buffer::new();
            let text = buffer.format_finite(value);
            agrees(text);
            agrees(&format!("-{text}"));
            // One more and one less in the last place, a digit more, a digit less.
            let (head, last) = text.split_at(text.len() - 1);
            for digit in '0'..='9' {
                agrees(&format!("{head}{digit}"));
                agrees(&format!("{text}{digit}"));
            }
            agrees(head);
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            let places = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
            let digits: u64 = digits.parse().unwrap_or(0);
            if (1..=PLACES).contains(&places) && (10_u64.pow(15)..10_u64.pow(17)).contains(&digits)
            {
                swift += usize::from(shortest(digits, places) == Some(value));
            }
            assert!(last.len() == 1);
        }
        // Most are decided by arithmetic.
        assert!(swift > 20_000, "{swift}");
    }

    #[test]
    fn roll_7_eight_digits_are_read_at_once_and_nothing_else_is() {
        for value in [0, 1, 9, 12_345_678, 99_999_999, 10_000_000, 90_807_060] {
            let text: [u8; 8] = format!("{value:08}").into_bytes().try_into().unwrap();
            assert_eq!(eight_digits(text), Some(value));
            for place in 0..8 {
                for byte in (0..=u8::MAX).filter(|byte| !byte.is_ascii_digit()) {
                    let mut other = text;
                    other[place] = byte;
                    assert_eq!(eight_digits(other), None, "{byte} at {place}");
                }
            }
        }
    }
}
