#include "cli/commands/migrate_tables.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include <grpcpp/client_context.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace presence::cli {
namespace {

constexpr size_t kRowsPerRead = 500;
// A core takes messages of 256 KiB (presence-core/rpc/listener.cc).
constexpr size_t kBytesPerCall = 128 * 1024;
constexpr size_t kLongestRecord = 240 * 1024;
constexpr size_t kRefusalsInFull = 1000;
constexpr int kTries = 30;
constexpr absl::Duration kPause = absl::Seconds(1);
constexpr int kBarWidth = 30;

// "dialogs  [#####     ]  4,500 of 9,000", written over itself.
class Progress {
 public:
  explicit Progress(Session& session) : environment_(session.environment()) {
    is_shown_ = session.wants_table() && environment_.terminal.columns.has_value();
  }
  ~Progress() {
    if (is_begun_) environment_.err << "\r\033[K" << std::flush;
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Show(Part part, uint64_t done, int64_t total) {
    if (!is_shown_) return;
    is_begun_ = true;
    const uint64_t of =
        std::max<uint64_t>(static_cast<uint64_t>(total), std::max<uint64_t>(done, 1));
    const auto filled = static_cast<size_t>(kBarWidth * done / of);
    environment_.err << "\r\033[K" << WordFor(part) << " [" << std::string(filled, '#')
                     << std::string(kBarWidth - filled, ' ') << "] " << done << " of " << of
                     << std::flush;
  }

 private:
  Environment& environment_;
  bool is_shown_ = false;
  bool is_begun_ = false;
};

// One call with one message.
grpc::Status Send(const TableBatch& batch, const TablesOptions& options, Session& session,
                  v1::ImportResponse& response) {
  v1::ImportRequest request;
  request.mutable_options()->set_dry_run(options.dry_run);
  request.mutable_options()->set_notify(options.notify);
  for (const v1::Record& record : batch.records) *request.add_records() = record;
  request.set_checkpoint(batch.after.Text());
  grpc::ClientContext context;
  session.SetDeadline(context);
  const std::stop_callback cancel(session.environment().interrupted,
                                  [&context] { context.TryCancel(); });
  const auto stream = session.admin().Import(&context);
  const bool is_answered = stream->Write(request) && stream->Read(&response);
  stream->WritesDone();
  grpc::Status status = stream->Finish();
  if (!is_answered && status.ok()) {
    return {grpc::StatusCode::UNAVAILABLE, "the server ended the import without an answer"};
  }
  return status;
}

grpc::Status SendUntilTaken(const TableBatch& batch, const TablesOptions& options, Session& session,
                            int tries, v1::ImportResponse& response) {
  grpc::Status status;
  for (int i = 0; i < tries; ++i) {
    if (i > 0) session.environment().pause(kPause);
    if (session.environment().interrupted.stop_requested()) return grpc::Status::CANCELLED;
    response.Clear();
    status = Send(batch, options, session, response);
    if (status.ok() || !Explain(status, session.About()).passes) break;
  }
  return status;
}

void AddRefusal(TablesOutcome& outcome, RefusedRow row) {
  if (outcome.refused.size() < kRefusalsInFull) outcome.refused.push_back(std::move(row));
}

void AddRefusals(const TableBatch& batch, const v1::ImportResponse& response,
                 TablesOutcome& outcome) {
  PartOutcome& part = outcome.parts[Index(batch.part)];
  part.read += batch.records.size() + batch.refused.size();
  part.refused += batch.refused.size() + response.refused();
  part.imported += response.imported();
  part.before += response.imported_before();
  part.skipped += response.skipped();
  for (const RefusedRow& row : batch.refused) AddRefusal(outcome, row);
  for (const v1::ImportRefusal& refusal : response.refusals()) {
    if (refusal.position() >= batch.ids.size()) continue;
    AddRefusal(outcome, {outcome.names[Index(batch.part)], batch.ids[refusal.position()],
                         absl::StrCat(refusal.reason(), ": ", refusal.message())});
  }
}

// A batch as messages of a size that a server takes, each with the rows up to its last. A record
// that fills more than one is refused, so that it does not hold up those after it.
std::vector<TableBatch> ToMessages(TableBatch batch, const std::string& table) {
  std::vector<TableBatch> messages(1);
  size_t bytes = 0;
  for (size_t i = 0; i < batch.records.size(); ++i) {
    const size_t size = batch.records[i].ByteSizeLong();
    if (size > kLongestRecord) {
      batch.refused.push_back({table, batch.ids[i],
                               absl::StrCat("the row makes a record of ", size,
                                            " bytes; a server takes ", kLongestRecord)});
      continue;
    }
    if (bytes + size > kBytesPerCall && !messages.back().records.empty()) {
      messages.emplace_back();
      bytes = 0;
    }
    bytes += size;
    messages.back().after = {batch.part, batch.ids[i]};
    messages.back().ids.push_back(batch.ids[i]);
    messages.back().records.push_back(std::move(batch.records[i]));
  }
  messages.back().after = batch.after;
  for (RefusedRow& row : batch.refused) {
    const auto with = std::find_if(messages.begin(), messages.end(),
                                   [&](const TableBatch& m) { return row.id <= m.after.id; });
    with->refused.push_back(std::move(row));
  }
  for (TableBatch& message : messages) message.part = batch.part;
  return messages;
}

ExitCode FailOfDatabase(Session& session, const absl::Status& status) {
  return session.Fail(ExitCode::kUnreachable,
                      absl::StrCat("Kamailio's database: ", status.message()),
                      "--db with what psql takes; passwords belong in ~/.pgpass or PGPASSWORD");
}

// Takes the tables over, message by message.
class TablesImport {
 public:
  TablesImport(KamailioTables& tables, const TablesOptions& options, Session& session,
               TablesOutcome& outcome)
      : tables_(tables), options_(options), session_(session), outcome_(outcome) {}

  ExitCode Run() {
    if (absl::Status status = Count(); !status.ok()) return FailOfDatabase(session_, status);
    if (!has_tables()) {
      return session_.Fail(
          ExitCode::kNotFoundOrFalse,
          absl::StrCat("the database of --db has none of Kamailio's tables: ",
                       absl::StrJoin(std::set(outcome_.names.begin(), outcome_.names.end()), ", ")),
          "--db with the database that db_url in the script names");
    }
    outcome_.is_begun = true;
    progress_.emplace(session_);
    while (!is_interrupted()) {
      auto batch = tables_.Read(position_, kRowsPerRead);
      if (!batch.ok()) {
        EndProgress();
        return FailOfDatabase(session_, batch.status());
      }
      if (!batch->has_value()) {
        outcome_.is_complete = true;
        return ExitCode::kOk;
      }
      const Part part = (*batch)->part;
      for (const TableBatch& message : ToMessages(*std::move(*batch), tables_.NameOf(part))) {
        if (is_interrupted()) break;
        if (const grpc::Status status = Take(message); !status.ok()) return Fail(status);
      }
    }
    return Fail(grpc::Status::CANCELLED);
  }

 private:
  bool is_interrupted() const { return session_.environment().interrupted.stop_requested(); }
  bool is_at_begin() const {
    return position_.id == options_.from.id && position_.part == options_.from.part;
  }

  bool has_tables() const {
    return std::any_of(outcome_.parts.begin(), outcome_.parts.end(),
                       [](const PartOutcome& part) { return part.is_there; });
  }

  absl::Status Count() {
    for (const Part part : kParts) {
      outcome_.names[Index(part)] = tables_.NameOf(part);
      const auto count = tables_.Count(part);
      if (!count.ok()) return count.status();
      outcome_.parts[Index(part)].is_there = count->has_value();
      totals_[Index(part)] = count->value_or(0);
    }
    auto xcap = tables_.CountXcap();
    if (!xcap.ok()) return xcap.status();
    outcome_.xcap = *std::move(xcap);
    return absl::OkStatus();
  }

  grpc::Status Take(const TableBatch& message) {
    v1::ImportResponse response;
    if (outcome_.was_checked_by_server && !message.records.empty()) {
      // A server that was never there is no hiccup.
      const int tries = is_at_begin() ? 1 : kTries;
      grpc::Status status = SendUntilTaken(message, options_, session_, tries, response);
      const bool is_away = status.error_code() == grpc::StatusCode::UNAVAILABLE;
      if (!status.ok() && !(options_.dry_run && is_away)) return status;
      if (!status.ok()) outcome_.was_checked_by_server = false;
    }
    AddRefusals(message, response, outcome_);
    position_ = message.after;
    progress_->Show(position_.part, outcome_.parts[Index(position_.part)].read,
                    totals_[Index(position_.part)]);
    return grpc::Status::OK;
  }

  void EndProgress() {
    progress_.reset();
    if (options_.dry_run) return;
    if (is_at_begin()) {
      session_.Note("nothing is imported yet");
    } else {
      session_.Note(
          absl::StrCat("all before is imported; go on with --checkpoint ", position_.Text()));
    }
  }

  ExitCode Fail(const grpc::Status& status) {
    EndProgress();
    Subject about = session_.About();
    about.repeat = "the same again: nothing is imported twice";
    return session_.Fail(status, about);
  }

  KamailioTables& tables_;
  const TablesOptions& options_;
  Session& session_;
  TablesOutcome& outcome_;
  std::array<int64_t, std::size(kParts)> totals_{};
  std::optional<Progress> progress_;
  TablePosition position_ = options_.from;
};

}  // namespace

uint64_t TablesOutcome::refused_rows() const {
  uint64_t sum = 0;
  for (const PartOutcome& part : parts) sum += part.refused;
  return sum;
}

ExitCode ImportTables(KamailioTables& tables, const TablesOptions& options, Session& session,
                      TablesOutcome& outcome) {
  return TablesImport(tables, options, session, outcome).Run();
}

}  // namespace presence::cli
