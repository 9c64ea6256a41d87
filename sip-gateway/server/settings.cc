#include "sip-gateway/server/settings.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace presence::sip {
namespace {

absl::Duration ToAbsl(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

absl::Status BadValue(const char* key, const std::string& value, const char* what) {
  return absl::InvalidArgumentError(absl::StrCat(key, " \"", value, "\": ", what));
}

// Takes "udp:" or "tcp:" off the front.
std::optional<Protocol> ConsumeProtocol(std::string_view& text) {
  for (const auto& [prefix, protocol] :
       {std::pair<std::string_view, Protocol>("udp:", Protocol::kUdp), {"tcp:", Protocol::kTcp}}) {
    if (!text.starts_with(prefix)) continue;
    text.remove_prefix(prefix.size());
    return protocol;
  }
  return std::nullopt;
}

struct Advertised {
  std::optional<Protocol> protocol;  // none: for listeners of every protocol
  std::string host;
  uint16_t port = 0;
};

absl::StatusOr<Advertised> ParseAdvertised(const std::string& value) {
  std::string_view text = value;
  Advertised advertised;
  advertised.protocol = ConsumeProtocol(text);
  const size_t colon = text.rfind(':');
  const size_t bracket = text.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  advertised.host = std::string(text.substr(0, has_port ? colon : text.size()));
  uint32_t port = 0;
  if (has_port && (!absl::SimpleAtoi(std::string(text.substr(colon + 1)), &port) || port > 65535)) {
    return BadValue("advertise", value, "the port must be between 1 and 65535");
  }
  if (advertised.host.empty()) return BadValue("advertise", value, "there is no host in it");
  advertised.port = static_cast<uint16_t>(port);
  return advertised;
}

// The entry for this listener: one of its protocol before one for all.
const Advertised* AdvertisedFor(const std::vector<Advertised>& all, Protocol protocol) {
  const Advertised* general = nullptr;
  for (const Advertised& advertised : all) {
    if (advertised.protocol == protocol) return &advertised;
    if (!advertised.protocol.has_value() && general == nullptr) general = &advertised;
  }
  return general;
}

}  // namespace

absl::StatusOr<GatewaySettings> GatewaySettingsOf(const v1::GatewayConfig& config,
                                                  const HostFacts& host) {
  GatewaySettings settings;
  settings.link.gateway = config.name().empty() ? host.host_name : config.name();
  settings.link.group = config.group();
  settings.link.addresses = {config.core().addresses().begin(), config.core().addresses().end()};
  if (settings.link.addresses.empty()) {
    return absl::InvalidArgumentError("core.addresses: there must be at least one");
  }
  settings.link.answer_timeout = ToAbsl(config.core().resend_timeout());
  settings.link.core_lost_after = ToAbsl(config.core().absent_timeout());

  settings.domains = {config.domains().begin(), config.domains().end()};
  const std::vector<std::string> peers = {config.trusted_peers().begin(),
                                          config.trusted_peers().end()};
  absl::StatusOr<TrustedPeers> trusted = TrustedPeers::Parse(peers);
  if (!trusted.ok()) return trusted.status();
  settings.trusted_peers = *std::move(trusted);

  if (config.sip().sender_header()) settings.sender_header = "Sender";
  settings.contact = config.sip().contact();
  settings.product = config.sip().user_agent().empty() ? absl::StrCat("sip-gateway/", host.version)
                                                       : config.sip().user_agent();
  settings.client_transactions.t1 = ToAbsl(config.sip().t1());
  settings.client_transactions.t2 = ToAbsl(config.sip().t2());
  settings.server_transactions.t1 = ToAbsl(config.sip().t1());
  settings.server_transactions.max_answers = config.transaction().max_answers();
  settings.removes_on_flow_lost = config.notify().on_flow_lost() == v1::ON_FLOW_LOST_REMOVE;
  return settings;
}

absl::StatusOr<TransportConfig> TransportConfigOf(const v1::GatewayConfig& config) {
  std::vector<Advertised> all_advertised;
  for (const std::string& value : config.advertise()) {
    absl::StatusOr<Advertised> advertised = ParseAdvertised(value);
    if (!advertised.ok()) return advertised.status();
    all_advertised.push_back(*std::move(advertised));
  }

  TransportConfig transport;
  for (const std::string& value : config.listen()) {
    std::string_view text = value;
    const std::optional<Protocol> protocol = ConsumeProtocol(text);
    const std::optional<SocketAddress> address = SocketAddress::Parse(text);
    if (!protocol.has_value() || !address.has_value()) {
      return BadValue("listen", value, "not udp:IP:PORT or tcp:IP:PORT");
    }
    ListenerConfig listener{.protocol = *protocol, .bind = *address, .advertised_host = {}};
    if (const Advertised* advertised = AdvertisedFor(all_advertised, *protocol)) {
      listener.advertised_host = advertised->host;
      listener.advertised_port = advertised->port;
    }
    transport.listeners.push_back(std::move(listener));
  }
  if (transport.listeners.empty()) {
    return absl::InvalidArgumentError("listen: there must be at least one address");
  }
  transport.max_connections_per_source = config.transport().max_connections_per_source();
  transport.max_connections = config.transport().max_connections();
  transport.message_deadline = ToAbsl(config.transport().message_deadline());
  transport.idle_timeout = ToAbsl(config.transport().idle_timeout());
  transport.connect_timeout = ToAbsl(config.transport().connect_timeout());
  return transport;
}

LocationRules LocationRulesOf(const TransportConfig& transport) {
  LocationRules rules;
  rules.protocols.clear();
  rules.has_ipv4 = false;
  rules.has_ipv6 = false;
  for (const ListenerConfig& listener : transport.listeners) {
    const TargetProtocol protocol =
        listener.protocol == Protocol::kUdp ? TargetProtocol::kUdp : TargetProtocol::kTcp;
    if (std::find(rules.protocols.begin(), rules.protocols.end(), protocol) ==
        rules.protocols.end()) {
      rules.protocols.push_back(protocol);
    }
    (listener.bind.ip().is_v6() ? rules.has_ipv6 : rules.has_ipv4) = true;
  }
  return rules;
}

}  // namespace presence::sip
