//! Dry runs of Argo Rollouts: rules for metrics that are watched but do not decide.
//!
//! A rule is a regular expression that may match anywhere in a metric's name (`GetDryRunMetrics` in
//! `utils/analysis/helpers.go`, with Go's `regexp.MatchString`). Supported are plain text, `.*`, and
//! `^` and `$` at the ends. Any other rule gets a finding.

use super::reader::At;
use crate::text::shown;

/// Most rules that are read, because each is compared with all metrics.
const MOST_RULES: usize = 64;
const MOST_NAMES: usize = 5;

struct Rule<'d> {
    at: At<'d>,
    text: &'d str,
    /// See [`pieces`]; None if it is not supported.
    pieces: Option<Vec<String>>,
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
            let pieces = pieces(text).filter(|_| self.read < MOST_RULES);
            self.read += 1;
            let (names, count, of_others) = (Vec::new(), 0, false);
            self.rules.push(Rule { at: item, text, pieces, names, count, of_others });
        }
    }

    pub(super) fn covers(&mut self, name: &str, is_imported: bool) -> bool {
        let mut covered = false;
        for rule in &mut self.rules {
            if !rule.pieces.as_ref().is_some_and(|pieces| matches(pieces, name)) {
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
    pub(super) fn conclude(&mut self, before: &[String]) {
        for rule in self.rules.drain(..) {
            let text = shown(rule.text);
            let (there, here) = match &rule.pieces {
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
                Some(pieces) if before.iter().any(|name| matches(pieces, name)) => (
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

/// The texts that a matching name contains one after the other: the first at its beginning, the last
/// at its end. None if the expression has anything else than plain text and `.*` between its ends.
fn pieces(text: &str) -> Option<Vec<String>> {
    let special = ['.', '\\', '+', '*', '?', '(', ')', '|', '[', ']', '{', '}', '^', '$'];
    let text = text.strip_prefix('^').map_or_else(|| format!(".*{text}"), str::to_owned);
    let text = text.strip_suffix('$').map_or_else(|| format!("{text}.*"), str::to_owned);
    let pieces: Vec<String> = text.split(".*").map(str::to_owned).collect();
    (!pieces.iter().any(|piece| piece.contains(special))).then_some(pieces)
}

fn matches(pieces: &[String], name: &str) -> bool {
    let [first, between @ .., last] = pieces else { return pieces.iter().any(|all| all == name) };
    let rest = name.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str()));
    // `.*` does not match a line end.
    rest.filter(|_| !name.contains('\n')).is_some_and(|rest| {
        let mut pieces = between.iter();
        pieces.try_fold(rest, |rest, piece| Some(rest.split_once(piece.as_str())?.1)).is_some()
    })
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
            (".+", "a", None),
            ("^ab.*ba$", "aba", Some(false)),
            ("^a.*a$", "aa", Some(true)),
            ("^a.*b$", "a\nb", Some(false)),
            ("^a.b$", "a-b", None),
            ("^ab$", "ab", Some(true)),
            ("^ab$", "abb", Some(false)),
            ("^a.*b.*c$", "abbcbc", Some(true)),
            ("Error Rate", "The Error Rate", Some(true)),
            ("*", "x", None),
            ("a|b", "a", None),
            ("a{2}", "aa", None),
            ("(?i)a", "A", None),
            (".*?a", "a", None),
            ("a\\.b", "a.b", None),
        ] {
            let seen = pieces(rule).map(|pieces| matches(&pieces, name));
            assert_eq!(seen, expected, "{rule} and {name}");
        }
    }
}
