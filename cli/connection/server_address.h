#ifndef PRESENCE_CLI_CONNECTION_SERVER_ADDRESS_H_
#define PRESENCE_CLI_CONNECTION_SERVER_ADDRESS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace presence::cli {

// Where presence-core listens unless told otherwise.
inline constexpr absl::string_view kDefaultServer = "127.0.0.1:7460";

// The gRPC target of an address as people write it: "host:port", "host" (port 7460), "[::1]:7460"
// or "unix:PATH". Errors: INVALID_ARGUMENT with the remedy.
absl::StatusOr<std::string> GrpcTarget(absl::string_view address);

}  // namespace presence::cli

#endif  // PRESENCE_CLI_CONNECTION_SERVER_ADDRESS_H_
