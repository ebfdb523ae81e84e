//! Whether a plan keeps what it is to keep: the policy's objective, its estimate, the severity's deadline (PLAN-3, SEV-6).

use serde::Serialize;

use crate::fact::Truth;
use crate::grade::{DutyKind, Moment, closed_set};
use crate::policy::section::{Due, TimeRange};
use crate::text::{quoted, time, times, words};
use crate::unit::{Name, Span, Timestamp};

use super::Plan;
use super::duration::{Times, phases_until, rollout, steps_until};

closed_set! {
    /// Whether a time that is allowed is kept.
    Kept {
        /// Even the most that it takes fits, as far as times are known.
        Kept = "kept",
        /// The least fits, the most does not.
        MayBeMissed = "may_be_missed",
        /// Not even the least fits.
        Missed = "missed",
    }
}

/// What a plan is to keep, and whether it does (PLAN-3, SEV-6).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Objectives {
    /// The policy's own objective.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slo: Option<Objective>,
    /// How long the policy expects the whole to take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
    /// By when the fix is to be live, for the plan's severity; of every severity where it has none.
    pub deadlines: Vec<Objective>,
}

/// A time that is allowed, and what the plan needs of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Objective {
    /// The duty that sets it; none: the policy's record does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duty: Option<Name>,
    /// What people call it.
    pub name: String,
    /// The time allowed: seconds, or the day that a calendar gives.
    pub within: Due,
    /// Where the clock starts.
    pub from: Moment,
    /// Where it stops.
    pub to: Moment,
    /// What the plan needs from there to there; none where nothing tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs: Option<Times>,
    /// Whether it is kept; none where nothing tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Kept>,
    /// The verdict in a sentence.
    pub sentence: String,
    /// When the time is up. The clock is taken to start at the detection, or where that is not known when it began: a
    /// declaration comes later. None where neither is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// The latest start of the rollout that still keeps it, however long its phases take; what people do after them comes on
    /// top. None where nothing tells, or where the time is up before any start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_start: Option<Timestamp>,
}

/// How long the policy expects the whole to take, and what its steps take.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// What it expects.
    #[serde(flatten)]
    pub range: TimeRange,
    /// What the steps of the procedure take, or without their times the rollout.
    pub needs: Times,
    /// Whether the steps keep it; none where it has no most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Kept>,
}

impl Kept {
    /// Whether a time fits into what is allowed; as long as that is still in time.
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

/// Whether all that people do before the deployment comes after this moment.
pub(crate) const fn is_early(moment: Moment) -> bool {
    matches!(moment, Moment::Began | Moment::Detected | Moment::Declared)
}

/// Whether the deployment as a whole comes after this moment.
pub(crate) const fn is_before_deployment(moment: Moment) -> bool {
    is_early(moment)
        || matches!(moment, Moment::Approved | Moment::FixStarted | Moment::DeployStarted)
}

impl Plan {
    /// The policy's objective, its estimate, and by when the fix is to be live: what this plan needs of each, and whether it
    /// keeps it.
    ///
    /// S3's steps take 18 to 35 minutes; it allows 30 and expects 10 to 20.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::{Kept, Plan}, policy::Policy};
    ///
    /// let policy = Arc::new(Policy::preset("fast-track")?);
    /// let plan = Plan::from_json(policy, r#"{"id": "INC-1"}"#, r#"{"version": "2", "previous": "1"}"#, "")?;
    /// let slo = plan.slo().slo.ok_or("S3 has one")?;
    /// assert_eq!(slo.verdict, Some(Kept::MayBeMissed));
    /// assert_eq!(slo.sentence, "needs 18min to 35min of the 30min allowed: kept only where it goes quickly");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Shows PLAN-3 and SEV-6.
    pub fn slo(&self) -> Objectives {
        let record = self.policy().record();
        let slo = record.and_then(|record| record.slo.as_ref());
        let slo = slo.map(|slo| {
            self.objective(None, slo.name.clone(), Due::Within(slo.within), slo.from, slo.to)
        });
        let estimate = record.and_then(|record| record.estimate).map(|range| {
            let needs = self.whole_procedure().unwrap_or_else(|| rollout(self.policy()));
            Estimate { range, verdict: range.most.map(|most| Kept::of(&needs, most)), needs }
        });
        let concerns = |duty: &&crate::policy::section::Duty| {
            // A fix that is due after the deployment is another one: the lasting one.
            duty.kind == DutyKind::Fix
                && duty.from < Moment::Deployed
                && !(duty.stop_gap && self.subject().release.stop_gap == Some(false))
                && self.severity().is_none_or(|severity| duty.is_for(severity))
                && duty.when.as_ref().is_none_or(|when| when.holds(self.facts()) != Truth::No)
        };
        let deadlines = self.policy().duties().iter().filter(concerns).map(|duty| {
            let title = duty.title.clone();
            self.objective(Some(duty.id), title, duty.within, duty.from, Moment::Deployed)
        });
        Objectives { slo, estimate, deadlines: deadlines.collect() }
    }

    fn objective(
        &self,
        duty: Option<Name>,
        name: String,
        within: Due,
        from: Moment,
        to: Moment,
    ) -> Objective {
        let needs = self.between(from, to);
        let allowed = within.within();
        let verdict = needs.as_ref().zip(allowed).map(|(needs, allowed)| Kept::of(needs, allowed));
        let sentence = match (&needs, allowed, verdict) {
            (Some(needs), Some(allowed), Some(verdict)) => sentence(needs, allowed, verdict),
            (_, None, _) => format!("due by the {}", words(&within.to_string())),
            _ => "nothing tells how long it takes".to_owned(),
        };
        let due = self.clock_starts(from).zip(allowed).map(|(starts, allowed)| starts + allowed);
        let latest_start = due.zip(phases_until(self.policy(), to)).and_then(|(due, phases)| {
            let latest = due - phases.most;
            self.clock_starts(from).filter(|starts| latest >= *starts).map(|_| latest)
        });
        Objective { duty, name, within, from, to, needs, verdict, sentence, due, latest_start }
    }

    /// When a clock that starts at this moment starts, as far as the incident tells.
    fn clock_starts(&self, from: Moment) -> Option<Timestamp> {
        let incident = &self.subject().incident;
        match from {
            Moment::Began => incident.began_at,
            Moment::Detected | Moment::Declared => incident.detected_at.or(incident.began_at),
            _ => None,
        }
    }

    /// What the plan needs from one moment to another. Where people prepare the fix in between, their steps count; where the
    /// phases alone take longer than all the steps together can, the phases do.
    fn between(&self, from: Moment, to: Moment) -> Option<Times> {
        let policy = self.policy();
        let phases = phases_until(policy, to).filter(|_| is_before_deployment(from));
        let steps = steps_until(policy, to, self.level(), self.whole_procedure())
            .filter(|_| is_early(from));
        match (steps, phases) {
            (Some(steps), Some(phases)) if phases.least > steps.most => Some(phases),
            (Some(steps), _) => Some(steps),
            (None, phases) => phases,
        }
    }
}

fn sentence(needs: &Times, allowed: Span, verdict: Kept) -> String {
    let takes = times(needs.least, needs.most);
    let left = Span::from_millis(allowed.as_millis().saturating_sub(needs.most.as_millis()));
    let allowed = time(allowed);
    let steps = quoted(&needs.untimed, ", ");
    match (verdict, needs.untimed.is_empty()) {
        (Kept::Kept, true) => format!("needs {takes} of the {allowed} allowed: kept"),
        (Kept::Kept, false) => {
            let left = time(left);
            format!(
                "needs {takes} of the {allowed} allowed: kept where {left} do for {steps}, which have no time"
            )
        }
        (Kept::MayBeMissed, true) => {
            format!("needs {takes} of the {allowed} allowed: kept only where it goes quickly")
        }
        (Kept::MayBeMissed, false) => {
            format!(
                "needs {takes} of the {allowed} allowed, and what {steps} take, which have no time: kept only where it goes quickly"
            )
        }
        (Kept::Missed, _) => format!("needs {takes}, more than the {allowed} allowed: missed"),
    }
}
