//! Phases and the final validation.

use super::command::CommandLine;
use super::list::{Entries, none};
use super::range::SomeTraffic;
use crate::document::{Node, Value};
use crate::grade::{GateMode, OnFailure, PromotionRule, Response, WatchedFrom};
use crate::policy::field::{Duration, FailSafe, LastGate, Lasting, List, TextOrNone};
use crate::policy::reader::{Field, PolicyReader, Style, section};
use crate::policy::schema::{Definitions, Schema};
use crate::unit::{PhaseName, Share, Span, Timestamp};
use serde_json::json;

impl LaterWatch {
    /// When it ends.
    pub fn ends(&self, deployed: Timestamp, verified: Timestamp) -> Timestamp {
        let from = match self.from {
            WatchedFrom::Deployed => deployed,
            WatchedFrom::Verified => verified,
        };
        from + self.until
    }
}

section! {
    plain
    /// One phase of the rollout: a share of the traffic, a time to watch it, then a gate.
    pub Phase from PhaseDraft, phase_rules {
        /// The name of the phase, unique.
        name: PhaseName, [required];
        /// What the phase has to show, for people.
        objective: String as TextOrNone, [default ""];
        /// The share of the traffic that gets the fix, above 0; rounded to 0.01%. What the last phase
        /// leaves out gets the fix when the last window of `after` is over.
        share: Share as SomeTraffic, [required];
        /// How long the deployment of the phase is expected to take.
        deploy: Span as Lasting, [required];
        /// How long the phase is watched at least, before its gate. A phase lasts longer where a metric that
        /// decides can be judged later: after its warm-up, and a count, gauge or volume once `watch.window`
        /// is full.
        watch: Span as Lasting, [required];
        /// How long the phase is watched at most, at least `watch`; then `inconclusive` applies.
        /// Without this key a person is asked where something holds it for `ask_again` longer than `watch`.
        watch_most: Span as Lasting, [optional];
        /// The criterion for promotion: minimum time, traffic and bounds, or statistical evidence
        /// that the fix is not worse than `evidence.margin`.
        promotion: PromotionRule, [required];
        /// What happens if readings cover `watch`, or `watch_most` is over, and a metric is beyond one of
        /// its bounds over the phase. Instead of a rollback a person is asked where the live version is surely
        /// beyond the success bound, too, or a bucket leaves open on which side of it the metric is.
        criteria_missed: Response as FailSafe, [required];
        /// What happens if `watch_most` is over without a decision, or if `watch` is over and the
        /// traffic of the phase is too low for its bounds to be evaluated. With `hold` a person is asked
        /// `ask_again` later.
        inconclusive: Response as FailSafe, [default "ask"];
        /// Who promotes the phase: the engine, a person, or the engine unless a person vetoes.
        gate: GateMode, [required];
        /// With `gate = "veto"`: how long a person may veto the promotion.
        veto: Span as Duration, [default "0s"];
        /// Whether a person may promote the phase while it is still watched, before its gate.
        early_promotion: bool, [default false];
        /// What people check in addition to the metrics.
        watch_for: Vec<String> as List<String>, [default none()];
        /// The commands of the phase, for people: a line of a POSIX shell each. Values of the plan
        /// are in double braces and get their quotes: those of a step, `phase`, `batch`, and `share` in
        /// percent without a sign.
        commands: Vec<String> as List<CommandLine<true>>, [default none()];
    }
}

impl Phase {
    /// How long it is watched at most. Without that limit, how long it is watched if nothing holds
    /// it.
    pub(crate) fn longest(&self) -> Span {
        self.watch_most.unwrap_or(self.watch)
    }

    /// How long it is watched at most where something holds it; None if nothing ends that.
    pub(crate) fn longest_held(&self) -> Option<Span> {
        self.watch_most.filter(|_| self.inconclusive > Response::Hold)
    }

    /// What follows at its end where the metrics cannot decide, for a text.
    pub(crate) const fn undecided(&self, on_failure: OnFailure) -> &'static str {
        match (self.inconclusive, on_failure) {
            (Response::RollBack, OnFailure::RollBack) => "the release is rolled back",
            (Response::RollBack, OnFailure::Freeze) => "the rollout freezes",
            (Response::Hold, _) => "the phase is held",
            (Response::Continue | Response::Ask | Response::RollBack, _) => "a person is asked",
        }
    }

    /// How long the engine waits for a veto at the gate.
    pub(crate) const fn veto_window(&self) -> Span {
        if matches!(self.gate, GateMode::Veto) { self.veto } else { Span::ZERO }
    }
}

fn phase_rules(phase: &PhaseDraft, reader: &mut PolicyReader) {
    reader.at_least(("watch_most", phase.watch_most.flatten()), ("watch", phase.watch));
}

section! {
    plain
    /// A window after the last phase. A duration instead of the table is its `until`.
    pub LaterWatch: Eq from LaterWatchDraft {
        /// When it ends, counted from `from`.
        until: Span as Lasting, [required];
        /// The moment from which it counts: all traffic has the fix, or the final validation has
        /// passed.
        from: WatchedFrom, [default "verified"];
        /// What is checked; empty: the metrics.
        watch: Vec<String> as List<String>, [default none()];
    }
}

/// Such a window, or only when it ends.
pub(super) struct LaterWatchForm;

impl Field for LaterWatchForm {
    type Out = LaterWatch;

    fn read(node: &Node, reader: &mut PolicyReader) -> Option<LaterWatch> {
        if matches!(node.value, Value::Table(_)) {
            return LaterWatch::read(node, reader);
        }
        let until = Lasting::read(node, reader)?;
        Some(LaterWatch { until, from: WatchedFrom::Verified, watch: Vec::new() })
    }

    fn write(value: &LaterWatch, style: Style) -> Node {
        if value.watch.is_empty() && value.from == WatchedFrom::Verified {
            return Lasting::write(&value.until, style);
        }
        LaterWatch::write(value, style)
    }

    fn schema(definitions: &mut Definitions) -> Schema {
        let until = Lasting::schema(definitions);
        json!({ "anyOf": [until, LaterWatch::schema(definitions)] })
    }
}

section! {
    plain
    /// The final validation after the last phase.
    pub FinalValidation: Copy from FinalValidationDraft {
        /// How long it takes.
        watch: Span as Lasting, [required];
        /// Who ends it: the engine or a person. A veto window belongs to the last phase.
        gate: GateMode as LastGate, [required];
    }
}

/// Phases, each with a name of its own; or none.
pub(super) type PhasesOrNone = Entries<Phase>;
