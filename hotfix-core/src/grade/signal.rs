//! What a person or a check reports.

closed_set! {
    /// A problem that a person or a check reports.
    Signal {
        /// Doubt about the stability of the fix.
        Doubt = "doubt",
        UserReportsWorse = "user_reports_worse",
        /// The original fault is still there.
        FixDoesNotWork = "fix_does_not_work",
        /// A critical error that did not occur before.
        NewCriticalError = "new_critical_error",
        HealthCheckFailed = "health_check_failed",
        DataCorruption = "data_corruption",
        WorsePerformance = "worse_performance",
    }
}

impl Signal {
    /// What was reported, as a clause for people.
    pub(crate) const fn described(self) -> &'static str {
        match self {
            Self::Doubt => "it was in doubt whether the fix is stable",
            Self::UserReportsWorse => "users reported that the service got worse",
            Self::FixDoesNotWork => "the fix did not solve the problem",
            Self::NewCriticalError => "a new critical error appeared",
            Self::HealthCheckFailed => "a health check failed",
            Self::DataCorruption => "data was corrupted",
            Self::WorsePerformance => "the service got slower",
        }
    }
}
