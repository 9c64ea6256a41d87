#include "presence-core/server/core_process.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <iostream>
#include <optional>
#include <string>
#include <utility>

#include "google/protobuf/util/time_util.h"
#include "presence-core/engine/engine.h"
#include "presence-core/model/error.h"
#include "presence-core/packages/builtin_packages.h"
#include "presence-core/rpc/rpc_server.h"
#include "presence-core/server/cut_log.h"
#include "presence-core/server/load_progress.h"
#include "presence-core/server/settings.h"
#include "presence-core/server/standby.h"
#include "presence-core/telemetry/core_metrics.h"
#include "runtime/clock.h"
#include "runtime/random.h"
#include "runtime/worker.h"
#include "telemetry/ops_server.h"

namespace presence {
namespace {

// Between two tries to load the state.
constexpr absl::Duration kFirstPause = absl::Seconds(1);
constexpr absl::Duration kLongestPause = absl::Seconds(15);

// Another process owns the state: whatever this one says from now on may be wrong, so it says no
// more. Whoever runs it starts it again, and it waits for its turn.
void StopAtOnce(const std::string& why) {
  spdlog::critical("{}: stopping at once", why);
  spdlog::default_logger()->flush();
  _exit(1);
}

// Where others reach what is listened on here: a wildcard is of no use to them.
std::string ToReachable(const std::string& address) {
  const size_t colon = address.rfind(':');
  const std::string host = address.substr(0, colon);
  if (host != "0.0.0.0" && host != "[::]") return address;
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return address;
  return name.data() + address.substr(colon);
}

// Members are in the order in which they are built; each uses only those above it, and the
// destructor takes them apart from below.
class Process final : public CoreProcess {
 public:
  Process(const v1::CoreConfig& config, const EngineConfig& engine, const Identity& identity,
          std::unique_ptr<EventRegistry> registry, std::unique_ptr<SystemClock> clock,
          std::unique_ptr<Storage> storage)
      : config_(config),
        identity_(identity),
        owned_clock_(std::move(clock)),
        registry_(std::move(registry)),
        storage_(std::move(storage)),
        worker_(std::make_unique<Worker>(clock_, "core")),
        notifiers_(MakeNotifiers(config.notify().workers(), clock_)),
        engine_(engine, *registry_,
                std::make_shared<PolicySnapshot>(ToPolicyDefaults(config, *registry_)),
                storage_->journal(), *worker_, clock_, random_, storage_->epoch(),
                Pointers(notifiers_), &cuts_) {}

  ~Process() override { Stop(absl::ZeroDuration()); }

  // `standby` keeps the addresses until the state has been loaded.
  absl::Status Open(Standby& standby) {
    if (absl::Status status = Load(); !status.ok()) return status;
    ListenToOthers();
    standby.Stop(config_);
    RpcServer::Options options;
    options.listen = GrpcAddresses(config_);
    options.core_name = identity_.name;
    options.is_owner = [storage = storage_.get()] { return storage->IsSure(); };
    options.claims = Claims();
    options.max_watch_queue = config_.limits().max_watch_queue();
    options.info = Info();
    auto server = RpcServer::Start(engine_, *worker_, clock_, random_, std::move(options));
    if (!server.ok()) return server.status();
    server_ = *std::move(server);
    if (config_.storage().advertise().empty() && config_.listen_size() > 0) {
      storage_->Announce(ToReachable(server_->addresses()[0]));
    }
    if (config_.ops_listen().empty()) return absl::OkStatus();
    OpsPages pages;
    pages.not_ready = [this] {
      return is_stopping_          ? std::optional<std::string>("stopping")
             : !storage_->IsSure() ? std::optional<std::string>("cut off from the database")
                                   : std::nullopt;
    };
    pages.metrics = [this] {
      return CoreMetrics(engine_.counters(), cuts_.counters(), storage_->counters());
    };
    pages.version = "presence-core " + identity_.version;
    auto ops = OpsServer::Start(config_.ops_listen(), std::move(pages));
    if (!ops.ok()) return ops.status();
    ops_ = *std::move(ops);
    return absl::OkStatus();
  }

  const std::vector<std::string>& grpc_addresses() const override { return server_->addresses(); }
  const std::string& ops_address() const override {
    static const std::string kNone;
    return ops_ != nullptr ? ops_->address() : kNone;
  }
  std::vector<std::string> event_names() const override { return registry_->EventNames(); }
  std::string storage() const override { return storage_->description(); }

  void Stop(absl::Duration patience) override {
    if (is_stopping_.exchange(true)) return;
    if (storage_->shared() != nullptr) storage_->shared()->StopListening();
    if (server_ != nullptr) server_->Stop(patience);
    // The last task of a stream tells its service that it has gone, and the notifier's use the
    // engine: so the worker ends before what its tasks use. Storage ends after it, since tasks
    // append; what its answers post to the workers is no longer needed.
    worker_->Stop();
    for (const auto& notifier : notifiers_) notifier->Stop();
    storage_->Close();
    ops_.reset();
    server_.reset();
  }

 private:
  // Takes over what is stored, and says how that goes.
  absl::Status Load() {
    LoadProgress progress(clock_, isatty(STDERR_FILENO) != 0 ? &std::cerr : nullptr);
    const auto loaded =
        engine_.Start([&](const Engine::Loaded& so_far) { progress.OnLoaded(so_far); });
    if (!loaded.ok()) return loaded.status();
    const std::string summary = progress.Finish(*loaded);
    if (loaded->resources > 0) spdlog::info("{}", summary);
    return absl::OkStatus();
  }

  // Hears what other cores change, where there are others.
  void ListenToOthers() {
    SharedState* shared = storage_->shared();
    if (shared == nullptr) return;
    SharedState::Listener listener;
    listener.on_changed = [this](const auto& keys) { engine_.OnChangedElsewhere(keys); };
    listener.on_gap = [this, shared] {
      const absl::Status status = engine_.TakeOverAll();
      if (status.ok()) return;
      spdlog::warn("what other cores have changed could not be read: {}",
                   std::string(status.message()));
      shared->SayGap();
    };
    shared->Listen(std::move(listener));
  }

  GatewayClaims Claims() {
    SharedState* shared = storage_->shared();
    if (shared == nullptr) return {};
    return {[shared](std::string group, std::string gateway, GatewayClaims::Claimed done) {
              shared->Claim(std::move(group), std::move(gateway), std::move(done));
            },
            [shared](std::string group, std::string gateway) {
              shared->Leave(std::move(group), std::move(gateway));
            }};
  }

  v1::ServerInfo Info() const {
    v1::ServerInfo info;
    info.set_version(identity_.version);
    info.set_build(std::string("GCC ") + __VERSION__ + ", gRPC " + RpcServer::LibraryVersion());
    *info.mutable_start_time() = google::protobuf::util::TimeUtil::MillisecondsToTimestamp(
        absl::ToUnixMillis(clock_.WallNow()));
    info.set_storage_mode(config_.storage().publications());
    info.set_subscription_storage_mode(config_.storage().subscriptions());
    info.set_core(identity_.name);
    info.set_dev(config_.dev());
    for (const std::string& domain : config_.domains()) info.add_domains(domain);
    return info;
  }

  v1::CoreConfig config_;
  const Identity identity_;
  const std::unique_ptr<SystemClock> owned_clock_;
  const SystemClock& clock_ = *owned_clock_;
  SecureRandom random_;
  std::unique_ptr<EventRegistry> registry_;
  const std::unique_ptr<Storage> storage_;
  using Workers = std::vector<std::unique_ptr<Worker>>;

  static Workers MakeNotifiers(uint32_t count, const Clock& clock) {
    Workers workers;
    for (uint32_t i = 0; count > 1 && i < count; ++i) {
      workers.push_back(std::make_unique<Worker>(clock, "notifier"));
    }
    return workers;
  }
  static std::vector<Executor*> Pointers(const Workers& workers) {
    std::vector<Executor*> pointers;
    for (const auto& worker : workers) pointers.push_back(worker.get());
    return pointers;
  }

  // One thread takes the frames of gateways and tells the watchers, in turn: what a frame sets off
  // is then ready when its answers leave, and goes with them. Two threads cost more CPU than they
  // bring.
  std::unique_ptr<Worker> worker_;
  // With notify.workers above 1 these tell the watchers instead.
  Workers notifiers_;
  CutLog cuts_{clock_, [](const std::string& line) { spdlog::warn("{}", line); }};
  Engine engine_;
  std::unique_ptr<RpcServer> server_;
  std::atomic<bool> is_stopping_ = false;
  std::unique_ptr<OpsServer> ops_;
};

// Waits for its turn, loads and serves. `has_met_database` becomes true once the database has
// answered. Errors: as Start.
absl::StatusOr<std::unique_ptr<CoreProcess>> StartOnce(const v1::CoreConfig& config,
                                                       const CoreProcess::Identity& identity,
                                                       const CoreProcess::Wait& wait,
                                                       Standby& standby, bool& has_met_database) {
  auto registry = MakeBuiltinRegistry(ToPackageOptions(config));
  if (!registry.ok()) return registry.status();
  const auto engine = ToEngineConfig(config, **registry);
  if (!engine.ok()) return engine.status();
  auto clock = std::make_unique<SystemClock>();
  Succession succession;
  succession.node = identity.name;
  succession.wait = wait;
  succession.on_waiting = [&](const std::string& owner, const std::string& address) {
    has_met_database = true;
    return standby.Follow({owner, address});
  };
  succession.on_lost = StopAtOnce;
  auto storage = Storage::Open(config, *clock, succession);
  if (!storage.ok()) return storage.status();
  has_met_database = true;
  standby.ForgetOwner();
  auto process = std::make_unique<Process>(config, *engine, identity, *std::move(registry),
                                           std::move(clock), *std::move(storage));
  if (absl::Status status = process->Open(standby); !status.ok()) return status;
  return process;
}

}  // namespace

absl::StatusOr<std::unique_ptr<CoreProcess>> CoreProcess::Start(const v1::CoreConfig& config,
                                                                const Identity& identity,
                                                                Wait wait) {
  Standby standby(config, identity.version);
  bool has_met_database = false;
  for (absl::Duration pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
    auto process = StartOnce(config, identity, wait, standby, has_met_database);
    if (process.ok()) return process;
    // A database that was there will come back, as it would for one that serves. By now the lease
    // has been given back: whoever else waits may be luckier.
    const bool may_pass = ReasonOf(process.status()) == ErrorReason::kStorageUnavailable;
    if (!has_met_database || !may_pass) return process;
    spdlog::error("the state cannot be loaded, trying again in {}: {}", absl::FormatDuration(pause),
                  std::string(process.status().message()));
    if (!wait(pause)) return absl::CancelledError("stopped while waiting for the database");
  }
}

}  // namespace presence
