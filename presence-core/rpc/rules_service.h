#ifndef PRESENCE_CORE_RPC_RULES_SERVICE_H_
#define PRESENCE_CORE_RPC_RULES_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include "presence-core/engine/engine.h"
#include "presence-core/rpc/convert.h"
#include "presence-core/rpc/ownership.h"
#include "presence/v1/rules.grpc.pb.h"

namespace presence {

// RulesService over gRPC. Hard state is served; rules and lists say that they are not yet. Safe to
// call from any thread.
class RulesService final : public v1::RulesService::CallbackService {
 public:
  RulesService(Engine& engine, const Clock& clock, IsOwner is_owner)
      : engine_(engine), is_owner_(std::move(is_owner)), convert_(engine, clock) {}

  grpc::ServerUnaryReactor* CreateRules(grpc::CallbackServerContext* context,
                                        const v1::CreateRulesRequest* request,
                                        v1::RulesDocument* response) override;
  grpc::ServerUnaryReactor* GetRules(grpc::CallbackServerContext* context,
                                     const v1::GetRulesRequest* request,
                                     v1::RulesDocument* response) override;
  grpc::ServerUnaryReactor* UpdateRules(grpc::CallbackServerContext* context,
                                        const v1::UpdateRulesRequest* request,
                                        v1::RulesDocument* response) override;
  grpc::ServerUnaryReactor* DeleteRules(grpc::CallbackServerContext* context,
                                        const v1::DeleteRulesRequest* request,
                                        v1::DeleteRulesResponse* response) override;
  grpc::ServerUnaryReactor* ListRules(grpc::CallbackServerContext* context,
                                      const v1::ListRulesRequest* request,
                                      v1::ListRulesResponse* response) override;
  grpc::ServerUnaryReactor* ValidateRules(grpc::CallbackServerContext* context,
                                          const v1::ValidateRulesRequest* request,
                                          v1::ValidateRulesResponse* response) override;
  grpc::ServerUnaryReactor* TestRules(grpc::CallbackServerContext* context,
                                      const v1::TestRulesRequest* request,
                                      v1::TestRulesResponse* response) override;

 private:
  grpc::ServerUnaryReactor* Put(grpc::CallbackServerContext* context,
                                absl::StatusOr<PutDocumentCommand> command,
                                v1::RulesDocument* response);
  absl::Status List(const v1::ListRulesRequest& request, v1::ListRulesResponse& response) const;
  absl::Status Validate(const v1::ValidateRulesRequest& request,
                        v1::ValidateRulesResponse& response) const;

  Engine& engine_;
  const IsOwner is_owner_;
  const Converter convert_;
};

}  // namespace presence

#endif  // PRESENCE_CORE_RPC_RULES_SERVICE_H_
