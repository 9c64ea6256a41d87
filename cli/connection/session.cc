#include "cli/connection/session.h"

#include <algorithm>
#include <utility>

#include <grpc/support/time.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "cli/command_line/shell_words.h"
#include "cli/output/json.h"
#include "cli/output/printable.h"

namespace presence::cli {
namespace {

std::shared_ptr<grpc::Channel> Connect(const std::string& target) {
  grpc::ChannelArguments arguments;
  // A proxy for web browsing would be asked for our loopback address and answer with its own error.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Lists with full documents come in pages of 1000.
  arguments.SetMaxReceiveMessageSize(64 << 20);
  // `watch` spaces its attempts itself; gRPC's own back-off, up to two minutes, would come on top
  // of it. (MIN_RECONNECT_BACKOFF, in spite of its name, is the time one attempt has: it stays 20
  // s.)
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetUserAgentPrefix("presencectl/" PRESENCE_VERSION);
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

Session::Session(Environment& environment, GlobalOptions options, std::string command,
                 std::vector<std::string> words)
    : environment_(environment),
      options_(std::move(options)),
      command_(std::move(command)),
      words_(std::move(words)),
      channel_(Connect(options_.grpc_target)),
      presence_(v1::PresenceService::NewStub(channel_)),
      admin_(v1::AdminService::NewStub(channel_)),
      rules_(v1::RulesService::NewStub(channel_)) {}

void Session::SetDeadline(grpc::ClientContext& context) const {
  // A span, not a point in time: gRPC counts it on its own steady clock, so a jump of the wall
  // clock neither ends a call nor keeps it.
  context.set_deadline(
      gpr_time_from_millis(absl::ToInt64Milliseconds(options_.timeout), GPR_TIMESPAN));
}

Subject Session::About(std::string presentity, std::string event, std::string watcher) const {
  return {command_,         options_.server,    std::move(presentity),
          std::move(event), std::move(watcher), ""};
}

std::string Session::RequestId(const std::string& given) {
  return given.empty() ? absl::StrCat("pc-", RandomHex(environment_.random, 96)) : given;
}

std::string Session::RepeatWith(const std::string& request_id) const {
  std::vector<std::string> words = words_;
  const bool has_id = std::any_of(words.begin(), words.end(), [](const std::string& word) {
    return absl::StartsWith(word, "--request-id");
  });
  words.insert(words.begin(), "presencectl");
  if (!has_id) words.insert(words.end(), {"--request-id", request_id});
  return ShellCommand(words);
}

ExitCode Session::Fail(const grpc::Status& status, const Subject& subject) {
  if (environment_.interrupted.stop_requested()) {
    Note("interrupted");
    return ExitCode::kInterrupted;
  }
  const Failure failure = Explain(status, subject);
  return Fail(failure.exit_code, absl::StrCat(failure.reason, ": ", failure.message), failure.next);
}

ExitCode Session::Fail(ExitCode exit_code, absl::string_view message, absl::string_view next) {
  Report(environment_, message, next);
  return exit_code;
}

void Session::Note(absl::string_view text) {
  environment_.err << "presencectl: " << Printable(text) << std::endl;
}

void Session::Show(const google::protobuf::Message& message,
                   const std::function<void()>& print_table) {
  if (wants_table()) {
    print_table();
  } else {
    ShowJson(message);
  }
}

void Session::ShowJson(const google::protobuf::Message& message) {
  // Flushed a message: whoever reads a stream through a pipe wants each change when it happens.
  environment_.out << ToJson(message, options_.output == OutputFormat::kJson ? JsonLayout::kPretty
                                                                             : JsonLayout::kOneLine)
                   << std::flush;
}

void Report(Environment& environment, absl::string_view message, absl::string_view next) {
  environment.err << "presencectl: " << Printable(message) << '\n';
  if (!next.empty()) environment.err << "  try: " << Printable(next) << '\n';
  environment.err << std::flush;
}

}  // namespace presence::cli
