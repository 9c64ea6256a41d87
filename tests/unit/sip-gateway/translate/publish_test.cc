#include "sip-gateway/translate/publish.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence/v1/errors.pb.h"
#include "tests/unit/sip-gateway/sofia/sip_text.h"

namespace presence::sip {
namespace {

RequestText Publish() {
  RequestText text;
  text.Method("PUBLISH").With("Event: presence\n");
  return text;
}

v1::CommandReply Refused(v1::ErrorReason reason) {
  v1::CommandReply reply;
  reply.mutable_error()->set_reason(reason);
  return reply;
}

v1::CommandReply Accepted() {
  v1::CommandReply reply;
  reply.mutable_publish()->set_etag("e1");
  reply.mutable_publish()->mutable_expiry()->set_seconds(1800);
  return reply;
}

// P04
TEST(PublishTest, CarriesAnInitialPublication) {
  RequestText text = Publish();
  text.With("Expires: 600\nContent-Type: Application/PIDF+xml;charset=utf-8\n").body =
      "<presence/>";

  const v1::PublishRequest request = ToPublishRequest(*Parse(text.Text()), {});

  EXPECT_EQ(request.presentity(), "sip:alice@example.com");
  EXPECT_EQ(request.event(), "presence");
  EXPECT_EQ(request.etag(), "");
  EXPECT_EQ(request.expiry().seconds(), 600);
  EXPECT_EQ(request.document().content_type(), "application/pidf+xml");
  EXPECT_EQ(request.document().body(), "<presence/>");
  EXPECT_EQ(request.sip().call_id(), "a84b4c76e66710@192.0.2.1");
  EXPECT_EQ(request.sip().from_tag(), "1928301774");
  EXPECT_EQ(request.sip().cseq(), 314159u);
  EXPECT_FALSE(request.validate_only());
}

// P09, P13: whether a body may be missing is the core's to say, after the tag and the lifetime
// (P03).
TEST(PublishTest, CarriesARefreshWithoutADocument) {
  const v1::PublishRequest request =
      ToPublishRequest(*Parse(Publish().With("SIP-If-Match: abc\n").Text()), {});

  EXPECT_EQ(request.etag(), "abc");
  EXPECT_FALSE(request.has_document());
  EXPECT_FALSE(request.has_expiry());
}

// P11
TEST(PublishTest, CarriesARemovalAsALifetimeOfZero) {
  const v1::PublishRequest request =
      ToPublishRequest(*Parse(Publish().With("SIP-If-Match: abc\nExpires: 0\n").Text()), {});

  EXPECT_TRUE(request.has_expiry());
  EXPECT_EQ(request.expiry().seconds(), 0);
}

// P14
TEST(PublishTest, CarriesTheLongestLifetimeThereIs) {
  const v1::PublishRequest request =
      ToPublishRequest(*Parse(Publish().With("Expires: 4294967295\n").Text()), {});

  EXPECT_EQ(request.expiry().seconds(), 4294967295);
}

// P08, P14
TEST(PublishTest, IsNotReachedByMalformedTagsAndLifetimes) {
  for (const char* header :
       {"SIP-If-Match: a b\n", "SIP-If-Match: a, b\n", "SIP-If-Match:\n", "SIP-If-Match: \"a\"\n",
        "Expires: soon\n", "Expires: 99999999999\n", "Expires: -1\n"}) {
    EXPECT_FALSE(TryParse(Publish().With(header).Text()).ok()) << header;
  }
}

// P26
TEST(PublishTest, NamesTheSenderOnlyForATrustedPeer) {
  const auto message = Parse(Publish().With("Sender: \"A\" <sip:alice@192.0.2.7>\n").Text());

  EXPECT_EQ(
      ToPublishRequest(*message, {.is_trusted_peer = true, .sender_header = "Sender"}).sender(),
      "sip:alice@192.0.2.7");
  EXPECT_EQ(ToPublishRequest(*message, {.sender_header = "Sender"}).sender(), "");
  EXPECT_EQ(ToPublishRequest(*message, {.is_trusted_peer = true}).sender(), "");
}

TEST(PublishTest, CallsABodyWithoutATypeOctets) {
  RequestText text = Publish();
  text.body = "<presence/>";

  EXPECT_EQ(ToPublishRequest(*Parse(text.Text()), {}).document().content_type(),
            "application/octet-stream");
}

// P16, P03: an encoded body only asks, and an earlier fault is answered first.
TEST(PublishTest, AnswersAnEncodedBody415AfterAllEarlierFaults) {
  RequestText text = Publish();
  text.With("Content-Type: application/pidf+xml\nContent-Encoding: gzip\n").body = "zzz";
  const auto message = Parse(text.Text());

  const v1::PublishRequest request = ToPublishRequest(*message, {});

  EXPECT_TRUE(request.validate_only());
  EXPECT_FALSE(request.has_document());
  EXPECT_EQ(AnswerToPublish(*message, Accepted()).kind, AnswerKind::kUnsupportedEncoding);
  EXPECT_EQ(AnswerToPublish(*message, Refused(v1::ERROR_REASON_INVALID_FIELD)).kind,
            AnswerKind::kUnsupportedEncoding);
  EXPECT_EQ(AnswerToPublish(*message, Refused(v1::ERROR_REASON_ETAG_MISMATCH)).kind,
            AnswerKind::kEtagMismatch);
  EXPECT_EQ(AnswerToPublish(*message, Refused(v1::ERROR_REASON_OVERLOADED)).kind,
            AnswerKind::kOverloaded);
}

// P16
TEST(PublishTest, TakesTheIdentityEncodingForNone) {
  RequestText text = Publish();
  text.With("Content-Type: application/pidf+xml\nContent-Encoding: Identity\n").body = "<p/>";
  const auto message = Parse(text.Text());

  EXPECT_FALSE(ToPublishRequest(*message, {}).validate_only());
  EXPECT_EQ(AnswerToPublish(*message, Accepted()).kind, AnswerKind::kPublished);
}

// P04
TEST(PublishTest, AnswersWithTheTagAndLifetimeGranted) {
  const Answer answer = AnswerToPublish(*Parse(Publish().Text()), Accepted());

  EXPECT_EQ(answer.kind, AnswerKind::kPublished);
  EXPECT_EQ(answer.etag, "e1");
  EXPECT_EQ(answer.seconds, 1800u);
}

TEST(PublishTest, MakesA500OfAReplyToSomethingElse) {
  v1::CommandReply reply;
  reply.mutable_subscribe();

  EXPECT_EQ(StatusOf(AnswerToPublish(*Parse(Publish().Text()), reply)), 500);
}

}  // namespace
}  // namespace presence::sip
