//! The settings of the whole rollout: clock, evidence, watching, triggers.

use super::list::keyed;
use super::range::{AboveOne, AtLeastOne, Chance, NotNegative, OneToThousand, UpToThousand};
use crate::document::Node;
use crate::grade::{EvidenceMode, Otherwise, Response, Signal};
use crate::policy::error::Problem;
use crate::policy::field::{Duration, FailSafe, Lasting};
use crate::policy::reader::{Field, PolicyReader, Style, section};
use crate::policy::schema::{Definitions, Schema};
use crate::unit::{Proportion, Ratio, Span};
use std::num::NonZeroU32;

/// What happens on each signal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Triggers {
    /// Indexed by `Signal::ALL`.
    pub(crate) responses: [Response; Signal::ALL.len()],
}

impl Default for Triggers {
    /// A person is asked about every signal.
    fn default() -> Self {
        Self { responses: [Response::Ask; Signal::ALL.len()] }
    }
}

impl Triggers {
    /// These responses with another one to `signal`.
    #[must_use]
    pub const fn with(mut self, signal: Signal, response: Response) -> Self {
        self.responses[signal as usize] = response;
        self
    }

    /// What happens on this signal.
    pub const fn response(&self, signal: Signal) -> Response {
        self.responses[signal as usize]
    }
}

section! {
    plain
    /// Limits on the timestamps that the caller sends.
    pub Clock: Copy from ClockDraft {
        /// How far an input may be ahead of the last known time; one further ahead is refused, but for
        /// `tick`, `roll_back`, `abort`, `revert` and `report`.
        most_ahead: Span as Lasting, [default "48h"];
    }
}

section! {
    plain
    /// Settings of the sequential tests.
    pub Evidence: Copy from EvidenceDraft, evidence_rules {
        /// The probability that the tests ever roll back a release that is no worse; above 0, below
        /// 1.
        alpha: Proportion as Chance, [default "1%"];
        /// The probability of showing 'no harm' for a release that is worse than `margin`; above 0,
        /// below 1.
        promotion_alpha: Proportion as Chance, [default "5%"];
        /// The ratio of canary to baseline up to which a release counts as no worse; at least 1.
        tolerated: Ratio as AtLeastOne, [default 1.0];
        /// The ratio of canary to baseline that the promotion test has to rule out; above
        /// `tolerated`.
        margin: Ratio, [default 2.0];
        /// The e-value of harm from which a promotion is held; above 1.
        hold: Ratio as AboveOne, [default 10.0];
        /// On what the thresholds of the tests are based, because errors come in bursts: the
        /// assumption of independent errors, your own history, randomly drawn canary instances, or
        /// the last two together.
        mode: EvidenceMode, [default "replay"];
        /// What happens if the data for `mode` is missing: the plain test decides, or a crossing
        /// asks a person.
        otherwise: Otherwise, [default "plain"];
        /// Whether the tests also look for late changes, as in long phases or with faults that
        /// build up.
        change_point: bool, [default false];
        /// Whether half of `alpha` goes to one exact test at the end of each phase; only with
        /// `mode = "plain"`.
        phase_end_test: bool, [default false];
    }
}

fn evidence_rules(evidence: &EvidenceDraft, reader: &mut PolicyReader) {
    if let (Some(margin), Some(tolerated)) = (evidence.margin, evidence.tolerated)
        && margin <= tolerated
    {
        let (margin, tolerated) = (margin.to_string(), tolerated.to_string());
        reader.fail_at::<()>("margin", Problem::Margin { margin, tolerated });
    }
    if let (Some(mode), Some(true)) = (evidence.mode, evidence.phase_end_test)
        && mode != EvidenceMode::Plain
    {
        reader.fail_at::<()>("phase_end_test", Problem::PhaseEndTest { mode: mode.as_str() });
    }
}

section! {
    plain
    /// How metrics are observed and evaluated.
    pub Watch: Copy from WatchDraft {
        /// The interval at which observations are expected.
        cadence: Span as Lasting, [required];
        /// The trailing window over which bounds are evaluated; at least `cadence`.
        window: Span as Lasting, [required] at least cadence;
        /// The number of trials per arm that the window needs before its bounds are evaluated; 0 or
        /// more.
        least_trials: f64 as NotNegative, [default 100.0];
        /// How many readings in a row have to breach an alert or rollback bound before it acts, from
        /// 1 to 1000; until then the rollout holds. Each bound counts its own: a reading beyond the
        /// alert bound alone does not count for the rollback bound. A scrape that is sent again counts
        /// once, and so do readings that come faster than the cadence.
        consecutive_breaches: f64 as UpToThousand, [default 1.0];
        /// The age from which data is stale; at least `cadence`.
        stale: Span as Lasting, [required] at least cadence;
        /// How long bounds and tests ignore data at the start of each phase.
        warm_up: Span as Duration, [default "0s"];
        /// What happens if an alert bound is breached. `continue` and `hold` are the same, but for
        /// traffic that is not split as planned: there `continue` goes on, and `hold` asks if the
        /// canary has too many requests. After the last phase at least `ask`, because no phase is
        /// left to hold; in a phase with all of the traffic, too, once the breach has lasted for
        /// `window` and `no_data.after`.
        alert: Response, [default "hold"];
        /// What happens if a deciding metric has no fresh data, or no request although its traffic
        /// would have brought some.
        no_data: NoData, [required];
        /// The interval at which a scraper reads each arm, at different times; `"0s"` if both arms
        /// are always read at the same time. If it is missing, it is learned from the readings.
        scrape: Span as Duration, [optional];
        /// How much worse the canary may be while its instances are new, because connections are
        /// reset and clients reconnect.
        new_instances: NewInstances, [optional];
    }
}

section! {
    plain
    /// How much worse than tolerated the canary may be at the start of each phase. Tests of counts
    /// and proportions count only what is worse than that; a latency has its own warm-up.
    pub NewInstances: Copy from NewInstancesDraft {
        /// How many times as bad at first, from 1 to 1000; 1 allows nothing.
        ratio: Ratio as OneToThousand, [default 40.0];
        /// The time in which the excess falls to 37%.
        decay: Span as Lasting, [default "15s"];
    }
}

impl Watch {
    /// Length of the blocks whose latency evidence is capped: a burst is to be within one.
    const BLOCK: Span = Span::from_seconds(30);
    /// Latency evidence that has lost its stake gets a new one with each phase, and after this time.
    pub(crate) const RENEWED: Span = Span::from_seconds(600);

    /// How long an alert has lasted when a person is asked where holding does not help: longer than a
    /// shock that is over stays in the window.
    pub(crate) fn alert_lasts(&self) -> Span {
        self.window + self.no_data.after
    }

    /// Whether this time without a reading is a gap: the window is empty and more than one reading is
    /// missing. With a window as short as the cadence, a single late or lost reading is not a gap.
    #[inline]
    pub(crate) fn is_silence(&self, gap: Span) -> bool {
        gap >= self.window && gap > self.cadence + self.cadence
    }

    /// Ticks of a block: less than 1 where a tick is longer, so that a reading adds as much as the time
    /// that it covers, whether it is one tick or several.
    pub(crate) fn block(&self) -> f64 {
        if self.cadence > Self::BLOCK {
            Self::BLOCK.as_seconds() / self.cadence.as_seconds()
        } else {
            f64::from(self.ticks_in(Self::BLOCK).get())
        }
    }

    /// Ticks after which latency evidence may get a new stake.
    pub(crate) fn renewal(&self) -> NonZeroU32 {
        self.ticks_in(Self::RENEWED)
    }

    /// The number of ticks that last at least this long; at least 1.
    fn ticks_in(&self, lasts: Span) -> NonZeroU32 {
        let ticks = lasts.as_millis().div_ceil(self.cadence.as_millis().max(1));
        u32::try_from(ticks).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN)
    }

    /// The time between two readings that bring something new.
    pub(crate) fn reads_every(&self) -> Span {
        self.cadence.max(self.scrape.unwrap_or_default())
    }

    /// How much later tests decide because arms are read apart: about one and a half scrapes.
    pub fn evidence_delay(&self) -> Span {
        let scrape = self.scrape.unwrap_or_default();
        Span::from_millis(scrape.as_millis().saturating_mul(3) / 2)
    }
}

section! {
    plain
    /// What happens if a deciding metric has no fresh data; until `after` the rollout holds.
    pub NoData: Copy from NoDataDraft {
        /// How long the rollout holds.
        after: Span as Lasting, [required];
        /// What happens then.
        then: Response as FailSafe, [required];
    }
}

impl Field for Triggers {
    type Out = Self;

    fn read(node: &Node, reader: &mut PolicyReader) -> Option<Self> {
        let entries = reader.table(node)?;
        let slots = reader.slots(Signal::NAMES, entries);
        let mut triggers = Some(Self::default());
        for (signal, slot) in Signal::ALL.iter().zip(slots) {
            let Some(node) = slot else { continue };
            let response = reader.within(signal.as_str(), |reader| Response::read(node, reader));
            triggers = triggers.zip(response).map(|(t, response)| t.with(*signal, response));
        }
        triggers
    }
    fn write(value: &Self, style: Style) -> Node {
        let entry = |signal: &Signal| {
            let response = Response::write(&value.response(*signal), style);
            (signal.as_str(), response)
        };
        Node::table(Signal::ALL.iter().map(entry))
    }
    fn schema(definitions: &mut Definitions) -> Schema {
        let mut response = Response::schema(definitions);
        response["default"] = Response::Ask.as_str().into();
        let about = |name: &str| format!("What happens on the signal `{name}`.");
        let mut schema = keyed(&response, Signal::NAMES, about);
        let all = "what happens on each signal; for one that is not named, a person is asked";
        schema["description"] = all.into();
        schema
    }
}
