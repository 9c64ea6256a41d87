#include <algorithm>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/command_line/durations.h"
#include "cli/command_line/options.h"
#include "cli/commands/commands.h"
#include "cli/commands/watch_printer.h"
#include "cli/connection/watch_call.h"
#include "cli/output/wording.h"

namespace presence::cli {
namespace {

// Between attempts to connect again: doubling, so that a server that comes back is not trampled.
constexpr absl::Duration kFirstPause = absl::Milliseconds(250);
constexpr absl::Duration kLongestPause = absl::Seconds(10);
constexpr absl::Duration kDefaultHeartbeat = absl::Seconds(15);

struct WatchOptions {
  std::vector<std::string> users;
  std::vector<std::string> events;
  std::string watcher = "sip:presencectl@localhost";
  uint64_t count = 0;
  std::optional<absl::Duration> duration;
  std::optional<absl::Duration> heartbeat;
  std::optional<absl::Duration> silence;
  std::string resume_token;
};

// Reads one stream after the other until told to end.
class WatchRun final {
 public:
  WatchRun(const WatchOptions& options, Session& session)
      : options_(options),
        session_(session),
        printer_(session),
        resume_token_(options.resume_token),
        started_(session.environment().clock.Now()) {
    const std::vector<std::string> presence = {"presence"};
    for (const std::string& user : options.users) {
      for (const std::string& event : options.events.empty() ? presence : options.events) {
        v1::WatchTarget* target = request_.add_targets();
        target->set_presentity(user);
        target->set_event(event);
      }
    }
    request_.set_watcher(options.watcher);
    if (options.heartbeat) *request_.mutable_heartbeat() = ToProto(*options.heartbeat);
    // Heartbeats make silence a sign: three missing ones mean that the connection is dead, whatever
    // TCP believes.
    silence_ = options.silence.value_or(3 * options.heartbeat.value_or(kDefaultHeartbeat));
  }

  ExitCode Run() {
    while (true) {
      const Ending ending = ReadStream();
      if (const ExitCode* exit_code = std::get_if<ExitCode>(&ending)) return *exit_code;
      const grpc::Status& status = std::get<grpc::Status>(ending);
      if (const std::optional<ExitCode> exit_code = Judge(status)) return *exit_code;
    }
  }

 private:
  // Why a stream ended: for good with an exit code, or as the status says.
  using Ending = std::variant<ExitCode, grpc::Status>;

  absl::Duration Elapsed() const { return session_.environment().clock.Now() - started_; }
  absl::Duration Left() const {
    return options_.duration ? *options_.duration - Elapsed() : absl::InfiniteDuration();
  }

  Ending ReadStream() {
    request_.set_resume_token(resume_token_);
    printer_.StreamBegins();
    WatchCall call(session_.presence(), request_);
    const std::stop_token& interrupted = session_.environment().interrupted;
    // Connecting takes its own time. A new watcher is sent his snapshot at once; one who resumes
    // may have nothing to hear but the next heartbeat.
    const absl::Duration timeout = session_.options().timeout;
    absl::Duration patience = resume_token_.empty() ? timeout : std::max(silence_, timeout);
    bool has_begun = false;
    while (true) {
      // Asked for first: a stream that is never quiet must not keep an interrupt waiting.
      if (interrupted.stop_requested()) return Summarised(ExitCode::kInterrupted);
      const absl::Duration left = Left();
      if (left <= absl::ZeroDuration()) return Summarised(ExitCode::kOk);
      WatchCall::Item item = call.Next(std::min(left, patience), interrupted);
      if (const auto* response = std::get_if<v1::WatchResponse>(&item)) {
        Take(*response);
        has_begun = true;
        patience = silence_;
        if (options_.count > 0 && printer_.states() >= options_.count) {
          return Summarised(ExitCode::kOk);
        }
      } else if (std::holds_alternative<grpc::Status>(item)) {
        return std::get<grpc::Status>(std::move(item));
      } else if (std::holds_alternative<WatchCall::Interrupted>(item)) {
        return Summarised(ExitCode::kInterrupted);
      } else if (left <= patience) {
        return Summarised(ExitCode::kOk);  // it was --for that ended the waiting
      } else {
        return grpc::Status(has_begun ? grpc::UNAVAILABLE : grpc::DEADLINE_EXCEEDED,
                            absl::StrCat("not even a heartbeat for ", DurationText(patience)));
      }
    }
  }

  void Take(const v1::WatchResponse& response) {
    if (attempt_ > 0) session_.Note("connected again");
    attempt_ = 0;
    was_connected_ = true;
    resume_token_ = response.resume_token();
    printer_.Print(response);
  }

  // Decides what follows a stream that ended with `status`: an exit code, or nothing after a pause
  // for another attempt.
  std::optional<ExitCode> Judge(const grpc::Status& status) {
    if (printer_.terminated() >= static_cast<std::size_t>(request_.targets_size())) {
      return Summarised(printer_.rejected() > 0 ? ExitCode::kDenied : ExitCode::kNotFoundOrFalse);
    }
    // A server that ends the stream properly without ending its subscriptions is going down.
    const grpc::Status cause =
        status.ok() ? grpc::Status(grpc::UNAVAILABLE, "the server ended the stream") : status;
    const Subject subject =
        session_.About(options_.users.front(), request_.targets(0).event(), options_.watcher);
    const Failure failure = Explain(cause, subject);
    if (failure.reason == "BAD_TOKEN" && was_connected_ && !resume_token_.empty()) {
      session_.Note("the server no longer knows where we were; full states follow");
      resume_token_.clear();
      return std::nullopt;
    }
    if (!failure.passes || !was_connected_) return session_.Fail(cause, subject);
    return PauseBeforeAttempt(failure);
  }

  std::optional<ExitCode> PauseBeforeAttempt(const Failure& failure) {
    Environment& environment = session_.environment();
    ++attempt_;
    ++reconnects_;
    const absl::Duration longest =
        std::min(kLongestPause,
                 kFirstPause * static_cast<double>(uint64_t{1} << std::min(attempt_ - 1, 10)));
    // Between half and all of it, at random: watchers that lost the server together do not return
    // together.
    const auto permille = static_cast<int64_t>(500 + environment.random.Next64() % 501);
    const absl::Duration pause = std::min(longest * permille / 1000, Left());
    session_.Note(absl::StrCat("connection lost (", failure.reason, ": ", failure.message,
                               "); connecting again in ", DurationText(pause), ", attempt ",
                               attempt_));
    environment.pause(pause);
    if (environment.interrupted.stop_requested()) return Summarised(ExitCode::kInterrupted);
    if (Left() <= absl::ZeroDuration()) return Summarised(ExitCode::kOk);
    return std::nullopt;
  }

  ExitCode Summarised(ExitCode exit_code) {
    session_.Note(
        absl::StrCat("watched ", Count(static_cast<uint64_t>(request_.targets_size()), "target"),
                     " for ", DurationText(Elapsed()), ": ", Count(printer_.states(), "state"),
                     ", ", Count(static_cast<uint64_t>(reconnects_), "reconnect")));
    return exit_code;
  }

  const WatchOptions& options_;
  Session& session_;
  WatchPrinter printer_;
  v1::WatchRequest request_;
  std::string resume_token_;
  const absl::Time started_;
  absl::Duration silence_;
  bool was_connected_ = false;  // a first attempt that fails is reported, not repeated
  int attempt_ = 0;             // since the last item
  int reconnects_ = 0;
};

ExitCode Watch(const WatchOptions& options, Session& session) {
  return WatchRun(options, session).Run();
}

}  // namespace

void AddWatch(CLI::App& root, Chosen& chosen) {
  auto [command, options] = NewCommand<WatchOptions>(
      root, "watch", "Follow the state of presentities: a snapshot, then one line a change", chosen,
      &Watch);
  command
      ->add_option("USER", options->users, "Whom to watch, such as alice@example.com; at most 256")
      ->required()
      ->option_text("...");
  command
      ->add_option("-e,--event", options->events,
                   "Event package; may be repeated; default: presence")
      ->allow_extra_args(false)
      ->option_text("EVENT ...");
  command
      ->add_option("--watcher", options->watcher, "Who watches; default: sip:presencectl@localhost")
      ->option_text("URI");
  command
      ->add_option("--count", options->count, "End after N states, those of the snapshot included")
      ->option_text("N")
      ->check(CLI::PositiveNumber);
  AddDuration(*command, "--for", options->duration, "End after this time");
  AddDuration(*command, "--heartbeat", options->heartbeat,
              "Longest silence of the server; default: 15s");
  AddDuration(*command, "--silence", options->silence,
              "Connect again after this silence; default: three heartbeats");
  command
      ->add_option("--resume", options->resume_token,
                   "Go on where an earlier watch ended (resumeToken of -o json)")
      ->option_text("TOKEN");
  command->footer(Examples({
      "presencectl watch alice@example.com",
      "presencectl watch alice@example.com bob@example.com --count 2",
      "presencectl watch alice@example.com --watcher bob@example.com --for 1s -o jsonl",
  }));
}

}  // namespace presence::cli
