#ifndef PRESENCE_CLI_CONNECTION_FAILURE_H_
#define PRESENCE_CLI_CONNECTION_FAILURE_H_

#include <optional>
#include <string>

#include <grpcpp/support/status.h>

#include "cli/exit_code.h"

namespace presence::cli {

// What a failed call was about: fills the blanks of the advice. Empty where it does not apply.
struct Subject {
  std::string command;     // "presencectl publish"
  std::string server;      // as the user wrote it
  std::string presentity;  // as the user wrote it
  std::string event;
  std::string watcher;
  // The command line that repeats the call safely, with its request id; for calls that change
  // something.
  std::string repeat;
};

// A failed call as a person needs it.
struct Failure {
  ExitCode exit_code = ExitCode::kFailed;
  // Name of the ErrorReason, or of the gRPC code when the server gave no reason.
  std::string reason;
  // What the server says, with what else its error details tell.
  std::string message;
  // What to do about it: a command to try, or words.
  std::string next;
  // Whether the same call may succeed later without anybody doing anything.
  bool passes = false;
};

// Explains `status`, which is not OK. Goes by the ErrorReason of its google.rpc.ErrorInfo; without
// one, or with one that this version does not know, by the gRPC code.
Failure Explain(const grpc::Status& status, const Subject& subject);

}  // namespace presence::cli

#endif  // PRESENCE_CLI_CONNECTION_FAILURE_H_
