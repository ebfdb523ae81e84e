//! `OpenSLO`: an `SLO` with its indicator and alerts. It has thresholds, but no rollout.

use super::draft::{Draft, Limit, MetricDraft, decimal};
use super::finding::ImportFinding;
use super::reader::At;
use super::source::{Source, main_of, named, silent, unknown};
use super::{Kind, no_counterpart, nothing};
use crate::grade::{MetricKind, Worse};
use crate::text::{brief, shown};

const FRACTION: (f64, &str) = (1.0, "a fraction above 0 and below 1");
const PERCENT: (f64, &str) = (100.0, "a number of per cent above 0 and below 100");

pub(super) fn import(sources: &[Source<'_>]) -> Option<Draft> {
    let Some(source) = main_of(sources, "SLO") else {
        return unknown(sources, Kind::OpenSlo);
    };
    silent(sources, &["DataSource", "Service", "AlertNotificationTarget"]);
    let mut draft = Draft::new(source.name, format!("SLO {}", brief(source.name)));
    let spec = source.at.need("spec", "`spec:` with `objectives`")?;
    nothing(&spec, &["description", "service"]);
    time_window(&spec);
    let slices = budgeting(&spec);
    let objectives = spec.need("objectives", "`objectives:` with at least one `target`")?.items();
    let is_composite = !objectives.is_empty() && objectives.iter().all(has_indicator);
    let shared = if is_composite {
        no_counterpart(&spec, &INDICATOR.map(|key| (key, "an indicator that no objective has")));
        None
    } else {
        indicator(&spec, sources)
    };
    for objective in objectives {
        let own = has_indicator(&objective).then(|| indicator(&objective, sources));
        let indicator = own.as_ref().unwrap_or(&shared).as_ref();
        self::objective(&objective, source.name, indicator, slices, &mut draft);
    }
    alerts(&spec, sources, &mut draft);
    draft.window = 300.0;
    spec.remark(ImportFinding::Completed {
        what: "the measurement interval and the time over which a release is judged",
        value: "an evaluation every minute over the last five".to_owned(),
    });
    spec.differs(
        "an objective applies to its whole time window, and its error budget may be spent at any time",
        "the canary has to meet the objective in each phase",
    );
    draft.complete(&spec);
    Some(draft)
}

fn time_window(spec: &At<'_>) {
    for window in spec.list("timeWindow") {
        nothing(&window, &["isRolling"]);
        window.leave_out("duration", At::text, "the time window of an objective");
        no_counterpart(&window, &[("calendar", "a calendar window")]);
    }
}

/// Whether time slices are counted instead of events.
fn budgeting(spec: &At<'_>) -> bool {
    let Some(at) = spec.get("budgetingMethod") else { return false };
    let method = at.word(&["Occurrences", "Timeslices", "RatioTimeslices"]);
    let slices = matches!(method, Some("Timeslices" | "RatioTimeslices"));
    if slices {
        at.differs(
            "good time slices are counted",
            "good events are counted: send counts of events, or of slices",
        );
    }
    slices
}

struct Indicator {
    name: String,
    /// Whether the ratio is of bad events.
    bad: bool,
    /// Whether the ratio is computed already, without its counts.
    raw: bool,
    /// Whether it is a value with a threshold.
    threshold: bool,
}

/// The keys of an indicator, in an SLO or in an objective of a composite.
const INDICATOR: [&str; 2] = ["indicator", "indicatorRef"];

fn has_indicator(at: &At<'_>) -> bool {
    INDICATOR.iter().any(|key| at.node.key(key).is_some_and(|node| !node.is_null()))
}

fn indicator<'d>(of: &At<'d>, sources: &[Source<'d>]) -> Option<Indicator> {
    let inline = of.get("indicator");
    let referred = of.read("indicatorRef", At::text);
    let (at, name) = match (inline, referred) {
        (Some(inline), _) => {
            let name = inline.node.key("metadata").and_then(|metadata| metadata.text_at("name"));
            let name = name.unwrap_or("indicator").to_owned();
            nothing(&inline, &["metadata", "apiVersion", "kind"]);
            (inline, name)
        }
        (None, Some((name, at))) => {
            let Some(source) = named(sources, &["SLI"], name) else {
                at.remark(ImportFinding::MissingDocument { kind: "SLI", name: shown(name) });
                return None;
            };
            (source.at.clone(), name.to_owned())
        }
        (None, None) => {
            let example = "`indicatorRef: name`, or the indicator itself; each objective of a composite needs its own";
            return of.lacks("indicator", example);
        }
    };
    let inner = at.need("spec", "`spec:` with `ratioMetric` or `thresholdMetric`")?;
    nothing(&inner, &["description"]);
    let query = |at: At<'d>| at.lost(ImportFinding::Query { metric: shown(&name) });
    if let Some(ratio) = inner.get("ratioMetric") {
        nothing(&ratio, &["counter"]);
        let kind = ratio.get("rawType").and_then(|at| at.word(&["success", "failure"]));
        let [_, bad, _, raw] = ["good", "bad", "total", "raw"].map(|key| {
            let part = ratio.get(key);
            part.map(query).is_some()
        });
        let bad = if raw { kind == Some("failure") } else { bad };
        return Some(Indicator { bad, raw, threshold: false, name });
    }
    let threshold = inner.need("thresholdMetric", "`ratioMetric:` or `thresholdMetric:`")?;
    query(threshold);
    Some(Indicator { bad: false, raw: false, threshold: true, name })
}

fn objective(
    at: &At<'_>,
    slo: &str,
    indicator: Option<&Indicator>,
    slices: bool,
    draft: &mut Draft,
) {
    let name = at.text_of("displayName");
    no_counterpart(at, &[("compositeWeight", "the weight of an objective in a composite")]);
    let share = |key, (whole, range): (f64, &'static str)| {
        let at = at.get(key)?;
        let number = decimal(at.number()? / whole);
        if number > 0.0 && number < 1.0 {
            return Some((number, at));
        }
        at.out_of_range(decimal(number * whole), range)
    };
    let target = share("target", FRACTION).or_else(|| share("targetPercent", PERCENT));
    let slice = share("timeSliceTarget", FRACTION);
    if let Some((_, window)) = at.read("timeSliceWindow", At::text).filter(|_| slices) {
        window.no_counterpart("the length of a time slice");
    }
    if slice.is_some() {
        at.no_counterpart("the target within a time slice");
    }
    let operator = at.get("op").and_then(|at| at.word(&["gt", "gte", "lt", "lte"]));
    let value = at.get("value").and_then(|at| at.number());
    let Some((target, place)) = target else {
        if at.node.key("target").is_none() && at.node.key("targetPercent").is_none() {
            at.lacks::<()>("target", "`target: 0.99`");
        }
        return;
    };
    let Some(indicator) = indicator else {
        place.no_counterpart("a target whose indicator is not in the text");
        return;
    };
    let stem = name.unwrap_or(if indicator.name == "indicator" { slo } else { &indicator.name });
    let id = draft.id_at(at, stem);
    let worse = if indicator.bad { Worse::Higher } else { Worse::Lower };
    let bound = if indicator.bad { decimal(1.0 - target) } else { target };
    let mut metric = MetricDraft::gauge(id, stem, worse);
    if !indicator.raw {
        metric.kind = MetricKind::Proportion;
    }
    metric.success = Some(Limit::Figure(bound));
    draft.metrics.push(metric);
    let there = match (indicator.threshold, operator, value) {
        (true, Some(operator), Some(value)) => {
            format!("{target} of the values have to be {operator} {value}")
        }
        (true, ..) => {
            at.lacks::<()>("op", "`op: lte`, and a `value`");
            return;
        }
        (false, ..) if indicator.bad => format!("at most {bound} of the events may be bad"),
        (false, ..) => format!("{target} of the events have to be good"),
    };
    let counted = if indicator.bad { "bad events" } else { "good events" };
    let readings = if indicator.raw {
        format!("readings are the ratio of {counted} to all events, as there are no counts of them")
    } else {
        format!("readings are counts: {counted}, and all events")
    };
    at.put(there, format!("{readings}; a miss alone does not roll back"));
}

fn alerts(spec: &At<'_>, sources: &[Source<'_>], draft: &mut Draft) {
    for item in spec.list("alertPolicies") {
        // A name, a table with a reference, or the inline alert policy.
        let reference = match item.node.key("alertPolicyRef") {
            Some(_) => item.get("alertPolicyRef"),
            None if item.node.key("spec").is_some() => None,
            None => Some(item.clone()),
        };
        if let Some(policy) = meant(item, reference, sources, "AlertPolicy")
            && let Some(spec) = policy.need("spec", "`spec:` with `conditions`")
        {
            alert_policy(&spec, sources, draft);
        }
    }
}

fn alert_policy(spec: &At<'_>, sources: &[Source<'_>], draft: &mut Draft) {
    nothing(spec, &["description", "alertWhenResolved"]);
    no_counterpart(spec, &[("notificationTargets", "the receivers of an alert")]);
    if let Some((true, no_data)) = spec.read("alertWhenNoData", At::flag) {
        no_data.no_data("somebody is notified of missing data", "a person is asked");
    }
    let breaching = spec.read("alertWhenBreaching", At::flag);
    let silent = breaching.filter(|(alerts, _)| !alerts);
    if let Some((_, at)) = &silent {
        at.put("a breach of its conditions raises no alert", "there is no alert bound for them");
    }
    for condition in spec.list("conditions") {
        let reference = condition.get("conditionRef");
        let Some(condition) = meant(condition, reference, sources, "AlertCondition") else {
            continue;
        };
        if silent.is_some() {
            condition.ignore();
        } else if let Some(spec) = condition.need("spec", "`spec:` with `condition`") {
            alert_condition(&spec, draft);
        }
    }
}

/// What a reference names, or what is written in its place.
fn meant<'s>(
    inline: At<'s>,
    reference: Option<At<'s>>,
    sources: &[Source<'s>],
    kind: &'static str,
) -> Option<At<'s>> {
    let Some(reference) = reference else {
        nothing(&inline, &["apiVersion", "kind", "metadata"]);
        return Some(inline);
    };
    let name = reference.text()?;
    let source = named(sources, &[kind], name);
    if source.is_none() {
        reference.remark(ImportFinding::MissingDocument { kind, name: shown(name) });
    }
    source.map(|source| source.at.clone())
}

/// Reads a burn rate: a multiple of the errors that the budget allows.
fn alert_condition(spec: &At<'_>, draft: &mut Draft) {
    nothing(spec, &["description"]);
    spec.leave_out("severity", At::text, "the severity of an alert");
    let Some(condition) = spec.need("condition", "`condition:` with `kind: burnrate`") else {
        return;
    };
    let kind = condition.get("kind").and_then(|at| at.word(&["burnrate"]));
    let operator = condition
        .need("op", "`op: gte`")
        .and_then(|at| Some((at.word(&["gt", "gte", "lt", "lte"])?, at)));
    if let Some(("lt" | "lte", at)) = operator {
        at.no_counterpart("an alert on a low burn rate");
        condition.ignore();
        return;
    }
    let threshold = condition
        .need("threshold", "`threshold: 2`")
        .and_then(|at| Some((at.number_within(0.0, 1e6, "a number from 0 to a million")?, at)));
    condition.leave_out("lookbackWindow", At::text, "the window of the rate");
    condition.leave_out("alertAfter", At::text, "a wait before an alert");
    let (Some(_), Some((rate, at))) = (kind, threshold) else { return };
    let mut bounds = Vec::new();
    for metric in &mut draft.metrics {
        let Some(Limit::Figure(bound)) = metric.success else { continue };
        // The budget is the rest of the objective.
        let alert = match metric.worse {
            Worse::Lower => decimal(1.0 - (1.0 - bound) * rate),
            Worse::Higher => decimal(bound * rate),
        };
        if !(0.0..=1.0).contains(&alert) {
            continue;
        }
        let sooner = |before: f64| match metric.worse {
            Worse::Lower => before > alert,
            Worse::Higher => before < alert,
        };
        // The first of several is used.
        if !matches!(metric.alert, Some(Limit::Figure(before)) if sooner(before)) {
            metric.alert = Some(Limit::Figure(alert));
        }
        bounds.push(alert.to_string());
    }
    if bounds.is_empty() {
        at.no_counterpart(format!(
            "a burn rate of {rate}, which is more than the objective allows"
        ));
        return;
    }
    at.put(
        format!("a burn rate of {rate} raises an alert"),
        format!("the alert bound is {}, and it holds the phase", bounds.join(" and ")),
    );
}
