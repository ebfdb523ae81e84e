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
    /// Doubtful policies: findings.
    Lint,
    /// Observations and bands.
    Metric,
    /// Statistics.
    Stat,
    /// The Kayenta-compatible judge: errors and findings.
    Kayenta,
    /// Plans.
    Plan,
    /// Inputs of a rollout, as documents.
    Input,
    /// The rollout: refusals.
    Rollout,
    /// Duties: refusals.
    Time,
    /// The event log: what is wrong with one.
    Log,
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
        Self::Plan,
        Self::Input,
        Self::Rollout,
        Self::Time,
        Self::Log,
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
            Self::Plan => "HF-PLAN-",
            Self::Input => "HF-IN-",
            Self::Rollout => "HF-ROLL-",
            Self::Time => "HF-TIME-",
            Self::Log => "HF-LOG-",
            Self::Ffi => "HF-FFI-",
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
    code("HF-UNIT-009", Family::Unit, "text is not a date"),
    code("HF-FACT-001", Family::Fact, "a fact is named that the policy does not know"),
    code("HF-FACT-002", Family::Fact, "a fact's value has the wrong type"),
    code("HF-FACT-003", Family::Fact, "a fact's value is not finite"),
    code("HF-POL-001", Family::Policy, "the text of a policy is not TOML or JSON"),
    code("HF-POL-002", Family::Policy, "the text of a policy is too large"),
    code("HF-POL-003", Family::Policy, "a policy is nested too deep"),
    code("HF-POL-004", Family::Policy, "a key stands twice in a table"),
    code("HF-POL-005", Family::Policy, "the policy's format is unknown to this release"),
    code("HF-POL-006", Family::Policy, "a key is unknown"),
    code("HF-POL-007", Family::Policy, "a key is missing"),
    code("HF-POL-008", Family::Policy, "a value has the wrong type"),
    code("HF-POL-009", Family::Policy, "a value is not one of those allowed"),
    code("HF-POL-010", Family::Policy, "a value is out of range"),
    code("HF-POL-011", Family::Policy, "a list that needs an entry is empty"),
    code("HF-POL-012", Family::Policy, "a name is given twice"),
    code("HF-POL-013", Family::Policy, "a metric is named that the policy lacks"),
    code("HF-POL-014", Family::Policy, "the efficacy metric cannot show that the fix works"),
    code("HF-POL-015", Family::Policy, "the weights of the tested metrics do not sum to 1"),
    code("HF-POL-016", Family::Policy, "a metric that is not tested has a weight"),
    code("HF-POL-017", Family::Policy, "the model does not fit the kind of metric"),
    code("HF-POL-018", Family::Policy, "a key has no meaning for the kind"),
    code("HF-POL-019", Family::Policy, "the kind needs a key"),
    code("HF-POL-020", Family::Policy, "histogram boundaries do not rise"),
    code("HF-POL-021", Family::Policy, "the margin is not above what is tolerated"),
    code("HF-POL-022", Family::Policy, "a bound refers to a record that the metric lacks"),
    code("HF-POL-023", Family::Policy, "a duration is shorter than another one allows"),
    code("HF-POL-024", Family::Policy, "a bound has a form that is not known"),
    code("HF-POL-025", Family::Policy, "there is no such preset"),
    code(
        "HF-POL-026",
        Family::Policy,
        "there are more metrics or boundaries than the tests can weigh",
    ),
    code("HF-POL-027", Family::Policy, "a test for independent errors in a mode for others"),
    code("HF-POL-028", Family::Policy, "a policy to extend is unknown"),
    code("HF-POL-029", Family::Policy, "policies extend each other in a circle"),
    code("HF-POL-030", Family::Policy, "a chain of policies that extend each other is too long"),
    code("HF-POL-031", Family::Policy, "a policy extends too many others"),
    code("HF-POL-032", Family::Policy, "the policies that one extends are too large together"),
    code("HF-POL-033", Family::Policy, "a policy that is extended has a fault of its own"),
    code("HF-POL-034", Family::Policy, "a key to take is not in the policy that is extended"),
    code("HF-POL-035", Family::Policy, "`remove = true` cannot be followed"),
    code("HF-POL-036", Family::Policy, "`extends` stands where a policy must be resolved"),
    code("HF-POL-037", Family::Policy, "a text is no due time"),
    code("HF-POL-038", Family::Policy, "a severity is named that the policy lacks"),
    code("HF-POL-039", Family::Policy, "a key says something about one that is not there"),
    code("HF-POL-045", Family::Policy, "a placeholder of a message is not closed"),
    code("HF-POL-046", Family::Policy, "a list has an entry twice"),
    code("HF-POL-053", Family::Policy, "a condition has no known form"),
    code("HF-POL-054", Family::Policy, "a condition names a fact that the policy does not know"),
    code("HF-POL-055", Family::Policy, "a fact is compared in a way that its type does not have"),
    code("HF-POL-056", Family::Policy, "a fact of the house has a built-in fact's name"),
    code("HF-POL-057", Family::Policy, "a rule says neither severity nor hot-fix, or both"),
    code("HF-POL-058", Family::Policy, "a question of the tree has no known form"),
    code("HF-POL-059", Family::Policy, "an answer of the tree accepts no value"),
    code("HF-POL-060", Family::Policy, "an answer of the tree leads to nothing"),
    code("HF-LINT-001", Family::Lint, "questions of the tree lead round in a circle"),
    code("HF-LINT-002", Family::Lint, "no answers of the tree lead to a question or leaf"),
    code("HF-LINT-003", Family::Lint, "no facts lead to a question or leaf"),
    code("HF-LINT-004", Family::Lint, "a question of the tree has no answer for some facts"),
    code("HF-LINT-005", Family::Lint, "a question of the tree has no answer for some numbers"),
    code("HF-LINT-006", Family::Lint, "an answer of the tree never counts"),
    code("HF-LINT-007", Family::Lint, "a less severe leaf shadows a more severe one"),
    code("HF-LINT-008", Family::Lint, "rules and tree give different severities"),
    code("HF-LINT-009", Family::Lint, "rules and tree disagree on whether it is a hot-fix"),
    code("HF-LINT-010", Family::Lint, "neither a rule nor a leaf says anything"),
    code("HF-LINT-011", Family::Lint, "an exclusion meets a rule for a hot-fix"),
    code("HF-LINT-012", Family::Lint, "a rule can never fire"),
    code("HF-LINT-013", Family::Lint, "a rule changes nothing"),
    code("HF-LINT-014", Family::Lint, "the implications leave nothing possible"),
    code("HF-LINT-015", Family::Lint, "no rule and no leaf gives a severity"),
    code(
        "HF-LINT-016",
        Family::Lint,
        "a leaf and its severity disagree on whether it is a hot-fix",
    ),
    code("HF-LINT-017", Family::Lint, "nothing asks for a house fact"),
    code("HF-LINT-018", Family::Lint, "the conditions are too entangled to go through"),
    code("HF-LINT-020", Family::Lint, "two bounds of a metric are out of order"),
    code("HF-LINT-021", Family::Lint, "a success bound allows what the rollback bound takes back"),
    code(
        "HF-LINT-022",
        Family::Lint,
        "a healthy release misses a success bound by chance and is rolled back",
    ),
    code("HF-LINT-023", Family::Lint, "a healthy release is beyond an alert bound by chance"),
    code("HF-LINT-024", Family::Lint, "a healthy release is beyond a rollback bound by chance"),
    code("HF-LINT-025", Family::Lint, "a phase has less traffic than the one before"),
    code("HF-LINT-026", Family::Lint, "a phase asks for evidence that takes longer than it may"),
    code("HF-LINT-027", Family::Lint, "a window does not bring the least trials"),
    code("HF-LINT-028", Family::Lint, "a window is shorter than two cadences"),
    code("HF-LINT-029", Family::Lint, "the sick live arm keeps the bug's own bound from firing"),
    code("HF-LINT-031", Family::Lint, "nothing judges metrics that are to decide"),
    code(
        "HF-LINT-032",
        Family::Lint,
        "a bound on the live arm falls back on the record at all of the traffic",
    ),
    code(
        "HF-LINT-033",
        Family::Lint,
        "a healthy release misses a success bound by chance and waits",
    ),
    code("HF-LINT-035", Family::Lint, "a phase has the same traffic as the one before"),
    code("HF-LINT-036", Family::Lint, "data are stale before two cadences are over"),
    code(
        "HF-LINT-037",
        Family::Lint,
        "a bound on the live arm has nothing to compare with at all of the traffic",
    ),
    code("HF-LINT-040", Family::Lint, "a deadline is shorter than the steps before it"),
    code(
        "HF-LINT-041",
        Family::Lint,
        "an estimate or objective is shorter than the steps of the procedure",
    ),
    code("HF-LINT-042", Family::Lint, "a limit is shorter than the phases"),
    code("HF-LINT-043", Family::Lint, "a message promises what the plan does not keep"),
    code("HF-LINT-044", Family::Lint, "two demands for approval contradict each other"),
    code("HF-LINT-045", Family::Lint, "nobody is said to hold a role that is named"),
    code("HF-LINT-046", Family::Lint, "a role is named and not declared"),
    code("HF-LINT-047", Family::Lint, "nobody can give an approval that the start waits for"),
    code("HF-LINT-048", Family::Lint, "nobody approves a hot-fix of a severity"),
    code("HF-LINT-049", Family::Lint, "a ladder lacks a rung"),
    code("HF-LINT-050", Family::Lint, "the policy's own review is overdue"),
    code("HF-LINT-051", Family::Lint, "the review of one severity is due at two times"),
    code("HF-LINT-052", Family::Lint, "an audience is told in two rhythms"),
    code("HF-LINT-053", Family::Lint, "a message's text names fields that do not exist"),
    code("HF-LINT-054", Family::Lint, "a public message names people or internals"),
    code("HF-LINT-055", Family::Lint, "somebody is to be told, and no message is for that"),
    code(
        "HF-LINT-056",
        Family::Lint,
        "a hot-fix identifier ranks below the version that it repairs",
    ),
    code("HF-LINT-057", Family::Lint, "reverting a merge commit needs its parent"),
    code("HF-LINT-058", Family::Lint, "staging may be left out, against the policy's own advice"),
    code("HF-LINT-059", Family::Lint, "nothing but people sees to some advice"),
    code("HF-LINT-060", Family::Lint, "the way back is estimated shorter than its parts"),
    code("HF-LINT-061", Family::Lint, "somebody is paged while a way back may still be under way"),
    code("HF-LINT-062", Family::Lint, "nothing says by when a severity's hot-fix is live"),
    code("HF-LINT-063", Family::Lint, "a rung is no later than the one before"),
    code("HF-LINT-064", Family::Lint, "two rungs of a ladder have the same number"),
    code("HF-LINT-065", Family::Lint, "a severity has no ladder, and others have"),
    code("HF-MET-001", Family::Metric, "a metric is observed that the policy lacks"),
    code("HF-MET-002", Family::Metric, "a reading has the form of another kind"),
    code("HF-MET-003", Family::Metric, "a reading has more events than trials"),
    code("HF-MET-004", Family::Metric, "a reading has a negative count"),
    code("HF-MET-005", Family::Metric, "a reading's histogram is not one"),
    code("HF-MET-006", Family::Metric, "a reading has other buckets than the first"),
    code("HF-MET-007", Family::Metric, "a reading of running totals cannot be one"),
    code("HF-STAT-001", Family::Stat, "an error probability is outside 0 to 1"),
    code("HF-STAT-002", Family::Stat, "a number is NaN or infinite"),
    code("HF-STAT-003", Family::Stat, "a count or an exposure is negative"),
    code("HF-STAT-004", Family::Stat, "a proportion has more events than trials"),
    code("HF-STAT-005", Family::Stat, "a figure is beyond 2^53"),
    code("HF-STAT-006", Family::Stat, "a grid has no point, or too many"),
    code("HF-STAT-007", Family::Stat, "a grid ratio is not above 1, or too large"),
    code("HF-STAT-008", Family::Stat, "there are more or fewer weights than things weighted"),
    code("HF-STAT-009", Family::Stat, "a weight is not above 0 and at most 1"),
    code("HF-STAT-010", Family::Stat, "weights do not sum to 1"),
    code("HF-STAT-011", Family::Stat, "the tolerated ratio is below 1, or too large"),
    code("HF-STAT-012", Family::Stat, "the margin is not a positive ratio within the range"),
    code("HF-STAT-013", Family::Stat, "the prior trials are out of range"),
    code("HF-STAT-014", Family::Stat, "there is no latency boundary, or too many"),
    code("HF-STAT-015", Family::Stat, "slow counts do not fit the boundaries"),
    code("HF-STAT-016", Family::Stat, "a cap is not a positive number"),
    code("HF-STAT-017", Family::Stat, "a state is used with a design that is not its own"),
    code("HF-STAT-018", Family::Stat, "a state's version is unknown to this release"),
    code("HF-STAT-019", Family::Stat, "a state is one that no test can have written"),
    code("HF-STAT-020", Family::Stat, "a planned share is not between 0 and 1"),
    code("HF-STAT-021", Family::Stat, "a confidence is not between 0 and 1"),
    code(
        "HF-STAT-022",
        Family::Stat,
        "there is evidence for more or fewer metrics than are weighed",
    ),
    code("HF-STAT-023", Family::Stat, "a test with a horizon is to be merged"),
    code("HF-STAT-024", Family::Stat, "a temper is not above 0 and at most 1"),
    code("HF-STAT-025", Family::Stat, "a threshold is not a positive number"),
    code("HF-STAT-026", Family::Stat, "a horizon has no tick"),
    code("HF-STAT-027", Family::Stat, "a ceiling is not a rate above 0 and below 1"),
    code("HF-STAT-028", Family::Stat, "an alternative is not below the ceiling"),
    code("HF-STAT-030", Family::Stat, "a figure of a plan or a design is out of range"),
    code("HF-STAT-031", Family::Stat, "an instance's history has another length"),
    code("HF-STAT-032", Family::Stat, "a history holds a count that cannot be"),
    code("HF-STAT-033", Family::Stat, "the history is shorter than the phase"),
    code("HF-STAT-034", Family::Stat, "there are too few instances"),
    code("HF-STAT-035", Family::Stat, "an instance is not one of those named before"),
    code("HF-STAT-036", Family::Stat, "an instance is named twice"),
    code(
        "HF-STAT-037",
        Family::Stat,
        "a group of instances is empty, or leaves none to compare with",
    ),
    code("HF-STAT-038", Family::Stat, "there are too few subsets to decide at this alpha"),
    code(
        "HF-STAT-039",
        Family::Stat,
        "there are counts of more or fewer instances than are tested",
    ),
    code("HF-STAT-040", Family::Stat, "a sample or a histogram has no values"),
    code("HF-STAT-041", Family::Stat, "an arm has no trials"),
    code("HF-STAT-042", Family::Stat, "a count given to an exact test is not whole"),
    code("HF-STAT-043", Family::Stat, "the margin of a difference is not from 0 to below 1"),
    code("HF-STAT-044", Family::Stat, "an exact law is too large to be summed"),
    code("HF-STAT-045", Family::Stat, "an exact test without ties was asked for tied values"),
    code("HF-STAT-046", Family::Stat, "two histograms have different numbers of buckets"),
    code("HF-STAT-047", Family::Stat, "a null ratio is not positive, or out of range"),
    code("HF-STAT-048", Family::Stat, "a value of a sample is NaN or infinite"),
    code("HF-STAT-049", Family::Stat, "a margin of equivalence leaves nothing between its sides"),
    code(
        "HF-STAT-050",
        Family::Stat,
        "more requests are slower than a boundary than the one before",
    ),
    code("HF-STAT-051", Family::Stat, "there is no time to choose latency boundaries from"),
    code(
        "HF-STAT-052",
        Family::Stat,
        "a histogram is not one of cumulative counts over ascending edges",
    ),
    code("HF-STAT-053", Family::Stat, "a latency boundary is no edge of the histogram"),
    code("HF-STAT-054", Family::Stat, "latency boundaries do not ascend from above zero"),
    code("HF-KAY-001", Family::Kayenta, "text is not JSON"),
    code("HF-KAY-002", Family::Kayenta, "a value is of another type than its key's"),
    code("HF-KAY-003", Family::Kayenta, "a point is infinite"),
    code(
        "HF-KAY-004",
        Family::Kayenta,
        "there are samples of a metric that the configuration lacks",
    ),
    code("HF-KAY-005", Family::Kayenta, "a score threshold is given nowhere"),
    code("HF-KAY-006", Family::Kayenta, "a figure is out of range"),
    code("HF-KAY-010", Family::Kayenta, "a key is no key of a Kayenta configuration"),
    code("HF-KAY-011", Family::Kayenta, "a word is not known, and its key's default is taken"),
    code("HF-KAY-012", Family::Kayenta, "group weights do not sum to 100"),
    code("HF-KAY-013", Family::Kayenta, "a group with a weight has no metric"),
    code("HF-KAY-014", Family::Kayenta, "a metric is there twice"),
    code("HF-KAY-015", Family::Kayenta, "a metric has no samples"),
    code("HF-PLAN-001", Family::Plan, "the text of a plan's parts is not JSON of their shape"),
    code("HF-PLAN-002", Family::Plan, "a text that must be there is empty"),
    code("HF-PLAN-003", Family::Plan, "the release is the version it would go back to"),
    code("HF-PLAN-004", Family::Plan, "the bug's metric is not in the policy, or not tested"),
    code("HF-PLAN-005", Family::Plan, "the traffic is one that cannot be"),
    code("HF-PLAN-006", Family::Plan, "a history is of a metric whose test cannot be calibrated"),
    code("HF-PLAN-007", Family::Plan, "a history is none"),
    code(
        "HF-PLAN-008",
        Family::Plan,
        "there is a history, and the policy's evidence mode uses none",
    ),
    code("HF-PLAN-009", Family::Plan, "the incident's facts are none that the policy knows"),
    code("HF-IN-001", Family::Input, "the text of an input is not JSON of its shape"),
    code("HF-IN-002", Family::Input, "the kind of an input is unknown"),
    code("HF-IN-003", Family::Input, "an input lacks a field"),
    code("HF-IN-004", Family::Input, "an input has a field that its kind does not have"),
    code("HF-IN-005", Family::Input, "an input has a text that is too long"),
    code("HF-IN-006", Family::Input, "a field of an input is empty"),
    code("HF-ROLL-001", Family::Rollout, "the state does not take this input"),
    code("HF-ROLL-002", Family::Rollout, "the time is before the last one known"),
    code("HF-ROLL-003", Family::Rollout, "the time is too far ahead"),
    code("HF-ROLL-004", Family::Rollout, "the sender has not seen the whole log"),
    code("HF-ROLL-005", Family::Rollout, "a head is expected where no log is made"),
    code("HF-ROLL-006", Family::Rollout, "no such action is pending"),
    code("HF-ROLL-007", Family::Rollout, "something is missing before the start"),
    code("HF-ROLL-008", Family::Rollout, "the policy has no such item"),
    code("HF-ROLL-009", Family::Rollout, "nobody of that role has approved"),
    code("HF-ROLL-010", Family::Rollout, "the phase may not be passed before its gate"),
    code("HF-ROLL-011", Family::Rollout, "a key came with an input of another kind before"),
    code("HF-ROLL-012", Family::Rollout, "what followed from an input cannot be recorded"),
    code("HF-ROLL-013", Family::Rollout, "the policy has a fault that keeps it from starting"),
    code("HF-TIME-001", Family::Time, "the policy has no such duty"),
    code("HF-TIME-002", Family::Time, "the duty is not asked for in this incident"),
    code("HF-TIME-003", Family::Time, "what the duty's time counts from has not happened"),
    code("HF-TIME-004", Family::Time, "the duty is done already"),
    code("HF-TIME-005", Family::Time, "the duty is over"),
    code("HF-TIME-006", Family::Time, "a duty is acknowledged that calls nobody"),
    code("HF-TIME-007", Family::Time, "no word settles it, only what happens"),
    code("HF-LOG-001", Family::Log, "a log has no complete line"),
    code("HF-LOG-002", Family::Log, "a log's last line is incomplete"),
    code("HF-LOG-003", Family::Log, "a line does not follow the line before"),
    code("HF-LOG-004", Family::Log, "a line's number is not the next"),
    code("HF-LOG-005", Family::Log, "a line's event cannot be read"),
    code("HF-LOG-006", Family::Log, "the opening is not the first line, or not the only one"),
    code("HF-LOG-007", Family::Log, "an outcome comes out differently when it is computed anew"),
    code("HF-LOG-008", Family::Log, "a log ends before or after the head expected"),
    code("HF-FFI-001", Family::Ffi, "a pointer is null"),
    code("HF-FFI-002", Family::Ffi, "a text is not UTF-8"),
    code("HF-FFI-003", Family::Ffi, "a struct's size is not one"),
    code("HF-FFI-004", Family::Ffi, "a number is none of its constants"),
    code("HF-FFI-005", Family::Ffi, "a value is out of range"),
    code("HF-FFI-006", Family::Ffi, "a handle is poisoned by an earlier panic"),
    code("HF-FFI-007", Family::Ffi, "a defect of the library was caught at the boundary"),
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
