#include "sip-gateway/server/settings.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace presence::sip {
namespace {

const HostFacts kHost{.host_name = "box", .version = "1.2.3"};

v1::GatewayConfig SomeConfig() {
  v1::GatewayConfig config;
  config.add_listen("udp:127.0.0.1:0");
  config.add_listen("tcp:[::1]:5062");
  config.mutable_core()->add_addresses("unix:/run/core");
  config.mutable_core()->mutable_resend_timeout()->set_seconds(4);
  config.mutable_core()->mutable_absent_timeout()->set_nanos(500'000'000);
  config.mutable_sip()->mutable_t1()->set_nanos(250'000'000);
  config.mutable_sip()->mutable_t2()->set_seconds(2);
  config.mutable_transaction()->set_max_answers(5000);
  config.mutable_transport()->set_max_connections_per_source(7);
  config.mutable_transport()->mutable_message_deadline()->set_seconds(3);
  return config;
}

TEST(SettingsTest, TakesOverWhatTheConfigurationSays) {
  v1::GatewayConfig config = SomeConfig();
  config.set_name("edge-1");
  config.set_group("edge");
  config.add_domains("example.com");
  config.add_trusted_peers("192.0.2.0/24");
  config.mutable_sip()->set_contact("sip:sip.example.com");
  config.mutable_sip()->set_user_agent("phones");
  config.mutable_notify()->set_on_flow_lost(v1::ON_FLOW_LOST_REMOVE);

  const auto settings = GatewaySettingsOf(config, kHost);

  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->link.gateway, "edge-1");
  EXPECT_EQ(settings->link.group, "edge");
  EXPECT_THAT(settings->link.addresses, testing::ElementsAre("unix:/run/core"));
  EXPECT_EQ(settings->link.answer_timeout, absl::Seconds(4));
  EXPECT_EQ(settings->link.core_lost_after, absl::Milliseconds(500));
  EXPECT_THAT(settings->domains, testing::ElementsAre("example.com"));
  EXPECT_TRUE(settings->trusted_peers.Contains(*IpAddress::Parse("192.0.2.9")));
  EXPECT_EQ(settings->contact, "sip:sip.example.com");
  EXPECT_EQ(settings->product, "phones");
  EXPECT_EQ(settings->client_transactions.t1, absl::Milliseconds(250));
  EXPECT_EQ(settings->client_transactions.t2, absl::Seconds(2));
  EXPECT_EQ(settings->server_transactions.t1, absl::Milliseconds(250));
  EXPECT_EQ(settings->server_transactions.max_answers, 5000u);
  EXPECT_TRUE(settings->removes_on_flow_lost);
}

TEST(SettingsTest, FillsInWhatTheHostKnows) {
  const auto settings = GatewaySettingsOf(SomeConfig(), kHost);

  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(settings->link.gateway, "box");
  EXPECT_EQ(settings->product, "sip-gateway/1.2.3");
  EXPECT_FALSE(settings->removes_on_flow_lost);
}

// S15
TEST(SettingsTest, ReadsSenderOnlyWhereConfigured) {
  v1::GatewayConfig config = SomeConfig();
  EXPECT_EQ(GatewaySettingsOf(config, kHost)->sender_header, "");

  config.mutable_sip()->set_sender_header(true);
  EXPECT_EQ(GatewaySettingsOf(config, kHost)->sender_header, "Sender");
}

TEST(SettingsTest, OpensTheListenersConfigured) {
  const auto transport = TransportConfigOf(SomeConfig());

  ASSERT_TRUE(transport.ok()) << transport.status();
  ASSERT_THAT(transport->listeners, testing::SizeIs(2));
  EXPECT_EQ(transport->listeners[0].protocol, Protocol::kUdp);
  EXPECT_EQ(transport->listeners[0].bind.ToString(), "127.0.0.1:0");
  EXPECT_EQ(transport->listeners[0].advertised_host, "");
  EXPECT_EQ(transport->listeners[1].protocol, Protocol::kTcp);
  EXPECT_EQ(transport->listeners[1].bind.ToString(), "[::1]:5062");
  EXPECT_EQ(transport->max_connections_per_source, 7u);
  EXPECT_EQ(transport->message_deadline, absl::Seconds(3));
}

// N09
TEST(SettingsTest, AdvertisesAnAddressForAllOrForOneProtocol) {
  v1::GatewayConfig config = SomeConfig();
  config.add_advertise("sip.example.com");
  config.add_advertise("tcp:[2001:db8::1]:5070");

  const auto transport = TransportConfigOf(config);

  ASSERT_TRUE(transport.ok()) << transport.status();
  EXPECT_EQ(transport->listeners[0].advertised_host, "sip.example.com");
  EXPECT_EQ(transport->listeners[0].advertised_port, 0);
  EXPECT_EQ(transport->listeners[1].advertised_host, "[2001:db8::1]");
  EXPECT_EQ(transport->listeners[1].advertised_port, 5070);
}

TEST(SettingsTest, NamesTheValueItCannotUse) {
  v1::GatewayConfig listen = SomeConfig();
  listen.add_listen("sctp:127.0.0.1:5060");
  EXPECT_THAT(std::string(TransportConfigOf(listen).status().message()),
              testing::HasSubstr("sctp:127.0.0.1:5060"));

  v1::GatewayConfig advertise = SomeConfig();
  advertise.add_advertise("udp::99999");
  EXPECT_THAT(std::string(TransportConfigOf(advertise).status().message()),
              testing::HasSubstr("udp::99999"));

  v1::GatewayConfig peer = SomeConfig();
  peer.add_trusted_peers("somebody");
  EXPECT_THAT(std::string(GatewaySettingsOf(peer, kHost).status().message()),
              testing::HasSubstr("somebody"));

  v1::GatewayConfig core = SomeConfig();
  core.mutable_core()->clear_addresses();
  EXPECT_THAT(std::string(GatewaySettingsOf(core, kHost).status().message()),
              testing::HasSubstr("core.addresses"));
}

TEST(SettingsTest, LooksForTargetsOnlyWhereItHasListeners) {
  v1::GatewayConfig config = SomeConfig();
  config.clear_listen();
  config.add_listen("tcp:127.0.0.1:5060");

  const LocationRules rules = LocationRulesOf(*TransportConfigOf(config));

  EXPECT_THAT(rules.protocols, testing::ElementsAre(TargetProtocol::kTcp));
  EXPECT_TRUE(rules.has_ipv4);
  EXPECT_FALSE(rules.has_ipv6);
}

}  // namespace
}  // namespace presence::sip
