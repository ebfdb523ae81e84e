//! Flagger: a `Canary` with its metric templates.

use serde_json::json;

use super::analysis::{Crossing, two_sided};
use super::draft::{Draft, Limit, MetricDraft, decimal, seconds};
use super::finding::ImportFinding;
use super::reader::At;
use super::source::{Source, main_of, named, silent, unknown};
use super::{Kind, no_counterpart, nothing, platform, progress_deadline};
use crate::grade::{MetricKind, Strategy, Worse};
use crate::text::{brief, shown};

/// Flagger's defaults. Times are in seconds.
const INTERVAL: f64 = 60.0;
const LEAST_INTERVAL: f64 = 10.0;
const METRIC_INTERVAL: f64 = 60.0;
const MAX_WEIGHT: f64 = 100.0;
/// The kind of a document that has a query.
const TEMPLATE: &str = "MetricTemplate";
/// The quantile of `request-duration`.
const QUANTILE: f64 = 0.99;
const WEIGHT: &str = "a whole number from 0 to 100";
const COUNT: &str = "a whole number from 0 to a million";

pub(super) fn import(sources: &[Source<'_>]) -> Option<Draft> {
    let Some(source) = main_of(sources, "Canary") else {
        return templates(sources);
    };
    // Receivers of notifications.
    silent(sources, &["AlertProvider"]);
    let mut draft = Draft::new(source.name, format!("Canary {}", brief(source.name)));
    let spec = source.at.need("spec", "`spec:` with `analysis`")?;
    nothing(
        &spec,
        &[
            "provider",
            "metricsServer",
            "targetRef",
            "autoscalerRef",
            "ingressRef",
            "routeRef",
            "upstreamRef",
            "service",
        ],
    );
    platform(&spec, &[("revertOnDeletion", "the deployment after the canary is deleted")]);
    no_counterpart(&spec, &[("suspend", "a suspended canary")]);
    draft.deploying = Some(progress_deadline(&spec));
    let skipped = spec.read("skipAnalysis", At::flag);
    let example = "`analysis:` with `interval`, `threshold` and `metrics`";
    let analysis = spec.get("analysis").or_else(|| spec.get("canaryAnalysis"));
    let analysis = analysis.or_else(|| spec.need("analysis", example))?;
    if let Some((true, at)) = skipped {
        at.differs(
            "the analysis is skipped and all traffic is moved at once",
            "the analysis is used",
        );
    }
    self::analysis(&analysis, sources, source.namespace, &mut draft);
    draft.complete(&analysis);
    Some(draft)
}

/// Templates without a Canary, which would have their bounds. Each becomes a watched metric.
fn templates(sources: &[Source<'_>]) -> Option<Draft> {
    let templates = || sources.iter().filter(|source| source.kind == TEMPLATE);
    let Some(first) = templates().next() else {
        return unknown(sources, Kind::Flagger);
    };
    silent(sources, &["AlertProvider"]);
    let mut draft = Draft::new(first.name, format!("{TEMPLATE} {}", brief(first.name)));
    for template in templates() {
        template.used.set(true);
        if query_of(template, template.name).is_none() {
            continue;
        }
        template.at.remark(ImportFinding::NoBound { kind: TEMPLATE, name: shown(template.name) });
        two_sided(
            &template.at,
            template.name,
            (None, None),
            (None, None),
            Crossing::Nothing,
            &mut draft,
        );
    }
    draft.complete(&first.at);
    Some(draft)
}

/// The query of a template, which the deploy tool runs.
fn query_of(template: &Source<'_>, metric: &str) -> Option<()> {
    let spec = template.at.need("spec", "`spec:` with `query`")?;
    // The data source and its credentials.
    nothing(&spec, &["provider"]);
    spec.need("query", "`query:` with the provider's query")?
        .lost(ImportFinding::Query { metric: shown(metric) });
    Some(())
}

fn analysis(at: &At<'_>, sources: &[Source<'_>], namespace: &str, draft: &mut Draft) {
    let interval = at.read("interval", At::duration);
    draft.cadence = match &interval {
        Some((length, at)) if *length < LEAST_INTERVAL => {
            at.put(
                format!("the least interval is {}", seconds(LEAST_INTERVAL)),
                "the cadence is the least interval",
            );
            LEAST_INTERVAL
        }
        Some((length, _)) => *length,
        None => INTERVAL,
    };
    draft.window = draft.cadence;
    draft.stale = 2.0 * draft.cadence;
    let threshold = at.get("threshold");
    let checks =
        threshold.as_ref().and_then(|at| at.whole_within(0.0, 1e6, COUNT)).unwrap_or(0.0).max(1.0);
    draft.consecutive_breaches = checks;
    let place = threshold.unwrap_or_else(|| at.clone());
    if checks > 1.0 {
        place.remark(ImportFinding::Tolerated {
            there: format!("{checks} failed checks of all metrics and webhooks together end the rollout, even with passed checks between them"),
            evaluations: checks,
        });
    }
    // The first missing value is missed an interval after the last one.
    let after = (checks + 1.0) * draft.cadence;
    draft.no_data = (after, "roll_back");
    for (index, metric) in at.list("metrics").into_iter().enumerate() {
        self::metric(&metric, index, sources, namespace, draft);
    }
    if draft.decides() {
        place.no_data(
            "a metric without a value is a failed check",
            format!("it holds for {}, then rolls back", seconds(after)),
        );
    }
    let hooks = webhooks(at, draft);
    phases(at, &hooks, draft);
    platform(
        at,
        &[
            ("primaryReadyThreshold", "the number of ready pods of the old version"),
            ("canaryReadyThreshold", "the number of ready pods of the new version"),
        ],
    );
    no_counterpart(
        at,
        &[
            ("sessionAffinity", "users who keep their version"),
            ("stepWeightPromotion", "steps of the promotion from canary to primary"),
        ],
    );
    alerts(at, draft);
}

/// A webhook that waits for a person: its place, its name, and whether each increase waits for it,
/// or else the promotion.
type Gate<'d> = (At<'d>, String, bool);

/// Reads the webhooks. Returns those whose effect depends on the phases.
fn webhooks<'d>(at: &At<'d>, draft: &mut Draft) -> Vec<Gate<'d>> {
    const TYPES: &[&str] = &[
        "confirm-rollout",
        "pre-rollout",
        "rollout",
        "confirm-traffic-increase",
        "confirm-promotion",
        "post-rollout",
        "rollback",
        "event",
    ];
    let mut gates = Vec::new();
    for hook in at.list("webhooks") {
        nothing(&hook, &["url", "timeout", "retries", "metadata", "muteAlert", "disableTLS"]);
        let name = hook.text_of("name").map_or_else(|| "a webhook".to_owned(), shown);
        // As in Flagger: a webhook without a type is called at each check.
        let kind = hook.get("type").filter(|at| !at.is_empty());
        let Some(kind) = kind.map_or(Some("rollout"), |at| at.word(TYPES)) else { continue };
        let put = |here: &str| {
            hook.put(format!("the webhook `{name}` is called ({kind})"), here);
        };
        match kind {
            "confirm-rollout" => {
                draft.before.push(format!("{name} approves the start of the rollout"));
                put("the start waits for a checklist item");
            }
            "pre-rollout" => {
                draft.before.push(format!("{name} has passed"));
                put("the start waits for a checklist item");
            }
            "confirm-traffic-increase" => gates.push((hook, name, true)),
            "confirm-promotion" => gates.push((hook, name, false)),
            "rollout" => {
                let what = format!("the webhook `{name}`, whose failures count as failed checks");
                hook.no_counterpart(what);
            }
            "rollback" => hook.differs(
                format!("the webhook `{name}` may request a rollback at any time"),
                "your deploy tool or a person sends `roll_back`",
            ),
            _ => hook.remark(ImportFinding::Platform { what: "a webhook that is only notified" }),
        }
    }
    gates
}

/// The weights in per cent, in order. As in `nextStepWeight` and `maxWeight`, a step has precedence
/// over a list, whose last weight is then the end of the steps.
fn weights(at: &At<'_>, counted: Option<&'static str>) -> Vec<f64> {
    let weight = |key| at.read(key, |at| at.whole_within(0.0, 100.0, WEIGHT));
    let (step, most, list) = (weight("stepWeight"), weight("maxWeight"), at.get("stepWeights"));
    let unused = |at: &At<'_>, key: &str, there: String| {
        at.lost(ImportFinding::Put { there, here: format!("`{key}` has no effect") });
    };
    if let Some(way) = counted {
        for key in ["stepWeight", "maxWeight", "stepWeights"] {
            if let Some(at) = at.get(key) {
                let there = format!("with `iterations` above 0 the strategy is {way}");
                unused(&at, key, format!("{there}, which has no weights"));
            }
        }
        return Vec::new();
    }
    let step = step.filter(|(step, _)| *step > 0.0);
    let items = list.as_ref().map(At::items).unwrap_or_default();
    if let (Some((_, at)), false) = (&most, items.is_empty()) {
        let what = if step.is_some() { "the end of the steps" } else { "the weights" };
        unused(at, "maxWeight", format!("`stepWeights` has {what}"));
    }
    let mut weights: Vec<f64> = Vec::new();
    let Some((step, place)) = step else {
        let mut before = 0.0;
        for item in items {
            let Some(weight) = item.whole_within(0.0, 100.0, WEIGHT) else { continue };
            if weight == 0.0 {
                item.remark(ImportFinding::NoTraffic {});
                continue;
            }
            if weight < before {
                let (before, after) = (before.to_string(), weight.to_string());
                item.remark(ImportFinding::ShareFalls { before, after });
            }
            before = weight;
            weights.push(weight);
        }
        return weights;
    };
    let mut most = most.map(|(most, _)| most).filter(|most| *most > 0.0).unwrap_or(MAX_WEIGHT);
    if let (Some(list), Some(last)) = (&list, items.last()) {
        most = last.whole_within(0.0, 100.0, WEIGHT).unwrap_or(MAX_WEIGHT);
        list.lost(ImportFinding::Put {
            there: format!("`stepWeight` has precedence over `stepWeights`, whose last weight is the end of the steps: {most}%"),
            here: "its other weights have no effect".to_owned(),
        });
    }
    // The weight grows as long as it is below the greatest, so the last step may pass it.
    while weights.last().copied().unwrap_or(0.0) < most {
        weights.push((weights.last().copied().unwrap_or(0.0) + step).min(100.0));
    }
    if let Some(last) = weights.last().filter(|last| **last > most) {
        place.put(
            format!("steps of {step}% exceed {most}%"),
            format!("the last step is at {last}%, as in Flagger"),
        );
    }
    weights
}

/// Says what a gate becomes, and adds what the start waits for. Whether phases have weights, or any
/// comes before all of the traffic.
fn put_gate((hook, name, increases): &Gate<'_>, weights: bool, in_part: bool, draft: &mut Draft) {
    let called = |when| format!("the webhook `{name}` is called {when}");
    match (increases, weights, in_part) {
        (true, true, _) => {
            draft.before.push(format!("{name} approves the first traffic"));
            hook.put(
                called("before each increase of the weight (confirm-traffic-increase)"),
                "the start waits for a checklist item, and a person promotes each phase",
            );
        }
        (true, false, _) => hook.put(
            called(
                "before an increase of the weight (confirm-traffic-increase), and there is none",
            ),
            "it has no effect",
        ),
        (false, _, true) => hook.put(
            called("before the promotion (confirm-promotion)"),
            "a person promotes the last phase below 100%",
        ),
        (false, _, false) => {
            draft.before.push(format!("{name} approves the switch of traffic"));
            hook.differs(
                called("after the checks, before the switch of traffic (confirm-promotion)"),
                "the start waits for a checklist item, and the checks come after the switch",
            );
        }
    }
}

fn phases(at: &At<'_>, gates: &[Gate<'_>], draft: &mut Draft) {
    let iterations = at.get("iterations").and_then(|at| at.whole_within(0.0, 1e6, COUNT));
    let iterations = iterations.filter(|number| *number > 0.0);
    no_counterpart(at, &[("mirror", "mirrored traffic"), ("mirrorWeight", "mirrored traffic")]);
    let matched = at.get("match").filter(|matched| !matched.items().is_empty());
    // Flagger checks iterations before weights.
    let way = if matched.is_some() { "A/B testing" } else { "blue/green" };
    let weights = weights(at, iterations.map(|_| way));
    let watch = iterations.unwrap_or(1.0) * draft.cadence;
    if iterations.is_none() && weights.is_empty() {
        at.differs(
            "there are neither `iterations` nor weights, so the canary does not advance",
            "its phase is watched for one evaluation",
        );
    }
    for gate in gates {
        put_gate(gate, !weights.is_empty(), !weights.is_empty() || matched.is_some(), draft);
    }
    if let Some(matched) = matched {
        let what = if weights.is_empty() {
            "a canary for matching requests"
        } else {
            "that weights are shares of the matching requests only"
        };
        matched.lost(ImportFinding::NoCounterpart { what: what.to_owned() });
        if weights.is_empty() {
            // An arbitrary value: see the finding.
            let share = 0.1;
            let what = "the share of traffic that matches";
            let value = "10%: set the share that matches".to_owned();
            at.remark(ImportFinding::Completed { what, value });
            draft.strategy = Strategy::FeatureFlag;
            draft.phase(share, watch, false, "matching requests");
        }
    } else if weights.is_empty() {
        draft.strategy = Strategy::BlueGreen;
        if iterations.is_some() {
            at.differs(
                format!("the new version is checked for {} before it gets traffic", seconds(watch)),
                "it is watched for the same time after it has all traffic",
            );
        }
        draft.phase(1.0, watch, false, "it reaches all users");
        return;
    }
    let waits = |increases| gates.iter().any(|(_, _, each)| *each == increases);
    for weight in weights {
        draft.phase(weight / 100.0, draft.cadence, waits(true), "");
    }
    if let Some(last) = draft.phases.iter_mut().rfind(|phase| phase.share < 1.0) {
        last.manual |= waits(false);
    }
    draft.last_phase(at, "Flagger");
}

fn metric(at: &At<'_>, index: usize, sources: &[Source<'_>], namespace: &str, draft: &mut Draft) {
    let Some(name) = at.name("`name: request-success-rate`") else { return };
    let range_of_query = at.read("interval", At::duration);
    let query = at.get("query");
    let template = at.get("templateRef");
    let built_in = query.is_none() && template.is_none();
    let counted = built_in && ["request-success-rate", "request-duration"].contains(&name);
    query_interval(at, range_of_query, counted, draft.cadence);
    let range = at.get("thresholdRange");
    let bound = |key| range.as_ref()?.read(key, At::number);
    let (least, most) = (bound("min"), bound("max"));
    // Older than the range: a greatest value, except for the built-in success rate.
    let old = at.read("threshold", At::number);
    if let (Some((_, at)), true) = (&old, range.is_some()) {
        at.put("`thresholdRange` gives the bounds", "`threshold` has no effect");
    }
    let old = old.filter(|_| range.is_none());
    match name {
        "request-success-rate" if built_in => {
            if let Some((_, at)) = &most {
                at.no_counterpart("an upper limit of the success rate");
            }
            success_rate(at, name, least.or(old), draft);
        }
        "request-duration" if built_in => {
            if let Some((_, at)) = &least {
                at.no_counterpart("a lower limit of the response time");
            }
            duration(at, name, most.or(old), range.is_some(), draft);
        }
        _ => {
            referred(at, name, query.as_ref(), template, sources, namespace);
            nothing(at, &["templateVariables"]);
            let (least, most) = (least.map(|(least, _)| least), most.or(old).map(|(most, _)| most));
            let mut sides = (least, most);
            if sides == (None, None) {
                // Without a range Flagger compares with `threshold`, whose default is 0. A metric
                // without query and template is not checked at all.
                let (there, here) = if range.is_none() && !built_in {
                    sides.1 = Some(0.0);
                    ("so a value above 0 is a failed check", "the upper bound is 0")
                } else {
                    ("so it always passes", "it is watched but does not decide")
                };
                at.differs(format!("`{}` has no bound, {there}", shown(name)), here);
            }
            let is_bounded = sides != (None, None);
            let rule = if is_bounded { Crossing::RollsBack } else { Crossing::Nothing };
            two_sided(at, name, sides, sides, rule, draft);
        }
    }
    if index == 1 {
        at.differs(
            "metrics are checked in order, and those after a failed one are skipped",
            "all metrics are judged at each evaluation",
        );
    }
}

/// The time that each check of a metric covers. `counted`: whether readings are counts of requests.
fn query_interval(at: &At<'_>, own: Option<(f64, At<'_>)>, counted: bool, cadence: f64) {
    let there = |interval| format!("each check covers the last {}", seconds(interval));
    match own {
        Some((interval, place)) if !counted => {
            place
                .put(there(interval), "a reading is what your query returns: run it for this time");
        }
        None if !counted => {}
        own => {
            let (interval, place) = own.unwrap_or_else(|| (METRIC_INTERVAL, at.clone()));
            if interval.total_cmp(&cadence).is_ne() {
                let here = format!("each evaluation covers one interval, {}", seconds(cadence));
                place.differs(there(interval), here);
            }
        }
    }
}

/// The query of a metric, which the deploy tool runs.
fn referred(
    at: &At<'_>,
    name: &str,
    query: Option<&At<'_>>,
    template: Option<At<'_>>,
    sources: &[Source<'_>],
    namespace: &str,
) {
    if let Some(query) = query {
        query.lost(ImportFinding::Query { metric: shown(name) });
    }
    let Some(template) = template else {
        if query.is_none() {
            at.differs(
                format!("`{}` is not a built-in metric and has no template, so Flagger ignores it without a message", shown(name)),
                "its bounds apply to a reading that your deploy tool sends",
            );
        }
        return;
    };
    nothing(&template, &["apiVersion", "kind"]);
    let Some(referred) = template.name("`name: error-rate`") else { return };
    let place = template.text_of("namespace").unwrap_or(namespace);
    let found = named(sources, &[TEMPLATE], referred);
    let Some(found) = found
        .filter(|found| found.namespace.is_empty() || place.is_empty() || found.namespace == place)
    else {
        template.remark(ImportFinding::MissingDocument { kind: TEMPLATE, name: shown(referred) });
        return;
    };
    // What is wrong with it is in the notes.
    let _ = query_of(found, name);
}

/// The success rate, which is in per cent in Flagger.
fn success_rate(at: &At<'_>, name: &str, least: Option<(f64, At<'_>)>, draft: &mut Draft) {
    let id = draft.id_at(at, name);
    let mut metric = MetricDraft::gauge(id, "successful requests", Worse::Lower);
    metric.kind = MetricKind::Proportion;
    if let Some((least, at)) = least {
        if at.within(least, 0.0, 100.0, "a number of per cent from 0 to 100").is_some() {
            let fraction = decimal(least / 100.0);
            metric.success = Some(Limit::Figure(fraction));
            metric.rollback = metric.success;
            at.put(
                format!("the lower limit is {least} per cent"),
                format!("it is the fraction {fraction}, and readings are counts: successful requests, and all requests"),
            );
        }
    } else {
        metric.watched = true;
        at.differs("no lower limit is given", "the metric is watched but does not decide");
    }
    draft.metrics.push(metric);
}

/// The 99th percentile of the response time, which is in milliseconds in Flagger.
fn duration(
    at: &At<'_>,
    name: &str,
    most: Option<(f64, At<'_>)>,
    has_range: bool,
    draft: &mut Draft,
) {
    let id = draft.id_at(at, name);
    let mut metric = MetricDraft::gauge(id, "response time (p99)", Worse::Higher);
    metric.kind = MetricKind::Latency;
    let mut most_seconds = 0.5;
    if let Some((most, at)) = most {
        if at.within(most, 1.0, 3.6e6, "milliseconds from 1 to 3600000").is_none() {
            return;
        }
        // Boundaries are whole milliseconds, and the bound is one of them, so that no bucket hides
        // it.
        most_seconds = most.round() / 1000.0;
        metric.success = Some(Limit::Figure(most_seconds));
        metric.rollback = metric.success;
        at.put(
            format!("the upper limit of the 99th percentile is {most} ms"),
            format!("it is {} for the same quantile, and readings are counts of requests above boundaries", seconds(most_seconds)),
        );
    } else {
        metric.watched = true;
        // Without a range Flagger compares with `threshold`, whose default is 0.
        let there = if has_range {
            "no upper limit is given, so no response is too slow"
        } else {
            "no bound is given, so every response is too slow and each check fails"
        };
        at.differs(there, "the metric is watched but does not decide");
    }
    let half = (most_seconds * 500.0).round() / 1000.0;
    let mut boundaries = vec![half, most_seconds, most_seconds * 2.0];
    // Half of one millisecond is the bound itself.
    boundaries.dedup();
    metric.latency = Some((QUANTILE, boundaries));
    draft.metrics.push(metric);
}

fn alerts(at: &At<'_>, draft: &mut Draft) {
    for (index, alert) in at.list("alerts").into_iter().enumerate() {
        nothing(&alert, &["providerRef"]);
        let name = alert.text_of("name").map_or_else(|| "alert".to_owned(), shown);
        let severity = alert.get("severity").and_then(|at| at.word(&["info", "warn", "error"]));
        let severity = severity.unwrap_or("info");
        let kind = if severity == "error" { "page" } else { "notify" };
        let mut put = |from: &str, title: String| {
            draft.duties.push(json!({
                "id": format!("alert_{}_{from}", index + 1), "kind": kind, "from": from, "within": 0,
                "audience": "responders", "title": title,
            }));
        };
        put("rolled_back", format!("{name}: the release was rolled back"));
        if severity == "info" {
            put("deploy_started", format!("{name}: the rollout has started"));
            put("verified", format!("{name}: the rollout is complete"));
        }
        let here = match severity {
            "error" => "somebody is paged after a rollback",
            "warn" => {
                "responders are notified after a rollback; a phase that holds has its own message"
            }
            _ => "responders are notified at the start, at completion and after a rollback",
        };
        alert.put(format!("the alert `{name}` has the severity {severity}"), here);
    }
}
