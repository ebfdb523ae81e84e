//! Requests of an arm, and since when none has come although its traffic would have brought some:
//! readings without one request are silence. See `docs/decisions/nothing-judges.md`.

use serde::{Deserialize, Serialize};

use crate::policy::section::Watch;
use crate::unit::{Span, Timestamp};

/// Where an arm would have had so many requests, it has none by chance once in `exp(10)` times.
const EXPECTED: f64 = 10.0;

/// When an arm last had requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Requests {
    at: Option<Timestamp>,
    /// How long before that it had some.
    apart: Span,
    /// None has come for too long.
    stopped: bool,
}

impl Requests {
    #[inline]
    pub(super) fn come(&mut self, at: Timestamp) {
        self.apart = self.at.map_or(Span::ZERO, |last| at.since(last));
        self.at = Some(at);
        self.stopped = false;
    }

    /// Whether the reading of this time has some.
    #[inline]
    pub(super) fn came(self, at: Timestamp) -> bool {
        self.at == Some(at)
    }

    /// How long before its last requests it had some: it may be scraped less often than it is read.
    pub(super) const fn apart(self) -> Span {
        self.apart
    }

    /// A reading has none, in a watch that `began` then, where requests are read so far `apart`.
    /// `expected`: how many would have come in a time.
    pub(super) fn stay_away(
        &mut self,
        at: Timestamp,
        (began, apart): (Option<Timestamp>, Span),
        watch: &Watch,
        expected: impl FnOnce(Span) -> f64,
    ) {
        let silent = self.at.max(began).map_or(Span::ZERO, |since| at.since(since));
        let silent = silent - apart.min(watch.no_data.after);
        self.stopped = silent > watch.stale && expected(silent) >= EXPECTED;
    }

    pub(super) const fn have_stopped(self) -> bool {
        self.stopped
    }

    pub(super) const fn start(&mut self) {
        self.stopped = false;
    }

    /// Since when none has come, in a watch that `began` then; None where some do, or where chance may
    /// explain it.
    #[inline]
    pub(super) fn stopped_since(self, began: Option<Timestamp>) -> Option<Timestamp> {
        if self.stopped { self.at.max(began) } else { None }
    }
}

/// Requests of the whole service, and the seconds in which they came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Served {
    pub(super) requests: f64,
    pub(super) seconds: f64,
}

impl Served {
    pub(super) fn and(self, other: Self) -> Self {
        Self { requests: self.requests + other.requests, seconds: self.seconds + other.seconds }
    }

    /// How many would have come in a time in which there was none: the rate is that of all the time, so
    /// that a few requests in a short time promise little.
    pub(super) fn expected(self, silent: Span) -> f64 {
        let silent = silent.as_seconds();
        if silent > 0.0 { self.requests * silent / (self.seconds + silent) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_3_few_requests_promise_little() {
        let expected = |requests, seconds, silent| {
            Served { requests, seconds }.expected(Span::from_seconds(silent))
        };
        assert!(expected(1000.0, 60.0, 60) >= EXPECTED);
        assert!(expected(9.0, 10.0, 100_000) < EXPECTED);
        // 1% of 60 requests a minute.
        assert!(0.01 * expected(600.0, 600.0, 900) < EXPECTED);
    }
}
