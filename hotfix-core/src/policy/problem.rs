//! The errors of a policy, each with its code, its sentence and the remedy.

use super::extend::ExtendError;
use crate::code::coded;
use crate::document::{DocumentCodes, DocumentFault, FaultFamily};
use crate::text::{did_you_mean, quoted};
use crate::unit::UnitError;

/// The codes of the faults that a document of any kind may have.
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
    /// A version of the format that this release does not know.
    #[error("format `{got}` is not known: this release reads format {known}, so write `format = {known}` or use a newer release")]
    Format { got: String, known: &'static str } => "HF-POL-005",
    /// An empty list or table that needs at least one entry.
    #[error("there is no {what}: add at least one")]
    Empty { what: &'static str } => "HF-POL-011",
    /// The same name for two things.
    #[error("the {what} `{name}` already exists at `{first}`: rename one of them")]
    DuplicateName {
        what: &'static str,
        name: String,
        /// Where it occurs first.
        first: String,
    } => "HF-POL-012",
    /// A metric that the policy does not have.
    #[error("the metric `{name}` is not in `metrics`: {}add it, or name an existing one", did_you_mean(nearest.as_deref()))]
    UnknownMetric {
        name: String,
        /// The nearest metric, where one is near.
        nearest: Option<String>,
    } => "HF-POL-013",
    /// The efficacy claim names a metric that cannot show it.
    #[error("the metric `{name}` cannot show that the fix works: name a proportion or count with `role = \"decide\"` and a `model` other than `none`")]
    EfficacyMetric { name: String } => "HF-POL-014",
    /// The weights of the tested deciding metrics are not the whole budget.
    #[error("the weights of the metrics with `role = \"decide\"` and a `model` other than `none` sum to {sum} ({weights}): make them sum to 1")]
    WeightSum { sum: String, weights: String } => "HF-POL-015",
    /// A weight on a metric without a test.
    #[error("`weight` is {got}, but only a metric with `role = \"decide\"` and a `model` other than `none` may have one: delete `weight`")]
    WeightWithoutTest { got: String } => "HF-POL-016",
    /// A test that does not fit the kind of metric.
    #[error("the model `{model}` does not fit the kind `{kind}`: write one of {}", quoted(known, ", "))]
    ModelKind { model: &'static str, kind: &'static str, known: &'static [&'static str] }
        => "HF-POL-017",
    /// A test of a count for which fewer events are worse.
    #[error("the model `poisson` looks for too many events, but this count has `worse = \"lower\"`: write `model = \"none\"` and add bounds, or count the failures")]
    FewerEvents {} => "HF-POL-041",
    /// A key that this kind of metric, bound or duty must not have.
    #[error("`{key}` has no meaning for the {what} `{of}`: delete it")]
    NoMeaning { key: &'static str, what: &'static str, of: &'static str } => "HF-POL-018",
    /// A key that this kind of metric or duty must have.
    #[error("the kind `{kind}` needs `{key}`: add {example}")]
    KindNeeds { key: &'static str, kind: &'static str, example: &'static str } => "HF-POL-019",
    /// Boundaries that do not rise.
    #[error("the boundary {got} is not above the one before, {before}: list them in rising order, each once")]
    BoundaryOrder { got: String, before: String } => "HF-POL-020",
    /// A promotion margin that is not above `tolerated`.
    #[error("`margin` is {margin}, which is not above `tolerated` ({tolerated}): write a larger margin")]
    Margin { margin: String, tolerated: String } => "HF-POL-021",
    /// A ratio to a reference that the metric does not have.
    #[error("this bound is a ratio of the reference, but the metric has no `reference`: add one, or write a figure")]
    NoReference {} => "HF-POL-022",
    /// A duration that is shorter than one that it has to cover.
    #[error("`{key}` is {got}, shorter than `{least}` ({at_least}): write at least {at_least}")]
    TooShort {
        key: &'static str,
        got: String,
        /// The key of the duration that it has to cover.
        least: &'static str,
        at_least: String,
    } => "HF-POL-023",
    /// A bound that is neither a figure nor a ratio, or both.
    #[error("{detail}: write a figure, `{{ value = …, unless_both_arms = true }}` or `{{ ratio = 1.1, of = \"reference\" }}`")]
    BoundForm { detail: &'static str } => "HF-POL-024",
    /// A name that no preset has.
    #[error("there is no preset `{got}`: {}the presets are {}", did_you_mean(*nearest), quoted(known, ", "))]
    UnknownPreset {
        got: String,
        /// The nearest preset, where one is near.
        nearest: Option<&'static str>,
        known: &'static [&'static str],
    } => "HF-POL-025",
    /// More of something than the tests allow.
    #[error("there are {got} {what}: keep at most {most}")]
    TooMany { what: &'static str, got: usize, most: usize } => "HF-POL-026",
    /// A test for independent errors in another evidence mode.
    #[error("`phase_end_test` assumes independent errors, but `mode` is `{mode}`: write `mode = \"plain\"`, or delete `phase_end_test`")]
    PhaseEndTest { mode: &'static str } => "HF-POL-027",
    /// Settings that replace the phases of the policy's own strategy, change them, or forbid the
    /// strategy.
    #[error("`{strategy}` is the policy's own strategy, and this table sets or changes its phases or forbids it: change `phases` at the top level instead, or choose another `strategy`")]
    OwnStrategy { strategy: &'static str } => "HF-POL-044",
    /// A key that a strategy does not have.
    #[error("`{key}` has no meaning for the strategy `{strategy}`: delete it")]
    NotForStrategy { key: &'static str, strategy: &'static str } => "HF-POL-050",
    /// Phases that do not lead to all traffic.
    #[error("{detail}: let the shares rise from phase to phase, up to 100% in the last one")]
    PhaseShares { detail: &'static str } => "HF-POL-051",
    /// A checklist with `holds = true` at a moment that nothing waits for.
    #[error("nothing waits for a checklist at `{at}`: delete `holds`, or set `at` to `start` or `final_validation`")]
    HoldsNothing { at: &'static str } => "HF-POL-061",
    /// A rollback step with no more traffic than the one before.
    #[error("the share {got} is not above that of the step before, {before}: let the shares rise")]
    StepShare { got: String, before: String } => "HF-POL-052",
    /// An invalid pattern of paths.
    #[error("`{got}` is not a valid path pattern: write a file name or a path from the root of the repository, with `*`, `?`, `[…]` or `**`, and a separate entry for each alternative")]
    Pattern { got: String } => "HF-POL-042",
    /// A text that a commit message cannot contain.
    #[error("`{got}` is not valid in a commit message: write {expected}")]
    CommitText { got: String, expected: &'static str } => "HF-POL-043",
    /// A placeholder in a message that is not closed or empty.
    #[error("{detail} at character {at}: write the name of a field in double braces, as in `{{{{ title }}}}`")]
    Placeholder {
        detail: &'static str,
        /// Where the braces open, in characters from 1.
        at: usize,
    } => "HF-POL-045",
    /// A field in a message that does not exist, or that its audience may not read.
    #[error("{fault}, in line {line}: {}name a field of docs/messages.md, or write the text itself", did_you_mean(*nearest))]
    MessageField {
        fault: String,
        /// The line of the text, from 1.
        line: usize,
        /// The nearest known one, where one is near.
        nearest: Option<&'static str>,
    } => "HF-POL-062",
    /// A text of a message that uses something outside the template language.
    #[error("{detail}, in line {line}: docs/messages.md describes the fields, filters, conditions and loops")]
    Template {
        detail: String,
        /// The line of the text, from 1.
        line: usize,
    } => "HF-POL-063",
    /// A placeholder in a command that does not exist there.
    #[error("{fault}: {}write one that docs/policy.md lists, or other braces", did_you_mean(*nearest))]
    CommandField {
        fault: String,
        /// The nearest known one, where one is near.
        nearest: Option<&'static str>,
    } => "HF-POL-064",
    /// A command that is not one line of a shell, or quotes a placeholder.
    #[error("{detail}: write one line for a POSIX shell, with placeholders outside of quotes")]
    CommandForm { detail: String } => "HF-POL-065",
    /// An entry that occurs twice in a list.
    #[error("`{name}` already occurs at `{first}`: keep one of the two")]
    StandsTwice {
        name: String,
        /// Where it occurs first.
        first: String,
    } => "HF-POL-046",
    /// A text that git does not accept as the name of a branch.
    #[error("`{got}` is not a valid {what}: {fault}; write one that `git check-ref-format` accepts")]
    RefName { got: String, what: &'static str, fault: String } => "HF-POL-047",
    /// A condition in none of the known forms.
    #[error("this is not a valid condition: write the name of a flag, a fact with one or more comparisons, or exactly one of `all`, `any`, `not`")]
    ConditionForm {} => "HF-POL-053",
    /// A fact that the policy does not know.
    #[error("`{name}` is not a known fact: {}correct it, or declare it under `facts`", did_you_mean(nearest.as_deref()))]
    UnknownFact {
        name: String,
        /// The nearest known one, where one is near.
        nearest: Option<String>,
    } => "HF-POL-054",
    /// A comparison that a fact's type does not have.
    #[error("`{fact}` is a {kind}: compare it by {expected}")]
    Comparison { fact: String, kind: &'static str, expected: &'static str } => "HF-POL-055",
    /// A custom fact with the name of a built-in one.
    #[error("`{name}` is a built-in fact: use it, or rename your own")]
    BuiltInFact { name: String } => "HF-POL-056",
    /// A rule with neither or both of `severity` and `hotfix`.
    #[error("a rule has either `severity` or `hotfix`: write exactly one of them")]
    RuleEffect {} => "HF-POL-057",
    /// A question in neither or both of the two forms.
    #[error("a question has either `when` with `yes` and `no`, or `fact` with `answers`: write exactly one form")]
    QuestionForm {} => "HF-POL-058",
    /// An answer without a value.
    #[error("this answer accepts no value: add one of `is`, `above`, `at_least`, `below`, `at_most`")]
    AnswerForm {} => "HF-POL-059",
    /// An answer with an unknown target.
    #[error("`{name}` is not a question or leaf of the tree: {}add it, or name an existing one", did_you_mean(nearest.as_deref()))]
    UnknownTarget {
        name: String,
        /// The nearest id, where one is near.
        nearest: Option<String>,
    } => "HF-POL-060",
    /// A text that is not a due time.
    #[error("`{got}` is not a due time: {}write a duration, as in \"2h\", or one of {}", did_you_mean(*nearest), quoted(known, ", "))]
    Due {
        got: String,
        /// The nearest day, where one is near.
        nearest: Option<&'static str>,
        known: &'static [&'static str],
    } => "HF-POL-037",
    /// A severity that the policy does not have.
    #[error("the severity `{got}` is not in `severities`: add it there, or {}", instead(known))]
    UnknownSeverity { got: &'static str, known: Vec<&'static str> } => "HF-POL-038",
    /// A key that has no meaning without another one.
    #[error("`{key}` has no meaning without `{needs}`: add that, or delete `{key}`")]
    KeyNeeds {
        key: &'static str,
        /// What it needs, as written in the policy.
        needs: &'static str,
    } => "HF-POL-039",
    /// A checklist item, a procedure step and a success criterion, two of which have the same id.
    #[error("`{name}` is an id here and at `{step}`, and `check_item` needs unique ids: rename one of them")]
    ItemAndStep { name: String, step: String } => "HF-POL-040",
}

impl FaultFamily for Problem {
    const HEADING: &'static str = " in the policy";
}

fn instead(known: &[&str]) -> String {
    match known {
        [] => "delete it".to_owned(),
        _ => format!("name one of {}", quoted(known, ", ")),
    }
}
