//! What a verdict explains and foresees, as typed objects.

use hotfix_core::judge;
use hotfix_core::unit::MetricName;
use pyo3::prelude::*;

use crate::convert::{datetime, to_python};
use crate::document::document;
use crate::verdict::Cause;

document! {
    /// Why a verdict is as it is.
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
    /// error_rate: 6 of 100 against 3 of 900; 6% over the window, above the rollback bound 5%: rolled back; with 4 in this tick, 2 fewer, it would have held
    /// >>> why.metrics["error_rate"].turn
    /// {'from': 6.0, 'kind': 'events', 'then': 'hold', 'to': 4.0}
    Why(judge::Why) {
        /// When the verdict was made, in UTC.
        fn at(this, py) -> PyResult<Py<PyAny>> { datetime(py, this.at).map(Bound::unbind) }
        /// Its causes, the gravest first.
        fn causes(this) -> Vec<Cause> { this.causes.iter().cloned().map(Cause).collect() }
        /// What it asks for.
        fn decision(this) -> &'static str { this.decision.as_str() }
        /// Log e-value from which promotion is held.
        fn hold(this) -> f64 { this.hold }
        /// Log e-value of all rollback tests together.
        fn log_e(this) -> f64 { this.log_e }
        /// Each metric's part, by id.
        fn metrics(this) -> std::collections::BTreeMap<String, MetricWhy> {
            this.metrics.iter().map(|m| (m.metric.to_string(), MetricWhy(m.clone()))).collect()
        }
        /// Log e-value that rolls back.
        fn threshold(this) -> f64 { this.threshold }
    }
}

document! {
    /// One metric's part in a verdict; `sentence` says it all in one.
    MetricWhy(judge::MetricWhy) {
        /// The metric.
        fn metric(this) -> String { this.metric.to_string() }
        /// Every rule that it was held against: ``{"rule": "bound" | "evidence" | …, "reason": …}`` with its figures;
        /// without a reason the rule was kept.
        fn rules(this, py) -> PyResult<Py<PyAny>> { to_python(py, &this.rules).map(Bound::unbind) }
        /// Numbers, rule and turn in one sentence.
        fn sentence(this) -> String { this.sentence.clone() }
        /// What the last reading brought, by arm; None where it was not taken.
        fn tick(this, py) -> PyResult<Py<PyAny>> { to_python(py, &this.tick).map(Bound::unbind) }
        /// The least change of the tick that would have turned the verdict:
        /// ``{"kind": "events" | "slow" | "level", "from", "to", "then"}``, or ``{"kind": "none", "reason"}``.
        fn turn(this, py) -> PyResult<Py<PyAny>> { to_python(py, &this.turn).map(Bound::unbind) }
        /// The trailing window, by arm.
        fn window(this, py) -> PyResult<Py<PyAny>> { to_python(py, &this.window).map(Bound::unbind) }
    }
    {
        fn __str__(&self) -> &str {
            &self.0.sentence
        }
    }
}

/// From one figure to another.
fn range(range: Option<judge::Range>) -> Option<(f64, f64)> {
    range.map(|judge::Range { low, high }| (low, high))
}

document! {
    /// Bad events a minute of each version, over the phase so far.
    Harm(judge::Harm) {
        /// When, in UTC.
        fn at(this, py) -> PyResult<Py<PyAny>> { datetime(py, this.at).map(Bound::unbind) }
        /// What the canary would hurt with all of the traffic, ``(least, most)``; None without data.
        fn canary(this) -> Option<(f64, f64)> { range(this.canary) }
        /// The version that surely hurts fewer, ``"canary"`` or ``"live"``; None where that is open.
        fn lesser(this) -> Option<&'static str> { this.lesser.map(judge::Version::as_str) }
        /// What the live version would hurt with all of the traffic, ``(least, most)``; None without data.
        fn live(this) -> Option<(f64, f64)> { range(this.live) }
        /// By metric id: those that count bad events and decide.
        fn metrics(this) -> std::collections::BTreeMap<String, MetricHarm> {
            this.metrics.iter().map(|m| (m.metric.to_string(), MetricHarm(*m))).collect()
        }
        /// Over all arms, as planned, else as seen; None where neither says.
        fn requests_per_minute(this) -> Option<f64> { this.requests_per_minute }
    }
}

document! {
    /// What one metric says of both versions.
    MetricHarm(judge::MetricHarm) {
        /// The version under test; None without data.
        fn canary(this) -> Option<Hurt> { this.canary.map(Hurt) }
        /// The live version; None without data.
        fn live(this) -> Option<Hurt> { this.live.map(Hurt) }
        /// The metric.
        fn metric(this) -> String { this.metric.to_string() }
    }
}

document! {
    /// Bad events a minute.
    Hurt(judge::Hurt) {
        /// If it had all of the traffic.
        fn at_full(this) -> f64 { this.at_full }
        /// The 95% interval of that.
        fn at_full_range(this) -> (f64, f64) { (this.at_full_range.low, this.at_full_range.high) }
        /// With the traffic that it has.
        fn now(this) -> f64 { this.now }
    }
}

document! {
    /// Metrics by phases: `to_markdown` has the table.
    Comparison(judge::Comparison) {
        /// The phases, in order: ``{"phase", "share", "since", "ended"}``; the last two are missing before.
        fn phases(this, py) -> PyResult<Py<PyAny>> { to_python(py, &this.phases).map(Bound::unbind) }
        /// One row a metric, in the order of their ids.
        fn rows(this) -> Vec<ComparisonRow> { this.rows.iter().cloned().map(ComparisonRow).collect() }
    }
    {
        /// The table in Markdown: the baseline is the record, or where there is none the live arm; ``-`` is no reading.
        fn to_markdown(&self) -> String {
            self.0.to_markdown()
        }
    }
}

document! {
    /// One metric over the phases.
    ComparisonRow(judge::ComparisonRow) {
        /// One entry a phase: ``{"canary", "baseline", "band", "healed"}``, or None without a reading.
        fn cells(this, py) -> PyResult<Py<PyAny>> { to_python(py, &this.cells).map(Bound::unbind) }
        /// What its readings are.
        fn kind(this) -> &'static str { this.kind.as_str() }
        /// The live arm over the whole rollout; None without data.
        fn live(this) -> Option<f64> { this.live }
        /// The metric.
        fn metric(this) -> String { this.metric.to_string() }
        /// The value from before the incident; None where the policy has none.
        fn record(this) -> Option<f64> { this.record }
        /// What people call it.
        fn title(this) -> String { this.title.clone() }
    }
}

document! {
    /// What the rest of a phase can still show.
    ///
    /// Chances and needs are the planning formula's, from the rates of the phase so far; they decide nothing.
    Outlook(judge::Outlook) {
        /// When, in UTC.
        fn at(this, py) -> PyResult<Py<PyAny>> { datetime(py, this.at).map(Bound::unbind) }
        /// The claim that the fix works; None where there is none, or it is shown.
        fn efficacy(this) -> Option<TestOutlook> { this.efficacy.map(TestOutlook) }
        /// Each deciding metric, by id.
        fn metrics(this) -> std::collections::BTreeMap<String, MetricOutlook> {
            this.metrics.iter().map(|m| (MetricName::to_string(&m.metric), MetricOutlook(*m))).collect()
        }
        /// The phase.
        fn phase(this) -> String { this.phase.to_string() }
        /// Over all arms, as planned, else as seen; None where neither says.
        fn requests_per_minute(this) -> Option<f64> { this.requests_per_minute }
        /// Seconds until the phase's least time is over.
        fn until_due(this) -> f64 { this.until_due }
        /// Seconds until its longest time is over; None where it has none.
        fn until_overdue(this) -> Option<f64> { this.until_overdue }
    }
}

document! {
    /// What the rest of a phase can still show of one metric.
    MetricOutlook(judge::MetricOutlook) {
        /// Its success bound over the phase, ``{"allows", "possible"}``; None where that cannot be told beforehand.
        fn bound(this, py) -> PyResult<Py<PyAny>> { to_python(py, &this.bound).map(Bound::unbind) }
        /// The metric.
        fn metric(this) -> String { this.metric.to_string() }
        /// The promotion test, if the canary is equal; None where the phase does not ask for it, or it has crossed.
        fn promotion(this) -> Option<TestOutlook> { this.promotion.map(TestOutlook) }
        /// The rollback test, if the canary is worse by the policy's margin; None without a rate.
        fn rollback(this) -> Option<TestOutlook> { this.rollback.map(TestOutlook) }
    }
}

document! {
    /// Whether a test can still decide.
    TestOutlook(judge::TestOutlook) {
        /// Chance to have decided when the phase ends; None where it has no end.
        fn chance(this) -> Option<f64> { this.chance }
        /// Minutes until it decides, on average.
        fn minutes(this) -> f64 { this.minutes }
        /// False where not even the best case can cross in the time left; None for rollback tests.
        fn possible(this) -> Option<bool> { this.possible }
        /// The ratio of canary to live rate that is supposed.
        fn ratio(this) -> f64 { this.ratio }
        /// Requests of both arms that it still needs, on average; None where nobody knows the traffic.
        fn requests(this) -> Option<f64> { this.requests }
    }
}
