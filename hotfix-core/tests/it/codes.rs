//! Each code is explained once, is given in one place, and is on the page `docs/codes.md`.

use hotfix_core::canonical::CanonicalError;
use hotfix_core::code::{Family, codes as known_codes, explain, family};
use hotfix_core::grade::Severity;
use hotfix_core::interop::ExportError;
use hotfix_core::plan::PlanError;
use hotfix_core::policy::Problem;
use hotfix_core::report::ReportError;
use hotfix_core::rollout::{
    ActionId, InputError, LogError, LogFault, RefusalReason, SnapshotError,
};
use hotfix_core::stats::StatError;
use hotfix_core::train::TrainRefusalReason;
use hotfix_core::unit::Share;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
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

/// Whoever prints an error with its sources, as `anyhow` does, reads no text twice; and C and Python,
/// which show one text, have all of it.
#[test]
fn codes_an_error_has_the_text_of_what_it_wraps_and_does_not_name_it_as_its_source() {
    let stat = StatError::NotFinite { what: "alpha", value: f64::NAN };
    let plan = PlanError::from(stat.clone());
    let log = LogError { line: 3, fault: LogFault::from(stat.clone()) };
    let input = InputError::Empty { field: "key" };
    let canonical = CanonicalError::NotFinite { value: "NaN" };
    let unit = "1.5".parse::<Share>().unwrap_err();
    let refused = RefusalReason::from(plan.clone());
    let wraps: [(Box<dyn Error>, String); 13] = [
        (Box::new(plan.clone()), stat.to_string()),
        (Box::new(PlanError::from(canonical.clone())), canonical.to_string()),
        (Box::new(Problem::from(unit.clone())), unit.to_string()),
        (Box::new(log.clone()), stat.to_string()),
        (Box::new(LogFault::from(plan.clone())), plan.to_string()),
        (Box::new(LogFault::from(input.clone())), input.to_string()),
        (Box::new(SnapshotError::from(plan.clone())), plan.to_string()),
        (Box::new(SnapshotError::from(log.clone())), log.to_string()),
        (Box::new(ReportError::from(log.clone())), log.to_string()),
        (Box::new(ExportError::from(log.clone())), log.to_string()),
        (Box::new(refused.clone()), plan.to_string()),
        (Box::new(RefusalReason::from(input.clone())), input.to_string()),
        (Box::new(TrainRefusalReason::Rollout(refused)), plan.to_string()),
    ];
    for (error, wrapped) in wraps {
        assert!(error.to_string().contains(&wrapped), "{error}: lacks {wrapped}");
        let mut parent = &*error;
        while let Some(source) = parent.source() {
            let text = source.to_string();
            assert!(!parent.to_string().contains(&text), "{parent}: has its source's {text}");
            parent = source;
        }
    }
}

#[test]
fn codes_of_texts_that_are_no_names_and_no_ids() {
    assert_eq!("sev1".parse::<Severity>().unwrap_err().code(), "HF-UNIT-011");
    for text in ["", "7", "7.", "07.1", "+7.1", "7.1.2", "7.-1"] {
        assert_eq!(text.parse::<ActionId>().unwrap_err().code(), "HF-UNIT-010", "{text}");
    }
    assert_eq!("7.1".parse::<ActionId>(), Ok(ActionId { event: 7, index: 1 }));
}
