#ifndef PRESENCE_TESTS_UNIT_SIP_GATEWAY_TRANSACTION_CLIENT_FIXTURE_H_
#define PRESENCE_TESTS_UNIT_SIP_GATEWAY_TRANSACTION_CLIENT_FIXTURE_H_

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sip-gateway/sofia/printer.h"
#include "sip-gateway/transaction/client_transactions.h"
#include "tests/unit/sip-gateway/transaction/fake_transport.h"
#include "tests/unit/sip-gateway/transaction/messages.h"

namespace presence::sip {

// Client transactions on a clock that stands still, over a transport that remembers.
class ClientFixture : public testing::Test, protected HopObserver {
 protected:
  struct Result {
    ClientTransactionId id;
    ClientOutcome outcome;
    std::string body;  // of the response, to show that it could be read during the call
  };

  static NextHop Udp(std::string_view remote = "192.0.2.9:5062") {
    return {.protocol = Protocol::kUdp, .remote = *SocketAddress::Parse(remote)};
  }
  static NextHop Tcp(std::string_view remote = "192.0.2.9:5062") {
    return {.protocol = Protocol::kTcp, .remote = *SocketAddress::Parse(remote)};
  }

  ClientTransactionId Start(absl::InlinedVector<NextHop, 2> hops = {Udp()}) {
    const auto id = std::make_shared<ClientTransactionId>(0);
    ClientRequest request;
    request.method = "NOTIFY";
    request.hops = std::move(hops);
    request.render = [this](std::string_view via) { return Notify(via); };
    request.on_outcome = [this, id](const ClientOutcome& outcome) {
      results_.push_back({.id = *id,
                          .outcome = outcome,
                          .body = outcome.response ? std::string(outcome.response->body()) : ""});
    };
    *id = transactions_.Start(std::move(request));
    return *id;
  }

  absl::StatusOr<std::string> Notify(std::string_view via) {
    RequestSpec spec;
    spec.method = "NOTIFY";
    spec.request_uri = "sip:bob@192.0.2.9:5062";
    spec.via = via;
    spec.from = "sip:alice@example.com";
    spec.from_tag = "local";
    spec.to = "sip:bob@example.com";
    spec.to_tag = "remote";
    spec.call_id = "call1";
    spec.cseq = 7;
    spec.content_type = "text/plain";
    spec.body = body_;
    return PrintRequest(spec);
  }

  // The peer's answer to the request that was sent last, or to `request`.
  void Answer(int status, std::string_view extra_header = "") {
    Answer(transport_.sent.back().bytes, status, extra_header);
  }
  void Answer(const std::string& request, int status, std::string_view extra_header = "") {
    std::vector<Header> headers;
    if (!extra_header.empty()) {
      const size_t colon = extra_header.find(": ");
      headers.push_back({extra_header.substr(0, colon), extra_header.substr(colon + 2)});
    }
    ResponseSpec spec;
    spec.status = status;
    spec.headers = headers;
    spec.content_type = "text/plain";
    spec.body = "because";
    transactions_.OnResponse(*ParseOrDie(PrintResponse(*ParseOrDie(request), spec)));
  }

  // Time passes by ticks, as the event loop has it.
  void Pass(absl::Duration time) {
    const absl::Time end = clock_.Now() + time;
    while (clock_.Now() < end) {
      clock_.AdvanceTo(std::min(end, clock_.Now() + absl::Milliseconds(10)));
      transactions_.Advance(clock_.Now());
    }
  }

  std::string BranchOf(size_t sent) {
    return std::string(ParseOrDie(transport_.sent.at(sent).bytes)->top_via().branch);
  }

  void OnHopFailed(const NextHop& hop, std::optional<uint32_t> retry_after) override {
    failed_hops_.emplace_back(hop.remote.ToString(), retry_after);
  }
  void OnHopAnswered(const NextHop& hop) override {
    answered_hops_.push_back(hop.remote.ToString());
  }

  ManualClock clock_;
  SeededRandom random_{1};
  FakeTransport transport_;
  std::string body_ = "state";
  std::vector<Result> results_;
  std::vector<std::pair<std::string, std::optional<uint32_t>>> failed_hops_;
  std::vector<std::string> answered_hops_;
  ClientTransactions transactions_{clock_, random_, transport_, {}, this};
};

}  // namespace presence::sip

#endif  // PRESENCE_TESTS_UNIT_SIP_GATEWAY_TRANSACTION_CLIENT_FIXTURE_H_
