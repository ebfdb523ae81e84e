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

/* 2026-03-03T14:40:00Z */
#define NOW INT64_C(1772548800000)

/* S1's plan where nothing holds the start. */
static const char OPEN[] = "extends = 'phased-canary'\nname = 'open'\nchecklists = []\ncontingencies = []\n"
                           "severities = { remove = true }";

static hotfix_rollout *new_rollout(void) {
  hotfix_policy *policy = NULL;
  hotfix_plan *plan = NULL;
  hotfix_rollout *rollout = NULL;
  EXPECT(hotfix_policy_from_toml(TEXT(OPEN), &policy, NULL) == HOTFIX_STATUS_OK);
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

static const char RULES[] = "extends = 'phased-canary'\n"
                            "[severities.P0]\nlabel = 'critical'\nhotfix = true\n"
                            "[[rules]]\nid = 'down'\ntitle = 'nobody is served'\nseverity = 'P0'\n"
                            "when = 'service_down'\n";

static void test_incident(void) {
  hotfix_policy *policy = NULL;
  hotfix_error *error = NULL;
  hotfix_buf answer = {0};
  EXPECT(hotfix_policy_from_toml(TEXT(RULES), &policy, NULL) == HOTFIX_STATUS_OK);
  EXPECT(hotfix_policy_classify(policy, NULL, 0, &answer, NULL) == HOTFIX_STATUS_OK);
  EXPECT(strstr(answer.data, "\"at_worst\":\"P0\"") != NULL && strstr(answer.data, "\"severity\":null") != NULL);
  hotfix_buf_free(&answer);
  EXPECT(hotfix_policy_decide(policy, TEXT("{\"service_down\": true}"), &answer, NULL) == HOTFIX_STATUS_OK);
  EXPECT(strstr(answer.data, "\"settled\":true") != NULL);
  hotfix_buf_free(&answer);
  EXPECT(hotfix_policy_classify(policy, TEXT("{\"service_dwon\": 1}"), &answer, &error) == HOTFIX_STATUS_FACT);
  EXPECT(answer.data == NULL && failed(&error, "HF-FACT-001"));
  EXPECT(hotfix_policy_decide(policy, TEXT("{"), &answer, &error) == HOTFIX_STATUS_FACT);
  EXPECT(failed(&error, "HF-JSON-007"));
  EXPECT(hotfix_policy_lint(policy, TEXT("2026-03-03T14:40:00Z"), &answer, NULL) == HOTFIX_STATUS_OK);
  EXPECT(answer.len >= 2 && answer.data[0] == '[');
  hotfix_buf_free(&answer);
  EXPECT(hotfix_policy_lint(policy, TEXT("now"), &answer, &error) == HOTFIX_STATUS_UNIT);
  EXPECT(failed(&error, "HF-UNIT-003"));
  EXPECT(hotfix_policy_tree_mermaid(policy, &answer, NULL) == HOTFIX_STATUS_OK && answer.len > 0);
  hotfix_buf_free(&answer);
  EXPECT(hotfix_policy_tree_dot(policy, &answer, NULL) == HOTFIX_STATUS_OK && answer.len > 0);
  hotfix_buf_free(&answer);
  hotfix_policy_free(policy);
}

/* Texts of this program, by name; counts how often it is asked. */
static void find_base(void *context, const char *name, size_t name_len, hotfix_base *base) {
  ++*(int *)context;
  if (name_len == 5 && memcmp(name, "house", 5) == 0) {
    /* It may call the library. */
    hotfix_policy *policy = NULL;
    hotfix_buf text;
    EXPECT(hotfix_policy_preset(TEXT("standard"), &policy, NULL) == HOTFIX_STATUS_OK);
    EXPECT(hotfix_policy_to_json(policy, &text, NULL) == HOTFIX_STATUS_OK);
    EXPECT(hotfix_base_set(base, text.data, text.len, NULL) == HOTFIX_STATUS_OK);
    hotfix_buf_free(&text);
    hotfix_policy_free(policy);
  } else if (name_len == 6 && memcmp(name, "broken", 6) == 0) {
    EXPECT(hotfix_base_set(base, TEXT("name = \xff"), NULL) == HOTFIX_STATUS_UTF8);
  }
}

static void test_extends(void) {
  hotfix_policy *policy = NULL, *standard = NULL;
  hotfix_error *error = NULL;
  hotfix_digest got, wanted;
  int asked = 0;
  EXPECT(hotfix_policy_preset(TEXT("standard"), &standard, NULL) == HOTFIX_STATUS_OK);
  EXPECT(hotfix_policy_from_toml_with(TEXT("extends = ['phased-canary', 'house']"), find_base, &asked, &policy, &error) ==
         HOTFIX_STATUS_OK);
  EXPECT(asked == 2 && error == NULL);
  EXPECT(hotfix_policy_digest(policy, &got, NULL) == HOTFIX_STATUS_OK);
  EXPECT(hotfix_policy_digest(standard, &wanted, NULL) == HOTFIX_STATUS_OK);
  EXPECT(strcmp(got.hex, wanted.hex) != 0); /* the canary plan's own keys shine through */
  hotfix_policy_free(policy);
  EXPECT(hotfix_policy_from_json_with(TEXT("{\"extends\": \"house\"}"), find_base, &asked, &policy, NULL) ==
         HOTFIX_STATUS_OK);
  EXPECT(hotfix_policy_digest(policy, &got, NULL) == HOTFIX_STATUS_OK && strcmp(got.hex, wanted.hex) == 0);
  hotfix_policy_free(policy);
  EXPECT(hotfix_policy_from_toml_with(TEXT("extends = 'nobody'"), find_base, &asked, &policy, &error) ==
         HOTFIX_STATUS_POLICY);
  EXPECT(policy == NULL && failed(&error, "HF-POL-028"));
  EXPECT(hotfix_policy_from_toml_with(TEXT("extends = 'broken'"), find_base, &asked, &policy, &error) == HOTFIX_STATUS_UTF8);
  EXPECT(policy == NULL && failed(&error, "HF-FFI-002"));
  hotfix_policy_free(standard);
}

static void test_refusal(void) {
  hotfix_rollout *rollout = new_rollout();
  hotfix_outcome outcome = HOTFIX_OUTCOME_INIT;
  hotfix_error *error = NULL;
  EXPECT(hotfix_rollout_handle(rollout, NOW, TEXT("{\"kind\": \"tick\"}"), &outcome, &error) == HOTFIX_STATUS_OK);
  size_t before = outcome.events.len;
  EXPECT(hotfix_rollout_handle(rollout, NOW, TEXT("{\"kind\": \"promote\", \"by\": \"lena\"}"), &outcome, &error) ==
         HOTFIX_STATUS_REFUSED);
  EXPECT(error != NULL && has_code(error, "HF-ROLL-001"));
  EXPECT(hotfix_error_accepted_count(error) > 0 && hotfix_error_accepted(error, 0).len > 0);
  EXPECT(hotfix_error_accepted(error, 1000).len == 0);
  hotfix_str events = hotfix_error_events(error);
  EXPECT(events.len > 0 && events.len == outcome.events.len && memcmp(events.ptr, outcome.events.ptr, events.len) == 0);
  hotfix_buf log = {0};
  EXPECT(hotfix_rollout_log(rollout, &log, NULL) == HOTFIX_STATUS_OK && log.len == before + events.len);
  hotfix_buf_free(&log);
  hotfix_error_free(error);
  EXPECT(hotfix_rollout_handle(rollout, NOW, TEXT("{\"kind\": \"promot\"}"), &outcome, &error) == HOTFIX_STATUS_INPUT);
  EXPECT(failed(&error, "HF-IN-002"));
  EXPECT(hotfix_rollout_handle(rollout, INT64_MAX, TEXT("{\"kind\": \"tick\"}"), &outcome, &error) == HOTFIX_STATUS_UNIT);
  EXPECT(failed(&error, "HF-UNIT-003"));
  /* Seconds for milliseconds. */
  EXPECT(hotfix_rollout_handle(rollout, NOW / 1000, TEXT("{\"kind\": \"tick\"}"), &outcome, &error) == HOTFIX_STATUS_REFUSED);
  EXPECT(failed(&error, "HF-ROLL-025"));
  hotfix_rollout_free(rollout);
}

/* What is no live handle of its kind has a status of its own, and freeing it does nothing. */
static void test_handles(void) {
  hotfix_rollout *rollout = new_rollout();
  hotfix_state state = HOTFIX_STATE_DRAFTED;
  hotfix_error *error = NULL;
  EXPECT(hotfix_rollout_state((const hotfix_rollout *)&state, &state, &error) == HOTFIX_STATUS_HANDLE);
  EXPECT(failed(&error, "HF-FFI-008"));
  hotfix_policy *policy = (hotfix_policy *)rollout;
  hotfix_digest digest;
  EXPECT(hotfix_policy_digest(policy, &digest, &error) == HOTFIX_STATUS_HANDLE);
  EXPECT(failed(&error, "HF-FFI-009"));
  hotfix_policy_free(policy);
  EXPECT(hotfix_rollout_state(rollout, &state, &error) == HOTFIX_STATUS_OK);
  hotfix_rollout_free(rollout);
  EXPECT(hotfix_rollout_state(rollout, &state, &error) == HOTFIX_STATUS_HANDLE);
  EXPECT(failed(&error, "HF-FFI-008"));
  hotfix_rollout_free(rollout);
}

/* A cleanup that frees everything by habit frees nothing twice, and takes nothing from a train. */
static void test_owners(void) {
  hotfix_rollout *rollout = new_rollout(), *replayed = NULL;
  hotfix_train_service service = {TEXT("ledger"), rollout};
  hotfix_train *train = NULL, *second = NULL;
  hotfix_train_outcome moves = HOTFIX_TRAIN_OUTCOME_INIT;
  hotfix_outcome outcome = HOTFIX_OUTCOME_INIT;
  hotfix_plan *plan = NULL;
  hotfix_policy *policy = NULL;
  hotfix_error *error = NULL, *freed = NULL;
  hotfix_buf log = {0}, page = {0};
  EXPECT(hotfix_train_new(&service, 1, NULL, 0, &train, &error) == HOTFIX_STATUS_OK);
  hotfix_rollout_free(rollout);
  EXPECT(hotfix_train_new(&service, 1, NULL, 0, &second, &error) == HOTFIX_STATUS_HANDLE && second == NULL);
  EXPECT(failed(&error, "HF-FFI-013"));
  EXPECT(hotfix_rollout_handle(rollout, NOW, TEXT("{\"kind\": \"tick\"}"), &outcome, &error) == HOTFIX_STATUS_HANDLE);
  EXPECT(failed(&error, "HF-FFI-013"));
  EXPECT(hotfix_train_tick(train, NOW, &moves, &error) == HOTFIX_STATUS_OK && moves.move_count == 1);
  /* The plan that a restored rollout has. */
  EXPECT(hotfix_rollout_log(rollout, &log, &error) == HOTFIX_STATUS_OK);
  EXPECT(hotfix_rollout_replay(log.data, log.len, HOTFIX_RECORDING_KEEP, &replayed, &error) == HOTFIX_STATUS_OK);
  hotfix_buf_free(&log);
  EXPECT(hotfix_rollout_plan(replayed, &plan, &error) == HOTFIX_STATUS_OK);
  hotfix_rollout_free(replayed);
  EXPECT(hotfix_plan_policy(plan, &policy, &error) == HOTFIX_STATUS_OK);
  EXPECT(hotfix_plan_view(plan, HOTFIX_PLAN_VIEW_PHASES, NULL, 0, &page, &error) == HOTFIX_STATUS_OK);
  EXPECT(strstr(page.data, "canary") != NULL);
  hotfix_buf_free(&page);
  hotfix_plan_free(plan);
  hotfix_policy_free(policy);
  hotfix_train_free(train);
  hotfix_rollout_free(rollout);
  EXPECT(hotfix_rollout_log(rollout, &log, &error) == HOTFIX_STATUS_HANDLE);
  freed = error;
  EXPECT(failed(&error, "HF-FFI-008"));
  hotfix_error_free(freed);
  EXPECT(hotfix_error_status(freed) == HOTFIX_STATUS_OK && hotfix_error_message(freed).len == 0);
}

/* To confirm inside the loop over actions skips none: each is known by its id until it is settled. */
static void test_actions_by_id(void) {
  hotfix_rollout *rollout = new_rollout();
  hotfix_outcome outcome = HOTFIX_OUTCOME_INIT;
  hotfix_action action = HOTFIX_ACTION_INIT, again = HOTFIX_ACTION_INIT;
  hotfix_error *error = NULL;
  hotfix_buf json = {0};
  int64_t now = 0;
  size_t count = 0;
  EXPECT(hotfix_rollout_now(rollout, &now, &error) == HOTFIX_STATUS_OK && now == HOTFIX_NEVER);
  EXPECT(hotfix_rollout_poll_at(rollout, &now, &error) == HOTFIX_STATUS_OK && now == 0);
  EXPECT(hotfix_rollout_handle(rollout, NOW, TEXT("{\"kind\": \"start\", \"by\": \"lena\"}"), &outcome, &error) ==
         HOTFIX_STATUS_OK);
  EXPECT(hotfix_rollout_now(rollout, &now, &error) == HOTFIX_STATUS_OK && now == NOW);
  EXPECT(hotfix_rollout_actions(rollout, &json, &error) == HOTFIX_STATUS_OK);
  EXPECT(strstr(json.data, "\"awaits\":true") != NULL && strstr(json.data, "\"awaits\":false") != NULL);
  hotfix_buf_free(&json);
  EXPECT(hotfix_rollout_action(rollout, outcome.action_count - 1, &action, &error) == HOTFIX_STATUS_OK && action.awaits);
  EXPECT(hotfix_rollout_handle(rollout, NOW, TEXT("{\"kind\": \"note\", \"by\": \"lena\", \"text\": \"deploying\"}"),
                               &outcome, &error) == HOTFIX_STATUS_OK);
  EXPECT(hotfix_rollout_action_count(rollout, &count, &error) == HOTFIX_STATUS_OK && count == 0);
  EXPECT(hotfix_rollout_find_action(rollout, action.id, strlen(action.id), &again, &error) == HOTFIX_STATUS_OK);
  EXPECT(again.kind == HOTFIX_ACTION_KIND_DEPLOY && again.awaits && strcmp(again.id, action.id) == 0);
  EXPECT(hotfix_rollout_find_action(rollout, TEXT("99.0"), &again, &error) == HOTFIX_STATUS_RANGE);
  EXPECT(failed(&error, "HF-FFI-005"));
  /* After a crash the actions of the last line are there. */
  hotfix_buf log = {0};
  hotfix_rollout *replayed = NULL;
  EXPECT(hotfix_rollout_handle(rollout, NOW, TEXT("{\"kind\": \"roll_back\", \"by\": \"lena\"}"), &outcome, &error) ==
         HOTFIX_STATUS_OK);
  EXPECT(hotfix_rollout_log(rollout, &log, &error) == HOTFIX_STATUS_OK);
  EXPECT(hotfix_rollout_replay(log.data, log.len, HOTFIX_RECORDING_KEEP, &replayed, &error) == HOTFIX_STATUS_OK);
  hotfix_buf_free(&log);
  EXPECT(hotfix_rollout_action_count(replayed, &count, &error) == HOTFIX_STATUS_OK && count == outcome.action_count);
  EXPECT(count > 1);
  hotfix_rollout_free(replayed);
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
  EXPECT(hotfix_rollout_handle(rollout, NOW, TEXT("{\"kind\": \"start\", \"by\": \"lena\"}"), &outcome, &error) ==
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
  EXPECT(hotfix_rollout_observe(rollout, NOW + 1, &readings[0].now, 2, NULL, &outcome, &error) == HOTFIX_STATUS_OK);
  readings[1].now.flags = HOTFIX_READING_TOTALS;
  EXPECT(hotfix_rollout_observe(rollout, NOW + 1, &readings[0].now, 2, NULL, &outcome, &error) == HOTFIX_STATUS_ENUM);
  EXPECT(failed(&error, "HF-FFI-011"));
  readings[1].now.flags = HOTFIX_READING_CANARY;
  readings[1].later = 1.0;
  EXPECT(hotfix_rollout_observe(rollout, NOW + 2, &readings[0].now, 2, NULL, &outcome, &error) == HOTFIX_STATUS_STRUCT);
  EXPECT(failed(&error, "HF-FFI-003"));
  readings[1].later = 0.0;
  readings[1].now.struct_size = sizeof(hotfix_reading);
  EXPECT(hotfix_rollout_observe(rollout, NOW + 3, &readings[0].now, 2, NULL, &outcome, &error) == HOTFIX_STATUS_STRUCT);
  EXPECT(failed(&error, "HF-FFI-003"));
  /* An earlier release's struct ends at the histogram. */
  readings[0].now.struct_size = offsetof(hotfix_reading, le);
  EXPECT(hotfix_rollout_observe(rollout, NOW + 4, &readings[0].now, 1, NULL, &outcome, &error) == HOTFIX_STATUS_OK);
  readings[0].now.form = HOTFIX_FORM_SAMPLES + 1;
  EXPECT(hotfix_rollout_observe(rollout, NOW + 5, &readings[0].now, 1, NULL, &outcome, &error) == HOTFIX_STATUS_ENUM);
  EXPECT(failed(&error, "HF-FFI-004"));
  outcome.struct_size = 8;
  EXPECT(hotfix_rollout_observe(rollout, NOW + 6, NULL, 0, NULL, &outcome, &error) == HOTFIX_STATUS_STRUCT);
  EXPECT(failed(&error, "HF-FFI-003"));
  hotfix_rollout_free(rollout);
}

/* With the names of their own that the header has for it. */
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

/* The latency test: two boundaries, every canary request twice as slow. */
static void test_latency(void) {
  const char settings[] = "{\"boundaries\": 2, \"cap\": 0.6}";
  const char baseline[] = "{\"samples\": [1, 2, 3, 4]}";
  const double slow[] = {60.0, 20.0}, usual[] = {270.0, 45.0}, rising[] = {1.0, 2.0};
  hotfix_test *test = NULL, *again = NULL;
  hotfix_evidence evidence = HOTFIX_EVIDENCE_INIT;
  hotfix_error *error = NULL;
  hotfix_buf bytes = {NULL, 0};
  bool decided = false;
  EXPECT(hotfix_latency_new(settings, sizeof settings - 1, &test, &error) == HOTFIX_STATUS_OK);
  EXPECT(hotfix_latency_update(test, rising, 100.0, usual, 900.0, 2, &decided, &error) == HOTFIX_STATUS_STAT);
  EXPECT(failed(&error, "HF-STAT-050"));
  EXPECT(hotfix_latency_update(test, slow, 100.0, usual, 900.0, 1, &decided, &error) == HOTFIX_STATUS_STAT);
  EXPECT(failed(&error, "HF-STAT-015"));
  EXPECT(hotfix_latency_update(test, NULL, 100.0, usual, 900.0, 2, &decided, &error) != HOTFIX_STATUS_OK);
  hotfix_error_free(error);
  error = NULL;
  EXPECT(hotfix_test_evidence(test, &evidence, &error) == HOTFIX_STATUS_OK && evidence.log_e == 0.0);
  EXPECT(hotfix_latency_update(test, slow, 100.0, usual, 900.0, 2, NULL, &error) == HOTFIX_STATUS_OK);
  EXPECT(hotfix_test_to_bytes(test, &bytes, &error) == HOTFIX_STATUS_OK);
  EXPECT(hotfix_test_from_bytes(bytes.data, bytes.len, &again, &error) == HOTFIX_STATUS_OK);
  for (int tick = 0; tick < 20 && !decided; tick++) {
    EXPECT(hotfix_latency_update(again, slow, 100.0, usual, 900.0, 2, &decided, &error) == HOTFIX_STATUS_OK);
  }
  EXPECT(decided);
  EXPECT(hotfix_rate_ratio_update(again, 1.0, 2.0, 1.0, 2.0, &decided, &error) == HOTFIX_STATUS_HANDLE);
  EXPECT(failed(&error, "HF-FFI-009"));
  EXPECT(hotfix_test_evidence(again, &evidence, &error) == HOTFIX_STATUS_OK && evidence.decided == 1);
  hotfix_buf_free(&bytes);
  EXPECT(hotfix_latency_boundaries(baseline, sizeof baseline - 1, &bytes, &error) == HOTFIX_STATUS_OK);
  EXPECT(bytes.len == 9 && strncmp(bytes.data, "[2,3,4,8]", 9) == 0);
  hotfix_buf_free(&bytes);
  EXPECT(hotfix_latency_boundaries("{}", 2, &bytes, &error) == HOTFIX_STATUS_INPUT);
  hotfix_error_free(error);
  hotfix_test_free(again);
  hotfix_test_free(test);
  hotfix_test_free(NULL);
}

/* Kayenta's judge: a metric by itself, a configuration with one of its own. */
static void test_kayenta(void) {
  const char samples[] = "{\"control\": [10, 11, 12, null], \"experiment\": [20, 21, 22]}";
  const char config[] = "{\"metrics\": [{\"name\": \"latency\", \"groups\": [\"speed\"]}]}";
  const char all[] = "{\"latency\": {\"control\": [10, 11, 12], \"experiment\": [20, 21, 22]}}";
  hotfix_error *error = NULL;
  hotfix_buf result = {NULL, 0};
  EXPECT(hotfix_kayenta_classify(NULL, 0, samples, sizeof samples - 1, &result, &error) == HOTFIX_STATUS_OK);
  EXPECT(strstr(result.data, "\"classification\":\"High\"") != NULL);
  hotfix_buf_free(&result);
  EXPECT(hotfix_kayenta_judge(config, sizeof config - 1, all, sizeof all - 1, 75.0, 50.0, &result, &error) ==
         HOTFIX_STATUS_OK);
  EXPECT(strstr(result.data, "\"score\":0") != NULL);
  hotfix_buf_free(&result);
  EXPECT(hotfix_kayenta_judge(config, sizeof config - 1, all, sizeof all - 1, NAN, 50.0, &result, &error) ==
         HOTFIX_STATUS_STAT);
  EXPECT(failed(&error, "HF-KAY-005") && result.data == NULL);
}

/* What a plan can see, limits from a history, and the canary among random subsets. */
static void test_planning(void) {
  hotfix_comparison comparison = HOTFIX_COMPARISON_INIT;
  hotfix_detection_time time = HOTFIX_DETECTION_TIME_INIT;
  hotfix_chance chance = HOTFIX_CHANCE_INIT;
  hotfix_error *error = NULL;
  double ratio = 0.0;
  comparison.requests_per_minute = 1000.0;
  comparison.share = 0.1;
  comparison.base_rate = 0.003;
  EXPECT(hotfix_time_to_detect(&comparison, 5.0, &time, &error) == HOTFIX_STATUS_OK);
  EXPECT(time.bound > 4.5 && time.bound < time.expected && time.expected < 6.0);
  EXPECT(hotfix_detectable_ratio(&comparison, 10.0, 0.8, &ratio, &error) == HOTFIX_STATUS_OK);
  EXPECT(ratio > 4.0 && ratio < 5.0);
  EXPECT(hotfix_chance_to_decide(&comparison, 5.0, 10.0, &chance, &error) == HOTFIX_STATUS_OK);
  EXPECT(chance.chance > 0.85 && chance.chance < 0.9 && chance.approximate == 0);
  EXPECT(hotfix_time_to_detect(&comparison, 0.0, &time, &error) == HOTFIX_STATUS_STAT);
  EXPECT(failed(&error, "HF-STAT-030"));
}

static void test_instances(void) {
  static const char history[] = "{\"a\": [[0, 90], [1, 90], [0, 90]], \"b\": [[0, 90], [0, 90], [2, 90]]}";
  static const char limits[] = "{\"share\": 0.5, \"ticks\": 2}";
  static const char settings[] =
      "{\"instances\": [\"a\", \"b\", \"c\", \"d\"], \"canary\": [\"a\", \"b\"], \"seed\": 7}";
  const double events[] = {2.0, 2.0, 0.0, 0.0}, trials[] = {90.0, 90.0, 90.0, 90.0};
  hotfix_test *test = NULL;
  hotfix_evidence evidence = HOTFIX_EVIDENCE_INIT;
  hotfix_error *error = NULL;
  hotfix_buf text = {NULL, 0};
  bool decided = true;
  EXPECT(hotfix_calibrate(history, sizeof history - 1, limits, sizeof limits - 1, &text, &error) == HOTFIX_STATUS_OK);
  EXPECT(text.data != NULL && strstr(text.data, "\"threshold\":") != NULL);
  hotfix_buf_free(&text);
  EXPECT(hotfix_randomisation_new(settings, sizeof settings - 1, &test, &error) == HOTFIX_STATUS_OK);
  EXPECT(hotfix_randomisation_update(test, events, trials, 4, &decided, &error) == HOTFIX_STATUS_OK && !decided);
  EXPECT(hotfix_test_evidence(test, &evidence, &error) == HOTFIX_STATUS_OK);
  EXPECT(evidence.log_e > 0.0 && evidence.p_value == 1.0);
  EXPECT(hotfix_randomisation_update(test, events, trials, 3, &decided, &error) == HOTFIX_STATUS_STAT);
  EXPECT(failed(&error, "HF-STAT-039"));
  hotfix_test_free(test);
}

static void test_one_look(void) {
  const hotfix_counts canary = {30.0, 10000.0}, baseline = {180.0, 90000.0};
  const double slow[] = {9.0, 8.0, 7.5}, fast[] = {1.0, 2.0, 3.0, 7.0};
  hotfix_fisher fisher = HOTFIX_FISHER_INIT;
  hotfix_mann_whitney ranks = HOTFIX_MANN_WHITNEY_INIT;
  hotfix_interval ends = HOTFIX_INTERVAL_INIT;
  hotfix_error *error = NULL;
  EXPECT(hotfix_fisher_exact(canary, baseline, HOTFIX_ALTERNATIVE_GREATER, &fisher, &error) == HOTFIX_STATUS_OK);
  EXPECT(fabs(fisher.p_value - 0.0297) < 1e-4 && fisher.has_odds_ratio == 1 && fisher.assumptions == 0);
  EXPECT(hotfix_mann_whitney_u(slow, 3, fast, 4, HOTFIX_ALTERNATIVE_GREATER, HOTFIX_TEST_METHOD_AUTO, true, &ranks, &error) ==
         HOTFIX_STATUS_OK);
  EXPECT(ranks.u == 12.0 && ranks.exact == 1 && fabs(ranks.p_value - 1.0 / 35.0) < 1e-12);
  EXPECT(hotfix_mann_whitney_u(slow, 3, fast, 0, HOTFIX_ALTERNATIVE_LESS, HOTFIX_TEST_METHOD_AUTO, true, &ranks, &error) ==
         HOTFIX_STATUS_STAT);
  EXPECT(failed(&error, "HF-STAT-040") && ranks.u == 12.0);
  EXPECT(hotfix_newcombe(canary, baseline, 0.95, &ends, NULL) == HOTFIX_STATUS_OK && ends.low < 0.001 && ends.high > 0.001);
}

static void test_frees(void) {
  hotfix_buf_free(NULL);
  hotfix_error_free(NULL);
  hotfix_policy_free(NULL);
  hotfix_plan_free(NULL);
  hotfix_rollout_free(NULL);
  hotfix_rate_ratio_free(NULL);
  hotfix_test_free(NULL);
}

int main(void) {
  EXPECT(hotfix_abi_version() == HOTFIX_ABI_VERSION);
  EXPECT(strcmp(hotfix_version(), HOTFIX_VERSION) == 0);
  test_errors();
  test_incident();
  test_extends();
  test_refusal();
  test_handles();
  test_owners();
  test_actions_by_id();
  test_sizes();
  test_rate_ratio();
  test_latency();
  test_kayenta();
  test_planning();
  test_instances();
  test_one_look();
  test_frees();
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
