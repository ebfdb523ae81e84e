//! The faults of a scenario.

use crate::document::Node;

use crate::grade::{MetricKind, closed_set};
use crate::unit::{MetricName, Share, Span, Timestamp};

use super::document::ScenarioReader;
use super::healthy_service::HealthyService;

closed_set! {
    /// A kind of fault.
    FaultKind {
        /// More requests fail.
        Errors = "errors",
        /// Every answer takes longer.
        Latency = "latency",
        /// Some answers take far longer.
        Tail = "tail",
        /// It grows over time.
        Leak = "leak",
        /// The service does not respond: its requests fail, and it sends no readings.
        Crash = "crash",
        /// The fix does not fix the bug.
        NoFix = "no_fix",
        /// Readings are missing.
        Lost = "lost",
        /// Readings are late.
        Late = "late",
        /// The clock of the deploy tool is wrong.
        Clock = "clock",
    }
    /// The versions that a fault affects.
    FaultArm {
        /// The version under test.
        Canary = "canary",
        /// The live version.
        Live = "live",
        /// Both versions: an external fault.
        Both = "both",
    }
}

impl FaultKind {
    /// Whether it affects users, and not only monitoring.
    pub(super) const fn affects_users(self) -> bool {
        !matches!(self, Self::Lost | Self::Late | Self::Clock)
    }

    /// Whether it changes a metric of this kind.
    pub(super) const fn fits(self, kind: MetricKind) -> bool {
        match self {
            Self::Errors | Self::NoFix => kind.counts_events(),
            Self::Latency | Self::Tail => kind.has_buckets(),
            Self::Leak => !kind.is_traffic(),
            Self::Crash | Self::Lost | Self::Late | Self::Clock => true,
        }
    }

    /// Whether it changes such a metric if the scenario names none.
    fn means(self, health: &HealthyService) -> bool {
        match self {
            Self::Errors => health.kind.is_fraction() && !health.is_bug,
            Self::NoFix => health.is_bug,
            Self::Leak => self.fits(health.kind) && !health.kind.counts_events(),
            Self::Latency | Self::Tail | Self::Crash | Self::Lost | Self::Late | Self::Clock => {
                self.fits(health.kind)
            }
        }
    }
}

/// One fault.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    pub(super) kind: FaultKind,
    pub(super) metric: Option<MetricName>,
    pub(super) arm: FaultArm,
    /// The factor by which it is worse.
    pub(super) times: f64,
    /// The share that fails instead.
    pub(super) to: Option<f64>,
    /// The share of users, or of lost ticks.
    pub(super) users: f64,
    /// The number of affected instances of the arm.
    pub(super) instances: Option<u32>,
    /// Its start, counted from the first traffic of the canary.
    pub(super) after: Span,
    pub(super) lasts: Option<Span>,
    pub(super) from_share: Share,
    /// For a leak: the time until it reaches `times`.
    pub(super) over: Span,
    /// The delay of readings, or the error of the clock.
    pub(super) by: Span,
    /// Whether the clock is ahead.
    pub(super) back: bool,
    /// The share of the runs that have it.
    pub(super) chance: f64,
}

const KEYS: &[&str] = &[
    "kind",
    "metric",
    "arm",
    "times",
    "to",
    "users",
    "instances",
    "after",
    "lasts",
    "from_share",
    "over",
    "by",
    "back",
    "chance",
];

impl Fault {
    pub(super) fn read(reader: &mut ScenarioReader, value: &Node) -> Option<Self> {
        let table = reader.table_of(value, KEYS)?;
        let kind = reader.needed(table, "kind", ScenarioReader::one_of);
        let arm = reader.key(table, "arm", ScenarioReader::one_of);
        let fault = Self {
            kind: kind.unwrap_or(FaultKind::Errors),
            metric: reader.key(table, "metric", ScenarioReader::metric_name),
            arm: arm.unwrap_or(if kind.is_some_and(FaultKind::affects_users) {
                FaultArm::Canary
            } else {
                FaultArm::Both
            }),
            times: reader.key(table, "times", ScenarioReader::ratio).unwrap_or(2.0),
            to: reader.key(table, "to", ScenarioReader::chance),
            users: reader.key(table, "users", ScenarioReader::chance).unwrap_or(1.0),
            instances: reader.key(table, "instances", ScenarioReader::count),
            after: reader.key(table, "after", ScenarioReader::span).unwrap_or_default(),
            lasts: reader.key(table, "lasts", ScenarioReader::lasting),
            from_share: reader
                .key(table, "from_share", ScenarioReader::share)
                .unwrap_or(Share::NONE),
            over: reader
                .key(table, "over", ScenarioReader::lasting)
                .unwrap_or(Span::from_seconds(3600)),
            by: reader.key(table, "by", ScenarioReader::lasting).unwrap_or(Span::from_seconds(300)),
            back: reader.key(table, "back", ScenarioReader::flag).unwrap_or_default(),
            chance: reader.key(table, "chance", ScenarioReader::chance).unwrap_or(1.0),
        };
        let kind = kind?;
        let asks: [(&str, &[FaultKind]); 6] = [
            ("times", &[FaultKind::Errors, FaultKind::Latency, FaultKind::Tail, FaultKind::Leak]),
            ("to", &[FaultKind::Errors]),
            ("over", &[FaultKind::Leak]),
            ("by", &[FaultKind::Late, FaultKind::Clock]),
            ("back", &[FaultKind::Clock]),
            (
                "instances",
                &[FaultKind::Errors, FaultKind::Latency, FaultKind::Tail, FaultKind::Crash],
            ),
        ];
        for (key, kinds) in asks {
            if table.key(key).is_some() && !kinds.contains(&kind) {
                let words: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
                let detail = format!(
                    "`{key}` has no meaning for `{kind}`: omit it, or use a fault of the kind {}",
                    words.join(", ")
                );
                reader.meaningless(key, detail);
            }
        }
        if table.key("times").is_some() && fault.to.is_some() {
            reader.meaningless("to", "`to` and `times` both set how many fail: keep one");
        }
        if matches!(kind, FaultKind::Late | FaultKind::Clock) {
            for key in ["metric", "arm", "users"].iter().filter(|key| table.key(key).is_some()) {
                reader.meaningless(key, "the fault affects the whole deploy tool: omit this key");
            }
        }
        Some(fault)
    }

    /// Whether it changes this metric.
    pub(super) fn touches(&self, health: &HealthyService) -> bool {
        match self.metric {
            Some(metric) => metric == health.id,
            None => self.kind.means(health),
        }
    }

    /// Whether it affects the canary or the live version.
    pub(super) const fn hits(&self, canary: bool) -> bool {
        matches!(
            (self.arm, canary),
            (FaultArm::Both, _) | (FaultArm::Canary, true) | (FaultArm::Live, false)
        )
    }

    /// Whether a canary should find it: only the new version makes something worse.
    pub(super) fn is_of_the_fix(&self) -> bool {
        let is_worse = match self.kind {
            FaultKind::Errors => self.to.is_some() || self.times > 1.0,
            FaultKind::Latency | FaultKind::Tail | FaultKind::Leak => self.times > 1.0,
            FaultKind::Crash | FaultKind::NoFix => true,
            FaultKind::Lost | FaultKind::Late | FaultKind::Clock => false,
        };
        is_worse && self.users > 0.0 && matches!(self.arm, FaultArm::Canary)
    }

    /// How long it has lasted. None while it is absent. `since`: when the canary first had traffic.
    pub(super) fn lasted(&self, since: Timestamp, now: Timestamp) -> Option<Span> {
        let begins = since + self.after;
        let lasted = now.since(begins);
        (now > begins && self.lasts.is_none_or(|lasts| lasted <= lasts)).then_some(lasted)
    }

    /// The effect of a leak on a number after a time: it grows, or falls by the same factor if
    /// lower is worse.
    pub(super) fn leaked(&self, number: f64, lasted: Span, falls: bool) -> f64 {
        let grown = self.grown(lasted);
        if falls { number / grown } else { number * grown }
    }

    /// The factor of a leak after a time.
    pub(super) fn grown(&self, lasted: Span) -> f64 {
        1.0 + (self.times - 1.0) * lasted.as_seconds() / self.over.as_seconds()
    }
}
