#ifndef PRESENCE_SIP_GATEWAY_TRANSACTION_STORED_ANSWER_H_
#define PRESENCE_SIP_GATEWAY_TRANSACTION_STORED_ANSWER_H_

#include <cstdint>
#include <cstring>
#include <string_view>

namespace presence::sip {

// Everything about an answer that is not in the request it answers nor in the configuration: with
// the request at hand again, which a retransmission brings, the same bytes can be printed again. So
// an answered request costs tens of bytes for its 32 seconds and not a kilobyte. A value, without
// pointers.
class StoredAnswer {
 public:
  static constexpr size_t kTagBytes = 58;

  uint16_t status = 0;
  uint16_t detail = 0;  // the printer's own: which phrase, which headers
  uint32_t seconds =
      0;  // Expires of a 2xx, Min-Expires of a 423, Retry-After of a 503: no status has two

  std::string_view to_tag() const { return {text_, to_tag_size_}; }
  std::string_view etag() const { return {text_ + to_tag_size_, etag_size_}; }

  // False, and nothing is changed, if the two are longer together than there is room for.
  [[nodiscard]] bool SetTags(std::string_view to_tag, std::string_view etag) {
    if (to_tag.size() + etag.size() > kTagBytes) return false;
    to_tag_size_ = static_cast<uint8_t>(to_tag.size());
    etag_size_ = static_cast<uint8_t>(etag.size());
    std::memcpy(text_, to_tag.data(), to_tag.size());
    std::memcpy(text_ + to_tag.size(), etag.data(), etag.size());
    return true;
  }

 private:
  uint8_t to_tag_size_ = 0;
  uint8_t etag_size_ = 0;
  char text_[kTagBytes] = {};
};
static_assert(sizeof(StoredAnswer) == 68);

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_TRANSACTION_STORED_ANSWER_H_
