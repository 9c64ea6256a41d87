#include "sip-gateway/locating/reply_lifetime.h"

#include <algorithm>
#include <cstddef>

namespace presence::sip {
namespace {

constexpr uint16_t kTypeSoa = 6;

// Reads forward through a DNS message (RFC 1035 §4.1). After a read past the end is_good() is false
// and all further reads give zero.
class Cursor {
 public:
  explicit Cursor(std::span<const uint8_t> rest) : rest_(rest) {}

  bool is_good() const { return is_good_; }

  void Skip(size_t bytes) {
    if (bytes > rest_.size()) {
      is_good_ = false;
      rest_ = {};
      return;
    }
    rest_ = rest_.subspan(bytes);
  }

  uint32_t Number(size_t bytes) {
    if (bytes > rest_.size()) {
      Skip(bytes);
      return 0;
    }
    uint32_t value = 0;
    for (size_t i = 0; i < bytes; ++i) value = value << 8 | rest_[i];
    Skip(bytes);
    return value;
  }

  // A name ends at the root label or at its first pointer; where that leads is not of interest
  // here.
  void SkipName() {
    while (is_good_) {
      const uint32_t length = Number(1);
      if (length == 0) return;
      if ((length & 0xc0) == 0xc0) return Skip(1);
      if (length > 63) is_good_ = false;  // RFC 1035 §4.1.4: 01 and 10 are reserved
      Skip(length);
    }
  }

 private:
  std::span<const uint8_t> rest_;
  bool is_good_ = true;
};

absl::Duration Ttl(uint32_t seconds) {
  // RFC 2181 §8: a TTL with the top bit set counts as zero.
  return absl::Seconds(seconds >> 31 ? 0 : seconds);
}

void Shorten(std::optional<absl::Duration>& known, absl::Duration ttl) {
  known = known ? std::min(*known, ttl) : ttl;
}

// Skips one resource record (RFC 1035 §4.1.3) and returns its TTL; `soa_minimum` is set if it is an
// SOA.
absl::Duration ReadRecord(Cursor& cursor, std::optional<absl::Duration>& soa_minimum) {
  cursor.SkipName();
  const uint32_t type = cursor.Number(2);
  cursor.Skip(2);  // class
  const absl::Duration ttl = Ttl(cursor.Number(4));
  const uint32_t length = cursor.Number(2);
  // RFC 1035 §3.3.13: MINIMUM is the last of the five numbers that end an SOA.
  if (type == kTypeSoa && length >= 20) {
    cursor.Skip(length - 4);
    soa_minimum = Ttl(cursor.Number(4));
  } else {
    cursor.Skip(length);
  }
  return ttl;
}

}  // namespace

std::optional<ReplyLifetime> ReadReplyLifetime(std::span<const uint8_t> message) {
  Cursor cursor(message);
  cursor.Skip(4);  // id, flags
  const uint32_t questions = cursor.Number(2);
  const uint32_t answers = cursor.Number(2);
  const uint32_t authorities = cursor.Number(2);
  cursor.Skip(2);  // additional records
  for (uint32_t i = 0; i < questions && cursor.is_good(); ++i) {
    cursor.SkipName();
    cursor.Skip(4);  // type, class
  }

  ReplyLifetime lifetime;
  std::optional<absl::Duration> soa_minimum;
  for (uint32_t i = 0; i < answers && cursor.is_good(); ++i) {
    Shorten(lifetime.positive, ReadRecord(cursor, soa_minimum));
  }
  for (uint32_t i = 0; i < authorities && cursor.is_good(); ++i) {
    soa_minimum.reset();
    const absl::Duration ttl = ReadRecord(cursor, soa_minimum);
    if (soa_minimum) Shorten(lifetime.negative, std::min(ttl, *soa_minimum));
  }
  if (!cursor.is_good()) return std::nullopt;
  return lifetime;
}

}  // namespace presence::sip
