//! The model check: small policies of every strategy, every sequence of inputs to a depth, and the laws that none may break
//! (ROLL-1, ROLL-3, ROLL-4, ROLL-5).
//!
//! `HOTFIX_MODEL_DEPTH=3,2` searches deeper than the normal run: three inputs from the beginning, two from each state of
//! the stories. `make model` does that, and compares `docs/rollout.md` with what was seen. `4,3` takes hours.

mod broken;
mod page;
mod search;

use std::collections::BTreeMap;

use hotfix_core::grade::Strategy;
use hotfix_core::plan::Plan;
use hotfix_core::rollout::{Action, Command, Input};
use hotfix_core::unit::{Span, Timestamp};

use broken::{Broken, Fault};
use page::Seen;
use search::{Extent, Found, search, search_from, shortest};

use crate::model;
use crate::model::alphabet::Move;
use crate::model::laws::{Taken, key_of, step, take};
use crate::model::machine::{Machine, Real};
use crate::model::past::Past;
use crate::tree;

const PAGE: &str = "docs/rollout.md";

/// How deep the normal run searches: from the beginning, and from each state of the stories.
const DEPTH: (usize, usize) = (2, 1);

/// How deep the run searches that the page is about.
const DEPTH_OF_PAGE: (usize, usize) = (3, 2);

/// What each has to see at least, for each strategy.
const LEAST: Extent = Extent { starts: 30, states: 500, transitions: 1_500, known: 0 };
const LEAST_OF_PAGE: Extent = Extent { starts: 30, states: 5_000, transitions: 15_000, known: 0 };

fn depth() -> (usize, usize) {
    let Ok(text) = std::env::var("HOTFIX_MODEL_DEPTH") else { return DEPTH };
    let (depth, around) = text.split_once(',').expect("HOTFIX_MODEL_DEPTH=3,2");
    (depth.parse().expect("a number"), around.parse().expect("a number"))
}

type Watched = Result<(Extent, Seen), Found>;

fn watch(plan: Plan, depth: (usize, usize)) -> Watched {
    let mut seen = Seen::default();
    let start = Real::new(plan);
    let extent = search(&start, depth, |before, by, taken| {
        let outcome = match &taken.outcome {
            Ok(actions) => Ok((taken.machine.state(), actions.as_slice())),
            Err(refused) => Err(refused.code.as_str()),
        };
        seen.note(before.state(), by.kind(), outcome);
    });
    let extent = extent.map_err(|found| shortest(&start, found))?;
    Ok((extent, seen))
}

#[test]
fn roll_1_no_sequence_breaks_a_law_and_the_page_says_what_was_seen() {
    let each = Strategy::ALL.iter().map(|strategy| (*strategy, ""));
    let failing = model::policies::ON_FAILURE.map(|rollback| (Strategy::Canary, rollback));
    let policies: Vec<(Strategy, &'static str)> = each.chain(failing).collect();
    // As many at once as there are cores: a deep search keeps gigabytes of machines that are still to be gone on from.
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut results: Vec<(String, Watched)> = Vec::new();
    for some in policies.chunks(cores) {
        std::thread::scope(|scope| {
            let search = |(strategy, rollback): &(Strategy, &'static str)| {
                let name = format!("{strategy} {}", rollback.trim()).trim_end().to_owned();
                let (strategy, rollback) = (*strategy, *rollback);
                (
                    name,
                    scope.spawn(move || {
                        watch(model::policies::plan_with(strategy, rollback), depth())
                    }),
                )
            };
            let threads: Vec<_> = some.iter().map(search).collect();
            results.extend(threads.into_iter().map(|(s, t)| (s, t.join().expect("no panic"))));
        });
    }
    let mut all = Seen::default();
    let mut broken = Vec::new();
    for (strategy, result) in results {
        match result {
            Ok((extent, seen)) => {
                let Extent { starts, states, transitions, known } = extent;
                println!(
                    "{strategy}: {states} states, {transitions} transitions ({known} to known states), \
                     {} deep from the beginning and {} from each of {starts} states",
                    depth().0,
                    depth().1,
                );
                let least = if depth() == DEPTH { LEAST } else { LEAST_OF_PAGE };
                assert!(starts >= least.starts, "{strategy}: the stories have become shorter");
                assert!(states >= least.states, "{strategy}: fewer states than ever");
                assert!(transitions >= least.transitions, "{strategy}: fewer transitions");
                all.join(seen);
            }
            Err(found) => broken.push(format!("{strategy}: {found}")),
        }
    }
    // Where there is no release yet, nothing that the stories begin with is accepted.
    match watch(model::policies::plan_without_release(), (depth().0, 0)) {
        Ok((_, seen)) => all.join(seen),
        Err(found) => broken.push(format!("without a release: {found}")),
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    if depth() != DEPTH_OF_PAGE {
        return;
    }
    let differences = all.differences();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    let states = tree::read(&tree::root().join("hotfix-core/src/rollout/stage.rs"));
    let page = tree::read(&tree::root().join(PAGE));
    let page = between(&page, "diagram", &format!("```mermaid\n{}```\n", all.mermaid()));
    let page = between(&page, "states", &all.tables(|state| page::meaning(&states, state)));
    tree::committed(PAGE, &page);
    // Drawn and read back by `make trees`.
    tree::committed("hotfix-core/tests/golden/rollout/states.mmd", &all.mermaid());
}

/// The page with what stands between two marks written anew.
fn between(page: &str, what: &str, new: &str) -> String {
    let (open, close) = (format!("<!-- {what} -->\n"), format!("<!-- end of {what} -->"));
    let (before, rest) = page.split_once(&open).expect("the page has the opening mark");
    let (_, after) = rest.split_once(&close).expect("the page has the closing mark");
    format!("{before}{open}\n{new}\n{close}{after}")
}

#[test]
fn roll_1_the_check_finds_each_broken_rule() {
    let mut missed = Vec::new();
    for (fault, law) in Fault::ALL {
        let found = Strategy::ALL.iter().find_map(|strategy| {
            let machine = Broken::new(model::policies::plan(*strategy), fault);
            let deeper = [(1, 0), DEPTH, DEPTH_OF_PAGE];
            let mut searches = deeper.iter().map(|depth| search(&machine, *depth, |_, _, _| {}));
            let found = searches.find_map(Result::err)?;
            Some((strategy, shortest(&machine, found)))
        });
        match found {
            Some((strategy, found)) => {
                println!("{fault:?}, {strategy}: {found}");
                if found.breach.law != law {
                    missed.push(format!("{fault:?} breaks {law:?}, and found is {found}"));
                }
            }
            None => missed.push(format!("{fault:?} is not found")),
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// What came of a move, but for times and ids.
#[derive(Debug, PartialEq)]
struct Answer {
    actions: Result<Vec<&'static str>, String>,
    poll: Option<i64>,
    key: u128,
}

impl Answer {
    fn new(taken: &Taken<Real>) -> Self {
        let kinds = |actions: &Vec<Action>| actions.iter().map(|a| page::kind(&a.act)).collect();
        let millis = |at: Timestamp| at.as_millis();
        let now = taken.machine.now().map_or(0, millis);
        Self {
            actions: taken.outcome.as_ref().map(kinds).map_err(|refused| refused.code.clone()),
            poll: taken.machine.poll_at().map(|at| millis(at) - now),
            key: key_of(&taken.machine, &taken.past),
        }
    }
}

/// Two states with one key answer everything alike, whatever the way to them.
#[test]
fn roll_1_states_that_count_as_one_behave_as_one() {
    let start = Real::new(model::policies::plan(Strategy::Canary));
    let mut first: BTreeMap<u128, (Real, Past)> = BTreeMap::new();
    let (mut met, mut compared) = (0_usize, 0_usize);
    let extent = search(&start, (depth().0, 1), |_, _, taken| {
        let key = key_of(&taken.machine, &taken.past);
        let Some((machine, past)) = first.get(&key) else {
            first.insert(key, (taken.machine.clone(), taken.past.clone()));
            return;
        };
        met += 1;
        if met % 8 != 0 && machine.now() == taken.machine.now() {
            return;
        }
        compared += 1;
        for by in Move::all(machine, past) {
            let answer = |machine: &Real, past: &Past| {
                step(machine, past, by).expect("no law is broken").as_ref().map(Answer::new)
            };
            assert_eq!(answer(machine, past), answer(&taken.machine, &taken.past), "{by}");
        }
    });
    assert!(extent.is_ok() && compared > 100, "{extent:?}, {compared} of {met}");
    println!("{compared} pairs of {met}");
}

/// Later, and with more lines before it, everything goes the same way: neither the time nor the number of a line matters.
#[test]
fn roll_1_neither_the_clock_nor_the_number_of_lines_matters() {
    let run = |later: u32, notes: usize| {
        let mut start = Real::new(model::policies::plan(Strategy::FeatureFlag));
        let at = model::alphabet::start() + Span::from_seconds(later);
        let note = Input::new(Command::Note { text: "before".to_owned(), why: None }).by("omar");
        let mut past = Past::default();
        for _ in 0..notes {
            let taken = take(&start, &past, at, &note).expect("a note breaks no law");
            (start, past) = (taken.machine, taken.past);
        }
        let mut answers = Vec::new();
        let see = |_: &Real, by: Move, taken: &Taken<Real>| answers.push((by, Answer::new(taken)));
        search_from((&start, &past), (2, 1), see).expect("no law is broken");
        answers
    };
    // The first line opens the case and calls somebody; from the second on a remark changes nothing.
    let (one, other) = (run(0, 2), run(4_021, 4));
    assert!(one.len() > 1_500 && one.len() == other.len(), "{} and {}", one.len(), other.len());
    for (one, other) in one.iter().zip(&other) {
        assert_eq!(one, other);
    }
}
