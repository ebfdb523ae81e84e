//! Periods in which a phase was deployed and watched.

use crate::rollout::{Resume, Rollout, Stage, Step};
use crate::unit::{PhaseName, Span, Timestamp};

use super::model::{PhaseEnd, PhaseVisit};

/// Most periods that are kept; far more than a rollout has.
const MOST: usize = 200;

/// The periods so far; the last one may be in progress.
#[derive(Clone, Debug, Default)]
pub(super) struct Visits {
    all: Vec<PhaseVisit>,
    /// The last reading of the current period.
    last_reading: Option<Timestamp>,
    /// Since when the watch of the current period is paused.
    paused_since: Option<Timestamp>,
}

impl Visits {
    pub(super) fn phase(&self) -> Option<PhaseName> {
        self.all.last().filter(|visit| visit.until.is_none()).map(|visit| visit.phase)
    }

    pub(super) fn reading(&mut self, at: Timestamp) {
        if let Some(visit) = self.note_silence(at) {
            visit.readings += 1;
            self.last_reading = Some(at);
        }
    }

    fn open(&mut self) -> Option<&mut PhaseVisit> {
        self.all.last_mut().filter(|visit| visit.until.is_none())
    }

    /// The period in progress, if it is watched, with the time since its last reading noted.
    fn note_silence(&mut self, at: Timestamp) -> Option<&mut PhaseVisit> {
        let last = self.last_reading;
        let visit = self.open()?;
        let silence = at.since(last.or(visit.watched_since)?);
        visit.longest_silence = visit.longest_silence.max(silence);
        Some(visit)
    }

    /// Adds the time since the watch was paused, if it is.
    fn note_pause(&mut self, at: Timestamp) {
        let since = self.paused_since.take();
        if let (Some(since), Some(visit)) = (since, self.open()) {
            visit.paused = Some(visit.paused.unwrap_or_default() + at.since(since));
        }
    }

    /// Enters a stage. Returns the period that it ended, if any.
    pub(super) fn enter(
        &mut self,
        rollout: &Rollout,
        at: Timestamp,
        to: &Stage,
    ) -> Option<PhaseVisit> {
        self.note_pause(at);
        if matches!(to, Stage::Paused { from: Resume::Monitoring(_) | Resume::Gate(_), .. }) {
            self.paused_since = Some(at);
        }
        match to {
            Stage::Deploying(step)
            | Stage::Paused { from: Resume::Deploying(step) | Resume::Deployed(step), .. } => {
                self.step(rollout, at, *step, false)
            }
            Stage::Monitoring(step)
            | Stage::Gate { step, .. }
            | Stage::Paused { from: Resume::Monitoring(step) | Resume::Gate(step), .. } => {
                self.step(rollout, at, *step, true)
            }
            Stage::Preparing => self.end(at, PhaseEnd::BegunAnew),
            Stage::RollingBack(_) => self.end(at, PhaseEnd::RolledBack),
            Stage::RolledBack => {
                self.correct(PhaseEnd::RollbackFailed, PhaseEnd::RolledBack);
                self.end(at, PhaseEnd::RolledBack)
            }
            Stage::Frozen { .. } | Stage::Aborted => {
                if matches!(to, Stage::Frozen { tried: true, .. }) {
                    self.correct(PhaseEnd::RolledBack, PhaseEnd::RollbackFailed);
                }
                self.end(at, PhaseEnd::Stopped)
            }
            Stage::Failed => self.end(at, PhaseEnd::Failed),
            Stage::FinalValidation { .. }
            | Stage::Paused { from: Resume::FinalValidation { .. }, .. }
            | Stage::Complete { .. }
            | Stage::Closed => {
                let end = self.passed(rollout);
                self.end(at, end)
            }
        }
    }

    /// How the phase in progress has passed.
    fn passed(&mut self, rollout: &Rollout) -> PhaseEnd {
        let Some(visit) = self.open() else { return PhaseEnd::Passed };
        visit.passed_without = rollout.passed_without(visit.phase);
        visit.passed_without.map_or(PhaseEnd::Passed, |_| PhaseEnd::Overridden)
    }

    fn step(
        &mut self,
        rollout: &Rollout,
        at: Timestamp,
        step: Step,
        watched: bool,
    ) -> Option<PhaseVisit> {
        let attempt = rollout.attempt();
        let mut ended = None;
        let open = self.all.last().filter(|visit| visit.until.is_none());
        if open.is_none_or(|visit| visit.index != step.index || visit.attempt != attempt) {
            let end = match open {
                Some(visit) if visit.attempt != attempt => PhaseEnd::BegunAnew,
                _ => self.passed(rollout),
            };
            ended = self.end(at, end);
            if self.all.len() < MOST {
                let phase = rollout.plan().policy().phases().get(step.index);
                self.all.push(PhaseVisit {
                    phase: step.phase,
                    index: step.index,
                    attempt,
                    share: phase.map(|phase| phase.share).unwrap_or_default(),
                    deployed_since: at,
                    watched_since: None,
                    until: None,
                    readings: 0,
                    longest_silence: Span::default(),
                    paused: None,
                    end: PhaseEnd::UnderWay,
                    passed_without: None,
                });
            }
        }
        if watched
            && let Some(visit) = self.all.last_mut().filter(|visit| visit.watched_since.is_none())
        {
            visit.watched_since = Some(at);
            self.last_reading = None;
        }
        ended
    }

    /// Whether the rollback of the last period worked is known later than that it has ended.
    fn correct(&mut self, from: PhaseEnd, to: PhaseEnd) {
        if let Some(last) = self.all.last_mut().filter(|last| last.end == from) {
            last.end = to;
        }
    }

    fn end(&mut self, at: Timestamp, end: PhaseEnd) -> Option<PhaseVisit> {
        self.note_silence(at);
        self.last_reading = None;
        let visit = self.open()?;
        (visit.until, visit.end) = (Some(at), end);
        Some(*visit)
    }

    /// All periods; the current one as of this time.
    pub(super) fn finish(mut self, at: Timestamp) -> Vec<PhaseVisit> {
        self.note_silence(at);
        self.note_pause(at);
        self.all
    }
}
