//! What a code means, in C.

use hotfix::code::hotfix_code_explain;
use hotfix_core::code::codes;

use crate::common::{buffer, raw};

fn explain(code: &str) -> String {
    let (at, len) = raw(code);
    // SAFETY: live text.
    buffer(|out, error| unsafe { hotfix_code_explain(at, len, out, error) }).unwrap()
}

#[test]
fn codes_are_explained_in_c_as_in_rust() {
    for code in codes() {
        assert_eq!(explain(&code.to_string()), code.explanation, "{code}");
    }
    for unknown in ["", "HF-JSON-000", "HF-JSON-1", "HF-", "E0308"] {
        assert_eq!(explain(unknown), "", "{unknown}");
    }
}
