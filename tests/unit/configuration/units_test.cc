#include "configuration/units.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace presence {
namespace {

using testing::HasSubstr;

TEST(UnitsTest, ReadsDurationsOfOneAndOfSeveralUnits) {
  EXPECT_EQ(*ParseDuration("250ms"), absl::Milliseconds(250));
  EXPECT_EQ(*ParseDuration("90s"), absl::Seconds(90));
  EXPECT_EQ(*ParseDuration("10m"), absl::Minutes(10));
  EXPECT_EQ(*ParseDuration("1h30m"), absl::Minutes(90));
  EXPECT_EQ(*ParseDuration("7d"), absl::Hours(168));
  EXPECT_EQ(*ParseDuration("1d2h3m4s5ms"),
            absl::Hours(26) + absl::Minutes(3) + absl::Seconds(4) + absl::Milliseconds(5));
  EXPECT_EQ(*ParseDuration("0"), absl::ZeroDuration());
  EXPECT_EQ(*ParseDuration("0s"), absl::ZeroDuration());
}

TEST(UnitsTest, RefusesWhatIsNoDuration) {
  for (const char* text : {"", "90", "s", "-1s", "+1s", "1.5s", " 1s", "1s ", "1 s", "1w", "1S",
                           "30m1h", "1s1s", "1h30", "1ms1s"}) {
    const auto duration = ParseDuration(text);
    ASSERT_FALSE(duration.ok()) << text;
    EXPECT_THAT(std::string(duration.status().message()), HasSubstr("1h30m")) << text;
  }
}

TEST(UnitsTest, RefusesDurationsThatDoNotFit) {
  EXPECT_FALSE(ParseDuration("99999999999999999999s").ok());
  EXPECT_FALSE(ParseDuration("9223372036854775807d").ok());
  EXPECT_FALSE(ParseDuration("36501d").ok());
  EXPECT_FALSE(ParseDuration("36500d1ms").ok());
}

TEST(UnitsTest, PrintsDurationsInAFormThatReadsBackTheSame) {
  for (const char* text : {"0s", "1ms", "250ms", "1s", "1m30s", "10m", "1h", "1h30m", "24h", "36h",
                           "2d", "30d", "49h", "1h1ms"}) {
    EXPECT_EQ(PrintDuration(*ParseDuration(text)), text);
  }
  EXPECT_EQ(PrintDuration(absl::Seconds(90)), "1m30s");
  EXPECT_EQ(PrintDuration(absl::Hours(48)), "2d");
}

TEST(UnitsTest, ReadsSizesWithAndWithoutUnit) {
  EXPECT_EQ(*ParseSize("512"), 512u);
  EXPECT_EQ(*ParseSize("64KiB"), 65536u);
  EXPECT_EQ(*ParseSize("4MiB"), 4194304u);
  EXPECT_EQ(*ParseSize("1GiB"), 1073741824u);
}

TEST(UnitsTest, RefusesWhatIsNoSize) {
  // KB is a thousand to some and 1024 to others.
  for (const char* text : {"", "KiB", "64KB", "64k", "-1", "1.5KiB", "64 KiB", "64kib"}) {
    EXPECT_FALSE(ParseSize(text).ok()) << text;
  }
  EXPECT_FALSE(ParseSize("18446744073709551616").ok());
  EXPECT_FALSE(ParseSize("18446744073709551615KiB").ok());
}

TEST(UnitsTest, PrintsSizesInAFormThatReadsBackTheSame) {
  for (const char* text : {"0", "1", "1023", "1KiB", "1025", "64KiB", "4MiB", "1536KiB", "3GiB"}) {
    EXPECT_EQ(PrintSize(*ParseSize(text)), text);
  }
}

}  // namespace
}  // namespace presence
