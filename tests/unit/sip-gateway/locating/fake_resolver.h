#ifndef PRESENCE_TESTS_UNIT_SIP_GATEWAY_LOCATING_FAKE_RESOLVER_H_
#define PRESENCE_TESTS_UNIT_SIP_GATEWAY_LOCATING_FAKE_RESOLVER_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "sip-gateway/locating/dns_resolver.h"

namespace presence::sip {

// A DnsResolver whose replies the test gives, one question at a time and in any order.
class FakeResolver final : public DnsResolver {
 public:
  void Ask(const DnsQuestion& question, absl::AnyInvocable<void(DnsReply)> done) override {
    asked_.push_back(ToString(question));
    open_.emplace_back(question, std::move(done));
  }

  // Replies to the oldest open question with this text; false if there is none.
  [[nodiscard]] bool Reply(const std::string& question, DnsReply reply) {
    for (auto it = open_.begin(); it != open_.end(); ++it) {
      if (ToString(it->first) != question) continue;
      auto done = std::move(it->second);
      open_.erase(it);
      done(std::move(reply));
      return true;
    }
    return false;
  }

  // All questions so far, in order.
  const std::vector<std::string>& asked() const { return asked_; }
  size_t open() const { return open_.size(); }

 private:
  std::vector<std::string> asked_;
  std::vector<std::pair<DnsQuestion, absl::AnyInvocable<void(DnsReply)>>> open_;
};

inline DnsReply AddressesReply(const std::vector<std::string>& addresses, absl::Duration ttl) {
  DnsReply reply;
  reply.outcome = DnsReply::Outcome::kRecords;
  reply.ttl = ttl;
  for (const std::string& address : addresses) {
    reply.addresses.push_back(*IpLiteral::Parse(address));
  }
  return reply;
}

}  // namespace presence::sip

#endif  // PRESENCE_TESTS_UNIT_SIP_GATEWAY_LOCATING_FAKE_RESOLVER_H_
