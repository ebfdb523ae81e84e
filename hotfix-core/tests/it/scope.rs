//! The scope guard, and what each severity asks for (GATE-1, GATE-3, GATE-4).

use std::process::Command;
use std::sync::{Arc, LazyLock};

use hotfix_core::fact::Truth;
use hotfix_core::gate::{
    Change, ChangedFile, ChangedLines, Numstat, NumstatError, ScopeInput, ScopeReport, ScopeRule,
    Tidying,
};
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::policy::section::Scope;
use proptest::prelude::*;
use serde_json::json;

use crate::shared::gate_cases::{Answer, Case};
use crate::tree;

fn answers(file: &str, ask: fn(&Plan) -> serde_json::Value) {
    let cases = Case::load(&tree::root().join("hotfix-core/tests/cases/scope").join(file));
    assert!(cases.len() > 10, "only {} cases", cases.len());
    let answer = |case: &Case| -> Answer {
        let policy = match case.policy() {
            Ok(name) => Policy::preset(name).unwrap(),
            Err(text) => Policy::from_toml(text).unwrap(),
        };
        let [incident, release, traffic] = case.subject();
        match Plan::from_json(Arc::new(policy), &incident, &release, &traffic) {
            Ok(plan) => Ok(ask(&plan)),
            Err(error) => Err((error.code().to_owned(), error.path())),
        }
    };
    let wrong: Vec<String> = cases.iter().flat_map(|case| case.faults(answer(case))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn gate_4_every_document_s_rules_are_judged() {
    answers("scope.toml", |plan| json!(plan.scope()));
}

#[test]
fn gate_3_every_severity_says_what_it_asks_for() {
    answers("demands.toml", |plan| json!(plan.demands()));
}

#[test]
fn gate_4_an_error_of_the_figures_has_its_code_and_line() {
    let long = "1\t0\ta\n".repeat(Numstat::MOST_BYTES / 6 + 1);
    let cases = [
        (long.as_str(), "HF-GATE-010", None),
        ("1\t0\ta\n1 0 a\n", "HF-GATE-011", Some(2)),
        ("1\t0\ta\n\n+1\t0\ta\n", "HF-GATE-011", Some(3)),
        ("99999999999999999999\t0\ta\n", "HF-GATE-012", Some(1)),
        ("1\t0\ta\u{7}b\n", "HF-GATE-013", Some(1)),
        ("1\t0\t\"\\q\"\n", "HF-GATE-013", Some(1)),
        ("1\t0\t\"\\30\"\n", "HF-GATE-013", Some(1)),
        ("1\t0\t\"\\000\"\n", "HF-GATE-013", Some(1)),
        ("1\t0\t\"a\"b\n", "HF-GATE-013", Some(1)),
        ("1\t0\t\"a\" => \n", "HF-GATE-013", Some(1)),
        ("1\t0\t{ => }\n", "HF-GATE-013", Some(1)),
        ("1\t0\ta\u{0}1\t0\tb", "HF-GATE-013", Some(1)),
        ("0\t0\t\0a\0b\0", "HF-GATE-013", Some(1)),
    ];
    for (text, code, line) in cases {
        let error: NumstatError = Numstat::parse(text).unwrap_err();
        assert_eq!((error.code(), error.line()), (code, line), "{error}");
        let sentence = error.to_string();
        assert!(!sentence.contains('\n') && sentence.contains(": "), "{sentence}");
    }
}

/// Each built-in pattern can be written into a policy, and is understood alike there.
#[test]
fn gate_4_the_built_in_patterns_are_patterns() {
    let lists = [Scope::DEPENDENCY_FILES, Scope::MIGRATION_FILES, Scope::TEST_FILES];
    let [dependencies, migrations, tests] =
        lists.map(|list| json!(Scope::patterns(list).collect::<Vec<_>>()));
    let base = Policy::preset("standard").unwrap().to_json();
    let mut document: serde_json::Value = serde_json::from_str(&base).unwrap();
    document["scope"]["dependency_files"] = dependencies;
    document["scope"]["migration_files"] = migrations;
    document["scope"]["test_files"] = tests;
    let policy = Policy::from_json(&document.to_string()).unwrap();
    assert_eq!(Policy::from_toml(&policy.to_toml()).unwrap(), policy);
    let paths = [
        "Cargo.toml",
        "a/Cargo.lock",
        "Cargo.toml.orig",
        "x/migrations/1.py",
        "migrations/1",
        "V1__a.sql",
        "tests/a.py",
        "a_test.go",
    ];
    let files = paths.iter().map(|path| ChangedFile {
        path: (*path).to_owned(),
        before: None,
        lines: None,
    });
    let diff = Numstat { files: files.collect() };
    let input = ScopeInput { diff: Some(&diff), ..ScopeInput::default() };
    let report = ScopeReport::new(policy.scope(), input);
    let figures = report.figures.clone().unwrap();
    assert_eq!(figures.dependencies, ["Cargo.toml", "a/Cargo.lock"]);
    assert_eq!(figures.migrations, ["V1__a.sql", "migrations/1", "x/migrations/1.py"]);
    assert_eq!(figures.tests, ["a_test.go", "tests/a.py"]);
    let built_in = ScopeReport::new(Policy::preset("standard").unwrap().scope(), input);
    assert_eq!(built_in, report);
}

#[test]
fn gate_4_a_pattern_that_is_none_is_refused_with_its_place() {
    for pattern in ["", "/a", "a/", "!a", "a{b,c}", "a\\b", "[a", "a\nb", &"a".repeat(201)] {
        let base = Policy::preset("standard").unwrap().to_json();
        let mut document: serde_json::Value = serde_json::from_str(&base).unwrap();
        document["scope"]["migration_files"] = json!(["ok", pattern]);
        let errors = Policy::from_json(&document.to_string()).unwrap_err();
        let error = errors.first().unwrap();
        assert_eq!(
            (error.code(), error.path()),
            ("HF-POL-042", "/scope/migration_files/1"),
            "{pattern}"
        );
    }
}

/// A file's path, the path before, and its counts.
type Touched = (String, Option<String>, Option<(u32, u32)>);

/// What git itself prints of a repository with odd names.
#[test]
#[cfg(unix)]
fn gate_4_what_git_prints_is_read() {
    let folder = std::env::temp_dir().join(format!("hotfix-numstat-{}", std::process::id()));
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(folder.join("dir/deep")).unwrap();
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .args([
                "-c",
                "user.name=a",
                "-c",
                "user.email=a@example.org",
                "-c",
                "commit.gpgsign=false",
            ])
            .args(arguments)
            .current_dir(&folder)
            .output()
            .expect("git is at hand");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let body = "one\ntwo\nthree\nfour\nfive\n";
    git(&["init", "-q"]);
    let renamed = [
        ("dir/a.txt", "dir/deep/a.txt"),
        ("dir/deep/b.txt", "dir/b.txt"),
        ("top", "dir/top"),
        ("caf\u{e9}", "tab\there"),
        ("plain", "quote\"d"),
        ("q\\uote", "simple"),
        ("dir/x{y}z", "dir/{}"),
    ];
    for (index, (before, _)) in renamed.iter().enumerate() {
        std::fs::write(folder.join(before), format!("{index}\n{body}")).unwrap();
    }
    std::fs::write(folder.join("binary"), [0, 1, 2]).unwrap();
    git(&["add", "-A"]);
    git(&["commit", "-qm", "first"]);
    for (before, after) in renamed {
        std::fs::rename(folder.join(before), folder.join(after)).unwrap();
    }
    std::fs::write(folder.join("binary"), [0, 3]).unwrap();
    std::fs::write(folder.join("new"), "a\nb\n").unwrap();
    git(&["add", "-A"]);
    git(&["commit", "-qm", "second"]);
    let mut expected: Vec<Touched> = renamed
        .iter()
        .map(|(before, after)| ((*after).to_owned(), Some((*before).to_owned()), Some((0, 0))))
        .collect();
    expected.push(("binary".to_owned(), None, None));
    expected.push(("new".to_owned(), None, Some((2, 0))));
    expected.sort();
    for quoting in ["core.quotePath=true", "core.quotePath=false"] {
        let text = git(&["-c", quoting, "diff", "--numstat", "-M", "HEAD~", "HEAD"]);
        let read = Numstat::parse(&text).unwrap_or_else(|e| panic!("{e} in {text:?}"));
        let mut got: Vec<Touched> = read
            .files
            .into_iter()
            .map(|file| (file.path, file.before, file.lines.map(|l| (l.added, l.deleted))))
            .collect();
        got.sort();
        assert_eq!(got, expected, "{text}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z]{1,3}(/[a-z]{1,3}){0,2}",
        1 => Just("Cargo.lock".to_owned()),
        1 => Just("db/migrate/1.rb".to_owned()),
        1 => Just("x/package.json".to_owned()),
    ]
}

prop_compose! {
    fn file()(path in name(), before in prop::option::weighted(0.2, name()), lines in prop::option::weighted(0.8, (0u32..150, 0u32..150))) -> ChangedFile {
        ChangedFile { path, before, lines: lines.map(|(added, deleted)| ChangedLines { added, deleted }) }
    }
}

prop_compose! {
    fn change()(
        fixes in prop::option::of(0u32..3), features in prop::option::of(any::<bool>()),
        tidying in prop::option::of(prop::sample::select(Tidying::ALL)),
        updates_dependencies in prop::option::weighted(0.3, any::<bool>()),
        dependencies_are_the_fix in prop::option::of(any::<bool>()),
    ) -> Change {
        Change { fixes, features, tidying, updates_dependencies, dependencies_are_the_fix }
    }
}

static PRESETS: LazyLock<Vec<Policy>> =
    LazyLock::new(|| Policy::presets().iter().map(|name| Policy::preset(name).unwrap()).collect());

fn preset() -> impl Strategy<Value = &'static Policy> {
    (0..PRESETS.len()).prop_map(|index| &PRESETS[index])
}

fn broken(report: &ScopeReport) -> Vec<ScopeRule> {
    report.breaches.iter().map(|breach| breach.rule).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// More files or lines break no less, and what is said breaks no less when it was unknown before.
    #[test]
    fn gate_4_more_of_a_diff_never_makes_a_breach_vanish(
        policy in preset(), files in prop::collection::vec(file(), 0..12),
        more in file(), change in change(), schema in prop::option::of(any::<bool>()), which in any::<prop::sample::Index>(),
    ) {
        let judge = |files: &[ChangedFile]| {
            let diff = Numstat { files: files.to_vec() };
            let input = ScopeInput { diff: Some(&diff), change: Some(&change), schema_change: schema };
            ScopeReport::new(policy.scope(), input)
        };
        let before = judge(&files);
        let mut wider = files.clone();
        wider.push(more);
        let mut longer = files.clone();
        if !longer.is_empty() {
            let at = which.index(longer.len());
            if let Some(lines) = &mut longer[at].lines { lines.added += 1; }
        }
        for after in [judge(&wider), judge(&longer)] {
            prop_assert!(broken(&before).iter().all(|rule| broken(&after).contains(rule)));
            prop_assert!(before.content != Some(Truth::No) || after.content == Some(Truth::No));
        }
        // A rule is broken, unknown or kept, never two of them.
        let unknown: Vec<_> = before.unknown.iter().map(|one| one.rule).collect();
        prop_assert!(broken(&before).iter().all(|rule| !unknown.contains(rule)));
    }

    /// What nobody says is never better than the best that could be said, nor worse than the worst.
    #[test]
    fn gate_4_what_is_unknown_is_between_what_it_could_be(
        policy in preset(), files in prop::collection::vec(file(), 1..6), change in change(),
    ) {
        let diff = Numstat { files };
        let judge = |change: &Change| {
            let input = ScopeInput { diff: Some(&diff), change: Some(change), ..ScopeInput::default() };
            ScopeReport::new(policy.scope(), input)
        };
        let vague = judge(&change);
        let mut said = Vec::new();
        for fixes in [1, 2] {
            for features in [false, true] {
                for tidying in Tidying::ALL {
                    for fix in [false, true] {
                        said.push(judge(&Change {
                            fixes: change.fixes.or(Some(fixes)),
                            features: change.features.or(Some(features)),
                            tidying: change.tidying.or(Some(*tidying)),
                            updates_dependencies: change.updates_dependencies,
                            dependencies_are_the_fix: change.dependencies_are_the_fix.or(Some(fix)),
                        }));
                    }
                }
            }
        }
        for rule in broken(&vague) {
            prop_assert!(said.iter().all(|report| broken(report).contains(&rule)), "{rule}");
        }
        for one in &vague.unknown {
            let any = |judged: bool| said.iter().any(|report| broken(report).contains(&one.rule) == judged);
            // Lines of a binary file stay unknown, whatever the author says.
            prop_assert!(one.rule == ScopeRule::LinesMost || (any(true) && any(false)), "{}", one.rule);
        }
    }

    /// Any text is figures or an error with a line of it; nothing panics.
    #[test]
    fn gate_4_any_text_is_read_or_refused(text in "([0-9-]{1,3}\t){0,3}[\"a\\\\{}=> \t\n\0\r0-9-]{0,30}") {
        match Numstat::parse(&text) {
            Ok(read) => prop_assert!(read.files.iter().all(|file| !file.path.is_empty())),
            Err(error) => prop_assert!(error.line().is_some_and(|line| line >= 1 && line <= text.len() + 1)),
        }
    }
}
