//! What the tests of the linter share: patches of a preset that show a finding, and near misses that do not.

use hotfix_core::lint::{Example, Finding};
use hotfix_core::metric::{Band, Judged, judge_bounds};
use hotfix_core::policy::Policy;
use hotfix_core::policy::section::{Bounds, Metric};
use hotfix_core::unit::{Span, Timestamp};
use serde_json::Value;

use crate::policy_common::apply;

/// A patch: values at JSON Pointers; `null` takes out what stands there.
pub(crate) type Patch = Vec<(&'static str, Value)>;

/// One finding: what shows it, and what is just short of it.
pub(crate) struct Row {
    pub(crate) code: &'static str,
    pub(crate) place: &'static str,
    /// Parts of its sentence.
    pub(crate) says: &'static [&'static str],
    /// Set for both.
    pub(crate) base: Patch,
    pub(crate) fault: Patch,
    pub(crate) near: Patch,
}

/// Makes rows with this base.
pub(crate) fn row_on(
    base: &Patch,
) -> impl Fn(&'static str, &'static str, &'static [&'static str], Patch, Patch) -> Row {
    |code, place, says, fault, near| Row { code, place, says, base: base.clone(), fault, near }
}

/// A row without a base of its own.
pub(crate) fn row(
    code: &'static str,
    place: &'static str,
    says: &'static [&'static str],
    fault: Patch,
    near: Patch,
) -> Row {
    row_on(&Patch::new())(code, place, says, fault, near)
}

/// What a plan needs is left, and nothing that the findings on people, times and messages are about.
const BARE: &[&str] = &[
    "facts",
    "implications",
    "severities",
    "rules",
    "tree",
    "change_record",
    "roles",
    "vendors",
    "duties",
    "scope",
    "vcs",
    "procedure",
    "advice",
    "checklists",
    "success",
    "deploying",
    "messages",
    "report",
    "remedies",
    "risks",
    "contingencies",
];

/// `standard` bare, or another preset as it is, with these patches one after the other.
pub(crate) fn patched(preset: &str, patches: &[&Patch]) -> Policy {
    let mut document: Value =
        serde_json::from_str(&Policy::preset(preset).unwrap().to_json()).unwrap();
    if preset == "standard" {
        for key in BARE {
            document.as_object_mut().unwrap().remove(*key);
        }
        let rollback = document["rollback"].as_object_mut().unwrap();
        rollback.retain(|key, _| matches!(key.as_str(), "watch" | "returned_within"));
        // Read and written, so that what may be left out stands there empty.
        let bare = Policy::from_json(&document.to_string()).unwrap().to_json();
        document = serde_json::from_str(&bare).unwrap();
    }
    for patch in patches {
        for (pointer, value) in *patch {
            let set = [((*pointer).to_owned(), value.clone())];
            let (set, remove): (&[_], &[_]) =
                if value.is_null() { (&[], &[(*pointer).to_owned()]) } else { (&set, &[]) };
            apply(&mut document, set, remove);
        }
    }
    Policy::from_json(&document.to_string()).unwrap_or_else(|errors| panic!("{errors}"))
}

pub(crate) fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

/// Whether every row shows its finding at its place, and none where it is just short of it.
pub(crate) fn check(preset: &str, rows: Vec<Row>) {
    let mut wrong = Vec::new();
    for row in rows {
        let found = patched(preset, &[&row.base, &row.fault]).lint(Some(now()));
        let here = |f: &&Finding| f.code() == row.code && f.path == row.place;
        match found.iter().find(here) {
            None => {
                let got: Vec<_> = found.iter().map(|f| (f.code(), &f.path)).collect();
                wrong.push(format!("{} at {} is not found, but {got:?}", row.code, row.place));
            }
            Some(finding) => {
                let message = finding.message();
                for part in row.says.iter().filter(|part| !message.contains(**part)) {
                    wrong.push(format!("{}: nothing says `{part}` in: {message}", row.code));
                }
            }
        }
        let policy = patched(preset, &[&row.base, &row.near]);
        if let Some(finding) = policy.lint(Some(now())).iter().find(here) {
            wrong.push(format!("{} cries wolf: {}", row.code, finding.message()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Chances of 0, 1, 2, … bad events of `trials`, one after the other: slow, and obviously right.
pub(crate) fn binomial(trials: u32, rate: f64) -> Vec<f64> {
    let mut chance = (0..trials).fold(1.0, |chance, _| chance * (1.0 - rate));
    let mut all = Vec::new();
    for bad in 0..=trials {
        all.push(chance);
        chance *= f64::from(trials - bad) / f64::from(bad + 1) * rate / (1.0 - rate);
    }
    all
}

/// Chances of 0, 1, 2, … events where so many are expected.
fn poisson(expected: f64, most: u32) -> Vec<f64> {
    let mut chance = (-expected).exp();
    let mut all = Vec::new();
    for events in 0..=most {
        all.push(chance);
        chance *= expected / f64::from(events + 1);
    }
    all
}

/// The chance of fewer than so many where many are expected, in logarithms.
fn fewer(expected: f64, than: u32) -> f64 {
    let mut ln_chance = -expected;
    let mut sum = 0.0;
    for events in 0..than {
        sum += ln_chance.exp();
        ln_chance += (expected / f64::from(events + 1)).ln();
    }
    sum
}

/// The chance to be beyond a bound that allows so many of these trials, one less if too few come for it and
/// one more if there are enough; with fewer than `least` it is not asked.
pub(crate) fn missed(
    (trials, least): (u32, u32),
    rate: f64,
    most: u32,
    within: impl Fn(u32, u32) -> bool,
) -> f64 {
    let law = binomial(trials, rate);
    let beyond = |most: u32| 1.0 - law[..=most as usize].iter().sum::<f64>();
    let enough = |bad: u32| (1..=u32::MAX).find(|trials| within(bad, *trials)).unwrap();
    let expected = f64::from(trials);
    let unasked = fewer(expected, least);
    let less = (fewer(expected, enough(most)) - unasked).max(0.0);
    let more = 1.0 - fewer(expected, enough(most + 1)).max(unasked);
    let one_less = if most > 0 { beyond(most - 1) } else { 1.0 };
    less * if less > 1e-12 { one_less } else { 0.0 }
        + (1.0 - unasked - less - more) * beyond(most)
        + more * beyond(most + 1)
}

/// Feeds an example back: counts to the bands and to the sum above, times to their own sum.
pub(crate) fn feed_back(policy: &Policy, finding: &Finding) {
    let told = finding.message();
    match finding.example.as_ref().unwrap() {
        Example::Counts { metric, events, trials, chance, .. } => {
            let metric = policy.metric(metric.as_str()).unwrap();
            let bound = finding.path.rsplit('/').next().unwrap();
            let trips = |events| band(metric, bound, events, *trials);
            assert!(trips(*events), "{told}: {events} of {trials} are not beyond it");
            let bad = metric.worse.bad(*events, *trials);
            let one_less = metric.worse.bad(bad - 1.0, *trials);
            assert!(!trips(one_less), "{told}: {one_less} of {trials} are beyond it too");
            let record = metric.reference.unwrap();
            let is_count = metric.kind == hotfix_core::grade::MetricKind::Count;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
            let (bad, trials, least) =
                (bad as u32, *trials as u32, policy.watch().least_trials.ceil() as u32);
            let exact = if is_count {
                let within = poisson(record * f64::from(trials) / 60.0, bad);
                1.0 - within[..bad as usize].iter().sum::<f64>()
            } else {
                let within = |bad: u32, trials: u32| {
                    let (bad, trials) = (f64::from(bad), f64::from(trials));
                    bad <= trials && !band(metric, bound, metric.worse.bad(bad, trials), trials)
                };
                let rate = metric.worse.bad(record, 1.0);
                if bound == "success" {
                    // A gate gets exactly the planned requests.
                    1.0 - binomial(trials, rate)[..bad as usize].iter().sum::<f64>()
                } else {
                    missed((trials, least), rate, bad - 1, within)
                }
            };
            assert!((chance - exact).abs() < 1e-9, "{told}: {chance}, exactly {exact}");
        }
        Example::Times { steps, least, most, limit } => {
            let sum = |of: fn(&hotfix_core::lint::StepTime) -> Span| {
                steps.iter().map(of).fold(Span::ZERO, |sum, next| sum + next)
            };
            assert_eq!((sum(|s| s.least), sum(|s| s.most)), (*least, *most), "{told}");
            assert!(most > limit && least <= most, "{told}");
        }
        // Fed back where the tree and the rules are tested.
        Example::Facts(_) => {}
    }
}

/// Whether a value is beyond the bound of this name, or misses it.
fn band(metric: &Metric, bound: &str, events: f64, trials: f64) -> bool {
    let per = if metric.kind == hotfix_core::grade::MetricKind::Count { 60.0 } else { 1.0 };
    let value = Judged::exactly(events / trials * per);
    let all = metric.bounds;
    let (bounds, band) = match bound {
        "success" => (Bounds { success: all.success, ..Bounds::default() }, Band::Hold),
        "alert" => (Bounds { alert: all.alert, ..Bounds::default() }, Band::Alert),
        _ => (Bounds { rollback: all.rollback, ..Bounds::default() }, Band::Rollback),
    };
    judge_bounds(&Metric { bounds, ..metric.clone() }, value, None, true) == band
}
