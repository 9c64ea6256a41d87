#ifndef PRESENCE_TESTS_SIMULATION_NETWORK_H_
#define PRESENCE_TESTS_SIMULATION_NETWORK_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sip-gateway/sofia/prescan.h"
#include "sip-gateway/transport/transport.h"
#include "tests/simulation/surroundings.h"

namespace presence::simulation {

// Where a message came from, and an answer to it goes.
struct Origin {
  std::string gateway;
  sip::FlowId flow = sip::kNoFlow;  // kNoFlow: by datagram
};

// A phone's end of the network.
class Station {
 public:
  virtual ~Station() = default;
  virtual void OnMessage(const std::string& bytes, const Origin& origin) = 0;
  virtual void OnFlowClosed(const std::string& gateway) = 0;
  // Whether connections to it can be opened; one behind a NAT has only those it opens itself.
  virtual bool AcceptsConnections() const = 0;
};

// The network between gateways and phones. Datagrams are lost, doubled and overtake each other.
// What goes over a connection arrives in pieces and in order, as far as it arrives at all: a
// connection may be cut between two pieces of one message. Addresses are "192.0.2.1:5060".
class Network {
 public:
  explicit Network(Surroundings& surroundings) : around_(surroundings) {}

  void AddStation(const std::string& address, Station& station) { stations_[address] = &station; }

  // A gateway listens at `address`, over UDP and TCP, until it is taken away with a null sink. Its
  // connections go with it.
  void SetGateway(const std::string& address, sip::MessageSink* sink);

  // From a phone: by datagram, or over its connection to that gateway, which is opened if there is
  // none.
  void SendDatagram(const std::string& from, const std::string& to, std::string bytes);
  void SendOverFlow(const std::string& from, const std::string& to, std::string bytes);
  // The way the message came; nowhere when its connection has gone.
  void Reply(const std::string& from, const Origin& origin, std::string bytes);
  // Cuts the phone's connections; both ends hear of it.
  void Cut(const std::string& phone);
  bool HasFlow(const std::string& phone, const std::string& gateway) const {
    return by_ends_.contains({phone, gateway});
  }

  // From a gateway.
  void SendDatagramToPhone(const std::string& from, const std::string& to, std::string bytes);
  bool IsOpen(const std::string& gateway, sip::FlowId flow) const;
  // The connection to this phone, opened if it can be; kNoFlow if not.
  sip::FlowId FlowTo(const std::string& gateway, const std::string& phone, bool may_connect);
  void SendOverFlowToPhone(sip::FlowId flow, std::string bytes);

 private:
  struct Direction {
    sip::StreamFramer framer;
    absl::Time last_arrival;
  };
  struct Flow {
    sip::FlowId id;
    std::string phone;
    std::string gateway;
    Direction to_phone;
    Direction to_gateway;
  };
  using FlowPtr = std::shared_ptr<Flow>;
  using OnPiece = void (Network::*)(Flow&, std::string_view);

  sip::FlowId Open(const std::string& gateway, const std::string& phone);
  void Close(sip::FlowId id);
  void Travel(Task arrival);
  // What becomes of a datagram: none, one or two copies arrive.
  void TravelAsDatagram(const std::function<void()>& arrival);
  void TravelInPieces(const FlowPtr& flow, Direction& direction, const std::string& bytes,
                      OnPiece on_piece);
  void OnPieceAtGateway(Flow& flow, std::string_view piece);
  void OnPieceAtPhone(Flow& flow, std::string_view piece);

  Surroundings& around_;
  std::map<std::string, Station*> stations_;
  std::map<std::string, sip::MessageSink*> gateways_;
  std::map<sip::FlowId, FlowPtr> flows_;
  std::map<std::pair<std::string, std::string>, sip::FlowId> by_ends_;  // phone, gateway
  sip::FlowId next_flow_ = 1;
};

// One gateway's sockets on the network.
class SimulatedTransport final : public sip::Transport {
 public:
  SimulatedTransport(Network& network, std::string address);

  void SetSink(sip::MessageSink* sink) { sink_ = sink; }

  sip::FlowId Send(const sip::NextHop& hop, std::string_view bytes, sip::SendTag tag) override;
  void Flush() override;
  void Alias(sip::FlowId, uint16_t) override {}
  bool IsOpen(sip::FlowId flow) const override { return network_.IsOpen(address_, flow); }
  void Close(sip::FlowId) override {}
  absl::Span<const sip::Listener> listeners() const override { return listeners_; }
  bool IsOwnAddress(const sip::SocketAddress& address) const override {
    return address.ToString() == address_;
  }

 private:
  Network& network_;
  const std::string address_;
  sip::MessageSink* sink_ = nullptr;
  std::vector<sip::Listener> listeners_;
  std::vector<std::pair<sip::SendTag, sip::SendFailure>> failures_;
};

}  // namespace presence::simulation

#endif  // PRESENCE_TESTS_SIMULATION_NETWORK_H_
