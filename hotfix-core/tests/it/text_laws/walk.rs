//! Whole incidents as users have them: what goes well is likely, and anything may happen.

use hotfix_core::policy::Policy;
use hotfix_core::rollout::{BlockerKind, Command, Input, Recording, State};
use hotfix_core::unit::{Span, Timestamp};
use serde_json::{Value, json};

use crate::model::alphabet::Move;
use crate::model::machine::Real;
use crate::model::past::Past;
use crate::random_rollout::Dice;
use crate::ready;
use crate::story::{RELEASE, Story};

use super::items;

/// The world of a walk: how good the fix is, and how people are.
pub(super) struct Walk {
    pub(super) story: Story,
    dice: Dice,
    what: fn(f64, u64) -> String,
    pub(super) read_at: Option<Timestamp>,
    /// What was sent, for whoever reads of a breach.
    pub(super) told: Vec<String>,
}

const TITLES: &[Option<&str>] =
    &[None, Some("Customers cannot pay"), Some("Customers cannot pay.")];

impl Walk {
    pub(super) fn new(preset: &str, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let mut incident = json!({"id": "INC-2041", "title": dice.of(TITLES)});
        if dice.one_in(2) {
            incident["service"] = json!("payments");
        }
        if !dice.one_in(5) {
            incident["severity"] = json!(dice.of(&["P0", "P1", "P1", "P2"]));
        }
        if dice.one_in(2) {
            incident["began_at"] = json!("2026-03-03T14:02:00Z");
        }
        if !dice.one_in(3) {
            incident["detected_at"] = json!("2026-03-03T14:06:00Z");
        }
        incident["facts"] = dice
            .of(&[
                json!({}),
                json!({"service_down": true, "users_affected": 1.0}),
                json!({"payment_failure_share": 0.55, "users_affected": 0.55}),
            ])
            .clone();
        let mut release: Value = serde_json::from_str(RELEASE).unwrap();
        if dice.one_in(2) {
            release["description"] = json!("No null pointer.");
        }
        let policy = Policy::preset(preset).unwrap();
        let story =
            Story::about(policy, Recording::Keep, &incident.to_string(), &release.to_string());
        let what = *dice.of(&[
            Story::healthy as fn(f64, u64) -> String,
            Story::healthy,
            Story::failing,
            Story::swapped,
        ]);
        Self { story, dice, what, read_at: None, told: vec![incident.to_string()] }
    }

    /// Sends an input after some time; false where it is refused.
    fn send(&mut self, after: Span, input: &Input) -> bool {
        let at = self.story.at + after + Span::from_millis(1);
        let reads = matches!(&input.command, Command::Observe { metrics } if !metrics.is_empty());
        let taken = self.story.rollout.handle(at, input).is_ok();
        if taken {
            self.story.at = at;
            self.read_at = self.read_at.filter(|_| !reads).or(reads.then_some(at));
            let named = self.told.last().is_some_and(|last| last == "observe");
            let text = format!("{:?}", input.command);
            let text = if reads { "observe".to_owned() } else { format!("{after} {text}") };
            if !(reads && named) {
                self.told.push(text);
            }
        }
        taken
    }

    fn say(&mut self, after: u32, input: &Value) -> bool {
        let input = Input::from_json(&input.to_string()).unwrap();
        self.send(Span::from_seconds(after), &input)
    }

    /// Readings until something happens.
    fn observe(&mut self) -> bool {
        let most = *self.dice.of(&[1, 6, 60, 240, 240]);
        let share = self.story.rollout.share().as_fraction();
        let back = self.story.rollout.rolled_back_since().is_some();
        let what = if back { Story::after_rollback } else { self.what };
        let before = self.story.rollout.state();
        let mut taken = false;
        for tick in 0..most {
            let metrics: Value = serde_json::from_str(&what(share, tick)).unwrap();
            taken |= self.say(10, &json!({"kind": "observe", "metrics": metrics}));
            if self.story.rollout.state() != before || !self.story.rollout.last_actions().is_empty()
            {
                break;
            }
        }
        taken
    }

    /// What comes next if all goes well.
    fn go_on(&mut self) -> bool {
        let pending = self.story.pending();
        if !pending.is_empty() {
            let kind = if self.dice.one_in(10) { "failed" } else { "confirm" };
            let after = *self.dice.of(&[1, 30, 100, 100, 1_200]);
            return self.say(after, &json!({"kind": kind, "by": "tool", "action": pending}));
        }
        match self.story.rollout.state() {
            State::Drafted | State::AwaitingApproval | State::Ready => {
                while self.dice.below(12) > 0
                    && let Some(input) = self.clearing()
                {
                    if !self.say(20, &input) {
                        break;
                    }
                }
                self.say(20, &json!({"kind": "start", "by": "lena"}))
            }
            State::Gate => self.say(30, &json!({"kind": "promote", "by": "lena"})),
            State::FinalValidation if self.dice.one_in(3) => {
                for input in ready::at_the_end(&self.story.rollout) {
                    self.say(1, &input);
                }
                self.say(5, &json!({"kind": "promote", "by": "lena", "why": "it works"}))
            }
            State::Paused => self.say(60, &json!({"kind": "resume", "by": "lena"})),
            State::RolledBack | State::Failed | State::Aborted if self.dice.one_in(2) => {
                let release = json!({"version": "2.3.2", "previous": "2.3.0", "methods": [{"kind": "redeploy", "seconds": 60}]});
                self.say(600, &json!({"kind": "retry", "by": "lena", "why": "another fix", "release": release}))
            }
            _ => self.observe(),
        }
    }

    /// What clears a blocker.
    fn clearing(&self) -> Option<Value> {
        let blockers = self.story.rollout.blockers();
        let other = [BlockerKind::Policy, BlockerKind::Traffic, BlockerKind::Readings];
        let first = blockers.iter().find(|of| !other.contains(&of.kind))?;
        Some(ready::clearing(self.story.rollout.plan().policy(), first))
    }

    fn wait(&mut self) -> bool {
        let tick = Input::new(Command::Tick);
        let now = self.story.at;
        let one = self.dice.of(&[60, 600, 3_600]);
        let long = self.dice.of(&[3_600, 86_400, 200_000]);
        match self.dice.below(4) {
            0 => self.say(*one, &json!({"kind": "tick"})),
            1 => self.say(*long, &json!({"kind": "tick"})),
            _ => match self.story.rollout.poll_at() {
                Some(at) => self.send(at.max(now).since(now), &tick),
                None => false,
            },
        }
    }

    fn word(&mut self) -> bool {
        let now = self.story.at;
        let duties: Vec<_> = items(&self.story.rollout, now).iter().map(|item| item.id).collect();
        let duty = if duties.is_empty() { None } else { Some(*self.dice.of(&duties)) };
        let lists = self.story.rollout.checklists();
        let all: Vec<_> =
            lists.iter().flat_map(|list| list.items.iter().map(|item| item.id)).collect();
        let item = if all.is_empty() { None } else { Some(*self.dice.of(&all)) };
        let mut input = match self.dice.below(16) {
            0 | 1 => json!({"kind": "acknowledge", "duty": duty}),
            2..=5 => json!({"kind": "done", "duty": duty, "evidence": "ticket 7"}),
            6 | 7 => json!({"kind": "check_item", "item": item, "evidence": "seen"}),
            8 => json!({"kind": "set_facts", "facts": {"service_down": self.dice.one_in(2)}}),
            9 => {
                let share =
                    self.dice.of(&[json!(0.0), json!(0.3), json!(1.0), json!(null)]).clone();
                json!({"kind": "set_facts", "facts": {"users_affected": share, "payment_failure_share": share}})
            }
            10 => {
                json!({"kind": "set_severity", "severity": self.dice.of(&["P0", "P1", "P2", "P3"])})
            }
            11 => {
                json!({"kind": "set_times", "times": {"began": "2026-03-03T14:00:00Z", "detected": "2026-03-03T14:05:00Z"}})
            }
            12 => json!({"kind": "set_times", "times": {"resolved": null}}),
            13 => json!({"kind": "set_times", "times": {"resolved": now.to_string()}}),
            14 => {
                json!({"kind": "note", "text": self.dice.of(&["root cause: a pool was too small.", "resolution: the pool was enlarged."])})
            }
            _ => json!({"kind": "set_times", "times": {"next_day": "2026-03-04T09:00:00Z"}}),
        };
        input["by"] = json!(self.dice.of(&["lena", "omar", "iris"]));
        // Where nothing is due, or no list has an item.
        if input.get("duty").or(input.get("item")).is_some_and(Value::is_null) {
            return false;
        }
        self.say(15, &input)
    }

    /// Whatever else may happen.
    fn any(&mut self) -> bool {
        let machine = Real(self.story.rollout.clone());
        let past = Past::default();
        let moves = Move::all(&machine, &past);
        let by = *self.dice.of(&moves);
        let Some((at, input)) = by.input(&machine, &past) else { return false };
        let (now, at) = (self.story.at, at.max(self.story.at));
        self.send(at.since(now), &input)
    }

    /// One step; false where nothing was accepted.
    pub(super) fn step(&mut self) -> bool {
        match self.dice.below(20) {
            0..=10 => self.go_on(),
            11..=13 => self.observe(),
            14 | 15 => self.wait(),
            16 | 17 => self.word(),
            _ => self.any(),
        }
    }
}
