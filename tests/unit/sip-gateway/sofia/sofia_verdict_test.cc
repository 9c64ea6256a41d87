#include "sip-gateway/sofia/sofia_verdict.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/unit/sip-gateway/sofia/sip_text.h"

namespace presence::sip {
namespace {

TEST(SofiaVerdictTest, NamesTheHeaderItCannotParse) {
  RequestText request;
  EXPECT_TRUE(AskSofia(request.Text()).is_message);
  EXPECT_TRUE(AskSofia(request.Text()).malformed.none());

  request.via = "Via: nonsense\n";
  EXPECT_TRUE(AskSofia(request.Text()).IsMalformed(FieldId::kVia));
  EXPECT_FALSE(AskSofia("nonsense").is_message);
}

TEST(SofiaVerdictTest, DoesNotMistakeARepeatedHeaderForAMalformedOne) {
  const SofiaVerdict verdict =
      AskSofia(RequestText().With("Call-ID: second\nCSeq: 2 PUBLISH\n").Text());

  EXPECT_TRUE(verdict.is_message);
  EXPECT_TRUE(verdict.malformed.none());
}

// Why the strict scan and the raw checks exist: each of these passes Sofia without an error mark.
// If one of them starts to fail here, Sofia has learnt it; nothing else changes.
TEST(SofiaVerdictTest, LetsPassWhatTheScanAndTheRawChecksRefuse) {
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "Z: y\n";
  const std::string texts[] = {
      RequestText().With("SIP-If-Match: a b\n").Text(),
      RequestText().With("Subject: x\rEvent: presence\n").Text(),
      RequestText().With("Content-Length: 100\n").TextWithoutLength(),
      RequestText().With("Expires: 99999999999\n").Text(),
      RequestText().With("Event: presence, dialog\n").Text(),
      RequestText().With(many).Text(),
  };
  for (const std::string& text : texts) {
    const SofiaVerdict verdict = AskSofia(text);
    EXPECT_TRUE(verdict.is_message);
    EXPECT_TRUE(verdict.malformed.none());

    ScanResult scanned = PreScan(text);
    const auto* message = std::get_if<ScannedMessage>(&scanned);
    EXPECT_TRUE(message == nullptr || !Message::Parse(*message).ok());
  }
}

}  // namespace
}  // namespace presence::sip
