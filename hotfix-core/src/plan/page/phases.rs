//! What is watched, the phases and their power, the timeline, and the durations.

use super::super::{Plan, StepKind, Threshold};
use super::{Page, escaped, or_else, strategy, utc};
use crate::grade::{GateMode, PromotionRule, Response, Role, SuccessGroup, WatchedFrom};
use crate::metric::within;
use crate::policy::section::{DeploymentSigns, Metric, Phase, SuccessCriterion, TimeRange};
use crate::text::{joined, markdown, quoted, time, times, words};
use crate::unit::{Share, Span, Timestamp};

pub(super) fn write(plan: &Plan, start: Option<Timestamp>, page: &mut Page) {
    page.heading(2, "Phases");
    let rows = plan.policy().phases().iter().map(|phase| {
        let watch = times(plan.load().watch(phase), plan.load().longest(phase));
        let gate = words(phase.gate.as_str());
        let gate = match phase.gate {
            GateMode::Veto => format!("{gate}, {}", time(phase.veto)),
            GateMode::Automatic | GateMode::Manual => gate,
        };
        [
            format!("`{}`", phase.name),
            phase.share.to_string(),
            time(phase.deploy),
            watch,
            gate,
            words(phase.criteria_missed.as_str()),
            markdown(&phase.objective),
        ]
    });
    let head =
        ["Phase", "Traffic", "Deploy", "Watch", "Gate", "If criteria are missed", "Objective"];
    page.table(head, rows.collect());
    page.list(passing(plan));
    page.list(plan.policy().deployment_signs().into_iter().flat_map(signs));
    strategy::steps(plan, page);
    page.block(&plan.power().to_markdown());
    timeline(plan, start, page);
    durations(plan, page);
}

/// What a phase needs to pass, what follows if that stays open, and which phases a person may promote early.
fn passing(plan: &Plan) -> Vec<String> {
    let policy = plan.policy();
    let names = |is_so: fn(&Phase) -> bool| {
        let those = policy.phases().iter().filter(|phase| is_so(phase));
        quoted(&those.map(|phase| phase.name).collect::<Vec<_>>(), ", ")
    };
    let mut items = vec![
        "a phase passes once readings cover its watch and each metric that decides had enough requests and is \
         within its success bound over the phase"
            .to_owned(),
    ];
    let by_evidence =
        names(|phase| is_compared(phase) && phase.promotion == PromotionRule::EvidenceOfNoHarm);
    if !by_evidence.is_empty() {
        let guarded = policy.metrics().iter().filter(|metric| metric.is_tested());
        let margins = guarded.map(|metric| format!("`{}` {} ×", metric.id, plan.margin(metric)));
        items.push(format!(
            "{by_evidence}: in addition, only once tests show that the fix is less than this many times as bad as the \
             live version: {}",
            joined(margins, ", ")
        ));
    }
    let last_compared = policy.phases().iter().rfind(|phase| is_compared(phase));
    if let Some((claim, last)) = plan.efficacy().filter(|claim| claim.required).zip(last_compared) {
        items.push(format!(
            "`{}`: in addition, only once a test shows that the fix works: `{}` at most {} × that of the live \
             version; an earlier phase passes while nothing speaks against it",
            last.name, claim.metric, claim.cut_to
        ));
    }
    let mut ends: Vec<(&str, String)> = Vec::new();
    for phase in policy.phases() {
        let ends_itself = phase.longest_held().is_some();
        let end =
            if ends_itself { phase.undecided(plan.on_failure()) } else { "a person is asked" };
        let text = format!("`{}` after {}", phase.name, time(policy.held_unasked(phase)));
        match ends.iter_mut().find(|(known, _)| *known == end) {
            Some((_, phases)) => *phases = format!("{phases}, {text}"),
            None => ends.push((end, text)),
        }
    }
    let ends = ends.into_iter().map(|(end, phases)| format!("{end} ({phases})"));
    items.push(format!("a phase that is still undecided is held, then {}", joined(ends, "; ")));
    let early = names(|phase| phase.early_promotion);
    if !early.is_empty() {
        items.push(format!("a person may send `promote` before the gate: {early}"));
    }
    items
}

/// Whether the live version has traffic beside the fix.
fn is_compared(phase: &Phase) -> bool {
    phase.share < Share::ALL
}

/// The signs by which people see how a deployment ended, with the input that they send then.
fn signs(signs: DeploymentSigns<'_>) -> Vec<String> {
    let known = [
        ("it has succeeded if all of these are so, then send `confirm`", signs.success),
        (
            "it has failed if any of these is so, then send `failed`, with the sign in `why`",
            signs.failure,
        ),
    ];
    let known = known.into_iter().filter(|(_, signs)| !signs.is_empty());
    known
        .map(|(when, signs)| format!("while it is deployed, {when}: {}", escaped(signs, "; ")))
        .collect()
}

fn timeline(plan: &Plan, start: Option<Timestamp>, page: &mut Page) {
    page.heading(2, "Timeline");
    let shown = |step: StepKind| match step {
        StepKind::Monitor => "watch".to_owned(),
        step => words(step.as_str()),
    };
    let phase = |phase: Option<crate::unit::PhaseName>| {
        phase.map_or_else(|| "–".to_owned(), |phase| format!("`{phase}`"))
    };
    let steps = plan.offsets().into_iter();
    if let Some(start) = start {
        let rows = steps.map(|step| {
            let offset = t_plus(step.offset);
            [offset, utc(start + step.offset), shown(step.step), phase(step.phase)]
        });
        page.table(["T+", "UTC", "What", "Phase"], rows.collect());
    } else {
        let rows = steps.map(|step| [t_plus(step.offset), shown(step.step), phase(step.phase)]);
        page.table(["T+", "What", "Phase"], rows.collect());
    }
    let after = plan.policy().after().iter().map(|later| {
        let what = or_else(escaped(&later.watch, "; "), "the metrics");
        let from = match later.from {
            WatchedFrom::Deployed => deployed(plan),
            WatchedFrom::Verified => "the final validation",
        };
        format!("until {} after {from}, watch: {what}", time(later.until))
    });
    page.list(after);
}

/// What holds at the moment `deployed`, as a clause.
pub(super) fn deployed(plan: &Plan) -> &'static str {
    let holds_back = plan.policy().held_back().is_some();
    if holds_back { "the last phase has its traffic" } else { "all traffic has the fix" }
}

/// `T+12min`; T+0 has no unit.
fn t_plus(offset: Span) -> String {
    if offset.is_zero() { "T+0".to_owned() } else { format!("T+{}", time(offset)) }
}

fn durations(plan: &Plan, page: &mut Page) {
    let duration = plan.duration();
    let mut items = vec![format!(
        "rollout: {} from the first deployment",
        times(duration.rollout.least, duration.rollout.most)
    )];
    let parts = [
        ("until the fix is live", &duration.until_live),
        ("until the fix is complete", &duration.until_complete),
        ("whole procedure", &duration.procedure),
    ];
    for (what, sum) in parts {
        let Some(sum) = sum else { continue };
        let and = if sum.untimed.is_empty() { "" } else { ", and the steps without a time" };
        items.push(format!("{what}: {} from detection{and}", times(sum.least, sum.most)));
    }
    let estimate = plan.slo().estimate.map(|estimate| estimate.range);
    if let Some(TimeRange { least, most: Some(most) }) = estimate {
        items.push(format!("expected by the policy: {}", times(least.unwrap_or(most), most)));
    }
    page.heading(3, "Duration");
    page.list(items);
}

pub(super) fn watched(plan: &Plan, page: &mut Page) {
    let policy = plan.policy();
    let thresholds = plan.thresholds();
    if thresholds.is_empty() && policy.success().is_empty() {
        return;
    }
    page.heading(2, "What is watched");
    cadence(plan, page);
    let shown = |threshold: Option<&Threshold>| markdown(threshold.map_or("", |of| &of.text));
    // A phase ends well within the mildest bound, whichever that is.
    let success = |metric: &Metric| match metric.bounds.named().next() {
        Some(("success", bound)) => within(metric, bound),
        Some((which, bound)) => format!("{} (the {which} bound)", within(metric, bound)),
        None => String::new(),
    };
    let rows = thresholds.iter().zip(policy.metrics()).map(|(of, metric)| {
        let only = if of.role == Role::Watch { ", decides nothing" } else { "" };
        let scaled = if of.scaled { ", at 100% of the traffic" } else { "" };
        [
            format!("{} (`{}`{only}{scaled})", markdown(of.title), of.metric),
            shown(of.reference.as_ref()),
            markdown(&success(metric)),
            shown(of.alert.as_ref()),
            shown(of.rollback.as_ref()),
        ]
    });
    page.table(["Metric", "Before the incident", "Success", "Alert", "Rollback"], rows.collect());
    if thresholds.iter().any(|of| of.scaled) {
        page.paragraph(
            "At a smaller share of the traffic, a bound marked \"at 100% of the traffic\" is that \
             share of it.",
        );
    }
    if !policy.success().is_empty() {
        page.heading(3, "Success criteria");
        for group in SuccessGroup::ALL {
            let of_group = policy.success().iter().filter(|criterion| criterion.group == *group);
            let text = |criterion: &SuccessCriterion| {
                let shows = criterion.metric.map(|metric| format!(" (shown by `{metric}`)"));
                markdown(&criterion.text) + &shows.unwrap_or_default()
            };
            let texts: Vec<String> = of_group.map(text).collect();
            if !texts.is_empty() {
                page.paragraph(&format!("**{}:**", words(group.as_str())));
                page.list(texts);
            }
        }
    }
}

fn cadence(plan: &Plan, page: &mut Page) {
    let watch = plan.policy().watch();
    let mut parts = vec![
        format!("evaluated every {}, over the last {}", time(watch.cadence), time(watch.window)),
        format!("data is stale after {}", time(watch.stale)),
        // `continue` holds a phase all the same.
        format!("on an alert: {}", words(watch.alert.max(Response::Hold).as_str())),
        format!(
            "without data the rollout holds; after {}: {}",
            time(watch.no_data.after),
            words(watch.no_data.then.as_str())
        ),
    ];
    if watch.consecutive_breaches > 1.0 {
        parts.push(format!("a bound acts after {} breaches in a row", watch.consecutive_breaches));
    }
    page.list(parts);
}
