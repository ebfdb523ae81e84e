//! All faults that the linter knows, each with its code, level, sentence and remedy.

use super::format::time;
use crate::grade::Severity;
use crate::lint::Level;
use crate::policy::section::Due;
use crate::unit::{Name, Span};

/// An enumeration of findings, as `coded!` has it, each variant with its code, level and remedy:
/// `Name { fields } => "HF-…" Warn, "remedy";`. Its parts are other such enumerations.
macro_rules! findings {
    (
        $(#[$about:meta])*
        pub enum $name:ident $({ $($(#[$($part_doc:tt)+])* $part:ident($wrapped:ty),)* })?;
        $(
            $(#[$($of:tt)+])*
            $variant:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? }
                => $code:literal $level:ident, $remedy:literal;
        )*
    ) => {
        $crate::code::coded! {
            $(#[$about])*
            #[derive(Clone, Debug, PartialEq, thiserror::Error)]
            pub enum $name;

            $($($(#[$($part_doc)+])* #[error(transparent)] $part(part: #[from] $wrapped) => part.code(),)*)?
            $($(#[$($of)+])* $variant { $($(#[$field_doc])* $field: $type),* } => $code,)*
        }

        impl $name {
            /// How serious it is.
            pub const fn level(&self) -> $crate::lint::Level {
                match self {
                    $($(Self::$part(part) => part.level(),)*)?
                    $(Self::$variant { .. } => $crate::lint::Level::$level,)*
                }
            }

            /// What to do about it.
            pub const fn remedy(&self) -> &'static str {
                match self {
                    $($(Self::$part(part) => part.remedy(),)*)?
                    $(Self::$variant { .. } => $remedy,)*
                }
            }
        }
    };
}
pub(crate) use findings;

findings! {
    /// A fault that the linter finds.
    pub enum Fault {
        /// One in a setting outside of tree and rules.
        Setting(SettingFault),
    };

    #[error("these questions form a cycle: {questions}")]
    Cycle { questions: String } => "HF-LINT-001" Deny, "let one of them lead to a leaf";

    #[error("no answers lead from the root to `{id}`")]
    Unconnected { id: Name } => "HF-LINT-002" Warn, "let an answer lead to it, or delete it";

    /// Answers lead to a question or leaf, but no combination of facts does.
    #[error("no facts lead to `{id}`: {why}")]
    Unreached { id: Name, why: String }
        => "HF-LINT-003" Warn, "ask it earlier, change the answers before it, or delete it";

    #[error("`{question}` leads nowhere if the answer is {answer}{listed}")]
    Unanswered { question: Name, answer: String, listed: String }
        => "HF-LINT-004" Warn, "let the answer lead to a question or leaf";

    #[error("`{question}` leads nowhere for {ranges}{listed}")]
    Gap { question: Name, ranges: String, listed: String }
        => "HF-LINT-005" Warn, "let the answers cover every value";

    #[error("answer {answer} of `{question}` is never used: {why}")]
    IdleAnswer {
        question: Name,
        /// Its place among the answers, from 1.
        answer: usize,
        why: &'static str,
    } => "HF-LINT-006" Warn, "put it before the answers that accept its values, change its bounds, or delete it";

    #[error("some facts that satisfy everything for `{leaf}` ({severity}) end at `{by}` ({less}), which is asked first: {answers}")]
    Shadowed { leaf: Name, severity: Severity, by: Name, less: &'static str, answers: String }
        => "HF-LINT-007" Warn, "ask the more severe question first";

    #[error("{list}, but the tree ends at `{leaf}` with {severity}")]
    SeverityDiffers { list: String, leaf: Name, severity: Severity }
        => "HF-LINT-008" Warn, "change the rules or the tree until both agree, or leave the tree out (`tree = { remove = true }`): it then follows from the rules";

    #[error("{list}, but the tree ends at `{leaf}`, which is {hotfix}")]
    HotfixDiffers { list: String, leaf: Name, hotfix: &'static str }
        => "HF-LINT-009" Warn, "change the rules or the tree until both agree, or leave the tree out (`tree = { remove = true }`): it then follows from the rules";

    #[error("if no rule fires{tree}, it remains unknown whether a hot-fix is needed, even if all facts are known")]
    Silent { tree: &'static str } => "HF-LINT-010" Note, "set `classification.otherwise` to `no`, or add a rule for such facts";

    #[error("`{exclusion}` excludes a hot-fix that {called} for: a person has to decide")]
    Excluded { exclusion: Name, called: String }
        => "HF-LINT-011" Note, "set `classification.exclusions` to `yield` or `win`, or narrow one of the rules";

    /// A rule cannot fire.
    #[error("`{rule}` can never fire: {why}")]
    NeverFires { rule: Name, why: &'static str }
        => "HF-LINT-012" Warn, "change its condition, or delete it";

    #[error("no combination of facts satisfies `{implication}` and the implications before it")]
    Impossible {
        /// The first implication that makes every combination impossible.
        implication: Name,
    } => "HF-LINT-014" Deny, "correct the implications: every incident would contradict them";

    #[error("no rule and no leaf gives {severity}")]
    UnusedSeverity { severity: Severity } => "HF-LINT-015" Note, "add a rule for it, or delete it";

    #[error("`{leaf}` is {hotfix}, but the policy answers its severity {severity} with {answered}")]
    LeafHotfix { leaf: Name, hotfix: &'static str, severity: Severity, answered: &'static str }
        => "HF-LINT-016" Warn, "make the leaf and the severity agree";

    #[error("the deadline of `{leaf}` ({}) differs from that of its severity {severity} ({}), by which plan and duties count", deadline.in_words(), due.in_words())]
    LeafDeadline { leaf: Name, deadline: Due, severity: Severity, due: Due }
        => "HF-LINT-019" Warn, "make the leaf and the duty of kind `fix` agree";

    #[error("the conditions are too complex to check every combination of facts: answers may be unknown unnecessarily, and faults may be missed")]
    Entangled {} => "HF-LINT-018" Note, "use fewer facts in each condition";
}

/// A fault in a setting: its kind, and the sentence with its names and figures.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct SettingFault {
    kind: Kind,
    message: String,
}

impl SettingFault {
    /// The stable code: `HF-LINT-…`.
    pub const fn code(&self) -> &'static str {
        self.kind.code
    }

    /// How serious it is.
    pub const fn level(&self) -> Level {
        self.kind.level
    }

    /// What to do about it.
    pub const fn remedy(&self) -> &'static str {
        self.kind.remedy
    }
}

/// A kind of fault in a setting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Kind {
    code: &'static str,
    level: Level,
    remedy: &'static str,
}

impl Kind {
    /// A fault of this kind, with its sentence.
    pub(super) const fn found(self, message: String) -> SettingFault {
        SettingFault { kind: self, message }
    }
}

/// A time with which a wrong unit is likely: it is so long or short.
pub(super) fn wrong_unit(is: Span, so: &str) -> SettingFault {
    WRONG_UNIT.found(format!("{} is so {so} that a wrong unit is likely", time(is)))
}

macro_rules! kinds {
    ($($name:ident $code:literal $level:ident $remedy:literal;)*) => {$(
        pub(super) const $name: Kind = Kind { code: $code, level: Level::$level, remedy: $remedy };
    )*};
}

kinds! {
    BOUND_ORDER "HF-LINT-020" Warn "order the bounds success, alert, rollback, from better to worse";
    SUCCESS_BEYOND_ROLLBACK "HF-LINT-021" Warn "put the success bound on the good side of the rollback bound";
    COIN_TOSS "HF-LINT-022" Warn "allow for chance: widen the bound, watch longer, or set `criteria_missed` to `hold`";
    ALERT_BY_CHANCE "HF-LINT-023" Note "widen the bound, or raise `window` or `least_trials`";
    ROLLBACK_BY_CHANCE "HF-LINT-024" Warn "widen the bound, raise `window` or `least_trials`, or raise `consecutive_breaches` so that they reach over more than one window";
    SHARE_FALLS "HF-LINT-025" Warn "let the shares rise from phase to phase";
    EVIDENCE_TOO_SLOW "HF-LINT-026" Warn "watch longer, give the phase more traffic, raise `margin`, or use `no_evidence_of_harm`";
    TOO_FEW_TRIALS "HF-LINT-027" Warn "lower `least_trials`, use a longer window, give the phase, or the live version in it, more traffic, or, if that metric counts only some requests, add a volume of all of them, which may have `role = \"watch\"`";
    SHORT_WINDOW "HF-LINT-028" Note "use a window of at least two cadences";
    SICK_LIVE_ARM "HF-LINT-029" Note "delete `unless_both_arms` there, or rely on the test that compares the arms";
    NOTHING_JUDGES "HF-LINT-031" Warn "add bounds, and a `reference` if they are ratios, or give its test a `weight`";
    NO_LIVE_ARM "HF-LINT-032" Note "check that the reference is the right standard for the last phase";
    WAITS_BY_CHANCE "HF-LINT-033" Note "allow for chance: widen the bound, or watch longer";
    SHORT_STALE "HF-LINT-036" Note "raise `stale` to at least two cadences";
    NO_REFERENCE "HF-LINT-037" Warn "add a `reference` to the metric, or write the bound as a figure";
    DEADLINE_TOO_SHORT "HF-LINT-040" Warn "allow more time, or shorten or postpone steps";
    PROCEDURE_TOO_LONG "HF-LINT-041" Warn "make the figures agree";
    PHASES_TOO_LONG "HF-LINT-042" Warn "choose fewer or shorter phases, or allow more time";
    BROKEN_PROMISE "HF-LINT-043" Warn "correct `promises`, or write `promises = []` where the text has a field such as `{{ eta }}`, which takes the time from the plan";
    TWO_APPROVERS "HF-LINT-044" Warn "merge the two approvals, or remove the role from `notified`";
    NOBODY_HOLDS "HF-LINT-045" Note "set `holders` for them under `roles`; `reach` is enough for a role in which nobody approves or waives";
    UNKNOWN_ROLE "HF-LINT-046" Warn "declare it, or correct the name";
    NO_APPROVAL "HF-LINT-048" Warn "add an approval, with `after_the_fact` if it may follow the start";
    MISSING_LEVEL "HF-LINT-049" Warn "number the levels from 1 without a gap";
    REVIEW_OVERDUE "HF-LINT-050" Warn "review it, and set `changed` to the day of the review";
    TWO_REVIEWS "HF-LINT-051" Note "keep one of them, or make the difference clear in the titles";
    TWO_CADENCES "HF-LINT-052" Warn "keep one of them, or give them different audiences";
    VERSION_RANKS_BELOW "HF-LINT-056" Warn "increase the patch number instead";
    REVERT_NEEDS_PARENT "HF-LINT-057" Note "revert with `-m 1`, as the source-control plan says, and revert the revert before merging again";
    STAGING_SKIPPED "HF-LINT-058" Note "delete `skip_staging_when`, or name the exception in the advice";
    ROLLBACK_TOO_LONG "HF-LINT-060" Warn "make the figures agree";
    RETURN_TOO_SOON "HF-LINT-061" Note "make `returned_within` longer than every rollback method";
    NO_DEADLINE "HF-LINT-062" Note "add a duty of kind `fix`, or a table `[change_record.slo]` with `name`, `from`, `within` and `to = \"deployed\"`";
    LEVEL_TOO_EARLY "HF-LINT-063" Warn "let the times rise from level to level";
    TWO_OF_ONE_LEVEL "HF-LINT-064" Warn "give them different levels";
    NO_ESCALATION "HF-LINT-065" Note "add duties of kind `escalate` for it, or add it to the `severities` of existing ones";
    KNOWN_LATER "HF-LINT-067" Note "remove them: later facts are added to the commit as a git note, or are in the log";
    VCS_ORDER "HF-LINT-068" Warn "correct the order, or delete it: the flow has its own; name a branch in `merge_back` where a merge has no target";
    ADVICE_WITHOUT_CHECK "HF-LINT-070" Warn "add what the check needs, or delete `shown_by`";
    SHORT_FOR_SCRAPE "HF-LINT-071" Warn "raise it to at least twice `scrape`";
    BOUND_IN_BUCKET "HF-LINT-072" Note "add the figure to `boundaries` and to the buckets of your histogram, or send raw durations";
    BOUND_BEYOND_BUCKETS "HF-LINT-073" Warn "add the figure to `boundaries` and to the buckets of your histogram, or send raw durations";
    BEYOND_ITS_REFERENCE "HF-LINT-080" Warn "put the bound on the worse side of `reference`, and check that `worse` has the right direction";
    BEYOND_THE_LIVE_ARM "HF-LINT-081" Warn "give a ratio above 1 where higher is worse, and below 1 where lower is worse";
    TOO_MANY_BREACHES "HF-LINT-083" Warn "lower `consecutive_breaches`, or watch longer";
    BOUND_AT_THE_END "HF-LINT-084" Warn "give a figure that a faulty release reaches, or delete the bound";
    WARM_UP_TOO_LONG "HF-LINT-085" Warn "shorten `warm_up`, or watch longer";
    WINDOW_TOO_LONG "HF-LINT-086" Warn "shorten `window` or `warm_up`, lower `consecutive_breaches`, or watch longer";
    NO_DATA_TOO_LATE "HF-LINT-087" Warn "lower it";
    HOLD_BACK "HF-LINT-088" Warn "add a phase with all of the traffic, unless this part is to be held back for comparison";
    IMMEDIATE_IN_PART "HF-LINT-089" Deny "keep one phase, with a `share` of 100%, or choose another `strategy`";
    LATE_FAULTS_APART "HF-LINT-090" Warn "set `change_point` to false, or read both arms at the same time and set `watch.scrape` to \"0s\"";
    HIGH_ALPHA "HF-LINT-091" Warn "give the share of false rollbacks that is accepted, such as `\"1%\"`, not a confidence";
    NOBODY_ASKED "HF-LINT-092" Warn "set it to `ask`, or make sure that somebody watches the rollout";
    NEVER_KEPT "HF-LINT-093" Warn "correct its times";
    NO_SUCH_LIST "HF-LINT-094" Warn "correct the name, or delete `checklist`";
    WRONG_UNIT "HF-LINT-095" Warn "give it with the unit that you mean, such as `\"15min\"` or `\"250ms\"`";
    NO_EVIDENCE "HF-LINT-096" Warn "give a metric a test (`model`, `weight`) and the phase a part of the traffic, or write `no_evidence_of_harm`";
    NO_TIME_TO_OBJECT "HF-LINT-097" Warn "give the gate `veto` a time in `veto`; at another gate delete `veto`, or set `gate` to `veto`";
    SHORT_NO_DATA "HF-LINT-098" Warn "raise `no_data.after` to more than the longest time between two readings, at best to two cadences";
    WATCHED_LONGER "HF-LINT-099" Note "raise `watch` to that, or shorten `window` or `warm_up`";
    ONE_APPROVER "HF-LINT-100" Deny "name another person for one of the roles, or ask for one approval";
    IDLE_APPROVAL "HF-LINT-101" Note "remove the approval, or answer the severity with a hot-fix";
    RATIO_OF_ZERO "HF-LINT-102" Warn "write the bound as a figure, or correct `reference`";
    HIDDEN_MESSAGE "HF-LINT-105" Note "put it first, give the other one a condition or severities, or remove it";
    SAME_APPROVAL "HF-LINT-106" Warn "delete it; where two people have to approve, ask for two roles that different people hold";
    IDLE_ENTRY "HF-LINT-107" Note "remove it, or correct the name";
    SHARE_STAYS "HF-LINT-108" Warn "make one phase of the two, or watch the fix with all traffic in the final validation";
    WATCHED_BOUND "HF-LINT-109" Note "delete the bounds, or set `role` to `decide`";
}
