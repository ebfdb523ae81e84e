//! An explanation in one sentence (FIELD-11).

use std::fmt::Write as _;

use crate::grade::{MetricKind, Worse};
use crate::metric::Band;
use crate::text;

use super::watched::Watched;
use super::words::{figure, in_unit};
use super::{Arm, Decision, MetricWhy, NoTurn, Rule, Turn};

impl MetricWhy {
    /// `error_rate: 9 of 100 against 3 of 900; evidence 6.2 of 6 needed: rolled back; with 8 in this tick it would have held`.
    pub(super) fn tell(&self, watched: &Watched, decision: Decision) -> String {
        let kind = watched.metric.kind;
        let mut text = format!("{}: ", self.metric);
        let numbers = |arm: &Arm| match (arm.events, arm.value) {
            (Some(events), _) if kind == MetricKind::Proportion => {
                format!("{} of {}", figure(events), figure(arm.trials))
            }
            (Some(events), _) => format!("{} in {} s", figure(events), figure(arm.trials)),
            (None, Some(value)) => in_unit(kind, value),
            (None, None) => format!("{} readings", figure(arm.trials)),
        };
        let arms = self.tick.as_ref().filter(|t| t.canary.is_some()).unwrap_or(&self.window);
        // Writing to a string does not fail.
        match (&arms.canary, &arms.baseline) {
            (Some(canary), Some(baseline)) => {
                let _ = write!(text, "{} against {}", numbers(canary), numbers(baseline));
            }
            (Some(canary), None) => text.push_str(&numbers(canary)),
            (None, _) => text.push_str("no reading"),
        }
        let told = self
            .rules
            .iter()
            .find(|rule| rule.reason.is_some())
            .or_else(|| self.rules.iter().find(|r| matches!(r.rule, Rule::Evidence { .. })))
            .or_else(|| self.rules.first());
        if let Some(applied) = told {
            let _ = write!(text, "; {}", applied.rule.tell(kind, watched.metric.worse));
        }
        let _ = write!(text, ": {}", decision.happened());
        let _ = write!(text, "; {}", self.turn.tell(kind));
        text
    }
}

impl Rule {
    fn tell(&self, kind: MetricKind, worse: Worse) -> String {
        let near = |value: f64| text::rounded(value, 2);
        match *self {
            Self::Fresh { band } => match band {
                Band::Stale => "its last reading is stale".to_owned(),
                Band::NotFinite => "its reading is not a finite number".to_owned(),
                _ => "it was not read in this phase".to_owned(),
            },
            Self::NotJudged => {
                "nothing judges it: no bound that has its reference, no live arm for a test"
                    .to_owned()
            }
            Self::LeastTrials { needs } => match kind {
                MetricKind::Proportion | MetricKind::Latency => {
                    format!("{} more requests are needed before its bounds speak", figure(needs))
                }
                _ => format!("{} more seconds are needed before its bounds speak", figure(needs)),
            },
            Self::Bound { bound, crossed, figure, over, value, .. } => {
                let (Some(figure), Some(value)) = (figure, value) else {
                    return format!("its {bound} bound has no reference");
                };
                let stands = match (crossed, worse) {
                    (Some(true), Worse::Higher) => "above",
                    (Some(true), Worse::Lower) => "below",
                    (Some(false), _) => "within",
                    (None, _) => "in the same bucket as",
                };
                format!(
                    "{} over the {over}, {stands} the {bound} bound {}",
                    in_unit(kind, value),
                    in_unit(kind, figure)
                )
            }
            Self::Evidence { log_e, threshold: Some(threshold) } => {
                format!("evidence {} of {} needed", near(log_e), near(threshold))
            }
            Self::Evidence { log_e, threshold: None } => {
                format!("evidence {}, which does not decide", near(log_e))
            }
            Self::Safe { decided: true, .. } => "shown to be no worse than the margin".to_owned(),
            Self::Safe { log_e, threshold, .. } => format!(
                "not shown to be no worse than the margin, {} of {} needed",
                near(log_e),
                near(threshold)
            ),
            Self::Efficacy { shown: true, .. } => "the fix is shown to work".to_owned(),
            Self::Efficacy { log_e, threshold, .. } => format!(
                "the fix is not shown to work, {} of {} needed",
                near(log_e),
                near(threshold)
            ),
            Self::Covered { seconds, least } => {
                format!("readings cover {} s of {} s", figure(seconds), figure(least))
            }
            Self::Arms => "both arms had the same counts in every tick of this phase".to_owned(),
        }
    }
}

impl Turn {
    fn tell(&self, kind: MetricKind) -> String {
        let more_or_fewer = |from: f64, to: f64| if to > from { "more" } else { "fewer" };
        match *self {
            Self::Events { from, to, then } => format!(
                "with {} in this tick, {} {}, it would have {}",
                figure(to),
                figure((to - from).abs()),
                more_or_fewer(from, to),
                then.would_have()
            ),
            Self::Slow { above, from, to, then } => format!(
                "with {} slower than {} in this tick, {} {}, it would have {}",
                figure(to),
                in_unit(kind, above),
                figure((to - from).abs()),
                more_or_fewer(from, to),
                then.would_have()
            ),
            Self::Level { to, then, .. } => {
                format!(
                    "with a level of {} in this tick it would have {}",
                    figure(to),
                    then.would_have()
                )
            }
            Self::None { reason: NoTurn::NoReading } => {
                "no reading came with this verdict".to_owned()
            }
            Self::None { reason: NoTurn::InParts } => {
                "the tick came in parts, so no single change of it is given".to_owned()
            }
            Self::None { reason: NoTurn::NotTaken } => "this tick was left out".to_owned(),
            Self::None { reason: NoTurn::NothingTurns } => {
                "no change of this tick alone would have turned it".to_owned()
            }
        }
    }
}

impl std::fmt::Display for MetricWhy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.sentence)
    }
}
