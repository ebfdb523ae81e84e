//! The rules for the whole rollout: clock, evidence, watching, triggers (STAT, MET-5, FIELD-3, ROLL-4).

use schemars::{Schema, SchemaGenerator, json_schema};

use super::phase::no_rules;
use crate::grade::{EvidenceMode, Otherwise, Response, Signal};
use crate::policy::error::Problem;
use crate::policy::field::{Duration, FailSafe, Lasting, Number};
use crate::policy::node::Node;
use crate::policy::reader::{Field, Reader, Style, section};
use crate::policy::section::{Clock, Evidence, NoData, Triggers, Watch};
use crate::unit::{Proportion, Ratio, Span};

section! {
    plain
    /// What the engine believes of the host's clock.
    Clock from ClockDraft, no_rules {
        /// An observation further ahead of the last known time is refused.
        most_ahead: Lasting, [default "48h"];
    }
}

section! {
    plain
    /// How evidence is weighed (STAT-2, STAT-3).
    Evidence from EvidenceDraft, evidence_rules {
        /// Chance of ever rolling back a release that is no worse, by the tests; above 0, below 1.
        alpha: Proportion, [default "1%"];
        /// Chance of calling a release 'not worse' that is worse than the margin; above 0, below 1.
        promotion_alpha: Proportion, [default "5%"];
        /// The ratio of canary to baseline that is tolerated, at least 1.
        tolerated: Ratio, [default 1.0];
        /// The margin of the promotion test, above `tolerated`.
        margin: Ratio, [default 2.0];
        /// The e-value from which a promotion is held, above 1.
        hold: Ratio, [default 10.0];
        /// What lets the tests be believed where errors cluster: independent errors, the house's own history, canary
        /// instances drawn at random, or the last two together.
        mode: EvidenceMode, [default "replay"];
        /// What is done where that mode's data are not at hand: the plain test decides, or a crossing asks a person.
        otherwise: Otherwise, [default "plain"];
        /// Look for a change that comes late, too: for long phases, and faults that build up.
        change_point: bool, [default false];
        /// Give half of `alpha` to one exact test at the end of each phase; only with `mode = "plain"`.
        phase_end_test: bool, [default false];
    }
}

fn evidence_rules(evidence: &EvidenceDraft, reader: &mut Reader) {
    between_0_and_1(reader, "alpha", evidence.alpha);
    between_0_and_1(reader, "promotion_alpha", evidence.promotion_alpha);
    let tolerated = evidence.tolerated.map(Ratio::value);
    in_range(reader, "tolerated", tolerated, |t| t >= 1.0, "a number of at least 1");
    in_range(reader, "hold", evidence.hold.map(Ratio::value), |h| h > 1.0, "a number above 1");
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
    /// How metrics are watched (MET-5, FIELD-2, FIELD-3, FIELD-8).
    Watch from WatchDraft, watch_rules {
        /// How often an observation is expected.
        cadence: Lasting, [required];
        /// The trailing window that bands look at; at least the cadence.
        window: Lasting, [required];
        /// The least number of trials per arm in the window before a band speaks; 0 or more.
        least_trials: Number, [default 100.0];
        /// How many looks in a row must be beyond an alert or rollback bound before that counts; until then it holds.
        bad_looks: Number, [default 1.0];
        /// Data older than this are stale; at least the cadence.
        stale: Lasting, [required];
        /// What is left out of bands and tests at the start of each phase's watch.
        warm_up: Duration, [default "0s"];
        /// What follows an alert band.
        alert: Response, [default "hold"];
        /// What follows when a deciding metric has no fresh data.
        no_data: NoData, [required];
    }
}

fn watch_rules(watch: &WatchDraft, reader: &mut Reader) {
    at_least(reader, "window", watch.window, "cadence", watch.cadence);
    at_least(reader, "stale", watch.stale, "cadence", watch.cadence);
    let looks = |n: f64| (1.0..=1_000.0).contains(&n) && n.fract() == 0.0;
    in_range(reader, "bad_looks", watch.bad_looks, looks, "a whole number from 1 to 1000");
    in_range(reader, "least_trials", watch.least_trials, |n| n >= 0.0, "a number of at least 0");
}

section! {
    plain
    /// What follows when a deciding metric has no fresh data; until `after` the answer is hold (FIELD-3).
    NoData from NoDataDraft, no_rules {
        /// For how long the answer is hold.
        after: Lasting, [required];
        /// What follows then.
        then: FailSafe, [required];
    }
}

pub(super) fn at_least(
    reader: &mut Reader,
    key: &'static str,
    got: Option<Span>,
    least: &'static str,
    at_least: Option<Span>,
) {
    if let (Some(got), Some(at_least)) = (got, at_least)
        && got < at_least
    {
        let (got, at_least) = (got.to_string(), at_least.to_string());
        reader.fail_at::<()>(key, Problem::TooShort { key, got, least, at_least });
    }
}

pub(super) fn in_range(
    reader: &mut Reader,
    key: &'static str,
    got: Option<f64>,
    fits: impl Fn(f64) -> bool,
    range: &'static str,
) {
    if let Some(got) = got
        && !fits(got)
    {
        reader.fail_at::<()>(key, Problem::OutOfRange { key, got: got.to_string(), range });
    }
}

pub(super) fn between_0_and_1(reader: &mut Reader, key: &'static str, got: Option<Proportion>) {
    let range = "a share above 0 and below 1, as in \"1%\"";
    in_range(reader, key, got.map(Proportion::as_fraction), |p| p > 0.0 && p < 1.0, range);
}

const SIGNALS: [&str; Signal::ALL.len()] = {
    let mut names = [""; Signal::ALL.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = Signal::ALL[i].as_str();
        i += 1;
    }
    names
};

impl Field for Triggers {
    type Out = Self;

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let entries = reader.table(node)?;
        let slots = reader.slots(&SIGNALS, entries);
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
            (signal.as_str().to_owned(), response)
        };
        Node::Table(Signal::ALL.iter().map(entry).collect())
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let response = Response::schema(generator);
        let described = |name: &&str| {
            let mut schema = response.clone();
            let text = format!("What follows the signal `{name}`.");
            schema.insert("description".to_owned(), text.into());
            schema.insert("default".to_owned(), Response::Ask.as_str().into());
            ((*name).to_owned(), schema.to_value())
        };
        let properties: serde_json::Map<String, serde_json::Value> =
            SIGNALS.iter().map(described).collect();
        json_schema!({
            "description": "what follows each signal; one that is not named is asked about (ROLL-4)",
            "type": "object",
            "properties": properties,
            "additionalProperties": false,
        })
    }
    fn example() -> &'static str {
        "{ doubt = \"roll_back\" }"
    }
}
