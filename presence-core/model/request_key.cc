#include "presence-core/model/request_key.h"

#include <openssl/sha.h>

#include <cstring>
#include <string>

namespace presence {

RequestKey RequestKey::Of(std::initializer_list<std::string_view> parts) {
  std::string joined;
  for (std::string_view part : parts) {
    const uint64_t length = part.size();
    joined.append(reinterpret_cast<const char*>(&length), sizeof(length));
    joined.append(part);
  }
  uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const uint8_t*>(joined.data()), joined.size(), digest);
  RequestKey key;
  std::memcpy(key.bytes.data(), digest, key.bytes.size());
  return key;
}

}  // namespace presence
