//! Metrics, their bounds and their tests.

use super::bound::{
    Bound, BoundForm, Bounds, Latency, Level, bound_written, level, level_written, read_bound,
};
use super::list::by_own_name;
use super::phase::Phase;
use super::range::{AtLeastOne, AtMostOne, Chance};
use super::rule::Evidence;
use crate::document::Node;
use crate::grade::{EvidenceMode, MetricKind, Otherwise, Role, Worse, closed_set};
use crate::metric_kind::{Data, Unit};
use crate::policy::Policy;
use crate::policy::error::Problem;
use crate::policy::field::{Duration, List, as_unit};
use crate::policy::reader::{Draft, Field, Noted, PolicyReader, Style, section};
use crate::policy::schema::{Definitions, Schema};
use crate::sorting::sort_by_key;
use crate::text::any_number;
use crate::unit::{MetricName, Proportion, Ratio, Span};

closed_set! {
    /// The sequential test of a metric; `docs/statistics.md` explains the tests.
    Model {
        /// The rate-ratio e-process: counts and rare proportions.
        Poisson = "poisson",
        /// The two-sample Bernoulli e-process: proportions above about 5%; for latency one per
        /// boundary.
        Bernoulli = "bernoulli",
        /// No sequential test: only bounds.
        None = "none",
    }
}

/// The most metrics that may share `alpha`; a policy with more is refused.
pub const MOST_TESTED: usize = 32;

/// The most boundaries of a latency metric; more are refused.
pub const MOST_BOUNDARIES: usize = 12;

/// One metric of a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Its id in observations, such as `error_rate`.
    pub id: MetricName,
    /// The name of the metric for people.
    pub title: String,
    /// The kind of its readings.
    pub kind: MetricKind,
    /// The direction that is worse.
    pub worse: Worse,
    /// Whether the metric decides or is only watched.
    pub role: Role,
    /// The value before the incident: a fraction, seconds, events per minute, or a number,
    /// depending on the kind.
    pub reference: Option<f64>,
    /// Success, alert and rollback bounds; success includes its value, alert and rollback do not.
    pub bounds: Bounds,
    /// Whether bounds and exposure scale with the traffic share: volumes and counts per minute may,
    /// others hold per arm.
    pub scaled: bool,
    /// The sequential test. Default: poisson for proportion and count, bernoulli for latency, none
    /// for gauge and volume.
    pub model: Model,
    /// The share of `alpha` that this metric gets; the weights of all tested metrics sum to 1.
    pub weight: f64,
    /// For a latency: the quantile to which reference and bounds refer.
    pub quantile: Proportion,
    /// For a latency: the durations above which slow requests are counted, in seconds, ascending;
    /// fixed before the first evaluation.
    pub boundaries: Vec<f64>,
    /// Its own `evidence.tolerated`. These five are read with
    /// [`Policy::settings`](crate::policy::Policy::settings), which has the policy's where the
    /// metric has none.
    pub tolerated: Option<Ratio>,
    /// Its own `evidence.margin`.
    pub margin: Option<Ratio>,
    /// Its own `evidence.mode`.
    pub mode: Option<EvidenceMode>,
    /// Its own `evidence.otherwise`.
    pub otherwise: Option<Otherwise>,
    /// Its own `watch.warm_up`.
    pub warm_up: Option<Span>,
}

impl Metric {
    /// Whether a deciding test compares it with the live arm, if there is one.
    pub fn is_tested(&self) -> bool {
        self.role == Role::Decide && self.model != Model::None && self.weight > 0.0
    }

    /// Whether its events are bad ones, or show how many were bad. A count of wanted events does
    /// not show how many are missing.
    pub(crate) fn counts_bad_events(&self) -> bool {
        match self.kind.data() {
            Data::Trials => true,
            Data::Exposure => self.worse == Worse::Higher,
            Data::Buckets | Data::Level => false,
        }
    }

    /// Whether it is all of the traffic, scaled from an arm's share: a bound relative to the live version is
    /// compared with the traffic before where there is no live arm.
    pub(crate) const fn has_own_level(&self) -> bool {
        self.scaled && self.kind.is_traffic()
    }
}

/// How one metric is tested and watched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MetricSettings {
    /// The ratio of canary to baseline up to which a release counts as no worse.
    pub tolerated: Ratio,
    /// The ratio that the promotion test has to rule out; above `tolerated`.
    pub margin: Ratio,
    /// On what the threshold of the test is based.
    pub mode: EvidenceMode,
    /// What happens if the data for `mode` is missing.
    pub otherwise: Otherwise,
    /// How long bounds and tests ignore data at the start of each phase.
    pub warm_up: Span,
}

impl Policy {
    /// How long after a phase begins a deciding metric is judged first: after its warm-up and, where it does
    /// not count requests, once the window is full, which a warm-up as long as the window leaves empty.
    pub(crate) fn judged_after(&self, metric: &Metric) -> Span {
        let (warm_up, watch) = (self.settings(metric).warm_up, self.watch());
        if metric.kind.counts_requests() {
            warm_up
        } else if watch.is_silence(warm_up) {
            warm_up + watch.window
        } else {
            warm_up.max(watch.window)
        }
    }

    /// How long after a phase begins its gate is judged first: after `watch`, and once all that decides can be judged.
    pub(crate) fn gate_after(&self, phase: &Phase) -> Span {
        let after = self.deciding().map(|metric| self.judged_after(metric));
        let after = after.fold(phase.watch, Span::max);
        phase.longest_held().map_or(after, |most| after.min(most.max(phase.watch)))
    }

    /// The settings of one metric: its own, otherwise those of `evidence` and `watch`.
    pub fn settings(&self, metric: &Metric) -> MetricSettings {
        let evidence = self.evidence();
        MetricSettings {
            tolerated: metric.tolerated.unwrap_or(evidence.tolerated),
            margin: metric.margin.unwrap_or(evidence.margin),
            mode: metric.mode.unwrap_or(evidence.mode),
            otherwise: metric.otherwise.unwrap_or(evidence.otherwise),
            warm_up: metric.warm_up.unwrap_or(self.watch().warm_up),
        }
    }
}

section! {
    draft
    /// One metric. Its key is its id in observations.
    Metric as MetricDraft {
        /// The name of the metric for people. Default: its id.
        title: String, [optional];
        /// The kind of its readings.
        kind: MetricKind, [required];
        /// The direction that is worse.
        worse: Worse, [required];
        /// Whether the metric decides or is only watched.
        role: Role, [default "decide"];
        /// The value before the incident, for the whole service: a share for a proportion, a
        /// duration for a latency, events per minute for a count or a volume, a number for a gauge.
        reference: Level, [optional];
        /// The success bound: the metric has to be at or on the good side of it for a promotion.
        success: BoundForm, [optional];
        /// The alert bound: beyond it `watch.alert` applies.
        alert: BoundForm, [optional];
        /// The rollback bound: beyond it the fix is rolled back.
        rollback: BoundForm, [optional];
        /// Whether reference and bounds are for the whole service and scale with the share of the
        /// traffic of an arm. Default: true for volumes and counts. Proportions, latencies and
        /// gauges never scale: a gauge is what each arm sends, at any share.
        scaled: bool, [optional];
        /// The sequential test. Default: `poisson` for proportions and for counts with
        /// `worse = "higher"`, `bernoulli` for latencies, `none` for other counts, gauges and
        /// volumes.
        model: Model, [optional];
        /// The share of `evidence.alpha` that this metric gets. The weights of all metrics that
        /// decide and are tested have to sum to 1.
        weight: Proportion, [default 0.0];
        /// For a latency, required there: the quantile to which reference and bounds refer; above
        /// 0, below 1.
        quantile: Chance, [optional];
        /// For a latency, required there: the durations above which slow requests are counted, not
        /// rounded, rising, at most 12.
        boundaries: List<Latency>, [optional];
        /// The ratio of canary to baseline up to which this metric counts as no worse. Default:
        /// `evidence.tolerated`.
        tolerated: AtLeastOne, [optional];
        /// The ratio that the promotion test of this metric has to rule out. Default:
        /// `evidence.margin`.
        margin: Ratio, [optional];
        /// On what the threshold of this metric's test is based. Default: `evidence.mode`.
        mode: EvidenceMode, [optional];
        /// What happens if the data for the mode is missing. Default: `evidence.otherwise`.
        otherwise: Otherwise, [optional];
        /// How long bounds and test of this metric ignore data at the start of each phase. Default:
        /// `watch.warm_up`.
        warm_up: Duration, [optional];
    }
}

impl MetricDraft {
    /// The keys of this table that are about a test alone.
    fn keys_of_tests(&self) -> impl Iterator<Item = &'static str> {
        let is_there = [
            ("tolerated", matches!(self.tolerated, Some(Some(_)))),
            ("margin", matches!(self.margin, Some(Some(_)))),
            ("mode", matches!(self.mode, Some(Some(_)))),
            ("otherwise", matches!(self.otherwise, Some(Some(_)))),
        ];
        is_there.into_iter().filter_map(|(key, is_there)| is_there.then_some(key))
    }
}

/// The metrics by id, in the order of their ids: a digest sorts keys, so nothing may depend on
/// another order.
pub(super) struct Metrics;

impl Field for Metrics {
    type Out = Vec<Metric>;

    fn read(node: &Node, reader: &mut PolicyReader) -> Option<Vec<Metric>> {
        let mut budget: Budget = Some(Vec::new());
        let mut metrics =
            reader.each_named(node, |reader, id, node| metric(id, node, &mut budget, reader))?;
        let count = node.members().len();
        if count == 0 {
            return reader.fail(Problem::Empty { what: "metric" });
        }
        if let Some(weights) = budget
            && !weights.is_empty()
        {
            let sum: f64 = weights.iter().map(|(_, weight)| weight).sum();
            if (sum - 1.0).abs() > 1e-9 {
                // Twelve digits hide the rounding errors of binary fractions.
                let sum = any_number((sum * 1e12).round() / 1e12);
                let of = weights.iter().map(|(id, w)| format!("`{id}` {}", any_number(*w)));
                let weights = of.collect::<Vec<_>>().join(" + ");
                return reader.fail(Problem::WeightSum { sum, weights });
            }
        }
        let tested = |noted: &&Noted| {
            noted.role == Some(Role::Decide) && noted.model.is_some_and(|m| m != Model::None)
        };
        let got = reader.known.metrics.values().filter(tested).count();
        if got > MOST_TESTED {
            let what = "metrics that decide and are tested";
            return reader.fail(Problem::TooMany { what, got, most: MOST_TESTED });
        }
        sort_by_key(&mut metrics, |metric| metric.id);
        (metrics.len() == count).then_some(metrics)
    }
    fn write(value: &Vec<Metric>, style: Style) -> Node {
        Node::table(value.iter().map(|metric| (metric.id.as_str(), written(metric, style))))
    }
    fn schema(definitions: &mut Definitions) -> Schema {
        let mut schema = by_own_name(&Metric::refer(definitions));
        schema["minProperties"] = 1.into();
        schema
    }
}

/// The weights of the tested metrics so far; absent once one could not be read.
type Budget = Option<Vec<(MetricName, f64)>>;

fn metric(id: &str, node: &Node, budget: &mut Budget, reader: &mut PolicyReader) -> Option<Metric> {
    let id: MetricName = as_unit(id, reader)?;
    let Some(entries) = reader.table(node) else {
        *budget = None;
        let unknown = Noted { kind: None, role: None, model: None };
        reader.known.metrics.insert(id.to_string(), unknown);
        return None;
    };
    let draft = MetricDraft::read(entries, reader);
    let model = match (draft.kind, draft.worse, draft.model) {
        (Some(kind), Some(worse), Some(model)) => model_for(kind, worse, model, reader),
        (_, _, model) => model.flatten(),
    };
    let noted = Noted { kind: draft.kind, role: draft.role, model };
    reader.known.metrics.insert(id.to_string(), noted);
    weigh(id, &draft, model, budget, reader);
    if model == Some(Model::None) {
        for key in draft.keys_of_tests() {
            let (what, of) = ("model", Model::None.as_str());
            reader.fail_at::<()>(key, Problem::NoMeaning { key, what, of });
        }
    }

    // Without the kind no figure has a unit.
    let kind = draft.kind?;
    let scaled = scaled(kind, draft.scaled, reader);
    let reference = figure("reference", draft.reference, reader, |node, r| level(kind, node, r));
    let no_reference = reference == Some(None);
    let mut bound = |key: &'static str, node| {
        let read = |node: &Node, reader: &mut _| read_bound(key, kind, no_reference, node, reader);
        figure(key, node, reader, read)
    };
    let success = bound("success", draft.success);
    let alert = bound("alert", draft.alert);
    let rollback = bound("rollback", draft.rollback);
    let (quantile, boundaries) = latency(kind, draft.quantile, draft.boundaries, reader);
    Some(Metric {
        id,
        title: draft.title?.unwrap_or_else(|| id.to_string()),
        kind,
        worse: draft.worse?,
        role: draft.role?,
        reference: reference?,
        bounds: Bounds { success: success?, alert: alert?, rollback: rollback? },
        scaled: scaled?,
        model: model?,
        weight: draft.weight?.as_fraction(),
        quantile: quantile?,
        boundaries: boundaries?,
        tolerated: draft.tolerated?,
        margin: draft.margin?,
        mode: draft.mode?,
        otherwise: draft.otherwise?,
        warm_up: draft.warm_up?,
    })
}

/// Checks the settings of metrics together with the policy's.
pub(super) fn metric_settings(metrics: &[Metric], evidence: &Evidence, reader: &mut PolicyReader) {
    for metric in metrics {
        let tolerated = metric.tolerated.unwrap_or(evidence.tolerated);
        let margin = metric.margin.unwrap_or(evidence.margin);
        let own = if metric.margin.is_some() { "margin" } else { "tolerated" };
        if (metric.tolerated.is_some() || metric.margin.is_some()) && margin <= tolerated {
            let (margin, tolerated) = (margin.to_string(), tolerated.to_string());
            let place = format!("/metrics/{}/{own}", metric.id);
            reader.fail_at_path::<()>(&place, Problem::Margin { margin, tolerated });
        }
        if let Some(mode) = metric.mode.filter(|mode| *mode != EvidenceMode::Plain)
            && evidence.phase_end_test
        {
            let place = format!("/metrics/{}/mode", metric.id);
            reader.fail_at_path::<()>(&place, Problem::PhaseEndTest { mode: mode.as_str() });
        }
    }
}

/// Reads a figure whose unit is known now; `None` after an error.
#[expect(clippy::option_option, reason = "read, absent and refused are three things")]
fn figure<T>(
    key: &str,
    node: Option<Option<Node>>,
    reader: &mut PolicyReader,
    read: impl FnOnce(&Node, &mut PolicyReader) -> Option<T>,
) -> Option<Option<T>> {
    let Some(node) = node.flatten() else { return Some(None) };
    reader.within(key, |reader| read(&node, reader)).map(Some)
}

/// The tests that are valid for the data of a kind, the default first.
const fn models(kind: MetricKind) -> (&'static [Model], &'static [&'static str]) {
    match kind.data() {
        Data::Trials => {
            (&[Model::Poisson, Model::Bernoulli, Model::None], &["poisson", "bernoulli", "none"])
        }
        Data::Exposure => (&[Model::Poisson, Model::None], &["poisson", "none"]),
        Data::Buckets => (&[Model::Bernoulli, Model::None], &["bernoulli", "none"]),
        Data::Level => (&[Model::None], &["none"]),
    }
}

fn model_for(
    kind: MetricKind,
    worse: Worse,
    model: Option<Model>,
    reader: &mut PolicyReader,
) -> Option<Model> {
    let (fitting, known) = models(kind);
    // The test looks for too many events, not for too few.
    let model = match (kind.has_exposure(), worse, model) {
        (true, Worse::Lower, None) => Some(Model::None),
        (true, Worse::Lower, Some(Model::Poisson)) => {
            return reader.fail_at("model", Problem::FewerEvents {});
        }
        (_, _, model) => model,
    };
    match model {
        None => fitting.first().copied(),
        Some(model) if fitting.contains(&model) => Some(model),
        Some(model) => {
            let (model, kind) = (model.as_str(), kind.as_str());
            reader.fail_at("model", Problem::ModelKind { model, kind, known })
        }
    }
}

fn weigh(
    id: MetricName,
    draft: &MetricDraft,
    model: Option<Model>,
    budget: &mut Budget,
    reader: &mut PolicyReader,
) {
    let (Some(weight), Some(model), Some(role)) = (draft.weight, model, draft.role) else {
        *budget = None;
        return;
    };
    if model != Model::None && role == Role::Decide {
        if let Some(budget) = budget {
            budget.push((id, weight.as_fraction()));
        }
    } else if weight.as_fraction() != 0.0 {
        let got = weight.as_fraction().to_string();
        reader.fail_at::<()>("weight", Problem::WeightWithoutTest { got });
    }
}

#[expect(clippy::option_option, reason = "read, absent and refused are three things")]
fn scaled(
    kind: MetricKind,
    given: Option<Option<bool>>,
    reader: &mut PolicyReader,
) -> Option<bool> {
    let may_be = kind.depends_on_share();
    match given? {
        Some(true) if !may_be => {
            let (what, of) = ("kind", kind.as_str());
            reader.fail_at("scaled", Problem::NoMeaning { key: "scaled", what, of })
        }
        Some(scaled) => Some(scaled),
        None => Some(may_be),
    }
}

#[expect(clippy::option_option, reason = "read, absent and refused are three things")]
fn latency(
    kind: MetricKind,
    quantile: Option<Option<Proportion>>,
    boundaries: Option<Option<Vec<f64>>>,
    reader: &mut PolicyReader,
) -> (Option<Proportion>, Option<Vec<f64>>) {
    let (has_buckets, kind) = (kind.has_buckets(), kind.as_str());
    let keys = [
        ("quantile", "it, with a value such as `0.95`", quantile.map(|it| it.is_some())),
        (
            "boundaries",
            "it, with a value such as `[\"100ms\", \"250ms\"]`",
            boundaries.as_ref().map(Option::is_some),
        ),
    ];
    for (key, example, is_there) in keys {
        if is_there == Some(!has_buckets) {
            if has_buckets {
                reader.fail::<()>(Problem::KindNeeds { key, kind, example });
            } else {
                let (what, of) = ("kind", kind);
                reader.fail_at::<()>(key, Problem::NoMeaning { key, what, of });
            }
        }
    }
    if !has_buckets {
        return (Some(Proportion::default()), Some(Vec::new()));
    }
    let boundaries = boundaries.flatten();
    let list = boundaries.as_deref().unwrap_or_default();
    let (what, got) = ("boundaries", list.len());
    if boundaries.is_some() && list.is_empty() {
        reader.fail_at::<()>("boundaries", Problem::Empty { what: "boundary" });
    } else if got > MOST_BOUNDARIES {
        reader.fail_at::<()>("boundaries", Problem::TooMany { what, got, most: MOST_BOUNDARIES });
    } else {
        let shown = |seconds: &f64| Unit::Seconds.shown_to(*seconds, 9);
        reader.rising("boundaries", "", list, |got, before| Problem::BoundaryOrder {
            got: shown(got),
            before: shown(before),
        });
    }
    (quantile.flatten(), boundaries)
}

fn written(metric: &Metric, style: Style) -> Node {
    let kind = metric.kind;
    let bound = |bound: &Option<Bound>| Some(bound.as_ref().map(|b| bound_written(kind, b, style)));
    let slow = kind.has_buckets();
    MetricDraft {
        title: Some(Some(metric.title.clone())),
        kind: Some(kind),
        worse: Some(metric.worse),
        role: Some(metric.role),
        reference: Some(metric.reference.map(|reference| level_written(kind, reference, style))),
        success: bound(&metric.bounds.success),
        alert: bound(&metric.bounds.alert),
        rollback: bound(&metric.bounds.rollback),
        scaled: Some(Some(metric.scaled)),
        model: Some(Some(metric.model)),
        weight: Proportion::try_from_fraction(metric.weight).ok(),
        quantile: Some(slow.then_some(metric.quantile)),
        boundaries: Some(slow.then(|| metric.boundaries.clone())),
        tolerated: Some(metric.tolerated),
        margin: Some(metric.margin),
        mode: Some(metric.mode),
        otherwise: Some(metric.otherwise),
        warm_up: Some(metric.warm_up),
    }
    .write(style)
}

section! {
    plain
    /// The claim that the fix works: the metric of the bug drops to at most a ratio of the live
    /// baseline.
    pub Efficacy: Copy from EfficacyDraft, efficacy_rules {
        /// The metric of the bug: a proportion or count with `role = "decide"` and a `model` other
        /// than `none`.
        metric: MetricName, [required];
        /// The ratio to the live baseline's rate that the fix has to reach; above 0 and at most 1.
        cut_to: Ratio as AtMostOne, [required];
        /// The probability of accepting a fix that does not reach the ratio; above 0, below 1.
        alpha: Proportion as Chance, [default "5%"];
        /// Whether the last phase below 100% can only be passed once the claim is shown, and an earlier
        /// one while nothing speaks against it. Without a phase below 100% it has no effect.
        required: bool, [default false];
    }
}

fn efficacy_rules(efficacy: &EfficacyDraft, reader: &mut PolicyReader) {
    let Some(name) = efficacy.metric.filter(|name| is_known(reader, *name)) else { return };
    let Some(noted) = reader.known.metrics.get(name.as_str()) else { return };
    let countable = noted.kind.is_none_or(MetricKind::counts_events);
    let tested = noted.model.is_none_or(|model| model != Model::None);
    let decides = noted.role.is_none_or(|role| role == Role::Decide);
    if !(countable && tested && decides) {
        let name = name.to_string();
        reader.fail_at::<()>("metric", Problem::EfficacyMetric { name });
    }
}

/// Whether the key `metric` names a metric of the policy; reports an error if not.
pub(super) fn is_known(reader: &mut PolicyReader, name: MetricName) -> bool {
    // An empty `metrics` has an error of its own.
    if reader.known.metrics.is_empty() || reader.known.metrics.contains_key(name.as_str()) {
        return true;
    }
    let near = reader.nearest(name.as_str(), reader.known.metrics.keys().map(String::as_str));
    let (name, nearest) = (name.to_string(), near.map(str::to_owned));
    reader.fail_at::<()>("metric", Problem::UnknownMetric { name, nearest });
    false
}
