//! How severe it is and why, and what that asks for.

use std::fmt::Write as _;

use crate::grade::Hotfix;
use crate::policy::section::{Approval, Due};
use crate::text::{markdown, time};

use super::super::Plan;
use super::head::remark_text;
use super::{Page, utc, words};

pub(super) fn write(plan: &Plan, page: &mut Page) {
    page.heading(2, "Severity");
    why(plan, page);
    asks(plan, page);
    deadlines(plan, page);
}

fn why(plan: &Plan, page: &mut Page) {
    let assessment = plan.assessment();
    let mut text = match assessment.severity {
        Some(severity) => {
            let label =
                assessment.label.map_or_else(String::new, |label| format!(", {}", markdown(label)));
            let source = if assessment.given { "given with the incident" } else { "by the rules" };
            format!("**{severity}{label}** ({source}).")
        }
        None if plan.policy().severities().is_empty() => "The policy has no severities.".to_owned(),
        None => "Not known.".to_owned(),
    };
    if let Some(process) = assessment.process {
        let _ = write!(text, " Process: {}.", markdown(process));
    }
    text.push_str(match assessment.hotfix {
        Hotfix::Yes => " The rules call for a hot-fix.",
        Hotfix::No => " The rules call for no hot-fix.",
        Hotfix::Unknown => "",
    });
    page.paragraph(&text);
    let rules = assessment.rules.iter();
    let rules = rules.map(|rule| format!("by the rule `{}`: {}", rule.id, markdown(rule.title)));
    // More than these are for a program to go through.
    let asks = assessment.ask.iter().take(5);
    let asks =
        asks.map(|ask| format!("not known: {} (`{}`)", markdown(ask.question), ask.fact.as_str()));
    page.list(rules.chain(asks));
}

fn asks(plan: &Plan, page: &mut Page) {
    let own = plan.level().map_or(&[][..], |level| level.approvals.as_slice());
    let demands: Vec<String> =
        own.iter().chain(plan.policy().approvals()).map(|a| approval(plan, a)).collect();
    if demands.is_empty() {
        return;
    }
    page.heading(3, "Approvals");
    page.list(demands);
}

fn approval(plan: &Plan, demand: &Approval) -> String {
    let title = |role: &crate::unit::RoleName| {
        let house = plan.policy().role(*role);
        house.map_or_else(|| words(role.as_str()), |house| markdown(&house.title))
    };
    let roles: Vec<String> = demand.any_of.iter().map(title).collect();
    let mut text = roles.join(" or ");
    if demand.verbal {
        text.push_str(", the spoken word will do");
    }
    match demand.after_the_fact {
        Some(span) => {
            let _ = write!(text, ", up to {} after the start", time(span));
        }
        None if !demand.blocking => text.push_str(", if possible"),
        None => {}
    }
    if !demand.told.is_empty() {
        let told: Vec<String> = demand.told.iter().map(title).collect();
        let _ = write!(text, "; then told: {}", told.join(", "));
    }
    text
}

fn deadlines(plan: &Plan, page: &mut Page) {
    let slo = plan.slo();
    let mut rows = Vec::new();
    for objective in slo.slo.iter().chain(&slo.deadlines) {
        let within = match objective.within {
            Due::Within(span) => time(span),
            Due::Next(day) => words(day.as_str()),
        };
        let clock =
            format!("{} to {}", words(objective.from.as_str()), words(objective.to.as_str()));
        let at = |at: Option<crate::unit::Timestamp>| at.map_or_else(|| "–".to_owned(), utc);
        let sentence = remark_text(&objective.sentence);
        let name = markdown(&objective.name);
        rows.push([name, within, clock, sentence, at(objective.due), at(objective.latest_start)]);
    }
    if rows.is_empty() {
        return;
    }
    page.heading(3, "Time allowed");
    page.table(["", "Within", "Clock", "This plan", "Due (UTC)", "Latest start (UTC)"], rows);
}
