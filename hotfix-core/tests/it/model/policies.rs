//! One small policy for each strategy: few phases, times in steps of ten seconds, one metric without a test, an approval,
//! an item, and a response of each class. Between them they have every kind of gate, and early promotion.

use std::sync::Arc;

use hotfix_core::grade::Strategy;
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;

const COMMON: &str = r#"
format = 1
title = "small"
after = ["1min"]
approvals = [{ any_of = ["lead"] }]

[[duties]]
id = "wake"
kind = "page"
title = "somebody is woken"
from = "declared"
within = "0s"
role = "lead"

[[duties]]
id = "news"
kind = "update"
title = "how it stands"
severities = ["P0"]
from = "declared"
within = "30s"
every = "1min"
until = "resolved"
audience = "stakeholders"

[[duties]]
id = "report"
kind = "write"
title = "the report"
from = "resolved"
within = "30s"

[severities.P0]
label = "critical"
hotfix = true
approvals = [{ any_of = ["owner"], after_the_fact = "1h" }]

[severities.P1]
label = "high"
hotfix = true

[[rules]]
id = "outage"
title = "nobody can use it"
severity = "P0"
when = "service_down"

[[checklists]]
id = "before"
title = "Before"
items = [{ id = "tests", text = "tests pass" }]

[watch]
cadence = "10s"
window = "1min"
stale = "30s"
least_trials = 1
alert = "ask"
no_data = { after = "40s", then = "ask" }

[metrics.errors]
kind = "proportion"
model = "none"
worse = "higher"
success = "10%"
alert = "20%"
rollback = "50%"

[triggers]
doubt = "roll_back"
user_reports_worse = "ask"
health_check_failed = "hold"
worse_performance = "continue"

[rollback]
watch = "20s"
returned_within = "40s"
"#;

/// What each strategy has beside that.
fn own(strategy: Strategy) -> (&'static str, &'static [(&'static str, &'static str)]) {
    const AUTOMATIC: &str = r#"gate = "automatic"
criteria_missed = "ask""#;
    const MANUAL: &str = r#"gate = "manual"
criteria_missed = "roll_back""#;
    const VETO: &str = r#"gate = "veto"
veto = "20s"
criteria_missed = "hold"
watch_most = "40s"
inconclusive = "ask""#;
    const EARLY: &str = r#"gate = "automatic"
early_promotion = true
criteria_missed = "hold"
watch_most = "30s"
inconclusive = "roll_back""#;
    match strategy {
        Strategy::Canary => ("automatic", &[("10%", VETO), ("100%", MANUAL)]),
        Strategy::BlueGreen => ("manual", &[("100%", AUTOMATIC)]),
        Strategy::Rolling => {
            ("automatic", &[("25%", AUTOMATIC), ("50%", AUTOMATIC), ("100%", VETO)])
        }
        Strategy::Immediate => ("automatic", &[("100%", MANUAL)]),
        Strategy::FeatureFlag => ("automatic", &[("50%", EARLY), ("90%", AUTOMATIC)]),
    }
}

/// What else may follow a failure (FIELD-6), as more of `[rollback]`.
pub(crate) const ON_FAILURE: [&str; 3] = [
    "on_failure = \"freeze\"\n",
    "on_failure = \"ask\"\n",
    "steps = [{ share = \"50%\", wait = \"10s\" }, { share = \"95%\", wait = \"20s\" }]\n",
];

/// The plan of a rollout with this strategy, with two ways back.
pub(crate) fn plan(strategy: Strategy) -> Plan {
    plan_with(strategy, "")
}

/// The same with more of `[rollback]`.
pub(crate) fn plan_with(strategy: Strategy, rollback: &str) -> Plan {
    plan_of(
        strategy,
        rollback,
        r#"{"version": "2.3.1", "previous": "2.3.0", "methods": [{"kind": "feature_flag", "seconds": 5}, {"kind": "redeploy", "seconds": 60}]}"#,
    )
}

/// The plan of an incident that has no release yet.
pub(crate) fn plan_without_release() -> Plan {
    plan_of(Strategy::Canary, "", "")
}

#[allow(clippy::format_push_string, reason = "a few lines, once a test")]
fn plan_of(strategy: Strategy, rollback: &str, release: &str) -> Plan {
    let (last, phases) = own(strategy);
    let mut text = format!("name = \"small\"\nstrategy = \"{strategy}\"\n{COMMON}{rollback}");
    text += &format!("\n[final_validation]\nwatch = \"20s\"\ngate = \"{last}\"\n");
    for (place, (share, gate)) in phases.iter().enumerate() {
        text += &format!(
            "\n[[phases]]\nname = \"p{place}\"\nshare = \"{share}\"\ndeploy = \"10s\"\nwatch = \"20s\"\npromotion = \"no_evidence_of_harm\"\n{gate}\n"
        );
    }
    let policy = Policy::from_toml(&text).unwrap_or_else(|errors| panic!("{errors}"));
    Plan::from_json(Arc::new(policy), r#"{"id": "INC-1", "severity": "P1"}"#, release, "")
        .unwrap_or_else(|error| panic!("{error}"))
}
