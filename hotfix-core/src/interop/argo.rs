//! Argo Rollouts: a `Rollout` with its templates, or templates alone.

use super::analysis::{Analysis, TEMPLATES};
use super::draft::{Draft, percent, seconds};
use super::fault::Fault;
use super::finding::ImportFinding;
use super::reader::At;
use super::source::{Source, main_of, unknown};
use super::{Kind, SECONDS, no_counterpart, nothing, platform, progress_deadline};
use crate::grade::Strategy;
use crate::text::brief;

pub(super) fn import(sources: &[Source<'_>]) -> Option<Draft> {
    let mut analysis = Analysis::new(sources);
    let Some(source) = main_of(sources, "Rollout") else {
        let templates = || sources.iter().filter(|source| TEMPLATES.contains(&source.kind));
        let Some(first) = templates().next() else {
            return unknown(sources, Kind::ArgoRollouts);
        };
        let mut draft = Draft::new(first.name, format!("AnalysisTemplate {}", brief(first.name)));
        for source in templates() {
            analysis.alone(source, &mut draft);
        }
        analysis.conclude(&mut draft);
        draft.complete(&first.at);
        return Some(draft);
    };
    let mut draft = Draft::new(source.name, format!("Rollout {}", brief(source.name)));
    let spec = source.at.need("spec", "`spec:` with `strategy`")?;
    rest(&spec, &mut draft);
    let strategy = spec.need("strategy", "`strategy:` with `canary`")?;
    if let Some(canary) = strategy.get("canary") {
        if let Some(other) = strategy.get("blueGreen") {
            other.ignore();
            other.fail::<()>(Fault::Several { what: "strategy" });
        }
        self::canary(&canary, &mut analysis, &mut draft);
        draft.complete(&canary);
    } else {
        let blue_green = strategy.need("blueGreen", "`canary:` with `steps`, or `blueGreen:`")?;
        self::blue_green(&blue_green, &mut analysis, &mut draft);
        draft.complete(&blue_green);
    }
    Some(draft)
}

/// Reads the settings of a rollout besides its strategy.
fn rest(spec: &At<'_>, draft: &mut Draft) {
    // The pods, and the number of old ones that are kept.
    nothing(
        spec,
        &[
            "replicas",
            "revisionHistoryLimit",
            "selector",
            "template",
            "workloadRef",
            "restartAt",
            "analysis",
        ],
    );
    platform(spec, &[("minReadySeconds", "the time until a pod counts as available")]);
    draft.deploying = Some(progress_deadline(spec));
    // At a pause a person promotes when they like.
    draft.early = true;
    if let Some((true, at)) = spec.read("progressDeadlineAbort", At::flag) {
        at.differs(
            "a rollout without progress by its deadline is aborted",
            "the deadline is the longest deployment time, and a person reports the failure",
        );
    }
    if let Some((true, _)) = spec.read("paused", At::flag) {
        draft.before.push("the rollout is no longer paused by hand".to_owned());
    }
    let revisions = |at: &At<'_>| at.whole_within(0.0, 1e6, "a whole number of revisions");
    if let Some(window) = spec.get("rollbackWindow")
        && let Some((number, revisions)) = window.read("revisions", revisions)
    {
        if number == 1.0 {
            draft.revert = "previous";
        } else {
            revisions.differs(
                format!("a rollback to the last {number} revisions skips the analysis"),
                "a person may revert to any version",
            );
        }
    }
}

/// Reads the settings of pods and routes, which belong to the platform.
fn routes(at: &At<'_>) {
    platform(
        at,
        &[
            ("maxSurge", "the number of pods above the wanted number"),
            ("maxUnavailable", "the number of pods that may be unavailable"),
            ("dynamicStableScale", "the scaling of the old version"),
            (
                "abortScaleDownDelaySeconds",
                "the time until the pods of an aborted version are removed",
            ),
            ("scaleDownDelaySeconds", "the time until the pods of the old version are removed"),
            ("scaleDownDelayRevisionLimit", "the number of old versions that keep their pods"),
            ("minPodsPerReplicaSet", "the least number of pods of a version"),
            ("replicaProgressThreshold", "the number of pods that counts as progress"),
        ],
    );
    nothing(
        at,
        &[
            "canaryService",
            "stableService",
            "canaryMetadata",
            "stableMetadata",
            "antiAffinity",
            "pingPong",
        ],
    );
}

fn whole_weight(at: &At<'_>) -> f64 {
    let routing = at.get("trafficRouting");
    let most = routing.as_ref().and_then(|routing| routing.get("maxTrafficWeight"));
    let most = most.and_then(|at| at.whole_within(1.0, 1e9, "a whole number above 0"));
    match routing {
        Some(routing) => routing.lost(ImportFinding::Platform { what: "the routing of traffic" }),
        None => at.differs(
            "without `trafficRouting`, weights are only as exact as the number of pods allows",
            "shares are exact, and the traffic of the arms is checked against them",
        ),
    }
    most.unwrap_or(100.0)
}

/// A share that has been set and is not yet a phase.
struct Open<'d> {
    share: f64,
    at: At<'d>,
    watch: f64,
    manual: bool,
}

fn canary<'d>(at: &At<'d>, analysis: &mut Analysis<'_, 'd>, draft: &mut Draft) {
    routes(at);
    let whole = whole_weight(at);
    if let Some(background) = at.get("analysis") {
        analysis.of(&background, draft);
        if let Some(step) = background.get("startingStep")
            && step.whole_within(0.0, 1e6, "the index of a step").is_some_and(|index| index > 0.0)
        {
            step.differs(
                "the analysis begins at a later step",
                "its metrics are judged from the first phase",
            );
        }
    }
    let mut phases: Vec<Open<'d>> = Vec::new();
    let mut current: Option<Open<'d>> = None;
    for step in at.list("steps") {
        self::step(&step, whole, &mut current, &mut phases, analysis, draft);
    }
    phases.extend(current);
    // A share without traffic is no phase.
    phases.retain(|open| open.share > 0.0);
    for open in &phases {
        draft.phase(open.share, open.watch, open.manual, "");
    }
    if draft.phases.is_empty() {
        let value = "one phase with all traffic".to_owned();
        at.remark(ImportFinding::Completed { what: "the steps of the rollout", value });
        draft.phase(1.0, draft.cadence, false, "it reaches all users");
    }
    analysis.conclude(draft);
    // The cadence is known only now.
    for (phase, open) in draft.phases.iter_mut().zip(&phases) {
        if phase.watch < draft.cadence && !open.manual {
            let there = if open.watch > 0.0 {
                "the pause after this weight is shorter than an evaluation"
            } else {
                "no pause follows this weight"
            };
            let watch = seconds(draft.cadence);
            open.at.remark(ImportFinding::NotWatched { there, watch });
        }
        phase.watch = phase.watch.max(draft.cadence);
    }
    draft.last_phase(at, "Argo Rollouts");
    // A phase that a person ends may be shorter than the warm-up.
    for phase in &mut draft.phases {
        phase.watch = phase.watch.max(draft.warm_up + draft.cadence);
    }
}

fn step<'d>(
    step: &At<'d>,
    whole: f64,
    current: &mut Option<Open<'d>>,
    phases: &mut Vec<Open<'d>>,
    analysis: &mut Analysis<'_, 'd>,
    draft: &mut Draft,
) {
    let Some(keys) = step.keys() else { return };
    // As in Argo's own check: a scale, a route or a plugin may be beside one of these.
    let main = ["setWeight", "pause", "experiment", "analysis"];
    let main: Vec<&str> = keys.iter().copied().filter(|key| main.contains(key)).collect();
    if main.len() > 1 || keys.is_empty() {
        let what = match &main[..] {
            [] => "an empty step".to_owned(),
            main => format!("a step with `{}`", main.join("` and `")),
        };
        step.fail::<()>(Fault::Form { what, instead: "write one step for each" });
        step.ignore();
        return;
    }
    no_counterpart(
        step,
        &[
            ("experiment", "an experiment"),
            ("setCanaryScale", "a separate scale of the canary"),
            ("setHeaderRoute", "a route by headers"),
            ("setMirrorRoute", "mirrored traffic"),
            ("plugin", "a step of a plugin"),
        ],
    );
    let range = "a whole number from 0 to 100, or to `maxTrafficWeight`";
    if let Some((weight, at)) = step.read("setWeight", |at| at.whole_within(0.0, whole, range)) {
        let before = current.take();
        let share = weight / whole;
        if let Some(before) = before.as_ref().filter(|before| share < before.share) {
            let (before, after) = (percent(before.share), percent(share));
            at.remark(ImportFinding::ShareFalls { before, after });
        }
        if weight == 0.0 {
            at.remark(ImportFinding::NoTraffic {});
        }
        phases.extend(before);
        *current = Some(Open { share, at, watch: 0.0, manual: false });
    }
    // A pause without a duration is an empty table.
    let pause = step.get("pause");
    let endless = pause.is_none() && keys.contains(&"pause");
    if pause.is_some() || endless {
        let duration = pause.as_ref().and_then(|pause| pause.get("duration"));
        let until_promoted = duration.is_none();
        let length = duration.and_then(|at| at.delay_in(at.scalar("a duration")?.0));
        let (waits, length) = (until_promoted || length.is_some(), length.unwrap_or(0.0));
        let at = pause.unwrap_or_else(|| step.clone());
        if let Some(open) = current.as_mut().filter(|open| open.share > 0.0) {
            if open.manual && length > 0.0 {
                at.differs(
                    format!("a pause of {} follows after a person has continued", seconds(length)),
                    "the phase is watched for longer, and the person is asked at its end",
                );
            }
            open.watch += length;
            open.manual |= until_promoted;
        } else if !until_promoted {
            if waits {
                at.remark(ImportFinding::NoTraffic {});
            }
        } else if let Some(before) = phases.iter_mut().rfind(|open| open.share > 0.0) {
            before.manual = true;
            at.differs(
                "it waits for a person after the weight has fallen to 0",
                "the phase before waits for a person, with its traffic",
            );
        } else {
            at.put(
                "it waits for a person before the first traffic",
                "the start waits for a checklist item",
            );
            draft.before.push("the start of the rollout is approved".to_owned());
        }
    }
    if let Some(at) = step.get("analysis") {
        let run = analysis.of(&at, draft);
        at.differs(
            "this analysis applies only to its step",
            "its metrics are judged in every phase",
        );
        if let Some(open) = current.as_mut() {
            open.watch += run;
        }
    }
}

fn blue_green<'d>(at: &At<'d>, analysis: &mut Analysis<'_, 'd>, draft: &mut Draft) {
    routes(at);
    nothing(at, &["activeService", "previewService", "activeMetadata", "previewMetadata"]);
    platform(at, &[("previewReplicaCount", "the number of pods of the idle side")]);
    draft.strategy = Strategy::BlueGreen;
    let mut watch: f64 = 0.0;
    for (key, when) in [("prePromotionAnalysis", "before"), ("postPromotionAnalysis", "after")] {
        let Some(found) = at.get(key) else { continue };
        let run = analysis.of(&found, draft);
        if when == "before" {
            found.differs(
                "the idle side is analysed before traffic is switched",
                "the metrics are judged after the switch",
            );
        }
        watch = watch.max(run);
    }
    if let Some((false, auto)) = at.read("autoPromotionEnabled", At::flag) {
        auto.put("a person switches the traffic", "the start waits for a checklist item");
        draft.before.push("the switch of traffic is approved".to_owned());
    }
    let delay = |at: &At<'_>| at.number_within(0.0, 1e8, SECONDS);
    at.leave_out("autoPromotionSeconds", delay, "a wait before traffic is switched");
    draft.phase(1.0, watch, false, "it reaches all users");
    analysis.conclude(draft);
    for phase in &mut draft.phases {
        phase.watch = phase.watch.max(draft.cadence);
    }
}
