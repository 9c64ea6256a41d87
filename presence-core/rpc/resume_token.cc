#include "presence-core/rpc/resume_token.h"

#include "absl/strings/escaping.h"
#include "presence-core/model/error.h"
#include "presence-core/model/request_key.h"

namespace presence {
namespace {

void AppendNumber(uint64_t number, std::string& out) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(number >> shift));
}

uint64_t ReadNumber(std::string_view bytes) {
  uint64_t number = 0;
  for (unsigned char c : bytes.substr(0, 8)) number = number << 8 | c;
  return number;
}

std::string IdentityHash(std::string_view identity) {
  const RequestKey key = RequestKey::Of({"watch", identity});
  return std::string(reinterpret_cast<const char*>(key.bytes.data()), 8);
}

}  // namespace

std::string ToResumeToken(std::string_view identity, const std::vector<Revision>& known) {
  std::string token = IdentityHash(identity);
  for (const Revision& revision : known) {
    AppendNumber(revision.epoch, token);
    AppendNumber(revision.seq, token);
  }
  return absl::WebSafeBase64Escape(token);
}

absl::StatusOr<std::vector<Revision>> FromResumeToken(const std::string& token,
                                                      std::string_view identity, size_t targets) {
  std::string bytes;
  const std::string hash = IdentityHash(identity);
  if (!absl::WebSafeBase64Unescape(token, &bytes) || bytes.size() != hash.size() + targets * 16 ||
      !bytes.starts_with(hash)) {
    return BadToken("resume_token");
  }
  std::vector<Revision> known;
  std::string_view rest = std::string_view(bytes).substr(hash.size());
  for (; !rest.empty(); rest.remove_prefix(16)) {
    known.push_back({ReadNumber(rest), ReadNumber(rest.substr(8))});
  }
  return known;
}

}  // namespace presence
