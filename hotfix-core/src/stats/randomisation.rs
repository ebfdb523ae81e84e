//! Randomisation test (mode `randomised`), exact for any noise (`docs/statistics.md`, A5).
//!
//! Where the canary's instances were drawn at random, any other subset of that size could equally
//! have been the canary. If the release changes nothing, the counts do not depend on which subset
//! it is, so the canary's evidence is an ordinary draw among that of all subsets: for any
//! persistence, heavy tail, burst or difference between instances. `N` subsets are drawn, the
//! canary first; at planned interim analyses the largest evidence that has reached `ln(1/α)` is
//! *spent*, up to a budget that grows to `⌊αN⌋`; the release is rolled back when the canary is
//! among the spent subsets. The canary loses ties.
//!
//! **Guaranteed**: chance `⌊αN⌋/N ≤ α` at most of rolling back a release that changes nothing, over
//! all interim analyses together. **Needs** counts of every instance, canary instances drawn
//! uniformly (within zones where zones are given), and about 2,000 possible subsets: 10 of 20
//! instances, or 5 of 50; with few possible subsets the canary ties with copies of itself and
//! loses. **Not** for noise that the canary's zone shares: spread the canary over zones and draw
//! within them. A tolerance above 1 lowers the evidence but not the exact claim: for a ratio
//! between 1 and the tolerance the chance is `α` for independent errors only.

use super::draw::Draws;
use super::grid::{Grid, Hypothesis, losses, share_of_events, usual};
use super::instances::{check_names, places, sum_of};
use super::mixture::SHORT;
use super::numeric::{log_mean_exp, whole};
use super::rate_ratio::{DEFAULT_GRID, DEFAULT_WEIGHTS};
use super::{Counts, Direction, Evidence, MAX_GRID, StatError, Totals, check_version};
use serde::{Deserialize, Serialize};

/// Ticks at which evidence is compared, for a phase of up to 50 minutes in ticks of 10 s.
pub const DEFAULT_LOOKS: [u32; 9] = [3, 6, 12, 18, 30, 60, 120, 210, 300];
/// Parts of the budget that may be spent up to each of them.
pub const DEFAULT_BUDGET: [f64; 9] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0];
/// Evidence that differs by no more is a tie.
const TIE: f64 = 1e-9;
const MOST_SUBSETS: usize = 1_000_000;
const VERSION: u32 = 1;

/// Settings of a randomisation test. See [`RandomisationDesign`] for an example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomisationSettings {
    /// Every instance of the service, in the order in which counts are given.
    pub instances: Vec<String>,
    /// Those that run the new version, drawn at random.
    pub canary: Vec<String>,
    /// Chance of ever rolling back a release that changes nothing.
    #[serde(default = "usual::alpha")]
    pub alpha: f64,
    /// How many subsets are compared, the canary among them.
    #[serde(default = "usual::subsets")]
    pub subsets: usize,
    /// The seed of the draws, at most 2^53; logged with the settings.
    pub seed: u64,
    /// `r0`, at least 1: lowers the evidence, see the module.
    #[serde(default = "usual::one")]
    pub tolerated: f64,
    /// Ratios of the alternatives; None: those of the rate-ratio test.
    pub grid: Option<Vec<f64>>,
    /// Weights of these ratios, as there.
    pub weights: Option<Vec<f64>>,
    /// Ticks at which evidence is compared, ascending. A phase of over 300 ticks needs its own.
    pub evaluations: Option<Vec<u32>>,
    /// Parts of `⌊αN⌋` that may be spent up to each interim analysis, increasing, the last one 1.
    /// None: the default, or equal steps if `evaluations` is given.
    pub budget: Option<Vec<f64>>,
    /// The zones, each as the names of its instances, every instance in one: a subset has as many
    /// instances of each zone as the canary.
    pub zones: Option<Vec<Vec<String>>>,
}

impl RandomisationSettings {
    /// α 0.01, 2,000 subsets, default evaluations, no zones.
    pub fn new(instances: Vec<String>, canary: Vec<String>, seed: u64) -> Self {
        Self {
            instances,
            canary,
            alpha: usual::alpha(),
            subsets: usual::subsets(),
            seed,
            tolerated: usual::one(),
            grid: None,
            weights: None,
            evaluations: None,
            budget: None,
            zones: None,
        }
    }
}

/// The tick of an interim analysis, and how many subsets may be spent up to it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Interim {
    tick: u32,
    budget: usize,
}

/// A checked randomisation with its subsets drawn. Shared by any number of states.
///
/// ```
/// use hotfix_core::stats::randomisation::{Randomisation, RandomisationDesign,
///     RandomisationSettings};
/// use hotfix_core::stats::Counts;
/// let pods: Vec<String> = (0..20).map(|pod| format!("pod-{pod:02}")).collect();
/// let settings = RandomisationSettings::new(pods.clone(), pods[..10].to_vec(), 7);
/// let design = RandomisationDesign::try_new(&settings)?;
/// let mut state = Randomisation::new(&design);
/// // Every canary instance has errors, no other one has.
/// let tick: Vec<Counts> =
///     (0..20).map(|pod| Counts::new(if pod < 10 { 1.0 } else { 0.0 }, 50.0)).collect();
/// for _ in 0..3 {
///     state.update(&design, &tick)?;
/// }
/// let evidence = state.evidence(&design);
/// assert!(evidence.decided && evidence.p_value == 1.0 / 2000.0);
/// # Ok::<(), hotfix_core::stats::StatError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RandomisationDesign {
    instances: Vec<String>,
    /// Places of the members of each subset, one after the other; the canary first.
    members: Vec<u16>,
    /// Instances of a subset.
    size: usize,
    subsets: usize,
    grid: Grid,
    /// `g_j - 1`.
    excess: [f64; MAX_GRID],
    hypothesis: Hypothesis,
    interims: Vec<Interim>,
    id: u32,
}

impl RandomisationDesign {
    /// Checks the settings and draws the subsets.
    ///
    /// # Errors
    /// [`StatError`] if a setting is out of range: alpha, grid, weights,
    /// the number of budgets, tolerated ratio, subsets, seed, interim analyses or budget; for fewer
    /// than two instances, unknown or repeated names, a canary or zone that is empty or contains
    /// all, or `alpha * subsets < 1`.
    pub fn try_new(settings: &RandomisationSettings) -> Result<Self, StatError> {
        let RandomisationSettings { alpha, subsets, tolerated, ref instances, .. } = *settings;
        let hypothesis = Hypothesis::try_new(Direction::Worse, alpha, tolerated, 1.0)?;
        let (ratios, weights) = (settings.grid.as_deref(), settings.weights.as_deref());
        let grid =
            Grid::try_new(Direction::Worse, ratios, weights, (&DEFAULT_GRID, &DEFAULT_WEIGHTS))?;
        check_names(instances, 2)?;
        let figures = [
            ("instances", instances.len(), usize::from(u16::MAX), "at most 65535"),
            ("subsets", subsets, MOST_SUBSETS, "at most 1000000"),
        ];
        for (what, value, most, expected) in figures {
            StatError::unless(value <= most, what, value as f64, expected)?;
        }
        if subsets_in(alpha * subsets as f64) == 0 {
            return Err(StatError::FewSubsets { subsets, alpha });
        }
        let mut canary = places(instances, std::slice::from_ref(&settings.canary))?.concat();
        canary.sort_unstable();
        if canary.is_empty() || canary.len() == instances.len() {
            return Err(StatError::NoComparison { what: "the canary" });
        }
        let mut zones = match &settings.zones {
            Some(zones) => zones_of(instances, zones)?,
            None => vec![(0..instances.len()).collect()],
        };
        let interims = interims(settings)?;

        let mut draws = Draws::try_new(settings.seed)?;
        let quotas: Vec<usize> = zones
            .iter()
            .map(|zone| zone.iter().filter(|place| canary.contains(place)).count())
            .collect();
        let size = canary.len();
        let mut members = Vec::with_capacity(subsets * size);
        // Places fit, as there are at most 65,535 instances.
        let narrow = |place: &usize| u16::try_from(*place).unwrap_or(u16::MAX);
        members.extend(canary.iter().map(narrow));
        for _ in 1..subsets {
            for (zone, quota) in zones.iter_mut().zip(&quotas) {
                members.extend(draws.choose(zone, *quota).iter().map(narrow));
            }
        }
        let of_interims =
            interims.iter().flat_map(|interim| [f64::from(interim.tick), interim.budget as f64]);
        let rest: Vec<f64> = [hypothesis.null_ratio, hypothesis.threshold, size as f64]
            .into_iter()
            .chain(of_interims)
            .chain(members.iter().map(|place| f64::from(*place)))
            .collect();
        let id = grid.fingerprint(4, &rest);
        let excess = grid.excess();
        let instances = instances.clone();
        Ok(Self { instances, members, size, subsets, grid, excess, hypothesis, interims, id })
    }

    /// The instances, in the order in which counts are given.
    pub fn instances(&self) -> &[String] {
        &self.instances
    }

    /// `ln(1/α)`: the least log evidence that can be spent.
    pub fn threshold(&self) -> f64 {
        self.hypothesis.threshold
    }
}

/// The evidence of every subset: some 90 kB for 2,000, so keep one a rollout. Its document holds
/// the evidence of each subset; the subsets themselves follow from the settings.
///
/// See [`RandomisationDesign`] for an example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "SavedState", into = "SavedState")]
pub struct Randomisation {
    /// `l_j` of every subset, in rows of [`SHORT`] or [`MAX_GRID`].
    terms: Vec<f64>,
    spent: Vec<bool>,
    spent_count: usize,
    /// Rank of the canary among the spent subsets, from 1; 0 while it is not spent.
    rank: usize,
    ticks: u32,
    totals: Totals,
    design: u32,
    /// Buffers of an interim analysis: `ln E` of every subset, and their order.
    log_e: Vec<f64>,
    order: Vec<u32>,
}

impl Randomisation {
    /// No data yet.
    pub fn new(design: &RandomisationDesign) -> Self {
        let start = design.grid.start();
        let row = &start[..width(design.grid.len)];
        Self {
            terms: row.repeat(design.subsets),
            spent: vec![false; design.subsets],
            spent_count: 0,
            rank: 0,
            ticks: 0,
            totals: Totals::default(),
            design: design.id,
            log_e: vec![0.0; design.subsets],
            order: Vec::with_capacity(design.subsets),
        }
    }

    /// Checks that this state was made for the design; otherwise it is [`StatError::DesignMismatch`].
    pub fn check(&self, design: &RandomisationDesign) -> Result<(), StatError> {
        let width = width(design.grid.len);
        // A row can hold more terms than the grid has points: the terms in use show the size it was
        // made for.
        let used = self.terms.iter().take(width).take_while(|term| term.is_finite()).count();
        let fits = self.design == design.id
            && self.spent.len() == design.subsets
            && self.terms.len() == design.subsets * width
            && used == design.grid.len;
        if fits { Ok(()) } else { Err(StatError::DesignMismatch) }
    }

    /// Takes in one tick, all instances in the order of the settings, and says whether the canary
    /// has been spent, now or before. An instance without data has zero trials.
    ///
    /// # Errors
    /// The state is unchanged. [`StatError`] for invalid counts, another
    /// design's state, or counts of another number of instances.
    pub fn update(
        &mut self,
        design: &RandomisationDesign,
        counts: &[Counts],
    ) -> Result<bool, StatError> {
        self.check(design)?;
        let all = sum_of(counts, design.instances.len())?;
        self.ticks = self.ticks.saturating_add(1);
        let mut canary = Counts::default();
        for &place in &design.members[..design.size] {
            canary.add(counts[usize::from(place)]);
        }
        let rest = all.without(canary);
        if canary.trials > 0.0 && rest.trials > 0.0 {
            self.totals.add(canary, rest);
        }
        if all.events > 0.0 {
            if design.grid.len <= SHORT {
                advance::<SHORT>(&mut self.terms, design, counts, all);
            } else {
                advance::<MAX_GRID>(&mut self.terms, design, counts, all);
            }
        }
        if let Some(interim) = design.interims.iter().find(|interim| interim.tick == self.ticks) {
            self.spend(design, interim.budget);
        }
        Ok(self.rank > 0)
    }

    /// Whether a further interim analysis can spend evidence.
    pub(crate) fn has_looks_left(&self, design: &RandomisationDesign) -> bool {
        design.interims.iter().any(|interim| interim.tick > self.ticks)
    }

    /// Spends the largest evidence that has reached the threshold, up to the budget.
    fn spend(&mut self, design: &RandomisationDesign, budget: usize) {
        let Some(left) = budget.checked_sub(self.spent_count).filter(|left| *left > 0) else {
            return;
        };
        let width = width(design.grid.len);
        for (log_e, terms) in self.log_e.iter_mut().zip(self.terms.chunks_exact(width)) {
            *log_e = of_terms(design, terms);
        }
        let (log_e, spent) = (&self.log_e, &mut self.spent);
        let candidate = |subset: usize| !spent[subset] && log_e[subset] >= design.threshold();
        let is_candidate = candidate(0);
        self.order.clear();
        // At most a million subsets: their numbers fit.
        let others = (1..log_e.len()).filter(|subset| candidate(*subset));
        self.order.extend(others.filter_map(|subset| u32::try_from(subset).ok()));
        let of = |subset: u32| log_e[subset as usize];
        self.order.sort_unstable_by(|a, b| of(*b).total_cmp(&of(*a)).then(a.cmp(b)));
        let ahead = self.order.iter().take_while(|other| of(**other) >= log_e[0] - TIE).count();
        let mut left = left;
        if is_candidate && ahead < left {
            spent[0] = true;
            self.rank = self.spent_count + ahead + 1;
            self.spent_count += 1;
            left -= 1;
        }
        for other in self.order.iter().take(left) {
            spent[*other as usize] = true;
            self.spent_count += 1;
        }
    }

    /// The canary's log evidence; 0 without data.
    pub fn log_e(&self, design: &RandomisationDesign) -> f64 {
        let width = width(design.grid.len);
        self.terms.get(..width).map_or(0.0, |terms| of_terms(design, terms))
    }

    /// Rank of the canary among the spent subsets, over the number of subsets; 1 while it is not
    /// spent.
    ///
    /// The order in which subsets are spent does not depend on which one is the canary, except that
    /// it loses ties. So under 'no effect' the canary is among the first `s` of `N` with chance
    /// `s/N` at most: valid at every interim analysis, and at most `α` once it is spent.
    pub fn p_value(&self) -> f64 {
        if self.rank > 0 { self.rank as f64 / self.spent.len() as f64 } else { 1.0 }
    }

    /// Whether the canary has been spent: roll back.
    pub fn decided(&self) -> bool {
        self.rank > 0
    }

    /// Ticks so far, with data or without.
    pub fn ticks(&self) -> u32 {
        self.ticks
    }

    /// What a verdict reports.
    pub fn evidence(&self, design: &RandomisationDesign) -> Evidence {
        Evidence {
            log_e: self.log_e(design),
            p_value: self.p_value(),
            ratio: self.totals.ratio(),
            decided: self.decided(),
        }
    }
}

/// Number of subsets of `size` among `of` instances; stops counting above `enough`.
pub(crate) fn choices(of: usize, size: usize, enough: f64) -> f64 {
    let mut count = 1.0;
    for drawn in 0..size.min(of.saturating_sub(size)) {
        count *= (of - drawn) as f64 / (drawn + 1) as f64;
        if count > enough {
            break;
        }
    }
    count
}

/// Length of a subset's row of terms.
fn width(len: usize) -> usize {
    if len <= SHORT { SHORT } else { MAX_GRID }
}

fn of_terms(design: &RandomisationDesign, terms: &[f64]) -> f64 {
    let weight = &design.grid.weight;
    if let [a, b, c, d] = *terms {
        log_mean_exp(&[a, b, c, d], &[weight[0], weight[1], weight[2], weight[3]])
    } else {
        let mut row = [f64::NEG_INFINITY; MAX_GRID];
        row.copy_from_slice(terms);
        log_mean_exp(&row, weight)
    }
}

/// Adds a tick's gain to every subset as if it were the canary.
///
/// The gain depends on the subset's own share of the trials in this very tick, so it cannot be had
/// from totals: two sums over the members and as many logarithms as the grid has points, each tick.
fn advance<const N: usize>(
    terms: &mut [f64],
    design: &RandomisationDesign,
    counts: &[Counts],
    all: Counts,
) {
    let null_ratio = design.hypothesis.null_ratio;
    let rows = terms.as_chunks_mut::<N>().0;
    for (row, members) in rows.iter_mut().zip(design.members.chunks_exact(design.size)) {
        let mut canary = Counts::default();
        for &place in members {
            canary.add(counts[usize::from(place)]);
        }
        let rest = all.without(canary).trials;
        if canary.trials == 0.0 || rest == 0.0 {
            continue;
        }
        let share = share_of_events(null_ratio, canary.trials, rest);
        let losses = losses::<N>(&design.excess, share);
        for (j, term) in row.iter_mut().enumerate() {
            *term += canary.events * design.grid.ln_ratio[j] - all.events * losses[j];
        }
    }
}

/// The product rounded down to whole subsets, with slack for its rounding error.
fn subsets_in(product: f64) -> usize {
    whole(product * (1.0 + 1e-12))
}

fn interims(settings: &RandomisationSettings) -> Result<Vec<Interim>, StatError> {
    let ticks = settings.evaluations.as_deref().unwrap_or(&DEFAULT_LOOKS);
    let even: Vec<f64> = (1..=ticks.len()).map(|at| at as f64 / ticks.len() as f64).collect();
    let parts = match (&settings.budget, &settings.evaluations) {
        (Some(parts), _) => parts.as_slice(),
        (None, None) => &DEFAULT_BUDGET,
        (None, Some(_)) => &even,
    };
    if parts.len() != ticks.len() {
        return Err(StatError::WeightCount { weights: parts.len(), items: ticks.len() });
    }
    let mut before = (0, 0.0);
    for (&tick, &part) in ticks.iter().zip(parts) {
        let expected = "ticks from 1 on that grow";
        StatError::unless(tick > before.0, "interim analysis", f64::from(tick), expected)?;
        let grows = part >= before.1 && part > 0.0 && part <= 1.0;
        StatError::unless(grows, "budget", part, "parts above 0 that grow to 1")?;
        before = (tick, part);
    }
    let expected = "at least one interim analysis, and 1 as the last part";
    StatError::unless(before.1 == 1.0, "budget", before.1, expected)?;
    let most = settings.alpha * settings.subsets as f64;
    let interim = |(&tick, &part): (&u32, &f64)| Interim { tick, budget: subsets_in(most * part) };
    Ok(ticks.iter().zip(parts).map(interim).collect())
}

/// Places of each zone's instances; every instance is in one.
fn zones_of(instances: &[String], zones: &[Vec<String>]) -> Result<Vec<Vec<usize>>, StatError> {
    let mut zones = places(instances, zones)?;
    for zone in &mut zones {
        zone.sort_unstable();
    }
    let mut named = zones.concat();
    named.sort_unstable();
    if let Some(missing) = (0..instances.len()).find(|place| named.get(*place) != Some(place)) {
        return Err(StatError::UnknownInstance { instance: instances[missing].clone() });
    }
    Ok(zones)
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedState {
    version: u32,
    design: u32,
    ticks: u32,
    totals: Totals,
    /// Terms in use of every subset.
    terms: Vec<Vec<f64>>,
    /// Numbers of the spent subsets.
    spent: Vec<usize>,
    rank: usize,
}

impl From<Randomisation> for SavedState {
    fn from(state: Randomisation) -> Self {
        let width = state.terms.len() / state.spent.len().max(1);
        let used = |row: &[f64]| row.iter().copied().take_while(|term| term.is_finite()).collect();
        Self {
            version: VERSION,
            design: state.design,
            ticks: state.ticks,
            totals: state.totals,
            terms: state.terms.chunks(width.max(1)).map(used).collect(),
            spent: (0..state.spent.len()).filter(|subset| state.spent[*subset]).collect(),
            rank: state.rank,
        }
    }
}

impl TryFrom<SavedState> for Randomisation {
    type Error = StatError;

    fn try_from(read: SavedState) -> Result<Self, StatError> {
        check_version(read.version, VERSION)?;
        read.totals.check()?;
        let bad = |what| StatError::BadState { what };
        let (subsets, len) = (read.terms.len(), read.terms.first().map_or(0, Vec::len));
        let finite = |row: &Vec<f64>| row.len() == len && row.iter().all(|term| term.is_finite());
        if len == 0 || len > MAX_GRID || subsets > MOST_SUBSETS || !read.terms.iter().all(finite) {
            return Err(bad("terms"));
        }
        let mut spent = vec![false; subsets];
        for &subset in &read.spent {
            let slot =
                spent.get_mut(subset).filter(|spent| !**spent).ok_or(bad("spent subsets"))?;
            *slot = true;
        }
        if read.rank > read.spent.len() || (read.rank > 0) != spent[0] {
            return Err(bad("rank"));
        }
        let pad = vec![f64::NEG_INFINITY; width(len) - len];
        let rows = read.terms.iter().flat_map(|row| row.iter().chain(&pad).copied());
        Ok(Self {
            terms: rows.collect(),
            spent_count: read.spent.len(),
            spent,
            rank: read.rank,
            ticks: read.ticks,
            totals: read.totals,
            design: read.design,
            log_e: vec![0.0; subsets],
            order: Vec::with_capacity(subsets),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_2_choices_are_counted() {
        assert_eq!(choices(20, 2, 1e9), 190.0);
        assert_eq!(choices(20, 18, 1e9), 190.0);
        assert_eq!(choices(5, 5, 1e9), 1.0);
        assert!((choices(20, 10, 1e9) - 184_756.0).abs() < 1e-6);
        assert!(choices(50, 48, 1_000.0) > 1_000.0 && choices(400, 200, 1e4) > 1e4);
    }
}
