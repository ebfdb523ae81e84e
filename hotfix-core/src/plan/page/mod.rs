//! The plan as a page that a person can act on during an incident, in Markdown.
//!
//! A file for each group of sections. Whatever comes from outside, the house's own texts among it, goes through
//! [`markdown`](crate::text::markdown); names of ours hold nothing that Markdown reads.

mod head;
mod needs;
mod people;
mod phases;
mod severity;
mod source_control;
mod strategy;
mod trouble;

use std::fmt::Write as _;

use crate::unit::Timestamp;

use super::Plan;

impl Plan {
    /// The plan as Markdown, in the order in which a person reads it during an incident: what it is and how bad, what is needed
    /// before the start, what to mind, the strategy, its phases and [what each can see](Self::sight), the timeline, the way
    /// back, source control, what people do, risks, dos and don'ts, and the record. What is empty is left out.
    ///
    /// With a start the timeline has times in UTC, and source control has its commands: there, back, and home where no step
    /// brings the fix; how to try again is in [`source_control`](Self::source_control) alone. A page takes milliseconds, as
    /// `sight` does. Tables are those of GitHub's dialect. Texts from outside are shown
    /// as they are: markup, HTML and links in them are none.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::Plan, policy::Policy};
    ///
    /// let policy = Arc::new(Policy::preset("phased-canary")?);
    /// let incident = r#"{"id": "INC-2041", "title": "payments fail <b>badly</b>", "severity": "P1"}"#;
    /// let plan = Plan::from_json(policy, incident, r#"{"version": "2.3.1", "previous": "2.3.0"}"#, "")?;
    /// let page = plan.to_markdown(Some("2026-03-03T14:40:00Z".parse()?));
    /// assert!(page.contains(r"payments fail \<b\>badly\</b\>"));
    /// assert!(page.contains("| T+12min | 2026-03-03 14:52 | gate | `canary` |"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Shows PLAN-1, PLAN-3 to PLAN-8, GATE-1 to GATE-6 and VCS-1.
    pub fn to_markdown(&self, start: Option<Timestamp>) -> String {
        let mut page = Page::default();
        head::write(self, &mut page);
        severity::write(self, &mut page);
        needs::write(self, &mut page);
        head::remarks(self, &mut page);
        strategy::write(self, &mut page);
        phases::write(self, start, &mut page);
        trouble::way_back(self, &mut page);
        trouble::contingencies(self, &mut page);
        if let Some(start) = start {
            source_control::write(self, start, &mut page);
        }
        people::procedure(self, &mut page);
        trouble::risks(self, &mut page);
        people::advice(self, &mut page);
        head::record(self, &mut page);
        page.0
    }
}

/// A page as it grows. What it is given is Markdown already.
#[derive(Debug, Default)]
struct Page(String);

impl Page {
    fn heading(&mut self, level: usize, text: &str) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        let _ = writeln!(self.0, "{} {text}", "#".repeat(level));
    }

    fn paragraph(&mut self, text: &str) {
        let _ = write!(self.0, "\n{text}\n");
    }

    /// A part that is Markdown by itself.
    fn block(&mut self, text: &str) {
        self.paragraph(text.trim_end());
    }

    fn list(&mut self, items: impl IntoIterator<Item = String>) {
        self.items(items.into_iter().map(|item| format!("- {item}")));
    }

    fn numbered(&mut self, items: impl IntoIterator<Item = String>) {
        let items = items.into_iter().enumerate();
        self.items(items.map(|(at, item)| format!("{}. {item}", at + 1)));
    }

    fn items(&mut self, lines: impl Iterator<Item = String>) {
        for (at, line) in lines.enumerate() {
            self.0.push_str(if at == 0 { "\n" } else { "" });
            let _ = writeln!(self.0, "{line}");
        }
    }

    /// A table; nothing without rows.
    fn table<const N: usize>(&mut self, head: [&str; N], rows: Vec<[String; N]>) {
        if rows.is_empty() {
            return;
        }
        self.0.push('\n');
        let mut line = |cells: &[String]| {
            let _ = writeln!(self.0, "| {} |", cells.join(" | "));
        };
        line(&head.map(str::to_owned));
        line(&head.map(|_| "---".to_owned()));
        for row in rows {
            line(&row);
        }
    }
}

/// Date and time in UTC, seconds where there are any: `2026-03-03 14:52`.
fn utc(at: Timestamp) -> String {
    let text = at.to_string();
    let seconds = if at.as_millis().rem_euclid(60_000) == 0 { 16 } else { 19 };
    text.chars().take(seconds).map(|c| if c == 'T' { ' ' } else { c }).collect()
}
