//! Explanation and forecast of a verdict, as typed objects.

use hotfix_core::grade::MetricKind;
use hotfix_core::judge;
use hotfix_core::stats::interval::Interval;
use hotfix_core::unit::MetricName;

use crate::convert::At;
use crate::document::document;
use crate::typed::{Cells, Dicts, Json, Name};
use crate::verdict::Cause;

document! {
    /// The explanation of a verdict.
    ///
    /// Examples
    /// --------
    /// >>> import hotfix
    /// >>> policy = hotfix.Policy.preset("phased-canary")
    /// >>> plan = policy.plan({"id": "INC-2041", "severity": "P1"}, {"version": "2.3.1", "previous": "2.3.0"})
    /// >>> rollout = hotfix.Rollout(plan)
    /// >>> approval, *items = rollout.blockers()
    /// >>> _ = rollout.handle("2026-03-03T14:31:00Z", {"kind": "approve", "by": "iris", "role": approval["roles"][0]})
    /// >>> for item in items:
    /// ...     _ = rollout.handle("2026-03-03T14:38:00Z", {"kind": "check_item", "by": "omar", "item": item["item"]})
    /// >>> _ = rollout.handle("2026-03-03T14:40:00Z", {"kind": "start", "by": "lena"})
    /// >>> while rollout.pending_actions():
    /// ...     done = rollout.pending_actions()[0].id
    /// ...     _ = rollout.handle("2026-03-03T14:42:00Z", {"kind": "confirm", "by": "tool", "action": done})
    /// >>> _ = rollout.observe("2026-03-03T14:43:00Z", {"error_rate": {"canary": [6, 100], "baseline": [3, 900]}})
    /// >>> why = rollout.why()
    /// >>> print(why.metrics["error_rate"])
    /// error_rate: 6 of 100 requests failed, against 3 of 900 in the baseline. 6% over the window is above the rollback bound of 5%. Decision: roll back. With 4 failures in this tick instead of 6 the decision would have been to hold.
    /// >>> why.metrics["error_rate"].counterfactual
    /// {'from': 6.0, 'kind': 'events', 'then': 'hold', 'to': 4.0}
    Why(judge::Why) {
        /// The time of the verdict, in UTC.
        fn at(this) -> At { At(this.at) }
        /// Its causes, the most severe first.
        fn causes(this) -> Vec<Cause> { this.causes.iter().cloned().map(Cause).collect() }
        /// Its decision.
        fn decision(this) -> Name<judge::Decision> { this.decision.into() }
        /// Log e-value at which promotion is held.
        fn hold(this) -> f64 { this.hold }
        /// Log e-value of all rollback tests together.
        fn log_e(this) -> f64 { this.log_e }
        /// Each metric's part, by id.
        fn metrics(this) -> std::collections::BTreeMap<String, MetricWhy> {
            this.metrics.iter().map(|m| (m.metric.to_string(), MetricWhy(m.clone()))).collect()
        }
        /// Log e-value at which it rolls back.
        fn threshold(this) -> f64 { this.threshold }
    }
}

document! {
    /// The part of one metric in a verdict; `sentence` summarises it.
    MetricWhy(judge::MetricWhy) {
        /// The metric.
        fn metric(this) -> String { this.metric.to_string() }
        /// Every rule that was applied: ``{"rule": "bound" | "evidence" | …, "reason": …}`` with
        /// its figures; without a reason the rule was met.
        fn rules(this) -> Json<Dicts> { Json::of(&this.rules) }
        /// Numbers, rule and counterfactual in one sentence.
        fn sentence(this) -> String { this.sentence.clone() }
        /// The counts of the last reading, by arm; None if it was not used.
        fn tick(this) -> Option<Json> { this.tick.as_ref().map(Json::of) }
        /// The smallest change of the tick that would have changed the verdict: ``{"kind": "events" |
        /// "slow" | "level", "from", "to", "then"}``, or ``{"kind": "none", "reason"}``.
        fn counterfactual(this) -> Json { Json::of(&this.counterfactual) }
        /// The trailing window, by arm.
        fn window(this) -> Json { Json::of(&this.window) }
    }
    {
        fn __str__(&self) -> &str {
            &self.0.sentence
        }
    }
}

/// A range from one figure to another.
fn range(range: Option<Interval>) -> Option<(f64, f64)> {
    range.map(|Interval { low, high }| (low, high))
}

document! {
    /// The estimated impact of each version in bad events per minute, over the trailing window.
    Harm(judge::Harm) {
        /// The time, in UTC.
        fn at(this) -> At { At(this.at) }
        /// Bad events per minute if the canary had all of the traffic, ``(least, most)``; None
        /// without data.
        fn canary(this) -> Option<(f64, f64)> { range(this.canary) }
        /// The version that is certain to have fewer bad events, ``"canary"`` or ``"live"``; None
        /// if that is not certain.
        fn lesser(this) -> Option<Name<judge::Version>> { this.lesser.map(Name::from) }
        /// Bad events per minute if the live version had all of the traffic, ``(least, most)``;
        /// None without data.
        fn live(this) -> Option<(f64, f64)> { range(this.live) }
        /// The metrics that count bad events and decide, by id.
        fn metrics(this) -> std::collections::BTreeMap<String, MetricHarm> {
            this.metrics.iter().map(|m| (m.metric.to_string(), MetricHarm(*m))).collect()
        }
        /// Requests per minute over all arms, as planned, otherwise as observed; None if neither is
        /// known.
        fn requests_per_minute(this) -> Option<f64> { this.requests_per_minute }
    }
}

document! {
    /// The impact of both versions by one metric.
    MetricHarm(judge::MetricHarm) {
        /// The version under test; None without data.
        fn canary(this) -> Option<VersionImpact> { this.canary.map(VersionImpact) }
        /// The live version; None without data.
        fn live(this) -> Option<VersionImpact> { this.live.map(VersionImpact) }
        /// The metric.
        fn metric(this) -> String { this.metric.to_string() }
    }
}

document! {
    /// Bad events per minute.
    VersionImpact(judge::VersionImpact) {
        /// Bad events per minute if it had all of the traffic.
        fn at_full(this) -> f64 { this.at_full }
        /// The 95% interval of `at_full`.
        fn at_full_range(this) -> (f64, f64) { (this.at_full_range.low, this.at_full_range.high) }
        /// Bad events per minute with its present traffic.
        fn now(this) -> f64 { this.now }
    }
}

document! {
    /// The comparison table of metrics by phase; `to_markdown` writes it.
    Comparison(judge::Comparison) {
        /// The phases, in order: ``{"phase", "share", "since", "ended"}``; the last two are absent
        /// before the phase began or ended.
        fn phases(this) -> Json<Dicts> { Json::of(&this.phases) }
        /// One row for each metric, in the order of their ids.
        fn rows(this) -> Vec<ComparisonRow> { this.rows.iter().cloned().map(ComparisonRow).collect() }
    }
    {
        /// The table in Markdown. The baseline is the metric's reference, or the live arm if there
        /// is no reference; ``-`` means no reading.
        fn to_markdown(&self) -> String {
            self.0.to_markdown()
        }
    }
}

document! {
    /// The row of one metric over all phases.
    ComparisonRow(judge::ComparisonRow) {
        /// One entry for each phase: ``{"canary", "baseline", "band", "healed"}``, or None without
        /// a reading.
        fn cells(this) -> Json<Cells> { Json::of(&this.cells) }
        /// The edges of its histogram in seconds, if it is a latency: values between them are
        /// interpolated.
        fn edges(this) -> Vec<f64> { this.edges.clone() }
        /// The kind of the metric.
        fn kind(this) -> Name<MetricKind> { this.kind.into() }
        /// The value of the live arm in this attempt, without warm-ups; None without data.
        fn live(this) -> Option<f64> { this.live }
        /// The metric.
        fn metric(this) -> String { this.metric.to_string() }
        /// The value before the incident; None if the policy has no reference.
        fn reference(this) -> Option<f64> { this.reference }
        /// Its title.
        fn title(this) -> String { this.title.clone() }
    }
}

document! {
    /// The forecast for the rest of a phase: how long the tests still need, and whether promotion and
    /// efficacy can still be decided.
    ///
    /// Times and required requests are estimates of the planning formula from the rates of
    /// the phase so far. They do not affect decisions.
    Forecast(judge::Forecast) {
        /// The time, in UTC.
        fn at(this) -> At { At(this.at) }
        /// The test that the fix works; None if the policy does not claim it, or it is already
        /// shown.
        fn efficacy(this) -> Option<TestForecast> { this.efficacy.map(TestForecast) }
        /// The deciding metrics, by id.
        fn metrics(this) -> std::collections::BTreeMap<String, MetricForecast> {
            this.metrics.iter().map(|m| (MetricName::to_string(&m.metric), MetricForecast(*m))).collect()
        }
        /// The phase.
        fn phase(this) -> String { this.phase.to_string() }
        /// Requests per minute over all arms, as planned, otherwise as observed; None if neither is
        /// known.
        fn requests_per_minute(this) -> Option<f64> { this.requests_per_minute }
        /// Seconds until the minimum time of the phase has passed.
        fn until_due(this) -> f64 { this.until_due }
        /// Seconds until its maximum time has passed; None if it has no maximum.
        fn until_overdue(this) -> Option<f64> { this.until_overdue }
    }
}

document! {
    /// The forecast of one metric for the rest of a phase.
    MetricForecast(judge::MetricForecast) {
        /// Its success bound over the phase, ``{"allows", "possible"}``; None if that cannot be
        /// computed in advance.
        fn bound(this) -> Option<Json> { this.bound.as_ref().map(Json::of) }
        /// Whether the readings of the live version are missing: while they are, its tests cannot
        /// decide, and have no forecast.
        fn live_missing(this) -> bool { this.live_missing }
        /// The metric.
        fn metric(this) -> String { this.metric.to_string() }
        /// The promotion test, if the canary is equal; None if the phase does not require it, or it
        /// has already decided.
        fn promotion(this) -> Option<TestForecast> { this.promotion.map(TestForecast) }
        /// The rollback test, if the canary is worse by the policy's margin; None without a rate.
        fn rollback(this) -> Option<TestForecast> { this.rollback.map(TestForecast) }
    }
}

document! {
    /// The forecast of one test.
    TestForecast(judge::TestForecast) {
        /// Average minutes until it decides; None where its bets gain nothing from the assumed ratio, so
        /// that it decides by chance or never.
        fn minutes(this) -> Option<f64> { this.minutes }
        /// False if the test cannot decide in the time left even in the best case; None for
        /// rollback tests.
        fn possible(this) -> Option<bool> { this.possible }
        /// The assumed ratio of the canary's rate to the live rate.
        fn ratio(this) -> f64 { this.ratio }
        /// Average number of requests of both arms that it still needs; None without ``minutes``, or
        /// if the traffic is unknown.
        fn requests(this) -> Option<f64> { this.requests }
    }
}
