//! The distribution of response times: log-normal, with a part that faults make slower.

use crate::metric::{Histogram, Sample};
use crate::stats::numeric::normal_cdf;

use super::healthy_service::HealthyService;
use super::random::Draws;

/// The distribution of one arm's latencies, as last computed.
#[derive(Clone, Debug, Default)]
pub(super) struct LatencyLaw {
    /// Shares of the requests with their slowdown factors.
    parts: Vec<(f64, f64)>,
    /// The parts of which the cells were computed.
    computed_of: Vec<(f64, f64)>,
    /// By boundary: of the requests above the one before, the share at or below it.
    cells: Vec<f64>,
}

impl LatencyLaw {
    /// Makes all requests slower by a factor.
    pub(super) fn begin(&mut self, times: f64) {
        self.parts.clear();
        self.parts.push((1.0, times));
    }

    /// Makes a share of them slower.
    pub(super) fn slow(&mut self, hit: f64, times: f64) {
        for part in 0..self.parts.len() {
            let (weight, slower) = self.parts[part];
            self.parts[part].0 = weight * (1.0 - hit);
            self.parts.push((weight * hit, slower * times));
        }
        self.parts.retain(|part| part.0 > 0.0);
    }

    /// Computes the cells if the distribution changed.
    pub(super) fn compute_cells(&mut self, health: &HealthyService) {
        if self.parts == self.computed_of && !self.cells.is_empty() {
            return;
        }
        self.computed_of.clone_from(&self.parts);
        self.cells.clear();
        let mut above = 1.0;
        for edge in &health.edges {
            let share_below = |&(weight, times): &(f64, f64)| {
                let distance = libm::log(edge / (health.base * times));
                weight * normal_cdf(distance / health.spread.max(1e-6))
            };
            let below: f64 = self.parts.iter().map(share_below).sum();
            let cell = if above > 0.0 { (below - (1.0 - above)) / above } else { 0.0 };
            self.cells.push(cell.clamp(0.0, 1.0));
            above = 1.0 - below;
        }
    }

    /// Draws so many requests into a histogram, whose memory is reused.
    pub(super) fn draw(
        &self,
        health: &HealthyService,
        requests: f64,
        draws: &mut Draws,
        sample: &mut Option<Sample>,
    ) {
        if !matches!(sample, Some(Sample::Histogram(_))) {
            let le = health.edges.clone();
            let counts = vec![0.0; le.len()];
            *sample = Some(Sample::Histogram(Histogram { count: 0.0, counts, le }));
        }
        let Some(Sample::Histogram(histogram)) = sample else { return };
        let (mut below, mut left) = (0.0, requests);
        histogram.count = requests;
        for (count, cell) in histogram.counts.iter_mut().zip(&self.cells) {
            let here = draws.binomial(left, *cell);
            below += here;
            left -= here;
            *count = below;
        }
    }
}
