//! Parts of sentences.

use crate::grade::Severity;
use crate::text;

/// How many names a sentence lists.
const MOST: usize = 8;

/// `a, b and c`, and how many more where there are many.
pub(super) fn enumerated(all: &[String]) -> String {
    if all.len() > MOST {
        let shown = &all[..MOST - 1];
        return format!("{} and {} more", shown.join(", "), all.len() - shown.len());
    }
    text::enumerated(all)
}

/// An id as a sentence names it.
pub(super) fn quoted(id: impl std::fmt::Display) -> String {
    format!("`{id}`")
}

pub(super) const fn hotfix(hotfix: bool) -> &'static str {
    if hotfix { "a hot-fix" } else { "no hot-fix" }
}

pub(super) const fn severity(severity: Option<Severity>) -> &'static str {
    match severity {
        Some(severity) => severity.as_str(),
        None => "no severity",
    }
}
