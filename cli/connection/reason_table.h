#ifndef PRESENCE_CLI_CONNECTION_REASON_TABLE_H_
#define PRESENCE_CLI_CONNECTION_REASON_TABLE_H_

#include <span>

#include <grpcpp/support/status_code_enum.h>

#include "absl/strings/string_view.h"
#include "cli/exit_code.h"
#include "presence/v1/errors.pb.h"

namespace presence::cli {

// What one ErrorReason means on the command line.
struct ReasonRow {
  v1::ErrorReason reason;
  ExitCode exit_code;
  // Whether it passes by itself, so that `watch` may connect again.
  bool passes;
  // What to do next. {command}, {server}, {presentity}, {event}, {watcher} and {repeat} are filled
  // in.
  absl::string_view next;
};

// What a gRPC code without a known reason means.
struct CodeRow {
  grpc::StatusCode code;
  absl::string_view name;
  ExitCode exit_code;
  bool passes;
  absl::string_view next;
};

// One row for every ErrorReason of the contract, UNSPECIFIED apart.
std::span<const ReasonRow> ReasonTable();
// One row for every gRPC code, OK apart.
std::span<const CodeRow> CodeTable();

}  // namespace presence::cli

#endif  // PRESENCE_CLI_CONNECTION_REASON_TABLE_H_
