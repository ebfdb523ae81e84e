//! Every scenario with independent errors, as data. Fleets with noise are in `laws.rs`.
//!
//! A row's seed is its table's plus its place, so that adding a row at the end changes no other.

use crate::latency::{Day, SlowRow, Slowdown};
use crate::methods::Method;
use crate::peers::Peer;
use crate::traffic::{Effect, Split, Traffic, World};

/// Runs where a chance near α is measured: twice the standard error of 1% is 0.0018, below α/4.
pub(crate) const RUNS_OF_RATES: u32 = 12_000;
/// Runs where a delay is measured.
pub(crate) const RUNS_OF_DELAYS: u32 = 4_000;

/// One line of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) traffic: Traffic,
}

/// Methods on the same streams of each row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenarios {
    pub(crate) title: &'static str,
    /// Introductory text for the reader.
    pub(crate) words: &'static str,
    pub(crate) seed: u64,
    pub(crate) methods: &'static [Method],
    pub(crate) rows: &'static [Row],
}

const fn row(name: &'static str, traffic: Traffic) -> Row {
    Row { name, traffic }
}

const TENTH: Traffic = Traffic::usual(0.1);
const HALF: Traffic = Traffic::usual(0.5);
const TENTH_RARE: Traffic = TENTH.base(0.000_1).per_minute(10_000.0);
const HALF_RARE: Traffic = HALF.base(0.000_1).per_minute(10_000.0);
const RAMP: Traffic = TENTH.split(Split::Ramp { hold_back: 0.0 });
const HELD_BACK: Traffic = TENTH.split(Split::Ramp { hold_back: 0.05 });

/// Nothing is wrong: how often is the release rolled back?
pub(crate) const HEALTHY: Scenarios = Scenarios {
    title: "False rollbacks, independent errors",
    words: "The canary is as good as the baseline. Every method here guarantees at most 0.01 \
            whatever the base rate and the split do. 300 ticks of 10 s, 1,000 requests a minute \
            unless noted.",
    seed: 100,
    methods: &[
        Method::Counts,
        Method::CountsEvenGrid,
        Method::ChangePoint,
        Method::Bernoulli,
        Method::Tolerating(1.25),
    ],
    rows: &[
        row("base 0.3%, w 0.1", TENTH),
        row("base 0.3%, w 0.5", HALF),
        row("base 5%, w 0.1", TENTH.base(0.05)),
        row("base 5%, w 0.5", HALF.base(0.05)),
        row("base 0.01%, 10,000 a minute, w 0.1", TENTH_RARE),
        row("base 0.01%, 10,000 a minute, w 0.5", HALF_RARE),
        row("shock: 10 × in both arms for 3 minutes, w 0.1", TENTH.world(World::Shock)),
        row("shock, w 0.5", HALF.world(World::Shock)),
        row("base and traffic drift with the time of day, w 0.1", TENTH.world(World::Day)),
        row("time of day, w 0.5", HALF.world(World::Day)),
        row("ramp 10 → 50 → 100%", RAMP),
        row("ramp 10 → 50 → 95%, 5% held back", HELD_BACK),
        row("ramp with hold-back, time of day", HELD_BACK.world(World::Day)),
    ],
};

/// The canary is exactly as bad as is tolerated.
pub(crate) const TOLERATED: Scenarios = Scenarios {
    title: "False rollbacks at the edge of what is tolerated",
    words: "The canary's rate is r0 times the baseline's, the worst case of the null.",
    seed: 130,
    methods: &[Method::Tolerating(1.25)],
    rows: &[
        row("base 0.3%, w 0.1, r = 1.25", TENTH.ratio(1.25)),
        row("base 0.3%, w 0.5, r = 1.25", HALF.ratio(1.25)),
        row("base 5%, w 0.5, r = 1.25", HALF.base(0.05).ratio(1.25)),
    ],
};

/// Common errors: the two models side by side, nothing wrong.
pub(crate) const COMMON_ERRORS_HEALTHY: Scenarios = Scenarios {
    title: "False rollbacks, common errors",
    words: "As above at rates where the two models differ.",
    seed: 140,
    methods: &[Method::Bernoulli, Method::Counts],
    rows: &[
        row("base 10%, w 0.1", TENTH.base(0.1)),
        row("base 20%, w 0.1", TENTH.base(0.2)),
        row("base 20%, w 0.5", HALF.base(0.2)),
        row("base 40%, w 0.1", TENTH.base(0.4)),
        row("base 40%, w 0.5", HALF.base(0.4)),
    ],
};

/// Common errors: a ratio of 1.5, and the medians of the tests' design for proportions and counts,
/// both with the even grid of eight.
pub(crate) const COMMON_ERRORS: Scenarios = Scenarios {
    title: "Common errors, r = 1.5: proportions against counts",
    words: "w 0.1. The test for proportions knows that a trial fails at most once.",
    seed: 150,
    methods: &[Method::Bernoulli, Method::CountsEvenGrid, Method::Counts],
    rows: &[
        row("base 5%", TENTH.base(0.05).ratio(1.5)),
        row("base 10%", TENTH.base(0.1).ratio(1.5)),
        row("base 20%", TENTH.base(0.2).ratio(1.5)),
        row("base 40%", TENTH.base(0.4).ratio(1.5)),
    ],
};
pub(crate) const COMMON_ERRORS_STATED: [(f64, f64); 4] =
    [(68.0, 73.0), (33.0, 38.0), (15.0, 20.0), (7.0, 11.0)];

/// Something is wrong from the start: is it found in the plan, and when?
pub(crate) const FAULTS: Scenarios = Scenarios {
    title: "Faults from the start, within 50 minutes",
    words: "The canary's errors are r times the baseline's from the first tick on. The bound is \
            ln(1/α) over the information in a tick's counts given their sum. No test of counts \
            that always decides has a smaller mean delay, apart from evaluations within a tick. At \
            5% a test for proportions has a little more information.",
    seed: 200,
    methods: &[Method::Counts, Method::ChangePoint, Method::Bernoulli],
    rows: &[
        row("base 0.3%, w 0.1, r = 1.5", TENTH.ratio(1.5)),
        row("base 0.3%, w 0.1, r = 2", TENTH.ratio(2.0)),
        row("base 0.3%, w 0.1, r = 5", TENTH.ratio(5.0)),
        row("base 0.3%, w 0.1, r = 10", TENTH.ratio(10.0)),
        row("base 0.3%, w 0.1, r = 20", TENTH.ratio(20.0)),
        row("base 0.3%, w 0.5, r = 1.5", HALF.ratio(1.5)),
        row("base 0.3%, w 0.5, r = 2", HALF.ratio(2.0)),
        row("base 0.3%, w 0.5, r = 5", HALF.ratio(5.0)),
        row("base 0.3%, w 0.5, r = 10", HALF.ratio(10.0)),
        row("base 0.3%, w 0.5, r = 20", HALF.ratio(20.0)),
        row("base 5%, w 0.1, r = 1.5", TENTH.base(0.05).ratio(1.5)),
        row("base 5%, w 0.1, r = 2", TENTH.base(0.05).ratio(2.0)),
        row("base 5%, w 0.1, r = 5", TENTH.base(0.05).ratio(5.0)),
        row("base 5%, w 0.1, r = 10", TENTH.base(0.05).ratio(10.0)),
        row("base 5%, w 0.1, r = 20", TENTH.base(0.05).ratio(20.0)),
        row("base 5%, w 0.5, r = 1.5", HALF.base(0.05).ratio(1.5)),
        row("base 5%, w 0.5, r = 2", HALF.base(0.05).ratio(2.0)),
        row("base 5%, w 0.5, r = 5", HALF.base(0.05).ratio(5.0)),
        row("base 5%, w 0.5, r = 10", HALF.base(0.05).ratio(10.0)),
        row("base 5%, w 0.5, r = 20", HALF.base(0.05).ratio(20.0)),
        row("base 0.01%, 10,000 a minute, w 0.1, r = 1.5", TENTH_RARE.ratio(1.5)),
        row("base 0.01%, 10,000 a minute, w 0.1, r = 2", TENTH_RARE.ratio(2.0)),
        row("base 0.01%, 10,000 a minute, w 0.1, r = 5", TENTH_RARE.ratio(5.0)),
        row("base 0.01%, 10,000 a minute, w 0.1, r = 10", TENTH_RARE.ratio(10.0)),
        row("base 0.01%, 10,000 a minute, w 0.1, r = 20", TENTH_RARE.ratio(20.0)),
        row("base 0.01%, 10,000 a minute, w 0.5, r = 1.5", HALF_RARE.ratio(1.5)),
        row("base 0.01%, 10,000 a minute, w 0.5, r = 2", HALF_RARE.ratio(2.0)),
        row("base 0.01%, 10,000 a minute, w 0.5, r = 5", HALF_RARE.ratio(5.0)),
        row("base 0.01%, 10,000 a minute, w 0.5, r = 10", HALF_RARE.ratio(10.0)),
        row("base 0.01%, 10,000 a minute, w 0.5, r = 20", HALF_RARE.ratio(20.0)),
        row("shock, w 0.1, r = 5", TENTH.world(World::Shock).ratio(5.0)),
        row("time of day, w 0.1, r = 5", TENTH.world(World::Day).ratio(5.0)),
        row("ramp 10 → 50 → 100%, r = 1.5", RAMP.ratio(1.5)),
        row("ramp 10 → 50 → 100%, r = 2", RAMP.ratio(2.0)),
    ],
};

/// Shares of the canary and ratios of the comparison with the test that knows the ratio, until
/// decided.
pub(crate) const SPLITS: [f64; 2] = [0.1, 0.5];
pub(crate) const RATIOS: [f64; 4] = [2.0, 5.0, 10.0, 20.0];
pub(crate) const SEED_OF_ORACLE: u64 = 300;
/// Highest allowed ratio of the mean delay to the oracle's.
pub(crate) const MOST_OVER_ORACLE: f64 = 1.30;

/// The comparison with others: the same streams for all of them; r = 1 first.
pub(crate) const PEERS: Scenarios = Scenarios {
    title: "Other methods on the same streams",
    words: "Base 0.3%, w 0.1, α 0.01, 50 minutes. Median ticks; runs that never decided count as \
            latest.",
    seed: 400,
    methods: &[
        Method::Counts,
        Method::CountsEvenGrid,
        Method::Peer(Peer::NormalMixture),
        Method::Peer(Peer::OBrienFleming),
        Method::Peer(Peer::FisherBonferroni),
        Method::Peer(Peer::NaiveZ),
        Method::Peer(Peer::NaiveFisher),
        Method::Peer(Peer::Window(0.05)),
        Method::Peer(Peer::Window(0.02)),
    ],
    rows: &[
        row("r = 1", TENTH),
        row("r = 2", TENTH.ratio(2.0)),
        row("r = 5", TENTH.ratio(5.0)),
        row("r = 10", TENTH.ratio(10.0)),
        row("r = 20", TENTH.ratio(20.0)),
    ],
};
/// Figures of [`PEERS`] in the tests' design: false rollbacks, median ticks for 5, 10 and 20.
pub(crate) const PEERS_STATED: [(f64, [f64; 3]); 9] = [
    (0.0034, [31.0, 10.0, 4.0]),
    (0.003, [30.0, 10.0, 5.0]),
    (0.000, [70.0, 29.0, 14.0]),
    (0.015, [66.0, 36.0, 30.0]),
    (0.001, [42.0, 18.0, 6.0]),
    (0.20, [7.0, 3.0, 1.0]),
    (0.05, [17.0, 7.0, 3.0]),
    (0.0, [159.0, 20.0, 6.0]),
    (0.85, [f64::NAN, f64::NAN, f64::NAN]),
];

/// Tick after which late faults begin.
pub(crate) const ONSET: u32 = 120;
/// Faults that come late or slowly.
pub(crate) const LATE: Scenarios = Scenarios {
    title: "Late faults and leaks",
    words: "Base 0.3%, w 0.1. Ticks from the onset, in runs without a false rollback before it; a \
            leak grows evenly from 1 to 20 times over the 300 ticks and is counted from its start.",
    seed: 500,
    methods: &[Method::ChangePoint, Method::Counts, Method::CountsEvenGrid],
    rows: &[
        row("r = 5 from the start", TENTH.ratio(5.0)),
        row("r = 5 from tick 120 on", TENTH.with(Effect::From { after: ONSET, ratio: 5.0 })),
        row("r = 20 from tick 120 on", TENTH.with(Effect::From { after: ONSET, ratio: 20.0 })),
        row("leak, 1 to 20 times", TENTH.with(Effect::Leak { to: 20.0 })),
        row("leak, w 0.5", HALF.with(Effect::Leak { to: 20.0 })),
    ],
};
/// Medians of the tests' design for the change-point form (grid of four) and for the plain form
/// (grid of eight).
pub(crate) const LATE_STATED: [(f64, f64); 3] = [(34.0, 31.0), (46.0, 69.0), (8.0, 13.0)];

/// The canary is exactly as bad as the margin of the promotion test.
pub(crate) const NOT_WORSE_HEALTHY: Scenarios = Scenarios {
    title: "False promotions",
    words: "The canary is exactly as bad as the margin: how often is it called not worse? At most \
            0.05 is guaranteed.",
    seed: 600,
    methods: &[Method::NotWorse(2.0), Method::BernoulliNotWorse(2.0)],
    rows: &[
        row("base 0.3%, w 0.1, r = 2", TENTH.ratio(2.0)),
        row("base 0.3%, w 0.5, r = 2", HALF.ratio(2.0)),
        row("base 5%, w 0.1, r = 2", TENTH.base(0.05).ratio(2.0)),
        row("base 5%, w 0.5, r = 2", HALF.base(0.05).ratio(2.0)),
        row("base 40%, w 0.5, r = 2", HALF.base(0.4).ratio(2.0)),
        row("base 0.01%, 10,000 a minute, w 0.5, r = 2", HALF_RARE.ratio(2.0)),
        row("shock, w 0.5, r = 2", HALF.world(World::Shock).ratio(2.0)),
        row("time of day, w 0.5, r = 2", HALF.world(World::Day).ratio(2.0)),
        row("ramp with hold-back, r = 2", HELD_BACK.ratio(2.0)),
    ],
};

/// How long it takes to show that a good release is not worse.
pub(crate) const NOT_WORSE: Scenarios = Scenarios {
    title: "Time to show 'not worse'",
    words: "Base 0.3%, w 0.1, α_p 0.05, run for up to ten hours.",
    seed: 620,
    methods: &[Method::NotWorse(2.0), Method::NotWorse(3.0)],
    rows: &[
        row("truly equal", TENTH),
        row("a fix that cuts errors to a twentieth", TENTH.ratio(0.05)),
        row("truly equal, base 0.01%", TENTH.base(0.000_1)),
    ],
};
pub(crate) const TEN_HOURS: u32 = 3_600;

/// Ceilings: the canary's rate is exactly at the ceiling.
pub(crate) const AT_THE_CEILING: Scenarios = Scenarios {
    title: "False claims to be below a ceiling",
    words: "The canary's rate is exactly the ceiling, in the last row above it for three minutes; \
            the baseline is not used. At most 0.05 is guaranteed.",
    seed: 640,
    methods: &[Method::Below(0.005)],
    rows: &[
        row("base 0.5%, w 0.1", TENTH.base(0.005)),
        row("base 0.5%, w 0.5", HALF.base(0.005)),
        row("base 0.5%, 30,000 a minute, w 0.5", HALF.base(0.005).per_minute(30_000.0)),
        row("base 0.5% and a shock, w 0.1", TENTH.base(0.005).world(World::Shock)),
    ],
};

/// Ceilings: how long it takes to show that a rare rate is below one.
pub(crate) const BELOW_THE_CEILING: Scenarios = Scenarios {
    title: "Time to show a rate below a ceiling",
    words: "Where errors are so rare that two arms cannot be compared.",
    seed: 650,
    methods: &[Method::Below(0.005), Method::Below(0.001)],
    rows: &[
        row("base 0.01%, w 0.1", TENTH.base(0.000_1)),
        row("base 0.01%, w 0.5", HALF.base(0.000_1)),
        row("base 0.1%, w 0.5", HALF.base(0.001)),
        row("base 0.25%, w 0.5", HALF.base(0.002_5)),
    ],
};

/// Efficacy: a canary that is not cured.
pub(crate) const NOT_CURED: Scenarios = Scenarios {
    title: "Efficacy: false cures",
    words: "The claim is 'errors cut to 0.9 of the live baseline's or less', and it is false. The \
            test places no bet whose alternative lies in the null. Without this rule, bets on \
            rates above the cap would call nearly every canary cured.",
    seed: 700,
    methods: &[Method::Cut(0.9), Method::CountsCut(0.9)],
    rows: &[
        row("92% against 94%, w 0.1", TENTH.base(0.94).ratio(0.92 / 0.94)),
        row("92% against 94%, w 0.5", HALF.base(0.94).ratio(0.92 / 0.94)),
        row("exactly 0.9 of 94%, w 0.5", HALF.base(0.94).ratio(0.9)),
        row("exactly 0.9 of 55%, w 0.1", TENTH.base(0.55).ratio(0.9)),
        row("exactly 0.9 of 5%, w 0.5", HALF.base(0.05).ratio(0.9)),
        row("exactly 0.9 of 5.5%, shock, w 0.1", TENTH.base(0.055).world(World::Shock).ratio(0.9)),
    ],
};

/// The efficacy test without the rule to place no bet in the null, and its figure in the tests' design.
pub(crate) const UNGUARDED: Method = Method::Peer(Peer::CutUnguarded(0.9));
pub(crate) const UNGUARDED_STATED: f64 = 0.996;

/// Efficacy: a canary that is cured.
pub(crate) const CURED: Scenarios = Scenarios {
    title: "Efficacy: time to show a cure",
    words: "The claim is 'errors cut to half of the live baseline's or less'.",
    seed: 720,
    methods: &[Method::Cut(0.5), Method::CountsCut(0.5)],
    rows: &[
        row("55% → 5%, w 0.1", TENTH.base(0.55).ratio(0.05 / 0.55)),
        row("55% → 20%, w 0.1", TENTH.base(0.55).ratio(0.2 / 0.55)),
        row("10% → 1%, w 0.1", TENTH.base(0.1).ratio(0.1)),
        row("3% → 0.3%, w 0.1", TENTH.base(0.03).ratio(0.1)),
        row("3% → 0.3%, w 0.5", HALF.base(0.03).ratio(0.1)),
    ],
};

/// Scenarios in which the interval must contain the true ratio.
pub(crate) const COVERAGE: [Row; 8] = [
    row("base 0.3%, w 0.1, r = 1", TENTH),
    row("base 0.3%, w 0.1, r = 5", TENTH.ratio(5.0)),
    row("base 0.3%, w 0.5, r = 1", HALF),
    row("base 5%, w 0.5, r = 1.5", HALF.base(0.05).ratio(1.5)),
    row("base 0.3%, w 0.5, r = 0.05", HALF.ratio(0.05)),
    row("shock, w 0.1, r = 2", TENTH.world(World::Shock).ratio(2.0)),
    row("ramp 10 → 50 → 95%, r = 2", HELD_BACK.ratio(2.0)),
    row("ramp 10 → 50 → 95%, shock, base 5%, r = 1", HELD_BACK.base(0.05).world(World::Shock)),
];
pub(crate) const RUNS_OF_COVERAGE: u32 = 7_000;
pub(crate) const SEED_OF_COVERAGE: u64 = 800;

const fn slow(name: &'static str, share: f64, slowdown: Slowdown, stated: Option<f64>) -> SlowRow {
    SlowRow { name, share, slowdown, day: Day::Steady, stated }
}
const AS_BEFORE: Slowdown = Slowdown::Scale(1.0);

/// No canary is slower; for the first row the tests' design has a rate.
pub(crate) const LATENCY_HEALTHY: [SlowRow; 5] = [
    slow("w 0.1", 0.1, AS_BEFORE, Some(0.002)),
    slow("w 0.5", 0.5, AS_BEFORE, None),
    SlowRow {
        day: Day::Shock,
        ..slow("three times as slow in both arms for 3 minutes, w 0.1", 0.1, AS_BEFORE, None)
    },
    SlowRow { day: Day::Shock, ..slow("the same, w 0.5", 0.5, AS_BEFORE, None) },
    SlowRow {
        day: Day::Drift,
        ..slow("times of both arms swing by half, w 0.1", 0.1, AS_BEFORE, None)
    },
];
/// The six rows of the tests' design, then the same at an even split.
pub(crate) const LATENCY_FAULTS: [SlowRow; 12] = [
    slow("everything × 1.1, w 0.1", 0.1, Slowdown::Scale(1.1), Some(95.0)),
    slow("× 1.25, w 0.1", 0.1, Slowdown::Scale(1.25), Some(18.0)),
    slow("× 1.5, w 0.1", 0.1, Slowdown::Scale(1.5), Some(6.0)),
    slow("× 2, w 0.1", 0.1, Slowdown::Scale(2.0), Some(3.0)),
    slow("5% + 300 ms, w 0.1", 0.1, Slowdown::Delay { share: 0.05, seconds: 0.3 }, Some(22.0)),
    slow("5% + 2 s, w 0.1", 0.1, Slowdown::Delay { share: 0.05, seconds: 2.0 }, Some(6.0)),
    slow("everything × 1.1, w 0.5", 0.5, Slowdown::Scale(1.1), None),
    slow("× 1.25, w 0.5", 0.5, Slowdown::Scale(1.25), None),
    slow("× 1.5, w 0.5", 0.5, Slowdown::Scale(1.5), None),
    slow("× 2, w 0.5", 0.5, Slowdown::Scale(2.0), None),
    slow("5% + 300 ms, w 0.5", 0.5, Slowdown::Delay { share: 0.05, seconds: 0.3 }, None),
    slow("5% + 2 s, w 0.5", 0.5, Slowdown::Delay { share: 0.05, seconds: 2.0 }, None),
];
pub(crate) const SEED_OF_LATENCY: u64 = 900;

pub(crate) const SEED_OF_PLANNING: u64 = 1_000;
/// Share, base rate and ratio for which the chance to decide in 50 minutes is checked.
pub(crate) const PLANNED_CHANCES: [(f64, f64, f64); 8] = [
    (0.1, 0.003, 1.0),
    (0.1, 0.003, 1.5),
    (0.1, 0.003, 2.0),
    (0.1, 0.003, 3.0),
    (0.5, 0.003, 1.5),
    (0.5, 0.003, 2.0),
    (0.1, 0.000_3, 10.0),
    (0.5, 0.03, 1.25),
];

/// An exact test at the phase's end: figures of the tests' design for the even grid without and
/// with it.
pub(crate) const PHASE_ENDS: [(Row, Option<[f64; 2]>); 5] = [
    (row("base 0.3%, w 0.1, r = 1", TENTH), None),
    (row("base 0.3%, w 0.5, r = 1", HALF), None),
    (row("base 0.3%, w 0.1, r = 1.5", TENTH.ratio(1.5)), None),
    (row("base 0.3%, w 0.1, r = 2", TENTH.ratio(2.0)), Some([0.48, 0.60])),
    (row("base 0.3%, w 0.5, r = 1.5", HALF.ratio(1.5)), None),
];
pub(crate) const SEED_OF_PHASE_ENDS: u64 = 1_100;

/// Several metrics: factors of the canary's errors, times and failed payments.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MetricsRow {
    pub(crate) name: &'static str,
    pub(crate) share: f64,
    pub(crate) errors: f64,
    pub(crate) scale: f64,
    pub(crate) unpaid: f64,
}

impl MetricsRow {
    pub(crate) fn is_healthy(&self) -> bool {
        self.errors == 1.0 && self.scale == 1.0 && self.unpaid == 1.0
    }
}

const fn metrics(name: &'static str, share: f64, of: [f64; 3]) -> MetricsRow {
    MetricsRow { name, share, errors: of[0], scale: of[1], unpaid: of[2] }
}
pub(crate) const METRICS: [MetricsRow; 8] = [
    metrics("healthy, w 0.1", 0.1, [1.0, 1.0, 1.0]),
    metrics("healthy, w 0.5", 0.5, [1.0, 1.0, 1.0]),
    metrics("errors × 5, w 0.1", 0.1, [5.0, 1.0, 1.0]),
    metrics("errors × 20, w 0.1", 0.1, [20.0, 1.0, 1.0]),
    metrics("times × 1.25, w 0.1", 0.1, [1.0, 1.25, 1.0]),
    metrics("payments × 5, w 0.1", 0.1, [1.0, 1.0, 5.0]),
    metrics("errors × 2, times × 1.1, payments × 2, w 0.1", 0.1, [2.0, 1.1, 2.0]),
    metrics("errors × 2, times × 1.1, payments × 2, w 0.5", 0.5, [2.0, 1.1, 2.0]),
];
pub(crate) const SEED_OF_METRICS: u64 = 1_200;
