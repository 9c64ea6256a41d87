#ifndef PRESENCE_CORE_RPC_WATCH_STREAM_H_
#define PRESENCE_CORE_RPC_WATCH_STREAM_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "presence-core/engine/engine.h"
#include "presence-core/rpc/ownership.h"
#include "presence/v1/presence.pb.h"
#include "runtime/clock.h"
#include "runtime/executor.h"
#include "runtime/random.h"

namespace presence {

class WatchStream;

// The Watch streams of a server, over gRPC; what they say is WatchSession's.
class WatchStreams {
 public:
  // `max_queue`: items that may wait for one stream.
  WatchStreams(Engine& engine, Executor& executor, const Clock& clock, Random& random,
               size_t max_queue, IsOwner is_owner)
      : engine_(engine),
        executor_(executor),
        clock_(clock),
        random_(random),
        max_queue_(max_queue),
        is_owner_(std::move(is_owner)) {}

  // Serves one call; gRPC owns what is returned.
  grpc::ServerWriteReactor<v1::WatchResponse>* Start(const v1::WatchRequest& request);

  // Ends every stream with DRAINING, and those that come later at once.
  void Drain();

 private:
  friend class WatchStream;

  Engine& engine_;
  Executor& executor_;
  const Clock& clock_;
  Random& random_;
  const size_t max_queue_;
  const IsOwner is_owner_;

  absl::Mutex mu_;  // a leaf
  std::set<std::shared_ptr<WatchStream>> streams_ ABSL_GUARDED_BY(mu_);
  bool is_draining_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace presence

#endif  // PRESENCE_CORE_RPC_WATCH_STREAM_H_
