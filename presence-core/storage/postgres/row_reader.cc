#include "presence-core/storage/postgres/row_reader.h"

#include <fmt/format.h>

#include <charconv>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "presence-core/storage/postgres/statements.h"

namespace presence {
namespace {

std::string_view TextOf(const pqxx::field& field) { return {field.c_str(), field.size()}; }

[[noreturn]] void Refuse(const pqxx::row& row, std::string_view what) {
  throw std::runtime_error(fmt::format("a row of {} has an unknown {}", TextOf(row[0]), what));
}

// Reads one row left to right, after its key.
class RowScan {
 public:
  RowScan(const pqxx::row& row, absl::Duration database_ahead)
      : row_(row), database_ahead_(database_ahead) {}

  std::string Text() { return std::string(TextOf(Next())); }
  template <typename T>
  T Number() {
    const std::string_view text = TextOf(Next());
    T number{};
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    // extract() writes a fraction that is always zero.
    const bool is_whole = stop == text.data() + text.size() || *stop == '.';
    if (error != std::errc() || !is_whole) Refuse(row_, "number");
    return number;
  }
  template <typename T>
  std::optional<T> NumberOrNull() {
    if (!row_[next_].is_null()) return Number<T>();
    ++next_;
    return std::nullopt;
  }
  template <typename Enum>
  Enum Choice() {
    return static_cast<Enum>(Number<int>());
  }
  bool Bool() { return TextOf(Next()) == "t"; }
  absl::Time Time() {
    const std::string_view text = TextOf(row_[next_]);
    if (text == "Infinity" || text == "-Infinity") {
      ++next_;
      return text[0] == '-' ? absl::InfinitePast() : absl::InfiniteFuture();
    }
    return absl::FromUnixMicros(Number<int64_t>()) - database_ahead_;
  }
  absl::Duration Lifetime() { return absl::Milliseconds(Number<int64_t>()); }
  std::string Bytes() {
    const pqxx::binarystring bytes(Next());
    return {bytes.get(), bytes.size()};
  }
  RequestKey Key() {
    const std::string bytes = Bytes();
    RequestKey key;
    if (bytes.size() != key.bytes.size()) Refuse(row_, "request key");
    std::copy(bytes.begin(), bytes.end(), key.bytes.begin());
    return key;
  }
  WatcherUri Watcher() {
    auto watcher = WatcherUri::FromText(TextOf(Next()));
    if (!watcher.has_value()) Refuse(row_, "watcher");
    return *std::move(watcher);
  }
  std::shared_ptr<const WatcherUri> WatcherOrNull() {
    if (!row_[next_].is_null()) return std::make_shared<const WatcherUri>(Watcher());
    ++next_;
    return nullptr;
  }
  LocalTag Tag() {
    const auto tag = LocalTag::Parse(TextOf(Next()));
    if (!tag.has_value()) Refuse(row_, "tag");
    return *tag;
  }
  std::vector<std::string> Routes() {
    std::vector<std::string> routes;
    std::string_view rest = TextOf(Next());
    while (!rest.empty()) {
      const size_t end = std::min(rest.find('\n'), rest.size());
      routes.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return routes;
  }

 private:
  pqxx::field Next() { return row_[next_++]; }

  const pqxx::row& row_;
  const absl::Duration database_ahead_;
  pqxx::row::size_type next_ = 2;
};

ResourceRow ScanResource(RowScan scan) {
  ResourceRow row;
  row.revision.epoch = scan.Number<uint64_t>();
  row.revision.seq = scan.Number<uint64_t>();
  row.next_ordinal = scan.Number<uint64_t>();
  row.last_cause = scan.Choice<NotifyCause>();
  row.last_sender = scan.Text();
  row.settled_seq = scan.NumberOrNull<uint64_t>();
  row.version = scan.Number<uint64_t>();
  return row;
}

PublicationPtr ScanPublication(RowScan scan) {
  auto row = std::make_shared<Publication>();
  row->id = scan.Number<uint64_t>();
  row->etag = Etag(scan.Text());
  std::string content_type = scan.Text();
  row->document = Document(std::move(content_type), scan.Bytes());
  row->expires_at = scan.Time();
  row->received_at = scan.Time();
  row->priority = scan.Number<int32_t>();
  row->sender = scan.Text();
  row->first_request = scan.Key();
  row->last_request = scan.Key();
  row->origin = scan.Key();
  row->granted = scan.Lifetime();
  row->is_answer_delivered = scan.Bool();
  return row;
}

SubscriptionPtr ScanSubscription(RowScan scan, const EventName& base) {
  auto row = std::make_shared<Subscription>();
  row->id = scan.Tag();
  row->ordinal = scan.Number<uint64_t>();
  row->event = scan.Bool() ? base.winfo() : base;
  row->event_id = scan.Text();
  row->watcher = scan.Watcher();
  row->alias = scan.WatcherOrNull();
  row->state = scan.Choice<SubscriptionState>();
  row->reason = scan.Choice<TerminationReason>();
  row->expires_at = scan.Time();
  row->created_at = scan.Time();
  DialogParts dialog;
  dialog.call_id = scan.Text();
  dialog.remote_tag = scan.Text();
  dialog.local_uri = scan.Text();
  dialog.remote_uri = scan.Text();
  dialog.remote_target = scan.Text();
  dialog.route_set = scan.Routes();
  dialog.gateway = scan.Text();
  dialog.flow = scan.Text();
  dialog.flow_gateway = scan.Text();
  dialog.local_contact = scan.Text();
  dialog.user_agent = scan.Text();
  dialog.adopted_tag = scan.Text();
  row->dialog = Dialog(dialog);
  row->remote_cseq = scan.Number<uint32_t>();
  row->cseq_limit = scan.Number<uint32_t>();
  row->is_authorized = scan.Bool();
  row->was_approved = scan.Bool();
  row->last_request = scan.Key();
  row->granted = scan.Lifetime();
  return row;
}

WatcherRecordPtr ScanDecision(RowScan scan) {
  auto row = std::make_shared<WatcherRecord>();
  row->watcher = scan.Watcher();
  row->decision = scan.Choice<WatcherDecision>();
  row->waits_until = scan.Time();
  row->ordinal = scan.Number<uint64_t>();
  return row;
}

AnswerRecordPtr ScanTombstone(RowScan scan) {
  auto row = std::make_shared<AnswerRecord>();
  row->key = scan.Key();
  row->content = scan.Key();
  row->etag = Etag(scan.Text());
  row->granted = scan.Lifetime();
  row->kept_until = scan.Time();
  return row;
}

StoredDocumentPtr ScanDocument(RowScan scan) {
  auto row = std::make_shared<StoredDocument>();
  row->name.kind = scan.Choice<DocumentKind>();
  row->name.name = scan.Text();
  row->etag = Etag(scan.Text());
  std::string content_type = scan.Text();
  row->document = Document(std::move(content_type), scan.Bytes());
  row->file_uri = scan.Text();
  row->created_at = scan.Time();
  row->updated_at = scan.Time();
  return row;
}

void Take(Table table, const RowScan& scan, ResourceRows& rows) {
  switch (table) {
    case Table::kResource:
      rows.resource = ScanResource(scan);
      break;
    case Table::kPublication:
      rows.publications.push_back(ScanPublication(scan));
      break;
    case Table::kSubscription:
      rows.subscriptions.push_back(ScanSubscription(scan, rows.key.event));
      break;
    case Table::kDecision:
      rows.watchers.push_back(ScanDecision(scan));
      break;
    case Table::kTombstone:
      rows.answers.push_back(ScanTombstone(scan));
      break;
    case Table::kDocument:
      rows.documents.push_back(ScanDocument(scan));
      break;
  }
}

// The rows of one table of a shard, in the order of resources.
class TableCursor {
 public:
  TableCursor(pqxx::transaction_base& transaction, StallGuard& guard, Table table, uint32_t shard,
              size_t batch_rows)
      : transaction_(transaction),
        guard_(guard),
        table_(table),
        fetch_(fmt::format("FETCH {} FROM load_{}", batch_rows, static_cast<int>(table))) {
    const StallGuard::Call call(guard_, transaction_.conn());
    transaction.exec0(fmt::format("DECLARE load_{} NO SCROLL CURSOR FOR {}",
                                  static_cast<int>(table),
                                  fmt::format(fmt::runtime(StatementsOf(table).of_shard), shard)));
    Fetch();
  }

  Table table() const { return table_; }
  bool is_at_end() const { return rows_.empty(); }
  // Not at the end.
  pqxx::row row() const { return rows_[at_]; }
  std::pair<std::string_view, std::string_view> key() const {
    return {TextOf(rows_[at_][0]), TextOf(rows_[at_][1])};
  }
  void Step() {
    if (++at_ == rows_.size()) Fetch();
  }

 private:
  void Fetch() {
    const StallGuard::Call call(guard_, transaction_.conn());
    rows_ = transaction_.exec(fetch_);
    at_ = 0;
  }

  pqxx::transaction_base& transaction_;
  StallGuard& guard_;
  const Table table_;
  const std::string fetch_;
  pqxx::result rows_;
  pqxx::result::size_type at_ = 0;
};

}  // namespace

ResourceKey KeyOf(const pqxx::row& row) {
  auto presentity = PresentityUri::FromText(TextOf(row[0]));
  if (!presentity.has_value()) Refuse(row, "presentity");
  auto event = EventName::Parse(TextOf(row[1]));
  if (!event.ok()) Refuse(row, "event package");
  return {*std::move(presentity), *std::move(event)};
}

std::optional<ResourceRows> ReadResource(pqxx::transaction_base& transaction, uint32_t shard,
                                         const ResourceKey& key, absl::Duration database_ahead,
                                         std::optional<uint64_t> known) {
  ResourceRows rows;
  rows.key = key;
  bool is_there = false;
  for (const Table table : kTables) {
    const pqxx::result found = transaction.exec_prepared(StatementsOf(table).read.name, shard,
                                                         key.presentity.text(), key.event.text());
    for (const pqxx::row& row : found) Take(table, RowScan(row, database_ahead), rows);
    is_there = is_there || !found.empty();
    if (table == Table::kResource && is_there && rows.resource.version == known) break;
  }
  if (!is_there) return std::nullopt;
  return rows;
}

void ReadShard(pqxx::transaction_base& transaction, StallGuard& guard, uint32_t shard,
               size_t batch_rows, absl::Duration database_ahead,
               absl::FunctionRef<void(ResourceRows)> visit) {
  std::vector<TableCursor> cursors;
  for (const Table table : kTables) {
    cursors.emplace_back(transaction, guard, table, shard, batch_rows);
  }
  while (true) {
    const TableCursor* first = nullptr;
    for (const TableCursor& cursor : cursors) {
      if (!cursor.is_at_end() && (first == nullptr || cursor.key() < first->key())) {
        first = &cursor;
      }
    }
    if (first == nullptr) break;
    ResourceRows rows;
    rows.key = KeyOf(first->row());
    const auto is_of_resource = [&](const TableCursor& cursor) {
      return !cursor.is_at_end() &&
             cursor.key() == std::pair<std::string_view, std::string_view>(
                                 rows.key.presentity.text(), rows.key.event.text());
    };
    for (TableCursor& cursor : cursors) {
      for (; is_of_resource(cursor); cursor.Step()) {
        Take(cursor.table(), RowScan(cursor.row(), database_ahead), rows);
      }
    }
    visit(std::move(rows));
  }
  const StallGuard::Call call(guard, transaction.conn());
  for (const Table table : kTables) {
    transaction.exec0(fmt::format("CLOSE load_{}", static_cast<int>(table)));
  }
}

}  // namespace presence
