#include "sip-gateway/transport/tcp_connection.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <utility>
#include <variant>

namespace presence::sip {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

// An idle connection does not keep the space its longest message once took.
constexpr size_t kKeptQueueBytes = 16 * 1024;

bool WouldBlock(const error_code& error) {
  return error == boost::asio::error::would_block || error == boost::asio::error::try_again ||
         error == boost::asio::error::interrupted;
}

SendFailure ConnectFailure(const error_code& error) {
  namespace asio_error = boost::asio::error;
  if (error == asio_error::connection_refused || error == asio_error::connection_reset) {
    return SendFailure::kRefused;
  }
  return error == asio_error::timed_out ? SendFailure::kTimedOut : SendFailure::kUnreachable;
}

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

}  // namespace

TcpConnection::TcpConnection(tcp::socket socket, const Identity& identity, const Clock& clock,
                             const TransportConfig& config, absl::Span<char> scratch,
                             TransportStats& stats, Owner& owner)
    : socket_(std::move(socket)),
      identity_(identity),
      clock_(clock),
      config_(config),
      scratch_(scratch),
      stats_(stats),
      owner_(owner),
      framer_(config.scan_limits),
      state_since_(clock.Now()),
      last_heard_(state_since_) {}

void TcpConnection::StartConnecting(const tcp::endpoint& to) {
  socket_.async_connect(to, [self = shared_from_this()](const error_code& error) {
    if (self->state_ == State::kConnecting) self->OnConnected(error);
  });
}

void TcpConnection::OnConnected(const error_code& error) {
  if (error) {
    Abort(ConnectFailure(error));
    return;
  }
  StartAccepted();
  Flush();
}

void TcpConnection::StartAccepted() {
  state_ = State::kOpen;
  state_since_ = last_heard_ = clock_.Now();
  error_code ignored;  // options make it better, not possible
  socket_.set_option(tcp::no_delay(true), ignored);
  socket_.set_option(boost::asio::socket_base::keep_alive(true), ignored);
  socket_.non_blocking(true, ignored);
  owner_.OnDeadlineMoved(*this);
  WaitReadable();
}

void TcpConnection::WaitReadable() {
  socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](const error_code& error) {
    if (self->state_ == State::kClosed || error == boost::asio::error::operation_aborted) return;
    self->OnReadable();
  });
}

void TcpConnection::WaitWritable() {
  if (std::exchange(is_waiting_writable_, true)) return;
  socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this()](const error_code&) {
    self->is_waiting_writable_ = false;
    if (self->state_ != State::kClosed) self->Flush();
  });
}

// Reads once, then waits again: a peer that always has more does not keep the others waiting.
void TcpConnection::OnReadable() {
  error_code error;
  const size_t size =
      socket_.read_some(boost::asio::buffer(scratch_.data(), scratch_.size()), error);
  if (WouldBlock(error)) {
    WaitReadable();
    return;
  }
  if (error == boost::asio::error::eof) {
    OnPeerFinished();
    return;
  }
  if (error) {
    Abort(SendFailure::kClosed);
    return;
  }
  if (state_ == State::kOpen) {
    has_said_something_ = true;
    last_heard_ = clock_.Now();
    framer_.Feed({scratch_.data(), size});
    TakeMessages(last_heard_);
  }
  if (state_ != State::kClosed) WaitReadable();
}

void TcpConnection::TakeMessages(absl::Time now) {
  bool is_taken = false;
  bool goes_on = true;
  while (goes_on && state_ == State::kOpen) {
    const StreamFramer::Event event = framer_.Next();
    std::visit(Overloaded{
                   [&](const StreamFramer::NeedMore&) { goes_on = false; },
                   [&](const KeepAlive& keepalive) {
                     ++stats_.keepalives;
                     if (keepalive.is_ping) AnswerPing();
                   },
                   [&](const ScannedMessage& message) {
                     is_taken = true;
                     ++stats_.stream_messages_in;
                     if (message.is_request() && message.method != "ACK") ++unanswered_requests_;
                     owner_.OnStreamMessage(*this, message);
                   },
                   [&](const Refusal& refusal) {
                     // The answer is queued inside; Finish() sends it and closes.
                     ++stats_.refused_messages;
                     owner_.OnStreamRefused(*this, refusal);
                     Finish();
                   },
               },
               event);
  }
  if (!framer_.has_partial_message()) {
    message_since_ = absl::InfiniteFuture();
  } else if (is_taken || message_since_ == absl::InfiniteFuture()) {
    message_since_ = now;
    owner_.OnDeadlineMoved(*this);
  }
}

// RFC 5626 §4.4.1 and §3.5.1: a double CRLF is answered by a single one.
void TcpConnection::AnswerPing() {
  if (Queue("\r\n", false)) owner_.OnQueued(*this);
}

void TcpConnection::OnPeerFinished() {
  has_peer_finished_ = true;
  if (state_ == State::kLingering) {
    Abort(SendFailure::kClosed);
    return;
  }
  if (state_ != State::kOpen) return;  // finishing: what is queued is still sent
  state_ = State::kPeerFinished;
  state_since_ = clock_.Now();
  message_since_ = absl::InfiniteFuture();
  owner_.OnDeadlineMoved(*this);
  TellUnusable(SendFailure::kClosed);
  EndIfDone();
}

bool TcpConnection::Queue(std::string_view bytes, bool is_answer) {
  if (is_answer ? !can_take_answers() : !can_take_requests()) return false;
  if (is_answer && unanswered_requests_ > 0) --unanswered_requests_;
  if (queued_bytes() + bytes.size() > config_.max_write_queue) return false;
  if (out_sent_ > 0 && out_sent_ >= out_.size() / 2) {
    out_.erase(0, out_sent_);
    out_sent_ = 0;
  }
  out_.append(bytes);
  return true;
}

void TcpConnection::Flush() {
  if (state_ == State::kConnecting || state_ == State::kClosed || is_waiting_writable_) return;
  while (queued_bytes() > 0) {
    error_code error;
    const size_t written =
        socket_.write_some(boost::asio::buffer(out_.data() + out_sent_, queued_bytes()), error);
    if (WouldBlock(error)) {
      if (write_stalled_since_ == absl::InfiniteFuture()) {
        write_stalled_since_ = clock_.Now();
        owner_.OnDeadlineMoved(*this);
      }
      WaitWritable();
      return;
    }
    if (error) {
      Abort(SendFailure::kClosed);
      return;
    }
    out_sent_ += written;
    write_stalled_since_ = absl::InfiniteFuture();
  }
  out_.clear();
  out_sent_ = 0;
  if (out_.capacity() > kKeptQueueBytes) out_.shrink_to_fit();
  EndIfDone();
}

void TcpConnection::Finish() {
  if (state_ == State::kConnecting) {
    Abort(SendFailure::kClosed);
    return;
  }
  if (state_ != State::kOpen && state_ != State::kPeerFinished) return;
  state_ = State::kFinishing;
  state_since_ = clock_.Now();
  message_since_ = absl::InfiniteFuture();
  TellUnusable(SendFailure::kClosed);
  owner_.OnQueued(*this);
}

void TcpConnection::EndIfDone() {
  if (queued_bytes() > 0) return;
  const bool is_done = (state_ == State::kPeerFinished && unanswered_requests_ == 0) ||
                       (state_ == State::kFinishing && has_peer_finished_);
  if (is_done) {
    Abort(SendFailure::kClosed);
  } else if (state_ == State::kFinishing) {
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    state_ = State::kLingering;
    state_since_ = clock_.Now();
    owner_.OnDeadlineMoved(*this);
  }
}

void TcpConnection::Abort(SendFailure why) {
  if (state_ == State::kClosed) return;
  const auto self = shared_from_this();  // the owner lets go of it below
  state_ = State::kClosed;
  error_code ignored;
  socket_.close(ignored);
  TellUnusable(why);
  owner_.OnClosed(*this);
}

void TcpConnection::TellUnusable(SendFailure why) {
  if (!std::exchange(is_unusable_told_, true)) owner_.OnUnusable(*this, why);
}

absl::Time TcpConnection::Deadline() const {
  const absl::Time stalled = write_stalled_since_ + config_.write_stall_timeout;
  switch (state_) {
    case State::kConnecting:
      return state_since_ + config_.connect_timeout;
    case State::kOpen: {
      const bool is_mute = identity_.is_accepted && !has_said_something_;
      const absl::Time silent =
          last_heard_ + (is_mute ? config_.first_byte_timeout : config_.idle_timeout);
      return std::min({silent, message_since_ + config_.message_deadline, stalled});
    }
    case State::kPeerFinished:
      return std::min(state_since_ + config_.peer_finished_timeout, stalled);
    case State::kFinishing:
      return std::min(state_since_ + config_.write_stall_timeout, stalled);
    case State::kLingering:
      return state_since_ + config_.linger_timeout;
    case State::kClosed:
      break;
  }
  return absl::InfiniteFuture();
}

void TcpConnection::CheckDeadline(absl::Time now) {
  if (now < Deadline()) return;
  if (state_ != State::kLingering) ++stats_.connections_timed_out;
  Abort(state_ == State::kConnecting ? SendFailure::kTimedOut : SendFailure::kClosed);
}

}  // namespace presence::sip
