#include "presence-core/model/event_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "presence-core/model/error.h"

namespace presence {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(EventNameTest, IsLowerCase) {
  EXPECT_EQ(EventName::Parse("Presence")->text(), "presence");
  EXPECT_EQ(EventName::Parse("message-summary")->text(), "message-summary");
}

TEST(EventNameTest, KnowsItsWinfoAndItsBase) {
  const EventName presence = *EventName::Parse("presence");
  const EventName winfo = *EventName::Parse("presence.winfo");

  EXPECT_FALSE(presence.is_winfo());
  EXPECT_TRUE(winfo.is_winfo());
  EXPECT_EQ(presence.winfo(), winfo);
  EXPECT_EQ(winfo.base(), presence);
  EXPECT_EQ(presence.base(), presence);
  EXPECT_EQ(winfo.winfo(), winfo);
}

TEST(EventNameTest, HasSharedLineAppearanceAsAPackageOfItsOwn) {
  const EventName sla = *EventName::Parse("dialog;sla");

  EXPECT_NE(sla, *EventName::Parse("dialog"));
  EXPECT_EQ(sla.winfo().text(), "dialog;sla.winfo");
  EXPECT_EQ(EventName::Parse("dialog;sla.winfo")->base(), sla);
}

class RefusedEventNameTest : public ::testing::TestWithParam<const char*> {};

// P02 and S23 begin here: what has no form of a package is an unknown one.
TEST_P(RefusedEventNameTest, IsAnUnknownEvent) {
  const auto name = EventName::Parse(GetParam());

  EXPECT_EQ(ReasonOf(name.status()), ErrorReason::kUnknownEvent) << GetParam();
}

INSTANTIATE_TEST_SUITE_P(All, RefusedEventNameTest,
                         ::testing::Values("", ".winfo", ";sla", "presence.winfo.winfo",
                                           "presence, dialog", "pre sence", "presence;id=7",
                                           "dialog;sla;sla", "dialog.winfo;sla", "presence.",
                                           ".presence", "presence..winfo", "a..b", "a\xC3\xBC",
                                           "presence\r\n", "\"presence\""));

TEST(EventNameTest, TakesSixtyFourCharactersAndNoMore) {
  EXPECT_TRUE(EventName::Parse(std::string(64, 'a')).ok());
  EXPECT_FALSE(EventName::Parse(std::string(65, 'a')).ok());
}

TEST(EventNameTest, RefusesWithoutAnEmptyListOfWhatIsServed) {
  const absl::Status error = EventName::Parse("a b\n").status();

  EXPECT_THAT(std::string(error.message()), HasSubstr(R"("a b\x0a")"));
  EXPECT_THAT(std::string(error.message()), Not(HasSubstr("served are")));
}

}  // namespace
}  // namespace presence
