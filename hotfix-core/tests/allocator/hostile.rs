//! Policies that mean harm: as large, as deep, as entangled or as circular as they can be. Each is refused with a clear
//! error or answered, in bounded time and memory.
//!
//! Memory is the most that the test's thread holds at a time beyond what it held before, by a counting allocator, so it is
//! the same on every machine. Time is what the thread computes, with room for a debug build: what is quadratic in a document of
//! 1 MiB takes minutes and fails.

use std::fmt::Write as _;

use hotfix_core::fact::Facts;
use hotfix_core::policy::{Policy, PolicyError, PolicyErrors};

use crate::clock::Stopwatch;
use crate::counting::{LIVE, MOST};

/// The longest text that is read.
const MOST_TEXT: usize = 1 << 20;
/// What reading a text of 1 MiB may hold at a time, what is made of it included.
const MOST_MEMORY: isize = 64 << 20;
/// What one call may take, in seconds.
const MOST_SECONDS: f64 = 60.0;

/// Runs `body` within the bounds.
fn bounded<T>(what: &str, body: impl FnOnce() -> T) -> T {
    within(what, MOST_MEMORY, body)
}

fn within<T>(what: &str, memory: isize, body: impl FnOnce() -> T) -> T {
    let before = LIVE.get();
    MOST.set(before);
    let watch = Stopwatch::start();
    let out = body();
    let (seconds, held) = (watch.took().as_secs_f64(), MOST.get() - before);
    println!("{what}: {seconds:.2} s, {:.1} MiB", held as f64 / f64::from(1 << 20));
    assert!(held <= memory, "{what} held {held} bytes");
    assert!(seconds <= MOST_SECONDS, "{what} took {seconds:.1} s");
    out
}

fn codes(read: Result<Policy, PolicyErrors>) -> Vec<&'static str> {
    read.map_or_else(|errors| errors.iter().map(PolicyError::code).collect(), |_| Vec::new())
}

/// A policy that loads, with more after it.
fn with(more: &str) -> String {
    format!(
        "extends = [{{ policy = 'phased-canary', take = ['format', 'strategy', 'watch', 'phases', 'final_validation', \
         'metrics', 'rollback', 'severities'] }}]\nname = 'hostile'\ntitle = 'hostile'\n{more}"
    )
}

/// Reads what loads, as TOML and as JSON, writes it both ways, and asks everything of it.
fn everything(what: &str, text: &str) -> Policy {
    assert!(text.len() <= MOST_TEXT, "{what}: {}", text.len());
    let policy = bounded(&format!("{what}: read"), || Policy::from_toml(text)).unwrap();
    let json = bounded(&format!("{what}: write"), || policy.to_json());
    let again = bounded(&format!("{what}: from a log"), || serde_json::from_str::<Policy>(&json));
    assert_eq!(
        bounded(&format!("{what}: digests"), || again.unwrap().digest()),
        bounded(&format!("{what}: digest"), || policy.digest())
    );
    bounded(&format!("{what}: as TOML"), || policy.to_toml());
    bounded(&format!("{what}: lint"), || policy.lint(None));
    for known in ["{}", r#"{"service_down": false, "users_affected": 0.3}"#] {
        let facts = Facts::read(&serde_json::from_str(known).unwrap(), policy.vocabulary());
        let facts = facts.unwrap();
        bounded(&format!("{what}: classify"), || {
            serde_json::to_string(&policy.classify(&facts)).unwrap().len()
        });
        bounded(&format!("{what}: decide"), || {
            serde_json::to_string(&policy.decide(&facts)).unwrap().len()
        });
    }
    bounded(&format!("{what}: draw"), || (policy.tree_mermaid(), policy.tree_dot()));
    policy
}

#[test]
fn field_5_a_policy_of_a_megabyte_is_read_and_one_byte_more_is_not() {
    let text = with("");
    let long = text.replace("title = 'hostile'", "title = '?'");
    let long = long.replace('?', &"x".repeat(MOST_TEXT - long.len() + 1));
    assert_eq!(long.len(), MOST_TEXT);
    everything("one long title", &long);
    let longer = format!("{long} ");
    assert_eq!(bounded("too long", || codes(Policy::from_toml(&longer))), ["HF-POL-002"]);
    assert_eq!(bounded("too long", || codes(Policy::from_json(&longer))), ["HF-POL-002"]);
    // A megabyte of what the parsers find hardest.
    for unit in
        ["[[rules]]\n", "a.b.c.d = 1\n", "'", "\"\\u", "=\n", "[", "{a=", "#", "\u{feff}", "\0"]
    {
        let text = unit.repeat(MOST_TEXT / unit.len());
        // The parser keeps a remark on each fault, and here every other byte is one.
        let codes =
            within(&format!("{unit:?}"), 6 * MOST_MEMORY, || codes(Policy::from_toml(&text)));
        assert!(!codes.is_empty() && codes.len() <= PolicyErrors::MOST, "{unit:?}");
    }
    for unit in ["[", "{\"a\":", "[],", "\"a\",", "{\"rules\":[]}", "\"\\ud800", "1e", "-", " "] {
        let text = unit.repeat(MOST_TEXT / unit.len());
        for text in [text.clone(), format!("[{text}0]"), format!("{{\"rules\":[{text}0]}}")] {
            let read = &text[..text.len().min(MOST_TEXT)];
            let codes = bounded(&format!("{unit:?}"), || codes(Policy::from_json(read)));
            assert!(!codes.is_empty() && codes.len() <= PolicyErrors::MOST, "{unit:?}");
        }
    }
}

#[test]
fn field_5_ten_thousand_rules_load_and_answer() {
    let mut rules = String::from("rules = [\n");
    for rule in 0..10_000 {
        let when =
            ["'cosmetic'", "{ not = 'deadlock' }", "{ fact = 'users_affected', above = 0.5 }"]
                [rule % 3];
        writeln!(rules, " {{ id = 'r{rule}', title = 't', severity = 'P1', when = {when} }},")
            .unwrap();
    }
    let policy = everything("10,000 rules", &with(&format!("{rules}]\n")));
    assert_eq!(policy.rules().len(), 10_000);

    // Each with a bound of its own: 10,000 classes of one fact.
    let mut rules = String::from("rules = [\n");
    for rule in 0..10_000 {
        let (even, share) = (rule % 2, f64::from(rule) / 10_000.0);
        writeln!(rules, " {{ id = 'r{rule}', title = 't', severity = 'P{even}', when = {{ fact = 'error_rate', is = {share} }} }},").unwrap();
    }
    everything("10,000 bounds", &with(&format!("{rules}]\n")));
}

#[test]
fn field_5_ten_thousand_questions_load_and_answer() {
    let mut tree = String::from(
        "[tree]\nroot = 'q0'\nleaves = [{ id = 'l', title = 'l', hotfix = true }]\nquestions = [\n",
    );
    for question in 0..10_000 {
        let (fact, next) = (["cosmetic", "deadlock", "tested"][question % 3], question + 1);
        let next = if next == 10_000 { "l".to_owned() } else { format!("q{next}") };
        writeln!(
            tree,
            " {{ id = 'q{question}', ask = 'a', when = '{fact}', yes = '{next}', no = 'l' }},"
        )
        .unwrap();
    }
    everything("10,000 questions", &with(&format!("{tree}]\n")));
    // Round in a circle.
    let circle = format!("{tree}]\n").replace("yes = 'l', no = 'l'", "yes = 'q0', no = 'q5000'");
    everything("a circle of 10,000 questions", &with(&circle));
}

#[test]
fn field_5_a_circle_beside_a_long_tree_loads_and_answers() {
    let tree = |first: &str, questions: usize, no: &dyn Fn(usize) -> usize| {
        let mut tree = format!(
            "[tree]\nroot = 'q0'\nleaves = [{{ id = 'l', title = 'l', hotfix = true }}]\nquestions = [\n \
             {{ id = 'q0', ask = 'a', {first} }},\n",
        );
        for question in 1..questions {
            let to =
                |next: usize| if next == questions { "l".to_owned() } else { format!("q{next}") };
            let (yes, no) = (to(question + 1), to(no(question)));
            writeln!(
                tree,
                " {{ id = 'q{question}', ask = 'a', when = 'cosmetic', yes = '{yes}', no = '{no}' }},"
            )
            .unwrap();
        }
        with(&format!("{tree}]\n"))
    };
    // Each question changes nothing, so it takes no step of a diagram; the first leads to itself, too.
    let to_itself = "when = 'tested', yes = 'q0', no = 'q1'";
    let chain = tree(to_itself, 11_000, &|question| question + 1);
    let chain = everything("a circle and a chain", &chain);
    // Exact: whatever `cosmetic` is, who gets out of the circle comes to the leaf.
    let tested = serde_json::from_str(r#"{"tested": false}"#).unwrap();
    let tested = Facts::read(&tested, chain.vocabulary()).unwrap();
    let decision = chain.decide(&tested);
    assert!(decision.exact() && decision.gaps().is_empty());
    assert_eq!(decision.reachable().len(), 1);
    // Where one leads back is known from the first question on, and all others are looked at before it.
    let to_the_leaf = "when = 'cosmetic', yes = 'q1', no = 'l'";
    let back = tree(to_the_leaf, 11_000, &|question| question - 1);
    everything("a way back from everywhere", &back);
}

#[test]
fn field_5_conditions_a_thousand_deep_are_refused() {
    for (open, close) in
        [("{ not = ", " }"), ("{ all = [", "] }"), ("{ any = ['deadlock', ", "] }")]
    {
        let when = format!("{}'cosmetic'{}", open.repeat(1000), close.repeat(1000));
        let text =
            with(&format!("rules = [{{ id = 'r', title = 't', hotfix = true, when = {when} }}]\n"));
        assert_eq!(bounded("deep TOML", || codes(Policy::from_toml(&text))), ["HF-POL-003"]);
        let (open, close) = (open.replace(" = ", ":").replace('\'', "\""), close);
        let open =
            open.replace("not", "\"not\"").replace("all", "\"all\"").replace("any", "\"any\"");
        let when = format!("{}\"cosmetic\"{}", open.repeat(1000), close.repeat(1000));
        let text = format!("{{\"format\":1,\"rules\":[{{\"id\":\"r\",\"when\":{when}}}]}}");
        assert_eq!(bounded("deep JSON", || codes(Policy::from_json(&text))), ["HF-POL-003"]);
    }
    let dotted = with(&format!("[[rules]]\nid = 'r'\nwhen{} = 'cosmetic'\n", ".not".repeat(1000)));
    assert_eq!(bounded("dotted", || codes(Policy::from_toml(&dotted))), ["HF-POL-003"]);
    // In a log nothing is deeper than in a document.
    let deep = format!("{{\"format\":{}1{}}}", "[".repeat(1000), "]".repeat(1000));
    assert!(bounded("deep in a log", || serde_json::from_str::<Policy>(&deep)).is_err());
}

#[test]
fn field_5_conditions_that_are_entangled_are_answered_in_bounds() {
    // Pairs of facts that stand far apart in the order of the conditions: a diagram of 2 to the power of 200 nodes.
    let facts: Vec<String> =
        (0..400).map(|i| format!("[facts.f{i}]\nkind = 'flag'\nask = 'f?'\n")).collect();
    let facts = facts.concat();
    let all: Vec<String> = (0..400).map(|i| format!("'f{i}'")).collect();
    let pairs: Vec<String> =
        (0..200).map(|i| format!("{{ all = ['f{i}', 'f{}'] }}", i + 200)).collect();
    let (all, pairs) = (all.join(", "), pairs.join(", "));
    let rules = format!(
        "[[rules]]\nid = 'a'\ntitle = 'a'\nseverity = 'P0'\nwhen = {{ all = [{all}] }}\n\
         [[rules]]\nid = 'p'\ntitle = 'p'\nseverity = 'P1'\nwhen = {{ any = [{pairs}] }}\n"
    );
    let policy = everything("pairs", &with(&format!("{facts}{rules}")));
    assert!(!policy.classify(&Facts::default()).exact());

    // The same with a question of thousands of answers, which is then walked without a diagram.
    let mut tree = String::from(
        "[tree]\nroot = 'q'\nleaves = [{ id = 'l', title = 'l', hotfix = true }, { id = 'm', title = 'm', hotfix = false }]\n",
    );
    tree.push_str("questions = [{ id = 'q', ask = 'q', fact = 'error_rate', answers = [\n");
    for answer in 0..10_000_u32 {
        let (to, share) = (["l", "m"][answer as usize % 2], f64::from(answer) / 10_000.0);
        writeln!(tree, "{{ is = {share}, to = '{to}' }},").unwrap();
    }
    let policy = everything("answers", &with(&format!("{facts}{rules}{tree}] }}]\n")));
    let facts_known = Facts::default();
    let decision = policy.decide(&facts_known);
    assert!(!decision.exact());
    assert_eq!((decision.reachable().len(), decision.gaps().len()), (2, 1));
    // Too much to compare, so the first question of the tree.
    let next = decision.next_question().unwrap();
    assert_eq!((next.fact.as_str(), next.if_known.len()), ("error_rate", 0));

    let mut rules = String::new();
    for i in 0..2000_u32 {
        let part = |k: u32| format!("'f{}'", (i * 7919 + k * k * 104_729 + i * i * k) % 400);
        let when = format!(
            "{{ any = [{{ all = [{}, {}] }}, {{ not = {} }}] }}",
            part(1),
            part(2),
            part(3)
        );
        writeln!(
            rules,
            "[[rules]]\nid = 'r{i}'\ntitle = 't'\nseverity = 'P{}'\nwhen = {when}",
            i % 3
        )
        .unwrap();
    }
    for i in 0..500_u32 {
        let (a, b) = (i * 31 % 400, (i * i + 7) % 400);
        writeln!(rules, "[[implications]]\nid = 'i{i}'\nwhen = 'f{a}'\nthen = {{ any = ['f{b}', 'f{}'] }}\niff = {}", (a + b) % 400, i % 2 == 0).unwrap();
    }
    everything("entangled", &with(&format!("{facts}{rules}")));
}

#[test]
fn field_5_circles_of_bases_are_refused_with_their_names() {
    let sentence = |text: &str, resolve: &dyn Fn(&str) -> Option<String>| {
        let errors = bounded("bases", || Policy::from_toml_with(text, resolve)).unwrap_err();
        let first = errors.first().unwrap();
        (first.code(), first.sentence())
    };
    let (code, said) = sentence("extends = 'a'", &|name| Some(format!("extends = '{name}'")));
    assert_eq!(code, "HF-POL-029");
    assert!(said.contains("`a` → `a`"), "{said}");
    let round = |name: &str| {
        let next = [("a", "b"), ("b", "c"), ("c", "a")].iter().find(|(from, _)| *from == name)?.1;
        Some(format!(r#"{{"extends": ["standard", {{"policy": "{next}", "take": ["phases"]}}]}}"#))
    };
    let (code, said) = sentence("extends = ['standard', 'a']", &round);
    assert_eq!(code, "HF-POL-029");
    assert!(said.contains("`a` → `b` → `c` → `a`"), "{said}");
    // Every base has all the next ones: 31 ways down from each, were they walked.
    let wide = |name: &str| {
        let depth: usize = name[1..].split('_').next()?.parse().ok()?;
        let all: Vec<String> = (0..31).map(|i| format!("'x{}_{i}'", depth + 1)).collect();
        Some(format!("extends = [{}]", all.join(", ")))
    };
    let (code, _) = sentence("extends = 'x0_0'", &wide);
    assert_eq!(code, "HF-POL-031");
    // A chain without an end.
    let chain = |name: &str| Some(format!("extends = 'x{}'", name[1..].parse::<u64>().ok()? + 1));
    assert_eq!(sentence("extends = 'x0'", &chain).0, "HF-POL-031");
}

#[test]
fn field_5_ids_that_stand_ten_thousand_times_are_counted() {
    let many = |item: &str| vec![item; 10_000].join(",\n");
    let texts = [
        format!(
            "rules = [{}]",
            many("{ id = 'r', title = 't', hotfix = true, when = 'cosmetic' }")
        ),
        format!(
            "duties = [{}]",
            many("{ id = 'd', kind = 'act', title = 't', from = 'began', within = 0 }")
        ),
        format!(
            "checklists = [{{ id = 'c', title = 't', items = [{}] }}]",
            many("{ id = 'i', text = 't' }")
        ),
        format!(
            "[tree]\nroot = 'l'\nleaves = [{}]",
            many("{ id = 'l', title = 't', hotfix = true }")
        ),
    ];
    for text in texts {
        let errors = bounded("duplicate ids", || Policy::from_toml(&with(&text))).unwrap_err();
        assert!(errors.iter().all(|error| error.code() == "HF-POL-012"), "{errors}");
        assert_eq!((errors.iter().count(), errors.count()), (PolicyErrors::MOST, 9_999));
    }
    let keys =
        format!("{{\"extends\":\"standard\",{}}}", vec!["\"title\":\"t\""; 50_000].join(","));
    let errors = bounded("duplicate keys", || Policy::from_json(&keys)).unwrap_err();
    assert!(errors.iter().all(|error| error.code() == "HF-POL-004"), "{errors}");
}

#[test]
fn field_5_a_hundred_thousand_texts_and_roles_are_read_once() {
    let letters: Vec<char> = ('a'..='z').chain('A'..='Z').chain('0'..='9').collect();
    let name = |number: usize, length: u32| -> String {
        let digit = |place| letters[number / letters.len().pow(place) % letters.len()];
        (0..length).rev().map(digit).collect()
    };
    let texts: Vec<String> = (0..170_000).map(|number| format!("'{}'", name(number, 3))).collect();
    let texts = texts.join(",");
    let text = with(&format!("[report]\nwithin = '1h'\nsections = [{texts}]\n"));
    let policy = bounded("170,000 texts", || Policy::from_toml(&text)).unwrap();
    let read: serde_json::Value = serde_json::from_str(&policy.to_json()).unwrap();
    assert_eq!(read["report"]["sections"].as_array().map(Vec::len), Some(170_000));
    let twice = text.replace("'aac'", "'aaa'");
    let errors = bounded("170,000 texts, one twice", || Policy::from_toml(&twice)).unwrap_err();
    let places: Vec<_> = errors.iter().map(|error| (error.code(), error.path())).collect();
    assert_eq!(places, [("HF-POL-046", "/report/sections/2")]);
    assert!(errors.to_string().contains("/report/sections/0"), "{errors}");

    let roles = |count: u32, role: &str| -> String {
        let all: Vec<String> = (0..count).map(|number| format!("\"r{number}\":{role}")).collect();
        format!("{{\"extends\":\"phased-canary\",\"roles\":{{{}}}}}", all.join(","))
    };
    let text = roles(45_000, "{\"title\":\"t\"}");
    let policy = bounded("45,000 roles", || Policy::from_json(&text)).unwrap();
    assert!(policy.role("r44999".parse().unwrap()).is_some());
    let text = roles(90_000, "0");
    let errors = bounded("90,000 that are none", || Policy::from_json(&text)).unwrap_err();
    assert_eq!((errors.count(), errors.iter().next().unwrap().code()), (90_000, "HF-POL-008"));
}

#[test]
fn field_5_ten_thousand_roles_that_stand_in_for_each_other_are_answered() {
    let mut text = String::from("approvals = [{ any_of = ['r0'");
    (1..10_000).for_each(|role| write!(text, ",'r{role}'").unwrap());
    text.push_str("] }]\n");
    for role in 0..10_000 {
        let (next, other) = ((role + 1) % 10_000, (role + 2) % 10_000);
        writeln!(text, "[roles.r{role}]\ntitle='t'\nstand_ins=['r{next}','r{other}']").unwrap();
    }
    everything("10,000 roles", &with(&text));
}

#[test]
fn field_5_ten_thousand_unknown_names_are_not_compared_with_all_others() {
    let list = |name: &dyn Fn(usize) -> String| (0..7_000).map(name).collect::<String>();
    let facts = list(&|n| format!("f{n}abcdefghijabcdefghij={{kind='flag',ask='q'}},"));
    let unknown = list(&|n| format!("'g{n}jihgfedcbajihgfedcbajihgfedcba',"));
    let rule = format!("[[rules]]\nid='r'\ntitle='t'\nseverity='P0'\nwhen={{any=[{unknown}]}}\n");
    let text = with(&format!("facts={{{facts}}}\n{rule}"));
    let errors = bounded("7,000 facts", || Policy::from_toml(&text)).unwrap_err();
    assert_eq!(errors.count(), 7_000, "{errors}");
}

#[test]
fn field_5_bytes_that_are_no_text_are_refused() {
    let policy = Policy::preset("standard").unwrap().to_json();
    for at in [0, policy.len() / 2, policy.len() - 2] {
        for bytes in [&b"\xff"[..], b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82"]
        {
            let mut document = policy.as_bytes().to_vec();
            document.splice(at..at, bytes.iter().copied());
            assert!(bounded("no text", || serde_json::from_slice::<Policy>(&document)).is_err());
        }
    }
}
