#ifndef PRESENCE_CORE_RPC_GATEWAY_STREAM_H_
#define PRESENCE_CORE_RPC_GATEWAY_STREAM_H_

#include <grpcpp/grpcpp.h>

#include <string>
#include <utility>

#include "presence-core/engine/engine.h"
#include "presence-core/rpc/gateway_roster.h"
#include "presence-core/rpc/gateway_session.h"
#include "presence-core/rpc/ownership.h"
#include "presence/v1/gateway.grpc.pb.h"
#include "runtime/clock.h"
#include "runtime/executor.h"

namespace presence {

class GatewayStream;

// GatewayService over gRPC. gRPC runs reactions on two threads of its own, and a reaction that
// works blocks all other streams; so a reaction only posts to `executor`, where frames are taken
// one after the other.
class GatewayService final : public v1::GatewayService::CallbackService {
 public:
  GatewayService(Engine& engine, Executor& executor, const Clock& clock, std::string core_name,
                 IsOwner is_owner, GatewayClaims claims = {})
      : engine_(engine),
        executor_(executor),
        clock_(clock),
        core_name_(std::move(core_name)),
        is_owner_(std::move(is_owner)),
        roster_(engine, executor, std::move(claims)) {}

  grpc::ServerBidiReactor<v1::ConnectRequest, v1::ConnectResponse>* Connect(
      grpc::CallbackServerContext* context) override;

  // From now on parts from every gateway while another core may own the state, also from those to
  // which nothing is to be said: what they miss they get from the owner. Until the executor stops,
  // which must be before this object goes.
  void WatchOwnership();

  // Tells every gateway that this core stops, and ends their streams.
  void Drain();

  size_t connected() const { return roster_.size(); }

 private:
  friend class GatewayStream;

  Engine& engine_;
  Executor& executor_;
  const Clock& clock_;
  const std::string core_name_;
  const IsOwner is_owner_;
  GatewayRoster roster_;
};

}  // namespace presence

#endif  // PRESENCE_CORE_RPC_GATEWAY_STREAM_H_
