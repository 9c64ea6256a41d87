#include "sip-gateway/translate/notify.h"

#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sip-gateway/translate/contact.h"
#include "tests/unit/sip-gateway/sofia/sip_text.h"

namespace presence::sip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kVia[] = "SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKx;rport";

v1::NotifyInstruction Instruction() {
  v1::NotifyInstruction instruction;
  v1::Dialog& dialog = *instruction.mutable_dialog();
  dialog.set_call_id("call-1@192.0.2.1");
  dialog.set_local_tag("ours");
  dialog.set_remote_tag("theirs");
  dialog.set_local_uri("sip:alice@example.com");
  dialog.set_remote_uri("sip:bob@example.com");
  dialog.set_remote_target("sip:bob@192.0.2.1:5070");
  dialog.set_local_contact("sip:192.0.2.9:5060");
  instruction.set_cseq(17);
  instruction.set_epoch(3);
  instruction.set_event("presence");
  instruction.set_state(v1::SUBSCRIPTION_STATE_ACTIVE);
  instruction.mutable_expiry()->set_seconds(599);
  instruction.set_content_type("application/pidf+xml");
  return instruction;
}

std::unique_ptr<Message> Printed(v1::NotifyInstruction instruction, std::string body = "<p/>") {
  auto message =
      NotifyMessage::Make(std::move(instruction), std::move(body), "sip:default", "ua/1");
  if (!message.ok()) {
    ADD_FAILURE() << message.status();
    return nullptr;
  }
  const auto bytes = message->Print(kVia);
  if (!bytes.ok()) {
    ADD_FAILURE() << bytes.status();
    return nullptr;
  }
  return Parse(*bytes);
}

// N01
TEST(NotifyTest, HasEverythingANotifyNeeds) {
  const auto notify = Printed(Instruction());

  EXPECT_EQ(notify->method(), "NOTIFY");
  EXPECT_EQ(notify->request_uri_text(), "sip:bob@192.0.2.1:5070");
  EXPECT_EQ(notify->cseq(), 17u);
  EXPECT_EQ(notify->call_id(), "call-1@192.0.2.1");
  EXPECT_EQ(notify->from().uri, "sip:alice@example.com");
  EXPECT_EQ(notify->from().tag, "ours");
  EXPECT_EQ(notify->to().uri, "sip:bob@example.com");
  EXPECT_EQ(notify->to().tag, "theirs");
  EXPECT_EQ(notify->max_forwards(), 70u);
  EXPECT_EQ(notify->event()->type, "presence");
  EXPECT_EQ(notify->header("Subscription-State"), "active;expires=599");
  EXPECT_EQ(notify->contacts()->front().uri, "sip:192.0.2.9:5060");
  EXPECT_EQ(notify->content_type()->type, "application/pidf+xml");
  EXPECT_EQ(notify->body(), "<p/>");
}

// N01: without a body there is no Content-Type.
TEST(NotifyTest, HasNoContentTypeWithoutABody) {
  const auto notify = Printed(Instruction(), "");

  EXPECT_EQ(notify->content_type(), std::nullopt);
  EXPECT_EQ(notify->header("Content-Length"), "0");
}

// S02
TEST(NotifyTest, RepeatsTheEventId) {
  v1::NotifyInstruction instruction = Instruction();
  instruction.set_event_id("7");

  EXPECT_EQ(Printed(instruction)->header("Event"), "presence;id=7");
}

struct StateCase {
  v1::SubscriptionState state;
  v1::TerminationReason reason;
  int retry_after;  // 0: none
  const char* value;
};

// N02
TEST(NotifyTest, WritesSubscriptionStateAsItsStateAllows) {
  for (const StateCase& c : {
           StateCase{v1::SUBSCRIPTION_STATE_ACTIVE, v1::TERMINATION_REASON_UNSPECIFIED, 0,
                     "active;expires=599"},
           StateCase{v1::SUBSCRIPTION_STATE_PENDING, v1::TERMINATION_REASON_UNSPECIFIED, 0,
                     "pending;expires=599"},
           StateCase{v1::SUBSCRIPTION_STATE_TERMINATED, v1::TERMINATION_REASON_TIMEOUT, 60,
                     "terminated;reason=timeout"},
           StateCase{v1::SUBSCRIPTION_STATE_TERMINATED, v1::TERMINATION_REASON_REJECTED, 60,
                     "terminated;reason=rejected"},
           StateCase{v1::SUBSCRIPTION_STATE_TERMINATED, v1::TERMINATION_REASON_DEACTIVATED, 60,
                     "terminated;reason=deactivated"},
           StateCase{v1::SUBSCRIPTION_STATE_TERMINATED, v1::TERMINATION_REASON_NORESOURCE, 60,
                     "terminated;reason=noresource"},
           StateCase{v1::SUBSCRIPTION_STATE_TERMINATED, v1::TERMINATION_REASON_PROBATION, 60,
                     "terminated;reason=probation;retry-after=60"},
           StateCase{v1::SUBSCRIPTION_STATE_TERMINATED, v1::TERMINATION_REASON_GIVEUP, 60,
                     "terminated;reason=giveup;retry-after=60"},
           StateCase{v1::SUBSCRIPTION_STATE_TERMINATED, v1::TERMINATION_REASON_PROBATION, 0,
                     "terminated;reason=probation"},
       }) {
    v1::NotifyInstruction instruction = Instruction();
    instruction.set_state(c.state);
    instruction.set_reason(c.reason);
    if (c.retry_after != 0) instruction.mutable_retry_after()->set_seconds(c.retry_after);
    EXPECT_EQ(SubscriptionStateValue(instruction), c.value);
  }
}

// N02: what is left, rounded down, is never more than was granted.
TEST(NotifyTest, RoundsTheLifetimeLeftDown) {
  v1::NotifyInstruction instruction = Instruction();
  instruction.mutable_expiry()->set_nanos(999'999'999);
  EXPECT_EQ(SubscriptionStateValue(instruction), "active;expires=599");

  instruction.mutable_expiry()->set_seconds(-5);
  instruction.mutable_expiry()->set_nanos(0);
  EXPECT_EQ(SubscriptionStateValue(instruction), "active;expires=0");
}

// S13
TEST(NotifyTest, CarriesThreeLooseRoutesInOrder) {
  v1::NotifyInstruction instruction = Instruction();
  const std::vector<std::string> routes = {"<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>",
                                           "<sip:p3.example.com;lr>"};
  for (const std::string& route : routes) instruction.mutable_dialog()->add_route_set(route);

  const auto message = NotifyMessage::Make(instruction, "", "", "");

  EXPECT_EQ(message->next_hop(), "sip:p1.example.com;lr");
  const auto notify = Printed(instruction);
  EXPECT_EQ(notify->request_uri_text(), "sip:bob@192.0.2.1:5070");
  EXPECT_THAT(notify->routes(), ElementsAre(routes[0], routes[1], routes[2]));
}

// S13, RFC 3261 12.2.1.1
TEST(NotifyTest, RoutesStrictlyWhereTheFirstHopIsStrict) {
  v1::NotifyInstruction instruction = Instruction();
  instruction.mutable_dialog()->add_route_set("<sip:p1.example.com>");
  instruction.mutable_dialog()->add_route_set("<sip:p2.example.com;lr>");

  EXPECT_EQ(NotifyMessage::Make(instruction, "", "", "")->next_hop(), "sip:p1.example.com");
  const auto notify = Printed(instruction);
  EXPECT_EQ(notify->request_uri_text(), "sip:p1.example.com");
  EXPECT_THAT(notify->routes(), ElementsAre("<sip:p2.example.com;lr>", "<sip:bob@192.0.2.1:5070>"));
}

// S16
TEST(NotifyTest, KeepsTheSchemesOfTheDialog) {
  v1::NotifyInstruction instruction = Instruction();
  instruction.mutable_dialog()->set_local_uri("tel:+12025550100");
  instruction.mutable_dialog()->set_remote_uri("sips:bob@example.com");

  const auto notify = Printed(instruction);

  EXPECT_EQ(notify->from().uri, "tel:+12025550100");
  EXPECT_EQ(notify->to().uri, "sips:bob@example.com");
}

TEST(NotifyTest, FallsBackToTheDefaultContact) {
  v1::NotifyInstruction instruction = Instruction();
  instruction.mutable_dialog()->clear_local_contact();
  const auto message = NotifyMessage::Make(instruction, "", "sip:192.0.2.8:5062", "");

  EXPECT_THAT(*message->Print(kVia), HasSubstr("\r\nContact: <sip:192.0.2.8:5062>\r\n"));
}

// RFC 3261 7.3.1: what came from outside must not become headers.
TEST(NotifyTest, RefusesValuesThatWouldBreakTheMessageOpen) {
  v1::NotifyInstruction instruction = Instruction();
  instruction.set_event_id("7\r\nX-Evil: 1");
  const auto message = NotifyMessage::Make(instruction, "", "", "");

  EXPECT_TRUE(!message.ok() || !message->Print(kVia).ok());
}

TEST(NotifyTest, RefusesADialogWithoutAUsableTargetOrState) {
  v1::NotifyInstruction no_state = Instruction();
  no_state.set_state(v1::SUBSCRIPTION_STATE_WAITING);
  EXPECT_FALSE(NotifyMessage::Make(no_state, "", "", "").ok());

  v1::NotifyInstruction bad_route = Instruction();
  bad_route.mutable_dialog()->add_route_set("<mailto:a@b.c>");
  EXPECT_FALSE(NotifyMessage::Make(bad_route, "", "", "").ok());
}

// N05
TEST(NotifyTest, ReportsTheCodeAndRetryAfterOfAnAnswer) {
  const v1::InstructionId id = IdOf(Instruction());
  EXPECT_EQ(id.local_tag(), "ours");
  EXPECT_EQ(id.cseq(), 17u);
  EXPECT_EQ(id.epoch(), 3u);

  const v1::NotifyResult result = AnsweredResult(id, 503, 120);
  EXPECT_EQ(result.outcome(), v1::NotifyResult::OUTCOME_ANSWERED);
  EXPECT_EQ(result.code(), 503u);
  EXPECT_EQ(result.retry_after().seconds(), 120);
  EXPECT_FALSE(AnsweredResult(id, 200, std::nullopt).has_retry_after());
}

// N09, S16
TEST(ContactTest, NamesTheTransportOnceAndTheSchemeAsked) {
  EXPECT_EQ(ContactUri("192.0.2.9:5060", "UDP", false), "sip:192.0.2.9:5060");
  EXPECT_EQ(ContactUri("[2001:db8::1]:5060", "UDP", false), "sip:[2001:db8::1]:5060");
  EXPECT_EQ(ContactUri("[2001:db8::1]:5060", "TCP", false), "sip:[2001:db8::1]:5060;transport=tcp");
  EXPECT_EQ(ContactUri("192.0.2.9:5061", "TCP", true), "sips:192.0.2.9:5061;transport=tcp");
}

}  // namespace
}  // namespace presence::sip
