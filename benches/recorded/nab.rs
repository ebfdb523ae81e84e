//! Gauges of real services, judged like a gauge: tick means before and after, compared by ranks.
//!
//! The protocol was written down before the first run and not changed after it:
//!
//! - Every 30 minutes, in time order, the points of the last hour are compared with earlier ones. A
//!   comparison needs 10 of an hour's 12 points and 150 earlier ones. *Earlier* is one of two: the
//!   24 hours before that hour; or, as gauges follow the time of day, the same hour of the seven
//!   days before, with an hour more on each side, for at least three of these days.
//! - *Ranks*: Mann–Whitney, two-sided, at 0.01 over all comparisons of a series (Bonferroni), and a
//!   common-language effect of at least 0.9 or at most 0.1. The exact interval for the shift at
//!   that confidence excludes 0 where the test rejects.
//! - *Kayenta*: the compatible judge with its defaults (98%, tolerance 0.25, no effect size) in the
//!   same comparisons.
//! - An alarm is a comparison that is High or Low. The first alarm in a labelled window finds it;
//!   the delay counts from the window's start. Alarms up to 25 hours after a window are not
//!   counted, because the window is then among the earlier points. All others are false; those less
//!   than two hours apart are one episode.
//!
//! Neighbouring points of a gauge depend on each other, and the test assumes independence. So its
//! 0.01 does not hold on such series, and the table (`nab.md`) shows by how much.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use hotfix_benches::recordings::Failure;
use hotfix_core::kayenta::{Arms, Classification, EffectSize, Measure, MetricSettings, classify};
use hotfix_core::unit::Timestamp;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const EVERY: i64 = 30 * MINUTE;
const AFTERMATH: i64 = 25 * HOUR;
const EPISODE: i64 = 2 * HOUR;
const LEAST_NOW: usize = 10;
const LEAST_EARLIER: usize = 150;
const DAYS: i64 = 7;
const LEAST_DAYS: usize = 3;
const ALPHA: f64 = 0.01;
const EFFECT: f64 = 0.9;

/// A gauge, with the windows in which something was wrong.
struct Series {
    name: String,
    points: Vec<(i64, f64)>,
    windows: Vec<(i64, i64)>,
}

/// The points with which the last hour is compared.
#[derive(Clone, Copy)]
enum Earlier {
    DayBefore,
    SameHour,
}

/// The method of a comparison.
#[derive(Clone, Copy)]
enum Method {
    Ranks(Earlier),
    Kayenta(Earlier),
}

impl Method {
    const ALL: [(&'static str, Self); 4] = [
        ("ranks, day before", Self::Ranks(Earlier::DayBefore)),
        ("Kayenta, day before", Self::Kayenta(Earlier::DayBefore)),
        ("ranks, same hours", Self::Ranks(Earlier::SameHour)),
        ("Kayenta, same hours", Self::Kayenta(Earlier::SameHour)),
    ];
}

/// Results of a method on one series, or on all.
#[derive(Clone, Default)]
struct Tally {
    windows: usize,
    delays: Vec<i64>,
    looks: usize,
    alarms: usize,
    episodes: usize,
    days: f64,
}

fn millis(text: &str) -> Result<i64, Failure> {
    let (date, time) = text.split_once(' ').ok_or("a timestamp needs a date and a time")?;
    let time = time.get(..8).ok_or("a timestamp needs seconds")?;
    Ok(format!("{date}T{time}Z").parse::<Timestamp>()?.as_millis())
}

fn read(folder: &Path) -> Result<Vec<Series>, Failure> {
    let labels = fs::read_to_string(folder.join("combined_windows.json"))?;
    let labels: BTreeMap<String, Vec<[String; 2]>> = serde_json::from_str(&labels)?;
    let mut all = Vec::new();
    for (path, windows) in labels {
        let file = path.rsplit('/').next().unwrap_or(&path);
        let Ok(text) = fs::read_to_string(folder.join(file)) else { continue };
        let point = |line: &str| -> Result<(i64, f64), Failure> {
            let (at, value) = line.split_once(',').ok_or("a line needs a time and a value")?;
            Ok((millis(at)?, value.parse()?))
        };
        let points = text.lines().skip(1).map(point).collect::<Result<_, _>>()?;
        let window = |[from, to]: &[String; 2]| Ok::<_, Failure>((millis(from)?, millis(to)?));
        let windows = windows.iter().map(window).collect::<Result<_, _>>()?;
        all.push(Series { name: file.trim_end_matches(".csv").to_owned(), points, windows });
    }
    Ok(all)
}

impl Series {
    /// Values after one time, up to and including another.
    fn between(&self, after: i64, to: i64) -> impl Iterator<Item = f64> {
        let from = self.points.partition_point(|(at, _)| *at <= after);
        let end = self.points.partition_point(|(at, _)| *at <= to);
        self.points[from..end.max(from)].iter().map(|(_, value)| *value)
    }

    fn earlier(&self, now: i64, earlier: Earlier) -> Vec<f64> {
        match earlier {
            Earlier::DayBefore => self.between(now - HOUR - DAY, now - HOUR).collect(),
            Earlier::SameHour => {
                let day = |days: i64| -> Vec<f64> {
                    let then = now - days * DAY;
                    self.between(then - 2 * HOUR, then + HOUR).collect()
                };
                let days: Vec<_> = (1..=DAYS).map(day).filter(|day| !day.is_empty()).collect();
                if days.len() < LEAST_DAYS { Vec::new() } else { days.concat() }
            }
        }
    }

    /// The possible comparisons, with their samples.
    fn looks(&self, earlier: Earlier) -> Vec<(i64, Arms)> {
        let (Some(first), Some(last)) = (self.points.first(), self.points.last()) else {
            return Vec::new();
        };
        let times = (0..=(last.0 - first.0) / EVERY).map(|step| first.0 + step * EVERY);
        let look = |now: i64| {
            let experiment: Vec<f64> = self.between(now - HOUR, now).collect();
            let control = self.earlier(now, earlier);
            let enough = experiment.len() >= LEAST_NOW && control.len() >= LEAST_EARLIER;
            enough.then_some((now, Arms { control, experiment }))
        };
        times.filter_map(look).collect()
    }

    fn tally(&self, method: Method) -> Result<Tally, Failure> {
        let (Method::Ranks(earlier) | Method::Kayenta(earlier)) = method;
        let looks = self.looks(earlier);
        let settings = match method {
            Method::Kayenta(_) => MetricSettings::default(),
            Method::Ranks(_) => MetricSettings {
                tolerance: 0.0,
                confidence: 1.0 - ALPHA / looks.len() as f64,
                effect_size: EffectSize {
                    allowed_increase: EFFECT,
                    allowed_decrease: 1.0 - EFFECT,
                    ..EffectSize::of(Measure::CommonLanguage)
                },
                ..MetricSettings::default()
            },
        };
        let mut tally = Tally { windows: self.windows.len(), ..Tally::default() };
        let mut found = vec![None; self.windows.len()];
        let mut last_false = None;
        for (now, arms) in &looks {
            let result = classify(&self.name, arms, &settings)?;
            let label = match method {
                Method::Kayenta(_) => result.classification,
                Method::Ranks(_) => result.exact,
            };
            let alarm = matches!(label, Classification::High | Classification::Low);
            let inside = self.windows.iter().position(|(from, to)| (from..=to).contains(&now));
            let aftermath =
                self.windows.iter().any(|(_, to)| (0..=AFTERMATH).contains(&(now - to)));
            match inside {
                Some(window) if alarm => {
                    found[window].get_or_insert(now - self.windows[window].0);
                }
                None if !aftermath => {
                    tally.looks += 1;
                    if alarm {
                        tally.alarms += 1;
                        let apart = last_false.is_none_or(|last| now - last >= EPISODE);
                        tally.episodes += usize::from(apart);
                        last_false = Some(*now);
                    }
                }
                _ => {}
            }
        }
        tally.days = tally.looks as f64 * EVERY as f64 / DAY as f64;
        tally.delays = found.into_iter().flatten().collect();
        Ok(tally)
    }
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.windows += other.windows;
        self.delays.extend(&other.delays);
        self.looks += other.looks;
        self.alarms += other.alarms;
        self.episodes += other.episodes;
        self.days += other.days;
    }

    fn row(&self, name: &str, method: &str) -> String {
        let mut delays = self.delays.clone();
        delays.sort_unstable();
        let median = delays.get(delays.len() / 2).map_or_else(
            || "–".to_owned(),
            |delay| format!("{:.1} h", *delay as f64 / HOUR as f64),
        );
        let per_day = self.episodes as f64 / self.days;
        format!(
            "| {name} | {method} | {} of {} | {median} | {} | {per_day:.2} | {:.1}% |\n",
            self.delays.len(),
            self.windows,
            self.episodes,
            100.0 * self.alarms as f64 / self.looks as f64
        )
    }
}

/// The table, from a folder with the series and their labels.
pub(crate) fn nab(folder: &Path) -> Result<String, Failure> {
    let mut table = String::from(
        "| gauge | method | windows found | median delay | false episodes | a day | comparisons in \
         alarm |\n\
         |---|---|---|---|---|---|---|\n",
    );
    let mut totals = vec![Tally::default(); Method::ALL.len()];
    for series in read(folder)? {
        for ((title, method), total) in Method::ALL.iter().zip(&mut totals) {
            let tally = series.tally(*method)?;
            let _ = write!(table, "{}", tally.row(&series.name, title));
            total.add(&tally);
        }
    }
    for ((title, _), total) in Method::ALL.iter().zip(&totals) {
        let _ = write!(table, "{}", total.row("**all**", title));
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten days of five-minute points around a level, with a step of a day's length from the start
    /// of a labelled window on, and another that nobody labelled.
    fn series(labelled: i64, unlabelled: Option<i64>) -> Series {
        let value = |step: i64| {
            let at = step * 5 * MINUTE;
            let raised = |from: i64| (from..from + DAY).contains(&at);
            let level =
                if raised(labelled) || unlabelled.is_some_and(raised) { 20.0 } else { 10.0 };
            (at, level + (step * 7_919 % 101) as f64 / 101.0)
        };
        let points = (0..10 * 288).map(value).collect();
        Series { name: "gauge".into(), points, windows: vec![(labelled, labelled + 12 * HOUR)] }
    }

    #[test]
    fn stat_1_a_step_in_a_window_is_found_within_its_hour() -> Result<(), Failure> {
        for (name, method) in Method::ALL {
            let tally = series(5 * DAY, None).tally(method)?;
            assert_eq!((tally.delays.len(), tally.episodes), (1, 0), "{name}");
            assert!(tally.delays[0] <= HOUR, "{name}: {:?}", tally.delays);
            assert!(tally.looks > 100, "{name}: {} comparisons", tally.looks);
        }
        Ok(())
    }

    #[test]
    fn stat_1_a_step_outside_of_every_window_is_a_false_alarm() -> Result<(), Failure> {
        let tally = series(8 * DAY, Some(4 * DAY)).tally(Method::Ranks(Earlier::DayBefore))?;
        assert_eq!(tally.delays.len(), 1);
        assert!(tally.episodes >= 1 && tally.alarms >= 10, "{} {}", tally.episodes, tally.alarms);
        Ok(())
    }

    #[test]
    fn stat_1_times_of_the_labels_and_of_the_points_are_one() -> Result<(), Failure> {
        assert_eq!(millis("2014-02-26 13:45:00.000000")?, millis("2014-02-26 13:45:00")?);
        assert_eq!(millis("1970-01-02 00:00:00")?, DAY);
        Ok(())
    }
}
