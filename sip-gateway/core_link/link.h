#ifndef PRESENCE_SIP_GATEWAY_CORE_LINK_LINK_H_
#define PRESENCE_SIP_GATEWAY_CORE_LINK_LINK_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "presence/v1/errors.pb.h"
#include "presence/v1/gateway.pb.h"
#include "runtime/clock.h"
#include "runtime/fair_queue.h"
#include "runtime/random.h"
#include "sip-gateway/core_link/frame_stream.h"
#include "sip-gateway/core_link/result_log.h"

namespace presence::sip {

struct LinkConfig {
  std::string gateway;                 // stable name of this gateway
  std::string group;                   // empty: `gateway`
  std::vector<std::string> addresses;  // of the cores, tried in turn; not empty

  // Instructions a core may have on their way to us and in our lines. More would not be sent
  // faster.
  uint32_t instruction_window = 1024;
  // NOTIFYs made in one turn of the loop: everybody's requests, and the answers to those NOTIFYs,
  // are read in between.
  size_t instructions_per_turn = 64;
  // NOTIFYs unanswered at once; beyond it no more instructions are asked for.
  size_t max_notifies_in_flight = 65'536;
  // Frames close at the soft limit and never pass the hard one.
  size_t soft_frame_bytes = 64 * 1024;
  size_t hard_frame_bytes = 256 * 1024;

  // A command that gets no credit, or no room on the wire, for so long is refused.
  absl::Duration credit_timeout = absl::Milliseconds(500);
  // So long a command waits for its answer; anew, once, when the stream is lost.
  absl::Duration answer_timeout = absl::Seconds(2);
  // Without a core for so long no NOTIFY is sent or retransmitted any more.
  absl::Duration core_lost_after = absl::Seconds(3);
  // A core that has not greeted by then is left for the next.
  absl::Duration greeting_timeout = absl::Seconds(2);
  // Between two rounds over all addresses; the pause doubles from the first to the second.
  absl::Duration min_backoff = absl::Milliseconds(50);
  absl::Duration max_backoff = absl::Seconds(1);
};

// Whom the link serves: the gateway. Called on the gateway's thread.
class LinkUser {
 public:
  virtual ~LinkUser() = default;

  // NOTIFYs that still wait for their answer, for the greeting.
  virtual std::vector<v1::InstructionId> NotifiesInFlight() const = 0;
  virtual size_t NotifiesInFlightCount() const = 0;

  // A core has greeted: commands flow again.
  virtual void OnConnected(const std::string& address, const v1::Welcome& welcome) = 0;
  // A stream has ended, or an attempt to open one.
  virtual void OnDisconnected(const std::string& address, const absl::Status& why) = 0;
  // There has been no core for `core_lost_after`: NOTIFYs in flight are to be given up without a
  // result. Once a loss.
  virtual void OnCoreLost() = 0;

  // A NOTIFY to send; its result goes to Report(). `body` lives as long as the call. From inside
  // Advance() only.
  virtual void OnInstruction(v1::NotifyInstruction instruction, std::string_view body) = 0;
};

// Rising numbers, for metrics.
struct LinkStats {
  uint64_t streams_opened = 0;
  uint64_t streams_lost = 0;
  uint64_t frames_out = 0;
  uint64_t frames_in = 0;
  uint64_t commands = 0;
  uint64_t commands_resent = 0;
  uint64_t replies = 0;
  uint64_t late_replies = 0;       // to a command already refused
  uint64_t refused_no_credit = 0;  // 503: credit_timeout
  uint64_t refused_no_answer = 0;  // 503: answer_timeout
  uint64_t refused_no_core = 0;    // 503: no core for longer than that
  uint64_t instructions = 0;
  uint64_t stale_instructions = 0;  // of a lower epoch
  uint64_t instructions_over_credit = 0;
  uint64_t results = 0;
  uint64_t results_dropped = 0;     // beyond the bound, while there was no core
  size_t pending_commands = 0;      // now
  size_t waiting_instructions = 0;  // now
  bool is_connected = false;        // now
};

// The link to the core, as a state machine without threads and without gRPC.
//
// It is Disconnected (waiting to try the next address), Greeting (stream open, Hello sent, no
// Welcome yet) or Connected. Commands are accepted in all three. They wait in order; when the
// stream is writable and the core has given credit, all that is ready goes into one frame, so that
// the busier the link the fewer the writes.
//
// A core that stands still (SIGSTOP) keeps its stream: one that says nothing at all for half of the
// time that a command waits for its answer is left for the next, if there are several.
//
// A command is answered once: by the core, or here with CORE_UNREACHABLE or OVERLOADED, so that no
// request waits longer than the time-outs whatever happens to the core. When a stream is lost its
// unanswered commands go first on the next one, under the same command_id; the core recognises the
// repetition.
//
// Answers of the core are handed on as they come. Instructions wait in a lane for each resource,
// and the lanes take turns: a burst of one resource delays neither the answers behind it nor, by
// more than a moment, the NOTIFYs of others. Those of one dialog stay in order. When the stream is
// lost those that wait are dropped: the greeting does not name them, so the core instructs anew.
//
// Credit of instructions is given back when the NOTIFY has been handed to its transaction and not
// when it has come - so the lanes are bounded - nor when it has been answered, or the 32 s of 1,024
// mute watchers would silence all others.
class Link final : private FrameStreamEvents {
 public:
  using ReplyCallback = absl::AnyInvocable<void(const v1::CommandReply&)>;

  Link(LinkConfig config, const Clock& clock, Random& random, FrameStreamOpener& opener,
       LinkUser& user);
  ~Link() override;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // Sends the call, whose command_id is chosen here; `done` is called once, perhaps from inside
  // this call.
  void Submit(v1::GatewayCommand command, ReplyCallback done);

  // Tells the core how an instruction ended; now or, without a core, as soon as there is one again.
  void Report(v1::NotifyResult result);

  // Writes what is ready. To be called at the end of each turn of the event loop.
  void Flush();

  // Does what is due; returns when it wants to be called again at the latest.
  absl::Time Advance(absl::Time now);

  bool is_connected() const { return state_ == State::kConnected; }
  // Nothing waits to be answered by the core or told to it.
  bool is_idle() const;
  LinkStats stats() const;

 private:
  enum class State { kDisconnected, kGreeting, kConnected };
  // An instruction in a frame that lives until the last of its instructions has left the lanes.
  struct Waiting {
    std::shared_ptr<v1::ConnectResponse> frame;
    int index = 0;
  };
  struct Pending {
    v1::GatewayCommand command;
    ReplyCallback done;
    absl::Time waiting_since;  // for credit
    absl::Time deadline;       // for the answer
    bool was_sent = false;
    bool was_granted_more_time = false;
  };

  void OnFrame(v1::ConnectResponse& frame) override;
  void OnWritable() override;
  void OnClosed(const absl::Status& why) override;

  void OpenStream(absl::Time now);
  void LoseStream(const absl::Status& why);
  void ScheduleReconnect(absl::Time now);
  void Requeue(absl::Time now);
  void SayHello();
  void NameInFlight(v1::Hello& hello, size_t bytes) const;
  void AcceptWelcome(const v1::Welcome& welcome);
  void TakeReplies(v1::ConnectResponse& frame);
  void QueueInstructions(v1::ConnectResponse& frame);
  void HandOnInstructions();
  void HandOn(v1::ConnectResponse& frame, v1::NotifyInstruction& instruction);

  bool FillFrame();
  void FillResults(size_t& bytes);
  void FillCommands(size_t& bytes);
  uint32_t CreditToGive() const;

  void RefuseStarved(absl::Time now);
  void RefuseUnanswered(absl::Time now);
  void Refuse(uint64_t command_id, v1::ErrorReason reason);
  absl::Time MuteAt() const;
  absl::Time NextDue(absl::Time now) const;

  const LinkConfig config_;
  const Clock& clock_;
  Random& random_;
  FrameStreamOpener& opener_;
  LinkUser& user_;
  const uint64_t incarnation_;

  State state_ = State::kDisconnected;
  std::unique_ptr<FrameStream> stream_;
  uint64_t stream_number_ = 0;
  size_t address_index_ = 0;  // of the stream, or of the next one to open
  size_t failures_ = 0;       // since the last greeting
  absl::Time reconnect_at_;   // while disconnected
  absl::Time state_since_;    // greeting, connected
  // The first command since the last frame that came.
  absl::Time asked_at_ = absl::InfiniteFuture();
  absl::Time coreless_since_;  // InfiniteFuture while connected
  bool has_told_core_lost_ = false;
  bool is_draining_ = false;
  absl::Time draining_since_;

  uint64_t epoch_ = 0;      // the highest owner seen
  std::string epoch_core_;  // who had it

  uint64_t next_command_id_ = 1;
  uint32_t command_credit_ = 0;
  absl::flat_hash_map<uint64_t, Pending> pending_;
  std::deque<uint64_t> unsent_;  // ids in order; may name commands no longer pending
  std::deque<std::pair<absl::Time, uint64_t>> deadlines_;  // in order; the same
  size_t sent_unanswered_ = 0;

  int64_t instruction_credit_ = 0;  // what the core has left
  uint32_t credit_owed_ = 0;        // handed on and not given back
  FairQueue<uint32_t, Waiting> waiting_;

  ResultLog results_;
  v1::ConnectRequest frame_;  // being filled; kept for its memory
  LinkStats stats_;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_CORE_LINK_LINK_H_
