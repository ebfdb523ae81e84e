//! What is watched: cadence, the bounds of each metric, and the success criteria.

use crate::grade::{Response, Role, SuccessGroup};
use crate::text::{markdown, time, words};

use super::super::{Plan, Threshold};
use super::Page;

pub(super) fn write(plan: &Plan, page: &mut Page) {
    let policy = plan.policy();
    let thresholds = plan.thresholds();
    if thresholds.is_empty() && policy.success().is_empty() {
        return;
    }
    page.heading(2, "What is watched");
    cadence(plan, page);
    let shown = |threshold: Option<&Threshold>| markdown(threshold.map_or("", |of| &of.text));
    let rows = thresholds.iter().map(|of| {
        let only = if of.role == Role::Watch { ", decides nothing" } else { "" };
        let scaled = if of.scaled { ", at 100% of the traffic" } else { "" };
        [
            format!("{} (`{}`{only}{scaled})", markdown(of.title), of.metric),
            shown(of.reference.as_ref()),
            shown(of.success.as_ref()),
            shown(of.alert.as_ref()),
            shown(of.rollback.as_ref()),
        ]
    });
    page.table(["Metric", "Before the incident", "Success", "Alert", "Rollback"], rows.collect());
    if thresholds.iter().any(|of| of.scaled) {
        page.paragraph(
            "At a smaller share of the traffic, a bound marked \"at 100% of the traffic\" is that \
             share of it.",
        );
    }
    if !policy.success().is_empty() {
        page.heading(3, "Success criteria");
        for group in SuccessGroup::ALL {
            let of_group = policy.success().iter().filter(|criterion| criterion.group == *group);
            let texts: Vec<String> = of_group.map(|criterion| markdown(&criterion.text)).collect();
            if !texts.is_empty() {
                page.paragraph(&format!("**{}:**", words(group.as_str())));
                page.list(texts);
            }
        }
    }
}

fn cadence(plan: &Plan, page: &mut Page) {
    let watch = plan.policy().watch();
    let mut parts = vec![
        format!("evaluated every {}, over the last {}", time(watch.cadence), time(watch.window)),
        format!("data is stale after {}", time(watch.stale)),
        // `continue` holds a phase all the same.
        format!("on an alert: {}", words(watch.alert.max(Response::Hold).as_str())),
        format!(
            "without data the rollout holds; after {}: {}",
            time(watch.no_data.after),
            words(watch.no_data.then.as_str())
        ),
    ];
    if watch.consecutive_breaches > 1.0 {
        parts.push(format!("a bound acts after {} breaches in a row", watch.consecutive_breaches));
    }
    page.list(parts);
}
