//! What an audit finds: every change of a recorded log, with its line (ROLL-7).

use std::ops::Range;

use hotfix_core::rollout::{Recording, Rollout, audit};
use serde_json::Value;

use crate::log_common::{lines, recorded, rewritten};

/// Where the value of the member `personal` stands in a line.
fn personal(line: &str) -> Range<usize> {
    let Some(start) = line.find(r#""personal":{"#) else { return 0..0 };
    let from = start + r#""personal":"#.len();
    let mut values = serde_json::Deserializer::from_str(&line[from..]).into_iter::<Value>();
    values.next().unwrap().unwrap();
    from..from + values.byte_offset()
}

fn flipped(text: &str, place: usize, bit: u8) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes[place] ^= bit;
    bytes
}

/// Whether two lines hold the same value: values are hashed, not their spelling.
fn is_same_value(one: &[u8], other: &str) -> bool {
    let read = |text: &[u8]| serde_json::from_slice::<Value>(text).ok();
    read(one).is_some_and(|value| Some(value) == read(other.as_bytes()))
}

#[test]
fn roll_7_a_flip_at_any_place_is_found() {
    let rollout = recorded();
    let all = lines(rollout.log());
    let (mut flips, mut spellings) = (0, 0);
    for (index, line) in all.iter().enumerate() {
        // The line between its neighbours, without those before: whether a line is intact does not depend on them.
        let before = if index == 0 { "" } else { all[index - 1] };
        let after = all.get(index + 1).copied().unwrap_or_default();
        let number = before.lines().count() + 1;
        let aside = personal(line);
        // The opening is long, and every policy's is alike.
        let (step, structural_step) = if index == 0 { (61, 13) } else { (5, 1) };
        let mut structural = 0;
        for (place, byte) in line.bytes().enumerate().filter(|(place, _)| !aside.contains(place)) {
            structural += usize::from(b"{}[]:,\"\n".contains(&byte));
            let is_structural = b"{}[]:,\"\n".contains(&byte) && structural % structural_step == 0;
            if !is_structural && place % step != 0 {
                continue;
            }
            let bits: &[u8] = if is_structural { &[0x01, 0x20, 0x80] } else { &[0x02] };
            for bit in bits.iter().copied() {
                let changed = flipped(line, place, bit);
                if is_same_value(&changed, line) {
                    spellings += 1;
                    continue;
                }
                flips += 1;
                let found = audit(&[before.as_bytes(), &changed, after.as_bytes()].concat(), None);
                let is_found = |f: &&hotfix_core::rollout::AuditFinding| {
                    f.line == number && f.code.starts_with("HF-JSON-")
                };
                assert!(
                    found.findings.iter().any(|f| is_found(&f)),
                    "line {}, byte {place}, bit {bit:#x}: {:?}",
                    index + 1,
                    found.findings
                );
            }
        }
    }
    assert!(flips > 10_000 && spellings < flips / 1000, "{flips} {spellings}");
}

#[test]
fn roll_7_a_flip_in_a_whole_log_is_the_first_finding_and_ends_a_replay() {
    let rollout = recorded();
    let (log, head) = (rollout.log(), rollout.head());
    assert!(audit(log.as_bytes(), head).is_clean());
    let mut start = 0;
    for (index, line) in lines(log).into_iter().enumerate() {
        let aside = personal(line);
        // Without the line feed: a log that does not end with one is torn, whatever else is wrong.
        let places = (0..line.len() - 1).step_by(line.len() / 3);
        for place in places.filter(|place| !aside.contains(place)) {
            let changed = flipped(log, start + place, 0x01);
            let found = audit(&changed, head).findings;
            assert_eq!(found[0].line, index + 1, "byte {place}: {found:?}");
            let error = Rollout::replay(&changed, Recording::Off).unwrap_err();
            assert_eq!((error.line, error.code()), (index + 1, found[0].code));
        }
        start += line.len();
    }
}

#[test]
fn roll_7_a_line_whose_content_was_changed_is_one_finding() {
    let rollout = recorded();
    let (log, head) = (rollout.log(), rollout.head());
    for (index, line) in lines(log).into_iter().enumerate() {
        let (before, at) = (&line[..line.find(r#""at":""#).unwrap() + 6], log.find(line).unwrap());
        let changed = [&log[..at], before, "1", &log[at + before.len() + 1..]].concat();
        let found = audit(changed.as_bytes(), head).findings;
        let found: Vec<_> = found.iter().map(|of| (of.line, of.code)).collect();
        assert_eq!(found, [(index + 1, "HF-JSON-013")]);
    }
}

#[test]
fn roll_7_lines_dropped_repeated_or_swapped_are_found() {
    let rollout = recorded();
    let head = rollout.head();
    let all = lines(rollout.log());
    let first = |log: &[&str]| {
        let log = log.concat();
        let found = audit(log.as_bytes(), head).findings;
        let error = Rollout::replay(log.as_bytes(), Recording::Off).unwrap_err();
        assert_eq!((error.line, error.code()), (found[0].line, found[0].code));
        (error.line, error.code())
    };
    for line in 0..all.len() {
        // Without its opening, or with two, it is not one whole log.
        let code = if line == 0 { "HF-LOG-006" } else { "HF-LOG-003" };
        let without = [&all[..line], &all[line + 1..]].concat();
        if line + 1 < all.len() {
            assert_eq!(first(&without), (line + 1, code), "dropped");
        }
        let twice = [&all[..=line], &all[line..]].concat();
        assert_eq!(first(&twice), (line + 2, code), "repeated");
        for other in [line + 1, all.len() - 1] {
            if line < other && other < all.len() {
                let mut swapped = all.clone();
                swapped.swap(line, other);
                assert_eq!(first(&swapped), (line + 1, code), "swapped with {other}");
            }
        }
    }
}

#[test]
fn roll_7_missing_lines_at_the_end_are_found_against_the_head() {
    let rollout = recorded();
    let all = lines(rollout.log());
    for end in 1..all.len() {
        let cut = all[..end].concat();
        assert_eq!(audit(cut.as_bytes(), None).findings, [], "by itself it is whole");
        let found = audit(cut.as_bytes(), rollout.head()).findings;
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].line, found[0].code), (end, "HF-LOG-008"));
    }
    // A chain that was made anew is whole: what it was made for is found, or the head tells.
    let start = all.iter().position(|line| line.contains(r#""kind":"start""#)).unwrap();
    let look = all.iter().position(|line| line.contains(r#""verdict":"#)).unwrap();
    for (line, place, value, code) in [
        (start, "/aside", "", "HF-LOG-008"),
        (look, "/verdict/decision", "promote", "HF-LOG-007"),
        (start, "/to/state", "aborted", "HF-LOG-007"),
        (start, "/actions", "", "HF-LOG-007"),
    ] {
        let forged = rewritten(rollout.log(), |index, event| {
            if index != line {
                return;
            }
            match event.pointer_mut(place) {
                Some(Value::Array(actions)) => actions.clear(),
                Some(known) if place == "/to/state" => {
                    let _ = known;
                    event["to"] = serde_json::json!({ "state": value });
                }
                Some(known) => *known = value.into(),
                None => event["aside"] = value.into(),
            }
        });
        let found = audit(forged.as_bytes(), rollout.head()).findings;
        assert_eq!(found[0].code, code, "{place}: {found:?}");
        assert_eq!(found.last().unwrap().code, "HF-LOG-008");
        assert!(code == "HF-LOG-008" || found[0].line == line + 1, "{place}: {found:?}");
    }
}

#[test]
fn roll_7_a_last_line_cut_anywhere_is_recovered_from() {
    let rollout = recorded();
    let log = rollout.log();
    let all = lines(log);
    let whole = log.len() - all[all.len() - 1].len();
    let before = Rollout::replay(&log.as_bytes()[..whole], Recording::HandOut).unwrap();
    // Each is a replay; every cut of the last line would take a minute.
    let cuts = (whole + 1..log.len()).step_by(37).chain([log.len() - 2, log.len() - 1]);
    for cut in cuts {
        let torn = &log.as_bytes()[..cut];
        let recovered = Rollout::recover(torn, Recording::Keep).unwrap();
        assert!(recovered.dropped);
        assert_eq!((recovered.length, recovered.rollout.head()), (whole, before.head()));
        assert_eq!(recovered.rollout.stage(), before.stage());
        let error = Rollout::replay(torn, Recording::Off).unwrap_err();
        assert_eq!((error.line, error.code()), (all.len(), "HF-LOG-002"));
    }
    for cut in whole + 1..log.len() {
        let found = audit(&log.as_bytes()[whole..cut], None).findings;
        assert_eq!(found.last().map(|f| f.code), Some("HF-LOG-002"), "cut at {cut}");
    }
    let found = audit(&log.as_bytes()[..log.len() - 1], rollout.head()).findings;
    assert_eq!(
        found.iter().map(|f| (f.line, f.code)).collect::<Vec<_>>(),
        [(all.len(), "HF-LOG-002")]
    );
    let recovered = Rollout::recover(log.as_bytes(), Recording::Keep).unwrap();
    assert!(!recovered.dropped && recovered.rollout.log() == log);
}

/// What is personal is not hashed, so that it can be taken out. A name can go; it cannot become another.
#[test]
fn roll_7_a_flip_in_the_personal_part_is_found_or_takes_a_name_out() {
    let rollout = recorded();
    let all = lines(rollout.log());
    let heard = all.iter().position(|line| line.contains(r#""heard_by""#)).unwrap();
    let mut found_by_code = 0;
    for line in [0, heard] {
        for place in personal(all[line]).step_by(2) {
            let bit = if place % 4 < 2 { 0x01 } else { 0x20 };
            let changed = flipped(all[line], place, bit);
            let mut log = all[..=heard].concat().into_bytes();
            let start = all[..line].concat().len();
            log[start..start + changed.len()].copy_from_slice(&changed);
            let found = audit(&log, None).findings;
            if let Some(first) = found.first() {
                // A salt that was changed is found where the first name does not fit it.
                assert!(first.line == line + 1 || first.code == "HF-LOG-010", "{found:?}");
                found_by_code += usize::from(first.code == "HF-LOG-010");
                continue;
            }
            let changed: Value = serde_json::from_slice(&changed).unwrap();
            let original: Value = serde_json::from_str(all[line]).unwrap();
            let of = |line: &Value| {
                let mut known = line["personal"].as_object().unwrap().clone();
                known.retain(|name, _| {
                    ["by", "heard_by", "salt", "values"].contains(&name.as_str())
                });
                known
            };
            let original = of(&original);
            for (name, value) in of(&changed) {
                assert_eq!(original.get(&name), Some(&value), "line {line}, byte {place}");
            }
        }
    }
    assert!(found_by_code > 100, "{found_by_code}");
}
