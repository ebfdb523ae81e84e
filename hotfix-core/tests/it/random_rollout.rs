//! Rollouts that are drawn: a policy, and one input after the other, some of which are refused.

use std::sync::Arc;

use hotfix_core::grade::MetricKind;
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Input, Recording, Rollout, State};
use hotfix_core::unit::{Span, Timestamp};
use serde_json::{Value, json};

use crate::ready;

/// Draws that are the same for ever: splitmix64.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to just below this.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    pub(crate) fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let place = self.below(all.len() as u64);
        &all[usize::try_from(place).unwrap()]
    }
}

/// What a drawn policy watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A rate of failures.
    Failures,
    /// A rate of successes beside it, and the claim that the fix works.
    Successes,
    Count,
    Latency,
    /// The same, with a tolerance of time.
    Tolerance,
    /// A gauge and a volume: no test.
    Levels,
    /// One rate, instance by instance, and against random subsets.
    Instances,
    Standard,
    PhasedCanary,
}

/// Mostly small policies, so that there can be many of them.
fn kind(dice: &mut Dice) -> Kind {
    match dice.below(200) {
        0..60 => Kind::Failures,
        60..90 => Kind::Successes,
        90..130 => Kind::Count,
        130..150 => Kind::Latency,
        150..170 => Kind::Tolerance,
        170..197 => Kind::Levels,
        197 => Kind::Instances,
        198 => Kind::Standard,
        _ => Kind::PhasedCanary,
    }
}

fn metrics(kind: Kind) -> Value {
    let errors = json!({
        "title": "errors", "kind": "proportion", "worse": "higher", "reference": 0.01, "weight": 1.0,
        "success": 0.05, "alert": 0.2, "rollback": 0.9,
    });
    match kind {
        Kind::Successes => {
            let mut errors = errors;
            errors["weight"] = json!(0.5);
            json!({
                "errors": errors,
                "paid": {"title": "paid", "kind": "proportion", "worse": "lower", "reference": 0.9, "weight": 0.5},
            })
        }
        Kind::Count => json!({
            "crashes": {"title": "crashes", "kind": "count", "worse": "higher", "weight": 1.0, "alert": "900/min"},
        }),
        Kind::Latency => json!({
            "slow": {"title": "slow", "kind": "latency", "worse": "higher", "quantile": 0.9, "reference": "250ms",
                "alert": {"ratio": 1.5, "of": "live"}, "boundaries": ["100ms", "300ms", "1s"], "weight": 1.0},
        }),
        Kind::Tolerance => json!({
            "slow": {"title": "slow", "kind": "latency", "worse": "higher", "quantile": 0.9, "reference": "250ms",
                "tolerated": 1.2, "boundaries": ["100ms", "300ms", "1s"], "weight": 1.0},
        }),
        Kind::Levels => json!({
            "load": {"title": "load", "kind": "gauge", "worse": "higher", "success": 2.5, "alert": 3.8},
            "requests": {"title": "requests", "kind": "volume", "worse": "lower", "alert": "3/min"},
        }),
        Kind::Failures | Kind::Instances | Kind::Standard | Kind::PhasedCanary => {
            json!({"errors": errors})
        }
    }
}

fn policy(kind: Kind, dice: &mut Dice) -> Policy {
    match kind {
        Kind::Standard => return Policy::preset("standard").unwrap(),
        Kind::PhasedCanary => return Policy::preset("phased-canary").unwrap(),
        _ => {}
    }
    let mode = if kind == Kind::Instances { "randomised" } else { "plain" };
    let tested = kind != Kind::Levels;
    let phase = |name: &str, share: f64, dice: &mut Dice| {
        let promotions = ["no_evidence_of_harm", "evidence_of_no_harm"];
        json!({
            "name": name, "objective": "it works", "share": share, "deploy": "1min", "watch": "30s",
            "watch_most": "2min", "promotion": if tested { *dice.of(&promotions) } else { promotions[0] },
            "criteria_missed": "hold", "inconclusive": dice.of(&["ask", "roll_back"]),
            "gate": dice.of(&["automatic", "manual", "veto"]), "early_promotion": dice.one_in(2), "veto": "20s",
        })
    };
    let share = if kind == Kind::Instances { 0.5 } else { 0.1 };
    let asks = dice.one_in(4);
    let duties = json!([
        {"id": "call", "kind": "escalate", "level": 1, "title": "lead called", "from": "declared", "within": "30s", "role": "lead"},
        {"id": "fix", "kind": "fix", "title": "fixed", "from": "declared", "within": "2min"},
        {"id": "news", "kind": "update", "title": "news", "from": "declared", "within": "20s", "every": "40s",
            "until": "resolved", "audience": "stakeholders", "when": {"fact": "users_affected", "above": 0.1}},
        {"id": "text", "kind": "write", "title": "written", "from": "deployed", "within": "next_day"},
    ]);
    let duties = if dice.one_in(2) { duties } else { json!([]) };
    let mut document = json!({
        "format": 1, "name": "drawn", "title": "drawn", "strategy": "canary",
        "evidence": {
            "alpha": 0.2, "tolerated": 1.0, "margin": 2.0, "hold": 3.0, "mode": mode, "otherwise": "plain",
            "change_point": dice.one_in(2), "phase_end_test": tested && mode == "plain" && dice.one_in(2),
        },
        "watch": {
            "cadence": "10s", "window": "1min", "stale": "30s", "least_trials": 20,
            "no_data": {"after": "2min", "then": "ask"},
            "new_instances": {"ratio": 40, "decay": "15s"},
        },
        "phases": [phase("first", share, dice), phase("all", 1.0, dice)],
        "roles": {"lead": {"title": "lead"}},
        "approvals": if asks { json!([{"any_of": ["lead"]}]) } else { json!([]) },
        "triggers": {"doubt": "ask", "fix_does_not_work": "roll_back"},
        "final_validation": {"watch": "20s", "gate": dice.of(&["automatic", "manual"])},
        "rollback": {
            "watch": "20s", "returned_within": "1min", "on_failure": dice.of(&["roll_back", "roll_back", "freeze", "ask"]),
            "steps": if dice.one_in(3) { json!([{"share": 0.95, "wait": "10s"}]) } else { json!([]) },
        },
        "duties": duties,
        "metrics": metrics(kind),
    });
    if kind == Kind::Successes {
        document["watch"]["scrape"] = json!("30s");
        document["efficacy"] =
            json!({"metric": "errors", "cut_to": 0.9, "alpha": 0.2, "required": true});
    }
    Policy::from_json(&document.to_string()).unwrap_or_else(|errors| panic!("{errors}"))
}

/// An input, and when it comes.
pub(crate) type Next = (Timestamp, Input);

/// A rollout and what comes to it.
pub(crate) struct Drawn {
    pub(crate) rollout: Rollout,
    pub(crate) kind: Kind,
    pub(crate) at: Timestamp,
    dice: Dice,
    /// Running totals, as counters have them.
    total: u64,
    keys: u64,
    /// How much worse the canary is.
    harm: u64,
}

impl Drawn {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let kind = kind(&mut dice);
        Self::of(kind, dice)
    }

    pub(crate) fn of(kind: Kind, mut dice: Dice) -> Self {
        let policy = Arc::new(policy(kind, &mut dice));
        let plan = Plan::from_json(
            policy,
            r#"{"id":"INC-2041","severity":"P1"}"#,
            r#"{"version":"2.3.1","previous":"2.3.0","author":"lena","methods":[{"kind":"feature_flag","seconds":5},{"kind":"redeploy","seconds":60}]}"#,
            r#"{"requests_per_minute":1000}"#,
        );
        let harm = *dice.of(&[1, 1, 1, 2, 8]);
        let salt = if dice.one_in(2) { "pepper" } else { "" };
        Self {
            rollout: Rollout::try_new(plan.unwrap(), Recording::Keep, salt).unwrap(),
            kind,
            at: "2026-03-03T14:40:00Z".parse().unwrap(),
            dice,
            total: 0,
            keys: 0,
            harm,
        }
    }

    /// The next input, at a time that mostly follows.
    pub(crate) fn draw(&mut self) -> Next {
        let millis = match self.dice.below(40) {
            0 => 0,
            1..4 => 45_000,
            4 => 150_000,
            _ => 9_000 + self.dice.below(2_000),
        };
        self.at = self.at + Span::from_millis(millis);
        let at = if self.dice.one_in(40) { self.at - Span::from_seconds(300) } else { self.at };
        let mut input = self.command();
        if self.dice.one_in(3) {
            // One in eight comes again, with the same input or another.
            self.keys += u64::from(self.keys == 0 || !self.dice.one_in(8));
            input["key"] = json!(format!("key-{}", self.keys));
        }
        (at, Input::from_json(&input.to_string()).unwrap())
    }

    fn command(&mut self) -> Value {
        let pending = self.rollout.pending_actions().first().map(|action| action.id.to_string());
        let early = self.rollout.now().is_none();
        if early && self.dice.one_in(4) {
            return json!({"kind": "set_facts", "by": "amir", "facts": {"users_affected": 0.31}});
        }
        match (self.rollout.state(), self.dice.below(20)) {
            (State::Drafted | State::AwaitingApproval, 0..19) if pending.is_none() => {
                ready::next(&self.rollout).unwrap_or_else(|| json!({"kind": "tick"}))
            }
            (State::Ready, 0..17) => json!({"kind": "start", "by": "lena"}),
            (_, 0..15) if pending.is_some() => {
                let kind = if self.dice.one_in(20) { "failed" } else { "confirm" };
                json!({"kind": kind, "by": "tool", "action": pending})
            }
            (State::Gate, 0..8) => json!({"kind": "promote", "by": "lena"}),
            (State::RolledBack | State::Failed | State::Aborted, 0..4) => {
                json!({"kind": "retry", "by": "lena", "why": "once more"})
            }
            (State::Paused, 0..8) => json!({"kind": "resume", "by": "lena"}),
            (_, 0..17) => json!({"kind": "observe", "metrics": self.metrics()}),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Value {
        let item = self.rollout.plan().policy().checklists().first();
        let item = item.and_then(|list| list.items.first()).map(|item| item.id);
        let word = match self.dice.below(26) {
            0..3 => json!({"kind": "tick"}),
            19 => json!({"kind": "supersede", "release": self.release(), "why": "a better one"}),
            20 | 21 => json!({"kind": "retry", "why": "once more"}),
            22 => json!({"kind": "acknowledge", "duty": "call"}),
            23 | 24 => json!({"kind": "done", "duty": self.dice.of(&["news", "text", "fix"])}),
            25 => {
                json!({"kind": "set_times", "times": {"detected": "2026-03-03T14:39:00Z", "next_day": "2026-03-04T09:00:00Z"}})
            }
            3 => json!({"kind": "promote", "why": "enough"}),
            4 => json!({"kind": "hold"}),
            5 => json!({"kind": "pause", "why": "lunch"}),
            6 => json!({"kind": "resume"}),
            7 => json!({"kind": "abort"}),
            8 => json!({"kind": "roll_back", "why": "I saw it"}),
            9 => json!({"kind": "revert", "version": "2.2.9", "why": "known good"}),
            10 => json!({"kind": "report", "signal": "doubt", "note": "odd"}),
            11 => json!({"kind": "report", "signal": "fix_does_not_work"}),
            12 => json!({"kind": "note", "text": "hm"}),
            13 => {
                json!({"kind": "approve", "role": "lead", "channel": "verbal", "heard_by": "iris"})
            }
            14 => json!({"kind": "deny", "role": "lead", "why": "not today"}),
            15 => json!({"kind": "withdraw", "role": "lead"}),
            16 => json!({"kind": "set_severity", "severity": "P0"}),
            17 => {
                json!({"kind": "set_facts", "facts": {"payment_failure_share": 0.4, "service_down": null}})
            }
            _ => json!({"kind": "check_item", "item": item, "status": "done", "evidence": "seen"}),
        };
        let mut word = word;
        if word["kind"] != "tick" {
            word["by"] = json!(self.dice.of(&["lena", "omar", "Iris"]));
        }
        if word["item"].is_null() && word["kind"] == "check_item" {
            return json!({"kind": "tick"});
        }
        word
    }

    /// Another one than that under way.
    fn release(&mut self) -> Value {
        self.total += 1;
        json!({"version": format!("2.4.{}", self.total), "previous": "2.3.0", "author": "omar",
            "methods": [{"kind": "redeploy", "seconds": 60}]})
    }

    fn metrics(&mut self) -> Value {
        let metrics: Vec<_> = self.rollout.plan().policy().metrics().iter().collect();
        let metrics: Vec<_> = metrics.into_iter().map(|m| (m.id, m.kind)).collect();
        let mut seen = serde_json::Map::new();
        self.total += 1;
        for (id, kind) in metrics {
            if !self.dice.one_in(12) {
                seen.insert(id.to_string(), self.reading(kind));
            }
        }
        Value::Object(seen)
    }

    fn reading(&mut self, kind: MetricKind) -> Value {
        let counted = matches!(kind, MetricKind::Proportion | MetricKind::Count);
        match self.dice.below(8) {
            0 if self.dice.one_in(2) => json!({"eu": self.arms(kind), "us": self.arms(kind)}),
            0 => json!([self.arms(kind), self.arms(kind)]),
            1 if counted => {
                let total = self.total * 100;
                json!({"totals": true, "canary": [self.total, total], "baseline": [self.total, 9 * total]})
            }
            2 if counted => self.by_instance(3),
            _ if self.kind == Kind::Instances => self.by_instance(12),
            _ => self.arms(kind),
        }
    }

    fn by_instance(&mut self, most: u64) -> Value {
        let arm = |harm: u64, name: &str, dice: &mut Dice| {
            let named =
                |n| (format!("{name}-{n}"), json!([dice.below(3) * harm, 60 + dice.below(3)]));
            Value::Object((0..most).map(named).collect())
        };
        json!({"canary": arm(self.harm, "new", &mut self.dice), "baseline": arm(1, "old", &mut self.dice)})
    }

    fn arms(&mut self, kind: MetricKind) -> Value {
        let (canary, baseline) = (self.sample(kind, self.harm), self.sample(kind, 1));
        match self.dice.below(12) {
            0 => json!({"canary": canary}),
            1 => json!({"baseline": baseline}),
            // One query given twice.
            2 => json!({"canary": canary, "baseline": canary}),
            _ => json!({"canary": canary, "baseline": baseline}),
        }
    }

    fn sample(&mut self, kind: MetricKind, harm: u64) -> Value {
        let dice = &mut self.dice;
        match kind {
            MetricKind::Proportion => json!([dice.below(4) * harm, 100 + dice.below(3) * 50]),
            MetricKind::Count => json!([dice.below(4) * harm, 10]),
            MetricKind::Gauge => json!(dice.below(40) as f64 / 10.0),
            MetricKind::Volume => json!(dice.below(40)),
            MetricKind::Latency => {
                let (slow, trials) = (dice.below(5) * harm.min(5), 100);
                let counts = [trials - 2 * slow, trials - slow, trials];
                json!({"le": [0.1, 0.3, 1.0], "counts": counts, "count": trials + dice.below(2)})
            }
        }
    }
}
