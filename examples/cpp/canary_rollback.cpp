// A hot-fix that has to be rolled back, driven from C++ over hotfix.hpp.
//
// The script is data (examples/scripts/canary_rollback.*). The log on stdout is the same, byte for
// byte, as that of the C, Rust and Python examples; the progress is shown on stderr.
//
//   c++ -std=c++17 -Iinclude examples/cpp/canary_rollback.cpp -lhotfix && ./a.out examples/scripts
#include <hotfix.hpp>

#include "../c/script.h"

#include <iostream>
#include <string>
#include <string_view>

namespace {

using File = std::unique_ptr<char, decltype(&std::free)>;

std::string_view in(text piece) { return piece.ptr == nullptr ? std::string_view() : std::string_view(piece.ptr, piece.len); }

hotfix::Policy load_policy(text plan, const char *folder) {
  if (const text preset = string_of(member(plan, "preset")); preset.ptr != nullptr) {
    return hotfix::Policy::preset(in(preset));
  }
  const std::string name = "../../" + std::string(in(string_of(member(plan, "policy_file"))));
  const File toml(read_file(folder, name.c_str()), &std::free);
  return hotfix::Policy::from_toml(toml ? toml.get() : "");
}

hotfix::Rollout make_rollout(text plan, const char *folder) {
  const hotfix::Plan made(load_policy(plan, folder), in(member(plan, "incident")), in(member(plan, "release")),
                          in(member(plan, "traffic")));
  return hotfix::Rollout(made, in(string_of(member(plan, "salt"))));
}

void act(const hotfix::Action &action) {
  std::cerr << "    " << action.id() << ' ' << action.kind_name();
  switch (action.kind()) {
  case HOTFIX_ACTION_KIND_SET_TRAFFIC:
    std::cerr << ' ' << action.share();
    break;
  case HOTFIX_ACTION_KIND_DEPLOY:
    std::cerr << ' ' << action.version();
    break;
  case HOTFIX_ACTION_KIND_ROLL_BACK:
    std::cerr << " by " << action.method() << " to " << action.version();
    break;
  default: // messages, questions and pages are not handled by this tool
    break;
  }
  std::cerr << '\n';
}

void step(hotfix::Rollout &rollout, text line) {
  const hotfix::Time at = hotfix::parse_time(in(string_of(member(line, "at"))));
  try {
    const hotfix::Outcome outcome = rollout.handle(at, in(member(line, "input")));
    // Append to the log durably, then act.
    std::cout << outcome.events;
    std::cerr << in(string_of(member(line, "at"))) << ' ' << outcome.state_name() << ", " << outcome.decision_name()
              << '\n';
    for (const hotfix::Action &action : outcome.actions) {
      act(action);
    }
  } catch (const hotfix::Refused &refused) {
    // The lines of a refusal belong to the log too.
    std::cout << refused.events();
    std::cerr << "  refused: " << refused.what() << '\n';
  }
}

int run(const char *folder) {
  const File plan(read_file(folder, "canary_rollback.plan.json"), &std::free);
  const File script(read_file(folder, "canary_rollback.jsonl"), &std::free);
  if (!plan || !script) {
    std::cerr << "no script in " << folder << '\n';
    return 1;
  }
  const std::string_view whole = plan.get();
  const text document = {plan.get(), whole.size()};
  hotfix::Rollout rollout = make_rollout(document, folder);
  text line = {nullptr, 0};
  for (const char *rest = script.get(); next_line(&rest, &line);) {
    step(rollout, line);
  }
  // After a crash the rollout is restored from the log alone.
  const hotfix::Rollout again = hotfix::Rollout::replay(rollout.log());
  std::cerr << hotfix::audit(again.log(), rollout.head()) << '\n';
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  try {
    return run(argc > 1 ? argv[1] : "examples/scripts");
  } catch (const hotfix::Error &error) {
    std::cerr << error.code() << " at " << error.path() << ": " << error.what() << '\n';
    return 1;
  }
}
