//! A diff's figures as `git diff --numstat` prints them.
//!
//! The form is git's own documentation, git-diff(1), "Other diff formats"; how it writes renames
//! and quotes paths was observed with git 2.47 and is tested against the git at hand. Libraries
//! that parse patches (`gitpatch`, `unidiff`) read hunks, not this.

use crate::code::{code, coded};
use crate::text::shown;

/// A diff's figures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numstat {
    /// The files in the order of the diff; a file may occur more than once.
    pub files: Vec<ChangedFile>,
}

/// A file that a change touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedFile {
    /// Its path after the change. Bytes that are not UTF-8 are replaced.
    pub path: String,
    /// The path before it was renamed or copied, where it was.
    pub before: Option<String>,
    /// How many lines. None: git treats it as binary, and does not count lines.
    pub lines: Option<ChangedLines>,
}

/// Lines of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangedLines {
    /// Added lines.
    pub added: u32,
    /// Deleted lines.
    pub deleted: u32,
}

coded! {
    /// Text that is not output of `git diff --numstat`. Lines count from 1.
    #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum NumstatError;

    #[error("it has {bytes} bytes: give at most {most}, those of the fix alone")]
    TooLong { bytes: usize, most: usize } => code! {HF-GATE-010},
    #[error(
        "line {line} is `{got}`: give `added<tab>deleted<tab>path`, with `-` for both counts of a \
         binary file"
    )]
    Line { line: usize, got: String } => code! {HF-GATE-011},
    #[error("line {line} counts `{got}` lines: give at most {}", u32::MAX)]
    Count { line: usize, got: String } => code! {HF-GATE-012},
    #[error(
        "line {line} has the path `{got}`, which git would write differently: pass the text as \
         git prints it without `-z`"
    )]
    Path { line: usize, got: String } => code! {HF-GATE-013},
}

impl NumstatError {
    /// The line, from 1. None: the text as a whole.
    pub const fn line(&self) -> Option<usize> {
        match self {
            Self::TooLong { .. } => None,
            Self::Line { line, .. } | Self::Count { line, .. } | Self::Path { line, .. } => {
                Some(*line)
            }
        }
    }
}

/// The separator between the two paths of a rename.
const ARROW: &str = " => ";

impl Numstat {
    /// The longest text that is read, in bytes.
    pub const MOST_BYTES: usize = 1 << 20;

    /// Reads what `git diff --numstat` printed, with or without `-M`, and without `-z`. Blank lines and
    /// line ends of Windows are skipped. A file whose own name looks like a rename is read as one, as
    /// git prints both alike.
    ///
    /// # Errors
    /// [`NumstatError`] for more than 1 MiB, and, with the line, for text that git does not print.
    ///
    /// ```
    /// use hotfix_core::gate::Numstat;
    ///
    /// let text = "4\t1\tsrc/pay.rs\n-\t-\tlogo.png\n0\t0\tdb/{old => new}/a.sql\n";
    /// let diff = Numstat::parse(text)?;
    /// let [code, logo, moved] = diff.files.as_slice() else { panic!("three files") };
    /// assert_eq!(code.lines.map(|lines| (lines.added, lines.deleted)), Some((4, 1)));
    /// assert_eq!(logo.lines, None);
    /// assert_eq!(moved.before.as_deref(), Some("db/old/a.sql"));
    /// assert_eq!(moved.path.as_str(), "db/new/a.sql");
    ///
    /// let error = Numstat::parse("4\t1\tsrc/pay.rs\n1 file changed\n").unwrap_err();
    /// assert_eq!((error.code(), error.line()), ("HF-GATE-011", Some(2)));
    /// # Ok::<(), hotfix_core::gate::NumstatError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, NumstatError> {
        if text.len() > Self::MOST_BYTES {
            return Err(NumstatError::TooLong { bytes: text.len(), most: Self::MOST_BYTES });
        }
        let mut files = Vec::new();
        for (index, line) in text.split('\n').enumerate() {
            let line = line.strip_suffix('\r').unwrap_or(line);
            if line.is_empty() {
                continue;
            }
            let number = index + 1;
            let (lines, path) = counted(line, number)?;
            let wrong = || NumstatError::Path { line: number, got: shown(path) };
            let (before, path) = paths(path).ok_or_else(wrong)?;
            files.push(ChangedFile { path, before, lines });
        }
        Ok(Self { files })
    }
}

/// The counts of a line, and the rest of it.
fn counted(text: &str, line: usize) -> Result<(Option<ChangedLines>, &str), NumstatError> {
    let wrong = || NumstatError::Line { line, got: shown(text) };
    let mut columns = text.splitn(3, '\t');
    let (Some(added), Some(deleted), Some(path)) = (columns.next(), columns.next(), columns.next())
    else {
        return Err(wrong());
    };
    if (added, deleted) == ("-", "-") {
        return Ok((None, path));
    }
    let count = |digits: &str| {
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong());
        }
        digits.parse().map_err(|_| NumstatError::Count { line, got: shown(digits) })
    };
    Ok((Some(ChangedLines { added: count(added)?, deleted: count(deleted)? }), path))
}

/// The path before a rename, if it is one, and the path after, from the third column; None for a text
/// that git does not write.
fn paths(text: &str) -> Option<(Option<String>, String)> {
    if text.starts_with('"') {
        let (first, rest) = unquoted(text)?;
        return match rest.strip_prefix(ARROW) {
            Some(second) => Some((Some(first), whole(second)?)),
            None => rest.is_empty().then_some((None, first)),
        };
    }
    if let Some((before, path)) = text.split_once(" => \"") {
        let (path, rest) = unquoted(&text[text.len() - path.len() - 1..])?;
        return rest.is_empty().then_some(()).and(Some((Some(plain(before)?), path)));
    }
    plain(text)?;
    let Some(arrow) = text.find(ARROW) else { return Some((None, text.to_owned())) };
    let (before, after) = (&text[..arrow], &text[arrow + ARROW.len()..]);
    // `dir/{a => b}/x`: the common part before ends in a slash, the common part after begins with
    // one.
    let mut opens = before.rmatch_indices('{').map(|(at, _)| at);
    let open = opens.find(|at| *at == 0 || before[..*at].ends_with('/'));
    let mut shuts = after.match_indices('}').map(|(at, _)| at);
    let shut = shuts.find(|at| {
        let behind = &after[at + 1..];
        behind.is_empty() || behind.starts_with('/')
    });
    let (before, after) = match (open, shut) {
        (Some(open), Some(shut)) => {
            let (head, tail) = (&before[..open], &after[shut + 1..]);
            // An empty middle leaves two slashes, or one at the start.
            let join = |middle: &str| {
                let joined = if middle.is_empty() {
                    format!("{head}{}", tail.strip_prefix('/').unwrap_or(tail))
                } else {
                    format!("{head}{middle}{tail}")
                };
                (!joined.is_empty()).then_some(joined)
            };
            (join(&before[open + 1..])?, join(&after[..shut])?)
        }
        _ => (plain(before)?, plain(after)?),
    };
    Some((Some(before), after))
}

/// A path that is quoted or plain, and nothing after it.
fn whole(text: &str) -> Option<String> {
    if !text.starts_with('"') {
        return plain(text);
    }
    unquoted(text).and_then(|(path, rest)| rest.is_empty().then_some(path))
}

/// A path without quotes; None for an empty one, or one with a control character, which git quotes.
fn plain(text: &str) -> Option<String> {
    let fine = !text.is_empty() && !text.chars().any(|c| c.is_ascii_control());
    fine.then(|| text.to_owned())
}

/// A path in C's quotes, and the text after it.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut path = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 1;
    loop {
        match *bytes.get(at)? {
            b'"' => break,
            b'\\' => {
                at += 1;
                let escaped = match *bytes.get(at)? {
                    b'a' => 0x07,
                    b'b' => 0x08,
                    b't' => b'\t',
                    b'n' => b'\n',
                    b'v' => 0x0b,
                    b'f' => 0x0c,
                    b'r' => b'\r',
                    same @ (b'"' | b'\\') => same,
                    b'0'..=b'3' => {
                        let octal = std::str::from_utf8(bytes.get(at..at + 3)?).ok()?;
                        at += 2;
                        // Three octal digits from 0 to 377; no sign, as the first is a digit.
                        u8::from_str_radix(octal, 8).ok().filter(|byte| *byte != 0)?
                    }
                    _ => return None,
                };
                path.push(escaped);
            }
            byte => path.push(byte),
        }
        at += 1;
    }
    let path = String::from_utf8_lossy(&path).into_owned();
    (!path.is_empty()).then_some((path, &text[at + 1..]))
}
