#include <gmock/gmock.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/unit/cli/cli_test_base.h"

namespace presence::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class PublishCommandTest : public CliTest {
 protected:
  // The command that the output offers for undoing it.
  std::string UndoOf(const Outcome& run) {
    for (absl::string_view line : absl::StrSplit(run.out, '\n')) {
      const std::size_t command = line.find("presencectl ");
      if (absl::StartsWith(line, "undo")) return std::string(line.substr(command + 12));
    }
    ADD_FAILURE() << "no undo in: " << run.out;
    return "";
  }
};

// P01
TEST_F(PublishCommandTest, AnInitialPublicationNamesItsPresentityAndSaysItInPidf) {
  Presencectl(
      "publish alice@example.com --open --note \"At <my> desk & \\\"here\\\"\" --expires 10m");

  const v1::PublishRequest request = fake_.publishes().at(0);
  EXPECT_EQ(request.presentity(), "alice@example.com");
  EXPECT_EQ(request.etag(), "");
  EXPECT_EQ(request.expiry().seconds(), 600);
  EXPECT_EQ(request.document().content_type(), "application/pidf+xml");
  EXPECT_THAT(request.document().body(), HasSubstr("entity=\"sip:alice@example.com\""));
  EXPECT_THAT(request.document().body(), HasSubstr("<basic>open</basic>"));
  EXPECT_THAT(request.document().body(),
              HasSubstr("<note>At &lt;my&gt; desk &amp; &quot;here&quot;</note>"));
}

TEST_F(PublishCommandTest, ARefreshNamesTheEtagAndCarriesNoDocument) {
  const Outcome run = Presencectl("publish alice@example.com --etag pc1-7Q2M --expires 1h30m");

  EXPECT_THAT(run.out, StartsWith("refreshed  etag etag-1  expires 1h30m"));
  EXPECT_EQ(fake_.publishes().at(0).etag(), "pc1-7Q2M");
  EXPECT_FALSE(fake_.publishes().at(0).has_document());
}

TEST_F(PublishCommandTest, PassesOnSenderPriorityEventAndRequestId) {
  input_ = "Messages-Waiting: yes\r\n";

  Presencectl(
      "publish a@b.org --event message-summary --file - --sender sip:d@192.0.2.1 --priority -3 "
      "--request-id r9");

  const v1::PublishRequest request = fake_.publishes().at(0);
  EXPECT_EQ(request.sender(), "sip:d@192.0.2.1");
  EXPECT_EQ(request.priority(), -3);
  EXPECT_EQ(request.event(), "message-summary");
  EXPECT_EQ(request.request_id(), "r9");
  EXPECT_EQ(request.document().content_type(), "application/simple-message-summary");
  EXPECT_EQ(request.document().body(), input_);
}

TEST_F(PublishCommandTest, EveryPublicationGetsItsOwnRequestIdAndTupleId) {
  Presencectl("publish a@b.org --open");
  Presencectl("publish a@b.org --open");

  const auto publishes = fake_.publishes();
  EXPECT_THAT(publishes[0].request_id(), StartsWith("pc-"));
  EXPECT_NE(publishes[0].request_id(), publishes[1].request_id());
  EXPECT_NE(publishes[0].document().body(), publishes[1].document().body());
}

TEST_F(PublishCommandTest, TheContentTypeMayBeGivenAndMustBeForUnknownEvents) {
  input_ = "<x/>";

  EXPECT_EQ(Presencectl("publish a@b.org --event reg --file -").exit_code, 2);
  EXPECT_EQ(
      Presencectl("publish a@b.org --event reg --file - --content-type application/reginfo+xml")
          .exit_code,
      0);
  EXPECT_EQ(fake_.publishes().at(0).document().content_type(), "application/reginfo+xml");
}

TEST_F(PublishCommandTest, NothingToPublishIsToldBeforeAskingTheServer) {
  const Outcome run = Presencectl("publish alice@example.com");

  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("nothing to publish; give --open"));
  EXPECT_TRUE(fake_.publishes().empty());
}

TEST_F(PublishCommandTest, APresenceNoteIsRefusedForOtherEvents) {
  const Outcome run = Presencectl("publish alice@example.com --event dialog --open");

  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("for dialog give --file"));
}

TEST_F(PublishCommandTest, ANoteThatXmlCannotCarryIsRefused) {
  EXPECT_EQ(Presencectl({"publish", "a@b.org", "--note",
                         "a\x01"
                         "b"})
                .exit_code,
            2);
  EXPECT_EQ(Presencectl({"publish", "a@b.org", "--note",
                         "a\xff"
                         "b"})
                .exit_code,
            2);
  EXPECT_TRUE(fake_.publishes().empty());
}

TEST_F(PublishCommandTest, ALifetimeOfZeroIsNotMistakenForARemoval) {
  const Outcome run = Presencectl("publish alice@example.com --etag pc1-7Q2M --expires 0s");

  EXPECT_EQ(run.exit_code, 2);
  EXPECT_TRUE(fake_.publishes().empty());
}

// P09
TEST_F(PublishCommandTest, AStaleEtagIsAConflictThatNamesTheListOfLiveOnes) {
  const Outcome run = Presencectl("publish alice@example.com --etag stale");

  EXPECT_EQ(run.exit_code, 6);
  EXPECT_THAT(run.err, HasSubstr("ETAG_MISMATCH"));
  EXPECT_THAT(run.err, HasSubstr("try: presencectl presentity list alice@example.com"));
}

TEST_F(PublishCommandTest, TheUndoOfAPublicationRemovesIt) {
  const std::string undo = UndoOf(Presencectl("publish erin@example.com --open"));

  EXPECT_EQ(Presencectl(undo).exit_code, 0);

  EXPECT_EQ(Presencectl("state get erin@example.com").exit_code, 3);
}

TEST_F(PublishCommandTest, TheUndoOfARemovalPublishesTheLikeAgain) {
  const std::string undo = UndoOf(Presencectl("unpublish alice@example.com"));

  EXPECT_EQ(undo, "publish alice@example.com --open --note \"At my desk\" --expires 9m58s");
  EXPECT_EQ(Presencectl(undo).exit_code, 0);
  EXPECT_THAT(Presencectl("presentity list alice@example.com").out, HasSubstr("At my desk"));
}

TEST_F(PublishCommandTest, TheUndoOfADecisionIsTheOtherOne) {
  const std::string undo = UndoOf(Presencectl("watcher block alice@example.com bob@example.com"));

  EXPECT_EQ(undo, "watcher approve alice@example.com bob@example.com");
  Presencectl(undo);
  EXPECT_EQ(Presencectl("authorization alice@example.com bob@example.com").exit_code, 0);
}

TEST_F(PublishCommandTest, UnpublishRemovesOnlyTheOneNamed) {
  EXPECT_EQ(Presencectl("unpublish bob@example.com --etag pc2-AAAA").exit_code, 0);

  const Outcome list = Presencectl("presentity list bob@example.com --full");
  EXPECT_THAT(list.out, Not(HasSubstr("pc2-AAAA")));
  EXPECT_THAT(list.out, HasSubstr("pc2-BBBB"));
}

TEST_F(PublishCommandTest, UnpublishAllRemovesEachWithARequestIdOfItsOwn) {
  EXPECT_EQ(Presencectl("unpublish bob@example.com --all").exit_code, 0);

  const auto publishes = fake_.publishes();
  ASSERT_EQ(publishes.size(), 2u);
  EXPECT_EQ(publishes[0].expiry().seconds(), 0);
  EXPECT_TRUE(publishes[0].has_expiry());
  EXPECT_NE(publishes[0].request_id(), publishes[1].request_id());
  EXPECT_EQ(Presencectl("state get bob@example.com").exit_code, 3);
}

TEST_F(PublishCommandTest, RawStateIsTheDocumentByteForByte) {
  const Outcome run = Presencectl("state get alice@example.com --raw");

  EXPECT_EQ(run.out, Pidf("open", "At my desk").body());
}

TEST_F(PublishCommandTest, APublishedNoteCannotSteerTheTerminal) {
  v1::Publication publication;
  publication.set_presentity("mallory@example.com");
  publication.set_event("presence");
  *publication.mutable_document() = Pidf("open",
                                         "\xC2\x9B"
                                         "31m\xE2\x80\xAE red");
  fake_.AddPublication(publication);

  const Outcome run = Presencectl("presentity list mallory@example.com");

  EXPECT_THAT(run.out, HasSubstr("\xEF\xBF\xBD"
                                 "31m\xEF\xBF\xBD red"));
}

TEST_F(PublishCommandTest, AListLongerThanAPageIsReadWhole) {
  for (int i = 0; i < 1005; ++i) {
    v1::Publication publication;
    publication.set_presentity(absl::StrCat("u", i, "@page.example"));
    publication.set_event("presence");
    fake_.AddPublication(publication);
  }

  const Outcome all = Presencectl("presentity list --domain page.example -o jsonl");
  const Outcome some = Presencectl("presentity list --domain page.example -o jsonl --limit 1001");

  EXPECT_EQ(std::count(all.out.begin(), all.out.end(), '\n'), 1005);
  EXPECT_EQ(std::count(some.out.begin(), some.out.end(), '\n'), 1001);
}

}  // namespace
}  // namespace presence::cli
