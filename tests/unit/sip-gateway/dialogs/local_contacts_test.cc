#include "sip-gateway/dialogs/local_contacts.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sip-gateway/dialogs/flow_name.h"
#include "tests/unit/sip-gateway/transaction/fake_transport.h"

namespace presence::sip {
namespace {

// N09
TEST(LocalContactsTest, NamesEachListenerInItsOwnWay) {
  FakeTransport transport;
  transport.AddListener(Protocol::kTcp, "[2001:db8::1]:5062");
  const LocalContacts contacts(transport.listeners());

  EXPECT_EQ(contacts.Of(0, false), "sip:192.0.2.1:5060");
  EXPECT_EQ(contacts.Of(1, false), "sip:192.0.2.1:5060;transport=tcp");
  EXPECT_EQ(contacts.Of(2, false), "sip:[2001:db8::1]:5062;transport=tcp");
  EXPECT_EQ(contacts.Of(kAnyListener, false), "sip:192.0.2.1:5060");
}

// S16
TEST(LocalContactsTest, IsSipsWhereAskedBySips) {
  FakeTransport transport;
  const LocalContacts contacts(transport.listeners());

  EXPECT_EQ(contacts.Of(0, true), "sips:192.0.2.1:5060");
  EXPECT_EQ(contacts.ListenerOf("sips:192.0.2.1:5060;transport=tcp"), 1);
}

TEST(LocalContactsTest, FindsTheListenerAgain) {
  FakeTransport transport;
  const LocalContacts contacts(transport.listeners());

  EXPECT_EQ(contacts.ListenerOf("sip:192.0.2.1:5060"), 0);
  EXPECT_EQ(contacts.ListenerOf("sip:192.0.2.1:5060;transport=tcp"), 1);
  EXPECT_EQ(contacts.ListenerOf("sip:192.0.2.2:5060"), kAnyListener);
}

TEST(LocalContactsTest, TakesAConfiguredContactForAllListeners) {
  FakeTransport transport;
  const LocalContacts contacts(transport.listeners(), "sip:presence@sip.example.com");

  EXPECT_EQ(contacts.Of(0, false), "sip:presence@sip.example.com");
  EXPECT_EQ(contacts.Of(1, true), "sips:presence@sip.example.com");
  EXPECT_EQ(contacts.ListenerOf("sip:presence@sip.example.com"), kAnyListener);
}

TEST(LocalContactsTest, KnowsTheHostsThatMeanUs) {
  FakeTransport transport;
  transport.AddListener(Protocol::kUdp, "[2001:db8::1]:5062");

  EXPECT_THAT(LocalContacts(transport.listeners()).own_hosts(),
              testing::UnorderedElementsAre("192.0.2.1", "2001:db8::1"));
}

TEST(FlowNameTest, NamesAFlowAndFindsItAgain) {
  for (const FlowId flow : {FlowId{1}, FlowId{0xfedcba9876543210}}) {
    EXPECT_EQ(FlowOf(FlowName(flow)), flow);
  }
  EXPECT_EQ(FlowName(kNoFlow), "");
}

TEST(FlowNameTest, FindsNoFlowByAForeignName) {
  for (const char* name : {"", "x", "12 ", "-1", "0x12", "11112222333344445", "12;a"}) {
    EXPECT_EQ(FlowOf(name), kNoFlow) << name;
  }
}

}  // namespace
}  // namespace presence::sip
