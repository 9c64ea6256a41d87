#include "presence-core/server/storage.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/synchronization/notification.h"
#include "configuration/durations.h"
#include "presence-core/model/error.h"
#include "presence-core/storage/memory/memory_journal.h"
#include "presence-core/storage/postgres/change_log_keeper.h"
#include "presence-core/storage/postgres/change_signal.h"
#include "presence-core/storage/postgres/gateway_sessions.h"
#include "presence-core/storage/postgres/lease_keeper.h"
#include "presence-core/storage/postgres/postgres_store.h"
#include "presence-core/storage/postgres/schema.h"
#include "presence-core/storage/write_back/write_back_journal.h"
#include "presence-core/storage/write_through/write_through_journal.h"
#include "runtime/worker.h"

namespace presence {
namespace {

constexpr absl::Duration kAskAgain = absl::Milliseconds(500);

class MemoryStorage final : public Storage {
 public:
  // The epoch of this life is when it began, so it is above that of any life before.
  explicit MemoryStorage(const Clock& clock)
      : epoch_(static_cast<uint64_t>(absl::ToUnixMillis(clock.WallNow()))) {}

  Journal& journal() override { return journal_; }
  uint64_t epoch() const override { return epoch_; }
  bool IsSure() const override { return true; }
  void Announce(std::string) override {}
  StorageCounters counters() const override { return {}; }
  std::string description() const override { return "memory only, everything is lost on exit"; }
  void Close() override {}

 private:
  const uint64_t epoch_;
  MemoryJournal journal_;
};

// How long a clean stop may take to write what is dirty.
constexpr absl::Duration kDrainDeadline = absl::Seconds(3);

// A database and its lease; the modes differ in the journal.
class PostgresStorage : public Storage {
 public:
  PostgresStorage(std::string mode, const DatabaseOptions& options,
                  std::unique_ptr<LeaseKeeper> keeper, const LeaseKeeper::Lease& lease,
                  const Clock& clock, PostgresStore::OnClaimed on_claimed = nullptr)
      : description_(fmt::format("{} to {}", mode, DescribeDsn(options.dsn))),
        keeper_(std::move(keeper)),
        epoch_(lease.epoch),
        store_(options, clock, lease, std::move(on_claimed)),
        change_log_(options, clock, [](const absl::Status& status) {
          spdlog::warn("the partitions of change_log could not be looked after: {}",
                       std::string(status.message()));
        }) {}

  uint64_t epoch() const override { return epoch_; }
  bool IsSure() const override { return keeper_->IsSure(); }
  void Announce(std::string address) override { keeper_->Announce(std::move(address)); }
  std::string description() const override { return description_; }
  void Close() override {
    const bool is_all_stored = Drain();
    keeper_->Release(is_all_stored);
  }

 protected:
  // False when something that was promised could not be stored.
  virtual bool Drain() = 0;
  RowStore& store() { return store_; }

 private:
  const std::string description_;
  const std::unique_ptr<LeaseKeeper> keeper_;
  const uint64_t epoch_;
  PostgresStore store_;
  ChangeLogKeeper change_log_;
};

std::function<void()> Fenced(std::function<void(std::string)> on_lost) {
  return [on_lost = std::move(on_lost)] { on_lost("another process owns the database"); };
}

StorageCounters CountersOf(const WriteThroughJournal& journal, bool is_owner) {
  const WriteThroughJournal::Counters counted = journal.counters();
  StorageCounters counters;
  counters.is_owner = is_owner;
  counters.commits = counted.commits;
  counters.written = counted.changes;
  counters.failed = counted.failed + counted.unknown;
  counters.refused = counted.refused;
  return counters;
}

class WriteThroughStorage final : public PostgresStorage {
 public:
  WriteThroughStorage(const DatabaseOptions& options, std::unique_ptr<LeaseKeeper> keeper,
                      const LeaseKeeper::Lease& lease, const Clock& clock,
                      std::function<void(std::string)> on_lost)
      : PostgresStorage("write-through", options, std::move(keeper), lease, clock),
        journal_(store(), {.on_fenced = Fenced(std::move(on_lost))}) {}

  Journal& journal() override { return journal_; }
  StorageCounters counters() const override { return CountersOf(journal_, IsSure()); }

 private:
  bool Drain() override {
    journal_.Drain();
    return true;
  }

  WriteThroughJournal journal_;
};

// Each change is decided and committed on its own version, by any of several processes.
class DbOnlyStorage final : public PostgresStorage, public SharedState {
 public:
  DbOnlyStorage(const DatabaseOptions& options, std::unique_ptr<LeaseKeeper> keeper,
                const LeaseKeeper::Lease& lease, const Clock& clock,
                std::shared_ptr<ChangeSignal> signal, std::function<void(std::string)> on_lost)
      : PostgresStorage("db-only", options, std::move(keeper), lease, clock,
                        [signal = signal.get()](const auto& keys) { signal->Send(keys); }),
        signal_(std::move(signal)),
        sessions_(options, lease.owner, lease.shards, LeaseKeeper::Options().lifetime, clock),
        journal_(store(), {.is_shared = true, .on_fenced = Fenced(std::move(on_lost))}) {}

  Journal& journal() override { return journal_; }
  StorageCounters counters() const override { return CountersOf(journal_, IsSure()); }

  SharedState* shared() override { return this; }
  void Listen(Listener listener) override {
    signal_->Listen({std::move(listener.on_changed), std::move(listener.on_gap)});
  }
  void StopListening() override { signal_->StopListening(); }
  void SayGap() override { signal_->SayGap(); }
  void Claim(std::string group, std::string gateway, GatewaySessions::Claimed done) override {
    sessions_.Claim(std::move(group), std::move(gateway), std::move(done));
  }
  void Leave(std::string group, std::string gateway) override {
    sessions_.Leave(std::move(group), std::move(gateway));
  }

 private:
  bool Drain() override {
    journal_.Drain();
    sessions_.Stop();
    signal_->Stop();
    return true;
  }

  const std::shared_ptr<ChangeSignal> signal_;
  GatewaySessions sessions_;
  WriteThroughJournal journal_;
};

class WriteBackStorage final : public PostgresStorage {
 public:
  WriteBackStorage(std::string mode, const v1::StorageConfig& config,
                   const DatabaseOptions& options, std::unique_ptr<LeaseKeeper> keeper,
                   const LeaseKeeper::Lease& lease, const Clock& clock,
                   std::function<void(std::string)> on_lost)
      : PostgresStorage(std::move(mode), options, std::move(keeper), lease, clock),
        clock_(clock),
        worker_(clock, "flush"),
        journal_(store(), worker_, clock, ToWriteBackOptions(config, std::move(on_lost))) {}

  Journal& journal() override { return journal_; }
  StorageCounters counters() const override {
    const WriteBackJournal::Counters counted = journal_.counters();
    StorageCounters counters;
    counters.is_owner = IsSure();
    counters.commits = counted.commits;
    counters.written = counted.written;
    counters.failed = counted.failed;
    counters.refused = counted.refused;
    counters.fallbacks = counted.fallbacks;
    counters.dirty_rows = counted.dirty_rows;
    counters.oldest_dirty = counted.oldest;
    return counters;
  }

 private:
  WriteBackJournal::Options ToWriteBackOptions(const v1::StorageConfig& config,
                                               std::function<void(std::string)> on_lost) {
    const auto is_any = [&config](v1::StorageMode mode) {
      return config.publications() == mode || config.subscriptions() == mode;
    };
    WriteBackJournal::Options options;
    // Nobody repeats what was decided, as phones repeat the rest: it goes the safer way of the two.
    options.kept = {.publications = config.publications() != v1::STORAGE_MODE_MEMORY,
                    .subscriptions = config.subscriptions() != v1::STORAGE_MODE_MEMORY,
                    .decisions = true};
    options.stored_first = {
        .publications = config.publications() == v1::STORAGE_MODE_WRITE_THROUGH,
        .subscriptions = config.subscriptions() == v1::STORAGE_MODE_WRITE_THROUGH,
        .decisions = is_any(v1::STORAGE_MODE_WRITE_THROUGH)};
    options.flush_interval = ToDuration(config.flush_interval());
    options.max_dirty_rows = config.max_dirty_rows();
    options.may_promise = [this] { return IsSure(); };
    options.on_fenced = Fenced(std::move(on_lost));
    options.on_refused = [](const ResourceKey& key, const absl::Status& status) {
      spdlog::error("{} {}: a row is dropped, the database refuses it: {}", key.presentity.text(),
                    key.event.text(), std::string(status.message()));
    };
    return options;
  }

  bool Drain() override {
    absl::Notification is_drained;
    uint64_t left = 0;
    journal_.Drain(clock_.Now() + kDrainDeadline, [&](uint64_t rows_left) {
      left = rows_left;
      is_drained.Notify();
    });
    is_drained.WaitForNotification();
    if (left > 0) spdlog::error("{} rows could not be written and are lost", left);
    worker_.Stop();
    journal_.AwaitIdle();
    return left == 0 && journal_.counters().refused == 0 && journal_.kept().is_all();
  }

  const Clock& clock_;
  Worker worker_;
  WriteBackJournal journal_;
};

bool IsAllWriteThrough(const v1::StorageConfig& config) {
  return config.publications() == v1::STORAGE_MODE_WRITE_THROUGH &&
         config.subscriptions() == v1::STORAGE_MODE_WRITE_THROUGH;
}

bool IsDbOnly(const v1::StorageConfig& config) {
  return config.publications() == v1::STORAGE_MODE_DB_ONLY;
}

// For people: what goes into the database, and how.
std::string Describe(const v1::StorageConfig& config) {
  if (config.publications() == config.subscriptions()) return "write-back";
  const auto words = [](v1::StorageMode mode) {
    switch (mode) {
      case v1::STORAGE_MODE_MEMORY:
        return "in memory";
      case v1::STORAGE_MODE_WRITE_BACK:
        return "write-back";
      default:
        return "write-through";
    }
  };
  return fmt::format("publications {}, subscriptions {},", words(config.publications()),
                     words(config.subscriptions()));
}

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

// The lease, once nobody else has it. One who waits outlives an outage of the database.
absl::StatusOr<LeaseKeeper::Lease> TakeWhenFree(LeaseKeeper& keeper, const Succession& succession) {
  bool has_waited = false;
  while (true) {
    auto lease = keeper.Take();
    if (lease.ok() ? lease->is_ours : !has_waited) return lease;
    absl::Duration until = kAskAgain;
    if (lease.ok()) {
      has_waited = true;
      absl::Status status = succession.on_waiting(lease->owner, lease->address);
      if (!status.ok()) return status;
      until = std::min(until, lease->remaining + absl::Milliseconds(50));
    }
    if (!succession.wait(until)) {
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

ViewNames ToViewNames(const v1::StorageConfig& config) {
  const auto name_of = [](const std::string& name) { return name == "none" ? "" : name; };
  const v1::ViewsConfig& views = config.views();
  return {.presentity = name_of(views.presentity()),
          .active_watchers = name_of(views.active_watchers()),
          .watchers = name_of(views.watchers())};
}

absl::StatusOr<std::unique_ptr<Storage>> Storage::Open(const v1::CoreConfig& core,
                                                       const Clock& clock,
                                                       const Succession& succession) {
  const v1::StorageConfig& config = core.storage();
  if (config.backend() == v1::STORAGE_BACKEND_MEMORY) {
    return std::make_unique<MemoryStorage>(clock);
  }
  auto options = ToDatabaseOptions(config);
  if (!options.ok()) return options.status();
  options->history_retention = ToDuration(core.history().retention());
  if (absl::Status status = CheckSchema(*options, clock); !status.ok()) return status;
  LeaseKeeper::Options lease_options;
  lease_options.database = *options;
  lease_options.node = config.node().empty() ? succession.node : config.node();
  lease_options.address = config.advertise();
  lease_options.is_shared = IsDbOnly(config);
  lease_options.is_ahead = !IsAllWriteThrough(config) && !lease_options.is_shared;
  lease_options.on_lost = succession.on_lost;
  std::shared_ptr<ChangeSignal> signal;
  if (lease_options.is_shared) {
    signal = std::make_shared<ChangeSignal>(*options, lease_options.node, clock);
    lease_options.on_silence = [signal] { signal->SayGap(); };
  }
  auto keeper = std::make_unique<LeaseKeeper>(std::move(lease_options), clock);
  const auto lease = TakeWhenFree(*keeper, succession);
  if (!lease.ok()) return lease.status();
  // Once more, for it may have waited for days. And the views not earlier: the owner may have its
  // own elsewhere.
  absl::Status status = CheckSchema(*options, clock);
  if (status.ok()) status = PlaceViews(*options, ToViewNames(config), clock);
  if (!status.ok()) {
    keeper->Release();
    return status;
  }
  if (IsDbOnly(config)) {
    return std::make_unique<DbOnlyStorage>(*options, std::move(keeper), *lease, clock,
                                           std::move(signal), succession.on_lost);
  }
  if (IsAllWriteThrough(config)) {
    return std::make_unique<WriteThroughStorage>(*options, std::move(keeper), *lease, clock,
                                                 succession.on_lost);
  }
  return std::make_unique<WriteBackStorage>(Describe(config), config, *options, std::move(keeper),
                                            *lease, clock, succession.on_lost);
}

}  // namespace presence
