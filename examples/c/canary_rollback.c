/* A hot-fix that has to be rolled back, driven from C.

   The script is data (examples/scripts/canary_rollback.*): a plan and what happened, line by line. This program is the
   deploy tool: it passes each line to the library, appends the returned events to its log (here stdout) and shows on
   stderr what it would do. The log is the same, byte for byte, as that of the C++, Rust and Python examples.

     cc -std=c11 -Iinclude examples/c/canary_rollback.c -lhotfix && ./a.out examples/scripts */
#include <hotfix.h>

#include "must.h"
#include "script.h"

/* Loads the policy that the plan names: a preset of the library, or a file of the organisation. */
static hotfix_policy *load_policy(text plan, const char *folder) {
  hotfix_policy *policy = NULL;
  hotfix_error *error = NULL;
  text preset = string_of(member(plan, "preset"));
  if (preset.ptr != NULL) {
    must(hotfix_policy_preset(preset.ptr, preset.len, &policy, &error), &error);
    return policy;
  }
  text file = string_of(member(plan, "policy_file"));
  char name[512];
  snprintf(name, sizeof name, "../../%.*s", (int)file.len, file.ptr);
  char *toml = read_file(folder, name);
  must(hotfix_policy_from_toml(toml, toml == NULL ? 0 : strlen(toml), &policy, &error), &error);
  free(toml);
  return policy;
}

static hotfix_rollout *make_rollout(text plan_file, const char *folder) {
  hotfix_policy *policy = load_policy(plan_file, folder);
  text incident = member(plan_file, "incident"), release = member(plan_file, "release");
  text traffic = member(plan_file, "traffic"), salt = string_of(member(plan_file, "salt"));
  hotfix_plan *plan = NULL;
  hotfix_rollout *rollout = NULL;
  hotfix_error *error = NULL;
  must(hotfix_plan_new(policy, incident.ptr, incident.len, release.ptr, release.len, traffic.ptr, traffic.len, &plan,
                       &error),
       &error);
  must(hotfix_rollout_new(plan, HOTFIX_RECORDING_KEEP, salt.ptr, salt.len, &rollout, &error), &error);
  /* The rollout does not refer to its plan. */
  hotfix_plan_free(plan);
  hotfix_policy_free(policy);
  return rollout;
}

enum { MOST_METRICS = 8, MOST_BUCKETS = 16 };

/* The numbers that the readings point to, which the call borrows. */
typedef struct buckets {
  double le[MOST_BUCKETS], canary[MOST_BUCKETS], baseline[MOST_BUCKETS];
} buckets;

/* Reads one arm: [events, trials], a level, or cumulative buckets. */
static void read_arm(text arm, hotfix_reading *reading, double pair[2], double *le, double *counts) {
  if (arm.ptr[0] == '{') {
    reading->form = HOTFIX_FORM_HISTOGRAM;
    reading->le_len = numbers(member(arm, "le"), le, MOST_BUCKETS);
    numbers(member(arm, "counts"), counts, MOST_BUCKETS);
    numbers(member(arm, "count"), pair, 1);
  } else {
    reading->form = arm.ptr[0] == '[' ? HOTFIX_FORM_PAIR : HOTFIX_FORM_LEVEL;
    numbers(arm, pair, 2);
  }
}

/* Sends an observation as plain structs, for a tool that has its metrics as numbers and not as JSON. */
static hotfix_status observe(hotfix_rollout *rollout, int64_t at_ms, text metrics, hotfix_outcome *outcome,
                             hotfix_error **error) {
  static buckets kept[MOST_METRICS];
  hotfix_reading readings[MOST_METRICS];
  size_t count = 0;
  const char *at = NULL;
  text name, arms;
  while (count < MOST_METRICS && next_member(metrics, &at, &name, &arms)) {
    hotfix_reading reading = HOTFIX_READING_INIT;
    buckets *numbers_of = &kept[count];
    reading.metric = name.ptr;
    reading.metric_len = name.len;
    text canary = member(arms, "canary"), baseline = member(arms, "baseline");
    /* An arm without data is left out: an absent value is not zero. */
    if (canary.ptr != NULL) {
      reading.flags |= HOTFIX_READING_CANARY;
      read_arm(canary, &reading, reading.canary, numbers_of->le, numbers_of->canary);
    }
    if (baseline.ptr != NULL) {
      reading.flags |= HOTFIX_READING_BASELINE;
      read_arm(baseline, &reading, reading.baseline, numbers_of->le, numbers_of->baseline);
    }
    reading.le = numbers_of->le;
    reading.canary_counts = numbers_of->canary;
    reading.baseline_counts = numbers_of->baseline;
    readings[count++] = reading;
  }
  return hotfix_rollout_observe(rollout, at_ms, readings, count, NULL, outcome, error);
}

/* Prints what the deploy tool would do now. */
static void act(const hotfix_rollout *rollout, size_t count) {
  for (size_t i = 0; i < count; i++) {
    hotfix_action action = HOTFIX_ACTION_INIT;
    hotfix_error *error = NULL;
    must(hotfix_rollout_action(rollout, i, &action, &error), &error);
    fprintf(stderr, "    %-5s %s", action.id, hotfix_action_kind_name(action.kind));
    switch (action.kind) {
    case HOTFIX_ACTION_KIND_SET_TRAFFIC:
      fprintf(stderr, " %.0f%%", 100.0 * action.share);
      break;
    case HOTFIX_ACTION_KIND_ROLL_BACK:
      fprintf(stderr, " by %.*s to", (int)action.method.len, action.method.ptr);
      /* fall through */
    case HOTFIX_ACTION_KIND_DEPLOY:
      fprintf(stderr, " %.*s", (int)action.version.len, action.version.ptr);
      break;
    default: /* messages, questions and pages are not handled by this tool */
      break;
    }
    fputs(action.awaits ? " (to be confirmed)\n" : "\n", stderr);
  }
}

static void step(hotfix_rollout *rollout, text line) {
  text at = string_of(member(line, "at")), input = member(line, "input");
  text kind = string_of(member(input, "kind"));
  hotfix_outcome outcome = HOTFIX_OUTCOME_INIT;
  hotfix_error *error = NULL;
  int64_t at_ms = 0;
  must(hotfix_time_parse(at.ptr, at.len, &at_ms, &error), &error);
  hotfix_status status = is(kind, "observe")
                             ? observe(rollout, at_ms, member(input, "metrics"), &outcome, &error)
                             : hotfix_rollout_handle(rollout, at_ms, input.ptr, input.len, &outcome, &error);
  if (status == HOTFIX_STATUS_REFUSED) {
    hotfix_str message = hotfix_error_message(error);
    fprintf(stderr, "  refused: %.*s\n", (int)message.len, message.ptr);
    hotfix_error_free(error);
  } else {
    must(status, &error);
  }
  /* Append to the log durably, then act. The lines of a refusal belong to the log too. */
  fwrite(outcome.events.ptr, 1, outcome.events.len, stdout);
  fprintf(stderr, "%.*s %-9.*s %s, %s\n", (int)at.len, at.ptr, (int)kind.len, kind.ptr,
          hotfix_state_name(outcome.state), hotfix_decision_name(outcome.decision));
  act(rollout, outcome.action_count);
}

/* Audits the log: recomputes every hash, verdict and action. */
static void prove(const hotfix_rollout *rollout) {
  hotfix_error *error = NULL;
  hotfix_digest head;
  hotfix_buf log = {NULL, 0}, audit = {NULL, 0};
  must(hotfix_rollout_log(rollout, &log, &error), &error);
  must(hotfix_rollout_head(rollout, &head, &error), &error);
  must(hotfix_audit(log.data, log.len, head.hex, strlen(head.hex), &audit, &error), &error);
  fprintf(stderr, "%s\n", audit.data);
  hotfix_buf_free(&log);
  hotfix_buf_free(&audit);
}

int main(int argc, char **argv) {
  const char *folder = argc > 1 ? argv[1] : "examples/scripts";
  char *plan = read_file(folder, "canary_rollback.plan.json");
  char *script = read_file(folder, "canary_rollback.jsonl");
  if (plan == NULL || script == NULL || hotfix_abi_version() != HOTFIX_ABI_VERSION) {
    fprintf(stderr, "no script in %s, or the library does not match this header\n", folder);
    free(plan);
    free(script);
    return 1;
  }
  text plan_file = {plan, strlen(plan)}, line;
  plan_file.ptr = skip_blanks(plan, plan + plan_file.len);
  hotfix_rollout *rollout = make_rollout(plan_file, folder);
  for (const char *rest = script; next_line(&rest, &line);) {
    step(rollout, line);
  }
  prove(rollout);
  hotfix_rollout_free(rollout);
  free(script);
  free(plan);
  return 0;
}
