//! Dry runs of Argo Rollouts: rules for metrics that are watched but do not decide.
//!
//! A rule is a regular expression that may match anywhere in a metric's name (`GetDryRunMetrics` in
//! `utils/analysis/helpers.go`, with Go's `regexp.MatchString`). Supported are plain text, `.`,
//! `.*`, `.+`, and `^` and `$` at the ends. Any other rule gets a finding.

use super::reader::At;
use crate::text::shown;

/// Most rules that are read, because each is compared with all metrics.
const MOST_RULES: usize = 64;
const MOST_NAMES: usize = 5;

/// A part of an expression.
#[derive(Clone, Copy)]
enum ScriptPart {
    /// This character.
    Is(char),
    /// Any character.
    One,
    /// Any characters, or none.
    Any,
}

struct Rule<'d> {
    at: At<'d>,
    text: &'d str,
    /// None if it is not supported.
    parts: Option<Vec<ScriptPart>>,
    /// The first metrics that it matches, and their number.
    names: Vec<String>,
    count: usize,
    /// Whether it matches a metric that is not imported.
    of_others: bool,
}

/// The rules of one analysis.
#[derive(Default)]
pub(super) struct DryRuns<'d> {
    rules: Vec<Rule<'d>>,
    /// Rules of all analyses so far.
    read: usize,
}

impl<'d> DryRuns<'d> {
    pub(super) fn read(&mut self, at: &At<'d>) {
        for item in at.list("dryRun") {
            let name = item.need("metricName", "`metricName: error-rate`");
            let Some(text) = name.and_then(|name| name.text()) else { continue };
            let parts = parts(text).filter(|_| self.read < MOST_RULES);
            self.read += 1;
            let (names, count, of_others) = (Vec::new(), 0, false);
            self.rules.push(Rule { at: item, text, parts, names, count, of_others });
        }
    }

    pub(super) fn covers(&mut self, name: &str, is_imported: bool) -> bool {
        let letters: Vec<char> = name.chars().collect();
        let mut covered = false;
        for rule in &mut self.rules {
            if !rule.parts.as_ref().is_some_and(|parts| matches(parts, &letters)) {
                continue;
            }
            covered = true;
            rule.of_others |= !is_imported;
            if is_imported {
                rule.count += 1;
                if rule.names.len() < MOST_NAMES {
                    rule.names.push(format!("`{}`", shown(name)));
                }
            }
        }
        covered
    }

    /// Adds a finding for each rule and removes it. `before`: metrics of other analyses.
    pub(super) fn conclude(&mut self, before: &[Vec<char>]) {
        for rule in self.rules.drain(..) {
            let text = shown(rule.text);
            let (there, here) = match &rule.parts {
                None => (
                    format!("the dry run `{text}` is a regular expression that is not supported"),
                    "it has no effect: metrics that it matches decide",
                ),
                Some(_) if rule.count > 0 => {
                    let names = rule.names.join(", ");
                    let names = match rule.count - rule.names.len() {
                        0 => names,
                        more => format!("{names} and {more} more"),
                    };
                    rule.at.put(
                        format!("the dry run `{text}` matches {names}"),
                        "the matching metrics are watched but do not decide",
                    );
                    continue;
                }
                Some(_) if rule.of_others => (
                    format!("the dry run `{text}` matches only metrics that are not imported"),
                    "it has no effect",
                ),
                Some(parts) if before.iter().any(|name| matches(parts, name)) => (
                    format!(
                        "the dry run `{text}` matches metrics that are also in another analysis"
                    ),
                    "they are judged as in that analysis",
                ),
                Some(_) => (
                    format!(
                        "the dry run `{text}` matches no metric, and Argo Rollouts fails such an analysis"
                    ),
                    "it has no effect",
                ),
            };
            rule.at.differs(there, here);
        }
    }
}

/// The parts of an expression that matches a whole name. None if it has unsupported parts.
fn parts(text: &str) -> Option<Vec<ScriptPart>> {
    let (open, text) = text.strip_prefix('^').map_or((true, text), |rest| (false, rest));
    let (ends_open, text) = text.strip_suffix('$').map_or((true, text), |rest| (false, rest));
    let mut parts = if open { vec![ScriptPart::Any] } else { Vec::new() };
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '.' => {
                let repeated = letters.next_if(|next| matches!(next, '*' | '+'));
                if repeated != Some('*') {
                    parts.push(ScriptPart::One);
                }
                if repeated.is_some() {
                    parts.push(ScriptPart::Any);
                }
            }
            // Characters with a special meaning.
            '\\' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$' => {
                return None;
            }
            plain => parts.push(ScriptPart::Is(plain)),
        }
    }
    if ends_open {
        parts.push(ScriptPart::Any);
    }
    Some(parts)
}

/// Whether the parts match a whole name.
fn matches(parts: &[ScriptPart], name: &[char]) -> bool {
    // Whether the parts so far match the name up to each place.
    let mut reached = vec![false; name.len() + 1];
    reached[0] = true;
    for part in parts {
        if let ScriptPart::Any = part {
            let first = reached.iter().position(|is| *is).unwrap_or(reached.len());
            reached[first..].fill(true);
            continue;
        }
        reached.rotate_right(1);
        reached[0] = false;
        for (reached, letter) in reached.iter_mut().skip(1).zip(name) {
            // A dot does not match a line end.
            *reached &= match part {
                ScriptPart::Is(is) => is == letter,
                _ => *letter != '\n',
            };
        }
    }
    reached.last() == Some(&true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_5_a_dry_run_matches_as_go_s_regular_expressions_do() {
        for (rule, name, expected) in [
            ("error-rate", "error-rate", Some(true)),
            ("error", "http-error-rate", Some(true)),
            ("^error", "http-error-rate", Some(false)),
            ("rate$", "http-error-rate", Some(true)),
            ("^http.*rate$", "http-error-rate", Some(true)),
            ("^http.*rate$", "http-error-rates", Some(false)),
            (".*", "", Some(true)),
            ("", "x", Some(true)),
            (".+", "", Some(false)),
            ("^a.+a$", "aa", Some(false)),
            ("^a.b$", "a-b", Some(true)),
            ("^a.*b.*c$", "abbcbc", Some(true)),
            ("Error Rate", "The Error Rate", Some(true)),
            ("*", "x", None),
            ("a|b", "a", None),
            ("a{2}", "aa", None),
            ("(?i)a", "A", None),
            (".*?a", "a", None),
            ("a\\.b", "a.b", None),
        ] {
            let letters: Vec<char> = name.chars().collect();
            let seen = parts(rule).map(|parts| matches(&parts, &letters));
            assert_eq!(seen, expected, "{rule} and {name}");
        }
    }
}
