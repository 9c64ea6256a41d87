#include "presence-core/rpc/gateway_roster.h"

#include <algorithm>
#include <utility>

#include "presence-core/model/error.h"

namespace presence {

void GatewayRoster::Greet(std::shared_ptr<GatewayEnd> stream, const v1::Hello& hello,
                          Greeted greeted) {
  if (!Register(stream, hello)) return greeted(Draining(absl::Seconds(1)));
  if (!claims_.is_needed()) return greeted(absl::OkStatus());
  const std::string& gateway = hello.gateway();
  const std::string& group = hello.group().empty() ? hello.gateway() : hello.group();
  {
    absl::MutexLock lock(&mu_);
    Connected& connected = connected_[gateway];
    connected.group = group;
    connected.has_claimed = true;
  }
  claims_.claim(
      group, gateway,
      [this, stream = std::move(stream), gateway, group,
       greeted = std::move(greeted)](auto is_new) mutable {
        executor_.Post([this, stream = std::move(stream), gateway, group,
                        is_new = std::move(is_new), greeted = std::move(greeted)]() mutable {
          OnClaimed(stream, gateway, group, is_new, std::move(greeted));
        });
      });
}

bool GatewayRoster::Register(const std::shared_ptr<GatewayEnd>& stream, const v1::Hello& hello) {
  std::shared_ptr<GatewayEnd> older;
  {
    absl::MutexLock lock(&mu_);
    if (is_closed_) return false;
    auto it = connected_.find(hello.gateway());
    if (it != connected_.end()) {
      if (it->second.incarnation == hello.incarnation() &&
          it->second.stream_number > hello.stream_number()) {
        return false;
      }
      older = it->second.stream;
    }
    connected_[hello.gateway()] = {stream, hello.incarnation(), hello.stream_number()};
  }
  if (older != nullptr) older->End(Draining(absl::ZeroDuration()));
  return true;
}

void GatewayRoster::OnClaimed(const std::shared_ptr<GatewayEnd>& stream, const std::string& gateway,
                              const std::string& group, const absl::StatusOr<bool>& is_new,
                              Greeted greeted) {
  if (!is_new.ok()) {
    {
      absl::MutexLock lock(&mu_);
      auto it = connected_.find(gateway);
      if (it != connected_.end() && it->second.stream == stream) it->second.has_claimed = false;
    }
    return greeted(is_new.status());
  }
  // Also when the stream has ended meanwhile: the next claim will not say so again.
  if (*is_new) engine_.AdoptGroup(group);
  if (stream->is_ended()) {
    // The claim has been or will be left behind it.
    if (*is_new && !HasGateways(group)) engine_.LeaveGroup(group);
    return;
  }
  if (!*is_new) engine_.ResumeGroup(group);
  greeted(absl::OkStatus());
}

bool GatewayRoster::HasGateways(const std::string& group) const {
  absl::MutexLock lock(&mu_);
  return std::any_of(connected_.begin(), connected_.end(),
                     [&](const auto& each) { return each.second.group == group; });
}

void GatewayRoster::OnGone(const GatewayEnd& stream) {
  std::string gateway;
  Connected gone;
  bool has_other = false;
  {
    absl::MutexLock lock(&mu_);
    const auto it = std::find_if(connected_.begin(), connected_.end(), [&](const auto& each) {
      return each.second.stream.get() == &stream;
    });
    if (it == connected_.end()) return;  // another stream of its gateway has taken its place
    gateway = it->first;
    gone = std::move(it->second);
    connected_.erase(it);
    has_other = std::any_of(connected_.begin(), connected_.end(),
                            [&](const auto& each) { return each.second.group == gone.group; });
  }
  if (!gone.has_claimed) return;
  if (!has_other) engine_.LeaveGroup(gone.group);
  claims_.leave(gone.group, gateway);
}

std::vector<std::shared_ptr<GatewayEnd>> GatewayRoster::streams() const {
  absl::MutexLock lock(&mu_);
  std::vector<std::shared_ptr<GatewayEnd>> streams;
  for (const auto& [gateway, connected] : connected_) streams.push_back(connected.stream);
  return streams;
}

void GatewayRoster::Close() {
  absl::MutexLock lock(&mu_);
  is_closed_ = true;
}

size_t GatewayRoster::size() const {
  absl::MutexLock lock(&mu_);
  return connected_.size();
}

}  // namespace presence
