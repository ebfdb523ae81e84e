//! What the plan is about, and what is remarkable in it.

use crate::text::markdown;

use super::super::{Link, Plan};
use super::{Page, utc, words};

pub(super) fn write(plan: &Plan, page: &mut Page) {
    let subject = plan.subject();
    let (incident, release) = (&subject.incident, &subject.release);
    page.heading(1, &format!("Hot-fix plan for {}", markdown(&incident.id)));
    if let Some(title) = &incident.title {
        page.paragraph(&format!("**{}**", markdown(title)));
    }
    let remarks = plan.remarks();
    if !remarks.is_empty() {
        page.heading(2, "Before you start");
        page.list(remarks.iter().map(|remark| remark_text(&remark.text)));
    }
    page.heading(2, "Record");
    let mut rows: Vec<[String; 2]> = Vec::new();
    let mut row = |name: &str, value: Option<String>| {
        rows.extend(value.map(|value| [name.to_owned(), value]));
    };
    let shown = |text: Option<&str>| text.map(markdown);
    let record = plan.record();
    row("Incident", Some(markdown(&incident.id)));
    row("Service", shown(incident.service.as_deref()));
    row("Began", incident.began_at.map(utc));
    row("Detected", incident.detected_at.map(utc));
    let versions = (markdown(&release.version), markdown(&release.previous));
    row("Release", Some(format!("{}, back to {}", versions.0, versions.1)));
    row("Fix", shown(release.description.as_deref()));
    row("Author", shown(release.author.as_deref()));
    let policy = plan.policy();
    row("Policy", Some(format!("{} (`{}`)", markdown(policy.title()), policy.name())));
    let strategy = words(policy.strategy().as_str());
    row(
        "Strategy",
        Some(match policy.strategy_why() {
            "" => strategy,
            why => format!("{strategy}: {}", markdown(why)),
        }),
    );
    row("Status", Some(words(record.status.as_str())));
    let window =
        record.window.map(|window| format!("{} to {}", utc(window.from), utc(window.until)));
    row("Window", Some(window.unwrap_or_else(|| "at once".to_owned())));
    let by = record.prepared_by;
    row("Prepared by", by.map(|by| format!("{} ({})", markdown(&by.name), by.kind)));
    row("Created", record.created.map(utc));
    row("Changed", record.changed.map(utc));
    row("Branch", shown(record.branch));
    row("Commit", shown(record.commit));
    row("Build", shown(record.build));
    row("Artifact", shown(record.artifact));
    for link in Link::ALL {
        let name = match link {
            Link::Diagnosis => "Diagnosis",
            Link::Patch => "Patch",
            Link::Tests => "Tests",
            Link::Cause => "Cause",
        };
        row(name, shown(record.links.get(link).copied()));
    }
    row("Digest", Some(format!("`{}`", plan.digest())));
    page.table(["", ""], rows);
}

/// A sentence of ours with names in back-ticks and texts of the house: what stands in the back-ticks is a name, the rest is
/// shown as it is.
pub(super) fn remark_text(text: &str) -> String {
    let mut shown = String::new();
    for (at, part) in text.split('`').enumerate() {
        let is_name = at % 2 == 1;
        let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ');
        if is_name && !part.is_empty() && part.chars().all(safe) {
            shown.push('`');
            shown.push_str(part);
            shown.push('`');
        } else if !part.is_empty() {
            // Blanks at the ends part words from names.
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
