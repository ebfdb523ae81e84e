//! What is allocated, and how much of it is held: a program of its own, as its allocator counts.
#![allow(
    clippy::disallowed_methods,
    reason = "tests read their cases from files; the engine reads none"
)]

mod counting;

#[path = "../it/clock.rs"]
mod clock;
#[path = "../it/ready.rs"]
#[allow(dead_code, reason = "the other program uses the rest")]
mod ready;
#[path = "../it/story.rs"]
#[allow(dead_code, reason = "the other program uses the rest")]
mod story;
#[path = "../it/time_common.rs"]
#[allow(dead_code, reason = "the other program uses the rest")]
mod time_common;

mod allocation;
mod hostile;
