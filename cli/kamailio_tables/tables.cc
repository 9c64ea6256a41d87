#include "cli/kamailio_tables/tables.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <string_view>
#include <utility>

#include <pqxx/pqxx>

#include "absl/strings/str_cat.h"
#include "cli/kamailio_tables/rows.h"
#include "cli/output/printable.h"

namespace presence::cli {
namespace {

constexpr std::pair<Part, const char*> kPartNames[] = {{Part::kDecisions, "decisions"},
                                                       {Part::kDocuments, "documents"},
                                                       {Part::kPublications, "publications"},
                                                       {Part::kDialogs, "dialogs"},
                                                       {Part::kWaiting, "waiting"}};

// Of what a server says the first line: those after it may quote rows. libpq's own messages name
// host and user, never a password.
absl::Status StatusOf(const std::exception& error) {
  const std::string text = error.what();
  return absl::UnavailableError(Printable(text.substr(0, text.find('\n'))));
}

// Reads one row left to right, in the order of the SELECT.
class RowScan {
 public:
  explicit RowScan(const pqxx::row& row) : row_(row) {}

  std::string Text() {
    const pqxx::field field = row_[next_++];
    return {field.c_str(), field.size()};
  }
  std::string Bytes() {
    const pqxx::binarystring bytes(row_[next_++]);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  // NULL is 0; what is no number is one that ToRecord refuses.
  int64_t Number() {
    const pqxx::field field = row_[next_++];
    int64_t number = 0;
    const char* end = field.c_str() + field.size();
    const auto [stop, error] = std::from_chars(field.c_str(), end, number);
    if (field.size() > 0 && (error != std::errc() || stop != end)) return INT64_MIN;
    return number;
  }

 private:
  const pqxx::row& row_;
  pqxx::row::size_type next_ = 0;
};

constexpr char kPresentityColumns[] =
    "id, username, domain, event, etag, expires, received_time, body, sender, priority";
PresentityRow ScanPresentity(RowScan& scan) {
  PresentityRow row;
  row.username = scan.Text();
  row.domain = scan.Text();
  row.event = scan.Text();
  row.etag = scan.Text();
  row.expires = scan.Number();
  row.received_time = scan.Number();
  row.body = scan.Bytes();
  row.sender = scan.Text();
  row.priority = scan.Number();
  return row;
}

constexpr char kActiveWatcherColumns[] =
    "id, presentity_uri, watcher_username, watcher_domain, to_user, to_domain, event, event_id, "
    "to_tag, from_tag, callid, local_cseq, remote_cseq, contact, record_route, expires, status, "
    "version, local_contact, from_user, from_domain, user_agent";
ActiveWatcherRow ScanActiveWatcher(RowScan& scan) {
  ActiveWatcherRow row;
  row.presentity_uri = scan.Text();
  row.watcher_username = scan.Text();
  row.watcher_domain = scan.Text();
  row.to_user = scan.Text();
  row.to_domain = scan.Text();
  row.event = scan.Text();
  row.event_id = scan.Text();
  row.to_tag = scan.Text();
  row.from_tag = scan.Text();
  row.callid = scan.Text();
  row.local_cseq = scan.Number();
  row.remote_cseq = scan.Number();
  row.contact = scan.Text();
  row.record_route = scan.Text();
  row.expires = scan.Number();
  row.status = scan.Number();
  row.version = scan.Number();
  row.local_contact = scan.Text();
  row.from_user = scan.Text();
  row.from_domain = scan.Text();
  row.user_agent = scan.Text();
  return row;
}

constexpr char kWatcherColumns[] =
    "id, presentity_uri, watcher_username, watcher_domain, event, status, reason";
WatcherRow ScanWatcher(RowScan& scan) {
  WatcherRow row;
  row.presentity_uri = scan.Text();
  row.watcher_username = scan.Text();
  row.watcher_domain = scan.Text();
  row.event = scan.Text();
  row.status = scan.Number();
  row.reason = scan.Text();
  return row;
}

constexpr char kXcapColumns[] = "id, username, domain, doc, doc_uri";
XcapRow ScanXcap(RowScan& scan) {
  XcapRow row;
  row.username = scan.Text();
  row.domain = scan.Text();
  row.doc = scan.Bytes();
  row.doc_uri = scan.Text();
  return row;
}

class PostgresTables final : public KamailioTables {
 public:
  PostgresTables(const std::string& dsn, TableNames names, std::string gateway)
      : names_(std::move(names)), gateway_(std::move(gateway)), connection_(dsn) {
    // Bytes that a database of another encoding holds come as UTF-8 where it can be done.
    connection_.set_client_encoding("UTF8");
    transaction_ =
        std::make_unique<pqxx::transaction<pqxx::repeatable_read, pqxx::read_only>>(connection_);
  }

  absl::StatusOr<std::optional<int64_t>> Count(Part part) override {
    return Guarded<std::optional<int64_t>>([&]() -> std::optional<int64_t> {
      if (!IsThere(NameOf(part))) return std::nullopt;
      return transaction_
          ->exec1(absl::StrCat("SELECT count(*) FROM ", Quoted(NameOf(part)), " WHERE ",
                               ConditionOf(part)))[0]
          .as<int64_t>();
    });
  }

  absl::StatusOr<std::vector<XcapCount>> CountXcap() override {
    return Guarded<std::vector<XcapCount>>([&] {
      std::vector<XcapCount> counts;
      if (!IsThere(names_.xcap)) return counts;
      for (const auto& row : transaction_->exec(
               absl::StrCat("SELECT doc_type, coalesce(substring(doc_uri from "
                            "'([^/]+)/(?:users|global)/'), 'other'), count(*) FROM ",
                            Quoted(names_.xcap), " WHERE NOT (", ConditionOf(Part::kDocuments),
                            ") GROUP BY 1, 2 ORDER BY 1, 2"))) {
        counts.push_back({row[0].as<int64_t>(), row[1].as<std::string>(), row[2].as<int64_t>()});
      }
      return counts;
    });
  }

  absl::StatusOr<std::optional<TableBatch>> Read(const TablePosition& after, size_t most) override {
    return Guarded<std::optional<TableBatch>>([&] {
      std::optional<TableBatch> batch;
      TablePosition from = after;
      while (!(batch = ReadPart(from, most)).has_value() && from.part != Part::kWaiting) {
        from = {static_cast<Part>(static_cast<int>(from.part) + 1), 0};
      }
      return batch;
    });
  }

  std::string NameOf(Part part) const override {
    switch (part) {
      case Part::kDocuments:
        return names_.xcap;
      case Part::kPublications:
        return names_.presentity;
      case Part::kDialogs:
        return names_.active_watchers;
      case Part::kDecisions:
      case Part::kWaiting:
        break;
    }
    return names_.watchers;
  }

 private:
  template <typename T, typename F>
  static absl::StatusOr<T> Guarded(F run) {
    try {
      return run();
    } catch (const std::exception& error) {
      return StatusOf(error);
    }
  }

  // A name of the script: "table", or "schema.table".
  std::string Quoted(const std::string& name) {
    const size_t dot = name.find('.');
    if (dot == std::string::npos) return connection_.quote_name(name);
    return absl::StrCat(connection_.quote_name(name.substr(0, dot)), ".",
                        connection_.quote_name(name.substr(dot + 1)));
  }

  bool IsThere(const std::string& name) {
    return !transaction_
                ->exec1(
                    absl::StrCat("SELECT to_regclass(", connection_.quote(Quoted(name)), ")"))[0]
                .is_null();
  }

  static std::string ConditionOf(Part part) {
    if (part == Part::kDecisions) return "status IN (1, 3)";
    if (part == Part::kDocuments) return absl::StrCat("doc_type = ", kKamailioPidfManipulation);
    if (part == Part::kWaiting) return "status NOT IN (1, 3)";
    return "true";
  }
  static const char* ColumnsOf(Part part) {
    if (part == Part::kDocuments) return kXcapColumns;
    if (part == Part::kPublications) return kPresentityColumns;
    return part == Part::kDialogs ? kActiveWatcherColumns : kWatcherColumns;
  }

  std::optional<TableBatch> ReadPart(const TablePosition& after, size_t most) {
    if (!IsThere(NameOf(after.part))) return std::nullopt;
    const pqxx::result found = transaction_->exec(absl::StrCat(
        "SELECT ", ColumnsOf(after.part), " FROM ", Quoted(NameOf(after.part)), " WHERE id > ",
        after.id, " AND ", ConditionOf(after.part), " ORDER BY id LIMIT ", most));
    if (found.empty()) return std::nullopt;
    TableBatch batch;
    batch.part = after.part;
    for (const pqxx::row& row : found) {
      RowScan scan(row);
      const int64_t id = scan.Number();
      absl::StatusOr<v1::Record> record = ToRecordOf(after.part, scan);
      if (record.ok()) {
        batch.ids.push_back(id);
        batch.records.push_back(*std::move(record));
      } else {
        batch.refused.push_back({NameOf(after.part), id, std::string(record.status().message())});
      }
      batch.after = {after.part, id};
    }
    return batch;
  }

  absl::StatusOr<v1::Record> ToRecordOf(Part part, RowScan& scan) const {
    switch (part) {
      case Part::kDocuments:
        return ToRecord(ScanXcap(scan));
      case Part::kPublications:
        return ToRecord(ScanPresentity(scan));
      case Part::kDialogs:
        return ToRecord(ScanActiveWatcher(scan), gateway_);
      case Part::kDecisions:
      case Part::kWaiting:
        break;
    }
    return ToRecord(ScanWatcher(scan));
  }

  const TableNames names_;
  const std::string gateway_;
  pqxx::connection connection_;
  std::unique_ptr<pqxx::transaction<pqxx::repeatable_read, pqxx::read_only>> transaction_;
};

}  // namespace

std::string TablePosition::Text() const {
  for (const auto& [named, name] : kPartNames) {
    if (named == part) return absl::StrCat(name, ":", id);
  }
  return "";
}

std::optional<TablePosition> TablePosition::Parse(const std::string& text) {
  const size_t colon = text.find(':');
  if (colon == std::string::npos) return std::nullopt;
  for (const auto& [part, name] : kPartNames) {
    if (text.compare(0, colon, name) != 0) continue;
    TablePosition position{part, 0};
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, position.id);
    if (error != std::errc() || stop != end || position.id < 0) return std::nullopt;
    return position;
  }
  return std::nullopt;
}

absl::StatusOr<std::unique_ptr<KamailioTables>> OpenKamailioTables(const std::string& dsn,
                                                                   TableNames names,
                                                                   std::string gateway) {
  try {
    return std::make_unique<PostgresTables>(dsn, std::move(names), std::move(gateway));
  } catch (const std::exception& error) {
    // What libpq says of a string that it cannot read quotes it, with the password perhaps.
    const std::string_view text = error.what();
    const bool is_of_server = text.find("connection to server") != std::string_view::npos ||
                              text.find("could not translate") != std::string_view::npos;
    if (is_of_server) return StatusOf(error);
    return absl::InvalidArgumentError("the connection string of --db cannot be used");
  }
}

}  // namespace presence::cli
