//! Faults of deadlines and other times.

use super::super::format::{and_watch, of_a, time, times};
use crate::grade::{Audience, Moment, Promised, Severity};
use crate::unit::{Date, Name, Span};

findings! {
    /// A finding about deadlines or other times.
    pub enum TimeFault;

    #[error("`{duty}` requires the fix{} live within {} of `{from}`, but the steps before take {}", of_a(*severity), time(*limit), times(*least, *most))]
    DeadlineTooShort {
        duty: Name,
        severity: Option<Severity>,
        from: Moment,
        limit: Span,
        least: Span,
        most: Span,
    } => "HF-LINT-040" Warn, "allow more time, or shorten or postpone steps";
    #[error("the {what} is {}, but the steps and the phases{} take {}", time(*limit), and_watch(*watched), times(*least, *most))]
    ProcedureTooLong { what: &'static str, limit: Span, least: Span, most: Span, watched: bool }
        => "HF-LINT-041" Warn, "make the figures agree";
    #[error("the {what} is {}, but the phases{} alone take at least {}", time(*limit), and_watch(*watched), time(*least))]
    PhasesTooLong { what: String, limit: Span, least: Span, watched: bool }
        => "HF-LINT-042" Warn, "choose fewer or shorter phases, or allow more time";
    #[error("`{message}` promises {} for `{of}`, but {found}", times(*least, *most))]
    BrokenPromise { message: Name, of: Promised, least: Span, most: Span, found: String }
        => "HF-LINT-043" Warn, "use a field such as `{{ eta }}`, which takes the time from the plan";
    #[error("the policy was last changed on {changed} and has to be reviewed every {}: the review is overdue", time(*every))]
    ReviewOverdue { changed: Date, every: Span }
        => "HF-LINT-050" Warn, "review it, and set `changed` to the day of the review";
    #[error("the review{} is due {first_due} after `{from}` by `{first}`, and {second_due} by `{second}`", of_a(*severity))]
    TwoReviews {
        severity: Option<Severity>,
        from: Moment,
        first: Name,
        first_due: String,
        second: Name,
        second_due: String,
    } => "HF-LINT-051" Note, "keep one of them, or make the difference clear in the titles";
    #[error("updates{} for {audience} are due every {} by `{first}`, and every {} by `{second}`", of_a(*severity), time(*first_every), time(*second_every))]
    TwoCadences {
        severity: Option<Severity>,
        audience: Audience,
        first: Name,
        first_every: Span,
        second: Name,
        second_every: Span,
    } => "HF-LINT-052" Warn, "keep one of them, or give them different audiences";
    #[error("the rollback is estimated at {} at most, but its assessment, execution and verification take up to {}", time(*limit), time(*most))]
    RollbackTooLong { limit: Span, most: Span } => "HF-LINT-060" Warn, "make the figures agree";
    #[error("somebody is paged {} after a rollback started, but `{method}` takes up to {}", time(*limit), time(*most))]
    ReturnTooSoon { method: crate::grade::RollbackMethod, limit: Span, most: Span }
        => "HF-LINT-061" Note, "make `returned_within` longer than every rollback method";
    /// A duty, a list or the objective that can never be kept.
    #[error("{what} can never be kept: {why}")]
    NeverKept { what: String, why: String } => "HF-LINT-093" Warn, "correct its times";
    #[error("the policy does not have the checklist `{checklist}`: it settles nothing")]
    NoSuchList { checklist: Name } => "HF-LINT-094" Warn, "correct the name, or delete `checklist`";
    #[error("{} is so {so} that a wrong unit is likely", time(*is))]
    WrongUnit { is: Span, so: &'static str }
        => "HF-LINT-095" Warn, "give it with the unit that you mean, such as `\"15min\"` or `\"250ms\"`";
    #[error("a {severity} is answered with a hot-fix, but has no deadline for it")]
    NoDeadline { severity: Severity }
        => "HF-LINT-062" Note, "add a duty of kind `fix`, or a table `[change_record.slo]` with `name`, `from`, `within` and `to = \"deployed\"`";
}
