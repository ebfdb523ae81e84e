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
    /// Whether a hot-fix is called for.
    Hotfix {
        /// It is.
        Yes = "yes",
        /// It is not: a scheduled release.
        No = "no",
        /// What is known does not tell, or the policy does not say.
        Unknown = "unknown",
    }
    /// Which severity to act on while facts are unknown (SEV-5).
    ActOn {
        /// The one that is certain.
        Confirmed = "confirmed",
        /// The worst that is possible.
        AtWorst = "at_worst",
    }
    /// What an exclusion does where a rule for a hot-fix fires, too.
    Exclusions {
        /// It yields: a hot-fix.
        Yield = "yield",
        /// It wins: no hot-fix.
        Win = "win",
        /// Neither: a person decides.
        Ask = "ask",
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
    /// How traffic is moved (PLAN-1). With a flag the version is there already; with every other strategy it is deployed
    /// first, and then the phases say how much of the traffic it has.
    Strategy {
        /// A growing share of the traffic.
        Canary = "canary",
        /// A feature flag's percentage.
        FeatureFlag = "feature_flag",
        /// Two sides, live and idle: the version goes to the idle one, then traffic is switched; a switch back
        /// is tried before every other way back.
        BlueGreen = "blue_green",
        /// Instance by instance, some at a time.
        Rolling = "rolling",
        /// All of it at once.
        Immediate = "immediate",
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
    /// Who reads a message (COMM-2).
    Audience {
        /// Who works on it.
        Responders = "responders",
        /// Who depends on it, in plain words.
        Stakeholders = "stakeholders",
        /// The house's business side, without jargon.
        Business = "business",
        /// Everybody; no internals.
        Public = "public",
    }
    /// What somebody has to do (SEV-6, TIME-1, TIME-2, POST-2, POST-4).
    DutyKind {
        /// Begin to act.
        Act = "act",
        /// Have the fix deployed.
        Fix = "fix",
        /// Approve, or refuse to.
        Approve = "approve",
        /// Review the change or the incident.
        Review = "review",
        /// Tell an audience once.
        Tell = "tell",
        /// Tell an audience how it stands, again and again.
        Update = "update",
        /// Wake somebody.
        Page = "page",
        /// Wake the next one, where the one before has not solved it.
        Escalate = "escalate",
        /// Meet.
        Meet = "meet",
        /// Write something down.
        Write = "write",
        /// Look at metrics.
        Watch = "watch",
        /// Do what is left to do afterwards.
        FollowUp = "follow_up",
    }
    /// When a checklist is gone through, in the order of a rollout (GATE-2, GATE-5).
    ChecklistMoment {
        /// Before the start, which waits for its required items.
        Start = "start",
        /// While the hot-fix is prepared; holds nothing up.
        Before = "before",
        /// When the last phase is reached.
        Deployed = "deployed",
        /// When the fix is seen to work.
        Verified = "verified",
        /// In the final validation.
        FinalValidation = "final_validation",
        /// After a way back.
        RolledBack = "rolled_back",
        /// When the rollout is over.
        After = "after",
    }
    /// What follows when a rollout fails: a verdict, a report or a failed action asks to go back (FIELD-6).
    OnFailure {
        /// It goes back.
        RollBack = "roll_back",
        /// It stops where it is, and somebody is woken: something cannot go back.
        Freeze = "freeze",
        /// It stays where it is and asks; a person decides.
        Ask = "ask",
    }
    /// To which versions a person may revert at once (FIELD-7).
    RevertTo {
        /// Any that the person names.
        Any = "any",
        /// The previous one alone.
        Previous = "previous",
        /// None: the way back goes by its phases' rules.
        Never = "never",
    }
    /// When the change is reviewed (GATE-3).
    ReviewTime {
        /// Before it is deployed.
        Before = "before",
        /// It may be deployed first.
        After = "after",
        /// Either.
        Any = "any",
    }
    /// How far a hot-fix may tidy the code around the fix (GATE-4).
    Refactoring {
        /// Not at all.
        Never = "never",
        /// Where the fix cannot be made without it.
        IfNeeded = "if_needed",
        /// Where it stays small.
        NotLarge = "not_large",
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

closed_set! {
    /// What a message is about (COMM-1).
    MessageKind {
        /// There is an incident.
        Alert = "alert",
        /// The rollout starts.
        DeploymentStarted = "deployment_started",
        /// A phase passed.
        PhasePassed = "phase_passed",
        /// All traffic is on the fix.
        Deployed = "deployed",
        /// It goes back.
        RollingBack = "rolling_back",
        /// It is back.
        RolledBack = "rolled_back",
        /// Something changed.
        Update = "update",
        /// The incident is over.
        Resolved = "resolved",
    }
    /// What a figure in a message promises (COMM-1).
    Promised {
        /// How long the deployment takes.
        Duration = "duration",
        /// How long it is watched afterwards.
        Watch = "watch",
        /// When there is news next.
        Update = "update",
        /// When it is expected to be over.
        Eta = "eta",
        /// How long a way back takes.
        Rollback = "rollback",
        /// When the review is.
        Review = "review",
    }
    /// How likely something is, or how much it would matter (PLAN-4).
    Grade {
        /// Hardly at all.
        VeryLow = "very_low",
        /// A little.
        Low = "low",
        /// Noticeably.
        Medium = "medium",
        /// Very.
        High = "high",
    }
    /// What the times of a step are (PLAN-8).
    StepClock {
        /// How long it takes.
        Duration = "duration",
        /// From when to when it runs, counted from detection.
        Position = "position",
    }
    /// What a piece of advice says (GATE-6).
    AdviceKind {
        /// Something to do.
        Do = "do",
        /// Something not to do.
        Dont = "dont",
        /// A mistake that others made.
        Pitfall = "pitfall",
    }
    /// What sees to it that a piece of advice is followed (GATE-6).
    AdviceCheck {
        /// The guard of what a hot-fix may change.
        Scope = "scope",
        /// The demands for tests.
        Testing = "testing",
        /// The demands for a review.
        Review = "review",
        /// The demands for approval.
        Approvals = "approvals",
        /// The metrics that are watched.
        Monitoring = "monitoring",
        /// The messages that are sent.
        Messages = "messages",
        /// The way back.
        Rollback = "rollback",
        /// The duty to merge the fix into the other branches.
        MergeBack = "merge_back",
        /// The incident report.
        Report = "report",
        /// A rehearsal.
        Drill = "drill",
    }
    /// What the engine itself sees of something that has happened (PLAN-4).
    Sign {
        /// No deciding metric has a fresh reading.
        NoData = "no_data",
    }
    /// Which side of success a criterion is about (MET-7).
    SuccessGroup {
        /// The system.
        Technical = "technical",
        /// Customers and money.
        Business = "business",
        /// Those who run it.
        Operational = "operational",
    }
    /// How branches are used (VCS-1).
    Flow {
        /// A branch from main, merged there, tagged, and merged into develop.
        GitFlow = "git_flow",
        /// A branch and an emergency pull request.
        GithubFlow = "github_flow",
        /// A commit on the trunk.
        Trunk = "trunk",
        /// A branch from the tag that is in production.
        ProductionTag = "production_tag",
    }
    /// A step of the source-control plan (VCS-1).
    VcsStep {
        /// Make the branch.
        Branch = "branch",
        /// Commit the fix.
        Commit = "commit",
        /// Push the branch.
        Push = "push",
        /// Open a pull request.
        PullRequest = "pull_request",
        /// Merge the fix.
        Merge = "merge",
        /// Tag the version.
        Tag = "tag",
        /// Deploy it.
        Deploy = "deploy",
        /// Merge it into the other branches.
        MergeBack = "merge_back",
        /// Delete the branch.
        DeleteBranch = "delete_branch",
    }
    /// How the next version is numbered (VCS-3).
    Versioning {
        /// 1.2.4 follows 1.2.3.
        Patch = "patch",
        /// 1.2.3-hotfix.1 follows 1.2.3; as a semantic version it ranks below it.
        HotfixIdentifier = "hotfix_identifier",
    }
    /// How a tag is named (VCS-4).
    TagForm {
        /// After the version: v1.2.4.
        Version = "version",
        /// After the time in UTC: hotfix-YYYYMMDD-HHMM.
        Timestamp = "timestamp",
    }
    /// How a branch is merged (VCS-1).
    MergeKind {
        /// With a merge commit, always.
        NoFf = "no_ff",
        /// As one commit.
        Squash = "squash",
        /// Without a merge commit.
        FastForward = "fast_forward",
    }
    /// What a commit message says (VCS-5).
    CommitField {
        /// The incident or ticket.
        Issue = "issue",
        /// How bad it is.
        Severity = "severity",
        /// Who or what is affected.
        Impact = "impact",
        /// Why it happened.
        Cause = "cause",
        /// What was changed.
        Change = "change",
        /// How that solves it.
        Solution = "solution",
        /// How it was tested.
        Tested = "tested",
        /// Who approved it.
        ApprovedBy = "approved_by",
        /// Who deployed it.
        DeployedBy = "deployed_by",
    }
}
