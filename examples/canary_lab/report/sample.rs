//! Synthetic records for tests of the report.

use std::collections::BTreeMap;

use crate::lines::{Judged, Line, Pair, Tick};
use crate::load::Summary;
use crate::machine::MachineSecond;
use crate::record::RunRecord;
use crate::report::Report;

/// A fix whose errors rise from 16 s on and which is rolled back at 19 s.
pub(crate) fn rolled_back() -> RunRecord {
    run("errors", "A fix that brings errors is rolled back", Some(16.0))
}

/// Two scenes, one of each ending, one that was repeated, and one that was disturbed.
pub(crate) fn report() -> Report {
    let good = run("good", "A good fix is rolled out", None);
    let scenes = vec![good, rolled_back(), repeated(), disturbed()];
    Report::new("Canary lab", scenes, 1_772_500_000.0, 61.0, Some(30.0))
}

/// A scene that ended otherwise while the machine was busy for 3 s.
pub(crate) fn disturbed() -> RunRecord {
    let mut record = run("veto", "A person holds a promotion", None);
    for second in &mut record.machine[10..13] {
        *second = MachineSecond::new(second.at, 0.075, Some(0.18), Some(0.43));
    }
    record.check("it is promoted when a person sends `promote`", false, "after 2.4 s");
    record
}

/// The disturbed scene, repeated without a disturbance.
pub(crate) fn repeated() -> RunRecord {
    let mut record = disturbed();
    record.repeated_as(run("veto", "A person holds a promotion", None));
    record
}

fn run(id: &str, title: &str, bad_from: Option<f64>) -> RunRecord {
    let began = 1_772_500_000.0;
    let mut record = RunRecord::new(id, title, "Made-up figures.", began);
    record.take(Line::Began { at: began + 1.0, resumed: false, events: 0, people: None });
    record.take(Line::Message {
        at: began + 1.0,
        audience: "notify responders".into(),
        text: "Hot-fix 2.3.1 of payments starts: 10, 50, 100% of traffic.".into(),
    });
    let mut log_e = -0.1;
    for i in 0..240 {
        let t = 1.0 + f64::from(i) * 0.25;
        let wave = (f64::from(i) * 0.7).sin();
        let (phase, share, until) = match t {
            t if t < 3.0 => ("canary", 0.0, None),
            t if t < 13.0 => ("canary", 0.1, Some(13.0)),
            t if t < 25.0 => ("partial", 0.5, Some(25.0)),
            _ => ("full", 1.0, Some(60.0)),
        };
        let bad = bad_from.is_some_and(|from| t > from);
        if bad {
            log_e += 0.6;
        }
        let back = log_e > 4.6;
        let canary = (share > 0.0 && !back).then_some(());
        let baseline = (share < 1.0).then_some(());
        let pair = |c: f64, b: f64| Pair {
            canary: canary.map(|()| c.max(0.0)),
            baseline: baseline.map(|()| b.max(0.0)),
        };
        let errors = if bad { 0.06 } else { 0.003 };
        let values = BTreeMap::from([
            ("error_rate".into(), pair(errors + 0.003 * wave, 0.003 + 0.001 * wave)),
            ("latency_p95".into(), pair(0.24 + 0.02 * wave, 0.23 + 0.01 * wave)),
            ("payment_success".into(), pair(0.997 - errors, 0.45 + 0.02 * wave)),
            ("bug".into(), pair(0.0, 4_950.0 + 300.0 * wave)),
            ("request_volume".into(), pair(9_000.0 * share, 9_000.0 * (1.0 - share))),
        ]);
        let judged = |band: &str, question: &str, e: f64| Judged {
            band: band.into(),
            evidence: BTreeMap::from([(question.into(), e)]),
            thresholds: BTreeMap::from([(question.into(), 4.6)]),
        };
        let band = if bad { "rollback" } else { "success" };
        record.take(Line::Tick(Box::new(Tick {
            at: began + t,
            state: if back { "rolling_back" } else { "monitoring" }.into(),
            phase: phase.into(),
            share,
            left: until.map(|u| u - t),
            decision: if back { "roll_back" } else { "continue" }.into(),
            why: String::new(),
            values,
            judged: BTreeMap::from([
                ("error_rate".into(), judged(band, "harm", log_e)),
                ("latency_p95".into(), judged("success", "harm", -0.5 + 0.3 * wave)),
                ("bug".into(), judged("success", "efficacy", (t - 3.0).clamp(0.0, 40.0))),
            ]),
        })));
        if back {
            let why = "error_rate: log e 4.9 of 4.6; 6.1% against 0.3%".into();
            record.take(Line::Decided { at: began + t, what: "roll_back".into(), why });
            let id = "57-0".to_owned();
            let what = "roll back to 2.3.0 by feature_flag".into();
            record.take(Line::Acting { at: began + t, id: id.clone(), what, again: false });
            record.take(Line::Acted { at: began + t + 0.1, id, failed: None });
            break;
        }
        if [13.0, 25.0].contains(&t) {
            let why = "no evidence of harm".into();
            record.take(Line::Decided { at: began + t, what: "promote".into(), why });
        }
    }
    let state = if bad_from.is_some() { "rolled_back" } else { "complete" };
    let facts = BTreeMap::from([("events".into(), "251".into())]);
    record.take(Line::Ended { at: began + record.seconds, state: state.into(), facts });
    record.check("the rollout ends as required", true, state);
    record.check("the load kept its rate", true, "9150 of 9150 sent, 150 per second");
    record.machine = (0..61)
        .map(|second| MachineSecond::new(f64::from(second), 0.004, Some(0.006), Some(0.012)))
        .collect();
    record.load = Some(Summary {
        planned: 9_150,
        sent: 9_150,
        ok: 7_200,
        failed: 1_950,
        p50: 0.12,
        p95: 0.23,
        p99: 0.31,
        slowest: 0.9,
        seconds: 61.0,
        rate_asked: 150.0,
        rate_sent: 150.0,
        ..Summary::default()
    });
    record
}
