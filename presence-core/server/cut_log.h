#ifndef PRESENCE_CORE_SERVER_CUT_LOG_H_
#define PRESENCE_CORE_SERVER_CUT_LOG_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "presence-core/engine/document_cuts.h"
#include "presence-core/telemetry/core_metrics.h"
#include "runtime/clock.h"

namespace presence {

// Counts the documents that could not show everything, and says so in the log: at once, and then at
// most every ten seconds, for a busy presentity makes many of them. Safe to call from any thread.
class CutLog final : public DocumentCuts {
 public:
  static constexpr absl::Duration kPause = absl::Seconds(10);

  // `warn` takes a line; called without locks.
  CutLog(const Clock& clock, std::function<void(const std::string&)> warn)
      : clock_(clock), warn_(std::move(warn)) {}

  void OnCut(const ResourceKey& resource, CutDocument of, size_t left_out) override;
  CutCounters counters() const;

 private:
  const Clock& clock_;
  const std::function<void(const std::string&)> warn_;
  mutable absl::Mutex mu_;
  CutCounters counters_ ABSL_GUARDED_BY(mu_);
  absl::Time quiet_until_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
  uint64_t unsaid_ ABSL_GUARDED_BY(mu_) = 0;  // since the last line
};

}  // namespace presence

#endif  // PRESENCE_CORE_SERVER_CUT_LOG_H_
