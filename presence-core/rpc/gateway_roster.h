#ifndef PRESENCE_CORE_RPC_GATEWAY_ROSTER_H_
#define PRESENCE_CORE_RPC_GATEWAY_ROSTER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "presence-core/engine/engine.h"
#include "presence-core/rpc/ownership.h"
#include "presence/v1/gateway.pb.h"
#include "runtime/executor.h"

namespace presence {

// The stream of a gateway, as the roster knows it.
class GatewayEnd {
 public:
  virtual ~GatewayEnd() = default;
  // Ends it; the first reason counts.
  virtual void End(const absl::Status& why) = 0;
  // Says in a last frame that the core stops, and ends the stream behind it.
  virtual void DrainAndEnd() = 0;
  // Whether it has been ended, by whomever.
  virtual bool is_ended() const = 0;
};

// The gateways that are connected to this core, each by its newest stream, and which groups of them
// it instructs where several cores serve: a group is claimed before the first frame of a gateway is
// taken, and left with the last of its gateways.
//
// No gRPC, no thread: gateway_stream.h and the simulation drive it. Greet() and OnGone() are called
// on the executor, one after the other; the others from any thread.
class GatewayRoster final {
 public:
  using Greeted = absl::AnyInvocable<void(const absl::Status&)>;

  GatewayRoster(Engine& engine, Executor& executor, GatewayClaims claims)
      : engine_(engine), executor_(executor), claims_(std::move(claims)) {}

  // A gateway says who it is. An older stream of it is ended before anything of the new one is
  // looked at, so that nothing more is instructed over it. `greeted` is called on the executor, at
  // once or when the group is this core's, and with an error where the stream is to end: DRAINING
  // where a newer stream is there already, or the core stops; those of the claim. It is not called
  // when the stream has ended meanwhile.
  void Greet(std::shared_ptr<GatewayEnd> stream, const v1::Hello& hello, Greeted greeted);

  // The stream is no more, and its session delivers nothing.
  void OnGone(const GatewayEnd& stream);

  // The streams there are.
  std::vector<std::shared_ptr<GatewayEnd>> streams() const;
  // From now on nobody is let in.
  void Close();
  size_t size() const;

 private:
  struct Connected {
    std::shared_ptr<GatewayEnd> stream;
    uint64_t incarnation = 0;
    uint64_t stream_number = 0;
    // From its claim on.
    std::string group = {};
    bool has_claimed = false;
  };

  bool Register(const std::shared_ptr<GatewayEnd>& stream, const v1::Hello& hello);
  void OnClaimed(const std::shared_ptr<GatewayEnd>& stream, const std::string& gateway,
                 const std::string& group, const absl::StatusOr<bool>& is_new, Greeted greeted);

  bool HasGateways(const std::string& group) const;

  Engine& engine_;
  Executor& executor_;
  const GatewayClaims claims_;

  mutable absl::Mutex mu_;                                           // a leaf
  std::map<std::string, Connected> connected_ ABSL_GUARDED_BY(mu_);  // by gateway
  bool is_closed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace presence

#endif  // PRESENCE_CORE_RPC_GATEWAY_ROSTER_H_
