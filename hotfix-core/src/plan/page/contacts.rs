//! What has to be done first, and whom to call.

use crate::gate::Who;
use crate::text::{joined, markdown, quoted, time, words};

use super::super::{FirstStep, FirstStepKind, Plan};
use super::head::sentence_text;
use super::{Page, needs, or_else, repeated};

/// What people do at once, and what the start waits for.
pub(super) fn what_now(plan: &Plan, page: &mut Page) {
    page.heading(2, "What now");
    let steps = plan.first_steps();
    let (at_once, before): (Vec<_>, Vec<_>) =
        steps.iter().partition(|step| step.kind == FirstStepKind::Duty);
    if !at_once.is_empty() {
        let known = plan.detected_at().map(super::utc);
        let known = known.map_or_else(String::new, |at| format!(", detected at {at} UTC"));
        page.paragraph(&format!("As soon as the incident is known{known}:"));
        page.list(at_once.into_iter().map(|step| {
            let when = match step.within {
                Some(span) if !span.is_zero() => format!("within {}", time(span)),
                _ => "at once".to_owned(),
            };
            let when = when + &repeated(step.every);
            format!("**{when}:** {}{}", markdown(&step.text), people(plan, step))
        }));
    }
    let (waits, others): (Vec<_>, Vec<_>) = before.into_iter().partition(|step| step.holds_start);
    if waits.is_empty() {
        page.paragraph("The start waits for nothing: send `start`.");
    } else {
        page.paragraph("The start waits for this. Then send `start`.");
        page.numbered(waits.into_iter().map(|step| before_start(plan, step)));
    }
    if !others.is_empty() {
        page.paragraph("Also before the start:");
        page.list(others.into_iter().map(|step| before_start(plan, step)));
    }
}

fn before_start(plan: &Plan, step: &FirstStep<'_>) -> String {
    let text = match step.kind {
        FirstStepKind::Duty
        | FirstStepKind::Approval
        | FirstStepKind::Review
        | FirstStepKind::Checklist => markdown(&step.text),
        // The other sentences have names in backticks.
        _ => sentence_text(&step.text),
    };
    format!("{text}{}", people(plan, step))
}

/// Who does a step: ` (on-call engineer: Iris, pager 7)`.
fn people(plan: &Plan, step: &FirstStep<'_>) -> String {
    let reached = joined(step.who.iter().map(|who| titled(plan, who)), "; ");
    if reached.is_empty() { reached } else { format!(" ({reached})") }
}

/// A role with its people: `on-call engineer: Iris, pager 7`.
pub(super) fn titled(plan: &Plan, who: &Who<'_>) -> String {
    format!("{}: {}", needs::title(plan, who.role), reached(plan, who))
}

fn reached(plan: &Plan, who: &Who<'_>) -> String {
    let holders = who.holders.iter().map(|holder| match holder.reach {
        Some(reach) => format!("{}, {}", markdown(holder.name), markdown(reach)),
        None => markdown(holder.name),
    });
    let people = joined(holders.chain(who.reach.map(markdown)), " or ");
    if people.is_empty() {
        return "nobody is named".to_owned();
    }
    let stand_in = who.stand_in.map(|role| format!("stand-in {}: ", needs::title(plan, role)));
    format!("{}{people}", stand_in.unwrap_or_default())
}

pub(super) fn whom_to_call(plan: &Plan, page: &mut Page) {
    let contacts = plan.contacts();
    if contacts.escalation.is_empty() && contacts.roles.is_empty() && contacts.vendors.is_empty() {
        return;
    }
    page.heading(2, "Whom to call");
    let pages = contacts.escalation.iter().map(|paged| {
        let answer = paged.answer.map(|answer| format!(", to answer within {}", answer.in_words()));
        let when = paged.within.in_words() + &answer.unwrap_or_default();
        let severities = joined(paged.severities.iter().map(|s| s.as_str()), ", ");
        let who = paged.who.as_ref().map(|who| titled(plan, who));
        let from = words(paged.from.as_str());
        [
            when,
            from,
            or_else(severities, "all"),
            who.unwrap_or_else(|| "–".to_owned()),
            markdown(paged.title),
        ]
    });
    page.table(["Paged after", "Since", "Severities", "Who", "For"], pages.collect());
    let (named, open): (Vec<_>, Vec<_>) = contacts.roles.iter().partition(|who| who.is_reached());
    let stand_ins = |who: &Who<'_>| {
        or_else(joined(who.stand_ins.iter().map(|r| needs::title(plan, *r)), ", "), "–")
    };
    let rows = named
        .into_iter()
        .map(|who| [needs::title(plan, who.role), reached(plan, who), stand_ins(who)]);
    page.table(["Role", "Whom to call", "Stand-ins"], rows.collect());
    if !open.is_empty() {
        let roles: Vec<_> = open.iter().map(|who| who.role).collect();
        page.paragraph(&sentence_text(&format!(
            "Nobody is named for {}: add `holders` or `reach` under `roles` in your policy.",
            quoted(&roles, ", ")
        )));
    }
    let shown = |text: &Option<String>| markdown(text.as_deref().unwrap_or_default());
    let vendors = contacts.vendors.iter().map(|vendor| {
        let [support, status, dashboard] =
            [&vendor.support, &vendor.status, &vendor.dashboard].map(shown);
        [markdown(&vendor.name), support, status, dashboard]
    });
    page.table(["Vendor", "Support", "Status page", "Dashboard"], vendors.collect());
}
