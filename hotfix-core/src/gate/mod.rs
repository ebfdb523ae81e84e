//! What has to be there before a hot-fix goes out: approvals, checklists, reviews, tests, and a change that stays small
//! (GATE-1 to GATE-6).

mod change;

pub use change::{Change, Tidying};
