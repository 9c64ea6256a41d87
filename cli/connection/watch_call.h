#ifndef PRESENCE_CLI_CONNECTION_WATCH_CALL_H_
#define PRESENCE_CLI_CONNECTION_WATCH_CALL_H_

#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <variant>

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include "absl/time/time.h"
#include "presence/v1/presence.grpc.pb.h"

namespace presence::cli {

// One Watch stream, read item by item with a limit on the waiting, which gRPC's blocking reader
// does not have. One item is read ahead, so a slow terminal slows the server instead of filling
// memory. Next and the destructor belong to one thread; gRPC's threads call the reactions.
class WatchCall final : private grpc::ClientReadReactor<v1::WatchResponse> {
 public:
  // Nothing came in time.
  struct Silence {};
  // The stop token was requested while waiting.
  struct Interrupted {};
  using Item = std::variant<v1::WatchResponse, grpc::Status, Silence, Interrupted>;

  // Starts the stream.
  WatchCall(v1::PresenceService::StubInterface& stub, v1::WatchRequest request);
  // Cancels the stream unless it has ended, and waits until gRPC is done with it.
  ~WatchCall() override;

  // The next item, or the status with which the stream ended once every item has been returned.
  Item Next(absl::Duration timeout, const std::stop_token& interrupted);

 private:
  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

  const v1::WatchRequest request_;
  grpc::ClientContext context_;
  v1::WatchResponse incoming_;

  std::mutex mu_;
  std::condition_variable_any changed_;
  // Guarded by mu_.
  bool has_item_ = false;      // `incoming_` holds an item and no read is outstanding
  bool is_abandoned_ = false;  // the destructor waits for the end
  std::optional<grpc::Status> ended_;
};

}  // namespace presence::cli

#endif  // PRESENCE_CLI_CONNECTION_WATCH_CALL_H_
