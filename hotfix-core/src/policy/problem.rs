//! What can be wrong with a policy: each fault with its code, its sentence and the remedy.

use super::extend::ExtendError;
use crate::text::{did_you_mean, quoted};
use crate::unit::UnitError;

macro_rules! problems {
    ($($(#[$doc:meta])* $code:literal $variant:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {
        /// What can be wrong with a policy.
        #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
        #[non_exhaustive]
        pub enum Problem {
            /// A value with a wrong unit, out of its range, or an illegal name.
            #[error(transparent)]
            Unit(#[from] UnitError),
            /// What a policy extends cannot be laid under it.
            #[error(transparent)]
            Extend(#[from] ExtendError),
            $($(#[$doc])* $variant { $($(#[$field_doc])* $field: $type,)* },)*
        }

        impl Problem {
            /// The codes of this family in order, but for those of [`ExtendError`].
            pub const CODES: &'static [&'static str] = &[$($code,)*];

            /// The stable code.
            pub const fn code(&self) -> &'static str {
                match self {
                    Self::Unit(error) => error.code(),
                    Self::Extend(error) => error.code(),
                    $(Self::$variant { .. } => $code,)*
                }
            }
        }
    };
}

problems! {
    /// The text is no TOML or no JSON.
    #[error("not readable as {language} at line {line}, column {column}: {detail}; correct the text there")]
    "HF-POL-001" Syntax {
        /// `TOML` or `JSON`.
        language: &'static str,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// What the parser says.
        detail: String,
    }
    /// The text is longer than a policy may be.
    #[error("the text has {bytes} bytes: a policy has at most {most}, so split or shorten it")]
    "HF-POL-002" TooLarge {
        /// Its length.
        bytes: usize,
        /// The limit.
        most: usize,
    }
    /// Tables and lists are nested deeper than the format ever needs.
    #[error("nested more than {most} deep: a policy is flatter, so take levels out")]
    "HF-POL-003" TooDeep {
        /// The limit.
        most: usize,
    }
    /// A key stands twice in one table.
    #[error("`{key}` stands twice in this table: keep one")]
    "HF-POL-004" DuplicateKey {
        /// The key.
        key: String,
    }
    /// A version of the format that this release does not know.
    #[error("format `{got}` is not known: this release reads format {known}, so write `format = {known}` or take a newer release")]
    "HF-POL-005" Format {
        /// What came.
        got: String,
        /// The versions that are known.
        known: &'static str,
    }
    /// A key that the format does not have (FIELD-5).
    #[error("`{key}` is not a known key: {}known here are {}", did_you_mean(*nearest), listed(known))]
    "HF-POL-006" UnknownKey {
        /// The key.
        key: String,
        /// The known key that is nearest, where one is near.
        nearest: Option<&'static str>,
        /// The keys of this table.
        known: &'static [&'static str],
    }
    /// A key that must be there is not.
    #[error("`{key}` is missing: add {example}")]
    "HF-POL-007" MissingKey {
        /// The key.
        key: &'static str,
        /// What it takes.
        example: String,
    }
    /// A value of another type.
    #[error("{got} stands where {expected} belongs: write {expected}")]
    "HF-POL-008" WrongType {
        /// What belongs there.
        expected: &'static str,
        /// What came.
        got: &'static str,
    }
    /// A text that is not one of a closed set.
    #[error("`{got}` is not allowed here: {}write one of {}", did_you_mean(*nearest), listed(known))]
    "HF-POL-009" UnknownValue {
        /// What came.
        got: String,
        /// The nearest allowed text, where one is near.
        nearest: Option<&'static str>,
        /// The allowed texts.
        known: &'static [&'static str],
    }
    /// A number that is finite and of the right type but outside its range.
    #[error("`{key}` is {got}: write {range}")]
    "HF-POL-010" OutOfRange {
        /// The key.
        key: &'static str,
        /// What came.
        got: String,
        /// The range in words.
        range: &'static str,
    }
    /// A list or table with nothing in it where at least one is needed.
    #[error("there is no {what}: add at least one")]
    "HF-POL-011" Empty {
        /// What is missing.
        what: &'static str,
    }
    /// The same name for two things.
    #[error("the {what} `{name}` is named at `{first}` already: give one of them another name")]
    "HF-POL-012" DuplicateName {
        /// What is named.
        what: &'static str,
        /// The name.
        name: String,
        /// Where it stands first.
        first: String,
    }
    /// A metric is named that the policy does not have.
    #[error("the metric `{name}` is not in `metrics`: {}add it, or name one that is there", did_you_mean(nearest.as_deref()))]
    "HF-POL-013" UnknownMetric {
        /// The name.
        name: String,
        /// The nearest metric, where one is near.
        nearest: Option<String>,
    }
    /// The efficacy claim names a metric that cannot carry it.
    #[error("the metric `{name}` cannot show that the fix works: name a proportion or count that decides and is tested")]
    "HF-POL-014" EfficacyMetric {
        /// The name.
        name: String,
    }
    /// The weights of the tested deciding metrics are not the whole budget.
    #[error("the weights of the metrics that decide and are tested sum to {sum}: make them sum to 1")]
    "HF-POL-015" WeightSum {
        /// Their sum.
        sum: String,
    }
    /// A weight on a metric without a test.
    #[error("`weight` is {got} but this metric is not tested or only watched: leave `weight` out")]
    "HF-POL-016" WeightWithoutTest {
        /// The weight.
        got: String,
    }
    /// A test that does not fit the kind of metric.
    #[error("the model `{model}` does not fit the kind `{kind}`: write one of {}", listed(known))]
    "HF-POL-017" ModelKind {
        /// The model.
        model: &'static str,
        /// The kind.
        kind: &'static str,
        /// What would fit.
        known: &'static [&'static str],
    }
    /// A test of a count that is worse with fewer events.
    #[error("the model `poisson` finds more events, and this count is worse when `lower`: write `none` and give it bounds, or count what goes wrong")]
    "HF-POL-041" FewerEvents {}
    /// A key that this kind, of metric or of duty, must not have.
    #[error("`{key}` has no meaning for the kind `{kind}`: leave it out")]
    "HF-POL-018" NotForKind {
        /// The key.
        key: &'static str,
        /// The kind.
        kind: &'static str,
    }
    /// A key that this kind, of metric or of duty, must have.
    #[error("the kind `{kind}` needs `{key}`: add {example}")]
    "HF-POL-019" KindNeeds {
        /// The key.
        key: &'static str,
        /// The kind.
        kind: &'static str,
        /// What it takes.
        example: &'static str,
    }
    /// Boundaries that do not go up.
    #[error("the boundary {got} is not above the one before, {before}: list them in rising order, each once")]
    "HF-POL-020" BoundaryOrder {
        /// The boundary.
        got: String,
        /// The one before it.
        before: String,
    }
    /// A promotion margin that is no more than what is tolerated anyway.
    #[error("`margin` is {margin}, not above `tolerated` {tolerated}: write a larger margin")]
    "HF-POL-021" Margin {
        /// The margin.
        margin: String,
        /// What is tolerated.
        tolerated: String,
    }
    /// A ratio of a record that the metric does not have.
    #[error("this bound is a ratio of the record but the metric has no `record`: add one, or write the figure itself")]
    "HF-POL-022" NoRecord {}
    /// A duration that is shorter than one it must cover.
    #[error("`{key}` is {got}, shorter than `{least}` of {at_least}: write at least {at_least}")]
    "HF-POL-023" TooShort {
        /// The key.
        key: &'static str,
        /// Its duration.
        got: String,
        /// The key of the duration that it must cover.
        least: &'static str,
        /// That duration.
        at_least: String,
    }
    /// A bound that is neither a figure nor a ratio, or both.
    #[error("{detail}: write a figure, `{{ value = …, unless_both_arms = true }}` or `{{ ratio = 1.1, of = \"record\" }}`")]
    "HF-POL-024" BoundForm {
        /// What is wrong with it.
        detail: &'static str,
    }
    /// A name that no preset has.
    #[error("there is no preset `{got}`: {}the presets are {}", did_you_mean(*nearest), listed(known))]
    "HF-POL-025" UnknownPreset {
        /// What came.
        got: String,
        /// The nearest preset, where one is near.
        nearest: Option<&'static str>,
        /// The presets.
        known: &'static [&'static str],
    }
    /// More of something than the tests can weigh.
    #[error("there are {got} {what}: keep at most {most}")]
    "HF-POL-026" TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        got: usize,
        /// How many there may be.
        most: usize,
    }
    /// A test for independent errors in a mode for errors that are not.
    #[error("`phase_end_test` takes errors to be independent, and `mode` is `{mode}`: write `mode = \"plain\"`, or leave it out")]
    "HF-POL-027" PhaseEndTest {
        /// The mode.
        mode: &'static str,
    }
    /// A second set of phases for the policy's own strategy, or one that bars it.
    #[error("`{strategy}` is the policy's own strategy, whose phases stand in `phases`: leave this out, or make another strategy the policy's own")]
    "HF-POL-044" OwnStrategy {
        /// The strategy.
        strategy: &'static str,
    }
    /// A key that a strategy does not have.
    #[error("`{key}` says nothing of the strategy `{strategy}`: leave it out")]
    "HF-POL-050" NotForStrategy {
        /// The key.
        key: &'static str,
        /// The strategy.
        strategy: &'static str,
    }
    /// Phases that do not lead to all traffic.
    #[error("{detail}: let the shares rise from phase to phase, and the last be 100%")]
    "HF-POL-051" PhaseShares {
        /// What is wrong.
        detail: &'static str,
    }
    /// A list that is to hold up what nothing waits for.
    #[error("nothing waits at `{at}`, so the list holds nothing up: leave `holds` out, or let it be gone through at `start` or `final_validation`")]
    "HF-POL-061" HoldsNothing {
        /// When it is gone through.
        at: &'static str,
    }
    /// A step of the way back with no more traffic than the one before.
    #[error("the old version's share of {got} is not above the one before, {before}: let the shares rise")]
    "HF-POL-052" StepShare {
        /// The share.
        got: String,
        /// The one before it.
        before: String,
    }
    /// A pattern that matches no path, or none that can be meant.
    #[error("`{got}` is no pattern of paths: write a file's name or a path from the root of the repository, with `*`, `?`, `[…]` or `**`, and an entry of its own for each alternative")]
    "HF-POL-042" Pattern {
        /// What came.
        got: String,
    }
    /// A part of a commit message's form that no message can have.
    #[error("`{got}` cannot stand in a commit message: write {expected}")]
    "HF-POL-043" CommitText {
        /// What came.
        got: String,
        /// What would do.
        expected: &'static str,
    }
    /// A message whose text opens a placeholder and does not close it, or has none in it.
    #[error("{detail} at character {at}: write a field's name between double braces, as in `{{{{ title }}}}`")]
    "HF-POL-045" Placeholder {
        /// What is wrong.
        detail: &'static str,
        /// Where the braces open, in characters from 1.
        at: usize,
    }
    /// A text of a message that names what no message knows, or what its readers may not see.
    #[error("{fault}, in line {line}: {}name a field of docs/messages.md, or write the text itself", did_you_mean(*nearest))]
    "HF-POL-062" MessageField {
        /// What is wrong.
        fault: String,
        /// The line of the text, from 1.
        line: usize,
        /// The nearest known one, where one is near.
        nearest: Option<&'static str>,
    }
    /// A text of a message with a part that templates do not have.
    #[error("{detail}, in line {line}: write fields, filters, conditions and loops as docs/messages.md has them")]
    "HF-POL-063" Template {
        /// What is wrong.
        detail: String,
        /// The line of the text, from 1.
        line: usize,
    }
    /// An entry that stands twice in a list where that says nothing.
    #[error("`{name}` stands at `{first}` already: keep one of the two")]
    "HF-POL-046" StandsTwice {
        /// The entry.
        name: String,
        /// Where it stands first.
        first: String,
    }
    /// A text that git takes for no name of a branch, or reads as something else.
    #[error("`{got}` is no {what}: {fault}; write one that `git check-ref-format` takes")]
    "HF-POL-047" RefName {
        /// What came.
        got: String,
        /// What it should be.
        what: &'static str,
        /// What is wrong with it.
        fault: String,
    }
    /// A condition that is none of the known forms.
    #[error("this is no condition: write the name of a flag, one fact with one comparison or more, or exactly one of `all`, `any`, `not`")]
    "HF-POL-053" ConditionForm {}
    /// A fact that the policy does not know.
    #[error("`{name}` is no fact that the policy knows: {}correct it, or declare it under `facts`", did_you_mean(nearest.as_deref()))]
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
        /// What would do.
        expected: &'static str,
    }
    /// A house's own fact with the name of one that every policy knows.
    #[error("every policy knows `{name}`: use it, or give your own fact another name")]
    "HF-POL-056" BuiltInFact {
        /// The name.
        name: String,
    }
    /// A rule from which nothing, or too much, follows.
    #[error("a rule has either `severity`, or `hotfix` alone: write one of them")]
    "HF-POL-057" RuleEffect {}
    /// A question in neither of the two forms, or in both.
    #[error("a question has either `when` with `yes` and `no`, or `fact` with `answers`: write one of them")]
    "HF-POL-058" QuestionForm {}
    /// An answer without a value.
    #[error("this answer accepts no value: add one of `is`, `above`, `at_least`, `below`, `at_most`")]
    "HF-POL-059" AnswerForm {}
    /// An answer that leads to nothing.
    #[error("`{name}` is no question or leaf of the tree: {}add it, or name one that is there", did_you_mean(nearest.as_deref()))]
    "HF-POL-060" UnknownTarget {
        /// The name.
        name: String,
        /// The nearest id, where one is near.
        nearest: Option<String>,
    }
    /// A text that is no due time.
    #[error("`{got}` is no due time: {}write a duration, as in \"2h\", or one of {}", did_you_mean(*nearest), listed(known))]
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
    /// A key that says something about another one that is not there.
    #[error("`{key}` has no meaning without `{needs}`: add that, or leave `{key}` out")]
    "HF-POL-039" KeyNeeds {
        /// The key.
        key: &'static str,
        /// What it needs, as it is written.
        needs: &'static str,
    }
    /// An item of a checklist with the id of a step.
    #[error("`{name}` is the id of an item and of the step at `{step}`, and people check both by their ids: give one of them another")]
    "HF-POL-040" ItemAndStep {
        /// The id.
        name: String,
        /// The step's place.
        step: String,
    }
}

fn instead(known: &[&str]) -> String {
    match known {
        [] => "leave it out".to_owned(),
        _ => format!("name one of {}", listed(known)),
    }
}

pub(super) fn listed(names: &[&str]) -> String {
    quoted(names, ", ")
}
