//! The way back, risks, and what is done when something else fails.

use crate::grade::{Response, Signal};
use crate::policy::section::TimeRange;
use crate::text::{markdown, time, times};

use super::super::{Meanwhile, Plan};
use super::{Page, words};

pub(super) fn write(plan: &Plan, page: &mut Page) {
    way_back(plan, page);
    let risks = plan.risks();
    if !risks.register.is_empty() {
        page.heading(2, "Risks");
        let rows = risks.register.iter().map(|risk| {
            let grade = |grade: crate::grade::Grade| words(grade.as_str());
            let against = if risk.mitigation.is_empty() {
                "–".to_owned()
            } else {
                markdown(risk.mitigation)
            };
            [markdown(risk.risk), grade(risk.likelihood), grade(risk.impact), against]
        });
        page.table(["Risk", "Likelihood", "Impact", "Against it"], rows.collect());
    }
    if !risks.contingencies.is_empty() {
        page.heading(2, "If something else fails");
        page.list(risks.contingencies.iter().map(|contingency| {
            let actions: Vec<String> = contingency.actions.iter().map(|a| markdown(a)).collect();
            let meanwhile = match contingency.meanwhile {
                Some(Meanwhile::Wait) => " **This plan waits until it is mended.**",
                Some(Meanwhile::GoOnByHand) => " **This plan goes on by hand.**",
                None => "",
            };
            format!("{}: {}.{meanwhile}", markdown(contingency.when), actions.join("; "))
        }));
    }
}

fn way_back(plan: &Plan, page: &mut Page) {
    page.heading(2, "Way back");
    let triggers = plan.policy().triggers();
    let signals: Vec<String> = Signal::ALL
        .iter()
        .filter(|signal| triggers.response(**signal) == Response::RollBack)
        .map(|signal| words(signal.as_str()))
        .collect();
    if !signals.is_empty() {
        page.paragraph(&format!("Go back at once, when somebody sees: {}.", signals.join(", ")));
    }
    let known = &plan.policy().rollback().methods;
    page.numbered(plan.methods().iter().map(|method| {
        let way = known.iter().find(|way| way.kind == method.kind);
        let policy =
            way.and_then(|way| Some(times(way.least.or(way.most)?, way.most.or(way.least)?)));
        let takes = method.seconds.map(time).or(policy);
        let takes = takes.unwrap_or_else(|| "nobody says how long it takes".to_owned());
        format!("{}: {takes}", words(method.kind.as_str()))
    }));
    let rollback = plan.policy().rollback();
    let mut items = Vec::new();
    if rollback.point {
        items.push("before the deployment, record the point to go back to".to_owned());
    }
    let parts = [
        ("assess", rollback.assess),
        ("go back", rollback.execute),
        ("see that it helped", rollback.verify),
        ("in all", rollback.estimate),
    ];
    let said =
        parts.into_iter().filter_map(|(what, range)| Some(format!("{what} {}", shown(range?)?)));
    let said: Vec<String> = said.collect();
    if !said.is_empty() {
        items.push(format!("it takes: {}", said.join(", ")));
    }
    items.push(format!(
        "then watch for {} at least; somebody is paged where the metrics are not back after {}",
        time(rollback.watch),
        time(rollback.returned_within)
    ));
    items.extend(rollback.aftercare.iter().map(|care| format!("afterwards: {}", markdown(care))));
    page.list(items);
}

fn shown(range: TimeRange) -> Option<String> {
    Some(times(range.least.or(range.most)?, range.most.or(range.least)?))
}
