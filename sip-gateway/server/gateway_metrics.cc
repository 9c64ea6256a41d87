#include "sip-gateway/server/gateway_metrics.h"

#include "sip-gateway/server/metric_names.h"

namespace presence::sip {
namespace {

double Now(size_t count) { return static_cast<double>(count); }

void AddMessages(const GatewayStats& stats, MetricsPage& page) {
  for (const auto& [method, count] : stats.requests_by_method) {
    page.Counter(kRequestsIn, count, {{"method", std::string(method)}});
  }
  page.Counter(kResponsesIn, stats.responses);
  page.Counter(kResponsesDropped, stats.client_transactions.stray_responses +
                                      stats.client_transactions.foreign_responses);
  for (const auto& [code, count] : stats.answers_by_code) {
    page.Counter(kAnswers, count, {{"code", std::to_string(code)}});
  }
  for (const auto& [fault, broken] : stats.broken_messages) {
    page.Counter(kMalformed, broken.answered, {{"fault", fault}, {"done", "answered"}});
    page.Counter(kMalformed, broken.dropped, {{"fault", fault}, {"done", "dropped"}});
  }
}

void AddTransactions(const GatewayStats& stats, MetricsPage& page) {
  const ServerTransactionStats& server = stats.server_transactions;
  const ClientTransactionStats& client = stats.client_transactions;
  page.Counter(kRetransmissions, client.retransmissions, {{"of", "notify"}});
  page.Counter(kRetransmissions, server.absorbed, {{"of", "request"}});
  page.Counter(kRetransmissions, server.answered_again, {{"of", "answer"}});
  page.Gauge(kTransactions, Now(server.pending), {{"kind", "server"}});
  page.Gauge(kTransactions, Now(client.active), {{"kind", "client"}});
  page.Gauge(kStoredAnswers, Now(server.stored_answers));
  page.Counter(kEvictedAnswers, server.evicted_answers);
}

void AddNotifies(const NotifierStats& stats, MetricsPage& page) {
  for (const auto& [code, count] : stats.answered_by_code) {
    page.Counter(kNotifyResults, count, {{"result", std::to_string(code)}});
  }
  page.Counter(kNotifyResults, stats.timed_out, {{"result", "timeout"}});
  page.Counter(kNotifyResults, stats.transport_errors, {{"result", "unreachable"}});
  page.Counter(kNotifyResults, stats.no_flow, {{"result", "no_flow"}});
  page.Counter(kNotifyResults, stats.superseded, {{"result", "superseded"}});
  page.Counter(kNotifyResults, stats.unsendable, {{"result", "unsendable"}});
  page.Counter(kNotifyResults, stats.given_up, {{"result", "given_up"}});
}

void AddLink(const LinkStats& stats, MetricsPage& page) {
  page.Gauge(kCoreConnected, stats.is_connected ? 1 : 0);
  page.Counter(kCoreStreamsLost, stats.streams_lost);
  page.Counter(kCoreFrames, stats.frames_in, {{"direction", "in"}});
  page.Counter(kCoreFrames, stats.frames_out, {{"direction", "out"}});
  page.Counter(kCoreRefused, stats.refused_no_credit, {{"reason", "no_credit"}});
  page.Counter(kCoreRefused, stats.refused_no_answer, {{"reason", "no_answer"}});
  page.Counter(kCoreRefused, stats.refused_no_core, {{"reason", "no_core"}});
}

void AddTransport(const TransportStats& stats, MetricsPage& page) {
  page.Gauge(kTcpConnections, Now(stats.open_connections));
  page.Counter(kTcpRefused, stats.connections_refused);
  page.Counter(kTcpTimedOut, stats.connections_timed_out);
  page.Counter(kDatagrams, stats.datagrams_in, {{"direction", "in"}});
  page.Counter(kDatagrams, stats.datagrams_out, {{"direction", "out"}});
  page.Counter(kDatagramsDropped, stats.datagrams_dropped);
}

}  // namespace

std::string GatewayMetrics(const GatewayStats& gateway, const TransportStats& transport) {
  MetricsPage page;
  AddMessages(gateway, page);
  AddTransactions(gateway, page);
  AddNotifies(gateway.notifier, page);
  AddLink(gateway.link, page);
  AddTransport(transport, page);
  return page.Text();
}

}  // namespace presence::sip
