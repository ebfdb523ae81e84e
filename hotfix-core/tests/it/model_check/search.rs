//! Breadth-first search: every sequence of inputs up to a depth, from the beginning and from each state of a few stories.
//!
//! Our own hundred lines and not a crate: a search that clones the machine itself needs no encoding of its state as a
//! hashable value with `next_state` beside it, hands out the outcomes that the page of the states is made of, and adds
//! nothing to the build. What a checker like stateright adds, liveness over cycles and a parallel search, is not what
//! these laws need: they bound the time in which something must have happened.

use std::collections::{BTreeMap, VecDeque};

use crate::model::alphabet::{Move, told};
use crate::model::key::Key;
use crate::model::laws::{Breach, Taken, check_duties, key_of, of_state, step};
use crate::model::machine::Machine;
use crate::model::past::Past;

/// A law that was broken, and the inputs that lead there.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) breach: Breach,
    pub(crate) path: Vec<Move>,
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} after {} inputs: {}", self.breach, self.path.len(), told(&self.path))
    }
}

/// What a search has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) starts: usize,
    pub(crate) states: usize,
    pub(crate) transitions: usize,
    /// Transitions that led to a state that was known.
    pub(crate) known: usize,
}

struct Node<M> {
    machine: M,
    past: Past,
    place: usize,
    left: usize,
}

/// Plays every sequence of `depth` inputs from the beginning and `around` inputs from each state of the stories, and shows
/// each transition to `see`.
///
/// # Errors
/// The first law that is broken, by the shortest sequence from the beginning, or from a state of a story.
pub(crate) fn search<M: Machine>(
    start: &M,
    depth: (usize, usize),
    see: impl FnMut(&M, Move, &Taken<M>),
) -> Result<Extent, Found> {
    search_from((start, &Past::default()), depth, see)
}

/// One of so many states at the edge of the normal search is played to its end; of the others all are.
const PLAYED: u128 = 4;

/// The same for a machine to which something has happened.
///
/// # Errors
/// As [`search`].
pub(crate) fn search_from<M: Machine>(
    (start, began): (&M, &Past),
    (depth, around): (usize, usize),
    mut see: impl FnMut(&M, Move, &Taken<M>),
) -> Result<Extent, Found> {
    let all = depth + around > 5;
    let mut extent = Extent::default();
    // How each state was reached: the state before, and the input.
    let mut ways: Vec<Option<(usize, Move)>> = Vec::new();
    // How many inputs have been, or will be, played from a state.
    let mut known: BTreeMap<Key, (usize, usize)> = BTreeMap::new();
    let mut open: VecDeque<Node<M>> = VecDeque::new();
    let path = |ways: &[Option<(usize, Move)>], mut place: usize, last: Option<Move>| {
        let mut moves: Vec<Move> = last.into_iter().collect();
        while let Some((before, by)) = ways[place] {
            moves.push(by);
            place = before;
        }
        moves.reverse();
        moves
    };
    let mut begin =
        |machine: M, past: Past, way, left: usize, ways: &mut Vec<_>, open: &mut VecDeque<_>| {
            let key = key_of(&machine, &past);
            if let Some((place, known_left)) = known.get(&key).copied()
                && known_left >= left
            {
                return (place, false);
            }
            let place = ways.len();
            ways.push(way);
            known.insert(key, (place, left));
            open.push_back(Node { machine, past, place, left });
            (place, true)
        };
    // The deepest searches first, so that a state is not met with less left and again with more.
    let (first, _) = begin(start.clone(), began.clone(), None, depth, &mut ways, &mut open);
    for story in stories() {
        let (mut machine, mut past, mut place) = (start.clone(), began.clone(), first);
        for by in story {
            let Some(by) = resolve(by, &machine) else { break };
            let taken = match step(&machine, &past, by) {
                Ok(Some(taken)) => taken,
                Ok(None) => break,
                Err(breach) => return Err(Found { breach, path: path(&ways, place, Some(by)) }),
            };
            (machine, past) = (taken.machine, taken.past);
            (place, _) = begin(
                machine.clone(),
                past.clone(),
                Some((place, by)),
                around,
                &mut ways,
                &mut open,
            );
        }
    }
    extent.starts = open.len();
    while let Some(node) = open.pop_front() {
        extent.states += 1;
        let found = |breach, by| Found { breach, path: path(&ways, node.place, by) };
        let played = all || node.left > 0 || key_of(&node.machine, &node.past) % PLAYED == 0;
        let state = if played { of_state } else { check_duties };
        state(&node.machine, &node.past).map_err(|breach| found(breach, None))?;
        if node.left == 0 {
            continue;
        }
        for by in Move::all(&node.machine, &node.past) {
            let taken = step(&node.machine, &node.past, by);
            let found = |breach| Found { breach, path: path(&ways, node.place, Some(by)) };
            let Some(taken) = taken.map_err(found)? else { continue };
            extent.transitions += 1;
            see(&node.machine, by, &taken);
            if taken.outcome.is_err() {
                continue;
            }
            let way = Some((node.place, by));
            let (_, is_new) =
                begin(taken.machine, taken.past, way, node.left - 1, &mut ways, &mut open);
            extent.known += usize::from(!is_new);
        }
    }
    Ok(extent)
}

/// Leaves out whatever the breach does not need: no single input of what is left can be spared.
pub(crate) fn shortest<M: Machine>(start: &M, found: Found) -> Found {
    let mut found = found;
    'shorter: loop {
        for leave in (0..found.path.len()).rev() {
            let mut path = found.path.clone();
            path.remove(leave);
            if let Some(again) = replay(start, &path)
                && again.breach.law == found.breach.law
            {
                found = again;
                continue 'shorter;
            }
        }
        return found;
    }
}

/// Plays a sequence up to the first law that it breaks.
pub(crate) fn replay<M: Machine>(start: &M, path: &[Move]) -> Option<Found> {
    let (mut machine, mut past) = (start.clone(), Past::default());
    for (place, by) in path.iter().enumerate() {
        let found = |breach| Found { breach, path: path[..=place].to_vec() };
        match step(&machine, &past, *by) {
            Err(breach) => return Some(found(breach)),
            Ok(None) => return None,
            Ok(Some(taken)) => (machine, past) = (taken.machine, taken.past),
        }
        if let Err(breach) = of_state(&machine, &past) {
            return Some(found(breach));
        }
    }
    None
}

/// A step of a story.
#[derive(Clone, Copy)]
pub(crate) enum Told {
    Say(&'static str),
    /// Everything that is pending is confirmed; ends the story's need for more of them.
    Confirm,
    Fail,
    Poll,
    Resolved,
}

fn resolve(step: Told, machine: &impl Machine) -> Option<Move> {
    let pending = |failed| {
        // A story goes on where nothing is pending: with a look, which changes least.
        if machine.pending().is_empty() {
            Move::say("tick at once")
        } else {
            Move::Pending { place: 0, failed }
        }
    };
    Some(match step {
        Told::Say(name) => Move::say(name),
        Told::Confirm => pending(false),
        Told::Fail => pending(true),
        Told::Resolved => Move::Resolved { taken_back: false },
        Told::Poll => machine.poll_at().map(|_| Move::AtPoll)?,
    })
}

/// Ways through the whole life of a rollout, whose every state is a place to search from.
fn stories() -> Vec<Vec<Told>> {
    use Told::{Confirm, Fail, Poll, Resolved, Say};
    let ready = [Say("approve"), Say("check the item"), Say("start")];
    let phase = [Confirm, Confirm, Say("observe good"), Say("observe good"), Poll, Say("promote")];
    let mut complete: Vec<Told> = ready.to_vec();
    for _ in 0..3 {
        complete.extend(phase);
    }
    complete.extend([Say("observe good"), Say("observe good"), Say("promote")]);
    let after_start = |steps: &[Told]| [&ready[..], steps].concat();
    vec![
        [&complete[..], &[Poll, Fail, Say("promote"), Confirm]].concat(),
        // A person ends a watch that a person has kept open.
        [&complete[..], &[Say("hold"), Poll]].concat(),
        // What was superseded ends late: while the next attempt is watched, and when it was aborted.
        after_start(&[
            Confirm,
            Say("supersede"),
            Confirm,
            Say("check the item"),
            Say("approve"),
            Say("start"),
            Confirm,
            Confirm,
            Say("abort"),
            Confirm,
            Poll,
        ]),
        // The same after a deployment that failed.
        after_start(&[Say("supersede"), Say("check the item"), Say("approve"), Say("start"), Fail]),
        after_start(&[
            Confirm,
            Confirm,
            Say("observe good"),
            Say("observe the live arm"),
            Say("roll back"),
            Confirm,
            Say("observe the live arm"),
            Say("observe the live arm"),
            Poll,
        ]),
        after_start(&[Confirm, Say("report: roll_back"), Fail, Fail, Say("roll back"), Confirm]),
        // The traffic stays where nothing could roll it back, before the next start, too.
        after_start(&[
            Confirm,
            Confirm,
            Say("roll back"),
            Fail,
            Fail,
            Fail,
            Say("supersede"),
            Say("check the item"),
            Say("approve"),
        ]),
        after_start(&[
            Confirm,
            Confirm,
            Say("set P0"),
            Say("pause"),
            Say("tick soon"),
            Say("resume"),
        ]),
        // The incident is resolved while a phase is watched, and what it does is stated after that.
        after_start(&[
            Resolved,
            Confirm,
            Confirm,
            Say("observe good"),
            Say("set facts"),
            Say("observe good"),
            Poll,
            Resolved,
            Say("promote"),
        ]),
        // It is deployed in a pause.
        after_start(&[Say("pause"), Confirm, Say("resume"), Confirm]),
    ]
}
