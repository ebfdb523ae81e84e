//! What the tests of the decision share: random policies with a tree, and the slow way to answer, which goes through every
//! combination of values.

use std::collections::BTreeSet;

use hotfix_core::fact::{Fact, FactId, FactValue, Facts, Truth};
use hotfix_core::policy::Policy;
use hotfix_core::policy::section::{Branches, Due, Implication, Leaf, Question, Target, Tree};
use hotfix_core::unit::FactName;
use rand_pcg::Pcg64;
use rand_pcg::rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::crate_files::{in_crate, read};

/// A preset, else a policy of `tests/policies`.
pub(crate) fn policy(name: &str) -> Policy {
    if Policy::presets().contains(&name) {
        return Policy::preset(name).unwrap();
    }
    Policy::from_toml(&read(&in_crate(&format!("tests/policies/{name}.toml"))))
        .unwrap_or_else(|errors| panic!("{name}: {errors}"))
}

/// The least policy with these tables.
pub(crate) fn with_tables(tables: &Value) -> Policy {
    let mut document = json!({
        "format": 1, "name": "made-up", "title": "Made up",
        "strategy": "immediate",
        "watch": { "cadence": 10, "window": 60, "stale": 60, "no_data": { "after": 120, "then": "ask" } },
        "phases": [{ "name": "all", "share": 1.0, "deploy": 60, "watch": 600,
            "promotion": "no_evidence_of_harm", "criteria_missed": "ask", "gate": "automatic" }],
        "final_validation": { "watch": 180, "gate": "manual" },
        "metrics": { "error_rate": { "kind": "proportion", "worse": "higher", "rollback": 0.05, "weight": 1 } },
        "rollback": { "methods": [{ "kind": "redeploy", "most": 900 }], "watch": 120, "returned_within": 300 },
    });
    for (key, table) in tables.as_object().unwrap() {
        document[key] = table.clone();
    }
    Policy::from_json(&document.to_string())
        .unwrap_or_else(|errors| panic!("{errors}: {document:#}"))
}

pub(crate) fn facts(policy: &Policy, known: &Value) -> Facts {
    Facts::read(known.as_object().unwrap(), policy.vocabulary()).unwrap()
}

/// A fact with a value for each class that the random policies tell apart, and the class in words.
pub(crate) struct Subject {
    pub(crate) fact: FactId,
    pub(crate) values: Vec<(FactValue, &'static str)>,
}

/// Six flags, a share with two cuts, a text with two values.
pub(crate) fn subjects() -> Vec<Subject> {
    let flag = |fact| Subject {
        fact,
        values: vec![(FactValue::Flag(false), "false"), (FactValue::Flag(true), "true")],
    };
    let share = |text: &str| FactValue::Share(text.parse().unwrap());
    let text = |text: &str| FactValue::Text(text.to_owned());
    vec![
        flag(FactId::BuiltIn(Fact::ServiceDown)),
        flag(FactId::BuiltIn(Fact::DataCorruption)),
        flag(FactId::BuiltIn(Fact::RevenueImpact)),
        flag(FactId::Custom(FactName::try_new("in_embargo").unwrap())),
        Subject {
            fact: FactId::BuiltIn(Fact::UsersAffected),
            values: vec![
                (share("3%"), "below 5%"),
                (share("5%"), "5%"),
                (share("20%"), "above 5%, below 50%"),
                (share("50%"), "50%"),
                (share("80%"), "above 50%"),
            ],
        },
        Subject {
            fact: FactId::BuiltIn(Fact::Service),
            values: vec![(text("mail"), "another"), (text("api"), "api"), (text("web"), "web")],
        },
        flag(FactId::BuiltIn(Fact::Deadlock)),
        flag(FactId::BuiltIn(Fact::Cosmetic)),
    ]
}

/// What a random policy is drawn from.
pub(crate) struct Draw(Pcg64);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Pcg64::seed_from_u64(seed))
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.0.next_u64() % bound as u64).unwrap()
    }

    pub(crate) fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    fn comparison(&mut self, subject: &Subject) -> Value {
        let name = subject.fact.as_str();
        match subject.values[0].0 {
            FactValue::Flag(_) => json!(name),
            FactValue::Share(_) => {
                let operator = self.pick(&["above", "at_least", "below", "at_most"]);
                let bound = self.pick(&["5%", "50%"]);
                json!({ "fact": name, operator: bound })
            }
            _ => json!({ "fact": name, "is": self.pick(&["api", "web"]) }),
        }
    }

    /// A condition with one to four comparisons.
    fn condition(&mut self, subjects: &[&Subject]) -> Value {
        self.nested(subjects, 3)
    }

    fn nested(&mut self, subjects: &[&Subject], deeper: usize) -> Value {
        let subject = self.below(subjects.len());
        let mut condition = self.comparison(subjects[subject]);
        if self.one_in(4) {
            condition = json!({ "not": condition });
        }
        match self.below(4) {
            _ if deeper == 0 => condition,
            0 => json!({ "any": [condition, self.nested(subjects, deeper - 1)] }),
            1 => json!({ "all": [condition, self.nested(subjects, deeper - 1)] }),
            _ => condition,
        }
    }

    /// A policy with a random tree of two to seven questions.
    pub(crate) fn policy(&mut self, many: usize, circles: bool) -> Policy {
        let questions = 2 + self.below(6);
        self.policy_of(many, questions, circles, false)
    }

    /// A policy with a random tree of so many questions, on so many of the subjects. `circles` lets its questions lead
    /// back; `entangled` adds rules, on other facts, that no bounded diagram can hold.
    pub(crate) fn policy_of(
        &mut self,
        many: usize,
        questions: usize,
        circles: bool,
        entangled: bool,
    ) -> Policy {
        let all = subjects();
        let mut order: Vec<&Subject> = all.iter().collect();
        for at in (1..order.len()).rev() {
            order.swap(at, self.below(at + 1));
        }
        order.truncate(many);
        let leaves = 2 + self.below(4);
        let mut asked = Vec::new();
        for at in 0..questions {
            let target = |draw: &mut Self| {
                let first = if circles { 0 } else { at + 1 };
                if first < questions && !draw.one_in(3) {
                    // Mostly the next one, as in trees that people write.
                    let near = at + 1 < questions && !draw.one_in(3);
                    let to = if near { at + 1 } else { first + draw.below(questions - first) };
                    return format!("q{to}");
                }
                format!("l{}", draw.below(leaves))
            };
            let mut question = json!({ "id": format!("q{at}"), "ask": format!("Question {at}?") });
            let subject = order[self.below(order.len())];
            if self.one_in(4) && subject.values.len() > 2 {
                question["fact"] = json!(subject.fact.as_str());
                let share = matches!(subject.values[0].0, FactValue::Share(_));
                let mut answers = if share {
                    vec![json!({ "below": "5%" }), json!({ "below": "50%" })]
                } else {
                    vec![json!({ "is": "web" }), json!({ "is": "api" })]
                };
                if share && !self.one_in(3) {
                    answers.push(json!({ "at_least": "50%" }));
                }
                for answer in &mut answers {
                    answer["to"] = json!(target(self));
                }
                question["answers"] = json!(answers);
            } else {
                question["when"] = self.condition(&order);
                for key in ["yes", "no"] {
                    if !self.one_in(12) {
                        question[key] = json!(target(self));
                    }
                }
            }
            asked.push(question);
        }
        let leaves: Vec<Value> = (0..leaves)
            .map(|at| {
                let mut leaf = json!({ "id": format!("l{at}"), "title": format!("Leaf {at}"), "hotfix": self.one_in(2) });
                if self.one_in(2) {
                    leaf["severity"] = json!(self.pick(&["P0", "P1"]));
                }
                if self.one_in(3) {
                    leaf["deadline"] = self.pick(&[json!(0), json!(7200), json!("next_release")]);
                }
                leaf
            })
            .collect();
        let implications: Vec<Value> = (0..self.below(4))
            .map(|at| {
                let (when, then) = (self.condition(&order), self.condition(&order));
                json!({ "id": format!("i{at}"), "when": when, "then": then, "iff": self.one_in(4) })
            })
            .collect();
        // A rule that mentions every cut: so the classes are the same for all of these policies.
        let cuts = json!({ "any": [
            { "fact": "users_affected", "above": "5%" }, { "fact": "users_affected", "above": "50%" },
            { "fact": "service", "is": "web" }, { "fact": "service", "is": "api" },
        ] });
        let mut house = json!({ "in_embargo": { "kind": "flag", "ask": "Is there an embargo?" } });
        let mut rules = json!([{ "id": "cuts", "title": "cuts", "severity": "P1", "when": cuts }]);
        if entangled {
            entangle(&mut house, &mut rules);
        }
        with_tables(&json!({
            "facts": house,
            "severities": { "P0": { "label": "high", "hotfix": true }, "P1": { "label": "low", "hotfix": true } },
            "duties": [
                { "id": "fix", "kind": "fix", "title": "it is fixed", "severities": ["P0"], "from": "detected", "within": 7200 },
            ],
            "implications": implications,
            "rules": rules,
            "tree": { "root": "q0", "questions": asked, "leaves": leaves },
        }))
    }
}

/// Whether one of 17 pairs is true, the first ones all asked before the second ones: 2¹⁷ nodes.
fn entangle(house: &mut Value, rules: &mut Value) {
    let names = |letter: &str| (0..17).map(|at| format!("{letter}{at}")).collect::<Vec<_>>();
    let (first, second) = (names("first_"), names("second_"));
    for name in first.iter().chain(&second) {
        house[name] = json!({ "kind": "flag", "ask": "Is it so?" });
    }
    let pairs: Vec<Value> =
        first.iter().zip(&second).map(|(a, b)| json!({ "all": [a, b] })).collect();
    let rules = rules.as_array_mut().unwrap();
    rules.push(
        json!({ "id": "first", "title": "first", "severity": "P1", "when": { "any": first } }),
    );
    rules.push(
        json!({ "id": "pairs", "title": "pairs", "severity": "P0", "when": { "any": pairs } }),
    );
}

/// Where a tree ends for one combination of values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ended {
    Leaf(String),
    Gap(String),
    Cycle,
}

/// The tree gone through question by question, with facts of which none is unknown.
pub(crate) fn walked(tree: &Tree, facts: &Facts) -> Ended {
    let mut at = tree.root;
    for _ in 0..=tree.questions.len() {
        let question = match at {
            Target::Leaf(leaf) => return Ended::Leaf(tree.leaves[leaf].id.to_string()),
            Target::Question(question) => &tree.questions[question],
        };
        match answered(question, facts).1 {
            Some(to) => at = to,
            None => return Ended::Gap(question.id.to_string()),
        }
    }
    Ended::Cycle
}

/// Which answer holds, from 0, and where it leads.
pub(crate) fn answered(question: &Question, facts: &Facts) -> (usize, Option<Target>) {
    match &question.branches {
        Branches::Condition { when, yes, no } => match when.holds(facts) {
            Truth::Yes => (0, *yes),
            Truth::No => (1, *no),
            Truth::Unknown => panic!("{question:?} is answered by no value"),
        },
        Branches::Values { fact, answers } => {
            let value = facts.get(*fact).expect("a value");
            let fits = |answer: &&hotfix_core::policy::section::Answer| {
                answer.accepts.iter().all(|comparison| comparison.accepts(value))
            };
            match answers.iter().position(|answer| fits(&answer)) {
                Some(at) => (at, Some(answers[at].to)),
                None => (answers.len(), None),
            }
        }
    }
}

fn keeps(implication: &Implication, facts: &Facts) -> bool {
    let holds = |condition: &hotfix_core::fact::Condition| condition.holds(facts) == Truth::Yes;
    let (when, then) = (holds(&implication.when), holds(&implication.then));
    if implication.iff { when == then } else { !when || then }
}

/// Every combination of values of the subjects, each by the position of its value; those that are possible and those
/// that are not.
pub(crate) struct Table {
    pub(crate) subjects: Vec<Subject>,
    pub(crate) rows: Vec<Row>,
}

pub(crate) struct Row {
    pub(crate) values: Vec<usize>,
    pub(crate) facts: Facts,
    pub(crate) possible: bool,
    pub(crate) end: Ended,
}

impl Table {
    /// Of the subjects that the policy asks about.
    pub(crate) fn new(policy: &Policy) -> Self {
        let tree = policy.tree().unwrap();
        let text = policy.to_json();
        let classifying: Value = serde_json::from_str(&text).unwrap();
        let asked = format!("{}{}", classifying["tree"], classifying["implications"]);
        let mut subjects = subjects();
        subjects.retain(|subject| asked.contains(&format!("\"{}\"", subject.fact.as_str())));
        let mut rows = vec![(Vec::new(), Facts::default())];
        for subject in &subjects {
            let longer = rows.iter().flat_map(|(values, facts)| {
                subject.values.iter().enumerate().map(move |(at, (value, _))| {
                    let (mut values, mut facts): (Vec<usize>, Facts) =
                        (values.clone(), facts.clone());
                    values.push(at);
                    facts.set(subject.fact, value.clone());
                    (values, facts)
                })
            });
            rows = longer.collect();
        }
        let row = |(values, facts): (Vec<usize>, Facts)| Row {
            possible: policy.implications().iter().all(|i| keeps(i, &facts)),
            end: walked(tree, &facts),
            values,
            facts,
        };
        Self { rows: rows.into_iter().map(row).collect(), subjects }
    }

    /// What is known: the position of each known value.
    pub(crate) fn facts(&self, known: &[Option<usize>]) -> Facts {
        let mut facts = Facts::default();
        for (subject, value) in self.subjects.iter().zip(known) {
            if let Some(at) = value {
                facts.set(subject.fact, subject.values[*at].0.clone());
            }
        }
        facts
    }

    /// The rows that agree with what is known and are possible; all that agree, where none is. And whether none is.
    pub(crate) fn agreeing(&self, known: &[Option<usize>]) -> (Vec<&Row>, bool) {
        let agrees = |row: &&Row| {
            known.iter().zip(&row.values).all(|(known, at)| known.is_none_or(|known| known == *at))
        };
        let possible: Vec<&Row> =
            self.rows.iter().filter(|row| row.possible).filter(agrees).collect();
        if possible.is_empty() {
            (self.rows.iter().filter(agrees).collect(), true)
        } else {
            (possible, false)
        }
    }
}

pub(crate) fn ends(rows: &[&Row]) -> BTreeSet<Ended> {
    rows.iter().map(|row| row.end.clone()).collect()
}

/// What a leaf asks for, with the only duty of the random policies.
pub(crate) fn asks(leaf: &Leaf) -> (Option<String>, bool, Option<Due>) {
    let severity = leaf.severity.map(|severity| severity.to_string());
    let by_duty = || {
        let span = hotfix_core::unit::Span::from_seconds(7200);
        (severity.as_deref() == Some("P0")).then_some(Due::Within(span))
    };
    (severity.clone(), leaf.hotfix, leaf.deadline.or_else(by_duty))
}
