#include "presence-core/storage/halving_commit.h"

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence-core/model/error.h"
#include "runtime/executor.h"

namespace presence {
namespace {

using testing::ElementsAre;

// Refuses what holds a bad publication, and writes down what it commits.
class RecordingStore final : public RowStore {
 public:
  explicit RecordingStore(PublicationId bad) : bad_(bad) {}

  uint32_t shards() const override { return 1; }
  uint32_t lanes() const override { return 1; }
  void Commit(uint32_t, const std::vector<RowChanges>& batch, CommitDone done) override {
    tasks_.emplace_back([this, &batch, done = std::move(done)]() mutable {
      std::string committed;
      for (const RowChanges& changes : batch) {
        for (const auto& [id, row] : changes.publications) {
          if (id == bad_) return done({CommitResult::kBadRow, Internal("bad")});
          committed += (row == nullptr ? "-" : "+") + std::to_string(id);
        }
        if (changes.resource.has_value()) committed += "r";
      }
      log_.push_back(committed);
      done({});
    });
  }
  void Read(const ResourceKey&, ReadDone) override {}
  void Look(const ResourceKey&, uint64_t, ReadDone) override {}
  void Find(const LocalTag&, FindDone) override {}
  absl::Status ReadAll(absl::FunctionRef<void(ResourceRows)>) override { return absl::OkStatus(); }

  void Run() {
    for (; !tasks_.empty(); tasks_.pop_front()) tasks_.front()();
  }
  const std::vector<std::string>& log() const { return log_; }

 private:
  const PublicationId bad_;
  std::deque<Task> tasks_;
  std::vector<std::string> log_;
};

RowChanges Put(std::vector<PublicationId> ids) {
  RowChanges changes;
  for (PublicationId id : ids) {
    changes.publications.emplace_back(id, std::make_shared<Publication>());
  }
  return changes;
}

// How each part ended, by where it began and how long it is.
std::vector<std::string> PartsOf(RecordingStore& store, std::vector<RowChanges> batch,
                                 SmallestPart smallest) {
  std::vector<std::string> parts;
  CommitInHalves(store, 0, std::move(batch), smallest, [&](const CommittedPart& part) {
    parts.push_back(std::to_string(part.first) + ":" + std::to_string(part.changes.size()) +
                    (part.outcome.result == CommitResult::kBadRow ? " bad" : "") + " after " +
                    std::to_string(part.commits) + (part.is_last ? " last" : ""));
  });
  EXPECT_TRUE(parts.empty()) << "told inline";
  store.Run();
  return parts;
}

TEST(HalvingCommitTest, TheGuiltyChangeFailsAloneAndWhole) {
  RecordingStore store(/*bad=*/3);

  const auto parts =
      PartsOf(store, {Put({1}), Put({2}), Put({3, 4}), Put({5})}, SmallestPart::kChange);

  EXPECT_THAT(parts, ElementsAre("0:2 after 2", "2:1 bad after 2", "3:1 after 1 last"));
  EXPECT_THAT(store.log(), ElementsAre("+1+2", "+5"));
}

// Deletions come first, in whatever order the rows stood: an entity-tag may move between them.
TEST(HalvingCommitTest, TheGuiltyRowFailsAloneAndDeletionsComeFirst) {
  RecordingStore store(/*bad=*/3);
  RowChanges changes = Put({1, 2, 3, 4});
  changes.publications.emplace_back(5, nullptr);
  changes.publications.emplace_back(6, nullptr);
  changes.resource = ResourceRow{};

  const auto parts = PartsOf(store, {changes}, SmallestPart::kRow);

  EXPECT_THAT(parts, testing::Contains("0:1 bad after 1"));
  std::string committed;
  for (const std::string& commit : store.log()) committed += commit;
  EXPECT_EQ(committed, "-5-6+1+2+4r");
}

TEST(HalvingCommitTest, WhatPassesIsCommittedAtOnce) {
  RecordingStore store(/*bad=*/99);

  const auto parts = PartsOf(store, {Put({1}), Put({2})}, SmallestPart::kRow);

  EXPECT_THAT(parts, ElementsAre("0:2 after 1 last"));
}

}  // namespace
}  // namespace presence
