#ifndef PRESENCE_SIP_GATEWAY_DIALOGS_HOP_MEMORY_H_
#define PRESENCE_SIP_GATEWAY_DIALOGS_HOP_MEMORY_H_

#include "absl/container/flat_hash_set.h"
#include "sip-gateway/locating/locator.h"
#include "sip-gateway/transaction/client_transactions.h"

namespace presence::sip {

// Carries what the transactions learn about next hops to the locator, so that the next NOTIFY does
// not start at one that failed (RFC 3263 4.3). Lives on the gateway's thread.
class HopMemory final : public HopObserver {
 public:
  explicit HopMemory(Locator& locator) : locator_(locator) {}

  void OnHopFailed(const NextHop& hop, std::optional<uint32_t> retry_after_seconds) override;
  void OnHopAnswered(const NextHop& hop) override;

 private:
  Locator& locator_;
  // Those told dead and not yet alive: nearly every answer comes from a hop that never failed, and
  // costs a look in here.
  absl::flat_hash_set<SocketAddress> failed_;
};

// The same hop in the words of the other room.
Target TargetOf(const NextHop& hop);

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_DIALOGS_HOP_MEMORY_H_
