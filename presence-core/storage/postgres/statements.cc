#include "presence-core/storage/postgres/statements.h"

#include <fmt/format.h>

#include <string_view>

namespace presence {

const char kFenceText[] = "SELECT 1 FROM lease WHERE shard = $1 AND epoch = $2 FOR KEY SHARE";
const char kFenceAloneText[] = "SELECT 1 FROM lease WHERE shard = $1 AND epoch = $2 FOR UPDATE";
const char kOwnText[] = "SELECT 1 FROM lease WHERE shard = $1 AND epoch = $2";
const char kFindText[] = "SELECT presentity, event FROM subscription WHERE shard = $1 AND id = $2";

std::string_view TableName(Table table) {
  constexpr std::array<std::string_view, kTables.size()> kNames{
      "resource", "publication", "subscription", "watcher_decision", "tombstone", "document"};
  return kNames.at(static_cast<size_t>(table));
}

namespace {

struct Column {
  std::string_view name;
  std::string_view type;
  bool is_key = false;
};

struct Shape {
  std::string_view table;
  std::vector<Column> columns;  // without shard
  std::string_view order;       // of the rows of one resource
};

// The order of columns is the order in columns.cc and row_reader.cc.
Shape ShapeOf(Table table) {
  switch (table) {
    case Table::kResource:
      return {TableName(table),
              {{"presentity", "text", true},
               {"event", "text", true},
               {"epoch", "bigint"},
               {"seq", "bigint"},
               {"next_ordinal", "bigint"},
               {"last_cause", "smallint"},
               {"last_sender", "text"},
               {"settled_seq", "bigint"},
               {"version", "bigint"}},
              "event"};
    case Table::kPublication:
      return {TableName(table),
              {{"presentity", "text", true},
               {"event", "text", true},
               {"id", "bigint", true},
               {"etag", "text"},
               {"content_type", "text"},
               {"body", "bytea"},
               {"expires_at", "timestamptz"},
               {"received_at", "timestamptz"},
               {"priority", "integer"},
               {"sender", "text"},
               {"first_request", "bytea"},
               {"last_request", "bytea"},
               {"origin", "bytea"},
               {"granted_ms", "bigint"},
               {"is_answer_delivered", "boolean"}},
              "id"};
    case Table::kSubscription:
      return {TableName(table),
              {{"presentity", "text"},        {"event", "text"},
               {"id", "text", true},          {"ordinal", "bigint"},
               {"is_winfo", "boolean"},       {"event_id", "text"},
               {"watcher", "text"},           {"alias", "text"},
               {"state", "smallint"},         {"reason", "smallint"},
               {"expires_at", "timestamptz"}, {"created_at", "timestamptz"},
               {"call_id", "text"},           {"remote_tag", "text"},
               {"local_uri", "text"},         {"remote_uri", "text"},
               {"remote_target", "text"},     {"route_set", "text"},
               {"gateway", "text"},           {"flow", "text"},
               {"flow_gateway", "text"},      {"local_contact", "text"},
               {"user_agent", "text"},        {"adopted_tag", "text"},
               {"remote_cseq", "bigint"},     {"cseq_limit", "bigint"},
               {"is_authorized", "boolean"},  {"was_approved", "boolean"},
               {"last_request", "bytea"},     {"granted_ms", "bigint"}},
              "ordinal"};
    case Table::kDecision:
      return {TableName(table),
              {{"presentity", "text", true},
               {"event", "text", true},
               {"watcher", "text", true},
               {"decision", "smallint"},
               {"waits_until", "timestamptz"},
               {"ordinal", "bigint"}},
              "watcher"};
    case Table::kTombstone:
      return {TableName(table),
              {{"presentity", "text", true},
               {"event", "text", true},
               {"request", "bytea", true},
               {"content", "bytea"},
               {"etag", "text"},
               {"granted_ms", "bigint"},
               {"kept_until", "timestamptz"}},
              "request"};
    case Table::kDocument:
      return {TableName(table),
              {{"presentity", "text", true},
               {"event", "text", true},
               {"kind", "smallint", true},
               {"name", "text", true},
               {"etag", "text"},
               {"content_type", "text"},
               {"body", "bytea"},
               {"file_uri", "text"},
               {"created_at", "timestamptz"},
               {"updated_at", "timestamptz"}},
              "kind, name"};
  }
  return {};
}

// "a, b, c" of what `print` makes of each column; empty prints are left out.
template <typename Print>
std::string List(const Shape& shape, Print print, std::string_view separator = ", ") {
  std::string list;
  for (const Column& column : shape.columns) {
    const std::string item = print(column);
    if (item.empty()) continue;
    if (!list.empty()) list += separator;
    list += item;
  }
  return list;
}

std::string KeyOnly(const Column& column) {
  return column.is_key ? std::string(column.name) : std::string();
}

// "$2::text[], $3::bigint[]": the arrays of these columns, which follow the shard.
std::string Arrays(const Shape& shape, bool only_key) {
  int parameter = 1;
  return List(shape, [&](const Column& column) {
    if (only_key && !column.is_key) return std::string();
    return fmt::format("${}::{}[]", ++parameter, column.type);
  });
}

// `order`: in which the rows are written.
std::string PutText(const Shape& shape, std::string_view order) {
  const auto name = [](const Column& column) { return std::string(column.name); };
  const auto take_new = [](const Column& column) {
    return column.is_key ? std::string() : fmt::format("{0} = excluded.{0}", column.name);
  };
  return fmt::format(
      "INSERT INTO {} (shard, {}) SELECT $1::integer, * FROM unnest({}){}"
      " ON CONFLICT (shard, {}) DO UPDATE SET {}",
      shape.table, List(shape, name), Arrays(shape, /*only_key=*/false), order,
      List(shape, KeyOnly), List(shape, take_new));
}

Statement Put(const Shape& shape) {
  return {fmt::format("put_{}", shape.table), PutText(shape, "")};
}

Statement Erase(const Shape& shape) {
  const auto same = [](const Column& column) {
    return column.is_key ? fmt::format("t.{0} = gone.{0}", column.name) : std::string();
  };
  return {fmt::format("erase_{}", shape.table),
          fmt::format("DELETE FROM {} t USING unnest({}) AS gone ({}) WHERE t.shard = $1 AND {}",
                      shape.table, Arrays(shape, /*only_key=*/true), List(shape, KeyOnly),
                      List(shape, same, " AND "))};
}

std::string Select(const Shape& shape) {
  return fmt::format("SELECT {} FROM {}",
                     List(shape,
                          [](const Column& column) {
                            return column.type == "timestamptz"
                                       ? fmt::format("extract(epoch FROM {}) * 1000000",
                                                     column.name)
                                       : std::string(column.name);
                          }),
                     shape.table);
}

std::vector<TableStatements> MakeAll() {
  std::vector<TableStatements> all;
  for (const Table table : kTables) {
    const Shape shape = ShapeOf(table);
    const std::string select = Select(shape);
    all.push_back(
        {Put(shape),
         Erase(shape),
         {fmt::format("read_{}", shape.table),
          fmt::format("{} WHERE shard = $1 AND presentity = $2 AND event = $3 ORDER BY {}", select,
                      shape.order)},
         fmt::format("{} WHERE shard = {{}} ORDER BY presentity, event, {}", select, shape.order)});
  }
  return all;
}

}  // namespace

const TableStatements& StatementsOf(Table table) {
  static const auto* const kAll = new std::vector<TableStatements>(MakeAll());
  return kAll->at(static_cast<size_t>(table));
}

const Statement& LogChanges() {
  static const auto* const kLog = new Statement{
      "log_changes",
      "INSERT INTO change_log (shard, presentity, event, kind, subject, is_removed, etag, state,"
      " epoch, seq) SELECT $1::integer, * FROM unnest($2::text[], $3::text[], $4::text[],"
      " $5::text[], $6::boolean[], $7::text[], $8::smallint[], $9::bigint[], $10::bigint[])"};
  return *kLog;
}

const Statement& ClaimStatement() {
  static const auto* const kClaim =
      new Statement{"claim_resource", PutText(ShapeOf(Table::kResource), " ORDER BY 2, 3") +
                                          " WHERE resource.version = excluded.version - 1"
                                          " RETURNING presentity, event"};
  return *kClaim;
}

std::vector<Statement> AllStatements() {
  std::vector<Statement> all{{kFence, kFenceText}, {kFenceAlone, kFenceAloneText},
                             {kOwn, kOwnText},     {kFind, kFindText},
                             ClaimStatement(),     LogChanges()};
  for (const Table table : kTables) {
    const TableStatements& statements = StatementsOf(table);
    all.insert(all.end(), {statements.put, statements.erase, statements.read});
  }
  return all;
}

}  // namespace presence
