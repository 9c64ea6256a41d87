#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "presence-core/storage/write_back/write_back_journal.h"
#include "runtime/worker.h"
#include "tests/fakes/fake_row_store.h"

namespace presence {
namespace {

constexpr int kThreads = 4;
constexpr int kChanges = 2000;

// Stripes append from their threads while commits end on others; every change that waits is told,
// and the last one of each resource is what is stored.
TEST(WriteBackThreadsTest, AppendsOfManyThreadsAllArrive) {
  SystemClock clock;
  auto worker = std::make_unique<Worker>(clock, "test");
  FakeRowStore store(*worker);
  uint64_t commits = 0;
  store.fate = [&commits] {
    return ++commits % 5 == 0 ? FakeRowStore::Fate::kUnknownDropped
                              : FakeRowStore::Fate::kCommitted;
  };
  WriteBackOptions options;
  options.flush_interval = absl::Milliseconds(2);
  options.max_dirty_rows = 20;
  WriteBackJournal journal(store, *worker, clock, std::move(options));
  const auto key = [](int number) -> ResourceKey {
    return {*PresentityUri::FromText("user" + std::to_string(number) + "@example.com"),
            *EventName::Parse("presence")};
  };

  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 1; i <= kChanges; ++i) {
        RowChanges changes;
        changes.key = key(thread * 10 + i % 10);
        changes.resource = ResourceRow{{1, static_cast<uint64_t>(i)}, 1, NotifyCause::kPublish, ""};
        changes.raises_cseq_limit = i % 50 == 0;
        AppendResult result = AppendResult::kUnknown;
        while (result != AppendResult::kDurable) {
          absl::Notification told;
          const auto acceptance = journal.Append(changes, [&](AppendOutcome outcome) {
            result = outcome.result;
            told.Notify();
          });
          if (acceptance == Journal::Acceptance::kDurableNow) break;
          told.WaitForNotification();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  absl::Notification drained;
  uint64_t rows_left = 1;
  journal.Drain(absl::InfiniteFuture(), [&](uint64_t rows) {
    rows_left = rows;
    drained.Notify();
  });
  drained.WaitForNotification();
  worker.reset();
  journal.AwaitIdle();

  EXPECT_EQ(rows_left, 0u);
  for (int thread = 0; thread < kThreads; ++thread) {
    for (int rest = 0; rest < 10; ++rest) {
      const auto last = static_cast<uint64_t>(rest == 0 ? kChanges : kChanges - 10 + rest);
      EXPECT_EQ(store.rows().Find(key(thread * 10 + rest))->resource.revision.seq, last);
    }
  }
}

}  // namespace
}  // namespace presence
