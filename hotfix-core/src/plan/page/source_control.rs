//! The source-control commands: release, rollback, another attempt and merge back.

use crate::text::{joined, markdown, words};
use crate::unit::Timestamp;
use crate::vcs::{Command, Condition, SourceControl, Step, Tool, VcsError};

use super::super::Plan;
use super::Page;
use super::head::sentence_text;

/// Writes the plan or the reason why it cannot be made; nothing without source control.
pub(super) fn write(plan: &Plan, start: Timestamp, page: &mut Page) {
    match plan.source_control(start) {
        Err(VcsError::NotSaid) => {}
        Err(error) => {
            page.heading(2, "Source control");
            page.paragraph(&format!(
                "No source-control plan can be made: {}.",
                sentence_text(&error.to_string())
            ));
        }
        Ok(vcs) => {
            page.heading(2, "Source control");
            summary(&vcs, page);
            steps(&vcs.steps, page);
            if !vcs.rollback.steps.is_empty() {
                page.heading(3, "Rollback");
                steps(&vcs.rollback.steps, page);
            }
            page.heading(3, "Another attempt after the rollback");
            steps(&vcs.rollback.again, page);
            let missing = vcs.merge_back.branches.iter().filter(|branch| !branch.planned);
            for (at, branch) in missing.enumerate() {
                if at == 0 {
                    page.heading(3, "Merge back");
                    fence(&vcs.merge_back.inspect, page);
                }
                let name = markdown(&branch.branch);
                page.paragraph(&format!(
                    "{name} must get the fix. This command fails while the fix is missing:"
                ));
                fence(std::slice::from_ref(&branch.has), page);
                steps(&branch.steps, page);
            }
        }
    }
}

fn summary(vcs: &SourceControl, page: &mut Page) {
    let mut parts = vec![format!("By {}", words(vcs.flow.as_str()))];
    parts.push(format!("from {}", markdown(&vcs.base)));
    parts.extend(vcs.tag.as_ref().map(|tag| format!("tagged {}", markdown(tag.as_str()))));
    page.paragraph(&format!("{}. None of these commands is run automatically.", parts.join(", ")));
    page.list(vcs.findings.iter().map(|finding| {
        let (message, remedy) = (finding.to_string(), finding.remedy());
        format!("{}: {}", sentence_text(&message), sentence_text(remedy))
    }));
}

fn steps(steps: &[Step], page: &mut Page) {
    for (at, step) in steps.iter().enumerate() {
        let people = step.people.as_deref().unwrap_or_default();
        // The instruction may begin with the title.
        let title = if people.starts_with(step.title.as_str()) { "" } else { step.title.as_str() };
        let parts = [markdown(title), sentence_text(&step.why), sentence_text(people)];
        let is_given = [!title.is_empty(), !step.why.is_empty(), !people.is_empty()];
        let parts = parts.iter().zip(is_given).filter(|(_, is_given)| *is_given);
        let parts = joined(parts.map(|(text, _)| text.trim_end_matches('.')), ". ");
        page.paragraph(&format!("**{}.** {parts}.", at + 1));
        if let Some(Condition { command, succeeds }) = &step.condition {
            let how = if *succeeds { "succeeds" } else { "fails" };
            page.paragraph(&format!("Only if this {how}:"));
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

fn fence(commands: &[Command], page: &mut Page) {
    page.fence(commands.iter().map(Command::shown));
}
