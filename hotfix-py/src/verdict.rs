//! Verdicts and evidence of the judge, as typed objects.

use std::collections::BTreeMap;

use hotfix_core::grade::EvidenceMode;
use hotfix_core::judge;
use hotfix_core::metric::Band;
use hotfix_core::unit::MetricName;

use crate::document::document;
use crate::typed::Name;

document! {
    /// The verdict of the judge at one time.
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
        /// After the last phase: ``hold_back`` or ``reference``, with which the fix is compared.
        fn against(this) -> Option<Name<judge::Against>> { this.against.map(Name::from) }
        /// ``continue``, ``hold``, ``promote``, ``roll_back`` or ``ask``.
        fn decision(this) -> Name<judge::Decision> { this.decision.into() }
        /// The causes, the most severe first; empty for ``continue`` and ``promote``.
        fn causes(this) -> Vec<Cause> { this.causes.iter().cloned().map(Cause).collect() }
        /// Whether the fix is shown to work, if the policy requires it.
        fn efficacy(this) -> Option<Efficacy> { this.efficacy.map(Efficacy) }
        /// ``"canary"`` if the decision is to roll back although the canary is certain to affect
        /// fewer requests.
        fn lesser_harm(this) -> Option<Name<judge::Version>> { this.lesser_harm.map(Name::from) }
        /// Log e-value of all rollback tests together.
        fn log_e(this) -> f64 { this.log_e }
        /// Each metric's part, by id.
        fn metrics(this) -> BTreeMap<String, MetricVerdict> {
            this.metrics.iter().map(|(id, verdict)| (id.to_string(), MetricVerdict(*verdict))).collect()
        }
    }
}

document! {
    /// The part of one metric in a verdict. Absent values are None as attributes and left out in
    /// `to_dict`.
    MetricVerdict(judge::MetricVerdict) {
        /// The band of the trailing window: ``success``, ``hold``, ``alert``, ``rollback``,
        /// ``no_data``, …
        fn band(this) -> Name<Band> { this.band.into() }
        /// The live arm's value in the window, in the metric's unit.
        fn baseline(this) -> Option<f64> { this.baseline }
        /// Edges of the histogram bucket, in seconds, in which `canary` was interpolated to decide
        /// the band, with an error of 10%; None where the edges alone decide.
        fn bucket(this) -> Option<[f64; 2]> { this.bucket }
        /// The canary's value in the window, in the metric's unit; a quantile is the middle of its bucket.
        fn canary(this) -> Option<f64> { this.canary }
        /// The basis of the rollback test's error rate: ``guaranteed``, ``calibrated`` or
        /// ``assumed``; None without a test.
        fn guarantee(this) -> Option<Name<judge::Guarantee>> { this.guarantee.map(Name::from) }
        /// Whether the metric was degraded in this phase and has recovered.
        fn healed(this) -> bool { this.healed }
        /// Log e-value of the rollback test.
        fn log_e(this) -> Option<f64> { this.log_e }
        /// Log e-value of the promotion test, if a phase requires it.
        fn log_e_safe(this) -> Option<f64> { this.log_e_safe }
        /// The evidence mode in force: ``plain``, ``replay``, ``randomised`` or ``both``; None
        /// without a test.
        fn mode(this) -> Option<Name<EvidenceMode>> { this.mode.map(Name::from) }
        /// The number of trials that the window still needs before its band is evaluated.
        fn needs(this) -> Option<f64> { this.needs }
        /// Ratio of the canary's rate to the baseline's, over the whole rollout; None without an event
        /// in either.
        fn ratio(this) -> Option<f64> { this.ratio }
    }
}

document! {
    /// A cause: a reason and its metric.
    Cause(judge::Cause) {
        /// The instance of the canary; None if the cause does not concern one instance.
        fn instance(this) -> Option<String> { this.instance.as_deref().map(str::to_owned) }
        /// The metric; None if the cause concerns the whole rollout.
        fn metric(this) -> Option<String> { this.metric.as_ref().map(MetricName::to_string) }
        /// The reason, such as ``evidence`` or ``no_data``.
        fn reason(this) -> Name<judge::Reason> { this.reason.into() }
    }
}

document! {
    /// The claim that the fix works.
    Efficacy(judge::Efficacy) {
        /// Log e-value that the rate is reduced at least to the policy's ratio of the live
        /// baseline.
        fn log_e(this) -> f64 { this.log_e }
        /// Whether the evidence has reached the threshold at any time.
        fn shown(this) -> bool { this.shown }
    }
}

document! {
    /// The evidence of a metric and its basis. Absent values are None as attributes and left out in
    /// `to_dict`.
    ///
    /// Counts are bad events: failures if the metric counts successes.
    MetricEvidence(judge::MetricEvidence) {
        /// Probability of ever rolling back a release that is not worse; all tested metrics share
        /// it by their weights.
        fn alpha(this) -> f64 { this.alpha }
        /// Upper limit of the log evidence that one tick adds.
        fn cap(this) -> Option<f64> { this.cap }
        /// Whether this metric alone has reached `threshold` at any time; in mode
        /// ``randomised`` and ``both``, whether what decides there has.
        fn decided(this) -> bool { this.decided }
        /// The basis of the probability of a false rollback: ``guaranteed``, ``calibrated`` or
        /// ``assumed``.
        fn guarantee(this) -> Name<judge::Guarantee> { this.guarantee.into() }
        /// Log evidence from which this metric alone holds a promotion.
        fn hold(this) -> f64 { this.hold }
        /// Interval ``(low, high)`` for the ratio at confidence ``1 - alpha``, valid at every
        /// evaluation for independent errors.
        fn interval(this) -> Option<(f64, f64)> { this.interval.map(|i| (i.low, i.high)) }
        /// Log e-value that the canary is worse than tolerated.
        fn log_e(this) -> f64 { this.log_e }
        /// Log e-value that it is better than the margin, if a phase requires it.
        fn log_e_safe(this) -> Option<f64> { this.log_e_safe }
        /// The smallest `log_e` without one of the canary's instances, if at least four instances
        /// are known.
        fn log_e_without_any(this) -> Option<f64> { this.log_e_without_any }
        /// The margin of the test of `log_e_safe`.
        fn margin(this) -> f64 { this.margin }
        /// The evidence mode in force: ``plain``, ``replay``, ``randomised`` or ``both``.
        fn mode(this) -> Name<EvidenceMode> { this.mode.into() }
        /// Wilson's 95% intervals of each arm, ``{"canary": (low, high), "baseline": …}``: valid
        /// for this one evaluation only, **not** at every evaluation.
        fn not_sequential(this) -> Option<BTreeMap<&'static str, (f64, f64)>> {
            this.not_sequential.map(|arms| by_arm([arms.canary, arms.baseline], |i| (i.low, i.high)))
        }
        /// The p-value; valid at every evaluation under the conditions of `guarantee`.
        fn p_value(this) -> f64 { this.p_value }
        /// The canary's rate divided by the baseline's, with 0.5 for a count of zero; None without
        /// an event in either.
        fn ratio(this) -> Option<f64> { this.ratio }
        /// Log evidence with which this metric alone decides, by its `weight`.
        fn threshold(this) -> f64 { this.threshold }
        /// The tolerated ratio.
        fn tolerated(this) -> f64 { this.tolerated }
        /// What was compared so far: ``{"canary": (events, trials), "baseline": …}``; None for
        /// latency.
        fn totals(this) -> Option<BTreeMap<&'static str, (f64, f64)>> {
            this.totals.map(|arms| by_arm([arms.canary, arms.baseline], |c| (c.events, c.trials)))
        }
        /// Its weight: its share of `alpha`.
        fn weight(this) -> f64 { this.weight }
        /// The reason why the mode in force is valid here, or is not known to be valid.
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
