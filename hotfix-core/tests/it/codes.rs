//! Each code stands once in the table, is used, and is explained in `docs/codes.md`.

use hotfix_core::code::{CODES, Family, family};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::tree;

/// Codes in string literals of a source: `"HF-JSON-001"`, also inside longer text. Comments do not
/// count: they may name a code that others give.
fn codes(source: &str) -> BTreeSet<String> {
    let lines = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut found = BTreeSet::new();
    for line in lines {
        for (at, _) in line.match_indices("HF-") {
            let text = &line[at..];
            let end =
                text.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(text.len());
            let code = &text[..end];
            let number = code.rsplit('-').next().unwrap_or_default();
            if code.matches('-').count() == 2 && number.bytes().all(|b| b.is_ascii_digit()) {
                found.insert(code.to_owned());
            }
        }
    }
    found
}

/// The source files in which each code is given, outside the table and unit tests.
fn used() -> BTreeMap<String, Vec<String>> {
    let mut used: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let folders = ["hotfix-core/src", "hotfix-ffi/src"].map(|folder| tree::root().join(folder));
    for path in folders.iter().flat_map(|folder| tree::sources(folder)) {
        if path.ends_with("src/code.rs") || path.ends_with("src/code/family.rs") {
            continue;
        }
        let source = tree::read(&path);
        let body = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        // The bindings pass the core's codes on; their own are theirs alone.
        let own = path.starts_with(&folders[0]);
        for code in codes(body).into_iter().filter(|code| own || code.starts_with("HF-FFI-")) {
            used.entry(code).or_default().push(tree::shown(&path));
        }
    }
    used
}

#[test]
fn codes_are_in_the_table_once_and_used() {
    let mut wrong = Vec::new();
    let used = used();
    let mut seen = BTreeSet::new();
    for known in CODES {
        let number = known.code.strip_prefix(known.family.prefix()).unwrap_or_default();
        if number.len() != 3 || number.bytes().any(|b| !b.is_ascii_digit()) {
            wrong.push(format!("{}: not `{}` and three digits", known.code, known.family.prefix()));
        }
        if !seen.insert(known.code) {
            wrong.push(format!("{}: twice in the table", known.code));
        }
        if known.what.is_empty() {
            wrong.push(format!("{}: says nothing", known.code));
        }
        if !used.contains_key(known.code) {
            wrong.push(format!("{}: in the table, but given nowhere", known.code));
        }
    }
    for (code, files) in &used {
        if !seen.contains(code.as_str()) {
            wrong.push(format!(
                "{code}: not in the table of code.rs, given in {}",
                files.join(", ")
            ));
        }
        if files.len() > 1 {
            wrong.push(format!("{code}: given in more than one place: {}", files.join(", ")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn codes_are_given_by_one_arm_each() {
    // Two variants of one enum with the same code: the literal stands twice in one file.
    let mut wrong = Vec::new();
    for path in tree::sources(&tree::root().join("hotfix-core/src")) {
        if path.ends_with("src/code.rs") || path.ends_with("src/code/family.rs") {
            continue;
        }
        let source = tree::read(&path);
        let arms = source.lines().filter(|line| !line.trim_start().starts_with("//"));
        let mut seen = BTreeSet::new();
        for line in arms.filter(|line| line.contains("=>")) {
            for code in codes(line) {
                if !seen.insert(code.clone()) {
                    wrong.push(format!("{code}: two arms in {}", tree::shown(&path)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn codes_page_is_current() {
    let mut page = String::from(
        "# Codes\n\nMade from the table in `hotfix-core/src/code.rs`; `make bless` rewrites it. A code keeps its\n\
         meaning for ever and is never used again. C statuses and Python exceptions carry the same codes.\n",
    );
    for family in Family::ALL {
        let mut codes = CODES.iter().filter(|code| code.family == *family).peekable();
        if codes.peek().is_some() {
            let _ = write!(page, "\n## {family:?}\n\n| code | says |\n|---|---|\n");
            for code in codes {
                let _ = writeln!(page, "| `{}` | {} |", code.code, code.what.replace('|', "\\|"));
            }
        }
    }
    tree::committed("docs/codes.md", &page);
}

#[test]
fn codes_have_families() {
    for known in CODES {
        assert_eq!(family(known.code), Some(known.family), "{}", known.code);
    }
}

#[test]
fn codes_the_scan_finds_them() {
    let source = "/// `HF-UNIT-001` in words\n  // HF-UNIT-002\nSelf::A => \"HF-POL-012\",\nf(\"HF-X\", \"HF-A-B-1\")";
    assert_eq!(codes(source).into_iter().collect::<Vec<_>>(), ["HF-POL-012"]);
    assert!(used().len() >= 14, "the source gives codes, and the scan sees them");
}
