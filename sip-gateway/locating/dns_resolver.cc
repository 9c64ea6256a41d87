#include "sip-gateway/locating/dns_resolver.h"

namespace presence::sip {

std::string_view RecordTypeName(RecordType type) {
  switch (type) {
    case RecordType::kA:
      return "A";
    case RecordType::kAaaa:
      return "AAAA";
    case RecordType::kSrv:
      return "SRV";
    case RecordType::kNaptr:
      return "NAPTR";
  }
  return "unknown";
}

std::string ToString(const DnsQuestion& question) {
  return std::string(RecordTypeName(question.type)) + " " + question.name;
}

DnsReply NoRecordsReply() {
  DnsReply reply;
  reply.outcome = DnsReply::Outcome::kNone;
  return reply;
}

DnsReply FailedReply(std::string_view why) {
  DnsReply reply;
  reply.failure = std::string(why);
  return reply;
}

}  // namespace presence::sip
