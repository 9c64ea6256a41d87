#ifndef PRESENCE_CORE_RPC_GATEWAY_SESSION_H_
#define PRESENCE_CORE_RPC_GATEWAY_SESSION_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "presence-core/engine/engine.h"
#include "presence-core/rpc/convert.h"
#include "presence/v1/gateway.pb.h"
#include "runtime/fair_queue.h"

namespace presence {

// One gateway's stream, seen from the core: frames in, frames out, and the credit that keeps both
// bounded.
//
//      gateway ──commands──> OnFrame ──> engine ──answers──┐
//              ──results───> OnFrame ──> engine            ├──> outbox ──TakeFrame──> gateway
//                                        notifier ─────────┘    replies first
//
// A session lives as long as its stream and holds nothing that the core could not do without:
// subscriptions and what is owed to them belong to the engine. A stream may break at any moment.
// What was instructed and not answered stays in flight in the engine until the gateway says in its
// next Hello what it still works on; what it does not name is instructed again. Commands the
// gateway did not see answered come again, and the engine recognizes them.
//
// This is the state machine alone: no gRPC, no thread. gateway_stream.h drives it over gRPC, and
// the simulation over a link that loses and delays.
//
// Nobody tells of a flow that has closed: a NOTIFY over it goes to the Contact or comes back as
// NO_FLOW, and the gateway is the one to see which.
//
// Invariants: the gateway never has more commands under way than it was granted, nor the core more
// instructions; a reply never waits behind an instruction, nor an instruction of one resource
// behind all those of another; one frame carries each body once.
class GatewaySession final : public WatcherLink,
                             public std::enable_shared_from_this<GatewaySession> {
 public:
  static constexpr uint32_t kCommandCredit = 4096;
  static constexpr size_t kSoftFrameBytes = 64 * 1024;

  // `wake` is called, from any thread and without locks, when TakeFrame has something to give.
  static std::shared_ptr<GatewaySession> Create(Engine& engine, const Clock& clock,
                                                std::string core_name, std::function<void()> wake);
  ~GatewaySession() override;

  // Takes the next frame of the gateway. Frames come one after the other. A status that is not OK
  // ends the stream: INVALID_FIELD   a first frame without Hello, or a later one with; OVERLOADED
  // more commands than were granted.
  absl::Status OnFrame(const v1::ConnectRequest& frame);

  // Moves what is ready into `frame`, at most about 64 KiB of it; false when there is nothing.
  bool TakeFrame(v1::ConnectResponse& frame);

  // Tells the gateway that this core stops soon.
  void Drain();

  // The stream has gone: nothing is delivered to this session from now on.
  void Close();

  // Called by the notifier; any thread.
  void Deliver(std::vector<Instruction> instructions) override;

  // Of the Hello; empty before it.
  const std::string& gateway() const { return gateway_; }
  uint64_t incarnation() const { return incarnation_; }
  uint64_t stream_number() const { return stream_number_; }

 private:
  GatewaySession(Engine& engine, const Clock& clock, std::string core_name,
                 std::function<void()> wake);

  Engine::LinkId link() const;
  absl::Status OnHello(const v1::ConnectRequest& frame);
  void OnResults(const v1::ConnectRequest& frame);
  absl::Status OnCommands(const v1::ConnectRequest& frame);
  void OnCommand(const v1::GatewayCommand& command);
  template <typename Outcome>
  Engine::Done<Outcome> Answering(uint64_t command_id);
  void Reply(v1::CommandReply reply);
  void AddInstructions(v1::ConnectResponse& frame, size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Engine& engine_;
  const Converter convert_;
  const std::string core_name_;
  const std::function<void()> wake_;

  // Set by the first frame, before anybody else reads them.
  std::string gateway_;
  std::string group_;
  uint64_t incarnation_ = 0;
  uint64_t stream_number_ = 0;

  mutable absl::Mutex mu_;  // a leaf
  Engine::LinkId link_ ABSL_GUARDED_BY(mu_) = 0;
  bool has_welcome_ ABSL_GUARDED_BY(mu_) = false;
  bool is_draining_ ABSL_GUARDED_BY(mu_) = false;
  bool is_closed_ ABSL_GUARDED_BY(mu_) = false;
  uint32_t commands_under_way_ ABSL_GUARDED_BY(mu_) = 0;
  std::deque<v1::CommandReply> replies_ ABSL_GUARDED_BY(mu_);
  // By the hash of the resource, which every dialog's tag carries; two that share one share turns.
  FairQueue<uint32_t, Instruction> instructions_ ABSL_GUARDED_BY(mu_);
};

}  // namespace presence

#endif  // PRESENCE_CORE_RPC_GATEWAY_SESSION_H_
