#include "sip-gateway/server/gateway_metrics.h"

#include "sip-gateway/sofia/printer.h"
#include "tests/unit/sip-gateway/server/gateway_fixture.h"

namespace presence::sip {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// What a gateway that was played with says of itself.
class GatewayMetricsTest : public GatewayTest {
 protected:
  std::string Metrics() { return GatewayMetrics(gateway_->stats(), {}); }
};

TEST_F(GatewayMetricsTest, CountsRequestsByMethodAndAnswersByCode) {
  Connect();
  Receive(Publish("1").Text());
  core().Deliver(Published());
  Receive(Publish("2").Text());
  core().Deliver(Refused(v1::ERROR_REASON_ETAG_MISMATCH));
  RequestText other;
  Receive(other.Method("FETCH").Text());
  Receive(Publish("3").With("Require: foo\n").Text());

  const std::string text = Metrics();
  EXPECT_THAT(text, HasSubstr("sip_gateway_requests_total{method=\"PUBLISH\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("sip_gateway_requests_total{method=\"other\"} 1\n"));
  for (const char* code : {"200", "412", "420", "501"}) {
    EXPECT_THAT(text, HasSubstr("sip_gateway_answers_total{code=\"" + std::string(code) + "\"} 1"));
  }
  EXPECT_THAT(text, HasSubstr("sip_gateway_transactions{kind=\"server\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("sip_gateway_stored_answers 4\n"));
}

TEST_F(GatewayMetricsTest, CountsWhatComesAndGoesAgain) {
  Connect();
  Receive(Publish().Text());
  Receive(Publish().Text());
  EXPECT_THAT(Metrics(), HasSubstr("sip_gateway_transactions{kind=\"server\"} 1\n"));
  core().Deliver(Published());
  Receive(Publish().Text());

  const std::string text = Metrics();
  EXPECT_THAT(text, HasSubstr("sip_gateway_retransmissions_total{of=\"request\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("sip_gateway_retransmissions_total{of=\"answer\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("sip_gateway_answers_total{code=\"200\"} 2\n"));
}

TEST_F(GatewayMetricsTest, CountsBrokenMessagesByFaultAndByWhetherTheyWereAnswered) {
  Connect();
  Receive("garbage\r\n\r\n");
  Receive(Publish("a").With("SIP-If-Match: a b\n").Text());
  std::string too_short = Publish("b").Text();
  too_short.pop_back();
  Receive(too_short);
  RequestText ack;
  Receive(ack.Method("ACK").With("CSeq: 2 ACK\n").Text());

  const std::string text = Metrics();
  const auto line = [](const std::string& fault, const std::string& done, int count) {
    return HasSubstr("sip_gateway_malformed_total{fault=\"" + fault + "\",done=\"" + done + "\"} " +
                     std::to_string(count) + "\n");
  };
  EXPECT_THAT(text, line("Not a SIP Message", "dropped", 1));
  EXPECT_THAT(text, line("Not a SIP Message", "answered", 0));
  EXPECT_THAT(text, line("Malformed SIP-If-Match", "answered", 1));
  EXPECT_THAT(text, line("Content-Length Longer Than Message", "answered", 1));
  EXPECT_THAT(text, line("Multiple CSeq", "dropped", 1));
  EXPECT_THAT(text, HasSubstr("sip_gateway_answers_total{code=\"400\"} 2\n"));
}

TEST_F(GatewayMetricsTest, CountsNotifiesByHowTheyEnded) {
  Connect();
  core().Deliver(Instructed(1));
  Turn();
  EXPECT_THAT(Metrics(), HasSubstr("sip_gateway_transactions{kind=\"client\"} 1\n"));
  Receive(PrintResponse(*Sent(), ResponseSpec()));
  core().Deliver(Instructed(2));
  Turn();
  Pass(absl::Seconds(33));

  const std::string text = Metrics();
  EXPECT_THAT(text, HasSubstr("sip_gateway_notify_results_total{result=\"200\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("sip_gateway_notify_results_total{result=\"timeout\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("sip_gateway_retransmissions_total{of=\"notify\"} 10\n"));
  EXPECT_THAT(text, HasSubstr("sip_gateway_responses_total 1\n"));
}

TEST_F(GatewayMetricsTest, TellsHowTheLinkStands) {
  EXPECT_THAT(Metrics(), HasSubstr("sip_gateway_core_connected 0\n"));
  Connect();
  EXPECT_THAT(Metrics(), HasSubstr("sip_gateway_core_connected 1\n"));
  EXPECT_THAT(Metrics(), HasSubstr("sip_gateway_core_frames_total{direction=\"in\"} 1\n"));
  EXPECT_THAT(Metrics(), HasSubstr("sip_gateway_core_frames_total{direction=\"out\"} 1\n"));
  core().Close();

  EXPECT_THAT(Metrics(), HasSubstr("sip_gateway_core_connected 0\n"));
  EXPECT_THAT(Metrics(), HasSubstr("sip_gateway_core_streams_lost_total 1\n"));
}

TEST(TransportMetricsTest, AreThoseOfTheSockets) {
  const TransportStats stats{.datagrams_in = 1,
                             .datagrams_out = 2,
                             .datagrams_dropped = 3,
                             .connections_refused = 4,
                             .connections_timed_out = 5,
                             .open_connections = 6};

  const std::string text = GatewayMetrics({}, stats);

  EXPECT_THAT(text, HasSubstr("sip_gateway_datagrams_total{direction=\"in\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("sip_gateway_datagrams_total{direction=\"out\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("sip_gateway_datagrams_unsent_total 3\n"));
  EXPECT_THAT(text, HasSubstr("sip_gateway_tcp_connections_refused_total 4\n"));
  EXPECT_THAT(text, HasSubstr("sip_gateway_tcp_connections_timed_out_total 5\n"));
  EXPECT_THAT(text, HasSubstr("sip_gateway_tcp_connections 6\n"));
}

// Whoever sends must not be able to fill the memory of who reads the metrics.
TEST_F(GatewayMetricsTest, HaveNoLabelThatASenderChooses) {
  Connect();
  for (int i = 0; i < 50; ++i) {
    const std::string own = "chosen" + std::to_string(i);
    RequestText method;
    Receive(method.Method(own).Text());
    Receive(own + "\r\n\r\n");
    Receive(Publish(own).With("CSeq: " + own + "\n").Text());
    Receive(Publish(own).With("Via: " + own + "\n").Text());
    Receive(Publish(own).With("Content-Length: " + own + "\n").Text());
  }

  EXPECT_THAT(Metrics(), Not(HasSubstr("chosen")));
}

}  // namespace
}  // namespace presence::sip
