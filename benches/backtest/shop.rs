//! Backtest of two policies over the front end of a recorded shop: at each fault, and in quiet
//! hours.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use hotfix_benches::recordings::{Failure, fields, text};
use hotfix_core::policy::Policy;
use hotfix_core::simulate::backtest::{Backtest, backtest};
use hotfix_core::simulate::recorded::{Format, Mapping, RecordedMetrics};
use hotfix_core::unit::{Span, Timestamp};

/// Seconds for which a fault is watched: it ends soon after, and faults that are not used follow.
const WATCHED: u32 = 5 * 60;
/// Seconds from the last known fault of a day to its first quiet time: a fault that is not used may follow.
const SETTLED: u32 = 3_600;
/// Seconds of quiet time from which the reference is computed, without a rollout.
const RECORDED: u32 = 3_600;
/// Seconds from the start of one quiet rollout to that of the next.
const APART: u32 = 3_600;
/// Fewest spans on both sides of a fault.
const LEAST_SPANS: usize = 100;

/// Results for one folder.
#[cfg_attr(not(test), expect(dead_code, reason = "the figures are for the tests"))]
pub(crate) struct Found {
    /// Faults in the minutes: all, and those at which each policy alerted and rolled back.
    pub(crate) minutes: Tally,
    /// Faults in the spans, as those in the minutes.
    pub(crate) spans: Tally,
    /// Quiet rollouts: all, and those in which each policy alerted and rolled back.
    pub(crate) quiet: Tally,
    /// The page.
    pub(crate) text: String,
}

/// Number of cases, and in how many of them each policy alerted and rolled back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) cases: usize,
    pub(crate) alerted: [usize; 2],
    pub(crate) back: [usize; 2],
}

impl Tally {
    fn count(&mut self, policies: &[Backtest]) {
        self.cases += 1;
        for (index, one) in policies.iter().enumerate().take(2) {
            self.alerted[index] += usize::from(one.first_alert.is_some());
            self.back[index] += usize::from(one.first_rollback.is_some());
        }
    }

    fn row(self, of: &str) -> String {
        let Self { cases, alerted: [a, b], back: [c, d] } = self;
        format!("| {of} | {cases} | {a} | {c} | {b} | {d} |")
    }
}

/// A known fault.
struct Fault {
    id: String,
    day: String,
    at: Timestamp,
    service: String,
    kind: String,
}

fn unix(text: &str) -> Result<Timestamp, Failure> {
    Ok(Timestamp::try_from_millis(text.parse::<i64>()? * 1_000)?)
}

/// The faults on the days for which there are minutes.
fn faults(folder: &Path, days: &[String]) -> Result<Vec<Fault>, Failure> {
    let mut faults = Vec::new();
    for line in text(folder, "faults.csv")?.lines().skip(1) {
        let [id, _, day, at, _, _, service, kind] = fields(line)?.map(str::to_owned);
        if days.contains(&day) {
            faults.push(Fault { at: unix(&at)?, id, day, service, kind });
        }
    }
    Ok(faults)
}

/// Minutes of one day: time, share of requests that succeeded in per cent, p95 in seconds.
type Minutes = Vec<(Timestamp, f64, f64)>;

fn minutes(text: &str) -> Result<BTreeMap<String, Minutes>, Failure> {
    let mut days: BTreeMap<String, Minutes> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let [day, at, success, _, _, p95, _] = fields(line)?;
        let minute = (unix(at)?, success.parse()?, p95.parse()?);
        days.entry(day.to_owned()).or_default().push(minute);
    }
    Ok(days)
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// The thresholds of `phased-canary`, and `standard`, for metrics by the minute: levels, because
/// the recording has neither counts nor buckets.
///
/// `phased-canary` alerts at a p95 of 300 ms, with a reference of 250 ms: 1.2 times the reference.
/// Both evaluate at the recording's cadence; windows, warm-up, bounds and responses are the
/// presets' own.
fn by_the_minute(p95: f64) -> Result<Vec<Arc<Policy>>, Failure> {
    let custom = |name: &str, preset: &str, success: f64, alert: &str| {
        format!(
            r#"
name = "{name}"
extends = "{preset}"

[watch]
cadence = "1min"
stale = "2min"

[metrics.latency_p95]
kind = "gauge"
reference = {p95}
alert = {{ ratio = {alert}, of = "reference" }}
quantile = {{ remove = true }}
boundaries = {{ remove = true }}
weight = {{ remove = true }}
tolerated = {{ remove = true }}

[metrics.error_rate]
kind = "gauge"
reference = 0.003
success = {success}
alert = 0.02
rollback = 0.05
weight = {{ remove = true }}

[metrics.bug]
role = "watch"
weight = {{ remove = true }}

[metrics.payment_success]
weight = 1.0
"#
        )
    };
    let phased = custom("phased-canary-thresholds", "phased-canary", 0.003, "1.2");
    let standard = custom("standard", "standard", 0.009, "1.5");
    policies(&[without_efficacy(&phased), without_efficacy(&standard)])
}

/// Policies for single requests: the latency metrics of `phased-canary` and `standard`, with the
/// shop's reference instead of theirs.
fn by_request(p95: f64) -> Result<Vec<Arc<Policy>>, Failure> {
    // The presets' boundaries are for a reference of 250 ms.
    let scaled = [0.4, 1.0, 1.2, 2.0, 4.0, 10.0]
        .map(|times| format!("\"{}ms\"", (p95 * times * 1e3).round()));
    let boundaries = scaled.join(", ");
    let custom = |name: &str, preset: &str, alert: &str| {
        format!(
            r#"
name = "{name}"
extends = "{preset}"

[metrics.latency_p95]
reference = "{}ms"
alert = {{ ratio = {alert}, of = "reference" }}
boundaries = [{boundaries}]
"#,
            (p95 * 1e3).round()
        )
    };
    policies(&[
        custom("phased-canary-thresholds", "phased-canary", "1.2"),
        custom("standard", "standard", "1.5"),
    ])
}

fn without_efficacy(policy: &str) -> String {
    format!("efficacy = {{ remove = true }}\n{policy}")
}

fn policies(texts: &[String]) -> Result<Vec<Arc<Policy>>, Failure> {
    let read =
        |text: &String| Policy::from_toml(text).map(Arc::new).map_err(|e| e.to_string().into());
    texts.iter().map(read).collect()
}

const BY_THE_MINUTE: &str = r#"{"time": {"from": "TimeStamp", "unit": "seconds"}, "metrics": {
    "error_rate": {"canary": {"value": {"from": "SuccessRate(%)", "times": -0.01, "plus": 1}}},
    "latency_p95": {"canary": {"value": "LatencyP95(s)"}}}}"#;

const BY_REQUEST: &str = r#"{"time": {"from": "at", "unit": "milliseconds"}, "metrics": {
    "latency_p95": {"canary": {"sample": "seconds"}}}}"#;

/// What two policies would have done from a given time on.
fn act(
    policies: &[Arc<Policy>],
    recorded: &RecordedMetrics,
    mapping: &Mapping,
    from: Timestamp,
    seconds: Option<u32>,
) -> Result<Vec<Backtest>, Failure> {
    let mut assume = mapping.assume.clone();
    assume.from = Some(from);
    assume.until = seconds.map(|seconds| from + Span::from_seconds(seconds));
    Ok(backtest(policies, recorded, &assume)?.policies)
}

fn after(from: Timestamp, at: Option<Timestamp>) -> String {
    at.map_or_else(|| "–".to_owned(), |at| format!("{:.0} s", at.since(from).as_seconds()))
}

fn cells(from: Timestamp, policies: &[Backtest]) -> String {
    let one = |one: &Backtest| {
        let (alert, back) = (after(from, one.first_alert), after(from, one.first_rollback));
        format!(" {alert} | {back} |")
    };
    policies.iter().map(one).collect()
}

const COLUMNS: &str = "phased-canary alerts | phased-canary rolls back | \
                       standard alerts | standard rolls back |";

/// The tables over one folder of recordings.
pub(crate) fn tables(folder: &Path) -> Result<Found, Failure> {
    let csv = text(folder, "front_service.csv")?;
    let days = minutes(&csv)?;
    let faults = faults(folder, &days.keys().cloned().collect::<Vec<_>>())?;
    let mapping = Mapping::from_json(BY_THE_MINUTE)?;
    let recorded = RecordedMetrics::read(Format::Csv, &csv, &mapping)?;
    let mut page = String::new();
    let mut quiet = Tally::default();
    let mut why: BTreeMap<(usize, String), usize> = BTreeMap::new();
    let mut records = BTreeMap::new();
    for (day, minutes) in &days {
        let last = faults.iter().filter(|fault| fault.day == *day).map(|fault| fault.at).max();
        let Some((begins, ends)) = last
            .map(|last| last + Span::from_seconds(SETTLED))
            .zip(minutes.last().map(|minute| minute.0))
        else {
            continue;
        };
        let first = begins + Span::from_seconds(RECORDED);
        let before = minutes.iter().filter(|minute| minute.0 >= begins && minute.0 < first);
        let Some(p95) = median(before.map(|minute| minute.2).collect()) else { continue };
        records.insert(day.clone(), p95);
        let policies = by_the_minute(p95)?;
        let mut from = first;
        while from + Span::from_seconds(APART) <= ends {
            let acted = act(&policies, &recorded, &mapping, from, Some(APART))?;
            quiet.count(&acted);
            for (index, one) in
                acted.iter().enumerate().filter(|(_, one)| one.first_rollback.is_some())
            {
                *why.entry((index, one.why().to_owned())).or_default() += 1;
            }
            from = from + Span::from_seconds(APART);
        }
    }
    let _ = writeln!(page, "| fault | type | service | {COLUMNS}\n|---|---|---|---|---|---|---|");
    let mut by_minute = Tally::default();
    for fault in &faults {
        let Some(p95) = records.get(&fault.day) else { continue };
        let acted = act(&by_the_minute(*p95)?, &recorded, &mapping, fault.at, Some(WATCHED))?;
        by_minute.count(&acted);
        let Fault { id, kind, service, at, .. } = fault;
        let _ = writeln!(page, "| {id} | {kind} | {service} |{}", cells(*at, &acted));
    }
    let mut spans = Tally::default();
    let requests = requests(folder)?;
    let _ = writeln!(
        page,
        "\n| fault | type | requests before / after | {COLUMNS}\n|---|---|---|---|---|---|---|"
    );
    for fault in &faults {
        let Some(times) = requests.get(&fault.id) else { continue };
        let split = times.partition_point(|(at, _)| *at <= 0);
        let (before, since) = times.split_at(split);
        if before.len() < LEAST_SPANS || since.len() < LEAST_SPANS {
            continue;
        }
        let mut sorted: Vec<f64> = before.iter().map(|span| span.1).collect();
        sorted.sort_by(f64::total_cmp);
        let Some(p95) = sorted.get(sorted.len() * 95 / 100) else { continue };
        let lines: Vec<String> = times
            .iter()
            .map(|(at, seconds)| format!("{},{seconds}", fault.at.as_millis() + at))
            .collect();
        let mapping = Mapping::from_json(BY_REQUEST)?;
        let csv = format!("at,seconds\n{}\n", lines.join("\n"));
        let recorded = RecordedMetrics::read(Format::Csv, &csv, &mapping)?;
        let acted = act(&by_request(*p95)?, &recorded, &mapping, fault.at, None)?;
        spans.count(&acted);
        let (id, kind, at) = (&fault.id, &fault.kind, fault.at);
        let _ = writeln!(
            page,
            "| {id} | {kind} | {} / {} |{}",
            before.len(),
            since.len(),
            cells(at, &acted)
        );
    }
    let _ = writeln!(page, "\n| of | cases | {COLUMNS}\n|---|---|---|---|---|---|");
    let _ = writeln!(page, "{}", by_minute.row("faults, by the minute"));
    let _ = writeln!(page, "{}", spans.row("faults, by request"));
    let _ = writeln!(page, "{}\n", quiet.row("hours without a known fault"));
    for ((policy, why), count) in why {
        let policy = ["phased-canary", "standard"].get(policy).copied().unwrap_or_default();
        let _ = writeln!(page, "- quiet, {policy} rolls back {count} times: {why}");
    }
    Ok(Found { minutes: by_minute, spans, quiet, text: page })
}

/// Requests at the front end by fault: milliseconds after the injection, and duration in seconds;
/// in order.
fn requests(folder: &Path) -> Result<BTreeMap<String, Vec<(i64, f64)>>, Failure> {
    let mut requests: BTreeMap<String, Vec<(i64, f64)>> = BTreeMap::new();
    for line in text(folder, "spans.csv")?.lines().skip(1) {
        let [fault, at, place, micros] = fields(line)?;
        if place == "root" {
            #[expect(clippy::cast_possible_truncation, reason = "minutes in milliseconds")]
            let at = at.parse::<f64>()?.round() as i64;
            let seconds = micros.parse::<f64>()? / 1e6;
            requests.entry(fault.to_owned()).or_default().push((at, seconds));
        }
    }
    for spans in requests.values_mut() {
        spans.sort_by_key(|span| span.0);
    }
    Ok(requests)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_12_a_synthetic_fault_is_acted_on_and_quiet_hours_are_not() -> Result<(), Failure> {
        let found = tables(&Path::new(env!("CARGO_MANIFEST_DIR")).join("backtest/sample"))?;
        let acted = Tally { cases: 2, alerted: [1, 1], back: [1, 1] };
        assert_eq!(found.spans, acted, "{}", found.text);
        // The second fault had no effect; a minute's p95 crosses 1.2 times its reference by chance.
        assert_eq!((found.minutes.cases, found.minutes.back), (2, [1, 1]), "{}", found.text);
        assert_eq!((found.quiet.cases, found.quiet.back[1]), (3, 0), "{}", found.text);
        Ok(())
    }

    /// The figures of `docs/backtest.md`, where the recording is available.
    #[test]
    fn field_12_the_recorded_shop_comes_out_as_the_page_says() -> Result<(), Failure> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let data = std::env::var_os("HOTFIX_DATA")
            .map_or_else(|| workspace.join("../shared/data"), |data| workspace.join(data));
        if !data.join("nezha/front_service.csv").exists() {
            return Ok(());
        }
        let found = tables(&data.join("nezha"))?;
        let page = std::fs::read_to_string(workspace.join("docs/backtest.md"))?;
        assert!(page.ends_with(&found.text), "run `make backtest` and read the difference");
        // Plain thresholds on a minute roll back in most quiet hours, `standard` in none.
        assert!(found.quiet.back[0] > found.quiet.cases / 2, "{}", found.text);
        assert_eq!(found.quiet.back[1], 0, "{}", found.text);
        Ok(())
    }
}
