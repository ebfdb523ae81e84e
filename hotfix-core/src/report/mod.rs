//! The incident report, from the log alone (POST-1, POST-2, POST-6).
//!
//! [`Report::from_log`] reads a log once, in memory that its length does not raise, and gives plain data: `model.rs`. The page in
//! Markdown and the page in HTML are made of the same sections (`outline.rs`), JSON is the data itself.
//!
//! What the log says by itself is drawn from it: how it ended, whom it hurt, what each verdict saw, which duties were kept. What only
//! people can say comes from what they wrote: notes with a label, facts, the evidence of duties (`said.rs`). What nobody said
//! stands in one list, `open`, and nowhere as an empty heading. Prose names roles; names of people stand in the audit trail alone,
//! where they were not taken out of the log. Texts that people wrote are shown as they are: keep names out of them.

mod chart;
mod duties;
mod html;
mod hurt;
mod markdown;
pub mod measures;
mod model;
mod narrative;
mod outline;
mod phases;
mod plot;
mod review;
mod said;
mod series;
mod shortened;
mod story;
mod words;

use std::collections::BTreeMap;

use crate::grade::{Moment, closed_set};
use crate::plan::{Link, Plan};
use crate::policy::section::BoundValue;
use crate::rollout::{LogError, Rollout};
use crate::stats::numeric::ln;

pub use model::{
    ActionItem, ApprovalPart, AttemptComparison, AuditEntry, AuditTrail, Counted, DutyPart,
    DutyStanding, EvidencePlot, Impact, IncidentPart, Mark, MetricHurt, MetricPlot, MomentPart,
    PhaseEnd, PhaseVisit, Plots, PolicyPart, QuestionPart, ReleasePart, Report, Statement,
    TimelineEntry, VerdictPart,
};
pub use said::Topic;
pub use series::{Point, Points};
pub use shortened::Shortened;

use measures::{Course, Incident, Measures};
use story::Story;

closed_set! {
    /// How a report is written.
    Format {
        /// For a ticket or a repository: tables of GitHub's dialect.
        Markdown = "markdown",
        /// The data.
        Json = "json",
        /// One page with plots that needs nothing else.
        Html = "html",
    }
}

/// What keeps a report from being made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The log cannot be taken up.
    #[error("{0}")]
    Log(#[from] LogError),
    /// The rollout keeps no lines.
    #[error("this rollout keeps no log: pass the log to `report(log, format)`")]
    NoLog,
    /// The format is none.
    #[error("`{got}` is no format of a report: name `markdown`, `json` or `html`")]
    Format {
        /// What came.
        got: String,
    },
    /// It cannot be written.
    #[error("the report cannot be written: {fault}")]
    Write {
        /// Why.
        fault: String,
    },
}

impl ReportError {
    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Log(error) => error.code(),
            Self::NoLog => "HF-REP-001",
            Self::Format { .. } => "HF-REP-002",
            Self::Write { .. } => "HF-REP-003",
        }
    }
}

/// Writes the report of a log: `format` is `markdown`, `json` or `html`.
///
/// # Errors
/// `HF-REP-002` for another format; those of [`Rollout::replay`] for a log that cannot be taken up.
pub fn report(log: &[u8], format: &str) -> Result<String, ReportError> {
    let format = read_format(format)?;
    Report::from_log(log)?.write(format)
}

fn read_format(text: &str) -> Result<Format, ReportError> {
    text.parse().map_err(|_| ReportError::Format { got: crate::text::shown(text) })
}

impl Rollout {
    /// Writes the report of this rollout, of the lines that it keeps: `format` is `markdown`, `json` or `html`.
    ///
    /// # Errors
    /// `HF-REP-001` where it keeps no lines: give them to [`report`]; `HF-REP-002` for another
    /// format.
    pub fn report(&self, format: &str) -> Result<String, ReportError> {
        read_format(format)?;
        if self.log().is_empty() && self.now().is_some() {
            return Err(ReportError::NoLog);
        }
        match report(self.log().as_bytes(), format) {
            // Taken up from a snapshot, it keeps what came after that: the log does not begin here.
            Err(ReportError::Log(LogError { line: 1, .. })) if self.now().is_some() => {
                Err(ReportError::NoLog)
            }
            written => written,
        }
    }
}

impl Report {
    /// Reads a log, strictly, and draws the report from it.
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
        let mut story = Story::new();
        let mut course = Course::default();
        let rollout = Rollout::replay_each(log, |rollout, entry| {
            story.take(rollout, entry);
            course.fold(rollout, entry);
        })?;
        Ok(Self::tell(&rollout, story, &course))
    }

    fn tell(rollout: &Rollout, mut story: Story, course: &Course) -> Self {
        story.compare(rollout);
        let measures = Measures::of(Incident { rollout, course });
        let plan = rollout.plan();
        let policy = plan.policy();
        let subject = plan.subject();
        let as_of = story.as_of;
        let agenda = rollout.duties(as_of);
        let duties = story.duties.parts(plan, &agenda, &story.evidence);
        let visits = std::mem::take(&mut story.visits).finish(as_of);
        let sight = plan.sight();
        let severity = rollout.severity();
        let said = |topic| review::said(&story, topic);
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
                severity_label: severity
                    .and_then(|s| policy.severity(s))
                    .map(|level| level.label.clone()),
            },
            release: release(rollout),
            policy: PolicyPart {
                name: policy.name(),
                title: policy.title().to_owned(),
                digest: policy.digest(),
            },
            state: rollout.state(),
            summary: narrative::summary(rollout, &story, &measures),
            moments: moments(rollout),
            impact: narrative::impact(rollout, &story, course),
            detection: narrative::detection(&story, &measures),
            not_caught_earlier: narrative::not_caught_earlier(plan, &sight, &visits),
            root_cause: said(Topic::RootCause),
            conditions: said(Topic::Conditions),
            resolution: narrative::resolution(rollout, &story, &visits),
            said: [
                Topic::Impact,
                Topic::Detection,
                Topic::Resolution,
                Topic::Verification,
                Topic::NotCaughtEarlier,
                Topic::WentWell,
                Topic::ToImprove,
            ]
            .into_iter()
            .map(|topic| (topic.as_str(), said(topic)))
            .filter(|(_, said)| !said.is_empty())
            .collect(),
            went_well: review::went_well(rollout, &story, &duties, &visits),
            to_improve: review::to_improve(rollout, &story, &duties, &visits, &sight),
            action_items: review::action_items(rollout, &agenda, &duties, &story),
            prevention: said(Topic::Prevention),
            questions: review::questions(asked, &story),
            house_sections: review::house_sections(asked, &story),
            measures,
            measures_asked: asked.map(|asked| asked.measures.clone()).unwrap_or_default(),
            open: Vec::new(),
            plots: plots(plan, &story),
            audit_trail: AuditTrail {
                lines: story.lines,
                head: rollout.head().unwrap_or(crate::canonical::Digest::ZERO),
                plan_digest: plan.digest(),
                redacted: story.has_names_taken_out,
                approvals: story.approvals,
                entries: story.audit,
            },
            timeline: story.timeline,
            verdicts: story.verdicts,
            comparisons: story.comparisons,
            phases: visits,
            duties,
            sight,
        };
        report.open = review::open(rollout, &report);
        report
    }

    /// Writes it.
    ///
    /// # Errors
    /// `HF-REP-003` where it cannot be written, which a report from a log can.
    pub fn write(&self, format: Format) -> Result<String, ReportError> {
        match format {
            Format::Markdown => Ok(markdown::page(&outline::title(self), &outline::outline(self))),
            Format::Json => serde_json::to_string_pretty(self)
                .map_err(|error| ReportError::Write { fault: error.to_string() }),
            Format::Html => html::page(self),
        }
    }
}

fn release(rollout: &Rollout) -> ReleasePart {
    let (plan, policy) = (rollout.plan(), rollout.plan().policy());
    let release = &plan.subject().release;
    let links = release.record.as_ref().map(|record| &record.links);
    let links: BTreeMap<&'static str, String> = links
        .into_iter()
        .flatten()
        .map(|(link, place): (&Link, &String)| (link.as_str(), place.clone()))
        .collect();
    ReleasePart {
        version: release.version.clone(),
        previous: release.previous.clone(),
        strategy: policy.strategy(),
        attempts: rollout.attempt(),
        description: release.description.clone(),
        branch: release.branch.clone(),
        commit: release.commit.clone(),
        stop_gap: release.stop_gap,
        links,
    }
}

fn moments(rollout: &Rollout) -> Vec<MomentPart> {
    let came =
        |moment: &Moment| rollout.moment(*moment).map(|at| MomentPart { moment: *moment, at });
    let mut moments: Vec<MomentPart> = Moment::ALL.iter().filter_map(came).collect();
    moments.sort_by_key(|part| part.at);
    moments
}

fn plots(plan: &Plan, story: &Story) -> Plots {
    let policy = plan.policy();
    let metrics = policy.metrics().iter().filter_map(|metric| {
        let [new_version, live_version] = story.levels.get(&metric.id)?;
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
    let evidence = policy.evidence();
    let halves = if evidence.phase_end_test { 2.0 } else { 1.0 };
    let threshold = -ln(evidence.alpha.as_fraction() / halves);
    let mut plotted = vec![EvidencePlot {
        question: "worse",
        threshold: Some(threshold).filter(|threshold| threshold.is_finite()),
        points: story.worse.points(),
    }];
    if let Some(claim) = plan.efficacy() {
        let threshold = Some(-ln(claim.alpha.as_fraction()));
        plotted.push(EvidencePlot { question: "works", threshold, points: story.works.points() });
    }
    plotted.retain(|plot| !plot.points.is_empty());
    Plots { metrics: metrics.collect(), evidence: plotted, marks: story.marks.clone() }
}
