#include "sip-gateway/translate/subscribe.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence/v1/errors.pb.h"
#include "tests/unit/sip-gateway/sofia/sip_text.h"

namespace presence::sip {
namespace {

using ::testing::ElementsAre;

RequestText Subscribe() {
  RequestText text;
  text.Method("SUBSCRIBE").With("Event: presence\nContact: <sip:bob@192.0.2.1:5070;ob>;x=1\n");
  text.from = "From: \"Bob\" <sip:bob@example.com>;tag=theirs\n";
  return text;
}

v1::SubscribeRequest Translate(const RequestText& text, const Trust& trust = {}) {
  return ToSubscribeRequest(*Parse(text.Text()), trust,
                            {.local_contact = "sip:192.0.2.9:5060", .flow = "f1"});
}

// S01
TEST(SubscribeTest, CarriesTheDialogOfAnInitialSubscribe) {
  const v1::SubscribeRequest request =
      Translate(Subscribe().With("Expires: 300\nUser-Agent: Phone 1\n"));

  EXPECT_EQ(request.presentity(), "sip:alice@example.com");
  EXPECT_EQ(request.event(), "presence");
  EXPECT_EQ(request.event_id(), "");
  EXPECT_EQ(request.watcher(), "sip:bob@example.com");
  EXPECT_EQ(request.cseq(), 314159u);
  EXPECT_EQ(request.expiry().seconds(), 300);
  const v1::Dialog& dialog = request.dialog();
  EXPECT_EQ(dialog.call_id(), "a84b4c76e66710@192.0.2.1");
  EXPECT_EQ(dialog.local_tag(), "");
  EXPECT_EQ(dialog.remote_tag(), "theirs");
  EXPECT_EQ(dialog.local_uri(), "sip:alice@example.com");
  EXPECT_EQ(dialog.remote_uri(), "sip:bob@example.com");
  EXPECT_EQ(dialog.remote_target(), "sip:bob@192.0.2.1:5070;ob");
  EXPECT_EQ(dialog.flow(), "f1");
  EXPECT_EQ(dialog.local_contact(), "sip:192.0.2.9:5060");
  EXPECT_EQ(dialog.user_agent(), "Phone 1");
}

// Nothing but UTF-8 goes to the core, or the whole frame would be refused there.
TEST(SubscribeTest, CarriesNoBytesThatAreNotUtf8) {
  const v1::SubscribeRequest request = Translate(Subscribe().With(
      "User-Agent: Caf\xE9\nRecord-Route: \"\xE9\" <sip:192.0.2.7;lr>;x=\"\xE9\"\n"));

  EXPECT_EQ(request.dialog().user_agent(), "Caf?");
  ASSERT_EQ(request.dialog().route_set_size(), 1);
  EXPECT_EQ(request.dialog().route_set(0), "\"?\" <sip:192.0.2.7;lr>;x=\"?\"");
}

// S05: whose state is meant says To, as the Request-URI is our Contact.
TEST(SubscribeTest, NamesThePresentityOfARefreshByTo) {
  RequestText text = Subscribe();
  text.start_line = "SUBSCRIBE sip:192.0.2.9:5060 SIP/2.0";
  text.to = "To: <sip:alice@example.com>;tag=ours\n";

  const v1::SubscribeRequest request = Translate(text);

  EXPECT_EQ(request.presentity(), "sip:alice@example.com");
  EXPECT_EQ(request.dialog().local_tag(), "ours");
}

// S02
TEST(SubscribeTest, CarriesTheEventId) {
  RequestText text;
  text.Method("SUBSCRIBE").With("Event: presence;id=7\nContact: <sip:b@192.0.2.1>\n");

  EXPECT_EQ(Translate(text).event_id(), "7");
}

// S04
TEST(SubscribeTest, CarriesAFetchAndTellsItFromNoLifetime) {
  EXPECT_TRUE(Translate(Subscribe().With("Expires: 0\n")).has_expiry());
  EXPECT_FALSE(Translate(Subscribe()).has_expiry());
}

// S10
TEST(SubscribeTest, TellsNoAcceptFromAnEmptyOne) {
  EXPECT_FALSE(Translate(Subscribe()).has_accept());

  const v1::SubscribeRequest empty = Translate(Subscribe().With("Accept:\n"));
  EXPECT_TRUE(empty.has_accept());
  EXPECT_EQ(empty.accept_size(), 0);
}

// S10
TEST(SubscribeTest, CarriesAcceptedTypesInLowerCaseWithoutRefusedOnes) {
  const v1::SubscribeRequest request = Translate(Subscribe().With(
      "Accept: Application/PIDF+xml;q=0.5, text/plain;q=0.0, text/html;q=0\nAccept: */*;q=0.1\n"));

  EXPECT_THAT(request.accept(), ElementsAre("application/pidf+xml", "*/*"));
}

// S13
TEST(SubscribeTest, CarriesTheRouteSetInOrderAndOnlyAtTheStart) {
  RequestText text = Subscribe();
  text.With(
      "Record-Route: <sip:p1.example.com>, \"x\" <sip:p2.example.com;lr>;y=2\n"
      "Record-Route: <sips:p3.example.com;lr>\n");
  EXPECT_THAT(Translate(text).dialog().route_set(),
              ElementsAre("<sip:p1.example.com>", "\"x\" <sip:p2.example.com;lr>;y=2",
                          "<sips:p3.example.com;lr>"));

  text.to = "To: <sip:alice@example.com>;tag=ours\n";
  EXPECT_THAT(Translate(text).dialog().route_set(), ElementsAre());
}

// S15
TEST(SubscribeTest, BelievesAnAssertedIdentityOfATrustedPeerOnly) {
  RequestText text = Subscribe();
  text.With("P-Asserted-Identity: <tel:+12025550101>, \"B\" <sip:robert@example.com>\n");

  EXPECT_EQ(Translate(text, {.is_trusted_peer = true}).watcher(), "sip:robert@example.com");
  EXPECT_EQ(Translate(text, {.is_trusted_peer = true}).watcher_alias(), "tel:+12025550101");
  EXPECT_EQ(Translate(text).watcher(), "sip:bob@example.com");
  EXPECT_EQ(Translate(text).watcher_alias(), "");
  // The dialog keeps the From it was made with.
  EXPECT_EQ(Translate(text, {.is_trusted_peer = true}).dialog().remote_uri(),
            "sip:bob@example.com");
}

// S15
TEST(SubscribeTest, TakesAnAssertedTelWhereThereIsNoSip) {
  RequestText text = Subscribe();
  text.With(
      "P-Asserted-Identity: <mailto:b@example.com>\nP-Asserted-Identity: <tel:+12025550101>\n");

  EXPECT_EQ(Translate(text, {.is_trusted_peer = true}).watcher(), "tel:+12025550101");
  EXPECT_EQ(Translate(text, {.is_trusted_peer = true}).watcher_alias(), "");
}

// S16
TEST(SubscribeTest, KeepsSchemesAndLongValues) {
  RequestText text;
  const std::string long_contact = "sip:" + std::string(300, 'b') + "@192.0.2.1";
  text.Method("SUBSCRIBE").With("Event: presence\nContact: <" + long_contact + ">\n");
  text.start_line = "SUBSCRIBE tel:+12025550100 SIP/2.0";
  text.to = "To: <tel:+12025550100>\n";
  text.from = "From: <sips:bob@example.com>;tag=theirs\n";
  text.call_id = "Call-ID: " + std::string(300, 'c') + "\n";

  const v1::SubscribeRequest request = Translate(text);

  EXPECT_EQ(request.presentity(), "tel:+12025550100");
  EXPECT_EQ(request.dialog().local_uri(), "tel:+12025550100");
  EXPECT_EQ(request.dialog().remote_uri(), "sips:bob@example.com");
  EXPECT_EQ(request.dialog().call_id(), std::string(300, 'c'));
  EXPECT_EQ(request.dialog().remote_target(), long_contact);
}

// S01
TEST(SubscribeTest, AnswersWithTheTagAndLifetimeGranted) {
  v1::CommandReply reply;
  reply.mutable_subscribe()->set_local_tag("ours");
  reply.mutable_subscribe()->mutable_expiry()->set_seconds(300);
  reply.mutable_subscribe()->set_state(v1::SUBSCRIPTION_STATE_PENDING);

  const Answer answer = AnswerToSubscribe(reply);

  EXPECT_EQ(StatusOf(answer), 200);  // never 202
  EXPECT_EQ(answer.to_tag, "ours");
  EXPECT_EQ(answer.seconds, 300u);
}

// S02, S07
TEST(SubscribeTest, AnswersWithTheRefusalOfTheCore) {
  v1::CommandReply reply;
  reply.mutable_error()->set_reason(v1::ERROR_REASON_SUBSCRIPTION_UNKNOWN);
  EXPECT_EQ(StatusOf(AnswerToSubscribe(reply)), 481);

  reply.mutable_error()->set_reason(v1::ERROR_REASON_DIALOG_EVENT_MISMATCH);
  EXPECT_EQ(StatusOf(AnswerToSubscribe(reply)), 403);

  reply.clear_error();
  EXPECT_EQ(StatusOf(AnswerToSubscribe(reply)), 500);
}

}  // namespace
}  // namespace presence::sip
