//! Sentences of the report that follow from the log.

use crate::fact::{Fact, FactId};
use crate::grade::{MessageKind, Moment};
use crate::judge::{Harm, Recovery, Version};
use crate::plan::{Plan, Power, Window};
use crate::policy::Policy;
use crate::rollout::{InputKind, RollbackCause, Rollout, Silent, State};
use crate::sorting::sort_by_key;
use crate::stats::interval::Interval;
use crate::text::{self, counted, joined};
use crate::unit::{Span, Timestamp};

use super::describe::{self, figure, lasting, utc};
use super::log_summary::{LogSummary, RolledBack};
use super::measures::{Figure, ImpactUnit, IncidentHistory, MeasureName, Measures};
use super::model::{Impact, PhaseEnd, PhaseVisit};

/// Summary: the incident, the outcome and the duration.
pub(super) fn summary(
    rollout: &Rollout,
    log: &LogSummary,
    measures: &Measures,
    visits: &[PhaseVisit],
) -> Vec<String> {
    let plan = rollout.plan();
    let incident = &plan.subject().incident;
    let service = incident.service.as_ref().map(|service| format!(" in {service}"));
    let assumed = if rollout.severity_is_assumed() { ", assumed" } else { "" };
    let severity = rollout.severity().map(|severity| match plan.policy().severity(severity) {
        Some(level) => format!(" ({severity}, {}{assumed})", level.label),
        None => format!(" ({severity}{assumed})"),
    });
    let title = incident.title.as_ref().map(|title| format!(": {title}"));
    let more: String = [service, severity, title].into_iter().flatten().collect();
    let mut sentences =
        vec![text::ended(&format!("{}{more}", incident.id)), outcome(rollout, log, measures)];
    // Of what was rolled back the outcome names the reason.
    let train = log.train.as_ref().filter(|_| !rollout.stage().has_turned_back());
    sentences.extend(train.map(|why| text::ended(&text::sentence(why))));
    sentences.extend(rollback_failed(rollout, log));
    sentences.extend(earlier(rollout, log, visits));
    sentences.extend(duration(measures));
    sentences.extend(log.revoked_ends.iter().map(|(resolved, revoked)| {
        let [resolved, revoked] = [*resolved, *revoked].map(utc);
        format!("It had been recorded as resolved at {resolved}; that was revoked at {revoked}.")
    }));
    sentences
}

/// That the rollback of this attempt did not work at once.
fn rollback_failed(rollout: &Rollout, log: &LogSummary) -> Option<String> {
    let is_own = |back: &&RolledBack| back.attempt == rollout.attempt() && back.has_failed;
    let back = log.rollbacks.last().filter(is_own)?;
    let frozen = log.frozen.iter().rfind(|frozen| frozen.tried && frozen.at >= back.asked);
    let methods = joined(back.tried.iter().map(|method| text::words(method.as_str())), ", then ");
    Some(match (frozen, back.confirmed) {
        (None, _) => format!("An action of the rollback failed; tried: {methods}."),
        (Some(_), None) => "No rollback method worked.".to_owned(),
        (Some(frozen), Some(confirmed)) => format!(
            "At first no rollback method worked: {} of the traffic stayed on {} for {}.",
            frozen.has,
            back.version,
            lasting(confirmed.since(back.asked))
        ),
    })
}

/// What became of the versions of earlier attempts that had traffic.
fn earlier(rollout: &Rollout, log: &LogSummary, visits: &[PhaseVisit]) -> Option<String> {
    let before = |attempt: u32| attempt < rollout.attempt();
    let back = log.rollbacks.iter().filter(|back| before(back.attempt)).map(|back| {
        let (version, asked, because) = (&back.version, utc(back.asked), back.because());
        let text = if back.has_failed && back.confirmed.is_none() {
            format!("the rollback of {version} from {asked} on failed ({because})")
        } else {
            format!("{version} was rolled back from {asked} on ({because})")
        };
        (back.asked, text)
    });
    let replaced = log.comparisons.iter().filter_map(|of| {
        let is_own = |visit: &&PhaseVisit| visit.attempt == of.attempt;
        let last = visits.iter().rfind(is_own).filter(|last| last.end == PhaseEnd::BegunAnew)?;
        let until = last.until.filter(|_| before(of.attempt))?;
        Some((until, format!("{} was replaced at {}", of.version, utc(until))))
    });
    let mut all: Vec<(Timestamp, String)> = back.chain(replaced).collect();
    sort_by_key(&mut all, |(at, _)| *at);
    let all = joined(all.into_iter().map(|(_, what)| what), "; ");
    (!all.is_empty()).then(|| format!("Before, {all}."))
}

fn outcome(rollout: &Rollout, log: &LogSummary, measures: &Measures) -> String {
    let subject = rollout.plan().subject();
    let (new, previous) = (subject.version(), subject.previous());
    let old = rollout.back_to().unwrap_or(previous);
    // An earlier attempt may have the traffic.
    let canary = rollout.canary_version().unwrap_or(new);
    let undeployed =
        if canary == new { String::new() } else { format!(" {new} was not deployed.") };
    let back = log.rollbacks.last().filter(|back| back.attempt == rollout.attempt());
    let because = back.map_or_else(String::new, |back| format!(" ({})", back.because()));
    let share = rollout.reach();
    match rollout.state() {
        State::Aborted if subject.release.is_none() => {
            "It ended without a release: nothing was deployed.".to_owned()
        }
        _ if subject.release.is_none() => "There is no release with a fix yet.".to_owned(),
        State::Drafted | State::AwaitingApproval | State::Ready if rollout.attempt() > 1 => {
            let still = if share.is_any() {
                format!("; {share} of the traffic is still on {canary}")
            } else {
                String::new()
            };
            format!("Another attempt, with {new}, is prepared and has not started{still}.")
        }
        State::Drafted | State::AwaitingApproval | State::Ready => {
            format!("The deployment of {new} has not started.")
        }
        // What has reached everybody is on its way no more.
        _ if rollout.stage().is_out() && rollout.is_timely(MessageKind::Deployed) => {
            let part = match rollout.plan().policy().held_back() {
                Some(_) => format!("{share} of the traffic"),
                None => "the traffic".to_owned(),
            };
            let is_paused = rollout.state() == State::Paused;
            let paused = if is_paused { ", the rollout is paused" } else { "" };
            let watched = match rollout.now().and_then(|now| rollout.missing_readings(now)) {
                Some(Silent::All) => "its readings are missing",
                Some(Silent::Live) | None => "it is still being watched",
            };
            format!("{new} has {part}{paused}, and {watched}.")
        }
        State::Deploying | State::Paused if canary != new => {
            format!("{new} is being deployed; {share} of the traffic is still on {canary}.")
        }
        State::Deploying
        | State::Complete
        | State::Monitoring
        | State::Gate
        | State::FinalValidation
        | State::Paused => {
            format!(
                "{new} is being rolled out and has {share} of the traffic as of the last log line."
            )
        }
        State::Closed => format!("{new} has the traffic, and the rollout is closed."),
        State::RollingBack => {
            format!("{canary} is being rolled back to {old}{because}.{undeployed}")
        }
        State::RolledBack => {
            // Whether another version has the fault, too, is not known, and a false alarm had none.
            let is_fault = rollout.facts().flag(Fact::Confirmed) != Some(false);
            let fault = if old == previous && is_fault {
                format!(", with the fault that {canary} was meant to fix")
            } else {
                String::new()
            };
            // As the measure counts it: what had no traffic needed no rollback.
            let needed = measures.get(MeasureName::RollbackNeeded).figure;
            let ended = match needed {
                Some(Figure::Yes(false)) => "was stopped before it had traffic",
                _ => "was rolled back",
            };
            let again = if needed == Some(Figure::Yes(false)) { "" } else { " again" };
            format!("{canary} {ended}{because}. {old} is live{again}{fault}.{undeployed}")
        }
        State::Frozen => {
            format!(
                "The rollout is frozen: {canary} keeps {share} of the traffic until a person acts.{undeployed}"
            )
        }
        State::Aborted => {
            format!("{canary} was aborted{because}; it has {share} of the traffic.{undeployed}")
        }
        State::Failed => format!("{new} could not be deployed; no traffic moved."),
    }
}

fn duration(measures: &Measures) -> Option<String> {
    let measure = measures.get(MeasureName::IncidentDuration);
    let from = measure.from?;
    let verb = match from.moment {
        "began" => "The incident began",
        "detected" => "The incident was detected",
        _ => "The incident was declared",
    };
    let begun = format!("{verb} at {}", utc(from.at));
    Some(match (measure.figure, measure.to) {
        (Some(Figure::Seconds(span)), Some(resolved)) => {
            format!("{begun} and was resolved at {}, after {}.", utc(resolved.at), lasting(span))
        }
        (Some(Figure::Seconds(span)), None) => format!(
            "{begun} and is not resolved as of {} ({} so far).",
            utc(measures.at),
            lasting(span)
        ),
        _ => format!("{begun}. Its duration is not known: {}.", measure.sentence.replace('`', "")),
    })
}

pub(super) fn impact(rollout: &Rollout, log: &LogSummary, history: &IncidentHistory) -> Impact {
    let plan = rollout.plan();
    let mut sentences = Vec::new();
    let worst = rollout.worst_facts().get(FactId::BuiltIn(Fact::UsersAffected));
    let last = rollout.facts().get(FactId::BuiltIn(Fact::UsersAffected));
    let at_worst = if worst == last { "" } else { "At worst, " };
    sentences.extend(
        worst.map(|share| {
            format!("{at_worst}{} of the users were affected.", describe::fact(share))
        }),
    );
    for (version, impact) in history.affected().by_version(plan) {
        let metric = plan.policy().metric_title(impact.metric);
        let count = figure(impact.at_least.round());
        let what = match (impact.unit, count.as_str()) {
            (_, "0") => {
                sentences.push(format!("{version}: the readings show no failed request."));
                continue;
            }
            (ImpactUnit::Requests, "1") => "request failed",
            (ImpactUnit::Requests, _) => "requests failed",
            (ImpactUnit::Events, "1") => "event came",
            (ImpactUnit::Events, _) => "events came",
        };
        sentences.push(format!("{version}: at least {count} {what}, as counted by {metric}."));
    }
    if let Some(harm) = log.verdicts.iter().filter_map(|verdict| verdict.harm.as_ref()).last() {
        sentences.extend(estimated_impact(harm, plan.policy()));
    }
    Impact {
        sentences,
        facts: history.facts.described(rollout.worst_facts()),
        affected: history.affected().by_metric(plan),
    }
}

fn between(least: f64, most: f64) -> String {
    let (least, most) = (figure(least), figure(most));
    if least == most { least } else { format!("{least}–{most}") }
}

/// Estimated impact of each version, if it had all of the traffic: of all that the lesser harm is
/// concluded from, each unit by itself.
fn estimated_impact(harm: &Harm, policy: &Policy) -> Option<String> {
    let range = |range: Interval| between(range.low.round(), range.high.round());
    let units = [("failed request", true), ("event", false)].into_iter().filter_map(
        |(what, requests)| match harm.counted(policy, requests) {
            [Some(new), Some(live)] => {
                let (new, live) = (range(new), range(live));
                let s = if new == "1" { "" } else { "s" };
                Some(format!(
                    "{new} {what}{s} per minute with the new version, {live} with the live version"
                ))
            }
            _ => None,
        },
    );
    let units: Vec<String> = units.collect();
    let lesser = match (harm.lesser, harm.lesser_now()) {
        (Some(Version::Canary), _) => "The new version was the lesser harm",
        (Some(Version::Live), _) => "The live version was the lesser harm",
        (None, Some(_)) => {
            "Over the whole phase it was not clear which version was the lesser harm"
        }
        (None, None) if units.len() > 1 => {
            "It was not clear which version was the lesser harm, because an event may be one of the \
             failed requests or another harm"
        }
        (None, None) => "It was not clear which version was the lesser harm",
    };
    (!units.is_empty()).then(|| {
        format!(
            "Estimated impact at the last decision ({}), if one version had all of the traffic: {}. {lesser}.",
            utc(harm.at),
            joined(&units, "; ")
        )
    })
}

/// How the incident was detected, and how a bad release was, in order of time.
pub(super) fn detection(log: &LogSummary, measures: &Measures) -> Vec<String> {
    let mut sentences: Vec<(Timestamp, String)> = Vec::new();
    let measure = measures.get(MeasureName::TimeToDetect);
    if let Some(detected) = measure.to {
        let after = match measure.figure {
            Some(Figure::Seconds(span)) => format!(", {} after it began", lasting(span)),
            _ => String::new(),
        };
        let text = format!("The incident was detected at {}{after}.", utc(detected.at));
        sentences.push((detected.at, text));
    }
    for back in &log.rollbacks {
        let (by, by_verdict) = match &back.cause {
            RollbackCause::Verdict { .. } => ("a verdict", true),
            RollbackCause::Signal { .. } => ("a report", false),
            RollbackCause::Person if back.by_train => ("the train", false),
            RollbackCause::Person | RollbackCause::Revert { .. } | RollbackCause::Abort => {
                ("a person", false)
            }
            RollbackCause::ActionFailed => ("a failed action", false),
        };
        let after = back.watched_since.map_or_else(String::new, |since| {
            format!(", {} after the phase began to be watched", lasting(back.asked.since(since)))
        });
        let before = match back.reported {
            _ if matches!(back.cause, RollbackCause::Signal { .. }) => String::new(),
            Some((at, signal)) => {
                let signal = text::words(signal.as_str());
                format!(", after a problem had been reported at {} ({signal})", utc(at))
            }
            None if by_verdict => ", before anybody reported a problem".to_owned(),
            None => String::new(),
        };
        let text = format!(
            "At {}, {by} triggered the rollback{after}{before}: {}",
            utc(back.asked),
            back.because()
        );
        sentences.push((back.asked, text::ended(&text)));
    }
    sentences.extend(log.frozen.iter().map(|frozen| {
        let because = if frozen.tried {
            "no rollback method worked"
        } else {
            "a rollback was due that needs a person"
        };
        let until = frozen.until.map_or_else(String::new, |until| {
            format!(", until a person acted {} later", lasting(until.since(frozen.at)))
        });
        let text = format!(
            "At {}, {because}, and the rollout was frozen with {} of the traffic on the new \
             version{until}: {}.",
            utc(frozen.at),
            frozen.has,
            frozen.why
        );
        (frozen.at, text)
    }));
    sort_by_key(&mut sentences, |(at, _)| *at);
    sentences.into_iter().map(|(_, text)| text).collect()
}

/// How the fix was deployed, how the rollout ended, and what verified it.
pub(super) fn resolution(
    rollout: &Rollout,
    log: &LogSummary,
    visits: &[PhaseVisit],
) -> Vec<String> {
    let plan = rollout.plan();
    let (subject, mut sentences) = (plan.subject(), Vec::new());
    let description = plan.release().and_then(|release| release.description.as_ref());
    if let Some(description) = description {
        let described = format!("The author's description of the fix: {description}");
        sentences.push(text::ended(&described));
    }
    if subject.stop_gap() == Some(true) {
        sentences.push(
            "The fix is a stop-gap: it limits the impact, and the permanent fix is another change."
                .to_owned(),
        );
    }
    let strategy = text::words(plan.policy().strategy().as_str());
    // An earlier attempt has the traffic until this one gets it.
    let is_own = |visit: &PhaseVisit| visit.attempt == rollout.attempt();
    let had_traffic = visits.iter().any(|visit| is_own(visit) && visit.watched_since.is_some());
    let deployed = rollout.former_version().or(had_traffic.then(|| subject.version()));
    sentences.extend(
        deployed.map(|version| format!("{version} was deployed with the strategy {strategy}.")),
    );
    sentences.extend(visits.iter().map(phase));
    sentences.extend(outside_of_window(
        plan,
        visits.iter().filter(|visit| is_own(visit)),
        log.as_of,
    ));
    for back in &log.rollbacks {
        let methods = back.tried.iter().map(|method| text::words(method.as_str()));
        let methods = joined(methods, ", then ");
        let mut sentence = format!("The rollback began at {}, by {methods}", utc(back.asked));
        if let Some(confirmed) = back.confirmed {
            sentence =
                format!("{sentence}; {} had the traffic again at {}", back.to, utc(confirmed));
        }
        if let Some((ended, _)) = back.ended {
            let after = lasting(ended.since(back.asked));
            sentence = format!("{sentence}; it was complete at {}, after {after}", utc(ended));
        }
        sentences.push(format!("{sentence}.{}", recovery(plan.policy(), back)));
    }
    if let Some(since) = log.shown_to_work(rollout) {
        sentences.push(format!(
            "The fix was shown to work at {}: the bug's own metric improved as claimed.",
            utc(since)
        ));
    }
    if let Some(completed) = rollout.moment(Moment::Verified) {
        let at = utc(completed);
        sentences.push(match rollout.unverified() {
            None => format!("The fix was verified at {at}."),
            Some(why) => format!("The final validation ended at {at} with {why}."),
        });
        let promoted = rollout.intervention(InputKind::Promote).filter(|of| of.at == completed);
        if let Some(why) = promoted.and_then(|of| of.why.as_deref()) {
            sentences.push(format!("The reason that was given: {}", text::ended(why)));
        }
        let early = rollout.checks().early;
        if !early.is_empty() {
            let early = joined(early.iter().map(|item| &item.text), "; ");
            sentences.push(format!("Checked too early: {early}."));
        }
    }
    if let Some(resolved) = rollout.moment(Moment::Resolved) {
        sentences.push(format!("The incident was resolved at {}.", utc(resolved)));
    }
    sentences
}

/// Whether the metrics were back at their level before the deployment when a rollback ended, to
/// follow its sentence.
fn recovery(policy: &Policy, back: &RolledBack) -> String {
    let (Some(_), Some((_, recovery))) = (back.confirmed, back.ended) else { return String::new() };
    let were = match recovery {
        Recovery::Returned => "By then the metrics were back",
        Recovery::NotReturned => "By then the metrics were not back",
        Recovery::NotKnown => "No readings show whether the metrics were back",
    };
    let of = |head: &str, wanted: Option<bool>| {
        let found = back.recovered.iter().filter(|(_, returned)| *returned == wanted);
        let titles: Vec<String> = found.map(|(id, _)| policy.metric_title(*id)).collect();
        let head = format!(" {head}: {}.", text::enumerated(&titles));
        if titles.is_empty() { String::new() } else { head }
    };
    let [not_returned, returned, unknown] = [
        of("Not at their level", Some(false)),
        of("At their level", Some(true)),
        of("Not compared", None),
    ];
    format!(" {were} at their level before the deployment.{not_returned}{returned}{unknown}")
}

/// The phases of this plan that ran outside of its change window.
fn outside_of_window<'a>(
    plan: &Plan,
    visits: impl Iterator<Item = &'a PhaseVisit>,
    as_of: Timestamp,
) -> Option<String> {
    let Window { from, until } = plan.change_window()?;
    let is_outside =
        |visit: &&PhaseVisit| visit.deployed_since < from || visit.until.unwrap_or(as_of) > until;
    let phases: Vec<String> = visits.filter(is_outside).map(|of| of.phase.to_string()).collect();
    (!phases.is_empty()).then(|| {
        let phases = text::enumerated(&phases);
        let [from, until] = [from, until].map(utc);
        format!("These phases ran outside of the change window, {from} to {until}: {phases}.")
    })
}

fn phase(visit: &PhaseVisit) -> String {
    let share = visit.share;
    let attempt =
        if visit.attempt > 1 { format!(" (attempt {})", visit.attempt) } else { String::new() };
    let end = match visit.end {
        PhaseEnd::Passed => "passed",
        PhaseEnd::Overridden => "passed by a person",
        PhaseEnd::RolledBack => "rolled back",
        PhaseEnd::RollbackFailed => "its rollback failed",
        PhaseEnd::Stopped => "stopped",
        PhaseEnd::Failed => "failed",
        PhaseEnd::BegunAnew => "replaced by another attempt",
        PhaseEnd::UnderWay => "in progress",
    };
    let Some(since) = visit.watched_since else {
        let ended = |until| format!("; {end} at {}, before the phase was watched", utc(until));
        return format!(
            "Phase {}{attempt}, {share}: the deployment began at {}{}.",
            visit.phase,
            utc(visit.deployed_since),
            visit.until.map(ended).unwrap_or_default()
        );
    };
    let paused = visit.paused.filter(|paused| !paused.is_zero());
    let paused = paused.map(|paused| format!("paused for {}", lasting(paused)));
    let watched = if let Some(until) = visit.until {
        let lasted = joined([lasting(until.since(since))].into_iter().chain(paused), ", ");
        format!("watched from {} to {} ({lasted})", utc(since), utc(until))
    } else {
        let paused = paused.map_or_else(String::new, |paused| format!(" ({paused})"));
        format!("watched since {}{paused}", utc(since))
    };
    let readings = counted(visit.readings, "reading", "readings");
    let why = visit.passed_without.map_or_else(String::new, |why| format!(" ({why})"));
    format!("Phase {}{attempt}, {share}: {watched}, {readings}; {end}{why}.", visit.phase)
}

/// Faults that each phase could not have detected, from the power analysis.
pub(super) fn not_caught_earlier(
    rollout: &Rollout,
    power: &Power,
    visits: &[PhaseVisit],
) -> Vec<String> {
    let mut sentences = Vec::new();
    if let Some(missing) = &power.missing {
        sentences.push(format!("The power of the phases cannot be computed: {missing}."));
    }
    let Some(leading) = &power.leading else { return sentences };
    let metric = rollout.plan().policy().metric_title(leading.metric);
    for phase in &leading.phases {
        let watched = lasting(Span::from_millis(millis(phase.minutes * 60_000.0)));
        let head = format!("Phase {}, {} for {watched}", phase.phase, phase.share);
        let found = match phase.smallest_ratio {
            Some(ratio) => format!(
                "the test detects, in {} of 100 cases, a rise of {metric} to {} times its reference; it misses most smaller ones",
                figure(100.0 * power.power),
                text::figure(ratio, 2)
            ),
            None if rollout.was_compared_with_before(leading.metric) => {
                "no live version is left beside the fix, so it was compared with the readings from before the start, as far as they reach".to_owned()
            }
            None if phase.false_rollback.is_none() => {
                "no live version is left to compare with, so only bounds decide".to_owned()
            }
            None => format!("the test detects none of the examined changes of {metric}"),
        };
        let was =
            visits.iter().any(|visit| visit.phase == phase.phase && visit.watched_since.is_some());
        let reached = if was { "" } else { " The phase was not reached." };
        let healthy = (100.0 * phase.healthy_passes).round();
        sentences.push(format!(
            "{head}: {found}. A healthy fix has {} bad events on average; {} of 100 healthy fixes pass its bounds.{reached}",
            text::figure(phase.expected_events, 2),
            figure(healthy)
        ));
    }
    sentences
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a phase lasts days at most"
)]
fn millis(value: f64) -> u64 {
    value.clamp(0.0, 1e15) as u64
}
