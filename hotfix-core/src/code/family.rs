//! What a code belongs to.

use crate::grade::closed_set;

closed_set! {
    /// What a code belongs to, in the order of the documentation; its codes start with the family's
    /// prefix.
    #[non_exhaustive]
    Family {
        /// Canonical JSON, digests and log lines.
        Json = "HF-JSON-",
        /// Durations, shares, times and counts.
        Unit = "HF-UNIT-",
        /// Facts of an incident.
        Fact = "HF-FACT-",
        /// Policies: reading, checking, findings.
        Policy = "HF-POL-",
        /// Doubtful policies: findings.
        Lint = "HF-LINT-",
        /// Observations and bands.
        Metric = "HF-MET-",
        /// Statistics.
        Stat = "HF-STAT-",
        /// The Kayenta-compatible judge: errors and findings.
        Kayenta = "HF-KAY-",
        /// Source control: errors and findings.
        Vcs = "HF-VCS-",
        /// Plans.
        Plan = "HF-PLAN-",
        /// What has to be there before a hot-fix goes out: findings, and figures that cannot be read.
        Gate = "HF-GATE-",
        /// Inputs of a rollout, as documents.
        Input = "HF-IN-",
        /// The rollout: refusals.
        Rollout = "HF-ROLL-",
        /// Several services in one hot-fix: errors, refusals and findings.
        Train = "HF-TRAIN-",
        /// Duties: refusals.
        Time = "HF-TIME-",
        /// The event log: what is wrong with one.
        Log = "HF-LOG-",
        /// Snapshots of a rollout: what is wrong with one.
        Snapshot = "HF-SNAP-",
        /// Messages: errors of templates and of what is asked for.
        Message = "HF-MSG-",
        /// Reports and measures: what keeps one from being made.
        Report = "HF-REP-",
        /// Documents of other tools that are imported: errors and findings.
        Convert = "HF-CONV-",
        /// Recorded metrics and backtests on them: errors and findings.
        Recorded = "HF-REC-",
        /// What is written for other tools.
        Export = "HF-EXP-",
        /// Simulations: what is wrong with a scenario.
        Simulate = "HF-SIM-",
        /// Values that cross the C boundary.
        Ffi = "HF-FFI-",
    }
}

impl Family {
    /// What its codes start with.
    ///
    /// ```
    /// use hotfix_core::code::Family;
    ///
    /// assert_eq!(Family::Policy.prefix(), "HF-POL-");
    /// ```
    pub const fn prefix(self) -> &'static str {
        self.as_str()
    }
}
