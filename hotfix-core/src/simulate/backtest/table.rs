//! The Markdown table of several policies.

use std::fmt::Write as _;

use crate::code::{Family, family};
use crate::simulate::recorded::{Anomaly, RecordedFinding};
use crate::text::{self, joined};
use crate::unit::{Name, Span, Timestamp};

use super::{Backtest, Backtests, What};

impl Backtests {
    /// The result of each policy as a table, and below it what the policies did not read. Times count
    /// from the first traffic of the fix.
    ///
    /// Names from outside are escaped.
    pub fn to_markdown(&self) -> String {
        let after = |at: Option<Timestamp>| {
            at.map_or_else(|| "–".to_owned(), |at| text::time(at.since(self.from)))
        };
        let mut page = format!(
            "From {} to {}, {} readings.\n\n| policy | first alert | first question | rollback | reason | ended |\n|---|---|---|---|---|---|\n",
            self.from, self.until, self.readings
        );
        for one in &self.policies {
            let _ = writeln!(
                page,
                "| {} | {} | {} | {} | {} | {} after {} |",
                text::markdown(one.policy.as_str()),
                after(one.first_alert),
                after(one.first_ask),
                after(one.first_rollback),
                text::markdown(one.why()),
                one.ended.state,
                after(Some(one.ended.at)),
            );
        }
        let unread = self.unread();
        if !unread.is_empty() {
            page.push('\n');
        }
        for (text, policies) in unread {
            let policies = joined(policies.iter().map(Name::as_str), ", ");
            let _ = writeln!(page, "- {}", text::markdown(&format!("{policies}: {text}")));
        }
        page
    }

    /// What policies did not read, or not as they would have: each finding with the names of its policies.
    fn unread(&self) -> Vec<(String, Vec<Name>)> {
        let shown = [
            Anomaly::LeftOut.code(),
            Anomaly::NoBaseline.code(),
            Anomaly::Coarse(Span::ZERO).code(),
            Anomaly::OtherSplit.code(),
        ];
        let is_shown = |of: &&RecordedFinding| {
            family(&of.code) == Some(Family::Metric) || shown.contains(&of.code.as_str())
        };
        let mut unread: Vec<(String, Vec<Name>)> = Vec::new();
        for one in &self.policies {
            let findings: Vec<&RecordedFinding> = one.findings.iter().filter(is_shown).collect();
            for of in findings.chunk_by(|a, b| a.message == b.message) {
                let Some(RecordedFinding { code, count, message, .. }) = of.first() else {
                    continue;
                };
                let metrics = joined(of.iter().filter_map(|of| Some(of.metric?.to_string())), ", ");
                let about = if metrics.is_empty() { metrics } else { metrics + ": " };
                let times = if *count > 1 { format!(", {count} times") } else { String::new() };
                let text = format!("{about}{message} ({code}{times})");
                match unread.iter_mut().find(|(known, _)| *known == text) {
                    Some((_, policies)) => policies.push(one.policy),
                    None => unread.push((text, vec![one.policy])),
                }
            }
        }
        unread
    }
}

impl Backtest {
    /// Why it would have rolled back, or else why it would first have asked a person. Empty if it would
    /// have done neither.
    pub fn why(&self) -> &str {
        let first = |what| self.would.iter().find(|would| would.what == what);
        let decided = first(What::RollBack).or_else(|| first(What::Ask));
        decided.map_or("", |would| &would.reason)
    }
}
