//! The plan of one hot-fix: a policy, an incident, a release and its traffic.
//!
//! Make a [`Plan`] with [`Plan::from_json`], read its views before anything is deployed, such as
//! [`Plan::power`], [`Plan::timeline`] and [`Plan::to_markdown`], and pass it to
//! [`Rollout::try_new`](crate::rollout::Rollout::try_new). A view is computed when it is asked for.

mod advice;
mod assessment;
mod by_chance;
mod calibration;
mod change_record;
mod commands;
mod contacts;
mod demands;
pub(crate) mod digest;
mod document;
pub(crate) mod duration;
mod error;
mod error_budget;
mod first_steps;
mod follow_up;
pub(crate) mod healthy;
pub(crate) mod load;
mod new_instances;
mod page;
pub mod power;
mod procedure;
mod read;
mod recommend;
mod risks;
mod rollback;
mod sequence;
pub(crate) mod slo;
mod source_control;
mod strategy;
mod subject;
mod thresholds;
mod timeline;
pub(crate) mod volume;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::canonical::{Digest, digest as digest_of};
use crate::fact::Facts;
use crate::gate::Numstat;
use crate::getters::getters;
use crate::grade::Severity;
use crate::policy::Policy;
use crate::policy::section::Efficacy;
use crate::text::joined;
use crate::unit::MetricName;

pub use advice::PlannedAdvice;
pub(crate) use advice::has_check;
pub use assessment::{Ask, Assessment, FiredRule, PlanFinding, PlanFindingKind};
pub use calibration::{
    Histories, HistoryBursts, MetricCalibration, PhaseCalibration, PlanHistories, SlowHistories,
};
pub use change_record::{PlanChangeRecord, PlanStatus};
pub(crate) use commands::Commanded;
pub use commands::{CommandOwner, PlannedCommand, PlannedCommands};
pub(crate) use contacts::called_first;
pub use contacts::{Contacts, PlannedPage};
pub(crate) use demands::only_author;
pub use document::PlanDocument;
pub use duration::{Duration, StepTime, Times};
pub use error::PlanError;
pub use error_budget::ErrorBudget;
pub use first_steps::{FirstStep, FirstStepKind};
pub use follow_up::{FollowUp, LaterDuty, LaterItem, LaterList};
pub use power::Power;
pub use procedure::{Holds, PlannedRemedy, PlannedStep, Procedure};
pub(crate) use read::no_long_text;
pub use recommend::{Considered, Reason, ReasonCode, Recommendation, Weight};
pub use risks::{Meanwhile, PlannedContingency, RatedRisk, Risks};
pub(crate) use rollback::SCHEMA_RISK;
pub use rollback::{
    NotReversible, OnFailure, PointPart, ReturnStep, RollbackMethodPlan, RollbackPlan,
    RollbackPointPlan, StatedBy,
};
pub use sequence::{ChosenBy, ChosenStrategy, EndedBy, Move, Side, StrategyStep};
pub use slo::{Estimate, Kept, Objective, Objectives};
pub use strategy::{Batches, Obstacle};
pub(crate) use strategy::{instances_of_two, phases as phases_of};
pub use subject::{
    ChangeRecord, CommitText, Incident, Link, Method, PreparedBy, Preparer, Release, RollbackPoint,
    Subject, Traffic, Window,
};
pub use thresholds::{Threshold, Thresholds};
pub use timeline::{StepKind, TimelineOffset, TimelineStep};

use recommend::Grounds;
pub(crate) use source_control::Former;

/// The plan of a hot-fix, agreed before anything is deployed. Immutable.
///
/// At the start of an incident it may have no release. What needs one then states that it is missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    policy: Arc<Policy>,
    subject: Subject,
    facts: Facts,
    severity: Option<Severity>,
    diff: Option<Numstat>,
    methods: Vec<Method>,
    efficacy: Option<Efficacy>,
    calibrations: BTreeMap<MetricName, MetricCalibration>,
    former: Option<Former>,
    digest: Digest,
}

impl Plan {
    /// Makes a plan.
    ///
    /// # Errors
    /// A [`PlanError`] for an empty or impossible value, facts that the policy does not accept, an
    /// impossible strategy or batch, unreadable figures of the diff, times of the incident that
    /// cannot be right, or an invalid change record.
    pub fn try_new(policy: Arc<Policy>, subject: Subject) -> Result<Self, PlanError> {
        subject.check_texts()?;
        Self::make(policy, subject, strategy::effective, |_| Ok(BTreeMap::new()))?.in_order()
    }

    /// Makes a plan whose tests are calibrated with your own history, of counts or of request times.
    ///
    /// Each metric with a history is calibrated for each phase below 100%, for the most ticks of
    /// the phase; a latency for all of them together. The plan keeps the calibrations and the digest
    /// of the history.
    ///
    /// # Errors
    /// As [`try_new`](Self::try_new), and a [`PlanError`] for a history that cannot be used.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::{Histories, Plan, Subject}, policy::Policy, unit::MetricName};
    ///
    /// // Ten pods over six hours, an error now and then.
    /// let pod = |n: usize| (0..2160).map(|tick| [f64::from(u8::from(tick % 100 == n)), 17.0]).collect();
    /// let pods = (0..10).map(|n| (format!("pod-{n}"), pod(n))).collect();
    /// let history = Histories::from([(MetricName::try_new("error_rate")?, pods)]);
    ///
    /// let mut subject = Subject::default();
    /// subject.incident.id = "INC-2041".to_owned();
    /// subject.release = Some(serde_json::from_str(r#"{"version": "2.3.1", "previous": "2.3.0"}"#)?);
    /// let plan = Plan::calibrated(Arc::new(Policy::preset("standard")?), subject, history)?;
    /// let (metric, calibrated) = plan.calibrations().first_key_value().ok_or("calibrated")?;
    /// assert_eq!((metric.as_str(), calibrated.phases.len()), ("error_rate", 2));
    /// assert!(calibrated.phases[0].calibration.as_ref().is_some_and(|c| c.threshold >= 100_f64.ln()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn calibrated(
        policy: Arc<Policy>,
        subject: Subject,
        histories: impl Into<PlanHistories>,
    ) -> Result<Self, PlanError> {
        let histories = histories.into();
        subject.check_texts()?;
        let drawn = (seed_of(&subject), subject.traffic.requests_per_minute);
        let calibrate = |policy: &Policy| calibration::calibrations(policy, histories, drawn);
        Self::make(policy, subject, strategy::effective, calibrate)?.in_order()
    }

    /// A plan that reuses the calibrations of a plan for another policy, `made_for`, as far as the
    /// tests have the same settings under `policy`.
    ///
    /// # Errors
    /// As [`try_new`](Self::try_new).
    pub(crate) fn calibrated_as(
        policy: Arc<Policy>,
        subject: Subject,
        (made_for, calibrations): (&Policy, &BTreeMap<MetricName, MetricCalibration>),
    ) -> Result<Self, PlanError> {
        subject.check_texts()?;
        let fitting = |policy: &Policy| {
            Ok(calibration::still_fitting(policy, made_for, calibrations.clone()))
        };
        Self::make(policy, subject, strategy::effective, fitting)?.in_order()
    }

    /// A plan with calibrations that exist already, from a log or another process. If `policy` is
    /// that of a plan, with the strategy that the release chose, its phases are not derived again.
    ///
    /// # Errors
    /// As [`try_new`](Self::try_new).
    pub fn restored(
        policy: Arc<Policy>,
        subject: Subject,
        calibrations: BTreeMap<MetricName, MetricCalibration>,
    ) -> Result<Self, PlanError> {
        Self::make(policy, subject, strategy::kept, |_| Ok(calibrations))
    }

    /// The plan for another attempt at the same incident, under the same policy and calibrations, by what is
    /// known of the `incident` now. Without a `release` it is for the present one again.
    ///
    /// The first release of a plan without one may choose strategy and batches, unless the plan has
    /// calibrations, which are those of its phases. Another release has the same previous version,
    /// or the one that was `restored` instead, and the same strategy and batches, which it may
    /// omit.
    ///
    /// # Errors
    /// As [`try_new`](Self::try_new), and [`PlanError::Otherwise`] if one of the three differs.
    pub(crate) fn again(
        &self,
        incident: Incident,
        release: Option<&Release>,
        restored: Option<&str>,
    ) -> Result<Self, PlanError> {
        let now = self.release();
        let release = match release {
            Some(release) => Some(self.with_strategy(release.clone(), restored)?),
            None => now.cloned(),
        };
        let versions = now.zip(release.as_ref()).map(|(now, next)| [&now.version, &next.version]);
        let former = if versions.is_some_and(|[now, next]| now != next) {
            self.as_former()
        } else {
            self.former.clone()
        };
        let subject = Subject { incident, release, traffic: self.subject.traffic.clone() };
        let plan = Self::restored(Arc::clone(&self.policy), subject, self.calibrations.clone())?;
        Ok(plan.after(former))
    }

    /// Another release, with the strategy and batches of the present one.
    fn with_strategy(
        &self,
        mut release: Release,
        restored: Option<&str>,
    ) -> Result<Release, PlanError> {
        let now = self.release();
        let strategy = self.policy.strategy();
        let other = |field, is: String, other: String| PlanError::Otherwise { field, is, other };
        let is_live = |version: &str| release.previous == version;
        if let Some(now) =
            now.filter(|now| !is_live(&now.previous) && !restored.is_some_and(is_live))
        {
            return Err(other("/release/previous", now.previous.clone(), release.previous));
        }
        if now.is_some() || !self.calibrations.is_empty() {
            if let Some(chosen) = release.strategy.filter(|chosen| *chosen != strategy) {
                return Err(other("/release/strategy", strategy.to_string(), chosen.to_string()));
            }
            let batch_now = self.subject.chosen_batch();
            if let Some(batch) = release.batch.filter(|batch| batch_now != Some(*batch)) {
                let is = batch_now.map_or_else(|| "not set".to_owned(), |batch| batch.to_string());
                return Err(other("/release/batch", is, batch.to_string()));
            }
            (release.strategy, release.batch) = (self.subject.chosen_strategy(), batch_now);
        }
        Ok(release)
    }

    pub(crate) fn after(self, former: Option<Former>) -> Self {
        Self { former, ..self }
    }

    pub(crate) const fn former(&self) -> Option<&Former> {
        self.former.as_ref()
    }

    fn make(
        policy: Arc<Policy>,
        subject: Subject,
        follow: impl FnOnce(Arc<Policy>, &Subject, &Grounds<'_>) -> Result<Arc<Policy>, PlanError>,
        calibrate: impl FnOnce(&Policy) -> Result<BTreeMap<MetricName, MetricCalibration>, PlanError>,
    ) -> Result<Self, PlanError> {
        let Subject { incident, release, traffic } = &subject;
        is_given("/incident/id", &incident.id)?;
        if let Some(release) = release {
            is_given("/release/version", &release.version)?;
            is_given("/release/previous", &release.previous)?;
            release.change_record.as_ref().map_or(Ok(()), change_record::check)?;
            if release.version == release.previous {
                return Err(PlanError::SameVersion { version: release.version.clone() });
            }
        }
        if let Some(requests) = traffic.requests_per_minute
            && !(requests.is_finite() && requests > 0.0)
        {
            let (field, expected) = ("/traffic/requests_per_minute", "a number above 0");
            return Err(PlanError::Traffic { field, got: requests.to_string(), expected });
        }
        if let (Some(canary), Some(all)) = (traffic.canary_instances, traffic.instances)
            && canary > all
        {
            let (field, expected) = ("/traffic/canary_instances", "at most `instances`");
            return Err(PlanError::Traffic { field, got: canary.to_string(), expected });
        }
        let facts = Facts::read(&incident.facts, policy.vocabulary())?;
        let severity = incident.severity.or_else(|| policy.classify(&facts).act_on());
        let policy = follow(policy, &subject, &Grounds::new(&subject, &facts, severity))?;
        let calibrations = calibrate(&policy)?;
        let numstat = release.as_ref().and_then(|release| release.numstat.as_deref());
        let diff = numstat.map(Numstat::parse).transpose()?;
        let efficacy = efficacy(&policy, release.as_ref().and_then(|release| release.bug_metric))?;
        let methods = rollback::methods_of(&policy, &subject);
        let digest = digest::of(&policy, &subject, &calibrations)?;
        Ok(Self {
            policy,
            subject,
            facts,
            severity,
            diff,
            methods,
            efficacy,
            calibrations,
            former: None,
            digest,
        })
    }

    /// Makes a plan from the JSON documents of `docs/inputs.md`. `traffic` may be an empty text.
    /// `release` is an empty text or `null` while there is no fix yet.
    ///
    /// # Errors
    /// [`PlanError::Values`] for an unreadable document, and as [`try_new`](Self::try_new).
    pub fn from_json(
        policy: Arc<Policy>,
        incident: &str,
        release: &str,
        traffic: &str,
    ) -> Result<Self, PlanError> {
        Self::try_new(policy, Subject::from_json(incident, release, traffic)?)
    }

    /// [`calibrated`](Self::calibrated) from the JSON documents of `docs/inputs.md`, as
    /// [`from_json`](Self::from_json). `calibration` may be an empty text. It is `{metric:
    /// {instance: [[events, trials], …]}}`, and of a latency [`SlowHistories`].
    ///
    /// # Errors
    /// [`PlanError::Values`] for an unreadable document, and as [`calibrated`](Self::calibrated).
    pub fn calibrated_from_json(
        policy: Arc<Policy>,
        incident: &str,
        release: &str,
        traffic: &str,
        calibration: &str,
    ) -> Result<Self, PlanError> {
        let subject = Subject::from_json(incident, release, traffic)?;
        let histories = PlanHistories::from_json(&policy, calibration)?;
        Self::calibrated(policy, subject, histories)
    }

    /// The policy that it follows, with the strategy that the release chose and its phases.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// [`policy`](Self::policy) as a pointer that is shared with the plan.
    pub fn shared_policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy)
    }

    /// The policy's error probabilities, divided among the decisions that spend them.
    pub fn error_budget(&self) -> ErrorBudget<'_> {
        ErrorBudget::new(&self.policy)
    }

    /// The random seed of this plan, from the digest of its subject without names of people: a log
    /// gives the same one, with or without redacted names.
    pub fn seed(&self) -> u64 {
        seed_of(&self.subject)
    }
}

getters! {
    pub Plan: self;

    /// Incident, release and traffic.
    subject: &Subject = &self.subject;
    /// The release with the fix; None while nobody has named it.
    release: Option<&Release> = self.subject.release.as_ref();
    /// The known facts of the incident, as the policy reads them.
    facts: &Facts = &self.facts;
    /// The severity of the plan: the incident's, or else the policy's result for the known facts.
    severity: Option<Severity> = self.severity;
    /// The rollback methods in the order in which the rollout tries them. At least one: those that
    /// the release names, else those of the policy and of the strategy.
    /// [`rollback`](Self::rollback) has the details.
    methods: &[Method] = self.methods.as_slice();
    /// The policy's test that the fix works, on the release's bug metric if it names one.
    efficacy: Option<Efficacy> = self.efficacy;
    /// The calibrations from your own history, by metric. Empty without a history.
    calibrations: &BTreeMap<MetricName, MetricCalibration> = &self.calibrations;
    /// SHA-256 of policy, subject and calibrations in canonical JSON, with an empty text for each
    /// name of a person. It is the same on every platform, and in a log with redacted names.
    /// Another name does not change the digest, but an additional name does.
    digest: Digest = self.digest;
}

fn seed_of(subject: &Subject) -> u64 {
    // A plan can always be written in canonical JSON.
    let digest = digest_of(&*digest::nameless(subject)).unwrap_or(Digest::ZERO);
    // 48 bits, which every JSON reader represents exactly.
    digest.as_bytes()[..6].iter().fold(0, |seed, &byte| (seed << 8) | u64::from(byte))
}

fn is_given(field: &'static str, text: &str) -> Result<(), PlanError> {
    if text.trim().is_empty() { Err(PlanError::Empty { field }) } else { Ok(()) }
}

fn efficacy(policy: &Policy, bug: Option<MetricName>) -> Result<Option<Efficacy>, PlanError> {
    let Some(efficacy) = policy.efficacy() else { return Ok(None) };
    let metric = bug.unwrap_or(efficacy.metric);
    let tested: Vec<MetricName> =
        policy.metrics().iter().filter(|m| m.is_rate()).map(|m| m.id).collect();
    if tested.contains(&metric) {
        Ok(Some(Efficacy { metric, ..*efficacy }))
    } else {
        let known = joined(tested.iter().map(MetricName::as_str), ", ");
        Err(PlanError::BugMetric { metric, known })
    }
}
