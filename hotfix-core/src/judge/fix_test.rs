//! The test of the fix: whether it makes the bug rarer, as its release claims.

use educe::Educe;
use serde::{Deserialize, Serialize};

use crate::plan::Plan;
use crate::stats::StatError;

use super::aligned::Aligned;
use super::prepared::Increment;
use super::snapshot::Misfit;
use super::test::{Claim, Test, TestRead};
use super::watched::Watched;

/// The test of the bug's own metric. `T`: a test, or its evidence in a snapshot.
#[derive(Debug, Deserialize, Educe, PartialEq, Serialize)]
#[educe(Clone)]
pub(crate) struct FixTest<T = Test> {
    /// Index of that metric.
    #[serde(skip)]
    pub(super) metric: usize,
    pub(super) now: State<T>,
    before: State<T>,
}

#[derive(Debug, Deserialize, Educe, PartialEq, Serialize)]
#[educe(Clone)]
pub(super) struct State<T = Test> {
    pub(super) test: Aligned<T>,
    /// It has crossed, and the evidence has not fallen since as far below 0 as the threshold is above.
    pub(super) shown: bool,
}

impl FixTest {
    /// The test, if the plan has a claim about a metric that can be tested.
    pub(super) fn try_new(plan: &Plan, watched: &[Watched]) -> Result<Option<Self>, StatError> {
        let Some(claim) = plan.efficacy() else { return Ok(None) };
        let Some(metric) = watched.iter().position(|w| w.metric().id == claim.metric) else {
            return Ok(None);
        };
        let claimed = Claim::Better {
            alpha: claim.alpha.as_fraction(),
            margin: claim.cut_to.value(),
            quantile: None,
            temper: watched[metric].basis().temper,
        };
        Ok(Test::try_new(watched[metric].metric().model, claimed)?.map(|test| {
            let now = State { test: Aligned::new(test), shown: false };
            Self { metric, before: now.clone(), now }
        }))
    }

    pub(super) fn learn(&mut self, watched: &Watched, increment: &Increment) {
        self.before.test.keep(&self.now.test);
        self.before.shown = self.now.shown;
        self.feed(watched, increment);
    }

    pub(super) fn start_over(&mut self) {
        self.now.test.restart();
        self.now.shown = false;
        self.before.clone_from(&self.now);
    }

    /// Feeds the test with the last tick again, with other counts. `of`: the test after the tick as it was.
    pub(super) fn learn_again(&mut self, of: &Self, watched: &Watched, increment: &Increment) {
        self.now.clone_from(&of.before);
        self.feed(watched, increment);
    }

    fn feed(&mut self, watched: &Watched, increment: &Increment) {
        let State { test, shown } = &mut self.now;
        *shown |= watched.feed(increment, test);
        // Lower bounds are enough, and need no logarithm.
        *shown = *shown && test.log_e_bounds().is_none_or(|[_, most]| most > -test.threshold());
    }

    pub(super) fn resume(&mut self, read: FixTest<TestRead>) -> Result<(), Misfit> {
        let FixTest { metric: _, now, before } = read;
        self.now.resume(now)?;
        self.before.resume(before)
    }
}

impl State {
    fn resume(&mut self, State { test, shown }: State<TestRead>) -> Result<(), Misfit> {
        self.shown = shown;
        self.test.resume(test)
    }
}
