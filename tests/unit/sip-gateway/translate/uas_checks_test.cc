#include "sip-gateway/translate/uas_checks.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/sip-gateway/sofia/sip_text.h"

namespace presence::sip {
namespace {

v1::Welcome WelcomeWithPresence() {
  v1::Welcome welcome;
  for (const char* event : {"presence", "presence.winfo"}) welcome.add_events(event);
  welcome.add_accept("application/pidf+xml");
  return welcome;
}

class UasChecksTest : public testing::Test {
 protected:
  UasChecksTest() { capabilities_.Learn(WelcomeWithPresence()); }

  // The status of the refusal, 0 if there is none. What is no message at all is a 400 already.
  int Check(const RequestText& text) {
    absl::StatusOr<std::unique_ptr<Message>> parsed = TryParse(text.Text());
    if (!parsed.ok()) return 400;
    const std::unique_ptr<Message> request = *std::move(parsed);
    const UasPolicy policy{domains_, own_hosts_, capabilities_};
    const std::optional<Answer> refusal = CheckRequest(*request, policy);
    if (!refusal.has_value()) return 0;
    printed_ = PrintAnswer(*request, *refusal, capabilities_, {});
    return StatusOf(*refusal);
  }

  static RequestText Publish() {
    RequestText text;
    text.Method("PUBLISH").With("Event: presence\n");
    return text;
  }
  static RequestText Subscribe() {
    RequestText text;
    text.Method("SUBSCRIBE").With("Event: presence\nContact: <sip:bob@192.0.2.1:5070>\n");
    return text;
  }

  const std::vector<std::string> domain_list_ = {"Example.com"};
  ServedDomains domains_{domain_list_};
  absl::flat_hash_set<std::string> own_hosts_ = {"192.0.2.9"};
  Capabilities capabilities_;
  std::string printed_;
};

TEST_F(UasChecksTest, LetsSoundRequestsPass) {
  EXPECT_EQ(Check(Publish()), 0);
  EXPECT_EQ(Check(Subscribe()), 0);
}

// P30
TEST_F(UasChecksTest, RefusesAKnownMethodWith405AndAllow) {
  for (const char* method : {"INVITE", "REGISTER", "MESSAGE", "NOTIFY", "BYE"}) {
    RequestText text;
    EXPECT_EQ(Check(text.Method(method)), 405) << method;
    EXPECT_THAT(printed_, testing::HasSubstr("\r\nAllow: PUBLISH, SUBSCRIBE, OPTIONS, CANCEL\r\n"));
  }
}

// P30
TEST_F(UasChecksTest, RefusesAnUnknownMethodWith501) {
  RequestText text;

  EXPECT_EQ(Check(text.Method("FETCH")), 501);
  // Method names are case-sensitive.
  EXPECT_EQ(Check(text.Method("publish")), 501);
}

// P30
TEST_F(UasChecksTest, RefusesAForeignSchemeWith416) {
  for (const char* uri : {"mailto:alice@example.com", "pres:alice@example.com", "http://a/"}) {
    RequestText text = Publish();
    text.start_line = std::string("PUBLISH ") + uri + " SIP/2.0";
    EXPECT_EQ(Check(text), 416) << uri;
  }
}

TEST_F(UasChecksTest, RefusesARequestUriThatIsNone) {
  for (const char* uri : {"sip:alice@", "alice", "sip:", "1:2"}) {
    RequestText text = Publish();
    text.start_line = std::string("PUBLISH ") + uri + " SIP/2.0";
    EXPECT_EQ(Check(text), 400) << uri;
  }
}

// P01, S23
TEST_F(UasChecksTest, RefusesADomainThatIsNotServedWith404) {
  for (RequestText text : {Publish(), Subscribe()}) {
    const std::string method = text.start_line.substr(0, text.start_line.find(' '));
    text.start_line = method + " sip:alice@elsewhere.org SIP/2.0";
    EXPECT_EQ(Check(text), 404) << method;
  }
}

// P01
TEST_F(UasChecksTest, ComparesDomainsWithoutCase) {
  RequestText text = Publish();
  text.start_line = "PUBLISH sip:alice@EXAMPLE.COM SIP/2.0";

  EXPECT_EQ(Check(text), 0);
}

TEST_F(UasChecksTest, ServesEveryDomainWhereNoneIsConfigured) {
  domains_ = ServedDomains();
  RequestText text = Publish();
  text.start_line = "PUBLISH sip:alice@elsewhere.org SIP/2.0";

  EXPECT_EQ(Check(text), 0);
}

// S16
TEST_F(UasChecksTest, LetsSipsAndTelPresentitiesPass) {
  for (const char* uri : {"sips:alice@example.com", "tel:+12025550100"}) {
    RequestText text = Subscribe();
    text.start_line = std::string("SUBSCRIBE ") + uri + " SIP/2.0";
    EXPECT_EQ(Check(text), 0) << uri;
  }
}

TEST_F(UasChecksTest, RefusesARequestThatRanOutOfHopsWith483) {
  RequestText text = Publish();
  text.max_forwards = "Max-Forwards: 0\n";

  EXPECT_EQ(Check(text), 483);
}

// P25
TEST_F(UasChecksTest, AnswersAnOptionsThatRanOutOfHops) {
  RequestText text;
  text.Method("OPTIONS").max_forwards = "Max-Forwards: 0\n";

  EXPECT_EQ(Check(text), 0);
}

// P25
TEST_F(UasChecksTest, AnswersAnOptionsToTheServerItself) {
  for (const char* uri : {"sip:192.0.2.9:5060", "sip:ping@192.0.2.9", "sip:elsewhere.org"}) {
    RequestText text;
    text.Method("OPTIONS").start_line = std::string("OPTIONS ") + uri + " SIP/2.0";
    EXPECT_EQ(Check(text), 0) << uri;
  }
  RequestText text;
  text.Method("OPTIONS").start_line = "OPTIONS sip:alice@elsewhere.org SIP/2.0";
  EXPECT_EQ(Check(text), 404);
}

// S14
TEST_F(UasChecksTest, RefusesARequiredExtensionWith420NamingIt) {
  for (RequestText text : {Publish(), Subscribe()}) {
    EXPECT_EQ(Check(text.With("Require: foo\nRequire: bar\n")), 420);
    EXPECT_THAT(printed_, testing::HasSubstr("\r\nUnsupported: foo, bar\r\n"));
  }
}

// P02, S23
TEST_F(UasChecksTest, RefusesAMissingOrUnknownEventWith489AndAllowEvents) {
  for (const char* method : {"PUBLISH", "SUBSCRIBE"}) {
    for (const char* event : {"", "Event: dialog\n", "Event: presence.winfo.winfo\n"}) {
      RequestText text;
      text.Method(method).With(event);
      EXPECT_EQ(Check(text), 489) << method << event;
      EXPECT_THAT(printed_, testing::HasSubstr("\r\nAllow-Events: presence, presence.winfo\r\n"));
    }
  }
}

TEST_F(UasChecksTest, LeavesTheEventToTheCoreUntilOneHasGreeted) {
  capabilities_ = Capabilities();
  for (const char* event : {"", "Event: dialog\n"}) {
    RequestText text;
    EXPECT_EQ(Check(text.Method("PUBLISH").With(event)), 0) << event;
  }
}

// P03: the step that comes first answers.
TEST_F(UasChecksTest, AnswersTheFirstOfTwoFaults) {
  RequestText foreign_and_bad_event;
  foreign_and_bad_event.Method("PUBLISH").With("Event: dialog\n").start_line =
      "PUBLISH sip:alice@elsewhere.org SIP/2.0";
  EXPECT_EQ(Check(foreign_and_bad_event), 404);

  RequestText extension_and_bad_event;
  extension_and_bad_event.Method("PUBLISH").With("Event: dialog\nRequire: foo\n");
  EXPECT_EQ(Check(extension_and_bad_event), 420);

  RequestText method_and_scheme;
  method_and_scheme.Method("MESSAGE").start_line = "MESSAGE mailto:a@b.c SIP/2.0";
  EXPECT_EQ(Check(method_and_scheme), 405);

  RequestText bad_event_and_contact;
  bad_event_and_contact.Method("SUBSCRIBE").With("Event: dialog\n");
  EXPECT_EQ(Check(bad_event_and_contact), 489);
}

// S09
TEST_F(UasChecksTest, WantsExactlyOneSipContactInASubscribe) {
  for (const char* contact :
       {"", "Contact: *\n", "Contact: <tel:+12025550100>\n", "Contact: <mailto:bob@example.com>\n",
        "Contact: <sip:bob@192.0.2.1>, <sip:bob@192.0.2.2>\n",
        "Contact: <sip:bob@192.0.2.1>\nContact: <sip:bob@192.0.2.2>\n", "Contact: <sip:bob@>\n",
        "Contact: <sip:bob@192.0.2.1\n"}) {
    RequestText text;
    text.Method("SUBSCRIBE").With("Event: presence\n").With(contact);
    EXPECT_EQ(Check(text), 400) << contact;
  }
}

// S09, S16
TEST_F(UasChecksTest, TakesASipsContactAndALongOne) {
  for (const std::string& contact :
       {std::string("sips:bob@192.0.2.1"), "sip:" + std::string(300, 'b') + "@192.0.2.1"}) {
    RequestText text;
    text.Method("SUBSCRIBE").With("Event: presence\nContact: <" + contact + ">\n");
    EXPECT_EQ(Check(text), 0) << contact;
  }
}

// P19
TEST_F(UasChecksTest, DoesNotLookAtTheContactOfAPublish) {
  EXPECT_EQ(Check(Publish().With("Contact: *\n")), 0);
}

TEST_F(UasChecksTest, WantsAFromTagInASubscribe) {
  RequestText text = Subscribe();
  text.from = "From: <sip:bob@example.com>\n";

  EXPECT_EQ(Check(text), 400);
}

// S13: it would become the Route of every NOTIFY.
TEST_F(UasChecksTest, RefusesARecordRouteThatIsNoSipUri) {
  EXPECT_EQ(Check(Subscribe().With("Record-Route: <mailto:p1@example.com>\n")), 400);
  EXPECT_EQ(Check(Subscribe().With("Record-Route: <sip:p1.example.com;lr>\n")), 0);
}

// S05: the Request-URI of a refresh is our Contact.
TEST_F(UasChecksTest, TakesARefreshSentToOurContact) {
  RequestText text = Subscribe();
  text.start_line = "SUBSCRIBE sip:10.0.0.5:5060 SIP/2.0";
  text.to = "To: <sip:alice@example.com>;tag=ours\n";

  EXPECT_EQ(Check(text), 0);
}

}  // namespace
}  // namespace presence::sip
