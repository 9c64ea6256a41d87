#include "sip-gateway/dialogs/hop_memory.h"

namespace presence::sip {
namespace {

// Watchers that vanish may be many; forgetting that one failed costs no more than a MarkAlive()
// unsaid.
constexpr size_t kMaxFailed = 65'536;

}  // namespace

void HopMemory::OnHopFailed(const NextHop& hop, std::optional<uint32_t> retry_after_seconds) {
  if (failed_.size() >= kMaxFailed) failed_.clear();
  failed_.insert(hop.remote);
  locator_.MarkDead(TargetOf(hop), absl::Seconds(retry_after_seconds.value_or(0)));
}

void HopMemory::OnHopAnswered(const NextHop& hop) {
  if (failed_.empty() || failed_.erase(hop.remote) == 0) return;
  locator_.MarkAlive(TargetOf(hop));
}

Target TargetOf(const NextHop& hop) {
  return {.protocol = hop.protocol == Protocol::kUdp ? TargetProtocol::kUdp : TargetProtocol::kTcp,
          .ip = hop.remote.ip().ToString(),
          .port = hop.remote.port()};
}

}  // namespace presence::sip
