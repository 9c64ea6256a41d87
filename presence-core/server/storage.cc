#include "presence-core/server/storage.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "configuration/durations.h"
#include "presence-core/model/error.h"
#include "presence-core/storage/memory/memory_journal.h"
#include "presence-core/storage/postgres/lease_keeper.h"
#include "presence-core/storage/postgres/postgres_store.h"
#include "presence-core/storage/postgres/schema.h"
#include "presence-core/storage/write_through/write_through_journal.h"

namespace presence {
namespace {

constexpr absl::Duration kAskAgain = absl::Milliseconds(500);
// Who waits says so this often.
constexpr absl::Duration kSayAgain = absl::Minutes(1);

class MemoryStorage final : public Storage {
 public:
  // The epoch of this life is when it began, so it is above that of any life before.
  explicit MemoryStorage(const Clock& clock)
      : epoch_(static_cast<uint64_t>(absl::ToUnixMillis(clock.WallNow()))) {}

  Journal& journal() override { return journal_; }
  uint64_t epoch() const override { return epoch_; }
  std::string description() const override { return "memory only, everything is lost on exit"; }
  void Close() override {}

 private:
  const uint64_t epoch_;
  MemoryJournal journal_;
};

class PostgresStorage final : public Storage {
 public:
  PostgresStorage(const DatabaseOptions& options, std::unique_ptr<LeaseKeeper> keeper,
                  const LeaseKeeper::Lease& lease, const Clock& clock,
                  std::function<void(std::string)> on_lost)
      : description_(fmt::format("write-through to {}", DescribeDsn(options.dsn))),
        keeper_(std::move(keeper)),
        epoch_(lease.epoch),
        store_(options, clock, lease),
        journal_(store_, {.on_fenced = [on_lost = std::move(on_lost)] {
                   on_lost("another process owns the database");
                 }}) {}

  Journal& journal() override { return journal_; }
  uint64_t epoch() const override { return epoch_; }
  std::string description() const override { return description_; }
  void Close() override {
    journal_.Drain();
    keeper_->Release();
  }

 private:
  const std::string description_;
  const std::unique_ptr<LeaseKeeper> keeper_;
  const uint64_t epoch_;
  PostgresStore store_;
  WriteThroughJournal journal_;
};

absl::StatusOr<std::string> DsnOf(const v1::StorageConfig& config) {
  if (config.dsn_file().empty()) {
    return NormalizeDsn(config.dsn().empty() ? "dbname=presence" : config.dsn());
  }
  std::ifstream file(config.dsn_file());
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) {
    return InvalidField("storage.dsn_file", fmt::format("{} cannot be read", config.dsn_file()));
  }
  std::string dsn = text.str();
  absl::StripAsciiWhitespace(&dsn);
  return NormalizeDsn(dsn);
}

// The lease, once nobody else has it.
absl::StatusOr<LeaseKeeper::Lease> TakeWhenFree(LeaseKeeper& keeper, const Clock& clock,
                                                Wait wait) {
  absl::Time say_at = absl::InfinitePast();
  while (true) {
    auto lease = keeper.Take();
    if (!lease.ok() || lease->is_ours) return lease;
    if (clock.Now() >= say_at) {
      spdlog::info("{} serves from this database; waiting until it stops", lease->owner);
      say_at = clock.Now() + kSayAgain;
    }
    if (!wait(std::min(kAskAgain, lease->remaining + absl::Milliseconds(50)))) {
      return absl::CancelledError("stopped while waiting for the database");
    }
  }
}

}  // namespace

absl::StatusOr<DatabaseOptions> ToDatabaseOptions(const v1::StorageConfig& config) {
  auto dsn = DsnOf(config);
  if (!dsn.ok()) return dsn.status();
  DatabaseOptions options;
  options.dsn = *std::move(dsn);
  options.synchronous_commit = config.synchronous_commit();
  options.statement_timeout = ToDuration(config.statement_timeout());
  options.connections = config.connections();
  options.batch_rows = config.batch_rows();
  return options;
}

absl::StatusOr<std::unique_ptr<Storage>> Storage::Open(const v1::StorageConfig& config,
                                                       const std::string& node,
                                                       const std::string& address,
                                                       const Clock& clock, Wait wait,
                                                       std::function<void(std::string)> on_lost) {
  if (config.backend() == v1::STORAGE_BACKEND_MEMORY) {
    return std::make_unique<MemoryStorage>(clock);
  }
  const auto options = ToDatabaseOptions(config);
  if (!options.ok()) return options.status();
  if (absl::Status status = CheckSchema(*options); !status.ok()) return status;
  LeaseKeeper::Options lease_options;
  lease_options.database = *options;
  lease_options.node = config.node().empty() ? node : config.node();
  lease_options.address = address;
  lease_options.on_lost = on_lost;
  auto keeper = std::make_unique<LeaseKeeper>(std::move(lease_options), clock);
  const auto lease = TakeWhenFree(*keeper, clock, wait);
  if (!lease.ok()) return lease.status();
  return std::make_unique<PostgresStorage>(*options, std::move(keeper), *lease, clock,
                                           std::move(on_lost));
}

}  // namespace presence
