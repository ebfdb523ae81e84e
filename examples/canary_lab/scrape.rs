//! Reads `/metrics` and converts running counters to observations for the library.
//!
//! The parser is our own: the crates for it bring `regex` and a chrono with a clock, which Cargo
//! would switch on for the core as well, where `Utc::now` must not exist.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use hotfix_core::metric::{self, Histogram, Observation};
use hotfix_core::unit::MetricName;
use hyper::Method;

use crate::http;
use crate::switch::{ARMS, Switch};

/// How long a scrape may take.
pub(crate) const PATIENCE: Duration = Duration::from_millis(800);

/// One line of the Prometheus text format.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    /// Metric name, with `_bucket`, `_sum` or `_count` where it has one.
    pub(crate) name: String,
    /// Labels by name.
    pub(crate) labels: BTreeMap<String, String>,
    /// The value; may be infinite or NaN.
    pub(crate) value: f64,
}

/// A line that is not in the text format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the metrics: {what}")]
pub(crate) struct ParseError {
    line: usize,
    what: &'static str,
}

/// Parses the Prometheus text format. Comments and timestamps are skipped.
pub(crate) fn parse(text: &str) -> Result<Vec<Sample>, ParseError> {
    let mut samples = Vec::new();
    for (i, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        samples.push(parse_line(line).map_err(|what| ParseError { line: i + 1, what })?);
    }
    Ok(samples)
}

fn parse_line(line: &str) -> Result<Sample, &'static str> {
    let name_end = line.find(['{', ' ', '\t']).ok_or("no value")?;
    let (name, rest) = line.split_at(name_end);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("no metric name");
    }
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => parse_labels(rest)?,
        None => (BTreeMap::new(), rest),
    };
    let value = rest.split_ascii_whitespace().next().ok_or("no value")?;
    let value = match value {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        number => number.parse().map_err(|_| "the value is no number")?,
    };
    Ok(Sample { name: name.to_owned(), labels, value })
}

type Labels = BTreeMap<String, String>;

fn parse_labels(mut rest: &str) -> Result<(Labels, &str), &'static str> {
    let mut labels = Labels::new();
    loop {
        rest = rest.trim_start_matches([' ', ',']);
        if let Some(rest) = rest.strip_prefix('}') {
            return Ok((labels, rest));
        }
        let (name, after) = rest.split_once("=\"").ok_or("a label without value")?;
        let mut value = String::new();
        let mut letters = after.char_indices();
        let end = loop {
            match letters.next().ok_or("a label's quote is not closed")? {
                (i, '"') => break i,
                (_, '\\') => match letters.next().ok_or("a label ends in a backslash")?.1 {
                    'n' => value.push('\n'),
                    other => value.push(other),
                },
                (_, other) => value.push(other),
            }
        };
        labels.insert(name.trim().to_owned(), value);
        rest = &after[end + 1..];
    }
}

/// Running totals of one version since its process started.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Totals {
    /// Payments taken.
    pub(crate) ok: f64,
    /// Failures other than the null-pointer bug.
    pub(crate) error: f64,
    /// Failures by the null-pointer bug.
    pub(crate) null_pointer: f64,
    /// Requests to which the switch got no answer.
    pub(crate) no_answer: f64,
    /// Requests to which the switch had got no answer before the process started.
    pub(crate) lost_before: f64,
    /// The process gave no metrics: only the switch's count is new.
    pub(crate) silent: bool,
    /// When the process started, in seconds of Unix time.
    pub(crate) started: f64,
    /// Seconds since the process started.
    pub(crate) uptime: f64,
    /// Upper bounds of the latency buckets in seconds, without the infinite one.
    pub(crate) le: Vec<f64>,
    /// Cumulative counts of the buckets in `le`.
    pub(crate) counts: Vec<f64>,
    /// Requests with a latency.
    pub(crate) timed: f64,
}

impl Totals {
    /// Picks the service's counters out of one scrape at `at` seconds of Unix time; with `flag`
    /// those of one of its states.
    ///
    /// # Errors There are no counters: another program answers at this address.
    pub(crate) fn from_samples(
        samples: &[Sample],
        flag: Option<&str>,
        at: f64,
    ) -> anyhow::Result<Self> {
        let mut totals = Self::default();
        let mut seen = false;
        let mut buckets = Vec::new();
        for sample in samples {
            let label = |name: &str| sample.labels.get(name).map(String::as_str);
            if flag.is_some_and(|flag| label("flag").is_some_and(|state| state != flag)) {
                continue;
            }
            match (sample.name.as_str(), label("result"), label("le")) {
                ("payments_total", Some("ok"), _) => (totals.ok, seen) = (sample.value, true),
                ("payments_total", Some("error"), _) => totals.error = sample.value,
                ("payments_total", Some("null_pointer"), _) => totals.null_pointer = sample.value,
                ("payment_seconds_count", ..) => totals.timed = sample.value,
                ("process_start_time_seconds", ..) => {
                    (totals.started, totals.uptime) = (sample.value, (at - sample.value).max(0.0));
                }
                ("payment_seconds_bucket", _, Some(le)) => {
                    if let Ok(bound) = le.parse::<f64>()
                        && bound.is_finite()
                    {
                        buckets.push((bound, sample.value));
                    }
                }
                _ => {}
            }
        }
        anyhow::ensure!(seen, "these are not the payment service's metrics");
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        (totals.le, totals.counts) = buckets.into_iter().unzip();
        Ok(totals)
    }

    /// All payments, those without an answer included.
    pub(crate) fn all(&self) -> f64 {
        self.ok + self.error + self.null_pointer + self.no_answer
    }

    fn histogram(&self) -> Histogram {
        Histogram { count: self.timed, counts: self.counts.clone(), le: self.le.clone() }
    }

    /// The differences since `before`; None if a counter was reset.
    pub(crate) fn since(&self, before: &Self) -> Option<Self> {
        let fell = self.uptime < before.uptime
            || self.ok < before.ok
            || self.error < before.error
            || self.timed < before.timed
            || self.no_answer < before.no_answer
            || self.le != before.le;
        (!fell).then(|| Self {
            ok: self.ok - before.ok,
            error: self.error - before.error,
            null_pointer: self.null_pointer - before.null_pointer,
            no_answer: self.no_answer - before.no_answer,
            le: self.le.clone(),
            counts: self.counts.iter().zip(&before.counts).map(|(a, b)| a - b).collect(),
            timed: self.timed - before.timed,
            started: self.started,
            uptime: self.uptime - before.uptime,
            lost_before: 0.0,
            silent: self.silent,
        })
    }

    /// Takes the time of `last` if nothing was counted since: the last scrape was repeated.
    pub(crate) fn unless_counted(self, last: &Self) -> Self {
        let counted = (self.started, self.ok, self.error, self.null_pointer, self.timed);
        if counted == (last.started, last.ok, last.error, last.null_pointer, last.timed) {
            return Self { uptime: last.uptime, ..self };
        }
        self
    }

    /// The sum of both instances, with the start of the older one.
    pub(crate) fn and(self, other: &Self) -> Self {
        let counts = self.counts.iter().zip(&other.counts).map(|(a, b)| a + b).collect();
        Self {
            ok: self.ok + other.ok,
            error: self.error + other.error,
            null_pointer: self.null_pointer + other.null_pointer,
            timed: self.timed + other.timed,
            started: self.started.min(other.started),
            counts,
            ..self
        }
    }

    /// The 95th percentile in seconds, interpolated inside its bucket as `histogram_quantile` does;
    /// None without requests. Beyond the last bound it is that bound.
    pub(crate) fn p95(&self) -> Option<f64> {
        if self.timed <= 0.0 {
            return None;
        }
        let rank = 0.95 * self.timed;
        let (mut low, mut below) = (0.0, 0.0);
        for (&le, &count) in self.le.iter().zip(&self.counts) {
            if count >= rank {
                return Some(low + (le - low) * (rank - below) / (count - below).max(1.0));
            }
            (low, below) = (le, count);
        }
        self.le.last().copied()
    }
}

/// Fetches one page of metrics.
pub(crate) async fn fetch(from: SocketAddr) -> anyhow::Result<Vec<Sample>> {
    let reply = http::expect_ok(from, Method::GET, "/metrics", "", PATIENCE).await?;
    parse(&reply.as_text()).with_context(|| format!("metrics of {from}"))
}

/// Requests to which the splitter or HAProxy got no answer, by arm.
pub(crate) fn lost(samples: &[Sample], switch: &Switch) -> BTreeMap<String, f64> {
    let mut lost = BTreeMap::new();
    for sample in samples {
        let name = match sample.name.as_str() {
            "splitter_no_answer_total" => "backend",
            "haproxy_server_connection_errors_total" | "haproxy_server_response_errors_total" => {
                "server"
            }
            _ => continue,
        };
        let arm = sample.labels.get(name).and_then(|name| ARMS.get(switch.arm(name)?));
        if let Some(arm) = arm {
            *lost.entry((*arm).to_owned()).or_default() += sample.value;
        }
    }
    lost
}

/// The result of one round of scrapes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// The fix's totals, if it answered.
    pub(crate) canary: Option<Totals>,
    /// The old version's totals, if it answered.
    pub(crate) baseline: Option<Totals>,
    /// Requests to which the switch got no answer, by arm.
    pub(crate) lost: BTreeMap<String, f64>,
}

impl Seen {
    /// Takes the time of `last` for each arm of which nothing was counted since.
    pub(crate) fn unless_counted(self, last: &Arms) -> Self {
        let arm = |now: Option<Totals>, last: &Option<Totals>| match (now, last) {
            (Some(now), Some(last)) => Some(now.unless_counted(last)),
            (now, _) => now,
        };
        let canary = arm(self.canary, &last.canary);
        Self { canary, baseline: arm(self.baseline, &last.baseline), ..self }
    }

    /// The arms, with what the switch lost counted as errors. A version that gives no metrics but
    /// still costs its callers errors counts with its `last` totals; one that is merely silent is
    /// absent.
    pub(crate) fn arms(self, last: &Arms) -> Arms {
        let lost = |arm: &str| self.lost.get(arm).copied().unwrap_or(0.0);
        let arm = |now: Option<Totals>, lost: f64, last: &Option<Totals>| match (now, last) {
            (Some(now), last) => {
                let lost_before = match last {
                    Some(last) if now.uptime < last.uptime => lost, // it was started again
                    Some(last) => last.lost_before,
                    None => 0.0,
                };
                Some(Totals { no_answer: (lost - lost_before).max(0.0), lost_before, ..now })
            }
            (None, Some(last)) if lost - last.lost_before > last.no_answer => {
                let no_answer = lost - last.lost_before;
                Some(Totals { no_answer, silent: true, ..last.clone() })
            }
            (None, _) => None,
        };
        Arms {
            canary: arm(self.canary.clone(), lost("canary"), &last.canary),
            baseline: arm(self.baseline.clone(), lost("baseline"), &last.baseline),
        }
    }
}

/// Running totals of both arms at one moment; an arm without traffic or metrics is absent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arms {
    /// The fix.
    pub(crate) canary: Option<Totals>,
    /// The version to be replaced.
    pub(crate) baseline: Option<Totals>,
}

/// Selects the sample of one metric from an arm's totals.
type Value<'a> = &'a dyn Fn(&Totals) -> Option<metric::Sample>;

impl Arms {
    /// The `metrics` of an `observe` input: running totals by metric and arm. An unreported value
    /// is absent, not zero.
    ///
    /// The bug's failures count in `payment_success` and `bug`, not in `error_rate`: a fix for them
    /// must not look like one for everything else, nor hide a new fault behind the old one. The
    /// exposure of `bug` is the process's time; the library knows the arm's share of the traffic.
    pub(crate) fn metrics(&self) -> anyhow::Result<Observation> {
        let mut seen = Observation::new();
        let reported = |t: &Totals, sample: metric::Sample| (!t.silent).then_some(sample);
        let values: [(&str, Value<'_>); 5] = [
            ("bug", &|t| reported(t, metric::Sample::Pair(t.null_pointer, t.uptime))),
            ("error_rate", &|t| Some(metric::Sample::Pair(t.error + t.no_answer, t.all()))),
            ("latency_p95", &|t| reported(t, metric::Sample::Histogram(t.histogram()))),
            ("payment_success", &|t| Some(metric::Sample::Pair(t.ok, t.all()))),
            ("request_volume", &|t| reported(t, metric::Sample::Level(t.all()))),
        ];
        for (id, value) in values {
            let canary = self.canary.as_ref().and_then(value);
            let baseline = self.baseline.as_ref().and_then(value);
            if canary.is_some() || baseline.is_some() {
                let arms = metric::Arms { baseline, canary, totals: true };
                seen.set(MetricName::try_new(id)?, arms);
            }
        }
        Ok(seen)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PAGE: &str = r#"# HELP payments_total Payments by result.
# TYPE payments_total counter
payments_total{result="ok"} 940
payments_total{result="error"} 3
payments_total{result="null_pointer"} 57 1700000000000
process_start_time_seconds 990
payment_seconds_bucket{le="0.1"} 500
payment_seconds_bucket{le="0.25"} 940
payment_seconds_bucket{le="0.5"} 990
payment_seconds_bucket{le="+Inf"} 1000
payment_seconds_sum 120.5
payment_seconds_count 1000
odd{path="a\"b\\c\nd", other="x"} NaN
"#;

    #[test]
    fn reads_the_text_format() {
        let samples = parse(PAGE).expect("legal text");
        assert_eq!(samples.len(), 11);
        let odd = samples.last().expect("a sample");
        assert_eq!(odd.labels["path"], "a\"b\\c\nd");
        assert_eq!(odd.labels["other"], "x");
        assert!(odd.value.is_nan());
        assert_eq!(samples[7].value, 1000.0);
    }

    #[test]
    fn names_the_line_that_it_cannot_read() {
        for (text, line) in [("a 1\nb", 2), ("a{x=\"1} 2", 1), ("a{x} 2", 1), ("a b", 1)] {
            assert_eq!(parse(text).unwrap_err().line, line, "{text}");
        }
    }

    #[test]
    fn totals_leave_the_bug_out_of_the_error_rate() {
        let mut totals =
            Totals::from_samples(&parse(PAGE).expect("legal"), None, 1000.0).expect("totals");
        assert_eq!((totals.ok, totals.error, totals.null_pointer), (940.0, 3.0, 57.0));
        assert_eq!(totals.le, [0.1, 0.25, 0.5]);
        totals.no_answer = 10.0;
        let sent = |totals: Totals| {
            let arms = Arms { canary: Some(totals), baseline: None };
            serde_json::to_value(arms.metrics().expect("known names")).expect("a document")
        };
        let metrics = sent(totals.clone());
        assert_eq!(metrics["error_rate"]["canary"], json!([13.0, 1010.0]));
        assert_eq!(metrics["bug"]["canary"], json!([57.0, 10.0]));
        assert_eq!(metrics["error_rate"].get("baseline"), None);
        assert_eq!(metrics["error_rate"]["totals"], json!(true));
        let silent = sent(Totals { silent: true, ..totals });
        let names: Vec<&String> = silent.as_object().expect("an object").keys().collect();
        assert_eq!(names, ["error_rate", "payment_success"]);
    }

    #[test]
    fn a_dead_version_counts_its_lost_requests_and_a_silent_one_is_absent() {
        let last = Totals { ok: 100.0, no_answer: 2.0, ..Totals::default() };
        let before = Arms { canary: Some(last.clone()), baseline: None };
        let lost = |n: f64| BTreeMap::from([("canary".to_owned(), n)]);
        let dead = Seen { lost: lost(7.0), ..Seen::default() }.arms(&before).canary;
        assert_eq!(dead, Some(Totals { no_answer: 7.0, silent: true, ..last.clone() }));
        assert_eq!(Seen { lost: lost(2.0), ..Seen::default() }.arms(&before).canary, None);
        assert_eq!(Seen { lost: lost(7.0), ..Seen::default() }.arms(&Arms::default()).canary, None);
        let alive = Seen { canary: Some(last.clone()), lost: lost(9.0), ..Seen::default() };
        assert_eq!(alive.arms(&Arms::default()).canary.map(|t| t.no_answer), Some(9.0));
        // Started again: what was lost before does not come again.
        let before = Arms { canary: Some(Totals { uptime: 60.0, ..last.clone() }), baseline: None };
        let again = Seen {
            canary: Some(Totals { uptime: 1.0, ..last }),
            lost: lost(9.0),
            ..Seen::default()
        };
        assert_eq!(
            again.arms(&before).canary.map(|t| (t.no_answer, t.lost_before)),
            Some((0.0, 9.0))
        );
    }

    #[test]
    fn p95_is_interpolated_and_a_reset_gives_nothing() {
        let totals =
            Totals::from_samples(&parse(PAGE).expect("legal"), None, 1000.0).expect("totals");
        let p95 = totals.p95().expect("requests");
        assert!((p95 - 0.3).abs() < 1e-9, "{p95}"); // 950 lies 10/50 into 0.25..0.5
        assert_eq!(Totals::default().p95(), None);
        assert_eq!(Totals { ok: 1.0, ..totals.clone() }.since(&totals), None);
        let same = totals.since(&totals).expect("no reset");
        assert_eq!((same.all(), same.p95()), (0.0, None));
    }

    #[test]
    fn the_services_own_text_is_read() {
        let registry = prometheus::Registry::new();
        let seconds = prometheus::Histogram::with_opts(
            prometheus::HistogramOpts::new("payment_seconds", "h").buckets(vec![0.1, 0.5]),
        )
        .expect("a histogram");
        registry.register(Box::new(seconds.clone())).expect("once");
        for s in [0.05, 0.05, 0.3, 2.0] {
            seconds.observe(s);
        }
        let text = prometheus::TextEncoder::new().encode_to_string(&registry.gather());
        let samples = parse(&text.expect("text")).expect("legal");
        let bucket = |le: &str| {
            let found = samples.iter().find(|s| s.labels.get("le").is_some_and(|l| l == le));
            found.map(|s| s.value)
        };
        assert_eq!(bucket("0.1"), Some(2.0)); // cumulative
        assert_eq!(bucket("0.5"), Some(3.0));
        assert_eq!(bucket("+Inf"), Some(4.0));
    }
}
