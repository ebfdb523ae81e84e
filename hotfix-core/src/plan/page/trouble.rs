//! Rollback, risks, and what to do if something else fails.

use std::fmt::Write as _;

use crate::grade::{Response, Sign, Signal};
use crate::text::{joined, markdown, quoted, time, time_range, words};

use super::super::{
    Meanwhile, OnFailure, Plan, PointPart, ReturnStep, RollbackMethodPlan, RollbackPlan,
};
use super::head::sentence_text;
use super::{Page, escaped};

pub(super) fn rollback(plan: &Plan, page: &mut Page) {
    page.heading(2, "Rollback");
    let back = plan.rollback();
    for no in &back.not_reversible {
        page.paragraph(&format!("**Cannot be rolled back:** {}.", sentence_text(&no.text)));
    }
    let follows = match back.on_failure {
        OnFailure::RollBack => None,
        OnFailure::Freeze => Some(
            "the rollout freezes: the traffic stays where it is, and somebody is paged to decide",
        ),
        OnFailure::Ask => {
            Some("a person is asked, and meanwhile nothing is promoted automatically")
        }
    };
    if let Some(follows) = follows {
        page.paragraph(&format!(
            "**Nothing is rolled back automatically:** where a metric, a report or a failed action \
             demands a rollback, {follows}."
        ));
    }
    let triggers = plan.policy().triggers();
    let rolls_back = |signal: &&Signal| triggers.response(**signal) == Response::RollBack;
    let signals = Signal::ALL.iter().filter(rolls_back).map(|signal| words(signal.as_str()));
    let signals = joined(signals, ", ");
    if !signals.is_empty() {
        let demand =
            if follows.is_some() { "A rollback is demanded" } else { "Roll back immediately" };
        page.paragraph(&format!("{demand} if somebody reports: {signals}."));
    }
    page.numbered(back.methods.iter().map(method));
    page.list(notes(&back));
}

fn method(method: &RollbackMethodPlan) -> String {
    let takes = method.takes.and_then(|takes| time_range(takes.least, takes.most));
    let takes = takes.unwrap_or_else(|| "time unknown".to_owned());
    let condition = method.condition.as_deref().map(markdown);
    let condition = condition.map_or_else(String::new, |condition| format!(" ({condition})"));
    format!("{}: {takes}{condition}", words(method.kind.as_str()))
}

fn notes(back: &RollbackPlan) -> Vec<String> {
    let mut items = Vec::new();
    if !back.others.is_empty() {
        let others = joined(back.others.iter().map(method), "; ");
        items.push(format!("also possible, by hand: {others}"));
    }
    items.extend(point(back));
    if !back.steps.is_empty() {
        let step = |step: &ReturnStep| {
            let wait = step.wait.map_or_else(String::new, |wait| format!(" for {}", time(wait)));
            format!("{}{wait}", step.share)
        };
        let steps = joined(back.steps.iter().map(step), ", ");
        items.push(format!(
            "traffic returns in steps, so that the previous version is not overloaded: {steps}"
        ));
    }
    let parts = [
        ("assess", back.assess),
        ("roll back", back.execute),
        ("verify", back.verify),
        ("total", back.estimate),
    ];
    let known = parts.into_iter().filter_map(|(what, takes)| {
        let takes = takes?;
        Some(format!("{what} {}", time_range(takes.least, takes.most)?))
    });
    let known = joined(known, ", ");
    if !known.is_empty() {
        items.push(format!("estimated time: {known}"));
    }
    items.push(format!(
        "then watch the metrics for at least {}; somebody is paged if they have not recovered after {}",
        time(back.watch),
        time(back.returned_within)
    ));
    if !back.unknown.is_empty() {
        let unknown: Vec<String> = back.unknown.iter().map(|input| dotted(input)).collect();
        items.push(format!("unknown, and may prevent a rollback: {}", quoted(&unknown, ", ")));
    }
    if !back.aftercare.is_empty() {
        items.push(format!("after the rollback: {}", escaped(&back.aftercare, "; ")));
    }
    items
}

/// A JSON Pointer as a person writes it: `traffic.flags`.
fn dotted(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}

/// The rollback point, if the policy demands it or if more than its version is known.
fn point(back: &RollbackPlan) -> Option<String> {
    let point = &back.point;
    let known = point.known.iter().filter(|(part, _)| **part != PointPart::Version);
    let known: Vec<String> =
        known.map(|(part, value)| format!("{part} {}", markdown(value))).collect();
    if !point.demanded && known.is_empty() {
        return None;
    }
    let mut text = format!("rollback point: {}", markdown(back.to.as_deref()?));
    for part in &known {
        let _ = write!(text, ", {part}");
    }
    if let Some(item) = point.item {
        let _ = write!(
            text,
            "; name its commit, artifact or deployment before the start, as the evidence of `{item}`"
        );
    }
    Some(text)
}

pub(super) fn risks(plan: &Plan, page: &mut Page) {
    let register = plan.risks().register;
    if register.is_empty() {
        return;
    }
    page.heading(2, "Risks");
    let rows = register.iter().map(|risk| {
        let grade = |grade: crate::grade::Grade| words(grade.as_str());
        let (likelihood, impact) = (grade(risk.likelihood), grade(risk.impact));
        [markdown(risk.risk), likelihood, impact, markdown(risk.mitigation)]
    });
    page.table(["Risk", "Likelihood", "Impact", "Mitigation"], rows.collect());
}

pub(super) fn contingencies(plan: &Plan, page: &mut Page) {
    let contingencies = plan.risks().contingencies;
    if contingencies.is_empty() {
        return;
    }
    page.heading(2, "If something else fails");
    page.list(contingencies.iter().map(|contingency| {
        let actions = match contingency.actions {
            [] => String::new(),
            actions => format!(": {}", escaped(actions, "; ")),
        };
        let meanwhile = match contingency.meanwhile {
            Some(Meanwhile::Wait) => " **The rollout waits until this is repaired.**".to_owned(),
            Some(Meanwhile::GoOnByHand) => " **The rollout continues by hand.**".to_owned(),
            None if contingency.waits.is_empty() || contingency.sign == Some(Sign::NoData) => {
                String::new()
            }
            None => {
                let waits = contingency.waits.iter().map(|severity| severity.as_str());
                format!(" {}: people wait until this is repaired.", joined(waits, ", "))
            }
        };
        format!("{}{actions}.{meanwhile}", markdown(contingency.when))
    }));
}
