#include "telemetry/metrics_page.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace presence {
namespace {

constexpr MetricName kTold = {"told_total", "What was told."};
constexpr MetricName kHeld = {"held", "What is held."};

TEST(MetricsPageTest, IsEmptyWithoutMetrics) { EXPECT_EQ(MetricsPage().Text(), ""); }

TEST(MetricsPageTest, SaysNameMeaningKindAndValue) {
  MetricsPage page;
  page.Counter(kTold, 7);
  page.Gauge(kHeld, 0.5);

  EXPECT_EQ(page.Text(),
            "# HELP told_total What was told.\n# TYPE told_total counter\ntold_total 7\n"
            "# HELP held What is held.\n# TYPE held gauge\nheld 0.5\n");
}

// Prometheus refuses a page that says a family twice.
TEST(MetricsPageTest, KeepsTheSamplesOfOneNameTogether) {
  MetricsPage page;
  page.Counter(kTold, 1, {{"code", "200"}});
  page.Gauge(kHeld, 3);
  page.Counter(kTold, 2, {{"code", "4\"4"}});

  EXPECT_EQ(page.Text(),
            "# HELP told_total What was told.\n# TYPE told_total counter\n"
            "told_total{code=\"200\"} 1\ntold_total{code=\"4\\\"4\"} 2\n"
            "# HELP held What is held.\n# TYPE held gauge\nheld 3\n");
}

TEST(MetricsPageTest, CountsFarBeyond32Bits) {
  MetricsPage page;
  page.Counter(kTold, uint64_t{1} << 40);

  EXPECT_THAT(page.Text(), testing::HasSubstr("told_total 1099511627776\n"));
}

}  // namespace
}  // namespace presence
