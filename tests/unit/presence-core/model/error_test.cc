#include "presence-core/model/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "presence-core/model/utf8.h"

namespace presence {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

struct Made {
  absl::Status status;
  ErrorReason reason;
  absl::StatusCode code;
};

// Every maker once, with bytes of the network wherever a text of the network goes.
std::vector<Made> AllMakers() {
  const std::string bytes = std::string("a\r\n\xFF\0b", 6) + std::string(400, '\xC3');
  using R = ErrorReason;
  using C = absl::StatusCode;
  return {
      {InvalidUri("presentity", bytes, "why"), R::kInvalidUri, C::kInvalidArgument},
      {InvalidField("expires", "why"), R::kInvalidField, C::kInvalidArgument},
      {BadDocument(bytes), R::kBadDocument, C::kInvalidArgument},
      {BadDocument(bytes, 3, 4), R::kBadDocument, C::kInvalidArgument},
      {DocumentTooLarge(2, 1), R::kDocumentTooLarge, C::kInvalidArgument},
      {UnknownEvent(bytes, "presence"), R::kUnknownEvent, C::kInvalidArgument},
      {UnsupportedContent(bytes, "a/b"), R::kUnsupportedContent, C::kInvalidArgument},
      {NotAcceptable("a/b"), R::kNotAcceptable, C::kInvalidArgument},
      {IntervalTooBrief(absl::Seconds(1), absl::Seconds(60)), R::kIntervalTooBrief, C::kOutOfRange},
      {EtagMismatch(bytes), R::kEtagMismatch, C::kAborted},
      {SubscriptionUnknown(bytes), R::kSubscriptionUnknown, C::kNotFound},
      {UserUnknown(bytes), R::kUserUnknown, C::kNotFound},
      {CseqTooOld(1, 2), R::kCseqTooOld, C::kFailedPrecondition},
      {WatcherBlocked(bytes, bytes), R::kWatcherBlocked, C::kPermissionDenied},
      {RequestIdReused(bytes), R::kRequestIdReused, C::kAlreadyExists},
      {QuotaExceeded("publications", 40), R::kQuotaExceeded, C::kResourceExhausted},
      {Overloaded("busy", absl::Seconds(2)), R::kOverloaded, C::kResourceExhausted},
      {StorageUnavailable("down"), R::kStorageUnavailable, C::kUnavailable},
      {CoreUnreachable("away", absl::Seconds(1)), R::kCoreUnreachable, C::kUnavailable},
      {Draining(absl::Seconds(5)), R::kDraining, C::kUnavailable},
      {NotServedYet("trace"), R::kNotServedYet, C::kUnimplemented},
      {BadToken("page_token"), R::kBadToken, C::kInvalidArgument},
      {PublicationUnknown(bytes), R::kPublicationUnknown, C::kNotFound},
      {Internal("broken"), R::kInternal, C::kInternal},
      {DialogEventMismatch(bytes, "presence"), R::kDialogEventMismatch, C::kFailedPrecondition},
  };
}

TEST(ErrorTest, CarriesItsReasonAndCode) {
  for (const Made& made : AllMakers()) {
    EXPECT_EQ(ReasonOf(made.status), made.reason) << made.status;
    EXPECT_EQ(made.status.code(), made.code) << made.status;
  }
}

TEST(ErrorTest, NeverCarriesBytesThatAreNoCleanText) {
  for (const Made& made : AllMakers()) {
    EXPECT_TRUE(IsCleanText(std::string(made.status.message()))) << made.status;
    EXPECT_LT(made.status.message().size(), 600u);
    for (const auto& [key, value] : MetadataOf(made.status)) EXPECT_TRUE(IsCleanText(value)) << key;
  }
}

TEST(ErrorTest, NamesTheValuesThatAClientActsOn) {
  EXPECT_THAT(MetadataOf(IntervalTooBrief(absl::Seconds(1), absl::Minutes(1))),
              ElementsAre(Pair("min_expires", "60")));
  EXPECT_THAT(MetadataOf(UnknownEvent("x", "presence, dialog")),
              ElementsAre(Pair("allow_events", "presence, dialog")));
  EXPECT_THAT(MetadataOf(UnsupportedContent("x", "a/b")), ElementsAre(Pair("accept", "a/b")));
  EXPECT_THAT(MetadataOf(BadDocument("why", 3, 4)),
              ElementsAre(Pair("column", "4"), Pair("line", "3")));
  EXPECT_THAT(MetadataOf(EtagMismatch("abc")), ElementsAre(Pair("etag", "abc")));
  EXPECT_THAT(MetadataOf(DocumentTooLarge(9, 5)), ElementsAre(Pair("limit", "5")));
}

TEST(ErrorTest, SaysInItsTextWhatToDo) {
  EXPECT_EQ(BadDocument("no root", 3, 4).message(), "line 3, column 4: no root");
  EXPECT_EQ(BadDocument("no root").message(), "no root");
  EXPECT_THAT(std::string(IntervalTooBrief(absl::Seconds(1), absl::Seconds(60)).message()),
              HasSubstr("ask for at least 60 s"));
}

TEST(ErrorTest, SaysWhenToTryAgainWhereThatHelps) {
  EXPECT_EQ(RetryAfterOf(Overloaded("busy", absl::Milliseconds(1500))), absl::Milliseconds(1500));
  EXPECT_EQ(RetryAfterOf(StorageUnavailable("down")), absl::Seconds(1));
  EXPECT_EQ(RetryAfterOf(EtagMismatch("abc")), std::nullopt);
  EXPECT_EQ(RetryAfterOf(absl::OkStatus()), std::nullopt);
}

TEST(ErrorTest, HasNoReasonForSuccessAndInternalForStrangers) {
  EXPECT_EQ(ReasonOf(absl::OkStatus()), ErrorReason::kUnspecified);
  EXPECT_THAT(MetadataOf(absl::OkStatus()), IsEmpty());
  EXPECT_EQ(ReasonOf(absl::NotFoundError("somebody else's")), ErrorReason::kInternal);
}

}  // namespace
}  // namespace presence
