//! The checks of each scene.

use std::path::Path;

use anyhow::Context as _;
use hotfix_core::rollout::audit;
use serde_json::Value;

use crate::platform::Batch;
use crate::record::{Action, RunRecord};
use crate::scenes::{Ending, Scene, Way};
use crate::scrape;
use crate::stage::CANARY;
use crate::switch::{Mover, Switch};

/// Maximum seconds of a rollback without a deployment.
const AT_ONCE: f64 = 1.5;

/// The veto window of the policy `lab-veto`, in seconds of the script.
const VETO: f64 = 5.0;

/// After how many seconds of the script without a reading a metric is stale: in the lab's policy,
/// and where the arms are scraped at intervals of their own.
pub(crate) const STALE: f64 = 2.0;
pub(crate) const STALE_APART: f64 = 5.0;

/// The state that the lab finds after the driver has ended.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// The fix's share at the switch.
    pub(crate) share: f64,
    /// The side that has all the traffic, if there are two sides.
    pub(crate) live_side: Option<&'static str>,
    /// Requests to which the splitter got no answer; `None` if HAProxy counts them.
    pub(crate) lost: Option<f64>,
    /// Deployments carried out.
    pub(crate) deployments: u32,
    /// Number of service processes that were started.
    pub(crate) launches: u32,
    /// Running instances of the old version and of the fix.
    pub(crate) running: [usize; 2],
    /// Batches of instances that were replaced.
    pub(crate) batches: Vec<Batch>,
    /// After how long a metric was stale, in seconds of the script.
    pub(crate) stale: f64,
    /// Number of observations with new readings.
    pub(crate) readings: Readings,
}

/// How many observations have new requests of each version, and of both.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Readings {
    baseline: usize,
    canary: usize,
    together: usize,
}

impl Readings {
    /// Counts the observations of a log.
    pub(crate) fn of(log: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(log)
            .with_context(|| format!("cannot read {}", log.display()))?;
        let (mut readings, mut last) = (Self::default(), [0.0; 2]);
        for line in text.lines() {
            let event: Value = serde_json::from_str(line).context("a line is no JSON")?;
            let requests = &event["metrics"]["error_rate"];
            let is_new = [("baseline", 0), ("canary", 1)].map(|(arm, place)| {
                let now = requests[arm][1].as_f64().unwrap_or(last[place]);
                std::mem::replace(&mut last[place], now) < now
            });
            readings.baseline += usize::from(is_new[0]);
            readings.canary += usize::from(is_new[1]);
            readings.together += usize::from(is_new == [true; 2]);
        }
        Ok(readings)
    }
}

/// Requests to which the lab's splitter got no answer.
pub(crate) async fn lost(switch: &Switch) -> Option<f64> {
    let Mover::Splitter(control) = switch.by else { return None };
    let samples = scrape::fetch(control).await.ok()?;
    Some(scrape::lost(&samples, switch).values().sum())
}

/// Records the checks of the scene.
pub(crate) fn judge(scene: &Scene, record: &mut RunRecord, found: &Found) {
    judge_ending(scene, record, found.share);
    (scene.shows)(record, found);
    if let Some(load) = &record.load {
        let (sent, planned) = (load.sent, load.planned);
        record.check(
            "the load kept its rate",
            sent == planned && planned > 0,
            format!("{sent} of {planned} sent, {:.0} per second", load.rate_sent),
        );
    }
    judge_actions(scene, record);
}

fn judge_ending(scene: &Scene, record: &mut RunRecord, share: f64) {
    let (backs, promoted) = (decided(record, "roll_back"), decided(record, "promote"));
    let shown = decided(record, "efficacy_shown");
    let outcome = record.outcome.clone();
    let split = format!("{:.0}% to the fix at the switch", share * 100.0);
    let at_once = scene.way == Way::BlueGreen;
    match scene.ending {
        Ending::Closed => {
            let completed = decided(record, "complete");
            record.check("the rollout completes", completed == 1, times(completed));
            record.check("it is watched until it is closed", outcome == "closed", outcome);
            record.check("nothing is rolled back", backs == 0, times(backs));
            record.check("all traffic goes to the fix", share == 1.0, split);
            // This can only be shown if both versions have traffic at the same time.
            if !at_once {
                record.check("the fix is shown to work", shown == 1, times(shown));
            }
        }
        Ending::RolledBack => {
            record.check("the rollout is rolled back", outcome == "rolled_back", outcome);
            record.check("by one decision", backs == 1, times(backs));
            record.check("all traffic goes to the old version", share == 0.0, split);
            if !at_once {
                record.check(
                    "it never received all traffic",
                    !record.phases.iter().any(|p| p.share >= 1.0),
                    format!("promoted {}", times(promoted)),
                );
            }
        }
        Ending::Failed => {
            record.check("the rollout fails at its start", outcome == "failed", outcome);
            record.check("all traffic stays with the old version", share == 0.0, split);
        }
    }
}

/// Checks that each action was carried out and confirmed once; if the rollout has to fail, checks
/// that the last one was reported as failed.
fn judge_actions(scene: &Scene, record: &mut RunRecord) {
    let once = |a: &Action| (a.confirmed_times, a.failed_times) == (1, 0);
    let failed = |a: &Action| (a.confirmed_times, a.failed_times) == (0, 1);
    let number = match record.actions.len() {
        1 => "1 action".to_owned(),
        n => format!("{n} actions"),
    };
    let Some((last, before)) = record.actions.split_last() else {
        record.check("each action is confirmed once", false, number);
        return;
    };
    if scene.ending == Ending::Failed {
        let right = before.iter().all(once) && failed(last);
        record.check("the deployment is reported as failed, once", right, number);
    } else {
        let right = before.iter().all(once) && once(last);
        record.check("each action is confirmed once", right, number);
    }
}

/// Checks that the log is intact and that an audit recomputes the same verdicts.
pub(crate) fn judge_log(record: &mut RunRecord, path: &Path) -> anyhow::Result<()> {
    let log = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let head = record.facts.get("head").and_then(|head| head.parse().ok());
    let audit = audit(&log, head);
    let seen = audit.findings.first().map_or_else(
        || format!("{} lines", audit.lines),
        |finding| format!("line {}: {}", finding.line, finding.message),
    );
    record.check("the audit of its log finds nothing", head.is_some() && audit.is_clean(), seen);
    Ok(())
}

/// Checks that both versions had the fault.
pub(crate) fn both_failed(record: &mut RunRecord, _: &Found) {
    let most = |arm: &[(f64, f64)]| arm.iter().map(|p| p.1).fold(0.0, f64::max);
    let errors = record.series.get("error_rate").cloned().unwrap_or_default();
    let (canary, baseline) = (most(&errors.canary), most(&errors.baseline));
    record.check(
        "both versions had failures",
        canary > 0.01 && baseline > 0.01,
        format!("errors up to {:.1}% and {:.1}%", canary * 100.0, baseline * 100.0),
    );
}

/// Checks that the driver was killed during an action and resumed it.
pub(crate) fn resumed(record: &mut RunRecord, found: &Found) {
    let resumed = decided(record, "driver resumed");
    record.check("the driver was killed and resumed", resumed == 1, times(resumed));
    let again = record.actions.iter().filter(|a| a.begun_times > 1).count();
    let seen = format!("{again} begun twice");
    record.check("it resumed the open action", again == 1, seen);
    let (deployed, asked) = (found.deployments, actions(record, "deploy ").count());
    record.check(
        "nothing was deployed twice",
        usize::try_from(deployed) == Ok(asked),
        format!("{deployed} deployments for {asked} actions"),
    );
}

/// Checks that the idle side was checked, then received all traffic, and that the other side is
/// still running.
pub(crate) fn green_is_live(record: &mut RunRecord, found: &Found) {
    checked_before_traffic(record);
    let switches = actions(record, "switch all traffic").count();
    record.check("one switch moved all traffic", switches == 1, times(switches));
    live_side(record, found, "green");
    stands_by(record, found);
    let bug = record.series.get("bug").cloned().unwrap_or_default();
    let met: Vec<f64> = bug.canary.iter().map(|p| p.1).collect();
    let most = met.iter().copied().fold(0.0, f64::max);
    let seen = format!("at most {most:.0} per minute in {} readings", met.len());
    record.check("the null pointers are gone", most == 0.0 && met.len() > 10, seen);
}

/// Checks that the fix passed on the idle side, failed under real traffic, and was rolled back by
/// the switch.
pub(crate) fn switched_back(record: &mut RunRecord, found: &Found) {
    checked_before_traffic(record);
    live_side(record, found, "blue");
    back_at_once(record, "blue_green_switch");
    let (deployed, started) = (found.deployments, found.launches);
    record.check(
        "the rollback needed no deployment",
        (deployed, started) == (1, 2),
        format!("{deployed} deployment, {started} processes in all"),
    );
    stands_by(record, found);
}

/// Checks that the fix got no traffic, because the idle side did not pass.
pub(crate) fn nobody_met_it(record: &mut RunRecord, found: &Found) {
    let moved = actions(record, "switch all traffic").count();
    record.check("no traffic was moved", moved == 0, times(moved));
    live_side(record, found, "blue");
    let why = record.events.iter().find(|e| e.what.starts_with("deploy ")).map(|e| e.why.clone());
    let why = why.unwrap_or_default();
    record.check("the idle side did not pass", why.contains("the idle side, did not pass"), why);
}

/// Checks that instances were replaced batch by batch without losing a request.
pub(crate) fn batch_by_batch(record: &mut RunRecord, found: &Found) {
    let sizes: Vec<String> = found.batches.iter().map(|b| b.numbers.len().to_string()).collect();
    let batches = sizes.len();
    let fix = found.batches.iter().all(|b| b.version == CANARY);
    let right = fix && batches == 3 && sizes.iter().all(|size| size == "2");
    record.check("three batches of two instances", right, format!("sizes {}", sizes.join(", ")));
    let asked = actions(record, "give ").count();
    record.check("one action for each batch", asked == batches, format!("{asked} actions"));
    let [old, new] = found.running;
    let seen = format!("{new} with the fix, {old} with the old version");
    record.check("all six instances run the fix", (old, new) == (0, 6), seen);
    record.check(
        "no request was lost while they were replaced",
        found.lost == Some(0.0),
        format!("{:.0} lost", found.lost.unwrap_or(f64::NAN)),
    );
}

/// Checks that only a flag was changed.
pub(crate) fn flag_alone(record: &mut RunRecord, found: &Found) {
    let (deployed, started) = (found.deployments, found.launches);
    record.check(
        "one process from the start to the end, nothing deployed",
        (deployed, started) == (0, 1) && found.running[1] == 1,
        format!("{deployed} deployments, {started} process"),
    );
    let shares: Vec<String> =
        actions(record, "switch the flag on").map(|a| a.what.clone()).collect();
    let right = shares
        .iter()
        .map(String::as_str)
        .eq(["switch the flag on for 10%", "switch the flag on for 50%"]);
    record.check("the flag went to 10 and 50%", right, shares.join(", "));
    back_at_once(record, "feature_flag");
}

/// Checks that a person held the first gate and promoted it later, and that the second gate was
/// promoted automatically.
pub(crate) fn vetoed(record: &mut RunRecord, _: &Found) {
    let at = |what: &str| -> Vec<f64> {
        record.events.iter().filter(|e| e.what == what).map(|e| e.at).collect()
    };
    let (gates, promoted, held) = (at("gate"), at("promote"), at("held"));
    let (hold, go) = (at("a person sends hold"), at("a person sends promote"));
    let ([first, second], [passed, by_itself], [held], [hold], [go]) =
        (&gates[..], &promoted[..], &held[..], &hold[..], &go[..])
    else {
        let (gates, promoted, held) = (gates.len(), promoted.len(), held.len());
        let seen = format!("{gates} gates, {promoted} promotions, {held} held");
        record.check("two gates, one of them held", false, seen);
        return;
    };
    let veto = record.pace.seconds(VETO);
    let (first, second, passed, by_itself) = (*first, *second, *passed, *by_itself);
    let (held, hold, go) = (*held, *hold, *go);
    let after = |at: f64, from: f64| format!("after {:.1} s", at - from);
    record.check("a person objects in the window", held < first + veto, after(held, first));
    record.check(
        "the objection holds the promotion",
        (0.0..2.0).contains(&(held - hold)),
        after(held, hold),
    );
    record.check(
        "it is not promoted when the window ends",
        go > first + veto && passed >= go,
        format!("promoted {:.1} s after the gate", passed - first),
    );
    let soon = (0.0..2.0).contains(&(passed - go));
    record.check("it is promoted when a person sends `promote`", soon, after(passed, go));
    let waited = by_itself - second;
    record.check(
        "the second gate is promoted automatically at the end of the window",
        (veto - 0.1..veto + 2.0).contains(&waited) && second > go,
        after(by_itself, second),
    );
}

/// Checks that without data it waited, asked, and continued automatically.
pub(crate) fn waited_for_metrics(record: &mut RunRecord, found: &Found) {
    let at = |what: &str| record.events.iter().find(|e| e.what == what).map(|e| e.at);
    let span = (at("the fault begins"), at("the fault ends"));
    let (Some(begins), Some(ends)) = span else {
        record.check("the metrics were missing", false, "the time is not known");
        return;
    };
    let during = |at: f64| (begins..ends).contains(&at);
    let seen = |at: Option<f64>, from: f64| {
        at.map_or_else(|| "never".to_owned(), |at| format!("after {:.1} s", at - from))
    };
    let (lost, back) = (at("metrics_lost"), at("metrics_back"));
    let spoken = at("a person sends promote").is_some();
    let watched = record.phases.iter().find(|p| p.name == "canary" && p.state == "monitoring");
    let watched = watched.map(|p| (p.from, p.to - p.from));
    record.check(
        "they were missing in the middle of a phase",
        watched.is_some_and(|(from, lasts)| from < begins && ends < from + lasts),
        format!("from {begins:.1} s to {ends:.1} s"),
    );
    record.check("it notices", lost.is_some_and(during), seen(lost, begins));
    let mut questions = record.messages.iter().filter(|m| m.audience == "whoever decides");
    let asked = questions.find(|m| during(m.at)).map(|m| m.at);
    record.check("it asks, as the policy requires", asked.is_some(), seen(asked, begins));
    let early = record.events.iter().filter(|e| e.what == "promote" && e.at < ends).count();
    // One or two scrapes, and delays of the machine.
    let soon = ends + record.pace.seconds(2.0) + 1.0;
    record.check("it does not promote during this time", early == 0, times(early));
    record.check(
        "it continues automatically when they are back",
        back.is_some_and(|at| (ends - 0.5..soon).contains(&at)) && !spoken,
        seen(back, ends),
    );
    // The script has 10 s of watching; of the 9 s without data only the first ones, which are not
    // stale, count.
    let least = record.pace.seconds(10.0 + 9.0 - found.stale - 1.0);
    record.check(
        "time without data does not count as watching",
        watched.is_some_and(|(_, lasts)| lasts >= least),
        watched.map_or_else(String::new, |(_, lasts)| {
            format!("{lasts:.1} s for {:.1} s", record.pace.seconds(10.0))
        }),
    );
}

/// Checks that the versions were read at different times, and that nobody was asked whether traffic
/// is split as planned.
pub(crate) fn read_apart(record: &mut RunRecord, found: &Found) {
    let Readings { baseline, canary, together } = found.readings;
    record.check(
        "the versions were read at different times",
        // A late tick may read both.
        baseline.min(canary) >= 5 && 10 * together <= canary,
        format!("{baseline} and {canary} readings, {together} at the same time"),
    );
    nobody_was_asked(record);
}

/// Checks that the fix began slower and with failures, and that nobody was asked about it.
pub(crate) fn started_cold(record: &mut RunRecord, _: &Found) {
    let first = |id: &str| {
        let series = record.series.get(id)?;
        let (at, _) = *series.canary.first()?;
        let within = |arm: &[(f64, f64)]| {
            let most = at + record.pace.seconds(3.0);
            arm.iter().filter(|p| (at..most).contains(&p.0)).map(|p| p.1).fold(0.0, f64::max)
        };
        Some((within(&series.canary), within(&series.baseline)))
    };
    let (errors, p95) = (first("error_rate"), first("latency_p95"));
    let right = errors.is_some_and(|(canary, _)| canary > 0.05)
        && p95.is_some_and(|(canary, live)| canary > 1.2 * live);
    let (errors, p95) = (errors.unwrap_or_default(), p95.unwrap_or_default());
    let seen = format!(
        "up to {:.0}% errors, p95 up to {:.0} ms beside {:.0} ms",
        100.0 * errors.0,
        1e3 * p95.0,
        1e3 * p95.1
    );
    record.check("the fix started cold", right, seen);
    nobody_was_asked(record);
}

/// Checks that the versions were not equally fast, and that nobody was asked about it.
pub(crate) fn wandered(record: &mut RunRecord, _: &Found) {
    let series = record.series.get("latency_p95").cloned().unwrap_or_default();
    let live = |at: f64| series.baseline.iter().find(|p| p.0 == at).map(|p| p.1);
    let ratios = series.canary.iter().filter_map(|(at, p95)| Some((p95 / live(*at)?).ln().abs()));
    let most = ratios.fold(0.0, f64::max).exp();
    let seen = format!("p95 up to {most:.2} times as long");
    record.check("the versions were not equally fast", most > 1.1, seen);
    nobody_was_asked(record);
}

fn nobody_was_asked(record: &mut RunRecord) {
    let asked = record.messages.iter().filter(|m| m.audience == "whoever decides").count();
    record.check("nobody was asked", asked == 0, times(asked));
}

/// Checks that the idle side passed its check before it got traffic.
fn checked_before_traffic(record: &mut RunRecord) {
    let passed = record.events.iter().find(|e| e.what == "green, the idle side, passed");
    let passed = passed.map(|e| (e.at, e.why.clone()));
    let deployed = actions(record, "deploy ").next().and_then(|a| a.ended);
    let switched = actions(record, "switch all traffic").next().map(|a| a.begun);
    let right = match (&passed, deployed, switched) {
        (Some((at, _)), Some(deployed), Some(switched)) => *at <= deployed && deployed <= switched,
        _ => false,
    };
    let seen = passed.map_or_else(|| "it did not pass".to_owned(), |(_, why)| why);
    record.check("the idle side passed its check before it got traffic", right, seen);
}

fn live_side(record: &mut RunRecord, found: &Found, side: &str) {
    let seen = found.live_side.unwrap_or("neither").to_owned();
    record.check(&format!("the live side is {side}"), seen == side, seen);
}

/// Checks that both sides run, so that either can receive the traffic at any time.
fn stands_by(record: &mut RunRecord, found: &Found) {
    let [old, new] = found.running;
    let seen = format!("{old} process of the old version, {new} of the fix");
    record.check("the other side is still running", (old, new) == (1, 1), seen);
}

/// Checks that `method` rolled back within [`AT_ONCE`] of the decision.
fn back_at_once(record: &mut RunRecord, method: &str) {
    let decided = record.events.iter().find(|e| e.what == "roll_back").map(|e| e.at);
    let back = actions(record, "roll back to ").last();
    let by = back.is_some_and(|a| a.what.ends_with(&format!(" by {method}")));
    let took = decided.and_then(|at| Some(back?.ended? - at));
    let seen = took.map_or_else(|| "not at all".to_owned(), |took| format!("{took:.2} s"));
    let method = method.replace('_', " ");
    record.check(
        &format!("rolled back by {method} at once"),
        by && took.is_some_and(|took| took <= AT_ONCE),
        seen,
    );
}

fn actions<'a>(record: &'a RunRecord, what: &'a str) -> impl Iterator<Item = &'a Action> {
    record.actions.iter().filter(move |a| a.what.starts_with(what))
}

fn decided(record: &RunRecord, what: &str) -> usize {
    record.events.iter().filter(|e| e.what == what).count()
}

fn times(n: usize) -> String {
    match n {
        1 => "once".into(),
        n => format!("{n} times"),
    }
}
