//! The course of an incident: what a log tells that the rollout at its end no longer knows.

use crate::grade::{ChecklistMoment, Moment};
use crate::report::hurt::Tally;
use crate::rollout::{Command, Entry, ItemStatus, LogError, Recorded, Resume, Rollout, Stage};
use crate::unit::{Name, Timestamp};

/// One attempt: from the plan, a `supersede` or a `retry` to the next one or the end.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Attempt {
    /// The version that is tried.
    pub(crate) version: String,
    /// When it took the place of the one before; of the first, when the case was opened.
    pub(crate) begun: Timestamp,
    /// When its plan was made, where the release says so.
    pub(crate) planned: Option<Timestamp>,
    /// When its version first had traffic.
    pub(crate) live: Option<Timestamp>,
    /// When all traffic had it that the plan gives it.
    pub(crate) deployed: Option<Timestamp>,
    /// When it was complete.
    pub(crate) good: Option<Timestamp>,
    /// When it turned back, froze, failed or was aborted, the last time.
    pub(crate) failed: Option<Timestamp>,
    /// When another one took its place.
    pub(crate) replaced: Option<Timestamp>,
}

/// A log, folded line by line: what the rollout at its end no longer knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Course {
    /// When the case was opened.
    pub(crate) opened: Timestamp,
    /// The time of the last line.
    pub(crate) last: Timestamp,
    pub(crate) attempts: Vec<Attempt>,
    /// The first `acknowledge`.
    pub(crate) acknowledged: Option<Timestamp>,
    /// When an item of the review was first done.
    pub(crate) reviewed: Option<Timestamp>,
    /// When the first attempt was approved, as long as that stood when it ended.
    pub(crate) approved: Option<Timestamp>,
    /// When a rollout first turned back, froze or was aborted with traffic on it.
    pub(crate) turned_back: Option<Timestamp>,
    /// Requests that were counted as bad.
    pub(crate) hurt: Tally,
    /// The new version's traffic as the last line left it.
    share: f64,
}

/// A rollout at the end of its log, and the course that led there.
#[derive(Clone, Copy)]
pub(crate) struct Incident<'a> {
    pub(crate) rollout: &'a Rollout,
    pub(crate) course: &'a Course,
}

impl Incident<'_> {
    /// The first of these moments that came.
    pub(crate) fn first_of(&self, moments: &[Moment]) -> Option<(Moment, Timestamp)> {
        moments.iter().find_map(|moment| Some((*moment, self.rollout.moment(*moment)?)))
    }

    /// Whether the incident was closed, so that nothing more will be said.
    pub(crate) fn is_over(&self) -> bool {
        self.rollout.moment(Moment::Closed).is_some()
    }
}

impl Course {
    /// Reads a whole log: the rollout at its end, and the course.
    pub(crate) fn read(log: &[u8]) -> Result<(Rollout, Self), LogError> {
        let mut course = Self::default();
        let rollout = Rollout::replay_each(log, |rollout, entry| course.fold(rollout, entry))?;
        Ok((rollout, course))
    }

    /// Takes one line in, with the rollout as it left it.
    pub(crate) fn fold(&mut self, rollout: &Rollout, entry: &Entry<'_>) {
        let at = entry.at;
        self.last = at;
        let begin = match entry.recorded {
            Recorded::Opened => {
                self.opened = at;
                true
            }
            Recorded::Taken(input) => {
                self.take(rollout, at, &input.command, entry.to);
                matches!(input.command, Command::Supersede { .. } | Command::Retry { .. })
            }
            Recorded::Refused { .. } => false,
        };
        if begin {
            self.begin(rollout, at);
        }
        if self.attempts.len() <= 1 {
            self.approved = rollout.moment(Moment::Approved);
        }
        self.note_stage(rollout, entry);
        self.share = rollout.share().as_fraction();
    }

    /// A first or another attempt.
    fn begin(&mut self, rollout: &Rollout, at: Timestamp) {
        self.hurt.begin_anew();
        if let Some(before) = self.attempts.last_mut() {
            before.replaced = Some(at);
        }
        let release = &rollout.plan().subject().release;
        self.attempts.push(Attempt {
            version: release.version.clone(),
            begun: at,
            planned: release.record.as_ref().and_then(|record| record.created),
            live: None,
            deployed: None,
            good: None,
            failed: None,
            replaced: None,
        });
    }

    fn take(&mut self, rollout: &Rollout, at: Timestamp, command: &Command, to: Option<&Stage>) {
        match command {
            Command::Acknowledge { .. } => _ = self.acknowledged.get_or_insert(at),
            Command::CheckItem { item, status: ItemStatus::Done, .. }
                if is_of_the_review(rollout, *item) =>
            {
                self.reviewed.get_or_insert(at);
            }
            Command::Confirm { .. } if self.gives_traffic(rollout, to) => {
                if let Some(attempt) = self.attempts.last_mut() {
                    attempt.live.get_or_insert(at);
                }
            }
            // What was read after it was over is of another time; the reading that ended it counts.
            Command::Observe { metrics } if !rollout.state().is_final() || to.is_some() => {
                self.hurt.add(rollout, at, metrics);
            }
            _ => {}
        }
    }

    /// Whether what was confirmed gave the version of this attempt traffic: the share rose, or a phase begins with what a
    /// freeze left to the attempt before.
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
        if to.has_turned_back() && attempt.failed.is_none() {
            attempt.failed = Some(entry.at);
            if attempt.live.is_some() {
                self.turned_back.get_or_insert(entry.at);
            }
        }
    }
}

/// Whether an item is one by which the change is reviewed before it goes out: its id has the word, or its list's.
fn is_of_the_review(rollout: &Rollout, item: Name) -> bool {
    let says = |name: &Name| {
        name.as_str().split(['_', '-']).any(|word| matches!(word, "review" | "reviewed"))
    };
    let policy = rollout.plan().policy();
    let early =
        |at: ChecklistMoment| matches!(at, ChecklistMoment::Start | ChecklistMoment::Before);
    let lists = policy.checklists().iter().filter(|list| early(list.at));
    let mut items = lists.flat_map(|list| list.items.iter().map(move |item| (list, item)));
    items.any(|(list, known)| known.id == item && (says(&item) || says(&list.id)))
}
