#include "sip-gateway/server/counters.h"

#include <cstdint>
#include <initializer_list>
#include <utility>

#include "absl/strings/str_cat.h"

namespace presence::sip {
namespace {

std::string Line(const char* part, std::initializer_list<std::pair<const char*, uint64_t>> values) {
  std::string line = part;
  for (const auto& [name, value] : values) absl::StrAppend(&line, " ", name, "=", value);
  return line;
}

std::string GatewayLine(const GatewayStats& s) {
  return Line("requests", {{"messages", s.messages},
                           {"publishes", s.publishes},
                           {"subscribes", s.subscribes},
                           {"options", s.options},
                           {"responses", s.responses},
                           {"refused_requests", s.refused_requests},
                           {"refused_messages", s.refused_messages},
                           {"dropped_messages", s.dropped_messages}});
}

std::string ServerLine(const ServerTransactionStats& s) {
  return Line("server_transactions", {{"requests", s.requests},
                                      {"absorbed", s.absorbed},
                                      {"answered_again", s.answered_again},
                                      {"merged", s.merged},
                                      {"overloaded", s.overloaded},
                                      {"acks_dropped", s.acks_dropped},
                                      {"cancels", s.cancels},
                                      {"evicted_answers", s.evicted_answers},
                                      {"unstored_answers", s.unstored_answers},
                                      {"pending", s.pending},
                                      {"stored_answers", s.stored_answers}});
}

std::string ClientLine(const ClientTransactionStats& s) {
  return Line("client_transactions", {{"started", s.started},
                                      {"retransmissions", s.retransmissions},
                                      {"answered", s.answered},
                                      {"timed_out", s.timed_out},
                                      {"transport_errors", s.transport_errors},
                                      {"stopped", s.stopped},
                                      {"failovers", s.failovers},
                                      {"switched_to_tcp", s.switched_to_tcp},
                                      {"fell_back_to_udp", s.fell_back_to_udp},
                                      {"absorbed_responses", s.absorbed_responses},
                                      {"stray_responses", s.stray_responses},
                                      {"foreign_responses", s.foreign_responses},
                                      {"active", s.active}});
}

std::string NotifierLine(const NotifierStats& s) {
  return Line("notifier", {{"instructed", s.instructed},
                           {"answered", s.answered},
                           {"timed_out", s.timed_out},
                           {"transport_errors", s.transport_errors},
                           {"no_flow", s.no_flow},
                           {"superseded", s.superseded},
                           {"unsendable", s.unsendable},
                           {"loops", s.loops},
                           {"flow_fallbacks", s.flow_fallbacks},
                           {"given_up", s.given_up},
                           {"in_flight", s.in_flight}});
}

std::string LinkLine(const LinkStats& s) {
  return Line("link", {{"streams_opened", s.streams_opened},
                       {"streams_lost", s.streams_lost},
                       {"frames_out", s.frames_out},
                       {"frames_in", s.frames_in},
                       {"commands", s.commands},
                       {"commands_resent", s.commands_resent},
                       {"replies", s.replies},
                       {"late_replies", s.late_replies},
                       {"refused_no_credit", s.refused_no_credit},
                       {"refused_no_answer", s.refused_no_answer},
                       {"refused_no_core", s.refused_no_core},
                       {"instructions", s.instructions},
                       {"stale_instructions", s.stale_instructions},
                       {"instructions_over_credit", s.instructions_over_credit},
                       {"results", s.results},
                       {"results_dropped", s.results_dropped},
                       {"pending_commands", s.pending_commands},
                       {"waiting_instructions", s.waiting_instructions},
                       {"is_connected", s.is_connected ? 1u : 0u}});
}

std::string TransportLine(const TransportStats& s) {
  return Line("transport", {{"datagrams_in", s.datagrams_in},
                            {"datagrams_out", s.datagrams_out},
                            {"receive_batches", s.receive_batches},
                            {"send_batches", s.send_batches},
                            {"send_retries", s.send_retries},
                            {"datagrams_dropped", s.datagrams_dropped},
                            {"icmp_errors", s.icmp_errors},
                            {"connections_accepted", s.connections_accepted},
                            {"connections_opened", s.connections_opened},
                            {"connections_refused", s.connections_refused},
                            {"connections_timed_out", s.connections_timed_out},
                            {"stream_messages_in", s.stream_messages_in},
                            {"keepalives", s.keepalives},
                            {"refused_messages", s.refused_messages},
                            {"open_connections", s.open_connections}});
}

}  // namespace

std::vector<std::string> CounterLines(const GatewayStats& gateway,
                                      const TransportStats& transport) {
  return {TransportLine(transport),
          GatewayLine(gateway),
          ServerLine(gateway.server_transactions),
          ClientLine(gateway.client_transactions),
          NotifierLine(gateway.notifier),
          LinkLine(gateway.link)};
}

}  // namespace presence::sip
