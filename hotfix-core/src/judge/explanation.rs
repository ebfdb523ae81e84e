//! The explanation of one metric's part in a verdict, as people read it.

use std::fmt::Write as _;

use crate::grade::{BoundBase, MetricKind, Role, Worse};
use crate::metric::{Band, Unused, compared, in_unit, interpolated, measured};
use crate::policy::section::Metric;
use crate::stats::latency::SLIGHT;
use crate::stats::{Counts, Totals};
use crate::text::{self, moment, sentence};
use crate::unit::Share;

use super::aligned::Side;
use super::bracket::{BASELINE, CANARY};
use super::format::{count, counted, figure, shown_figure};
use super::watched::Watched;
use super::{
    AppliedRule, ArmReading, BoundKind, Counterfactual, Decision, Judge, MetricWhy, Moment,
    NoCounterfactual, Reason, Rule, Verdict, waits_for_split,
};

impl MetricWhy {
    /// What was seen, the rule, what evidence that called for a decision is of, the decision where this
    /// metric called for it, and what would have changed it: `error_rate: 9 of 100 requests failed,
    /// against 3 of 900 in the baseline. Evidence 7.37, rollback at 5.99. Decision: roll back. With 8
    /// failures in this tick instead of 9 the decision would have been to hold.`
    pub(super) fn describe(
        &self,
        judge: &Judge,
        watched: &Watched,
        moment: &Moment<'_>,
        verdict: &Verdict,
    ) -> String {
        let mut text = format!("{}: {}.", self.metric, self.numbers(watched));
        let causes = &verdict.causes;
        let place = causes.iter().position(|cause| cause.metric == Some(self.metric));
        let reason = place.map(|place| causes[place].reason);
        let rule = match reason {
            Some(reason) => self.rule_for(reason),
            None => self.main_rule(watched),
        };
        let shown = rule
            .map(|rule| rule.describe(judge, watched))
            .or_else(|| reason.map(|reason| sentence(reason.describe())));
        // Writing to a string does not fail.
        if let Some(shown) = shown {
            let _ = write!(text, " {shown}.");
        }
        if let Some(AppliedRule { rule: Rule::Evidence { log_e, .. }, reason }) = rule
            && *log_e > 0.0
            && let Some(of) =
                stratum(watched).or_else(|| reason.and_then(|_| self.compared(watched)))
        {
            let _ = write!(text, " {of}.");
        }
        let of_evidence = causes.iter().find(|cause| {
            let is_one = matches!(cause.reason, Reason::Evidence | Reason::Burst);
            is_one && cause.metric == Some(self.metric)
        });
        let is_slow = |of: &&AppliedRule| matches!(of.rule, Rule::Slowdown { .. });
        // Not where it is the rule above.
        let slow = self.rules.iter().find(is_slow).filter(|_| !rule.as_ref().is_some_and(is_slow));
        if let Some((cause, slow)) = of_evidence.zip(slow) {
            let slow = AppliedRule { reason: Some(cause.reason), ..*slow };
            let _ = write!(text, " {}.", slow.describe(judge, watched));
        }
        let is_lost = |of: &&AppliedRule| matches!(of.rule, Rule::AlreadyRead { .. });
        let lost = self.rules.iter().find(is_lost).filter(|_| !rule.as_ref().is_some_and(is_lost));
        if let Some(lost) = lost {
            let _ = write!(text, " {}.", lost.describe(judge, watched));
        }
        // The gravest cause has the decision's gravity; where the decision is to hold, every one
        // has.
        if place == Some(0) || (place.is_some() && verdict.decision == Decision::Hold) {
            let _ = write!(text, " Decision: {}.", verdict.decision.in_words());
        }
        // That a reading came and was not used has a sentence of its own.
        if let Some(change) = self.counterfactual.describe(watched, moment.share, place.is_some())
            && watched.readings().unused[0].is_none()
            && (self.tick.is_some() || self.window.canary.is_some())
        {
            let _ = write!(text, " {change}.");
        }
        text
    }

    /// What both arms had: in this tick, or in the window where the tick was not used.
    fn numbers(&self, watched: &Watched) -> String {
        let kind = watched.metric().kind;
        let (live_arm, live_level) = if watched.pre_deployment().applies() {
            ("before the deployment", "before the deployment")
        } else {
            ("in the baseline", "baseline")
        };
        let did = match watched.metric().worse {
            Worse::Higher => "failed",
            Worse::Lower => "succeeded",
        };
        let arms = self.tick.as_ref().filter(|t| t.canary.is_some()).unwrap_or(&self.window);
        let unused = Counterfactual::None { reason: NoCounterfactual::NotAccepted };
        let Some(canary) = &arms.canary else {
            let left_out = self.counterfactual == unused;
            let text = match watched.readings().unused[0] {
                _ if left_out => "this tick's reading was not used",
                Some(_) => "no reading that could be used",
                None if self.tick.is_some() && kind.counts_requests() => "no requests",
                None => "no reading",
            };
            return text.to_owned();
        };
        let live = arms.baseline.as_ref();
        let of = |arm: &ArmReading, events: f64| among(kind, Counts::new(events, arm.trials));
        let plain = |arm: &ArmReading| match arm.value {
            Some(value) => measured(kind, watched.edges(), value),
            None => counted(arm.trials, "reading"),
        };
        match canary.events {
            Some(events) => {
                let mut text = if kind.is_fraction() {
                    format!("{} requests {did}", of(canary, events))
                } else {
                    let share = if watched.metric().scaled { " of full traffic" } else { "" };
                    format!("{} in {} s{share}", counted(events, "event"), figure(canary.trials))
                };
                if let Some((arm, events)) = live.and_then(|arm| Some((arm, arm.events?))) {
                    let _ = write!(text, ", against {} {live_arm}", of(arm, events));
                }
                text
            }
            None => match live {
                Some(live) => format!("{}, {live_level} {}", plain(canary), plain(live)),
                None => plain(canary),
            },
        }
    }

    /// What the evidence is of; None where that is this tick alone.
    fn compared(&self, watched: &Watched) -> Option<String> {
        let (kind, Totals { canary, baseline }) = (watched.metric().kind, watched.compared()?);
        let tick = self.tick.and_then(|tick| tick.canary).filter(|_| kind.is_fraction());
        if tick.is_some_and(|tick| tick.trials >= canary.trials) {
            return None;
        }
        let failed = if kind.is_fraction() {
            format!("{} requests failed", among(kind, canary))
        } else {
            format!("{} in {} s", counted(canary.events, "event"), figure(canary.trials))
        };
        let [ratio, of_sums] = [watched.ratio(), Totals { canary, baseline }.ratio()]
            .map(|ratio| ratio.filter(|of| of.is_finite()).map(|of| text::rounded(of, 1)));
        // A share of the traffic that changes on the way distorts the ratio of the sums.
        let within = match watched.readings().strata {
            _ if ratio == of_sums => "",
            Some(_) => " within the strata",
            None => " within the phases",
        };
        let ratio = ratio.map(|ratio| format!(" ({ratio} times as often{within})"));
        let (live, ratio) = (among(kind, baseline), ratio.unwrap_or_default());
        Some(format!("In all, {failed} so far, against {live}{ratio}"))
    }

    /// The rule that called for this. Of an alert, the rollback bound if that is crossed, too, and
    /// something holds it back.
    fn rule_for(&self, reason: Reason) -> Option<&AppliedRule> {
        let is_rollback = |rule: &&AppliedRule| {
            matches!(rule.rule, Rule::Bound { bound: BoundKind::Rollback, .. })
        };
        let held = self.rules.iter().find(|rule| rule.reason.is_some() && is_rollback(rule));
        held.filter(|_| reason == Reason::AlertBand)
            .or_else(|| self.rules.iter().find(|rule| rule.reason == Some(reason)))
    }

    /// The rule to show for a metric that is not a cause: one with a reason, else that nothing judges
    /// it, else the evidence. Of a metric that is only watched, what was compared.
    fn main_rule(&self, watched: &Watched) -> Option<&AppliedRule> {
        let rules = &self.rules;
        let only_watched = watched.metric().role == Role::Watch && watched.has_compared();
        rules
            .iter()
            .find(|rule| rule.reason.is_some())
            .or_else(|| {
                rules.iter().find(|rule| matches!(rule.rule, Rule::NotJudged) && !only_watched)
            })
            .or_else(|| rules.iter().find(|rule| matches!(rule.rule, Rule::Evidence { .. })))
            .or_else(|| rules.first())
    }
}

fn among(kind: MetricKind, of: Counts) -> String {
    if kind.is_fraction() {
        format!("{} of {}", count(of.events), count(of.trials))
    } else {
        format!("{} in {} s", count(of.events), figure(of.trials))
    }
}

/// The stratum that most of the evidence is of, with its bad events since the start.
fn stratum(watched: &Watched) -> Option<String> {
    let test = watched.tests().worse()?.on(Side::Lag);
    let (place, totals) = test.strata()?.loudest(test)?;
    let name = watched.readings().strata.as_ref().and_then(|names| names.get(place));
    let name = name.map_or_else(
        || (place + 1).to_string(),
        |name| format!("`{}`", text::brief(name).replace('`', "'")),
    );
    let kind = watched.metric().kind;
    let [canary, live] = [totals.canary, totals.baseline].map(|counts| among(kind, counts));
    let failed = if kind.is_fraction() { " failed" } else { "" };
    Some(format!("Most of it is from stratum {name}: {canary}{failed}, against {live}"))
}

/// The rollback test, and what it called for.
/// `excess`: what the canary has more of, where that is less than the test finds.
fn evidence(
    log_e: f64,
    threshold: Option<f64>,
    reason: Option<Reason>,
    excess: Option<String>,
) -> String {
    let got = text::rounded(log_e, 2);
    let threshold = threshold.map(|threshold| text::rounded(threshold, 2));
    if let (Some(excess), Some(at)) = (excess, &threshold) {
        let excess = sentence(&excess);
        return format!("{excess}, less than the test finds (evidence {got}, rollback at {at})");
    }
    match (reason, threshold) {
        (Some(reason @ (Reason::PhaseEndTest | Reason::BadInstance | Reason::NotBoth)), _) => {
            sentence(reason.describe())
        }
        (Some(Reason::SlightlySlower), _) => format!(
            "Evidence {got}, but one boundary of the histogram alone shows it, which does not say how \
             much slower the canary is"
        ),
        (Some(Reason::Evidence), None) => {
            "The canary's instances are worse than other choices of as many".to_owned()
        }
        (Some(Reason::Evidence), Some(at)) if log_e <= 0.0 => {
            format!("Evidence {got}, which has risen by {at} and more within the phase")
        }
        (Some(reason), _) if reason != Reason::Evidence => {
            format!("Evidence {got}: {}", reason.describe())
        }
        (_, Some(at)) if log_e <= 0.0 => format!("No evidence of harm ({got}, rollback at {at})"),
        (_, Some(at)) => format!("Evidence {got}, rollback at {at}"),
        (_, None) => format!("Evidence {got}, which does not decide"),
    }
}

/// How slow the canary is, and what that called for.
fn slowdown(
    reason: Option<Reason>,
    [ratio, error, tolerated]: [f64; 3],
    (peak, part): (Option<f64>, Option<String>),
) -> String {
    let near = |value: f64| text::rounded(value, 2);
    let now = format!("{} ± {}", near(ratio), near(error));
    if let Some(part) = part {
        return format!("{}. On the whole it was {now} times as slow", sentence(&part));
    }
    match (reason, peak) {
        (Some(Reason::SlightlySlower), _) if ratio <= tolerated => {
            format!("Between {SLIGHT} and {tolerated} times as slow ({now} in the last minute)")
        }
        (Some(Reason::WarmingUp), Some(peak)) => format!(
            "New instances are warming up: {} times as slow at first, {now} in the last minute",
            near(peak)
        ),
        (Some(Reason::WarmingUp), None) => format!(
            "{now} times as slow in the last minute, which does not roll back while instances are \
             new"
        ),
        (_, _) => format!("{now} times as slow in the last minute, up to {tolerated} is tolerated"),
    }
}

/// What is missing, and why readings that came were not used.
fn not_used(missing: &str, unused: Option<Unused>) -> String {
    unused.map_or_else(
        || missing.to_owned(),
        |why| format!("{missing}: readings came and were not used, because {}", why.describe()),
    )
}

/// Which readings are missing.
fn silence(watched: &Watched, band: Band) -> String {
    let unused = watched.readings().unused;
    match band {
        Band::Stale => not_used("The last reading is stale", unused[0]),
        Band::NoLiveData => match watched.stopped_since(BASELINE) {
            Some(since) => {
                format!("No request of the live version has come since {}", moment(since))
            }
            None => not_used("The readings of the live version are missing", unused[1]),
        },
        Band::NotFinite => "The reading is not a finite number".to_owned(),
        _ if unused[0].is_some() => not_used("Nothing could be used in this phase", unused[0]),
        _ => "It was not read in this phase".to_owned(),
    }
}

impl Watched {
    /// That its readings come too far apart to fill a window, where they have for long.
    pub(crate) fn too_far_apart(&self) -> Option<String> {
        let (watch, readings) = (self.watch(), self.readings());
        let (canary, _) = self.window().sums().split_at(self.columns());
        let lacks =
            self.trials(canary).is_none() && readings.coverage.lacks_for(watch.no_data.after);
        let window = watch.window;
        lacks.then(|| {
            format!(
                "its readings came too far apart to fill a window of {window}: read it more often"
            )
        })
    }
}

/// Why the bounds do not apply yet: its window lacks this many requests, or seconds of readings.
fn not_yet(judge: &Judge, watched: &Watched, needs: f64) -> String {
    if let Some(since) = watched.stopped_since(CANARY) {
        return format!("No request has come since {}", moment(since));
    }
    let metric = watched.metric();
    // The bounds of one that the split favours apply.
    if waits_for_split(judge, metric.id) && !judge.arms.favours(metric) {
        return "Its bounds do not apply while the traffic is not split as planned".to_owned();
    }
    if let Some(why @ Unused::Share) = watched.readings().unused[CANARY] {
        return format!("Its bounds do not apply, because {}", why.describe());
    }
    if let Some(text) = watched.too_far_apart() {
        return sentence(&text);
    }
    let (needs, window) = (figure(needs), watched.watch().window);
    let what = if metric.kind.counts_requests() { "requests" } else { "seconds of readings" };
    format!("Its bounds apply once a window of {window} has {needs} more {what}")
}

/// Of a proof that this phase can no longer bring.
const IN_VAIN: &str = ", and can no longer be shown to in the time that is left";

impl AppliedRule {
    fn describe(&self, judge: &Judge, watched: &Watched) -> String {
        let (kind, worse) = (watched.metric().kind, watched.metric().worse);
        let near = |value: f64| text::rounded(value, 2);
        match self.rule {
            Rule::Fresh { band } => silence(watched, band),
            Rule::NotJudged if watched.has_compared() && !watched.pre_deployment().goes_on() => {
                "Nothing judges it now: no bound has its reference, and no readings of the live \
                 version are left to compare with"
                    .to_owned()
            }
            Rule::NotJudged => {
                "Nothing judges it: no bound has its reference, and no test has a live arm or \
                 readings from before the start"
                    .to_owned()
            }
            Rule::LeastTrials { needs } => not_yet(judge, watched, needs),
            Rule::Bound { bound, crossed, figure, over, value, bucket, of, .. } => {
                let (Some(figure), Some(value)) = (figure, value) else {
                    if let Some(reason) = self.reason {
                        let waits = reason.describe_for(Some(kind));
                        return format!("By the {bound} bound it is {waits}");
                    }
                    return format!("The {bound} bound has no reference");
                };
                let beyond = worse.is_beyond(value, figure);
                let side = match (crossed, worse) {
                    (None, _) if of == BoundBase::Live => "too coarse to compare with",
                    (None, _) => "in the same bucket as",
                    (Some(false), _) if !beyond => "within",
                    (Some(false), Worse::Higher) if bucket.is_some() => "not clearly above",
                    (Some(false), Worse::Lower) if bucket.is_some() => "not clearly below",
                    (Some(_), Worse::Higher) => "above",
                    (Some(_), Worse::Lower) => "below",
                };
                // A bound with `unless_both_arms` is not crossed while the baseline is beyond it.
                let both = crossed == Some(false) && beyond && bucket.is_none();
                let [measured, figure] = compared(kind, watched.edges(), value, figure);
                let value = bucket.map_or(measured, |edges| interpolated(value, edges));
                let value = sentence(&value);
                let held = match (bound, self.reason) {
                    _ if both => ", and so is the baseline",
                    (BoundKind::Rollback, Some(Reason::NotConfirmed)) => {
                        ", but the test does not show that the canary is worse"
                    }
                    (BoundKind::Rollback, Some(Reason::OneInstance)) => {
                        ", but only with one of the canary's instances"
                    }
                    (BoundKind::Rollback, Some(Reason::WarmingUp)) => {
                        ", but its instances are still warming up"
                    }
                    (BoundKind::Success, Some(Reason::TooFewTrials)) => {
                        ", but the traffic is not split as planned"
                    }
                    _ => "",
                };
                format!("{value} over the {over} is {side} the {bound} bound of {figure}{held}")
            }
            Rule::Evidence { log_e, threshold } => {
                let is_below = log_e <= 0.0 && self.reason.is_none();
                let excess = is_below.then(|| watched.excess()).flatten();
                if self.reason == Some(Reason::Burst) && kind.has_buckets() {
                    let of = "but slow requests may be a burst, which counts only if it stays";
                    return format!("Evidence {}, {of}", near(log_e));
                }
                evidence(log_e, threshold, self.reason, excess)
            }
            Rule::Safe { decided: true, .. } => {
                "It is shown to be no worse than the margin allows".to_owned()
            }
            Rule::Safe { log_e, threshold, .. } => format!(
                "It is not shown to be no worse than the margin allows: evidence {}, needed {}",
                near(log_e),
                near(threshold)
            ),
            Rule::Efficacy { shown: true, .. } => "The fix is shown to work".to_owned(),
            Rule::Efficacy { log_e, threshold, .. } => {
                let in_vain = if self.reason == Some(Reason::CannotDecide) { IN_VAIN } else { "" };
                format!(
                    "The fix is not shown to work{in_vain}: evidence {}, needed {}",
                    near(log_e),
                    near(threshold)
                )
            }
            Rule::Covered { seconds, least } => {
                format!("Readings cover {} s of {} s", figure(seconds), figure(least))
            }
            Rule::Slowdown { error, peak, ratio, tolerated } => {
                let part = self.reason.and_then(|reason| watched.slow_part(reason));
                slowdown(self.reason, [ratio, error, tolerated], (peak, part))
            }
            Rule::Arms => "Both arms had the same counts in every tick of this phase".to_owned(),
            Rule::AlreadyRead { time } => format!(
                "Other counts of {}, which was read already, were left out: send each reading with its \
                 own time",
                moment(time)
            ),
        }
    }
}

impl Counterfactual {
    /// What would have changed the decision; None where that adds nothing.
    fn describe(&self, watched: &Watched, share: Share, is_cause: bool) -> Option<String> {
        let &Metric { kind, worse, scaled, .. } = watched.metric();
        let event = match (kind.is_fraction(), worse) {
            (true, Worse::Higher) => "failure",
            (true, Worse::Lower) => "success",
            (false, Worse::Higher | Worse::Lower) => "event",
        };
        let instead = |what: String, from: String, then: Decision| {
            let then = then.in_words();
            Some(format!(
                "With {what} in this tick instead of {from} the decision would have been to {then}"
            ))
        };
        match *self {
            Self::Events { from, to, then } => instead(counted(to, event), count(from), then),
            Self::Slow { above, from, to, then } => instead(
                format!("{} slower than {}", counted(to, "request"), in_unit(kind, above)),
                count(from),
                then,
            ),
            // A value next to a bound, which itself is not enough, is not the figure that is shown.
            Self::Level { from, to, then } => {
                let figure = count(to);
                let reading = match (to == shown_figure(to), to > from) {
                    (true, true) => format!("of {figure} or above"),
                    (true, false) => format!("of {figure} or below"),
                    (false, true) => format!("above {figure}"),
                    (false, false) => format!("below {figure}"),
                };
                // The figures before it are scaled to all traffic, and a reading is not.
                let is_part = scaled && share != Share::ALL;
                let of =
                    if is_part { format!(", from {share} of the traffic,") } else { String::new() };
                instead(format!("a reading {reading}"), count(from) + &of, then)
            }
            Self::None { reason } => {
                let text = match reason {
                    NoCounterfactual::NoReading => "No reading came with this verdict",
                    NoCounterfactual::InParts => {
                        "The reading came in parts, so no smallest change is given"
                    }
                    NoCounterfactual::NotAccepted => "This tick's reading was not used",
                    NoCounterfactual::NothingChanges => {
                        "No other reading in this tick would have changed the decision"
                    }
                };
                (reason != NoCounterfactual::NothingChanges || is_cause).then(|| text.to_owned())
            }
        }
    }
}

impl std::fmt::Display for MetricWhy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.sentence)
    }
}
