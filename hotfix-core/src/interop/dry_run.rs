//! Dry runs of Argo Rollouts: rules for metrics that are watched but do not decide.
//!
//! A rule is a regular expression that may match anywhere in a metric's name (`GetDryRunMetrics` in
//! `utils/analysis/helpers.go`, with Go's `regexp.MatchString`). Supported are plain text and `.*`.
//! Any other rule gets a finding.

use super::reader::At;
use crate::text::{quoted, shown};

/// Most rules that are read, because each is compared with all metrics.
const MOST_RULES: usize = 64;
const MOST_NAMES: usize = 5;
const EVERYTHING: &str = ".*";
const SPECIAL: &str = ".\\+*?()|[]{}^$";

struct Rule<'d> {
    at: At<'d>,
    text: &'d str,
    /// The first imported metrics that it matches, and one more; None if it is not supported.
    matched: Option<Vec<String>>,
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
            let is_plain = !text.contains(|sign| SPECIAL.contains(sign));
            let is_read = (is_plain || text == EVERYTHING) && self.read < MOST_RULES;
            self.read += 1;
            self.rules.push(Rule { at: item, text, matched: is_read.then(Vec::new) });
        }
    }

    pub(super) fn covers(&mut self, name: &str, is_imported: bool) -> bool {
        let mut covered = false;
        for rule in &mut self.rules {
            if let Some(matched) = &mut rule.matched
                && (rule.text == EVERYTHING || name.contains(rule.text))
            {
                covered = true;
                if is_imported && matched.len() <= MOST_NAMES {
                    matched.push(shown(name));
                }
            }
        }
        covered
    }

    /// Adds a finding for each rule and removes it.
    pub(super) fn conclude(&mut self) {
        for rule in self.rules.drain(..) {
            let text = shown(rule.text);
            match rule.matched.as_deref() {
                Some([]) => rule.at.differs(
                    format!("the dry run `{text}` matches no metric that is imported from here"),
                    "it has no effect",
                ),
                Some(names) => {
                    let more = if names.len() > MOST_NAMES { " and more" } else { "" };
                    let names = quoted(&names[..names.len().min(MOST_NAMES)], ", ");
                    rule.at.put(
                        format!("the dry run `{text}` matches {names}{more}"),
                        "what it matches is watched but does not decide",
                    );
                }
                None => rule.at.differs(
                    format!("the dry run `{text}` is a regular expression that is not supported"),
                    "it has no effect: metrics that it matches decide",
                ),
            }
        }
    }
}
