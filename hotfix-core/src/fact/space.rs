//! Space of the values that conditions distinguish: one variable for each fact, one class for each
//! group of values that no condition distinguishes.
//!
//! A policy that tests for more than 5 % and for at least half of the users has five classes of
//! share: below 5 %, 5 %, between them, 50 %, above. With classes, a statement about all values is
//! finite and exact: a class holds all values between two neighbouring cuts and no others.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use super::catalogue::FactKind;
use super::condition::{Comparison, Condition, Operator, Truth};
use super::facts::{FactId, FactValue, Facts};
use super::sample;
use crate::unit::{Proportion, Span};

/// The facts that some conditions mention, each with the classes of values that they distinguish.
///
/// Variables are in the order in which the conditions first mention their facts. Conditions do not
/// contain times, so times are not variables. A method that gets a variable or a class panics if
/// there is no such one.
///
/// ```
/// use hotfix_core::fact::{Comparison, Condition, Fact, FactId, FactValue, Facts, Operator, Space};
/// let users = FactId::BuiltIn(Fact::UsersAffected);
/// let half = FactValue::Share("50%".parse()?);
/// let many = Condition::Compare(Comparison { fact: users, operator: Operator::AtLeast, value: half });
/// let space = Space::new([&many]);
/// assert_eq!(space.classes(0), 3); // below a half, a half, above
/// assert_eq!(space.value(0, 2), FactValue::Share("80%".parse()?));
///
/// let mut facts = Facts::default();
/// assert_eq!(space.place(&facts).get(0), None);
/// facts.set(users, FactValue::Share("3%".parse()?));
/// assert_eq!(space.place(&facts).get(0), Some(0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Space {
    pub(super) variables: Vec<(FactId, Classes)>,
    by_fact: BTreeMap<FactId, usize>,
}

/// The classes of one fact's values, from the least to the greatest.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Classes {
    /// False, true.
    Flag,
    /// Ranges between two bounds, both included: (low, high), ascending and without gaps.
    Numbers { kind: FactKind, between: Vec<(f64, f64)> },
    /// All other texts first, then the mentioned ones in their order.
    Texts { another: String, mentioned: Vec<String> },
}

/// Comparisons of the conditions with one fact.
struct Mentioned<'c> {
    kind: FactKind,
    cuts: Vec<f64>,
    texts: Vec<&'c str>,
}

impl Space {
    /// The space that these conditions distinguish.
    pub fn new<'c>(conditions: impl IntoIterator<Item = &'c Condition>) -> Self {
        let mut facts: Vec<(FactId, Mentioned<'c>)> = Vec::new();
        let mut by_fact = BTreeMap::new();
        for condition in conditions {
            condition.comparisons(&mut |comparison| {
                let kind = match comparison.fact {
                    FactId::BuiltIn(fact) => fact.kind(),
                    FactId::Custom(_) => comparison.value.kind(),
                };
                if kind == FactKind::Time {
                    return;
                }
                let at = *by_fact.entry(comparison.fact).or_insert_with(|| {
                    let mentioned = Mentioned { kind, cuts: Vec::new(), texts: Vec::new() };
                    facts.push((comparison.fact, mentioned));
                    facts.len() - 1
                });
                let Some((_, mentioned)) = facts.get_mut(at) else { return };
                // Adding zero makes one of the two zeros.
                let cut = comparison.value.as_number().map(|cut| cut + 0.0);
                mentioned.cuts.extend(cut.filter(|cut| cut.is_finite()));
                if let FactValue::Text(text) = &comparison.value {
                    mentioned.texts.push(text);
                }
            });
        }
        let variables = facts.into_iter().map(|(fact, mentioned)| (fact, classes(mentioned)));
        Self { variables: variables.collect(), by_fact }
    }

    /// Number of variables; they are numbered from 0.
    pub fn len(&self) -> usize {
        self.variables.len()
    }

    /// Whether no condition mentions a fact.
    pub fn is_empty(&self) -> bool {
        self.variables.is_empty()
    }

    /// The fact of a variable below [`Space::len`].
    pub fn fact(&self, variable: usize) -> FactId {
        self.variables[variable].0
    }

    /// The variable of a fact, where a condition mentions it.
    pub fn variable(&self, fact: FactId) -> Option<usize> {
        self.by_fact.get(&fact).copied()
    }

    /// Number of classes of a variable, at least one; they are numbered from 0. Class 0 is false
    /// for a flag, the smallest values for a number, and all texts that no condition mentions for a
    /// text.
    pub fn classes(&self, variable: usize) -> u32 {
        let count = match &self.variables[variable].1 {
            Classes::Flag => 2,
            Classes::Numbers { between, .. } => between.len(),
            Classes::Texts { mentioned, .. } => mentioned.len() + 1,
        };
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// A readable value of a class: a round one, the cut itself, or an unmentioned text.
    pub fn value(&self, variable: usize, class: u32) -> FactValue {
        match &self.variables[variable].1 {
            Classes::Flag => FactValue::Flag(class != 0),
            Classes::Numbers { kind, between } => {
                let (low, high) = between[class as usize];
                match kind {
                    FactKind::Share => {
                        let share = Proportion::try_from_fraction(sample::number(low, high));
                        share.map_or(FactValue::Number(low), FactValue::Share)
                    }
                    FactKind::Duration => {
                        FactValue::Duration(Span::from_millis(sample::millis(low, high)))
                    }
                    _ => FactValue::Number(sample::number(low, high)),
                }
            }
            Classes::Texts { another, mentioned } => {
                let text = class.checked_sub(1).map_or(another, |at| &mentioned[at as usize]);
                FactValue::Text(text.clone())
            }
        }
    }

    /// The class of a value; `None` outside of the fact's type and range: it stays unknown.
    pub fn class(&self, variable: usize, value: &FactValue) -> Option<u32> {
        self.variables[variable].1.class(value)
    }

    /// The class of each known fact.
    pub fn place(&self, facts: &Facts) -> Placed {
        let mut placed = self.unknown();
        for (fact, value) in facts.iter() {
            if let Some(variable) = self.variable(fact) {
                placed.set(variable, self.class(variable, value));
            }
        }
        placed
    }

    /// All variables unknown.
    pub fn unknown(&self) -> Placed {
        Placed(vec![UNKNOWN; self.variables.len()])
    }

    /// Facts in these classes, each with a readable value; unknown facts are left out.
    pub fn facts(&self, placed: &Placed) -> Facts {
        let mut facts = Facts::default();
        for (variable, class) in placed.known() {
            if variable < self.len() && class < self.classes(variable) {
                facts.set(self.fact(variable), self.value(variable, class));
            }
        }
        facts
    }

    /// Whether the values of a class satisfy a comparison, which the space need not be built from;
    /// unknown where only some do.
    pub(super) fn judged(&self, variable: usize, class: u32, comparison: &Comparison) -> Truth {
        match &self.variables[variable].1 {
            Classes::Numbers { between, .. } => {
                let ((low, high), operator) = (between[class as usize], comparison.operator);
                let Some(bound) = comparison.value.as_number() else { return Truth::No };
                let is_within = operator == Operator::Is && low < bound && bound < high;
                let [at_low, at_high] = [low, high].map(|value| operator.holds(value, bound));
                if at_low == at_high && !is_within { at_low.into() } else { Truth::Unknown }
            }
            Classes::Texts { mentioned, .. } if class == 0 => match &comparison.value {
                FactValue::Text(text) if mentioned.binary_search(text).is_err() => Truth::Unknown,
                _ => Truth::No,
            },
            _ => comparison.accepts(&self.value(variable, class)).into(),
        }
    }

    /// The variable of a comparison and the classes whose values all satisfy it. No value of
    /// another class does, if the space was built from conditions with this comparison.
    pub(crate) fn accepted(&self, comparison: &Comparison) -> Option<(usize, Range<u32>)> {
        let variable = self.variable(comparison.fact)?;
        let range = match &self.variables[variable].1 {
            Classes::Flag | Classes::Texts { .. } if comparison.operator != Operator::Is => 0..0,
            Classes::Flag => one(self.class(variable, &comparison.value)),
            // Class 0 has the texts that no comparison names.
            Classes::Texts { .. } => {
                one(self.class(variable, &comparison.value).filter(|class| *class > 0))
            }
            Classes::Numbers { between, .. } => match comparison.value.as_number() {
                Some(bound) if !bound.is_nan() => {
                    let end = between.len();
                    let below = between.partition_point(|(_, high)| *high < bound);
                    let at_most = between.partition_point(|(_, high)| *high <= bound);
                    let range = match comparison.operator {
                        Operator::Is => below..at_most,
                        Operator::Above => at_most..end,
                        Operator::AtLeast => below..end,
                        Operator::Below => 0..below,
                        Operator::AtMost => 0..at_most,
                    };
                    index(range.start)..index(range.end)
                }
                _ => 0..0,
            },
        };
        Some((variable, range))
    }
}

fn one(class: Option<u32>) -> Range<u32> {
    class.map_or(0..0, |class| class..class + 1)
}

fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

impl Classes {
    fn class(&self, value: &FactValue) -> Option<u32> {
        match self {
            Self::Flag => match value {
                FactValue::Flag(flag) => Some(u32::from(*flag)),
                _ => None,
            },
            Self::Numbers { between, .. } => {
                let number = value.as_number()?;
                let at = between.partition_point(|(_, high)| *high < number);
                between.get(at).filter(|(low, _)| *low <= number).map(|_| index(at))
            }
            Self::Texts { mentioned, .. } => match value {
                FactValue::Text(text) => {
                    Some(mentioned.binary_search(text).map_or(0, |at| index(at) + 1))
                }
                // A value of another type satisfies no comparison, like an unnamed text.
                _ => Some(0),
            },
        }
    }
}

fn classes(mentioned: Mentioned<'_>) -> Classes {
    match mentioned.kind {
        FactKind::Flag => Classes::Flag,
        FactKind::Text | FactKind::Time => {
            let mut texts: Vec<String> = mentioned.texts.into_iter().map(str::to_owned).collect();
            texts.sort_unstable();
            texts.dedup();
            let fresh = |text: &String| texts.binary_search(text).is_err();
            let numbered = (2..).map(|number: u64| format!("another {number}"));
            let another = std::iter::once("another".to_owned()).chain(numbered).find(fresh);
            Classes::Texts { another: another.unwrap_or_default(), mentioned: texts }
        }
        kind => {
            let mut cuts = mentioned.cuts;
            cuts.sort_unstable_by(f64::total_cmp);
            cuts.dedup();
            let (first, last) = match kind {
                FactKind::Share => (0.0, 1.0),
                FactKind::Duration => (0.0, sample::LONGEST),
                _ => (f64::MIN, f64::MAX),
            };
            let mut between = Vec::with_capacity(2 * cuts.len() + 1);
            let mut low = first;
            for cut in cuts {
                between.push((low, cut.next_down().min(last)));
                between.push((cut.max(first), cut.min(last)));
                low = cut.next_up().max(first);
            }
            between.push((low, last));
            if kind == FactKind::Duration {
                for (low, high) in &mut between {
                    (*low, *high) = sample::whole_millis(*low, *high);
                }
            }
            // An empty class has crossed bounds: there is no value between two neighbours.
            between.retain(|(low, high)| low <= high);
            Classes::Numbers { kind, between }
        }
    }
}

/// The class of unknown values.
pub(super) const UNKNOWN: u32 = u32::MAX;

/// The class of each variable of a [`Space`], or that it is unknown.
#[derive(Clone, PartialEq, Eq)]
pub struct Placed(pub(super) Vec<u32>);

impl Placed {
    /// The class of a variable; `None` where it is unknown or there is no such variable.
    pub fn get(&self, variable: usize) -> Option<u32> {
        self.0.get(variable).copied().filter(|class| *class != UNKNOWN)
    }

    /// Sets the class of a variable, or makes it unknown; without effect on one that is missing.
    pub fn set(&mut self, variable: usize, class: Option<u32>) {
        if let Some(place) = self.0.get_mut(variable) {
            *place = class.unwrap_or(UNKNOWN);
        }
    }

    /// The known variables with their classes.
    pub fn known(&self) -> impl Iterator<Item = (usize, u32)> {
        self.0.iter().copied().enumerate().filter(|(_, class)| *class != UNKNOWN)
    }

    /// The variables that are unknown.
    pub fn unknown(&self) -> impl Iterator<Item = usize> {
        self.0
            .iter()
            .enumerate()
            .filter(|(_, class)| **class == UNKNOWN)
            .map(|(variable, _)| variable)
    }
}

impl fmt::Debug for Placed {
    /// Shows only the known variables: `{0: 1, 4: 2}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.known()).finish()
    }
}

/// What the policy's implications leave of an unknown fact.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(untagged)]
pub enum Deduced {
    /// One value.
    Value(FactValue),
    /// One range of values that the policy does not distinguish, as text: `below 100%`.
    Range(String),
}

impl Space {
    /// What a class leaves of a fact: its value where the class has only one, else the range; an
    /// unmentioned text has several.
    pub fn deduced(&self, variable: usize, class: u32) -> Deduced {
        let only = match &self.variables[variable].1 {
            Classes::Flag => true,
            Classes::Numbers { between, .. } => {
                let (low, high) = between[class as usize];
                low == high
            }
            Classes::Texts { .. } => class > 0,
        };
        if only {
            Deduced::Value(self.value(variable, class))
        } else {
            Deduced::Range(self.describe(variable, class))
        }
    }

    /// A class as text: `true`; `50%`; `above 5%, below 50%`; a text; `another` for a text that no
    /// condition mentions.
    pub fn describe(&self, variable: usize, class: u32) -> String {
        match &self.variables[variable].1 {
            Classes::Flag => (class != 0).to_string(),
            // Each class has a text of its own: a condition may mention the text `another`.
            Classes::Texts { another, mentioned } => {
                class.checked_sub(1).map_or(another, |at| &mentioned[at as usize]).clone()
            }
            Classes::Numbers { .. } => self.describe_run(variable, class, class),
        }
    }

    /// Neighbouring classes of a number as one range: `at least 5%, below 50%`. For another type,
    /// the first class.
    pub(crate) fn describe_run(&self, variable: usize, first: u32, last: u32) -> String {
        let Classes::Numbers { kind, between } = &self.variables[variable].1 else {
            return self.describe(variable, first);
        };
        let (low, high) = (between[first as usize].0, between[last as usize].1);
        if low == high {
            return number(*kind, low);
        }
        // The text of a bound is the value next to it, if that value is a class of its own.
        let point = |(low, high): &(f64, f64)| (low == high).then_some(*low);
        let before = (first as usize).checked_sub(1).and_then(|before| between.get(before));
        let from = before.map(|before| match (point(before), point(&between[first as usize])) {
            (Some(cut), None) => format!("above {}", number(*kind, cut)),
            _ => format!("at least {}", number(*kind, low)),
        });
        let after = between.get(last as usize + 1);
        let to = after.map(|after| match (point(after), point(&between[last as usize])) {
            (Some(cut), None) => format!("below {}", number(*kind, cut)),
            _ => format!("at most {}", number(*kind, high)),
        });
        match (from, to) {
            (Some(from), Some(to)) => format!("{from}, {to}"),
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => "any".to_owned(),
        }
    }
}

fn number(kind: FactKind, number: f64) -> String {
    match kind {
        FactKind::Share => {
            // A percentage only where it is exact: two classes never have the same text.
            let percentage = Proportion::try_from_fraction(number).map(|share| share.to_string());
            let named = percentage.ok().filter(|percentage| {
                percentage.parse::<Proportion>().is_ok_and(|share| share.as_fraction() == number)
            });
            named.unwrap_or_else(|| number.to_string())
        }
        FactKind::Duration => Span::try_from_seconds(number)
            .map_or_else(|_| number.to_string(), |span| span.to_string()),
        _ => number.to_string(),
    }
}
