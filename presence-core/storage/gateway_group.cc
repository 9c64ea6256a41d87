#include "presence-core/storage/gateway_group.h"

#include <fmt/format.h>

#include "presence-core/model/error.h"

namespace presence {
namespace {

constexpr absl::Duration kRetryAfter = absl::Seconds(1);

}  // namespace

absl::StatusOr<GatewayGroups::Claim> GatewayGroups::Decide(const GatewayGroup& stored) const {
  if (stored.core == core_) return Claim{false, stored.fence};
  if (!stored.core_lives || stored.others == 0) return Claim{true, stored.fence + 1};
  return CoreUnreachable(fmt::format("core {} at {} instructs the other gateways of group {}",
                                     stored.core, stored.address, stored.name),
                         kRetryAfter);
}

bool GatewayGroups::OnStored(const std::string& group, const Claim& claim) {
  const auto [told, is_first] = fences_.try_emplace(group, claim.fence);
  return is_first || std::exchange(told->second, claim.fence) != claim.fence;
}

}  // namespace presence
