//! Findings of an import: each with its code, level, sentence and remedy.

use crate::document::Place;
use crate::getters::{getters, members};
use crate::lint::{Level, findings};

findings! {
    /// The kinds of import findings.
    pub enum ImportFinding;

    #[error("`{key}` is not a known key here and is ignored{}", nearest.map_or_else(String::new, |near| format!(": did you mean `{near}`?")))]
    UnknownKey { key: String, nearest: Option<&'static str> }
        => "HF-CONV-020" Warn, "correct the key, or configure its effect by hand";

    #[error("this belongs to the platform and is not in the policy: {what}")]
    Platform { what: &'static str }
        => "HF-CONV-021" Note, "keep it in the configuration of the deployment";

    #[error("this has no counterpart in a policy and is lost: {what}")]
    NoCounterpart { what: String }
        => "HF-CONV-022" Warn, "implement it in your deploy tool, or set in the policy what happens instead";

    /// A setting that works differently in a policy.
    #[error("{there}; in the policy {here}")]
    Differs { there: String, here: String }
        => "HF-CONV-023" Warn, "check the value, and change it if you want another";

    /// A setting that works the same, in other words or units.
    #[error("{there}; in the policy {here}")]
    Put { there: String, here: String }
        => "HF-CONV-024" Note, "nothing, unless you want another value";

    #[error("the source does not set {what}: the policy uses {value}")]
    Completed { what: &'static str, value: String } => "HF-CONV-025" Note, "set your own value";

    #[error("the {kind} `{name}` is referenced but not in the text: its content is missing in the policy")]
    MissingDocument { kind: &'static str, name: String }
        => "HF-CONV-026" Warn, "add it to the same text, after a line with `---`";

    #[error("the {kind} `{name}` is not referenced: it is not in the policy")]
    UnusedDocument { kind: String, name: String }
        => "HF-CONV-027" Warn, "reference it, or remove it";

    #[error("`{from}` {why}: use `{to}` in observations")]
    Renamed { from: String, why: &'static str, to: String }
        => "HF-CONV-028" Note, "send the metric's readings under its id";

    #[error("the condition `{condition}` cannot be a bound: {why}; the metric is only watched")]
    Condition { condition: String, why: String }
        => "HF-CONV-029" Warn, "add the bound by hand, and let the metric decide";

    #[error("the value of `{name}` is not in the text")]
    Argument { name: String }
        => "HF-CONV-030" Warn, "write its value under `args`, or set the figure by hand";

    #[error("`{text}` is read as {meaning}, as Kubernetes does; other versions of YAML may read it differently")]
    Ambiguous { text: String, meaning: String }
        => "HF-CONV-031" Note, "write `true` or `false`, a plain number, or a text in quotes";

    #[error("the query of `{metric}` is not in the policy: your deploy tool has to run it and send the value as a reading")]
    Query { metric: String } => "HF-CONV-032" Note, "run it for the canary alone, once per cadence";

    #[error("{there}; in the policy {}", in_a_row(*evaluations))]
    Tolerated { there: String, evaluations: f64 }
        => "HF-CONV-033" Warn, "check `watch.consecutive_breaches`";

    /// The response to missing data.
    #[error("{there}; in the policy {here}")]
    NoData { there: String, here: String }
        => "HF-CONV-034" Warn, "set the response under `watch.no_data`";

    #[error("`{name}` has bounds on both sides, but a metric of a policy has only one worse side: it becomes `{below}` and `{above}`")]
    TwoSided { name: String, below: String, above: String }
        => "HF-CONV-035" Note, "send the same reading under both ids";

    #[error("a step without traffic cannot be a phase: it is left out")]
    NoTraffic {}
        => "HF-CONV-036" Warn, "test without traffic before the rollout starts, for example with a checklist item";

    #[error("{tool} gives the new version all traffic after {before}% and stops watching; the policy has a last phase at 100%, which is watched for {watch}")]
    LastPhase { tool: &'static str, before: String, watch: String }
        => "HF-CONV-037" Note, "watch all traffic long enough for faults to appear";

    #[error("the source has no metric that could be read: the policy gets the metric `error_rate`, which is only watched, and a person is asked at the end of each phase")]
    NothingDecides {} => "HF-CONV-038" Warn, "add the deciding metrics with their bounds";

    #[error("{there}; in the policy the bound is {ratio} times the live arm, without a test")]
    NoTest { there: String, ratio: String }
        => "HF-CONV-039" Warn, "send counts instead of gauges, so that a sequential test can judge them";

    #[error("the share falls from {before}% to {after}%")]
    ShareFalls { before: String, after: String } => "HF-CONV-040" Warn, "use increasing shares";

    #[error("{there}: the phase is watched for {watch}, one evaluation")]
    NotWatched { there: &'static str, watch: String }
        => "HF-CONV-041" Warn, "watch each share long enough to detect a fault";

    #[error("a document of the kind `{kind}` has nothing for a policy")]
    OtherDocument { kind: String } => "HF-CONV-042" Note, "nothing";

    #[error("the {kind} `{name}` has a query but no bound, because bounds are in the document that references it: its metric is only watched, and a higher value is assumed to be worse")]
    NoBound { kind: &'static str, name: String }
        => "HF-CONV-043" Warn, "add the document that references it to the same text, or set `success`, `rollback` and `worse` by hand and let the metric decide";
}

fn in_a_row(evaluations: f64) -> String {
    if evaluations > 1.0 {
        format!(
            "a bound has to be crossed {evaluations} evaluations in a row, and at the end of a phase its mean has to be within the bounds: one value far beyond them can hold the phase, and a person is asked"
        )
    } else {
        "the first evaluation beyond a bound acts: the smallest number of all metrics applies to each".to_owned()
    }
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

    /// What was lost or changed, in a sentence.
    pub fn message(&self) -> String {
        self.remark.to_string()
    }
}

getters! {
    pub Finding: self;

    /// The stable code: `HF-CONV-…`.
    code: &'static str = self.remark.code();
    /// Its level.
    level: Level = self.remark.level();
    /// What to do about it.
    remedy: &'static str = self.remark.remedy();
}

members! {
    Finding: self;
    code = self.code(), level = self.level(), path = self.path, document = self.document,
    line = self.line, column = self.column, message = self.message(), remedy = self.remedy(),
}
