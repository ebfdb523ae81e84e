/* hotfix for C++17: handles that free themselves, errors as exceptions. Header only, over hotfix.h.

   Handles are move-only. For what has no member here `get` returns the C handle, `adopt` takes one over, `release` gives it
   away, and `check` and `text` make the errors of a C call exceptions and its buffer a string. The use of a moved-from or
   released handle is an error with HOTFIX_STATUS_NULL. An Outcome, an Action and an Error have their own texts and stay valid
   whatever is called afterwards. The hotfix_str views of C calls do not: hotfix.h says with each how long it is valid. The
   thread rules of hotfix.h apply. */
#ifndef HOTFIX_HPP
#define HOTFIX_HPP

#include "hotfix.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hotfix {

/** A time in UTC, in milliseconds. The present one:
    `std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now())`. */
using Time = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

inline std::string_view view(hotfix_str text) { return {text.ptr, text.len}; }

/** An error: code, place and sentence; `json` has all details. Copies share them. */
class Error : public std::runtime_error {
public:
  explicit Error(hotfix_status status, const hotfix_error *error)
      : std::runtime_error(std::string(view(hotfix_error_message(error)))), status_(status),
        details_(std::make_shared<const Details>(error)) {}

  hotfix_status status() const noexcept { return status_; }
  /** The stable code: "HF-POL-006". */
  const std::string &code() const noexcept { return details_->code; }
  /** The place, as hotfix_error_path. */
  const std::string &path() const noexcept { return details_->path; }
  const std::string &json() const noexcept { return details_->json; }

protected:
  struct Details {
    explicit Details(const hotfix_error *error)
        : code(view(hotfix_error_code(error))), path(view(hotfix_error_path(error))),
          json(view(hotfix_error_json(error))), events(view(hotfix_error_events(error))) {
      for (std::size_t i = 0; i < hotfix_error_accepted_count(error); ++i) {
        accepted.emplace_back(view(hotfix_error_accepted(error, i)));
      }
    }
    std::string code, path, json, events;
    std::vector<std::string> accepted;
  };

  const Details &details() const noexcept { return *details_; }

private:
  hotfix_status status_;
  std::shared_ptr<const Details> details_;
};

/** A valid input that was refused in the present state. Append its events to the log like any others. */
class Refused : public Error {
public:
  explicit Refused(const hotfix_error *error) : Error(HOTFIX_STATUS_REFUSED, error) {}

  /** The kinds of input that would be accepted. */
  const std::vector<std::string> &accepted() const noexcept { return details().accepted; }
  /** The log lines to append. */
  const std::string &events() const noexcept { return details().events; }
};

namespace detail {

template <typename T, void (*Free)(T *)> struct Deleter {
  void operator()(T *handle) const noexcept { Free(handle); }
};
template <typename T, void (*Free)(T *)> using Owned = std::unique_ptr<T, Deleter<T, Free>>;

inline std::int64_t ms(Time at) { return at.time_since_epoch().count(); }

} // namespace detail

/** Makes a C call, and throws its error: `check([&](hotfix_error **e) { return hotfix_…(…, e); })`. */
template <typename Call> void check(Call &&call) {
  hotfix_error *raw = nullptr;
  const hotfix_status status = call(&raw);
  const detail::Owned<hotfix_error, hotfix_error_free> error(raw);
  if (status == HOTFIX_STATUS_REFUSED) {
    throw Refused(error.get());
  }
  if (status != HOTFIX_STATUS_OK) {
    throw Error(status, error.get());
  }
}

/** The same for a call that fills a buffer, whose text it returns:
    `text([&](hotfix_buf *out, hotfix_error **e) { return hotfix_…(…, out, e); })`. */
template <typename Call> std::string text(Call &&call) {
  hotfix_buf buf = {nullptr, 0};
  check([&](hotfix_error **error) { return call(&buf, error); });
  struct Freed {
    hotfix_buf *buf;
    ~Freed() { hotfix_buf_free(buf); }
  } freed{&buf};
  return {buf.data, buf.len};
}

/** Throws std::runtime_error if the loaded library is not compatible with hotfix.h. Whatever makes a handle here
    checks it. */
inline void check_abi() {
  if (hotfix_abi_version() != HOTFIX_ABI_VERSION) {
    throw std::runtime_error("the loaded libhotfix has ABI version " + std::to_string(hotfix_abi_version()) +
                             ", the hotfix.h of this program has " + std::to_string(HOTFIX_ABI_VERSION) +
                             ": build the program with the header of the library");
  }
}

namespace detail {

/** What all handles have. */
template <typename Self, typename T, void (*Free)(T *)> class Handle {
public:
  /** Takes over a handle, and frees it. */
  static Self adopt(T *handle) noexcept { return Self(handle); }
  T *get() noexcept { return handle_.get(); }
  const T *get() const noexcept { return handle_.get(); }
  /** Gives the C handle away, as to a hotfix_train_new that succeeded: it is not freed here any more. */
  T *release() noexcept { return handle_.release(); }

protected:
  explicit Handle(T *handle) noexcept : handle_(handle) {}

  template <typename Call> static T *made(Call &&call) {
    check_abi();
    T *out = nullptr;
    check([&](hotfix_error **e) { return call(&out, e); });
    return out;
  }
  template <typename Call> static Self make(Call &&call) { return adopt(made(call)); }

private:
  Owned<T, Free> handle_;
};

} // namespace detail

/** Reads an RFC 3339 time. */
inline Time parse_time(std::string_view text) {
  std::int64_t at = 0;
  check([&](hotfix_error **e) { return hotfix_time_parse(text.data(), text.size(), &at, e); });
  return Time(std::chrono::milliseconds(at));
}

/** Writes a time as RFC 3339: "2026-03-03T14:40:00.000Z". */
inline std::string format_time(Time at) {
  return text([&](auto *out, auto **e) { return hotfix_time_format(detail::ms(at), out, e); });
}

/** A checked, immutable policy; `clone` shares it. */
class Policy : public detail::Handle<Policy, hotfix_policy, hotfix_policy_free> {
public:
  static Policy preset(std::string_view name) {
    return make([&](auto **out, auto **e) { return hotfix_policy_preset(name.data(), name.size(), out, e); });
  }
  static Policy from_toml(std::string_view text) {
    return make([&](auto **out, auto **e) { return hotfix_policy_from_toml(text.data(), text.size(), out, e); });
  }
  static Policy from_json(std::string_view text) {
    return make([&](auto **out, auto **e) { return hotfix_policy_from_json(text.data(), text.size(), out, e); });
  }
  /** The names of the presets, as JSON. */
  static std::string presets() { return text(hotfix_policy_presets); }

  /** Another handle on the same policy. */
  Policy clone() const {
    return make([&](auto **out, auto **e) { return hotfix_policy_clone(get(), out, e); });
  }
  std::string to_json() const {
    return text([&](auto *out, auto **e) { return hotfix_policy_to_json(get(), out, e); });
  }
  std::string to_toml() const {
    return text([&](auto *out, auto **e) { return hotfix_policy_to_toml(get(), out, e); });
  }
  std::string digest() const {
    hotfix_digest digest = {};
    check([&](auto **e) { return hotfix_policy_digest(get(), &digest, e); });
    return digest.hex;
  }
  /** Classifies an incident, as JSON: its severity and whether it calls for a hot-fix. `facts` is JSON; may be
      empty. */
  std::string classify(std::string_view facts) const {
    return text(
        [&](auto *out, auto **e) { return hotfix_policy_classify(get(), facts.data(), facts.size(), out, e); });
  }
  /** Decides what to do about an incident, by the decision tree, as JSON. */
  std::string decide(std::string_view facts) const {
    return text(
        [&](auto *out, auto **e) { return hotfix_policy_decide(get(), facts.data(), facts.size(), out, e); });
  }
  /** Lints the policy: its findings as JSON. `at` is the present time as RFC 3339, or empty. */
  std::string lint(std::string_view at = {}) const {
    return text([&](auto *out, auto **e) { return hotfix_policy_lint(get(), at.data(), at.size(), out, e); });
  }
  /** The decision tree for Mermaid; empty if there is no tree. */
  std::string tree_mermaid() const {
    return text([&](auto *out, auto **e) { return hotfix_policy_tree_mermaid(get(), out, e); });
  }
  /** The decision tree for Graphviz; empty if there is no tree. */
  std::string tree_dot() const {
    return text([&](auto *out, auto **e) { return hotfix_policy_tree_dot(get(), out, e); });
  }

private:
  friend Handle;
  explicit Policy(hotfix_policy *handle) noexcept : Handle(handle) {}
};

/** The plan of one hot-fix, from JSON documents; `traffic` may be empty. */
class Plan : public detail::Handle<Plan, hotfix_plan, hotfix_plan_free> {
public:
  Plan(const Policy &policy, std::string_view incident, std::string_view release, std::string_view traffic = {})
      : Handle(made([&](auto **out, auto **e) {
          return hotfix_plan_new(policy.get(), incident.data(), incident.size(), release.data(), release.size(),
                                 traffic.data(), traffic.size(), out, e);
        })) {}
  /** A plan whose tests are calibrated on the service's own history, as hotfix_plan_new_calibrated. */
  Plan(const Policy &policy, std::string_view incident, std::string_view release, std::string_view traffic,
       std::string_view calibration)
      : Handle(made([&](auto **out, auto **e) {
          return hotfix_plan_new_calibrated(policy.get(), incident.data(), incident.size(), release.data(),
                                            release.size(), traffic.data(), traffic.size(), calibration.data(),
                                            calibration.size(), out, e);
        })) {}
  /** The policy that the plan follows. */
  Policy policy() const {
    hotfix_policy *out = nullptr;
    check([&](auto **e) { return hotfix_plan_policy(get(), &out, e); });
    return Policy::adopt(out);
  }
  /** Any view of hotfix_plan_view; `args` is JSON, or empty. */
  std::string view(hotfix_plan_views of, std::string_view args = {}) const {
    return text(
        [&](auto *out, auto **e) { return hotfix_plan_view(get(), of, args.data(), args.size(), out, e); });
  }
  std::string calibration() const {
    return view(HOTFIX_PLAN_VIEW_CALIBRATION);
  }
  std::string timeline(Time start) const {
    return text([&](auto *out, auto **e) { return hotfix_plan_timeline(get(), detail::ms(start), out, e); });
  }
  /** The power analysis, as hotfix_plan_power: it takes tens of milliseconds. */
  std::string power() const {
    return text([&](auto *out, auto **e) { return hotfix_plan_power(get(), out, e); });
  }
  /** The plan, as hotfix_plan_json. */
  std::string to_json() const {
    return text([&](auto *out, auto **e) { return hotfix_plan_json(get(), out, e); });
  }
  /** The plan as a page for people; `start` is RFC 3339, or empty. */
  std::string to_markdown(std::string_view start = {}) const {
    return text([&](auto *out, auto **e) { return hotfix_plan_markdown(get(), start.data(), start.size(), out, e); });
  }
  std::string digest() const {
    hotfix_digest digest = {};
    check([&](auto **e) { return hotfix_plan_digest(get(), &digest, e); });
    return digest.hex;
  }

private:
  friend Handle;
  explicit Plan(hotfix_plan *handle) noexcept : Handle(handle) {}
};

/** One action for the caller; hotfix_action says what each member has. */
class Action {
public:
  explicit Action(const hotfix_action &of)
      : id_(of.id), kind_(of.kind), awaits_(of.awaits != 0), share_(of.share), version_(view(of.version)),
        method_(view(of.method)), role_(view(of.role)), message_(view(of.message)), audience_(view(of.audience)),
        text_(view(of.text)), duty_(view(of.duty)) {}

  const std::string &id() const noexcept { return id_; }
  hotfix_action_kind kind() const noexcept { return kind_; }
  std::string_view kind_name() const { return hotfix_action_kind_name(kind_); }
  bool awaits() const noexcept { return awaits_; }
  double share() const noexcept { return share_; }
  const std::string &version() const noexcept { return version_; }
  const std::string &method() const noexcept { return method_; }
  const std::string &role() const noexcept { return role_; }
  const std::string &message() const noexcept { return message_; }
  const std::string &audience() const noexcept { return audience_; }
  const std::string &text() const noexcept { return text_; }
  const std::string &duty() const noexcept { return duty_; }

private:
  std::string id_;
  hotfix_action_kind kind_;
  bool awaits_;
  double share_;
  std::string version_, method_, role_, message_, audience_, text_, duty_;
};

/** The outcome of an input. Append the events durably, then act. */
struct Outcome {
  std::string events;
  std::vector<Action> actions;
  hotfix_state state;
  hotfix_decision decision;
  /** An input with this key was delivered before: nothing changed. The actions are those of the first delivery: do
      not carry them out, others may have followed since. */
  bool repeated;

  std::string_view state_name() const { return hotfix_state_name(state); }
  std::string_view decision_name() const { return hotfix_decision_name(decision); }
};

/** The rollout of one hot-fix, from plan to closed incident. */
class Rollout : public detail::Handle<Rollout, hotfix_rollout, hotfix_rollout_free> {
public:
  explicit Rollout(const Plan &plan, std::string_view salt = {}, hotfix_recording recording = HOTFIX_RECORDING_KEEP)
      : Handle(made([&](auto **out, auto **e) {
          return hotfix_rollout_new(plan.get(), recording, salt.data(), salt.size(), out, e);
        })) {}
  static Rollout replay(std::string_view log, hotfix_recording recording = HOTFIX_RECORDING_KEEP) {
    return make([&](auto **out, auto **e) {
      return hotfix_rollout_replay(log.data(), log.size(), recording, out, e);
    });
  }
  /** As `replay`, for a log whose last line may be incomplete; also returns the length of the valid part of the log. */
  static std::pair<Rollout, std::size_t> recover(std::string_view log,
                                                 hotfix_recording recording = HOTFIX_RECORDING_KEEP) {
    std::size_t length = 0;
    Rollout rollout = make([&](auto **out, auto **e) {
      return hotfix_rollout_recover(log.data(), log.size(), recording, out, &length, e);
    });
    return {std::move(rollout), length};
  }
  /** Restores a rollout from a snapshot and the log lines after it, all of them complete. */
  static Rollout restore(std::string_view snapshot, std::string_view tail,
                         hotfix_recording recording = HOTFIX_RECORDING_KEEP) {
    return make([&](auto **out, auto **e) {
      return hotfix_rollout_restore(snapshot.data(), snapshot.size(), tail.data(), tail.size(), recording, out, e);
    });
  }

  Outcome handle(Time at, std::string_view input) {
    return outcome([&](auto *out, auto **e) {
      return hotfix_rollout_handle(get(), detail::ms(at), input.data(), input.size(), out, e);
    });
  }
  Outcome observe(Time at, const std::vector<hotfix_reading> &readings, const hotfix_sender *sender = nullptr) {
    return outcome([&](auto *out, auto **e) {
      return hotfix_rollout_observe(get(), detail::ms(at), readings.data(), readings.size(), sender, out, e);
    });
  }

  /** The plan as it is now. */
  Plan plan() const {
    hotfix_plan *out = nullptr;
    check([&](auto **e) { return hotfix_rollout_plan(get(), &out, e); });
    return Plan::adopt(out);
  }
  /** The bytes that `restore` reads. */
  std::string snapshot() const {
    return text([&](auto *out, auto **e) { return hotfix_rollout_snapshot(get(), out, e); });
  }
  hotfix_state state() const {
    hotfix_state state = HOTFIX_STATE_DRAFTED;
    check([&](auto **e) { return hotfix_rollout_state(get(), &state, e); });
    return state;
  }
  std::string phase() const {
    hotfix_name name = {};
    check([&](auto **e) { return hotfix_rollout_phase(get(), &name, e); });
    return name.text;
  }
  double share() const {
    double share = 0.0;
    check([&](auto **e) { return hotfix_rollout_share(get(), &share, e); });
    return share;
  }
  /** The number of attempts. */
  std::uint32_t attempt() const {
    std::uint32_t attempt = 0;
    check([&](auto **e) { return hotfix_rollout_attempt(get(), &attempt, e); });
    return attempt;
  }
  /** Any view of hotfix_rollout_view; `args` is JSON, or empty. */
  std::string view(hotfix_rollout_views of, std::string_view args = {}) const {
    return text(
        [&](auto *out, auto **e) { return hotfix_rollout_view(get(), of, args.data(), args.size(), out, e); });
  }
  /** The kinds of input that would be accepted now, as JSON. */
  std::string accepted() const {
    return view(HOTFIX_ROLLOUT_VIEW_ACCEPTED);
  }
  std::optional<Time> poll_at() const { return time(hotfix_rollout_poll_at); }
  /** The time of the last input. */
  std::optional<Time> now() const { return time(hotfix_rollout_now); }
  std::string verdict() const {
    return text([&](auto *out, auto **e) { return hotfix_rollout_verdict(get(), out, e); });
  }
  /** The blockers of the start and who can clear them, as JSON; `[]` if nothing blocks it. */
  std::string blockers() const {
    return view(HOTFIX_ROLLOUT_VIEW_BLOCKERS);
  }
  /** Each required approval and its state, as JSON. */
  std::string approvals() const {
    return view(HOTFIX_ROLLOUT_VIEW_APPROVALS);
  }
  /** Each checklist, whether it applies, and its items, as JSON. */
  std::string checklists() const {
    return view(HOTFIX_ROLLOUT_VIEW_CHECKLISTS);
  }
  /** Each step of the procedure and its state, as JSON. */
  std::string procedure() const {
    return view(HOTFIX_ROLLOUT_VIEW_PROCEDURE);
  }
  /** The plan's change record with its present status, as JSON. */
  std::string change_record() const {
    return view(HOTFIX_ROLLOUT_VIEW_CHANGE_RECORD);
  }
  /** The duties at a time, from what is known now: due, overdue, next and done, as JSON. */
  std::string duties(Time at) const {
    return text([&](auto *out, auto **e) { return hotfix_rollout_duties(get(), detail::ms(at), out, e); });
  }
  /** The last intervention of each kind, as JSON. */
  std::string interventions() const {
    return view(HOTFIX_ROLLOUT_VIEW_INTERVENTIONS);
  }
  /** The explanation of the last verdict, as JSON; `null` if there is no verdict. */
  std::string why() const {
    return view(HOTFIX_ROLLOUT_VIEW_WHY);
  }
  /** The estimated impact of each version, as JSON; `null` if there is no verdict. */
  std::string harm() const {
    return view(HOTFIX_ROLLOUT_VIEW_HARM);
  }
  /** The forecast for the rest of the phase, as JSON; `null` if no phase is watched. */
  std::string forecast() const {
    return view(HOTFIX_ROLLOUT_VIEW_FORECAST);
  }
  /** The comparison table: each metric, its baseline and its readings in each phase, as JSON. */
  std::string comparison() const {
    return view(HOTFIX_ROLLOUT_VIEW_COMPARISON);
  }
  /** The comparison table in Markdown. */
  std::string comparison_markdown() const {
    return view(HOTFIX_ROLLOUT_VIEW_COMPARISON_MARKDOWN);
  }
  /** The evidence of a metric, as JSON; `null` for a metric without a test. */
  std::string evidence(std::string_view metric) const {
    return text([&](auto *out, auto **e) {
      return hotfix_rollout_evidence(get(), metric.data(), metric.size(), out, e);
    });
  }
  std::string head() const {
    hotfix_digest digest = {};
    check([&](auto **e) { return hotfix_rollout_head(get(), &digest, e); });
    return digest.hex;
  }
  std::string log() const {
    return text([&](auto *out, auto **e) { return hotfix_rollout_log(get(), out, e); });
  }
  /** The actions of the last call: none after an error or a refusal, and those of the first delivery after a repeated
      one. After `replay`, `recover` and `restore` those of the last accepted input. */
  std::vector<Action> actions() const {
    std::size_t count = 0;
    check([&](auto **e) { return hotfix_rollout_action_count(get(), &count, e); });
    return actions(count, hotfix_rollout_action);
  }
  /** The same as JSON, with whom to contact and the policy's commands. */
  std::string actions_json() const {
    return text([&](auto *out, auto **e) { return hotfix_rollout_actions(get(), out, e); });
  }
  /** The actions that await `confirm` or `failed`, the oldest first. */
  std::vector<Action> pending_actions() const {
    std::size_t count = 0;
    check([&](auto **e) { return hotfix_rollout_pending_count(get(), &count, e); });
    return actions(count, hotfix_rollout_pending_action);
  }
  /** The same as JSON, with whom to contact and the policy's commands. */
  std::string pending_actions_json() const {
    return text([&](auto *out, auto **e) { return hotfix_rollout_pending_actions(get(), out, e); });
  }
  /** The action with this id, among those that await `confirm` or `failed` and those of the last call. */
  Action find_action(std::string_view id) const {
    return action([&](auto *out, auto **e) {
      return hotfix_rollout_find_action(get(), id.data(), id.size(), out, e);
    });
  }
#ifndef HOTFIX_WITHOUT_MESSAGE
  /** Writes a message for people; `request` is JSON, as for hotfix_rollout_message. */
  std::string message(std::string_view request) const {
    return text([&](auto *out, auto **e) {
      return hotfix_rollout_message(get(), request.data(), request.size(), out, e);
    });
  }
#endif

private:
  friend Handle;
  explicit Rollout(hotfix_rollout *handle) noexcept : Handle(handle) {}

  template <typename Read> std::optional<Time> time(Read read) const {
    std::int64_t at = 0;
    check([&](hotfix_error **e) { return read(get(), &at, e); });
    if (at == HOTFIX_NEVER) {
      return std::nullopt;
    }
    return Time(std::chrono::milliseconds(at));
  }

  template <typename Read> static Action action(Read read) {
    hotfix_action raw = HOTFIX_ACTION_INIT;
    check([&](hotfix_error **e) { return read(&raw, e); });
    return Action(raw);
  }

  template <typename Read> std::vector<Action> actions(std::size_t count, Read read) const {
    std::vector<Action> all;
    all.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      all.push_back(action([&](auto *out, auto **e) { return read(get(), i, out, e); }));
    }
    return all;
  }

  template <typename Call> Outcome outcome(Call &&call) {
    hotfix_outcome out = HOTFIX_OUTCOME_INIT;
    check([&](hotfix_error **e) { return call(&out, e); });
    return {std::string(hotfix::view(out.events)), actions(out.action_count, hotfix_rollout_action), out.state,
            out.decision, out.repeated != 0};
  }
};

/** The number of log lines when the snapshot was made: the tail for `restore` begins with the line that has this `seq`. */
inline std::uint64_t snapshot_seq(std::string_view snapshot) {
  std::uint64_t seq = 0;
  check([&](hotfix_error **e) { return hotfix_snapshot_seq(snapshot.data(), snapshot.size(), &seq, e); });
  return seq;
}

#ifndef HOTFIX_WITHOUT_REPORT
/** Writes the incident report from a log; `format` is "markdown", "json" or "html". */
inline std::string report(std::string_view log, std::string_view format) {
  return text([&](auto *out, auto **e) {
    return hotfix_report(log.data(), log.size(), format.data(), format.size(), out, e);
  });
}
#endif

/** Checks a log from end to end; returns the findings as JSON. */
inline std::string audit(std::string_view log, std::string_view expected_head = {}) {
  return text([&](auto *out, auto **e) {
    return hotfix_audit(log.data(), log.size(), expected_head.data(), expected_head.size(), out, e);
  });
}

/** Redacts personal values in a log: all of them, or those of the people in a JSON list of names. */
inline std::string redact(std::string_view log, std::string_view names = {}) {
  return text([&](auto *out, auto **e) {
    return hotfix_redact(log.data(), log.size(), names.data(), names.size(), out, e);
  });
}

/** The sequential rate-ratio test without a rollout. */
class RateRatio : public detail::Handle<RateRatio, hotfix_test, hotfix_test_free> {
public:
  explicit RateRatio(std::string_view settings = {})
      : Handle(made([&](auto **out, auto **e) {
          return hotfix_rate_ratio_new(settings.data(), settings.size(), out, e);
        })) {}
  static RateRatio from_bytes(std::string_view bytes) {
    return make([&](auto **out, auto **e) {
      return hotfix_test_from_bytes(bytes.data(), bytes.size(), out, e);
    });
  }

  /** Adds events and trials of both arms; returns whether the test has decided. */
  bool update(double canary_events, double canary_trials, double baseline_events, double baseline_trials) {
    bool decided = false;
    check([&](auto **e) {
      return hotfix_rate_ratio_update(get(), canary_events, canary_trials, baseline_events, baseline_trials,
                                      &decided, e);
    });
    return decided;
  }
  bool merge(const RateRatio &other) {
    bool decided = false;
    check([&](auto **e) { return hotfix_rate_ratio_merge(get(), other.get(), &decided, e); });
    return decided;
  }
  hotfix_evidence evidence() const {
    hotfix_evidence evidence = HOTFIX_EVIDENCE_INIT;
    check([&](auto **e) { return hotfix_test_evidence(get(), &evidence, e); });
    return evidence;
  }
  std::string to_bytes() const {
    return text([&](auto *out, auto **e) { return hotfix_test_to_bytes(get(), out, e); });
  }

private:
  friend Handle;
  explicit RateRatio(hotfix_test *handle) noexcept : Handle(handle) {}
};

} // namespace hotfix

#endif
