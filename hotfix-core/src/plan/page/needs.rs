//! What is needed before the start: approvals, review, tests, checklists and a small change.

use std::fmt::Write as _;

use crate::fact::{FactId, Truth};
use crate::gate::approval::stand_ins_of;
use crate::gate::{
    ApprovalDemand, ReviewDemand, ScopeReport, StagingDemand, StagingVerdict, TestingDemand,
};
use crate::grade::ReviewTime;
use crate::policy::section::ChecklistItem;
use crate::text::{counted, joined, markdown, quoted, time, time_range};
use crate::unit::RoleName;

use super::super::Plan;
use super::head::sentence_text;
use super::{Page, escaped};

pub(super) fn write(plan: &Plan, page: &mut Page) {
    let demands = plan.demands();
    let mut items: Vec<String> =
        demands.approvals.iter().map(|demand| approval(plan, demand)).collect();
    items.extend(demands.review.as_ref().map(|asked| review(plan, asked)));
    if let Some(asked) = &demands.testing {
        items.extend(testing(asked));
        items.extend(staging(&asked.staging));
    }
    items.extend(scope(&plan.scope()));
    items.extend(lists(plan));
    if !items.is_empty() {
        page.heading(2, "Needed before the start");
        page.list(items);
    }
}

pub(super) fn title(plan: &Plan, role: RoleName) -> String {
    markdown(&plan.policy().role_title(role))
}

fn approval(plan: &Plan, demand: &ApprovalDemand) -> String {
    let any_of: Vec<RoleName> = demand.any_of.iter().map(|one| one.role).collect();
    let titles =
        |roles: &[RoleName], between| joined(roles.iter().map(|role| title(plan, *role)), between);
    let mut text = format!("approval: {}", titles(&any_of, " or "));
    let stand_ins = stand_ins_of(plan.policy(), &any_of);
    if !stand_ins.is_empty() {
        let _ = write!(text, " (stand-in: {})", titles(&stand_ins, ", "));
    }
    if demand.verbal {
        text.push_str(", verbal approval is accepted");
    }
    if demand.author_alone {
        text.push_str(", the author may approve");
    }
    match demand.after_the_fact {
        Some(span) => {
            let _ = write!(text, ", at most {} after the start", time(span));
        }
        None if !demand.holds_start => text.push_str(", if possible"),
        None => {}
    }
    if !demand.notified.is_empty() {
        let _ = write!(text, "; then notify {}", titles(&demand.notified, ", "));
    }
    text
}

fn review(plan: &Plan, asked: &ReviewDemand) -> String {
    let when = match asked.time {
        ReviewTime::Before => "before the deployment",
        ReviewTime::After => "after the deployment",
        ReviewTime::Any => "before or after the deployment",
    };
    let people = counted(asked.approvers, "person", "people");
    let mut text = format!("review: {when}, by {people}");
    if asked.approvers > 1 {
        text += " (nobody counts them: one check clears a review item)";
    }
    if let Some(role) = &asked.role {
        let _ = write!(text, " ({})", title(plan, role.role));
    }
    if let Some(range) = time_range(asked.least, asked.most) {
        let _ = write!(text, ", {range}");
    }
    if !asked.questions.is_empty() {
        let _ = write!(text, "; questions: {}", escaped(&asked.questions, "; "));
    }
    text
}

fn testing(asked: &TestingDemand) -> Option<String> {
    let demands = escaped(&asked.demands, "; ");
    match (time_range(asked.least, asked.most), demands.is_empty()) {
        (None, true) => None,
        (Some(range), true) => Some(format!("tests: {range}")),
        (None, false) => Some(format!("tests: {demands}")),
        (Some(range), false) => Some(format!("tests, {range}: {demands}")),
    }
}

fn staging(asked: &StagingDemand) -> Option<String> {
    let facts: Vec<&str> = asked.would_tell.iter().map(FactId::as_str).collect();
    let because: Vec<&str> = asked.because.iter().map(|known| known.fact.as_str()).collect();
    let because = match because.as_slice() {
        [] => String::new(),
        facts => format!(" (because of {})", quoted(facts, ", ")),
    };
    match asked.verdict {
        StagingVerdict::Required => Some(format!("staging is required{because}")),
        StagingVerdict::MayBeLeftOut => Some(format!("staging may be skipped{because}")),
        StagingVerdict::Unknown => {
            Some(format!("staging is required; this may change with {}", quoted(&facts, ", ")))
        }
        StagingVerdict::NotAsked => None,
    }
}

/// Breaches of the scope, and what is unknown about the change.
fn scope(report: &ScopeReport) -> Vec<String> {
    let mut items: Vec<String> = report
        .breaches
        .iter()
        .map(|breach| {
            let files = escaped(&breach.paths, ", ");
            let files = if files.is_empty() { files } else { format!(" ({files})") };
            let message = sentence_text(&breach.message);
            format!(
                "**too much for a hot-fix:** {message}{files}: {}",
                sentence_text(breach.remedy)
            )
        })
        .collect();
    if !report.unknown.is_empty() {
        let questions: Vec<String> = report
            .unknown
            .iter()
            .map(|unknown| {
                let text = unknown.message.as_str();
                let said = ["it is not stated ", "it is not known "];
                sentence_text(said.iter().find_map(|said| text.strip_prefix(said)).unwrap_or(text))
            })
            .collect();
        items.push(format!("unknown about the change: {}", questions.join("; ")));
    }
    let figures = report.figures.as_ref().map(|figures| {
        let files = counted(figures.files, "file", "files");
        let tests = if figures.tests.is_empty() { ", none of them a test" } else { "" };
        format!("{files}, +{} −{} lines{tests}", figures.added, figures.deleted)
    });
    if let Some(figures) = figures {
        let fits =
            if report.content == Some(Truth::Yes) { ", within the policy's limits" } else { "" };
        items.push(format!("the change: {figures}{fits}"));
    }
    if !report.wanted.is_empty() {
        items.push(format!("the change should have: {}", escaped(&report.wanted, "; ")));
    }
    items
}

/// The checklists that the start waits for, one line each: required items, then optional ones.
fn lists(plan: &Plan) -> Vec<String> {
    let lists = plan.policy().checklists().iter().filter(|list| list.holds_start());
    lists
        .filter_map(|list| {
            let sure = match plan.situation().asks_for(plan.policy(), list) {
                Truth::Yes => "",
                Truth::Unknown => " (this list may not apply)",
                Truth::No => return None,
            };
            let text = |item: &ChecklistItem| {
                let only = if item.if_applicable { " (if it applies)" } else { "" };
                format!("{}{only}", markdown(&item.text))
            };
            let of = |required| {
                let items = list.items.iter().filter(move |item| item.required == required);
                joined(items.map(text), "; ")
            };
            let parts = match (of(true), of(false)) {
                (required, optional) if optional.is_empty() => required,
                (required, optional) if required.is_empty() => format!("if possible: {optional}"),
                (required, optional) => format!("{required}; if possible: {optional}"),
            };
            let name = markdown(&list.title);
            let colon = if name.ends_with('?') { "" } else { ":" };
            let within =
                list.within.map(|within| format!("within {} of the declaration", time(within)));
            let whose =
                joined(within.into_iter().chain(list.role.map(|role| title(plan, role))), ", ");
            let whose = if whose.is_empty() { whose } else { format!(" ({whose})") };
            (!parts.is_empty()).then(|| format!("**{name}{colon}** {parts}{whose}{sure}"))
        })
        .collect()
}
