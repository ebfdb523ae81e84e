//! The course of an incident: what a log tells that the rollout at its end no longer knows.

use std::collections::BTreeMap;

use crate::fact::{Fact, FactId, FactValue, Facts};
use crate::grade::{ChecklistMoment, Moment};
use crate::rollout::{Command, Entry, ItemStatus, LogError, Recorded, Rollout, Stage};
use crate::unit::{MetricName, Name, Span, Timestamp};

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

/// A stretch in which the service was said to be down.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Down {
    from: Timestamp,
    /// From the beginning of the incident, whenever that turns out to have been.
    from_the_beginning: bool,
    until: Option<Timestamp>,
}

/// Bad requests of one version by one metric, as a number of them.
type HurtBy = BTreeMap<(String, MetricName), f64>;

/// What is known of bad requests.
#[derive(Clone, Debug, Default)]
struct HurtSoFar {
    /// Of the windows that are over.
    before: HurtBy,
    /// Since when the present window is filled, and what it has.
    window: Option<Timestamp>,
    now: HurtBy,
}

/// A log, folded.
#[derive(Clone, Debug)]
pub(crate) struct Course {
    /// The rollout at the end of the log.
    pub(crate) rollout: Rollout,
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
    down: Vec<Down>,
    hurt: HurtSoFar,
}

/// What is folded while the rollout is only borrowed.
#[derive(Default)]
struct Folded {
    opened: Timestamp,
    last: Timestamp,
    attempts: Vec<Attempt>,
    acknowledged: Option<Timestamp>,
    reviewed: Option<Timestamp>,
    approved: Option<Timestamp>,
    turned_back: Option<Timestamp>,
    down: Vec<Down>,
    hurt: HurtSoFar,
    share: f64,
}

impl Course {
    /// Reads a whole log.
    pub(crate) fn read(log: &[u8]) -> Result<Self, LogError> {
        let mut folded = Folded::default();
        let rollout = Rollout::replay_each(log, |rollout, entry| folded.fold(rollout, entry))?;
        let Folded { opened, last, attempts, acknowledged, reviewed, .. } = folded;
        let Folded { approved, turned_back, down, hurt, .. } = folded;
        Ok(Self {
            rollout,
            opened,
            last,
            attempts,
            acknowledged,
            reviewed,
            approved,
            turned_back,
            down,
            hurt,
        })
    }

    /// When the incident began for whoever measures: as said, else when it was detected, else declared.
    pub(crate) fn beginning(&self) -> Option<(Moment, Timestamp)> {
        self.first_of(&[Moment::Began, Moment::Detected, Moment::Declared])
    }

    /// The first of these moments that came.
    pub(crate) fn first_of(&self, moments: &[Moment]) -> Option<(Moment, Timestamp)> {
        moments.iter().find_map(|moment| Some((*moment, self.rollout.moment(*moment)?)))
    }

    /// Whether the incident was closed, so that nothing more will be said.
    pub(crate) fn is_over(&self) -> bool {
        self.rollout.moment(Moment::Closed).is_some()
    }

    /// How long the service was said to be down and from when to when; none where nobody said whether it was. The end is
    /// open while it is down.
    pub(crate) fn downtime(&self) -> Option<(Span, Option<Timestamp>, Option<Timestamp>)> {
        service_down(self.rollout.facts()).or_else(|| self.down.first().map(|_| false))?;
        let resolved = self.rollout.moment(Moment::Resolved);
        let mut whole = Span::ZERO;
        let (mut first, mut until) = (None, Some(self.opened));
        for down in &self.down {
            let beginning = self.beginning().map(|(_, at)| at);
            let from = beginning.filter(|_| down.from_the_beginning).unwrap_or(down.from);
            let end = down.until.or(resolved.map(|resolved| resolved.max(from)));
            whole = whole + end.unwrap_or(self.last).since(from);
            first = first.or(Some(from));
            until = end;
        }
        Some((whole, first, until))
    }

    /// How many requests each version hurt while it was watched: at least, and by which metric. By version.
    pub(crate) fn hurt(&self) -> Vec<(String, f64, MetricName)> {
        let mut sums = self.hurt.before.clone();
        for (key, count) in &self.hurt.now {
            *sums.entry(key.clone()).or_default() += count;
        }
        let mut worst: Vec<(String, f64, MetricName)> = Vec::new();
        for ((version, metric), count) in sums {
            match worst.iter_mut().find(|(known, ..)| *known == version) {
                Some((_, most, _)) if count <= *most => {}
                Some(known) => (known.1, known.2) = (count, metric),
                None => worst.push((version, count, metric)),
            }
        }
        worst
    }
}

fn service_down(facts: &Facts) -> Option<bool> {
    match facts.get(FactId::BuiltIn(Fact::ServiceDown)) {
        Some(FactValue::Flag(down)) => Some(*down),
        _ => None,
    }
}

impl Folded {
    fn fold(&mut self, rollout: &Rollout, entry: &Entry<'_>) {
        let at = entry.at;
        self.last = at;
        let begin = match entry.recorded {
            Recorded::Opened => {
                self.opened = at;
                true
            }
            Recorded::Taken(input) => {
                self.take(rollout, at, &input.command);
                matches!(input.command, Command::Supersede { .. } | Command::Retry { .. })
            }
            Recorded::Refused { .. } => false,
        };
        if begin {
            self.begin(rollout, at);
        }
        self.note_facts(rollout, at, matches!(entry.recorded, Recorded::Opened));
        self.note_stage(rollout, entry);
        self.note_harm(rollout, entry);
        self.share = rollout.share().as_fraction();
    }

    /// A first or another attempt.
    fn begin(&mut self, rollout: &Rollout, at: Timestamp) {
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

    fn take(&mut self, rollout: &Rollout, at: Timestamp, command: &Command) {
        match command {
            Command::Acknowledge { .. } => _ = self.acknowledged.get_or_insert(at),
            Command::CheckItem { item, status: ItemStatus::Done, .. }
                if is_of_the_review(rollout, *item) =>
            {
                self.reviewed.get_or_insert(at);
            }
            Command::Confirm { .. } if rollout.share().as_fraction() > self.share => {
                if let Some(attempt) = self.attempts.last_mut() {
                    attempt.live.get_or_insert(at);
                }
            }
            _ => {}
        }
    }

    fn note_facts(&mut self, rollout: &Rollout, at: Timestamp, opening: bool) {
        let open = self.down.last_mut().filter(|down| down.until.is_none());
        match (service_down(rollout.facts()), open) {
            (Some(true), None) => {
                // Resolved, and the fact still stands: nobody took it back.
                let over = rollout.moment(Moment::Resolved).is_some();
                if !over {
                    self.down.push(Down { from: at, from_the_beginning: opening, until: None });
                }
            }
            (Some(false), Some(open)) => open.until = Some(at),
            (None | Some(_), _) => {}
        }
        if self.attempts.len() <= 1 {
            self.approved = rollout.moment(Moment::Approved);
        }
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

    /// What the judge says of the window so far, a minute, times the minutes of the window.
    fn note_harm(&mut self, rollout: &Rollout, entry: &Entry<'_>) {
        let begins = match entry.to {
            Some(Stage::Monitoring(step)) => Some(step.since),
            _ => None,
        };
        if let Some(since) = begins.filter(|since| self.hurt.window != Some(*since)) {
            self.hurt.end_window();
            self.hurt.window = Some(since);
        }
        let (true, Some(since), Some(harm)) = (entry.judged, self.hurt.window, rollout.harm())
        else {
            return;
        };
        if harm.at != entry.at {
            return;
        }
        let minutes = harm.at.since(since).as_seconds() / 60.0;
        let release = &rollout.plan().subject().release;
        self.hurt.now.clear();
        for metric in &harm.metrics {
            let versions = [(&release.version, metric.canary), (&release.previous, metric.live)];
            for (version, hurt) in versions {
                if let Some(hurt) = hurt {
                    self.hurt.now.insert((version.clone(), metric.metric), hurt.now * minutes);
                }
            }
        }
    }
}

impl HurtSoFar {
    fn end_window(&mut self) {
        for (key, count) in std::mem::take(&mut self.now) {
            *self.before.entry(key).or_default() += count;
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
