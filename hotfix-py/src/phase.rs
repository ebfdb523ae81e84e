//! Parts of a plan as typed documents: its phases and rollback methods.

use std::time::Duration;

use hotfix_core::grade::{GateMode, PromotionRule, Response, RollbackMethod};
use hotfix_core::plan::Method as CoreMethod;
use hotfix_core::unit::Span;
use serde_json::Value;

use crate::convert::duration;
use crate::document::{document, name, text};
use crate::typed::Name;

document! {
    /// A rollback method and its duration.
    Method(CoreMethod) {
        /// The method, such as ``feature_flag``.
        fn kind(this) -> Name<RollbackMethod> { this.kind.into() }
        /// How long it takes; None if that is not known.
        fn seconds(this) -> Option<f64> { this.seconds.map(Span::as_seconds) }
    }
}

document! {
    /// One phase of a plan. Durations are `timedelta` as attributes and seconds in `to_dict`.
    Phase(Value) {
        /// Its name, unique in the plan.
        fn name(this) -> String { text(this, "name") }
        /// Its objective.
        fn objective(this) -> String { text(this, "objective") }
        /// The canary's share of the traffic, from 0 to 1.
        fn share(this) -> f64 { this["share"].as_f64().unwrap_or_default() }
        /// The expected duration of the deployment.
        fn deploy(this) -> Duration { span(this, "deploy").unwrap_or_default() }
        /// The minimum time to watch before its gate.
        fn watch(this) -> Duration { span(this, "watch").unwrap_or_default() }
        /// The maximum time to watch; None without a limit.
        fn watch_most(this) -> Option<Duration> { span(this, "watch_most") }
        /// How it is promoted: ``automatic``, ``manual`` or ``veto``.
        fn gate(this) -> Name<GateMode> { name(this, "gate") }
        /// Its promotion criterion.
        fn promotion(this) -> Name<PromotionRule> { name(this, "promotion") }
        /// What happens when the minimum time has passed and a success bound is not met.
        fn criteria_missed(this) -> Name<Response> { name(this, "criteria_missed") }
        /// What happens when the maximum time has passed without a decision.
        fn inconclusive(this) -> Name<Response> { name(this, "inconclusive") }
    }
}

fn span(of: &Value, key: &str) -> Option<Duration> {
    of[key].as_f64().and_then(|seconds| Span::try_from_seconds(seconds).ok()).map(duration)
}
