//! Drills without a deployment: a rollout is played from start to end against a world that is made up or recorded (POST-5).
//!
//! [`World`] is what a rollout meets: what both arms show, and what people and the platform answer. A [`Player`] does what a
//! host does: it ticks at the policy's cadence and at [`Rollout::poll_at`](crate::rollout::Rollout::poll_at), obeys actions
//! and hands answers on, and keeps what came of it in a [`Run`]. Everything goes through
//! [`Rollout::handle`](crate::rollout::Rollout::handle), so a run decides as the real thing does.

mod answers;
pub mod backtest;
pub mod recorded;
mod run;
mod world;

pub use answers::Answers;
pub use run::{Passed, Player, Run, Until};
pub use world::{Hurt, Shown, Tick, World};
