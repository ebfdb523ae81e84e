//! The final validation, and what happens after it.

use crate::fact::Truth;
use crate::grade::ChecklistMoment;
use crate::text::{joined, markdown, time, words};

use super::super::{FollowUp, LaterDuty, LaterList, Plan};
use super::phases::deployed;
use super::{Page, contacts, or_else, repeated};

pub(super) fn final_validation(plan: &Plan, page: &mut Page) {
    let follow_up = plan.follow_up();
    page.heading(2, "Final validation");
    let (takes, gate) = (time(follow_up.validation), words(follow_up.gate.as_str()));
    page.paragraph(&format!("{takes} after the last phase; gate: {gate}."));
    lists(plan, &follow_up, page, ChecklistMoment::is_live);
}

pub(super) fn afterwards(plan: &Plan, page: &mut Page) {
    let follow_up = plan.follow_up();
    if !follow_up.duties.is_empty() {
        page.heading(2, "Duties from the approval on");
        let rows = follow_up.duties.iter().map(|duty| duty_row(plan, duty));
        page.table(["What", "Since", "Within", "Who"], rows.collect());
    }
    if follow_up.lists.iter().any(|list| !list.at.is_live()) {
        page.heading(2, "After the rollout");
    }
    lists(plan, &follow_up, page, |at| !at.is_live());
}

fn duty_row(plan: &Plan, duty: &LaterDuty<'_>) -> [String; 4] {
    let who = duty.who.as_ref().map(|who| contacts::titled(plan, who));
    let audience = duty.audience.map(|audience| format!("to the {}", words(audience.as_str())));
    let only = if duty.stop_gap { " (if the fix is a stop-gap)" } else { "" };
    [
        markdown(duty.title) + only,
        words(duty.from.as_str()),
        duty.within.in_words() + &repeated(duty.every),
        or_else(joined(who.into_iter().chain(audience), ", "), "–"),
    ]
}

fn lists(
    plan: &Plan,
    follow_up: &FollowUp<'_>,
    page: &mut Page,
    is_shown: fn(ChecklistMoment) -> bool,
) {
    for list in follow_up.lists.iter().filter(|list| is_shown(list.at)) {
        let holds = if list.holds { ", the rollout waits for it" } else { "" };
        let sure = if list.applies == Truth::Unknown { ", if it applies" } else { "" };
        let within = list.within.map(|within| format!(", within {}", time(within)));
        let who = list.who.as_ref().map(|who| format!(", {}", contacts::titled(plan, who)));
        let (within, who) = (within.unwrap_or_default(), who.unwrap_or_default());
        let title = markdown(list.title);
        page.paragraph(&format!("**{title}** ({}{within}{who}{holds}{sure}):", when(plan, list)));
        page.list(list.items.iter().map(|item| {
            let only = match (item.required, item.if_applicable) {
                (_, true) => " (if it applies)",
                (false, false) => " (if possible)",
                (true, false) => "",
            };
            format!("{}{only}", markdown(item.text))
        }));
    }
}

fn when(plan: &Plan, list: &LaterList<'_>) -> String {
    let when = match list.at {
        ChecklistMoment::Start | ChecklistMoment::Before => "before the start",
        ChecklistMoment::Deployed => return format!("once {}", deployed(plan)),
        ChecklistMoment::Verified => "once the fix is verified",
        ChecklistMoment::FinalValidation => "during the final validation",
        ChecklistMoment::RolledBack => "after a rollback",
        ChecklistMoment::After => "once the rollout is over",
    };
    when.to_owned()
}
