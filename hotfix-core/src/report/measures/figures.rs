//! Measures of one incident, each with the two moments between which it runs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::MeasureError;
use super::incident_history::{Incident, IncidentHistory};
use super::value::{
    ErrorRate, Figure, Impact, ImpactUnit, Mark, Measure, MeasureStatus, Objective,
};
use crate::fact::{Fact, FactId, FactValue, Truth};
use crate::gate::approval::{Demand, DemandState};
use crate::gate::checklist::reviews;
use crate::grade::{DutyKind, Moment, Severity, Worse, closed_set};
use crate::report::describe::{lasting, utc};
use crate::report::duties::open;
use crate::rollout::State;
use crate::sorting::map_of;
use crate::text::{counted, figure, joined, quoted};
use crate::unit::{Span, Timestamp};

closed_set! {
    /// Name of a measure. [`Measures::from_log`] lists the moments between which each clock runs.
    MeasureName {
        TimeToDetect = "time_to_detect",
        TimeToAcknowledge = "time_to_acknowledge",
        TimeToApprove = "time_to_approve",
        TimeToReview = "time_to_review",
        TimeToFix = "time_to_fix",
        TimeToDeploy = "time_to_deploy",
        TimeToRecover = "time_to_recover",
        IncidentDuration = "incident_duration",
        Slo = "slo",
        Downtime = "downtime",
        UsersAffected = "users_affected",
        RequestsAffected = "requests_affected",
        RevenueImpact = "revenue_impact",
        RollbackNeeded = "rollback_needed",
        ErrorRate = "error_rate",
        SupportTickets = "support_tickets",
        TestCoverage = "test_coverage",
    }
}

/// The measures of one incident.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measures {
    /// The incident's id.
    pub incident: String,
    /// The service.
    pub service: Option<String>,
    /// The severity in force.
    pub severity: Option<Severity>,
    /// The version of the last attempt; None where there was no release.
    pub version: Option<String>,
    /// Number of attempts.
    pub attempts: u32,
    /// State of the rollout.
    pub state: State,
    /// Time of the last line of the log.
    pub at: Timestamp,
    /// One entry for each [`MeasureName`], in that order.
    pub measures: Vec<Measure>,
}

impl Measures {
    /// Computes the measures of an incident from its log.
    ///
    /// | measure | from | to |
    /// |---|---|---|
    /// | `time_to_detect` | `began` | `detected` |
    /// | `time_to_acknowledge` | `detected`, else `declared` | the first `acknowledge`, or what somebody first did in a role that was paged |
    /// | `time_to_approve` | `declared` | the last approval that the start of the first attempt waits for, else the last late one |
    /// | `time_to_review` | `fix_started`, else `declared` | the first review item of a checklist until the deployment, or right after it, is done |
    /// | `time_to_fix` | `detected`, else `declared` | `deployed` |
    /// | `time_to_deploy` | `deploy_started` | `deployed` |
    /// | `time_to_recover` | `detected`, else `declared` | `resolved` |
    /// | `incident_duration` | `began`, else `detected`, else `declared` | `resolved` |
    /// | `slo` | as `change_record` of the policy sets it | as it sets it |
    /// | `downtime` | `service_down` becomes true; if it is true at the opening, the beginning (neither it nor the detection stated: at least from the opening) | it becomes false, at the latest `resolved` |
    ///
    /// `requests_affected` is the number of failed requests that the readings counted while a
    /// version had traffic, until the incident was resolved, by the metric that counts most. It is not
    /// scaled up, so the true number may be higher. `users_affected` and
    /// `revenue_impact` are the worst that was known of the facts of these names; `support_tickets`,
    /// `coverage_before` and `coverage_after` are facts that the policy declares. A clock that ends
    /// with an approval, a review or an acknowledgement is `not_asked` where the policy does not ask
    /// for one.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::Plan, policy::Policy, rollout::{Input, Recording, Rollout}};
    /// use hotfix_core::report::measures::{Figure, MeasureName, Measures, MeasureStatus};
    ///
    /// let plan = Plan::from_json(
    ///     Arc::new(Policy::preset("enterprise")?),
    ///     r#"{"id": "INC-2041", "severity": "P0", "began_at": "2026-03-03T14:02:00Z", "detected_at": "2026-03-03T14:06:00Z"}"#,
    ///     r#"{"version": "2.3.1", "previous": "2.3.0"}"#,
    ///     "",
    /// )?;
    /// let mut rollout = Rollout::try_new(plan, Recording::Keep, "")?;
    /// let note = Input::from_json(r#"{"kind": "note", "by": "lena", "text": "payments fail"}"#)?;
    /// rollout.handle("2026-03-03T14:08:00Z".parse()?, &note)?;
    ///
    /// let measures = Measures::from_log(rollout.log().as_bytes())?;
    /// let detect = measures.get(MeasureName::TimeToDetect);
    /// assert_eq!(detect.sentence, "4min from `began` to `detected`");
    /// let fix = measures.get(MeasureName::TimeToFix);
    /// assert_eq!((fix.status, fix.until), (MeasureStatus::Open, Some("open")));
    /// assert_eq!(measures.get(MeasureName::UsersAffected).status, MeasureStatus::NotStated);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`MeasureError::Log`] for a log that cannot be read.
    pub fn from_log(log: &[u8]) -> Result<Self, MeasureError> {
        let (rollout, history) = IncidentHistory::of(log, 0)?;
        Ok(Self::of(Incident { rollout: &rollout, history: &history }))
    }

    /// One measure.
    pub fn get(&self, name: MeasureName) -> Measure {
        let known = self.measures.iter().find(|measure| measure.name == name);
        known.cloned().unwrap_or_else(|| not_stated(name, "not measured".to_owned()))
    }

    pub(crate) fn of(incident: Incident<'_>) -> Self {
        let Incident { rollout, history } = incident;
        let subject = rollout.plan().subject();
        Self {
            incident: subject.incident.id.clone(),
            service: subject.incident.service.clone(),
            severity: rollout.severity(),
            version: subject.release.as_ref().map(|release| release.version.clone()),
            attempts: rollout.attempt(),
            state: rollout.state(),
            at: history.last,
            measures: MeasureName::ALL.iter().map(|name| incident.measure(*name)).collect(),
        }
    }
}

fn not_stated(name: MeasureName, sentence: String) -> Measure {
    let status = MeasureStatus::NotStated;
    Measure { name, status, figure: None, until: None, from: None, to: None, sentence }
}

/// A clock that never ends, because the policy does not ask for what would end it.
fn not_asked(name: MeasureName, sentence: &str) -> Measure {
    Measure { status: MeasureStatus::NotAsked, ..not_stated(name, sentence.to_owned()) }
}

fn with(name: MeasureName, known: bool, figure: Figure, sentence: String) -> Measure {
    let status = if known { MeasureStatus::Known } else { MeasureStatus::Open };
    let until = (!known).then_some("open");
    Measure { name, status, figure: Some(figure), until, from: None, to: None, sentence }
}

fn mark(moment: &'static str, at: Option<Timestamp>) -> Option<Mark> {
    at.map(|at| Mark { moment, at })
}

impl Incident<'_> {
    fn measure(&self, name: MeasureName) -> Measure {
        let noticed = || self.origin(Moment::Detected);
        match name {
            MeasureName::TimeToDetect => self.time_to_detect(name),
            MeasureName::TimeToAcknowledge => {
                let end = "acknowledged";
                let acknowledged = mark(end, self.history.acknowledged);
                if acknowledged.is_none() && !self.asks_to_acknowledge() {
                    return not_asked(name, "the policy pages nobody who has to acknowledge");
                }
                if acknowledged.is_none() && self.rollout.moment(Moment::Resolved).is_some() {
                    let sentence = format!("the incident is resolved, and `{end}` is not recorded");
                    return Measure { from: noticed(), ..not_stated(name, sentence) };
                }
                self.between(name, "detected", noticed(), (end, acknowledged))
            }
            MeasureName::TimeToApprove => self.time_to_approve(name),
            MeasureName::TimeToReview => {
                if self.history.reviewed.is_none() && !self.asks_for_review() {
                    return not_asked(name, "no checklist that applies has a review");
                }
                let from = self.came(&[Moment::FixStarted, Moment::Declared]);
                let to = ("reviewed", mark("reviewed", self.history.reviewed));
                self.between(name, "fix_started", from, to)
            }
            MeasureName::TimeToFix => {
                self.between(name, "detected", noticed(), self.to(Moment::Deployed))
            }
            MeasureName::TimeToDeploy => self.time_to_deploy(name),
            MeasureName::TimeToRecover => {
                self.between(name, "detected", noticed(), self.to(Moment::Resolved))
            }
            MeasureName::IncidentDuration => {
                self.between(name, "began", self.origin(Moment::Began), self.to(Moment::Resolved))
            }
            MeasureName::Slo => self.slo(name),
            MeasureName::Downtime => self.measured_downtime(name),
            MeasureName::UsersAffected => self.users_affected(name),
            MeasureName::RequestsAffected => self.requests_affected(name),
            MeasureName::RevenueImpact => self.revenue_impact(name),
            MeasureName::RollbackNeeded => self.rollback_needed(name),
            MeasureName::ErrorRate => self.error_rate(name),
            MeasureName::SupportTickets => self.given(name, &["support_tickets"]),
            MeasureName::TestCoverage => self.given(name, &["coverage_before", "coverage_after"]),
        }
    }

    /// Where a time that is given from this moment counts from.
    fn origin(&self, moment: Moment) -> Option<Mark> {
        let (moment, at) = self.rollout.origin(moment)?;
        Some(Mark { moment: moment.as_str(), at })
    }

    /// The first of these moments that came.
    fn came(&self, moments: &[Moment]) -> Option<Mark> {
        moments.iter().find_map(|moment| mark(moment.as_str(), self.rollout.moment(*moment)))
    }

    fn to(&self, moment: Moment) -> (&'static str, Option<Mark>) {
        (moment.as_str(), self.came(&[moment]))
    }

    /// The time from one moment to another; the time so far where the second is still to come.
    fn between(
        &self,
        name: MeasureName,
        wanted: &'static str,
        from: Option<Mark>,
        (end, to): (&'static str, Option<Mark>),
    ) -> Measure {
        let Some(from) = from else {
            let sentence = format!("the time `{wanted}` is not recorded");
            return Measure { to, ..not_stated(name, sentence) };
        };
        let begin = from.moment;
        let found = match (to, self.over()) {
            (None, Some(over)) => {
                let absent =
                    self.revoked(end).unwrap_or_else(|| format!("`{end}` is not recorded"));
                not_stated(name, format!("the incident is {over}, and {absent}"))
            }
            (None, None) => {
                let so_far = self.history.last.since(from.at);
                let sentence = format!("at least {} from `{begin}` so far", lasting(so_far));
                with(name, false, Figure::Seconds(so_far), sentence)
            }
            (Some(to), _) if to.at < from.at => {
                not_stated(name, format!("`{end}` is earlier than `{begin}`: one of them is wrong"))
            }
            (Some(to), _) => {
                let span = to.at.since(from.at);
                let sentence = format!("{} from `{begin}` to `{end}`", lasting(span));
                with(name, true, Figure::Seconds(span), sentence)
            }
        };
        Measure { from: Some(from), to, ..found }
    }

    /// That the fix of the last attempt that was live is not live any more, where that is why there is no
    /// `end`.
    fn revoked(&self, end: &str) -> Option<String> {
        let mut attempts = self.history.attempts.iter().rev();
        let lost = attempts.find_map(|of| Some((of.deployed?, of.failed.or(of.replaced)?)));
        let (live, lost) = lost.filter(|_| end == Moment::Deployed.as_str())?;
        let [live, lost] = [live, lost].map(utc);
        Some(format!("`{end}` came at {live} and was revoked at {lost}, as the fix was given up"))
    }

    /// What is declared was detected before: its time does not go on.
    fn time_to_detect(&self, name: MeasureName) -> Measure {
        let (from, to) = (self.came(&[Moment::Began]), self.to(Moment::Detected));
        if let (Some(began), None) = (from, to.1) {
            let declared = self.rollout.moment(Moment::Declared).filter(|at| *at >= began.at);
            let declared = declared.map_or_else(String::new, |at| {
                format!("; the incident was declared {} after `began`", lasting(at.since(began.at)))
            });
            let sentence = format!("`detected` is not recorded{declared}");
            return Measure { from, ..not_stated(name, sentence) };
        }
        self.between(name, "began", from, to)
    }

    /// A start is a lower bound only while its attempt goes on.
    fn time_to_deploy(&self, name: MeasureName) -> Measure {
        let (from, to) = (self.came(&[Moment::DeployStarted]), self.to(Moment::Deployed));
        let attempt = self.history.attempts.last();
        let goes_on =
            |from: Mark| attempt.is_some_and(|of| of.failed.is_none() && of.begun <= from.at);
        if to.1.is_none() && from.is_some_and(|from| !goes_on(from)) {
            return not_stated(name, "the last deployment was stopped or replaced".to_owned());
        }
        self.between(name, "deploy_started", from, to)
    }

    fn time_to_approve(&self, name: MeasureName) -> Measure {
        let demands = self.rollout.approvals().demands;
        if self.history.approved.is_none() && !demands.iter().any(Demand::is_required) {
            let is_of_author = |demand: &Demand| demand.state == DemandState::AuthorAlone;
            return not_asked(
                name,
                if demands.is_empty() {
                    "the policy requires no approval"
                } else if demands.iter().any(is_of_author) {
                    "the policy does not require the approval that it asks for, and only the author of the fix gave it"
                } else {
                    "the policy does not require the approval that it asks for, and nobody gave it"
                },
            );
        }
        let approved = mark("approved", self.history.approved);
        if approved.is_none() && self.history.attempts.len() > 1 {
            let sentence = "the first attempt was never approved".to_owned();
            return Measure { from: self.came(&[Moment::Declared]), ..not_stated(name, sentence) };
        }
        self.between(name, "declared", self.came(&[Moment::Declared]), ("approved", approved))
    }

    fn slo(&self, name: MeasureName) -> Measure {
        let policy = self.rollout.plan().policy();
        let Some(slo) = policy.change_record().and_then(|record| record.slo.as_ref()) else {
            return not_stated(name, "the policy has no SLO".to_owned());
        };
        let severity = self.rollout.severity();
        if !slo.is_for(severity) {
            let severity = severity.map_or("", Severity::as_str);
            return not_stated(name, format!("the policy has no SLO for a {severity}"));
        }
        let wanted = slo.from.as_str();
        // The incident may end without a fix: then it was met by nobody, and missed once its time
        // had passed.
        let (reached, is_over) = match (self.to(slo.to), self.to(Moment::Resolved)) {
            ((_, None), end @ (_, Some(_))) => (end, true),
            (reached, _) => (reached, false),
        };
        let clock = self.between(name, wanted, self.origin(slo.from), reached);
        let (taken, allowed) = match clock.figure {
            Some(Figure::Seconds(taken)) => (taken, slo.within),
            _ => return clock,
        };
        let known = clock.status == MeasureStatus::Known;
        let [taken_for, allowed_for] = [taken, allowed].map(lasting);
        let words = if taken > allowed && taken_for == allowed_for {
            format!("more than the {allowed_for} allowed")
        } else {
            format!("{taken_for} of the {allowed_for} allowed")
        };
        let measure = if taken > allowed {
            let so_far = if known { "" } else { " and still running" };
            let missed = Figure::Objective(Objective::Missed);
            with(name, true, missed, format!("missed: {words}{so_far}"))
        } else if is_over {
            let end = slo.to.as_str();
            let revoked = self.revoked(end).map_or_else(String::new, |why| format!(": {why}"));
            not_stated(name, format!("the incident ended without `{end}` after {words}{revoked}"))
        } else if known {
            with(name, true, Figure::Objective(Objective::Kept), format!("met: {words}"))
        } else {
            let sentence = format!("open: {words} so far");
            return Measure { figure: None, sentence, ..clock };
        };
        Measure { from: clock.from, to: clock.to, ..measure }
    }

    fn measured_downtime(&self, name: MeasureName) -> Measure {
        let Some(downtime) = self.rollout.downtime(self.history.last) else {
            // It may have been down and up again.
            let is_up = self.rollout.facts().flag(Fact::ServiceDown) == Some(false);
            let before = if is_up { " before it was recorded as up" } else { "" };
            let sentence = format!("it is not recorded whether the service was down{before}");
            return not_stated(name, sentence);
        };
        if downtime.from.is_none() {
            // What began after the end is not part of the incident.
            let later = self.rollout.worst_facts().flag(Fact::ServiceDown) == Some(true);
            let later = if later { " before the incident was resolved" } else { "" };
            let sentence = format!("none: the service was recorded as not down{later}");
            return with(name, true, Figure::Seconds(Span::ZERO), sentence);
        }
        let whole = lasting(downtime.whole);
        let sentence = if downtime.goes_on() {
            format!("down for at least {whole} so far")
        } else if downtime.at_least {
            format!("down for at least {whole}; neither its beginning nor its detection is stated")
        } else {
            format!("down for {whole}")
        };
        let measure = with(name, !downtime.goes_on(), Figure::Seconds(downtime.whole), sentence);
        Measure { from: mark("down", downtime.from), to: mark("up", downtime.until), ..measure }
    }

    /// Whether a duty paged somebody in this incident, or may still do so before its end.
    fn asks_to_acknowledge(&self) -> bool {
        let calls = |kind| matches!(kind, DutyKind::Page | DutyKind::Escalate | DutyKind::Act);
        let may_call = || {
            let duties = self.rollout.plan().policy().duties();
            self.rollout.severity().is_none() && duties.iter().any(|duty| calls(duty.kind))
                || open(&self.rollout.duties(self.history.last)).any(|item| calls(item.kind))
        };
        self.history.paged || self.rollout.moment(Moment::Resolved).is_none() && may_call()
    }

    /// Whether a checklist that applies, or may apply, has a review of the change.
    fn asks_for_review(&self) -> bool {
        let (situation, policy) = (self.rollout.situation(), self.rollout.plan().policy());
        reviews(policy).any(|(list, _)| situation.asks_for(policy, list) != Truth::No)
    }

    /// The largest share that was known, and the last one where it is another.
    fn users_affected(&self, name: MeasureName) -> Measure {
        let last = self.rollout.facts().get(FactId::BuiltIn(Fact::UsersAffected));
        let worst = self.rollout.worst_facts().get(FactId::BuiltIn(Fact::UsersAffected));
        let [worst, last] = [worst, last].map(|value| value.and_then(FactValue::as_number));
        let percent = |share: f64| format!("{}%", figure(100.0 * share, 4));
        let Some(share) = worst else {
            return not_stated(name, "the share of affected users is not recorded".to_owned());
        };
        let then = last.filter(|last| *last < share);
        let then = then.map(|last| format!(" at worst, {} at the end", percent(last)));
        let sentence = format!("{} of users{}", percent(share), then.unwrap_or_default());
        with(name, true, Figure::Share(share), sentence)
    }

    fn requests_affected(&self, name: MeasureName) -> Measure {
        let affected = self.history.affected().by_version(self.rollout.plan());
        if affected.is_empty() {
            return not_stated(name, "no reading counted requests".to_owned());
        }
        let known = self.rollout.moment(Moment::Resolved).is_some() || self.over().is_some();
        let counts = affected.iter().map(|(version, Impact { at_least, metric, unit })| {
            let at_least = match unit {
                ImpactUnit::Requests => figure(at_least.round(), 12),
                ImpactUnit::Events => counted(at_least.round(), "event", "events"),
            };
            let metric = self.rollout.plan().policy().metric_title(*metric);
            format!("{version}: at least {at_least}, counted by {metric}")
        });
        let sentence = joined(counts, "; ");
        with(name, known, Figure::Requests(affected), sentence)
    }

    fn revenue_impact(&self, name: MeasureName) -> Measure {
        let Some(lost) = self.rollout.worst_facts().flag(Fact::RevenueImpact) else {
            return not_stated(name, "it is not recorded whether revenue was lost".to_owned());
        };
        let words = if lost { "revenue was lost" } else { "no revenue was lost" };
        with(name, true, Figure::Yes(lost), words.to_owned())
    }

    fn rollback_needed(&self, name: MeasureName) -> Measure {
        if let Some((at, was_live)) = self.history.turned_back {
            let had = if was_live { "had traffic" } else { "may have had traffic" };
            let words = format!("yes: the fix was rolled back or stopped while it {had}");
            let to = mark("rolled_back_or_stopped", Some(at));
            return Measure { to, ..with(name, true, Figure::Yes(true), words) };
        }
        let known = self.has_outcome();
        let words = if known { "no" } else { "not so far" };
        with(name, known, Figure::Yes(false), words.to_owned())
    }

    fn error_rate(&self, name: MeasureName) -> Measure {
        let table = self.rollout.comparison();
        let mut rows = table.rows.iter().filter(|row| row.kind.is_fraction());
        let first = rows.clone().next();
        let Some(row) = rows.find(|row| row.metric.as_str() == "error_rate").or(first) else {
            return not_stated(name, "the policy has no metric of kind `proportion`".to_owned());
        };
        let mut last = self.rollout.since_phase();
        let after = last.find_map(|(id, [canary, _])| canary.filter(|_| id == row.metric));
        if row.live.is_none() && after.is_none() {
            let again = if self.rollout.attempt() > 1 { " in the last attempt" } else { "" };
            return not_stated(name, format!("`{}` has no reading{again}", row.metric));
        }
        let worse = self.rollout.plan().policy().metric(row.metric.as_str()).map(|of| of.worse);
        let worse = worse.unwrap_or(Worse::Higher);
        let [reference, before, after] =
            [row.reference, row.live, after].map(|share| share.map(|share| worse.bad(share, 1.0)));
        let percent = |rate: Option<f64>, none: &str| {
            rate.map_or_else(|| none.to_owned(), |r| format!("{}%", figure(100.0 * r, 3)))
        };
        let counted = match worse {
            Worse::Higher => "",
            Worse::Lower => "failures by ",
        };
        let sentence = format!(
            "{counted}`{}`: {} without the fix, {} with it",
            row.metric,
            percent(before, "no reading"),
            percent(after, "no reading in the last phase")
        );
        let rate = ErrorRate { metric: row.metric, reference, before, after };
        let known = self.has_outcome();
        with(name, known, Figure::ErrorRate(rate), sentence)
    }

    /// A measure that is taken from facts of the policy.
    fn given(&self, name: MeasureName, facts: &[&str]) -> Measure {
        let vocabulary = self.rollout.plan().policy().vocabulary();
        let known: BTreeMap<String, f64> = map_of(facts.iter().filter_map(|fact| {
            let value = self.rollout.facts().get(vocabulary.find(fact)?)?.as_number()?;
            Some(((*fact).to_owned(), value))
        }));
        let names = quoted(facts, ", ");
        match (facts, known.values().next()) {
            (_, None) => not_stated(name, format!("{names} not set")),
            ([_], Some(count)) => with(name, true, Figure::Count(*count), figure(*count, 12)),
            (_, Some(_)) => {
                let words = known.iter().map(|(fact, value)| format!("`{fact}` {value}"));
                let sentence = joined(words, ", ");
                with(name, true, Figure::Facts(known), sentence)
            }
        }
    }
}
