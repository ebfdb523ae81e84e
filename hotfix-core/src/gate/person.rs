//! Whether two names are one person's.

use std::iter::once;

use crate::text::{apart, is_blank, joined};
use crate::unit::is_invisible;

/// The texts by which a name is compared: the whole name and, in git's form `Name <address>`, both parts.
pub(crate) fn parts(name: &str) -> impl Iterator<Item = &str> {
    let both =
        name.split_once('<').map(|(name, address)| [name, address.trim_end_matches(['>', ' '])]);
    let parts = once(name).chain(both.into_iter().flatten());
    parts.map(|part| part.trim().trim_matches('"')).filter(|part| !is_blank(part))
}

/// Whether two names are one person's. Case, whether a letter is composed with its marks, characters that
/// nobody sees, quotes and white space around the name make no difference; other white space counts as one
/// space. Of names in git's form `Name <address>` one equal part is enough.
///
/// ```
/// use hotfix_core::gate::is_same_person;
/// assert!(is_same_person("Lena Ode <lena@example.org>", " lena ode"));
/// assert!(is_same_person("lena@example.org", "L. Ode <Lena@example.org>"));
/// assert!(is_same_person("Jos\u{e9}", "Jose\u{301}"));
/// assert!(is_same_person("Vi\u{1ec7}t", "Vi\u{ea}\u{323}t"));
/// assert!(is_same_person("L. Ode", "L.\u{a0} Ode\u{200b}"));
/// assert!(is_same_person("Weiß", "WEISS\u{2800}"));
/// assert!(is_same_person("L. Ode", "\"L. Ode\" <lena@example.org>"));
/// assert!(!is_same_person("L. Ode", "L.Ode"));
/// assert!(!is_same_person("Lena Ode <lena@example.org>", "Lena"));
/// ```
pub fn is_same_person(one: &str, other: &str) -> bool {
    let folded = |name| parts(name).map(folded);
    folded(one).any(|part| folded(other).any(|of| of == part))
}

/// A name without case, each letter apart from its marks, with one space between words.
fn folded(name: &str) -> String {
    let seen = |letter: &char| letter.is_whitespace() || !is_invisible(*letter);
    let seen: String = name.chars().filter(seen).collect();
    let plain = apart(&joined(seen.split_whitespace(), " "));
    // A letter may have another lower case than its upper case has: `ß` and `SS`.
    apart(&plain.to_uppercase().to_lowercase())
}
