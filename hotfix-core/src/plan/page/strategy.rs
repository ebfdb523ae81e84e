//! The strategy and its reasons, the alternatives, and the steps.

use std::fmt::Write as _;

use crate::text::{joined, markdown, time, words};

use super::super::{ChosenBy, EndedBy, Move, Plan, Reason, ReasonCode, Side, StrategyStep, Weight};
use super::head::sentence_text;
use super::{Page, escaped, or_else};

pub(super) fn write(plan: &Plan, page: &mut Page) {
    page.heading(2, "Strategy");
    let (chosen, advice) = (plan.strategy(), plan.recommendation());
    let [own, strategy, advised] =
        [chosen.own, chosen.strategy, advice.strategy].map(|one| words(one.as_str()));
    let by = match chosen.chosen_by {
        ChosenBy::Policy => "the strategy of the policy".to_owned(),
        ChosenBy::Release if own == strategy => {
            "chosen for this release, the same as the policy's".to_owned()
        }
        ChosenBy::Release => format!("chosen for this release; the policy's strategy is {own}"),
    };
    let mut text = format!("**{strategy}**, {by}");
    if let Some(why) = &chosen.why {
        let _ = write!(text, ": {}", markdown(why));
    }
    if advice.strategy == chosen.strategy {
        let _ = write!(text, ". Recommended: {advised}.");
    } else {
        let _ = write!(text, ". **Recommended instead: {advised}.**");
    }
    page.paragraph(&text);
    if advice.strategy != chosen.strategy {
        page.paragraph(&format!("About {advised}:"));
    }
    let shown =
        |reason: &&Reason| reason.code != ReasonCode::PolicySays || advice.strategy != chosen.own;
    let reasons = advice.reasons.iter().filter(shown).map(|reason| {
        let sign = match reason.weight {
            Weight::Forbids | Weight::Against | Weight::Drawback => "against: ",
            Weight::For => "for: ",
            Weight::Note => "",
        };
        format!("{sign}{}", sentence_text(&reason.text))
    });
    page.list(reasons);
    let others = advice.alternatives.iter().map(|other| {
        let least = other.least.map_or_else(|| "–".to_owned(), time);
        let is_chosen = other.strategy == chosen.strategy;
        let name = words(other.strategy.as_str());
        let name = if is_chosen { format!("{name} (chosen)") } else { name };
        [name, least, why_not(&other.reasons)]
    });
    let until = match plan.policy().held_back() {
        Some(_) => "From the start until the last phase has its traffic",
        None => "From the start until live for everybody",
    };
    page.table(["Alternative", until, "Why not, or when"], others.collect());
}

/// The policy's reason, then the reasons against the strategy. Drawbacks of a forbidden strategy
/// are left out, and with a reason of the policy also the drawback of its kind.
fn why_not(reasons: &[Reason]) -> String {
    let forbidden = reasons.iter().any(|reason| reason.weight == Weight::Forbids);
    let by_policy = reasons.iter().filter(|reason| reason.code == ReasonCode::PolicySays);
    let has_reason = by_policy.clone().next().is_some();
    let against = reasons.iter().filter(|reason| match reason.weight {
        Weight::Forbids => true,
        Weight::Against | Weight::Drawback if forbidden => false,
        Weight::Against | Weight::Drawback => !has_reason || reason.code != ReasonCode::AllAtOnce,
        Weight::For | Weight::Note => false,
    });
    let shown = by_policy.chain(against).map(|reason| sentence_text(&reason.text));
    or_else(joined(shown, "; "), "also possible")
}

pub(super) fn steps(plan: &Plan, page: &mut Page) {
    page.heading(3, "Step by step");
    page.numbered(plan.strategy().steps.iter().map(step));
}

fn step(step: &StrategyStep) -> String {
    let side = step.side.map_or("", |side| match side {
        Side::Live => " the live side",
        Side::Idle => " the idle side",
    });
    let share = step.share.map_or_else(String::new, |share| format!(" {share}"));
    let mut text = match step.what {
        Move::Deploy if side.is_empty() => "deploy without traffic".to_owned(),
        Move::Deploy => format!("deploy to{side} without traffic"),
        Move::Validate => format!("check{side} before it gets traffic"),
        Move::Shift => format!("shift{share} of the traffic to it"),
        Move::Flag => format!("set the flag to{share}"),
        Move::Switch => format!("switch{share} of the traffic to{side}"),
        Move::Batch => match step.instances {
            Some(1) => "deploy to 1 instance".to_owned(),
            Some(instances) => format!("deploy to reach {instances} instances:{share}"),
            None => format!("deploy to the next instances, up to{share}"),
        },
        Move::Watch => format!("watch{side}"),
    };
    if let Some(lasts) = step.lasts {
        let least = if step.what == Move::Watch { "at least " } else { "" };
        let _ = write!(text, ", {least}{}", time(lasts));
    }
    if let Some(phase) = step.phase {
        let _ = write!(text, " (`{phase}`)");
    }
    if step.ended_by == Some(EndedBy::Gate) {
        text.push_str(", then the gate");
    }
    if !step.checks.is_empty() {
        text.push_str(if step.what == Move::Validate { ": " } else { "; check: " });
        text.push_str(&escaped(&step.checks, "; "));
    }
    text
}
