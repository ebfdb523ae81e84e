//! Parts of the sentences of findings: figures and names.

use std::fmt::Display;

use crate::grade::Severity;
use crate::text;
pub(super) use crate::text::{time, times};

/// A probability as cases of a hundred: `35 of 100`, `1.4 of 100`.
pub(super) fn chance(chance: f64) -> String {
    if (0.1..=0.99).contains(&chance) {
        format!("{:.0} of 100", chance * 100.0)
    } else {
        format!("{:.1} of 100", chance * 100.0)
    }
}

/// ` of a P0`; empty if the policy has no severities.
pub(super) fn of_a(severity: Option<Severity>) -> String {
    severity.map_or_else(String::new, |severity| format!(" of a {severity}"))
}

/// For a time that includes the watch after the phases or steps.
pub(super) const fn and_watch(watched: bool) -> &'static str {
    if watched { " and the watch after them" } else { "" }
}

pub(super) fn names<T: Display>(names: &[T]) -> String {
    text::quoted(names, ", ")
}

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
pub(super) fn quoted(id: impl Display) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::Span;

    #[test]
    fn dec_5_figures_read_as_people_write_them() {
        assert_eq!(time(Span::from_seconds(3_900)), "1h 5min");
        assert_eq!(time(Span::from_millis(61_001)), "1min 1s 1ms");
        assert_eq!(time(Span::ZERO), "0s");
        assert_eq!(times(Span::from_seconds(60), Span::from_seconds(60)), "1min");
        assert_eq!(chance(0.352_768), "35 of 100");
        assert_eq!(chance(0.014), "1.4 of 100");
        assert_eq!(chance(0.999), "99.9 of 100");
        assert_eq!(names(&["a", "b"]), "`a`, `b`");
        assert_eq!(of_a(Some(Severity::P1)), " of a P1");
        assert_eq!(of_a(None), "");
    }
}
