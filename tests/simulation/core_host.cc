#include "tests/simulation/core_host.h"

#include <utility>
#include <vector>

#include "presence-core/packages/builtin_packages.h"
#include "presence-core/packages/presence/presence_package.h"
#include "presence-core/packages/winfo/winfo_writer.h"
#include "tests/fakes/text_package.h"
#include "tests/simulation/documents.h"

namespace presence::simulation {
namespace {

// Leaves a watcher out of one document in ten.
class ForgetfulWinfo final : public WinfoFormat {
 public:
  ForgetfulWinfo(SeededRandom& dice, std::unique_ptr<WinfoFormat> format)
      : dice_(dice), format_(std::move(format)) {}
  Written Write(const WinfoDocument& document, size_t max_bytes) const override {
    WinfoDocument less = document;
    if (less.watchers.empty() || !dice_.Chance(10)) return format_->Write(document, max_bytes);
    less.watchers.pop_back();
    Written written = format_->Write(less, max_bytes);
    ++written.watchers;  // as if it were there
    return written;
  }

 private:
  SeededRandom& dice_;
  const std::unique_ptr<WinfoFormat> format_;
};

std::unique_ptr<EventRegistry> MakeRegistry(Surroundings& around) {
  const PackageOptions defaults;
  std::unique_ptr<WinfoFormat> format = std::make_unique<WinfoText>();
  if (around.uses_xml) format = std::make_unique<WinfoWriter>();
  if (around.plant == Plant::kLostWatcher) {
    format = std::make_unique<ForgetfulWinfo>(around.dice, std::move(format));
  }
  std::unique_ptr<EventPackage> package = std::make_unique<TextPackage>();
  if (around.uses_xml) {
    package = std::make_unique<PresencePackage>(defaults.xml, defaults.max_composed_bytes);
  }
  auto registry = std::make_unique<EventRegistry>(std::move(format));
  (void)registry->Add(std::move(package));
  return registry;
}

constexpr absl::Duration kLongestAbsence = absl::Seconds(4);
// As rpc/gateway_stream.cc.
constexpr absl::Duration kLookAfterOwnership = absl::Milliseconds(500);

}  // namespace

EngineConfig DrawConfig(Surroundings& around) {
  EngineConfig config;
  config.stripes = 2;
  config.every_package.publication = {absl::Seconds(20), absl::Hours(1), absl::Minutes(5)};
  config.every_package.subscription = {absl::Seconds(20), absl::Hours(1), absl::Minutes(10)};
  config.every_package.min_notify_interval = absl::Seconds(around.dice.Chance(30) ? 2 : 0);
  config.subscribe_replace_same_call_id = around.dice.Chance(50);
  // Not kKeep, which gives up the state that timed out.
  config.on_notify_timeout =
      around.dice.Chance(50) ? OnNotifyTimeout::kRemove : OnNotifyTimeout::kRetry;
  if (around.plant == Plant::kIdleSweep) config.sweep_interval = absl::Hours(1);
  return config;
}

// A stream, as the roster knows it. Does with GatewaySession what rpc/gateway_stream.cc does over
// gRPC.
class CoreHost::Stream final : public GatewayEnd {
 public:
  Stream(CoreHost& host, StreamId id, std::weak_ptr<StreamEnd> stream_end)
      : end(std::move(stream_end)), host_(host), id_(id) {}

  void End(const absl::Status& /*why*/) override { host_.End(id_); }
  void DrainAndEnd() override { host_.End(id_); }
  bool is_ended() const override { return !host_.streams_.contains(id_); }

  const std::weak_ptr<StreamEnd> end;
  std::shared_ptr<GatewaySession> session;
  bool is_pump_posted = false;
  std::string group;
  // What comes while it is greeted.
  bool is_greeting = false;
  std::deque<v1::ConnectRequest> unread;

 private:
  CoreHost& host_;
  const StreamId id_;
};

CoreHost::CoreHost(Surroundings& surroundings, Database& database, SharedTables& tables,
                   CoreSpec spec)
    : around_(surroundings),
      process_(surroundings.executor),
      spec_(std::move(spec)),
      peers_(surroundings, process_, database, tables, spec_.name),
      storage_(
          surroundings, process_, database, spec_.name, [this] { Die(); },
          [this](const auto& keys) {
            if (IsShared(around_.mode)) peers_.OnClaimed(keys);
          }),
      random_(surroundings.dice.Next64()) {
  registry_ = MakeRegistry(around_);
}

CoreHost::~CoreHost() {
  for (auto& [id, stream] : streams_) stream->session->Close();
  streams_.clear();
  watches_.Stop();
  roster_.reset();
  engine_.reset();
  storage_.Close();
}

// ---- the process ----

void CoreHost::Start() {
  is_dying_ = false;
  process_.Live();
  peers_.Begin();
  const uint64_t epoch = storage_.Open();
  around_.Record(CoreStarted{epoch, around_.mode, name()});
  const PolicySnapshot::Defaults defaults{spec_.unknown, {}};
  engine_ =
      std::make_unique<Engine>(spec_.config, *registry_, std::make_shared<PolicySnapshot>(defaults),
                               storage_, process_, around_.clock, random_, epoch);
  // A database that cannot be read at the start is a core that does not start.
  if (!engine_->Start().ok()) return Die();
  peers_.Listen(*engine_, storage_);
  roster_ = std::make_unique<GatewayRoster>(*engine_, process_, peers_.Claims());
  watches_.Start(*engine_);
  if (IsShared(around_.mode)) WatchOwnership();
}

// As GatewayService.
void CoreHost::WatchOwnership() {
  if (absl::Status owner = CheckOwner([this] { return peers_.IsSure(); }); !owner.ok()) {
    for (const auto& stream : roster_->streams()) stream->End(owner);
  }
  process_.PostAt(around_.clock.Now() + kLookAfterOwnership, [this] { WatchOwnership(); });
}

// The engine may be the caller: it is cut off at once and cleared away when it has returned.
void CoreHost::Die() {
  if (engine_ == nullptr || is_dying_ || !storage_.outlives_process()) return;
  is_dying_ = true;
  storage_.Cut();
  process_.Die();
  around_.Record(CoreDied{name()});
  around_.executor.Post([this] {
    for (auto& [id, stream] : streams_) {
      // What it had said and not sent is said nevertheless: its CSeqs are used up.
      v1::ConnectResponse frame;
      while (stream->session->TakeFrame(frame)) {
        for (const auto& instruction : frame.instructions()) {
          around_.Record(ToRecord(frame, instruction, *stream));
        }
      }
      stream->session->Close();
      if (auto end = stream->end.lock()) end->OnCoreClosed();
    }
    streams_.clear();
    watches_.Stop();
    peers_.End();
    roster_.reset();
    engine_.reset();
    storage_.Close();
    around_.After(around_.UpTo(kLongestAbsence), [this] { Start(); });
  });
}

// ---- the streams ----

CoreHost::StreamId CoreHost::Open(std::weak_ptr<StreamEnd> end) {
  if (!is_up()) return 0;
  const StreamId id = next_stream_++;
  auto stream = std::make_shared<Stream>(*this, id, std::move(end));
  stream->session =
      GatewaySession::Create(*engine_, around_.clock, name(), [this, id] { Wake(id); });
  streams_[id] = std::move(stream);
  return id;
}

bool CoreHost::OnFrame(StreamId id, const v1::ConnectRequest& frame) {
  const auto it = streams_.find(id);
  if (!is_up() || it == streams_.end()) return false;
  Stream& stream = *it->second;
  if (stream.is_greeting) {
    stream.unread.push_back(frame);
    return true;
  }
  const v1::Hello& hello = frame.hello();
  if (hello.gateway().empty() || !stream.session->gateway().empty()) {
    Take(id, frame);
  } else {
    stream.group = hello.group().empty() ? hello.gateway() : hello.group();
    stream.is_greeting = true;
    roster_->Greet(it->second, hello,
                   [this, id, frame](const absl::Status& status) { OnGreeted(id, status, frame); });
  }
  return is_up() && streams_.contains(id);
}

void CoreHost::OnGreeted(StreamId id, const absl::Status& status, const v1::ConnectRequest& hello) {
  const auto it = streams_.find(id);
  if (it == streams_.end()) return;
  const std::shared_ptr<Stream> stream = it->second;
  if (!status.ok()) return End(id);
  stream->is_greeting = false;
  Take(id, hello);
  for (const v1::ConnectRequest& frame : std::exchange(stream->unread, {})) Take(id, frame);
}

void CoreHost::Take(StreamId id, const v1::ConnectRequest& frame) {
  const auto it = streams_.find(id);
  if (it == streams_.end() || !is_up()) return;
  const std::shared_ptr<GatewaySession> session = it->second->session;
  if (!session->OnFrame(frame).ok()) End(id);
}

void CoreHost::End(StreamId id) {
  const auto it = streams_.find(id);
  if (it == streams_.end() || is_dying_) return;
  const std::shared_ptr<StreamEnd> end = it->second->end.lock();
  Close(id);
  if (end != nullptr) end->OnCoreClosed();
}

void CoreHost::Close(StreamId id) {
  const auto it = streams_.find(id);
  if (it == streams_.end() || is_dying_) return;
  const std::shared_ptr<Stream> stream = it->second;
  v1::ConnectResponse frame;
  while (stream->session->TakeFrame(frame)) RecordAndPlant(frame, *stream);
  streams_.erase(it);
  stream->session->Close();
  process_.Post([this, stream] { roster_->OnGone(*stream); });
}

void CoreHost::Wake(StreamId id) {
  const auto it = streams_.find(id);
  if (it == streams_.end() || std::exchange(it->second->is_pump_posted, true)) return;
  process_.Post([this, id] { Pump(id); });
}

void CoreHost::Pump(StreamId id) {
  const auto it = streams_.find(id);
  if (it == streams_.end() || is_dying_) return;
  const std::shared_ptr<Stream> stream = it->second;
  stream->is_pump_posted = false;
  const std::shared_ptr<StreamEnd> end = stream->end.lock();
  if (end == nullptr || !end->CanTakeFrame()) return;
  if (!peers_.IsSure()) return End(id);
  v1::ConnectResponse frame;
  if (!stream->session->TakeFrame(frame)) return;
  RecordAndPlant(frame, *stream);
  if (storage_.outlives_process() && around_.dice.Chance(around_.faults.core_dies_at_frame)) {
    if (around_.dice.Chance(50)) end->OnCoreFrame(std::move(frame));
    return Die();
  }
  end->OnCoreFrame(std::move(frame));
}

Instructed CoreHost::ToRecord(const v1::ConnectResponse& frame,
                              const v1::NotifyInstruction& instruction,
                              const Stream& stream) const {
  Instructed record;
  record.tag = instruction.dialog().local_tag();
  record.cseq = instruction.cseq();
  record.epoch = instruction.epoch();
  record.seq = instruction.revision().seq();
  record.event = instruction.event();
  record.is_terminating = instruction.state() == v1::SUBSCRIPTION_STATE_TERMINATED;
  if (instruction.body() > 0) record.body = frame.bodies(static_cast<int>(instruction.body()) - 1);
  record.core = name();
  record.group = stream.group;
  record.reign = peers_.ReignOver(stream.group);
  return record;
}

void CoreHost::RecordAndPlant(v1::ConnectResponse& frame, const Stream& stream) {
  auto& instructions = *frame.mutable_instructions();
  for (auto it = instructions.begin(); it != instructions.end();) {
    if (around_.plant == Plant::kReusedCseq && it->cseq() > 1 && around_.dice.Chance(5)) {
      it->set_cseq(it->cseq() - 1);
    }
    around_.Record(ToRecord(frame, *it, stream));
    // Not of watcher information, where a gap in the versions would give it away.
    if (around_.plant != Plant::kDroppedInstruction || it->event() != "presence" ||
        !around_.dice.Chance(10)) {
      ++it;
      continue;
    }
    v1::ConnectRequest report;
    v1::NotifyResult& result = *report.add_results();
    result.mutable_id()->set_local_tag(it->dialog().local_tag());
    result.mutable_id()->set_cseq(it->cseq());
    result.mutable_id()->set_epoch(it->epoch());
    result.set_outcome(v1::NotifyResult::OUTCOME_ANSWERED);
    result.set_code(200);
    report.set_instruction_credit(1);
    it = instructions.erase(it);
    process_.Post([session = stream.session, report] { (void)session->OnFrame(report); });
  }
}

}  // namespace presence::simulation
