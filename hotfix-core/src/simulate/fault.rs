//! The faults of a scenario.

use crate::document::{Node, document_table};
use crate::grade::{MetricKind, closed_set};
use crate::text::joined;
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
    /// Whether it changes a metric of this kind.
    pub(super) const fn fits(self, kind: MetricKind) -> bool {
        match self {
            Self::Errors | Self::NoFix => kind.counts_events(),
            Self::Latency | Self::Tail => kind.has_buckets(),
            Self::Leak => !kind.is_traffic(),
            Self::Crash | Self::Lost | Self::Late | Self::Clock => true,
        }
    }

    /// Whether it changes this metric if the scenario names no metric.
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

document_table! {
    ScenarioReader;
    /// One fault.
    #[derive(Clone, Debug, PartialEq)]
    pub(super) struct Fault {
        pub(super) kind: FaultKind = ScenarioReader::one_of, needed;
        pub(super) metric: Option<MetricName> = ScenarioReader::metric_name;
        pub(super) arm: FaultArm = ScenarioReader::one_of, or FaultArm::usual(kind);
        /// The factor by which it is worse.
        pub(super) times: f64 = ScenarioReader::ratio, or 2.0;
        /// The share that fails instead.
        pub(super) to: Option<f64> = ScenarioReader::chance;
        /// The number of affected instances of the arm.
        pub(super) instances: Option<u32> = ScenarioReader::count;
        /// The share of users, or of lost ticks.
        pub(super) users: f64 = ScenarioReader::chance, or usual_users(kind, instances);
        /// Its start, counted from the first traffic of the canary.
        pub(super) after: Span = ScenarioReader::span, or Span::ZERO;
        pub(super) lasts: Option<Span> = ScenarioReader::lasting;
        pub(super) from_share: Share = ScenarioReader::share, or Share::NONE;
        /// For a leak: the time until it reaches `times`.
        pub(super) over: Span = ScenarioReader::lasting, or Span::from_seconds(3600);
        /// The delay of readings, or the error of the clock.
        pub(super) by: Span = ScenarioReader::lasting, or Span::from_seconds(300);
        /// Whether the clock is behind; otherwise it is ahead.
        pub(super) back: bool = ScenarioReader::flag, or false;
        /// The share of the runs that have it.
        pub(super) chance: f64 = ScenarioReader::chance, or 1.0;
    }
}

impl FaultArm {
    /// The arms that a fault affects where the scenario names none.
    fn usual(kind: Option<FaultKind>) -> Self {
        match kind {
            // These affect only monitoring.
            None | Some(FaultKind::Lost | FaultKind::Late | FaultKind::Clock) => Self::Both,
            Some(_) => Self::Canary,
        }
    }
}

/// The share of users that a fault affects where the scenario gives none: a tail is a twentieth.
fn usual_users(kind: Option<FaultKind>, instances: Option<u32>) -> f64 {
    if kind == Some(FaultKind::Tail) && instances.is_none() { 0.05 } else { 1.0 }
}

impl Fault {
    pub(super) fn read(reader: &mut ScenarioReader, table: &Node) -> Option<Self> {
        let fault = Self::from_node(reader, table)?;
        let kind = fault.kind;
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
                let kinds = joined(kinds.iter().map(|kind| kind.as_str()), ", ");
                let detail = format!(
                    "`{key}` has no meaning for `{kind}`: omit it, or use a fault of the kind {kinds}"
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

    /// Whether the rollout should find it: only the canary has it, and it makes a metric worse.
    pub(super) fn is_of_the_fix(&self, health: &[HealthyService]) -> bool {
        let makes_worse = |health: &HealthyService| match (self.kind, self.to) {
            (FaultKind::Errors, Some(to)) => to > health.base,
            // A rate of zero stays zero.
            (FaultKind::Errors, None) => self.times > 1.0 && health.base > 0.0,
            (FaultKind::Latency | FaultKind::Tail | FaultKind::Leak, _) => self.times > 1.0,
            (FaultKind::Crash, _) => true,
            (FaultKind::NoFix | FaultKind::Lost | FaultKind::Late | FaultKind::Clock, _) => false,
        };
        // That the bug is still there is seen without a metric, too.
        let is_worse = self.kind == FaultKind::NoFix
            || health.iter().any(|health| self.touches(health) && makes_worse(health));
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
