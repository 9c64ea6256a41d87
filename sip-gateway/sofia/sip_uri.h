#ifndef PRESENCE_SIP_GATEWAY_SOFIA_SIP_URI_H_
#define PRESENCE_SIP_GATEWAY_SOFIA_SIP_URI_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sip-gateway/sofia/grammar.h"

namespace presence::sip {

// A URI as it was written, cut into its parts: a value. sip and sips by RFC 3261 19.1.1, tel by RFC
// 3966; of any other scheme only the scheme and the opaque rest (in `user`) are known.
class SipUri {
 public:
  // Errors: INVALID_ARGUMENT   not a URI, or a sip, sips or tel URI against its grammar (a missing
  // or
  //                            malformed host, a port over 65535, a bad escape, a character out of
  //                            place).
  static absl::StatusOr<SipUri> Parse(std::string_view text);

  const std::string& text() const { return text_; }

  // Lower case.
  const std::string& scheme() const { return scheme_; }
  bool is_sip_or_sips() const { return scheme_ == "sip" || scheme_ == "sips"; }
  bool is_tel() const { return scheme_ == "tel"; }

  // User part as written: escapes kept, password cut off. For tel the number. Empty when there is
  // none.
  std::string_view user() const { return View(user_); }
  std::string_view password() const { return View(password_); }

  // Host as written, an IPv6 address without its brackets. Empty for tel and other schemes.
  std::string_view host() const { return View(host_); }
  bool is_ipv6() const { return is_ipv6_; }

  // 0 when the URI has none.
  uint16_t port() const { return port_; }

  // `;transport=tcp;lr` with the leading semicolon, or empty.
  std::string_view parameters() const { return View(parameters_); }
  // After the question mark, or empty.
  std::string_view headers() const { return View(headers_); }

  std::optional<std::string_view> parameter(std::string_view name) const {
    return FindParameter(parameters(), name);
  }
  bool has_parameter(std::string_view name) const { return parameter(name).has_value(); }

  // RFC 3261 19.1.4 for sip and sips; by text otherwise. Not transitive, so not operator==.
  bool IsEquivalentTo(const SipUri& other) const;

 private:
  struct Range {
    uint32_t begin = 0;
    uint32_t size = 0;
  };
  std::string_view View(Range r) const { return std::string_view(text_).substr(r.begin, r.size); }

  static Range RangeOf(size_t begin, size_t end);

  SipUri() = default;
  absl::Status ParseSip(size_t after_scheme);
  absl::Status ParseTel(size_t after_scheme);
  absl::Status ParseOpaque(size_t after_scheme);
  absl::Status ParseHostPort(size_t begin, size_t end);

  std::string text_;
  std::string scheme_;
  Range user_, password_, host_, parameters_, headers_;
  uint16_t port_ = 0;
  bool is_ipv6_ = false;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_SOFIA_SIP_URI_H_
