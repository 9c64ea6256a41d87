#include "sip-gateway/translate/answer.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/sip-gateway/sofia/sip_text.h"

namespace presence::sip {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Capabilities SomeCapabilities() {
  v1::Welcome welcome;
  for (const char* event : {"presence", "presence.winfo"}) welcome.add_events(event);
  for (const char* type : {"application/pidf+xml", "text/x"}) welcome.add_accept(type);
  Capabilities capabilities("sip-gateway/0.1.0");
  capabilities.Learn(welcome);
  return capabilities;
}

std::string Print(const Message& request, const Answer& answer) {
  return PrintAnswer(request, answer, SomeCapabilities(),
                     {.contact = "sip:192.0.2.9:5060;transport=tcp",
                      .via_received = "192.0.2.77",
                      .via_rport = 5071});
}

// P25
TEST(AnswerTest, AnswersOptionsWithAllAbilities) {
  RequestText text;
  const auto request = Parse(text.Method("OPTIONS").Text());

  const std::string bytes = Print(*request, {.kind = AnswerKind::kOptions, .to_tag = "t"});

  EXPECT_THAT(bytes, StartsWith("SIP/2.0 200 OK\r\n"));
  EXPECT_THAT(bytes, HasSubstr("\r\nAllow: PUBLISH, SUBSCRIBE, OPTIONS, CANCEL\r\n"));
  EXPECT_THAT(bytes, HasSubstr("\r\nAllow-Events: presence, presence.winfo\r\n"));
  EXPECT_THAT(bytes, HasSubstr("\r\nAccept: application/pidf+xml, text/x\r\n"));
  EXPECT_THAT(bytes, HasSubstr("\r\nAccept-Encoding: identity\r\n"));
  EXPECT_THAT(bytes, HasSubstr("\r\nSupported:"));
}

// Before a core has greeted. An empty Accept would say that nothing is taken (RFC 3261 20.1).
TEST(AnswerTest, LeavesOutWhatIsNotKnownYet) {
  RequestText text;
  const auto request = Parse(text.Method("OPTIONS").Text());

  const std::string bytes =
      PrintAnswer(*request, {.kind = AnswerKind::kOptions, .to_tag = "t"}, Capabilities(), {});

  EXPECT_THAT(bytes, Not(HasSubstr("Allow-Events")));
  EXPECT_THAT(bytes, Not(HasSubstr("Accept:")));
}

// P04, P19
TEST(AnswerTest, AnswersPublishWithExpiresAndEtagAndWithoutRouteOrContact) {
  RequestText text;
  const auto request = Parse(
      text.With("Record-Route: <sip:p1.example.com;lr>\nContact: <sip:a@192.0.2.1>\n").Text());

  const std::string bytes = Print(
      *request, {.kind = AnswerKind::kPublished, .seconds = 1800, .to_tag = "tt", .etag = "e7a"});

  EXPECT_THAT(bytes, StartsWith("SIP/2.0 200 OK\r\n"));
  EXPECT_THAT(bytes, HasSubstr("\r\nExpires: 1800\r\n"));
  EXPECT_THAT(bytes, HasSubstr("\r\nSIP-ETag: e7a\r\n"));
  EXPECT_THAT(bytes, HasSubstr("To: <sip:alice@example.com>;tag=tt\r\n"));
  EXPECT_THAT(bytes, Not(HasSubstr("Record-Route")));
  EXPECT_THAT(bytes, Not(HasSubstr("Contact")));
}

// S01, S13
TEST(AnswerTest, AnswersSubscribeWithContactExpiresAndRecordRoute) {
  RequestText text;
  text.Method("SUBSCRIBE")
      .With(
          "Record-Route: <sip:p1.example.com;lr>, <sip:p2.example.com>\n"
          "Record-Route: <sip:p3.example.com;lr>\n");
  const auto request = Parse(text.Text());

  const std::string bytes =
      Print(*request, {.kind = AnswerKind::kSubscribed, .seconds = 600, .to_tag = "ours"});

  EXPECT_THAT(bytes, StartsWith("SIP/2.0 200 OK\r\n"));
  EXPECT_THAT(bytes, HasSubstr("\r\nContact: <sip:192.0.2.9:5060;transport=tcp>\r\n"));
  EXPECT_THAT(bytes, HasSubstr("\r\nExpires: 600\r\n"));
  const size_t p1 = bytes.find("p1.example.com");
  const size_t p2 = bytes.find("p2.example.com");
  const size_t p3 = bytes.find("p3.example.com");
  ASSERT_NE(p3, std::string::npos);
  EXPECT_LT(p1, p2);
  EXPECT_LT(p2, p3);
}

// RFC 3581 4, RFC 3261 18.2.1
TEST(AnswerTest, MarksTheViaWithWhereTheRequestCameFrom) {
  const auto request = Parse(RequestText().Text());

  const std::string bytes = Print(*request, {.kind = AnswerKind::kEtagMismatch, .to_tag = "t"});

  EXPECT_THAT(bytes, StartsWith("SIP/2.0 412 Conditional Request Failed\r\n"));
  EXPECT_THAT(bytes, HasSubstr("rport=5071"));
  EXPECT_THAT(bytes, HasSubstr("received=192.0.2.77"));
}

// S05: the tag of the dialog stays.
TEST(AnswerTest, LeavesATagThatToHasAlready) {
  RequestText text;
  text.Method("SUBSCRIBE").to = "To: <sip:alice@example.com>;tag=ours\n";
  const auto request = Parse(text.Text());

  const std::string bytes = Print(*request, {.kind = AnswerKind::kNoSuchDialog, .to_tag = "new"});

  EXPECT_THAT(bytes, HasSubstr("To: <sip:alice@example.com>;tag=ours\r\n"));
  EXPECT_THAT(bytes, Not(HasSubstr("new")));
}

struct HeaderCase {
  AnswerKind kind;
  const char* status_line;
  const char* header;
};

TEST(AnswerTest, GivesEachRefusalTheHeaderItOwes) {
  const auto request = Parse(RequestText().With("Require: foo\n").Text());

  for (const HeaderCase& c : {
           HeaderCase{AnswerKind::kMethodNotAllowed, "SIP/2.0 405 ", "Allow: PUBLISH"},  // P30
           HeaderCase{AnswerKind::kUnsupportedContent, "SIP/2.0 415 ",
                      "Accept: application/pidf+xml, text/x\r\n"},  // P16
           HeaderCase{AnswerKind::kUnsupportedEncoding, "SIP/2.0 415 ",
                      "Accept-Encoding: identity\r\n"},                                    // P16
           HeaderCase{AnswerKind::kBadExtension, "SIP/2.0 420 ", "Unsupported: foo\r\n"},  // S14
           HeaderCase{AnswerKind::kIntervalTooBrief, "SIP/2.0 423 ", "Min-Expires: 60\r\n"},
           HeaderCase{AnswerKind::kBadEvent, "SIP/2.0 489 ",
                      "Allow-Events: presence, presence.winfo\r\n"},                     // P02
           HeaderCase{AnswerKind::kUnavailable, "SIP/2.0 503 ", "Retry-After: 60\r\n"},  // N05
           HeaderCase{AnswerKind::kOverloaded, "SIP/2.0 503 ", "Retry-After: 60\r\n"},
           HeaderCase{AnswerKind::kCoreUnreachable, "SIP/2.0 503 ", "Retry-After: 60\r\n"},
       }) {
    const std::string bytes = Print(*request, {.kind = c.kind, .seconds = 60, .to_tag = "t"});
    EXPECT_THAT(bytes, StartsWith(c.status_line));
    EXPECT_THAT(bytes, HasSubstr(std::string("\r\n") + c.header)) << c.status_line;
  }
}

TEST(AnswerTest, PrintsTheListOfThePackageWhereItHasOne) {
  const auto request = Parse(RequestText().Text());

  const std::string bytes = Print(*request, {.kind = AnswerKind::kUnsupportedContent,
                                             .to_tag = "t",
                                             .list = "application/dialog-info+xml"});

  EXPECT_THAT(bytes, HasSubstr("\r\nAccept: application/dialog-info+xml\r\n"));
}

TEST(AnswerTest, GivesAPlainAnswerItsStatusAndRetryAfter) {
  const auto request = Parse(RequestText().Text());

  EXPECT_THAT(Print(*request, {.status = 482, .to_tag = "t"}), StartsWith("SIP/2.0 482 Loop"));
  EXPECT_THAT(Print(*request, {.status = 503, .seconds = 5, .to_tag = "t"}),
              HasSubstr("\r\nRetry-After: 5\r\n"));
}

TEST(AnswerTest, EveryAnswerCanBeParsedAgain) {
  const auto request = Parse(RequestText().Text());

  for (int kind = 1; kind <= static_cast<int>(AnswerKind::kCoreUnreachable); ++kind) {
    const std::string bytes =
        Print(*request,
              {.kind = static_cast<AnswerKind>(kind), .seconds = 9, .to_tag = "t", .etag = "e"});
    const auto answer = Parse(bytes);
    ASSERT_NE(answer, nullptr) << bytes;
    EXPECT_GE(answer->status(), 200) << kind;
    EXPECT_EQ(answer->call_id(), request->call_id());
    EXPECT_EQ(answer->header("Server"), "sip-gateway/0.1.0");
  }
}

}  // namespace
}  // namespace presence::sip
