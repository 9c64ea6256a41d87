#include "sip-gateway/transport/transport.h"

#include "absl/strings/str_cat.h"

namespace presence::sip {

std::string Listener::SentBy() const { return absl::StrCat(advertised_host, ":", advertised_port); }

std::string_view SendFailureText(SendFailure failure) {
  switch (failure) {
    case SendFailure::kRefused:
      return "refused by the peer";
    case SendFailure::kUnreachable:
      return "unreachable";
    case SendFailure::kTimedOut:
      return "timed out";
    case SendFailure::kClosed:
      return "connection closed";
    case SendFailure::kNoListener:
      return "no listener of this protocol and address family";
    case SendFailure::kTooLong:
      return "longer than a datagram";
    case SendFailure::kOverload:
      return "too much is waiting for this peer";
  }
  return "unknown";
}

const Listener* Transport::ListenerFor(const NextHop& hop) const {
  const absl::Span<const Listener> all = listeners();
  const Listener* const wanted = hop.listener < all.size() ? &all[hop.listener] : nullptr;
  const auto serves = [&hop](const Listener& listener) {
    return listener.protocol == hop.protocol &&
           listener.local.ip().is_v6() == hop.remote.ip().is_v6();
  };
  if (wanted != nullptr && serves(*wanted)) return wanted;
  const Listener* first = nullptr;
  for (const Listener& listener : all) {
    if (!serves(listener)) continue;
    if (wanted != nullptr && listener.local.ip() == wanted->local.ip()) return &listener;
    if (first == nullptr) first = &listener;
  }
  return first;
}

}  // namespace presence::sip
