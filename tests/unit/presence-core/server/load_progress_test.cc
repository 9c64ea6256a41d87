#include "presence-core/server/load_progress.h"

#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace presence {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

Engine::Loaded Loaded() {
  Engine::Loaded loaded;
  loaded.resources = 3;
  loaded.publications = 2;
  loaded.subscriptions = 5;
  loaded.others = 1;
  loaded.to_resync = 4;
  return loaded;
}

TEST(LoadProgressTest, ShowsOneLineAndTakesItAway) {
  ManualClock clock;
  std::ostringstream terminal;
  LoadProgress progress(clock, &terminal);

  clock.Advance(absl::Milliseconds(300));
  progress.OnLoaded(Loaded());
  const std::string shown = terminal.str();
  progress.OnLoaded(Loaded());
  EXPECT_EQ(terminal.str(), shown) << "not for every row";
  clock.Advance(absl::Milliseconds(100));
  progress.OnLoaded(Loaded());
  const std::string summary = progress.Finish(Loaded());

  EXPECT_THAT(shown, HasSubstr("loading: 2 publications, 5 subscriptions of 3 resources, 0.3 s"));
  EXPECT_THAT(terminal.str(), HasSubstr("3 resources, 0.4 s"));
  EXPECT_THAT(terminal.str(), EndsWith("\r\033[K"));
  EXPECT_EQ(summary,
            "loaded 3 resources (2 publications, 5 subscriptions, 1 decisions and answers) in 0.4 "
            "s; 4 subscriptions may have missed a NOTIFY and are told again");
}

TEST(LoadProgressTest, ShowsNothingOfAShortStart) {
  ManualClock clock;
  std::ostringstream terminal;
  LoadProgress progress(clock, &terminal);

  clock.Advance(absl::Milliseconds(100));
  progress.OnLoaded(Loaded());
  (void)progress.Finish(Loaded());

  EXPECT_EQ(terminal.str(), "");
}

TEST(LoadProgressTest, ShowsNothingWithoutATerminal) {
  ManualClock clock;
  LoadProgress progress(clock, nullptr);

  clock.Advance(absl::Minutes(1));
  progress.OnLoaded(Loaded());

  EXPECT_THAT(progress.Finish(Loaded()), HasSubstr("in 60.0 s"));
}

}  // namespace
}  // namespace presence
