//! Analysis templates of Argo Rollouts: metrics with conditions, intervals and tolerated failures.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::draft::{Draft, Limit, MetricDraft, seconds};
use super::dry_run::DryRuns;
use super::expression::{self, Accepts, Series};
use super::finding::ImportFinding;
use super::nothing;
use super::reader::{At, is_no_time};
use super::source::{Source, named};
use crate::grade::Worse;
use crate::text::shown;

/// Most levels of templates that reference templates.
const MOST_DEEP: usize = 8;
/// Argo's default for `consecutiveErrorLimit`.
const ERRORS_TOLERATED: f64 = 4.0;
/// Seconds after which Argo repeats a measurement that failed.
const REPEATED_AFTER: f64 = 10.0;
/// Largest accepted count.
const MOST_COUNT: f64 = 1e6;

type Arguments = BTreeMap<String, Option<String>>;

/// The analysis of a rollout, as far as read.
#[derive(Default)]
pub(super) struct Analysis<'s, 'd> {
    sources: &'s [Source<'d>],
    /// Templates by kind and name, with how long one run takes.
    read: BTreeMap<(&'static str, String), f64>,
    /// The dry runs of the present analysis.
    dry_runs: DryRuns<'d>,
    /// Its metrics, until all of its dry runs are known.
    metrics: Vec<Metric<'d>>,
    /// The names of the metrics of earlier analyses.
    names: Vec<Vec<char>>,
    /// For deciding metrics: the breaches that end a rollout, and whether missing data is accepted.
    limits: Vec<(At<'d>, f64)>,
    guarded: Vec<bool>,
    errors: Option<f64>,
    /// The interval of each metric in seconds. None if it is measured once.
    intervals: Vec<(At<'d>, Option<f64>)>,
    /// The places of delays, in seconds.
    delays: Vec<(At<'d>, f64)>,
    /// Whether a metric has inconclusive values.
    undecided: bool,
    first: Option<At<'d>>,
}

/// A metric whose times have been read.
struct Metric<'d> {
    at: At<'d>,
    name: &'d str,
    arguments: Rc<Arguments>,
    delay: Option<f64>,
    interval: Option<f64>,
    count: Option<f64>,
}

pub(super) const TEMPLATES: [&str; 2] = ["AnalysisTemplate", "ClusterAnalysisTemplate"];

impl<'s, 'd> Analysis<'s, 'd> {
    pub(super) fn new(sources: &'s [Source<'d>]) -> Self {
        Self { sources, ..Self::default() }
    }

    /// Reads the templates of a rollout's analysis. Returns the duration of one run in seconds.
    pub(super) fn of(&mut self, at: &At<'d>, draft: &mut Draft) -> f64 {
        nothing(at, &["measurementRetention", "analysisRunMetadata"]);
        let arguments = arguments(at, &Arguments::new());
        self.dry_runs.read(at);
        let run = self.templates(at, &arguments, 0);
        self.judge(draft);
        run
    }

    /// Reads a template without a rollout.
    pub(super) fn alone(&mut self, source: &Source<'d>, draft: &mut Draft) {
        source.used.set(true);
        self.template(&source.at, &Arguments::new(), 0);
        self.judge(draft);
    }

    /// Adds the metrics of an analysis. A dry run applies to the metrics of all its templates.
    fn judge(&mut self, draft: &mut Draft) {
        let metrics = std::mem::take(&mut self.metrics);
        for metric in &metrics {
            self.metric(metric, draft);
        }
        self.dry_runs.conclude(&self.names);
        self.names.extend(metrics.iter().map(|metric| metric.name.chars().collect()));
    }

    fn templates(&mut self, at: &At<'d>, arguments: &Arguments, depth: usize) -> f64 {
        let mut longest: f64 = 0.0;
        for item in at.list("templates") {
            let cluster = item.get("clusterScope").and_then(|at| at.flag()).unwrap_or(false);
            let Some(name) = item.need("templateName", "`templateName: success-rate`") else {
                continue;
            };
            let Some(text) = name.text() else { continue };
            let kind = TEMPLATES[usize::from(cluster)];
            let key = (kind, text.to_owned());
            if let Some(run) = self.read.get(&key) {
                name.put(
                    format!("the template `{}` is referenced again", shown(text)),
                    "its metrics are already judged in every phase",
                );
                longest = longest.max(*run);
                continue;
            }
            let Some(source) = named(self.sources, &[kind], text).filter(|_| depth < MOST_DEEP)
            else {
                name.remark(ImportFinding::MissingDocument { kind, name: shown(text) });
                continue;
            };
            // Before it is read: a template that references itself is read once.
            self.read.insert(key.clone(), 0.0);
            let run = self.template(&source.at, arguments, depth + 1);
            self.read.insert(key, run);
            longest = longest.max(run);
        }
        longest
    }

    fn template(&mut self, at: &At<'d>, given: &Arguments, depth: usize) -> f64 {
        let Some(spec) = at.need("spec", "`spec:` with `metrics`") else { return 0.0 };
        nothing(&spec, &["measurementRetention", "ttlStrategy"]);
        let arguments = Rc::new(arguments(&spec, given));
        self.dry_runs.read(&spec);
        let mut longest = self.templates(&spec, &arguments, depth);
        for metric in spec.list("metrics") {
            longest = longest.max(self.times(metric, &arguments));
        }
        longest
    }

    /// Reads how often a metric is measured. Returns the duration in seconds.
    fn times(&mut self, at: At<'d>, arguments: &Rc<Arguments>) -> f64 {
        let name = at.name("`name: error-rate`").unwrap_or("metric");
        let delay = at.get("initialDelay").and_then(|at| delay(&at, arguments));
        let interval = at.get("interval").and_then(|at| duration(&at, arguments));
        let count = at.get("count").and_then(|at| whole(&at, arguments, 0.0));
        // Without an interval there is one measurement.
        let measurements = match (interval, count) {
            (None, None) => 1.0,
            (_, count) => count.unwrap_or(0.0),
        };
        let run = delay.unwrap_or(0.0) + (measurements - 1.0).max(0.0) * interval.unwrap_or(0.0);
        let arguments = Rc::clone(arguments);
        self.metrics.push(Metric { at, name, arguments, delay, interval, count });
        run
    }

    /// Reads the criteria of a metric.
    fn metric(&mut self, metric: &Metric<'d>, draft: &mut Draft) {
        let Metric { at, name, arguments, delay, interval, count } = metric;
        let (delay, interval, count) = (*delay, *interval, *count);
        let limit = at.read("failureLimit", |at| whole(at, arguments, -1.0));
        let place_of_errors = at.get("consecutiveErrorLimit");
        let errors = place_of_errors.as_ref().and_then(|at| whole(at, arguments, -1.0));
        for (key, what) in [
            ("inconclusiveLimit", "a number of tolerated inconclusive measurements"),
            ("consecutiveSuccessLimit", "an end after a number of successes in a row"),
        ] {
            let read = |at: &At<'_>| whole(at, arguments, -1.0).filter(|number| *number != 0.0);
            at.leave_out(key, read, what);
        }
        let success = at.get("successCondition");
        let failure = at.get("failureCondition");
        let provided = provider(at, name);
        let dry = self.dry_runs.covers(name, provided);
        if !provided {
            for condition in [&success, &failure].into_iter().flatten() {
                condition.ignore();
            }
            return;
        }
        let never_fails = limit.as_ref().is_some_and(|(limit, _)| *limit < 0.0);
        if let (true, Some((_, at))) = (never_fails, &limit) {
            at.put(
                "a metric with `failureLimit: -1` never fails",
                "it is watched but does not decide",
            );
        }
        let decided =
            self.judged(at, name, &[success, failure], arguments, never_fails || dry, draft);
        self.intervals.push((at.get("interval").unwrap_or_else(|| at.clone()), interval));
        if let (Some(count), Some(place)) = (count.filter(|count| *count > 0.0), at.get("count")) {
            place.put(
                format!("the analysis ends after {count} measurements"),
                "the metric is judged until the rollout ends",
            );
        }
        if let (Some(delay), Some(at)) = (delay, at.get("initialDelay")) {
            self.delays.push((at, delay));
        }
        if let (Some(errors), Some(place)) = (errors, place_of_errors) {
            place.no_data(
                format!("tolerated errors in a row for this metric: {errors}"),
                "the smallest number of all metrics applies to each",
            );
        }
        if let (false, Some((tolerated, place))) =
            (decided, limit.as_ref().filter(|limit| limit.0 >= 0.0))
        {
            place.put(
                format!("tolerated failures for this metric: {tolerated}"),
                "the metric does not decide, so the number has no effect",
            );
        }
        if decided {
            self.first.get_or_insert_with(|| at.clone());
            let (limit, at) = limit.unwrap_or((0.0, at.clone()));
            self.limits.push((at, limit));
            let errors = errors.unwrap_or(ERRORS_TOLERATED).max(0.0);
            self.errors = Some(self.errors.map_or(errors, |before| before.min(errors)));
        }
    }

    /// Adds a metric. Returns whether it decides.
    fn judged(
        &mut self,
        at: &At<'d>,
        name: &str,
        conditions: &[Option<At<'d>>; 2],
        arguments: &Arguments,
        watched: bool,
        draft: &mut Draft,
    ) -> bool {
        let understood = |condition: &Option<At<'d>>, turned: bool| {
            let Some(at) = condition else { return Ok(None) };
            let Some(text) = resolved(at, arguments) else { return Err(()) };
            let read = expression::read(&text).and_then(|accepts| {
                let good = if turned { accepts.not() } else { accepts };
                if good.series == Series::Any {
                    return Err("it is met if any series meets it".to_owned());
                }
                let sides = sides(&good)?;
                Ok((good, sides))
            });
            match read {
                Ok((good, sides)) => {
                    // Only a guard by name shows that the author considered missing data.
                    let guard = ["isNaN", "isNil", "nil", "len(", "default("];
                    let guarded = good.missing && guard.iter().any(|guard| text.contains(guard));
                    if good.series == Series::All {
                        at.put(
                            "every series has to meet the condition",
                            "a metric has one value: send the worst of the series",
                        );
                    }
                    Ok(Some((sides, guarded)))
                }
                Err(why) => {
                    at.remark(ImportFinding::Condition { condition: shown(&text), why });
                    Err(())
                }
            }
        };
        let [success, failure] = conditions;
        let read = match (understood(success, false), understood(failure, true)) {
            (Ok(Some(good)), Ok(Some(fine))) => {
                self.undecided = true;
                Some((good, fine))
            }
            (Ok(Some(only)), Ok(None)) | (Ok(None), Ok(Some(only))) => Some((only, only)),
            (Ok(None), Ok(None)) => {
                at.differs(
                    format!(
                        "`{}` has no condition, so each measurement is inconclusive",
                        shown(name)
                    ),
                    "it is watched but does not decide",
                );
                None
            }
            (Err(()), _) | (_, Err(())) => None,
        };
        let Some(((good, good_guarded), (fine, fine_guarded))) = read else {
            Self::put(at, name, (None, None), (None, None), true, draft);
            return false;
        };
        let guarded = good_guarded || fine_guarded;
        Self::put(at, name, good, fine, watched, draft);
        if guarded {
            let place = conditions.iter().flatten().next().unwrap_or(at);
            place.no_data(
                format!("`{}` passes without data", shown(name)),
                "missing data holds the rollout",
            );
        }
        if !watched {
            self.guarded.push(guarded);
        }
        !watched
    }

    /// A metric for each side that has a bound.
    fn put(at: &At<'d>, name: &str, good: Sides, fine: Sides, watched: bool, draft: &mut Draft) {
        two_sided(at, name, good, fine, watched, draft);
        for (condition, bounds) in [("successCondition", good), ("failureCondition", fine)] {
            for bound in [bounds.0, bounds.1].into_iter().flatten() {
                // The number next to a written one: a bound includes its value, the condition did
                // not.
                if let Some(written) = beside(bound)
                    && let Some(at) = at.get(condition)
                {
                    at.put(
                        format!("the condition excludes {written} itself"),
                        format!("a bound includes its value, so it is {bound}"),
                    );
                }
            }
        }
    }

    /// Sets the values of the whole policy after every metric is read.
    pub(super) fn conclude(&mut self, draft: &mut Draft) {
        let known = || self.intervals.iter().filter_map(|(_, interval)| *interval);
        let least = known().fold(f64::INFINITY, f64::min);
        let most = known().fold(0.0, f64::max);
        if least.is_finite() {
            draft.cadence = least;
            draft.stale = 2.0 * most;
            for (at, interval) in
                self.intervals.iter().filter(|(_, interval)| *interval != Some(least))
            {
                let there = match interval {
                    Some(interval) => format!("it is measured every {}", seconds(*interval)),
                    None => "it is measured once".to_owned(),
                };
                let here = format!("the metrics are evaluated every {}", seconds(least));
                at.differs(there, here);
            }
        } else if let Some(first) = &self.first {
            let value = seconds(draft.cadence);
            first.remark(ImportFinding::Completed { what: "the measurement interval", value });
        }
        draft.window = draft.cadence;
        if self.undecided {
            draft.missed = "ask";
        }
        let fewest = self.limits.iter().map(|(_, limit)| *limit).fold(f64::INFINITY, f64::min);
        if fewest.is_finite() {
            let evaluations = fewest.max(0.0) + 1.0;
            draft.consecutive_breaches = evaluations;
            for (at, limit) in &self.limits {
                if *limit != 0.0 || evaluations > 1.0 {
                    let there = format!("tolerated failures in total for this metric: {limit}");
                    at.remark(ImportFinding::Tolerated { there, evaluations });
                }
            }
        }
        if let (Some(errors), Some(first)) = (self.errors, &self.first) {
            let after = REPEATED_AFTER * (errors + 1.0);
            let all_guarded = self.guarded.iter().all(|guarded| *guarded);
            draft.no_data = (after, if all_guarded { "hold" } else { "roll_back" });
            let there = format!(
                "a measurement without a value is an error, repeated after {REPEATED_AFTER}s, and more than {errors} in a row end the rollout"
            );
            let then = if all_guarded { "it continues to hold" } else { "it rolls back" };
            let here = format!("it holds for {}, then {then}", seconds(after));
            first.no_data(there, here);
            first.differs(
                "an analysis that ends before its first measurement counts as successful",
                "no phase passes without a reading of each deciding metric",
            );
        }
        let warm_up = self.delays.iter().map(|(_, delay)| *delay).fold(0.0, f64::max);
        let fits = draft.shortest_watch() >= warm_up + draft.cadence;
        for (at, _) in &self.delays {
            if fits {
                draft.warm_up = warm_up;
                at.differs(
                    "the first measurement is delayed once",
                    format!("the first {} of every phase are ignored", seconds(warm_up)),
                );
            } else {
                at.no_counterpart("a delay of the first measurement that is as long as a phase");
            }
        }
    }
}

/// The least and the greatest accepted value. None without a limit.
pub(super) type Sides = (Option<f64>, Option<f64>);

/// A metric for each side with a bound. `good` has the values that succeed, `fine` those that do
/// not fail.
pub(super) fn two_sided(
    at: &At<'_>,
    name: &str,
    good: Sides,
    fine: Sides,
    watched: bool,
    draft: &mut Draft,
) {
    let bounded = |metric, good: Option<f64>, fine: Option<f64>| MetricDraft {
        watched,
        success: good.map(Limit::Figure),
        rollback: fine.map(Limit::Figure),
        ..metric
    };
    let (below, above) = (good.0.or(fine.0), good.1.or(fine.1));
    if below.is_some() && above.is_some() {
        let [low, high] = draft.two_gauges(at, name);
        draft.metrics.push(bounded(low, good.0, fine.0));
        draft.metrics.push(bounded(high, good.1, fine.1));
    } else {
        let id = draft.id_at(at, name);
        let metric = if below.is_some() {
            bounded(MetricDraft::gauge(id, name, Worse::Lower), good.0, fine.0)
        } else {
            bounded(MetricDraft::gauge(id, name, Worse::Higher), good.1, fine.1)
        };
        draft.metrics.push(metric);
    }
}

/// The one range that a condition accepts.
fn sides(good: &Accepts) -> Result<Sides, String> {
    let [(low, high)] = good.intervals[..] else {
        let why = if good.intervals.is_empty() {
            "no value meets it"
        } else {
            "it accepts several ranges"
        };
        return Err(why.to_owned());
    };
    let finite = |bound: f64| bound.is_finite().then_some(bound);
    match (finite(low), finite(high)) {
        (None, None) => Err("every value meets it".to_owned()),
        sides => Ok(sides),
    }
}

/// The written figure, if a bound is the number next to it.
fn beside(bound: f64) -> Option<f64> {
    let digits = |number: f64| number.to_string().len();
    [bound.next_up(), bound.next_down()].into_iter().find(|near| digits(*near) + 6 < digits(bound))
}

/// Whether a metric's provider gives a value that conditions can be applied to.
fn provider(at: &At<'_>, name: &str) -> bool {
    const VALUES: [&str; 9] = [
        "prometheus",
        "datadog",
        "wavefront",
        "newRelic",
        "cloudWatch",
        "graphite",
        "influxdb",
        "skywalking",
        "web",
    ];
    const OTHERS: [(&str, &str); 3] = [
        ("job", "a metric from a job, which gives no value"),
        ("kayenta", "a metric that Kayenta judges: import its configuration"),
        ("plugin", "a metric of a plugin"),
    ];
    let Some(provider) = at.need("provider", "`provider:` with a query") else { return false };
    for key in VALUES {
        if let Some(found) = provider.get(key) {
            found.lost(ImportFinding::Query { metric: shown(name) });
            return true;
        }
    }
    for (key, what) in OTHERS {
        if let Some(found) = provider.get(key) {
            found.lost(ImportFinding::NoCounterpart { what: what.to_owned() });
            return false;
        }
    }
    // An unknown key gets its own finding.
    true
}

/// Arguments by name. Given values override defaults.
fn arguments(at: &At<'_>, given: &Arguments) -> Arguments {
    let mut arguments = given.clone();
    for item in at.list("args") {
        let name = item.name("`name: service`");
        let value = item.get("value").and_then(|value| value.text());
        if let Some(from) = item.get("valueFrom") {
            from.ignore();
        }
        if let Some(name) = name {
            let known = arguments.entry(name.to_owned()).or_default();
            if known.is_none() {
                *known = value.map(str::to_owned);
            }
        }
    }
    arguments
}

/// A text with the values of its arguments. Adds a finding for an argument without a value.
fn resolved(at: &At<'_>, arguments: &Arguments) -> Option<String> {
    let text = at.text()?;
    let mut whole = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        whole.push_str(before);
        let Some((name, after)) = after.split_once("}}") else {
            whole.push_str("{{");
            rest = after;
            continue;
        };
        let name = name.trim();
        let value = name.strip_prefix("args.").and_then(|name| arguments.get(name)?.as_deref());
        let Some(value) = value else {
            at.remark(ImportFinding::Argument { name: shown(name) });
            return None;
        };
        whole.push_str(value);
        rest = after;
    }
    whole.push_str(rest);
    Some(whole)
}

fn duration(at: &At<'_>, arguments: &Arguments) -> Option<f64> {
    let text = resolved(at, arguments)?;
    at.duration_in(&text)
}

/// A delay. None if it is 0, which Argo accepts.
fn delay(at: &At<'_>, arguments: &Arguments) -> Option<f64> {
    let text = resolved(at, arguments)?;
    if is_no_time(&text) { None } else { at.duration_in(&text) }
}

/// A whole number, or a text with one.
fn whole(at: &At<'_>, arguments: &Arguments, least: f64) -> Option<f64> {
    let text = resolved(at, arguments)?;
    let number = at.number_in(text.trim())?;
    let number = at.within(number, least, MOST_COUNT, "a whole number from -1 to a million")?;
    (number.fract() == 0.0)
        .then_some(number)
        .or_else(|| at.within(f64::NAN, least, MOST_COUNT, "a whole number"))
}
