//! What the judge says, as typed objects.

use std::collections::BTreeMap;

use hotfix_core::judge;
use hotfix_core::unit::MetricName;

use crate::document::document;

document! {
    /// The judge's answer at one moment.
    ///
    /// Attributes and ``[]`` give the same: ``verdict.decision`` and ``verdict["decision"]``.
    ///
    /// Examples
    /// --------
    /// >>> import hotfix
    /// >>> policy = hotfix.Policy.preset("phased-canary")
    /// >>> plan = policy.plan({"id": "INC-2041"}, {"version": "2.3.1", "previous": "2.3.0"})
    /// >>> hotfix.Rollout(plan).verdict.decision  # nothing seen yet
    /// 'hold'
    Verdict(judge::Verdict) {
        /// ``continue``, ``hold``, ``promote``, ``roll_back`` or ``ask``.
        fn decision(this) -> &'static str { this.decision.as_str() }
        /// Why, the gravest first; empty for ``continue`` and ``promote``.
        fn causes(this) -> Vec<Cause> { this.causes.iter().copied().map(Cause).collect() }
        /// Whether the fix is shown to work, where the policy claims it.
        fn efficacy(this) -> Option<Efficacy> { this.efficacy.map(Efficacy) }
        /// Log e-value of all rollback tests together.
        fn log_e(this) -> f64 { this.log_e }
        /// Each metric's part, by id.
        fn metrics(this) -> BTreeMap<String, MetricVerdict> {
            this.metrics.iter().map(|(id, verdict)| (id.to_string(), MetricVerdict(*verdict))).collect()
        }
    }
}

document! {
    /// One metric's part in a verdict. What is absent is None as an attribute and missing in `to_dict`.
    MetricVerdict(judge::MetricVerdict) {
        /// Where the trailing window stands: ``success``, ``hold``, ``alert``, ``rollback``, ``no_data``, …
        fn band(this) -> &'static str { this.band.as_str() }
        /// The live arm's value in the window, in the metric's unit.
        fn baseline(this) -> Option<f64> { this.baseline }
        /// The canary's value in the window, in the metric's unit.
        fn canary(this) -> Option<f64> { this.canary }
        /// Log e-value of the rollback test.
        fn log_e(this) -> Option<f64> { this.log_e }
        /// Log e-value of the promotion test, where a phase asks for it.
        fn log_e_safe(this) -> Option<f64> { this.log_e_safe }
        /// How many more trials the window needs before the band speaks.
        fn needs(this) -> Option<f64> { this.needs }
        /// Rate ratio, canary over baseline, over the whole rollout.
        fn ratio(this) -> Option<f64> { this.ratio }
    }
}

document! {
    /// A reason, and the metric it speaks of.
    Cause(judge::Cause) {
        /// The metric; None where it is about the whole.
        fn metric(this) -> Option<String> { this.metric.as_ref().map(MetricName::to_string) }
        /// The reason, such as ``evidence`` or ``no_data``.
        fn reason(this) -> &'static str { this.reason.as_str() }
    }
}

document! {
    /// The claim that the fix works.
    Efficacy(judge::Efficacy) {
        /// Log e-value that the rate is cut at least to the policy's ratio of the live baseline.
        fn log_e(this) -> f64 { this.log_e }
        /// Whether it has ever crossed.
        fn shown(this) -> bool { this.shown }
    }
}
