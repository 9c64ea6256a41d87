// Hard state that comes in.
#include "tests/unit/presence-core/engine/import_fixture.h"

namespace presence {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class ImportDocumentsTest : public ImportTest {
 protected:
  ImportCommand AlicesDocument(const std::string& text, const std::string& etag = "") {
    ImportedDocument item;
    item.name = {DocumentKind::kHardState, "index"};
    item.document = Document("text/plain", text);
    item.etag = Etag(etag);
    item.created_at = item.updated_at = clock.Now() - absl::Hours(1);
    return {Key("alice"), item};
  }
  std::vector<std::string> Documents() {
    std::vector<std::string> listed;
    for (const DocumentView& view : engine->ListDocuments({}).rows) {
      listed.push_back(view.document->etag.text() + " " +
                       std::string(view.document->document.body()));
    }
    return listed;
  }
};

TEST_F(ImportDocumentsTest, StoresADocumentBeneathWhatIsPublished) {
  Subscribe("alice", "carol");
  Answer();
  Sent();

  EXPECT_EQ(*Import(AlicesDocument("away", "d1")).operator->(), ImportOutcome::kTaken);

  EXPECT_THAT(Documents(), ElementsAre("d1 away"));
  EXPECT_THAT(Sent(), ElementsAre("carol 2 active away"));
  StartEngine();
  EXPECT_THAT(Documents(), ElementsAre("d1 away"));
}

TEST_F(ImportDocumentsTest, KeepsTheEntityTagOfADocumentOfTheSameContent) {
  ASSERT_TRUE(Import(AlicesDocument("away", "d1")).ok());
  const size_t appends = journal.appends();

  EXPECT_EQ(*Import(AlicesDocument("away", "d2")).operator->(), ImportOutcome::kTakenBefore);

  EXPECT_THAT(Documents(), ElementsAre("d1 away"));
  EXPECT_EQ(journal.appends(), appends);
}

TEST_F(ImportDocumentsTest, PutsNoDocumentInAnothersPlaceUnlessToldTo) {
  ASSERT_TRUE(Import(AlicesDocument("away", "d1")).ok());
  ImportCommand other = AlicesDocument("busy", "d1");
  EXPECT_EQ(*Import(other).operator->(), ImportOutcome::kSkipped);
  EXPECT_THAT(Documents(), ElementsAre("d1 away"));
  other.replaces = true;

  EXPECT_EQ(*Import(other).operator->(), ImportOutcome::kTaken);

  EXPECT_THAT(Documents(), ElementsAre(AllOf(EndsWith(" busy"), Not(StartsWith("d1 ")))));
}

TEST_F(ImportDocumentsTest, DoesNotBringBackADocumentThatWasTakenAway) {
  ASSERT_TRUE(Import(AlicesDocument("away")).ok());
  RemoveDocumentCommand remove;
  remove.owner = Presentity("alice");
  remove.name = {DocumentKind::kHardState, "index"};
  engine->RemoveDocument(remove, [](auto removed) { ASSERT_TRUE(removed.ok()); });
  executor.RunUntilIdle();
  ASSERT_THAT(Documents(), IsEmpty());

  EXPECT_EQ(*Import(AlicesDocument("away")).operator->(), ImportOutcome::kTakenBefore);

  EXPECT_THAT(Documents(), IsEmpty());
}

TEST_F(ImportDocumentsTest, RefusesADocumentThatCouldNotBeStored) {
  EXPECT_EQ(ReasonOf(Import(AlicesDocument("bad")).status()), ErrorReason::kBadDocument);
  config.max_publications = 0;
  StartEngine();
  EXPECT_EQ(ReasonOf(Import(AlicesDocument("away")).status()), ErrorReason::kQuotaExceeded);
}

}  // namespace
}  // namespace presence
