//! Enumerations that the policy and the engines share, such as [`Severity`], [`Strategy`] and
//! [`MetricKind`]. In JSON and TOML each value is a string.

/// Enumerations, each value with its string. A value whose name says what it means needs no comment.
macro_rules! closed_set {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* #[allow(missing_docs)] $variant,)+
        }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
            pub(crate) const NAMES: &'static [&'static str] = &[$($text,)+];

            /// The value as a string, as in JSON and TOML.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl $crate::grade::ClosedSet for $name {
            const SET: (&'static [Self], &'static [&'static str]) = (Self::ALL, Self::NAMES);
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::grade::UnknownName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let index = $crate::grade::index_of(Self::NAMES, text);
                index.map(|index| Self::ALL[index]).ok_or($crate::grade::UnknownName)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let index = deserializer.deserialize_str($crate::grade::OneOf(Self::NAMES))?;
                Ok(Self::ALL[index])
            }
        }
    )*};
}
pub(crate) use closed_set;

mod signal;
mod source_control;

pub use signal::Signal;
pub use source_control::{CommitField, Flow, MergeKind, TagForm, VcsStep, Versioning};

/// An enumeration that [`closed_set!`] made.
pub(crate) trait ClosedSet: Copy + 'static {
    const SET: (&'static [Self], &'static [&'static str]);
}

/// Finds a text among names.
pub(crate) fn index_of(names: &[&str], text: &str) -> Option<usize> {
    names.iter().position(|name| *name == text)
}

/// Reads one of these names; the result is its index. One visitor for all enumerations, because
/// derived ones would be a large part of the library.
pub(crate) struct OneOf(pub(crate) &'static [&'static str]);

impl serde::de::Visitor<'_> for OneOf {
    type Value = usize;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("one of ")?;
        for (index, name) in self.0.iter().enumerate() {
            write!(f, "{}`{name}`", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<usize, E> {
        index_of(self.0, text).ok_or_else(|| E::unknown_variant(text, self.0))
    }
}

/// The error for a text that is not a value of the enumeration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not one of the known names")]
pub struct UnknownName;

impl UnknownName {
    /// The stable code; a code is never used again.
    pub const fn code(self) -> &'static str {
        "HF-UNIT-011"
    }
}

closed_set! {
    /// The severity of an incident, the most severe first.
    Severity {
        /// Critical.
        P0 = "P0",
        /// High.
        P1 = "P1",
        /// Medium.
        P2 = "P2",
        /// Low.
        P3 = "P3",
    }
    /// Whether a hot-fix is needed.
    Hotfix {
        Yes = "yes",
        /// No hot-fix: the change takes the normal process.
        No = "no",
        /// The known facts do not decide it, or the policy does not say.
        Unknown = "unknown",
    }
    /// Which severity applies while facts are unknown.
    ActOn {
        /// The severity that is certain.
        Confirmed = "confirmed",
        /// The worst possible severity.
        AtWorst = "at_worst",
    }
    /// What happens if an exclusion and a rule for a hot-fix both fire.
    Exclusions {
        /// The exclusion yields: a hot-fix.
        Yield = "yield",
        /// The exclusion wins: no hot-fix.
        Win = "win",
        /// A person decides.
        Ask = "ask",
    }
    /// The kind of the readings of a metric.
    MetricKind {
        /// Events out of trials, such as errors out of requests.
        Proportion = "proportion",
        /// Events during a time, such as exceptions per minute.
        Count = "count",
        /// A distribution of latencies: histogram buckets or raw samples.
        Latency = "latency",
        /// A current value, such as memory usage.
        Gauge = "gauge",
        /// Requests per minute, scaled by the share of the traffic.
        Volume = "volume",
    }
    /// The direction in which a metric is worse.
    Worse {
        /// Higher is worse, as for errors and latency.
        Higher = "higher",
        /// Lower is worse, as for success and volume.
        Lower = "lower",
    }
    /// What a bound refers to.
    BoundBase {
        Absolute = "absolute",
        /// The value of the metric before the incident, its key `reference`.
        Reference = "reference",
        /// The live baseline arm; in a hot-fix that is the faulty version.
        Live = "live",
    }
    /// What a metric is for.
    #[derive(Default)]
    Role {
        /// Its bounds and its test decide.
        #[default]
        Decide = "decide",
        /// The metric is watched and reported, but decides nothing.
        Watch = "watch",
    }
    /// How traffic is moved to the fix. With a feature flag the version is already deployed. With
    /// every other strategy it is deployed first, and the phases then say which share of the
    /// traffic it gets.
    Strategy {
        /// A growing share of the traffic.
        Canary = "canary",
        /// A feature flag's percentage.
        FeatureFlag = "feature_flag",
        /// Two sides, live and idle: the version is deployed to the idle side, then traffic is
        /// switched. Switching back is the first rollback method.
        BlueGreen = "blue_green",
        /// Some instances at a time.
        Rolling = "rolling",
        /// All traffic at once.
        Immediate = "immediate",
    }
    /// Who promotes a phase.
    GateMode {
        /// The engine, when the promotion rule holds.
        Automatic = "automatic",
        /// A person decides.
        Manual = "manual",
        /// The engine, unless a person vetoes within the veto window.
        Veto = "veto",
    }
    /// The criterion for a promotion.
    PromotionRule {
        /// The minimum time and traffic are reached, the success bounds are met, and the evidence
        /// of harm is below the hold level.
        NoEvidenceOfHarm = "no_evidence_of_harm",
        /// The promotion test has shown that the fix is not worse than the margin.
        EvidenceOfNoHarm = "evidence_of_no_harm",
    }
    /// On what the thresholds of the tests are based, because errors come in bursts.
    EvidenceMode {
        /// Errors are assumed to be independent of each other.
        Plain = "plain",
        /// Thresholds come from what noise alone reached in your own history.
        Replay = "replay",
        /// The canary instances are compared with other selections of the same size; they must have
        /// been drawn at random.
        Randomised = "randomised",
        /// `replay` and `randomised` have to agree.
        Both = "both",
    }
    /// What happens if the data for the evidence mode is missing.
    Otherwise {
        /// The plain test decides.
        Plain = "plain",
        /// A crossing asks a person: statistics alone do not roll back. Bounds still act.
        Ask = "ask",
    }
    /// The response to a problem, the mildest first.
    Response {
        /// Record it and continue.
        Continue = "continue",
        /// Stay at the current phase.
        Hold = "hold",
        /// Ask a person.
        Ask = "ask",
        RollBack = "roll_back",
    }
    /// A rollback method.
    RollbackMethod {
        /// Switch the feature flag off.
        FeatureFlag = "feature_flag",
        /// Deploy the previous version again.
        Redeploy = "redeploy",
        /// Revert the commit and deploy the result.
        GitRevert = "git_revert",
        /// Switch traffic to the idle side.
        BlueGreenSwitch = "blue_green_switch",
        /// The platform's own rollback.
        Platform = "platform",
    }
    /// A moment of an incident from which times count, in the usual order.
    Moment {
        /// The fault began.
        Began = "began",
        /// A person or a monitor noticed it.
        Detected = "detected",
        /// It was declared an incident.
        Declared = "declared",
        /// The hot-fix was approved.
        Approved = "approved",
        /// Work on the fix began.
        FixStarted = "fix_started",
        Ready = "ready",
        /// The deployment began.
        DeployStarted = "deploy_started",
        /// The last phase was reached: all traffic has the fix.
        Deployed = "deployed",
        /// The fix was verified.
        Verified = "verified",
        /// The fault is over for users.
        Resolved = "resolved",
        RolledBack = "rolled_back",
        /// The incident was closed.
        Closed = "closed",
    }
    /// A due time that depends on a calendar; see [`Due`](crate::policy::section::Due).
    Calendar {
        NextBusinessDay = "next_business_day",
        NextDay = "next_day",
        NextRelease = "next_release",
        NextSprint = "next_sprint",
    }
    /// Who reads a message.
    Audience {
        /// The people who work on the incident.
        Responders = "responders",
        /// The people who depend on the service, in plain language.
        Stakeholders = "stakeholders",
        /// The business side of the organisation, without jargon.
        Business = "business",
        /// Everybody, without internal details.
        Public = "public",
    }
    /// What kind of duty it is.
    DutyKind {
        /// Start to respond.
        Act = "act",
        /// Have the fix live.
        Fix = "fix",
        /// Approve or deny.
        Approve = "approve",
        /// Review the change or the incident.
        Review = "review",
        /// Notify an audience once.
        Notify = "notify",
        /// Send an audience the status repeatedly.
        Update = "update",
        /// Page somebody.
        Page = "page",
        /// Page the next level of the escalation policy.
        Escalate = "escalate",
        /// Hold a meeting.
        Meet = "meet",
        /// Write something down.
        Write = "write",
        /// Watch metrics.
        Watch = "watch",
        /// Complete a task after the rollout.
        FollowUp = "follow_up",
    }
    /// When a checklist is due, in the order of a rollout.
    ChecklistMoment {
        /// Before the start. The start waits for the required items.
        Start = "start",
        /// While the hot-fix is prepared. The start does not wait for it.
        Before = "before",
        /// When the last phase is reached.
        Deployed = "deployed",
        /// When the fix is verified.
        Verified = "verified",
        /// During the final validation.
        FinalValidation = "final_validation",
        /// After a rollback.
        RolledBack = "rolled_back",
        /// When the rollout is over.
        After = "after",
    }
    /// The moment from which a watch window after the last phase counts.
    WatchedFrom {
        /// All traffic has the fix.
        Deployed = "deployed",
        /// The final validation has passed.
        Verified = "verified",
    }
    /// What happens if a verdict, a report or a failed action demands a rollback.
    OnFailure {
        RollBack = "roll_back",
        /// The rollout stops where it is, and somebody is paged: something cannot be rolled back.
        Freeze = "freeze",
        /// The rollout stays where it is, and a person decides.
        Ask = "ask",
    }
    /// To which versions a person may revert at once, without waiting for the analysis.
    RevertTo {
        /// Any version that the person names.
        Any = "any",
        /// Only the previous version.
        Previous = "previous",
        /// None: `revert` is refused.
        Never = "never",
    }
    /// When the change is reviewed, as seen from its deployment.
    ReviewTime {
        Before = "before",
        After = "after",
        Any = "any",
    }
    /// How far a hot-fix may refactor the code around the fix.
    Refactoring {
        Never = "never",
        /// If the fix is impossible without it.
        IfNeeded = "if_needed",
        /// If it remains small.
        NotLarge = "not_large",
    }
}

impl Moment {
    /// Whether it is about the incident itself, not about its fix: before the approval.
    pub(crate) fn is_early(self) -> bool {
        self < Self::Approved
    }

    /// The message that announces it.
    pub(crate) const fn message(self) -> MessageKind {
        match self {
            Self::DeployStarted => MessageKind::DeploymentStarted,
            Self::Deployed => MessageKind::Deployed,
            Self::Verified | Self::Resolved | Self::Closed => MessageKind::Resolved,
            Self::RolledBack => MessageKind::RolledBack,
            _ => MessageKind::Alert,
        }
    }

    /// The moment from which times count instead while the time of this one is not known. An
    /// incident without a time of detection was detected by its declaration at the latest, and a
    /// fix whose deployment has started waits for no approval any more.
    pub const fn fallback(self) -> Option<Self> {
        match self {
            Self::Began => Some(Self::Detected),
            Self::Detected => Some(Self::Declared),
            Self::Approved => Some(Self::DeployStarted),
            _ => None,
        }
    }
}

impl ChecklistMoment {
    /// Whether all traffic has the fix then, before the rollout is over.
    pub(crate) const fn is_live(self) -> bool {
        matches!(self, Self::Deployed | Self::Verified | Self::FinalValidation)
    }
}

impl Worse {
    /// The number of bad events: if the metric counts successes, the failures.
    pub fn bad(self, events: f64, trials: f64) -> f64 {
        match self {
            Self::Higher => events,
            Self::Lower => trials - events,
        }
    }

    /// The worse side, as a preposition.
    pub(crate) const fn side(self) -> &'static str {
        match self {
            Self::Higher => "above",
            Self::Lower => "below",
        }
    }

    /// Relative difference up to which two numbers are the same: scaled and summed ones are rounded.
    pub(crate) const LAST_BITS: f64 = 1e-9;

    /// Whether a value is on the worse side of another one.
    pub(crate) fn is_beyond(self, value: f64, other: f64) -> bool {
        let by = if self == Self::Higher { value - other } else { other - value };
        by > Self::LAST_BITS * other.abs().min(f64::MAX)
    }
}

closed_set! {
    /// The occasion of a message.
    MessageKind {
        /// There is an incident.
        Alert = "alert",
        /// The rollout starts.
        DeploymentStarted = "deployment_started",
        /// A phase was promoted.
        PhasePassed = "phase_passed",
        /// All traffic has the fix.
        Deployed = "deployed",
        RollingBack = "rolling_back",
        RolledBack = "rolled_back",
        Update = "update",
        Resolved = "resolved",
    }
    /// What a time in a message promises.
    Promised {
        /// How long the deployment takes.
        Duration = "duration",
        /// How long the fix is watched afterwards.
        Watch = "watch",
        /// When the next update is sent.
        Update = "update",
        /// When the deployment is expected to be complete.
        Eta = "eta",
        /// How long a rollback takes.
        Rollback = "rollback",
        /// When the review is due.
        Review = "review",
    }
    /// How likely a risk is, or how severe its consequences.
    Grade {
        VeryLow = "very_low",
        Low = "low",
        Medium = "medium",
        High = "high",
    }
    /// What the times of a step mean.
    StepClock {
        /// How long the step takes.
        Duration = "duration",
        /// When the step starts and ends, counted from the detection.
        Position = "position",
    }
    /// The kind of a piece of advice.
    AdviceKind {
        Do = "do",
        Dont = "dont",
        /// A common mistake.
        Pitfall = "pitfall",
    }
    /// The part of the policy that checks a piece of advice.
    AdviceCheck {
        /// The limits on what a hot-fix may change.
        Scope = "scope",
        Testing = "testing",
        Review = "review",
        Approvals = "approvals",
        /// The metrics that are watched.
        Monitoring = "monitoring",
        Messages = "messages",
        Rollback = "rollback",
        /// The duty to merge the fix into the other branches.
        MergeBack = "merge_back",
        Report = "report",
        Drill = "drill",
    }
    /// A sign by which the engine detects a contingency.
    Sign {
        /// No deciding metric has a fresh reading.
        NoData = "no_data",
        RollbackFailed = "rollback_failed",
    }
    /// The group of a success criterion.
    SuccessGroup {
        /// The system.
        Technical = "technical",
        /// Customers and revenue.
        Business = "business",
        /// Operation of the service.
        Operational = "operational",
    }
    /// What in source control settles a duty.
    BranchDuty {
        /// The merge before the deployment.
        Merge = "merge",
        /// A rollback with `git_revert`.
        Revert = "revert",
    }
    /// The part of the log that answers a success criterion.
    CriterionAnswer {
        /// No rollback was needed.
        Rollback = "rollback",
        /// The rollout was completed in the time of the change record's estimate, else of the
        /// phases.
        Duration = "duration",
    }
}
