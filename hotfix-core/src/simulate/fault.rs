//! What goes wrong.

use serde_json::Value;

use crate::grade::{MetricKind, closed_set};
use crate::unit::{MetricName, Share, Span, Timestamp};

use super::document::Reader;
use super::health::Health;

closed_set! {
    /// A kind of fault.
    FaultKind {
        /// More requests fail.
        Errors = "errors",
        /// Every answer takes longer.
        Latency = "latency",
        /// Some answers take far longer.
        Tail = "tail",
        /// It grows as time passes.
        Leak = "leak",
        /// It does not answer at all: its requests fail, and it sends no readings.
        Crash = "crash",
        /// The fix does not fix the bug.
        NoFix = "no_fix",
        /// Readings do not come.
        Lost = "lost",
        /// Readings come later.
        Late = "late",
        /// The host's clock is wrong.
        Clock = "clock",
    }
    /// Whom a fault hits.
    FaultArm {
        /// The version under test.
        Canary = "canary",
        /// The live version.
        Live = "live",
        /// Both: a shock from outside.
        Both = "both",
    }
}

impl FaultKind {
    /// Whether it hurts users, and not only those who look.
    pub(super) const fn hurts(self) -> bool {
        !matches!(self, Self::Lost | Self::Late | Self::Clock)
    }

    /// Whether it changes a metric of this kind.
    pub(super) const fn fits(self, kind: MetricKind) -> bool {
        match self {
            Self::Errors | Self::NoFix => {
                matches!(kind, MetricKind::Proportion | MetricKind::Count)
            }
            Self::Latency | Self::Tail => matches!(kind, MetricKind::Latency),
            Self::Leak => !matches!(kind, MetricKind::Volume),
            Self::Crash | Self::Lost | Self::Late | Self::Clock => true,
        }
    }

    /// Whether it changes such a metric where the scenario names none.
    fn means(self, health: &Health) -> bool {
        match self {
            Self::Errors => health.kind == MetricKind::Proportion && !health.is_bug,
            Self::NoFix => health.is_bug,
            Self::Leak => matches!(health.kind, MetricKind::Gauge | MetricKind::Latency),
            Self::Latency | Self::Tail | Self::Crash | Self::Lost | Self::Late | Self::Clock => {
                self.fits(health.kind)
            }
        }
    }
}

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    pub(super) kind: FaultKind,
    pub(super) metric: Option<MetricName>,
    pub(super) arm: FaultArm,
    /// How many times worse.
    pub(super) times: f64,
    /// The share that fails instead.
    pub(super) to: Option<f64>,
    /// Of users, or of ticks that are lost.
    pub(super) users: f64,
    /// Only so many instances of the arm.
    pub(super) instances: Option<u32>,
    /// Counted from the first traffic of the canary.
    pub(super) after: Span,
    pub(super) lasts: Option<Span>,
    pub(super) from_share: Share,
    /// A leak: how long until it is `times` as much.
    pub(super) over: Span,
    /// How late readings are, or how far the clock is off.
    pub(super) by: Span,
    /// The clock goes before the time, not after it.
    pub(super) back: bool,
    /// In which share of the runs it is there.
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
    pub(super) fn read(reader: &mut Reader, value: &Value) -> Option<Self> {
        let table = reader.table(value, KEYS)?;
        let kind = reader.needed(table, "kind", |reader, value| {
            reader.one_of(value, FaultKind::ALL, FaultKind::as_str)
        });
        let arm = reader.key(table, "arm", |reader, value| {
            reader.one_of(value, FaultArm::ALL, FaultArm::as_str)
        });
        let fault = Self {
            kind: kind.unwrap_or(FaultKind::Errors),
            metric: reader.key(table, "metric", Reader::metric),
            arm: arm.unwrap_or(if kind.is_some_and(FaultKind::hurts) {
                FaultArm::Canary
            } else {
                FaultArm::Both
            }),
            times: reader.key(table, "times", Reader::ratio).unwrap_or(2.0),
            to: reader.key(table, "to", Reader::chance),
            users: reader.key(table, "users", Reader::chance).unwrap_or(1.0),
            instances: reader.key(table, "instances", Reader::count),
            after: reader.key(table, "after", Reader::span).unwrap_or_default(),
            lasts: reader.key(table, "lasts", Reader::lasting),
            from_share: reader.key(table, "from_share", Reader::share).unwrap_or(Share::NONE),
            over: reader.key(table, "over", Reader::lasting).unwrap_or(Span::from_seconds(3600)),
            by: reader.key(table, "by", Reader::lasting).unwrap_or(Span::from_seconds(300)),
            back: reader.key(table, "back", Reader::flag).unwrap_or_default(),
            chance: reader.key(table, "chance", Reader::chance).unwrap_or(1.0),
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
            if table.contains_key(key) && !kinds.contains(&kind) {
                let words: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
                let detail = format!(
                    "`{key}` says nothing of `{kind}`: leave it out, or write a fault of the kind {}",
                    words.join(", ")
                );
                reader.meaningless(key, detail);
            }
        }
        if table.contains_key("times") && fault.to.is_some() {
            reader.meaningless("to", "`to` and `times` both say how many fail: keep one");
        }
        if matches!(kind, FaultKind::Late | FaultKind::Clock) {
            for key in ["metric", "arm", "users"].iter().filter(|key| table.contains_key(**key)) {
                reader.meaningless(key, "it is about the host as a whole: leave this out");
            }
        }
        Some(fault)
    }

    /// Whether it changes this metric.
    pub(super) fn touches(&self, health: &Health) -> bool {
        match self.metric {
            Some(metric) => metric == health.id,
            None => self.kind.means(health),
        }
    }

    /// Whether it hits the canary, or the live version.
    pub(super) const fn hits(&self, canary: bool) -> bool {
        matches!(
            (self.arm, canary),
            (FaultArm::Both, _) | (FaultArm::Canary, true) | (FaultArm::Live, false)
        )
    }

    /// Whether it is what a canary is for: the new version makes something worse, and only that.
    pub(super) fn is_of_the_fix(&self) -> bool {
        let is_worse = match self.kind {
            FaultKind::Errors => self.to.is_some() || self.times > 1.0,
            FaultKind::Latency | FaultKind::Tail | FaultKind::Leak => self.times > 1.0,
            FaultKind::Crash | FaultKind::NoFix => true,
            FaultKind::Lost | FaultKind::Late | FaultKind::Clock => false,
        };
        is_worse && self.users > 0.0 && matches!(self.arm, FaultArm::Canary)
    }

    /// How long it has lasted; none where it is not there. `since`: when the canary first had traffic.
    pub(super) fn lasted(&self, since: Timestamp, now: Timestamp) -> Option<Span> {
        let begins = since + self.after;
        let lasted = now.since(begins);
        (now > begins && self.lasts.is_none_or(|lasts| lasted <= lasts)).then_some(lasted)
    }

    /// What a leak makes of a number after a time: it grows, or falls to the same part where that is worse.
    pub(super) fn leaked(&self, number: f64, lasted: Span, falls: bool) -> f64 {
        let grown = self.grown(lasted);
        if falls { number / grown } else { number * grown }
    }

    /// How many times as much a leak makes it after a time.
    pub(super) fn grown(&self, lasted: Span) -> f64 {
        1.0 + (self.times - 1.0) * lasted.as_seconds() / self.over.as_seconds()
    }
}
