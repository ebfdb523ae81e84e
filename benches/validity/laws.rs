//! Noise laws of fleets of instances, and the cells in which `replay` is tried.
//!
//! Written down before the first run of `replay` on any of them. How a cell is tried: the lasting
//! traits of the instances are drawn (which one is bad, how they differ); a *history* of six hours
//! is drawn from the law, every instance healthy; the shipped calibration reads it; then *test
//! streams* of one phase each are drawn from the same law, with the same traits and otherwise
//! independent of the history and of each other: what varies in time starts again from its
//! stationary law. The canary is the first instances by name. Each further history has its own
//! traits, calibration and test streams.

/// How the errors of one instance occur. Every law has the stated mean rate, at least
/// approximately.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Noise {
    /// Each request fails by itself.
    Independent,
    /// Errors of a tick have this variance over their mean.
    NegativeBinomial { dispersion: f64 },
    /// The logarithm of the rate is AR(1), with this correlation of successive ticks and standard
    /// deviation.
    Autoregressive { memory: f64, spread: f64 },
    /// Bursts of `ticks` on average, `share` of the time, with `factor` times the errors.
    OnOff { factor: f64, share: f64, ticks: f64 },
    /// Each failed attempt is retried with this chance and fails again; attempts are counted, at
    /// most six.
    Retries { again: f64 },
    /// One instance of the fleet has this many times the errors of the others, for good.
    BadInstance { factor: f64 },
    /// The rate of each tick is multiplied by a Pareto variable of mean 1 with this tail index.
    HeavyTails { index: f64 },
    /// The mix of requests drifts: the logarithm of the rate is a sine of this amplitude over
    /// `ticks`, each instance at its own hour.
    DriftingMix { spread: f64, ticks: f64 },
    /// A client of one instance, drawn again for each visit, whose requests all fail: so many a tick,
    /// on top of the stated rate. Visits begin every so many ticks, at random or by the clock, and
    /// last so many on average.
    Visitor { every: f64, by_clock: bool, ticks: f64, failures: f64 },
    /// Instances differ for good: standard deviation of the logarithm of the rate.
    Differences { spread: f64 },
}

/// Which instances share the time-varying state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shared {
    /// None: each instance has its own.
    Nobody,
    /// Four zones, in turn along the names, so that the canary is spread over them.
    InTurn,
    /// Groups of neighbours by name, as large as the canary: the canary is a zone of its own.
    Neighbours,
    /// All instances of both arms.
    Everybody,
}

/// A noise law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Law {
    pub(crate) name: &'static str,
    pub(crate) noise: Noise,
    pub(crate) shared: Shared,
}

const fn law(name: &'static str, noise: Noise) -> Law {
    Law { name, noise, shared: Shared::Nobody }
}

const INDEPENDENT: Law = law("independent", Noise::Independent);
const VARIANCE_2: Law =
    law("negative binomial, variance 2 × mean", Noise::NegativeBinomial { dispersion: 2.0 });
const VARIANCE_3: Law = law("negative binomial, 3 ×", Noise::NegativeBinomial { dispersion: 3.0 });
const VARIANCE_10: Law =
    law("negative binomial, 10 ×", Noise::NegativeBinomial { dispersion: 10.0 });
const VARIANCE_4: Law = law("negative binomial, 4 ×", Noise::NegativeBinomial { dispersion: 4.0 });
const MINUTES: Law =
    law("AR(1) over two minutes, sd 0.7", Noise::Autoregressive { memory: 0.92, spread: 0.7 });
const QUARTERS: Law = law(
    "AR(1) over a quarter of an hour, sd 0.5",
    Noise::Autoregressive { memory: 0.99, spread: 0.5 },
);
const SHORT_BURSTS: Law = law(
    "on/off: 1 minute, 2% of the time, × 10",
    Noise::OnOff { factor: 10.0, share: 0.02, ticks: 6.0 },
);
const LONG_BURSTS: Law = law(
    "on/off: 5 minutes, 5% of the time, × 5",
    Noise::OnOff { factor: 5.0, share: 0.05, ticks: 30.0 },
);
const RETRIES: Law = law("retries: 0.7 of failures fail again", Noise::Retries { again: 0.7 });
const BAD_INSTANCE: Law = law("one bad instance, × 3", Noise::BadInstance { factor: 3.0 });
const HEAVY_TAILS: Law = law("heavy tails: Pareto, index 1.5", Noise::HeavyTails { index: 1.5 });
const DRIFTING_MIX: Law = law(
    "drifting mix: × 1.8 and back in an hour",
    Noise::DriftingMix { spread: 0.6, ticks: 360.0 },
);
const DIFFERENCES: Law = law("instances differ, sd 0.2", Noise::Differences { spread: 0.2 });
const SPREAD_ZONES: Law = Law {
    shared: Shared::InTurn,
    ..law(
        "zone noise, canary spread over 4 zones",
        Noise::Autoregressive { memory: 0.98, spread: 0.5 },
    )
};
const CANARY_ZONE: Law = Law {
    shared: Shared::Neighbours,
    ..law("zone noise, the canary is a zone", Noise::Autoregressive { memory: 0.98, spread: 0.5 })
};
const COMMON: Law = Law {
    shared: Shared::Everybody,
    ..law("common to both arms: AR(1), sd 1", Noise::Autoregressive { memory: 0.95, spread: 1.0 })
};
const SHOCKS: Law = Law {
    shared: Shared::Everybody,
    ..law(
        "common to both arms: on/off, 1 minute, 2% of the time, × 20",
        Noise::OnOff { factor: 20.0, share: 0.02, ticks: 6.0 },
    )
};
const RETRYING_CUSTOMER: Law = law(
    "retrying customer: 30 failures a minute for 2 minutes, twice an hour",
    Noise::Visitor { every: 180.0, by_clock: false, ticks: 12.0, failures: 5.0 },
);
const CRON_CLIENT: Law = law(
    "cron client: 15 failures at once, every ten minutes",
    Noise::Visitor { every: 60.0, by_clock: true, ticks: 1.0, failures: 15.0 },
);
const RARE_BURSTS: Law = law(
    "on/off: 3 minutes, once in three days an instance, × 100",
    Noise::OnOff { factor: 100.0, share: 0.0007, ticks: 18.0 },
);

/// Requests a minute of the whole service.
pub(crate) const TRAFFICS: [f64; 4] = [300.0, 1_000.0, 6_000.0, 30_000.0];
/// Error rate of a healthy instance.
pub(crate) const BASE: f64 = 0.003;
/// Six hours of ticks.
pub(crate) const HISTORY: u32 = 2_160;

/// Laws that are tried at every traffic with 2 canary instances of 20.
pub(crate) const LAWS: [Law; 16] = [
    INDEPENDENT,
    VARIANCE_2,
    VARIANCE_3,
    VARIANCE_10,
    MINUTES,
    QUARTERS,
    SHORT_BURSTS,
    LONG_BURSTS,
    RETRIES,
    BAD_INSTANCE,
    HEAVY_TAILS,
    DRIFTING_MIX,
    DIFFERENCES,
    SPREAD_ZONES,
    CANARY_ZONE,
    COMMON,
];

/// How many instances there are, and how many of them the canary has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Fleet {
    pub(crate) instances: usize,
    pub(crate) canary: usize,
}

pub(crate) const TENTH: Fleet = Fleet { instances: 20, canary: 2 };
pub(crate) const HALF: Fleet = Fleet { instances: 20, canary: 10 };
pub(crate) const FIVE_OF_FIFTY: Fleet = Fleet { instances: 50, canary: 5 };

/// How the test streams differ from the history: why a cell is not covered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Change {
    /// Nothing: the test streams have the law of the history.
    None,
    /// Another law.
    Law(Law),
    /// Each of the canary's instances has this many times the traffic of another.
    Traffic(f64),
    /// The canary's hardware fails this many times as often, which is not the release's fault.
    Hardware(f64),
}

/// One cell: a law, a traffic, a fleet, the ticks of history, and what changes after it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cell {
    pub(crate) law: Law,
    pub(crate) per_minute: f64,
    pub(crate) fleet: Fleet,
    pub(crate) history: u32,
    pub(crate) change: Change,
}

/// A cell with six hours of history and nothing changed after it.
pub(crate) const fn cell(law: Law, per_minute: f64, fleet: Fleet) -> Cell {
    Cell { law, per_minute, fleet, history: HISTORY, change: Change::None }
}

/// Every law of [`LAWS`] at every traffic of [`TRAFFICS`], then the cells at an even split.
pub(crate) fn covered() -> Vec<Cell> {
    let tenth = LAWS.iter().flat_map(|law| TRAFFICS.map(|traffic| cell(*law, traffic, TENTH)));
    tenth.chain(EVEN).collect()
}

/// Covered cells at an even split; zone noise with its history of six hours.
const EVEN: [Cell; 8] = [
    cell(INDEPENDENT, 1_000.0, HALF),
    cell(VARIANCE_3, 1_000.0, HALF),
    cell(VARIANCE_10, 1_000.0, HALF),
    cell(QUARTERS, 1_000.0, HALF),
    cell(QUARTERS, 30_000.0, HALF),
    cell(SHORT_BURSTS, 1_000.0, HALF),
    cell(SHORT_BURSTS, 30_000.0, HALF),
    cell(SPREAD_ZONES, 6_000.0, HALF),
];

/// Laws that are tried with 5 canary instances of 50, beside those of one instance or visitor.
const LAWS_OF_FIFTY: [Law; 12] = [
    INDEPENDENT,
    VARIANCE_3,
    VARIANCE_10,
    MINUTES,
    QUARTERS,
    SHORT_BURSTS,
    LONG_BURSTS,
    RETRIES,
    HEAVY_TAILS,
    CANARY_ZONE,
    COMMON,
    SHOCKS,
];
const VISITORS: [Law; 2] = [RETRYING_CUSTOMER, CRON_CLIENT];

/// Covered cells with more instances, with a visitor, and with other traffic than in the history.
pub(crate) fn by_instance() -> Vec<Cell> {
    let mut cells = Vec::new();
    for traffic in [1_000.0, 6_000.0] {
        cells.extend(LAWS_OF_FIFTY.map(|law| cell(law, traffic, FIVE_OF_FIFTY)));
        for fleet in [TENTH, HALF, FIVE_OF_FIFTY] {
            cells.extend(VISITORS.map(|law| cell(law, traffic, fleet)));
        }
    }
    for law in [INDEPENDENT, COMMON, SHOCKS, RETRYING_CUSTOMER] {
        for factor in [0.3, 0.5, 2.0] {
            let change = Change::Traffic(factor);
            cells.push(Cell { change, ..cell(law, 1_000.0, FIVE_OF_FIFTY) });
        }
    }
    cells
}

/// Cells that are not covered (`docs/statistics.md`, 'Which mode to choose'): shown, not promised.
pub(crate) const NOT_COVERED: [Cell; 6] = [
    Cell { change: Change::Law(VARIANCE_4), ..cell(VARIANCE_2, 1_000.0, TENTH) },
    Cell { change: Change::Law(VARIANCE_10), ..cell(VARIANCE_2, 1_000.0, TENTH) },
    Cell { change: Change::Law(VARIANCE_10), ..cell(VARIANCE_2, 30_000.0, TENTH) },
    cell(RARE_BURSTS, 1_000.0, TENTH),
    Cell { change: Change::Hardware(1.5), ..cell(INDEPENDENT, 6_000.0, TENTH) },
    Cell { history: 540, ..cell(SPREAD_ZONES, 6_000.0, HALF) },
];

/// Faults in fleets: a cell, the canary's ratio, and the median ticks of the tests' design for
/// `replay` on the whole canary (default grid where the design has it, else the even grid of
/// eight).
pub(crate) const FAULTS: [(Cell, f64, Option<f64>); 30] = [
    (cell(INDEPENDENT, 1_000.0, TENTH), 5.0, Some(40.0)),
    (cell(INDEPENDENT, 1_000.0, TENTH), 10.0, Some(15.0)),
    (cell(INDEPENDENT, 1_000.0, TENTH), 20.0, Some(8.0)),
    (cell(VARIANCE_2, 1_000.0, TENTH), 5.0, Some(73.0)),
    (cell(VARIANCE_2, 1_000.0, TENTH), 10.0, Some(25.0)),
    (cell(VARIANCE_2, 1_000.0, TENTH), 20.0, Some(11.0)),
    (cell(SHORT_BURSTS, 1_000.0, TENTH), 5.0, None),
    (cell(SHORT_BURSTS, 1_000.0, TENTH), 20.0, None),
    (cell(INDEPENDENT, 30_000.0, TENTH), 2.0, Some(17.0)),
    (cell(INDEPENDENT, 30_000.0, TENTH), 5.0, Some(4.0)),
    (cell(SHORT_BURSTS, 30_000.0, TENTH), 5.0, None),
    (cell(INDEPENDENT, 1_000.0, FIVE_OF_FIFTY), 5.0, Some(42.0)),
    (cell(INDEPENDENT, 1_000.0, FIVE_OF_FIFTY), 10.0, Some(16.0)),
    (cell(INDEPENDENT, 1_000.0, FIVE_OF_FIFTY), 20.0, Some(8.0)),
    (cell(VARIANCE_2, 1_000.0, FIVE_OF_FIFTY), 5.0, None),
    (cell(VARIANCE_2, 1_000.0, FIVE_OF_FIFTY), 10.0, None),
    (cell(VARIANCE_2, 1_000.0, FIVE_OF_FIFTY), 20.0, None),
    (cell(VARIANCE_3, 1_000.0, FIVE_OF_FIFTY), 5.0, None),
    (cell(SHORT_BURSTS, 1_000.0, FIVE_OF_FIFTY), 5.0, None),
    (cell(RETRIES, 1_000.0, FIVE_OF_FIFTY), 5.0, None),
    (cell(CANARY_ZONE, 1_000.0, FIVE_OF_FIFTY), 5.0, None),
    (cell(RETRYING_CUSTOMER, 1_000.0, FIVE_OF_FIFTY), 5.0, None),
    (cell(RETRYING_CUSTOMER, 1_000.0, FIVE_OF_FIFTY), 20.0, None),
    (cell(CRON_CLIENT, 1_000.0, FIVE_OF_FIFTY), 5.0, None),
    (cell(CRON_CLIENT, 1_000.0, FIVE_OF_FIFTY), 20.0, None),
    (cell(VARIANCE_3, 1_000.0, TENTH), 5.0, None),
    (cell(RETRYING_CUSTOMER, 1_000.0, TENTH), 5.0, None),
    (cell(INDEPENDENT, 1_000.0, HALF), 5.0, Some(24.0)),
    (cell(VARIANCE_2, 1_000.0, HALF), 5.0, Some(42.0)),
    (cell(VARIANCE_10, 1_000.0, HALF), 5.0, Some(166.0)),
];

/// Cells for `randomised` and `both`: the canary is drawn at random, within zones where there are
/// any.
pub(crate) const RANDOMISED: [Cell; 8] = [
    cell(INDEPENDENT, 1_000.0, HALF),
    cell(VARIANCE_10, 1_000.0, HALF),
    cell(QUARTERS, 1_000.0, HALF),
    cell(SHORT_BURSTS, 30_000.0, HALF),
    cell(BAD_INSTANCE, 6_000.0, HALF),
    cell(HEAVY_TAILS, 1_000.0, HALF),
    cell(DIFFERENCES, 30_000.0, FIVE_OF_FIFTY),
    cell(QUARTERS, 30_000.0, FIVE_OF_FIFTY),
];

/// The one noise that `randomised` does not cover: noise shared by the canary's zone.
pub(crate) const ONE_ZONE: Cell = cell(CANARY_ZONE, 6_000.0, HALF);

/// Cells for naming one bad canary instance, and for promotion under noise.
pub(crate) const INSTANCES: [Cell; 4] = [
    cell(INDEPENDENT, 1_000.0, FIVE_OF_FIFTY),
    cell(INDEPENDENT, 30_000.0, FIVE_OF_FIFTY),
    cell(SHORT_BURSTS, 30_000.0, FIVE_OF_FIFTY),
    cell(QUARTERS, 30_000.0, FIVE_OF_FIFTY),
];
pub(crate) const PROMOTED: [Cell; 6] = [
    cell(INDEPENDENT, 1_000.0, HALF),
    cell(VARIANCE_3, 1_000.0, HALF),
    cell(VARIANCE_10, 1_000.0, HALF),
    cell(QUARTERS, 1_000.0, HALF),
    cell(SHORT_BURSTS, 30_000.0, HALF),
    cell(VARIANCE_10, 30_000.0, TENTH),
];

/// Cells for the change-point form of `replay` and late faults, and for the interval under noise.
pub(crate) const LATE: [Cell; 4] = [
    cell(INDEPENDENT, 1_000.0, TENTH),
    cell(VARIANCE_3, 1_000.0, TENTH),
    cell(QUARTERS, 30_000.0, TENTH),
    cell(SHORT_BURSTS, 30_000.0, TENTH),
];
