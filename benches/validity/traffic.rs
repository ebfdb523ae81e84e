//! Two arms with independent errors, as the proofs assume.

use std::collections::BTreeMap;

use hotfix_core::stats::Counts;

use crate::random::{Random, Table};

/// Ticks per minute.
pub(crate) const TICKS_A_MINUTE: f64 = 6.0;
/// Ticks of a planned phase: 50 minutes.
pub(crate) const PLANNED: u32 = 300;

/// Counts of one tick.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tick {
    /// From 1 on.
    pub(crate) at: u32,
    pub(crate) canary: Counts,
    pub(crate) baseline: Counts,
}

/// Canary's share of the requests.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Split {
    Fixed(f64),
    /// A third of the plan each; the last step leaves this share for the baseline.
    Ramp {
        hold_back: f64,
    },
}

/// Canary's error rate over the baseline's.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Effect {
    Ratio(f64),
    /// None up to a tick, this ratio after it.
    From {
        after: u32,
        ratio: f64,
    },
    /// From 1 to this ratio over the plan, evenly.
    Leak {
        to: f64,
    },
}

/// Conditions that both arms share.
#[derive(Clone, Copy, Debug)]
pub(crate) enum World {
    Steady,
    /// Ten times the errors in both arms for three minutes.
    Shock,
    /// A day in the length of the plan: the base rate between a third and three times, requests
    /// between half and one and a half times their mean, at different hours.
    Day,
}

/// Both arms' traffic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traffic {
    pub(crate) per_minute: f64,
    pub(crate) base: f64,
    pub(crate) split: Split,
    pub(crate) effect: Effect,
    pub(crate) world: World,
}

impl Traffic {
    /// 1,000 requests a minute, 0.3% errors, nothing wrong.
    pub(crate) const fn usual(share: f64) -> Self {
        Self {
            per_minute: 1_000.0,
            base: 0.003,
            split: Split::Fixed(share),
            effect: Effect::Ratio(1.0),
            world: World::Steady,
        }
    }

    pub(crate) const fn with(self, effect: Effect) -> Self {
        Self { effect, ..self }
    }

    pub(crate) const fn ratio(self, ratio: f64) -> Self {
        self.with(Effect::Ratio(ratio))
    }

    pub(crate) const fn base(self, base: f64) -> Self {
        Self { base, ..self }
    }

    pub(crate) const fn per_minute(self, per_minute: f64) -> Self {
        Self { per_minute, ..self }
    }

    pub(crate) const fn split(self, split: Split) -> Self {
        Self { split, ..self }
    }

    pub(crate) const fn world(self, world: World) -> Self {
        Self { world, ..self }
    }

    /// Canary's share at tick `at`.
    pub(crate) fn share(&self, at: u32) -> f64 {
        match self.split {
            Split::Fixed(share) => share,
            Split::Ramp { .. } if at <= PLANNED / 3 => 0.1,
            Split::Ramp { .. } if at <= 2 * PLANNED / 3 => 0.5,
            Split::Ramp { hold_back } => 1.0 - hold_back,
        }
    }

    /// Canary's error rate over the baseline's at tick `at`.
    pub(crate) fn effect_at(&self, at: u32) -> f64 {
        match self.effect {
            Effect::Ratio(ratio) => ratio,
            Effect::From { after, ratio } => {
                if at > after {
                    ratio
                } else {
                    1.0
                }
            }
            Effect::Leak { to } => 1.0 + (to - 1.0) * (f64::from(at) / f64::from(PLANNED)).min(1.0),
        }
    }

    /// Ratio and share, where no tick differs from another.
    pub(crate) fn steady_ratio_and_share(&self) -> Option<(f64, f64)> {
        match (self.effect, self.split) {
            (Effect::Ratio(ratio), Split::Fixed(share)) if self.is_constant() => {
                Some((ratio, share))
            }
            _ => None,
        }
    }

    /// Whether no tick of the plan differs from another.
    fn is_constant(&self) -> bool {
        matches!(
            (self.split, self.effect, self.world),
            (Split::Fixed(_), Effect::Ratio(_), World::Steady)
        )
    }

    /// Mean errors and other requests of the canary and of the baseline at tick `at`.
    fn means(&self, at: u32) -> [f64; 4] {
        let turn = f64::from(at) / f64::from(PLANNED) * std::f64::consts::TAU;
        let (base, requests) = match self.world {
            World::Shock if (100..118).contains(&at) => (10.0 * self.base, 1.0),
            World::Steady | World::Shock => (self.base, 1.0),
            World::Day => (self.base * 3.0_f64.powf(turn.sin()), 1.0 + 0.5 * (turn + 1.0).sin()),
        };
        let requests = requests * self.per_minute / TICKS_A_MINUTE;
        let share = self.share(at);
        let (canary, baseline) = (requests * share, requests * (1.0 - share));
        let rate = (base * self.effect_at(at)).min(1.0);
        [canary * rate, canary * (1.0 - rate), baseline * base, baseline * (1.0 - base)]
    }
}

/// Traffic with its tables: a Poisson number of requests an arm, each an error independently, which
/// is two independent Poisson counts.
pub(crate) struct Arms {
    /// Tables of each tick; the last holds for all later ones.
    schedule: Vec<[usize; 4]>,
    tables: Vec<Table>,
}

impl Arms {
    pub(crate) fn new(traffic: &Traffic) -> Self {
        let ticks = if traffic.is_constant() { 1 } else { PLANNED };
        let mut tables = Vec::new();
        let mut known = BTreeMap::new();
        let schedule = (1..=ticks)
            .map(|at| {
                traffic.means(at).map(|mean| {
                    *known.entry(mean.to_bits()).or_insert_with(|| {
                        tables.push(Table::poisson(mean));
                        tables.len() - 1
                    })
                })
            })
            .collect();
        Self { schedule, tables }
    }

    /// The counts of tick `at`, from 1 on.
    pub(crate) fn tick(&self, at: u32, random: &mut Random) -> Tick {
        let tables = self.schedule[(at as usize - 1).min(self.schedule.len() - 1)];
        let [bad_c, good_c, bad_b, good_b] = tables.map(|table| self.tables[table].sample(random));
        let (canary, baseline) =
            (Counts::new(bad_c, bad_c + good_c), Counts::new(bad_b, bad_b + good_b));
        Tick { at, canary, baseline }
    }
}
