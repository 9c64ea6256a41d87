#include "presence-core/model/resource_key.h"

#include <string_view>

namespace presence {
namespace {

// FNV-1a, 64 bits, folded: simple enough to be written again in SQL or in another language.
uint64_t Fnv1a(std::string_view bytes, uint64_t hash) {
  for (unsigned char c : bytes) {
    hash ^= c;
    hash *= 0x100000001b3ULL;
  }
  return hash;
}

}  // namespace

uint32_t ResourceKey::StableHash() const {
  uint64_t hash = Fnv1a(presentity.text(), 0xcbf29ce484222325ULL);
  hash = Fnv1a(std::string_view("\0", 1), hash);
  hash = Fnv1a(event.text(), hash);
  return static_cast<uint32_t>(hash ^ (hash >> 32));
}

}  // namespace presence
