//! Values of the fields of a message, by the reach of its audience.
//!
//! Each reach has a function of its own. A text for the public is rendered from the public fields
//! only: a field that is not in the map cannot be printed.

use minijinja::Value;

use crate::fact::{Fact, Facts, Impact};
use crate::grade::{Audience, MessageKind, Moment};
use crate::policy::section::{MessageField, Reach};
use crate::rollout::Rollout;
use crate::sorting::remove;
use crate::text::{self, time};
use crate::unit::{Span, Timestamp};

use super::escape::{is_address, shorten};
use super::render::{Fields, address};
use super::zone::Clock;
use super::{Request, describe, known, reason, seen};

/// The most characters of a value, and of a line of one.
const MOST_CHARACTERS: usize = 1_000;
const MOST_LINES: usize = 50;

/// The fields that only people know: given by the caller, or noted with an item of a checklist.
const NOTED: [&str; 5] = ["status_page", "cause", "channel", "dashboard", "url"];

/// Beside the status, where nothing holds a start that may be none of a hot-fix.
const OPEN_HOTFIX: &str = "not yet settled whether this is a hot-fix";

/// Sources of the field values of one message.
struct Context<'r> {
    rollout: &'r Rollout,
    request: &'r Request,
    at: Timestamp,
    clock: Clock,
    fields: Fields,
}

/// The values of every field that the audience may read.
pub(super) fn fields(rollout: &Rollout, request: &Request, at: Timestamp) -> Fields {
    let clock = Clock::new(request.utc_offset, at);
    let mut context = Context { rollout, request, at, clock, fields: Fields::new() };
    let reach = Reach::of(request.audience);
    context.public();
    if reach >= Reach::Business {
        context.business();
    }
    if reach >= Reach::Internal {
        context.internal();
    }
    context.recorded();
    for (name, value) in &request.values {
        if let Some(field) = MessageField::find(name).filter(|field| field.is_for(request.audience))
        {
            context.give(field, value);
        }
    }
    context.fields
}

impl Context<'_> {
    fn put(&mut self, name: &'static str, value: impl Into<Option<String>>) {
        let value = value.into().map(|value| shown(&value)).filter(|value| !value.is_empty());
        if let Some(value) = value {
            self.fields.insert(name.into(), value.into());
        }
    }

    fn put_lines(&mut self, name: &'static str, lines: &[String]) {
        let lines = lines.iter().map(|line| shown(line)).filter(|line| !line.is_empty());
        let mut lines: Vec<String> = lines.collect();
        let more = lines.len().saturating_sub(MOST_LINES);
        lines.truncate(MOST_LINES);
        if more > 0 {
            lines.push(format!("and {more} more"));
        }
        if !lines.is_empty() {
            self.fields.insert(name.into(), lines.into_iter().map(Value::from).collect());
        }
    }

    /// Sets the fields that only people know to what was noted with an item of a checklist.
    fn recorded(&mut self) {
        let fields = NOTED.iter().filter_map(|name| MessageField::find(name));
        for field in fields.filter(|field| field.is_for(self.request.audience)) {
            if let Some(value) = self.rollout.recorded(field.name) {
                self.give(field, value);
            } else if let Some(cause) =
                self.rollout.cause_by_author().filter(|_| field.name == "cause")
            {
                self.give(field, &cause);
            }
        }
    }

    /// Sets a field to the caller's value in place of the rollout's; empty text removes the value.
    fn give(&mut self, field: &MessageField, value: &str) {
        remove(&mut self.fields, field.name);
        if field.lines {
            let lines: Vec<String> = value.lines().map(str::to_owned).collect();
            self.put_lines(field.name, &lines);
        } else if is_address(value.trim()) {
            self.fields.insert(field.name.into(), address(value.trim()));
        } else {
            self.put(field.name, value.to_owned());
        }
    }

    fn time(&self, at: Option<Timestamp>) -> Option<String> {
        at.map(|at| self.clock.time(at))
    }

    /// The minute by which something ends: cut, "by" was up to a minute early.
    fn end(&self, at: Option<Timestamp>) -> Option<String> {
        let rest = |at: Timestamp| (60_000 - at.as_millis().rem_euclid(60_000)) % 60_000;
        self.time(at.map(|at| at + Span::from_millis(rest(at).unsigned_abs())))
    }

    /// Fields for every audience. Only the name of the service was written by a person.
    fn public(&mut self) {
        let (rollout, at) = (self.rollout, self.at);
        let moment = |moment| rollout.moment(moment).filter(|came| *came <= at);
        // A public message needs a subject even where the incident names no service.
        let unnamed = (self.request.audience == Audience::Public).then(|| "our service".to_owned());
        self.put("service", rollout.plan().subject().incident.service.clone().or(unnamed));
        self.put("status", describe::public_status(rollout, at));
        self.put("now", self.clock.time(at));
        self.put("began_at", self.time(moment(Moment::Began)));
        self.put("started_at", self.time(seen::started_at(rollout).or(moment(Moment::FixStarted))));
        // A fix that is rolled back is not live since then.
        let is_live = !rollout.stage().has_turned_back();
        self.put("deployed_at", self.time(moment(Moment::Deployed).filter(|_| is_live)));
        self.put("verified_at", self.time(rollout.verified_at().filter(|came| *came <= at)));
        self.put("no_problem", seen::is_false_alarm(rollout).then(|| "yes".to_owned()));
        let is_denied = self.request.kind == MessageKind::Update
            && (rollout.end_is_in_doubt() || !rollout.is_timely(MessageKind::Resolved));
        self.put("resolved_at", self.time(moment(Moment::Resolved).filter(|_| !is_denied)));
        self.put("duration", seen::duration(rollout, self.request.kind, at).map(whole));
        let downtime = seen::downtime(rollout, at).map(|down| match whole(down.whole) {
            _ if down.whole.is_zero() && !down.at_least => "none".to_owned(),
            lasted if down.at_least => format!("at least {lasted}"),
            lasted => lasted,
        });
        self.put("downtime", downtime);
        self.put("eta", self.end(seen::eta(rollout, at)));
        self.put("next_update", self.time(seen::next_update(rollout, self.request.audience, at)));
        self.put("held_back", seen::held_back(rollout).map(|_| "some users".to_owned()));
    }

    /// Further fields for business readers: no version, no phase, no metric, no person.
    fn business(&mut self) {
        let (rollout, at) = (self.rollout, self.at);
        let incident = &rollout.plan().subject().incident;
        self.put("incident_id", incident.id.clone());
        // Most messages begin with the title, so there always is one.
        let service =
            incident.service.as_deref().map(|service| format!("a problem with {service}"));
        // It is continued with a colon.
        let title = incident
            .title
            .as_deref()
            .map(|title| text::line(title).trim_end_matches('.').to_owned());
        let title = title.filter(|title| !title.is_empty());
        self.put("title", title.or(service).unwrap_or_else(|| "a problem".to_owned()));
        self.put("severity", known::severity(rollout));
        self.put("severity_label", known::severity_label(rollout));
        self.put("severity_change", known::severity_change(rollout, self.request.audience));
        // An impact that is over is left out.
        let is_past =
            self.request.kind == MessageKind::Update && rollout.moment(Moment::Resolved).is_some();
        // By the end the facts say that all is well: it has the worst that was known.
        let is_over = self.request.kind == MessageKind::Resolved;
        let facts = if is_over { rollout.worst_facts() } else { rollout.facts() };
        let policy = rollout.plan().policy();
        let sentence = |facts: &Facts| {
            let (own, mut normal) = (policy.own_effects(facts), policy.normal_figures(facts));
            // Customers do not notice it, and the fewer know of a vulnerability before the fix the better.
            if Reach::of(self.request.audience) < Reach::Internal {
                normal.extend([
                    Fact::SecurityVulnerability,
                    Fact::SecurityExploited,
                    Fact::RevenueImpact,
                ]);
            }
            Impact::new(facts, is_over).and(&own).without(&normal).sentence()
        };
        let recorded = rollout.impact_before_the_fix(sentence).filter(|_| !is_over);
        let dated = recorded.map(|(times, before, later)| {
            let times = text::between(times.map(|at| self.clock.time(at)));
            let before = format!("{before} (as recorded {times})");
            text::joined(later.into_iter().chain([before]), "; ")
        });
        let impact = dated.or_else(|| sentence(facts));
        self.put("impact", impact.filter(|_| !is_past));
        let impact = Impact::new(facts, is_over);
        self.put("affected", impact.affected());
        self.put("users_affected", impact.users_affected());
        self.put("detected_at", self.time(rollout.moment(Moment::Detected)));
        let status = describe::status(rollout, self.request.audience, at);
        self.put("status", describe::inside(rollout, &status));
        self.put("action", describe::action(rollout, at).map(str::to_owned));
        self.put("next_step", describe::next_step(rollout, &self.clock, at, true));
        let proven = rollout.verdict().efficacy.filter(|efficacy| efficacy.shown);
        self.put("proven", proven.map(|_| "yes".to_owned()));
        let unproven = rollout.is_unproven().then_some("the fix is not yet shown to work");
        self.put("unproven", unproven.map(str::to_owned));
        self.put("unseen", seen::unseen(rollout, self.request.kind).map(str::to_owned));
        self.put("reason", reason::plain_reason(rollout));
        let share =
            seen::phase(rollout, self.request.kind).map_or(rollout.share(), |(_, share)| share);
        self.put("share", share.to_string());
        self.put("held_back", seen::held_back(rollout).map(|share| share.to_string()));
        let phases = rollout.plan().policy().phases().iter();
        let shares: Vec<String> = phases.map(|phase| phase.share.to_string()).collect();
        self.put("shares", shares.join(" → "));
        // Only people know of an appointment.
        let review = self.time(seen::review_at(rollout, self.request.kind, at));
        self.put("review_at", review.map(|by| format!("by {by}")));
        self.put("rollback_eta", self.end(seen::rollback_eta(rollout, at)));
        self.put("rollback_takes", seen::rollback_takes(rollout));
    }

    /// Further fields for responders and stakeholders.
    fn internal(&mut self) {
        let rollout = self.rollout;
        let status = describe::status(rollout, self.request.audience, self.at);
        let open = rollout.hotfix_is_open().then(|| OPEN_HOTFIX.to_owned());
        let status = text::joined(
            [status].into_iter().chain(open).chain(rollout.unanswered_objections()),
            "; ",
        );
        self.put("status", describe::inside(rollout, &status));
        let end = seen::eta(rollout, self.at).or_else(|| seen::planned_end(rollout, self.at));
        self.put("eta", self.end(end));
        self.put("next_step", describe::next_step(rollout, &self.clock, self.at, false));
        self.put("reason", reason::reason(rollout, self.request.audience));
        self.put("commander", known::commander(rollout));
        self.put("engineer", known::engineer(rollout));
        let release = seen::release(rollout, self.request.kind);
        self.put("version", release.map(|release| release.version.clone()));
        self.put("previous", rollout.back_to().map(str::to_owned));
        self.put("strategy", text::words(rollout.plan().policy().strategy().as_str()));
        let phase = seen::phase(rollout, self.request.kind);
        self.put("phase", phase.map(|(name, _)| name.to_string()));
        let signs = rollout.plan().policy().deployment_signs();
        let listed = |signs: &[String]| text::joined(signs, ", ");
        self.put("success_signs", signs.map(|signs| listed(signs.success)));
        self.put("failure_signs", signs.map(|signs| listed(signs.failure)));
        self.put("fix", seen::fix(rollout, self.request.kind));
        self.put("harm", seen::harm(rollout));
        self.put_lines("approvers", &known::approvers(rollout));
        self.put_lines("metrics", &seen::metrics(rollout, self.request.kind, &self.clock, self.at));
        self.put_lines("timeline", &seen::timeline(rollout, &self.clock, self.at));
        self.put_lines("watch_for", &seen::watch_for(rollout, &self.clock, self.at));
    }
}

/// A value as messages show it: cleaned, shortened, and without mentions.
fn shown(value: &str) -> String {
    unmention(&shorten(&text::line(value), MOST_CHARACTERS, |_| 1))
}

/// Keeps `@name` and `<!here>` from mentioning people by a joiner; mail addresses stay.
fn unmention(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut before = ' ';
    for c in text.chars() {
        let calls = (c == '@' && !before.is_alphanumeric())
            || (matches!(c, '!' | '@' | '#') && before == '<');
        if calls && before == '<' {
            safe.push('\u{2060}');
        }
        safe.push(c);
        if c == '@' && calls {
            safe.push('\u{2060}');
        }
        before = c;
    }
    safe
}

/// A time span, rounded to minutes; below one minute, to seconds.
fn whole(span: Span) -> String {
    let unit = if span.as_millis() >= 60_000 { 60_000 } else { 1_000 };
    let rounded = (span.as_millis() + unit / 2) / unit * unit;
    time(Span::from_millis(rounded))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comm_2_nobody_is_called_by_a_value() {
        for (text, safe) in [
            ("@channel go", "@\u{2060}channel go"),
            ("<!here>", "<\u{2060}!here>"),
            ("<@U1>", "<\u{2060}@\u{2060}U1>"),
            ("lena@example.org", "lena@example.org"),
            ("(@all)", "(@\u{2060}all)"),
        ] {
            assert_eq!(unmention(text), safe);
        }
    }
}
