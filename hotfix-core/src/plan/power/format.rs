//! Format of figures in the table and the advice.

use std::fmt::Display;

use crate::text::{self, quoted};

use super::Chance;

/// A chance as a number of a hundred: `35`, `<1`, `>99`.
pub(super) fn of_100(chance: f64) -> String {
    // Without the sign of a zero.
    let hundred = (100.0 * chance).abs();
    if hundred > 0.0 && hundred < 0.5 {
        "<1".to_owned()
    } else if hundred < 100.0 && hundred > 99.5 {
        ">99".to_owned()
    } else {
        format!("{hundred:.0}")
    }
}

/// The same, with `sign` where it is approximate and no limit.
pub(super) fn about(sign: &str, chance: Chance) -> String {
    let figure = of_100(chance.chance);
    let is_limit = figure.starts_with(['<', '>']);
    if chance.approximate && !is_limit { format!("{sign}{figure}") } else { figure }
}

/// `35 of 100 cases`.
pub(super) fn cases(chance: f64) -> String {
    format!("{} of 100 cases", of_100(chance))
}

/// `35, 43 and 47`.
pub(super) fn figures(chances: &[f64]) -> String {
    let words: Vec<String> = chances.iter().map(|chance| of_100(*chance)).collect();
    text::enumerated(&words)
}

/// Names in backticks: `` `canary`, `partial` and `full` ``.
pub(super) fn list<T: Display>(names: &[T]) -> String {
    let words: Vec<String> = names.iter().map(|name| quoted(&[name], "")).collect();
    text::enumerated(&words)
}

/// Three significant digits.
pub(super) fn figure(value: f64) -> String {
    text::figure(value, 3)
}

/// Minutes, as hours and days where they are many: `10 min`, `5.5 h`.
pub(super) fn lasting(minutes: f64) -> String {
    if minutes < 1.0 {
        format!("{} s", figure(60.0 * minutes))
    } else if minutes < 180.0 {
        format!("{} min", figure(minutes))
    } else if minutes < 2_880.0 {
        format!("{} h", figure(minutes / 60.0))
    } else {
        format!("{} days", figure(minutes / 1_440.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plan_6_figures_read_as_people_write_them() {
        assert_eq!(
            [0.0, 0.001, 0.352_768, 0.998, 1.0].map(of_100),
            ["0", "<1", "35", ">99", "100"]
        );
        assert_eq!(figures(&[0.353, 0.432, 0.469]), "35, 43 and 47");
        assert_eq!(list(&["a", "b"]), "`a` and `b`");
        assert_eq!(
            [0.5, 10.0, 51.5, 250.0, 5_000.0].map(lasting),
            ["30 s", "10 min", "51.5 min", "4.17 h", "3.47 days"]
        );
        assert_eq!([0.003, 90.0, 1234.0, 2.5].map(figure), ["0.003", "90", "1234", "2.5"]);
    }
}
