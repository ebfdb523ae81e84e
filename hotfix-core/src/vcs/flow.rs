//! The steps there, in the order that the policy has (VCS-1).

use super::command::git;
use super::course::{Base, Course};
use super::name::one_line;
use super::step::{Instead, Step, Tool, VcsStepKind};
use super::{Command, SourceControl, VcsError, WayBack, WayHome};
use crate::grade::{MergeKind, VcsStep};
use crate::policy::section::PullRequest;
use crate::unit::RefName;

type Commands = Result<Vec<Command>, VcsError>;

pub(super) fn steps(course: &Course<'_>) -> Result<Vec<Step>, VcsError> {
    let mut steps = Vec::new();
    if course.branch.is_none() {
        steps.push(trunk(course)?);
    }
    for (index, step) in course.order.iter().enumerate() {
        let (done, to_come) = (course.order.get(..index), course.order.get(index + 1..));
        let at = Place { done: done.unwrap_or_default(), to_come: to_come.unwrap_or_default() };
        match step {
            VcsStep::Branch => steps.extend(branch(course)?),
            VcsStep::Commit => steps.extend(commit(course)?),
            VcsStep::Push => steps.push(push(course, &at)?),
            VcsStep::PullRequest => steps.push(pull_request(course)?),
            VcsStep::Merge => {
                if let Some(target) = &course.into {
                    steps.push(merge(course, VcsStepKind::Merge, target, &at)?);
                }
            }
            VcsStep::MergeBack => {
                for target in &course.into_back {
                    steps.push(merge(course, VcsStepKind::MergeBack, target, &at)?);
                }
            }
            VcsStep::Tag => steps.extend(tag(course, &at)?),
            VcsStep::Deploy => steps.push(deploy(course, &at)),
            VcsStep::DeleteBranch => steps.extend(delete(course, &at)?),
        }
    }
    Ok(steps)
}

/// Where a step stands in the order.
struct Place<'a> {
    done: &'a [VcsStep],
    to_come: &'a [VcsStep],
}

impl Place<'_> {
    fn is_done(&self, step: VcsStep) -> bool {
        self.done.contains(&step)
    }
}

/// The trunk up to date, and where it was.
fn trunk(course: &Course<'_>) -> Result<Step, VcsError> {
    let step = Step::new(VcsStepKind::TakeUp, format!("Bring {} up to date", course.base.name()));
    let Base::Branch(trunk) = &course.base else { return Ok(step) };
    let mut commands = Course::take_up(trunk)?;
    commands.push(git(["update-ref", &course.before(trunk), "HEAD"])?);
    Ok(step.of(trunk.as_str()).run(commands))
}

fn branch(course: &Course<'_>) -> Result<Option<Step>, VcsError> {
    let Some(name) = &course.branch else { return Ok(None) };
    if course.taken_up {
        let mut commands = vec![git(["fetch", "--tags", "origin"])?];
        commands.extend(Course::take_up(name)?);
        let step = Step::new(VcsStepKind::Branch, format!("Take up {name}"));
        return Ok(Some(step.of(name.as_str()).run(commands)));
    }
    let (commands, why) = match &course.base {
        Base::Branch(base) => {
            let mut commands = Course::take_up(base)?;
            commands.push(git(["switch", "--create", name.as_str()])?);
            (commands, "")
        }
        Base::Tag(tag) => (
            vec![
                git(["fetch", "--tags", "origin"])?,
                git(["switch", "--create", name.as_str(), &format!("refs/tags/{tag}")])?,
            ],
            "It starts from what is live: nothing goes out that others have merged since.",
        ),
    };
    let title = format!("Branch {name} from {}", course.base.name());
    Ok(Some(Step::new(VcsStepKind::Branch, title).of(name.as_str()).why(why).run(commands)))
}

fn commit(course: &Course<'_>) -> Result<Vec<Step>, VcsError> {
    let add = || git(["add", "--all"]);
    let mut step = match course.commit {
        Some(hash) if course.taken_up => {
            Step::new(VcsStepKind::Commit, format!("Check that the branch has {hash}"))
                .run(vec![git(["merge-base", "--is-ancestor", hash, "HEAD"])?])
        }
        Some(hash) => Step::new(VcsStepKind::Commit, format!("Bring {hash} onto it"))
            .run(vec![git(["cherry-pick", "-x", hash])?]),
        None => Step::new(VcsStepKind::Commit, "Mend it and commit")
            .people("Change what mends it and nothing else, with a test that fails without it.")
            .run(vec![add()?, git(["commit", "-m", &course.message])?]),
    };
    let record = git(["update-ref", &course.fix(), "HEAD"])?;
    if !course.vcs.commit.version_commit || course.taken_up {
        step.commands.push(record);
        return Ok(vec![step]);
    }
    let version = course.version;
    let subject = one_line(&format!("chore: bump version to {version}"), 200);
    let raise = Step::new(VcsStepKind::VersionCommit, format!("Raise the version to {version}"))
        .of(version)
        .people(format!("Write {version} where the project keeps its version."))
        .run(vec![add()?, git(["commit", "-m", &subject])?, record]);
    Ok(vec![step, raise])
}

fn push(course: &Course<'_>, at: &Place<'_>) -> Result<Step, VcsError> {
    let name = course.branch.as_ref().map_or(course.base.name(), RefName::as_str);
    let mut commands = vec![git(["push", "origin", name])?];
    if let Some(tag) = course.tag.as_ref().filter(|_| at.is_done(VcsStep::Tag)) {
        commands.push(git(["push", "origin", &format!("refs/tags/{tag}")])?);
    }
    match (&course.branch, &course.base) {
        (None, Base::Branch(trunk)) => {
            let (before, merged) = (course.before(trunk), course.merged(trunk));
            commands.push(git(["update-ref", &merged, "HEAD"])?);
            commands.push(Course::push_records(&[&course.fix(), &before, &merged])?);
        }
        _ => commands.push(Course::push_records(&[&course.fix()])?),
    }
    Ok(Step::new(VcsStepKind::Push, format!("Push {name}")).of(name).run(commands))
}

/// A pull request has one target: what is merged first.
fn requested_into<'a>(course: &'a Course<'_>) -> Option<&'a RefName> {
    course.into.as_ref().or(course.into_back.first())
}

fn pull_request(course: &Course<'_>) -> Result<Step, VcsError> {
    let none =
        PullRequest { title: String::new(), label: None, reviewers: String::new(), squash: false };
    let request = course.request.as_ref().unwrap_or(&none);
    let title = course.about(&request.title);
    let label = request.label.as_deref().map(|label| one_line(label, 100));
    let label = label.filter(|label| !label.is_empty());
    let reviewers = one_line(&request.reviewers, 100);
    let name = course.branch.as_ref().map_or("", RefName::as_str);
    let target = requested_into(course).map(RefName::as_str);

    let into = target.map(|target| format!(" into {target}")).unwrap_or_default();
    let labelled = label.as_ref().map(|label| format!(", labelled “{label}”")).unwrap_or_default();
    let asking = match reviewers.as_str() {
        "" => String::new(),
        people => format!(", and ask for a review by {people}"),
    };
    let people =
        format!("Open a pull request from {name}{into}, titled “{title}”{labelled}{asking}.");

    let mut argv = vec!["gh".to_owned(), "pr".to_owned(), "create".to_owned()];
    let mut option = |key: &str, value: &str| argv.push(format!("--{key}={value}"));
    option("title", &title);
    option("body", &course.message);
    option("head", name);
    if let Some(target) = target {
        option("base", target);
    }
    if let Some(label) = &label {
        option("label", label);
    }
    // People in words are no account that the tool knows.
    if is_account(&reviewers) {
        option("reviewer", &reviewers);
    }
    let mut reviewed = Vec::new();
    if let Some(branch) = &course.branch {
        reviewed.extend(Course::take_up(branch)?);
        reviewed.push(git(["update-ref", &course.fix(), "HEAD"])?);
    }
    let mut commands = vec![Command::try_new(argv)?];
    commands.extend(reviewed.iter().cloned());
    let step = Step::new(VcsStepKind::PullRequest, "Open the emergency pull request").of(name);
    let step = step.why("Once it is approved, what the review added to the branch is taken up.");
    let instead = Some(Instead { tool: Tool::Gh, commands });
    Ok(Step { instead, ..step.people(people).run(reviewed) })
}

/// An account or a team, as in `engineering-team` or `acme/engineering`.
fn is_account(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    let part = |part: &&str| {
        let known = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        part.starts_with(|c: char| c.is_ascii_alphanumeric()) && part.bytes().all(known)
    };
    parts.len() <= 2 && parts.iter().all(part)
}

fn merge(
    course: &Course<'_>,
    kind: VcsStepKind,
    target: &RefName,
    at: &Place<'_>,
) -> Result<Step, VcsError> {
    let name = course.branch.as_ref().map_or("", RefName::as_str);
    let step = Step::new(kind, format!("Merge {name} into {target}")).of(target.as_str());
    let requested = at.is_done(VcsStep::PullRequest) && requested_into(course) == Some(target);
    let mut commands = vec![git(["update-ref", &course.fix(), &format!("refs/heads/{name}")])?];
    commands.extend(bring(course, target, name)?);
    let step = step.run(commands);
    if requested {
        let commands = by_request(course, target, name)?;
        let instead = Some(Instead { tool: Tool::Gh, commands });
        let why =
            "The request is approved. Where the branch is protected, merge it there and record it.";
        return Ok(Step { instead, ..step.why(why) });
    }
    if course.merge == MergeKind::Squash {
        return Ok(step.why("One commit: git does not know later that it is this branch."));
    }
    Ok(step)
}

/// The same merge by the host of the repository.
fn by_request(course: &Course<'_>, target: &RefName, name: &str) -> Commands {
    let remote = format!("refs/remotes/origin/{target}");
    let fetch = || git(["fetch", "origin"]);
    let way = match course.merge {
        MergeKind::Squash => "--squash",
        // A rebase makes other commits: nobody could tell later that they are these.
        MergeKind::NoFf | MergeKind::FastForward => "--merge",
    };
    // The host deletes the branch, maybe.
    let mut commands =
        vec![fetch()?, git(["update-ref", &course.fix(), &format!("refs/remotes/origin/{name}")])?];
    if course.as_range() {
        commands.push(git(["update-ref", &course.before(target), &remote])?);
    }
    commands.push(Command::try_new(["gh", "pr", "merge", way, name])?);
    commands.extend(Course::take_up(target)?);
    commands.push(git(["update-ref", &course.merged(target), "HEAD"])?);
    commands.push(push_records(course, target)?);
    Ok(commands)
}

fn push_records(course: &Course<'_>, target: &RefName) -> Result<Command, VcsError> {
    let (fix, before, merged) = (course.fix(), course.before(target), course.merged(target));
    if course.as_range() {
        Course::push_records(&[&fix, &before, &merged])
    } else {
        Course::push_records(&[&fix, &merged])
    }
}

/// Merges `source` into a branch, pushes it, and records what was done.
pub(super) fn bring(course: &Course<'_>, target: &RefName, source: &str) -> Commands {
    let mut commands = Course::take_up(target)?;
    if course.as_range() {
        commands.push(git(["update-ref", &course.before(target), "HEAD"])?);
    }
    match course.merge {
        MergeKind::NoFf => commands.push(git(["merge", "--no-ff", "--no-edit", source])?),
        // A merge commit where the branch has moved on, and none else.
        MergeKind::FastForward => commands.push(git(["merge", "--ff", "--no-edit", source])?),
        MergeKind::Squash => {
            commands.push(git(["merge", "--squash", source])?);
            commands.push(git(["commit", "-m", &course.message])?);
        }
    }
    commands.push(git(["update-ref", &course.merged(target), "HEAD"])?);
    commands.push(git(["push", "origin", target.as_str()])?);
    commands.push(push_records(course, target)?);
    Ok(commands)
}

fn tag(course: &Course<'_>, at: &Place<'_>) -> Result<Option<Step>, VcsError> {
    let Some(tag) = &course.tag else { return Ok(None) };
    let merged = course.into.as_ref().filter(|_| at.is_done(VcsStep::Merge));
    let back = course.into_back.first().filter(|_| at.is_done(VcsStep::MergeBack));
    let made = course.branch.as_ref().map_or(course.base.name(), RefName::as_str);
    let of = merged.or(back).map_or(made, RefName::as_str);
    let mut commands = vec![if course.vcs.annotated {
        let about = course.about(&format!("Hotfix {tag}: "));
        git(["tag", "--annotate", "-m", &about, tag.as_str(), of])?
    } else {
        git(["tag", tag.as_str(), of])?
    }];
    let step = Step::new(VcsStepKind::Tag, format!("Tag {of} as {tag}")).of(tag.as_str());
    if at.to_come.contains(&VcsStep::Push) {
        return Ok(Some(step.why("It is pushed with the branch.").run(commands)));
    }
    commands.push(git(["push", "origin", &format!("refs/tags/{tag}")])?);
    Ok(Some(step.run(commands)))
}

fn deploy(course: &Course<'_>, at: &Place<'_>) -> Step {
    let merged = course.into.as_ref().filter(|_| at.is_done(VcsStep::Merge));
    let tag = course.tag.as_ref().filter(|_| at.is_done(VcsStep::Tag));
    let own = course.branch.as_ref().map_or(course.base.name(), RefName::as_str);
    let of = tag.or(merged).map_or(own, RefName::as_str);
    Step::new(VcsStepKind::Deploy, format!("Deploy {of}"))
        .of(of)
        .people(format!("Deploy {of} by your own tool, or see that pushing it has done so."))
}

fn delete(course: &Course<'_>, at: &Place<'_>) -> Result<Option<Step>, VcsError> {
    let Some(branch) = &course.branch else { return Ok(None) };
    let name = branch.as_str();
    // git does not know of a squash that it is this branch.
    let mut commands = vec![match course.merge {
        MergeKind::Squash => git(["branch", "--delete", "--force", name])?,
        MergeKind::NoFf | MergeKind::FastForward => git(["branch", "--delete", name])?,
    }];
    if at.is_done(VcsStep::Push) {
        commands.push(git(["push", "origin", "--delete", &format!("refs/heads/{name}")])?);
    }
    let why = format!("Its commits stay: {} names them.", course.fix());
    let step = Step::new(VcsStepKind::DeleteBranch, format!("Delete {name}"));
    Ok(Some(step.of(name).why(why).run(commands)))
}

/// S2 207-213: the flag is turned off, that it helps is verified, and the proper fix is planned.
pub(super) fn by_flag(course: &Course<'_>) -> SourceControl {
    let steps = vec![
        Step::new(VcsStepKind::FlagOff, "Turn the feature flag off")
            .people("Turn it off for everybody, by the tool that keeps the flags."),
        Step::new(VcsStepKind::Verify, "Look whether the harm is gone")
            .people("Try the very case that failed, and look at the metrics."),
        Step::new(VcsStepKind::ProperFix, "Plan the proper fix")
            .why("The flag hides the fault: it stands until the code is mended.")
            .people("Plan it for the next deployment, with somebody who answers for it."),
    ];
    let on = Step::new(VcsStepKind::FlagOn, "Turn the feature flag on again")
        .people("Turn it on again, by the tool that keeps the flags.");
    SourceControl {
        flow: course.flow,
        way: course.way.clone(),
        base: None,
        branch: None,
        version: course.version.to_owned(),
        tag: None,
        steps,
        back: WayBack { steps: vec![on], again: Vec::new() },
        home: WayHome { look: Vec::new(), branches: Vec::new() },
        findings: Vec::new(),
    }
}
