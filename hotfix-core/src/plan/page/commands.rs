//! The organisation's own commands.

use crate::text::markdown;

use super::super::{CommandOwner, Plan};
use super::Page;

/// The commands of checklist items, phases, steps and rollback methods. Writes nothing without commands.
pub(super) fn write(plan: &Plan, page: &mut Page) {
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
            let title = if owner.title.is_empty() { owner.id } else { owner.title };
            page.paragraph(&format!("**{}** (`{}`):", markdown(title), owner.id));
            page.fence(owner.commands.iter().map(|command| command.line.as_str()));
            let missing = owner.commands.iter().flat_map(|command| &command.missing);
            let mut missing: Vec<String> = missing.map(|field| format!("`{field}`")).collect();
            missing.dedup();
            if !missing.is_empty() {
                page.paragraph(&format!("Not known: {}.", missing.join(", ")));
            }
        }
    }
}
