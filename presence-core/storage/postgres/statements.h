#ifndef PRESENCE_CORE_STORAGE_POSTGRES_STATEMENTS_H_
#define PRESENCE_CORE_STORAGE_POSTGRES_STATEMENTS_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace presence {

// Every statement that runs while the server serves. Each connection prepares all of them; a test
// explains them against big tables (no sequential scan) and reads that each filters on `shard`.
//
// They are made from one description of each table, so that the columns of what is written and of
// what is read cannot differ. A statement that writes takes one array a column (array_writer.h): a
// batch of any size is then one statement a table, planned once.
struct Statement {
  std::string name;
  std::string text;
};

enum class Table { kResource, kPublication, kSubscription, kDecision, kTombstone, kDocument };
inline constexpr std::array kTables{Table::kResource, Table::kPublication, Table::kSubscription,
                                    Table::kDecision, Table::kTombstone,   Table::kDocument};

// As it is called in the database.
std::string_view TableName(Table table);

struct TableStatements {
  // $1 shard, then one array a column: writes rows, in place of those with the same key.
  Statement put;
  // $1 shard, then one array a column of the key: deletes rows; one that is not there is no error.
  Statement erase;
  // $1 shard, $2 presentity, $3 event: the rows of one resource, all columns. The first two are the
  // resource; times are in microseconds since 1970.
  Statement read;
  // The same columns of the rows of a shard, in the order of resources, for a cursor; "{}" stands
  // for the shard.
  std::string of_shard;
};
const TableStatements& StatementsOf(Table table);

// $1 shard, then one array a column: writes into change_log what else the transaction changes.
const Statement& LogChanges();

// $1 shard, $2 epoch. One row while this epoch owns the shard; holds off takeovers until the
// transaction ends.
extern const char kFenceText[];
// The same, and waits until every commit of the shard that is under way has ended.
extern const char kFenceAloneText[];
// The same, and waits for nobody.
extern const char kOwnText[];
inline constexpr char kFence[] = "fence";
inline constexpr char kFenceAlone[] = "fence_alone";
inline constexpr char kOwn[] = "own";

// $1 shard, $2 tag: presentity and event of the subscription.
extern const char kFindText[];
inline constexpr char kFind[] = "find_subscription";

// As the put of Table::kResource, but only in place of the version before; the rows that it returns
// (presentity, event) are those it wrote. Each is locked until the transaction ends, in the order
// of keys, so that two processes that write the same never wait for each other in a circle.
const Statement& ClaimStatement();

// All of the above that are prepared.
std::vector<Statement> AllStatements();

}  // namespace presence

#endif  // PRESENCE_CORE_STORAGE_POSTGRES_STATEMENTS_H_
