// hotfix.hpp: moves, exceptions, every member once.
#include <hotfix.hpp>

#include <cstdlib>
#include <iostream>
#include <type_traits>

namespace {

int failures = 0;

void expect(bool holds, const char *what) {
  if (!holds) {
    std::cerr << what << '\n';
    ++failures;
  }
}

#define EXPECT(condition) expect(condition, #condition)

template <typename T>
constexpr bool is_move_only = std::is_move_constructible_v<T> && std::is_move_assignable_v<T> &&
                              !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T>;
static_assert(is_move_only<hotfix::Policy> && is_move_only<hotfix::Plan>);
static_assert(is_move_only<hotfix::Rollout> && is_move_only<hotfix::RateRatio>);
static_assert(std::is_nothrow_copy_constructible_v<hotfix::Error> && std::is_nothrow_copy_constructible_v<hotfix::Refused>);

// S1's plan where one approval holds the start, and a procedure of one step.
hotfix::Plan make_plan() {
  const hotfix::Policy policy = hotfix::Policy::from_toml("extends = 'phased-canary'\nname = 'house'\n"
                                                          "checklists = []\ncontingencies = []\n"
                                                          "severities = { remove = true }\n"
                                                          "approvals = [{ any_of = ['engineering_lead'] }]\n"
                                                          "procedure = [{ id = 'mend', title = 'Mend' }]\n");
  return hotfix::Plan(policy, R"({"id": "INC-1"})", R"({"version": "2", "previous": "1"})");
}

void test_policy() {
  hotfix::Policy policy = hotfix::Policy::preset("phased-canary");
  const hotfix::Policy read = hotfix::Policy::from_toml(policy.to_toml());
  EXPECT(read.digest() == policy.digest());
  EXPECT(hotfix::Policy::from_json(policy.to_json()).digest() == policy.clone().digest());
  EXPECT(hotfix::Policy::presets().find("phased-canary") != std::string::npos);
  EXPECT(policy.classify({}) == policy.classify("{}") && !policy.decide("{}").empty());
  EXPECT(policy.lint().front() == '[' && policy.lint("2026-03-03T14:40:00Z").back() == ']');
  EXPECT(policy.tree_mermaid().empty() && policy.tree_dot().empty());
  hotfix_policy *raw = nullptr;
  EXPECT(hotfix_policy_from_toml_with("extends = 'phased-canary'", 25, nullptr, nullptr, &raw, nullptr) == HOTFIX_STATUS_OK);
  const hotfix::Plan plan(hotfix::Policy::adopt(raw), R"({"id": "INC-1"})", {});
  EXPECT(plan.policy().digest().size() == 64);
  const hotfix::Policy moved = std::move(policy);
  try {
    policy.digest(); // NOLINT: what is tested
    EXPECT(false);
  } catch (const hotfix::Error &error) {
    EXPECT(error.status() == HOTFIX_STATUS_NULL);
  }
  try {
    hotfix::Policy::from_toml("format = 1\nnaem = 2");
    EXPECT(false);
  } catch (const hotfix::Error &error) {
    EXPECT(error.status() == HOTFIX_STATUS_POLICY && !error.code().empty());
    EXPECT(error.json().find("/naem") != std::string::npos && *error.what() != '\0');
  }
}

void test_rollout() {
  const hotfix::Plan plan = make_plan();
  EXPECT(plan.digest().size() == 64);
  const hotfix::Time start = hotfix::parse_time("2026-03-03T15:40:00+01:00");
  EXPECT(plan.timeline(start).find("2026-03-03T14:40:00.000Z") != std::string::npos);
  EXPECT(plan.calibration() == "{}" && hotfix::format_time(start) == "2026-03-03T14:40:00.000Z");
  EXPECT(plan.to_json().find("\"findings\"") != std::string::npos && plan.power().find("\"phases\"") != std::string::npos);
  EXPECT(plan.to_markdown("2026-03-03T14:40:00Z").find("T+") != std::string::npos);
  hotfix::Rollout made(plan, "pepper");
  EXPECT(made.evidence("error_rate").find("\"guarantee\":\"assumed\"") != std::string::npos);
  EXPECT(made.evidence("request_volume") == "null");
  hotfix::Rollout rollout = std::move(made);
  EXPECT(rollout.poll_at() == hotfix::Time() && rollout.state() == HOTFIX_STATE_AWAITING_APPROVAL && rollout.phase().empty());
  EXPECT(rollout.blockers().find("`engineering_lead` is missing") != std::string::npos);
  std::string log(rollout.handle(start, R"({"kind": "approve", "by": "iris", "role": "engineering_lead"})").events);
  log += rollout.handle(start, R"({"kind": "check_item", "by": "ci", "item": "mend"})").events;
  EXPECT(rollout.blockers() == "[]" && rollout.state() == HOTFIX_STATE_READY);
  EXPECT(rollout.approvals().find("\"state\":\"approved\"") != std::string::npos);
  EXPECT(rollout.procedure().find("\"state\":\"done\"") != std::string::npos && rollout.checklists().find("\"id\":\"success_criteria\"") != std::string::npos);
  EXPECT(rollout.change_record().find("\"status\":\"ready\"") != std::string::npos);
  EXPECT(rollout.interventions().find("\"kind\":\"approve\"") != std::string::npos);
  log += std::string(rollout.handle(start, R"({"kind": "start", "by": "lena"})").events);
  EXPECT(rollout.phase() == "canary" && rollout.pending_actions().size() == 1);
  try {
    rollout.handle(start, R"({"kind": "promote", "by": "lena"})");
    EXPECT(false);
  } catch (const hotfix::Refused &refused) {
    EXPECT(refused.code() == "HF-ROLL-001" && !refused.accepted().empty());
    log += refused.events();
  }
  hotfix_reading reading = HOTFIX_READING_INIT;
  reading.metric = "error_rate";
  reading.metric_len = 10;
  reading.form = HOTFIX_FORM_PAIR;
  reading.flags = HOTFIX_READING_CANARY;
  reading.canary[1] = 100.0;
  const hotfix::Outcome seen = rollout.observe(start, {reading});
  log += seen.events;
  EXPECT(seen.actions.empty() && !seen.repeated && seen.state_name() == "deploying");
  EXPECT(log == rollout.log() && rollout.share() == 0.0);
  EXPECT(rollout.verdict().find("\"decision\"") != std::string::npos);
  EXPECT(rollout.why().find("\"sentence\":\"error_rate: ") != std::string::npos);
  EXPECT(rollout.harm().find("\"metrics\"") != std::string::npos && rollout.forecast() == "null");
  EXPECT(rollout.comparison().find("\"rows\"") != std::string::npos);
  EXPECT(rollout.comparison_markdown().find("| error rate | 0.3% | - |") != std::string::npos);
  EXPECT(hotfix::Rollout::replay(log).head() == rollout.head());
  const auto [again, length] = hotfix::Rollout::recover(log + "{\"torn");
  EXPECT(length == log.size() && again.head() == rollout.head());
  const hotfix::Rollout restored = hotfix::Rollout::restore(rollout.snapshot(), {});
  EXPECT(restored.head() == rollout.head() && restored.now() == start && restored.actions().empty());
  EXPECT(restored.plan().digest() == plan.digest() && !restored.plan().policy().to_toml().empty());
  EXPECT(restored.duties(start) == rollout.duties(start));
  EXPECT(hotfix::snapshot_seq(rollout.snapshot()) == 6);
  hotfix_rollout *raw = nullptr;
  EXPECT(hotfix_rollout_replay(log.data(), log.size(), HOTFIX_RECORDING_OFF, &raw, nullptr) == HOTFIX_STATUS_OK);
  EXPECT(hotfix::Rollout::adopt(raw).state() == rollout.state());
  EXPECT(hotfix::audit(log, rollout.head()).find("\"clean\":true") != std::string::npos);
  const std::string nobody = hotfix::redact(log);
  EXPECT(log.find("\"personal\"") != std::string::npos && nobody.find("\"personal\"") == std::string::npos);
  EXPECT(hotfix::audit(nobody, rollout.head()).find("\"clean\":true") != std::string::npos);
  EXPECT(hotfix::redact(log, "[\"nobody at all\"]") == log);
}

// What a call returned stays as it was, whatever is called after it.
void test_lifetimes() {
  const hotfix::Time start = hotfix::parse_time("2026-03-03T14:40:00Z");
  hotfix::Rollout rollout(make_plan());
  rollout.handle(start, R"({"kind": "approve", "by": "iris", "role": "engineering_lead"})");
  rollout.handle(start, R"({"kind": "check_item", "by": "ci", "item": "mend"})");
  const hotfix::Outcome started = rollout.handle(start, R"({"kind": "start", "by": "lena"})");
  const std::string events = started.events;
  std::string versions;
  for (const hotfix::Action &action : started.actions) {
    EXPECT(rollout.find_action(action.id()).kind() == action.kind());
    if (action.awaits()) {
      EXPECT(rollout.actions_json().find(action.id()) != std::string::npos);
      EXPECT(rollout.pending_actions_json().find(action.id()) != std::string::npos);
      rollout.handle(start, R"({"kind": "confirm", "by": "tool", "action": ")" + action.id() + "\"}");
      versions += action.version();
    }
  }
  EXPECT(versions == "2" && started.events == events);
  EXPECT(!rollout.actions().empty());
  try {
    rollout.handle(start, R"({"kind": "strat"})");
    EXPECT(false);
  } catch (const hotfix::Error &error) {
    EXPECT(error.status() == HOTFIX_STATUS_INPUT && rollout.actions().empty());
  }
  try {
    rollout.duties(hotfix::Time(std::chrono::milliseconds(1772548800))); // seconds
    EXPECT(false);
  } catch (const hotfix::Error &error) {
    EXPECT(error.code() == "HF-FFI-010" && error.path() == "at_ms");
  }
  const hotfix::Outcome of_temporary = hotfix::Rollout::replay(rollout.log()).handle(start, R"({"kind": "tick"})");
  EXPECT(of_temporary.events.find("\"tick\"") != std::string::npos);
  try {
    rollout.message(R"({"kind": "alrt"})"); // one that is written keeps a preset in memory, which valgrind reports
    EXPECT(false);
  } catch (const hotfix::Error &error) {
    EXPECT(error.code() == "HF-MSG-002" && error.path() == "/kind");
  }
  EXPECT(hotfix::report(rollout.log(), "markdown").front() == '#');
}

// A rollout that was given to a train is freed by the train alone.
void test_release() {
  hotfix::Rollout rollout(make_plan());
  const hotfix_train_service service = {"pay", 3, rollout.get()};
  hotfix_train *train = nullptr;
  hotfix::check([&](hotfix_error **e) { return hotfix_train_new(&service, 1, nullptr, 0, &train, e); });
  EXPECT(rollout.release() == service.rollout && rollout.get() == nullptr);
  EXPECT(!hotfix::text([&](hotfix_buf *out, hotfix_error **e) { return hotfix_policy_presets(out, e); }).empty());
  hotfix_train_free(train);
}

void test_rate_ratio() {
  hotfix::RateRatio test(R"({"direction": "better", "margin": 2.0, "alpha": 0.05})");
  test.update(0.0, 1000.0, 30.0, 9000.0);
  hotfix::RateRatio again = hotfix::RateRatio::from_bytes(test.to_bytes());
  EXPECT(again.evidence().log_e == test.evidence().log_e);
  again.merge(test);
  EXPECT(again.evidence().log_e > test.evidence().log_e);
  hotfix_test *raw = nullptr;
  EXPECT(hotfix_ceiling_new("{\"ceiling\": 0.01}", 17, &raw, nullptr) == HOTFIX_STATUS_OK);
  EXPECT(hotfix::RateRatio::adopt(raw).get() == raw && test.get() != nullptr);
  try {
    hotfix::RateRatio(R"({"alpha": 2})");
    EXPECT(false);
  } catch (const hotfix::Error &error) {
    EXPECT(error.code() == "HF-STAT-001" && error.path() == "/settings/alpha");
  }
}

} // namespace

int main() {
  test_policy();
  test_rollout();
  test_lifetimes();
  test_release();
  test_rate_ratio();
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
