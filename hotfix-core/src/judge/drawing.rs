//! Draws the choices of instances with which the canary's are compared, and plans the interim
//! analyses of a phase.

use crate::stats::numeric::whole;
use crate::stats::randomisation::{
    DEFAULT_BUDGET, DEFAULT_LOOKS, RandomisationDesign, RandomisationSettings, choices,
};

/// The least number of possible subsets, as a multiple of `1/α`: copies of the canary among the
/// drawn subsets tie with it, and it loses ties. With this factor they use a quarter of the budget.
const ROOM: f64 = 4.0;
/// Subsets to draw, as a multiple of `1/α`, within these limits.
const DRAWN: f64 = 20.0;
const FEWEST_DRAWN: f64 = 2_000.0;
const MOST_DRAWN: f64 = 10_000.0;

/// Settings of the comparison of the canary's instances with other choices of as many.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Drawing {
    /// The metric's share of the error probability, in one phase.
    pub(super) alpha: f64,
    pub(super) seed: u64,
    /// How many ticks each phase may take; None where it spends nothing on this.
    pub(super) ticks: Vec<Option<u32>>,
}

impl Drawing {
    /// Whether a phase spends anything on this.
    pub(super) fn draws(&self, phase: usize) -> bool {
        self.ticks.get(phase).copied().flatten().is_some()
    }

    /// The comparison of these instances; None if there are too few possible choices.
    pub(super) fn draw(
        &self,
        phase: usize,
        tolerated: f64,
        instances: Vec<String>,
        canary: Vec<String>,
    ) -> Option<RandomisationDesign> {
        let ticks = self.ticks.get(phase).copied().flatten()?;
        let enough = ROOM / self.alpha;
        if choices(instances.len(), canary.len(), enough) < enough {
            return None;
        }
        let (looks, budget) = interim_analyses(ticks);
        let subsets = (DRAWN / self.alpha).clamp(FEWEST_DRAWN, MOST_DRAWN);
        let settings = RandomisationSettings {
            alpha: self.alpha,
            subsets: whole(subsets.ceil()),
            tolerated,
            evaluations: Some(looks),
            budget: Some(budget),
            ..RandomisationSettings::new(instances, canary, self.seed)
        };
        RandomisationDesign::try_new(&settings).ok()
    }
}

/// Interim analyses of a phase: their ticks, and the part of the budget that may be spent by then.
/// The default's analyses within the phase, beyond them at twice the tick each time, and the
/// phase's last tick with all of it.
fn interim_analyses(ticks: u32) -> (Vec<u32>, Vec<f64>) {
    let within = DEFAULT_LOOKS.iter().zip(DEFAULT_BUDGET).take_while(|(look, _)| **look < ticks);
    let (mut looks, mut budget): (Vec<u32>, Vec<f64>) =
        within.map(|(look, part)| (*look, part)).unzip();
    // The default spends all of it by its last analysis; a longer phase keeps a part for later
    // ones.
    let before = DEFAULT_BUDGET.len() - 1;
    let late_from = looks.len().min(before);
    budget.truncate(late_from);
    let mut late = looks.get(before).copied();
    while let Some(look) = late.and_then(|look| look.checked_mul(2)).filter(|look| *look < ticks) {
        looks.push(look);
        late = Some(look);
    }
    looks.push(ticks.max(1));
    let spent = budget.last().copied().unwrap_or(0.0);
    let left = looks.len() - late_from;
    let part = |n: usize| spent + (1.0 - spent) * (n as f64 / left as f64);
    budget.extend((1..=left).map(|n| if n == left { 1.0 } else { part(n) }));
    (looks, budget)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_2_looks_fit_the_phase_and_spend_all_of_the_budget() {
        let (of_short, budget) = interim_analyses(60);
        assert_eq!(of_short, [3, 6, 12, 18, 30, 60]);
        assert_eq!(budget, [0.1, 0.2, 0.3, 0.4, 0.5, 1.0]);
        assert_eq!(interim_analyses(300).0, DEFAULT_LOOKS);
        assert_eq!(interim_analyses(300).1, DEFAULT_BUDGET);
        let (of_long, budget) = interim_analyses(1_500);
        assert_eq!(of_long, [3, 6, 12, 18, 30, 60, 120, 210, 300, 600, 1_200, 1_500]);
        assert!(budget.is_sorted() && budget[7] == 0.85 && budget[8] < 1.0 && budget[11] == 1.0);
        assert_eq!(interim_analyses(1), (vec![1], vec![1.0]));
        for ticks in 1..2_000 {
            let (looks, budget) = interim_analyses(ticks);
            assert!(looks.len() == budget.len() && looks.is_sorted_by(|a, b| a < b), "{ticks}");
        }
    }
}
