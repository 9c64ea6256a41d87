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

Identity IdentityOf(const Message& request, const Trust& trust) {
  std::string sip;
  std::string tel;
  if (trust.is_trusted_peer) {
    for (const NameAddr& identity : request.asserted_identities()) {
      std::string uri = NamingUri(identity.uri);
      std::string& kind = uri.starts_with("sip") ? sip : tel;
      if (kind.empty()) kind = std::move(uri);
    }
  }
  if (!sip.empty()) return {std::move(sip), std::move(tel)};
  if (!tel.empty()) return {std::move(tel), {}};
  return {std::string(request.from().uri), {}};
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
