//! The rules that hold for the whole rollout: clock, evidence, watching, triggers.

use crate::grade::{EvidenceMode, Otherwise, Response, Signal};
use crate::unit::{Proportion, Ratio, Span};

/// What the engine believes of the host's clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    /// A time further ahead of the last known one is refused for observations; a `tick` moves the clock. Default 48 h.
    pub most_ahead: Span,
}

/// How evidence is weighed (statistics, sections 1, 4, 7 and 8).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// Chance of ever rolling back a release that is no worse, by the tests. Above 0, below 1.
    pub alpha: Proportion,
    /// Chance of calling a release 'not worse' that is worse than the margin.
    pub promotion_alpha: Proportion,
    /// The rate ratio that is tolerated; at least 1.
    pub tolerated: Ratio,
    /// The margin of the promotion test; above `tolerated`.
    pub margin: Ratio,
    /// The e-value from which a promotion is held; above 1. Default 10.
    pub hold: Ratio,
    /// What lets the tests be believed where errors cluster (section 4). Default replay.
    pub mode: EvidenceMode,
    /// What is done where that mode's data are not at hand. Default plain.
    pub otherwise: Otherwise,
    /// Whether the rollback tests look for a change that comes late, too (section 5). Default false.
    pub change_point: bool,
    /// Whether half of `alpha` goes to one exact test at the end of each phase (section 6); only where `mode` is plain.
    /// Default false.
    pub phase_end_test: bool,
}

/// How metrics are watched (MET-5, FIELD-2, FIELD-3, FIELD-8).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Watch {
    /// How often an observation is expected.
    pub cadence: Span,
    /// The trailing window that bands look at; at least the cadence.
    pub window: Span,
    /// The least number of trials per arm in the window before a band speaks.
    pub least_trials: f64,
    /// How many looks in a row must be beyond an alert or rollback bound before that counts (FIELD-8); until then it holds.
    /// A whole number; a look is a verdict with a new reading of the metric.
    pub bad_looks: f64,
    /// Data older than this are stale; at least the cadence.
    pub stale: Span,
    /// What is left out of bands and tests at the start of each phase's watch.
    pub warm_up: Span,
    /// What follows an alert band.
    pub alert: Response,
    /// What follows missing data.
    pub no_data: NoData,
}

/// What follows when a deciding metric has no fresh data (FIELD-3). Until `after`: hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NoData {
    /// For how long the answer is hold.
    pub after: Span,
    /// What follows then: hold, ask or roll back.
    pub then: Response,
}

/// What follows each signal (ROLL-4).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Triggers {
    /// Indexed by `Signal::ALL`.
    pub(crate) responses: [Response; Signal::ALL.len()],
}

impl Default for Triggers {
    /// Every signal is asked about.
    fn default() -> Self {
        Self { responses: [Response::Ask; Signal::ALL.len()] }
    }
}

impl Triggers {
    /// The same with another response to one signal.
    #[must_use]
    pub const fn with(mut self, signal: Signal, response: Response) -> Self {
        self.responses[signal as usize] = response;
        self
    }

    /// What follows this signal.
    pub const fn response(&self, signal: Signal) -> Response {
        self.responses[signal as usize]
    }
}
