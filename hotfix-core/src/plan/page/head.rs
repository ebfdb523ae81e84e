//! The head of the page, the findings and the change record.

use crate::policy::section::Record;
use crate::text::{markdown, quoted, sentence, words};

use super::super::{Link, Plan, PlanFindingKind};
use super::{Page, utc};

pub(super) fn write(plan: &Plan, page: &mut Page) {
    let subject = plan.subject();
    let (incident, release) = (&subject.incident, plan.release());
    page.heading(1, &format!("Hot-fix plan for {}", markdown(&incident.id)));
    if let Some(title) = &incident.title {
        page.paragraph(&format!("**{}**", markdown(title)));
    }
    let mut rows = Rows::default();
    rows.text("Service", incident.service.as_deref());
    rows.put("Began (UTC)", plan.began_at().map(utc));
    rows.put("Detected (UTC)", plan.detected_at().map(utc));
    let versions = release.map(|release| {
        format!("{} (rollback to {})", markdown(&release.version), markdown(&release.previous))
    });
    rows.put("Release", versions.or_else(|| Some(subject.version().to_owned())));
    rows.text("Fix", release.and_then(|release| release.description.as_deref()));
    rows.put("Strategy", Some(words(plan.policy().strategy().as_str())));
    let window = plan.change_record().window;
    let window = window.map(|window| format!("{} to {}", utc(window.from), utc(window.until)));
    rows.put("Window (UTC)", Some(window.unwrap_or_else(|| "immediately".to_owned())));
    page.table(["", ""], rows.0);
}

/// The plan's findings, without those that other sections show: missing facts, short times and
/// gaps in the change record.
pub(super) fn findings(plan: &Plan, page: &mut Page) {
    let elsewhere = [
        PlanFindingKind::NotSettled,
        PlanFindingKind::TimeShort,
        PlanFindingKind::ChangeRecordIncomplete,
    ];
    let findings = plan.findings();
    let mut findings =
        findings.iter().filter(|finding| !elsewhere.contains(&finding.kind)).peekable();
    if findings.peek().is_some() {
        page.heading(2, "Findings");
        page.list(findings.map(|finding| sentence_text(&finding.text)));
    }
}

/// The change record: who prepared the plan, its links, and the digest that is approved.
pub(super) fn change_record(plan: &Plan, page: &mut Page) {
    page.heading(2, "Change record");
    let (record, policy) = (plan.change_record(), plan.policy());
    let mut rows = Rows::default();
    rows.put("Policy", Some(format!("{} (`{}`)", markdown(policy.title()), policy.name())));
    let of_policy = policy.change_record();
    rows.text("Policy based on", of_policy.and_then(Record::document));
    rows.text("Policy maintained by", of_policy.and_then(Record::owner));
    rows.put("Policy last changed", of_policy.and_then(|of| of.changed).map(|day| day.to_string()));
    rows.text("Procedure started by", of_policy.and_then(Record::trigger));
    rows.put("Status", Some(words(record.status.as_str())));
    let by = record.prepared_by;
    rows.put("Prepared by", by.map(|by| format!("{} ({})", markdown(&by.name), by.kind)));
    rows.put("Created (UTC)", record.created.map(utc));
    rows.put("Changed (UTC)", record.changed.map(utc));
    rows.text("Author", plan.release().and_then(|release| release.author.as_deref()));
    rows.text("Branch", record.branch);
    rows.text("Commit", record.commit);
    rows.text("Build", record.build);
    rows.text("Artifact", record.artifact);
    for link in Link::ALL {
        rows.text(&sentence(link.as_str()), record.links.get(link).copied());
    }
    if !record.missing.is_empty() {
        rows.put("Not recorded", Some(sentence_text(&quoted(&record.missing, ", "))));
    }
    rows.put("Digest", Some(format!("`{}`", plan.digest())));
    page.table(["", ""], rows.0);
}

/// Rows of a table of names and values. A row without a value is left out.
#[derive(Default)]
struct Rows(Vec<[String; 2]>);

impl Rows {
    fn put(&mut self, name: &str, value: Option<String>) {
        self.0.extend(value.map(|value| [name.to_owned(), value]));
    }

    fn text(&mut self, name: &str, value: Option<&str>) {
        self.put(name, value.map(markdown));
    }
}

/// A sentence of this library as Markdown: only names in backticks stay code.
pub(super) fn sentence_text(text: &str) -> String {
    let mut shown = String::new();
    for (at, part) in text.split('`').enumerate() {
        let is_name = at % 2 == 1;
        let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ');
        if is_name && !part.is_empty() && part.chars().all(safe) {
            shown.push('`');
            shown.push_str(part);
            shown.push('`');
        } else if !part.is_empty() {
            // Blanks at the ends separate words from names.
            let blank = |found: bool| if found { " " } else { "" };
            shown.push_str(blank(at > 0 && part.starts_with(' ')));
            if !part.trim().is_empty() {
                shown.push_str(&markdown(part));
                shown.push_str(blank(part.ends_with(' ')));
            }
        }
    }
    shown
}
