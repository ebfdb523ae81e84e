//! What a code belongs to.

/// What a code belongs to; its codes start with the family's prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Family {
    /// Canonical JSON, digests and log lines.
    Json,
    /// Durations, shares, times and counts.
    Unit,
    /// Facts of an incident.
    Fact,
    /// Policies: reading, checking, findings.
    Policy,
    /// Doubtful policies: findings.
    Lint,
    /// Observations and bands.
    Metric,
    /// Statistics.
    Stat,
    /// The Kayenta-compatible judge: errors and findings.
    Kayenta,
    /// Source control: errors and findings.
    Vcs,
    /// Plans.
    Plan,
    /// What has to be there before a hot-fix goes out: findings, and figures that cannot be read.
    Gate,
    /// Inputs of a rollout, as documents.
    Input,
    /// The rollout: refusals.
    Rollout,
    /// Several services in one hot-fix: errors, refusals and findings.
    Train,
    /// Duties: refusals.
    Time,
    /// The event log: what is wrong with one.
    Log,
    /// Snapshots of a rollout: what is wrong with one.
    Snapshot,
    /// Messages: errors of templates and of what is asked for.
    Message,
    /// Reports and measures: what keeps one from being made.
    Report,
    /// Documents of other tools that are imported: errors and findings.
    Convert,
    /// Recorded metrics and backtests on them: errors and findings.
    Recorded,
    /// What is written for other tools.
    Export,
    /// Simulations: what is wrong with a scenario.
    Simulate,
    /// Values that cross the C boundary.
    Ffi,
}

impl Family {
    /// Every family, in the order of the documentation.
    pub const ALL: &'static [Self] = &[
        Self::Json,
        Self::Unit,
        Self::Fact,
        Self::Policy,
        Self::Lint,
        Self::Metric,
        Self::Stat,
        Self::Kayenta,
        Self::Vcs,
        Self::Plan,
        Self::Gate,
        Self::Input,
        Self::Rollout,
        Self::Train,
        Self::Time,
        Self::Log,
        Self::Snapshot,
        Self::Message,
        Self::Report,
        Self::Convert,
        Self::Recorded,
        Self::Export,
        Self::Simulate,
        Self::Ffi,
    ];

    /// What its codes start with.
    ///
    /// ```
    /// use hotfix_core::code::Family;
    ///
    /// assert_eq!(Family::Policy.prefix(), "HF-POL-");
    /// ```
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Json => "HF-JSON-",
            Self::Unit => "HF-UNIT-",
            Self::Fact => "HF-FACT-",
            Self::Policy => "HF-POL-",
            Self::Lint => "HF-LINT-",
            Self::Metric => "HF-MET-",
            Self::Stat => "HF-STAT-",
            Self::Kayenta => "HF-KAY-",
            Self::Vcs => "HF-VCS-",
            Self::Plan => "HF-PLAN-",
            Self::Gate => "HF-GATE-",
            Self::Input => "HF-IN-",
            Self::Rollout => "HF-ROLL-",
            Self::Train => "HF-TRAIN-",
            Self::Time => "HF-TIME-",
            Self::Log => "HF-LOG-",
            Self::Snapshot => "HF-SNAP-",
            Self::Message => "HF-MSG-",
            Self::Report => "HF-REP-",
            Self::Convert => "HF-CONV-",
            Self::Recorded => "HF-REC-",
            Self::Export => "HF-EXP-",
            Self::Simulate => "HF-SIM-",
            Self::Ffi => "HF-FFI-",
        }
    }
}
