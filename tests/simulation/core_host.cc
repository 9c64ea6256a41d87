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

Instructed ToRecord(const v1::ConnectResponse& frame, const v1::NotifyInstruction& instruction) {
  Instructed record;
  record.tag = instruction.dialog().local_tag();
  record.cseq = instruction.cseq();
  record.epoch = instruction.epoch();
  record.seq = instruction.revision().seq();
  record.event = instruction.event();
  record.is_terminating = instruction.state() == v1::SUBSCRIPTION_STATE_TERMINATED;
  if (instruction.body() > 0) record.body = frame.bodies(static_cast<int>(instruction.body()) - 1);
  return record;
}

}  // namespace

CoreHost::CoreHost(Surroundings& surroundings, UnknownWatcher unknown)
    : around_(surroundings),
      process_(surroundings.executor),
      storage_(surroundings, process_, [this] { Die(); }),
      unknown_(unknown),
      random_(surroundings.dice.Next64()) {
  config_.stripes = 2;
  config_.every_package.publication = {absl::Seconds(20), absl::Hours(1), absl::Minutes(5)};
  config_.every_package.subscription = {absl::Seconds(20), absl::Hours(1), absl::Minutes(10)};
  config_.every_package.min_notify_interval = absl::Seconds(around_.dice.Chance(30) ? 2 : 0);
  config_.subscribe_replace_same_call_id = around_.dice.Chance(50);
  // Not kKeep, which gives up the state that timed out.
  config_.on_notify_timeout =
      around_.dice.Chance(50) ? OnNotifyTimeout::kRemove : OnNotifyTimeout::kRetry;
  if (around_.plant == Plant::kIdleSweep) config_.sweep_interval = absl::Hours(1);
  registry_ = MakeRegistry(around_);
}

CoreHost::~CoreHost() {
  streams_.clear();
  watches_.Stop();
  engine_.reset();
  storage_.Close();
}

// ---- the process ----

void CoreHost::Start() {
  is_dying_ = false;
  process_.Live();
  const uint64_t epoch = storage_.Open();
  around_.Record(CoreStarted{epoch, around_.mode});
  engine_ = std::make_unique<Engine>(
      config_, *registry_, std::make_shared<PolicySnapshot>(PolicySnapshot::Defaults{unknown_, {}}),
      storage_, process_, around_.clock, random_, epoch);
  // A database that cannot be read at the start is a core that does not start.
  if (!engine_->Start().ok()) return Die();
  watches_.Start(*engine_);
}

// The engine may be the caller: it is cut off at once and cleared away when it has returned.
void CoreHost::Die() {
  if (engine_ == nullptr || is_dying_ || !storage_.outlives_process()) return;
  is_dying_ = true;
  storage_.Cut();
  process_.Die();
  around_.Record(CoreDied{});
  around_.executor.Post([this] {
    for (auto& [id, stream] : streams_) {
      // What it had said and not sent is said nevertheless: its CSeqs are used up.
      v1::ConnectResponse frame;
      while (stream.session->TakeFrame(frame)) {
        for (const auto& instruction : frame.instructions()) {
          around_.Record(ToRecord(frame, instruction));
        }
      }
      stream.session->Close();
      if (auto end = stream.end.lock()) end->OnCoreClosed();
    }
    streams_.clear();
    watches_.Stop();
    engine_.reset();
    storage_.Close();
    around_.After(around_.UpTo(kLongestAbsence), [this] { Start(); });
  });
}

// ---- the streams ----

CoreHost::StreamId CoreHost::Open(std::weak_ptr<StreamEnd> end) {
  if (!is_up()) return 0;
  const StreamId id = next_stream_++;
  Stream& stream = streams_[id];
  stream.end = std::move(end);
  stream.session =
      GatewaySession::Create(*engine_, around_.clock, "core", [this, id] { Wake(id); });
  return id;
}

bool CoreHost::OnFrame(StreamId id, const v1::ConnectRequest& frame) {
  const auto it = streams_.find(id);
  if (!is_up() || it == streams_.end()) return false;
  const std::shared_ptr<GatewaySession> session = it->second.session;
  if (frame.has_hello() && !EndOlder(frame.hello())) return false;
  if (!session->OnFrame(frame).ok()) {
    Close(id);
    return false;
  }
  return true;
}

// As GatewayService::Register: a gateway is served over its newest stream, and the older one ends
// before the greeting is looked at. False for a greeting that is itself older.
bool CoreHost::EndOlder(const v1::Hello& hello) {
  std::vector<StreamId> older;
  for (const auto& [id, stream] : streams_) {
    const GatewaySession& session = *stream.session;
    if (session.gateway() != hello.gateway()) continue;
    if (session.incarnation() == hello.incarnation() &&
        session.stream_number() > hello.stream_number()) {
      return false;
    }
    older.push_back(id);
  }
  for (const StreamId id : older) {
    if (auto end = streams_.at(id).end.lock()) end->OnCoreClosed();
    Close(id);
  }
  return true;
}

void CoreHost::Close(StreamId id) {
  const auto it = streams_.find(id);
  if (it == streams_.end() || is_dying_) return;
  v1::ConnectResponse frame;
  while (it->second.session->TakeFrame(frame)) RecordAndPlant(frame, *it->second.session);
  it->second.session->Close();
  streams_.erase(it);
}

void CoreHost::Wake(StreamId id) {
  const auto it = streams_.find(id);
  if (it == streams_.end() || std::exchange(it->second.is_pump_posted, true)) return;
  process_.Post([this, id] { Pump(id); });
}

void CoreHost::Pump(StreamId id) {
  const auto it = streams_.find(id);
  if (it == streams_.end() || is_dying_) return;
  it->second.is_pump_posted = false;
  const std::shared_ptr<StreamEnd> end = it->second.end.lock();
  if (end == nullptr || !end->CanTakeFrame()) return;
  const std::shared_ptr<GatewaySession> session = it->second.session;
  v1::ConnectResponse frame;
  if (!session->TakeFrame(frame)) return;
  RecordAndPlant(frame, *session);
  if (storage_.outlives_process() && around_.dice.Chance(around_.faults.core_dies_at_frame)) {
    if (around_.dice.Chance(50)) end->OnCoreFrame(std::move(frame));
    return Die();
  }
  end->OnCoreFrame(std::move(frame));
}

void CoreHost::RecordAndPlant(v1::ConnectResponse& frame, GatewaySession& session) {
  auto& instructions = *frame.mutable_instructions();
  for (auto it = instructions.begin(); it != instructions.end();) {
    if (around_.plant == Plant::kReusedCseq && it->cseq() > 1 && around_.dice.Chance(5)) {
      it->set_cseq(it->cseq() - 1);
    }
    around_.Record(ToRecord(frame, *it));
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
    process_.Post(
        [session = session.shared_from_this(), report] { (void)session->OnFrame(report); });
  }
}

// ---- administration ----

void CoreHost::DecideWatcher(const std::string& presentity, const std::string& watcher,
                             WatcherDecision decision) {
  DecideWatcherCommand command;
  command.presentity = *PresentityUri::Parse("sip:" + presentity + "@example.com");
  command.event = *EventName::Parse("presence");
  command.watcher = *WatcherUri::Parse("sip:" + watcher + "@example.com");
  command.decision = decision;
  command.idempotency.request_id = RequestKey::Of({std::to_string(next_decision_++)});
  command.idempotency.content = command.idempotency.request_id;
  const std::pair who(presentity, watcher);
  const bool is_saying = decisions_.contains(who);
  decisions_[who] = std::move(command);
  if (!is_saying) SayAgain(who);
}

void CoreHost::SayAgain(const std::pair<std::string, std::string>& who) {
  const auto it = decisions_.find(who);
  if (it == decisions_.end()) return;
  if (is_up()) {
    const RequestKey said = it->second.idempotency.request_id;
    engine_->DecideWatcher(it->second, [this, who, said](const auto& outcome) {
      const auto present = decisions_.find(who);
      if (present == decisions_.end() || present->second.idempotency.request_id != said) return;
      if (outcome.ok()) decisions_.erase(present);
    });
  }
  around_.After(absl::Seconds(1), [this, who] { SayAgain(who); });
}

}  // namespace presence::simulation
