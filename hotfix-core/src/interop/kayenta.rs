//! Kayenta: a canary configuration, alone or in a request.

use super::draft::{Draft, Limit, MetricDraft, PRESET, percent, seconds};
use super::fault::Fault;
use super::finding::ImportFinding;
use super::reader::At;
use super::source::Source;
use super::{no_counterpart, nothing, platform};
use crate::grade::Worse;
use crate::policy::Policy;
use crate::text::{brief, shown};

/// The judge ignores a shift within this part of its estimate.
const TOLERANCE: f64 = 0.25;
/// The judge whose settings are known.
const JUDGE: &str = "NetflixACAJudge-v1.0";
const MINUTES: &str = "a number of minutes from 0 to a million";

pub(super) fn import(sources: &[Source<'_>]) -> Option<Draft> {
    let source = sources.first()?;
    source.used.set(true);
    for other in sources.iter().skip(1) {
        other.used.set(true);
        other.at.ignore();
        other.at.fail::<()>(Fault::Several { what: "configuration" });
    }
    let root = &source.at;
    let config = root.get("canaryConfig").unwrap_or_else(|| root.clone());
    nothing(
        &config,
        &[
            "applications",
            "configVersion",
            "createdTimestamp",
            "createdTimestampIso",
            "description",
            "id",
            "updatedTimestamp",
            "updatedTimestampIso",
        ],
    );
    let name = config.text_of("name").unwrap_or_default();
    let mut draft =
        Draft::new(name, format!("Kayenta configuration {}", brief(name)).trim_end().to_owned());
    // A failing score ends a canary; a person decides on a marginal one.
    draft.missed = "ask";
    no_counterpart(&config, &[("templates", "query templates, which your deploy tool fills in")]);
    classifier(&config);
    let mut needed = false;
    let metrics = config.need("metrics", "`metrics:` with at least one metric")?;
    for metric in metrics.items() {
        needed |= self::metric(&metric, &mut draft);
    }
    sizes_of_arms(&metrics);
    let then = if needed { "roll_back" } else { "ask" };
    // The judge has all points of a lifetime, so bounds apply once they are there.
    draft.window = draft.shortest_watch();
    if let Some(request) = root.get("executionRequest") {
        self::request(&request, &mut draft);
    }
    judge(&config, &draft);
    draft.no_data = (draft.stale * 2.0, then);
    config.no_data(
        "missing data fails a critical metric, a metric that must have data, and a canary in which half of the metrics have none",
        if needed { "missing data of any metric rolls the release back" } else { "a person is asked" },
    );
    draft.complete(&config);
    Some(draft)
}

/// Kayenta compares clusters of one size, a policy the canary with the rest of the traffic.
fn sizes_of_arms(metrics: &At<'_>) {
    let preset = Policy::preset(PRESET);
    let first = preset.iter().flat_map(Policy::phases).next();
    let share = first.map_or(0.0, |phase| phase.share.as_fraction());
    let (canary, live) = (percent(share), percent(1.0 - share));
    metrics.differs(
        "canary and baseline are clusters of one size",
        format!("the baseline is the live version, which has {live}% of the traffic while the canary has {canary}%: send values per request, or those of a baseline of the canary's size; sums differ without a fault"),
    );
}

fn judge(config: &At<'_>, draft: &Draft) {
    let at = config.get("judge").unwrap_or_else(|| config.clone());
    let mut name = JUDGE;
    if let Some(judge) = config.get("judge") {
        nothing(&judge, &["judgeConfigurations"]);
        name = judge.text_of("name").unwrap_or(name);
    }
    let (there, instead) = if name == JUDGE {
        (
            format!(
                "the judge `{JUDGE}` compares the points of both arms with a rank test, at the same level for every evaluation, and passes what is not significant"
            ),
            "hotfix.kayenta judges like the original",
        )
    } else {
        (
            format!(
                "the judge `{}` is not known: its settings are read like those of `{JUDGE}`",
                shown(name)
            ),
            "hotfix.kayenta does not judge like it either",
        )
    };
    let window = seconds(draft.window);
    at.differs(there, format!("the ratio of their means over {window} decides, from when readings cover that time, and without a test: few events exceed a bound by chance, and any does where the live arm has none; {instead}"));
}

fn classifier(config: &At<'_>) {
    let Some(classifier) = config.get("classifier") else { return };
    if let Some(weights) = classifier.get("groupWeights") {
        for (_, weight) in weights.entries() {
            let _ = weight.loose_number();
        }
        weights.no_counterpart("a score of weighted groups");
    }
    if let Some(scores) = classifier.get("scoreThresholds") {
        thresholds(&scores);
    }
}

fn thresholds(scores: &At<'_>) {
    for key in ["pass", "marginal"] {
        let _ = scores.get(key).and_then(|at| at.loose_number());
    }
    scores.differs(
        "the score of all metrics together decides",
        "each metric is judged separately: a critical one rolls back, another asks a person",
    );
}

/// Reads a metric. Returns whether it fails without data.
fn metric(at: &At<'_>, draft: &mut Draft) -> bool {
    nothing(at, &["id", "scopeName"]);
    let name = at.name("`name: errors`").unwrap_or("metric");
    for group in at.list("groups") {
        let _ = group.text();
    }
    if let Some(query) = at.get("query") {
        query.lost(ImportFinding::Query { metric: shown(name) });
    }
    let analysis = at.get("analysisConfigurations");
    // The newer key has precedence if a document has both.
    let older = at.get("extensions");
    if let (Some(older), true) = (&older, analysis.is_some()) {
        older.lost(ImportFinding::Put {
            there: "`analysisConfigurations` gives the settings".to_owned(),
            here: "`extensions` has no effect".to_owned(),
        });
    }
    let Some(canary) = analysis.or(older).and_then(|analysis| analysis.get("canary")) else {
        put(at, name, "either", Sizes::default(), false, false, draft);
        return false;
    };
    let flag = |key| canary.get(key).and_then(|at| at.flag()).unwrap_or(false);
    let (critical, muted, must_have) = (flag("critical"), flag("muted"), flag("mustHaveData"));
    let direction = canary.read("direction", At::text);
    if let Some((word, at)) = &direction
        && !["increase", "decrease", "either"].contains(word)
    {
        at.put(
            format!("`{}` is not a valid direction, and is read as `either`", shown(word)),
            "the metric has bounds on both sides",
        );
    }
    let direction = direction.map_or("either", |(word, _)| word);
    if let Some((word, strategy)) = canary.read("nanStrategy", At::text) {
        match word {
            "remove" => {}
            "replace" => {
                strategy.no_data("missing points count as 0", "a missing reading is left out");
            }
            _ => strategy.put(
                format!("`{}` is not a valid strategy, and is read as `remove`", shown(word)),
                "a missing reading is left out",
            ),
        }
    }
    if let Some(outliers) = canary.get("outliers") {
        let _ = outliers.get("outlierFactor").and_then(|at| at.loose_number());
        if outliers.text_of("strategy") == Some("remove") {
            outliers.no_counterpart("the removal of outliers, which also removes rare errors");
        }
    }
    let sizes = canary.get("effectSize").map(|at| sizes(&at)).unwrap_or_default();
    put(&canary, name, direction, sizes, critical, muted, draft);
    !muted && (critical || must_have)
}

/// Ratios of the means from which a shift counts and from which it is critical. None if any
/// significant shift does.
#[derive(Clone, Copy, Default)]
struct Sizes {
    increase: [Option<f64>; 2],
    decrease: [Option<f64>; 2],
}

fn sizes(at: &At<'_>) -> Sizes {
    let ratio = |key| {
        let number = at.get(key)?;
        number.within(number.loose_number()?, 0.0, 1e6, "a number from 0 to a million")
    };
    let increase = ["allowedIncrease", "criticalIncrease"].map(ratio);
    let decrease = ["allowedDecrease", "criticalDecrease"].map(ratio);
    if at.text_of("measure") == Some("cles") {
        at.no_counterpart("an effect measured as the chance that one arm exceeds the other");
        return Sizes::default();
    }
    Sizes {
        increase: increase.map(|size| size.filter(|size| *size > 1.0)),
        decrease: decrease.map(|size| size.filter(|size| *size < 1.0 && *size > 0.0)),
    }
}

fn put(
    at: &At<'_>,
    name: &str,
    direction: &str,
    sizes: Sizes,
    critical: bool,
    muted: bool,
    draft: &mut Draft,
) {
    let sides = match direction {
        "increase" => vec![MetricDraft::gauge(draft.id_at(at, name), name, Worse::Higher)],
        "decrease" => vec![MetricDraft::gauge(draft.id_at(at, name), name, Worse::Lower)],
        _ => draft.two_gauges(at, name).into(),
    };
    for mut metric in sides {
        let ([allowed, critical_from], otherwise) = match metric.worse {
            Worse::Higher => (sizes.increase, 1.0 + TOLERANCE),
            Worse::Lower => (sizes.decrease, 1.0 / (1.0 + TOLERANCE)),
        };
        let allowed = allowed.unwrap_or_else(|| {
            at.remark(ImportFinding::NoTest {
                there: format!("any significant shift of `{}` counts", shown(name)),
                ratio: otherwise.to_string(),
            });
            otherwise
        });
        // A critical shift is also one that counts.
        let critical_from = critical_from.filter(|from| metric.worse.is_beyond(*from, allowed));
        metric.watched = muted;
        metric.success = Some(Limit::OfLive(allowed));
        if critical {
            metric.rollback = Some(Limit::OfLive(critical_from.unwrap_or(allowed)));
        } else {
            metric.alert = metric.success;
        }
        draft.metrics.push(metric);
    }
}

fn request(at: &At<'_>, draft: &mut Draft) {
    let time = |at: &At<'_>| Some(at.within(at.loose_number()?, 0.0, 1e6, MINUTES)? * 60.0);
    let minutes = |key| at.read(key, |at| time(at).filter(|time| *time > 0.0));
    if let Some((interval, _)) = minutes("analysisIntervalMins") {
        draft.cadence = interval;
        draft.stale = 2.0 * interval;
    }
    let begin = minutes("beginAfterMins");
    if let Some((lifetime, at)) = minutes("lifetimeDurationMins") {
        let lifetime = lifetime.max(draft.cadence);
        (draft.lifetime, draft.window) = (Some(lifetime), lifetime);
        at.put(
            "the canary is judged for its lifetime",
            "the first phase is watched for that time, and the others at least",
        );
    }
    if let Some((begin, at)) = begin {
        draft.warm_up = begin;
        draft.lifetime = draft.lifetime.map(|watch| watch + begin);
        at.differs("the judge begins later, only once", "the beginning of every phase is ignored");
    }
    if let Some((back, at)) = minutes("lookbackMins") {
        draft.window = draft.window.min(back).max(draft.cadence);
        at.put(
            "each evaluation has the points of the last minutes",
            format!("the window of the bounds is {}", seconds(draft.window)),
        );
    }
    nothing(at, &["siteLocal", "metadata"]);
    platform(at, &[("scopes", "the instances of control and experiment")]);
    if let Some(scores) = at.get("thresholds") {
        thresholds(&scores);
    }
}
