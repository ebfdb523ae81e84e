//! Faults of bounds, phases and statistics.

use super::super::finding::Level;
use super::super::words::{chance, time};
use crate::metric::Unjudged;
use crate::unit::{MetricName, Name, PhaseName, Share, Span};

/// How likely a healthy release is to miss a criterion in one phase.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PhaseChance {
    /// The phase.
    pub phase: PhaseName,
    /// Bad events that are to be expected of it.
    pub expected: f64,
    /// The chance to miss, 0 to 1.
    pub missed: f64,
}

fn by_phase(phases: &[PhaseChance]) -> String {
    let told = |phase: &PhaseChance| {
        let (expected, missed) = ((phase.expected * 100.0).round() / 100.0, chance(phase.missed));
        format!("{missed} in `{}`, where {expected} are expected", phase.phase)
    };
    phases.iter().map(told).collect::<Vec<_>>().join("; ")
}

faults! {
    /// What the linter may find in bounds, phases and statistics.
    FigureFault

    /// Two bounds stand so that the second of them never speaks, or speaks of what the first calls good.
    #[error("`{first}` of `{metric}` is at {first_at}, at or beyond `{second}` at {second_at}: {so}")]
    "HF-LINT-020" Warn BoundOrder {
        /// The metric.
        metric: MetricName,
        /// The milder bound.
        first: &'static str,
        /// Its figure.
        first_at: f64,
        /// The graver bound.
        second: &'static str,
        /// Its figure.
        second_at: f64,
        /// What follows.
        so: &'static str,
    }
    remedy "put success, alert and rollback in this order, from better to worse"
    /// What meets success may be beyond rollback.
    #[error("`success` of `{metric}` at {success} allows what `rollback` at {rollback} takes back: the gate cannot be reached with such values")]
    "HF-LINT-021" Warn SuccessBeyondRollback {
        /// The metric.
        metric: MetricName,
        /// The success bound's figure.
        success: f64,
        /// The rollback bound's figure.
        rollback: f64,
    }
    remedy "put the success bound on the good side of the rollback bound"
    /// Chance decides whether a healthy release is rolled back, in more than 5 of 100 cases.
    #[error("a release that is as good as the record misses `success` of `{metric}` by chance alone and is rolled back: {}; it passes all such gates in {} cases", by_phase(phases), chance(*passes))]
    "HF-LINT-022" Warn CoinToss {
        /// The metric.
        metric: MetricName,
        /// The phases in which that is likelier than 5 in 100.
        phases: Vec<PhaseChance>,
        /// The chance to pass every phase whose miss rolls back.
        passes: f64,
    }
    remedy "leave room for chance: a wider bound, a longer watch, or `missed = \"hold\"`"
    /// Chance trips the alert, in more than 5 of 100 windows.
    #[error("a release that is as good as the record is beyond `alert` of `{metric}` in {} windows of `{phase}`", chance(*trips))]
    "HF-LINT-023" Note AlertByChance {
        /// The metric.
        metric: MetricName,
        /// The phase.
        phase: PhaseName,
        /// The chance in one window.
        trips: f64,
    }
    remedy "widen the bound or the window, or ask for more trials"
    /// Chance trips the rollback, in more than 1 of 1,000 windows: a phase has many.
    #[error("a release that is as good as the record is beyond `rollback` of `{metric}` in {} windows of `{phase}`", chance(*trips))]
    "HF-LINT-024" Warn RollbackByChance {
        /// The metric.
        metric: MetricName,
        /// The phase.
        phase: PhaseName,
        /// The chance in one window.
        trips: f64,
    }
    remedy "widen the bound or the window, ask for more trials, or for more bad looks in a row"
    /// The traffic goes down.
    #[error("phase `{phase}` has {share}, less than the {before} of `{previous}` before it")]
    "HF-LINT-025" Warn ShareFalls {
        /// The phase.
        phase: PhaseName,
        /// Its share.
        share: Share,
        /// The phase before.
        previous: PhaseName,
        /// That one's share.
        before: Share,
    }
    remedy "let the shares rise from phase to phase"
    /// The evidence takes longer than the phase may.
    #[error("`{metric}` shows no harm within the {} of `{phase}` in {} healthy releases: {}", time(*most), chance(*shown), needed.map_or_else(|| "no time is long enough".to_owned(), |needed| format!("half of them need {}", time(needed))))]
    "HF-LINT-026" Warn EvidenceTooSlow {
        /// The metric.
        metric: MetricName,
        /// The phase.
        phase: PhaseName,
        /// The longest time that it is watched.
        most: Span,
        /// The chance that an equally good release shows it by then.
        shown: f64,
        /// The time in which half of them do.
        needed: Option<Span>,
    }
    remedy "watch longer, give the phase more traffic, allow a wider margin, or take `no_evidence_of_harm`"
    /// The bands never speak.
    #[error("`least_trials` is {least}, and `{phase}` brings {trials} in a window of {}: its bands never speak", time(*window))]
    "HF-LINT-027" Warn TooFewTrials {
        /// The phase.
        phase: PhaseName,
        /// Trials in a window, of the arm that has fewer.
        trials: f64,
        /// The least number.
        least: f64,
        /// The window.
        window: Span,
    }
    remedy "ask for fewer trials, take a longer window, or give the phase more traffic"
    /// One late observation leaves the window empty.
    #[error("the window of {} is shorter than two cadences of {}: each band rests on one observation", time(*window), time(*cadence))]
    "HF-LINT-028" Note ShortWindow {
        /// The window.
        window: Span,
        /// The cadence.
        cadence: Span,
    }
    remedy "take a window of two cadences or more"
    /// The live arm has the bug and keeps the bound from firing.
    #[error("`rollback` of `{metric}`, the bug's own metric, stands back while the live arm is beyond {figure}, which it is as long as it has the bug")]
    "HF-LINT-029" Note SickLiveArm {
        /// The metric.
        metric: MetricName,
        /// The bound.
        figure: f64,
    }
    remedy "leave out `unless_both_arms` there, or rely on the test that compares the arms"
    /// Nothing judges a metric that is to decide.
    #[error("{unjudged}")]
    "HF-LINT-031" Warn NothingJudges {
        /// The metrics, and the phases.
        unjudged: Unjudged,
    }
    remedy "give them bounds, and records where bounds are ratios"
    /// At all of the traffic there is no live arm.
    #[error("`{bound}` of `{metric}` is a ratio of the live arm, which `{phase}` does not have: it falls back on the record")]
    "HF-LINT-032" Note NoLiveArm {
        /// The metric.
        metric: MetricName,
        /// The bound.
        bound: &'static str,
        /// The phase.
        phase: PhaseName,
    }
    remedy "make sure that the record is what the last phase should be held to"
    /// Chance decides whether a healthy release waits, in more than 5 of 100 cases.
    #[error("a release that is as good as the record misses `success` of `{metric}` by chance alone and waits: {}", by_phase(phases))]
    "HF-LINT-033" Note WaitsByChance {
        /// The metric.
        metric: MetricName,
        /// The phases in which that is likelier than 5 in 100.
        phases: Vec<PhaseChance>,
    }
    remedy "leave room for chance: a wider bound, or a longer watch"
    /// The traffic stays as it is.
    #[error("phase `{phase}` has the same {share} as `{previous}` before it")]
    "HF-LINT-035" Note ShareStays {
        /// The phase.
        phase: PhaseName,
        /// The share of both.
        share: Share,
        /// The phase before.
        previous: PhaseName,
    }
    remedy "raise the share, or make the two one phase"
    /// One late observation is missing data.
    #[error("data are stale after {}, less than two cadences of {}: one late observation counts as none", time(*stale), time(*cadence))]
    "HF-LINT-036" Note ShortStale {
        /// The limit.
        stale: Span,
        /// The cadence.
        cadence: Span,
    }
    remedy "let data be two cadences old or more"
    /// At all of the traffic there is nothing to compare with.
    #[error("`{bound}` of `{metric}` is a ratio of the live arm, which `{phase}` does not have, and there is no record: its gate never opens")]
    "HF-LINT-037" Warn NoReference {
        /// The metric.
        metric: MetricName,
        /// The bound.
        bound: &'static str,
        /// The phase.
        phase: PhaseName,
    }
    remedy "give the metric a record, or the bound a figure of its own"
    /// The hot-fix identifier is a pre-release.
    #[error("versions are numbered by a hot-fix identifier{}: 1.2.3-hotfix.1 is a pre-release, so it ranks below the 1.2.3 that it repairs", if *also { ", as another way" } else { "" })]
    "HF-LINT-056" Warn VersionRanksBelow {
        /// Whether it is one of the other ways.
        also: bool,
    }
    remedy "raise the patch number instead"
    /// A merge commit is not reverted by the plain command.
    #[error("branches are merged with a merge commit, and `git_revert` is a way back: a revert of such a commit must name its parent, and the branch does not merge a second time")]
    "HF-LINT-057" Note RevertNeedsParent {}
    remedy "revert with `-m 1`, as the source-control plan says, and revert the revert before merging again"
    /// A piece of advice bars what a severity allows.
    #[error("`{severity}` may leave staging out, and the advice `{advice}` bars leaving out tests")]
    "HF-LINT-058" Note StagingSkipped {
        /// The severity.
        severity: crate::grade::Severity,
        /// The advice.
        advice: Name,
    }
    remedy "take out `skip_staging_when`, or let the advice name the exception"
    /// An alternative that no release can choose.
    #[error("`{strategy}` stands among the alternatives, and the policy has no phases for it")]
    "HF-LINT-069" Note AlternativeWithoutPhases {
        /// The strategy.
        strategy: crate::grade::Strategy,
    }
    remedy "write its phases under `strategies`, or bar it there with `allowed = false`"
}
