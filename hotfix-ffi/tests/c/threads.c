/* One policy and one plan in many threads, a rollout in each; a handle made in one thread and freed in another. */
#include <hotfix.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* 2026-03-03T14:40:00Z */
#define NOW INT64_C(1772548800000)
#define TEXT(literal) literal, sizeof(literal) - 1

enum { THREADS = 4 };

/* S1's plan where nothing holds the start. */
static const char OPEN[] = "extends = 'phased-canary'\nname = 'open'\nchecklists = []\ncontingencies = []\n"
                           "severities = { remove = true }";

typedef struct work {
  const hotfix_policy *policy;
  const hotfix_plan *plan;
  hotfix_rollout *rollout;
  hotfix_digest head;
  int failures;
} work;

static void *run(void *argument) {
  work *mine = (work *)argument;
  hotfix_policy *copy = NULL;
  hotfix_outcome outcome = HOTFIX_OUTCOME_INIT;
  hotfix_error *error = NULL;
  mine->failures += hotfix_policy_clone(mine->policy, &copy, NULL) != HOTFIX_STATUS_OK;
  hotfix_policy_free(copy);
  mine->failures += hotfix_rollout_new(mine->plan, HOTFIX_RECORDING_KEEP, TEXT("pepper"), &mine->rollout, NULL) !=
                    HOTFIX_STATUS_OK;
  mine->failures += hotfix_rollout_handle(mine->rollout, NOW, TEXT("{\"kind\": \"start\", \"by\": \"lena\"}"), &outcome,
                                          NULL) != HOTFIX_STATUS_OK;
  /* Errors are objects: each thread has its own. */
  mine->failures += hotfix_rollout_handle(mine->rollout, NOW, TEXT("{}"), &outcome, &error) != HOTFIX_STATUS_INPUT;
  mine->failures += hotfix_error_code(error).len == 0;
  hotfix_error_free(error);
  mine->failures += hotfix_rollout_head(mine->rollout, &mine->head, NULL) != HOTFIX_STATUS_OK;
  return NULL;
}

int main(void) {
  hotfix_policy *policy = NULL;
  hotfix_plan *plan = NULL;
  pthread_t threads[THREADS];
  work works[THREADS];
  int failures = 0;
  failures += hotfix_policy_from_toml(TEXT(OPEN), &policy, NULL) != HOTFIX_STATUS_OK;
  failures += hotfix_plan_new(policy, TEXT("{\"id\": \"INC-1\"}"), TEXT("{\"version\": \"2\", \"previous\": \"1\"}"), NULL,
                              0, &plan, NULL) != HOTFIX_STATUS_OK;
  memset(works, 0, sizeof works);
  for (int i = 0; i < THREADS; i++) {
    works[i].policy = policy;
    works[i].plan = plan;
    failures += pthread_create(&threads[i], NULL, run, &works[i]) != 0;
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    failures += works[i].failures + (strcmp(works[i].head.hex, works[0].head.hex) != 0);
    hotfix_rollout_free(works[i].rollout);
  }
  hotfix_plan_free(plan);
  hotfix_policy_free(policy);
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
