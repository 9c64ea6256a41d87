#include "logging/logging.h"

#include <spdlog/spdlog.h>

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace presence {
namespace {

TEST(LoggingTest, WritesControlCharactersAsText) {
  EXPECT_EQ(Printable(std::string_view("a\r\nb\0\x7f\xc3\xa9", 8)),
            "a\\x0d\\x0ab\\x00\\x7f\xc3\xa9");
}

TEST(LoggingTest, TakesLevelAndSinkFromTheConfiguration) {
  v1::LogConfig config;
  config.set_level(v1::LOG_LEVEL_ERROR);
  for (const char* sink : {"stderr", "journal", "syslog:local3"}) {
    config.set_sink(sink);
    EXPECT_TRUE(StartLogging(config, "test").ok()) << sink;
    EXPECT_EQ(spdlog::get_level(), spdlog::level::err);
  }
}

TEST(LoggingTest, RefusesASinkItDoesNotKnow) {
  for (const char* sink : {"syslog:nonsense", "file"}) {
    v1::LogConfig config;
    config.set_sink(sink);
    EXPECT_THAT(std::string(StartLogging(config, "test").message()), testing::HasSubstr(sink));
  }
}

}  // namespace
}  // namespace presence
