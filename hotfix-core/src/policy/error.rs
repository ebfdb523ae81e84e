//! The errors of a policy: all of them at once, each with its code, its place, its sentence and the remedy.

use super::extend::ExtendError;
use crate::code::coded;
use crate::document::{DocumentCodes, DocumentError, DocumentErrors, DocumentFault, FaultFamily};
use crate::text::{did_you_mean, quoted};
pub(super) use crate::text::{nearest, shown};
use crate::unit::UnitError;

/// All errors of a policy, in the order of the format; never empty.
///
/// ```
/// use hotfix_core::policy::Policy;
/// let errors = Policy::from_toml("format = 1\nnaem = \"payments\"").unwrap_err();
/// let naem = errors.iter().find(|e| e.path() == "/naem").unwrap();
/// assert_eq!((naem.code(), naem.line(), naem.column()), ("HF-POL-006", Some(2), Some(1)));
/// assert!(naem.sentence().contains("did you mean `name`"));
/// ```
pub type PolicyErrors = DocumentErrors<Problem>;

/// One error in a policy.
pub type PolicyError = DocumentError<Problem>;

const DOCUMENT: DocumentCodes = DocumentCodes {
    syntax: "HF-POL-001",
    too_large: "HF-POL-002",
    too_deep: "HF-POL-003",
    duplicate_key: "HF-POL-004",
    unknown_key: "HF-POL-006",
    missing_key: "HF-POL-007",
    wrong_type: "HF-POL-008",
    unknown_value: "HF-POL-009",
    out_of_range: "HF-POL-010",
};

coded! {
    /// An error in a policy.
    #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum Problem;

    /// A value with a wrong unit or out of range, or an invalid name.
    #[error(transparent)]
    Unit(error: #[from] UnitError) => error.code(),
    /// An error in what a policy extends.
    #[error(transparent)]
    Extend(error: #[from] ExtendError) => error.code(),
    /// An error that a document of any kind may have.
    #[error(transparent)]
    Document(fault: #[from] DocumentFault) => fault.code(&DOCUMENT),
    #[error("format `{got}` is not known: this release reads format {known}, so write `{known}` or use a newer release")]
    Format { got: String, known: &'static str } => "HF-POL-005",
    #[error("there is no {what}: add at least one")]
    Empty { what: &'static str } => "HF-POL-011",
    #[error("the {what} `{name}` already exists at `{first}`: rename or delete one of them")]
    DuplicateName { what: &'static str, name: String, first: String } => "HF-POL-012",
    #[error("the metric `{name}` is not in `metrics`: {}add it, or name an existing one", did_you_mean(nearest.as_deref()))]
    UnknownMetric { name: String, nearest: Option<String> } => "HF-POL-013",
    #[error("the metric `{name}` cannot show that the fix works: name a proportion or count whose `role` is `decide` and whose `model` is not `none`")]
    EfficacyMetric { name: String } => "HF-POL-014",
    #[error("the weights of the metrics whose `role` is `decide` and whose `model` is not `none` sum to {sum} ({weights}): make them sum to 1")]
    WeightSum { sum: String, weights: String } => "HF-POL-015",
    #[error("`weight` is {got}, but only a metric whose `role` is `decide` and whose `model` is not `none` may have one: delete `weight`")]
    WeightWithoutTest { got: String } => "HF-POL-016",
    #[error("the model `{model}` does not fit the kind `{kind}`: write one of {}", quoted(known, ", "))]
    ModelKind { model: &'static str, kind: &'static str, known: &'static [&'static str] }
        => "HF-POL-017",
    #[error("the model `poisson` looks for too many events, but this count has `lower` as `worse`: write `none` as its `model` and add bounds, or count the failures")]
    FewerEvents {} => "HF-POL-041",
    #[error("`{key}` has no meaning for the {what} `{of}`: delete it")]
    NoMeaning { key: &'static str, what: &'static str, of: &'static str } => "HF-POL-018",
    #[error("the kind `{kind}` needs `{key}`: add {example}")]
    KindNeeds { key: &'static str, kind: &'static str, example: &'static str } => "HF-POL-019",
    #[error("the boundary {got} is not above the one before, {before}: list them in rising order, each once")]
    BoundaryOrder { got: String, before: String } => "HF-POL-020",
    #[error("`margin` is {margin}, which is not above `tolerated` ({tolerated}): write a larger margin")]
    Margin { margin: String, tolerated: String } => "HF-POL-021",
    #[error("this bound is a ratio of the reference, but the metric has no `reference`: add one, or write a figure")]
    NoReference {} => "HF-POL-022",
    #[error("`{key}` is {got}, shorter than `{least}` ({at_least}): write at least {at_least}")]
    TooShort { key: &'static str, got: String, least: &'static str, at_least: String }
        => "HF-POL-023",
    #[error("{detail}: write a figure, a table with `value` and `unless_both_arms`, or one with `ratio` and `of`")]
    BoundForm { detail: &'static str } => "HF-POL-024",
    #[error("there is no preset `{got}`: {}the presets are {}", did_you_mean(*nearest), quoted(known, ", "))]
    UnknownPreset { got: String, nearest: Option<&'static str>, known: &'static [&'static str] }
        => "HF-POL-025",
    #[error("there are {got} {what}: keep at most {most}")]
    TooMany { what: &'static str, got: usize, most: usize } => "HF-POL-026",
    #[error("`phase_end_test` assumes independent errors, but `mode` is `{mode}`: write `plain` as `mode`, or delete `phase_end_test`")]
    PhaseEndTest { mode: &'static str } => "HF-POL-027",
    #[error("`{strategy}` is the policy's own strategy, and this table sets or changes its phases or forbids it: change `phases` at the top level instead, or choose another `strategy`")]
    OwnStrategy { strategy: &'static str } => "HF-POL-044",
    #[error("`{key}` has no meaning for the strategy `{strategy}`: delete it")]
    NotForStrategy { key: &'static str, strategy: &'static str } => "HF-POL-050",
    #[error("{detail}: let the shares rise from phase to phase, up to 100% in the last one")]
    PhaseShares { detail: &'static str } => "HF-POL-051",
    #[error("nothing waits for a checklist at `{at}`: delete `holds`, or set `at` to `start` or `final_validation`")]
    HoldsNothing { at: &'static str } => "HF-POL-061",
    #[error("the share {got} is not above that of the step before, {before}: let the shares rise")]
    StepShare { got: String, before: String } => "HF-POL-052",
    #[error("`{got}` is not a valid path pattern: write a file name or a path from the root of the repository, with `*`, `?`, `[…]` or `**`, and a separate entry for each alternative")]
    Pattern { got: String } => "HF-POL-042",
    #[error("`{got}` is not valid in a commit message: write {expected}")]
    CommitText { got: String, expected: &'static str } => "HF-POL-043",
    #[error("{detail} at character {at}: write the name of a field in double braces, as in `{{{{ title }}}}`")]
    Placeholder {
        detail: &'static str,
        /// Where the braces open, in characters from 1.
        at: usize,
    } => "HF-POL-045",
    #[error("{fault}, in line {line}: {}name a field of docs/messages.md, or write the text itself", did_you_mean(*nearest))]
    MessageField {
        fault: String,
        /// The line of the text, from 1.
        line: usize,
        nearest: Option<&'static str>,
    } => "HF-POL-062",
    #[error("{detail}, in line {line}: docs/messages.md describes the fields, filters, conditions and loops")]
    Template {
        detail: String,
        /// The line of the text, from 1.
        line: usize,
    } => "HF-POL-063",
    #[error("{fault}: {}write one that docs/policy.md lists, or other braces", did_you_mean(*nearest))]
    CommandField { fault: String, nearest: Option<&'static str> } => "HF-POL-064",
    #[error("{detail}: write one line for a POSIX shell, with placeholders outside of quotes")]
    CommandForm { detail: String } => "HF-POL-065",
    #[error("`{name}` already occurs at `{first}`: keep one of the two")]
    StandsTwice { name: String, first: String } => "HF-POL-046",
    #[error("`{got}` is not a valid {what}: {fault}; write one that `git check-ref-format` accepts")]
    RefName { got: String, what: &'static str, fault: String } => "HF-POL-047",
    #[error("this is not a valid condition: write the name of a flag, a fact with one or more comparisons, or exactly one of `all`, `any`, `not`")]
    ConditionForm {} => "HF-POL-053",
    #[error("`{name}` is not a known fact: {}correct it, or declare it under `facts`", did_you_mean(nearest.as_deref()))]
    UnknownFact { name: String, nearest: Option<String> } => "HF-POL-054",
    #[error("`{fact}` is a {kind}: compare it by {expected}")]
    Comparison { fact: String, kind: &'static str, expected: &'static str } => "HF-POL-055",
    #[error("`{name}` is a built-in fact: use it, or rename your own")]
    BuiltInFact { name: String } => "HF-POL-056",
    #[error("a rule has either `severity` or `hotfix`: write exactly one of them")]
    RuleEffect {} => "HF-POL-057",
    #[error("a question has either `when` with `yes` and `no`, or `fact` with `answers`: write exactly one form")]
    QuestionForm {} => "HF-POL-058",
    #[error("this answer accepts no value: add one of `is`, `above`, `at_least`, `below`, `at_most`")]
    AnswerForm {} => "HF-POL-059",
    #[error("`{name}` is not a question or leaf of the tree: {}add it, or name an existing one", did_you_mean(nearest.as_deref()))]
    UnknownTarget { name: String, nearest: Option<String> } => "HF-POL-060",
    #[error("`{got}` is not a due time: {}write a duration, as in \"2h\", or one of {}", did_you_mean(*nearest), quoted(known, ", "))]
    Due { got: String, nearest: Option<&'static str>, known: &'static [&'static str] }
        => "HF-POL-037",
    #[error("the severity `{got}` is not in `severities`: add it there, or {}", instead(known))]
    UnknownSeverity { got: &'static str, known: Vec<&'static str> } => "HF-POL-038",
    #[error("`{key}` has no meaning without {needs}: add that, or delete `{key}`")]
    KeyNeeds { key: &'static str, needs: &'static str } => "HF-POL-039",
    #[error("`{name}` is an id here and {by}, and an input names only the id: rename this one")]
    IdTaken { name: String, by: String } => "HF-POL-040",
}

impl FaultFamily for Problem {
    const HEADING: &'static str = " in the policy";

    fn of_document(&self) -> Option<&DocumentFault> {
        match self {
            Self::Document(fault) => Some(fault),
            _ => None,
        }
    }
}

fn instead(known: &[&str]) -> String {
    match known {
        [] => "delete it".to_owned(),
        _ => format!("name one of {}", quoted(known, ", ")),
    }
}
