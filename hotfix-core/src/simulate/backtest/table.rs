//! The Markdown table of several policies.

use std::fmt::Write as _;

use crate::text;
use crate::unit::Timestamp;

use super::{Backtest, Backtests, What};

impl Backtests {
    /// The result of each policy as a table. Times count from the first traffic of the fix.
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
        page
    }
}

impl Backtest {
    /// Why it would have rolled back. Empty if it would not.
    pub fn why(&self) -> &str {
        let back = self.would.iter().find(|would| would.what == What::RollBack);
        back.map_or("", |would| &would.reason)
    }
}
