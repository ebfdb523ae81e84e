//! Evidence on two alignments: in one the canary's data end later than the baseline's, in the other
//! they end earlier. See `docs/statistics.md`, "Arms read at different times".

use educe::Educe;
use serde::{Deserialize, Serialize};

use crate::getters::getters;
use crate::stats::rate_ratio::RateRatioDesign;
use crate::stats::{Evidence, Totals};

use super::snapshot::Misfit;
use super::test::{Test, TestRead};

/// One of the two alignments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// The canary's data end later.
    Lead,
    /// The baseline's data end later.
    Lag,
}

impl Side {
    pub(super) const BOTH: [Self; 2] = [Self::Lead, Self::Lag];
}

/// A state on both alignments, kept once while both are equal: as long as counts are compared tick
/// by tick.
#[derive(Debug, Default, Deserialize, Educe, PartialEq, Serialize)]
#[educe(Clone)]
pub(super) struct Aligned<T> {
    lead: T,
    /// None while it equals `lead`.
    lag: Option<T>,
    /// Both have ever been at the threshold at the same time; not used while they are equal.
    crossed: bool,
}

impl<T> Aligned<T> {
    /// The same on both alignments.
    pub(super) const fn new(both: T) -> Self {
        Self { lead: both, lag: None, crossed: false }
    }

    /// Whether both are equal, and kept once.
    #[inline]
    pub(super) const fn is_one(&self) -> bool {
        self.lag.is_none()
    }

    pub(super) fn all(&self, mut applies: impl FnMut(&T) -> bool) -> bool {
        applies(&self.lead) && self.lag.as_ref().is_none_or(applies)
    }

    #[inline]
    pub(super) fn any(&self, mut applies: impl FnMut(&T) -> bool) -> bool {
        applies(&self.lead) || self.lag.as_ref().is_some_and(applies)
    }

    /// On one alignment.
    pub(super) fn on(&self, side: Side) -> &T {
        match side {
            Side::Lead => &self.lead,
            Side::Lag => self.lag.as_ref().unwrap_or(&self.lead),
        }
    }

    /// On one alignment, to be changed; from here on both are kept.
    pub(super) fn on_mut(&mut self, side: Side) -> &mut T
    where
        T: Clone,
    {
        let lag = self.lag.get_or_insert_with(|| self.lead.clone());
        match side {
            Side::Lead => &mut self.lead,
            Side::Lag => lag,
        }
    }

    #[inline]
    pub(super) fn each(&mut self, mut change: impl FnMut(&mut T)) {
        change(&mut self.lead);
        if let Some(lag) = &mut self.lag {
            change(lag);
        }
    }

    /// Changes the state on each alignment with that of another on the same alignment.
    pub(super) fn each_with<U>(&mut self, other: &Aligned<U>, mut change: impl FnMut(&mut T, &U)) {
        change(&mut self.lead, other.on(Side::Lead));
        if let Some(lag) = &mut self.lag {
            change(lag, other.on(Side::Lag));
        }
    }

    #[inline]
    fn smaller(&self, figure: impl Fn(&T) -> f64) -> f64 {
        let lead = figure(&self.lead);
        self.lag.as_ref().map_or(lead, |lag| lead.min(figure(lag)))
    }

    /// The smaller and the larger of two figures; None where one is missing.
    #[inline]
    pub(super) fn range(&self, figure: impl Fn(&T) -> Option<f64>) -> Option<[f64; 2]> {
        let lead = figure(&self.lead)?;
        match &self.lag {
            None => Some([lead, lead]),
            Some(lag) => figure(lag).map(|lag| [lead.min(lag), lead.max(lag)]),
        }
    }

    /// The smaller of two figures; None where one is missing.
    #[inline]
    pub(super) fn least(&self, figure: impl Fn(&T) -> Option<f64>) -> Option<f64> {
        self.range(figure).map(|[least, _]| least)
    }

    /// A part of each state; None where one lacks it.
    pub(super) fn map<U>(&self, part: impl Fn(&T) -> Option<U>) -> Option<Aligned<U>> {
        let lag = match &self.lag {
            None => None,
            Some(lag) => Some(part(lag)?),
        };
        Some(Aligned { lead: part(&self.lead)?, lag, crossed: self.crossed })
    }
}

impl Aligned<Test> {
    /// The log e-value that decides, with its uncapped part limited to this.
    pub(super) fn log_e_if(&self, uncapped: f64) -> f64 {
        self.smaller(|test| test.log_e_if(uncapped))
    }

    /// The larger log e-value of both alignments, which is enough to hold.
    #[inline]
    pub(super) fn highest(&self) -> f64 {
        let lead = self.lead.log_e();
        self.lag.as_ref().map_or(lead, |lag| lead.max(lag.log_e()))
    }

    /// The evidence begins again, on both alignments as one.
    pub(super) fn restart(&mut self) {
        (self.lag, self.crossed) = (None, false);
        self.lead.restart();
    }

    /// On one alignment, to be fed; from here on both are kept.
    pub(super) fn apart(&mut self, side: Side) -> &mut Test {
        if self.lag.is_none() {
            self.crossed = self.lead.decided();
        }
        self.on_mut(side)
    }

    pub(super) fn feed_apart(&mut self, mut feed: impl FnMut(Side, &mut Test)) {
        for side in Side::BOTH {
            feed(side, self.apart(side));
        }
        self.crossed |= self.log_e() >= self.limits().0;
    }

    /// Whether the test alone has ever crossed, on both alignments at the same time.
    pub(crate) fn decided(&self) -> bool {
        if self.lag.is_some() { self.crossed } else { self.lead.decided() }
    }

    pub(crate) fn evidence(&self) -> Evidence {
        let lead = self.lead.evidence();
        let Some(lag) = self.lag.as_ref().map(Test::evidence) else { return lead };
        Evidence {
            log_e: lead.log_e.min(lag.log_e),
            p_value: lead.p_value.max(lag.p_value),
            ratio: lag.ratio,
            decided: self.crossed,
        }
    }

    /// Copies another's states without its designs; false where they are of different kinds.
    #[inline]
    pub(super) fn keep(&mut self, of: &Self) -> bool {
        let lag = if let Some(lag) = &of.lag {
            self.lag.get_or_insert_with(|| self.lead.clone()).keep(lag)
        } else {
            self.lag = None;
            true
        };
        self.crossed = of.crossed;
        lag && self.lead.keep(&of.lead)
    }

    pub(super) fn resume(&mut self, read: Aligned<TestRead>) -> Result<(), Misfit> {
        let Aligned { lead, lag, crossed } = read;
        self.lag = lag.is_some().then(|| self.lead.clone());
        if let (Some(kept), Some(lag)) = (&mut self.lag, lag) {
            kept.resume(lag)?;
        }
        self.crossed = crossed;
        self.lead.resume(lead)
    }
}

// Figures of both alignments.
getters! {
    pub(super) fn Aligned<Test>: self;

    #[inline]
    rate_design: Option<&RateRatioDesign> = self.lead.rate().map(|(design, _)| design);
    /// The log e-value that decides: the smaller one.
    #[inline]
    log_e: f64 = self.smaller(Test::log_e);
    /// The part of the log e-value that decides which one reading may raise above any threshold.
    uncapped: f64 = self.smaller(Test::uncapped);
    /// Lower bounds of the log e-values, the one that decides first, of counts; None for latency.
    #[inline]
    log_e_bounds: Option<[f64; 2]> = self.range(Test::log_e_bound);
    is_slightly_slower: bool = self.any(Test::is_slightly_slower);
    is_raised: bool = self.any(Test::is_raised);
    limits: (f64, Option<f64>) = self.lead.limits();
    threshold: f64 = self.lead.threshold();
    null_ratio: f64 = self.lead.null_ratio();
    /// What was compared so far; None for latency, which compares several counts at once.
    totals: Option<Totals> = self.on(Side::Lag).totals();
    ratio: Option<f64> = self.on(Side::Lag).ratio();
    /// Whether anything was compared.
    has_compared: bool = self.on(Side::Lag).has_compared();
}
