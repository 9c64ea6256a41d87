#include "sip-gateway/translate/identity.h"

#include <vector>

namespace presence::sip {
namespace {

// The URI as text, if it is one that can name somebody.
std::string NamingUri(std::string_view text) {
  const absl::StatusOr<SipUri> uri = SipUri::Parse(text);
  if (!uri.ok() || (!uri->is_sip_or_sips() && !uri->is_tel())) return {};
  return uri->text();
}

}  // namespace

std::string IdentityOf(const Message& request, const Trust& trust) {
  std::string asserted;
  if (trust.is_trusted_peer) {
    for (const NameAddr& identity : request.asserted_identities()) {
      std::string uri = NamingUri(identity.uri);
      if (uri.empty()) continue;
      const bool is_sip = uri.starts_with("sip");
      if (asserted.empty() || is_sip) asserted = std::move(uri);
      if (is_sip) break;
    }
  }
  return asserted.empty() ? std::string(request.from().uri) : asserted;
}

std::string SenderOf(const Message& request, const Trust& trust) {
  if (!trust.is_trusted_peer || trust.sender_header.empty()) return {};
  const std::optional<std::string_view> value = request.header(trust.sender_header);
  if (!value.has_value()) return {};
  const std::string unfolded = Unfold(*value);
  const absl::StatusOr<NameAddr> address = ParseNameAddr(unfolded);
  return address.ok() ? NamingUri(address->uri) : std::string();
}

}  // namespace presence::sip
