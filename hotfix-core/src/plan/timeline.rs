//! The timeline of a rollout without problems, also as a Mermaid gantt chart.

use std::fmt::Write as _;

use serde::Serialize;

use super::Plan;
use super::duration::{phases_until_live, rollout};
use crate::grade::closed_set;
use crate::text::{drawn, joined, mermaid};
use crate::unit::{PhaseName, Span, Timestamp};

closed_set! {
    /// A step of the timeline.
    StepKind {
        Deploy = "deploy",
        Monitor = "monitor",
        /// Go or no-go. With a veto window, it lasts until the next step.
        Gate = "gate",
        FinalValidation = "final_validation",
        Complete = "complete",
    }
}

/// One step of the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TimelineStep {
    /// After the start.
    pub offset: Span,
    /// In UTC.
    pub at: Timestamp,
    /// The kind of step.
    pub step: StepKind,
    /// Its phase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<PhaseName>,
}

/// One step of the timeline of a rollout without a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TimelineOffset {
    /// After the start.
    pub offset: Span,
    /// What happens.
    pub step: StepKind,
    /// In which phase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<PhaseName>,
}

impl Plan {
    /// The timeline for a start at this time.
    ///
    /// With `phased-canary`: deploy at T+0, gates at T+12 and T+24, final validation at T+57,
    /// complete at T+60 minutes.
    pub fn timeline(&self, start: Timestamp) -> Vec<TimelineStep> {
        let steps = self.offsets().into_iter();
        let at = |TimelineOffset { offset, step, phase }| TimelineStep {
            offset,
            at: start + offset,
            step,
            phase,
        };
        steps.map(at).collect()
    }

    /// The timeline without a start, as offsets. A phase takes as long as in the
    /// [duration](Self::duration).
    pub fn offsets(&self) -> Vec<TimelineOffset> {
        let mut offset = Span::ZERO;
        let mut steps = Vec::new();
        let mut put = |offset: Span, step, phase| {
            steps.push(TimelineOffset { offset, step, phase });
        };
        let phases = self.policy().phases();
        for (index, phase) in phases.iter().enumerate() {
            put(offset, StepKind::Deploy, Some(phase.name));
            offset = offset + phase.deploy;
            if index + 1 == phases.len() {
                // The policy may give the deployment more time.
                offset = offset.max(phases_until_live(self.load()).least);
            }
            put(offset, StepKind::Monitor, Some(phase.name));
            offset = offset + self.load().watch(phase);
            // Without a veto window, the last phase's gate is the final validation.
            if index + 1 < phases.len() || !phase.veto_window().is_zero() {
                put(offset, StepKind::Gate, Some(phase.name));
            }
            offset = offset + phase.veto_window();
        }
        put(offset, StepKind::FinalValidation, None);
        put(offset + self.policy().final_validation().watch, StepKind::Complete, None);
        steps
    }
}

const MOST: usize = 80;

const DAY: Span = Span::from_seconds(86_400);

impl Plan {
    /// The rollout as a Mermaid gantt chart, and below it the steps of the policy's procedure that
    /// have times.
    ///
    /// Without a start, the axis counts from T+00:00: for the rollout from its start, for the
    /// procedure from the detection. With a start, it shows UTC, and the procedure is included if
    /// the incident has its detection time. A chart has no ranges: bars of the rollout have the
    /// least time to watch, those of the procedure end at their latest end.
    ///
    /// The times in the text have no zone, so that a browser shows them as they are.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::Plan, policy::Policy};
    ///
    /// let policy = Arc::new(Policy::preset("phased-canary")?);
    /// let plan = Plan::from_json(policy, r#"{"id": "INC-1"}"#, r#"{"version": "2", "previous": "1"}"#, "")?;
    /// let chart = plan.gantt(Some("2026-03-03T14:40:00Z".parse()?));
    /// assert!(chart.starts_with("gantt\n"));
    /// assert!(chart.contains("    Watch canary :p1, 2026-03-03T14:42:00, 2026-03-03T14:52:00\n"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn gantt(&self, start: Option<Timestamp>) -> String {
        let detected = self.detected_at();
        // Without a start the chart counts from an arbitrary midnight, that of 2000-01-01.
        let zero = Timestamp::try_from_millis(946_684_800_000).unwrap_or_default();
        let mut chart = Chart { text: "gantt\n".to_owned(), tasks: 0 };
        let title = format!("{}, {}", self.subject().incident.id, self.subject().version());
        let _ = writeln!(chart.text, "    title Hot-fix {}", label(&title));
        chart.text.push_str("    dateFormat YYYY-MM-DDTHH:mm:ss\n");
        let steps = self.steps();
        let procedure_end = steps.iter().rev().find_map(|step| step.ends?.most);
        let lasts = rollout(self.load()).least.max(procedure_end.unwrap_or_default());
        let axis = match (start, lasts > DAY) {
            (Some(_), false) => "%H:%M",
            (Some(_), true) => "%m-%d %H:%M",
            (None, false) => "T+%H:%M",
            // The first of January is day 1.
            (None, true) => "day %-d, %H:%M",
        };
        let _ = writeln!(chart.text, "    axisFormat {axis}");
        let zone = if start.is_some() { "UTC" } else { "from its start" };
        let _ = writeln!(chart.text, "    section Rollout, {zone}");
        self.rollout_bars(&mut chart, start.unwrap_or(zero));
        let origin = if start.is_some() { detected } else { Some(zero) };
        if let (Some(origin), Some(_)) = (origin, procedure_end) {
            let zone = if start.is_some() { "UTC" } else { "from the detection" };
            let _ = writeln!(chart.text, "    section Procedure, {zone}, at the latest");
            for (index, step) in steps.into_iter().enumerate() {
                let (Some(starts), Some(ends)) = (step.starts, step.ends) else { continue };
                let at = |span: Option<Span>| origin + span.unwrap_or_default();
                let timed = step.time.is_some();
                let number = format!("{}. ", index + 1);
                chart.task(&number, step.title, timed, at(starts.most), at(ends.most));
            }
        }
        chart.text
    }

    fn rollout_bars(&self, chart: &mut Chart, start: Timestamp) {
        let steps = self.offsets();
        for (index, step) in steps.iter().enumerate() {
            let from = start + step.offset;
            let until = steps.get(index + 1).map_or(from, |next| start + next.offset);
            let phase = step.phase.map(|phase| phase.to_string()).unwrap_or_default();
            match step.step {
                StepKind::Deploy => chart.task("Deploy ", &phase, true, from, until),
                StepKind::Monitor => chart.task("Watch ", &phase, true, from, until),
                StepKind::Gate => chart.task("Gate ", &phase, true, from, until),
                StepKind::FinalValidation => chart.task("Final validation", "", true, from, until),
                StepKind::Complete => chart.task("Complete", "", false, from, from),
            }
        }
    }
}

struct Chart {
    text: String,
    tasks: u32,
}

impl Chart {
    /// Adds a bar, or a milestone. The line begins with a word or number of this library: Mermaid
    /// would read a text that begins with one of its keywords as that.
    fn task(&mut self, word: &str, text: &str, bar: bool, from: Timestamp, until: Timestamp) {
        let id = self.tasks;
        self.tasks += 1;
        let text = if text.is_empty() { String::new() } else { label(text) };
        let kind = if bar && until > from { "" } else { "milestone, " };
        let (from, until) = (wall(from), wall(until));
        let _ = writeln!(self.text, "    {word}{text} :{kind}p{id}, {from}, {until}");
    }
}

/// Date and time to the second, without the zone.
fn wall(at: Timestamp) -> String {
    at.to_string().chars().take(19).collect()
}

fn label(text: &str) -> String {
    let shown = drawn(text, MOST);
    let line = joined(shown.split_whitespace(), " ");
    if line.is_empty() { "–".to_owned() } else { mermaid(&line) }
}
