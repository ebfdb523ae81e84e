//! Phases and watching: shares, least trials, windows, whether evidence is possible in time, and bounds and
//! responses that can never act, whatever a release does.

use super::fault::FigureFault;
use super::finding::{Finding, put};
use crate::grade::{AdviceCheck, AdviceKind, GateMode, PromotionRule, Response, Strategy};
use crate::plan::healthy::traffic_metric;
use crate::plan::load::{Load, SlowEvidence};
use crate::plan::volume::{ShortWindow, short_windows};
use crate::policy::Policy;
use crate::policy::section::{Metric, Phase};
use crate::unit::{MetricName, Share, Span};

/// A larger `alpha` is probably a confidence, such as 95%, by mistake.
const USUAL_ALPHA: f64 = 0.1;

pub(super) fn find(policy: &Policy, findings: &mut Vec<Finding>) {
    shares(policy, findings);
    silent(policy, findings);
    windows(policy, findings);
    least_trials(policy, findings);
    evidence(policy, findings);
    objections(policy, findings);
    staging(policy, findings);
    in_no_phase(policy, findings);
    for (index, phase) in policy.phases().iter().enumerate() {
        in_phase(policy, index, phase, findings);
    }
    if policy.instead_of().is_none() {
        alternatives(policy, findings);
    }
}

/// Responses with which the rollout waits and nobody is asked.
fn silent(policy: &Policy, findings: &mut Vec<Finding>) {
    let phases = policy.phases().iter().enumerate();
    let undecided = phases.filter(|(_, phase)| phase.inconclusive == Response::Hold);
    let mut paths: Vec<String> =
        undecided.map(|(index, _)| format!("/phases/{index}/inconclusive")).collect();
    if policy.watch().no_data.then == Response::Hold {
        paths.push("/watch/no_data/then".to_owned());
    }
    for path in paths {
        put(findings, path, FigureFault::NobodyAsked {});
    }
}

fn shares(policy: &Policy, findings: &mut Vec<Finding>) {
    for (index, pair) in policy.phases().windows(2).enumerate() {
        let [before, phase] = pair else { continue };
        if phase.share < before.share {
            let fault = FigureFault::ShareFalls {
                phase: phase.name,
                share: phase.share,
                previous: before.name,
                before: before.share,
            };
            put(findings, format!("/phases/{}/share", index + 1), fault);
        }
    }
    let phases = policy.phases();
    if policy.strategy() == Strategy::Immediate {
        if phases.len() > 1 || policy.held_back().is_some() {
            let phases = phases.iter().map(|phase| (phase.name, phase.share)).collect();
            put(findings, "/phases", FigureFault::ImmediateInPart { phases });
        }
    } else if let (Some((index, last)), Some(rest)) =
        (phases.iter().enumerate().next_back(), policy.held_back())
    {
        let fault = FigureFault::HoldBack { phase: last.name, share: last.share, rest };
        put(findings, format!("/phases/{index}/share"), fault);
    }
}

fn windows(policy: &Policy, findings: &mut Vec<Finding>) {
    let watch = policy.watch();
    let two = Span::from_millis(watch.cadence.as_millis().saturating_mul(2));
    if watch.window < two {
        let fault = FigureFault::ShortWindow { window: watch.window, cadence: watch.cadence };
        put(findings, "/watch/window".to_owned(), fault);
    }
    if watch.stale < two {
        let fault = FigureFault::ShortStale { stale: watch.stale, cadence: watch.cadence };
        put(findings, "/watch/stale".to_owned(), fault);
    }
    let (after, then) = (watch.no_data.after, watch.no_data.then);
    if after <= watch.cadence && then > Response::Hold {
        let fault = FigureFault::ShortNoData { after, then, cadence: watch.cadence };
        put(findings, "/watch/no_data/after".to_owned(), fault);
    }
    let alpha = policy.evidence().alpha.as_fraction();
    if alpha > USUAL_ALPHA {
        put(findings, "/evidence/alpha".to_owned(), FigureFault::HighAlpha { alpha });
    }
    let Some(scrape) = watch.scrape else { return };
    if policy.evidence().change_point && scrape > Span::ZERO {
        let fault = FigureFault::LateFaultsApart { scrape };
        put(findings, "/evidence/change_point".to_owned(), fault);
    }
    let missing = "one failed scrape counts as missing data";
    let limits = [
        ("window", watch.window, "the window is often without data of an arm"),
        ("stale", watch.stale, missing),
        ("no_data/after", watch.no_data.after, missing),
    ];
    for (key, is, so) in limits {
        if is < scrape + scrape {
            let fault = FigureFault::ShortForScrape { key, is, scrape, so };
            put(findings, format!("/watch/{key}"), fault);
        }
    }
}

/// Windows with too little traffic for `least_trials`.
fn least_trials(policy: &Policy, findings: &mut Vec<Finding>) {
    let Some((volume, traffic)) = traffic_metric(policy) else { return };
    let watch = policy.watch();
    let never = |of: &ShortWindow<'_>| of.trials < watch.least_trials;
    for ShortWindow { index, phase, trials, .. } in
        short_windows(policy, traffic).into_iter().filter(never)
    {
        let (phase, least, window) = (phase.name, watch.least_trials, watch.window);
        let fault =
            FigureFault::TooFewTrials { volume: volume.id, traffic, phase, trials, least, window };
        put(findings, format!("/phases/{index}"), fault);
    }
}

/// Promotion rules that need evidence which takes too long, or that nothing can give.
fn evidence(policy: &Policy, findings: &mut Vec<Finding>) {
    for (index, phase) in policy.phases().iter().enumerate() {
        if phase.promotion != PromotionRule::EvidenceOfNoHarm {
            continue;
        }
        // The phases before a last one with all of the traffic compare with the live version.
        let is_alone = phase.share >= Share::ALL;
        if is_alone && index > 0 {
            continue;
        }
        if is_alone || !policy.metrics().iter().any(Metric::is_tested) {
            let why = if is_alone {
                "it has all of the traffic"
            } else {
                "no metric that decides is tested"
            };
            let fault = FigureFault::NoEvidence { phase: phase.name, why };
            put(findings, format!("/phases/{index}/promotion"), fault);
        }
    }
    for slow in Load::of(policy).slow_evidence(policy.phases()) {
        let SlowEvidence { index, phase, metric, most, shown, needed, .. } = slow;
        let fault = FigureFault::EvidenceTooSlow { metric, phase, most, shown, needed };
        put(findings, format!("/phases/{index}/promotion"), fault);
    }
}

/// Gates that wait for an objection without a time, and times for one that no gate waits for.
fn objections(policy: &Policy, findings: &mut Vec<Finding>) {
    for (index, phase) in policy.phases().iter().enumerate() {
        let (gate, veto) = (phase.gate, phase.veto);
        if (gate == GateMode::Veto) == veto.is_zero() {
            let fault = FigureFault::NoTimeToObject { phase: phase.name, gate, veto };
            put(findings, format!("/phases/{index}/veto"), fault);
        }
    }
}

/// Alternatives without phases: phases with shares cannot be derived from another strategy.
fn alternatives(policy: &Policy, findings: &mut Vec<Finding>) {
    const SHARED: [Strategy; 2] = [Strategy::Canary, Strategy::FeatureFlag];
    let written = |strategy: Strategy| {
        policy.strategy() == strategy
            || policy.strategy_settings(strategy).is_some_and(|of| !of.phases.is_empty())
    };
    for (index, other) in policy.alternatives().iter().enumerate() {
        let barred = policy.strategy_settings(other.strategy).is_some_and(|of| !of.allowed);
        if SHARED.contains(&other.strategy) && !barred && !SHARED.into_iter().any(written) {
            let fault = FigureFault::AlternativeWithoutPhases { strategy: other.strategy };
            put(findings, format!("/alternatives/{index}"), fault);
        }
    }
}

/// Staging may be skipped, while an advice forbids skipping tests.
fn staging(policy: &Policy, findings: &mut Vec<Finding>) {
    let bars = policy.advice().iter().find(|advice| {
        matches!(advice.kind, AdviceKind::Dont | AdviceKind::Pitfall)
            && advice.shown_by == Some(AdviceCheck::Testing)
    });
    let Some(advice) = bars else { return };
    for level in policy.severities() {
        let skips = level.testing.as_ref().is_some_and(|t| t.skip_staging_when.is_some());
        if skips {
            let (severity, advice) = (level.severity, advice.id);
            let path = format!("/severities/{severity}/testing/skip_staging_when");
            put(findings, path, FigureFault::StagingSkipped { severity, advice });
        }
    }
}

/// Breaches in a row and waits for data that take longer than any phase, even one that is held by a
/// breach or by missing data.
fn in_no_phase(policy: &Policy, findings: &mut Vec<Finding>) {
    let held: Option<Vec<Span>> = policy.phases().iter().map(Phase::longest_held).collect();
    let Some(longest) = held.and_then(|held| held.into_iter().max()) else { return };
    let watch = policy.watch();
    let every = watch.reads_every();
    let takes = Span::try_from_seconds(watch.consecutive_breaches * every.as_seconds());
    let acts = policy.deciding().any(|of| of.bounds.alert.or(of.bounds.rollback).is_some());
    // A time that is too long for a span is longer than any phase.
    if acts && !takes.is_ok_and(|takes| takes <= longest) {
        let breaches = watch.consecutive_breaches;
        let fault = FigureFault::TooManyBreaches { breaches, every, longest };
        put(findings, "/watch/consecutive_breaches", fault);
    }
    // Readings count as missing once they are stale.
    let then = watch.no_data.then;
    let (path, after) = if watch.stale > watch.no_data.after {
        ("/watch/stale", watch.stale)
    } else {
        ("/watch/no_data/after", watch.no_data.after)
    };
    if then != Response::Hold && after > longest {
        put(findings, path, FigureFault::NoDataTooLate { after, then, longest });
    }
}

/// Metrics whose warm-up covers the whole phase, those whose full window takes longer than the
/// phase, and those for which the phase lasts longer than `watch`.
fn in_phase(policy: &Policy, index: usize, phase: &Phase, findings: &mut Vec<Finding>) {
    let (name, longest, watch) = (phase.name, phase.longest(), policy.watch());
    let (window, held) = (watch.window, phase.longest_held());
    let metrics = |is_idle: &dyn Fn(&Metric) -> bool| -> Vec<MetricName> {
        policy.deciding().filter(|of| is_idle(of)).map(|of| of.id).collect()
    };
    let ignore = metrics(&|of| held.is_some_and(|held| policy.settings(of).warm_up >= held));
    if !ignore.is_empty() {
        let fault = FigureFault::WarmUpTooLong { metrics: ignore, phase: name, longest };
        put(findings, format!("/phases/{index}"), fault);
    }
    let wait = metrics(&|of| {
        let breached = of.bounds.alert.or(of.bounds.rollback).is_some();
        let in_a_row = if breached { watch.consecutive_breaches - 1.0 } else { 0.0 };
        let full = policy.judged_after(of).as_seconds();
        let acts = full + in_a_row * watch.reads_every().as_seconds();
        !of.kind.counts_requests() && held.is_some_and(|held| acts > held.as_seconds())
    });
    if !wait.is_empty() {
        let fault = FigureFault::WindowTooLong { metrics: wait, window, phase: name, longest };
        put(findings, format!("/phases/{index}"), fault);
    }
    let is_late = |of: &&Metric| {
        let after = policy.judged_after(of);
        after > phase.watch && held.is_none_or(|held| after <= held)
    };
    let late: Vec<&Metric> = policy.deciding().filter(is_late).collect();
    if let Some(lasts) = late.iter().map(|of| policy.judged_after(of)).max() {
        let metrics = late.iter().map(|of| of.id).collect();
        let fault =
            FigureFault::WatchedLonger { metrics, phase: name, watch: phase.watch, lasts, window };
        put(findings, format!("/phases/{index}/watch"), fault);
    }
}
