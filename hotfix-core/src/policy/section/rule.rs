//! The settings of the whole rollout: clock, evidence, watching, triggers.

use crate::grade::{EvidenceMode, Otherwise, Response, Signal};
use crate::unit::{Proportion, Ratio, Span};

/// Limits on the timestamps that the caller sends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    /// How far an observation may be ahead of the last known time; a `tick` moves the clock.
    /// Default 48 h.
    pub most_ahead: Span,
}

/// Settings of the sequential tests; `docs/statistics.md` explains them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// The probability that the tests ever roll back a release that is no worse; above 0, below 1.
    pub alpha: Proportion,
    /// The probability of showing 'no harm' for a release that is worse than `margin`.
    pub promotion_alpha: Proportion,
    /// The ratio of canary to baseline up to which a release counts as no worse; at least 1.
    pub tolerated: Ratio,
    /// The ratio of canary to baseline that the promotion test has to rule out; above `tolerated`.
    pub margin: Ratio,
    /// The e-value of harm from which a promotion is held; above 1. Default 10.
    pub hold: Ratio,
    /// On what the thresholds of the tests are based, because errors come in bursts. Default
    /// replay.
    pub mode: EvidenceMode,
    /// What happens if the data for `mode` is missing. Default plain.
    pub otherwise: Otherwise,
    /// Whether the rollback tests also look for late changes. Default false.
    pub change_point: bool,
    /// Whether half of `alpha` goes to one exact test at the end of each phase; only if `mode` is
    /// plain. Default false.
    pub phase_end_test: bool,
}

/// How metrics are observed and evaluated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Watch {
    /// The interval at which observations are expected.
    pub cadence: Span,
    /// The trailing window over which bounds are evaluated; at least `cadence`.
    pub window: Span,
    /// The number of trials per arm that the window needs before its bounds are evaluated.
    pub least_trials: f64,
    /// How many evaluations in a row have to breach an alert or rollback bound before it acts;
    /// until then the rollout holds. A whole number; an evaluation is a verdict with a new reading
    /// of the metric.
    pub consecutive_breaches: f64,
    /// The age from which data is stale; at least `cadence`.
    pub stale: Span,
    /// How long bounds and tests ignore data at the start of each phase.
    pub warm_up: Span,
    /// What happens if an alert bound is breached.
    pub alert: Response,
    /// What happens if data is missing.
    pub no_data: NoData,
}

/// What happens if a deciding metric has no fresh data. Until `after` the rollout holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NoData {
    /// How long the rollout holds.
    pub after: Span,
    /// What happens then: hold, ask or roll back.
    pub then: Response,
}

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
    /// The same with another response to one signal.
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
