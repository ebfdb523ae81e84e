//! All texts of one moment are about one state: whole incidents, and after each input what everybody reads is compared.
//!
//! A law that finds something is a defect of a text or of the state; the walk that led there is printed with it.

mod form;
mod report;
mod walk;

use std::collections::BTreeMap;

use hotfix_core::deadline::Item;
use hotfix_core::grade::{Audience, DutyKind, MessageKind, Moment};
use hotfix_core::message::{Format, MessageError};
use hotfix_core::policy::Policy;
use hotfix_core::report::Report;
use hotfix_core::rollout::{Act, Action, BlockerKind, Command, InputKind, Rollout, Stage, State};
use hotfix_core::unit::{Share, Span, Timestamp};

use crate::random_rollout::Drawn;

use form::{durations, form};
use walk::Walk;

/// Where a text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Message(MessageKind, Audience),
    Question,
    /// A question, page or notice that the last input raised.
    Act,
    Blocker,
    Duty,
    /// Of the report: its outcome and what is left to do.
    Outcome,
    Open,
    /// Of the report: what happened, also before.
    Past,
}

/// Everything that is read after an input.
struct Moments {
    rollout: Rollout,
    at: Timestamp,
    acts: Vec<Action>,
    texts: Vec<(Place, String)>,
    report: Option<Report>,
    /// When anything was read last.
    read_at: Option<Timestamp>,
}

impl Moments {
    fn of(rollout: &Rollout, reports: bool, read_at: Option<Timestamp>) -> Self {
        let acts = rollout.last_actions();
        let mut texts = Vec::new();
        for (kind, audience) in messages() {
            if let Ok(text) = rollout.message(kind, audience, Format::Text) {
                texts.push((Place::Message(kind, audience), text.to_string()));
            }
        }
        let questions = rollout.questions();
        texts.extend(questions.into_iter().map(|open| (Place::Question, open.text)));
        texts.extend(acts.iter().filter_map(|action| match &action.act {
            Act::AskDecision { question: text }
            | Act::Page { why: text, .. }
            | Act::Notify { why: Some(text), .. } => Some((Place::Act, text.clone())),
            _ => None,
        }));
        let blockers = rollout.blockers();
        texts.extend(blockers.into_iter().map(|blocker| (Place::Blocker, blocker.sentence)));
        let at = rollout.now().unwrap();
        for item in items(rollout, at) {
            texts.push((Place::Duty, item.title.to_string()));
            texts.extend(item.notes.into_iter().map(|note| (Place::Duty, note)));
        }
        let report = reports.then(|| Report::from_log(rollout.log().as_bytes()).unwrap());
        if let Some(report) = &report {
            let mut put = |place, all: &[String]| {
                texts.extend(all.iter().map(|text| (place, text.clone())));
            };
            put(Place::Outcome, &report.summary);
            put(Place::Open, &report.open);
            put(Place::Past, &report.detection);
            put(Place::Past, &report.resolution);
            put(Place::Past, &report.impact.sentences);
            put(Place::Past, &report.went_well);
            put(Place::Past, &report.to_improve);
            let entries = report.timeline.iter();
            let entries = entries.flat_map(|entry| [Some(&entry.what), entry.why.as_ref()]);
            texts.extend(entries.flatten().map(|text| (Place::Past, text.clone())));
            let page = report.write(hotfix_core::report::Format::Markdown).unwrap();
            texts.extend(page.lines().map(|line| (Place::Past, line.trim().to_owned())));
        }
        let rollout = rollout.clone();
        Self { rollout, at, acts: acts.to_vec(), texts, report, read_at }
    }

    fn messages(&self) -> impl Iterator<Item = (MessageKind, Audience, &str)> {
        self.texts.iter().filter_map(|(place, text)| match place {
            Place::Message(kind, audience) => Some((*kind, *audience, text.as_str())),
            _ => None,
        })
    }

    /// What is read about the present.
    fn now(&self) -> impl Iterator<Item = &(Place, String)> {
        self.texts.iter().filter(|(place, _)| *place != Place::Past && *place != Place::Duty)
    }

    fn came(&self, moment: Moment) -> Option<Timestamp> {
        self.rollout.moment(moment)
    }

    /// The first text that has one of these phrases.
    fn with(&self, phrases: &[&str]) -> Option<String> {
        self.now().find_map(|(place, text)| {
            let found = phrases.iter().find(|phrase| text.contains(**phrase))?;
            Some(format!("{place:?} has “{found}”: {text}"))
        })
    }
}

fn messages() -> impl Iterator<Item = (MessageKind, Audience)> {
    let kinds = MessageKind::ALL.iter();
    kinds.flat_map(|kind| Audience::ALL.iter().map(|audience| (*kind, *audience)))
}

fn items(rollout: &Rollout, at: Timestamp) -> Vec<Item<'_>> {
    let duties = rollout.duties(at);
    let open = [duties.due, duties.overdue, duties.next, duties.later, duties.undated];
    open.into_iter().flatten().collect()
}

/// `14:40 UTC`, with the date on another day than this one, as messages have it.
fn clock(at: Timestamp, now: Timestamp) -> String {
    let (at, now) = (at.to_string(), now.to_string());
    let time = &at[11..16];
    if at[..10] == now[..10] { format!("{time} UTC") } else { format!("{} {time} UTC", &at[..10]) }
}

/// What follows these words in a line of a text.
fn after<'t>(text: &'t str, words: &str) -> Option<&'t str> {
    text.lines().find_map(|line| Some(line.split_once(words)?.1.trim()))
}

type Law = (&'static str, fn(&Moments) -> Option<String>);

/// What no moment may break.
const LAWS: &[Law] = &[
    ("form", form),
    ("what is closed is not watched", |m| {
        let is_over = m.rollout.state() == State::Closed;
        is_over.then(|| {
            m.with(&[
                "onitor it",
                "onitoring it",
                "being watched",
                "Still watched",
                "is in progress",
                "rolled out",
                "working on it",
            ])
        })?
    }),
    ("what is resolved is not worked on", |m| {
        let mut public = m.messages().filter(|(_, audience, _)| *audience == Audience::Public);
        let is_over = m.messages().any(|(kind, ..)| kind == MessageKind::Resolved);
        m.rollout.questions().is_empty().then_some(()).filter(|()| is_over)?;
        public.find(|(_, _, text)| text.contains("orking on")).map(|of| format!("{of:?}"))
    }),
    ("what is not resolved is not over", |m| {
        let open = m.came(Moment::Resolved).is_none();
        open.then(|| {
            m.with(&[
                "Resolved",
                ": resolved",
                "problem is over",
                "is over for",
                "working normally",
            ])
        })?
    }),
    ("no traffic is none of it", |m| m.with(&[" 0% of the traffic"])),
    ("a beginning is known", |m| {
        let known = m.came(Moment::Began).is_some();
        (!known).then(|| m.with(&["from the beginning of the incident", "The incident began"]))?
    }),
    ("no end while the failed fix has traffic", |m| {
        let failed = match m.rollout.stage() {
            Stage::Frozen { .. } => true,
            Stage::RollingBack(way) => way.watching.is_none(),
            _ => false,
        };
        let failed = failed && m.rollout.share() > Share::NONE;
        failed.then(|| {
            m.with(&[
                "works normally",
                "working normally",
                "is fixed",
                "problem is over",
                ": resolved",
                "nothing more to do",
            ])
        })?
    }),
    ("what everybody has is not on its way", |m| {
        let is_out = m.messages().any(|(kind, ..)| kind == MessageKind::Deployed);
        is_out.then(|| {
            m.with(&[
                "being rolled out",
                "on its way",
                "gets the fix from",
                "is going out",
                "is reaching more",
            ])
        })?
    }),
    ("what was turned back is not promised", |m| {
        let back = m.rollout.stage().has_turned_back();
        back.then(|| {
            m.with(&[
                "being rolled out",
                "on its way",
                "all users have",
                "for all users",
                "live since",
                "Live since",
                "is going out",
                "fix is in place",
                "All customers have",
                "gets more traffic",
            ])
        })?
    }),
    ("nothing is watched without readings", |m| {
        let stale = m.rollout.plan().policy().watch().stale;
        let silent = m.read_at.is_none_or(|read| m.at.since(read) > stale + Span::from_seconds(60));
        let since = match m.rollout.stage() {
            Stage::FinalValidation { since } | Stage::Complete { since, .. } => Some(*since),
            stage => stage.step().map(|step| step.since),
        };
        let long = since.is_none_or(|since| m.at.since(since) > stale + Span::from_seconds(60));
        (silent && long).then(|| m.with(&["onitoring it", "monitor it"]))?
    }),
    ("the end is one for all", |m| {
        let ends = ["finish by ", "be complete by ", "be complete: ", "Expected end: "];
        let found = m.messages().filter(|(kind, ..)| !matches!(kind, MessageKind::RollingBack));
        let found = found.filter_map(|(kind, to, text)| {
            Some((ends.iter().find_map(|end| after(text, end))?, kind, to))
        });
        let by_end: BTreeMap<_, _> = found.map(|(end, kind, to)| (end, (kind, to))).collect();
        (by_end.len() > 1).then(|| format!("{by_end:?}"))
    }),
    ("an expected end is ahead", |m| {
        let ends = ["finish by ", "be complete by ", "be complete: ", "Expected end: "];
        m.messages().find_map(|(kind, to, text)| {
            let end = ends.iter().find_map(|end| after(text, end))?;
            let now = clock(m.at, m.at);
            (end.len() == now.len() && end < now.as_str())
                .then(|| format!("{kind} to {to}: {text}"))
        })
    }),
    ("the next update is a duty's", next_update),
    ("what is asked for can be sent", |m| {
        m.acts.iter().find_map(|action| {
            let (kind, audience) = match &action.act {
                Act::Notify { audience, message, .. } => (*message, *audience),
                Act::UpdateStatusPage { message, .. } => (*message, Audience::Public),
                _ => return None,
            };
            let sent = m.rollout.message(kind, audience, Format::Text);
            sent.err().map(|error| format!("{kind} to {audience}: {error}"))
        })
    }),
    ("every format has every message", |m| {
        m.report.as_ref()?;
        messages().find_map(|(kind, audience)| {
            let texts = Format::ALL.iter().map(|f| m.rollout.message(kind, audience, *f));
            let texts: Vec<_> = texts.collect();
            let is_text = texts[0].is_ok();
            let mut differs = texts.iter().filter_map(|text| match text {
                Ok(_) if is_text => None,
                Err(MessageError::Untimely { .. }) if !is_text => None,
                other => Some(format!("{kind} to {audience}: {other:?}")),
            });
            differs.next()
        })
    }),
    ("whoever is said to be asked is asked", asked),
    ("a question can be answered", |m| {
        let accepted = m.rollout.accepted();
        let asked = m.acts.iter().filter_map(|action| match &action.act {
            Act::AskDecision { question } => Some(question.clone()),
            _ => None,
        });
        m.rollout.questions().into_iter().map(|open| open.text).chain(asked).find_map(|text| {
            let mut named = text.split('`').skip(1).step_by(2);
            let named = named.find_map(|name| {
                name.parse().ok().filter(|kind: &InputKind| !accepted.contains(kind))
            })?;
            Some(format!("`{named}` is refused in {}: {text}", m.rollout.state()))
        })
    }),
    ("questions are one of a kind, in order of time", |m| {
        let all = m.rollout.questions();
        let odd = all.iter().any(|of| of.since > of.asked_at || of.asked_at > m.at);
        let twice = all.len() == 2 && all[0].text == all[1].text;
        (odd || twice).then(|| format!("{all:?}"))
    }),
    ("the answered fact is not asked for", |m| {
        let policy = m.rollout.plan().policy();
        let decision = policy.decide(m.rollout.facts());
        let next = decision.next_question()?;
        let known = m.rollout.facts().iter().any(|(id, _)| id == next.fact);
        known.then(|| format!("{}: {}", next.fact, next.ask))
    }),
    ("a share is the place's", shares),
    ("blockers are what the state says", blockers),
    ("what is final waits for nothing", |m| {
        let left = m.rollout.pending_actions();
        (m.rollout.state().is_final() && !left.is_empty()).then(|| format!("{left:?}"))
    }),
    ("a version that is live is named", |m| {
        let back = m.rollout.back_to()?;
        m.messages().find_map(|(kind, to, text)| {
            let named = after(text, "Version ")?.strip_suffix(" is live again")?;
            (named != back).then(|| format!("{kind} to {to}: {text}, not {back}"))
        })
    }),
    ("time does not pass a duty", |m| {
        let open = items(&m.rollout, m.at);
        let times = open.iter().filter_map(|item| item.opens.or(item.due)).filter(|at| *at > m.at);
        let first = times.min()?;
        let poll = m.rollout.poll_at();
        let is_later = poll.is_none_or(|poll| poll > first + Span::from_millis(1));
        is_later.then(|| format!("poll {poll:?}, but a duty at {first}"))
    }),
    ("one audience reads one status", |m| {
        let lines = ["Status: ", "Now: ", "Next: ", "Reason: "];
        lines.iter().find_map(|line| {
            let mut by: BTreeMap<Audience, &str> = BTreeMap::new();
            m.messages().find_map(|(kind, to, text)| {
                let read = after(text, line)?;
                let first = *by.entry(to).or_insert(read);
                (first != read).then(|| format!("{kind} to {to}: {line}{read}, elsewhere {first}"))
            })
        })
    }),
    ("durations are those of the moments", durations),
    ("nobody reads it twice, and who is called has a duty", |m| {
        let mut sent = Vec::new();
        let duties = m.rollout.duties(m.at);
        m.acts.iter().find_map(|action| {
            let odd = match &action.act {
                Act::Notify { audience, message, role, .. } => {
                    let one = (*audience, *message, *role);
                    let twice = sent.contains(&one);
                    sent.push(one);
                    twice
                }
                Act::Page { duty: Some(duty), .. } => {
                    let mut called = duties.due.iter().chain(&duties.overdue);
                    !called.any(|item| item.id == *duty)
                }
                Act::Schedule { duty, by, .. } => {
                    let open = items(&m.rollout, m.at);
                    !open.iter().any(|item| item.id == *duty && item.due == *by)
                }
                Act::RequestApproval { any_of, .. } => {
                    let demands = m.rollout.approvals().demands;
                    !demands.iter().any(|of| {
                        let roles = of.roles();
                        any_of.iter().all(|role| roles.contains(role)) && !of.is_met()
                    })
                }
                _ => false,
            };
            odd.then(|| format!("{action:?} of {:?}", m.acts))
        })
    }),
    ("whose approval is missing is named", |m| {
        let policy = m.rollout.plan().policy();
        let next = m
            .messages()
            .find(|(kind, to, _)| *kind == MessageKind::Update && *to == Audience::Responders);
        let next = after(next?.2, "Next: ")?.strip_prefix("approval by ")?;
        let blockers = m.rollout.blockers();
        let has_denial = blockers.iter().any(|of| of.kind == BlockerKind::Denial);
        let kind = if has_denial { BlockerKind::Denial } else { BlockerKind::Approval };
        let mut asked = blockers.iter().filter(|of| of.kind == kind);
        let lost = asked.find(|of| {
            !of.roles.iter().any(|role| {
                let title = policy.role(*role).map_or(role.to_string(), |of| of.title.clone());
                next.contains(&title) || next.contains(&title.replace('_', " "))
            })
        });
        lost.map(|of| format!("{next}: {of:?}"))
    }),
];

fn next_update(m: &Moments) -> Option<String> {
    let items = items(&m.rollout, m.at);
    m.messages().find_map(|(kind, to, text)| {
        let by = after(text, "Next update by ").or_else(|| after(text, "Next update: "))?;
        let by = by.split(',').next()?.trim_end_matches('.');
        let of =
            items.iter().filter(|item| item.kind == DutyKind::Update && item.audience == Some(to));
        // A late one is asked for until it is sent; the next one keeps to the promised times.
        let mut times = of.filter_map(|item| {
            let due = item.opens.filter(|opens| *opens > m.at).or(item.due)?;
            let Some(every) = item.every.map(Span::as_millis).filter(|_| due <= m.at) else {
                return Some(due);
            };
            Some(due + Span::from_millis((m.at.since(due).as_millis() / every + 1) * every))
        });
        let is_one = times.any(|at| clock(at, m.at) == by);
        (!is_one).then(|| format!("{kind} to {to}, next by {by}: {text}"))
    })
}

/// Clauses that say that a person is asked, and by which a person is told that nobody is.
const ASKS: &[&str] = &["waiting for a person's decision", "waiting for a person to confirm"];
const RESTS: &[&str] = &["nothing more to do"];

fn asked(m: &Moments) -> Option<String> {
    let (mut open, state) = (m.rollout.questions(), m.rollout.state());
    // The rollout does not wait for the severity.
    open.retain(|open| !open.text.contains("Send `set_severity`"));
    if open.is_empty() {
        return m.with(ASKS);
    }
    let rests = m.with(RESTS);
    let asks = m.acts.iter().find_map(|action| match &action.act {
        Act::AskDecision { question } => Some(question),
        _ => None,
    });
    // A page and an objection keep their place, and a repetition says since when.
    let is_open = |asked: &String| open.iter().any(|open| asked.starts_with(&open.text));
    let lost = asks.filter(|asked| !is_open(asked) && !asked.contains("unless somebody sends"));
    let lost = lost.filter(|_| {
        state != State::Frozen
            && !open.iter().any(|open| {
                ["was reported", "was resolved before the start"]
                    .iter()
                    .any(|stated| open.text.contains(stated))
            })
    });
    let lost = lost.map(|asked| format!("{state}: asked “{asked}”, open: {open:?}"));
    rests.map(|text| format!("{text}, although {open:?}")).or(lost)
}

fn shares(m: &Moments) -> Option<String> {
    let (share, policy) = (m.rollout.share(), m.rollout.plan().policy());
    let rest = policy.held_back().map(Share::rest);
    m.texts.iter().find_map(|(place, text)| {
        let Place::Message(kind, _) = place else { return None };
        if *kind == MessageKind::PhasePassed {
            return None;
        }
        ["of the traffic has the fix", "of the traffic is still on", "of the traffic still has"]
            .iter()
            .find_map(|has| {
                let before = text.split_once(has)?.0.trim_end();
                let figure = before.rsplit([' ', '\n']).next()?;
                if before.ends_with(&format!("up to {figure}")) {
                    return None;
                }
                let is_it = [Some(share), rest].iter().flatten().any(|of| of.to_string() == figure);
                let is_it = is_it || figure.eq_ignore_ascii_case("none") && share == Share::NONE;
                (!is_it).then(|| format!("{place:?}, the share is {share}: {text}"))
            })
    })
}

fn blockers(m: &Moments) -> Option<String> {
    let (blockers, state) = (m.rollout.blockers(), m.rollout.state());
    let has = |kind| blockers.iter().any(|blocker| blocker.kind == kind);
    let waits = m
        .messages()
        .any(|(_, to, text)| to == Audience::Responders && (text.contains("waiting for approval")));
    let odd = match state {
        State::Ready => blockers.iter().any(|blocker| {
            matches!(blocker.kind, BlockerKind::Approval | BlockerKind::Item | BlockerKind::Release)
        }),
        State::Drafted | State::AwaitingApproval => blockers.is_empty(),
        _ => !blockers.is_empty(),
    };
    let starts = m.rollout.accepted().contains(&InputKind::Start);
    let odd = odd || (starts && state != State::Ready);
    let odd = odd || (waits && !has(BlockerKind::Approval) && !has(BlockerKind::Denial));
    odd.then(|| format!("{state}, waits: {waits}, starts: {starts}: {blockers:?}"))
}

/// What was found, by law: the first moment and how many there were.
type Found = BTreeMap<&'static str, (u64, String)>;

fn judge(moments: &Moments, told: impl Fn() -> String, found: &mut Found) {
    for (name, law) in LAWS.iter().chain(report::LAWS) {
        if let Some(how) = law(moments) {
            let first = || (0, format!("{}: {how}\n{}", moments.rollout.state(), told()));
            found.entry(name).or_insert_with(first).0 += 1;
        }
    }
}

/// One incident under a preset, with the report at each change of the state and at the end.
fn walk(preset: &str, seed: u64, found: &mut Found) {
    let mut walk = Walk::new(preset, seed);
    let mut state = None;
    for step in 1..=STEPS {
        if !walk.step() {
            continue;
        }
        let rollout = &walk.story.rollout;
        let reports = state.replace(rollout.state()) != Some(rollout.state()) || step == STEPS;
        let moments = Moments::of(rollout, reports, walk.read_at);
        judge(&moments, || format!("{preset} {seed}:\n  {}", walk.told.join("\n  ")), found);
    }
}

/// Walks under each preset: more take long.
const WALKS: u64 = 1;
const STEPS: usize = 45;

#[test]
fn comm_1_all_texts_of_one_moment_are_about_one_state() {
    let mut found = Found::new();
    for preset in Policy::presets() {
        for seed in 0..WALKS {
            walk(preset, seed, &mut found);
        }
    }
    assert!(found.is_empty(), "{}", shown(&found));
}

#[test]
fn comm_1_all_texts_of_a_drawn_rollout_are_about_one_state() {
    let mut found = Found::new();
    for seed in 0..5 * WALKS {
        let mut drawn = Drawn::new(seed);
        let mut read_at = None;
        for step in 0..STEPS {
            let (at, input) = drawn.draw();
            if drawn.rollout.handle(at, &input).is_err() {
                continue;
            }
            let reads =
                matches!(&input.command, Command::Observe { metrics } if !metrics.is_empty());
            read_at = if reads { drawn.rollout.now() } else { read_at };
            let moments = Moments::of(&drawn.rollout, step % 15 == 14, read_at);
            judge(&moments, || format!("drawn {seed}, step {step}"), &mut found);
        }
    }
    assert!(found.is_empty(), "{}", shown(&found));
}

fn shown(found: &Found) -> String {
    let of =
        |(name, (count, how)): (&&str, &(u64, String))| format!("{name}, {count} times: {how}\n");
    found.iter().map(of).collect()
}
