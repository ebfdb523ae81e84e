//! Every plan against a real git, in a temporary repository with a bare remote (VCS-1, VCS-4, VCS-6).

use std::sync::Arc;

use hotfix_core::grade::{Flow, MergeKind, TagForm, VcsStep};
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::policy::section::Vcs;
use hotfix_core::unit::{RefName, Timestamp};
use hotfix_core::vcs::{CommitParts, Fix, SourceControl, Step, VcsFinding, VcsStepKind, own_order};
use serde_json::json;

use crate::git_lab::{Lab, PREVIOUS_BY_TIME};

const NEEDED: &str = "Correct me\n";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn section(preset: &str) -> Vcs {
    Policy::preset(preset).unwrap().vcs().unwrap().clone()
}

/// A plan, and the places where the repository differs from one case to the next.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) vcs: Vcs,
    pub(crate) flow: Option<Flow>,
    pub(crate) way: Option<&'static str>,
    /// Others have merged into main since the version that is live.
    pub(crate) moved_on: bool,
    /// What another tool can do, it does.
    pub(crate) by_host: bool,
}

impl Case {
    pub(crate) fn plan(
        &self,
        version: &str,
        previous: &str,
        time: &str,
        branch: Option<&str>,
    ) -> SourceControl {
        self.made(&Fix { branch, ..self.fix(version, previous, time) })
    }

    /// The plan of the second attempt in the same rollout.
    fn second(&self) -> SourceControl {
        let first = self.fix("1.2.4", "1.2.3", "2024-01-15T14:30:00Z");
        let second = self.fix("1.2.5", "1.2.3", "2024-01-15T16:00:00Z");
        self.made(&Fix { after: Some(&first), ..second })
    }

    fn fix<'a>(&self, version: &'a str, previous: &'a str, time: &str) -> Fix<'a> {
        let by_time = self.vcs.tag == TagForm::Timestamp;
        let previous = if by_time && previous == "1.2.3" { PREVIOUS_BY_TIME } else { previous };
        Fix {
            description: Some("Payments: don't $(touch pwned) `touch pwned`; touch pwned"),
            flow: self.flow,
            way: self.way,
            ..Fix::new(version, previous, at(time))
        }
    }

    pub(crate) fn made(&self, fix: &Fix<'_>) -> SourceControl {
        SourceControl::try_new(&self.vcs, fix)
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

/// Plays what people do at a step, and runs its lines.
pub(crate) fn take(lab: &Lab, step: &Step, content: &str) {
    if let Some(condition) = &step.condition
        && lab.succeeds(condition.command.shown()) != condition.succeeds
    {
        return;
    }
    match step.kind {
        // What a cherry-pick or a check brings needs nobody.
        VcsStepKind::Commit if step.people.is_some() => lab.write("app.txt", content),
        VcsStepKind::VersionCommit => lab.write("VERSION", step.of.as_deref().unwrap()),
        VcsStepKind::PullRequest => {
            let branch = step.of.as_deref().unwrap();
            assert!(lab.on_remote(&format!("refs/heads/{branch}")).is_some(), "asks for {branch}");
            lab.review(branch);
        }
        VcsStepKind::Deploy => {
            let of = step.of.as_deref().unwrap();
            assert_eq!(lab.remote_file(of, "app.txt"), content, "{of} is deployed");
        }
        _ => {}
    }
    lab.run(&step.commands);
}

/// The same, but what another tool can do, it does.
pub(crate) fn take_by_host(lab: &Lab, step: &Step, content: &str) {
    match &step.instead {
        Some(instead) if step.kind == VcsStepKind::PullRequest => {
            let (create, approved) = instead.commands.split_first().unwrap();
            lab.run(std::slice::from_ref(create));
            lab.review(step.of.as_deref().unwrap());
            lab.run(approved);
        }
        Some(instead) => lab.run(&instead.commands),
        None => take(lab, step, content),
    }
}

/// The whole story of one plan: there, home, back, and a second try.
fn story(case: &Case) {
    let lab = Lab::new(&case.name, case.moved_on);
    let lab = if case.by_host { lab.with_host() } else { lab };
    let step_by_step = if case.by_host { take_by_host } else { take };
    let fixed = "first\nfixed\nthird\n";
    let plan = case.plan("1.2.4", "1.2.3", "2024-01-15T14:30:00Z", None);
    let targets: Vec<String> =
        plan.merge_back.branches.iter().map(|home| home.branch.clone()).collect();
    let before: Vec<String> = targets.iter().map(|target| lab.remote_tree(target)).collect();

    lab.run(&plan.merge_back.inspect);
    for home in &plan.merge_back.branches {
        assert!(!lab.succeeds(home.has.shown()), "{} lacks the fix", home.branch);
    }
    plan.steps.iter().for_each(|step| step_by_step(&lab, step, fixed));
    assert!(!lab.path("pwned").exists(), "{}: a description was run", case.name);
    graph(case, &lab, &plan);

    // The way home, from another clone. The colleague asks there, too, what is planned.
    let colleague = lab.colleague("colleague");
    colleague.run(&plan.merge_back.inspect);
    for home in &plan.merge_back.branches {
        let branch = &home.branch;
        assert_eq!(colleague.succeeds(home.has.shown()), home.planned, "{}: {branch}", case.name);
        if !home.planned {
            home.steps.iter().for_each(|step| take(&colleague, step, fixed));
            assert!(colleague.succeeds(home.has.shown()), "{}: {branch} has it now", case.name);
        }
        assert_eq!(colleague.remote_file(branch, "app.txt"), fixed, "{}: {branch}", case.name);
    }

    // The way back, from there, too: each branch is as it was.
    plan.rollback.steps.iter().for_each(|step| take(&colleague, step, fixed));
    let back = plan.rollback.steps.iter().any(|step| step.kind == VcsStepKind::DeployPrevious);
    assert!(back, "{}: the previous version is put back", case.name);
    for (target, tree) in targets.iter().zip(&before) {
        assert_eq!(&colleague.remote_tree(target), tree, "{}: {target} is as it was", case.name);
    }
    if !case.moved_on && targets[0] == "main" && plan.merge_back.branches[0].planned {
        assert_eq!(colleague.remote_tree("main"), colleague.remote_tree("v1.2.3"));
    }

    other_attempts(case, &colleague.copy(&format!("{}-others", case.name)), &plan, &before);
    try_again(case, &colleague, &plan);
}

/// The plans of the second and the third attempt alone bring fix and corrections, and take all of it
/// back. By turns, the second is rolled back before its merge back or after it.
fn other_attempts(case: &Case, lab: &Lab, first: &SourceControl, before: &[String]) {
    let name = &case.name;
    let of = |version, time| case.fix(version, "1.2.3", time);
    let one = of("1.2.4", "2024-01-15T14:30:00Z");
    let two = Fix { after: Some(&one), ..of("1.2.5", "2024-01-15T16:00:00Z") };
    let second = case.made(&two);
    let branch = second.branch.as_ref().map(ToString::to_string);
    let former = Fix { branch: branch.as_deref(), after: None, ..two };
    let three = Fix { after: Some(&former), ..of("1.2.6", "2024-01-15T18:00:00Z") };
    let attempts = [
        (&second, 2, "first\nfixed\nthird\n", "first\nfixed\ncorrected\n", case.moved_on),
        (&case.made(&three), 3, "first\nfixed\ncorrected\n", "first\nfixed\nright\n", true),
    ];
    for (plan, number, found, content, merged_back) in attempts {
        let branch = first.branch.as_ref().map(|branch| format!("{branch}-try-{number}"));
        assert_eq!(plan.branch.as_ref().map(ToString::to_string), branch, "{name}");
        let is_back = |step: &Step| match step.kind {
            VcsStepKind::MergeBack => true,
            VcsStepKind::TakeUp => branch.is_some() && step.why.starts_with("Once the fix"),
            _ => false,
        };
        let until = plan.steps.iter().position(is_back).filter(|_| !merged_back);
        for step in plan.steps.iter().take(until.unwrap_or(usize::MAX)) {
            if step.kind == VcsStepKind::Commit {
                assert_eq!(lab.sh("cat app.txt").unwrap(), found, "{name}: attempt {number}");
            }
            take(lab, step, content);
        }
        if merged_back {
            lab.run(&plan.merge_back.inspect);
            for home in &plan.merge_back.branches {
                assert_eq!(lab.succeeds(home.has.shown()), home.planned, "{name}: {number}");
                if !home.planned {
                    home.steps.iter().for_each(|step| take(lab, step, content));
                }
                let branch = &home.branch;
                assert_eq!(
                    lab.remote_file(branch, "app.txt"),
                    content,
                    "{name}: {branch} {number}"
                );
            }
        }
        plan.rollback.steps.iter().for_each(|step| take(lab, step, content));
        for (home, tree) in plan.merge_back.branches.iter().zip(before) {
            assert_eq!(&lab.remote_tree(&home.branch), tree, "{name}: {} {number}", home.branch);
        }
    }
}

/// What the steps left behind: merges, tags, branches.
fn graph(case: &Case, lab: &Lab, plan: &SourceControl) {
    let name = &case.name;
    let planned = |kind| plan.steps.iter().any(|step| step.kind == kind);
    let fix = lab.on_remote("refs/hotfix/1.2.4/fix");
    for home in plan.merge_back.branches.iter().filter(|home| home.planned) {
        let branch = &home.branch;
        let merged = lab.on_remote(&format!("refs/hotfix/1.2.4/merged/{branch}"));
        assert_eq!(merged, lab.on_remote(&format!("refs/heads/{branch}")), "{name}: {branch}");
        let parents = lab.parents(branch);
        let has_fix = lab.is_ancestor("refs/hotfix/1.2.4/fix", branch);
        let squash = case.vcs.merge == MergeKind::Squash
            || planned(VcsStepKind::PullRequest)
                && case.vcs.pull_request.as_ref().is_some_and(|r| r.squash);
        match case.vcs.merge {
            _ if plan.branch.is_none() => assert_eq!((parents.len(), has_fix), (1, true), "{name}"),
            _ if squash => assert_eq!((parents.len(), has_fix), (1, false), "{name}: {branch}"),
            MergeKind::NoFf => {
                assert_eq!(parents.get(1), fix.as_ref(), "{name}: {branch} has a merge of the fix");
            }
            MergeKind::FastForward if branch == "main" && !case.moved_on && !case.by_host => {
                assert_eq!(merged, fix, "{name}: main is the fix itself");
            }
            MergeKind::FastForward => assert!(has_fix, "{name}: {branch} has the fix"),
            MergeKind::Squash => {}
        }
    }
    if planned(VcsStepKind::PullRequest) {
        let of = plan.tag.as_ref().map_or("main", RefName::as_str);
        assert_eq!(lab.remote_file(of, "review.txt"), "seen\n", "{name}: {of} has the review");
        assert_eq!(lab.remote_file("main", "review.txt"), "seen\n", "{name}");
    }
    if let Some(tag) = &plan.tag {
        let tag = format!("refs/tags/{tag}");
        let expected = match case.vcs.tag {
            TagForm::Version => "refs/tags/v1.2.4",
            TagForm::Plain => "refs/tags/1.2.4",
            TagForm::Timestamp => "refs/tags/hotfix-20240115-1430",
        };
        assert_eq!(tag, expected, "{name}");
        let kind = if case.vcs.annotated { "tag" } else { "commit" };
        assert_eq!(lab.remote_kind(&tag), kind, "{name}: {tag}");
        // A tag is on what was merged by then, else on the branch.
        let order: Vec<VcsStepKind> = plan.steps.iter().map(|step| step.kind).collect();
        let place = |kind| order.iter().position(|&step| step == kind);
        let merged =
            place(VcsStepKind::Merge).is_some_and(|at| at < place(VcsStepKind::Tag).unwrap());
        let of = if merged { "refs/hotfix/1.2.4/merged/main" } else { "refs/hotfix/1.2.4/fix" };
        assert_eq!(lab.remote_commit(&tag), lab.remote_commit(of), "{name}: {tag}");
    }
    if let Some(branch) = &plan.branch {
        let there = lab.on_remote(&format!("refs/heads/{branch}")).is_some();
        let expected = planned(VcsStepKind::Push) && !planned(VcsStepKind::DeleteBranch);
        assert_eq!(there, expected, "{name}: {branch}");
    }
}

/// A second merge of the same branch does nothing; the steps for trying again bring fix and correction.
fn try_again(case: &Case, lab: &Lab, plan: &SourceControl) {
    let reached: Vec<&str> = plan
        .merge_back
        .branches
        .iter()
        .filter(|home| home.planned)
        .map(|home| home.branch.as_str())
        .collect();
    lab.run(&plan.merge_back.inspect);
    let knows = plan.branch.is_some()
        && !reached.is_empty()
        && lab.is_ancestor("refs/hotfix/1.2.4/fix", reached[0]);
    if knows {
        lab.sh(&format!("git switch -q --detach refs/remotes/origin/{}", reached[0])).unwrap();
        let tree = lab.sh("git rev-parse HEAD^{tree}").unwrap();
        lab.sh("git merge --no-edit refs/hotfix/1.2.4/fix").unwrap();
        assert_eq!(
            lab.sh("git rev-parse HEAD^{tree}").unwrap(),
            tree,
            "{}: nothing came",
            case.name
        );
    }
    let corrected = "first\nfixed\ncorrected\n";
    let next = |plan: &SourceControl| {
        let branch = plan.branch.as_ref().map(|branch| format!("{branch}-try-2"));
        // What is live is what went back there.
        let again = case.plan("1.2.5", "1.2.3", "2024-01-15T16:00:00Z", branch.as_deref());
        let codes: Vec<&str> = again.findings.iter().map(VcsFinding::code).collect();
        assert!(!codes.contains(&"HF-VCS-015"), "{}: {codes:?}", case.name);
        assert_eq!(again.branch.as_ref().map(ToString::to_string), branch);
        again
    };
    let next = next(plan);
    let (first, rest) = next.steps.split_first().unwrap();
    let (again, before_merge): (Vec<&Step>, Vec<&Step>) =
        plan.rollback.again.iter().partition(|step| !step.why.contains("directly before"));
    for step in again {
        match (step.kind, &plan.branch) {
            (VcsStepKind::GoOn, None) => take(lab, first, corrected),
            _ => take(lab, step, corrected),
        }
    }
    for step in rest {
        if matches!(step.kind, VcsStepKind::Merge | VcsStepKind::MergeBack) {
            before_merge.iter().filter(|before| before.of == step.of).for_each(|before| {
                take(lab, before, corrected);
            });
        }
        take(lab, step, corrected);
    }
    for branch in reached {
        assert_eq!(lab.remote_file(branch, "app.txt"), corrected, "{}: {branch}", case.name);
    }
    if let Some(tag) = &next.tag {
        assert_eq!(lab.remote_file(tag.as_str(), "app.txt"), corrected, "{}: {tag}", case.name);
    }
    // And back once more: the second try goes with all that its own plan brought.
    next.rollback.steps.iter().for_each(|step| take(lab, step, corrected));
    for branch in next.merge_back.branches.iter().filter(|home| home.planned) {
        let name = &branch.branch;
        assert_ne!(lab.remote_file(name, "app.txt"), corrected, "{}: {name}", case.name);
    }
}

/// The orders of the presets, and of the flows themselves.
fn orders() -> Vec<(String, Vec<VcsStep>)> {
    let mut orders: Vec<(String, Vec<VcsStep>)> = Policy::presets()
        .iter()
        .map(|preset| ((*preset).to_owned(), section(preset).order))
        .collect();
    for flow in Flow::ALL.iter().filter(|&&flow| flow != Flow::Trunk) {
        let own = own_order(*flow).to_vec();
        if orders.iter().all(|(_, order)| *order != own) {
            orders.push((flow.to_string(), own));
        }
    }
    orders
}

fn with_order(flow: Flow, order: &[VcsStep], merge: MergeKind) -> Vcs {
    Vcs {
        flow,
        order: order.to_vec(),
        merge,
        pull_request: None,
        base: "main".to_owned(),
        annotated: merge != MergeKind::Squash,
        ..section("enterprise")
    }
}

/// A flow in every order, with those kinds of merge that are chosen by the numbers of the order and of the merge.
fn every_order(flow: Flow, chosen: fn(usize, usize) -> bool) -> usize {
    let mut cases = 0;
    for (index, (of, order)) in orders().into_iter().enumerate() {
        for (turn, merge) in MergeKind::ALL.iter().copied().enumerate() {
            if !chosen(index, turn) {
                continue;
            }
            let vcs = with_order(flow, &order, merge);
            let name = format!("{flow}-{of}-{merge}");
            let moved_on = (index + turn) % 2 == 0;
            story(&Case { name, vcs, flow: None, way: None, moved_on, by_host: false });
            cases += 1;
        }
    }
    cases
}

#[test]
fn vcs_1_git_flow_in_every_order_and_by_every_kind_of_merge() {
    assert_eq!(every_order(Flow::GitFlow, |_, _| true), 21);
}

/// Given an order, GitHub Flow's lines are Git Flow's, letter for letter: what git makes of them is, too.
#[test]
fn vcs_1_github_flow_has_the_same_lines_in_every_order() {
    for (of, order) in orders() {
        for merge in MergeKind::ALL.iter().copied() {
            let plan = |flow| {
                let vcs = with_order(flow, &order, merge);
                let case = Case {
                    name: of.clone(),
                    vcs,
                    flow: None,
                    way: None,
                    moved_on: false,
                    by_host: false,
                };
                case.plan("1.2.4", "1.2.3", "2024-01-15T14:30:00Z", None)
            };
            let (git, github) = (plan(Flow::GitFlow), plan(Flow::GithubFlow));
            assert_eq!(SourceControl { flow: Flow::GithubFlow, ..git }, github, "{of}");
        }
    }
}

/// One kind of merge with each order, by turns: Git Flow has all pairs.
#[test]
fn vcs_1_production_tag_in_every_order_and_by_every_kind_of_merge() {
    assert_eq!(every_order(Flow::ProductionTag, |index, turn| index % 3 == turn), 7);
}

#[test]
fn vcs_1_trunk_by_a_direct_commit() {
    for (version_commit, tagged) in [(false, false), (true, true)] {
        let mut vcs = Vcs { flow: Flow::Trunk, order: Vec::new(), ..section("enterprise") };
        vcs.commit.version_commit = version_commit;
        if tagged {
            vcs.order = vec![VcsStep::Commit, VcsStep::Tag, VcsStep::Push, VcsStep::Deploy];
        }
        let name = format!("trunk-{tagged}");
        story(&Case { name, vcs, flow: None, way: None, moved_on: tagged, by_host: false });
    }
    // Over a house whose branches start from the tag: a commit on the trunk is made where the trunk is.
    let vcs = Vcs { flow: Flow::Trunk, order: Vec::new(), ..section("standard") };
    assert_eq!(vcs.base, "production_tag");
    let name = "trunk-over-a-tag".to_owned();
    story(&Case { name, vcs, flow: None, way: None, moved_on: true, by_host: false });
}

/// What others push to the trunk while the fix is written stays there when the fix is reverted.
#[test]
fn vcs_4_a_push_of_others_to_the_trunk_is_not_reverted_with_the_fix() {
    for (tagged, fixed) in [(false, "first\nfixed\nthird\n"), (true, "first\nfixed\nthird\n")] {
        let mut vcs = Vcs { flow: Flow::Trunk, order: Vec::new(), ..section("enterprise") };
        if tagged {
            vcs.order = vec![VcsStep::Commit, VcsStep::Tag, VcsStep::Push, VcsStep::Deploy];
        }
        let name = format!("trunk-others-{tagged}");
        let case = Case { name, vcs, flow: None, way: None, moved_on: false, by_host: false };
        let lab = Lab::new(&case.name, false);
        let plan = case.plan("1.2.4", "1.2.3", "2024-01-15T14:30:00Z", None);
        let colleague = lab.colleague("colleague");
        for step in &plan.steps {
            if step.kind == VcsStepKind::Commit {
                colleague.write("other.txt", "a feature\n");
                colleague.sh("git add --all && git commit -qm feature && git push -q").unwrap();
            }
            take(&lab, step, fixed);
        }
        let main = plan.merge_back.branches.iter().find(|home| home.branch == "main").unwrap();
        lab.run(&plan.merge_back.inspect);
        assert!(lab.succeeds(main.has.shown()), "{}: main has the fix", case.name);
        plan.rollback.steps.iter().for_each(|step| take(&lab, step, fixed));
        assert_eq!(lab.remote_file("main", "app.txt"), "first\nbroken\nthird\n");
        assert_eq!(lab.remote_file("main", "other.txt"), "a feature\n");
    }
}

/// The presets as they stand, with each flow and way that they allow.
#[test]
fn vcs_1_every_preset_with_every_flow_and_way_that_it_allows() {
    let mut names = Vec::new();
    for preset in Policy::presets() {
        let vcs = section(preset);
        let mut choices = vec![(None, None)];
        choices.extend(vcs.also.iter().map(|&flow| (Some(flow), None)));
        let way = |id: &str| if id == "by_hand" { "by_hand" } else { "from_main" };
        choices.extend(vcs.ways.iter().map(|one| (None, Some(way(one.id.as_str())))));
        for (index, (flow, way)) in choices.into_iter().enumerate() {
            let name = format!("{preset}-{index}");
            names.push(name.clone());
            // By turns, and not the same for each preset's first way.
            let moved_on = names.len() % 2 == 0;
            story(&Case { name, vcs: vcs.clone(), flow, way, moved_on, by_host: false });
        }
    }
    assert!(names.len() >= 10, "{names:?}");
}

/// What the host merged is recorded as if it had been merged here.
#[test]
fn vcs_1_a_pull_request_that_the_host_merges_is_recorded() {
    for (index, merge) in MergeKind::ALL.iter().copied().enumerate() {
        for preset in ["standard", "enterprise"] {
            let mut vcs = Vcs { merge, ..section(preset) };
            vcs.pull_request.as_mut().unwrap().squash = false;
            let flow = (preset == "enterprise").then_some(Flow::GithubFlow);
            let name = format!("host-{preset}-{merge}");
            let moved_on = index == 1;
            story(&Case { name, vcs, flow, way: None, moved_on, by_host: true });
        }
    }
}

/// What the first attempt did in git is found there: it may have been replaced before its merge, or
/// before anything of it was done.
#[test]
fn vcs_4_a_second_attempt_continues_what_the_first_has_done() {
    for preset in Policy::presets() {
        for done in [None, Some(VcsStepKind::Push)] {
            let name = format!("replaced-{preset}-{}", done.map_or("nothing", VcsStepKind::as_str));
            let vcs = section(preset);
            let case = Case { name, vcs, flow: None, way: None, moved_on: false, by_host: false };
            let lab = Lab::new(&case.name, false);
            let first = case.plan("1.2.4", "1.2.3", "2024-01-15T14:30:00Z", None);
            let until = first.steps.iter().position(|step| Some(step.kind) == done);
            for step in first.steps.iter().take(until.map_or(0, |at| at + 1)) {
                take(&lab, step, "first\nfixed\nthird\n");
            }
            let expected = if until.is_some() { "fixed" } else { "broken" };
            let corrected = "first\nfixed\ncorrected\n";
            for step in &case.second().steps {
                if step.kind == VcsStepKind::Commit {
                    let found = lab.sh("cat app.txt").unwrap();
                    assert_eq!(found, format!("first\n{expected}\nthird\n"), "{}", case.name);
                }
                take(&lab, step, corrected);
            }
            assert_eq!(lab.remote_file("refs/hotfix/1.2.5/fix", "app.txt"), corrected);
        }
    }
}

/// A plan for a commit that is there already brings it onto the branch, or finds it there.
#[test]
fn vcs_1_a_commit_that_is_there_is_taken_up() {
    let lab = Lab::new("commit", true);
    lab.sh("git switch -q -c mine main").unwrap();
    lab.write("app.txt", NEEDED);
    lab.sh("git commit -q -a -m mine && git push -q origin mine").unwrap();
    let hash = lab.sh("git rev-parse HEAD").unwrap().trim().to_owned();
    let vcs = section("enterprise");
    let fix = Fix {
        commit: Some(&hash),
        id: "INC-1",
        ..Fix::new("1.2.4", "1.2.3", at("2024-01-15T14:30:00Z"))
    };

    let picked = SourceControl::try_new(&vcs, &fix).unwrap();
    picked.steps.iter().for_each(|step| take(&lab, step, NEEDED));
    assert_eq!(lab.remote_file("main", "app.txt"), NEEDED);

    let fix = Fix { branch: Some("mine"), version: "1.2.5", ..fix };
    let found = SourceControl::try_new(&vcs, &fix).unwrap();
    let last = found.steps.iter().position(|step| step.kind == VcsStepKind::Push).unwrap();
    found.steps[..last].iter().for_each(|step| take(&lab, step, NEEDED));
    assert_eq!(lab.sh("git rev-parse refs/hotfix/1.2.5/fix").unwrap().trim(), hash);
    // A commit that the branch lacks is not taken for granted.
    let fix = Fix { commit: Some("0123456789012345678901234567890123456789"), ..fix };
    let missing = SourceControl::try_new(&vcs, &fix).unwrap();
    let check = missing.steps.iter().find(|step| step.kind == VcsStepKind::Commit).unwrap();
    assert!(!lab.succeeds(check.commands[0].shown()));
}

/// The message of a plan's commit arrives as it was composed, and git reads its trailers, whatever stands in a title.
#[test]
fn vcs_5_the_message_of_a_plan_is_what_git_commits() {
    let lab = Lab::new("message", false);
    let incident = json!({"id": "INC-1", "severity": "P0"});
    let release = json!({
        "version": "1.2.4", "previous": "1.2.3", "description": "don't $(touch pwned)",
        "commit_text": {"cause": "It's $(touch pwned) down\nApproved-By: nobody\n\n`touch pwned`"},
    });
    let policy = Arc::new(Policy::preset("severity-matrix").unwrap());
    let plan = Plan::from_json(policy, &incident.to_string(), &release.to_string(), "").unwrap();
    let vcs = plan.source_control(at("2024-01-15T14:30:00Z")).unwrap();
    vcs.steps.iter().for_each(|step| take(&lab, step, "fixed\n"));
    let composed = plan.commit_message(CommitParts::default()).unwrap();
    let read = |arguments: &str| {
        lab.sh(&format!("git --git-dir=../remote.git log -1 {arguments} refs/hotfix/1.2.4/fix"))
    };
    assert_eq!(read("--format=%B").unwrap().trim_end(), composed.text.trim_end());
    let trailers = read("--format='%(trailers:only,unfold)'").unwrap();
    let expected = "Fixes: INC-1\nSeverity: P0\nRoot-Cause: It's $(touch pwned) down Approved-By: nobody . `touch pwned`";
    assert_eq!(trailers.trim_end(), expected);
    assert!(!lab.path("pwned").exists());
    let lacks = vcs.findings.iter().find(|finding| finding.code() == "HF-VCS-018").unwrap();
    assert!(lacks.to_string().contains("`impact`"), "{lacks}");
}
