//! The steps of the release, in the policy's order.

use super::Command;
use super::merge_back;
use super::name::one_line;
use super::release_context::{Base, ReleaseContext, Site};
use super::rollback::{continue_on, continue_on_trunk, restore};
use super::step::{Step, VcsStepKind, git, record};
use crate::grade::{MergeKind, VcsStep};
use crate::unit::RefName;

pub(super) fn steps(context: &ReleaseContext<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    if let Site::Trunk(trunk) = &context.site {
        let update = Step::new(VcsStepKind::TakeUp, format!("Update {trunk}"));
        let update = update.of(trunk.as_str()).run(ReleaseContext::take_up(trunk));
        match &context.after {
            Some(former) => steps.extend(continue_on_trunk(former, update)),
            None => steps.push(update),
        }
    }
    for (index, step) in context.order.iter().enumerate() {
        let (done, to_come) = (context.order.get(..index), context.order.get(index + 1..));
        let at = Place { done: done.unwrap_or_default(), to_come: to_come.unwrap_or_default() };
        let before = steps.len();
        match step {
            VcsStep::Branch => {
                if let Site::Branch { name, base } = &context.site {
                    let branch = branch(context, name, base);
                    match &context.after {
                        Some(former) => steps.extend(continue_on(context, former, name, branch)),
                        None => steps.push(branch),
                    }
                    steps.extend(record_base(context));
                }
            }
            VcsStep::Commit => steps.extend(commit(context)),
            VcsStep::Push => {
                steps.extend(update_again(context, &at));
                steps.push(push(context, &at));
            }
            VcsStep::PullRequest => steps.push(pull_request(context)),
            VcsStep::Merge => {
                let merge = |target| merge(context, VcsStepKind::Merge, target, &at);
                steps.extend(context.into.iter().flat_map(merge));
            }
            VcsStep::MergeBack => {
                let merge = |target| match context.site {
                    Site::Branch { .. } => merge(context, VcsStepKind::MergeBack, target, &at),
                    Site::Trunk(_) => merge_back::steps(context, target),
                };
                steps.extend(context.into_back.iter().flat_map(merge));
                // Where all releases come from one branch, there is no release branch.
                let is_own = |target| context.vcs.merge_back.contains(&RefName::to_string(target));
                if context.home.len() > 1 && context.into_back.iter().all(is_own) {
                    let open = "If a release branch is open, it needs the fix as well: name it in \
                                `merge_back` of the release. ";
                    steps.iter_mut().skip(before).take(1).for_each(|step| {
                        prepend(&mut step.why, open);
                    });
                }
            }
            VcsStep::Tag => {
                steps.extend(update_again(context, &at));
                steps.extend(tag(context, &at));
            }
            VcsStep::Deploy => steps.push(deploy(context, &at)),
            VcsStep::DeleteBranch => steps.push(delete(context, &at)),
        }
        if let Some(when) = at.when(context, *step) {
            steps.iter_mut().skip(before).for_each(|step| prepend(&mut step.why, when));
        }
    }
    steps
}

/// Puts a sentence, with a space after it, before the others.
fn prepend(why: &mut String, sentence: &str) {
    why.insert_str(0, if why.is_empty() { sentence.trim_end() } else { sentence });
}

/// The position of a step in the order.
struct Place<'a> {
    done: &'a [VcsStep],
    to_come: &'a [VcsStep],
}

impl Place<'_> {
    fn is_done(&self, step: VcsStep) -> bool {
        self.done.contains(&step)
    }

    /// When a step may be run, where the commands do not show it.
    fn when(&self, context: &ReleaseContext<'_>, step: VcsStep) -> Option<&'static str> {
        let is_shared =
            step == VcsStep::Merge || step == VcsStep::Push && context.site.trunk().is_some();
        match step {
            _ if is_shared && self.to_come.contains(&VcsStep::Deploy) => {
                Some(if context.in_steps {
                    "If the push deploys it to all of the traffic, turn that off first. "
                } else {
                    "If the push deploys it, this is the deployment: start the rollout first. "
                })
            }
            VcsStep::Merge | VcsStep::MergeBack | VcsStep::DeleteBranch
                if self.is_done(VcsStep::Deploy) =>
            {
                Some("Once the fix is verified in production. ")
            }
            _ => None,
        }
    }
}

/// Before the first tag or push of a commit on the trunk: puts it on what others have pushed since,
/// so that the recorded range has no commits of theirs.
fn update_again(context: &ReleaseContext<'_>, at: &Place<'_>) -> Option<Step> {
    let trunk = context.site.trunk()?;
    if at.is_done(VcsStep::Tag) || at.is_done(VcsStep::Push) {
        return None;
    }
    let tagged_first = context.tag.as_ref().filter(|_| at.to_come.contains(&VcsStep::Push));
    let delete = tagged_first.map(|tag| format!(" delete {tag} in this clone and"));
    let why = format!(
        "Others may have pushed to {trunk} since. If the push is rejected,{} repeat from here.",
        delete.unwrap_or_default()
    );
    let step = Step::new(VcsStepKind::TakeUp, format!("Update {trunk} again"));
    Some(step.of(trunk.as_str()).why(why).run([
        git(&["pull", "--rebase", "origin", trunk.as_str()]),
        git(&["update-ref", &context.before(trunk), &format!("refs/remotes/origin/{trunk}")]),
        record(&context.fix()),
    ]))
}

fn branch(context: &ReleaseContext<'_>, name: &RefName, base: &Base) -> Step {
    let fetch = || git(&["fetch", "--tags", "origin"]);
    if context.taken_up {
        let step = Step::new(VcsStepKind::Branch, format!("Switch to {name}"));
        return step.of(name.as_str()).run([fetch()]).run(ReleaseContext::take_up(name));
    }
    let title = format!("Branch {name} from {}", context.site.base());
    let step = Step::new(VcsStepKind::Branch, title).of(name.as_str());
    match base {
        Base::Branch(base) => step
            .run(ReleaseContext::take_up(base))
            .run([git(&["switch", "--create", name.as_str()])]),
        Base::Tag(tag) => step
            .why("The branch starts from the live version, so that no other merged changes are released.")
            .run([fetch(), git(&["switch", "--create", name.as_str(), &format!("refs/tags/{tag}")])]),
    }
}

/// Where branches may be older than the fix: its base branch before the fix, for the steps that bring
/// it to them. A tag needs no record.
fn record_base(context: &ReleaseContext<'_>) -> Option<Step> {
    let base = context.site.base_branch().filter(|_| !context.named.is_empty())?;
    let (start, now) = (context.start(), format!("refs/remotes/origin/{base}"));
    let step = Step::new(VcsStepKind::Fetch, format!("Record what {base} has"));
    let step = step.of(base.as_str()).why("Branches that lack it get only the fix's commits.");
    let push = ReleaseContext::push_records(&[&start]);
    Some(step.run([git(&["update-ref", &start, &now]), push]))
}

fn commit(context: &ReleaseContext<'_>) -> Vec<Step> {
    // What is in the working tree beside the fix, such as notes and secrets, stays there.
    let add = || git(&["add", "--update"]);
    let step = |title: String| Step::new(VcsStepKind::Commit, title);
    let step = match context.commit {
        Some(hash) if context.taken_up => step(format!("Check that the branch contains {hash}"))
            .run([git(&["merge-base", "--is-ancestor", hash, "HEAD"])]),
        Some(hash) => step(format!("Cherry-pick {hash}")).run([git(&["cherry-pick", "-x", hash])]),
        None => step("Fix the fault and commit".to_owned())
            .people("Change only what the fix needs, and add a test that fails without the fix. Add each new file by its name with `git add FILE`.")
            .run([add(), git(&["commit", "-m", &context.message])]),
    };
    let record = record(&context.fix());
    if !context.version_commit || context.taken_up {
        return vec![step.run([record])];
    }
    let version = context.version;
    let subject = one_line(&context.vcs.commit.version_subject(version), 200);
    let raise = Step::new(VcsStepKind::VersionCommit, format!("Raise the version to {version}"))
        .of(version)
        .people(format!("Set the project's version to {version}."))
        .run([add(), git(&["commit", "-m", &subject]), record]);
    vec![step, raise]
}

fn push(context: &ReleaseContext<'_>, at: &Place<'_>) -> Step {
    let name = context.site.name().as_str();
    let step = Step::new(VcsStepKind::Push, format!("Push {name}")).of(name);
    let tag = context.tag.as_ref().filter(|_| at.is_done(VcsStep::Tag));
    let tag = tag.map(|tag| git(&["push", "origin", &format!("refs/tags/{tag}")]));
    let step = step.run([git(&["push", "origin", name])]).run(tag);
    match &context.site {
        Site::Trunk(trunk) => {
            step.run([record(&context.merged(trunk)), push_records(context, trunk)])
        }
        Site::Branch { .. } => step.run([ReleaseContext::push_records(&[&context.fix()])]),
    }
}

fn pull_request(context: &ReleaseContext<'_>) -> Step {
    let request = context.request.clone().unwrap_or_default();
    let title = context.about(&request.title);
    let label = request.label.as_deref().map(|label| one_line(label, 100));
    let label = label.filter(|label| !label.is_empty());
    let reviewers = one_line(&request.reviewers, 100);
    let branch = context.site.name();
    let name = branch.as_str();
    let target = context.requested_into().map(RefName::as_str);

    let into = target.map(|target| format!(" into {target}")).unwrap_or_default();
    let labelled = label.as_ref().map(|label| format!(", labelled “{label}”")).unwrap_or_default();
    let asking = match reviewers.as_str() {
        "" => String::new(),
        people => format!(", and ask for a review by {people}"),
    };
    let people =
        format!("Open a pull request from {name}{into}, titled “{title}”{labelled}{asking}.");

    // A description of people is not an account that the tool knows.
    let reviewer = Some(reviewers.as_str()).filter(|reviewers| is_account(reviewers));
    let options = [
        ("title", Some(title.as_str())),
        ("body", Some(&context.message)),
        ("head", Some(name)),
        ("base", target),
        ("label", label.as_deref()),
        ("reviewer", reviewer),
    ];
    let options =
        options.into_iter().filter_map(|(key, value)| Some(format!("--{key}={}", value?)));
    let create = Command::new(["gh", "pr", "create"].map(str::to_owned).into_iter().chain(options));
    let mut reviewed = ReleaseContext::take_up(branch);
    reviewed.push(record(&context.fix()));
    Step::new(VcsStepKind::PullRequest, "Open the emergency pull request")
        .of(name)
        .why("After the approval, fetch the commits that the review added to the branch.")
        .people(people)
        .or_with_gh([create].into_iter().chain(reviewed.iter().cloned()))
        .run(reviewed)
}

/// Whether a text is an account or a team, as in `engineering-team` or `acme/engineering`.
fn is_account(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    let part = |part: &&str| {
        let known = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        part.starts_with(|c: char| c.is_ascii_alphanumeric()) && part.bytes().all(known)
    };
    parts.len() <= 2 && parts.iter().all(part)
}

fn merge(
    context: &ReleaseContext<'_>,
    kind: VcsStepKind,
    target: &RefName,
    at: &Place<'_>,
) -> Vec<Step> {
    let name = context.site.name().as_str();
    let requested = at.is_done(VcsStep::PullRequest) && context.requested_into() == Some(target);
    let step = Step::new(kind, format!("Merge {name} into {target}"))
        .of(target.as_str())
        .run([git(&["update-ref", &context.fix(), &format!("refs/heads/{name}")])])
        .run(bring(context, target, name));
    let mut steps = restore(context, target, requested);
    let step = if requested {
        step.why("The pull request is approved. If the branch is protected, merge on the server and record it with the other lines: only what is recorded is rolled back.")
            .or_with_gh(by_request(context, target, name))
    } else if context.merge == MergeKind::Squash {
        step.why("Squashed into one commit: git cannot recognise it later as this branch.")
    } else {
        step
    };
    steps.extend(merge_back::merge_or_pick(context, target, step));
    steps
}

/// The commands of a merge that the repository server makes.
fn by_request(context: &ReleaseContext<'_>, target: &RefName, name: &str) -> Vec<Command> {
    let remote = format!("refs/remotes/origin/{target}");
    let way = match context.merge {
        MergeKind::Squash => "--squash",
        // A rebase makes other commits, which cannot be recognised later.
        MergeKind::NoFf | MergeKind::FastForward => "--merge",
    };
    // The server may delete the branch.
    let mut commands = vec![
        git(&["fetch", "origin"]),
        git(&["update-ref", &context.fix(), &format!("refs/remotes/origin/{name}")]),
    ];
    if context.merge_begins_range(target) {
        commands.push(git(&["update-ref", &context.before(target), &remote]));
    }
    commands.push(Command::new(["gh", "pr", "merge", way, name]));
    commands.extend(ReleaseContext::take_up(target));
    commands.extend([record(&context.merged(target)), push_records(context, target)]);
    commands
}

fn push_records(context: &ReleaseContext<'_>, target: &RefName) -> Command {
    let (fix, before, merged) = (context.fix(), context.before(target), context.merged(target));
    if context.as_range(target) {
        ReleaseContext::push_records(&[&fix, &before, &merged])
    } else {
        ReleaseContext::push_records(&[&fix, &merged])
    }
}

/// Merges `source` into a branch, pushes it, and records the merge. [`restore`] comes first.
pub(super) fn bring(context: &ReleaseContext<'_>, target: &RefName, source: &str) -> Vec<Command> {
    let mut commands = ReleaseContext::take_up(target);
    if context.merge_begins_range(target) {
        commands.push(record(&context.before(target)));
    }
    match context.merge {
        MergeKind::NoFf => commands.push(git(&["merge", "--no-ff", "--no-edit", source])),
        // A merge commit only if the branch has new commits.
        MergeKind::FastForward => commands.push(git(&["merge", "--ff", "--no-edit", source])),
        MergeKind::Squash => commands.extend([
            git(&["merge", "--squash", source]),
            git(&["commit", "-m", &context.message]),
        ]),
    }
    commands.extend([
        record(&context.merged(target)),
        git(&["push", "origin", target.as_str()]),
        push_records(context, target),
    ]);
    commands
}

fn tag(context: &ReleaseContext<'_>, at: &Place<'_>) -> Option<Step> {
    let tag = context.tag.as_ref()?;
    let merged = context.into.as_ref().filter(|_| at.is_done(VcsStep::Merge));
    let back = context.into_back.first().filter(|_| at.is_done(VcsStep::MergeBack));
    let of = merged.or(back).unwrap_or(context.site.name()).as_str();
    let make = if context.vcs.annotated {
        let about = context.about(&format!("Hotfix {tag}: "));
        git(&["tag", "--annotate", "-m", &about, tag.as_str(), of])
    } else {
        git(&["tag", tag.as_str(), of])
    };
    let step = Step::new(VcsStepKind::Tag, format!("Tag {of} as {tag}")).of(tag.as_str());
    let step = step.run([make]);
    Some(if at.to_come.contains(&VcsStep::Push) {
        step.why("The tag is pushed with the branch.")
    } else {
        step.run([git(&["push", "origin", &format!("refs/tags/{tag}")])])
    })
}

fn deploy(context: &ReleaseContext<'_>, at: &Place<'_>) -> Step {
    let merged = context.into.as_ref().filter(|_| at.is_done(VcsStep::Merge));
    let tag = context.tag.as_ref().filter(|_| at.is_done(VcsStep::Tag));
    let of = tag.or(merged).unwrap_or(context.site.name()).as_str();
    Step::new(VcsStepKind::Deploy, format!("Deploy {of}"))
        .of(of)
        .people(format!("Deploy {of} with your own tool, or check that the push has deployed it."))
}

fn delete(context: &ReleaseContext<'_>, at: &Place<'_>) -> Step {
    let name = context.site.name().as_str();
    // git cannot recognise a squash commit as this branch, nor what a server rebases, nor a pick.
    let is_changed = context.merge == MergeKind::Squash
        || context.requested_into().is_some()
        || !context.named.is_empty();
    let delete = if is_changed {
        git(&["branch", "--delete", "--force", name])
    } else {
        git(&["branch", "--delete", name])
    };
    let pushed = at.is_done(VcsStep::Push);
    let remote =
        pushed.then(|| git(&["push", "origin", "--delete", &format!("refs/heads/{name}")]));
    let why = format!("Its commits are kept under {}.", context.fix());
    let step = Step::new(VcsStepKind::DeleteBranch, format!("Delete {name}"));
    step.of(name).why(why).run([delete]).run(remote)
}
