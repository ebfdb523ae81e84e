//! A log as Grafana annotations: each is an object for `POST /api/annotations`.
//!
//! Times are milliseconds since 1970; one with `timeEnd` is a region. Your tool adds `dashboardUID`
//! and `panelId`. Source: Grafana's HTTP API, annotations.

use serde_json::{Value, json};

use super::ExportError;
use super::watched::{Watched, news};
use crate::grade::Moment;
use crate::judge::Decision;
use crate::rollout::{Command, Entry, Recorded, Rollout, Stage};
use crate::sorting::sort_by_key;
use crate::text::joined;
use crate::unit::Timestamp;

/// The annotations of a log, by time: the incident and every phase as a region, and single moments.
///
/// A region that is not over has no `timeEnd` yet.
///
/// # Errors
/// The errors of a broken log.
pub fn annotations(log: &[u8]) -> Result<Vec<Value>, ExportError> {
    let mut writer = Writer::default();
    let rollout = Rollout::replay_each(log, |rollout, entry| writer.follow(rollout, entry))?;
    writer.end_phase(None);
    let mut notes = writer.notes;
    if let Some((_, from)) = rollout.beginning() {
        let until = rollout.moment(Moment::Resolved).filter(|at| *at >= from);
        let severity = rollout.severity().map(|severity| format!(" ({severity})"));
        let text = format!("incident{}", severity.unwrap_or_default());
        notes.push(Note { at: from, until, kind: "incident", text });
    }
    sort_by_key(&mut notes, |note| (note.at, note.until));
    let incident = &rollout.plan().subject().incident;
    let mut tags = vec!["hotfix".to_owned(), incident.id.clone()];
    tags.extend(incident.service.clone());
    Ok(notes.iter().map(|note| note.document(&tags)).collect())
}

struct Note {
    at: Timestamp,
    until: Option<Timestamp>,
    kind: &'static str,
    text: String,
}

impl Note {
    fn document(&self, tags: &[String]) -> Value {
        let mut tags = tags.to_vec();
        tags.push(self.kind.to_owned());
        let mut note = json!({"time": self.at.as_millis(), "tags": tags, "text": self.text});
        if let Some(until) = self.until {
            note["timeEnd"] = json!(until.as_millis());
        }
        note
    }
}

#[derive(Default)]
struct Writer {
    notes: Vec<Note>,
    phase: Option<Watched>,
    decision: Option<Decision>,
    /// The kind of the last stage, so that a rollback of several steps is one point.
    stage: &'static str,
    rolled_back: Option<Timestamp>,
}

impl Writer {
    fn point(&mut self, at: Timestamp, kind: &'static str, text: String) {
        self.notes.push(Note { at, until: None, kind, text });
    }

    fn is_aborted(&self) -> bool {
        let mut attempt = self.notes.iter().rev().take_while(|note| note.kind != "start");
        attempt.any(|note| note.kind == "aborted")
    }

    fn follow(&mut self, rollout: &Rollout, entry: &Entry<'_>) {
        let at = entry.at;
        if let Recorded::Taken(input) = entry.recorded {
            match &input.command {
                Command::Start => {
                    let version = rollout.plan().subject().version();
                    let text = format!("rollout of {version}, attempt {}", rollout.attempt());
                    self.point(at, "start", text);
                }
                Command::Release { release, .. } => {
                    self.point(at, "release", format!("the release is {}", release.version));
                }
                Command::Supersede { release, .. } => {
                    self.point(at, "superseded", format!("replaced by {}", release.version));
                }
                Command::Retry { .. } => {
                    self.point(at, "retry", format!("attempt {}", rollout.attempt()));
                }
                // A repeated abort is one point.
                Command::Abort { .. } if !self.is_aborted() => {
                    self.point(at, "aborted", "the rollout was aborted".to_owned());
                }
                _ => {}
            }
        }
        if entry.judged {
            let verdict = rollout.verdict();
            let news = self.decision != Some(verdict.decision);
            self.decision = Some(verdict.decision);
            if news && !matches!(verdict.decision, Decision::Continue) {
                let causes = verdict.causes.iter().map(|cause| match cause.metric {
                    Some(metric) => format!("{} ({metric})", cause.reason),
                    None => cause.reason.to_string(),
                });
                let causes = joined(causes, ", ").replace('_', " ");
                let between = if causes.is_empty() { "" } else { ": " };
                let text = format!("verdict {}{between}{causes}", verdict.decision);
                self.point(at, "verdict", text);
            }
        }
        if let Some(to) = entry.to {
            self.enter(at, rollout, to);
        }
        if let Some(back) = news(&mut self.rolled_back, rollout.live_again_at()) {
            let version = rollout.back_to().unwrap_or("the previous version");
            self.point(back, "rolled_back", format!("{version} runs again"));
        }
    }

    fn enter(&mut self, at: Timestamp, rollout: &Rollout, to: &Stage) {
        let (kind, text) = match to {
            Stage::Monitoring(step) => {
                let watched = Watched::new(rollout, *step);
                if self.phase.is_none_or(|known| !known.is_same(watched)) {
                    self.end_phase(Some(at));
                    self.phase = Some(watched);
                }
                self.stage = "phase";
                return;
            }
            Stage::Gate { .. } => ("gate", "the phase waits at its gate"),
            Stage::Paused { .. } => ("paused", "the rollout is paused"),
            // An abort and the end of a rollback have points of their own.
            Stage::Preparing
            | Stage::Deploying(_)
            | Stage::FinalValidation { .. }
            | Stage::RolledBack
            | Stage::Aborted => {
                self.end_phase(Some(at));
                self.stage = "between";
                return;
            }
            Stage::Complete { .. } => ("complete", "the rollout is complete"),
            Stage::Closed => ("closed", "the rollout is closed"),
            Stage::RollingBack(_) => ("rolling_back", "rolling back"),
            Stage::Frozen { .. } => ("frozen", "traffic is frozen, and a person has to act"),
            Stage::Failed => ("failed", "the deployment failed"),
        };
        if !matches!(to, Stage::Gate { .. } | Stage::Paused { .. }) {
            self.end_phase(Some(at));
        }
        if std::mem::replace(&mut self.stage, kind) != kind {
            self.point(at, kind, text.to_owned());
        }
    }

    fn end_phase(&mut self, until: Option<Timestamp>) {
        if let Some(Watched { step, .. }) = self.phase.take() {
            let text = format!("phase {} is watched", step.phase);
            self.notes.push(Note { at: step.since, until, kind: "phase", text });
        }
    }
}
