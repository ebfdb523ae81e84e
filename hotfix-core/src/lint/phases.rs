//! Phases and watching: shares, least trials, windows, whether evidence is possible in time, and bounds and
//! responses that can never act, whatever a release does.

use super::fault;
use super::finding::{Finding, report};
use super::format::{chance, names, time};
use crate::grade::{AdviceCheck, AdviceKind, GateMode, PromotionRule, Response, Strategy};
use crate::plan::healthy::traffic_metric;
use crate::plan::load::{Load, SlowEvidence};
use crate::plan::volume::{ShortWindow, short_windows};
use crate::policy::Policy;
use crate::policy::section::{Metric, Phase};
use crate::text::joined;
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
    own_alternative(policy, findings);
    in_no_phase(policy, findings);
    for (index, phase) in policy.phases().iter().enumerate() {
        in_phase(policy, index, phase, findings);
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
        report! { findings, path, fault::NOBODY_ASKED,
            "with `hold` the rollout waits here, and nobody is asked until its phase has been held for `ask_again` longer than `watch_most`, or than `watch` without that"
        }
    }
}

/// The policy's own strategy among those that were not chosen.
fn own_alternative(policy: &Policy, findings: &mut Vec<Finding>) {
    let own = policy.strategy();
    let index = policy.alternatives().iter().position(|other| other.strategy == own);
    // A strategy that a release chooses is among them.
    if let Some(index) = index.filter(|_| policy.instead_of().is_none()) {
        report! { findings, format!("/alternatives/{index}/strategy"), fault::IDLE_ENTRY,
            "`{own}` is the policy's own strategy, and is listed as one that was not chosen: its `why` is not used"
        }
    }
}

fn shares(policy: &Policy, findings: &mut Vec<Finding>) {
    for (index, pair) in policy.phases().windows(2).enumerate() {
        let [before, phase] = pair else { continue };
        if phase.share == before.share && phase.share == Share::ALL {
            report! { findings, format!("/phases/{}/share", index + 1), fault::SHARE_STAYS,
                "phase `{}` has {} of the traffic, as `{}` before it: `deployed`, and what counts from it, comes with the last phase, later than the traffic",
                phase.name, phase.share, before.name
            }
        }
        if phase.share < before.share {
            report! { findings, format!("/phases/{}/share", index + 1), fault::SHARE_FALLS,
                "phase `{}` has {} of the traffic, less than the {} of `{}` before it",
                phase.name, phase.share, before.share, before.name
            }
        }
    }
    let phases = policy.phases();
    if policy.strategy() == Strategy::Immediate {
        if phases.len() > 1 || policy.held_back().is_some() {
            let shares =
                phases.iter().map(|phase| format!("`{}` with {}", phase.name, phase.share));
            report! { findings, "/phases", fault::IMMEDIATE_IN_PART,
                "the strategy is `immediate`, one phase with all traffic, but the policy has {}",
                joined(shares, ", ")
            }
        }
    } else if let (Some((index, last)), Some(rest)) =
        (phases.iter().enumerate().next_back(), policy.held_back())
    {
        report! { findings, format!("/phases/{index}/share"), fault::HOLD_BACK,
            "the last phase, `{}`, has {} of the traffic: the other {rest} stays on the old version until the last watch is over, and then gets the fix at once and unwatched",
            last.name, last.share
        }
    }
}

fn windows(policy: &Policy, findings: &mut Vec<Finding>) {
    let watch = policy.watch();
    let two = Span::from_millis(watch.cadence.as_millis().saturating_mul(2));
    let cadence = time(watch.cadence);
    if watch.window < two {
        report! { findings, "/watch/window", fault::SHORT_WINDOW,
            "the window of {} is shorter than two cadences of {cadence}: each evaluation uses one observation",
            time(watch.window)
        }
    }
    if watch.stale < two {
        report! { findings, "/watch/stale", fault::SHORT_STALE,
            "data is stale after {}, less than two cadences of {cadence}: one late observation counts as missing data",
            time(watch.stale)
        }
    }
    let (after, then) = (watch.no_data.after, watch.no_data.then);
    if after <= watch.cadence && then > Response::Hold {
        report! { findings, "/watch/no_data/after", fault::SHORT_NO_DATA,
            "without data the rollout waits for {} before `{then}`, no longer than the cadence of {cadence}: readings that come once per cadence are missing at the beginning of a phase",
            time(after)
        }
    }
    let alpha = policy.evidence().alpha.as_fraction();
    if alpha > USUAL_ALPHA {
        report! { findings, "/evidence/alpha", fault::HIGH_ALPHA,
            "`alpha` is {alpha}: of healthy fixes up to {} are rolled back by chance", chance(alpha)
        }
    }
    let Some(scrape) = watch.scrape else { return };
    if policy.evidence().change_point && scrape > Span::ZERO {
        report! { findings, "/evidence/change_point", fault::LATE_FAULTS_APART,
            "`change_point` is on, and the arms are read up to {} apart: a shock in both of them, seen in one first, looks like a late fault",
            time(scrape)
        }
    }
    let missing = "one failed scrape counts as missing data";
    let limits = [
        ("window", watch.window, "the window is often without data of an arm"),
        ("stale", watch.stale, missing),
        ("no_data/after", watch.no_data.after, missing),
    ];
    for (key, is, so) in limits {
        if is < scrape + scrape {
            report! { findings, format!("/watch/{key}"), fault::SHORT_FOR_SCRAPE,
                "`{key}` is {}, less than two scrape intervals of {}: {so}", time(is), time(scrape)
            }
        }
    }
}

/// Windows with too little traffic for `least_trials`.
fn least_trials(policy: &Policy, findings: &mut Vec<Finding>) {
    let Some((volume, traffic)) = traffic_metric(policy) else { return };
    let watch = policy.watch();
    let never = |of: &ShortWindow<'_>| of.trials < watch.least_trials;
    for short in short_windows(policy, traffic).into_iter().filter(never) {
        report! { findings, format!("/phases/{}", short.index), fault::TOO_FEW_TRIALS,
            "`least_trials` is {}, but with the {traffic} requests a minute of `{}` a window of {} has {} trials{} in `{}`: {} are never evaluated",
            watch.least_trials, volume.id, time(watch.window), short.trials, short.of(), short.phase.name, short.bounds()
        }
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
            report! { findings, format!("/phases/{index}/promotion"), fault::NO_EVIDENCE,
                "`{}` asks for evidence of no harm, but {why}: it passes after its least time as if that had been shown",
                phase.name
            }
        }
    }
    for slow in Load::of(policy).slow_evidence(policy.phases()) {
        let SlowEvidence { index, phase, metric, most, shown, needed, .. } = slow;
        let needed = needed.map(|needed| format!("half of them need {}", time(needed)));
        report! { findings, format!("/phases/{index}/promotion"), fault::EVIDENCE_TOO_SLOW,
            "within the {} of `{phase}`, `{metric}` gives evidence of no harm for {} healthy releases: {}",
            time(most), chance(shown), needed.as_deref().unwrap_or("no time is long enough")
        }
    }
}

/// Gates that wait for an objection without a time, and times for one that no gate waits for.
fn objections(policy: &Policy, findings: &mut Vec<Finding>) {
    for (index, phase) in policy.phases().iter().enumerate() {
        let (gate, veto) = (phase.gate, phase.veto);
        if (gate == GateMode::Veto) == veto.is_zero() {
            report! { findings, format!("/phases/{index}/veto"), fault::NO_TIME_TO_OBJECT,
                "the gate of `{}` is `{gate}`, and its `veto` is {}: nobody has time to object",
                phase.name, time(veto)
            }
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
            report! { findings, path, fault::STAGING_SKIPPED,
                "`{severity}` may skip staging, but the advice `{advice}` forbids skipping tests"
            }
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
        report! { findings, "/watch/consecutive_breaches", fault::TOO_MANY_BREACHES,
            "`consecutive_breaches` is {}, which takes longer than any phase is watched at most, {}, with a new reading every {}: no alert or rollback bound acts in a phase",
            watch.consecutive_breaches, time(longest), time(every)
        }
    }
    // Readings count as missing once they are stale.
    let then = watch.no_data.then;
    let (path, after) = if watch.stale > watch.no_data.after {
        ("/watch/stale", watch.stale)
    } else {
        ("/watch/no_data/after", watch.no_data.after)
    };
    if then != Response::Hold && after > longest {
        report! { findings, path, fault::NO_DATA_TOO_LATE,
            "without data the rollout waits for {} before `{then}`, longer than any phase is watched at most, {}",
            time(after), time(longest)
        }
    }
}

/// Metrics whose warm-up covers the whole phase, those whose full window takes longer than the
/// phase, and those for which the phase lasts longer than `watch`.
fn in_phase(policy: &Policy, index: usize, phase: &Phase, findings: &mut Vec<Finding>) {
    let (name, longest, watch) = (phase.name, time(phase.longest()), policy.watch());
    let (window, held) = (time(watch.window), phase.longest_held());
    let metrics = |is_idle: &dyn Fn(&Metric) -> bool| -> Vec<MetricName> {
        policy.deciding().filter(|of| is_idle(of)).map(|of| of.id).collect()
    };
    let ignore = metrics(&|of| held.is_some_and(|held| policy.settings(of).warm_up >= held));
    if !ignore.is_empty() {
        report! { findings, format!("/phases/{index}"), fault::WARM_UP_TOO_LONG,
            "the warm-up of {} is not shorter than the {longest} for which `{name}` is watched: none of its data is judged",
            names(&ignore)
        }
    }
    let wait = metrics(&|of| {
        let breached = of.bounds.alert.or(of.bounds.rollback).is_some();
        let in_a_row = if breached { watch.consecutive_breaches - 1.0 } else { 0.0 };
        let full = policy.judged_after(of).as_seconds();
        let acts = full + in_a_row * watch.reads_every().as_seconds();
        !of.kind.counts_requests() && held.is_some_and(|held| acts > held.as_seconds())
    });
    if !wait.is_empty() {
        report! { findings, format!("/phases/{index}"), fault::WINDOW_TOO_LONG,
            "a window of {window} has to be full, and breached as often in a row as is asked for, before the bounds of {} act, but `{name}` is watched for at most {longest}: they never do there",
            names(&wait)
        }
    }
    let is_late = |of: &&Metric| {
        let after = policy.judged_after(of);
        after > phase.watch && held.is_none_or(|held| after <= held)
    };
    let late: Vec<&Metric> = policy.deciding().filter(is_late).collect();
    if let Some(lasts) = late.iter().map(|of| policy.judged_after(of)).max() {
        let metrics: Vec<MetricName> = late.iter().map(|of| of.id).collect();
        report! { findings, format!("/phases/{index}/watch"), fault::WATCHED_LONGER,
            "`{name}` lasts at least {}, and not its `watch` of {}: {} can be judged only then, after the warm-up, and counts, gauges and volumes once a window of {window} is full",
            time(lasts), time(phase.watch), names(&metrics)
        }
    }
}
