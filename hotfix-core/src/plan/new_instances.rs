//! How much worse the canary may be while its instances are new.

use crate::policy::section::NewInstances;
use crate::stats::numeric::{exp, ln};

impl NewInstances {
    /// An excess below this is left out.
    const LEAST_EXCESS: f64 = 0.05;

    /// How many times as bad as tolerated the canary may be so many seconds after a phase began; at
    /// least 1.
    ///
    /// ```
    /// use hotfix_core::policy::Policy;
    /// let policy = Policy::preset("standard").unwrap();
    /// let new = policy.watch().new_instances.unwrap();
    /// assert_eq!(new.allowed(0.0), 40.0);
    /// assert!((new.allowed(30.0) - 6.28).abs() < 0.01);
    /// assert_eq!(new.allowed(300.0), 1.0);
    /// ```
    #[inline]
    pub fn allowed(&self, seconds: f64) -> f64 {
        let (most, decays) = (self.ratio.value() - 1.0, seconds / self.decay.as_seconds());
        // Some minutes after the start no exponential is needed: e^x is at least (1 + x/8)^8.
        let at_least = (1.0 + decays / 8.0).powi(8);
        if decays > 1.0 && most < 0.9 * Self::LEAST_EXCESS * at_least {
            return 1.0;
        }
        let excess = most * exp(-decays);
        if excess < Self::LEAST_EXCESS { 1.0 } else { 1.0 + excess }
    }

    /// The part of a tick's evidence that counts so many seconds after a phase began, for a fault
    /// of this ratio: its expected log-likelihood ratio against the null hypothesis of that moment
    /// (`allowed`), over that against `tolerated` alone. `share`: the canary's.
    pub(crate) fn counts(&self, seconds: f64, ratio: f64, tolerated: f64, share: f64) -> f64 {
        let allowed = self.allowed(seconds) * tolerated;
        if allowed == tolerated || ratio <= tolerated {
            return 1.0;
        }
        let of_events = |ratio: f64| ratio * share / (ratio * share + 1.0 - share);
        let (seen, then, later) = (of_events(ratio), of_events(allowed), of_events(tolerated));
        let brings =
            |null: f64| seen * ln(seen / null) + (1.0 - seen) * ln((1.0 - seen) / (1.0 - null));
        if ratio > allowed { brings(then) / brings(later) } else { 0.0 }
    }
}
