//! What happened, in sentences drawn from the log: summary, impact, detection, resolution, and why it was not caught earlier.

use crate::fact::{Fact, FactId};
use crate::grade::Moment;
use crate::judge::{Harm, Range, Version};
use crate::plan::{Plan, Sight};
use crate::rollout::{Rollout, State};
use crate::text;
use crate::unit::Span;

use super::measures::{Course, Figure, MeasureName, Measures};
use super::model::{Impact, PhaseEnd, PhaseVisit};
use super::story::Story;
use super::words::{self, figure, lasting, percent, utc};

/// What it was, how it ended, and how long it took.
pub(super) fn summary(rollout: &Rollout, story: &Story, measures: &Measures) -> Vec<String> {
    let plan = rollout.plan();
    let incident = &plan.subject().incident;
    let mut sentences = Vec::new();
    let severity = rollout.severity().map(|severity| {
        let label = plan.policy().severity(severity).map(|level| level.label.as_str());
        label.map_or_else(|| severity.to_string(), |label| format!("{severity}, {label}"))
    });
    let mut what = incident.id.clone();
    if let Some(service) = &incident.service {
        what = format!("{what} in {service}");
    }
    if let Some(severity) = severity {
        what = format!("{what} ({severity})");
    }
    if let Some(title) = &incident.title {
        what = format!("{what}: {title}");
    }
    sentences.push(format!("{what}."));
    sentences.push(outcome(rollout, story));
    sentences.extend(duration(measures));
    sentences
}

/// Where it stands.
fn outcome(rollout: &Rollout, story: &Story) -> String {
    let release = &rollout.plan().subject().release;
    let (new, old) = (&release.version, &release.previous);
    let back = story.back.last().filter(|back| back.attempt == rollout.attempt());
    let because = back.map_or_else(String::new, |back| format!(" ({})", back.why));
    let share = percent(rollout.share());
    match rollout.state() {
        State::Drafted | State::AwaitingApproval | State::Ready if rollout.attempt() > 1 => {
            format!("Another attempt, with {new}, is prepared and has not started.")
        }
        State::Drafted | State::AwaitingApproval | State::Ready => {
            format!("{new} has not been started.")
        }
        State::Deploying
        | State::Monitoring
        | State::Gate
        | State::FinalValidation
        | State::Paused => {
            format!(
                "{new} is under way, with {share} of the traffic as of the last line of the log."
            )
        }
        State::Complete => format!("{new} has the traffic, and is still watched."),
        State::Closed => format!("{new} has the traffic, and the rollout is closed."),
        State::RollingBack => format!("{new} is being taken back to {old}{because}."),
        State::RolledBack => format!(
            "{new} was taken back{because}: {old} runs again, with the fault that {new} was to mend."
        ),
        State::Frozen => {
            format!("{new} has {share} of the traffic and stays there until a person acts.")
        }
        State::Aborted => format!("{new} was aborted{because}; it has {share} of the traffic."),
        State::Failed => format!("{new} could not be deployed; no traffic moved."),
    }
}

/// How long it lasted, as it is measured.
fn duration(measures: &Measures) -> Option<String> {
    let measure = measures.get(MeasureName::IncidentDuration);
    let from = measure.from?;
    let verb = match from.moment {
        "began" => "It began",
        "detected" => "It was noticed",
        _ => "It was declared",
    };
    let begun = format!("{verb} at {}", utc(from.at));
    Some(match (measure.figure, measure.to) {
        (Some(Figure::Seconds(span)), Some(resolved)) => {
            format!("{begun} and was resolved at {}: {}.", utc(resolved.at), lasting(span))
        }
        (Some(Figure::Seconds(span)), None) => format!(
            "{begun} and is not resolved as of {}: at least {} so far.",
            utc(measures.at),
            lasting(span)
        ),
        _ => format!(
            "{begun}; how long it lasted is not known: {}.",
            measure.sentence.replace('`', "")
        ),
    })
}

/// Who was hit.
pub(super) fn impact(rollout: &Rollout, story: &Story, course: &Course) -> Impact {
    let plan = rollout.plan();
    let mut sentences = Vec::new();
    let affected = rollout.facts().get(FactId::BuiltIn(Fact::UsersAffected));
    sentences.extend(
        affected.map(|share| format!("{} of the users were affected.", words::fact(share))),
    );
    for (version, hurt) in course.hurt.by_version() {
        let metric = words::metric(plan.policy(), hurt.metric);
        sentences.push(match figure(hurt.at_least.round()).as_str() {
            "0" => format!("Of what was read of {version} nothing was bad."),
            "1" => format!("{version} hurt at least 1 request, by what was read of {metric}."),
            count => {
                format!("{version} hurt at least {count} requests, by what was read of {metric}.")
            }
        });
    }
    if let Some(harm) = story.verdicts.iter().filter_map(|verdict| verdict.harm.as_ref()).last() {
        sentences.extend(harm_in_words(harm));
    }
    let facts = rollout.facts().iter();
    Impact {
        sentences,
        facts: facts.map(|(id, value)| (id.to_string(), words::fact(value))).collect(),
        hurt: course.hurt.by_metric(plan),
    }
}

fn between(least: f64, most: f64) -> String {
    let (least, most) = (figure(least), figure(most));
    if least == most { least } else { format!("{least} to {most}") }
}

/// What each version would hurt with all of the traffic.
pub(super) fn harm_in_words(harm: &Harm) -> Option<String> {
    let range = |range: Range| between(range.low.round(), range.high.round());
    let (new, live) = (harm.canary?, harm.live?);
    let lesser = match harm.lesser {
        Some(Version::Canary) => ": surely fewer with the new version",
        Some(Version::Live) => ": surely fewer with the live version",
        None => ", so which of them hurts fewer was open",
    };
    Some(format!(
        "At the last decision ({}), with all of the traffic, the new version would have hurt {} requests a minute and the live one {}{lesser}.",
        utc(harm.at),
        range(new),
        range(live)
    ))
}

/// How it was noticed, and how a bad release was.
pub(super) fn detection(story: &Story, measures: &Measures) -> Vec<String> {
    let mut sentences = Vec::new();
    let measure = measures.get(MeasureName::TimeToDetect);
    if let Some(detected) = measure.to {
        let after = match measure.figure {
            Some(Figure::Seconds(span)) => format!(", {} after it began", lasting(span)),
            _ => String::new(),
        };
        sentences.push(format!("The fault was noticed at {}{after}.", utc(detected.at)));
    }
    for back in &story.back {
        let by =
            if back.by_verdict { "a verdict" } else { "a person, a report or a failed action" };
        let after = back.watched_since.map_or_else(String::new, |since| {
            format!(", {} after the phase began to be watched", lasting(back.asked.since(since)))
        });
        let report = story.signals.iter().find(|(at, _)| *at < back.asked);
        let first = if back.by_verdict && report.is_none() {
            ", before anybody reported trouble"
        } else {
            ""
        };
        sentences.push(format!(
            "At {} {by} asked to go back{after}{first}: {}.",
            utc(back.asked),
            back.why
        ));
    }
    sentences
}

/// How it was deployed, how it ended, and what verified it.
pub(super) fn resolution(rollout: &Rollout, story: &Story, visits: &[PhaseVisit]) -> Vec<String> {
    let plan = rollout.plan();
    let release = &plan.subject().release;
    let mut sentences = Vec::new();
    if let Some(description) = &release.description {
        sentences.push(format!("The fix, as its author describes it: {description}."));
    }
    if release.stop_gap == Some(true) {
        sentences.push(
            "It is a stop-gap: it stops the harm, and the lasting fix is another change."
                .to_owned(),
        );
    }
    let strategy = text::words(plan.policy().strategy().as_str());
    if !visits.is_empty() {
        sentences.push(format!("{} went out by the strategy {strategy}.", release.version));
    }
    sentences.extend(visits.iter().map(phase));
    for back in &story.back {
        let ways: Vec<String> = back.tried.iter().map(|way| text::words(way.as_str())).collect();
        let mut sentence =
            format!("The way back began at {}, by {}", utc(back.asked), ways.join(", then "));
        if let Some(confirmed) = back.confirmed {
            sentence = format!(
                "{sentence}; {} had its traffic again at {}",
                release.previous,
                utc(confirmed)
            );
        }
        if let Some(returned) = back.returned {
            let after = lasting(returned.since(back.asked));
            sentence = format!(
                "{sentence}; it was over at {}, {after} after it was asked for",
                utc(returned)
            );
        }
        sentences.push(format!("{sentence}."));
    }
    if let Some(since) = story.works_since {
        sentences.push(format!(
            "The fix was shown to work at {}: the bug's own metric was cut as claimed.",
            utc(since)
        ));
    }
    if let Some(verified) = rollout.moment(Moment::Verified) {
        sentences.push(format!("It was verified at {}.", utc(verified)));
    }
    if let Some(resolved) = rollout.moment(Moment::Resolved) {
        sentences.push(format!("The incident was resolved at {}.", utc(resolved)));
    }
    sentences
}

fn phase(visit: &PhaseVisit) -> String {
    let share = percent(visit.share);
    let attempt =
        if visit.attempt > 1 { format!(" (attempt {})", visit.attempt) } else { String::new() };
    let Some(since) = visit.watched_since else {
        return format!(
            "Phase {}{attempt}, {share}: deployed from {} on, never watched.",
            visit.phase,
            utc(visit.deployed_since)
        );
    };
    let end = match visit.end {
        PhaseEnd::Passed => "passed",
        PhaseEnd::RolledBack => "taken back",
        PhaseEnd::Stopped => "stopped",
        PhaseEnd::BegunAnew => "begun anew",
        PhaseEnd::UnderWay => "still under way",
    };
    let watched = match visit.until {
        Some(until) => format!(
            "watched from {} to {} ({})",
            utc(since),
            utc(until),
            lasting(until.since(since))
        ),
        None => format!("watched since {}", utc(since)),
    };
    let readings = if visit.readings == 1 { "reading" } else { "readings" };
    format!(
        "Phase {}{attempt}, {share}: {watched}, {} {readings}; {end}.",
        visit.phase, visit.readings
    )
}

/// What each phase could not have seen (PLAN-6).
pub(super) fn not_caught_earlier(plan: &Plan, sight: &Sight, visits: &[PhaseVisit]) -> Vec<String> {
    let mut sentences = Vec::new();
    if let Some(missing) = &sight.missing {
        sentences.push(format!("What the phases could see cannot be told: {missing}."));
    }
    let Some(leading) = &sight.leading else { return sentences };
    let metric = plan.policy().metric(leading.metric.as_str());
    let metric = metric.map_or_else(|| leading.metric.to_string(), |metric| metric.title.clone());
    for phase in &leading.phases {
        let watched = lasting(Span::from_millis(millis(phase.minutes * 60_000.0)));
        let head = format!("Phase {}, {} for {watched}", phase.phase, percent(phase.share));
        let blind = match phase.smallest_ratio {
            Some(ratio) => format!(
                "by evidence it finds, in {} of 100 cases, a fault of {} times the record of {metric}; a smaller one mostly passes unseen",
                figure(100.0 * sight.power),
                text::figure(ratio, 3)
            ),
            None if phase.false_rollback.is_none() => {
                "there is no live version to compare with, so bounds alone decide".to_owned()
            }
            None => format!("by evidence it finds no fault of {metric} that was asked about"),
        };
        let was =
            visits.iter().any(|visit| visit.phase == phase.phase && visit.watched_since.is_some());
        let reached = if was { "" } else { " (it was not reached)" };
        sentences.push(format!(
            "{head}: {blind}. Of a healthy fix it expects {} bad events, and lets {} of 100 pass its bounds{reached}.",
            figure(phase.expected_events),
            figure((100.0 * phase.healthy_passes).round())
        ));
    }
    sentences
}

/// Minutes of a checked policy as milliseconds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a phase lasts days at most"
)]
fn millis(value: f64) -> u64 {
    value.clamp(0.0, 1e15) as u64
}
