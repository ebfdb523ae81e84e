//! Each code is explained once, is given in one place, and is on the page `docs/codes.md`.

use hotfix_core::code::{Family, codes as known_codes, explain, family};
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
        let others = ["src/code.rs", "src/code/family.rs", "tests.rs"];
        if others.iter().any(|other| path.ends_with(other)) {
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
    for known in known_codes() {
        let code = known.to_string();
        if !seen.insert(code.clone()) {
            wrong.push(format!("{code}: explained twice"));
        }
        if !used.contains_key(&code) {
            wrong.push(format!("{code}: explained, but given nowhere"));
        }
    }
    for (code, files) in &used {
        if !seen.contains(code.as_str()) {
            wrong.push(format!(
                "{code}: not in code/explanations.md, given in {}",
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

/// The parts of each explanation, in their order; the example comes last and may be missing.
#[test]
fn codes_explanations_have_sentence_cause_and_remedy() {
    let mut wrong = Vec::new();
    for known in known_codes() {
        let text = known.explanation;
        let cause = text.find("\n\n**Cause:** ");
        let remedy = text.find("\n\n**What to do:** ");
        if cause.is_none_or(|cause| remedy.is_none_or(|remedy| remedy < cause)) {
            wrong.push(format!("{known}: lacks its cause or what to do, in this order"));
        }
        if !known.sentence().ends_with('.') || known.sentence().contains("**") {
            wrong.push(format!("{known}: does not begin with a sentence"));
        }
        if text.matches("~~~").count() % 2 != 0 {
            wrong.push(format!("{known}: its example has no end"));
        }
        if let Some(long) = text.lines().find(|line| line.chars().count() > 100) {
            wrong.push(format!("{known}: more than 100 characters in a line: {long}"));
        }
        for code in codes(text).iter().filter(|code| explain(code).is_none()) {
            wrong.push(format!("{known}: refers to {code}, which is not a code"));
        }
        assert_eq!(explain(&known.to_string()), Some(text), "{known}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn codes_page_is_current() {
    let mut page = String::from(
        "# Codes\n\nMade from `hotfix-core/src/code/explanations.md`; `make bless` rewrites it. A code keeps its meaning and is\n\
         never used again. C statuses and Python exceptions carry the same codes, and `hotfix.explain(code)`,\n\
         `hotfix_code_explain` and `hotfix_core::code::explain` give the texts of this page.\n",
    );
    for family in Family::ALL {
        let mut codes = known_codes().filter(|code| code.family == *family).peekable();
        if codes.peek().is_some() {
            let _ = write!(page, "\n## {family:?}\n");
        }
        for code in codes {
            // A character reference for the last hyphen: `ROLL-3` alone would be a requirement.
            let heading =
                format!("{}&#45;{:03}", family.prefix().trim_end_matches('-'), code.number);
            let _ = write!(page, "\n### {heading}\n\n{}\n", code.explanation);
        }
    }
    tree::committed("docs/codes.md", &page);
}

#[test]
fn codes_have_families() {
    for known in known_codes() {
        assert_eq!(family(&known.to_string()), Some(known.family), "{known}");
    }
}

#[test]
fn codes_the_scan_finds_them() {
    let source = "/// `HF-UNIT-001` in words\n  // HF-UNIT-002\nSelf::A => \"HF-POL-012\",\nf(\"HF-X\", \"HF-A-B-1\")";
    assert_eq!(codes(source).into_iter().collect::<Vec<_>>(), ["HF-POL-012"]);
    assert!(used().len() >= 14, "the source gives codes, and the scan sees them");
}
