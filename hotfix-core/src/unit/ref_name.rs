//! Names of branches and tags, by the rules that git has for references.

/// Reason why a text is not a valid name of a branch or a tag.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RefFault(String);

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
/// use hotfix_core::unit::RefName;
///
/// assert_eq!(RefName::try_new("hotfix/payment-webhooks").map(|name| name.to_string()),
///     Ok("hotfix/payment-webhooks".into()));
/// assert_eq!(RefName::try_new("-D").unwrap_err().to_string(), "it begins with `-`");
/// assert_eq!(RefName::try_new("a..b").unwrap_err().to_string(), "it has `..`");
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
            Some(fault) => Err(RefFault(fault)),
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

fn fault(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("it is empty".to_owned());
    }
    if name.len() > RefName::MOST {
        let (bytes, most) = (name.len(), RefName::MOST);
        return Some(format!("it has {bytes} bytes, and at most {most} are allowed"));
    }
    let refused = |c: char| c.is_ascii_control() || " ~^:?*[\\".contains(c);
    if let Some(character) = name.chars().find(|&c| refused(c)) {
        return Some(format!("it has {}", named(character)));
    }
    if let Some(character) = name.chars().find(|&c| is_invisible(c)) {
        return Some(format!("it has the invisible character `{}`", character.escape_unicode()));
    }
    if let Some(sequence) = ["..", "@{", "//"].iter().find(|&&sequence| name.contains(sequence)) {
        return Some(format!("it has `{sequence}`"));
    }
    if let Some(start) = ["-", "/"].iter().find(|&&start| name.starts_with(start)) {
        return Some(format!("it begins with `{start}`"));
    }
    let parts = || name.split('/');
    // git compares this case-sensitively.
    let is_lock = |part: &str| part.strip_suffix(".lock").is_some();
    let end = ["/", "."].into_iter().find(|&end| name.ends_with(end));
    if let Some(end) = end.or_else(|| parts().any(is_lock).then_some(".lock")) {
        return Some(format!("it, or a part between slashes, ends with `{end}`"));
    }
    if parts().any(|part| part.starts_with('.')) {
        return Some("a part between slashes begins with `.`".to_owned());
    }
    matches!(name, "HEAD" | "@").then(|| "git reserves this name".to_owned())
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
