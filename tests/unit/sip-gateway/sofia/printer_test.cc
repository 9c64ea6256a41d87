#include "sip-gateway/sofia/printer.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/sip-gateway/sofia/sip_text.h"

namespace presence::sip {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(PrintResponseTest, RepeatsTheRequestAndAddsTheTag) {
  const std::unique_ptr<Message> request = Parse(RequestText().Text());
  const std::vector<Header> headers = {{"Expires", "3600"}, {"SIP-ETag", "abc"}};
  ResponseSpec spec;
  spec.to_tag = "srv1";
  spec.headers = headers;

  EXPECT_EQ(PrintResponse(*request, spec),
            Crlf("SIP/2.0 200 OK\n"
                 "Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK776asdhds;rport\n"
                 "From: \"Alice\" <sip:alice@example.com>;tag=1928301774\n"
                 "To: <sip:alice@example.com>;tag=srv1\n"
                 "Call-ID: a84b4c76e66710@192.0.2.1\n"
                 "CSeq: 314159 PUBLISH\n"
                 "Expires: 3600\n"
                 "SIP-ETag: abc\n"
                 "Content-Length: 0\n\n"));
}

TEST(PrintResponseTest, IsReadBackAsTheSameTransaction) {
  const std::unique_ptr<Message> request = Parse(RequestText().Text());
  ResponseSpec spec;
  spec.status = 481;
  spec.to_tag = "srv1";

  const std::unique_ptr<Message> response = Parse(PrintResponse(*request, spec));

  EXPECT_EQ(response->status(), 481);
  EXPECT_EQ(response->phrase(), "Call/Transaction Does Not Exist");
  EXPECT_EQ(response->top_via().branch, request->top_via().branch);
  EXPECT_EQ(response->call_id(), request->call_id());
  EXPECT_EQ(response->cseq(), request->cseq());
  EXPECT_EQ(response->to().tag, "srv1");
}

TEST(PrintResponseTest, LeavesATagThatIsThereAlone) {
  RequestText text;
  text.to = "To: <sip:alice@example.com>;tag=old\n";
  ResponseSpec spec;
  spec.to_tag = "new";

  EXPECT_EQ(Parse(PrintResponse(*Parse(text.Text()), spec))->to().tag, "old");
}

// RFC 3581 4, RFC 3261 18.2.1.
TEST(PrintResponseTest, StampsTheTopViaOnly) {
  RequestText text;
  text.via =
      "Via: SIP/2.0/UDP a.example.com;rport;branch=z9hG4bK1 , SIP/2.0/TCP b.example.com;rport\n"
      "Via: SIP/2.0/TCP c.example.com;rport\n";
  ResponseSpec spec;
  spec.via_received = "2001:db8::9";
  spec.via_rport = 40000;

  EXPECT_THAT(PrintResponse(*Parse(text.Text()), spec),
              HasSubstr(Crlf("Via: SIP/2.0/UDP a.example.com;rport=40000;branch=z9hG4bK1"
                             ";received=2001:db8::9, SIP/2.0/TCP b.example.com;rport\n"
                             "Via: SIP/2.0/TCP c.example.com;rport\n")));
}

TEST(PrintResponseTest, ReplacesAReceivedThatTheSenderMadeUp) {
  RequestText text;
  text.via = "Via: SIP/2.0/UDP a.example.com;received=203.0.113.99;rport=1;branch=z9hG4bK1\n";
  ResponseSpec spec;
  spec.via_received = "192.0.2.7";
  spec.via_rport = 5099;

  const std::string response = PrintResponse(*Parse(text.Text()), spec);

  EXPECT_THAT(response, Not(HasSubstr("203.0.113.99")));
  EXPECT_THAT(response,
              HasSubstr("SIP/2.0/UDP a.example.com;rport=5099;branch=z9hG4bK1;received=192.0.2.7"));
}

TEST(PrintResponseTest, WritesNoRportIntoAViaThatDidNotAsk) {
  RequestText text;
  text.via = "Via: SIP/2.0/UDP a.example.com;branch=z9hG4bK1\n";
  ResponseSpec spec;
  spec.via_rport = 5099;

  EXPECT_THAT(PrintResponse(*Parse(text.Text()), spec), Not(HasSubstr("rport")));
}

// S13, P19
TEST(PrintResponseTest, CopiesRecordRouteOnlyWhenAsked) {
  const std::unique_ptr<Message> request =
      Parse(RequestText()
                .Method("SUBSCRIBE")
                .With("Record-Route: <sip:p3;lr>, <sip:p2;lr>\nRecord-Route: <sip:p1;lr>\n")
                .Text());
  ResponseSpec spec;

  EXPECT_THAT(PrintResponse(*request, spec), Not(HasSubstr("Record-Route")));
  spec.copies_record_route = true;
  EXPECT_THAT(
      PrintResponse(*request, spec),
      HasSubstr(Crlf("Record-Route: <sip:p3;lr>, <sip:p2;lr>\nRecord-Route: <sip:p1;lr>\n")));
}

TEST(PrintResponseTest, UnfoldsWhatItRepeats) {
  RequestText text;
  text.via = "Via: SIP/2.0/UDP a.example.com\n ;branch=z9hG4bK1\n ;rport\n";
  text.from = "From: <sip:a@b>\n ;tag=7\n";
  ResponseSpec spec;
  const std::unique_ptr<Message> request = Parse(text.Text());

  EXPECT_THAT(PrintResponse(*request, spec), HasSubstr("From: <sip:a@b> ;tag=7\r\n"));
  spec.via_received = "192.0.2.7";
  spec.via_rport = 7;
  EXPECT_THAT(
      PrintResponse(*request, spec),
      HasSubstr("Via: SIP/2.0/UDP a.example.com;branch=z9hG4bK1;rport=7;received=192.0.2.7\r\n"));
}

TEST(PrintResponseTest, AnswersARequestThatWasRefusedBeforeItWasParsed) {
  const std::string text = RequestText().With("Content-Length: x\n").TextWithoutLength();
  const ScanResult result = PreScan(text);
  const auto& refusal = std::get<Refusal>(result);
  ResponseSpec spec;
  spec.status = refusal.status;
  spec.phrase = refusal.phrase;
  spec.to_tag = "srv1";

  const std::unique_ptr<Message> response = Parse(PrintResponse(*refusal.answerable, spec));

  EXPECT_EQ(response->status(), 400);
  EXPECT_EQ(response->phrase(), "Malformed Content-Length");
  EXPECT_EQ(response->to().tag, "srv1");
  EXPECT_EQ(response->top_via().branch, "z9hG4bK776asdhds");
}

// RFC 3261 7.3.1: no value becomes a header of its own.
TEST(PrintResponseTest, LetsNoValueStartALineOfItsOwn) {
  using namespace std::string_literals;
  const std::unique_ptr<Message> request = Parse(RequestText().Text());
  const std::string evil = "x\r\nEvil: 1\r\n\r\n\0y"s;
  const std::vector<Header> headers = {{"Reason", evil}, {evil, "v"}};
  ResponseSpec spec;
  spec.phrase = evil;
  spec.to_tag = evil;
  spec.via_received = evil;
  spec.headers = headers;
  spec.content_type = evil;
  spec.body = "b";

  const std::string response = PrintResponse(*request, spec);

  EXPECT_THAT(response, Not(HasSubstr("\nEvil")));
  EXPECT_EQ(response.find("\r\n\r\n"), response.size() - 5);
  EXPECT_EQ(response.find('\0'), std::string::npos);
}

TEST(PrintResponseTest, KnowsThePhrasesOfTheCodesWeSend) {
  EXPECT_EQ(StandardPhrase(412), "Conditional Request Failed");
  EXPECT_EQ(StandardPhrase(423), "Interval Too Brief");
  EXPECT_EQ(StandardPhrase(489), "Bad Event");
  EXPECT_EQ(StandardPhrase(499), "Request Failure");
}

RequestSpec Notify() {
  RequestSpec spec;
  spec.method = "NOTIFY";
  spec.request_uri = "sip:bob@192.0.2.9:5062";
  spec.via = "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKn1;rport";
  spec.from = "sip:alice@example.com";
  spec.from_tag = "local";
  spec.to = "\"Bob\" <sip:bob@example.com>";
  spec.to_tag = "remote";
  spec.call_id = "abc@192.0.2.9";
  spec.cseq = 7;
  spec.contact = "sip:192.0.2.1:5060";
  return spec;
}

// N01
TEST(PrintRequestTest, WritesANotifyThatIsReadBackTheSame) {
  const std::vector<std::string_view> routes = {"<sip:p1.example.com;lr>",
                                                "<sip:p2.example.com;lr>"};
  const std::vector<Header> headers = {{"Event", "presence;id=7"},
                                       {"Subscription-State", "active;expires=599"}};
  RequestSpec spec = Notify();
  spec.routes = routes;
  spec.headers = headers;
  spec.content_type = "application/pidf+xml";
  spec.body = "<presence/>";

  const absl::StatusOr<std::string> text = PrintRequest(spec);

  ASSERT_TRUE(text.ok());
  const std::unique_ptr<Message> message = Parse(*text);
  EXPECT_EQ(message->method(), "NOTIFY");
  EXPECT_EQ(message->request_uri_text(), "sip:bob@192.0.2.9:5062");
  EXPECT_EQ(message->max_forwards(), 70u);
  EXPECT_THAT(message->routes(), ElementsAre("<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>"));
  EXPECT_EQ(message->from().uri, "sip:alice@example.com");
  EXPECT_EQ(message->from().tag, "local");
  EXPECT_EQ(message->to().display, "\"Bob\"");
  EXPECT_EQ(message->to().tag, "remote");
  EXPECT_EQ(message->cseq(), 7u);
  EXPECT_EQ(message->event()->id, "7");
  EXPECT_EQ(message->header("Subscription-State"), "active;expires=599");
  EXPECT_EQ(message->contacts()->front().uri, "sip:192.0.2.1:5060");
  EXPECT_EQ(message->content_type()->type, "application/pidf+xml");
  EXPECT_EQ(message->header("Content-Length"), "11");
  EXPECT_EQ(message->body(), "<presence/>");
}

TEST(PrintRequestTest, WritesNoContentTypeWithoutABody) {
  RequestSpec spec = Notify();
  spec.content_type = "application/pidf+xml";

  const std::string text = *PrintRequest(spec);

  EXPECT_THAT(text, Not(HasSubstr("Content-Type")));
  EXPECT_THAT(text, HasSubstr("Content-Length: 0\r\n\r\n"));
}

// RFC 3261 7.3.1
TEST(PrintRequestTest, RefusesValuesThatWouldChangeTheMessage) {
  using namespace std::string_literals;
  for (const std::string& evil : {"x\r\nEvil: 1"s, "x\nEvil: 1"s, "x\rEvil"s, "x\0y"s, "x\x01y"s}) {
    for (std::string_view RequestSpec::*const part :
         {&RequestSpec::method, &RequestSpec::request_uri, &RequestSpec::via, &RequestSpec::from,
          &RequestSpec::from_tag, &RequestSpec::to, &RequestSpec::to_tag, &RequestSpec::call_id,
          &RequestSpec::contact}) {
      RequestSpec spec = Notify();
      spec.*part = evil;
      EXPECT_FALSE(PrintRequest(spec).ok()) << evil;
    }
    RequestSpec spec = Notify();
    const std::vector<std::string_view> routes = {evil};
    spec.routes = routes;
    EXPECT_FALSE(PrintRequest(spec).ok());
    spec = Notify();
    const std::vector<Header> headers = {{"Event", evil}};
    spec.headers = headers;
    EXPECT_FALSE(PrintRequest(spec).ok());
    spec = Notify();
    spec.body = "b";
    spec.content_type = evil;
    EXPECT_FALSE(PrintRequest(spec).ok());
  }
}

TEST(PrintRequestTest, RefusesWhiteSpaceAndBracketsWhereAUriStands) {
  for (const std::string evil : {"sip:a@b SIP/2.0", "sip:a@b>;tag=x", ""}) {
    RequestSpec spec = Notify();
    spec.from = evil;
    EXPECT_FALSE(PrintRequest(spec).ok()) << evil;
  }
  RequestSpec spec = Notify();
  spec.request_uri = "sip:a@b SIP/2.0";
  EXPECT_FALSE(PrintRequest(spec).ok());
}

// N09
TEST(FormatTest, PutsIpv6AddressesInBracketsOnce) {
  EXPECT_EQ(FormatHostPort("2001:db8::1", 5060), "[2001:db8::1]:5060");
  EXPECT_EQ(FormatHostPort("[2001:db8::1]", 0), "[2001:db8::1]");
  EXPECT_EQ(FormatHostPort("example.com", 0), "example.com");
}

TEST(FormatTest, WritesAViaThatIsReadBackTheSame) {
  ViaSpec spec;
  spec.transport = "UDP";
  spec.host = "2001:db8::1";
  spec.port = 5070;
  spec.branch = "z9hG4bKabc";
  spec.asks_rport = true;

  const std::string text = FormatVia(spec);
  const absl::StatusOr<Via> via = ParseTopVia(text);

  ASSERT_TRUE(via.ok());
  EXPECT_EQ(via->transport, "UDP");
  EXPECT_EQ(via->host, "2001:db8::1");
  EXPECT_EQ(via->port, 5070);
  EXPECT_EQ(via->branch, "z9hG4bKabc");
  EXPECT_TRUE(via->has_rport);
  EXPECT_FALSE(via->has_alias);
}

// S13: RFC 3261 12.2.1.1.
TEST(RouteInDialogTest, GoesThroughLooseRoutesWithTheTargetAsRequestUri) {
  const std::vector<std::string_view> routes = {"<sip:p1.example.com;lr>",
                                                "<sip:p2.example.com;lr>"};

  const absl::StatusOr<RoutedTarget> routed = RouteInDialog("sip:bob@192.0.2.9", routes);

  ASSERT_TRUE(routed.ok());
  EXPECT_EQ(routed->request_uri, "sip:bob@192.0.2.9");
  EXPECT_THAT(routed->routes, ElementsAre("<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>"));
  EXPECT_EQ(routed->next_hop, "sip:p1.example.com;lr");
}

// S13
TEST(RouteInDialogTest, PutsTheTargetLastForAStrictRouter) {
  const std::vector<std::string_view> routes = {"<sip:p1.example.com>", "<sip:p2.example.com;lr>"};

  const absl::StatusOr<RoutedTarget> routed = RouteInDialog("sip:bob@192.0.2.9", routes);

  ASSERT_TRUE(routed.ok());
  EXPECT_EQ(routed->request_uri, "sip:p1.example.com");
  EXPECT_THAT(routed->routes, ElementsAre("<sip:p2.example.com;lr>", "<sip:bob@192.0.2.9>"));
  EXPECT_EQ(routed->next_hop, "sip:p1.example.com");
}

TEST(RouteInDialogTest, GoesStraightToTheTargetWithoutRoutes) {
  const absl::StatusOr<RoutedTarget> routed = RouteInDialog("sip:bob@192.0.2.9", {});

  ASSERT_TRUE(routed.ok());
  EXPECT_EQ(routed->next_hop, "sip:bob@192.0.2.9");
  EXPECT_THAT(routed->routes, ElementsAre());
}

TEST(RouteInDialogTest, RefusesARouteThatIsNoSipAddress) {
  EXPECT_FALSE(RouteInDialog("sip:bob@192.0.2.9", std::vector<std::string_view>{"<tel:+1>"}).ok());
  EXPECT_FALSE(RouteInDialog("sip:bob@192.0.2.9", std::vector<std::string_view>{"nonsense"}).ok());
}

}  // namespace
}  // namespace presence::sip
