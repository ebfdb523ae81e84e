//! What people do, what helps at once, and what they had better not do.

use crate::grade::AdviceKind;
use crate::policy::section::TimeRange;
use crate::text::{markdown, time, times};

use super::super::{Holds, Plan, PlannedStep};
use super::{Page, words};

pub(super) fn write(plan: &Plan, page: &mut Page) {
    let procedure = plan.procedure();
    if !procedure.remedies.is_empty() {
        page.heading(2, "What helps at once");
        page.list(procedure.remedies.iter().map(|remedy| match remedy.holds {
            Holds::Yes => markdown(remedy.text),
            Holds::Maybe => format!("perhaps: {}", markdown(remedy.text)),
        }));
    }
    if !procedure.steps.is_empty() {
        page.heading(2, "Procedure");
        let rows = procedure.steps.iter().enumerate().map(|(at, step)| {
            let role = step.role.map(|role| {
                let house = plan.policy().role(role);
                house.map_or_else(|| words(role.as_str()), |house| markdown(&house.title))
            });
            [
                (at + 1).to_string(),
                role.map_or_else(
                    || markdown(step.title),
                    |role| format!("{} ({role})", markdown(step.title)),
                ),
                markdown(step.goal),
                takes(step),
                since(step),
                markdown(step.done_when),
            ]
        });
        page.table(
            ["", "Step", "Goal", "Takes", "Since the detection", "Done when"],
            rows.collect(),
        );
    }
    advice(plan, page);
}

fn takes(step: &PlannedStep<'_>) -> String {
    let range = |range: TimeRange| match (range.least, range.most) {
        (None, Some(most)) => format!("up to {}", time(most)),
        (Some(least), None) => format!("at least {}", time(least)),
        (Some(least), Some(most)) => times(least, most),
        (None, None) => "–".to_owned(),
    };
    step.time.map_or_else(|| "–".to_owned(), range)
}

/// From its earliest start to its latest end.
fn since(step: &PlannedStep<'_>) -> String {
    let starts = step.starts.and_then(|starts| starts.least);
    let Some((starts, ends)) = starts.zip(step.ends.and_then(|ends| ends.most)) else {
        return "–".to_owned();
    };
    let later = if step.may_be_later { " or later" } else { "" };
    format!("{} to {}{later}", time(starts), time(ends))
}

fn advice(plan: &Plan, page: &mut Page) {
    let advice = plan.advice();
    if advice.is_empty() {
        return;
    }
    page.heading(2, "Dos and don'ts");
    for (kind, heading) in
        [(AdviceKind::Do, "Do"), (AdviceKind::Dont, "Do not"), (AdviceKind::Pitfall, "Beware of")]
    {
        let of_kind: Vec<_> = advice.iter().filter(|advice| advice.kind == kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        page.heading(3, heading);
        page.list(of_kind.iter().map(|advice| match &advice.seen_to_by {
            Some(check) => format!(
                "{} (seen to by: {})",
                markdown(advice.text),
                super::head::remark_text(check)
            ),
            None => markdown(advice.text),
        }));
    }
}
