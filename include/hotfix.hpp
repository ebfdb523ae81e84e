/* hotfix for C++17: handles that free themselves, errors as exceptions. Header only, over hotfix.h.

   Handles are move-only. `get` returns the C handle, and `adopt` takes one over, for what has no member here. The use of a moved-from handle is an error with HOTFIX_STATUS_NULL. Views (Outcome::events, the
   texts of an Action but its id) are valid until the next call that changes their rollout. The thread rules of hotfix.h apply. */
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

/** A time in UTC. */
using Time = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

inline std::string_view view(hotfix_str text) { return {text.ptr, text.len}; }

/** An error: code, place and sentence; `json` has all details. */
class Error : public std::runtime_error {
public:
  explicit Error(hotfix_status status, const hotfix_error *error)
      : std::runtime_error(std::string(view(hotfix_error_message(error)))), status_(status),
        code_(view(hotfix_error_code(error))), path_(view(hotfix_error_path(error))),
        json_(view(hotfix_error_json(error))) {}

  hotfix_status status() const noexcept { return status_; }
  /** The stable code: "HF-POL-006". */
  const std::string &code() const noexcept { return code_; }
  /** A JSON Pointer, or the name of a parameter. */
  const std::string &path() const noexcept { return path_; }
  const std::string &json() const noexcept { return json_; }

private:
  hotfix_status status_;
  std::string code_, path_, json_;
};

/** A valid input that was refused in the present state. Append its events to the log like any others. */
class Refused : public Error {
public:
  explicit Refused(const hotfix_error *error)
      : Error(HOTFIX_STATUS_REFUSED, error), events_(view(hotfix_error_events(error))) {
    for (std::size_t i = 0; i < hotfix_error_accepted_count(error); ++i) {
      accepted_.emplace_back(view(hotfix_error_accepted(error, i)));
    }
  }

  /** The kinds of input that would be accepted. */
  const std::vector<std::string> &accepted() const noexcept { return accepted_; }
  /** The log lines to append. */
  const std::string &events() const noexcept { return events_; }

private:
  std::string events_;
  std::vector<std::string> accepted_;
};

namespace detail {

template <typename T, void (*Free)(T *)> struct Deleter {
  void operator()(T *handle) const noexcept { Free(handle); }
};
template <typename T, void (*Free)(T *)> using Handle = std::unique_ptr<T, Deleter<T, Free>>;

/** Throws if the call failed. */
template <typename Call> void check(Call &&call) {
  hotfix_error *raw = nullptr;
  const hotfix_status status = call(&raw);
  const Handle<hotfix_error, hotfix_error_free> error(raw);
  if (status == HOTFIX_STATUS_REFUSED) {
    throw Refused(error.get());
  }
  if (status != HOTFIX_STATUS_OK) {
    throw Error(status, error.get());
  }
}

/** Returns the text that a call writes. */
template <typename Call> std::string text(Call &&call) {
  hotfix_buf buf = {nullptr, 0};
  check([&](hotfix_error **error) { return call(&buf, error); });
  struct Freed {
    hotfix_buf *buf;
    ~Freed() { hotfix_buf_free(buf); }
  } freed{&buf};
  return {buf.data, buf.len};
}

inline std::int64_t ms(Time at) { return at.time_since_epoch().count(); }

} // namespace detail

/** Reads an RFC 3339 time. */
inline Time parse_time(std::string_view text) {
  std::int64_t at = 0;
  detail::check([&](hotfix_error **e) { return hotfix_time_parse(text.data(), text.size(), &at, e); });
  return Time(std::chrono::milliseconds(at));
}

/** A checked, immutable policy; `clone` shares it. */
class Policy {
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
  static std::string presets() { return detail::text(hotfix_policy_presets); }

  /** Another handle on the same policy. */
  Policy clone() const {
    return make([&](auto **out, auto **e) { return hotfix_policy_clone(get(), out, e); });
  }
  std::string to_json() const {
    return detail::text([&](auto *out, auto **e) { return hotfix_policy_to_json(get(), out, e); });
  }
  std::string to_toml() const {
    return detail::text([&](auto *out, auto **e) { return hotfix_policy_to_toml(get(), out, e); });
  }
  std::string digest() const {
    hotfix_digest digest = {};
    detail::check([&](auto **e) { return hotfix_policy_digest(get(), &digest, e); });
    return digest.hex;
  }
  /** Classifies an incident, as JSON: its severity and whether it calls for a hot-fix. `facts` is JSON; may be
      empty. */
  std::string classify(std::string_view facts) const {
    return detail::text(
        [&](auto *out, auto **e) { return hotfix_policy_classify(get(), facts.data(), facts.size(), out, e); });
  }
  /** Decides what to do about an incident, by the decision tree, as JSON. */
  std::string decide(std::string_view facts) const {
    return detail::text(
        [&](auto *out, auto **e) { return hotfix_policy_decide(get(), facts.data(), facts.size(), out, e); });
  }
  /** Lints the policy: its findings as JSON. `at` is the present time as RFC 3339, or empty. */
  std::string lint(std::string_view at = {}) const {
    return detail::text([&](auto *out, auto **e) { return hotfix_policy_lint(get(), at.data(), at.size(), out, e); });
  }
  /** The decision tree for Mermaid; empty if there is no tree. */
  std::string tree_mermaid() const {
    return detail::text([&](auto *out, auto **e) { return hotfix_policy_tree_mermaid(get(), out, e); });
  }
  /** The decision tree for Graphviz; empty if there is no tree. */
  std::string tree_dot() const {
    return detail::text([&](auto *out, auto **e) { return hotfix_policy_tree_dot(get(), out, e); });
  }
  /** Takes over a handle, and frees it. */
  static Policy adopt(hotfix_policy *handle) noexcept {
    Policy policy;
    policy.handle_.reset(handle);
    return policy;
  }
  const hotfix_policy *get() const noexcept { return handle_.get(); }

private:
  template <typename Call> static Policy make(Call &&call) {
    hotfix_policy *out = nullptr;
    detail::check([&](hotfix_error **e) { return call(&out, e); });
    return adopt(out);
  }
  detail::Handle<hotfix_policy, hotfix_policy_free> handle_;
};

/** The plan of one hot-fix, from JSON documents; `traffic` may be empty. */
class Plan {
public:
  Plan(const Policy &policy, std::string_view incident, std::string_view release, std::string_view traffic = {}) {
    hotfix_plan *out = nullptr;
    detail::check([&](auto **e) {
      return hotfix_plan_new(policy.get(), incident.data(), incident.size(), release.data(), release.size(),
                             traffic.data(), traffic.size(), &out, e);
    });
    handle_.reset(out);
  }
  /** A plan whose tests are calibrated on the service's own history, as hotfix_plan_new_calibrated. */
  Plan(const Policy &policy, std::string_view incident, std::string_view release, std::string_view traffic,
       std::string_view calibration) {
    hotfix_plan *out = nullptr;
    detail::check([&](auto **e) {
      return hotfix_plan_new_calibrated(policy.get(), incident.data(), incident.size(), release.data(), release.size(),
                                        traffic.data(), traffic.size(), calibration.data(), calibration.size(), &out, e);
    });
    handle_.reset(out);
  }
  /** Takes over a handle, and frees it. */
  static Plan adopt(hotfix_plan *handle) noexcept { return Plan(handle); }
  /** The policy that the plan follows. */
  Policy policy() const {
    hotfix_policy *out = nullptr;
    detail::check([&](auto **e) { return hotfix_plan_policy(get(), &out, e); });
    return Policy::adopt(out);
  }
  /** Any view of hotfix_plan_view; `args` is JSON, or empty. */
  std::string view(hotfix_plan_views of, std::string_view args = {}) const {
    return detail::text(
        [&](auto *out, auto **e) { return hotfix_plan_view(get(), of, args.data(), args.size(), out, e); });
  }
  std::string calibration() const {
    return view(HOTFIX_PLAN_VIEW_CALIBRATION);
  }
  std::string timeline(Time start) const {
    return detail::text([&](auto *out, auto **e) { return hotfix_plan_timeline(get(), detail::ms(start), out, e); });
  }
  std::string digest() const {
    hotfix_digest digest = {};
    detail::check([&](auto **e) { return hotfix_plan_digest(get(), &digest, e); });
    return digest.hex;
  }
  const hotfix_plan *get() const noexcept { return handle_.get(); }

private:
  explicit Plan(hotfix_plan *handle) noexcept : handle_(handle) {}
  detail::Handle<hotfix_plan, hotfix_plan_free> handle_;
};

/** One action for the caller. */
class Action {
public:
  std::string id() const { return raw.id; } // a copy: the id is in the Action itself
  hotfix_action_kind kind() const { return raw.kind; }
  std::string_view kind_name() const { return hotfix_action_kind_name(raw.kind); }
  bool awaits() const { return raw.awaits != 0; }
  double share() const { return raw.share; }
  std::string_view version() const { return view(raw.version); }
  std::string_view method() const { return view(raw.method); }
  std::string_view role() const { return view(raw.role); }
  std::string_view message() const { return view(raw.message); }
  std::string_view audience() const { return view(raw.audience); }
  std::string_view text() const { return view(raw.text); }
  std::string_view duty() const { return view(raw.duty); }

  hotfix_action raw = HOTFIX_ACTION_INIT;
};

/** The outcome of an input. Append the events durably, then act. */
struct Outcome {
  std::string_view events;
  std::vector<Action> actions;
  hotfix_state state;
  hotfix_decision decision;
  bool repeated;

  std::string_view state_name() const { return hotfix_state_name(state); }
  std::string_view decision_name() const { return hotfix_decision_name(decision); }
};

/** The rollout of one hot-fix, from plan to closed incident. */
class Rollout {
public:
  explicit Rollout(const Plan &plan, std::string_view salt = {}, hotfix_recording recording = HOTFIX_RECORDING_KEEP)
      : Rollout([&](auto **out, auto **e) {
          return hotfix_rollout_new(plan.get(), recording, salt.data(), salt.size(), out, e);
        }) {}
  static Rollout replay(std::string_view log, hotfix_recording recording = HOTFIX_RECORDING_KEEP) {
    return Rollout([&](auto **out, auto **e) {
      return hotfix_rollout_replay(log.data(), log.size(), recording, out, e);
    });
  }
  /** As `replay`, for a log whose last line may be incomplete; also returns the length of the valid part of the log. */
  static std::pair<Rollout, std::size_t> recover(std::string_view log,
                                                 hotfix_recording recording = HOTFIX_RECORDING_KEEP) {
    std::size_t length = 0;
    Rollout rollout([&](auto **out, auto **e) {
      return hotfix_rollout_recover(log.data(), log.size(), recording, out, &length, e);
    });
    return {std::move(rollout), length};
  }
  /** Restores a rollout from a snapshot and the log lines after it, all of them complete. */
  static Rollout restore(std::string_view snapshot, std::string_view tail,
                         hotfix_recording recording = HOTFIX_RECORDING_KEEP) {
    return Rollout([&](auto **out, auto **e) {
      return hotfix_rollout_restore(snapshot.data(), snapshot.size(), tail.data(), tail.size(), recording, out, e);
    });
  }
  /** Takes over a handle, and frees it. */
  static Rollout adopt(hotfix_rollout *handle) noexcept { return Rollout(handle); }

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
    detail::check([&](auto **e) { return hotfix_rollout_plan(get(), &out, e); });
    return Plan::adopt(out);
  }
  /** The bytes that `restore` reads. */
  std::string snapshot() const {
    return detail::text([&](auto *out, auto **e) { return hotfix_rollout_snapshot(get(), out, e); });
  }
  hotfix_state state() const {
    hotfix_state state = HOTFIX_STATE_DRAFTED;
    detail::check([&](auto **e) { return hotfix_rollout_state(get(), &state, e); });
    return state;
  }
  std::string phase() const {
    hotfix_name name = {};
    detail::check([&](auto **e) { return hotfix_rollout_phase(get(), &name, e); });
    return name.text;
  }
  double share() const {
    double share = 0.0;
    detail::check([&](auto **e) { return hotfix_rollout_share(get(), &share, e); });
    return share;
  }
  /** The number of attempts. */
  std::uint32_t attempt() const {
    std::uint32_t attempt = 0;
    detail::check([&](auto **e) { return hotfix_rollout_attempt(get(), &attempt, e); });
    return attempt;
  }
  /** Any view of hotfix_rollout_view; `args` is JSON, or empty. */
  std::string view(hotfix_rollout_views of, std::string_view args = {}) const {
    return detail::text(
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
    return detail::text([&](auto *out, auto **e) { return hotfix_rollout_verdict(get(), out, e); });
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
  std::string duties(std::int64_t at_ms) const {
    return detail::text([&](auto *out, auto **e) { return hotfix_rollout_duties(get(), at_ms, out, e); });
  }
  std::string duties(Time at) const { return duties(detail::ms(at)); }
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
    return detail::text([&](auto *out, auto **e) {
      return hotfix_rollout_evidence(get(), metric.data(), metric.size(), out, e);
    });
  }
  std::string head() const {
    hotfix_digest digest = {};
    detail::check([&](auto **e) { return hotfix_rollout_head(get(), &digest, e); });
    return digest.hex;
  }
  std::string log() const {
    return detail::text([&](auto *out, auto **e) { return hotfix_rollout_log(get(), out, e); });
  }
  /** The actions of the last call; after `replay`, `recover` and `restore` those of the last line. */
  std::vector<Action> actions() const {
    std::size_t count = 0;
    detail::check([&](auto **e) { return hotfix_rollout_action_count(get(), &count, e); });
    return actions(count, hotfix_rollout_action);
  }
  std::vector<Action> pending_actions() const {
    std::size_t count = 0;
    detail::check([&](auto **e) { return hotfix_rollout_pending_count(get(), &count, e); });
    return actions(count, hotfix_rollout_pending_action);
  }
  hotfix_rollout *get() noexcept { return handle_.get(); }
  const hotfix_rollout *get() const noexcept { return handle_.get(); }

private:
  template <typename Call, typename = decltype(std::declval<Call>()(static_cast<hotfix_rollout **>(nullptr),
                                                                    static_cast<hotfix_error **>(nullptr)))>
  explicit Rollout(Call &&make) {
    hotfix_rollout *out = nullptr;
    detail::check([&](hotfix_error **e) { return make(&out, e); });
    handle_.reset(out);
  }

  explicit Rollout(hotfix_rollout *handle) noexcept : handle_(handle) {}

  template <typename Read> std::optional<Time> time(Read read) const {
    std::int64_t at = 0;
    detail::check([&](hotfix_error **e) { return read(get(), &at, e); });
    if (at == HOTFIX_NEVER) {
      return std::nullopt;
    }
    return Time(std::chrono::milliseconds(at));
  }

  template <typename Read> std::vector<Action> actions(std::size_t count, Read read) const {
    std::vector<Action> all(count);
    for (std::size_t i = 0; i < count; ++i) {
      detail::check([&](hotfix_error **e) { return read(get(), i, &all[i].raw, e); });
    }
    return all;
  }

  template <typename Call> Outcome outcome(Call &&call) {
    hotfix_outcome out = HOTFIX_OUTCOME_INIT;
    detail::check([&](hotfix_error **e) { return call(&out, e); });
    return {hotfix::view(out.events), actions(out.action_count, hotfix_rollout_action), out.state, out.decision,
            out.repeated != 0};
  }

  detail::Handle<hotfix_rollout, hotfix_rollout_free> handle_;
};

/** Checks a log from end to end; returns the findings as JSON. */
inline std::string audit(std::string_view log, std::string_view expected_head = {}) {
  return detail::text([&](auto *out, auto **e) {
    return hotfix_audit(log.data(), log.size(), expected_head.data(), expected_head.size(), out, e);
  });
}

/** Redacts personal values in a log: all of them, or those of the people in a JSON list of names. */
inline std::string redact(std::string_view log, std::string_view names = {}) {
  return detail::text([&](auto *out, auto **e) {
    return hotfix_redact(log.data(), log.size(), names.data(), names.size(), out, e);
  });
}

/** The sequential rate-ratio test without a rollout. */
class RateRatio {
public:
  explicit RateRatio(std::string_view settings = {})
      : RateRatio([&](auto **out, auto **e) {
          return hotfix_rate_ratio_new(settings.data(), settings.size(), out, e);
        }) {}
  static RateRatio from_bytes(std::string_view bytes) {
    return RateRatio([&](auto **out, auto **e) {
      return hotfix_test_from_bytes(bytes.data(), bytes.size(), out, e);
    });
  }
  /** Takes over a handle, and frees it. */
  static RateRatio adopt(hotfix_test *handle) noexcept { return RateRatio(handle); }

  /** Adds events and trials of both arms; returns whether the test has decided. */
  bool update(double canary_events, double canary_trials, double baseline_events, double baseline_trials) {
    bool decided = false;
    detail::check([&](auto **e) {
      return hotfix_rate_ratio_update(handle_.get(), canary_events, canary_trials, baseline_events, baseline_trials,
                                      &decided, e);
    });
    return decided;
  }
  bool merge(const RateRatio &other) {
    bool decided = false;
    detail::check([&](auto **e) { return hotfix_rate_ratio_merge(handle_.get(), other.handle_.get(), &decided, e); });
    return decided;
  }
  hotfix_evidence evidence() const {
    hotfix_evidence evidence = HOTFIX_EVIDENCE_INIT;
    detail::check([&](auto **e) { return hotfix_test_evidence(handle_.get(), &evidence, e); });
    return evidence;
  }
  std::string to_bytes() const {
    return detail::text([&](auto *out, auto **e) { return hotfix_test_to_bytes(handle_.get(), out, e); });
  }
  hotfix_test *get() noexcept { return handle_.get(); }
  const hotfix_test *get() const noexcept { return handle_.get(); }

private:
  explicit RateRatio(hotfix_test *handle) noexcept : handle_(handle) {}
  template <typename Call, typename = decltype(std::declval<Call>()(static_cast<hotfix_test **>(nullptr),
                                                                    static_cast<hotfix_error **>(nullptr)))>
  explicit RateRatio(Call &&make) {
    hotfix_test *out = nullptr;
    detail::check([&](hotfix_error **e) { return make(&out, e); });
    handle_.reset(out);
  }
  detail::Handle<hotfix_test, hotfix_test_free> handle_;
};

} // namespace hotfix

#endif
