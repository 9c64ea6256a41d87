#include "presence-core/storage/postgres/columns.h"

#include <cassert>
#include <optional>
#include <string>
#include <string_view>

namespace presence {
namespace {

std::string_view BytesOf(const RequestKey& key) {
  return {reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size()};
}

constexpr size_t Index(Table table) { return static_cast<size_t>(table); }

// Each route is in angle brackets, and a quoted string in it may hold a comma: so a line feed,
// which no header has, keeps them apart.
std::string JoinRoutes(const std::vector<std::string_view>& routes) {
  std::string joined;
  for (const std::string_view route : routes) {
    if (!joined.empty()) joined += '\n';
    joined += route;
  }
  return joined;
}

}  // namespace

class Columns::Row {
 public:
  Row(Batch& batch, const Columns& columns) : batch_(batch), columns_(columns) { ++batch_.rows; }
  ~Row() { assert(next_ == batch_.columns.size()); }
  Row(const Row&) = delete;
  Row& operator=(const Row&) = delete;

  Row& Text(std::string_view text) {
    return Put([&](ArrayWriter& to) { to.AddText(text); });
  }
  Row& Key(const ResourceKey& key) { return Text(key.presentity.text()).Text(key.event.text()); }
  template <typename T>
  Row& Number(T number) {
    return Put([&](ArrayWriter& to) { to.AddNumber(static_cast<int64_t>(number)); });
  }
  template <typename T>
  Row& NumberOrNull(std::optional<T> number) {
    if (number.has_value()) return Number(*number);
    return Null();
  }
  Row& Bool(bool value) {
    return Put([&](ArrayWriter& to) { to.AddBool(value); });
  }
  Row& Time(absl::Time time) {
    return Put([&](ArrayWriter& to) { to.AddTime(time + columns_.database_ahead_); });
  }
  Row& Lifetime(absl::Duration lifetime) { return Number(absl::ToInt64Milliseconds(lifetime)); }
  Row& Bytes(std::string_view bytes) {
    return Put([&](ArrayWriter& to) { to.AddBytes(bytes); });
  }
  Row& Bytes(const RequestKey& key) { return Bytes(BytesOf(key)); }
  Row& TextOrNull(std::optional<std::string_view> text) {
    if (text.has_value()) return Text(*text);
    return Null();
  }
  Row& TextOrNull(const WatcherUri* uri) {
    if (uri != nullptr) return Text(uri->text());
    return Null();
  }

 private:
  Row& Null() {
    return Put([](ArrayWriter& to) { to.AddNull(); });
  }
  template <typename Write>
  Row& Put(Write write) {
    if (batch_.rows == 1) batch_.columns.emplace_back();
    write(batch_.columns.at(next_++));
    return *this;
  }

  Batch& batch_;
  const Columns& columns_;
  size_t next_ = 0;
};

Columns::Columns(const std::vector<RowChanges>& batch, absl::Duration database_ahead,
                 bool is_logged)
    : database_ahead_(database_ahead) {
  for (const RowChanges& changes : batch) {
    if (is_logged) Log(changes);
    Batch& to = changes.is_claim ? claims_ : put_[Index(Table::kResource)];
    if (changes.resource.has_value()) Add(changes.key, *changes.resource, to);
    for (const auto& [id, row] : changes.publications) Add(changes.key, id, row.get());
    for (const auto& [id, row] : changes.subscriptions) Add(changes.key, id, row.get());
    for (const auto& [watcher, row] : changes.watchers) Add(changes.key, watcher, row.get());
    for (const auto& [request, row] : changes.answers) Add(changes.key, request, row.get());
    for (const auto& [name, row] : changes.documents) Add(changes.key, name, row.get());
  }
}

std::vector<std::string> Columns::TakePut(Table table) { return Take(put_[Index(table)]); }

std::vector<std::string> Columns::TakeErase(Table table) { return Take(erase_[Index(table)]); }

std::vector<std::string> Columns::TakeLog() { return Take(log_); }

std::vector<std::string> Columns::Take(Batch& batch) {
  std::vector<std::string> arrays;
  for (ArrayWriter& column : batch.columns) arrays.push_back(column.Take());
  return arrays;
}

// An answer that is kept for a repeated request is no change of anything.
void Columns::Log(const RowChanges& changes) {
  std::optional<Revision> revision;
  if (changes.resource.has_value()) revision = changes.resource->revision;
  const auto add = [&](Table table, std::string_view subject, bool is_removed,
                       std::optional<std::string_view> etag, std::optional<int> state) {
    Row row(log_, *this);
    row.Key(changes.key).Text(TableName(table)).Text(subject).Bool(is_removed);
    row.TextOrNull(etag).NumberOrNull(state);
    row.NumberOrNull(revision.has_value() ? std::optional(revision->epoch) : std::nullopt);
    row.NumberOrNull(revision.has_value() ? std::optional(revision->seq) : std::nullopt);
  };
  for (const auto& [id, row] : changes.publications) {
    const bool is_removed = row == nullptr;
    add(Table::kPublication, std::to_string(id), is_removed,
        is_removed ? std::nullopt : std::optional<std::string_view>(row->etag.text()),
        std::nullopt);
  }
  for (const auto& [id, row] : changes.subscriptions) {
    add(Table::kSubscription, id.text(), row == nullptr, std::nullopt,
        row == nullptr ? std::nullopt : std::optional(static_cast<int>(row->state)));
  }
  for (const auto& [watcher, row] : changes.watchers) {
    add(Table::kDecision, watcher.text(), row == nullptr, std::nullopt,
        row == nullptr ? std::nullopt : std::optional(static_cast<int>(row->decision)));
  }
  for (const auto& [name, row] : changes.documents) {
    const bool is_removed = row == nullptr;
    add(Table::kDocument, name.name, is_removed,
        is_removed ? std::nullopt : std::optional<std::string_view>(row->etag.text()),
        std::nullopt);
  }
}

void Columns::Add(const ResourceKey& key, const ResourceRow& row, Batch& to) {
  Row(to, *this)
      .Key(key)
      .Number(row.revision.epoch)
      .Number(row.revision.seq)
      .Number(row.next_ordinal)
      .Number(row.last_cause)
      .Text(row.last_sender)
      .NumberOrNull(row.settled_seq)
      .Number(row.version);
}

void Columns::Add(const ResourceKey& key, PublicationId id, const Publication* row) {
  if (row == nullptr) {
    Row(erase_[Index(Table::kPublication)], *this).Key(key).Number(id);
    return;
  }
  Row(put_[Index(Table::kPublication)], *this)
      .Key(key)
      .Number(id)
      .Text(row->etag.text())
      .Text(row->document.content_type())
      .Bytes(row->document.body())
      .Time(row->expires_at)
      .Time(row->received_at)
      .Number(row->priority)
      .Text(row->sender)
      .Bytes(row->first_request)
      .Bytes(row->last_request)
      .Bytes(row->origin)
      .Lifetime(row->granted)
      .Bool(row->is_answer_delivered);
}

void Columns::Add(const ResourceKey& key, const LocalTag& id, const Subscription* row) {
  if (row == nullptr) {
    Row(erase_[Index(Table::kSubscription)], *this).Text(id.text());
    return;
  }
  const Dialog& dialog = row->dialog;
  Row(put_[Index(Table::kSubscription)], *this)
      .Key(key)
      .Text(id.text())
      .Number(row->ordinal)
      .Bool(row->event.is_winfo())
      .Text(row->event_id)
      .Text(row->watcher.text())
      .TextOrNull(row->alias.get())
      .Number(row->state)
      .Number(row->reason)
      .Time(row->expires_at)
      .Time(row->created_at)
      .Text(dialog.call_id())
      .Text(dialog.remote_tag())
      .Text(dialog.local_uri())
      .Text(dialog.remote_uri())
      .Text(dialog.remote_target())
      .Text(JoinRoutes(dialog.route_set()))
      .Text(dialog.gateway())
      .Text(dialog.flow())
      .Text(dialog.flow_gateway())
      .Text(dialog.local_contact())
      .Text(dialog.user_agent())
      .Text(dialog.adopted_tag())
      .Number(row->remote_cseq)
      .Number(row->cseq_limit)
      .Bool(row->is_authorized)
      .Bool(row->was_approved)
      .Bytes(row->last_request)
      .Lifetime(row->granted);
}

void Columns::Add(const ResourceKey& key, const WatcherUri& watcher, const WatcherRecord* row) {
  if (row == nullptr) {
    Row(erase_[Index(Table::kDecision)], *this).Key(key).Text(watcher.text());
    return;
  }
  Row(put_[Index(Table::kDecision)], *this)
      .Key(key)
      .Text(watcher.text())
      .Number(row->decision)
      .Time(row->waits_until)
      .Number(row->ordinal);
}

void Columns::Add(const ResourceKey& key, const RequestKey& request, const AnswerRecord* row) {
  if (row == nullptr) {
    Row(erase_[Index(Table::kTombstone)], *this).Key(key).Bytes(request);
    return;
  }
  Row(put_[Index(Table::kTombstone)], *this)
      .Key(key)
      .Bytes(request)
      .Bytes(row->content)
      .Text(row->etag.text())
      .Lifetime(row->granted)
      .Time(row->kept_until);
}

void Columns::Add(const ResourceKey& key, const DocumentName& name, const StoredDocument* row) {
  if (row == nullptr) {
    Row(erase_[Index(Table::kDocument)], *this).Key(key).Number(name.kind).Text(name.name);
    return;
  }
  Row(put_[Index(Table::kDocument)], *this)
      .Key(key)
      .Number(name.kind)
      .Text(name.name)
      .Text(row->etag.text())
      .Text(row->document.content_type())
      .Bytes(row->document.body())
      .Text(row->file_uri)
      .Time(row->created_at)
      .Time(row->updated_at);
}

}  // namespace presence
