//! Names in a log: only beside the hashed part, and out of it on demand (ROLL-7).

use std::sync::Arc;

use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Input, Recording, Redaction, RefusalReason, Rollout, audit, redact};
use serde_json::{Value, json};

use crate::log_common::{self, PERSONAL, lines, policy, recorded, release, rewritten, salted};
use crate::story;

fn everything(log: &str) -> String {
    redact(log.as_bytes(), &Redaction::Everything).unwrap()
}

fn of(log: &str, names: &[&str]) -> String {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    redact(log.as_bytes(), &Redaction::Names(names)).unwrap()
}

/// The line as a value, without what is not hashed.
fn hashed(line: &str) -> Value {
    let mut line: Value = serde_json::from_str(line).unwrap();
    line.as_object_mut().unwrap().remove("personal");
    line
}

#[test]
fn roll_7_nobody_is_named_in_the_hashed_part() {
    let rollout = recorded();
    for line in rollout.log().lines() {
        let text = hashed(line).to_string();
        for name in PERSONAL {
            assert!(!text.contains(name), "{name} in {text}");
        }
    }
    let opening: Value = serde_json::from_str(rollout.log().lines().next().unwrap()).unwrap();
    let lead = "/policy/roles/engineering_lead";
    for (place, expected) in [
        (
            "/plan/release/author".to_owned(),
            format!("{} <{}>", salted("Lena Ode"), salted("lena@example.org")),
        ),
        ("/plan/release/change_record/prepared_by/name".to_owned(), salted("Quinn").to_string()),
        (format!("{lead}/holders/0/name"), salted("Iris Moreau").to_string()),
        (format!("{lead}/holders/0/reach"), salted("+44 20 7946 0018").to_string()),
        (format!("{lead}/reach"), "the pager of payments".to_owned()),
    ] {
        assert_eq!(opening.pointer(&place), Some(&json!(expected)), "{place}");
    }
    assert_eq!(
        opening["personal"]["values"]["/plan/release/author"],
        "Lena Ode <lena@example.org>"
    );
    // What names nobody is as it was: no empty member.
    let plain = story::Story::new("phased-canary", Recording::Keep);
    let mut rollout = plain.rollout;
    let note = Input::from_json(r#"{"kind":"note","by":"lena","text":"hm"}"#).unwrap();
    rollout.handle(plain.at, &note).unwrap();
    let opening: Value = serde_json::from_str(rollout.log().lines().next().unwrap()).unwrap();
    assert_eq!(opening["personal"], json!({"salt": "pepper"}));
}

#[test]
fn roll_7_a_replay_has_the_names_again() {
    let rollout = recorded();
    let again = Rollout::replay(rollout.log().as_bytes(), Recording::Keep).unwrap();
    assert_eq!(again.plan(), rollout.plan());
    assert_eq!(again.log(), rollout.log());
    assert_eq!(again.approvals(), rollout.approvals());
    assert!(audit(rollout.log().as_bytes(), rollout.head()).is_clean());
}

#[test]
fn roll_7_a_log_without_names_gives_the_same_rollout_and_digests_for_people() {
    let rollout = recorded();
    let redacted = everything(rollout.log());
    for name in PERSONAL {
        assert!(!redacted.contains(name), "{name}");
    }
    assert!(audit(redacted.as_bytes(), rollout.head()).is_clean());
    let again = Rollout::replay(redacted.as_bytes(), Recording::Keep).unwrap();
    assert_eq!(again.head(), rollout.head());
    assert_eq!(again.stage(), rollout.stage());
    assert_eq!(again.verdict(), rollout.verdict());
    assert_eq!(again.plan().digest(), rollout.plan().digest());
    assert_eq!(again.plan().seed(), rollout.plan().seed());
    let author = format!("{} <{}>", salted("Lena Ode"), salted("lena@example.org"));
    assert_eq!(again.plan().release().unwrap().author.as_deref(), Some(author.as_str()));
    let lead = again.plan().policy().role("engineering_lead".parse().unwrap()).unwrap();
    assert_eq!(lead.holders[0].name, salted("Iris Moreau").to_string());
    // In the middle of it, too: whatever the rest says is taken on.
    for end in 1..lines(&redacted).len() {
        let (named, redacted) =
            (lines(rollout.log())[..end].concat(), lines(&redacted)[..end].concat());
        let named = Rollout::replay(named.as_bytes(), Recording::Off).unwrap();
        let nameless = Rollout::replay(redacted.as_bytes(), Recording::Off).unwrap();
        assert_eq!(named.state(), nameless.state(), "after {end} lines");
        assert_eq!(named.accepted(), nameless.accepted());
        assert_eq!(named.blockers().len(), nameless.blockers().len());
    }
}

#[test]
fn plan_7_a_plans_digest_does_not_say_who_people_are() {
    let digest = |release: &Value, policy: Arc<Policy>| log_common::plan(policy, release).digest();
    let lena = release("Lena Ode <lena@example.org>");
    let one = digest(&lena, policy());
    assert_eq!(digest(&release("Omar Haddad"), policy()), one);
    // That there is an author is no name, and neither is how many hold a role.
    let mut nobody = lena.clone();
    nobody.as_object_mut().unwrap().remove("author");
    assert_ne!(digest(&nobody, policy()), one);
    let house = policy().to_toml();
    let renamed = house.replace("Noor Haddad", "Zoe");
    assert_ne!(renamed, house);
    let renamed = Arc::new(Policy::from_toml(&renamed).unwrap());
    assert_ne!(renamed.digest(), policy().digest(), "a policy's own digest has its names");
    assert_eq!(digest(&lena, renamed), one);
    // A program is nobody.
    let agent = |name: &str| {
        let mut release = lena.clone();
        release["change_record"]["prepared_by"] = json!({"name": name, "kind": "agent"});
        digest(&release, policy())
    };
    assert_ne!(agent("planner"), agent("other planner"));
}

#[test]
fn gate_1_after_names_were_taken_out_a_role_is_held_by_whom_the_salt_tells() {
    let mut rollout = log_common::rollout();
    let at = "2026-03-03T14:40:00Z".parse().unwrap();
    let note = Input::from_json(r#"{"kind":"note","by":"amir","text":"hm"}"#).unwrap();
    rollout.handle(at, &note).unwrap();
    let log = rollout.log().to_owned();
    let approve = |log: &str, by: &str| {
        let mut rollout = Rollout::replay(log.as_bytes(), Recording::Keep).unwrap();
        let input = json!({"kind": "approve", "by": by, "role": "engineering_lead"});
        match rollout.handle(at, &Input::from_value(input).unwrap()) {
            Ok(_) => {
                let log = rollout.log().to_owned();
                assert!(audit(log.as_bytes(), rollout.head()).is_clean());
                Ok(serde_json::from_str::<Value>(log.lines().last().unwrap()).unwrap())
            }
            Err(refusal) => {
                assert!(matches!(refusal.reason, RefusalReason::NotTheHolder { .. }));
                Err(refusal.to_string())
            }
        }
    };
    let by_name = of(&log, &["iris moreau", "omar haddad", "Lena Ode"]);
    let nobody = everything(&log);
    for (log, by, taken) in [
        (&log, "iris moreau", true),
        (&log, "omar@example.org", true),
        (&log, "Noor Haddad", false),
        (&by_name, "Iris Moreau", true),
        (&by_name, " Iris Moreau ", true),
        (&by_name, "Omar Haddad <omar@example.org>", true),
        // Another spelling has another digest.
        (&by_name, "iris moreau", false),
        (&by_name, "Noor Haddad", false),
        // Without the salt nobody can be told to be anybody.
        (&nobody, "Iris Moreau", false),
        (&nobody, "Noor Haddad", false),
    ] {
        assert_eq!(approve(log, by).is_ok(), taken, "{by}");
    }
    let message = approve(&by_name, "Noor Haddad").unwrap_err();
    assert!(message.contains("whose name was redacted in the log: write it"), "{message}");
    let message = approve(&nobody, "Iris Moreau").unwrap_err();
    assert!(
        message.contains("together with the salt: continue with the log that has both"),
        "{message}"
    );
}

#[test]
fn gate_1_after_names_were_taken_out_the_author_is_not_taken_for_somebody_else() {
    let open = Arc::new(Policy::preset("phased-canary").unwrap());
    let plan = log_common::plan(open, &release("Lena Ode <lena@example.org>"));
    let role = "engineering_lead";
    let mut rollout = Rollout::try_new(plan, Recording::Keep, log_common::SALT).unwrap();
    let at = "2026-03-03T14:40:00Z".parse().unwrap();
    let note = Input::from_json(r#"{"kind":"note","by":"amir","text":"hm"}"#).unwrap();
    rollout.handle(at, &note).unwrap();
    let log = rollout.log().to_owned();
    let is_author = |log: &str, by: &str| {
        let mut rollout = Rollout::replay(log.as_bytes(), Recording::Keep).unwrap();
        let input = json!({"kind": "approve", "by": by, "role": role});
        let outcome = rollout.handle(at, &Input::from_value(input).unwrap()).unwrap();
        let line: Value = serde_json::from_str(outcome.events).unwrap();
        line["author"] == true
    };
    let (by_name, nobody) = (of(&log, &["lena ode"]), everything(&log));
    for (log, by, author) in [
        (&log, "lena ode", true),
        (&log, "omar", false),
        (&by_name, "Lena Ode", true),
        (&by_name, "lena@example.org", true),
        (&by_name, "Lena Ode <lena@example.org>", true),
        (&by_name, "omar", false),
        // It cannot be told, so it is not ruled out.
        (&nobody, "omar", true),
    ] {
        assert_eq!(is_author(log, by), author, "{by}");
    }
}

#[test]
fn roll_7_names_are_taken_out_one_by_one() {
    let rollout = recorded();
    let log = rollout.log();
    for (names, gone, left) in [
        (&["lena ode"][..], &["Lena Ode", "lena@example.org"][..], &["Quinn", "amir"][..]),
        (&["lena@example.org"], &["lena@example.org"], &["Quinn"]),
        (&["Iris Moreau"], &["Iris Moreau", "+44 20 7946 0018"], &["Omar Haddad", "Noor Haddad"]),
        (&["+44 20 7946 0018"], &["+44 20 7946 0018"], &["Iris Moreau"]),
        (&["AMIR ", "quinn"], &["amir", "Quinn"], &["Iris Moreau", "Lena Ode"]),
        (&["zoe", "Moreau", log_common::SALT, "pepper"], &[], &PERSONAL),
        (&[], &[], &PERSONAL),
    ] {
        let redacted = of(log, names);
        for name in gone {
            assert!(!redacted.contains(name), "{name} after {names:?}");
        }
        for name in left {
            assert!(redacted.contains(name), "{name} after {names:?}");
        }
        assert_eq!(of(&redacted, names), redacted, "a second time");
        assert_eq!(redacted == log, gone.is_empty());
        assert!(redacted.contains(log_common::SALT));
        assert!(audit(redacted.as_bytes(), rollout.head()).is_clean());
        let again = Rollout::replay(redacted.as_bytes(), Recording::Keep).unwrap();
        assert_eq!(again.stage(), rollout.stage());
    }
    // One after the other, and all at the end: as all at once.
    let names = ["lena ode", "amir", "Quinn", "Iris Moreau", "omar", "tool"];
    let step_by_step = names.iter().fold(log.to_owned(), |log, name| of(&log, &[name]));
    assert_eq!(step_by_step, of(log, &names));
    assert_eq!(everything(&step_by_step), everything(log));
    assert_eq!(everything(&everything(log)), everything(log));
}

#[test]
fn roll_7_taking_names_out_leaves_every_other_byte_of_a_canonical_log_as_it_was() {
    let rollout = recorded();
    // A newer release wrote these, and a tool laid them out.
    let newer = rewritten(rollout.log(), |index, line| {
        line["zeta"] = json!({"personal": "stays", "of": [1.5, "Quinn's"]});
        if let Some(personal) = line.get_mut("personal").filter(|_| index > 0) {
            personal["since"] = json!({"by": ["amir"]});
        }
    });
    let laid_out: String = newer
        .lines()
        .map(|line| line.replacen('{', "{ ", 1).replace(r#","kind":"#, r#" , "kind" : "#) + "\r\n")
        .collect();
    let head = audit(newer.as_bytes(), None).head;
    for log in [&newer, &laid_out] {
        assert_eq!(audit(log.as_bytes(), Some(head)).findings, []);
        let redacted = everything(log);
        assert_eq!(lines(&redacted).len(), lines(&newer).len());
        for (before, after) in lines(&newer).into_iter().zip(lines(&redacted)) {
            let at = before.find(r#""personal":{"#);
            let expected = match at.filter(|_| !before.contains(r#""kind":"observe""#)) {
                Some(at) => {
                    let end = at
                        + before[at..]
                            .find("},\"plan")
                            .or_else(|| before[at..].find("},\"prev"))
                            .unwrap()
                        + 2;
                    format!("{}{}", &before[..at], &before[end..])
                }
                None => before.to_owned(),
            };
            assert_eq!(after, expected);
        }
        assert_eq!(audit(redacted.as_bytes(), Some(head)).findings, []);
        let amir = of(log, &["amir"]);
        assert!(!amir.contains("amir") && amir.contains("Quinn's"), "unknown members, too");
        Rollout::replay(redacted.as_bytes(), Recording::Keep).unwrap();
    }
}

#[test]
fn roll_7_a_log_whose_chain_is_broken_is_not_redacted() {
    let rollout = recorded();
    let log = rollout.log();
    let all = lines(log);
    let error = |log: &str| {
        let error = redact(log.as_bytes(), &Redaction::Everything).unwrap_err();
        (error.code(), error.line)
    };
    assert_eq!(error(""), ("HF-LOG-001", 1));
    assert_eq!(error(&log[..log.len() - 1]), ("HF-LOG-002", all.len()));
    assert_eq!(error(&all[1..].concat()), ("HF-LOG-006", 1));
    assert_eq!(error(&[&all[..4], &all[5..]].concat().concat()), ("HF-LOG-003", 5));
    assert_eq!(error(&log.replacen(r#""format":1"#, r#""format":2"#, 1)), ("HF-JSON-013", 1));
    assert_eq!(error("no log\n"), ("HF-JSON-007", 1));
}

#[test]
fn roll_7_a_name_that_is_not_the_one_hashed_is_found() {
    let rollout = recorded();
    let log = rollout.log();
    let line_of = |text: &str| log.lines().position(|line| line.contains(text)).unwrap() + 1;
    let heard = line_of(r#""heard_by":"amir""#);
    let salt_gone = everything(log).replacen(
        r#""plan":{"#,
        r#""personal":{"values":{"/plan/release/author":"Zoe"}},"plan":{"#,
        1,
    );
    for (what, forged, line, place) in [
        ("an actor", log.replacen(r#""by":"Iris Moreau""#, r#""by":"Omar""#, 1), heard, "/by"),
        (
            "who heard",
            log.replacen(r#""heard_by":"amir""#, r#""heard_by":"Amir""#, 1),
            heard,
            "/heard_by",
        ),
        ("the author", log.replacen("Lena Ode <lena@", "Zoe <lena@", 1), 1, "/plan/release/author"),
        (
            "a holder",
            log.replacen(r#"1/name":"Omar Haddad"#, r#"1/name":"Zoe"#, 1),
            1,
            "/policy/roles/engineering_lead/holders/1/name",
        ),
        (
            "a place",
            log.replacen(r#""/plan/release/author":"#, r#""/plan/release/version":"#, 1),
            1,
            "/plan/release/version",
        ),
        ("no salt", salt_gone, 1, "/plan/release/author"),
    ] {
        assert_ne!(forged, log, "{what}");
        let found = audit(forged.as_bytes(), rollout.head()).findings;
        assert_eq!(found.len(), 1, "{what}: {found:?}");
        assert_eq!((found[0].code, found[0].line), ("HF-LOG-010", line), "{what}");
        assert!(found[0].message.contains(&format!("`{place}`")), "{}", found[0].message);
        let error = Rollout::replay(forged.as_bytes(), Recording::Keep).unwrap_err();
        assert_eq!((error.code(), error.line), ("HF-LOG-010", line), "{what}");
        assert!(audit(everything(&forged).as_bytes(), rollout.head()).is_clean());
    }
}

#[test]
fn roll_7_names_in_the_hashed_part_of_an_older_log_are_names() {
    let rollout = recorded();
    // As it was written before names stood beside the hashed part.
    let older = rewritten(rollout.log(), |index, line| {
        if index > 0 {
            return;
        }
        let values = line["personal"].as_object_mut().unwrap().remove("values").unwrap();
        for (place, name) in values.as_object().unwrap() {
            *line.pointer_mut(place).unwrap() = name.clone();
        }
    });
    assert_eq!(audit(older.as_bytes(), None).findings, []);
    let again = Rollout::replay(older.as_bytes(), Recording::Keep).unwrap();
    assert_eq!(again.plan(), rollout.plan());
    let redacted = everything(&older);
    let again = Rollout::replay(redacted.as_bytes(), Recording::Keep).unwrap();
    assert_eq!(again.plan(), rollout.plan(), "what was hashed cannot be taken out");
}

#[test]
fn roll_7_a_release_that_comes_later_is_written_without_names_too() {
    let mut rollout = recorded();
    let at = "2026-03-03T15:40:00Z".parse().unwrap();
    let mut next = release("Zoe Quist <zoe@example.org>");
    next["version"] = json!("2.3.2");
    let supersede =
        json!({"kind": "supersede", "by": "amir", "release": next, "why": "a better fix"});
    rollout.handle(at, &Input::from_value(supersede).unwrap()).unwrap();
    let log = rollout.log().to_owned();
    let last = log.lines().find(|line| line.contains(r#""kind":"supersede""#)).unwrap();
    assert!(!hashed(last).to_string().contains("Zoe") && last.contains("Zoe Quist"));
    let values: Value = serde_json::from_str(last).unwrap();
    let values = values["personal"]["values"].as_object().unwrap().clone();
    let places: Vec<_> = values.keys().map(String::as_str).collect();
    assert_eq!(places, ["/release/author", "/release/change_record/prepared_by/name"]);
    let again = Rollout::replay(log.as_bytes(), Recording::Keep).unwrap();
    assert_eq!(again.plan(), rollout.plan());
    assert!(audit(log.as_bytes(), rollout.head()).is_clean());
    for redacted in [of(&log, &["zoe quist"]), everything(&log)] {
        assert!(!redacted.contains("Zoe"));
        assert_eq!(audit(redacted.as_bytes(), rollout.head()).findings, []);
        let again = Rollout::replay(redacted.as_bytes(), Recording::Keep).unwrap();
        assert_eq!(again.plan().digest(), rollout.plan().digest());
        assert_eq!(again.stage(), rollout.stage());
    }
}
