#ifndef PRESENCE_CORE_RPC_UNSERVED_SERVICES_H_
#define PRESENCE_CORE_RPC_UNSERVED_SERVICES_H_

#include <grpcpp/grpcpp.h>

#include "presence-core/model/error.h"
#include "presence-core/rpc/status_map.h"
#include "presence/v1/hooks.grpc.pb.h"

namespace presence {

// Answers for methods that the contract has and this version does not serve: NOT_SERVED_YET with
// the name.
inline grpc::Status Unserved(std::string_view method) { return ToGrpc(NotServedYet(method)); }

inline grpc::ServerUnaryReactor* UnservedUnary(grpc::CallbackServerContext* context,
                                               std::string_view method) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(Unserved(method));
  return reactor;
}

template <typename Response>
class UnservedWriter final : public grpc::ServerWriteReactor<Response> {
 public:
  explicit UnservedWriter(std::string_view method) { this->Finish(Unserved(method)); }
  void OnDone() override { delete this; }
};

template <typename Request, typename Response>
class UnservedStream final : public grpc::ServerBidiReactor<Request, Response> {
 public:
  explicit UnservedStream(std::string_view method) { this->Finish(Unserved(method)); }
  void OnDone() override { delete this; }
};

class HookService final : public v1::HookService::CallbackService {
 public:
  grpc::ServerWriteReactor<v1::WatchEventsResponse>* WatchEvents(
      grpc::CallbackServerContext*, const v1::WatchEventsRequest*) override {
    return new UnservedWriter<v1::WatchEventsResponse>("HookService.WatchEvents");
  }
  grpc::ServerBidiReactor<v1::ServeHooksRequest, v1::ServeHooksResponse>* ServeHooks(
      grpc::CallbackServerContext*) override {
    return new UnservedStream<v1::ServeHooksRequest, v1::ServeHooksResponse>(
        "HookService.ServeHooks");
  }
};

}  // namespace presence

#endif  // PRESENCE_CORE_RPC_UNSERVED_SERVICES_H_
