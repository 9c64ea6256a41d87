#include "sip-gateway/locating/location_procedure.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "sip-gateway/locating/locate_errors.h"
#include "sip-gateway/locating/srv_order.h"

namespace presence::sip {
namespace {

struct Transport {
  TargetProtocol protocol;
  std::string_view naptr_service;  // RFC 3263 §4.1, RFC 7118 §5.5
  std::string_view srv_prefix;     // RFC 3263 §4.2
  uint16_t default_port;           // RFC 3261 §19.1.2, RFC 7118 §5.5
  bool is_secure;
};

constexpr std::array<Transport, 5> kTransports = {{
    {TargetProtocol::kUdp, "SIP+D2U", "_sip._udp.", 5060, false},
    {TargetProtocol::kTcp, "SIP+D2T", "_sip._tcp.", 5060, false},
    {TargetProtocol::kTls, "SIPS+D2T", "_sips._tcp.", 5061, true},
    {TargetProtocol::kWs, "SIP+D2W", "_sip._ws.", 80, false},
    {TargetProtocol::kWss, "SIPS+D2W", "_sips._ws.", 443, true},
}};

const Transport& TransportOf(TargetProtocol protocol) {
  return *std::ranges::find(kTransports, protocol, &Transport::protocol);
}

// Null for services that are not SIP's.
const Transport* TransportOfService(std::string_view service) {
  const auto it = std::ranges::find(kTransports, service, &Transport::naptr_service);
  return it == kTransports.end() ? nullptr : &*it;
}

// Families to ask for and to use, the preferred one first.
std::vector<RecordType> AddressTypes(const LocationRules& rules) {
  std::vector<RecordType> types;
  if (rules.has_ipv4) types.push_back(RecordType::kA);
  if (rules.has_ipv6) {
    types.insert(rules.is_ipv6_first ? types.begin() : types.end(), RecordType::kAaaa);
  }
  return types;
}

class Procedure {
 public:
  Procedure(const Destination& destination, const LocationRules& rules, const DnsFacts& facts,
            Random& random, bool is_last_try)
      : destination_(destination),
        rules_(rules),
        facts_(facts),
        random_(random),
        is_last_try_(is_last_try),
        address_types_(AddressTypes(rules)) {}

  LocationStep Run() {
    absl::Status status = Follow();
    LocationStep step;
    if (!status.ok()) {
      step.result = std::move(status);
    } else if (missing_.empty()) {
      step.result = Expand();
    }
    step.missing = std::move(missing_);
    return step;
  }

 private:
  // Hosts to try by RFC 2782; a host that no SRV record named is a set of one.
  struct ServerSet {
    TargetProtocol protocol;
    std::vector<SrvRecord> servers;
  };
  enum class SrvOutcome { kWaiting, kFound, kNone, kFailed };

  absl::Status Follow();
  absl::Status FollowNumeric(const IpLiteral& ip, TargetProtocol protocol);
  void FollowNaptr();
  void FollowNaptrRecords(std::vector<NaptrRecord> records);
  void FollowSrv(const std::vector<TargetProtocol>& protocols, TargetProtocol otherwise);
  SrvOutcome CollectSrv(const std::string& name, TargetProtocol protocol);
  void CollectHost(const std::string& host, uint16_t port, TargetProtocol protocol);
  bool HasAddressSince(size_t first_set);
  LocateResult Expand();
  void ExpandHost(const SrvRecord& server, TargetProtocol protocol, std::vector<Target>& targets);

  bool Supports(TargetProtocol protocol) const {
    return std::ranges::find(rules_.protocols, protocol) != rules_.protocols.end();
  }
  // RFC 3263 §4.1: a sips URI goes over TLS; a sip URI may, if the client can.
  bool IsApplicable(TargetProtocol protocol) const {
    return Supports(protocol) && (!destination_.is_sips || TransportOf(protocol).is_secure);
  }
  absl::StatusOr<std::optional<TargetProtocol>> ProtocolOfUri() const;
  absl::StatusOr<TargetProtocol> DefaultProtocol() const;

  // The reply to a question; null when it is one of the missing now.
  const DnsReply* Known(RecordType type, std::string_view name);

  const Destination& destination_;
  const LocationRules& rules_;
  const DnsFacts& facts_;
  Random& random_;
  const bool is_last_try_;
  const std::vector<RecordType> address_types_;

  std::string name_;  // TARGET of RFC 3263, when it is a name
  std::vector<ServerSet> sets_;
  std::vector<DnsQuestion> missing_;
  std::string failure_;  // the first thing the DNS did not tell; empty: it told all
};

absl::StatusOr<std::optional<TargetProtocol>> Procedure::ProtocolOfUri() const {
  const std::string transport = absl::AsciiStrToLower(destination_.transport);
  const bool is_sips = destination_.is_sips;
  if (transport.empty()) return std::nullopt;

  TargetProtocol protocol;
  if (transport == "udp") {
    if (is_sips) return SipsOverUdp();
    protocol = TargetProtocol::kUdp;
  } else if (transport == "tcp") {
    // RFC 3261 §26.2.2: in a sips URI the transport parameter names what lies below TLS.
    protocol = is_sips ? TargetProtocol::kTls : TargetProtocol::kTcp;
  } else if (transport == "tls") {
    // Deprecated by RFC 3261 §26.2.2, and what phones put into their Contact all the same.
    protocol = TargetProtocol::kTls;
  } else if (transport == "ws" || transport == "wss") {
    protocol = is_sips || transport == "wss" ? TargetProtocol::kWss : TargetProtocol::kWs;
  } else {
    return UnsupportedTransport(transport);
  }
  if (!Supports(protocol)) return UnsupportedTransport(ProtocolName(protocol));
  return protocol;
}

absl::StatusOr<TargetProtocol> Procedure::DefaultProtocol() const {
  // RFC 3263 §4.1: UDP for sip, TCP for sips, which means TLS on it.
  const TargetProtocol by_rfc = destination_.is_sips ? TargetProtocol::kTls : TargetProtocol::kUdp;
  if (Supports(by_rfc)) return by_rfc;
  // A "SHOULD" for sip: without a UDP listener TCP is the only way that can work.
  if (!destination_.is_sips && Supports(TargetProtocol::kTcp)) return TargetProtocol::kTcp;
  return UnsupportedTransport(ProtocolName(by_rfc));
}

absl::Status Procedure::Follow() {
  const absl::StatusOr<std::optional<TargetProtocol>> of_uri = ProtocolOfUri();
  if (!of_uri.ok()) return of_uri.status();
  const absl::StatusOr<TargetProtocol> protocol =
      of_uri->has_value() ? absl::StatusOr<TargetProtocol>(**of_uri) : DefaultProtocol();
  if (!protocol.ok()) return protocol.status();

  const std::string& target = destination_.maddr.empty() ? destination_.host : destination_.maddr;
  if (const auto ip = IpLiteral::Parse(target)) return FollowNumeric(*ip, *protocol);
  if (!IsHostName(target)) return BadHost(target);
  name_ = CanonicalName(target);

  if (destination_.port != 0) {
    CollectHost(name_, destination_.port, *protocol);
  } else if (of_uri->has_value()) {
    FollowSrv({*protocol}, *protocol);
  } else {
    FollowNaptr();
  }
  return absl::OkStatus();
}

absl::Status Procedure::FollowNumeric(const IpLiteral& ip, TargetProtocol protocol) {
  if (!ip.is_unicast()) return NotUnicast(ip.text());
  if (ip.is_v6() ? !rules_.has_ipv6 : !rules_.has_ipv4) return UnsupportedFamily(ip.text());
  name_ = ip.text();
  const uint16_t port = destination_.port ? destination_.port : TransportOf(protocol).default_port;
  sets_.push_back({protocol, {SrvRecord{.port = port, .host = ip.text()}}});
  return absl::OkStatus();
}

void Procedure::FollowNaptr() {
  const DnsReply* reply = Known(RecordType::kNaptr, name_);
  if (reply == nullptr) return;
  // A failed NAPTR query counts as no NAPTR records: middleboxes that drop the type are common, and
  // the SRV queries will tell whether the DNS is there.
  std::vector<NaptrRecord> applicable;
  for (const NaptrRecord& record : reply->naptr) {
    const Transport* transport = TransportOfService(record.service);
    if (transport != nullptr && IsApplicable(transport->protocol)) applicable.push_back(record);
  }
  if (!applicable.empty()) {
    FollowNaptrRecords(std::move(applicable));
    return;
  }
  std::vector<TargetProtocol> protocols;
  std::ranges::copy_if(rules_.protocols, std::back_inserter(protocols),
                       [&](TargetProtocol p) { return IsApplicable(p); });
  // Follow() has found that there is a default.
  FollowSrv(protocols, *DefaultProtocol());
}

void Procedure::FollowNaptrRecords(std::vector<NaptrRecord> records) {
  std::ranges::stable_sort(records, {},
                           [](const NaptrRecord& r) { return std::pair(r.order, r.preference); });
  if (records.size() > rules_.max_naptr_records) records.resize(rules_.max_naptr_records);

  bool was_answered = true;
  for (auto record = records.begin(); record != records.end();) {
    // RFC 3403 §4.1: once a record matches, none of a higher order may be considered. All of one
    // order are, by preference; a higher order only when what matched leads nowhere.
    const uint16_t order = record->order;
    const size_t first_set = sets_.size();
    for (; record != records.end() && record->order == order; ++record) {
      const TargetProtocol protocol = TransportOfService(record->service)->protocol;
      if (CollectSrv(record->replacement, protocol) == SrvOutcome::kFailed) was_answered = false;
    }
    if (!missing_.empty() || HasAddressSince(first_set)) return;
  }
  if (!was_answered) return;
  // RFC 3263 §4.2: no SRV records were found, so the name itself, over what NAPTR chose.
  const Transport& chosen = *TransportOfService(records.front().service);
  if (sets_.empty()) CollectHost(name_, chosen.default_port, chosen.protocol);
}

void Procedure::FollowSrv(const std::vector<TargetProtocol>& protocols, TargetProtocol otherwise) {
  bool is_unanswered = false;
  bool is_found = false;
  for (const TargetProtocol protocol : protocols) {
    switch (CollectSrv(std::string(TransportOf(protocol).srv_prefix) + name_, protocol)) {
      case SrvOutcome::kFound:
        is_found = true;
        break;
      case SrvOutcome::kWaiting:
      case SrvOutcome::kFailed:
        is_unanswered = true;
        break;
      case SrvOutcome::kNone:
        break;
    }
  }
  // RFC 3263 §4.2: the name itself if there are no SRV records. "Not there" must have been said:
  // after a failed query the address of the name may be that of the domain's web server, whose
  // answer to a NOTIFY would end a subscription that is well.
  if (!is_found && !is_unanswered)
    CollectHost(name_, TransportOf(otherwise).default_port, otherwise);
}

Procedure::SrvOutcome Procedure::CollectSrv(const std::string& name, TargetProtocol protocol) {
  const DnsReply* reply = Known(RecordType::kSrv, name);
  if (reply == nullptr) return SrvOutcome::kWaiting;
  if (reply->outcome == DnsReply::Outcome::kFailed) return SrvOutcome::kFailed;
  if (reply->outcome == DnsReply::Outcome::kNone) return SrvOutcome::kNone;

  std::vector<SrvRecord> servers;
  // RFC 2782: the target "." says that the service is decidedly not available; that is an answer
  // too.
  std::ranges::copy_if(reply->srv, std::back_inserter(servers),
                       [](const SrvRecord& r) { return !r.host.empty() && r.port != 0; });
  std::ranges::stable_sort(servers, {}, &SrvRecord::priority);
  if (servers.size() > rules_.max_srv_records) servers.resize(rules_.max_srv_records);
  for (const SrvRecord& server : servers) {
    for (const RecordType type : address_types_) Known(type, server.host);
  }
  sets_.push_back({protocol, std::move(servers)});
  return SrvOutcome::kFound;
}

void Procedure::CollectHost(const std::string& host, uint16_t port, TargetProtocol protocol) {
  for (const RecordType type : address_types_) Known(type, host);
  sets_.push_back({protocol, {SrvRecord{.port = port, .host = host}}});
}

bool Procedure::HasAddressSince(size_t first_set) {
  std::vector<Target> targets;
  for (size_t i = first_set; i < sets_.size(); ++i) {
    for (const SrvRecord& server : sets_[i].servers) {
      ExpandHost(server, sets_[i].protocol, targets);
      if (!targets.empty()) return true;
    }
  }
  return false;
}

LocateResult Procedure::Expand() {
  std::vector<Target> targets;
  for (ServerSet& set : sets_) {
    for (const SrvRecord& server : OrderSrv(std::move(set.servers), random_)) {
      ExpandHost(server, set.protocol, targets);
    }
  }
  if (!targets.empty()) return targets;
  if (!failure_.empty()) return DnsUnavailable(name_, failure_);
  return NothingInDns(name_);
}

void Procedure::ExpandHost(const SrvRecord& server, TargetProtocol protocol,
                           std::vector<Target>& targets) {
  const auto add = [&](const IpLiteral& ip) {
    if (!ip.is_unicast() || (ip.is_v6() ? !rules_.has_ipv6 : !rules_.has_ipv4)) return;
    Target target{protocol, ip.text(), server.port};
    if (targets.size() >= rules_.max_targets) return;
    if (std::ranges::find(targets, target) == targets.end()) targets.push_back(std::move(target));
  };
  if (const auto ip = IpLiteral::Parse(server.host)) {
    add(*ip);
    return;
  }
  for (const RecordType type : address_types_) {
    const DnsReply* reply = Known(type, server.host);
    if (reply == nullptr) continue;
    const size_t count = std::min(reply->addresses.size(), rules_.max_addresses);
    std::for_each_n(reply->addresses.begin(), count, add);
  }
}

const DnsReply* Procedure::Known(RecordType type, std::string_view name) {
  static const DnsReply kNothing = NoRecordsReply();
  static const DnsReply kNotInTime = FailedReply("no answer in time");
  static const DnsReply kTooMany = FailedReply("it takes more questions than allowed");
  // A service prefix can make a name too long to be one; nothing can be registered there.
  if (!IsDnsName(name)) return &kNothing;

  DnsQuestion question{type, std::string(name)};
  const DnsReply* reply = nullptr;
  if (const auto it = facts_.find(question); it != facts_.end()) {
    reply = it->second.get();
  } else if (is_last_try_) {
    reply = &kNotInTime;
  } else if (std::ranges::find(missing_, question) != missing_.end()) {
    return nullptr;
  } else if (facts_.size() + missing_.size() >= rules_.max_questions) {
    reply = &kTooMany;
  } else {
    missing_.push_back(std::move(question));
    return nullptr;
  }
  const bool is_failed = reply->outcome == DnsReply::Outcome::kFailed;
  if (is_failed && failure_.empty()) {
    failure_ = ToString({type, std::string(name)}) + ": " + reply->failure;
  }
  return reply;
}

}  // namespace

LocationStep LocateFromFacts(const Destination& destination, const LocationRules& rules,
                             const DnsFacts& facts, Random& random, bool is_last_try) {
  return Procedure(destination, rules, facts, random, is_last_try).Run();
}

}  // namespace presence::sip
