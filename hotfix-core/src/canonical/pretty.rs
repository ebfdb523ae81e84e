//! JSON for people and trees. It comes from the code that writes the log, so each type's writer exists once.

use super::{CanonicalError, Encoder};
use serde::Serialize;
use serde_json::Value;

/// The text that `serde_json::to_string_pretty` gives: members as their type declares them, two spaces a level.
pub(crate) fn pretty<T: Serialize + ?Sized>(value: &T) -> Result<String, CanonicalError> {
    let mut text = Vec::new();
    Encoder::new().encode_declared(value, &mut text)?;
    Ok(indented(&text))
}

/// JSON in one line, with members in order and numbers as `serde_json` writes them.
///
/// ```
/// let value = std::collections::BTreeMap::from([("share", 1.0), ("at", 0.5)]);
/// assert_eq!(hotfix_core::canonical::sorted(&value)?, r#"{"at":0.5,"share":1.0}"#);
/// # Ok::<(), hotfix_core::canonical::CanonicalError>(())
/// ```
///
/// # Errors
/// [`CanonicalError`] for keys that are not text, more than 127 levels, or an error of the type
/// itself.
pub fn sorted<T: Serialize + ?Sized>(value: &T) -> Result<String, CanonicalError> {
    Encoder::new().ordered(value)
}

/// A value as a tree; null if it cannot be written.
pub(crate) fn tree_of<T: Serialize + ?Sized>(value: &T) -> Value {
    sorted(value).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

fn indented(text: &[u8]) -> String {
    let mut out = Vec::with_capacity(2 * text.len());
    let mut depth = 0;
    let new_line = |out: &mut Vec<u8>, depth: usize| {
        out.push(b'\n');
        out.resize(out.len() + 2 * depth, b' ');
    };
    let mut quoted = false;
    let mut escaped = false;
    let mut before = 0;
    for &byte in text {
        if quoted {
            out.push(byte);
            (quoted, escaped) = (escaped || byte != b'"', !escaped && byte == b'\\');
        } else {
            let closes = matches!(byte, b'}' | b']');
            depth -= usize::from(closes);
            let opened = matches!(before, b'{' | b'[');
            if before == b',' || opened != closes {
                new_line(&mut out, depth);
            }
            out.push(byte);
            depth += usize::from(matches!(byte, b'{' | b'['));
            if byte == b':' {
                out.push(b' ');
            }
            quoted = byte == b'"';
        }
        before = byte;
    }
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::pretty;
    use serde::Serialize;
    use serde_json::{Value, json};

    #[test]
    fn indented_json_is_that_of_serde_json() {
        #[derive(Serialize)]
        struct Declared {
            z: Value,
            numbers: [f64; 8],
            a: Option<u64>,
            empty: [(); 0],
        }

        let value = Declared {
            z: json!([{}, [], [[]], { "b": { "a": [1, -2, null] }, "a{[,:": "\"\\{\n\u{1}[,é\\" }, ""]),
            numbers: [0.0, -0.0, 1.0, 0.1, 1e-7, 1e16, 1e21, f64::NAN],
            a: Some(u64::MAX),
            empty: [],
        };
        assert_eq!(pretty(&value).unwrap(), serde_json::to_string_pretty(&value).unwrap());
        assert_eq!(pretty(&json!({})).unwrap(), "{}");
    }
}
