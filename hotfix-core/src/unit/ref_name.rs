//! Names of branches and tags, by the rules that git has for references.

/// Reason why a text is not a valid name of a branch or a tag.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum RefFault {
    /// It is empty.
    #[error("it is empty")]
    Empty,
    /// It is too long for a file name or for a reader.
    #[error("it has {bytes} bytes, and at most {most} are allowed", most = RefName::MOST)]
    TooLong { bytes: usize },
    /// A character that git does not take.
    #[error("it has {}", named(*character))]
    Character { character: char },
    /// A character that is not seen, or that turns the reading direction: the name would look like
    /// another.
    #[error("it has the invisible character `{}`", character.escape_unicode())]
    Invisible { character: char },
    /// A sequence that git reads as something else.
    #[error("it has `{sequence}`")]
    Sequence { sequence: &'static str },
    /// It begins with characters that git or a command reads as something else.
    #[error("it begins with `{start}`")]
    Start { start: &'static str },
    /// It ends with a suffix that git reserves.
    #[error("it, or a part between slashes, ends with `{end}`")]
    End { end: &'static str },
    /// A part between slashes begins with a dot.
    #[error("a part between slashes begins with `.`")]
    HiddenPart,
    /// The name is reserved by git.
    #[error("git reserves this name")]
    Reserved,
}

/// A character for a sentence: a space in words, an invisible one by its code.
fn named(character: char) -> String {
    match character {
        ' ' => "a space".to_owned(),
        c if is_invisible(c) => format!("the character `{}`", c.escape_unicode()),
        c => format!("the character `{c}`"),
    }
}

/// The name of a branch or a tag, without `refs/heads/` or `refs/tags/`.
/// Accepts the names that git's `check-ref-format` accepts, except names that begin with `-`, are
/// `HEAD` or `@`, contain an invisible character or one that changes the reading direction, or are
/// longer than 200 bytes: a command or a person could misread them.
///
/// ```
/// use hotfix_core::unit::{RefFault, RefName};
///
/// assert_eq!(RefName::try_new("hotfix/payment-webhooks").map(|name| name.to_string()),
///     Ok("hotfix/payment-webhooks".into()));
/// assert_eq!(RefName::try_new("-D"), Err(RefFault::Start { start: "-" }));
/// assert_eq!(RefName::try_new("a..b"), Err(RefFault::Sequence { sequence: ".." }));
/// ```
/// Source: git's manual, git-check-ref-format(1), rules 1 to 10.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct RefName(String);

impl RefName {
    /// The most bytes: with what git appends, a file name on every system.
    pub const MOST: usize = 200;

    /// Checks a name.
    ///
    /// # Errors
    /// Why it is not valid.
    pub fn try_new(name: impl Into<String>) -> Result<Self, RefFault> {
        let name = name.into();
        match fault(&name) {
            Some(fault) => Err(fault),
            None => Ok(Self(name)),
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for RefName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

fn fault(name: &str) -> Option<RefFault> {
    if name.is_empty() {
        return Some(RefFault::Empty);
    }
    if name.len() > RefName::MOST {
        return Some(RefFault::TooLong { bytes: name.len() });
    }
    let refused = |c: char| c.is_ascii_control() || " ~^:?*[\\".contains(c);
    if let Some(character) = name.chars().find(|&c| refused(c)) {
        return Some(RefFault::Character { character });
    }
    if let Some(character) = name.chars().find(|&c| is_invisible(c)) {
        return Some(RefFault::Invisible { character });
    }
    if let Some(&sequence) = ["..", "@{", "//"].iter().find(|&&sequence| name.contains(sequence)) {
        return Some(RefFault::Sequence { sequence });
    }
    if let Some(&start) = ["-", "/"].iter().find(|&&start| name.starts_with(start)) {
        return Some(RefFault::Start { start });
    }
    if let Some(&end) = ["/", "."].iter().find(|&&end| name.ends_with(end)) {
        return Some(RefFault::End { end });
    }
    let parts = || name.split('/');
    // git compares this case-sensitively.
    if parts().any(|part| part.strip_suffix(".lock").is_some()) {
        return Some(RefFault::End { end: ".lock" });
    }
    if parts().any(|part| part.starts_with('.')) {
        return Some(RefFault::HiddenPart);
    }
    matches!(name, "HEAD" | "@").then_some(RefFault::Reserved)
}

/// Whether a character is invisible or changes the reading direction: control and format
/// characters, line separators, tags, and signs without ink.
pub(crate) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{70f}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
            | '\u{16fe4}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}
