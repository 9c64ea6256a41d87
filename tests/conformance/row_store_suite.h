#ifndef PRESENCE_TESTS_CONFORMANCE_ROW_STORE_SUITE_H_
#define PRESENCE_TESTS_CONFORMANCE_ROW_STORE_SUITE_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence-core/model/error.h"
#include "presence-core/storage/row_store.h"

namespace presence {

// What every RowStore owes the journals (presence-core/storage/row_store.h). An implementation runs
// this with a Subject, a class that is made anew for each test:
//
//   struct Subject {
//     RowStore& store();
//     void Settle();             // returns when every done that will come has come
//     std::string BadBody();     // of a publication that the store refuses
//   };
template <typename Subject>
class RowStoreSuite : public testing::Test {
 protected:
  using Batch = std::vector<RowChanges>;

  static ResourceKey Key(const std::string& user, const std::string& event = "presence") {
    return {*PresentityUri::FromText(user + "@example.com"), *EventName::Parse(event)};
  }
  static absl::Time At(int64_t micros) {
    return absl::FromUnixMicros(1'700'000'000'000'000 + micros);
  }

  static PublicationPtr PublicationOf(PublicationId id, std::string body) {
    auto row = std::make_shared<Publication>();
    row->id = id;
    row->etag = Etag("etag-" + std::to_string(id));
    row->document = Document("application/pidf+xml", std::move(body));
    row->expires_at = At(3'600'000'001);
    row->received_at = At(-1);
    row->priority = -7;
    row->sender = "<sip:alice@192.0.2.1;line=\"a,b\">";
    row->first_request = RequestKey::Of({"first"});
    row->last_request = RequestKey::Of({"last"});
    row->origin = RequestKey::Of({"origin"});
    row->granted = absl::Milliseconds(3599250);
    row->is_answer_delivered = true;
    return row;
  }
  static SubscriptionPtr SubscriptionOf(const ResourceKey& key, uint64_t number, bool is_winfo) {
    SeededRandom random(number);
    auto row = std::make_shared<Subscription>();
    row->id = LocalTag::Generate(key.StableHash(), random);
    row->ordinal = number;
    row->event = is_winfo ? key.event.winfo() : key.event;
    row->event_id = "id{1,\"2\"}";
    row->watcher = *WatcherUri::FromText("b o,b\\{}\"'NULL@example.com");
    if (is_winfo) {
      row->alias = std::make_shared<const WatcherUri>(*WatcherUri::FromText("+1202@tel"));
    }
    row->state = SubscriptionState::kTerminated;
    row->reason = TerminationReason::kGiveup;
    row->expires_at = At(1);
    row->created_at = At(2);
    DialogParts dialog;
    dialog.call_id = "NULL";
    dialog.remote_tag = "";
    dialog.local_uri = "\"J\xc3\xbcrgen \\\"J\\\"\" <sip:j@example.com>";
    dialog.remote_uri = "<sip:bob@example.com>";
    dialog.remote_target = "sip:bob@[2001:db8::1]:5060;transport=tcp";
    dialog.route_set = {"<sip:p1.example.com;lr>", "\"a, b\" <sip:p2.example.com;lr>"};
    dialog.gateway = "edge";
    dialog.flow = "7";
    dialog.flow_gateway = "edge-1";
    dialog.local_contact = "sip:192.0.2.9";
    dialog.user_agent = "\xe2\x98\x8e phone/1.0";
    dialog.adopted_tag = "a{\"1\"}.5d83";
    row->dialog = Dialog(dialog);
    row->remote_cseq = UINT32_MAX;
    row->cseq_limit = UINT32_MAX - 1;
    row->is_authorized = true;
    row->was_approved = true;
    row->last_request = RequestKey::Of({"subscribe"});
    row->granted = absl::Hours(24 * 30);
    return row;
  }
  static WatcherRecordPtr WatcherOf(const std::string& user, absl::Time waits_until) {
    auto row = std::make_shared<WatcherRecord>();
    row->watcher = *WatcherUri::FromText(user + "@example.com");
    row->decision = WatcherDecision::kConfirm;
    row->waits_until = waits_until;
    row->ordinal = 1ull << 40;
    return row;
  }
  static AnswerRecordPtr AnswerOf(const std::string& request) {
    auto row = std::make_shared<AnswerRecord>();
    row->key = RequestKey::Of({request});
    row->content = RequestKey::Of({"content"});
    row->etag = Etag("etag-of-" + request);
    row->granted = absl::Seconds(60);
    row->kept_until = At(64'000'000);
    return row;
  }
  static StoredDocumentPtr DocumentOf(const std::string& name, std::string body) {
    auto row = std::make_shared<StoredDocument>();
    row->name = {DocumentKind::kHardState, name};
    row->etag = Etag("etag-of-" + name);
    row->document = Document("application/pidf+xml", std::move(body));
    row->file_uri = "http://xcap.example.com/{a,\"b\"}";
    row->created_at = At(-7);
    row->updated_at = At(7);
    return row;
  }
  // A row of every kind, with the values that go wrong first.
  static RowChanges Everything(const ResourceKey& key) {
    RowChanges changes;
    changes.key = key;
    changes.resource = ResourceRow{
        {1ull << 40, 1ull << 50}, 99, NotifyCause::kExpiry, "sip:a'\\\"", 1ull << 50, 3};
    changes.publications.emplace_back(1, PublicationOf(1, std::string("\0\xff{}\"\\,", 7)));
    changes.publications.emplace_back(2, PublicationOf(2, ""));
    for (const bool is_winfo : {false, true}) {
      const SubscriptionPtr row = SubscriptionOf(key, is_winfo ? 4 : 3, is_winfo);
      changes.subscriptions.emplace_back(row->id, row);
    }
    for (const WatcherRecordPtr& row :
         {WatcherOf("carol", absl::InfinitePast()), WatcherOf("dave", At(5)),
          WatcherOf("erin", absl::InfiniteFuture())}) {
      changes.watchers.emplace_back(row->watcher, row);
    }
    const AnswerRecordPtr answer = AnswerOf("request");
    changes.answers.emplace_back(answer->key, answer);
    for (const StoredDocumentPtr& row :
         {DocumentOf("a~_-.", std::string("\0\xff{}\"\\,", 7)), DocumentOf("index", "")}) {
      changes.documents.emplace_back(row->name, row);
    }
    return changes;
  }

  CommitOutcome Commit(const Batch& batch) {
    std::optional<CommitOutcome> outcome;
    subject.store().Commit(subject.store().ShardOf(batch.at(0).key), batch,
                           [&](CommitOutcome result) { outcome = std::move(result); });
    EXPECT_FALSE(outcome.has_value()) << "done was called inline";
    subject.Settle();
    return outcome.value_or(CommitOutcome{CommitResult::kFailed, absl::UnknownError("no answer")});
  }
  // Everything of a resource, as the change to this version.
  static RowChanges Claim(const ResourceKey& key, uint64_t version) {
    RowChanges claim = Everything(key);
    claim.is_claim = true;
    claim.resource->version = version;
    return claim;
  }
  std::optional<ResourceRows> Read(const ResourceKey& key) {
    return Get([&](auto done) { subject.store().Read(key, std::move(done)); });
  }
  std::optional<ResourceRows> Look(const ResourceKey& key, uint64_t known) {
    return Get([&](auto done) { subject.store().Look(key, known, std::move(done)); });
  }
  template <typename Ask>
  std::optional<ResourceRows> Get(Ask ask) {
    std::optional<absl::StatusOr<std::optional<ResourceRows>>> result;
    ask([&](auto rows) { result = std::move(rows); });
    EXPECT_FALSE(result.has_value()) << "done was called inline";
    subject.Settle();
    if (!result.has_value() || !result->ok()) {
      ADD_FAILURE() << "not read";
      return std::nullopt;
    }
    return **std::move(result);
  }
  // Two keys of one shard.
  std::pair<ResourceKey, ResourceKey> Neighbours() {
    const ResourceKey first = Key("alice");
    for (int i = 0;; ++i) {
      ResourceKey other = Key("other" + std::to_string(i));
      if (subject.store().ShardOf(other) == subject.store().ShardOf(first)) return {first, other};
    }
  }

  static void ExpectSame(const Publication& a, const Publication& b) {
    EXPECT_EQ(a.id, b.id);
    EXPECT_EQ(a.etag, b.etag);
    EXPECT_EQ(a.document, b.document);
    EXPECT_EQ(a.received_at, b.received_at);
    EXPECT_EQ(a.expires_at, b.expires_at);
    EXPECT_EQ(a.priority, b.priority);
    EXPECT_EQ(a.sender, b.sender);
    EXPECT_EQ(a.first_request, b.first_request);
    EXPECT_EQ(a.last_request, b.last_request);
    EXPECT_EQ(a.origin, b.origin);
    EXPECT_EQ(a.granted, b.granted);
    EXPECT_EQ(a.is_answer_delivered, b.is_answer_delivered);
  }
  static void ExpectSame(const Subscription& a, const Subscription& b) {
    EXPECT_EQ(a.id, b.id);
    EXPECT_EQ(a.ordinal, b.ordinal);
    EXPECT_EQ(a.event, b.event);
    EXPECT_EQ(a.event_id, b.event_id);
    EXPECT_EQ(a.watcher, b.watcher);
    EXPECT_EQ(a.alias == nullptr, b.alias == nullptr);
    if (a.alias != nullptr && b.alias != nullptr) {
      EXPECT_EQ(*a.alias, *b.alias);
    }
    EXPECT_EQ(a.state, b.state);
    EXPECT_EQ(a.reason, b.reason);
    EXPECT_EQ(a.expires_at, b.expires_at);
    EXPECT_EQ(a.created_at, b.created_at);
    EXPECT_EQ(a.dialog, b.dialog);
    EXPECT_EQ(a.remote_cseq, b.remote_cseq);
    EXPECT_EQ(a.cseq_limit, b.cseq_limit);
    EXPECT_EQ(a.is_authorized, b.is_authorized);
    EXPECT_EQ(a.was_approved, b.was_approved);
    EXPECT_EQ(a.last_request, b.last_request);
    EXPECT_EQ(a.granted, b.granted);
  }
  static void ExpectSame(const WatcherRecord& a, const WatcherRecord& b) {
    EXPECT_EQ(a.watcher, b.watcher);
    EXPECT_EQ(a.decision, b.decision);
    EXPECT_EQ(a.waits_until, b.waits_until);
    EXPECT_EQ(a.ordinal, b.ordinal);
  }
  static void ExpectSame(const AnswerRecord& a, const AnswerRecord& b) {
    EXPECT_EQ(a.key, b.key);
    EXPECT_EQ(a.content, b.content);
    EXPECT_EQ(a.etag, b.etag);
    EXPECT_EQ(a.granted, b.granted);
    EXPECT_EQ(a.kept_until, b.kept_until);
  }
  static void ExpectSame(const StoredDocument& a, const StoredDocument& b) {
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.etag, b.etag);
    EXPECT_EQ(a.document, b.document);
    EXPECT_EQ(a.file_uri, b.file_uri);
    EXPECT_EQ(a.created_at, b.created_at);
    EXPECT_EQ(a.updated_at, b.updated_at);
  }
  template <typename Key, typename Row>
  static void ExpectRows(const std::vector<Row>& found,
                         const std::vector<std::pair<Key, Row>>& written) {
    ASSERT_EQ(found.size(), written.size());
    // By age or by name, which is the order in which Everything() makes them, but for hashes.
    for (size_t i = 0; i < found.size(); ++i) ExpectSame(*found[i], *written[i].second);
  }
  static void ExpectEverything(const std::optional<ResourceRows>& rows, const RowChanges& written) {
    ASSERT_TRUE(rows.has_value());
    EXPECT_EQ(rows->key, written.key);
    EXPECT_EQ(rows->resource.revision, written.resource->revision);
    EXPECT_EQ(rows->resource.next_ordinal, written.resource->next_ordinal);
    EXPECT_EQ(rows->resource.last_cause, written.resource->last_cause);
    EXPECT_EQ(rows->resource.last_sender, written.resource->last_sender);
    EXPECT_EQ(rows->resource.settled_seq, written.resource->settled_seq);
    EXPECT_EQ(rows->resource.version, written.resource->version);
    ExpectRows(rows->publications, written.publications);
    ExpectRows(rows->subscriptions, written.subscriptions);
    ExpectRows(rows->watchers, written.watchers);
    ExpectRows(rows->answers, written.answers);
    ExpectRows(rows->documents, written.documents);
  }

  Subject subject;
};

TYPED_TEST_SUITE_P(RowStoreSuite);

TYPED_TEST_P(RowStoreSuite, GivesBackEveryFieldAsItWasWritten) {
  const RowChanges written = this->Everything(this->Key("al,{}\"\\ice"));

  const CommitOutcome outcome = this->Commit({written});

  ASSERT_EQ(outcome.result, CommitResult::kCommitted) << outcome.status;
  this->ExpectEverything(this->Read(written.key), written);
}

TYPED_TEST_P(RowStoreSuite, WritesTheSameRowsAgainAndNewerOnesOverThem) {
  RowChanges written = this->Everything(this->Key("alice"));
  this->Commit({written});
  this->Commit({written});
  this->ExpectEverything(this->Read(written.key), written);
  written.publications[1].second = this->PublicationOf(2, "newer");
  written.documents[1].second = this->DocumentOf("index", "newer");
  written.resource->revision.seq += 1;
  written.resource->settled_seq.reset();

  this->Commit({written});

  this->ExpectEverything(this->Read(written.key), written);
}

TYPED_TEST_P(RowStoreSuite, DeletesWhatIsThereAndMindsNothingElse) {
  const auto [alice, other] = this->Neighbours();
  const RowChanges written = this->Everything(alice);
  const RowChanges kept = this->Everything(other);
  this->Commit({written, kept});
  RowChanges deletions;
  deletions.key = alice;
  for (const auto& [id, row] : written.publications)
    deletions.publications.emplace_back(id, nullptr);
  deletions.publications.emplace_back(77, nullptr);
  for (const auto& [id, row] : written.subscriptions) {
    deletions.subscriptions.emplace_back(id, nullptr);
  }
  for (const auto& [watcher, row] : written.watchers)
    deletions.watchers.emplace_back(watcher, nullptr);
  for (const auto& [key, row] : written.answers) deletions.answers.emplace_back(key, nullptr);
  for (const auto& [name, row] : written.documents) deletions.documents.emplace_back(name, nullptr);

  EXPECT_EQ(this->Commit({deletions}).result, CommitResult::kCommitted);

  const auto rows = this->Read(alice);
  ASSERT_TRUE(rows.has_value());
  EXPECT_EQ(rows->resource.revision, written.resource->revision);
  EXPECT_TRUE(rows->publications.empty() && rows->subscriptions.empty() && rows->watchers.empty() &&
              rows->answers.empty() && rows->documents.empty());
  EXPECT_EQ(this->Read(other)->publications.size(), kept.publications.size());
}

// An entity-tag may move from a publication to the one that takes its place, within one commit.
TYPED_TEST_P(RowStoreSuite, DeletesBeforeItWrites) {
  RowChanges first = this->Everything(this->Key("alice"));
  this->Commit({first});
  RowChanges replaced;
  replaced.key = first.key;
  auto successor = std::make_shared<Publication>(*first.publications[0].second);
  successor->id = 9;
  replaced.publications = {{9, successor}, {1, nullptr}};

  EXPECT_EQ(this->Commit({replaced}).result, CommitResult::kCommitted);

  EXPECT_EQ(this->Read(first.key)->publications.back()->id, 9u);
}

TYPED_TEST_P(RowStoreSuite, ABatchWithABadRowLeavesNothing) {
  const auto [alice, other] = this->Neighbours();
  RowChanges bad = this->Everything(other);
  bad.publications[0].second = this->PublicationOf(1, this->subject.BadBody());

  const CommitOutcome outcome = this->Commit({this->Everything(alice), bad});

  EXPECT_EQ(outcome.result, CommitResult::kBadRow);
  EXPECT_EQ(ReasonOf(outcome.status), ErrorReason::kInternal);
  EXPECT_FALSE(this->Read(alice).has_value());
  EXPECT_FALSE(this->Read(other).has_value());
  EXPECT_EQ(this->Commit({this->Everything(alice)}).result, CommitResult::kCommitted);
}

TYPED_TEST_P(RowStoreSuite, AClaimWritesAllOfItInPlaceOfTheVersionBefore) {
  RowChanges claim = this->Claim(this->Key("alice"), 1);
  EXPECT_THAT(this->Commit({claim}).moved, testing::IsEmpty());
  claim = this->Claim(claim.key, 2);
  claim.publications[1].second = this->PublicationOf(2, "newer");

  const CommitOutcome outcome = this->Commit({claim});

  EXPECT_EQ(outcome.result, CommitResult::kCommitted);
  EXPECT_THAT(outcome.moved, testing::IsEmpty());
  this->ExpectEverything(this->Read(claim.key), claim);
}

// P23: two processes decide on the same version, and only one of them is right.
TYPED_TEST_P(RowStoreSuite, AClaimThatComesTooLateWritesNothingAndItsNeighboursAll) {
  const auto [alice, other] = this->Neighbours();
  const RowChanges first = this->Claim(alice, 1);
  this->Commit({first});
  RowChanges late = this->Claim(alice, 1);
  late.publications = {{1, nullptr}, {2, this->PublicationOf(2, "late")}};
  const RowChanges neighbour = this->Claim(other, 1);

  const CommitOutcome outcome = this->Commit({late, neighbour});

  EXPECT_EQ(outcome.result, CommitResult::kCommitted);
  EXPECT_THAT(outcome.moved, testing::ElementsAre(0u));
  this->ExpectEverything(this->Read(alice), first);
  this->ExpectEverything(this->Read(other), neighbour);
}

TYPED_TEST_P(RowStoreSuite, AClaimThatIsAheadWritesNothing) {
  const ResourceKey alice = this->Key("alice");
  this->Commit({this->Claim(alice, 1)});

  EXPECT_THAT(this->Commit({this->Claim(alice, 3)}).moved, testing::ElementsAre(0u));
}

TYPED_TEST_P(RowStoreSuite, LooksAtWhatIsCommitted) {
  const RowChanges written = this->Claim(this->Key("alice"), 1);
  EXPECT_FALSE(this->Look(written.key, 0).has_value());
  this->Commit({written});

  this->ExpectEverything(this->Look(written.key, 0), written);
  const auto known = this->Look(written.key, 1);
  ASSERT_TRUE(known.has_value());
  EXPECT_EQ(known->resource.version, 1u);
}

TYPED_TEST_P(RowStoreSuite, FindsTheResourceOfATag) {
  const RowChanges written = this->Everything(this->Key("alice"));
  const LocalTag tag = written.subscriptions[0].first;
  const auto find = [&] {
    std::optional<absl::StatusOr<std::optional<ResourceKey>>> found;
    this->subject.store().Find(tag, [&](auto key) { found = std::move(key); });
    EXPECT_FALSE(found.has_value()) << "done was called inline";
    this->subject.Settle();
    return **found;
  };
  EXPECT_EQ(find(), std::nullopt);
  this->Commit({written});

  EXPECT_EQ(find(), written.key);
}

// One day each shard may live in a database of its own.
TYPED_TEST_P(RowStoreSuite, ABatchOfTwoShardsLeavesNothing) {
  const ResourceKey alice = this->Key("alice");
  ResourceKey other = alice;
  for (int i = 0; this->subject.store().ShardOf(other) == this->subject.store().ShardOf(alice); ++i)
    other = this->Key("other" + std::to_string(i));

  EXPECT_EQ(this->Commit({this->Everything(alice), this->Everything(other)}).result,
            CommitResult::kFailed);

  EXPECT_FALSE(this->Read(alice).has_value());
  EXPECT_FALSE(this->Read(other).has_value());
}

TYPED_TEST_P(RowStoreSuite, FindsNothingOfAResourceNobodyWrote) {
  EXPECT_FALSE(this->Read(this->Key("nobody")).has_value());
}

TYPED_TEST_P(RowStoreSuite, ReadsEveryResourceOnce) {
  std::map<ResourceKey, RowChanges> written;
  for (int i = 0; i < 40; ++i) {
    const ResourceKey key =
        this->Key("user" + std::to_string(i), i % 2 == 0 ? "presence" : "dialog");
    written[key] = this->Everything(key);
    ASSERT_EQ(this->Commit({written[key]}).result, CommitResult::kCommitted);
  }

  std::map<ResourceKey, ResourceRows> visited;
  const absl::Status status = this->subject.store().ReadAll([&](ResourceRows rows) {
    const ResourceKey key = rows.key;
    EXPECT_TRUE(visited.emplace(key, std::move(rows)).second) << "visited twice";
  });

  ASSERT_TRUE(status.ok()) << status;
  ASSERT_EQ(visited.size(), written.size());
  for (const auto& [key, rows] : visited) this->ExpectEverything(rows, written[key]);
}

REGISTER_TYPED_TEST_SUITE_P(RowStoreSuite, GivesBackEveryFieldAsItWasWritten,
                            WritesTheSameRowsAgainAndNewerOnesOverThem,
                            DeletesWhatIsThereAndMindsNothingElse, DeletesBeforeItWrites,
                            ABatchWithABadRowLeavesNothing, ABatchOfTwoShardsLeavesNothing,
                            AClaimWritesAllOfItInPlaceOfTheVersionBefore,
                            AClaimThatComesTooLateWritesNothingAndItsNeighboursAll,
                            AClaimThatIsAheadWritesNothing, LooksAtWhatIsCommitted,
                            FindsTheResourceOfATag, FindsNothingOfAResourceNobodyWrote,
                            ReadsEveryResourceOnce);

}  // namespace presence

#endif  // PRESENCE_TESTS_CONFORMANCE_ROW_STORE_SUITE_H_
