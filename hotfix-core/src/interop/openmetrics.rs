//! The state of a rollout as `OpenMetrics` 1.0 text for scraping.
//!
//! Every sample has the labels `incident` and, where one is named, `service`: rollouts of a train have the
//! same incident. An unknown value has no sample: absent is not zero.
//! Source: `OpenMetrics` 1.0.0 (state sets, `_info`, `_total`, units as suffixes, escapes).

use std::fmt::Write as _;

use crate::deadline::Item;
use crate::grade::Severity;
use crate::judge::Decision;
use crate::plan::Incident;
use crate::rollout::{Rollout, Stage, State};
use crate::unit::{Span, Timestamp};

/// The media type of the text.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The rollout at a time as `OpenMetrics` text, which ends with `# EOF`.
///
/// The time is used for the seconds in a stage and for duties. A time before the last input is
/// replaced by that input's time.
///
/// ```
/// # use std::sync::Arc;
/// # use hotfix_core::{plan::Plan, policy::Policy, rollout::{Recording, Rollout}};
/// use hotfix_core::interop::openmetrics;
/// # let policy = Arc::new(Policy::preset("phased-canary")?);
/// # let plan = Plan::from_json(policy, r#"{"id": "INC-1"}"#, r#"{"version": "2", "previous": "1"}"#, "")?;
/// # let rollout = Rollout::try_new(plan, Recording::Keep, "")?;
/// let text = openmetrics::text(&rollout, "2026-03-03T14:40:00Z".parse()?);
/// assert!(text.contains("hotfix_traffic_share_ratio{incident=\"INC-1\"} 0\n"));
/// assert!(text.ends_with("# EOF\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn text(rollout: &Rollout, at: Timestamp) -> String {
    let at = rollout.now().map_or(at, |last| last.max(at));
    let subject = rollout.plan().subject();
    let mut page = Page { text: String::new(), of: &subject.incident, family: "" };
    let attempt = rollout.attempt().to_string();
    let severity = rollout.severity();

    page.family("hotfix_rollout", "info", "Policy and versions of the rollout");
    let policy = rollout.plan().policy().name().to_string();
    let mut labels = vec![("policy", policy.as_str())];
    if let Some(release) = &subject.release {
        labels.push(("previous", release.previous.as_str()));
        labels.push(("version", release.version.as_str()));
    }
    page.sample("_info", &labels, 1.0);

    page.family("hotfix_rollout_state", "stateset", "State of the rollout");
    let states = State::ALL.iter().map(|state| (state.as_str(), *state == rollout.state()));
    page.state_set(states);

    if let Some(severity) = severity {
        page.family("hotfix_severity", "stateset", "The severity in force");
        page.state_set(Severity::ALL.iter().map(|one| (one.as_str(), *one == severity)));
    }

    let here = rollout.phase();
    let phases = rollout.plan().policy().phases();
    page.family("hotfix_phase", "stateset", "The phase that is deployed, watched or decided on");
    page.state_set(phases.iter().map(|phase| (phase.name.as_str(), Some(phase.name) == here)));

    page.family("hotfix_attempts", "counter", "Number of attempts");
    page.line("_total", &[], &attempt);
    page.gauge(
        "hotfix_traffic_share_ratio",
        "Share of traffic that has the fix, or an earlier attempt at it",
    );
    page.sample("", &[], rollout.share().as_fraction());
    if let Some(since) = since(rollout.stage()) {
        page.gauge("hotfix_stage_seconds", "Time in the present stage");
        page.sample("", &[], at.since(since).as_seconds());
    }
    verdict(&mut page, rollout);
    harm(&mut page, rollout);
    duties(&mut page, rollout, at);
    page.text.push_str("# EOF\n");
    page.text
}

fn verdict(page: &mut Page<'_>, rollout: &Rollout) {
    let verdict = rollout.verdict();
    if verdict.metrics.is_empty() {
        return;
    }
    page.family("hotfix_verdict", "stateset", "Decision of the last verdict");
    page.state_set(Decision::ALL.iter().map(|one| (one.as_str(), *one == verdict.decision)));
    page.gauge("hotfix_log_evidence", "Log e-value that the fix is worse, all tests together");
    page.sample("", &[], verdict.log_e);
    page.gauge("hotfix_metric_log_evidence", "Log e-value that the fix is worse, by metric");
    for (metric, part) in &verdict.metrics {
        page.known(&[("metric", metric.as_str())], part.log_e);
    }
    page.gauge("hotfix_metric_rate_ratio", "Rate of the fix over rate of the live version");
    for (metric, part) in &verdict.metrics {
        page.known(&[("metric", metric.as_str())], part.ratio);
    }
    page.gauge("hotfix_metric_value", "Value in the window, in the metric's own unit");
    for (metric, read) in rollout.figures() {
        for (arm, value) in ["canary", "baseline"].into_iter().zip(read) {
            page.known(&[("arm", arm), ("metric", metric.as_str())], value);
        }
    }
}

fn harm(page: &mut Page<'_>, rollout: &Rollout) {
    let Some(harm) = rollout.harm_now() else { return };
    page.gauge("hotfix_affected_requests_per_minute", "Estimated failed requests per minute, or events of a metric that counts those, at the present traffic of each version, over the trailing window");
    for metric in &harm.metrics {
        for (version, hurt) in [("canary", metric.canary), ("live", metric.live)] {
            let labels = [("metric", metric.metric.as_str()), ("arm", version)];
            page.known(&labels, hurt.map(|hurt| hurt.now));
        }
    }
}

fn duties(page: &mut Page<'_>, rollout: &Rollout, at: Timestamp) {
    let duties = rollout.duties(at);
    page.gauge("hotfix_duties", "Duties by status");
    let lists = [
        ("due", &duties.due),
        ("overdue", &duties.overdue),
        ("next", &duties.next),
        ("later", &duties.later),
        ("undated", &duties.undated),
        ("done", &duties.done),
    ];
    for (list, items) in lists {
        page.sample("", &[("list", list)], items.len() as f64);
    }
    let seconds = |page: &mut Page<'_>, items: &[Item<'_>]| {
        for item in items {
            let left = item.left.map(Span::as_seconds);
            let late = item.late_by.map(|late| -late.as_seconds());
            page.known(&[("duty", item.id.as_str())], left.or(late));
        }
    };
    page.gauge("hotfix_duty_left_seconds", "Time until each duty is due; negative if it is late");
    seconds(page, &duties.overdue);
    seconds(page, &duties.due);
}

/// When a stage began, if that is known.
const fn since(stage: &Stage) -> Option<Timestamp> {
    match stage {
        Stage::Deploying(step) | Stage::Monitoring(step) | Stage::Gate { step, .. } => {
            Some(step.since)
        }
        Stage::FinalValidation { since }
        | Stage::Complete { since, .. }
        | Stage::Paused { since, .. }
        | Stage::Frozen { since, .. } => Some(*since),
        Stage::RollingBack(way) => Some(way.since),
        Stage::Preparing | Stage::Closed | Stage::RolledBack | Stage::Aborted | Stage::Failed => {
            None
        }
    }
}

struct Page<'a> {
    text: String,
    of: &'a Incident,
    family: &'static str,
}

impl Page<'_> {
    /// Begins a family. Its unit is the suffix of its name, if that is a unit.
    fn family(&mut self, name: &'static str, kind: &str, help: &str) {
        self.family = name;
        let _ = writeln!(self.text, "# TYPE {name} {kind}");
        if let Some(unit) = ["seconds", "ratio"].iter().find(|unit| name.ends_with(**unit)) {
            let _ = writeln!(self.text, "# UNIT {name} {unit}");
        }
        let _ = writeln!(self.text, "# HELP {name} {help}.");
    }

    fn gauge(&mut self, name: &'static str, help: &str) {
        self.family(name, "gauge", help);
    }

    fn state_set<'s>(&mut self, states: impl Iterator<Item = (&'s str, bool)>) {
        let family = self.family;
        for (state, on) in states {
            self.sample("", &[(family, state)], f64::from(u8::from(on)));
        }
    }

    /// A sample, where its value is known.
    fn known(&mut self, labels: &[(&str, &str)], value: Option<f64>) {
        if let Some(value) = value {
            self.sample("", labels, value);
        }
    }

    fn sample(&mut self, suffix: &str, labels: &[(&str, &str)], value: f64) {
        let value = match value {
            f64::INFINITY => "+Inf".to_owned(),
            f64::NEG_INFINITY => "-Inf".to_owned(),
            // Also `NaN`.
            value => value.to_string(),
        };
        self.line(suffix, labels, &value);
    }

    fn line(&mut self, suffix: &str, labels: &[(&str, &str)], value: &str) {
        let _ = write!(self.text, "{}{suffix}{{incident=\"{}\"", self.family, escaped(&self.of.id));
        let service = self.of.service.as_deref().map(|service| ("service", service));
        for (name, label) in service.iter().chain(labels) {
            let _ = write!(self.text, ",{name}=\"{}\"", escaped(label));
        }
        let _ = writeln!(self.text, "}} {value}");
    }
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
