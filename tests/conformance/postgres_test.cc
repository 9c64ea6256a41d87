// The suites, with a real database: run under tests/postgres/with_cluster.py.

#include "presence-core/storage/postgres/lease_keeper.h"
#include "presence-core/storage/postgres/postgres_store.h"
#include "presence-core/storage/write_through/write_through_journal.h"
#include "tests/conformance/journal_suite.h"
#include "tests/conformance/row_store_suite.h"
#include "tests/fakes/settled_store.h"
#include "tests/postgres/test_database.h"

namespace presence {
namespace {

// A database with this process as its owner.
class PostgresSubject {
 public:
  PostgresSubject()
      : keeper_(
            {.database = database_.options(), .node = "test", .address = "", .on_lost = nullptr},
            store_clock_),
        lease_(keeper_.Take().value()),
        store_(database_.options(), store_clock_, lease_) {}

  RowStore& store() { return settled_; }
  void Settle() { settled_.Settle(); }
  std::string BadBody() { return std::string((1 << 20) + 1, 'x'); }

  // The database goes away for everybody, and comes back.
  void Leave() {
    database_.RunInCluster("ALTER DATABASE " + database_.name() + " ALLOW_CONNECTIONS false");
    database_.RunInCluster(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" +
        database_.name() + "'");
  }
  void Return() {
    database_.RunInCluster("ALTER DATABASE " + database_.name() + " ALLOW_CONNECTIONS true");
    store_clock_.Advance(absl::Seconds(1));  // a store asks again only after a while
  }

 private:
  // Stands still, so the lease is never renewed; and years behind the database's: what is read back
  // is by this one nevertheless.
  ManualClock store_clock_;
  TestDatabase database_;
  LeaseKeeper keeper_;
  const LeaseKeeper::Lease lease_;
  PostgresStore store_;
  SettledStore settled_{store_};
};

INSTANTIATE_TYPED_TEST_SUITE_P(Postgres, RowStoreSuite, PostgresSubject);

class WriteThroughSubject {
 public:
  static constexpr bool kKeepsRows = true;
  static constexpr bool kMayRefuse = false;
  static constexpr bool kMayBeUnknown = false;
  static constexpr bool kAnswers = true;

  Journal& journal() { return journal_; }
  void Settle() { postgres_.Settle(); }
  void StopFailing() { postgres_.Return(); }
  void FailLoads() { postgres_.Leave(); }

 private:
  PostgresSubject postgres_;
  WriteThroughJournal journal_{postgres_.store(), {}};
};

INSTANTIATE_TYPED_TEST_SUITE_P(WriteThroughOnPostgres, JournalSuite, WriteThroughSubject);

}  // namespace
}  // namespace presence
