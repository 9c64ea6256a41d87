#include "tests/unit/presence-core/engine/engine_fixture.h"

namespace presence {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Fate = ScriptedJournal::Fate;

// Hard state, and what comes of rows that somebody else has changed.
class DocumentsTest : public EngineTest {
 protected:
  static DocumentName Name(const std::string& name) { return {DocumentKind::kHardState, name}; }
  static PutDocumentCommand Hard(const std::string& text, const std::string& name = "index") {
    PutDocumentCommand command;
    command.owner = Presentity("alice");
    command.name = Name(name);
    command.document = Document("text/plain", text);
    command.may_create = true;
    return command;
  }
  static PutDocumentCommand Identified(PutDocumentCommand command, const std::string& content) {
    command.idempotency.request_id = RequestKey::Of({"request"});
    command.idempotency.content = RequestKey::Of({content});
    return command;
  }

  Result<DocumentView> Put(const PutDocumentCommand& command) {
    Result<DocumentView> result;
    engine->PutDocument(command, [&](auto outcome) { result = std::move(outcome); });
    executor.RunUntilIdle();
    return result;
  }
  absl::Status Remove(const RemoveDocumentCommand& command) {
    absl::Status result = absl::UnknownError("never answered");
    engine->RemoveDocument(command, [&](const auto& outcome) { result = outcome.status(); });
    executor.RunUntilIdle();
    return result;
  }
  absl::Status Remove(const std::string& name, const Etag& etag = Etag()) {
    return Remove(RemoveDocumentCommand{Presentity("alice"), Name(name), etag, {}});
  }
  Result<RefreshOutcome> Reload(std::optional<NamedDocument> named = std::nullopt) {
    Result<RefreshOutcome> result;
    engine->ReloadState(Key("alice"), std::move(named),
                        [&](auto outcome) { result = std::move(outcome); });
    executor.RunUntilIdle();
    return result;
  }
  std::string State() {
    auto view = engine->GetState({Key("alice"), Event("presence"), std::nullopt, {}, ""});
    return std::string(view->document->body());
  }
  Revision Now() {
    return engine->GetState({Key("alice"), Event("presence"), std::nullopt, {}, ""})->revision;
  }
  StoredDocumentPtr Get(const std::string& name = "index") {
    StoredDocumentPtr found;
    engine->GetDocument(Presentity("alice"), Name(name), [&](const auto& view) {
      if (view.ok()) found = view->document;
    });
    return found;
  }
  // What another program does with the rows behind our back.
  void ChangeBehind(const std::function<void(RowChanges&, const ResourceRows&)>& change) {
    RowChanges changes;
    changes.key = Key("alice");
    change(changes, journal.RowsOf(Key("alice")));
    journal.WriteBehind(changes);
  }
};

TEST_F(DocumentsTest, LieBeneathEverythingPublishedAndTellAtOnce) {
  Subscribe("alice", "bob");
  Answer();
  Sent();

  EXPECT_TRUE(Put(Hard("at work")).ok());
  Answer();
  EXPECT_TRUE(Put(Hard("by day", "a")).ok());
  Answer();
  Publish("alice", "open");
  Answer();
  EXPECT_TRUE(Remove("a").ok());
  Answer();

  EXPECT_THAT(Sent(), ElementsAre("bob 2 active at work", "bob 3 active by day+at work",
                                  "bob 4 active open+by day+at work", "bob 5 active open+at work"));
}

TEST_F(DocumentsTest, StayWhenWhatWasPublishedExpires) {
  Put(Hard("at work"));
  Publish("alice", "open");
  EXPECT_EQ(State(), "open+at work");

  executor.RunFor(absl::Hours(2));

  EXPECT_EQ(State(), "at work");
}

TEST_F(DocumentsTest, OneThatIsThereIsNotCreatedAndOneThatIsNotIsNotReplaced) {
  PutDocumentCommand create = Hard("one");
  create.may_replace = false;
  PutDocumentCommand replace = Hard("two");
  replace.may_create = false;

  EXPECT_EQ(ReasonOf(Put(replace).status()), ErrorReason::kEtagMismatch);
  EXPECT_TRUE(Put(create).ok());
  EXPECT_EQ(ReasonOf(Put(create).status()), ErrorReason::kEtagMismatch);
  EXPECT_TRUE(Put(replace).ok());
  EXPECT_EQ(State(), "two");
  EXPECT_EQ(ReasonOf(Remove("other")), ErrorReason::kPublicationUnknown);
}

TEST_F(DocumentsTest, AnEntityTagNamesOneContent) {
  const Etag first = Put(Hard("one"))->document->etag;
  clock.Advance(absl::Seconds(5));
  PutDocumentCommand next = Hard("two");
  next.etag = first;
  const StoredDocumentPtr second = Put(next)->document;

  EXPECT_NE(second->etag, first);
  EXPECT_EQ(second->updated_at - second->created_at, absl::Seconds(5));
  EXPECT_EQ(ReasonOf(Put(next).status()), ErrorReason::kEtagMismatch);
  EXPECT_EQ(ReasonOf(Remove("index", first)), ErrorReason::kEtagMismatch);
  EXPECT_TRUE(Remove("index", second->etag).ok());
  EXPECT_EQ(Get(), nullptr);
}

TEST_F(DocumentsTest, TheSameContentAgainChangesNothing) {
  Subscribe("alice", "bob");
  const Etag etag = Put(Hard("one"))->document->etag;
  Answer();
  Sent();
  const Revision before = Now();

  EXPECT_EQ(Put(Hard("one"))->document->etag, etag);

  EXPECT_EQ(Now(), before);
  EXPECT_THAT(Sent(), IsEmpty());
}

TEST_F(DocumentsTest, AreValidatedAfterTheirEntityTag) {
  PutDocumentCommand bad = Hard("bad");
  bad.etag = Etag("stale");
  EXPECT_EQ(ReasonOf(Put(bad).status()), ErrorReason::kEtagMismatch);
  EXPECT_EQ(ReasonOf(Put(Hard("bad")).status()), ErrorReason::kBadDocument);
  PutDocumentCommand other = Hard("one");
  other.document = Document("text/html", "one");
  EXPECT_EQ(ReasonOf(Put(other).status()), ErrorReason::kUnsupportedContent);
  EXPECT_EQ(ReasonOf(Put(Hard(std::string(40'000, 'x'))).status()), ErrorReason::kDocumentTooLarge);
  EXPECT_EQ(State(), "none");
}

TEST_F(DocumentsTest, AnOwnerHasSoManyAndNoMore) {
  for (size_t i = 0; i < config.max_publications; ++i) {
    EXPECT_TRUE(Put(Hard("one", std::to_string(i))).ok());
  }
  EXPECT_EQ(ReasonOf(Put(Hard("one", "more")).status()), ErrorReason::kQuotaExceeded);
  EXPECT_TRUE(Put(Hard("two", "7")).ok());
}

TEST_F(DocumentsTest, ACallThatComesAgainGetsItsAnswerAgain) {
  const PutDocumentCommand call = Identified(Hard("one"), "one");
  const Etag etag = Put(call)->document->etag;
  Put(Hard("two"));

  const Result<DocumentView> again = Put(call);
  EXPECT_EQ(again->document->etag, etag);
  EXPECT_EQ(again->document->document.body(), "one");
  EXPECT_EQ(State(), "two");
  EXPECT_EQ(ReasonOf(Put(Identified(Hard("three"), "three")).status()),
            ErrorReason::kRequestIdReused);

  RemoveDocumentCommand remove{Presentity("alice"), Name("index"), {}, {}};
  remove.idempotency.request_id = RequestKey::Of({"remove"});
  EXPECT_TRUE(Remove(remove).ok());
  EXPECT_TRUE(Remove(remove).ok());
}

TEST_F(DocumentsTest, OutliveTheProcessAndAreListedInOrder) {
  for (const char* name : {"b", "a", "index"}) Put(Hard(name, name));
  const Etag etag = Get()->etag;
  StartEngine();

  EXPECT_EQ(State(), "a+b+index");
  EXPECT_EQ(Get()->etag, etag);
  DocumentFilter filter;
  filter.limit = 2;
  const Page<DocumentView> first = engine->ListDocuments(filter);
  ASSERT_THAT(first.rows, SizeIs(2));
  EXPECT_EQ(first.rows[1].document->name.name, "b");
  filter.after = first.next;
  const Page<DocumentView> second = engine->ListDocuments(filter);
  ASSERT_THAT(second.rows, SizeIs(1));
  EXPECT_EQ(second.rows[0].document->name.name, "index");
  EXPECT_FALSE(second.next.has_value());
  filter = {};
  filter.owner = Presentity("bob");
  EXPECT_THAT(engine->ListDocuments(filter).rows, IsEmpty());
}

TEST_F(DocumentsTest, LiveAsLongAsTheProcessWherePublicationsAreInMemory) {
  journal.kinds = {.publications = false};
  Put(Hard("one"));
  EXPECT_EQ(journal.appends(), 0u);
  EXPECT_TRUE(Reload()->examined == 0 && State() == "one");

  StartEngine();

  EXPECT_EQ(State(), "none");
}

TEST_F(DocumentsTest, OneWhoseFateIsUnknownIsReadBack) {
  for (const Fate fate : {Fate::kUnknownWritten, Fate::kUnknownDropped}) {
    journal.fate = [&] { return fate; };
    EXPECT_EQ(ReasonOf(Put(Hard("one")).status()), ErrorReason::kStorageUnavailable);
    EXPECT_EQ(State(), fate == Fate::kUnknownWritten ? "one" : "none");
    journal.fate = [] { return Fate::kDurable; };
    if (Get() != nullptr) {
      EXPECT_TRUE(Remove("index").ok());
    }
  }
}

// O02: what somebody changed in the database is shown from the next RefreshWatchers on.
TEST_F(DocumentsTest, AReloadTakesOverWhatOthersChangedAndTellsEverybody) {
  Subscribe("alice", "bob");
  const Etag tag = Publish("alice", "open")->etag;
  const Etag etag = Put(Hard("one"))->document->etag;
  Answer();
  Sent();
  ChangeBehind([](RowChanges& changes, const ResourceRows& rows) {
    auto publication = std::make_shared<struct Publication>(*rows.publications[0]);
    publication->document = Document("text/plain", "busy");
    changes.publications.emplace_back(publication->id, publication);
    auto document = std::make_shared<StoredDocument>(*rows.documents[0]);
    document->document = Document("text/plain", "two");
    changes.documents.emplace_back(document->name, document);
  });
  EXPECT_EQ(State(), "open+one");

  const Result<RefreshOutcome> outcome = Reload(NamedDocument{Name("index"), "http://x/index"});
  Answer();

  EXPECT_EQ(outcome->notified, 1u);
  EXPECT_THAT(Sent(), ElementsAre("bob 3 active busy+two"));
  EXPECT_NE(Get()->etag, etag) << "an entity-tag names one content";
  EXPECT_EQ(Get()->file_uri, "http://x/index");
  // Its publisher goes on with the tag it has.
  PublishCommand refresh = Publication("alice", "free");
  refresh.etag = tag;
  EXPECT_TRUE(Publish(refresh).ok());
  StartEngine();
  EXPECT_EQ(State(), "free+two");
}

TEST_F(DocumentsTest, AReloadFindsRowsThatCameAndRowsThatWent) {
  Put(Hard("one"));
  Publish("alice", "open");
  ChangeBehind([](RowChanges& changes, const ResourceRows& rows) {
    changes.documents.emplace_back(rows.documents[0]->name, nullptr);
    auto other = std::make_shared<struct Publication>(*rows.publications[0]);
    other->id = 90;
    other->etag = Etag("theirs");
    other->document = Document("text/plain", "theirs");
    changes.publications.emplace_back(other->id, other);
  });

  EXPECT_TRUE(Reload().ok());

  EXPECT_EQ(State(), "theirs+open");
  EXPECT_EQ(Get(), nullptr);
  Publish("alice", "third");
  EXPECT_EQ(State(), "third+theirs+open") << "it has a number of its own";
}

TEST_F(DocumentsTest, AReloadOfWhatCannotBeShownChangesNothing) {
  Publish("alice", "open");
  ChangeBehind([](RowChanges& changes, const ResourceRows& rows) {
    auto publication = std::make_shared<struct Publication>(*rows.publications[0]);
    publication->document = Document("text/plain", "bad");
    changes.publications.emplace_back(publication->id, publication);
  });

  EXPECT_EQ(ReasonOf(Reload().status()), ErrorReason::kBadDocument);

  EXPECT_EQ(State(), "open");
}

// Nothing comes between what a reload has read and what it makes of it.
TEST_F(DocumentsTest, AReloadWaitsForItsTurnAndOthersWaitForIt) {
  journal.answers_by_itself = false;
  Result<PublishOutcome> first;
  Result<PublishOutcome> second;
  Result<RefreshOutcome> reload;
  engine->Publish(Publication("alice", "one"), [&](auto outcome) { first = std::move(outcome); });
  engine->ReloadState(Key("alice"), std::nullopt,
                      [&](auto outcome) { reload = std::move(outcome); });
  engine->Publish(Publication("alice", "two"), [&](auto outcome) { second = std::move(outcome); });
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(second.ok(), i >= 3);
    journal.RunHeld();
    executor.RunUntilIdle();
  }

  EXPECT_TRUE(first.ok() && reload.ok() && second.ok());
  EXPECT_EQ(State(), "two+one");
}

TEST_F(DocumentsTest, AReloadThatCannotReadSaysSoAndTheNextSucceeds) {
  Publish("alice", "open");
  journal.load_fails = [] { return true; };
  EXPECT_EQ(ReasonOf(Reload().status()), ErrorReason::kStorageUnavailable);
  EXPECT_TRUE(Publish("alice", "busy").ok());
  journal.load_fails = [] { return false; };
  EXPECT_TRUE(Reload().ok());
  EXPECT_EQ(State(), "busy+open");
}

}  // namespace
}  // namespace presence
