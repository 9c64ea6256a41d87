#ifndef PRESENCE_CLI_CONNECTION_SESSION_H_
#define PRESENCE_CLI_CONNECTION_SESSION_H_

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include <google/protobuf/message.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cli/connection/failure.h"
#include "cli/environment.h"
#include "cli/exit_code.h"
#include "presence/v1/admin.grpc.pb.h"
#include "presence/v1/presence.grpc.pb.h"
#include "presence/v1/rules.grpc.pb.h"

namespace presence::cli {

enum class OutputFormat { kTable, kJson, kJsonLines };

// Options that every command takes.
struct GlobalOptions {
  // As the user wrote it.
  std::string server;
  // What gRPC calls it.
  std::string grpc_target;
  // How long one call may take.
  absl::Duration timeout = absl::Seconds(5);
  OutputFormat output = OutputFormat::kTable;
};

// One run of one command: its connection to the server and its way to print. Used from one thread.
class Session final {
 public:
  // `command` is what the user called, such as "presencectl publish"; `words` the whole command
  // line.
  Session(Environment& environment, GlobalOptions options, std::string command,
          std::vector<std::string> words);

  Environment& environment() { return environment_; }
  const GlobalOptions& options() const { return options_; }
  v1::PresenceService::StubInterface& presence() { return *presence_; }
  v1::AdminService::StubInterface& admin() { return *admin_; }
  v1::RulesService::StubInterface& rules() { return *rules_; }

  // Calls a unary method with the deadline of --timeout; an interrupt cancels it.
  template <typename Stub, typename Request, typename Response>
  grpc::Status Call(Stub& stub,
                    grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response* response) {
    grpc::ClientContext context;
    SetDeadline(context);
    const std::stop_callback cancel(environment_.interrupted, [&context] { context.TryCancel(); });
    return (stub.*method)(&context, request, response);
  }

  // Gives `context` the deadline of --timeout.
  void SetDeadline(grpc::ClientContext& context) const;

  // What a failure of this command is about; the caller adds whom it concerns.
  Subject About(std::string presentity = "", std::string event = "",
                std::string watcher = "") const;

  // The id that makes a mutation idempotent: `given` by the user, or a new one. gRPC may send a
  // call twice when a connection breaks; with an id the server makes one change of it.
  std::string RequestId(const std::string& given);

  // The command line of this run with --request-id, for repeating it when its outcome is unknown.
  std::string RepeatWith(const std::string& request_id) const;

  // Reports that a call failed, on stderr, and returns the exit code for it.
  ExitCode Fail(const grpc::Status& status, const Subject& subject);
  // Reports a failure that the server did not name; `next` may be empty.
  ExitCode Fail(ExitCode exit_code, absl::string_view message, absl::string_view next = "");
  // Says something besides the output, on stderr.
  void Note(absl::string_view text);

  bool wants_table() const { return options_.output == OutputFormat::kTable; }
  // Prints the answer of a command: `message` as JSON, or what `print_table` prints.
  void Show(const google::protobuf::Message& message, const std::function<void()>& print_table);
  // Prints one element of a list or stream as JSON.
  void ShowJson(const google::protobuf::Message& message);

 private:
  Environment& environment_;
  const GlobalOptions options_;
  const std::string command_;
  const std::vector<std::string> words_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::PresenceService::StubInterface> presence_;
  const std::unique_ptr<v1::AdminService::StubInterface> admin_;
  const std::unique_ptr<v1::RulesService::StubInterface> rules_;
};

// Reports, on stderr: what went wrong, and what to do about it unless `next` is empty.
void Report(Environment& environment, absl::string_view message, absl::string_view next);

}  // namespace presence::cli

#endif  // PRESENCE_CLI_CONNECTION_SESSION_H_
