//! Snapshots: the rollout at one moment, in bytes. A snapshot with the log's lines after it equals
//! a replay of the whole log.
//!
//! The log is authoritative; a snapshot saves the time to read it. See
//! `docs/decisions/snapshots.md`.

mod envelope;
mod error;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::canonical::{Digest, Encoder, read_canonical, read_state};
use crate::deadline::{Agenda, AgendaState};
use crate::judge::{JudgeRead, JudgeState};
use crate::plan::{self, MetricCalibration, Plan, Subject};
use crate::policy::Policy;
use crate::unit::MetricName;

use super::Rollout;
use super::journal::Recording;
use super::log::{Lines, complete};
use super::personal::Salt;
use super::state::{
    Actions, Former, FormerState, Happened, Judged, People, Place, Readiness, RolloutState,
};

pub use envelope::SNAPSHOT_FORMAT;
pub use error::SnapshotError;

use envelope::Envelope;

/// Where in its log a snapshot was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotHead {
    /// How many lines the log had: the tail begins with the line of this `seq`.
    pub seq: u64,
    /// The hash of the last of them, 64 zeros for an empty log.
    pub head: Digest,
}

/// Policy and plan in force; the log's first line has those of the first release in this form.
#[derive(Serialize, Deserialize)]
struct Opening<'a> {
    calibration: Cow<'a, BTreeMap<MetricName, MetricCalibration>>,
    former: Option<Cow<'a, plan::Former>>,
    plan: Cow<'a, Subject>,
    policy: Cow<'a, Policy>,
}

/// The parts of the folded state, each as it is, without what follows from the plan.
#[derive(Serialize, Deserialize)]
struct Content<'a, J> {
    place: Cow<'a, Place>,
    former: Option<FormerState<'a>>,
    actions: Cow<'a, Actions>,
    people: Cow<'a, People>,
    readiness: Cow<'a, Readiness>,
    /// The known facts, in the form of an input.
    facts: Map<String, Value>,
    /// The worst that was known of each fact.
    worst: Map<String, Value>,
    agenda: Cow<'a, AgendaState>,
    judged: Judged<J>,
    happened: Cow<'a, Happened>,
    /// The salt of the log's digests; None where it was redacted.
    salt: Option<Cow<'a, str>>,
}

impl<'a> Content<'a, JudgeState<'a>> {
    fn of(case: &'a RolloutState, salt: Option<&'a str>) -> Self {
        let RolloutState { place, former, actions, people, readiness, agenda, judged, happened } =
            case;
        let (facts, worst) = (readiness.facts().document(), readiness.worst_facts().document());
        Self {
            place: Cow::Borrowed(place),
            former: former.as_ref().map(Former::state),
            actions: Cow::Borrowed(actions),
            people: Cow::Borrowed(people),
            readiness: Cow::Borrowed(readiness),
            facts,
            worst,
            agenda: Cow::Borrowed(agenda.state()),
            judged: judged.state(),
            happened: Cow::Borrowed(happened),
            salt: salt.map(Cow::Borrowed),
        }
    }
}

impl Content<'_, JudgeRead> {
    /// The folded state of this plan, to which `seq` lines have led.
    fn restored(self: Box<Self>, plan: &Plan, seq: u64) -> Result<RolloutState, SnapshotError> {
        let misfit = |what| SnapshotError::Misfit { what };
        let mut case = RolloutState {
            place: self.place.into_owned(),
            former: self.former.map(|former| former.restored(plan)).transpose()?,
            actions: self.actions.into_owned(),
            people: self.people.into_owned(),
            readiness: self.readiness.into_owned(),
            agenda: Agenda::restored(plan.policy(), self.agenda.into_owned())
                .ok_or(misfit("the duties"))?,
            judged: self.judged.restored(plan)?,
            happened: self.happened.into_owned(),
        };
        case.place.resume(plan.policy(), seq).map_err(misfit)?;
        case.actions.resume().map_err(misfit)?;
        let stage = case.place.stage();
        case.readiness.resume(plan, stage, &self.facts, &self.worst).map_err(misfit)?;
        Ok(case)
    }
}

impl Rollout {
    /// The present state in bytes, for [`restore`](Self::restore). The same state gives the same
    /// bytes.
    ///
    /// Make it between two calls, as often as you like. Keep the whole log: another release may
    /// refuse the snapshot. It has names in plain text, and the salt: after a redaction of the log
    /// delete older snapshots and make new ones from a replay.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::Plan, policy::Policy, rollout::{Input, Recording, Rollout}};
    ///
    /// let plan = Plan::from_json(
    ///     Arc::new(Policy::preset("phased-canary")?),
    ///     r#"{"id": "INC-2041", "severity": "P1"}"#,
    ///     r#"{"version": "2.3.1", "previous": "2.3.0"}"#,
    ///     "",
    /// )?;
    /// let mut rollout = Rollout::try_new(plan, Recording::Keep, "pepper")?;
    /// let note = Input::from_json(r#"{"kind": "note", "by": "lena", "text": "on it"}"#)?;
    /// rollout.handle("2026-03-03T14:34:00Z".parse()?, &note)?;
    ///
    /// let snapshot = rollout.snapshot()?;
    /// let begin = rollout.log().len();
    /// rollout.handle("2026-03-03T14:35:00Z".parse()?, &note)?;
    ///
    /// let again = Rollout::restore(&snapshot, rollout.log()[begin..].as_bytes(),
    ///     Recording::Keep)?;
    /// assert_eq!(again.head(), rollout.head());
    /// assert_eq!(again.snapshot()?, rollout.snapshot()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SnapshotError`] where no log is written ([`Recording::Off`]), or where a value cannot be
    /// written, which is not expected.
    pub fn snapshot(&self) -> Result<Vec<u8>, SnapshotError> {
        // The plan in force: another release may have replaced the first.
        let Self { plan, case, journal, changes: _, actions: _ } = self;
        let head = self.head().ok_or(SnapshotError::NoLog)?;
        let opening = Opening {
            calibration: Cow::Borrowed(plan.calibrations()),
            former: plan.former().map(Cow::Borrowed),
            plan: Cow::Borrowed(plan.subject()),
            policy: Cow::Borrowed(plan.policy()),
        };
        let content = Content::of(case, journal.salt.text());
        let (mut text, mut encoder) = (Vec::new(), Encoder::new());
        encoder.encode(&opening, &mut text).map_err(error::unwritten)?;
        text.push(b'\n');
        encoder.encode_state(&content, &mut text).map_err(error::unwritten)?;
        Ok(Envelope { at: SnapshotHead { seq: case.place.seq(), head }, content: &text }.seal())
    }

    /// Where the tail of the log after this snapshot begins.
    ///
    /// # Errors
    /// [`SnapshotError`] where the bytes are not those of a snapshot of this format.
    pub fn snapshot_head(snapshot: &[u8]) -> Result<SnapshotHead, SnapshotError> {
        Ok(Envelope::open(snapshot)?.at)
    }

    /// Restores a snapshot and the log's lines after it, if any: the same as
    /// [`replay`](Self::replay) of the whole log, byte for byte. [`log`](Self::log) has the lines
    /// of the tail, and those to come. See [`snapshot`](Self::snapshot) for an example.
    ///
    /// # Errors
    /// [`SnapshotError`] for the snapshot, or for the tail, whose lines are numbered from 1. The
    /// whole log can be replayed in any case.
    pub fn restore(
        snapshot: &[u8],
        tail: &[u8],
        recording: Recording,
    ) -> Result<Self, SnapshotError> {
        let Envelope { at: SnapshotHead { seq, head }, content } = Envelope::open(snapshot)?;
        // The digest proves nothing about who wrote it: depth is limited, and lists grow as their
        // items are read.
        let content = std::str::from_utf8(content).map_err(error::unreadable)?;
        let (opening, content) = content.split_once('\n').unwrap_or((content, ""));
        let Opening { calibration, former, plan, policy } =
            read_canonical(opening).map_err(error::unreadable)?;
        // Large: in a box, it is on the stack only while it is read.
        let content: Box<Content<'_, JudgeRead>> =
            read_state(content).map_err(error::unreadable)?;
        let plan = Plan::restored(
            Arc::new(policy.into_owned()),
            plan.into_owned(),
            calibration.into_owned(),
        )?
        .after(former.map(Cow::into_owned));
        if seq == 0 {
            return Self::begin(plan, tail, recording, content.salt.as_deref().unwrap_or_default());
        }
        let salt = Salt::new(content.salt.as_deref());
        let mut rollout = Self::try_new(plan, recording, "")?;
        rollout.case = content.restored(&rollout.plan, seq)?;
        rollout.journal.salt = salt.clone();
        let mut lines = Lines::after(complete(tail)?, seq, head, salt);
        for line in &mut lines {
            rollout.replay_line(&mut line?.trusted()?)?;
        }
        rollout.journal.resume(lines.head, tail);
        Ok(rollout)
    }

    /// A snapshot from before the first line: the tail is the whole log.
    fn begin(
        plan: Plan,
        log: &[u8],
        recording: Recording,
        salt: &str,
    ) -> Result<Self, SnapshotError> {
        if log.is_empty() {
            return Ok(Self::try_new(plan, recording, salt)?);
        }
        let first = Lines::new(log).next().transpose()?;
        let opened = first.map(|first| Self::reopen(&first.trusted()?, Recording::Off));
        if opened.transpose()?.is_some_and(|opened| opened.plan.digest() != plan.digest()) {
            return Err(SnapshotError::Misfit { what: "the plan of the log" });
        }
        Ok(Self::replay(log, recording)?)
    }
}
