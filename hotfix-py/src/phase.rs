//! Parts of a plan as typed documents: its phases and ways back.

use std::time::Duration;

use hotfix_core::plan::Method as CoreMethod;
use hotfix_core::unit::Span;
use serde_json::Value;

use crate::convert::duration;
use crate::document::document;

document! {
    /// A way back and how long it takes.
    Method(CoreMethod) {
        /// Which.
        fn kind(this) -> &'static str { this.kind.as_str() }
        /// How long it takes; None where that is not known.
        fn seconds(this) -> Option<f64> { this.seconds.map(Span::as_seconds) }
    }
}

document! {
    /// One phase of a plan. Durations are `timedelta` as attributes and seconds in `to_dict`.
    Phase(Value) {
        /// Its name, unique in the plan.
        fn name(this) -> String { text(this, "name") }
        /// What it is to show.
        fn objective(this) -> String { text(this, "objective") }
        /// The canary's share of the traffic, from 0 to 1.
        fn share(this) -> f64 { this["share"].as_f64().unwrap_or_default() }
        /// How long the deployment is expected to take.
        fn deploy(this) -> Option<Duration> { span(this, "deploy") }
        /// The least time to watch before its gate.
        fn watch(this) -> Option<Duration> { span(this, "watch") }
        /// The most time to watch; None without a limit.
        fn watch_most(this) -> Option<Duration> { span(this, "watch_most") }
        /// Who lets it pass: ``automatic``, ``manual`` or ``veto``.
        fn gate(this) -> String { text(this, "gate") }
        /// What passing it claims.
        fn promotion(this) -> String { text(this, "promotion") }
        /// What follows when the least time is over and a success bound is missed.
        fn missed(this) -> String { text(this, "missed") }
        /// What follows when the most time is over without a decision.
        fn undecided(this) -> String { text(this, "undecided") }
    }
}

fn text(of: &Value, key: &str) -> String {
    of[key].as_str().unwrap_or_default().to_owned()
}

fn span(of: &Value, key: &str) -> Option<Duration> {
    of[key].as_f64().and_then(|seconds| Span::try_from_seconds(seconds).ok()).map(duration)
}
