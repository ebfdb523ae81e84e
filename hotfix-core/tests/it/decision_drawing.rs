//! The tree as Mermaid and as Graphviz's language: kept drawings, and labels that must not be taken for anything else.
//! `scripts/trees.sh` draws what is kept here with both programs.

use hotfix_core::policy::Policy;
use hotfix_core::policy::section::Branches;
use proptest::prelude::*;
use serde_json::json;

use crate::crate_files::in_crate;
use crate::decision_common::{Draw, policy, with_tables};
use crate::readable::read;

/// Every policy of which the drawings are kept: all presets that have one, and the tests' own.
fn drawn() -> Vec<(String, Policy)> {
    let own = ["whole", "matrix-tree", "house-tree", "rules-only", "hostile-tree"];
    let names = Policy::presets().iter().chain(&own);
    names.map(|name| ((*name).to_owned(), policy(name))).collect()
}

#[test]
fn dec_6_the_drawings_are_as_they_were() {
    let mut wrong = Vec::new();
    for (name, policy) in drawn() {
        let (mermaid, dot) = (policy.tree_mermaid(), policy.tree_dot());
        assert_eq!(mermaid.is_some(), dot.is_some());
        for (text, extension) in [(mermaid, "mmd"), (dot, "dot")] {
            let path = in_crate(&format!("tests/golden/tree/{name}.{extension}"));
            if std::env::var_os("HOTFIX_BLESS").is_some() {
                match &text {
                    Some(text) => std::fs::write(&path, text).unwrap(),
                    None => drop(std::fs::remove_file(&path)),
                }
            }
            if std::fs::read_to_string(&path).ok() != text {
                wrong
                    .push(format!("{} is out of date: HOTFIX_BLESS=1 rewrites it", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Identifiers of nodes, and pairs of them with an edge between, as a line of either language begins.
fn parts(text: &str, arrow: &str) -> (Vec<String>, Vec<(String, String)>) {
    let (mut nodes, mut edges) = (Vec::new(), Vec::new());
    for line in text.lines().filter_map(|line| line.strip_prefix("    ")) {
        let end = line.find(|c: char| !c.is_ascii_alphanumeric()).unwrap();
        let (id, rest) = line.split_at(end);
        let numbered = id.len() > 1 && id[1..].bytes().all(|byte| byte.is_ascii_digit());
        if !numbered || !id.starts_with(['q', 'l', 'g']) {
            continue;
        }
        match rest.strip_prefix(arrow) {
            Some(rest) => {
                let to =
                    if arrow == " -> " { rest.split(' ').next() } else { rest.rsplit(' ').next() };
                edges.push((id.to_owned(), to.unwrap().to_owned()));
            }
            None => nodes.push(id.to_owned()),
        }
    }
    (nodes, edges)
}

#[test]
fn dec_6_every_question_leaf_and_answer_is_drawn_once() {
    for seed in 0..100 {
        let policy = Draw::new(seed).policy(5, seed % 4 == 0);
        let tree = policy.tree().unwrap();
        let name = |target| match target {
            hotfix_core::policy::section::Target::Question(at) => format!("q{at}"),
            hotfix_core::policy::section::Target::Leaf(at) => format!("l{at}"),
        };
        let mut nodes: Vec<String> = (0..tree.questions.len()).map(|at| format!("q{at}")).collect();
        nodes.extend((0..tree.leaves.len()).map(|at| format!("l{at}")));
        let mut edges = Vec::new();
        for (at, question) in tree.questions.iter().enumerate() {
            let targets: Vec<_> = match &question.branches {
                Branches::Condition { yes, no, .. } => vec![*yes, *no],
                Branches::Values { answers, .. } => {
                    let mut targets: Vec<_> = answers.iter().map(|a| Some(a.to)).collect();
                    // The random answers about the share cover all of it, or stop at a half; those about a text never do.
                    let covered = answers.iter().any(|answer| {
                        answer.accepts[0].operator == hotfix_core::fact::Operator::AtLeast
                    });
                    targets.extend((!covered).then_some(None));
                    targets
                }
            };
            if targets.contains(&None) {
                nodes.push(format!("g{at}"));
            }
            let ends = targets.into_iter().map(|to| to.map_or_else(|| format!("g{at}"), name));
            edges.extend(ends.map(|to| (format!("q{at}"), to)));
        }
        let sorted = |mut parts: (Vec<String>, Vec<(String, String)>)| {
            parts.0.sort();
            parts.1.sort();
            parts
        };
        let expected = sorted((nodes, edges));
        assert_eq!(
            sorted(parts(&policy.tree_mermaid().unwrap(), " -->|")),
            expected,
            "seed {seed}"
        );
        assert_eq!(sorted(parts(&policy.tree_dot().unwrap(), " -> ")), expected, "seed {seed}");
    }
}

/// Texts of what the languages, Markdown and SVG could trip over.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "\"", "\\", "\n", "\\n", "\r\n", "#", ";", "&", "<", ">", "|", "]", "[", "(", ")", "{", "}", "`", "$", "%%", "-->", "->",
            "#35;", "&amp;", "<br/>", "end", "direction", " LR", "style a:#1;", "¶", "ß", "ﬂ", "°", "\t", "\0", "\u{2028}", "\u{ffff}", " ",
        ]).prop_map(str::to_owned),
        1 => "\\PC{1,12}",
        1 => any::<String>(),
    ];
    let text = prop::collection::vec(piece, 1..12).prop_map(|pieces| pieces.concat());
    text.prop_filter("a blank text is refused", |text| {
        text.chars().any(|c| !c.is_whitespace() && c != '\u{feff}')
    })
}

/// What of a text can be seen: 240 characters at most, blanks and lines as one blank.
fn seen(text: &str) -> String {
    let mut shown: String = text.chars().take(240).filter_map(read).collect();
    if text.chars().count() > 240 {
        shown.push('…');
    }
    let words: Vec<&str> = shown.split(' ').filter(|word| !word.is_empty()).collect();
    if words.is_empty() { "–".to_owned() } else { words.join(" ") }
}

/// The label between the first and the last quote of a line, as Graphviz reads it.
fn read_dot(line: &str) -> String {
    let mut text = String::new();
    let mut characters = line.split_once("[label=\"").unwrap().1.chars();
    loop {
        match characters.next().expect("a quote at the end") {
            '"' => break,
            '\\' => match characters.next().unwrap() {
                'n' => text.push(' '),
                c @ ('"' | '\\') => text.push(c),
                c => panic!("`\\{c}` in {line}"),
            },
            c => text.push(c),
        }
    }
    // Only `&amp;` is ever written.
    assert_eq!(text.matches('&').count(), text.matches("&amp;").count(), "{line}");
    text.replace("&amp;", "&")
}

/// The label between the first and the last quote of a line, as Mermaid reads it.
fn read_mermaid(line: &str) -> String {
    let (_, label) = line.split_once('"').unwrap();
    let (label, _) = label.rsplit_once('"').unwrap();
    let mut text = String::new();
    let label = label.replace("<br/>", " ");
    assert!(!label.contains(['"', '`', '<', '>', '&', ':']), "{line}");
    let mut rest = label.as_str();
    while let Some((before, entity)) = rest.split_once('#') {
        let (code, after) = entity.split_once(';').unwrap();
        text.push_str(before);
        text.push(char::from_u32(code.parse().unwrap()).unwrap());
        rest = after;
    }
    text.push_str(rest);
    text.replace('\u{2060}', "")
}

proptest! {
    #[test]
    fn dec_6_labels_read_as_they_were_written(ask in hostile(), title in hostile(), answer in hostile()) {
        let tree = json!({
            "root": "ask",
            "questions": [{ "id": "ask", "ask": ask, "fact": "service", "answers": [{ "is": answer, "to": "leaf" }] }],
            "leaves": [{ "id": "leaf", "title": title, "hotfix": true }],
        });
        let policy = with_tables(&json!({ "tree": tree }));
        let (dot, mermaid) = (policy.tree_dot().unwrap(), policy.tree_mermaid().unwrap());
        // Nothing else than what the languages have for three nodes and two edges.
        prop_assert_eq!((dot.lines().count(), mermaid.lines().count()), (3 + 3 + 2 + 1, 1 + 3 + 2 + 6));
        prop_assert!(!dot.chars().chain(mermaid.chars()).any(|c| c.is_control() && c != '\n'));
        let line = |text: &'_ str, start: &str| text.lines().find(|line| line.starts_with(start)).unwrap().to_owned();
        let leaf = format!("{} hot-fix", seen(&title));
        prop_assert_eq!(read_dot(&line(&dot, "    q0 [")), seen(&ask));
        prop_assert_eq!(read_dot(&line(&dot, "    l0 [")), leaf.clone());
        prop_assert_eq!(read_dot(&line(&dot, "    q0 -> l0")), seen(&answer));
        let ligature = |text: &str| text.replace('ﬂ', "fl").replace('\u{2060}', "");
        prop_assert_eq!(read_mermaid(&line(&mermaid, "    q0[")), ligature(&seen(&ask)));
        prop_assert_eq!(read_mermaid(&line(&mermaid, "    l0(")), ligature(&leaf));
        prop_assert_eq!(read_mermaid(&line(&mermaid, "    q0 -->|")), ligature(&seen(&answer)));
        prop_assert!(!mermaid.contains("direction "));
    }
}
