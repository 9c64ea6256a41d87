#include "presence-core/rpc/export_stream.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "presence-core/model/error.h"
#include "presence-core/rpc/page_token.h"
#include "presence-core/rpc/records.h"
#include "presence-core/rpc/status_map.h"

namespace presence {
namespace {

constexpr size_t kRecordsPerPage = 256;

// What is written, in this order: decisions before the subscriptions they decide about, and what
// lies beneath before what is published.
constexpr v1::RecordKind kOrder[] = {v1::RECORD_KIND_WATCHER, v1::RECORD_KIND_RULES,
                                     v1::RECORD_KIND_PUBLICATION, v1::RECORD_KIND_SUBSCRIPTION};

class ExportStream final : public grpc::ServerWriteReactor<v1::ExportResponse> {
 public:
  ExportStream(const Engine& engine, const Clock& clock, IsOwner is_owner,
               const v1::ExportRequest& request)
      : engine_(engine),
        records_(engine, clock),
        is_owner_(std::move(is_owner)),
        domain_(request.domain()) {
    if (absl::Status status = Begin(request); !status.ok()) {
      Finish(ToGrpc(status));
      return;
    }
    Next();
  }

  void OnWriteDone(bool ok) override {
    if (ok) {
      Next();
    } else {
      Finish(grpc::Status::CANCELLED);
    }
  }
  void OnDone() override { delete this; }

 private:
  absl::Status Begin(const v1::ExportRequest& request) {
    for (const int kind : request.kinds()) {
      if (std::find(std::begin(kOrder), std::end(kOrder), kind) == std::end(kOrder)) {
        return InvalidField("kinds", "this server does not know the kind");
      }
    }
    for (const v1::RecordKind kind : kOrder) {
      const bool is_wanted =
          request.kinds().empty() ||
          std::find(request.kinds().begin(), request.kinds().end(), kind) != request.kinds().end();
      if (is_wanted) kinds_.push_back(kind);
    }
    return request.checkpoint().empty() ? absl::OkStatus() : GoOnFrom(request.checkpoint());
  }

  // "KIND.TOKEN": in the list of that kind, after the row that the token names.
  absl::Status GoOnFrom(const std::string& checkpoint) {
    const size_t dot = checkpoint.find('.');
    int kind = 0;
    const char* end = checkpoint.data() + std::min(dot, checkpoint.size());
    const auto [stop, error] = std::from_chars(checkpoint.data(), end, kind);
    const auto place = std::find(kinds_.begin(), kinds_.end(), kind);
    if (dot == std::string::npos || error != std::errc() || stop != end || place == kinds_.end()) {
      return BadToken("checkpoint");
    }
    kinds_.erase(kinds_.begin(), place);
    auto after = FromPageToken(checkpoint.substr(dot + 1), Filter());
    if (!after.ok()) return BadToken("checkpoint");
    after_ = *std::move(after);
    return absl::OkStatus();
  }

  std::string Filter() const { return "export\n" + domain_; }

  // Writes the next page, or ends.
  void Next() {
    if (absl::Status status = CheckOwner(is_owner_); !status.ok()) {
      Finish(ToGrpc(status));
      return;
    }
    page_.Clear();
    while (!kinds_.empty() && page_.records().empty()) {
      const v1::RecordKind kind = kinds_.front();
      std::optional<Cursor> next = Fill(kind);
      if (!next.has_value()) kinds_.erase(kinds_.begin());
      after_ = std::move(next);
    }
    if (page_.records().empty()) {
      Finish(grpc::Status::OK);
      return;
    }
    // After the last record nothing is left of its kind: a list that goes on there is empty.
    const int kind = kinds_.empty() ? last_kind_ : kinds_.front();
    const std::string token = ToPageToken(kinds_.empty() ? last_ : after_, Filter());
    page_.set_checkpoint(std::to_string(kind) + "." + token);
    const EngineCounters counters = engine_.counters();
    page_.set_total_estimate(counters.publications_now + counters.subscriptions_now);
    StartWrite(&page_);
  }

  // Adds a page of records of this kind; returns where to go on.
  std::optional<Cursor> Fill(v1::RecordKind kind) {
    last_kind_ = kind;
    switch (kind) {
      case v1::RECORD_KIND_WATCHER: {
        const auto page = engine_.ListWatcherRecords({domain_, kRecordsPerPage, after_});
        for (const WatcherRecordView& view : page.rows) {
          *page_.add_records() = records_.ToRecord(view);
          last_ = Cursor{view.key, 0, view.record->watcher.text()};
        }
        return page.next;
      }
      case v1::RECORD_KIND_RULES: {
        DocumentFilter filter;
        filter.domain = domain_;
        filter.limit = kRecordsPerPage;
        filter.after = after_;
        const auto page = engine_.ListDocuments(filter);
        for (const DocumentView& view : page.rows) {
          *page_.add_records() = records_.ToRecord(view);
          const DocumentName& name = view.document->name;
          // Hard state is of the resource "presence".
          last_ = Cursor{{view.owner, *EventName::Parse("presence")},
                         static_cast<uint64_t>(name.kind),
                         name.name};
        }
        return page.next;
      }
      case v1::RECORD_KIND_PUBLICATION: {
        PublicationFilter filter;
        filter.domain = domain_;
        filter.limit = kRecordsPerPage;
        filter.after = after_;
        const auto page = engine_.ListPublications(filter);
        for (const PublicationView& view : page.rows) {
          *page_.add_records() = records_.ToRecord(view);
          last_ = Cursor{view.key, view.publication->id, ""};
        }
        return page.next;
      }
      default: {
        SubscriptionFilter filter;
        filter.domain = domain_;
        filter.limit = kRecordsPerPage;
        filter.after = after_;
        const auto page = engine_.ListSubscriptions(filter);
        for (const SubscriptionView& view : page.rows) {
          last_ = Cursor{view.key, view.subscription->ordinal, ""};
          if (view.subscription->is_native() || view.subscription->is_transient) continue;
          *page_.add_records() = records_.ToRecord(view);
        }
        return page.next;
      }
    }
  }

  const Engine& engine_;
  const Records records_;
  const IsOwner is_owner_;
  const std::string domain_;
  std::vector<v1::RecordKind> kinds_;  // still to write, the present one first
  std::optional<Cursor> after_;        // in the present one
  int last_kind_ = 0;
  std::optional<Cursor> last_;  // the last record written
  v1::ExportResponse page_;
};

}  // namespace

grpc::ServerWriteReactor<v1::ExportResponse>* NewExportStream(const Engine& engine,
                                                              const Clock& clock, IsOwner is_owner,
                                                              const v1::ExportRequest& request) {
  return new ExportStream(engine, clock, std::move(is_owner), request);
}

}  // namespace presence
