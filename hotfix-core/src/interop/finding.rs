//! Findings of an import: each with its code, level, sentence and remedy.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::document::Place;
use crate::lint::Level;
use crate::text::did_you_mean;

macro_rules! remarks {
    ($($(#[$doc:meta])* $code:literal $level:ident $variant:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* } remedy $remedy:literal)*) => {
        /// The kinds of import findings.
        #[derive(Clone, Debug, PartialEq, thiserror::Error)]
        #[non_exhaustive]
        pub enum ImportFinding {
            $($(#[$doc])* $variant { $($(#[$field_doc])* $field: $type,)* },)*
        }

        impl ImportFinding {
            /// The stable code.
            pub const fn code(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $code,)*
                }
            }

            /// Its level.
            pub const fn level(&self) -> Level {
                match self {
                    $(Self::$variant { .. } => Level::$level,)*
                }
            }

            /// The remedy.
            pub const fn remedy(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $remedy,)*
                }
            }
        }
    };
}

remarks! {
    /// A key that is not a documented field of the tool.
    #[error("`{key}` is not a known key here and is ignored: {}", did_you_mean(*nearest).trim_end())]
    "HF-CONV-020" Warn UnknownKey {
        /// The key.
        key: String,
        /// The nearest known key, if one is near.
        nearest: Option<&'static str>,
    }
    remedy "correct the key, or configure its effect by hand"

    /// A setting of the platform, which a policy does not contain.
    #[error("this belongs to the platform and is not in the policy: {what}")]
    "HF-CONV-021" Note Platform {
        /// What it is.
        what: &'static str,
    }
    remedy "keep it in the configuration of the deployment"

    /// A setting of the rollout without a counterpart in a policy.
    #[error("this has no counterpart in a policy and is lost: {what}")]
    "HF-CONV-022" Warn NoCounterpart {
        /// What it is.
        what: String,
    }
    remedy "implement it in your deploy tool, or set in the policy what happens instead"

    /// A setting that works differently in a policy.
    #[error("{there}; in the policy {here}")]
    "HF-CONV-023" Warn Differs {
        /// How the source has it.
        there: String,
        /// What the imported policy does instead.
        here: String,
    }
    remedy "check the value, and change it if you want another"

    /// A setting that works the same, in other words or units.
    #[error("{there}; in the policy {here}")]
    "HF-CONV-024" Note Put {
        /// How the source has it.
        there: String,
        /// What the imported policy has.
        here: String,
    }
    remedy "nothing, unless you want another value"

    /// A setting that a policy needs and the source does not have.
    #[error("the source does not set {what}: the policy uses {value}")]
    "HF-CONV-025" Note Completed {
        /// What it is.
        what: &'static str,
        /// The value in the policy.
        value: String,
    }
    remedy "set your own value"

    /// A document that is referenced but missing.
    #[error("the {kind} `{name}` is referenced but not in the text: its content is missing in the policy")]
    "HF-CONV-026" Warn MissingDocument {
        /// Its kind.
        kind: &'static str,
        /// Its name.
        name: String,
    }
    remedy "add it to the same text, after a line with `---`"

    /// A document that is not referenced.
    #[error("the {kind} `{name}` is not referenced: it is not in the policy")]
    "HF-CONV-027" Warn UnusedDocument {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
    }
    remedy "reference it, or remove it"

    /// A name that is not a valid id in a policy, or is already used.
    #[error("`{from}` cannot be a metric's id: use `{to}` in observations")]
    "HF-CONV-028" Note Renamed {
        /// The name.
        from: String,
        /// The id.
        to: String,
    }
    remedy "send the metric's readings under its id"

    /// A condition that cannot be a bound.
    #[error("the condition `{condition}` cannot be a bound: {why}; the metric is only watched")]
    "HF-CONV-029" Warn Condition {
        /// The condition.
        condition: String,
        /// The reason.
        why: String,
    }
    remedy "add the bound by hand, and let the metric decide"

    /// An argument whose value is not in the text.
    #[error("the value of `{name}` is not in the text")]
    "HF-CONV-030" Warn Argument {
        /// The argument.
        name: String,
    }
    remedy "write its value under `args`, or set the figure by hand"

    /// A scalar that versions of YAML read differently.
    #[error("`{text}` is read as {meaning}, as Kubernetes does; other versions of YAML may read it differently")]
    "HF-CONV-031" Note Ambiguous {
        /// The text.
        text: String,
        /// The value that it is read as.
        meaning: String,
    }
    remedy "write `true` or `false`, a plain number, or a text in quotes"

    /// A query is not part of the policy.
    #[error("the query of `{metric}` is not in the policy: your deploy tool has to run it and send the value as a reading")]
    "HF-CONV-032" Note Query {
        /// The metric's id.
        metric: String,
    }
    remedy "run it for the canary alone, once per cadence"

    /// A number of tolerated failures.
    #[error("{there}; in the policy a bound has to be crossed {evaluations} evaluations in a row")]
    "HF-CONV-033" Warn Tolerated {
        /// How failures are counted in the source.
        there: String,
        /// Evaluations in a row.
        evaluations: f64,
    }
    remedy "check `watch.consecutive_breaches`"

    /// The response to missing data.
    #[error("{there}; in the policy {here}")]
    "HF-CONV-034" Warn NoData {
        /// How the source has it.
        there: String,
        /// What the imported policy does.
        here: String,
    }
    remedy "set the response under `watch.no_data`"

    /// A metric with bounds on both sides.
    #[error("`{name}` has bounds on both sides, but a metric of a policy has only one worse side: it becomes `{below}` and `{above}`")]
    "HF-CONV-035" Note TwoSided {
        /// The name.
        name: String,
        /// The id of the one that must not be lower.
        below: String,
        /// The id of the one that must not be higher.
        above: String,
    }
    remedy "send the same reading under both ids"

    /// A step without traffic.
    #[error("a step without traffic cannot be a phase: it is left out")]
    "HF-CONV-036" Warn NoTraffic {}
    remedy "test without traffic before the rollout starts, for example with a checklist item"

    /// The tool does not watch all traffic after the last step.
    #[error("{tool} gives the new version all traffic after {before}% and stops watching; the policy has a last phase at 100%, which is watched for {watch}")]
    "HF-CONV-037" Note LastPhase {
        /// The tool.
        tool: &'static str,
        /// The share before it, in per cent.
        before: String,
        /// How long it is watched.
        watch: String,
    }
    remedy "watch all traffic long enough for faults to appear"

    /// The source has no analysis.
    #[error("the source has no analysis: the policy gets the metric `error_rate`, which is only watched")]
    "HF-CONV-038" Warn NothingDecides {}
    remedy "add the deciding metrics with their bounds"

    /// A statistical comparison becomes a bound.
    #[error("{there}; in the policy the bound is {ratio} times the live arm, without a test")]
    "HF-CONV-039" Warn NoTest {
        /// How the source has it.
        there: String,
        /// The ratio.
        ratio: String,
    }
    remedy "send counts instead of gauges, so that a sequential test can judge them"

    /// Steps that reduce the traffic share.
    #[error("the share falls from {before}% to {after}%")]
    "HF-CONV-040" Warn ShareFalls {
        /// In per cent.
        before: String,
        /// In per cent.
        after: String,
    }
    remedy "use increasing shares"

    /// A duration that a policy needs and the source does not have.
    #[error("{there}: the phase is watched for {watch}, one evaluation")]
    "HF-CONV-041" Warn NotWatched {
        /// How the source has it.
        there: &'static str,
        /// How long it is watched.
        watch: String,
    }
    remedy "watch each share long enough to detect a fault"

    /// A document of the tool that has nothing for a policy.
    #[error("a document of the kind `{kind}` has nothing for a policy")]
    "HF-CONV-042" Note OtherDocument {
        /// Its kind.
        kind: String,
    }
    remedy "nothing"

    /// A query without its bounds.
    #[error("the {kind} `{name}` has a query but no bound, because bounds are in the document that references it: its metric is only watched, and a higher value is assumed to be worse")]
    "HF-CONV-043" Warn NoBound {
        /// Its kind.
        kind: &'static str,
        /// Its name.
        name: String,
    }
    remedy "add the document that references it to the same text, or set `success`, `rollback` and `worse` by hand and let the metric decide"
}

/// A finding of an import, with its place in the source.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The kind of finding.
    pub remark: ImportFinding,
    /// Its place: a JSON Pointer into the document.
    pub path: String,
    /// The document in the text, from 0, without empty documents.
    pub document: usize,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
}

impl Finding {
    pub(super) fn new(remark: ImportFinding, path: &str, place: Place) -> Self {
        let [document, line, column] =
            [place.document, place.line, place.column].map(|number| number as usize);
        Self { remark, path: path.to_owned(), document, line, column }
    }

    /// The stable code: `HF-CONV-…`.
    pub const fn code(&self) -> &'static str {
        self.remark.code()
    }

    /// Its level.
    pub const fn level(&self) -> Level {
        self.remark.level()
    }

    /// What was lost or changed, in a sentence.
    pub fn message(&self) -> String {
        self.remark.to_string().trim_end_matches([':', ' ']).to_owned()
    }

    /// What to do about it.
    pub const fn remedy(&self) -> &'static str {
        self.remark.remedy()
    }
}

impl Serialize for Finding {
    /// `{"code", "level", "path", "document", "line", "column", "message", "remedy"}`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut finding = serializer.serialize_struct("Finding", 8)?;
        finding.serialize_field("code", self.code())?;
        finding.serialize_field("level", &self.level())?;
        finding.serialize_field("path", &self.path)?;
        finding.serialize_field("document", &self.document)?;
        finding.serialize_field("line", &self.line)?;
        finding.serialize_field("column", &self.column)?;
        finding.serialize_field("message", &self.message())?;
        finding.serialize_field("remedy", self.remedy())?;
        finding.end()
    }
}
