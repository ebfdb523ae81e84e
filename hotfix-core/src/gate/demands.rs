//! The demands of a severity before and after the deployment: review, testing, approvals.

use serde::Serialize;

use crate::fact::{Deduced, FactId, Facts, Truth};
use crate::grade::{ReviewTime, Severity, closed_set};
use crate::policy::Policy;
use crate::policy::section;
use crate::sorting::set_of;
use crate::unit::{RoleName, Span};

closed_set! {
    /// The basis of a severity.
    SeverityBasis {
        Given = "given",
        /// The known facts give it, and no unknown fact can change it.
        Settled = "settled",
        /// The policy assumes it while facts are unknown; it may change.
        Assumed = "assumed",
        /// It is not known.
        Unknown = "unknown",
    }
    /// Whether the fix has to pass staging first.
    StagingVerdict {
        /// It has to.
        Required = "required",
        /// The policy allows it to skip staging in this case.
        MayBeLeftOut = "may_be_left_out",
        /// The known facts do not decide it.
        Unknown = "unknown",
        /// The policy demands no staging.
        NotAsked = "not_asked",
    }
}

/// All demands of a severity.
///
/// A demand that the policy or the severity does not have is absent; `in_policy` is false for a
/// severity that the policy does not have.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Demands {
    /// The severity. Absent where it is not known: then only the demands of the whole policy apply.
    pub severity: Option<Severity>,
    /// Its basis.
    pub basis: SeverityBasis,
    /// The unknown facts that can still change the severity; empty where it is given or settled.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub would_tell: Vec<FactId>,
    /// Whether the policy has this severity.
    pub in_policy: bool,
    /// The organisation's name for it.
    pub label: Option<String>,
    /// Whether it is answered with a hot-fix at all.
    pub hotfix: Option<bool>,
    /// How its process differs from the normal one.
    pub process: Option<String>,
    /// The approvals, all of which are needed: those of the severity, then those of the whole
    /// policy.
    pub approvals: Vec<ApprovalDemand>,
    /// The review.
    pub review: Option<ReviewDemand>,
    /// The testing.
    pub testing: Option<TestingDemand>,
}

/// A role in an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoleDemand {
    /// The role.
    pub role: RoleName,
    /// What people call it. Absent where the policy does not declare it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The roles that stand in for it, the first choice first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stand_ins: Vec<RoleName>,
}

/// One demand for approval: any one of these roles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ApprovalDemand {
    /// The roles, any one of which is enough.
    pub any_of: Vec<RoleDemand>,
    /// Whether verbal approval is accepted.
    pub verbal: bool,
    /// How long after the start it may still be given. Absent: not after the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_the_fact: Option<Span>,
    /// The roles that are notified of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notified: Vec<RoleName>,
    /// Whether the start waits for it.
    pub holds_start: bool,
    /// Whether the author of the fix may give it.
    pub author_alone: bool,
}

/// The demanded review.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReviewDemand {
    /// Before or after the deployment.
    pub time: ReviewTime,
    /// How many people review it.
    pub approvers: u32,
    /// The role that reviews. Absent: anybody but the author.
    pub role: Option<RoleDemand>,
    /// How long it takes at least.
    pub least: Option<Span>,
    /// How long it may take.
    pub most: Option<Span>,
    /// What reviewers ask themselves.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<String>,
}

/// The demanded testing.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TestingDemand {
    /// How long it takes at least.
    pub least: Option<Span>,
    /// How long it may take.
    pub most: Option<Span>,
    /// Whether the fix passes staging first.
    pub staging: StagingDemand,
    /// What is tested, or shown by a test.
    pub demands: Vec<String>,
}

/// Whether the fix passes staging first, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StagingDemand {
    /// The answer.
    pub verdict: StagingVerdict,
    /// The facts that it depends on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<StagingFact>,
    /// The unknown facts that would decide it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub would_tell: Vec<FactId>,
}

/// A fact with its value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StagingFact {
    /// Which.
    pub fact: FactId,
    /// Its value, known or implied by known facts, or the range that is implied.
    pub value: Deduced,
}

impl Demands {
    /// The demands of a policy at a severity, given the known facts of the incident.
    ///
    /// Pass the severity with its basis; `would_tell` is filled where it is assumed or unknown.
    ///
    /// ```
    /// use hotfix_core::fact::Facts;
    /// use hotfix_core::gate::{Demands, SeverityBasis, StagingVerdict};
    /// use hotfix_core::grade::{ReviewTime, Severity};
    /// use hotfix_core::policy::Policy;
    ///
    /// let policy = Policy::preset("severity-matrix")?;
    /// let p0 = Demands::new(&policy, Some(Severity::P0), SeverityBasis::Given, &Facts::default());
    /// assert_eq!(p0.review.map(|review| review.time), Some(ReviewTime::Any));
    /// // Whether staging may be left out hangs on one fact.
    /// let staging = p0.testing.ok_or("testing")?.staging;
    /// assert_eq!(staging.verdict, StagingVerdict::Unknown);
    /// assert_eq!(staging.would_tell[0].as_str(), "service_down");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(
        policy: &Policy,
        severity: Option<Severity>,
        basis: SeverityBasis,
        facts: &Facts,
    ) -> Self {
        let level = severity.and_then(|severity| policy.severity(severity));
        let would_tell = match basis {
            SeverityBasis::Given | SeverityBasis::Settled => Vec::new(),
            SeverityBasis::Assumed | SeverityBasis::Unknown => policy.classify(facts).decisive(),
        };
        let own = level.map_or(&[][..], |level| &level.approvals);
        let said = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        Self {
            severity,
            basis,
            would_tell,
            in_policy: level.is_some(),
            label: level.and_then(|level| said(&level.label)),
            hotfix: level.map(|level| level.hotfix),
            process: level.and_then(|level| said(&level.process)),
            approvals: own
                .iter()
                .chain(policy.approvals())
                .map(|one| approval(policy, one))
                .collect(),
            review: level
                .and_then(|level| level.review.as_ref())
                .map(|asked| review(policy, asked)),
            testing: level
                .and_then(|level| level.testing.as_ref())
                .map(|asked| testing(policy, asked, facts)),
        }
    }
}

fn role(policy: &Policy, role: RoleName) -> RoleDemand {
    let declared = policy.role(role);
    RoleDemand {
        role,
        title: declared.map(|role| role.title.clone()),
        stand_ins: declared.map(|role| role.stand_ins.clone()).unwrap_or_default(),
    }
}

fn approval(policy: &Policy, asked: &section::Approval) -> ApprovalDemand {
    ApprovalDemand {
        any_of: asked.any_of.iter().map(|name| role(policy, *name)).collect(),
        verbal: asked.verbal,
        after_the_fact: asked.after_the_fact,
        notified: asked.notified.clone(),
        holds_start: asked.holds_start(),
        author_alone: asked.author_alone,
    }
}

fn review(policy: &Policy, asked: &section::Review) -> ReviewDemand {
    ReviewDemand {
        time: asked.time,
        approvers: asked.approvers,
        role: asked.role.map(|name| role(policy, name)),
        least: asked.least,
        most: asked.most,
        questions: asked.questions.clone(),
    }
}

fn testing(policy: &Policy, asked: &section::Testing, facts: &Facts) -> TestingDemand {
    TestingDemand {
        least: asked.least,
        most: asked.most,
        staging: staging(policy, asked, facts),
        demands: asked.demands.clone(),
    }
}

fn staging(policy: &Policy, asked: &section::Testing, facts: &Facts) -> StagingDemand {
    let plainly = |verdict| StagingDemand { verdict, because: Vec::new(), would_tell: Vec::new() };
    if !asked.staging {
        return plainly(StagingVerdict::NotAsked);
    }
    let Some(exception) = &asked.skip_staging_when else {
        return plainly(StagingVerdict::Required);
    };
    let facts = policy.classify(facts).informed();
    let verdict = match facts.holds(exception) {
        Truth::Yes => StagingVerdict::MayBeLeftOut,
        Truth::No => StagingVerdict::Required,
        Truth::Unknown => StagingVerdict::Unknown,
    };
    let (mut because, mut would_tell) = (Vec::new(), Vec::new());
    // In the order of their ids.
    for fact in set_of(exception.facts()) {
        match facts.get(fact) {
            Some(value) => because.push(StagingFact { fact, value }),
            None => would_tell.push(fact),
        }
    }
    if verdict != StagingVerdict::Unknown {
        would_tell.clear();
    }
    StagingDemand { verdict, because, would_tell }
}
