//! Classes of values as text.

use super::catalogue::FactKind;
use super::facts::FactValue;
use super::space::{Classes, Space};
use crate::unit::{Proportion, Span};

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
    /// A class as what is left of a fact: its value where it has only one, else the range.
    pub fn deduced(&self, variable: usize, class: u32) -> Deduced {
        let range = || Deduced::Range(self.describe(variable, class));
        self.only_value(variable, class).map_or_else(range, Deduced::Value)
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
