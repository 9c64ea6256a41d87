#include "presence-core/rpc/import_stream.h"

#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "presence-core/model/error.h"
#include "presence-core/rpc/records.h"
#include "presence-core/rpc/status_map.h"

namespace presence {
namespace {

constexpr int kRefusalsInFull = 100;
constexpr size_t kLongestCheckpoint = 256;

// Nothing is wrong with the record: the same one may be taken later, and so may all after it.
bool IsOfTheServer(const absl::Status& status) {
  switch (ReasonOf(status)) {
    case ErrorReason::kOverloaded:
    case ErrorReason::kStorageUnavailable:
    case ErrorReason::kDraining:
    case ErrorReason::kInternal:
      return true;
    default:
      return false;
  }
}

class ImportStream final : public grpc::ServerBidiReactor<v1::ImportRequest, v1::ImportResponse> {
 public:
  ImportStream(Engine& engine, const Clock& clock) : engine_(engine), records_(engine, clock) {
    StartRead(&request_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      Finish(grpc::Status::OK);
      return;
    }
    if (absl::Status status = TakeOptions(); !status.ok()) {
      Finish(ToGrpc(status));
      return;
    }
    const auto count = static_cast<uint64_t>(request_.records_size());
    {
      absl::MutexLock lock(&mu_);
      under_way_ = count + 1;  // one for this function, so that it ends after the last Submit
    }
    for (uint64_t i = 0; i < count; ++i) Submit(request_.records(static_cast<int>(i)), i);
    position_ += count;
    OnOneDone();
  }

  void OnWriteDone(bool ok) override {
    if (ok) {
      StartRead(&request_);
    } else {
      Finish(grpc::Status::CANCELLED);
    }
  }
  void OnDone() override { delete this; }

 private:
  absl::Status TakeOptions() {
    if (request_.checkpoint().size() > kLongestCheckpoint) {
      return InvalidField("checkpoint", "it has more than 256 characters");
    }
    if (request_.has_options() && is_begun_) {
      return InvalidField("options", "they belong in the first message");
    }
    if (!v1::ImportOptions::OnConflict_IsValid(request_.options().on_conflict())) {
      return InvalidField("options.on_conflict", "this server does not know it");
    }
    if (!is_begun_) options_ = request_.options();
    is_begun_ = true;
    return absl::OkStatus();
  }

  void Submit(const v1::Record& record, uint64_t in_message) {
    const uint64_t position = position_ + in_message;
    absl::StatusOr<ImportCommand> command = records_.ToImport(record);
    if (!command.ok()) {
      OnRecord(position, command.status());
      return;
    }
    command->replaces = options_.on_conflict() == v1::ImportOptions::ON_CONFLICT_REPLACE;
    command->is_dry_run = options_.dry_run();
    command->notifies = options_.notify();
    engine_.Import(*std::move(command), [this, position](absl::StatusOr<ImportOutcome> outcome) {
      OnRecord(position, outcome);
    });
  }

  void OnRecord(uint64_t position, const absl::StatusOr<ImportOutcome>& outcome) {
    {
      absl::MutexLock lock(&mu_);
      if (outcome.ok()) {
        ++CountOf(*outcome);
      } else if (IsOfTheServer(outcome.status())) {
        stopped_by_ = outcome.status();
      } else {
        ++refused_;
        if (response_.refusals_size() < kRefusalsInFull) {
          v1::ImportRefusal& refusal = *response_.add_refusals();
          refusal.set_position(position);
          refusal.set_reason(ReasonName(outcome.status()));
          refusal.set_message(std::string(outcome.status().message()));
        }
      }
    }
    OnOneDone();
  }

  uint64_t& CountOf(ImportOutcome outcome) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    switch (outcome) {
      case ImportOutcome::kTaken:
        return imported_;
      case ImportOutcome::kTakenBefore:
        return imported_before_;
      case ImportOutcome::kSkipped:
        break;
    }
    return skipped_;
  }

  // The last one goes on. gRPC deletes this only after Finish, and that comes from here or when
  // nothing is under way.
  void OnOneDone() {
    absl::Status stopped_by;
    {
      absl::MutexLock lock(&mu_);
      if (--under_way_ > 0) return;
      stopped_by = stopped_by_;
      response_.set_imported(imported_);
      response_.set_imported_before(imported_before_);
      response_.set_skipped(skipped_);
      response_.set_refused(refused_);
      sent_ = std::move(response_);
      response_.Clear();
    }
    if (!stopped_by.ok()) {
      Finish(ToGrpc(stopped_by));
      return;
    }
    if (!request_.checkpoint().empty()) checkpoint_ = request_.checkpoint();
    sent_.set_checkpoint(checkpoint_);
    StartWrite(&sent_);
  }

  Engine& engine_;
  const Records records_;

  // One reaction at a time has these.
  v1::ImportRequest request_;
  v1::ImportOptions options_;
  bool is_begun_ = false;
  uint64_t position_ = 0;  // records of earlier messages
  std::string checkpoint_;
  v1::ImportResponse sent_;

  absl::Mutex mu_;  // a leaf
  uint64_t under_way_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t imported_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t imported_before_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t skipped_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t refused_ ABSL_GUARDED_BY(mu_) = 0;
  absl::Status stopped_by_ ABSL_GUARDED_BY(mu_);
  v1::ImportResponse response_ ABSL_GUARDED_BY(mu_);  // refusals of this message
};

}  // namespace

grpc::ServerBidiReactor<v1::ImportRequest, v1::ImportResponse>* NewImportStream(
    Engine& engine, const Clock& clock) {
  return new ImportStream(engine, clock);
}

}  // namespace presence
