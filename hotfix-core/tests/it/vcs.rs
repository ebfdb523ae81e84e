//! Source control: the documents' ways, names, versions, and descriptions that want more than to describe (VCS-1 to VCS-6).

use std::process::{Command as Process, Stdio};
use std::sync::Arc;

use hotfix_core::grade::{Flow, MergeKind, TagForm};
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::policy::section::Vcs;
use hotfix_core::rollout::{Input, Recording, Rollout};
use hotfix_core::unit::{RefName, Timestamp};
use hotfix_core::vcs::{
    Command, Fix, SourceControl, Step, VcsError, VcsStepKind, branch_name, next_version, tag_name,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::crate_files::in_crate;
use crate::shared::vcs_cases::{Answer, NameCase, PlanCase, Versions, Wrong};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn wrong(error: &VcsError) -> Wrong {
    Wrong {
        code: error.code().to_owned(),
        path: error.path().to_owned(),
        message: error.to_string(),
    }
}

fn plan(case: &PlanCase) -> Result<Value, Wrong> {
    let document = case.document(&Policy::preset(&case.policy).unwrap().to_json());
    let policy = Arc::new(Policy::from_json(&document).unwrap_or_else(|e| panic!("{e}")));
    let (incident, release) = (case.incident.to_string(), case.release.to_string());
    let plan = Plan::from_json(policy, &incident, &release, "")
        .unwrap_or_else(|e| panic!("{}: {e}", case.id));
    let vcs = plan.source_control(at(&case.at)).map_err(|error| wrong(&error))?;
    Ok(serde_json::to_value(vcs).unwrap())
}

#[test]
fn vcs_1_every_document_has_its_lines_in_its_order() {
    let cases = PlanCase::load(&in_crate("tests/cases/vcs"));
    assert!(cases.len() >= 30, "only {} cases", cases.len());
    let faults: Vec<String> = cases.iter().flat_map(|case| case.faults(plan(case))).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn vcs_2_branches_are_named_after_descriptions() {
    let cases = NameCase::load(&in_crate("tests/cases/vcs"));
    assert!(cases.len() > 40, "only {} cases", cases.len());
    let answer = |case: &NameCase| -> Answer {
        let name = branch_name(&case.prefix, &case.description());
        name.map(|name| (name.to_string(), Vec::new())).map_err(|e| e.code().to_owned())
    };
    let faults: Vec<String> = cases.iter().filter_map(|case| case.fault(&answer(case))).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn vcs_3_vcs_4_versions_and_tags() {
    let cases = Versions::load(&in_crate("tests/cases/vcs"));
    let mut faults = Vec::new();
    for case in &cases.next {
        let next = next_version(&case.version, case.kind.parse().unwrap());
        let codes = |next: &hotfix_core::vcs::NextVersion| {
            next.findings.iter().map(|f| f.code().to_owned()).collect()
        };
        let answer =
            next.map(|next| (next.version.clone(), codes(&next))).map_err(|e| e.code().to_owned());
        faults.extend(case.fault(&answer));
    }
    for case in &cases.tag {
        let tag = match (&case.version, &case.at) {
            (Some(version), None) => tag_name(TagForm::Version, version, Timestamp::default()),
            (None, Some(time)) => tag_name(TagForm::Timestamp, "1.2.4", at(time)),
            _ => panic!("either `version` or `at`"),
        };
        let answer = tag.map(|tag| (tag.to_string(), Vec::new())).map_err(|e| e.code().to_owned());
        faults.extend(case.fault(&answer));
    }
    assert!(cases.next.len() > 20 && cases.tag.len() > 10);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Texts that mean something to a shell, to git, to a terminal or to nobody.
fn hostile() -> BoxedStrategy<String> {
    let parts = prop::sample::select(vec![
        "'",
        "\"",
        "`",
        "$(touch pwned)",
        "${IFS}",
        "\\",
        "\n",
        "\r",
        "\t",
        "-",
        "--force",
        "..",
        ".lock",
        "@{",
        "@",
        "/",
        "//",
        ".",
        "~",
        "^",
        ":",
        "?",
        "*",
        "[",
        "\u{0}",
        "\u{7}",
        "\u{1b}[2J",
        "\u{7f}",
        "\u{85}",
        "\u{202e}",
        "\u{200b}",
        "\u{feff}",
        "\u{2028}",
        "é",
        "e\u{301}",
        "支払い",
        "🔥",
        "HEAD",
        "main",
        "hotfix",
        "a",
        "B",
        "7",
        " ",
        "#",
        "!",
        "&&",
        "|",
        ";",
        ">",
        "<",
        "(",
        ")",
        "{a,b}",
        "=",
        "%",
        ",",
        "\u{a0}",
        "\u{e0041}",
    ]);
    let joined = prop::collection::vec(parts, 0..8).prop_map(|parts| parts.concat());
    prop_oneof![4 => joined, 1 => any::<String>(), 1 => "[ -~]{0,40}"].boxed()
}

/// As many samples as asked for, the same in every run.
fn samples<T: std::fmt::Debug>(of: impl Strategy<Value = T>, many: usize) -> Vec<T> {
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        prop::test_runner::TestRng::deterministic_rng(prop::test_runner::RngAlgorithm::ChaCha),
    );
    (0..many).map(|_| of.new_tree(&mut runner).unwrap().current()).collect()
}

use proptest::strategy::ValueTree as _;

/// What git itself says of a name; none where a program cannot even be given it.
fn git_takes(name: &str) -> Option<bool> {
    if name.contains('\0') {
        return None;
    }
    let asked = Process::new("git")
        .args(["check-ref-format", &format!("refs/heads/{name}")])
        .stderr(Stdio::null())
        .status()
        .unwrap_or_else(|error| panic!("git is needed, and cannot be run: install it ({error})"));
    Some(asked.success())
}

#[test]
fn vcs_2_git_agrees_on_what_is_a_name() {
    let mut taken = 0;
    for name in samples(hostile(), 600) {
        let ours = RefName::try_new(name.as_str());
        // Where git would take it, only these reasons keep us from doing so.
        let why = ours.as_ref().map_or_else(ToString::to_string, |_| String::new());
        let stricter = ["begins with `-`", "reserves", "bytes, and at most", "the invisible"]
            .iter()
            .any(|reason| why.contains(reason));
        match git_takes(&name) {
            Some(true) => assert!(ours.is_ok() || stricter, "{name:?}: {ours:?}"),
            _ => assert!(ours.is_err(), "git refuses {name:?}"),
        }
        taken += u32::from(ours.is_ok());
    }
    assert!(taken > 60, "{taken} names are taken: too few to tell");
}

#[test]
fn vcs_2_git_takes_every_name_that_we_make() {
    let prefixes = ["", "hotfix/", "fix-", "a/b/"];
    let mut made = 0;
    for (index, description) in samples(hostile(), 300).into_iter().enumerate() {
        let Ok(name) = branch_name(prefixes[index % 4], &description) else {
            assert!(!description.contains(|c: char| c.is_ascii_alphanumeric()), "{description:?}");
            continue;
        };
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-/".contains(c);
        assert!(name.as_str().chars().all(plain), "{description:?} gives {name}");
        assert_eq!(git_takes(name.as_str()), Some(true), "{description:?} gives {name}");
        made += 1;
    }
    assert!(made > 150, "{made} names are made: too few to tell");
}

fn all_steps(plan: &SourceControl) -> Vec<&Step> {
    let home = plan.merge_back.branches.iter().flat_map(|home| &home.steps);
    plan.steps.iter().chain(&plan.rollback.steps).chain(&plan.rollback.again).chain(home).collect()
}

fn all_commands(plan: &SourceControl) -> Vec<&Command> {
    let mut commands: Vec<&Command> = plan.merge_back.inspect.iter().collect();
    commands.extend(plan.merge_back.branches.iter().map(|home| &home.has));
    for step in all_steps(plan) {
        commands.extend(&step.commands);
        commands.extend(step.condition.iter().map(|condition| &condition.command));
        commands.extend(step.instead.iter().flat_map(|instead| &instead.commands));
    }
    commands
}

/// What a shell makes of many lines, each printed as `%s\0` by `printf` in place of its program; in one process.
fn read_by_sh(lines: &[(&str, &[String])]) {
    // A function before the line would see it; the line itself stays as it is shown.
    let said: Vec<String> = lines.iter().map(|(shown, _)| format!("say {shown}")).collect();
    let script = said.join("\n");
    let script = format!("say() {{ printf '%s\\0' \"$@\"; printf '\\n\\0'; }}\n{script}");
    let answer = Process::new("sh").arg("-c").arg(script).output().unwrap();
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    let mut read = answer.stdout.split(|&byte| byte == 0);
    for (shown, argv) in lines {
        for argument in *argv {
            assert_eq!(read.next(), Some(argument.as_bytes()), "{shown}");
        }
        assert_eq!(read.next(), Some(&b"\n"[..]), "{shown} has more arguments");
    }
}

#[test]
fn vcs_1_a_shell_reads_what_is_shown_as_it_is_meant() {
    let commands: Vec<Command> = samples(prop::collection::vec(hostile(), 1..4), 400)
        .into_iter()
        .filter_map(|argv| Command::try_new(argv).ok())
        .collect();
    assert!(commands.len() > 100, "{} commands are made: too few to tell", commands.len());
    for command in &commands {
        assert_eq!(shlex::split(command.shown()).as_deref(), Some(command.argv()));
    }
    let lines: Vec<(&str, &[String])> = commands.iter().map(|c| (c.shown(), c.argv())).collect();
    read_by_sh(&lines);
}

/// A plan of hostile texts, with and without the help of a prefix.
fn hostile_plan(index: usize, text: &str) -> Result<SourceControl, VcsError> {
    let mut vcs: Vcs = Policy::preset("standard").unwrap().vcs().unwrap().clone();
    vcs.flow = Flow::ALL[index % 4];
    vcs.order = Vec::new();
    vcs.merge = MergeKind::ALL[index % 3];
    if index.is_multiple_of(2) {
        vcs.prefix = Some(String::new());
        vcs.commit.subject = String::new();
        let request = vcs.pull_request.as_mut().unwrap();
        request.title = String::new();
        request.label = Some(text.to_owned());
        text.clone_into(&mut request.reviewers);
    }
    let message = index.is_multiple_of(5).then_some(text);
    let title = index.is_multiple_of(3).then_some(text);
    let fix = Fix {
        description: Some(text),
        title,
        id: text,
        message,
        ..Fix::new("1.2.4", "1.2.3", at("2024-01-15T14:30:00Z"))
    };
    SourceControl::try_new(&vcs, &fix)
}

#[test]
fn vcs_1_no_description_breaks_out_of_a_command() {
    let mut plans = 0;
    for (index, text) in samples(hostile(), 250).into_iter().enumerate() {
        let plan = match hostile_plan(index, &text) {
            Ok(plan) => plan,
            // A description may be the very name of the branch it goes to.
            Err(VcsError::SameName { .. }) => continue,
            Err(error) => panic!("{text:?}: {error}"),
        };
        plans += 1;
        let commands = all_commands(&plan);
        for command in &commands {
            assert_eq!(shlex::split(command.shown()).as_deref(), Some(command.argv()), "{text:?}");
            let seen =
                |c: char| c == '\n' || !(c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c));
            assert!(command.shown().chars().all(seen), "{text:?}: {}", command.shown());
            // What begins with a hyphen is ours, or stands after a hyphen of ours and an equals sign.
            for option in command.argv().iter().filter(|argument| argument.starts_with('-')) {
                let key = option.split('=').next().unwrap();
                assert!(OPTIONS.contains(&key), "{text:?} makes the option {option:?}");
            }
        }
        if index.is_multiple_of(10) {
            let lines: Vec<(&str, &[String])> =
                commands.iter().map(|c| (c.shown(), c.argv())).collect();
            read_by_sh(&lines);
        }
        for step in all_steps(&plan) {
            for said in
                [Some(&step.title), Some(&step.why), step.people.as_ref()].into_iter().flatten()
            {
                assert!(!said.contains(char::is_control), "{text:?}: {said:?}");
            }
        }
    }
    assert!(plans > 200, "{plans} plans are made: too few to tell");
}

/// Every option of a plan's commands.
const OPTIONS: &[&str] = &[
    "--update",
    "--annotate",
    "--base",
    "--body",
    "--create",
    "--delete",
    "--ff",
    "--ff-only",
    "--first-parent",
    "--force",
    "--head",
    "--is-ancestor",
    "--label",
    "--merge",
    "--no-commit",
    "--no-edit",
    "--no-ff",
    "--quiet",
    "--rebase",
    "--reviewer",
    "--squash",
    "--tags",
    "--title",
    "--verify",
    "-m",
    "-x",
];

#[test]
fn vcs_1_ten_kilobytes_are_a_short_name_and_a_short_subject() {
    let long = "Zahlungen & 'Körbe' gehen $(verloren) ".repeat(300);
    assert!(long.len() > 10_240);
    let plan = hostile_plan(4, &long).unwrap();
    assert!(plan.branch.as_ref().unwrap().as_str().len() <= 50);
    let said = |command: &&Command| command.argv().get(1).is_some_and(|verb| verb == "commit");
    let message = all_commands(&plan).into_iter().find(said).unwrap().argv()[3].clone();
    assert_eq!(message.chars().count(), 72, "{message}");
    assert!(message.ends_with('…'), "{message}");
    // A whole message is given as it is, as long as a command can hold it.
    let vcs = Policy::preset("standard").unwrap().vcs().unwrap().clone();
    let text = "fix: a\n\n".to_owned() + &"b\n".repeat(60_000);
    let fix = Fix {
        description: Some("a"),
        message: Some(&text),
        ..Fix::new("1.2.4", "1.2.3", at("2024-01-15T14:30:00Z"))
    };
    assert_eq!(SourceControl::try_new(&vcs, &fix).unwrap_err().code(), "HF-VCS-011");
    let fix = Fix { message: Some(&text[..10_000]), ..fix };
    assert!(SourceControl::try_new(&vcs, &fix).is_ok());
}

#[test]
fn vcs_1_a_message_of_several_lines_is_kept_without_what_is_not_seen() {
    let vcs = Policy::preset("standard").unwrap().vcs().unwrap().clone();
    let text = "\n\nfix: carts\u{202e}\r\n\r\nCause: a\u{1b}[31mb\tc\n- one\n";
    let fix = Fix {
        description: Some("a"),
        message: Some(text),
        ..Fix::new("1.2.4", "1.2.3", at("2024-01-15T14:30:00Z"))
    };
    let plan = SourceControl::try_new(&vcs, &fix).unwrap();
    let shown = "git commit -m 'fix: carts\n\nCause: a[31mb c\n- one'";
    assert!(
        plan.steps.iter().flat_map(|step| &step.commands).any(|command| command.shown() == shown)
    );
}

#[test]
fn vcs_1_what_no_terminal_should_get_makes_no_command() {
    for text in ["a\u{0}b", "a\u{1b}b", "a\u{7f}", "a\rb", "a\u{202e}b", "a\u{2066}b", "a\u{85}b"] {
        assert_eq!(Command::try_new(["echo", text]).unwrap_err().code(), "HF-VCS-011", "{text:?}");
    }
    assert_eq!(Command::try_new(["echo", "a\nb"]).unwrap().shown(), "echo 'a\nb'");
}

/// Each attempt of a rollout continues the branch of the one before, unless its release is described as
/// another fix. A replay and a snapshot know it, too.
#[test]
fn vcs_4_another_attempt_has_the_next_branch() {
    let release = |version: &str, description: &str| json!({"version": version, "previous": "1.2.3", "description": description});
    let policy = Arc::new(Policy::preset("severity-matrix").unwrap());
    let incident = r#"{"id": "INC-1", "severity": "P1"}"#;
    let first = release("1.2.4", "fix the secret").to_string();
    let plan = Plan::from_json(policy, incident, &first, "").unwrap();
    let mut rollout = Rollout::try_new(plan, Recording::Keep, "").unwrap();
    let noon = at("2026-03-03T12:00:00Z");
    let branch = |rollout: &Rollout| {
        let plan = rollout.plan().source_control(noon).unwrap();
        (plan.branch.unwrap().to_string(), plan.steps[0].kind)
    };
    assert_eq!(branch(&rollout), ("hotfix/fix-the-secret".to_owned(), VcsStepKind::Branch));
    for (version, description, expected, begins) in [
        ("1.2.5", "fix the secret", "hotfix/fix-the-secret-try-2", VcsStepKind::Fetch),
        ("1.2.6", "fix the secret", "hotfix/fix-the-secret-try-3", VcsStepKind::Fetch),
        ("1.2.6", "", "hotfix/fix-the-secret-try-3", VcsStepKind::Fetch),
        ("1.2.7", "without a cache", "hotfix/without-a-cache", VcsStepKind::Branch),
    ] {
        let mut retry = json!({"kind": "retry", "by": "ada", "why": "one file was missing"});
        // Without a release it is the same one again.
        if !description.is_empty() {
            retry["release"] = release(version, description);
        }
        for input in [json!({"kind": "abort", "by": "ada", "why": "incomplete"}), retry] {
            rollout.handle(noon, &Input::from_json(&input.to_string()).unwrap()).unwrap();
        }
        assert_eq!(branch(&rollout), (expected.to_owned(), begins), "{version}");
        let replayed = Rollout::replay(rollout.log().as_bytes(), Recording::Keep).unwrap();
        assert_eq!(branch(&replayed), branch(&rollout), "{version}");
        let restored =
            Rollout::restore(&rollout.snapshot().unwrap(), b"", Recording::Keep).unwrap();
        assert_eq!(branch(&restored), branch(&rollout), "{version}");
    }
}
