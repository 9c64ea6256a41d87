#include "presence-core/model/dialog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace presence {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

DialogParts Parts() {
  DialogParts parts;
  parts.call_id = "call@192.0.2.1";
  parts.remote_tag = "from-tag";
  parts.local_uri = "sips:alice@example.com";
  parts.remote_uri = "\"Bob\" <sip:bob@example.com>";
  parts.remote_target = "sip:bob@192.0.2.7:5062;transport=tcp";
  parts.route_set = {"<sip:p1.example.com;lr>", "<sip:p2.example.com>", "<sip:p3.example.com;lr>"};
  parts.gateway = "edge";
  parts.flow = "tcp/7";
  parts.flow_gateway = "gw1";
  parts.local_contact = "sip:192.0.2.10:5060";
  parts.user_agent = "Phone 1.0";
  parts.adopted_tag = "theirs";
  return parts;
}

void ExpectSame(const DialogParts& a, const DialogParts& b) {
  EXPECT_EQ(a.call_id, b.call_id);
  EXPECT_EQ(a.remote_tag, b.remote_tag);
  EXPECT_EQ(a.local_uri, b.local_uri);
  EXPECT_EQ(a.remote_uri, b.remote_uri);
  EXPECT_EQ(a.remote_target, b.remote_target);
  EXPECT_EQ(a.route_set, b.route_set);
  EXPECT_EQ(a.gateway, b.gateway);
  EXPECT_EQ(a.flow, b.flow);
  EXPECT_EQ(a.flow_gateway, b.flow_gateway);
  EXPECT_EQ(a.local_contact, b.local_contact);
  EXPECT_EQ(a.user_agent, b.user_agent);
  EXPECT_EQ(a.adopted_tag, b.adopted_tag);
}

TEST(DialogTest, UnpacksToWhatWasPacked) {
  ExpectSame(Dialog(Parts()).Unpack(), Parts());
  ExpectSame(Dialog(DialogParts()).Unpack(), DialogParts());
}

TEST(DialogTest, TellsEmptyFieldsFromTheirNeighbours) {
  DialogParts parts = Parts();
  parts.gateway.clear();
  parts.flow.clear();
  parts.route_set = {"", "<sip:p>", ""};

  const Dialog dialog(parts);

  EXPECT_EQ(dialog.gateway(), "");
  EXPECT_EQ(dialog.flow(), "");
  EXPECT_EQ(dialog.local_contact(), parts.local_contact);
  EXPECT_THAT(dialog.route_set(), ElementsAre("", "<sip:p>", ""));
}

TEST(DialogTest, IsEmptyWhenMadeOfNothing) {
  EXPECT_EQ(Dialog().call_id(), "");
  EXPECT_THAT(Dialog().route_set(), IsEmpty());
}

// S16: a Call-ID of 300 characters works like a short one.
TEST(DialogTest, HoldsLongTexts) {
  DialogParts parts = Parts();
  parts.call_id = std::string(300, 'c');
  parts.remote_target = "sip:" + std::string(70'000, 'b') + "@h.org";

  ExpectSame(Dialog(parts).Unpack(), parts);
}

// S05, S13: a refresh brings a new remote target and never another route set (RFC 3261 §12.2).
TEST(DialogTest, TakesFromARefreshTheTargetAndNotTheRoutes) {
  DialogParts refresh = Parts();
  refresh.remote_target = "sip:bob@192.0.2.8";
  refresh.route_set = {"<sip:evil.example.com;lr>"};
  refresh.flow = "tcp/8";
  refresh.flow_gateway = "gw2";
  refresh.call_id = refresh.remote_tag = refresh.local_uri = refresh.remote_uri = "changed";

  DialogParts expected = Parts();
  expected.remote_target = "sip:bob@192.0.2.8";
  expected.flow = "tcp/8";
  expected.flow_gateway = "gw2";
  ExpectSame(Dialog(Parts()).Refreshed(refresh).Unpack(), expected);
}

TEST(DialogTest, KeepsWhatARefreshDoesNotSay) {
  DialogParts refresh;
  refresh.remote_target = "sip:bob@192.0.2.8";

  const Dialog refreshed = Dialog(Parts()).Refreshed(refresh);

  EXPECT_EQ(refreshed.gateway(), "edge");
  EXPECT_EQ(refreshed.local_contact(), "sip:192.0.2.10:5060");
  EXPECT_EQ(refreshed.user_agent(), "Phone 1.0");
  EXPECT_EQ(refreshed.flow(), "") << "a SUBSCRIBE over UDP has none";
}

TEST(DialogTest, ComparesByAllItsParts) {
  DialogParts other = Parts();
  // The same bytes in another field.
  other.gateway = Parts().gateway + Parts().flow;
  other.flow.clear();

  EXPECT_EQ(Dialog(Parts()), Dialog(Parts()));
  EXPECT_NE(Dialog(Parts()), Dialog(other));
}

TEST(DialogTest, PacksATypicalDialogIntoHalfAKibibyte) {
  DialogParts parts = Parts();
  parts.call_id = std::string(40, 'c');
  parts.remote_target = std::string(90, 't');
  parts.route_set = {std::string(40, 'r'), std::string(40, 'r')};
  parts.user_agent = std::string(45, 'u');

  EXPECT_LE(sizeof(Dialog) + Dialog(parts).packed_size(), 512u);
}

}  // namespace
}  // namespace presence
