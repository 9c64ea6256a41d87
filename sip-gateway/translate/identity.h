#ifndef PRESENCE_SIP_GATEWAY_TRANSLATE_IDENTITY_H_
#define PRESENCE_SIP_GATEWAY_TRANSLATE_IDENTITY_H_

#include <string>
#include <string_view>

#include "sip-gateway/sofia/message.h"

namespace presence::sip {

// How far the sender of a request is believed about who it is.
struct Trust {
  // The request came straight from a peer of `trusted_peers`.
  bool is_trusted_peer = false;
  // Header in which a trusted peer names the publishing device, such as "Sender"; empty: none is
  // read.
  std::string_view sender_header = {};
};

struct Identity {
  std::string uri;
  // The tel URI that was asserted beside a SIP one; else empty.
  std::string alias;
};

// Who asks: what a trusted peer asserts (RFC 3325 8), else From, which is no more than a claim.
// From anybody else P-Asserted-Identity is ignored (S15). Of two asserted URIs, a sip and a tel one
// (RFC 3325 9.1), the SIP one is the name that winfo shows.
Identity IdentityOf(const Message& request, const Trust& trust);

// URI of the publishing device, for `sip.sender_header`; empty unless a trusted peer names one.
std::string SenderOf(const Message& request, const Trust& trust);

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_TRANSLATE_IDENTITY_H_
