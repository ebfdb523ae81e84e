//! What people do: the procedure, the organisation's own commands, and the dos and don'ts.

use super::super::{CommandOwner, Plan, PlannedStep};
use super::head::sentence_text;
use super::{Page, needs};
use crate::grade::{AdviceKind, StepClock};
use crate::policy::section::TimeRange;
use crate::text::{markdown, quoted, time_range, times};

pub(super) fn procedure(plan: &Plan, page: &mut Page) {
    let procedure = plan.procedure();
    if !procedure.steps.is_empty() {
        page.heading(2, "Procedure");
        let rows = procedure.steps.iter().enumerate().map(|(at, step)| {
            let role = step.role.map(|role| format!(" ({})", needs::title(plan, role)));
            [
                (at + 1).to_string(),
                markdown(step.title) + &role.unwrap_or_default(),
                markdown(step.goal),
                takes(step),
                since(step),
                markdown(step.done_when),
            ]
        });
        page.table(
            ["", "Step", "Goal", "Takes", "Time since detection", "Done when"],
            rows.collect(),
        );
    }
}

/// How long a step takes: its duration, or the time between its two positions.
fn takes(step: &PlannedStep<'_>) -> String {
    let range = match (step.clock, step.time) {
        (StepClock::Position, Some(TimeRange { least, most })) => {
            time_range(None, most.map(|most| most - least.unwrap_or_default()))
        }
        (_, time) => time.and_then(|range| time_range(range.least, range.most)),
    };
    range.unwrap_or_else(|| "–".to_owned())
}

/// The time since detection, from the step's earliest start to its latest end.
fn since(step: &PlannedStep<'_>) -> String {
    let starts = step.starts.and_then(|starts| starts.least);
    let Some((starts, ends)) = starts.zip(step.ends.and_then(|ends| ends.most)) else {
        return "–".to_owned();
    };
    let later = if step.may_be_later { " or later" } else { "" };
    format!("{}{later}", times(starts, ends))
}

pub(super) fn advice(plan: &Plan, page: &mut Page) {
    let advice = plan.advice();
    if advice.is_empty() {
        return;
    }
    page.heading(2, "Dos and don'ts");
    for (kind, heading) in
        [(AdviceKind::Do, "Do"), (AdviceKind::Dont, "Do not"), (AdviceKind::Pitfall, "Avoid")]
    {
        let of_kind: Vec<_> = advice.iter().filter(|advice| advice.kind == kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        let rows = of_kind.iter().map(|advice| {
            let check = advice.seen_to_by.map(sentence_text);
            [markdown(advice.text), check.unwrap_or_else(|| "people".to_owned())]
        });
        page.table([heading, "Ensured by"], rows.collect());
    }
}

/// The commands of checklist items, phases, steps and rollback methods. Writes nothing without commands.
pub(super) fn commands(plan: &Plan, page: &mut Page) {
    let commands = plan.commands();
    if commands.is_empty() {
        return;
    }
    page.heading(2, "Commands");
    let text = "The policy has these commands. None of them is run automatically.";
    page.paragraph(text);
    for (of, heading) in [
        (CommandOwner::Item, "Checklists"),
        (CommandOwner::Phase, "Phases"),
        (CommandOwner::Step, "Procedure"),
        (CommandOwner::Method, "Rollback"),
    ] {
        let mut owners = commands.iter().filter(|owner| owner.of == of).peekable();
        if owners.peek().is_some() {
            page.heading(3, heading);
        }
        for owner in owners {
            page.paragraph(&format!("**{}** (`{}`):", markdown(owner.title), owner.id));
            page.fence(owner.commands.iter().map(|command| command.line.as_str()));
            let mut missing = Vec::new();
            for field in owner.commands.iter().flat_map(|command| &command.missing) {
                if !missing.contains(&field) {
                    missing.push(field);
                }
            }
            if !missing.is_empty() {
                page.paragraph(&format!("Not known: {}.", quoted(&missing, ", ")));
            }
        }
    }
}
