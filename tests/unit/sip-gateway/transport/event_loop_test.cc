#include "sip-gateway/transport/event_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <thread>
#include <vector>

namespace presence::sip {
namespace {

using testing::ElementsAre;

class EventLoopTest : public testing::Test {
 protected:
  ManualClock clock_;
  EventLoop loop_{clock_};
};

TEST_F(EventLoopTest, RunsWhatWasPostedInOrderAndNotInsidePost) {
  std::vector<int> ran;
  loop_.Post([&] { ran.push_back(1); });
  loop_.Post([&] { ran.push_back(2); });
  EXPECT_TRUE(ran.empty());

  loop_.RunOnce(absl::ZeroDuration());

  EXPECT_THAT(ran, ElementsAre(1, 2));
}

TEST_F(EventLoopTest, WakesUpForAPostFromAnotherThread) {
  SystemClock clock;
  EventLoop loop(clock);
  std::thread other([&loop] {
    for (int i = 0; i < 100; ++i) loop.Post([] {});
    loop.Post([&loop] { loop.Stop(); });
  });

  loop.Run();  // would not return

  other.join();
}

TEST_F(EventLoopTest, RunsWhatIsPostedForLaterWhenItsTimeHasCome) {
  std::vector<int> ran;
  loop_.PostAt(clock_.Now() + absl::Seconds(2), [&] { ran.push_back(2); });
  loop_.PostAt(clock_.Now() + absl::Seconds(1), [&] { ran.push_back(1); });

  loop_.RunOnce(absl::ZeroDuration());
  EXPECT_TRUE(ran.empty());

  clock_.Advance(absl::Seconds(1));
  loop_.RunOnce(absl::ZeroDuration());
  EXPECT_THAT(ran, ElementsAre(1));

  clock_.Advance(absl::Seconds(5));
  loop_.RunOnce(absl::ZeroDuration());
  EXPECT_THAT(ran, ElementsAre(1, 2));
}

TEST_F(EventLoopTest, CallsTheHooksAtTheEndOfEveryTurnInTheirOrder) {
  std::vector<int> ran;
  loop_.AddTurnHook([&](absl::Time) {
    ran.push_back(1);
    return absl::InfiniteFuture();
  });
  loop_.AddTurnHook([&](absl::Time) {
    ran.push_back(2);
    return absl::InfiniteFuture();
  });
  loop_.Post([&] { ran.push_back(0); });

  loop_.RunOnce(absl::ZeroDuration());

  EXPECT_THAT(ran, ElementsAre(0, 1, 2));
}

TEST_F(EventLoopTest, WakesUpForAHookThatIsDue) {
  SystemClock clock;
  EventLoop loop(clock);
  int calls = 0;
  loop.AddTurnHook([&](absl::Time now) {
    if (++calls == 3) loop.Stop();
    return now + absl::Milliseconds(1);
  });

  loop.Run();

  EXPECT_EQ(calls, 3);
}

TEST_F(EventLoopTest, RunsWhatWasPostedBeforeTheStop) {
  bool has_run = false;
  loop_.Stop();
  loop_.Post([&] { has_run = true; });

  loop_.Run();

  EXPECT_TRUE(has_run);
}

class EventLoopWatchTest : public EventLoopTest {
 protected:
  EventLoopWatchTest() { EXPECT_EQ(pipe(pipe_.data()), 0); }
  ~EventLoopWatchTest() override {
    close(pipe_[0]);
    close(pipe_[1]);
  }
  void Turn() {
    for (int i = 0; i < 10; ++i) loop_.RunOnce(absl::ZeroDuration());
  }

  std::array<int, 2> pipe_{};
};

TEST_F(EventLoopWatchTest, CallsAgainAsLongAsThereIsSomethingToRead) {
  int calls = 0;
  loop_.Watch(pipe_[0], {.is_readable = true}, [&](EventLoop::Readiness ready) {
    EXPECT_TRUE(ready.is_readable);
    ++calls;
  });
  Turn();
  EXPECT_EQ(calls, 0);

  ASSERT_EQ(write(pipe_[1], "x", 1), 1);
  Turn();
  EXPECT_GE(calls, 2);

  char byte = 0;
  ASSERT_EQ(read(pipe_[0], &byte, 1), 1);
  Turn();
  const int calls_when_empty = calls;
  Turn();
  EXPECT_EQ(calls, calls_when_empty);
}

TEST_F(EventLoopWatchTest, SaysWhenADescriptorIsWritable) {
  bool is_writable = false;
  loop_.Watch(pipe_[1], {.is_writable = true},
              [&](EventLoop::Readiness ready) { is_writable = ready.is_writable; });

  Turn();

  EXPECT_TRUE(is_writable);
}

TEST_F(EventLoopWatchTest, MayBeToldToStopFromInsideTheCallback) {
  int calls = 0;
  loop_.Watch(pipe_[1], {.is_writable = true}, [&](EventLoop::Readiness) {
    ++calls;
    loop_.Unwatch(pipe_[1]);
  });

  Turn();

  EXPECT_EQ(calls, 1);
}

TEST_F(EventLoopWatchTest, LeavesTheDescriptorOpen) {
  {
    EventLoop loop(clock_);
    loop.Watch(pipe_[0], {.is_readable = true}, [](EventLoop::Readiness) {});
    loop.Watch(pipe_[1], {.is_writable = true}, [](EventLoop::Readiness) {});
    loop.Unwatch(pipe_[0]);
  }

  EXPECT_EQ(write(pipe_[1], "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(read(pipe_[0], &byte, 1), 1);
}

}  // namespace
}  // namespace presence::sip
