//! What the kind of a metric means: its data, its unit, what it is fed.
//!
//! Only this file matches on kinds. Others match on [`Data`] or [`Unit`], or ask a method.
//! `docs/decisions/metric-kinds.md` says why.

use crate::grade::MetricKind;

/// The data of a metric, and with it the columns that an arm has in a row, and which intervals and
/// tests are valid.
#[derive(Clone, Copy)]
pub(crate) enum Data {
    /// Events among trials, where a trial is a request: `[events, trials]`.
    Trials,
    /// Events in a time, without an upper end: `[events, seconds of exposure]`.
    Exposure,
    /// Requests by latency: `[count, at or below the first edge, at or below the second …]`.
    Buckets,
    /// A level of no known distribution: `[sum of the levels, their number]`.
    Level,
}

/// The unit of a metric's value, reference and bounds.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    /// A share between 0 and 1, shown in per cent.
    Fraction,
    /// Seconds, shown in milliseconds.
    Seconds,
    /// Events or requests per minute.
    PerMinute,
    /// A number of the service's own.
    Number,
}

impl MetricKind {
    /// The data of its readings.
    pub(crate) const fn data(self) -> Data {
        match self {
            Self::Proportion => Data::Trials,
            Self::Count => Data::Exposure,
            Self::Latency => Data::Buckets,
            Self::Gauge | Self::Volume => Data::Level,
        }
    }

    /// Whether a reading lasts until the next one: a state, and no rate of the time before.
    pub(crate) const fn lasts(self) -> bool {
        match self {
            Self::Gauge => true,
            Self::Proportion | Self::Count | Self::Latency | Self::Volume => false,
        }
    }

    /// The unit of its value, reference and bounds.
    pub(crate) const fn unit(self) -> Unit {
        match self {
            Self::Proportion => Unit::Fraction,
            Self::Latency => Unit::Seconds,
            Self::Count | Self::Volume => Unit::PerMinute,
            Self::Gauge => Unit::Number,
        }
    }

    /// The readings that it is fed, as the remedy of a reading of another form.
    pub(crate) const fn feed(self) -> &'static str {
        match self {
            Self::Proportion => "send [events, trials], or that by instance",
            Self::Count => "send [events, seconds of exposure], or that by instance",
            Self::Latency => {
                "send cumulative buckets {\"le\", \"counts\", \"count\"} in every reading, \
                 or {\"samples\"} in seconds"
            }
            Self::Gauge => "send a number",
            Self::Volume => "send requests per minute as a number",
        }
    }

    /// Whether its level is the traffic of an arm, so that it follows the share, changes with the
    /// hour, and is added up over strata.
    pub(crate) const fn is_traffic(self) -> bool {
        match self {
            Self::Volume => true,
            Self::Proportion | Self::Count | Self::Latency | Self::Gauge => false,
        }
    }

    /// Whether what is read depends on the arm's share of the traffic, so that values at two shares
    /// cannot be compared. Only such a metric may be `scaled`, and it is by default.
    pub(crate) const fn depends_on_share(self) -> bool {
        match self.data() {
            Data::Exposure => true,
            Data::Trials | Data::Buckets => false,
            Data::Level => self.is_traffic(),
        }
    }

    /// Whether its readings add up over time: they are never negative, and may be running totals.
    pub(crate) const fn adds_up(self) -> bool {
        match self.data() {
            Data::Trials | Data::Exposure | Data::Buckets => true,
            Data::Level => self.is_traffic(),
        }
    }

    /// Whether it counts events: a rate that can be compared, read by instance, and be the bug's.
    pub(crate) const fn counts_events(self) -> bool {
        match self.data() {
            Data::Trials | Data::Exposure => true,
            Data::Buckets | Data::Level => false,
        }
    }

    /// Whether it counts requests, of which bounds need a least number; others need a length of
    /// time.
    pub(crate) const fn counts_requests(self) -> bool {
        match self.data() {
            Data::Trials | Data::Buckets => true,
            Data::Exposure | Data::Level => false,
        }
    }

    /// Whether its readings show whether there are requests: it counts them, or is the traffic.
    pub(crate) const fn shows_requests(self) -> bool {
        self.counts_requests() || self.is_traffic()
    }

    /// Whether its value is the share of requests with an event: at most 1, and binomial.
    pub(crate) const fn is_fraction(self) -> bool {
        match self.data() {
            Data::Trials => true,
            Data::Exposure | Data::Buckets | Data::Level => false,
        }
    }

    /// Whether its events are counted in a time, and not among requests.
    pub(crate) const fn has_exposure(self) -> bool {
        match self.data() {
            Data::Exposure => true,
            Data::Trials | Data::Buckets | Data::Level => false,
        }
    }

    /// Whether it has a distribution with edges and a quantile.
    pub(crate) const fn has_buckets(self) -> bool {
        match self.data() {
            Data::Buckets => true,
            Data::Trials | Data::Exposure | Data::Level => false,
        }
    }
}
