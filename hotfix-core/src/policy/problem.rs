//! The errors of a policy, each with its code, its sentence and the remedy.

use super::extend::ExtendError;
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

macro_rules! problems {
    ($($(#[$doc:meta])* $code:literal $variant:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {
        /// An error in a policy.
        #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
        #[non_exhaustive]
        pub enum Problem {
            /// A value with a wrong unit or out of range, or an invalid name.
            #[error(transparent)]
            Unit(#[from] UnitError),
            /// An error in what a policy extends.
            #[error(transparent)]
            Extend(#[from] ExtendError),
            /// An error that a document of any kind may have.
            #[error(transparent)]
            Document(#[from] DocumentFault),
            $($(#[$doc])* $variant { $($(#[$field_doc])* $field: $type,)* },)*
        }

        impl FaultFamily for Problem {
            const HEADING: &'static str = " in the policy";

            fn code(&self) -> &'static str {
                match self {
                    Self::Unit(error) => error.code(),
                    Self::Extend(error) => error.code(),
                    Self::Document(fault) => fault.code(&DOCUMENT),
                    $(Self::$variant { .. } => $code,)*
                }
            }
        }
    };
}

problems! {
    /// A version of the format that this release does not know.
    #[error("format `{got}` is not known: this release reads format {known}, so write `format = {known}` or use a newer release")]
    "HF-POL-005" Format {
        /// What came.
        got: String,
        /// The versions that are known.
        known: &'static str,
    }
    /// An empty list or table that needs at least one entry.
    #[error("there is no {what}: add at least one")]
    "HF-POL-011" Empty {
        /// What is missing.
        what: &'static str,
    }
    /// The same name for two things.
    #[error("the {what} `{name}` already exists at `{first}`: rename one of them")]
    "HF-POL-012" DuplicateName {
        /// What is named.
        what: &'static str,
        /// The name.
        name: String,
        /// Where it occurs first.
        first: String,
    }
    /// A metric that the policy does not have.
    #[error("the metric `{name}` is not in `metrics`: {}add it, or name an existing one", did_you_mean(nearest.as_deref()))]
    "HF-POL-013" UnknownMetric {
        /// The name.
        name: String,
        /// The nearest metric, where one is near.
        nearest: Option<String>,
    }
    /// The efficacy claim names a metric that cannot show it.
    #[error("the metric `{name}` cannot show that the fix works: name a proportion or count with `role = \"decide\"` and a `model` other than `none`")]
    "HF-POL-014" EfficacyMetric {
        /// The name.
        name: String,
    }
    /// The weights of the tested deciding metrics are not the whole budget.
    #[error("the weights of the metrics with `role = \"decide\"` and a `model` other than `none` sum to {sum} ({weights}): make them sum to 1")]
    "HF-POL-015" WeightSum {
        /// Their sum.
        sum: String,
        /// Each metric with its weight.
        weights: String,
    }
    /// A weight on a metric without a test.
    #[error("`weight` is {got}, but only a metric with `role = \"decide\"` and a `model` other than `none` may have one: delete `weight`")]
    "HF-POL-016" WeightWithoutTest {
        /// The weight.
        got: String,
    }
    /// A test that does not fit the kind of metric.
    #[error("the model `{model}` does not fit the kind `{kind}`: write one of {}", quoted(known, ", "))]
    "HF-POL-017" ModelKind {
        /// The model.
        model: &'static str,
        /// The kind.
        kind: &'static str,
        /// The models that fit.
        known: &'static [&'static str],
    }
    /// A test of a count for which fewer events are worse.
    #[error("the model `poisson` looks for too many events, but this count has `worse = \"lower\"`: write `model = \"none\"` and add bounds, or count the failures")]
    "HF-POL-041" FewerEvents {}
    /// A key that this kind of metric or duty must not have.
    #[error("`{key}` has no meaning for the kind `{kind}`: delete it")]
    "HF-POL-018" NotForKind {
        /// The key.
        key: &'static str,
        /// The kind.
        kind: &'static str,
    }
    /// A key that this kind of metric or duty must have.
    #[error("the kind `{kind}` needs `{key}`: add {example}")]
    "HF-POL-019" KindNeeds {
        /// The key.
        key: &'static str,
        /// The kind.
        kind: &'static str,
        /// What it takes.
        example: &'static str,
    }
    /// Boundaries that do not rise.
    #[error("the boundary {got} is not above the one before, {before}: list them in rising order, each once")]
    "HF-POL-020" BoundaryOrder {
        /// The boundary.
        got: String,
        /// The one before it.
        before: String,
    }
    /// A promotion margin that is not above `tolerated`.
    #[error("`margin` is {margin}, which is not above `tolerated` ({tolerated}): write a larger margin")]
    "HF-POL-021" Margin {
        /// The margin.
        margin: String,
        /// The value of `tolerated`.
        tolerated: String,
    }
    /// A ratio to a reference that the metric does not have.
    #[error("this bound is a ratio of the reference, but the metric has no `reference`: add one, or write a figure")]
    "HF-POL-022" NoReference {}
    /// A duration that is shorter than one that it has to cover.
    #[error("`{key}` is {got}, shorter than `{least}` ({at_least}): write at least {at_least}")]
    "HF-POL-023" TooShort {
        /// The key.
        key: &'static str,
        /// Its duration.
        got: String,
        /// The key of the duration that it has to cover.
        least: &'static str,
        /// That duration.
        at_least: String,
    }
    /// A bound that is neither a figure nor a ratio, or both.
    #[error("{detail}: write a figure, `{{ value = …, unless_both_arms = true }}` or `{{ ratio = 1.1, of = \"reference\" }}`")]
    "HF-POL-024" BoundForm {
        /// What is wrong with it.
        detail: &'static str,
    }
    /// A name that no preset has.
    #[error("there is no preset `{got}`: {}the presets are {}", did_you_mean(*nearest), quoted(known, ", "))]
    "HF-POL-025" UnknownPreset {
        /// What came.
        got: String,
        /// The nearest preset, where one is near.
        nearest: Option<&'static str>,
        /// The presets.
        known: &'static [&'static str],
    }
    /// More of something than the tests allow.
    #[error("there are {got} {what}: keep at most {most}")]
    "HF-POL-026" TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        got: usize,
        /// How many there may be.
        most: usize,
    }
    /// A test for independent errors in another evidence mode.
    #[error("`phase_end_test` assumes independent errors, but `mode` is `{mode}`: write `mode = \"plain\"`, or delete `phase_end_test`")]
    "HF-POL-027" PhaseEndTest {
        /// The mode.
        mode: &'static str,
    }
    /// Settings that replace the phases of the policy's own strategy, change them, or forbid the
    /// strategy.
    #[error("`{strategy}` is the policy's own strategy, and this table sets or changes its phases or forbids it: change `phases` at the top level instead, or choose another `strategy`")]
    "HF-POL-044" OwnStrategy {
        /// The strategy.
        strategy: &'static str,
    }
    /// A key that a strategy does not have.
    #[error("`{key}` has no meaning for the strategy `{strategy}`: delete it")]
    "HF-POL-050" NotForStrategy {
        /// The key.
        key: &'static str,
        /// The strategy.
        strategy: &'static str,
    }
    /// Phases that do not lead to all traffic.
    #[error("{detail}: let the shares rise from phase to phase, up to 100% in the last one")]
    "HF-POL-051" PhaseShares {
        /// What is wrong.
        detail: &'static str,
    }
    /// A checklist with `holds = true` at a moment that nothing waits for.
    #[error("nothing waits for a checklist at `{at}`: delete `holds`, or set `at` to `start` or `final_validation`")]
    "HF-POL-061" HoldsNothing {
        /// The moment of the checklist.
        at: &'static str,
    }
    /// A rollback step with no more traffic than the one before.
    #[error("the share {got} is not above that of the step before, {before}: let the shares rise")]
    "HF-POL-052" StepShare {
        /// The share.
        got: String,
        /// The one before it.
        before: String,
    }
    /// An invalid pattern of paths.
    #[error("`{got}` is not a valid path pattern: write a file name or a path from the root of the repository, with `*`, `?`, `[…]` or `**`, and a separate entry for each alternative")]
    "HF-POL-042" Pattern {
        /// What came.
        got: String,
    }
    /// A text that a commit message cannot contain.
    #[error("`{got}` is not valid in a commit message: write {expected}")]
    "HF-POL-043" CommitText {
        /// What came.
        got: String,
        /// What is expected.
        expected: &'static str,
    }
    /// A placeholder in a message that is not closed or empty.
    #[error("{detail} at character {at}: write the name of a field in double braces, as in `{{{{ title }}}}`")]
    "HF-POL-045" Placeholder {
        /// What is wrong.
        detail: &'static str,
        /// Where the braces open, in characters from 1.
        at: usize,
    }
    /// A field in a message that does not exist, or that its audience may not read.
    #[error("{fault}, in line {line}: {}name a field of docs/messages.md, or write the text itself", did_you_mean(*nearest))]
    "HF-POL-062" MessageField {
        /// What is wrong.
        fault: String,
        /// The line of the text, from 1.
        line: usize,
        /// The nearest known one, where one is near.
        nearest: Option<&'static str>,
    }
    /// A text of a message that uses something outside the template language.
    #[error("{detail}, in line {line}: docs/messages.md describes the fields, filters, conditions and loops")]
    "HF-POL-063" Template {
        /// What is wrong.
        detail: String,
        /// The line of the text, from 1.
        line: usize,
    }
    /// A placeholder in a command that does not exist there.
    #[error("{fault}: {}write one that docs/policy.md lists, or other braces", did_you_mean(*nearest))]
    "HF-POL-064" CommandField {
        /// What is wrong.
        fault: String,
        /// The nearest known one, where one is near.
        nearest: Option<&'static str>,
    }
    /// A command that is not one line of a shell, or quotes a placeholder.
    #[error("{detail}: write one line for a POSIX shell, with placeholders outside of quotes")]
    "HF-POL-065" CommandForm {
        /// What is wrong.
        detail: String,
    }
    /// An entry that occurs twice in a list.
    #[error("`{name}` already occurs at `{first}`: keep one of the two")]
    "HF-POL-046" StandsTwice {
        /// The entry.
        name: String,
        /// Where it occurs first.
        first: String,
    }
    /// A text that git does not accept as the name of a branch.
    #[error("`{got}` is not a valid {what}: {fault}; write one that `git check-ref-format` accepts")]
    "HF-POL-047" RefName {
        /// What came.
        got: String,
        /// What it should be.
        what: &'static str,
        /// What is wrong with it.
        fault: String,
    }
    /// A condition in none of the known forms.
    #[error("this is not a valid condition: write the name of a flag, a fact with one or more comparisons, or exactly one of `all`, `any`, `not`")]
    "HF-POL-053" ConditionForm {}
    /// A fact that the policy does not know.
    #[error("`{name}` is not a known fact: {}correct it, or declare it under `facts`", did_you_mean(nearest.as_deref()))]
    "HF-POL-054" UnknownFact {
        /// The name.
        name: String,
        /// The nearest known one, where one is near.
        nearest: Option<String>,
    }
    /// A comparison that a fact's type does not have.
    #[error("`{fact}` is a {kind}: compare it by {expected}")]
    "HF-POL-055" Comparison {
        /// The fact.
        fact: String,
        /// Its type.
        kind: &'static str,
        /// What is expected.
        expected: &'static str,
    }
    /// A custom fact with the name of a built-in one.
    #[error("`{name}` is a built-in fact: use it, or rename your own")]
    "HF-POL-056" BuiltInFact {
        /// The name.
        name: String,
    }
    /// A rule with neither or both of `severity` and `hotfix`.
    #[error("a rule has either `severity` or `hotfix`: write exactly one of them")]
    "HF-POL-057" RuleEffect {}
    /// A question in neither or both of the two forms.
    #[error("a question has either `when` with `yes` and `no`, or `fact` with `answers`: write exactly one form")]
    "HF-POL-058" QuestionForm {}
    /// An answer without a value.
    #[error("this answer accepts no value: add one of `is`, `above`, `at_least`, `below`, `at_most`")]
    "HF-POL-059" AnswerForm {}
    /// An answer with an unknown target.
    #[error("`{name}` is not a question or leaf of the tree: {}add it, or name an existing one", did_you_mean(nearest.as_deref()))]
    "HF-POL-060" UnknownTarget {
        /// The name.
        name: String,
        /// The nearest id, where one is near.
        nearest: Option<String>,
    }
    /// A text that is not a due time.
    #[error("`{got}` is not a due time: {}write a duration, as in \"2h\", or one of {}", did_you_mean(*nearest), quoted(known, ", "))]
    "HF-POL-037" Due {
        /// What came.
        got: String,
        /// The nearest day, where one is near.
        nearest: Option<&'static str>,
        /// The days that have a name.
        known: &'static [&'static str],
    }
    /// A severity that the policy does not have.
    #[error("the severity `{got}` is not in `severities`: add it there, or {}", instead(known))]
    "HF-POL-038" UnknownSeverity {
        /// The severity.
        got: &'static str,
        /// The severities that the policy has.
        known: Vec<&'static str>,
    }
    /// A key that has no meaning without another one.
    #[error("`{key}` has no meaning without `{needs}`: add that, or delete `{key}`")]
    "HF-POL-039" KeyNeeds {
        /// The key.
        key: &'static str,
        /// What it needs, as written in the policy.
        needs: &'static str,
    }
    /// A checklist item, a procedure step and a success criterion, two of which have the same id.
    #[error("`{name}` is an id here and at `{step}`, and `check_item` needs unique ids: rename one of them")]
    "HF-POL-040" ItemAndStep {
        /// The id.
        name: String,
        /// The other place.
        step: String,
    }
}

fn instead(known: &[&str]) -> String {
    match known {
        [] => "delete it".to_owned(),
        _ => format!("name one of {}", quoted(known, ", ")),
    }
}
