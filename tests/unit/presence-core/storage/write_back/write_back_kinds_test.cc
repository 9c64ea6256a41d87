#include <map>
#include <string>

#include "tests/unit/presence-core/storage/write_back/write_back_fixture.h"

namespace presence {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Fate = FakeRowStore::Fate;

// Publications and subscriptions that are not stored alike.
class WriteBackKindsTest : public WriteBackTest {
 protected:
  void StartProcess(StateKinds kept, StateKinds stored_first) {
    kept_ = kept;
    stored_first_ = stored_first;
    WriteBackTest::StartProcess();
  }
  static RowChanges Both(const std::string& body, uint32_t cseq_limit) {
    RowChanges changes = Subscribed(1, cseq_limit);
    Put(changes, 1, body);
    return changes;
  }
  static RowChanges Answered(const std::string& request, StateKind about) {
    RowChanges changes;
    changes.key = Key(1);
    auto answer = std::make_shared<AnswerRecord>();
    answer->key = RequestKey::Of({request});
    answer->about = about;
    changes.answers.emplace_back(answer->key, answer);
    return changes;
  }

  static constexpr StateKinds kAll{};
  static constexpr StateKinds kSubscriptions{.publications = false, .decisions = false};
};

TEST_F(WriteBackKindsTest, OnlyTheKindThatIsStoredFirstWaits) {
  StartProcess(kAll, kSubscriptions);

  EXPECT_TRUE(Append(Published(1, "open"))->was_at_once);
  EXPECT_TRUE(Append(Answered("PUBLISH", StateKind::kPublication))->was_at_once);
  EXPECT_EQ(AppendAndWait(Subscribed(1, 256)), AppendResult::kDurable);
  EXPECT_EQ(AppendAndWait(Answered("SUBSCRIBE", StateKind::kSubscription)), AppendResult::kDurable);

  // What was promised of the resource goes along, so that the database never has a newer row
  // without an older one.
  EXPECT_THAT(Bodies(1), ElementsAre("open"));
  EXPECT_THAT(Limits(), ElementsAre(256));
}

TEST_F(WriteBackKindsTest, AChangeOfBothKindsWaitsAndIsOne) {
  StartProcess(kAll, kSubscriptions);
  EveryCommit(Fate::kFailed);

  EXPECT_EQ(AppendAndWait(Both("open", 256)), AppendResult::kRejected);
  EveryCommit(Fate::kCommitted);
  executor_.RunFor(3 * kInterval);

  EXPECT_THAT(Bodies(1), IsEmpty());
  EXPECT_THAT(Limits(), IsEmpty());
}

TEST_F(WriteBackKindsTest, AnAnswerWhoseTimeIsOverIsForgottenWithoutAWait) {
  StartProcess(kAll, kAll);
  RowChanges gone;
  gone.key = Key(1);
  gone.answers.emplace_back(RequestKey::Of({"PUBLISH"}), nullptr);

  EXPECT_TRUE(Append(gone)->was_at_once);
}

// P20: the kind that does not wait goes on, and the other says that it cannot.
TEST_F(WriteBackKindsTest, ADatabaseThatIsAwayStopsTheKindThatIsStoredFirstOnly) {
  StartProcess(kAll, kSubscriptions);
  EveryCommit(Fate::kFailed);

  EXPECT_TRUE(Append(Published(1, "open"))->was_at_once);
  EXPECT_EQ(AppendAndWait(Subscribed(1, 256)), AppendResult::kRejected);
  EXPECT_TRUE(Append(Published(1, "closed"))->was_at_once);
  EveryCommit(Fate::kCommitted);
  executor_.RunFor(2 * kInterval);

  EXPECT_THAT(Bodies(1), ElementsAre("closed"));
  EXPECT_THAT(Limits(), IsEmpty());
}

// The mode was another one in the life before.
TEST_F(WriteBackKindsTest, RowsOfAKindThatIsNotKeptAnyMoreAreLeftOutAndDeleted) {
  StartProcess(kAll, StateKinds::None());
  RowChanges all = Both("open", 256);
  all.resource = ResourceRow{{1, 7}, 3, NotifyCause::kPublish, ""};
  AppendAtOnce(all);
  executor_.RunFor(kInterval);

  StartProcess({.publications = false}, StateKinds::None());
  std::vector<ResourceRows> visited;
  ASSERT_TRUE(journal_->LoadAll([&](ResourceRows rows) { visited.push_back(rows); }).ok());
  executor_.RunFor(kInterval);

  ASSERT_THAT(visited, SizeIs(1));
  EXPECT_THAT(visited[0].publications, IsEmpty());
  EXPECT_THAT(visited[0].subscriptions, SizeIs(1));
  EXPECT_EQ(visited[0].resource.revision.seq, 7u);
  EXPECT_THAT(Bodies(1), IsEmpty());
  EXPECT_THAT(Limits(), ElementsAre(256));
  EXPECT_EQ(journal_->counters().dirty_rows, 0u);
}

// N10: watchers still show the publications that are gone, whatever was written down about them.
TEST_F(WriteBackKindsTest, PublicationsThatAreNotKeptAnyMoreVoidTheSettledMark) {
  StartProcess(kAll, StateKinds::None());
  RowChanges published = Published(1, "open");
  published.resource = ResourceRow{{1, 7}, 3, NotifyCause::kPublish, "", 7};
  AppendAtOnce(published);
  RowChanges subscribed = Subscribed(2, 256);
  subscribed.key = Key(2);
  subscribed.resource = ResourceRow{{1, 9}, 3, NotifyCause::kPublish, "", 9};
  AppendAtOnce(subscribed);
  executor_.RunFor(kInterval);

  StartProcess({.publications = false}, StateKinds::None());
  std::map<ResourceKey, ResourceRow> found;
  ASSERT_TRUE(journal_->LoadAll([&](ResourceRows rows) { found[rows.key] = rows.resource; }).ok());

  EXPECT_FALSE(found[Key(1)].is_settled());
  EXPECT_TRUE(found[Key(2)].is_settled());
}

}  // namespace
}  // namespace presence
