//! The report of a moment is about it: laws that compare it with what the rollout has.

use hotfix_core::grade::Moment;
use hotfix_core::report::DutyOutcome;

use super::{Law, Moments};

/// What no report may break.
pub(super) const LAWS: &[Law] = &[
    ("the report is of this moment", report),
    ("the report's duties are the duties", report_duties),
    ("the report's times are in order", |m| {
        let report = m.report.as_ref()?;
        let entries: Vec<_> = report.timeline.iter().map(|entry| (entry.at, entry.until)).collect();
        let odd = entries
            .windows(2)
            .find(|two| two[0].0 > two[1].0 || two[0].1.is_some_and(|until| until < two[0].0));
        let visit = report.phases.iter().find(|visit| {
            let times = [Some(visit.deployed_since), visit.watched_since, visit.until, Some(m.at)];
            !times.iter().flatten().is_sorted()
        });
        odd.map(|two| format!("{two:?}")).or_else(|| visit.map(|visit| format!("{visit:?}")))
    }),
    ("the report counts what it lists", |m| {
        let report = m.report.as_ref()?;
        let kept = report.duties.iter().filter(|of| of.status == DutyOutcome::Kept).count();
        let well = report.went_well.join(" ");
        let counts = kept == 0 || well.contains(&format!("{kept} dut"));
        let duties = m.rollout.duties(m.at);
        let ends = !report.finished
            || m.rollout.state().is_final() && duties.overdue.is_empty() && duties.due.is_empty();
        (!(counts && ends)).then(|| format!("{kept}, {}: {well}", report.finished))
    }),
    ("what is done is done in the report", |m| {
        let report = m.report.as_ref()?;
        m.rollout.duties(m.at).done.iter().find_map(|item| {
            let parts: Vec<_> = report.duties.iter().filter(|part| part.id == item.id).collect();
            let settled = item.settled.map(|settled| settled.at);
            let is_it = parts.is_empty() || parts.iter().any(|part| part.settled == settled);
            (!is_it).then(|| format!("{parts:?} beside {item:?}"))
        })
    }),
    ("what is resolved has its time", |m| {
        let resolved = m.came(Moment::Resolved).map(|at| at.to_string()[..19].replace('T', " "));
        let report = m.report.as_ref()?;
        let text = report.summary.join(" ") + &report.resolution.join(" ");
        match resolved {
            Some(at) => (!text.contains(&format!("was resolved at {at}"))).then_some(text),
            None => text.contains("was resolved").then_some(text),
        }
    }),
];

fn report(m: &Moments) -> Option<String> {
    let report = m.report.as_ref()?;
    let rollout = &m.rollout;
    let mut moments = report.moments.iter();
    let odd = moments.find(|part| rollout.moment(part.moment) != Some(part.at));
    if let Some(odd) = odd {
        return Some(format!("{odd:?}"));
    }
    let same = report.state == rollout.state()
        && report.as_of == m.at
        && report.incident.severity == rollout.severity();
    (!same).then(|| format!("{:?} {} {:?}", report.state, report.as_of, report.incident))
}

fn report_duties(m: &Moments) -> Option<String> {
    let report = m.report.as_ref()?;
    let duties = m.rollout.duties(m.at);
    let late = duties.overdue.iter().find(|item| {
        let line = format!("{}: overdue", item.title);
        !report.open.contains(&line)
    });
    let lines = report.open.iter().filter(|line| line.ends_with(": overdue")).count();
    if late.is_some() || lines != duties.overdue.len() {
        return Some(format!("{lines} of {:?}", duties.overdue));
    }
    let open = [&duties.due, &duties.overdue, &duties.next];
    open.into_iter().flatten().find_map(|item| {
        // One that was missed before a rollback has a row of its own.
        let parts: Vec<_> = report.duties.iter().filter(|part| part.id == item.id).collect();
        let is_it = parts.is_empty() || parts.iter().any(|part| part.due == item.due);
        (!is_it).then(|| format!("{parts:?} beside {item:?}"))
    })
}
