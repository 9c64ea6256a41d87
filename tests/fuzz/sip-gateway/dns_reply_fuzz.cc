// Any bytes as the answer of a DNS server: whatever is read from them must be usable as it is.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "sip-gateway/locating/reply_reader.h"

namespace {

using presence::sip::DnsReply;
using presence::sip::RecordType;

void Require(bool holds) {
  if (!holds) std::abort();
}

void Check(RecordType type, const DnsReply& reply) {
  const size_t records = reply.addresses.size() + reply.srv.size() + reply.naptr.size();
  const bool is_positive = reply.outcome == DnsReply::Outcome::kRecords;
  Require(is_positive == (records > 0));
  Require(records <= 64);
  Require(reply.ttl >= absl::ZeroDuration() && reply.ttl <= absl::Seconds(INT32_MAX));
  Require(reply.srv.empty() || type == RecordType::kSrv);
  Require(reply.naptr.empty() || type == RecordType::kNaptr);
  for (const auto& srv : reply.srv) {
    Require(srv.host.empty() || presence::sip::IsHostName(srv.host));
  }
  for (const auto& naptr : reply.naptr) Require(presence::sip::IsDnsName(naptr.replacement));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const uint8_t> message(data, size);
  for (const RecordType type :
       {RecordType::kA, RecordType::kAaaa, RecordType::kSrv, RecordType::kNaptr}) {
    Check(type, presence::sip::ReadReply(type, message));
  }
  Check(RecordType::kA, presence::sip::ReadNegativeReply(message));
  return 0;
}
