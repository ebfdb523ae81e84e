//! Simulation: a rollout is run from start to end in a synthetic or recorded environment, without a
//! deployment.
//!
//! An [`Environment`] gives the readings of both arms and the responses of people and the platform.
//! A [`Driver`] replaces your deploy tool: it ticks at the policy's cadence and at
//! [`Rollout::poll_at`](crate::rollout::Rollout::poll_at), performs actions, sends the responses,
//! and keeps the result in a [`Run`]. All inputs go through
//! [`Rollout::handle`](crate::rollout::Rollout::handle), so a run decides like a real rollout.
//!
//! A [`Scenario`] is a synthetic environment as a document: traffic, faults and people, drawn from
//! a random seed. A [`Campaign`] makes many runs of it and gives the [`SimulatedOutcome`] table. A
//! [`Comparison`] runs two policies with the same random numbers. A [`Search`] tries a policy with
//! other values.

mod active;
mod advise;
mod answers;
mod arm_metrics;
pub mod backtest;
mod campaign;
mod compare;
mod document;
mod environment;
mod error;
mod fault;
mod feed;
mod healthy_service;
mod latency;
mod people;
mod random;
pub mod recorded;
mod run;
mod scenario;
mod search;
mod synthetic;
mod tally;
mod traffic;

pub use advise::{Advice, Axis, Candidate, MOST_CANDIDATES};
pub use answers::Answers;
pub use campaign::Campaign;
pub use compare::{Comparison, Difference, Differences, Pairs};
pub use environment::{Environment, Impact, Tick};
pub use error::{SimulationError, SimulationErrors, SimulationFault};
pub use fault::{FaultArm, FaultKind};
pub use people::Judgement;
pub use run::{Driver, Passed, Run, Until};
pub use scenario::Scenario;
pub use search::{Scores, Search};
pub use tally::{CONFIDENCE, Mean, Rate, SimulatedOutcome, Tally, Took, Truth};
