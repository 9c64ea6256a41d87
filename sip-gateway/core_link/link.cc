#include "sip-gateway/core_link/link.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace presence::sip {
namespace {

// Retry-After of what is refused here: a core restarts in less.
constexpr int64_t kRetryAfterSeconds = 5;

// Tag and length of one item in a frame.
constexpr size_t kItemOverhead = 6;

}  // namespace

Link::Link(LinkConfig config, const Clock& clock, Random& random, FrameStreamOpener& opener,
           LinkUser& user)
    : config_(std::move(config)),
      clock_(clock),
      random_(random),
      opener_(opener),
      user_(user),
      incarnation_(random.Next64()),
      reconnect_at_(clock.Now()),
      state_since_(clock.Now()),
      coreless_since_(clock.Now()),
      results_(config_.max_notifies_in_flight) {
  // Without an address there is nothing this object could do: the configuration must have been
  // refused.
  if (config_.addresses.empty()) std::abort();
}

Link::~Link() = default;

bool Link::is_idle() const {
  return pending_.empty() && results_.empty() && waiting_.empty() &&
         (stream_ == nullptr || stream_->IsWritable());
}

LinkStats Link::stats() const {
  LinkStats stats = stats_;
  stats.results_dropped = results_.dropped();
  stats.pending_commands = pending_.size();
  stats.waiting_instructions = waiting_.size();
  stats.is_connected = is_connected();
  return stats;
}

// ---- what the gateway hands in ----

void Link::Submit(v1::GatewayCommand command, ReplyCallback done) {
  const absl::Time now = clock_.Now();
  const uint64_t id = next_command_id_++;
  command.set_command_id(id);
  ++stats_.commands;
  const absl::Time deadline = now + config_.answer_timeout;
  pending_.emplace(id, Pending{std::move(command), std::move(done), now, deadline});
  if (now - coreless_since_ > config_.answer_timeout) {
    ++stats_.refused_no_core;
    Refuse(id, v1::ERROR_REASON_CORE_UNREACHABLE);
    return;
  }
  unsent_.push_back(id);
  deadlines_.emplace_back(deadline, id);
}

void Link::Report(v1::NotifyResult result) {
  ++stats_.results;
  results_.Add(std::move(result));
}

// ---- the stream ----

void Link::OpenStream(absl::Time now) {
  state_ = State::kGreeting;
  state_since_ = now;
  is_draining_ = false;
  command_credit_ = 0;
  ++stream_number_;
  ++stats_.streams_opened;
  stream_ = opener_.Open(config_.addresses[address_index_], *this);
  SayHello();
}

// With the results that wait: what the core misses both among them and among those in flight it
// instructs again.
void Link::SayHello() {
  frame_.Clear();
  v1::Hello& hello = *frame_.mutable_hello();
  hello.set_gateway(config_.gateway);
  hello.set_group(config_.group.empty() ? config_.gateway : config_.group);
  hello.set_stream_number(stream_number_);
  hello.set_incarnation(incarnation_);
  hello.set_instruction_credit(config_.instruction_window);
  instruction_credit_ = config_.instruction_window;
  credit_owed_ = 0;
  size_t bytes = hello.ByteSizeLong();
  FillResults(bytes);
  NameInFlight(hello, bytes);
  stream_->Write(frame_);
  frame_.Clear();
  ++stats_.frames_out;
}

// As many as a frame holds; results that did not fit are in flight as the core sees it. What is not
// named is instructed again under a higher CSeq, and takes the place of the one here.
void Link::NameInFlight(v1::Hello& hello, size_t bytes) const {
  const auto name = [&](const v1::InstructionId& id) {
    bytes += id.ByteSizeLong() + kItemOverhead;
    if (bytes > config_.hard_frame_bytes) return false;
    *hello.add_in_flight() = id;
    return true;
  };
  for (const v1::NotifyResult& result : results_.waiting()) {
    if (!name(result.id())) return;
  }
  for (const v1::InstructionId& id : user_.NotifiesInFlight()) {
    if (!name(id)) return;
  }
}

void Link::OnWritable() { Flush(); }

void Link::OnClosed(const absl::Status& why) { LoseStream(why); }

void Link::LoseStream(const absl::Status& why) {
  const absl::Time now = clock_.Now();
  const std::string address = config_.addresses[address_index_];
  if (state_ == State::kConnected) {
    ++stats_.streams_lost;
    coreless_since_ = now;
    has_told_core_lost_ = false;
  }
  state_ = State::kDisconnected;
  state_since_ = now;
  asked_at_ = absl::InfiniteFuture();
  stream_.reset();
  waiting_ = {};
  Requeue(now);
  results_.TakeBackWritten(now);
  ScheduleReconnect(now);
  user_.OnDisconnected(address, why);
}

// The next address at once, a pause when all have had their turn. Half of it is chance, so that the
// gateways of a restarted core do not come back in step.
void Link::ScheduleReconnect(absl::Time now) {
  address_index_ = (address_index_ + 1) % config_.addresses.size();
  ++failures_;
  reconnect_at_ = now;
  if (failures_ % config_.addresses.size() != 0) return;
  const size_t round = std::min<size_t>(failures_ / config_.addresses.size() - 1, 16);
  const absl::Duration pause =
      std::min(config_.max_backoff, config_.min_backoff * (int64_t{1} << round));
  const auto permille = static_cast<int64_t>(500 + random_.Next64() % 501);
  reconnect_at_ += pause * permille / 1000;
}

// What was sent and not answered goes first on the next stream, in the order of its ids.
void Link::Requeue(absl::Time now) {
  if (sent_unanswered_ == 0) return;
  std::vector<uint64_t> again;
  again.reserve(sent_unanswered_);
  for (auto& [id, pending] : pending_) {
    if (!pending.was_sent) continue;
    pending.was_sent = false;
    pending.waiting_since = now;
    again.push_back(id);
  }
  std::sort(again.begin(), again.end());
  for (const uint64_t id : again) {
    Pending& pending = pending_.find(id)->second;
    if (pending.was_granted_more_time) continue;
    pending.was_granted_more_time = true;
    pending.deadline = now + config_.answer_timeout;
    deadlines_.emplace_back(pending.deadline, id);
  }
  unsent_.insert(unsent_.begin(), again.begin(), again.end());
  sent_unanswered_ = 0;
}

// ---- what the core sends ----

void Link::OnFrame(v1::ConnectResponse& frame) {
  ++stats_.frames_in;
  asked_at_ = absl::InfiniteFuture();
  if (state_ == State::kGreeting) {
    if (!frame.has_welcome()) {
      LoseStream(absl::InternalError("the core's first frame was no greeting"));
      return;
    }
    AcceptWelcome(frame.welcome());
    if (state_ != State::kConnected) return;
  }
  command_credit_ += frame.command_credit();
  if (frame.draining() && !is_draining_) {
    is_draining_ = true;
    draining_since_ = clock_.Now();
  }
  TakeReplies(frame);
  QueueInstructions(frame);
}

void Link::AcceptWelcome(const v1::Welcome& welcome) {
  // A core that is behind another one has lost its ownership and may not know yet. The same core
  // may come back with a lower epoch, when its machine's clock was set back: it is still the owner.
  if (welcome.epoch() < epoch_ && welcome.core() != epoch_core_) {
    LoseStream(absl::FailedPreconditionError(absl::StrCat("core ", welcome.core(), " is of epoch ",
                                                          welcome.epoch(), ", but ", epoch_core_,
                                                          " is of epoch ", epoch_)));
    return;
  }
  epoch_ = welcome.epoch();
  epoch_core_ = welcome.core();
  state_ = State::kConnected;
  state_since_ = clock_.Now();
  coreless_since_ = absl::InfiniteFuture();
  failures_ = 0;
  command_credit_ = welcome.command_credit();
  user_.OnConnected(config_.addresses[address_index_], welcome);
}

void Link::TakeReplies(v1::ConnectResponse& frame) {
  for (const v1::CommandReply& reply : frame.replies()) {
    const auto it = pending_.find(reply.command_id());
    if (it == pending_.end()) {
      ++stats_.late_replies;
      continue;
    }
    if (it->second.was_sent) --sent_unanswered_;
    ReplyCallback done = std::move(it->second.done);
    pending_.erase(it);
    ++stats_.replies;
    done(reply);
  }
}

void Link::QueueInstructions(v1::ConnectResponse& frame) {
  if (frame.instructions().empty()) return;
  const auto kept = std::make_shared<v1::ConnectResponse>(std::move(frame));
  for (int i = 0; i < kept->instructions_size(); ++i) {
    ++stats_.instructions;
    if (--instruction_credit_ < 0) ++stats_.instructions_over_credit;
    waiting_.Add(kept->instructions(i).resource(), {kept, i});
  }
  // A little over is a mistake in counting; more would fill our memory.
  if (instruction_credit_ < -int64_t{config_.instruction_window}) {
    LoseStream(absl::ResourceExhaustedError("the core does not keep to the credit it was given"));
  }
}

void Link::HandOnInstructions() {
  for (size_t i = 0; i < config_.instructions_per_turn && !waiting_.empty(); ++i) {
    const Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    ++credit_owed_;
    HandOn(*next.frame, *next.frame->mutable_instructions(next.index));
  }
}

void Link::HandOn(v1::ConnectResponse& frame, v1::NotifyInstruction& instruction) {
  const bool is_body_there = instruction.body() <= static_cast<uint32_t>(frame.bodies_size());
  if (instruction.epoch() < epoch_ || !is_body_there) {
    v1::NotifyResult result;
    result.mutable_id()->set_local_tag(instruction.dialog().local_tag());
    result.mutable_id()->set_cseq(instruction.cseq());
    result.mutable_id()->set_epoch(instruction.epoch());
    result.set_outcome(is_body_there ? v1::NotifyResult::OUTCOME_STALE_EPOCH
                                     : v1::NotifyResult::OUTCOME_UNSENDABLE);
    if (is_body_there) ++stats_.stale_instructions;
    Report(std::move(result));
    return;
  }
  epoch_ = instruction.epoch();
  const std::string_view body =
      instruction.body() != 0
          ? std::string_view(frame.bodies(static_cast<int>(instruction.body()) - 1))
          : std::string_view();
  user_.OnInstruction(std::move(instruction), body);
}

// ---- what goes to the core ----

void Link::Flush() {
  while (state_ == State::kConnected && stream_->IsWritable() && FillFrame()) {
    stream_->Write(frame_);
    frame_.Clear();
    ++stats_.frames_out;
  }
}

// False if there is nothing worth a frame.
bool Link::FillFrame() {
  frame_.Clear();
  size_t bytes = 0;
  // Results before commands: they free dialogs at the core, and are small.
  FillResults(bytes);
  FillCommands(bytes);
  const uint32_t credit = CreditToGive();
  if (credit == 0) return bytes != 0;
  frame_.set_instruction_credit(credit);
  credit_owed_ -= credit;
  instruction_credit_ += credit;
  return true;
}

void Link::FillResults(size_t& bytes) {
  const absl::Time now = clock_.Now();
  while (!results_.empty() && bytes < config_.soft_frame_bytes) {
    bytes += results_.front().ByteSizeLong() + kItemOverhead;
    *frame_.add_results() = results_.front();
    results_.MarkFrontWritten(now);
  }
}

void Link::FillCommands(size_t& bytes) {
  while (!unsent_.empty() && !is_draining_) {
    const auto it = pending_.find(unsent_.front());
    if (it == pending_.end()) {  // refused meanwhile
      unsent_.pop_front();
      continue;
    }
    if (command_credit_ == 0) return;
    Pending& pending = it->second;
    const size_t size = pending.command.ByteSizeLong() + kItemOverhead;
    if (size > config_.hard_frame_bytes) {
      const uint64_t id = it->first;
      unsent_.pop_front();
      Refuse(id, v1::ERROR_REASON_DOCUMENT_TOO_LARGE);
      continue;
    }
    if (bytes != 0 && bytes + size > config_.soft_frame_bytes) return;
    bytes += size;
    *frame_.add_commands() = pending.command;
    if (pending.was_granted_more_time) ++stats_.commands_resent;
    pending.was_sent = true;
    ++sent_unanswered_;
    asked_at_ = std::min(asked_at_, clock_.Now());
    --command_credit_;
    unsent_.pop_front();
  }
}

// In parts: each has the core look for what waits for credit.
uint32_t Link::CreditToGive() const {
  const bool is_enough = credit_owed_ >= std::max(config_.instruction_window / 4, 1u);
  const bool may_have_more = user_.NotifiesInFlightCount() < config_.max_notifies_in_flight;
  return is_enough && may_have_more ? credit_owed_ : 0;
}

// ---- time ----

absl::Time Link::Advance(absl::Time now) {
  if (state_ == State::kGreeting && now - state_since_ >= config_.greeting_timeout) {
    LoseStream(absl::DeadlineExceededError("the core did not greet in time"));
  }
  if (state_ == State::kConnected && now >= MuteAt()) {
    LoseStream(absl::DeadlineExceededError("the core answers nothing"));
  }
  if (is_draining_ && state_ == State::kConnected &&
      (sent_unanswered_ == 0 || now - draining_since_ >= config_.answer_timeout)) {
    LoseStream(absl::UnavailableError("the core is draining"));
  }
  if (state_ == State::kDisconnected && now >= reconnect_at_) OpenStream(now);
  HandOnInstructions();
  RefuseStarved(now);
  RefuseUnanswered(now);
  if (!has_told_core_lost_ && now - coreless_since_ >= config_.core_lost_after) {
    has_told_core_lost_ = true;
    user_.OnCoreLost();
  }
  return NextDue(now);
}

// When a core that has said nothing since a command was sent is taken for one that stands still, if
// there is another one to try: so early that the command may still be answered there.
absl::Time Link::MuteAt() const {
  if (config_.addresses.size() == 1) return absl::InfiniteFuture();
  return asked_at_ + config_.answer_timeout / 2;
}

// Connected, and yet no credit or no room on the wire: the core is saturated.
void Link::RefuseStarved(absl::Time now) {
  while (state_ == State::kConnected && !unsent_.empty()) {
    const uint64_t id = unsent_.front();
    const auto it = pending_.find(id);
    if (it != pending_.end()) {
      // Time without a core is not the core's saturation.
      const absl::Time since = std::max(it->second.waiting_since, state_since_);
      if (now - since < config_.credit_timeout || is_draining_) return;
      ++stats_.refused_no_credit;
    }
    unsent_.pop_front();
    Refuse(id, v1::ERROR_REASON_OVERLOADED);
  }
}

void Link::RefuseUnanswered(absl::Time now) {
  while (!deadlines_.empty() && deadlines_.front().first <= now) {
    const uint64_t id = deadlines_.front().second;
    deadlines_.pop_front();
    const auto it = pending_.find(id);
    // With a later deadline it has another entry further back.
    if (it == pending_.end() || it->second.deadline > now) continue;
    ++stats_.refused_no_answer;
    Refuse(id, v1::ERROR_REASON_CORE_UNREACHABLE);
  }
}

void Link::Refuse(uint64_t command_id, v1::ErrorReason reason) {
  const auto it = pending_.find(command_id);
  if (it == pending_.end()) return;
  if (it->second.was_sent) --sent_unanswered_;
  ReplyCallback done = std::move(it->second.done);
  pending_.erase(it);
  v1::CommandReply reply;
  reply.set_command_id(command_id);
  reply.mutable_error()->set_reason(reason);
  reply.mutable_error()->mutable_retry_after()->set_seconds(kRetryAfterSeconds);
  done(reply);
}

absl::Time Link::NextDue(absl::Time now) const {
  if (!waiting_.empty()) return now;
  absl::Time due = absl::InfiniteFuture();
  if (state_ == State::kDisconnected) due = std::min(due, reconnect_at_);
  if (state_ == State::kGreeting) due = std::min(due, state_since_ + config_.greeting_timeout);
  if (is_draining_ && state_ == State::kConnected) {
    due = std::min(due, draining_since_ + config_.answer_timeout);
  }
  if (state_ == State::kConnected) due = std::min(due, MuteAt());
  if (state_ == State::kConnected && !unsent_.empty()) {
    const auto it = pending_.find(unsent_.front());
    if (it == pending_.end()) return now;
    if (!is_draining_) {
      due =
          std::min(due, std::max(it->second.waiting_since, state_since_) + config_.credit_timeout);
    }
  }
  if (!deadlines_.empty()) due = std::min(due, deadlines_.front().first);
  if (!has_told_core_lost_) due = std::min(due, coreless_since_ + config_.core_lost_after);
  return due;
}

}  // namespace presence::sip
