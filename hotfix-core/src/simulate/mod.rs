//! Drills without a deployment: a rollout is played from start to end against a world that is made up or recorded (POST-5).
//!
//! [`World`] is what a rollout meets: what both arms show, and what people and the platform answer. A [`Player`] does what a
//! host does: it ticks at the policy's cadence and at [`Rollout::poll_at`](crate::rollout::Rollout::poll_at), obeys actions
//! and hands answers on, and keeps what came of it in a [`Run`]. Everything goes through
//! [`Rollout::handle`](crate::rollout::Rollout::handle), so a run decides as the real thing does.
//!
//! A [`Scenario`] is such a world as a document: traffic, faults and people, drawn from a seed. A
//! [`Campaign`] plays many runs of it and gives the [`Outcome`]
//! table, a [`Comparison`] plays two policies against the same luck. An [`Adviser`] tries a policy with other values; a [`Search`] is
//! that as a document asks for it.

mod active;
mod advise;
mod answers;
mod arm;
pub mod backtest;
mod campaign;
mod compare;
mod document;
mod error;
mod fault;
mod health;
mod latency;
mod made_up;
mod people;
mod random;
pub mod recorded;
mod run;
mod sample;
mod scenario;
mod search;
mod tally;
mod traffic;
mod world;

pub use advise::{Advice, Adviser, Axis, Candidate, MOST_CANDIDATES, Score};
pub use answers::Answers;
pub use campaign::Campaign;
pub use compare::{Comparison, Difference, Differences, Pairs};
pub use error::{SimulationError, SimulationErrors, SimulationFault};
pub use fault::{FaultArm, FaultKind};
pub use people::Judgement;
pub use run::{Passed, Player, Run, Until};
pub use scenario::Scenario;
pub use search::{Scores, Search};
pub use tally::{CONFIDENCE, Mean, Outcome, Rate, Tally, Took, Truth};
pub use world::{Hurt, Shown, Tick, World};
