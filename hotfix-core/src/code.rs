//! Every error, refusal and finding code, once.
//!
//! A code never changes its meaning and is never used again. `docs/codes.md` is made from this
//! table, and a test compares the table with the codes in the source.

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
    /// Observations and bands.
    Metric,
    /// Statistics.
    Stat,
    /// Plans.
    Plan,
    /// Inputs of a rollout, as documents.
    Input,
    /// The rollout: refusals and its log.
    Rollout,
}

impl Family {
    /// Every family, in the order of the documentation.
    pub const ALL: &'static [Self] = &[
        Self::Json,
        Self::Unit,
        Self::Fact,
        Self::Policy,
        Self::Metric,
        Self::Stat,
        Self::Plan,
        Self::Input,
        Self::Rollout,
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
            Self::Metric => "HF-MET-",
            Self::Stat => "HF-STAT-",
            Self::Plan => "HF-PLAN-",
            Self::Input => "HF-IN-",
            Self::Rollout => "HF-ROLL-",
        }
    }
}

/// A code and what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The code: the family's prefix and three digits.
    pub code: &'static str,
    /// Where it belongs.
    pub family: Family,
    /// What it says, in a few words.
    pub what: &'static str,
}

const fn code(code: &'static str, family: Family, what: &'static str) -> Code {
    Code { code, family, what }
}

/// The table, by family and number.
///
/// ```
/// use hotfix_core::code::CODES;
///
/// let known = CODES.iter().find(|known| known.code == "HF-JSON-001");
/// assert_eq!(known.map(|known| known.what), Some("a number is NaN or infinite"));
/// ```
pub const CODES: &[Code] = &[
    code("HF-JSON-001", Family::Json, "a number is NaN or infinite"),
    code("HF-JSON-002", Family::Json, "a whole number is beyond 2^53"),
    code("HF-JSON-003", Family::Json, "an object has a member twice"),
    code("HF-JSON-004", Family::Json, "a map's key is not text"),
    code("HF-JSON-005", Family::Json, "a value is nested too deep"),
    code("HF-JSON-006", Family::Json, "a value refused to be serialised"),
    code("HF-JSON-007", Family::Json, "text is not JSON"),
    code("HF-JSON-008", Family::Json, "a log line is not an object"),
    code("HF-JSON-009", Family::Json, "a value to seal has a hash already"),
    code("HF-JSON-010", Family::Json, "a value to seal has no hash of the line before"),
    code("HF-JSON-011", Family::Json, "a log line lacks prev or hash"),
    code("HF-JSON-012", Family::Json, "a log line's prev or hash is not a digest"),
    code("HF-JSON-013", Family::Json, "a log line was changed after it was sealed"),
    code("HF-JSON-014", Family::Json, "text is not a digest"),
    code("HF-UNIT-001", Family::Unit, "text is not a duration with a unit"),
    code("HF-UNIT-002", Family::Unit, "a duration is out of range"),
    code("HF-UNIT-003", Family::Unit, "text is not a time, or a time is out of range"),
    code("HF-UNIT-004", Family::Unit, "text is not a share"),
    code("HF-UNIT-005", Family::Unit, "a share is outside 0 to 1"),
    code("HF-UNIT-006", Family::Unit, "a ratio is not finite and above 0"),
    code("HF-UNIT-007", Family::Unit, "a rate is not finite and at least 0"),
    code("HF-UNIT-008", Family::Unit, "text is not a name"),
];

/// The family of a code, also of one that a later release added.
///
/// ```
/// use hotfix_core::code::{Family, family};
///
/// assert_eq!(family("HF-JSON-003"), Some(Family::Json));
/// assert_eq!(family("E0308"), None);
/// ```
pub fn family(code: &str) -> Option<Family> {
    Family::ALL.iter().copied().find(|family| code.starts_with(family.prefix()))
}
