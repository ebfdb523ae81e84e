//! The commands of source control: there, back, and home (VCS-1, VCS-6).

use crate::text::{markdown, words};
use crate::unit::Timestamp;
use crate::vcs::{Command, Condition, SourceControl, Step, Tool, VcsError};

use super::super::Plan;
use super::Page;
use super::head::remark_text;

/// Nothing where the policy says nothing of source control; where a plan of it is refused, a remark says why.
pub(super) fn write(plan: &Plan, start: Timestamp, page: &mut Page) {
    match plan.source_control(start) {
        Err(VcsError::NotSaid) => {}
        Err(error) => {
            page.heading(2, "Source control");
            page.paragraph(&format!("No plan can be made: {}.", remark_text(&error.to_string())));
        }
        Ok(vcs) => {
            page.heading(2, "Source control");
            summary(&vcs, page);
            steps(&vcs.steps, page);
            if !vcs.back.steps.is_empty() {
                page.heading(3, "Back");
                steps(&vcs.back.steps, page);
            }
            let missing = vcs.home.branches.iter().filter(|branch| !branch.planned);
            for (at, branch) in missing.enumerate() {
                if at == 0 {
                    page.heading(3, "Home");
                    fence(&vcs.home.look, page);
                }
                let name = markdown(&branch.branch);
                page.paragraph(&format!(
                    "{name} must have the fix in the end. This fails while it lacks it:"
                ));
                fence(std::slice::from_ref(&branch.has), page);
                steps(&branch.steps, page);
            }
        }
    }
}

fn summary(vcs: &SourceControl, page: &mut Page) {
    let mut parts = vec![format!("By {}", words(vcs.flow.as_str()))];
    parts.extend(vcs.base.as_deref().map(|base| format!("from {}", markdown(base))));
    parts.extend(vcs.tag.as_ref().map(|tag| format!("tagged {}", markdown(tag.as_str()))));
    page.paragraph(&format!("{}. Nothing of this is run by itself.", parts.join(", ")));
    page.list(vcs.findings.iter().map(|finding| {
        let (message, remedy) = (finding.to_string(), finding.remedy());
        format!("{}: {}", remark_text(&message), remark_text(remedy))
    }));
}

fn steps(steps: &[Step], page: &mut Page) {
    for (at, step) in steps.iter().enumerate() {
        let people = step.people.as_deref().unwrap_or_default();
        // What people do may begin with the title.
        let title = if people.starts_with(step.title.as_str()) { "" } else { step.title.as_str() };
        let said = [markdown(title), remark_text(&step.why), remark_text(people)];
        let is_said = [!title.is_empty(), !step.why.is_empty(), !people.is_empty()];
        let said: Vec<&str> = said
            .iter()
            .zip(is_said)
            .filter(|(_, is_said)| *is_said)
            .map(|(text, _)| text.trim_end_matches('.'))
            .collect();
        page.paragraph(&format!("**{}.** {}.", at + 1, said.join(". ")));
        if let Some(Condition { command, succeeds }) = &step.condition {
            let how = if *succeeds { "succeeds" } else { "fails" };
            page.paragraph(&format!("Only where this {how}:"));
            fence(std::slice::from_ref(command), page);
            if !step.commands.is_empty() {
                page.paragraph("Then:");
            }
        }
        fence(&step.commands, page);
        if let Some(instead) = &step.instead {
            let Tool::Gh = instead.tool;
            page.paragraph("Or, with `gh`:");
            fence(&instead.commands, page);
        }
    }
}

/// Commands as they are shown, in a block that nothing in them ends: its fence is longer than any run of back-ticks in it.
fn fence(commands: &[Command], page: &mut Page) {
    if commands.is_empty() {
        return;
    }
    let lines: Vec<&str> = commands.iter().map(Command::shown).collect();
    let text = lines.join("\n");
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest.max(2) + 1);
    page.paragraph(&format!("{fence}sh\n{text}\n{fence}"));
}
