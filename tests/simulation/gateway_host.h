#ifndef PRESENCE_TESTS_SIMULATION_GATEWAY_HOST_H_
#define PRESENCE_TESTS_SIMULATION_GATEWAY_HOST_H_

#include <memory>
#include <string>
#include <vector>

#include "sip-gateway/locating/static_locator.h"
#include "sip-gateway/server/gateway.h"
#include "tests/simulation/core_host.h"
#include "tests/simulation/network.h"
#include "tests/simulation/surroundings.h"

namespace presence::simulation {

// One stream between a gateway and the core: frames go in order, one at a time each way, each with
// a delay of its own. When it breaks, what is on its way is lost, and the two ends learn of it
// seconds apart.
class SimulatedStream final : public StreamEnd,
                              public std::enable_shared_from_this<SimulatedStream> {
 public:
  SimulatedStream(Surroundings& surroundings, CoreHost& core, sip::FrameStreamEvents& events,
                  std::function<void()> turn)
      : around_(surroundings), core_(core), events_(&events), turn_(std::move(turn)) {}

  void Connect();
  void Break();
  // The gateway has let go of it, or is no more.
  void Abandon();

  bool IsWritable() const { return !is_frame_to_core_; }
  void Write(v1::ConnectRequest frame);

  void OnCoreFrame(v1::ConnectResponse frame) override;
  void OnCoreClosed() override;
  bool CanTakeFrame() const override { return !is_frame_to_gateway_; }

 private:
  void CloseGatewayEnd(absl::Duration after);
  void CloseCoreEnd(absl::Duration after);

  Surroundings& around_;
  CoreHost& core_;
  sip::FrameStreamEvents* events_;  // null once nothing more may come
  const std::function<void()> turn_;
  CoreHost::StreamId id_ = 0;
  bool is_connected_ = false;
  bool is_broken_ = false;
  bool is_frame_to_core_ = false;
  bool is_frame_to_gateway_ = false;
  v1::ConnectRequest waiting_;  // the greeting, until the stream is open
};

// The machine that one gateway runs on.
class GatewayHost final : private sip::FrameStreamOpener {
 public:
  // An empty `group`: it is a group of its own.
  // It tries the cores in turn, from the first one on.
  GatewayHost(Surroundings& surroundings, Network& network, std::vector<CoreHost*> cores,
              std::string name, std::string group, std::string address);
  ~GatewayHost() override;

  const std::string& address() const { return address_; }
  bool is_up() const { return gateway_ != nullptr; }
  void Start();
  // Kills the process; it comes back by itself. Not from inside a call of the gateway's.
  void Die(absl::Duration longest_absence);
  void BreakStream();

 private:
  class Handle;

  std::unique_ptr<sip::FrameStream> Open(const std::string& address,
                                         sip::FrameStreamEvents& events) override;
  void Turn();

  // Ends a turn after whatever came in from the network.
  class TurningSink final : public sip::MessageSink {
   public:
    explicit TurningSink(GatewayHost& host) : host_(host) {}
    void OnMessage(const sip::Source& source, const sip::ScannedMessage& message) override;
    void OnRefused(const sip::Source& source, const sip::Refusal& refusal) override;
    void OnFlowClosed(sip::FlowId flow, sip::SendFailure why) override;
    void OnSendFailed(sip::SendTag tag, sip::SendFailure why) override;
    void OnIcmpError(const sip::SocketAddress& remote, std::string_view quoted,
                     sip::SendFailure why) override;

   private:
    GatewayHost& host_;
  };

  Surroundings& around_;
  Network& network_;
  const std::vector<CoreHost*> cores_;
  const std::string name_;
  const std::string group_;
  const std::string address_;
  // Instructions it takes at once: sometimes so few that watchers starve for credit.
  const uint32_t window_;
  const size_t per_turn_;  // NOTIFYs
  ProcessExecutor process_;
  SimulatedTransport transport_;
  sip::StaticLocator locator_;
  SeededRandom random_;
  TurningSink sink_{*this};
  std::weak_ptr<SimulatedStream> stream_;
  absl::Time next_turn_ = absl::InfiniteFuture();
  std::unique_ptr<sip::Gateway> gateway_;
};

}  // namespace presence::simulation

#endif  // PRESENCE_TESTS_SIMULATION_GATEWAY_HOST_H_
