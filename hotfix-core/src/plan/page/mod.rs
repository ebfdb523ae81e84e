//! The plan as a Markdown page for people who act during an incident.
//!
//! Each group of sections has a file. Every text from outside, also the organisation's own, is
//! escaped by [`markdown`](crate::text::markdown). Names have no characters that Markdown
//! interprets.

mod after;
mod contacts;
mod head;
mod needs;
mod people;
mod phases;
mod severity;
mod source_control;
mod strategy;
mod trouble;

use std::fmt::Write as _;

use crate::text::{joined, markdown, time};
use crate::unit::{Span, Timestamp};

use super::Plan;

impl Plan {
    /// The plan as Markdown, in the order in which a person reads it during an incident: head,
    /// [what to do first](Self::first_steps), [whom to call](Self::contacts), severity, what is
    /// needed before the start, findings, strategy, [what is watched](Self::thresholds), phases
    /// and their [power](Self::power), timeline, final validation, rollback, source control,
    /// procedure, [commands](Self::commands), [what follows](Self::follow_up), risks, dos and don'ts, change record. Empty
    /// sections are left out.
    ///
    /// With a start, the timeline has times in UTC, and the page has the source-control commands:
    /// release, rollback, another attempt after it, and the merge back to branches that no step brings
    /// the fix to. A page takes milliseconds to make, as `power` does. Tables are in GitHub's Markdown. Texts from outside
    /// are escaped: markup, HTML and links in them have no effect.
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
    pub fn to_markdown(&self, start: Option<Timestamp>) -> String {
        let mut page = Page::default();
        head::write(self, &mut page);
        contacts::what_now(self, &mut page);
        contacts::whom_to_call(self, &mut page);
        severity::write(self, &mut page);
        needs::write(self, &mut page);
        head::findings(self, &mut page);
        strategy::write(self, &mut page);
        phases::watched(self, &mut page);
        phases::write(self, start, &mut page);
        after::final_validation(self, &mut page);
        trouble::rollback(self, &mut page);
        trouble::contingencies(self, &mut page);
        if let Some(start) = start {
            source_control::write(self, start, &mut page);
        }
        people::procedure(self, &mut page);
        people::commands(self, &mut page);
        after::afterwards(self, &mut page);
        trouble::risks(self, &mut page);
        people::advice(self, &mut page);
        head::change_record(self, &mut page);
        page.0
    }
}

/// What follows the time at which something is due, if it is repeated.
fn repeated(every: Option<Span>) -> String {
    every.map_or_else(String::new, |every| format!(", then every {}", time(every)))
}

/// A page under construction. Its texts are already Markdown.
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

    fn block(&mut self, text: &str) {
        self.paragraph(text.trim_end());
    }

    /// Command lines in a code block. Its fence is longer than any run of backticks in them. Writes
    /// nothing without lines.
    fn fence<'t>(&mut self, lines: impl Iterator<Item = &'t str>) {
        let text = joined(lines, "\n");
        if text.is_empty() {
            return;
        }
        let (mut longest, mut run) = (0, 0);
        for c in text.chars() {
            run = if c == '`' { run + 1 } else { 0 };
            longest = longest.max(run);
        }
        let fence = "`".repeat(longest.max(2) + 1);
        self.paragraph(&format!("{fence}sh\n{text}\n{fence}"));
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

    /// A table. Writes nothing without rows.
    fn table<const N: usize>(&mut self, head: [&str; N], rows: Vec<[String; N]>) {
        if rows.is_empty() {
            return;
        }
        self.0.push('\n');
        self.row(&head);
        self.row(&["---"; N]);
        for row in rows {
            self.row(&row.each_ref().map(String::as_str));
        }
    }

    fn row(&mut self, cells: &[&str]) {
        let _ = writeln!(self.0, "| {} |", cells.join(" | "));
    }
}

fn escaped<'t>(texts: impl IntoIterator<Item = &'t String>, between: &str) -> String {
    joined(texts.into_iter().map(|text| markdown(text)), between)
}

fn or_else(text: String, without: &str) -> String {
    if text.is_empty() { without.to_owned() } else { text }
}

/// Date and time in UTC, with seconds if they are not 0: `2026-03-03 14:52`.
fn utc(at: Timestamp) -> String {
    let text = at.to_string();
    let seconds = if at.as_millis().rem_euclid(60_000) == 0 { 16 } else { 19 };
    text.chars().take(seconds).map(|c| if c == 'T' { ' ' } else { c }).collect()
}
