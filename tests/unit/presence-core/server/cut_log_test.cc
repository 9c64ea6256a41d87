#include "presence-core/server/cut_log.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/manual_executor.h"

namespace presence {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class CutLogTest : public testing::Test {
 protected:
  const ResourceKey alice_{*PresentityUri::Parse("sip:alice@example.com"),
                           *EventName::Parse("presence")};
  ManualClock clock_;
  std::vector<std::string> lines_;
  CutLog log_{clock_, [this](const std::string& line) { lines_.push_back(line); }};
};

TEST_F(CutLogTest, NamesThePresentityAndHowMuchWasLeftOut) {
  log_.OnCut(alice_, CutDocument::kWinfo, 37);

  EXPECT_THAT(lines_, ElementsAre(HasSubstr("37 watchers of sip:alice@example.com (presence)")));
}

TEST_F(CutLogTest, CountsEachKindButSaysSoOnceInAWhile) {
  for (int i = 0; i < 5; ++i) log_.OnCut(alice_, CutDocument::kState, 1);
  log_.OnCut(alice_, CutDocument::kWinfo, 1);
  EXPECT_THAT(lines_, SizeIs(1));
  EXPECT_EQ(log_.counters().states, 5u);
  EXPECT_EQ(log_.counters().winfo, 1u);

  clock_.Advance(CutLog::kPause);
  log_.OnCut(alice_, CutDocument::kState, 1);

  ASSERT_THAT(lines_, SizeIs(2));
  EXPECT_THAT(lines_[1], HasSubstr("5 more documents since"));
}

}  // namespace
}  // namespace presence
