//! Closed sets that the policy and the engines share. On the wire each is a plain string.

macro_rules! closed_set {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The string on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::grade::UnknownName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|v| v.as_str() == text).ok_or($crate::grade::UnknownName)
            }
        }
    )*};
}
pub(crate) use closed_set;

/// A text that names no member of a closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not one of the known names")]
pub struct UnknownName;

closed_set! {
    /// How bad an incident is, most severe first (SEV-1).
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
    /// What a metric's readings are (MET-6).
    MetricKind {
        /// Events of trials.
        Proportion = "proportion",
        /// Events with exposure in seconds.
        Count = "count",
        /// A latency distribution: histogram buckets or raw samples.
        Latency = "latency",
        /// A level.
        Gauge = "gauge",
        /// Requests per minute, scaled by the traffic share.
        Volume = "volume",
    }
    /// Which way a metric is worse (MET-2).
    Worse {
        /// Higher is worse: errors, latency.
        Higher = "higher",
        /// Lower is worse: success, volume.
        Lower = "lower",
    }
    /// What a bound is measured against (MET-2).
    Reference {
        /// A figure by itself.
        Absolute = "absolute",
        /// The record from before the incident.
        Record = "record",
        /// The live baseline arm: in a hot-fix the sick version.
        Live = "live",
    }
    /// What a metric is for.
    Role {
        /// Its bands and its test decide.
        Decide = "decide",
        /// It is watched and reported but decides nothing (FIELD-12).
        Watch = "watch",
    }
    /// How traffic is moved (PLAN-1).
    Strategy {
        /// A growing share of the traffic.
        Canary = "canary",
        /// A feature flag's percentage.
        FeatureFlag = "feature_flag",
    }
    /// Who lets a phase pass (ROLL-3).
    GateMode {
        /// The engine, when the promotion rule holds.
        Automatic = "automatic",
        /// A person says go or no-go.
        Manual = "manual",
        /// The engine, unless a person says hold within the veto window.
        Veto = "veto",
    }
    /// What a promotion claims (statistics, section 7).
    PromotionRule {
        /// Minimum duration and traffic reached, bands in success, evidence below the hold level.
        NoEvidenceOfHarm = "no_evidence_of_harm",
        /// The promotion test has crossed: not worse than the margin.
        EvidenceOfNoHarm = "evidence_of_no_harm",
    }
    /// What lets the tests be believed where errors cluster (statistics, section 4).
    EvidenceMode {
        /// Errors are taken to be independent of each other.
        Plain = "plain",
        /// Limits come from what noise alone reached in the house's own history.
        Replay = "replay",
        /// The canary's instances are compared with other choices of as many; they must have been drawn at random.
        Randomised = "randomised",
        /// Replay and randomised have to agree.
        Both = "both",
    }
    /// What is done where the data of the evidence mode are not at hand.
    Otherwise {
        /// The plain test decides.
        Plain = "plain",
        /// No automatic rollback on statistics alone: a crossing asks. Bands still act.
        Ask = "ask",
    }
    /// What follows when something is amiss, mildest first.
    Response {
        /// Note it and go on.
        Continue = "continue",
        /// Stay where we are.
        Hold = "hold",
        /// Ask a person.
        Ask = "ask",
        /// Go back.
        RollBack = "roll_back",
    }
    /// What a person or a check reports (ROLL-4).
    Signal {
        /// Any doubt about stability: when in doubt, roll back.
        Doubt = "doubt",
        /// Users say it got worse.
        UserReportsWorse = "user_reports_worse",
        /// The original fault is still there.
        FixDoesNotWork = "fix_does_not_work",
        /// An error nobody saw before.
        NewCriticalError = "new_critical_error",
        /// A health check fails.
        HealthCheckFailed = "health_check_failed",
        /// Data are damaged.
        DataCorruption = "data_corruption",
        /// Slower or worse than before.
        WorsePerformance = "worse_performance",
    }
    /// A way back (PLAN-5).
    RollbackMethod {
        /// Switch the flag off.
        FeatureFlag = "feature_flag",
        /// Deploy the previous version again.
        Redeploy = "redeploy",
        /// Revert the commit and deploy.
        GitRevert = "git_revert",
        /// Switch traffic to the idle side.
        BlueGreenSwitch = "blue_green_switch",
        /// The platform's own rollback.
        Platform = "platform",
    }
    /// A moment of an incident that others count from, in the order of a normal course (SEV-6, TIME-1).
    Moment {
        /// The fault began.
        Began = "began",
        /// Somebody or something noticed it.
        Detected = "detected",
        /// It was called an incident.
        Declared = "declared",
        /// The hot-fix was approved.
        Approved = "approved",
        /// Work on the fix began.
        FixStarted = "fix_started",
        /// The deployment began.
        DeployStarted = "deploy_started",
        /// The last phase was reached: all traffic has the fix.
        Deployed = "deployed",
        /// The fix was seen to work.
        Verified = "verified",
        /// The fault is over for users.
        Resolved = "resolved",
        /// The way back is done.
        RolledBack = "rolled_back",
        /// The incident was closed.
        Closed = "closed",
    }
    /// A time that a calendar gives and no clock, with [`Due`](crate::policy::section::Due) (SEV-6).
    Calendar {
        /// The next day on which the house works.
        NextBusinessDay = "next_business_day",
        /// The day after.
        NextDay = "next_day",
        /// The next regular release.
        NextRelease = "next_release",
        /// The next sprint.
        NextSprint = "next_sprint",
    }
    /// Who is told (COMM-1).
    Audience {
        /// Those who work on it.
        Responders = "responders",
        /// Those in the house who answer for what is affected.
        Stakeholders = "stakeholders",
        /// The departments that deal with customers.
        Business = "business",
        /// Customers and everybody else.
        Public = "public",
    }
}

impl Worse {
    /// The events that are bad: failures where a metric counts successes.
    pub fn bad(self, events: f64, trials: f64) -> f64 {
        match self {
            Self::Higher => events,
            Self::Lower => trials - events,
        }
    }
}
