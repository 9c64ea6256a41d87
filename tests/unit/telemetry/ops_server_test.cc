#include "telemetry/ops_server.h"

#include <atomic>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fakes/http_get.h"

namespace presence {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class OpsServerTest : public testing::Test {
 protected:
  void SetUp() override {
    OpsPages pages;
    pages.not_ready = [this] {
      return is_ready_ ? std::nullopt : std::optional<std::string>("no core");
    };
    pages.metrics = [this] {
      return has_metrics_ ? std::optional<std::string>("told_total 7\n") : std::nullopt;
    };
    pages.version = "program 1.2.3";
    auto server = OpsServer::Start("127.0.0.1:0", std::move(pages));
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  std::string Get(const std::string& path) { return HttpGet(server_->address(), path); }

  std::atomic<bool> is_ready_ = true;
  std::atomic<bool> has_metrics_ = true;
  std::unique_ptr<OpsServer> server_;
};

TEST_F(OpsServerTest, SaysThatItLivesAndWhatItIs) {
  EXPECT_THAT(Get("/live"), AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("\r\n\r\nlive\n")));
  EXPECT_THAT(Get("/version"), EndsWith("\r\n\r\nprogram 1.2.3\n"));
  EXPECT_THAT(Get("/elsewhere"), StartsWith("HTTP/1.1 404 "));
}

TEST_F(OpsServerTest, IsReadyUntilItHasAReasonNotToBe) {
  EXPECT_THAT(Get("/ready"), AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("\r\n\r\nready\n")));
  is_ready_ = false;

  EXPECT_THAT(Get("/ready"), AllOf(StartsWith("HTTP/1.1 503 "), EndsWith("\r\n\r\nno core\n")));
}

TEST_F(OpsServerTest, GivesTheMetricsInPrometheusText) {
  EXPECT_THAT(Get("/metrics"),
              AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("text/plain; version=0.0.4"),
                    EndsWith("\r\n\r\ntold_total 7\n")));
}

TEST_F(OpsServerTest, RatherSaysThatItIsTooBusyThanNothing) {
  has_metrics_ = false;

  EXPECT_THAT(Get("/metrics"), StartsWith("HTTP/1.1 503 "));
}

// What it takes is part of every stop, and of every succession of cores.
TEST_F(OpsServerTest, GoesAtOnce) {
  const absl::Time start = absl::Now();

  server_.reset();

  EXPECT_LT(absl::Now() - start, absl::Seconds(1));
}

TEST(OpsServerOnEveryAddressTest, GoesAtOnce) {
  auto server = OpsServer::Start("0.0.0.0:0", {});
  ASSERT_TRUE(server.ok()) << server.status();
  const absl::Time start = absl::Now();

  server->reset();

  EXPECT_LT(absl::Now() - start, absl::Seconds(1));
}

TEST_F(OpsServerTest, NamesAnAddressThatCannotBeListenedOn) {
  const auto second = OpsServer::Start(server_->address(), {});

  ASSERT_FALSE(second.ok());
  EXPECT_THAT(std::string(second.status().message()),
              AllOf(HasSubstr("cannot serve HTTP on " + server_->address()),
                    HasSubstr("Address already in use"), HasSubstr("--ops-listen")));
}

}  // namespace
}  // namespace presence
