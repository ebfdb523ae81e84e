/* Classifies an incident with incomplete facts: its severity, what to ask next, and what the answer changes. The Rust
   and Python examples print the same.

     cc -std=c11 -Iinclude examples/c/explain_severity.c -lhotfix && ./a.out */
#include <hotfix.h>

#include "must.h"
#include "script.h"

/* Gets the next item of a list: begin with *at null; false after the last. */
static bool next_item(text list, const char **at, text *item) {
  const char *end = list.ptr + list.len;
  *at = skip_blanks(*at == NULL ? list.ptr + 1 : *at, end);
  if (*at < end && **at == ',') {
    *at = skip_blanks(*at + 1, end);
  }
  if (*at >= end || **at == ']') {
    return false;
  }
  const char *from = *at;
  *at = skip_value(from, end);
  *item = cut(from, *at);
  return true;
}

static text word(text value) {
  text open = {"open", 4};
  return is(value, "null") ? open : value.ptr[0] == '"' ? string_of(value) : value;
}

#define SHOWN(value) (int)(value).len, (value).ptr

static text as_text(hotfix_buf buf) {
  text all = {buf.data, buf.len};
  return all;
}

/* Prints the policy's answer for the known facts. */
static void explain(const hotfix_policy *policy, const char *facts, const char *at) {
  hotfix_error *error = NULL;
  hotfix_buf classified = {0}, decided = {0};
  must(hotfix_policy_classify(policy, facts, strlen(facts), &classified, &error), &error);
  must(hotfix_policy_decide(policy, facts, strlen(facts), &decided, &error), &error);
  text answer = as_text(classified), decision = as_text(decided), item, name, value;
  text severity = word(member(answer, "severity")), worst = word(member(answer, "at_worst"));
  text hotfix = word(member(answer, "hotfix"));
  printf("%s %.*s, at worst %.*s; hot-fix: %.*s\n", at, SHOWN(severity), SHOWN(worst), SHOWN(hotfix));
  for (const char *rule = NULL; next_item(member(answer, "rules"), &rule, &item);) {
    text title = word(member(item, "title"));
    printf("  because %.*s\n", SHOWN(title));
  }
  for (const char *fact = NULL; next_item(member(answer, "decisive"), &fact, &item);) {
    text asked = word(item), all = member(answer, "if_known"), values;
    for (const char *known = NULL; next_member(all, &known, &name, &values);) {
      if (name.len != asked.len || memcmp(name.ptr, asked.ptr, asked.len) != 0) {
        continue;
      }
      text at_value;
      for (const char *one = NULL; next_member(values, &one, &at_value, &value);) {
        text then = word(value);
        printf("  %.*s %.*s: %.*s\n", SHOWN(asked), SHOWN(at_value), SHOWN(then));
      }
    }
  }
  text question = member(decision, "next_question"), outcome = member(decision, "outcome");
  if (!is(question, "null")) {
    text ask = word(member(question, "ask"));
    printf("  ask: %.*s\n", SHOWN(ask));
  }
  if (!is(outcome, "null")) {
    double seconds = 0;
    numbers(member(outcome, "deadline"), &seconds, 1);
    text title = word(member(outcome, "title"));
    printf("  do: %.*s, within %g h\n", SHOWN(title), seconds / 3600);
  }
  printf("  settled: %s\n", is(member(answer, "settled"), "true") ? "yes" : "no");
  hotfix_buf_free(&classified);
  hotfix_buf_free(&decided);
}

#define FACTS                                                                                                          \
  "\"payment_failure_share\": 0.55, \"revenue_impact\": true, \"service_down\": false, \"data_corruption\": false, "   \
  "\"security_vulnerability\": false, \"users_affected\": null, \"workaround_exists\": null, "                         \
  "\"preceding_deploy\": \"2.3.0\""

int main(void) {
  hotfix_policy *policy = NULL;
  hotfix_error *error = NULL;
  must(hotfix_policy_preset("enterprise", strlen("enterprise"), &policy, &error), &error);
  explain(policy, "{" FACTS "}", "14:06");
  /* At 14:12 somebody tried it: users can log in. */
  explain(policy, "{" FACTS ", \"authentication_down\": false}", "14:12");
  hotfix_policy_free(policy);
  return 0;
}
