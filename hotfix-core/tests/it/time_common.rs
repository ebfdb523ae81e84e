//! Made-up policies and courses of events for the laws of the agenda.

use std::sync::LazyLock;

use hotfix_core::deadline::{Agenda, DutyRefusal, Input, Replan};
use hotfix_core::fact::{Fact, FactId, FactValue, Facts, Truth};
use hotfix_core::grade::{Calendar, Moment, Severity};
use hotfix_core::policy::Policy;
use hotfix_core::unit::{Span, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

pub(crate) fn start() -> Timestamp {
    "2026-03-03T14:00:00Z".parse().unwrap()
}

/// Something that an agenda is told.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    Severity(Severity),
    Down(Option<bool>),
    StopGap(Option<bool>),
    /// So many minutes before it is told.
    Moment(Moment, u32),
    TakenBack(Moment),
    /// In so many minutes.
    Day(Calendar, u32),
    Approval(usize, bool),
    Acknowledge(usize),
    Done(usize),
    Tick,
}

/// Happenings, each so many minutes after the one before.
pub(crate) type Course = Vec<(u32, Happening)>;

fn truth(known: Option<bool>) -> Truth {
    known.map_or(Truth::Unknown, Truth::from)
}

fn id(policy: &Policy, index: usize) -> hotfix_core::unit::Name {
    let others = ["slo", "approval_1", "approval_2", "nobody_knows_me"];
    match policy.duties().get(index) {
        Some(duty) => duty.id,
        None => others[index % others.len()].parse().unwrap(),
    }
}

impl Happening {
    fn with<T>(
        &self,
        at: Timestamp,
        name: impl Fn(usize) -> hotfix_core::unit::Name,
        tell: impl FnOnce(Option<Input<'_>>) -> T,
    ) -> T {
        let mut facts = Facts::default();
        let input = match self {
            Self::Severity(severity) => Input::Severity(Some(*severity)),
            Self::Down(down) => {
                if let Some(down) = down {
                    facts.set(FactId::BuiltIn(Fact::ServiceDown), FactValue::Flag(*down));
                }
                Input::Facts(&facts)
            }
            Self::StopGap(known) => Input::StopGap(truth(*known)),
            Self::Moment(moment, before) => {
                Input::Moment { moment: *moment, at: at - Span::from_seconds(60 * before) }
            }
            Self::TakenBack(moment) => Input::TakenBack(*moment),
            Self::Day(day, ahead) => {
                Input::Day { day: *day, at: at + Span::from_seconds(60 * ahead) }
            }
            Self::Approval(demand, given) => Input::Approval { demand: *demand, given: *given },
            Self::Acknowledge(index) => Input::Acknowledge { duty: name(*index) },
            Self::Done(index) => Input::Done { duty: name(*index) },
            Self::Tick => return tell(None),
        };
        tell(Some(input))
    }

    pub(crate) fn take(
        &self,
        agenda: &mut Agenda,
        policy: &Policy,
        at: Timestamp,
    ) -> Result<Option<Replan>, DutyRefusal> {
        self.with(
            at,
            |index| id(policy, index),
            |input| input.map(|input| agenda.take(policy, at, input)).transpose(),
        )
    }

    pub(crate) fn check(
        &self,
        agenda: &Agenda,
        policy: &Policy,
        at: Timestamp,
    ) -> Result<(), DutyRefusal> {
        self.with(
            at,
            |index| id(policy, index),
            |input| input.map_or(Ok(()), |input| agenda.check(at, input)),
        )
    }
}

/// Under `standard` with other duties.
static BASE: LazyLock<Value> = LazyLock::new(|| {
    let mut base: Value =
        serde_json::from_str(&Policy::preset("standard").unwrap().to_json()).unwrap();
    base["approvals"] = json!([{ "any_of": ["cto"], "after_the_fact": 3_600 }]);
    base
});

pub(crate) fn with_duties(duties: &Value) -> Policy {
    let mut document = BASE.clone();
    document["duties"] = duties.clone();
    Policy::from_json(&document.to_string()).unwrap_or_else(|error| panic!("{error}"))
}

fn moments() -> impl Strategy<Value = Moment> {
    prop::sample::select(vec![
        Moment::Detected,
        Moment::Declared,
        Moment::Approved,
        Moment::Deployed,
        Moment::Resolved,
        Moment::Closed,
    ])
}

fn days() -> impl Strategy<Value = Calendar> {
    prop::sample::select(Calendar::ALL.to_vec())
}

fn duty() -> impl Strategy<Value = Value> {
    let kind = prop::sample::select(vec![
        "act",
        "fix",
        "notify",
        "update",
        "page",
        "escalate",
        "escalate",
        "write",
        "follow_up",
    ]);
    let severities =
        prop::sample::select(vec![json!([]), json!(["P0"]), json!(["P1"]), json!(["P0", "P1"])]);
    let within = prop_oneof![
        prop::sample::select(vec![0, 300, 900, 3_600, 14_400]).prop_map(|seconds| json!(seconds)),
        days().prop_map(|day| json!(day)),
    ];
    let every = prop::option::weighted(0.3, prop::sample::select(vec![300, 900, 86_400]));
    let role = prop::option::of(prop::sample::select(vec!["on_call_engineer", "cto", "nobody"]));
    (
        (kind, severities, moments(), within),
        (every, prop::option::of(moments()), role, any::<bool>(), 0..8_u8),
    )
        .prop_map(|((kind, severities, from, within), (every, until, role, when, rest))| {
            let mut duty = json!({
                "kind": kind, "severities": severities, "from": from, "within": within,
                "title": "made up", "stop_gap": rest == 0,
            });
            if kind == "escalate" {
                duty["level"] = json!(1 + rest % 3);
            } else if let Some(every) = every {
                duty["every"] = json!(every);
                if let Some(until) = until {
                    duty["until"] = json!(until);
                }
            }
            if let Some(role) = role {
                duty["role"] = json!(role);
            }
            if when && rest < 3 {
                duty["when"] = json!("service_down");
            }
            duty
        })
}

/// A policy that shows its duties alone.
#[derive(Clone)]
pub(crate) struct Made(Policy);

impl std::fmt::Debug for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&serde_json::to_value(&self.0).unwrap()["duties"].to_string())
    }
}

impl std::ops::Deref for Made {
    type Target = Policy;

    fn deref(&self) -> &Policy {
        &self.0
    }
}

pub(crate) fn policy() -> impl Strategy<Value = Made> {
    prop::collection::vec(duty(), 1..12).prop_map(|mut duties| {
        for (index, duty) in duties.iter_mut().enumerate() {
            duty["id"] = json!(format!("duty_{index}"));
        }
        Made(with_duties(&Value::Array(duties)))
    })
}

fn happening() -> impl Strategy<Value = Happening> {
    let severity = prop::sample::select(vec![Severity::P0, Severity::P1, Severity::P2]);
    prop_oneof![
        2 => severity.prop_map(Happening::Severity),
        1 => any::<Option<bool>>().prop_map(Happening::Down),
        1 => any::<Option<bool>>().prop_map(Happening::StopGap),
        6 => (moments(), 0..40_u32).prop_map(|(moment, before)| Happening::Moment(moment, before)),
        1 => Just(Happening::Moment(Moment::RolledBack, 0)),
        1 => moments().prop_map(Happening::TakenBack),
        2 => (days(), 0..3_000_u32).prop_map(|(day, ahead)| Happening::Day(day, ahead)),
        1 => (0..3_usize, any::<bool>()).prop_map(|(demand, given)| Happening::Approval(demand, given)),
        4 => (0..16_usize).prop_map(Happening::Acknowledge),
        6 => (0..16_usize).prop_map(Happening::Done),
        3 => Just(Happening::Tick),
    ]
}

pub(crate) fn happenings(most: usize) -> impl Strategy<Value = Course> {
    prop::collection::vec(
        (prop::sample::select(vec![0, 0, 1, 5, 14, 15, 60, 300]), happening()),
        1..most,
    )
}

pub(crate) fn course() -> impl Strategy<Value = Course> {
    happenings(25)
}
