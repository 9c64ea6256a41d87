#include "presence-core/rpc/watch_session.h"

#include <google/protobuf/util/time_util.h>

#include <set>
#include <utility>

#include "presence-core/model/error.h"
#include "presence-core/rpc/resume_token.h"

namespace presence {

std::shared_ptr<WatchSession> WatchSession::Create(Engine& engine, const Clock& clock,
                                                   std::string name, size_t max_queue,
                                                   std::function<void()> wake) {
  return std::shared_ptr<WatchSession>(
      new WatchSession(engine, clock, std::move(name), max_queue, std::move(wake)));
}

WatchSession::WatchSession(Engine& engine, const Clock& clock, std::string name, size_t max_queue,
                           std::function<void()> wake)
    : engine_(engine),
      clock_(clock),
      convert_(engine, clock),
      name_(std::move(name)),
      max_queue_(max_queue),
      wake_(std::move(wake)),
      last_write_(clock.Now()) {}

WatchSession::~WatchSession() { Close(); }

absl::Status WatchSession::Start(const v1::WatchRequest& request) {
  if (request.targets().empty() || request.targets_size() > static_cast<int>(kMostTargets)) {
    return InvalidField("targets", "a stream has 1 to 256 targets");
  }
  if (request.has_heartbeat()) {
    heartbeat_ = absl::Seconds(request.heartbeat().seconds()) +
                 absl::Nanoseconds(request.heartbeat().nanos());
    if (heartbeat_ < absl::Seconds(1) || heartbeat_ > absl::Seconds(15)) {
      return InvalidField("heartbeat", "it is between 1 s and 15 s");
    }
  }
  std::vector<WatchCommand> commands;
  std::set<std::pair<std::string, std::string>> seen;
  for (const v1::WatchTarget& target : request.targets()) {
    absl::StatusOr<WatchCommand> command = convert_.ToCommand(target, request.watcher());
    if (!command.ok()) return command.status();
    command->link = name_;
    if (!seen.insert({command->presentity.text(), command->event.text()}).second) {
      return InvalidField("targets", command->presentity.text() + " is there twice");
    }
    identity_ += command->presentity.text() + "\n" + command->event.text() + "\n";
    commands.push_back(*std::move(command));
  }
  std::vector<Revision> known(commands.size());
  bool is_reset = false;
  if (!request.resume_token().empty()) {
    absl::StatusOr<std::vector<Revision>> token =
        FromResumeToken(request.resume_token(), identity_, commands.size());
    if (!token.ok()) return token.status();
    for (const Revision& revision : *token) {
      is_reset = is_reset || (revision.epoch != 0 && revision.epoch != engine_.epoch());
    }
    if (!is_reset) known = *std::move(token);
  }
  {
    absl::MutexLock lock(&mu_);
    known_ = known;
    untold_ = commands.size();
    for (const WatchCommand& command : commands) {
      targets_.push_back({command.presentity.text(), command.event.text(), std::nullopt,
                          SubscriptionState::kActive, false});
    }
    if (is_reset) {
      Item& item = items_.emplace_back();
      item.response.mutable_reset();
    }
  }
  const Engine::LinkId link = engine_.AttachLink({name_, ""}, *this, commands.size());
  bool is_late = false;
  {
    absl::MutexLock lock(&mu_);
    link_ = link;
    is_late = is_closed_;
  }
  if (is_late) {
    // The stream went while it was starting: Close() had nothing to detach yet.
    engine_.DetachLink(link);
    return Draining(absl::Seconds(1));
  }
  for (size_t i = 0; i < commands.size(); ++i) {
    if (known[i] != Revision()) commands[i].known = known[i];
    engine_.Watch(std::move(commands[i]),
                  [self = shared_from_this(), i](absl::StatusOr<WatchOutcome> outcome) {
                    self->OnSubscribed(i, outcome);
                  });
  }
  wake_();
  return absl::OkStatus();
}

void WatchSession::OnSubscribed(size_t target, const absl::StatusOr<WatchOutcome>& outcome) {
  bool is_too_late = false;
  {
    absl::MutexLock lock(&mu_);
    if (!outcome.ok()) {
      OnRefused(target, outcome.status());
    } else {
      targets_[target].id = outcome->id;
      if (outcome->is_current) {
        known_[target] = outcome->revision;
        MarkTold(target);
      }
      is_too_late = is_closed_;
    }
  }
  if (is_too_late) engine_.ForgetWatch(outcome->id);
  wake_();
}

void WatchSession::OnRefused(size_t target, const absl::Status& status) {
  // One refused target among several is told as such; the others go on.
  if (targets_.size() > 1 && ReasonOf(status) == ErrorReason::kWatcherBlocked) {
    QueueStatus(target, SubscriptionState::kTerminated, TerminationReason::kRejected);
    MarkTold(target);
  } else if (!ended_.has_value()) {
    ended_ = status;
  }
}

void WatchSession::MarkTold(size_t target) {
  if (std::exchange(targets_[target].is_told, true) || --untold_ > 0) return;
  items_.emplace_back().response.mutable_snapshot_done();
}

void WatchSession::QueueStatus(size_t target, SubscriptionState state, TerminationReason reason) {
  Item& item = items_.emplace_back();
  item.target = target;
  v1::WatchedStatus& status = *item.response.mutable_status();
  status.set_presentity(targets_[target].presentity);
  status.set_event(targets_[target].event);
  status.set_state(static_cast<v1::SubscriptionState>(state));
  status.set_reason(static_cast<v1::TerminationReason>(reason));
  targets_[target].state = state;
}

void WatchSession::Deliver(std::vector<Instruction> instructions) {
  {
    absl::MutexLock lock(&mu_);
    for (const Instruction& instruction : instructions) OnInstruction(instruction);
    if (items_.size() > max_queue_ && !ended_.has_value()) {
      items_.clear();
      ended_ = Overloaded("the stream is not read", absl::Seconds(1));
    }
  }
  wake_();
}

void WatchSession::OnInstruction(const Instruction& instruction) {
  const Subscription& row = *instruction.subscription;
  size_t target = 0;
  while (target < targets_.size() && (targets_[target].presentity != row.dialog.local_uri() ||
                                      targets_[target].event != row.event.text())) {
    ++target;
  }
  if (target == targets_.size()) return;
  const bool shows_state = instruction.state == SubscriptionState::kActive;
  if (!shows_state || targets_[target].state != instruction.state) {
    QueueStatus(target, instruction.state, instruction.reason);
  }
  if (shows_state) {
    Item& item = items_.emplace_back();
    item.target = target;
    v1::WatchedState& state = *item.response.mutable_state();
    state.set_presentity(targets_[target].presentity);
    state.set_event(targets_[target].event);
    *state.mutable_revision() = Converter::ToProto(instruction.revision);
    if (!instruction.document.empty()) {
      *state.mutable_document() = Converter::ToProto(instruction.document);
    }
    state.set_cause(static_cast<v1::NotifyCause>(instruction.cause));
    item.revision = instruction.revision;
  }
  NotifyReport report;
  report.subscription = row.id;
  report.cseq = instruction.cseq;
  report.epoch = instruction.epoch;
  report.code = 200;
  items_.back().report = report;
  MarkTold(target);
}

bool WatchSession::Take(v1::WatchResponse& response) {
  absl::MutexLock lock(&mu_);
  if (items_.empty() || writing_.has_value()) return false;
  writing_ = std::move(items_.front());
  items_.pop_front();
  if (writing_->revision.has_value()) known_[writing_->target] = *writing_->revision;
  response = std::move(writing_->response);
  response.set_resume_token(ToResumeToken(identity_, known_));
  last_write_ = clock_.Now();
  return true;
}

void WatchSession::OnWritten() {
  std::optional<NotifyReport> report;
  Engine::LinkId link = 0;
  {
    absl::MutexLock lock(&mu_);
    if (!writing_.has_value()) return;
    report = writing_->report;
    link = link_;
    writing_.reset();
  }
  if (!report.has_value()) return;
  engine_.AddCredit(link, 1);
  engine_.Report({*report});
}

void WatchSession::OnHeartbeatDue() {
  {
    absl::MutexLock lock(&mu_);
    if (writing_.has_value() || !items_.empty()) return;
    if (clock_.Now() - last_write_ < heartbeat_) return;
    v1::Heartbeat& heartbeat = *items_.emplace_back().response.mutable_heartbeat();
    *heartbeat.mutable_time() = google::protobuf::util::TimeUtil::MillisecondsToTimestamp(
        absl::ToUnixMillis(clock_.WallNow()));
  }
  wake_();
}

absl::Duration WatchSession::stalled_for() const {
  absl::MutexLock lock(&mu_);
  return writing_.has_value() ? clock_.Now() - last_write_ : absl::ZeroDuration();
}

std::optional<absl::Status> WatchSession::ended() const {
  absl::MutexLock lock(&mu_);
  return ended_;
}

bool WatchSession::has_items() const {
  absl::MutexLock lock(&mu_);
  return !items_.empty() || writing_.has_value();
}

void WatchSession::Close() {
  std::vector<LocalTag> ids;
  Engine::LinkId link = 0;
  {
    absl::MutexLock lock(&mu_);
    if (std::exchange(is_closed_, true)) return;
    link = link_;
    for (const Target& target : targets_) {
      if (target.id.has_value()) ids.push_back(*target.id);
    }
  }
  // First the subscriptions: without them nobody asks the link for credit after it has gone.
  for (const LocalTag& id : ids) engine_.ForgetWatch(id);
  if (link != 0) engine_.DetachLink(link);
}

}  // namespace presence
