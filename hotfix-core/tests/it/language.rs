//! The words of the project: what people read is in the field's terms, so that the dialect of the
//! first months does not come back. `docs/decisions/language.md` says what replaces each.

use std::collections::BTreeMap;
use std::path::Path;

use regex::Regex;

use crate::tree;

/// What is not written, by the word that it stands for in [`KEPT`].
const WORDS: [(&str, &str); 17] = [
    ("house", r"\b[Hh]ouses?\b|\bHouse[A-Z]\w*|\bhouse_\w+"),
    (
        "go back",
        r"\b(?:go|goes|going|gone|went|take|takes|taken|taking|took|bring|sent|put) (?:it |all |them )?back\b|\bways? back\b|\bWayBack\b|\bway_back\b",
    ),
    (
        "look",
        r"\b(?:a|an|each|every|one|per|the|of|first|last|next|many|two|ten|several|planned|no|this|that|quiet) looks?\b|\blooks in a row\b|\bbad_looks\b",
    ),
    ("sight", r"\b[Ss]ights?\b"),
    ("told", r"\b(?:told|tells?|telling)\b"),
    ("ladder", r"\b(?:[Ll]adders?|[Rr]ungs?)\b|_rung_|\bLadder\w*"),
    ("said", r"\b(?:said|says so|spoken word|whose word|word of)\b"),
    ("hurt", r"\b[Hh]urts?\b"),
    ("is none", r"\b(?:is|are|was|were) none\b"),
    ("stands", r"\b(?:stands?|stood|standing)\b"),
    ("anew", r"\banew\b"),
    ("circle", r"\b[Cc]ircles?\b"),
    ("made up", r"\bmade[ -_]up\b"),
    ("the host", r"\b(?:the|a|by the|its) hosts?(?:'s)?\b"),
    ("source document", r"(?:^|[^\w-])S[1-5](?:'s)?(?:[^\w-]|$)|\(C\d+(?:, C\d+)*\)"),
    (
        "requirement id",
        r"(?:^|[^-\w])(?:SEV|DEC|GATE|VCS|PLAN|ROLL|MET|STAT|TIME|COMM|POST|FIELD)-\d+\b",
    ),
    (
        "section of a specification",
        r"[Ss]tatistics,? section|\bsection \d+(?:'s)? states\b|\bthe specification\b",
    ),
];

/// Phrases in which one of these is the right word: they are not read. A role has stand-ins, a
/// canary stands out among subsets, there is none of something, a monitor has a look-back, and SVG
/// has circles.
const RIGHT: &str = concat!(
    r"\b(?:[Ss]tand-ins?|(?:stands?|stood|standing) (?:in|out)|",
    r"[Tt]here (?:is|are|was|were) none|look-back)\b|<circle\b",
);

/// Where one of these is the right word, or another's: the file, the word, and how often.
const KEPT: &[(&str, &str, usize)] = &[];

/// Prose: each line is read. Of sources only comments, strings and names of items are.
const PROSE: [&str; 8] = ["md", "toml", "h", "hpp", "pyi", "json", "html", "py"];
const SOURCES: [&str; 3] = ["rs", "c", "cpp"];

fn is_read(path: &Path) -> bool {
    let shown = tree::shown(path);
    let folder = |name: &str| shown.split('/').rev().skip(1).any(|part| part == name);
    let is_kind = |kinds: &[&str]| path.extension().is_some_and(|e| kinds.iter().any(|k| e == *k));
    (is_kind(&PROSE) || is_kind(&SOURCES))
        && (path.extension().is_none_or(|e| e != "json") || shown.ends_with(".schema.json"))
        && !["tests", "test", "cases", "corpus", "expected", ".venv"]
            .iter()
            .any(|name| folder(name))
        && !["docs/requirements.", "CHANGELOG.md", "Cargo."].iter().any(|part| shown.contains(part))
}

/// What of a line is read: all of it in prose and comments; else its strings, item names and the
/// comment at its end.
fn read(line: &str, is_prose: bool, strings: &Regex, items: &Regex) -> String {
    if is_prose || ["//", "/*", "*", "#"].iter().any(|start| line.trim_start().starts_with(start)) {
        return line.to_owned();
    }
    let mut found: Vec<&str> = strings.find_iter(line).map(|text| text.as_str()).collect();
    found
        .extend(items.captures_iter(line).filter_map(|item| item.get(1)).map(|name| name.as_str()));
    found.extend(line.find(" // ").map(|at| &line[at..]));
    found.join(" ")
}

#[test]
fn the_words_are_the_fields() {
    let strings = Regex::new(r#""(?:[^"\\]|\\.)*""#).expect("a pattern");
    let items = Regex::new(r"\b(?:struct|enum|fn|mod|trait|type) (\w+)").expect("a pattern");
    let right = Regex::new(RIGHT).expect("a pattern");
    let words = WORDS.map(|(name, pattern)| (name, Regex::new(pattern).expect("a pattern")));
    let mut found: BTreeMap<(String, &str), Vec<String>> = BTreeMap::new();
    for path in tree::files(&tree::root(), &is_read) {
        let is_prose = path.extension().is_some_and(|e| PROSE.iter().any(|kind| e == *kind));
        for (number, line) in tree::read(&path).lines().enumerate() {
            let text = read(line, is_prose, &strings, &items);
            let text = right.replace_all(&text, "");
            for (name, word) in &words {
                for _ in word.find_iter(&text) {
                    let places = found.entry((tree::shown(&path), name)).or_default();
                    places.push(format!("  {}: {}", number + 1, line.trim()));
                }
            }
        }
    }
    let mut wrong = Vec::new();
    for ((file, word), places) in &found {
        let kept = KEPT.iter().find(|kept| kept.0 == file && kept.1 == *word);
        let kept = kept.map_or(0, |kept| kept.2);
        if places.len() != kept {
            let places = places.join("\n");
            wrong.push(format!("{file}: `{word}`, {kept} times in `KEPT`:\n{places}"));
        }
    }
    let is_found = |kept: &&(&str, &str, usize)| found.contains_key(&(kept.0.to_owned(), kept.1));
    for kept in KEPT.iter().filter(|kept| !is_found(kept)) {
        wrong.push(format!("{kept:?} is kept and not there any more"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
