//! The record of a scene: a [`RunRecord`], made from the driver's lines, from which the report is
//! written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::conclusion::Conclusion;
use crate::lines::{Judged, Line, Pair, Tick};
use crate::load::Summary;
use crate::machine::MachineSecond;
use crate::pace::Pace;

/// A stretch of a scene in one state and phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Phase {
    /// Name of the phase.
    pub(crate) name: String,
    /// State of the rollout.
    pub(crate) state: String,
    /// The canary's share of the traffic.
    pub(crate) share: f64,
    /// Seconds from the scene's start.
    pub(crate) from: f64,
    /// Seconds from the scene's start.
    pub(crate) to: f64,
}

/// A metric's values over time by arm; seconds from the scene's start and value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Series {
    /// The fix.
    pub(crate) canary: Vec<(f64, f64)>,
    /// The version to be replaced.
    pub(crate) baseline: Vec<(f64, f64)>,
}

/// Evidence on one question about one metric over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Evidence {
    /// The metric.
    pub(crate) metric: String,
    /// The question: harm, promotion, efficacy.
    pub(crate) question: String,
    /// Log e at which it is decided, if that is known.
    pub(crate) threshold: Option<f64>,
    /// Seconds from the scene's start and log e.
    pub(crate) points: Vec<(f64, f64)>,
}

impl Evidence {
    /// The highest log e.
    pub(crate) fn highest(&self) -> f64 {
        self.points.iter().map(|p| p.1).fold(f64::NEG_INFINITY, f64::max)
    }
}

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EventKind {
    /// The rollout continued.
    Good,
    /// The rollout was rolled back.
    Bad,
    /// Something the lab did: a fault, a kill.
    Lab,
    /// Any other event.
    Plain,
}

/// Something that happened, marked in the plots and listed in the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Event {
    /// Seconds from the scene's start.
    pub(crate) at: f64,
    /// Kind of event.
    pub(crate) kind: EventKind,
    /// What happened.
    pub(crate) what: String,
    /// Why, or with what result.
    pub(crate) why: String,
    /// Whether the plots mark it.
    pub(crate) marked: bool,
}

/// An action and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Action {
    /// The library's id, the same after a crash.
    pub(crate) id: String,
    /// What was done.
    pub(crate) what: String,
    /// Seconds from the scene's start.
    pub(crate) begun: f64,
    /// How often a driver began it: twice if the first driver died during it.
    pub(crate) begun_times: u32,
    /// How often its success was reported to the library.
    pub(crate) confirmed_times: u32,
    /// How often its failure was reported.
    pub(crate) failed_times: u32,
    /// Seconds from the scene's start at which it succeeded or failed; None if it did not end.
    pub(crate) ended: Option<f64>,
    /// Index of its event in [`RunRecord::events`].
    pub(crate) event: usize,
}

/// A message of the library.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Message {
    /// Seconds from the scene's start.
    pub(crate) at: f64,
    /// To whom.
    pub(crate) audience: String,
    /// Its text.
    pub(crate) text: String,
}

/// The verdict of one tick at which something changed, for the decision table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Verdict {
    /// Seconds from the scene's start.
    pub(crate) at: f64,
    /// Name of the phase.
    pub(crate) phase: String,
    /// continue, hold, promote, `roll_back`, ask.
    pub(crate) decision: String,
    /// Its reasons.
    pub(crate) why: String,
    /// Values over the last seconds.
    pub(crate) values: BTreeMap<String, Pair>,
    /// The verdict on each metric.
    pub(crate) judged: BTreeMap<String, Judged>,
}

/// A check of a scene, and whether it passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Check {
    /// The requirement.
    pub(crate) what: String,
    /// Whether it was met.
    pub(crate) passed: bool,
    /// The observation.
    pub(crate) seen: String,
}

/// Summary of the first attempt at a scene that was repeated because the machine was busy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct FirstAttempt {
    /// State in which the rollout ended; empty if it did not end.
    pub(crate) outcome: String,
    /// Length in seconds.
    pub(crate) seconds: f64,
    /// Seconds in which the machine was busy.
    pub(crate) busy_seconds: usize,
    /// The failed checks.
    pub(crate) not_so: Vec<Check>,
    /// Why it could not be finished.
    pub(crate) error: Option<String>,
}

impl FirstAttempt {
    /// Why the scene was repeated, as text.
    pub(crate) fn sentence(&self) -> String {
        format!("repeated: the machine was busy for {} s", self.busy_seconds)
    }
}

/// All data of the report about one scene.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunRecord {
    /// Short name, used in file names and anchors.
    pub(crate) scene: String,
    /// Title.
    pub(crate) title: String,
    /// The description, in one or two sentences.
    pub(crate) story: String,
    /// State in which the rollout ended.
    pub(crate) outcome: String,
    /// Start in seconds of Unix time; all other times count from it.
    pub(crate) began: f64,
    /// Length in seconds.
    pub(crate) seconds: f64,
    /// Its pace.
    pub(crate) pace: Pace,
    /// Stretches in one state and phase.
    pub(crate) phases: Vec<Phase>,
    /// Values by metric id.
    pub(crate) series: BTreeMap<String, Series>,
    /// Evidence by metric and question.
    pub(crate) evidence: Vec<Evidence>,
    /// What happened, in order.
    pub(crate) events: Vec<Event>,
    /// Actions, in order.
    pub(crate) actions: Vec<Action>,
    /// Verdicts at which something changed.
    pub(crate) verdicts: Vec<Verdict>,
    /// Messages, in order.
    pub(crate) messages: Vec<Message>,
    /// The checks of the scene.
    pub(crate) checks: Vec<Check>,
    /// The results of the customers' requests.
    pub(crate) load: Option<Summary>,
    /// The machine, by second.
    pub(crate) machine: Vec<MachineSecond>,
    /// Facts about the log: events, head.
    pub(crate) facts: BTreeMap<String, String>,
    /// Why the scene could not be finished.
    pub(crate) error: Option<String>,
    /// The first attempt, if this is the second.
    pub(crate) repeated: Option<FirstAttempt>,
}

impl RunRecord {
    /// Starts a record at `began`, seconds of Unix time.
    pub(crate) fn new(scene: &str, title: &str, story: &str, began: f64) -> Self {
        Self {
            scene: scene.into(),
            title: title.into(),
            story: story.into(),
            began,
            ..Self::default()
        }
    }

    /// The conclusion of the scene.
    pub(crate) fn conclusion(&self) -> Conclusion {
        let shown = !self.checks.is_empty() && self.checks.iter().all(|c| c.passed);
        Conclusion::of(self.error.is_none() && shown, self.busy_seconds())
    }

    /// For how many seconds of the scene the machine was busy.
    pub(crate) fn busy_seconds(&self) -> usize {
        self.machine.iter().filter(|second| second.busy).count()
    }

    /// Replaces this record by that of a second attempt, and keeps a summary of the first.
    pub(crate) fn repeated_as(&mut self, again: Self) {
        let first = std::mem::replace(self, again);
        self.repeated = Some(FirstAttempt {
            busy_seconds: first.busy_seconds(),
            outcome: first.outcome,
            seconds: first.seconds,
            not_so: first.checks.into_iter().filter(|check| !check.passed).collect(),
            error: first.error,
        });
    }

    /// Notes something that the lab did, at `at` seconds of Unix time.
    pub(crate) fn lab_did(&mut self, at: f64, what: &str, why: &str) {
        self.event(at, EventKind::Lab, what, why, true);
    }

    /// Records a check of the scene.
    pub(crate) fn check(&mut self, what: &str, passed: bool, seen: impl Into<String>) {
        self.checks.push(Check { what: what.into(), passed, seen: seen.into() });
    }

    fn event(&mut self, at: f64, kind: EventKind, what: &str, why: &str, marked: bool) {
        let at = at - self.began;
        self.seconds = self.seconds.max(at);
        self.events.push(Event { at, kind, what: what.into(), why: why.into(), marked });
    }

    /// Adds one line of the driver.
    pub(crate) fn take(&mut self, line: Line) {
        match line {
            Line::Began { at, resumed: false, .. } => {
                self.event(at, EventKind::Plain, "driver started", "", false);
            }
            Line::Began { at, events, .. } => {
                let why = format!("{events} events read back from the log");
                self.event(at, EventKind::Lab, "driver resumed", &why, true);
            }
            Line::Tick(tick) => self.tick(*tick),
            Line::Acting { at, id, what, again } => self.acting(at, id, &what, again),
            Line::Acted { at, id, failed } => self.acted(at, &id, failed),
            Line::Decided { at, what, why } => {
                let kind = match what.as_str() {
                    "roll_back" | "next_method" | "frozen" | "aborted" | "failed" | "ask" => {
                        EventKind::Bad
                    }
                    "promote" | "final_validation" | "complete" | "efficacy_shown" => {
                        EventKind::Good
                    }
                    _ => EventKind::Plain,
                };
                self.event(at, kind, &what, &why, kind != EventKind::Plain);
            }
            Line::Noted { at, what, why } => self.event(at, EventKind::Plain, &what, &why, false),
            Line::Message { at, audience, text } => {
                let at = at - self.began;
                self.messages.push(Message { at, audience, text });
            }
            Line::Ended { at, state, facts } => {
                self.seconds = self.seconds.max(at - self.began);
                self.outcome = state;
                self.facts = facts;
            }
        }
    }

    fn acting(&mut self, at: f64, id: String, what: &str, again: bool) {
        let shown = if again { format!("{what} (resumed)") } else { what.to_owned() };
        let event = self.events.len();
        self.event(at, EventKind::Plain, &shown, &format!("action {id}"), false);
        let begun = at - self.began;
        if let Some(action) = self.actions.iter_mut().find(|a| a.id == id) {
            action.begun_times += 1;
            (action.begun, action.event) = (begun, event);
            return;
        }
        self.actions.push(Action {
            id,
            what: what.to_owned(),
            begun,
            begun_times: 1,
            confirmed_times: 0,
            failed_times: 0,
            ended: None,
            event,
        });
    }

    fn acted(&mut self, at: f64, id: &str, failed: Option<String>) {
        let took = at - self.began;
        let Some(action) = self.actions.iter_mut().find(|a| a.id == id) else { return };
        action.ended = Some(took);
        let ended = if let Some(why) = failed {
            action.failed_times += 1;
            format!("failed: {why}")
        } else {
            action.confirmed_times += 1;
            format!("confirmed after {:.1} s", took - action.begun)
        };
        if let Some(event) = self.events.get_mut(action.event) {
            event.why = format!("action {id}, {ended}");
        }
    }

    fn tick(&mut self, tick: Tick) {
        let at = tick.at - self.began;
        self.seconds = self.seconds.max(at);
        match self.phases.last_mut() {
            Some(p) if p.name == tick.phase && p.state == tick.state && p.share == tick.share => {
                p.to = at;
            }
            last => {
                if let Some(p) = last {
                    p.to = at;
                }
                self.phases.push(Phase {
                    name: tick.phase.clone(),
                    state: tick.state.clone(),
                    share: tick.share,
                    from: at,
                    to: at,
                });
            }
        }
        for (id, pair) in &tick.values {
            let series = self.series.entry(id.clone()).or_default();
            series.canary.extend(pair.canary.map(|v| (at, v)));
            series.baseline.extend(pair.baseline.map(|v| (at, v)));
        }
        for (id, judged) in &tick.judged {
            for (question, log_e) in &judged.evidence {
                let threshold = judged.thresholds.get(question).copied();
                self.evidence_on(id, question, threshold).push((at, *log_e));
            }
        }
        self.verdict(at, tick);
    }

    fn evidence_on(
        &mut self,
        metric: &str,
        question: &str,
        threshold: Option<f64>,
    ) -> &mut Vec<(f64, f64)> {
        let place = self.evidence.iter().position(|e| e.metric == metric && e.question == question);
        let place = place.unwrap_or_else(|| {
            self.evidence.push(Evidence {
                metric: metric.into(),
                question: question.into(),
                threshold,
                points: Vec::new(),
            });
            self.evidence.len() - 1
        });
        &mut self.evidence[place].points
    }

    /// Keeps the verdicts at which the decision, the phase or a band changed.
    fn verdict(&mut self, at: f64, tick: Tick) {
        let bands = |judged: &BTreeMap<String, Judged>| -> Vec<String> {
            judged.values().map(|j| j.band.clone()).collect()
        };
        let same = self.verdicts.last().is_some_and(|last| {
            last.decision == tick.decision
                && last.phase == tick.phase
                && bands(&last.judged) == bands(&tick.judged)
        });
        if !same {
            self.verdicts.push(Verdict {
                at,
                phase: tick.phase,
                decision: tick.decision,
                why: tick.why,
                values: tick.values,
                judged: tick.judged,
            });
        }
    }
}
