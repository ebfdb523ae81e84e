//! From a metric's columns: its value, the trials behind it, and what was compared. Of counts that
//! all come by instance see `docs/decisions/replay-by-instance.md`.

use std::sync::Arc;

use crate::getters::getters;
use crate::grade::EvidenceMode;
use crate::metric::{Judged, trials_column};
use crate::metric_kind::Data;
use crate::stats::interval::Interval;
use crate::stats::numeric::exp;
use crate::stats::replay::statistic;
use crate::stats::{Counts, Totals};
use crate::text::rounded;

use super::evidence_basis::Assurance;
use super::watched::Watched;

getters! {
    pub(super) fn Watched: self;

    /// The least leave-one-out log e-value of the canary's instances; None if they are too few or
    /// unknown.
    log_e_without_any: Option<f64> = self.instances().log_e_without_any(self.tests().worse()?);
    /// The instance without which the evidence is the least; None if none may be left out.
    decisive_instance: Option<&Arc<str>> = self.instances().decisive(self.tests().worse()?);
}

impl Watched {
    /// The value of one arm's columns, in the metric's unit; None without trials.
    #[inline]
    pub(super) fn value(&self, columns: &[f64], share: f64) -> Option<Judged> {
        let (events, trials) = (columns[0], columns[1]);
        match self.metric().kind.data() {
            Data::Buckets => Judged::quantile(
                self.metric().quantile.as_fraction(),
                events,
                &columns[1..],
                self.edges(),
            ),
            Data::Trials => (trials > 0.0).then(|| Judged::exactly(events / trials)),
            Data::Exposure => (trials > 0.0).then(|| Judged::exactly(events / trials * 60.0)),
            Data::Level => {
                let scale = if self.metric().scaled { share } else { 1.0 };
                (trials > 0.0 && scale > 0.0).then(|| Judged::exactly(events / trials / scale))
            }
        }
    }

    /// Trials that the least number applies to; None for kinds that need a length of time instead.
    pub(super) fn trials(&self, columns: &[f64]) -> Option<f64> {
        let kind = self.metric().kind;
        kind.counts_requests().then(|| columns[trials_column(kind)])
    }

    /// The requests of an arm's columns that took longer than this many seconds, or than the next edge
    /// above; None beyond the last edge.
    pub(super) fn slower_than(&self, seconds: f64, columns: &[f64]) -> Option<Counts> {
        let edge = self.edges().iter().position(|&edge| edge >= seconds)?;
        Some(Counts::new(columns[0] - columns[1 + edge], columns[0]))
    }

    /// Bad events, and trials or exposure, of an arm's columns.
    #[inline]
    pub(super) fn bad_counts(&self, arm: &[f64]) -> Counts {
        Counts::new(self.bad(arm[0], arm[1]), arm[1])
    }

    /// Events that are bad: failures where the metric counts successes.
    pub(super) fn bad(&self, events: f64, trials: f64) -> f64 {
        self.metric().worse.bad(events, trials)
    }

    /// Mode and guarantee of the rollback evidence at present.
    pub(super) fn assurance(&self) -> Assurance {
        let mut assurance = self.basis().assurance(self.instances().is_randomised());
        // Until it is known whether readings name instances a crossing does not count, because a
        // comparison of instances could still find it to be noise.
        let unseen = self.basis().randomises() && !self.instances().judged;
        if unseen && assurance.mode == EvidenceMode::Plain {
            assurance.acts = false;
        }
        assurance
    }

    /// The statistic that decides, from the log e-value of harm: it also counts the evidence
    /// without each one of the canary's instances.
    pub(super) fn statistic(&self, log_e: f64) -> f64 {
        statistic(log_e, self.log_e_without_any())
    }

    /// What the rollback test compared so far, with what it did not count; None for latency.
    pub(super) fn compared(&self) -> Option<Totals> {
        let mut totals = self.tests().worse()?.totals()?;
        let [canary, baseline] = self.totals().uncounted;
        totals.canary.events += canary;
        totals.baseline.events += baseline;
        Some(totals)
    }

    /// Says how many times as often the metric's events surely come with the fix, if they are
    /// independent, at the confidence of its own threshold. None unless that is more than is
    /// tolerated: the test finds only what is some times worse. None once it has crossed, too.
    pub(crate) fn excess(&self) -> Option<String> {
        let (tolerated, threshold) =
            (self.tests().worse()?.null_ratio(), self.basis().own_threshold());
        self.log_e().filter(|log_e| *log_e < threshold)?;
        let Interval { low, high } = self.totals().interval(1.0 - exp(-threshold))?;
        let what = if self.metric().kind.is_fraction() { "failures" } else { "events" };
        let [low, high] =
            (low >= tolerated + 0.01).then(|| [low, high].map(|end| rounded(end, 2)))?;
        Some(format!("{what} {low} to {high} times as often, if they are independent"))
    }

    pub(super) fn ratio(&self) -> Option<f64> {
        if let Some(ratio) = self.totals().common_ratio() {
            return Some(ratio);
        }
        if self.totals().uncounted == [0.0; 2] {
            self.tests().worse()?.ratio()
        } else {
            self.compared()?.ratio()
        }
    }
}
