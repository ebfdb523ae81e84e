//! Conditions of Argo Rollouts as bounds.

use super::arguments::{Arguments, resolved};
use super::expression::{self, Accepts, Cut, Series};
use super::finding::ImportFinding;
use super::reader::At;
use crate::grade::Worse;
use crate::text::{any_number, shown};

/// The least and the greatest accepted value. None without a limit.
pub(super) type Sides = (Option<f64>, Option<f64>);

/// The values that succeed, or those that do not fail.
#[derive(Clone, Copy)]
pub(super) struct Values {
    pub(super) sides: Sides,
    /// Whether a missing value is one of them.
    pub(super) missing: bool,
    /// Whether the condition names missing values: its author considered them.
    pub(super) guarded: bool,
}

/// The values that a condition accepts, or with `turned` those that it does not accept. None
/// without a condition. Err if it cannot be a bound, which has its finding.
pub(super) fn values(
    condition: Option<&At<'_>>,
    arguments: &Arguments,
    turned: bool,
) -> Result<Option<Values>, ()> {
    let Some(at) = condition else { return Ok(None) };
    let Some(text) = resolved(at, arguments) else { return Err(()) };
    let read = expression::read(&text).and_then(|accepts| {
        let good = if turned { accepts.not() } else { accepts };
        if good.series == Series::Any {
            return Err("it is met if any series meets it".to_owned());
        }
        let edges = edges(&good)?;
        Ok((good, edges))
    });
    match read {
        Ok((good, [low, high])) => {
            let sides =
                (low.map(|low| bound(at, low, 1.0)), high.map(|high| bound(at, high, -1.0)));
            let guard = ["isNaN", "isNil", "nil", "len(", "default("];
            let guarded = guard.iter().any(|guard| text.contains(guard));
            if good.series == Series::All {
                at.put(
                    "every series has to meet the condition",
                    "a metric has one value: send the worst of the series",
                );
            }
            Ok(Some(Values { sides, missing: good.missing, guarded }))
        }
        Err(why) => {
            at.remark(ImportFinding::Condition { condition: shown(&text), why });
            Err(())
        }
    }
}

/// The ends of the one range that a condition accepts. None without a limit.
fn edges(good: &Accepts) -> Result<[Option<Cut>; 2], String> {
    let [(low, high)] = good.intervals[..] else {
        let why = if good.intervals.is_empty() {
            "no value meets it"
        } else {
            "it accepts several ranges"
        };
        return Err(why.to_owned());
    };
    let edges = [low, high].map(|cut| cut.figure.is_finite().then_some(cut));
    if edges == [None, None] { Err("every value meets it".to_owned()) } else { Ok(edges) }
}

/// The bound of the range above a cut (`side` 1) or below it (-1). A bound includes its value, and values
/// that differ by the last bits, so a figure that the condition excludes has a bound just beside it.
fn bound(at: &At<'_>, Cut { figure, after }: Cut, side: f64) -> f64 {
    let is_above = side > 0.0;
    if after != is_above {
        return figure;
    }
    let (beside, shown) = (if is_above { "above" } else { "below" }, any_number(figure));
    at.put(
        format!("a value of exactly {shown} does not pass"),
        format!("a bound passes its own value, so it is just {beside} {shown}"),
    );
    // The difference is relative: every number but 0 itself differs from 0.
    let moved = figure + side * (2.0 * Worse::LAST_BITS * figure.abs()).max(1e-300);
    moved.clamp(f64::MIN, f64::MAX)
}
