#include "runtime/worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"

namespace presence {
namespace {

using testing::ElementsAre;

TEST(WorkerTest, RunsTasksInTheOrderTheyWerePosted) {
  const SystemClock clock;
  std::vector<int> ran;
  std::vector<int> expected(1'000);
  std::iota(expected.begin(), expected.end(), 0);
  {
    Worker worker(clock, "test");
    for (int i = 0; i < 1'000; ++i) worker.Post([&ran, i] { ran.push_back(i); });
  }

  EXPECT_EQ(ran, expected);
}

TEST(WorkerTest, RunsWhatWasPostedBeforeItStoppedAndNothingAfter) {
  SystemClock clock;
  std::vector<int> ran;
  Worker worker(clock, "test");
  worker.Post([&] { ran.push_back(1); });

  worker.Stop();
  worker.Post([&] { ran.push_back(2); });
  worker.Stop();

  EXPECT_EQ(ran, std::vector<int>{1});
}

TEST(WorkerTest, RunsEverythingOnOneThreadThatIsNotTheCallers) {
  const SystemClock clock;
  std::vector<std::thread::id> ids;
  {
    Worker worker(clock, "test");
    worker.Post([&] { ids.push_back(std::this_thread::get_id()); });
    worker.Post([&] { ids.push_back(std::this_thread::get_id()); });
  }

  ASSERT_EQ(ids.size(), 2u);
  EXPECT_EQ(ids[0], ids[1]);
  EXPECT_NE(ids[0], std::this_thread::get_id());
}

TEST(WorkerTest, LosesNothingThatManyThreadsPost) {
  const SystemClock clock;
  int ran = 0;  // of the worker's thread only
  {
    Worker worker(clock, "test");
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 1'000; ++i) worker.Post([&ran] { ++ran; });
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  EXPECT_EQ(ran, 4'000);
}

TEST(WorkerTest, RunsALaterTaskWhenItsTimeHasComeAndNotBefore) {
  const SystemClock clock;
  Worker worker(clock, "test");
  absl::Notification is_done;
  const absl::Time when = clock.Now() + absl::Milliseconds(5);
  absl::Time ran_at;

  worker.PostAt(when, [&] {
    ran_at = clock.Now();
    is_done.Notify();
  });
  is_done.WaitForNotification();

  EXPECT_GE(ran_at, when);
}

TEST(WorkerTest, RunsLaterTasksByTimeAndThoseOfOneTimeInTheirOrder) {
  const SystemClock clock;
  Worker worker(clock, "test");
  absl::Notification is_done;
  const absl::Time soon = clock.Now() + absl::Milliseconds(20);
  std::vector<int> ran;

  worker.PostAt(soon + absl::Milliseconds(1), [&] {
    ran.push_back(4);
    is_done.Notify();
  });
  worker.PostAt(soon, [&] { ran.push_back(2); });
  worker.PostAt(soon, [&] { ran.push_back(3); });
  worker.Post([&] { ran.push_back(1); });
  is_done.WaitForNotification();

  EXPECT_THAT(ran, ElementsAre(1, 2, 3, 4));
}

TEST(WorkerTest, IsNotKeptFromAnEarlierTaskByALaterOne) {
  const SystemClock clock;
  Worker worker(clock, "test");
  absl::Notification is_done;

  worker.PostAt(clock.Now() + absl::Hours(1), [] {});
  worker.PostAt(clock.Now() + absl::Milliseconds(1), [&] { is_done.Notify(); });

  is_done.WaitForNotification();
}

TEST(WorkerTest, LetsATaskPostAnother) {
  const SystemClock clock;
  absl::Notification is_done;
  Worker worker(clock, "test");

  worker.Post([&] { worker.Post([&] { is_done.Notify(); }); });

  is_done.WaitForNotification();
}

TEST(WorkerTest, RunsAtItsEndWhatWasPostedAndDropsWhatWasForLater) {
  const SystemClock clock;
  bool has_run = false;
  bool has_run_later = false;
  {
    Worker worker(clock, "test");
    worker.PostAt(clock.Now() + absl::Hours(1), [&] { has_run_later = true; });
    worker.Post([&] { has_run = true; });
  }

  EXPECT_TRUE(has_run);
  EXPECT_FALSE(has_run_later);
}

// A database that is away makes a task that looks after it late each time.
TEST(WorkerTest, EndsThoughATaskAlwaysWantsToRunAgainAtOnce) {
  const SystemClock clock;
  Worker worker(clock, "test");
  absl::Notification is_running;
  const std::function<void()> again = [&] {
    if (!is_running.HasBeenNotified()) is_running.Notify();
    worker.PostAt(clock.Now(), again);
  };
  worker.Post(again);
  is_running.WaitForNotification();

  worker.Stop();
}

TEST(WorkerTest, DestroysATaskOnceItHasRun) {
  const SystemClock clock;
  Worker worker(clock, "test");
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = held;
  worker.Post([held = std::move(held)] {});
  absl::Notification is_done;

  // Posted from inside the next batch, so that the first one is over.
  worker.Post([&] { worker.Post([&] { is_done.Notify(); }); });
  is_done.WaitForNotification();

  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace presence
