//! The incident report, from the log only.
//!
//! [`Report::from_log`] reads a log once, in bounded memory, and returns plain data (`model.rs`).
//! The Markdown and HTML pages are written from the same sections (`outline.rs`); JSON is the data.
//!
//! The outcome, the impact, the verdicts and the duties follow from the log. Statements that only
//! people can make come from what they wrote: notes with a label, facts, the evidence of duties
//! (`statements.rs`). Missing statements are listed in `open`; there are no empty headings. The
//! text names roles. Names of people appear only in the audit trail, unless they were redacted in
//! the log. Texts that people wrote are shown unchanged: keep names out of them.

mod bounded_list;
mod chart;
mod describe;
mod duties;
mod fact_history;
mod html;
mod impact;
mod log_summary;
mod markdown;
pub mod measures;
mod model;
mod narrative;
mod outline;
mod phases;
mod plot;
mod review;
mod series;
mod statements;

use crate::canonical::pretty;
use crate::code::{code, coded};
use crate::gate::{ItemState, ItemStatus};
use crate::grade::{Moment, closed_set};
use crate::plan::{Link, Plan};
use crate::policy::Policy;
use crate::policy::section::{BoundValue, Record};
use crate::rollout::{LogError, Rollout};
use crate::sorting::{map_of, sort_by_key};
use crate::stats::numeric::ln;

pub use bounded_list::BoundedList;
pub use model::{
    ActionItem, ApprovalPart, AttemptComparison, AuditEntry, AuditTrail, Counted, CriterionPart,
    DutyOutcome, DutyPart, EvidencePlot, Impact, IncidentPart, Mark, MetricImpact, MetricPlot,
    MomentPart, PhaseEnd, PhaseVisit, Plots, PolicyPart, QuestionPart, ReleasePart, Report,
    Statement, TimelineEntry, VerdictPart,
};
pub use series::{Point, Points};
pub use statements::Topic;

use log_summary::LogSummary;
use measures::{Incident, IncidentHistory, Measures};

closed_set! {
    /// Format of a report.
    Format {
        /// Markdown for a ticket or a repository, with GitHub tables.
        Markdown = "markdown",
        /// The data as JSON.
        Json = "json",
        /// One self-contained HTML page with plots.
        Html = "html",
    }
}

coded! {
    /// Error of writing a report.
    #[derive(Clone, Debug, PartialEq, thiserror::Error)]
    pub enum ReportError;

    /// The log cannot be read.
    #[error("{0}")]
    Log(error: #[from] LogError) => error.code(),
    #[error("this rollout keeps no log from its first line on: make the report from the log")]
    NoLog => code! {HF-REP-001},
    #[error("`{got}` is not a format of a report: pass `markdown`, `json` or `html`")]
    Format { got: String } => code! {HF-REP-002},
    #[error("the report cannot be written: {fault}")]
    Write { fault: String } => code! {HF-REP-003},
}

/// Writes the report of a log: `format` is `markdown`, `json` or `html`.
///
/// # Errors
/// [`ReportError::Format`] for an unknown format; those of [`Rollout::replay`] for a log that
/// cannot be read.
pub fn report(log: &[u8], format: &str) -> Result<String, ReportError> {
    let format = read_format(format)?;
    Report::from_log(log)?.write(format)
}

fn read_format(text: &str) -> Result<Format, ReportError> {
    text.parse().map_err(|_| ReportError::Format { got: crate::text::shown(text) })
}

impl Rollout {
    /// Writes the report of this rollout from the log that it keeps: `format` is `markdown`, `json`
    /// or `html`.
    ///
    /// # Errors
    /// [`ReportError::NoLog`] where the rollout keeps no log: pass the log to [`report`] instead.
    /// [`ReportError::Format`] for an unknown format.
    pub fn report(&self, format: &str) -> Result<String, ReportError> {
        read_format(format)?;
        if self.log().is_empty() && self.now().is_some() {
            return Err(ReportError::NoLog);
        }
        match report(self.log().as_bytes(), format) {
            // Restored from a snapshot, the rollout keeps only the later lines of the log.
            Err(ReportError::Log(LogError { line: 1, .. })) if self.now().is_some() => {
                Err(ReportError::NoLog)
            }
            written => written,
        }
    }
}

impl Report {
    /// The release's link to the root cause.
    pub(super) fn link_to_cause(&self) -> Option<&String> {
        self.release.as_ref()?.links.get(Link::Cause.as_str())
    }

    /// Reads a log strictly and builds the report from it.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use hotfix_core::{plan::Plan, policy::Policy, rollout::{Input, Recording, Rollout}};
    /// use hotfix_core::report::{Format, Report};
    /// # let policy = Arc::new(Policy::preset("enterprise")?);
    /// # let incident = r#"{"id": "INC-2041", "title": "payments fail", "severity": "P1"}"#;
    /// # let plan = Plan::from_json(policy, incident, r#"{"version": "2", "previous": "1"}"#, "")?;
    /// # let mut rollout = Rollout::try_new(plan, Recording::Keep, "")?;
    /// let note = r#"{"kind": "note", "by": "lena", "text": "root cause: no default for the payment method"}"#;
    /// rollout.handle("2026-03-03T14:40:00Z".parse()?, &Input::from_json(note)?)?;
    ///
    /// let report = Report::from_log(rollout.log().as_bytes())?;
    /// assert_eq!(report.root_cause[0].text, "no default for the payment method");
    /// assert!(report.open.contains(&"which factors contributed?".to_owned()));
    /// assert!(report.write(Format::Markdown)?.starts_with("# Incident report: INC-2041"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Rollout::replay`].
    pub fn from_log(log: &[u8]) -> Result<Self, LogError> {
        let mut log_summary = LogSummary::default();
        let (rollout, history) =
            IncidentHistory::read(log, |rollout, entry| log_summary.add(rollout, entry))?;
        Ok(Self::build(&rollout, log_summary, &history))
    }

    fn build(rollout: &Rollout, mut log_summary: LogSummary, history: &IncidentHistory) -> Self {
        log_summary.compare(rollout);
        let measures = Measures::of(Incident { rollout, history });
        let plan = rollout.plan();
        let policy = plan.policy();
        let subject = plan.subject();
        let as_of = log_summary.as_of;
        let agenda = rollout.duties(as_of);
        let duties = log_summary.duties.parts(rollout, &agenda, &log_summary.evidence);
        let visits = std::mem::take(&mut log_summary.visits).finish(as_of);
        let power = plan.power();
        let severity = rollout.severity();
        let stated = |topic| review::stated(&log_summary, topic);
        let is_open = |part: &DutyPart| part.settled.is_none();
        let asked = policy.report();
        let mut report = Self {
            format: 1,
            as_of,
            finished: rollout.state().is_final() && !duties.iter().any(is_open),
            incident: IncidentPart {
                id: subject.incident.id.clone(),
                title: subject.incident.title.clone(),
                service: subject.incident.service.clone(),
                severity,
                severity_assumed: rollout.severity_is_assumed(),
                severity_label: severity
                    .and_then(|s| policy.severity(s))
                    .map(|level| level.label.clone()),
            },
            release: release(rollout),
            policy: policy_part(policy),
            state: rollout.state(),
            summary: narrative::summary(rollout, &log_summary, &measures, &visits),
            moments: moments(rollout, &log_summary),
            impact: narrative::impact(rollout, &log_summary, history),
            detection: narrative::detection(&log_summary, &measures),
            not_caught_earlier: narrative::not_caught_earlier(rollout, &power, &visits),
            root_cause: stated(Topic::RootCause),
            cause_by_author: rollout.cause_by_author(),
            conditions: stated(Topic::Conditions),
            resolution: narrative::resolution(rollout, &log_summary, &visits),
            success_criteria: success_criteria(rollout),
            statements: map_of(
                [
                    Topic::Impact,
                    Topic::Detection,
                    Topic::Resolution,
                    Topic::Verification,
                    Topic::NotCaughtEarlier,
                    Topic::WentWell,
                    Topic::ToImprove,
                ]
                .into_iter()
                .map(|topic| (topic.as_str(), stated(topic)))
                .filter(|(_, stated)| !stated.is_empty()),
            ),
            went_well: review::went_well(rollout, &log_summary, &duties, &visits),
            to_improve: review::to_improve(rollout, &log_summary, &duties, &visits, &power),
            action_items: review::action_items(rollout, &agenda, &duties, &log_summary),
            prevention: stated(Topic::Prevention),
            questions: review::questions(asked, &log_summary),
            custom_sections: review::custom_sections(asked, &log_summary),
            measures,
            measures_asked: asked.map(|asked| asked.measures.clone()).unwrap_or_default(),
            open: Vec::new(),
            plots: plots(plan, &log_summary),
            audit_trail: AuditTrail {
                lines: log_summary.lines,
                head: rollout.head().unwrap_or(crate::canonical::Digest::ZERO),
                plan_digest: plan.digest(),
                redacted: log_summary.has_redacted_names,
                approvals: log_summary.approvals,
                entries: log_summary.audit,
            },
            timeline: log_summary.timeline,
            verdicts: log_summary.verdicts,
            comparisons: log_summary.comparisons,
            phases: visits,
            duties,
            power,
        };
        let answered = |part: &QuestionPart| review::answered_in(rollout, &report, &part.question);
        let answered: Vec<_> = report.questions.iter().map(answered).collect();
        for (part, section) in report.questions.iter_mut().zip(answered) {
            part.answered_in = section;
        }
        let mut sections = std::mem::take(&mut report.custom_sections);
        sections.retain(|part| {
            !part.answers.is_empty() || !review::is_covered(&report, &part.question)
        });
        report.custom_sections = sections;
        report.open = review::open(rollout, &report);
        report
    }

    /// Writes the report in a format.
    ///
    /// # Errors
    /// [`ReportError::Write`] where it cannot be written; a report from a log always can.
    pub fn write(&self, format: Format) -> Result<String, ReportError> {
        match format {
            Format::Markdown => Ok(markdown::page(&outline::title(self), &outline::outline(self))),
            Format::Json => {
                pretty(self).map_err(|error| ReportError::Write { fault: error.to_string() })
            }
            Format::Html => html::page(self),
        }
    }
}

fn policy_part(policy: &Policy) -> PolicyPart {
    let record = policy.change_record();
    let text = |of: fn(&Record) -> Option<&str>| record.and_then(of).map(str::to_owned);
    PolicyPart {
        name: policy.name(),
        title: policy.title().to_owned(),
        digest: policy.digest(),
        document: text(Record::document),
        owner: text(Record::owner),
        changed: record.and_then(|record| record.changed),
        trigger: text(Record::trigger),
    }
}

fn release(rollout: &Rollout) -> Option<ReleasePart> {
    let (plan, policy) = (rollout.plan(), rollout.plan().policy());
    let release = plan.release()?;
    let links = release.change_record.as_ref().map(|record| &record.links);
    let links = links.into_iter().flatten();
    let links = map_of(links.map(|(link, place): (&Link, &String)| (link.as_str(), place.clone())));
    Some(ReleasePart {
        version: release.version.clone(),
        previous: release.previous.clone(),
        strategy: policy.strategy(),
        attempts: rollout.attempt(),
        description: release.description.clone(),
        branch: release.branch.clone(),
        commit: release.commit.clone(),
        stop_gap: release.stop_gap,
        links,
    })
}

fn success_criteria(rollout: &Rollout) -> Vec<CriterionPart> {
    let against = |item: &ItemStatus| {
        let is_open = item.state == ItemState::Open;
        rollout.against_criterion(rollout.now().filter(|_| is_open)?, item.id)
    };
    let criterion = |item: ItemStatus| CriterionPart {
        against: against(&item),
        id: item.id,
        text: item.text,
        state: item.state,
        at: item.mark.as_ref().map(|mark| mark.at),
        why: item.mark.and_then(|mark| mark.why),
    };
    // What nobody has confirmed is the criterion of a success that did not come.
    let ended = duties::ended_without_the_fix(rollout);
    let all = rollout.success_criteria().into_iter();
    all.filter(|item| !ended || item.state != ItemState::Open).map(criterion).collect()
}

fn moments(rollout: &Rollout, log_summary: &LogSummary) -> Vec<MomentPart> {
    let came =
        |moment: &Moment| rollout.moment(*moment).map(|at| MomentPart { moment: *moment, at });
    let is_shown = |moment: &&Moment| match moment {
        Moment::Verified => rollout.verified_at().is_some(),
        // The traffic of a release that was superseded is withdrawn at this moment, too.
        Moment::RolledBack => !log_summary.rollbacks.is_empty(),
        _ => true,
    };
    let known = Moment::ALL.iter().filter(is_shown);
    let mut moments: Vec<MomentPart> = known.filter_map(came).collect();
    sort_by_key(&mut moments, |part| part.at);
    moments
}

fn plots(plan: &Plan, log_summary: &LogSummary) -> Plots {
    let policy = plan.policy();
    let metrics = policy.metrics().iter().filter_map(|metric| {
        let [new_version, live_version] = log_summary.levels.get(&metric.id)?;
        let (new_version, live_version) = (new_version.points(), live_version.points());
        let drawn = !new_version.is_empty() || !live_version.is_empty();
        drawn.then(|| MetricPlot {
            metric: metric.id,
            title: metric.title.clone(),
            kind: metric.kind,
            new_version,
            live_version,
            rollback_bound: metric.bounds.rollback.and_then(|bound| match bound.value {
                BoundValue::Absolute(figure) if !metric.scaled => Some(figure),
                _ => None,
            }),
        })
    });
    let mut plotted = vec![EvidencePlot {
        question: "worse",
        threshold: log_summary::threshold(plan),
        points: log_summary.worse.points(),
    }];
    if let Some(claim) = plan.efficacy() {
        let threshold = Some(-ln(claim.alpha.as_fraction()));
        plotted.push(EvidencePlot {
            question: "works",
            threshold,
            points: log_summary.works.points(),
        });
    }
    plotted.retain(|plot| !plot.points.is_empty());
    Plots { metrics: metrics.collect(), evidence: plotted, marks: log_summary.marks.clone() }
}
