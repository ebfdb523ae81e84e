//! Laws of the agenda under made-up policies and courses of events (TIME-1 to TIME-3).

use std::collections::{BTreeMap, BTreeSet};

use hotfix_core::deadline::{Agenda, Asked, Duties, Input, Settlement};
use hotfix_core::fact::Truth;
use hotfix_core::grade::{Calendar, DutyKind, Moment, Severity};
use hotfix_core::policy::Policy;
use hotfix_core::policy::section::Duty;
use hotfix_core::unit::{Span, Timestamp};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use serde_json::json;

use crate::time_common::{Course, Happening, course, happenings, policy, start, with_duties};

/// Where each item stands: its list and occurrence.
fn places(duties: &Duties<'_>) -> BTreeMap<String, Vec<(&'static str, Option<u64>)>> {
    let mut places: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for (list, items) in [
        ("due", &duties.due),
        ("overdue", &duties.overdue),
        ("next", &duties.next),
        ("later", &duties.later),
        ("undated", &duties.undated),
        ("done", &duties.done),
    ] {
        for item in items {
            places
                .entry(item.id.to_string())
                .or_default()
                .push((list, item.occurrence.map(|n| n + item.missed)));
        }
    }
    places
}

/// The agenda after each happening, `visit`ed with its time.
fn live(
    policy: &Policy,
    course: &[(u32, Happening)],
    mut visit: impl FnMut(&mut Agenda, &Known, Timestamp),
) -> Agenda {
    let mut agenda = Agenda::new(policy);
    let mut known = Known::default();
    let mut at = start();
    for (minutes, happening) in course {
        at = at + Span::from_seconds(60 * minutes);
        if happening.take(&mut agenda, policy, at).is_ok() {
            known.fold(happening);
        }
        agenda.advance(at);
        visit(&mut agenda, &known, at);
    }
    agenda
}

/// What a reader knows who has heard the same: which duties apply.
#[derive(Default)]
struct Known {
    severity: Option<Severity>,
    down: Option<bool>,
    was_down: bool,
    stop_gap: Option<bool>,
}

impl Known {
    fn fold(&mut self, happening: &Happening) {
        match happening {
            Happening::Severity(severity) => self.severity = Some(*severity),
            Happening::Down(down) => {
                self.down = *down;
                self.was_down |= *down == Some(true);
            }
            Happening::StopGap(stop_gap) => self.stop_gap = *stop_gap,
            _ => {}
        }
    }

    fn applies(&self, policy: &Policy, id: &str) -> bool {
        let duty = policy.duties().iter().find(|duty| duty.id.as_str() == id).unwrap();
        let severity = match self.severity {
            Some(severity) => duty.is_for(severity),
            None => duty.severities.is_empty(),
        };
        severity && self.is_wanted(duty)
    }

    /// The only condition that is made up is that the service is down.
    fn is_wanted(&self, duty: &Duty) -> bool {
        let is_about_now = matches!(
            duty.kind,
            DutyKind::Notify
                | DutyKind::Update
                | DutyKind::Page
                | DutyKind::Escalate
                | DutyKind::Act
        );
        // What follows a deployment is not undone by a recovery.
        let stays = self.was_down && !is_about_now && duty.from >= Moment::Deployed;
        let unwanted = duty.when.is_some() && self.down == Some(false) && !stays;
        !(unwanted || duty.stop_gap && self.stop_gap == Some(false))
    }

    /// A more severe deployment that came under it may have postponed it.
    fn may_outlast(&self, duty: &Duty) -> bool {
        let moments =
            [Moment::DeployStarted, Moment::Deployed, Moment::Verified, Moment::RolledBack];
        let calls = matches!(duty.kind, DutyKind::Page | DutyKind::Escalate);
        self.is_wanted(duty)
            && moments.contains(&duty.from)
            && !calls
            && duty.every.is_none()
            && self.severity.is_some_and(|now| duty.severities.iter().any(|of| *of < now))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// TIME-3: no duty is forgotten, none stands twice, and what is not asked for stands there only if it was done.
    #[test]
    fn time_3_each_duty_stands_in_exactly_one_list(policy in policy(), course in course()) {
        live(&policy, &course, |agenda, known, at| {
            for ahead in [0, 1, 7 * 60, 3_600, 90_000] {
                let places = places(&agenda.duties(&policy, at + Span::from_seconds(ahead)));
                for duty in policy.duties() {
                    let lists = places.get(duty.id.as_str()).map_or(&[][..], |lists| lists);
                    if known.applies(&policy, duty.id.as_str()) {
                        assert_eq!(lists.len(), 1, "{}: {lists:?}", duty.id);
                    } else {
                        let done = |(list, _): &(&str, Option<u64>)| *list == "done";
                        let fits = known.may_outlast(duty) || lists.iter().all(done);
                        assert!(fits && lists.len() <= 1, "{}: {lists:?}", duty.id);
                    }
                }
            }
        });
    }

    /// TIME-3: asking changes nothing, and gets the same answer again.
    #[test]
    fn time_3_asking_twice_is_the_same(policy in policy(), course in course()) {
        live(&policy, &course, |agenda, _, at| {
            let before = agenda.clone();
            let first = json!(agenda.duties(&policy, at));
            assert_eq!(first, json!(agenda.duties(&policy, at)));
            assert_eq!(*agenda, before);
        });
    }

    /// TIME-3: a timer for the next moment suffices: nothing changes before it, and something does at it.
    #[test]
    fn time_3_the_next_moment_is_exact(policy in policy(), course in course()) {
        live(&policy, &course, |agenda, _, at| {
            let mut at = at;
            for _ in 0..20 {
                let before = places(&agenda.duties(&policy, at));
                let Some(next) = agenda.next_moment(at) else {
                    for ahead in [1, 60, 3_600, 86_400, 4_000_000] {
                        let later = agenda.duties(&policy, at + Span::from_seconds(ahead));
                        assert_eq!(places(&later), before);
                    }
                    break;
                };
                assert!(next > at);
                let just_before = next - Span::from_millis(1);
                assert_eq!(places(&agenda.duties(&policy, just_before)), before);
                // Or something is asked for again.
                let again = agenda.clone().advance(next).iter().any(|of| of.asked == Asked::Again);
                assert!(again || places(&agenda.duties(&policy, next)) != before);
                at = next;
            }
        });
    }

    /// ROLL-7: the same inputs at the same times give the same agenda, also where refused ones are left out.
    #[test]
    fn time_3_replay_gives_the_live_agenda(policy in policy(), course in course()) {
        let agenda = live(&policy, &course, |_, _, _| {});
        let again = live(&policy, &course, |_, _, _| {});
        prop_assert_eq!(&agenda, &again);
        let mut replayed = Agenda::new(&policy);
        let mut at = start();
        for (minutes, happening) in &course {
            at = at + Span::from_seconds(60 * minutes);
            let refused = happening.check(&replayed, &policy, at).is_err();
            let before = replayed.clone();
            let taken = happening.take(&mut replayed, &policy, at);
            prop_assert_eq!(taken.is_err(), refused);
            if refused {
                prop_assert_eq!(&before, &replayed);
            }
            replayed.advance(at);
        }
        prop_assert_eq!(agenda, replayed);
    }

    /// TIME-3: what has one time may come in any order.
    #[test]
    fn time_3_the_order_of_equal_times_does_not_matter(
        policy in policy(),
        course in course(),
        order in any::<prop::sample::Index>(),
    ) {
        let agenda = live(&policy, &course, |_, _, _| {});
        let at = agenda.now().unwrap_or(start()) + Span::from_seconds(60);
        let together = [
            Happening::Severity(Severity::P0),
            Happening::Down(Some(true)),
            Happening::StopGap(Some(true)),
            Happening::Moment(Moment::Declared, 0),
            Happening::Moment(Moment::Deployed, 3),
            Happening::Day(Calendar::NextDay, 600),
        ];
        let fold = |happenings: &[Happening]| {
            let mut agenda = agenda.clone();
            for happening in happenings {
                happening.take(&mut agenda, &policy, at).unwrap();
            }
            let said: Vec<_> = agenda.advance(at).to_vec();
            (json!(agenda.duties(&policy, at + Span::from_seconds(600))), said)
        };
        let mut turned = together.clone();
        turned.rotate_left(order.index(together.len()));
        prop_assert_eq!(fold(&together), fold(&turned));
        turned.reverse();
        prop_assert_eq!(fold(&together), fold(&turned));
    }

    /// TIME-3: whatever is due or overdue has been said once, however late the timer, and nothing is said of the rest.
    /// What is repeated was said in its present interval: if it is done late, the next one is not asked for at once.
    #[test]
    fn time_3_each_is_announced_once(policy in policy(), course in course()) {
        let mut agenda = Agenda::new(&policy);
        let mut at = start();
        let mut said: BTreeSet<(String, u64, Asked)> = BTreeSet::new();
        let (mut last_said, mut raised) = (BTreeMap::new(), BTreeMap::new());
        let (mut facts, mut lapsed) = (Known::default(), BTreeSet::new());
        for (minutes, happening) in &course {
            at = at + Span::from_seconds(60 * minutes);
            // What is taken back or corrected is asked for anew, as are calls where the severity rises with the fix
            // live: that is not this law's matter.
            let rises = matches!(happening, Happening::Severity(_)) && agenda.came(Moment::Deployed).is_some();
            let corrects = matches!(happening, Happening::TakenBack(_) | Happening::Moment(..) | Happening::Day(..));
            let anew = rises || corrects;
            if anew && !said.is_empty() {
                continue;
            }
            if happening.take(&mut agenda, &policy, at).is_ok() {
                facts.fold(happening);
            }
            // One that stops to apply and applies again is asked for with its next interval.
            let ids = policy.duties().iter().map(|duty| duty.id.to_string());
            lapsed.extend(ids.filter(|id| last_said.contains_key(id) && !facts.applies(&policy, id)));
            for announced in agenda.advance(at).to_vec() {
                let key = (announced.id.to_string(), announced.occurrence, announced.asked);
                // Without an answer it is asked for again, after the policy's time.
                if announced.asked == Asked::Again {
                    // It counts from what was done about it: its first announcement, unless its role was paged before,
                    // and the last repetition. That a page has become overdue is no second page.
                    let last = raised.insert(announced.id.to_string(), at).or(announced.called_at);
                    last_said.insert(announced.id.to_string(), at);
                    prop_assert!(last.is_some_and(|last| at >= last + policy.ask_again()));
                    said.insert((announced.id.to_string(), announced.occurrence, Asked::Again));
                    continue;
                }
                // What is repeated is asked for in each interval.
                let repeats = policy.duties().iter().any(|duty| duty.id == announced.id && duty.every.is_some());
                prop_assert!(said.insert(key.clone()) || repeats, "{:?} twice", key);
                last_said.insert(announced.id.to_string(), at);
                if announced.first {
                    raised.insert(announced.id.to_string(), at);
                }
            }
            prop_assert!(agenda.advance(at).is_empty());
            let duties = agenda.duties(&policy, at);
            for (asked, item) in duties.due.iter().map(|item| (Asked::Due, item))
                .chain(duties.overdue.iter().map(|item| (Asked::Overdue, item)))
            {
                let id = item.id.to_string();
                let began = item.every.and_then(|every| match asked {
                    Asked::Due => item.opens,
                    Asked::Overdue | Asked::Again => item.due.map(|due| {
                        due + Span::from_millis(every.as_millis() * item.missed.saturating_sub(1))
                    }),
                });
                let in_interval = last_said.get(&id).zip(began).is_some_and(|(last, began)| *last >= began);
                // A page is made at once, and repeated before and after its time.
                let as_said = [asked, Asked::Again].map(|asked| (id.clone(), item.occurrence.unwrap_or(1), asked));
                let known = in_interval || lapsed.contains(&id) || as_said.iter().any(|key| said.contains(key));
                let called = item.notes.iter().any(|remark| remark.starts_with("already paged"));
                prop_assert!(known || called, "{} is {} unsaid", item.id, asked);
            }
        }
    }

    /// TIME-2: the present occurrence and what was missed, against a list of all occurrences.
    #[test]
    fn time_2_updates_agree_with_a_list_of_all(
        first in 0_u32..90,
        every in 1_u32..40,
        done in prop::collection::btree_set(0_u32..600, 0..12),
    ) {
        let policy = with_duties(&json!([{
            "id": "news", "kind": "update", "title": "news", "from": "detected", "within": 60 * first, "every": 60 * every,
        }]));
        let mut agenda = Agenda::new(&policy);
        let minute = |minute: u32| start() + Span::from_seconds(60 * minute);
        agenda.take(&policy, start(), Input::Moment { moment: Moment::Detected, at: start() }).unwrap();
        let times: Vec<u32> = (0..1_000).map(|number| first + every * number).collect();
        let mut open: Vec<u32> = times;
        for at in 0..600_u32 {
            if done.contains(&at) {
                let (present, opens) = (open[0], open[0].saturating_sub(every));
                let is_first = present == first;
                let taken = agenda.take(&policy, minute(at), Input::Done { duty: "news".parse().unwrap() });
                prop_assert_eq!(taken.is_ok(), is_first || at >= opens, "{}", at);
                if taken.is_ok() {
                    // All that were due by now; or else the one to come.
                    let settled = open.iter().filter(|due| **due <= at).count().max(1);
                    open.drain(..settled);
                }
            }
            let duties = agenda.duties(&policy, minute(at));
            let item = duties.due.iter().chain(&duties.overdue).chain(&duties.next).find(|item| item.id.as_str() == "news").unwrap();
            prop_assert_eq!(item.due, Some(minute(open[0])), "{}", at);
            let missed = open.iter().filter(|due| **due < at).count();
            prop_assert_eq!(item.missed, missed as u64, "{}", at);
            prop_assert_eq!(item.late_by.is_some(), missed > 0);
        }
    }

    /// TIME-1: a rung that was held, answered or over is no more called than one whose time has not come.
    #[test]
    fn time_1_no_rung_is_called_after_an_answer_in_time(
        answer in 0_u32..115,
        asked in 0_u32..119,
    ) {
        let policy = Policy::preset("standard").unwrap();
        let mut agenda = Agenda::new(&policy);
        agenda.take(&policy, start(), Input::Severity(Some(Severity::P0))).unwrap();
        agenda.take(&policy, start(), Input::Moment { moment: Moment::Detected, at: start() }).unwrap();
        let at = start() + Span::from_seconds(60 * answer);
        let called = agenda.advance(at).iter().filter(|said| said.kind.as_str() == "escalate").count();
        let duty = "p0_escalate_on_call".parse().unwrap();
        agenda.take(&policy, at, Input::Acknowledge { duty }).unwrap();
        let later = at + Span::from_seconds(60 * asked.saturating_sub(answer));
        prop_assert!(agenda.advance(later).iter().all(|said| said.kind.as_str() != "escalate"));
        let duties = agenda.duties(&policy, later);
        let answered = duties.done.iter().filter(|item| {
            item.kind == DutyKind::Escalate
                && item.settled.is_some_and(|settled| settled.how == Settlement::Acknowledged)
        });
        prop_assert_eq!(answered.count(), called);
    }
}

/// The happenings that the laws make up do all that there is to do.
#[test]
fn time_3_the_laws_see_every_list_and_refusal() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut lists, mut codes) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..60 {
        let policy = policy().new_tree(&mut runner).unwrap().current();
        let course: Course = happenings(60).new_tree(&mut runner).unwrap().current();
        let mut agenda = Agenda::new(&policy);
        let mut at = start();
        for (minutes, happening) in &course {
            at = at + Span::from_seconds(60 * minutes);
            if let Err(refusal) = happening.take(&mut agenda, &policy, at) {
                codes.insert(refusal.code());
            }
            let duties = agenda.duties(&policy, at);
            lists.extend(places(&duties).into_values().flatten().map(|(list, _)| list));
        }
    }
    assert_eq!(lists.len(), 6, "{lists:?}");
    assert_eq!(codes.len(), 7, "{codes:?}");
    assert_eq!(Truth::ALL.len(), 3);
}
