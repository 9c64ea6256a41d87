#ifndef PRESENCE_SIP_GATEWAY_SERVER_METRIC_NAMES_H_
#define PRESENCE_SIP_GATEWAY_SERVER_METRIC_NAMES_H_

#include "telemetry/metrics_page.h"

namespace presence::sip {

// Every metric of a gateway. Labels are bounded: methods, codes, and faults that we name.

// What came in whole, repeated messages included. Rises with traffic.
inline constexpr MetricName kRequestsIn = {
    "sip_gateway_requests_total", "SIP requests that came in whole, by method, repeated included."};
inline constexpr MetricName kResponsesIn = {"sip_gateway_responses_total",
                                            "SIP responses that came in whole."};
// Rising: answers come later than their transaction lives, or somebody guesses.
inline constexpr MetricName kResponsesDropped = {
    "sip_gateway_responses_dropped_total", "SIP responses that belong to no transaction of ours."};
// What did not come in whole. Rising: a broken peer or proxy, or somebody who tries.
inline constexpr MetricName kMalformed = {
    "sip_gateway_malformed_total",
    "SIP messages refused before their meaning was looked at, by fault and by whether they could "
    "be answered."};
// By code. Rising 5xx: the core is away or overloaded. Rising 4xx: misconfigured phones.
inline constexpr MetricName kAnswers = {"sip_gateway_answers_total",
                                        "Answers sent, by code, repeated included."};
// By code, or how it ended without one. Rising failures: watchers that went without a word.
inline constexpr MetricName kNotifyResults = {
    "sip_gateway_notify_results_total",
    "NOTIFYs that ended, by the code of the final answer or by what kept it away."};
// Rising faster than traffic: packets are lost, or the core is slow to answer.
inline constexpr MetricName kRetransmissions = {
    "sip_gateway_retransmissions_total",
    "NOTIFYs sent again, requests that came again before their answer, and answers sent again."};
// What is under way. Rising: watchers or the core do not answer.
inline constexpr MetricName kTransactions = {"sip_gateway_transactions",
                                             "Transactions that wait for their answer."};
inline constexpr MetricName kStoredAnswers = {
    "sip_gateway_stored_answers", "Answers kept for requests that may come again over UDP."};
// Rising: transaction.max_answers is too low for the traffic; repeated requests ask the core again.
inline constexpr MetricName kEvictedAnswers = {
    "sip_gateway_evicted_answers_total", "Answers forgotten before their time for want of room."};
inline constexpr MetricName kTcpConnections = {"sip_gateway_tcp_connections",
                                               "TCP connections that are open."};
// Rising: transport.max_connections or max_connections_per_source is reached.
inline constexpr MetricName kTcpRefused = {"sip_gateway_tcp_connections_refused_total",
                                           "TCP connections closed at once, by our own limits."};
// Rising: peers that are idle, feed a message by the byte, or do not read.
inline constexpr MetricName kTcpTimedOut = {"sip_gateway_tcp_connections_timed_out_total",
                                            "TCP connections closed as too slow or idle."};
inline constexpr MetricName kDatagrams = {"sip_gateway_datagrams_total",
                                          "UDP datagrams, by direction."};
// Rising: the socket buffers are full, or datagrams are too long for the path.
inline constexpr MetricName kDatagramsDropped = {"sip_gateway_datagrams_unsent_total",
                                                 "UDP datagrams that could not be sent."};
inline constexpr MetricName kCoreConnected = {"sip_gateway_core_connected",
                                              "1 while a core serves this gateway, else 0."};
// Rising: the core restarts, or the way to it breaks.
inline constexpr MetricName kCoreStreamsLost = {"sip_gateway_core_streams_lost_total",
                                                "Streams to a core that ended."};
inline constexpr MetricName kCoreFrames = {"sip_gateway_core_frames_total",
                                           "Frames of the stream to the core, by direction."};
// Rising: the core is slower than the phones, or away. Each was answered 503.
inline constexpr MetricName kCoreRefused = {
    "sip_gateway_core_refused_total",
    "Requests that were not put to a core, by reason: no_credit, no_answer, no_core."};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_SERVER_METRIC_NAMES_H_
