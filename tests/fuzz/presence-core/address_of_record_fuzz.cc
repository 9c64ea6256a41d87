// Identities: what parses is clean text with a user and a host, and its URI parses to the same
// again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "presence-core/model/address_of_record.h"
#include "presence-core/model/error.h"
#include "presence-core/model/utf8.h"

namespace presence {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void Check(std::string_view text, AddressRules rules) {
  const auto address = AddressOfRecord::Parse(text, "presentity", rules);
  if (!address.ok()) {
    Require(ReasonOf(address.status()) == ErrorReason::kInvalidUri);
    Require(IsCleanText(std::string(address.status().message())));
    return;
  }
  Require(!address->user().empty() && !address->host().empty());
  Require(IsCleanText(address->text()));
  Require(address->text() == std::string(address->user()) + "@" + std::string(address->host()));
  const std::string uri = address->Uri();
  for (char c : uri) Require(c > 0x20 && c < 0x7F && c != '<' && c != '>' && c != '"');
  // Escapes make it up to three times as long, past what is taken.
  if (uri.size() > 512) return;
  const auto again = AddressOfRecord::Parse(uri, "presentity", rules);
  Require(again.ok() && *again == *address && again->Uri() == uri);
}

}  // namespace
}  // namespace presence

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  presence::Check(text, {});
  presence::Check(text, {.fold_user_case = true});
  return 0;
}
