#ifndef PRESENCE_CORE_RPC_ADMIN_SERVICE_H_
#define PRESENCE_CORE_RPC_ADMIN_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include "presence-core/engine/engine.h"
#include "presence-core/rpc/ownership.h"
#include "presence/v1/admin.grpc.pb.h"

namespace presence {

// AdminService over gRPC: Cleanup, GetServerInfo, Export and Import are served, the others say that
// they are not yet. Safe to call from any thread.
class AdminService final : public v1::AdminService::CallbackService {
 public:
  // `info`: what GetServerInfo answers, but for the epoch, the packages and the time.
  AdminService(Engine& engine, const Clock& clock, IsOwner is_owner, v1::ServerInfo info);

  grpc::ServerUnaryReactor* Cleanup(grpc::CallbackServerContext* context,
                                    const v1::CleanupRequest* request,
                                    v1::CleanupResponse* response) override;
  grpc::ServerUnaryReactor* GetServerInfo(grpc::CallbackServerContext* context,
                                          const v1::GetServerInfoRequest* request,
                                          v1::ServerInfo* response) override;

  grpc::ServerWriteReactor<v1::SystemSnapshot>* Snapshot(grpc::CallbackServerContext*,
                                                         const v1::SnapshotRequest*) override;
  grpc::ServerWriteReactor<v1::TraceItem>* Trace(grpc::CallbackServerContext*,
                                                 const v1::TraceRequest*) override;
  grpc::ServerWriteReactor<v1::ExportResponse>* Export(grpc::CallbackServerContext*,
                                                       const v1::ExportRequest* request) override;
  grpc::ServerBidiReactor<v1::ImportRequest, v1::ImportResponse>* Import(
      grpc::CallbackServerContext*) override;
  grpc::ServerUnaryReactor* ReloadConfig(grpc::CallbackServerContext* context,
                                         const v1::ReloadConfigRequest*,
                                         v1::ReloadConfigResponse*) override;
  grpc::ServerUnaryReactor* SetLogLevel(grpc::CallbackServerContext* context,
                                        const v1::SetLogLevelRequest*,
                                        v1::SetLogLevelResponse*) override;
  grpc::ServerUnaryReactor* ListGateways(grpc::CallbackServerContext* context,
                                         const v1::ListGatewaysRequest*,
                                         v1::ListGatewaysResponse*) override;
  grpc::ServerUnaryReactor* DrainGateway(grpc::CallbackServerContext* context,
                                         const v1::DrainGatewayRequest*, v1::Gateway*) override;

 private:
  Engine& engine_;
  const Clock& clock_;
  const IsOwner is_owner_;
  v1::ServerInfo info_;
};

}  // namespace presence

#endif  // PRESENCE_CORE_RPC_ADMIN_SERVICE_H_
