//! The built-in facts, each with its type and its question.

use crate::grade::closed_set;

closed_set! {
    /// Type of a fact's values.
    FactKind {
        /// Yes or no.
        Flag = "flag",
        /// A share from 0 to 1.
        Share = "share",
        Duration = "duration",
        /// A finite number.
        Number = "number",
        Text = "text",
        Time = "time",
    }
}

/// Facts that a policy may declare and that measures read: outcomes of an incident, about which no
/// rule needs to ask.
pub(crate) const OUTCOMES: [&str; 3] = ["support_tickets", "coverage_before", "coverage_after"];

/// The built-in facts by the kind of their values, with name and question.
macro_rules! facts {
    ($($kind:ident { $($fact:ident = $name:literal: $question:literal,)+ })+) => {
        closed_set! {
            /// A built-in fact. A policy can declare further facts.
            Fact { $($(#[doc = $question] $fact = $name,)+)+ }
        }

        impl Fact {
            /// Type of the fact's values.
            pub const fn kind(self) -> FactKind {
                match self { $($(Self::$fact)|+ => FactKind::$kind,)+ }
            }

            /// The question that asks a person for the fact.
            pub const fn question(self) -> &'static str {
                match self { $($(Self::$fact => $question,)+)+ }
            }
        }
    };
}

facts! {
    Flag {
        Confirmed = "confirmed": "Is the issue confirmed, and not a user error?",
        ServiceDown = "service_down": "Is the service completely down?",
        DataCorruption = "data_corruption": "Is data corrupted or lost?",
        DataIntegrityAtRisk = "data_integrity_at_risk": "Is the integrity of data at risk?",
        SecurityVulnerability = "security_vulnerability": "Is there a security vulnerability?",
        SecurityExploited = "security_exploited": "Is a vulnerability being exploited?",
        AuthenticationDown = "authentication_down": "Is login down for all users?",
        PaymentsDown = "payments_down": "Do all payments fail?",
        PaymentWebhooksFailing = "payment_webhooks_failing": "Do payment webhooks fail?",
        DatabaseDown = "database_down": "Do connections to the database fail?",
        CoreFeatureBroken = "core_feature_broken": "Is a core feature broken?",
        SearchEmpty = "search_empty": "Does search return no results?",
        EndpointsFailing = "endpoints_failing": "Do the main endpoints return errors?",
        CrashAtStart = "crash_at_start": "Does the app crash at start?",
        FeatureDegraded = "feature_degraded": "Is a feature degraded but working?",
        WrongDataShown = "wrong_data_shown": "Is wrong data shown?",
        WrongReporting = "wrong_reporting": "Are reports or analytics wrong?",
        CriticalThirdPartyFailing = "critical_third_party_failing": "Does a critical third party fail?",
        MemoryLeak = "memory_leak": "Does the service leak memory?",
        Deadlock = "deadlock": "Are there deadlocks?",
        Cosmetic = "cosmetic": "Is the issue cosmetic?",
        NewFeature = "new_feature": "Is the change a new feature?",
        Refactoring = "refactoring": "Is the change a refactoring?",
        Optimisation = "optimisation": "Is the change an optimisation?",
        Documentation = "documentation": "Does the change affect documentation only?",
        RevenueImpact = "revenue_impact": "Is there an impact on revenue?",
        CustomerImpacting = "customer_impacting": "Are customers affected?",
        WorkaroundExists = "workaround_exists": "Is there a workaround?",
        SmallIsolatedChange = "small_isolated_change": "Is the fix small and isolated?",
        QuickToValidate = "quick_to_validate": "Can the fix be validated quickly?",
        FixRiskierThanIssue = "fix_riskier_than_issue": "Is the fix a greater risk than the issue?",
        Tested = "tested": "Is the fix tested?",
    }
    Share {
        UsersAffected = "users_affected": "What share of users is affected?",
        PaymentFailureShare = "payment_failure_share": "What share of payments fails?",
        ErrorRate = "error_rate": "What share of requests fails?",
    }
    Duration {
        LatencyP95 = "latency_p95": "What is the 95th percentile of the response time?",
    }
    Time {
        BeganAt = "began_at": "When did the incident begin?",
        DetectedAt = "detected_at": "When was the incident detected?",
    }
    Text {
        PrecedingDeploy = "preceding_deploy": "Which deployment preceded the incident?",
        Service = "service": "Which service is affected?",
    }
}
