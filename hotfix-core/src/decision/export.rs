//! Export of the decision tree as a Mermaid or Graphviz diagram.

use std::fmt::Write as _;

use crate::policy::Policy;
use crate::policy::section::{Branches, Due, Leaf, Question, Target};
use crate::text::{drawn, mermaid, words};
use crate::unit::Span;

/// Most characters of a line of a label, except for longer words.
const LINE: usize = 36;

const MOST: usize = 240;

impl Policy {
    /// The decision tree as a Mermaid flowchart; `None` where the policy has neither a tree nor
    /// rules.
    ///
    /// Questions are `q0`, `q1`, … and leaves `l0`, `l1`, … by their index in the tree. Where a
    /// question has no answer, the edge leads to `g` with the question's number. The same policy
    /// gives the same text. A label shows the first 240 characters of its text. By default, Mermaid
    /// refuses more than 50,000 characters or 500 edges.
    ///
    /// ```
    /// use hotfix_core::policy::Policy;
    /// let mut document = serde_json::to_value(Policy::preset("standard")?)?;
    /// document["tree"] = serde_json::json!({
    ///     "root": "down",
    ///     "questions": [{ "id": "down", "ask": "Is nobody served?", "when": "service_down", "yes": "now" }],
    ///     "leaves": [{ "id": "now", "title": "a hot-fix at once", "hotfix": true }],
    /// });
    /// let policy = Policy::from_json(&document.to_string())?;
    /// let drawing = policy.tree_mermaid().unwrap();
    /// assert!(drawing.starts_with("flowchart TD\n"));
    /// assert!(drawing.contains("q0 -->|\"yes\"| l0\n"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn tree_mermaid(&self) -> Option<String> {
        Some(self.drawing()?.mermaid())
    }

    /// The decision tree in Graphviz's language; `None` where the policy has neither a tree nor
    /// rules. The nodes are those of [`Policy::tree_mermaid`].
    pub fn tree_dot(&self) -> Option<String> {
        Some(self.drawing()?.dot())
    }

    fn drawing(&self) -> Option<Drawing> {
        let reasoning = self.reasoning();
        let tree = reasoning.tree.as_ref()?;
        let mut drawing = Drawing { nodes: Vec::new(), edges: Vec::new() };
        for (at, question) in tree.questions.iter().enumerate() {
            drawing.add(format!("q{at}"), Shape::Question, &question.ask);
        }
        for (at, leaf) in tree.leaves.iter().enumerate() {
            let shape = if leaf.hotfix { Shape::Hotfix } else { Shape::Scheduled };
            let mut text = lines(&leaf.title);
            text.push(outcome_text(leaf));
            drawing.nodes.push(TreeNode { id: format!("l{at}"), shape, text });
        }
        for (at, question) in tree.questions.iter().enumerate() {
            let mut falls_through = false;
            for (answer, to) in self.answers(question) {
                falls_through |= to.is_none();
                let to = to.map_or_else(|| format!("g{at}"), place);
                drawing.edges.push((format!("q{at}"), to, lines(&answer)));
            }
            if falls_through {
                drawing.add(format!("g{at}"), Shape::Gap, "no answer");
            }
        }
        let root = place(tree.root);
        // Nodes are in the order of the walk: both programs draw the first ones at the top.
        let first = drawing.nodes.iter().position(|node| node.id == root).unwrap_or(0);
        drawing.nodes.get_mut(..=first)?.rotate_right(1);
        Some(drawing)
    }

    fn answers(&self, question: &Question) -> Vec<(String, Option<Target>)> {
        let text = |answer: usize| question.answer_text(Some(answer));
        match &question.branches {
            Branches::Condition { yes, no, .. } => vec![(text(1), *yes), (text(0), *no)],
            Branches::Values { answers, .. } => {
                let mut all: Vec<(String, Option<Target>)> = answers
                    .iter()
                    .enumerate()
                    .map(|(at, answer)| (text(at), Some(answer.to)))
                    .collect();
                if question.may_lack_answer(&self.reasoning().space) {
                    all.push((question.answer_text(None), None));
                }
                all
            }
        }
    }
}

fn place(target: Target) -> String {
    match target {
        Target::Question(at) => format!("q{at}"),
        Target::Leaf(at) => format!("l{at}"),
    }
}

/// Outcome of a leaf as text: `P0, hot-fix, within 2h`.
fn outcome_text(leaf: &Leaf) -> String {
    let severity = leaf.severity.map(|severity| severity.to_string());
    let hotfix = if leaf.hotfix { "hot-fix" } else { "no hot-fix" };
    let deadline = leaf.deadline.map(|deadline| match deadline {
        Due::Within(span) if span == Span::from_millis(0) => "immediately".to_owned(),
        Due::Within(span) => format!("within {span}"),
        Due::Next(day) => format!("by the {}", words(day.as_str())),
    });
    severity.into_iter().chain([hotfix.to_owned()]).chain(deadline).collect::<Vec<_>>().join(", ")
}

/// A text in lines that fit a label, without characters that cannot be drawn.
fn lines(text: &str) -> Vec<String> {
    let shown = drawn(text, MOST);
    let mut lines = Vec::new();
    for paragraph in shown.split('\n') {
        let mut line = String::new();
        let mut length = 0;
        for word in paragraph.split(' ').filter(|word| !word.is_empty()) {
            let more = word.chars().count();
            if length > 0 && length + 1 + more > LINE {
                lines.push(std::mem::take(&mut line));
                length = 0;
            }
            if length > 0 {
                line.push(' ');
                length += 1;
            }
            line.push_str(word);
            length += more;
        }
        if length > 0 {
            lines.push(line);
        }
    }
    if lines.is_empty() { vec!["–".to_owned()] } else { lines }
}

struct Drawing {
    nodes: Vec<TreeNode>,
    /// Source, target and answer.
    edges: Vec<(String, String, Vec<String>)>,
}

struct TreeNode {
    id: String,
    shape: Shape,
    text: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Question,
    Hotfix,
    Scheduled,
    Gap,
}

/// How a shape is drawn.
struct Look {
    name: &'static str,
    fill: &'static str,
    border: &'static str,
    /// Mermaid's brackets around a label.
    brackets: [&'static str; 2],
    dot: &'static str,
}

impl Shape {
    const ALL: [Self; 4] = [Self::Question, Self::Hotfix, Self::Scheduled, Self::Gap];

    const fn look(self) -> Look {
        let (leaf, rounded) = (["([\"", "\"])"], "shape=box, style=\"rounded,filled\"");
        let (name, fill, border, brackets, dot) = match self {
            Self::Question => {
                ("question", "#ffffff", "#444444", ["[\"", "\"]"], "shape=box, style=filled")
            }
            Self::Hotfix => ("hotfix", "#fde0dc", "#b3261e", leaf, rounded),
            Self::Scheduled => ("scheduled", "#e3f1e3", "#2e7d32", leaf, rounded),
            Self::Gap => {
                let dashed = "shape=ellipse, style=\"dashed,filled\"";
                ("gap", "#f2f2f2", "#777777", ["((\"", "\"))"], dashed)
            }
        };
        Look { name, fill, border, brackets, dot }
    }
}

impl Drawing {
    fn add(&mut self, id: String, shape: Shape, text: &str) {
        self.nodes.push(TreeNode { id, shape, text: lines(text) });
    }

    fn mermaid(&self) -> String {
        let mut text = "flowchart TD\n".to_owned();
        for TreeNode { id, shape, text: label } in &self.nodes {
            let [open, close] = shape.look().brackets;
            let _ = writeln!(text, "    {id}{open}{}{close}", mermaid_text(label));
        }
        for (from, to, answer) in &self.edges {
            let _ = writeln!(text, "    {from} -->|\"{}\"| {to}", mermaid_text(answer));
        }
        for shape in Shape::ALL {
            let of_shape = self.nodes.iter().filter(|node| node.shape == shape);
            let ids: Vec<&str> = of_shape.map(|node| node.id.as_str()).collect();
            if ids.is_empty() {
                continue;
            }
            let Look { name, fill, border, .. } = shape.look();
            let dashes = if shape == Shape::Gap { ",stroke-dasharray:4 3" } else { "" };
            let _ = writeln!(
                text,
                "    classDef {name} fill:{fill},stroke:{border},color:#111111{dashes}"
            );
            let _ = writeln!(text, "    class {} {name}", ids.join(","));
        }
        text
    }

    fn dot(&self) -> String {
        let mut text = "digraph tree {\n".to_owned();
        text.push_str("    node [fontname=\"sans-serif\", fontcolor=\"#111111\"]\n");
        text.push_str("    edge [fontname=\"sans-serif\"]\n");
        for TreeNode { id, shape, text: label } in &self.nodes {
            let Look { fill, border, dot, .. } = shape.look();
            let _ = writeln!(
                text,
                "    {id} [label=\"{}\", {dot}, fillcolor=\"{fill}\", color=\"{border}\"]",
                dot_text(label)
            );
        }
        for (from, to, answer) in &self.edges {
            let _ = writeln!(text, "    {from} -> {to} [label=\"{}\"]", dot_text(answer));
        }
        text.push_str("}\n");
        text
    }
}

/// The lines of a label in Mermaid's syntax.
fn mermaid_text(lines: &[String]) -> String {
    lines.iter().map(|line| mermaid(line)).collect::<Vec<_>>().join("<br/>")
}

/// The lines of a label for Graphviz: `"`, `\` and `&`, which begins an entity, are escaped.
fn dot_text(lines: &[String]) -> String {
    let escaped = lines
        .iter()
        .map(|line| line.replace('\\', "\\\\").replace('"', "\\\"").replace('&', "&amp;"));
    escaped.collect::<Vec<_>>().join("\\n")
}
