#include "sip-gateway/locating/reply_reader.h"

#include <ares.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/time/time.h"
#include "sip-gateway/locating/reply_lifetime.h"

namespace presence::sip {
namespace {

constexpr size_t kMaxRecords = 64;

struct FreeAresData {
  void operator()(void* data) const { ares_free_data(data); }
};
template <typename T>
using AresList = std::unique_ptr<T, FreeAresData>;

std::string UpperCase(const unsigned char* text) {
  std::string upper(text ? reinterpret_cast<const char*>(text) : "");
  absl::AsciiStrToUpper(&upper);
  return upper;
}

int ReadAddresses(std::span<const uint8_t> message, std::vector<IpLiteral>& out) {
  std::array<ares_addrttl, kMaxRecords> records;
  int count = static_cast<int>(records.size());
  const int status = ares_parse_a_reply(message.data(), static_cast<int>(message.size()), nullptr,
                                        records.data(), &count);
  for (int i = 0; status == ARES_SUCCESS && i < count; ++i) {
    std::array<uint8_t, 4> bytes;
    std::memcpy(bytes.data(), &records[static_cast<size_t>(i)].ipaddr, bytes.size());
    out.push_back(IpLiteral::FromV4(bytes));
  }
  return status;
}

int ReadAddresses6(std::span<const uint8_t> message, std::vector<IpLiteral>& out) {
  std::array<ares_addr6ttl, kMaxRecords> records;
  int count = static_cast<int>(records.size());
  const int status = ares_parse_aaaa_reply(message.data(), static_cast<int>(message.size()),
                                           nullptr, records.data(), &count);
  for (int i = 0; status == ARES_SUCCESS && i < count; ++i) {
    std::array<uint8_t, 16> bytes;
    std::memcpy(bytes.data(), &records[static_cast<size_t>(i)].ip6addr, bytes.size());
    out.push_back(IpLiteral::FromV6(bytes));
  }
  return status;
}

int ReadSrv(std::span<const uint8_t> message, std::vector<SrvRecord>& out) {
  ares_srv_reply* parsed = nullptr;
  const int status =
      ares_parse_srv_reply(message.data(), static_cast<int>(message.size()), &parsed);
  const AresList<ares_srv_reply> owner(parsed);
  for (const ares_srv_reply* r = parsed; r != nullptr; r = r->next) {
    const std::string_view host = r->host ? r->host : "";
    const bool is_root = host.empty() || host == ".";
    if (!is_root && !IsHostName(host)) continue;
    out.push_back({r->priority, r->weight, r->port, is_root ? "" : CanonicalName(host)});
  }
  std::ranges::stable_sort(out, {}, &SrvRecord::priority);
  if (out.size() > kMaxRecords) out.resize(kMaxRecords);
  return status;
}

int ReadNaptr(std::span<const uint8_t> message, std::vector<NaptrRecord>& out) {
  ares_naptr_reply* parsed = nullptr;
  const int status =
      ares_parse_naptr_reply(message.data(), static_cast<int>(message.size()), &parsed);
  const AresList<ares_naptr_reply> owner(parsed);
  for (const ares_naptr_reply* r = parsed; r != nullptr; r = r->next) {
    // RFC 3263 §4.1: the record has an empty regular expression, and its replacement is an SRV
    // name. Records that lead to more NAPTR records (empty flags) are not SIP's, so there is no
    // chain to bound.
    const std::string_view replacement = r->replacement ? r->replacement : "";
    const bool is_for_srv = UpperCase(r->flags) == "S" && UpperCase(r->regexp).empty();
    if (!is_for_srv || !IsDnsName(replacement)) continue;
    out.push_back({r->order, r->preference, UpperCase(r->service), CanonicalName(replacement)});
  }
  std::ranges::stable_sort(out, {},
                           [](const NaptrRecord& r) { return std::pair(r.order, r.preference); });
  if (out.size() > kMaxRecords) out.resize(kMaxRecords);
  return status;
}

int ReadRecords(RecordType type, std::span<const uint8_t> message, DnsReply& reply) {
  switch (type) {
    case RecordType::kA:
      return ReadAddresses(message, reply.addresses);
    case RecordType::kAaaa:
      return ReadAddresses6(message, reply.addresses);
    case RecordType::kSrv:
      return ReadSrv(message, reply.srv);
    case RecordType::kNaptr:
      return ReadNaptr(message, reply.naptr);
  }
  return ARES_EBADRESP;
}

}  // namespace

DnsReply ReadReply(RecordType type, std::span<const uint8_t> message) {
  DnsReply reply;
  const int status = ReadRecords(type, message, reply);
  const std::optional<ReplyLifetime> lifetime = ReadReplyLifetime(message);
  if (status == ARES_ENODATA) return ReadNegativeReply(message);
  if (status != ARES_SUCCESS) return FailedReply(ares_strerror(status));
  if (!lifetime) return FailedReply("malformed records");

  const bool is_empty = reply.addresses.empty() && reply.srv.empty() && reply.naptr.empty();
  reply.outcome = is_empty ? DnsReply::Outcome::kNone : DnsReply::Outcome::kRecords;
  reply.ttl = lifetime->positive.value_or(absl::ZeroDuration());
  return reply;
}

DnsReply ReadNegativeReply(std::span<const uint8_t> message) {
  DnsReply reply;
  reply.outcome = DnsReply::Outcome::kNone;
  if (const auto lifetime = ReadReplyLifetime(message)) {
    reply.ttl = lifetime->negative.value_or(absl::ZeroDuration());
  }
  return reply;
}

}  // namespace presence::sip
