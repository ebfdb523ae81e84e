//! Every requirement is shown by a test or admitted to be pending, and the pending list shrinks.
//!
//! A test shows a requirement when its function is named for it (`fn roll_7_…`, `def test_roll_7_…`),
//! a case when its `id` is, and a test program in another language when a comment says `Shows`
//! and the id. The figures of the presets (`cases/preset`) show none: they are data, which an engine has yet to follow.
//! A name is no proof: `docs/requirements.documents.md` says which tests fail if a requirement breaks.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::tree;

#[derive(serde::Deserialize)]
struct Catalogue {
    most_pending: usize,
    pending: Vec<String>,
    family: Vec<Family>,
}

#[derive(serde::Deserialize)]
struct Family {
    prefix: String,
    title: String,
    ids: BTreeMap<String, String>,
}

const CATALOGUE: &str = "docs/requirements.toml";

fn catalogue() -> (String, Catalogue) {
    let text = tree::read(&tree::root().join(CATALOGUE));
    let parsed = toml::from_str(&text).unwrap_or_else(|error| panic!("{CATALOGUE}: {error}"));
    (text, parsed)
}

impl Catalogue {
    fn ids(&self) -> impl Iterator<Item = &String> {
        self.family.iter().flat_map(|family| family.ids.keys())
    }
}

/// Ids in a text: letters, `separator`, digits, with nothing of a word around them.
fn ids(text: &str, separator: char) -> Vec<String> {
    let parts: Vec<&str> =
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != separator).collect();
    let words = parts.iter().flat_map(|part| {
        let pieces: Vec<&str> = part.split(separator).collect();
        let pairs: Vec<_> = pieces.windows(2).map(|pair| (pair[0], pair[1])).collect();
        pairs
    });
    let id = |(area, number): (&str, &str)| {
        let good = !area.is_empty()
            && area.bytes().all(|b| b.is_ascii_alphabetic())
            && !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit());
        good.then(|| format!("{}-{number}", area.to_uppercase()))
    };
    words.filter_map(id).collect()
}

/// What a test file shows, with the name of the test or case.
fn shown_by(path: &str, text: &str) -> Vec<(String, String)> {
    let extension = path.rsplit('.').next().unwrap_or_default();
    let in_tests = path.contains("tests/");
    let in_cases = path.contains("/cases/") && !path.contains("/cases/preset/");
    let text = match extension {
        "rs" if !in_tests => text.split_once("#[cfg(test)]").map_or("", |(_, tests)| tests),
        _ => text,
    };
    let mut found = Vec::new();
    let mut add = |ids: Vec<String>, name: &str| {
        found.extend(ids.into_iter().map(|id| (id, name.to_owned())));
    };
    for line in text.lines().map(str::trim_start) {
        let function = line.strip_prefix("fn ").or_else(|| line.strip_prefix("def test_"));
        match extension {
            "rs" | "py" => {
                if let Some(rest) = function {
                    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
                    let name = &rest[..end.unwrap_or(rest.len())];
                    add(ids(name, '_'), name);
                }
            }
            "toml" | "json" if in_cases => {
                let id = line
                    .split_once("id")
                    .map(|(before, rest)| (before.trim_matches(['{', '"', ' ']), rest));
                if let Some(("", rest)) = id {
                    let name = rest.trim_start_matches(['"', ' ', '=', ':']).split('"').next();
                    let name = name.unwrap_or_default();
                    add(ids(name, '-'), name);
                }
            }
            "c" | "cpp" if in_tests => {
                if let Some((_, rest)) = line.split_once("Shows ") {
                    add(ids(rest, '-'), "the program");
                }
            }
            _ => {}
        }
    }
    found
}

/// For each id the files that show it, each with its first test.
fn shown(catalogue: &Catalogue) -> BTreeMap<String, BTreeMap<String, String>> {
    const KINDS: [&str; 6] = ["rs", "py", "toml", "json", "c", "cpp"];
    let wanted =
        |path: &Path| path.extension().is_some_and(|kind| KINDS.iter().any(|known| kind == *known));
    let mut shown: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for path in tree::files(&tree::root(), &wanted) {
        let name = tree::shown(&path);
        if name == "hotfix-core/tests/it/coverage.rs" {
            continue;
        }
        for (id, test) in shown_by(&name, &tree::read(&path)) {
            if catalogue.ids().any(|known| *known == id) {
                shown.entry(id).or_default().entry(name.clone()).or_insert(test);
            }
        }
    }
    shown
}

/// The catalogue with the ids in `shown` off its pending list.
fn shrunk(text: &str, catalogue: &Catalogue, shown: impl Fn(&str) -> bool) -> String {
    let (head, rest) =
        text.split_once("pending = [\n").expect("the list opens on a line of its own");
    let (_, tail) = rest.split_once("]\n").expect("and closes on one");
    let mut list = String::new();
    let mut left = 0;
    for family in &catalogue.family {
        let of_family = |id: &&String| family.ids.contains_key(*id) && !shown(id);
        let row: Vec<String> =
            catalogue.pending.iter().filter(of_family).map(|id| format!("\"{id}\",")).collect();
        if !row.is_empty() {
            left += row.len();
            let _ = writeln!(list, "  {}", row.join(" "));
        }
    }
    let most = format!("most_pending = {}", catalogue.most_pending);
    let head = head.replace(&most, &format!("most_pending = {left}"));
    format!("{head}pending = [\n{list}]\n{tail}")
}

fn number(id: &str) -> u32 {
    id.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

fn page(catalogue: &Catalogue, shown: &BTreeMap<String, BTreeMap<String, String>>) -> String {
    let mut page = String::from(
        "# Requirements\n\nMade from `docs/requirements.toml` and the names of tests; \
         `make bless` rewrites it. Each file is\n\
         listed with the first of its tests that is named for the requirement.\n\
         [Documents and presets](requirements.documents.md) says what fails if a \
         requirement breaks,\nand which of these tests only have its name.\n",
    );
    for family in &catalogue.family {
        let _ = writeln!(page, "\n## {}: {}", family.prefix, family.title);
        let mut ids: Vec<_> = family.ids.iter().collect();
        ids.sort_by_key(|(id, _)| number(id));
        for (id, title) in ids {
            let _ = writeln!(page, "\n### {id}\n\n{title}.\n");
            for (file, test) in shown.get(id).into_iter().flatten() {
                let _ = writeln!(page, "- [{file}](../{file}): `{test}`");
            }
            if !shown.contains_key(id) {
                page.push_str("- No test shows it yet.\n");
            }
        }
    }
    page
}

#[test]
fn coverage_every_requirement_is_shown_or_pending() {
    let (text, mut catalogue) = catalogue();
    let shown = shown(&catalogue);
    let smaller = shrunk(&text, &catalogue, |id| shown.contains_key(id));
    if tree::blessing() {
        tree::committed(CATALOGUE, &smaller);
        catalogue = toml::from_str(&smaller).expect("as it was read, with a shorter list");
    }
    let mut wrong = Vec::new();
    for id in &catalogue.pending {
        if !catalogue.ids().any(|known| known == id) {
            wrong.push(format!("{id}: pending, but no such requirement"));
        }
        if catalogue.pending.iter().filter(|other| *other == id).count() > 1 {
            wrong.push(format!("{id}: pending twice"));
        }
        if let Some(files) = shown.get(id) {
            let files: Vec<&str> = files.keys().map(String::as_str).collect();
            wrong.push(format!(
                "{id}: pending, but shown by {}: run `make bless`",
                files.join(", ")
            ));
        }
    }
    for id in catalogue.ids() {
        if !shown.contains_key(id) && !catalogue.pending.contains(id) {
            wrong.push(format!("{id}: neither pending nor shown: restore its test"));
        }
    }
    let (pending, most) = (catalogue.pending.len(), catalogue.most_pending);
    if pending != most {
        let way = if pending > most { "it may only shrink" } else { "lower `most_pending`" };
        wrong.push(format!("{pending} ids are pending and `most_pending` is {most}: {way}"));
    }
    let documents = tree::read(&tree::root().join("docs/requirements.documents.md"));
    let rows = documents.split("\n## ").find(|part| part.starts_with("What fails if"));
    let rows = rows.expect("the table of what fails");
    for id in catalogue.ids().filter(|id| !rows.contains(&format!("\n| {id} |"))) {
        wrong.push(format!("{id}: no row in docs/requirements.documents.md"));
    }
    assert!(wrong.is_empty(), "{CATALOGUE}:\n{}", wrong.join("\n"));
    tree::committed("docs/requirements.md", &page(&catalogue, &shown));
}

#[test]
fn coverage_the_scan_finds_what_tests_show() {
    let ids = |path, text| -> Vec<String> {
        shown_by(path, text).into_iter().map(|(id, _)| id).collect()
    };
    assert_eq!(
        ids("a/tests/x.rs", "  fn sev_5_field_10_why() {}\nfn helper_2() {}"),
        ["SEV-5", "FIELD-10", "HELPER-2"]
    );
    assert!(ids("a/tests/cases/preset/x.toml", "id = \"SEV-3.half\"").is_empty());
    assert_eq!(ids("a/src/x.rs", "fn sev_5_no() {}\n#[cfg(test)]\nfn sev_6_yes() {}"), ["SEV-6"]);
    assert_eq!(ids("p/tests/test_a.py", "    def test_met_3_bands(self):"), ["MET-3"]);
    assert_eq!(
        ids("a/tests/cases/sev/x.toml", "id = \"SEV-3.half\"\n# SEV-4\nwidth = \"SEV-1\""),
        ["SEV-3"]
    );
    assert_eq!(
        ids("a/tests/cases/sev/x.json", "  {\"id\": \"SEV-3\", \"of\": \"SEV-4\"}"),
        ["SEV-3"]
    );
    assert_eq!(
        ids("f/tests/c/a.c", "/* Shows ROLL-5 and ROLL-6, see HF-STAT-003 */\n// MET-1"),
        ["ROLL-5", "ROLL-6", "STAT-003"]
    );
    assert_eq!(ids("f/src/a.c", "// Shows ROLL-5"), Vec::<String>::new());
}

#[test]
fn coverage_the_pending_list_shrinks_by_what_is_shown() {
    let text = "most_pending = 2\npending = [\n  \"SEV-1\", \"SEV-2\",\n]\n\n[[family]]\nprefix = \"SEV\"\n\
                title = \"t\"\n[family.ids]\nSEV-1 = \"a\"\nSEV-2 = \"b\"\n";
    let parsed: Catalogue = toml::from_str(text).expect("a catalogue");
    let smaller = shrunk(text, &parsed, |id| id == "SEV-1");
    assert_eq!(smaller, text.replace("= 2", "= 1").replace("\"SEV-1\", \"SEV-2\",", "\"SEV-2\","));
}
