#include "sip-gateway/translate/sip_status.h"

#include <cstdio>
#include <fstream>
#include <map>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace presence::sip {
namespace {

v1::CommandError Error(v1::ErrorReason reason) {
  v1::CommandError error;
  error.set_reason(reason);
  return error;
}

// The contract's comments are the specification: `// INVALID_ARGUMENT / 400 / 489. ...` before each
// value.
std::map<std::string, int> DocumentedStatuses() {
  std::map<std::string, int> statuses;
  std::ifstream file("proto/presence/v1/errors.proto");
  int status = 0;
  int number = 0;
  char name[128];
  for (std::string line; std::getline(file, line);) {
    std::sscanf(line.c_str(), " // %*[A-Z_] / %*d / %d.", &status);
    if (std::sscanf(line.c_str(), " %127[A-Z_] = %d;", name, &number) == 2) statuses[name] = status;
  }
  return statuses;
}

TEST(SipStatusTest, AgreesWithTheContractForEveryReason) {
  std::map<std::string, int> documented = DocumentedStatuses();
  ASSERT_FALSE(documented.empty());

  for (int number = v1::ErrorReason_MIN + 1; number <= v1::ErrorReason_MAX; ++number) {
    ASSERT_TRUE(v1::ErrorReason_IsValid(number));
    const auto reason = static_cast<v1::ErrorReason>(number);
    EXPECT_EQ(StatusOf({.kind = KindOf(reason)}), documented[v1::ErrorReason_Name(reason)])
        << v1::ErrorReason_Name(reason);
  }
}

TEST(SipStatusTest, MakesA500OfAReasonFromTheFuture) {
  EXPECT_EQ(StatusOf(AnswerToError(Error(static_cast<v1::ErrorReason>(9999)))), 500);
}

// P15
TEST(SipStatusTest, TakesMinExpiresFromTheError) {
  v1::CommandError error = Error(v1::ERROR_REASON_INTERVAL_TOO_BRIEF);
  (*error.mutable_metadata())["min_expires"] = "7200";

  const Answer answer = AnswerToError(error);

  EXPECT_EQ(StatusOf(answer), 423);
  EXPECT_EQ(answer.seconds, 7200u);
}

// RFC 3261 21.4.17: there is no 423 without Min-Expires.
TEST(SipStatusTest, MakesA500OfATooBriefIntervalWithoutAMinimum) {
  v1::CommandError error = Error(v1::ERROR_REASON_INTERVAL_TOO_BRIEF);
  EXPECT_EQ(StatusOf(AnswerToError(error)), 500);

  (*error.mutable_metadata())["min_expires"] = "soon";
  EXPECT_EQ(StatusOf(AnswerToError(error)), 500);
}

// P16, P02
TEST(SipStatusTest, TakesTheListsOfAcceptAndAllowEvents) {
  v1::CommandError content = Error(v1::ERROR_REASON_UNSUPPORTED_CONTENT);
  (*content.mutable_metadata())["accept"] = "application/pidf+xml,application/pidf-diff+xml";
  v1::CommandError event = Error(v1::ERROR_REASON_UNKNOWN_EVENT);
  (*event.mutable_metadata())["allow_events"] = "presence, presence.winfo";

  EXPECT_EQ(AnswerToError(content).list, "application/pidf+xml, application/pidf-diff+xml");
  EXPECT_EQ(AnswerToError(event).list, "presence, presence.winfo");
}

// P20: a 503 always says when to come back, and never "at once".
TEST(SipStatusTest, GivesEvery503ARetryAfter) {
  for (const v1::ErrorReason reason :
       {v1::ERROR_REASON_OVERLOADED, v1::ERROR_REASON_STORAGE_UNAVAILABLE,
        v1::ERROR_REASON_DRAINING, v1::ERROR_REASON_QUOTA_EXCEEDED,
        v1::ERROR_REASON_CORE_UNREACHABLE}) {
    v1::CommandError error = Error(reason);
    EXPECT_EQ(AnswerToError(error).seconds, kDefaultRetryAfterSeconds);

    error.mutable_retry_after()->set_nanos(200'000'000);
    EXPECT_EQ(AnswerToError(error).seconds, 1u);

    error.mutable_retry_after()->set_seconds(30);
    EXPECT_EQ(AnswerToError(error).seconds, 31u);

    error.mutable_retry_after()->set_nanos(0);
    error.mutable_retry_after()->set_seconds(-4);
    EXPECT_EQ(AnswerToError(error).seconds, 1u);
  }
}

}  // namespace
}  // namespace presence::sip
