//! The built-in facts, each with its type and its question.

use crate::grade::closed_set;

closed_set! {
    /// Type of a fact's values.
    FactKind {
        /// Yes or no.
        Flag = "flag",
        /// A share from 0 to 1.
        Share = "share",
        /// A duration.
        Duration = "duration",
        /// A finite number.
        Number = "number",
        /// A text.
        Text = "text",
        /// A time.
        Time = "time",
    }
    /// A built-in fact. A policy can declare further facts.
    Fact {
        /// The issue is confirmed and not a user error.
        Confirmed = "confirmed",
        /// The service is completely down.
        ServiceDown = "service_down",
        /// Data is corrupted or lost.
        DataCorruption = "data_corruption",
        /// The integrity of data is at risk.
        DataIntegrityAtRisk = "data_integrity_at_risk",
        /// There is a security vulnerability.
        SecurityVulnerability = "security_vulnerability",
        /// A vulnerability is being exploited.
        SecurityExploited = "security_exploited",
        /// Nobody can log in.
        AuthenticationDown = "authentication_down",
        /// All payments fail.
        PaymentsDown = "payments_down",
        /// Payment webhooks fail.
        PaymentWebhooksFailing = "payment_webhooks_failing",
        /// Connections to the database fail.
        DatabaseDown = "database_down",
        /// A core workflow is broken.
        CoreFeatureBroken = "core_feature_broken",
        /// Search returns no results.
        SearchEmpty = "search_empty",
        /// The main endpoints return errors.
        EndpointsFailing = "endpoints_failing",
        /// The app crashes when it starts.
        CrashAtStart = "crash_at_start",
        /// A feature is degraded but works.
        FeatureDegraded = "feature_degraded",
        /// Users see wrong data.
        WrongDataShown = "wrong_data_shown",
        /// Reports or analytics are wrong.
        WrongReporting = "wrong_reporting",
        /// A critical third party fails.
        CriticalThirdPartyFailing = "critical_third_party_failing",
        /// The service leaks memory.
        MemoryLeak = "memory_leak",
        /// The database deadlocks.
        Deadlock = "deadlock",
        /// The issue is cosmetic.
        Cosmetic = "cosmetic",
        /// The change is a new feature.
        NewFeature = "new_feature",
        /// The change is a refactoring.
        Refactoring = "refactoring",
        /// The change is an optimisation.
        Optimisation = "optimisation",
        /// The change affects documentation only.
        Documentation = "documentation",
        /// Revenue is lost.
        RevenueImpact = "revenue_impact",
        /// Customers are affected.
        CustomerImpacting = "customer_impacting",
        /// There is a workaround.
        WorkaroundExists = "workaround_exists",
        /// The fix is small and isolated.
        SmallIsolatedChange = "small_isolated_change",
        /// The fix can be validated quickly.
        QuickToValidate = "quick_to_validate",
        /// The fix is a greater risk than the issue.
        FixRiskierThanIssue = "fix_riskier_than_issue",
        /// The fix is tested.
        Tested = "tested",
        /// The share of users affected.
        UsersAffected = "users_affected",
        /// The share of payments that fail.
        PaymentFailureShare = "payment_failure_share",
        /// The share of requests that fail.
        ErrorRate = "error_rate",
        /// The 95th percentile of the response time.
        LatencyP95 = "latency_p95",
        /// When the incident began.
        BeganAt = "began_at",
        /// When the incident was detected.
        DetectedAt = "detected_at",
        /// The last deployment before the incident.
        PrecedingDeploy = "preceding_deploy",
        /// The affected service.
        Service = "service",
    }
}

/// Facts that a policy may declare and that measures read: outcomes of an incident, about which no
/// rule needs to ask.
pub(crate) const OUTCOMES: [&str; 3] = ["support_tickets", "coverage_before", "coverage_after"];

impl Fact {
    /// Type of the fact's values.
    pub const fn kind(self) -> FactKind {
        match self {
            Self::UsersAffected | Self::PaymentFailureShare | Self::ErrorRate => FactKind::Share,
            Self::LatencyP95 => FactKind::Duration,
            Self::BeganAt | Self::DetectedAt => FactKind::Time,
            Self::PrecedingDeploy | Self::Service => FactKind::Text,
            _ => FactKind::Flag,
        }
    }

    /// The question that asks a person for the fact.
    pub const fn question(self) -> &'static str {
        match self {
            Self::Confirmed => "Is the issue confirmed, and not a user error?",
            Self::ServiceDown => "Is the service completely down?",
            Self::DataCorruption => "Is data corrupted or lost?",
            Self::DataIntegrityAtRisk => "Is the integrity of data at risk?",
            Self::SecurityVulnerability => "Is there a security vulnerability?",
            Self::SecurityExploited => "Is a vulnerability being exploited?",
            Self::AuthenticationDown => "Is login down for all users?",
            Self::PaymentsDown => "Do all payments fail?",
            Self::PaymentWebhooksFailing => "Do payment webhooks fail?",
            Self::DatabaseDown => "Do connections to the database fail?",
            Self::CoreFeatureBroken => "Is a core feature broken?",
            Self::SearchEmpty => "Does search return no results?",
            Self::EndpointsFailing => "Do the main endpoints return errors?",
            Self::CrashAtStart => "Does the app crash at start?",
            Self::FeatureDegraded => "Is a feature degraded but working?",
            Self::WrongDataShown => "Is wrong data shown?",
            Self::WrongReporting => "Are reports or analytics wrong?",
            Self::CriticalThirdPartyFailing => "Does a critical third party fail?",
            Self::MemoryLeak => "Does the service leak memory?",
            Self::Deadlock => "Are there deadlocks?",
            Self::Cosmetic => "Is the issue cosmetic?",
            Self::NewFeature => "Is the change a new feature?",
            Self::Refactoring => "Is the change a refactoring?",
            Self::Optimisation => "Is the change an optimisation?",
            Self::Documentation => "Does the change affect documentation only?",
            Self::RevenueImpact => "Is there an impact on revenue?",
            Self::CustomerImpacting => "Are customers affected?",
            Self::WorkaroundExists => "Is there a workaround?",
            Self::SmallIsolatedChange => "Is the fix small and isolated?",
            Self::QuickToValidate => "Can the fix be validated quickly?",
            Self::FixRiskierThanIssue => "Is the fix a greater risk than the issue?",
            Self::Tested => "Is the fix tested?",
            Self::UsersAffected => "What share of users is affected?",
            Self::PaymentFailureShare => "What share of payments fails?",
            Self::ErrorRate => "What share of requests fails?",
            Self::LatencyP95 => "What is the 95th percentile of the response time?",
            Self::BeganAt => "When did the incident begin?",
            Self::DetectedAt => "When was the incident detected?",
            Self::PrecedingDeploy => "Which deployment preceded the incident?",
            Self::Service => "Which service is affected?",
        }
    }
}
