//! The plan's times against the policy's objective, its estimate and the severity's deadlines.

use serde::Serialize;

use crate::grade::{Moment, closed_set};
use crate::policy::section::{Due, Slo, TimeRange};
use crate::text::{joined, moment, quoted, time, times, words};
use crate::unit::{Name, Span, Timestamp};

use super::duration::{Times, phases_until, rollout};
use super::{Plan, Window};

closed_set! {
    /// Whether the plan meets a time limit.
    Kept {
        /// Even the longest time fits, as far as times are known.
        Kept = "kept",
        /// The shortest time fits, the longest does not.
        MayBeMissed = "may_be_missed",
        /// Not even the shortest time fits.
        Missed = "missed",
    }
}

/// The time limits of a plan, and whether it meets them.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Objectives {
    /// The policy's own objective.
    pub slo: Option<Objective>,
    /// How long the policy expects the whole procedure to take.
    pub estimate: Option<Estimate>,
    /// When the fix has to be live: the deadlines of the plan's severity, or of every severity if
    /// the plan has none.
    pub deadlines: Vec<Objective>,
}

/// A time limit, and how much of it the plan needs.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Objective {
    /// The duty that sets it. None if the policy's change record sets it.
    pub duty: Option<Name>,
    /// Its title for people.
    pub name: String,
    /// The time allowed: seconds, or the day that a calendar gives.
    pub within: Due,
    /// Where the clock starts.
    pub from: Moment,
    /// Where it stops.
    pub to: Moment,
    /// The time that the plan needs between the two moments. None if it is unknown.
    pub needs: Option<Times>,
    /// Whether the limit is met. None if that is unknown.
    pub verdict: Option<Kept>,
    /// The verdict in a sentence.
    pub sentence: String,
    /// When the time is over. A clock from `declared` is taken to start at the detection, since a plan
    /// has no first input: the time is then over at the earliest. None if the detection is unknown.
    pub due: Option<Timestamp>,
    /// The latest start of the rollout that meets the limit even if its phases take their longest
    /// time. The work of people after the phases is not included. None if it is unknown or before the detection.
    pub latest_start: Option<Timestamp>,
}

/// How long the policy expects the whole procedure to take, and how long it takes by this plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The time that the policy expects.
    #[serde(flatten)]
    pub range: TimeRange,
    /// The time of the whole procedure, or of the rollout if its steps have no times.
    pub needs: Times,
    /// Whether it stays within the estimate. None if the estimate has no upper limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Kept>,
}

impl Kept {
    /// The predicate of a sentence about the limit.
    const fn words(self) -> &'static str {
        match self {
            Self::Kept => "is met",
            Self::MayBeMissed => "may be missed",
            Self::Missed => "is missed",
        }
    }

    /// Compares a time with a limit. A time equal to the limit meets it.
    fn of(needs: &Times, allowed: Span) -> Self {
        if needs.most <= allowed {
            Self::Kept
        } else if needs.least <= allowed {
            Self::MayBeMissed
        } else {
            Self::Missed
        }
    }
}

impl Plan {
    /// The policy's objective, its estimate and the deadlines for the fix: the time that this plan
    /// needs for each, and whether it meets them.
    ///
    /// Before the deployment `fast-track` takes 8 to 15 minutes, and its rollout 20 to 25; it allows 30.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::{Kept, Plan}, policy::Policy};
    ///
    /// let policy = Arc::new(Policy::preset("fast-track")?);
    /// let plan = Plan::from_json(policy, r#"{"id": "INC-1"}"#, r#"{"version": "2", "previous": "1"}"#, "")?;
    /// let slo = plan.slo().slo.ok_or("fast-track has one")?;
    /// assert_eq!(slo.verdict, Some(Kept::MayBeMissed));
    /// assert_eq!(
    ///     slo.sentence,
    ///     "Planned: 28min to 40min of the 30min allowed. The limit may be missed."
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn slo(&self) -> Objectives {
        let record = self.policy().change_record();
        let slo = self.own_slo().map(|slo| {
            self.objective(None, slo.name.clone(), Due::Within(slo.within), slo.from, slo.to)
        });
        let estimate = record.and_then(|record| record.estimate).map(|range| {
            let needs = self.schedule().whole().unwrap_or_else(|| rollout(self.load()));
            Estimate { range, verdict: range.most.map(|most| Kept::of(&needs, most)), needs }
        });
        let concerns =
            |duty: &&crate::policy::section::Duty| duty.sets_deadline() && self.may_be_due(duty);
        let deadlines = self.policy().duties().iter().filter(concerns).map(|duty| {
            let title = duty.title.clone();
            self.objective(Some(duty.id), title, duty.within, duty.from, Moment::Deployed)
        });
        Objectives { slo, estimate, deadlines: deadlines.collect() }
    }

    /// The policy's objective, if it applies to this hot-fix.
    fn own_slo(&self) -> Option<&Slo> {
        let slo = self.policy().change_record()?.slo.as_ref()?;
        slo.is_for(self.severity()).then_some(slo)
    }

    fn objective(
        &self,
        duty: Option<Name>,
        name: String,
        within: Due,
        from: Moment,
        to: Moment,
    ) -> Objective {
        let undetected = self.subject().undetected(self.facts());
        let needs = self.schedule().between(from, to, undetected);
        let allowed = within.within();
        let verdict = needs.as_ref().zip(allowed).map(|(needs, allowed)| Kept::of(needs, allowed));
        let sentence = match (&needs, allowed, verdict) {
            (Some(needs), Some(allowed), Some(verdict)) => {
                let known = !from.is_early() || self.schedule().is_known(needs);
                let began = self.began_at().filter(|_| from == Moment::Began);
                let unseen = began.is_some() && self.detected_at().is_none();
                sentence(needs, [known, unseen], allowed, verdict)
            }
            (_, None, _) => format!("Due by the {}.", words(&within.to_string())),
            _ => "The planned time is unknown.".to_owned(),
        };
        let due = self.clock_starts(from).zip(allowed).map(|(starts, allowed)| starts + allowed);
        let phases = phases_until(self.load(), to);
        // The end of a clock from `declared` is not known.
        let ends = due.filter(|_| from != Moment::Declared);
        let in_window = ends.zip(phases.as_ref()).and_then(|(due, phases)| {
            self.kept_in_window(due, phases).filter(|(kept, _)| Some(*kept) > verdict)
        });
        let (verdict, sentence) = match in_window {
            Some((kept, sentence)) => (Some(kept), sentence),
            None => (verdict, sentence),
        };
        let latest_start = due.zip(phases).and_then(|(due, phases)| {
            let latest = due - phases.most;
            let known_since = self.detected_at().or(self.began_at())?;
            (latest >= known_since).then_some(latest)
        });
        Objective { duty, name, within, from, to, needs, verdict, sentence, due, latest_start }
    }

    /// Whether phases that start when the change window opens end by this time, with a sentence.
    fn kept_in_window(&self, due: Timestamp, phases: &Times) -> Option<(Kept, String)> {
        let opens = self.change_window()?.from;
        let kept = Kept::of(phases, due.since(opens));
        let (opens, due) = (moment(opens), moment(due));
        let takes = times(phases.least, phases.most);
        let sentence = format!(
            "The change window opens at {opens}, the rollout then takes {takes}, and the time is \
             over at {due}. The limit {}.",
            kept.words()
        );
        Some((kept, sentence))
    }

    /// A sentence if the rollout may not end in its change window even if it starts as that opens.
    pub(super) fn short_change_window(&self) -> Option<String> {
        let Window { from, until } = self.change_window()?;
        let (needs, allowed) = (rollout(self.load()), until.since(from));
        let kept = Some(Kept::of(&needs, allowed)).filter(|kept| *kept != Kept::Kept)?;
        let (from, until) = (moment(from), moment(until));
        Some(format!(
            "change window, {from} to {until}: {}",
            sentence(&needs, [true, false], allowed, kept)
        ))
    }

    /// Whether a duty or the objective counts from the detection, whose time is not known.
    pub(super) fn lacks_detection(&self) -> bool {
        let counts = |from: Moment| matches!(from, Moment::Began | Moment::Detected);
        let objective = self.own_slo().map(|slo| slo.from);
        let concerns = |duty: &&crate::policy::section::Duty| {
            self.severity().is_none_or(|severity| duty.is_for(severity))
        };
        let mut duties = self.policy().duties().iter().filter(concerns).map(|duty| duty.from);
        self.detected_at().is_none() && (objective.is_some_and(counts) || duties.any(counts))
    }

    /// When a clock from this moment starts, if the incident gives the time.
    fn clock_starts(&self, from: Moment) -> Option<Timestamp> {
        match from {
            Moment::Began => self.began_at().or(self.detected_at()),
            Moment::Detected | Moment::Declared => self.detected_at(),
            _ => None,
        }
    }
}

/// `known`: whether a time before the deployment is known. `unseen`: whether the time until the
/// detection counts but is unknown.
fn sentence(needs: &Times, [known, unseen]: [bool; 2], allowed: Span, verdict: Kept) -> String {
    let takes = times(needs.least, needs.most);
    let left = allowed - needs.most;
    let allowed = time(allowed);
    let planned = format!("Planned: {takes} of the {allowed} allowed");
    let before = || "what comes before the deployment".to_owned();
    let steps = match needs.untimed.as_slice() {
        [] => (!known).then(before),
        untimed => Some(quoted(untimed, ", ")),
    };
    let steps = steps.map(|steps| format!("{steps}, for which the policy gives no time"));
    let detection = unseen.then(|| "the time until the detection, which is not known".to_owned());
    let is_one = needs.untimed.len().max(usize::from(!known)) + usize::from(unseen) <= 1;
    let (take, together) = if is_one { ("takes", "") } else { ("take", " together") };
    let untold = joined(detection.into_iter().chain(steps), ", and ");
    match (verdict, untold.is_empty()) {
        (Kept::Kept | Kept::MayBeMissed, true) => {
            format!("{planned}. The limit {}.", verdict.words())
        }
        (Kept::Kept, false) => {
            let left = time(left);
            format!("{planned}. The limit is met if {untold}, {take} at most {left}{together}.")
        }
        (Kept::MayBeMissed, false) => {
            format!("{planned}, without {untold}. The limit {}.", verdict.words())
        }
        (Kept::Missed, _) => {
            let limit = verdict.words();
            format!("Planned: {takes}, more than the {allowed} allowed. The limit {limit}.")
        }
    }
}
