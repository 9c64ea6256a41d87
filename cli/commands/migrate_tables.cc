#include "cli/commands/migrate_tables.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <grpcpp/client_context.h>

#include "absl/strings/str_cat.h"

namespace presence::cli {
namespace {

constexpr size_t kRowsPerCall = 500;
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
  const grpc::Status status = stream->Finish();
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
    if (session.environment().interrupted.stop_requested()) break;
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
  part.skipped += response.skipped();
  for (const RefusedRow& row : batch.refused) AddRefusal(outcome, row);
  for (const v1::ImportRefusal& refusal : response.refusals()) {
    if (refusal.position() >= batch.ids.size()) continue;
    AddRefusal(outcome, {outcome.names[Index(batch.part)], batch.ids[refusal.position()],
                         absl::StrCat(refusal.reason(), ": ", refusal.message())});
  }
}

ExitCode FailOfDatabase(Session& session, const absl::Status& status) {
  return session.Fail(ExitCode::kUnreachable,
                      absl::StrCat("Kamailio's database: ", status.message()),
                      "--db with what psql takes; passwords belong in ~/.pgpass or PGPASSWORD");
}

}  // namespace

uint64_t TablesOutcome::refused_rows() const {
  uint64_t sum = 0;
  for (const PartOutcome& part : parts) sum += part.refused;
  return sum;
}

ExitCode ImportTables(KamailioTables& tables, const TablesOptions& options, Session& session,
                      TablesOutcome& outcome) {
  std::array<int64_t, std::size(kParts)> totals{};
  for (const Part part : kParts) {
    outcome.names[Index(part)] = tables.NameOf(part);
    const auto count = tables.Count(part);
    if (!count.ok()) return FailOfDatabase(session, count.status());
    outcome.parts[Index(part)].is_there = count->has_value();
    totals[Index(part)] = count->value_or(0);
  }
  auto xcap = tables.CountXcap();
  if (!xcap.ok()) return FailOfDatabase(session, xcap.status());
  outcome.xcap = *std::move(xcap);

  std::optional<Progress> progress(std::in_place, session);
  TablePosition position = options.from;
  for (;;) {
    auto batch = tables.Read(position, kRowsPerCall);
    if (!batch.ok()) {
      progress.reset();
      return FailOfDatabase(session, batch.status());
    }
    if (!batch->has_value()) return ExitCode::kOk;
    v1::ImportResponse response;
    if (outcome.was_checked_by_server && !(*batch)->records.empty()) {
      // A server that was never there is no hiccup.
      const int tries =
          position.id == options.from.id && position.part == options.from.part ? 1 : kTries;
      const grpc::Status status = SendUntilTaken(**batch, options, session, tries, response);
      if (!status.ok() && options.dry_run && status.error_code() == grpc::StatusCode::UNAVAILABLE) {
        outcome.was_checked_by_server = false;
      } else if (!status.ok()) {
        progress.reset();
        if (position.id > 0) {
          session.Note(
              absl::StrCat("all before is imported; go on with --checkpoint ", position.Text()));
        }
        Subject about = session.About();
        about.repeat = "the same again: what is there already is skipped";
        return session.Fail(status, about);
      }
    }
    AddRefusals(**batch, response, outcome);
    position = (*batch)->after;
    progress->Show(position.part, outcome.parts[Index(position.part)].read,
                   totals[Index(position.part)]);
  }
}

}  // namespace presence::cli
