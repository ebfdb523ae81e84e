//! Analysis templates of Argo Rollouts: metrics with conditions, intervals and tolerated failures.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::arguments::{Arguments, arguments, delay, duration, used, whole, with_given};
use super::condition::{Sides, values};
use super::draft::{Draft, Limit, MetricDraft, seconds};
use super::dry_run::DryRuns;
use super::finding::ImportFinding;
use super::nothing;
use super::provider::{Provided, provider, report};
use super::reader::At;
use super::source::{Source, named};
use crate::grade::{Response, Worse};
use crate::sorting::map_of;
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
    /// The templates of all analyses.
    read: BTreeMap<TemplateName, Template>,
    /// The templates of the present analysis, each of which it has once.
    present: BTreeSet<TemplateName>,
    /// The dry runs of the present analysis.
    dry_runs: DryRuns<'d>,
    /// Its metrics, until all of its dry runs are known.
    metrics: Vec<Metric<'d>>,
    /// For deciding metrics: the breaches that end a rollout.
    limits: Vec<(At<'d>, f64)>,
    /// For deciding metrics: the most severe response to missing data.
    no_data: Option<Response>,
    /// The fewest tolerated errors of metrics for which a missing value is an error.
    errors: Option<f64>,
    /// The fewest tolerated failures of metrics for which it is a failure.
    failures: Option<f64>,
    /// The interval of each metric in seconds, if it is measured more than once.
    intervals: Vec<(At<'d>, f64)>,
    /// The places of delays, in seconds.
    delays: Vec<(At<'d>, f64)>,
    /// Conditions that name missing data, each with what follows from it.
    guarded: Vec<(At<'d>, String)>,
    /// What NaN does by conditions that do not name missing data, each with the first metric.
    unguarded: BTreeMap<&'static str, At<'d>>,
    /// Metrics with inconclusive values.
    inconclusive: Vec<At<'d>>,
    /// The first metric that decides.
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

/// A template that was read.
struct Template {
    /// The arguments that its metrics contain, with its own values; None if other templates contain some, too.
    uses: Option<Arguments>,
    /// What was given, as far as it changes its metrics.
    given: Arguments,
    /// How long one run takes.
    run: f64,
}

impl Template {
    /// What is given, without what its metrics do not contain and what it has by itself.
    fn changing(uses: Option<&Arguments>, given: &Arguments) -> Arguments {
        let changes = |(name, value): &(&String, &Option<String>)| {
            uses.is_none_or(|uses| uses.get(*name).is_some_and(|own| own != *value))
        };
        let given = given.iter().filter(changes);
        map_of(given.map(|(name, value)| (name.clone(), value.clone())))
    }
}

/// The kind and the name of a template.
type TemplateName = (&'static str, String);

pub(super) const TEMPLATES: [&str; 2] = ["AnalysisTemplate", "ClusterAnalysisTemplate"];

impl<'s, 'd> Analysis<'s, 'd> {
    pub(super) fn new(sources: &'s [Source<'d>]) -> Self {
        Self { sources, ..Self::default() }
    }

    /// Reads the templates of a rollout's analysis. Returns the duration of one run in seconds.
    pub(super) fn of(&mut self, at: &At<'d>, draft: &mut Draft) -> f64 {
        nothing(at, &["measurementRetention", "analysisRunMetadata"]);
        let arguments = arguments(at);
        self.dry_runs.read(at);
        let run = self.templates(at, &arguments, 0);
        self.judge(draft);
        run
    }

    /// Reads a template without a rollout.
    pub(super) fn alone(&mut self, source: &Source<'d>, draft: &mut Draft) {
        source.used.set(true);
        let kind = TEMPLATES.into_iter().find(|kind| *kind == source.kind).unwrap_or_default();
        let key = (kind, source.name.to_owned());
        if !self.read.contains_key(&key) {
            self.present.insert(key.clone());
            self.template(&source.at, None, key, &Arguments::new(), 0);
            self.judge(draft);
        }
    }

    /// Adds the metrics of an analysis. A dry run applies to the metrics of all its templates.
    fn judge(&mut self, draft: &mut Draft) {
        let metrics = std::mem::take(&mut self.metrics);
        self.present.clear();
        for metric in &metrics {
            self.metric(metric, draft);
        }
        self.dry_runs.conclude();
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
            let Some(source) = named(self.sources, &[kind], text).filter(|_| depth < MOST_DEEP)
            else {
                name.remark(ImportFinding::MissingDocument { kind, name: shown(text) });
                continue;
            };
            // Before it is read: a template that references itself is read once.
            if !self.present.insert(key.clone()) {
                name.put(again(&shown(text), ""), JUDGED);
                continue;
            }
            longest =
                longest.max(self.template(&source.at, Some(&name), key, arguments, depth + 1));
        }
        longest
    }

    /// Reads a template and returns how long one run takes. `named`: where it is referenced.
    fn template(
        &mut self,
        at: &At<'d>,
        named: Option<&At<'d>>,
        key: TemplateName,
        given: &Arguments,
        depth: usize,
    ) -> f64 {
        if let (Some(named), Some(Template { uses, given: before, run })) =
            (named, self.read.get(&key))
        {
            let name = shown(&key.1);
            if *before == Template::changing(uses.as_ref(), given) {
                named.put(again(&name, ""), JUDGED);
            } else {
                named.differs(
                    again(&name, " with other arguments"),
                    "its metrics are judged with the earlier arguments, in every phase",
                );
            }
            return *run;
        }
        let Some(spec) = at.need("spec", "`spec:` with `metrics`") else { return 0.0 };
        nothing(&spec, &["measurementRetention", "ttlStrategy"]);
        let own = arguments(&spec);
        let arguments = Rc::new(with_given(&own, given));
        let mut run = self.templates(&spec, &arguments, depth);
        self.dry_runs.read(&spec);
        let metrics = spec.list("metrics");
        let uses = spec.get("templates").is_none().then(|| used(&metrics, &own));
        for metric in metrics {
            run = run.max(self.times(metric, &arguments));
        }
        let given = Template::changing(uses.as_ref(), given);
        self.read.insert(key, Template { uses, given, run });
        run
    }

    /// Reads how often a metric is measured. Returns the duration in seconds.
    fn times(&mut self, at: At<'d>, arguments: &Rc<Arguments>) -> f64 {
        let name = at.name("`name: error-rate`").unwrap_or("metric");
        let delay = at.get("initialDelay").and_then(|at| delay(&at, arguments));
        let interval = at.get("interval").and_then(|at| duration(&at, arguments));
        let count = at.get("count").and_then(|at| whole(&at, arguments, 0.0));
        let count = count.filter(|count| *count > 0.0);
        // Without an interval there is one measurement.
        let interval = interval.filter(|_| count != Some(1.0));
        let further = count.map_or(0.0, |count| count - 1.0);
        let run = delay.unwrap_or(0.0) + further * interval.unwrap_or(0.0);
        let arguments = Rc::clone(arguments);
        self.metrics.push(Metric { at, name, arguments, delay, interval, count });
        run
    }

    fn metric(&mut self, metric: &Metric<'d>, draft: &mut Draft) {
        let Metric { at, name, arguments, delay, interval, count } = metric;
        let limit = at.read("failureLimit", |at| whole(at, arguments, -1.0));
        let place_of_errors = at.get("consecutiveErrorLimit");
        let errors = place_of_errors.as_ref().and_then(|at| whole(at, arguments, -1.0));
        let some = |at: &At<'_>| whole(at, arguments, -1.0).filter(|number| *number != 0.0);
        at.leave_out("inconclusiveLimit", some, "a number of tolerated inconclusive measurements");
        let conditions = ["successCondition", "failureCondition"].map(|key| at.get(key));
        let provided = provider(at, name, &conditions);
        let dry = self.dry_runs.covers(name, provided == Provided::Numbers);
        let never_fails = limit.as_ref().filter(|(limit, _)| *limit < 0.0).map(|(_, at)| at);
        let tolerated = limit.as_ref().map_or(0.0, |(limit, _)| *limit);
        let needs = at.read("consecutiveSuccessLimit", some);
        let can_fail = !dry
            && (never_fails.is_none() || needs.is_some())
            && (interval.is_some() || tolerated <= 0.0);
        if provided != Provided::Numbers {
            conditions.iter().flatten().for_each(At::ignore);
            match provided {
                Provided::Outcome(there) if can_fail => {
                    report(at, there, "it is not a metric", tolerated, &conditions, draft);
                }
                Provided::Outcome(there) => {
                    at.put(there, "it is not a metric, and its failure changes nothing");
                }
                Provided::Numbers | Provided::Nothing => {}
            }
            return;
        }
        let rule = unless_fails(never_fails, needs);
        let rule = if dry { Crossing::Nothing } else { rule };
        let rule = if let Some(interval) = interval {
            self.intervals.push((at.get("interval").unwrap_or_else(|| at.clone()), *interval));
            rule
        } else {
            // Without a condition each measurement succeeds.
            if can_fail && conditions.iter().any(Option::is_some) {
                let here = "it is watched but does not decide";
                report(at, "it is measured once", here, 0.0, &conditions, draft);
            }
            Crossing::Nothing
        };
        let missing = self.judged(at, name, &conditions, arguments, rule, draft);
        let decided = missing.is_some();
        if let (Some(count), Some(place), Some(_)) = (count, at.get("count"), interval) {
            let there = format!("the analysis ends after {count} measurements");
            if decided {
                place.differs(
                    there,
                    "the metric is judged until the rollout ends: measure it until then, because readings that stop are missing data",
                );
            } else {
                place.put(there, "the metric is watched until the rollout ends");
            }
        }
        if let (Some(delay), Some(at)) = (delay, at.get("initialDelay")) {
            if decided {
                self.delays.push((at, *delay));
            } else {
                at.put("the first measurement is delayed", WATCHED);
            }
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
            place.put(format!("tolerated failures for this metric: {tolerated}"), WATCHED);
        }
        let Some(missing) = missing else { return };
        self.first.get_or_insert_with(|| at.clone());
        let failures = (rule == Crossing::RollsBack).then_some(tolerated);
        let errors = errors.unwrap_or(ERRORS_TOLERATED).max(0.0);
        self.missed(metric, conditions.iter().flatten().next(), missing, failures, errors);
        if rule == Crossing::RollsBack {
            let (limit, at) = limit.unwrap_or((0.0, at.clone()));
            self.limits.push((at, limit));
        }
    }

    /// What missing data does in the source. `failures` and `errors` are tolerated.
    fn missed(
        &mut self,
        Metric { at, name, .. }: &Metric<'d>,
        condition: Option<&At<'d>>,
        (guarded, outcome): (bool, &'static str),
        failures: Option<f64>,
        errors: f64,
    ) {
        let least = |one: Option<f64>, other: f64| Some(one.map_or(other, |one| one.min(other)));
        if guarded {
            let failures = failures.filter(|_| outcome == FAILS);
            let ends = failures.map_or_else(String::new, |failures| {
                self.failures = least(self.failures, failures);
                format!(", and more than {failures} failures end the rollout")
            });
            let there = format!("`{}` {outcome} without data{ends}", shown(name));
            self.guarded.push((condition.unwrap_or(at).clone(), there));
        } else {
            self.unguarded.entry(outcome).or_insert_with(|| at.clone());
            self.errors = least(self.errors, errors);
        }
        let no_data = match (guarded, outcome) {
            (true, PASSES) => Response::Hold,
            (_, FAILS) => Response::RollBack,
            // In Argo NaN passes or waits for a person, and an error ends the rollout.
            _ => Response::Ask,
        };
        self.no_data = self.no_data.max(Some(no_data));
    }

    /// Adds a metric. Returns, if it decides, whether its conditions name a missing value, and what
    /// that does.
    fn judged(
        &mut self,
        at: &At<'d>,
        name: &str,
        conditions: &[Option<At<'d>>; 2],
        arguments: &Arguments,
        rule: Crossing,
        draft: &mut Draft,
    ) -> Option<(bool, &'static str)> {
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
            two_sided(at, name, (None, None), (None, None), Crossing::Nothing, draft);
            return None;
        };
        let before = draft.metrics.len();
        let most = if rule == Crossing::Misses { good.sides } else { fine.sides };
        two_sided(at, name, good.sides, most, rule, draft);
        if draft.metrics.iter().skip(before).any(|metric| metric.alert.is_some()) {
            self.inconclusive.push(at.clone());
        }
        if rule == Crossing::Nothing {
            return None;
        }
        if rule == Crossing::Misses {
            draft.missed = "ask";
        }
        let outcome = match (good.missing, fine.missing) {
            (_, false) => FAILS,
            (true, true) => PASSES,
            (false, true) => "is inconclusive",
        };
        Some((good.guarded || fine.guarded, outcome))
    }

    /// Sets the values of the whole policy after every metric is read.
    pub(super) fn conclude(&mut self, draft: &mut Draft) {
        let intervals = || self.intervals.iter().map(|(_, interval)| *interval);
        let least = intervals().fold(f64::INFINITY, f64::min);
        let most = intervals().fold(0.0, f64::max);
        if least.is_finite() {
            draft.cadence = least;
            draft.stale = 2.0 * most;
            for (at, interval) in self.intervals.iter().filter(|(_, interval)| *interval > least) {
                at.differs(
                    format!("it is measured every {}", seconds(*interval)),
                    format!(
                        "the metrics are evaluated every {}, and a reading counts until the next one: send it once, when it is measured",
                        seconds(least)
                    ),
                );
            }
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
                    "it is beyond the alert bound: it holds, and after {evaluations} evaluations in a row a person is asked{UNANSWERED}"
                )
            } else {
                format!("it is beyond the alert bound, and a person is asked{UNANSWERED}")
            };
            let there = "a measurement between the two conditions is inconclusive and pauses the rollout until a person decides";
            at.differs(there, here);
        }
    }

    /// What follows from missing data, where metrics are measured this far apart at most.
    fn missing(&self, interval: f64, draft: &mut Draft) {
        let (Some(response), Some(first)) = (self.no_data, &self.first) else { return };
        // An error is repeated after the interval, a failure at the next one.
        let repeated = self.errors.map(|errors| interval + REPEATED_AFTER * (errors + 1.0));
        let failed = self.failures.map(|failures| interval * (failures + 1.0));
        let after = [repeated, failed].into_iter().flatten().fold(draft.stale, f64::max);
        draft.no_data = (after, response.as_str());
        let then = match response {
            Response::RollBack => "it rolls back",
            Response::Ask => "a person is asked",
            Response::Continue | Response::Hold => "it continues to hold",
        };
        let here = format!("missing data of any metric holds for {}, then {then}", seconds(after));
        for (place, there) in &self.guarded {
            place.no_data(there, &here);
        }
        let errors = self.errors.unwrap_or_default();
        for (outcome, at) in &self.unguarded {
            at.no_data(
                format!("a measurement without a value is an error, repeated after {REPEATED_AFTER}s, and more than {errors} in a row end the rollout; NaN is a value that meets no comparison, and {outcome}"),
                &here,
            );
        }
        first.differs(
            "an analysis that ends before its first measurement counts as successful",
            "no phase passes without a reading of each deciding metric",
        );
    }
}

/// What a measurement without a value does.
const PASSES: &str = "passes";
const FAILS: &str = "fails";
const UNANSWERED: &str = "; without an answer it goes on by itself once the values are good again: send `hold` to stop it";
const WATCHED: &str = "the metric does not decide, so this has no effect";
const JUDGED: &str = "its metrics are already judged in every phase";

fn again(template: &str, how: &str) -> String {
    format!("the template `{template}` is referenced again{how}")
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
