#include "tests/simulation/program.h"

#include <fmt/format.h>

#include <deque>

namespace presence::simulation {
namespace {

// Items between a core that writes and a program that does not read.
constexpr size_t kPipe = 3;
// How long an end may go on believing in a broken stream.
constexpr absl::Duration kLongestBelief = absl::Seconds(3);
constexpr absl::Duration kAskAgain = absl::Seconds(20);

}  // namespace

// One stream: items go in order, each with a delay of its own. What has been written and not read
// is lost with it.
class Program::Stream final : public WatchEnd, public std::enable_shared_from_this<Stream> {
 public:
  Stream(Surroundings& surroundings, CoreHost& core, Program& program)
      : around_(surroundings), core_(core), program_(&program) {}

  void Connect(const v1::WatchRequest& request, WatchAsked asked) {
    around_.After(around_.UpTo(around_.faults.longest_way),
                  [self = shared_from_this(), request, asked = std::move(asked)] {
                    if (self->program_ == nullptr) return;
                    if (!self->core_.is_up())
                      return self->OnEnded(absl::UnavailableError("nobody listens"));
                    self->around_.Record(asked);
                    self->id_ = self->core_.watches().Open(request, self);
                    // Items may have come while Open was running, before their stream had a number.
                    for (; self->unsaid_ > 0; --self->unsaid_)
                      self->core_.watches().OnWritten(self->id_);
                  });
  }
  // The program's end is no more.
  void LetGo() {
    program_ = nullptr;
    around_.After(around_.UpTo(kLongestBelief), [self = shared_from_this()] {
      if (self->id_ != 0 && self->core_.is_up()) self->core_.watches().Close(self->id_);
    });
  }
  // The program reads on.
  void Read() {
    while (program_ != nullptr && program_->reads_ && !arrived_.empty()) {
      const v1::WatchResponse item = std::move(arrived_.front());
      arrived_.pop_front();
      if (--in_pipe_ == kPipe - 1) SayWritten();
      program_->OnItem(item);
    }
    if (program_ != nullptr && program_->reads_ && ended_.has_value() && in_pipe_ == 0) {
      std::exchange(program_, nullptr)->OnEnded(*ended_, stalled_);
    }
  }

  void OnItem(v1::WatchResponse item) override {
    around_.fingerprint.Add(item.SerializeAsString());
    last_arrival_ =
        std::max(last_arrival_, around_.clock.Now()) + around_.UpTo(around_.faults.longest_way / 4);
    ++in_pipe_;
    around_.executor.PostAt(last_arrival_, [self = shared_from_this(), item = std::move(item)] {
      self->arrived_.push_back(item);
      self->Read();
    });
    if (in_pipe_ < kPipe) SayWritten();
  }

  void OnEnded(const absl::Status& why) override {
    ended_ = why;
    if (program_ != nullptr && !program_->reads_) {
      stalled_ = around_.clock.Now() - program_->stalled_since_;
    }
    around_.After(around_.UpTo(around_.faults.longest_way),
                  [self = shared_from_this()] { self->Read(); });
  }

 private:
  void SayWritten() {
    if (id_ == 0) {
      ++unsaid_;
    } else if (core_.is_up()) {
      core_.watches().OnWritten(id_);
    }
  }

  Surroundings& around_;
  CoreHost& core_;
  Program* program_;  // null once it has let go
  CoreWatches::StreamId id_ = 0;
  int unsaid_ = 0;
  size_t in_pipe_ = 0;
  absl::Time last_arrival_ = absl::InfinitePast();
  std::deque<v1::WatchResponse> arrived_;
  std::optional<absl::Status> ended_;
  absl::Duration stalled_;  // when it ended
};

Program::Program(Surroundings& surroundings, std::vector<CoreHost*> cores, ProgramSpec spec)
    : around_(surroundings),
      cores_(std::move(cores)),
      spec_(std::move(spec)),
      not_before_(surroundings.clock.Now()) {}

Program::~Program() {
  if (stream_ != nullptr) stream_->LetGo();
}

void Program::ActAtRandom() {
  const uint64_t roll = around_.dice.Below(100);
  if (roll < 25) return Break();
  if (roll < 35) {
    around_.Record(Note{spec_.name + " is restarted"});
    token_.clear();
    around_.Record(WatchForgotten{spec_.name});
    return Break();
  }
  if (roll < 55 && reads_) {
    around_.Record(Note{spec_.name + " reads no more"});
    reads_ = false;
    stalled_since_ = around_.clock.Now();
    return;
  }
  BehaveWell();
}

void Program::BehaveWell() {
  if (!reads_) around_.Record(Note{spec_.name + " reads on"});
  reads_ = true;
  if (stream_ != nullptr) {
    const std::shared_ptr<Stream> stream = stream_;
    stream->Read();
  }
}

void Program::Break() {
  if (stream_ == nullptr) return;
  stream_->LetGo();
  stream_ = nullptr;
  around_.Record(WatchEnded{spec_.name, ErrorReason::kUnspecified, absl::ZeroDuration()});
  ComeBackAfter(around_.UpTo(absl::Seconds(2)));
}

void Program::ComeBackAfter(absl::Duration pause) { not_before_ = around_.clock.Now() + pause; }

void Program::KeepUp() {
  const absl::Time now = around_.clock.Now();
  if (stream_ != nullptr && now >= asks_again_at_) Break();
  if (stream_ != nullptr || now < not_before_) return;
  v1::WatchRequest request;
  WatchAsked asked{spec_.name, spec_.watcher + "@example.com", {}, !token_.empty(), ""};
  for (const auto& [presentity, event] : spec_.targets) {
    v1::WatchTarget& target = *request.add_targets();
    target.set_presentity(fmt::format("sip:{}@example.com", presentity));
    target.set_event(event);
    asked.targets.emplace_back(presentity + "@example.com", event);
  }
  request.set_watcher(fmt::format("sip:{}@example.com", spec_.watcher));
  request.set_resume_token(token_);
  asks_again_at_ = absl::InfiniteFuture();
  CoreHost& core = *cores_[cores_.size() == 1 ? 0 : around_.dice.Below(cores_.size())];
  asked.core = core.name();
  stream_ = std::make_shared<Stream>(around_, core, *this);
  stream_->Connect(request, std::move(asked));
}

void Program::OnEnded(const absl::Status& why, absl::Duration stalled) {
  stream_ = nullptr;
  around_.Record(WatchEnded{spec_.name, ReasonOf(why), stalled});
  ComeBackAfter(absl::Seconds(1) + around_.UpTo(absl::Seconds(2)));
}

void Program::OnItem(const v1::WatchResponse& item) {
  token_ = item.resume_token();
  Watched watched;
  watched.program = spec_.name;
  switch (item.item_case()) {
    case v1::WatchResponse::kState:
      watched.kind = Watched::Kind::kState;
      watched.presentity = item.state().presentity();
      watched.event = item.state().event();
      watched.revision = {item.state().revision().epoch(), item.state().revision().seq()};
      watched.cause = static_cast<NotifyCause>(item.state().cause());
      watched.body = item.state().document().body();
      break;
    case v1::WatchResponse::kStatus:
      watched.kind = Watched::Kind::kStatus;
      watched.presentity = item.status().presentity();
      watched.event = item.status().event();
      watched.state = static_cast<SubscriptionState>(item.status().state());
      // Asks again now and then what it was refused.
      if (watched.state == SubscriptionState::kTerminated) {
        asks_again_at_ = around_.clock.Now() + kAskAgain;
      }
      break;
    case v1::WatchResponse::kSnapshotDone:
      watched.kind = Watched::Kind::kSnapshotDone;
      break;
    case v1::WatchResponse::kReset:
      watched.kind = Watched::Kind::kReset;
      break;
    default:
      return;
  }
  around_.Record(watched);
}

}  // namespace presence::simulation
