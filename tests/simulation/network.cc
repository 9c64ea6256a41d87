#include "tests/simulation/network.h"

#include <algorithm>
#include <variant>

namespace presence::simulation {

void Network::SetGateway(const std::string& address, sip::MessageSink* sink) {
  gateways_[address] = sink;
  std::vector<sip::FlowId> gone;
  for (const auto& [id, flow] : flows_) {
    if (flow->gateway == address) gone.push_back(id);
  }
  for (const sip::FlowId id : gone) Close(id);
}

// ---- datagrams ----

void Network::Travel(Task arrival) {
  around_.After(around_.UpTo(around_.faults.longest_way), std::move(arrival));
}

void Network::TravelAsDatagram(const std::function<void()>& arrival) {
  const int copies = around_.dice.Chance(around_.faults.lost)      ? 0
                     : around_.dice.Chance(around_.faults.doubled) ? 2
                                                                   : 1;
  for (int i = 0; i < copies; ++i) Travel(arrival);
}

void Network::SendDatagram(const std::string& from, const std::string& to, std::string bytes) {
  around_.fingerprint.Add(bytes);
  TravelAsDatagram([this, from, to, bytes] {
    sip::MessageSink* sink = gateways_[to];
    if (sink == nullptr) return;
    sip::Source source;
    source.protocol = sip::Protocol::kUdp;
    source.listener = 0;
    source.remote = *sip::SocketAddress::Parse(from);
    source.arrived = around_.clock.Now();
    const sip::ScanResult scanned = sip::PreScan(bytes);
    if (const auto* message = std::get_if<sip::ScannedMessage>(&scanned)) {
      sink->OnMessage(source, *message);
    }
  });
}

void Network::SendDatagramToPhone(const std::string& from, const std::string& to,
                                  std::string bytes) {
  around_.fingerprint.Add(bytes);
  const auto station = stations_.find(to);
  if (station == stations_.end()) return;
  TravelAsDatagram([phone = station->second, from, bytes] {
    phone->OnMessage(bytes, {from, sip::kNoFlow});
  });
}

void Network::Reply(const std::string& from, const Origin& origin, std::string bytes) {
  if (origin.flow == sip::kNoFlow) return SendDatagram(from, origin.gateway, std::move(bytes));
  if (IsOpen(origin.gateway, origin.flow)) SendOverFlow(from, origin.gateway, std::move(bytes));
}

// ---- connections ----

sip::FlowId Network::Open(const std::string& gateway, const std::string& phone) {
  const sip::FlowId id = next_flow_++;
  auto flow = std::make_shared<Flow>();
  flow->id = id;
  flow->phone = phone;
  flow->gateway = gateway;
  flows_[id] = std::move(flow);
  by_ends_[{phone, gateway}] = id;
  return id;
}

void Network::Close(sip::FlowId id) {
  const auto it = flows_.find(id);
  if (it == flows_.end()) return;
  const FlowPtr flow = std::move(it->second);
  flows_.erase(it);
  by_ends_.erase({flow->phone, flow->gateway});
  // Each end learns it in its own time.
  Travel([this, flow] {
    if (sip::MessageSink* sink = gateways_[flow->gateway]) {
      sink->OnFlowClosed(flow->id, sip::SendFailure::kClosed);
    }
  });
  Travel([this, flow] { stations_.at(flow->phone)->OnFlowClosed(flow->gateway); });
}

void Network::Cut(const std::string& phone) {
  std::vector<sip::FlowId> cut;
  for (const auto& [ends, id] : by_ends_) {
    if (ends.first == phone) cut.push_back(id);
  }
  for (const sip::FlowId id : cut) Close(id);
}

bool Network::IsOpen(const std::string& gateway, sip::FlowId id) const {
  const auto it = flows_.find(id);
  return it != flows_.end() && it->second->gateway == gateway;
}

sip::FlowId Network::FlowTo(const std::string& gateway, const std::string& phone,
                            bool may_connect) {
  const auto it = by_ends_.find({phone, gateway});
  if (it != by_ends_.end()) return it->second;
  const auto station = stations_.find(phone);
  if (!may_connect || station == stations_.end()) return sip::kNoFlow;
  return station->second->AcceptsConnections() ? Open(gateway, phone) : sip::kNoFlow;
}

void Network::TravelInPieces(const FlowPtr& flow, Direction& direction, const std::string& bytes,
                             OnPiece on_piece) {
  const size_t cut = around_.dice.Below(bytes.size() + 1);
  // Cut there: the rest of the message never comes.
  const bool is_cut = around_.dice.Chance(around_.faults.cut_in_message);
  for (const auto& piece : {bytes.substr(0, cut), bytes.substr(cut)}) {
    direction.last_arrival = std::max(
        direction.last_arrival, around_.clock.Now() + around_.UpTo(around_.faults.longest_way));
    around_.executor.PostAt(direction.last_arrival, [this, flow, piece, is_cut, on_piece] {
      if (!flows_.contains(flow->id)) return;
      (this->*on_piece)(*flow, piece);
      if (is_cut) Close(flow->id);
    });
  }
}

void Network::SendOverFlow(const std::string& from, const std::string& to, std::string bytes) {
  around_.fingerprint.Add(bytes);
  if (gateways_[to] == nullptr) {
    Travel([this, from, to] { stations_.at(from)->OnFlowClosed(to); });
    return;
  }
  if (!by_ends_.contains({from, to})) Open(to, from);
  const FlowPtr flow = flows_.at(by_ends_.at({from, to}));
  TravelInPieces(flow, flow->to_gateway, bytes, &Network::OnPieceAtGateway);
}

void Network::SendOverFlowToPhone(sip::FlowId id, std::string bytes) {
  around_.fingerprint.Add(bytes);
  const FlowPtr flow = flows_.at(id);
  TravelInPieces(flow, flow->to_phone, bytes, &Network::OnPieceAtPhone);
}

void Network::OnPieceAtGateway(Flow& flow, std::string_view piece) {
  sip::MessageSink* sink = gateways_[flow.gateway];
  if (sink == nullptr) return;
  sip::Source source;
  source.protocol = sip::Protocol::kTcp;
  source.listener = 1;
  source.flow = flow.id;
  source.remote = *sip::SocketAddress::Parse(flow.phone);
  source.arrived = around_.clock.Now();
  flow.to_gateway.framer.Feed(piece);
  for (;;) {
    const sip::StreamFramer::Event event = flow.to_gateway.framer.Next();
    const auto* message = std::get_if<sip::ScannedMessage>(&event);
    if (message == nullptr) return;
    sink->OnMessage(source, *message);
  }
}

void Network::OnPieceAtPhone(Flow& flow, std::string_view piece) {
  flow.to_phone.framer.Feed(piece);
  for (;;) {
    const sip::StreamFramer::Event event = flow.to_phone.framer.Next();
    const auto* message = std::get_if<sip::ScannedMessage>(&event);
    if (message == nullptr) return;
    stations_.at(flow.phone)->OnMessage(std::string(message->bytes), {flow.gateway, flow.id});
  }
}

// ---- a gateway's sockets ----

SimulatedTransport::SimulatedTransport(Network& network, std::string address)
    : network_(network), address_(std::move(address)) {
  for (const sip::Protocol protocol : {sip::Protocol::kUdp, sip::Protocol::kTcp}) {
    sip::Listener listener;
    listener.id = static_cast<sip::ListenerId>(listeners_.size());
    listener.protocol = protocol;
    listener.local = *sip::SocketAddress::Parse(address_);
    listener.advertised_host = listener.local.ip().ToHost();
    listener.advertised_port = listener.local.port();
    listeners_.push_back(listener);
  }
}

sip::FlowId SimulatedTransport::Send(const sip::NextHop& hop, std::string_view bytes,
                                     sip::SendTag tag) {
  if (hop.protocol == sip::Protocol::kUdp) {
    network_.SendDatagramToPhone(address_, hop.remote.ToString(), std::string(bytes));
    return sip::kNoFlow;
  }
  sip::FlowId flow = hop.flow;
  if (!network_.IsOpen(address_, flow)) {
    flow = network_.FlowTo(address_, hop.remote.ToString(), hop.may_connect);
  }
  if (flow == sip::kNoFlow) {
    failures_.emplace_back(tag, sip::SendFailure::kRefused);
  } else {
    network_.SendOverFlowToPhone(flow, std::string(bytes));
  }
  return flow;
}

void SimulatedTransport::Flush() {
  // A failure may cause another send, which fails at the next turn.
  for (const auto& [tag, why] : std::exchange(failures_, {})) {
    if (tag != 0 && sink_ != nullptr) sink_->OnSendFailed(tag, why);
  }
}

}  // namespace presence::simulation
