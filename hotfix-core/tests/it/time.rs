//! The cases of `cases/time`: what happened, and what is due, overdue and next at which time (TIME, POST).
//!
//! The form of a case is described in `cases/time/enterprise.toml`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hotfix_core::deadline::{Agenda, DutyRefusal, Input, Replan};
use hotfix_core::fact::Facts;
use hotfix_core::policy::Policy;
use hotfix_core::unit::{Span, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::tree;

const LISTS: [&str; 6] = ["due", "overdue", "next", "later", "undated", "done"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// The preset that its cases are under, unless they have a house policy.
    policy: Option<String>,
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    house: Option<String>,
    /// Only these are looked at; all where it is empty.
    #[serde(default)]
    of: Vec<String>,
    steps: Vec<Step>,
}

/// One time, counted from the start: at most one input, and what is to be seen then.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    at: String,
    severity: Option<String>,
    facts: Option<Map<String, Value>>,
    stop_gap: Option<String>,
    moment: Option<String>,
    taken_back: Option<String>,
    day: Option<String>,
    /// When a moment came, or by when a day is: from the start.
    by: Option<String>,
    approval: Option<usize>,
    acknowledge: Option<String>,
    done: Option<String>,
    refused: Option<String>,
    changes: Option<Vec<String>>,
    said: Option<Vec<String>>,
    due: Option<Vec<String>>,
    overdue: Option<Vec<String>>,
    next: Option<Vec<String>>,
    later: Option<Vec<String>>,
    undated: Option<Vec<String>>,
    #[serde(rename = "settled")]
    done_list: Option<Vec<String>>,
    /// The next time at which something changes; `never` for none.
    next_moment: Option<String>,
    /// What an item has at a JSON Pointer; a text is contained in one.
    #[serde(default)]
    items: BTreeMap<String, Map<String, Value>>,
}

fn start() -> Timestamp {
    "2026-03-03T14:00:00Z".parse().unwrap()
}

fn moment(text: &str) -> Timestamp {
    match text.strip_prefix('-') {
        Some(before) => start() - span(before),
        None => start() + span(text),
    }
}

/// `2h` or `1d 3h`.
fn span(text: &str) -> Span {
    text.split_whitespace().map(|part| part.parse::<Span>().unwrap()).fold(Span::ZERO, |a, b| a + b)
}

/// From the start, as a case has it.
fn offset(at: &Value) -> String {
    let at: Timestamp = at.as_str().unwrap().parse().unwrap();
    let mut left = at.since(start()).as_millis();
    if left == 0 {
        let before = start().since(at);
        return if before.is_zero() { "0".to_owned() } else { format!("-{before}") };
    }
    let mut parts = Vec::new();
    for (unit, millis) in
        [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1)]
    {
        if left >= millis {
            parts.push(format!("{}{unit}", left / millis));
            left %= millis;
        }
    }
    parts.join(" ")
}

fn take(agenda: &mut Agenda, policy: &Policy, step: &Step) -> Option<Result<Replan, DutyRefusal>> {
    let at = moment(&step.at);
    let by = step.by.as_deref().map_or(at, moment);
    let facts = step.facts.as_ref().map(|map| Facts::read(map, policy.vocabulary()).unwrap());
    let input = if let Some(severity) = &step.severity {
        Input::Severity(Some(severity.parse().unwrap()))
    } else if let Some(facts) = &facts {
        Input::Facts(facts)
    } else if let Some(stop_gap) = &step.stop_gap {
        Input::StopGap(stop_gap.parse().unwrap())
    } else if let Some(moment) = &step.moment {
        Input::Moment { moment: moment.parse().unwrap(), at: by }
    } else if let Some(moment) = &step.taken_back {
        Input::TakenBack(moment.parse().unwrap())
    } else if let Some(day) = &step.day {
        Input::Day { day: day.parse().unwrap(), at: by }
    } else if let Some(demand) = step.approval {
        Input::Approval { demand, given: true }
    } else if let Some(duty) = &step.acknowledge {
        Input::Acknowledge { duty: duty.parse().unwrap() }
    } else if let Some(duty) = &step.done {
        Input::Done { duty: duty.parse().unwrap() }
    } else {
        return None;
    };
    Some(agenda.take(policy, at, input))
}

struct Seen<'c> {
    case: &'c Case,
    place: String,
    faults: Vec<String>,
}

impl Seen<'_> {
    fn is_of(&self, id: &str) -> bool {
        self.case.of.is_empty() || self.case.of.iter().any(|of| of == id)
    }

    fn compare(&mut self, what: &str, expected: &[String], got: &[String]) {
        if expected != got {
            self.faults.push(format!("{}: {what}: {got:?}, not {expected:?}", self.place));
        }
    }

    fn replan(&mut self, expected: &[String], replan: &Replan) {
        let changes = json!(replan.changes);
        let told: Vec<String> = changes
            .as_array()
            .unwrap()
            .iter()
            .filter(|change| self.is_of(change["id"].as_str().unwrap()))
            .map(|change| {
                let mut told = format!(
                    "{} {}",
                    change["changed"].as_str().unwrap(),
                    change["id"].as_str().unwrap()
                );
                for (key, word) in [("was", "from"), ("due", "to")] {
                    if let Some(at) = change.get(key) {
                        let _ = write!(told, " {word} {}", offset(at));
                    }
                }
                told
            })
            .collect();
        self.compare("changes", expected, &told);
    }

    /// An item as a case has it: its id, and when it is due where the case says so.
    fn list(&mut self, name: &str, expected: &[String], duties: &Value) {
        let items = duties[name].as_array().unwrap().iter();
        let items = items.filter(|item| self.is_of(item["id"].as_str().unwrap()));
        let timed = expected.iter().map(|item| item.contains(' ')).chain(std::iter::repeat(true));
        let got: Vec<String> = items
            .zip(timed)
            .map(|(item, with_time)| {
                let id = item["id"].as_str().unwrap();
                let time = if name == "done" { &item["settled"]["at"] } else { &item["due"] };
                if with_time && !time.is_null() {
                    format!("{id} {}", offset(time))
                } else {
                    id.to_owned()
                }
            })
            .collect();
        self.compare(name, expected, &got);
    }

    fn item(&mut self, id: &str, expected: &Map<String, Value>, duties: &Value) {
        let items = LISTS.iter().flat_map(|list| duties[list].as_array().unwrap());
        let Some(item) = items.into_iter().find(|item| item["id"] == id) else {
            self.faults.push(format!("{}: no item {id}", self.place));
            return;
        };
        for (pointer, expected) in expected {
            let got = item.pointer(pointer).unwrap_or(&Value::Null);
            let same = match (expected, got) {
                (Value::String(expected), Value::String(got)) => got.contains(expected),
                (Value::Number(expected), Value::Number(got)) => expected.as_f64() == got.as_f64(),
                // A count of none is left out.
                (Value::Number(expected), Value::Null) => expected.as_u64() == Some(0),
                _ => expected == got,
            };
            if !same {
                self.faults.push(format!("{}: {id}{pointer}: {got}, not {expected}", self.place));
            }
        }
    }
}

fn run(case: &Case, preset: Option<&str>) -> Vec<String> {
    let policy = match (&case.house, preset) {
        (Some(house), _) => Policy::from_toml(house).unwrap_or_else(|e| panic!("{}: {e}", case.id)),
        (None, Some(preset)) => Policy::preset(preset).unwrap(),
        (None, None) => panic!("{}: under no policy", case.id),
    };
    let mut agenda = Agenda::new(&policy);
    let mut seen = Seen { case, place: String::new(), faults: Vec::new() };
    for (number, step) in case.steps.iter().enumerate() {
        let at = moment(&step.at);
        seen.place = format!("{}, step {number} at {}", case.id, step.at);
        match (take(&mut agenda, &policy, step), &step.refused) {
            (Some(Err(refusal)), Some(code)) if refusal.code() == code => {}
            (Some(Err(refusal)), _) => seen.faults.push(format!("{}: {refusal}", seen.place)),
            (Some(Ok(replan)), None) => {
                if let Some(expected) = &step.changes {
                    seen.replan(expected, &replan);
                }
            }
            (_, Some(code)) => seen.faults.push(format!("{}: not refused by {code}", seen.place)),
            (None, None) => {}
        }
        let said = agenda.advance(at).to_vec();
        let said: Vec<String> = said
            .iter()
            .filter(|said| seen.is_of(said.id.as_str()))
            .map(|said| format!("{} {}", said.asked, said.id))
            .collect();
        if let Some(expected) = &step.said {
            seen.compare("said", expected, &said);
        }
        let duties = json!(agenda.duties(&policy, at));
        let lists =
            [&step.due, &step.overdue, &step.next, &step.later, &step.undated, &step.done_list];
        for (name, expected) in LISTS.iter().zip(lists) {
            if let Some(expected) = expected {
                seen.list(name, expected, &duties);
            }
        }
        for (id, expected) in &step.items {
            seen.item(id, expected, &duties);
        }
        if let Some(expected) = &step.next_moment {
            let got = agenda.next_moment(at).map_or("never".to_owned(), |at| offset(&json!(at)));
            seen.compare("next moment", std::slice::from_ref(expected), &[got]);
        }
    }
    seen.faults
}

#[test]
fn time_1_every_case_comes_out_as_it_says() {
    let folder = tree::root().join("hotfix-core/tests/cases/time");
    let mut faults = Vec::new();
    let mut count = 0;
    for path in tree::files(&folder, &|path| path.extension().is_some_and(|kind| kind == "toml")) {
        let file: File = toml::from_str(&tree::read(&path))
            .unwrap_or_else(|error| panic!("{}: {error}", tree::shown(&path)));
        count += file.case.len();
        faults.extend(file.case.iter().flat_map(|case| run(case, file.policy.as_deref())));
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
    assert!(count >= 40, "only {count} cases");
}
