//! Argo Rollouts: a `Rollout` with the templates that it refers to, or templates alone.

use super::analysis::Analysis;
use super::draft::{Draft, percent, seconds};
use super::fault::Fault;
use super::reader::At;
use super::remark::Remark;
use super::source::{Source, main_of, unknown};
use super::{Kind, no_counterpart, nothing, platform};
use crate::grade::Strategy;
use crate::text::shown;

/// Seconds without progress after which Argo gives up.
const PROGRESS_DEADLINE: f64 = 600.0;
const SECONDS: &str = "a whole number of seconds above 0";

pub(super) fn import(sources: &[Source<'_>]) -> Option<Draft> {
    let mut analysis = Analysis::new(sources);
    let Some(source) = main_of(sources, "Rollout") else {
        let templates = ["AnalysisTemplate", "ClusterAnalysisTemplate"];
        let mut templates =
            sources.iter().filter(|source| templates.contains(&source.kind)).peekable();
        let Some(first) = templates.peek() else {
            return unknown(sources, Kind::ArgoRollouts);
        };
        let at = first.at.clone();
        let mut draft = Draft::new(first.name, format!("AnalysisTemplate {}", shown(first.name)));
        for source in templates {
            analysis.alone(source, &mut draft);
        }
        analysis.conclude(&mut draft);
        draft.complete(&at);
        return Some(draft);
    };
    let mut draft = Draft::new(source.name, format!("Rollout {}", shown(source.name)));
    let spec = source.at.need("spec", "`spec:` with `strategy`")?;
    rest(&spec, &mut draft);
    let strategy = spec.need("strategy", "`strategy:` with `canary`")?;
    if let Some(canary) = strategy.get("canary") {
        self::canary(&canary, &mut analysis, &mut draft);
        draft.complete(&canary);
    } else {
        let blue_green = strategy.need("blueGreen", "`canary:` with `steps`, or `blueGreen:`")?;
        self::blue_green(&blue_green, &mut analysis, &mut draft);
        draft.complete(&blue_green);
    }
    Some(draft)
}

/// What a rollout says beside its strategy.
fn rest(spec: &At<'_>, draft: &mut Draft) {
    // Which pods there are, and how many old ones are kept.
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
    platform(spec, &[("minReadySeconds", "how long a pod is up before it counts as available")]);
    let deadline = spec.get("progressDeadlineSeconds");
    let seconds = deadline.as_ref().and_then(|at| at.whole_within(1.0, 1e8, SECONDS));
    draft.deploying = Some(seconds.unwrap_or(PROGRESS_DEADLINE));
    let aborts = spec.get("progressDeadlineAbort").and_then(|at| Some((at.flag()?, at)));
    if let Some((true, at)) = aborts {
        at.remark(Remark::Differs {
            there: "a rollout without progress by its deadline is aborted".to_owned(),
            here:
                "the deadline is what a deployment takes at most, and a person says that it failed"
                    .to_owned(),
        });
    }
    if let Some(at) = spec.get("paused")
        && at.flag() == Some(true)
    {
        draft.before.push("the rollout is no longer paused by hand".to_owned());
    }
    if let Some(window) = spec.get("rollbackWindow")
        && let Some(revisions) = window.get("revisions")
        && let Some(number) = revisions.whole_within(0.0, 1e6, "a whole number of revisions")
    {
        if number == 1.0 {
            draft.revert = "previous";
        } else {
            revisions.remark(Remark::Differs {
                there: format!("the last {number} revisions are gone back to past the analysis"),
                here: "a person may revert to any version".to_owned(),
            });
        }
    }
}

/// What the platform does with pods and routes.
fn routes(at: &At<'_>) {
    platform(
        at,
        &[
            ("maxSurge", "how many pods there are at a time"),
            ("maxUnavailable", "how many pods may be missing"),
            ("dynamicStableScale", "how the old version is scaled"),
            ("abortScaleDownDelaySeconds", "how long the pods of an aborted version stay"),
            ("scaleDownDelaySeconds", "how long the pods of the old version stay"),
            ("scaleDownDelayRevisionLimit", "how many old versions keep their pods"),
            ("minPodsPerReplicaSet", "how many pods a version keeps"),
            ("replicaProgressThreshold", "how many pods make progress of a step"),
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

/// The weight that is all of the traffic.
fn whole_weight(at: &At<'_>) -> f64 {
    let routing = at.get("trafficRouting");
    let most = routing.as_ref().and_then(|routing| routing.get("maxTrafficWeight"));
    let most = most.and_then(|at| at.whole_within(1.0, 1e9, "a whole number above 0"));
    match routing {
        Some(routing) => routing.lost(Remark::Platform { what: "how traffic is routed" }),
        None => at.remark(Remark::Differs {
            there: "without `trafficRouting` weights are as near as the number of pods allows"
                .to_owned(),
            here: "shares are taken to be exact, and the host's arms are checked against them"
                .to_owned(),
        }),
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
            step.remark(Remark::Differs {
                there: "the analysis begins at a later step".to_owned(),
                here: "its metrics are judged from the first phase on".to_owned(),
            });
        }
    }
    let mut phases: Vec<Open<'d>> = Vec::new();
    let mut current: Option<Open<'d>> = None;
    for step in at.list("steps") {
        self::step(&step, whole, &mut current, &mut phases, analysis, draft);
    }
    phases.extend(current);
    close(&phases, draft);
    if draft.phases.is_empty() {
        let value = "one phase with all traffic".to_owned();
        at.remark(Remark::Completed { what: "in which steps it goes out", value });
        draft.phase(1.0, draft.cadence, false, "it reaches all users");
    }
    analysis.conclude(draft);
    // Only now is it known how often there is a look.
    for (phase, open) in draft.phases.iter_mut().zip(phases.iter().filter(|open| open.share > 0.0))
    {
        if phase.watch < draft.cadence {
            phase.watch = draft.cadence;
            if !open.manual {
                let watch = seconds(draft.cadence);
                open.at.remark(Remark::NotWatched { there: "no pause follows this weight", watch });
            }
        }
    }
    draft.last_phase(at, "Argo Rollouts");
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
    // As Argo's own check: a scale, a route or a plugin may stand beside one of these.
    let main = ["setWeight", "pause", "experiment", "analysis"];
    let main: Vec<&str> = keys.iter().copied().filter(|key| main.contains(key)).collect();
    if main.len() > 1 || keys.is_empty() {
        let what = match &main[..] {
            [] => "a step with nothing in it".to_owned(),
            main => format!("a step with `{}`", main.join("` and `")),
        };
        step.fail::<()>(Fault::Form { what, instead: "write a step for each" });
        step.ignore();
        return;
    }
    no_counterpart(
        step,
        &[
            ("experiment", "an experiment"),
            ("setCanaryScale", "a scale of its own for the canary"),
            ("setHeaderRoute", "a route by headers"),
            ("setMirrorRoute", "mirrored traffic"),
            ("plugin", "a step of a plugin"),
        ],
    );
    if let Some(at) = step.get("setWeight")
        && let Some(weight) =
            at.whole_within(0.0, whole, "a whole number from 0 to 100, or to `maxTrafficWeight`")
    {
        let before = current.take();
        let share = weight / whole;
        if let Some(before) = before.as_ref().filter(|before| share < before.share) {
            let (before, after) = (percent(before.share), percent(share));
            at.remark(Remark::ShareFalls { before, after });
        }
        if weight == 0.0 {
            at.remark(Remark::NoTraffic {});
        }
        phases.extend(before);
        *current = Some(Open { share, at, watch: 0.0, manual: false });
    }
    // A pause without a duration is a table with nothing in it.
    let pause = step.get("pause");
    let endless = pause.is_none() && keys.contains(&"pause");
    if pause.is_some() || endless {
        let duration = pause.as_ref().and_then(|pause| pause.get("duration"));
        let until_promoted = duration.is_none();
        let length = duration.and_then(|at| at.duration()).unwrap_or(0.0);
        let at = pause.unwrap_or_else(|| step.clone());
        match current.as_mut().filter(|open| open.share > 0.0) {
            Some(open) => {
                open.watch += length;
                open.manual |= until_promoted;
            }
            None if until_promoted => {
                at.remark(Remark::Put {
                    there: "it waits for a person before there is traffic".to_owned(),
                    here: "the start waits for an item of a checklist".to_owned(),
                });
                draft.before.push("somebody lets the rollout begin".to_owned());
            }
            None => at.remark(Remark::NoTraffic {}),
        }
    }
    if let Some(at) = step.get("analysis") {
        let run = analysis.of(&at, draft);
        at.remark(Remark::Differs {
            there: "this analysis belongs to its step alone".to_owned(),
            here: "its metrics are judged in every phase".to_owned(),
        });
        if let Some(open) = current.as_mut() {
            open.watch += run;
        }
    }
}

/// Shares that have traffic become phases.
fn close(phases: &[Open<'_>], draft: &mut Draft) {
    for open in phases.iter().filter(|open| open.share > 0.0) {
        draft.phase(open.share, open.watch, open.manual, "");
    }
}

fn blue_green<'d>(at: &At<'d>, analysis: &mut Analysis<'_, 'd>, draft: &mut Draft) {
    routes(at);
    nothing(at, &["activeService", "previewService", "activeMetadata", "previewMetadata"]);
    platform(at, &[("previewReplicaCount", "how many pods the idle side has")]);
    draft.strategy = Strategy::BlueGreen;
    let mut watch: f64 = 0.0;
    for (key, when) in [("prePromotionAnalysis", "before"), ("postPromotionAnalysis", "after")] {
        let Some(found) = at.get(key) else { continue };
        let run = analysis.of(&found, draft);
        if when == "before" {
            found.remark(Remark::Differs {
                there: "the idle side is analysed before traffic is switched".to_owned(),
                here: "the metrics are judged once it has the traffic".to_owned(),
            });
        }
        watch = watch.max(run);
    }
    if let Some(auto) = at.get("autoPromotionEnabled")
        && auto.flag() == Some(false)
    {
        auto.remark(Remark::Put {
            there: "a person switches the traffic".to_owned(),
            here: "the start waits for an item of a checklist".to_owned(),
        });
        draft.before.push("somebody lets the traffic be switched".to_owned());
    }
    if let Some(delay) = at.get("autoPromotionSeconds")
        && delay.number_within(0.0, 1e8, SECONDS).is_some()
    {
        delay
            .remark(Remark::NoCounterpart { what: "a wait before traffic is switched".to_owned() });
    }
    draft.phase(1.0, watch, false, "it reaches all users");
    analysis.conclude(draft);
    for phase in &mut draft.phases {
        phase.watch = phase.watch.max(draft.cadence);
    }
}
