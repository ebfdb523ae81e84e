//! What happens is told to the agenda of duties, and what it asks for becomes actions (TIME-1 to TIME-4).

use crate::deadline::{Announcement, Duties, Input as Told, Replan, Who};
use crate::fact::Truth;
use crate::gate::approval::Demand;
use crate::grade::{Audience, DutyKind, MessageKind, Moment, Severity};
use crate::plan::Plan;
use crate::policy::Policy;
use crate::policy::section::Due;
use crate::unit::{Name, RoleName, Span, Timestamp};

use super::Rollout;
use super::action::Act;
use super::case::Case;
use super::input::{Command, TimeMeaning};
use super::state::{Resume, Stage};

impl Rollout {
    /// What is due, overdue, next and done at a time: of what is known now, read at that time (TIME-3).
    ///
    /// The time may be any; one before the last input is read as that. Times of the incident that the plan's documents
    /// have count from the first logged input on, which opens the case; before it nothing is asked for.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::Plan, policy::Policy, rollout::{Input, Recording, Rollout}};
    ///
    /// let plan = Plan::from_json(
    ///     Arc::new(Policy::preset("enterprise")?),
    ///     r#"{"id": "INC-2041", "severity": "P0", "detected_at": "2026-03-03T14:06:00Z"}"#,
    ///     r#"{"version": "2.3.1", "previous": "2.3.0"}"#,
    ///     "",
    /// )?;
    /// let mut rollout = Rollout::try_new(plan, Recording::Keep, "")?;
    /// let note = Input::from_json(r#"{"kind": "note", "by": "lena", "text": "payments fail"}"#)?;
    /// let outcome = rollout.handle("2026-03-03T14:08:00Z".parse()?, &note)?;
    /// let paged = outcome.actions.iter().filter_map(|action| action.act.duty());
    /// assert!(paged.into_iter().any(|duty| duty.as_str() == "p0_on_call"));
    /// let acknowledge = Input::from_json(r#"{"kind": "acknowledge", "by": "omar", "duty": "p0_on_call"}"#)?;
    /// rollout.handle("2026-03-03T14:10:00Z".parse()?, &acknowledge)?;
    /// let duties = rollout.duties("2026-03-03T14:20:00Z".parse()?);
    /// assert_eq!(duties.due[0].id.as_str(), "p0_update");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn duties(&self, at: Timestamp) -> Duties<'_> {
        self.case.agenda.duties(self.plan.policy(), self.not_before_last(at))
    }

    fn not_before_last(&self, at: Timestamp) -> Timestamp {
        self.case.at.map_or(at, |last| last.max(at))
    }

    /// How many duties were missed by a time: see [`Agenda::missed`](crate::deadline::Agenda).
    pub(crate) fn missed_duties(&self, at: Timestamp) -> u64 {
        self.case.agenda.missed(self.not_before_last(at))
    }

    /// How many occurrences of a duty would be settled late by an answer at this time.
    pub(crate) fn passed_occurrences(&self, duty: Name, at: Timestamp) -> u64 {
        self.case.agenda.passed(duty, self.not_before_last(at))
    }

    /// When a moment of the incident came, from which duties are counted; None while it did not, or nobody said when.
    pub fn moment(&self, moment: Moment) -> Option<Timestamp> {
        self.case.agenda.came(moment)
    }

    /// When the incident began, for whoever measures: as somebody said, else when it was detected, else declared.
    pub fn beginning(&self) -> Option<(Moment, Timestamp)> {
        let moments = [Moment::Began, Moment::Detected, Moment::Declared];
        moments.into_iter().find_map(|moment| Some((moment, self.moment(moment)?)))
    }

    /// Tells the agenda what this input and the stage that it leads to mean for duties, and takes what became due.
    pub(super) fn follow_duties(&mut self, at: Timestamp, command: &Command) {
        let to = self.changes.to.as_ref();
        self.case.tell_agenda(&self.plan, at, command, to, &mut self.changes.replans);
        let policy = self.plan.policy();
        let announced = self.case.agenda.advance(at).iter();
        self.changes.acts.extend(announced.filter_map(|announced| asked_for(policy, announced)));
    }
}

/// What is done about something that became due. What people have to do by themselves stands in the list of duties and asks
/// for no action; where its time passes a ladder wakes somebody. A notice that nobody said was sent is asked for once more
/// when it is late; one that is due at once is late at once, and asked for once.
fn asked_for(policy: &Policy, announced: &Announcement) -> Option<Act> {
    let declared = policy.duties().get(announced.index);
    let has_time = declared.is_some_and(|duty| duty.within != Due::Within(Span::ZERO));
    let is_notice = matches!(announced.kind, DutyKind::Tell | DutyKind::Update);
    let is_asked_again = is_notice && has_time;
    if !(announced.first || is_asked_again) {
        return None;
    }
    let duty = Some(announced.id);
    let title = declared.map_or_else(|| announced.id.to_string(), |duty| duty.title.clone());
    Some(match announced.kind {
        DutyKind::Page | DutyKind::Escalate => {
            let role = announced.role.or_else(|| RoleName::try_new("incident_commander").ok())?;
            let role = Who::of(policy, role).stand_in.unwrap_or(role);
            Act::Page { role, why: title, duty }
        }
        DutyKind::Tell | DutyKind::Update => {
            let message = match (announced.kind, declared.map(|duty| duty.from)) {
                (DutyKind::Tell, Some(Moment::Began | Moment::Detected | Moment::Declared)) => {
                    MessageKind::Alert
                }
                (DutyKind::Tell, Some(Moment::DeployStarted)) => MessageKind::DeploymentStarted,
                (DutyKind::Tell, Some(Moment::Deployed)) => MessageKind::Deployed,
                (DutyKind::Tell, Some(Moment::RolledBack)) => MessageKind::RolledBack,
                (DutyKind::Tell, Some(Moment::Verified | Moment::Resolved | Moment::Closed)) => {
                    MessageKind::Resolved
                }
                _ => MessageKind::Update,
            };
            match announced.audience.unwrap_or(Audience::Responders) {
                Audience::Public => Act::UpdateStatusPage { message, duty },
                audience => Act::Notify { audience, message, duty },
            }
        }
        DutyKind::Meet => Act::Schedule { duty: announced.id, title, by: announced.due },
        DutyKind::Act
        | DutyKind::Fix
        | DutyKind::Approve
        | DutyKind::Review
        | DutyKind::Write
        | DutyKind::Watch
        | DutyKind::FollowUp => return None,
    })
}

impl Case {
    /// What is known when the case is opened.
    pub(super) fn open_agenda(&mut self, plan: &Plan, at: Timestamp) {
        let policy = plan.policy();
        let incident = &plan.subject().incident;
        let severity = self.readiness.severity;
        let facts = self.readiness.facts.clone();
        let stop_gap = plan.subject().release.stop_gap.map_or(Truth::Unknown, Truth::from);
        let mut tell = |told| drop(self.agenda.take(policy, at, told));
        tell(Told::Severity(severity));
        tell(Told::Facts(&facts));
        tell(Told::StopGap(stop_gap));
        let moments = [
            (Moment::Began, incident.began_at),
            (Moment::Detected, incident.detected_at),
            (Moment::Declared, Some(at)),
        ];
        for (moment, came) in moments {
            if let Some(came) = came {
                tell(Told::Moment { moment, at: came });
            }
        }
    }

    /// Tells the agenda what an input and the stage that it leads to mean. Called by a replay as well, so it rests on the log
    /// alone; `replans` gets what a change of what is known did to the duties.
    pub(super) fn tell_agenda(
        &mut self,
        plan: &Plan,
        at: Timestamp,
        command: &Command,
        to: Option<&Stage>,
        replans: &mut Vec<Replan>,
    ) {
        if to.is_none() && matches!(command, Command::Observe { .. } | Command::Tick) {
            return;
        }
        let policy = plan.policy();
        let mut told = Vec::new();
        let facts;
        match command {
            // Whether it is approved first: a duty that another severity brings is to know.
            Command::SetSeverity { .. } => {
                self.tell_approvals(policy, at, &mut told);
                told.push(Told::Severity(self.readiness.severity));
            }
            Command::SetFacts { .. } => {
                self.tell_approvals(policy, at, &mut told);
                facts = self.readiness.facts.clone();
                told.extend([Told::Severity(self.readiness.severity), Told::Facts(&facts)]);
            }
            Command::SetTimes { times, .. } => {
                told.extend(times.iter().filter_map(|(time, at)| {
                    Some(match (time.meaning(), *at) {
                        (TimeMeaning::Moment(moment), Some(at)) => Told::Moment { moment, at },
                        (TimeMeaning::Moment(moment), None) => Told::TakenBack(moment),
                        (TimeMeaning::Day(day), Some(at)) => Told::Day { day, at },
                        (TimeMeaning::Day(_), None) => return None,
                    })
                }));
            }
            Command::Approve { .. } | Command::Deny { .. } | Command::Withdraw { .. } => {
                self.tell_approvals(policy, at, &mut told);
            }
            Command::Acknowledge { duty, .. } => told.push(Told::Acknowledge { duty: *duty }),
            Command::Done { duty, .. } => told.push(Told::Done { duty: *duty }),
            Command::Supersede { .. } | Command::Retry { .. } => {
                let stop_gap = plan.subject().release.stop_gap;
                told.push(Told::StopGap(stop_gap.map_or(Truth::Unknown, Truth::from)));
                self.tell_approvals(policy, at, &mut told);
            }
            Command::CheckItem { .. }
            | Command::WaiveItem { .. }
            | Command::Start
            | Command::Confirm { .. }
            | Command::Failed { .. }
            | Command::Observe { .. }
            | Command::Tick
            | Command::Promote { .. }
            | Command::Hold { .. }
            | Command::Pause { .. }
            | Command::Resume { .. }
            | Command::Abort { .. }
            | Command::RollBack { .. }
            | Command::Revert { .. }
            | Command::Report { .. }
            | Command::Note { .. } => {}
        }
        if let Some(to) = to {
            self.tell_stage(policy, at, to, &mut told);
        }
        for told in told {
            // An answer about a duty was checked before; everything else is taken.
            if let Ok(replan) = self.agenda.take(policy, at, told)
                && !replan.changes.is_empty()
                && replan.cause.is_news()
            {
                replans.push(replan);
            }
        }
    }

    /// Whether the approvals that the present severity asks for are there, together, and those that may be given afterwards one
    /// by one: of every severity, for what was said counts from when it was said should the incident come to have that.
    fn tell_approvals(&self, policy: &Policy, at: Timestamp, told: &mut Vec<Told<'_>>) {
        let present = self.readiness.severity;
        let demands = self.readiness.demands(policy, Some(at));
        let mut tell = |demands: &[Demand], of: Option<Severity>| {
            // Those of the whole policy stand as they do at the present severity.
            let own = demands.iter().filter(|demand| of == present || demand.severity.is_some());
            let late = own.filter(|demand| demand.after_the_fact.is_some());
            told.extend(late.map(|demand| Told::Approval {
                demand: demand.id.place(policy),
                given: demand.is_met(),
            }));
        };
        tell(&demands, present);
        let others = policy.severities().iter().map(|level| Some(level.severity));
        for other in others.filter(|other| *other != present) {
            tell(&self.readiness.demands_at(policy, other, Some(at)), other);
        }
        if demands.is_empty() {
            return;
        }
        let (met, was) =
            (demands.iter().all(Demand::is_met), self.agenda.came(Moment::Approved).is_some());
        match (met, was) {
            (true, false) => told.push(Told::Moment { moment: Moment::Approved, at }),
            (false, true) => told.push(Told::TakenBack(Moment::Approved)),
            _ => {}
        }
    }

    /// The moments that a change of stage is.
    fn tell_stage(&self, policy: &Policy, at: Timestamp, to: &Stage, told: &mut Vec<Told<'_>>) {
        let deployed = self.agenda.came(Moment::Deployed);
        let mut came = |moment| told.push(Told::Moment { moment, at });
        match (&self.stage, to) {
            (Stage::Preparing, Stage::Deploying(_)) => came(Moment::DeployStarted),
            (Stage::Deploying(_) | Stage::Paused { .. }, to)
                if is_watched_last(to, policy.phases().len()) && deployed.is_none() =>
            {
                came(Moment::Deployed);
            }
            // The end of a hold-back is a change of traffic: what people said of the incident since stands.
            (Stage::Complete { .. }, Stage::Complete { .. }) => {}
            (_, Stage::Complete { .. }) => {
                for moment in [Moment::Verified, Moment::Resolved] {
                    if self.agenda.came(moment).is_none() {
                        came(moment);
                    }
                }
            }
            (_, Stage::Closed) => came(Moment::Closed),
            // With it the agenda takes the deployment back.
            (_, Stage::RolledBack) | (Stage::RollingBack(_), Stage::Aborted) => {
                came(Moment::RolledBack);
            }
            // The fix that was live is replaced: it is due again, and the next attempt has its own time.
            (_, Stage::Preparing) => {
                told.extend(deployed.map(|_| Told::TakenBack(Moment::Deployed)));
            }
            // A late regression opens the case again.
            (Stage::Complete { .. }, Stage::RollingBack(_) | Stage::Frozen { .. }) => {
                told.extend([Told::TakenBack(Moment::Resolved), Told::TakenBack(Moment::Verified)]);
            }
            _ => {}
        }
    }
}

/// Whether the last phase has its traffic.
fn is_watched_last(to: &Stage, phases: usize) -> bool {
    match to {
        Stage::Monitoring(step) | Stage::Paused { from: Resume::Monitoring(step), .. } => {
            step.index + 1 == phases
        }
        _ => false,
    }
}
