//! Imports point downwards, and no file grows beyond what one concern needs.

use std::path::Path;

use crate::tree;

/// From the lowest up. A module imports from lower layers, and from earlier names of its own.
const LAYERS: [(&str, &[&str]); 8] = [
    (
        "vocabulary",
        &[
            "getters",
            "grade",
            "packed",
            "code",
            "unit",
            "sorting",
            "text",
            "canonical",
            "document",
            "fact",
        ],
    ),
    ("policy", &["metric_kind", "policy"]),
    ("engines on values", &["severity", "decision", "gate", "stats", "metric", "kayenta"]),
    ("answers about one release", &["vcs", "plan", "judge", "deadline", "lint"]),
    ("the phase machine", &["rollout", "train"]),
    ("words", &["message", "report", "interop"]),
    ("the whole system", &["simulate"]),
    ("for tests", &["testing"]),
];

/// Modules that may import less than their layer allows.
const ONLY: [(&str, &[&str]); 2] = [
    ("stats", &["unit", "code", "grade"]),
    ("kayenta", &["getters", "code", "grade", "stats", "unit", "document", "text", "sorting"]),
];

/// Modules that can be left out: the features of the core. No other module imports them.
const PARTS: [&str; 5] = ["interop", "kayenta", "message", "report", "simulate"];

const MOST_LINES: usize = 600;

fn place(module: &str) -> Option<(usize, usize)> {
    LAYERS.iter().enumerate().find_map(|(layer, (_, modules))| {
        modules.iter().position(|name| *name == module).map(|position| (layer, position))
    })
}

/// Why `from` may not import `to`, if it may not.
fn refusal(from: &str, to: &str) -> Option<String> {
    if from == to {
        return None;
    }
    let Some(here) = place(from) else {
        return Some(format!("`{from}` has no layer: give it one in tests/it/layers.rs"));
    };
    let Some(there) = place(to) else {
        return Some(format!("`{to}` has no layer: import from the module that defines it"));
    };
    if PARTS.contains(&to) {
        return Some(format!("`{from}` imports `{to}`, which can be left out"));
    }
    if there > here {
        let way = if there.0 == here.0 { "sideways" } else { "upward" };
        return Some(format!("`{from}` imports `{to}`, {way}: {} lies below", LAYERS[here.0].0));
    }
    let only = ONLY.iter().find(|only| only.0 == from);
    only.filter(|only| !only.1.contains(&to))
        .map(|only| format!("`{from}` imports `{to}`, but may only import {:?}", only.1))
}

fn identifier(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// First names of `{a::b, c::{d, e}}`, given the text after the brace.
fn group(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                let name = identifier(text[start..at].trim_start());
                names.extend(Some(name).filter(|name| !name.is_empty()));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    names
}

/// Top-level modules that a source names, with line numbers: `crate::x`, `crate::{x, y}`,
/// `$crate::x`, and in a top-level module's own file `use super::x`. Unit tests at the end of a file
/// do not count, comments neither.
fn imports(source: &str, top_level: bool) -> Vec<(usize, String)> {
    let code: Vec<&str> = source
        .lines()
        .map(|line| if line.trim_start().starts_with("//") { "" } else { line })
        .collect();
    let tests = code
        .windows(2)
        .position(|pair| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod tests {"));
    let code = code[..tests.unwrap_or(code.len())].join("\n");
    let mut found = Vec::new();
    let mut roots = vec!["crate::"];
    if top_level {
        roots.push("\nuse super::");
    }
    for root in roots {
        for (at, _) in code.match_indices(root) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let line = code[..at + root.len()].lines().count();
            let rest = &code[at + root.len()..];
            let names = match rest.strip_prefix('{') {
                Some(inside) => group(inside),
                None => vec![identifier(rest)],
            };
            found.extend(names.into_iter().map(|name| (line, name.to_owned())));
        }
    }
    found
}

/// The top-level module of a path below `src`, and whether the file is that module's own.
fn module(path: &Path) -> (String, bool) {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let first = parts[0].trim_end_matches(".rs").to_owned();
    (first, parts.len() == 1 || (parts.len() == 2 && parts[1] == "mod.rs"))
}

fn broken(path: &Path, source: &str) -> Vec<String> {
    let (from, top_level) = module(path);
    let found = imports(source, top_level);
    let told = |(line, to): (usize, String)| {
        refusal(&from, &to).map(|why| format!("{}:{line}: {why}", path.display()))
    };
    found.into_iter().filter_map(told).collect()
}

#[test]
fn layers_imports_point_downwards() {
    let folder = tree::root().join("hotfix-core/src");
    let mut wrong = Vec::new();
    for path in tree::sources(&folder) {
        let below = path.strip_prefix(&folder).expect("found below it");
        if below != Path::new("lib.rs") {
            wrong.extend(broken(below, &tree::read(&path)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn layers_the_parts_are_the_features_of_core_and_c() {
    for package in ["hotfix-core", "hotfix-ffi"] {
        let manifest = tree::read(&tree::root().join(package).join("Cargo.toml"));
        let manifest: toml::Table = manifest.parse().unwrap();
        let default = manifest["features"]["default"].as_array().unwrap();
        let default: Vec<&str> = default.iter().map(|part| part.as_str().unwrap()).collect();
        assert_eq!(default, PARTS, "{package}");
    }
}

#[test]
fn layers_files_have_one_concern() {
    let long = tree::sources(&tree::root()).into_iter().filter_map(|path| {
        let lines = tree::read(&path).lines().count();
        (lines > MOST_LINES).then(|| format!("{}: {lines} lines", tree::shown(&path)))
    });
    let long: Vec<String> = long.collect();
    assert!(long.is_empty(), "over {MOST_LINES} lines, split by concern:\n{}", long.join("\n"));
}

/// A comparison with a kind is not found by the compiler when a kind is added: the kind is asked.
#[test]
fn layers_only_one_file_matches_on_metric_kinds() {
    // Imports say which kind a metric gets; the last is a test.
    const MAY: [&str; 5] = [
        "metric_kind.rs",
        "interop/draft.rs",
        "interop/flagger.rs",
        "interop/openslo.rs",
        "judge/format.rs",
    ];
    let folder = tree::root().join("hotfix-core/src");
    let others = tree::sources(&folder).into_iter().filter(|path| {
        let named = |after: &str| {
            let mut start = after.chars();
            start.next().is_some_and(|c| c.is_ascii_uppercase())
                && start.next().is_some_and(|c| c.is_ascii_lowercase())
        };
        !MAY.iter().any(|may| path == &folder.join(may))
            && tree::read(path).split("MetricKind::").skip(1).any(named)
    });
    let others: Vec<String> = others.map(|path| tree::shown(&path)).collect();
    assert!(others.is_empty(), "ask the kind, as `metric_kind.rs` says: {others:?}");
}

/// The log's reader tells a member by its place among the names that serde lists, where an alias would be one more.
#[test]
fn layers_no_field_has_two_names() {
    let aliases = tree::sources(&tree::root().join("hotfix-core/src")).into_iter().filter(|path| {
        tree::read(path).lines().any(|line| line.contains("serde(") && line.contains("alias"))
    });
    let aliases: Vec<String> = aliases.map(|path| tree::shown(&path)).collect();
    assert!(aliases.is_empty(), "`canonical/read/mod.rs` cannot tell aliases: {aliases:?}");
}

/// What sorts is compiled for each type, 5 kB each: what is short or rare is sorted by `sorting.rs`.
#[test]
fn layers_sorting_is_compiled_once() {
    // Lists that are long or sorted often; numbers, which share one sort.
    const MAY: [&str; 10] = [
        "sorting.rs",
        "canonical/writer.rs",
        "stats/",
        "kayenta/exact.rs",
        "kayenta/sample.rs",
        "metric/resolve.rs",
        "fact/space.rs",
        "lint/logic/rules.rs",
        "decision/question.rs",
        "judge/why.rs",
    ];
    let folder = tree::root().join("hotfix-core/src");
    let others = tree::sources(&folder).into_iter().filter(|path| {
        let inside = path.strip_prefix(&folder).unwrap().to_string_lossy().replace('\\', "/");
        let source = tree::read(path);
        let code = source.split("#[cfg(test)]").next().unwrap_or_default();
        !MAY.iter().any(|may| inside.starts_with(may))
            && [".sort()", ".sort_by", ".sort_unstable", "collect::<BTree"]
                .iter()
                .any(|sort| code.contains(sort))
    });
    let others: Vec<String> = others.map(|path| tree::shown(&path)).collect();
    assert!(others.is_empty(), "sort with `crate::sorting`, and collect with `map_of`: {others:?}");
}

/// A method is found where one would look for it.
#[test]
fn layers_a_rollout_and_its_judge_are_in_few_files() {
    let folder = tree::root().join("hotfix-core/src");
    for (name, most) in [("Rollout", 8), ("Judge", 6)] {
        let start = format!("impl {name} {{");
        let has = |path: &std::path::PathBuf| tree::read(path).lines().any(|line| line == start);
        let files: Vec<_> = tree::sources(&folder).into_iter().filter(has).collect();
        assert!((2..=most).contains(&files.len()), "`{start}` in more than {most}: {files:?}");
    }
}

#[test]
fn layers_the_check_finds_bad_imports() {
    let check = |path: &str, source: &str| broken(Path::new(path), source);
    let bad = [
        ("metric/mod.rs", "use crate::rollout::State;"),
        ("metric/band.rs", "fn f(x: &crate::judge::Verdict) {}"),
        ("metric/band.rs", "use crate::kayenta::Classification;"),
        ("stats/count.rs", "use crate::policy::Policy;"),
        ("stats/count.rs", "use crate::metric::Metric;"),
        ("rollout/decide.rs", "use crate::message::Message;"),
        ("unit/mod.rs", "use crate::{\n    canonical::Digest,\n};"),
        ("policy/mod.rs", "use crate::{unit::{Share, Span}, severity};"),
        ("policy.rs", "\nuse super::rollout::State;"),
        ("grade.rs", "macro_rules! m { () => { $crate::policy::Policy } }"),
        ("plan/mod.rs", "pub use crate::Rollout;"),
        ("novelty.rs", "use crate::unit::Share;"),
        ("simulate/mod.rs", "use crate::report::Report;"),
        ("judge/mod.rs", "#[cfg(test)]\nmod model;\nuse crate::deadline::Item;"),
    ];
    for (path, source) in bad {
        assert_eq!(check(path, source).len(), 1, "{path}: {source}");
    }
    let good = [
        ("metric/mod.rs", "use crate::{policy::Policy, unit::{Share, Span}};"),
        ("stats/count.rs", "use super::numeric::ln;\nuse crate::unit::Finite;"),
        (
            "judge/mod.rs",
            "use crate::stats::Evidence;\n// crate::rollout decides\n/// [`crate::rollout`]",
        ),
        ("judge/mod.rs", "fn f() {}\n#[cfg(test)]\nmod tests {\n    use crate::rollout::State;\n}"),
        ("policy/section/metric.rs", "use super::reader::x;\nuse crate::policy::Policy;"),
        ("unit/mod.rs", "use mycrate::rollout::State;"),
    ];
    for (path, source) in good {
        assert_eq!(check(path, source), Vec::<String>::new(), "{path}: {source}");
    }
    assert_eq!(imports("\n\nuse crate::unit::Share;", false), [(3, "unit".to_owned())]);
}
