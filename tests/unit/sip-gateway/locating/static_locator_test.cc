#include "sip-gateway/locating/static_locator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <vector>

namespace presence::sip {
namespace {

using ::testing::ElementsAre;

const Target kA{TargetProtocol::kUdp, "192.0.2.1", 5060};
const Target kB{TargetProtocol::kUdp, "192.0.2.2", 5060};

class StaticLocatorTest : public ::testing::Test {
 protected:
  LocateResult Now(const Destination& destination) {
    auto started = locator_.Locate(destination, [](LocateResult) { FAIL() << "was immediate"; });
    return std::get<LocateResult>(std::move(started));
  }
  LookupId Start(const Destination& destination) {
    auto started = locator_.Locate(destination, [this](LocateResult r) { later_ = std::move(r); });
    return std::get<LookupId>(started);
  }

  ManualClock clock_;
  StaticLocator locator_{clock_};
  std::optional<LocateResult> later_;
};

TEST_F(StaticLocatorTest, AnswersNamesFromItsMapAndAddressesAsInProduction) {
  locator_.Set("example.com", std::vector<Target>{kA, kB});

  EXPECT_THAT(*Now({.host = "EXAMPLE.com."}), ElementsAre(kA, kB));
  EXPECT_THAT(*Now({.host = "10.0.0.1", .maddr = "example.com"}), ElementsAre(kA, kB));
  EXPECT_THAT(*Now({.host = "192.0.2.1"}), ElementsAre(kA));
  EXPECT_EQ(Now({.host = "other.example"}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Now({.host = "bad host"}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(StaticLocatorTest, AnswersLaterWhileItHolds) {
  locator_.Set("example.com", std::vector<Target>{kA});
  locator_.Hold();

  Start({.host = "example.com"});
  EXPECT_FALSE(later_.has_value());
  locator_.Set("example.com", absl::UnavailableError("down"));
  locator_.Release();

  ASSERT_TRUE(later_.has_value());
  EXPECT_EQ(later_->status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(locator_.waiting(), 0u);
}

TEST_F(StaticLocatorTest, DoesNotCallACancelledLookup) {
  locator_.Set("example.com", std::vector<Target>{kA});
  locator_.Hold();

  locator_.Cancel(Start({.host = "example.com"}));
  locator_.Release();

  EXPECT_FALSE(later_.has_value());
}

TEST_F(StaticLocatorTest, PutsDeadTargetsLast) {
  locator_.Set("example.com", std::vector<Target>{kA, kB});

  locator_.MarkDead(kA, absl::Seconds(10));
  EXPECT_THAT(*Now({.host = "example.com"}), ElementsAre(kB, kA));

  clock_.Advance(absl::Seconds(10));
  EXPECT_THAT(*Now({.host = "example.com"}), ElementsAre(kA, kB));
}

}  // namespace
}  // namespace presence::sip
