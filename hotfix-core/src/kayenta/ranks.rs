//! The rank-sum statistic of two samples as a function of the shift between them.

/// Points of one value.
#[derive(Clone, Copy, Debug)]
struct Run {
    value: f64,
    points: usize,
}

/// A shift that was evaluated without a tie between the samples, and the number of wins there.
#[derive(Clone, Copy, Debug)]
struct Seen {
    shift: f64,
    wins: f64,
}

/// Two samples in ascending order, with the results at earlier shifts. A root finder asks for
/// nearby shifts, at which few points have moved: an evaluation costs one or two comparisons for
/// each value. Each pair of points wins, ties or loses, and never wins back as the shift grows; so
/// between two shifts with the same wins every pair is unchanged, and nothing has to be compared.
#[derive(Debug)]
pub(super) struct Ranks {
    x: Vec<Run>,
    /// The second sample between two infinities, so that no place needs a bound.
    y: Vec<f64>,
    /// Where each value of the first sample lay in the second at the last shift.
    places: Vec<usize>,
    /// In ascending order of the shift.
    seen: Vec<Seen>,
    /// Whether no shift that is asked for can swallow a difference inside the first sample.
    distinct: bool,
    points: f64,
    /// `Σ (t³ - t)` over ties inside either sample.
    inner_ties: f64,
}

/// `t³ - t`, exact up to two hundred thousand ties.
fn tie_term(tied: usize) -> f64 {
    let t = tied as f64;
    t * t * t - t
}

/// `Σ (t³ - t)` over runs of equal numbers.
fn ties(sorted: &[f64]) -> f64 {
    sorted.chunk_by(|a, b| a == b).map(|run| tie_term(run.len())).sum()
}

impl Ranks {
    /// Both samples ascending, finite and not empty.
    pub(super) fn new(x: &[f64], y: &[f64]) -> Self {
        let runs = x.chunk_by(|a, b| a == b);
        let runs: Vec<Run> = runs.map(|run| Run { value: run[0], points: run.len() }).collect();
        let ends = [x.first(), x.last(), y.first(), y.last()];
        let largest = ends.into_iter().flatten().fold(0.0, |most: f64, end| most.max(end.abs()));
        // A shift is at most twice the largest value; subtracting it rounds by half a unit of three
        // times that.
        let unit = 8.0 * f64::EPSILON * largest;
        Self {
            places: vec![0; runs.len()],
            seen: Vec::with_capacity(64),
            distinct: runs.windows(2).all(|pair| pair[1].value - pair[0].value > unit),
            points: x.len() as f64,
            inner_ties: ties(x) + ties(y),
            x: runs,
            y: [&[f64::NEG_INFINITY], y, &[f64::INFINITY]].concat(),
        }
    }

    fn sizes(&self) -> (f64, f64) {
        (self.points, (self.y.len() - 2) as f64)
    }

    /// How often a point of the first sample lies above one of the second; half where they are
    /// equal.
    pub(super) fn wins(&mut self) -> f64 {
        self.look(0.0).0
    }

    /// The standardised rank-sum statistic of the first sample less `shift` against the second,
    /// with the corrections for ties and continuity; `None` where all points are tied and it has no
    /// spread.
    pub(super) fn statistic(&mut self, shift: f64) -> Option<f64> {
        let (wins, ties) = self.look(shift);
        let (n, m) = self.sizes();
        let excess = wins - n * m / 2.0;
        let correction = 0.5 * (f64::from(excess > 0.0) - f64::from(excess < 0.0));
        let deviation = deviation(n, m, ties);
        (deviation > 0.0).then(|| (excess - correction) / deviation)
    }

    /// Standard deviation of the rank sum at a shift that ties no two points of different samples.
    pub(super) fn deviation(&self) -> f64 {
        let (n, m) = self.sizes();
        deviation(n, m, self.inner_ties)
    }

    /// Wins and `Σ (t³ - t)` at a shift.
    fn look(&mut self, shift: f64) -> (f64, f64) {
        if !self.distinct {
            return self.look_at_ties(shift);
        }
        let after = self.seen.partition_point(|seen| seen.shift < shift);
        if after > 0
            && let (Some(above), Some(below)) = (self.seen.get(after), self.seen.get(after - 1))
            && above.wins == below.wins
        {
            return (above.wins, self.inner_ties);
        }
        let (mut below, mut across) = (0, false);
        for (run, place) in self.x.iter().zip(&mut self.places) {
            let shifted = run.value - shift;
            let mut at = *place;
            if !(self.y[at] < shifted && shifted <= self.y[at + 1]) {
                at = self.y.partition_point(|&y| y < shifted).saturating_sub(1);
                at = at.min(self.y.len() - 2);
                *place = at;
            }
            below += at * run.points;
            across |= self.y[at + 1] == shifted;
        }
        if across {
            return self.look_at_ties(shift);
        }
        let wins = below as f64;
        self.seen.insert(after, Seen { shift, wins });
        (wins, self.inner_ties)
    }

    /// [`look`](Self::look) where points of different samples meet, or the shift may make points of
    /// one sample equal.
    fn look_at_ties(&self, shift: f64) -> (f64, f64) {
        let y = &self.y[1..self.y.len() - 1];
        let (mut wins, mut ties, mut at) = (0.0, ties(y), 0);
        for met in self.x.chunk_by(|a, b| a.value - shift == b.value - shift) {
            let shifted = met[0].value - shift;
            while at < y.len() && y[at] < shifted {
                at += 1;
            }
            let points: usize = met.iter().map(|run| run.points).sum();
            let equal = y[at..].iter().take_while(|y| **y == shifted).count();
            wins += points as f64 * (at as f64 + 0.5 * equal as f64);
            ties += tie_term(points + equal) - tie_term(equal);
        }
        (wins, ties)
    }
}

/// Standard deviation of the rank sum of `n` points among `m` others with `Σ (t³ - t) = ties`.
fn deviation(n: f64, m: f64, ties: f64) -> f64 {
    ((n * m / 12.0) * ((n + m + 1.0) - ties / ((n + m) * (n + m - 1.0)))).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Midranks by counting, point by point.
    fn slow(x: &[f64], y: &[f64], shift: f64) -> Option<f64> {
        let (n, m) = (x.len() as f64, y.len() as f64);
        let all: Vec<f64> = x.iter().map(|x| x - shift).chain(y.iter().copied()).collect();
        let rank = |of: f64| {
            let below = all.iter().filter(|v| **v < of).count() as f64;
            let equal = all.iter().filter(|v| **v == of).count() as f64;
            (below + 0.5 * equal + 0.5, equal)
        };
        let sum: f64 = all[..x.len()].iter().map(|v| rank(*v).0).sum();
        // Each of `t` tied points contributes t² - 1.
        let ties: f64 = all.iter().map(|v| rank(*v).1.powi(2) - 1.0).sum();
        let excess = sum - n * (n + 1.0) / 2.0 - n * m / 2.0;
        let corrected = if excess == 0.0 { 0.0 } else { excess - 0.5 * excess.signum() };
        let deviation = deviation(n, m, ties);
        (deviation > 0.0).then(|| corrected / deviation)
    }

    #[test]
    fn stat_1_the_statistic_is_that_of_counted_midranks() {
        let x = [-3.0, 0.0, 0.0, 0.25, 1.0, 1.0, 1.0, 7.5];
        let y = [-2.0, 0.0, 0.5, 0.5, 1.0, 6.0];
        let mut ranks = Ranks::new(&x, &y);
        for shift in [0.0, 9.5, -9.0, 0.5, 0.5, -1.0, 1.5, 3.0, 2.999, 2.998, 2.9985, 2.7, 4.0, 0.0]
        {
            assert_eq!(ranks.statistic(shift), slow(&x, &y, shift), "shift {shift}");
        }
        let mut ranks = Ranks::new(&x, &y);
        let counted: f64 = x
            .iter()
            .flat_map(|x| y.iter().map(move |y| f64::from(x > y) + 0.5 * f64::from(x == y)))
            .sum();
        assert_eq!(ranks.wins(), counted);
    }

    #[test]
    fn stat_1_points_that_a_shift_makes_equal_are_ties() {
        let (x, y) = ([0.0, 1e-16, 1.0], [-1.0, 2.0, 5.0]);
        let mut ranks = Ranks::new(&x, &y);
        for shift in [0.0, -1.0, 2.0, 1e-17] {
            assert_eq!(ranks.statistic(shift), slow(&x, &y, shift), "shift {shift}");
        }
    }

    #[test]
    fn stat_1_all_tied_has_no_statistic() {
        assert_eq!(Ranks::new(&[2.0, 2.0], &[1.0]).statistic(1.0), None);
    }
}
