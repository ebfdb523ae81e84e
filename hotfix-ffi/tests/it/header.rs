//! `include/hotfix.h` is what the source says, and says enough. `HOTFIX_BLESS=1` rewrites it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use hotfix::view_table::{PLAN_VIEWS, ROLLOUT_VIEWS};
use hotfix::views::View;

/// Looked up when the test runs: a shared build folder must not lead to another clone.
fn in_crate(path: &str) -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join(path)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The order in which a reader meets them.
const SOURCES: &[&str] = &[
    "version",
    "status",
    "buffer",
    "error",
    "code",
    "time",
    "policy",
    "extend",
    "severity",
    "plan",
    "commit",
    "duty",
    "vcs",
    "plan_page",
    "outcome",
    "reading",
    "rollout",
    "snapshot",
    "view",
    "views",
    "message",
    "train",
    "train_view",
    "audit",
    "redact",
    "measure",
    "export",
    "report",
    "simulate",
    "advise",
    "sequential_test",
    "rate_ratio",
    "kayenta",
    "interop",
    "ceiling",
    "instances",
    "planning",
    "fixed",
    "fixed_counts",
    "latency",
    "backtest",
];

fn comment(text: &str) -> String {
    let mut out = String::from("/*\n");
    for line in text.lines() {
        let _ = writeln!(out, "{}", format!(" * {line}").trim_end());
    }
    out + " */"
}

fn macros() -> String {
    let [major, minor, patch] =
        ["CARGO_PKG_VERSION_MAJOR", "CARGO_PKG_VERSION_MINOR", "CARGO_PKG_VERSION_PATCH"]
            .map(|name| std::env::var(name).unwrap());
    let mut out = format!(
        "/** The package's version, from Cargo. */\n#define HOTFIX_VERSION \"{major}.{minor}.{patch}\"\n\
         #define HOTFIX_VERSION_MAJOR {major}\n#define HOTFIX_VERSION_MINOR {minor}\n#define HOTFIX_VERSION_PATCH {patch}\n"
    );
    for (name, kind) in [
        ("OUTCOME", "outcome"),
        ("ACTION", "action"),
        ("TRAIN_OUTCOME", "train_outcome"),
        ("TRAIN_MOVE", "train_move"),
        ("READING", "reading"),
        ("SENDER", "sender"),
        ("EVIDENCE", "evidence"),
        ("COMPARISON", "comparison"),
        ("DETECTION_TIME", "detection_time"),
        ("CHANCE", "chance"),
        ("MANN_WHITNEY", "mann_whitney"),
        ("SHIFT", "shift"),
        ("KOLMOGOROV_SMIRNOV", "kolmogorov_smirnov"),
        ("FISHER", "fisher"),
        ("RATES", "rates"),
        ("MARGIN", "margin"),
        ("APART", "apart"),
        ("INTERVAL", "interval"),
    ] {
        // C++ wants a value of every member's type, C++17 has no designated initialisers: a function zeroes there.
        let _ = write!(
            out,
            "\n/** An empty hotfix_{kind} of the right size. */\n#ifdef __cplusplus\n\
             #define HOTFIX_{name}_INIT hotfix_sized<hotfix_{kind}>()\n#else\n\
             #define HOTFIX_{name}_INIT {{.struct_size = sizeof(hotfix_{kind})}}\n#endif\n"
        );
    }
    out
}

/// The constants of a table of views, with what each returns. Those of a part are declared with it.
fn views<T>(of: &str, intro: &str, table: &[View<T>]) -> String {
    let mut out = format!("/**\n{} */\ntypedef enum hotfix_{of}_views {{\n", wrapped(" * ", intro));
    for view in table {
        let part = view.part.map(str::to_uppercase);
        if let Some(part) = &part {
            let _ = writeln!(out, "#ifndef HOTFIX_WITHOUT_{part}");
        }
        let name = format!("HOTFIX_{of}_VIEW_{}", view.name).to_uppercase();
        let text = wrapped("   * ", view.text);
        let _ = writeln!(out, "  /**\n{text}   */\n  {name} = {},", view.number);
        if part.is_some() {
            out += "#endif\n";
        }
    }
    format!("{out}}} hotfix_{of}_views;\n")
}

/// Text in lines of at most 100 characters, each after the same beginning.
fn wrapped(begin: &str, text: &str) -> String {
    let (mut out, mut line) = (String::new(), String::new());
    for word in text.split(' ') {
        if !line.is_empty() && begin.len() + line.chars().count() + 1 + word.chars().count() > 100 {
            let _ = writeln!(out, "{begin}{line}");
            line.clear();
        }
        line += if line.is_empty() { "" } else { " " };
        line += word;
    }
    let _ = writeln!(out, "{begin}{line}");
    out
}

fn all_views() -> String {
    let rollout =
        "The views of hotfix_rollout_view. Each is JSON if its text does not say otherwise.";
    let plan = "The views of hotfix_plan_view. Each is JSON if its text does not say otherwise.";
    views("rollout", rollout, ROLLOUT_VIEWS) + "\n" + &views("plan", plan, PLAN_VIEWS)
}

const CPP_SIZED: &str = "#ifdef __cplusplus
/* Also where a header includes this one within extern \"C\". */
extern \"C++\" {
/** A zeroed struct that knows its size; what HOTFIX_*_INIT is in C++. */
template <typename T> inline T hotfix_sized() {
  T value = T();
  value.struct_size = sizeof(T);
  return value;
}
}
#endif";

/// The names of the test of a rate ratio that programs use.
const RATE_RATIO_NAMES: &str = "\
/* The test of a rate ratio has names of its own, too. */
typedef struct hotfix_test hotfix_rate_ratio;
#define hotfix_rate_ratio_evidence hotfix_test_evidence
#define hotfix_rate_ratio_to_bytes hotfix_test_to_bytes
#define hotfix_rate_ratio_from_bytes hotfix_test_from_bytes
#define hotfix_rate_ratio_free hotfix_test_free";

/// The sources of each part that can be left out, as `src/lib.rs` has them.
fn parts() -> HashMap<String, String> {
    let library = read(&in_crate("src/lib.rs"));
    let lines: Vec<&str> = library.lines().collect();
    let part = |pair: &[&str]| {
        let part = pair[0].strip_prefix("#[cfg(feature = \"")?.strip_suffix("\")]")?;
        let source = pair[1].strip_prefix("pub mod ")?.strip_suffix(';')?;
        SOURCES.contains(&source).then(|| (source.to_owned(), part.to_owned()))
    };
    lines.windows(2).filter_map(part).collect()
}

/// Puts the functions of each part between `#ifndef HOTFIX_WITHOUT_…` and `#endif`.
fn mark_parts(header: &str) -> String {
    let parts = parts();
    let mut of_function = HashMap::new();
    for (source, part) in &parts {
        of_function.extend(exported_by(source).into_iter().map(|function| (function, part)));
    }
    let part_of = |block: &str| {
        let prototype = block.rsplit("*/\n").next().unwrap();
        let name = prototype.split_once('(')?.0.rsplit([' ', '*']).next()?;
        of_function.get(name).copied()
    };
    let (mut out, mut open) = (Vec::new(), None);
    for block in header.split("\n\n") {
        let part = part_of(block);
        if part != open {
            out.extend(open.map(|_| "#endif".to_owned()));
            out.extend(part.map(|part| format!("#ifndef HOTFIX_WITHOUT_{}", part.to_uppercase())));
            open = part;
        }
        out.push(block.to_owned());
    }
    assert!(open.is_none(), "the header does not end with a function");
    out.join("\n\n")
}

fn generate() -> String {
    let mut config = cbindgen::Config::from_file(in_crate("cbindgen.toml")).unwrap();
    config.header = Some(comment(&read(&in_crate("conventions.txt"))));
    config.autogen_warning = Some(
        "/* Generated by hotfix-ffi/tests/it/header.rs: HOTFIX_BLESS=1 rewrites it. */".to_owned(),
    );
    config.after_includes =
        Some(format!("\n{CPP_SIZED}\n\n{}\n{RATE_RATIO_NAMES}\n\n{}", macros(), all_views()));
    let mut builder = cbindgen::Builder::new().with_config(config);
    for source in SOURCES {
        builder = builder.with_src(in_crate(&format!("src/{source}.rs")));
    }
    let mut out = Vec::new();
    builder.generate().unwrap().write(&mut out);
    // Blocks of Rust's documentation that end a comment leave a line that ends in a blank.
    let text = String::from_utf8(out).unwrap();
    mark_parts(&(text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n") + "\n"))
}

#[test]
fn the_header_is_what_the_source_says() {
    let (path, new) = (in_crate("../include/hotfix.h"), generate());
    if std::env::var_os("HOTFIX_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, new).unwrap();
        return;
    }
    let old = read(&path);
    if let Some((line, (old, new))) =
        old.lines().zip(new.lines()).enumerate().find(|(_, (old, new))| old != new)
    {
        panic!(
            "include/hotfix.h is not current, line {}:\n  has   {old}\n  wants {new}\nHOTFIX_BLESS=1 rewrites it",
            line + 1
        );
    }
    assert_eq!(old.len(), new.len(), "include/hotfix.h is not current: HOTFIX_BLESS=1 rewrites it");
}

/// The functions that a source file exports.
fn exported_by(source: &str) -> Vec<String> {
    let text = read(&in_crate(&format!("src/{source}.rs")));
    let name = |piece: &str| {
        let after = piece.split_once(" fn ").unwrap().1;
        after.split_once('(').unwrap().0.to_owned()
    };
    text.split("#[unsafe(no_mangle)]").skip(1).map(name).collect()
}

/// The functions that the crate exports, by its source.
fn exported() -> Vec<String> {
    SOURCES.iter().flat_map(|source| exported_by(source)).collect()
}

#[test]
fn every_function_says_its_parameters_its_owner_and_its_threads() {
    let header = generate();
    let mut faults = Vec::new();
    for name in exported() {
        // A prototype begins its line with a type, a comment with a blank or a slash.
        let prototype = header.match_indices(&format!("{name}(")).map(|(at, _)| at).find(|&at| {
            header[..at]
                .rsplit('\n')
                .next()
                .is_some_and(|line| line.starts_with(char::is_alphabetic))
        });
        let Some(at) = prototype else {
            faults.push(format!("{name} is not in the header"));
            continue;
        };
        let comment = header[..at].rfind("/**").map_or("", |start| &header[start..at]);
        let parameters = header[at + name.len() + 1..].split_once(");").unwrap().0;
        for parameter in parameters.split(',').filter(|p| p.trim() != "void") {
            let word = parameter.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
            if !comment.contains(&format!("@param {word} ")) {
                faults.push(format!("{name} does not document `{word}`"));
            }
        }
        if !comment.contains("Thread rule: ") {
            faults.push(format!("{name} has no thread rule"));
        }
        for (out, owner) in [("hotfix_buf *", "hotfix_buf_free"), ("**out", "_free")] {
            if parameters.contains(out) && !name.ends_with("_free") && !comment.contains(owner) {
                faults.push(format!("{name} does not say who frees what it gives"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_enum_and_struct_of_c_is_there() {
    let header = generate();
    for source in SOURCES {
        let text = read(&in_crate(&format!("src/{source}.rs")));
        for (_, name) in text
            .match_indices("pub enum hotfix_")
            .chain(text.match_indices("pub struct hotfix_"))
            .map(|(at, found)| {
                let rest = &text[at + found.len()..];
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap();
                (at, format!("hotfix_{}", &rest[..end]))
            })
        {
            assert!(
                header.contains(&format!("struct {name}"))
                    || header.contains(&format!("enum {name}")),
                "{name} is not in the header: name it in cbindgen.toml"
            );
        }
    }
}

#[test]
fn every_source_file_is_read() {
    for entry in std::fs::read_dir(in_crate("src")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let exports = read(&path).contains("no_mangle") && name != "hook";
        assert!(!exports || SOURCES.contains(&name.as_str()), "{name} is not among SOURCES");
    }
}
