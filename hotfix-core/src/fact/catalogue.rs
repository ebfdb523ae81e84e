//! The built-in facts, each with its type, its question and its impact.

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

/// The built-in facts by the kind of their values, with name and question, and what those that are an
/// impact mean to people, now and once it is over.
macro_rules! facts {
    ($($kind:ident { $($fact:ident = $name:literal: $question:literal $(=> $impact:expr)?,)+ })+) => {
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

            /// What people read if it holds, and if it held; `None` for a fact that is no impact.
            pub(crate) const fn impact(self) -> Option<[&'static str; 2]> {
                match self { $($($(Self::$fact => Some($impact),)?)+)+ _ => None }
            }
        }
    };
}

facts! {
    Flag {
        Confirmed = "confirmed": "Is the issue confirmed, and not a user error?",
        ServiceDown = "service_down": "Is the service completely down?"
            => ["the service is down", "the service was down"],
        DataCorruption = "data_corruption": "Is data corrupted or lost?"
            => ["data is corrupted or lost", "data was corrupted or lost"],
        DataIntegrityAtRisk = "data_integrity_at_risk": "Is the integrity of data at risk?"
            => ["data is at risk", "data was at risk"],
        SecurityVulnerability = "security_vulnerability": "Is there a security vulnerability?"
            => ["there is a security vulnerability", "there was a security vulnerability"],
        SecurityExploited = "security_exploited": "Is a vulnerability being exploited?"
            => ["a vulnerability is being exploited", "a vulnerability was exploited"],
        AuthenticationDown = "authentication_down": "Is login down for all users?"
            => ["nobody can log in", "nobody could log in"],
        PaymentsDown = "payments_down": "Do all payments fail?"
            => ["all payments fail", "all payments failed"],
        PaymentWebhooksFailing = "payment_webhooks_failing": "Do payment webhooks fail?"
            => ["payment notifications are lost", "payment notifications were lost"],
        DatabaseDown = "database_down": "Do connections to the database fail?"
            => ["the database cannot be reached", "the database could not be reached"],
        CoreFeatureBroken = "core_feature_broken": "Is a core feature broken?"
            => ["a core feature is broken", "a core feature was broken"],
        SearchEmpty = "search_empty": "Does search return no results?"
            => ["search returns no results", "search returned no results"],
        EndpointsFailing = "endpoints_failing": "Do the main endpoints return errors?"
            => ["the main endpoints return errors", "the main endpoints returned errors"],
        CrashAtStart = "crash_at_start": "Does the app crash at start?"
            => ["the app crashes at start", "the app crashed at start"],
        FeatureDegraded = "feature_degraded": "Is a feature degraded but working?"
            => ["a feature is slow or unreliable", "a feature was slow or unreliable"],
        WrongDataShown = "wrong_data_shown": "Is wrong data shown?"
            => ["users see wrong data", "users saw wrong data"],
        WrongReporting = "wrong_reporting": "Are reports or analytics wrong?"
            => ["reports are wrong", "reports were wrong"],
        CriticalThirdPartyFailing = "critical_third_party_failing": "Does a critical third party fail?"
            => ["a third-party service that we depend on fails", "a third-party service that we depend on failed"],
        MemoryLeak = "memory_leak": "Does the service leak memory?"
            => ["the service leaks memory", "the service leaked memory"],
        Deadlock = "deadlock": "Are there deadlocks?"
            => ["the service deadlocks", "the service deadlocked"],
        Cosmetic = "cosmetic": "Is the issue cosmetic?"
            => ["something is displayed wrongly", "something was displayed wrongly"],
        NewFeature = "new_feature": "Is the change a new feature?",
        Refactoring = "refactoring": "Is the change a refactoring?",
        Optimisation = "optimisation": "Is the change an optimisation?",
        Documentation = "documentation": "Does the change affect documentation only?",
        RevenueImpact = "revenue_impact": "Is there an impact on revenue?"
            => ["revenue is lost", "revenue was lost"],
        CustomerImpacting = "customer_impacting": "Are customers affected?"
            => ["customers are affected", "customers were affected"],
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
