//! Which strategy and why, why not the others, and what is done step by step (PLAN-1).

use std::fmt::Write as _;

use crate::text::{markdown, time, words};

use super::super::{ChosenBy, EndedBy, Move, Plan, Reason, ReasonCode, Side, StrategyStep, Weight};
use super::head::remark_text;
use super::{Page, trouble};

pub(super) fn write(plan: &Plan, page: &mut Page) {
    page.heading(2, "Strategy");
    let (chosen, advice) = (plan.strategy(), plan.recommendation());
    let [own, strategy, advised] =
        [chosen.own, chosen.strategy, advice.strategy].map(|one| words(one.as_str()));
    let by = match chosen.chosen_by {
        ChosenBy::Policy => "the policy's own".to_owned(),
        ChosenBy::Release if own == strategy => {
            "chosen for this release, as by the policy".to_owned()
        }
        ChosenBy::Release => format!("chosen for this release; the policy's own is {own}"),
    };
    let mut text = format!("**{strategy}**, {by}");
    if let Some(why) = &chosen.why {
        let _ = write!(text, ": {}", markdown(why));
    }
    if advice.strategy == chosen.strategy {
        let _ = write!(text, ". Advised: {advised}.");
    } else {
        let _ = write!(text, ". **Advised instead: {advised}.**");
    }
    page.paragraph(&text);
    let said =
        |reason: &&Reason| reason.code != ReasonCode::PolicySays || advice.strategy != chosen.own;
    let reasons = advice.reasons.iter().filter(said).map(|reason| {
        let sign = match reason.weight {
            Weight::Forbids | Weight::Against | Weight::Drawback => "against it: ",
            Weight::For => "for it: ",
            Weight::Note => "",
        };
        format!("{sign}{}", remark_text(&reason.text))
    });
    page.list(reasons);
    let others = advice.alternatives.iter().map(|other| {
        let least = other.least.map_or_else(|| "–".to_owned(), time);
        [words(other.strategy.as_str()), least, why_not(&other.reasons)]
    });
    page.table(["Other", "Everybody has it after", "Why not"], others.collect());
    let known = advice.if_known.iter().map(|known| {
        let input = trouble::dotted(known.input);
        let value = remark_text(&known.value);
        format!("{}, if `{input}` is {value}", words(known.strategy.as_str()))
    });
    let known: Vec<String> = known.collect();
    if !known.is_empty() {
        page.paragraph(&format!("It would be another: {}.", known.join("; ")));
    }
}

/// What the policy says of it, then what speaks against it; of what is forbidden no drawback matters, and where the policy
/// speaks it has said what lies in the strategy itself.
fn why_not(reasons: &[Reason]) -> String {
    let forbidden = reasons.iter().any(|reason| reason.weight == Weight::Forbids);
    let by_policy = reasons.iter().filter(|reason| reason.code == ReasonCode::PolicySays);
    let told = by_policy.clone().next().is_some();
    let against = reasons.iter().filter(|reason| match reason.weight {
        Weight::Forbids => true,
        Weight::Against | Weight::Drawback if forbidden => false,
        Weight::Against | Weight::Drawback => !told || reason.code != ReasonCode::AllAtOnce,
        Weight::For | Weight::Note => false,
    });
    let said: Vec<String> =
        by_policy.chain(against).map(|reason| remark_text(&reason.text)).collect();
    if said.is_empty() { "it could be taken, too".to_owned() } else { said.join("; ") }
}

/// What is done, one thing after the other.
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
        Move::Deploy if side.is_empty() => "deploy; no traffic moves".to_owned(),
        Move::Deploy => format!("deploy to{side}; no traffic moves"),
        Move::Validate => format!("check{side} before it has traffic"),
        Move::Shift => format!("shift{share} of the traffic to it"),
        Move::Flag => format!("set the flag to{share}"),
        Move::Switch => format!("switch{share} of the traffic to{side}"),
        Move::Batch => match step.instances {
            Some(1) => "1 instance has it".to_owned(),
            Some(instances) => format!("{instances} instances have it:{share}"),
            None => format!("the next instances get it, up to{share}"),
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
        let checks: Vec<String> = step.checks.iter().map(|check| markdown(check)).collect();
        let look = if step.what == Move::Validate { ": " } else { "; look at: " };
        let _ = write!(text, "{look}{}", checks.join("; "));
    }
    text
}
