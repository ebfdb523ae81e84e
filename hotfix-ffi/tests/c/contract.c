/* The contract as C sees it: statuses, error objects, struct sizes, frees. Prints nothing when all holds. Shows FIELD-5. */
#include <hotfix.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;

#define EXPECT(condition)                                                                                              \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                                                          \
      failures++;                                                                                                      \
    }                                                                                                                  \
  } while (0)

#define TEXT(literal) literal, sizeof(literal) - 1

static bool has_code(const hotfix_error *error, const char *code) {
  hotfix_str got = hotfix_error_code(error);
  return got.len == strlen(code) && memcmp(got.ptr, code, got.len) == 0;
}

/* Takes the error of a failed call, checks its code, frees it. */
static bool failed(hotfix_error **error, const char *code) {
  bool right = *error != NULL && has_code(*error, code) && hotfix_error_message(*error).len > 0 &&
               hotfix_error_json(*error).len > 0;
  if (*error != NULL && !right) {
    hotfix_str json = hotfix_error_json(*error);
    fprintf(stderr, "%.*s\n", (int)json.len, json.ptr);
  }
  hotfix_error_free(*error);
  *error = NULL;
  return right;
}

static hotfix_rollout *new_rollout(void) {
  hotfix_policy *policy = NULL;
  hotfix_plan *plan = NULL;
  hotfix_rollout *rollout = NULL;
  EXPECT(hotfix_policy_preset(TEXT("phased-canary"), &policy, NULL) == HOTFIX_STATUS_OK);
  EXPECT(hotfix_plan_new(policy, TEXT("{\"id\": \"INC-1\"}"), TEXT("{\"version\": \"2\", \"previous\": \"1\"}"), NULL, 0,
                         &plan, NULL) == HOTFIX_STATUS_OK);
  EXPECT(hotfix_rollout_new(plan, HOTFIX_RECORDING_KEEP, NULL, 0, &rollout, NULL) == HOTFIX_STATUS_OK);
  hotfix_plan_free(plan);
  hotfix_policy_free(policy);
  return rollout;
}

static void test_errors(void) {
  hotfix_policy *policy = (hotfix_policy *)&failures;
  hotfix_error *error = NULL;
  EXPECT(hotfix_policy_preset(TEXT("phased-canery"), &policy, &error) == HOTFIX_STATUS_POLICY);
  EXPECT(policy == NULL);
  EXPECT(failed(&error, "HF-POL-025"));
  EXPECT(hotfix_policy_from_toml(TEXT("\xff"), &policy, &error) == HOTFIX_STATUS_UTF8);
  EXPECT(failed(&error, "HF-FFI-002"));
  EXPECT(hotfix_policy_from_toml(NULL, 1, &policy, &error) == HOTFIX_STATUS_NULL);
  EXPECT(failed(&error, "HF-FFI-001"));
  EXPECT(hotfix_policy_from_toml(TEXT("format = 1\nnaem = 2"), &policy, &error) == HOTFIX_STATUS_POLICY);
  EXPECT(error != NULL && strstr(hotfix_error_json(error).ptr, "/naem") != NULL);
  hotfix_error_free(error);
  error = NULL;
  /* Without an error object the status still says it. */
  EXPECT(hotfix_policy_from_json(TEXT("{"), &policy, NULL) == HOTFIX_STATUS_POLICY);
  EXPECT(hotfix_error_status(NULL) == HOTFIX_STATUS_OK && hotfix_error_code(NULL).len == 0);
  EXPECT(strcmp(hotfix_status_name(HOTFIX_STATUS_REFUSED), "refused") == 0);
  EXPECT(strcmp(hotfix_status_name(-1), "unknown") == 0 && strcmp(hotfix_state_name(99), "unknown") == 0);
}

static void test_refusal(void) {
  hotfix_rollout *rollout = new_rollout();
  hotfix_outcome outcome = HOTFIX_OUTCOME_INIT;
  hotfix_error *error = NULL;
  EXPECT(hotfix_rollout_handle(rollout, 0, TEXT("{\"kind\": \"promote\", \"by\": \"lena\"}"), &outcome, &error) ==
         HOTFIX_STATUS_REFUSED);
  EXPECT(error != NULL && has_code(error, "HF-ROLL-001"));
  EXPECT(hotfix_error_accepted_count(error) > 0 && hotfix_error_accepted(error, 0).len > 0);
  EXPECT(hotfix_error_accepted(error, 1000).len == 0);
  hotfix_str events = hotfix_error_events(error);
  EXPECT(events.len > 0 && events.len == outcome.events.len && memcmp(events.ptr, outcome.events.ptr, events.len) == 0);
  hotfix_str log;
  EXPECT(hotfix_rollout_log(rollout, &log, NULL) == HOTFIX_STATUS_OK && log.len == events.len);
  hotfix_error_free(error);
  EXPECT(hotfix_rollout_handle(rollout, 0, TEXT("{\"kind\": \"promot\"}"), &outcome, &error) == HOTFIX_STATUS_INPUT);
  EXPECT(failed(&error, "HF-IN-002"));
  EXPECT(hotfix_rollout_handle(rollout, INT64_MAX, TEXT("{\"kind\": \"tick\"}"), &outcome, &error) == HOTFIX_STATUS_UNIT);
  EXPECT(failed(&error, "HF-UNIT-003"));
  hotfix_rollout_free(rollout);
}

/* A struct of a later release. */
typedef struct later_reading {
  hotfix_reading now;
  double later;
} later_reading;

static void test_sizes(void) {
  hotfix_rollout *rollout = new_rollout();
  hotfix_outcome outcome = HOTFIX_OUTCOME_INIT;
  hotfix_error *error = NULL;
  EXPECT(hotfix_rollout_handle(rollout, 0, TEXT("{\"kind\": \"start\", \"by\": \"lena\"}"), &outcome, &error) ==
         HOTFIX_STATUS_OK);
  later_reading readings[2];
  memset(readings, 0, sizeof readings);
  for (int i = 0; i < 2; i++) {
    readings[i].now.struct_size = sizeof readings[i];
    readings[i].now.form = HOTFIX_FORM_PAIR;
    readings[i].now.flags = HOTFIX_READING_CANARY;
    readings[i].now.canary[1] = 100.0;
  }
  readings[0].now.metric = "error_rate";
  readings[0].now.metric_len = strlen("error_rate");
  readings[1].now.metric = "bug";
  readings[1].now.metric_len = strlen("bug");
  EXPECT(hotfix_rollout_observe(rollout, 1, &readings[0].now, 2, NULL, &outcome, &error) == HOTFIX_STATUS_OK);
  readings[1].later = 1.0;
  EXPECT(hotfix_rollout_observe(rollout, 2, &readings[0].now, 2, NULL, &outcome, &error) == HOTFIX_STATUS_STRUCT);
  EXPECT(failed(&error, "HF-FFI-003"));
  readings[1].later = 0.0;
  readings[1].now.struct_size = sizeof(hotfix_reading);
  EXPECT(hotfix_rollout_observe(rollout, 3, &readings[0].now, 2, NULL, &outcome, &error) == HOTFIX_STATUS_STRUCT);
  EXPECT(failed(&error, "HF-FFI-003"));
  /* An earlier release's struct ends at the histogram. */
  readings[0].now.struct_size = offsetof(hotfix_reading, le);
  EXPECT(hotfix_rollout_observe(rollout, 4, &readings[0].now, 1, NULL, &outcome, &error) == HOTFIX_STATUS_OK);
  readings[0].now.form = HOTFIX_FORM_SAMPLES + 1;
  EXPECT(hotfix_rollout_observe(rollout, 5, &readings[0].now, 1, NULL, &outcome, &error) == HOTFIX_STATUS_ENUM);
  EXPECT(failed(&error, "HF-FFI-004"));
  outcome.struct_size = 8;
  EXPECT(hotfix_rollout_observe(rollout, 6, NULL, 0, NULL, &outcome, &error) == HOTFIX_STATUS_STRUCT);
  EXPECT(failed(&error, "HF-FFI-003"));
  hotfix_rollout_free(rollout);
}

static void test_rate_ratio(void) {
  hotfix_rate_ratio *test = NULL, *again = NULL;
  hotfix_evidence evidence = HOTFIX_EVIDENCE_INIT;
  hotfix_error *error = NULL;
  hotfix_buf bytes = {NULL, 0};
  bool decided = false;
  EXPECT(hotfix_rate_ratio_new(NULL, 0, &test, &error) == HOTFIX_STATUS_OK);
  EXPECT(hotfix_rate_ratio_evidence(test, &evidence, &error) == HOTFIX_STATUS_OK);
  EXPECT(evidence.log_e == 0.0 && evidence.has_ratio == 0 && isnan(evidence.ratio));
  EXPECT(hotfix_rate_ratio_update(test, NAN, 1.0, 0.0, 1.0, &decided, &error) == HOTFIX_STATUS_STAT);
  EXPECT(failed(&error, "HF-STAT-002"));
  while (!decided) {
    EXPECT(hotfix_rate_ratio_update(test, 3.0, 100.0, 3.0, 900.0, &decided, &error) == HOTFIX_STATUS_OK);
  }
  EXPECT(hotfix_rate_ratio_to_bytes(test, &bytes, &error) == HOTFIX_STATUS_OK);
  EXPECT(hotfix_rate_ratio_from_bytes(bytes.data, bytes.len, &again, &error) == HOTFIX_STATUS_OK);
  EXPECT(hotfix_rate_ratio_merge(again, test, &decided, &error) == HOTFIX_STATUS_OK && decided);
  EXPECT(hotfix_rate_ratio_merge(again, again, NULL, &error) == HOTFIX_STATUS_OK);
  EXPECT(hotfix_rate_ratio_evidence(again, &evidence, &error) == HOTFIX_STATUS_OK && evidence.decided == 1);
  hotfix_buf_free(&bytes);
  EXPECT(bytes.data == NULL && bytes.len == 0);
  hotfix_buf_free(&bytes);
  hotfix_rate_ratio_free(again);
  hotfix_rate_ratio_free(test);
}

static void test_frees(void) {
  hotfix_buf_free(NULL);
  hotfix_error_free(NULL);
  hotfix_policy_free(NULL);
  hotfix_plan_free(NULL);
  hotfix_rollout_free(NULL);
  hotfix_rate_ratio_free(NULL);
}

int main(void) {
  EXPECT(hotfix_abi_version() == HOTFIX_ABI_VERSION);
  EXPECT(strcmp(hotfix_version(), HOTFIX_VERSION) == 0);
  test_errors();
  test_refusal();
  test_sizes();
  test_rate_ratio();
  test_frees();
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
