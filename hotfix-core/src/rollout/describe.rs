//! Texts of pages and questions: service, incident, what was observed, and what to do next.
//!
//! A text is made when its action is raised, never at each tick.

use std::borrow::Cow;

use crate::code::explain;
use crate::fact::{Facts, Impact};
use crate::gate::approval::Statement;
use crate::grade::{Moment, Severity};
use crate::judge::{self, Cause, Judge, Reason};
use crate::metric::{self, interpolated};
use crate::plan::{Incident, Plan};
use crate::policy::Policy;
use crate::policy::section::{Bound, Metric};
use crate::text::{brief, ended, figure, joined, moment, rounded, sentence, words};
use crate::unit::{MetricName, Share, Span, Timestamp};

use super::action::{Act, ActionId};
use super::input::InputKind;
use super::intervention::TrainNotice;
use super::poll::deployment_is_late;
use super::stage::{Stage, State};
use super::state::{Judged, RolloutState};

/// The text with the service and the incident in front of it.
pub(super) fn addressed(incident: &Incident, text: &str) -> String {
    let names = [incident.service.as_deref(), Some(incident.id.as_str())];
    let names: Vec<String> =
        names.into_iter().flatten().filter(|name| !name.is_empty()).map(brief).collect();
    if names.is_empty() { text.to_owned() } else { format!("{}: {text}", names.join(", ")) }
}

/// A reason or a note that somebody gave, in brackets; empty without one. Backquotes are of the inputs
/// that a question names.
pub(super) fn given(why: Option<&str>) -> String {
    stated_reason(why).map_or_else(String::new, |why| format!(" ({why})"))
}

/// A reason as a sentence has it; None without one.
pub(super) fn stated_reason(why: Option<&str>) -> Option<String> {
    why.map(|why| brief(why).replace('`', "'")).filter(|why| !why.is_empty())
}

/// Why somebody else is asked for an approval that was given.
pub(super) const AUTHOR_ALONE: &str =
    "only the author of the fix has approved it, and somebody else has to approve it, too.";

/// Why somebody is asked again for an approval that was verbal.
pub(super) fn needed_in_writing(verbal: &Statement) -> String {
    let Statement { role, at, .. } = verbal;
    format!("the approval of `{role}` at {} was verbal, and it is needed in writing", moment(*at))
}

/// That the rollout was aborted before its start, and what leads on; `tried`: a start came before.
pub(super) fn stopped(why: Option<&str>, tried: bool) -> String {
    let before = if tried { "" } else { " before anything was deployed" };
    format!(
        "the rollout was stopped{before}{}. If the incident is over, send \
         `set_times` with `resolved`; to deploy a fix all the same, send `retry`.",
        given(why)
    )
}

/// The answers about a fix that is complete; `watched`: until when it is watched on.
pub(super) fn stays_live(version: &str, watched: Option<Timestamp>) -> String {
    let watched = watched.map(|ends| format!(", and the watch goes on until {}", moment(ends)));
    format!(
        "{version} stays live unless somebody sends `roll_back`; with `promote` nobody is asked about \
         this again{}.",
        watched.unwrap_or_default()
    )
}

/// How severe the incident is, since when, and what became of the fix: whoever is called in later reads
/// nothing else before.
pub(super) fn whereabouts(
    plan: &Plan,
    case: &RolloutState,
    stage: &Stage,
    at: Timestamp,
    severity: Option<Severity>,
) -> String {
    let reach = case.reach();
    let state = match stage {
        Stage::Preparing if plan.release().is_none() => "no fix is known yet".to_owned(),
        Stage::Preparing if case.readiness.statements().denials().next().is_some() => {
            "a fix was denied approval".to_owned()
        }
        Stage::Preparing => match case.readiness.state(plan) {
            State::AwaitingApproval => "a fix waits for an approval or a waiver",
            State::Ready => case.people.train().unwrap_or(TrainNotice::Next).ready(),
            _ => "a fix is being prepared",
        }
        .to_owned(),
        Stage::RollingBack(_) => "the fix is being rolled back".to_owned(),
        Stage::RolledBack => "the fix was rolled back".to_owned(),
        Stage::Aborted => {
            let orders = case.people.interventions();
            let why = orders.last(InputKind::Abort).and_then(|order| order.why.as_deref());
            stopped(why, orders.last(InputKind::Start).is_some())
        }
        Stage::Failed => "the fix could not be deployed".to_owned(),
        Stage::Frozen { .. } => format!("the rollout is frozen with {reach} of the traffic"),
        Stage::Deploying(step) if deployment_is_late(plan.policy(), case, *step, at) => {
            "the deployment of the fix was not confirmed in time".to_owned()
        }
        _ if !reach.is_any() => "the fix is being deployed".to_owned(),
        _ => format!("{reach} of the traffic has the fix"),
    };
    let (detected, risen) = (case.agenda.came(Moment::Detected), case.agenda.risen());
    let severity = severity.map(|severity| severity.to_string());
    let since = risen.or(detected).map(|at| format!("since {}", moment(at)));
    let detected = detected.filter(|_| risen.is_some());
    let detected = detected.map(|at| format!(", detected at {}", moment(at))).unwrap_or_default();
    let known = joined(severity.into_iter().chain(since), " ") + &detected;
    let state = if known.is_empty() { state } else { format!("{known}: {state}") };
    format!(" {}", ended(&sentence(&state)))
}

/// What was reported, with the note.
pub(super) fn reported(signal: &str, note: Option<&str>) -> String {
    format!("signal `{signal}` was reported{}", given(note))
}

/// An action with its id: `the change of traffic to 10% (action 7.0)`.
pub(super) fn action(id: ActionId, act: &Act) -> String {
    let what = match act {
        Act::SetTraffic { share } => format!("the change of traffic to {share}"),
        Act::Deploy { version, .. } => format!("the deployment of {}", brief(version)),
        Act::RollBack { method, version } => {
            format!("the rollback to {} by {}", brief(version), words(method.as_str()))
        }
        _ => return format!("action {id}"),
    };
    format!("{what} (action {id})")
}

/// That an action failed, and why.
pub(super) fn failed(id: ActionId, act: &Act, why: Option<&str>) -> String {
    format!("{} failed{}", action(id, act), given(why))
}

/// Asks for the result of an action that was not confirmed in time.
pub(super) fn unconfirmed(policy: &Policy, id: ActionId, act: &Act, within: Span) -> String {
    let check = match act {
        Act::SetTraffic { .. } => "Check the load balancer",
        Act::RollBack { .. } => "Check which version is live",
        _ => "Check the deployment",
    };
    let signs = act.signs(policy).map_or_else(String::new, |signs| format!(" {signs}"));
    let condition = act.condition(policy).map_or_else(String::new, |condition| {
        format!(" This method is for: {}.", brief(condition))
    });
    format!(
        "{} was not confirmed within {within}. {check}, then send `confirm` or `failed` for \
         action {id}.{condition}{signs}",
        action(id, act)
    )
}

/// That readings are refused, and why: `refused (HF-MET-006: …)`.
pub(super) fn refused(code: &str) -> String {
    let sentence = explain(code).and_then(|text| text.split("\n\n").next()).unwrap_or_default();
    let sentence = sentence.trim_end_matches('.').replace('\n', " ");
    format!("refused ({code}: {sentence})")
}

/// The causes of a verdict, by metric, each with what was measured. Metrics with the same text are
/// named together: `bug, error rate: no readings since 2026-03-03 14:40 UTC`.
pub(super) fn causes(policy: &Policy, judged: &Judged, share: Share, causes: &[Cause]) -> String {
    let mut by_metric: Vec<(Option<MetricName>, Vec<String>)> = Vec::new();
    let cannot_decide =
        |of| causes.iter().any(|cause| cause.reason == Reason::CannotDecide && cause.metric == of);
    // The other reason then names the fix, too.
    let is_repeated =
        |cause: &Cause| cause.reason == Reason::EfficacyNotShown && cannot_decide(cause.metric);
    for cause in causes.iter().filter(|cause| !cause.is_covered(causes) && !is_repeated(cause)) {
        let metric = cause.metric.and_then(|id| policy.metric(id.as_str()));
        let mut reason = reason(judged, share, cause, metric).into_owned();
        if let Some(instance) = &cause.instance {
            reason = format!("instance {}: {reason}", brief(instance));
        }
        match by_metric.iter_mut().find(|(id, _)| *id == cause.metric) {
            // A missed criterion may have named the bound already.
            Some((_, reasons)) if reasons.iter().any(|other| other.ends_with(&reason)) => {}
            Some((_, reasons)) => reasons.push(reason),
            None => by_metric.push((cause.metric, vec![reason])),
        }
    }
    let mut sentences: Vec<(Vec<MetricName>, String)> = Vec::new();
    for (id, reasons) in by_metric {
        let reasons = reasons.join(", ");
        let text = match id.and_then(|id| measured(policy, judged, id)) {
            Some(measured) => format!("{measured} ({reasons})"),
            None => reasons,
        };
        match sentences.iter_mut().find(|(_, known)| *known == text) {
            Some((metrics, _)) => metrics.extend(id),
            None => sentences.push((id.into_iter().collect(), text)),
        }
    }
    let sentence = |(metrics, text): &(Vec<MetricName>, String)| {
        let names: Vec<String> =
            metrics.iter().map(|id| brief(&policy.metric_title(*id))).collect();
        if names.is_empty() { text.clone() } else { format!("{}: {text}", names.join(", ")) }
    };
    sentences.iter().map(sentence).collect::<Vec<_>>().join("; ")
}

/// Which instance to replace, to precede the other answers; empty where none has to be.
pub(super) fn to_replace(causes: &[Cause]) -> String {
    let one = causes.iter().find(|cause| cause.reason == Reason::OneInstance);
    one.and_then(|cause| cause.instance.as_deref()).map_or_else(String::new, |instance| {
        format!("Replace instance {}, and the metric is read again. ", brief(instance))
    })
}

/// A text about these causes, and after it what each other deciding metric shows.
pub(super) fn with_others(text: String, policy: &Policy, judged: &Judged, of: &[Cause]) -> String {
    let is_named = |id| of.iter().any(|cause| cause.metric == Some(id));
    let others = judged.verdict().metrics.iter().map(|(id, _)| *id);
    let others = others.filter(|id| policy.decides(*id) && !is_named(*id));
    let others = others.filter_map(|id| {
        let title = brief(&policy.metric_title(id));
        let excess = judged.judge().metric(id)?.excess();
        let excess = excess.map_or_else(String::new, |excess| format!(" ({excess})"));
        Some(format!("{title}: {}{excess}", measured(policy, judged, id)?))
    });
    joined(Some(text).filter(|text| !text.is_empty()).into_iter().chain(others), "; ")
}

/// What a metric shows for both versions: `6% with the fix, 0.3% without it`; without a live version
/// that is read, what it showed before the deployment.
fn measured(policy: &Policy, judged: &Judged, id: MetricName) -> Option<String> {
    let (metric, seen) = (policy.metric(id.as_str())?, judged.verdict().metric(id)?);
    let watched = judged.judge().metric(id)?;
    let read = |value| metric::measured(metric.kind, watched.edges(), value);
    let [canary, baseline] = watched.shown(seen);
    let canary = match seen.bucket {
        Some(edges) => interpolated(canary?, edges),
        None => read(canary?),
    };
    Some(match baseline {
        Some(baseline) => {
            format!("{canary} with the fix, {} {}", read(baseline), policy.without_the_fix())
        }
        None => match watched.live_before() {
            Some(before) => format!("{canary} with the fix, {} before it", read(before)),
            None => format!("{canary} with the fix"),
        },
    })
}

/// The reason, with the bound or the ratio where it is a figure.
fn reason(
    judged: &Judged,
    share: Share,
    cause: &Cause,
    metric: Option<&Metric>,
) -> Cow<'static, str> {
    let reason = cause.reason;
    if reason == Reason::SplitNotAsPlanned
        && let Some(part) = judge::wrong_split(judged.judge())
    {
        return Cow::Owned(format!(
            "the fix has about {}% of the requests, and {share} are planned; check what distributes \
             the traffic",
            figure(part * 100.0, 2)
        ));
    }
    if reason == Reason::HoldLevel && judged.judge().evidence_is_final(share) {
        let text = reason.describe();
        return Cow::Owned(format!(
            "{text}; no reading can change that with all of the traffic on the fix"
        ));
    }
    let with_figure = metric.and_then(|metric| {
        let watched = judged.judge().metric(metric.id)?;
        // On which side of a bound it is, with the figure that was compared.
        let beyond = |name, bound: Option<Bound>| {
            let at = metric::measured(metric.kind, &[], watched.bound_now(share, bound?)?);
            Some(format!("{} the {name} bound of {at}", metric.worse.side()))
        };
        match reason {
            Reason::RollbackBand => beyond("rollback", metric.bounds.rollback),
            Reason::AlertBand => beyond("alert", metric.bounds.alert),
            Reason::Evidence | Reason::Burst => watched.slow_part(reason),
            Reason::CriterionMissed => over_the_phase(judged.judge(), share, metric),
            Reason::SlightlySlower => watched.slow_part(reason).or_else(|| {
                Some(match watched.slowdown() {
                    Some((ratio, _)) => {
                        format!("{} times as slow in the last minute", rounded(ratio, 1))
                    }
                    None => "slower, and its histogram does not show by how much".to_owned(),
                })
            }),
            Reason::CannotDecide if judge::is_unproven(judged.judge(), metric.id) => {
                let value = watched.over_the_phase(share)?;
                Some(format!(
                    "{} over the phase; the fix is not shown to work, and can no longer be in the \
                     time that is left",
                    metric::measured(metric.kind, &[], value)
                ))
            }
            Reason::SplitNotAsPlanned => Some(format!(
                "more than its {share} of the traffic; check its query, and what distributes the \
                 traffic"
            )),
            Reason::OneInstance => {
                let of = watched.of_instance(cause.instance.as_ref()?)?;
                let (failed, all) = (of.events, of.trials);
                Some(format!(
                    "{failed} of its {all} requests failed, the rollback bound is crossed because of \
                     it alone"
                ))
            }
            Reason::Stale => Some(format!("no readings since {}", moment(watched.read_at()?))),
            Reason::TooFewTrials if judge::waits_for_split(judged.judge(), metric.id) => {
                Some("not judged while the traffic is not split as planned".to_owned())
            }
            Reason::TooFewTrials => {
                let since = watched.stopped_since(judge::CANARY);
                let text = since.map(|since| format!("no request since {}", moment(since)));
                text.or_else(|| watched.too_far_apart())
            }
            Reason::NoLiveData => {
                let since = watched.stopped_since(judge::BASELINE)?;
                Some(format!("no request of the live version since {}", moment(since)))
            }
            Reason::WorseThanSeen => {
                let value = watched.seen_by_a_person()?;
                let seen = metric::measured(metric.kind, watched.edges(), value);
                Some(format!("{seen} when a person was last asked, and nothing judges it"))
            }
            Reason::NotJudged if watched.has_compared() && !watched.has_rows_left() => {
                let ratio = judged.verdict().metric(metric.id)?.ratio;
                let is_known = metric.kind.counts_events() && watched.has_events_of_both();
                let ratio = ratio.filter(|_| is_known).map(|ratio| rounded(ratio, 1));
                let rate = if metric.kind.is_fraction() { "failure rate" } else { "rate" };
                let before = match ratio.as_deref() {
                    None | Some("0.0") => String::new(),
                    Some(ratio) => format!("; before that {ratio} times its {rate}"),
                };
                Some(format!("no readings of the live version are left to compare with{before}"))
            }
            _ => None,
        }
    });
    with_figure.map_or_else(
        || Cow::Borrowed(reason.describe_for(metric.map(|metric| metric.kind))),
        Cow::Owned,
    )
}

/// What a metric whose criterion is not met shows of the phase, not of the window, whose figure is
/// beside it.
pub(super) fn over_the_phase(judge: &Judge, share: Share, metric: &Metric) -> Option<String> {
    let watched = judge.metric(metric.id)?;
    let value = watched.over_the_phase(share)?;
    let (kind, edges) = (metric.kind, watched.edges());
    // A metric without a success bound has to be within its other bounds.
    let figure = |(which, bound)| Some((which, watched.bound_over_the_phase(share, bound)?));
    let bounds: Vec<(&str, f64)> = metric.bounds.named().filter_map(figure).collect();
    let missed = bounds.iter().find(|(_, figure)| metric.worse.is_beyond(value, *figure));
    let Some(&(which, bound)) = missed.or(bounds.first()) else {
        let value = metric::measured(kind, edges, value);
        return Some(format!("{value} over the phase, criterion not met"));
    };
    let [value, bound] = metric::compared(kind, edges, value, bound);
    let side = metric.worse.side();
    let live = watched.live_over_the_phase(share).map_or_else(String::new, |live| {
        format!(", {} without the fix", metric::measured(kind, edges, live))
    });
    Some(format!("{value} over the phase, {side} the {which} bound of {bound}{live}"))
}

/// The impact that these facts say, in a line.
pub(super) fn impact(policy: &Policy, facts: &Facts) -> Option<String> {
    let (own, normal) = (policy.own_effects(facts), policy.normal_figures(facts));
    Some(Impact::new(facts, false).and(&own).without(&normal).line())
        .filter(|line| !line.is_empty())
}
