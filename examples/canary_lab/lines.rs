//! The lines of the driver's output, and how metrics are shown.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::pace::Pace;
use crate::scrape::{Arms, Totals};

/// How a metric is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    /// A share, shown in percent.
    Percent,
    /// Seconds, shown in milliseconds.
    Milliseconds,
    /// Events per minute.
    PerMinute,
}

impl Unit {
    /// Formats a value.
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Self::Percent if value == 0.0 || value == 1.0 => format!("{:.0}%", value * 100.0),
            Self::Percent => format!("{:.1}%", value * 100.0),
            Self::Milliseconds => format!("{:.0} ms", value * 1e3),
            Self::PerMinute => format!("{value:.0}/min"),
        }
    }

    /// The factor from the recorded value to the plotted one.
    pub(crate) fn scale(self) -> f64 {
        match self {
            Self::Percent => 100.0,
            Self::Milliseconds => 1e3,
            Self::PerMinute => 1.0,
        }
    }

    /// The label of the plot's axis.
    pub(crate) fn axis(self) -> &'static str {
        match self {
            Self::Percent => "%",
            Self::Milliseconds => "ms",
            Self::PerMinute => "per minute",
        }
    }
}

/// A metric of the lab.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Metric {
    /// Its id in the policy.
    pub(crate) id: &'static str,
    /// Its name in the report.
    pub(crate) name: &'static str,
    /// Its name in a progress line.
    pub(crate) short: &'static str,
    /// How its values are shown.
    pub(crate) unit: Unit,
}

/// The lab's metrics in the order in which they are shown.
pub(crate) const METRICS: [Metric; 5] = [
    Metric { id: "error_rate", name: "Error rate", short: "err", unit: Unit::Percent },
    Metric { id: "latency_p95", name: "Latency p95", short: "p95", unit: Unit::Milliseconds },
    Metric { id: "payment_success", name: "Payment success", short: "paid", unit: Unit::Percent },
    Metric { id: "bug", name: "Null pointers", short: "bug", unit: Unit::PerMinute },
    Metric { id: "request_volume", name: "Requests", short: "vol", unit: Unit::PerMinute },
];

/// Key of the evidence of all metrics together, beside the metric ids.
pub(crate) const TOGETHER: &str = "together";

/// The name of a metric in the report.
pub(crate) fn name(id: &str) -> &str {
    match id {
        TOGETHER => "All metrics together",
        other => metric(other).map_or(other, |m| m.name),
    }
}

/// The metric with this id, if the lab has it.
pub(crate) fn metric(id: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|m| m.id == id)
}

/// Values of one metric at one moment, by arm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pair {
    /// The fix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) canary: Option<f64>,
    /// The version to be replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) baseline: Option<f64>,
}

/// Seconds of the script behind each plotted value.
const WINDOW: f64 = 2.0;

/// Values over the last seconds, from running totals.
#[derive(Debug)]
pub(crate) struct Trail {
    seen: VecDeque<(f64, Arms)>,
    pace: Pace,
}

impl Trail {
    /// An empty history of a service at this pace.
    pub(crate) fn new(pace: Pace) -> Self {
        Self { seen: VecDeque::new(), pace }
    }

    /// Adds the totals at `at` seconds and returns each metric's values over the window.
    pub(crate) fn values(&mut self, at: f64, arms: Arms) -> BTreeMap<String, Pair> {
        self.seen.push_back((at, arms));
        // One reading older than the window is kept, so that the differences span it.
        let from = at - self.pace.seconds(WINDOW);
        while self.seen.len() > 2 && self.seen.get(1).is_some_and(|s| s.0 <= from) {
            self.seen.pop_front();
        }
        let arm = |pick: fn(&Arms) -> Option<&Totals>| {
            let last = self.seen.back()?;
            let first = self.seen.iter().find(|s| pick(&s.1).is_some())?;
            let passed = last.0 - first.0;
            let moved = pick(&last.1)?.since(pick(&first.1)?)?;
            (passed > 0.0 && moved.all() > 0.0).then_some((moved, passed))
        };
        let canary = arm(|a| a.canary.as_ref());
        let baseline = arm(|a| a.baseline.as_ref());
        METRICS
            .iter()
            .map(|m| {
                let value = |arm: &Option<(Totals, f64)>| {
                    arm.as_ref()
                        .and_then(|(moved, passed)| value_of(m.id, moved, *passed, self.pace))
                };
                (m.id.to_owned(), Pair { canary: value(&canary), baseline: value(&baseline) })
            })
            .collect()
    }
}

fn value_of(id: &str, moved: &Totals, passed: f64, pace: Pace) -> Option<f64> {
    match id {
        "error_rate" => Some((moved.error + moved.no_answer) / moved.all()),
        "payment_success" => Some(moved.ok / moved.all()),
        "latency_p95" => moved.p95(),
        // Per minute of full traffic, so that arms with different shares are comparable.
        "bug" => Some(moved.null_pointer * 60.0 * pace.rate() / moved.all()),
        "request_volume" => Some(moved.all() * 60.0 / passed),
        _ => None,
    }
}

/// The library's verdict on one metric at one tick.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Judged {
    /// Band: success, hold, alert, rollback, `no_data` …
    pub(crate) band: String,
    /// Evidence in log e, by the question that it answers: harm, promotion, efficacy.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) evidence: BTreeMap<String, f64>,
    /// Log e at which a question is decided.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) thresholds: BTreeMap<String, f64>,
}

/// One line of the driver's output. Times are seconds of Unix time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub(crate) enum Line {
    /// The driver has started, or started again from its log.
    Began {
        /// When.
        at: f64,
        /// Whether it resumed from a log.
        resumed: bool,
        /// Events that the log held.
        events: usize,
        /// The address for inputs of people, if any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        people: Option<SocketAddr>,
    },
    /// One observation and its verdict.
    Tick(Box<Tick>),
    /// An action is logged and is being carried out.
    Acting {
        /// When.
        at: f64,
        /// The action's id, the same after a crash.
        id: String,
        /// The description of the action.
        what: String,
        /// Whether it is resumed from the log after a crash.
        again: bool,
    },
    /// An action was carried out, or could not be.
    Acted {
        /// When.
        at: f64,
        /// The action's id.
        id: String,
        /// The reason why it failed; `None` if it succeeded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failed: Option<String>,
    },
    /// A decision of the library.
    Decided {
        /// When.
        at: f64,
        /// What: promote, `roll_back`, complete …
        what: String,
        /// The reason, for people.
        why: String,
    },
    /// An observation or event other than actions and decisions.
    Noted {
        /// When.
        at: f64,
        /// What.
        what: String,
        /// With what result.
        why: String,
    },
    /// A message of the library.
    Message {
        /// When.
        at: f64,
        /// To whom.
        audience: String,
        /// Its text.
        text: String,
    },
    /// The driver has finished.
    Ended {
        /// When.
        at: f64,
        /// The rollout's state.
        state: String,
        /// Further facts about the log: events, head …
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        facts: BTreeMap<String, String>,
    },
}

/// One observation and its verdict.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tick {
    /// Seconds of Unix time.
    pub(crate) at: f64,
    /// State of the rollout.
    pub(crate) state: String,
    /// Name of the phase.
    pub(crate) phase: String,
    /// The canary's share of the traffic.
    pub(crate) share: f64,
    /// Seconds until the phase may end, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) left: Option<f64>,
    /// continue, hold, promote, `roll_back`, ask.
    pub(crate) decision: String,
    /// The reasons of the decision, as text; empty if no fault is found.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) why: String,
    /// Values over the last seconds.
    pub(crate) values: BTreeMap<String, Pair>,
    /// The verdict on each metric.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) judged: BTreeMap<String, Judged>,
}
