//! The plan of one hot-fix: a policy, an incident, a release and its traffic.

mod advice;
mod assessment;
mod calibration;
mod commit;
mod demands;
mod digest;
mod document;
pub(crate) mod duration;
mod error;
mod gantt;
pub(crate) mod healthy;
mod normal;
mod page;
pub(crate) mod personal;
mod procedure;
mod recommend;
mod record;
mod risks;
mod scope;
mod sequence;
pub mod sight;
pub(crate) mod slo;
mod source_control;
mod strategy;
mod subject;
mod timeline;
mod way_back;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::canonical::{Digest, digest as digest_of};
use crate::fact::Facts;
use crate::gate::Numstat;
use crate::grade::Severity;
use crate::policy::Policy;
use crate::policy::section::Efficacy;
use crate::unit::MetricName;

pub use advice::PlannedAdvice;
pub(crate) use advice::has_check;
pub use assessment::{Ask, Assessment, FiredRule, Remark, RemarkKind};
pub use calibration::{Histories, MetricCalibration, PhaseCalibration};
pub use document::Document;
pub use duration::{Duration, StepTime, Times};
pub use error::PlanError;
pub use procedure::{Holds, PlannedRemedy, PlannedStep, Procedure};
pub use recommend::{Considered, IfKnown, Reason, ReasonCode, Recommendation, Weight};
pub use record::{PlanRecord, PlanStatus};
pub use risks::{Meanwhile, PlannedContingency, RatedRisk, Risks};
pub use sequence::{ChosenBy, ChosenStrategy, EndedBy, Move, Side, StrategyStep};
pub use sight::Sight;
pub use slo::{Estimate, Kept, Objective, Objectives};
pub use strategy::{Batches, Obstacle};
pub use subject::{
    Incident, Link, Method, PreparedBy, Preparer, Release, ReleaseRecord, RollbackPoint, Subject,
    Traffic, Window,
};
pub use timeline::{StepKind, TimelineOffset, TimelineStep};
pub use way_back::{
    NoWayBack, OnFailure, PointPart, ReturnStep, RollbackMethodPlan, RollbackPlan,
    RollbackPointPlan, SaidBy, Takes,
};

use recommend::Grounds;

/// What is to be done, agreed before anything is deployed. Immutable.
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
    digest: Digest,
}

impl Plan {
    /// Makes a plan.
    ///
    /// # Errors
    /// `HF-PLAN-002` to `HF-PLAN-005`, `HF-PLAN-009` for its facts, `HF-PLAN-010` to `HF-PLAN-014` for its strategy,
    /// `HF-PLAN-015` for the diff's figures, `HF-PLAN-017` for its record; `HF-JSON-002` for a fact that is a whole number
    /// beyond 2^53.
    pub fn try_new(policy: Arc<Policy>, subject: Subject) -> Result<Self, PlanError> {
        Self::make(policy, subject, strategy::effective, |_| Ok(BTreeMap::new()))
    }

    /// Makes a plan whose tests are calibrated on the house's own history (statistics, section 4).
    ///
    /// Each metric with a history is calibrated for each phase below 100%, for as many ticks as the phase may take. The
    /// plan keeps the calibrations and the history's digest.
    ///
    /// # Errors
    /// As [`try_new`](Self::try_new), and `HF-PLAN-006` to `HF-PLAN-008` for histories.
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
    /// subject.release.version = "2.3.1".to_owned();
    /// subject.release.previous = "2.3.0".to_owned();
    /// let plan = Plan::calibrated(Arc::new(Policy::preset("standard")?), subject, history)?;
    /// let (metric, calibrated) = plan.calibrations().first_key_value().ok_or("calibrated")?;
    /// assert_eq!((metric.as_str(), calibrated.phases.len()), ("error_rate", 2));
    /// assert!(calibrated.phases[0].calibration.as_ref().is_some_and(|c| c.threshold >= 100_f64.ln()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn calibrated(
        policy: Arc<Policy>,
        subject: Subject,
        histories: Histories,
    ) -> Result<Self, PlanError> {
        let calibrate = |policy: &Policy| calibration::calibrations(policy, histories);
        Self::make(policy, subject, strategy::effective, calibrate)
    }

    /// A plan with calibrations that were made before: those of a log, or of another process. Where `policy` is that of a
    /// plan and has the strategy that the release chose, its phases stay as they are.
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

    /// The plan for another release of the same incident, under the same policy and calibrations (FIELD-9, FIELD-13). It goes
    /// back to the same version, by the same strategy and in the same batches, which the release may leave out.
    ///
    /// # Errors
    /// As [`try_new`](Self::try_new), and `HF-PLAN-016` where one of the three is another.
    pub fn with_release(&self, mut release: Release) -> Result<Self, PlanError> {
        let now = &self.subject.release;
        let strategy = self.policy.strategy();
        let other = |field, is: String, other: String| PlanError::Otherwise { field, is, other };
        if release.previous != now.previous {
            return Err(other("/release/previous", now.previous.clone(), release.previous));
        }
        if let Some(chosen) = release.strategy.filter(|chosen| *chosen != strategy) {
            return Err(other("/release/strategy", strategy.to_string(), chosen.to_string()));
        }
        if let Some(batch) = release.batch.filter(|batch| now.batch != Some(*batch)) {
            let is = now.batch.map_or_else(|| "not set".to_owned(), |batch| batch.to_string());
            return Err(other("/release/batch", is, batch.to_string()));
        }
        (release.strategy, release.batch) = (now.strategy, now.batch);
        let subject = Subject { release, ..self.subject.clone() };
        Self::restored(Arc::clone(&self.policy), subject, self.calibrations.clone())
    }

    fn make(
        policy: Arc<Policy>,
        subject: Subject,
        follow: impl FnOnce(Arc<Policy>, &Subject, &Grounds<'_>) -> Result<Arc<Policy>, PlanError>,
        calibrate: impl FnOnce(&Policy) -> Result<BTreeMap<MetricName, MetricCalibration>, PlanError>,
    ) -> Result<Self, PlanError> {
        let Subject { incident, release, traffic } = &subject;
        for (field, text) in [
            ("/incident/id", &incident.id),
            ("/release/version", &release.version),
            ("/release/previous", &release.previous),
        ] {
            if text.trim().is_empty() {
                return Err(PlanError::Empty { field });
            }
        }
        release.record.as_ref().map_or(Ok(()), record::check)?;
        if release.version == release.previous {
            return Err(PlanError::SameVersion { version: release.version.clone() });
        }
        if let Some(requests) = traffic.requests_per_minute
            && !(requests.is_finite() && requests > 0.0)
        {
            return Err(PlanError::Traffic {
                field: "/traffic/requests_per_minute",
                got: requests.to_string(),
                expected: "a number above 0",
            });
        }
        if let (Some(canary), Some(all)) = (traffic.canary_instances, traffic.instances)
            && canary > all
        {
            return Err(PlanError::Traffic {
                field: "/traffic/canary_instances",
                got: canary.to_string(),
                expected: "at most `instances`",
            });
        }
        let facts = Facts::read(&incident.facts, policy.vocabulary())?;
        let severity = incident.severity.or_else(|| policy.classify(&facts).act_on());
        let policy = follow(policy, &subject, &Grounds::new(&subject, &facts, severity))?;
        let calibrations = calibrate(&policy)?;
        let diff = release.numstat.as_deref().map(Numstat::parse).transpose()?;
        let efficacy = efficacy(&policy, release.bug_metric)?;
        let methods = way_back::ways_back(&policy, release.methods.clone());
        let digest = digest::of(&policy, &subject, &calibrations)?;
        Ok(Self { policy, subject, facts, severity, diff, methods, efficacy, calibrations, digest })
    }

    /// Makes a plan from JSON documents of `docs/inputs.md`; `traffic` may be empty text.
    ///
    /// # Errors
    /// `HF-PLAN-001` to `HF-PLAN-005`.
    pub fn from_json(
        policy: Arc<Policy>,
        incident: &str,
        release: &str,
        traffic: &str,
    ) -> Result<Self, PlanError> {
        Self::calibrated_from_json(policy, incident, release, traffic, "")
    }

    /// [`calibrated`](Self::calibrated) from JSON documents of `docs/inputs.md`; `traffic` and `calibration` may be empty
    /// texts. `calibration` is `{metric: {instance: [[events, trials], …]}}`.
    ///
    /// # Errors
    /// `HF-PLAN-001` to `HF-PLAN-008`.
    pub fn calibrated_from_json(
        policy: Arc<Policy>,
        incident: &str,
        release: &str,
        traffic: &str,
        calibration: &str,
    ) -> Result<Self, PlanError> {
        let subject = Subject {
            incident: read("incident", incident)?,
            release: read("release", release)?,
            traffic: if traffic.trim().is_empty() {
                Traffic::default()
            } else {
                read("traffic", traffic)?
            },
        };
        if calibration.trim().is_empty() {
            Self::try_new(policy, subject)
        } else {
            Self::calibrated(policy, subject, read("calibration", calibration)?)
        }
    }

    /// The policy it follows: where the release chose another strategy, with that one and its phases (PLAN-1).
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Incident, release and traffic.
    pub const fn subject(&self) -> &Subject {
        &self.subject
    }

    /// What is known of the incident, as the policy reads it.
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The severity that the plan is made for: the incident's where it is given, else the one that the policy acts on while
    /// facts are unknown. None where nothing tells.
    pub const fn severity(&self) -> Option<Severity> {
        self.severity
    }

    /// The ways back, fastest first, but with blue-green a switch of sides before all others; at least one (PLAN-5).
    /// [`rollback`](Self::rollback) says more of them.
    pub fn methods(&self) -> &[Method] {
        &self.methods
    }

    /// The claim that the fix works, on the release's own bug metric.
    pub const fn efficacy(&self) -> Option<Efficacy> {
        self.efficacy
    }

    /// What the house's own history asks of the tests, by metric; empty without a history.
    pub const fn calibrations(&self) -> &BTreeMap<MetricName, MetricCalibration> {
        &self.calibrations
    }

    /// The seed of what is drawn at random for this plan: it follows from incident, release and traffic without the names of
    /// people, so every log has it.
    pub fn seed(&self) -> u64 {
        // What cannot be written in canonical JSON made no plan.
        let digest = digest_of(&*personal::nameless(&self.subject)).unwrap_or(Digest::ZERO);
        // 48 bits: every reader of JSON keeps them.
        digest.as_bytes()[..6].iter().fold(0, |seed, &byte| (seed << 8) | u64::from(byte))
    }

    /// SHA-256 of policy, subject and calibrations in canonical JSON, with empty text where they name people: the same on every
    /// platform, and in a log whose names were taken out. So the same plan with another name in it has the same digest, and one
    /// with one name more has another.
    pub const fn digest(&self) -> Digest {
        self.digest
    }
}

fn read<T: serde::de::DeserializeOwned>(
    document: &'static str,
    text: &str,
) -> Result<T, PlanError> {
    // A list would be read as fields in order.
    if !text.trim_start().starts_with('{') {
        return Err(PlanError::Syntax { document, fault: "it is no JSON object".to_owned() });
    }
    serde_json::from_str(text).map_err(|e| PlanError::Syntax { document, fault: e.to_string() })
}

fn efficacy(policy: &Policy, bug: Option<MetricName>) -> Result<Option<Efficacy>, PlanError> {
    let Some(efficacy) = policy.efficacy() else { return Ok(None) };
    let metric = bug.unwrap_or(efficacy.metric);
    let tested: Vec<MetricName> =
        policy.metrics().iter().filter(|m| m.is_rate()).map(|m| m.id).collect();
    if tested.contains(&metric) {
        Ok(Some(Efficacy { metric, ..*efficacy }))
    } else {
        let known = tested.iter().map(MetricName::as_str).collect::<Vec<_>>().join(", ");
        Err(PlanError::BugMetric { metric, known })
    }
}
