//! What the judge says, as typed objects.

use std::collections::BTreeMap;

use hotfix_core::grade::EvidenceMode;
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
        fn causes(this) -> Vec<Cause> { this.causes.iter().cloned().map(Cause).collect() }
        /// Whether the fix is shown to work, where the policy claims it.
        fn efficacy(this) -> Option<Efficacy> { this.efficacy.map(Efficacy) }
        /// ``"canary"`` where the decision is to go back although the canary surely hurts fewer requests.
        fn lesser_harm(this) -> Option<&'static str> { this.lesser_harm.map(judge::Version::as_str) }
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
        /// What the rollback test's error rate is known by: ``guaranteed``, ``calibrated`` or ``assumed``; None without a
        /// test.
        fn guarantee(this) -> Option<&'static str> { this.guarantee.map(judge::Guarantee::as_str) }
        /// There was trouble in this phase, and it is over.
        fn healed(this) -> bool { this.healed }
        /// Log e-value of the rollback test.
        fn log_e(this) -> Option<f64> { this.log_e }
        /// Log e-value of the promotion test, where a phase asks for it.
        fn log_e_safe(this) -> Option<f64> { this.log_e_safe }
        /// The evidence mode in force: ``plain``, ``replay``, ``randomised`` or ``both``; None without a test.
        fn mode(this) -> Option<&'static str> { this.mode.map(EvidenceMode::as_str) }
        /// How many more trials the window needs before the band speaks.
        fn needs(this) -> Option<f64> { this.needs }
        /// Rate ratio, canary over baseline, over the whole rollout.
        fn ratio(this) -> Option<f64> { this.ratio }
    }
}

document! {
    /// A reason, and the metric it speaks of.
    Cause(judge::Cause) {
        /// The instance of the canary; None where it is not about one.
        fn instance(this) -> Option<String> { this.instance.as_deref().map(str::to_owned) }
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

document! {
    /// A metric's evidence with everything that it rests on. What is absent is None as an attribute and missing in
    /// `to_dict`.
    ///
    /// Counts are of what is bad: failures where the metric counts successes.
    MetricEvidence(judge::MetricEvidence) {
        /// Chance of ever rolling back a release that is no worse; all tested metrics share it by their weights.
        fn alpha(this) -> f64 { this.alpha }
        /// Most that one tick adds to the evidence.
        fn cap(this) -> Option<f64> { this.cap }
        /// Whether this test alone has ever reached `threshold`.
        fn decided(this) -> bool { this.decided }
        /// What the chance of a false rollback is known by: ``guaranteed``, ``calibrated`` or ``assumed``.
        fn guarantee(this) -> &'static str { this.guarantee.as_str() }
        /// Log evidence from which a promotion is held.
        fn hold(this) -> f64 { this.hold }
        /// Interval ``(low, high)`` for the ratio at confidence ``1 - alpha``, valid at every look for independent errors.
        fn interval(this) -> Option<(f64, f64)> { this.interval.map(|i| (i.low, i.high)) }
        /// Log e-value that the canary is worse than tolerated.
        fn log_e(this) -> f64 { this.log_e }
        /// Log e-value that it is better than the margin, where a phase asks for it.
        fn log_e_safe(this) -> Option<f64> { this.log_e_safe }
        /// The least `log_e` without one of the canary's instances, where they are known and at least four.
        fn log_e_without_any(this) -> Option<f64> { this.log_e_without_any }
        /// The ratio that `log_e_safe` speaks of.
        fn margin(this) -> f64 { this.margin }
        /// The evidence mode in force: ``plain``, ``replay``, ``randomised`` or ``both``.
        fn mode(this) -> &'static str { this.mode.as_str() }
        /// Wilson's intervals at 95% of each arm, ``{"canary": (low, high), "baseline": …}``: of this one look, **not**
        /// valid at every look.
        fn not_sequential(this) -> Option<BTreeMap<&'static str, (f64, f64)>> {
            this.not_sequential.map(|arms| by_arm([arms.canary, arms.baseline], |i| (i.low, i.high)))
        }
        /// Valid at every look where `guarantee` holds.
        fn p_value(this) -> f64 { this.p_value }
        /// Canary rate over baseline rate, with 0.5 for a count of zero; None without data.
        fn ratio(this) -> Option<f64> { this.ratio }
        /// Log evidence at which this test alone decides.
        fn threshold(this) -> f64 { this.threshold }
        /// The ratio that is tolerated.
        fn tolerated(this) -> f64 { this.tolerated }
        /// What was compared so far: ``{"canary": (events, trials), "baseline": …}``; None for latency.
        fn totals(this) -> Option<BTreeMap<&'static str, (f64, f64)>> {
            this.totals.map(|arms| by_arm([arms.canary, arms.baseline], |c| (c.events, c.trials)))
        }
        /// Its share of `alpha`.
        fn weight(this) -> f64 { this.weight }
        /// Why the mode in force is valid here, or is not known to be.
        fn why(this) -> String { this.why.clone() }
    }
}

/// Two figures of each arm.
fn by_arm<T>(
    [canary, baseline]: [T; 2],
    pair: impl Fn(T) -> (f64, f64),
) -> BTreeMap<&'static str, (f64, f64)> {
    BTreeMap::from([("canary", pair(canary)), ("baseline", pair(baseline))])
}
