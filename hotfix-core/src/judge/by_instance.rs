//! Counts that all come by instance: the mode in force, the statistic that decides, and what was
//! compared. See `docs/decisions/replay-by-instance.md`.

use std::sync::Arc;

use crate::grade::EvidenceMode;
use crate::stats::Totals;
use crate::stats::replay::statistic;

use super::aligned::Aligned;
use super::evidence_basis::Assurance;
use super::watched::Watched;

impl Watched {
    /// Mode and guarantee of the rollback evidence at present.
    pub(super) fn assurance(&self) -> Assurance {
        let mut assurance = self.basis().assurance(self.instances().is_randomised());
        // Before that a crossing does not count, because a comparison of instances could still find
        // it to be noise.
        let unseen = self.basis().randomises() && !self.instances().judged;
        if unseen && assurance.mode == EvidenceMode::Plain {
            assurance.acts = false;
        }
        assurance
    }

    /// The least leave-one-out log e-value of the canary's instances; None if they are too few or
    /// unknown.
    pub(super) fn log_e_without_any(&self) -> Option<f64> {
        self.instances().log_e_without_any(self.tests().worse()?)
    }

    /// The instance without which the evidence is the least.
    pub(super) fn decisive_instance(&self) -> Option<&Arc<str>> {
        self.instances().decisive(self.tests().worse()?)
    }

    /// The statistic that decides, from the log e-value of harm: it also counts the evidence
    /// without each one of the canary's instances.
    pub(super) fn statistic(&self, log_e: f64) -> f64 {
        statistic(log_e, self.log_e_without_any())
    }

    /// What the rollback test compared so far, with what it did not count; None for latency.
    pub(super) fn compared(&self) -> Option<Totals> {
        Some(self.totals().with_uncounted(self.tests().worse()?.totals()?))
    }

    /// Whether its rollback test has compared anything.
    pub(super) fn has_compared(&self) -> bool {
        self.tests().worse().is_some_and(Aligned::has_compared)
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
