//! The power analysis as Markdown.

use std::fmt::Write as _;

use super::format::{about, figure, figures, lasting, list};
use super::{Blind, Chance, Detection, MetricPower, Power};
use crate::text::enumerated;

impl Power {
    /// As Markdown, below a heading of the second level. Names of metrics and phases have no
    /// characters that Markdown reads, and no other text of the policy's is in it.
    pub fn to_markdown(&self) -> String {
        let mut page = String::from("## What each phase can detect\n\n");
        if let Some(missing) = &self.missing {
            let _ = writeln!(page, "The power cannot be computed: {missing}.\n");
        }
        if let Some(leading) = &self.leading {
            self.sentence(leading, &mut page);
        }
        for metric in &self.metrics {
            let _ = writeln!(page, "`{}`: {}\n", metric.metric, metric.healthy("bad events"));
        }
        for of in &self.unforeseen {
            if let Some(history) = &of.history {
                let _ = writeln!(page, "`{}`: {history}\n", of.metric);
            }
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
            let _ = writeln!(page, "Not computed: {}.\n", enumerated(&parts));
        }
        let mut page = page.trim_end().to_owned();
        page.push('\n');
        page
    }

    fn sentence(&self, of: &MetricPower, page: &mut String) {
        let traffic = self.requests_per_minute.unwrap_or_default();
        let from =
            self.volume.map(|volume| format!(" (reference of `{volume}`)")).unwrap_or_default();
        let _ = writeln!(
            page,
            "`{}`, {} requests per minute{from}, reference {}% bad: {}\n",
            of.metric,
            figure(traffic),
            figure(100.0 * of.base_rate),
            of.healthy("errors")
        );
    }
}

impl MetricPower {
    fn healthy(&self, events: &str) -> String {
        let expected: Vec<String> =
            self.phases.iter().map(|phase| figure(phase.expected_events)).collect();
        let fails: Vec<f64> = self.phases.iter().map(|phase| 1.0 - phase.healthy_passes).collect();
        let all_gates = Chance { chance: self.all_gates, approximate: self.all_gates_approximate };
        let (gates, them) = match self.phases.len() {
            1 => ("the gate", "it"),
            _ => ("the gates", "all of them"),
        };
        let events = if expected == ["1"] { events.trim_end_matches('s') } else { events };
        let history = self.history.as_ref();
        let history = history.map_or_else(String::new, |of| format!(" {}", of.sentence));
        format!(
            "A healthy fix is expected to have {} {}. By chance it misses {gates} in {} of 100 cases and passes {them} in {} of 100.{history}",
            enumerated(&expected),
            events,
            figures(&fails),
            about("about ", all_gates)
        )
    }

    /// Chances by ratio: passing the gate, rollback by plain bounds and by the sequential test.
    fn table(&self, page: &mut String) {
        page.push_str(
            "Of 100 rollouts: how many pass the gate / are rolled back by plain bounds / are rolled back by the sequential test before the phase is over. Columns: a healthy fix, and faults with this multiple of the reference rate.\n\n",
        );
        let head =
            ["phase", "traffic", "time", "expected", "allowed", "healthy"].map(str::to_owned);
        head_of(
            head.into_iter().chain(self.ratios()).chain(["smallest multiple found".to_owned()]),
            page,
        );
        for phase in &self.phases {
            let passes = Chance {
                chance: phase.healthy_passes,
                approximate: phase.healthy_passes_approximate,
            };
            let mut cells = vec![
                format!("`{}`", phase.phase),
                format!("{}%", figure(100.0 * phase.share.as_fraction())),
                lasting(phase.minutes),
                figure(phase.expected_events),
                or_dash(phase.allowed_events, figure),
                chances([Some(passes), Some(phase.healthy_rolled_back), phase.false_rollback]),
            ];
            cells.extend(phase.faults.iter().map(|fault| {
                let [plain, test] = [fault.plain, fault.sequential].map(|found| {
                    let Detection { chance, approximate, .. } = found?;
                    Some(Chance { chance, approximate })
                });
                chances([fault.passes, plain, test])
            }));
            cells.push(or_dash(phase.smallest_ratio, times));
            row(cells, page);
        }
        page.push_str("\n`~` means approximate, `–` means none. Each phase is shown alone. Evidence is kept: a fault of an earlier phase is found sooner in a later one, and one that begins after a good phase later than shown, unless `change_point` is on.\n\n");
    }

    /// The heads of the columns of faults.
    fn ratios(&self) -> impl Iterator<Item = String> {
        self.phases
            .first()
            .into_iter()
            .flat_map(|phase| &phase.faults)
            .map(|fault| times(fault.ratio))
    }

    /// How long faults last and how many requests they affect, by what finds them first.
    fn times(&self, page: &mut String) {
        page.push_str("How long a fault lasts in the phase and how many requests it affects until then, on average:\n\n");
        head_of(["phase".to_owned()].into_iter().chain(self.ratios()), page);
        for phase in &self.phases {
            let cells = phase.faults.iter().map(|fault| {
                let both = [fault.plain, fault.sequential].into_iter().flatten();
                let sooner = both.min_by(|one, other| one.minutes.total_cmp(&other.minutes));
                or_dash(sooner, |found| {
                    let affected = figure(found.requests_affected.round());
                    format!("{} min, {affected}", figure(found.minutes))
                })
            });
            row([format!("`{}`", phase.phase)].into_iter().chain(cells), page);
        }
        let waits = self.phases.iter().filter(|phase| phase.waits_for_trials);
        let waits: Vec<_> = waits.map(|phase| phase.phase).collect();
        if !waits.is_empty() {
            let _ = write!(page, "\nThe gate waits for trials in {}.\n", list(&waits));
        }
        page.push('\n');
    }
}

/// The head of a table whose further columns are figures.
fn head_of(cells: impl IntoIterator<Item = String>, page: &mut String) {
    let columns = row(cells, page);
    let _ = writeln!(page, "|---|{}", "--:|".repeat(columns - 1));
}

fn row(cells: impl IntoIterator<Item = String>, page: &mut String) -> usize {
    let mut columns = 0;
    for cell in cells {
        let _ = write!(page, "| {cell} ");
        columns += 1;
    }
    page.push_str("|\n");
    columns
}

fn times(ratio: f64) -> String {
    format!("{} ×", figure(ratio))
}

fn or_dash<T>(value: Option<T>, shown: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| "–".to_owned(), shown)
}

fn chances(of: [Option<Chance>; 3]) -> String {
    of.map(|chance| or_dash(chance, |chance| about("~", chance))).join(" / ")
}

impl Blind {
    const fn words(self) -> &'static str {
        match self {
            Self::NoReference => "no reference",
            Self::ReferenceOfZero => "its reference is 0, so no multiple of it is a fault",
            Self::NoCount => {
                "how it varies is not known in advance, nor how often a healthy fix crosses its bounds"
            }
            Self::FewerIsWorse => "a count of which fewer are worse",
            Self::NoTraffic => "the traffic is unknown",
            Self::TooMuch => "too many ticks or too much traffic to compute",
        }
    }
}
