//! Faults of bounds, phases and statistics.

use super::super::finding::Level;
use super::super::format::{chance, names, time};
use crate::grade::Response;
use crate::metric::{BoundInBucket, Unjudged};
use crate::unit::{MetricName, Name, PhaseName, Share, Span};

/// The probability that a healthy release misses a criterion in one phase.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PhaseChance {
    /// The phase.
    pub phase: PhaseName,
    /// The expected number of bad events.
    pub expected: f64,
    /// The probability to miss, 0 to 1.
    pub missed: f64,
}

fn by_phase(phases: &[PhaseChance]) -> String {
    let one = |phase: &PhaseChance| {
        let (expected, missed) = ((phase.expected * 100.0).round() / 100.0, chance(phase.missed));
        format!("{missed} in `{}`, where {expected} bad events are expected", phase.phase)
    };
    phases.iter().map(one).collect::<Vec<_>>().join("; ")
}

faults! {
    /// A finding about bounds, phases or statistics.
    FigureFault

    /// Two bounds in the wrong order.
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
    remedy "order the bounds success, alert, rollback, from better to worse"
    /// A success bound beyond the rollback bound.
    #[error("`success` of `{metric}` at {success} allows values for which `rollback` at {rollback} rolls back")]
    "HF-LINT-021" Warn SuccessBeyondRollback {
        /// The metric.
        metric: MetricName,
        /// The success bound's figure.
        success: f64,
        /// The rollback bound's figure.
        rollback: f64,
    }
    remedy "put the success bound on the good side of the rollback bound"
    /// A healthy release is rolled back by chance, with a probability above 5 of 100.
    #[error("a release that is as good as the reference misses `success` of `{metric}` by chance alone and is rolled back: {}; it passes all such gates in {} cases", by_phase(phases), chance(*passes))]
    "HF-LINT-022" Warn CoinToss {
        /// The metric.
        metric: MetricName,
        /// The phases in which the probability is above 5 of 100.
        phases: Vec<PhaseChance>,
        /// The probability to pass all phases in which a miss rolls back.
        passes: f64,
    }
    remedy "allow for chance: widen the bound, watch longer, or set `criteria_missed = \"hold\"`"
    /// A healthy release breaches the alert bound by chance, in more than 5 of 100 windows.
    #[error("a release that is as good as the reference breaches `alert` of `{metric}` in {} windows of `{phase}`", chance(*trips))]
    "HF-LINT-023" Note AlertByChance {
        /// The metric.
        metric: MetricName,
        /// The phase.
        phase: PhaseName,
        /// The probability in one window.
        trips: f64,
    }
    remedy "widen the bound, or raise `window` or `least_trials`"
    /// A healthy release breaches the rollback bound by chance, in more than 1 of 1,000 windows: a
    /// phase has many.
    #[error("a release that is as good as the reference breaches `rollback` of `{metric}` in {} windows of `{phase}`", chance(*trips))]
    "HF-LINT-024" Warn RollbackByChance {
        /// The metric.
        metric: MetricName,
        /// The phase.
        phase: PhaseName,
        /// The probability in one window.
        trips: f64,
    }
    remedy "widen the bound, raise `window` or `least_trials`, or raise `consecutive_breaches` so that they reach over more than one window"
    /// A phase has less traffic than the one before.
    #[error("phase `{phase}` has {share} of the traffic, less than the {before} of `{previous}` before it")]
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
    /// The evidence takes longer than the phase may last.
    #[error("within the {} of `{phase}`, `{metric}` gives evidence of no harm for {} healthy releases: {}", time(*most), chance(*shown), needed.map_or_else(|| "no time is long enough".to_owned(), |needed| format!("half of them need {}", time(needed))))]
    "HF-LINT-026" Warn EvidenceTooSlow {
        /// The metric.
        metric: MetricName,
        /// The phase.
        phase: PhaseName,
        /// The longest time that it is watched.
        most: Span,
        /// The probability that an equally good release shows it by then.
        shown: f64,
        /// The time in which half of them do.
        needed: Option<Span>,
    }
    remedy "watch longer, give the phase more traffic, raise `margin`, or use `no_evidence_of_harm`"
    /// The bounds are never evaluated.
    #[error("`least_trials` is {least}, but a window of {} has {trials} trials in `{phase}`: its bounds are never evaluated", time(*window))]
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
    remedy "lower `least_trials`, use a longer window, or give the phase more traffic"
    /// A window that one late observation leaves empty.
    #[error("the window of {} is shorter than two cadences of {}: each evaluation uses one observation", time(*window), time(*cadence))]
    "HF-LINT-028" Note ShortWindow {
        /// The window.
        window: Span,
        /// The cadence.
        cadence: Span,
    }
    remedy "use a window of at least two cadences"
    /// The live version has the bug and suppresses the rollback bound.
    #[error("`rollback` of `{metric}`, the metric of the bug, is suppressed while the live version exceeds {figure}, which it does as long as it has the bug")]
    "HF-LINT-029" Note SickLiveArm {
        /// The metric.
        metric: MetricName,
        /// The bound.
        figure: f64,
    }
    remedy "delete `unless_both_arms` there, or rely on the test that compares the arms"
    /// A deciding metric that nothing judges.
    #[error("{unjudged}")]
    "HF-LINT-031" Warn NothingJudges {
        /// The metrics, and the phases.
        unjudged: Unjudged,
    }
    remedy "add bounds, and a `reference` if the bounds are ratios"
    /// At 100% of the traffic there is no live arm.
    #[error("`{bound}` of `{metric}` is a ratio of the live arm, which `{phase}` does not have: there it uses the reference")]
    "HF-LINT-032" Note NoLiveArm {
        /// The metric.
        metric: MetricName,
        /// The bound.
        bound: &'static str,
        /// The phase.
        phase: PhaseName,
    }
    remedy "check that the reference is the right standard for the last phase"
    /// A healthy release waits by chance, with a probability above 5 of 100.
    #[error("a release that is as good as the reference misses `success` of `{metric}` by chance alone and waits: {}", by_phase(phases))]
    "HF-LINT-033" Note WaitsByChance {
        /// The metric.
        metric: MetricName,
        /// The phases in which the probability is above 5 of 100.
        phases: Vec<PhaseChance>,
    }
    remedy "allow for chance: widen the bound, or watch longer"
    /// A phase with the same traffic as the one before.
    #[error("phase `{phase}` has the same {share} as `{previous}` before it")]
    "HF-LINT-035" Note ShareStays {
        /// The phase.
        phase: PhaseName,
        /// The share of both.
        share: Share,
        /// The phase before.
        previous: PhaseName,
    }
    remedy "raise the share, or merge the two phases"
    /// A limit for stale data that one late observation exceeds.
    #[error("data is stale after {}, less than two cadences of {}: one late observation counts as missing data", time(*stale), time(*cadence))]
    "HF-LINT-036" Note ShortStale {
        /// The limit.
        stale: Span,
        /// The cadence.
        cadence: Span,
    }
    remedy "raise `stale` to at least two cadences"
    /// At 100% of the traffic there is nothing to compare with.
    #[error("`{bound}` of `{metric}` is a ratio of the live arm, which `{phase}` does not have, and there is no reference: its gate never opens")]
    "HF-LINT-037" Warn NoReference {
        /// The metric.
        metric: MetricName,
        /// The bound.
        bound: &'static str,
        /// The phase.
        phase: PhaseName,
    }
    remedy "add a `reference` to the metric, or write the bound as a figure"
    /// The hot-fix identifier is a pre-release.
    #[error("versions have a hot-fix identifier{}: 1.2.3-hotfix.1 is a pre-release and ranks below the 1.2.3 that it fixes", if *also { " as an alternative" } else { "" })]
    "HF-LINT-056" Warn VersionRanksBelow {
        /// Whether it is an alternative scheme.
        also: bool,
    }
    remedy "increase the patch number instead"
    /// A merge commit cannot be reverted by the plain command.
    #[error("branches are merged with a merge commit, and `git_revert` is a rollback method: a revert of such a commit has to name its parent, and the branch cannot be merged a second time")]
    "HF-LINT-057" Note RevertNeedsParent {}
    remedy "revert with `-m 1`, as the source-control plan says, and revert the revert before merging again"
    /// A piece of advice forbids what a severity allows.
    #[error("`{severity}` may skip staging, but the advice `{advice}` forbids skipping tests")]
    "HF-LINT-058" Note StagingSkipped {
        /// The severity.
        severity: crate::grade::Severity,
        /// The advice.
        advice: Name,
    }
    remedy "delete `skip_staging_when`, or name the exception in the advice"
    /// An alternative that no release can choose.
    #[error("`{strategy}` is an alternative, but the policy has no phases for it")]
    "HF-LINT-069" Note AlternativeWithoutPhases {
        /// The strategy.
        strategy: crate::grade::Strategy,
    }
    remedy "write its phases under `strategies`, or forbid it there with `allowed = false`"
    /// A limit of `watch` that is too short for the scrape interval.
    #[error("`{key}` is {}, less than two scrape intervals of {}: {so}", time(*is), time(*scrape))]
    "HF-LINT-071" Warn ShortForScrape {
        /// The key.
        key: &'static str,
        /// Its value.
        is: Span,
        /// The scrape interval.
        scrape: Span,
        /// What follows.
        so: &'static str,
    }
    remedy "raise it to at least twice `scrape`"
    /// A bound of a latency strictly inside a bucket of its histogram.
    #[error("{fault}")]
    "HF-LINT-072" Note BoundInBucket {
        /// The bound and the bucket.
        fault: BoundInBucket,
    }
    remedy "add the figure to `boundaries` and to the buckets of your histogram, or send raw durations"
    /// A bound of a latency below the first or above the last boundary of its histogram.
    #[error("{fault}")]
    "HF-LINT-073" Warn BoundBeyondBuckets {
        /// The bound and the bucket.
        fault: BoundInBucket,
    }
    remedy "add the figure to `boundaries` and to the buckets of your histogram, or send raw durations"
    /// The reference itself misses or breaches a bound.
    #[error("the `reference` of `{metric}`, {reference}, is {side} its `{bound}` of {figure}: a release that is as good as before {so}")]
    "HF-LINT-080" Warn BeyondItsReference {
        /// The metric.
        metric: MetricName,
        /// The bound.
        bound: &'static str,
        /// Its figure.
        figure: f64,
        /// The reference.
        reference: f64,
        /// Where the reference lies, in words.
        side: &'static str,
        /// What follows.
        so: &'static str,
    }
    remedy "put the bound on the worse side of `reference`, and check that `worse` has the right direction"
    /// A release that is as good as the live arm misses or breaches a bound.
    #[error("`{bound}` of `{metric}` is {ratio} times the live arm, where {worse} is worse: a release that is as good as the live version {so}")]
    "HF-LINT-081" Warn BeyondTheLiveArm {
        /// The metric.
        metric: MetricName,
        /// The bound.
        bound: &'static str,
        /// Its ratio.
        ratio: f64,
        /// The direction that is worse.
        worse: crate::grade::Worse,
        /// What follows.
        so: &'static str,
    }
    remedy "give a ratio above 1 where higher is worse, and below 1 where lower is worse"
    /// Several volume metrics could be the traffic.
    #[error("{} have a reference, and it is not clear which is the traffic: chances, windows and evidence are not checked", names(metrics))]
    "HF-LINT-082" Note TrafficUnclear {
        /// The volume metrics.
        metrics: Vec<MetricName>,
    }
    remedy "leave `role = \"decide\"` to the one that counts all requests"
    /// More breaches in a row than a phase has evaluations.
    #[error("`consecutive_breaches` is {breaches}, which takes longer than any phase is watched, {}, at a cadence of {}: no alert or rollback bound acts in a phase", time(*longest), time(*cadence))]
    "HF-LINT-083" Warn TooManyBreaches {
        /// The breaches in a row.
        breaches: f64,
        /// The cadence.
        cadence: Span,
        /// How long the longest phase is watched.
        longest: Span,
    }
    remedy "lower `consecutive_breaches`, or watch longer"
    /// A bound at the end of what values are possible.
    #[error("`{bound}` of `{metric}` is {figure}, and no value is {worse}: {so}")]
    "HF-LINT-084" Warn BoundAtTheEnd {
        /// The metric.
        metric: MetricName,
        /// The bound.
        bound: &'static str,
        /// Its figure.
        figure: f64,
        /// The direction that is worse.
        worse: crate::grade::Worse,
        /// What follows.
        so: &'static str,
    }
    remedy "give a figure that a faulty release reaches, or delete the bound"
    /// A warm-up as long as the phase.
    #[error("the warm-up of {} is not shorter than the {} for which `{phase}` is watched: none of its data is judged", names(metrics), time(*longest))]
    "HF-LINT-085" Warn WarmUpTooLong {
        /// The metrics.
        metrics: Vec<MetricName>,
        /// The phase.
        phase: PhaseName,
        /// How long it is watched.
        longest: Span,
    }
    remedy "shorten `warm_up`, or watch longer"
    /// A window that a phase does not fill.
    #[error("a window of {} has to be full before the bounds of {} are evaluated, but `{phase}` is watched for {}: they never are there", time(*window), names(metrics), time(*longest))]
    "HF-LINT-086" Warn WindowTooLong {
        /// The metrics that need a full window.
        metrics: Vec<MetricName>,
        /// The window.
        window: Span,
        /// The phase.
        phase: PhaseName,
        /// How long it is watched.
        longest: Span,
    }
    remedy "shorten `window`, or watch longer"
    /// A response to missing data that comes after every phase.
    #[error("without data the rollout waits for {} before `{then}`, longer than any phase is watched, {}", time(*after), time(*longest))]
    "HF-LINT-087" Warn NoDataTooLate {
        /// How long it waits.
        after: Span,
        /// The response.
        then: Response,
        /// How long the longest phase is watched.
        longest: Span,
    }
    remedy "lower `no_data.after`"
    /// A part of the traffic gets the fix at the very end.
    #[error("the last phase, `{phase}`, has {share} of the traffic: the other {rest} stays on the old version until the last watch is over, and then gets the fix at once and unwatched")]
    "HF-LINT-088" Warn HoldBack {
        /// The phase.
        phase: PhaseName,
        /// Its share.
        share: Share,
        /// The share that is held back.
        rest: Share,
    }
    remedy "add a phase with `share = \"100%\"`, unless this part is to be held back for comparison"
    /// A strategy that moves all traffic at once, with a part of it.
    #[error("the strategy is `immediate`, all traffic at once, but the last phase, `{phase}`, has {share}")]
    "HF-LINT-089" Deny ImmediateInPart {
        /// The phase.
        phase: PhaseName,
        /// Its share.
        share: Share,
    }
    remedy "set its `share` to 100%, or choose another `strategy`"
    /// The form for late faults with arms that are read apart.
    #[error("`change_point` is on, and the arms are read up to {} apart: a shock in both of them, seen in one first, looks like a late fault", time(*scrape))]
    "HF-LINT-090" Warn LateFaultsApart {
        /// The scrape interval.
        scrape: Span,
    }
    remedy "set `change_point` to false, or read both arms at the same time and set `watch.scrape` to \"0s\""
}
