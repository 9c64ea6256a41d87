#ifndef PRESENCE_CORE_MODEL_ADDRESS_OF_RECORD_H_
#define PRESENCE_CORE_MODEL_ADDRESS_OF_RECORD_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"

namespace presence {

// How addresses are compared; one setting for a whole server.
struct AddressRules {
  // Folds the user part to lower case, as sip_uri_match=1 did. RFC 3261 §19.1.4 compares it with
  // case.
  bool fold_user_case = false;
};

// The identity behind a URI, `user@host`: the user percent-decoded with its case kept (unless
// folded), the host in lower case; scheme, password, port, parameters and headers dropped. `tel:`
// becomes its digits at the host "tel". A value; compares by its text.
//
// Accepts "sip:alice@example.com;transport=tcp", "sips:...", "pres:...", "tel:+1-202-555-0100",
// "alice@example.com" and "domains/example.com/users/alice" (where ~HH stands for a byte).
class AddressOfRecord {
 public:
  AddressOfRecord() = default;

  // `field` is named in the error. Errors: INVALID_URI   not one of the forms, another scheme, no
  // user, a host that is none (or "tel" in a SIP URI), a control character or broken UTF-8 after
  // decoding, more than 512 bytes.
  static absl::StatusOr<AddressOfRecord> Parse(std::string_view text, std::string_view field,
                                               AddressRules rules = {});

  // "user@host", the user unescaped: for keys and for people. What parses back is Uri().
  const std::string& text() const { return text_; }
  std::string_view user() const { return std::string_view(text_).substr(0, at_); }
  std::string_view host() const {
    return empty() ? std::string_view() : std::string_view(text_).substr(at_ + 1);
  }
  bool empty() const { return text_.empty(); }

  // The address whose text() this is, for reading back what was stored; nothing for a text that no
  // address has.
  static std::optional<AddressOfRecord> FromText(std::string_view text);

  // A URI of this address: "sip:user@host" with the user escaped again, or "tel:+digits". Empty for
  // an empty address.
  std::string Uri() const;

  friend bool operator==(const AddressOfRecord& a, const AddressOfRecord& b) {
    return a.text_ == b.text_;
  }
  friend auto operator<=>(const AddressOfRecord& a, const AddressOfRecord& b) {
    return a.text_ <=> b.text_;
  }
  template <typename H>
  friend H AbslHashValue(H h, const AddressOfRecord& a) {
    return H::combine(std::move(h), a.text_);
  }

 private:
  AddressOfRecord(std::string user, std::string_view host);

  std::string text_;
  uint32_t at_ = 0;
};

// Who is watched, and who watches: the same shape, but never to be swapped.
class PresentityUri : public AddressOfRecord {
 public:
  PresentityUri() = default;
  static absl::StatusOr<PresentityUri> Parse(std::string_view text, AddressRules rules = {});
  static std::optional<PresentityUri> FromText(std::string_view text);

 private:
  explicit PresentityUri(AddressOfRecord a) : AddressOfRecord(std::move(a)) {}
};

class WatcherUri : public AddressOfRecord {
 public:
  WatcherUri() = default;
  static absl::StatusOr<WatcherUri> Parse(std::string_view text, AddressRules rules = {});
  static std::optional<WatcherUri> FromText(std::string_view text);

 private:
  explicit WatcherUri(AddressOfRecord a) : AddressOfRecord(std::move(a)) {}
};

}  // namespace presence

#endif  // PRESENCE_CORE_MODEL_ADDRESS_OF_RECORD_H_
