//! History of an incident: events in the log that the final state of the rollout does not keep.

use crate::gate::approval::Demand;
use crate::gate::checklist::is_review;
use crate::grade::Moment;
use crate::report::fact_history::FactHistory;
use crate::report::impact::Tally;
use crate::rollout::{
    Act, Action, Command, Entry, ItemStatus, LogError, Recorded, Resume, Rollout, Stage,
};
use crate::unit::{Share, Timestamp};

use super::MeasureError;

/// One attempt: from the plan, a `supersede` or a `retry` until the next attempt or the end.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Attempt {
    /// When it replaced the previous attempt; for the first, when the log was opened.
    pub(crate) begun: Timestamp,
    /// When its plan was made, if the release states it.
    pub(crate) planned: Option<Timestamp>,
    /// When its version first had traffic.
    pub(crate) live: Option<Timestamp>,
    /// When it had all the traffic that the plan gives it.
    pub(crate) deployed: Option<Timestamp>,
    pub(crate) good: Option<Timestamp>,
    /// When it was rolled back, frozen, failed or aborted.
    pub(crate) failed: Option<Timestamp>,
    pub(crate) replaced: Option<Timestamp>,
}

/// Events of a log that the final state of the rollout does not keep, collected line by line.
#[derive(Clone, Debug, Default)]
pub(crate) struct IncidentHistory {
    pub(crate) opened: Timestamp,
    pub(crate) last: Timestamp,
    pub(crate) attempts: Vec<Attempt>,
    /// The first `acknowledge`, or the first thing that somebody did in a role that was paged.
    pub(crate) acknowledged: Option<Timestamp>,
    /// When a review item was first done.
    pub(crate) reviewed: Option<Timestamp>,
    /// When the first attempt had all [`required`] approvals, if they were in force at its start or later.
    pub(crate) approved: Option<Timestamp>,
    /// When an attempt that had traffic, or may have had some, was first rolled back, frozen or
    /// aborted; and whether it is known to have had some.
    pub(crate) turned_back: Option<(Timestamp, bool)>,
    /// Whether somebody was paged for a duty.
    pub(crate) paged: bool,
    counted: Tally,
    /// What had been counted when the incident was resolved, while it is, and the time of the end.
    until_resolved: Option<(Timestamp, Tally)>,
    /// The last reading that counts.
    read_at: Option<Timestamp>,
    /// The end of the incident, where it is known from a first reading of the log: readings up to it count.
    end: Option<Timestamp>,
    pub(crate) facts: FactHistory,
    /// Share of the new version after the last line.
    share: f64,
}

/// A rollout at the end of its log, with its history.
#[derive(Clone, Copy)]
pub(crate) struct Incident<'a> {
    pub(crate) rollout: &'a Rollout,
    pub(crate) history: &'a IncidentHistory,
}

impl Incident<'_> {
    /// How the incident is over, so that nothing more will be recorded; None while it continues. One
    /// that was resolved while no fix is live or being deployed has ended without one.
    pub(crate) fn over(&self) -> Option<&'static str> {
        if self.rollout.moment(Moment::Closed).is_some() {
            Some("closed")
        } else {
            self.rollout.has_ended().then_some("resolved")
        }
    }

    /// Whether the outcome of the fix is final: the rollout or the incident is over.
    pub(super) fn has_outcome(&self) -> bool {
        self.rollout.state().is_final() || self.over().is_some()
    }
}

impl IncidentHistory {
    /// Reads a whole log into the rollout at its end and the history. `each` gets every line once; where the
    /// end was recorded after readings that came later, or another one was stated since, the history reads the
    /// log again, until the end.
    pub(crate) fn read(
        log: &[u8],
        mut each: impl FnMut(&Rollout, &Entry<'_>),
    ) -> Result<(Rollout, Self), LogError> {
        let mut history = Self::default();
        let rollout = Rollout::replay_each(log, |rollout, entry| {
            each(rollout, entry);
            history.fold(rollout, entry);
        })?;
        let end = rollout.moment(Moment::Resolved);
        let counted_to = history.until_resolved.as_ref().map(|(at, _)| *at);
        if end.is_some() && (end < history.read_at || end != counted_to) {
            history = Self { end, ..Self::default() };
            Rollout::replay_each(log, |rollout, entry| history.fold(rollout, entry))?;
        }
        Ok((rollout, history))
    }

    /// The same for one of several logs, by its number from 0.
    pub(super) fn of(log: &[u8], index: usize) -> Result<(Rollout, Self), MeasureError> {
        Self::read(log, |_, _| ()).map_err(|error| MeasureError::Log { index, error })
    }

    /// The failed requests of the incident, which end with it. A rollback after the end and whoever
    /// reopens it show that it went on.
    pub(crate) fn affected(&self) -> &Tally {
        self.until_resolved.as_ref().map_or(&self.counted, |(_, counted)| counted)
    }

    pub(crate) fn fold(&mut self, rollout: &Rollout, entry: &Entry<'_>) {
        let at = entry.at;
        self.last = at;
        let begin = match entry.recorded {
            Recorded::Opened => {
                self.opened = at;
                self.facts.fold(rollout, at, None);
                true
            }
            Recorded::Taken(input) => {
                if let Command::SetFacts { .. } = &input.command {
                    self.facts.fold(rollout, at, Some(input));
                }
                self.take(rollout, at, &input.command, entry.to);
                input.command.changes_the_plan()
            }
            Recorded::Refused { .. } => false,
        };
        if begin {
            self.begin(rollout, at);
        }
        let is_page = |action: &Action| matches!(action.act, Act::Page { duty: Some(_), .. });
        self.paged |= entry.actions.iter().any(is_page);
        if self.attempts.len() <= 1 {
            let demands = rollout.approvals().demands;
            let is_met = required(&demands).all(Demand::is_met);
            // What another severity demands after the start was not asked before it, and one that demands
            // nothing revokes nothing.
            if !is_met && rollout.started_at().is_none() {
                self.approved = None;
            } else if is_met && !demands.is_empty() {
                self.approved = self.approved.or(Some(at));
            }
        }
        self.note_stage(rollout, entry);
        match rollout.moment(Moment::Resolved).filter(|_| self.end.is_none()) {
            None => self.until_resolved = None,
            Some(at) => _ = self.until_resolved.get_or_insert_with(|| (at, self.counted.clone())),
        }
        self.share = rollout.share().as_fraction();
        self.counted.follow(rollout, at);
    }

    fn begin(&mut self, rollout: &Rollout, at: Timestamp) {
        // Nothing is attempted before there is a release.
        let Some(release) = rollout.plan().release() else { return };
        // Nor reviewed.
        if self.attempts.is_empty() {
            self.reviewed = None;
        }
        if let Some(before) = self.attempts.last_mut() {
            before.replaced = Some(at);
        } else {
            let resolved = self.until_resolved.as_mut().map(|(_, counted)| counted);
            let tallies = std::iter::once(&mut self.counted).chain(resolved);
            tallies.for_each(|tally| tally.name_live(&release.previous));
        }
        self.attempts.push(Attempt {
            begun: at,
            planned: release.change_record.as_ref().and_then(|record| record.created),
            ..Attempt::default()
        });
    }

    fn take(&mut self, rollout: &Rollout, at: Timestamp, command: &Command, to: Option<&Stage>) {
        self.acknowledged = self.acknowledged.or(rollout.first_answer());
        match command {
            Command::Acknowledge { .. } => _ = self.acknowledged.get_or_insert(at),
            Command::CheckItem { status: ItemStatus::Done, .. }
                if command.items().any(|item| is_review(rollout.plan().policy(), item)) =>
            {
                self.reviewed.get_or_insert(at);
            }
            Command::Confirm { .. } if self.gives_traffic(rollout, to) => {
                if let Some(attempt) = self.attempts.last_mut() {
                    attempt.live.get_or_insert(at);
                }
            }
            Command::Observe { metrics } if self.end.is_none_or(|end| at <= end) => {
                self.counted.add(rollout, at, metrics);
                if self.until_resolved.is_none() {
                    self.read_at = Some(at);
                }
            }
            _ => {}
        }
    }

    /// Whether a confirmed action gave traffic to the version of this attempt: the share rose, or a
    /// phase begins with the traffic that a freeze left to the previous attempt.
    fn gives_traffic(&self, rollout: &Rollout, to: Option<&Stage>) -> bool {
        let begins = matches!(
            to,
            Some(Stage::Monitoring(_) | Stage::Paused { from: Resume::Monitoring(_), .. })
        );
        let share = rollout.share().as_fraction();
        share > self.share || (begins && share > 0.0)
    }

    fn note_stage(&mut self, rollout: &Rollout, entry: &Entry<'_>) {
        let Some(attempt) = self.attempts.last_mut() else { return };
        if attempt.deployed.is_none() {
            let deployed = rollout.moment(Moment::Deployed);
            attempt.deployed = deployed.filter(|at| *at >= attempt.begun);
        }
        let Some(to) = entry.to else { return };
        if matches!(to, Stage::Complete { .. } | Stage::Closed) {
            attempt.good.get_or_insert(entry.at);
        }
        let turned = if rollout.former_version().is_some() {
            self.attempts.iter_mut().rev().find(|attempt| attempt.live.is_some())
        } else {
            self.attempts.last_mut()
        };
        // Its traffic is withdrawn: it was superseded.
        if matches!(to, Stage::Preparing) && rollout.former_version().is_some() {
            self.turned_back.get_or_insert((entry.at, rollout.share() > Share::NONE));
        }
        if !to.has_turned_back() {
            return;
        }
        let mut was_live = false;
        if let Some(attempt) = turned.filter(|of| of.failed.is_none()) {
            attempt.failed = Some(entry.at);
            was_live = attempt.live.is_some();
        }
        if was_live || rollout.reach().is_any() {
            self.turned_back.get_or_insert((entry.at, was_live));
        }
    }
}

/// The approvals that end the time to approve: those that the start waits for; where it waits for none,
/// those that may follow it; where nobody has to give any, all.
fn required(demands: &[Demand]) -> impl Iterator<Item = &Demand> {
    let holds = demands.iter().any(|demand| demand.holds_start);
    let may_follow = demands.iter().any(|demand| demand.after_the_fact.is_some());
    demands.iter().filter(move |demand| {
        if holds { demand.holds_start } else { demand.after_the_fact.is_some() || !may_follow }
    })
}
