#include "presence-core/rpc/gateway_session.h"

#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "presence-core/model/error.h"
#include "presence-core/rpc/status_map.h"

namespace presence {

std::shared_ptr<GatewaySession> GatewaySession::Create(Engine& engine, const Clock& clock,
                                                       std::string core_name,
                                                       std::function<void()> wake) {
  return std::shared_ptr<GatewaySession>(
      new GatewaySession(engine, clock, std::move(core_name), std::move(wake)));
}

GatewaySession::GatewaySession(Engine& engine, const Clock& clock, std::string core_name,
                               std::function<void()> wake)
    : engine_(engine),
      convert_(engine, clock),
      core_name_(std::move(core_name)),
      wake_(std::move(wake)) {}

GatewaySession::~GatewaySession() { Close(); }

absl::Status GatewaySession::OnFrame(const v1::ConnectRequest& frame) {
  if (frame.has_hello() != gateway_.empty()) {
    return InvalidField("hello", "it belongs in the first frame and in no other");
  }
  if (frame.has_hello()) return OnHello(frame);
  if (frame.instruction_credit() > 0) engine_.AddCredit(link(), frame.instruction_credit());
  OnResults(frame);
  return OnCommands(frame);
}

absl::Status GatewaySession::OnHello(const v1::ConnectRequest& frame) {
  const v1::Hello& hello = frame.hello();
  for (const auto& [field, text, is_required] :
       {std::tuple("hello.gateway", &hello.gateway(), true),
        std::tuple("hello.group", &hello.group(), false)}) {
    if (absl::Status status = CheckText(field, *text, is_required); !status.ok()) return status;
  }
  gateway_ = hello.gateway();
  group_ = hello.group().empty() ? hello.gateway() : hello.group();
  incarnation_ = hello.incarnation();
  stream_number_ = hello.stream_number();
  {
    absl::MutexLock lock(&mu_);
    has_welcome_ = true;
  }
  // Results first: what they answer is in flight no more, and must not be told again.
  OnResults(frame);
  absl::flat_hash_set<Engine::InFlight> in_flight;
  for (const v1::InstructionId& id : hello.in_flight()) {
    const std::optional<LocalTag> tag = LocalTag::Parse(id.local_tag());
    if (tag.has_value() && id.epoch() == engine_.epoch()) in_flight.insert({*tag, id.cseq()});
  }
  engine_.Reconcile({group_, gateway_}, std::move(in_flight));
  const Engine::LinkId link = engine_.AttachLink(
      {group_, gateway_}, *this, size_t{hello.instruction_credit()} + frame.instruction_credit());
  bool is_late = false;
  {
    absl::MutexLock lock(&mu_);
    link_ = link;
    is_late = is_closed_;
  }
  if (is_late) {
    // The stream went while it was greeting: Close() had nothing to detach yet.
    engine_.DetachLink(link);
    return absl::CancelledError("the stream has gone");
  }
  wake_();
  return OnCommands(frame);
}

void GatewaySession::OnResults(const v1::ConnectRequest& frame) {
  if (frame.results().empty()) return;
  std::vector<NotifyReport> reports;
  reports.reserve(static_cast<size_t>(frame.results_size()));
  for (const v1::NotifyResult& result : frame.results()) {
    reports.push_back(Converter::FromProto(result));
  }
  engine_.Report(std::move(reports));
}

absl::Status GatewaySession::OnCommands(const v1::ConnectRequest& frame) {
  {
    absl::MutexLock lock(&mu_);
    commands_under_way_ += static_cast<uint32_t>(frame.commands_size());
    if (commands_under_way_ > kCommandCredit) {
      return Overloaded("more commands than the credit allows", absl::Seconds(1));
    }
  }
  for (const v1::GatewayCommand& command : frame.commands()) OnCommand(command);
  return absl::OkStatus();
}

template <typename Outcome>
Engine::Done<Outcome> GatewaySession::Answering(uint64_t command_id) {
  // The answer may come after the stream has gone; then nobody waits for it here.
  return [weak = weak_from_this(), command_id](absl::StatusOr<Outcome> outcome) {
    std::shared_ptr<GatewaySession> self = weak.lock();
    if (self == nullptr) return;
    v1::CommandReply reply;
    reply.set_command_id(command_id);
    if (!outcome.ok()) {
      *reply.mutable_error() = ToCommandError(outcome.status());
    } else if constexpr (std::is_same_v<Outcome, PublishOutcome>) {
      *reply.mutable_publish() = self->convert_.ToProto(*outcome);
    } else {
      *reply.mutable_subscribe() = self->convert_.ToProto(*outcome);
    }
    self->Reply(std::move(reply));
  };
}

void GatewaySession::OnCommand(const v1::GatewayCommand& command) {
  switch (command.call_case()) {
    case v1::GatewayCommand::kPublish: {
      auto done = Answering<PublishOutcome>(command.command_id());
      absl::StatusOr<PublishCommand> publish = convert_.ToCommand(command.publish());
      if (!publish.ok()) return done(publish.status());
      return engine_.Publish(*std::move(publish), std::move(done));
    }
    case v1::GatewayCommand::kSubscribe: {
      auto done = Answering<SubscribeOutcome>(command.command_id());
      // The stream says which gateway this is; a dialog must not be bound to another.
      v1::SubscribeRequest request = command.subscribe();
      request.mutable_dialog()->set_gateway(group_);
      absl::StatusOr<SubscribeCommand> subscribe = convert_.ToCommand(request);
      if (!subscribe.ok()) return done(subscribe.status());
      if (!subscribe->dialog.flow.empty()) subscribe->dialog.flow_gateway = gateway_;
      return engine_.Subscribe(*std::move(subscribe), std::move(done));
    }
    case v1::GatewayCommand::CALL_NOT_SET:
      return Answering<PublishOutcome>(command.command_id())(
          InvalidField("call", "this core does not know the command"));
  }
}

void GatewaySession::Reply(v1::CommandReply reply) {
  {
    absl::MutexLock lock(&mu_);
    if (is_closed_) return;
    --commands_under_way_;
    replies_.push_back(std::move(reply));
  }
  wake_();
}

void GatewaySession::Deliver(std::vector<Instruction> instructions) {
  {
    absl::MutexLock lock(&mu_);
    if (is_closed_) return;
    for (Instruction& instruction : instructions) {
      const uint32_t resource = instruction.subscription->id.resource_hash();
      instructions_.Add(resource, std::move(instruction));
    }
  }
  wake_();
}

bool GatewaySession::TakeFrame(v1::ConnectResponse& frame) {
  absl::MutexLock lock(&mu_);
  frame.Clear();
  size_t bytes = 0;
  if (std::exchange(has_welcome_, false)) {
    v1::Welcome& welcome = *frame.mutable_welcome();
    welcome.set_core(core_name_);
    welcome.set_epoch(engine_.epoch());
    welcome.set_command_credit(kCommandCredit);
    for (std::string& name : engine_.registry().EventNames()) welcome.add_events(std::move(name));
    for (std::string& type : engine_.registry().ContentTypes()) welcome.add_accept(std::move(type));
    bytes += welcome.ByteSizeLong();
  }
  if (std::exchange(is_draining_, false)) frame.set_draining(true);
  while (!replies_.empty() && bytes < kSoftFrameBytes) {
    bytes += replies_.front().ByteSizeLong();
    *frame.add_replies() = std::move(replies_.front());
    replies_.pop_front();
  }
  // A command that has been answered makes room for another.
  if (frame.replies_size() > 0)
    frame.set_command_credit(static_cast<uint32_t>(frame.replies_size()));
  AddInstructions(frame, bytes);
  return frame.has_welcome() || frame.draining() || frame.replies_size() > 0 ||
         frame.instructions_size() > 0;
}

void GatewaySession::AddInstructions(v1::ConnectResponse& frame, size_t bytes) {
  absl::flat_hash_map<const std::string*, uint32_t> index_of;
  while (!instructions_.empty() && bytes < kSoftFrameBytes) {
    const Instruction& instruction = instructions_.front();
    uint32_t index = 0;
    if (!instruction.document.empty()) {
      const std::string& body = *instruction.document.shared_body();
      auto [it, is_new] = index_of.try_emplace(&body, 0);
      if (is_new) {
        // One that does not fit goes first in the next frame, whatever its size.
        if (bytes > 0 && bytes + body.size() > kSoftFrameBytes) break;
        frame.add_bodies(body);
        it->second = static_cast<uint32_t>(frame.bodies_size());
        bytes += body.size();
      }
      index = it->second;
    }
    *frame.add_instructions() = convert_.ToProto(instruction, index);
    bytes += frame.instructions(frame.instructions_size() - 1).ByteSizeLong();
    instructions_.pop_front();
  }
}

void GatewaySession::Drain() {
  {
    absl::MutexLock lock(&mu_);
    is_draining_ = true;
  }
  wake_();
}

Engine::LinkId GatewaySession::link() const {
  absl::MutexLock lock(&mu_);
  return link_;
}

void GatewaySession::Close() {
  Engine::LinkId link = 0;
  {
    absl::MutexLock lock(&mu_);
    if (std::exchange(is_closed_, true)) return;
    link = link_;
  }
  // Not under mu_: this waits for a Deliver that may be waiting for it.
  if (link != 0) engine_.DetachLink(link);
}

}  // namespace presence
