#include "sip-gateway/server/stored_answers.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace presence::sip {
namespace {

TEST(StoredAnswersTest, KeepsAllThatAnAnswerIsPrintedFrom) {
  const Answer answer{.kind = AnswerKind::kPublished,
                      .seconds = 1800,
                      .to_tag = std::string(16, 't'),
                      .etag = std::string(32, 'e')};

  const auto stored = ToStored(answer);

  ASSERT_TRUE(stored.has_value());
  EXPECT_EQ(stored->status, 200);
  const Answer again = FromStored(*stored);
  EXPECT_EQ(again.kind, answer.kind);
  EXPECT_EQ(again.seconds, answer.seconds);
  EXPECT_EQ(again.to_tag, answer.to_tag);
  EXPECT_EQ(again.etag, answer.etag);
}

TEST(StoredAnswersTest, KeepsNoAnswerThatWouldComeOutDifferent) {
  EXPECT_FALSE(ToStored({.kind = AnswerKind::kBadEvent, .list = "presence"}).has_value());
  EXPECT_FALSE(
      ToStored({.kind = AnswerKind::kPublished, .etag = std::string(100, 'e')}).has_value());
}

TEST(StoredAnswersTest, TakesAnAnswerOfTheTransactionsByItsStatus) {
  StoredAnswer stored;
  stored.status = 482;

  EXPECT_EQ(StatusOf(FromStored(stored)), 482);
}

}  // namespace
}  // namespace presence::sip
