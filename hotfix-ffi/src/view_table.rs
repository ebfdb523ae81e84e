//! The tables of views of a rollout and of a plan. The header has their constants and texts from
//! here (`tests/it/header.rs`); a row is all that a view needs.

use hotfix_core::plan::Plan;
use hotfix_core::rollout::Rollout;

use crate::policy::canonical;
use crate::views::{View, Write};

/// A view without an argument, in every library.
const fn row<T>(number: i32, name: &'static str, write: Write<T>, text: &'static str) -> View<T> {
    View { number, name, text, part: None, write: Some(write) }
}

/// A view of the part `interop`.
#[cfg(feature = "interop")]
macro_rules! interop {
    ($number:expr, $name:expr, $write:expr, $text:expr) => {
        View { part: Some("interop"), ..row($number, $name, $write, $text) }
    };
}

/// The same in a library without the part.
#[cfg(not(feature = "interop"))]
macro_rules! interop {
    ($number:expr, $name:expr, $write:expr, $text:expr) => {
        View { number: $number, name: $name, text: $text, part: Some("interop"), write: None }
    };
}

/// A row: number, name, how it is written, and the text for the header.
macro_rules! view {
    ($number:literal $name:ident: $write:ident($make:expr) => $text:literal) => {
        row($number, stringify!($name), Write::$write($make), $text)
    };
    ($number:literal $name:ident in interop: $write:ident($make:expr) => $text:literal) => {
        interop!($number, stringify!($name), Write::$write($make), $text)
    };
}

/// The views of a rollout, by their numbers.
pub const ROLLOUT_VIEWS: &[View<Rollout>] = &[
    view!(1 accepted: Now(|rollout| canonical(&rollout.accepted())) =>
        "The kinds of input that would be accepted now: a list of names."),
    view!(2 blockers: Now(|rollout| canonical(&rollout.blockers())) =>
        "Everything that prevents the rollout from starting: a list of {\"kind\", \"sentence\", \
         \"roles\", \"item\", \"list\", \"who\", \"clears\"}. The kinds are release, severity, \
         denial, normal_process, volume_bound, change_window, readings, approval, item, traffic and \
         policy. \"who\" has the roles that can clear it (empty: anybody, or for a review anybody but the author of the fix), \"clears\" the kinds of \
         input that clear it (empty: make a new plan). The list is empty when a start would be \
         accepted, and after the start."),
    view!(3 approvals: Now(|rollout| canonical(&rollout.approvals())) =>
        "Each required approval and its state: {\"demands\", \"unasked\"}. A demand has its roles \
         (\"any_of\", \"stand_ins\"), its state (open, approved, denied, withdrawn, author_alone, \
         afterwards, late) and its \"statements\": who answered what, when, in which role, through \
         which channel, why, and for which plan. \"unasked\" has the statements of roles that no \
         demand asks."),
    view!(4 checklists: Now(|rollout| canonical(&rollout.checklists())) =>
        "Each checklist of the policy: a list of {\"id\", \"title\", \"at\", \"applies\", \
         \"holds_start\", \"within\", \"items\"}. \"applies\" is yes, no or unknown, and follows \
         from severity and facts. An item has its state (open, done, waived, not_applicable); \
         \"mark\" has who set it, when, and why."),
    view!(5 procedure: Now(|rollout| canonical(&rollout.procedure())) =>
        "Each step of the procedure and its state: a list of {\"id\", \"title\", \"role\", \
         \"state\", \"mark\"}."),
    view!(6 change_record: Now(|rollout| canonical(&rollout.change_record())) =>
        "The plan's change record with its present status: {\"status\", \"immediate\", \"window\", \
         \"prepared_by\", \"created\", \"changed\", \"branch\", \"commit\", \"build\", \
         \"artifact\", \"links\", \"missing\"}; absent values are left out. The status is drafted, \
         awaiting_approval, ready, in_progress, complete, rolled_back or stopped. During a rollback \
         it is still in_progress."),
    view!(7 interventions: Now(|rollout| canonical(&rollout.interventions())) =>
        "The last intervention of each kind: a list of {\"kind\", \"by\", \"at\", \"role\", \
         \"about\", \"why\"}, ordered by time. It shows who asked for what, when and why, whatever \
         the result was. The log has all interventions, one line each."),
    view!(8 why: Now(|rollout| canonical(&rollout.why())) =>
        "The explanation of the last verdict: {\"at\", \"causes\", \"decision\", \"log_e\", \
         \"threshold\", \"hold\", \"metrics\"}; `null` if there is no verdict. Each metric has its \
         numbers (\"tick\", \"window\"), every rule that was applied (\"rules\"), the smallest \
         change of the tick that would have changed the verdict (\"counterfactual\"), and a summary \
         in one sentence (\"sentence\"). During and after a rollback this explains the verdict \
         before the rollback. It searches and takes some milliseconds: do not ask at every tick."),
    view!(9 harm: Now(|rollout| canonical(&rollout.harm())) =>
        "The estimated impact of each version in bad events per minute, over the trailing window: \
         {\"at\", \"canary\", \"live\", \"lesser\", \"metrics\", \"requests_per_minute\"}; `null` \
         if there is no verdict."),
    view!(10 forecast: Now(|rollout| canonical(&rollout.forecast())) =>
        "The forecast for the rest of the phase, how long the tests still need, and whether promotion \
         and efficacy can still be decided: {\"at\", \"phase\", \"until_due\", \
         \"until_overdue\", \"metrics\", \"efficacy\", \"requests_per_minute\"}; `null` if no phase \
         is watched."),
    view!(11 comparison: Now(|rollout| canonical(&rollout.comparison())) =>
        "The comparison table: each metric, its baseline and its readings in each phase: \
         {\"phases\", \"rows\"}."),
    view!(12 comparison_markdown: Now(|rollout| Ok(rollout.comparison().to_markdown())) =>
        "The comparison as a table in Markdown."),
    view!(13 openmetrics in interop: At(|rollout, at| Ok(hotfix_core::interop::openmetrics::text(rollout, at))) =>
        "The state as OpenMetrics 1.0 text. Its argument is \"at\", any time from the last input \
         on; an earlier time is treated as the time of the last input."),
    view!(14 icalendar in interop: At(|rollout, at| Ok(hotfix_core::interop::icalendar::text(rollout, at))) =>
        "The duties as iCalendar text (RFC 5545), one to-do for each. Its argument is \"at\", as \
         for the state as OpenMetrics."),
    view!(15 questions: Now(|rollout| canonical(&rollout.questions())) =>
        "The questions and pages that wait for an answer: a list of {\"action\", \"since\", \
         \"asked_at\", \"text\", \"answers\"}. \"action\" is the action that asked first; a click on an \
         older question is not an answer to this one. \"answers\" are the inputs that the text names \
         and that are accepted now."),
];

/// The views of a plan, by their numbers.
pub const PLAN_VIEWS: &[View<Plan>] = &[
    view!(1 phases: Now(|plan| canonical(plan.phases())) =>
        "The phases of the strategy, in order: [{\"name\", \"share\", \"deploy\", \"watch\", …}, \
         …]. Shares are fractions, times are in seconds."),
    view!(2 strategy: Now(|plan| canonical(&plan.strategy())) =>
        "The strategy: {\"strategy\", \"own\", \"chosen_by\", \"why\", \"batches\", \"steps\": \
         [{\"move\", \"side\", \"phase\", \"share\", \"instances\", \"lasts\", \"checks\", \
         \"ended_by\"}, …]}. With blue-green the rollout's `deploy` goes to the idle side: confirm \
         it after that side has passed the checks of the `validate` step."),
    view!(3 recommendation: Now(|plan| canonical(&plan.recommendation())) =>
        "The recommended strategy, and the reasons against the others: {\"strategy\", \"own\", \
         \"chosen\", \"reasons\": [{\"code\", \"weight\", \"rests_on\", \"text\"}, …], \
         \"alternatives\": [{\"strategy\", \"can_be_planned\", \"least\", \"reasons\"}, …]}."),
    view!(4 rollback: Now(|plan| canonical(&plan.rollback())) =>
        "How the release is rolled back: {\"methods\": [{\"kind\", \"takes\": {\"least\", \
         \"most\"}, \"condition\", …}, …], \"others\", \"estimate\", \"point\": {\"demanded\", \
         \"known\", \"missing\"}, \"on_failure\", \"not_reversible\", \"steps\", \"aftercare\", …}. \
         Times are in seconds."),
    view!(5 scope: Now(|plan| canonical(&plan.scope())) =>
        "The size of the release against the policy's limits for a hot-fix, from its diff \
         (\"numstat\") and its \"change\": {\"content\": \"yes\" | \"no\" | \"unknown\", \
         \"figures\": {\"files\", \"added\", \"deleted\", \"lines\", \"binary\", \"dependencies\", \
         \"migrations\", \"tests\"}, \"breaches\": [{\"rule\", \"code\", \"message\", \"remedy\", \
         \"paths\"}], \"unknown\": [{\"rule\", \"message\", \"would_tell\"}], \"wanted\"}. An \
         unknown value never passes the check. \"content\" is absent if the policy has no table \
         `scope`, \"figures\" if there is no diff."),
    view!(6 demands: Now(|plan| canonical(&plan.demands())) =>
        "The requirements of the plan's severity: {\"severity\", \"basis\": \"given\" | \
         \"settled\" | \"assumed\" | \"unknown\", \"would_tell\", \"in_policy\", \"label\", \
         \"hotfix\", \"process\", \"approvals\", \"review\", \"testing\": {\"least\", \"most\", \
         \"staging\": {\"verdict\": \"required\" | \"may_be_left_out\" | \"unknown\" | \
         \"not_asked\", \"because\", \"would_tell\"}, \"demands\"}}; times are in seconds, and \
         values that the policy does not set are absent."),
    view!(7 calibration: Now(|plan| canonical(plan.calibrations())) =>
        "The calibration of the tests from the service's own history, by metric: {metric: \
         {\"history\", \"phases\": [{\"phase\", \"calibration\": {\"threshold\", \"cap\", \
         \"hold\", …}}, …]}}, of a latency {\"history\", \"slow\": {\"tolerated\", \
         \"threshold\", …}}; {} without a history."),
    view!(8 power_markdown: Now(|plan| Ok(plan.power().to_markdown())) =>
        "The power analysis as Markdown, with a table and advice."),
    view!(9 gantt: Start(|plan, start| Ok(plan.gantt(start))) =>
        "Rollout and procedure as a Mermaid gantt chart. Its argument is \"start\", when the first \
         deployment starts. Without it the axis counts from T+00:00. With it the axis shows UTC, \
         and the procedure is drawn if the incident has its time of detection."),
    view!(10 source_control: At(|plan, at| canonical(&plan.source_control(at)?)) =>
        "The source control steps of the fix: {\"flow\", \"way\", \"base\", \"branch\", \
         \"version\", \"tag\", \"steps\": [{\"kind\", \"title\", \"why\", \"of\", \"condition\", \
         \"people\", \"commands\": [{\"argv\", \"shown\"}], \"instead\"}], \"rollback\": \
         {\"steps\", \"again\"}, \"merge_back\": {\"inspect\", \"branches\": [{\"branch\", \
         \"planned\", \"has\", \"steps\"}]}, \"findings\": [{\"code\", \"message\", \"remedy\"}]}. \
         Nothing is run. \"shown\" is \"argv\", safely quoted for a POSIX shell. The release's \
         \"flow\" and \"way\" choose among what the policy allows. Its argument is \"at\", the time \
         of the tag, for tags that are named by time."),
];
