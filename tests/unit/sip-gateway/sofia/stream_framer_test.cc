#include <random>
#include <string>
#include <variant>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sip-gateway/sofia/prescan.h"
#include "tests/unit/sip-gateway/sofia/sip_text.h"

namespace presence::sip {
namespace {

using testing::ElementsAre;

// What came out of a framer, in a form that outlives its buffer.
std::vector<std::string> Drain(StreamFramer& framer) {
  std::vector<std::string> seen;
  while (true) {
    StreamFramer::Event event = framer.Next();
    if (std::holds_alternative<StreamFramer::NeedMore>(event)) return seen;
    if (const auto* message = std::get_if<ScannedMessage>(&event)) {
      seen.push_back(std::string(message->method) + "|" + std::string(message->body));
    } else if (const auto* keep_alive = std::get_if<KeepAlive>(&event)) {
      seen.push_back(keep_alive->is_ping ? "ping" : "pong");
    } else {
      const auto& refusal = std::get<Refusal>(event);
      seen.push_back(std::to_string(refusal.status) + " " + std::string(refusal.phrase) +
                     (refusal.answerable ? "" : " (drop)"));
    }
  }
}

std::vector<std::string> Drain(StreamFramer& framer, std::string_view bytes) {
  framer.Feed(bytes);
  return Drain(framer);
}

std::string Publish(std::string_view body) {
  RequestText request;
  request.body = body;
  return request.Text();
}

TEST(StreamFramerTest, CutsSeveralMessagesOutOfOnePiece) {
  StreamFramer framer;

  EXPECT_THAT(Drain(framer, Publish("one") + Publish("") + Publish("three")),
              ElementsAre("PUBLISH|one", "PUBLISH|", "PUBLISH|three"));
  EXPECT_FALSE(framer.has_partial_message());
}

TEST(StreamFramerTest, FindsTheSameMessagesWhereverTheStreamIsSplit) {
  const std::string stream = Publish("one\r\n\r\ntwo") + "\r\n\r\n" + Publish("three");

  for (size_t split = 0; split <= stream.size(); ++split) {
    StreamFramer framer;
    std::vector<std::string> seen = Drain(framer, std::string_view(stream).substr(0, split));
    const std::vector<std::string> rest = Drain(framer, std::string_view(stream).substr(split));
    seen.insert(seen.end(), rest.begin(), rest.end());
    EXPECT_THAT(seen, ElementsAre("PUBLISH|one\r\n\r\ntwo", "ping", "PUBLISH|three")) << split;
  }
}

TEST(StreamFramerTest, FindsTheSameMessagesByteByByte) {
  const std::string stream = Publish("one") + "\r\n\r\n" + Publish("two");
  StreamFramer framer;
  std::vector<std::string> seen;

  for (const char byte : stream) {
    const std::vector<std::string> more = Drain(framer, std::string(1, byte));
    seen.insert(seen.end(), more.begin(), more.end());
  }

  EXPECT_THAT(seen, ElementsAre("PUBLISH|one", "ping", "PUBLISH|two"));
}

// RFC 5626 3.5.1, 4.4.1.
TEST(StreamFramerTest, TellsPingsFromPongs) {
  StreamFramer framer;

  EXPECT_THAT(Drain(framer, "\r\n\r\n"), ElementsAre("ping"));
  EXPECT_THAT(Drain(framer, "\r\n"), ElementsAre());
  EXPECT_FALSE(framer.has_partial_message());
  EXPECT_THAT(Drain(framer, Publish("x")), ElementsAre("pong", "PUBLISH|x"));
}

TEST(StreamFramerTest, SaysWhetherAMessageIsUnderWay) {
  StreamFramer framer;
  EXPECT_FALSE(framer.has_partial_message());

  Drain(framer, "\r");
  EXPECT_FALSE(framer.has_partial_message());
  Drain(framer, "\nP");
  EXPECT_TRUE(framer.has_partial_message());
}

// P18: 400, then close.
TEST(StreamFramerTest, RefusesAMessageWithoutContentLengthAndIsBrokenThen) {
  StreamFramer framer;

  EXPECT_THAT(Drain(framer, RequestText().TextWithoutLength()),
              ElementsAre("400 Missing Content-Length"));
  EXPECT_TRUE(framer.is_broken());
  EXPECT_THAT(Drain(framer, Publish("x")), ElementsAre());
}

TEST(StreamFramerTest, HandsOutWhatCameBeforeTheFault) {
  StreamFramer framer;

  EXPECT_THAT(Drain(framer, Publish("good") + "garbage without end\r\n\r\n"),
              ElementsAre("PUBLISH|good", "400 Not a SIP Message (drop)"));
}

TEST(StreamFramerTest, RefusesAContentLengthOverTheLimitBeforeTheBodyComes) {
  StreamFramer framer;

  EXPECT_THAT(Drain(framer, RequestText().With("Content-Length: 4000000000\n").TextWithoutLength()),
              ElementsAre("513 Message Too Large"));
  EXPECT_LT(framer.buffered_bytes(), 1000u);
}

TEST(StreamFramerTest, RefusesBadContentLengths) {
  for (const std::string value : {"-1", "five", "1\nl: 1", "99999999999999999999"}) {
    StreamFramer framer;
    Drain(framer, RequestText().With("Content-Length: " + value + "\n").TextWithoutLength());
    EXPECT_TRUE(framer.is_broken()) << value;
  }
}

TEST(StreamFramerTest, RefusesAHeadThatDoesNotEndAtItsLimit) {
  StreamFramer framer;
  EXPECT_THAT(Drain(framer, RequestText().Head()), ElementsAre());

  for (int i = 0; i < 1000 && !framer.is_broken(); ++i)
    Drain(framer, "Subject: x y z and more\r\n");

  EXPECT_TRUE(framer.is_broken());
  EXPECT_LE(framer.buffered_bytes(), ScanLimits().max_head_bytes + 100);
}

TEST(StreamFramerTest, RefusesALineThatDoesNotEndAtTheHeadLimit) {
  StreamFramer framer;

  for (int i = 0; i < 300 && !framer.is_broken(); ++i) Drain(framer, std::string(100, 'x'));

  EXPECT_TRUE(framer.is_broken());
}

TEST(StreamFramerTest, RefusesStrayBytesWithoutWaitingForTheEndOfTheHead) {
  const std::string nul(1, '\0');
  for (const std::string& bytes :
       {std::string("PUBLISH sip:a@b SIP/2.0\nVia:"), std::string("PUBLISH sip:a@b SIP/2.0\rVia:"),
        "PUBLISH" + nul + "sip:a@b SIP/2.0"}) {
    StreamFramer framer;
    Drain(framer, bytes);
    EXPECT_TRUE(framer.is_broken()) << bytes;
  }
}

TEST(StreamFramerTest, NoticesACarriageReturnWhoseLineFeedDoesNotComeInTheNextPiece) {
  StreamFramer framer;

  EXPECT_THAT(Drain(framer, "PUBLISH sip:a@b SIP/2.0\r"), ElementsAre());
  Drain(framer, "Via: x");

  EXPECT_TRUE(framer.is_broken());
}

TEST(StreamFramerTest, KeepsNoMoreThanOneMessageInMemory) {
  StreamFramer framer;
  const std::string message = Publish(std::string(1000, 'b'));

  for (int i = 0; i < 1000; ++i) {
    framer.Feed(message);
    framer.Feed(message.substr(0, 10));
    EXPECT_THAT(Drain(framer), testing::SizeIs(1));
    EXPECT_THAT(Drain(framer, message.substr(10)), testing::SizeIs(1));
  }

  EXPECT_EQ(framer.buffered_bytes(), 0u);
}

TEST(StreamFramerTest, AgreesWithTheDatagramScanOnEveryWholeMessage) {
  std::mt19937 random(7);  // NOLINT: the same mutations every time
  const std::string good = Publish("<presence/>");

  for (int i = 0; i < 3000; ++i) {
    std::string text = good;
    text[random() % (text.size() - 20)] = static_cast<char>(random() % 256);
    StreamFramer framer;
    framer.Feed(text);
    const StreamFramer::Event event = framer.Next();
    const ScanResult datagram = PreScan(text);
    if (const auto* message = std::get_if<ScannedMessage>(&event)) {
      ASSERT_TRUE(std::holds_alternative<ScannedMessage>(datagram)) << text;
      EXPECT_EQ(message->body, std::get<ScannedMessage>(datagram).body);
    } else if (std::holds_alternative<Refusal>(event) &&
               std::get<Refusal>(event).phrase != "Missing Content-Length") {
      EXPECT_TRUE(std::holds_alternative<Refusal>(datagram)) << text;
    }
  }
}

}  // namespace
}  // namespace presence::sip
