#include "tests/simulation/gateway_host.h"

#include <algorithm>
#include <utility>

namespace presence::simulation {
namespace {

constexpr absl::Duration kLongestFrame = absl::Milliseconds(50);
// How long an end may go on believing in a broken stream.
constexpr absl::Duration kLongestBelief = absl::Seconds(3);

// What a greeting says is in flight is a set, and stands in the order of a hash table.
v1::ConnectRequest Ordered(v1::ConnectRequest frame) {
  auto& in_flight = *frame.mutable_hello()->mutable_in_flight();
  std::sort(in_flight.begin(), in_flight.end(), [](const auto& a, const auto& b) {
    return a.SerializeAsString() < b.SerializeAsString();
  });
  return frame;
}

}  // namespace

// ---- a stream ----

void SimulatedStream::Connect() {
  around_.After(around_.UpTo(kLongestFrame), [self = shared_from_this()] {
    if (self->is_broken_) return;
    self->id_ = self->core_.Open(self);
    self->is_connected_ = true;
    if (self->id_ == 0) return self->OnCoreClosed();
    if (std::exchange(self->is_frame_to_core_, false)) self->Write(std::move(self->waiting_));
  });
}

void SimulatedStream::Write(v1::ConnectRequest frame) {
  around_.fingerprint.Add(Ordered(frame).SerializeAsString());
  is_frame_to_core_ = true;
  if (!is_connected_) {
    waiting_ = std::move(frame);
    return;
  }
  if (around_.dice.Chance(around_.faults.stream_breaks_at_frame)) return Break();
  around_.After(around_.UpTo(kLongestFrame), [self = shared_from_this(), frame] {
    if (self->is_broken_) return;
    if (!self->core_.OnFrame(self->id_, frame)) return self->OnCoreClosed();
    self->is_frame_to_core_ = false;
    if (self->events_ == nullptr) return;
    self->events_->OnWritable();
    self->turn_();
  });
}

void SimulatedStream::OnCoreFrame(v1::ConnectResponse frame) {
  around_.fingerprint.Add(frame.SerializeAsString());
  is_frame_to_gateway_ = true;
  if (is_broken_) return;
  if (around_.dice.Chance(around_.faults.stream_breaks_at_frame)) return Break();
  around_.After(around_.UpTo(kLongestFrame),
                [self = shared_from_this(), frame = std::move(frame)]() mutable {
                  if (self->is_broken_ || self->events_ == nullptr) return;
                  self->is_frame_to_gateway_ = false;
                  self->events_->OnFrame(frame);
                  self->turn_();
                  self->core_.OnWritable(self->id_);
                });
}

void SimulatedStream::OnCoreClosed() {
  is_broken_ = true;
  CloseGatewayEnd(around_.UpTo(kLongestFrame));
}

void SimulatedStream::Break() {
  if (std::exchange(is_broken_, true)) return;
  CloseGatewayEnd(around_.UpTo(kLongestBelief));
  CloseCoreEnd(around_.UpTo(kLongestBelief));
}

void SimulatedStream::Abandon() {
  events_ = nullptr;
  if (std::exchange(is_broken_, true)) return;
  CloseCoreEnd(around_.UpTo(kLongestBelief));
}

void SimulatedStream::CloseGatewayEnd(absl::Duration after) {
  around_.After(after, [self = shared_from_this()] {
    sip::FrameStreamEvents* events = std::exchange(self->events_, nullptr);
    if (events == nullptr) return;
    events->OnClosed(absl::UnavailableError("the stream broke"));
    self->turn_();
  });
}

void SimulatedStream::CloseCoreEnd(absl::Duration after) {
  around_.After(after, [self = shared_from_this()] { self->core_.Close(self->id_); });
}

// ---- the gateway's machine ----

class GatewayHost::Handle final : public sip::FrameStream {
 public:
  explicit Handle(std::shared_ptr<SimulatedStream> stream) : stream_(std::move(stream)) {}
  ~Handle() override { stream_->Abandon(); }
  bool IsWritable() const override { return stream_->IsWritable(); }
  void Write(v1::ConnectRequest& frame) override {
    stream_->Write(std::move(frame));
    frame.Clear();
  }

 private:
  const std::shared_ptr<SimulatedStream> stream_;
};

GatewayHost::GatewayHost(Surroundings& surroundings, Network& network, std::vector<CoreHost*> cores,
                         std::string name, std::string group, std::string address)
    : around_(surroundings),
      network_(network),
      cores_(std::move(cores)),
      name_(std::move(name)),
      group_(std::move(group)),
      address_(std::move(address)),
      window_(surroundings.dice.Chance(30) ? static_cast<uint32_t>(1 + surroundings.dice.Below(4))
                                           : 4096),
      per_turn_(surroundings.dice.Chance(30) ? 1 : 64),
      process_(surroundings.executor),
      transport_(network, address_),
      locator_(surroundings.clock),
      random_(surroundings.dice.Next64()) {}

GatewayHost::~GatewayHost() { transport_.SetSink(nullptr); }

void GatewayHost::Start() {
  around_.Record(Note{name_ + " starts"});
  process_.Live();
  sip::GatewaySettings settings;
  settings.link.gateway = name_;
  settings.link.group = group_;
  settings.link.addresses.clear();
  for (const CoreHost* core : cores_) settings.link.addresses.push_back(core->name());
  settings.link.instruction_window = window_;
  settings.link.instructions_per_turn = per_turn_;
  gateway_ = std::make_unique<sip::Gateway>(std::move(settings), around_.clock, random_, transport_,
                                            locator_, static_cast<sip::FrameStreamOpener&>(*this));
  transport_.SetSink(gateway_.get());
  network_.SetGateway(address_, &sink_);
  Turn();
}

void GatewayHost::Die(absl::Duration longest_absence) {
  if (!is_up()) return;
  around_.Record(Note{name_ + " dies"});
  network_.SetGateway(address_, nullptr);
  transport_.SetSink(nullptr);
  process_.Die();
  next_turn_ = absl::InfiniteFuture();
  gateway_.reset();
  around_.After(around_.UpTo(longest_absence), [this] { Start(); });
}

void GatewayHost::BreakStream() {
  if (auto stream = stream_.lock()) {
    around_.Record(Note{"the stream of " + name_ + " breaks"});
    stream->Break();
  }
}

std::unique_ptr<sip::FrameStream> GatewayHost::Open(const std::string& address,
                                                    sip::FrameStreamEvents& events) {
  CoreHost& core = **std::find_if(cores_.begin(), cores_.end(),
                                  [&](const CoreHost* each) { return each->name() == address; });
  auto stream = std::make_shared<SimulatedStream>(around_, core, events, [this] { Turn(); });
  stream_ = stream;
  stream->Connect();
  return std::make_unique<Handle>(std::move(stream));
}

void GatewayHost::Turn() {
  if (!is_up()) return;
  const absl::Time now = around_.clock.Now();
  const absl::Time due = std::max(gateway_->Advance(now), now + absl::Milliseconds(1));
  if (due >= next_turn_) return;
  next_turn_ = due;
  process_.PostAt(due, [this, due] {
    if (next_turn_ != due) return;  // an earlier one was wanted meanwhile
    next_turn_ = absl::InfiniteFuture();
    Turn();
  });
}

void GatewayHost::TurningSink::OnMessage(const sip::Source& source,
                                         const sip::ScannedMessage& message) {
  host_.gateway_->OnMessage(source, message);
  host_.Turn();
}
void GatewayHost::TurningSink::OnRefused(const sip::Source& source, const sip::Refusal& refusal) {
  host_.gateway_->OnRefused(source, refusal);
  host_.Turn();
}
void GatewayHost::TurningSink::OnFlowClosed(sip::FlowId flow, sip::SendFailure why) {
  host_.gateway_->OnFlowClosed(flow, why);
  host_.Turn();
}
void GatewayHost::TurningSink::OnSendFailed(sip::SendTag tag, sip::SendFailure why) {
  host_.gateway_->OnSendFailed(tag, why);
  host_.Turn();
}
void GatewayHost::TurningSink::OnIcmpError(const sip::SocketAddress& remote,
                                           std::string_view quoted, sip::SendFailure why) {
  host_.gateway_->OnIcmpError(remote, quoted, why);
  host_.Turn();
}

}  // namespace presence::simulation
