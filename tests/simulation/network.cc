#include "tests/simulation/network.h"

#include <algorithm>
#include <variant>

#include "sip-gateway/sofia/prescan.h"

namespace presence::simulation {

void Network::SetGateway(const std::string& address, sip::MessageSink* sink) {
  gateways_[address] = sink;
  std::vector<sip::FlowId> gone;
  for (const auto& [id, flow] : flows_) {
    if (flow.gateway == address) gone.push_back(id);
  }
  for (const sip::FlowId id : gone) Close(id);
}

// ---- datagrams ----

void Network::Travel(Task arrival) {
  around_.After(around_.UpTo(around_.faults.longest_way), std::move(arrival));
}

void Network::SendDatagram(const std::string& from, const std::string& to, std::string bytes) {
  around_.fingerprint.Add(bytes);
  const int copies = around_.dice.Chance(around_.faults.lost)      ? 0
                     : around_.dice.Chance(around_.faults.doubled) ? 2
                                                                   : 1;
  for (int i = 0; i < copies; ++i) {
    Travel([this, from, to, bytes] {
      sip::Source source;
      source.protocol = sip::Protocol::kUdp;
      source.listener = 0;
      source.remote = *sip::SocketAddress::Parse(from);
      Deliver(to, source, bytes);
    });
  }
}

void Network::Deliver(const std::string& gateway, const sip::Source& from,
                      const std::string& bytes) {
  sip::MessageSink* sink = gateways_[gateway];
  if (sink == nullptr) return;
  sip::Source source = from;
  source.arrived = around_.clock.Now();
  const sip::ScanResult scanned = sip::PreScan(bytes);
  if (const auto* message = std::get_if<sip::ScannedMessage>(&scanned)) {
    sink->OnMessage(source, *message);
  }
}

void Network::SendDatagramToPhone(const std::string&, const std::string& to, std::string bytes) {
  around_.fingerprint.Add(bytes);
  const auto station = stations_.find(to);
  if (station == stations_.end()) return;
  const int copies = around_.dice.Chance(around_.faults.lost)      ? 0
                     : around_.dice.Chance(around_.faults.doubled) ? 2
                                                                   : 1;
  for (int i = 0; i < copies; ++i) {
    Travel([phone = station->second, bytes] { phone->OnMessage(bytes); });
  }
}

// ---- connections ----

sip::FlowId Network::Open(const std::string& gateway, const std::string& phone) {
  const sip::FlowId id = next_flow_++;
  flows_[id] = {id, phone, gateway, around_.clock.Now(), around_.clock.Now()};
  by_phone_[phone] = id;
  return id;
}

void Network::Close(sip::FlowId id) {
  const auto it = flows_.find(id);
  const Flow flow = it->second;
  flows_.erase(it);
  by_phone_.erase(flow.phone);
  // Each end learns it in its own time.
  Travel([this, flow] {
    if (sip::MessageSink* sink = gateways_[flow.gateway]) {
      sink->OnFlowClosed(flow.id, sip::SendFailure::kClosed);
    }
  });
  Travel([this, flow] { stations_.at(flow.phone)->OnFlowClosed(); });
}

void Network::Cut(const std::string& phone) {
  if (const auto it = by_phone_.find(phone); it != by_phone_.end()) Close(it->second);
}

bool Network::IsOpen(const std::string& gateway, sip::FlowId id) const {
  const auto it = flows_.find(id);
  return it != flows_.end() && it->second.gateway == gateway;
}

sip::FlowId Network::FlowTo(const std::string& gateway, const std::string& phone,
                            bool may_connect) {
  const auto it = by_phone_.find(phone);
  if (it != by_phone_.end()) {
    return IsOpen(gateway, it->second) ? it->second : sip::kNoFlow;
  }
  if (!may_connect || !stations_.contains(phone)) return sip::kNoFlow;
  return Open(gateway, phone);
}

void Network::SendOverFlow(const std::string& from, const std::string& to, std::string bytes) {
  around_.fingerprint.Add(bytes);
  if (gateways_[to] == nullptr) {
    Travel([this, from] { stations_.at(from)->OnFlowClosed(); });
    return;
  }
  if (!by_phone_.contains(from)) Open(to, from);
  Flow& flow = flows_.at(by_phone_.at(from));
  flow.last_to_gateway = std::max(flow.last_to_gateway,
                                  around_.clock.Now() + around_.UpTo(around_.faults.longest_way));
  around_.executor.PostAt(flow.last_to_gateway, [this, id = flow.id, from, to, bytes] {
    if (!flows_.contains(id)) return;
    sip::Source source;
    source.protocol = sip::Protocol::kTcp;
    source.listener = 1;
    source.flow = id;
    source.remote = *sip::SocketAddress::Parse(from);
    Deliver(to, source, bytes);
  });
}

void Network::SendOverFlowToPhone(sip::FlowId id, std::string bytes) {
  around_.fingerprint.Add(bytes);
  Flow& flow = flows_.at(id);
  flow.last_to_phone =
      std::max(flow.last_to_phone, around_.clock.Now() + around_.UpTo(around_.faults.longest_way));
  around_.executor.PostAt(flow.last_to_phone, [this, id, phone = flow.phone, bytes] {
    if (flows_.contains(id)) stations_.at(phone)->OnMessage(bytes);
  });
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
