/* Panics inside the library, planted by the feature `test-hooks`: they become statuses, poison one handle and cross nothing.
   Linked against a library that is built with the hooks; the shipped one has none. */
#include <hotfix.h>

#include <stdlib.h>
#include <string.h>

#define TEXT(literal) literal, sizeof(literal) - 1

hotfix_status hotfix_hook_panic_rollout(hotfix_rollout *rollout, hotfix_error **err);
hotfix_status hotfix_hook_panic_policy(const hotfix_policy *policy, hotfix_error **err);

int main(void) {
  hotfix_policy *policy = NULL, *copy = NULL;
  hotfix_plan *plan = NULL;
  hotfix_rollout *rollout = NULL, *other = NULL;
  hotfix_error *error = NULL;
  hotfix_state state = HOTFIX_STATE_DRAFTED;
  int failures = 0;
  failures += hotfix_policy_preset(TEXT("phased-canary"), &policy, NULL) != HOTFIX_STATUS_OK;
  failures += hotfix_policy_clone(policy, &copy, NULL) != HOTFIX_STATUS_OK;
  failures += hotfix_plan_new(policy, TEXT("{\"id\": \"INC-1\"}"), TEXT("{\"version\": \"2\", \"previous\": \"1\"}"), NULL,
                              0, &plan, NULL) != HOTFIX_STATUS_OK;
  failures += hotfix_rollout_new(plan, HOTFIX_RECORDING_KEEP, NULL, 0, &rollout, NULL) != HOTFIX_STATUS_OK;
  failures += hotfix_rollout_new(plan, HOTFIX_RECORDING_KEEP, NULL, 0, &other, NULL) != HOTFIX_STATUS_OK;

  failures += hotfix_hook_panic_rollout(rollout, &error) != HOTFIX_STATUS_PANIC;
  failures += error == NULL || strstr(hotfix_error_message(error).ptr, "a planted defect") == NULL;
  hotfix_error_free(error);
  failures += hotfix_rollout_state(rollout, &state, &error) != HOTFIX_STATUS_POISONED;
  failures += hotfix_error_status(error) != HOTFIX_STATUS_POISONED;
  hotfix_error_free(error);
  failures += hotfix_rollout_state(other, &state, NULL) != HOTFIX_STATUS_OK;

  /* A payload that panics again when it is dropped; without an error object. */
  failures += hotfix_hook_panic_policy(policy, NULL) != HOTFIX_STATUS_PANIC;
  hotfix_digest digest;
  failures += hotfix_policy_digest(policy, &digest, NULL) != HOTFIX_STATUS_POISONED;
  failures += hotfix_policy_digest(copy, &digest, NULL) != HOTFIX_STATUS_OK;

  hotfix_rollout_free(rollout);
  hotfix_rollout_free(other);
  hotfix_plan_free(plan);
  hotfix_policy_free(copy);
  hotfix_policy_free(policy);
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
