//! Argo Rollouts' dry runs: rules that name metrics which are watched and do not decide.
//!
//! A rule is a regular expression that is looked for anywhere in a metric's name (`GetDryRunMetrics` in
//! `utils/analysis/helpers.go`, by Go's `regexp.MatchString`). Read are those of plain text, `.`, `.*`, `.+`, and `^` and `$` at
//! the ends; any other is told.

use super::reader::At;
use super::remark::Remark;
use crate::text::shown;

/// Rules that are read; what a rule matches is looked up among all metrics.
const MOST_RULES: usize = 64;
/// Names that a finding lists.
const MOST_NAMES: usize = 5;

/// A part of an expression.
#[derive(Clone, Copy)]
enum Part {
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
    /// None where it is not read.
    parts: Option<Vec<Part>>,
    /// The first metrics that it matches, and how many they are.
    names: Vec<String>,
    count: usize,
    /// It matches a metric that is not imported.
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

    /// Whether a metric is a dry run.
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

    /// Says of each rule what it does, and forgets it; `before`: the metrics of other analyses.
    pub(super) fn conclude(&mut self, before: &[Vec<char>]) {
        for rule in self.rules.drain(..) {
            let text = shown(rule.text);
            let (there, here) = match &rule.parts {
                None => (
                    format!("the dry run `{text}` is a regular expression that is not read"),
                    "it changes nothing, and a metric that it matches decides",
                ),
                Some(_) if rule.count > 0 => {
                    let names = rule.names.join(", ");
                    let names = match rule.count - rule.names.len() {
                        0 => names,
                        more => format!("{names} and {more} more"),
                    };
                    rule.at.remark(Remark::Put {
                        there: format!("`{text}` is a dry run, and matches {names}"),
                        here: "what it matches is watched and does not decide".to_owned(),
                    });
                    continue;
                }
                Some(_) if rule.of_others => (
                    format!("`{text}` is a dry run of metrics that are not imported"),
                    "it changes nothing",
                ),
                Some(parts) if before.iter().any(|name| matches(parts, name)) => (
                    format!("the dry run `{text}` matches metrics that another analysis has, too"),
                    "they are judged as that analysis says",
                ),
                Some(_) => (
                    format!(
                        "the dry run `{text}` matches no metric, and Argo Rollouts fails such an analysis"
                    ),
                    "it changes nothing",
                ),
            };
            rule.at.remark(Remark::Differs { there, here: here.to_owned() });
        }
    }
}

/// The parts of an expression that stands for a whole name; none where it has others.
fn parts(text: &str) -> Option<Vec<Part>> {
    let (open, text) = text.strip_prefix('^').map_or((true, text), |rest| (false, rest));
    let (ends_open, text) = text.strip_suffix('$').map_or((true, text), |rest| (false, rest));
    let mut parts = if open { vec![Part::Any] } else { Vec::new() };
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '.' => {
                let repeated = letters.next_if(|next| matches!(next, '*' | '+'));
                if repeated != Some('*') {
                    parts.push(Part::One);
                }
                if repeated.is_some() {
                    parts.push(Part::Any);
                }
            }
            // All that means something else than itself.
            '\\' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$' => {
                return None;
            }
            plain => parts.push(Part::Is(plain)),
        }
    }
    if ends_open {
        parts.push(Part::Any);
    }
    Some(parts)
}

/// Whether the parts are the whole of a name. What the last `Any` stands for grows until the rest fits.
fn matches(parts: &[Part], name: &[char]) -> bool {
    let (mut part, mut letter) = (0, 0);
    let mut last: Option<(usize, usize)> = None;
    loop {
        let fits = match (parts.get(part), name.get(letter)) {
            (None, None) => return true,
            (Some(Part::Any), _) => {
                part += 1;
                last = Some((part, letter));
                continue;
            }
            (Some(Part::Is(is)), Some(letter)) => is == letter,
            // A dot is no line's end.
            (Some(Part::One), Some(letter)) => *letter != '\n',
            _ => false,
        };
        if fits {
            (part, letter) = (part + 1, letter + 1);
            continue;
        }
        match last {
            Some((after, from)) if from < name.len() => {
                last = Some((after, from + 1));
                (part, letter) = (after, from + 1);
            }
            _ => return false,
        }
    }
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
