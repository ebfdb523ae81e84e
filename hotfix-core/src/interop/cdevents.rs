//! A log as `CDEvents` 0.4.1 in `CloudEvents` 1.0, as JSON.
//!
//! | what the log has | type |
//! |---|---|
//! | the incident was detected or declared, or its time corrected; a complete fix was rolled back | `incident.detected` |
//! | the rollout was opened, with an option `ticket` | `incident.reported` |
//! | it was resolved | `incident.resolved` |
//! | the new version was deployed beside the live one | `service.deployed` |
//! | it first had traffic | `service.published` |
//! | all traffic has it | `service.upgraded` |
//! | the previous version runs again | `service.rolledback` |
//! | an attempt was started, and ended | `pipelinerun.started`, `pipelinerun.finished` |
//! | a phase is watched, and was | `taskrun.started`, `taskrun.finished` |
//!
//! An id is made from the hash of the log's first line, the line number and the event, so that each
//! export of a log gives the same ids, and a longer log only adds events.
//!
//! Source: specification and schemas of `CDEvents` 0.4.1 (cdevents.dev) and `CloudEvents`
//! 1.0.2.

use serde::Deserialize;
use serde_json::{Value, json};

use super::ExportError;
use super::watched::{Watched, news};
use crate::grade::Moment;
use crate::rollout::{Act, Command, Entry, LogError, Recorded, Rollout, Stage, Step};
use crate::unit::{Share, Timestamp};

/// The version of the `CDEvents` specification.
pub const SPEC_VERSION: &str = "0.4.1";
/// The version of the events' types in it.
const TYPE_VERSION: &str = "0.2.0";

/// Information that the log does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, educe::Educe)]
#[educe(Default)]
pub struct Options<'a> {
    /// Who sends the events: a URI reference.
    #[educe(Default = "hotfix")]
    pub source: &'a str,
    /// The environment of the service.
    #[educe(Default = "production")]
    pub environment: &'a str,
    /// The URI of the incident's ticket. None: no `incident.reported`, which needs one.
    pub ticket: Option<&'a str>,
}

impl Options<'_> {
    fn check(&self) -> Result<(), ExportError> {
        // RFC 3986: none of these is allowed in a URI reference.
        let odd = |c: char| c.is_whitespace() || c.is_control() || "\"<>\\^`{|}".contains(c);
        let uri = |text: &str| !text.is_empty() && !text.contains(odd);
        let absolute = |text: &str| {
            uri(text) && text.split_once(':').is_some_and(|(scheme, _)| !scheme.is_empty())
        };
        let wrong = if !uri(self.source) {
            ("source", "URI reference")
        } else if self.environment.trim().is_empty() {
            ("environment", "name of an environment")
        } else if self.ticket.is_some_and(|ticket| !absolute(ticket)) {
            ("ticket", "URI")
        } else {
            return Ok(());
        };
        Err(ExportError::Setting { option: wrong.0, wanted: wrong.1 })
    }
}

/// The events of a log, in the order of its lines.
///
/// ```
/// use std::sync::Arc;
/// use hotfix_core::{plan::Plan, policy::Policy, rollout::{Input, Recording, Rollout}};
/// use hotfix_core::interop::cdevents;
///
/// let plan = Plan::from_json(
///     Arc::new(Policy::preset("enterprise")?),
///     r#"{"id": "INC-2041", "service": "payments", "severity": "P0", "detected_at": "2026-03-03T14:06:00Z"}"#,
///     r#"{"version": "2.3.1", "previous": "2.3.0"}"#,
///     "",
/// )?;
/// let mut rollout = Rollout::try_new(plan, Recording::Keep, "")?;
/// let note = Input::from_json(r#"{"kind": "note", "by": "lena", "text": "payments fail"}"#)?;
/// rollout.handle("2026-03-03T14:08:00Z".parse()?, &note)?;
/// let events = cdevents::events(rollout.log().as_bytes(), &cdevents::Options::default())?;
/// assert_eq!(events[0]["type"], "dev.cdevents.incident.detected.0.2.0");
/// assert_eq!(events[0]["time"], "2026-03-03T14:06:00.000Z");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// An error for an invalid option, and the errors of a broken log.
pub fn events(log: &[u8], options: &Options<'_>) -> Result<Vec<Value>, ExportError> {
    options.check()?;
    let mut writer = Writer { options: *options, opening: opening(log)?, ..Writer::default() };
    Rollout::replay_each(log, |rollout, entry| writer.follow(Line { rollout, entry }))?;
    Ok(writer.events)
}

/// The [`events`] of a log as JSON Lines: one event per line.
///
/// # Errors
/// As [`events`].
pub fn json_lines(log: &[u8], options: &Options<'_>) -> Result<String, ExportError> {
    let events = events(log, options)?;
    Ok(events.iter().flat_map(|event| [event.to_string(), "\n".to_owned()]).collect())
}

/// The hash of the first line, which identifies a log.
fn opening(log: &[u8]) -> Result<String, LogError> {
    #[derive(Deserialize)]
    struct Opening {
        hash: String,
    }
    let line = log.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let read = serde_json::from_str::<Opening>(&String::from_utf8_lossy(line));
    read.map(|line| line.hash).map_err(|_| LogError::EMPTY)
}

#[derive(Default)]
struct Writer<'a> {
    options: Options<'a>,
    opening: String,
    events: Vec<Value>,
    detected: Option<Timestamp>,
    resolved: Option<Timestamp>,
    /// When the fix was deployed, while all traffic has it.
    upgraded: Option<Timestamp>,
    rolled_back: Option<Timestamp>,
    share: f64,
    /// The new version of this attempt has had traffic.
    published: bool,
    running: Option<u32>,
    watched: Option<Watched>,
}

struct Subject {
    id: String,
    kind: &'static str,
    content: Value,
}

/// How a phase or an attempt ended, and why it failed.
type Outcome = (&'static str, Option<&'static str>);

const PASSED: Outcome = ("success", None);

const fn failed(why: &'static str) -> Outcome {
    ("failure", Some(why))
}

/// A line of the log, with the rollout after it.
#[derive(Clone, Copy)]
struct Line<'l> {
    rollout: &'l Rollout,
    entry: &'l Entry<'l>,
}

impl Writer<'_> {
    fn follow(&mut self, line: Line<'_>) {
        let Line { rollout, entry } = line;
        self.incident(line);
        if let Recorded::Taken(input) = entry.recorded {
            match &input.command {
                Command::Supersede { .. } | Command::Retry { .. } => {
                    self.finish(line, failed("another attempt replaces it"));
                    self.published = false;
                }
                Command::Start => {
                    let attempt = rollout.attempt();
                    self.running = Some(attempt);
                    self.put(line, entry.at, "pipelinerun.started", self.run(line, attempt, None));
                }
                Command::Confirm { .. } => self.confirmed(line),
                _ => {}
            }
        }
        self.stage(line);
        self.share = rollout.share().as_fraction();
    }

    fn incident(&mut self, line: Line<'_>) {
        let Line { rollout, entry } = line;
        if matches!(entry.recorded, Recorded::Opened)
            && let Some(ticket) = self.options.ticket
        {
            let mut subject = self.of_incident(rollout);
            subject.content["ticketURI"] = json!(ticket);
            self.put(line, entry.at, "incident.reported", subject);
        }
        // Without a detection time the declaration counts.
        let detected = rollout.origin(Moment::Detected).map(|(_, at)| at);
        let corrected = news(&mut self.detected, detected);
        if let Some(at) = corrected {
            self.put(line, at, "incident.detected", self.of_incident(rollout));
        }
        let was_resolved = self.resolved.is_some();
        if let Some(at) = news(&mut self.resolved, rollout.moment(Moment::Resolved)) {
            self.put(line, at, "incident.resolved", self.of_incident(rollout));
        } else if was_resolved && self.resolved.is_none() && corrected.is_none() {
            self.put(line, entry.at, "incident.detected", self.of_incident(rollout));
        }
    }

    /// Adds the effect of a confirmed action, which the log shows by the next lines.
    fn confirmed(&mut self, line: Line<'_>) {
        let Line { rollout, entry } = line;
        let version = rollout.plan().release().map(|release| release.version.as_str());
        let moved = entry.actions.iter().any(|a| matches!(a.act, Act::SetTraffic { .. }));
        if moved && !self.published && rollout.share() == Share::NONE && self.running.is_some() {
            self.put(line, entry.at, "service.deployed", self.of_service(rollout, version));
        }
        if rollout.share().as_fraction() > self.share && !self.published {
            self.published = true;
            self.put(line, entry.at, "service.published", self.of_service(rollout, None));
        }
    }

    fn stage(&mut self, line: Line<'_>) {
        let Line { rollout, entry } = line;
        match entry.to {
            Some(Stage::Monitoring(step)) => {
                let watched = Watched::new(rollout, *step);
                if self.watched.is_none_or(|known| !known.is_same(watched)) {
                    self.leave(line, PASSED);
                    self.watched = Some(watched);
                    let subject = self.run(line, watched.attempt, Some(watched));
                    self.put(line, entry.at, "taskrun.started", subject);
                }
            }
            None | Some(Stage::Gate { .. } | Stage::Paused { .. } | Stage::Preparing) => {}
            Some(Stage::Deploying(_) | Stage::FinalValidation { .. }) => self.leave(line, PASSED),
            Some(Stage::Complete { .. } | Stage::Closed) => self.finish(line, PASSED),
            Some(Stage::RollingBack(_)) => self.leave(line, failed("it is being rolled back")),
            Some(Stage::Frozen { .. }) => {
                self.leave(line, failed("traffic is frozen until a person acts"));
            }
            Some(Stage::RolledBack) => self.finish(line, failed("it was rolled back")),
            Some(Stage::Aborted) => self.finish(line, failed("it was aborted")),
            Some(Stage::Failed) => self.finish(line, failed("the deployment failed")),
        }
        // A last phase may have less, until its last watch ends.
        let all = rollout.moment(Moment::Deployed).filter(|_| rollout.share() == Share::ALL);
        if news(&mut self.upgraded, all).is_some() {
            let version = rollout.plan().release().map(|release| release.version.as_str());
            self.put(line, entry.at, "service.upgraded", self.of_service(rollout, version));
        }
        if let Some(at) = news(&mut self.rolled_back, rollout.live_again_at()) {
            self.put(line, at, "service.rolledback", self.of_service(rollout, rollout.back_to()));
        }
    }

    fn leave(&mut self, line: Line<'_>, outcome: Outcome) {
        if let (Some(watched), Some(attempt)) = (self.watched.take(), self.running) {
            self.end(line, "taskrun.finished", self.run(line, attempt, Some(watched)), outcome);
        }
    }

    fn finish(&mut self, line: Line<'_>, outcome: Outcome) {
        self.leave(line, outcome);
        if let Some(attempt) = self.running.take() {
            self.end(line, "pipelinerun.finished", self.run(line, attempt, None), outcome);
        }
    }

    fn end(&mut self, line: Line<'_>, what: &str, mut subject: Subject, (outcome, why): Outcome) {
        subject.content["outcome"] = json!(outcome);
        if let Some(why) = why {
            subject.content["errors"] = json!(why);
        }
        self.put(line, line.entry.at, what, subject);
    }

    fn of_incident(&self, rollout: &Rollout) -> Subject {
        let incident = &rollout.plan().subject().incident;
        let mut content = json!({"environment": {"id": self.options.environment}});
        if let Some(service) = &incident.service {
            content["service"] = json!({"id": service});
        }
        Subject { id: incident.id.clone(), kind: "incident", content }
    }

    fn of_service(&self, rollout: &Rollout, version: Option<&str>) -> Subject {
        let subject = rollout.plan().subject();
        let service = subject.incident.service.as_ref().unwrap_or(&subject.incident.id);
        let mut content = json!({"environment": {"id": self.options.environment}});
        if let (Some(version), Some(release)) = (version, &subject.release) {
            let record = release.change_record.as_ref().and_then(|record| record.artifact.as_ref());
            let point = release.point.as_ref().and_then(|point| point.artifact.as_ref());
            let is_previous = version == release.previous;
            let artifact =
                if version == release.version { record } else { point.filter(|_| is_previous) };
            content["artifactId"] = artifact.map_or_else(
                || json!(format!("pkg:generic/{}@{}", percent(service), percent(version))),
                |artifact| json!(artifact),
            );
        }
        Subject { id: service.clone(), kind: "service", content }
    }

    /// An attempt, or a phase of it.
    fn run(&self, line: Line<'_>, attempt: u32, phase: Option<Watched>) -> Subject {
        let incident = &line.rollout.plan().subject().incident.id;
        let run = format!("{incident}/attempt-{attempt}");
        match phase {
            None => {
                // The schema requires a URL. A log has no page for the run, so it is a part of the
                // source.
                let page = self.options.source.split('#').next().unwrap_or_default();
                let url = format!("{page}#{}/attempt-{attempt}", percent(incident));
                let content = json!({"pipelineName": "hot-fix", "url": url});
                Subject { id: run, kind: "pipelineRun", content }
            }
            Some(Watched { step: Step { phase, .. }, .. }) => {
                let content = json!({"taskName": phase, "pipelineRun": {"id": run}});
                Subject { id: format!("{run}/{phase}"), kind: "taskRun", content }
            }
        }
    }

    fn put(&mut self, line: Line<'_>, at: Timestamp, what: &str, subject: Subject) {
        let Line { rollout, entry } = line;
        let log = self.opening.get(..32).unwrap_or_default();
        let id = format!("{log}-{}-{what}", entry.seq);
        let kind = format!("dev.cdevents.{what}.{TYPE_VERSION}");
        let Subject { id: about, kind: subject_kind, content } = subject;
        let mut custom = json!({"attempt": rollout.attempt(), "seq": entry.seq});
        if let Some(severity) = rollout.severity() {
            custom["severity"] = json!(severity);
        }
        let source = self.options.source;
        self.events.push(json!({
            "specversion": "1.0",
            "id": id,
            "source": source,
            "type": kind,
            "time": at,
            "subject": about,
            "datacontenttype": "application/json",
            "data": {
                "context": {
                    "version": SPEC_VERSION, "id": id, "source": source, "type": kind, "timestamp": at,
                    "chainId": uuid(log),
                },
                "subject": {"id": about, "type": subject_kind, "content": content},
                "customData": custom,
                "customDataContentType": "application/json",
            },
        }));
    }
}

/// Hexadecimal digits in the form of a UUID of version 4.
fn uuid(digits: &str) -> String {
    let part = |range: std::ops::Range<usize>| digits.get(range).unwrap_or_default();
    let [one, two, four] = [0..8, 8..12, 20..32].map(part);
    // The digits after the second part and before the last are version and variant.
    format!("{one}-{two}-4{}-8{}-{four}", part(13..16), part(17..20))
}

/// A part of a URL: all characters but letters, digits and `.-_~` are percent-encoded.
fn percent(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_~".contains(&byte);
    let encoded = text.bytes().map(|byte| {
        if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    });
    encoded.collect()
}
