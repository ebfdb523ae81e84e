//! Decides how an emergency fix is rolled out safely: which phases to run, whether the canary is
//! worse than the live version, whether to continue or to roll back. A deploy tool embeds it and
//! acts. It reads no clock, file or socket: you pass times and observations, and it returns log
//! lines and actions.
//!
//! # The path of a fix
//!
//! 1. A [`Policy`](policy::Policy) is what an organisation has decided before an incident: a preset
//!    ([`Policy::preset`](policy::Policy::preset)) or its own TOML
//!    ([`Policy::from_toml`](policy::Policy::from_toml)).
//! 2. A [`Plan`](plan::Plan) applies it to one incident and one release, and answers questions
//!    before anything is deployed: what blocks the start, what each phase can find, how to roll
//!    back.
//! 3. A [`Rollout`](rollout::Rollout) receives what happens, one [`Input`](rollout::Input) at a
//!    time, with [`Rollout::handle`](rollout::Rollout::handle). It answers with log lines, which
//!    you append first, and with [`Action`](rollout::Action)s, which you then do, or with a
//!    [`Refusal`](rollout::Refusal).
//! 4. Each observation changes the [`Verdict`](judge::Verdict). The tests behind it are in
//!    [`stats`].
//! 5. The log rebuilds everything: [`Rollout::recover`](rollout::Rollout::recover) after a crash,
//!    [`audit`](rollout::audit()), [`report`](report::report()).
//!
//! ```
//! use std::sync::Arc;
//! use hotfix_core::{plan::Plan, policy::Policy, rollout::{Command, Input, Recording, Rollout}};
//!
//! let policy = Policy::from_toml("extends = 'standard'\nname = 'ours'\nchecklists = []")?;
//! let incident = r#"{"id": "INC-2041", "severity": "P1"}"#;
//! let release = r#"{"version": "2.3.1", "previous": "2.3.0"}"#;
//! let plan = Plan::from_json(Arc::new(policy), incident, release, "")?;
//! let mut rollout = Rollout::try_new(plan, Recording::HandOut, "a secret of this incident")?;
//! let now = "2026-03-03T14:40:00Z".parse()?;
//! for blocker in rollout.blockers() {
//!     println!("{}", blocker.sentence); // who has to approve
//!     let role = &blocker.roles[0];
//!     let input = format!(r#"{{"kind": "approve", "by": "iris", "role": "{role}"}}"#);
//!     rollout.handle(now, &Input::from_json(&input)?)?;
//! }
//! let outcome = rollout.handle(now, &Input::new(Command::Start).by("lena"))?;
//! assert!(outcome.events.ends_with('\n')); // append these lines to the log, then act
//! assert!(outcome.actions.iter().any(|action| action.act.awaits())); // deploy 2.3.1
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The modules
//!
//! | for | modules |
//! |---|---|
//! | the path above | [`policy`], [`plan`], [`rollout`], [`report`] |
//! | several services at once | [`train`] |
//! | what a policy says of an incident | [`fact`], [`severity`], [`decision`], [`gate`], [`deadline`] |
//! | checking and rehearsing a policy | [`lint`], [`simulate`] |
//! | the judgement | [`metric`], [`judge`], [`stats`], [`kayenta`] |
//! | people and other tools | [`message`], [`interop`], [`vcs`] |
//! | values that all share | [`mod@unit`], [`grade`], [`code`], [`canonical`], [`document`] |
//!
//! Every error, refusal and finding has a stable [`code`] and a sentence that ends with the remedy.
#![forbid(unsafe_code)]
// Code of the engine that only a disabled feature uses is unused then.
#![cfg_attr(
    not(all(
        feature = "interop",
        feature = "kayenta",
        feature = "message",
        feature = "report",
        feature = "simulate"
    )),
    allow(dead_code, unused_imports, unused_macros)
)]
// A panic must not cross a language boundary, so the library does not panic itself.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

// With serde_json's feature `arbitrary_precision`, which any crate of a program can turn on for
// all, numbers are serialized as objects: a log would have no number that another build can read.
const _: () = assert!(
    size_of::<serde_json::Number>() != size_of::<String>(),
    "hotfix-core cannot be built with the feature `arbitrary_precision` of serde_json: find who turns it on with \
     `cargo tree -e features -i serde_json`, and turn it off"
);

pub mod canonical;
pub mod code;
pub mod deadline;
pub mod decision;
pub mod document;
pub mod fact;
pub mod gate;
mod getters;
pub mod grade;
#[cfg(feature = "interop")]
pub mod interop;
pub mod judge;
#[cfg(feature = "kayenta")]
pub mod kayenta;
pub mod lint;
#[cfg(feature = "message")]
pub mod message;
pub mod metric;
mod metric_kind;
mod packed;
pub mod plan;
pub mod policy;
#[cfg(feature = "report")]
pub mod report;
pub mod rollout;
pub mod severity;
#[cfg(feature = "simulate")]
pub mod simulate;
mod sorting;
pub mod stats;
mod text;
pub mod train;
pub mod unit;
pub mod vcs;

#[cfg(doctest)]
#[doc = include_str!("../../docs/start/tutorial-rust.md")]
struct Tutorial;

#[cfg(doctest)]
#[doc = include_str!("../../docs/kayenta.md")]
struct ComingFromKayenta;

#[cfg(doctest)]
#[doc = include_str!("../../docs/statistics.md")]
struct Statistics;

#[cfg(doctest)]
#[doc = include_str!("../../docs/policy.md")]
struct Policies;

#[cfg(doctest)]
#[doc = include_str!("../../docs/simulation.md")]
struct Simulation;
