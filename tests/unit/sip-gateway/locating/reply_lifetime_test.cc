#include "sip-gateway/locating/reply_lifetime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/sip-gateway/locating/dns_message.h"

namespace presence::sip {
namespace {

std::span<const uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

Query AnyQuery() {
  return {.id = 1,
          .name = "a.example",
          .type = kTypeA,
          .question = std::string("\1a\7example\0\0\1\0\1", 15),
          .is_over_tcp = false};
}

std::string Message(const std::vector<Record>& answers, const std::vector<Record>& authorities) {
  return Encode(AnyQuery(), {.answers = answers, .authorities = authorities});
}

TEST(ReplyLifetimeTest, IsTheSmallestTtlOfTheAnswer) {
  const std::string message =
      Message({Cname("a.example", "b.example", 40), A("b.example", "192.0.2.1", 300)}, {});

  const auto lifetime = ReadReplyLifetime(Bytes(message));

  ASSERT_TRUE(lifetime.has_value());
  EXPECT_EQ(lifetime->positive, absl::Seconds(40));
  EXPECT_EQ(lifetime->negative, std::nullopt);
}

TEST(ReplyLifetimeTest, OfANegativeAnswerIsTheSmallerOfTheSoasTwo) {
  EXPECT_EQ(ReadReplyLifetime(Bytes(Message({}, {Soa("example", 900, 60)})))->negative,
            absl::Seconds(60));
  EXPECT_EQ(ReadReplyLifetime(Bytes(Message({}, {Soa("example", 30, 60)})))->negative,
            absl::Seconds(30));
  EXPECT_EQ(ReadReplyLifetime(Bytes(Message({}, {A("ns.example", "192.0.2.1")})))->negative,
            std::nullopt);
}

TEST(ReplyLifetimeTest, ReadsATtlWithTheTopBitSetAsZero) {
  const std::string message = Message({A("a.example", "192.0.2.1", 0x80000001)}, {});

  EXPECT_EQ(ReadReplyLifetime(Bytes(message))->positive, absl::ZeroDuration());
}

TEST(ReplyLifetimeTest, FollowsCompressedNames) {
  std::string message = Message({}, {});
  message[7] =
      1;  // one answer: a pointer to the question's name, type A, class IN, TTL 77, four bytes
  message += std::string("\xc0\x0c\0\1\0\1\0\0\0\x4d\0\4\xc0\0\2\1", 16);

  EXPECT_EQ(ReadReplyLifetime(Bytes(message))->positive, absl::Seconds(77));
}

TEST(ReplyLifetimeTest, RefusesEveryMessageThatIsCutShort) {
  const std::string message = Message({A("a.example", "192.0.2.1", 5)}, {Soa("example", 900, 60)});

  ASSERT_TRUE(ReadReplyLifetime(Bytes(message)).has_value());
  for (size_t size = 0; size < message.size(); ++size) {
    // In a buffer of its own, so that a read past the end is caught.
    const std::vector<uint8_t> cut(message.begin(), message.begin() + static_cast<long>(size));
    EXPECT_FALSE(ReadReplyLifetime(cut).has_value()) << size;
  }
}

TEST(ReplyLifetimeTest, RefusesReservedLabelTypesAndCountsThatLie) {
  std::string reserved = Message({}, {});
  reserved[12] = '\x40';
  EXPECT_FALSE(ReadReplyLifetime(Bytes(reserved)).has_value());

  std::string liar = Message({A("a.example", "192.0.2.1", 5)}, {});
  liar[6] = liar[7] = '\xff';
  EXPECT_FALSE(ReadReplyLifetime(Bytes(liar)).has_value());
}

}  // namespace
}  // namespace presence::sip
