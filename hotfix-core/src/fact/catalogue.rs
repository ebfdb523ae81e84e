//! The facts that every policy knows, each with its type and the question that asks for it.

use crate::grade::closed_set;

closed_set! {
    /// What a fact's values are.
    FactKind {
        /// Yes or no.
        Flag = "flag",
        /// A part of a whole, from 0 to 1.
        Share = "share",
        /// A length of time.
        Duration = "duration",
        /// A finite number.
        Number = "number",
        /// A text.
        Text = "text",
        /// A moment.
        Time = "time",
    }
    /// A fact that every policy knows (SEV-2). A house declares further ones in its policy.
    Fact {
        /// The issue is real and no user's error.
        Confirmed = "confirmed",
        /// The service is completely down.
        ServiceDown = "service_down",
        /// Data are corrupted or lost.
        DataCorruption = "data_corruption",
        /// Data may come to harm.
        DataIntegrityAtRisk = "data_integrity_at_risk",
        /// There is a vulnerability.
        SecurityVulnerability = "security_vulnerability",
        /// A vulnerability is under attack.
        SecurityExploited = "security_exploited",
        /// Nobody can log in.
        AuthenticationDown = "authentication_down",
        /// No payment goes through.
        PaymentsDown = "payments_down",
        /// Payment webhooks fail.
        PaymentWebhooksFailing = "payment_webhooks_failing",
        /// Connections to the database fail.
        DatabaseDown = "database_down",
        /// A core workflow is broken.
        CoreFeatureBroken = "core_feature_broken",
        /// Search finds nothing.
        SearchEmpty = "search_empty",
        /// The main endpoints answer with errors.
        EndpointsFailing = "endpoints_failing",
        /// The app crashes when it starts.
        CrashAtStart = "crash_at_start",
        /// A feature is slow or worse but works.
        FeatureDegraded = "feature_degraded",
        /// Users see wrong data.
        WrongDataShown = "wrong_data_shown",
        /// Reports or analytics are wrong.
        WrongReporting = "wrong_reporting",
        /// A third party that is needed fails.
        CriticalThirdPartyFailing = "critical_third_party_failing",
        /// Memory leaks.
        MemoryLeak = "memory_leak",
        /// The database deadlocks.
        Deadlock = "deadlock",
        /// Only the looks are wrong.
        Cosmetic = "cosmetic",
        /// The change is a new feature.
        NewFeature = "new_feature",
        /// The change is a refactoring.
        Refactoring = "refactoring",
        /// The change is an optimisation.
        Optimisation = "optimisation",
        /// The change is to documentation.
        Documentation = "documentation",
        /// Revenue is lost.
        RevenueImpact = "revenue_impact",
        /// Customers are hurt.
        CustomerImpacting = "customer_impacting",
        /// There is a way around it.
        WorkaroundExists = "workaround_exists",
        /// The fix is small and isolated.
        SmallIsolatedChange = "small_isolated_change",
        /// The fix is quickly validated.
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
        /// When it began.
        BeganAt = "began_at",
        /// When it was noticed.
        DetectedAt = "detected_at",
        /// The deploy before it began.
        PrecedingDeploy = "preceding_deploy",
        /// The affected service.
        Service = "service",
    }
}

impl Fact {
    /// What its values are.
    pub const fn kind(self) -> FactKind {
        match self {
            Self::UsersAffected | Self::PaymentFailureShare | Self::ErrorRate => FactKind::Share,
            Self::LatencyP95 => FactKind::Duration,
            Self::BeganAt | Self::DetectedAt => FactKind::Time,
            Self::PrecedingDeploy | Self::Service => FactKind::Text,
            _ => FactKind::Flag,
        }
    }

    /// The question that asks a person for it.
    pub const fn question(self) -> &'static str {
        match self {
            Self::Confirmed => "Is the issue confirmed, and no user's error?",
            Self::ServiceDown => "Is the service completely down?",
            Self::DataCorruption => "Are data corrupted or lost?",
            Self::DataIntegrityAtRisk => "Is the integrity of data at risk?",
            Self::SecurityVulnerability => "Is there a security vulnerability?",
            Self::SecurityExploited => "Is a vulnerability being exploited?",
            Self::AuthenticationDown => "Is it so that nobody can log in?",
            Self::PaymentsDown => "Do all payments fail?",
            Self::PaymentWebhooksFailing => "Do payment webhooks fail?",
            Self::DatabaseDown => "Do connections to the database fail?",
            Self::CoreFeatureBroken => "Is a core feature broken?",
            Self::SearchEmpty => "Does search return nothing?",
            Self::EndpointsFailing => "Do the main endpoints answer with errors?",
            Self::CrashAtStart => "Does the app crash at start?",
            Self::FeatureDegraded => "Is a feature degraded but working?",
            Self::WrongDataShown => "Is wrong data shown?",
            Self::WrongReporting => "Are reports or analytics wrong?",
            Self::CriticalThirdPartyFailing => "Does a critical third party fail?",
            Self::MemoryLeak => "Does memory leak?",
            Self::Deadlock => "Are there deadlocks?",
            Self::Cosmetic => "Is it cosmetic?",
            Self::NewFeature => "Is the change a new feature?",
            Self::Refactoring => "Is the change a refactoring?",
            Self::Optimisation => "Is the change an optimisation?",
            Self::Documentation => "Is the change to documentation?",
            Self::RevenueImpact => "Is there an impact on revenue?",
            Self::CustomerImpacting => "Does it hurt customers?",
            Self::WorkaroundExists => "Is there a workaround?",
            Self::SmallIsolatedChange => "Is the fix small and isolated?",
            Self::QuickToValidate => "Can the fix be validated quickly?",
            Self::FixRiskierThanIssue => "Is the fix a greater risk than the issue?",
            Self::Tested => "Is the fix tested?",
            Self::UsersAffected => "What share of users is affected?",
            Self::PaymentFailureShare => "What share of payments fails?",
            Self::ErrorRate => "What share of requests fails?",
            Self::LatencyP95 => "What is the 95th percentile of the response time?",
            Self::BeganAt => "When did it begin?",
            Self::DetectedAt => "When was it detected?",
            Self::PrecedingDeploy => "Which deploy preceded it?",
            Self::Service => "Which service is affected?",
        }
    }
}
