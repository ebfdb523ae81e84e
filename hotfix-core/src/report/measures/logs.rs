//! Splitting of a text that contains several logs, each with its opening line.

use serde::Deserialize;

use super::MeasureError;
use crate::canonical::Digest;

/// Whether a text begins with the opening line of a log.
pub fn starts_with_an_opening(text: &[u8]) -> bool {
    is_opening(first_line(text))
}

/// The hash of a log's opening line: the same in each copy of the log, also without names or with
/// another spelling. None for a text that does not begin with a line of a log.
pub(super) fn opening(log: &[u8]) -> Option<Digest> {
    #[derive(Deserialize)]
    struct Sealed {
        hash: Digest,
    }
    let line = String::from_utf8_lossy(first_line(log));
    serde_json::from_str::<Sealed>(&line).ok().map(|line| line.hash)
}

/// The first line of a text; in a log, the opening line.
fn first_line(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == b'\n').next().unwrap_or_default()
}

/// Splits a text of concatenated logs; each begins with its opening line.
///
/// ```
/// use hotfix_core::report::measures::split_logs;
/// let text = b"{\"kind\":\"opened\"}\n{\"kind\":\"tick\"}\n{\"kind\":\"opened\"}\n";
/// let logs = split_logs(text)?;
/// assert_eq!(logs, [&text[..34], &text[34..]]);
/// # Ok::<(), hotfix_core::report::measures::MeasureError>(())
/// ```
///
/// # Errors
/// [`MeasureError::NoOpening`] where the text does not begin with an opening line. An empty text
/// has no logs.
pub fn split_logs(text: &[u8]) -> Result<Vec<&[u8]>, MeasureError> {
    let mut begins = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if is_opening(line) {
            begins.push(at);
        } else if at == 0 {
            return Err(MeasureError::NoOpening);
        }
        at += line.len();
    }
    let ends = begins.iter().skip(1).copied().chain([text.len()]);
    Ok(begins.iter().zip(ends).filter_map(|(begin, end)| text.get(*begin..end)).collect())
}

/// Whether a line is an opening. Only lines that contain the words are parsed.
fn is_opening(line: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Kind<'a> {
        kind: &'a str,
    }
    memchr::memmem::find(line, b"\"kind\":\"opened\"").is_some()
        && serde_json::from_str::<Kind<'_>>(&String::from_utf8_lossy(line))
            .is_ok_and(|line| line.kind == "opened")
}
