//! Faults of deadlines and other times.

use super::super::finding::Level;
use super::super::words::{and_watch, of_a, time, times};
use crate::grade::{Audience, Moment, Promised, Severity};
use crate::unit::{Date, Name, Span};

faults! {
    /// What the linter may find in deadlines and other times.
    TimeFault

    /// The steps before it take longer than the deadline.
    #[error("`{duty}` has a {severity} live within {} of `{from}`, and what comes before takes {}", time(*limit), times(*least, *most))]
    "HF-LINT-040" Warn DeadlineTooShort {
        /// The duty that sets it.
        duty: Name,
        /// The severity.
        severity: Severity,
        /// From when it counts.
        from: Moment,
        /// The time allowed.
        limit: Span,
        /// The least that the steps take.
        least: Span,
        /// The most that they take.
        most: Span,
    }
    remedy "give it more time, or shorten or put off steps"
    /// The steps take longer than the policy says of itself.
    #[error("the {what} is {}, and the steps of the procedure{} take {}", time(*limit), and_watch(*watched), times(*least, *most))]
    "HF-LINT-041" Warn ProcedureTooLong {
        /// The estimate or the objective.
        what: &'static str,
        /// Its most.
        limit: Span,
        /// The least that the steps take.
        least: Span,
        /// The most that they take.
        most: Span,
        /// Whether the watch after them is among it, as where the incident is closed.
        watched: bool,
    }
    remedy "make the figures agree"
    /// The phases take longer than the policy allows.
    #[error("the {what} is {}, and the phases{} alone take {} at least", time(*limit), and_watch(*watched), time(*least))]
    "HF-LINT-042" Warn PhasesTooLong {
        /// The estimate, the objective, or a deadline.
        what: String,
        /// The time allowed.
        limit: Span,
        /// What the phases take.
        least: Span,
        /// Whether the watch after them is among it, as where the incident is closed.
        watched: bool,
    }
    remedy "choose fewer or shorter phases, or allow more time"
    /// A message promises what the plan does not keep.
    #[error("`{message}` promises {} of `{of}`, and {found}", times(*least, *most))]
    "HF-LINT-043" Warn BrokenPromise {
        /// The message.
        message: Name,
        /// What is promised.
        of: Promised,
        /// The least time named.
        least: Span,
        /// The most time named.
        most: Span,
        /// What the plan has.
        found: String,
    }
    remedy "take the time from the plan: a field computes it"
    /// The policy was to be looked at again.
    #[error("the policy was changed on {changed} and is to be reviewed every {}: that time is over", time(*every))]
    "HF-LINT-050" Warn ReviewOverdue {
        /// The last change.
        changed: Date,
        /// How often.
        every: Span,
    }
    remedy "review it, and write the day into `changed`"
    /// Two times for one review.
    #[error("the review{} is due {first_due} after `{from}` by `{first}`, and {second_due} by `{second}`", of_a(*severity))]
    "HF-LINT-051" Note TwoReviews {
        /// The severity; none where the policy has none.
        severity: Option<Severity>,
        /// From when both count.
        from: Moment,
        /// One duty.
        first: Name,
        /// When it is due.
        first_due: String,
        /// The other.
        second: Name,
        /// When it is due.
        second_due: String,
    }
    remedy "keep one of them, or say in the titles how they differ"
    /// Two rhythms for one audience.
    #[error("updates{} for {audience} are due every {} by `{first}`, and every {} by `{second}`", of_a(*severity), time(*first_every), time(*second_every))]
    "HF-LINT-052" Warn TwoCadences {
        /// The severity; none where the policy has none.
        severity: Option<Severity>,
        /// Who is told.
        audience: Audience,
        /// One duty.
        first: Name,
        /// How often.
        first_every: Span,
        /// The other.
        second: Name,
        /// How often.
        second_every: Span,
    }
    remedy "keep one of them, or give them different audiences"
    /// The way back is estimated shorter than its parts.
    #[error("the way back is estimated at {} at most, and assessing, executing and verifying it take {} at most", time(*limit), time(*most))]
    "HF-LINT-060" Warn RollbackTooLong {
        /// The estimate.
        limit: Span,
        /// The parts' sum.
        most: Span,
    }
    remedy "make the figures agree"
    /// Somebody is woken while a way back is still under way.
    #[error("somebody is paged {} after a way back began, and `{method}` takes up to {}", time(*limit), time(*most))]
    "HF-LINT-061" Note ReturnTooSoon {
        /// The slowest way.
        method: crate::grade::RollbackMethod,
        /// The time allowed.
        limit: Span,
        /// What the way takes.
        most: Span,
    }
    remedy "let `returned_within` be longer than every way back"
    /// A hot-fix without a deadline.
    #[error("a {severity} is answered with a hot-fix, and nothing says by when it is live")]
    "HF-LINT-062" Note NoDeadline {
        /// The severity.
        severity: Severity,
    }
    remedy "add a duty of the kind `fix`, or an objective that ends with `deployed`"
}
