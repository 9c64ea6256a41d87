#include "sip-gateway/translate/contact.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sip-gateway/translate/abseil_text.h"

namespace presence::sip {

std::string ContactUri(std::string_view host_port, std::string_view transport, bool is_sips) {
  std::string uri = absl::StrCat(is_sips ? "sips:" : "sip:", Abseil(host_port));
  if (!absl::EqualsIgnoreCase(Abseil(transport), "udp")) {
    absl::StrAppend(&uri, ";transport=", absl::AsciiStrToLower(Abseil(transport)));
  }
  return uri;
}

}  // namespace presence::sip
