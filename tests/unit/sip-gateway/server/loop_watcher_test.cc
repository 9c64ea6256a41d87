#include "sip-gateway/server/loop_watcher.h"

#include <unistd.h>

#include <array>
#include <memory>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/clock.h"

namespace presence::sip {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LoopWatcherTest : public testing::Test {
 protected:
  LoopWatcherTest() { EXPECT_EQ(pipe(pipe_.data()), 0); }
  ~LoopWatcherTest() override {
    for (const int fd : pipe_) close(fd);
  }
  void Turns(int count) {
    for (int i = 0; i < count; ++i) loop_.RunOnce(absl::Milliseconds(1));
  }

  SystemClock clock_;
  EventLoop loop_{clock_};
  std::unique_ptr<LoopWatcher> watcher_ = std::make_unique<LoopWatcher>(loop_);
  std::array<int, 2> pipe_{};
  std::vector<int> rung_;
};

TEST_F(LoopWatcherTest, TellsOfAReadableDescriptorUntilItIsForgotten) {
  int calls = 0;
  watcher_->Watch(pipe_[0], {.read = true}, [&](Readiness ready) {
    EXPECT_TRUE(ready.read);
    ++calls;
  });
  Turns(2);
  EXPECT_EQ(calls, 0);

  ASSERT_EQ(write(pipe_[1], "x", 1), 1);
  Turns(5);
  EXPECT_GE(calls, 2);  // level-triggered: the byte is still there

  watcher_->Forget(pipe_[0]);
  const int before = calls;
  Turns(5);
  EXPECT_EQ(calls, before);
}

TEST_F(LoopWatcherTest, RingsAlarmsThatWereNotCancelled) {
  watcher_->SetAlarm(clock_.Now(), [&] { rung_.push_back(1); });
  const WatcherAlarm cancelled = watcher_->SetAlarm(clock_.Now(), [&] { rung_.push_back(2); });
  watcher_->CancelAlarm(cancelled);
  watcher_->CancelAlarm(kNoWatcherAlarm);

  Turns(20);

  EXPECT_THAT(rung_, ElementsAre(1));
}

TEST_F(LoopWatcherTest, RingsNothingAfterItsEnd) {
  watcher_->SetAlarm(clock_.Now(), [&] { rung_.push_back(1); });
  watcher_.reset();

  Turns(20);

  EXPECT_THAT(rung_, IsEmpty());
}

}  // namespace
}  // namespace presence::sip
