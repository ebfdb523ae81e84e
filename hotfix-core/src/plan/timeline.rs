//! The timeline of a rollout without problems.

use serde::Serialize;

use crate::grade::closed_set;
use crate::unit::{PhaseName, Span, Timestamp};

use super::Plan;

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
