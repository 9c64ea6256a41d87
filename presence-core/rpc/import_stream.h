#ifndef PRESENCE_CORE_RPC_IMPORT_STREAM_H_
#define PRESENCE_CORE_RPC_IMPORT_STREAM_H_

#include <grpcpp/grpcpp.h>

#include "presence-core/engine/engine.h"
#include "presence/v1/admin.pb.h"
#include "runtime/clock.h"

namespace presence {

// Serves one AdminService.Import: reads a message, hands its records to the engine all at once, so
// that they share its commits, and answers when all of them are durable or refused. Then the next:
// so memory is bounded, and a checkpoint is never ahead of what is durable. gRPC owns what is
// returned.
grpc::ServerBidiReactor<v1::ImportRequest, v1::ImportResponse>* NewImportStream(Engine& engine,
                                                                                const Clock& clock);

}  // namespace presence

#endif  // PRESENCE_CORE_RPC_IMPORT_STREAM_H_
