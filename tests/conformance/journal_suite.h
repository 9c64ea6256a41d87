#ifndef PRESENCE_TESTS_CONFORMANCE_JOURNAL_SUITE_H_
#define PRESENCE_TESTS_CONFORMANCE_JOURNAL_SUITE_H_

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence-core/model/error.h"
#include "presence-core/storage/journal.h"

namespace presence {

// What every Journal owes the engine (presence-core/storage/journal.h). An implementation runs this
// with a Subject, a class that is made anew for each test:
//
//   struct Subject {
//     // What this journal promises in the state the subject puts it in:
//     static constexpr bool kKeepsRows;     // what is durable can be read back
//     static constexpr bool kMayRefuse;     // done(kRejected) may come
//     static constexpr bool kMayBeUnknown;  // done(kUnknown) may come
//     static constexpr bool kAnswers;       // every kPending gets its done
//     Journal& journal();
//     void Settle();      // returns when every done that will come has come
//     void StopFailing(); // from now on every append is durable, and every load succeeds
//     void FailLoads();   // until StopFailing(), where kMayRefuse or kMayBeUnknown
//   };
// What it keeps of the kinds of state it says itself (Journal::kept); here, as in the engine, it
// gets no row of another.
//
//   INSTANTIATE_TYPED_TEST_SUITE_P(Memory, JournalSuite, MemorySubject);
template <typename Subject>
class JournalSuite : public testing::Test {
 protected:
  // How one append ended: at once, by its done, or not yet.
  struct Append {
    Journal::Acceptance acceptance = Journal::Acceptance::kPending;
    std::vector<AppendOutcome> outcomes;
    bool was_inline = false;

    bool is_durable() const {
      return acceptance == Journal::Acceptance::kDurableNow ||
             (outcomes.size() == 1 && outcomes[0].result == AppendResult::kDurable);
    }
    bool is_rejected() const {
      return outcomes.size() == 1 && outcomes[0].result == AppendResult::kRejected;
    }
  };
  using Rows = std::optional<ResourceRows>;

  static ResourceKey Key(const std::string& user) {
    return {*PresentityUri::Parse("sip:" + user + "@example.com"), *EventName::Parse("presence")};
  }
  // A tag names one subscription of all, and carries the hash of its resource.
  static LocalTag Tag(const ResourceKey& key, uint64_t number) {
    SeededRandom random(number);
    return LocalTag::Generate(key.StableHash(), random);
  }
  static PublicationPtr PublicationOf(PublicationId id, const std::string& text) {
    auto row = std::make_shared<Publication>();
    row->id = id;
    row->etag = Etag("etag-" + text);
    row->document = Document("text/plain", text);
    row->expires_at = absl::FromUnixSeconds(1'700'003'600);
    return row;
  }
  static SubscriptionPtr SubscriptionOf(const ResourceKey& key, uint64_t number) {
    auto row = std::make_shared<Subscription>();
    row->id = Tag(key, number);
    row->ordinal = number;
    row->event = *EventName::Parse("presence");
    row->watcher = *WatcherUri::Parse("sip:bob@example.com");
    row->cseq_limit = 256;
    row->expires_at = absl::FromUnixSeconds(1'700'003'600);
    return row;
  }
  static WatcherRecordPtr WatcherOf(const std::string& user) {
    auto row = std::make_shared<WatcherRecord>();
    row->watcher = *WatcherUri::Parse("sip:" + user + "@example.com");
    row->decision = WatcherDecision::kAllow;
    return row;
  }
  static AnswerRecordPtr AnswerOf(const std::string& request) {
    auto row = std::make_shared<AnswerRecord>();
    row->key = RequestKey::Of({request});
    row->etag = Etag("etag-of-" + request);
    row->kept_until = absl::FromUnixSeconds(1'700'003'600);
    row->about = StateKind::kPublication;
    return row;
  }
  static StoredDocumentPtr DocumentOf(const std::string& text) {
    auto row = std::make_shared<StoredDocument>();
    row->name = {DocumentKind::kHardState, "index"};
    row->etag = Etag("etag-of-document-" + text);
    row->document = Document("text/plain", text);
    return row;
  }
  // One row of everything.
  static RowChanges Everything(const std::string& user, const std::string& text, uint64_t seq) {
    RowChanges changes;
    changes.key = Key(user);
    changes.resource = ResourceRow{{1, seq}, seq + 10, NotifyCause::kPublish, ""};
    changes.publications.emplace_back(1, PublicationOf(1, text));
    changes.subscriptions.emplace_back(Tag(changes.key, 2), SubscriptionOf(changes.key, 2));
    changes.watchers.emplace_back(WatcherOf("carol")->watcher, WatcherOf("carol"));
    changes.answers.emplace_back(AnswerOf("request")->key, AnswerOf("request"));
    changes.documents.emplace_back(DocumentOf(text)->name, DocumentOf(text));
    return changes;
  }

  RowChanges Kept(RowChanges changes) {
    const StateKinds kept = subject.journal().kept();
    if (!kept.publications) {
      changes.publications.clear();
      changes.answers.clear();
      changes.documents.clear();
    }
    if (!kept.subscriptions) changes.subscriptions.clear();
    if (!kept.decisions) changes.watchers.clear();
    return changes;
  }
  // Starts an append; its end is written to what is returned.
  std::shared_ptr<Append> Begin(const RowChanges& all) {
    const RowChanges changes = Kept(all);
    auto append = std::make_shared<Append>();
    auto is_inside = std::make_shared<bool>(true);
    append->acceptance =
        subject.journal().Append(changes, [append, is_inside](AppendOutcome outcome) {
          append->was_inline = append->was_inline || *is_inside;
          append->outcomes.push_back(std::move(outcome));
        });
    *is_inside = false;
    return append;
  }
  Append Do(const RowChanges& changes) {
    auto append = Begin(changes);
    subject.Settle();
    return *append;
  }
  absl::StatusOr<Rows> Read(const std::string& user) {
    std::optional<absl::StatusOr<Rows>> result;
    subject.journal().Load(Key(user), [&](absl::StatusOr<Rows> rows) { result = std::move(rows); });
    EXPECT_FALSE(result.has_value()) << "done was called inline";
    subject.Settle();
    return result.has_value() ? *std::move(result) : absl::UnknownError("never answered");
  }
  // Of what is kept.
  void ExpectEverything(const ResourceRows& rows, const std::string& text, uint64_t seq) {
    const StateKinds kept = subject.journal().kept();
    EXPECT_EQ(rows.resource.revision, (Revision{1, seq}));
    EXPECT_EQ(rows.resource.next_ordinal, seq + 10);
    ASSERT_EQ(rows.publications.size(), kept.publications ? 1u : 0u);
    ASSERT_EQ(rows.answers.size(), kept.publications ? 1u : 0u);
    ASSERT_EQ(rows.documents.size(), kept.publications ? 1u : 0u);
    if (kept.publications) {
      EXPECT_EQ(rows.publications[0]->document.body(), text);
      EXPECT_EQ(rows.publications[0]->etag.text(), "etag-" + text);
      EXPECT_EQ(rows.answers[0]->etag.text(), "etag-of-request");
      EXPECT_EQ(rows.documents[0]->document.body(), text);
    }
    ASSERT_EQ(rows.subscriptions.size(), kept.subscriptions ? 1u : 0u);
    if (kept.subscriptions) {
      EXPECT_EQ(rows.subscriptions[0]->id, Tag(rows.key, 2));
      EXPECT_EQ(rows.subscriptions[0]->cseq_limit, 256u);
    }
    ASSERT_EQ(rows.watchers.size(), 1u);
    EXPECT_EQ(rows.watchers[0]->decision, WatcherDecision::kAllow);
  }
  static bool IsNothing(const Rows& rows) {
    return !rows.has_value() ||
           (rows->publications.empty() && rows->subscriptions.empty() && rows->watchers.empty() &&
            rows->answers.empty() && rows->documents.empty());
  }

  Subject subject;
};

TYPED_TEST_SUITE_P(JournalSuite);

TYPED_TEST_P(JournalSuite, AnswersOnceAndNeverInline) {
  const auto append = this->Begin(this->Everything("alice", "open", 1));
  EXPECT_THAT(append->outcomes, testing::IsEmpty());

  this->subject.Settle();

  EXPECT_FALSE(append->was_inline);
  const bool is_at_once = append->acceptance == Journal::Acceptance::kDurableNow;
  EXPECT_EQ(append->outcomes.size(), is_at_once || !TypeParam::kAnswers ? 0u : 1u);
}

TYPED_TEST_P(JournalSuite, EndsOnlyAsItsModeAllowsAndSaysWhy) {
  const auto append = this->Do(this->Everything("alice", "open", 1));

  for (const AppendOutcome& outcome : append.outcomes) {
    EXPECT_EQ(outcome.result == AppendResult::kDurable, outcome.status.ok());
    EXPECT_TRUE(TypeParam::kMayRefuse || outcome.result != AppendResult::kRejected);
    EXPECT_TRUE(TypeParam::kMayBeUnknown || outcome.result != AppendResult::kUnknown);
    if (outcome.status.ok()) continue;
    EXPECT_EQ(ReasonOf(outcome.status), ErrorReason::kStorageUnavailable);
  }
}

// P20: all rows of a change, or none.
TYPED_TEST_P(JournalSuite, KeepsAChangeWholeOrNotAtAll) {
  if constexpr (TypeParam::kKeepsRows) {
    const auto append = this->Do(this->Everything("alice", "open", 1));
    this->subject.StopFailing();

    const auto rows = this->Read("alice");

    ASSERT_TRUE(rows.ok()) << rows.status();
    if (append.is_durable()) {
      ASSERT_FALSE(this->IsNothing(*rows));
    }
    if (append.is_rejected()) {
      ASSERT_TRUE(this->IsNothing(*rows));
    }
    if (!this->IsNothing(*rows)) {
      this->ExpectEverything(**rows, "open", 1);
    }
  } else {
    GTEST_SKIP() << "keeps nothing, as promised";
  }
}

// What the engine does after an unknown outcome, or a client that repeats itself.
TYPED_TEST_P(JournalSuite, TakesTheSameRowsAgain) {
  const RowChanges changes = this->Everything("alice", "open", 1);
  this->Do(changes);
  this->subject.StopFailing();

  const auto again = this->Do(changes);

  EXPECT_TRUE(again.is_durable());
  if constexpr (TypeParam::kKeepsRows) {
    const auto rows = this->Read("alice");
    ASSERT_TRUE(rows.ok() && rows->has_value());
    this->ExpectEverything(**rows, "open", 1);
  }
}

TYPED_TEST_P(JournalSuite, ANewerRowTakesThePlaceOfTheOlder) {
  this->subject.StopFailing();
  EXPECT_TRUE(this->Do(this->Everything("alice", "open", 1)).is_durable());

  EXPECT_TRUE(this->Do(this->Everything("alice", "closed", 2)).is_durable());

  if constexpr (TypeParam::kKeepsRows) {
    const auto rows = this->Read("alice");
    ASSERT_TRUE(rows.ok() && rows->has_value());
    this->ExpectEverything(**rows, "closed", 2);
  }
}

TYPED_TEST_P(JournalSuite, ADeletedRowIsGoneAndTheOthersStay) {
  this->subject.StopFailing();
  this->Do(this->Everything("alice", "open", 1));
  RowChanges changes;
  changes.key = this->Key("alice");
  changes.publications.emplace_back(1, nullptr);
  changes.publications.emplace_back(3, this->PublicationOf(3, "other"));
  changes.subscriptions.emplace_back(this->Tag(changes.key, 2), nullptr);
  changes.watchers.emplace_back(this->WatcherOf("carol")->watcher, nullptr);
  changes.answers.emplace_back(RequestKey::Of({"never there"}), nullptr);
  changes.documents.emplace_back(this->DocumentOf("open")->name, nullptr);

  EXPECT_TRUE(this->Do(changes).is_durable());

  if constexpr (TypeParam::kKeepsRows) {
    const auto rows = this->Read("alice");
    ASSERT_TRUE(rows.ok() && rows->has_value());
    const size_t kept = this->subject.journal().kept().publications ? 1 : 0;
    ASSERT_EQ((*rows)->publications.size(), kept);
    for (const PublicationPtr& row : (*rows)->publications) {
      EXPECT_EQ(row->document.body(), "other");
    }
    EXPECT_THAT((*rows)->subscriptions, testing::IsEmpty());
    EXPECT_THAT((*rows)->watchers, testing::IsEmpty());
    EXPECT_THAT((*rows)->documents, testing::IsEmpty());
    EXPECT_EQ((*rows)->answers.size(), kept);
    EXPECT_EQ((*rows)->resource.revision, (Revision{1, 1}));  // not part of this change
  }
}

TYPED_TEST_P(JournalSuite, KeepsTheOrderOfEachResource) {
  this->subject.StopFailing();
  for (uint64_t seq = 1; seq <= 20; ++seq) {
    std::vector<std::shared_ptr<typename TestFixture::Append>> outstanding;
    for (const char* user : {"alice", "bob", "carol"}) {
      outstanding.push_back(
          this->Begin(this->Everything(user, std::string(user) + std::to_string(seq), seq)));
    }
    this->subject.Settle();  // one append of a resource at a time, as the engine does
    for (const auto& append : outstanding) ASSERT_TRUE(append->is_durable());
  }
  if constexpr (TypeParam::kKeepsRows) {
    for (const char* user : {"alice", "bob", "carol"}) {
      const auto rows = this->Read(user);
      ASSERT_TRUE(rows.ok() && rows->has_value());
      this->ExpectEverything(**rows, std::string(user) + "20", 20);
    }
  }
}

TYPED_TEST_P(JournalSuite, HasNothingOfAResourceNobodyWrote) {
  if constexpr (TypeParam::kKeepsRows) {
    this->subject.StopFailing();

    const auto rows = this->Read("nobody");

    ASSERT_TRUE(rows.ok()) << rows.status();
    EXPECT_FALSE(rows->has_value());
  } else {
    GTEST_SKIP() << "is never asked";
  }
}

TYPED_TEST_P(JournalSuite, AFailedLoadSaysSoAndALaterOneSucceeds) {
  if constexpr (TypeParam::kKeepsRows) {
    this->subject.StopFailing();
    this->Do(this->Everything("alice", "open", 1));
    this->subject.FailLoads();
    const auto failed = this->Read("alice");
    EXPECT_EQ(ReasonOf(failed.status()), ErrorReason::kStorageUnavailable);
    this->subject.StopFailing();

    const auto rows = this->Read("alice");

    ASSERT_TRUE(rows.ok() && rows->has_value());
    this->ExpectEverything(**rows, "open", 1);
  } else {
    GTEST_SKIP() << "is never asked";
  }
}

// P21 in part: what a new process finds is what the old one was told.
TYPED_TEST_P(JournalSuite, AStartVisitsEveryResourceOnce) {
  this->subject.StopFailing();
  for (const char* user : {"alice", "bob", "carol"}) this->Do(this->Everything(user, user, 1));

  std::map<ResourceKey, ResourceRows> visited;
  const absl::Status status = this->subject.journal().LoadAll([&](ResourceRows rows) {
    const ResourceKey key = rows.key;
    EXPECT_TRUE(visited.emplace(key, std::move(rows)).second) << "visited twice";
  });

  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(visited.size(), TypeParam::kKeepsRows ? 3u : 0u);
  for (const auto& [key, rows] : visited) {
    this->ExpectEverything(rows, std::string(key.presentity.user()), 1);
  }
}

REGISTER_TYPED_TEST_SUITE_P(JournalSuite, AnswersOnceAndNeverInline,
                            EndsOnlyAsItsModeAllowsAndSaysWhy, KeepsAChangeWholeOrNotAtAll,
                            TakesTheSameRowsAgain, ANewerRowTakesThePlaceOfTheOlder,
                            ADeletedRowIsGoneAndTheOthersStay, KeepsTheOrderOfEachResource,
                            HasNothingOfAResourceNobodyWrote, AFailedLoadSaysSoAndALaterOneSucceeds,
                            AStartVisitsEveryResourceOnce);

}  // namespace presence

#endif  // PRESENCE_TESTS_CONFORMANCE_JOURNAL_SUITE_H_
