#ifndef PRESENCE_CORE_RPC_UNSERVED_SERVICES_H_
#define PRESENCE_CORE_RPC_UNSERVED_SERVICES_H_

#include <grpcpp/grpcpp.h>

#include "presence-core/model/error.h"
#include "presence-core/rpc/status_map.h"
#include "presence/v1/hooks.grpc.pb.h"
#include "presence/v1/rules.grpc.pb.h"

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

class RulesService final : public v1::RulesService::CallbackService {
 public:
  grpc::ServerUnaryReactor* CreateRules(grpc::CallbackServerContext* context,
                                        const v1::CreateRulesRequest*,
                                        v1::RulesDocument*) override {
    return UnservedUnary(context, "RulesService.CreateRules");
  }
  grpc::ServerUnaryReactor* GetRules(grpc::CallbackServerContext* context,
                                     const v1::GetRulesRequest*, v1::RulesDocument*) override {
    return UnservedUnary(context, "RulesService.GetRules");
  }
  grpc::ServerUnaryReactor* UpdateRules(grpc::CallbackServerContext* context,
                                        const v1::UpdateRulesRequest*,
                                        v1::RulesDocument*) override {
    return UnservedUnary(context, "RulesService.UpdateRules");
  }
  grpc::ServerUnaryReactor* DeleteRules(grpc::CallbackServerContext* context,
                                        const v1::DeleteRulesRequest*,
                                        v1::DeleteRulesResponse*) override {
    return UnservedUnary(context, "RulesService.DeleteRules");
  }
  grpc::ServerUnaryReactor* ListRules(grpc::CallbackServerContext* context,
                                      const v1::ListRulesRequest*,
                                      v1::ListRulesResponse*) override {
    return UnservedUnary(context, "RulesService.ListRules");
  }
  grpc::ServerUnaryReactor* ValidateRules(grpc::CallbackServerContext* context,
                                          const v1::ValidateRulesRequest*,
                                          v1::ValidateRulesResponse*) override {
    return UnservedUnary(context, "RulesService.ValidateRules");
  }
  grpc::ServerUnaryReactor* TestRules(grpc::CallbackServerContext* context,
                                      const v1::TestRulesRequest*,
                                      v1::TestRulesResponse*) override {
    return UnservedUnary(context, "RulesService.TestRules");
  }
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
