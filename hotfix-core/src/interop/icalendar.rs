//! Duties as an iCalendar of to-dos (RFC 5545).

use crate::canonical::Digest;
use crate::deadline::{Awaits, Item, Settlement};
use crate::grade::{DutyKind, Moment, Severity};
use crate::plan::Incident;
use crate::rollout::{Rollout, Stage};
use crate::text::{joined, time, time_range};
use crate::unit::{Span, Timestamp};

/// The media type of the calendar.
pub const CONTENT_TYPE: &str = "text/calendar; charset=utf-8; component=VTODO";

/// Most octets of a line, without its end.
const MOST: usize = 75;
/// An alarm comes this long before the due time, or at three quarters of the time allowed if that is later.
const ALARM: Span = Span::from_seconds(600);

/// The duties of a rollout at a time as a calendar of to-dos.
///
/// There is one for each duty, including those that are done; `CATEGORIES` has the role. A `UID`
/// never changes, so that a calendar shows each duty once; the to-do of a repeated duty is its present
/// occurrence. An open duty is `NEEDS-ACTION` and has an alarm, a done one is `COMPLETED`, and one
/// that is no longer needed, also because the severity or a fact changed, is `CANCELLED`, and so is,
/// once the fix is complete, one that counts from a rollback. A duty without a date has no `DUE`.
/// Without any duty, the calendar has a time zone, because it needs a component.
///
/// ```
/// # use std::sync::Arc;
/// # use hotfix_core::{plan::Plan, policy::Policy, rollout::{Input, Recording, Rollout}};
/// use hotfix_core::interop::icalendar;
/// # let plan = Plan::from_json(
/// #     Arc::new(Policy::preset("enterprise")?),
/// #     r#"{"id": "INC-2041", "severity": "P0", "detected_at": "2026-03-03T14:06:00Z"}"#,
/// #     r#"{"version": "2.3.1", "previous": "2.3.0"}"#,
/// #     "",
/// # )?;
/// # let mut rollout = Rollout::try_new(plan, Recording::Keep, "")?;
/// # let note = Input::from_json(r#"{"kind": "note", "by": "lena", "text": "payments fail"}"#)?;
/// # rollout.handle("2026-03-03T14:08:00Z".parse()?, &note)?;
/// let text = icalendar::text(&rollout, "2026-03-03T14:20:00Z".parse()?);
/// assert!(text.contains("DUE:20260303T160600Z\r\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn text(rollout: &Rollout, at: Timestamp) -> String {
    let (duties, dropped) = (rollout.duties(at), rollout.dropped_duties(at));
    // A complete fix can still be rolled back: then its duties are asked for again.
    let stays = matches!(rollout.stage(), Stage::Complete { .. } | Stage::Closed);
    let is_in_vain =
        |item: &Item<'_>| stays && item.awaits == Some(Awaits::Moment(Moment::RolledBack));
    let Incident { id, service, .. } = &rollout.plan().subject().incident;
    // Rollouts of a train have the same incident.
    let of = joined(service.iter().chain([id]).filter(|name| !name.is_empty()), ", ");
    let mut page = Page { text: String::new() };
    page.line("BEGIN:VCALENDAR");
    page.line("VERSION:2.0");
    page.line("PRODID:-//hotfix//duties//EN");
    page.line("CALSCALE:GREGORIAN");
    // No METHOD: published to-dos would each need an ORGANIZER, a person, and a DTSTART (RFC 5546,
    // 3.4.1).
    let asked = [&duties.overdue, &duties.due].into_iter().flatten();
    let others = [&duties.next, &duties.later, &duties.undated, &duties.done, &dropped];
    let others = others.into_iter().flatten().map(|item| (item, false));
    let mut items = asked.map(|item| (item, true)).chain(others).peekable();
    if items.peek().is_none() {
        page.time_zone();
    }
    for (item, is_asked) in items {
        let status = Status::of(item, is_asked, is_in_vain(item));
        page.put(item, status, &of, rollout.severity(), duties.at);
    }
    page.line("END:VCALENDAR");
    page.text
}

/// What became of a to-do.
#[derive(Clone, Copy)]
enum Status {
    Cancelled,
    Completed(Timestamp),
    NeedsAction { is_asked: bool },
}

impl Status {
    /// `is_in_vain`: the moment from which its time counts does not come any more.
    fn of(item: &Item<'_>, is_asked: bool, is_in_vain: bool) -> Self {
        let is_over = item.left.is_none() && item.late_by.is_none() && item.awaits.is_none();
        match item.settled.filter(|_| is_over) {
            Some(settled) if settled.how == Settlement::Ended => Self::Cancelled,
            Some(settled) => Self::Completed(settled.at),
            None if is_in_vain => Self::Cancelled,
            None => Self::NeedsAction { is_asked },
        }
    }
}

struct Page {
    text: String,
}

impl Page {
    /// Adds the time zone as the component that a calendar needs (RFC 5545, 3.6).
    fn time_zone(&mut self) {
        for line in [
            "BEGIN:VTIMEZONE",
            "TZID:Etc/UTC",
            "BEGIN:STANDARD",
            "DTSTART:19700101T000000",
            "TZOFFSETFROM:+0000",
            "TZOFFSETTO:+0000",
            "END:STANDARD",
            "END:VTIMEZONE",
        ] {
            self.line(line);
        }
    }

    fn put(
        &mut self,
        item: &Item<'_>,
        status: Status,
        of: &str,
        severity: Option<Severity>,
        at: Timestamp,
    ) {
        // The 1 keeps the `UID`s of earlier versions, which had one for each occurrence.
        let which = Digest::of(format!("{of}\0{}\01", item.id).as_bytes());
        let which = which.to_string();
        self.line("BEGIN:VTODO");
        self.line(&format!("UID:{}@hotfix.invalid", which.get(..32).unwrap_or(&which)));
        self.line(&format!("DTSTAMP:{}", stamp(at)));
        let title = format!("{of}: {}", item.title);
        self.line(&format!("SUMMARY:{}", escaped(&title)));
        let opens =
            item.opens.filter(|opens| item.due.is_none_or(|due| stamp(*opens) < stamp(due)));
        if let Some(opens) = opens {
            self.line(&format!("DTSTART:{}", stamp(opens)));
        }
        if let Some(due) = item.due {
            self.line(&format!("DUE:{}", stamp(due)));
        }
        if let Some(severity) = severity {
            self.line(&format!("PRIORITY:{}", priority(severity)));
        }
        let role = item.who.as_ref().map(|who| who.stand_in.unwrap_or(who.role).to_string());
        let categories = ["hotfix".to_owned(), item.kind.to_string()].into_iter().chain(role);
        let categories = joined(categories.map(|word| escaped(&word)), ",");
        self.line(&format!("CATEGORIES:{categories}"));
        if let Some(description) = description(item) {
            self.line(&format!("DESCRIPTION:{}", escaped(&description)));
        }
        match status {
            Status::Cancelled => self.line("STATUS:CANCELLED"),
            Status::Completed(settled) => {
                self.line("STATUS:COMPLETED");
                self.line(&format!("COMPLETED:{}", stamp(settled)));
                self.line("PERCENT-COMPLETE:100");
            }
            Status::NeedsAction { is_asked } => {
                self.line("STATUS:NEEDS-ACTION");
                self.alarm(item, is_asked, &title);
            }
        }
        self.line("END:VTODO");
    }

    fn alarm(&mut self, item: &Item<'_>, is_asked: bool, title: &str) {
        let Some(due) = item.due.filter(|_| is_asked && item.left.is_some()) else { return };
        let whole = item.opens.or(item.from_at).map_or(Span::ZERO, |opens| due.since(opens));
        let before = ALARM.min(Span::from_millis(whole.as_millis() / 4));
        self.line("BEGIN:VALARM");
        self.line("ACTION:DISPLAY");
        self.line(&format!("DESCRIPTION:{}", escaped(title)));
        self.line(&format!("TRIGGER;RELATED=END:-PT{}S", before.as_millis() / 1000));
        self.line("END:VALARM");
    }

    /// A line, folded after 75 octets, never within a character.
    fn line(&mut self, line: &str) {
        let mut room = MOST;
        for c in line.chars() {
            if c.len_utf8() > room {
                self.text.push_str("\r\n ");
                // The blank counts.
                room = MOST - 1;
            }
            room -= c.len_utf8();
            self.text.push(c);
        }
        self.text.push_str("\r\n");
    }
}

fn description(item: &Item<'_>) -> Option<String> {
    let mut sentences = Vec::new();
    if let Some(late) = item.late_by {
        sentences.push(format!("late by {}", time(late)));
    }
    if item.missed > 1 {
        sentences.push(format!("{} occurrences were missed", item.missed));
    }
    let length = time_range(item.lasts_least, item.lasts_most);
    sentences
        .extend(length.filter(|_| item.kind == DutyKind::Meet).map(|of| format!("length: {of}")));
    sentences.extend(item.notes.iter().cloned());
    (!sentences.is_empty()).then(|| sentences.join("\n"))
}

/// 1 is the highest.
const fn priority(severity: Severity) -> u8 {
    match severity {
        Severity::P0 => 1,
        Severity::P1 => 3,
        Severity::P2 => 5,
        Severity::P3 => 9,
    }
}

/// `20260303T144000Z`, cut to the second, so that what is due is no later.
fn stamp(at: Timestamp) -> String {
    let text = at.to_string();
    let seconds = text.split('.').next().unwrap_or_default();
    let mut stamp: String = seconds.chars().filter(|c| !matches!(c, '-' | ':')).collect();
    stamp.push('Z');
    stamp
}

fn escaped(text: &str) -> String {
    let mut escaped = text.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,");
    escaped = escaped.replace('\n', "\\n");
    escaped.retain(|c| !c.is_control() || c == '\t');
    escaped
}
