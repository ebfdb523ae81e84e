//! Analysis templates of Argo Rollouts: metrics with conditions, intervals and tolerated failures.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::arguments::{Arguments, arguments, delay, duration, resolved, whole};
use super::draft::{Draft, Limit, MetricDraft, seconds};
use super::dry_run::DryRuns;
use super::expression::{self, Accepts, Series};
use super::finding::ImportFinding;
use super::nothing;
use super::reader::At;
use super::source::{Source, named};
use crate::grade::{Response, Worse};
use crate::text::shown;

/// Most levels of templates that reference templates.
const MOST_DEEP: usize = 8;
/// Argo's default for `consecutiveErrorLimit`.
const ERRORS_TOLERATED: f64 = 4.0;
/// Seconds after which Argo repeats a measurement that failed.
const REPEATED_AFTER: f64 = 10.0;

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
    /// For deciding metrics: the breaches that end a rollout.
    limits: Vec<(At<'d>, f64)>,
    /// For deciding metrics: the most severe response to missing data.
    no_data: Option<Response>,
    errors: Option<f64>,
    /// The interval of each metric in seconds. None if it is measured once.
    intervals: Vec<(At<'d>, Option<f64>)>,
    /// The places of delays, in seconds.
    delays: Vec<(At<'d>, f64)>,
    /// Conditions that pass without data, each with the name of its metric.
    guarded: Vec<(At<'d>, String)>,
    /// Metrics with inconclusive values.
    inconclusive: Vec<At<'d>>,
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

    fn metric(&mut self, metric: &Metric<'d>, draft: &mut Draft) {
        let Metric { at, name, arguments, delay, interval, count } = metric;
        let (delay, interval, count) = (*delay, *interval, *count);
        let limit = at.read("failureLimit", |at| whole(at, arguments, -1.0));
        let place_of_errors = at.get("consecutiveErrorLimit");
        let errors = place_of_errors.as_ref().and_then(|at| whole(at, arguments, -1.0));
        let some = |at: &At<'_>| whole(at, arguments, -1.0).filter(|number| *number != 0.0);
        at.leave_out("inconclusiveLimit", some, "a number of tolerated inconclusive measurements");
        let conditions = ["successCondition", "failureCondition"].map(|key| at.get(key));
        let provided = provider(at, name);
        let dry = self.dry_runs.covers(name, provided);
        let never_fails = limit.as_ref().filter(|(limit, _)| *limit < 0.0).map(|(_, at)| at);
        let needs = at.read("consecutiveSuccessLimit", some);
        if !provided {
            conditions.iter().flatten().for_each(At::ignore);
            return;
        }
        let rule = unless_fails(never_fails, needs);
        let rule = if dry { Crossing::Nothing } else { rule };
        let decided = self.judged(at, name, &conditions, arguments, rule, draft);
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
            if rule == Crossing::RollsBack {
                let (limit, at) = limit.unwrap_or((0.0, at.clone()));
                self.limits.push((at, limit));
            }
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
        rule: Crossing,
        draft: &mut Draft,
    ) -> bool {
        let [success, failure] = conditions.each_ref().map(Option::as_ref);
        let read = match (values(success, arguments, false), values(failure, arguments, true)) {
            (Ok(Some(good)), Ok(Some(fine))) => Some((good, fine)),
            (Ok(Some(only)), Ok(None)) | (Ok(None), Ok(Some(only))) => Some((only, only)),
            (Ok(None), Ok(None)) => {
                at.differs(
                    format!("`{}` has no condition, so each measurement succeeds", shown(name)),
                    "it is watched but does not decide",
                );
                None
            }
            (Err(()), _) | (_, Err(())) => None,
        };
        let Some((good, fine)) = read else {
            Self::put(at, name, (None, None), (None, None), Crossing::Nothing, draft);
            return false;
        };
        let before = draft.metrics.len();
        let most = if rule == Crossing::Misses { good.sides } else { fine.sides };
        Self::put(at, name, good.sides, most, rule, draft);
        if draft.metrics.iter().skip(before).any(|metric| metric.alert.is_some()) {
            self.inconclusive.push(at.clone());
        }
        let guarded = good.guarded || fine.guarded;
        if guarded {
            let place = conditions.iter().flatten().next().unwrap_or(at);
            self.guarded.push((place.clone(), shown(name)));
        }
        if rule == Crossing::Nothing {
            return false;
        }
        let no_data = match (guarded, fine.missing) {
            (true, _) => Response::Hold,
            // In Argo NaN passes or waits for a person, and an error ends the rollout.
            (false, true) => Response::Ask,
            (false, false) => Response::RollBack,
        };
        self.no_data = self.no_data.max(Some(no_data));
        if rule == Crossing::Misses {
            draft.missed = "ask";
        }
        true
    }

    /// A metric for each side that has a bound.
    fn put(at: &At<'d>, name: &str, good: Sides, fine: Sides, rule: Crossing, draft: &mut Draft) {
        two_sided(at, name, good, fine, rule, draft);
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
                let here = format!("the metrics are evaluated every {}", seconds(least));
                let (there, here) = match interval {
                    Some(interval) => (
                        format!("it is measured every {}", seconds(*interval)),
                        format!(
                            "{here}, and a reading counts until the next one: send it once, when it is measured"
                        ),
                    ),
                    None => (
                        "it is measured once".to_owned(),
                        format!("{here}, and a reading counts for {}", seconds(draft.stale)),
                    ),
                };
                at.differs(there, here);
            }
        } else if let Some(first) = &self.first {
            let value = seconds(draft.cadence);
            first.remark(ImportFinding::Completed { what: "the measurement interval", value });
        }
        draft.window = draft.cadence;
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
        self.pauses(draft);
        self.missing(most.max(draft.cadence), draft);
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

    /// Values that neither succeed nor fail ask a person.
    fn pauses(&self, draft: &mut Draft) {
        for at in &self.inconclusive {
            (draft.alert, draft.missed) = ("ask", "ask");
            let evaluations = draft.consecutive_breaches;
            let here = if evaluations > 1.0 {
                format!(
                    "it is beyond the alert bound: it holds, and after {evaluations} evaluations in a row a person is asked"
                )
            } else {
                "it is beyond the alert bound, and a person is asked".to_owned()
            };
            let there = "a measurement between the two conditions is inconclusive and pauses the rollout until a person decides";
            at.differs(there, here);
        }
    }

    /// What follows from missing data, where metrics are measured this far apart at most.
    fn missing(&self, interval: f64, draft: &mut Draft) {
        for (place, name) in &self.guarded {
            let here = match self.no_data {
                Some(Response::RollBack) => "one response is for all metrics: it rolls back",
                Some(Response::Ask) => "one response is for all metrics: a person is asked",
                Some(Response::Continue | Response::Hold) | None => {
                    "missing data holds the rollout"
                }
            };
            place.no_data(format!("`{name}` passes without data"), here);
        }
        let known = (self.errors, self.no_data, &self.first);
        let (Some(errors), Some(response), Some(first)) = known else { return };
        // An error is repeated after the interval.
        let after = draft.stale.max(interval + REPEATED_AFTER * (errors + 1.0));
        draft.no_data = (after, response.as_str());
        let then = match response {
            Response::RollBack => "it rolls back",
            Response::Ask => "a person is asked",
            Response::Continue | Response::Hold => "it continues to hold",
        };
        first.no_data(
            format!("a measurement without a value is an error, repeated after {REPEATED_AFTER}s, and more than {errors} in a row end the rollout; NaN is a value that meets no comparison: it passes with `failureCondition` alone, fails with `successCondition` alone, and is inconclusive with both"),
            format!("both are missing data: it holds for {}, then {then}", seconds(after)),
        );
        first.differs(
            "an analysis that ends before its first measurement counts as successful",
            "no phase passes without a reading of each deciding metric",
        );
    }
}

/// What follows from a bound of a metric that is crossed.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Crossing {
    /// Nothing: the metric is only watched.
    Nothing,
    /// The success bound is missed, which is judged over a phase.
    Misses,
    /// A rollback. A value that neither succeeds nor fails raises an alert.
    RollsBack,
}

/// What follows from failures. `never_fails`: the place of a limit of -1. `needs`: the successes in
/// a row that end the analysis.
fn unless_fails(never_fails: Option<&At<'_>>, needs: Option<(f64, At<'_>)>) -> Crossing {
    match (never_fails, needs) {
        (Some(_), Some((needs, place))) => {
            place.differs(
                format!("the analysis fails unless {needs} measurements in a row succeed"),
                "the success bound is judged over each phase, and a miss asks a person",
            );
            Crossing::Misses
        }
        (Some(never), None) => {
            never.put(
                "a metric with `failureLimit: -1` never fails",
                "it is watched but does not decide",
            );
            Crossing::Nothing
        }
        (None, needs) => {
            if let Some((_, place)) = needs {
                place.no_counterpart("an end after a number of successes in a row");
            }
            Crossing::RollsBack
        }
    }
}

/// The values that do not fail, or succeed.
#[derive(Clone, Copy)]
struct Values {
    sides: Sides,
    /// Whether a missing value is one of them.
    missing: bool,
    /// The same, and the condition names it: the author considered it.
    guarded: bool,
}

/// The values that a condition accepts, or with `turned` does not. None without a condition; an
/// error has its finding.
fn values(
    condition: Option<&At<'_>>,
    arguments: &Arguments,
    turned: bool,
) -> Result<Option<Values>, ()> {
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
            let guard = ["isNaN", "isNil", "nil", "len(", "default("];
            let guarded = good.missing && guard.iter().any(|guard| text.contains(guard));
            if good.series == Series::All {
                at.put(
                    "every series has to meet the condition",
                    "a metric has one value: send the worst of the series",
                );
            }
            Ok(Some(Values { sides, missing: good.missing, guarded }))
        }
        Err(why) => {
            at.remark(ImportFinding::Condition { condition: shown(&text), why });
            Err(())
        }
    }
}

/// The least and the greatest accepted value. None without a limit.
pub(super) type Sides = (Option<f64>, Option<f64>);

/// A metric for each side with a bound: `good` values succeed, `fine` ones do not fail.
pub(super) fn two_sided(
    at: &At<'_>,
    name: &str,
    good: Sides,
    fine: Sides,
    rule: Crossing,
    draft: &mut Draft,
) {
    let bounded = |metric: MetricDraft, good: Option<f64>, fine: Option<f64>| {
        let decides = rule == Crossing::RollsBack;
        let stricter = |good: &f64| fine.is_none_or(|fine| metric.worse.is_beyond(fine, *good));
        MetricDraft {
            watched: rule == Crossing::Nothing,
            success: good.map(Limit::Figure),
            alert: good.filter(|good| decides && stricter(good)).map(Limit::Figure),
            rollback: fine.filter(|_| rule != Crossing::Misses).map(Limit::Figure),
            ..metric
        }
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
