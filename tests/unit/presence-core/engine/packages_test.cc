#include "tests/unit/presence-core/engine/engine_fixture.h"

namespace presence {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Two event packages in one engine, "presence" and "dialog": each has a resource of its own for the
// same user.
class PackagesTest : public EngineTest {
 protected:
  void SetUp() override {
    registry = MakeTextRegistry();
    ASSERT_TRUE(registry->Add(std::make_unique<TextPackage>("dialog")).ok());
    StartEngine();
  }
  static PublishCommand OfDialog(const std::string& text) {
    PublishCommand command = Publication("alice", text);
    command.event = Event("dialog");
    return command;
  }
};

// P06
TEST_F(PackagesTest, AnEntityTagOfAnotherPackageOfTheUserNamesNothing) {
  const Etag etag = Publish("alice", "open")->etag;
  PublishCommand modify = OfDialog("ringing");
  modify.etag = etag;

  EXPECT_EQ(ReasonOf(Publish(modify).status()), ErrorReason::kEtagMismatch);

  const auto rows = engine->ListPublications({}).rows;
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].publication->etag, etag);
  EXPECT_EQ(rows[0].publication->document.body(), "open");
}

TEST_F(PackagesTest, WatchersOfOneAreNotToldOfTheOther) {
  Subscribe("alice", "bob");
  Subscribe("alice", "carol", "dialog");
  Answer();
  Sent();

  Publish(OfDialog("ringing"));

  EXPECT_THAT(Sent(), ElementsAre("carol 2 active ringing"));
}

// W07, W01, W03: the template serves every package.
TEST_F(PackagesTest, TheWatcherInformationOfEachCountsForItself) {
  SubscribeCommand winfo = Subscription("alice", "alice", "dialog.winfo");
  const LocalTag tag = Subscribe(winfo)->id;
  Answer();
  Subscribe("alice", "bob", "dialog");
  Answer();
  Subscribe("alice", "carol");
  Answer();
  winfo.local_tag = tag.text();
  winfo.cseq = 2;
  Subscribe(winfo);
  Answer();
  Subscribe("alice", "dave", "dialog");
  Answer();

  std::vector<std::string> told;
  for (const Instruction& i : gateway.sent) {
    if (i.subscription->event.is_winfo()) told.emplace_back(i.document.body());
  }
  EXPECT_THAT(told, ElementsAre("full 0:", "partial 1: bob@example.com active subscribe;",
                                "full 2: bob@example.com active subscribe;",
                                "partial 3: dave@example.com active subscribe;"));
}

// N11
TEST_F(PackagesTest, TheIntervalOfOneDoesNotHoldTheOtherBack) {
  config.packages["dialog"] = config.every_package;
  config.packages["dialog"].min_notify_interval = absl::Seconds(5);
  StartEngine();
  Subscribe("alice", "bob");
  Subscribe("alice", "carol", "dialog");
  Answer();
  Sent();

  Publish("alice", "open");
  Publish(OfDialog("ringing"));
  EXPECT_THAT(Sent(), ElementsAre("bob 2 active open"));
  executor.RunFor(absl::Seconds(6));

  EXPECT_THAT(Sent(), ElementsAre("carol 2 active ringing"));
}

}  // namespace
}  // namespace presence
