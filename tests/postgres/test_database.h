#ifndef PRESENCE_TESTS_POSTGRES_TEST_DATABASE_H_
#define PRESENCE_TESTS_POSTGRES_TEST_DATABASE_H_

#include <string>

#include "presence-core/storage/postgres/database_options.h"

namespace presence {

// A database of its own in the cluster of tests/postgres/with_cluster.py, gone with the object.
class TestDatabase {
 public:
  // Empty, or with the newest schema and `shards`.
  enum class Schema { kNone, kNewest };
  explicit TestDatabase(Schema schema = Schema::kNewest, uint32_t shards = 4);
  ~TestDatabase();
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  const std::string& name() const { return name_; }
  DatabaseOptions options() const;

  // Runs SQL as the owner of the database, search_path as in production; the first field of the
  // first row, as text.
  std::string Run(const std::string& sql) const;
  // The same from outside of the database.
  static void RunInCluster(const std::string& sql);

 private:
  std::string name_;
};

}  // namespace presence

#endif  // PRESENCE_TESTS_POSTGRES_TEST_DATABASE_H_
