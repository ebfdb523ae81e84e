//! What teams do beside the plan's commands, against a real git: hosts that merge in their own way, release
//! branches that are open, versions of every kind (VCS-1, VCS-3, VCS-6).

use std::sync::Arc;

use hotfix_core::grade::{Flow, MergeKind, RollbackMethod, TagForm};
use hotfix_core::plan::{CommandOwner, Plan};
use hotfix_core::policy::Policy;
use hotfix_core::policy::section::Vcs;
use hotfix_core::vcs::{Fix, SourceControl, VcsFinding, VcsStepKind};
use serde_json::json;

use crate::git_lab::Lab;
use crate::vcs_git::{Case, at, section, take, take_by_host};

/// A host may allow one kind of merge only, whatever is asked of it: all of the fix is known and goes back.
#[test]
fn vcs_6_what_the_host_merged_in_another_way_goes_back_completely() {
    for host in ["--merge", "--squash", "--rebase"] {
        for (preset, merge) in [("standard", MergeKind::NoFf), ("enterprise", MergeKind::Squash)] {
            let mut vcs = Vcs { merge, ..section(preset) };
            vcs.pull_request.as_mut().unwrap().squash = false;
            let flow = (preset == "enterprise").then_some(Flow::GithubFlow);
            let name = format!("host-does{host}-{preset}");
            let case = Case { name, vcs, flow, way: None, moved_on: true, by_host: true };
            let lab = Lab::new(&case.name, true).with_host();
            lab.sh(&format!("printf %s {host} >../way")).unwrap();
            let plan = case.plan("1.2.4", "1.2.3", "2024-01-15T14:30:00Z", None);
            let branches = &plan.merge_back.branches;
            let trees = |lab: &Lab| -> Vec<String> {
                branches.iter().map(|home| lab.remote_tree(&home.branch)).collect()
            };
            let before = trees(&lab);
            let fixed = "first\nfixed\nthird\n";
            plan.steps.iter().for_each(|step| take_by_host(&lab, step, fixed));
            let colleague = lab.colleague("colleague");
            colleague.run(&plan.merge_back.inspect);
            for home in branches.iter().filter(|home| home.planned) {
                assert!(colleague.succeeds(home.has.shown()), "{}: {}", case.name, home.branch);
                assert_eq!(colleague.remote_file(&home.branch, "app.txt"), fixed, "{}", case.name);
            }
            plan.rollback.steps.iter().for_each(|step| take(&colleague, step, fixed));
            assert_eq!(trees(&colleague), before, "{}: it is as it was", case.name);
        }
    }
}

/// An open release branch that the release names gets the fix, and loses it with a rollback.
#[test]
fn vcs_1_an_open_release_branch_gets_the_fix() {
    let vcs = section("enterprise");
    let open = ["release/2.0".to_owned(), "develop".to_owned()];
    for merge in MergeKind::ALL.iter().copied() {
        let vcs = Vcs { merge, ..vcs.clone() };
        let lab = Lab::new(&format!("open-release-{merge}"), true);
        lab.sh(
            "set -e; git switch -q -c release/2.0 develop; echo 2.0 >notes.txt; git add --all; \
             git commit -q -m 'notes of 2.0'; git push -q origin release/2.0; git switch -q main",
        )
        .unwrap();
        let fix = Fix { id: "INC-1", ..Fix::new("1.2.4", "1.2.3", at("2024-01-15T14:30:00Z")) };
        let alone = SourceControl::try_new(&vcs, &fix).unwrap();
        let says = |plan: &SourceControl| {
            plan.steps.iter().any(|step| step.why.contains("If a release branch is open"))
        };
        assert!(says(&alone), "somebody has to know about it");
        let plan = SourceControl::try_new(&vcs, &Fix { merge_back: &open, ..fix }).unwrap();
        assert!(!says(&plan));
        let homes: Vec<&str> =
            plan.merge_back.branches.iter().map(|home| home.branch.as_str()).collect();
        assert_eq!(homes, ["main", "develop", "release/2.0"]);
        let before: Vec<String> = homes.iter().map(|home| lab.remote_tree(home)).collect();
        let fixed = "first\nfixed\nthird\n";
        plan.steps.iter().for_each(|step| take(&lab, step, fixed));
        let colleague = lab.colleague("colleague");
        colleague.run(&plan.merge_back.inspect);
        for home in &plan.merge_back.branches {
            assert!(colleague.succeeds(home.has.shown()), "{}", home.branch);
            assert_eq!(colleague.remote_file(&home.branch, "app.txt"), fixed, "{}", home.branch);
        }
        plan.rollback.steps.iter().for_each(|step| take(&colleague, step, fixed));
        for (home, tree) in homes.iter().zip(&before) {
            assert_eq!(&colleague.remote_tree(home), tree, "{home} is as it was");
        }
    }
}

/// Two lines that are maintained: one older than what is live, one made from it. Others have merged into
/// main since, if `moved_on`.
const LINES: &str = r#"
set -e
git switch -q -c release/1.1
printf '1.1.9' >VERSION
git commit -q -a -m 'version 1.1.9'
git switch -q main
echo feature >feature.txt
git add --all
git commit -q -m 'a feature of 1.3'
git tag -a -m 'Version 1.3.0' v1.3.0
git switch -q -c release/2.0
echo 2.0 >notes.txt
git add --all
git commit -q -m 'notes of 2.0'
git switch -q develop
git merge -q --no-edit main
git switch -q main
if test "$MOVED_ON" = yes; then
    echo merged >merged.txt
    git add --all
    git commit -q -m 'what others merged'
fi
git push -q origin main develop release/1.1 release/2.0 --tags
"#;

/// A line without what the fix is based on gets the fix alone: by the plan's steps or by those that people do
/// later, by the second attempt, too, and each rollback removes it.
#[test]
fn vcs_1_an_older_line_gets_nothing_but_the_fix() {
    let named = ["release/1.1".to_owned(), "release/2.0".to_owned()];
    let mut stories = 0;
    for preset in Policy::presets() {
        let vcs = section(preset);
        let mut choices = vec![(None, None)];
        choices.extend(vcs.also.iter().map(|&flow| (Some(flow), None)));
        choices.extend(vcs.ways.iter().map(|one| (None, Some(one.id.to_string()))));
        for (flow, way) in choices {
            stories += 1;
            let moved_on = stories % 2 == 0;
            let name = format!("lines-{stories}");
            let lab = Lab::new(&name, false);
            lab.sh(&format!("MOVED_ON={}\n{LINES}", if moved_on { "yes" } else { "no" })).unwrap();
            let of = |version| {
                let time = if version == "1.3.1" { "14:30" } else { "16:00" };
                let fix = Fix::new(version, "1.3.0", at(&format!("2024-01-15T{time}:00Z")));
                Fix { id: "INC-1", flow, way: way.as_deref(), merge_back: &named, ..fix }
            };
            let first = of("1.3.1");
            let second = Fix { after: Some(&first), ..of("1.3.2") };
            // The revert of the first attempt has its version as well, which only people can sort out.
            let attempts = if vcs.commit.version_commit { 1 } else { 2 };
            let attempts = [(first, "first\nfixed\nthird\n"), (second, "first\nfixed\nright\n")]
                .into_iter()
                .take(attempts);
            for (fix, fixed) in attempts {
                let plan = SourceControl::try_new(&vcs, &fix).unwrap();
                let homes = &plan.merge_back.branches;
                let trees =
                    || homes.iter().map(|home| lab.remote_tree(&home.branch)).collect::<Vec<_>>();
                let before = trees();
                plan.steps.iter().for_each(|step| take(&lab, step, fixed));
                let colleague = lab.colleague(&format!("colleague-{}", fix.version));
                colleague.run(&plan.merge_back.inspect);
                for home in homes {
                    let branch = &home.branch;
                    assert_eq!(
                        colleague.succeeds(home.has.shown()),
                        home.planned,
                        "{name} {branch}"
                    );
                    if !home.planned {
                        home.steps.iter().for_each(|step| take(&colleague, step, fixed));
                        assert!(colleague.succeeds(home.has.shown()), "{name}: {branch}");
                    }
                    assert_eq!(lab.remote_file(branch, "app.txt"), fixed, "{name}: {branch}");
                }
                let has = |branch: &str, file: &str| {
                    lab.on_remote(&format!("refs/heads/{branch}:{file}")).is_some()
                };
                assert!(!has("release/1.1", "feature.txt"), "{preset} {name}: the newer line");
                assert_eq!(lab.remote_file("release/1.1", "VERSION"), "1.1.9", "{name}");
                assert!(!has("release/2.0", "merged.txt"), "{name}: what is on main alone");
                assert!(has("release/2.0", "notes.txt"), "{name}");
                let rollback = &plan.rollback.steps;
                for step in rollback {
                    take(&colleague, step, fixed);
                }
                assert_eq!(trees(), before, "{name}: each branch is as it was");
            }
        }
    }
    assert!(stories >= 10, "{stories}");
}

/// Pre-releases, calendar versions, build numbers: git takes each, as a version and as a tag.
#[test]
fn vcs_3_versions_of_every_kind_go_there_and_back() {
    let preset = section("emergency-command");
    let versions = [
        ("1.2.3-rc.2", "1.2.3-rc.1", TagForm::Version, "v1.2.3-rc.2", &[][..]),
        ("1.2.3", "1.2.3-rc.1", TagForm::Version, "v1.2.3", &[]),
        ("1.2.3-rc.1", "1.2.3", TagForm::Version, "v1.2.3-rc.1", &["HF-VCS-013", "HF-VCS-015"]),
        ("1.2.4-rc.1", "1.2.3", TagForm::Version, "v1.2.4-rc.1", &["HF-VCS-015"]),
        ("1.2.3+7", "1.2.3+6", TagForm::Version, "v1.2.3+7", &["HF-VCS-013", "HF-VCS-015"]),
        ("2024.01.2", "2024.01.1", TagForm::Plain, "2024.01.2", &[]),
        ("2024.01", "2024.01.1", TagForm::Plain, "2024.01", &["HF-VCS-013"]),
        ("4712", "4711", TagForm::Plain, "4712", &[]),
        ("998", "1002", TagForm::Plain, "998", &["HF-VCS-013"]),
        ("build-4712", "build-4711", TagForm::Plain, "build-4712", &["HF-VCS-014"]),
    ];
    for (index, (version, previous, tag, name, findings)) in versions.into_iter().enumerate() {
        let vcs = Vcs { tag, ..preset.clone() };
        let lab = Lab::new(&format!("version-{index}"), true);
        let live = if tag == TagForm::Plain { previous } else { &format!("v{previous}") };
        lab.sh(&format!("git tag '{live}' v1.2.3; git push -q origin --tags")).unwrap();
        // The tag of the version that is live in the lab.
        if name == "v1.2.3" {
            lab.sh("git tag -d v1.2.3; git push -q origin --delete v1.2.3").unwrap();
        }
        let id = "INC-1";
        let fix = Fix { id, ..Fix::new(version, previous, at("2024-01-15T14:30:00Z")) };
        let plan = SourceControl::try_new(&vcs, &fix).unwrap();
        assert_eq!(plan.base, live);
        let found: Vec<&str> = plan.findings.iter().map(VcsFinding::code).collect();
        assert_eq!(found, findings, "{version} after {previous}");
        let before = lab.remote_tree("main");
        plan.steps.iter().for_each(|step| take(&lab, step, "fixed\n"));
        assert_eq!(lab.remote_file(name, "app.txt"), "fixed\n");
        assert_eq!(lab.remote_file("main", "app.txt"), "fixed\n");
        plan.rollback.steps.iter().for_each(|step| take(&lab, step, "fixed\n"));
        assert_eq!(lab.remote_tree("main"), before, "{version}");
    }
}

/// C28: as S2 327 and S4 423 have it, the way back fails after the merge that they ask for.
#[test]
fn vcs_6_plain_revert_of_a_merge_fails_and_with_its_parent_it_does_not() {
    let case = Case {
        name: "c28".to_owned(),
        vcs: section("severity-matrix"),
        flow: None,
        way: None,
        moved_on: false,
        by_host: false,
    };
    let lab = Lab::new("c28", false);
    let plan = case.plan("1.2.4", "1.2.3", "2024-01-15T14:30:00Z", None);
    plan.steps.iter().for_each(|step| take(&lab, step, "fixed\n"));
    lab.sh("git switch -q main").unwrap();
    let failed = lab.sh("git revert HEAD").unwrap_err();
    assert!(failed.contains("is a merge but no -m option was given"), "{failed}");
    plan.rollback.steps.iter().for_each(|step| take(&lab, step, "fixed\n"));
    assert_eq!(lab.remote_tree("main"), lab.remote_tree("v1.2.3"));
}

/// The lines of the method `git_revert`, in any clone, right after the deployment: what is deployed is as it was before. Where
/// the fix is merged later, there is no such method.
#[test]
fn vcs_6_the_method_git_revert_takes_the_fix_out_of_what_is_deployed() {
    let mut reverted = Vec::new();
    for preset in Policy::presets() {
        let policy = Arc::new(Policy::preset(preset).unwrap());
        let is_known =
            policy.rollback().methods.iter().any(|way| way.kind == RollbackMethod::GitRevert);
        let vcs = section(preset);
        let mut choices = vec![(None, None)];
        choices.extend(vcs.also.iter().map(|&flow| (Some(flow), None)));
        choices.extend(vcs.ways.iter().map(|one| (None, Some(one.id.to_string()))));
        for (flow, way) in choices.into_iter().filter(|_| is_known) {
            let release = json!({ "version": "1.2.4", "previous": "1.2.3", "description": "a fix", "flow": flow, "way": way });
            let incident = r#"{"id": "INC-1", "severity": "P1"}"#;
            let plan = Plan::from_json(policy.clone(), incident, &release.to_string(), "").unwrap();
            let commands = plan.commands();
            let lines: Vec<&str> = commands
                .iter()
                .filter(|owner| owner.of == CommandOwner::Method && owner.id == "git_revert")
                .flat_map(|owner| &owner.commands)
                .map(|command| command.line.as_str())
                .filter(|line| line.starts_with("git "))
                .collect();
            let back = plan.rollback();
            let is_tried = back
                .methods
                .iter()
                .chain(&back.others)
                .any(|way| way.kind == RollbackMethod::GitRevert);
            assert_eq!(is_tried, !lines.is_empty(), "{preset} {flow:?} {way:?}");
            if lines.is_empty() {
                continue;
            }
            let name = format!("revert-{preset}-{}", reverted.len());
            let lab = Lab::new(&name, false);
            let before = lab.remote_tree("main");
            let steps = plan.source_control(at("2024-01-15T14:30:00Z")).unwrap().steps;
            let deployed = steps.iter().position(|step| step.kind == VcsStepKind::Deploy).unwrap();
            steps[..=deployed].iter().for_each(|step| take(&lab, step, "first\nfixed\nthird\n"));
            assert_ne!(lab.remote_tree("main"), before, "{name}: main is deployed");
            let colleague = lab.colleague("colleague");
            colleague.sh(&format!("set -ex\n{}", lines.join("\n"))).unwrap();
            assert_eq!(colleague.remote_tree("main"), before, "{name}: main is as it was");
            reverted.push(name);
        }
    }
    assert!(reverted.len() >= 5, "{reverted:?}");
}
