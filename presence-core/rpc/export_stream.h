#ifndef PRESENCE_CORE_RPC_EXPORT_STREAM_H_
#define PRESENCE_CORE_RPC_EXPORT_STREAM_H_

#include <grpcpp/grpcpp.h>

#include "presence-core/engine/engine.h"
#include "presence-core/rpc/ownership.h"
#include "presence/v1/admin.pb.h"
#include "runtime/clock.h"

namespace presence {

// Serves one AdminService.Export: a page of records, and when it has been written the next; it ends
// when the state may be another core's. gRPC owns what is returned.
grpc::ServerWriteReactor<v1::ExportResponse>* NewExportStream(const Engine& engine,
                                                              const Clock& clock, IsOwner is_owner,
                                                              const v1::ExportRequest& request);

}  // namespace presence

#endif  // PRESENCE_CORE_RPC_EXPORT_STREAM_H_
