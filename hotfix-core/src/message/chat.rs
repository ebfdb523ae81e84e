//! Documents for chat services and pagers, within the limits that these publish.
//!
//! Values are in parts that the services show without markup; where a line has a link, its text is
//! escaped. Text that is too long is cut at the end of a word and ends with `…`.

use serde_json::{Value, json};

use crate::grade::{MessageKind, Severity};
use crate::policy::section::Reach;
use crate::rollout::Rollout;
use crate::text::line;
use crate::unit::Timestamp;

use super::Request;
use super::escape::{shorten, slack as escaped, slack_length};
use super::render::{Line, TemplatePart};

/// Slack's limit of a header, in characters. Source of Slack's limits: Block Kit reference, "Header
/// block", "Section block", and "Blocks" for the number of blocks.
pub(super) const SLACK_HEADER: usize = 150;
/// See [`SLACK_HEADER`].
pub(super) const SLACK_SECTION: usize = 3_000;
/// See [`SLACK_HEADER`].
pub(super) const SLACK_BLOCKS: usize = 50;
/// Most characters of all blocks together. Slack publishes no limit, but refuses a message above
/// about 13,100 with `msg_blocks_too_long` (slackapi/bolt-js issue 2509).
pub(super) const SLACK_WHOLE: usize = 12_000;

/// Most bytes of a message to Teams. The published limit is 28 KB ("Limits and specifications for
/// Microsoft Teams"), but Teams counts more bytes than are sent: 24,453 were refused as 28,897
/// (MicrosoftDocs/msteams-docs issue 11274).
pub(super) const TEAMS_BYTES: usize = 20_000;

/// `PagerDuty`'s limit of `payload.summary`, in characters. Source: Events API v2, "Send an alert
/// event".
pub(super) const PAGERDUTY_SUMMARY: usize = 1_024;
/// Limit of `dedup_key`, as [`PAGERDUTY_SUMMARY`].
pub(super) const PAGERDUTY_KEY: usize = 255;
/// Most characters of an event's details: it may have 512 KB, and a character six bytes.
pub(super) const PAGERDUTY_DETAILS: usize = 32_000;

/// Marks the place where lines were left out.
const REST: &str = "\n…";

/// Length of a character in UTF-16 units: of the ways in which services count, the largest.
const fn length(c: char) -> usize {
    c.len_utf16()
}

fn measure(text: &str) -> usize {
    text.chars().map(length).sum()
}

/// The title and the lines of the body. A first line that is too long for a title is shortened, and
/// is repeated in the body.
fn headed(lines: &[Line], most: usize) -> (String, &[Line]) {
    let title = lines.first().map(Line::text).unwrap_or_default();
    let short = shorten(&title, most, length);
    let links = lines.first().is_some_and(Line::has_address);
    let body = if short == title && !links { lines.get(1..).unwrap_or_default() } else { lines };
    (short, body)
}

/// Body of a Slack incoming webhook: a header and sections. `text` is shown in notifications.
pub(super) fn slack(lines: &[Line]) -> Value {
    let (title, body) = headed(lines, SLACK_HEADER);
    let mut blocks = Vec::new();
    if !title.is_empty() {
        let text = json!({ "type": "plain_text", "text": title, "emoji": false });
        blocks.push(json!({ "type": "header", "text": text }));
    }
    // Each section keeps room for the mark of left-out lines.
    let most = SLACK_SECTION - REST.len();
    let mut left = SLACK_WHOLE - measure(&title) - REST.len();
    let mut section = Section::default();
    for line in body {
        let links = line.has_address();
        let text = slack_line(line, links, most.min(left));
        let size = measure(&text) + 1;
        let fits = section.links == links && measure(&section.text) + size <= most;
        let is_full = !section.text.is_empty() && !fits && blocks.len() + 2 > SLACK_BLOCKS;
        if size >= left || is_full {
            section.text.push_str(REST);
            break;
        }
        if !section.text.is_empty() && !fits {
            blocks.push(std::mem::take(&mut section).block());
        }
        section.links = links;
        if !section.text.is_empty() {
            section.text.push('\n');
        }
        section.text.push_str(&text);
        left -= size;
    }
    if !section.text.is_empty() {
        blocks.push(section.block());
    }
    json!({ "text": slack_escaped(&title, SLACK_SECTION), "blocks": blocks })
}

/// Lines of one section.
#[derive(Default)]
struct Section {
    /// The text is mrkdwn, so that links work.
    links: bool,
    text: String,
}

impl Section {
    fn block(self) -> Value {
        // `verbatim`: names of channels and people do not become links.
        let text = if self.links {
            json!({ "type": "mrkdwn", "text": self.text, "verbatim": true })
        } else {
            json!({ "type": "plain_text", "text": self.text, "emoji": false })
        };
        json!({ "type": "section", "text": text })
    }
}

fn slack_escaped(text: &str, most: usize) -> String {
    escaped(&shorten(text, most, slack_length))
}

fn slack_line(line: &Line, links: bool, most: usize) -> String {
    let mark = if line.is_item { "• " } else { "" };
    if !links {
        return shorten(&format!("{mark}{}", line.text()), most, length);
    }
    let mut text = mark.to_owned();
    for part in &line.parts {
        let left = most.saturating_sub(measure(&text));
        match part {
            TemplatePart::Address(address) => {
                // Slack requires the escaping in links, too.
                let link = format!("<{}>", escaped(address));
                if measure(&link) <= left {
                    text.push_str(&link);
                } else if left > 0 && !text.ends_with('…') {
                    text.push('…');
                }
            }
            TemplatePart::Text(inside) => text.push_str(&slack_escaped(inside, left)),
        }
    }
    text
}

/// Body of a Teams webhook: a message with one Adaptive Card, whose text runs have no markup.
pub(super) fn teams(lines: &[Line]) -> Value {
    let mut left = TEAMS_BYTES - 1_000;
    let mut body = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let mark = if line.is_item && index > 0 { "• " } else { "" };
        let mut runs = Vec::new();
        for part in &line.parts {
            let mark = if runs.is_empty() { mark } else { "" };
            // JSON around the text of a run, and the address again in its action.
            let around =
                150 + if matches!(part, TemplatePart::Address(_)) { part.text().len() } else { 0 };
            let most = left.saturating_sub(around);
            let whole = format!("{mark}{}", part.text());
            let text = shorten(&whole, most, json_length);
            // A shortened address would not work.
            if text.is_empty() || (text != whole && matches!(part, TemplatePart::Address(_))) {
                continue;
            }
            left = left.saturating_sub(around + text.chars().map(json_length).sum::<usize>());
            let mut run = json!({ "type": "TextRun", "text": text });
            if index == 0 {
                run["weight"] = json!("Bolder");
                run["size"] = json!("Medium");
            }
            if let TemplatePart::Address(address) = part {
                run["selectAction"] = json!({ "type": "Action.OpenUrl", "url": address });
            }
            runs.push(run);
        }
        if runs.is_empty() {
            body.push(
                json!({ "type": "RichTextBlock", "inlines": [{ "type": "TextRun", "text": "…" }] }),
            );
            break;
        }
        let spacing = if index == 0 { "Default" } else { "Small" };
        body.push(json!({ "type": "RichTextBlock", "spacing": spacing, "inlines": runs }));
    }
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                // The lowest version with text runs: more clients show it.
                "version": "1.2",
                "msteams": { "width": "Full" },
                "body": body,
            },
        }],
    })
}

/// Most bytes of a character in JSON: some writers escape everything that is not ASCII.
const fn json_length(c: char) -> usize {
    match c {
        '"' | '\\' => 2,
        ' '..='~' => 1,
        c => 6 * c.len_utf16(),
    }
}

/// Event of `PagerDuty`'s Events API: the first message triggers the incident's alert, further ones
/// add to it, and `resolved` resolves it. The caller adds `routing_key`, which is a secret.
pub(super) fn pagerduty(
    rollout: &Rollout,
    request: &Request,
    at: Timestamp,
    lines: &[Line],
) -> Value {
    let (title, _) = headed(lines, PAGERDUTY_SUMMARY);
    let incident = &rollout.plan().subject().incident;
    // The event contains only what the audience may read; the key just identifies the alert.
    let severity = rollout.severity().filter(|_| Reach::of(request.audience) >= Reach::Business);
    let service =
        shorten(&line(incident.service.as_deref().unwrap_or("hotfix")), PAGERDUTY_SUMMARY, length);
    let text = super::plain_text(lines);
    let links = lines.iter().flat_map(|line| &line.parts).filter_map(|part| match part {
        TemplatePart::Address(address) => Some(json!({ "href": address, "text": address })),
        TemplatePart::Text(_) => None,
    });
    let links: Vec<Value> = links.take(20).collect();
    json!({
        "event_action": if request.kind == MessageKind::Resolved { "resolve" } else { "trigger" },
        "dedup_key": shorten(&incident.id, PAGERDUTY_KEY, length),
        "client": "hotfix",
        "links": links,
        "payload": {
            "summary": if title.is_empty() { request.kind.to_string() } else { title },
            "source": service,
            "component": service,
            "class": request.kind.as_str(),
            "timestamp": at.to_string(),
            "severity": match severity {
                Some(Severity::P0) => "critical",
                Some(Severity::P1) => "error",
                Some(Severity::P3) => "info",
                Some(Severity::P2) | None => "warning",
            },
            "custom_details": { "message": shorten_lines(&text, PAGERDUTY_DETAILS) },
        },
    })
}

/// As many whole lines as fit.
fn shorten_lines(text: &str, most: usize) -> String {
    let mut left = most;
    let mut kept = Vec::new();
    for line in text.lines() {
        let size = measure(line) + 1;
        if size > left {
            kept.push("…");
            break;
        }
        left -= size;
        kept.push(line);
    }
    kept.join("\n")
}
