//! Dry runs of Argo Rollouts: rules for metrics that are watched but do not decide.
//!
//! A rule is a regular expression that may match anywhere in a metric's name (`GetDryRunMetrics` in
//! `utils/analysis/helpers.go`, with Go's `regexp.MatchString`). Supported are plain text and `.*`.
//! Any other rule gets a finding.

use super::reader::At;
use crate::text::shown;

/// Most rules that are read, because each is compared with all metrics.
const MOST_RULES: usize = 64;
const EVERYTHING: &str = ".*";
const SPECIAL: &str = ".\\+*?()|[]{}^$";

struct Rule<'d> {
    at: At<'d>,
    text: &'d str,
    /// Whether a metric matches it; None if it is not supported.
    matched: Option<bool>,
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
            self.rules.push(Rule { at: item, text, matched: is_read.then_some(false) });
        }
    }

    pub(super) fn covers(&mut self, name: &str) -> bool {
        let mut covered = false;
        for rule in &mut self.rules {
            if let Some(matched) = &mut rule.matched
                && (rule.text == EVERYTHING || name.contains(rule.text))
            {
                (*matched, covered) = (true, true);
            }
        }
        covered
    }

    /// Adds a finding for each rule and removes it.
    pub(super) fn conclude(&mut self) {
        for rule in self.rules.drain(..) {
            let text = shown(rule.text);
            match rule.matched {
                Some(true) => rule.at.put(
                    format!("the dry run `{text}` matches metrics of this analysis"),
                    "they are watched but do not decide",
                ),
                Some(false) => rule.at.differs(
                    format!("the dry run `{text}` matches no metric that is first read here"),
                    "it has no effect",
                ),
                None => rule.at.differs(
                    format!("the dry run `{text}` is a regular expression that is not supported"),
                    "it has no effect: metrics that it matches decide",
                ),
            }
        }
    }
}
