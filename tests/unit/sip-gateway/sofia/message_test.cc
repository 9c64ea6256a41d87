#include "sip-gateway/sofia/message.h"

#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/sip-gateway/sofia/sip_text.h"

namespace presence::sip {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;

// The reason phrase with which a request is refused; empty if it is not.
std::string Reason(const RequestText& request) {
  const absl::StatusOr<std::unique_ptr<Message>> message = TryParse(request.Text());
  return message.ok() ? "" : std::string(message.status().message());
}

TEST(MessageTest, GivesWhatIdentifiesARequest) {
  const std::unique_ptr<Message> message = Parse(RequestText().Text());

  EXPECT_TRUE(message->is_request());
  EXPECT_EQ(message->method(), "PUBLISH");
  EXPECT_EQ(message->request_uri_text(), "sip:alice@example.com");
  EXPECT_EQ(message->request_uri()->user(), "alice");
  EXPECT_EQ(message->call_id(), "a84b4c76e66710@192.0.2.1");
  EXPECT_EQ(message->cseq(), 314159u);
  EXPECT_EQ(message->cseq_method(), "PUBLISH");
  EXPECT_EQ(message->from().uri, "sip:alice@example.com");
  EXPECT_EQ(message->from().display, "\"Alice\"");
  EXPECT_EQ(message->from().tag, "1928301774");
  EXPECT_EQ(message->to().tag, "");
  EXPECT_EQ(message->top_via().branch, "z9hG4bK776asdhds");
  EXPECT_EQ(message->via_count(), 1u);
  EXPECT_EQ(message->max_forwards(), 70u);
}

TEST(MessageTest, GivesWhatIdentifiesAResponse) {
  RequestText text;
  text.start_line = "SIP/2.0 503 Come Later";
  const std::unique_ptr<Message> message = Parse(text.With("Retry-After: 18 (later);x=1\n").Text());

  EXPECT_FALSE(message->is_request());
  EXPECT_EQ(message->status(), 503);
  EXPECT_EQ(message->phrase(), "Come Later");
  EXPECT_EQ(message->method(), "PUBLISH");
  EXPECT_EQ(message->request_uri(), nullptr);
  EXPECT_EQ(message->retry_after(), 18u);
}

TEST(MessageTest, OwnsItsBytes) {
  std::unique_ptr<Message> message;
  {
    RequestText request;
    request.body = "<presence/>";
    message = Parse(request.Text());
  }

  EXPECT_EQ(message->body(), "<presence/>");
  EXPECT_EQ(message->from().tag, "1928301774");
  EXPECT_EQ(message->bytes().substr(0, 7), "PUBLISH");
}

TEST(MessageTest, ReadsCompactAndFoldedHeaders) {
  RequestText request;
  request.Method("SUBSCRIBE");
  request.via = "v: SIP/2.0/UDP 192.0.2.1\n ;branch=z9hG4bKx\n";
  request.from = "f: <sip:bob@example.com>\n ;tag=7\n";
  request.to = "t:\n <sip:alice@example.com>\n";
  request.call_id = "i: abc\n";
  request.cseq = "CSeq: 1\n SUBSCRIBE\n";
  const std::unique_ptr<Message> message =
      Parse(request.With("o: presence\n ;id=3\nm: <sip:bob@192.0.2.1>\nk: eventlist\nu: presence\n")
                .Text());

  EXPECT_EQ(message->top_via().branch, "z9hG4bKx");
  EXPECT_EQ(message->from().tag, "7");
  EXPECT_EQ(message->cseq(), 1u);
  EXPECT_EQ(message->event()->id, "3");
  EXPECT_THAT(*message->contacts(), ElementsAre(Field(&NameAddr::uri, "sip:bob@192.0.2.1")));
  EXPECT_THAT(message->supported(), ElementsAre("eventlist"));
  EXPECT_EQ(message->header("allow-events"), "presence");
}

TEST(MessageTest, GivesPublicationHeaders) {
  const std::unique_ptr<Message> message =
      Parse(RequestText()
                .With("Event: presence\nExpires: 3600\nSIP-If-Match: dx200xyz\n"
                      "Content-Type: application/pidf+xml;charset=utf-8\ne: gzip, identity\n")
                .Text());

  EXPECT_EQ(message->event()->type, "presence");
  EXPECT_EQ(message->expires(), 3600u);
  EXPECT_EQ(message->sip_if_match(), "dx200xyz");
  EXPECT_EQ(message->content_type()->type, "application/pidf+xml");
  EXPECT_THAT(message->content_encodings(), ElementsAre("gzip", "identity"));
}

TEST(MessageTest, GivesNothingForHeadersThatAreAbsent) {
  const std::unique_ptr<Message> message = Parse(RequestText().Text());

  EXPECT_FALSE(message->event().has_value());
  EXPECT_FALSE(message->expires().has_value());
  EXPECT_FALSE(message->sip_if_match().has_value());
  EXPECT_FALSE(message->content_type().has_value());
  EXPECT_FALSE(message->accept().has_value());
  EXPECT_FALSE(message->retry_after().has_value());
  EXPECT_FALSE(message->header("Sender").has_value());
  EXPECT_THAT(*message->contacts(), IsEmpty());
  EXPECT_THAT(message->require(), IsEmpty());
  EXPECT_THAT(message->asserted_identities(), IsEmpty());
}

// S10: RFC 3261 20.1.
TEST(MessageTest, TellsAnEmptyAcceptFromNone) {
  RequestText request;
  request.Method("SUBSCRIBE").With("Contact: <sip:b@192.0.2.1>\n");
  EXPECT_FALSE(Parse(request.Text())->accept().has_value());

  const std::unique_ptr<Message> empty = Parse(RequestText(request).With("Accept:\n").Text());
  ASSERT_TRUE(empty->accept().has_value());
  EXPECT_THAT(*empty->accept(), IsEmpty());

  const std::unique_ptr<Message> two =
      Parse(RequestText(request).With("Accept: Text/Plain;q=0.5, */*\nAccept: a/b\n").Text());
  EXPECT_THAT(*two->accept(),
              ElementsAre(Field(&MediaType::type, "text/plain"), Field(&MediaType::type, "*/*"),
                          Field(&MediaType::type, "a/b")));
}

// P08
TEST(MessageTest, RefusesAPublishWithoutExactlyOneEntityTag) {
  for (const std::string value : {"a b", "a, b", "", "\"quoted\"", "a\nSIP-If-Match: b"}) {
    EXPECT_THAT(Reason(RequestText().With("SIP-If-Match: " + value + "\n")),
                testing::EndsWith("SIP-If-Match"))
        << value;
  }
}

// P14
TEST(MessageTest, RefusesAnExpiresThatIsNo32BitNumber) {
  for (const std::string method : {"PUBLISH", "SUBSCRIBE"}) {
    for (const std::string value : {"99999999999", "4294967296", "soon", "-1", "", "60 60"}) {
      EXPECT_EQ(Reason(RequestText().Method(method).With("Expires: " + value + "\n")),
                "Malformed Expires")
          << value;
    }
  }
  EXPECT_EQ(Parse(RequestText().With("Expires: 4294967295\n").Text())->expires(), 4294967295u);
}

TEST(MessageTest, RefusesAListOfEvents) {
  for (const std::string method : {"PUBLISH", "SUBSCRIBE"}) {
    EXPECT_EQ(Reason(RequestText().Method(method).With("Event: presence, dialog\n")),
              "Malformed Event");
    EXPECT_EQ(Reason(RequestText().Method(method).With("Event: presence\no: dialog\n")),
              "Multiple Event");
  }
}

// RFC 3261 8.2.2: what nobody needs may be malformed.
TEST(MessageTest, ReadsAMalformedHeaderThatNobodyNeedsAsAbsent) {
  const std::unique_ptr<Message> message =
      Parse(RequestText()
                .Method("OPTIONS")
                .With("Expires: never\nEvent: a, b\nSIP-If-Match: a b\nDate: yesterday\n"
                      "Content-Type: none\nAccept: x\nContact: nowhere\n")
                .Text());

  EXPECT_FALSE(message->expires().has_value());
  EXPECT_FALSE(message->event().has_value());
  EXPECT_FALSE(message->sip_if_match().has_value());
  EXPECT_FALSE(message->content_type().has_value());
  EXPECT_FALSE(message->accept().has_value());
  EXPECT_FALSE(message->contacts().ok());
}

TEST(MessageTest, RefusesRequestsWithoutTheirMandatoryHeaders) {
  const std::pair<std::string RequestText::*, const char*> parts[] = {
      {&RequestText::via, "Missing Via"},   {&RequestText::from, "Missing From"},
      {&RequestText::to, "Missing To"},     {&RequestText::call_id, "Missing Call-ID"},
      {&RequestText::cseq, "Missing CSeq"},
  };
  for (const auto& [part, reason] : parts) {
    RequestText request;
    request.*part = "";
    EXPECT_EQ(Reason(request), reason);
  }
}

// RFC 4475 3.3.8
TEST(MessageTest, RefusesASecondValueWhereOneIsAllowed) {
  for (const std::string line :
       {"From: <sip:a@b>;tag=1", "t: <sip:a@b>", "Call-ID: x", "CSeq: 1 PUBLISH", "Max-Forwards: 1",
        "c: a/b\nContent-Type: a/b", "Expires: 1\nExpires: 1"}) {
    EXPECT_THAT(Reason(RequestText().With(line + "\n")), testing::StartsWith("Multiple ")) << line;
  }
}

TEST(MessageTest, RefusesMalformedMandatoryHeaders) {
  const auto reason = [](std::string RequestText::*part, const std::string& line) {
    RequestText request;
    request.*part = line + "\n";
    return Reason(request);
  };
  EXPECT_EQ(reason(&RequestText::via, "Via: SIP/2.0/UDP"), "Malformed Via");
  EXPECT_EQ(reason(&RequestText::via, "Via: SIP/2.0/UDP a, nonsense"), "Malformed Via");
  EXPECT_EQ(reason(&RequestText::via, "Via:"), "Malformed Via");
  EXPECT_EQ(reason(&RequestText::via, "Via: , SIP/2.0/UDP a;branch=z9hG4bKx"), "Malformed Via");
  EXPECT_EQ(reason(&RequestText::from, "From: \"x <sip:a@b>"), "Malformed From");
  EXPECT_EQ(reason(&RequestText::from, "From: *"), "Malformed From");
  EXPECT_EQ(reason(&RequestText::to, "To: < sip:a@b >"), "Malformed To");
  EXPECT_EQ(reason(&RequestText::call_id, "Call-ID: a b"), "Malformed Call-ID");
  EXPECT_EQ(reason(&RequestText::call_id, "Call-ID:"), "Malformed Call-ID");
  EXPECT_EQ(reason(&RequestText::cseq, "CSeq: 2147483648 PUBLISH"), "Malformed CSeq");
  EXPECT_EQ(reason(&RequestText::cseq, "CSeq: PUBLISH"), "Malformed CSeq");
  EXPECT_EQ(reason(&RequestText::cseq, "CSeq: 1PUBLISH"), "Malformed CSeq");
  EXPECT_EQ(reason(&RequestText::cseq, "CSeq: 1 publish"), "CSeq Method Mismatch");
}

TEST(MessageTest, RefusesRequestUrisThatAreNone) {
  for (const std::string uri : {"alice", "<sip:alice@example.com>", "sip:", "sip:alice@"}) {
    RequestText request;
    request.start_line = "PUBLISH " + uri + " SIP/2.0";
    EXPECT_EQ(Reason(request), "Malformed Request-URI") << uri;
  }
  RequestText request;
  request.start_line = "PUBLISH sip:alice@example.com?Route=x SIP/2.0";
  EXPECT_EQ(Reason(request), "Headers in Request-URI");
}

// S09
TEST(MessageTest, GivesEveryContactSoThatTheirNumberCanBeJudged) {
  const auto parse = [](const std::string& lines) {
    return Parse(RequestText().Method("SUBSCRIBE").With(lines).Text());
  };

  const std::unique_ptr<Message> three =
      parse("Contact: <sip:a@b>;expires=5, \"x,y\" <sip:c@d>\nm: sip:e@f;q=1\n");
  EXPECT_THAT(*three->contacts(),
              ElementsAre(Field(&NameAddr::uri, "sip:a@b"), Field(&NameAddr::uri, "sip:c@d"),
                          Field(&NameAddr::uri, "sip:e@f")));
  const std::unique_ptr<Message> star = parse("Contact: *\n");
  EXPECT_THAT(*star->contacts(), ElementsAre(Field(&NameAddr::is_star, true)));
  EXPECT_THAT(*parse("")->contacts(), IsEmpty());
}

// S09
TEST(MessageTest, RefusesASubscribeWhoseContactCannotBeParsed) {
  for (const std::string value : {"", "nowhere", "<sip:a@b", "\"x <sip:a@b>", "sip:a@b?x=y"}) {
    EXPECT_EQ(Reason(RequestText().Method("SUBSCRIBE").With("Contact: " + value + "\n")),
              "Malformed Contact")
        << value;
  }
}

// S13
TEST(MessageTest, GivesRoutesInOrderAsWritten) {
  const std::unique_ptr<Message> message =
      Parse(RequestText()
                .Method("SUBSCRIBE")
                .With("Record-Route: <sip:p3.example.com;lr>, <sip:p%32.example.com;lr>;x=1\n"
                      "Record-Route: <sip:p1.example.com>\nRoute: <sip:us.example.com;lr>\n")
                .Text());

  EXPECT_THAT(message->record_routes(),
              ElementsAre("<sip:p3.example.com;lr>", "<sip:p%32.example.com;lr>;x=1",
                          "<sip:p1.example.com>"));
  EXPECT_THAT(message->routes(), ElementsAre("<sip:us.example.com;lr>"));
}

TEST(MessageTest, RefusesASubscribeWhoseRecordRouteCouldNotBecomeARoute) {
  for (const std::string value : {"sip:p1.example.com;lr", "*", "<sip:p1", "x"}) {
    EXPECT_EQ(Reason(RequestText().Method("SUBSCRIBE").With("Record-Route: " + value + "\n")),
              "Malformed Record-Route")
        << value;
  }
}

// S15
TEST(MessageTest, GivesBothAssertedIdentities) {
  const std::unique_ptr<Message> message = Parse(
      RequestText()
          .With("P-Asserted-Identity: \"Alice\" <sip:alice@example.com>, <tel:+14085264000>\n")
          .Text());

  EXPECT_THAT(message->asserted_identities(),
              ElementsAre(Field(&NameAddr::uri, "sip:alice@example.com"),
                          Field(&NameAddr::uri, "tel:+14085264000")));
}

// S14
TEST(MessageTest, GivesRequiredExtensionsOfAllRequireHeaders) {
  EXPECT_THAT(Parse(RequestText().With("Require: foo, bar\nRequire: baz\n").Text())->require(),
              ElementsAre("foo", "bar", "baz"));
}

// S16
TEST(MessageTest, KeepsLongValuesAndUrisAsWritten) {
  const std::string long_part(300, 'x');
  RequestText request;
  request.Method("SUBSCRIBE");
  request.call_id = "Call-ID: " + long_part + "\n";
  request.from = "From: <sips:%41lice@example.com>;tag=" + long_part + "\n";
  const std::unique_ptr<Message> message =
      Parse(request.With("Contact: <sip:" + long_part + "@192.0.2.1>\n").Text());

  EXPECT_EQ(message->call_id(), long_part);
  EXPECT_EQ(message->from().uri, "sips:%41lice@example.com");
  EXPECT_EQ(message->from().tag, long_part);
  EXPECT_EQ(message->contacts()->front().uri, "sip:" + long_part + "@192.0.2.1");
}

// Phones put more into a Call-ID than RFC 3261's `word` allows; it is only ever repeated.
TEST(MessageTest, AcceptsCallIdsWithUnusualCharacters) {
  for (const std::string id : {"a=b", "YWJj==", "a;b", "a,b", "a#b", "a@b@c", "{1-2}@[::1]"}) {
    RequestText request;
    request.call_id = "Call-ID: " + id + "\n";
    EXPECT_EQ(Parse(request.Text())->call_id(), id);
  }
}

TEST(MessageTest, TakesAMaxForwardsOutOfRangeForAbsent) {
  RequestText request;
  request.max_forwards = "Max-Forwards: 300\n";
  EXPECT_FALSE(Parse(request.Text())->max_forwards().has_value());
  request.max_forwards = "Max-Forwards: 0\n";
  EXPECT_EQ(Parse(request.Text())->max_forwards(), 0u);
}

TEST(MessageTest, FindsAnyHeaderByName) {
  const std::unique_ptr<Message> message =
      Parse(RequestText()
                .With("Sender: <sip:x@y>\nX: 1\nx: 2\nSuppress-If-Match: *\ns: hi\nY:\n")
                .Text());

  EXPECT_EQ(message->header("sender"), "<sip:x@y>");
  EXPECT_EQ(message->header("Suppress-If-Match"), "*");
  EXPECT_EQ(message->header("Subject"), "hi");
  EXPECT_EQ(message->header("Y"), "");
  EXPECT_THAT(message->headers("X-Other"), IsEmpty());
}

// The thread sanitizer watches our part of it only: the system's Sofia-SIP is not built for it.
// Helgrind, which sees inside, finds races on Sofia's own allocation statistics and nowhere else.
TEST(MessageTest, ParsesInSeveralThreadsAtOnce) {
  const std::string text = RequestText().With("Event: presence\nExpires: 60\n").Text();
  const auto work = [&text] {
    for (int i = 0; i < 2000; ++i) {
      ASSERT_EQ(Parse(text)->event()->type, "presence");
    }
  };

  std::thread one(work);
  std::thread two(work);
  one.join();
  two.join();
}

}  // namespace
}  // namespace presence::sip
