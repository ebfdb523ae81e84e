/*
 * hotfix: a library that decides how an emergency fix is rolled out. The library decides, the caller acts.
 *
 * The library uses no clock, file, socket or environment variable. Times and observations are its inputs, log lines and actions
 * its outputs:
 *
 *     append the outcome's events to the log durably, then act; if the append fails, free the rollout and replay the log.
 *
 * Calls
 *   - Needs C99 or C++11. Names have the form hotfix_<noun>_<verb>, or hotfix_<noun>_<what it returns>; order of parameters:
 *     handle, inputs, outputs, `hotfix_error **err` last.
 *   - A call that can fail returns a hotfix_status. If `err` is not null, a failed call stores an error object there, which the
 *     caller frees with hotfix_error_free; a successful call stores null.
 *   - Before any other check, out handles are set to null and buffers are emptied, but not freed: free a filled one before you
 *     pass it again. Both are filled only on success. A hotfix_outcome loses its events and actions, a hotfix_train_outcome its
 *     moves and findings; a refusal fills them as well.
 *   - A pointer must not be null unless its @param allows it. *_free(NULL) does nothing.
 *
 * Ownership
 *   - The caller owns each handle from `_new`, `_preset`, `_from_*`, `_clone`, `_replay`, `_recover`, hotfix_rollout_restore,
 *     hotfix_rollout_plan, hotfix_plan_policy and hotfix_convert, and frees it once with `_free`.
 *   - Input text is a pointer and a length in bytes, UTF-8, borrowed for the call. No null byte is needed at its end.
 *   - The caller owns a filled hotfix_buf and frees it with hotfix_buf_free. A hotfix_str is a view: the function that returns it
 *     documents how long it is valid.
 *   - A plan does not refer to its policy, and a rollout does not refer to its plan: each can be freed at any time. A train owns
 *     its rollouts.
 *
 * Threads
 *   - Several threads may use a `const T *` at the same time; only one thread at a time may use a `T *`. Handles are not bound to
 *     a thread. A thread that calls the library needs a stack of at least 256 KiB.
 *
 * Versions
 *   - An input or output struct starts with `size_t struct_size`: set it to sizeof. New members are added at the end. Members
 *     that a shorter input struct lacks have their defaults; the unknown members of a longer one have to be zero. A shorter
 *     output struct gets the members that it has; the unknown members of a longer one are set to zero, up to its struct_size. So
 *     a struct_size above the struct's real size overwrites what follows it. No struct has more than 512 bytes: a larger size is
 *     HOTFIX_STATUS_STRUCT. HOTFIX_…_INIT initialises a declaration; in C it cannot be assigned. These structs have no size and
 *     never change: hotfix_counts, hotfix_stratum, hotfix_train_service, hotfix_str, hotfix_buf, hotfix_digest and hotfix_name.
 *   - Values of enums are explicit and are never reused. Parameters and members for an enum have the type int32_t and are checked
 *     (HOTFIX_STATUS_ENUM).
 *   - hotfix_abi_version() of the loaded library has to equal HOTFIX_ABI_VERSION; otherwise header and library are not compatible.
 *
 * Parts
 *   - A library that was built without a part has none of its functions and views. Define HOTFIX_WITHOUT_INTEROP, HOTFIX_WITHOUT_KAYENTA,
 *     HOTFIX_WITHOUT_MESSAGE, HOTFIX_WITHOUT_REPORT or HOTFIX_WITHOUT_SIMULATE before you include this header, and they are not
 *     declared.
 *
 * Handles
 *   - A handle that was freed, or that has another type, gives HOTFIX_STATUS_HANDLE: nothing behind it is accessed, and freeing it
 *     again does nothing. Errors are handles, too: the functions that read one treat such a pointer like null. The address of a freed
 *     handle is reused after as many new handles as were free of 4,096; with more than 4,096 alive it may be reused at once.
 *   - A rollout that a train owns gives HOTFIX_STATUS_HANDLE (HF-FFI-013) to every function that would change it, also to another
 *     hotfix_train_new, and hotfix_rollout_free does nothing. After hotfix_train_free it is a handle that was freed.
 *
 * Defects
 *   - A panic inside the library is caught: HOTFIX_STATUS_PANIC. It poisons the handle that was used: every further call on it,
 *     except `_free`, returns HOTFIX_STATUS_POISONED. Other handles are not affected.
 *
 * Times are int64_t milliseconds since 1970-01-01T00:00:00Z. Documents have RFC 3339 text: hotfix_time_parse and
 * hotfix_time_format convert between the two. A time outside the years 1 to 9999 is HOTFIX_STATUS_UNIT. A time before 2001-09-09
 * is probably in seconds: it is HF-ROLL-025 for an input, and HF-FFI-010 (HOTFIX_STATUS_UNIT) for hotfix_train_tick,
 * hotfix_train_settle, hotfix_rollout_duties, hotfix_plan_timeline and hotfix_timestamp_tag. Arrays of numbers that are not
 * aligned, and more elements of an array than a function reads, are HOTFIX_STATUS_RANGE; a document that is too long is an error
 * of its kind, such as HOTFIX_STATUS_POLICY. Documents (policy, incident, input, verdict, action) are the same JSON as
 * in Rust, Python and the log.
 */

#ifndef HOTFIX_H
#define HOTFIX_H

/* Generated by hotfix-ffi/tests/it/header.rs: HOTFIX_BLESS=1 rewrites it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
/* Also where a header includes this one within extern "C". */
extern "C++" {
/** A zeroed struct that knows its size; what HOTFIX_*_INIT is in C++. */
template <typename T> inline T hotfix_sized() {
  T value = T();
  value.struct_size = sizeof(T);
  return value;
}
}
#endif

/** The package's version, from Cargo. */
#define HOTFIX_VERSION "0.1.0"
#define HOTFIX_VERSION_MAJOR 0
#define HOTFIX_VERSION_MINOR 1
#define HOTFIX_VERSION_PATCH 0

/** An empty hotfix_outcome of the right size. */
#ifdef __cplusplus
#define HOTFIX_OUTCOME_INIT hotfix_sized<hotfix_outcome>()
#else
#define HOTFIX_OUTCOME_INIT {.struct_size = sizeof(hotfix_outcome)}
#endif

/** An empty hotfix_action of the right size. */
#ifdef __cplusplus
#define HOTFIX_ACTION_INIT hotfix_sized<hotfix_action>()
#else
#define HOTFIX_ACTION_INIT {.struct_size = sizeof(hotfix_action)}
#endif

/** An empty hotfix_train_outcome of the right size. */
#ifdef __cplusplus
#define HOTFIX_TRAIN_OUTCOME_INIT hotfix_sized<hotfix_train_outcome>()
#else
#define HOTFIX_TRAIN_OUTCOME_INIT {.struct_size = sizeof(hotfix_train_outcome)}
#endif

/** An empty hotfix_train_move of the right size. */
#ifdef __cplusplus
#define HOTFIX_TRAIN_MOVE_INIT hotfix_sized<hotfix_train_move>()
#else
#define HOTFIX_TRAIN_MOVE_INIT {.struct_size = sizeof(hotfix_train_move)}
#endif

/** An empty hotfix_reading of the right size. */
#ifdef __cplusplus
#define HOTFIX_READING_INIT hotfix_sized<hotfix_reading>()
#else
#define HOTFIX_READING_INIT {.struct_size = sizeof(hotfix_reading)}
#endif

/** An empty hotfix_sender of the right size. */
#ifdef __cplusplus
#define HOTFIX_SENDER_INIT hotfix_sized<hotfix_sender>()
#else
#define HOTFIX_SENDER_INIT {.struct_size = sizeof(hotfix_sender)}
#endif

/** An empty hotfix_evidence of the right size. */
#ifdef __cplusplus
#define HOTFIX_EVIDENCE_INIT hotfix_sized<hotfix_evidence>()
#else
#define HOTFIX_EVIDENCE_INIT {.struct_size = sizeof(hotfix_evidence)}
#endif

/** An empty hotfix_comparison of the right size. */
#ifdef __cplusplus
#define HOTFIX_COMPARISON_INIT hotfix_sized<hotfix_comparison>()
#else
#define HOTFIX_COMPARISON_INIT {.struct_size = sizeof(hotfix_comparison)}
#endif

/** An empty hotfix_detection_time of the right size. */
#ifdef __cplusplus
#define HOTFIX_DETECTION_TIME_INIT hotfix_sized<hotfix_detection_time>()
#else
#define HOTFIX_DETECTION_TIME_INIT {.struct_size = sizeof(hotfix_detection_time)}
#endif

/** An empty hotfix_chance of the right size. */
#ifdef __cplusplus
#define HOTFIX_CHANCE_INIT hotfix_sized<hotfix_chance>()
#else
#define HOTFIX_CHANCE_INIT {.struct_size = sizeof(hotfix_chance)}
#endif

/** An empty hotfix_mann_whitney of the right size. */
#ifdef __cplusplus
#define HOTFIX_MANN_WHITNEY_INIT hotfix_sized<hotfix_mann_whitney>()
#else
#define HOTFIX_MANN_WHITNEY_INIT {.struct_size = sizeof(hotfix_mann_whitney)}
#endif

/** An empty hotfix_shift of the right size. */
#ifdef __cplusplus
#define HOTFIX_SHIFT_INIT hotfix_sized<hotfix_shift>()
#else
#define HOTFIX_SHIFT_INIT {.struct_size = sizeof(hotfix_shift)}
#endif

/** An empty hotfix_kolmogorov_smirnov of the right size. */
#ifdef __cplusplus
#define HOTFIX_KOLMOGOROV_SMIRNOV_INIT hotfix_sized<hotfix_kolmogorov_smirnov>()
#else
#define HOTFIX_KOLMOGOROV_SMIRNOV_INIT {.struct_size = sizeof(hotfix_kolmogorov_smirnov)}
#endif

/** An empty hotfix_fisher of the right size. */
#ifdef __cplusplus
#define HOTFIX_FISHER_INIT hotfix_sized<hotfix_fisher>()
#else
#define HOTFIX_FISHER_INIT {.struct_size = sizeof(hotfix_fisher)}
#endif

/** An empty hotfix_rates of the right size. */
#ifdef __cplusplus
#define HOTFIX_RATES_INIT hotfix_sized<hotfix_rates>()
#else
#define HOTFIX_RATES_INIT {.struct_size = sizeof(hotfix_rates)}
#endif

/** An empty hotfix_margin of the right size. */
#ifdef __cplusplus
#define HOTFIX_MARGIN_INIT hotfix_sized<hotfix_margin>()
#else
#define HOTFIX_MARGIN_INIT {.struct_size = sizeof(hotfix_margin)}
#endif

/** An empty hotfix_apart of the right size. */
#ifdef __cplusplus
#define HOTFIX_APART_INIT hotfix_sized<hotfix_apart>()
#else
#define HOTFIX_APART_INIT {.struct_size = sizeof(hotfix_apart)}
#endif

/** An empty hotfix_interval of the right size. */
#ifdef __cplusplus
#define HOTFIX_INTERVAL_INIT hotfix_sized<hotfix_interval>()
#else
#define HOTFIX_INTERVAL_INIT {.struct_size = sizeof(hotfix_interval)}
#endif

/* The test of a rate ratio has names of its own, too. */
typedef struct hotfix_test hotfix_rate_ratio;
#define hotfix_rate_ratio_evidence hotfix_test_evidence
#define hotfix_rate_ratio_to_bytes hotfix_test_to_bytes
#define hotfix_rate_ratio_from_bytes hotfix_test_from_bytes
#define hotfix_rate_ratio_free hotfix_test_free

/**
 * The views of hotfix_rollout_view. Each is JSON if its text does not say otherwise.
 */
typedef enum hotfix_rollout_views {
  /**
   * The kinds of input that would be accepted now: a list of names.
   */
  HOTFIX_ROLLOUT_VIEW_ACCEPTED = 1,
  /**
   * Everything that prevents the rollout from starting: a list of {"kind", "sentence", "roles",
   * "item", "list", "who", "clears"}. The kinds are release, severity, denial, normal_process,
   * volume_bound, change_window, readings, approval, item, traffic and policy. "who" has the roles
   * that can clear it (empty: anybody, or for a review anybody but the author of the fix), "clears"
   * the kinds of input that clear it (empty: make a new plan). The list is empty when a start would
   * be accepted, and after the start.
   */
  HOTFIX_ROLLOUT_VIEW_BLOCKERS = 2,
  /**
   * Each required approval and its state: {"demands", "unasked"}. A demand has its roles ("any_of",
   * "stand_ins"), its state (open, approved, denied, withdrawn, author_alone, afterwards, late) and
   * its "statements": who answered what, when, in which role, through which channel, why, and for
   * which plan. "unasked" has the statements of roles that no demand asks.
   */
  HOTFIX_ROLLOUT_VIEW_APPROVALS = 3,
  /**
   * Each checklist of the policy: a list of {"id", "title", "at", "applies", "holds_start",
   * "within", "items"}. "applies" is yes, no or unknown, and follows from severity and facts. An
   * item has its state (open, done, waived, not_applicable); "mark" has who set it, when, and why.
   */
  HOTFIX_ROLLOUT_VIEW_CHECKLISTS = 4,
  /**
   * Each step of the procedure and its state: a list of {"id", "title", "role", "state", "mark"}.
   */
  HOTFIX_ROLLOUT_VIEW_PROCEDURE = 5,
  /**
   * The plan's change record with its present status: {"status", "immediate", "window",
   * "prepared_by", "created", "changed", "branch", "commit", "build", "artifact", "links",
   * "missing"}; absent values are left out. The status is drafted, awaiting_approval, ready,
   * in_progress, complete, rolled_back or stopped. During a rollback it is still in_progress.
   */
  HOTFIX_ROLLOUT_VIEW_CHANGE_RECORD = 6,
  /**
   * The last intervention of each kind: a list of {"kind", "by", "at", "role", "about", "why"},
   * ordered by time. It shows who asked for what, when and why, whatever the result was. The log
   * has all interventions, one line each.
   */
  HOTFIX_ROLLOUT_VIEW_INTERVENTIONS = 7,
  /**
   * The explanation of the last verdict: {"at", "causes", "decision", "log_e", "threshold", "hold",
   * "metrics"}; `null` if there is no verdict. Each metric has its numbers ("tick", "window"),
   * every rule that was applied ("rules"), the smallest change of the tick that would have changed
   * the verdict ("counterfactual"), and a summary in one sentence ("sentence"). During and after a
   * rollback this explains the verdict before the rollback. It searches and takes some
   * milliseconds: do not ask at every tick.
   */
  HOTFIX_ROLLOUT_VIEW_WHY = 8,
  /**
   * The estimated impact of each version in bad events per minute, over the trailing window: {"at",
   * "canary", "live", "lesser", "metrics", "requests_per_minute"}; `null` if there is no verdict.
   */
  HOTFIX_ROLLOUT_VIEW_HARM = 9,
  /**
   * The forecast for the rest of the phase, how long the tests still need, and whether promotion
   * and efficacy can still be decided: {"at", "phase", "until_due", "until_overdue", "metrics",
   * "efficacy", "requests_per_minute"}; `null` if no phase is watched.
   */
  HOTFIX_ROLLOUT_VIEW_FORECAST = 10,
  /**
   * The comparison table: each metric, its baseline and its readings in each phase: {"phases",
   * "rows"}.
   */
  HOTFIX_ROLLOUT_VIEW_COMPARISON = 11,
  /**
   * The comparison as a table in Markdown.
   */
  HOTFIX_ROLLOUT_VIEW_COMPARISON_MARKDOWN = 12,
#ifndef HOTFIX_WITHOUT_INTEROP
  /**
   * The state as OpenMetrics 1.0 text. Its argument is "at", any time from the last input on; an
   * earlier time is treated as the time of the last input.
   */
  HOTFIX_ROLLOUT_VIEW_OPENMETRICS = 13,
#endif
#ifndef HOTFIX_WITHOUT_INTEROP
  /**
   * The duties as iCalendar text (RFC 5545), one to-do for each. Its argument is "at", as for the
   * state as OpenMetrics.
   */
  HOTFIX_ROLLOUT_VIEW_ICALENDAR = 14,
#endif
  /**
   * The questions and pages that wait for an answer: a list of {"action", "since", "asked_at",
   * "text", "answers"}. "action" is the action that asked first; a click on an older question is
   * not an answer to this one. "answers" are the inputs that the text names and that are accepted
   * now.
   */
  HOTFIX_ROLLOUT_VIEW_QUESTIONS = 15,
} hotfix_rollout_views;

/**
 * The views of hotfix_plan_view. Each is JSON if its text does not say otherwise.
 */
typedef enum hotfix_plan_views {
  /**
   * The phases of the strategy, in order: [{"name", "share", "deploy", "watch", …}, …]. Shares are
   * fractions, times are in seconds.
   */
  HOTFIX_PLAN_VIEW_PHASES = 1,
  /**
   * The strategy: {"strategy", "own", "chosen_by", "why", "batches", "steps": [{"move", "side",
   * "phase", "share", "instances", "lasts", "checks", "ended_by"}, …]}. With blue-green the
   * rollout's `deploy` goes to the idle side: confirm it after that side has passed the checks of
   * the `validate` step.
   */
  HOTFIX_PLAN_VIEW_STRATEGY = 2,
  /**
   * The recommended strategy, and the reasons against the others: {"strategy", "own", "chosen",
   * "reasons": [{"code", "weight", "rests_on", "text"}, …], "alternatives": [{"strategy",
   * "can_be_planned", "least", "reasons"}, …]}.
   */
  HOTFIX_PLAN_VIEW_RECOMMENDATION = 3,
  /**
   * How the release is rolled back: {"methods": [{"kind", "takes": {"least", "most"}, "condition",
   * …}, …], "others", "estimate", "point": {"demanded", "known", "missing"}, "on_failure",
   * "not_reversible", "steps", "aftercare", …}. Times are in seconds.
   */
  HOTFIX_PLAN_VIEW_ROLLBACK = 4,
  /**
   * The size of the release against the policy's limits for a hot-fix, from its diff ("numstat")
   * and its "change": {"content": "yes" | "no" | "unknown", "figures": {"files", "added",
   * "deleted", "lines", "binary", "dependencies", "migrations", "tests"}, "breaches": [{"rule",
   * "code", "message", "remedy", "paths"}], "unknown": [{"rule", "message", "would_tell"}],
   * "wanted"}. An unknown value never passes the check. "content" is absent if the policy has no
   * table `scope`, "figures" if there is no diff.
   */
  HOTFIX_PLAN_VIEW_SCOPE = 5,
  /**
   * The requirements of the plan's severity: {"severity", "basis": "given" | "settled" | "assumed"
   * | "unknown", "would_tell", "in_policy", "label", "hotfix", "process", "approvals", "review",
   * "testing": {"least", "most", "staging": {"verdict": "required" | "may_be_left_out" | "unknown"
   * | "not_asked", "because", "would_tell"}, "demands"}}; times are in seconds, and values that the
   * policy does not set are absent.
   */
  HOTFIX_PLAN_VIEW_DEMANDS = 6,
  /**
   * The calibration of the tests from the service's own history, by metric: {metric: {"history",
   * "phases": [{"phase", "calibration": {"threshold", "cap", "hold", …}}, …]}}, of a latency
   * {"history", "slow": {"tolerated", "threshold", …}}; {} without a history.
   */
  HOTFIX_PLAN_VIEW_CALIBRATION = 7,
  /**
   * The power analysis as Markdown, with a table and advice.
   */
  HOTFIX_PLAN_VIEW_POWER_MARKDOWN = 8,
  /**
   * Rollout and procedure as a Mermaid gantt chart. Its argument is "start", when the first
   * deployment starts. Without it the axis counts from T+00:00. With it the axis shows UTC, and the
   * procedure is drawn if the incident has its time of detection.
   */
  HOTFIX_PLAN_VIEW_GANTT = 9,
  /**
   * The source control steps of the fix: {"flow", "way", "base", "branch", "version", "tag",
   * "steps": [{"kind", "title", "why", "of", "condition", "people", "commands": [{"argv",
   * "shown"}], "instead"}], "rollback": {"steps", "again"}, "merge_back": {"inspect", "branches":
   * [{"branch", "planned", "has", "steps"}]}, "findings": [{"code", "message", "remedy"}]}. Nothing
   * is run. "shown" is "argv", safely quoted for a POSIX shell. The release's "flow" and "way"
   * choose among what the policy allows. Its argument is "at", the time of the tag, for tags that
   * are named by time.
   */
  HOTFIX_PLAN_VIEW_SOURCE_CONTROL = 10,
} hotfix_plan_views;


/**
 * The ABI version of this header. A library with another ABI version is not compatible with it.
 */
#define HOTFIX_ABI_VERSION 2

/**
 * The canary has numbers. Without this flag the canary's members are ignored: an absent value is
 * not zero.
 */
#define HOTFIX_READING_CANARY 1

/**
 * The baseline has numbers. Without this flag the canary is compared with the metric's reference.
 */
#define HOTFIX_READING_BASELINE 2

/**
 * The numbers are running counters; resets are handled.
 */
#define HOTFIX_READING_TOTALS 4

/**
 * The value for "never": later than every other time.
 */
#define HOTFIX_NEVER INT64_MAX

/**
 * The status of a call. Values are explicit and are never reused; the error object has the exact
 * code.
 */
enum hotfix_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Success.
   */
  HOTFIX_STATUS_OK = 0,
  /**
   * A pointer that must not be null is null.
   */
  HOTFIX_STATUS_NULL = 1,
  /**
   * Text is not UTF-8.
   */
  HOTFIX_STATUS_UTF8 = 2,
  /**
   * This library cannot read a struct of this `struct_size`.
   */
  HOTFIX_STATUS_STRUCT = 3,
  /**
   * A number, or a name, is not a member of its enum.
   */
  HOTFIX_STATUS_ENUM = 4,
  /**
   * An index or a length is out of range.
   */
  HOTFIX_STATUS_RANGE = 5,
  /**
   * The handle is poisoned by an earlier panic: it can only be freed.
   */
  HOTFIX_STATUS_POISONED = 6,
  /**
   * A handle was freed before, or has another type: nothing behind it was accessed.
   */
  HOTFIX_STATUS_HANDLE = 7,
  /**
   * A time, a name, a digest or a value with a unit is not valid.
   */
  HOTFIX_STATUS_UNIT = 10,
  /**
   * A policy cannot be read; the error has every fault.
   */
  HOTFIX_STATUS_POLICY = 11,
  /**
   * A plan, a train, a commit message or a name for source control cannot be made.
   */
  HOTFIX_STATUS_PLAN = 12,
  /**
   * An input or a reading cannot be read, or a train has no such service; nothing was logged.
   */
  HOTFIX_STATUS_INPUT = 13,
  /**
   * A valid input was refused in the present state: append the outcome's events. The error has
   * the kinds of input that would be accepted.
   */
  HOTFIX_STATUS_REFUSED = 14,
  /**
   * A log or a snapshot cannot be replayed or restored.
   */
  HOTFIX_STATUS_LOG = 15,
  /**
   * The settings, counts or state of a test are not valid, or the input of the
   * Kayenta-compatible judge is not valid.
   */
  HOTFIX_STATUS_STAT = 16,
  /**
   * An incident's facts cannot be read; the error has every fault.
   */
  HOTFIX_STATUS_FACT = 17,
  /**
   * A message, a report, a measure or an export cannot be made.
   */
  HOTFIX_STATUS_MESSAGE = 18,
  /**
   * Documents of another tool cannot be imported; the error has every fault.
   */
  HOTFIX_STATUS_CONVERT = 19,
  /**
   * A scenario or a recording cannot be read, a policy cannot be run on it, or tallies are not
   * of one simulation. The error has the place, and every fault of a scenario.
   */
  HOTFIX_STATUS_SIMULATE = 20,
  /**
   * A panic in this library was caught, which is a defect; the handle is poisoned.
   */
  HOTFIX_STATUS_PANIC = 99,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hotfix_status hotfix_status;
#else
typedef int32_t hotfix_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The name of a state.
 */
enum hotfix_state
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * There is no release, the severity is unknown, a checklist item is open, or a previous attempt
   * still has traffic.
   */
  HOTFIX_STATE_DRAFTED = 1,
  /**
   * An approval or a waiver is missing.
   */
  HOTFIX_STATE_AWAITING_APPROVAL = 2,
  /**
   * Nothing is missing. Outside of a change window `start` is still refused.
   */
  HOTFIX_STATE_READY = 3,
  /**
   * A deployment or a change of traffic is in progress.
   */
  HOTFIX_STATE_DEPLOYING = 4,
  /**
   * A phase is being watched.
   */
  HOTFIX_STATE_MONITORING = 5,
  /**
   * A person has to decide, or may object.
   */
  HOTFIX_STATE_GATE = 6,
  /**
   * The final validation, before the rollout is complete.
   */
  HOTFIX_STATE_FINAL_VALIDATION = 7,
  /**
   * Complete; the metrics are still watched.
   */
  HOTFIX_STATE_COMPLETE = 8,
  /**
   * Closed. Final.
   */
  HOTFIX_STATE_CLOSED = 9,
  /**
   * Rolling back.
   */
  HOTFIX_STATE_ROLLING_BACK = 10,
  /**
   * Rolled back. Final.
   */
  HOTFIX_STATE_ROLLED_BACK = 11,
  /**
   * Paused by a person.
   */
  HOTFIX_STATE_PAUSED = 12,
  /**
   * A person has to act: every rollback method failed, or a change cannot be rolled back.
   */
  HOTFIX_STATE_FROZEN = 13,
  /**
   * Aborted. Final.
   */
  HOTFIX_STATE_ABORTED = 14,
  /**
   * The deployment failed before any traffic moved. Final.
   */
  HOTFIX_STATE_FAILED = 15,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hotfix_state hotfix_state;
#else
typedef int32_t hotfix_state;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The decision of the last verdict.
 */
enum hotfix_decision
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * No fault is found: continue watching.
   */
  HOTFIX_DECISION_CONTINUE = 1,
  /**
   * Something prevents promotion: hold. Also before the first verdict.
   */
  HOTFIX_DECISION_HOLD = 2,
  /**
   * The phase met its criteria: promote.
   */
  HOTFIX_DECISION_PROMOTE = 3,
  /**
   * Roll back.
   */
  HOTFIX_DECISION_ROLL_BACK = 4,
  /**
   * A person has to decide.
   */
  HOTFIX_DECISION_ASK = 5,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hotfix_decision hotfix_decision;
#else
typedef int32_t hotfix_decision;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The kinds of action.
 */
enum hotfix_action_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Send this `share` of the traffic to the canary. Awaits `confirm` or `failed`.
   */
  HOTFIX_ACTION_KIND_SET_TRAFFIC = 1,
  /**
   * Deploy this `version` next to the live one. Awaits `confirm` or `failed`. Of a blue-green
   * deployment the JSON of the action has the checks to pass before `confirm`: `validate`.
   */
  HOTFIX_ACTION_KIND_DEPLOY = 2,
  /**
   * Roll back to this `version` with this `method`. Awaits `confirm` or `failed`.
   */
  HOTFIX_ACTION_KIND_ROLL_BACK = 3,
  /**
   * Ask a person the question in `text`; send the answer as an input.
   */
  HOTFIX_ACTION_KIND_ASK_DECISION = 4,
  /**
   * Ask one of several roles for approval. `role` is empty: the roles are in `any_of` in the
   * JSON of hotfix_rollout_actions.
   */
  HOTFIX_ACTION_KIND_REQUEST_APPROVAL = 5,
  /**
   * Send the `message` to this `audience`. Where there is a `role`, send `text` to whoever holds it;
   * there is no `message` to write.
   */
  HOTFIX_ACTION_KIND_NOTIFY = 6,
  /**
   * Page this `role` with `text`.
   */
  HOTFIX_ACTION_KIND_PAGE = 7,
  /**
   * Update the status page with the `message`.
   */
  HOTFIX_ACTION_KIND_UPDATE_STATUS_PAGE = 8,
  /**
   * Schedule the meeting that `text` names.
   */
  HOTFIX_ACTION_KIND_SCHEDULE = 9,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hotfix_action_kind hotfix_action_kind;
#else
typedef int32_t hotfix_action_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The state of a train.
 */
enum hotfix_train_state
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * None of its services has started.
   */
  HOTFIX_TRAIN_STATE_WAITING = 1,
  /**
   * Some services have started, not all are complete.
   */
  HOTFIX_TRAIN_STATE_RUNNING = 2,
  /**
   * All services are complete; some are still watched.
   */
  HOTFIX_TRAIN_STATE_COMPLETE = 3,
  /**
   * All services are closed.
   */
  HOTFIX_TRAIN_STATE_CLOSED = 4,
  /**
   * One service was rolled back; others are rolling back or will follow.
   */
  HOTFIX_TRAIN_STATE_ROLLING_BACK = 5,
  /**
   * One service was rolled back, and nothing proceeds until a person acts on those that still have the fix:
   * they are frozen, kept or closed.
   */
  HOTFIX_TRAIN_STATE_FROZEN = 6,
  /**
   * One service was rolled back, and so were all others that had started.
   */
  HOTFIX_TRAIN_STATE_ROLLED_BACK = 7,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hotfix_train_state hotfix_train_state;
#else
typedef int32_t hotfix_train_state;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How the log lines are recorded.
 */
enum hotfix_recording
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Lines are returned with each outcome and kept for hotfix_rollout_log.
   */
  HOTFIX_RECORDING_KEEP = 1,
  /**
   * Lines are only returned with each outcome: memory use stays constant.
   */
  HOTFIX_RECORDING_HAND_OUT = 2,
  /**
   * No lines are made, so there is no head. For simulations only.
   */
  HOTFIX_RECORDING_OFF = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hotfix_recording hotfix_recording;
#else
typedef int32_t hotfix_recording;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The form of a reading's numbers.
 */
enum hotfix_form
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * `canary` and `baseline` are {events, trials}, or {events, seconds of exposure} for a count.
   */
  HOTFIX_FORM_PAIR = 1,
  /**
   * `canary[0]` and `baseline[0]` are levels: a gauge, or a volume per minute. With
   * HOTFIX_READING_TOTALS a volume is a running counter, from whose difference the rollout
   * computes the volume per minute.
   */
  HOTFIX_FORM_LEVEL = 2,
  /**
   * Cumulative buckets as in Prometheus: `le`, the arms' counts, and the number of all requests
   * in `canary[0]` and `baseline[0]`.
   */
  HOTFIX_FORM_HISTOGRAM = 3,
  /**
   * Raw latencies in seconds.
   */
  HOTFIX_FORM_SAMPLES = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hotfix_form hotfix_form;
#else
typedef int32_t hotfix_form;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The alternative hypothesis: which deviation from the null hypothesis the test looks for.
 */
enum hotfix_alternative
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * A deviation in either direction.
   */
  HOTFIX_ALTERNATIVE_TWO_SIDED = 1,
  /**
   * The values or the rate of the first argument are lower.
   */
  HOTFIX_ALTERNATIVE_LESS = 2,
  /**
   * The values or the rate of the first argument are higher. In hotfix_ks_2samp it is the
   * distribution function that is greater, as in SciPy.
   */
  HOTFIX_ALTERNATIVE_GREATER = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hotfix_alternative hotfix_alternative;
#else
typedef int32_t hotfix_alternative;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How a p-value is computed.
 */
enum hotfix_test_method
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Exact if that is cheap, otherwise asymptotic.
   */
  HOTFIX_TEST_METHOD_AUTO = 1,
  /**
   * An approximation for large samples.
   */
  HOTFIX_TEST_METHOD_ASYMPTOTIC = 2,
  /**
   * From the exact distribution.
   */
  HOTFIX_TEST_METHOD_EXACT = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hotfix_test_method hotfix_test_method;
#else
typedef int32_t hotfix_test_method;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The scale on which two proportions are compared.
 */
enum hotfix_scale
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The canary's proportion divided by the baseline's.
   */
  HOTFIX_SCALE_RATIO = 1,
  /**
   * The canary's proportion minus the baseline's.
   */
  HOTFIX_SCALE_DIFFERENCE = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hotfix_scale hotfix_scale;
#else
typedef int32_t hotfix_scale;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Findings about a test's assumptions: bits of a result's `assumptions`.
 */
enum hotfix_assumption
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Some values are equal; the variance is corrected for it.
   */
  HOTFIX_ASSUMPTION_TIES = 1,
  /**
   * All values are equal: the test shows nothing, p = 1.
   */
  HOTFIX_ASSUMPTION_ALL_EQUAL = 2,
  /**
   * The normal approximation was used although an arm has at most 8 values.
   */
  HOTFIX_ASSUMPTION_FEW_SAMPLES = 4,
  /**
   * Values are known up to their bucket only.
   */
  HOTFIX_ASSUMPTION_BINNED = 8,
  /**
   * An expected count is below 5: only exact tests are valid.
   */
  HOTFIX_ASSUMPTION_SMALL_EXPECTED = 16,
  /**
   * An arm has no events, or every trial is an event.
   */
  HOTFIX_ASSUMPTION_SPARSE = 32,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hotfix_assumption hotfix_assumption;
#else
typedef int32_t hotfix_assumption;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How the next version is numbered.
 */
enum hotfix_versioning
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * 1.2.4 follows 1.2.3.
   */
  HOTFIX_VERSIONING_PATCH = 1,
  /**
   * 1.2.3-hotfix.1 follows 1.2.3, but has lower precedence in semantic versioning.
   */
  HOTFIX_VERSIONING_HOTFIX_IDENTIFIER = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hotfix_versioning hotfix_versioning;
#else
typedef int32_t hotfix_versioning;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Receives the answer of a hotfix_resolve, through hotfix_base_set. It lives until that
 * hotfix_resolve returns.
 */
typedef struct hotfix_base hotfix_base;

/**
 * An error: code, message, place and details. A call returns it through its last parameter; the
 * caller owns it. It never changes.
 */
typedef struct hotfix_error hotfix_error;

/**
 * The plan of one hot-fix. Immutable.
 */
typedef struct hotfix_plan hotfix_plan;

/**
 * A checked, immutable policy. It is reference-counted: hotfix_policy_clone shares it, and each
 * handle is freed separately.
 */
typedef struct hotfix_policy hotfix_policy;

/**
 * The rollout of one hot-fix, from plan to closed incident. One thread at a time.
 */
typedef struct hotfix_rollout hotfix_rollout;

/**
 * A sequential test. The function that made it, or its bytes, decide its kind: rate ratio,
 * latency, ceiling, randomisation or instances. The updates of another kind refuse it.
 */
typedef struct hotfix_test hotfix_test;

/**
 * A release train: several services in one hot-fix, with their rollouts. One thread at a time.
 */
typedef struct hotfix_train hotfix_train;

/**
 * UTF-8 text, or the bytes of a snapshot, that the caller owns. Free it with hotfix_buf_free; do
 * not change its members.
 *
 * A null byte follows the text and is not counted in `len`. Before its first use the struct may
 * hold anything.
 */
typedef struct hotfix_buf {
  /**
   * The first byte; null if there is no text to free.
   */
  char *data;
  /**
   * Length in bytes.
   */
  size_t len;
} hotfix_buf;

/**
 * A view of UTF-8 text that a handle or the library owns. It does not end with a null byte; `ptr`
 * is never null.
 *
 * Print it with `printf("%.*s", (int)s.len, s.ptr)`.
 */
typedef struct hotfix_str {
  /**
   * The first byte.
   */
  const char *ptr;
  /**
   * Length in bytes.
   */
  size_t len;
} hotfix_str;

/**
 * A SHA-256 digest as 64 lower-case hexadecimal digits and a null byte; empty text if there is no
 * digest.
 */
typedef struct hotfix_digest {
  /**
   * The digits.
   */
  char hex[65];
} hotfix_digest;

/**
 * A callback that finds a policy which another one extends, and passes its text to
 * hotfix_base_set. If it does not call hotfix_base_set, it knows no policy of this name.
 *
 * It may call any function of this library, also the one that called it. It must return normally:
 * no longjmp, no exception.
 *
 * @param context   The pointer that was passed together with the function.
 * @param name      The name: lower-case letters, digits, `_` and `-`, so it can be used as a file
 *                  name; UTF-8, no null byte at its end, borrowed for the call.
 * @param name_len  Its length in bytes.
 * @param base      Receives the answer; do not keep it.
 */
typedef void (*hotfix_resolve)(void *context,
                               const char *name,
                               size_t name_len,
                               struct hotfix_base *base);

/**
 * The outcome of an input. Set `struct_size` before the call (HOTFIX_OUTCOME_INIT does); the rest
 * may hold anything.
 *
 * Append `events` to the log durably, then act. If the append fails, free the rollout and replay
 * the log.
 */
typedef struct hotfix_outcome {
  /**
   * sizeof(hotfix_outcome), set by the caller.
   */
  size_t struct_size;
  /**
   * The log lines to append, each with its line feed; also the lines of a refusal. Valid until
   * the next call that takes this rollout without `const`, also one that fails.
   */
  struct hotfix_str events;
  /**
   * Number of actions; read them with hotfix_rollout_action.
   */
  size_t action_count;
  /**
   * The state after the call.
   */
  hotfix_state state;
  /**
   * The decision of the last verdict. For information: the rollout acts on it itself.
   */
  hotfix_decision decision;
  /**
   * 1 if an input with this key was delivered before: nothing changed. The actions are those of
   * the first delivery: do not carry them out, others may have followed since.
   */
  uint32_t repeated;
  /**
   * 0.
   */
  uint32_t reserved;
} hotfix_outcome;

/**
 * The reading of one metric since the last observation. Set all bytes to zero, then set the
 * members that apply: `{.struct_size = sizeof r, …}`.
 *
 * NaN and infinity are accepted and logged: those of the canary make the metric's band `not_finite`,
 * which is never healthy, and those of the live version are no reading. A division by zero is better
 * sent as no reading.
 *
 * All elements of an array have the same `struct_size`, which is the array's stride. Send readings
 * by instance as JSON.
 */
typedef struct hotfix_reading {
  /**
   * sizeof(hotfix_reading), set by the caller.
   */
  size_t struct_size;
  /**
   * The metric's id; UTF-8, borrowed for the call.
   */
  const char *metric;
  /**
   * Its length in bytes.
   */
  size_t metric_len;
  /**
   * A hotfix_form; may be 0 where no arm has numbers.
   */
  int32_t form;
  /**
   * One flag for each arm that has numbers, HOTFIX_READING_CANARY or HOTFIX_READING_BASELINE, and
   * HOTFIX_READING_TOTALS if the numbers are running counters, combined with `|`. The numbers of an
   * arm without its flag are ignored; numbers without the flag of any arm are refused.
   */
  uint32_t flags;
  /**
   * The canary's numbers, see hotfix_form.
   */
  double canary[2];
  /**
   * The baseline's numbers, see hotfix_form.
   */
  double baseline[2];
  /**
   * HISTOGRAM: upper boundaries in seconds, ascending, without the last one (+Inf). Borrowed for
   * the call.
   */
  const double *le;
  /**
   * Number of boundaries, which is also the number of counts of each arm.
   */
  size_t le_len;
  /**
   * HISTOGRAM: requests at or below each boundary.
   */
  const double *canary_counts;
  /**
   * HISTOGRAM: requests at or below each boundary.
   */
  const double *baseline_counts;
  /**
   * SAMPLES: latencies in seconds.
   */
  const double *canary_samples;
  /**
   * Number of elements.
   */
  size_t canary_samples_len;
  /**
   * SAMPLES: latencies in seconds.
   */
  const double *baseline_samples;
  /**
   * Number of elements.
   */
  size_t baseline_samples_len;
} hotfix_reading;

/**
 * The sender of an observation. Null, or a struct with zero members, gives no sender.
 */
typedef struct hotfix_sender {
  /**
   * sizeof(hotfix_sender), set by the caller.
   */
  size_t struct_size;
  /**
   * The actor: a person or a tool. Logged as a salted digest. UTF-8, at most 256 bytes, borrowed
   * for the call.
   */
  const char *by;
  /**
   * Its length in bytes.
   */
  size_t by_len;
  /**
   * The idempotency key: an input with the same key changes nothing, and its outcome is
   * `repeated`. UTF-8, at most 256 bytes, borrowed for the call.
   */
  const char *key;
  /**
   * Its length in bytes.
   */
  size_t key_len;
  /**
   * The log head that the sender has seen, 64 hexadecimal digits. The observation is refused if
   * it is no longer the head.
   */
  const char *expected_head;
  /**
   * Its length in bytes.
   */
  size_t expected_head_len;
} hotfix_sender;

/**
 * A short name that ends with a null byte; empty text if there is no name.
 */
typedef struct hotfix_name {
  /**
   * The text.
   */
  char text[32];
} hotfix_name;

/**
 * One action for the caller. Set `struct_size` before the call (HOTFIX_ACTION_INIT does). Views
 * are valid until the next call that takes the rollout without `const`, also one that fails.
 */
typedef struct hotfix_action {
  /**
   * sizeof(hotfix_action), set by the caller.
   */
  size_t struct_size;
  /**
   * The id that `confirm` and `failed` name, such as "7.1"; ends with a null byte. It is the
   * same after every replay.
   */
  char id[32];
  /**
   * What to do.
   */
  hotfix_action_kind kind;
  /**
   * 1 if the rollout waits for `confirm` or `failed`.
   */
  uint32_t awaits;
  /**
   * SET_TRAFFIC: the canary's share, 0 to 1; otherwise 0.
   */
  double share;
  /**
   * DEPLOY and ROLL_BACK: the version; otherwise empty.
   */
  struct hotfix_str version;
  /**
   * ROLL_BACK: the method, such as "feature_flag"; otherwise empty.
   */
  struct hotfix_str method;
  /**
   * PAGE, and NOTIFY that is for one role: the role; otherwise empty. The roles of
   * REQUEST_APPROVAL, and whom to contact, are in the JSON of hotfix_rollout_actions.
   */
  struct hotfix_str role;
  /**
   * NOTIFY and UPDATE_STATUS_PAGE: the kind of message, such as "rolling_back"; otherwise empty.
   */
  struct hotfix_str message;
  /**
   * NOTIFY: the audience, such as "responders"; otherwise empty.
   */
  struct hotfix_str audience;
  /**
   * ASK_DECISION: the question. PAGE and NOTIFY that is for one role: the reason. REQUEST_APPROVAL
   * that needs one: why it is asked now, or a question about the incident that `set_facts` answers.
   * SCHEDULE: the name of the meeting. Otherwise empty.
   */
  struct hotfix_str text;
  /**
   * The duty that caused the action, which `acknowledge` and `done` name; otherwise empty. The
   * time by which a meeting is due is in the JSON of hotfix_rollout_actions.
   */
  struct hotfix_str duty;
} hotfix_action;

/**
 * A service of a train and its rollout.
 */
typedef struct hotfix_train_service {
  /**
   * The service's name; UTF-8, 1 to 256 bytes, borrowed for the call.
   */
  const char *name;
  /**
   * Its length in bytes.
   */
  size_t name_len;
  /**
   * Its rollout.
   */
  struct hotfix_rollout *rollout;
} hotfix_train_service;

/**
 * The outcome of a call on a train. Set `struct_size` before the call (HOTFIX_TRAIN_OUTCOME_INIT
 * does).
 *
 * For each move in order, append its `events` durably to the log of its service; then act. If an
 * append fails, free the train, replay the logs, make the train again and call
 * hotfix_train_settle.
 */
typedef struct hotfix_train_outcome {
  /**
   * sizeof(hotfix_train_outcome), set by the caller.
   */
  size_t struct_size;
  /**
   * Number of moves; read them with hotfix_train_move_at. Also set by a refusal, whose own lines
   * come last.
   */
  size_t move_count;
  /**
   * Number of findings; read them with hotfix_train_findings and notify the people on call at
   * once. Also set by a refusal.
   */
  size_t finding_count;
  /**
   * The train's state after the call.
   */
  hotfix_train_state state;
  /**
   * 0.
   */
  uint32_t reserved;
} hotfix_train_outcome;

/**
 * One input that one rollout of the train handled. Set `struct_size` before the call
 * (HOTFIX_TRAIN_MOVE_INIT does). Views are valid until the next call that takes the train without
 * `const`.
 */
typedef struct hotfix_train_move {
  /**
   * sizeof(hotfix_train_move), set by the caller.
   */
  size_t struct_size;
  /**
   * The service of the rollout.
   */
  struct hotfix_str service;
  /**
   * The lines to append to that service's log, each with its line feed.
   */
  struct hotfix_str events;
  /**
   * Number of actions; read them with hotfix_train_action.
   */
  size_t action_count;
  /**
   * The rollout's state after the input.
   */
  hotfix_state state;
  /**
   * 1 if an input with this key was delivered before: nothing changed. The actions are those of
   * the first delivery: do not carry them out, others may have followed since.
   */
  uint32_t repeated;
  /**
   * 1 if the train sent the input itself: it rolls the service back or pauses it because another
   * one was rolled back, keeps a complete service open or closes it, or notes that the service
   * waits. `state` distinguishes them.
   */
  uint32_t by_train;
  /**
   * 0.
   */
  uint32_t reserved;
} hotfix_train_move;

/**
 * The evidence of a test. Set `struct_size` before the call (HOTFIX_EVIDENCE_INIT does).
 */
typedef struct hotfix_evidence {
  /**
   * sizeof(hotfix_evidence), set by the caller.
   */
  size_t struct_size;
  /**
   * Logarithm of the e-value E; 0 without data. The test decides at its threshold: ln(1/alpha),
   * unless the settings give another. A randomisation decides by the canary's rank instead, at
   * ticks 3, 6, 12, 18, 30, 60, 120, 210 and 300 if the settings give no "evaluations".
   */
  double log_e;
  /**
   * A lower bound of `log_e` that is cheaper to compute; equal to `log_e` for a ceiling and a
   * randomisation.
   */
  double log_e_bound;
  /**
   * 1 over the largest single weighted bet of E so far, at most 1; valid at every evaluation. It
   * is larger than 1/E, so a test has decided before it is below alpha. Of a randomisation it is
   * 1 until the test has decided.
   */
  double p_value;
  /**
   * The canary's rate divided by the baseline's; NaN if `has_ratio` is 0, as without an event in
   * either arm. Of a ceiling it is the rate divided by the ceiling, of a latency the ratio of the
   * requests that are slower than the boundary with the strongest evidence.
   */
  double ratio;
  /**
   * 1 if both arms have trials, and one of them an event; of a ceiling, if there are trials.
   */
  uint32_t has_ratio;
  /**
   * 1 if the evidence has reached the threshold at any time; it stays 1.
   */
  uint32_t decided;
} hotfix_evidence;

/**
 * Sums over all ticks with one planned traffic split, for one kind of user.
 */
typedef struct hotfix_stratum {
  /**
   * The canary's events.
   */
  double canary_events;
  /**
   * Its trials, or its exposure in any unit.
   */
  double canary_trials;
  /**
   * The baseline's events.
   */
  double baseline_events;
  /**
   * Its trials, or its exposure in the same unit.
   */
  double baseline_trials;
} hotfix_stratum;

/**
 * Traffic of both arms and the test that compares them. Set `struct_size` (HOTFIX_COMPARISON_INIT
 * does). The first three figures are required; any other member that is 0 has its default.
 */
typedef struct hotfix_comparison {
  /**
   * sizeof(hotfix_comparison), set by the caller.
   */
  size_t struct_size;
  /**
   * Requests per minute of both arms together, above 0.
   */
  double requests_per_minute;
  /**
   * The canary's share of the requests, above 0 and below 1.
   */
  double share;
  /**
   * The baseline's events per request, above 0 and at most 1.
   */
  double base_rate;
  /**
   * The tolerated ratio, at least 1; 0 for 1.
   */
  double tolerated;
  /**
   * Probability of a false rollback; 0 for 0.01.
   */
  double alpha;
  /**
   * Length of a tick in seconds; 0 for 10.
   */
  double tick_seconds;
  /**
   * Log evidence that decides; 0 for ln(1/alpha).
   */
  double threshold;
} hotfix_comparison;

/**
 * The expected time to detect a regression, by the planning formula. Set `struct_size` before the
 * call (HOTFIX_DETECTION_TIME_INIT does).
 */
typedef struct hotfix_detection_time {
  /**
   * sizeof(hotfix_detection_time), set by the caller.
   */
  size_t struct_size;
  /**
   * Lower bound in minutes: no test with this alpha is faster on average.
   */
  double bound;
  /**
   * Expected minutes of this library's test; infinite for a ratio that is tolerated, or so near that
   * none of the test's bets gains from it.
   */
  double expected;
  /**
   * `bound` in ticks.
   */
  double bound_ticks;
  /**
   * `expected` in ticks.
   */
  double expected_ticks;
  /**
   * Failed requests of the canary until the detection.
   */
  double failed_requests;
  /**
   * The number of those that would have succeeded on the baseline.
   */
  double requests_affected;
} hotfix_detection_time;

/**
 * The probability that a test has decided by some time. Set `struct_size` before the call
 * (HOTFIX_CHANCE_INIT does).
 */
typedef struct hotfix_chance {
  /**
   * sizeof(hotfix_chance), set by the caller.
   */
  size_t struct_size;
  /**
   * The probability, 0 to 1.
   */
  double chance;
  /**
   * 1 if more than one event a tick is expected, so that it is too high, if more than 5% of an
   * arm's requests fail, or if it is from the Brownian approximation, which is too low for small
   * probabilities; 0 if it is exact for independent errors.
   */
  uint64_t approximate;
} hotfix_chance;

/**
 * The result of hotfix_mann_whitney_u. Set `struct_size` before the call (HOTFIX_MANN_WHITNEY_INIT
 * does).
 */
typedef struct hotfix_mann_whitney {
  /**
   * sizeof(hotfix_mann_whitney), set by the caller.
   */
  size_t struct_size;
  /**
   * Number of pairs in which `x` is the larger value; equal values count one half.
   */
  double u;
  /**
   * The p-value, 0 to 1.
   */
  double p_value;
  /**
   * Probability that a value of `x` is larger than one of `y`; equal values count one half.
   */
  double common_language;
  /**
   * From -1 (all of `x` is smaller) to 1.
   */
  double rank_biserial;
  /**
   * 1 if the p-value is exact, 0 if it is from the normal approximation.
   */
  uint32_t exact;
  /**
   * Bits of hotfix_assumption.
   */
  uint32_t assumptions;
} hotfix_mann_whitney;

/**
 * The result of hotfix_hodges_lehmann. Set `struct_size` before the call (HOTFIX_SHIFT_INIT does).
 */
typedef struct hotfix_shift {
  /**
   * sizeof(hotfix_shift), set by the caller.
   */
  size_t struct_size;
  /**
   * Median of all differences `x - y`.
   */
  double shift;
  /**
   * Lower end of its interval; -infinity if the samples are too small for the confidence.
   */
  double low;
  /**
   * Upper end; infinity if the samples are too small for the confidence.
   */
  double high;
  /**
   * 1 if the interval is from the exact distribution, 0 if it is from the normal approximation.
   */
  uint32_t exact;
  /**
   * Bits of hotfix_assumption.
   */
  uint32_t assumptions;
} hotfix_shift;

/**
 * The result of hotfix_ks_2samp. Set `struct_size` before the call (HOTFIX_KOLMOGOROV_SMIRNOV_INIT
 * does).
 */
typedef struct hotfix_kolmogorov_smirnov {
  /**
   * sizeof(hotfix_kolmogorov_smirnov), set by the caller.
   */
  size_t struct_size;
  /**
   * The largest difference between the distribution functions, in the direction of the
   * alternative.
   */
  double statistic;
  /**
   * The p-value, 0 to 1.
   */
  double p_value;
  /**
   * 1 if the p-value is exact, 0 if it is an approximation for large samples.
   */
  uint32_t exact;
  /**
   * Bits of hotfix_assumption.
   */
  uint32_t assumptions;
} hotfix_kolmogorov_smirnov;

/**
 * Events of one arm, and the trials or the exposure in which they occurred.
 */
typedef struct hotfix_counts {
  /**
   * The events that the metric counts; 0 to 2^53.
   */
  double events;
  /**
   * Trials, or exposure in any unit; 0 to 2^53.
   */
  double trials;
} hotfix_counts;

/**
 * The result of hotfix_fisher_exact. Set `struct_size` before the call (HOTFIX_FISHER_INIT does).
 */
typedef struct hotfix_fisher {
  /**
   * sizeof(hotfix_fisher), set by the caller.
   */
  size_t struct_size;
  /**
   * The p-value, 0 to 1.
   */
  double p_value;
  /**
   * The canary's odds divided by the baseline's; may be infinite; NaN if `has_odds_ratio` is 0.
   */
  double odds_ratio;
  /**
   * The canary's rate minus the baseline's.
   */
  double difference;
  /**
   * 1 if the odds ratio is defined.
   */
  uint32_t has_odds_ratio;
  /**
   * Bits of hotfix_assumption.
   */
  uint32_t assumptions;
} hotfix_fisher;

/**
 * The result of hotfix_poisson_ratio. Set `struct_size` before the call (HOTFIX_RATES_INIT does).
 */
typedef struct hotfix_rates {
  /**
   * sizeof(hotfix_rates), set by the caller.
   */
  size_t struct_size;
  /**
   * The p-value, 0 to 1.
   */
  double p_value;
  /**
   * The canary's rate divided by the baseline's; may be infinite; NaN if `has_ratio` is 0.
   */
  double ratio;
  /**
   * Lower end of its interval.
   */
  double low;
  /**
   * Upper end; may be infinite.
   */
  double high;
  /**
   * 1 if there are events.
   */
  uint32_t has_ratio;
  /**
   * Bits of hotfix_assumption.
   */
  uint32_t assumptions;
} hotfix_rates;

/**
 * The result of hotfix_non_inferiority. Set `struct_size` before the call (HOTFIX_MARGIN_INIT
 * does).
 */
typedef struct hotfix_margin {
  /**
   * sizeof(hotfix_margin), set by the caller.
   */
  size_t struct_size;
  /**
   * Distance of the canary from the margin in standard errors; negative is evidence that it is
   * not worse.
   */
  double z;
  /**
   * The p-value, 0 to 1.
   */
  double p_value;
  /**
   * The canary's rate minus the baseline's.
   */
  double difference;
  /**
   * The most likely rate of the canary under the null hypothesis that it is worse by the margin.
   */
  double restricted_canary;
  /**
   * The most likely rate of the baseline under the same hypothesis.
   */
  double restricted_baseline;
  /**
   * Bits of hotfix_assumption.
   */
  uint32_t assumptions;
  /**
   * 0.
   */
  uint32_t reserved;
} hotfix_margin;

/**
 * The result of hotfix_equivalence. Set `struct_size` before the call (HOTFIX_APART_INIT does).
 */
typedef struct hotfix_apart {
  /**
   * sizeof(hotfix_apart), set by the caller.
   */
  size_t struct_size;
  /**
   * The larger of the two p-values.
   */
  double p_value;
  /**
   * p-value for "the canary is not worse by the margin".
   */
  double p_not_worse;
  /**
   * p-value for "the canary is not better by the margin".
   */
  double p_not_better;
  /**
   * Bits of hotfix_assumption.
   */
  uint32_t assumptions;
  /**
   * 0.
   */
  uint32_t reserved;
} hotfix_apart;

/**
 * An interval, ends included. Set `struct_size` before the call (HOTFIX_INTERVAL_INIT does).
 */
typedef struct hotfix_interval {
  /**
   * sizeof(hotfix_interval), set by the caller.
   */
  size_t struct_size;
  /**
   * Lower end.
   */
  double low;
  /**
   * Upper end.
   */
  double high;
} hotfix_interval;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The ABI version of the loaded library: compare it with HOTFIX_ABI_VERSION.
 *
 * @return A number that increases with every change that is not only an addition.
 *
 * Thread rule: any thread at any time.
 */
uint32_t hotfix_abi_version(void);

/**
 * The version of the loaded library: "0.1.0".
 *
 * @return Static text that ends with a null byte.
 *
 * Thread rule: any thread at any time.
 */
const char *hotfix_version(void);

/**
 * The name of a status: "refused".
 *
 * @param status  Any number.
 * @return Static text that ends with a null byte; "unknown" for a number that is not a status.
 *
 * Thread rule: any thread at any time.
 */
const char *hotfix_status_name(int32_t status);

/**
 * Frees a buffer and empties it, so that freeing it again does nothing.
 *
 * @param buf  A buffer that a function of this library filled, or null.
 *
 * Thread rule: one thread at a time for one buffer.
 */
void hotfix_buf_free(struct hotfix_buf *buf);

/**
 * The status that came with this error.
 *
 * @param error  An error, or null.
 * @return Its status; HOTFIX_STATUS_OK for null.
 *
 * Thread rule: an error never changes; any number of threads may read it.
 */
hotfix_status hotfix_error_status(const struct hotfix_error *error);

/**
 * The stable code: "HF-POL-006". Codes are listed in docs/codes.md and never change their meaning.
 *
 * @param error  An error, or null.
 * @return A view that lives as long as the error; empty for null.
 *
 * Thread rule: any number of threads may read one error.
 */
struct hotfix_str hotfix_error_code(const struct hotfix_error *error);

/**
 * The place of the error: a JSON Pointer into the document ("/phases/1/share"), or the name of the
 * parameter, or of the member of a struct.
 *
 * @param error  An error, or null.
 * @return A view that lives as long as the error; empty if the error concerns the whole document
 *         or has no place, and for null.
 *
 * Thread rule: any number of threads may read one error.
 */
struct hotfix_str hotfix_error_path(const struct hotfix_error *error);

/**
 * What is wrong and what to do, as a sentence in English. For a policy there is one line for each
 * fault.
 *
 * @param error  An error, or null.
 * @return A view that lives as long as the error; empty for null.
 *
 * Thread rule: any number of threads may read one error.
 */
struct hotfix_str hotfix_error_message(const struct hotfix_error *error);

/**
 * The whole error as JSON: `code`, `path`, `message` and `status`. A policy, facts, an import, a
 * scenario, a recording, a Kayenta configuration and a message request add `errors` and `count`,
 * the number of all faults; a log adds `line`, and where several are measured `log`, from 1; a
 * refusal adds `got`, `state` and `accepted`, and in a train `service`.
 *
 * Each of the `errors` has `code`, `path` and `message`. Those of a text also have `line` and
 * `column`, from 1; in a policy that extends others `base` names the one that has the place.
 *
 * @param error  An error, or null.
 * @return A view that lives as long as the error; empty for null.
 *
 * Thread rule: any number of threads may read one error.
 */
struct hotfix_str hotfix_error_json(const struct hotfix_error *error);

/**
 * The number of kinds of input that the rollout would have accepted instead of the refused one.
 *
 * @param error  An error, or null.
 * @return The number; 0 for an error that is not a refusal, and for null.
 *
 * Thread rule: any number of threads may read one error.
 */
size_t hotfix_error_accepted_count(const struct hotfix_error *error);

/**
 * One kind of input that the rollout would have accepted instead of the refused one: "roll_back".
 *
 * @param error  An error, or null.
 * @param index  From 0.
 * @return Static text; empty for an index out of range, and for null.
 *
 * Thread rule: any number of threads may read one error.
 */
struct hotfix_str hotfix_error_accepted(const struct hotfix_error *error, size_t index);

/**
 * The log lines that a refusal added: append them like any other lines. They equal the outcome's
 * `events` of that call.
 *
 * @param error  An error, or null.
 * @return A view that lives as long as the error; empty if nothing was logged, and for null.
 *
 * Thread rule: any number of threads may read one error.
 */
struct hotfix_str hotfix_error_events(const struct hotfix_error *error);

/**
 * Frees an error. Its views become invalid. Freeing it again does nothing.
 *
 * @param error  An error that a function of this library returned, or null.
 *
 * Thread rule: one thread, after every other thread has finished reading.
 */
void hotfix_error_free(struct hotfix_error *error);

/**
 * Explains the code of an error, a refusal or a finding: what is wrong, the cause, and what to do.
 *
 * The text is Markdown in lines of at most 100 characters, as on the page docs/codes.md. It is
 * empty for a code that this release does not have.
 *
 * @param code      The code, as hotfix_error_code gives it; UTF-8, borrowed for the call.
 * @param code_len  Its length in bytes.
 * @param out       A buffer that the caller frees with hotfix_buf_free.
 * @param err       Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_OK also for an unknown code.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_code_explain(const char *code,
                                  size_t code_len,
                                  struct hotfix_buf *out,
                                  struct hotfix_error **err);

/**
 * Reads an RFC 3339 time with any UTC offset.
 *
 * @param text      "2026-03-03T14:40:00Z"; UTF-8, borrowed for the call.
 * @param text_len  Its length in bytes.
 * @param out_ms    Milliseconds since 1970-01-01T00:00:00Z. Written on success only.
 * @param err       Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_UNIT if `text` is not a valid time.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_time_parse(const char *text,
                                size_t text_len,
                                int64_t *out_ms,
                                struct hotfix_error **err);

/**
 * Writes a time as in documents: "2026-03-03T14:40:00.000Z".
 *
 * @param at_ms  Milliseconds since 1970-01-01T00:00:00Z; years 1 to 9999.
 * @param out    A buffer that the caller frees with hotfix_buf_free.
 * @param err    Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_UNIT outside those years.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_time_format(int64_t at_ms, struct hotfix_buf *out, struct hotfix_error **err);

/**
 * The names of the presets, as a JSON array of strings.
 *
 * @param out  A buffer that the caller frees with hotfix_buf_free.
 * @param err  Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_policy_presets(struct hotfix_buf *out, struct hotfix_error **err);

/**
 * Makes the policy of a preset, such as "phased-canary".
 *
 * @param name      The name; UTF-8, borrowed for the call.
 * @param name_len  Its length in bytes.
 * @param out       The policy; the caller frees it with hotfix_policy_free. Null on failure.
 * @param err       Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_POLICY if no preset has this name; the error names the nearest.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_policy_preset(const char *name,
                                   size_t name_len,
                                   struct hotfix_policy **out,
                                   struct hotfix_error **err);

/**
 * Reads a policy from TOML, at most 1 MiB. It may extend presets; with
 * hotfix_policy_from_toml_with it may also extend other policies.
 *
 * @param text      The document; UTF-8, borrowed for the call.
 * @param text_len  Its length in bytes.
 * @param out       The policy; the caller frees it with hotfix_policy_free. Null on failure.
 * @param err       Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_POLICY for an invalid policy; the error has every fault with its code and
 *         place, not only the first.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_policy_from_toml(const char *text,
                                      size_t text_len,
                                      struct hotfix_policy **out,
                                      struct hotfix_error **err);

/**
 * Reads a policy from JSON, at most 1 MiB. It may extend presets.
 *
 * @param text      The document; UTF-8, borrowed for the call.
 * @param text_len  Its length in bytes.
 * @param out       The policy; the caller frees it with hotfix_policy_free. Null on failure.
 * @param err       Where an error object goes; may be null. Owned by the caller.
 * @return As hotfix_policy_from_toml.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_policy_from_json(const char *text,
                                      size_t text_len,
                                      struct hotfix_policy **out,
                                      struct hotfix_error **err);

/**
 * Writes a policy as JSON: durations in seconds, shares as fractions, every default filled in.
 *
 * @param policy  A policy.
 * @param out     A buffer that the caller frees with hotfix_buf_free.
 * @param err     Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may use one policy.
 */
hotfix_status hotfix_policy_to_json(const struct hotfix_policy *policy,
                                    struct hotfix_buf *out,
                                    struct hotfix_error **err);

/**
 * Writes a policy as TOML, in the notation of policy files: "10min" and "0.3%", every default
 * filled in.
 *
 * @param policy  A policy.
 * @param out     A buffer that the caller frees with hotfix_buf_free.
 * @param err     Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may use one policy.
 */
hotfix_status hotfix_policy_to_toml(const struct hotfix_policy *policy,
                                    struct hotfix_buf *out,
                                    struct hotfix_error **err);

/**
 * SHA-256 of the policy's canonical JSON; the same on every platform.
 *
 * @param policy  A policy.
 * @param out     The digest. Written on success only.
 * @param err     Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may use one policy.
 */
hotfix_status hotfix_policy_digest(const struct hotfix_policy *policy,
                                   struct hotfix_digest *out,
                                   struct hotfix_error **err);

/**
 * Makes another handle on the same policy. It is cheap; each handle is freed separately.
 *
 * @param policy  A policy.
 * @param out     The new handle; the caller frees it with hotfix_policy_free. Null on failure.
 * @param err     Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may use one policy.
 */
hotfix_status hotfix_policy_clone(const struct hotfix_policy *policy,
                                  struct hotfix_policy **out,
                                  struct hotfix_error **err);

/**
 * Frees one handle on a policy; plans made from it stay valid.
 *
 * @param policy  A policy, or null.
 *
 * Thread rule: one thread, after every other use of this handle.
 */
void hotfix_policy_free(struct hotfix_policy *policy);

/**
 * Answers a hotfix_resolve with the text of a policy: JSON if its first character is `{`,
 * otherwise TOML. The last answer counts.
 *
 * @param base      The `base` that the hotfix_resolve received.
 * @param text      The text; UTF-8, borrowed for the call and copied.
 * @param text_len  Its length in bytes.
 * @param err       Where an error object goes; may be null. It must not be the `err` of the call
 *                  that asks. Owned by the caller.
 * @return HOTFIX_STATUS_UTF8 or HOTFIX_STATUS_NULL; the call that asks then fails with the same
 *         status.
 *
 * Thread rule: only the thread that the hotfix_resolve was called on.
 */
hotfix_status hotfix_base_set(struct hotfix_base *base,
                              const char *text,
                              size_t text_len,
                              struct hotfix_error **err);

/**
 * Reads a policy from TOML like hotfix_policy_from_toml; `extends` may also name policies of the
 * caller.
 *
 * @param text      The document; UTF-8, borrowed for the call.
 * @param text_len  Its length in bytes.
 * @param resolve   Called once for each name, on this thread, before the call returns; may be
 *                  null. A name that it does not know is the name of a preset.
 * @param context   Passed to `resolve` unchanged; may be null.
 * @param out       The policy; the caller frees it with hotfix_policy_free. Null on failure.
 * @param err       Where an error object goes; may be null. Owned by the caller.
 * @return As hotfix_policy_from_toml. The error also has every fault in `extends` and in the
 *         policies that are extended. While one of them is not known or cannot be read, the rest of
 *         the document is not checked: what it lacks might come from there.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_policy_from_toml_with(const char *text,
                                           size_t text_len,
                                           hotfix_resolve resolve,
                                           void *context,
                                           struct hotfix_policy **out,
                                           struct hotfix_error **err);

/**
 * Reads a policy from JSON like hotfix_policy_from_json; `extends` may also name policies of the
 * caller.
 *
 * @param text      The document; UTF-8, borrowed for the call.
 * @param text_len  Its length in bytes.
 * @param resolve   As for hotfix_policy_from_toml_with; may be null.
 * @param context   Passed to `resolve` unchanged; may be null.
 * @param out       The policy; the caller frees it with hotfix_policy_free. Null on failure.
 * @param err       Where an error object goes; may be null. Owned by the caller.
 * @return As hotfix_policy_from_toml_with.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_policy_from_json_with(const char *text,
                                           size_t text_len,
                                           hotfix_resolve resolve,
                                           void *context,
                                           struct hotfix_policy **out,
                                           struct hotfix_error **err);

/**
 * Classifies an incident: its severity and whether it calls for a hot-fix, as JSON: {"severity",
 * "at_worst", "definition", "hotfix", "settled", "act_on", "rules", "undecided", "unknown",
 * "decisive", "if_known", "would", "deduced", "contradictions", "exact"}.
 *
 * The answer is certain only if it is the same for all values of the unknown facts that the
 * policy's implications allow. An unknown fact is never treated as "no".
 *
 * @param policy     A policy.
 * @param facts      The known facts by name: {"payment_failure_share": "55%", "service_down":
 *                   false}. A fact that is `null` or absent is unknown. UTF-8, borrowed; may be
 *                   null with length 0 if nothing is known.
 * @param facts_len  Its length in bytes.
 * @param out        A buffer that the caller frees with hotfix_buf_free.
 * @param err        Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_FACT for facts that cannot be read; the error has every fault with its
 *         code and place, not only the first.
 *
 * Thread rule: any number of threads may use one policy.
 */
hotfix_status hotfix_policy_classify(const struct hotfix_policy *policy,
                                     const char *facts,
                                     size_t facts_len,
                                     struct hotfix_buf *out,
                                     struct hotfix_error **err);

/**
 * Decides what to do about an incident, by the policy's decision tree or by the tree built from
 * its rules, as JSON: {"outcome", "settled", "path", "reachable", "gaps", "circular",
 * "next_question", "contradictions", "exact"}.
 *
 * `outcome` is {"id", "title", "severity", "hotfix", "deadline"}, or null while it is open; a
 * deadline is in seconds, or the name of a day. It is as certain as the answer of
 * hotfix_policy_classify.
 *
 * @param policy     A policy.
 * @param facts      As for hotfix_policy_classify.
 * @param facts_len  Its length in bytes.
 * @param out        A buffer that the caller frees with hotfix_buf_free.
 * @param err        Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_FACT for facts that cannot be read; the error has every fault with its
 *         code and place, not only the first.
 *
 * Thread rule: any number of threads may use one policy.
 */
hotfix_status hotfix_policy_decide(const struct hotfix_policy *policy,
                                   const char *facts,
                                   size_t facts_len,
                                   struct hotfix_buf *out,
                                   struct hotfix_error **err);

/**
 * Lints a policy: its findings as a JSON array of {"code", "level", "path", "message", "remedy",
 * "example"}.
 *
 * @param policy  A policy.
 * @param at      The present time as RFC 3339; UTF-8, borrowed. May be null with length 0: then
 *                overdue dates are not checked.
 * @param at_len  Its length in bytes.
 * @param out     A buffer that the caller frees with hotfix_buf_free.
 * @param err     Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_UNIT if `at` is not a valid time.
 *
 * Thread rule: any number of threads may use one policy.
 */
hotfix_status hotfix_policy_lint(const struct hotfix_policy *policy,
                                 const char *at,
                                 size_t at_len,
                                 struct hotfix_buf *out,
                                 struct hotfix_error **err);

/**
 * The decision tree as a Mermaid flowchart: the policy's own, or the one built from its rules.
 *
 * @param policy  A policy.
 * @param out     A buffer that the caller frees with hotfix_buf_free; empty text if the policy has
 *                no tree and no rules.
 * @param err     Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may use one policy.
 */
hotfix_status hotfix_policy_tree_mermaid(const struct hotfix_policy *policy,
                                         struct hotfix_buf *out,
                                         struct hotfix_error **err);

/**
 * The decision tree in Graphviz's DOT language.
 *
 * @param policy  A policy.
 * @param out     A buffer that the caller frees with hotfix_buf_free; empty text if there is no
 *                tree.
 * @param err     Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may use one policy.
 */
hotfix_status hotfix_policy_tree_dot(const struct hotfix_policy *policy,
                                     struct hotfix_buf *out,
                                     struct hotfix_error **err);

/**
 * Makes a plan from JSON documents.
 *
 * @param policy        A policy; the plan keeps what it needs and does not refer to it.
 * @param incident      {"id", "service", "title", "facts", "began_at", "detected_at", "severity"};
 *                      UTF-8, borrowed.
 * @param incident_len  Its length in bytes.
 * @param release       {"version", "previous", "methods": [{"kind", "seconds"}], …}; UTF-8,
 *                      borrowed; may be null with length 0 while there is no fix yet.
 * @param release_len   Its length in bytes.
 * @param traffic       {"requests_per_minute", …}; UTF-8, borrowed; may be null with length 0.
 * @param traffic_len   Its length in bytes.
 * @param out           The plan; the caller frees it with hotfix_plan_free. Null on failure.
 * @param err           Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_PLAN with the place as a JSON Pointer.
 *
 * Thread rule: any number of threads may use one policy.
 */
hotfix_status hotfix_plan_new(const struct hotfix_policy *policy,
                              const char *incident,
                              size_t incident_len,
                              const char *release,
                              size_t release_len,
                              const char *traffic,
                              size_t traffic_len,
                              struct hotfix_plan **out,
                              struct hotfix_error **err);

/**
 * Makes a plan whose tests are calibrated on the service's own history.
 *
 * The plan keeps the result of the calibration (threshold, cap and hold level by metric and phase)
 * and the digest of the history. Both are in the first line of the log, so a log can be replayed
 * without the history.
 *
 * @param policy           A policy with the evidence mode `replay` or `both`; the plan keeps what
 *                         it needs.
 * @param incident         As for hotfix_plan_new.
 * @param incident_len     Its length in bytes.
 * @param release          As for hotfix_plan_new.
 * @param release_len      Its length in bytes.
 * @param traffic          As for hotfix_plan_new; may be null with length 0.
 * @param traffic_len      Its length in bytes.
 * @param calibration      {metric: {instance: [[events, trials], …]}}, one pair for each tick of
 *                         the policy's cadence; of a latency rows of requests up to each of its
 *                         boundaries and of all. May be empty. UTF-8, borrowed.
 * @param calibration_len  Its length in bytes.
 * @param out              The plan; the caller frees it with hotfix_plan_free. Null on failure.
 * @param err              Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_PLAN with the place as a JSON Pointer.
 *
 * Thread rule: any number of threads may use one policy.
 */
hotfix_status hotfix_plan_new_calibrated(const struct hotfix_policy *policy,
                                         const char *incident,
                                         size_t incident_len,
                                         const char *release,
                                         size_t release_len,
                                         const char *traffic,
                                         size_t traffic_len,
                                         const char *calibration,
                                         size_t calibration_len,
                                         struct hotfix_plan **out,
                                         struct hotfix_error **err);

/**
 * The power analysis of a plan: which faults each phase can detect, before anything is deployed.
 *
 * {"requests_per_minute", "metric", "phases": [{"phase", "expected_events", "healthy_passes",
 * "false_rollback": {"chance", "approximate"}, "faults": [{"ratio", "passes", "plain",
 * "sequential", …}], "smallest_ratio", …}], "all_gates", "metrics", "unforeseen",
 * "advice": [{"metric", "phases", "kind", "sentence", …}], …}. Probabilities are from 0 to 1; they
 * are exact for independent errors unless `approximate` is set. Without a reference "phases" and
 * "all_gates" are absent, and "missing" says what the analysis lacks. The call takes tens of
 * milliseconds: keep the answer.
 *
 * @param plan  A plan.
 * @param out   A buffer with JSON that the caller frees with hotfix_buf_free.
 * @param err   Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may use one plan.
 */
hotfix_status hotfix_plan_power(const struct hotfix_plan *plan,
                                struct hotfix_buf *out,
                                struct hotfix_error **err);

/**
 * The timeline of a rollout without interruptions: [{"offset", "at", "step", "phase"}, …], offsets
 * in seconds.
 *
 * @param plan      A plan.
 * @param start_ms  The start, in milliseconds since 1970-01-01T00:00:00Z.
 * @param out       A buffer with JSON that the caller frees with hotfix_buf_free.
 * @param err       Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may use one plan.
 */
hotfix_status hotfix_plan_timeline(const struct hotfix_plan *plan,
                                   int64_t start_ms,
                                   struct hotfix_buf *out,
                                   struct hotfix_error **err);

/**
 * The policy that a plan follows, with the strategy that the release chose and its phases.
 *
 * @param plan  A plan; the policy does not refer to it.
 * @param out   The policy; the caller frees it with hotfix_policy_free. Null on failure.
 * @param err   Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may use one plan.
 */
hotfix_status hotfix_plan_policy(const struct hotfix_plan *plan,
                                 struct hotfix_policy **out,
                                 struct hotfix_error **err);

/**
 * SHA-256 of policy, incident, release, traffic and calibrations in canonical JSON; the same on
 * every platform.
 *
 * @param plan  A plan.
 * @param out   The digest. Written on success only.
 * @param err   Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may use one plan.
 */
hotfix_status hotfix_plan_digest(const struct hotfix_plan *plan,
                                 struct hotfix_digest *out,
                                 struct hotfix_error **err);

/**
 * Frees a plan; rollouts made from it stay valid.
 *
 * @param plan  A plan, or null.
 *
 * Thread rule: one thread, after every other use of this handle.
 */
void hotfix_plan_free(struct hotfix_plan *plan);

/**
 * Composes a commit message in the policy's form, as JSON: {"text", "subject", "missing", "later":
 * [{"field", "label", "value"}], "note": {"text", "command"}, "version_commit",
 * "version_missing"}.
 *
 * The facts are at its end, as trailers that `git interpret-trailers` reads. "missing" names what
 * the form asks for and was not given. "later" has what is known only after the commit; "note" has
 * the commands that add the part of it that was given as a `git notes` note, and push it.
 *
 * @param policy     A policy.
 * @param parts      {"summary", "scope", "version", "fields": {"issue", "severity", "impact",
 *                   "cause", "change", "solution", "tested", "approved_by", "deployed_by"}}, all
 *                   but the summary optional; UTF-8, borrowed.
 * @param parts_len  Its length in bytes.
 * @param out        A buffer with JSON that the caller frees with hotfix_buf_free.
 * @param err        Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_PLAN if the parts are not valid; the error has the place in the parts.
 *
 * Thread rule: any number of threads may use one policy.
 */
hotfix_status hotfix_policy_commit_message(const struct hotfix_policy *policy,
                                           const char *parts,
                                           size_t parts_len,
                                           struct hotfix_buf *out,
                                           struct hotfix_error **err);

/**
 * Composes a commit message as hotfix_policy_commit_message does, and takes summary, issue,
 * severity and impact from the plan if they are not given. Nothing is guessed.
 *
 * @param plan       A plan.
 * @param parts      As for hotfix_policy_commit_message, but every member is optional: {} takes all from
 *                   the plan. UTF-8, borrowed.
 * @param parts_len  Its length in bytes.
 * @param out        A buffer with JSON that the caller frees with hotfix_buf_free.
 * @param err        Where an error object goes; may be null. Owned by the caller.
 * @return As hotfix_policy_commit_message.
 *
 * Thread rule: any number of threads may use one plan.
 */
hotfix_status hotfix_plan_commit_message(const struct hotfix_plan *plan,
                                         const char *parts,
                                         size_t parts_len,
                                         struct hotfix_buf *out,
                                         struct hotfix_error **err);

/**
 * Reads a commit message, as JSON: {"subject", "summary", "kind", "scope", "fields", "others":
 * [{"label", "value"}], "body", "missing", "later", "faults": [{"code", "line", "message"}]}. A
 * message that this library composed is read exactly; other layouts are read as far as possible.
 *
 * @param policy       A policy.
 * @param message      The message; UTF-8, borrowed. A message above 4 MiB gives one fault and
 *                     nothing else.
 * @param message_len  Its length in bytes.
 * @param out          A buffer with JSON that the caller frees with hotfix_buf_free.
 * @param err          Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may use one policy.
 */
hotfix_status hotfix_policy_parse_commit_message(const struct hotfix_policy *policy,
                                                 const char *message,
                                                 size_t message_len,
                                                 struct hotfix_buf *out,
                                                 struct hotfix_error **err);

/**
 * The duties at a time, from what is known now, as JSON: {"at", "due", "overdue", "next", "later",
 * "undated", "done"}. Each item is in one of the lists.
 *
 * An item has its id, kind, title and times, who does it ("who": role, holders, how to reach them,
 * stand-in), the seconds that are left ("left") or by which it is late ("late_by"), and why it
 * applies ("applies"). Before the first input there are only those of "later".
 *
 * @param rollout  A rollout.
 * @param at_ms    Any time from the last input on, in milliseconds since 1970-01-01T00:00:00Z. An
 *                 earlier time is treated as the time of the last input.
 * @param out      A buffer that the caller frees with hotfix_buf_free.
 * @param err      Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_UNIT for a time that is probably in seconds (HF-FFI-010).
 *
 * Thread rule: any number of threads may read a rollout while no thread changes it.
 */
hotfix_status hotfix_rollout_duties(const struct hotfix_rollout *rollout,
                                    int64_t at_ms,
                                    struct hotfix_buf *out,
                                    struct hotfix_error **err);

/**
 * Makes the name of a hot-fix branch from a description: "hotfix/security-patch".
 *
 * @param description      Any text; UTF-8, borrowed.
 * @param description_len  Its length in bytes.
 * @param prefix           The start of the name, such as "hotfix/"; UTF-8, borrowed. Null with
 *                         length 0: the name has no prefix.
 * @param prefix_len       Its length in bytes.
 * @param out              A buffer that the caller frees with hotfix_buf_free.
 * @param err              Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_PLAN if the description has no letter or digit, or the result is not a
 *         valid branch name.
 *
 * Thread rule: any thread.
 */
hotfix_status hotfix_branch_name(const char *description,
                                 size_t description_len,
                                 const char *prefix,
                                 size_t prefix_len,
                                 struct hotfix_buf *out,
                                 struct hotfix_error **err);

/**
 * The next version for a hot-fix, as JSON: {"version", "findings"}.
 *
 * @param version      The version that is live, without `v`; UTF-8, borrowed.
 * @param version_len  Its length in bytes.
 * @param kind         A hotfix_versioning.
 * @param out          A buffer that the caller frees with hotfix_buf_free.
 * @param err          Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_PLAN if `version` is not a semantic version, or the next version is not
 *         clear; HOTFIX_STATUS_ENUM for an unknown kind.
 *
 * Thread rule: any thread.
 */
hotfix_status hotfix_next_version(const char *version,
                                  size_t version_len,
                                  int32_t kind,
                                  struct hotfix_buf *out,
                                  struct hotfix_error **err);

/**
 * The name of a version's tag: "v1.2.4".
 *
 * @param version      The version; UTF-8, borrowed.
 * @param version_len  Its length in bytes.
 * @param out          A buffer that the caller frees with hotfix_buf_free.
 * @param err          Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_PLAN if the version cannot be part of a tag.
 *
 * Thread rule: any thread.
 */
hotfix_status hotfix_version_tag(const char *version,
                                 size_t version_len,
                                 struct hotfix_buf *out,
                                 struct hotfix_error **err);

/**
 * The name of a tag from a time in UTC: "hotfix-20240115-1430".
 *
 * @param at_ms  The time, in milliseconds since 1970-01-01T00:00:00Z.
 * @param out    A buffer that the caller frees with hotfix_buf_free.
 * @param err    Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_UNIT outside the years 1 to 9999.
 *
 * Thread rule: any thread.
 */
hotfix_status hotfix_timestamp_tag(int64_t at_ms,
                                   struct hotfix_buf *out,
                                   struct hotfix_error **err);

/**
 * The plan and all its views, computed for this call: {"digest", "incident", "release", "traffic",
 * "policy", "phases", "methods", "strategy", "recommendation", "rollback", "severity",
 * "assessment", "demands", "scope", "findings", "change_record", "duration", "timeline", "slo",
 * "procedure", "advice", "risks", "first_steps", "contacts", "thresholds", "follow_up",
 * "commands", "calibration"}. Durations are in seconds, shares are fractions, and absent values are
 * left out. "strategy" is an object: the strategy, who chose it, and its steps. Power analysis and
 * source control are separate: hotfix_plan_power and HOTFIX_PLAN_VIEW_SOURCE_CONTROL.
 *
 * @param plan  A plan.
 * @param out   A buffer with JSON that the caller frees with hotfix_buf_free.
 * @param err   Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may use one plan.
 */
hotfix_status hotfix_plan_json(const struct hotfix_plan *plan,
                               struct hotfix_buf *out,
                               struct hotfix_error **err);

/**
 * The plan as a page in Markdown, for the people who carry it out. Markup in the caller's texts is
 * escaped.
 *
 * @param plan       A plan.
 * @param start      When the first deployment starts, as RFC 3339; UTF-8, borrowed. May be null
 *                   with length 0: then the timeline shows only offsets (T+).
 * @param start_len  Its length in bytes.
 * @param out        A buffer that the caller frees with hotfix_buf_free.
 * @param err        Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_UNIT if `start` is not a valid time.
 *
 * Thread rule: any number of threads may use one plan.
 */
hotfix_status hotfix_plan_markdown(const struct hotfix_plan *plan,
                                   const char *start,
                                   size_t start_len,
                                   struct hotfix_buf *out,
                                   struct hotfix_error **err);

/**
 * The name of a state: "rolling_back".
 *
 * @param state  Any number.
 * @return Static text that ends with a null byte; "unknown" for a number that is not a state.
 *
 * Thread rule: any thread at any time.
 */
const char *hotfix_state_name(int32_t state);

/**
 * The name of a decision: "roll_back".
 *
 * @param decision  Any number.
 * @return Static text that ends with a null byte; "unknown" for a number that is not a decision.
 *
 * Thread rule: any thread at any time.
 */
const char *hotfix_decision_name(int32_t decision);

/**
 * The name of an action's kind: "set_traffic".
 *
 * @param kind  Any number.
 * @return Static text that ends with a null byte; "unknown" for a number that is not a kind.
 *
 * Thread rule: any thread at any time.
 */
const char *hotfix_action_kind_name(int32_t kind);

/**
 * Makes a new rollout of a plan.
 *
 * @param plan       A plan; the rollout keeps what it needs and does not refer to it.
 * @param recording  A hotfix_recording.
 * @param salt       A secret for each incident, which salts the digests of personal values in the
 *                   log; UTF-8, borrowed; may be null with length 0.
 * @param salt_len   Its length in bytes.
 * @param out        The rollout; the caller frees it with hotfix_rollout_free. Null on failure.
 * @param err        Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may use one plan.
 */
hotfix_status hotfix_rollout_new(const struct hotfix_plan *plan,
                                 int32_t recording,
                                 const char *salt,
                                 size_t salt_len,
                                 struct hotfix_rollout **out,
                                 struct hotfix_error **err);

/**
 * Handles one input: checks it, records it and returns what to do.
 *
 * @param rollout    A rollout.
 * @param at_ms      The present time, in milliseconds since 1970-01-01T00:00:00Z.
 * @param input      {"kind", "by", …} as in docs/inputs.md; UTF-8, borrowed for the call.
 * @param input_len  Its length in bytes.
 * @param out        The outcome. Written on success and on HOTFIX_STATUS_REFUSED: append the
 *                   `events` of a refusal too. On any other failure it has no events and no actions.
 * @param err        Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_INPUT for a document that is not a valid input: nothing was logged.
 *         HOTFIX_STATUS_REFUSED for an input that is not accepted now: the state is unchanged.
 *
 * Thread rule: one thread at a time for one rollout.
 */
hotfix_status hotfix_rollout_handle(struct hotfix_rollout *rollout,
                                    int64_t at_ms,
                                    const char *input,
                                    size_t input_len,
                                    struct hotfix_outcome *out,
                                    struct hotfix_error **err);

/**
 * Handles one observation from plain structs: the same as an input of kind `observe`, without
 * JSON.
 *
 * If metrics, arms and buckets are those of the last few calls, it allocates nothing of its own.
 *
 * @param rollout   A rollout.
 * @param at_ms     The present time, in milliseconds since 1970-01-01T00:00:00Z.
 * @param readings  An array, in any order, each metric once; borrowed for the call. May be null
 *                  with count 0.
 * @param count     Number of readings.
 * @param sender    Actor, key and expected head; may be null.
 * @param out       The outcome. Written on success and on HOTFIX_STATUS_REFUSED: append the
 *                  `events` of a refusal too. On any other failure it has no events and no actions.
 * @param err       Where an error object goes; may be null. Owned by the caller.
 * @return As hotfix_rollout_handle; HOTFIX_STATUS_INPUT also for a metric that occurs twice;
 *         HOTFIX_STATUS_STRUCT and HOTFIX_STATUS_ENUM for structs that cannot be read;
 *         HOTFIX_STATUS_UNIT for a time that a log cannot hold, an invalid metric name, or an
 *         expected head that is not a digest; HOTFIX_STATUS_RANGE for more than 4096 readings and
 *         for numbers that are not aligned. In all these cases nothing was logged.
 *
 * Thread rule: one thread at a time for one rollout.
 */
hotfix_status hotfix_rollout_observe(struct hotfix_rollout *rollout,
                                     int64_t at_ms,
                                     const struct hotfix_reading *readings,
                                     size_t count,
                                     const struct hotfix_sender *sender,
                                     struct hotfix_outcome *out,
                                     struct hotfix_error **err);

/**
 * Replays a whole log, strictly: every line is checked against its hash and the line before.
 *
 * @param log        The log's bytes; borrowed for the call.
 * @param log_len    Their number.
 * @param recording  A hotfix_recording, for the lines that follow.
 * @param out        The rollout as it was after the last line; the caller frees it with
 *                   hotfix_rollout_free. Null on failure.
 * @param err        Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_LOG with the first line that is wrong.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_rollout_replay(const char *log,
                                    size_t log_len,
                                    int32_t recording,
                                    struct hotfix_rollout **out,
                                    struct hotfix_error **err);

/**
 * Replays a log whose last line may be incomplete after a crash during a write.
 *
 * The input of a dropped line was not accepted: send it again.
 *
 * @param log         The log's bytes; borrowed for the call.
 * @param log_len     Their number.
 * @param recording   A hotfix_recording, for the lines that follow.
 * @param out         The rollout; the caller frees it with hotfix_rollout_free. Null on failure.
 * @param out_length  Length in bytes of the valid part of the log: truncate the file to it before
 *                    appending. May be null.
 * @param err         Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_LOG with the first line that is wrong, or if no line is complete.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_rollout_recover(const char *log,
                                     size_t log_len,
                                     int32_t recording,
                                     struct hotfix_rollout **out,
                                     size_t *out_length,
                                     struct hotfix_error **err);

/**
 * Frees a rollout, also a poisoned one. Views into its outcomes become invalid. A rollout that a
 * train owns is not freed: hotfix_train_free does it.
 *
 * @param rollout  A rollout, or null.
 *
 * Thread rule: one thread, after every other use of this handle.
 */
void hotfix_rollout_free(struct hotfix_rollout *rollout);

/**
 * Writes the present state as bytes, for hotfix_rollout_restore. The same state gives the same
 * bytes.
 *
 * Keep the whole log as well: another release may refuse a snapshot. A snapshot contains names and
 * the salt in clear text: after a redaction of the log, delete older snapshots and make new ones
 * from a replay.
 *
 * @param rollout  A rollout.
 * @param out      Bytes, not text, that the caller frees with hotfix_buf_free. Empty on failure.
 * @param err      Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_LOG if the rollout makes no log (HOTFIX_RECORDING_OFF).
 *
 * Thread rule: any number of threads may read a rollout while no thread changes it.
 */
hotfix_status hotfix_rollout_snapshot(const struct hotfix_rollout *rollout,
                                      struct hotfix_buf *out,
                                      struct hotfix_error **err);

/**
 * Restores a rollout from a snapshot and the log lines after it: the same, byte for byte, as
 * hotfix_rollout_replay of the whole log.
 *
 * A crash during a write may leave an incomplete last line: cut the log after its last line feed
 * first. If the call fails, read the whole log with hotfix_rollout_recover.
 *
 * @param snapshot      The bytes of hotfix_rollout_snapshot; borrowed for the call.
 * @param snapshot_len  Their number.
 * @param tail          The log lines from the one whose `seq` is the result of
 *                      hotfix_snapshot_seq; borrowed for the call; may be null with length 0.
 * @param tail_len      Their length in bytes.
 * @param recording     A hotfix_recording, for the lines that follow; a log that is kept begins
 *                      with the tail.
 * @param out           The rollout as it was after the last line; the caller frees it with
 *                      hotfix_rollout_free. Null on failure.
 * @param err           Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_LOG for a snapshot that cannot be restored, and for a tail that is wrong,
 *         with its first wrong line.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_rollout_restore(const char *snapshot,
                                     size_t snapshot_len,
                                     const char *tail,
                                     size_t tail_len,
                                     int32_t recording,
                                     struct hotfix_rollout **out,
                                     struct hotfix_error **err);

/**
 * The number of log lines when the snapshot was made: the tail begins with the line that has this
 * `seq`.
 *
 * @param snapshot      The bytes of hotfix_rollout_snapshot; borrowed for the call.
 * @param snapshot_len  Their number.
 * @param out           The number. Written on success only.
 * @param err           Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_LOG for bytes that are not a complete snapshot of this format.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_snapshot_seq(const char *snapshot,
                                  size_t snapshot_len,
                                  uint64_t *out,
                                  struct hotfix_error **err);

/**
 * The present state.
 *
 * @param rollout  A rollout.
 * @param out      The state. Written on success only.
 * @param err      Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may read a rollout while no thread changes it.
 */
hotfix_status hotfix_rollout_state(const struct hotfix_rollout *rollout,
                                   hotfix_state *out,
                                   struct hotfix_error **err);

/**
 * The phase that is being deployed, watched or decided on.
 *
 * @param rollout  A rollout.
 * @param out      Its name; empty if the state has no phase. Written on success only.
 * @param err      Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may read a rollout while no thread changes it.
 */
hotfix_status hotfix_rollout_phase(const struct hotfix_rollout *rollout,
                                   struct hotfix_name *out,
                                   struct hotfix_error **err);

/**
 * The plan as it is now: with the release of the last `release`, `supersede` or `retry`. A rollout
 * that was restored from its log has it as well.
 *
 * @param rollout  A rollout; the plan does not refer to it and does not change with it.
 * @param out      The plan; the caller frees it with hotfix_plan_free. Null on failure.
 * @param err      Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may read a rollout while no thread changes it.
 */
hotfix_status hotfix_rollout_plan(const struct hotfix_rollout *rollout,
                                  struct hotfix_plan **out,
                                  struct hotfix_error **err);

/**
 * The canary's confirmed share of the traffic in this attempt; what a superseded fix still has does not count.
 *
 * @param rollout  A rollout.
 * @param out      The share, 0 to 1. Written on success only.
 * @param err      Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may read a rollout while no thread changes it.
 */
hotfix_status hotfix_rollout_share(const struct hotfix_rollout *rollout,
                                   double *out,
                                   struct hotfix_error **err);

/**
 * The number of attempts: 1, and one more for each `supersede` and each `retry`.
 *
 * @param rollout  A rollout.
 * @param out      From 1. Written on success only.
 * @param err      Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may read a rollout while no thread changes it.
 */
hotfix_status hotfix_rollout_attempt(const struct hotfix_rollout *rollout,
                                     uint32_t *out,
                                     struct hotfix_error **err);

/**
 * The time of the last input.
 *
 * @param rollout  A rollout.
 * @param out_ms   Milliseconds since 1970-01-01T00:00:00Z; HOTFIX_NEVER before the first input.
 *                 Written on success only.
 * @param err      Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may read a rollout while no thread changes it.
 */
hotfix_status hotfix_rollout_now(const struct hotfix_rollout *rollout,
                                 int64_t *out_ms,
                                 struct hotfix_error **err);

/**
 * The next time at which a `tick` can change something: set one timer to it and send a `tick`.
 *
 * @param rollout  A rollout.
 * @param out_ms   Milliseconds since 1970-01-01T00:00:00Z. Before the first input it is 0: send a
 *                 `tick` at once. HOTFIX_NEVER if nothing waits for time. Written on success only.
 * @param err      Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may read a rollout while no thread changes it.
 */
hotfix_status hotfix_rollout_poll_at(const struct hotfix_rollout *rollout,
                                     int64_t *out_ms,
                                     struct hotfix_error **err);

/**
 * The last verdict with its evidence, as JSON.
 *
 * @param rollout  A rollout.
 * @param out      A buffer that the caller frees with hotfix_buf_free.
 * @param err      Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may read a rollout while no thread changes it.
 */
hotfix_status hotfix_rollout_verdict(const struct hotfix_rollout *rollout,
                                     struct hotfix_buf *out,
                                     struct hotfix_error **err);

/**
 * The evidence of a metric and its basis, as JSON; `null` for a metric without a test, or a
 * latency without any reading.
 *
 * {"log_e", "p_value", "decided", "mode", "guarantee", "why", "alpha", "weight", "threshold",
 * "hold", "tolerated", "margin"} and, where known, "cap", "interval" {"low", "high"} (valid at
 * every evaluation; null for an infinite end), "log_e_safe", "log_e_without_any", "ratio",
 * "totals" {"canary", "baseline"} and "not_sequential", the intervals of each arm, which are valid
 * for one evaluation only. "threshold", "hold" and "decided" are of this metric alone, by its
 * weight; the first two are null if it never decides or holds alone. The call computes it: call it on demand, not at every tick.
 *
 * @param rollout     A rollout.
 * @param metric      Its id; UTF-8, borrowed for the call.
 * @param metric_len  Its length in bytes.
 * @param out         A buffer that the caller frees with hotfix_buf_free.
 * @param err         Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_INPUT with the nearest id for a metric that the policy does not have,
 *         HOTFIX_STATUS_UNIT for a text that is not an id.
 *
 * Thread rule: any number of threads may read a rollout while no thread changes it.
 */
hotfix_status hotfix_rollout_evidence(const struct hotfix_rollout *rollout,
                                      const char *metric,
                                      size_t metric_len,
                                      struct hotfix_buf *out,
                                      struct hotfix_error **err);

/**
 * The hash of the last log line: the value for `expected_head`.
 *
 * @param rollout  A rollout.
 * @param out      The head; 64 zeros before the first line, empty if the rollout makes no log.
 *                 Written on success only.
 * @param err      Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may read a rollout while no thread changes it.
 */
hotfix_status hotfix_rollout_head(const struct hotfix_rollout *rollout,
                                  struct hotfix_digest *out,
                                  struct hotfix_error **err);

/**
 * Every log line so far; after hotfix_rollout_restore only those of its tail and after it.
 *
 * @param rollout  A rollout.
 * @param out      A buffer that the caller frees with hotfix_buf_free; empty if the rollout does
 *                 not keep its log.
 * @param err      Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may read a rollout while no thread changes it.
 */
hotfix_status hotfix_rollout_log(const struct hotfix_rollout *rollout,
                                 struct hotfix_buf *out,
                                 struct hotfix_error **err);

/**
 * One action of the last call.
 *
 * @param rollout  A rollout.
 * @param index    From 0, below the outcome's `action_count`.
 * @param out      The action; set its `struct_size` before the call. Written on success only.
 * @param err      Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_RANGE if there is no such action.
 *
 * Thread rule: any number of threads may read a rollout while no thread changes it.
 */
hotfix_status hotfix_rollout_action(const struct hotfix_rollout *rollout,
                                    size_t index,
                                    struct hotfix_action *out,
                                    struct hotfix_error **err);

/**
 * The number of actions of the last call: none after an error or a refusal, and those of the first
 * delivery after a repeated one. After hotfix_rollout_replay, hotfix_rollout_recover and
 * hotfix_rollout_restore these are the actions of the last accepted input: if the process crashed
 * between append and act, actions that do not await `confirm` or `failed` may not have been
 * carried out: repeat those of which you are not certain, before the next input.
 *
 * @param rollout  A rollout.
 * @param out      The number; read them with hotfix_rollout_action. Written on success only.
 * @param err      Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may read a rollout while no thread changes it.
 */
hotfix_status hotfix_rollout_action_count(const struct hotfix_rollout *rollout,
                                          size_t *out,
                                          struct hotfix_error **err);

/**
 * The action with this id, among those that await `confirm` or `failed` and those of the last
 * call.
 *
 * @param rollout  A rollout.
 * @param id       "7.1"; UTF-8, borrowed for the call.
 * @param id_len   Its length in bytes.
 * @param out      The action; set its `struct_size` before the call. Written on success only.
 * @param err      Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_RANGE if there is no such action.
 *
 * Thread rule: any number of threads may read a rollout while no thread changes it.
 */
hotfix_status hotfix_rollout_find_action(const struct hotfix_rollout *rollout,
                                         const char *id,
                                         size_t id_len,
                                         struct hotfix_action *out,
                                         struct hotfix_error **err);

/**
 * The actions of the last call, as JSON: as in the log, with `awaits`, and with `contacts` where
 * the policy knows whom to contact: `[{"role", "holders": [{"name", "reach"}], "reach",
 * "stand_in", …}]`. An action for which the policy has commands has them in `commands`, with the
 * values of the plan: `[{"of", "id", "title", "commands": [{"line", "missing"}]}]`. Nothing is run.
 *
 * @param rollout  A rollout.
 * @param out      A buffer that the caller frees with hotfix_buf_free.
 * @param err      Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may read a rollout while no thread changes it.
 */
hotfix_status hotfix_rollout_actions(const struct hotfix_rollout *rollout,
                                     struct hotfix_buf *out,
                                     struct hotfix_error **err);

/**
 * The number of actions that await `confirm` or `failed`.
 *
 * @param rollout  A rollout.
 * @param out      Their number. Written on success only.
 * @param err      Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may read a rollout while no thread changes it.
 */
hotfix_status hotfix_rollout_pending_count(const struct hotfix_rollout *rollout,
                                           size_t *out,
                                           struct hotfix_error **err);

/**
 * One action that awaits `confirm` or `failed`, the oldest first. After a crash check whether each
 * was carried out; if not, carry it out.
 *
 * @param rollout  A rollout.
 * @param index    From 0, below hotfix_rollout_pending_count.
 * @param out      The action; set its `struct_size` before the call. Written on success only.
 * @param err      Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_RANGE if there is no such action.
 *
 * Thread rule: any number of threads may read a rollout while no thread changes it.
 */
hotfix_status hotfix_rollout_pending_action(const struct hotfix_rollout *rollout,
                                            size_t index,
                                            struct hotfix_action *out,
                                            struct hotfix_error **err);

/**
 * The actions that await `confirm` or `failed`, as JSON like that of hotfix_rollout_actions.
 *
 * @param rollout  A rollout.
 * @param out      A buffer that the caller frees with hotfix_buf_free.
 * @param err      Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may read a rollout while no thread changes it.
 */
hotfix_status hotfix_rollout_pending_actions(const struct hotfix_rollout *rollout,
                                             struct hotfix_buf *out,
                                             struct hotfix_error **err);

/**
 * A view of a rollout that is asked for rarely, as JSON or text. The constants say what each is.
 *
 * @param rollout   A rollout.
 * @param view      One of hotfix_rollout_views.
 * @param args      The argument of the view, if it has one, as a JSON object: {"at":
 *                  "2026-03-03T14:40:00Z"}. UTF-8, borrowed for the call; otherwise null with
 *                  length 0.
 * @param args_len  Its length in bytes.
 * @param out       A buffer that the caller frees with hotfix_buf_free.
 * @param err       Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_ENUM for a number that is not a view, and for a view of a part that the
 *         library was built without; HOTFIX_STATUS_INPUT for an argument that is missing, or that
 *         the view does not have; HOTFIX_STATUS_UNIT for a text that is not a time.
 *
 * Thread rule: any number of threads may read a rollout while no thread changes it.
 */
hotfix_status hotfix_rollout_view(const struct hotfix_rollout *rollout,
                                  int32_t view,
                                  const char *args,
                                  size_t args_len,
                                  struct hotfix_buf *out,
                                  struct hotfix_error **err);

/**
 * A view of a plan that is asked for rarely, as JSON or text. The constants say what each is.
 *
 * @param plan      A plan.
 * @param view      One of hotfix_plan_views.
 * @param args      The argument of the view, if it has one, as a JSON object: {"start":
 *                  "2026-03-03T14:40:00Z"}. UTF-8, borrowed for the call; otherwise null with
 *                  length 0.
 * @param args_len  Its length in bytes.
 * @param out       A buffer that the caller frees with hotfix_buf_free.
 * @param err       Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_ENUM for a number that is not a view; HOTFIX_STATUS_INPUT for an argument
 *         that is missing, or that the view does not have; HOTFIX_STATUS_UNIT for a text that is
 *         not a time; HOTFIX_STATUS_PLAN for a plan that has no such view.
 *
 * Thread rule: any number of threads may use one plan.
 */
hotfix_status hotfix_plan_view(const struct hotfix_plan *plan,
                               int32_t view,
                               const char *args,
                               size_t args_len,
                               struct hotfix_buf *out,
                               struct hotfix_error **err);

#ifndef HOTFIX_WITHOUT_MESSAGE

/**
 * Writes the message of a kind for an audience, in a format, from the present state.
 *
 * The request is {"kind", "audience", "format", "at", "utc_offset", "values", "draft"}, all but the
 * kind optional. Kinds are alert, deployment_started, phase_passed, deployed, rolling_back,
 * rolled_back, update and resolved; audiences responders (default), stakeholders, business and
 * public; formats text (default), markdown, slack, teams and pagerduty. "at" is the time of the
 * message, such as "2026-03-03T14:40:00Z" (default: the time of the last input). "utc_offset" is
 * the readers' time zone, such as "+01:00". "values" has texts by field for what the rollout does
 * not know, such as the address of the status page. "draft" is true to read a text in advance: a
 * message that is not true in the present state is an error otherwise.
 *
 * @param rollout      A rollout.
 * @param request      The request, JSON; UTF-8, borrowed for the call.
 * @param request_len  Its length in bytes.
 * @param out          A buffer that the caller frees with hotfix_buf_free: the text, or for slack,
 *                     teams and pagerduty the JSON document that the service accepts.
 * @param err          Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_MESSAGE for an invalid request, or a message that cannot be written.
 *
 * Thread rule: any number of threads may read a rollout while no thread changes it.
 */
hotfix_status hotfix_rollout_message(const struct hotfix_rollout *rollout,
                                     const char *request,
                                     size_t request_len,
                                     struct hotfix_buf *out,
                                     struct hotfix_error **err);

#endif

/**
 * Makes a train of services. After a crash, make it again from the replayed rollouts, then call
 * hotfix_train_settle.
 *
 * @param services   An array: each service with its rollout; borrowed for the call. On success the
 *                   train owns the rollouts: it alone frees them, and inputs go through the train
 *                   only. On failure the caller still owns them.
 * @param count      Number of services.
 * @param after      The services that have to be complete before each service starts, as JSON: an
 *                   object with a list of names for a service; UTF-8, borrowed. With length 0 (may
 *                   be null) each service waits for the one before it in `services`.
 * @param after_len  Its length in bytes.
 * @param out        The train; the caller frees it with hotfix_train_free. Null on failure.
 * @param err        Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_PLAN for services that cannot form a train: no service, a name that occurs
 *         twice, or a cycle. HOTFIX_STATUS_HANDLE for a rollout that another train owns.
 *
 * Thread rule: one thread, which alone uses the rollouts.
 */
hotfix_status hotfix_train_new(const struct hotfix_train_service *services,
                               size_t count,
                               const char *after,
                               size_t after_len,
                               struct hotfix_train **out,
                               struct hotfix_error **err);

/**
 * Handles one input for one service, and returns the actions of every rollout that changed.
 *
 * @param train        A train.
 * @param at_ms        The present time, in milliseconds since 1970-01-01T00:00:00Z.
 * @param service      The service's name; UTF-8, borrowed for the call.
 * @param service_len  Its length in bytes.
 * @param input        {"kind", "by", …} as for hotfix_rollout_handle; UTF-8, borrowed for the
 *                     call.
 * @param input_len    Its length in bytes.
 * @param out          The outcome. Written on success and on HOTFIX_STATUS_REFUSED: append the
 *                     moves of a refusal too. On any other failure it has no moves and no findings.
 * @param err          Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_INPUT for a document that is not a valid input, and for a service that is
 *         not in the train: nothing has changed, and the output of the last call stays valid.
 *         HOTFIX_STATUS_REFUSED for an input that the train or the rollout does not accept now.
 *
 * Thread rule: one thread at a time for one train.
 */
hotfix_status hotfix_train_handle(struct hotfix_train *train,
                                  int64_t at_ms,
                                  const char *service,
                                  size_t service_len,
                                  const char *input,
                                  size_t input_len,
                                  struct hotfix_train_outcome *out,
                                  struct hotfix_error **err);

/**
 * Handles one observation of one service from plain structs: the same as an input of kind
 * `observe`.
 *
 * @param train        A train.
 * @param at_ms        The present time, in milliseconds since 1970-01-01T00:00:00Z.
 * @param service      The service's name; UTF-8, borrowed for the call.
 * @param service_len  Its length in bytes.
 * @param readings     An array as for hotfix_rollout_observe; borrowed for the call. May be null
 *                     with count 0.
 * @param count        Number of readings.
 * @param sender       Actor, key and expected head; may be null.
 * @param out          The outcome. Written on success and on HOTFIX_STATUS_REFUSED: append the
 *                     moves of a refusal too. On any other failure it has no moves and no findings.
 * @param err          Where an error object goes; may be null. Owned by the caller.
 * @return As hotfix_train_handle; HOTFIX_STATUS_STRUCT, HOTFIX_STATUS_ENUM, HOTFIX_STATUS_UNIT and
 *         HOTFIX_STATUS_RANGE as hotfix_rollout_observe.
 *
 * Thread rule: one thread at a time for one train.
 */
hotfix_status hotfix_train_observe(struct hotfix_train *train,
                                   int64_t at_ms,
                                   const char *service,
                                   size_t service_len,
                                   const struct hotfix_reading *readings,
                                   size_t count,
                                   const struct hotfix_sender *sender,
                                   struct hotfix_train_outcome *out,
                                   struct hotfix_error **err);

/**
 * Sends a `tick` to each rollout that is due, and continues a rollback. Call it at the time that
 * hotfix_train_poll_at gives.
 *
 * @param train  A train.
 * @param at_ms  The present time, in milliseconds since 1970-01-01T00:00:00Z.
 * @param out    The outcome. On failure it has no moves and no findings.
 * @param err    Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_UNIT for a time that is probably in seconds (HF-FFI-010).
 *
 * Thread rule: one thread at a time for one train.
 */
hotfix_status hotfix_train_tick(struct hotfix_train *train,
                                int64_t at_ms,
                                struct hotfix_train_outcome *out,
                                struct hotfix_error **err);

/**
 * Continues a rollback as far as possible, and reports every finding that still applies. Call it
 * after a crash, once the actions of each rollout's last input that await nothing are done
 * (hotfix_rollout_action): it is an input of the services that it rolls back, and replaces their
 * lists. A second call changes nothing.
 *
 * @param train  A train.
 * @param at_ms  The present time, in milliseconds since 1970-01-01T00:00:00Z.
 * @param out    The outcome. On failure it has no moves and no findings.
 * @param err    Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_UNIT for a time that is probably in seconds (HF-FFI-010).
 *
 * Thread rule: one thread at a time for one train.
 */
hotfix_status hotfix_train_settle(struct hotfix_train *train,
                                  int64_t at_ms,
                                  struct hotfix_train_outcome *out,
                                  struct hotfix_error **err);

/**
 * Frees a train with its rollouts, also a poisoned one. Views into its outcomes and rollouts
 * become invalid.
 *
 * @param train  A train, or null.
 *
 * Thread rule: one thread, after every other use of this handle and of its rollouts.
 */
void hotfix_train_free(struct hotfix_train *train);

/**
 * The name of a train's state: "rolling_back".
 *
 * @param state  Any number.
 * @return Static text that ends with a null byte; "unknown" for a number that is not a state.
 *
 * Thread rule: any thread at any time.
 */
const char *hotfix_train_state_name(int32_t state);

/**
 * One move of the last call.
 *
 * @param train  A train.
 * @param index  From 0, below the outcome's `move_count`.
 * @param out    The move; set its `struct_size` before the call. Written on success only.
 * @param err    Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_RANGE if there is no such move.
 *
 * Thread rule: any number of threads may read a train while no thread changes it.
 */
hotfix_status hotfix_train_move_at(const struct hotfix_train *train,
                                   size_t index,
                                   struct hotfix_train_move *out,
                                   struct hotfix_error **err);

/**
 * One action of a move of the last call.
 *
 * @param train       A train.
 * @param move_index  From 0, below the outcome's `move_count`.
 * @param index       From 0, below the move's `action_count`.
 * @param out         The action; set its `struct_size` before the call. Written on success only.
 *                    Its views are valid until the next call that takes the train without `const`.
 * @param err         Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_RANGE if there is no such action.
 *
 * Thread rule: any number of threads may read a train while no thread changes it.
 */
hotfix_status hotfix_train_action(const struct hotfix_train *train,
                                  size_t move_index,
                                  size_t index,
                                  struct hotfix_action *out,
                                  struct hotfix_error **err);

/**
 * The state of the train.
 *
 * @param train  A train.
 * @param out    The state. Written on success only.
 * @param err    Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may read a train while no thread changes it.
 */
hotfix_status hotfix_train_state_of(const struct hotfix_train *train,
                                    hotfix_train_state *out,
                                    struct hotfix_error **err);

/**
 * Each service and its status in the train, as JSON: [{"service", "place", "state", "waits_for",
 * "until"}].
 *
 * `place` is waiting, next (the train allows it to start), held, running, complete, closed,
 * in_turn (it is rolled back after those in `waits_for`, at the latest at `until`), kept,
 * rolling_back, frozen or restored.
 *
 * @param train  A train.
 * @param out    A buffer that the caller frees with hotfix_buf_free.
 * @param err    Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may read a train while no thread changes it.
 */
hotfix_status hotfix_train_services(const struct hotfix_train *train,
                                    struct hotfix_buf *out,
                                    struct hotfix_error **err);

/**
 * The findings of the last call, about which people have to be notified, as JSON: [{"code",
 * "service", "message"}].
 *
 * @param train  A train.
 * @param out    A buffer that the caller frees with hotfix_buf_free.
 * @param err    Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may read a train while no thread changes it.
 */
hotfix_status hotfix_train_findings(const struct hotfix_train *train,
                                    struct hotfix_buf *out,
                                    struct hotfix_error **err);

/**
 * The next time at which hotfix_train_tick can change something in any service: set one timer to
 * it and call hotfix_train_tick.
 *
 * @param train   A train.
 * @param out_ms  Milliseconds since 1970-01-01T00:00:00Z; 0 while a service has had no input: call
 *                it at once. HOTFIX_NEVER if nothing waits for time. Written on success only.
 * @param err     Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may read a train while no thread changes it.
 */
hotfix_status hotfix_train_poll_at(const struct hotfix_train *train,
                                   int64_t *out_ms,
                                   struct hotfix_error **err);

/**
 * The rollout of a service, for every function that takes a `const hotfix_rollout *`.
 *
 * A call that takes the train without `const` changes its rollouts: it invalidates views into this
 * one, and no other thread may read it at the same time. A function that takes a rollout without
 * `const` refuses it (HF-FFI-013), and hotfix_rollout_free leaves it. Its actions are those of all its moves in
 * the train's last call.
 *
 * @param train        A train.
 * @param service      The service's name; UTF-8, borrowed for the call.
 * @param service_len  Its length in bytes.
 * @param out          The rollout, which belongs to the train: hotfix_train_free frees it. Null on
 *                     failure.
 * @param err          Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_ENUM if the train has no such service.
 *
 * Thread rule: any number of threads may read a train and its rollouts while no thread changes the
 * train.
 */
hotfix_status hotfix_train_rollout(const struct hotfix_train *train,
                                   const char *service,
                                   size_t service_len,
                                   const struct hotfix_rollout **out,
                                   struct hotfix_error **err);

/**
 * Checks a log from end to end and recomputes every verdict, action and change of state.
 *
 * A fault in the log is a finding, not a failure of the call. The result is {"clean": true,
 * "lines": 42, "head": "…", "findings": []}; a finding is {"code", "line", "message"}.
 *
 * @param log                The log's bytes; borrowed for the call.
 * @param log_len            Their number.
 * @param expected_head      The head that the log should have, 64 hexadecimal digits: with it,
 *                           missing lines at the end are found. May be null with length 0.
 * @param expected_head_len  Its length in bytes.
 * @param out                A buffer with JSON that the caller frees with hotfix_buf_free.
 * @param err                Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_UNIT if `expected_head` is not a valid digest.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_audit(const char *log,
                           size_t log_len,
                           const char *expected_head,
                           size_t expected_head_len,
                           struct hotfix_buf *out,
                           struct hotfix_error **err);

/**
 * Redacts personal values in a log. The redacted log has the same hash chain and replays to the
 * same state, with digests in place of names.
 *
 * Hashed values and members of newer releases are kept, in canonical form; a second redaction
 * changes nothing. Free texts that people wrote are part of the hash and stay in the log.
 *
 * @param log        The log's bytes; borrowed for the call.
 * @param log_len    Their number.
 * @param names      The people whose values are redacted, as a JSON list of names. May be null
 *                   with length 0: then all personal values are redacted, and the salt is removed
 *                   too, so that nobody can test names against the digests.
 * @param names_len  Its length in bytes.
 * @param out        A buffer with the redacted log, which the caller frees with hotfix_buf_free.
 * @param err        Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_LOG for a log whose chain is broken, HOTFIX_STATUS_INPUT if `names` is not
 *         a list of texts.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_redact(const char *log,
                            size_t log_len,
                            const char *names,
                            size_t names_len,
                            struct hotfix_buf *out,
                            struct hotfix_error **err);

#ifndef HOTFIX_WITHOUT_REPORT

/**
 * Measures an incident from its log, as JSON: {"incident", "service", "severity", "version",
 * "attempts", "state", "at", "measures"}.
 *
 * A measure has "name", "status" ("known", "open", "not_stated", or "not_asked" where the policy
 * does not ask for what ends its clock), a value ("seconds", "yes",
 * "share", "count", "objective", "requests", "error_rate" or "facts"), "from" and "to" (the
 * moments between which it was measured) and a "sentence". An open measure has the value so far
 * and "until": "open"; one that was not stated has no value.
 *
 * @param log      The log's bytes; borrowed for the call.
 * @param log_len  Their number.
 * @param out      A buffer that the caller frees with hotfix_buf_free.
 * @param err      Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_LOG for a broken log.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_measures(const char *log,
                              size_t log_len,
                              struct hotfix_buf *out,
                              struct hotfix_error **err);

/**
 * The measures of hotfix_measures as a table in Markdown.
 *
 * @param log      The log's bytes; borrowed for the call.
 * @param log_len  Their number.
 * @param out      A buffer that the caller frees with hotfix_buf_free.
 * @param err      Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_LOG for a broken log.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_measures_markdown(const char *log,
                                       size_t log_len,
                                       struct hotfix_buf *out,
                                       struct hotfix_error **err);

/**
 * Computes DORA's four keys over many logs, as JSON: {"by", "logs", "periods", "whole", "clocks"}.
 * docs/measures.md defines them.
 *
 * @param logs      Whole logs, one after another: each begins with its opening line; borrowed for
 *                  the call.
 * @param logs_len  Their number of bytes.
 * @param by        "month" or "week"; UTF-8, borrowed for the call.
 * @param by_len    Its length in bytes.
 * @param out       A buffer that the caller frees with hotfix_buf_free.
 * @param err       Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_LOG for a broken log; HOTFIX_STATUS_MESSAGE if two logs begin with the
 *         same line; HOTFIX_STATUS_ENUM for an unknown period.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_dora(const char *logs,
                          size_t logs_len,
                          const char *by,
                          size_t by_len,
                          struct hotfix_buf *out,
                          struct hotfix_error **err);

/**
 * DORA's four keys as a table in Markdown, one row for each period.
 *
 * @param logs      Whole logs, one after another; borrowed for the call.
 * @param logs_len  Their number of bytes.
 * @param by        "month" or "week"; UTF-8, borrowed for the call.
 * @param by_len    Its length in bytes.
 * @param out       A buffer that the caller frees with hotfix_buf_free.
 * @param err       Where an error object goes; may be null. Owned by the caller.
 * @return As hotfix_dora.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_dora_markdown(const char *logs,
                                   size_t logs_len,
                                   const char *by,
                                   size_t by_len,
                                   struct hotfix_buf *out,
                                   struct hotfix_error **err);

/**
 * DORA's four keys as a chart, as JSON: {"svg", "text"}. "text" describes what the chart shows.
 * The result is `null` if there is no period.
 *
 * @param logs      Whole logs, one after another; borrowed for the call.
 * @param logs_len  Their number of bytes.
 * @param by        "month" or "week"; UTF-8, borrowed for the call.
 * @param by_len    Its length in bytes.
 * @param out       A buffer that the caller frees with hotfix_buf_free.
 * @param err       Where an error object goes; may be null. Owned by the caller.
 * @return As hotfix_dora.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_dora_chart(const char *logs,
                                size_t logs_len,
                                const char *by,
                                size_t by_len,
                                struct hotfix_buf *out,
                                struct hotfix_error **err);

/**
 * Finds incidents that are similar to a given one, the most similar first, as a JSON list: {"log",
 * "incident", "score", "agree", "differ", "unknown", "state", "version"} and, if known,
 * "recovered_after" in seconds. "log" is the index of its log, from 0.
 *
 * @param policy     The policy that defines custom facts; null: only the built-in facts are known.
 *                   A log contains its own policy.
 * @param known      The incident: its log, or a JSON object of facts; borrowed for the call.
 * @param known_len  Its length in bytes.
 * @param logs       Whole logs, one after another: each begins with its opening line; borrowed for
 *                   the call.
 * @param logs_len   Their number of bytes.
 * @param out        A buffer that the caller frees with hotfix_buf_free.
 * @param err        Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_LOG for a broken log; HOTFIX_STATUS_MESSAGE if `known` is neither a log
 *         nor a JSON object of known facts.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_similar(const struct hotfix_policy *policy,
                             const char *known,
                             size_t known_len,
                             const char *logs,
                             size_t logs_len,
                             struct hotfix_buf *out,
                             struct hotfix_error **err);

#endif

#ifndef HOTFIX_WITHOUT_INTEROP

/**
 * Exports a log as CDEvents 0.4.1 in CloudEvents 1.0, as a JSON list. The same log gives the same
 * ids.
 *
 * @param log              The log's bytes; borrowed for the call.
 * @param log_len          Their number.
 * @param source           The sender of the events: a URI reference; UTF-8, borrowed for the call.
 *                         Null or empty: "hotfix".
 * @param source_len       Its length in bytes.
 * @param environment      The environment that the service runs in; UTF-8, borrowed. Null or
 *                         empty: "production".
 * @param environment_len  Its length in bytes.
 * @param ticket           The URI of the incident's ticket; UTF-8, borrowed. Null or empty: no
 *                         `incident.reported` event.
 * @param ticket_len       Its length in bytes.
 * @param out              A buffer that the caller frees with hotfix_buf_free.
 * @param err              Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_LOG for a broken log; HOTFIX_STATUS_MESSAGE for a `source`, `environment`
 *         or `ticket` that is not valid.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_cdevents(const char *log,
                              size_t log_len,
                              const char *source,
                              size_t source_len,
                              const char *environment,
                              size_t environment_len,
                              const char *ticket,
                              size_t ticket_len,
                              struct hotfix_buf *out,
                              struct hotfix_error **err);

/**
 * Exports a log as Grafana annotations, as a JSON list. Each element is a body for `POST
 * /api/annotations`.
 *
 * @param log      The log's bytes; borrowed for the call.
 * @param log_len  Their number.
 * @param out      A buffer that the caller frees with hotfix_buf_free.
 * @param err      Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_LOG for a broken log.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_grafana_annotations(const char *log,
                                         size_t log_len,
                                         struct hotfix_buf *out,
                                         struct hotfix_error **err);

#endif

#ifndef HOTFIX_WITHOUT_REPORT

/**
 * Writes the incident report from a log.
 *
 * A report can be written at any time, also for an open incident. "html" is one page without
 * scripts or external references; docs/report.md describes "json".
 *
 * @param log         The log's bytes, all lines; borrowed for the call.
 * @param log_len     Their number.
 * @param format      "markdown", "json" or "html".
 * @param format_len  Its length in bytes.
 * @param out         A buffer with the report that the caller frees with hotfix_buf_free.
 * @param err         Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_LOG for a log that cannot be replayed, HOTFIX_STATUS_MESSAGE for an
 *         unknown format.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_report(const char *log,
                            size_t log_len,
                            const char *format,
                            size_t format_len,
                            struct hotfix_buf *out,
                            struct hotfix_error **err);

/**
 * Writes the incident report of a rollout that keeps its log.
 *
 * @param rollout     A rollout that keeps its log, from its first line on.
 * @param format      "markdown", "json" or "html".
 * @param format_len  Its length in bytes.
 * @param out         A buffer with the report that the caller frees with hotfix_buf_free.
 * @param err         Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_MESSAGE for an unknown format, and for a rollout that does not keep its
 *         log, or has it only from a snapshot on: pass the log to hotfix_report instead.
 *         HOTFIX_STATUS_LOG before the first input, when there is no log yet.
 *
 * Thread rule: any number of threads may read a rollout while no thread changes it.
 */
hotfix_status hotfix_rollout_report(const struct hotfix_rollout *rollout,
                                    const char *format,
                                    size_t format_len,
                                    struct hotfix_buf *out,
                                    struct hotfix_error **err);

#endif

#ifndef HOTFIX_WITHOUT_SIMULATE

/**
 * Simulates runs of a plan in a scenario, on the calling thread: {"outcome", "tally"}. The outcome
 * table has false rollbacks, missed faults, times, affected requests, missed duties and questions,
 * each with its 95% interval; the tally is for hotfix_simulate_merge.
 *
 * Run number n of a seed is always the same, so the caller can split the runs between threads or
 * machines.
 *
 * @param plan          A plan.
 * @param scenario      A scenario in TOML or JSON (docs/simulation.md); UTF-8, borrowed.
 * @param scenario_len  Its length in bytes.
 * @param seed          The seed.
 * @param from          Number of the first run.
 * @param count         Number of runs.
 * @param out           A buffer with JSON that the caller frees with hotfix_buf_free.
 * @param err           Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_SIMULATE for a scenario that cannot be read or does not fit the plan; the
 *         error has every fault.
 *
 * Thread rule: any number of threads may use one plan.
 */
hotfix_status hotfix_simulate(const struct hotfix_plan *plan,
                              const char *scenario,
                              size_t scenario_len,
                              uint64_t seed,
                              uint64_t from,
                              uint64_t count,
                              struct hotfix_buf *out,
                              struct hotfix_error **err);

/**
 * Merges the parts of one simulation: {"outcome", "tally"} of all their runs.
 *
 * @param tallies      A JSON list of the "tally" of each part; UTF-8, borrowed.
 * @param tallies_len  Its length in bytes.
 * @param out          A buffer with JSON that the caller frees with hotfix_buf_free.
 * @param err          Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_SIMULATE for parts of different simulations, and if `tallies` is not a
 *         list of tallies.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_simulate_merge(const char *tallies,
                                    size_t tallies_len,
                                    struct hotfix_buf *out,
                                    struct hotfix_error **err);

/**
 * Compares two plans in runs with the same random seeds: the differences of the second plan, each
 * with its paired 95% interval, and both outcome tables.
 *
 * @param first         A plan.
 * @param second        Another plan, for example of a changed policy.
 * @param scenario      A scenario in TOML or JSON; UTF-8, borrowed.
 * @param scenario_len  Its length in bytes.
 * @param seed          The seed.
 * @param from          Number of the first run.
 * @param count         Number of runs.
 * @param out           A buffer with JSON that the caller frees with hotfix_buf_free.
 * @param err           Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_SIMULATE for a scenario that cannot be read or does not fit the plans.
 *
 * Thread rule: any number of threads may use one plan.
 */
hotfix_status hotfix_simulate_compare(const struct hotfix_plan *first,
                                      const struct hotfix_plan *second,
                                      const char *scenario,
                                      size_t scenario_len,
                                      uint64_t seed,
                                      uint64_t from,
                                      uint64_t count,
                                      struct hotfix_buf *out,
                                      struct hotfix_error **err);

/**
 * Simulates one run and keeps its log: {"run", "truth", "unmet", "log"}. "unmet" lists in
 * sentences the expectations of the scenario that were not met. The log has the same format as
 * that of any rollout.
 *
 * @param plan          A plan.
 * @param scenario      A scenario in TOML or JSON; UTF-8, borrowed.
 * @param scenario_len  Its length in bytes.
 * @param seed          The seed.
 * @param number        Number of the run.
 * @param out           A buffer with JSON that the caller frees with hotfix_buf_free.
 * @param err           Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_SIMULATE for a scenario that cannot be read or does not fit the plan.
 *
 * Thread rule: any number of threads may use one plan.
 */
hotfix_status hotfix_drill(const struct hotfix_plan *plan,
                           const char *scenario,
                           size_t scenario_len,
                           uint64_t seed,
                           uint64_t number,
                           struct hotfix_buf *out,
                           struct hotfix_error **err);

/**
 * Simulates a policy with other values: every combination, all with the same random seed, on the
 * calling thread. The result is {"most_false_rollbacks", "runs", "candidates": [{"changes":
 * {place: value}, "not_tried", "false_rollbacks", "at_most", "keeps", "missed_faults",
 * "completed", "affected"}], "best"}. The first candidate is the policy as it is. "best" is the
 * index of the recommended candidate; it is absent if no candidate keeps the bound. "not_tried"
 * gives the reason why a candidate could not be simulated; otherwise it is absent.
 *
 * @param policy        A policy.
 * @param question      TOML or JSON (docs/simulation.md) with "scenarios", "axes" (of "path" and
 *                      "values"), "bound", "runs" and "seed"; UTF-8, borrowed. Defaults: the usual
 *                      axes, a bound of 0.05, and the seed of the first scenario.
 * @param question_len  Its length in bytes.
 * @param out           A buffer with JSON that the caller frees with hotfix_buf_free.
 * @param err           Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_SIMULATE if the question cannot be read or does not fit the policy. The
 *         error has every fault, each with its place in the question, such as "/axes/0/path".
 *
 * Thread rule: any number of threads may use one policy.
 */
hotfix_status hotfix_simulate_advise(const struct hotfix_policy *policy,
                                     const char *question,
                                     size_t question_len,
                                     struct hotfix_buf *out,
                                     struct hotfix_error **err);

#endif

/**
 * The evidence so far.
 *
 * @param test  A test of any kind but instances, of which hotfix_instances_found has the results.
 * @param out   The evidence; set its `struct_size` before the call. Written on success only.
 * @param err   Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_HANDLE for tests of instances.
 *
 * Thread rule: any number of threads may read a test while no thread changes it.
 */
hotfix_status hotfix_test_evidence(const struct hotfix_test *test,
                                   struct hotfix_evidence *out,
                                   struct hotfix_error **err);

/**
 * Writes kind, settings and state, so that the test can continue later or in another process that
 * uses this C interface: Python's tests have another form. A
 * randomisation with 2,000 subsets has about 150 kB.
 *
 * @param test  A test.
 * @param out   A buffer with JSON that the caller frees with hotfix_buf_free.
 * @param err   Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may read a test while no thread changes it.
 */
hotfix_status hotfix_test_to_bytes(const struct hotfix_test *test,
                                   struct hotfix_buf *out,
                                   struct hotfix_error **err);

/**
 * Reads what hotfix_test_to_bytes wrote: a test of the same kind.
 *
 * @param bytes      The bytes; borrowed for the call.
 * @param bytes_len  Their number.
 * @param out        The test; the caller frees it with hotfix_test_free. Null on failure.
 * @param err        Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_INPUT for bytes that are not a saved test, HOTFIX_STATUS_STAT if state and
 *         settings do not match.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_test_from_bytes(const char *bytes,
                                     size_t bytes_len,
                                     struct hotfix_test **out,
                                     struct hotfix_error **err);

/**
 * Frees a test.
 *
 * @param test  A test, or null.
 *
 * Thread rule: one thread, after every other use of this handle.
 */
void hotfix_test_free(struct hotfix_test *test);

/**
 * Makes a test without data.
 *
 * @param settings      {"direction": "worse" or "better", "alpha", "tolerated", "margin", "grid",
 *                      "weights", "temper", "cap", "threshold", "horizon", "model": "poisson" or
 *                      "bernoulli" (which also accepts "prior_trials")}, all optional; UTF-8,
 *                      borrowed; may be null with length 0 for the defaults.
 * @param settings_len  Its length in bytes.
 * @param out           The test; the caller frees it with hotfix_test_free. Null on failure.
 * @param err           Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for invalid settings, HOTFIX_STATUS_INPUT for text that cannot be
 *         read.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_rate_ratio_new(const char *settings,
                                    size_t settings_len,
                                    struct hotfix_test **out,
                                    struct hotfix_error **err);

/**
 * Adds the counts of one tick.
 *
 * @param test             A test of a rate ratio.
 * @param canary_events    The canary's events; 0 to 2^53, like the other three numbers.
 * @param canary_trials    Its trials, or its exposure in any unit.
 * @param baseline_events  The baseline's events.
 * @param baseline_trials  Its trials, or its exposure in the same unit.
 * @param out_decided      Whether the test has decided, in this tick or before; may be null.
 *                         Written on success only.
 * @param err              Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for counts that are not finite, negative or too large; the test is
 *         unchanged.
 *
 * Thread rule: one thread at a time for one test.
 */
hotfix_status hotfix_rate_ratio_update(struct hotfix_test *test,
                                       double canary_events,
                                       double canary_trials,
                                       double baseline_events,
                                       double baseline_trials,
                                       bool *out_decided,
                                       struct hotfix_error **err);

/**
 * Adds the evidence of another test with the same settings. The result equals one test that
 * received the data of both.
 *
 * @param test         The test of a rate ratio that receives the evidence.
 * @param other        The other test, which is not changed. Data that both have counts twice: do not
 *                     pass `test` itself.
 * @param out_decided  Whether the sum has decided; may be null. Written on success only.
 * @param err          Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT if the settings differ, with a horizon, and with the model
 *         "bernoulli", for which the order of the ticks matters.
 *
 * Thread rule: one thread at a time for `test`; `other` may be read by any number.
 */
hotfix_status hotfix_rate_ratio_merge(struct hotfix_test *test,
                                      const struct hotfix_test *other,
                                      bool *out_decided,
                                      struct hotfix_error **err);

#ifndef HOTFIX_WITHOUT_KAYENTA

/**
 * Judges samples with a Kayenta configuration and gives Kayenta's result.
 *
 * {"score", "classification" ("Pass", "Marginal" or "Fail"), "reason", "exact_score",
 * "exact_classification", "groups", "metrics", "findings"}; a metric has the form that
 * hotfix_kayenta_classify writes. Faults that Kayenta ignores silently, such as an unknown key or
 * weights that do not sum to 100, are findings: {"code", "path", "message"}.
 *
 * @param config       Kayenta's canary configuration, JSON; UTF-8, borrowed for the call.
 * @param config_len   Its length in bytes.
 * @param samples      {"metric": {"control": [1, null], "experiment": [2, 3]}}, null for a missing
 *                     point; UTF-8, borrowed.
 * @param samples_len  Its length in bytes.
 * @param pass         The lowest score that passes; NaN for the configuration's value.
 * @param marginal     The lowest score that is marginal; NaN for the configuration's value.
 * @param out          A buffer with JSON that the caller frees with hotfix_buf_free.
 * @param err          Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for a configuration or samples that cannot be judged.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_kayenta_judge(const char *config,
                                   size_t config_len,
                                   const char *samples,
                                   size_t samples_len,
                                   double pass,
                                   double marginal,
                                   struct hotfix_buf *out,
                                   struct hotfix_error **err);

/**
 * Classifies one metric and gives the result of Kayenta's judge.
 *
 * {"classification" ("Pass", "High", "Low", "Nodata", "NodataFailMetric" or "Error"), "critical",
 * "reason", "ratio", "effect", "interval", "estimate", "exact", "exact_interval",
 * "exact_estimate", "differs", "note", "control", "experiment", "findings", …}; unknown values are
 * absent. "exact" is the classification by the exact interval; Kayenta's root finder stops within
 * 1e-4 of it.
 *
 * @param settings      The content of Kayenta's `analysisConfigurations.canary`, and "tolerance"
 *                      and "confidence"; JSON, UTF-8, borrowed; may be null with length 0 for the
 *                      defaults.
 * @param settings_len  Its length in bytes.
 * @param samples       {"control": [1, null], "experiment": [2, 3]}, null for a missing point;
 *                      UTF-8, borrowed.
 * @param samples_len   Its length in bytes.
 * @param out           A buffer with JSON that the caller frees with hotfix_buf_free.
 * @param err           Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for a configuration or samples that cannot be judged.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_kayenta_classify(const char *settings,
                                      size_t settings_len,
                                      const char *samples,
                                      size_t samples_len,
                                      struct hotfix_buf *out,
                                      struct hotfix_error **err);

#endif

#ifndef HOTFIX_WITHOUT_INTEROP

/**
 * Imports documents of Argo Rollouts, Flagger, Kayenta or OpenSLO as one policy.
 *
 * The findings report what has no counterpart, what behaves differently, and what was filled in:
 * {"kind", "findings"}. A finding has "code", "level", "path" (a JSON Pointer), "document" (from
 * 0), "line", "column", "message" and "remedy". "kind" is the tool: "argo_rollouts", "flagger",
 * "kayenta" or "openslo".
 *
 * @param text      YAML or JSON, at most 1 MiB; several documents are joined by their references.
 *                  UTF-8, borrowed for the call.
 * @param text_len  Its length in bytes.
 * @param kind      The tool, as above; may be null with length 0: then it is recognised from the
 *                  documents.
 * @param kind_len  Its length in bytes.
 * @param out       The policy; the caller frees it with hotfix_policy_free. Null on failure.
 * @param findings  A buffer with JSON that the caller frees with hotfix_buf_free.
 * @param err       Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_CONVERT if the documents cannot be imported; the error has every fault
 *         with its code, path, line and column. HOTFIX_STATUS_ENUM for an unknown kind.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_convert(const char *text,
                             size_t text_len,
                             const char *kind,
                             size_t kind_len,
                             struct hotfix_policy **out,
                             struct hotfix_buf *findings,
                             struct hotfix_error **err);

#endif

/**
 * Makes a test without data. Null hypothesis: the rate is at the ceiling or above it.
 *
 * @param settings      {"ceiling": 0.005, "alpha", "grid", "weights"}, all but the first optional;
 *                      "grid" holds rates as shares of the ceiling, from 0 and below 1. UTF-8,
 *                      borrowed.
 * @param settings_len  Its length in bytes.
 * @param out           The test; the caller frees it with hotfix_test_free. Null on failure.
 * @param err           Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for invalid settings, HOTFIX_STATUS_INPUT for text that cannot be
 *         read.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_ceiling_new(const char *settings,
                                 size_t settings_len,
                                 struct hotfix_test **out,
                                 struct hotfix_error **err);

/**
 * Adds the counts of one tick.
 *
 * @param test         A test against a ceiling.
 * @param events       The canary's events; 0 to 2^53, like the trials.
 * @param trials       Its trials, at least as many.
 * @param out_decided  Whether the test has decided, in this tick or before; may be null. Written
 *                     on success only.
 * @param err          Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for invalid counts; the test is unchanged.
 *
 * Thread rule: one thread at a time for one test.
 */
hotfix_status hotfix_ceiling_update(struct hotfix_test *test,
                                    double events,
                                    double trials,
                                    bool *out_decided,
                                    struct hotfix_error **err);

/**
 * The number of requests without an error that is enough to decide. The plan has to last at least
 * that long.
 *
 * @param test        A test against a ceiling.
 * @param out_trials  The number, counted from a test without data.
 * @param err         Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may read a test while no thread changes it.
 */
hotfix_status hotfix_ceiling_clean_trials(const struct hotfix_test *test,
                                          double *out_trials,
                                          struct hotfix_error **err);

/**
 * Interval for the ratio of the canary's rate to the baseline's; valid at every evaluation.
 *
 * Sum only ticks with the same planned traffic split.
 *
 * @param strata      The sums, one element for each planned split; may be null with a count of 0.
 * @param count       Their number, at most 4096.
 * @param confidence  Above 0 and below 1, such as 0.99.
 * @param out_low     The lower end; 0 without events in the canary. Written on success only.
 * @param out_high    The upper end; infinite without events in the baseline. Written on success
 *                    only.
 * @param err         Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for invalid sums or an invalid confidence.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_ratio_interval(const struct hotfix_stratum *strata,
                                    size_t count,
                                    double confidence,
                                    double *out_low,
                                    double *out_high,
                                    struct hotfix_error **err);

/**
 * Calibrates threshold and cap of the rollback test on the service's own history.
 *
 * @param history       {"instance": [[events, trials], …], …}, one pair for each tick; UTF-8,
 *                      borrowed.
 * @param history_len   Its length in bytes.
 * @param settings      {"share", "ticks", …}: "model" ("poisson" or "bernoulli"), "alpha",
 *                      "tolerated", "grid", "weights", "temper", "horizon", "zones",
 *                      "tick_seconds" and "seed" are optional; UTF-8, borrowed.
 * @param settings_len  Its length in bytes.
 * @param out           A buffer with JSON ("threshold", "cap", "hold", "by_instance",
 *                      "dispersion", "advice", …) that the caller frees with hotfix_buf_free.
 * @param err           Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for invalid settings and for a history that is not valid or too
 *         short, HOTFIX_STATUS_INPUT for text that cannot be read.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_calibrate(const char *history,
                               size_t history_len,
                               const char *settings,
                               size_t settings_len,
                               struct hotfix_buf *out,
                               struct hotfix_error **err);

/**
 * Makes a randomisation test without data, and draws its subsets. It compares the canary with
 * random subsets of the instances, and is exact for any noise.
 *
 * @param settings      {"instances": ["pod-1", …], "canary": ["pod-1", …], "seed", …}: "alpha",
 *                      "subsets", "tolerated", "grid", "weights", "evaluations", "budget" and
 *                      "zones" are optional; UTF-8, borrowed.
 * @param settings_len  Its length in bytes.
 * @param out           The test; the caller frees it with hotfix_test_free. Null on
 *                      failure.
 * @param err           Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for invalid settings, HOTFIX_STATUS_INPUT for text that cannot be
 *         read.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_randomisation_new(const char *settings,
                                       size_t settings_len,
                                       struct hotfix_test **out,
                                       struct hotfix_error **err);

/**
 * Adds the counts of every instance in one tick.
 *
 * @param test         A randomisation test.
 * @param events       Events of each instance, in the order of the settings; borrowed.
 * @param trials       Trials of each instance; 0 if an instance has no data. Borrowed.
 * @param instances    Number of instances.
 * @param out_decided  Whether the test has decided to roll back, in this tick or before. May be
 *                     null. Written on success only.
 * @param err          Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for counts that are not finite, negative or too large, and for
 *         another number of instances; the test is unchanged.
 *
 * Thread rule: one thread at a time for one test.
 */
hotfix_status hotfix_randomisation_update(struct hotfix_test *test,
                                          const double *events,
                                          const double *trials,
                                          size_t instances,
                                          bool *out_decided,
                                          struct hotfix_error **err);

/**
 * Makes tests of the canary's instances, without data: each instance against the others.
 *
 * @param settings      {"canary": ["pod-1", …], "test": {…}}, "test" optional, of which "alpha",
 *                      "tolerated", "grid" and "weights" are used: see hotfix_rate_ratio_new.
 *                      UTF-8, borrowed.
 * @param settings_len  Its length in bytes.
 * @param out           The tests; the caller frees them with hotfix_test_free. Null on
 *                      failure.
 * @param err           Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for invalid settings, HOTFIX_STATUS_INPUT for text that cannot be
 *         read.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_instances_new(const char *settings,
                                   size_t settings_len,
                                   struct hotfix_test **out,
                                   struct hotfix_error **err);

/**
 * Adds the counts of the canary's instances in one tick.
 *
 * @param test       Tests of instances.
 * @param events     Events of each canary instance, in the order of the settings; borrowed.
 * @param trials     Trials of each instance; 0 if an instance has no data. Borrowed.
 * @param instances  Number of instances.
 * @param out_found  Whether an instance was found worse than the others, in this tick or before:
 *                   see hotfix_instances_found. May be null. Written on success only.
 * @param err        Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for counts that are not finite, negative or too large, and for
 *         another number of instances; the tests are unchanged.
 *
 * Thread rule: one thread at a time for the same test.
 */
hotfix_status hotfix_instances_update(struct hotfix_test *test,
                                      const double *events,
                                      const double *trials,
                                      size_t instances,
                                      bool *out_found,
                                      struct hotfix_error **err);

/**
 * The instances that were found worse than the others, in any tick so far: a JSON list of their
 * names, in the order of the settings. Replace them.
 *
 * @param test  Tests of instances.
 * @param out   A buffer with JSON that the caller frees with hotfix_buf_free.
 * @param err   Where an error object goes; may be null. Owned by the caller.
 *
 * Thread rule: any number of threads may read a test while no thread changes it.
 */
hotfix_status hotfix_instances_found(const struct hotfix_test *test,
                                     struct hotfix_buf *out,
                                     struct hotfix_error **err);

/**
 * The expected time to detect a regression of a given ratio.
 *
 * @param comparison  Traffic and test; set its `struct_size` before the call. Borrowed.
 * @param ratio       The canary's rate divided by the baseline's.
 * @param out         Times and requests; set its `struct_size` before the call. Written on success
 *                    only.
 * @param err         Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for invalid figures.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_time_to_detect(const struct hotfix_comparison *comparison,
                                    double ratio,
                                    struct hotfix_detection_time *out,
                                    struct hotfix_error **err);

/**
 * The smallest ratio that is detected within some minutes with a given probability.
 *
 * @param comparison  Traffic and test; set its `struct_size` before the call. Borrowed.
 * @param minutes     Duration of the comparison.
 * @param power       Probability of detection, such as 0.8.
 * @param out         The ratio; infinite if no ratio is detected so often. Written on success
 *                    only.
 * @param err         Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for invalid figures.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_detectable_ratio(const struct hotfix_comparison *comparison,
                                      double minutes,
                                      double power,
                                      double *out,
                                      struct hotfix_error **err);

/**
 * The probability that a regression is detected within some minutes; for ratio 1 the probability
 * of a false rollback.
 *
 * @param comparison  Traffic and test; set its `struct_size` before the call. Borrowed.
 * @param ratio       The canary's rate divided by the baseline's.
 * @param minutes     Duration of the comparison; only complete ticks count.
 * @param out         The probability; set its `struct_size` before the call. Written on success
 *                    only.
 * @param err         Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for invalid figures.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_chance_to_decide(const struct hotfix_comparison *comparison,
                                      double ratio,
                                      double minutes,
                                      struct hotfix_chance *out,
                                      struct hotfix_error **err);

/**
 * The probability that, within some minutes, the test shows that the canary is not worse than a
 * margin.
 *
 * @param comparison  Traffic; its test is not used. Set its `struct_size` before the call.
 *                    Borrowed.
 * @param ratio       The true ratio of the canary's rate to the baseline's.
 * @param minutes     Duration of the comparison.
 * @param margin      The ratio below which the canary has to be shown to be; a margin of at most 1
 *                    is a claim of efficacy.
 * @param alpha       Probability of a wrong claim for a canary at the margin, such as 0.05.
 * @param out         The probability; set its `struct_size` before the call. Written on success
 *                    only.
 * @param err         Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for invalid figures.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_chance_to_promote(const struct hotfix_comparison *comparison,
                                       double ratio,
                                       double minutes,
                                       double margin,
                                       double alpha,
                                       struct hotfix_chance *out,
                                       struct hotfix_error **err);

/**
 * The minutes after which half of all rollouts have shown that the canary is not worse than a
 * margin.
 *
 * @param comparison  Traffic; its test is not used. Set its `struct_size` before the call.
 *                    Borrowed.
 * @param ratio       The true ratio of the canary's rate to the baseline's.
 * @param margin      The ratio below which the canary has to be shown to be.
 * @param alpha       Probability of a wrong claim for a canary at the margin, such as 0.05.
 * @param out         The minutes; infinite if it takes more than 20,000 events or is not shown so
 *                    often. Written on success only.
 * @param err         Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for invalid figures.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_time_to_promote(const struct hotfix_comparison *comparison,
                                     double ratio,
                                     double margin,
                                     double alpha,
                                     double *out,
                                     struct hotfix_error **err);

/**
 * The probability that the share of failures is at or below a bound on some requests; exact for
 * independent errors.
 *
 * @param requests  Number of requests.
 * @param rate      Probability that a request fails.
 * @param at_most   The bound on the share of failures.
 * @param out       The probability. Written on success only.
 * @param err       Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for invalid figures.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_gate_pass_chance(double requests,
                                      double rate,
                                      double at_most,
                                      double *out,
                                      struct hotfix_error **err);

/**
 * The ratio that one test at the end detects with a given probability, by the square-root
 * approximation.
 *
 * @param base_rate        The baseline's events per request.
 * @param canary_trials    The canary's requests at the end.
 * @param baseline_trials  The baseline's.
 * @param alpha            One-sided, such as 0.01.
 * @param power            Probability of detection, such as 0.8.
 * @param out              The ratio. Written on success only.
 * @param err              Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for invalid figures.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_fixed_horizon_ratio(double base_rate,
                                         double canary_trials,
                                         double baseline_trials,
                                         double alpha,
                                         double power,
                                         double *out,
                                         struct hotfix_error **err);

/**
 * The number of requests of both arms that one test at the end needs to detect a ratio with a
 * given probability.
 *
 * @param base_rate  The baseline's events per request.
 * @param share      The canary's share of the requests.
 * @param ratio      Above 1.
 * @param alpha      One-sided, such as 0.01.
 * @param power      Probability of detection, such as 0.8.
 * @param out        The requests. Written on success only.
 * @param err        Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for invalid figures.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_fixed_horizon_trials(double base_rate,
                                          double share,
                                          double ratio,
                                          double alpha,
                                          double power,
                                          double *out,
                                          struct hotfix_error **err);

/**
 * The Mann-Whitney U test of two samples, for one evaluation.
 *
 * @param x            Finite values in any order; borrowed.
 * @param x_len        Number of elements.
 * @param y            Finite values in any order; borrowed.
 * @param y_len        Number of elements.
 * @param alternative  A hotfix_alternative; GREATER: values of `x` tend to be larger.
 * @param method       A hotfix_test_method; AUTO is exact if one sample has at most 8 values and
 *                     no values are tied.
 * @param continuity   Whether the normal approximation has a continuity correction of one half.
 * @param out          The result; set its `struct_size` before the call. Written on success only.
 * @param err          Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for an empty sample, a value that is not finite, or an exact
 *         distribution that does not exist for ties or is too large.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_mann_whitney_u(const double *x,
                                    size_t x_len,
                                    const double *y,
                                    size_t y_len,
                                    int32_t alternative,
                                    int32_t method,
                                    bool continuity,
                                    struct hotfix_mann_whitney *out,
                                    struct hotfix_error **err);

/**
 * The Mann-Whitney U test of two histograms with the same buckets, for one evaluation.
 *
 * @param x            Whole counts of each bucket, in order, not cumulative; borrowed.
 * @param y            Whole counts of each bucket, in order, not cumulative; borrowed.
 * @param len          Number of buckets.
 * @param alternative  A hotfix_alternative; GREATER: values of `x` tend to be larger.
 * @param continuity   Whether the normal approximation has a continuity correction of one half.
 * @param out          The result; set its `struct_size` before the call. Written on success only.
 * @param err          Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for an empty histogram or invalid counts.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_mann_whitney_from_counts(const double *x,
                                              const double *y,
                                              size_t len,
                                              int32_t alternative,
                                              bool continuity,
                                              struct hotfix_mann_whitney *out,
                                              struct hotfix_error **err);

/**
 * The Hodges-Lehmann estimate of the shift of `x` relative to `y`.
 *
 * @param x           Finite values in any order; borrowed.
 * @param x_len       Number of elements.
 * @param y           Finite values in any order; borrowed.
 * @param y_len       Number of elements.
 * @param confidence  Confidence of the two-sided interval, such as 0.95.
 * @param out         The result; set its `struct_size` before the call. Written on success only.
 * @param err         Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for an empty sample, a value that is not finite, or an invalid
 *         confidence.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_hodges_lehmann(const double *x,
                                    size_t x_len,
                                    const double *y,
                                    size_t y_len,
                                    double confidence,
                                    struct hotfix_shift *out,
                                    struct hotfix_error **err);

/**
 * The Kolmogorov-Smirnov test of two samples, for one evaluation.
 *
 * @param x            Finite values in any order; borrowed.
 * @param x_len        Number of elements.
 * @param y            Finite values in any order; borrowed.
 * @param y_len        Number of elements.
 * @param alternative  A hotfix_alternative; GREATER finds an `x` whose values tend to be smaller,
 *                     as in SciPy.
 * @param method       A hotfix_test_method; AUTO is exact up to 10^8 pairs. ASYMPTOTIC gives
 *                     SciPy's numbers, which are 0 if the samples do not overlap.
 * @param out          The result; set its `struct_size` before the call. Written on success only.
 * @param err          Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for an empty sample, a value that is not finite, or an exact
 *         distribution that is too large.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_ks_2samp(const double *x,
                              size_t x_len,
                              const double *y,
                              size_t y_len,
                              int32_t alternative,
                              int32_t method,
                              struct hotfix_kolmogorov_smirnov *out,
                              struct hotfix_error **err);

/**
 * The Kolmogorov-Smirnov test of two histograms with the same buckets, for one evaluation.
 *
 * @param x            Whole counts of each bucket, in order, not cumulative; borrowed.
 * @param y            Whole counts of each bucket, in order, not cumulative; borrowed.
 * @param len          Number of buckets.
 * @param alternative  A hotfix_alternative, as in hotfix_ks_2samp.
 * @param method       A hotfix_test_method.
 * @param out          The result; set its `struct_size` before the call. Written on success only.
 * @param err          Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for an empty histogram, invalid counts, or an exact distribution that
 *         is too large.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_ks_from_counts(const double *x,
                                    const double *y,
                                    size_t len,
                                    int32_t alternative,
                                    int32_t method,
                                    struct hotfix_kolmogorov_smirnov *out,
                                    struct hotfix_error **err);

/**
 * Fisher's exact test of two proportions, for one evaluation.
 *
 * @param canary       Events and trials of the version under test.
 * @param baseline     Events and trials of the version that it is compared with.
 * @param alternative  A hotfix_alternative; GREATER: the canary's rate is higher.
 * @param out          The result; set its `struct_size` before the call. Written on success only.
 * @param err          Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for counts that are not whole or not in range, an arm without trials,
 *         or a distribution that is too large.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_fisher_exact(struct hotfix_counts canary,
                                  struct hotfix_counts baseline,
                                  int32_t alternative,
                                  struct hotfix_fisher *out,
                                  struct hotfix_error **err);

/**
 * The exact conditional test of the ratio of two rates, for one evaluation.
 *
 * @param canary       Events and exposure of the version under test.
 * @param baseline     Events and exposure of the version that it is compared with, in the same
 *                     unit.
 * @param ratio        The canary's rate divided by the baseline's under the null hypothesis, such
 *                     as 1.
 * @param alternative  A hotfix_alternative; GREATER: the true ratio is greater than `ratio`.
 * @param confidence   Confidence of the two-sided interval, such as 0.95.
 * @param out          The result; set its `struct_size` before the call. Written on success only.
 * @param err          Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for events that are not whole or not in range, an arm without
 *         exposure, or an invalid ratio or confidence.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_poisson_ratio(struct hotfix_counts canary,
                                   struct hotfix_counts baseline,
                                   double ratio,
                                   int32_t alternative,
                                   double confidence,
                                   struct hotfix_rates *out,
                                   struct hotfix_error **err);

/**
 * Farrington and Manning's test that the canary is not worse than the baseline by a margin, for
 * one evaluation.
 *
 * @param canary    Events and trials of the version under test.
 * @param baseline  Events and trials of the version that it is compared with.
 * @param margin    The null hypothesis: the canary's rate is at least this many times the
 *                  baseline's, or at least this much above it.
 * @param scale     A hotfix_scale: whether `margin` is a ratio or a difference.
 * @param out       The result; set its `struct_size` before the call. Written on success only.
 * @param err       Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for counts that are not in range, an arm without trials, or an
 *         invalid margin.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_non_inferiority(struct hotfix_counts canary,
                                     struct hotfix_counts baseline,
                                     double margin,
                                     int32_t scale,
                                     struct hotfix_margin *out,
                                     struct hotfix_error **err);

/**
 * Two one-sided tests that two rates are within a margin of each other, for one evaluation.
 *
 * @param canary    Events and trials of the version under test.
 * @param baseline  Events and trials of the version that it is compared with.
 * @param margin    A ratio above 1, or a difference above 0: the rates differ by less than this in
 *                  either direction.
 * @param scale     A hotfix_scale: whether `margin` is a ratio or a difference.
 * @param out       The result; set its `struct_size` before the call. Written on success only.
 * @param err       Where an error object goes; may be null. Owned by the caller.
 * @return As hotfix_non_inferiority; HOTFIX_STATUS_STAT also for a margin that leaves no range
 *         between its two bounds.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_equivalence(struct hotfix_counts canary,
                                 struct hotfix_counts baseline,
                                 double margin,
                                 int32_t scale,
                                 struct hotfix_apart *out,
                                 struct hotfix_error **err);

/**
 * Wilson's interval for one proportion; valid for one evaluation only.
 *
 * @param counts      Events and trials; without trials the interval is 0 to 1.
 * @param confidence  Two-sided, such as 0.95.
 * @param out         The result; set its `struct_size` before the call. Written on success only.
 * @param err         Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for counts that are not in range, or an invalid confidence.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_wilson(struct hotfix_counts counts,
                            double confidence,
                            struct hotfix_interval *out,
                            struct hotfix_error **err);

/**
 * Clopper and Pearson's interval for one proportion; valid for one evaluation only.
 *
 * @param counts      Events and trials; without trials the interval is 0 to 1.
 * @param confidence  Two-sided, such as 0.95.
 * @param out         The result; set its `struct_size` before the call. Written on success only.
 * @param err         Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for counts that are not whole or not in range, a distribution that is
 *         too large, or an invalid confidence.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_clopper_pearson(struct hotfix_counts counts,
                                     double confidence,
                                     struct hotfix_interval *out,
                                     struct hotfix_error **err);

/**
 * Newcombe's interval for the canary's proportion minus the baseline's; valid for one evaluation
 * only.
 *
 * @param canary      Events and trials of the version under test.
 * @param baseline    Events and trials of the version that it is compared with.
 * @param confidence  Two-sided, such as 0.95.
 * @param out         The result; set its `struct_size` before the call. Written on success only.
 * @param err         Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for counts that are not in range, or an invalid confidence.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_newcombe(struct hotfix_counts canary,
                              struct hotfix_counts baseline,
                              double confidence,
                              struct hotfix_interval *out,
                              struct hotfix_error **err);

/**
 * Makes a test without data.
 *
 * @param settings      {"boundaries": their number, 1 to 12, "direction": "worse" or "better",
 *                      "alpha", "tolerated", "margin", "cap", "threshold", "mode": "independent"
 *                      or "clustered", "grid", "weights", "prior_trials", "temper" and, for
 *                      "better", "quantile"}, all optional; UTF-8, borrowed; may be null with
 *                      length 0 for the defaults, which have 6 boundaries.
 * @param settings_len  Its length in bytes.
 * @param out           The test; the caller frees it with hotfix_test_free. Null on failure.
 * @param err           Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for invalid settings, HOTFIX_STATUS_INPUT for text that cannot be
 *         read.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_latency_new(const char *settings,
                                 size_t settings_len,
                                 struct hotfix_test **out,
                                 struct hotfix_error **err);

/**
 * Adds the counts of one tick.
 *
 * @param test             A test of a latency.
 * @param canary_slow      The canary's requests slower than each boundary, ascending boundaries;
 *                         borrowed.
 * @param canary_trials    All of its requests.
 * @param baseline_slow    The baseline's requests slower than each boundary; borrowed.
 * @param baseline_trials  All of its requests.
 * @param boundaries       Number of elements in both arrays: the number of the test's boundaries.
 * @param out_decided      Whether the test has decided, in this tick or before; may be null.
 *                         Written on success only.
 * @param err              Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for invalid counts, or another number of boundaries; the test is
 *         unchanged.
 *
 * Thread rule: one thread at a time for one test.
 */
hotfix_status hotfix_latency_update(struct hotfix_test *test,
                                    const double *canary_slow,
                                    double canary_trials,
                                    const double *baseline_slow,
                                    double baseline_trials,
                                    size_t boundaries,
                                    bool *out_decided,
                                    struct hotfix_error **err);

/**
 * Chooses boundaries from the baseline's latencies before the phase, as a JSON array: near its
 * p50, p75, p90, p95 and p99, and at twice the p99. With buckets they are the nearest bucket
 * edges.
 *
 * @param baseline      {"le", "counts", "count"} or {"samples"}; UTF-8, borrowed.
 * @param baseline_len  Its length in bytes.
 * @param out           A buffer with JSON that the caller frees with hotfix_buf_free.
 * @param err           Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_STAT for invalid readings, HOTFIX_STATUS_INPUT for text that cannot be
 *         read.
 *
 * Thread rule: any thread at any time.
 */
hotfix_status hotfix_latency_boundaries(const char *baseline,
                                        size_t baseline_len,
                                        struct hotfix_buf *out,
                                        struct hotfix_error **err);

#ifndef HOTFIX_WITHOUT_SIMULATE

/**
 * Runs a policy over recorded metrics and reports when it would have acted. Nothing is deployed.
 *
 * {"from", "until", "readings", "findings", "policies": [{"policy", "would": [{"at", "what"
 * ("continue", "alert", "hold", "ask", "promote", "freeze" or "roll_back"), "phase", "reason",
 * "metrics", "evidence"}], "first_alert", "first_ask", "first_rollback", "crossed_at", "ended":
 * {"at", "state", "phase", "after"}, "metrics": {id: {"role", "left_out", "alert_at",
 * "rollback_at", "held_at", "crossed_at", "bands"}}, "findings"}]}; what did not happen is absent. A finding is
 * {"code", "message", "count", "at", "metric"}. docs/backtest.md describes the formats, the
 * mapping and the assumptions.
 *
 * @param policy       A policy.
 * @param text         The recording; UTF-8, borrowed for the call; at most 64 MiB.
 * @param text_len     Its length in bytes.
 * @param format       "csv", "json_lines" or "prometheus"; UTF-8, borrowed.
 * @param format_len   Its length in bytes.
 * @param mapping      Which columns, series and labels belong to which metric, and the
 *                     assumptions, as JSON: {"time", "metrics", "assume"}; UTF-8, borrowed. May be
 *                     null with length 0 for JSON Lines.
 * @param mapping_len  Its length in bytes.
 * @param out          A buffer with JSON that the caller frees with hotfix_buf_free.
 * @param err          Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_SIMULATE if the recording or the mapping cannot be read, or the policy
 *         cannot be run on it. The error's path is "line 3, column 2", a JSON Pointer or "format".
 *
 * Thread rule: any number of threads may use one policy.
 */
hotfix_status hotfix_backtest(const struct hotfix_policy *policy,
                              const char *text,
                              size_t text_len,
                              const char *format,
                              size_t format_len,
                              const char *mapping,
                              size_t mapping_len,
                              struct hotfix_buf *out,
                              struct hotfix_error **err);

/**
 * Reads recorded metrics as the history that calibrates a plan: hotfix_plan_new_calibrated takes it
 * unchanged.
 *
 * {metric: {instance: [[events, trials], …]}}, one pair per tick of the policy's cadence, of each
 * metric whose test a history calibrates. The mapping of such a metric names the `instance`: the
 * column or label. Readings of both arms are used. Metrics that cannot be used are findings, each
 * {"code", "message", "count", "at", "metric"}. docs/how-to/calibrate.md has the steps.
 *
 * @param policy       A policy.
 * @param text         The recording: ordinary operation, or logs of earlier healthy rollouts; UTF-8,
 *                     borrowed for the call; at most 64 MiB.
 * @param text_len     Its length in bytes.
 * @param format       "csv", "json_lines" or "prometheus"; UTF-8, borrowed.
 * @param format_len   Its length in bytes.
 * @param mapping      As for hotfix_backtest; UTF-8, borrowed. May be null with length 0 for JSON
 *                     Lines.
 * @param mapping_len  Its length in bytes.
 * @param out          A buffer with JSON that the caller frees with hotfix_buf_free.
 * @param findings     A buffer with JSON, a list, that the caller frees with hotfix_buf_free.
 * @param err          Where an error object goes; may be null. Owned by the caller.
 * @return HOTFIX_STATUS_SIMULATE if the recording or the mapping cannot be read, or no metric has a
 *         history. The error's path is "line 3, column 2", a JSON Pointer or "format".
 *
 * Thread rule: any number of threads may use one policy.
 */
hotfix_status hotfix_history(const struct hotfix_policy *policy,
                             const char *text,
                             size_t text_len,
                             const char *format,
                             size_t format_len,
                             const char *mapping,
                             size_t mapping_len,
                             struct hotfix_buf *out,
                             struct hotfix_buf *findings,
                             struct hotfix_error **err);

#endif

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* HOTFIX_H */
