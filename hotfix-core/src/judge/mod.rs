//! The judge: bands and sequential tests into one verdict (STAT-1 to STAT-5, statistics section 8).
//!
//! It is fed in two steps, so that a refused observation changes nothing: [`Judge::prepare`] checks and reads into
//! scratch, [`Judge::take`] folds what was read. [`Judge::assess`] then says what follows.

mod assess;
mod back;
mod test;
mod verdict;
mod watched;

pub use assess::Moment;
pub use verdict::{Cause, Decision, Efficacy, MetricVerdict, Reason, Verdict};

use crate::grade::{MetricKind, PromotionRule, Role};
use crate::metric::{Observation, ReadingError};
use crate::plan::Plan;
use crate::policy::section::{Model, Watch};
use crate::stats::StatError;
use crate::stats::combine::Combination;
use crate::stats::numeric::ln;
use crate::stats::split::{Split, SplitDesign, SplitSettings, arms_swapped};
use crate::unit::{MetricName, Share, Span, Timestamp};

pub(crate) use test::Test;

use test::Claim;
use watched::Watched;

/// Ln of a million to one: a single tick's trials that fit swapped arms this much better are not believed (FIELD-4).
const SWAPPED: f64 = 13.815_510_557_964_274;

/// All tests and windows of one rollout.
#[derive(Clone, Debug, PartialEq)]
pub struct Judge {
    watched: Vec<Watched>,
    /// The tested, deciding metrics, by index; parallel to the combination's weights.
    tested: Vec<usize>,
    combination: Option<Combination>,
    threshold: f64,
    hold: f64,
    /// Index of the bug's own metric, its test, and whether it has ever crossed.
    efficacy: Option<(usize, Test, bool)>,
    /// Index of the metric whose trials are the traffic.
    traffic: Option<usize>,
    split_design: SplitDesign,
    split: Split,
    swapped: bool,
    /// When the present watch began: a phase, or the way back.
    since: Option<Timestamp>,
    /// When the canary's share changed last.
    moved: Option<Timestamp>,
    warm_up: Span,
}

/// What an observation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Traffic is as planned: check the arms, then bands and tests.
    Watch,
    /// Traffic is under way to another share: bands and tests, but neither the split nor what is scaled by it.
    Move,
    /// The fix is taken back: only the live arm, against its level before.
    Return,
    /// On record only.
    Ignore,
}

impl Judge {
    /// A judge for this plan; it has seen nothing.
    ///
    /// # Errors
    /// `HF-STAT-…` where the policy's figures are no test's; a checked policy's are.
    pub fn try_new(plan: &Plan) -> Result<Self, StatError> {
        let policy = plan.policy();
        let (evidence, watch) = (policy.evidence(), policy.watch());
        let promotes =
            policy.phases().iter().any(|p| p.promotion == PromotionRule::EvidenceOfNoHarm);
        let worse = Claim::Worse {
            alpha: evidence.alpha.as_fraction(),
            tolerated: evidence.tolerated.value(),
        };
        let safe = Claim::Better {
            alpha: evidence.promotion_alpha.as_fraction(),
            margin: evidence.margin.value(),
        };
        let mut watched = Vec::with_capacity(policy.metrics().len());
        for metric in policy.metrics() {
            watched.push(Watched::try_new(metric, watch, worse, promotes.then_some(safe))?);
        }
        let tested: Vec<usize> = policy
            .metrics()
            .iter()
            .enumerate()
            .filter(|(_, m)| m.role == Role::Decide && m.model != Model::None && m.weight > 0.0)
            .map(|(index, _)| index)
            .collect();
        let weights: Vec<f64> = tested.iter().map(|&i| policy.metrics()[i].weight).collect();
        let alpha = evidence.alpha.as_fraction();
        let efficacy = match plan.efficacy() {
            Some(claim) => {
                let index = policy.metrics().iter().position(|m| m.id == claim.metric);
                let claimed = Claim::Better {
                    alpha: claim.alpha.as_fraction(),
                    margin: claim.cut_to.value(),
                };
                match index {
                    Some(index) => Test::try_new(policy.metrics()[index].model, claimed)?
                        .map(|test| (index, test, false)),
                    None => None,
                }
            }
            None => None,
        };
        let split_design = SplitDesign::try_new(&SplitSettings::default())?;
        Ok(Self {
            traffic: policy.metrics().iter().position(|m| m.kind == MetricKind::Proportion),
            combination: if weights.is_empty() {
                None
            } else {
                Some(Combination::try_new(alpha, &weights)?)
            },
            threshold: -ln(alpha),
            hold: ln(evidence.hold.value()),
            efficacy,
            split: Split::new(&split_design),
            split_design,
            swapped: false,
            since: None,
            moved: None,
            warm_up: watch.warm_up,
            tested,
            watched,
        })
    }

    /// Checks an observation and reads it into scratch. Nothing else changes.
    ///
    /// # Errors
    /// `HF-MET-001` to `HF-MET-007`.
    pub fn prepare(
        &mut self,
        at: Timestamp,
        share: Share,
        seen: &Observation,
    ) -> Result<(), ReadingError> {
        for watched in &mut self.watched {
            watched.fresh = false;
        }
        // Both lists ascend by id: the place of one reading is at or after the one before.
        let mut from = 0;
        for (id, arms) in seen.iter() {
            let place = self.watched[from..].iter().position(|w| w.metric.id == id);
            let Some(place) = place else { return Err(self.unknown(id)) };
            from += place;
            self.watched[from].prepare(arms, at, share)?;
        }
        Ok(())
    }

    fn unknown(&self, metric: MetricName) -> ReadingError {
        let distance =
            |known: &MetricName| strsim::damerau_levenshtein(metric.as_str(), known.as_str());
        let nearest =
            self.watched.iter().map(|w| w.metric.id).min_by_key(distance).unwrap_or(metric);
        ReadingError::UnknownMetric { metric, nearest }
    }

    /// Folds what [`prepare`](Self::prepare) read.
    pub fn take(&mut self, at: Timestamp, share: Share, seen: &Observation, purpose: Use) {
        let warm = self.since.is_some_and(|since| at.since(since) < self.warm_up);
        self.swapped = false;
        if purpose == Use::Watch && !warm {
            self.check_arms(share);
        }
        let mut readings = seen.iter();
        for index in 0..self.watched.len() {
            let watched = &mut self.watched[index];
            if !watched.fresh {
                continue;
            }
            let Some((_, arms)) = readings.find(|(id, _)| *id == watched.metric.id) else {
                continue;
            };
            let mixed = purpose == Use::Move || watched.spans(self.moved);
            watched.read(arms, at, self.since);
            match purpose {
                Use::Watch | Use::Move if watched.is_scaled() && mixed => {}
                Use::Watch | Use::Move if !warm && !self.swapped => {
                    watched.learn(at);
                    if let Some((bug, test, shown)) = &mut self.efficacy
                        && *bug == index
                    {
                        *shown |= watched.feed(test);
                    }
                }
                Use::Return => watched.window_of_baseline(at),
                Use::Watch | Use::Move | Use::Ignore => {}
            }
        }
    }

    /// FIELD-4: do the trials of the two arms fit the planned split?
    fn check_arms(&mut self, share: Share) {
        let Some(watched) = self.traffic.map(|index| &self.watched[index]) else { return };
        let tick = &watched.tick;
        if !watched.fresh
            || !tick.canary
            || !tick.baseline
            || share == Share::ALL
            || share == Share::NONE
        {
            return;
        }
        let (share, canary, baseline) = (share.as_fraction(), tick.row[1], tick.row[3]);
        self.swapped = arms_swapped(share, canary, baseline).is_ok_and(|log| log >= SWAPPED);
        if !self.swapped {
            // Counts were checked when they were read, so the test takes them.
            let _ = self.split.update(&self.split_design, share, canary, baseline);
        }
    }

    /// The canary's share is another from now on.
    pub const fn move_traffic(&mut self, at: Timestamp) {
        self.moved = Some(at);
    }

    /// A phase, or the way back, begins to be watched: windows start empty, tests go on (statistics, section 1).
    pub fn start_phase(&mut self, at: Timestamp) {
        self.since = Some(at);
        self.split = Split::new(&self.split_design);
        for watched in &mut self.watched {
            watched.window.clear();
            watched.covered = Span::ZERO;
        }
    }

    /// The moments at which metrics that stay silent become stale, and missing for too long.
    pub(crate) fn silences<'a>(&'a self, watch: &'a Watch) -> impl Iterator<Item = Timestamp> + 'a {
        let deciding = self.watched.iter().filter(|w| w.metric.role == Role::Decide);
        let last = deciding.filter_map(|w| w.read_at.max(self.since));
        // Stale is older than the limit, missing is at least as long.
        last.flat_map(|at| [at + watch.stale + Span::from_millis(1), at + watch.no_data.after])
    }

    /// A metric's rollback test, for what a verdict reports on demand.
    pub(crate) fn test(&self, id: MetricName) -> Option<&Test> {
        self.watched.iter().find(|w| w.metric.id == id)?.worse.as_ref()
    }
}
