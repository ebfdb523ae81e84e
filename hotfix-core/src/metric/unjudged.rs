//! Metrics and phases that nothing will judge under a policy.

use std::fmt;

use crate::grade::Role;
use crate::policy::Policy;
use crate::policy::section::{Metric, Phase};
use crate::text::quoted;
use crate::unit::{MetricName, PhaseName, Share, Span};

use super::Judged;
use super::band::is_judged;

/// Deciding metrics that nothing judges, and the phases where that is so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unjudged {
    /// The metrics; empty where the policy has none that decides.
    pub metrics: Vec<MetricName>,
    /// The phases, in order.
    pub phases: Vec<PhaseName>,
    /// In every phase of the policy.
    pub everywhere: bool,
    /// What follows in these phases, if no other metric is judged; None if one is.
    pub then: Option<&'static str>,
    /// Readings of the live version over so long before the start would judge some of them: it is the
    /// baseline of a strategy that moves all traffic at once.
    pub before: Option<Span>,
}

impl Unjudged {
    /// What nothing judges under this policy, with phases grouped where it is the same. Empty if
    /// everything is judged.
    pub fn of(policy: &Policy) -> Vec<Self> {
        let deciding = policy.metrics().iter().filter(|metric| metric.role == Role::Decide).count();
        let at_once = policy.moves_at_once();
        let mut found: Vec<Self> = Vec::new();
        for phase in policy.phases() {
            let metrics = unjudged_in(phase, policy.metrics(), at_once);
            let then =
                (metrics.len() == deciding).then(|| phase.undecided(policy.rollback().on_failure));
            let is_compared = |id: &MetricName| {
                let metric = policy.metric(id.as_str());
                metric.is_some_and(|of| of.is_tested() || of.compares_live_level())
            };
            let before = (at_once && metrics.iter().any(is_compared)).then(|| enough(policy));
            if metrics.is_empty() && then.is_none() {
                continue;
            }
            let is_same = |of: &&mut Self| of.metrics == metrics && of.then == then;
            if let Some(group) = found.iter_mut().find(is_same) {
                group.phases.push(phase.name);
            } else {
                let phases = vec![phase.name];
                found.push(Self { metrics, phases, everywhere: false, then, before });
            }
        }
        for group in &mut found {
            group.everywhere = group.phases.len() == policy.phases().len();
        }
        found
    }
}

/// Time for as many readings as the phases and the final validation have, with one more at the end
/// of each, in whole minutes.
fn enough(policy: &Policy) -> Span {
    let phases = policy.phases().iter().map(|phase| phase.watch);
    let all = phases.chain([policy.final_validation().watch]);
    let ticks = all.fold(Span::ZERO, |sum, watch| sum + watch + policy.watch().cadence);
    Span::from_millis(ticks.as_millis().next_multiple_of(60_000))
}

fn unjudged_in(phase: &Phase, metrics: &[Metric], at_once: bool) -> Vec<MetricName> {
    // Whatever the live arm will read, a bound on it has a figure.
    let live = (phase.share < Share::ALL).then(|| Judged::exactly(1.0));
    metrics
        .iter()
        .filter(|metric| metric.role == Role::Decide)
        .filter(|metric| {
            // Without a live arm a volume is compared with its own level before, which an earlier
            // phase shows.
            let trails = metric.has_own_level() && !at_once;
            let live = live.or(trails.then_some(Judged::exactly(1.0)));
            !is_judged(metric, live, metric.is_tested())
        })
        .map(|metric| metric.id)
        .collect()
}

impl fmt::Display for Unjudged {
    /// States what is not judged, where, why, and the consequence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place =
            if self.everywhere { "any phase".to_owned() } else { quoted(&self.phases, ", ") };
        if self.metrics.is_empty() {
            let then = self.then.unwrap_or_default();
            return write!(f, "no metric decides in {place}, so {then} there");
        }
        let metrics = quoted(&self.metrics, ", ");
        let bounds = "no bound that has its reference, and no test with a live arm to compare with";
        let so = self.then.unwrap_or("only the other metrics are judged");
        write!(f, "nothing judges {metrics} in {place}: {bounds}, so {so} there")?;
        self.before.map_or(Ok(()), |least| {
            write!(f, " unless the live version is read for at least {least} before the start")
        })
    }
}
