//! What an import has to say of a document that it read: each remark with its code, level, sentence and remedy.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::document::Place;
use crate::lint::Level;
use crate::text::did_you_mean;

macro_rules! remarks {
    ($($(#[$doc:meta])* $code:literal $level:ident $variant:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* } remedy $remedy:literal)*) => {
        /// What an import may remark.
        #[derive(Clone, Debug, PartialEq, thiserror::Error)]
        #[non_exhaustive]
        pub enum Remark {
            $($(#[$doc])* $variant { $($(#[$field_doc])* $field: $type,)* },)*
        }

        impl Remark {
            /// The codes, in order.
            pub const CODES: &'static [&'static str] = &[$($code,)*];

            /// The stable code.
            pub const fn code(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $code,)*
                }
            }

            /// How grave it is.
            pub const fn level(&self) -> Level {
                match self {
                    $(Self::$variant { .. } => Level::$level,)*
                }
            }

            /// What to do about it.
            pub const fn remedy(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $remedy,)*
                }
            }
        }
    };
}

remarks! {
    /// A key that the tool's documented fields do not have.
    #[error("`{key}` is not a known key here and is left out: {}", did_you_mean(*nearest).trim_end())]
    "HF-CONV-020" Warn UnknownKey {
        /// The key.
        key: String,
        /// The known key that is nearest, where one is near.
        nearest: Option<&'static str>,
    }
    remedy "correct its name, or see to what it does by hand"

    /// Something of the platform, which a policy leaves to the host.
    #[error("left to the platform, and not in the policy: {what}")]
    "HF-CONV-021" Note Platform {
        /// What it is.
        what: &'static str,
    }
    remedy "keep it where the deployment is described"

    /// Something that steers a rollout there and has no counterpart in a policy.
    #[error("without a counterpart in a policy, and lost: {what}")]
    "HF-CONV-022" Warn NoCounterpart {
        /// What it is.
        what: String,
    }
    remedy "let the host do it, or say in the policy what is to happen instead"

    /// Something that goes another way in a policy.
    #[error("{there}; in the policy {here}")]
    "HF-CONV-023" Warn Differs {
        /// How it is in the source.
        there: String,
        /// What the imported policy does instead.
        here: String,
    }
    remedy "read the figure again, and change it where that is not meant"

    /// Something that goes the same way in other words or units.
    #[error("{there}; in the policy {here}")]
    "HF-CONV-024" Note Put {
        /// How it is in the source.
        there: String,
        /// What the imported policy has.
        here: String,
    }
    remedy "nothing, unless another figure is meant"

    /// Something that a policy needs and the source does not say.
    #[error("the source does not say {what}: the policy has {value}")]
    "HF-CONV-025" Note Completed {
        /// What it is.
        what: &'static str,
        /// What was put in.
        value: String,
    }
    remedy "put in the house's own figure"

    /// A document that is referred to, and not there.
    #[error("the {kind} `{name}` is referred to and not in the text: what it says is missing from the policy")]
    "HF-CONV-026" Warn MissingDocument {
        /// Of which kind.
        kind: &'static str,
        /// Its name.
        name: String,
    }
    remedy "give it in the same text, after a line with `---`"

    /// A document that nothing refers to.
    #[error("nothing refers to the {kind} `{name}`: it is not in the policy")]
    "HF-CONV-027" Warn UnusedDocument {
        /// Of which kind.
        kind: String,
        /// Its name.
        name: String,
    }
    remedy "refer to it, or take it out"

    /// A name that a policy cannot have, or that is taken.
    #[error("`{from}` cannot be a metric's id: it is `{to}` in observations")]
    "HF-CONV-028" Note Renamed {
        /// The name.
        from: String,
        /// The id.
        to: String,
    }
    remedy "give the metric's readings under its id"

    /// A condition that no bounds say.
    #[error("the condition `{condition}` is no bound: {why}; the metric is only watched")]
    "HF-CONV-029" Warn Condition {
        /// The condition.
        condition: String,
        /// What is beyond it.
        why: String,
    }
    remedy "put in the bound by hand, and let the metric decide"

    /// An argument whose value is not in the text.
    #[error("the value of `{name}` is not in the text")]
    "HF-CONV-030" Warn Argument {
        /// The argument.
        name: String,
    }
    remedy "write its value under `args`, or put in the figure by hand"

    /// A scalar that one version of YAML reads in another way.
    #[error("`{text}` is read as {meaning}, as Kubernetes does; YAML 1.2 reads it otherwise")]
    "HF-CONV-031" Note Ambiguous {
        /// What stands there.
        text: String,
        /// What it is taken for.
        meaning: String,
    }
    remedy "write `true` or `false`, a plain number, or a text in quotes"

    /// A query stays with the host.
    #[error("the query of `{metric}` is not in the policy: the host asks it and gives the value as a reading")]
    "HF-CONV-032" Note Query {
        /// The metric's id.
        metric: String,
    }
    remedy "ask it for the canary alone, once a cadence"

    /// A number of tolerated failures.
    #[error("{there}; in the policy a bound must be crossed {looks} looks in a row before it counts")]
    "HF-CONV-033" Warn Tolerated {
        /// How failures are counted in the source.
        there: String,
        /// Looks in a row.
        looks: f64,
    }
    remedy "choose how many bad looks in a row are one too many"

    /// What follows where there are no data.
    #[error("{there}; in the policy {here}")]
    "HF-CONV-034" Warn NoData {
        /// How it is in the source.
        there: String,
        /// What the imported policy does.
        here: String,
    }
    remedy "say under `watch.no_data` what is to follow"

    /// A metric with a bound on either side.
    #[error("`{name}` has bounds on both sides, and a metric of a policy has one worse side: it is `{below}` and `{above}`")]
    "HF-CONV-035" Note TwoSided {
        /// The name.
        name: String,
        /// The id of the one that must not be lower.
        below: String,
        /// The id of the one that must not be higher.
        above: String,
    }
    remedy "give the same reading under both ids"

    /// A step without traffic.
    #[error("a step with no traffic is no phase: it is left out")]
    "HF-CONV-036" Warn NoTraffic {}
    remedy "test without traffic before the rollout starts, as by an item of a checklist"

    /// All traffic follows the last step without being watched.
    #[error("{tool} gives the new version all traffic after {before}%, and no longer watches; the policy has a last phase at 100% that is watched for {watch}")]
    "HF-CONV-037" Note LastPhase {
        /// The tool.
        tool: &'static str,
        /// The share before it, in per cent.
        before: String,
        /// How long it is watched.
        watch: String,
    }
    remedy "watch all of the traffic for as long as trouble takes to show"

    /// Nothing is analysed.
    #[error("nothing is analysed here: the policy has the metric `error_rate`, which is only watched")]
    "HF-CONV-038" Warn NothingDecides {}
    remedy "add the metrics that are to decide, with their bounds"

    /// A comparison by a test becomes a bound.
    #[error("{there}; in the policy the bound is {ratio} times the live arm, without a test")]
    "HF-CONV-039" Warn NoTest {
        /// How it is in the source.
        there: String,
        /// The ratio.
        ratio: String,
    }
    remedy "give counts in place of levels, so that a sequential test can judge them"

    /// Steps that take traffic away again.
    #[error("the share falls from {before}% to {after}%")]
    "HF-CONV-040" Warn ShareFalls {
        /// In per cent.
        before: String,
        /// In per cent.
        after: String,
    }
    remedy "let the shares rise: the linter remarks it, too"

    /// A policy needs a duration where the source has none.
    #[error("{there}: the phase is watched for {watch}, one look")]
    "HF-CONV-041" Warn NotWatched {
        /// How it is in the source.
        there: &'static str,
        /// How long it is watched.
        watch: String,
    }
    remedy "watch each share for as long as it takes to see a fault"

    /// A document of the tool that says nothing of a policy.
    #[error("a document of the kind `{kind}` says nothing of a policy")]
    "HF-CONV-042" Note OtherDocument {
        /// Of which kind.
        kind: String,
    }
    remedy "nothing"

    /// A query without the bounds that belong to it.
    #[error("the {kind} `{name}` has a query and no bound, which is a matter of the document that refers to it: its metric is watched and does not decide, and a higher value is taken to be worse")]
    "HF-CONV-043" Warn NoBound {
        /// Of which kind.
        kind: &'static str,
        /// Its name.
        name: String,
    }
    remedy "give the document that refers to it in the same text, or put in `success` and `rollback` by hand, say which side is worse, and let the metric decide"
}

/// Something that an import remarks, with its place in the source.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What.
    pub remark: Remark,
    /// Where: a JSON Pointer into the document.
    pub path: String,
    /// Which document of the text, from 0; empty ones do not count.
    pub document: usize,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
}

impl Finding {
    pub(super) fn new(remark: Remark, path: &str, document: usize, place: Place) -> Self {
        let Place { line, column } = place;
        Self { remark, path: path.to_owned(), document, line, column }
    }

    /// The stable code: `HF-CONV-…`.
    pub const fn code(&self) -> &'static str {
        self.remark.code()
    }

    /// How grave it is.
    pub const fn level(&self) -> Level {
        self.remark.level()
    }

    /// What was lost or changed.
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
