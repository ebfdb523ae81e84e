//! Faults of bounds, phases and statistics.

use super::super::format::{chance, names, time};
use crate::grade::Response;
use crate::metric::{BoundInBucket, Unjudged};
use crate::text;
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

fn by_share(phases: &[(PhaseName, Share)]) -> String {
    text::joined(phases.iter().map(|(phase, share)| format!("`{phase}` with {share}")), ", ")
}

findings! {
    /// A finding about bounds, phases or statistics.
    pub enum FigureFault;

    #[error("`{first}` of `{metric}` is at {first_at}, at or beyond `{second}` at {second_at}: {so}")]
    BoundOrder {
        metric: MetricName,
        first: &'static str,
        first_at: String,
        second: &'static str,
        second_at: String,
        so: &'static str,
    } => "HF-LINT-020" Warn, "order the bounds success, alert, rollback, from better to worse";
    #[error("`success` of `{metric}` at {success} allows values for which `rollback` at {rollback} rolls back")]
    SuccessBeyondRollback { metric: MetricName, success: String, rollback: String }
        => "HF-LINT-021" Warn, "put the success bound on the good side of the rollback bound";
    /// A healthy release is rolled back by chance, with a probability above 5 of 100.
    #[error("a release that is as good as the reference misses `success` of `{metric}` by chance alone and is rolled back: {}; it passes all such gates in {} cases", by_phase(phases), chance(*passes))]
    CoinToss {
        metric: MetricName,
        phases: Vec<PhaseChance>,
        /// The probability to pass all phases in which a miss rolls back.
        passes: f64,
    } => "HF-LINT-022" Warn, "allow for chance: widen the bound, watch longer, or set `criteria_missed` to `hold`";
    /// A healthy release breaches the alert bound by chance, in more than 5 of 100 windows.
    #[error("a release that is as good as the reference breaches `alert` of `{metric}` in {} windows of `{phase}`", chance(*trips))]
    AlertByChance { metric: MetricName, phase: PhaseName, trips: f64 }
        => "HF-LINT-023" Note, "widen the bound, or raise `window` or `least_trials`";
    /// A healthy release is rolled back by the rollback bound by chance, in more than 1 of 100 phases.
    #[error("a release that is as good as the reference is beyond `rollback` of `{metric}` by chance alone and is rolled back: about {}", by_phase(phases))]
    RollbackByChance { metric: MetricName, phases: Vec<PhaseChance> }
        => "HF-LINT-024" Warn, "widen the bound, raise `window` or `least_trials`, or raise `consecutive_breaches` so that they reach over more than one window";
    #[error("phase `{phase}` has {share} of the traffic, less than the {before} of `{previous}` before it")]
    ShareFalls { phase: PhaseName, share: Share, previous: PhaseName, before: Share }
        => "HF-LINT-025" Warn, "let the shares rise from phase to phase";
    #[error("within the {} of `{phase}`, `{metric}` gives evidence of no harm for {} healthy releases: {}", time(*most), chance(*shown), needed.map_or_else(|| "no time is long enough".to_owned(), |needed| format!("half of them need {}", time(needed))))]
    EvidenceTooSlow {
        metric: MetricName,
        phase: PhaseName,
        most: Span,
        shown: f64,
        needed: Option<Span>,
    } => "HF-LINT-026" Warn, "watch longer, give the phase more traffic, raise `margin`, or use `no_evidence_of_harm`";
    #[error("`least_trials` is {least}, but with the {traffic} requests a minute of `{volume}` a window of {} has {trials} trials in `{phase}`: its bounds are never evaluated", time(*window))]
    TooFewTrials {
        /// What counts the requests, and how many.
        volume: MetricName,
        traffic: f64,
        phase: PhaseName,
        /// Trials in a window, of the arm that has fewer.
        trials: f64,
        least: f64,
        window: Span,
    } => "HF-LINT-027" Warn, "lower `least_trials`, use a longer window, give the phase more traffic, or, if that metric counts only some requests, add a volume of all of them, which may have `role = \"watch\"`";
    #[error("the window of {} is shorter than two cadences of {}: each evaluation uses one observation", time(*window), time(*cadence))]
    ShortWindow { window: Span, cadence: Span }
        => "HF-LINT-028" Note, "use a window of at least two cadences";
    #[error("`rollback` of `{metric}`, the metric of the bug, is suppressed while the live version exceeds {figure}, which it does as long as it has the bug")]
    SickLiveArm { metric: MetricName, figure: f64 }
        => "HF-LINT-029" Note, "delete `unless_both_arms` there, or rely on the test that compares the arms";
    /// A deciding metric that nothing judges.
    #[error("{unjudged}")]
    NothingJudges { unjudged: Unjudged }
        => "HF-LINT-031" Warn, "add bounds, and a `reference` if they are ratios, or give its test a `weight`";
    #[error("`{bound}` of `{metric}` is a ratio of the live arm, which `{phase}` does not have: there it uses the reference")]
    NoLiveArm { metric: MetricName, bound: &'static str, phase: PhaseName }
        => "HF-LINT-032" Note, "check that the reference is the right standard for the last phase";
    /// A healthy release waits by chance, with a probability above 5 of 100.
    #[error("a release that is as good as the reference misses `success` of `{metric}` by chance alone and waits: {}", by_phase(phases))]
    WaitsByChance { metric: MetricName, phases: Vec<PhaseChance> }
        => "HF-LINT-033" Note, "allow for chance: widen the bound, or watch longer";
    #[error("data is stale after {}, less than two cadences of {}: one late observation counts as missing data", time(*stale), time(*cadence))]
    ShortStale { stale: Span, cadence: Span }
        => "HF-LINT-036" Note, "raise `stale` to at least two cadences";
    #[error("`{bound}` of `{metric}` is a ratio of the live arm, which `{phase}` does not have, and there is no reference: the bound judges nothing there")]
    NoReference { metric: MetricName, bound: &'static str, phase: PhaseName }
        => "HF-LINT-037" Warn, "add a `reference` to the metric, or write the bound as a figure";
    #[error("versions have a hot-fix identifier{}: 1.2.3-hotfix.1 is a pre-release and ranks below the 1.2.3 that it fixes", if *also { " as an alternative" } else { "" })]
    VersionRanksBelow { also: bool } => "HF-LINT-056" Warn, "increase the patch number instead";
    #[error("branches are merged with a merge commit, and `git_revert` is a rollback method: a revert of such a commit has to name its parent, and the branch cannot be merged a second time")]
    RevertNeedsParent {}
        => "HF-LINT-057" Note, "revert with `-m 1`, as the source-control plan says, and revert the revert before merging again";
    #[error("`{severity}` may skip staging, but the advice `{advice}` forbids skipping tests")]
    StagingSkipped { severity: crate::grade::Severity, advice: Name }
        => "HF-LINT-058" Note, "delete `skip_staging_when`, or name the exception in the advice";
    #[error("`{strategy}` is an alternative, but the policy has no phases for it")]
    AlternativeWithoutPhases { strategy: crate::grade::Strategy }
        => "HF-LINT-069" Note, "write its phases under `strategies`, or set `allowed` to `false` there";
    #[error("`{key}` is {}, less than two scrape intervals of {}: {so}", time(*is), time(*scrape))]
    ShortForScrape { key: &'static str, is: Span, scrape: Span, so: &'static str }
        => "HF-LINT-071" Warn, "raise it to at least twice `scrape`";
    /// A bound of a latency strictly inside a bucket of its histogram.
    #[error("{fault}")]
    BoundInBucket { fault: BoundInBucket }
        => "HF-LINT-072" Note, "add the figure to `boundaries` and to the buckets of your histogram, or send raw durations";
    /// A bound of a latency below the first or above the last boundary of its histogram.
    #[error("{fault}")]
    BoundBeyondBuckets { fault: BoundInBucket }
        => "HF-LINT-073" Warn, "add the figure to `boundaries` and to the buckets of your histogram, or send raw durations";
    #[error("the `reference` of `{metric}`, {reference}, is {side} its `{bound}` of {figure}: a release that is as good as before {so}")]
    BeyondItsReference {
        metric: MetricName,
        bound: &'static str,
        figure: f64,
        reference: f64,
        side: &'static str,
        so: &'static str,
    } => "HF-LINT-080" Warn, "put the bound on the worse side of `reference`, and check that `worse` has the right direction";
    #[error("`{bound}` of `{metric}` is {ratio} times the live arm, where {worse} is worse: a release that is as good as the live version {so}")]
    BeyondTheLiveArm {
        metric: MetricName,
        bound: &'static str,
        ratio: f64,
        worse: crate::grade::Worse,
        so: &'static str,
    } => "HF-LINT-081" Warn, "give a ratio above 1 where higher is worse, and below 1 where lower is worse";
    #[error("`consecutive_breaches` is {breaches}, which takes longer than any phase is watched at most, {}, with a new reading every {}: no alert or rollback bound acts in a phase", time(*longest), time(*every))]
    TooManyBreaches {
        breaches: f64,
        /// The cadence, or the scrape interval if that is longer.
        every: Span,
        longest: Span,
    } => "HF-LINT-083" Warn, "lower `consecutive_breaches`, or watch longer";
    #[error("`{bound}` of `{metric}` is {figure}, and no value is {worse}: {so}")]
    BoundAtTheEnd {
        metric: MetricName,
        bound: &'static str,
        figure: f64,
        worse: crate::grade::Worse,
        so: &'static str,
    } => "HF-LINT-084" Warn, "give a figure that a faulty release reaches, or delete the bound";
    #[error("the warm-up of {} is not shorter than the {} for which `{phase}` is watched: none of its data is judged", names(metrics), time(*longest))]
    WarmUpTooLong { metrics: Vec<MetricName>, phase: PhaseName, longest: Span }
        => "HF-LINT-085" Warn, "shorten `warm_up`, or watch longer";
    #[error("a window of {} has to be full, and breached as often in a row as is asked for, before the bounds of {} act, but `{phase}` is watched for at most {}: they never do there", time(*window), names(metrics), time(*longest))]
    WindowTooLong {
        metrics: Vec<MetricName>,
        window: Span,
        phase: PhaseName,
        longest: Span,
    } => "HF-LINT-086" Warn, "shorten `window` or `warm_up`, lower `consecutive_breaches`, or watch longer";
    #[error("without data the rollout waits for {} before `{then}`, longer than any phase is watched at most, {}", time(*after), time(*longest))]
    NoDataTooLate { after: Span, then: Response, longest: Span } => "HF-LINT-087" Warn, "lower it";
    #[error("the last phase, `{phase}`, has {share} of the traffic: the other {rest} stays on the old version until the last watch is over, and then gets the fix at once and unwatched")]
    HoldBack { phase: PhaseName, share: Share, rest: Share }
        => "HF-LINT-088" Warn, "add a phase with all of the traffic, unless this part is to be held back for comparison";
    #[error("the strategy is `immediate`, one phase with all traffic, but the policy has {}", by_share(phases))]
    ImmediateInPart { phases: Vec<(PhaseName, Share)> }
        => "HF-LINT-089" Deny, "keep one phase, with a `share` of 100%, or choose another `strategy`";
    #[error("`change_point` is on, and the arms are read up to {} apart: a shock in both of them, seen in one first, looks like a late fault", time(*scrape))]
    LateFaultsApart { scrape: Span }
        => "HF-LINT-090" Warn, "set `change_point` to false, or read both arms at the same time and set `watch.scrape` to \"0s\"";
    #[error("`alpha` is {alpha}: of healthy fixes up to {} are rolled back by chance", chance(*alpha))]
    HighAlpha { alpha: f64 }
        => "HF-LINT-091" Warn, "give the share of false rollbacks that is accepted, such as `\"1%\"`, not a confidence";
    #[error("`{phase}` asks for evidence of no harm, but {why}: it passes after its least time as if that had been shown")]
    NoEvidence { phase: PhaseName, why: &'static str }
        => "HF-LINT-096" Warn, "give a metric a test (`model`, `weight`) and the phase a part of the traffic, or write `no_evidence_of_harm`";
    #[error("the gate of `{phase}` is `{gate}`, and its `veto` is {}: nobody has time to object", time(*veto))]
    NoTimeToObject { phase: PhaseName, gate: crate::grade::GateMode, veto: Span }
        => "HF-LINT-097" Warn, "set `gate` to `veto`, and `veto` to a time, or delete `veto`";
    #[error("without data the rollout waits for {} before `{then}`, no longer than the cadence of {}: readings that come once per cadence are missing at the beginning of a phase", time(*after), time(*cadence))]
    ShortNoData { after: Span, then: Response, cadence: Span }
        => "HF-LINT-098" Warn, "raise `no_data.after` to more than the longest time between two readings, at best to two cadences";
    #[error("`{phase}` lasts at least {}, and not its `watch` of {}: {} can be judged only then, after the warm-up, and counts, gauges and volumes once a window of {} is full", time(*lasts), time(*watch), names(metrics), time(*window))]
    WatchedLonger {
        metrics: Vec<MetricName>,
        phase: PhaseName,
        watch: Span,
        lasts: Span,
        window: Span,
    } => "HF-LINT-099" Note, "raise `watch` to that, or shorten `window` or `warm_up`";
    #[error("`{bound}` of `{metric}` is a ratio of its `reference`, which is 0: so is the bound, whatever the ratio")]
    RatioOfZero { metric: MetricName, bound: &'static str }
        => "HF-LINT-102" Warn, "write the bound as a figure, or correct `reference`";
    #[error("with `hold` the rollout waits here, and nobody is asked until its phase has been held for `ask_again` longer than `watch_most`, or than `watch` without that")]
    NobodyAsked {} => "HF-LINT-092" Warn, "set it to `ask`, or make sure that somebody watches the rollout";
}
