//! The commands of the organisation's own steps, with this plan's values.

use std::fmt::Write as _;

use serde::Serialize;

use crate::grade::{RollbackMethod, TagForm, closed_set};
use crate::policy::section::{
    ChecklistItem, CommandField, CommandPart, Phase, ProcedureStep, RollbackWay, command_parts,
    quoted_value,
};
use crate::unit::Timestamp;
use crate::vcs::{Step, VcsStepKind, tag_name};

use super::Plan;

closed_set! {
    /// What commands belong to.
    CommandOwner {
        /// An item of a checklist.
        Item = "item",
        /// A phase of the rollout.
        Phase = "phase",
        /// A step of the procedure.
        Step = "step",
        /// A rollback method.
        Method = "method",
    }
}

/// The commands of one item, phase, step or rollback method. This library does not run them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedCommands<'a> {
    /// What they belong to.
    pub of: CommandOwner,
    /// Its id, or the name of the phase or method.
    pub id: &'a str,
    /// What people call it.
    pub title: &'a str,
    /// The commands, in order.
    pub commands: Vec<PlannedCommand>,
}

/// One command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedCommand {
    /// The line for a POSIX shell. A value is quoted; one that is not known remains a placeholder.
    pub line: String,
    /// The placeholders that remain: their values are not known, or no command can have them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<CommandField>,
}

#[derive(Clone, Copy)]
pub(crate) enum Commanded<'a> {
    Item(&'a ChecklistItem),
    Phase(&'a Phase),
    Step(&'a ProcedureStep),
    Method(&'a RollbackWay),
}

/// The step whose commands come with the action `deploy`.
const DEPLOY: &str = "deploy";

const fn title_of(method: RollbackMethod) -> &'static str {
    match method {
        RollbackMethod::GitRevert => "revert the fix in source control",
        RollbackMethod::FeatureFlag => "switch the flag off",
        RollbackMethod::Redeploy => "deploy the previous version again",
        RollbackMethod::Platform => "return to the platform's previous deployment",
        RollbackMethod::BlueGreenSwitch => "switch the traffic back to the other side",
    }
}

/// Whether the lines of the source-control plan revert the fix: not if the policy's commands use git.
fn is_reverted_by_plan(way: &RollbackWay) -> bool {
    let has_own = way.commands.iter().any(|line| line.starts_with("git "));
    way.kind == RollbackMethod::GitRevert && !has_own
}

impl Plan {
    /// The commands that the policy has for items of checklists, phases, steps and rollback methods,
    /// in this order, with the values of this plan. Those of `git_revert` begin with the lines of
    /// the source-control plan, unless the policy's own use git. Nothing is run.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::Plan, policy::Policy};
    ///
    /// let own = r#"{"extends": "standard", "name": "own", "procedure": [{"id": "ship",
    ///     "title": "Ship", "commands": ["./ship.sh {{ service }} {{ version }}"]}]}"#;
    /// let incident = r#"{"id": "INC-1", "service": "the shop"}"#;
    /// let release = r#"{"version": "2.3.1", "previous": "2.3.0"}"#;
    /// let plan = Plan::from_json(Arc::new(Policy::from_json(own)?), incident, release, "")?;
    /// let commands = plan.commands();
    /// let ship = commands.iter().find(|owner| owner.id == "ship").ok_or("it has a command")?;
    /// assert_eq!(ship.commands[0].line, "./ship.sh 'the shop' 2.3.1");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn commands(&self) -> Vec<PlannedCommands<'_>> {
        let policy = self.policy();
        let previous = self.release().map(|release| release.previous.as_str());
        let items = policy.checklists().iter().flat_map(|list| &list.items).map(Commanded::Item);
        let phases = policy.phases().iter().map(Commanded::Phase);
        let steps = policy.procedure().iter().map(Commanded::Step);
        let methods = policy.rollback().methods.iter().map(Commanded::Method);
        let all = items.chain(phases).chain(steps).chain(methods);
        all.filter_map(|of| self.commands_of(of, previous)).collect()
    }

    /// The commands of one of these with the values of this plan; None if the policy has no command
    /// for it. `previous` is the version that a rollback restores.
    pub(crate) fn commands_of<'a>(
        &self,
        of: Commanded<'a>,
        previous: Option<&str>,
    ) -> Option<PlannedCommands<'a>> {
        let (owner, id, title, lines, phase) = match of {
            Commanded::Item(item) => {
                (CommandOwner::Item, item.id.as_str(), item.text.as_str(), &item.commands, None)
            }
            Commanded::Phase(phase) => {
                // A phase that is derived for another strategy has no objective.
                let title = Some(phase.objective.as_str()).filter(|title| !title.is_empty());
                let title = title.unwrap_or(phase.name.as_str());
                (CommandOwner::Phase, phase.name.as_str(), title, &phase.commands, Some(phase))
            }
            // The commands of the step `deploy` are for the policy's strategy; the release chose another.
            Commanded::Step(step)
                if step.id.as_str() == DEPLOY && self.policy().instead_of().is_some() =>
            {
                return None;
            }
            Commanded::Step(step) => {
                (CommandOwner::Step, step.id.as_str(), step.title.as_str(), &step.commands, None)
            }
            Commanded::Method(way) => {
                (CommandOwner::Method, way.kind.as_str(), title_of(way.kind), &way.commands, None)
            }
        };
        let mut commands = match of {
            Commanded::Method(way) if is_reverted_by_plan(way) => self.revert(),
            _ => Vec::new(),
        };
        commands.extend(lines.iter().map(|line| self.fill(line, previous, phase)));
        (!commands.is_empty()).then_some(PlannedCommands { of: owner, id, title, commands })
    }

    fn fill(&self, command: &str, previous: Option<&str>, phase: Option<&Phase>) -> PlannedCommand {
        let mut planned = PlannedCommand { line: String::new(), missing: Vec::new() };
        // A command of a checked policy can be read.
        let Ok(parts) = command_parts(command, phase.is_some()) else {
            planned.line.push_str(command);
            return planned;
        };
        for part in parts {
            match part {
                CommandPart::Text(text) => planned.line.push_str(text),
                CommandPart::Field(field) => {
                    let value = self.value_of(field, previous, phase);
                    if let Some(value) = value.as_deref().and_then(quoted_value) {
                        planned.line.push_str(&value);
                    } else {
                        let _ = write!(planned.line, "{{{{ {field} }}}}");
                        if !planned.missing.contains(&field) {
                            planned.missing.push(field);
                        }
                    }
                }
            }
        }
        planned
    }

    fn value_of(
        &self,
        field: CommandField,
        previous: Option<&str>,
        phase: Option<&Phase>,
    ) -> Option<String> {
        let (incident, release) = (&self.subject().incident, self.release());
        match field {
            CommandField::Version => release.map(|release| release.version.clone()),
            CommandField::Previous => previous.map(str::to_owned),
            CommandField::Tag => self.version_tag(),
            CommandField::Branch => self.branch(),
            CommandField::Commit => release.and_then(|release| release.commit.clone()),
            CommandField::Service => incident.service.clone(),
            CommandField::Incident => Some(incident.id.clone()),
            CommandField::Phase => phase.map(|phase| phase.name.to_string()),
            CommandField::Share => {
                let percent = |phase: &Phase| 100.0 * phase.share.as_fraction();
                phase.map(percent).map(|percent| crate::text::figure(percent, 5))
            }
            CommandField::Batch => {
                let is_it = |other: &Phase| phase.is_some_and(|phase| other.name == phase.name);
                let batch = (1..).zip(self.phases()).find(|(_, other)| is_it(other))?.0;
                Some(self.batches()?.updates(batch).to_string())
            }
        }
    }

    /// The source-control plan's lines that revert all commits of the fix on the branch that it is
    /// deployed from. They work in any clone, and another attempt continues from what they record.
    /// Empty if the fix is deployed from its own branch and merged later.
    fn revert(&self) -> Vec<PlannedCommand> {
        // The time only names a tag.
        let plan = self.source_control(Timestamp::default());
        let steps = plan.map_or_else(|_| Vec::new(), |plan| plan.rollback.steps);
        let mut before = steps.iter().take_while(|step| step.kind != VcsStepKind::DeployPrevious);
        let Some(revert) = before.find(|step| step.kind == VcsStepKind::Revert) else {
            return Vec::new();
        };
        let lines = |step: &Step| step.commands.clone();
        let fetch = steps.iter().take(1).flat_map(lines);
        fetch
            .chain(lines(revert))
            .map(|command| PlannedCommand { line: command.shown().to_owned(), missing: Vec::new() })
            .collect()
    }

    /// The branch of the fix: the release's, or else the one that the source-control plan makes, or
    /// else the trunk.
    fn branch(&self) -> Option<String> {
        let own = self.release()?.branch.clone();
        // The time only names a tag.
        let planned = || self.source_control(Timestamp::default()).ok();
        own.or_else(|| planned().map(|plan| plan.branch.map_or(plan.base, |of| of.to_string())))
    }

    /// The tag of the fix. None if tags are named by the time.
    fn version_tag(&self) -> Option<String> {
        let form = self.policy().vcs().map_or(TagForm::Version, |vcs| vcs.tag);
        match form {
            TagForm::Version | TagForm::Plain => {
                let version = &self.release()?.version;
                let tag = tag_name(form, version, Timestamp::default()).ok()?;
                Some(tag.as_str().to_owned())
            }
            TagForm::Timestamp => None,
        }
    }
}
