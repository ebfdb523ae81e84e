//! What a verdict calls for, and why.

use crate::grade::Response;
use crate::unit::MetricName;

use super::{Cause, Reason};

/// The most severe response so far, and its causes by severity.
pub(super) struct Call<'a> {
    worst: Response,
    causes: &'a mut Vec<Cause>,
    /// Number of causes for each response.
    calls: [usize; Response::ALL.len()],
}

impl<'a> Call<'a> {
    /// Nothing is called for. `causes`: an empty list, which receives them.
    pub(super) const fn new(causes: &'a mut Vec<Cause>) -> Self {
        Self { worst: Response::Continue, causes, calls: [0; Response::ALL.len()] }
    }

    pub(super) fn raise(&mut self, response: Response, reason: Reason, metric: Option<MetricName>) {
        self.raise_cause(response, Cause::new(reason, metric, None));
    }

    /// Raises a response. A cause that is there already takes the more severe place of the two.
    pub(super) fn raise_cause(&mut self, response: Response, cause: Cause) {
        if response == Response::Continue {
            return;
        }
        self.worst = self.worst.max(response);
        // After causes of the same severity, before milder ones.
        let place = self.above(response as usize);
        match self.causes.iter().position(|known| *known == cause) {
            Some(known) if known < place => return,
            Some(known) => {
                let mut milder = (0..response as usize).rev();
                if let Some(level) = milder.find(|level| known < self.above(*level)) {
                    self.calls[level] -= 1;
                }
                self.causes[place..=known].rotate_right(1);
            }
            None => self.causes.insert(place, cause),
        }
        self.calls[response as usize] += 1;
    }

    /// Number of causes of at least this severity.
    fn above(&self, level: usize) -> usize {
        self.calls[level..].iter().sum()
    }

    pub(super) const fn worst(&self) -> Response {
        self.worst
    }

    /// Number of the causes, the first ones, that lead to the most severe response.
    pub(super) const fn leading(&self) -> usize {
        self.calls[self.worst as usize]
    }

    /// Whether a cause for a rollback was raised already.
    pub(super) fn rolls_back(&self) -> bool {
        self.worst == Response::RollBack
    }

    /// Whether this reason was raised for any metric.
    pub(super) fn has(&self, reason: Reason) -> bool {
        self.causes.iter().any(|cause| cause.reason == reason)
    }
}
