//! The measures of one incident, each with the two moments that it rests on (POST-3).

use std::collections::BTreeMap;

use serde::Serialize;

use super::course::{Course, Incident};
use super::value::{ErrorRate, Figure, Mark, Measure, Objective, Standing};
use super::{MeasureError, page};
use crate::fact::{Fact, FactId, FactValue};
use crate::grade::{MetricKind, Moment, Severity, closed_set};
use crate::rollout::{Stage, State};
use crate::text::{figure, time};
use crate::unit::{Span, Timestamp};

closed_set! {
    /// What is measured. [`Measures::from_log`] says from where to where each clock runs.
    MeasureName {
        /// How long nobody noticed.
        TimeToDetect = "time_to_detect",
        /// How long nobody took it on.
        TimeToAcknowledge = "time_to_acknowledge",
        /// How long the approvals took.
        TimeToApprove = "time_to_approve",
        /// How long the review took.
        TimeToReview = "time_to_review",
        /// How long until the fix was live.
        TimeToFix = "time_to_fix",
        /// How long its deployment took.
        TimeToDeploy = "time_to_deploy",
        /// How long until the fault was over for users, once it was noticed.
        TimeToRecover = "time_to_recover",
        /// How long the whole lasted.
        IncidentDuration = "incident_duration",
        /// Whether the policy's objective was kept.
        Slo = "slo",
        /// How long the service was down.
        Downtime = "downtime",
        /// The share of users affected.
        UsersAffected = "users_affected",
        /// How many requests each version hurt, as far as they were read.
        RequestsHurt = "requests_hurt",
        /// Whether revenue was lost.
        RevenueImpact = "revenue_impact",
        /// Whether the fix had to be taken back.
        RollbackNeeded = "rollback_needed",
        /// The error rate before and after.
        ErrorRate = "error_rate",
        /// How many tickets users opened.
        SupportTickets = "support_tickets",
        /// The coverage of tests before and after.
        TestCoverage = "test_coverage",
    }
}

/// The measures of one incident (POST-3).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measures {
    /// The incident's id.
    pub incident: String,
    /// The service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The severity that is acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The version that was tried last.
    pub version: String,
    /// How often the fix was begun.
    pub attempts: u32,
    /// Where the rollout is.
    pub state: State,
    /// As of when: the last line of the log.
    pub at: Timestamp,
    /// One entry for each [`MeasureName`], in that order.
    pub measures: Vec<Measure>,
}

impl Measures {
    /// Measures an incident from its log.
    ///
    /// | measure | from | to |
    /// |---|---|---|
    /// | `time_to_detect` | `began` | `detected` |
    /// | `time_to_acknowledge` | `detected`, else `declared` | the first `acknowledge` |
    /// | `time_to_approve` | `declared` | all approvals of the first attempt were there |
    /// | `time_to_review` | `fix_started`, else `declared` | the first item of the review done, of a list before the start |
    /// | `time_to_fix` | `detected`, else `declared` | `deployed` |
    /// | `time_to_deploy` | `deploy_started` | `deployed` |
    /// | `time_to_recover` | `detected`, else `declared` | `resolved` |
    /// | `incident_duration` | `began`, else `detected`, else `declared` | `resolved` |
    /// | `slo` | as the policy's record says | as it says |
    /// | `downtime` | `service_down` becomes yes; said at the opening, the beginning | it becomes no, else `resolved` |
    ///
    /// `requests_hurt` is what readings counted of versions with traffic until the rollout was over, by the metric that counts
    /// most: nothing is scaled up, so more may have been hurt.
    /// `users_affected` and `revenue_impact` are the facts of these names; `support_tickets`, `coverage_before` and
    /// `coverage_after` are facts that a house declares.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::Plan, policy::Policy, rollout::{Input, Recording, Rollout}};
    /// use hotfix_core::report::measures::{Figure, MeasureName, Measures, Standing};
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
    /// assert_eq!((fix.standing, fix.until), (Standing::Open, Some("open")));
    /// assert_eq!(measures.get(MeasureName::UsersAffected).standing, Standing::NotSaid);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `HF-LOG-…` and what else a broken log gives.
    ///
    /// Shows POST-3.
    pub fn from_log(log: &[u8]) -> Result<Self, MeasureError> {
        let (rollout, course) =
            Course::read(log).map_err(|error| MeasureError::of_log(0, error))?;
        Ok(Self::of(Incident { rollout: &rollout, course: &course }))
    }

    /// One measure.
    pub fn get(&self, name: MeasureName) -> Measure {
        let known = self.measures.iter().find(|measure| measure.name == name);
        known.cloned().unwrap_or_else(|| not_said(name, "nobody said".to_owned()))
    }

    /// As a table in Markdown.
    pub fn to_markdown(&self) -> String {
        page::measures(self)
    }

    pub(crate) fn of(incident: Incident<'_>) -> Self {
        let Incident { rollout, course } = incident;
        let subject = rollout.plan().subject();
        Self {
            incident: subject.incident.id.clone(),
            service: subject.incident.service.clone(),
            severity: rollout.severity(),
            version: subject.release.version.clone(),
            attempts: rollout.attempt(),
            state: rollout.state(),
            at: course.last,
            measures: MeasureName::ALL.iter().map(|name| incident.measure(*name)).collect(),
        }
    }
}

fn not_said(name: MeasureName, sentence: String) -> Measure {
    let standing = Standing::NotSaid;
    Measure { name, standing, figure: None, until: None, from: None, to: None, sentence }
}

fn with(name: MeasureName, known: bool, figure: Figure, sentence: String) -> Measure {
    let standing = if known { Standing::Known } else { Standing::Open };
    let until = (!known).then_some("open");
    Measure { name, standing, figure: Some(figure), until, from: None, to: None, sentence }
}

impl Incident<'_> {
    fn measure(&self, name: MeasureName) -> Measure {
        let noticed = || self.came(&[Moment::Detected, Moment::Declared]);
        let other = |moment, at: Option<Timestamp>| at.map(|at| Mark { moment, at });
        match name {
            MeasureName::TimeToDetect => {
                self.between(name, "began", self.came(&[Moment::Began]), self.to(Moment::Detected))
            }
            MeasureName::TimeToAcknowledge => {
                let to = ("acknowledged", other("acknowledged", self.course.acknowledged));
                self.between(name, "detected", noticed(), to)
            }
            MeasureName::TimeToApprove => self.time_to_approve(),
            MeasureName::TimeToReview => {
                let from = self.came(&[Moment::FixStarted, Moment::Declared]);
                let to = ("reviewed", other("reviewed", self.course.reviewed));
                self.between(name, "fix_started", from, to)
            }
            MeasureName::TimeToFix => {
                self.between(name, "detected", noticed(), self.to(Moment::Deployed))
            }
            MeasureName::TimeToDeploy => {
                let from = self.came(&[Moment::DeployStarted]);
                self.between(name, "deploy_started", from, self.to(Moment::Deployed))
            }
            MeasureName::TimeToRecover => {
                self.between(name, "detected", noticed(), self.to(Moment::Resolved))
            }
            MeasureName::IncidentDuration => {
                let from = self
                    .rollout
                    .beginning()
                    .map(|(moment, at)| Mark { moment: moment.as_str(), at });
                self.between(name, "began", from, self.to(Moment::Resolved))
            }
            MeasureName::Slo => self.slo(),
            MeasureName::Downtime => self.measured_downtime(),
            MeasureName::UsersAffected => self.users_affected(),
            MeasureName::RequestsHurt => self.requests_hurt(),
            MeasureName::RevenueImpact => self.revenue_impact(),
            MeasureName::RollbackNeeded => self.rollback_needed(),
            MeasureName::ErrorRate => self.error_rate(),
            MeasureName::SupportTickets => self.given(name, &["support_tickets"]),
            MeasureName::TestCoverage => self.given(name, &["coverage_before", "coverage_after"]),
        }
    }

    fn came(&self, moments: &[Moment]) -> Option<Mark> {
        self.first_of(moments).map(|(moment, at)| Mark { moment: moment.as_str(), at })
    }

    fn to(&self, moment: Moment) -> (&'static str, Option<Mark>) {
        (moment.as_str(), self.came(&[moment]))
    }

    /// From one moment to another; so far where the second has not come.
    fn between(
        &self,
        name: MeasureName,
        wanted: &'static str,
        from: Option<Mark>,
        (end, to): (&'static str, Option<Mark>),
    ) -> Measure {
        let Some(from) = from else {
            return Measure { to, ..not_said(name, format!("nobody said when `{wanted}` was")) };
        };
        let Some(to) = to else {
            if self.is_over() {
                let sentence = format!("the incident is closed, and `{end}` is not on record");
                return Measure { from: Some(from), ..not_said(name, sentence) };
            }
            let so_far = self.course.last.since(from.at);
            let sentence = format!("at least {} from `{}` so far", time(so_far), from.moment);
            let open = with(name, false, Figure::Seconds(so_far), sentence);
            return Measure { from: Some(from), ..open };
        };
        if to.at < from.at {
            let sentence = format!("`{}` lies before `{}`: one of them is wrong", end, from.moment);
            return Measure { from: Some(from), to: Some(to), ..not_said(name, sentence) };
        }
        let span = to.at.since(from.at);
        let sentence = format!("{} from `{}` to `{end}`", time(span), from.moment);
        let known = with(name, true, Figure::Seconds(span), sentence);
        Measure { from: Some(from), to: Some(to), ..known }
    }

    fn time_to_approve(&self) -> Measure {
        let name = MeasureName::TimeToApprove;
        if self.course.approved.is_none() && self.rollout.approvals().demands.is_empty() {
            return not_said(name, "the policy asks for no approval".to_owned());
        }
        let approved = self.course.approved.map(|at| Mark { moment: "approved", at });
        if approved.is_none() && self.course.attempts.len() > 1 {
            let sentence = "the first attempt was never approved".to_owned();
            return Measure { from: self.came(&[Moment::Declared]), ..not_said(name, sentence) };
        }
        self.between(name, "declared", self.came(&[Moment::Declared]), ("approved", approved))
    }

    fn slo(&self) -> Measure {
        let name = MeasureName::Slo;
        let policy = self.rollout.plan().policy();
        let Some(slo) = policy.record().and_then(|record| record.slo.as_ref()) else {
            return not_said(name, "the policy has no objective".to_owned());
        };
        let wanted = slo.from.as_str();
        let clock = self.between(name, wanted, self.came(&[slo.from]), self.to(slo.to));
        let (taken, allowed) = match clock.figure {
            Some(Figure::Seconds(taken)) => (taken, slo.within),
            _ => return clock,
        };
        let known = clock.standing == Standing::Known;
        let words = format!("{} of the {} allowed", time(taken), time(allowed));
        let (standing, figure, sentence) = if taken > allowed {
            let so_far = if known { "" } else { " and not there yet" };
            (Standing::Known, Some(Objective::Missed), format!("missed: {words}{so_far}"))
        } else if known {
            (Standing::Known, Some(Objective::Kept), format!("kept: {words}"))
        } else {
            (Standing::Open, None, format!("open: {words} so far"))
        };
        let until = (standing == Standing::Open).then_some("open");
        Measure { standing, figure: figure.map(Figure::Objective), until, sentence, ..clock }
    }

    fn measured_downtime(&self) -> Measure {
        let name = MeasureName::Downtime;
        let Some(downtime) = self.rollout.downtime(self.course.last) else {
            return not_said(name, "nobody said whether the service was down".to_owned());
        };
        let mark = |moment, at: Option<Timestamp>| at.map(|at| Mark { moment, at });
        if downtime.from.is_none() {
            let sentence = "none: somebody said that the service was not down".to_owned();
            return with(name, true, Figure::Seconds(Span::ZERO), sentence);
        }
        let whole = time(downtime.whole);
        let sentence = if downtime.goes_on() {
            format!("down for at least {whole} so far")
        } else {
            format!("down for {whole}")
        };
        let measure = with(name, !downtime.goes_on(), Figure::Seconds(downtime.whole), sentence);
        Measure { from: mark("down", downtime.from), to: mark("up", downtime.until), ..measure }
    }

    fn fact(&self, fact: Fact) -> Option<&FactValue> {
        self.rollout.facts().get(FactId::BuiltIn(fact))
    }

    fn users_affected(&self) -> Measure {
        let name = MeasureName::UsersAffected;
        match self.fact(Fact::UsersAffected).and_then(FactValue::as_number) {
            Some(share) => {
                let sentence = format!("{}% of users", figure(100.0 * share, 4));
                with(name, true, Figure::Share(share), sentence)
            }
            None => not_said(name, "nobody said how many users were affected".to_owned()),
        }
    }

    fn requests_hurt(&self) -> Measure {
        let name = MeasureName::RequestsHurt;
        let hurt = self.course.hurt.by_version();
        if hurt.is_empty() {
            return not_said(name, "no reading counted requests".to_owned());
        }
        let known = self.rollout.state().is_final();
        let words = hurt.iter().map(|(version, hurt)| {
            format!(
                "{version}: at least {} by `{}`",
                figure(hurt.at_least.round(), 12),
                hurt.metric
            )
        });
        let sentence = words.collect::<Vec<_>>().join("; ");
        with(name, known, Figure::Requests(hurt), sentence)
    }

    fn revenue_impact(&self) -> Measure {
        let name = MeasureName::RevenueImpact;
        match self.fact(Fact::RevenueImpact) {
            Some(FactValue::Flag(lost)) => {
                let words = if *lost { "revenue was lost" } else { "no revenue was lost" };
                with(name, true, Figure::Yes(*lost), words.to_owned())
            }
            _ => not_said(name, "nobody said whether revenue was lost".to_owned()),
        }
    }

    fn rollback_needed(&self) -> Measure {
        let name = MeasureName::RollbackNeeded;
        if let Some(at) = self.course.turned_back {
            let words = "the fix was taken back or stopped with traffic on it".to_owned();
            let to = Some(Mark { moment: "turned_back", at });
            return Measure { to, ..with(name, true, Figure::Yes(true), words) };
        }
        let known = matches!(
            self.rollout.stage(),
            Stage::Closed | Stage::Aborted | Stage::Failed | Stage::RolledBack
        );
        let words = if known { "no" } else { "not so far" };
        with(name, known, Figure::Yes(false), words.to_owned())
    }

    fn error_rate(&self) -> Measure {
        let name = MeasureName::ErrorRate;
        let table = self.rollout.comparison();
        let mut rows = table.rows.iter().filter(|row| row.kind == MetricKind::Proportion);
        let first = rows.clone().next();
        let Some(row) = rows.find(|row| row.metric.as_str() == "error_rate").or(first) else {
            return not_said(name, "the policy has no proportion".to_owned());
        };
        let after = row.cells.iter().rev().flatten().next().map(|cell| cell.canary);
        if row.live.is_none() && after.is_none() {
            return not_said(name, format!("`{}` was never read", row.metric));
        }
        let rate = ErrorRate { metric: row.metric, record: row.record, before: row.live, after };
        let percent = |rate: Option<f64>| {
            rate.map_or_else(|| "not read".to_owned(), |r| format!("{}%", figure(100.0 * r, 3)))
        };
        let sentence = format!(
            "`{}`: {} before, {} with the fix",
            row.metric,
            percent(row.live),
            percent(after)
        );
        let known = matches!(self.rollout.stage(), Stage::Closed | Stage::RolledBack);
        with(name, known, Figure::ErrorRate(rate), sentence)
    }

    /// What people gave as facts of their house.
    fn given(&self, name: MeasureName, facts: &[&str]) -> Measure {
        let vocabulary = self.rollout.plan().policy().vocabulary();
        let known: BTreeMap<String, f64> = facts
            .iter()
            .filter_map(|fact| {
                let value = self.rollout.facts().get(vocabulary.find(fact)?)?.as_number()?;
                Some(((*fact).to_owned(), value))
            })
            .collect();
        let names = facts.iter().map(|fact| format!("`{fact}`")).collect::<Vec<_>>().join(", ");
        match (facts, known.values().next()) {
            (_, None) => not_said(name, format!("nobody gave {names}")),
            ([_], Some(count)) => with(name, true, Figure::Count(*count), figure(*count, 12)),
            (_, Some(_)) => {
                let words = known.iter().map(|(fact, value)| format!("`{fact}` {value}"));
                let sentence = words.collect::<Vec<_>>().join(", ");
                with(name, true, Figure::Facts(known), sentence)
            }
        }
    }
}
