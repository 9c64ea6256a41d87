#include "sip-gateway/sofia/prescan.h"

#include <string>
#include <variant>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/sip-gateway/sofia/sip_text.h"

namespace presence::sip {
namespace {

Refusal RefusalOf(std::string_view text, const ScanLimits& limits = {}) {
  const ScanResult result = PreScan(text, limits);
  if (!std::holds_alternative<Refusal>(result)) {
    ADD_FAILURE() << "was not refused";
    return {};
  }
  return std::get<Refusal>(result);
}

TEST(PreScanTest, CutsARequestIntoStartLineFieldsAndBody) {
  RequestText request;
  request.body = "<presence/>";
  const std::string text = request.With("Event: presence\n").Text();

  const ScannedMessage scanned = Scan(text);

  EXPECT_TRUE(scanned.is_request());
  EXPECT_EQ(scanned.method, "PUBLISH");
  EXPECT_EQ(scanned.request_uri, "sip:alice@example.com");
  EXPECT_EQ(scanned.bytes, text);
  EXPECT_EQ(scanned.body, "<presence/>");
  ASSERT_EQ(scanned.fields.size(), 8u);
  EXPECT_EQ(scanned.fields[6].id, FieldId::kEvent);
  EXPECT_EQ(scanned.fields[6].name, "Event");
  EXPECT_EQ(scanned.fields[6].value, "presence");
}

TEST(PreScanTest, ReadsStatusAndPhraseOfAResponse) {
  const ScannedMessage scanned =
      Scan("SIP/2.0 481 Call/Transaction Does Not Exist\r\nContent-Length: 0\r\n\r\n");

  EXPECT_FALSE(scanned.is_request());
  EXPECT_EQ(scanned.status, 481);
  EXPECT_EQ(scanned.phrase, "Call/Transaction Does Not Exist");
  EXPECT_EQ(scanned.method, "");
}

TEST(PreScanTest, TakesTheVersionInAnyCase) {
  RequestText request;
  request.start_line = "PUBLISH sip:alice@example.com sip/2.0";

  EXPECT_EQ(Scan(request.Text()).method, "PUBLISH");
}

TEST(PreScanTest, KnowsCompactFormsInEitherCase) {
  EXPECT_EQ(FieldIdOf("v"), FieldId::kVia);
  EXPECT_EQ(FieldIdOf("F"), FieldId::kFrom);
  EXPECT_EQ(FieldIdOf("t"), FieldId::kTo);
  EXPECT_EQ(FieldIdOf("I"), FieldId::kCallId);
  EXPECT_EQ(FieldIdOf("m"), FieldId::kContact);
  EXPECT_EQ(FieldIdOf("O"), FieldId::kEvent);
  EXPECT_EQ(FieldIdOf("l"), FieldId::kContentLength);
  EXPECT_EQ(FieldIdOf("c"), FieldId::kContentType);
  EXPECT_EQ(FieldIdOf("e"), FieldId::kContentEncoding);
  EXPECT_EQ(FieldIdOf("k"), FieldId::kSupported);
  EXPECT_EQ(FieldIdOf("u"), FieldId::kOther);
  EXPECT_EQ(FieldIdOf("sip-if-match"), FieldId::kSipIfMatch);
  EXPECT_EQ(FieldIdOf("P-ASSERTED-IDENTITY"), FieldId::kPAssertedIdentity);
}

TEST(PreScanTest, KeepsFoldedLinesTogether) {
  const std::string text =
      RequestText().With("Subject: one\n two\n\tthree\nEvent: presence\n").Text();

  const ScannedMessage scanned = Scan(text);

  ASSERT_EQ(scanned.fields.size(), 9u);
  EXPECT_EQ(scanned.fields[6].value, "one\r\n two\r\n\tthree");
  EXPECT_EQ(scanned.fields[7].id, FieldId::kEvent);
}

TEST(PreScanTest, AllowsWhiteSpaceBeforeTheColonAndAroundTheValue) {
  const std::string text = RequestText().With("Event  :\t presence \n").Text();

  const ScannedMessage scanned = Scan(text);

  EXPECT_EQ(scanned.fields[6].name, "Event");
  EXPECT_EQ(scanned.fields[6].value, "presence");
}

TEST(PreScanTest, TellsKeepAlivesFromMessages) {
  EXPECT_TRUE(std::get<KeepAlive>(PreScan("\r\n\r\n")).is_ping);
  EXPECT_FALSE(std::get<KeepAlive>(PreScan("\r\n")).is_ping);
  EXPECT_TRUE(std::holds_alternative<KeepAlive>(PreScan("")));
}

// P18: RFC 3261 18.3, 20.14.
TEST(PreScanTest, TakesTheRestOfTheDatagramAsBodyWithoutContentLength) {
  RequestText request;
  request.body = "all of this";
  const std::string text = request.TextWithoutLength();

  EXPECT_EQ(Scan(text).body, "all of this");
}

// P18
TEST(PreScanTest, DropsWhatFollowsTheBodyInADatagram) {
  RequestText request;
  request.body = "body";
  const std::string message = request.Text();
  const std::string datagram = message + "INVITE noise";

  const ScannedMessage scanned = Scan(datagram);

  EXPECT_EQ(scanned.body, "body");
  EXPECT_EQ(scanned.bytes.size(), message.size());
}

// P18
TEST(PreScanTest, RefusesADatagramShorterThanItsContentLength) {
  const std::string text = RequestText().With("Content-Length: 10\n").TextWithoutLength() + "short";

  const Refusal refusal = RefusalOf(text);

  EXPECT_EQ(refusal.status, 400);
  EXPECT_EQ(refusal.phrase, "Content-Length Longer Than Message");
  EXPECT_TRUE(refusal.answerable.has_value());
}

TEST(PreScanTest, RefusesContentLengthsThatAreNotOneNumber) {
  for (const std::string value :
       {"-1", "+1", "five", "", "1 2", "1,1", "4294967296", "0x10", "99999999999999999999999999"}) {
    const std::string text =
        RequestText().With("Content-Length: " + value + "\n").TextWithoutLength();
    EXPECT_EQ(RefusalOf(text).phrase, "Malformed Content-Length") << value;
  }
  EXPECT_EQ(Scan(RequestText().With("l: 000\n").TextWithoutLength()).body, "");
}

TEST(PreScanTest, RefusesASecondContentLengthEvenIfBothAgree) {
  const std::string text = RequestText().With("Content-Length: 0\nl: 0\n").TextWithoutLength();

  EXPECT_EQ(RefusalOf(text).phrase, "Multiple Content-Length");
}

TEST(PreScanTest, RefusesABareLineFeed) {
  std::string text = RequestText().With("Subject: x\n").Text();
  text.erase(text.find("Subject: x\r") + 10, 1);

  const Refusal refusal = RefusalOf(text);

  EXPECT_EQ(refusal.status, 400);
  EXPECT_EQ(refusal.phrase, "Bare LF in Head");
  EXPECT_TRUE(refusal.answerable.has_value());
}

TEST(PreScanTest, RefusesABareCarriageReturn) {
  const std::string text = RequestText().With("Subject: x\rEvent: presence\n").Text();

  const Refusal refusal = RefusalOf(text);

  EXPECT_EQ(refusal.phrase, "Bare CR in Head");
  EXPECT_TRUE(refusal.answerable.has_value());
}

TEST(PreScanTest, RefusesAMessageWhoseLinesAllEndInLineFeedsButCanAnswerIt) {
  std::string text = RequestText().Text();
  std::erase(text, '\r');

  const Refusal refusal = RefusalOf(text);

  EXPECT_EQ(refusal.phrase, "Bare LF in Head");
  ASSERT_TRUE(refusal.answerable.has_value());
  EXPECT_EQ(refusal.answerable->call_id, "a84b4c76e66710@192.0.2.1");
}

TEST(PreScanTest, RefusesANulInTheHeadButNotInTheBody) {
  const std::string nul(1, '\0');

  EXPECT_EQ(RefusalOf(RequestText().With("Subject: a" + nul + "b\n").Text()).phrase, "NUL in Head");
  RequestText request;
  request.body = "a" + nul + "b";
  const std::string text = request.Text();
  EXPECT_EQ(Scan(text).body, request.body);
}

TEST(PreScanTest, NeverRepeatsALineThatHoldsACarriageReturnOrNul) {
  RequestText request;
  request.call_id = "Call-ID: a\rVia: SIP/2.0/UDP evil\n";

  EXPECT_FALSE(RefusalOf(request.Text()).answerable.has_value());
}

TEST(PreScanTest, RefusesFiveThousandHeaderFields) {
  RequestText request;
  for (int i = 0; i < 5000; ++i) request.With("Z: y\n");

  const Refusal refusal = RefusalOf(request.Text());

  EXPECT_EQ(refusal.status, 400);
  EXPECT_EQ(refusal.phrase, "Too Many Header Fields");
  EXPECT_TRUE(refusal.answerable.has_value());
}

TEST(PreScanTest, RefusesAHeadOverItsLimit) {
  RequestText request;
  for (int i = 0; i < 20; ++i) request.With("Subject: " + std::string(1000, 'x') + "\n");

  const Refusal refusal = RefusalOf(request.Text());

  EXPECT_EQ(refusal.status, 513);
  EXPECT_EQ(refusal.phrase, "Message Head Too Large");
  EXPECT_TRUE(refusal.answerable.has_value());
}

TEST(PreScanTest, TakesExactlyAsManyFieldsAsTheLimitAllows) {
  RequestText request;
  ScanLimits limits;
  limits.max_fields = 9;

  request.With("X: 1\nX: 2\n");
  EXPECT_TRUE(std::holds_alternative<ScannedMessage>(PreScan(request.Text(), limits)));
  request.With("X: 3\n");
  EXPECT_EQ(RefusalOf(request.Text(), limits).phrase, "Too Many Header Fields");
}

TEST(PreScanTest, RefusesAFieldLongerThanTheLimitHoweverItIsFolded) {
  RequestText request;
  request.With("Subject: x\n");
  for (int i = 0; i < 100; ++i) request.With(" " + std::string(99, 'x') + "\n");

  const Refusal refusal = RefusalOf(request.Text());

  EXPECT_EQ(refusal.status, 513);
  EXPECT_EQ(refusal.phrase, "Header Field Too Large");
}

TEST(PreScanTest, RefusesAMessageOverTheWholeLimit) {
  RequestText request;
  request.body = std::string(64 * 1024, 'b');

  const Refusal refusal = RefusalOf(request.Text());

  EXPECT_EQ(refusal.status, 513);
  EXPECT_TRUE(refusal.answerable.has_value());
}

TEST(PreScanTest, RefusesAHeadThatDoesNotEnd) {
  const std::string text = RequestText().Head();

  const Refusal refusal = RefusalOf(text);

  EXPECT_EQ(refusal.phrase, "Unterminated Head");
  EXPECT_TRUE(refusal.answerable.has_value());
}

TEST(PreScanTest, NeverReadsPastATruncatedMessage) {
  RequestText request;
  request.body = "0123456789";
  const std::string text = request.With("Event: presence\n").Text();

  // Each prefix on a heap block of its own size, for the address sanitizer.
  for (size_t size = 0; size < text.size(); ++size) {
    const std::string prefix(text, 0, size);
    EXPECT_FALSE(std::holds_alternative<ScannedMessage>(PreScan(prefix))) << size;
  }
}

TEST(PreScanTest, RefusesHeaderLinesThatAreNone) {
  for (const std::string line : {"no colon here", ": empty", "Two Words: x", "Bad(Name: x"}) {
    EXPECT_EQ(RefusalOf(RequestText().With(line + "\n").Text()).phrase,
              "Malformed Header Field Name")
        << line;
  }
}

TEST(PreScanTest, RefusesStartLinesWithSpacesOutOfPlace) {
  for (const std::string line :
       {"PUBLISH  sip:a@example.com SIP/2.0", "PUBLISH sip:a@example.com  SIP/2.0",
        "PUBLISH sip:a@example.com SIP/2.0 ", "PUBLISH sip:a@example.com; lr SIP/2.0",
        "PUBLISH SIP/2.0", "PUBLISH sip:a@example.com SIP/two"}) {
    RequestText request;
    request.start_line = line;
    const Refusal refusal = RefusalOf(request.Text());
    EXPECT_EQ(refusal.phrase, "Malformed Start Line") << line;
    EXPECT_TRUE(refusal.answerable.has_value()) << line;
  }
}

TEST(PreScanTest, RefusesAFoldedStartLine) {
  RequestText request;
  request.start_line = "PUBLISH sip:alice@example.com SIP/2.0\n ";

  EXPECT_EQ(RefusalOf(request.Text()).phrase, "Folded Start Line");
}

TEST(PreScanTest, AnswersAnotherVersionOfSipWith505) {
  RequestText request;
  request.start_line = "PUBLISH sip:alice@example.com SIP/3.0";

  const Refusal refusal = RefusalOf(request.Text());

  EXPECT_EQ(refusal.status, 505);
  EXPECT_TRUE(refusal.answerable.has_value());
}

// RFC 3261 18.3, 16: what is not SIP gets no answer.
TEST(PreScanTest, DropsGarbageWithoutAnAnswer) {
  using namespace std::string_literals;
  for (const std::string& text :
       {"\0\0\0\0"s, "jaK"s, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"s, "\x16\x03\x01\x02\x00"s,
        " \r\n\r\n"s, "\r\n\r\nx"s, std::string(2000, '\xff')}) {
    EXPECT_FALSE(RefusalOf(text).answerable.has_value()) << text;
  }
}

TEST(PreScanTest, DropsBrokenResponsesAndAcksWithoutAnAnswer) {
  RequestText request;
  const std::string broken = "Content-Length: x\n";
  request.With(broken).Method("ACK");

  EXPECT_FALSE(RefusalOf(request.TextWithoutLength()).answerable.has_value());
  request.start_line = "SIP/2.0 200 OK";
  EXPECT_FALSE(RefusalOf(request.TextWithoutLength()).answerable.has_value());
}

TEST(PreScanTest, RefusesStatusCodesOutOfRange) {
  for (const std::string line : {"SIP/2.0 099 x", "SIP/2.0 700 x", "SIP/2.0 4294967301 x",
                                 "SIP/2.0 20 x", "SIP/2.0 2000 x", "SIP/2.0 -20 x", "SIP/2.0"}) {
    EXPECT_EQ(RefusalOf(line + "\r\nl: 0\r\n\r\n").phrase, "Malformed Start Line") << line;
  }
}

TEST(PreScanTest, CannotAnswerARequestThatLacksWhatAnAnswerRepeats) {
  for (std::string RequestText::*const part :
       {&RequestText::via, &RequestText::from, &RequestText::to, &RequestText::call_id,
        &RequestText::cseq}) {
    RequestText request;
    request.*part = "";
    request.With("Content-Length: x\n");
    EXPECT_FALSE(RefusalOf(request.TextWithoutLength()).answerable.has_value());
  }
}

TEST(PreScanTest, ExtractsWhatAnAnswerRepeats) {
  const std::string text =
      RequestText().With("Via: SIP/2.0/TCP proxy.example.com;branch=z9hG4bKp\n").Text();

  const std::optional<AnswerableRequest> answerable = ExtractAnswerable(Scan(text));

  ASSERT_TRUE(answerable.has_value());
  EXPECT_EQ(answerable->method, "PUBLISH");
  EXPECT_THAT(answerable->vias,
              testing::ElementsAre("SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK776asdhds;rport",
                                   "SIP/2.0/TCP proxy.example.com;branch=z9hG4bKp"));
  EXPECT_EQ(answerable->from, "\"Alice\" <sip:alice@example.com>;tag=1928301774");
  EXPECT_EQ(answerable->to, "<sip:alice@example.com>");
  EXPECT_EQ(answerable->call_id, "a84b4c76e66710@192.0.2.1");
  EXPECT_EQ(answerable->cseq, "314159 PUBLISH");
}

}  // namespace
}  // namespace presence::sip
