//! The order of member names: by UTF-16 code units, as RFC 8785 has it. Names are compared in the
//! form they have in canonical text, between their quotes. Plain ASCII compares as bytes; the rest
//! is decoded. (UTF-8's own order differs: U+FF5E sorts before U+1F600 there, and after it in
//! UTF-16.)

use std::cmp::Ordering;

#[derive(Clone, Copy)]
pub(super) struct Name<'a> {
    /// The bytes between the quotes.
    pub(super) raw: &'a [u8],
    /// ASCII without escapes.
    pub(super) plain: bool,
}

impl Name<'_> {
    /// Whether it comes before `other`. Most names differ in their first letter.
    #[inline]
    pub(super) fn is_before(self, other: Name<'_>) -> bool {
        match (self.raw.first(), other.raw.first()) {
            (Some(mine), Some(others)) if self.plain && other.plain && mine != others => {
                mine < others
            }
            _ => self.cmp(other).is_lt(),
        }
    }

    pub(super) fn cmp(self, other: Name<'_>) -> Ordering {
        if self.plain && other.plain {
            self.raw.cmp(other.raw)
        } else {
            units(self.raw).cmp(units(other.raw))
        }
    }
}

/// UTF-16 code units of a name. The order of text that is not canonical is unspecified but stable.
fn units(raw: &[u8]) -> impl Iterator<Item = u16> {
    let text = std::str::from_utf8(raw).unwrap_or_default();
    unescaped(text).flat_map(|c| {
        let mut pair = [0; 2];
        let count = c.encode_utf16(&mut pair).len();
        pair.into_iter().take(count)
    })
}

/// The characters of text with canonical escapes; it ends where an escape is not valid.
pub(super) fn unescaped(text: &str) -> impl Iterator<Item = char> {
    let mut chars = text.chars();
    std::iter::from_fn(move || match chars.next()? {
        '\\' => match chars.next()? {
            'b' => Some('\u{8}'),
            't' => Some('\t'),
            'n' => Some('\n'),
            'f' => Some('\u{c}'),
            'r' => Some('\r'),
            'u' => {
                let code =
                    (0..4).try_fold(0, |code, _| Some(code * 16 + chars.next()?.to_digit(16)?))?;
                char::from_u32(code)
            }
            other => Some(other),
        },
        plain => Some(plain),
    })
}
