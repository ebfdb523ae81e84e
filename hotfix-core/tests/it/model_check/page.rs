//! `docs/rollout.md`: the states, what each takes and what follows, as the search saw it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use hotfix_core::rollout::{Act, Action, InputKind, State};

/// What was seen of one input in one state.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Cell {
    /// The states that follow, each with the actions that came with it.
    taken: BTreeMap<&'static str, BTreeSet<Vec<&'static str>>>,
    /// The codes it was refused with.
    refused: BTreeSet<String>,
}

/// All that was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Seen(BTreeMap<(State, InputKind), Cell>);

/// The clock's own refusals can come in every state.
const GENERAL: [&str; 2] = ["HF-ROLL-002", "HF-ROLL-003"];

impl Seen {
    /// Takes note of a transition.
    pub(crate) fn note(
        &mut self,
        from: State,
        input: InputKind,
        outcome: Result<(State, &[Action]), &str>,
    ) {
        let cell = self.0.entry((from, input)).or_default();
        match outcome {
            Ok((to, actions)) => {
                let mut kinds: Vec<&str> = actions.iter().map(|action| kind(&action.act)).collect();
                kinds.dedup();
                cell.taken.entry(to.as_str()).or_default().insert(kinds);
            }
            Err(code) if GENERAL.contains(&code) => {}
            Err(code) => {
                cell.refused.insert(code.to_owned());
            }
        }
    }

    pub(crate) fn join(&mut self, other: Self) {
        for (place, cell) in other.0 {
            let known = self.0.entry(place).or_default();
            for (to, actions) in cell.taken {
                known.taken.entry(to).or_default().extend(actions);
            }
            known.refused.extend(cell.refused);
        }
    }

    fn cell(&self, state: State, input: InputKind) -> Cell {
        self.0.get(&(state, input)).cloned().unwrap_or_default()
    }

    /// Where the table of the code and what was seen differ.
    pub(crate) fn differences(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for &state in State::ALL {
            for &input in InputKind::ALL {
                let cell = self.cell(state, input);
                let (taken, accepts) = (!cell.taken.is_empty(), state.accepts().contains(&input));
                // Their table has conditions of its own: what is pending, and what the policy lets follow the start.
                let conditional = matches!(
                    input,
                    InputKind::Confirm
                        | InputKind::Failed
                        | InputKind::Approve
                        | InputKind::Deny
                        | InputKind::Withdraw
                );
                if cell == Cell::default() {
                    wrong.push(format!("`{input}` was never given in `{state}`"));
                } else if accepts
                    && !taken
                    && !cell.refused.iter().all(|c| c.starts_with("HF-TIME-"))
                {
                    wrong.push(format!("`{input}` was never taken in `{state}`: {cell:?}"));
                } else if taken && !accepts && !conditional {
                    wrong.push(format!("`{input}` was taken in `{state}`, against the table"));
                }
            }
        }
        wrong
    }

    /// The transitions between different states, with the inputs that lead there.
    fn edges(&self) -> BTreeMap<(State, &'static str), Vec<InputKind>> {
        let mut edges: BTreeMap<_, Vec<InputKind>> = BTreeMap::new();
        for ((from, input), cell) in &self.0 {
            for &to in cell.taken.keys().filter(|to| **to != from.as_str()) {
                edges.entry((*from, to)).or_default().push(*input);
            }
        }
        edges
    }

    /// The diagram for Mermaid.
    pub(crate) fn mermaid(&self) -> String {
        let mut text = "stateDiagram-v2\n    [*] --> drafted\n".to_owned();
        for ((from, to), inputs) in self.edges() {
            let inputs: Vec<&str> = inputs.iter().map(|input| input.as_str()).collect();
            writeln!(text, "    {from} --> {to}: {}", inputs.join(", ")).expect("a string");
        }
        for state in State::ALL.iter().filter(|state| state.is_final()) {
            writeln!(text, "    {state} --> [*]").expect("a string");
        }
        text
    }

    /// One table a state. `meaning` has the doc comment of each.
    pub(crate) fn tables(&self, meaning: impl Fn(&str) -> String) -> String {
        let mut text = String::new();
        for &state in State::ALL {
            let last = if state.is_final() { " Final." } else { "" };
            writeln!(text, "### `{state}`\n\n{}{last}\n", meaning(state.as_str()))
                .expect("a string");
            text.push_str("| input | what follows |\n|---|---|\n");
            let mut never: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for &input in InputKind::ALL {
                let cell = self.cell(state, input);
                let codes: Vec<String> = cell.refused.iter().map(|code| link(code)).collect();
                if cell.taken.is_empty() {
                    never.entry(codes.join(", ")).or_default().push(format!("`{input}`"));
                    continue;
                }
                let mut parts: Vec<String> = cell
                    .taken
                    .iter()
                    .map(|(to, actions)| follow(*to == state.as_str(), to, actions))
                    .collect();
                if !codes.is_empty() {
                    parts.push(format!("refused with {}", codes.join(", ")));
                }
                writeln!(text, "| `{input}` | {} |", parts.join("<br>")).expect("a string");
            }
            text.push('\n');
            for (codes, inputs) in never {
                writeln!(text, "Refused with {codes}: {}.\n", inputs.join(", ")).expect("a string");
            }
        }
        text
    }
}

/// A state that follows, and the actions that may come with it.
fn follow(same: bool, to: &str, actions: &BTreeSet<Vec<&'static str>>) -> String {
    let lists: Vec<String> = actions
        .iter()
        .map(|list| {
            if list.is_empty() {
                return "nothing to do".to_owned();
            }
            list.iter().map(|kind| format!("`{kind}`")).collect::<Vec<_>>().join(" ")
        })
        .collect();
    let to = if same { "stays".to_owned() } else { format!("→ `{to}`") };
    format!("{to}: {}", lists.join(", or "))
}

/// An action's name on the wire.
pub(crate) fn kind(act: &Act) -> &'static str {
    match act {
        Act::SetTraffic { .. } => "set_traffic",
        Act::Deploy { .. } => "deploy",
        Act::RollBack { .. } => "roll_back",
        Act::AskDecision { .. } => "ask_decision",
        Act::RequestApproval { .. } => "request_approval",
        Act::Notify { .. } => "notify",
        Act::Page { .. } => "page",
        Act::UpdateStatusPage { .. } => "update_status_page",
        Act::Schedule { .. } => "schedule",
    }
}

/// The doc comment of a state's name, as it stands in the source.
pub(crate) fn meaning(source: &str, state: &str) -> String {
    let (before, _) =
        source.split_once(&format!(" = \"{state}\",")).expect("a state of the source");
    let above = before.lines().rev().skip(1).skip_while(|line| line.trim().starts_with("#["));
    let comments = above.take_while(|line| line.trim().starts_with("///"));
    let mut lines: Vec<&str> =
        comments.map(|line| line.trim().trim_start_matches("///").trim()).collect();
    lines.reverse();
    assert!(!lines.is_empty(), "`{state}` says nothing of itself");
    lines.join(" ")
}

/// A link to the explanation of a code. Its last hyphen is a character reference: `ROLL-3` alone
/// would be a requirement.
fn link(code: &str) -> String {
    let (family, number) = code.rsplit_once('-').unwrap_or_default();
    format!("[{family}&#45;{number}](codes.md#{})", code.to_ascii_lowercase())
}
