#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/command_line/durations.h"
#include "cli/command_line/shell_words.h"
#include "cli/command_line/suggestion.h"
#include "cli/connection/server_address.h"
#include "tests/unit/cli/cli_test_base.h"

namespace presence::cli {
namespace {

using testing::ElementsAre;

TEST(SuggestionTest, FindsWrongMissingDoubledAndSwappedLetters) {
  const std::vector<std::string> words = {"publish", "presentity", "watch", "watcher"};
  EXPECT_EQ(Nearest("pubilsh", words), "publish");
  EXPECT_EQ(Nearest("presentty", words), "presentity");
  EXPECT_EQ(Nearest("wattch", words), "watch");
  EXPECT_EQ(Nearest("Watchers", words), "watcher");
}

TEST(SuggestionTest, CompletesAnAbbreviation) {
  EXPECT_EQ(Nearest("sub", {"publish", "subscription"}), "subscription");
}

TEST(SuggestionTest, DoesNotGuessWildly) {
  EXPECT_EQ(Nearest("frobnicate", {"publish", "watch"}), std::nullopt);
  EXPECT_EQ(Nearest("", {"publish"}), std::nullopt);
  EXPECT_EQ(Nearest(std::string(100'000, 'p'), {"publish"}), std::nullopt);
}

TEST(DurationsTest, WhatIsPrintedReadsBackTheSame) {
  for (const char* text : {"0s", "250ms", "1s", "90s", "10m", "9m58s", "1h30m", "26h", "47h59m",
                           "2d", "2d1h", "30d"}) {
    const auto duration = ReadDuration(text);
    ASSERT_TRUE(duration.ok()) << text;
    EXPECT_EQ(ReadDuration(DurationText(*duration)).value(), *duration) << text;
  }
  EXPECT_EQ(DurationText(absl::Seconds(598)), "9m58s");
  EXPECT_EQ(DurationText(absl::Minutes(90)), "1h30m");
  EXPECT_EQ(DurationText(absl::Hours(1) + absl::Seconds(59)), "1h");
  EXPECT_EQ(DurationText(absl::Hours(49) + absl::Minutes(59)), "2d1h");
  EXPECT_EQ(DurationText(absl::Hours(72) - absl::Seconds(1)), "2d23h");
}

TEST(DurationsTest, TakesDaysAsConfigurationDoes) {
  EXPECT_EQ(ReadDuration("30d").value(), absl::Hours(720));
  EXPECT_EQ(ReadDuration("1d12h").value(), absl::Hours(36));
}

TEST(DurationsTest, RefusesWhatIsNoFiniteTimeWithAUnit) {
  for (const char* text : {"", "600", "-1s", "inf", "10 m", "1.5h", "10m junk", "36501d"}) {
    EXPECT_FALSE(ReadDuration(text).ok()) << text;
  }
}

TEST(ShellWordsTest, ReadBackUnchanged) {
  const std::vector<std::string> words = {
      "plain",      "sip:a+b@example.com;x=1", "two words", "", "$HOME`id`\"\\", "it's!", "a\nb",
      "*?[x]~#&|<>"};
  EXPECT_EQ(ShellSplit(ShellCommand({words[0], words[1], words[2], words[3], words[4]})),
            (std::vector<std::string>{words[0], words[1], words[2], words[3], words[4]}));
  for (const std::string& word : words) {
    if (word.find('\'') != std::string::npos) continue;  // next test
    EXPECT_THAT(ShellSplit(ShellQuote(word)), ElementsAre(word));
  }
}

TEST(ShellWordsTest, QuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(ShellQuote("alice@example.com"), "alice@example.com");
  EXPECT_EQ(ShellQuote("At my desk"), "\"At my desk\"");
  EXPECT_EQ(ShellQuote("it's!"), "'it'\\''s!'");
}

TEST(ServerAddressTest, TakesHostsPortsAndSockets) {
  EXPECT_EQ(GrpcTarget("127.0.0.1:7460").value(), "dns:///127.0.0.1:7460");
  EXPECT_EQ(GrpcTarget("core.example.com").value(), "dns:///core.example.com:7460");
  EXPECT_EQ(GrpcTarget("[::1]:7000").value(), "dns:///[::1]:7000");
  EXPECT_EQ(GrpcTarget("[::1]").value(), "dns:///[::1]:7460");
  EXPECT_EQ(GrpcTarget("::1").value(), "dns:///[::1]:7460");
  EXPECT_EQ(GrpcTarget("unix:/run/presence/core.sock").value(), "unix:/run/presence/core.sock");
  EXPECT_EQ(GrpcTarget("unix:///run/core.sock").value(), "unix:/run/core.sock");
}

TEST(ServerAddressTest, RefusesWhatIsNoAddress) {
  for (const std::string& address :
       {std::string(""), std::string("http://x:1"), std::string("x:0"), std::string("x:65536"),
        std::string("x:http"), std::string(":7460"), std::string("unix:"),
        "unix:/" + std::string(200, 'a')}) {
    EXPECT_FALSE(GrpcTarget(address).ok()) << address;
  }
}

}  // namespace
}  // namespace presence::cli
