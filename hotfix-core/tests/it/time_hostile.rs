//! Times and policies that nobody would write on purpose (TIME-1 to TIME-3): nothing panics, nothing is forgotten.

use hotfix_core::deadline::{Agenda, Duties, Input};
use hotfix_core::grade::{Calendar, Moment, Severity};
use hotfix_core::policy::Policy;
use hotfix_core::unit::{Span, Timestamp};
use serde_json::{Value, json};

use crate::time_common::{self, with_duties};

fn first() -> Timestamp {
    "0001-01-01T00:00:00.000Z".parse().unwrap()
}

fn last() -> Timestamp {
    "9999-12-31T23:59:59.999Z".parse().unwrap()
}

fn duty(id: usize, kind: &str, within: &str) -> Value {
    let mut duty = json!({
        "id": format!("duty_{id}"), "kind": kind, "title": "t", "from": "detected", "within": within,
    });
    if kind == "escalate" {
        duty["level"] = json!(id + 1);
    }
    duty
}

fn every(id: usize, within: &str, every: &str) -> Value {
    let mut duty = duty(id, "update", within);
    duty["every"] = json!(every);
    duty
}

fn count(duties: &Duties<'_>) -> usize {
    let Duties { due, overdue, next, later, undated, done, .. } = duties;
    [due, overdue, next, later, undated, done].iter().map(|list| list.len()).sum()
}

/// One of each kind of time, under `standard`'s objective and report.
fn policy() -> Policy {
    with_duties(&json!([
        duty(0, "fix", "10000d"),
        duty(1, "escalate", "0s"),
        duty(2, "escalate", "10000d"),
        every(3, "0s", "1ms"),
        every(4, "10000d", "10000d"),
        duty(5, "notify", "next_sprint"),
        duty(6, "page", "1ms"),
    ]))
}

fn told(policy: &Policy, detected: Timestamp) -> Agenda {
    let mut agenda = Agenda::new(policy);
    agenda.take(policy, detected, Input::Severity(Some(Severity::P0))).unwrap();
    let moment = Input::Moment { moment: Moment::Detected, at: detected };
    agenda.take(policy, detected, moment).unwrap();
    agenda
}

#[test]
fn time_3_the_ends_of_time_are_times_like_others() {
    let policy = policy();
    for detected in [first(), Timestamp::default(), last() - Span::from_millis(1), last()] {
        for at in [first(), Timestamp::default(), last() - Span::from_millis(1), last()] {
            let mut agenda = told(&policy, detected);
            let day = Input::Day { day: Calendar::NextSprint, at: last() };
            agenda.take(&policy, at, day).unwrap();
            agenda.advance(at);
            let known = count(&agenda.duties(&policy, at));
            for duty in 0..7 {
                let duty = format!("duty_{duty}").parse().unwrap();
                let _ = agenda.take(&policy, at, Input::Acknowledge { duty });
                let _ = agenda.take(&policy, at, Input::Done { duty });
                let _ = agenda.take(&policy, last(), Input::Done { duty });
            }
            agenda.advance(last());
            assert_eq!(count(&agenda.duties(&policy, at)), known);
            assert_eq!(count(&agenda.duties(&policy, first())), known);
            assert!(agenda.next_moment(at).is_none_or(|next| next > at));
            assert_eq!(agenda.next_moment(last()), None);
        }
    }
}

#[test]
fn time_2_what_is_repeated_every_millisecond_is_counted_not_listed() {
    let policy = policy();
    let mut agenda = told(&policy, first());
    agenda.advance(last());
    let duties = agenda.duties(&policy, last());
    let item = duties.overdue.iter().find(|item| item.id.as_str() == "duty_3").unwrap();
    assert_eq!(item.missed, last().since(first()).as_millis());
    let duty = item.id;
    agenda.take(&policy, last(), Input::Done { duty }).unwrap();
    let duties = agenda.duties(&policy, last());
    // There is no later time at which it could be due.
    assert!(duties.done.iter().any(|item| item.id == duty), "{duties:?}");
}

#[test]
fn time_3_a_clock_that_steps_back_takes_nothing_back() {
    let policy = policy();
    let at = time_common::start();
    let mut agenda = told(&policy, at);
    let later = at + Span::from_seconds(3_600);
    let said = agenda.advance(later).len();
    assert!(said > 0);
    assert!(agenda.advance(at).is_empty(), "nothing is said twice");
    assert_eq!(agenda.now(), Some(later));
    let duty = "duty_0".parse().unwrap();
    agenda.take(&policy, at, Input::Done { duty }).unwrap();
    let duties = agenda.duties(&policy, later);
    let item = duties.done.iter().find(|item| item.id == duty).unwrap();
    assert_eq!(item.settled.unwrap().at, later);
}

/// An agenda asked with a policy that it was not made from has no texts, and does not panic.
#[test]
fn time_3_another_policy_than_its_own_is_survived() {
    let enterprise = Policy::preset("enterprise").unwrap();
    let other = with_duties(&json!([]));
    let at = time_common::start();
    let agenda = told(&enterprise, at);
    let (own, others) = (agenda.duties(&enterprise, at), agenda.duties(&other, at));
    assert_eq!(count(&own), count(&others));
    let mut agenda = Agenda::new(&other);
    let facts = hotfix_core::fact::Facts::default();
    agenda.take(&enterprise, at, Input::Facts(&facts)).unwrap();
    let far = Input::Approval { demand: usize::MAX, given: true };
    agenda.take(&enterprise, at, far).unwrap();
}

#[test]
fn time_3_thousands_of_duties() {
    let kinds = ["fix", "escalate", "notify", "page", "write", "follow_up"];
    // As many as a text of 1 MiB has room for.
    let duties: Vec<Value> = (0..9_950)
        .map(|id| {
            let within = &format!("{}min", id % 500);
            if id % 7 == 0 {
                every(id, within, "5min")
            } else {
                let mut duty = duty(id, kinds[id % kinds.len()], within);
                if id % 3 == 0 {
                    // Ladders by the hundred.
                    let above = 1.0 - (id % 400) as f64 / 1_000.0;
                    duty["when"] = json!({ "fact": "users_affected", "above": above });
                }
                duty
            }
        })
        .collect();
    let policy = with_duties(&Value::Array(duties));
    let at = time_common::start();
    let mut agenda = told(&policy, at);
    let mut said = agenda.advance(at).len();
    let mut at = at;
    let mut steps = 0;
    while let Some(next) =
        agenda.next_moment(at).filter(|next| *next < at + Span::from_seconds(7_200))
    {
        at = next;
        said += agenda.advance(at).len();
        steps += 1;
        if steps == 300 {
            break;
        }
    }
    assert!(said > 3_000, "{said} in {steps}");
    let duties = agenda.duties(&policy, at);
    assert!(count(&duties) >= 9_950, "{}", count(&duties));
    let mut ids: Vec<_> = [&duties.due, &duties.overdue, &duties.next, &duties.later, &duties.done]
        .into_iter()
        .flatten()
        .map(|item| item.id)
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len() + duties.undated.len(), count(&duties));
}

/// TIME-4: roles that stand in for each other in a circle end somewhere.
#[test]
fn time_4_stand_ins_in_a_circle() {
    let policy = Policy::from_toml(
        "name = 'house'\nextends = 'enterprise'\n\
         [roles.engineering_lead]\nstand_ins = ['on_call_engineer', 'engineering_lead']\n\
         [roles.on_call_engineer]\nstand_ins = ['engineering_lead', 'nobody']\n",
    )
    .unwrap();
    let at = time_common::start();
    let agenda = told(&policy, at);
    let duties = agenda.duties(&policy, at);
    let rung = duties.due.iter().find(|item| item.id.as_str() == "p0_on_call").unwrap();
    assert_eq!(rung.who.as_ref().unwrap().stand_in, None);
    assert!(rung.notes[0].contains("name somebody"), "{:?}", rung.notes);
}
