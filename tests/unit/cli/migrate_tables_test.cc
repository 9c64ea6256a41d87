// Kamailio's tables, batch by batch, to a server that answers as it is told.
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "cli/commands/migrate_tables.h"
#include "tests/unit/cli/cli_test_base.h"

namespace presence::cli {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;
using testing::Not;
using testing::SizeIs;

// Tables whose rows are publications with bodies of these sizes, with the ids 1, 2, 3...
class FakeTables final : public KamailioTables {
 public:
  std::vector<size_t> body_sizes;
  std::function<void()> on_read = [] {};
  bool are_there = true;

  absl::StatusOr<std::optional<int64_t>> Count(Part part) override {
    if (!are_there) return std::nullopt;
    return part == Part::kPublications ? static_cast<int64_t>(body_sizes.size()) : 0;
  }
  absl::StatusOr<std::vector<XcapCount>> CountXcap() override { return std::vector<XcapCount>(); }
  absl::StatusOr<std::optional<TableBatch>> Read(const TablePosition& after, size_t most) override {
    on_read();
    if (after.part > Part::kPublications) return std::optional<TableBatch>();
    TableBatch batch;
    batch.part = Part::kPublications;
    int64_t id = after.part == Part::kPublications ? after.id : 0;
    while (batch.records.size() < most && id < static_cast<int64_t>(body_sizes.size())) {
      v1::Record& record = batch.records.emplace_back();
      record.mutable_publication()->set_etag(absl::StrCat(id + 1));
      record.mutable_publication()->mutable_document()->set_body(
          std::string(body_sizes[static_cast<size_t>(id)], 'x'));
      batch.ids.push_back(++id);
    }
    batch.after = {Part::kPublications, id};
    if (batch.records.empty()) return std::optional<TableBatch>();
    return std::optional(std::move(batch));
  }
  std::string NameOf(Part part) const override {
    return part == Part::kPublications ? "presentity" : "other";
  }
};

class MigrateTablesTest : public CliTest {
 protected:
  Outcome Import(const TablesOptions& options = {}) {
    outcome = {};
    return RunIn([&](Environment& environment) {
      GlobalOptions global;
      global.server = fake_.address();
      global.grpc_target = fake_.address();
      Session session(environment, global, "presencectl migrate kamailio", {});
      return ImportTables(tables, options, session, outcome);
    });
  }

  const PartOutcome& publications() const { return outcome.parts[Index(Part::kPublications)]; }
  // How often each came.
  std::map<std::string, int> Sent() {
    std::map<std::string, int> sent;
    for (const v1::ImportRequest& request : fake_.imports()) {
      for (const v1::Record& record : request.records()) ++sent[record.publication().etag()];
    }
    return sent;
  }

  FakeTables tables;
  TablesOutcome outcome;
};

TEST_F(MigrateTablesTest, SendsMessagesThatACoreTakesHoweverLargeTheRowsAre) {
  for (size_t i = 0; i < 2000; ++i) tables.body_sizes.push_back(500 + i % 500);

  const Outcome run = Import();

  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(publications().read, 2000u);
  EXPECT_EQ(publications().imported, 2000u);
  EXPECT_THAT(Sent(), SizeIs(2000));
  EXPECT_THAT(pauses_, IsEmpty());
}

TEST_F(MigrateTablesTest, RefusesARowThatFillsMoreThanAMessageAndGoesOn) {
  tables.body_sizes = {100, 300 * 1024, 100, 200 * 1024, 100};

  const Outcome run = Import();

  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(publications().read, 5u);
  EXPECT_EQ(publications().imported, 4u);
  ASSERT_THAT(outcome.refused, SizeIs(1));
  EXPECT_EQ(outcome.refused[0].id, 2);
  EXPECT_THAT(outcome.refused[0].why, HasSubstr("307"));
}

TEST_F(MigrateTablesTest, FailsWhereThereIsNoneOfTheTables) {
  tables.are_there = false;

  const Outcome run = Import();

  EXPECT_EQ(run.exit_code, 3);
  EXPECT_THAT(run.err,
              AllOf(HasSubstr("none of Kamailio's tables: other, presentity"), HasSubstr("--db")));
}

TEST_F(MigrateTablesTest, EndsAsInterruptedBetweenTwoMessagesAndSaysHowToGoOn) {
  tables.body_sizes.assign(1200, 100);
  int reads = 0;
  tables.on_read = [&] {
    if (++reads == 2) interrupt_.request_stop();
  };

  const Outcome run = Import();

  EXPECT_EQ(run.exit_code, 130);
  EXPECT_THAT(run.err, AllOf(HasSubstr("interrupted"),
                             HasSubstr("go on with --checkpoint publications:500")));
  EXPECT_EQ(publications().imported, 500u);
  EXPECT_FALSE(outcome.is_complete);
  EXPECT_THAT(Sent(), SizeIs(500));
}

TEST_F(MigrateTablesTest, GoesOnFromTheCheckpointThatAnInterruptNamed) {
  tables.body_sizes.assign(1200, 100);
  TablesOptions options;
  options.from = *TablePosition::Parse("publications:500");

  const Outcome run = Import(options);

  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(Sent(), AllOf(SizeIs(700), Not(Contains(Key("500"))), Contains(Key("501"))));
}

TEST_F(MigrateTablesTest, SendsAMessageAgainWhenTheCallBreaks) {
  tables.body_sizes.assign(1200, 100);
  int calls = 0;
  fake_.OnImport([&](const v1::ImportRequest& request, v1::ImportResponse& response) {
    // The first of the two tries took it all.
    if (++calls == 3) response.set_imported_before(static_cast<uint64_t>(request.records_size()));
    if (calls == 3) return grpc::Status::OK;
    if (calls == 2) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "broken");
    response.set_imported(static_cast<uint64_t>(request.records_size()));
    return grpc::Status::OK;
  });

  const Outcome run = Import();

  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(pauses_, ElementsAre(absl::Seconds(1)));
  EXPECT_EQ(publications().imported, 700u);
  EXPECT_EQ(publications().before, 500u);
  EXPECT_EQ(publications().skipped, 0u);
  EXPECT_TRUE(outcome.is_complete);
  EXPECT_THAT(Sent(), SizeIs(1200));
}

TEST_F(MigrateTablesTest, GivesUpOnAServerThatStaysAwayAndSaysFromWhereToGoOn) {
  tables.body_sizes.assign(1200, 100);
  int calls = 0;
  fake_.OnImport([&](const v1::ImportRequest& request, v1::ImportResponse& response) {
    if (++calls > 1) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "broken");
    response.set_imported(static_cast<uint64_t>(request.records_size()));
    return grpc::Status::OK;
  });

  const Outcome run = Import();

  EXPECT_EQ(run.exit_code, 4);
  EXPECT_EQ(calls, 31);
  EXPECT_THAT(run.err, HasSubstr("go on with --checkpoint publications:500"));
}

TEST_F(MigrateTablesTest, AsksAServerThatWasNeverThereOnce) {
  tables.body_sizes.assign(10, 100);
  fake_.OnImport(
      [](const auto&, auto&) { return grpc::Status(grpc::StatusCode::UNAVAILABLE, "away"); });

  const Outcome run = Import();

  EXPECT_EQ(run.exit_code, 4);
  EXPECT_THAT(pauses_, IsEmpty());
  EXPECT_THAT(run.err, HasSubstr("nothing is imported yet"));
}

TEST_F(MigrateTablesTest, ShowsHowFarItIsOnATerminalAndWipesItAway) {
  tables.body_sizes.assign(1000, 100);
  const Outcome piped = Import();
  terminal_.columns = 80;

  const Outcome shown = Import();

  EXPECT_THAT(piped.err, IsEmpty());
  EXPECT_THAT(shown.err,
              AllOf(HasSubstr("publications [" + std::string(15, '#') + std::string(15, ' ') +
                              "] 500 of 1000"),
                    HasSubstr("publications [" + std::string(30, '#') + "] 1000 of 1000"),
                    EndsWith("\r\033[K")));
}

}  // namespace
}  // namespace presence::cli
