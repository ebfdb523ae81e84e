//! The table that a person can act on.

use std::fmt::Write as _;

use super::words::{about, figure, figures, lasting, list, of_100};
use super::{Blind, Chance, Detection, MetricSight, Sight, TrafficSource};
use crate::text::enumerated;

impl Sight {
    /// As Markdown, below a heading of the second level. Names of metrics and phases have no characters that Markdown
    /// reads, and no other text of the policy's is in it.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use hotfix_core::{plan::{Plan, Subject}, policy::Policy};
    /// # let mut subject = Subject::default();
    /// # subject.incident.id = "INC-2041".to_owned();
    /// # (subject.release.version, subject.release.previous) = ("2.3.1".to_owned(), "2.3.0".to_owned());
    /// let plan = Plan::try_new(Arc::new(Policy::preset("phased-canary")?), subject)?;
    /// let page = plan.sight().to_markdown();
    /// assert!(page.contains("3, 15 and 90 errors are to be expected of a healthy fix"));
    /// assert!(page.contains("fails in 35, 43 and 47 of 100 cases and passes all of them in 19"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_markdown(&self) -> String {
        let mut page = String::from("## What each phase can see\n\n");
        if let Some(missing) = &self.missing {
            let _ = writeln!(page, "Cannot be told: {missing}.\n");
        }
        if let Some(leading) = &self.leading {
            self.sentence(leading, &mut page);
        }
        for metric in &self.metrics {
            let _ = writeln!(page, "`{}`: {}.\n", metric.metric, metric.healthy("bad events"));
        }
        if !self.advice.is_empty() {
            page.push_str("What to do:\n\n");
            for advice in &self.advice {
                let _ = writeln!(page, "- {}.", advice.sentence);
            }
            page.push('\n');
        }
        if let Some(leading) = &self.leading {
            leading.table(&mut page);
            leading.times(&mut page);
        }
        if !self.unforeseen.is_empty() {
            let parts: Vec<String> = self
                .unforeseen
                .iter()
                .map(|of| format!("`{}` ({})", of.metric, of.why.words()))
                .collect();
            let _ = writeln!(page, "Not foreseen: {}.\n", enumerated(&parts));
        }
        let mut page = page.trim_end().to_owned();
        page.push('\n');
        page
    }

    fn sentence(&self, of: &MetricSight, page: &mut String) {
        let traffic = self.requests_per_minute.unwrap_or_default();
        let from = match self.traffic_from {
            Some(TrafficSource::Record) => " (the volume's record)",
            _ => "",
        };
        let _ = writeln!(
            page,
            "`{}`, {} requests a minute{from}, {}% of them bad on record: {}.\n",
            of.metric,
            figure(traffic),
            figure(100.0 * of.base_rate),
            of.healthy("errors")
        );
    }
}

impl MetricSight {
    /// The one sentence that matters.
    fn healthy(&self, events: &str) -> String {
        let expected: Vec<String> =
            self.phases.iter().map(|phase| figure(phase.expected_events)).collect();
        let fails: Vec<f64> = self.phases.iter().map(|phase| 1.0 - phase.healthy_passes).collect();
        let about = if self.all_gates_approximate { "about " } else { "" };
        let (gates, them) = match self.phases.len() {
            1 => ("its gate it", "it"),
            _ => ("the gates it", "all of them"),
        };
        format!(
            "{} {} are to be expected of a healthy fix; at {gates} fails in {} of 100 cases and passes {them} in {about}{}",
            enumerated(&expected),
            events,
            figures(&fails),
            of_100(self.all_gates)
        )
    }

    /// Chances by ratio: past the gate, plain bounds, the sequential test.
    fn table(&self, page: &mut String) {
        let ratios: Vec<f64> =
            self.phases.first().into_iter().flat_map(|p| &p.faults).map(|f| f.ratio).collect();
        page.push_str(
            "Of 100 rollouts, how many pass the gate / are rolled back by plain bounds / by the sequential test before the phase is over, healthy and with faults of so many times the record:\n\n",
        );
        page.push_str("| phase | share | time | expected | allowed | healthy |");
        for ratio in &ratios {
            let _ = write!(page, " {} × |", figure(*ratio));
        }
        page.push_str(" smallest ratio found |\n|---|--:|--:|--:|--:|--:|");
        page.push_str(&"--:|".repeat(ratios.len() + 1));
        page.push('\n');
        for phase in &self.phases {
            let passes = Chance {
                chance: phase.healthy_passes,
                approximate: phase.healthy_passes_approximate,
            };
            let healthy =
                cell([Some(passes), Some(phase.healthy_rolled_back), phase.false_rollback]);
            let _ = write!(
                page,
                "| `{}` | {}% | {} | {} | {} | {healthy} |",
                phase.phase,
                figure(100.0 * phase.share.as_fraction()),
                lasting(phase.minutes),
                figure(phase.expected_events),
                phase.allowed_events.map_or_else(|| "–".to_owned(), figure),
            );
            for fault in &phase.faults {
                let [plain, test] =
                    [fault.plain, fault.sequential].map(|found| found.map(Detection::as_chance));
                let cell = cell([fault.passes, plain, test]);
                let _ = write!(page, " {cell} |");
            }
            let smallest =
                phase.smallest_ratio.map_or_else(|| "–".to_owned(), |r| format!("{} ×", figure(r)));
            let _ = writeln!(page, " {smallest} |");
        }
        page.push_str("\n`~` is approximate; – where there is none. The test's evidence is carried over, so later phases find more.\n\n");
    }

    /// How long faults last, and whom they hurt, by whichever finds them sooner.
    fn times(&self, page: &mut String) {
        let ratios: Vec<f64> =
            self.phases.first().into_iter().flat_map(|p| &p.faults).map(|f| f.ratio).collect();
        page.push_str("Minutes that a fault lasts in the phase, and requests that it hurts until then, on average:\n\n| phase |");
        for ratio in &ratios {
            let _ = write!(page, " {} × |", figure(*ratio));
        }
        page.push_str("\n|---|");
        page.push_str(&"--:|".repeat(ratios.len()));
        page.push('\n');
        for phase in &self.phases {
            let _ = write!(page, "| `{}` |", phase.phase);
            for fault in &phase.faults {
                let both = [fault.plain, fault.sequential];
                let sooner = both
                    .into_iter()
                    .flatten()
                    .reduce(|one, other| if other.minutes < one.minutes { other } else { one });
                match sooner {
                    Some(found) => {
                        let (minutes, hurt) = (found.minutes, found.requests_hurt);
                        let _ =
                            write!(page, " {} min, {} |", figure(minutes), figure(hurt.round()));
                    }
                    None => page.push_str(" – |"),
                }
            }
            page.push('\n');
        }
        let waits: Vec<_> =
            self.phases.iter().filter(|p| p.waits_for_trials).map(|p| p.phase).collect();
        if !waits.is_empty() {
            let _ = write!(page, "\nThe gate waits for trials in {}.\n", list(&waits));
        }
        page.push('\n');
    }
}

fn cell(chances: [Option<Chance>; 3]) -> String {
    chances.map(|chance| chance.map_or_else(|| "–".to_owned(), about)).join(" / ")
}

impl Detection {
    const fn as_chance(self) -> Chance {
        Chance { chance: self.chance, approximate: self.approximate }
    }
}

impl Blind {
    /// In words.
    const fn words(self) -> &'static str {
        match self {
            Self::NoRecord => "it has no record",
            Self::RecordOfZero => "its record is 0, and no fault is so many times as much",
            Self::NoCount => "quantiles and levels have no law beforehand",
            Self::FewerIsWorse => "a count of which fewer is worse",
            Self::NoTraffic => "nobody says how much traffic there is",
            Self::TooMuch => "too many ticks, or too much traffic, to follow",
        }
    }
}
