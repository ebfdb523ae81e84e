//! Classes of values in words.

use super::catalogue::FactKind;
use super::space::{Classes, Space};
use crate::unit::{Proportion, Span};

impl Space {
    /// A class in words: `true`; `50%`; `above 5%, below 50%`; a text; `another` for a text that no condition mentions.
    ///
    /// # Panics
    /// If there is no such variable or class.
    pub fn describe(&self, variable: usize, class: u32) -> String {
        match &self.variables[variable].1 {
            Classes::Flag => (class != 0).to_string(),
            // No two classes have the same words: a condition may mention the text `another`.
            Classes::Texts { another, mentioned } => {
                class.checked_sub(1).map_or(another, |at| &mentioned[at as usize]).clone()
            }
            Classes::Numbers { kind, between } => {
                let at = class as usize;
                let (low, high) = between[at];
                if low == high {
                    return number(*kind, low);
                }
                // A bound is told by the value next to it, which is a class of its own where a condition names it.
                let point = |(low, high): &(f64, f64)| (low == high).then_some(*low);
                let before = at.checked_sub(1).and_then(|before| between.get(before));
                let from = before.map(|before| match point(before) {
                    Some(cut) => format!("above {}", number(*kind, cut)),
                    None => format!("at least {}", number(*kind, low)),
                });
                let after = between.get(at + 1);
                let to = after.map(|after| match point(after) {
                    Some(cut) => format!("below {}", number(*kind, cut)),
                    None => format!("at most {}", number(*kind, high)),
                });
                match (from, to) {
                    (Some(from), Some(to)) => format!("{from}, {to}"),
                    (Some(only), None) | (None, Some(only)) => only,
                    (None, None) => "any".to_owned(),
                }
            }
        }
    }
}

fn number(kind: FactKind, number: f64) -> String {
    match kind {
        FactKind::Share => {
            // As a percentage where that names this share and no other: two classes never have the same words.
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
